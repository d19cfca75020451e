"""The analysis: what states the connection can be in at each place of a function.

A `Flow` is all that is known at one place: for each way to it that makes a difference, what the
connection's state can be. Each statement makes another flow of one, and notes where control goes
otherwise: out of the loop, out of the function, to an `except`. A loop is gone through until it
brings nothing new.

What is not known is left open: a call whose outcome depends on what cannot be seen is no finding.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

from micropie._state import Call, State
from micropie.flow.exceptions import (
    ANY,
    CANCELLED,
    CLOSED,
    MISUSE,
    TIMEOUT,
    WRONG,
    Catches,
    Raised,
    Site,
    catches,
    exception,
    handled,
)
from micropie.flow.findings import Code, Finding, Severity
from micropie.flow.modules import Function, Module, Modules
from micropie.flow.shape import (
    ABRUPT,
    HARMLESS,
    MAY_RAISE,
    RAISES,
    SUSPENDS,
    TOUCHED,
    Shape,
    assigned,
    is_method_call,
    parameters,
)
from micropie.flow.states import (
    ALL_CALLS,
    ALL_STATES,
    METHODS,
    calls_bits,
    forward,
    is_accepted,
    outcomes,
    states_bits,
)

__all__ = ["Program", "Start"]


class Why(Enum):
    """What made the state what it is."""

    START = auto()
    ACCEPT = auto()
    CLOSE = auto()
    DISCONNECT = auto()
    CONDITION = auto()


class Origin(NamedTuple):
    """Where the state came from."""

    line: int
    why: Why


class Value(NamedTuple):
    """What is known on one way to a place."""

    # The states that the connection can be in.
    states: int
    # The calls that others may make meanwhile: other tasks, or code that cannot be seen.
    others: int
    # What the connection is called.
    names: frozenset[str]
    # Coroutines of its methods that wait to be awaited: what they are called, and the method.
    held: frozenset[tuple[str, str]] = frozenset()
    # Whether this way is there for sure, and needs no exception that is hardly to be expected.
    sure: bool = True
    # The lines of a receive that has raised ConnectionClosed once more, and of the `except` that
    # has swallowed it; nothing: there is none.
    swallowed: tuple[int, int] | None = None


Flow: TypeAlias = dict[Value, Origin]

# So many ways, and the analysis gives up on the function from there.
_MANY: Final = 64

# So many turns of a loop are gone through one by one.
_FEW: Final = 3

# So many functions within functions are followed.
_DEEP: Final = 6

_NEW: Final = states_bits(State.NEW)
_GONE: Final = states_bits(State.GONE, State.ABANDONED)
_WAS_ACCEPTED: Final = states_bits(State.OPEN, State.GONE, State.CLOSED)
_RECEIVE: Final = calls_bits(Call.RECEIVE)

_WAIT_FOR: Final = frozenset({"asyncio.wait_for", "wait_for"})
_SHIELD: Final = frozenset({"asyncio.shield", "shield"})
_GATHER: Final = frozenset({"asyncio.gather", "gather"})
_SPAWN: Final = frozenset({"create_task", "ensure_future", "start_soon"})
_SUPPRESS: Final = frozenset({"contextlib.suppress", "suppress"})
_TIMEOUT: Final = frozenset({"asyncio.timeout", "asyncio.timeout_at", "timeout", "timeout_at"})
_GROUP: Final = frozenset({"asyncio.TaskGroup", "TaskGroup"})

# What lets every exception through.
_TRANSPARENT: Final = frozenset(
    {
        *("open", "contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext"),
        *("asyncio.Lock", "asyncio.Semaphore", "tempfile.TemporaryDirectory"),
        *_TIMEOUT,
    }
)


def _merge(into: Flow, flow: Mapping[Value, Origin]) -> None:
    for value, origin in flow.items():
        if value not in into:
            into[value] = origin


def _bit(method: str) -> int:
    return calls_bits(METHODS[method])


class Exits:
    """Where control goes from a block, other than to what stands next."""

    __slots__ = ("breaks", "continues", "raises", "returns")

    def __init__(self) -> None:
        # By the `return`.
        self.returns: dict[ast.stmt, Flow] = {}
        self.breaks: Flow = {}
        self.continues: Flow = {}
        self.raises: dict[Raised, Flow] = {}

    def raised(self, raised: Raised, flow: Flow) -> None:
        if flow:
            _merge(self.raises.setdefault(raised, {}), flow)

    def returned(self, node: ast.stmt, flow: Flow) -> None:
        if flow:
            _merge(self.returns.setdefault(node, {}), flow)

    def add(self, other: "Exits") -> None:
        for node, flow in other.returns.items():
            self.returned(node, flow)
        _merge(self.breaks, other.breaks)
        _merge(self.continues, other.continues)
        for raised, flow in other.raises.items():
            self.raised(raised, flow)


class Start(NamedTuple):
    """What a function begins with."""

    states: int
    others: int
    # Whether it is a handler, which must answer.
    handler: bool = False


class Program:
    """The functions of one module.

    Args:
        modules: Where its imports lead.
        module: The module.
    """

    def __init__(self, modules: Modules, module: Module) -> None:
        """Hold the module; nothing is analysed yet."""
        self.modules = modules
        self.module = module
        self._shapes: dict[tuple[Function, frozenset[str]], Shape] = {}
        self._kinds: dict[tuple[ast.AST, frozenset[str]], int] = {}
        self._summaries: dict[tuple[Function, frozenset[str], int, int], Summary | None] = {}
        self.depth = 0
        # The lines of helpers where a call fails however they are called.
        self._faulty: set[int] = set()
        self._in_helpers: list[tuple[int, Finding]] = []

    def analyse(
        self, function: Function, name: str, start: Start, owner: ast.ClassDef | None
    ) -> list[Finding]:
        """Give what is found in a function whose parameter `name` is the connection."""
        run = Run(self, function, frozenset({name}), start.states, start.others, owner)
        run.go()
        found = [*run.findings(), *run.noted]
        self._faulty |= {one.line for one in found if one.severity is Severity.ERROR}
        if start.handler:
            found += run.unanswered()
        self._in_helpers += run.in_helpers()
        return found

    def in_helpers(self) -> list[Finding]:
        """Give what is found at calls of helpers, and is no fault of the helper alone."""
        return [one for line, one in self._in_helpers if line not in self._faulty]

    def shape(self, function: Function, names: frozenset[str]) -> Shape:
        """Give the shape of a function, made once."""
        key = function, names
        if key not in self._shapes:
            self._shapes[key] = Shape(function, names)
        return self._shapes[key]

    def method(self, owner: ast.ClassDef | None, name: str) -> tuple[Function, bool] | None:
        """Give a method of a class, or of its bases in this module, and whether it takes `self`."""
        if owner is None:
            return None
        for found in self.modules.bases(self.module, owner):
            if isinstance(found, str) or found[0] is not self.module:
                continue
            for node in found[1].body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                    kinds = {self.module.dotted(one) for one in node.decorator_list}
                    if kinds - {"staticmethod", "classmethod"}:
                        return None
                    return node, "staticmethod" not in kinds
        return None

    def kinds(self, node: ast.AST, names: frozenset[str], owner: ast.ClassDef | None) -> int:
        """Give the calls that code may make of a connection that it calls by one of `names`."""
        key = node, names
        if key not in self._kinds:
            # A function that calls itself makes no other calls by that.
            self._kinds[key] = 0
            self._kinds[key] = self._find_kinds(node, names, owner)
        return self._kinds[key]

    def _find_kinds(self, node: ast.AST, names: frozenset[str], owner: ast.ClassDef | None) -> int:
        match node:
            case ast.Name(id=name):
                return ALL_CALLS if name in names else 0
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in names:
                if attr in METHODS:
                    return _bit(attr)
                return 0 if attr in ("accepted", "session_id") else ALL_CALLS
            case ast.Call(func=ast.Name(id=name), args=args) if name in HARMLESS:
                rest = [one for one in args if not _is_named(one, names)]
                return self._all_kinds([*rest, *node.keywords], names, owner)
            case ast.Call(func=func, args=args) if any(_is_named(one, names) for one in args):
                found = self.callee(func, owner, {})
                if found is not None:
                    inner = bound(found[0], node, names, found[1])
                    if inner is not None:
                        rest = [one for one in args if not _is_named(one, names)]
                        return self.kinds(found[0], inner, owner) | self._all_kinds(
                            [func, *rest], names, owner
                        )
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                body = node.body if isinstance(node.body, list) else [node.body]
                names = names - (assigned(node) - {one.arg for one in parameters(node)})
                return self._all_kinds(body, names, owner)
            case ast.Compare(left=left, comparators=others):
                rest = [one for one in (left, *others) if not _is_named(one, names)]
                return self._all_kinds(rest, names, owner)
            case _:
                pass
        return self._all_kinds(ast.iter_child_nodes(node), names, owner)

    def _all_kinds(
        self, nodes: Iterable[ast.AST], names: frozenset[str], owner: ast.ClassDef | None
    ) -> int:
        found = 0
        for node in nodes:
            found |= self._find_kinds(node, names, owner)
        return found

    def callee(
        self, func: ast.expr, owner: ast.ClassDef | None, closures: Mapping[str, Function]
    ) -> tuple[Function, int] | None:
        """Give the function of this module that is called, and how many parameters it has before.

        None: it is none, or who knows which.
        """
        match func:
            case ast.Name(id=name):
                found = closures.get(name) or self.module.functions.get(name)
                return (found, 0) if found is not None and not found.decorator_list else None
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr):
                method = self.method(owner, attr)
                return None if method is None else (method[0], int(method[1]))
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                # Of a class, called with all its parameters.
                method = self.method(self.module.classes.get(name), attr)
                return None if method is None else (method[0], 0)
            case _:
                return None

    def summary(
        self,
        function: Function,
        names: frozenset[str],
        states: int,
        others: int,
        owner: ast.ClassDef | None,
    ) -> "Summary | None":
        """Say what becomes of the connection in a function; None: who knows."""
        key = function, names, states, others
        if key not in self._summaries:
            # For a function that calls itself.
            self._summaries[key] = None
            if self.depth < _DEEP:
                self.depth += 1
                run = Run(self, function, names, states, others, owner)
                run.go()
                self.depth -= 1
                self._summaries[key] = Summary(run.ends, run.exits.raises, run.failures())
        return self._summaries[key]


class Summary(NamedTuple):
    """What becomes of the connection in a function that was called with it."""

    returns: Flow
    raises: dict[Raised, Flow]
    # What fails there because of the state.
    failures: list[tuple[Site, Origin]]


def _is_named(node: ast.AST, names: Iterable[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def bound(
    function: Function, call: ast.Call, names: Iterable[str], skipped: int
) -> frozenset[str] | None:
    """Give the parameters that a call fills with the connection; None: who knows which."""
    found: set[str] = set()
    own = parameters(function)[skipped:]
    for number, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            break
        if _is_named(argument, names):
            if number >= len(own):
                return None
            found.add(own[number].arg)
    known = {one.arg for one in (*own, *function.args.kwonlyargs)}
    for keyword in call.keywords:
        if _is_named(keyword.value, names):
            if keyword.arg not in known:
                return None
            found.add(keyword.arg)
    return frozenset(found)


class Run:
    """One function, analysed from one start."""

    def __init__(
        self,
        program: Program,
        function: Function,
        names: frozenset[str],
        states: int,
        others: int,
        owner: ast.ClassDef | None,
    ) -> None:
        self._program = program
        self._module = program.module
        self._function = function
        self._owner = owner
        self._shape = program.shape(function, names)
        self._flags = self._shape.flags
        self._names = self._shape.names
        self._start: Flow = {Value(states, others, names): Origin(function.lineno, Why.START)}
        self.exits = Exits()
        # The ways out of the function that is gone through to its end, and by `return`.
        self.ends: Flow = {}
        # Of each call, by way: why it fails, and where that came from; None: it does not, or who knows.
        self._judged: dict[ast.expr, dict[Value, tuple[Site, Origin] | None]] = {}
        self.noted: list[Finding] = []
        # The lines of receives in endless loops that swallow what they raise: that is told already.
        self._swallowing: set[int] = set()
        # Of each call of a function that is gone into, by way: whether it never comes back, as
        # something fails there, and what does.
        self._helped: dict[ast.Call, dict[Value, tuple[bool, list[tuple[Site, Origin]]]]] = {}
        # What a bare `raise` raises.
        self._handling: tuple[Raised, ...] = ()
        self._loops: dict[tuple[ast.AST, Value, tuple[Raised, ...]], tuple[Flow, Exits]] = {}
        # Endless loops around the place.
        self._endless = 0

    def go(self) -> None:
        """Analyse the function."""
        normal = self._block(self._function.body, self._start)
        self.exits.returned(self._function, normal)
        for ways in self.exits.returns.values():
            _merge(self.ends, ways)

    # What was found

    def findings(self) -> list[Finding]:
        """Give the calls that fail."""
        return [
            _finding(node, always, _words(site, origin), site, origin)
            for node, always, site, origin in self._failing()
        ]

    def _failing(self) -> Iterator[tuple[ast.expr, bool, Site, Origin]]:
        """Give the calls that fail, and whether they do on all ways to them."""
        for node, ways in self._judged.items():
            failing = [way for way in ways.values() if way is not None]
            always = len(failing) == len(ways)
            if not always:
                failing = [way for value, way in ways.items() if way is not None and value.sure]
            if failing and (always or node.lineno not in self._swallowing):
                yield node, always, *min(failing, key=lambda way: way[1].line)

    def failures(self) -> list[tuple[Site, Origin]]:
        """Give what is sure to fail on some way, here and in functions that are called."""
        found = [
            min(failing, key=lambda way: way[1].line)
            for one in self._judged.values()
            if (failing := [way for value, way in one.items() if way is not None and value.sure])
        ]
        return found + [(site, origin) for _, _, site, origin in self._failing_helpers()]

    def unanswered(self) -> list[Finding]:
        """Give the places where the function ends and the client has no answer."""
        if _is_abstract(self._function):
            return []
        found: list[Finding] = []
        for node, flow in self.exits.returns.items():
            if not any(value.states == _NEW and value.sure for value in flow):
                continue
            always = all(value.states == _NEW for value in flow)
            how = "ends" if always else "can end"
            text = f"the handler {how} without accept() or close(): the client gets HTTP 403"
            found.append(
                Finding(
                    node.lineno,
                    node.col_offset + 1,
                    Code.NO_ANSWER,
                    Severity.WARNING,
                    text,
                    self._function.lineno,
                )
            )
        return found

    def _failing_helpers(self) -> Iterator[tuple[ast.Call, bool, Site, Origin]]:
        """Give the calls of functions in which something fails, and whether they always fail."""
        for node, ways in self._helped.items():
            always = all(always for always, _ in ways.values())
            failing = [
                failure
                for value, (_, failures) in ways.items()
                if always or value.sure
                for failure in failures
            ]
            if failing:
                yield node, always, *min(failing, key=lambda one: (one[0].line, one[1].line))

    def in_helpers(self) -> Iterator[tuple[int, Finding]]:
        """Give what is found at calls of functions, and the line there."""
        for node, always, site, origin in self._failing_helpers():
            text = f"{_words(site, origin)} (in {ast.unparse(node.func)}(), line {site.line})"
            yield site.line, _finding(node, always, text, site, origin)

    # Statements

    def _block(self, body: Iterable[ast.stmt], flow: Flow) -> Flow:
        for statement in body:
            if not flow:
                # Nothing comes here.
                break
            flow = self._statement(statement, flow)
        return flow

    def _statement(self, node: ast.stmt, flow: Flow) -> Flow:
        flags = self._flags[node]
        if not flags & (TOUCHED | ABRUPT):
            return self._opaque(flags, flow)
        handler = _STATEMENTS.get(node.__class__)
        if len(flow) > _MANY:
            flow = _given_up(flow, self._names)
        if handler is None:
            return self._children(node, flow)
        return handler(self, node, flow)

    def _opaque(self, flags: int, flow: Flow) -> Flow:
        """Go past what has nothing to do with the connection."""
        if flags & SUSPENDS:
            flow = _meanwhile(flow)
            self.exits.raised(CANCELLED, _unlikely(flow))
        if flags & RAISES:
            self.exits.raised(ANY, flow)
        elif flags & MAY_RAISE:
            self.exits.raised(ANY, _unlikely(flow))
        return flow

    @contextmanager
    def _captured(self) -> Iterator[Exits]:
        """Let what is gone through leave its exits in a set of their own."""
        outer, self.exits = self.exits, Exits()
        try:
            yield self.exits
        finally:
            self.exits = outer

    def _expression(self, node: ast.Expr, flow: Flow) -> Flow:
        value = node.value
        if isinstance(value, ast.Name):
            return flow
        if self._is_coroutine(value):
            # It was made by a call.
            assert isinstance(value, ast.Call)
            mine, others = self._split(flow, value)
            if mine:
                self._note_never_awaited(value)
            flow = self._arguments(value, mine)
            _merge(flow, self._opaque(RAISES, others))
            return flow
        return self._eval(value, flow)

    def _assign(self, node: ast.Assign, flow: Flow) -> Flow:
        return self._bind_all(node.targets, node.value, flow)

    def _annotated(self, node: ast.AnnAssign, flow: Flow) -> Flow:
        if node.value is None:
            return flow
        return self._bind_all([node.target], node.value, flow)

    def _bind_all(self, targets: list[ast.expr], value: ast.expr, flow: Flow) -> Flow:
        if all(isinstance(target, ast.Name) for target in targets):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if isinstance(value, ast.Name) and value.id in self._names:
                return _aliased(flow, value.id, names)
            if self._is_coroutine(value):
                return self._hold(value, names, flow)
            return _unbound(self._eval(value, flow), names, self._names)
        flow = self._eval(value, flow)
        for target in targets:
            flow = self._target(target, flow)
        return self._opaque(MAY_RAISE, flow)

    def _target(self, target: ast.expr, flow: Flow) -> Flow:
        """Assign something that is not known to a target."""
        match target:
            case ast.Name(id=name):
                return _unbound(flow, [name], self._names)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    flow = self._target(element, flow)
                return flow
            case ast.Starred(value=value):
                return self._target(value, flow)
            case _:
                return self._children(target, flow)

    def _hold(self, call: ast.expr, names: list[str], flow: Flow) -> Flow:
        """Keep a coroutine of the connection's under a name."""
        # Only those of a method get here.
        assert isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        mine, others = self._split(flow, call)
        if mine and not any(name in self._shape.loaded for name in names):
            self._note_never_awaited(call)
        flow = _unbound(self._arguments(call, mine), names, self._names)
        held = {(name, call.func.attr) for name in names}
        flow = {value._replace(held=value.held | held): origin for value, origin in flow.items()}
        _merge(flow, _unbound(self._opaque(RAISES, others), names, self._names))
        return flow

    def _note_never_awaited(self, call: ast.Call) -> None:
        assert isinstance(call.func, ast.Attribute)
        finding = Finding(
            call.lineno,
            call.col_offset + 1,
            Code.NEVER_AWAITED,
            Severity.WARNING,
            f"{call.func.attr}() is never awaited: nothing happens; write await",
        )
        if finding not in self.noted:
            self.noted.append(finding)

    def _return(self, node: ast.Return, flow: Flow) -> Flow:
        value = node.value
        if value is not None and self._flags.get(value, 0) | isinstance(value, ast.Name):
            if isinstance(value, ast.Name):
                # Whoever called has it already.
                pass
            elif (
                self._is_coroutine(value)
                and isinstance(self._function, ast.AsyncFunctionDef)
                and self._function.name.startswith("ws_")
            ):
                flow = self._expression(ast.copy_location(ast.Expr(value), node), flow)
            else:
                flow = self._eval(value, flow)
        self.exits.returned(node, flow)
        return {}

    def _raise(self, node: ast.Raise, flow: Flow) -> Flow:
        for part in (node.exc, node.cause):
            if part is not None:
                flow = self._eval(part, flow)
        for raised in self._what_is_raised(node.exc):
            self.exits.raised(raised, flow)
        return {}

    def _what_is_raised(self, node: ast.expr | None) -> Iterable[Raised]:
        match node:
            case None:
                return self._handling or (ANY,)
            case ast.Call(func=func):
                found = exception(self._program.modules, self._module, func)
            case _:
                found = exception(self._program.modules, self._module, node)
        if found is None:
            return (ANY,)
        return (Raised(found),)

    def _break(self, node: ast.Break, flow: Flow) -> Flow:
        _merge(self.exits.breaks, flow)
        return {}

    def _continue(self, node: ast.Continue, flow: Flow) -> Flow:
        _merge(self.exits.continues, flow)
        return {}

    def _if(self, node: ast.If, flow: Flow) -> Flow:
        true, false = self._condition(node.test, flow)
        after = self._block(node.body, true) if true else {}
        # What comes out of the one is not to change under the other.
        after = dict(after)
        _merge(after, self._block(node.orelse, false) if false else {})
        return after

    def _assert(self, node: ast.Assert, flow: Flow) -> Flow:
        true, false = self._condition(node.test, flow)
        self.exits.raised(Raised(AssertionError), false)
        return true

    def _while(self, node: ast.While, flow: Flow) -> Flow:
        endless = _constant(node.test) is True

        def turn(flow: Flow) -> tuple[Flow, Flow]:
            true, false = self._condition(node.test, flow)
            return self._block(node.body, true), false

        return self._loop(node, flow, turn, node.orelse, endless)

    def _for(self, node: ast.For | ast.AsyncFor, flow: Flow) -> Flow:
        flow = self._eval(node.iter, flow)
        flags = RAISES | SUSPENDS if isinstance(node, ast.AsyncFor) else MAY_RAISE

        def turn(flow: Flow) -> tuple[Flow, Flow]:
            flow = self._opaque(flags, flow)
            return self._block(node.body, self._target(node.target, flow)), flow

        after: Flow = {}
        least, most = _turns(node.iter)
        for _ in range(least):
            with self._captured() as exits:
                back, _ = turn(flow)
            flow = dict(back)
            _merge(flow, exits.continues)
            _merge(after, exits.breaks)
            exits.breaks, exits.continues = {}, {}
            self.exits.add(exits)
        if least == most:
            normal = dict(self._block(node.orelse, flow))
        else:
            normal = self._loop(node, flow, turn, node.orelse)
        _merge(normal, after)
        return normal

    def _loop(
        self,
        node: ast.AST,
        flow: Flow,
        turn: Callable[[Flow], tuple[Flow, Flow]],
        orelse: list[ast.stmt],
        endless: bool = False,
    ) -> Flow:
        """Go through a loop until nothing new comes of it.

        Args:
            node: The loop.
            flow: What it begins with.
            turn: Goes through it once; gives what follows a turn, and what follows the last.
            orelse: What is done when it has not been left by `break`.
            endless: Whether it ends by nothing but what is in it.
        """
        after: Flow = {}
        for value, origin in flow.items():
            # Each way for itself: what comes of it is remembered, so that a loop in a loop costs
            # no more than one beside it.
            key = node, value, self._handling
            if key not in self._loops:
                self._loops[key] = self._looped({value: origin}, turn, orelse, endless)
            normal, exits = self._loops[key]
            _merge(after, normal)
            self.exits.add(exits)
        return after

    def _looped(
        self,
        flow: Flow,
        turn: Callable[[Flow], tuple[Flow, Flow]],
        orelse: list[ast.stmt],
        endless: bool,
    ) -> tuple[Flow, Exits]:
        seen: Flow = {}
        last: Flow = {}
        self._endless += endless
        with self._captured() as exits:
            while flow := {value: at for value, at in flow.items() if value not in seen}:
                if len(seen) > _MANY:
                    flow = _given_up(flow, self._names)
                    if not flow.keys() - seen.keys():
                        break
                _merge(seen, flow)
                back, done = turn(flow)
                _merge(last, done)
                flow = dict(back)
                _merge(flow, exits.continues)
                exits.continues = {}
                if endless:
                    flow = self._without_swallowed(flow)
        self._endless -= endless
        breaks, exits.breaks = exits.breaks, {}
        with self._captured() as outer:
            outer.add(exits)
            after = dict(self._block(orelse, last))
        _merge(after, breaks)
        if not self._endless:
            after = {value._replace(swallowed=None): at for value, at in after.items()}
        return after, outer

    def _without_swallowed(self, flow: Flow) -> Flow:
        """Leave out the ways that go round for ever, and tell of them."""
        kept: Flow = {}
        for value, origin in flow.items():
            if value.swallowed is not None and not value.states & ~_GONE:
                receives, line = value.swallowed
                self._swallowing.add(receives)
                finding = Finding(
                    line,
                    1,
                    Code.SWALLOWED_DISCONNECT,
                    Severity.WARNING,
                    "ConnectionClosed is swallowed and the loop goes on: the receive in line "
                    f"{receives} raises it again at once, for ever; leave the loop, with break, "
                    "return or raise",
                    origin.line,
                )
                if finding not in self.noted:
                    self.noted.append(finding)
            else:
                kept[value] = origin
        return kept

    def _try(self, node: ast.Try | ast.TryStar, flow: Flow) -> Flow:
        with self._captured() as outer:
            with self._captured() as inner:
                after = self._block(node.body, flow)
            raises, inner.raises = inner.raises, {}
            outer.add(inner)
            after = dict(self._block(node.orelse, after))
            for handler in node.handlers:
                sorts = handled(self._program.modules, self._module, handler.type)
                caught, raises = self._catch(
                    raises, sorts, handler.lineno, isinstance(node, ast.TryStar)
                )
                for what, ways in self._by_exception(handler, caught):
                    handling, self._handling = self._handling, what
                    if handler.name:
                        ways = _unbound(ways, [handler.name], self._names)
                    _merge(after, self._block(handler.body, ways))
                    self._handling = handling
            for raised, ways in raises.items():
                outer.raised(raised, ways)
        if not node.finalbody:
            self.exits.add(outer)
            return after
        return self._finally(node.finalbody, after, outer)

    def _catch(
        self,
        raises: dict[Raised, Flow],
        sorts: list[type[BaseException] | None],
        line: int,
        in_groups: bool = False,
    ) -> tuple[dict[Raised, Flow], dict[Raised, Flow]]:
        """Give what is caught of some exceptions, and what is not."""
        caught: dict[Raised, Flow] = {}
        rest: dict[Raised, Flow] = {}
        for raised, ways in raises.items():
            how = max(catches(raised, sort) for sort in sorts)
            if in_groups and how is Catches.YES:
                how = Catches.MAYBE
            if how is Catches.NO:
                _merge(rest.setdefault(raised, {}), ways)
                continue
            if how is Catches.MAYBE:
                known, left = raised.told(sorts)
                _merge(rest.setdefault(left, {}), ways)
                if raised.type is not ANY.type or sorts == [CLOSED.type]:
                    ways = _unlikely(ways)
                raised = known
            site = raised.site
            if site is not None and site.receives and self._endless:
                lines = site.line, line
                ways = {value._replace(swallowed=lines): at for value, at in ways.items()}
            _merge(caught.setdefault(raised, {}), ways)
        return caught, rest

    def _by_exception(
        self, handler: ast.ExceptHandler, caught: dict[Raised, Flow]
    ) -> Iterator[tuple[tuple[Raised, ...], Flow]]:
        """Give what a handler is to be gone through with."""
        if any(isinstance(node, ast.Raise) for node in ast.walk(handler)):
            # What it raises again is what it caught.
            for raised, ways in caught.items():
                yield (raised,), ways
            return
        together: Flow = {}
        for ways in caught.values():
            _merge(together, ways)
        if together:
            yield tuple(caught), together

    def _finally(self, body: list[ast.stmt], after: Flow, inner: Exits) -> Flow:
        """Go through a `finally` on each way out."""
        _merge(self.exits.breaks, self._block(body, inner.breaks))
        _merge(self.exits.continues, self._block(body, inner.continues))
        for node, ways in inner.returns.items():
            self.exits.returned(node, self._block(body, ways))
        for raised, ways in inner.raises.items():
            self.exits.raised(raised, self._block(body, ways))
        return self._block(body, after)

    def _with(self, node: ast.With | ast.AsyncWith, flow: Flow) -> Flow:
        return self._with_items(node, node.items, flow)

    def _with_items(
        self, node: ast.With | ast.AsyncWith, items: list[ast.withitem], flow: Flow
    ) -> Flow:
        if not items:
            return self._block(node.body, flow)
        item, *rest = items
        waits = SUSPENDS if isinstance(node, ast.AsyncWith) else 0
        call = item.context_expr
        name = self._module.dotted(call.func) if isinstance(call, ast.Call) else ""
        if name not in _SUPPRESS:
            flow = self._opaque(RAISES | waits, self._eval(call, flow))
        if item.optional_vars is not None:
            flow = self._target(item.optional_vars, flow)
        with self._captured() as inner:
            after = dict(self._with_items(node, rest, flow))
        raises, inner.raises = inner.raises, {}
        if name in _SUPPRESS and isinstance(call, ast.Call):
            sorts = [exception(self._program.modules, self._module, one) for one in call.args]
            if sorts:
                caught, raises = self._catch(raises, sorts, node.lineno)
                for ways in caught.values():
                    _merge(after, ways)
        elif name in _TIMEOUT:
            inner.raised(TIMEOUT, _likely(raises.get(CANCELLED, {})))
        elif name in _GROUP:
            after = dict(_meanwhile(after))
            inner.raised(ANY, after)
        elif name not in _TRANSPARENT:
            for raised, ways in raises.items():
                if issubclass(raised.type, Exception):
                    _merge(after, _unlikely(ways))
        for raised, ways in raises.items():
            inner.raised(raised, ways)
        self.exits.add(inner)
        return self._opaque(MAY_RAISE | waits, after)

    def _match(self, node: ast.Match, flow: Flow) -> Flow:
        subject = node.subject
        flow = flow if isinstance(subject, ast.Name) else self._eval(subject, flow)
        flow = self._opaque(MAY_RAISE, flow)
        after: Flow = {}
        for case in node.cases:
            names = [
                one.name
                for one in ast.walk(case.pattern)
                if isinstance(one, ast.MatchAs | ast.MatchStar) and one.name
            ]
            taken = _unbound(flow, names, self._names)
            if isinstance(subject, ast.Name) and subject.id in self._names and names:
                taken = _escaped(taken, subject.id)
            left: Flow = {} if _is_irrefutable(case.pattern) else dict(flow)
            if case.guard is not None:
                taken, false = self._condition(case.guard, taken)
                _merge(left, false)
            _merge(after, self._block(case.body, taken))
            flow = left
        _merge(after, flow)
        return after

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, flow: Flow) -> Flow:
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                flow = self._eval(part, flow)
        if node.decorator_list and node.name in self._shape.closures:
            flow = self._let_go(node, flow)
        return flow

    def _class(self, node: ast.ClassDef, flow: Flow) -> Flow:
        return {
            value._replace(others=ALL_CALLS): at for value, at in self._opaque(RAISES, flow).items()
        }

    def _delete(self, node: ast.Delete, flow: Flow) -> Flow:
        for target in node.targets:
            flow = self._target(target, flow)
        return self._opaque(MAY_RAISE, flow)

    def _import(self, node: ast.Import | ast.ImportFrom, flow: Flow) -> Flow:
        names = [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
        return _unbound(self._opaque(MAY_RAISE, flow), names, self._names)

    def _outer(self, node: ast.Global | ast.Nonlocal, flow: Flow) -> Flow:
        for name in node.names:
            flow = _escaped(flow, name)
        return flow

    # Expressions

    def _eval(self, node: ast.AST, flow: Flow) -> Flow:
        kind = node.__class__
        if kind is ast.Name:
            # It is one, by its class.
            return self._name(node.id, flow)  # type: ignore[attr-defined]
        flags = self._flags.get(node, 0)
        if not flags & TOUCHED:
            return self._opaque(flags, flow)
        handler = _EXPRESSIONS.get(kind)
        if handler is None:
            return self._children(node, flow)
        return handler(self, node, flow)

    def _children(self, node: ast.AST, flow: Flow) -> Flow:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr | ast.stmt | ast.keyword):
                flow = self._eval(child, flow)
        return self._opaque(MAY_RAISE, flow)

    def _name(self, name: str, flow: Flow) -> Flow:
        """Use the connection's name where who knows what becomes of it."""
        if name not in self._names:
            return flow
        if name in self._shape.closures:
            return self._let_go(self._shape.closures[name], flow)
        return _escaped(flow, name)

    def _let_go(self, function: Function | ast.Lambda | ast.expr, flow: Flow) -> Flow:
        """Let code that uses the connection run at any time."""
        after: Flow = {}
        for value, origin in flow.items():
            names = value.names | {name for name, _ in value.held}
            kinds = self._program.kinds(function, names, self._owner)
            if value.held:
                kinds = ALL_CALLS
            after.setdefault(value._replace(others=value.others | kinds), origin)
        return after

    def _lambda(self, node: ast.Lambda, flow: Flow) -> Flow:
        return self._let_go(node, flow)

    def _generator(self, node: ast.GeneratorExp, flow: Flow) -> Flow:
        return self._let_go(node, flow)

    def _attribute(self, node: ast.Attribute, flow: Flow) -> Flow:
        owner = node.value
        if not (isinstance(owner, ast.Name) and owner.id in self._names):
            return self._children(node, flow)
        if node.attr in ("accepted", "session_id"):
            return flow
        others = _bit(node.attr) if node.attr in METHODS else ALL_CALLS
        return {
            value._replace(others=value.others | others) if owner.id in value.names else value: at
            for value, at in flow.items()
        }

    def _compare(self, node: ast.Compare, flow: Flow) -> Flow:
        for part in (node.left, *node.comparators):
            if not isinstance(part, ast.Name):
                flow = self._eval(part, flow)
        return self._opaque(MAY_RAISE, flow)

    def _formatted(self, node: ast.FormattedValue, flow: Flow) -> Flow:
        if not isinstance(node.value, ast.Name):
            flow = self._eval(node.value, flow)
        return self._opaque(MAY_RAISE, flow)

    def _walrus(self, node: ast.NamedExpr, flow: Flow) -> Flow:
        return self._bind_all([node.target], node.value, flow)

    def _choice(self, node: ast.IfExp, flow: Flow) -> Flow:
        true, false = self._condition(node.test, flow)
        after = dict(self._eval(node.body, true))
        _merge(after, self._eval(node.orelse, false))
        return after

    def _boolean(self, node: ast.BoolOp, flow: Flow) -> Flow:
        true, false = self._condition(node, flow)
        after = dict(true)
        _merge(after, false)
        return after

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp, flow: Flow) -> Flow:
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        targets = {
            one.id
            for generator in node.generators
            for one in ast.walk(generator.target)
            if isinstance(one, ast.Name)
        }
        if targets & self._names:
            return self._let_go(node, flow)
        return self._generators(node.generators, parts, flow)

    def _generators(
        self, generators: list[ast.comprehension], parts: list[ast.expr], flow: Flow
    ) -> Flow:
        if not generators:
            for part in parts:
                flow = self._eval(part, flow)
            return flow
        generator, *rest = generators
        flow = self._eval(generator.iter, flow)
        flags = RAISES | SUSPENDS if generator.is_async else MAY_RAISE

        def turn(flow: Flow) -> tuple[Flow, Flow]:
            flow = self._opaque(flags, flow)
            true, skipped = flow, Flow()
            for test in generator.ifs:
                true, false = self._condition(test, true)
                _merge(skipped, false)
            back = dict(self._generators(rest, parts, true))
            _merge(back, skipped)
            return back, flow

        least, most = _turns(generator.iter)
        for _ in range(least):
            flow, _ = turn(flow)
        return flow if least == most else self._loop(generator, flow, turn, [])

    def _await(self, node: ast.Await, flow: Flow) -> Flow:
        return self._awaited(node.value, flow)

    def _awaited(self, node: ast.expr, flow: Flow) -> Flow:
        """Await the value of an expression."""
        match node:
            case ast.Name(id=name) if name in self._names:
                return self._await_held(node, name, flow)
            case ast.Call(func=ast.Attribute(attr=attr)) if self._is_coroutine(node):
                mine, others = self._split(flow, node)
                after = dict(self._call(node, attr, self._arguments(node, mine)))
                _merge(after, self._opaque(RAISES | SUSPENDS, others))
                return after
            case ast.Call(func=func, args=[first, *rest]):
                name = self._module.dotted(func)
                if name in _WAIT_FOR:
                    for part in (*rest, *(keyword.value for keyword in node.keywords)):
                        flow = self._eval(part, flow)
                    return self._timed(first, flow)
                if name in _SHIELD:
                    return self._awaited(first, flow)
                if name in _GATHER:
                    return self._gather(node, flow)
            case _:
                pass
        if isinstance(node, ast.Call):
            helper = self._helper(node)
            if helper is not None and isinstance(helper[0], ast.AsyncFunctionDef):
                return self._help(node, *helper, flow)
        return self._opaque(RAISES | SUSPENDS, self._eval(node, flow))

    def _timed(self, node: ast.expr, flow: Flow) -> Flow:
        with self._captured() as exits:
            after = self._awaited(node, flow)
        exits.raised(TIMEOUT, _likely(exits.raises.get(CANCELLED, {})))
        self.exits.add(exits)
        return after

    def _await_held(self, node: ast.Name, name: str, flow: Flow) -> Flow:
        after: Flow = {}
        for value, origin in flow.items():
            methods = sorted(method for held, method in value.held if held == name)
            if methods:
                # It cannot be awaited again.
                value = value._replace(held=frozenset(one for one in value.held if one[0] != name))
                _merge(after, self._call(node, methods[0], {value: origin}))
            else:
                _merge(after, self._opaque(RAISES | SUSPENDS, {value: origin}))
        return after

    def _call(self, node: ast.expr, method: str, flow: Flow) -> Flow:
        """Make a call of the connection's, on each way that comes there."""
        call = METHODS[method]
        after: Flow = {}
        for value, origin in flow.items():
            may = outcomes(value.states, call)
            site = _site(node, method, value.states, origin) if may.refused else None
            self._judge(node, value, None if site is None else (site, origin))
            for states, raised in ((may.closed, CLOSED), (may.misuse, MISUSE)):
                if states:
                    way = {**self._became(value, origin, states, node, Why.DISCONNECT)}
                    if site is not None:
                        raised = raised._replace(site=site)
                    elif raised is MISUSE:
                        way = _unlikely(way)
                    self.exits.raised(raised, way)
            why = Why.ACCEPT if call is Call.ACCEPT else Why.CLOSE
            for states in _each(may.error, value.states):
                way = self._became(value, origin, states, node, why)
                self.exits.raised(WRONG, _unlikely(way))
            for states in _each(may.cancelled, value.states):
                way = self._became(value, origin, states, node, why)
                self.exits.raised(CANCELLED, _unlikely(way))
            if may.returns:
                _merge(after, self._became(value, origin, may.returns, node, why))
        return after

    def _became(self, value: Value, origin: Origin, states: int, node: ast.expr, why: Why) -> Flow:
        """Give the way on which the states have become others by a call."""
        if value.others:
            states = forward(states, value.others)
        if states == value.states:
            return {value: origin}
        if states & ~value.states == 0 and why is Why.DISCONNECT and not states & ~_GONE:
            # It was so before, on one of more ways.
            return {value._replace(states=states): Origin(node.lineno, why)}
        if states & ~value.states == 0 and why is not Why.ACCEPT and states & ~_GONE & value.states:
            return {
                value._replace(states=states): origin
                if why is not Why.CLOSE
                else Origin(node.lineno, why)
            }
        return {value._replace(states=states): Origin(node.lineno, why)}

    def _judge(self, node: ast.expr, value: Value, fails: tuple[Site, Origin] | None) -> None:
        self._judged.setdefault(node, {})[value] = fails

    # Calls of functions

    def _called(self, node: ast.Call, flow: Flow) -> Flow:
        """Call something, and do not await it here."""
        func = node.func
        if self._is_coroutine(node):
            assert isinstance(func, ast.Attribute)
            # Somebody may await it, at any time.
            mine, others = self._split(flow, node)
            bit = _bit(func.attr)
            after = {
                value._replace(others=value.others | bit): at
                for value, at in self._arguments(node, mine).items()
            }
            _merge(after, self._opaque(RAISES, others))
            return after
        if isinstance(func, ast.Name) and func.id in HARMLESS and func.id not in self._names:
            for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                if not isinstance(part, ast.Name):
                    flow = self._eval(part, flow)
            return self._opaque(MAY_RAISE, flow)
        helper = self._helper(node)
        if helper is not None:
            function, names = helper
            if isinstance(function, ast.FunctionDef) and not _is_generator(function):
                return self._help(node, function, names, flow)
            flow = self._arguments(node, flow)
            return self._opaque(RAISES, self._let_go_helper(function, names, flow))
        name = func.attr if isinstance(func, ast.Attribute) else self._module.dotted(func)
        if name.rpartition(".")[2] in _SPAWN and node.args and self._is_coroutine(node.args[0]):
            self._spawn(node.args[0], flow)
        return self._opaque(RAISES, self._parts(node, flow))

    def _parts(self, node: ast.Call, flow: Flow) -> Flow:
        for part in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            flow = self._eval(part, flow)
        return flow

    def _arguments(self, node: ast.Call, flow: Flow) -> Flow:
        """Evaluate the arguments of a call, but for the connection itself."""
        for part in (*node.args, *(keyword.value for keyword in node.keywords)):
            if not isinstance(part, ast.Name):
                flow = self._eval(part, flow)
        return flow

    def _spawn(self, node: ast.expr, flow: Flow) -> None:
        """Judge a call that a task of its own makes later."""
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        method = node.func.attr
        kinds = self._program.kinds(self._function, frozenset(self._names), self._owner)
        for value, origin in self._split(flow, node)[0].items():
            states = forward(value.states, value.others | kinds)
            refused = outcomes(states, METHODS[method]).refused
            site = _site(node, method, states, origin) if refused else None
            self._judge(node, value, None if site is None else (site, origin))

    def _gather(self, node: ast.Call, flow: Flow) -> Flow:
        """Await several at once."""
        silent = any(
            keyword.arg == "return_exceptions" and _constant(keyword.value) is True
            for keyword in node.keywords
        )
        with self._captured() as exits:
            if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
                after = dict(self._awaited(node.args[0], flow))
            else:
                after = self._together(node.args, flow)
        if silent:
            for raised, ways in [*exits.raises.items()]:
                if issubclass(raised.type, Exception):
                    _merge(after, ways)
                    del exits.raises[raised]
        self.exits.add(exits)
        return after

    def _together(self, nodes: list[ast.expr], flow: Flow) -> Flow:
        after: Flow = {}
        for node in nodes:
            if self._is_coroutine(node):
                assert isinstance(node, ast.Call)
                flow = self._arguments(node, flow)
        for value, origin in flow.items():
            names = value.names | {name for name, _ in value.held}
            kinds = [self._program.kinds(node, names, self._owner) for node in nodes]
            if value.held:
                kinds = [ALL_CALLS for _ in nodes]
            together = value.others
            for one in kinds:
                together |= one
            refused = False
            states = forward(value.states, together)
            for number, node in enumerate(nodes):
                if not self._is_coroutine(node) or not self._split({value: origin}, node)[0]:
                    continue
                assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                method = node.func.attr
                rest = value.others
                for other, one in enumerate(kinds):
                    rest |= one if other != number else 0
                before = forward(value.states, rest)
                may = outcomes(before, METHODS[method])
                site = _site(node, method, before, origin) if may.refused else None
                self._judge(node, value, None if site is None else (site, origin))
                refused = refused or may.refused
                states &= forward(may.returns, together)
            others = value._replace(others=together, states=forward(value.states, together))
            where = Origin(nodes[0].lineno, origin.why) if others.states != value.states else origin
            self.exits.raised(ANY, {others: where})
            self.exits.raised(CANCELLED, _unlikely({others: where}))
            if _GONE & others.states:
                self.exits.raised(CLOSED, {others: where})
            if not refused and states:
                after[value._replace(states=states)] = where
        return after

    def _helper(self, node: ast.Call) -> tuple[Function, frozenset[str]] | None:
        """Give the function of this module that a call gives the connection to, and under which names.

        Of a function within this one, the names are those that it finds outside of it.
        """
        found = self._program.callee(node.func, self._owner, self._shape.closures)
        if found is None or found[0] is self._function:
            return None
        function, skipped = found
        names = bound(function, node, self._names, skipped)
        if names is None:
            return None
        if function.name in self._shape.closures and isinstance(node.func, ast.Name):
            names |= frozenset(self._names) - assigned(function)
        return (function, names) if names else None

    def _inside(
        self, value: Value, node: ast.Call, function: Function, names: frozenset[str]
    ) -> frozenset[str]:
        """Give the names that the connection has inside of a function, on one way."""
        found = self._program.callee(node.func, self._owner, self._shape.closures)
        assert found is not None
        inner = bound(function, node, value.names, found[1]) or frozenset()
        free = (
            value.names & names - assigned(function)
            if function.name in self._shape.closures
            else frozenset()
        )
        return inner | free

    def _let_go_helper(self, function: Function, names: frozenset[str], flow: Flow) -> Flow:
        kinds = self._program.kinds(function, names, self._owner)
        return {value._replace(others=value.others | kinds): at for value, at in flow.items()}

    def _help(self, node: ast.Call, function: Function, names: frozenset[str], flow: Flow) -> Flow:
        """Go into a function that is called with the connection, and come back."""
        flow = self._arguments(node, flow)
        after: Flow = {}
        told = self._helped.setdefault(node, {})
        for value, origin in flow.items():
            inside = self._inside(value, node, function, names)
            if not inside:
                _merge(after, self._opaque(RAISES | SUSPENDS, {value: origin}))
                continue
            if value.held or _is_generator(function):
                inside_summary = None
            else:
                inside_summary = self._program.summary(
                    function, inside, value.states, value.others, self._owner
                )
            if inside_summary is None:
                lost = {value._replace(others=ALL_CALLS): origin}
                _merge(after, self._opaque(RAISES | SUSPENDS, lost))
                continue
            failed = any(raised.site is not None for raised in inside_summary.raises)
            told[value] = (
                failed and not inside_summary.returns,
                [
                    (site, origin if at.why is Why.START else at)
                    for site, at in inside_summary.failures
                ],
            )
            for way, at in inside_summary.returns.items():
                back = self._back(value, origin, way, at, node)
                _merge(after, back)
            for raised, ways in inside_summary.raises.items():
                for way, at in ways.items():
                    self.exits.raised(raised, self._back(value, origin, way, at, node))
        return after

    def _back(self, value: Value, origin: Origin, way: Value, at: Origin, node: ast.Call) -> Flow:
        back = value._replace(states=way.states, others=way.others, sure=value.sure and way.sure)
        return {back: origin if at.why is Why.START else Origin(node.lineno, at.why)}

    def _is_coroutine(self, node: ast.AST) -> bool:
        """Whether an expression calls a method of what may be the connection."""
        return (
            is_method_call(node)
            # It is so, by the line before.
            and node.func.value.id in self._names  # type: ignore[attr-defined]
        )

    def _split(self, flow: Flow, call: ast.expr) -> tuple[Flow, Flow]:
        """Give the ways on which what a method is called of is the connection, and the others."""
        assert isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        assert isinstance(call.func.value, ast.Name)
        name = call.func.value.id
        mine = {value: at for value, at in flow.items() if name in value.names}
        if len(mine) == len(flow):
            return mine, {}
        return mine, {value: at for value, at in flow.items() if name not in value.names}

    # Conditions

    def _condition(self, node: ast.expr, flow: Flow) -> tuple[Flow, Flow]:
        """Give what is so where a condition holds, and where it does not."""
        constant = _constant(node)
        if constant is not None:
            return (flow, {}) if constant else ({}, flow)
        if isinstance(node, ast.Name):
            return flow, flow
        if not self._flags.get(node, 0) & TOUCHED:
            flow = self._opaque(self._flags.get(node, 0), flow)
            return flow, flow
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                true, false = self._condition(operand, flow)
                return false, true
            case ast.BoolOp(op=op, values=values):
                left: Flow = {}
                for value in values:
                    true, false = self._condition(value, flow)
                    flow, out = (true, false) if isinstance(op, ast.And) else (false, true)
                    _merge(left, out)
                return (flow, left) if isinstance(op, ast.And) else (left, flow)
            case ast.Attribute(value=ast.Name(id=name), attr="accepted") if name in self._names:
                return _accepted(flow, name, node.lineno)
            case ast.Compare(
                left=ast.Attribute(value=ast.Name(id=name), attr="accepted"),
                ops=[ast.Is() | ast.Eq() | ast.IsNot() | ast.NotEq() as how],
                comparators=[ast.Constant(value=bool(value))],
            ) if name in self._names:
                true, false = _accepted(flow, name, node.lineno)
                same = isinstance(how, ast.Is | ast.Eq)
                return (true, false) if value is same else (false, true)
            case ast.NamedExpr(target=ast.Name(id=name), value=value) if not isinstance(
                value, ast.Name
            ) and not self._is_coroutine(value):
                true, false = self._condition(value, flow)
                return (
                    _unbound(true, [name], self._names),
                    _unbound(false, [name], self._names),
                )
            case _:
                flow = self._eval(node, flow)
                return flow, flow


