"""Daphne, on Twisted's reactor.

There is one reactor in a process, and Twisted would start it once and stop it for good. It rests on
an event loop of asyncio that Daphne makes, though, and all that Daphne does happens there. So the
reactor is never started: that loop runs for each host again, in its thread.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from typing import Any, Final

from micropie_conformance.live.hosting import Host, Worker, on_asyncio

__all__ = ["WORKERS"]

# It has no types, and of what it has from Twisted those of the reactor are wrong.
_DAPHNE: Final[Any] = import_module("daphne.server")

# How many seconds a client has to answer a close.
_CLOSING: Final = 30

# One host has the loop at a time. Where an implementation blocks it, the next host waits, until
# `micropie verify` has had enough and ends the process.
_LOOP_IN_USE: Final = threading.Lock()


async def _serve(host: Host) -> None:
    stop = asyncio.Event()
    server = _DAPHNE.Server(host.application, ["tcp:0:interface=127.0.0.1"])
    # That is: run() does all but start the reactor.
    server.abort_start = True
    server.run()
    # Its second is over too soon for a client on a busy machine; it then resets the connection.
    server.ws_factory.setProtocolOptions(closeHandshakeTimeout=_CLOSING)
    [(_, host.port)] = server.listening_addresses
    host.started(asyncio.get_running_loop().call_soon_threadsafe, stop.set)
    await stop.wait()
    _DAPHNE.reactor.disconnectAll()
    for call in _DAPHNE.reactor.getDelayedCalls():
        call.cancel()


def _run(main: Coroutine[Any, Any, None]) -> None:
    with _LOOP_IN_USE:
        try:
            _DAPHNE.twisted_loop.run_until_complete(main)
        finally:
            _DAPHNE.twisted_loop.run_until_complete(_end_tasks())


async def _end_tasks() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


WORKERS: Final[Mapping[str, Callable[[], Worker]]] = {
    "asyncio": lambda: on_asyncio(_serve, _run),
}
"""Its one reactor here."""
