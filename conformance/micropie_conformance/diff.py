"""`micropie diff`: what has changed from one result to another."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from micropie.cli import Subparsers
from micropie_conformance.document import Document, DocumentError, Entry, Standing, read
from micropie_conformance.printing import Page, Terminal, printable
from micropie_conformance.report import counted
from micropie_conformance.worker import EXPLORED

__all__ = ["Change", "Kind", "add_parser", "compare", "run"]

_DESCRIPTION = """\
Compare two results that `micropie verify --json` wrote, case by case.

  worse        a case that was fine is broken, declared, not reached, or at fault;
               or what was declared is broken: a regression
  better       the other way round
  changed      otherwise, such as not reached before and broken now
  appeared     cases that OLD does not have; a new case that fails is no regression
  disappeared  cases that NEW does not have
"""

_EPILOG = """\
Fine is what passed, does not apply, or fails by a habit of the server.

examples:
  micropie verify mine:Socket --json old.json
  ...
  micropie verify mine:Socket --json new.json
  micropie diff old.json new.json
                                what has the change done?
  micropie diff conformance.json new.json || exit 1
                                in CI, against the result that is in the repository

exit status: 0 no regression; 1 a case is worse; 2 a file cannot be read or is no
             result
"""


class Kind(StrEnum):
    """What a change is."""

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"
    APPEARED = "appeared"
    DISAPPEARED = "disappeared"


_STYLES: Final = {Kind.WORSE: "bold red", Kind.BETTER: "bold green"}

# The better, the lower. Within one rank nothing gets better or worse: what was not reached before
# and is broken now has never been fine, and a habit of the server is nobody's regression.
_RANKS: Final = {
    Standing.PASSED: 0,
    Standing.NOT_APPLICABLE: 0,
    Standing.SERVER: 0,
    Standing.DECLARED: 1,
    Standing.UNREACHED: 2,
    Standing.BROKEN: 2,
    Standing.FAULT: 2,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one case; `old` or `new` is None where there is no such case."""

    old: Entry | None
    new: Entry | None

    @property
    def entry(self) -> Entry:
        """The case as it is now, or as it was."""
        entry = self.new or self.old
        assert entry is not None
        return entry

    @property
    def kind(self) -> Kind | None:
        """What it is; None: nothing has changed."""
        if self.old is None:
            return Kind.APPEARED
        if self.new is None:
            return Kind.DISAPPEARED
        old, new = self.old.standing, self.new.standing
        if old is new:
            return None
        step = _RANKS[new] - _RANKS[old]
        return Kind.WORSE if step > 0 else Kind.BETTER if step < 0 else Kind.CHANGED


def compare(old: Document, new: Document) -> dict[Kind, list[Change]]:
    """Give all that has changed, by what it is, in the order of the clauses."""
    before, after = _by_case(old), _by_case(new)
    both = [Change(before.get(key), after.get(key)) for key in dict.fromkeys([*before, *after])]
    order = {clause.id: number for number, clause in enumerate([*old.clauses, *new.clauses])}
    changes: dict[Kind, list[Change]] = {kind: [] for kind in Kind}
    for change in sorted(both, key=lambda change: order[change.entry.clause.id]):
        if change.kind is not None:
            changes[change.kind].append(change)
    return changes


def _by_case(document: Document) -> dict[tuple[str, str], Entry]:
    # However long the sequences were, they were explored.
    return {
        (entry.result.case, EXPLORED if entry.door.startswith(EXPLORED) else entry.door): entry
        for entry in document.entries
    }


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        "diff",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("old", metavar="OLD.json", help="the result to compare with")
    parser.add_argument("new", metavar="NEW.json", help="the result that is looked at")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what has changed from `args.old` to `args.new`; return the exit status."""
    try:
        old, new = read(args.old), read(args.new)
    except DocumentError as error:
        print(f"micropie diff: {printable(str(error))}", file=sys.stderr)
        return 2
    changes = compare(old, new)
    page = Page(Terminal(highlight=False))
    for label, document in (("old", old), ("new", new)):
        words = f"{document.name}, {document.date}, suite {document.suite}: {document.sentence}"
        page.line(words, indent=f"{label}  ")
    for kind, found in changes.items():
        if found:
            page.line()
            page.line(f"{kind}: {counted(found, 'case')}", _STYLES.get(kind, "bold"))
            _group(page, found)
    worse = changes[Kind.WORSE]
    page.line()
    if not worse:
        page.line("no regression", "bold green")
        return 0
    clauses = list(dict.fromkeys(change.entry.clause.id for change in worse))
    words = f"{counted(clauses, 'clause')} ({', '.join(clauses)})"
    page.line(f"regression: {counted(worse, 'case')} of {words}", "bold red")
    return 1


def _group(page: Page, changes: Sequence[Change]) -> None:
    """Write changes, below their clauses."""
    for clause, own in groupby(changes, key=lambda change: change.entry.clause):
        page.line(f"{clause.id} ({clause.level})  {clause.text}", indent="  ")
        for change in own:
            entry = change.entry
            steps = [one.standing for one in (change.old, change.new) if one is not None]
            page.line(f"{entry.result.case} ({entry.door}): {' -> '.join(steps)}", indent="    ")
            if change.kind is Kind.WORSE:
                if entry.result.expected:
                    page.line(entry.result.expected, indent="      expected  ")
                page.line(entry.result.observed, indent="      observed  ")
