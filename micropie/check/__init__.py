"""`micropie check`: mypy and the flow analysis over handler code, as one list of findings."""

import argparse
import difflib
import gc
import importlib
import itertools
import os
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from micropie.check import files, options, settings
from micropie.check.flow import Flow
from micropie.check.mypy import Mypy, Outcome, user_cache
from micropie.check.options import Options
from micropie.check.output import lines
from micropie.check.progress import waiting
from micropie.check.report import CheckError, Report, merge, shown
from micropie.check.settings import Settings
from micropie.cli import Subparsers

__all__ = ["add_parser", "run"]

_DESCRIPTION = """\
Check handler code, in two ways at once: strict mypy, against the types of this
package, and an analysis that follows the state of each connection through the
code (sends before accept(), receives after close(), ...). None of it is run.
"""

_EPILOG = """\
A folder stands for each .py file in it. A module is looked for in the current
folder, then among the installed packages, and not imported.

Where the project has options for mypy (mypy.ini, .mypy.ini, pyproject.toml or
setup.cfg, from the current folder upwards), they take the place of the strict
ones, and a line on standard error says so; --strict leaves them out. What the
command line does not say is read from pyproject.toml, for example:
  [tool.micropie.check]
  paths = ["src", "tests"]
  python = ".venv/bin/python"
Its keys: paths, types, strict, python, output, disable, exclude.

Imports are looked up as Python does for a program that is started from the
file's folder (for a file in a package: from the folder that holds the package),
then in the current folder. `micropie` is always this package. A library that
has no types counts as Any and is no finding; an import that is not found is a
finding: --python names the Python that has the libraries installed.

Findings and summary go to standard output, all else to standard error:
  handlers.py:7: error: Argument 1 to "send_text" ... expected "str"  [arg-type]
  handlers.py:9: warning: send_text() after close(), line 8  [send-after-close]
  Found 1 error and 1 warning in 1 file (checked 1 source file)
A comment at the end of the line silences one: # type: ignore[arg-type] for
mypy, # micropie: ignore[send-after-close] for the analysis.

examples:
  micropie check handlers.py
  micropie check src/ package.module
  micropie check src/ --python .venv/bin/python
  micropie check src/ --no-types               beside pyright, ty or pyrefly
  micropie check src/ --output sarif > check.sarif

exit status:
  0  no findings
  1  findings, errors or warnings; a file that is not valid Python is one
  2  it could not be checked: wrong call or configuration, no such path, a file
     that cannot be read, no .py files, mypy failed
"""

