"""An exploration gives results as cases do, and charges no clause that is not at fault."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hopeless import HOPELESS
from micropie_conformance.catalogue import Level, clause
from micropie_conformance.explore.cases import explore, explored
from micropie_conformance.probe import Probe, Target
from micropie_conformance.runner import Result, Runner, Verdict
from micropie_conformance.stepping import Stepper
from right import RIGHT, Closed, Minimal, Pumped
from wrong import WRONG

from micropie import ConnectionClosed, WebSocket
from micropie.contract import Receive, Send

CASES = explored()

# Where a call has two faults, an exploration charges the other one.
TWO_FAULTS = {"RaisesKeyErrorBeforeAccept": {"WS-NEW-005", "WS-NEW-006"}}


def run(
    factory: Callable[..., object], closed: type[BaseException], depth: int
) -> tuple[Runner, list[Result]]:
    runner = Runner(Target(factory, closed, "implementation:Socket", "implementation:Closed"))
    results = [news for news in explore(runner, CASES, depth) if isinstance(news, Result)]
    assert sorted(result.case for result in results) == sorted(case.id for case in CASES)
    return runner, results


def broken(results: list[Result]) -> set[str]:
    return {one.case.split("/")[0] for one in results if one.verdict is Verdict.BROKEN}


@pytest.mark.parametrize("name", [name for name in RIGHT if name != "Minimal"])
def test_what_is_right_passes(name: str) -> None:
    _, results = run(RIGHT[name].factory, RIGHT[name].closed, 2)
    assert {result.verdict for result in results} == {Verdict.PASSED, Verdict.UNREACHED}


def test_what_is_only_conformant_breaks_robust_clauses_alone() -> None:
    _, results = run(Minimal, Closed, 3)
    assert {clause(id).level for id in broken(results)} == {Level.ROBUST}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_other_clause_that_counts_is_charged(name: str) -> None:
    wrong = WRONG[name]
    # One in an event loop takes its time.
    classes: tuple[object, ...] = getattr(wrong.factory, "__mro__", ())
    _, results = run(wrong.factory, wrong.closed, 1 if Pumped in classes else 2)
    assert Verdict.FAULT not in {result.verdict for result in results}
    found = broken(results) - wrong.clauses - TWO_FAULTS.get(name, set())
    # A robust fault may show in more than one way.
    assert {id for id in found if clause(id).level is not Level.ROBUST} == set()


@pytest.mark.parametrize("name", HOPELESS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_hopeless_does_no_harm(name: str) -> None:
    _, results = run(HOPELESS[name], Closed, 1)
    assert {result.verdict for result in results} <= {
        *(Verdict.BROKEN, Verdict.PASSED, Verdict.UNREACHED),
    }


class AlwaysHasOne(WebSocket):
    """There is a text even where none has come."""

    async def receive_text(self) -> str:
        return "always" if self.accepted else await super().receive_text()


def test_a_failure_has_all_that_a_reader_needs() -> None:
    _, results = run(AlwaysHasOne, ConnectionClosed, 1)
    (result,) = (one for one in results if one.case == "WS-RECV-001/explored")
    assert result.verdict is Verdict.BROKEN
    assert (result.expected, result.observed) == (
        "receive_text() waits",
        "receive_text() returns 'always'",
    )
    assert result.trace[-1] == "returns      receive_text() -> 'always'"
    assert "receive_text" in result.repro


@pytest.mark.parametrize(
    "factory", [WebSocket, AlwaysHasOne, print], ids=["right", "wrong", "none"]
)
def test_what_the_target_says_does_not_apply(factory: Callable[..., object]) -> None:
    excuses = {"WS-RECV-001": "no texts", "WS-GONE-001": "never gone"}
    runner = Runner(Target(factory, ConnectionClosed, not_applicable=excuses))
    found = {one.case: one for one in explore(runner, CASES, 1) if isinstance(one, Result)}
    for id, reason in excuses.items():
        case = f"{id}/explored"
        assert found[case] == Result(case, Verdict.NOT_APPLICABLE, observed=reason)
    others = [one for one in found.values() if one.verdict is Verdict.NOT_APPLICABLE]
    assert len(others) == len(excuses)


def test_what_needs_an_event_loop_is_explored_in_one() -> None:
    class Sleeps(WebSocket):
        """Needs a loop for what comes late in a sequence only, and raises without one."""

        async def close(self, code: int = 1000, reason: str | None = None) -> None:
            if self.accepted:
                asyncio.get_running_loop()
            await super().close(code, reason)

    runner, results = run(Sleeps, ConnectionClosed, 1)
    assert runner.looping
    assert broken(results) == set()


def test_a_method_that_is_not_there_is_no_matter_of_sequences() -> None:
    class Positional:
        def __init__(self, receive: Receive, send: Send) -> None:
            self.inner = WebSocket(receive, send)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        async def accept(self, *args: str | None) -> None:
            await self.inner.accept(*args)

    _, results = run(Positional, ConnectionClosed, 1)
    assert broken(results) == set()


def test_a_case_is_not_run_by_itself() -> None:
    with pytest.raises(LookupError, match="explored together"):
        CASES[0].run(Probe(Target(WebSocket, ConnectionClosed), Stepper()))


def test_what_fails_only_once_is_a_fault_of_the_suite() -> None:
    class Wayward(WebSocket):
        """Fails on and off, as no implementation under test may."""

        times = 0

        async def receive_text(self) -> str:
            if not self.accepted:
                Wayward.times += 1
            if Wayward.times == 1 and not self.accepted:
                return "once"
            return await super().receive_text()

    _, results = run(Wayward, ConnectionClosed, 1)
    (fault,) = (one for one in results if one.verdict is Verdict.FAULT)
    assert "it does not fail when it is played once more" in fault.observed
