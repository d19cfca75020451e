"""What a case is, and how one is written.

A case in memory is a plain function of a `Probe`:

    @case("WS-SEND-001")
    def sends_one_event(probe: Probe) -> None:
        "send_text sends one websocket.send with the text."
        probe.open()
        probe.do("send_text", "hello")
        probe.expect_sent({"type": "websocket.send", "text": "hello"})

Its id is the clause's id and its name, `WS-SEND-001/sends-one-event`; its docstring says what is
done. With a table it is one case for each row, whose values follow the probe:

    @case("WS-SEND-001", {"empty": ("",), "umlaut": ("ä",)})
    def sends_one_event(probe: Probe, data: str) -> None: ...

A live case is an async function of a `micropie_conformance.live.wire.Wire`, marked `@live_case`.
"""

import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Concatenate, Generic, TypeVar

from micropie_conformance.catalogue import CLAUSES, FIRST, Clause, clause
from micropie_conformance.probe import Probe

if TYPE_CHECKING:
    from micropie_conformance.live.wire import Wire

__all__ = ["Case", "LiveCase", "MemoryCase", "case", "in_order", "live_case", "registered"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Case(Generic[R]):
    """One question to an implementation."""

    id: str
    clause: Clause
    # What is done, in a sentence.
    text: str
    run: Callable[[Any], R]
    live: bool
    # Whether it says what an exploration finds; it is not run by itself then.
    explored: bool = False
    # The version of the suite that had it first.
    since: str = FIRST


MemoryCase = Case[None]
LiveCase = Case[Coroutine[Any, Any, None]]

_MEMORY: dict[str, MemoryCase] = {}
_LIVE: dict[str, LiveCase] = {}


def case(
    clause_id: str,
    table: Mapping[str, tuple[Any, ...]] | None = None,
    *,
    since: str | None = None,
) -> Callable[[Callable[Concatenate[Probe, ...], None]], Callable[Concatenate[Probe, ...], None]]:
    """Register a case in memory, or one for each row of `table`.

    Args:
        clause_id: The clause that it asks for.
        table: The values of each row, by its name.
        since: The version of the suite that has it first; None: the clause's.

    Raises:
        KeyError: There is no such clause.
        ValueError: There is such a case already.
    """

    def register(
        function: Callable[Concatenate[Probe, ...], None],
    ) -> Callable[Concatenate[Probe, ...], None]:
        _register(_MEMORY, False, clause_id, table, since, function)
        return function

    return register


def live_case(
    clause_id: str,
    table: Mapping[str, tuple[Any, ...]] | None = None,
    *,
    since: str | None = None,
) -> Callable[
    [Callable[Concatenate["Wire", ...], Coroutine[Any, Any, None]]],
    Callable[Concatenate["Wire", ...], Coroutine[Any, Any, None]],
]:
    """Register a live case, or one for each row of `table`; the arguments are those of `case`.

    Raises:
        KeyError: There is no such clause.
        ValueError: There is such a case already.
    """

    def register(
        function: Callable[Concatenate["Wire", ...], Coroutine[Any, Any, None]],
    ) -> Callable[Concatenate["Wire", ...], Coroutine[Any, Any, None]]:
        _register(_LIVE, True, clause_id, table, since, function)
        return function

    return register


def _register(
    cases: dict[str, Case[R]],
    live: bool,
    clause_id: str,
    table: Mapping[str, tuple[Any, ...]] | None,
    since: str | None,
    function: Callable[..., R],
) -> None:
    of = clause(clause_id)
    name = function.__name__.replace("_", "-")
    text = inspect.cleandoc(function.__doc__ or name)
    for row, values in (table or {"": ()}).items():
        id = f"{clause_id}/{name}" + (f"/{row}" if row else "")
        if id in cases:
            raise ValueError(f"there is a case {id} already")

        def run(probe: Any, values: tuple[Any, ...] = values) -> R:
            return function(probe, *values)

        cases[id] = Case(id, of, text, run, live, since=since or of.since)


def registered() -> tuple[list[MemoryCase], list[LiveCase]]:
    """Give every case, in memory and live, in the order of the catalogue."""
    # Importing them registers them.
    for name in ("cases", "live.cases"):
        import_module(f"micropie_conformance.{name}")

    return in_order(_MEMORY.values()), in_order(_LIVE.values())


def in_order(cases: Iterable[Case[R]]) -> list[Case[R]]:
    """Give cases in the order of the catalogue; those of one clause stay as they are."""
    places = {clause.id: place for place, clause in enumerate(CLAUSES)}
    return sorted(cases, key=lambda case: places[case.clause.id])
