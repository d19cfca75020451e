"""`micropie verify`: hold any implementation against the contract."""

import argparse
import json
import math
import os
import platform
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from micropie._target import TargetError
from micropie.cli import Subparsers
from micropie_conformance import __version__
from micropie_conformance.case import Case, registered
from micropie_conformance.catalogue import Level
from micropie_conformance.deviations import NONE, Deviations, declared_in
from micropie_conformance.document import Document, parse
from micropie_conformance.explore.cases import DEPTH, NOT_LED_THERE, PLAIN_IN_A_LOOP
from micropie_conformance.isolation import Isolation, SuiteError
from micropie_conformance.junit import junit
from micropie_conformance.printing import Page, Terminal, printable
from micropie_conformance.report import Conformance, Finding, Report, counted, now
from micropie_conformance.runner import Result, Verdict, rehearse
from micropie_conformance.selection import (
    CallError,
    Plan,
    choose,
    doors,
    everything,
    named,
    plan,
    reproducible,
)
from micropie_conformance.static import Checker, Typed, TypesError, checkers
from micropie_conformance.worker import EXPLORED, IN_MEMORY, resolve

__all__ = ["LIVE_EXTRA", "PATIENCE", "add_parser", "ended_by_signals", "mode", "run"]

_DESCRIPTION = """\
Hold an implementation of the WebSocket contract against each of its clauses.

TARGET is called as TARGET(receive, send), as an application does for each
connection; its methods are then tried in every situation that the contract
speaks of. It runs in a process of its own: whatever it does ends in the report.

  documented  the clause rests on a sentence of the reference page
  asgi        it rests on the ASGI specification
  robust      the best peers do it; breaking it costs strict conformance only
"""

_EPILOG = """\
ConnectionClosed, which TARGET raises when the client is gone, is looked for
beside it: in the module that TARGET names, or that defines it.

examples:
  micropie verify micropie:WebSocket --strict
  micropie verify path/to/file.py:WebSocket
  micropie verify mine:Socket --closed mine.errors:Gone
  micropie verify mine:Socket --live hypercorn
                                over real sockets as well, with each worker
  micropie verify mine:Socket --types
                                what its annotations promise as well
  micropie verify mine:Socket --case WS-SEND --json -
  micropie verify mine:Socket --name "Mine 2.1" --html report --json result.json
                                a page to look at, and the same as data
  micropie verify --explain WS-SEND-001
  micropie verify mine:Socket --repro WS-CLOSE-001/closes > repro.py

exit status: 0 conformant (with --strict: strictly); 1 not, or not shown to be,
               or with --types: its types do not fit;
             2 could not be tried: wrong call, no such target; or tried, and
               --deviations declares what is not broken (the verdict says so);
             3 a fault of the suite itself, which says nothing about TARGET
with --repro: 0 the case fails, and the program is on standard output; 1 it does
             not fail, or has no program; 2 and 3 as above. The program itself
             ends with 1 while the failure is there, and with 0 once it is gone.
"""

LIVE_EXTRA: Final = 60
"""What a live case may take above the patience, in seconds: it has deadlines of its own, and is
tried again where the server failed."""

