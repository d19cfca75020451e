"""The byte stream that a client's WebSocket frames go over: a TCP connection."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Final

__all__ = ["Tcp"]

_MOST_BYTES: Final = 2**16


class Tcp:
    """A TCP connection: what WebSocket over HTTP/1.1 goes over."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold both directions."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Tcp":
        """Connect to a port of 127.0.0.1."""
        client = socket.socket()
        client.setblocking(False)
        # The system keeps no more than that for a client that does not read.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _MOST_BYTES)
        try:
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        except BaseException:
            client.close()
            raise
        return cls(*await asyncio.open_connection(sock=client))

    async def read(self) -> bytes:
        """Await what comes next; nothing: the other side has ended the stream.

        Raises:
            OSError: The connection was reset.
        """
        return await self._reader.read(_MOST_BYTES)

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
        """End the direction to the server (FIN), once all that was written is sent."""
        self._writer.write_eof()

    def close(self) -> None:
        """End the stream (FIN), once all that was written is sent."""
        self._writer.close()

    def reset(self) -> None:
        """End the connection at once (RST)."""
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
