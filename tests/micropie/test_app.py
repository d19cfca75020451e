"""`micropie.App`: in memory on every event loop, and behind Hypercorn."""

import asyncio
import functools
import http.client
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeAlias

import pytest
import trio
import uvloop
from hypercorn.asyncio import (
    serve as serve_on_asyncio,  # pyright: ignore[reportUnknownVariableType] - typed in part
)
from hypercorn.config import Config
from hypercorn.trio import (
    serve as serve_on_trio,  # pyright: ignore[reportUnknownVariableType] - typed in part
)
from hypercorn.utils import LifespanFailureError
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.exceptions import ConnectionClosed as ClientConnectionClosed
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from micropie import App, ConnectionClosed, Request, WebSocket
from micropie.contract import ASGIApplication, Event, Receive, Scope, Send

CONNECT: Event = {"type": "websocket.connect"}
ACCEPT: Event = {"type": "websocket.accept", "subprotocol": None, "headers": []}
HELLO: Event = {"type": "websocket.receive", "text": "Hello", "bytes": None}
LEAVE: Event = {"type": "websocket.disconnect", "code": 1001, "reason": ""}
NORMAL: Event = {"type": "websocket.close", "code": 1000, "reason": ""}
FAILED: Event = {"type": "websocket.close", "code": 1011, "reason": "Internal server error"}
NO_ROUTE: Event = {"type": "websocket.close", "code": 1008, "reason": "No matching WebSocket route"}


class Server:
    """The server's side of one connection, in memory."""

    def __init__(self, *events: Event, send_errors: dict[str, Exception] | None = None) -> None:
        self.events = list(events)
        self.sent: list[Event] = []
        self.send_errors = send_errors or {}

    async def receive(self) -> Event:
        assert self.events, "the application asked for more than there is"
        return self.events.pop(0)

    async def send(self, event: Event) -> None:
        if event["type"] in self.send_errors:
            raise self.send_errors[event["type"]]
        self.sent.append(event)


def on_asyncio(application: ASGIApplication, scope: Scope, server: Server) -> None:
    async def main() -> None:
        await application(scope, server.receive, server.send)

    asyncio.run(main())


def on_uvloop(application: ASGIApplication, scope: Scope, server: Server) -> None:
    async def main() -> None:
        await application(scope, server.receive, server.send)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def on_trio(application: ASGIApplication, scope: Scope, server: Server) -> None:
    trio.run(application, scope, server.receive, server.send)


Loop: TypeAlias = Callable[[ASGIApplication, Scope, Server], None]


@pytest.fixture(params=[on_asyncio, on_uvloop, on_trio])
def run(request: pytest.FixtureRequest) -> Loop:
    """Runs an application on one of the event loops."""
    loop: Loop = request.param
    return loop


def websocket(url: str, **scope: object) -> Scope:
    path, _, query = url.partition("?")
    return {"type": "websocket", "path": path, "query_string": query.encode(), **scope}


def application(handler: Callable[..., Awaitable[object]]) -> App:
    app = App()
    app.ws_x = handler
    return app


# Routing


class Rooms(App):
    count = 5

    ws_data = 5

    @property
    def ws_property(self) -> None:
        pytest.fail("a property was run")

    async def ws__private(self, ws: WebSocket) -> None: ...

    async def ws_index(self, ws: WebSocket) -> None:
        await ws.accept()
        await ws.send_text("the index")

    async def ws_chat(self, ws: WebSocket, room: str, name: str = "someone", *, tone: str) -> None:
        await ws.accept()
        await ws.send_text(f"{room} {name} {tone}")


def said(text: str) -> list[Event]:
    return [ACCEPT, {"type": "websocket.send", "text": text}, NORMAL]


