"""Uvicorn, on asyncio, with each of its WebSocket protocols."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Final, Literal

import uvicorn

from micropie_conformance.live import MESSAGE_LIMIT
from micropie_conformance.live.hosting import Host, Worker, on_asyncio

__all__ = ["WORKERS"]


class _Server(uvicorn.Server):
    """Tells the host when it has started."""

    def __init__(self, config: uvicorn.Config, host: Host) -> None:
        super().__init__(config)
        self._host = host

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._host.started(asyncio.get_running_loop().call_soon_threadsafe, self.stop)

    def stop(self) -> None:
        # What it would wait for was cancelled.
        self.should_exit = self.force_exit = True


async def _serve(protocol: Literal["websockets-sansio", "wsproto"], host: Host) -> None:
    config = uvicorn.Config(
        host.application,
        http="h11",
        ws=protocol,
        ws_max_size=MESSAGE_LIMIT,
        lifespan="on",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    await _Server(config, host).serve([host.listen()])


def _on_websockets() -> Worker:
    return on_asyncio(partial(_serve, "websockets-sansio"))


def _on_wsproto() -> Worker:
    import_module("wsproto")
    return on_asyncio(partial(_serve, "wsproto"))


WORKERS: Final[Mapping[str, Callable[[], Worker]]] = {
    "websockets-sansio": _on_websockets,
    "wsproto": _on_wsproto,
}
"""Each protocol."""
