"""Serves the chat example, as a user does: with Hypercorn, on a real port."""

import asyncio
import importlib.util
import logging
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType

import pytest
import uvloop
from hypercorn.asyncio import (
    serve,  # pyright: ignore[reportUnknownVariableType] - Hypercorn types it in part
)
from hypercorn.config import Config

EXAMPLE = Path(__file__).parents[2] / "examples" / "chat.py"


@pytest.fixture
def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What the server runs on."""
    return uvloop.new_event_loop


@pytest.fixture
def serving(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[[socket.socket], AbstractContextManager[ModuleType]]]:
    """Serves the example, fresh, at a listening socket, in a thread; gives the module."""

    @contextmanager
    def served(listener: socket.socket) -> Generator[ModuleType, None, None]:
        spec = importlib.util.spec_from_file_location("chat_example", EXAMPLE)
        assert spec is not None
        assert spec.loader is not None
        chat = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(chat)
        config = Config()
        # A copy, which the server closes: the port stays ours.
        config.bind = [f"fd://{listener.dup().detach()}"]
        config.graceful_timeout = 1
        config.loglevel = "WARNING"
        stop = asyncio.Event()
        left: list[object] = ["the server did not end well"]

        async def main() -> None:
            await serve(chat.app, config, shutdown_trigger=stop.wait)
            left[:] = [*(asyncio.all_tasks() - {asyncio.current_task()}), *chat.app.rooms]

        def run() -> None:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(main())

        loop = loop_factory()
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield chat
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
        assert left == []

    yield served
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def address(listener: socket.socket) -> str:
    """Host and port of the listener."""
    return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def chat(
    serving: Callable[[socket.socket], AbstractContextManager[ModuleType]],
    listener: socket.socket,
) -> Iterator[ModuleType]:
    """The example's module, served at the address."""
    with serving(listener) as module:
        yield module
