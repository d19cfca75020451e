"""Prove that the conformance suite can fail, and that it does so for the right reason.

    make prove

It runs the cases in memory on implementations that are right, on many that are wrong, and on
mutants of the reference implementation, and it puts faults into the suite itself. It makes handlers
at random, analyses them and runs them on all their paths. Then

- each right implementation passes: the suite asks for no more than the contract does;
- the reference passes the exploration of sequences longer than `micropie verify` tries by default;
- each wrong one is found out by just the clauses that it breaks, in the words that a reader needs;
- each mutant is found out, or `equivalent.py` says why there is nothing to be found;
- each case finds out something that no other case does, or `justified.py` says what it is for;
- what the flow analysis of `micropie check` says of handlers made at random is so when they run;
- each fault of the suite is told from a fault of the implementation.

Exit status: 0 when all of that holds; 1 when some of it does not, with a list; 3 when the suite is
broken, so that nothing can be judged by it.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from equivalent import EQUIVALENT
from handlers import Tally
from harness import HARNESSES
from justified import JUSTIFIED, LIVE
from micropie_conformance.case import registered
from micropie_conformance.catalogue import Level
from mutants import mutants
from rich.console import Console
from rich.progress import track
from right import REFERENCE, RIGHT
from running import ANY, DEEP, Job, Outcome, function, workers
from wrong import WRONG, Wrong

__all__ = ["Blame", "Part", "blame", "main"]

# The numbers of the handlers that are made, in parts.
_HANDLERS: Final = [f"{first}-{first + 250}" for first in range(0, 3000, 250)]

# After how many implementations it is told how far it is, where there is no terminal.
_OFTEN: Final = 100


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the proof comes to."""

    # What was counted, in a line.
    count: str
    # What does not hold, a line or more each.
    problems: list[str]


@dataclass(frozen=True, slots=True)
class Blame:
    """Who is at fault for what right implementations do not pass."""

    # Faults of the suite.
    suite: list[str]
    # Faults of an implementation, or of a case that asks it for too much, by its name.
    implementations: dict[str, list[str]]


def blame(outcomes: Sequence[Outcome]) -> Blame:
    """Tell a broken suite from a wrong implementation.

    The reference, Strict and Minimal share no code; all that they have in common is that they are
    right. So what none passes is the suite's fault, as is whatever raises in the suite itself; what
    only some do not pass is theirs.
    """
    suite = [fault.strip() for outcome in outcomes for fault in outcome.faults]
    implementations: dict[str, list[str]] = defaultdict(list)
    for case in registered()[0]:
        asked = [one for one in outcomes if _must_pass(one, case.clause.level)]
        failing = {one.job.name: words for one in asked if (words := _failure(one, case.id))}
        if len(failing) == len(asked) > 1:
            suite.append(f"{case.id}: {next(iter(failing.values()))}")
        else:
            for name, words in failing.items():
                implementations[name].append(f"{case.id}: {words}")
    return Blame(suite, implementations)


def _must_pass(outcome: Outcome, level: Level) -> bool:
    levels = list(Level)
    return levels.index(level) <= levels.index(RIGHT[outcome.job.name].level)


def _failure(outcome: Outcome, case: str) -> str:
    if case in outcome.unreached:
        return "its situation did not come about"
    found = next((one for one in outcome.findings if one.case in (case, ANY)), None)
    return f"expected: {found.expected}; observed: {found.observed}" if found else ""


def right(outcomes: Sequence[Outcome]) -> Part:
    """Judge the right implementations in a sound suite."""
    failing = blame(outcomes).implementations
    problems = [
        f"{name} is right and fails {fault}" for name, faults in failing.items() for fault in faults
    ]
    for outcome in outcomes:
        if outcome.looping is not RIGHT[outcome.job.name].looping:
            needs = "needs an" if outcome.looping else "needs no"
            problems.append(f"{outcome.job.name} {needs} event loop: say so in right.py")
    passing = len(outcomes) - len(failing)
    return Part(f"right implementations passing: {passing} of {len(outcomes)}", problems)


def deep(outcome: Outcome) -> Part:
    """Judge the deep exploration of a right implementation."""
    problems = [
        f"{outcome.job.name} is right and is found out by {found.case}: "
        f"expected: {found.expected}; observed: {found.observed}"
        for found in outcome.findings
    ]
    return Part(
        f"sequences of up to {DEEP} that {outcome.job.name} was explored with: "
        f"{outcome.sequences:,}",
        problems,
    )


