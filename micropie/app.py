"""The application: an ASGI callable that gives each WebSocket connection to a handler.

    class Chat(App):
        async def ws_room(self, ws: WebSocket, room: str, name: str = "someone") -> None:
            await ws.accept()
            await ws.send_text(f"Welcome to {room}, {name}")

    app = Chat()

A client that connects to `/room/garden?name=Eve` is served by `ws_room(ws, "garden", "Eve")`.
"""

import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, TypeAlias, cast

from micropie._handlers import BindingError, Route, check_class, check_value, find
from micropie._state import State
from micropie.contract import Receive, Scope, Send
from micropie.request import Request
from micropie.websocket import ConnectionClosed, WebSocket

__all__ = ["App"]

_log = logging.getLogger("micropie")

_current_request: ContextVar[Request] = ContextVar("micropie_request")

# The ASGI boundary: frameworks declare the scope more narrowly than servers need, as a mutable
# mapping or a typed dictionary, so no type but `Any` takes them all.
HTTPApplication: TypeAlias = Callable[[Any, Any, Any], Awaitable[object]]

LifespanHandler: TypeAlias = Callable[[], Awaitable[object]]

# RFC 6455, section 7.4.1: 1000 is "a normal closure", 1008 for "a message that violates its
# policy", 1011 for "an unexpected condition that prevented it from fulfilling the request".
_NORMAL: Final = 1000
_POLICY: Final = 1008
_ERROR: Final = 1011

# The states in which the client has no answer yet.
_UNANSWERED: Final = (State.NEW, State.ACCEPTING, State.CONNECTING, State.ANSWERING)


