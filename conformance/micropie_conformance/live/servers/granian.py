"""Granian, on asyncio, embedded in the event loop of the host's thread."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Final

from granian.constants import Interfaces
from granian.server.embed import Server

from micropie_conformance.live.hosting import Host, Worker, on_asyncio

__all__ = ["WORKERS"]

# How often it is tried whether clients can connect, in seconds: Granian does not tell.
_TICK: Final = 0.01


async def _serve(host: Host) -> None:
    # Granian binds a socket of its own, and late. That this one is bound to the same port, and does
    # not listen, keeps the port from others.
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        host.port = reserved.getsockname()[1]
        server = Server(
            host.application, port=host.port, interface=Interfaces.ASGI, log_enabled=False
        )
        serving = asyncio.create_task(server.serve())
        connecting = asyncio.create_task(_connect(host.port))
        await asyncio.wait([serving, connecting], return_when=asyncio.FIRST_COMPLETED)
        connecting.cancel()
        host.started(asyncio.get_running_loop().call_soon_threadsafe, server.stop)
        await serving


async def _connect(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(_TICK)
        else:
            writer.close()
            await writer.wait_closed()
            return


WORKERS: Final[Mapping[str, Callable[[], Worker]]] = {"asyncio": lambda: on_asyncio(_serve)}
"""Its one event loop here."""
