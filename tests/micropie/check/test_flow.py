"""The flow analysis, in words of the check."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

import micropie.check.flow
from micropie.check.beside import Analysed
from micropie.check.flow import Flow
from micropie.check.report import CheckError, Entry
from micropie.flow import Code, Finding, Severity
from micropie.flow.checker import Unreadable

Told: TypeAlias = dict[str, list[Finding] | Exception]


@pytest.fixture
def entries(flow: Told) -> Callable[..., list[Entry]]:
    analysis = Flow(Path.cwd())

    def entries(*files: str) -> list[Entry]:
        with analysis.begin(map(Path, files), meanwhile=False) as found:
            return found()

    return entries


def test_findings(entries: Callable[..., list[Entry]], flow: Told) -> None:
    flow["chat.py"] = [
        Finding(7, 3, Code.SEND_AFTER_CLOSE, Severity.ERROR, "it is closed", 5),
        Finding(9, 1, Code.NO_ANSWER, Severity.WARNING, "it can end"),
    ]
    flow["b.py"] = [Finding(1, 1, Code.SYNTAX_ERROR, Severity.ERROR, "it is no Python")]
    assert entries("chat.py", "a.py", "b.py") == [
        Entry("chat.py", 7, 3, "error", "send-after-close", "it is closed", "flow", origin=5),
        Entry("chat.py", 9, 1, "warning", "no-answer", "it can end", "flow"),
        Entry("b.py", 1, 1, "error", "syntax-error", "it is no Python", "flow"),
    ]
    assert entries("b.py")


def test_a_stub_has_no_code(entries: Callable[..., list[Entry]], flow: Told) -> None:
    flow["chat.pyi"] = AssertionError()
    assert entries("chat.pyi") == []


def test_a_file_that_cannot_be_read(entries: Callable[..., list[Entry]], flow: Told) -> None:
    flow["chat.py"] = Unreadable("cannot read chat.py: Permission denied")
    with pytest.raises(CheckError) as failed:
        entries("chat.py")
    assert str(failed.value) == "cannot read chat.py: Permission denied"


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_what_is_not_known_is_analysed_meanwhile(
    known: bool, fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("chat.py").write_text("async def ws_index(ws):\n    await ws.recieve_text(")
    files = [Path("chat.py")]
    later = time.time_ns() + 3_600_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    if known:
        Flow(Path.cwd(), tmp_path).analyse(files)
    asked: list[list[Path]] = []

    @contextmanager
    def noted(
        here: Path, cache: Path | None, files: list[Path]
    ) -> Generator[Callable[[], Analysed | None], None, None]:
        assert (here, cache) == (Path.cwd(), tmp_path)
        asked.append(files)
        found: Analysed = {"chat.py": [(1, 1, "syntax-error", "error", "found there", None)]}
        yield lambda: None if fails else found

    monkeypatch.setattr(micropie.check.flow, "beside", noted)
    monkeypatch.setattr(micropie.check.flow, "has_room", lambda: True)
    with Flow(Path.cwd(), tmp_path).begin(files, meanwhile=True) as entries:
        [entry] = entries()
    assert asked == ([] if known else [files])
    assert (entry.message == "found there") is not (known or fails)


def test_nothing_is_analysed_beside_nothing(flow: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micropie.check.flow, "has_room", lambda: True)
    monkeypatch.delattr(micropie.check.flow, "beside")
    flow["chat.py"] = []
    with Flow(Path.cwd()).begin([Path("chat.py")], meanwhile=False) as entries:
        assert entries() == []