class App:
    """An ASGI application; derive from it and write `async def ws_name(self, ws)` methods.

    "MicroPie constructs an instance for each WebSocket request and passes it as the first
    argument to your WebSocket handler." The first segment of the path names the handler; `/` is
    `ws_index`. The parameters after the connection get the other segments in order, as far as
    they can be passed by position. Those that are left, and the keyword-only ones, get the first
    value of the query parameter with their name, else their default. `*args` gets the segments
    that are left, `**kwargs` the query parameters that are left. All are `str`. What a
    `functools.partial` has set by name, a URL cannot change. A function that is set on an
    instance is a handler too; `None` or a property in the place of an inherited one is none.

    The handler accepts the connection itself. When it returns, the connection is closed with
    code 1000; when it raises `ConnectionClosed`, too: the client has left. Any other exception is
    logged to the logger `micropie`, and the client gets code 1011 and nothing else. A connection
    that was not accepted by then is rejected with HTTP 403, and so is one that no handler fits.
    A cancellation goes on.

    Args:
        http: The ASGI application that gets the HTTP requests, and nothing else: its own
            lifespan handlers are not run. Without one, they are answered with 404, or with 426
            where a WebSocket handler is.
        session_cookie_secure: Whether the session cookie that `WebSocket.accept` sets has the
            attribute `Secure`. Turn it off for plain HTTP only.

    Attributes:
        startup_handlers: Async functions without parameters that are awaited in order before the
            server takes connections. When one raises, the server is told and does not start.
        shutdown_handlers: The same, when the server stops. All of them are run, whatever raises.

    Raises:
        TypeError: `http` cannot be called. Also when a class is derived, or a handler set on an
            instance, whose signature cannot be served: it is not async, has no parameter for
            the connection, or one that is annotated with something that a `str` is not.
    """

    def __init__(
        self, *, http: HTTPApplication | None = None, session_cookie_secure: bool = True
    ) -> None:
        """Make the application."""
        if http is not None and not callable(http):
            raise TypeError(f"http must be an ASGI application, got {http!r}")
        self.http = http
        self.session_cookie_secure = session_cookie_secure
        self.startup_handlers: list[LifespanHandler] = []
        self.shutdown_handlers: list[LifespanHandler] = []
        self._routes: dict[str, tuple[object, bool, Route]] = {}

    def __init_subclass__(cls, **options: object) -> None:
        """Check the handlers of the new class."""
        super().__init_subclass__(**options)
        check_class(cls)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; check it when it is a handler."""
        check_value(self, name, value)
        super().__setattr__(name, value)

    @property
    def request(self) -> Request:
        """The request of the current connection.

        It is there while a handler or the HTTP application runs, and in the tasks they start.

        Raises:
            RuntimeError: There is no connection here.
        """
        try:
            return _current_request.get()
        except LookupError:
            raise RuntimeError(
                "app.request is there during a connection only: in a handler, and in the tasks "
                "it starts"
            ) from None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, HTTP request or lifespan: the ASGI callable.

        Raises:
            ValueError: The type of the scope is none of `websocket`, `http` and `lifespan`.
        """
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(receive, send)
            return
        if kind not in ("websocket", "http"):
            raise ValueError(f"expected a scope of websocket, http or lifespan, got {kind!r}")
        token = _current_request.set(request := Request(scope))
        try:
            if kind == "websocket":
                ws = WebSocket(
                    receive,
                    send,
                    session_cookie_secure=self.session_cookie_secure,
                    subprotocols=scope.get("subprotocols"),
                )
                await ws.close(*await self._converse(ws, request))
            elif self.http is not None:
                await self.http(scope, receive, send)
            else:
                await self._answer_http(request, send)
        finally:
            _current_request.reset(token)

    async def _converse(self, ws: WebSocket, request: Request) -> tuple[int, str]:
        """Let the handler serve the connection; give the code and reason to close it with.

        Closing changes nothing where the connection is over already.
        """
        try:
            route = self._route(request)
            if route is None:
                return _POLICY, "No matching WebSocket route"
            args, keywords = route.bind(request)
            await route.call(ws, *args, **keywords)
        except BindingError as error:
            return _POLICY, str(error)
        except Exception as error:
            if not _is_closed(error):
                _log.exception("The WebSocket handler for %r failed", request.path)
                return _ERROR, "Internal server error"
            # Private to users, not to this package.
            if ws._state in _UNANSWERED:  # pyright: ignore[reportPrivateUsage]
                _log.warning(
                    "The WebSocket handler for %r raised ConnectionClosed before it accepted; "
                    "the client is rejected",
                    request.path,
                    exc_info=True,
                )
        return _NORMAL, ""

    def _route(self, request: Request) -> Route | None:
        route = find(self, request.handler_name, self._routes)
        return None if route is None or not route.fits(request) else route

    async def _answer_http(self, request: Request, send: Send) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        if self._route(request) is None:
            status = 404
            body = b"Not Found\n"
        else:
            status = 426
            body = b"This address takes WebSocket connections only: use ws:// or wss://.\n"
            # RFC 9110, section 15.5.22: 426 needs `Upgrade`, and section 7.8 with it `Connection`.
            # RFC 9113, section 8.2.2, forbids both from HTTP/2 on.
            if request.scope.get("http_version", "1.1").startswith("1"):
                headers += [(b"upgrade", b"websocket"), (b"connection", b"upgrade")]
        headers.append((b"content-length", str(len(body)).encode()))
        if request.scope.get("method") == "HEAD":
            body = b""
        try:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        except OSError:
            pass  # the client has left

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        phases = {
            "lifespan.startup": self.startup_handlers,
            "lifespan.shutdown": self.shutdown_handlers,
        }
        while True:
            phase: str = (await receive())["type"]
            if phase not in phases:
                raise RuntimeError(f"expected a lifespan event from the server, got {phase!r}")
            failures: list[str] = []
            for handler in tuple(phases[phase]):
                try:
                    await handler()
                except Exception as error:
                    name = getattr(handler, "__qualname__", repr(handler))
                    failures.append(f"{name} failed: {type(error).__name__}: {error}")
                    _log.exception("The %s handler %s failed", phase, name)
                    if phase == "lifespan.startup":
                        break
            if failures:
                await send({"type": f"{phase}.failed", "message": "; ".join(failures)})
                return
            await send({"type": f"{phase}.complete"})
            if phase == "lifespan.shutdown":
                return


def _is_closed(error: Exception) -> bool:
    """Tell whether it is `ConnectionClosed`, or a group of nothing else, from several tasks."""
    if isinstance(error, ExceptionGroup):
        # isinstance cannot tell what the group is of.
        group = cast("ExceptionGroup[Exception]", error)
        return group.split(ConnectionClosed)[1] is None
    return isinstance(error, ConnectionClosed)