def missing(name: str) -> list[Event]:
    reason = f"Missing required parameter '{name}'"
    return [{"type": "websocket.close", "code": 1008, "reason": reason}]


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("/", said("the index")),
        ("/index", said("the index")),
        ("/chat/a/b?tone=c", said("a b c")),
        ("/chat/a?tone=c&name=b", said("a b c")),
        ("/chat/a/?tone=c", said("a someone c")),
        ("/chat?tone=c", missing("room")),
        ("/chat/a", missing("tone")),
        ("/chat/a/b/c?tone=c", [NO_ROUTE]),
        ("/index/a", [NO_ROUTE]),
        ("/nothing", [NO_ROUTE]),
        ("/_private", [NO_ROUTE]),
        ("/data", [NO_ROUTE]),
        ("/property", [NO_ROUTE]),
        ("/request", [NO_ROUTE]),
        ("/ws_index", [NO_ROUTE]),
    ],
)
def test_routing(run: Loop, url: str, sent: list[Event]) -> None:
    server = Server(CONNECT)
    run(Rooms(), websocket(url), server)
    assert server.sent == sent


def test_handlers_are_checked_when_the_class_is_made() -> None:
    with pytest.raises(TypeError, match=r"Bad\.ws_x \(.*test_app\.py:\d+\) is not async"):

        class Bad(App):  # pyright: ignore[reportUnusedClass] - it is not made
            def ws_x(self, ws: WebSocket) -> None: ...  # type: ignore[micropie-handler]


def test_handlers_are_checked_when_they_are_set() -> None:
    async def handler(ws: WebSocket, n: int) -> None: ...

    app = App()
    with pytest.raises(TypeError, match=r"App\.ws_x .* parameter 'n' is annotated with int"):
        app.ws_x = handler
    assert not hasattr(app, "ws_x")


