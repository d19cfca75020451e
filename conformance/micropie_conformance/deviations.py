"""What an implementation declares that it does otherwise: a TOML file with a table for each case
or clause that it breaks, and the reason in it.

    ["WS-CLOSE-003/second-close"]
    reason = "..."
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micropie_conformance.case import Case
from micropie_conformance.report import Finding
from micropie_conformance.runner import Verdict
from micropie_conformance.selection import CallError, near

__all__ = ["NONE", "Deviations", "declared_in"]


@dataclass(frozen=True, slots=True)
class Deviations:
    """The entries of a file."""

    file: str
    # By the id of a case, or of a clause for all its cases.
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])

    def reason(self, case: Case[Any]) -> str:
        """Give the reason that is declared for a case; empty: none."""
        return self.reasons.get(case.id) or self.reasons.get(case.clause.id, "")

    def covered(self, entry: str, cases: Sequence[Case[Any]]) -> list[Case[Any]]:
        """Give those of the cases that an entry is about."""
        return [case for case in cases if entry in (case.id, case.clause.id)]

    def check(
        self,
        findings: Sequence[Finding],
        ran: Collection[Case[Any]],
        every: Sequence[Case[Any]],
    ) -> None:
        """See that each entry is needed, as far as its cases ran.

        An entry for a clause is judged when all its cases ran; live ones need not, as they run
        only when they are asked for.

        Args:
            findings: What became of the cases.
            ran: The cases that ran. What is explored may have no finding.
            every: All cases that there are.

        Raises:
            CallError: All cases of an entry pass.
        """
        needless: list[str] = []
        for entry in self.reasons:
            cases = self.covered(entry, every)
            if not any(case in ran for case in cases):
                continue
            if any(case not in ran and not case.live for case in cases):
                continue
            verdicts = {one.result.verdict for one in findings if one.case in cases}
            if verdicts <= {Verdict.PASSED, Verdict.NOT_APPLICABLE, Verdict.SERVER}:
                needless.append(entry)
        if needless:
            raise CallError(
                f"{self.file} declares {' and '.join(needless)}, where nothing is broken: "
                "delete what has been mended"
            )


NONE = Deviations("")
"""Nothing is declared."""


def declared_in(file: str, cases: Sequence[Case[Any]]) -> Deviations:
    """Read a file of deviations.

    Args:
        file: Its path.
        cases: All cases that there are.

    Raises:
        CallError: It cannot be read, or an entry is not what it should be.
    """
    try:
        document = tomllib.loads(Path(file).read_text("utf-8"))
    except OSError as error:
        raise CallError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise CallError(
            f'{file} is not TOML, with an id in quotes, ["WS-SEND-001"]: {error}'
        ) from error
    known = {case.clause.id for case in cases} | {case.id for case in cases}
    reasons: dict[str, str] = {}
    for entry, table in document.items():
        if entry not in known:
            raise CallError(
                f"{file} declares {entry}: there is no such clause or case{near(entry, cases)}"
            )
        match table:
            case {"reason": str(reason), **rest} if reason.strip() and not rest:
                reasons[entry] = " ".join(reason.split())
            case _:
                raise CallError(
                    f'{file}: write ["{entry}"] and below it reason = "why it deviates", '
                    "and nothing else"
                )
    return Deviations(file, reasons)
