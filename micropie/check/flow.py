"""The flow analysis, in words of the check."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from micropie.check.report import CheckError, Entry

# It takes long to import, and mypy can be at work meanwhile.
if TYPE_CHECKING:
    from micropie.flow import Checker, Finding

__all__ = ["Flow"]


class Flow:
    """The flow analysis of files.

    Args:
        roots: Where modules are looked for that they import, after their own folders.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        """Nothing is read yet."""
        self._roots = roots

    @cached_property
    def _checker(self) -> "Checker":
        from micropie.flow import Checker

        return Checker(self._roots)

    def entries(self, files: Iterable[Path]) -> list[Entry]:
        """Give what is found in files.

        Raises:
            CheckError: A file cannot be read.
        """
        from micropie.flow.checker import Unreadable

        try:
            return [
                _entry(str(file), finding)
                # A stub has no code.
                for file, found in self._checker.check_all(
                    file for file in files if file.suffix == ".py"
                )
                for finding in found
            ]
        except Unreadable as error:
            raise CheckError(str(error)) from error


def _entry(file: str, finding: "Finding") -> Entry:
    return Entry(
        file=file,
        line=finding.line,
        column=finding.column,
        severity=finding.severity.value,
        code=finding.code.value,
        message=finding.message,
        source="flow",
        origin=finding.origin,
    )
