"""`micropie serve`: an application behind Hypercorn, with settings for WebSockets."""

import argparse
import asyncio
import inspect
import logging
import math
import multiprocessing
import re
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing.context import SpawnProcess
from types import FrameType, ModuleType
from typing import Any, Protocol, TextIO, cast

import hypercorn.asyncio
from hypercorn.config import Config, SocketTypeError
from hypercorn.utils import (
    LifespanFailureError,
    LifespanTimeoutError,
    check_for_updates,
    files_to_watch,
    repr_socket_addr,  # pyright: ignore[reportUnknownVariableType] - typed in part
)

from micropie._target import TargetError, load
from micropie.cli import Subparsers
from micropie.contract import ASGIApplication, Event, Receive, Scope, Send

__all__ = ["add_parser", "run"]

_DESCRIPTION = "Serve an ASGI application with Hypercorn, with settings for WebSockets."

_EPILOG = """\
Stopping, by Ctrl+C or SIGTERM: every open WebSocket is closed with code 1001
(going away), so that its handler gets ConnectionClosed and can end in its own
way; new ones get HTTP 503. What still runs after the graceful time is
cancelled. A second Ctrl+C ends everything at once.

examples:
  micropie serve chat.py:app
  micropie serve chat.py:app --reload
  micropie serve package.module:app --bind 0.0.0.0:8000 --workers 4
  micropie serve chat.py:app --bind 0.0.0.0:443 --certfile cert.pem --keyfile key.pem

exit status:
  0    stopped as asked
  1    the application failed to start or to shut down, or a worker died
  2    it could not be tried: wrong call, target not found or no ASGI application,
       address in use, unusable certificate
  130  a second Ctrl+C
"""

_LOG_FORMAT = "[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s"

# RFC 6455, section 7.4.1: "an endpoint is 'going away', such as a server going down".
_GOING_AWAY = 1001

# RFC 9110, section 15.6.4: the server "is currently unable to handle the request".
_UNAVAILABLE = 503

# Seconds between two looks at the workers, and at the files that --reload watches.
_POLL = 0.25


class _ServeError(Exception):
    """The application cannot be served; the message says why."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        "serve",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("target", metavar="TARGET", help="module:attr or path/to/file.py:attr")
    parser.add_argument(
        "--bind",
        action="append",
        type=_address,
        metavar="ADDRESS",
        help="HOST:PORT, [IPV6]:PORT, unix:PATH or fd://NUMBER; port 0 takes a free one; "
        "may be repeated (default: 127.0.0.1:8000)",
    )
    parser.add_argument(
        "--worker-class",
        choices=["asyncio", "uvloop", "trio"],
        default="uvloop" if find_spec("uvloop") else "asyncio",
        help="event loop (default: uvloop where it is installed, else asyncio)",
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        default=1,
        metavar="N",
        help="processes that serve; they share no memory (default: 1)",
    )
    parser.add_argument(
        "--reload", action="store_true", help="start again when a source file changes"
    )
    parser.add_argument("--certfile", metavar="FILE", help="TLS certificate chain, PEM")
    parser.add_argument("--keyfile", metavar="FILE", help="its private key, PEM, unencrypted")
    parser.add_argument(
        "--graceful-timeout",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="time for handlers to end when the server stops (default: 5)",
    )
    parser.add_argument(
        "--ping-interval",
        type=_seconds,
        default=20.0,
        metavar="SECONDS",
        help="time between pings on each WebSocket, 0 for none (default: 20)",
    )
    parser.add_argument(
        "--max-message-size",
        type=_positive,
        default=16 * 1024 * 1024,
        metavar="BYTES",
        help="a larger message closes the WebSocket with code 1009; of text, characters are "
        "counted (default: 16 MiB)",
    )
    parser.add_argument(
        "--access-log", action="store_true", help="log each request to standard error"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped and return the exit status."""
    try:
        _check_worker_class(args.worker_class)
        _check_certificate(args.certfile, args.keyfile)
        # The workers find the target by themselves, and must not find something in its folder
        # while they are still looking for this package.
        path = sys.path.copy()
        app = _load(args.target)
        sockets = [_listen(address) for address in args.bind or ["127.0.0.1:8000"]]
    except _ServeError as error:
        _tell(f"micropie serve: {error}", sys.stderr)
        return 2
    scheme = "https" if args.certfile else "http"
    addresses = [repr_socket_addr(sock.family, sock.getsockname()) for sock in sockets]
    places = [place if "unix:" in place else f"{scheme}://{place}" for place in addresses]
    workers = f", {args.workers} workers" if args.workers > 1 else ""
    banner = (
        f"Serving {args.target} on {' and '.join(places)} "
        f"(hypercorn, {args.worker_class}{workers}) - Ctrl+C stops"
    )
    if args.workers == 1 and not args.reload:
        return _serve(app, args, sockets, banner)
    sys.path[:] = path
    return _supervise(args, sockets, banner)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return number


