"""The command `micropie`, without what its verbs do."""

import errno
import importlib.metadata
import io
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from micropie import cli
from micropie.cli import main

_VERBS = ["check", "verify", "report", "diff", "serve"]


def test_help_tells_all_verbs_an_example_of_each_and_the_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for verb in _VERBS:
        assert f"\n    {verb} " in text
        assert f"\n  micropie {verb} " in text
    for status in (0, 1, 2, 130):
        assert f"\n  {status} " in text
    assert max(map(len, text.splitlines())) < 100


@pytest.mark.parametrize("verb", _VERBS)
def test_each_verb_has_its_own_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: micropie {verb} ")
    assert f"\n  micropie {verb} " in text
    assert "exit status" in text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ([], "a verb is needed: check, verify, report, diff, serve"),
        (["chek", "x.py"], "invalid choice: 'chek'"),
        (["--nosuch"], "unrecognized arguments: --nosuch"),
        (["diff", "old.json"], "the following arguments are required: NEW.json"),
        (["check", "--nosuch", "x.py"], "unrecognized arguments: --nosuch"),
    ],
)
def test_a_wrong_call(call: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(call)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("installed", [True, False])
def test_version(
    installed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def version(name: str) -> str:
        if not installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return f"{name}'s"

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert main(["--version"]) == 0
    shown = "micropie-contract's" if installed else "(not installed)"
    python = platform.python_version()
    assert capsys.readouterr().out == f"micropie-contract {shown} (Python {python})\n"


@pytest.mark.parametrize(
    ("verb", "missing", "message"),
    [
        ("serve", ["hypercorn"], "needs hypercorn: pip install 'micropie-contract[serve]'"),
        (
            "verify",
            ["rich", "websockets"],
            "needs rich and websockets: pip install 'micropie-contract[conformance]'",
        ),
    ],
)
def test_a_verb_without_its_extra(
    verb: str,
    missing: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    assert main([verb, "anything"]) == 2
    assert capsys.readouterr() == ("", f"micropie {verb} {message}\n")


def test_the_arguments_are_those_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["micropie", "check", "nosuch.py"])
    assert main() == 2
    assert capsys.readouterr() == ("", "micropie check: no such file or folder: nosuch.py\n")


def test_an_interruption_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (tmp_path / "interrupted.py").write_text("raise KeyboardInterrupt")
    assert main(["serve", f"{tmp_path}/interrupted.py:app"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_has_enough_is_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "micropie", "--version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 141


def test_a_full_disk_is_no_traceback() -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "micropie", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (2, b"micropie: No space left on device\n")


@pytest.mark.parametrize(("arguments", "status"), [("--version", 0), ("nosuch", 2)])
def test_a_closed_standard_output_is_no_traceback(arguments: str, status: int) -> None:
    command = 'exec "$0" -P -m micropie "$1"'
    closed = subprocess.run(
        ["sh", "-c", f"{command} >&-", sys.executable, arguments],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert closed.returncode == status
    assert "Traceback" not in closed.stderr
    both = ["sh", "-c", f"{command} >&- 2>&-", sys.executable, arguments]
    assert subprocess.run(both, check=False).returncode == status


def test_what_is_wrong_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what the system refuses, only what is no fault of the program is told in a line."""

    def fail() -> str:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(cli, "version", fail)
    with pytest.raises(OSError, match="Input/output error"):
        main(["--version"])


def test_what_an_encoding_does_not_have_is_escaped(tmp_path: Path) -> None:
    name = "\N{SNOWMAN}.py"
    (tmp_path / name).write_text("x: int = ''")
    ended = subprocess.run(
        [sys.executable, "-P", "-X", "utf8=0", "-m", "micropie", "check", name],
        cwd=tmp_path,
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert ended.stdout.startswith(b"\\u2603.py:1: error: ")
    assert ended.returncode == 1


def test_a_standard_output_of_another_kind_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an interactive shell, which puts its own object there."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert main(["--version"]) == 0
    assert isinstance(sys.stdout, io.StringIO)
    assert sys.stdout.getvalue().startswith("micropie-contract ")
