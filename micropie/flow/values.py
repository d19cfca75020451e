"""What is known of the connection at one place of the code, and how that changes.

A `Flow` has a `Value` for each way to the place that makes a difference.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from micropie.flow.exceptions import Raised
from micropie.flow.states import ALL_CALLS, ALL_STATES, bit, forward, is_accepted

__all__ = [
    "Exits",
    "Flow",
    "Origin",
    "Value",
    "Why",
    "aliased",
    "by_accepted",
    "each",
    "escaped",
    "given_up",
    "likely",
    "meanwhile",
    "merge",
    "unbound",
    "unlikely",
]


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


Flow: TypeAlias = dict[Value, Origin]


def merge(into: Flow, flow: Mapping[Value, Origin]) -> None:
    """Add what is known on more ways."""
    for value, origin in flow.items():
        if value not in into:
            into[value] = origin


class Exits:
    """Where control goes from a block, other than to what stands next."""

    __slots__ = ("breaks", "continues", "raises", "returns")

    def __init__(self) -> None:
        """Begin with none."""
        # By the `return`.
        self.returns: dict[ast.stmt, Flow] = {}
        self.breaks: Flow = {}
        self.continues: Flow = {}
        self.raises: dict[Raised, Flow] = {}

    def raised(self, raised: Raised, flow: Flow) -> None:
        """Let an exception be raised on some ways."""
        if flow:
            merge(self.raises.setdefault(raised, {}), flow)

    def returned(self, node: ast.stmt, flow: Flow) -> None:
        """Let the function end at a `return`, or at its own end, on some ways."""
        if flow:
            merge(self.returns.setdefault(node, {}), flow)

    def add(self, other: "Exits") -> None:
        """Add the exits of a part."""
        for node, flow in other.returns.items():
            self.returned(node, flow)
        merge(self.breaks, other.breaks)
        merge(self.continues, other.continues)
        for raised, flow in other.raises.items():
            self.raised(raised, flow)


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
    if not any(value.others for value in flow):
        return flow
    after: Flow = {}
    for value, origin in flow.items():
        states = forward(value.states, value.others)
        after.setdefault(value._replace(states=states), origin)
    return after


def unlikely(flow: Flow) -> Flow:
    """Say that the ways are hardly to be expected."""
    return {value._replace(sure=False): origin for value, origin in flow.items()}


def likely(flow: Flow) -> Flow:
    """Say that the ways are to be expected."""
    return {value._replace(sure=True): origin for value, origin in flow.items()}


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