def _finding(node: ast.expr, always: bool, text: str, site: Site, origin: Origin) -> Finding:
    severity, text = (Severity.ERROR, text) if always else (Severity.WARNING, f"possibly {text}")
    return Finding(node.lineno, node.col_offset + 1, site.code, severity, text, origin.line)


def _site(node: ast.expr, method: str, states: int, origin: Origin) -> Site:
    may = outcomes(states, METHODS[method])
    raises = [
        name
        for bits, name in ((may.misuse, "RuntimeError"), (may.closed, "ConnectionClosed"))
        if bits
    ]
    return Site(
        node.lineno, method, _code(METHODS[method], states, origin.why), " or ".join(raises)
    )


def _code(call: Call, states: int, why: Why) -> Code:
    """Name what is wrong with a call that fails in all of some states."""
    if call is Call.ACCEPT:
        if why is Why.CLOSE or not states & (_WAS_ACCEPTED | _GONE):
            return Code.ACCEPT_AFTER_CLOSE
        return (
            Code.USE_AFTER_DISCONNECT
            if not states & ~states_bits(State.ABANDONED)
            else Code.SECOND_ACCEPT
        )
    sends = call is Call.SEND
    if states & _NEW:
        return Code.SEND_BEFORE_ACCEPT if sends else Code.RECEIVE_BEFORE_ACCEPT
    if why is Why.DISCONNECT or not states & ~_GONE:
        return Code.USE_AFTER_DISCONNECT
    return Code.SEND_AFTER_CLOSE if sends else Code.RECEIVE_AFTER_CLOSE