def test_a_late_handler_that_cannot_be_served_is_an_error(
    run: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    class Late(App):
        pass

    def handler(self: App, ws: WebSocket) -> None: ...

    Late.ws_x = handler  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    server = Server(CONNECT)
    run(Late(), websocket("/x"), server)
    assert server.sent == [FAILED]
    assert "is not async" in caplog.text


# Endings


async def new(ws: WebSocket) -> None: ...


async def connecting(ws: WebSocket) -> None:
    with pytest.raises(LookupError):
        await ws.accept()


async def opened(ws: WebSocket) -> None:
    await ws.accept()


async def gone(ws: WebSocket) -> None:
    await ws.accept()
    with pytest.raises(ConnectionClosed):
        await ws.receive_text()


async def gone_before_accept(ws: WebSocket) -> None:
    with pytest.raises(ConnectionClosed):
        await ws.accept()


async def closed(ws: WebSocket) -> None:
    await ws.accept()
    await ws.close(4000)


async def rejected(ws: WebSocket) -> None:
    await ws.close(4000)


UNANSWERED, OPEN, OVER = "unanswered", "open", "over"
CLOSE: Event = {"type": "websocket.close", "code": 4000, "reason": ""}

STATES: list[tuple[Callable[[WebSocket], Awaitable[None]], list[Event], list[Event], str]] = [
    (new, [], [], UNANSWERED),
    (connecting, [CONNECT], [], UNANSWERED),
    (opened, [CONNECT], [ACCEPT], OPEN),
    (gone, [CONNECT, LEAVE], [ACCEPT], OVER),
    (gone_before_accept, [LEAVE], [], OVER),
    (closed, [CONNECT], [ACCEPT, CLOSE], OVER),
    (rejected, [], [CLOSE], OVER),
]

CLIENT_LEFT = [ConnectionClosed("left"), ExceptionGroup("tasks", [ConnectionClosed("left")])]
ERRORS = [
    ValueError("secret"),
    FileNotFoundError("secret"),
    ExceptionGroup("tasks", [ConnectionClosed("left"), ValueError("secret")]),
]


@pytest.mark.parametrize(("reach", "events", "sent", "state"), STATES)
@pytest.mark.parametrize("error", [None, *CLIENT_LEFT, *ERRORS])
def test_endings(
    run: Loop,
    caplog: pytest.LogCaptureFixture,
    reach: Callable[[WebSocket], Awaitable[None]],
    events: list[Event],
    sent: list[Event],
    state: str,
    error: Exception | None,
) -> None:
    async def handler(ws: WebSocket) -> None:
        await reach(ws)
        if error is not None:
            raise error

    server = Server(*events)
    if reach is connecting:
        server.send_errors["websocket.accept"] = LookupError()
    run(application(handler), websocket("/x"), server)

    ending = FAILED if error in ERRORS else NORMAL
    assert server.sent == (sent if state is OVER else [*sent, ending])
    logged = [(record.name, record.levelno) for record in caplog.records]
    if error in ERRORS:
        assert logged == [("micropie", logging.ERROR)]
        assert "secret" in caplog.text
        assert "Traceback" in caplog.text
    elif error is not None and state is UNANSWERED:
        assert logged == [("micropie", logging.WARNING)]
        assert "left" in caplog.text
    else:
        assert logged == []


async def test_a_cancellation_goes_on_asyncio() -> None:
    accepted = asyncio.Event()

    async def handler(ws: WebSocket) -> None:
        await ws.accept()
        accepted.set()
        await asyncio.Event().wait()

    server = Server(CONNECT)
    task = asyncio.ensure_future(application(handler)(websocket("/x"), server.receive, server.send))
    await accepted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.sent == [ACCEPT]


def test_a_cancellation_goes_on_trio() -> None:
    server = Server(CONNECT)

    async def main() -> None:
        accepted = trio.Event()

        async def handler(ws: WebSocket) -> None:
            await ws.accept()
            accepted.set()
            await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            app = application(handler)
            nursery.start_soon(app, websocket("/x"), server.receive, server.send)
            await accepted.wait()
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert server.sent == [ACCEPT]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_of_a_handler_goes_on(
    caplog: pytest.LogCaptureFixture, error: type[BaseException]
) -> None:
    async def handler(ws: WebSocket) -> None:
        raise error

    server = Server()
    call = application(handler)(websocket("/x"), server.receive, server.send)
    with pytest.raises(error):
        call.send(None)
    assert server.sent == []
    assert caplog.records == []


async def talk(ws: WebSocket) -> None:
    await ws.accept()
    await ws.send_text("Hello")


async def fail(ws: WebSocket) -> None:
    raise ValueError


@pytest.mark.parametrize(
    ("handler", "refused"),
    [
        (talk, "websocket.accept"),
        (talk, "websocket.send"),
        (talk, "websocket.close"),
        (new, "websocket.close"),
        (fail, "websocket.close"),
        (None, "websocket.close"),
    ],
)
def test_an_oserror_of_the_server_stays_inside(
    run: Loop, handler: Callable[[WebSocket], Awaitable[None]] | None, refused: str
) -> None:
    app = App() if handler is None else application(handler)
    server = Server(CONNECT, send_errors={refused: ConnectionResetError()})
    run(app, websocket("/x"), server)
    assert refused not in [event["type"] for event in server.sent]


def test_another_error_of_the_server_goes_on(run: Loop) -> None:
    server = Server(CONNECT, send_errors={"websocket.close": LookupError("the server's")})
    with pytest.raises(LookupError, match="the server's"):
        run(application(talk), websocket("/x"), server)


def test_the_connection_knows_the_offer_and_the_setting(run: Loop) -> None:
    async def handler(ws: WebSocket) -> None:
        with pytest.raises(ValueError, match="was not offered"):
            await ws.accept("c")
        await ws.accept("b", session_id="id")

    app = App(session_cookie_secure=False)
    app.ws_x = handler
    server = Server(CONNECT)
    run(app, websocket("/x", subprotocols=["a", "b"]), server)
    cookie = (b"set-cookie", b"session_id=id; Path=/; HttpOnly; SameSite=Lax")
    assert server.sent == [
        {"type": "websocket.accept", "subprotocol": "b", "headers": [cookie]},
        NORMAL,
    ]


# The request


def test_request_is_that_of_the_connection(run: Loop) -> None:
    seen: list[Request] = []

    async def handler(ws: WebSocket, *rest: str) -> None:
        seen.append(app.request)

    app = application(handler)
    first, second = websocket("/x/1?a=2"), websocket("/x/2")
    run(app, first, Server())
    run(app, second, Server())
    assert [request.scope for request in seen] == [first, second]
    assert (seen[0].path_params, seen[0].query_params) == (["1"], {"a": ["2"]})


async def test_connections_at_once_have_their_own_request() -> None:
    both = asyncio.Barrier(2)

    async def handler(ws: WebSocket, name: str) -> None:
        await both.wait()
        assert app.request.path_params == [name]
        assert await asyncio.create_task(in_a_task()) == [name]

    async def in_a_task() -> list[str]:
        return app.request.path_params

    app = application(handler)
    servers = [Server(), Server()]
    await asyncio.gather(
        *(
            app(websocket(f"/x/{number}"), server.receive, server.send)
            for number, server in enumerate(servers)
        )
    )
    assert [server.sent for server in servers] == [[NORMAL], [NORMAL]]


async def test_there_is_no_request_outside_of_a_connection() -> None:
    app = application(new)
    with pytest.raises(RuntimeError, match="during a connection only"):
        _ = app.request
    server = Server()
    await app(websocket("/x"), server.receive, server.send)
    with pytest.raises(RuntimeError, match="during a connection only"):
        _ = app.request


# HTTP

TEXT = (b"content-type", b"text/plain; charset=utf-8")
UPGRADE = [(b"upgrade", b"websocket"), (b"connection", b"upgrade")]


@pytest.mark.parametrize(
    ("scope", "status", "upgrade"),
    [
        ({"path": "/"}, 404, []),
        ({"path": "/x/a"}, 404, []),
        ({"path": "/_x"}, 404, []),
        ({"path": "/x"}, 426, UPGRADE),
        ({"path": "/x", "http_version": "1.1"}, 426, UPGRADE),
        ({"path": "/x", "http_version": "2"}, 426, []),
        ({"path": "/x", "http_version": "3"}, 426, []),
        ({"path": "/x", "method": "HEAD"}, 426, UPGRADE),
        ({"path": "/", "method": "HEAD"}, 404, []),
    ],
)
def test_http(
    run: Loop, scope: dict[str, object], status: int, upgrade: list[tuple[bytes, bytes]]
) -> None:
    server = Server()
    run(application(new), {"type": "http", **scope}, server)
    words = {404: b"Not Found\n", 426: b"This address takes WebSocket connections only: "}[status]
    start, body = server.sent
    assert start["type"] == "http.response.start"
    assert start["status"] == status
    content_type, *between, (name, length) = start["headers"]
    assert (content_type, between, name) == (TEXT, upgrade, b"content-length")
    assert body["type"] == "http.response.body"
    if scope.get("method") == "HEAD":
        assert body["body"] == b""
        assert int(length) >= len(words)
    else:
        assert body["body"].startswith(words)
        assert int(length) == len(body["body"])


def test_an_oserror_at_an_http_answer_stays_inside(run: Loop) -> None:
    server = Server(send_errors={"http.response.start": BrokenPipeError()})
    run(App(), {"type": "http", "path": "/"}, server)
    assert server.sent == []


@pytest.mark.parametrize("path", ["/", "/x"])
def test_http_goes_to_its_application(run: Loop, path: str) -> None:
    calls: list[tuple[Scope, Receive, Send, Request]] = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append((scope, receive, send, app.request))

    app = App(http=page)
    app.ws_x = new
    server = Server()
    scope = {"type": "http", "path": path}
    run(app, scope, server)
    [(*called, request)] = calls
    assert called == [scope, server.receive, server.send]
    assert request.scope is scope


def test_http_must_be_an_application() -> None:
    with pytest.raises(TypeError, match="http must be an ASGI application, got 'page'"):
        App(http="page")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_another_scope_is_refused(run: Loop) -> None:
    with pytest.raises(ValueError, match=r"websocket, http or lifespan, got 'x'"):
        run(App(), {"type": "x"}, Server())


# Lifespan

STARTUP: Event = {"type": "lifespan.startup"}
SHUTDOWN: Event = {"type": "lifespan.shutdown"}
STARTED: Event = {"type": "lifespan.startup.complete"}
STOPPED: Event = {"type": "lifespan.shutdown.complete"}
LIFESPAN: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}}


