"""What each part of the proof lets pass and what it does not, and how the command ends."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import prove
import pytest
import running
from handlers import Tally
from micropie_conformance.case import registered
from prove import Part, blame, main
from right import RIGHT
from running import ANY, Finding, Job, Outcome, function, run
from wrong import WRONG

SENDS = "WS-SEND-001/sends-a-text/ascii"
# It is of a robust clause.
TWICE = "WS-ACCEPT-006/accept-twice"
MUTANT = "_state.TRANSITIONS: (State.NEW, Step.CLOSE) deleted"
FREE = "websocket.WebSocket.__repr__: type(self) -> self"


def found(
    kind: str,
    name: str,
    *cases: str,
    unreached: Iterable[str] = (),
    faults: Iterable[str] = (),
    looping: bool = False,
) -> Outcome:
    findings = [Finding(case, "this", "that") for case in cases]
    return Outcome(Job(kind, name), findings, [*unreached], [*faults], looping)


def rights(**findings: list[str]) -> list[Outcome]:
    """Right implementations, some of which fail cases."""
    return [
        found("right", name, *findings.get(name, []), looping=right.looping)
        for name, right in RIGHT.items()
    ]


def test_what_none_passes_is_the_suites_fault() -> None:
    blamed = blame(rights(**{name: [SENDS] for name in RIGHT}))
    assert blamed.suite == [f"{SENDS}: expected: this; observed: that"]
    assert blamed.implementations == {}


def test_what_only_one_fails_is_its_own_fault() -> None:
    blamed = blame(rights(Strict=[SENDS]))
    assert blamed.suite == []
    assert blamed.implementations == {"Strict": [f"{SENDS}: expected: this; observed: that"]}


def test_nobody_is_asked_for_more_than_its_level() -> None:
    assert blame(rights(Minimal=[TWICE])).implementations == {}
    # Those that must pass it fail, all of them.
    robust = ["micropie.WebSocket", "Strict", "Pumped"]
    assert len(blame(rights(**{name: [TWICE] for name in robust})).suite) == 1


def test_what_is_unreached_is_not_passed() -> None:
    outcomes = [*rights()[1:], found("right", "micropie.WebSocket", unreached=[SENDS])]
    assert blame(outcomes).implementations == {
        "micropie.WebSocket": [f"{SENDS}: its situation did not come about"]
    }


def test_what_comes_to_no_end_passes_nothing() -> None:
    cases = len(registered()[0])
    assert len(blame(rights(**{name: [ANY] for name in RIGHT})).suite) == cases
    assert len(blame(rights(Minimal=[ANY])).implementations["Minimal"]) > 1


def test_what_raises_in_the_suite_is_its_fault() -> None:
    outcomes = [*rights()[1:], found("right", "micropie.WebSocket", faults=["trace\n"])]
    assert blame(outcomes).suite == ["trace"]


def test_right_ones() -> None:
    count = len(RIGHT)
    assert prove.right(rights()) == Part(f"right implementations passing: {count} of {count}", [])
    part = prove.right([*rights(Strict=[SENDS])[:-1], found("right", "Minimal", looping=True)])
    assert part.count == f"right implementations passing: {count - 1} of {count}"
    assert part.problems == [
        f"Strict is right and fails {SENDS}: expected: this; observed: that",
        "Minimal needs an event loop: say so in right.py",
    ]
    pumped = [one for one in rights() if one.job.name != "Pumped"]
    assert prove.right([*pumped, found("right", "Pumped")]).problems == [
        "Pumped needs no event loop: say so in right.py"
    ]


def wrong_one(*findings: tuple[str, str, str]) -> list[str]:
    job = Job("wrong", "ClosesWithAnotherCode")
    return prove.wrong([Outcome(job, [Finding(*one) for one in findings])]).problems


def test_wrong_ones() -> None:
    good = ("WS-CLOSE-001/closes", "the code is 1000", "1001")
    other = ("WS-CLOSE-002/x", "this", "that")
    assert wrong_one(good, other) == []
    assert wrong_one(good) == ["ClosesWithAnotherCode: WS-CLOSE-002 must find it out and does not"]
    assert wrong_one(other) == ["ClosesWithAnotherCode: WS-CLOSE-001 must find it out and does not"]
    assert wrong_one(good, other, (SENDS, "", "")) == [
        "ClosesWithAnotherCode: WS-SEND-001 finds it out and must not"
    ]
    (problem,) = wrong_one(("WS-CLOSE-001/closes", "the code is 1000", "1002"), other)
    assert problem.endswith("one says 'expected: the code is 1000; observed: 1002'")


def test_words_of_two_findings_are_not_those_of_one() -> None:
    assert wrong_one(
        ("WS-CLOSE-001/closes", "the code is 1000", "no"),
        ("WS-CLOSE-001/closes", "no", "1001"),
        ("WS-CLOSE-002/x", "this", "that"),
    )


def test_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "EQUIVALENT", {"why": [FREE]})
    caught = found("mutant", MUTANT, SENDS)
    free = found("mutant", FREE)
    explored = Outcome(Job("mutant", "another"), explored=[Finding("x/explored", "a", "b")])
    part = prove.mutated([caught, free, explored])
    assert part == Part("mutants: 3, caught 2 (1 of them by exploration alone), equivalent 1", [])
    (missed,) = prove.mutated([found("mutant", MUTANT), free]).problems
    assert missed.startswith(f"a mutant is not found out: {MUTANT}\n")
    (outdated,) = prove.mutated([caught, found("mutant", FREE, SENDS)]).problems
    assert outdated.startswith(f"equivalent.py has a mutant that {SENDS} finds out: {FREE}\n")
    assert prove.mutated([caught]).problems == [f"equivalent.py has what is no mutant: {FREE}"]


def test_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = {function(case.id): case.id for case in registered()[0]}
    first, *others = functions
    monkeypatch.setattr(prove, "JUSTIFIED", {"why": [first]})
    outcomes = [found("wrong", id, functions[id]) for id in others]
    part = prove.cases(outcomes)
    # Also one that is justified must fail somewhere.
    assert part.problems == [f"{first} never fails"]
    assert f"unique {len(others)}, justified 1;" in part.count
    # What two cases find out is of no account; the rows of one are one case.
    both = found("wrong", "both", functions[first], functions[others[0]])
    outcomes.append(both)
    assert prove.cases(outcomes).problems == []
    (missed,) = prove.cases(outcomes[1:]).problems
    assert missed.startswith(f"nothing is found out by {others[0]} alone")
    monkeypatch.setattr(prove, "JUSTIFIED", {"why": [first, others[0], "gone"]})
    assert prove.cases(outcomes).problems == [
        f"justified.py need not say what {others[0]} is for: something is found out by it alone",
        "justified.py has what is no case: gone",
    ]


def test_deep() -> None:
    job = Job("deep", "Strict")
    part = prove.deep(Outcome(job, sequences=73373))
    assert part == Part("sequences of up to 4 that Strict was explored with: 73,373", [])
    part = prove.deep(Outcome(job, [Finding(SENDS, "this", "that")]))
    assert part.problems == [
        f"Strict is right and is found out by {SENDS}: expected: this; observed: that"
    ]


def test_handlers() -> None:
    outcomes = [
        Outcome(Job("handlers", name), tally=Tally(1000, 2000, 3000, 4, 5, 6, problems))
        for name, problems in (("0-1", list[str]()), ("1-2", ["it does not fail"]))
    ]
    part = prove.handlers(outcomes)
    assert part.count.startswith("generated handlers: 2,000, on 4,000 paths; errors reported 8, ")
    assert part.problems == ["it does not fail"]


def in_a_fault(*cases: str) -> list[Outcome]:
    return [
        Outcome(Job("right", name, "a fault"), [Finding(case, "this", "that") for case in cases])
        for name in RIGHT
    ]


def test_harness() -> None:
    sound = [*rights(), found("wrong", "AcceptsTwice", SENDS)]
    assert prove.harness(in_a_fault(SENDS), sound) == Part(
        "faults of the suite noticed: 1 of 1", []
    )
    assert prove.harness(in_a_fault(), sound) == Part(
        "faults of the suite noticed: 0 of 1", ["a fault of the suite is not noticed: a fault"]
    )
    # Not even one that breaks the suite is charged to it.
    faulty = found("wrong", "AcceptsTwice", faults=["it raises"])
    assert prove.harness(in_a_fault(SENDS), [*rights(), faulty]).problems == [
        "a wrong implementation is taken for a fault of the suite: AcceptsTwice"
    ]


# The command

Handled = Callable[[Iterable[Job]], Iterator[Outcome]]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """A proof of a few implementations, in this process; gives the jobs that were run."""
    jobs: list[Job] = []

    @contextmanager
    def workers(processes: int | None) -> Generator[Handled, None, None]:
        assert processes == 1

        def run_all(more: Iterable[Job]) -> Iterator[Outcome]:
            jobs.extend(more)
            return map(run, jobs[-len(list(more)) :])

        yield run_all

    monkeypatch.setattr(prove, "workers", workers)
    monkeypatch.setattr(prove, "RIGHT", {name: RIGHT[name] for name in ("Strict", "Minimal")})
    monkeypatch.setattr(prove, "WRONG", {name: WRONG[name] for name in ("AcceptsTwice",)})
    monkeypatch.setattr(prove, "mutants", lambda: [MUTANT, FREE])
    monkeypatch.setattr(prove, "EQUIVALENT", {"why": [FREE]})
    memory, live = registered()
    # What the one wrong implementation fails.
    cases = [case for case in memory if case.clause.id == WRONG["AcceptsTwice"].clause]
    monkeypatch.setattr(prove, "registered", lambda: (cases, live))
    monkeypatch.setattr(prove, "JUSTIFIED", {"why": [function(case.id) for case in cases]})
    monkeypatch.setattr(prove, "HARNESSES", ["", "a judgement raises"])
    monkeypatch.setattr(prove, "_OFTEN", 2)
    monkeypatch.setattr(prove, "_HANDLERS", ["0-2", "2-3"])
    for module in (prove, running):
        monkeypatch.setattr(module, "DEEP", 2)
    return jobs


def test_proven(few: list[Job], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--processes", "1"]) == 0
    output, errors = capsys.readouterr()
    assert [line.partition(":")[0] for line in output.splitlines()] == [
        "right implementations passing",
        "wrong implementations caught",
        "mutants",
        "sequences of up to 2 that micropie.WebSocket was explored with",
        "generated handlers",
        "cases in memory",
        "faults of the suite noticed",
        "proven",
    ]
    assert errors.splitlines() == [
        "running 2 right implementations",
        "2 of them done",
        "running 1 wrong implementations",
        "running 5 mutants, sequences and handlers",
        "2 of them done",
        "4 of them done",
        "running 2 faults of the suite",
        "2 of them done",
    ]
    assert len(few) == 10


def test_not_proven(
    few: list[Job], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prove, "EQUIVALENT", {})
    assert main(["--processes", "1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"- a mutant is not found out: {FREE}" in lines
    assert lines[-1] == "NOT PROVEN: 1 problem"


@pytest.mark.parametrize("kinds", [{"right"}, {"wrong"}])
def test_a_broken_harness(
    few: list[Job],
    kinds: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(jobs: Iterable[Job]) -> Iterator[Outcome]:
        for job in jobs:
            fault = "a judgement raises" if job.kind in kinds else ""
            yield replace(run(replace(job, harness=fault)), job=job)

    @contextmanager
    def workers(processes: int | None) -> Generator[Handled, None, None]:
        yield broken

    monkeypatch.setattr(prove, "workers", workers)
    assert main(["--processes", "1"]) == 3
    output, errors = capsys.readouterr()
    assert "the harness is broken" in errors
    assert "LookupError: a mistake of the suite's" in errors
    assert "caught" not in output


def test_a_bar_on_a_terminal(
    few: list[Job], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["--processes", "1"]) == 0
    assert "running" not in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "make prove" in capsys.readouterr().out
