"""The byte streams that a client's WebSocket frames go over, one class for each version of HTTP."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.protocol import State

__all__ = ["H2", "Tcp"]

_MOST_BYTES: Final = 2**16


class Tcp:
    """A TCP connection: what WebSocket over HTTP/1.1 goes over, the handshake as well."""

    # The state in which WebSocket's protocol begins here.
    state = State.CONNECTING
    # The status of an answer that accepts.
    accepted = 101
    # Whether the client ends the connection once both sides have sent a close frame.
    client_ends = False
    # What is done, in the words of the log.
    asks = "GET {path}, Upgrade: websocket"
    closes = "end of the stream (FIN)"
    resets = "reset (RST)"
    half_closes = "end of the stream (FIN)"
    # What `read` has come to, once it gives nothing.
    ended: str = "end of the stream (FIN)"

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold both directions."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Connect to a port of 127.0.0.1.

        Raises:
            OSError: Nobody listens there.
        """
        # For a socket that is known to be TCP's, asyncio lets no small write wait (TCP_NODELAY).
        client = socket.socket(proto=socket.IPPROTO_TCP)
        client.setblocking(False)
        # The system keeps no more than that for a client that does not read.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _MOST_BYTES)
        try:
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        except BaseException:
            client.close()
            raise
        return cls(*await asyncio.open_connection(sock=client))

    def ask(self, request: Request) -> None:
        """Send the request of a handshake."""
        self.write(request.serialize())

    async def read(self) -> bytes | Response:
        """Await what comes next; nothing: no more comes, and `ended` says why.

        It is a response where the handshake is not in the bytes.
        """
        try:
            return await self._reader.read(_MOST_BYTES)
        except OSError:
            self.ended = "reset (RST)"
            return b""

    def write(self, data: bytes) -> None:
        """Send, now or as soon as the other side takes it."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until most of what was written is on its way.

        Raises:
            OSError: The connection has ended.
        """
        await self._writer.drain()

    def half_close(self) -> None:
        """End the direction to the server, once all that was written is sent."""
        self._writer.write_eof()

    def close(self) -> None:
        """End the connection, once all that was written is sent."""
        self._writer.close()

    def reset(self) -> None:
        """End the connection at once, as after a fault."""
        # It fails when the server has dropped the connection already.
        with suppress(OSError):
            self._writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        self._writer.transport.abort()

    async def finish(self) -> None:
        """Drop the connection, if there still is one, and wait for its end."""
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()


# What of a request is not asked for over HTTP/2 (RFC 8441, section 5), or in another way.
_ONLY_HTTP_1: Final = ("host", "upgrade", "connection", "sec-websocket-key")

# The stream of the only request.
_STREAM: Final = 1


