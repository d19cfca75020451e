"""Bytes go both ways over a stream, and it ends in each way that a connection can end."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes, Settings
from micropie_conformance.live.hosting import Host
from micropie_conformance.live.streams import H2, Tcp
from websockets.datastructures import Headers
from websockets.http11 import Request, Response


@asynccontextmanager
async def pair() -> AsyncGenerator[tuple[Tcp, Tcp]]:
    """Give both ends of a connection."""
    accepted: asyncio.Queue[Tcp] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(Tcp(reader, writer))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listening:
        client = await Tcp.connect(listening.sockets[0].getsockname()[1])
        server = await accepted.get()
        try:
            yield client, server
        finally:
            await client.finish()
            await server.finish()


async def test_bytes_go_both_ways() -> None:
    async with pair() as (client, server):
        client.write(b"hello")
        await client.drain()
        assert await server.read() == b"hello"
        server.write(b"bye")
        assert await client.read() == b"bye"


async def test_a_stream_ends_when_all_is_sent() -> None:
    async with pair() as (client, server):
        client.write(b"hello")
        client.close()
        assert [await server.read(), await server.read()] == [b"hello", b""]
        with pytest.raises(ConnectionError):
            await client.drain()


async def test_one_direction_can_be_ended() -> None:
    async with pair() as (client, server):
        client.write(b"hello")
        client.half_close()
        assert [await server.read(), await server.read()] == [b"hello", b""]
        server.write(b"bye")
        assert await client.read() == b"bye"


async def test_a_port_where_nobody_listens_is_an_error() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            await Tcp.connect(bound.getsockname()[1])


async def test_a_connection_can_be_reset() -> None:
    async with pair() as (client, server):
        client.reset()
        assert await server.read() == b""
        assert server.ended == "reset (RST)"
        # Its socket is closed already.
        client.reset()


async def test_a_handshake_over_http_1_is_in_the_bytes() -> None:
    async with pair() as (client, server):
        client.ask(Request("/1", Headers({"Host": "x"})))
        assert await server.read() == b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"


# HTTP/2


class Peer:
    """The server's side of an HTTP/2 connection, which does what a test says."""

    def __init__(self, tcp: Tcp) -> None:
        self.tcp = tcp
        self.http = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self.http.local_settings = Settings(
            client=False, initial_values={SettingCodes.ENABLE_CONNECT_PROTOCOL: 1}
        )
        self.events: list[object] = []
        self.got = b""

    def flush(self) -> None:
        self.tcp.write(self.http.data_to_send())

    async def until(self, event: type, count: int = 0) -> None:
        """Read until there has been such an event, and so many bytes."""
        while len(self.got) < count or not any(isinstance(one, event) for one in self.events):
            data = await self.tcp.read()
            assert isinstance(data, bytes)
            assert data
            events = self.http.receive_data(data)
            self.events += events
            self.got += b"".join(one.data for one in events if isinstance(one, DataReceived))
            self.flush()

    def acknowledge(self) -> None:
        for event in self.events:
            if isinstance(event, DataReceived):
                self.http.acknowledge_received_data(event.flow_controlled_length, 1)
        self.flush()


@asynccontextmanager
async def listening(serve: Callable[[Tcp], None]) -> AsyncGenerator[int]:
    servers: list[Tcp] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        servers.append(Tcp(reader, writer))
        serve(servers[-1])

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for one in servers:
            await one.finish()


@asynccontextmanager
async def asked() -> AsyncGenerator[tuple[H2, Peer]]:
    """Give both ends of a connection whose client has asked for a WebSocket."""
    peers: list[Peer] = []

    def serve(tcp: Tcp) -> None:
        peers.append(Peer(tcp))
        peers[0].http.initiate_connection()
        peers[0].flush()

    async with listening(serve) as port:
        client = await H2.connect(port)
        try:
            client.ask(REQUEST)
            await peers[0].until(RequestReceived)
            yield client, peers[0]
        finally:
            await client.finish()


REQUEST = Request(
    "/1",
    Headers(
        {
            "Host": "127.0.0.1",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "x",
            "Origin": "http://a",
            "Sec-WebSocket-Protocol": "chat",
        }
    ),
)


async def test_a_handshake_over_http_2_is_a_request_of_its_own() -> None:
    async with asked() as (client, peer):
        (request,) = [one for one in peer.events if isinstance(one, RequestReceived)]
        assert [*map(tuple, request.headers)] == [
            (b":method", b"CONNECT"),
            (b":protocol", b"websocket"),
            (b":scheme", b"http"),
            (b":path", b"/1"),
            (b":authority", b"127.0.0.1"),
            (b"origin", b"http://a"),
            (b"sec-websocket-protocol", b"chat"),
        ]
        peer.http.send_headers(1, [(":status", "200"), ("x-a", "1"), ("x-a", "2")])
        # What is empty does not end it.
        peer.http.send_data(1, b"")
        peer.http.send_data(1, b"hello")
        peer.flush()
        response = await client.read()
        assert isinstance(response, Response)
        assert (response.status_code, response.headers.get_all("X-A")) == (200, ["1", "2"])
        assert await client.read() == b"hello"


@asynccontextmanager
async def answered() -> AsyncGenerator[tuple[H2, Peer]]:
    """Give both ends of a connection that has been answered."""
    async with asked() as (client, peer):
        peer.http.send_headers(1, [(":status", "200")])
        peer.flush()
        await client.read()
        yield client, peer


# A frame of no bytes, of type DATA, on stream 3.
DATA_OF_NO_STREAM = bytes((0, 0, 0, 0, 0, 0, 0, 0, 3))

MUCH = bytes(range(256)) * 300
WINDOW = 2**16 - 1


