"""A server runs in a thread, can be talked to, and ends; what fails in it is known."""

import asyncio
import importlib
import sys
import threading
from collections.abc import Coroutine
from typing import Any

import pytest
import trio
import trio.lowlevel
import uvloop
from micropie_conformance.live import SERVERS, hosting
from micropie_conformance.live.hosting import Host, Receive, Send
from micropie_conformance.live.streams import H2, Tcp
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

# Over HTTP/2, only the clients are others.
DOORS = [
    f"{server}:{worker}"
    for server, workers in SERVERS.items()
    for worker in workers
    if not worker.endswith("+h2")
]

doors = pytest.mark.parametrize("door", DOORS)


def client(host: Host, path: str = "/1") -> connect:
    return connect(f"ws://127.0.0.1:{host.port}{path}", proxy=None)


def server_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name in DOORS]


async def accept(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})


async def echo(receive: Receive, send: Send) -> None:
    await accept(receive, send)
    event = await receive()
    await send({"type": "websocket.send", "text": event["text"]})
    await send({"type": "websocket.close"})


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_worker_knows_its_version_of_http(loop: str) -> None:
    assert Host(f"hypercorn:{loop}").stream is Tcp
    assert Host(f"hypercorn:{loop}+h2").stream is H2


@pytest.mark.parametrize("server", SERVERS)
def test_the_workers_are_those_that_are_announced(server: str) -> None:
    module = importlib.import_module(f"micropie_conformance.live.servers.{server}")
    assert tuple(module.WORKERS) == tuple(SERVERS[server])


@doors
async def test_a_route_serves_its_path(door: str) -> None:
    with Host(door) as host:
        host.routes["/1"] = echo
        async with client(host) as websocket:
            assert host.running
            await websocket.send("hello")
            assert await websocket.recv() == "hello"
            with pytest.raises(ConnectionClosed):
                await websocket.recv()
    assert host.fault is None
    assert not host.running
    assert server_threads() == []
    with pytest.raises(RuntimeError):
        host.soon(print)


@doors
async def test_what_still_runs_is_cancelled_at_the_end(door: str) -> None:
    raised: list[BaseException] = []

    async def route(receive: Receive, send: Send) -> None:
        try:
            await accept(receive, send)
            await receive()
        except BaseException as error:
            assert host.stopping
            raised.append(error)
            raise

    with Host(door) as host:
        host.routes["/1"] = route
        async with client(host) as websocket:
            assert not host.stopping
            host.__exit__()
            websocket.transport.abort()
    assert [type(error) for error in raised] == [host.cancelled]
    assert host.fault is None
    assert server_threads() == []


async def test_a_server_that_dies_is_known() -> None:
    async def route(receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "not offered"})

    with Host("hypercorn:trio") as host:
        host.routes["/1"] = route
        with pytest.raises(InvalidMessage):
            await client(host)
    assert host.fault is not None
    assert server_threads() == []


def test_a_server_that_does_not_start_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError("no event loop")

    def fail(main: Coroutine[Any, Any, None]) -> None:
        main.close()
        raise error

    monkeypatch.setattr(uvloop, "run", fail)
    with Host("hypercorn:uvloop") as host:
        pass
    assert host.fault is error


@pytest.mark.parametrize("door", ["hypercorn:uvloop", "uvicorn:wsproto"])
def test_a_worker_that_is_not_installed_is_an_import_error(
    monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    monkeypatch.setitem(sys.modules, door.partition(":")[2], None)
    with pytest.raises(ImportError):
        Host(door)


@pytest.mark.parametrize("door", ["hypercorn:gevent", "apache:asyncio", "uvicorn"])
def test_a_worker_that_there_is_not_is_a_value_error(door: str) -> None:
    with pytest.raises(ValueError, match=f"there is no {door}"):
        Host(door)


async def test_a_server_that_does_not_end_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "_MOST_SECONDS_TO_STOP", 0)
    blocks, goes_on = threading.Event(), threading.Event()

    async def route(receive: Receive, send: Send) -> None:
        await accept(receive, send)
        blocks.set()
        goes_on.wait()

    with Host("hypercorn:asyncio") as host:
        host.routes["/1"] = route
        async with client(host):
            await asyncio.to_thread(blocks.wait)
            left = server_threads()
            host.__exit__()
            assert server_threads() == left
            goes_on.set()
    for thread in left:
        await asyncio.to_thread(thread.join)


@doors
async def test_the_tasks_of_a_connection_are_known(door: str) -> None:
    tasks: list[asyncio.Task[bool]] = []

    async def route(receive: Receive, send: Send) -> None:
        if door != "hypercorn:trio":
            tasks.append(asyncio.create_task(asyncio.Event().wait()))
        await accept(receive, send)
        await receive()

    with Host(door) as host:
        host.routes |= {"/1": route, "/2": echo}
        async with client(host):
            left = host.left_behind("/1")
            async with client(host, "/2") as other:
                await other.send("hello")
                await other.recv()
                assert host.left_behind("/2") == []
        assert left == ([] if door == "hypercorn:trio" else ["Event.wait"])
        for task in tasks:
            host.soon(task.cancel)
    assert host.left_behind("/1") == []


def test_a_block_can_be_cancelled_on_asyncio() -> None:
    steps: list[str] = []

    async def body() -> None:
        with Host("hypercorn:asyncio").cancellable() as cancel:
            cancel()
            steps.append("inside")
            await asyncio.sleep(0)
            steps.append("never")
        await asyncio.sleep(0)
        steps.append("after")

    asyncio.run(body())
    assert steps == ["inside", "after"]


def test_a_block_can_be_cancelled_on_trio() -> None:
    steps: list[str] = []

    async def body() -> None:
        with Host("hypercorn:trio").cancellable() as cancel:
            cancel()
            steps.append("inside")
            await trio.lowlevel.checkpoint()
            steps.append("never")
        await trio.lowlevel.checkpoint()
        steps.append("after")

    trio.run(body)
    assert steps == ["inside", "after"]


async def test_a_cancellation_from_outside_goes_through() -> None:
    async def body() -> None:
        with Host("hypercorn:asyncio").cancellable():
            await asyncio.Event().wait()

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("error", "fault"), [(trio.BusyResourceError(), True), (ValueError(), False)]
)
def test_what_the_server_raises_by_its_own_fault_is_known(error: Exception, fault: bool) -> None:
    host = Host("hypercorn:trio")
    host.routes["/1"] = accept

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(event: Any) -> None:
        raise error

    with pytest.raises(type(error)):
        trio.run(host.application, {"type": "websocket", "path": "/1"}, receive, send)
    assert host.fault is (error if fault else None)