_REASONS: Final = {
    Code.SEND_BEFORE_ACCEPT: "before accept()",
    Code.RECEIVE_BEFORE_ACCEPT: "before accept()",
    Code.SECOND_ACCEPT: "a second time",
    Code.ACCEPT_AFTER_CLOSE: "after close()",
    Code.SEND_AFTER_CLOSE: "after close()",
    Code.RECEIVE_AFTER_CLOSE: "after close()",
    Code.USE_AFTER_DISCONNECT: "after the client has disconnected",
}

_ORIGINS: Final = {
    Why.START: "nothing is accepted at the beginning, in line {}",
    Why.ACCEPT: "it was accepted in line {}",
    Why.CLOSE: "it was closed in line {}",
    Why.DISCONNECT: "that was noticed in line {}",
    Why.CONDITION: "that is so by the condition in line {}",
}


def _words(site: Site, origin: Origin) -> str:
    where = _ORIGINS[origin.why].format(origin.line)
    return f"{site.method}() {_REASONS[site.code]}: it raises {site.raises}; {where}"


def _each(states: int, before: int) -> Iterator[int]:
    """Give the states that may follow, each for itself where it was known what they follow."""
    if before & (before - 1):
        if states:
            yield states
        return
    bit = 1
    while bit <= states:
        if states & bit:
            yield bit
        bit <<= 1


