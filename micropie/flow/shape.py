"""What of a function matters to the analysis, found in one pass over its syntax tree.

Most of a handler has nothing to do with the connection. Each node gets flags, so that what does not
matter costs the analysis one look.
"""

import ast
import builtins
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from micropie.flow.modules import Function
from micropie.flow.states import METHODS

__all__ = [
    "ABRUPT",
    "HARMLESS",
    "MAY_RAISE",
    "RAISES",
    "SUSPENDS",
    "THROWS",
    "TOUCHED",
    "MethodCall",
    "Shape",
    "assigned",
    "method_call",
    "parameters",
]

# It names the connection, or what may be another name for it.
TOUCHED: Final = 1
# It can raise: an exception that is to be expected, and one that is hardly.
RAISES: Final = 2
MAY_RAISE: Final = 4
# It waits, so that other tasks run.
SUSPENDS: Final = 8
# It does not just go on with what stands next.
ABRUPT: Final = 16
# There is a `raise` in it.
THROWS: Final = 32

_OF_ITS_OWN: Final[dict[type[ast.AST], int]] = {
    ast.Call: RAISES,
    ast.Await: RAISES | SUSPENDS,
    ast.Yield: RAISES | SUSPENDS,
    ast.YieldFrom: RAISES | SUSPENDS,
    ast.For: MAY_RAISE,
    ast.AsyncFor: RAISES | SUSPENDS,
    ast.With: RAISES,
    ast.AsyncWith: RAISES | SUSPENDS,
    ast.Assert: RAISES,
    ast.Subscript: MAY_RAISE,
    ast.Attribute: MAY_RAISE,
    ast.BinOp: MAY_RAISE,
    ast.UnaryOp: MAY_RAISE,
    ast.Compare: MAY_RAISE,
    ast.FormattedValue: MAY_RAISE,
    ast.Starred: MAY_RAISE,
    ast.AugAssign: MAY_RAISE,
    ast.Delete: MAY_RAISE,
    ast.Import: MAY_RAISE,
    ast.ImportFrom: MAY_RAISE,
    ast.Match: MAY_RAISE,
    ast.ClassDef: RAISES,
    ast.Raise: ABRUPT | THROWS,
    ast.Return: ABRUPT,
    ast.Break: ABRUPT,
    ast.Continue: ABRUPT,
    ast.While: ABRUPT,
    ast.Try: ABRUPT,
    ast.TryStar: ABRUPT,
}

HARMLESS: Final = frozenset(
    {
        *("bool", "callable", "dir", "hasattr", "hash", "id", "isinstance", "issubclass"),
        *("print", "repr", "str", "type", "vars"),
    }
)
"""The functions that do nothing with a connection that they are given."""

# Called by their own name, they fail for a reason that is hardly worth a word.
_BUILTINS: Final = frozenset(dir(builtins)) - {"next", "anext", "exec", "eval", "open", "input"}

_NO_NODES: Final = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)


def parameters(function: Function | ast.Lambda) -> list[ast.arg]:
    """Give the parameters of a function that are filled by position, in their order."""
    return [*function.args.posonlyargs, *function.args.args]


