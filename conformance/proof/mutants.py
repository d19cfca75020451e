"""Mutants of the reference implementation: copies of it with one small change to the syntax tree.

The operators below make the slips that one makes when one writes such a class. What an error says
and what a type says are left alone: the contract leaves the one free, and nothing runs the other.
"""

import ast
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import CodeType, ModuleType
from typing import Final, Protocol
from unittest import mock

from micropie import _state, websocket

__all__ = ["Mutant", "Stillborn", "mutants", "mutations"]

# How much of the code is shown in a name.
_MOST_CHARACTERS: Final = 72

_STATE: Final = _state.__name__
_WEBSOCKET: Final = websocket.__name__


class Stillborn(Exception):
    """A mutant that cannot even be imported."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change: another value in a field of a node."""

    node: ast.AST
    field: str
    value: object
    # Where it is, and what it does, in words.
    where: str
    words: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A copy of the reference with one change."""

    name: str
    module: str
    edit: Edit

    def born(self) -> tuple[Callable[..., object], type[BaseException]]:
        """Make the copy; give its WebSocket and its ConnectionClosed.

        Raises:
            Stillborn: It cannot be imported.
        """
        try:
            code = _compiled(self.module, self.edit)
            if self.module == _WEBSOCKET:
                return _socket(code)
            state = _executed(_STATE, code)
            with mock.patch.dict(sys.modules, {_STATE: state}):
                return _socket(_compiled(_WEBSOCKET))
        except Exception as error:
            raise Stillborn(f"{self.name}: {error!r}") from error


def _socket(code: CodeType) -> tuple[Callable[..., object], type[BaseException]]:
    module = _executed(_WEBSOCKET, code)
    return module.WebSocket, module.ConnectionClosed


def _executed(name: str, code: CodeType) -> ModuleType:
    module = ModuleType(name)
    exec(code, module.__dict__)
    return module


def _compiled(module: str, edit: Edit | None = None) -> CodeType:
    tree = _trees()[module][1]
    if edit is None:
        return compile(tree, f"<{module}>", "exec")
    before: object = getattr(edit.node, edit.field)
    setattr(edit.node, edit.field, edit.value)
    try:
        return compile(ast.fix_missing_locations(tree), f"<mutant of {module}>", "exec")
    finally:
        setattr(edit.node, edit.field, before)


@cache
def _trees() -> dict[str, tuple[str, ast.Module]]:
    sources = {module.__name__: inspect.getsource(module) for module in (_state, websocket)}
    return {name: (source, ast.parse(source)) for name, source in sources.items()}


@cache
def mutants() -> dict[str, Mutant]:
    """Give every mutant, by its name; the names are the same in each run."""
    found: dict[str, Mutant] = {}
    for module, (source, tree) in _trees().items():
        seen: Counter[str] = Counter()
        for edit in mutations(tree, source):
            name = f"{module.rpartition('.')[2]}.{edit.where}: {edit.words}"
            seen[name] += 1
            if seen[name] > 1:
                name += f" ({seen[name]})"
            found[name] = Mutant(name, module, edit)
    return found


# What a value of a field is changed to: the operators


_COMPARISONS: Final[dict[type[ast.cmpop], list[type[ast.cmpop]]]] = {
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
}

# What a name is taken for.
_NAMES: Final = {
    "str": ["bytes"],
    "bytes": ["str"],
    "int": ["str"],
    "OSError": ["ConnectionResetError", "Exception"],
    "Exception": ["OSError", "BaseException"],
    "BaseException": ["Exception"],
    "KeyError": ["IndexError"],
    "RuntimeError": ["ValueError", "ConnectionClosed"],
    "TypeError": ["RuntimeError"],
    "ValueError": ["RuntimeError"],
    "ConnectionClosed": ["RuntimeError"],
}

# The enumerations of the state table.
_MEMBERS: Final[dict[str, list[str]]] = {
    kind.__name__: [member.name for member in kind]
    for kind in (_state.State, _state.Step, _state.Call, _state.Refusal)
}


def _another_comparison(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for number, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                ops = [*node.ops[:number], other(), *node.ops[number + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)


def _another_connective(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for number in range(len(node.values)):
            left = [*node.values[:number], *node.values[number + 1 :]]
            yield ast.BoolOp(node.op, left) if len(left) > 1 else left[0]


def _without_not(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def _another_constant(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Constant(str(value)):
            yield ast.Constant(value + "x")
        case ast.Constant(bytes(value)):
            yield ast.Constant(value + b"x")
        case ast.Constant(None):
            yield ast.Constant("x")
        case _:
            pass


def _another_name(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Name):
        for name in _NAMES.get(node.id, ()):
            yield ast.Name(name, ast.Load())


def _another_member(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Attribute(ast.Name(kind), member) if kind in _MEMBERS:
            members = _MEMBERS[kind]
            following = members[(members.index(member) + 1) % len(members)]
            yield ast.Attribute(node.value, following, ast.Load())
        case _:
            pass


def _no_await(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Await):
        yield node.value


def _argument_as_it_is(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Call(ast.Name(name), [argument], []):
            if not name.endswith("Error") and not isinstance(argument, ast.Starred):
                yield argument
        case _:
            pass


def _fewer_entries(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Dict):
        for number in range(len(node.keys)):
            keys = [*node.keys[:number], *node.keys[number + 1 :]]
            yield ast.Dict(keys, [*node.values[:number], *node.values[number + 1 :]])
    elif isinstance(node, ast.Set):
        for number in range(len(node.elts)):
            yield ast.Set([*node.elts[:number], *node.elts[number + 1 :]])


_EXPRESSIONS: Final[Sequence[Callable[[ast.expr], Iterator[ast.expr]]]] = (
    _another_comparison,
    _another_connective,
    _without_not,
    _another_constant,
    _another_name,
    _another_member,
    _no_await,
    _argument_as_it_is,
    _fewer_entries,
)


def _another_statement(node: ast.stmt) -> Iterator[tuple[ast.stmt, str]]:
    """Give what a statement is changed to, and what that is in words."""
    match node:
        case ast.Return(ast.expr() as value):
            yield ast.Return(None), f"return {ast.unparse(value)} -> return"
        case ast.Raise(ast.expr() as error, ast.expr() as cause):
            yield ast.Raise(error, None), f"from {ast.unparse(cause)} deleted"
        case ast.Try(body, handlers, orelse, final):
            for number, handler in enumerate(handlers):
                left = [*handlers[:number], *handlers[number + 1 :]]
                if left or final:
                    kind = ast.unparse(handler.type) if handler.type else ""
                    yield ast.Try(body, left, orelse, final), f"except {kind} deleted"
            if final and handlers:
                yield ast.Try(body, handlers, orelse, []), "finally deleted"
        case _:
            pass


def _awaits(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Await) for one in ast.walk(node))


def _moves(node: ast.stmt) -> bool:
    """Whether a statement does something that can be left out or done later."""
    match node:
        case ast.Expr(ast.Constant()) | ast.Pass() | ast.AnnAssign(value=None):
            return False
        case _:
            return True


# Where they are applied


def mutations(tree: ast.Module, source: str) -> Iterator[Edit]:
    """Yield every change to a module, in the order of the source."""
    yield from _Walk(source).inside(tree, "")


class _Walk:
    """Goes through a syntax tree."""

    def __init__(self, source: str) -> None:
        self._lines = source.encode().splitlines(keepends=True)

    def inside(self, node: ast.AST, where: str) -> Iterator[Edit]:
        """Yield every change below a node; `where` is what it is in."""
        for field, value in _fields(node):
            if isinstance(value, list):
                items: list[object] = [*value]
                for number in range(len(items)):
                    place = where
                    if isinstance(node, ast.Dict):
                        place = f"{where}[{self._code(node.keys[number])}]"
                    yield from self._item(node, field, items, number, place)
            elif isinstance(value, ast.AST):
                if isinstance(value, ast.expr):
                    yield from self._expression(node, field, value, where)
                yield from self.inside(value, where)

    def _item(
        self, node: ast.AST, field: str, items: list[object], number: int, where: str
    ) -> Iterator[Edit]:
        def change(new: list[ast.AST], words: str, width: int = 1) -> Edit:
            value = [*items[:number], *new, *items[number + width :]]
            return Edit(node, field, value, where, words)

        item = items[number]
        match item:
            case ast.ClassDef(name) | ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                where = f"{where}.{name}".removeprefix(".")
            case ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name)) if not where:
                if name == "__all__":
                    return
                where = name
            case ast.stmt() if _runs(node):
                yield from self._statement(item, items[number + 1 :], change)
            case ast.expr():
                if field == "decorator_list":
                    yield change([], f"@{self._code(item)} deleted")
                for other in _others(item):
                    yield change([other], self._becomes(item, other))
            case _:
                pass
        if isinstance(item, ast.AST):
            yield from self.inside(item, where)

    def _statement(self, item: ast.stmt, rest: list[object], change: "_Change") -> Iterator[Edit]:
        if not _moves(item):
            return
        code = self._code(item)
        # A block may not be empty.
        yield change([ast.Pass()], f"{code} deleted")
        for new, words in _another_statement(item):
            yield change([new], words)
        match rest:
            case [ast.stmt() as following, *_] if _awaits(item) or _awaits(following):
                if _moves(following):
                    yield change([following, item], f"{code} after {self._code(following)}", 2)
            case _:
                pass

    def _expression(self, node: ast.AST, field: str, value: ast.expr, where: str) -> Iterator[Edit]:
        if field == "test" and not isinstance(value, ast.Compare | ast.UnaryOp):
            negated = ast.UnaryOp(ast.Not(), value)
            yield Edit(node, field, negated, where, self._becomes(value, negated))
        for other in _others(value):
            yield Edit(node, field, other, where, self._becomes(value, other))

    def _becomes(self, before: ast.expr, after: ast.expr) -> str:
        match before, after:
            case (ast.Dict(keys=all), ast.Dict(keys=left)) | (ast.Set(all), ast.Set(left)):
                gone = next(one for one in all if one not in left)
                return f"{self._code(gone)} deleted"
            case _:
                return f"{self._code(before)} -> {_cut(ast.unparse(after))}"

    def _code(self, node: ast.AST | None) -> str:
        """Give the source of a node; a part of an f-string has none of its own."""
        if isinstance(node, ast.Constant) or node is None:
            return repr(node and node.value)
        assert isinstance(node, ast.expr | ast.stmt)
        # ast.get_source_segment splits all of the source each time.
        assert node.end_lineno is not None
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return _cut(b"".join(lines).decode())


class _Change(Protocol):
    """Makes a change to a list: what comes in place of one item, or of so many."""

    def __call__(self, new: list[ast.AST], words: str, width: int = 1) -> Edit: ...


def _runs(node: ast.AST) -> bool:
    """Whether the statements in a node are those of a function."""
    return not isinstance(node, ast.Module | ast.ClassDef)


def _others(node: ast.expr) -> Iterator[ast.expr]:
    for operator in _EXPRESSIONS:
        yield from operator(node)


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Give the fields in which something is changed."""
    for field, value in ast.iter_fields(node):
        match node, field:
            case _, "annotation" | "returns" | "ctx":
                # Nothing runs what a type says.
                continue
            case ast.Expr(ast.Constant()), _:
                # A docstring.
                continue
            case ast.Compare(), "comparators":
                # `is None`: another comparison says as much.
                if any(isinstance(one, ast.Constant) and one.value is None for one in value):
                    continue
            case ast.Call(ast.Name(name)), "args" if name.endswith(("Error", "Closed")):
                # What an error says.
                continue
            case _:
                pass
        yield field, value


def _cut(code: str) -> str:
    code = " ".join(code.split())
    return code if len(code) <= _MOST_CHARACTERS else f"{code[: _MOST_CHARACTERS - 3]}..."
