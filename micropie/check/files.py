"""The files that a check is to look at, and the folders that Python would import them from."""

import errno
import importlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from micropie._paths import absolute, import_root
from micropie.check.report import CheckError, name, shown

__all__ = ["PACKAGE", "by_root", "find", "search_path"]

# This package.
PACKAGE = Path(__file__).parents[1]

# What mypy skips in a folder; virtual environments are known by their pyvenv.cfg.
_SKIPPED = {"__pycache__", "node_modules", "site-packages"}

_SEARCH_PATH = "import json, sys; print(json.dumps(sys.path[1:]))"


def find(
    paths: Iterable[str], search: Sequence[str], exclude: Iterable[tuple[Path, str]] = ()
) -> list[Path]:
    """Give the Python files that are meant, each once.

    Args:
        paths: Files, folders and names of modules.
        search: Where modules are looked for after the current folder.
        exclude: Regular expressions for what is skipped in folders, as mypy takes them, each with a
            folder: it is looked for in the path from there, which ends in a slash for a folder.

    Raises:
        CheckError: There is no such file, folder or module, or it cannot be read.
    """
    skipped = [(folder, re.compile(pattern)) for folder, pattern in exclude]
    found: dict[str, Path] = {}
    for path in paths:
        for place in _places(path, search):
            inside = (
                _walk(str(place), skipped, set())
                if place.is_dir()
                else [(os.path.realpath(place), place)]
            )
            for real, file in inside:
                found.setdefault(real, file)
    return list(found.values())


def _places(path: str, search: Sequence[str]) -> list[Path]:
    """The file, or the folders, that one of the paths means."""
    place = Path(path)
    try:
        # Unlike Path, it does not take an empty name for the current folder.
        mode = os.stat(path).st_mode
    # The last is for what no name of a file can have.
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        if path.endswith((".py", ".pyi")) or not all(map(str.isidentifier, path.split("."))):
            raise CheckError(f"no such file or folder: {shown(path)}") from error
        return _module(path, [os.getcwd(), *search])
    except OSError as error:
        # A circle of symbolic links, for example.
        raise CheckError(f"cannot read {shown(path)}: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        return [place]
    if not stat.S_ISREG(mode):
        # One would wait for ever to read a pipe.
        raise CheckError(f"{shown(path)} is neither a file nor a folder")
    if place.suffix not in {".py", ".pyi"}:
        raise CheckError(f"{shown(path)} is not a Python file: its name does not end in .py")
    return [place]


def _module(module: str, search: list[str]) -> list[Path]:
    """The file of a module, or the folders of a package. Nothing of it is imported."""
    importlib.invalidate_caches()
    source = ""
    for part in module.split("."):
        spec = PathFinder.find_spec(part, search)
        if spec is None:
            raise CheckError(f"no such file, folder or module: {module}")
        search = list(spec.submodule_search_locations or ())
        source = spec.origin or "a namespace"
    if not search and not source.endswith(".py"):
        raise CheckError(f"the module {module} has no Python source: {source}")
    return [Path(name(Path(place))) for place in search or [source]]


def search_path(python: str | None) -> list[str]:
    """Give the folders where a Python looks for modules; None: the one that runs this.

    Raises:
        CheckError: It is no Python that runs.
    """
    if python is None:
        return sys.path
    try:
        done = subprocess.run(
            [python, "-c", _SEARCH_PATH], stdin=subprocess.DEVNULL, capture_output=True, check=True
        )
        folders: list[str] = json.loads(done.stdout)
    except FileNotFoundError as error:
        raise CheckError(f"there is no program {shown(python)}") from error
    # Other programs end well, too, and some write something.
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise CheckError(f"{shown(python)} is not a Python that runs") from error
    return folders


def _walk(
    folder: str, skipped: list[tuple[Path, re.Pattern[str]]], seen: set[str]
) -> Iterator[tuple[str, Path]]:
    """Each file in a folder, after its path without links."""

    def excluded(path: str, end: str = "") -> bool:
        return any(
            pattern.search(Path(os.path.relpath(path, start)).as_posix() + end)
            for start, pattern in skipped
        )

    real = os.path.realpath(folder)
    if real in seen:
        # A link led back up.
        return
    seen.add(real)
    try:
        # What they are is known without another look at them, but for links.
        with os.scandir(folder) as inside:
            entries = sorted(inside, key=lambda entry: entry.name)
    except OSError as error:
        raise CheckError(f"cannot read {shown(folder)}: {error.strerror}") from error
    subfolders: list[str] = []
    for entry in entries:
        name, path, linked = entry.name, entry.path, entry.is_symlink()
        if os.path.isdir(path) if linked else entry.is_dir():
            subfolders.append(path)
        elif os.path.splitext(name)[1] == ".py" and not excluded(path):
            if not linked and entry.is_file():
                yield os.path.join(real, name), Path(path)
            elif linked and _is_file(path):
                yield os.path.realpath(path), Path(path)
    for path in subfolders:
        name = os.path.basename(path)
        if (
            name not in _SKIPPED
            and not name.startswith(".")
            and not os.path.exists(os.path.join(path, "pyvenv.cfg"))
            and not excluded(path, "/")
        ):
            yield from _walk(path, skipped, seen)


def _is_file(link: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(link).st_mode)
    except OSError as error:
        # It leads nowhere, or to itself.
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return False
        raise CheckError(f"cannot read {shown(link)}: {error.strerror}") from error


def by_root(files: Iterable[Path]) -> dict[Path, list[Path]]:
    """Give the files by the folder that Python would import them from.

    Another micropie there is left out, and told of on standard error.

    Raises:
        CheckError: There are no files.
    """
    roots: dict[Path, list[Path]] = {}
    known: dict[Path, Path] = {}
    for file in files:
        folder = file.parent
        if folder not in known:
            known[folder] = import_root(file)
        roots.setdefault(known[folder], []).append(file)
    for root in {**roots, Path.cwd(): []}:
        for hiding in _hiding(root):
            print(
                f"micropie check: note: {hiding} hides this package from programs that are "
                "started there; it is not checked, and the handlers are checked as if it were not",
                file=sys.stderr,
            )
            for own in roots.values():
                own[:] = [file for file in own if not absolute(file).is_relative_to(hiding)]
    roots = {root: own for root, own in roots.items() if own}
    if not roots:
        raise CheckError("there are no .py files to check")
    return roots


def _hiding(root: Path) -> Iterator[Path]:
    """What Python would import as micropie from `root` if it is not this package."""
    package = root / "micropie"
    if (package / "__init__.py").exists():
        if not package.samefile(PACKAGE):
            yield package
    elif (root / "micropie.py").exists():
        yield root / "micropie.py"
