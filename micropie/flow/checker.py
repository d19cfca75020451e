"""Check a file: read it, analyse its functions, leave out what its comments silence."""

import tokenize
from collections.abc import Sequence
from pathlib import Path

from micropie.flow.findings import Finding

__all__ = ["Checker", "Unreadable"]


class Unreadable(Exception):
    """A file cannot be read; the message names it and says why."""


class Checker:
    """Checks files, one after the other.

    Args:
        roots: Where modules are looked for that a file imports, after the folder that the file
            itself is imported from.
    """

    def __init__(self, roots: Sequence[Path] = ()) -> None:
        """Hold where to look; nothing is read yet."""
        self._roots = tuple(roots)

    def check(self, file: Path) -> list[Finding]:
        """Give what is found in a file, by line.

        A file that is no valid Python is a finding, with the code `syntax-error`.

        Raises:
            Unreadable: There is no such file, or it cannot be read or decoded.
        """
        raise NotImplementedError
