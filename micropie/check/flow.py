"""The flow analysis, in words of the check."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from micropie.check.beside import beside
from micropie.check.memory import Memory, Remembered
from micropie.check.report import CheckError, Entry, Severity

# It takes long to import, and what is remembered does without.
if TYPE_CHECKING:
    from micropie.flow import Finding

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

    def begin(self, files: Iterable[Path]) -> Callable[[], list[Entry]]:
        """Begin to look at files, beside what this process does.

        Returns:
            What waits until that is done and gives what is found. It raises CheckError: a file
            cannot be read.
        """
        # A stub has no code.
        sources = [file for file in files if file.suffix == ".py"]
        found = {file: self._memory.recall(file) for file in sources}
        ahead = [file for file in sources if found[file] is None]
        analysed = beside(partial(self._analysed, ahead)) if ahead else dict[Path, list[Remembered]]

        def entries() -> list[Entry]:
            known = found | analysed()
            return [_entry(str(file), one) for file in sources for one in known[file] or ()]

        return entries

    def _analysed(self, files: list[Path]) -> dict[Path, list[Remembered]]:
        from micropie.flow import Checker
        from micropie.flow.checker import Unreadable

        checker = Checker([self._here])
        try:
            found = {file: [*map(_remembered, its)] for file, its in checker.check_all(files)}
        except Unreadable as error:
            raise CheckError(str(error)) from error
        self._memory.keep(found, checker.consulted())
        return found


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