PATIENCE: Final = 10
"""How many seconds nothing may happen, unless told otherwise."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        "verify",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help="the implementation: module:attr or path/to/file.py:attr",
    )
    parser.add_argument(
        "--closed", metavar="MODULE:ATTR", help="its ConnectionClosed, where that is not beside it"
    )
    parser.add_argument(
        "--live",
        action="append",
        default=[],
        metavar="SERVER[:WORKER]",
        help="run the cases over real sockets as well, behind hypercorn:asyncio, :uvloop or "
        ":trio, or over HTTP/2 :asyncio+h2 or :uvloop+h2, uvicorn:websockets-sansio or :wsproto, "
        "granian or daphne; a server alone is each of its workers, all is every one that is "
        "installed (can be repeated)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 when a robust clause is broken, too"
    )
    parser.add_argument(
        "--types",
        action="store_true",
        help="ask strict mypy too, and pyright where it is installed, whether the annotations "
        "satisfy WebSocketContract; exit with 1 when they do not (needs the extra check)",
    )
    parser.add_argument(
        "--level",
        choices=[level.value for level in Level if level is not Level.INFO],
        help="leave out what is above this level (documented, asgi, robust)",
    )
    parser.add_argument(
        "--case",
        action="extend",
        nargs="+",
        default=[],
        metavar="ID",
        help="run these cases only: ids of clauses or cases, or how they begin",
    )
    parser.add_argument(
        "--deviations",
        metavar="FILE",
        help='what TARGET declares to do otherwise, as TOML: ["WS-CLOSE-003"] and below it '
        'reason = "..."; that counts as broken no more, and must be broken',
    )
    parser.add_argument(
        "--suite",
        default=__version__,
        metavar="VERSION",
        help="run what this version of the suite had, so that a newer one finds nothing new "
        f"(default: {__version__})",
    )
    parser.add_argument(
        "--depth",
        type=_depth,
        default=DEPTH,
        metavar="N",
        help="explore every sequence of calls and events up to this length, at about 50 times the "
        f"time for each more (default: {DEPTH}; 0 explores none)",
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the results to FILE (- is standard output) as JSON"
    )
    parser.add_argument(
        "--junit", metavar="FILE", help="write them to FILE (or to -) as JUnit's XML, for CI"
    )
    parser.add_argument(
        "--html",
        metavar="DIR",
        help="write them to DIR as a page, DIR/index.html; micropie report writes one of several",
    )
    parser.add_argument(
        "--name", default="", help="what to call the implementation there (default: TARGET)"
    )
    parser.add_argument(
        "--patience",
        type=_seconds,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"when nothing happens for so long, the implementation hangs (default: {PATIENCE})",
    )
    parser.add_argument("--list", action="store_true", help="list clauses and cases, and stop")
    parser.add_argument(
        "--explain", metavar="ID", help="tell all about a clause or a case, and stop"
    )
    parser.add_argument(
        "--repro",
        metavar="CASE",
        help="print a stand-alone program that shows how TARGET fails in this case, and stop",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify `args.target` and print the report; return the exit status.

    What cannot be verified is told on standard error.

    Raises:
        KeyboardInterrupt: It was interrupted; nothing that it started is left.
        BrokenPipeError: Nobody reads the report.
    """
    try:
        return _run(args)
    except (CallError, TargetError, TypesError) as error:
        print(f"micropie verify: {printable(str(error))}", file=sys.stderr)
        return 2
    except SuiteError as error:
        fault = str(error)
    except BrokenPipeError:
        raise
    except Exception:
        fault = traceback.format_exc()
    print(
        "micropie verify: the suite itself failed, which says nothing about the target. Please "
        f"report it, with these lines:\n  suite {__version__}, Python {platform.python_version()}, "
        f"target {args.target}",
        *map(printable, fault.splitlines()),
        sep="\n  ",
        file=sys.stderr,
    )
    return 3


