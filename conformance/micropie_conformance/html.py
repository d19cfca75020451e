"""Results as a page: which implementation keeps which clause, and what there is behind it.

The page is index.html; each implementation has one of its own beside it. They need no network, no
server and, but for the filter, no JavaScript.
"""

import argparse
import base64
import hashlib
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from micropie.cli import Subparsers
from micropie_conformance.catalogue import Clause, Level
from micropie_conformance.diagram import diagram
from micropie_conformance.document import Document, DocumentError, Entry, Standing, read
from micropie_conformance.printing import printable
from micropie_conformance.report import Conformance

__all__ = ["add_parser", "check_folder", "pages", "run", "write"]

_DESCRIPTION = """\
Write results of `micropie verify --json` as a page: a matrix of implementations
and clauses, with all that was observed behind each cell. It is DIR/index.html,
with a page for each implementation beside it; they need neither network nor server.
"""

_EPILOG = """\
examples:
  micropie verify mine:Socket --name "Mine 2.1" --json mine.json
  micropie report mine.json --html build/report
  micropie report results/*.json --html build/matrix
                                several implementations, side by side

exit status: 0 written; 2 a file cannot be read or is no result, or DIR cannot be
             written
"""

# What a standing looks like without colour, and what it means.
_LEGEND: Final = {
    Standing.PASSED: ("✓", "every case shows what the clause says"),
    Standing.BROKEN: ("✗", "a case shows that the clause does not hold"),
    Standing.UNREACHED: ("?", "something else went wrong before the clause could be tried"),
    Standing.DECLARED: ("D", "it deviates, and declares why"),
    Standing.SERVER: ("S", "it deviates behind a server whose habit explains that"),
    Standing.NOT_APPLICABLE: ("-", "it has no counterpart of what the clause speaks of"),
    Standing.FAULT: ("F", "the suite itself failed, which says nothing of the implementation"),
    Standing.NOT_RUN: ("·", "this run left the clause out, or its suite does not have it"),
    Standing.UNTESTED: ("○", "the suite has no case for the clause"),
    Standing.NOT_JUDGED: ("i", "a free choice"),
}

_LEVELS: Final = {
    Level.DOCUMENTED: "rests on a sentence of the reference page",
    Level.ASGI: "rests on the ASGI specification",
    Level.ROBUST: "what the best peers do; who breaks it is conformant, but not strictly",
    Level.INFO: "a free choice, never judged",
}

# Those that count in a share: what was judged, and by the implementation's own doing.
_JUDGED: Final = (
    Standing.PASSED,
    Standing.BROKEN,
    Standing.UNREACHED,
    Standing.DECLARED,
    Standing.FAULT,
)


@dataclass(frozen=True, slots=True)
class Column:
    """An implementation, and what its page is called."""

    document: Document
    slug: str
    # How each clause of the page stands, by its id.
    standings: dict[str, Standing]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.document.name

    @property
    def fine(self) -> bool:
        """Whether it is conformant."""
        return self.document.verdict in (Conformance.STRICT, Conformance.CONFORMANT)

    def share(self, clauses: Sequence[Clause]) -> str:
        """Say how many of the clauses that were judged hold; percentages are rounded down."""
        found = [self.standings[clause.id] for clause in clauses]
        judged = sum(standing in _JUDGED for standing in found)
        held = found.count(Standing.PASSED)
        return f"{held} of {judged} ({100 * held // judged}%)" if judged else "-"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a case; what is alike behind several doors is shown once."""

    # What a link to it names: the case, and where that came to different things, a door.
    anchor: str
    entry: Entry
    doors: list[str]


def pages(documents: Sequence[Document]) -> dict[str, str]:
    """Give the files, by name, that show these results."""
    clauses = _clauses(documents)
    columns = [
        Column(document, slug, {clause.id: document.standing(clause) for clause in clauses})
        for document, slug in zip(documents, _slugs(documents), strict=True)
    ]
    areas = [(area, [*own]) for area, own in groupby(clauses, key=lambda clause: clause.area)]
    environment = Environment(
        loader=PackageLoader("micropie_conformance"),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _part("script.js")
    common = {
        "areas": areas,
        "clauses": clauses,
        "columns": columns,
        "date": max(document.date for document in documents),
        "diagram": diagram,
        "legend": _LEGEND,
        "levels": _LEVELS,
        "lines": _lines,
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "style": Markup(_part("style.css")),
    }
    untested = [
        clause
        for clause in clauses
        if any(column.standings[clause.id] is Standing.UNTESTED for column in columns)
    ]
    found = {"index.html": environment.get_template("index.html").render(common, untested=untested)}
    template = environment.get_template("implementation.html")
    for column in columns:
        shown = {clause.id: _shown(column.document.of(clause.id)) for clause in clauses}
        found[f"{column.slug}.html"] = template.render(common, column=column, shown=shown)
    return found


def write(documents: Sequence[Document], folder: str) -> None:
    """Write the files into a folder, which is made where there is none.

    Raises:
        OSError: They cannot be written.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    for name, text in pages(documents).items():
        (path / name).write_text(text, encoding="utf-8")