def handlers(outcomes: Iterable[Outcome]) -> Part:
    """Judge the flow analysis by what handlers do."""
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome.tally)
    return Part(
        f"generated handlers: {tally.handlers:,}, on {tally.runs:,} paths; errors reported "
        f"{tally.errors:,}, each of which always fails; warnings {tally.warnings:,}, each of which "
        f"fails on some path ({tally.undecided:,} more on none that was tried); clean "
        f"{tally.clean:,}, which never fail",
        tally.problems,
    )


def harness(outcomes: Sequence[Outcome], sound: Sequence[Outcome]) -> Part:
    """Judge whether each fault of the suite is told from one of an implementation.

    Args:
        outcomes: Right implementations in a suite with a fault.
        sound: Right implementations in a sound one, and wrong ones.
    """
    by_harness: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_harness[outcome.job.harness].append(outcome)
    missed = [name for name, one in by_harness.items() if not blame(one).suite]
    problems = [f"a fault of the suite is not noticed: {name}" for name in missed]
    rights = [one for one in sound if one.job.kind == "right"]
    for outcome in sound:
        if outcome.job.kind != "wrong":
            continue
        # In the place of one that is right, at the highest level.
        posing = replace(outcome, job=Job("right", "Strict"))
        found = blame([posing if one.job.name == "Strict" else one for one in rights])
        if found.suite or not found.implementations:
            problems.append(
                f"a wrong implementation is taken for a fault of the suite: {outcome.job.name}"
            )
    noticed = len(by_harness) - len(missed)
    return Part(f"faults of the suite noticed: {noticed} of {len(by_harness)}", problems)


def wrong(outcomes: Sequence[Outcome]) -> Part:
    """Judge the wrong implementations."""
    problems: list[str] = []
    caught = 0
    for outcome in outcomes:
        found = _wrong_one(WRONG[outcome.job.name], outcome)
        problems += [f"{outcome.job.name}: {one}" for one in found]
        caught += not found
    return Part(f"wrong implementations caught: {caught} of {len(outcomes)}", problems)


def _wrong_one(one: Wrong, outcome: Outcome) -> list[str]:
    clauses = {finding.case.split("/")[0] for finding in outcome.findings}
    problems = [f"{id} must find it out and does not" for id in sorted(one.clauses - clauses)]
    problems += [f"{id} finds it out and must not" for id in sorted(clauses - one.clauses)]
    own = [found for found in outcome.findings if found.case.startswith(f"{one.clause}/")]
    if own and not any(
        one.expected in found.expected and one.observed in found.observed for found in own
    ):
        said = f"expected: {own[0].expected}; observed: {own[0].observed}"
        problems.append(
            f"no case of {one.clause} says 'expected: {one.expected}; observed: {one.observed}'; "
            f"one says '{said}'"
        )
    return problems


def mutated(outcomes: Sequence[Outcome]) -> Part:
    """Judge the mutants."""
    reasons = [name for names in EQUIVALENT.values() for name in names]
    problems: list[str] = []
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        name = outcome.job.name
        caught = outcome.findings or outcome.explored
        counts["caught"] += bool(caught)
        counts["explored"] += bool(outcome.explored)
        if caught and name in reasons:
            first = caught[0]
            problems.append(
                f"equivalent.py has a mutant that {first.case} finds out: {name}\n"
                f"    expected: {first.expected}; observed: {first.observed}"
            )
        elif not caught and name in reasons:
            counts["equivalent"] += 1
        elif not caught:
            problems.append(
                f"a mutant is not found out: {name}\n    write the case that it needs, or put it "
                "into equivalent.py with the reason why there is nothing to be found"
            )
    known = {outcome.job.name for outcome in outcomes}
    gone = [name for name in reasons if name not in known]
    problems += [f"equivalent.py has what is no mutant: {name}" for name in gone]
    return Part(
        f"mutants: {len(outcomes)}, caught {counts['caught']} ({counts['explored']} of them by "
        f"exploration alone), equivalent {counts['equivalent']}",
        problems,
    )


