"""Run cases in memory against a target, one fresh connection each."""

import asyncio
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from micropie_conformance.case import Case, MemoryCase
from micropie_conformance.looping import Loop
from micropie_conformance.probe import (
    Broken,
    NotApplicable,
    Order,
    Probe,
    SaysNothing,
    Target,
    Unreached,
)
from micropie_conformance.repro import program
from micropie_conformance.stepping import Driver, NeedsLoop, Stepper

__all__ = ["Result", "Runner", "Verdict", "excused", "rehearse"]


# Of a case about calls that are under way at once.
_NEVER: Final = "in no order of the calls does it come to what the case is about"


class Verdict(StrEnum):
    """What a case found."""

    # The implementation does what the clause says.
    PASSED = "passed"
    # It does not.
    BROKEN = "broken"
    # The situation did not come about; the fault belongs to another clause.
    UNREACHED = "unreached"
    # The implementation has no counterpart of what the clause speaks of.
    NOT_APPLICABLE = "not applicable"
    # The deviation belongs to the server that the live case ran behind; a habit of its explains it.
    SERVER = "server's"
    # The suite itself failed; that says nothing about the implementation.
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case."""

    case: str
    verdict: Verdict
    expected: str = ""
    observed: str = ""
    # The calls and events that led there.
    trace: list[str] = field(default_factory=list[str])
    # A program that shows the failure; empty: there is none.
    repro: str = ""
    # What went over the socket in a live case that failed, a line for each frame or fault.
    wire: list[str] = field(default_factory=list[str])
    # What the server of a live case does of its own accord that explains the verdict SERVER; where
    # the case passed, the server was known to do it and does so no more.
    habit: str = ""


class Runner:
    """Runs cases against one target.

    It steps; from the first case on that needs an event loop, it gives the implementation one.
    """

    def __init__(self, target: Target) -> None:
        """Hold the target; nothing is called yet."""
        self.target = target
        self.driver: Callable[[], Driver] = Stepper

    @property
    def looping(self) -> bool:
        """Whether the implementation turned out to need an event loop."""
        return self.driver is Loop

    def run(self, case: MemoryCase) -> Result:
        """Run one case on a fresh connection, or on one for each order that it has.

        A case that does not apply, as the target says, is not run.
        """
        if (result := excused(case, self.target)) is not None:
            return result
        if not self.looping:
            # The first attempt may leave coroutines behind that were never awaited.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                with suppress(NeedsLoop):
                    return self._every_order(case)
            self.driver = Loop
        return self._every_order(case)

    def _every_order(self, case: MemoryCase) -> Result:
        """Give what is worst of the orders that a case has."""
        order: Order | None = Order()
        worst: Result | None = None
        while order is not None:
            result = self._run(case, Probe(self.target, self.driver(), order))
            order = order.following()
            if result is not None and (worst is None or result.verdict is not Verdict.PASSED):
                worst = result
                if result.verdict in (Verdict.BROKEN, Verdict.FAULT):
                    break
        return worst or Result(case.id, Verdict.UNREACHED, observed=_NEVER)

    def _run(self, case: MemoryCase, probe: Probe) -> Result | None:
        """Run a case in one order; None: it says nothing."""
        try:
            case.run(probe)
        except SaysNothing:
            return None
        except Broken as broken:
            return Result(
                case.id,
                Verdict.BROKEN,
                broken.expected,
                broken.observed,
                probe.trace,
                repro=program(case, probe, broken.check, self.looping),
            )
        except Unreached as unreached:
            return Result(case.id, Verdict.UNREACHED, observed=str(unreached), trace=probe.trace)
        except NotApplicable as reason:
            return Result(case.id, Verdict.NOT_APPLICABLE, observed=str(reason))
        except (Exception, SystemExit, GeneratorExit, asyncio.CancelledError):
            words = traceback.format_exc()
            return Result(case.id, Verdict.FAULT, observed=words, trace=probe.trace)
        finally:
            probe.finish()
        return Result(case.id, Verdict.PASSED, trace=probe.trace)


def excused(case: Case[Any], target: Target) -> Result | None:
    """Give the result of a case whose clause does not apply, as the target says; else None."""
    reason = target.not_applicable.get(case.clause.id)
    return None if reason is None else Result(case.id, Verdict.NOT_APPLICABLE, observed=reason)


def rehearse(case: MemoryCase, target: Target) -> Probe:
    """Run a case on a target that passes it and needs no event loop.

    Gives the probe, which knows what was done and what was expected.
    """
    probe = Probe(target, Stepper())
    try:
        case.run(probe)
    finally:
        probe.finish()
    return probe
