"""The child process of `micropie verify`: it loads the target, runs cases and tells of each.

A job comes as JSON on standard input; for each piece of news a line of JSON goes into the pipe
that the job names. Whatever the target does to its process, it does to this one.
"""

import contextlib
import faulthandler
import inspect
import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar

# The one thing that the suite has of the other package: the loader, which knows nothing of the
# implementation there. To be verified, that is loaded like any other target.
from micropie._target import TargetError, load
from micropie_conformance.case import Case, MemoryCase, registered
from micropie_conformance.catalogue import CLAUSES
from micropie_conformance.explore.cases import explore, explored
from micropie_conformance.outcomes import show
from micropie_conformance.probe import Target
from micropie_conformance.runner import Result, Runner, Verdict

__all__ = ["EXPLORED", "IN_MEMORY", "MEMORY_GIB", "OUT_OF_MEMORY", "Job", "main", "resolve"]

IN_MEMORY: Final = "memory"
"""The door of the cases in memory; live ones have `server:worker`."""

EXPLORED: Final = "explored"
"""The door of what is explored, followed by a colon and how long the sequences are."""

MEMORY_GIB: Final = 2
"""How much memory the process may use."""

OUT_OF_MEMORY: Final = 77
"""The exit status when that was not enough."""

# A process whose parent was killed does not run for ever.
_CPU_SECONDS: Final = 600

# A target may send without end; what is shown of that must fit on a few pages.
_MOST_STEPS: Final = 200
_MOST_CHARACTERS: Final = 4000

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Job:
    """What a process has to do."""

    # As on the command line.
    target: str
    closed: str | None
    # IN_MEMORY, EXPLORED:depth, or server:worker.
    door: str
    # The ids of the cases, in the order in which they are run.
    cases: list[str]
    # The file descriptor to tell the news to.
    channel: int
    # What sys.path is once the suite has been imported; empty: it stays as it is.
    path: list[str] = field(default_factory=list[str])


