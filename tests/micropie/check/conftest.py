"""What the tests of the check stand on: a folder, a library, a flow analysis that is told."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from mypy.modulefinder import get_search_dirs

import micropie.check
import micropie.check.flow
import micropie.flow
from micropie.check.flow import Flow
from micropie.cli import main
from micropie.flow import Finding


class Checked(NamedTuple):
    status: int
    lines: list[str]
    err: str


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tests stand in one folder: in each new one, mypy would begin from nothing."""
    return tmp_path_factory.mktemp("check")


@pytest.fixture(autouse=True)
def _here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    here = folder / "here"
    here.mkdir()
    # No configuration is looked for above.
    (here / ".git").mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    yield
    shutil.rmtree(here)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """In another, nothing of what the analysis does could be noted or told."""

    def has_room() -> bool:
        return False

    monkeypatch.setattr(micropie.check.flow, "has_room", has_room)


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Finding] | Exception]:
    """What the flow analysis finds, or raises, by file; in others it finds nothing."""
    told: dict[str, list[Finding] | Exception] = {}

    class Told:
        def __init__(self, roots: Sequence[Path]) -> None:
            assert list(roots) == [Path.cwd()]

        def check_all(self, files: Iterable[Path]) -> Iterator[tuple[Path, list[Finding]]]:
            for file in files:
                found = told.get(str(file), [])
                if isinstance(found, Exception):
                    raise found
                yield file, found

        def consulted(self) -> list[Path]:
            return []

    monkeypatch.setattr(micropie.flow, "Checker", Told)

    # What is told is not to be remembered.
    def forgetful(here: Path, cache: Path | None) -> Flow:
        return Flow(here)

    monkeypatch.setattr(micropie.check, "Flow", forgetful)
    return told


@pytest.fixture
def check(
    flow: dict[str, list[Finding] | Exception], capsys: pytest.CaptureFixture[str]
) -> Callable[..., Checked]:
    def check(*arguments: str) -> Checked:
        status = main(["check", *arguments])
        out, err = capsys.readouterr()
        return Checked(status, out.splitlines(), err)

    return check


@pytest.fixture
def write() -> Callable[[dict[str, str]], None]:
    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where imports are looked for, as in site-packages."""
    folder = tmp_path / "library"
    folder.mkdir()
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{before}")
    # The first is the folder of the program, and mypy leaves it out.
    monkeypatch.setattr(sys, "path", [sys.path[0], str(folder), *sys.path[1:]])
    get_search_dirs.cache_clear()
    yield folder
    get_search_dirs.cache_clear()


# The command without the flow analysis.
_COMMAND = """\
import sys
import micropie.check.flow
import micropie.flow
from micropie.cli import main
micropie.flow.Checker.check = lambda *_: []
# Another process would have the analysis as it is.
micropie.check.flow.has_room = lambda: False
sys.exit(main(["check", *sys.argv[1:]]))
"""


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self._reader, writer = pty.openpty()
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND, *arguments],
            stdin=writer,
            stdout=writer,
            stderr=writer,
            start_new_session=True,
        )
        os.close(writer)
        self.text = ""

    def read_until(self, wanted: str) -> None:
        while wanted not in self.text:
            self._read()

    def read_all(self) -> str:
        try:
            while True:
                self._read()
        # The end of a terminal, on Linux.
        except OSError:
            return self.text.replace("\r\n", "\n")

    def _read(self) -> None:
        read = os.read(self._reader, 4096)
        if not read:
            raise EOFError(self.text)
        self.text += read.decode()

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        os.close(self._reader)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str) -> Terminal:
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()