def check_folder(folder: str) -> None:
    """See whether files can be written into a folder, or it can be made; nothing is left behind.

    Raises:
        OSError: They cannot.
    """
    path = Path(folder).absolute()
    nearest = next(one for one in (path, *path.parents) if one.exists())
    with tempfile.TemporaryFile(dir=nearest):
        pass


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        "report",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "results", nargs="+", metavar="RESULT.json", help="what micropie verify --json has written"
    )
    parser.add_argument(
        "--html", required=True, metavar="DIR", help="the folder to write the page into"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the pages of `args.results` into `args.html`; return the exit status."""
    try:
        write([read(name) for name in args.results], args.html)
    except DocumentError as error:
        print(f"micropie report: {printable(str(error))}", file=sys.stderr)
        return 2
    except OSError as error:
        words = f"cannot write {args.html}: {error.strerror}"
        print(f"micropie report: {printable(words)}", file=sys.stderr)
        return 2
    print(f"wrote {printable(str(Path(args.html) / 'index.html'))}")
    return 0


def _clauses(documents: Sequence[Document]) -> list[Clause]:
    """Give every clause once, as the newest suite has it; the areas stay together."""
    found: dict[str, Clause] = {}
    for document in sorted(documents, key=lambda document: document.suite, reverse=True):
        for clause in document.clauses:
            found.setdefault(clause.id, clause)
    areas = [*dict.fromkeys(clause.area for clause in found.values())]
    return sorted(found.values(), key=lambda clause: areas.index(clause.area))


def _slugs(documents: Sequence[Document]) -> list[str]:
    """Give each document a name that a file and a link can have, and no other has."""
    slugs: list[str] = ["index"]
    for document in documents:
        plain = re.sub("[^a-z0-9]+", "-", document.name.lower()).strip("-")[:60] or "unnamed"
        number = 1
        slug = plain
        while slug in slugs:
            number += 1
            slug = f"{plain}-{number}"
        slugs.append(slug)
    return slugs[1:]


def _shown(entries: Sequence[Entry]) -> list[Shown]:
    """Put together what is alike but for the door; the worst comes first."""
    found: dict[tuple[str, ...], Shown] = {}
    anchors: set[str] = set()
    for entry in entries:
        result = entry.result
        key = (result.case, entry.standing, entry.declared, result.expected, result.observed)
        if key not in found:
            anchor = f"{result.case}@{entry.door}" if result.case in anchors else result.case
            anchors.add(anchor)
            found[key] = Shown(anchor, entry, [])
        found[key].doors.append(entry.door)
    worst = [*Standing]
    return sorted(found.values(), key=lambda shown: worst.index(shown.entry.standing))


def _harmless(value: object) -> object:
    """Show what is not printable as escapes; markup is our own."""
    return value if isinstance(value, Markup) else printable(str(value))


def _lines(text: str) -> Markup:
    """Give text whose line breaks count."""
    return Markup("\n").join(printable(line) for line in text.splitlines())


def _part(name: str) -> str:
    folder = resources.files("micropie_conformance") / "templates"
    return (folder / name).read_text(encoding="utf-8")
