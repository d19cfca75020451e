"""`micropie check`: strict mypy over handler code, against the types of this package."""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from micropie.cli import Subparsers

__all__ = ["add_parser", "run"]

_DESCRIPTION = """\
Type-check handler code: strict mypy over files, or over every .py file in
folders, against the types of this package. No mypy configuration that lies
around has any effect, only comments in the code itself (# type: ignore[code]).
"""

_EPILOG = """\
Imports are looked up as Python does for a program that is started from the
file's folder (for a file in a package: from the folder that holds the package),
then in the current folder. `micropie` is always this package. A library that
has no types counts as Any and is no finding; an import that is not found is a
finding: --python names the Python that has the libraries installed.

Findings and summary go to standard output, in mypy's format:
  handlers.py:7: error: Argument 1 to "send_text" ... expected "str"  [arg-type]
  Found 1 error in 1 file (checked 1 source file)

examples:
  micropie check handlers.py
  micropie check src/ tests/
  micropie check src/ --python .venv/bin/python

exit status:
  0  no findings
  1  findings; a file that is not valid Python is one
  2  it could not be checked: wrong call, no such path, no .py files, mypy failed
"""

_CONFIGURATION = """\
[mypy]
strict = True
disable_error_code = import-untyped
[mypy-micropie.*]
follow_imports = silent
"""

# What mypy skips in a folder; virtual environments are known by their pyvenv.cfg.
_SKIPPED = {"__pycache__", "node_modules", "site-packages"}

# How a line of mypy begins: file, line if it has one, and kind, which may be coloured.
_COLOUR = r"(?:\x1b(?:\[[0-9;]*m|\(B))*"
_LINE = re.compile(rf"(?P<file>.+?\.pyi?):(?:\d+:)? {_COLOUR}(?P<kind>error|note):")

# Seconds until a terminal is told what is being waited for, and between updates.
_PATIENCE = 2.0
_UPDATE = 0.5


_PACKAGE = Path(__file__).parent


class _CheckError(Exception):
    """The files could not be checked; the message says why."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        "check",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or a folder")
    parser.add_argument(
        "--python",
        default=sys.executable,
        metavar="FILE",
        help="look for imported libraries in this Python (default: the one that runs micropie)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the files, print what is found and return the exit status."""
    try:
        if shutil.which(args.python) is None:
            raise _CheckError(f"--python: there is no program {args.python}")
        return _check(_by_root(_find(args.paths)), args.python)
    except _CheckError as error:
        print(f"micropie check: {error}", file=sys.stderr)
        return 2


