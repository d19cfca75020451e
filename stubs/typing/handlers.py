"""An application as users of PyPI's micropie write it: nothing in it is wrong.

Type-checked, never run. Without the stubs, a strict checker refuses its import.
"""

from collections.abc import AsyncIterator
from typing import Any, assert_type

from micropie import (
    SESSION_TIMEOUT,
    App,
    ConnectionClosed,
    HttpMiddleware,
    InMemorySessionBackend,
    MultipartFileError,
    Request,
    SessionBackend,
    WebSocket,
    WebSocketMiddleware,
    WebSocketRequest,
    current_request,
)


class Logging(HttpMiddleware):
    """With the names of parameters that micropie's documentation has."""

    async def before_request(self, request: Request) -> dict[str, Any] | None:
        if request.headers.get("authorization") is None:
            return {"status_code": 401, "body": "Who are you?", "headers": [("X-Why", "no name")]}
        return None

    async def after_request(
        self, request: Request, status_code: int, body: str, headers: list[tuple[str, str]]
    ) -> None:
        headers.append(("X-Method", request.method))
        print(status_code, len(body))


class Mount(HttpMiddleware):
    """Hands requests to another application, as micropie's example does."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def before_request(self, request: Request) -> None:
        request._subapp = self.app
        request._subapp_path = request.scope["path"].removeprefix("/admin")
        request._subapp_mount_path = "admin"

    async def after_request(
        self,
        request: Request,
        status_code: int,
        response_body: object,
        extra_headers: list[tuple[str, str]],
    ) -> dict[str, Any]:
        return {"status_code": status_code}


class Names(WebSocketMiddleware):
    async def before_websocket(self, request: WebSocketRequest) -> dict[str, Any] | None:
        if "user" not in request.query_params:
            return {"code": 1008, "reason": "User name required"}
        request._ws_route_handler = "ws_chat"
        return None

    async def after_websocket(self, request: WebSocketRequest) -> None:
        print("left:", request.query("user"))


class Forgetful(SessionBackend):
    async def load(self, session_id: str) -> dict[str, Any]:
        return {}

    async def save(self, session_id: str, data: dict[str, Any], timeout: int) -> None:
        print(session_id, data, timeout)


class Site(App):
    async def index(self) -> str:
        visits = self.request.session.get("visits", 0) + 1
        self.request.session["visits"] = visits
        return await self._render_template("index.html", visits=visits)

    async def greet(self, name: str = "you") -> tuple[int, str]:
        return 200, f"Hello, {self.request.query('name', name).title()}"

    def login(self) -> tuple[int, str, list[tuple[str, str]]]:
        self.request.regenerate_session()
        return self._redirect("/", extra_headers=[("X-Seen", "yes")])

    async def upload(self) -> str:
        file = self.request.files["picture"]
        size = 0
        try:
            while (chunk := await file["content"].get()) is not None:
                size += len(chunk)
        except MultipartFileError as error:
            return f"{file['filename']} was cut short: {error.cause}"
        return f"{file['content_type']}: {size}"

    async def stream(self) -> AsyncIterator[str]:
        yield self.request.form("text", "")

    async def ws_echo(self, ws: WebSocket, room: str = "hall") -> None:
        await ws.accept(subprotocol="chat", session_id=ws.session_id)
        try:
            while ws.accepted:
                text = await ws.receive_text()
                await ws.send_text(f"{room}: {text.strip()}")
                await ws.send_bytes(await ws.receive_bytes())
        except ConnectionClosed:
            await ws.close(code=1001, reason="gone")


async def start() -> None:
    print("started")


async def greeted() -> None:
    """As micropie's documentation tests a handler."""
    site = Site(session_id_factory=lambda: "1", session_id_validator=str.strip)
    token = current_request.set(Request({"type": "http", "method": "GET", "path": "/"}))
    try:
        assert_type(await site.greet(), tuple[int, str])
    finally:
        current_request.reset(token)


async def forgotten(backend: InMemorySessionBackend, session_id: str) -> None:
    await backend.save(session_id, {}, SESSION_TIMEOUT)
    assert_type(await backend.load(session_id), dict[str, Any])
    assert_type(backend.sessions, dict[str, dict[str, Any]])


app = Site(Forgetful(), body_timeout=None, session_timeout=60, session_id_validator=None)
app.middlewares += [Logging(), Mount(Site(InMemorySessionBackend()))]
app.ws_middlewares.append(Names())
app.startup_handlers.append(start)
if app.env is not None:
    app.env.trim_blocks = True

assert_type(app.request, Request)
assert_type(current_request.get(), Request)
assert_type(app.request.query("a"), str | None)
assert_type(app.request.query("a", "b"), str)
assert_type(app.request.form("a"), str | None)
assert_type(app.request.json("a", 1), Any)  # the client decides
assert_type(app.request.path_params, list[str])
