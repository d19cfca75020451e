"""mypy: what it is called with, and what it says."""

import atexit
import gc
import importlib
import json
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import NamedTuple, TypedDict

from micropie.check.files import PACKAGE
from micropie.check.memory import fingerprint
from micropie.check.options import Options
from micropie.check.report import CheckError, Entry, name, shown

__all__ = ["Mypy", "Outcome", "user_cache"]

# How mypy says what is wrong with a file that it cannot even decode.
_UNDECODABLE = r"(?P<file>.+?): error: (?P<message>Cannot decode file: .*)"

_TWICE = "Source file found twice under different module names"


class _Message(TypedDict):
    """What mypy prints, one to a line."""

    file: str
    line: int
    column: int
    severity: str
    code: str | None
    message: str
    hint: str | None


class Outcome(NamedTuple):
    """What runs of mypy have found."""

    entries: list[Entry]
    # What it says besides, which is about no file.
    remarks: list[str]
    # A file that mypy cannot parse keeps it from checking the others.
    blocked: bool

    @classmethod
    def of(cls, runs: Collection["Outcome"]) -> "Outcome":
        """Give what some runs have found together."""
        return cls(
            [entry for run in runs for entry in run.entries],
            [remark for run in runs for remark in run.remarks],
            any(run.blocked for run in runs),
        )


class Mypy:
    """mypy, out of reach of any configuration but the one that is given.

    It runs in this process: another start of Python takes as long as all that mypy does where
    nothing has changed.

    Args:
        scratch: An empty folder, for as long as mypy is needed.
        options: What it runs with.
        names: What files are called, by their absolute paths.
        python: Where imported libraries are looked for; None: as the options say.
        cache: Where it remembers what it found; None: it does not.
    """

    def __init__(
        self,
        scratch: Path,
        options: Options,
        names: Mapping[str, str],
        python: str | None = None,
        cache: Path | None = None,
    ) -> None:
        """Write what mypy needs into the scratch folder.

        Raises:
            CheckError: There is a file that mypy cannot check.
        """
        for path, called in names.items():
            # Its name, in what is not UTF-8, has ended mypy.
            if path != path.encode(errors="replace").decode():
                raise CheckError(
                    f"mypy cannot check {shown(called)}, whose path is not UTF-8; "
                    "--no-types leaves mypy out"
                )
        # It comes first on the search path, before a stub package and before what is beside the
        # handlers.
        self._cache = cache or scratch
        self._types = _types(self._cache, scratch)
        self._configuration = scratch / "mypy.ini"
        self._configuration.write_text(options.text, encoding="utf-8")
        self._options = options
        self._names = names
        self._arguments = [
            *("--output=json", "--show-absolute-path"),
            *("--no-error-summary", "--no-color-output", "--no-pretty", "--hide-error-context"),
            # Of a configuration for a whole project, much is not used for a few files.
            "--no-warn-unused-configs",
            f"--config-file={self._configuration}",
            *([f"--python-executable={python}"] if python else []),
        ]
        # At the end, Python would look through all that mypy leaves for garbage.
        atexit.register(gc.freeze)

    def check(self, root: Path, files: list[Path]) -> Outcome:
        """Check the files of one root.

        Args:
            root: The folder that they are imported from.
            files: They are looked at, and what they import.

        Raises:
            CheckError: mypy failed.
        """
        # mypy refuses a package in a folder whose name is no name, unless it is told the root.
        bases = [root] if (root / "__init__.py").exists() else []
        outcome = self._run(root, files, bases)
        if any(entry.message.startswith(_TWICE) for entry in outcome.entries):
            # The files import each other by names that begin in the current folder.
            outcome = self._run(root, files, [Path.cwd()])
        return outcome

    def _run(self, root: Path, files: list[Path], bases: list[Path]) -> Outcome:
        # A cache for each root: where two have a module of the same name and content, mypy
        # would give what it found in one for found in the other.
        cache = self._cache / fingerprint(os.fsencode(root))
        arguments = [
            *self._arguments,
            f"--cache-dir={cache}",
            *(["--explicit-package-bases"] if bases else []),
            *map(os.path.abspath, files),
        ]
        # What it, or a plugin, prints by itself.
        printed = StringIO()
        with redirect_stdout(printed), redirect_stderr(printed), _search_path(self._types, *bases):
            try:
                out, err, status = _imported()(arguments)
            except Exception as error:
                said = printed.getvalue() + traceback.format_exc().rstrip()
                raise self._failure([said], unexpected=True) from error
        return self._outcome(printed.getvalue() + err + out, status)

    def _outcome(self, output: str, status: int) -> Outcome:
        entries: list[Entry] = []
        remarks: list[str] = []
        for line in output.splitlines():
            if line.startswith('{"file": '):
                message: _Message = json.loads(line)
                if message["file"] == str(self._configuration):
                    # Only what is wrong with plugins is said of the configuration.
                    raise CheckError(
                        f"{self._options.file or 'mypy'}: {message['message']}; "
                        f"plugins are imported in {sys.executable}"
                    )
                entries.append(self._entry(message))
            elif match := re.fullmatch(_UNDECODABLE, line):
                file = self._name(match["file"])
                entries.append(Entry(file, None, None, "error", "syntax", match["message"], "mypy"))
            else:
                remarks.append(self._in_words_of_the_project(line))
        found = {entry.severity for entry in entries}
        # With notes alone, mypy ends with 0 or 1, as its version has it.
        expected = (1, 2) if "error" in found else (0, 1) if found else (0,)
        if status not in expected or "INTERNAL ERROR" in output:
            said = [entry.message for entry in entries] + remarks
            raise self._failure(said, unexpected="INTERNAL ERROR" in output)
        return Outcome(entries, remarks, blocked=status == 2)

    def _failure(self, said: list[str], *, unexpected: bool) -> CheckError:
        # So it ends when its cache is damaged, or belongs to someone else.
        hint = f"Its cache may be at fault: {self._cache}, which can be deleted"
        return CheckError("\n".join(["mypy failed:", *said, *([hint] if unexpected else [])]))

    def _entry(self, message: _Message) -> Entry:
        placed = message["line"] > 0
        return Entry(
            file=self._name(message["file"]),
            line=message["line"] if placed else None,
            column=message["column"] + 1 if placed and message["column"] >= 0 else None,
            severity="error" if message["severity"] == "error" else "note",
            # The notes of no code have this one.
            code=message["code"] if message["severity"] == "error" else None,
            message=message["message"],
            source="mypy",
            notes=tuple((message["hint"] or "").splitlines()),
        )

    def _name(self, file: str) -> str:
        # Where mypy found a file by way of the current folder, the path begins there.
        path = os.path.abspath(file)
        return self._names.get(path) or name(Path(path))

    def _in_words_of_the_project(self, line: str) -> str:
        return line.replace(str(self._configuration), self._options.file or "mypy.ini")


