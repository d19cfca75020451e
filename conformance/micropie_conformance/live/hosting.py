"""A real server on 127.0.0.1, in a thread of this process.

What a server needs to be run so is a `Worker`, which its module of `servers` makes.
"""

import asyncio
import socket
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, TypeAlias

import trio

from micropie_conformance.live import SERVERS
from micropie_conformance.live.streams import Tcp
from micropie_conformance.probe import Event

__all__ = [
    "Application",
    "Host",
    "Receive",
    "Send",
    "Worker",
    "cancellable_on_trio",
    "find_worker",
    "on_asyncio",
]

Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Application: TypeAlias = Callable[[Receive, Send], Awaitable[None]]
"""What serves one connection."""

Cancel: TypeAlias = Callable[[], None]

# How long the server may take to end, in seconds, before its thread is left behind.
_MOST_SECONDS_TO_STOP: Final = 5

# The path of the connection that a task works for; its tasks inherit it.
_OWNER: ContextVar[str | None] = ContextVar("_OWNER", default=None)


@dataclass(frozen=True, slots=True)
class Worker:
    """One way to run a server."""

    # Serves until the server has ended; once clients can connect, it calls `Host.started`.
    serve: Callable[["Host"], None]
    # Gives a function that ends the block from within, as a cancellation.
    cancellable: Callable[[], AbstractContextManager[Cancel]]
    # What a cancellation raises.
    cancelled: type[BaseException]
    # What the server raises from `send` by a fault of its own.
    faults: tuple[type[BaseException], ...] = ()
    # What clients connect by.
    stream: type[Tcp] = Tcp


class Host:
    """A server while the `with` block runs.

    Args:
        door: `server:worker`, of `SERVERS`.

    Raises:
        ValueError: There is no such server or worker.
        ImportError: What it needs is not installed.
    """

    def __init__(self, door: str) -> None:
        """Prepare; nothing is started yet."""
        self.door = door
        self._worker = find_worker(door)
        # What clients connect by.
        self.stream: type[Tcp] = self._worker.stream
        # The application for each path; a path is added before a client asks for it.
        self.routes: dict[str, Application] = {}
        self.port: int = 0
        # Whether the server is being stopped, so that every cancellation comes from there.
        self.stopping: bool = False
        # What went wrong in the server itself. It is complete once the block has ended.
        self.fault: BaseException | None = None
        self._cancels: set[Cancel] = set()
        self._tasks: defaultdict[str, list[asyncio.Task[Any]]] = defaultdict(list)
        # Calls a function in the server's event loop, from any thread; RuntimeError when that
        # has ended.
        self.soon: Callable[[Callable[[], object]], object] = _ended
        self._stop: Callable[[], object] = _ended
        self._started = threading.Event()
        # A daemon: an implementation that blocks the loop must not block the end of the process.
        self._thread = threading.Thread(target=self._run, name=door, daemon=True)

    def __enter__(self) -> "Host":
        """Start the server; clients can connect from here on."""
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Cancel what still runs, stop the server and wait for its end.

        A thread that does not end is left behind.
        """
        # It is raised when the loop has ended already.
        with suppress(RuntimeError):
            self.soon(self._cancel_and_stop)
        self._thread.join(_MOST_SECONDS_TO_STOP)

    @property
    def running(self) -> bool:
        """Whether the server has not ended."""
        return self._thread.is_alive()

    def cancellable(self) -> AbstractContextManager[Cancel]:
        """Give a block that can be cancelled, by a function to be called in the server's loop."""
        return self._worker.cancellable()

    @property
    def cancelled(self) -> type[BaseException]:
        """What a cancellation raises in the server's loop."""
        return self._worker.cancelled

    def left_behind(self, path: str) -> list[str]:
        """Name the tasks that were started for a connection and that still run.

        With trio there are none: a nursery does not end before its tasks.
        """
        return sorted(
            getattr(task.get_coro(), "__qualname__", repr(task.get_coro()))
            for task in self._tasks[path]
            if not task.done()
        )

    async def application(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Be an ASGI application: answer lifespan events and give a connection to its route."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return

        async def watched(event: Any) -> None:
            try:
                await send(event)
            except self._worker.faults as error:
                self.fault = error
                raise

        with self.cancellable() as cancel:
            self._cancels.add(cancel)
            owner = _OWNER.set(scope["path"])
            try:
                await self.routes[scope["path"]](receive, watched)
            finally:
                _OWNER.reset(owner)
                self._cancels.remove(cancel)

    # What a worker calls

    def listen(self) -> socket.socket:
        """Give a socket that listens, on a port that is free."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        return listener

    def started(
        self, soon: Callable[[Callable[[], object]], object], stop: Callable[[], object]
    ) -> None:
        """Take what calls a function in the event loop, and what stops the server there."""
        self.soon = soon
        self._stop = stop
        self._started.set()

    def make_task(
        self, loop: asyncio.AbstractEventLoop, body: Any, **options: Any
    ) -> asyncio.Task[Any]:
        """Be a task factory of asyncio that knows which connection a task was started for."""
        task = asyncio.Task(body, loop=loop, **options)
        if (owner := _OWNER.get()) is not None:
            self._tasks[owner].append(task)
        return task

    def _run(self) -> None:
        try:
            self._worker.serve(self)
        except BaseException as error:
            self.fault = error
        finally:
            # Not each event loop is closed then.
            self.soon = _ended
            self._started.set()

    def _cancel_and_stop(self) -> None:
        self.stopping = True
        for cancel in list(self._cancels):
            cancel()
        self._stop()


def find_worker(door: str) -> Worker:
    """Make the worker that `server:worker` names.

    Raises:
        ValueError: There is no such server or worker.
        ImportError: What it needs is not installed.
    """
    server, _, worker = door.partition(":")
    if worker not in SERVERS.get(server, ()):
        raise ValueError(f"there is no {door}")
    made: Worker = import_module(f"micropie_conformance.live.servers.{server}").WORKERS[worker]()
    return made


def _ended(*args: object) -> None:
    raise RuntimeError("the server does not run")


def on_asyncio(
    serve: Callable[[Host], Coroutine[Any, Any, None]],
    run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run,
) -> Worker:
    """Give a worker that runs `serve` in an event loop of asyncio, by `run`."""

    async def prepared(host: Host) -> None:
        loop = asyncio.get_running_loop()
        # What fails in a task of the server or the implementation shows in what a case observes.
        loop.set_exception_handler(lambda loop, context: None)
        loop.set_task_factory(host.make_task)
        await serve(host)

    return Worker(lambda host: run(prepared(host)), _cancellable_on_asyncio, asyncio.CancelledError)


@contextmanager
def _cancellable_on_asyncio() -> Generator[Cancel]:
    task = asyncio.current_task()
    assert task is not None
    asked = False

    def cancel() -> None:
        nonlocal asked
        asked = True
        task.cancel()

    try:
        yield cancel
    except asyncio.CancelledError:
        if not asked:
            raise
        task.uncancel()


@contextmanager
def cancellable_on_trio() -> Generator[Cancel]:
    """Be `Worker.cancellable` on trio."""
    with trio.CancelScope() as scope:
        yield scope.cancel