def _meanwhile(flow: Flow) -> Flow:
    """Let others make their calls."""
    if not any(value.others for value in flow):
        return flow
    after: Flow = {}
    for value, origin in flow.items():
        states = forward(value.states, value.others)
        after.setdefault(value._replace(states=states), origin)
    return after


def _unlikely(flow: Flow) -> Flow:
    return {value._replace(sure=False): origin for value, origin in flow.items()}


def _likely(flow: Flow) -> Flow:
    return {value._replace(sure=True): origin for value, origin in flow.items()}


def _given_up(flow: Flow, names: Iterable[str]) -> Flow:
    """Make one way of many, of which nothing is known."""
    lost = Value(ALL_STATES, ALL_CALLS, frozenset(names), frozenset(), sure=False)
    return {lost: min(flow.values(), key=lambda origin: origin.line)}


def _escaped(flow: Flow, name: str) -> Flow:
    """Let the connection be known to who knows whom."""
    after: Flow = {}
    for value, origin in flow.items():
        if name in value.names:
            value = value._replace(others=ALL_CALLS)
        elif methods := [method for held, method in value.held if held == name]:
            others = value.others
            for method in methods:
                others |= _bit(method)
            value = value._replace(others=others)
        after.setdefault(value, origin)
    return after


def _aliased(flow: Flow, source: str, names: list[str]) -> Flow:
    after: Flow = {}
    for value, origin in flow.items():
        held = {method for name, method in value.held if name == source}
        is_it = source in value.names
        kept = value.names - {*names}
        kept_held = frozenset(one for one in value.held if one[0] not in names)
        value = value._replace(
            names=kept | {*names} if is_it else kept,
            held=kept_held | {(name, method) for name in names for method in held},
        )
        after.setdefault(value, origin)
    return after


