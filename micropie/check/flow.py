"""The flow analysis, in words of the check."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from micropie.check.beside import Analysed, beside, has_room
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
        self._cache = cache
        self._memory = Memory(cache, here)

    @contextmanager
    def begin(
        self, files: Iterable[Path], *, meanwhile: bool
    ) -> Generator[Callable[[], list[Entry]], None, None]:
        """Look at files.

        Args:
            files: Their names are those of the findings.
            meanwhile: Whether this process has something else to do before it asks.

        Yields:
            What gives the findings.

        Raises:
            CheckError: A file cannot be read; at once, or when the findings are asked for.
        """
        # A stub has no code.
        sources = [file for file in files if file.suffix == ".py"]
        known = {str(file): self._memory.recall(file) for file in sources}
        ahead = [file for file in sources if known[str(file)] is None]

        def entries(analysed: Analysed) -> list[Entry]:
            found = known | analysed
            return [_entry(name, one) for name in map(str, sources) for one in found[name] or ()]

        if ahead and meanwhile and has_room():
            with beside(self._here, self._cache, ahead) as analysed:
                yield lambda: entries(analysed() or self.analyse(ahead))
        else:
            found = entries(self.analyse(ahead) if ahead else {})
            yield lambda: found

    def analyse(self, files: Iterable[Path]) -> Analysed:
        """Analyse files and remember what is found.

        Raises:
            CheckError: A file cannot be read.
        """
        from micropie.flow import Checker
        from micropie.flow.checker import Unreadable

        checker = Checker([self._here])
        try:
            found = {str(file): [*map(_remembered, its)] for file, its in checker.check_all(files)}
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
