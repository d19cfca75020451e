"""Daphne serves one host after the other on the one reactor, and leaves nothing on it."""

import asyncio
import threading
from importlib import import_module
from typing import Any

import pytest
from micropie_conformance.live.hosting import Host, Receive, Send
from websockets.asyncio.client import connect

DOOR = "daphne:asyncio"


def daphne() -> Any:
    """It has no types."""
    return import_module("daphne.server")


async def accept(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


async def test_one_host_after_the_other_runs_and_leaves_nothing() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def route(receive: Receive, send: Send) -> None:
        tasks.append(asyncio.create_task(asyncio.Event().wait()))
        await accept(receive, send)

    # What wakes the reactor up is its own.
    readers = daphne().reactor.getReaders()
    for _ in range(2):
        with Host(DOOR) as host:
            host.routes["/1"] = route
            async with connect(f"ws://127.0.0.1:{host.port}/1", proxy=None):
                assert host.fault is None
        assert host.fault is None
        assert all(task.cancelled() for task in tasks)
        assert daphne().reactor.getDelayedCalls() == []
        assert daphne().reactor.getReaders() == readers
        assert asyncio.all_tasks(daphne().twisted_loop) == set()
    assert len(tasks) == 2


async def test_the_next_host_waits_for_one_that_is_blocked() -> None:
    blocks, goes_on = threading.Event(), threading.Event()

    def block() -> None:
        blocks.set()
        goes_on.wait()

    other = Host(DOOR)
    starting = threading.Thread(target=other.__enter__)
    with Host(DOOR) as host:
        host.soon(block)
        await asyncio.to_thread(blocks.wait)
        starting.start()
        goes_on.set()
        host.routes["/1"] = accept
        async with connect(f"ws://127.0.0.1:{host.port}/1", proxy=None):
            assert other.port == 0
    await asyncio.to_thread(starting.join)
    try:
        other.routes["/1"] = accept
        async with connect(f"ws://127.0.0.1:{other.port}/1", proxy=None):
            assert other.running
    finally:
        other.__exit__()
    assert host.fault is None
    assert other.fault is None


async def test_a_client_has_its_time_to_answer_a_close(monkeypatch: pytest.MonkeyPatch) -> None:
    servers: list[Any] = []

    run = daphne().Server.run

    def recorded(server: Any) -> None:
        servers.append(server)
        run(server)

    monkeypatch.setattr(daphne().Server, "run", recorded)
    with Host(DOOR):
        [server] = servers
        # Its own second is too short on a busy machine.
        assert server.ws_factory.closeHandshakeTimeout == 30