def _unbound(flow: Flow, names: Iterable[str], known: set[str]) -> Flow:
    """Let names mean something else."""
    lost = known.intersection(names)
    if not lost:
        return flow
    after: Flow = {}
    for value, origin in flow.items():
        value = value._replace(
            names=value.names - lost,
            held=frozenset(one for one in value.held if one[0] not in lost),
        )
        after.setdefault(value, origin)
    return after


def _accepted(flow: Flow, name: str, line: int) -> tuple[Flow, Flow]:
    """Tell the ways on which the connection is accepted from the others."""
    true: Flow = {}
    false: Flow = {}
    for value, origin in flow.items():
        if name not in value.names:
            true[value] = false[value] = origin
            continue
        for into, states in ((true, is_accepted()), (false, ~is_accepted())):
            left = value.states & states
            if left == value.states:
                into[value] = origin
            elif left:
                into.setdefault(value._replace(states=left), Origin(line, Why.CONDITION))
    return true, false


def _constant(node: ast.expr) -> bool | None:
    """Give what a condition always is; None: that depends."""
    match node:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _constant(operand)
            return None if inner is None else not inner
        case _:
            return None


def _turns(node: ast.expr) -> tuple[int, int | None]:
    """Give how often is iterated over something at the least, and at the most, as far as known."""
    match node:
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            number = sum(not isinstance(element, ast.Starred) for element in elements)
            exact = number == len(elements)
        case ast.Constant(value=str(value)):
            number, exact = len(value), True
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(stop))]):
            number, exact = max(stop, 0), True
        case _:
            return 0, None
    return (number, number) if exact and number <= _FEW else (min(number, 1), None)


