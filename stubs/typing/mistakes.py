"""What the stubs find in an application: a mistake in each line that expects an error.

Type-checked, never run. An ignored error is an expected error: an unused ignore is itself an error
here, and without the stubs every one of them is unused.
"""

from typing import Any

from micropie import (
    App,
    ConnectionClosed,
    HttpMiddleware,
    Request,
    SessionBackend,
    WebSocket,
    WebSocketMiddleware,
    WebSocketRequest,
)
from micropie import Websocket as Websocket  # type: ignore[attr-defined]


class Halfway(HttpMiddleware):
    async def before_request(self, request: Request) -> dict[str, Any] | None:
        return {"status_code": request.status}  # type: ignore[attr-defined]


class Refusing(WebSocketMiddleware):
    async def before_websocket(self, request: WebSocketRequest) -> bool:  # type: ignore[override]
        return False

    def after_websocket(self, request: WebSocketRequest) -> None: ...  # type: ignore[override]


class Timeless(SessionBackend):
    async def load(self, session_id: str) -> dict[str, Any]:
        return {}

    async def save(self, session_id: str, data: dict[str, Any]) -> None: ...  # type: ignore[override]


class Site(App):
    async def index(self) -> str:
        return self._render_template("index.html")  # type: ignore[return-value]

    async def login(self) -> str:
        return self._redirect("/")  # type: ignore[return-value]

    async def greet(self) -> str:
        return "Hello, " + self.request.query("name")  # type: ignore[operator]

    async def count(self) -> None:
        print(self.request.query("page", 1))  # type: ignore[call-overload]
        print(self.request.query_params["page"].strip())  # type: ignore[attr-defined]
        print(self.request.path_params["page"])  # type: ignore[call-overload]
        print(self.request.session.user)  # type: ignore[attr-defined]
        await self._redirect("/")  # type: ignore[misc]

    async def upload(self) -> None:
        print(self.request.files["picture"]["contents"])  # type: ignore[typeddict-item]

    async def read(self) -> int:
        print(self.request.files["picture"]["content"].read())  # type: ignore[attr-defined]
        return len(await self.request.files["picture"]["content"].get())  # type: ignore[arg-type]

    async def ws_echo(self, ws: WebSocket) -> None:
        ws.accept()  # type: ignore[unused-coroutine]
        await ws.accept("chat", session=None)  # type: ignore[call-arg]
        await ws.send_text(b"bytes")  # type: ignore[arg-type]
        await ws.send_bytes("text")  # type: ignore[arg-type]
        await ws.send_json({})  # type: ignore[attr-defined]
        await ws.send_text(await ws.receive_bytes())  # type: ignore[arg-type]
        await ws.send_text(ws.receive_text())  # type: ignore[arg-type]
        await ws.send_text(ws.session_id)  # type: ignore[arg-type]
        try:
            await ws.close("bye")  # type: ignore[arg-type]
        except ConnectionClosed as closed:
            print(closed.code)  # type: ignore[attr-defined]


async def start(app: App) -> None: ...


app = Site(timeout=5)  # type: ignore[call-arg]
app.session_timeout = "never"  # type: ignore[assignment]
app.middlewares.append(Halfway())  # type: ignore[abstract]
app.middlewares.append(Refusing())  # type: ignore[arg-type]
app.session_backend = Timeless  # type: ignore[assignment]
app.startup_handlers.append(start)  # type: ignore[arg-type]
app.env.trim_blocks = True  # type: ignore[union-attr]
