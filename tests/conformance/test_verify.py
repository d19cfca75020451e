"""`micropie verify` gives a clear verdict, whatever it is pointed at."""

import contextlib
import importlib.util
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from micropie_conformance.case import registered
from micropie_conformance.catalogue import CLAUSES
from micropie_conformance.isolation import Isolation, Loaded
from micropie_conformance.report import counted
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.static import Checker

from micropie.cli import main

# Case ids may change, clause ids never do.
WIRE = next(case.id for case in registered()[1] if case.clause.id == "WS-WIRE-001")

IMPLEMENTATION = """
import os, sys, time
from micropie import ConnectionClosed, WebSocket

class Target(WebSocket):
    async def {}:
        {}
"""


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a target's module; give the target's name on the command line."""
    monkeypatch.chdir(tmp_path)

    def write(source: str) -> str:
        (tmp_path / "impl.py").write_text(source)
        return "impl.py:Target"

    return write


def accepts(body: str) -> str:
    return IMPLEMENTATION.format("accept(self, *args, **kwargs)", body)


def sends(body: str) -> str:
    return IMPLEMENTATION.format("send_text(self, data)", body)


@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_our_own_implementation(strict: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "micropie:WebSocket", *strict]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "micropie verify micropie:WebSocket"
    assert "  ran       in memory, stepped without an event loop" in lines
    assert lines[-1] == "strictly conformant"
    assert printed.err == ""


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        # What becomes of the process.
        (accepts("while True: pass"), 1, ["hangs in accept (", "not conformant: ", "not run, as"]),
        (accepts("x = []\n        while True: x.append(bytes(1 << 28))"), 1, ["used up the 2 GiB"]),
        (accepts("os._exit(3)"), 1, ["ended the process with exit status 3", "not conformant: "]),
        (accepts("os.abort()"), 1, ["killed by signal 6 (Aborted) in accept ("]),
        # What the calls raise.
        (sends("sys.exit(4)"), 1, ["-> SystemExit(4)", "not conformant: "]),
        (sends("raise BaseException('odd')"), 1, ["-> BaseException('odd')", "not conformant: "]),
        (sends("raise KeyboardInterrupt"), 1, ["-> KeyboardInterrupt()", "not conformant: "]),
        (sends("raise GeneratorExit"), 1, ["not conformant: "]),
        (
            "import sys\nclass ConnectionClosed(Exception): pass\n"
            "class Target:\n    def __init__(self, receive, send): sys.exit('\x1b[31m')",
            1,
            ["the constructor raises SystemExit('\\x1b[31m')", "not conformant: 1 clause broken"],
        ),
        (
            "class ConnectionClosed(Exception): pass\ndef Target(receive, send): return 5",
            1,
            ["AttributeError", "not conformant: "],
        ),
        # What is fine.
        (
            sends("print('hello', '\\x1b[2J'); await super().send_text(data)"),
            0,
            ["The target printed, at the end of it:\n  | hello \\x1b[2J\n", "strictly conformant"],
        ),
        (
            sends("import asyncio; await asyncio.sleep(9); await super().send_text(data)"),
            0,
            ["  ran       in memory, in an event loop\n", "strictly conformant"],
        ),
    ],
    ids=[
        "hangs",
        "eats-memory",
        "leaves",
        "aborts",
        "sys-exit",
        "base-exception",
        "keyboard-interrupt",
        "generator-exit",
        "constructor-raises",
        "function-of-nonsense",
        "prints",
        "needs-a-loop",
    ],
)
def test_verdicts(
    target: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
    source: str,
    status: int,
    words: list[str],
) -> None:
    assert main(["verify", target(source), "--patience", "3", "--depth", "1"]) == status
    printed = capsys.readouterr()
    for one in words:
        assert one in printed.out
    assert "Traceback" not in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Target = 5", "impl.py:Target is a int, which cannot be called: name the class"),
        ("class Target: pass", "no ConnectionClosed beside impl.py:Target: name the exception"),
        ("class Targe: pass", "impl.py has no attribute 'Target': did you mean Targe?"),
        ("import nosuch", "cannot import impl.py: ModuleNotFoundError: No module named 'nosuch'"),
        ("def (:", "cannot import impl.py: SyntaxError: invalid syntax"),
        ("raise SystemExit('\x1b[2J')", "cannot import impl.py: SystemExit: \\x1b[2J"),
        ("raise KeyboardInterrupt", "cannot import impl.py:Target: it raises KeyboardInterrupt"),
        ("import os; os._exit(0)", "importing impl.py:Target ended the process with exit status 0"),
        ("while True: pass", "importing impl.py:Target hangs in <module> ("),
        ("bytearray(1 << 40)", "cannot import impl.py: MemoryError"),
    ],
)
def test_targets_that_cannot_be_loaded(
    target: Callable[[str], str], capsys: pytest.CaptureFixture[str], source: str, words: str
) -> None:
    assert main(["verify", target(source), "--patience", "2"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"micropie verify: {words}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "TARGET is missing: name an implementation, module:attr or path/to/file.py:attr"),
        (["--case", "WS-SEND", "a:b"], "TARGET is missing; --case took a:b for an id: write TARG"),
        (["a:b", "--case", "WS-SNED"], "--case WS-SNED: there is no such clause or case"),
        (["a:b", "--case", "WS-WIRE"], "these cases are run over real sockets only: add --live"),
        (["a:b", "--live", "apache"], "--live apache: there is no such server"),
        (["a:b", "--level", "asgi", "--strict"], "--strict asks for the robust clauses, and --lev"),
        (["a:b", "--types"], "no module 'a' in "),
        (["a:b", "--suite", "2026.10"], "--suite 2026.10: there is no such version; there are 20"),
        (["a:b", "--deviations", "no.toml"], "cannot read no.toml: No such file or directory"),
        (["a:b", "--json", "nosuch/file"], "cannot write nosuch/file: No such file or directory"),
        (["a:b", "--json", "."], "cannot write .: Is a directory"),
        (["a:b", "--junit", "nosuch/file"], "cannot write nosuch/file: No such file or directory"),
        (["a:b", "--html", "/dev/null"], "cannot write /dev/null: Not a directory"),
        (["a:b", "--json", "-", "--junit", "-"], "--json and --junit cannot both be written to"),
        (["a:b"], "no module 'a' in "),
        (["a"], "'a' names no object: write module:attr"),
        (["a:b", "--repro", "WS-SEND-001"], "--repro WS-SEND-001: that is a clause: name one of"),
        (["--repro", WIRE], "TARGET is missing: "),
        (["--explain", "WS-SEND"], "there is no clause or case WS-SEND: did you mean WS-SEND-0"),
    ],
)
def test_wrong_calls(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["verify", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"micropie verify: {words}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_patience_is_a_time(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["verify", "a:b", "--patience", seconds])
    assert caught.value.code == 2
    assert f"{seconds!r} is not a number of seconds above 0" in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["verify", "--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert "micropie verify path/to/file.py:WebSocket" in printed
    assert "exit status: 0 conformant" in printed


@pytest.mark.parametrize(
    ("source", "options", "status", "verdict"),
    [
        (
            sends("await super().send_text(str(data))"),
            [],
            0,
            "conformant, but not strictly: 1 robust clause broken",
        ),
        (
            sends("await super().send_text(str(data))"),
            ["--strict"],
            1,
            "conformant, but not strictly: 1 robust clause broken",
        ),
        (
            sends("await super().send_text(str(data))"),
            ["--level", "asgi"],
            0,
            "conformant (of the part that ran: --level asgi)",
        ),
        (
            accepts("raise OSError"),
            ["--level", "documented", "--case", "WS-SEND-002"],
            1,
            "not shown to be conformant: {} could not be reached (of the part that ran: "
            "--level documented --case WS-SEND-002)",
        ),
    ],
)
def test_what_counts(
    target: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
    source: str,
    options: list[str],
    status: int,
    verdict: str,
) -> None:
    cases = [case for case in registered()[0] if case.clause.id == "WS-SEND-002"]
    assert main(["verify", target(source), *options]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == verdict.format(counted(cases, "case"))


MISTYPED = """
from micropie import ConnectionClosed, WebSocket