def _imported() -> Callable[[list[str]], tuple[str, str, int]]:
    """Import mypy and give what runs it."""
    # Else what runs it imports it, when it is called.
    importlib.import_module("mypy.main")
    from mypy.api import run

    return run


def _types(cache: Path, scratch: Path) -> Path:
    """Give a folder that has this package alone: mypy refuses to search inside of site-packages.

    It is the same each time, as mypy looks again at what is elsewhere than it was.
    """
    types = cache / f"types-{fingerprint(os.fsencode(PACKAGE))}"
    link = types / "micropie"
    with suppress(FileExistsError):
        types.mkdir()
    try:
        link.symlink_to(PACKAGE, target_is_directory=True)
    except FileExistsError:
        pass
    except OSError:
        # Not everyone may make links on Windows.
        types = scratch / "types"
        shutil.copytree(PACKAGE, types / "micropie", ignore=shutil.ignore_patterns("__pycache__"))
    return types


@contextmanager
def _search_path(*folders: Path) -> Generator[None, None, None]:
    """Let mypy look in these folders first, and in no others that the environment names."""
    before = os.environ.get("MYPYPATH")
    os.environ["MYPYPATH"] = os.pathsep.join(map(str, folders))
    try:
        yield
    finally:
        if before is None:
            del os.environ["MYPYPATH"]
        else:
            os.environ["MYPYPATH"] = before


def user_cache() -> Path | None:
    """Give the folder in which is remembered what was found, if there can be one."""
    try:
        top = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # XDG Base Directory Specification: "If an implementation encounters a relative path in any
        # of these variables it should consider the path invalid and ignore it."
        top = top if top.is_absolute() else Path.home() / ".cache"
        cache = top / "micropie-contract"
        cache.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return cache if os.access(cache, os.W_OK) else None
