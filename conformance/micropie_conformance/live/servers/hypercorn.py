"""Hypercorn, on each of its event loops, over HTTP/1.1 and HTTP/2."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import hypercorn.asyncio
import hypercorn.trio
import trio
from hypercorn.config import Config

from micropie_conformance.live import MESSAGE_LIMIT
from micropie_conformance.live.hosting import Host, Worker, cancellable_on_trio, on_asyncio
from micropie_conformance.live.streams import H2

__all__ = ["WORKERS"]

# How long Hypercorn waits for connections when it stops: none is left that matters.
_GRACE_SECONDS: Final = 0.2


def _configuration(host: Host) -> Config:
    config = Config()
    config.graceful_timeout = _GRACE_SECONDS
    config.errorlog = None
    config.websocket_max_message_size = MESSAGE_LIMIT
    # Hypercorn makes a socket of its own of the number, and closes it.
    config.bind = [f"fd://{host.listen().detach()}"]
    return config


async def _serve_on_asyncio(host: Host) -> None:
    stop = asyncio.Event()
    config = _configuration(host)
    host.started(asyncio.get_running_loop().call_soon_threadsafe, stop.set)
    await hypercorn.asyncio.serve(  # pyright: ignore[reportUnknownMemberType]  # names bare dict
        host.application, config, shutdown_trigger=stop.wait, mode="asgi"
    )


async def _serve_on_trio(host: Host) -> None:
    stop = trio.Event()
    config = _configuration(host)
    host.started(trio.lowlevel.current_trio_token().run_sync_soon, stop.set)
    await hypercorn.trio.serve(  # pyright: ignore[reportUnknownMemberType]  # names bare dict
        host.application, config, shutdown_trigger=stop.wait, mode="asgi"
    )


def _on_asyncio() -> Worker:
    return on_asyncio(_serve_on_asyncio)


def _on_uvloop() -> Worker:
    import uvloop

    return on_asyncio(_serve_on_asyncio, uvloop.run)


def _on_trio() -> Worker:
    return Worker(
        lambda host: trio.run(_serve_on_trio, host),
        cancellable_on_trio,
        trio.Cancelled,
        # The server sends and closes at the same time.
        (trio.BusyResourceError,),
    )


WORKERS: Final[Mapping[str, Callable[[], Worker]]] = {
    "asyncio": _on_asyncio,
    "uvloop": _on_uvloop,
    "trio": _on_trio,
    # The same port takes HTTP/2, when a client begins with that.
    "asyncio+h2": lambda: replace(_on_asyncio(), stream=H2),
    "uvloop+h2": lambda: replace(_on_uvloop(), stream=H2),
}
"""Each event loop, by itself over HTTP/1.1."""
