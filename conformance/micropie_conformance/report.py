"""What a run found out: the verdict, the exit status and the JSON document."""

import os
import platform
from collections import Counter
from collections.abc import Collection, Sized
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from micropie_conformance import __version__
from micropie_conformance.case import Case, registered
from micropie_conformance.catalogue import CLAUSES, Clause, Level
from micropie_conformance.explore.cases import explored
from micropie_conformance.isolation import Loaded
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.static import Typed

__all__ = ["BINDING", "SCHEMA", "Conformance", "Finding", "Report", "counted", "now"]

SCHEMA: Final = 1
"""The version of the JSON document: another one where a field goes or means something else."""

BINDING: Final = (Level.DOCUMENTED, Level.ASGI)
"""The levels that decide on conformance; strict conformance is decided by ROBUST as well."""


class Conformance(StrEnum):
    """The verdict on an implementation."""

    # Every clause that was tried holds, the robust ones too.
    STRICT = "strictly conformant"
    # What is documented holds, and what it needs of ASGI.
    CONFORMANT = "conformant"
    # What does not hold of that, the implementation declares.
    DECLARED = "conformant but for declared deviations"
    # A documented or an ASGI clause is broken, or its types do not fit and that was asked.
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

    @property
    def deviates(self) -> bool:
        """Whether it is broken, or cannot be reached, and that is declared."""
        verdicts = (Verdict.BROKEN, Verdict.UNREACHED)
        return self.declared != "" and self.result.verdict in verdicts


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
    # What the implementation is called in reports; empty: as the target.
    name: str = ""
    # What is declared to deviate and does not, by its ids.
    needless: tuple[str, ...] = ()
    # When it was run, as `now` gives it.
    date: str = field(default_factory=lambda: now())
    # What each type checker found; empty: none was asked.
    types: list[Typed] = field(default_factory=list[Typed])

    def of(self, verdict: Verdict, levels: Collection[Level] = tuple(Level)) -> list[Finding]:
        """Give the findings with this verdict at these levels."""
        return [
            one
            for one in self.findings
            if one.result.verdict is verdict and one.case.clause.level in levels
        ]

    def undeclared(
        self, verdict: Verdict, levels: Collection[Level] = tuple(Level)
    ) -> list[Finding]:
        """Give the findings with this verdict at these levels, without the declared deviations."""
        return [one for one in self.of(verdict, levels) if not one.deviates]

    def broken(self, levels: Collection[Level] = (*BINDING, Level.ROBUST)) -> list[Clause]:
        """Give the broken clauses of these levels, each once, but for the declared deviations."""
        found = self.undeclared(Verdict.BROKEN, levels)
        return list(dict.fromkeys(one.case.clause for one in found))

    @property
    def deviations(self) -> list[Clause]:
        """The clauses of the declared deviations, each once."""
        return list(dict.fromkeys(one.case.clause for one in self.findings if one.deviates))

    def excused(self) -> dict[str, str]:
        """Give the clauses that ran and do not apply by the target's own word, with its reasons."""
        return {
            one.case.clause.id: one.result.observed
            for one in self.of(Verdict.NOT_APPLICABLE)
            if one.case.clause.id in self.loaded.not_applicable
        }

    @property
    def mistyped(self) -> list[str]:
        """The members whose types do not fit, each once."""
        found = [mismatch.member for one in self.types for mismatch in one.mismatches]
        return list(dict.fromkeys(found))

    @property
    def conformance(self) -> Conformance:
        """The verdict."""
        if self.of(Verdict.FAULT):
            return Conformance.FAULT
        if self.broken(BINDING) or self.mistyped:
            return Conformance.BROKEN
        if self.undeclared(Verdict.UNREACHED, BINDING):
            return Conformance.NOT_SHOWN
        if self.deviations:
            return Conformance.DECLARED
        if not self.robust or self._not_strict():
            return Conformance.CONFORMANT
        return Conformance.STRICT

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        words: str = self.conformance
        if self.conformance is Conformance.DECLARED:
            words = f"conformant but for {counted(self.deviations, 'declared deviation')}"
        excused = self.excused()
        return (
            f"{words}{self._reason()}"
            + (f" ({counted(excused, 'clause')} not applicable by its own word)" if excused else "")
            + (f" (of the part that ran: {self.part})" if self.part else "")
            + (
                f"; {counted(self.needless, 'declared deviation')} to delete"
                if self.needless
                else ""
            )
        )

    def status(self, strict: bool) -> int:
        """Give the exit status; `strict` asks for strict conformance but for what is declared."""
        if self.conformance is Conformance.FAULT:
            return 3
        if self.needless:
            return 2
        if self.conformance in (Conformance.BROKEN, Conformance.NOT_SHOWN):
            return 1
        return 1 if strict and (not self.robust or self._not_strict()) else 0

    def counts(self) -> dict[Level, dict[Verdict, int]]:
        """Count the findings of each level."""
        return {
            level: {verdict: len(self.of(verdict, [level])) for verdict in Verdict}
            for level in Level
        }

    def document(self) -> dict[str, object]:
        """Give all of it in the types of JSON; result.schema.json describes the fields."""
        memory, live = registered()
        every: list[Case[Any]] = [*memory, *explored(), *live]
        cases = Counter(case.clause.id for case in every)
        return {
            "schema": SCHEMA,
            "suite": __version__,
            "python": platform.python_version(),
            "date": self.date,
            "name": self.name or self.target,
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
            "types": [asdict(one) for one in self.types],
            "clauses": [asdict(clause) | {"cases": cases[clause.id]} for clause in CLAUSES],
            "results": [
                {
                    "case": one.case.id,
                    "clause": one.case.clause.id,
                    "level": one.case.clause.level,
                    "does": one.case.text,
                    "door": one.door,
                    "verdict": one.result.verdict,
                    "expected": one.result.expected,
                    "observed": one.result.observed,
                    "trace": one.result.trace,
                    "repro": one.result.repro,
                    "wire": one.result.wire,
                    "habit": one.result.habit,
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
                reasons: list[str] = []
                if broken := self.broken(BINDING):
                    robust = self.broken([Level.ROBUST])
                    more = f", and {counted(robust, 'robust one')}" if robust else ""
                    reasons.append(f"{counted(broken, 'clause')} broken{more}")
                if self.mistyped:
                    reasons.append(f"types of {counted(self.mistyped, 'member')} do not fit")
                return f": {'; '.join(reasons)}"
            case Conformance.NOT_SHOWN:
                unreached = self.undeclared(Verdict.UNREACHED, BINDING)
                return f": {counted(unreached, 'case')} could not be reached"
            case _:
                reason = self._not_strict()
                but = "and" if self.deviations else "but"
                return f", {but} not strictly: {reason}" if reason else ""

    def _not_strict(self) -> str:
        """Say what of the robust clauses does not hold; empty: nothing."""
        if broken := self.broken([Level.ROBUST]):
            return f"{counted(broken, 'robust clause')} broken"
        if unreached := self.undeclared(Verdict.UNREACHED, [Level.ROBUST]):
            return f"{counted(unreached, 'robust case')} could not be reached"
        return ""


def now() -> str:
    """Give the time in UTC, to the second, by ISO 8601; SOURCE_DATE_EPOCH stands for the clock.

    Raises:
        ValueError: SOURCE_DATE_EPOCH is no number of seconds since 1970.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        moment = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"SOURCE_DATE_EPOCH is {epoch!r}, not a number of seconds since 1970"
        ) from None
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def counted(things: Sized, noun: str) -> str:
    """Give the number of things and their noun."""
    return f"{len(things)} {noun}" + ("s" if len(things) != 1 else "")
