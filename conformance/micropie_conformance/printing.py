"""What a person reads: the report, the list of clauses and cases, and all about one clause.

On a terminal it is coloured and fits the width. Elsewhere, in a pipe or a file, it is plain text
whose lines are as long as they are, for `grep` and its like.
"""

import platform
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from micropie.mismatch import Mismatch
from micropie_conformance import __version__
from micropie_conformance.case import Case
from micropie_conformance.catalogue import Clause, Level
from micropie_conformance.isolation import Loaded
from micropie_conformance.report import BINDING, Conformance, Finding, Report, counted
from micropie_conformance.runner import Verdict

__all__ = ["Page", "Terminal", "printable"]

_COLOURS: Final = {
    Conformance.STRICT: "bold green",
    Conformance.CONFORMANT: "bold green",
    Conformance.DECLARED: "bold green",
    Conformance.BROKEN: "bold red",
    Conformance.NOT_SHOWN: "bold red",
    Conformance.FAULT: "bold magenta",
}

# None: what is not kept, as declared.
_COLUMNS: Final[dict[Verdict | None, tuple[str, str]]] = {
    Verdict.PASSED: ("passed", ""),
    Verdict.BROKEN: ("broken", "red"),
    Verdict.UNREACHED: ("unreached", "yellow"),
    Verdict.NOT_APPLICABLE: ("n/a", "dim"),
    Verdict.SERVER: ("server's", "dim"),
    None: ("declared", "yellow"),
}

_MEANINGS: Final = {
    Level.DOCUMENTED: "it rests on the reference page; who breaks it is not conformant",
    Level.ASGI: "it rests on the ASGI specification; who breaks it is not conformant",
    Level.ROBUST: "the best peers do it; who breaks it is conformant, but not strictly",
    Level.INFO: "a free choice, recorded and never judged",
}

# How wide the labels of a report are.
_LABEL: Final = 10

# Of what the target printed, and of clauses that could not be reached.
_MOST_LINES: Final = 3
_MOST_CLAUSES: Final = 12


class Terminal(Console):
    """rich's console, but for a reader that goes away early."""

    def on_broken_pipe(self) -> None:
        """Raise it: rich would end with exit status 1, which is a verdict here."""
        raise


