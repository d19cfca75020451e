"""A client does what it is told, right or wrong, and its log has each step, in order."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from micropie_conformance.live.client import Connection, Message
from micropie_conformance.live.hosting import Host, Receive, Send
from micropie_conformance.live.streams import H2, Tcp
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close
from websockets.typing import Subprotocol

Serve = Callable[[ServerConnection], Awaitable[None]]

ASKED = "-> GET /, Upgrade: websocket"
ANSWERED = "<- HTTP 101 Switching Protocols"


class Told:
    """A server, what it got, and the log of the client."""

    def __init__(
        self, port: int, got: list[Message | Close | None], stream: type[Tcp] = Tcp
    ) -> None:
        self.port = port
        self.got = got
        self.stream = stream
        self.log: list[str] = []

    @asynccontextmanager
    async def client(self, subprotocols: Sequence[str] = ()) -> AsyncGenerator[Connection]:
        stream = await self.stream.connect(self.port)
        connection = Connection(stream, "/", subprotocols, self.log.append)
        try:
            connection.ask()
            yield connection
        finally:
            await connection.finish()


@asynccontextmanager
async def told(handle: Serve | None = None, **options: Any) -> AsyncGenerator[Told]:
    """Run a server of `websockets`; without `handle` it gets all there is."""
    ended = asyncio.Event()

    got: list[Message | Close | None] = []

    async def get_all(connection: ServerConnection) -> None:
        try:
            while True:
                got.append(await connection.recv())
        except ConnectionClosed as error:
            got.append(error.rcvd)
            ended.set()

    async with serve(handle or get_all, "127.0.0.1", 0, **options) as server:
        (listener,) = server.sockets
        yield Told(listener.getsockname()[1], got)
        if handle is None:
            await ended.wait()


async def test_messages_and_a_close_go_to_the_server() -> None:
    async with told() as server, server.client() as client:
        assert await client.answer() == "HTTP 101"
        await client.send("hello")
        await client.send(b"\0\1")
        await client.send(["Grü", "ße"])
        await client.send([b"a", b"", b"b"])
        await client.close(3001, "bye")
        assert await client.next() == await client.next() == Close(3001, "bye")
    assert server.got == ["hello", b"\0\1", "Grüße", b"ab", Close(3001, "bye")]
    assert server.log == [
        ASKED,
        ANSWERED,
        "-> text 'hello'",
        "-> binary b'\\x00\\x01'",
        "-> text 'Grü' (not final)",
        "-> continuation b'\\xc3\\x9fe'",
        "-> binary b'a' (not final)",
        "-> continuation b'' (not final)",
        "-> continuation b'b'",
        "-> close 3001 'bye'",
        "<- close 3001 'bye'",
        "<- end of the stream (FIN)",
    ]


async def test_messages_pings_and_a_close_come_from_the_server() -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.send("x" * 200)
        pong = await connection.ping(b"are you there")
        await pong
        await connection.send([b"a", b"b"])
        await connection.close(3001, "bye")

    async with told(handle) as server, server.client() as client:
        for message in ("x" * 200, b"ab", Close(3001, "bye")):
            assert await client.next() == message
        await client.end()
        # There is nothing left to be closed.
        await client.close(1000, "")
        with pytest.raises(ConnectionError):
            await client.send("late")
    assert server.log == [
        ASKED,
        ANSWERED,
        f"<- text '{'x' * 99}... (200 characters)",
        "<- ping b'are you there'",
        "-> pong b'are you there'",
        "<- binary b'a' (not final)",
        "<- continuation b'b' (not final)",
        "<- continuation b''",
        "<- close 3001 'bye'",
        "-> close 3001 'bye'",
        "<- end of the stream (FIN)",
    ]


async def test_a_close_may_have_no_code() -> None:
    async with told() as server, server.client() as client:
        await client.answer()
        await client.close(None, "is left out")
    assert server.got == [Close(1005, "")]
    assert server.log[2:4] == ["-> close without a code", "<- close without a code"]


@pytest.mark.parametrize("reset", [False, True])
async def test_a_client_can_drop_the_connection(reset: bool) -> None:
    async with told() as server, server.client() as client:
        await client.answer()
        client.drop(reset=reset)
        await client.end()
        assert await client.next() is None
    assert server.got == [None]
    assert server.log[2:] == ["-> reset (RST)" if reset else "-> end of the stream (FIN)"]


async def test_a_server_can_drop_the_connection() -> None:
    async def handle(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with told(handle) as server, server.client() as client:
        assert await client.next() is None
    assert server.log[2:] == ["<- end of the stream (FIN)"]


async def test_a_server_can_reset_the_connection() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        Tcp(reader, writer).reset()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as listening:
        server = Told(listening.sockets[0].getsockname()[1], [])
        async with server.client() as client:
            assert await client.answer() == "no answer"
    assert server.log == [ASKED, "<- reset (RST)"]


# Faults


async def test_pings_go_between_fragments() -> None:
    async with told() as server, server.client() as client:
        await client.answer()
        await client.send(["a", "b"], pings=True)
        await client.close(1000, "")
    assert server.got[0] == "ab"
    assert server.log[2:5] == [
        "-> text 'a' (not final)",
        "-> ping b'between'",
        "-> continuation b'b'",
    ]


@pytest.mark.parametrize(
    ("whole_frame", "words"),
    [(True, "(not final)"), (False, "(only 5 of its 11 bytes)")],
)
async def test_a_message_can_be_broken_off(whole_frame: bool, words: str) -> None:
    async with told() as server, server.client() as client:
        await client.answer()
        client.begin("hello", whole_frame=whole_frame)
        client.drop(reset=False)
    assert server.got == [None]
    assert server.log[2:] == [f"-> text 'hello' {words}", "-> end of the stream (FIN)"]


@pytest.mark.parametrize(("message", "words"), [("x", "text 'x'"), (b"x", "binary b'x'")])
async def test_a_frame_can_be_not_masked(message: Message, words: str) -> None:
    async with told() as server, server.client() as client:
        await client.answer()
        client.send_unmasked(message)
        assert await client.next() == Close(1002, "incorrect masking")
        await client.end()
    assert server.log[2] == f"-> {words} (not masked)"


async def test_one_direction_can_be_ended() -> None:
    async with told() as server, server.client() as client:
        await client.answer()
        client.half_close()
        await client.end()
    assert server.got == [None]
    assert server.log[2:] == [
        "-> end of the stream (FIN), and reads on",
        "<- end of the stream (FIN)",
    ]


async def test_a_client_that_is_held_does_not_read() -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.recv()
        for _ in range(2):
            await connection.send("x" * 2**23)
        sent.set()

    sent = asyncio.Event()
    async with told(handle) as server, server.client() as client:
        await client.answer()
        client.hold()
        await client.send("go")
        async with server.client() as other:
            await other.answer()
        assert not sent.is_set()
        client.go_on()
        assert [await client.next(), await client.next()] == ["x" * 2**23] * 2
        await sent.wait()
    assert server.log.index("-- reads no more") < server.log.index("-- reads again")


# The handshake


async def test_a_subprotocol_is_negotiated() -> None:
    offered = [Subprotocol("chat")]
    async with told(subprotocols=offered) as server, server.client(["other", "chat"]) as client:
        assert await client.answer() == "HTTP 101"
        assert client.response is not None
        assert client.response.headers["Sec-WebSocket-Protocol"] == "chat"
    assert server.log[0] == f"{ASKED}, offering other, chat"


async def test_a_handshake_can_be_not_valid() -> None:
    def select(connection: ServerConnection, offered: Sequence[str]) -> Subprotocol:
        return Subprotocol("unoffered")

    async def never(connection: ServerConnection) -> None:
        pass

    async with told(never, select_subprotocol=select) as server, server.client(["chat"]) as client:
        words = "a handshake that is not valid: unsupported subprotocol: unoffered"
        assert await client.answer() == words


async def test_a_handshake_can_be_refused() -> None:
    def refuse(connection: ServerConnection, request: object) -> Any:
        return connection.respond(403, "no")

    async def never(connection: ServerConnection) -> None:
        raise AssertionError

    async with told(never, process_request=refuse) as server, server.client() as client:
        assert await client.answer() == "HTTP 403"
        assert await client.next() is None
    assert server.log == [ASKED, "<- HTTP 403 Forbidden"]


# HTTP/2


@asynccontextmanager
async def over_http_2(*events: Mapping[str, object]) -> AsyncGenerator[Told]:
    """Run Hypercorn; the application sends the events, then it gets all there is."""

    async def serve(receive: Receive, send: Send) -> None:
        try:
            await receive()
            for event in events:
                await send(event)
            while (got := await receive())["type"] == "websocket.receive":
                server.got.append(got["text"])
            server.got.append(None)
        finally:
            loop.call_soon_threadsafe(ended.set)

    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    with Host("hypercorn:asyncio+h2") as host:
        host.routes["/"] = serve
        server = Told(host.port, [], H2)
        yield server
        await ended.wait()


ACCEPT: Mapping[str, object] = {"type": "websocket.accept"}
CONNECTED = ["-> CONNECT /, :protocol: websocket", "<- HTTP 200"]


async def test_messages_and_a_close_go_over_http_2() -> None:
    hello = {"type": "websocket.send", "text": "hello"}
    async with over_http_2(ACCEPT, hello) as server, server.client() as client:
        assert await client.answer() == "HTTP 200"
        assert await client.next() == "hello"
        await client.send(["Grü", "ße"])
        await client.close(3001, "bye")
        assert await client.next() == Close(3001, "bye")
    assert server.got == ["Grüße", None]
    assert server.log == [
        *CONNECTED,
        "<- text 'hello'",
        "-> text 'Grü' (not final)",
        "-> continuation b'\\xc3\\x9fe'",
        "-> close 3001 'bye'",
        "<- close 3001 'bye'",
        "-> end of the connection (GOAWAY)",
    ]


async def test_the_server_closes_over_http_2() -> None:
    close = {"type": "websocket.close", "code": 3001, "reason": "bye"}
    async with over_http_2(ACCEPT, close) as server, server.client() as client:
        assert await client.next() == Close(3001, "bye")
        await client.end()
    assert server.log == [
        *CONNECTED,
        "<- close 3001 'bye'",
        "-> close 3001 'bye'",
        "-> end of the connection (GOAWAY)",
    ]


@pytest.mark.parametrize(
    ("reset", "words"), [(True, "reset (RST_STREAM)"), (False, "end of the connection (GOAWAY)")]
)
async def test_a_client_can_drop_the_connection_over_http_2(reset: bool, words: str) -> None:
    async with over_http_2(ACCEPT) as server, server.client() as client:
        await client.answer()
        client.drop(reset=reset)
        await client.end()
        assert await client.next() is None
    assert server.got == [None]
    assert server.log == [*CONNECTED, f"-> {words}"]


async def test_a_subprotocol_is_negotiated_over_http_2() -> None:
    accept = {**ACCEPT, "subprotocol": "chat", "headers": [(b"set-cookie", b"a=b")]}
    async with over_http_2(accept) as server, server.client(["other", "chat"]) as client:
        assert await client.answer() == "HTTP 200"
        assert client.response is not None
        assert client.response.headers["Sec-WebSocket-Protocol"] == "chat"
        assert client.response.headers["Set-Cookie"] == "a=b"
    assert server.log[0] == f"{CONNECTED[0]}, offering other, chat"


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        ({"type": "websocket.close"}, "HTTP 403"),
        (
            {**ACCEPT, "headers": [(b"sec-websocket-extensions", b"unknown")]},
            "a handshake that is not valid: no extensions supported",
        ),
        # The server fails, and ends the connection.
        ({**ACCEPT, "subprotocol": "unoffered"}, "no answer"),
    ],
)
async def test_a_handshake_over_http_2_has_an_answer(
    event: Mapping[str, object], answer: str
) -> None:
    async with over_http_2(event) as server, server.client() as client:
        assert await client.answer() == answer
        assert await client.next() is None