class _Channel:
    """The pipe to the parent."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._owner = os.getpid()

    def tell(self, **news: object) -> None:
        """Tell the parent."""
        if os.getpid() != self._owner:
            # A copy of this process, which the target made by os.fork, does not go on.
            os._exit(0)
        with open(self._descriptor, "w", encoding="ascii", closefd=False) as stream:
            stream.write(json.dumps(news) + "\n")


def main() -> None:
    """Do the job and end the process."""
    job = Job(**json.load(sys.stdin))
    channel = _Channel(job.channel)
    faulthandler.enable()
    _limit(resource.RLIMIT_AS, MEMORY_GIB << 30)
    _limit(resource.RLIMIT_CPU, _CPU_SECONDS)
    _limit(resource.RLIMIT_CORE, 0)
    status = 0
    try:
        _work(job, channel)
    except MemoryError:
        _limit(resource.RLIMIT_AS, None)
        status = OUT_OF_MEMORY
    except Exception:
        channel.tell(fault=traceback.format_exc())
    # Neither exit handlers nor threads of the target can hold this up.
    os._exit(status)


def resolve(spec: str, closed: str | None) -> Target:
    """Load the target and find its ConnectionClosed, and what it says does not apply.

    Args:
        spec: `module:attr` or `path/to/file.py:attr`.
        closed: The same for ConnectionClosed. None: it is beside the target, in the module that
            `spec` names or else in the one that defines the target.

    Raises:
        TargetError: There is no such thing, or it is not what it should be.
    """
    factory = load(spec)
    if not callable(factory):
        raise TargetError(
            f"{spec} is {_kind(factory)}, which cannot be called: "
            "name the class, or a function that makes a connection of (receive, send)"
        )
    where, found = (closed, load(closed)) if closed is not None else _beside(spec, factory)
    kind = _kind(found)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        raise TargetError(f"{where} is {kind}, not an exception class")
    return Target(factory, found, spec, where, _not_applicable(spec))


def _beside(spec: str, factory: object) -> tuple[str, object]:
    where = f"{spec.rpartition(':')[0]}:ConnectionClosed"
    try:
        return where, load(where)
    except TargetError:
        module = getattr(factory, "__module__", None)
        found = getattr(sys.modules.get(str(module)), "ConnectionClosed", None)
        if found is None:
            raise TargetError(
                f"no ConnectionClosed beside {spec}: name the exception that it raises when the "
                "client has disconnected, with --closed module:attr"
            ) from None
        return f"{module}:ConnectionClosed", found


def _not_applicable(spec: str) -> Mapping[str, str]:
    """Give NOT_APPLICABLE of the module that `spec` names; where there is none, nothing."""
    where = f"{spec.rpartition(':')[0]}:NOT_APPLICABLE"
    try:
        # What a user's module has there may be anything.
        found: Any = load(where)
    except TargetError:
        return {}
    if not issubclass(type(found), Mapping):
        raise TargetError(f"{where} is {_kind(found)}, not a mapping of clause ids to reasons")
    ids = {clause.id for clause in CLAUSES}
    reasons: dict[str, str] = {}
    for id, reason in found.items():
        if id not in ids:
            raise TargetError(f"{where} has {id!r}, which is no clause; --list shows them all")
        if not isinstance(reason, str) or not reason.strip():
            raise TargetError(f"{where} has no reason for {id}: say in words why it does not apply")
        reasons[id] = reason
    return reasons


def _kind(value: object) -> str:
    kind = type(value)
    return f"the class {getattr(value, '__name__', '')}" if kind is type else f"a {kind.__name__}"


def _name(value: object) -> str:
    """Name a class or function and the file that it is from, below this folder where it is."""
    name = getattr(value, "__qualname__", None)
    if name is None:
        return show(value)
    module = sys.modules.get(getattr(value, "__module__", ""))
    file = str(getattr(module, "__file__", "built-in"))
    return f"{name} ({file.removeprefix(os.path.join(os.getcwd(), ''))})"


def _takes(factory: Callable[..., object]) -> str:
    """Give the parameters of what cannot be called as (receive, send); else nothing."""
    try:
        signature = inspect.signature(factory)
        plain = [
            one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()
        ]
        words = str(inspect.Signature(plain))
    except Exception:
        # It does not say.
        return ""
    try:
        signature.bind(None, None)
    except TypeError:
        return words
    return ""


def _work(job: Job, channel: _Channel) -> None:
    # Imports all that is needed, before the target's folder is on the path.
    play = _player(job)
    if job.path:
        sys.path[:] = job.path
    channel.tell(ready=True)
    try:
        target = resolve(job.target, job.closed)
    except TargetError as error:
        channel.tell(refused=str(error))
        return
    except KeyboardInterrupt:
        channel.tell(refused=f"cannot import {job.target}: it raises KeyboardInterrupt")
        return
    channel.tell(
        loaded=_name(target.factory),
        closed=_name(target.closed),
        not_applicable=[*target.not_applicable],
        takes=_takes(target.factory),
    )
    for result, looping in play(target):
        if isinstance(result, int):
            channel.tell(sequences=result, looping=looping)
        elif job.door.startswith(EXPLORED) and result.verdict is Verdict.UNREACHED:
            channel.tell(unexplored=result.case)
        else:
            channel.tell(result=astuple(_short(result)), looping=looping)


def _player(job: Job) -> Callable[[Target], Iterator[tuple[Result | int, bool]]]:
    """Give what runs the cases; each result comes with whether an event loop was needed.

    What explores gives the number of sequences between the results.
    """
    memory, live = registered()
    if job.door == IN_MEMORY:
        return partial(_in_memory, _chosen(memory, job))
    server, _, worker = job.door.partition(":")
    if server == EXPLORED:
        return partial(_exploring, _chosen(explored(), job), int(worker))

    from micropie_conformance.live.running import run_live

    cases = _chosen(live, job)
    return lambda target: ((one, False) for one in run_live(cases, target, job.door))


def _chosen(cases: list[Case[R]], job: Job) -> list[Case[R]]:
    by_id = {case.id: case for case in cases}
    return [by_id[id] for id in job.cases]


def _in_memory(cases: list[MemoryCase], target: Target) -> Iterator[tuple[Result, bool]]:
    runner = Runner(target)
    for case in cases:
        result = runner.run(case)
        if any("MemoryError" in words for words in (result.observed, *result.trace)):
            # Whatever raised it, there is not enough left to judge by.
            raise MemoryError
        yield result, runner.looping


def _exploring(
    cases: list[MemoryCase], depth: int, target: Target
) -> Iterator[tuple[Result | int, bool]]:
    runner = Runner(target)
    for news in explore(runner, cases, depth):
        yield news, runner.looping


def _short(result: Result) -> Result:
    """Leave out the middle of what is too long to be read."""
    return replace(
        result,
        expected=_cut(result.expected),
        observed=_cut(result.observed),
        trace=_cut_steps(result.trace),
        wire=_cut_steps(result.wire),
    )


def _cut_steps(steps: list[str]) -> list[str]:
    if len(steps) <= _MOST_STEPS:
        return steps
    half = _MOST_STEPS // 2
    return [*steps[:half], f"... {len(steps) - 2 * half} steps left out ...", *steps[-half:]]


def _cut(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    half = _MOST_CHARACTERS // 2
    return f"{text[:half]} ... {len(text) - 2 * half} characters left out ... {text[-half:]}"


def _limit(what: int, most: int | None) -> None:
    hard = resource.getrlimit(what)[1]
    if most is None or (hard != resource.RLIM_INFINITY and hard < most):
        most = hard
    # macOS does not have each of them.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (most, hard))


if __name__ == "__main__":
    main()