def _address(text: str) -> str:
    # Hypercorn takes a port that is no number for a part of the host.
    match = re.fullmatch(r"unix:.+|fd://\d+|(\[[^\]]+\]|[^:\[\]]+)(?::(\d{1,5}))?", text)
    if match is None or int(match[2] or 0) > 65535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not HOST:PORT, [IPV6]:PORT, unix:PATH or fd://NUMBER"
        )
    return f"{match[1]}:{match[2] or 8000}" if match[1] else text


def _check_worker_class(worker_class: str) -> None:
    if worker_class != "asyncio" and find_spec(worker_class) is None:
        raise _ServeError(f"--worker-class {worker_class} needs it: pip install {worker_class}")


def _check_certificate(certfile: str | None, keyfile: str | None) -> None:
    if certfile is None and keyfile is None:
        return
    if certfile is None or keyfile is None:
        raise _ServeError("TLS needs both --certfile and --keyfile")
    for file in (certfile, keyfile):
        try:
            open(file, "rb").close()
        except OSError as error:
            raise _ServeError(f"cannot read {file}: {error.strerror}") from error
    try:
        # With an empty password an encrypted key is refused, and not asked for at a terminal.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certfile, keyfile, "")
    except (ssl.SSLError, ValueError) as error:
        raise _ServeError(
            f"{certfile} and {keyfile} are not a certificate chain and its unencrypted key, "
            f"both in PEM format: {error}"
        ) from error


def _load(target: str) -> ASGIApplication:
    try:
        app = load(target)
    except TargetError as error:
        raise _ServeError(str(error)) from error
    is_a, advice = f"{target} is a {type(app).__name__}", ""
    if isinstance(app, type):
        is_a = f"{target} is a class"
        advice = f": make an instance of it in the file (app = {app.__name__}()) and name that"
    elif isinstance(app, ModuleType):
        advice = ": name the application in it"
    elif callable(app):
        if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__):
            takes = inspect.signature(app)
            try:
                takes.bind("scope", "receive", "send")
            except TypeError:
                advice = f" that takes {takes}"
            else:
                # Checked as far as can be without a call.
                return cast(ASGIApplication, app)
        else:
            advice = " that is not async"
    raise _ServeError(
        f"{is_a}{advice}; expected is an ASGI application: "
        "async def app(scope, receive, send), or an instance of micropie.App"
    )


