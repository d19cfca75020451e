"""Servers and frameworks take an `App`, and it takes theirs. Type-checked, never run.

An ignored error is an expected error: an unused ignore is itself an error here.
"""

from functools import partial

import uvicorn
from asgiref.typing import ASGI3Application
from hypercorn.asyncio import (
    serve as serve_on_asyncio,  # pyright: ignore[reportUnknownVariableType] - typed in part
)
from hypercorn.config import Config
from hypercorn.trio import (
    serve as serve_on_trio,  # pyright: ignore[reportUnknownVariableType] - typed in part
)
from hypercorn.typing import ASGIFramework
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from micropie import App, Request, WebSocket
from micropie.contract import ASGIApplication, Receive, Scope, Send


class Chat(App):
    async def ws_room(self, ws: WebSocket, room: str, /, *rest: str, name: str = "") -> None:
        request: Request = self.request
        await ws.accept(request.subprotocols[0], request.cookies.get("session_id"))


async def connect() -> int:
    return 1


async def echo(ws: WebSocket, prefix: str) -> None: ...


async def page(scope: Scope, receive: Receive, send: Send) -> None: ...


async def servers() -> None:
    await serve_on_asyncio(Chat(), Config())
    await serve_on_trio(Chat(), Config())
    uvicorn.run(Chat())


def frameworks(hypercorns: ASGIFramework, asgirefs: ASGI3Application, ours: ASGIApplication) -> App:
    starlettes: ASGIApp = Chat()
    hypercorns = Chat()
    asgirefs = Chat()
    ours = Chat()
    Starlette(routes=[Mount("/", app=Chat())])
    App(http=starlettes)
    App(http=hypercorns)
    App(http=asgirefs)
    App(http=ours)
    App(http=page)
    App(http=Chat(session_cookie_secure=False))
    return App(http=Starlette())


def handlers(app: App) -> None:
    app.ws_echo = partial(echo, prefix="> ")
    app.startup_handlers.append(connect)
    app.shutdown_handlers.append(connect)


def misuse(app: App) -> None:
    app.request = None  # type: ignore[assignment, misc]  # pyright: ignore
    App(page)  # type: ignore[call-arg]  # pyright: ignore
    App(http="page")  # type: ignore[arg-type]  # pyright: ignore
    app.startup_handlers.append(print)  # type: ignore[arg-type]  # pyright: ignore
