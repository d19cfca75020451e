"""An implementation is run in a process of its own, and whatever it does, that comes to an end."""

import itertools
from contextlib import suppress
from typing import Any

import pytest
import running
from micropie_conformance.catalogue import Level
from right import RIGHT, Closed, Right, Strict
from running import Finding, Job, Outcome, function, run, workers


def runs_for_ever() -> None:
    for _ in itertools.count():
        pass


class RunsForEver(Strict):
    def may_send(self) -> None:
        runs_for_ever()


class WillNotEnd(Strict):
    """It catches whatever is to end it."""

    def may_send(self) -> None:
        for _ in range(3):
            with suppress(BaseException):
                runs_for_ever()


class EmptyIsNothing(Strict):
    async def send_text(self, data: str) -> None:
        if data:
            await super().send_text(data)


def test_the_function_of_a_case() -> None:
    assert function("WS-X-001/does-it/row") == function("WS-X-001/does-it") == "WS-X-001/does-it"


def test_what_is_right() -> None:
    outcome = run(Job("right", "Strict"))
    assert outcome == Outcome(Job("right", "Strict"))
    assert run(Job("right", "Pumped")).looping


def test_what_is_wrong() -> None:
    outcome = run(Job("wrong", "DoesNotSendEmptyTexts"))
    assert outcome.findings == [
        Finding("WS-MSG-003/sends-an-empty-text", "sends websocket.send text=''", "sent nothing")
    ]
    assert outcome.functions == {"WS-MSG-003/sends-an-empty-text"}
    assert run(Job("wrong", "NeverReadsConnect")).unreached


def test_a_mutant_that_a_case_finds_out() -> None:
    outcome = run(Job("mutant", "_state.TRANSITIONS: (State.NEW, Step.CLOSE) deleted"))
    # It goes no further than to the second function that finds it out.
    assert len(outcome.functions) == 2
    assert outcome.explored == []


def test_a_mutant_that_passes_is_explored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_CASES", [])
    outcome = run(Job("mutant", "_state.TRANSITIONS: (State.NEW, Step.CLOSE) deleted"))
    assert outcome.findings == []
    assert {one.case.split("/")[1] for one in outcome.explored} == {"explored"}


def test_a_fault_of_the_suite() -> None:
    outcome = run(Job("right", "Strict", "a judgement raises"))
    assert "LookupError: a mistake of the suite's" in outcome.faults[0]


@pytest.mark.parametrize(
    ("factory", "found"), [(Strict, set[str]()), (EmptyIsNothing, {"WS-NEW-005/explored"})]
)
def test_deep(factory: Any, found: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RIGHT, "it", Right(factory, Closed, Level.ROBUST))
    monkeypatch.setattr(running, "DEEP", 2)
    outcome = run(Job("deep", "it"))
    assert {one.case for one in outcome.findings} == found
    assert outcome.sequences > 1000


def test_handlers() -> None:
    tally = run(Job("handlers", "3-5")).tally
    assert (tally.handlers, tally.problems) == (2, [])


@pytest.mark.parametrize("factory", [RunsForEver, WillNotEnd])
@pytest.mark.parametrize(
    ("harness", "limit"),
    [("", "_CPU_SECONDS"), ("the server never fails", "_FAULTY_CPU_SECONDS")],
)
def test_what_has_no_end_is_ended(
    harness: str, limit: str, factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RIGHT, "it", Right(factory, Closed, Level.ROBUST))
    monkeypatch.setattr(running, limit, 0.2)
    [*_, last] = run(Job("right", "it", harness)).findings
    assert (last.expected, last.observed) == ("an end", "none within 0.2 s of CPU time")


def test_in_processes_of_their_own() -> None:
    jobs = [Job("wrong", "DoesNotSendEmptyTexts"), Job("right", "Strict")]
    with workers(1) as run_all:
        outcomes = {outcome.job: outcome for outcome in run_all(jobs)}
    assert outcomes == {job: run(job) for job in jobs}
