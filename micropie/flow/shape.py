"""What of a function matters to the analysis, found in one pass over its syntax tree.

Most of a handler has nothing to do with the connection. Each node gets flags, so that what does not
matter costs the analysis one look.
"""

import ast
import builtins
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Final, NamedTuple, TypeAlias

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
    ast.AsyncWith: RAISES | SUSPENDS,
    ast.Assert: RAISES | ABRUPT,
    ast.Subscript: MAY_RAISE,
    ast.Attribute: MAY_RAISE,
    ast.BinOp: MAY_RAISE,
    ast.Compare: MAY_RAISE,
    ast.FormattedValue: MAY_RAISE,
    ast.Starred: MAY_RAISE,
    ast.AugAssign: MAY_RAISE,
    ast.Delete: MAY_RAISE,
    ast.Match: MAY_RAISE,
    ast.ClassDef: RAISES,
    ast.Import: MAY_RAISE,
    ast.ImportFrom: MAY_RAISE,
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

# The last names of functions that do not return: which they are is looked at later.
_NEVER: Final = frozenset(name.rpartition(".")[2] for name in NEVER)

# What a str has fills or empties nothing.
_OF_STR: Final = frozenset(dir(str))

# Called by their own name, they fail for a reason that is hardly worth a word.
_BUILTINS: Final = frozenset(dir(builtins)) - {"next", "anext", "exec", "eval", "open", "input"}

