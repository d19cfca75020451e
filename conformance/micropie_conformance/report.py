"""What a run found out: the verdict, the exit status and the JSON document."""

import platform
from collections.abc import Collection, Sized
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from micropie_conformance import __version__
from micropie_conformance.case import Case
from micropie_conformance.catalogue import Clause, Level
from micropie_conformance.isolation import Loaded
from micropie_conformance.runner import Result, Verdict

__all__ = ["BINDING", "Conformance", "Finding", "Report", "counted"]

BINDING: Final = (Level.DOCUMENTED, Level.ASGI)
"""The levels that decide on conformance; strict conformance is decided by ROBUST as well."""


class Conformance(StrEnum):
    """The verdict on an implementation."""

    # Every clause that was tried holds, the robust ones too.
    STRICT = "strictly conformant"
    # What is documented holds, and what it needs of ASGI.
    CONFORMANT = "conformant"
    # A documented or an ASGI clause is broken.
    BROKEN = "not conformant"
    # None is broken, but not each could be tried.
    NOT_SHOWN = "not shown to be conformant"
    # The suite itself failed.
    FAULT = "no verdict"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one case behind one door."""

    # worker.IN_MEMORY, or server:worker.
    door: str
    case: Case[Any]
    result: Result
    # Why the implementation deviates here, as it declares; empty: it declares nothing.
    declared: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A run and what it found out."""

    # As on the command line.
    target: str
    loaded: Loaded
    # In words, how the cases were run.
    modes: list[str]
    # The options that left something out, as on the command line; empty: all was run.
    part: str
    # Whether robust clauses were among what was run.
    robust: bool
    findings: list[Finding]
    # The end of what the target printed.
    printed: str = ""

    def of(self, verdict: Verdict, levels: Collection[Level] = tuple(Level)) -> list[Finding]:
        """Give the findings with this verdict at these levels."""
        return [
            one
            for one in self.findings
            if one.result.verdict is verdict and one.case.clause.level in levels
        ]

    def broken(self, levels: Collection[Level] = (*BINDING, Level.ROBUST)) -> list[Clause]:
        """Give the broken clauses of these levels, each once."""
        return list(dict.fromkeys(one.case.clause for one in self.of(Verdict.BROKEN, levels)))

    def excused(self) -> dict[str, str]:
        """Give the clauses that ran and do not apply by the target's own word, with its reasons."""
        return {
            one.case.clause.id: one.result.observed
            for one in self.of(Verdict.NOT_APPLICABLE)
            if one.case.clause.id in self.loaded.not_applicable
        }

    @property
    def conformance(self) -> Conformance:
        """The verdict."""
        if self.of(Verdict.FAULT):
            return Conformance.FAULT
        if self.broken(BINDING):
            return Conformance.BROKEN
        if self.of(Verdict.UNREACHED, BINDING):
            return Conformance.NOT_SHOWN
        if not self.robust or self._not_strict():
            return Conformance.CONFORMANT
        return Conformance.STRICT

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        excused = self.excused()
        return (
            f"{self.conformance}{self._reason()}"
            + (f" ({counted(excused, 'clause')} not applicable by its own word)" if excused else "")
            + (f" (of the part that ran: {self.part})" if self.part else "")
        )

    def status(self, strict: bool) -> int:
        """Give the exit status; `strict` asks for strict conformance."""
        if self.conformance is Conformance.FAULT:
            return 3
        enough = {Conformance.STRICT} if strict else {Conformance.STRICT, Conformance.CONFORMANT}
        return 0 if self.conformance in enough else 1

    def counts(self) -> dict[Level, dict[Verdict, int]]:
        """Count the findings of each level."""
        return {
            level: {verdict: len(self.of(verdict, [level])) for verdict in Verdict}
            for level in Level
        }

    def document(self) -> dict[str, object]:
        """Give all of it in the types of JSON; docs/verify.md describes the fields."""
        return {
            "suite": __version__,
            "python": platform.python_version(),
            "target": self.target,
            "implementation": self.loaded.factory,
            "closed": self.loaded.closed,
            "modes": self.modes,
            "part": self.part,
            "verdict": self.conformance,
            "sentence": self.sentence,
            "broken": [clause.id for clause in self.broken()],
            "counts": self.counts(),
            "printed": self.printed,
            "results": [
                {
                    "case": one.case.id,
                    "clause": one.case.clause.id,
                    "level": one.case.clause.level,
                    "door": one.door,
                    "verdict": one.result.verdict,
                    "expected": one.result.expected,
                    "observed": one.result.observed,
                    "trace": one.result.trace,
                    "repro": one.result.repro,
                    "wire": one.result.wire,
                    "declared": one.declared,
                }
                for one in self.findings
            ],
        }

    def _reason(self) -> str:
        """Say what the verdict rests on, to follow it."""
        match self.conformance:
            case Conformance.FAULT:
                return f": the suite itself failed in {counted(self.of(Verdict.FAULT), 'case')}"
            case Conformance.BROKEN:
                robust = self.broken([Level.ROBUST])
                more = f", and {counted(robust, 'robust one')}" if robust else ""
                return f": {counted(self.broken(BINDING), 'clause')} broken{more}"
            case Conformance.NOT_SHOWN:
                unreached = self.of(Verdict.UNREACHED, BINDING)
                return f": {counted(unreached, 'case')} could not be reached"
            case _:
                reason = self._not_strict()
                return f", but not strictly: {reason}" if reason else ""

    def _not_strict(self) -> str:
        """Say what of the robust clauses does not hold; empty: nothing."""
        if broken := self.broken([Level.ROBUST]):
            return f"{counted(broken, 'robust clause')} broken"
        if unreached := self.of(Verdict.UNREACHED, [Level.ROBUST]):
            return f"{counted(unreached, 'robust case')} could not be reached"
        return ""


def counted(things: Sized, noun: str) -> str:
    """Give the number of things and their noun."""
    return f"{len(things)} {noun}" + ("s" if len(things) != 1 else "")
