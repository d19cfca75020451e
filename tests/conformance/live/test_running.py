"""Cases run to a verdict; a fault of the server is never charged to the implementation."""

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from micropie_conformance.case import Case, LiveCase
from micropie_conformance.catalogue import clause
from micropie_conformance.live import SERVERS
from micropie_conformance.live.handler import Handler
from micropie_conformance.live.hosting import Host
from micropie_conformance.live.running import run_live
from micropie_conformance.live.wire import Wire
from micropie_conformance.probe import Broken, NotApplicable, Target, Unreached
from micropie_conformance.runner import Result, Verdict

from micropie import ConnectionClosed, WebSocket

DOORS = [f"{server}:{worker}" for server, workers in SERVERS.items() for worker in workers]

TARGET = Target(WebSocket, ConnectionClosed)


def case(run: Callable[[Wire], Any], name: str = "case") -> LiveCase:
    return Case(name, clause("WS-WIRE-001"), "", run, True)


def run(
    body: Callable[[Wire], Any], door: str = "hypercorn:asyncio", deadline: float = 10
) -> Result:
    (result,) = run_live([case(body)], TARGET, door, deadline)
    assert result.case == "case"
    return result


async def closing(handler: Handler) -> None:
    await handler.open()
    await handler.shut()


async def greeting(handler: Handler) -> None:
    await handler.open()
    await handler.do("send_text", "hello")
    await handler.shut()


async def breaking(handler: Handler) -> None:
    await handler.open()
    raise Broken("one", "another")


@pytest.mark.parametrize("door", DOORS)
def test_a_case_that_holds_has_passed(door: str) -> None:
    async def body(wire: Wire) -> None:
        client = await wire.connect(greeting)
        await client.expect_message("hello")

    result = run(body, door)
    assert (result.verdict, result.expected, result.observed) == (Verdict.PASSED, "", "")
    status = 200 if door.endswith("+h2") else 101
    assert f"client 1   gets HTTP {status}" in result.trace
    assert result.wire == []


def test_what_the_target_says_does_not_apply_is_not_run() -> None:
    async def body(wire: Wire) -> None:
        raise NotImplementedError

    target = Target(WebSocket, ConnectionClosed, not_applicable={"WS-WIRE-001": "no such thing"})
    (result,) = run_live([case(body)], target)
    assert result == Result("case", Verdict.NOT_APPLICABLE, observed="no such thing")


def raising(error: Exception) -> Callable[[Wire], Awaitable[None]]:
    async def body(wire: Wire) -> None:
        await wire.connect(closing)
        raise error

    return body


def with_script_raising(error: BaseException) -> Callable[[Wire], Awaitable[None]]:
    async def script(handler: Handler) -> None:
        await handler.open()
        raise error

    async def body(wire: Wire) -> None:
        client = await wire.connect(script)
        # What the client sees only follows from what the script raised.
        await client.expect_message("never")

    return body


@pytest.mark.parametrize("raised_by", [raising, with_script_raising])
@pytest.mark.parametrize(
    ("error", "verdict", "expected", "observed"),
    [
        (Broken("one", "another"), Verdict.BROKEN, "one", "another"),
        (Unreached("not there"), Verdict.UNREACHED, "", "not there"),
        (NotApplicable("no such thing"), Verdict.NOT_APPLICABLE, "", "no such thing"),
        (ZeroDivisionError("a bug"), Verdict.FAULT, "", "ZeroDivisionError: a bug\n"),
    ],
)
def test_what_is_raised_decides(
    raised_by: Callable[[Exception], Callable[[Wire], Awaitable[None]]],
    error: Exception,
    verdict: Verdict,
    expected: str,
    observed: str,
) -> None:
    result = run(raised_by(error))
    assert (result.verdict, result.expected) == (verdict, expected)
    assert result.observed.endswith(observed)
    assert result.trace
    assert "client 1 -> GET /1, Upgrade: websocket" in result.wire