# Without them there is nothing that could be checked.
_INDISPENSABLE = {"syntax", "syntax-error"}


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        "check",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a file, a folder or a module (default: paths of [tool.micropie.check])",
    )
    parser.add_argument(
        "--types",
        action=argparse.BooleanOptionalAction,
        help="run mypy as well as the flow analysis (default: yes)",
    )
    parser.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        help="run mypy without the options that the project has (default: with them)",
    )
    parser.add_argument(
        "--python",
        metavar="FILE",
        help="look for imported libraries in this Python (default: the one that runs micropie)",
    )
    parser.add_argument(
        "--output", choices=settings.OUTPUTS, help="how findings are written (default: text)"
    )
    parser.add_argument(
        "--disable",
        action="append",
        metavar="CODE",
        help="leave out the findings with this code; may be repeated",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the files, print what is found and return the exit status."""
    # As mypy has it: there is little garbage, and much that would be looked through for some.
    gc.set_threshold(200_000, 30, 30)
    try:
        chosen = _chosen(args)
        report = _check(args, chosen)
    except CheckError as error:
        print(f"micropie check: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        # A folder that is only passed through may be closed, and a disk full.
        where = f": {shown(os.fsdecode(error.filename))}" if error.filename else ""
        print(f"micropie check: {error.strerror}{where}", file=sys.stderr)
        return 2
    colour = (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    for line in lines(report, chosen.output, colour=colour):
        print(line)
    return 1 if report.faults else 0


def _chosen(args: argparse.Namespace) -> Settings:
    """The settings that there are, and over them what the command line says."""
    try:
        here = Path.cwd()
    except FileNotFoundError as error:
        raise CheckError("the current folder is gone") from error
    project = settings.load(here)
    chosen = Settings(
        paths=tuple(args.paths) or project.paths,
        types=project.types if args.types is None else args.types,
        strict=project.strict if args.strict is None else args.strict,
        python=args.python or project.python,
        output=args.output or project.output,
        disable=tuple(args.disable or project.disable),
        exclude=project.exclude,
        file=project.file,
    )
    if not chosen.paths:
        raise CheckError(
            "nothing to check: name files, folders or modules, or set paths in pyproject.toml, "
            "[tool.micropie.check]; 'micropie check --help' tells more"
        )
    if chosen.types and find_spec("mypy") is None:
        raise CheckError(
            "mypy is not installed: pip install 'micropie-contract[check]', "
            "or --no-types for the flow analysis alone"
        )
    _look_at_codes(args, chosen)
    return chosen


def _source(args: argparse.Namespace, chosen: Settings, key: str) -> str:
    """Where a setting is from, for a message that says what is wrong with it."""
    return f"--{key}" if getattr(args, key) else f"{key} in {chosen.file}"


@contextmanager
def _blamed_on(source: str | None) -> Generator[None, None, None]:
    try:
        yield
    except CheckError as error:
        raise CheckError(f"{error} ({source})" if source else str(error)) from error


def _look_at_codes(args: argparse.Namespace, chosen: Settings) -> None:
    """Refuse to disable what is no code."""
    if not chosen.disable:
        return
    from micropie.flow import CODES

    ours = {code.value for code in CODES}
    source = _source(args, chosen, "disable")
    for code in chosen.disable:
        if "," in code:
            hint = "; --disable may be repeated" if args.disable else ""
            raise CheckError(f"there is no code {code!r} ({source}): write each by itself{hint}")
        if code in _INDISPENSABLE:
            raise CheckError(f"{code} cannot be disabled ({source}): such a file is not checked")
        # mypy takes long to import. Without it, its codes have no effect.
        if chosen.types and code not in ours and code not in (known := ours | _codes_of_mypy()):
            near = difflib.get_close_matches(code, known, n=1)
            hint = f": did you mean {near[0]}?" if near else ""
            raise CheckError(f"there is no code {code!r} ({source}){hint}")


def _codes_of_mypy() -> set[str]:
    for plugin in options.PLUGINS:
        # It has codes of its own, which mypy then knows.
        importlib.import_module(plugin)
    return {*importlib.import_module("mypy.errorcodes").error_codes}


def _check(args: argparse.Namespace, chosen: Settings) -> Report:
    with _blamed_on(_source(args, chosen, "python")):
        search = files.search_path(chosen.python)
    with_mypy = None
    if chosen.types:
        project = None if chosen.strict else options.of_project(Path.cwd())
        with_mypy = project or options.strict()
    exclude = [(Path(chosen.file or "").parent, pattern) for pattern in chosen.exclude]
    if with_mypy:
        exclude += [(Path(), pattern) for pattern in with_mypy.exclude]
    with _blamed_on(None if args.paths else f"paths in {chosen.file}"):
        found = files.find(chosen.paths, search, exclude)
    roots = files.by_root(found)
    if with_mypy and with_mypy.file:
        print(
            f"micropie check: mypy's options are those of {with_mypy.file}; "
            "--strict leaves them out",
            file=sys.stderr,
        )
    cache = user_cache()
    sources = itertools.chain(*roots.values())
    flow = Flow(Path.cwd(), cache)
    with waiting(), flow.begin(sources, meanwhile=with_mypy is not None) as found_by_flow:
        names = {os.path.abspath(file): str(file) for file in found}
        by_mypy = Outcome.of([])
        try:
            if with_mypy:
                by_mypy = _by_mypy(with_mypy, roots, names, chosen.python, cache)
        except CheckError:
            # Of a file that cannot be read, the analysis says it better.
            found_by_flow()
            raise
        by_flow = found_by_flow()
    for remark in dict.fromkeys(by_mypy.remarks):
        print(f"micropie check: mypy says: {remark}", file=sys.stderr)
    order = {str(file): place for place, file in enumerate(found)}
    entries = merge(by_mypy.entries, by_flow, order, chosen.disable)
    return Report(entries, sum(map(len, roots.values())), by_mypy.blocked)


def _by_mypy(
    with_options: Options,
    roots: Mapping[Path, list[Path]],
    names: Mapping[str, str],
    python: str | None,
    cache: Path | None,
) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="micropie-check-") as scratch:
        mypy = Mypy(Path(scratch), with_options, names, python, cache)
        # A run for each root: two folders may each have a handlers.py, or each a helpers.py
        # that is imported there, and one must not be taken for the other.
        return Outcome.of([mypy.check(root, its) for root, its in roots.items()])