def _listen(address: str) -> socket.socket:
    try:
        (bound,) = Config.from_mapping(bind=[address]).create_sockets().insecure_sockets
    except (OSError, TypeError, SocketTypeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise _ServeError(
            f"cannot bind {address}: {reason[0].lower()}{reason[1:]}; choose another with --bind"
        ) from error
    return bound


def _supervise(args: argparse.Namespace, sockets: list[socket.socket], banner: str) -> int:
    """Serve in child processes; with --reload, in new ones whenever a file changes."""
    context = multiprocessing.get_context("spawn")
    workers: list[SpawnProcess] = []
    stops = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stops
        stops += 1
        for worker in workers:
            if stops == 1:
                worker.terminate()
            else:
                worker.kill()

    signal.signal(signal.SIGTERM, stop)
    while True:
        # Inherited by the workers: Ctrl+C reaches them too, but is for this process to pass on.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in range(args.workers):
            # The first of them tells that all is well.
            said = "" if number else banner
            worker = context.Process(target=_work, args=(args, sockets, said))
            worker.start()
            workers.append(worker)
        signal.signal(signal.SIGINT, stop)
        files = files_to_watch() if args.reload else {}
        while not stops and not check_for_updates(files):
            # One that ended by itself is of no use with --reload either, but a change may mend it.
            if not args.reload and not all(worker.is_alive() for worker in workers):
                break
            time.sleep(_POLL)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
        if stops > 1:
            return 130
        if stops:
            # A negative one is a worker that was stopped before it had begun.
            return int(any(worker.exitcode == 1 for worker in workers))
        if not args.reload:
            _tell("micropie serve: a worker ended by itself; all are stopped", sys.stderr)
            return 1
        workers.clear()


def _work(args: argparse.Namespace, sockets: list[socket.socket], banner: str) -> None:
    try:
        app = _load(args.target)
    except _ServeError as error:
        _tell(f"micropie serve: {error}", sys.stderr)
        sys.exit(2)
    sys.exit(_serve(app, args, sockets, banner))


def _serve(
    app: ASGIApplication, args: argparse.Namespace, sockets: list[socket.socket], banner: str
) -> int:
    """Serve in this process until a signal comes."""
    # For the log of the application as well, unless it has set up its own.
    logging.basicConfig(format=_LOG_FORMAT)
    config = Config()
    config.bind = [f"fd://{sock.detach()}" for sock in sockets]
    config.certfile = args.certfile
    config.keyfile = args.keyfile
    config.graceful_timeout = args.graceful_timeout
    config.websocket_ping_interval = args.ping_interval or None
    config.websocket_max_message_size = args.max_message_size
    config.errorlog = logging.getLogger("hypercorn.error")
    if args.access_log:
        config.accesslog = logging.getLogger("hypercorn.access")
        config.accesslog.setLevel(logging.INFO)

    def started() -> None:
        if banner:
            _tell(banner, sys.stdout)

    status = 0
    try:
        if args.worker_class == "trio":
            _serve_on_trio(app, config, started)
        else:
            _serve_on_asyncio(app, config, started, args.worker_class)
    # On trio they come in groups.
    except* (LifespanFailureError, LifespanTimeoutError) as failures:
        _tell(f"micropie serve: {_first(failures)}", sys.stderr)
        status = 1
    except* asyncio.CancelledError:
        # Hypercorn cancels a lifespan that does not return after its shutdown, and awaits it.
        pass
    return status


def _tell(line: str, where: TextIO) -> None:
    # In one piece: other workers may print at the same time, and without a buffer.
    print(f"{line}\n", end="", file=where, flush=True)


def _first(error: BaseException) -> BaseException:
    inner: Sequence[BaseException] = getattr(error, "exceptions", ())
    return _first(inner[0]) if inner else error


def _on_stop(stop: Callable[[], object]) -> None:
    """Call `stop` at the first SIGINT or SIGTERM."""
    numbers = [
        number
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    # A second one ends the process; a worker's second one is the first, passed on.
    alone = multiprocessing.parent_process() is None

    def handle(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_DFL if alone else signal.SIG_IGN)
        # What both loops raise when they have ended: nothing is left to be stopped.
        with suppress(RuntimeError):
            stop()

    for number in numbers:
        signal.signal(number, handle)


def _serve_on_asyncio(
    app: ASGIApplication, config: Config, started: Callable[[], None], worker_class: str
) -> None:
    factory = None
    if worker_class == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop

    async def main() -> None:
        stop = asyncio.Event()
        stoppable = _Stoppable(app, asyncio.Event)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_exception)
        _on_stop(lambda: loop.call_soon_threadsafe(stop.set))
        running: set[asyncio.Task[object]] = set()

        async def tracked(scope: Scope, receive: Receive, send: Send) -> None:
            task = asyncio.current_task()
            assert task is not None
            if scope["type"] != "lifespan":
                running.add(task)
            try:
                await stoppable(scope, receive, send)
            finally:
                running.discard(task)

        async def until_stopped() -> None:
            started()
            await stop.wait()
            ends = [asyncio.create_task(end()) for end in stoppable.stop()]
            # Not left to Hypercorn: from Python 3.12 on it waits for ever.
            deadline = loop.time() + config.graceful_timeout
            while running and loop.time() < deadline:
                await asyncio.wait(running, timeout=deadline - loop.time())
            if running:
                for task in running:
                    task.cancel()
                await asyncio.wait(running, timeout=config.graceful_timeout)
            for task in ends:
                task.cancel()
            # What is left of a connection is the pause between two pings.
            config.graceful_timeout = 0

        await hypercorn.asyncio.serve(  # pyright: ignore[reportUnknownMemberType] - typed in part
            tracked, config, shutdown_trigger=until_stopped, mode="asgi"
        )

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


def _log_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # A TLS handshake that failed is the client's affair; Python 3.11 reports each connection
    # that is cancelled when the server stops.
    if not isinstance(context.get("exception"), (ssl.SSLError, asyncio.CancelledError)):
        loop.default_exception_handler(context)


def _serve_on_trio(app: ASGIApplication, config: Config, started: Callable[[], None]) -> None:
    import hypercorn.trio
    import trio

    async def main() -> None:
        stop = trio.Event()
        stoppable = _Stoppable(app, trio.Event)
        token = trio.lowlevel.current_trio_token()
        _on_stop(lambda: token.run_sync_soon(stop.set))
        running = 0
        ended = trio.Event()

        async def tracked(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal running, ended
            counts = scope["type"] != "lifespan"
            running += counts
            try:
                await stoppable(scope, receive, send)
            finally:
                running -= counts
                ended.set()
                ended = trio.Event()

        async with trio.open_nursery() as nursery:

            async def until_stopped() -> None:
                # Where the application failed to start, Hypercorn cancels this, but at once.
                await trio.lowlevel.checkpoint()
                started()
                await stop.wait()
                for end in stoppable.stop():
                    nursery.start_soon(end)
                with trio.move_on_after(config.graceful_timeout):
                    while running:
                        await ended.wait()
                # As on asyncio; what still runs is cancelled.
                config.graceful_timeout = 0

            await hypercorn.trio.serve(  # pyright: ignore[reportUnknownMemberType] - typed in part
                tracked, config, shutdown_trigger=until_stopped, mode="asgi"
            )

    trio.run(main)


class _Event(Protocol):
    """`asyncio.Event` or `trio.Event`."""

    def set(self) -> object: ...

    async def wait(self) -> object: ...


class _Stoppable:
    """An application whose WebSockets can be told that the server stops.

    A server that stops gives handlers time to end, but one that waits for a message would
    not know of it, and be cancelled after that time.
    """

    def __init__(self, app: ASGIApplication, make_event: Callable[[], _Event]) -> None:
        self._app = app
        self._make_event = make_event
        self._connections: set[_Connection] = set()
        self._stopped = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        connection = _Connection(send, self._make_event())
        if self._stopped:
            await connection.end()
            return
        self._connections.add(connection)
        try:
            await self._app(scope, receive, connection.send)
            await connection.settle()
        finally:
            self._connections.discard(connection)

    def stop(self) -> list[Callable[[], Coroutine[object, object, None]]]:
        """Let no more WebSockets in; what is returned ends each of those that there are."""
        self._stopped = True
        return [connection.end for connection in self._connections]


class _Connection:
    """The sending side of a WebSocket, which the server can close between two messages."""

    def __init__(self, send: Send, settled: _Event) -> None:
        self._send = send
        # The type of what the application sent last.
        self._last = ""
        self._ending = False
        self._settled = settled

    async def send(self, event: Event) -> None:
        """Send an event of the application.

        Raises:
            OSError: The server has ended the connection (ASGI specification, "Disconnect").
        """
        if self._ending:
            await self.settle()
            raise OSError("the server stops, and has closed this WebSocket")
        self._last = event["type"]
        await self._send(event)

    async def end(self) -> None:
        """Close the connection for the server, unless the application has done so."""
        self._ending = True
        if self._last in {"websocket.accept", "websocket.send"}:
            await self._send(
                {"type": "websocket.close", "code": _GOING_AWAY, "reason": "the server stops"}
            )
        elif not self._last:
            start = {"type": "websocket.http.response.start", "status": _UNAVAILABLE}
            await self._send(start | {"headers": [(b"content-length", b"0")]})
            await self._send({"type": "websocket.http.response.body", "body": b""})
        self._settled.set()

    async def settle(self) -> None:
        """Wait for an `end` that is under way: the application's end would overtake it."""
        if self._ending:
            await self._settled.wait()