@pytest.mark.parametrize(("late", "verdict"), [(False, Verdict.BROKEN), (True, Verdict.UNREACHED)])
def test_the_script_comes_first_unless_the_client_gave_up_before(
    late: bool, verdict: Verdict
) -> None:
    go = threading.Event()

    async def script(handler: Handler) -> None:
        await handler.open()
        go.wait()
        raise Broken("one", "another")

    async def body(wire: Wire) -> None:
        await wire.connect(script)
        go.set()
        # The event loop of the clients does not get to know of it.
        while wire.failure is None:
            time.sleep(0)  # noqa: ASYNC251
        wire.late = late
        raise Unreached("not there")

    assert run(body).verdict is verdict


def test_what_comes_after_the_verdict_is_not_in_the_trace() -> None:
    async def receiving(handler: Handler) -> None:
        await handler.open()
        await handler.do("receive_text")

    async def body(wire: Wire) -> None:
        client = await wire.connect(receiving)
        await wire.waits_in(client.handler, "receive_text")
        raise Broken("one", "another")

    trace = run(body).trace
    assert "handler 1  call      receive_text()" in trace
    assert "handler 1  ends" not in trace


def test_a_script_that_the_server_ends_is_a_fault() -> None:
    result = run(with_script_raising(asyncio.CancelledError()))
    assert result.verdict is Verdict.FAULT
    assert "the server ended the handler" in result.observed


def test_a_case_waits_for_its_scripts() -> None:
    async def body(wire: Wire) -> None:
        await wire.connect(breaking)

    assert run(body).verdict is Verdict.BROKEN


def test_a_case_without_a_script_passes() -> None:
    async def body(wire: Wire) -> None:
        pass

    assert run(body).verdict is Verdict.PASSED


def test_after_one_deadline_that_has_passed_the_others_are_shorter() -> None:
    deadlines: list[float] = []

    async def body(wire: Wire) -> None:
        deadlines.append(wire.deadline)
        wire.late = len(deadlines) > 1

    list(run_live([case(body)] * 4, TARGET, deadline=10))
    assert deadlines == [10, 10, 2, 2]


# What the server does of its own accord

IN_VAIN = "WS-WIRE-027/closes-to-vanished"


def test_a_case_that_waits_in_vain_is_given_less_time() -> None:
    deadlines: list[float] = []

    async def gone(wire: Wire) -> None:
        deadlines.append(wire.deadline)
        await wire.vanish(closing)

    async def body(wire: Wire) -> None:
        deadlines.append(wire.deadline)

    cases = [case(gone, IN_VAIN), case(body)]
    servers, passed = run_live(cases, TARGET, "granian:asyncio", deadline=20)
    assert servers.verdict is Verdict.SERVER
    assert servers.habit.startswith("granian says nothing of a client that is gone")
    assert passed == replace(passed, verdict=Verdict.PASSED, habit="")
    # On a slow machine there may be another attempt between them.
    assert (deadlines[0], deadlines[-1]) == (1, 20)


def test_that_it_waits_in_vain_takes_no_time_from_others() -> None:
    deadlines: list[float] = []

    async def body(wire: Wire) -> None:
        deadlines.append(wire.deadline)
        if len(deadlines) == 1:
            raise Broken("one", "another")
        if len(deadlines) == 2:
            wire.trace.append("client 1   is gone")
            wire.late = True
            raise Unreached("nothing within 10 seconds")

    cases = [case(body, IN_VAIN), case(body)]
    verdicts = [one.verdict for one in run_live(cases, TARGET, "granian:asyncio", deadline=10)]
    assert verdicts == [Verdict.SERVER, Verdict.PASSED]
    assert deadlines == [0.5, 10, 10]


def test_what_no_habit_explains_is_given_all_the_time() -> None:
    deadlines: list[float] = []

    async def body(wire: Wire) -> None:
        deadlines.append(wire.deadline)
        raise Broken("one", "another")

    (result,) = run_live([case(body, IN_VAIN)], TARGET, "granian:asyncio", deadline=10)
    assert (result.verdict, result.habit) == (Verdict.BROKEN, "")
    assert deadlines == [0.5, 10]


