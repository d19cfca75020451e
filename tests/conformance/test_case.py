from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from micropie_conformance import case as module
from micropie_conformance.case import case, live_case, registered
from micropie_conformance.catalogue import CLAUSES, Clause, clause


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cases of this test register apart from the suite's own."""
    registered()
    monkeypatch.setattr(module, "_MEMORY", {})
    monkeypatch.setattr(module, "_LIVE", {})


def test_a_case_has_the_name_and_the_words_of_its_function() -> None:
    seen: list[object] = []

    @case("WS-SEND-001")
    def sends_one_event(probe: Any) -> None:
        """Send a text."""
        seen.append(probe)

    (one,), live = registered()
    assert live == []
    assert one.id == "WS-SEND-001/sends-one-event"
    assert one.clause is clause("WS-SEND-001")
    assert one.text == "Send a text."
    assert one.live is False
    one.run("probe")
    assert seen == ["probe"]
    # What is registered stays a function.
    sends_one_event("again")  # type: ignore[arg-type]  # It does not look at its probe.
    assert seen == ["probe", "again"]


def test_a_table_makes_a_case_of_each_row() -> None:
    seen: list[object] = []

    @case("WS-SEND-001", {"one": (1, 2), "none": ()})
    def sends(probe: Any, *values: int) -> None:
        seen.append(values)

    cases, _ = registered()
    assert [one.id for one in cases] == ["WS-SEND-001/sends/one", "WS-SEND-001/sends/none"]
    # There are no other words for it.
    assert {one.text for one in cases} == {"sends"}
    for one in cases:
        one.run(None)
    assert seen == [(1, 2), ()]


async def test_a_live_case_is_awaited() -> None:
    @live_case("WS-WIRE-001", {"row": (5,)})
    async def shakes_hands(wire: Any, value: int) -> None:
        """Shake hands."""
        wire.append(value)

    in_memory, (one,) = registered()
    assert in_memory == []
    assert one.id == "WS-WIRE-001/shakes-hands/row"
    assert one.live is True
    wire: list[int] = []
    await one.run(wire)
    assert wire == [5]


def test_cases_come_in_the_order_of_the_catalogue() -> None:
    first, second, last = CLAUSES[0], CLAUSES[1], CLAUSES[-1]
    for one in (last, first, second):
        case(one.id)(_nothing)
    cases, _ = registered()
    assert [one.clause for one in cases] == [first, second, last]


@pytest.mark.parametrize("register", [case, live_case])
def test_a_case_may_be_newer_than_its_clause(
    register: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = replace(clause("WS-SEND-001"), since="2027.01")

    def find(id: str) -> Clause:
        return newer

    monkeypatch.setattr(module, "clause", find)
    monkeypatch.setattr(module, "CLAUSES", (newer,))
    register("WS-SEND-001", {"first": ()})(_nothing)
    register("WS-SEND-001", {"later": ()}, since="2027.02")(_nothing)
    first, later = [one for cases in registered() for one in cases]
    assert (first.since, later.since) == ("2027.01", "2027.02")


@pytest.mark.parametrize("register", [case, live_case])
def test_an_unknown_clause_is_a_key_error(register: Callable[..., Any]) -> None:
    with pytest.raises(KeyError):
        register("WS-NO-001")(_nothing)


@pytest.mark.parametrize("register", [case, live_case])
def test_a_second_case_of_that_name_is_a_value_error(register: Callable[..., Any]) -> None:
    register("WS-SEND-001")(_nothing)
    with pytest.raises(ValueError, match="there is a case WS-SEND-001/-nothing already"):
        register("WS-SEND-001")(_nothing)


def _nothing(probe: object) -> None:
    """Do nothing."""