def _is_irrefutable(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return _is_irrefutable(inner)
        case ast.MatchOr(patterns=patterns):
            return any(map(_is_irrefutable, patterns))
        case _:
            return False


def _is_generator(function: Function) -> bool:
    ahead: list[ast.AST] = [*function.body]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            ahead += ast.iter_child_nodes(node)
    return False


def _is_abstract(function: Function) -> bool:
    """Whether there is nothing in it but a docstring or `...`."""
    return all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for node in function.body
    )


# By class, as `match` over so many would be slow.
_STATEMENTS: Final[dict[type[ast.AST], Callable[..., Flow]]] = {
    ast.Expr: Run._expression,
    ast.Assign: Run._assign,
    ast.AnnAssign: Run._annotated,
    ast.Return: Run._return,
    ast.Raise: Run._raise,
    ast.Break: Run._break,
    ast.Continue: Run._continue,
    ast.If: Run._if,
    ast.Assert: Run._assert,
    ast.While: Run._while,
    ast.For: Run._for,
    ast.AsyncFor: Run._for,
    ast.With: Run._with,
    ast.AsyncWith: Run._with,
    ast.Try: Run._try,
    ast.TryStar: Run._try,
    ast.Match: Run._match,
    ast.FunctionDef: Run._define,
    ast.AsyncFunctionDef: Run._define,
    ast.ClassDef: Run._class,
    ast.Delete: Run._delete,
    ast.Import: Run._import,
    ast.ImportFrom: Run._import,
    ast.Global: Run._outer,
    ast.Nonlocal: Run._outer,
}

_EXPRESSIONS: Final[dict[type[ast.AST], Callable[..., Flow]]] = {
    ast.Await: Run._await,
    ast.Call: Run._called,
    ast.Attribute: Run._attribute,
    ast.Lambda: Run._lambda,
    ast.GeneratorExp: Run._generator,
    ast.Compare: Run._compare,
    ast.FormattedValue: Run._formatted,
    ast.NamedExpr: Run._walrus,
    ast.IfExp: Run._choice,
    ast.BoolOp: Run._boolean,
    ast.ListComp: Run._comprehension,
    ast.SetComp: Run._comprehension,
    ast.DictComp: Run._comprehension,
}