def cases(outcomes: Sequence[Outcome]) -> Part:
    """Judge whether each case is worth its while, given all that is wrong."""
    memory, live = registered()
    functions = list(dict.fromkeys(function(case.id) for case in memory))
    justified = [id for ids in JUSTIFIED.values() for id in ids]
    unique: set[str] = set()
    for outcome in outcomes:
        if len(outcome.functions) == 1:
            unique |= outcome.functions & {*functions}
    problems = [
        f"nothing is found out by {id} alone: write a wrong implementation that is, or say in "
        "justified.py what the case is for"
        for id in functions
        if id not in unique and id not in justified
    ]
    problems += [
        f"justified.py need not say what {id} is for: something is found out by it alone"
        for id in justified
        if id in unique
    ]
    failing = {id for outcome in outcomes for id in outcome.functions}
    problems += [f"{id} never fails" for id in functions if id not in failing]
    gone = [id for id in justified if id not in functions]
    problems += [f"justified.py has what is no case: {id}" for id in gone]
    return Part(
        f"cases in memory: {len(functions)}, unique {len(unique)}, justified {len(justified)}; "
        f"live: {len({function(case.id) for case in live})}, not counted here ({LIVE})",
        problems,
    )


Running = Callable[[list[Job], str], list[Outcome]]


def prove(run: Running, show: Callable[[Part], None]) -> list[str]:
    """Go through the whole proof; give what does not hold.

    Args:
        run: Runs jobs, given what they are in words; the outcomes are in their order.
        show: Called with each part as it is done.

    Raises:
        BrokenSuite: The suite is broken, so nothing can be judged by it.
    """
    problems: list[str] = []

    def add(part: Part) -> None:
        show(part)
        problems.extend(part.problems)

    rights = run([Job("right", name) for name in RIGHT], "right implementations")
    if faults := blame(rights).suite:
        raise BrokenSuite(faults)
    add(right(rights))
    wrongs = run([Job("wrong", name) for name in WRONG], "wrong implementations")
    # The one that takes longest comes first, beside the others.
    jobs = [Job("deep", REFERENCE), *(Job("handlers", numbers) for numbers in _HANDLERS)]
    ours = len(jobs)
    jobs += [Job("mutant", name) for name in mutants()]
    outcomes = run(jobs, "mutants, sequences and handlers")
    explored, made, mutant = outcomes[0], outcomes[1:ours], outcomes[ours:]
    if faults := [fault for outcome in [*wrongs, *mutant] for fault in outcome.faults]:
        raise BrokenSuite(faults)
    add(wrong(wrongs))
    add(mutated(mutant))
    add(deep(explored))
    add(handlers(made))
    add(cases([*wrongs, *mutant]))
    faulty = [Job("right", name, fault) for fault in HARNESSES if fault for name in RIGHT]
    add(harness(run(faulty, "faults of the suite"), [*rights, *wrongs]))
    return problems


def _told(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    for number, outcome in enumerate(outcomes, 1):
        yield outcome
        if number % _OFTEN == 0:
            print(f"{number} of them done", file=sys.stderr, flush=True)


class BrokenSuite(Exception):
    """The suite is broken; the arguments say how it shows."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--processes", type=int, metavar="N", help="how many at once; default: one per processor"
    )
    options = parser.parse_args(arguments)
    errors = Console(stderr=True)
    try:
        with workers(options.processes) as run_all:

            def run(jobs: list[Job], what: str) -> list[Outcome]:
                found: Iterable[Outcome] = run_all(jobs)
                if errors.is_terminal:
                    found = track(found, what, len(jobs), console=errors, transient=True)
                else:
                    print(f"running {len(jobs)} {what}", file=sys.stderr, flush=True)
                    found = _told(found)
                by_job = {outcome.job: outcome for outcome in found}
                return [by_job[job] for job in jobs]

            problems = prove(run, lambda part: print(part.count, flush=True))
    except BrokenSuite as error:
        print("the harness is broken; nothing can be said of any implementation:", file=sys.stderr)
        for fault in error.args[0]:
            print(f"- {fault}", file=sys.stderr)
        return 3
    for problem in problems:
        print(f"- {problem}")
    if problems:
        print(f"NOT PROVEN: {len(problems)} problem{'s' * (len(problems) > 1)}")
        return 1
    print("proven")
    return 0


if __name__ == "__main__":
    sys.exit(main())