class H2(Tcp):
    """The one stream of an HTTP/2 connection: what WebSocket over HTTP/2 goes over (RFC 8441).

    The handshake is a request of its own, an extended CONNECT. The connection is not encrypted,
    and the server is expected to know that it is HTTP/2 (RFC 9113, section 3.3).
    """

    state = State.OPEN
    accepted = 200
    # There is no connection that the server would end, as it does over HTTP/1.1.
    client_ends = True
    asks = "CONNECT {path}, :protocol: websocket"
    closes = "end of the connection (GOAWAY)"
    resets = "reset (RST_STREAM)"
    half_closes = "end of the stream (END_STREAM)"
    ended: str = "end of the connection (FIN)"

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold both directions; nothing is sent yet."""
        super().__init__(reader, writer)
        self._http = H2Connection(H2Configuration(header_encoding=None))
        # What has come and was not read.
        self._came: deque[bytes | Response] = deque()
        # Whether no more comes, and whether no more can be sent.
        self._over = self._gone = False
        # What waits for the server to grant more (flow control).
        self._unsent = bytearray()
        self._sent = asyncio.Event()
        self._sent.set()

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Connect to a port of 127.0.0.1, and wait until the server says that it takes WebSockets.

        Raises:
            OSError: Nobody listens there, or it is no server of HTTP/2.
        """
        stream = await super().connect(port)
        try:
            stream._http.initiate_connection()
            stream._flush()
            while not stream._http.remote_settings.enable_connect_protocol:
                await stream._take_more()
                if stream._over:
                    raise ConnectionError(f"the server answers HTTP/2 with {stream.ended}")
        except BaseException:
            await stream.finish()
            raise
        return stream

    def ask(self, request: Request) -> None:
        """Send the request of a handshake, in the form that it has over HTTP/2."""
        headers = [
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "http"),
            (":path", request.path),
            (":authority", request.headers["Host"]),
        ]
        # Names get lower case on their way.
        headers += [
            (name, value)
            for name, value in request.headers.raw_items()
            if name.lower() not in _ONLY_HTTP_1
        ]
        self._http.send_headers(_STREAM, headers)
        self._flush()

    async def read(self) -> bytes | Response:
        """Await what comes next, the response first; nothing: no more comes, `ended` says why."""
        while not self._came and not self._over:
            await self._take_more()
        return self._came.popleft() if self._came else b""

    def write(self, data: bytes) -> None:
        """Send, now or as soon as the server grants it; where that is too late, drop it."""
        if not self._gone:
            self._unsent += data
            self._send()

    async def drain(self) -> None:
        """Wait until most of what was written is on its way; `read` learns what the server grants.

        Raises:
            OSError: The connection has ended.
        """
        await self._sent.wait()
        await super().drain()

    def half_close(self) -> None:
        """End the stream's direction to the server (END_STREAM)."""
        self._http.end_stream(_STREAM)
        self._flush()

    def close(self) -> None:
        """End the connection (GOAWAY and FIN); what the server has not granted is not sent."""
        self._http.close_connection()
        self._flush()
        self._stop()
        super().close()

    def reset(self) -> None:
        """End the stream at once (RST_STREAM), and the connection."""
        # It fails when the stream has ended on both sides already.
        with suppress(ProtocolError):
            self._http.reset_stream(_STREAM, ErrorCodes.CANCEL)
        self.close()

    async def _take_more(self) -> None:
        data = await super().read()
        assert isinstance(data, bytes)
        if not data:
            self._stop()
            return
        try:
            events = self._http.receive_data(data)
        except ProtocolError as error:
            events = []
            self.ended = f"what breaks HTTP/2: {error}"
            self._stop()
        for event in events:
            self._take(event)
        self._send()

    def _take(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._came.append(_response(event.headers))
            case DataReceived():
                if event.data:
                    self._came.append(event.data)
                self._http.acknowledge_received_data(event.flow_controlled_length, _STREAM)
            case StreamEnded():
                self.ended = "end of the stream (END_STREAM)"
                self._over = True
            case StreamReset():
                self.ended = "reset (RST_STREAM)"
                self._stop()
            case ConnectionTerminated():
                self.ended = "end of the connection (GOAWAY)"
                self._stop()
            case _:
                pass

    def _send(self) -> None:
        """Send what the server grants."""
        while self._unsent and (most := self._granted()) > 0:
            self._http.send_data(_STREAM, bytes(self._unsent[:most]))
            del self._unsent[:most]
        if self._unsent:
            self._sent.clear()
        else:
            self._sent.set()
        self._flush()

    def _granted(self) -> int:
        """How much the server takes in the next frame, in bytes."""
        window = self._http.local_flow_control_window(_STREAM)
        return min(window, self._http.max_outbound_frame_size)

    def _flush(self) -> None:
        self._writer.write(self._http.data_to_send())

    def _stop(self) -> None:
        """Read and send no more."""
        self._over = self._gone = True
        self._unsent.clear()
        self._sent.set()


def _response(fields: Iterable[tuple[bytes, bytes]]) -> Response:
    headers = Headers([(name.decode(), value.decode()) for name, value in fields])
    return Response(int(headers.pop(":status")), "", headers)
