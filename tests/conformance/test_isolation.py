"""Nothing that a target does to its process harms the run; the case that was running is broken."""

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from micropie_conformance.case import registered
from micropie_conformance.isolation import Isolation, SuiteError
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.worker import IN_MEMORY

from micropie._target import TargetError

# Case ids may change, clause ids never do.
CASES = {
    clause: next(case.id for case in registered()[0] if case.clause.id == clause)
    for clause in ("WS-SEND-001", "WS-SEND-002", "WS-RECV-001", "WS-CLOSE-001", "WS-ATTR-001")
}
SENDS, SENDS_BYTES, RECEIVES, CLOSES, _ = CASES.values()

IMPLEMENTATION = """
import os, signal, sys, threading, time
from micropie import ConnectionClosed, WebSocket

class Target(WebSocket):
    async def send_text(self, data):
        {}
"""


@pytest.fixture
def isolation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Isolation]:
    """Give what isolates a target whose module is this, with little patience."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)

    def isolate(source: str) -> Isolation:
        (tmp_path / "impl.py").write_text(source)
        return Isolation("impl.py:Target", None, patience=2)

    return isolate


def run(isolation: Isolation, *cases: str) -> list[Result]:
    return list(isolation.run(IN_MEMORY, list(cases)))


def verdicts(results: list[Result]) -> list[tuple[str, Verdict]]:
    return [(result.case, result.verdict) for result in results]


def test_results_come_in_order_and_say_what_was_loaded() -> None:
    isolation = Isolation("micropie:WebSocket", None, patience=60)
    assert verdicts(run(isolation, SENDS_BYTES, SENDS)) == [
        (SENDS_BYTES, Verdict.PASSED),
        (SENDS, Verdict.PASSED),
    ]
    assert isolation.loaded is not None
    assert isolation.loaded.factory.startswith("WebSocket (")
    assert isolation.loaded.closed.startswith("ConnectionClosed (")
    assert (isolation.looping, isolation.printed) == (False, "")


@pytest.mark.parametrize(
    ("body", "observed"),
    [
        ("os._exit(3)", "ended the process with exit status 3"),
        ("print('no', 'more'); os._exit(0)", "exit status 0; the last that it printed: no more"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by signal 9 (Killed)"),
        ("import ctypes; ctypes.string_at(0)", "signal 11 (Segmentation fault) in send_text ("),
        ("bytearray(1 << 40)", "used up the 2 GiB of memory that it may use"),
        ("time.sleep(1000)", "impl.py, line 7): nothing happened for 2 s"),
        # It cannot be asked where it stands.
        ("signal.signal(signal.SIGABRT, signal.SIG_IGN); time.sleep(1000)", "hangs: nothing"),
        # No news can come any more.
        ("os.closerange(3, 100); time.sleep(1000)", "nothing happened for 2 s"),
        # Something else holds the pipe.
        ("os._exit(4 if os.fork() else time.sleep(1000))", "ended the process with exit status 4"),
    ],
)
def test_ends_of_the_process(
    isolation: Callable[[str], Isolation], body: str, observed: str
) -> None:
    results = run(isolation(IMPLEMENTATION.format(body)), RECEIVES, SENDS, CLOSES)
    assert verdicts(results) == [
        (RECEIVES, Verdict.PASSED),
        (SENDS, Verdict.BROKEN),
        (CLOSES, Verdict.PASSED),
    ]
    assert observed in results[1].observed
    assert results[1].expected == "the case comes to its end"


def test_where_code_without_a_file_hangs(isolation: Callable[[str], Isolation]) -> None:
    source = IMPLEMENTATION.format("exec('time.sleep(1000)')")
    (result,) = run(isolation(f"exec({source!r})"), SENDS)
    assert result.observed.startswith("hangs in <module> (<string>, line 1): nothing happened")


def test_after_three_ends_the_rest_is_not_run(isolation: Callable[[str], Isolation]) -> None:
    source = IMPLEMENTATION.format("os._exit(3)")
    isolated = isolation(source.replace("send_text(self, data)", "accept(self)"))
    results = run(isolated, *CASES.values())
    assert [result.verdict for result in results] == [Verdict.BROKEN] * 3 + [Verdict.UNREACHED] * 2
    assert results[3].observed == "not run, as the target's process ended 3 times before its time"
    assert verdicts(run(isolated, SENDS)) == [(SENDS, Verdict.UNREACHED)]


def test_what_the_target_prints_is_kept(isolation: Callable[[str], Isolation]) -> None:
    body = "print('to', data); print('stderr', file=sys.stderr); await super().send_text(data)"
    isolated = isolation(IMPLEMENTATION.format(body))
    assert verdicts(run(isolated, SENDS)) == [(SENDS, Verdict.PASSED)]
    assert isolated.printed.startswith("to ")
    assert isolated.printed.endswith("stderr")


def test_modules_beside_the_target_are_not_taken_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # What our tests run with, and users do not.
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    for name in ("micropie.py", "json.py", "hypercorn.py"):
        (tmp_path / name).write_text(IMPLEMENTATION.format("await super().send_text(data)"))
    isolated = Isolation("micropie.py:Target", None, patience=60)
    assert verdicts(run(isolated, SENDS)) == [(SENDS, Verdict.PASSED)]


def test_an_event_loop_is_told_of(isolation: Callable[[str], Isolation]) -> None:
    body = "import asyncio; await asyncio.sleep(1); await super().send_text(data)"
    isolated = isolation(IMPLEMENTATION.format(body))
    assert verdicts(run(isolated, SENDS, RECEIVES)) == [
        (SENDS, Verdict.PASSED),
        (RECEIVES, Verdict.PASSED),
    ]
    assert isolated.looping


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("Target = 5", "impl.py:Target is a int, which cannot be called"),
        ("import os; os._exit(5)", "importing impl.py:Target ended the process with exit status 5"),
        (
            "while True: pass",
            "importing impl.py:Target hangs in <module> ({}/impl.py, line 1): nothing happened",
        ),
    ],
)
def test_targets_that_cannot_be_loaded(
    isolation: Callable[[str], Isolation], tmp_path: Path, source: str, message: str
) -> None:
    with pytest.raises(TargetError) as caught:
        run(isolation(source), SENDS)
    assert str(caught.value).startswith(message.format(tmp_path))


def test_a_fault_in_the_child_is_the_suites() -> None:
    with pytest.raises(SuiteError, match="KeyError: 'WS-NONE-001/none'"):
        run(Isolation("micropie:WebSocket", None, patience=60), "WS-NONE-001/none")


def test_a_child_that_does_not_start_is_a_fault_of_the_suite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(SuiteError, match="the suite's worker ended the process with exit status 1"):
        run(Isolation("micropie:WebSocket", None, patience=60), SENDS)


def test_nothing_that_a_child_started_outlives_the_run(
    isolation: Callable[[str], Isolation], tmp_path: Path
) -> None:
    # The end of the FIFO is read when the last process that holds it has ended.
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    isolated = isolation(
        "import os, subprocess\nheld = os.open('held', os.O_WRONLY)\n"
        "subprocess.Popen(['sleep', '1000'], pass_fds=[held])\n"
        + IMPLEMENTATION.format("time.sleep(1000)")
    )
    with closing(isolated.run(IN_MEMORY, [RECEIVES, SENDS], extra=1000)) as results:
        assert next(results).case == RECEIVES
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_signal_while_a_child_starts_leaves_no_child(
    isolation: Callable[[str], Isolation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    isolated = isolation(
        "import os, time\nheld = os.open('held', os.O_WRONLY)\n"
        "os.write(held, b'x')\ntime.sleep(1000)"
    )

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            select.select([reader], [], [])
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(isolated, SENDS)
    assert (os.read(reader, 2), os.read(reader, 1)) == (b"x", b"")
    os.close(reader)


def test_a_signal_comes_where_nothing_is_half_done(
    isolation: Callable[[str], Isolation], monkeypatch: pytest.MonkeyPatch
) -> None:
    # An exception here would leave a lock of Popen's taken, on which the end of the child waits.
    whole: list[bool] = []

    class Interrupted(subprocess.Popen[bytes]):
        def poll(self) -> int | None:
            if not whole:
                whole.append(False)
                os.kill(os.getpid(), signal.SIGINT)
                whole[0] = True
            return super().poll()

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(isolation("import time\ntime.sleep(1000)"), SENDS)
    assert whole == [True]
    assert signal.getsignal(signal.SIGINT) is handler


def test_beside_the_main_thread(isolation: Callable[[str], Isolation]) -> None:
    isolated = isolation(IMPLEMENTATION.format("await super().send_text(data)"))
    with ThreadPoolExecutor() as pool:
        assert verdicts(pool.submit(run, isolated, SENDS).result()) == [(SENDS, Verdict.PASSED)]


def test_what_is_explored() -> None:
    isolated = Isolation("micropie:WebSocket", None, patience=60)
    numbers: list[int] = []
    cases = ["WS-SEND-001/explored", "WS-GONE-001/explored"]
    results = list(isolated.run("explored:1", cases, on_sequences=numbers.append))
    assert verdicts(results) == [(cases[0], Verdict.PASSED)]
    assert numbers == [isolated.sequences]


def test_an_end_while_exploring_is_charged_to_no_clause(
    isolation: Callable[[str], Isolation],
) -> None:
    isolated = isolation(IMPLEMENTATION.format("os._exit(3)"))
    cases = ["WS-SEND-001/explored", "WS-NEW-001/explored"]
    results = list(isolated.run("explored:1", cases))
    assert verdicts(results) == [(case, Verdict.UNREACHED) for case in cases]
    assert results[0].observed == "when it is explored, it ended the process with exit status 3"


def test_modules_are_looked_for_on_the_path_that_is_given(tmp_path: Path) -> None:
    (tmp_path / "only_there.py").write_text("from micropie import ConnectionClosed, WebSocket")
    isolation = Isolation("only_there:WebSocket", None, 60, path=[str(tmp_path), *sys.path])
    assert verdicts(run(isolation, SENDS)) == [(SENDS, Verdict.PASSED)]
    with pytest.raises(TargetError, match="no module 'only_there'"):
        run(Isolation("only_there:WebSocket", None, 60), SENDS)