def _find(paths: Iterable[Path]) -> list[Path]:
    """The Python files that are meant, each once."""
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            files = _walk(path)
        elif not path.exists():
            raise _CheckError(f"no such file or folder: {path}")
        elif path.suffix in {".py", ".pyi"}:
            files = iter([path])
        else:
            raise _CheckError(f"{path} is not a Python file: its name does not end in .py")
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def _walk(top: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise _CheckError(f"cannot read {error.filename}: {error.strerror}")

    seen: set[str] = set()
    for folder, subfolders, names in os.walk(top, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            # A link led back up.
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(
            name
            for name in subfolders
            if name not in _SKIPPED
            and not name.startswith(".")
            and not Path(folder, name, "pyvenv.cfg").exists()
        )
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix == ".py" and file.is_file():
                yield file


def _by_root(files: Iterable[Path]) -> dict[Path, list[Path]]:
    """The files by the folder that Python would import them from, without any micropie there."""
    roots: dict[Path, list[Path]] = {}
    for file in files:
        roots.setdefault(_root(file), []).append(file)
    for root in {**roots, Path.cwd(): []}:
        for hiding in _hiding(root):
            print(
                f"micropie check: note: {hiding} hides this package from programs that are "
                "started there; it is not checked, and the handlers are checked as if it were not",
                file=sys.stderr,
            )
            for own in roots.values():
                own[:] = [file for file in own if not _absolute(file).is_relative_to(hiding)]
    roots = {root: own for root, own in roots.items() if own}
    if not roots:
        raise _CheckError("there are no .py files to check")
    return roots


def _absolute(path: Path) -> Path:
    # Unlike Path.resolve, it follows no links: Python imports from where the link is.
    return Path(os.path.abspath(path))


def _root(file: Path) -> Path:
    folder = _absolute(file).parent
    while folder.name.isidentifier() and (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _hiding(root: Path) -> Iterator[Path]:
    """What Python would import as micropie from `root` if it is not this package."""
    package = root / "micropie"
    if (package / "__init__.py").exists():
        if not package.samefile(_PACKAGE):
            yield package
    elif (root / "micropie.py").exists():
        yield root / "micropie.py"


def _check(roots: dict[Path, list[Path]], python: str) -> int:
    colour = (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    names = {str(_absolute(file)): str(file) for files in roots.values() for file in files}
    shown: set[str] = set()
    faulty: list[str] = []
    blocked = False
    with tempfile.TemporaryDirectory(prefix="micropie-check-") as scratch:
        mypy = _Mypy(Path(scratch), python, colour)
        # A run for each root: two folders may each have a handlers.py, or each a helpers.py that
        # is imported there, and one must not be taken for the other.
        for root, files in roots.items():
            outcome = mypy.check(root, files)
            blocked |= outcome.blocked
            # What is imported from two roots is looked at twice.
            new = [line for line in outcome.lines if line not in shown]
            shown.update(new)
            for line in new:
                if match := _LINE.match(line):
                    name = names.get(match["file"]) or _name(match["file"])
                    line = name + line[match.end("file") :]
                    if match["kind"] == "error":
                        faulty.append(name)
                print(line)
            sys.stdout.flush()
    checked = sum(map(len, roots.values()))
    if faulty:
        extent = (
            "errors prevented further checking"
            if blocked
            else f"checked {_count(checked, 'source file')}"
        )
        errors, in_files = _count(len(faulty), "error"), _count(len(set(faulty)), "file")
        summary, shade = f"Found {errors} in {in_files} ({extent})", 31
    else:
        summary, shade = f"Success: no issues found in {_count(checked, 'source file')}", 32
    print(f"\x1b[1;{shade}m{summary}\x1b[0m" if colour else summary)
    return 1 if faulty else 0


def _name(file: str) -> str:
    """A file as one would call it here."""
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


class _Outcome(NamedTuple):
    lines: list[str]
    # A file that mypy cannot parse keeps it from checking the others.
    blocked: bool


class _Mypy:
    """mypy in a child process, out of reach of any configuration but ours."""

    def __init__(self, scratch: Path, python: str, colour: bool) -> None:
        # A copy, for mypy refuses a search path inside of site-packages. It comes first on the
        # search path, before a stub package and before what is beside the handlers.
        self._types = scratch / "types"
        shutil.copytree(
            _PACKAGE, self._types / "micropie", ignore=shutil.ignore_patterns("__pycache__")
        )
        configuration = scratch / "mypy.ini"
        configuration.write_text(_CONFIGURATION)
        self._command = [
            *(sys.executable, "-P", "-m", "mypy", "--no-error-summary", "--show-absolute-path"),
            f"--config-file={configuration}",
            f"--python-executable={python}",
            "--color-output" if colour else "--no-color-output",
        ]
        # MYPY_FORCE_COLOR goes before FORCE_COLOR.
        colouring = str(int(colour))
        self._environment = os.environ | {
            "PYTHONIOENCODING": "utf-8",
            "MYPY_FORCE_COLOR": colouring,
        }
        self._cache = _user_cache() or scratch
        self._started = time.monotonic()

    def check(self, root: Path, files: list[Path]) -> _Outcome:
        """Check the files of one root."""
        # mypy refuses a package in a folder whose name is no name, unless it is told the root.
        bases = [root] if (root / "__init__.py").exists() else []
        outcome = self._run(root, files, bases)
        if any("Source file found twice under different module names" in x for x in outcome.lines):
            # The files import each other by names that begin in the current folder.
            outcome = self._run(root, files, [Path.cwd()])
        return outcome

    def _run(self, root: Path, files: list[Path], bases: list[Path]) -> _Outcome:
        search_path = os.pathsep.join(map(str, [self._types, *bases]))
        # A cache for each root: where two have a module of the same name and content, mypy
        # would give what it found in one for found in the other.
        cache = self._cache / hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        with subprocess.Popen(
            [
                *self._command,
                f"--cache-dir={cache}",
                *(["--explicit-package-bases"] if bases else []),
                *(str(_absolute(file)) for file in files),
            ],
            env=self._environment | {"MYPYPATH": search_path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
        ) as child:
            try:
                output = self._wait(child)
            except BaseException:
                child.kill()
                raise
        lines = output.splitlines()
        found = any((match := _LINE.match(line)) and match["kind"] == "error" for line in lines)
        if child.returncode not in ((1, 2) if found else (0,)) or "INTERNAL ERROR" in output:
            raise _CheckError(f"mypy failed:\n{output.rstrip()}")
        return _Outcome(lines, blocked=child.returncode == 2)

    def _wait(self, child: "subprocess.Popen[str]") -> str:
        """What the child prints. A terminal is told of it when this takes long."""
        terminal = sys.stderr.isatty()
        try:
            while True:
                waited = time.monotonic() - self._started
                if terminal and waited >= _PATIENCE:
                    text = f"micropie check: mypy is at work, {waited:.0f} s"
                    print(f"\r{text}", end="", file=sys.stderr, flush=True)
                try:
                    return child.communicate(timeout=_UPDATE)[0]
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if terminal:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _user_cache() -> Path | None:
    """The folder in which mypy remembers what it knows of the libraries, if there can be one."""
    try:
        top = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        cache = top / "micropie-contract"
        cache.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return cache if os.access(cache, os.W_OK) else None