async def test_no_more_is_sent_than_the_server_grants() -> None:
    async with answered() as (client, peer):
        client.write(MUCH)
        await peer.until(DataReceived, WINDOW)
        assert peer.got == MUCH[:WINDOW]
        drained = asyncio.create_task(client.drain())
        reading = asyncio.create_task(client.read())
        await asyncio.sleep(0)
        assert not drained.done()
        peer.acknowledge()
        await peer.until(DataReceived, len(MUCH))
        await drained
        assert peer.got == MUCH
        peer.http.send_data(1, b"thanks")
        peer.flush()
        assert await reading == b"thanks"


async def test_no_more_is_granted_than_is_read() -> None:
    async with answered() as (client, peer):
        for start in range(0, WINDOW, 2**14):
            peer.http.send_data(1, MUCH[:WINDOW][start : start + 2**14])
        peer.flush()
        assert peer.http.local_flow_control_window(1) == 0
        got = b""
        while len(got) < WINDOW:
            data = await client.read()
            assert isinstance(data, bytes)
            got += data
        assert got == MUCH[:WINDOW]
        client.write(b"got all")
        await peer.until(DataReceived)
        assert peer.http.local_flow_control_window(1) > 0


def ends_the_stream(peer: Peer) -> None:
    peer.http.send_data(1, b"", end_stream=True)
    peer.flush()


def resets_the_stream(peer: Peer) -> None:
    peer.http.reset_stream(1)
    peer.flush()


def ends_the_connection(peer: Peer) -> None:
    peer.http.close_connection()
    peer.flush()


def breaks_the_protocol(peer: Peer) -> None:
    peer.tcp.write(DATA_OF_NO_STREAM)


def ends_tcp(peer: Peer) -> None:
    peer.flush()
    peer.tcp.close()


@pytest.mark.parametrize(
    ("end", "ended", "sends"),
    [
        (ends_the_stream, "end of the stream (END_STREAM)", True),
        (resets_the_stream, "reset (RST_STREAM)", False),
        (ends_the_connection, "end of the connection (GOAWAY)", False),
        (breaks_the_protocol, "what breaks HTTP/2: ", False),
        (ends_tcp, "end of the connection (FIN)", False),
    ],
)
async def test_how_the_server_ends_is_told(
    end: Callable[[Peer], None], ended: str, sends: bool
) -> None:
    async with answered() as (client, peer):
        peer.http.send_data(1, b"last")
        peer.flush()
        assert await client.read() == b"last"
        end(peer)
        assert [await client.read(), await client.read()] == [b"", b""]
        assert client.ended.startswith(ended)
        client.write(b"late")
        await client.drain()
        if sends:
            await peer.until(DataReceived)
            assert peer.got == b"late"
        client.close()


async def test_what_comes_before_the_end_of_the_connection_is_read() -> None:
    async with answered() as (client, peer):
        peer.http.send_data(1, MUCH[: 2**14])
        peer.http.send_data(1, MUCH[: 2**14])
        peer.http.send_data(1, MUCH[: 2**14])
        ends_the_connection(peer)
        assert [await client.read() for _ in range(4)] == [MUCH[: 2**14]] * 3 + [b""]


@pytest.mark.parametrize("end", [resets_the_stream, ends_tcp])
async def test_nobody_waits_to_send_to_what_has_ended(end: Callable[[Peer], None]) -> None:
    async with answered() as (client, peer):
        client.write(MUCH)
        drained = asyncio.create_task(client.drain())
        await peer.until(DataReceived, WINDOW)
        end(peer)
        assert await client.read() == b""
        await drained
        client.write(b"late")
        await client.drain()


async def test_the_client_ends_its_direction() -> None:
    async with answered() as (client, peer):
        client.half_close()
        await peer.until(StreamEnded)
        peer.http.send_data(1, b"bye")
        peer.flush()
        assert await client.read() == b"bye"


async def test_the_client_ends_the_connection() -> None:
    async with answered() as (client, peer):
        reading = asyncio.create_task(client.read())
        client.write(b"last")
        client.close()
        await peer.until(ConnectionTerminated)
        assert peer.got == b"last"
        assert await peer.tcp.read() == await reading == b""
        client.close()


async def test_the_client_resets_the_stream() -> None:
    async with answered() as (client, peer):
        client.reset()
        await peer.until(StreamReset)
        (reset,) = [one for one in peer.events if isinstance(one, StreamReset)]
        assert reset.error_code is ErrorCodes.CANCEL
        assert await client.read() == b""


async def test_a_stream_that_has_ended_can_be_reset() -> None:
    async with answered() as (client, peer):
        resets_the_stream(peer)
        await client.read()
        client.reset()
        await peer.until(ConnectionTerminated)


async def test_what_comes_when_the_client_has_ended_it_is_not_read() -> None:
    async with answered() as (client, peer):
        reading = asyncio.create_task(client.read())
        await asyncio.sleep(0)
        client.close()
        peer.http.send_data(1, b"late")
        peer.flush()
        assert await reading == b""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 \r\n\r\n", r"end of the connection \(FIN\)"),
        (DATA_OF_NO_STREAM, "what breaks HTTP/2: "),
    ],
)
async def test_a_server_that_does_not_take_http_2_is_an_error(answer: bytes, words: str) -> None:
    def serve(tcp: Tcp) -> None:
        tcp.write(answer)
        tcp.half_close()

    async with listening(serve) as port:
        with pytest.raises(ConnectionError, match=f"answers HTTP/2 with {words}"):
            await H2.connect(port)


async def test_hypercorn_takes_websockets_over_http_2() -> None:
    with Host("hypercorn:asyncio+h2") as host:
        client = await H2.connect(host.port)
        await client.finish()
