"""Servers and frameworks take an App, and it takes theirs. Type-checked, never run."""

import uvicorn
from hypercorn.asyncio import (
    serve as serve_on_asyncio,  # pyright: ignore[reportUnknownVariableType] - typed in part
)
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from micropie import App, HttpMiddleware, Request


class Admin(HttpMiddleware):
    async def before_request(self, request: Request) -> None:
        request._subapp = Starlette()

    async def after_request(
        self, request: Request, status_code: int, body: bytes, headers: list[tuple[str, str]]
    ) -> None: ...


async def serve(app: App) -> None:
    uvicorn.run(app)
    await serve_on_asyncio(app, Config())
    mounted: ASGIApp = app
    Starlette(routes=[Mount("/pie", app=app)])
    print(mounted)
