"""Questions about syntax that need no more than the syntax tree."""

import ast
from collections.abc import Iterator
from typing import Final

from micropie.flow.modules import Function

__all__ = [
    "constant",
    "is_abstract",
    "is_generator",
    "is_hook",
    "is_irrefutable",
    "pattern_names",
    "turns",
]

# So many turns of a loop are gone through one by one.
_FEW: Final = 3


def constant(node: ast.expr) -> bool | None:
    """Give what a condition always is; None: that depends."""
    if node.__class__ not in (ast.Constant, ast.UnaryOp):
        return None
    match node:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = constant(operand)
            return None if inner is None else not inner
        case _:
            return None


def turns(node: ast.expr) -> tuple[int, int | None]:
    """Give how often is iterated over something at the least, and at the most, as far as known."""
    match node:
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            number = sum(not isinstance(element, ast.Starred) for element in elements)
            exact = number == len(elements)
        case ast.Constant(value=str(value)):
            number, exact = len(value), True
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(stop))]):
            number, exact = stop, True
        case _:
            return 0, None
    return (number, number) if exact and number <= _FEW else (min(number, 1), None)


def is_irrefutable(pattern: ast.pattern) -> bool:
    """Whether a pattern matches everything."""
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return is_irrefutable(inner)
        case ast.MatchOr(patterns=patterns):
            return any(map(is_irrefutable, patterns))
        case _:
            return False


def is_generator(function: Function) -> bool:
    """Whether a call of a function runs nothing of it yet, but makes a generator."""
    ahead: list[ast.AST] = [*function.body]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            ahead += ast.iter_child_nodes(node)
    return False


def is_abstract(function: Function) -> bool:
    """Whether there is nothing in it but a docstring or `...`."""
    return all(map(_says_nothing, function.body))


def is_hook(function: Function) -> bool:
    """Whether a method does nothing, so that it is there for subclasses to have another."""
    return all(
        isinstance(node, ast.Pass)
        or _says_nothing(node)
        or (isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node))
        for node in function.body
    )


def _says_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def pattern_names(pattern: ast.pattern) -> Iterator[str]:
    """Give the names that a pattern binds."""
    for node in ast.walk(pattern):
        match node:
            case (
                ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                yield name
            case _:
                pass
