"""A terminal is told when a check takes long, and is as before at its end."""

import os
import signal
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Protocol, TypeAlias

import pytest

from micropie.check.progress import waiting

ONE_GOOD = "Success: no issues found in 1 source file"

Write: TypeAlias = Callable[[dict[str, str]], None]


class Screen(StringIO):
    """A terminal that tells when it has been told so much."""

    def __init__(self, updates: int) -> None:
        super().__init__()
        self.left = updates
        self.told = Event()

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.left -= 1
        if not self.left:
            self.told.set()


class Terminal(Protocol):
    child: "subprocess.Popen[bytes]"

    def read_until(self, wanted: str) -> None: ...
    def read_all(self) -> str: ...


def test_what_is_quick_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(1)
    monkeypatch.setattr("sys.stderr", screen)
    with waiting():
        pass
    assert screen.getvalue() == ""


def test_only_a_terminal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = StringIO()
    monkeypatch.setattr("sys.stderr", pipe)
    monkeypatch.setattr("micropie.check.progress.Thread", None)
    with waiting():
        pass
    assert pipe.getvalue() == ""


def test_it_is_told_again_and_again_and_the_line_is_cleared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Screen(3)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("micropie.check.progress._PATIENCE", 0)
    monkeypatch.setattr("micropie.check.progress._UPDATE", 0)

    def fail() -> None:
        # Whatever is printed to meanwhile, the terminal is told.
        monkeypatch.setattr("sys.stderr", StringIO())
        assert screen.told.wait(60)
        raise LookupError

    with pytest.raises(LookupError), waiting():
        fail()
    text = screen.getvalue()
    assert text.count("\rmicropie check: at work, 0 s") > 1
    assert text.endswith(" s\r\x1b[K")


@pytest.fixture
def waiting_mypy(library: Path, write: Write) -> Path:
    """A mypy that waits until something is written to what is returned."""
    fifo = library / "fifo"
    os.mkfifo(fifo)
    api = f"def run(args):\n    open({str(fifo)!r}).read()\n    return '', '', 0\n"
    files = {"__init__.py": "", "main.py": "", "api.py": api}
    write({str(library / "mypy" / name): text for name, text in files.items()})
    return fifo


def test_progress_when_it_takes_long(
    terminal: Callable[..., Terminal],
    waiting_mypy: Path,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    write({"chat.py": ""})
    shown = terminal("chat.py")
    shown.read_until("\rmicropie check: at work, 2 s")
    waiting_mypy.write_text("go on")
    assert shown.read_all().endswith(f"\r\x1b[K\x1b[1;32m{ONE_GOOD}\x1b[0m\n")
    assert shown.child.wait() == 0


def test_interruption(terminal: Callable[..., Terminal], waiting_mypy: Path, write: Write) -> None:
    write({"chat.py": ""})
    shown = terminal("chat.py")
    with waiting_mypy.open("w"):
        # mypy has opened it, too: it is waiting.
        shown.child.send_signal(signal.SIGINT)
        assert shown.child.wait() == 130
    told = shown.read_all().replace("\r\x1b[K", "")
    assert told.replace("\rmicropie check: at work, 2 s", "") == ""