# The fields that hold no expression, statement or part of one.
_NO_NODES: Final = frozenset(
    {
        *("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "level"),
        *("module", "names", "op", "ops", "rest", "simple", "type_comment", "kwd_attrs"),
    }
)


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """Give the fields of a node that hold nodes."""
    if kind in (ast.MatchSingleton, ast.Global, ast.Nonlocal):
        return ()
    # It is an expression in a statement of `type` only.
    names = _NO_NODES if kind.__name__ == "TypeAlias" else _NO_NODES | {"name"}
    return tuple(field for field in kind._fields if field not in names)


_Kind: TypeAlias = tuple[int, tuple[str, ...], Callable[..., int] | None]

# By class of node: the flags that it has of its own, the fields that hold nodes, and the method of
# `Shape` for what is special about it. To look for the table through `self` would take longer than
# to look into it.
_KINDS: Final[dict[type[ast.AST], _Kind]] = {}


def _kinds(special: Mapping[type[ast.AST], Callable[..., int]]) -> dict[type[ast.AST], _Kind]:
    return {
        kind: (_OF_ITS_OWN.get(kind, 0), _fields(kind), special.get(kind))
        for kind in vars(ast).values()
        if isinstance(kind, type) and issubclass(kind, ast.AST)
    }


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


def method_call(node: ast.Call) -> MethodCall | None:
    """Give the parts of a call that may be one of a connection's; None: it is none."""
    func = node.func
    if type(func) is ast.Attribute and func.attr in METHODS and type(func.value) is ast.Name:
        return MethodCall(node, func.value.id, func.attr)
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
        # Names of which is kept in mind what conditions make of them.
        self.asked: frozenset[str] = frozenset()
        # The flags of a name that have any.
        self._by_name: dict[str, int] = {}
        self._conditions: list[str] = []
        self._settled: set[str] = set()
        self._shared: set[str] = set()
        self._renamed: list[tuple[str, str]] = []
        while True:
            self._conditions.clear()
            self._by_name = dict.fromkeys(self.names, TOUCHED)
            for name in self.asked:
                self._by_name[name] = self._by_name.get(name, 0) | ASKED
            for statement in function.body:
                self._scan(statement)
            more = {to for to, source in self._renamed if source in self.names} - self.names
            more |= self.closures.keys() - self.names
            asked = self._worth_keeping()
            if not more and asked == self.asked:
                break
            self.names |= more
            self.asked = asked
        if self.closures:
            self._rebound |= {
                node.id for node in self._all_names() if not isinstance(node.ctx, ast.Load)
            }
            self.closures.update(dict.fromkeys(self.closures.keys() & self._rebound))

    @cached_property
    def loaded(self) -> frozenset[str]:
        """The names that are looked at somewhere."""
        return frozenset(node.id for node in self._all_names() if isinstance(node.ctx, ast.Load))

    def _all_names(self) -> Iterator[ast.Name]:
        for statement in self.function.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name):
                    yield node

    def _worth_keeping(self) -> frozenset[str]:
        """Give the names that are asked for again, or once it is known what they are."""
        asked = {
            name
            for name in self._conditions
            if name in self._settled or self._conditions.count(name) > 1
        }
        return frozenset(sorted(asked - self._shared)[:_MEMORY])

    def _scan(self, node: ast.AST) -> int:
        flags, fields, special = _KINDS[node.__class__]
        by_name = self._by_name
        for field in fields:
            child = getattr(node, field)
            kind = child.__class__
            # Half of all are names or constants, with nothing in them.
            if kind is ast.Name:
                flags |= by_name.get(child.id, 0)
            elif kind is list:
                for one in child:
                    kind = one.__class__
                    if kind is ast.Name:
                        flags |= by_name.get(one.id, 0)
                    elif one is not None and kind is not ast.Constant:
                        flags |= self._scan(one)
            elif child is not None and kind is not ast.Constant:
                flags |= self._scan(child)
        if special is not None:
            flags = special(self, node, flags)
        self.flags[node] = flags
        return flags

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
                here |= self._by_name.get(part.id, 0)
            else:
                here |= self.flags.get(part, 0)
        if not isinstance(node, ast.Lambda):
            here |= self._by_name.get(node.name, 0)
        if not flags & TOUCHED or not self.names - assigned(node):
            return here
        if not isinstance(node, ast.Lambda):
            self.closures[node.name] = node
        return here | TOUCHED

    def _call(self, node: ast.Call, flags: int) -> int:
        call = method_call(node)
        if call is not None:
            self.calls[node] = call
            return flags | RAISES
        func = node.func
        if _name_of(func) in _NEVER:
            flags |= ABRUPT
        if type(func) is ast.Attribute:
            if type(func.value) is ast.Name and func.attr not in _OF_STR:
                # It may be a list or the like, which such a call fills or empties.
                self._shared.add(func.value.id)
        elif type(func) is ast.Name and func.id in _BUILTINS:
            return flags | MAY_RAISE
        return flags | RAISES

    def _tested(self, node: ast.If | ast.While | ast.IfExp | ast.Assert, flags: int) -> int:
        self._conditions += _conditions(node.test)
        return flags

    def _outer(self, node: ast.Global | ast.Nonlocal, flags: int) -> int:
        self._shared.update(node.names)
        return flags | TOUCHED if self.names & {*node.names} else flags

    def _caught(self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar, flags: int) -> int:
        return flags | self._by_name.get(node.name or "", 0)

    def _comprehension(self, node: ast.comprehension, flags: int) -> int:
        self._shared |= {one.id for one in ast.walk(node.target) if isinstance(one, ast.Name)}
        return flags | (RAISES | SUSPENDS if node.is_async else MAY_RAISE)

    def _import(self, node: ast.Import | ast.ImportFrom, flags: int) -> int:
        self.imports.append(node)
        self._shared |= imported(node)
        return flags | TOUCHED if self.names & imported(node) else flags

    def _class(self, node: ast.ClassDef, flags: int) -> int:
        self._shared.add(node.name)
        return flags | self._by_name.get(node.name, 0)

    def _returned(self, node: ast.Return, flags: int) -> int:
        # Whoever called may ask for it.
        if node.value is not None:
            self._conditions += _conditions(node.value)
        return flags

    def _subscript(self, node: ast.Subscript, flags: int) -> int:
        if type(node.ctx) is not ast.Load and type(node.value) is ast.Name:
            # What a condition makes of it may change so.
            self._shared.add(node.value.id)
        return flags

    def _generator(self, node: ast.GeneratorExp, flags: int) -> int:
        # It is gone through when who knows.
        self._shared |= {one.target.id for one in ast.walk(node) if isinstance(one, ast.NamedExpr)}
        return flags

    def _mapping(self, node: ast.MatchMapping, flags: int) -> int:
        return flags | self._by_name.get(node.rest or "", 0)

    def _unary(self, node: ast.UnaryOp, flags: int) -> int:
        return flags if isinstance(node.op, ast.Not) else flags | MAY_RAISE

    def _with(self, node: ast.With, flags: int) -> int:
        return flags | (ABRUPT if _suppresses(node) else RAISES)

    def _source(self, value: ast.expr) -> str | None:
        """Give the name that a value may be, or be a coroutine of; None: there is none."""
        while type(value) is ast.NamedExpr:
            value = value.value
        if type(value) is ast.Name:
            return value.id
        call = self.calls.get(value)
        return None if call is None else call.name

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr, flags: int) -> int:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        value = node.value
        if value is None:
            return flags
        names = [target.id for target in targets if type(target) is ast.Name]
        source = self._source(value)
        if source is not None:
            self._renamed += ((name, source) for name in names)
        if flags & TOUCHED or type(value) is ast.Constant:
            self._settled.update(names)
        return flags if len(names) == len(targets) else flags | MAY_RAISE

    _KINDS.update(
        _kinds(
            {
                ast.Call: _call,
                ast.Assign: _assignment,
                ast.AnnAssign: _assignment,
                ast.NamedExpr: _assignment,
                ast.If: _tested,
                ast.While: _tested,
                ast.IfExp: _tested,
                ast.Assert: _tested,
                ast.FunctionDef: _nested,
                ast.AsyncFunctionDef: _nested,
                ast.Lambda: _nested,
                ast.Global: _outer,
                ast.Nonlocal: _outer,
                ast.ExceptHandler: _caught,
                ast.MatchAs: _caught,
                ast.MatchStar: _caught,
                ast.comprehension: _comprehension,
                ast.Import: _import,
                ast.ImportFrom: _import,
                ast.ClassDef: _class,
                ast.Return: _returned,
                ast.Subscript: _subscript,
                ast.GeneratorExp: _generator,
                ast.MatchMapping: _mapping,
                ast.UnaryOp: _unary,
                ast.With: _with,
            }
        )
    )


def _conditions(test: ast.expr) -> list[str]:
    """Give the names that a condition asks for."""
    # A pattern that does not match takes far longer than a look at the class.
    if type(test) is ast.Compare:
        is_none = [type(one) is ast.Constant and one.value is None for one in test.comparators]
        return _conditions(test.left) if is_none == [True] else []
    if type(test) is ast.BoolOp:
        return [name for value in test.values for name in _conditions(value)]
    if type(test) is ast.UnaryOp:
        return _conditions(test.operand) if type(test.op) is ast.Not else []
    if type(test) is ast.NamedExpr:
        test = test.target
    return [test.id] if type(test) is ast.Name else []


def _suppresses(node: ast.With) -> bool:
    return any(
        isinstance(item.context_expr, ast.Call) and _name_of(item.context_expr.func) == "suppress"
        for item in node.items
    )


def _name_of(function: ast.expr) -> str:
    if type(function) is ast.Attribute:
        return function.attr
    return function.id if type(function) is ast.Name else ""
