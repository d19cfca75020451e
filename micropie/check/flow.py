"""The flow analysis, in words of the check."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from micropie.check.memory import Memory, Remembered
from micropie.check.report import CheckError, Entry, Severity

# It takes long to import, and what is remembered does without.
if TYPE_CHECKING:
    from micropie.flow import Checker, Finding

__all__ = ["Flow"]


class Flow:
    """The flow analysis of files.

    Args:
        here: Where modules are looked for that they import, after their own folders.
        cache: Where findings are remembered; None: they are not.
    """

    def __init__(self, here: Path, cache: Path | None = None) -> None:
        """Read what is remembered, and no other file yet."""
        self._here = here
        self._memory = Memory(cache, here)

    @cached_property
    def _checker(self) -> "Checker":
        from micropie.flow import Checker

        return Checker([self._here])

    def entries(self, files: Iterable[Path]) -> list[Entry]:
        """Give what is found in files.

        Raises:
            CheckError: A file cannot be read.
        """
        # A stub has no code.
        sources = [file for file in files if file.suffix == ".py"]
        found = {file: self._memory.recall(file) for file in sources}
        ahead = [file for file in sources if found[file] is None]
        if ahead:
            analysed = self._analysed(ahead)
            self._memory.keep(analysed, self._checker.consulted())
            found |= analysed
        return [_entry(str(file), one) for file in sources for one in found[file] or ()]

    def _analysed(self, files: list[Path]) -> dict[Path, list[Remembered]]:
        from micropie.flow.checker import Unreadable

        try:
            return {
                file: [*map(_remembered, found)] for file, found in self._checker.check_all(files)
            }
        except Unreadable as error:
            raise CheckError(str(error)) from error


def _remembered(finding: "Finding") -> Remembered:
    return (
        finding.line,
        finding.column,
        finding.code.value,
        finding.severity.value,
        finding.message,
        finding.origin,
    )


def _entry(file: str, finding: Remembered) -> Entry:
    line, column, code, severity, message, origin = finding
    # The values of the analysis' own severities are among them.
    of = cast(Severity, severity)
    return Entry(file, line, column, of, code, message, "flow", origin=origin)