def test_a_habit_that_is_gone_is_named() -> None:
    deadlines: list[float] = []

    async def body(wire: Wire) -> None:
        deadlines.append(wire.deadline)

    (result,) = run_live([case(body, IN_VAIN)], TARGET, "granian:asyncio", deadline=10)
    assert result.verdict is Verdict.PASSED
    assert result.habit.startswith("granian says nothing of a client that is gone")
    assert deadlines == [0.5]


# The server


def test_a_server_serves_until_a_case_has_not_passed_or_it_has_ended() -> None:
    hosts: list[Host] = []

    async def body(wire: Wire) -> None:
        hosts.append(wire.host)
        if len(hosts) == 2:
            raise Broken("one", "another")

    async def ending(wire: Wire) -> None:
        hosts.append(wire.host)
        wire.host.__exit__()

    cases = [case(run) for run in (body, body, body, ending, body)]
    verdicts = [one.verdict for one in run_live(cases, TARGET)]
    assert verdicts == [Verdict.PASSED, Verdict.BROKEN, *[Verdict.PASSED] * 3]
    assert [hosts.index(host) for host in hosts] == [0, 0, 2, 2, 4]
    assert not any(host.running for host in hosts)


# The server's own faults


class EndsTheServer(WebSocket):
    """On trio, Hypercorn ends when it is asked for a subprotocol that was not offered."""

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept("not-offered")


@pytest.mark.parametrize(
    ("attempts", "verdict"),
    [
        ([EndsTheServer, WebSocket], Verdict.PASSED),
        ([EndsTheServer, EndsTheServer, WebSocket], Verdict.PASSED),
        ([EndsTheServer, EndsTheServer, EndsTheServer], Verdict.BROKEN),
    ],
)
def test_where_the_server_failed_the_case_is_tried_again(
    attempts: list[type[WebSocket]], verdict: Verdict
) -> None:
    left = iter(attempts)

    def factory(receive: Any, send: Any) -> WebSocket:
        return next(left)(receive, send)

    async def body(wire: Wire) -> None:
        async def script(handler: Handler) -> None:
            await handler.expect_done("accept")
            await handler.shut()

        client = await wire.connect(script)
        await client.expect_close(3001, "bye")

    target = Target(factory, ConnectionClosed)
    (result,) = run_live([case(body)], target, "hypercorn:trio")
    assert result.verdict is verdict
    assert list(left) == []


def test_where_the_server_fails_in_different_ways_it_is_a_fault() -> None:
    expected = iter("abc")

    async def body(wire: Wire) -> None:
        async def script(handler: Handler) -> None:
            await handler.call("accept")
            raise Broken(next(expected), "nothing")

        await wire.handshake(script)

    target = Target(EndsTheServer, ConnectionClosed)
    (result,) = run_live([case(body)], target, "hypercorn:trio")
    assert result.verdict is Verdict.FAULT
    assert result.observed.startswith("the server failed: ")
    assert result.observed.endswith("; the case then: nothing")
    assert result.expected == ""
    assert result.trace


def test_where_the_server_fails_and_the_case_too_both_are_told() -> None:
    async def body(wire: Wire) -> None:
        async def script(handler: Handler) -> None:
            await handler.call("accept")
            raise ZeroDivisionError

        await wire.handshake(script)

    target = Target(EndsTheServer, ConnectionClosed)
    (result,) = run_live([case(body)], target, "hypercorn:trio")
    assert result.verdict is Verdict.FAULT
    assert result.observed.startswith("the server failed: ")
    assert result.observed.endswith("ZeroDivisionError\n")


def test_where_only_the_implementation_fails_there_is_one_attempt() -> None:
    attempts: list[int] = []

    async def body(wire: Wire) -> None:
        attempts.append(1)
        raise Broken("one", "another")

    assert run(body).verdict is Verdict.BROKEN
    assert attempts == [1]


@pytest.mark.parametrize("door", ["hypercorn:gevent", "uvicorn:asyncio", "hypercorn", ":"])
def test_a_server_that_there_is_not_is_a_value_error(door: str) -> None:
    with pytest.raises(ValueError, match=f"there is no {door}"):
        run_live([], TARGET, door)


def test_what_is_not_installed_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(ImportError):
        run_live([], TARGET, "hypercorn:uvloop")
