"""Run the suite in memory on implementations, in processes that have only so much time and memory.

What a mutant does cannot be known beforehand: it may run for ever or eat all memory.
"""

import gc
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from types import FrameType
from typing import Final

from handlers import Tally, tried
from harness import HARNESSES
from micropie_conformance.case import registered
from micropie_conformance.explore.cases import explore, explored
from micropie_conformance.probe import Target
from micropie_conformance.runner import Result, Runner, Verdict
from mutants import mutants
from right import RIGHT
from wrong import WRONG

__all__ = ["ANY", "DEEP", "Finding", "Job", "Outcome", "function", "run", "workers"]

# An implementation that starts tasks takes less than one, in CPU time.
_CPU_SECONDS: Final = 30
# A fault of the suite can have it go on until memory is used up, and shows soon.
_FAULTY_CPU_SECONDS: Final = 5
_MEMORY_GIB: Final = 2

# How long the sequences are that a mutant is explored with which passes all cases.
_DEPTH: Final = 2

DEEP: Final = 4
"""How long the sequences are that a right one is explored with, which is one more than usual."""

ANY: Final = "any"
"""Stands for the case of a finding which the implementation came to no end for."""

_CASES: Final = registered()[0]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be run: an implementation, and a fault of the suite's own if there is to be one.

    `kind` is "right", "wrong" or "mutant", or "deep" for a right one that is explored and no more;
    `harness` is one of `HARNESSES`, or empty. "handlers" are made and tried, those whose numbers
    are in the range that `name` is.
    """

    kind: str
    name: str
    harness: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that an implementation breaks."""

    case: str
    expected: str
    observed: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the suite found."""

    job: Job
    findings: list[Finding] = field(default_factory=list[Finding])
    # The cases that did not come to a judgement on their clause.
    unreached: list[str] = field(default_factory=list[str])
    # What went wrong in the suite itself.
    faults: list[str] = field(default_factory=list[str])
    looping: bool = False
    # What only an exploration found.
    explored: list[Finding] = field(default_factory=list[Finding])
    # How many sequences were explored, by a deep one.
    sequences: int = 0
    # What came of handlers.
    tally: Tally = field(default_factory=Tally)

    @property
    def functions(self) -> set[str]:
        """The functions of the cases that it breaks."""
        return _functions(self.findings)


def _functions(findings: Iterable[Finding]) -> set[str]:
    return {function(finding.case) for finding in findings}


def function(case: str) -> str:
    """Give the id of a case without the row of its table."""
    return "/".join(case.split("/")[:2])


class _OutOfTime(BaseException):
    """The implementation has used up its time."""


@contextmanager
def workers(
    processes: int | None = None,
) -> Generator[Callable[[Iterable[Job]], Iterator[Outcome]], None, None]:
    """Start child processes and give what runs jobs in them; their outcomes come as they are there.

    Args:
        processes: How many; None: as many as there are processors.
    """
    # Spawned: a child has nothing of this process.
    with ProcessPoolExecutor(processes, get_context("spawn"), _prepare) as executor:

        def run_all(jobs: Iterable[Job]) -> Iterator[Outcome]:
            for done in as_completed([executor.submit(run, job) for job in jobs]):
                yield done.result()

        yield run_all


def run(job: Job) -> Outcome:
    """Run one job, in this process."""
    if job.kind == "deep":
        return _deep(job)
    if job.kind == "handlers":
        first, _, end = job.name.partition("-")
        with _collecting():
            return Outcome(job, tally=tried(range(int(first), int(end))))
    factory, closed = _implementation(job)
    # One that has no name: no program is written for what it breaks.
    runner = Runner(Target(partial(factory), closed))
    findings: list[Finding] = []
    found: list[Finding] = []
    unreached: list[str] = []
    faults: list[str] = []
    seconds = _FAULTY_CPU_SECONDS if job.harness else _CPU_SECONDS
    # A mutant without an `await` leaves a coroutine behind.
    with warnings.catch_warnings(action="ignore"), HARNESSES[job.harness]():
        try:
            with _time_limit(seconds) as is_over:
                for case in _CASES:
                    result = runner.run(case)
                    if is_over():
                        # A case took it for an error of the implementation.
                        raise _OutOfTime
                    match result.verdict:
                        case Verdict.BROKEN:
                            findings.append(_finding(result))
                        case Verdict.UNREACHED:
                            unreached.append(result.case)
                        case Verdict.FAULT:
                            faults.append(f"{result.case}: {result.observed}")
                        case _:
                            pass
                    if job.kind == "mutant" and len(_functions(findings)) > 1:
                        # It is found out, and by no case alone: that is all there is to know.
                        break
                if job.kind == "mutant" and not findings:
                    found = _explored(runner)
        except _OutOfTime:
            findings.append(Finding(ANY, "an end", f"none within {seconds} s of CPU time"))
        # What it leaves behind is destroyed here, in silence.
        gc.collect()
    return Outcome(job, findings, unreached, faults, runner.looping, found)


@contextmanager
def _time_limit(seconds: float) -> Generator[Callable[[], bool], None, None]:
    """Raise _OutOfTime when the processor's time is used up; what is given says whether it is.

    It is raised again and again, as the implementation may catch it.
    """
    over = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal over
        over = True
        raise _OutOfTime

    handler = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 1)
    try:
        yield lambda: over
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)


def _prepare() -> None:
    # A coroutine that was never awaited is destroyed where `run` collects it and nowhere else:
    # the warning of it cannot be shut off everywhere.
    gc.disable()
    # What a mutant left half done may fail when it is destroyed, which is nobody's business.
    sys.unraisablehook = lambda unraisable: None
    # What is there for good need not be gone through each time.
    mutants()
    gc.freeze()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    # macOS does not have it.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_GIB << 30, hard))


def _implementation(job: Job) -> tuple[Callable[..., object], type[BaseException]]:
    if job.kind == "mutant":
        return mutants()[job.name].born()
    one = WRONG[job.name] if job.kind == "wrong" else RIGHT[job.name]
    return one.factory, one.closed


def _finding(result: Result) -> Finding:
    return Finding(result.case, result.expected, result.observed)


def _explored(runner: Runner) -> list[Finding]:
    results = explore(runner, explored(), _DEPTH)
    return [
        _finding(one)
        for one in results
        if isinstance(one, Result) and one.verdict is Verdict.BROKEN
    ]


@contextmanager
def _collecting() -> Generator[None, None, None]:
    """Collect what is no longer used: all of it would not fit into memory."""
    gc.enable()
    try:
        yield
    finally:
        gc.disable()


def _deep(job: Job) -> Outcome:
    factory, closed = _implementation(job)
    runner = Runner(Target(factory, closed))
    sequences = 0
    findings: list[Finding] = []
    with _collecting():
        for news in explore(runner, explored(), DEEP):
            if isinstance(news, int):
                sequences = news
            elif news.verdict is Verdict.BROKEN:
                findings.append(_finding(news))
    return Outcome(job, findings, sequences=sequences)
