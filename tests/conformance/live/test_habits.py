"""The server still has the habits that the cases allow for.

What stands in the implementation's place are the two callables that the server gives.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from micropie_conformance.live import SERVERS
from micropie_conformance.live.habits import HABITS
from micropie_conformance.live.handler import Handler
from micropie_conformance.live.hosting import Host
from micropie_conformance.live.wire import Wire
from micropie_conformance.outcomes import Raised
from micropie_conformance.probe import Target, Unreached


class Server:
    """The two callables as methods."""

    def __init__(self, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        self.receive = receive
        self.send = send


Probe: TypeAlias = Callable[[Wire], Awaitable[None]]

ACCEPT = {"type": "websocket.accept"}
MESSAGE = {"type": "websocket.send", "text": "x"}
DISCONNECT = {"type": "websocket.disconnect", "code": 1006}


async def accept(handler: Handler) -> None:
    await handler.do("receive")
    await handler.do("send", ACCEPT)


async def disconnect_code(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await accept(handler)
        await handler.expect_returned(DISCONNECT, "receive")

    for code in (1000, 3001, None):
        client = await wire.connect(script)
        await client.close(code, "bye")
    await wire.all_ended()


def second_receive(more: int) -> Probe:
    """`more` disconnects follow the first."""

    async def probe(wire: Wire) -> None:
        async def leaves(handler: Handler) -> None:
            await accept(handler)
            await handler.do("receive")
            for _ in range(more):
                await handler.expect_returned({**DISCONNECT, "code": 1005}, "receive")
            await handler.call("receive")

        async def stays(handler: Handler) -> None:
            await accept(handler)
            await handler.do("send", {"type": "websocket.close"})

        client = await wire.connect(leaves)
        await client.close()
        await wire.until(client.handler, lambda: client.handler.given == 2 + more)
        # So much happens in the meantime that an answer would have come.
        for _ in range(3):
            other = await wire.connect(stays)
            await other.expect_close(1000)
        assert [call.words for call in client.handler.under_way] == ["receive()"]

    return probe


async def send_does_nothing(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await handler.expect_returned(None, "send", ACCEPT)
        for _ in range(3):
            await handler.expect_returned(None, "send", MESSAGE)

    await wire.vanish(script)
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


async def no_answer(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await handler.do("receive")

    client = await wire.handshake(script)
    assert client.answer == "HTTP 500"


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


SEEN: dict[str, dict[str, Probe]] = {
    "hypercorn": {
        "disconnect-code": disconnect_code,
        "second-receive": second_receive(0),
        "send-to-nobody": send_does_nothing,
        "no-close": closes_with_1011,
        "no-answer": no_answer,
        "unoffered-subprotocol": unoffered_subprotocol("Exception", "no answer"),
    },
    "uvicorn": {
        "second-receive": second_receive(1),
        "send-to-nobody": send_raises,
        "no-close": drops_the_connection,
        "no-answer": no_answer,
    },
    # What the workers of a server do differently.
    "uvicorn:websockets-sansio": {
        "unoffered-subprotocol": unoffered_subprotocol("", "a handshake that is not valid"),
    },
    "uvicorn:wsproto": {
        "unoffered-subprotocol": unoffered_subprotocol("LocalProtocolError", ""),
    },
}

PROBES = [
    pytest.param(door, probe, id=f"{door}-{name}")
    for server, workers in SERVERS.items()
    for door in (f"{server}:{worker}" for worker in workers)
    for name, probe in {**SEEN[server], **SEEN.get(door, {})}.items()
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
    # When a close frame meets a send is a matter of chance; `test_running` and `test_hosting`
    # show what is made of it.
    chance = {"hypercorn": {"busy"}}
    for worker in SERVERS[server]:
        seen = {*SEEN[server], *SEEN.get(f"{server}:{worker}", {})}
        assert set(HABITS[server]) == seen | chance.get(server, set())
    for habit in HABITS[server].values():
        assert habit.text
        assert habit.allowance
        assert habit.seen