@pytest.mark.parametrize(
    ("events", "sent", "ran"),
    [
        ([STARTUP, SHUTDOWN], [STARTED, STOPPED], ["open", "fill", "drain", "close"]),
        ([SHUTDOWN], [STOPPED], ["drain", "close"]),
    ],
)
@pytest.mark.parametrize("handlers", [False, True])
def test_lifespan(
    run: Loop, events: list[Event], sent: list[Event], ran: list[str], handlers: bool
) -> None:
    runs: list[str] = []

    def handler(name: str) -> Callable[[], Awaitable[None]]:
        async def running() -> None:
            runs.append(name)

        return running

    app = App()
    if handlers:
        app.startup_handlers += [handler("open"), handler("fill")]
        app.shutdown_handlers += [handler("drain"), handler("close")]
    server = Server(*events)
    run(app, LIFESPAN, server)
    assert server.sent == sent
    assert runs == (ran if handlers else [])


def test_lifespan_failures(run: Loop, caplog: pytest.LogCaptureFixture) -> None:
    runs: list[str] = []

    async def good() -> None:
        runs.append("good")

    async def bad() -> None:
        raise OSError("no database")

    class Worse:
        def __call__(self) -> None:
            runs.append("worse")

        def __repr__(self) -> str:
            return "<worse>"

    app = App()
    app.startup_handlers += [good, bad, good]
    app.shutdown_handlers += [bad, Worse(), good]  # type: ignore[list-item]  # pyright: ignore

    server = Server(STARTUP, SHUTDOWN)
    run(app, LIFESPAN, server)
    name = f"{test_lifespan_failures.__name__}.<locals>.bad"
    message = f"{name} failed: OSError: no database"
    assert server.sent == [{"type": "lifespan.startup.failed", "message": message}]
    assert runs == ["good"]
    assert server.events == [SHUTDOWN]
    assert f"The lifespan.startup handler {name} failed\nTraceback" in caplog.text

    server = Server(SHUTDOWN)
    run(app, LIFESPAN, server)
    [failed] = server.sent
    assert failed["type"] == "lifespan.shutdown.failed"
    assert failed["message"].startswith(f"{message}; <worse> failed: TypeError: ")
    assert runs == ["good", "worse", "good"]


