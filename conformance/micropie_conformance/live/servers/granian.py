"""Granian, on asyncio, embedded in the event loop of the host's thread."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Final

from granian.constants import Interfaces
from granian.server.embed import Server

from micropie_conformance.live.hosting import Host, Worker, on_asyncio

__all__ = ["WORKERS"]

# How long Granian may take until clients can connect, in seconds, and how often that is tried.
_MOST_SECONDS_TO_START: Final = 60
_TICK: Final = 0.01


async def _serve(host: Host) -> None:
    # Granian binds a socket of its own, in a thread of its own. That this one is bound to the port
    # as well, and does not listen, keeps others from getting it.
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        host.port = reserved.getsockname()[1]
        server = Server(
            host.application, port=host.port, interface=Interfaces.ASGI, log_enabled=False
        )
        serving = asyncio.create_task(server.serve())
        async with asyncio.timeout(_MOST_SECONDS_TO_START):
            while not serving.done() and not await _listens(host.port):
                await asyncio.sleep(_TICK)
        host.started(asyncio.get_running_loop().call_soon_threadsafe, server.stop)
        await serving


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


WORKERS: Final[Mapping[str, Callable[[], Worker]]] = {"asyncio": lambda: on_asyncio(_serve)}
"""Its one event loop here."""
