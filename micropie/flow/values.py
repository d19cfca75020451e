"""What is known of the connection at one place of the code, and how that changes.

A `Flow` has a `Value` for each way to the place that makes a difference.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from micropie._state import Call
from micropie.flow.exceptions import CANCELLED, CLOSED, MISUSE, WRONG, Raised
from micropie.flow.states import ALL_CALLS, ALL_STATES, bit, forward, is_accepted, outcomes

__all__ = [
    "ANYTHING",
    "FALSE",
    "NONE",
    "RESULT",
    "TRUE",
    "Exits",
    "Flow",
    "Origin",
    "Step",
    "Value",
    "Why",
    "aliased",
    "by_accepted",
    "by_truth",
    "each",
    "escaped",
    "given_up",
    "likely",
    "meanwhile",
    "merge",
    "merge_raised",
    "step",
    "told",
    "truth",
    "truth_of",
    "unbound",
    "unlikely",
]


# What a condition makes of something: it is None, is false otherwise, or is true.
NONE: Final = 1
FALSE: Final = 2
TRUE: Final = 4
ANYTHING: Final = NONE | FALSE | TRUE

RESULT: Final = ""
"""The name of what has just been evaluated."""


class Why(Enum):
    """What made the state what it is."""

    START = auto()
    ACCEPT = auto()
    # What sends or receives a message tells that it was accepted.
    MESSAGE = auto()
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
    # Of names that conditions ask for, which of NONE, FALSE and TRUE they can be.
    truths: frozenset[tuple[str, int]] = frozenset()


Flow: TypeAlias = dict[Value, Origin]


def merge(into: Flow, flow: Mapping[Value, Origin]) -> None:
    """Add what is known on more ways."""
    if not into:
        into.update(flow)
        return
    for value, origin in flow.items():
        if value not in into:
            into[value] = origin


def merge_raised(into: dict[Raised, Flow], raised: Raised, flow: Flow) -> None:
    """Add the ways on which an exception is raised."""
    ways = into.get(raised)
    if ways is None:
        into[raised] = flow.copy()
    else:
        merge(ways, flow)


class Exits:
    """Where control goes from a block, other than to what stands next."""

    __slots__ = ("_last", "breaks", "continues", "raises", "returns")

    def __init__(self) -> None:
        """Begin with none."""
        # By the `return`.
        self.returns: dict[ast.stmt, Flow] = {}
        self.breaks: Flow = {}
        self.continues: Flow = {}
        self.raises: dict[Raised, Flow] = {}
        # What was raised last of each, and on how many ways: one statement after another adds the
        # same, which is seen at once so.
        self._last: dict[Raised, tuple[Flow, int]] = {}

    def raised(self, raised: Raised, flow: Flow) -> None:
        """Let an exception be raised on some ways."""
        if not flow:
            return
        last = self._last.get(raised)
        if last is None or last[0] is not flow or last[1] != len(flow):
            merge_raised(self.raises, raised, flow)
            self._last[raised] = flow, len(flow)

    def take_raises(self) -> dict[Raised, Flow]:
        """Take away what is raised, and give it."""
        raises, self.raises = self.raises, {}
        self._last.clear()
        return raises

    def returned(self, node: ast.stmt, flow: Flow) -> None:
        """Let the function end at a `return`, or at its own end, on some ways."""
        if flow:
            merge(self.returns.setdefault(node, {}), flow)

    def add(self, other: "Exits") -> None:
        """Add the exits of a part."""
        for node, flow in other.returns.items():
            self.returned(node, flow)
        # Most parts have neither.
        if other.breaks:
            merge(self.breaks, other.breaks)
        if other.continues:
            merge(self.continues, other.continues)
        for raised, flow in other.raises.items():
            merge_raised(self.raises, raised, flow)


class Step(NamedTuple):
    """What a call makes of what is known on one way."""

    # Whether it fails in all states.
    refused: bool
    # What is known when it returns; None: it does not.
    returns: Value | None
    # Why the states are others; None: they are not.
    why: Why | None
    # The same for each exception that it raises.
    raises: tuple[tuple[Raised, Value, Why | None], ...]


_WHY: Final = {
    Call.ACCEPT: Why.ACCEPT,
    Call.RECEIVE: Why.MESSAGE,
    Call.SEND: Why.MESSAGE,
    Call.CLOSE: Why.CLOSE,
}


@lru_cache(maxsize=4096)
def step(value: Value, call: Call) -> Step:
    """Say what a call makes of what is known on one way."""
    may = outcomes(value.states, call)
    why = _WHY[call]
    raises: list[tuple[Raised, Value, Why]] = []
    if may.closed:
        raises.append((CLOSED, _in(value, may.closed), Why.DISCONNECT))
    if may.misuse:
        # Where the state allows it, another task or the server is to blame.
        sure = value.sure and may.refused
        raises.append((MISUSE, _in(value, may.misuse, sure), Why.DISCONNECT))
    for raised, states in ((WRONG, may.error), (CANCELLED, may.cancelled)):
        raises += ((raised, _in(value, one, False), why) for one in each(states, value.states))
    returns = _in(value, may.returns) if may.returns else None
    return Step(
        may.refused,
        returns,
        None if returns is None or returns.states == value.states else why,
        tuple(
            (raised, way, None if way.states == value.states else because)
            for raised, way, because in raises
        ),
    )


def _in(value: Value, states: int, sure: bool | None = None) -> Value:
    if value.others:
        states = forward(states, value.others)
    return value._replace(states=states, sure=value.sure if sure is None else sure)


def each(states: int, before: int) -> Iterator[int]:
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


def meanwhile(flow: Flow) -> Flow:
    """Let others make their calls."""
    for value in flow:
        if value.others:
            break
    else:
        return flow
    after: Flow = {}
    for value, origin in flow.items():
        states = forward(value.states, value.others)
        after.setdefault(value._replace(states=states), origin)
    return after


@lru_cache(maxsize=4096)
def _with_sure(value: Value, sure: bool) -> Value:
    return value._replace(sure=sure)


def unlikely(flow: Flow) -> Flow:
    """Say that the ways are hardly to be expected."""
    return {_with_sure(value, False): origin for value, origin in flow.items()}


def likely(flow: Flow) -> Flow:
    """Say that the ways are to be expected."""
    return {_with_sure(value, True): origin for value, origin in flow.items()}


def given_up(flow: Flow, names: Iterable[str]) -> Flow:
    """Make one way of many, of which nothing is known."""
    lost = Value(ALL_STATES, ALL_CALLS, frozenset(names), frozenset(), sure=False)
    return {lost: min(flow.values(), key=lambda origin: origin.line)}


def escaped(flow: Flow, name: str) -> Flow:
    """Let the connection be known to who knows whom."""
    after: Flow = {}
    for value, origin in flow.items():
        if name in value.names:
            value = value._replace(others=ALL_CALLS)
        elif methods := [method for held, method in value.held if held == name]:
            others = value.others
            for method in methods:
                others |= bit(method)
            value = value._replace(others=others)
        after.setdefault(value, origin)
    return after


def aliased(flow: Flow, source: str, names: list[str]) -> Flow:
    """Let names mean what another name means."""
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


def unbound(flow: Flow, names: Iterable[str], known: set[str]) -> Flow:
    """Let names mean something else."""
    if known.isdisjoint(names):
        return flow
    lost = known.intersection(names)
    after: Flow = {}
    for value, origin in flow.items():
        value = value._replace(
            names=value.names - lost,
            held=frozenset(one for one in value.held if one[0] not in lost),
            truths=frozenset(one for one in value.truths if one[0] not in lost),
        )
        after.setdefault(value, origin)
    return after


def truth(value: object) -> int:
    """Give what a condition makes of a constant."""
    if value is None:
        return NONE
    return TRUE if value else FALSE


def truth_of(value: Value, name: str) -> int:
    """Give what a condition can make of a name."""
    if name in value.names:
        return TRUE
    return next((bits for known, bits in value.truths if known == name), ANYTHING)


def told(flow: Flow, names: list[str], bits: int) -> Flow:
    """Keep in mind what a condition makes of names."""
    if bits == ANYTHING and not any(value.truths for value in flow):
        return flow
    more = frozenset((name, bits) for name in names if bits != ANYTHING)
    after: Flow = {}
    for value, origin in flow.items():
        rest = frozenset(one for one in value.truths if one[0] not in names)
        after.setdefault(value._replace(truths=rest | more), origin)
    return after


def by_truth(flow: Flow, name: str, bits: int) -> tuple[Flow, Flow]:
    """Tell the ways on which a condition makes some of `bits` of a name from the others."""
    true: Flow = {}
    false: Flow = {}
    for value, origin in flow.items():
        known = truth_of(value, name)
        for into, left in ((true, known & bits), (false, known & ~bits)):
            if left == known:
                into[value] = origin
            elif left:
                merge(into, told({value: origin}, [name], left))
    return true, false


def by_accepted(flow: Flow, name: str, line: int) -> tuple[Flow, Flow]:
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
