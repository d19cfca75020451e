"""What a check finds, from both of its sources, as one sorted list."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["CheckError", "Entry", "Report", "Severity", "merge", "name", "shown"]

Severity: TypeAlias = Literal["error", "warning", "note"]

# What mypy and the flow analysis call the same fault, found by both.
_SAME = {
    "never-awaited": "unused-coroutine",
    "syntax-error": "syntax",
}


class CheckError(Exception):
    """The files could not be checked; the message says why."""


class Entry(NamedTuple):
    """Something that was found."""

    # As one would call it in the current folder.
    file: str
    # Both from 1; None: it is about the file as a whole.
    line: int | None
    column: int | None
    severity: Severity
    code: str | None
    message: str
    source: Literal["mypy", "flow"]
    # What is said besides.
    notes: tuple[str, ...] = ()
    # The line where the connection's state came from.
    origin: int | None = None


class Report(NamedTuple):
    """What a check has found."""

    entries: list[Entry]
    # How many files were checked.
    checked: int
    # mypy could not go on: there is a file that it cannot parse.
    blocked: bool = False

    @property
    def faults(self) -> list[Entry]:
        """The entries that are no mere notes."""
        return [entry for entry in self.entries if entry.severity != "note"]


def name(file: Path) -> str:
    """A file as one would call it here."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)


def shown(path: str) -> str:
    """Give a path as a line of text can have it: what cannot be printed is escaped."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in path)


def merge(
    mypy: Iterable[Entry],
    flow: Iterable[Entry],
    order: Mapping[str, int],
    disabled: Collection[str] = (),
) -> list[Entry]:
    """Give all entries once, sorted by file, line and column.

    Args:
        mypy: What mypy has found; what it found twice counts once.
        flow: What the flow analysis has found; what mypy found as well is left out.
        order: The places of files; others come after them, by name.
        disabled: The codes that are left out.
    """
    entries = list(dict.fromkeys(mypy))
    known = {_fault(entry) for entry in entries}
    entries += (
        entry
        for entry in flow
        if entry.code not in _SAME or _fault(entry, _SAME[entry.code]) not in known
    )
    kept = [entry for entry in entries if entry.severity == "note" or entry.code not in disabled]
    last = len(order)
    return sorted(
        kept,
        key=lambda entry: (
            order.get(entry.file, last),
            entry.file,
            entry.line or 0,
            entry.column or 0,
        ),
    )


def _fault(entry: Entry, code: str | None = None) -> tuple[str, str | None, int | None]:
    """What the same fault has in common, whoever finds it."""
    code = code or entry.code
    # Of the faults of syntax there is one in a file, and not everyone finds it at the same place.
    return entry.file, code, None if code == "syntax" else entry.line