def test_an_unknown_lifespan_event_is_an_error(run: Loop) -> None:
    with pytest.raises(RuntimeError, match="expected a lifespan event from the server, got 'x'"):
        run(App(), LIFESPAN, Server({"type": "x"}))


# Behind Hypercorn


@contextmanager
def serving(application: ASGIApplication, worker: str) -> Generator[int, None, None]:
    """Serve in a thread; give the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = Config()
    config.bind = [f"fd://{listener.dup().detach()}"]  # a copy, which the server closes
    config.errorlog = logging.getLogger("hypercorn")
    stop: Future[Callable[[], object]] = Future()

    async def main_of_asyncio() -> None:
        event = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.set_result(functools.partial(loop.call_soon_threadsafe, event.set))
        await serve_on_asyncio(application, config, shutdown_trigger=event.wait)

    async def main_of_trio() -> None:
        event = trio.Event()
        token = trio.lowlevel.current_trio_token()
        stop.set_result(functools.partial(token.run_sync_soon, event.set))
        await serve_on_trio(application, config, shutdown_trigger=event.wait)

    errors: list[BaseException] = []

    def run() -> None:
        try:
            if worker == "trio":
                trio.run(main_of_trio)
            else:
                asyncio.run(main_of_asyncio())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with listener:
            stop.result()()
            thread.join()
    assert errors == []


class Served(App):
    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.startup_handlers.append(self.start)
        self.shutdown_handlers.append(self.end)

    async def start(self) -> None:
        self.log.append("start")

    async def end(self) -> None:
        self.log.append("end")

    async def ws_echo(self, ws: WebSocket, name: str) -> None:
        self.log.append(f"{name} from {self.request.client is not None}")
        await ws.accept(self.request.subprotocols[0], self.request.cookies["session_id"])
        await ws.send_text(f"{name}: {await ws.receive_text()}")

    async def ws_fails(self, ws: WebSocket) -> None:
        await ws.accept()
        raise ValueError("secret")

    async def ws_fails_early(self, ws: WebSocket) -> None:
        raise ValueError("secret")

    async def ws_returns_early(self, ws: WebSocket) -> None: ...

    async def ws_left(self, ws: WebSocket) -> None:
        await ws.accept()
        try:
            await ws.receive_text()
        finally:
            self.log.append("left")


@pytest.mark.parametrize("worker", ["asyncio", "trio"])
def test_behind_hypercorn(worker: str, caplog: pytest.LogCaptureFixture) -> None:
    app = Served()
    with serving(app, worker) as port:
        url = f"ws://127.0.0.1:{port}"
        with connect(
            f"{url}/echo/%C3%A9",
            subprotocols=[Subprotocol("chat")],
            additional_headers={"Cookie": "a=b; session_id=id"},
            proxy=None,
        ) as client:
            assert client.subprotocol == "chat"
            assert client.response is not None
            assert client.response.headers["set-cookie"].startswith("session_id=id; ")
            client.send("Hello")
            assert client.recv() == "é: Hello"
            with pytest.raises(ClientConnectionClosed) as ended:
                client.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1000

        with connect(f"{url}/fails", proxy=None) as client:
            with pytest.raises(ClientConnectionClosed) as ended:
                client.recv()
            assert ended.value.rcvd is not None
            assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (
                1011,
                "Internal server error",
            )

        for path in ("/nothing", "/echo", "/echo/a/b", "/fails_early", "/returns_early"):
            with pytest.raises(InvalidStatus) as refused, connect(url + path, proxy=None):
                pass
            assert refused.value.response.status_code == 403

        for path, status, upgrade in (("/left", 426, "websocket"), ("/nothing", 404, None)):
            answers = http.client.HTTPConnection("127.0.0.1", port)
            answers.request("GET", path)
            answer = answers.getresponse()
            assert (answer.status, answer.getheader("upgrade")) == (status, upgrade)
            assert answer.read().endswith(b"\n")
            answers.close()

        with connect(f"{url}/left", proxy=None) as client:
            pass

    assert app.log == ["start", "é from True", "left", "end"]
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.name, record.levelno) for record in errors] == [("micropie", logging.ERROR)] * 2


async def test_hypercorn_does_not_start_when_a_startup_handler_fails() -> None:
    async def bad() -> None:
        raise LookupError("no database")

    app = App()
    app.startup_handlers.append(bad)
    config = Config()
    config.bind = ["127.0.0.1:0"]
    with pytest.raises(LifespanFailureError, match="bad failed: LookupError: no database"):
        await serve_on_asyncio(app, config, shutdown_trigger=asyncio.Event().wait)


async def test_mounted_in_starlette() -> None:
    server = Server(CONNECT)
    mounting = Starlette(routes=[Mount("/rooms", app=Rooms())])
    scope = dict(websocket("/rooms/chat/a?tone=b", root_path="", headers=()))
    # Starlette declares events as mutable, but changes none.
    await mounting(scope, server.receive, server.send)  # type: ignore[arg-type]  # pyright: ignore
    assert server.sent == said("a someone b")