def _run(args: argparse.Namespace) -> int:
    every = everything()
    page = Page(Terminal(highlight=False))
    if args.explain is not None:
        _explain(args.explain, every, page)
        return 0
    if not args.target and not args.list:
        taken = next((id for id in args.case if ":" in id), None)
        raise CallError(
            f"TARGET is missing; --case took {taken} for an id: write TARGET before --case"
            if taken
            else "TARGET is missing: name an implementation, module:attr or path/to/file.py:attr"
        )
    if args.repro is not None:
        return _repro(args, reproducible(args.repro, every))
    clauses, chosen = choose(every, args.case, args.level, args.suite)
    if args.list:
        page.clauses(clauses, chosen)
        return 0
    if args.strict and args.level not in (None, Level.ROBUST):
        raise CallError(
            f"--strict asks for the robust clauses, and --level {args.level} leaves them out"
        )
    declared = declared_in(args.deviations, every) if args.deviations else NONE
    if args.json == args.junit == "-":
        raise CallError("--json and --junit cannot both be written to standard output")
    try:
        date = now()
    except ValueError as error:
        raise CallError(str(error)) from error
    live_doors, left_out = doors(args.live)
    for reason in left_out:
        print(f"micropie verify: {reason}", file=sys.stderr)
    todo = plan(chosen, live_doors, args.depth)
    asked = checkers() if args.types else []
    write_pages = _pages(args.html)
    with (
        _writer(args.json) as write_json,
        _writer(args.junit) as write_junit,
        ended_by_signals(),
    ):
        report = _verify(args, todo, declared, asked)
        ran = {case for _, cases in todo for case in cases}
        needless = tuple(
            entry
            for entry in declared.reasons
            if report.conformance is not Conformance.FAULT
            and declared.judged(entry, ran, every)
            and declared.needless(entry, report.findings)
        )
        report = replace(report, name=args.name, date=date, needless=needless)
        try:
            if (args.json, args.junit, args.html) != (None, None, None):
                written = report.document()
                write_json(json.dumps(written, indent=1))
                document = parse(written)
                write_junit(junit(document))
                write_pages(document)
        finally:
            if "-" in (args.json, args.junit):
                print(report.sentence, file=sys.stderr)
            else:
                page.report(report)
    if needless:
        print(f"micropie verify: {printable(declared.complaint(needless))}", file=sys.stderr)
    return report.status(args.strict)


def _explain(id: str, every: Sequence[Case[Any]], page: Page) -> None:
    clause = named(id, every)
    # What a case expects, it knows only once it has come so far.
    reference = resolve("micropie:WebSocket", None)
    rehearsed = {
        case.id: rehearse(case, reference)
        for case in registered()[0]
        if case.clause is clause and id in (case.id, clause.id)
    }
    expected = {id: list(dict.fromkeys(probe.expected)) for id, probe in rehearsed.items()}
    if id == clause.id:
        page.clause(clause, every, expected)
    else:
        case = next(case for case in every if case.id == id)
        steps = rehearsed[id].trace if id in rehearsed else []
        page.case(case, steps, expected.get(id, []))


def _repro(args: argparse.Namespace, case: Case[Any]) -> int:
    isolation = Isolation(args.target, args.closed, args.patience)
    door = f"{EXPLORED}:{args.depth}" if case.explored else IN_MEMORY
    with ended_by_signals(), closing(isolation.run(door, [case.id])) as results:
        result = next(iter(results), Result(case.id, Verdict.UNREACHED, observed=NOT_LED_THERE))
    if result.verdict is Verdict.FAULT:
        raise SuiteError(result.observed)
    if result.repro:
        # It is UTF-8, whatever the terminal has.
        sys.stdout.buffer.write(result.repro.encode())
        sys.stdout.flush()
        return 0
    match result.verdict:
        case Verdict.PASSED:
            reason = f"passes on {args.target}: there is nothing to show"
        case Verdict.BROKEN:
            command = shlex.join(["micropie", "verify", args.target, "--case", case.id])
            reason = f"fails, but there is no stand-alone program for it: run {command}"
        case _:
            reason = f"is {result.verdict} on {args.target}: {result.observed}"
    print(f"micropie verify: {case.id} {printable(reason)}", file=sys.stderr)
    return 1


def _verify(
    args: argparse.Namespace, todo: Plan, declared: Deviations, asked: Sequence[Checker]
) -> Report:
    isolation = Isolation(args.target, args.closed, args.patience)
    findings: list[Finding] = []
    modes: list[str] = []
    types: list[Typed] = []
    waiting = iter(asked)
    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        for door, cases in todo:
            by_id = {case.id: case for case in cases}
            task = bar.add_task(door, total=len(cases))
            extra = LIVE_EXTRA if cases[0].live else 0
            if extra and not console.is_terminal:
                print(f"micropie verify: {counted(cases, 'case')} behind {door}", file=sys.stderr)
            # Closed, so that no child is left when this is interrupted.
            show = partial(_show, bar, task, door)
            with closing(isolation.run(door, list(by_id), extra, show)) as results:
                for result in results:
                    case = by_id[result.case]
                    findings.append(Finding(door, case, result, declared.reason(case)))
                    bar.advance(task)
            modes.append(mode(door, isolation))
            # After the first door: the target can be loaded, and not much is lost by a failure.
            for checker in waiting:
                task = bar.add_task(f"types, by {checker.name}", total=1)
                types += _typed(checker, args.target)
                bar.advance(task)
    assert isolation.loaded is not None
    return Report(
        args.target,
        isolation.loaded,
        modes,
        _part(args),
        args.level in (None, Level.ROBUST),
        findings,
        isolation.printed,
        types=types,
    )


