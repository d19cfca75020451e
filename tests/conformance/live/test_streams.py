"""Bytes go both ways over a stream, and it ends in each way that a connection can end."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from micropie_conformance.live.streams import Tcp


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
        with pytest.raises(ConnectionResetError):
            await server.read()
        # Its socket is closed already.
        client.reset()