class Target(WebSocket):
    async def close(self, code: int = 1000, reason: {} = None) -> None:
        await super().close(code, reason)
"""


@pytest.mark.parametrize(
    ("annotation", "status", "words"),
    [
        ("str | None", 0, ["The types fit the contract, by mypy ", "strictly conformant ("]),
        (
            "None",
            1,
            [
                "The types do not fit the contract, by mypy ",
                "  close: parameter `reason` takes `None`; expected `str | None`\n",
                "not conformant: types of 1 member do not fit (",
            ],
        ),
    ],
)
def test_types(
    target: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
    annotation: str,
    status: int,
    words: list[str],
) -> None:
    name = target(MISTYPED.format(annotation))
    options = ["--case", "WS-SIGN-001", "WS-SIGN-006", "--depth", "1", "--json", "result.json"]
    assert main(["verify", name, "--types", *options]) == status
    printed = capsys.readouterr()
    for one in words:
        assert one in printed.out
    assert printed.err == ""
    found = json.loads(Path("result.json").read_text())["types"]
    assert [one["by"].split()[0] for one in found] == ["mypy", "pyright"]
    # It is nothing of what is not asked for.
    assert main(["verify", name, *options]) == 0
    assert "The types" not in capsys.readouterr().out


def test_a_type_checker_that_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = [sys.executable, "-c", "raise SystemExit('oh \x1b')"]
    asked = [Checker("pyright", failing)]
    monkeypatch.setattr("micropie_conformance.verify.checkers", lambda: asked)
    command = ["verify", "micropie:WebSocket", "--types", "--case", "WS-SIGN-001"]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert printed.err == "micropie verify: left out: pyright failed: oh \\x1b\n"
    assert "The types" not in printed.out
    # Without mypy there is no answer.
    asked[:] = [Checker("mypy", failing)]
    assert main(command) == 2
    assert capsys.readouterr() == ("", "micropie verify: mypy failed: oh \\x1b\n")


def test_types_need_mypy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = importlib.util.find_spec

    def find_spec(name: str) -> object:
        return None if name == "mypy" else installed(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    assert main(["verify", "micropie:WebSocket", "--types"]) == 2
    words = "micropie verify: --types needs mypy: pip install 'micropie-contract[check]'\n"
    assert capsys.readouterr() == ("", words)


DEVIATES = sends("await super().send_text(data if data.isascii() else 'x')")


@pytest.mark.parametrize(
    ("entry", "status", "last", "error"),
    [
        ("WS-SEND-001", 0, "conformant but for 1 declared deviation\n", ""),
        (
            "WS-SEND-001/sends-a-text/ascii",
            2,
            "not conformant: 1 clause broken; 1 declared deviation to delete\n",
            "declares WS-SEND-001/sends-a-text/ascii, where nothing is broken",
        ),
        ("WS-SEND", 2, "", "declares WS-SEND: there is no such clause or case: did you mean WS-"),
        # Not among what runs.
        ("WS-CLOSE-001", 1, "not conformant: 1 clause broken\n", ""),
    ],
)
def test_deviations(
    target: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
    entry: str,
    status: int,
    last: str,
    error: str,
) -> None:
    options = ["--case", "WS-SEND-001", "--depth", "1", "--deviations", "own.toml"]
    Path("own.toml").write_text(f'["{entry}"]\nreason = "It always was so."\n')
    assert main(["verify", target(DEVIATES), *options]) == status
    printed = capsys.readouterr()
    assert printed.out.replace(" (of the part that ran: --case WS-SEND-001)", "").endswith(last)
    assert ("  reason    It always was so.\n" in printed.out) == (status == 0)
    assert error in printed.err
    assert printed.err.count("\n") == (1 if error else 0)


def test_a_fault_of_the_suite_says_nothing_about_deviations(
    monkeypatch: pytest.MonkeyPatch, target: Callable[[str], str]
) -> None:
    def run(self: Isolation, door: str, cases: list[str], *_: object) -> Generator[Result]:
        self.loaded = Loaded("Target", "ConnectionClosed")
        yield Result(cases[0], Verdict.FAULT, observed="Traceback: ours")

    monkeypatch.setattr("micropie_conformance.verify.Isolation.run", run)
    name = target(DEVIATES)
    Path("own.toml").write_text('[WS-SEND-001]\nreason = "So."\n')
    options = ["--case", "WS-SEND-001", "--depth", "0", "--deviations", "own.toml"]
    assert main(["verify", name, *options]) == 3


def test_an_older_suite_is_a_part_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("micropie_conformance.verify.__version__", "2027.01")
    options = ["--suite", "2026.11", "--case", "WS-SIGN-001"]
    assert main(["verify", "micropie:WebSocket", *options]) == 0
    assert capsys.readouterr().out.endswith(
        "(of the part that ran: --suite 2026.11 --case WS-SIGN-001)\n"
    )


def test_closed_from_elsewhere(
    target: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = target("from micropie import WebSocket\nclass Target(WebSocket): pass")
    assert main(["verify", name, "--case", "WS-GONE"]) == 2
    assert main(["verify", name, "--case", "WS-GONE", "--closed", "micropie:ConnectionClosed"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("strictly conformant")


def test_live(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--live", "hypercorn:asyncio", "--case", WIRE, "WS-SIGN-001"]
    assert main(["verify", "micropie:WebSocket", *options]) == 0
    printed = capsys.readouterr()
    assert printed.err == "micropie verify: 1 case behind hypercorn:asyncio\n"
    assert re.search(r"\n            live behind hypercorn \S+, worker asyncio\n", printed.out)


def test_live_behind_all_that_is_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = importlib.util.find_spec

    def find_spec(name: str) -> object:
        return None if name == "wsproto" else installed(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    assert main(["verify", "micropie:WebSocket", "--live", "all", "--case", WIRE]) == 0
    first, *others = capsys.readouterr().err.splitlines()
    assert first == (
        "micropie verify: --live all leaves out uvicorn:wsproto, which needs wsproto: "
        "pip install 'micropie-contract[servers]'"
    )
    doors = (
        *(
            f"hypercorn:{worker}"
            for worker in ("asyncio", "uvloop", "trio", "asyncio+h2", "uvloop+h2")
        ),
        "uvicorn:websockets-sansio",
        "granian:asyncio",
        "daphne:asyncio",
    )
    assert others == [f"micropie verify: 1 case behind {door}" for door in doors]


def test_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", "micropie:WebSocket", "--case", "WS-SIGN-001", "--json", "-"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["verdict"] == "strictly conformant"
    assert document["results"][0]["clause"] == "WS-SIGN-001"
    assert printed.err == "strictly conformant (of the part that ran: --case WS-SIGN-001)\n"


def test_json_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    file.write_text("old")
    arguments = ["verify", "micropie:WebSocket", "--case", "WS-SIGN-001", "--json", str(file)]
    assert main(arguments) == 0
    assert json.loads(file.read_text())["target"] == "micropie:WebSocket"
    assert list(tmp_path.iterdir()) == [file]
    assert capsys.readouterr().out.endswith("(of the part that ran: --case WS-SIGN-001)\n")


def test_junit_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.xml"
    arguments = ["verify", "micropie:WebSocket", "--case", "WS-SIGN-001", "--junit", str(file)]
    assert main([*arguments, "--name", "Mine 2.1"]) == 0
    assert ElementTree.parse(file).getroot().get("name") == "Mine 2.1"
    assert list(tmp_path.iterdir()) == [file]
    assert capsys.readouterr().out.endswith("(of the part that ran: --case WS-SIGN-001)\n")


def test_pages(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    arguments = ["verify", "micropie:WebSocket", "--case", "WS-SIGN-001", "--html", str(folder)]
    assert main([*arguments, "--name", "Mine 2.1"]) == 0
    assert {file.name for file in folder.iterdir()} == {"index.html", "mine-2-1.html"}


def test_pages_that_cannot_be_written_in_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").mkdir()
    arguments = ["verify", "micropie:WebSocket", "--case", "WS-SIGN-001", "--html", str(tmp_path)]
    assert main(arguments) == 2
    printed = capsys.readouterr()
    # What was found is told all the same.
    assert "strictly conformant" in printed.out
    assert printed.err == f"micropie verify: cannot write {tmp_path}: Is a directory\n"


def test_junit_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", "micropie:WebSocket", "--case", "WS-SIGN-001", "--junit", "-"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert ElementTree.fromstring(printed.out).get("name") == "micropie:WebSocket"
    assert printed.err == "strictly conformant (of the part that ran: --case WS-SIGN-001)\n"


def test_the_date_is_looked_at_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    assert main(["verify", "nosuch:Target"]) == 2
    words = "SOURCE_DATE_EPOCH is 'today', not a number of seconds since 1970"
    assert capsys.readouterr() == ("", f"micropie verify: {words}\n")


@pytest.mark.parametrize(("device", "status"), [("/dev/null", 0), ("/dev/full", 2)])
def test_json_to_a_device(device: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", "micropie:WebSocket", "--case", "WS-SIGN-001", "--json", device]
    assert main(arguments) == status
    printed = capsys.readouterr()
    assert Path(device).is_char_device()
    # What was found is told all the same.
    assert "strictly conformant" in printed.out
    assert ("cannot write /dev/full: No space left on device" in printed.err) == bool(status)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("WS-")] == [
        clause.id for clause in CLAUSES
    ]
    assert f"    {WIRE}  (live)" in lines
    assert main(["verify", "--list", "--level", "documented", "--case", "WS-SEND"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("WS-")] == [
        [clause.id, "documented"]
        for clause in CLAUSES
        if clause.area == "SEND" and clause.level == "documented"
    ]


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("WS-WIRE-001", ["WS-WIRE-001", f"    {WIRE}  (live)"]),
        (WIRE, ["WS-WIRE-001", f"  case      {WIRE}  (live)"]),
        ("WS-NEW-005", ["        expected: sends nothing; send_text('x') raises RuntimeError"]),
        (
            "WS-NEW-005/send-text-raises",
            [
                "  does      Send a text before accept().",
                "         3  call         send_text('x')",
                "  expected  sends nothing",
                "            send_text('x') raises RuntimeError",
            ],
        ),
    ],
)
def test_explain(capsys: pytest.CaptureFixture[str], id: str, words: list[str]) -> None:
    assert main(["verify", "--explain", id]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in words if line not in lines] == []


def test_repro(target: Callable[[str], str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    name = target(sends("pass"))
    assert main(["verify", name, "--repro", "WS-SEND-001/sends-a-text/ascii"]) == 0
    printed = capsysbinary.readouterr()
    assert printed.err == b""
    Path("repro.py").write_bytes(printed.out)
    for source, status in ((sends("pass"), 1), (sends("await super().send_text(data)"), 0)):
        target(source)
        assert subprocess.run([sys.executable, "-B", "repro.py"], timeout=60).returncode == status


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        (sends("await super().send_text(data)"), 1, "passes on impl.py:Target: there is nothing"),
        (sends("os._exit(3)"), 1, "fails, but there is no stand-alone program for it: run "),
        (accepts("raise ValueError"), 1, "is unreached on impl.py:Target: accept() raises Value"),
    ],
    ids=["passes", "leaves", "unreached"],
)
def test_what_no_program_can_show(
    target: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
    source: str,
    status: int,
    words: str,
) -> None:
    case = "WS-SEND-001/sends-a-text/ascii"
    assert main(["verify", target(source), "--repro", case]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"micropie verify: {case} {words}")


EXPLORED = sends("await super().send_text(data if data else 'empty')")


def test_what_is_explored(target: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--case", "WS-MSG-003/explored", "WS-GONE-011/explored"]
    assert main(["verify", target(EXPLORED), *options, "--depth", "1"]) == 1
    printed = capsys.readouterr().out
    assert re.search(r"\n  ran       explored, \d+ sequences up to length 1\n", printed)
    assert "case      WS-MSG-003/explored (explored:1)" not in printed
    assert "\n  case      WS-MSG-003/explored\n" in printed
    assert "GONE-011" not in printed.split("--case")[0]


def test_what_is_explored_in_an_event_loop(
    target: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    source = sends("import asyncio; await asyncio.sleep(0); await super().send_text(data)")
    assert main(["verify", target(source), "--case", "WS-SEND-001/explored", "--depth", "1"]) == 0
    assert "up to length 1, peculiar ones below length 3\n" in capsys.readouterr().out


def test_nothing_is_explored_at_depth_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "micropie:WebSocket", "--case", "WS-SEND", "--depth", "0"]) == 0
    assert "explored" not in capsys.readouterr().out


@pytest.mark.parametrize("depth", ["-1", "x", "10"])
def test_a_depth_is_a_length(depth: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["verify", "a:b", "--depth", depth])
    assert caught.value.code == 2
    assert "is not a length from 0 to 9" in capsys.readouterr().err or depth == "-1"


@pytest.mark.parametrize(
    ("case", "status", "words"),
    [
        ("WS-MSG-003/explored", 0, ""),
        ("WS-SEND-002/explored", 1, "passes on impl.py:Target"),
        ("WS-GONE-001/explored", 1, "is unreached on impl.py:Target: no sequence led there"),
    ],
)
def test_repro_of_what_is_explored(
    target: Callable[[str], str],
    capsysbinary: pytest.CaptureFixture[bytes],
    case: str,
    status: int,
    words: str,
) -> None:
    assert main(["verify", target(EXPLORED), "--depth", "1", "--repro", case]) == status
    printed = capsysbinary.readouterr()
    assert (printed.out != b"") == (status == 0)
    assert words.encode() in printed.err


def test_a_fault_of_the_suite_is_no_repro(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(isolation: Isolation, door: str, cases: list[str]) -> Generator[Result, None, None]:
        yield Result(cases[0], Verdict.FAULT, observed="Traceback: ours")

    monkeypatch.setattr("micropie_conformance.verify.Isolation.run", run)
    case = "WS-SEND-001/sends-a-text/ascii"
    assert main(["verify", "micropie:WebSocket", "--repro", case]) == 3
    assert "Traceback: ours" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("everything", None, "TypeError: 'NoneType' object is not callable"),
        ("sys.executable", "false", "the suite's worker ended the process with exit status 1"),
    ],
)
def test_a_fault_of_the_suite_is_not_the_targets(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: object,
    words: str,
) -> None:
    monkeypatch.setattr(f"micropie_conformance.verify.{name}", value)
    assert main(["verify", "micropie:WebSocket"]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(
        "micropie verify: the suite itself failed, which says nothing about the target. Please "
        "report it, with these lines:\n  suite "
    )
    assert words in printed.err


COMMAND = [sys.executable, "-m", "micropie", "verify"]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_run_and_all_that_it_started(
    target: Callable[[str], str], tmp_path: Path, number: int, status: int
) -> None:
    # It is written to when the target hangs, and its end is read when the target has ended.
    os.mkfifo(tmp_path / "held")
    hang = "held = os.open('held', os.O_WRONLY); os.write(held, b'x'); time.sleep(1000)"
    with open(os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK), "rb", 0) as held:
        process = subprocess.Popen(
            [*COMMAND, target(accepts(hang)), "--json", "results.json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # Should it end early, its output ends.
        assert process.stdout is not None
        select.select([held, process.stdout], [], [])
        process.send_signal(number)
        assert process.communicate() == (b"", b"")
        os.set_blocking(held.fileno(), True)
        assert held.readall() == b"x"
    assert process.returncode == status
    assert sorted(path.name for path in tmp_path.iterdir()) == ["held", "impl.py"]


def test_nohup(target: Callable[[str], str]) -> None:
    name = target("import signal\n" + sends("os.kill(os.getppid(), signal.SIGHUP)"))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert main(["verify", name, "--case", "WS-SEND-001"]) == 1
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_pipe_that_nobody_reads() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "micropie:WebSocket", "--case", "WS-SIGN-001"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("no_color", [False, True])
def test_on_a_terminal(no_color: bool) -> None:
    primary, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "60"}
    environment.pop("NO_COLOR", None)
    if no_color:
        environment["NO_COLOR"] = "1"
    process = subprocess.Popen(
        [*COMMAND, "micropie:WebSocket", "--case", WIRE, "--live", "hypercorn:asyncio"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
    )
    os.close(terminal)
    shown = b""
    # Linux raises an error when the last that holds the terminal has ended.
    with contextlib.suppress(OSError):
        while read := os.read(primary, 4096):
            shown += read
    os.close(primary)
    assert process.wait() == 0
    text = shown.decode()
    assert re.search("hypercorn:asyncio .*1/1", text)
    assert ("\x1b[1;32mstrictly conformant" in text) != no_color
    # The cursor is back.
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "behind hypercorn:asyncio\n" not in text
