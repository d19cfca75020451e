"""One function, analysed from one start: what holds for all that is in it.

Each statement and expression makes another flow of one, and notes where control goes otherwise: out
of the loop, out of the function, to an `except`. A loop is gone through until it brings nothing
new.

What is not known is left open: a call whose outcome depends on what cannot be seen is no finding.
"""

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from micropie.flow.callees import Callees
from micropie.flow.exceptions import ANY, CANCELLED, Raised, Site, Sorts, handled
from micropie.flow.findings import Code, Finding, Severity
from micropie.flow.judging import finding_of, words_of
from micropie.flow.modules import Function, Module, Modules
from micropie.flow.shape import MAY_RAISE, RAISES, SUSPENDS, MethodCall, Shape, assigned
from micropie.flow.states import GONE, NEW
from micropie.flow.syntax import is_abstract, turns
from micropie.flow.values import (
    NONE,
    RESULT,
    Exits,
    Flow,
    Origin,
    Value,
    Why,
    given_up,
    meanwhile,
    merge,
    truth,
    truth_of,
    unlikely,
)

__all__ = ["MANY", "Context", "Core", "Summary"]

MANY: Final = 64
"""So many ways, and the analysis gives up on the function from there."""

# So many loops in one another are gone through turn by turn.
_UNROLLED: Final = 3


class Summary(NamedTuple):
    """What becomes of the connection in a function that was called with it."""

    # By what a condition makes of what it returns.
    returns: dict[int, Flow]
    raises: dict[Raised, Flow]
    # What fails there because of the state.
    failures: list[tuple[Site, Origin]]


def _returned(node: ast.stmt, value: Value) -> int:
    """Give what a condition can make of what is returned."""
    if type(node) is not ast.Return or node.value is None:
        return NONE
    match node.value:
        case ast.Constant(value=constant):
            return truth(constant)
        case ast.Name(id=name):
            return truth_of(value, name)
        case _:
            return truth_of(value, RESULT)


class Context:
    """What the analyses of one module's functions share.

    Args:
        modules: Where its imports lead.
        module: The module.
    """

    def __init__(self, modules: Modules, module: Module) -> None:
        """Hold the module; nothing is analysed yet."""
        self.modules = modules
        self.module = module
        self.callees: Callees = Callees(modules, module)
        self.summaries: dict[tuple[Function, frozenset[str], int, int], Summary | None] = {}
        self.depth = 0
        self._handled: dict[ast.ExceptHandler, Sorts] = {}
        self._shapes: dict[tuple[Function, frozenset[str]], Shape] = {}

    def shape(self, function: Function, names: frozenset[str]) -> Shape:
        """Give the shape of a function, made once."""
        key = function, names
        if key not in self._shapes:
            self._shapes[key] = shape = Shape(function, names)
            for node in shape.imports:
                self.module.learn(node)
        return self._shapes[key]

    def handled(self, handler: ast.ExceptHandler) -> Sorts:
        """Give the classes that an `except` names, looked up once."""
        if handler not in self._handled:
            self._handled[handler] = handled(self.modules, self.module, handler.type)
        return self._handled[handler]


