"""A case's clients talk to a real server, and what they get is judged and recorded."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from micropie_conformance.live.handler import Handler, Script
from micropie_conformance.live.hosting import Host
from micropie_conformance.live.wire import Client, Wire
from micropie_conformance.probe import Broken, NotApplicable, Target, Unreached

from micropie import ConnectionClosed, WebSocket
from micropie.contract import Receive, Send


@asynccontextmanager
async def wired(
    factory: Callable[..., object] = WebSocket, door: str = "hypercorn:asyncio"
) -> AsyncGenerator[Wire]:
    with Host(door) as host:
        wire = Wire(Target(factory, ConnectionClosed), host)
        try:
            yield wire
        finally:
            await wire.finish()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with wired() as wire:
        yield wire


def doing(*calls: tuple[Any, ...]) -> Script:
    """Accept, then make the calls, whatever comes of them."""

    async def script(handler: Handler) -> None:
        await handler.open()
        for method, *args in calls:
            await handler.call(method, *args)

    return script


async def closing(handler: Handler) -> None:
    await handler.do("close")


class AnswersWith:
    """It accepts with what it is made with."""

    def __init__(self, **answer: object) -> None:
        self.answer = answer

    def __call__(self, receive: Receive, send: Send) -> "AnswersWith":
        self.receive, self.send = receive, send
        return self

    async def accept(self) -> None:
        await self.receive()
        await self.send({"type": "websocket.accept", **self.answer})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, "HTTP 101"),
        ({"subprotocol": "not offered"}, "no answer"),
        (
            {"headers": [(b"sec-websocket-extensions", b"unknown")]},
            "a handshake that is not valid: ",
        ),
    ],
)
async def test_a_handshake_has_an_answer(answer: dict[str, object], expected: str) -> None:
    async with wired(AnswersWith(**answer)) as wire:
        client = await wire.handshake(doing())
        assert client.answer.startswith(expected)


async def test_a_client_that_must_connect_and_is_rejected_is_unreached(wire: Wire) -> None:
    with pytest.raises(Unreached, match="the client gets HTTP 403 instead of HTTP 101"):
        await wire.connect(closing)


@pytest.mark.parametrize(
    ("door", "answer"), [("hypercorn:asyncio", "HTTP 101"), ("hypercorn:asyncio+h2", "HTTP 200")]
)
async def test_the_answer_has_headers(door: str, answer: str) -> None:
    async def script(handler: Handler) -> None:
        await handler.do("accept", "chat", "secret")
        await handler.do("close")

    async with wired(door=door) as wire:
        client = await wire.connect(script, subprotocols=["chat", "other"])
        assert client.answer == wire.accepted == answer
        assert client.headers("Sec-WebSocket-Protocol") == ["chat"]
        (cookie,) = client.headers("set-cookie")
        assert cookie.startswith("session_id=secret")
        assert client.headers("x-other") == []


@pytest.mark.parametrize(
    ("message", "received"),
    [("text", "text"), (b"bytes", b"bytes"), (["a", "b"], "ab"), ([b"a", b"b"], b"ab")],
)
async def test_messages_go_both_ways(wire: Wire, message: Any, received: str | bytes) -> None:
    kind = "text" if isinstance(received, str) else "bytes"

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.get(received, f"receive_{kind}")
        for _ in range(2):
            await handler.do(f"send_{kind}", received)
        await handler.shut()

    client = await wire.connect(script)
    await client.send(message)
    await client.get(received)
    await client.expect_message(received)
    await client.expect_close(3001, "bye")
    await client.end()
    await wire.all_ended()


@pytest.mark.parametrize(
    ("calls", "observed"),
    [
        ([("send_text", "other")], "text 'other'"),
        ([("send_bytes", b"hello")], "binary b'hello'"),
        ([("close", 3001, "bye")], "a close frame with code 3001, reason 'bye'"),
        ([("close", 1000)], "a close frame with code 1000, reason ''"),
        # The client takes that for a broken protocol.
        ([("close", 1016)], "the end of the connection without a close frame"),
    ],
)
async def test_another_message_is_not_the_expected_one(
    calls: list[tuple[Any, ...]], observed: str
) -> None:
    class Careless(WebSocket):
        async def close(self, code: int = 1000, reason: str | None = None) -> None:
            await self.raw({"type": "websocket.close", "code": code, "reason": reason})

        def __init__(self, receive: Receive, send: Send) -> None:
            super().__init__(receive, send)
            self.raw = send

    async with wired(Careless) as wire:
        client = await wire.connect(doing(*calls))
        with pytest.raises(Unreached) as unreached:
            await client.get("hello")
        assert str(unreached.value) == f"the client gets {observed} instead of text 'hello'"
        client = await wire.connect(doing(*calls))
        with pytest.raises(Broken) as broken:
            await client.expect_message("hello")
        assert broken.value.expected == "the client gets text 'hello'"
        assert broken.value.observed == f"the client gets {observed}"


@pytest.mark.parametrize(
    ("calls", "observed"),
    [
        ([("close", 3001, "bye")], "a close frame with code 3001, reason 'bye'"),
        ([("close", 3000, "by")], "a close frame with code 3000, reason 'by'"),
        ([("send_text", "")], "text ''"),
        ([], "a close frame with code 1011, reason ''"),
    ],
)
async def test_another_close_is_not_the_expected_one(
    wire: Wire, calls: list[tuple[Any, ...]], observed: str
) -> None:
    client = await wire.connect(doing(*calls))
    with pytest.raises(Broken) as broken:
        await client.expect_close(3000, "bye")
    assert broken.value.expected == "the client gets a close frame with code 3000, reason 'bye'"
    assert broken.value.observed == f"the client gets {observed}"


async def test_a_close_can_be_had(wire: Wire) -> None:
    client = await wire.connect(doing(("close", 3001, "bye")))
    # What a coroutine of Python 3.11 does once an error was thrown into it is not traced.
    await client.end()
    close = await client.get_close()
    assert (close.code, close.reason) == (3001, "bye")
    client = await wire.connect(doing(("send_text", "no close")))
    with pytest.raises(Unreached, match="text 'no close' instead of a close frame"):
        await client.get_close()


async def test_a_client_cannot_send_when_the_connection_is_closed(wire: Wire) -> None:
    client = await wire.connect(doing(("close", 3001, "bye")))
    await client.end()
    with pytest.raises(Unreached, match=r"code 3001, reason 'bye' and cannot send"):
        await client.send("late")


async def leaves(client: Client, way: str) -> None:
    match way:
        case "close":
            await client.close(3001, "bye")
        case "close without code":
            await client.close(None)
        case _:
            client.vanish(reset=way == "reset")


@pytest.mark.parametrize("way", ["close", "close without code", "reset", "end of stream"])
async def test_a_client_can_leave(wire: Wire, way: str) -> None:
    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.expect_closed("receive_text")

    client = await wire.connect(script)
    await leaves(client, way)
    await wire.ended(client.handler)
    assert wire.failure is None
    # It has left already.
    client.vanish(reset=True)


@pytest.mark.parametrize("fault", ["begin", "unmasked", "half-closed", "too much"])
async def test_a_client_can_break_off(wire: Wire, fault: str) -> None:
    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.expect_returned_or_closed("large", "receive_text")

    client = await wire.connect(script)
    match fault:
        case "begin":
            client.begin("never comes whole", whole_frame=False)
            client.vanish(reset=True)
        case "unmasked":
            client.send_unmasked("hello")
        case "half-closed":
            client.half_close()
        case _:
            await client.send_too_much("large")
            await client.send_too_much(["is", "late"])
    await wire.ended(client.handler)
    assert wire.failure is None


async def test_what_the_server_takes_no_notice_of_does_not_apply() -> None:
    async with wired(door="hypercorn:asyncio+h2") as wire:
        client = await wire.connect(doing())
        with pytest.raises(NotApplicable, match="hypercorn takes no notice when the client ends"):
            client.half_close()


async def test_a_client_can_read_later(wire: Wire) -> None:
    client = await wire.connect(doing(("send_text", "hello"), ("close",)))
    client.hold()
    client.go_on()
    await client.expect_message("hello")
    assert [line for line in wire.log if "--" in line] == [
        "client 1 -- reads no more",
        "client 1 -- reads again",
    ]


async def test_a_client_can_vanish_before_it_is_accepted(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await handler.do("accept")
        await handler.expect_closed("receive_text")

    handler = await wire.vanish(script)
    await wire.ended(handler)
    assert wire.failure is None


async def test_a_call_that_waits_can_be_cancelled(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.be_cancelled("receive_text")
        await handler.get("hello", "receive_text")

    client = await wire.connect(script)
    await wire.cancel(client.handler)
    await client.send("hello")
    await wire.ended(client.handler)
    assert wire.failure is None


async def test_the_case_can_wait_for_a_call(wire: Wire) -> None:
    client = await wire.connect(doing(("receive_text",)))
    await wire.waits_in(client.handler, "receive_text")
    assert [call.words for call in client.handler.under_way] == ["receive_text()"]


async def test_what_is_left_behind_is_known() -> None:
    tasks: list[asyncio.Task[bool]] = []

    class Leaves(WebSocket):
        async def accept(self, *args: Any, **kwargs: Any) -> None:
            await super().accept(*args, **kwargs)
            tasks.append(asyncio.create_task(asyncio.Event().wait()))

    async with wired(Leaves) as wire:
        client = await wire.connect(doing(("close",)))
        await wire.ended(client.handler)
        assert wire.left_behind(client.handler) == ["Event.wait"]


async def test_cases_on_one_server_have_paths_and_numbers_of_their_own(wire: Wire) -> None:
    other = Wire(Target(WebSocket, ConnectionClosed), wire.host)
    clients = [await one.handshake(closing) for one in (wire, other)]
    assert len({client.handler.path for client in clients}) == 2
    assert wire.trace[0] == other.trace[0] == "client 1   asks for a connection"


async def test_a_script_that_raises_is_noticed(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.expect_returned("hello", "receive_text")

    client = await wire.connect(script)
    failed = asyncio.create_task(wire.failed())
    await asyncio.sleep(0)
    assert not failed.done()
    assert wire.failure is None
    await client.send("other")
    await failed
    assert isinstance(wire.failure, Broken)


def test_anything_can_be_judged() -> None:
    Wire.expect(None, True, "", "")  # type: ignore[arg-type]  # it needs no wire
    with pytest.raises(Broken, match="expected: one; observed: two"):
        Wire.expect(None, False, "one", "two")  # type: ignore[arg-type]  # likewise


# What does not come


async def waiting(handler: Handler) -> None:
    await handler.open()
    await handler.do("receive_text")


async def waiting_judged(handler: Handler) -> None:
    await handler.open()
    await handler.expect_closed("receive_text")


async def waiting_again(handler: Handler) -> None:
    await handler.open()
    await handler.lose()
    await handler.expect_closed("receive_bytes")


class AsksAgain(WebSocket):
    """It asks the server again after the disconnect."""

    def __init__(self, receive: Receive, send: Send) -> None:
        super().__init__(receive, send)
        self.server = receive

    async def receive_bytes(self) -> bytes:
        event = await self.server()
        assert event["type"] == "websocket.disconnect"
        raise ConnectionClosed


async def test_a_judged_call_that_waits_is_broken(wire: Wire) -> None:
    client = await wire.connect(waiting_judged)
    await wire.waits_in(client.handler, "receive_text")
    assert not wire.late
    wire.deadline = 0
    with pytest.raises(Broken) as broken:
        await client.expect_message("hello")
    assert wire.late
    assert broken.value.expected == "receive_text() raises ConnectionClosed"
    assert broken.value.observed == "receive_text() still waits after 0 seconds"


async def test_a_call_that_waits_after_the_disconnect_is_explained() -> None:
    async with wired(AsksAgain) as wire:
        client = await wire.connect(waiting_again)
        await client.close()
        handler = client.handler
        await wire.until(handler, lambda: any(call.expected for call in handler.under_way))
        wire.deadline = 0
        with pytest.raises(Broken) as broken:
            await wire.ended(handler)
    assert broken.value.observed == (
        "receive_bytes() still waits after 0 seconds; "
        "hypercorn never returns from receive() after the disconnect"
    )


async def test_a_call_that_waits_and_is_not_judged_is_unreached(wire: Wire) -> None:
    client = await wire.connect(waiting)
    await wire.waits_in(client.handler, "receive_text")
    wire.deadline = 0
    with pytest.raises(Unreached, match=r"receive_text\(\) still waits after 0 seconds"):
        await client.expect_message("hello")


async def test_what_the_client_does_not_get_is_broken(wire: Wire) -> None:
    async def script(handler: Handler) -> None:
        await handler.open()
        # It is in no call of the connection.
        await asyncio.Event().wait()

    client = await wire.connect(script)
    await wire.until(client.handler, lambda: not client.handler.under_way)
    wire.deadline = 0
    with pytest.raises(Broken) as broken:
        await client.expect_message("hello")
    assert broken.value.expected == "the client gets text 'hello'"
    assert broken.value.observed == "nothing within 0 seconds"
    with pytest.raises(Unreached, match=r"nothing within 0 seconds"):
        await client.get("hello")


# The trace


async def test_both_sides_are_recorded(wire: Wire) -> None:
    client = await wire.connect(doing(("send_text", "hello"), ("close",)))
    await client.get("hello")
    await wire.all_ended()
    by_side = {
        side: [line for line in wire.trace if line.startswith(side)]
        for side in ("client", "handler")
    }
    assert by_side == {
        "client": [
            "client 1   asks for a connection",
            "client 1   gets HTTP 101",
            "client 1   gets text 'hello'",
        ],
        "handler": [
            "handler 1  call      accept()",
            "handler 1  is given  websocket.connect",
            "handler 1  sends     websocket.accept subprotocol=None, headers=[]",
            "handler 1  accept() returns None",
            "handler 1  call      send_text('hello')",
            "handler 1  sends     websocket.send text='hello'",
            "handler 1  send_text('hello') returns None",
            "handler 1  call      close()",
            "handler 1  sends     websocket.close code=1000, reason=''",
            "handler 1  close() returns None",
            "handler 1  ends",
        ],
    }
