"""Run live cases behind a server, with the clients in an event loop of this thread.

A server serves one case after the other until one has not passed; the next case gets a new one.
"""

import asyncio
import traceback
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Final

from micropie_conformance.case import LiveCase
from micropie_conformance.live.habits import judged, waits_in_vain
from micropie_conformance.live.hosting import Host, find_worker
from micropie_conformance.live.wire import DEADLINE, Wire
from micropie_conformance.probe import Broken, NotApplicable, Target, Unreached
from micropie_conformance.runner import Result, Verdict, excused

__all__ = ["run_live"]

# A fault of the server's own comes and goes; what comes each time is the implementation's.
_ATTEMPTS: Final = 3

# Where one case has run into the deadline, others will; they are given this part of it.
_PART_WHEN_LATE: Final = 0.2

# The same where a habit of the server makes the case wait in vain. If it comes to anything else
# then, it is given the whole.
_PART_IN_VAIN: Final = 0.05


def run_live(
    cases: Iterable[LiveCase],
    target: Target,
    door: str = "hypercorn:asyncio",
    deadline: float = DEADLINE,
) -> Iterator[Result]:
    """Run cases against an implementation behind a real server, one after the other.

    Where the server itself failed, the case is tried again. When it fails each time and in
    different ways, the result is a fault, and nothing is said about the implementation.

    Args:
        cases: What to run.
        target: The implementation.
        door: `server:worker`, of `SERVERS`.
        deadline: How long a case waits for one thing, in seconds; from the first case on that
            has waited in vain, a fifth of it.

    Raises:
        ValueError: There is no such server or worker.
        ImportError: What the worker needs is not installed.
    """
    # What it raises comes here, not with the first case.
    find_worker(door)
    return _run(cases, _Runner(target, door, deadline))


def _run(cases: Iterable[LiveCase], runner: "_Runner") -> Iterator[Result]:
    with closing(runner):
        for case in cases:
            yield runner.run(case)


class _Runner:
    """Runs cases against one target behind one door."""

    def __init__(self, target: Target, door: str, deadline: float) -> None:
        """Hold them; nothing is started yet."""
        self._target = target
        self._door = door
        self._host: Host | None = None
        self._deadline = deadline
        # Whether the last attempt has waited in vain, and whether others will, so that less time
        # has to do.
        self._waited = False
        self._late = False

    def run(self, case: LiveCase) -> Result:
        """Run one case, unless the target says that it does not apply, and judge the server too."""
        if (excuse := excused(case, self._target)) is not None:
            return excuse
        if waits_in_vain(case.id, self._door):
            result = judged(self._tried(case, _PART_IN_VAIN), self._door)
            if result.verdict in (Verdict.PASSED, Verdict.SERVER):
                return result
        result = judged(self._tried(case, _PART_WHEN_LATE if self._late else 1), self._door)
        self._late = self._late or (self._waited and result.verdict is not Verdict.SERVER)
        return result

    def _tried(self, case: LiveCase, part: float) -> Result:
        """Run one case, again where the server failed, with this part of the deadline."""
        results: list[Result] = []
        while True:
            host = self._running_host()
            with asyncio.Runner() as clients:
                result = clients.run(self._attempt(case, host, part))
            if result.verdict is Verdict.PASSED:
                return result
            # What the case has left ends with the server, and whether that failed is known then.
            self.close()
            if host.fault is None:
                return result
            results.append(result)
            if len(results) == _ATTEMPTS:
                break
        alike = len({(one.verdict, one.expected) for one in results}) == 1
        if alike and result.verdict is not Verdict.FAULT:
            return result
        words = f"the server failed: {host.fault!r}; the case then: {result.observed}"
        return replace(result, verdict=Verdict.FAULT, expected="", observed=words)

    def close(self) -> None:
        """End the server, if there is one."""
        if self._host is not None:
            self._host.__exit__()
            self._host = None

    def _running_host(self) -> Host:
        if self._host is not None and not self._host.running:
            self.close()
        if self._host is None:
            self._host = Host(self._door).__enter__()
        return self._host

    async def _attempt(self, case: LiveCase, host: Host, part: float) -> Result:
        wire = Wire(self._target, host, self._deadline * part)
        verdict, expected, observed = Verdict.PASSED, "", ""
        try:
            await _until_failure(case, wire)
        except Broken as broken:
            verdict, expected, observed = Verdict.BROKEN, broken.expected, broken.observed
        except Unreached as unreached:
            verdict, observed = Verdict.UNREACHED, str(unreached)
        except NotApplicable as reason:
            verdict, observed = Verdict.NOT_APPLICABLE, str(reason)
        except Exception:
            verdict, observed = Verdict.FAULT, traceback.format_exc()
        finally:
            # What comes after this is only the end of what the case has left.
            trace = list(wire.trace)
            log = [] if verdict is Verdict.PASSED else list(wire.log)
            self._waited = wire.late
            await wire.finish()
        return Result(case.id, verdict, expected, observed, trace, wire=log)


async def _until_failure(case: LiveCase, wire: Wire) -> None:
    """Run the case until it has ended with all its scripts, or a script has raised.

    Raises:
        Exception: What the script raised, or else the case.
    """

    async def body() -> None:
        await case.run(wire)
        await wire.all_ended()

    run, failed = asyncio.create_task(body()), asyncio.create_task(wire.failed())
    await asyncio.wait([run, failed], return_when=asyncio.FIRST_COMPLETED)
    failure = wire.failure
    if run.done() and wire.late:
        # A script that has raised since has done so because the client gave up.
        failure = None
    run.cancel()
    failed.cancel()
    end, _ = await asyncio.gather(run, failed, return_exceptions=True)
    # What the client saw may only follow from what the handler did, so the script comes first.
    if isinstance(failure, Exception):
        raise failure
    if failure is not None:
        raise RuntimeError("the server ended the handler") from failure
    if end is not None:
        raise end
