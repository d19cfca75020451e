"""The worker does its job, whatever the target does, and tells of it line by line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from micropie_conformance.case import registered
from micropie_conformance.worker import IN_MEMORY, OUT_OF_MEMORY, Job

# Case ids may change, clause ids never do.
SENDS = next(case.id for case in registered()[0] if case.clause.id == "WS-SEND-001")
SENDS_BYTES = next(case.id for case in registered()[0] if case.clause.id == "WS-SEND-002")
WIRE = next(case.id for case in registered()[1] if case.clause.id == "WS-WIRE-001")
LEAVES_NO_TASK = next(
    case.id for case in registered()[1] if case.id.startswith("WS-WIRE-031") and "ret" in case.id
)

WORKER = [sys.executable, "-P", "-m", "micropie_conformance.worker"]

IMPLEMENTATION = """
import os
from micropie import ConnectionClosed, WebSocket

class Target(WebSocket):
    async def send_text(self, data):
        {}
"""


EXCUSING = "from micropie import ConnectionClosed, WebSocket as Target\nNOT_APPLICABLE = {}"


class Played(NamedTuple):
    news: list[dict[str, Any]]
    status: int
    printed: str


def play(
    folder: Path,
    target: str,
    *cases: str,
    door: str = IN_MEMORY,
    closed: str | None = None,
    command: list[str] = WORKER,
    path: tuple[str, ...] = (),
) -> Played:
    """Let a worker do a job, as the parent does."""
    reader, writer = os.pipe()
    job = folder / "job.json"
    job.write_text(json.dumps(asdict(Job(target, closed, door, list(cases), writer, list(path)))))
    printed = folder / "printed"
    with job.open() as stdin, printed.open("w") as stdout:
        process = subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stdout, pass_fds=(writer,), cwd=folder
        )
        os.close(writer)
        with open(reader) as stream:
            news = [json.loads(line) for line in stream]
    return Played(news, process.wait(), printed.read_text())


@pytest.fixture
def target(tmp_path: Path) -> Callable[[str], str]:
    """Write a target whose send_text has this body; give its name on the command line."""

    def write(body: str) -> str:
        (tmp_path / "impl.py").write_text(IMPLEMENTATION.format(body))
        return "impl.py:Target"

    return write


def test_the_path_that_a_job_gives(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "there.py").write_text(IMPLEMENTATION.format("pass"))
    found = play(tmp_path, "there:Target", path=(str(tmp_path / "else"), *sys.path))
    assert "loaded" in found.news[1]
    assert "refused" in play(tmp_path, "there:Target").news[1]


def results(played: Played) -> list[tuple[str, str]]:
    return [(news["result"][0], news["result"][1]) for news in played.news if "result" in news]


def test_news_of_a_job_in_memory(tmp_path: Path) -> None:
    played = play(tmp_path, "micropie:WebSocket", SENDS_BYTES, SENDS)
    ready, loaded, *_ = played.news
    assert ready == {"ready": True}
    assert loaded["loaded"].startswith("WebSocket (")
    assert loaded["closed"].startswith("ConnectionClosed (")
    assert results(played) == [(SENDS_BYTES, "passed"), (SENDS, "passed")]
    assert [news["looping"] for news in played.news[2:]] == [False, False]
    assert (played.status, played.printed) == (0, "")


def test_what_does_not_apply_by_the_targets_own_word(tmp_path: Path) -> None:
    (tmp_path / "impl.py").write_text(EXCUSING.format("{'WS-SEND-001': 'no texts'}"))
    played = play(tmp_path, "impl.py:Target", SENDS, SENDS_BYTES)
    _ready, loaded, *rest = played.news
    assert loaded["not_applicable"] == ["WS-SEND-001"]
    assert results(played) == [(SENDS, "not applicable"), (SENDS_BYTES, "passed")]
    assert rest[0]["result"][3] == "no texts"


def test_job_over_sockets(tmp_path: Path) -> None:
    played = play(tmp_path, "micropie:WebSocket", WIRE, door="hypercorn:asyncio")
    assert results(played) == [(WIRE, "passed")]
    assert played.status == 0


def test_job_of_exploring(tmp_path: Path) -> None:
    led_there, not_led = "WS-SEND-001/explored", "WS-GONE-001/explored"
    played = play(tmp_path, "micropie:WebSocket", led_there, not_led, door="explored:1")
    *_, number, result, unexplored = played.news
    assert number["sequences"] > 40
    assert result["result"][:2] == [led_there, "passed"]
    assert unexplored == {"unexplored": not_led}
    assert played.status == 0


def test_an_event_loop_is_told_of(tmp_path: Path, target: Callable[[str], str]) -> None:
    body = "import asyncio; await asyncio.sleep(1); await super().send_text(data)"
    played = play(tmp_path, target(body), SENDS)
    assert results(played) == [(SENDS, "passed")]
    assert played.news[-1]["looping"]


@pytest.mark.parametrize(
    ("source", "closed", "refused"),
    [
        ("Target = 5", None, "impl.py:Target is a int, which cannot be called: name the class"),
        ("def Target(): pass", None, "no ConnectionClosed beside impl.py:Target"),
        (
            "from functools import partial\nTarget = partial(print)",
            None,
            "name the exception that it raises when the client has disconnected, with --closed",
        ),
        (
            "class Target: pass\nConnectionClosed = 'gone'",
            None,
            "impl.py:ConnectionClosed is a str, not an exception class",
        ),
        (
            "class Target: pass\nclass Gone: pass",
            "impl.py:Gone",
            "impl.py:Gone is the class Gone, not an exception class",
        ),
        ("class Target: pass", "impl.py:Gone", "impl.py has no attribute 'Gone'"),
        ("raise KeyboardInterrupt", None, "cannot import impl.py:Target: it raises Keyboard"),
        ("import sys; sys.exit(3)", None, "cannot import impl.py: SystemExit: 3"),
        (
            EXCUSING.format("['WS-SEND-001']"),
            None,
            "impl.py:NOT_APPLICABLE is a list, not a mapping of clause ids to reasons",
        ),
        (
            EXCUSING.format("{'WS-SEND-01': 'none'}"),
            None,
            "impl.py:NOT_APPLICABLE has 'WS-SEND-01', which is no clause; --list shows them all",
        ),
        (
            EXCUSING.format("{'WS-SEND-001': ' '}"),
            None,
            "impl.py:NOT_APPLICABLE has no reason for WS-SEND-001: say in words why",
        ),
        (
            EXCUSING.format("{'WS-SEND-001': None}"),
            None,
            "impl.py:NOT_APPLICABLE has no reason for WS-SEND-001: say in words why",
        ),
    ],
)
def test_refused_targets(tmp_path: Path, source: str, closed: str | None, refused: str) -> None:
    (tmp_path / "impl.py").write_text(source)
    played = play(tmp_path, "impl.py:Target", SENDS, closed=closed)
    _ready, told = played.news
    assert refused in told["refused"]
    assert played.status == 0


@pytest.mark.parametrize(
    ("front", "closed", "names"),
    [
        # The class's own module has it, the one that was named does not.
        ("from impl import Target", None, ["Target (impl.py)", "ConnectionClosed (impl.py)"]),
        ("from impl import Target", "impl:Gone", ["Target (impl.py)", "Gone (impl.py)"]),
        (
            "from impl import ConnectionClosed\ndef Target(receive, send): ...",
            None,
            ["Target (front.py)", "ConnectionClosed (impl.py)"],
        ),
        (
            "from impl import ConnectionClosed\nfrom functools import partial\n"
            "Target = partial(int)",
            None,
            ["functools.partial(<class 'int'>)", "ConnectionClosed (impl.py)"],
        ),
    ],
)
def test_where_connection_closed_is(
    tmp_path: Path, front: str, closed: str | None, names: list[str]
) -> None:
    (tmp_path / "front.py").write_text(front)
    (tmp_path / "impl.py").write_text(
        "class Target: pass\nclass ConnectionClosed(Exception): pass\n"
        "class Gone(BaseException): pass"
    )
    loaded = play(tmp_path, "front:Target", SENDS, closed=closed).news[1]
    assert [loaded["loaded"], loaded["closed"]] == names


@pytest.mark.parametrize(
    ("source", "takes"),
    [
        ("def make(receive, send, more=5): ...", ""),
        ("def make(*args: int) -> None: ...", ""),
        (
            "def make(scope: dict[str, int], receive, send, *, more=5): ...",
            "(scope, receive, send, *, more=5)",
        ),
        ("def make(*, receive, send): ...", "(*, receive, send)"),
        # It does not say what it takes.
        ("make = min", ""),
    ],
)
def test_what_cannot_be_called_says_what_it_takes(tmp_path: Path, source: str, takes: str) -> None:
    (tmp_path / "impl.py").write_text(f"class ConnectionClosed(Exception): pass\n{source}\n")
    assert play(tmp_path, "impl:make", SENDS).news[1]["takes"] == takes


def test_memory_has_an_end(tmp_path: Path, target: Callable[[str], str]) -> None:
    played = play(tmp_path, target("bytearray(1 << 40)"), SENDS)
    assert results(played) == []
    assert played.status == OUT_OF_MEMORY


def test_what_is_too_long_is_cut_in_the_middle(
    tmp_path: Path, target: Callable[[str], str]
) -> None:
    body = "for number in range(300): await super().send_text(f'{number:0100}')"
    played = play(tmp_path, target(body), SENDS)
    _, verdict, _, observed, trace, *_ = played.news[-1]["result"]
    assert verdict == "broken"
    assert len(observed) < 5000
    assert "characters left out" in observed
    assert len(trace) == 201
    assert "steps left out" in trace[100]


def test_what_went_over_the_socket_is_told_and_cut(
    tmp_path: Path, target: Callable[[str], str]
) -> None:
    body = """pass

    async def close(self, code=1000, reason=None):
        import asyncio
        self.task = asyncio.create_task(asyncio.sleep(60))
        for number in range(300):
            await super().send_text(str(number))
        await super().close(code, reason)
    """
    played = play(tmp_path, target(body), LEAVES_NO_TASK, door="hypercorn:asyncio")
    *_, wire, _ = played.news[-1]["result"]
    assert len(wire) == 201
    assert wire[4:6] == ["client 1 <- text '0'", "client 1 <- text '1'"]
    assert "steps left out" in wire[100]


def test_a_copy_of_the_process_does_not_go_on(tmp_path: Path, target: Callable[[str], str]) -> None:
    body = "os.fork(); await super().send_text(data)"
    assert results(play(tmp_path, target(body), SENDS)) == [(SENDS, "passed")]


def test_threads_and_exit_handlers_of_the_target_do_not_hold_the_end_up(
    tmp_path: Path, target: Callable[[str], str]
) -> None:
    body = (
        "import atexit, threading; atexit.register(input); "
        "threading.Thread(target=threading.Event().wait).start(); await super().send_text(data)"
    )
    assert play(tmp_path, target(body), SENDS).status == 0


def test_a_fault_of_the_suite_is_told(tmp_path: Path) -> None:
    played = play(tmp_path, "micropie:WebSocket", "WS-NONE-001/none")
    assert "KeyError: 'WS-NONE-001/none'" in played.news[-1]["fault"]
    assert played.status == 0


def test_limits_of_the_system_below_ours_stay(tmp_path: Path) -> None:
    command = ["sh", "-c", 'ulimit -t 300 && exec "$@"', "sh", *WORKER]
    played = play(tmp_path, "micropie:WebSocket", SENDS, command=command)
    assert results(played) == [(SENDS, "passed")]
