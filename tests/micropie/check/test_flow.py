"""The flow analysis, in words of the check."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from micropie.check.flow import Flow
from micropie.check.report import CheckError, Entry
from micropie.flow import Code, Finding, Severity
from micropie.flow.checker import Unreadable

Told: TypeAlias = dict[str, list[Finding] | Exception]


@pytest.fixture
def entries(flow: Told) -> Callable[..., list[Entry]]:
    analysis = Flow(Path.cwd())
    return lambda *files: analysis.begin(map(Path, files))()


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
