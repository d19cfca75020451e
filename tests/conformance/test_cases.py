"""The cases in memory, held against implementations that are right, and such as are hopeless.

That each case can fail, and finds out what is wrong and nothing else, `make prove` shows.
"""

from collections.abc import Callable

import pytest
from hopeless import HOPELESS
from micropie_conformance.case import MemoryCase, registered
from micropie_conformance.catalogue import Level
from micropie_conformance.probe import Target
from micropie_conformance.runner import Result, Runner, Verdict
from right import RIGHT, Closed
from wrong import WRONG

CASES, _ = registered()


def run_all(
    factory: Callable[..., object], closed: type[BaseException] = Closed
) -> list[tuple[MemoryCase, Result]]:
    runner = Runner(Target(factory, closed))
    results = [(case, runner.run(case)) for case in CASES]
    assert [result for _, result in results if result.verdict is Verdict.FAULT] == []
    return results


def verdicts(results: list[tuple[MemoryCase, Result]], *levels: Level) -> set[str]:
    return {result.verdict for case, result in results if case.clause.level in levels}


JUDGED = (Level.DOCUMENTED, Level.ASGI, Level.ROBUST)


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(name: str) -> None:
    right = RIGHT[name]
    levels = JUDGED[: JUDGED.index(right.level) + 1]
    results = run_all(right.factory, right.closed)
    # Not applicable: an implementation need not know what the client has offered.
    assert verdicts(results, *levels) <= {Verdict.PASSED, Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize("name", ["Minimal", "Plain"])
def test_what_is_only_conformant_breaks_a_robust_clause(name: str) -> None:
    results = run_all(RIGHT[name].factory, RIGHT[name].closed)
    assert Verdict.BROKEN in verdicts(results, Level.ROBUST)


@pytest.mark.parametrize("name", RIGHT)
def test_an_event_loop_is_made_only_for_what_needs_one(name: str) -> None:
    runner = Runner(Target(RIGHT[name].factory, RIGHT[name].closed))
    for case in CASES[:3]:
        runner.run(case)
    assert runner.looping is RIGHT[name].looping


SIGNATURES = [name for name, one in WRONG.items() if one.clause.startswith("WS-SIGN")]


@pytest.mark.parametrize("name", [*SIGNATURES, "WaitsForTheClientsAnswer"])
def test_what_is_wrong_is_found_by_its_clauses_alone(name: str) -> None:
    """Those that lead the cases where nothing else here does."""
    results = run_all(WRONG[name].factory, WRONG[name].closed)
    broken = {case.clause.id for case, result in results if result.verdict is Verdict.BROKEN}
    assert broken == WRONG[name].clauses


@pytest.mark.parametrize("name", HOPELESS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_hopeless_is_broken_and_does_no_harm(name: str) -> None:
    results = run_all(HOPELESS[name])
    assert Verdict.BROKEN in verdicts(results, *JUDGED)


def test_every_case_is_of_a_judged_clause() -> None:
    assert {case.clause.level for case in CASES} == set(JUDGED)
    assert all(case.text.endswith(".") and not case.live for case in CASES)
