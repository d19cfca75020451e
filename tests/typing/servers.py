"""Right uses of the application: servers and frameworks take it, and it takes theirs.

Type-checked, never run: no checker may find anything here.
"""

from functools import partial

import hypercorn.asyncio
import hypercorn.trio
import uvicorn
from asgiref.typing import ASGI3Application
from granian.constants import Interfaces
from granian.server.embed import Server
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from micropie import App, Request, WebSocket
from micropie.contract import ASGIApplication, Receive, Scope, Send


class Chat(App):
    async def ws_index(self, ws: WebSocket) -> None:
        request: Request = self.request
        await ws.accept(request.subprotocols[0], request.cookies.get("session_id"))

    async def ws_room(self, ws: WebSocket, room: str, /, *rest: str, name: str = "") -> None:
        await ws.accept()
        await ws.send_text(" ".join((room, *rest, name)))


async def connect() -> int:
    return 1


async def echo(ws: WebSocket, prefix: str) -> None: ...


async def page(scope: Scope, receive: Receive, send: Send) -> None: ...


async def servers() -> None:
    await hypercorn.asyncio.serve(  # pyright: ignore[reportUnknownMemberType] - typed in part
        Chat(), Config()
    )
    await hypercorn.trio.serve(  # pyright: ignore[reportUnknownMemberType] - typed in part
        Chat(), Config()
    )
    uvicorn.run(Chat())
    await Server(Chat(), interface=Interfaces.ASGI).serve()


def frameworks(starlette: ASGIApp, hypercorns: ASGIFramework, asgirefs: ASGI3Application) -> App:
    starlettes: ASGIApp = Chat()
    theirs: ASGIFramework = Chat()
    asgiref: ASGI3Application = Chat()
    ours: ASGIApplication = Chat()
    Starlette(routes=[Mount("/", app=Chat())])
    print(starlettes, theirs, asgiref, ours)
    App(http=starlette)
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
