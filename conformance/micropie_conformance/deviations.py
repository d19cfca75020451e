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

    def judged(self, entry: str, ran: Collection[Case[Any]], every: Sequence[Case[Any]]) -> bool:
        """Whether so much ran that it is known whether an entry is needed.

        An entry for a clause needs all its cases; live ones it need not have, as they run only
        when they are asked for.

        Args:
            entry: The id.
            ran: The cases that ran.
            every: All cases that there are.
        """
        cases = [case for case in every if _covers(entry, case)]
        return any(case in ran for case in cases) and all(
            case in ran or case.live for case in cases
        )

    def needless(self, entry: str, findings: Sequence[Finding]) -> bool:
        """Whether all cases of an entry pass, by what became of those that ran."""
        verdicts = {one.result.verdict for one in findings if _covers(entry, one.case)}
        return verdicts <= {Verdict.PASSED, Verdict.NOT_APPLICABLE, Verdict.SERVER}

    def complaint(self, entries: Sequence[str]) -> str:
        """Say that these entries are not needed."""
        return (
            f"{self.file} declares {' and '.join(entries)}, where nothing is broken: "
            "delete what has been mended"
        )


def _covers(entry: str, case: Case[Any]) -> bool:
    return entry in (case.id, case.clause.id)


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