class Core(ABC):
    """One function, analysed from one start."""

    def __init__(
        self,
        context: Context,
        function: Function,
        names: frozenset[str],
        states: int,
        others: int,
        owner: ast.ClassDef | None,
        heeded: bool = False,
        outer: Mapping[str, Function | None] | None = None,
    ) -> None:
        """Hold the function, what the connection is called there, and what is known of it.

        `owner` is the class that `self` is one of; `heeded` says whether the exceptions that come
        out of the function are asked for; `outer` are the functions that it finds around it and
        that use the connection, None where it is not known which one a name means.
        """
        self._context = context
        self._module = context.module
        self._function = function
        self._owner = owner
        # What it assigns takes a look at all of it: nearly no function has others around it.
        own = assigned(function) if outer else frozenset[str]()
        self._around = {name: one for name, one in (outer or {}).items() if name not in own}
        self._shape = context.shape(function, names.union(self._around))
        self._closures = {**self._around, **self._shape.closures}
        self._flags = self._shape.flags
        self._calls = self._shape.calls
        self._names = self._shape.names
        self._asked = self._shape.asked
        self._known = self._names | self._asked
        self._start: Flow = {Value(states, others, names): Origin(function.lineno, Why.START)}
        self.exits: Exits = Exits()
        # The ways out of the function that is gone through to its end, and by `return`.
        self.ends: dict[int, Flow] = {}
        # Of each call, by way: why it fails, and where that came from; None: it does not, or who
        # knows.
        self._judged: dict[ast.expr, dict[Value, tuple[Site, Origin] | None]] = {}
        self.noted: list[Finding] = []
        # The lines of receives in endless loops that swallow what they raise: that is told already.
        self._swallowing: set[int] = set()
        # Of each call of a function that is gone into, by way: whether it never comes back, as
        # something fails there, and what does.
        self._helped: dict[ast.Call, dict[Value, tuple[bool, list[tuple[Site, Origin]]]]] = {}
        # The call of which is asked what a condition makes of what it returns.
        self._in_question: ast.expr | None = None
        # What a bare `raise` raises.
        self._handling: tuple[Raised, ...] = ()
        self._gone_through: dict[tuple[ast.AST, Value, tuple[Raised, ...]], tuple[Flow, Exits]] = {}
        # Loops around the place that are gone through turn by turn.
        self._unrolled: int = 0
        # Endless loops around the place.
        self._endless = 0
        # Whether exceptions make a difference there: how much is around it that heeds them.
        self.heeded: int = int(heeded)

    def go(self) -> None:
        """Analyse the function."""
        normal = self._block(self._function.body, self._start)
        self.exits.returned(self._function, normal)
        for node, ways in self.exits.returns.items():
            for value, origin in ways.items():
                merge(self.ends.setdefault(_returned(node, value), {}), {value: origin})

    def findings(self) -> list[Finding]:
        """Give the calls that fail."""
        return [
            finding_of(node, always, words_of(site, origin), site, origin)
            for node, always, site, origin in self._failing()
        ]

    def _failing(self) -> Iterator[tuple[ast.expr, bool, Site, Origin]]:
        """Give the calls that fail, and whether they do on all ways to them."""
        for node, ways in self._judged.items():
            failing = [way for way in ways.values() if way is not None]
            if not failing:
                continue
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
        if is_abstract(self._function):
            return []
        found: list[Finding] = []
        for node, flow in self.exits.returns.items():
            if not any(value.states == NEW and value.sure for value in flow):
                continue
            always = all(value.states == NEW for value in flow)
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
            text = f"{words_of(site, origin)} (in {ast.unparse(node.func)}(), line {site.line})"
            yield site.line, finding_of(node, always, text, site, origin)

    def _opaque(self, flags: int, flow: Flow) -> Flow:
        """Go past what has nothing to do with the connection."""
        if flags & SUSPENDS:
            flow = meanwhile(flow)
            if self.heeded:
                self.exits.raised(CANCELLED, unlikely(flow))
        if not self.heeded:
            return flow
        if flags & RAISES:
            self.exits.raised(ANY, flow)
        elif flags & MAY_RAISE:
            self.exits.raised(ANY, unlikely(flow))
        return flow

    def _captured(self) -> "_Capture":
        """Let what is gone through leave its exits in a set of their own."""
        return _Capture(self, 0)

    def _heeding(self) -> "_Capture":
        """Capture what is gone through, with the exceptions in it."""
        return _Capture(self, 1)

    def _heed(self, more: int) -> None:
        """Count what heeds exceptions there."""
        self.heeded += more

    def _note_never_awaited(self, call: MethodCall) -> None:
        self._note(
            Finding(
                call.node.lineno,
                call.node.col_offset + 1,
                Code.NEVER_AWAITED,
                Severity.WARNING,
                f"{call.method}() is never awaited: nothing happens; write await",
            )
        )

    def _note(self, finding: Finding) -> None:
        if finding not in self.noted:
            self.noted.append(finding)

    def _method_call(self, node: ast.AST) -> MethodCall | None:
        """Give the call of a method of what may be the connection; None: it is none."""
        call = self._calls.get(node)
        return call if call is not None and call.name in self._names else None

    def _split(self, flow: Flow, name: str) -> tuple[Flow, Flow]:
        """Give the ways on which a name is the connection's, and the others."""
        for value in flow:
            if name not in value.names:
                break
        else:
            return flow, {}
        mine = {value: at for value, at in flow.items() if name in value.names}
        return mine, {value: at for value, at in flow.items() if name not in value.names}

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
        return self._by_way(node, flow, lambda way: self._looped(way, turn, orelse, endless))

    def _by_way(
        self, node: ast.AST, flow: Flow, go_through: Callable[[Flow], tuple[Flow, Exits]]
    ) -> Flow:
        """Go through something on each way for itself.

        What comes of it is remembered, so that one in another costs no more than one beside it.
        """
        after: Flow = {}
        for value, origin in flow.items():
            key = node, value, self._handling
            through = self._gone_through.get(key)
            if through is None:
                self._gone_through[key] = through = go_through({value: origin})
            normal, exits = through
            merge(after, normal)
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
                if len(seen) > MANY:
                    flow = given_up(flow, self._names)
                    if not flow.keys() - seen.keys():
                        break
                merge(seen, flow)
                back, done = turn(flow)
                merge(last, done)
                flow = dict(back)
                merge(flow, exits.continues)
                exits.continues = {}
                if endless:
                    flow = self._without_swallowed(flow, seen, turn)
        self._endless -= endless
        breaks, exits.breaks = exits.breaks, {}
        if orelse:
            with self._captured() as outer:
                outer.add(exits)
                last = dict(self._block(orelse, last))
            exits = outer
        after = last
        merge(after, breaks)
        if not self._endless:
            after = {
                value if value.swallowed is None else value._replace(swallowed=None): at
                for value, at in after.items()
            }
        return after, exits

    def _turns(self, node: ast.expr) -> tuple[int, int | None]:
        """Give how often is iterated over something, where that can be gone through so."""
        least, most = turns(node)
        # Many such loops in one another have too many turns.
        return (1, None) if least > 1 and self._unrolled >= _UNROLLED else (least, most)

    def _comes_back(
        self, value: Value, origin: Origin, turn: Callable[[Flow], tuple[Flow, Flow]]
    ) -> bool:
        """Whether a turn of a loop that begins so can end so."""
        with self._captured() as exits:
            back, _ = turn({value: origin})
        return value in back or value in exits.continues

    def _without_swallowed(
        self, flow: Flow, seen: Flow, turn: Callable[[Flow], tuple[Flow, Flow]]
    ) -> Flow:
        """Leave out the ways that go round for ever, and tell of them."""
        kept: Flow = {}
        for value, origin in flow.items():
            if (
                value.swallowed is not None
                and value.sure
                and not value.states & ~GONE
                and value in seen
                and self._comes_back(value, origin, turn)
            ):
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
                self._note(finding)
            else:
                kept[value] = origin
        return kept

    @abstractmethod
    def _block(self, body: list[ast.stmt], flow: Flow) -> Flow:
        """Go through some statements."""


class _Capture:
    """Gives a run other exits for a while."""

    # A generator with `contextmanager` takes longer than most of what is within it.
    __slots__ = ("_heeds", "_outer", "_run")

    def __init__(self, run: Core, heeds: int) -> None:
        self._run = run
        self._heeds = heeds
        self._outer = run.exits

    def __enter__(self) -> Exits:
        self._run.exits = exits = Exits()
        self._run.heeded += self._heeds
        return exits

    def __exit__(self, *exc: object) -> None:
        self._run.exits = self._outer
        self._run.heeded -= self._heeds