def _typed(checker: Checker, target: str) -> list[Typed]:
    try:
        return checker.check([target])
    except TypesError as error:
        if checker.needed:
            raise
        print(f"micropie verify: left out: {printable(str(error))}", file=sys.stderr)
        return []


def _show(bar: Progress, task: TaskID, door: str, sequences: int) -> None:
    bar.update(task, description=f"{door} {sequences:,} sequences")


def mode(door: str, isolation: Isolation) -> str:
    """Say how the cases behind a door were run."""
    looping = isolation.looping
    if door == IN_MEMORY:
        return "in memory, " + ("in an event loop" if looping else "stepped without an event loop")
    server, _, worker = door.partition(":")
    if server == EXPLORED:
        plain = f", peculiar ones below length {PLAIN_IN_A_LOOP}" if looping else ""
        return f"explored, {isolation.sequences:,} sequences up to length {worker}{plain}"
    # It takes long to import, and who stays in memory needs none of it.
    from importlib.metadata import version

    return f"live behind {server} {version(server)}, worker {worker}"


def _part(args: argparse.Namespace) -> str:
    """Give the options that leave something out, as they were written."""
    suite = ["--suite", args.suite] if args.suite != __version__ else []
    level = ["--level", args.level] if args.level else []
    return " ".join([*suite, *level, *(["--case", *args.case] if args.case else [])])


@contextmanager
def _writer(name: str | None) -> Generator[Callable[[str], None]]:
    """Give what writes the document, once it is known that it can be written.

    The file is there only when it is complete.

    Raises:
        CallError: It cannot be written.
    """
    if name is None:
        yield lambda text: None
        return
    if name == "-":
        yield print
        return
    # What is no plain file, such as a device or a pipe, is written and not replaced.
    special = os.path.exists(name) and not os.path.isfile(name)
    final = Path(name) if special else Path(os.path.realpath(name))
    partial = final if special else final.with_name(f".{final.name}.{os.getpid()}")

    def write(text: str) -> None:
        try:
            partial.write_text(text, encoding="ascii")
            if not special:
                partial.replace(final)
        except OSError as error:
            raise CallError(f"cannot write {name}: {error.strerror}") from error

    try:
        partial.open("a").close()
    except OSError as error:
        raise CallError(f"cannot write {name}: {error.strerror}") from error
    try:
        yield write
    finally:
        if not special:
            partial.unlink(missing_ok=True)


def _pages(folder: str | None) -> Callable[[Document], None]:
    """Give what writes the pages, now that it is known that they can be written.

    Raises:
        CallError: They cannot.
    """
    if folder is None:
        return lambda document: None
    # Only who wants pages waits for what makes them.
    from micropie_conformance.html import check_folder, write

    try:
        check_folder(folder)
    except OSError as error:
        raise CallError(f"cannot write {folder}: {error.strerror}") from error

    def write_pages(document: Document) -> None:
        try:
            write([document], folder)
        except OSError as error:
            raise CallError(f"cannot write {folder}: {error.strerror}") from error

    return write_pages


@contextmanager
def ended_by_signals(leave: Callable[[int], object] = sys.exit) -> Generator[None]:
    """SIGTERM and SIGHUP end the run as Ctrl+C does, so that no child is left.

    Args:
        leave: Raises what ends it; it is given the exit status.
    """

    def end(number: int, frame: FrameType | None) -> None:
        leave(128 + number)

    with ExitStack() as stack:
        for number in (signal.SIGTERM, signal.SIGHUP):
            # nohup has it ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                stack.callback(signal.signal, number, signal.signal(number, end))
        yield


def _depth(text: str) -> int:
    if not re.fullmatch("[0-9]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a length from 0 to 9")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