class Page:
    """Writes to a console.

    What comes from a target may hold anything, so control characters are shown as escapes, and
    rich's markup is never looked for.
    """

    def __init__(self, console: Console) -> None:
        """Hold the console."""
        self._console = console

    def report(self, report: Report) -> None:
        """Write the report of a run; the verdict is its last line."""
        self._line(f"micropie verify {report.target}", "bold")
        self._line()
        self._item("target", report.loaded.factory)
        self._item("raises", report.loaded.closed)
        self._item("suite", f"{__version__}, on Python {platform.python_version()}")
        for number, mode in enumerate(report.modes):
            self._item("" if number else "ran", mode)
        self._line()
        self._console.print(_table(report.findings))
        for clause in (*report.broken(BINDING), *report.broken([Level.ROBUST])):
            self._line()
            self._broken(clause, report)
        for clause in report.deviations:
            self._line()
            self._deviates(clause, report)
        self._types(report)
        self._unreached(report)
        self._habits(report)
        self._excused(report)
        self._faults(report)
        if report.printed:
            self._line()
            self._line("The target printed, at the end of it:")
            for line in report.printed.splitlines()[-_MOST_LINES:]:
                self._wrap("  | ", line, "dim")
        if report.loaded.takes:
            name = report.target.rpartition(":")[2]
            self._line()
            self._line(f"{name}(receive, send) cannot be called: it takes {report.loaded.takes}.")
            self._line(
                "Name a function that makes one of (receive, send) as TARGET: "
                f"def make(receive, send): return {name}(...)"
            )
        self._line()
        colour = "bold red" if report.needless else _COLOURS[report.conformance]
        self._line(report.sentence, colour)

    def line(self, words: str = "", style: str = "", indent: str = "") -> None:
        """Write one line of anything."""
        self._wrap(indent, words, style)

    def clauses(self, clauses: Iterable[Clause], cases: Sequence[Case[Any]]) -> None:
        """List clauses, each with its cases."""
        for clause in clauses:
            self._wrap(f"{clause.id}  {clause.level:<10}  {clause.since}  ", clause.text)
            own = [case for case in cases if case.clause is clause]
            for case in own:
                self._wrap("    ", case.id + _marks(case), "dim")
            if not own and clause.level is not Level.INFO:
                self._wrap("    ", "untested", "yellow")

    def clause(
        self, clause: Clause, cases: Sequence[Case[Any]], expected: Mapping[str, list[str]]
    ) -> None:
        """Tell all about one clause; `expected` has what a case expects, by its id."""
        self._about(clause)
        own = [case for case in cases if case.clause is clause]
        self._item("cases", "" if own else "none: the clause is untested")
        for text, alike in groupby(own, key=lambda case: case.text):
            group = list(alike)
            for case in group:
                self._wrap("    ", case.id + _marks(case))
            self._wrap("        ", text, "dim")
            outcomes = [expected.get(case.id, []) for case in group]
            label = "expected" if all(one == outcomes[0] for one in outcomes) else "expected first"
            if outcomes[0]:
                self._wrap(f"        {label}: ", "; ".join(outcomes[0]), "green")

    def case(self, case: Case[Any], steps: Sequence[str], expected: Sequence[str]) -> None:
        """Tell all about one case, with the steps and what is expected where that is known."""
        self._about(case.clause)
        self._item("case", case.id + _marks(case))
        self._item("does", case.text)
        if steps:
            self._item("steps", "as the reference implementation goes through them")
        for number, words in enumerate(steps, 1):
            self._wrap(f"  {number:>8}  ", words)
        for number, words in enumerate(expected):
            self._item("" if number else "expected", words, "green")

    def _about(self, clause: Clause) -> None:
        self._line(clause.id, "bold")
        self._wrap("  ", clause.text)
        self._quote(clause)
        self._item("level", f"{clause.level}: {_MEANINGS[clause.level]}")
        self._item("since", clause.since)

    def _broken(self, clause: Clause, report: Report) -> None:
        self._line(f"{clause.id} ({clause.level}) is broken", "bold red")
        self._wrap("  ", clause.text)
        self._quote(clause)
        failures: dict[tuple[str, str], list[Finding]] = {}
        for one in report.undeclared(Verdict.BROKEN):
            if one.case.clause is clause:
                key = (one.result.expected, one.result.observed)
                failures.setdefault(key, []).append(one)
        for number, ((expected, observed), alike) in enumerate(failures.items()):
            first = alike[0]
            doors: dict[str, list[str]] = {}
            for one in alike:
                doors.setdefault(one.case.id, []).append(one.door)
            names = [
                id if len(report.modes) == 1 else f"{id} ({', '.join(where)})"
                for id, where in doors.items()
            ]
            self._line()
            self._item("case", names[0])
            if number == 0:
                self._item("does", first.case.text)
            if len(names) > 1:
                self._item("also", ", ".join(names[1:]))
            self._item("expected", expected, "green")
            self._item("observed", observed, "red")
            if first.result.repro:
                command = ["micropie", "verify", report.target, "--repro", first.case.id]
                self._item("repro", shlex.join(command))
            if number == 0:
                for step, words in enumerate(first.result.trace, 1):
                    self._wrap(f"  {step:>8}  ", words)
                for line, words in enumerate(first.result.wire):
                    self._item("" if line else "wire", words)

    def failure(self, one: Finding, target: str) -> None:
        """Write what became of one case that did not pass."""
        clause, result = one.case.clause, one.result
        if result.verdict is Verdict.BROKEN:
            modes = [one.door]
            self._broken(clause, Report(target, Loaded("", ""), modes, "", True, [one]))
            return
        self._line(f"{clause.id} ({clause.level}) could not be reached", "bold yellow")
        self._wrap("  ", clause.text)
        self._quote(clause)
        self._line()
        self._item("case", one.case.id)
        self._item("does", one.case.text)
        self._item("observed", result.observed)
        for step, words in enumerate(result.trace, 1):
            self._wrap(f"  {step:>8}  ", words)

    def _deviates(self, clause: Clause, report: Report) -> None:
        self._line(f"{clause.id} ({clause.level}) is not kept, as declared", "bold yellow")
        self._wrap("  ", clause.text)
        self._quote(clause)
        found = [one for one in report.findings if one.deviates and one.case.clause is clause]
        for reason in dict.fromkeys(one.declared for one in found):
            self._item("reason", reason)
            ids = dict.fromkeys(one.case.id for one in found if one.declared == reason)
            for number, id in enumerate(ids):
                self._item("" if number else "cases", id)

    def _types(self, report: Report) -> None:
        if not report.types:
            return
        found: dict[Mismatch, list[str]] = {}
        for one in report.types:
            for mismatch in one.mismatches:
                found.setdefault(mismatch, []).append(one.by)
        by = " and ".join(one.by for one in report.types)
        self._line()
        if not found:
            self._line(f"The types fit the contract, by {by}", "bold")
            return
        self._line(f"The types do not fit the contract, by {by}", "bold red")
        for mismatch, checkers in found.items():
            alone = "" if len(checkers) == len(report.types) else f" (by {checkers[0]} alone)"
            self._wrap(f"  {mismatch.member}: ", mismatch.problem + alone)

    def _unreached(self, report: Report) -> None:
        for reason, alike in _grouped(report.undeclared(Verdict.UNREACHED), "observed").items():
            self._line()
            self._line(f"{counted(alike, 'case')} could not be reached", "bold yellow")
            self._item("observed", reason)
            self._clauses(alike)

    def _habits(self, report: Report) -> None:
        for habit, alike in _grouped(report.of(Verdict.SERVER), "habit").items():
            self._line()
            self._line(f"{counted(alike, 'case')} failed by a habit of the server", "bold")
            self._item("habit", habit)
            self._clauses(alike)
        known = [one for one in report.of(Verdict.PASSED) if one.result.habit]
        for habit, alike in _grouped(known, "habit").items():
            self._line()
            self._line(f"habit gone: {counted(alike, 'case')} passed in spite of it", "bold yellow")
            self._item("habit", habit)
            self._clauses(alike)

    def _clauses(self, findings: Sequence[Finding]) -> None:
        clauses = list(dict.fromkeys(one.case.clause.id for one in findings))
        more = len(clauses) - _MOST_CLAUSES
        words = ", ".join(clauses[:_MOST_CLAUSES]) + (f" and {more} more" if more > 0 else "")
        self._item("clauses", words)

    def _excused(self, report: Report) -> None:
        reasons: dict[str, list[str]] = {}
        for id, reason in report.excused().items():
            reasons.setdefault(reason, []).append(id)
        for reason, clauses in reasons.items():
            self._line()
            self._line(f"{counted(clauses, 'clause')} not applicable, by its own word", "bold")
            self._item("reason", reason)
            self._item("clauses", ", ".join(clauses))
        others = [
            one
            for one in report.of(Verdict.NOT_APPLICABLE)
            if one.case.clause.id not in report.excused()
        ]
        for reason, alike in _grouped(others, "observed").items():
            self._line()
            self._line(f"{counted(alike, 'case')} not applicable", "bold")
            self._item("reason", reason)
            self._clauses(alike)

    def _faults(self, report: Report) -> None:
        for one in report.of(Verdict.FAULT):
            self._line()
            self._line(f"The suite itself failed in {one.case.id} ({one.door})", "bold magenta")
            self._line("That says nothing about the target. Please report it, with these lines:")
            for line in one.result.observed.splitlines():
                self._wrap("  ", line)

    def _quote(self, clause: Clause) -> None:
        quote = f'"{clause.quote}" ({clause.source})' if clause.quote else f"({clause.source})"
        self._wrap("  ", quote, "italic dim")

    def _item(self, label: str, words: str, style: str = "") -> None:
        self._wrap(f"  {label:<{_LABEL}}", words, style)

    def _line(self, words: str = "", style: str = "") -> None:
        self._wrap("", words, style)

    def _wrap(self, label: str, words: str, style: str = "") -> None:
        encoding = self._console.encoding
        words = printable(words).encode(encoding, "backslashreplace").decode(encoding)
        text = Text(words, style)
        lines = [text]
        if self._console.is_terminal:
            lines = list(text.wrap(self._console, max(20, self._console.width - len(label))))
        for line in lines or [text]:
            line = Text(label) + line
            line.rstrip()
            self._console.print(line, soft_wrap=True)
            label = " " * len(label)


