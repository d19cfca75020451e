"""The analysis in another process: with the same findings, and no longer than it is wanted."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import micropie.check.beside
from micropie.check.beside import beside, has_room
from micropie.check.flow import Flow

CHAT: Final = """\
from base import Base
class Chat(Base):
    async def ws_index(self, ws):
        await ws.send_text('')
"""


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Those that are started."""
    started: list[subprocess.Popen[bytes]] = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:  # whatever there is
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    return started


def test_the_findings(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    # What the other process imports is not from here, and a file's name may be no UTF-8.
    for name, text in {
        "json.py": "raise SystemExit('imported')",
        "base.py": "from micropie import App\nclass Base(App): ...",
        "chat.py": CHAT,
        "\udcff.py": CHAT,
    }.items():
        Path(name).write_text(text)
    files = [Path("chat.py"), Path("\udcff.py")]
    with beside(Path.cwd(), tmp_path, files) as analysed:
        found = analysed()
    assert found is not None
    here = Flow(Path.cwd()).analyse(files)
    assert {file: [*map(tuple, its)] for file, its in found.items()} == here
    assert [its[0][2] for its in here.values()] == ["send-before-accept"] * 2
    # It is remembered for all.
    assert [*tmp_path.glob("flow-*.json")]
    assert [process.returncode for process in processes] == [0]


def test_a_file_that_cannot_be_read(
    processes: list[subprocess.Popen[bytes]], capfd: pytest.CaptureFixture[str]
) -> None:
    with beside(Path.cwd(), None, [Path("none.py")]) as analysed:
        assert analysed() is None
    assert [process.returncode for process in processes] == [1]
    assert capfd.readouterr() == ("", "")


def test_it_imports_from_where_this_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with beside(Path.cwd(), None, []) as analysed:
        assert analysed() is None


def test_what_else_is_written_is_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(tmp_path, "sitecustomize.py").write_text("print('hello')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with beside(Path.cwd(), None, []) as analysed:
        assert analysed() is None


def test_the_search_path_may_have_what_python_passes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [Path("here"), *sys.path])
    with beside(Path.cwd(), None, []) as analysed:
        assert analysed() == {}


@pytest.mark.parametrize("option", ["-E", "-s", "-S"])
def test_the_environment_is_heeded_as_it_is_here(option: str) -> None:
    program = (
        "import subprocess, sys; from pathlib import Path; sys.path[:] = %r\n"
        "from micropie.check.beside import beside\n"
        "subprocess.Popen = lambda command, **_: sys.exit(' '.join(command[1:-2]))\n"
        "with beside(Path(), None, []): pass"
    )
    done = subprocess.run(
        [sys.executable, option, "-P", "-c", program % sys.path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == f"{option} -P\n"


def test_where_no_process_can_be_started(
    monkeypatch: pytest.MonkeyPatch, processes: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with beside(Path.cwd(), None, []) as analysed:
        assert analysed() is None
    assert processes == []


def test_it_ends_when_it_is_no_longer_wanted(
    monkeypatch: pytest.MonkeyPatch, processes: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(micropie.check.beside, "_PROGRAM", "import signal; signal.pause()")
    with pytest.raises(KeyboardInterrupt), beside(Path.cwd(), None, []):
        raise KeyboardInterrupt
    [process] = processes
    assert process.returncode not in {0, None}


@pytest.mark.parametrize(
    ("affinity", "count", "expected"),
    [
        ({0}, 2, False),
        ({0, 1}, 2, True),
        (None, 2, True),
        (None, 1, False),
        (None, None, False),
    ],
)
def test_whether_there_is_room(
    affinity: set[int] | None, count: int | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if affinity is None:
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    else:

        def of(_: int) -> set[int]:
            return affinity

        monkeypatch.setattr(os, "sched_getaffinity", of, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert has_room() is expected
