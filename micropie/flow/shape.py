"""What of a function matters to the analysis, found in one pass over its syntax tree.

Most of a handler has nothing to do with the connection. Each node gets flags, so that what does not
matter costs the analysis one look.
"""

import ast
import builtins
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple, cast

from micropie.flow.exceptions import NEVER
from micropie.flow.modules import Function
from micropie.flow.states import METHODS

__all__ = [
    "ABRUPT",
    "ASKED",
    "HARMLESS",
    "MAY_RAISE",
    "RAISES",
    "SUSPENDS",
    "THROWS",
    "TOUCHED",
    "MethodCall",
    "Shape",
    "assigned",
    "at_definition",
    "imported",
    "mentioned",
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
# It names what conditions ask for.
ASKED: Final = 64

# Of so many names is kept in mind what conditions make of them.
_MEMORY: Final = 4

_OF_ITS_OWN: Final[dict[type[ast.AST], int]] = {
    ast.Await: RAISES | SUSPENDS,
    ast.Yield: RAISES | SUSPENDS,
    ast.YieldFrom: RAISES | SUSPENDS,
    ast.For: MAY_RAISE,
    ast.AsyncFor: RAISES | SUSPENDS,
    ast.With: RAISES,
    ast.AsyncWith: RAISES | SUSPENDS,
    ast.Assert: RAISES | ABRUPT,
    ast.Subscript: MAY_RAISE,
    ast.Attribute: MAY_RAISE,
    ast.BinOp: MAY_RAISE,
    ast.UnaryOp: MAY_RAISE,
    ast.Compare: MAY_RAISE,
    ast.FormattedValue: MAY_RAISE,
    ast.Starred: MAY_RAISE,
    ast.AugAssign: MAY_RAISE,
    ast.Delete: MAY_RAISE,
    ast.Match: MAY_RAISE,
    ast.Raise: ABRUPT | THROWS,
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

# The last names of functions that do not return: which they are is looked at later.
_NEVER: Final = frozenset(name.rpartition(".")[2] for name in NEVER)

# Called by their own name, they fail for a reason that is hardly worth a word.
_BUILTINS: Final = frozenset(dir(builtins)) - {"next", "anext", "exec", "eval", "open", "input"}

# The fields that hold no expression, statement or part of one.
_NO_NODES: Final = frozenset(
    {
        *("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "level"),
        *("module", "names", "op", "ops", "rest", "simple", "type_comment", "kwd_attrs"),
    }
)


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of a node that hold nodes, by its class."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        no_node = kind in (ast.MatchSingleton, ast.Global, ast.Nonlocal)
        # It is an expression in a statement of `type` only.
        names = _NO_NODES if kind.__name__ == "TypeAlias" else _NO_NODES | {"name"}
        fields = () if no_node else tuple(field for field in kind._fields if field not in names)
        self[kind] = fields
        return fields


_FIELDS: Final = _Fields()


def parameters(function: Function | ast.Lambda) -> list[ast.arg]:
    """Give the parameters of a function that are filled by position, in their order."""
    return [*function.args.posonlyargs, *function.args.args]


def at_definition(function: Function | ast.Lambda) -> list[ast.expr]:
    """Give what of a function is evaluated where it is defined."""
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    defaults = (*function.args.defaults, *function.args.kw_defaults)
    return [*decorators, *(one for one in defaults if one is not None)]


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
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                names.add(name)
            case ast.Import() | ast.ImportFrom():
                names |= imported(node)
            case ast.Global() | ast.Nonlocal():
                outer.update(node.names)
            case _:
                pass
    return frozenset(names - outer)


def imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Give the names that an import makes."""
    return {(one.asname or one.name).partition(".")[0] for one in node.names}


@lru_cache(maxsize=64)
def mentioned(node: ast.AST) -> frozenset[str]:
    """Give all names in some code."""
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    ahead: list[ast.AST] = [*function.body]
    while ahead:
        node = ahead.pop()
        yield node
        if isinstance(node, ast.comprehension):
            # What it assigns is its own.
            ahead += [node.iter, *node.ifs]
        elif not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
        ):
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
        self.imports: list[ast.Import | ast.ImportFrom] = []
        # The functions within it that use one of them; None: who knows which one the name means.
        self.closures: dict[str, Function | None] = {}
        self._definitions: dict[str, ast.AST] = {}
        self._rebound: set[str] = set()
        self.flags: dict[ast.AST, int] = {}
        # All calls that may be of the connection's methods.
        self.calls: dict[ast.AST, MethodCall] = {}
        # Names that are looked at somewhere.
        self.loaded: set[str] = set()
        # Names of which is kept in mind what conditions make of them.
        self.asked: frozenset[str] = frozenset()
        self._conditions: list[str] = []
        self._settled: set[str] = set()
        self._shared: set[str] = set()
        self._renamed: list[tuple[str, str]] = []
        while True:
            self._conditions.clear()
            for statement in function.body:
                self._scan(statement)
            more = {to for to, source in self._renamed if source in self.names} - self.names
            more |= self.closures.keys() - self.names
            asked = self._worth_keeping()
            if not more and asked == self.asked:
                break
            self.names |= more
            self.asked = asked
        self.closures.update(dict.fromkeys(self.closures.keys() & self._rebound))

    def _worth_keeping(self) -> frozenset[str]:
        """Give the names that are asked for again, or once it is known what they are."""
        asked = {
            name
            for name in self._conditions
            if name in self._settled or self._conditions.count(name) > 1
        }
        return frozenset(sorted(asked - self._shared)[:_MEMORY])

    def _scan(self, node: ast.AST) -> int:
        kind = node.__class__
        if kind is ast.Name:
            # It is one, by its class; `isinstance` would ask all others as well.
            named = cast(ast.Name, node)
            if named.ctx.__class__ is ast.Load:
                self.loaded.add(named.id)
            else:
                self._rebound.add(named.id)
            return self._flags_of(named.id)
        if kind is ast.Constant:
            return 0
        flags = 0
        for field in _FIELDS[kind]:
            child = getattr(node, field)
            if child.__class__ is list:
                for one in child:
                    if one is not None:
                        flags |= self._scan(one)
            elif child is not None:
                flags |= self._scan(child)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            flags = self._nested(node, flags)
        elif kind is ast.NamedExpr or kind is ast.Assign or kind is ast.AnnAssign:
            flags |= self._assignment(node, flags)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            self._shared.update(node.names)
            flags |= TOUCHED if self.names & {*node.names} else 0
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            flags |= TOUCHED if node.name in self.names else 0
            flags |= ASKED if node.name in self.asked else 0
        elif isinstance(node, ast.MatchMapping):
            flags |= self._flags_of(node.rest or "")
        elif isinstance(node, ast.GeneratorExp):
            # It is gone through when who knows.
            self._shared |= {
                one.target.id for one in ast.walk(node) if isinstance(one, ast.NamedExpr)
            }
        elif isinstance(node, ast.ClassDef):
            self._shared.add(node.name)
            flags |= RAISES | self._flags_of(node.name)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            # What a condition makes of it may change so.
            self._shared |= {node.value.id} if isinstance(node.value, ast.Name) else set()
            flags |= MAY_RAISE
        elif isinstance(node, ast.comprehension):
            self._shared |= {one.id for one in ast.walk(node.target) if isinstance(one, ast.Name)}
            flags |= RAISES | SUSPENDS if node.is_async else MAY_RAISE
        elif isinstance(node, ast.Call):
            if (call := method_call(node)) is not None:
                self.calls[node] = call
            match node.func:
                case ast.Attribute(value=ast.Name(id=name), attr=attr) if not (
                    attr in METHODS or hasattr(str, attr)
                ):
                    # It may be a list or the like, which such a call fills or empties.
                    self._shared.add(name)
                case _:
                    pass
            builtin = isinstance(node.func, ast.Name) and node.func.id in _BUILTINS
            flags |= MAY_RAISE if builtin else RAISES
            if _name_of(node.func) in _NEVER:
                flags |= ABRUPT
        elif isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
            self._conditions += _conditions(node.test)
            flags |= _OF_ITS_OWN.get(kind, 0)
        elif isinstance(node, ast.Return):
            # Whoever called may ask for it.
            self._conditions += () if node.value is None else _conditions(node.value)
            flags |= ABRUPT
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.imports.append(node)
            self._shared |= imported(node)
            flags |= MAY_RAISE | (TOUCHED if self.names & imported(node) else 0)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            pass
        elif isinstance(node, ast.With) and _suppresses(node):
            flags |= ABRUPT
        else:
            flags |= _OF_ITS_OWN.get(kind, 0)
        self.flags[node] = flags
        return flags

    def _flags_of(self, name: str) -> int:
        asked = ASKED if name in self.asked else 0
        return asked | TOUCHED if name in self.names else asked

    def _nested(self, node: Function | ast.Lambda, flags: int) -> int:
        """Give the flags of a definition: what is in it does not happen there."""
        here = 0
        if not isinstance(node, ast.Lambda):
            self._shared.add(node.name)
            if self._definitions.setdefault(node.name, node) is not node:
                self._rebound.add(node.name)
        for part in at_definition(node):
            # It was gone through before, with all that is in the definition.
            if isinstance(part, ast.Name):
                here |= self._flags_of(part.id)
            else:
                here |= self.flags.get(part, 0)
        if not isinstance(node, ast.Lambda):
            here |= self._flags_of(node.name)
        if not flags & TOUCHED or not self.names - assigned(node):
            return here
        if not isinstance(node, ast.Lambda):
            self.closures[node.name] = node
        return here | TOUCHED

    def _assignment(self, node: ast.AST, flags: int) -> int:
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
        if isinstance(value, ast.Constant) or flags & TOUCHED:
            self._settled |= {target.id for target in targets if isinstance(target, ast.Name)}
        plain = all(isinstance(target, ast.Name) for target in targets)
        return 0 if plain else MAY_RAISE


def _conditions(test: ast.expr) -> Iterator[str]:
    """Give the names that a condition asks for."""
    match test:
        case ast.Name(id=name):
            yield name
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _conditions(operand)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _conditions(value)
        case ast.Compare(left=left, comparators=[ast.Constant(value=None)]):
            yield from _conditions(left)
        case ast.NamedExpr(target=ast.Name(id=name)):
            yield name
        case _:
            pass


def _suppresses(node: ast.With) -> bool:
    return any(
        isinstance(item.context_expr, ast.Call) and _name_of(item.context_expr.func) == "suppress"
        for item in node.items
    )


def _name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


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