def _grouped(findings: Iterable[Finding], field: str) -> dict[str, list[Finding]]:
    """Group findings by a field of their results."""
    groups: dict[str, list[Finding]] = {}
    for one in findings:
        groups.setdefault(getattr(one.result, field), []).append(one)
    return groups


def _table(findings: list[Finding]) -> Table:
    """Count findings: a row for each level of each area, and one for each level of all."""
    table = Table(box=None, pad_edge=False)
    table.add_column("  area")
    table.add_column("level")
    columns = dict(_COLUMNS)
    for column in (Verdict.SERVER, None):
        if all(_column(one) is not column for one in findings):
            del columns[column]
    for heading, style in columns.values():
        table.add_column(heading, justify="right", style=style)
    counts: dict[str, dict[Level, Counter[Verdict | None]]] = {}
    for one in findings:
        for area in (one.case.clause.area, "all"):
            levels = counts.setdefault(area, {level: Counter() for level in Level})
            levels[one.case.clause.level][_column(one)] += 1
    # At the end, unless it says what the only area does.
    every = counts.pop("all", {})
    for area, levels in [*counts.items(), *([("all", every)] if len(counts) > 1 else [])]:
        label = f"  {area.lower()}"
        for level, found in levels.items():
            if found:
                table.add_row(label, level, *(str(found[verdict] or "-") for verdict in columns))
                label = ""
    return table


def _column(one: Finding) -> Verdict | None:
    return None if one.deviates else one.result.verdict


def _marks(case: Case[Any]) -> str:
    """Say what is particular about a case, to follow its id."""
    live = "  (live)" if case.live else ""
    return live + (f"  (since {case.since})" if case.since != case.clause.since else "")


def printable(words: str) -> str:
    """Show control characters and the like as escapes."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in words
    )
