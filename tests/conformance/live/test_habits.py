"""The server still has its habits, and what one of them explains is not charged.

Where the cases allow for a habit, what stands in the implementation's place are the two callables
that the server gives. Those that show in cases are seen in `test_cases`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any, TypeAlias

import pytest
from micropie_conformance.live import SERVERS
from micropie_conformance.live.habits import HABITS, habits, judged, waits_in_vain
from micropie_conformance.live.handler import Handler
from micropie_conformance.live.hosting import Host
from micropie_conformance.live.streams import H2
from micropie_conformance.live.wire import Wire
from micropie_conformance.outcomes import Raised, show
from micropie_conformance.probe import Target, Unreached
from micropie_conformance.runner import Result, Verdict


class Server:
    """The two callables as methods."""

    def __init__(self, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        self.receive = receive
        self.send = send


Probe: TypeAlias = Callable[[Wire], Awaitable[None]]

ACCEPT = {"type": "websocket.accept"}
MESSAGE = {"type": "websocket.send", "text": "x"}


async def accept(handler: Handler) -> None:
    await handler.do("receive")
    await handler.do("send", ACCEPT)


def disconnect(code: int | None) -> dict[str, object]:
    return {"type": "websocket.disconnect", "code": code}


def disconnect_code(codes: dict[int | None, int | None]) -> Probe:
    """What the client closes with, and what comes of that."""

    async def probe(wire: Wire) -> None:
        for sent, given in codes.items():

            async def script(handler: Handler, given: int | None = given) -> None:
                await accept(handler)
                await handler.expect_returned(disconnect(given), "receive")

            client = await wire.connect(script)
            await client.close(sent, "bye")
        await wire.all_ended()

    return probe


async def disconnects_again(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await accept(handler)
        await handler.do("receive")
        for _ in range(3):
            await handler.expect_returned(disconnect(1005), "receive")

    client = await wire.connect(script)
    await client.close(3001)
    await wire.all_ended()


def second_receive(more: int) -> Probe:
    """`more` disconnects follow the first."""

    async def probe(wire: Wire) -> None:
        async def leaves(handler: Handler) -> None:
            await accept(handler)
            await handler.do("receive")
            for _ in range(more):
                await handler.expect_returned(disconnect(1005), "receive")
            await handler.call("receive")

        client = await wire.connect(leaves)
        await client.close()
        await wire.until(client.handler, lambda: client.handler.given == 2 + more)
        await others_come_and_go(wire)
        assert [call.words for call in client.handler.under_way] == ["receive()"]

    return probe


async def send_does_nothing(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await handler.expect_returned(None, "send", ACCEPT)
        for _ in range(3):
            await handler.expect_returned(None, "send", MESSAGE)

    await wire.vanish(script)
    await wire.all_ended()


async def send_after_a_close_does_nothing(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await accept(handler)
        await handler.do("receive")
        for _ in range(3):
            await handler.expect_returned(None, "send", MESSAGE)

    client = await wire.connect(script)
    await client.close()
    await wire.all_ended()


async def send_raises(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        for event in (ACCEPT, MESSAGE, MESSAGE):
            await handler.expect_raised(OSError, "send", event)

    await wire.vanish(script)
    await wire.all_ended()


async def closes_with_1011(wire: Wire) -> None:
    client = await wire.connect(accept)
    await client.expect_close(1011)


async def drops_the_connection(wire: Wire) -> None:
    client = await wire.connect(accept)
    with pytest.raises(Unreached, match="the end of the connection without a close frame"):
        await client.get_close()


async def closes_without_a_code(wire: Wire) -> None:
    client = await wire.connect(accept)
    await client.expect_close(1005)


async def stays_open(wire: Wire) -> None:
    client = await wire.connect(accept)
    await wire.ended(client.handler)
    message = asyncio.create_task(client.get("nothing"))
    await others_come_and_go(wire)
    assert not message.done()
    message.cancel()


def answers(answer: str) -> Probe:
    async def probe(wire: Wire) -> None:
        async def script(handler: Handler) -> None:
            await handler.do("receive")

        client = await wire.handshake(script)
        assert client.answer == answer

    return probe


def does_not_answer(*events: dict[str, object]) -> Probe:
    """The application sends these events and ends."""

    async def probe(wire: Wire) -> None:
        ended = asyncio.Event()

        async def script(handler: Handler) -> None:
            await handler.do("receive")
            for event in events:
                await handler.call("send", event)
            loop.call_soon_threadsafe(ended.set)

        loop = asyncio.get_running_loop()
        handshake = asyncio.create_task(wire.handshake(script))
        await ended.wait()
        await others_come_and_go(wire)
        assert not handshake.done()
        handshake.cancel()

    return probe


async def others_come_and_go(wire: Wire) -> None:
    """Let so much happen that what the server was going to do it would have done."""

    async def stays(handler: Handler) -> None:
        await accept(handler)
        await handler.do("send", {"type": "websocket.close"})

    for _ in range(3):
        other = await wire.connect(stays)
        await other.expect_close(1000)


def unoffered_subprotocol(error: str, answer: str) -> Probe:
    """send() raises an error of the class that is so named; empty: it raises nothing."""

    async def probe(wire: Wire) -> None:
        async def script(handler: Handler) -> None:
            await handler.do("receive")
            call = await handler.call("send", {**ACCEPT, "subprotocol": "not-offered"})
            cause = call.outcome.error if isinstance(call.outcome, Raised) else None
            assert (type(cause).__name__ if cause else "") == error

        client = await wire.handshake(script)
        assert client.answer.startswith(answer)

    return probe


async def half_close_does_nothing(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await accept(handler)
        await handler.do("receive")

    client = await wire.connect(script)
    client.connection.half_close()
    await others_come_and_go(wire)
    assert [call.words for call in client.handler.under_way] == ["receive()"]


class LeavesTheEndToTheServer(H2):
    client_ends = False


async def stream_stays_open(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await accept(handler)
        await handler.do("receive")

    wire.host.stream = LeavesTheEndToTheServer
    client = await wire.connect(script)
    closing = asyncio.create_task(client.close())
    await client.get_close()
    await others_come_and_go(wire)
    assert not closing.done()
    client.connection.half_close()
    await closing
    assert wire.log[-1] == "client 1 <- end of the connection (FIN)"


SEEN: dict[str, dict[str, Probe]] = {
    "hypercorn": {
        "disconnect-code": disconnect_code({1000: 1006, 3001: 1006, None: 1006}),
        "second-receive": second_receive(0),
        "send-to-nobody": send_does_nothing,
        "no-close": closes_with_1011,
        "no-answer": answers("HTTP 500"),
        "unoffered-subprotocol": unoffered_subprotocol("Exception", "no answer"),
        "half-close": half_close_does_nothing,
        "open-stream": stream_stays_open,
    },
    "uvicorn": {
        "second-receive": second_receive(1),
        "send-to-nobody": send_raises,
        "no-close": drops_the_connection,
        "no-answer": answers("HTTP 500"),
        "unoffered-subprotocol": unoffered_subprotocol("", "a handshake that is not valid"),
        "unoffered-subprotocol-refused": unoffered_subprotocol("LocalProtocolError", ""),
    },
    "granian": {
        "disconnect-code": disconnect_code({1000: 1000, 3001: 3001, None: 1005}),
        "second-receive": disconnects_again,
        "send-to-nobody": send_after_a_close_does_nothing,
        "no-close": closes_without_a_code,
        "no-answer": answers("HTTP 403"),
        "unoffered-subprotocol": unoffered_subprotocol("", "a handshake that is not valid"),
    },
    "daphne": {
        "disconnect-code": disconnect_code({1000: 1000, 3001: 3001, None: None}),
        "second-receive": second_receive(0),
        "send-to-nobody": send_does_nothing,
        "no-close": stays_open,
        "no-answer": does_not_answer(),
        "unoffered-subprotocol": does_not_answer({**ACCEPT, "subprotocol": "not-offered"}),
    },
}

# When a close frame meets a send is a matter of chance; `test_running` and `test_hosting` show what
# is made of it.
CHANCE = {"busy"}

DOORS = [f"{server}:{worker}" for server, workers in SERVERS.items() for worker in workers]

PROBES = [
    pytest.param(door, SEEN[door.partition(":")[0]][name], id=f"{door}-{name}")
    for door in DOORS
    for name, habit in habits(door).items()
    if habit.sign is None and name not in CHANCE
]


@pytest.mark.parametrize(("door", "probe"), PROBES)
async def test_the_server_has_the_habit(door: str, probe: Probe) -> None:
    with Host(door) as host:
        wire = Wire(Target(Server, Exception), host)
        try:
            await probe(wire)
            assert wire.failure is None
        finally:
            await wire.finish()


@pytest.mark.parametrize("server", SERVERS)
def test_every_habit_is_described_and_seen(server: str) -> None:
    # `test_cases` sees those that show.
    allowed = {name for name, habit in HABITS[server].items() if habit.sign is None}
    assert allowed - CHANCE == set(SEEN[server])
    for habit in HABITS[server].values():
        assert habit.text
        assert habit.seen == version(server)
        # What the cases allow for does not show, and what shows they do not allow for.
        assert bool(habit.allowance) == (habit.sign is None)
        assert set(habit.workers) <= set(SERVERS[server])


def test_a_habit_may_be_one_workers() -> None:
    assert "busy" in habits("hypercorn:trio")
    assert "busy" not in habits("hypercorn:asyncio")


# Whose a failure is

DROPPED = "daphne drops messages that are empty (seen with 4.2.3)"
EMPTY = Result(
    "WS-WIRE-013/empty-to-client/text",
    Verdict.BROKEN,
    "the client gets text ''",
    "the client gets text 'plain'",
    ["handler 1  call      send_text('')", "handler 1  sends     websocket.send text=''"],
)
COOKIE = Result(
    "WS-WIRE-003/cookie/alone",
    Verdict.BROKEN,
    "one Set-Cookie header, with session_id=abc",
    "none",
    [
        "handler 2  sends     websocket.accept subprotocol=None, "
        "headers=[(b'set-cookie', b'session_id=abc; Path=/')]"
    ],
)
LONGEST = f"'{'r' * 123}'"
CLOSE = Result(
    "WS-WIRE-023/closes-with/both",
    Verdict.BROKEN,
    "the client gets a close frame with code 3001, reason 'bye'",
    "the client gets a close frame with code 3001, reason ''",
    ["handler 1  sends     websocket.close code=3001, reason='bye'"],
)
GONE = Result(
    "WS-WIRE-027/closes-to-vanished",
    Verdict.UNREACHED,
    "",
    "nothing within 0.5 seconds",
    ["handler 1  is given  websocket.connect", "client 1   is gone"],
)


@pytest.mark.parametrize(
    ("door", "result", "words"),
    [
        ("daphne:asyncio", EMPTY, "drops messages that are empty"),
        (
            "daphne:asyncio",
            replace(EMPTY, trace=["handler 1  sends     websocket.send text='', bytes=None"]),
            "drops messages that are empty",
        ),
        ("daphne:asyncio", COOKIE, "drops the headers of websocket.accept"),
        ("granian:asyncio", COOKIE, "drops the headers of websocket.accept"),
        ("daphne:asyncio", CLOSE, "drops the reason of websocket.close"),
        (
            "daphne:asyncio",
            replace(CLOSE, trace=["handler 1  sends     websocket.close reason='bye', code=3001"]),
            "drops the reason of websocket.close",
        ),
        (
            "daphne:asyncio",
            replace(
                CLOSE,
                expected=CLOSE.expected.replace("'bye'", LONGEST),
                trace=[f"handler 1  sends     websocket.close reason={show(LONGEST[1:-1])}"],
            ),
            "drops the reason of websocket.close",
        ),
        ("granian:asyncio", GONE, "says nothing of a client that is gone"),
    ],
)
def test_what_a_habit_explains_is_the_servers(door: str, result: Result, words: str) -> None:
    found = judged(result, door)
    assert found == replace(result, verdict=Verdict.SERVER, habit=found.habit)
    assert found.habit.startswith(f"{door.partition(':')[0]} {words}")


@pytest.mark.parametrize(
    ("door", "result"),
    [
        # A server without the habit, a case that it does not show in, a fault of the suite.
        ("hypercorn:asyncio", EMPTY),
        ("daphne:asyncio", replace(EMPTY, case="WS-WIRE-007/text-to-client")),
        ("daphne:asyncio", replace(EMPTY, verdict=Verdict.FAULT)),
        # The implementation has not done its part, or something else went wrong as well.
        ("daphne:asyncio", replace(EMPTY, trace=EMPTY.trace[:1])),
        ("daphne:asyncio", replace(EMPTY, trace=["handler 1  sends     websocket.send bytes=b''"])),
        ("daphne:asyncio", replace(EMPTY, observed="the client gets text 'full'")),
        ("daphne:asyncio", replace(COOKIE, expected="one Set-Cookie header, with session_id=ab")),
        ("daphne:asyncio", replace(COOKIE, trace=[COOKIE.trace[0] * 2])),
        ("daphne:asyncio", replace(COOKIE, trace=["handler 2  sends     websocket.accept"])),
        ("daphne:asyncio", replace(CLOSE, observed=CLOSE.observed.replace("3001", "1000"))),
        ("daphne:asyncio", replace(CLOSE, trace=[CLOSE.trace[0].replace("bye", "by")])),
        (
            "daphne:asyncio",
            replace(
                CLOSE,
                expected=CLOSE.expected.replace("'bye'", LONGEST),
                trace=[f"handler 1  sends     websocket.close reason={show(LONGEST[2:-1])}"],
            ),
        ),
        ("granian:asyncio", replace(GONE, trace=GONE.trace[:1])),
    ],
)
def test_what_no_habit_explains_is_charged(door: str, result: Result) -> None:
    assert judged(result, door) == result


def test_a_habit_that_is_gone_is_named() -> None:
    passed = Result(EMPTY.case, Verdict.PASSED)
    assert judged(passed, "daphne:asyncio") == replace(passed, habit=DROPPED)
    assert judged(passed, "granian:asyncio") == passed


def test_where_a_case_waits_in_vain_is_known() -> None:
    assert waits_in_vain(GONE.case, "granian:asyncio")
    assert not waits_in_vain(GONE.case, "daphne:asyncio")
    assert not waits_in_vain(COOKIE.case, "granian:asyncio")