@lru_cache(maxsize=64)
def assigned(function: Function | ast.Lambda) -> frozenset[str]:
    """Give the names that are a function's own."""
    arguments = function.args
    names = {one.arg for one in (*parameters(function), *arguments.kwonlyargs)}
    names |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None}
    if isinstance(function, ast.Lambda):
        return frozenset(names)
    outer: set[str] = set()
    for node in _own_nodes(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.ExceptHandler(name=str(name)):
                names.add(name)
            case ast.Global() | ast.Nonlocal():
                outer.update(node.names)
            case _:
                pass
    return frozenset(names - outer)


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    ahead: list[ast.AST] = [*function.body]
    while ahead:
        node = ahead.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            ahead += ast.iter_child_nodes(node)


class MethodCall(NamedTuple):
    """A call of a method that a connection has, of a plain name."""

    node: ast.Call
    name: str
    method: str


def method_call(node: ast.AST) -> MethodCall | None:
    """Give the parts of a call that may be one of a connection's; None: it is none."""
    if node.__class__ is not ast.Call:
        return None
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if (
            method in METHODS
        ):
            return MethodCall(node, name, method)
        case _:
            return None


class Shape:
    """The flags of all nodes of a function.

    Args:
        function: The function.
        names: The names of the connection at its beginning.
    """

    def __init__(self, function: Function, names: frozenset[str]) -> None:
        """Go through the function."""
        self.function = function
        # All names that the connection, or a coroutine of its methods, may have.
        self.names: set[str] = set(names)
        # The functions within it that use one of them.
        self.closures: dict[str, Function] = {}
        self.flags: dict[ast.AST, int] = {}
        # Names that are looked at somewhere.
        self.loaded: set[str] = set()
        self._renamed: list[tuple[str, str]] = []
        while True:
            for statement in function.body:
                self._scan(statement)
            more = {to for to, source in self._renamed if source in self.names} - self.names
            more |= self.closures.keys() - self.names
            if not more:
                break
            self.names |= more

    def _scan(self, node: ast.AST) -> int:
        kind = node.__class__
        if kind is ast.Name:
            # It is one, by its class.
            name: str = node.id  # type: ignore[attr-defined]
            if node.ctx.__class__ is ast.Load:  # type: ignore[attr-defined]
                self.loaded.add(name)
            return TOUCHED if name in self.names else 0
        if kind is ast.Constant:
            return 0
        flags = 0
        for field in node._fields:
            child = getattr(node, field)
            if child.__class__ is list:
                for one in child:
                    if isinstance(one, ast.AST):
                        flags |= self._scan(one)
            elif isinstance(child, ast.AST) and not isinstance(child, _NO_NODES):
                flags |= self._scan(child)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            flags = self._nested(node, flags)
        elif kind is ast.NamedExpr or kind is ast.Assign or kind is ast.AnnAssign:
            flags |= self._assignment(node)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            flags |= TOUCHED if self.names & {*node.names} else 0
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            flags |= TOUCHED if node.name in self.names else 0
        elif isinstance(node, ast.comprehension):
            flags |= RAISES | SUSPENDS if node.is_async else MAY_RAISE
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            flags |= MAY_RAISE if node.func.id in _BUILTINS else RAISES
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            pass
        elif isinstance(node, ast.With) and _suppresses(node):
            flags |= ABRUPT
        else:
            flags |= _OF_ITS_OWN.get(kind, 0)
        self.flags[node] = flags
        return flags

    def _nested(self, node: Function | ast.Lambda, flags: int) -> int:
        """Give the flags of a definition: what is in it does not happen there."""
        if not flags & TOUCHED or not self.names - assigned(node):
            return 0
        if not isinstance(node, ast.Lambda):
            self.closures[node.name] = node
        return TOUCHED

    def _assignment(self, node: ast.AST) -> int:
        match node:
            case ast.Assign(targets=targets, value=value):
                pass
            case ast.AnnAssign(target=one, value=ast.expr() as value):
                targets = [one]
            case ast.NamedExpr(target=one, value=value):
                targets = [one]
            case _:
                return 0
        for source in _sources(value):
            for target in targets:
                if isinstance(target, ast.Name):
                    self._renamed.append((target.id, source))
        plain = all(isinstance(target, ast.Name) for target in targets)
        return 0 if plain else MAY_RAISE


def _suppresses(node: ast.With) -> bool:
    return any(
        isinstance(item.context_expr, ast.Call)
        and getattr(item.context_expr.func, "attr", getattr(item.context_expr.func, "id", None))
        == "suppress"
        for item in node.items
    )


def _sources(value: ast.expr) -> Iterator[str]:
    """Give the names that a value may be, or be a coroutine of."""
    match value:
        case ast.Name(id=name):
            yield name
        case ast.NamedExpr(value=value):
            yield from _sources(value)
        case _:
            if (call := method_call(value)) is not None:
                yield call.name
