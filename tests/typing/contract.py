"""Right uses of the contract: what satisfies it, and helpers that ask for roles of it.

Type-checked, never run: no checker may find anything here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import assert_type

from typing_extensions import override

import micropie
from micropie.contract import (
    Acceptable,
    ASGIApplication,
    BytesReceiver,
    BytesSender,
    Closable,
    Event,
    Factory,
    Handler,
    Receive,
    Receiver,
    Scope,
    Send,
    Sender,
    TextReceiver,
    TextSender,
    WebSocketContract,
)


class Elsewhere:
    """Written without an import of ours: plain attributes, wider arguments."""

    accepted: bool = False
    session_id: str | None = None

    def __init__(self, receive: Receive, send: Send) -> None: ...

    async def accept(
        self,
        subprotocol: str | None = None,
        session_id: str | None = None,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> None: ...

    async def receive_text(self) -> str:
        return ""

    async def receive_bytes(self) -> bytes:
        return b""

    async def send_text(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes | bytearray) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Properties:
    @property
    def accepted(self) -> bool:
        return True

    @property
    def session_id(self) -> str:
        return ""

    async def accept(
        self, subprotocol: str | None = None, session_id: str | None = None
    ) -> None: ...

    async def receive_text(self) -> str:
        return ""

    async def receive_bytes(self) -> bytes:
        return b""

    async def send_text(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Counting(micropie.WebSocket):
    """A class of a user's own, derived from ours."""

    sent: int = 0

    @override
    async def send_text(self, data: str) -> None:
        await super().send_text(data)
        self.sent += 1


class Recorder:
    """Has one role alone."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def send_text(self, data: str) -> None:
        self.texts.append(data)


def factory(receive: Receive, send: Send) -> WebSocketContract:
    return Elsewhere(receive, send)


factories: list[Factory] = [micropie.WebSocket, Elsewhere, Counting, factory]


def satisfied(ours: micropie.WebSocket, theirs: Elsewhere, with_properties: Properties) -> None:
    whole: list[WebSocketContract] = [ours, theirs, with_properties]
    acceptable: list[Acceptable] = [ours, theirs, with_properties]
    receiver: list[Receiver] = [ours, theirs]
    text_receiver: list[TextReceiver] = [ours, theirs]
    bytes_receiver: list[BytesReceiver] = [ours, theirs]
    sender: list[Sender] = [ours, theirs]
    text_sender: list[TextSender] = [ours, theirs, Recorder()]
    bytes_sender: list[BytesSender] = [ours, theirs]
    closable: list[Closable] = [ours, theirs]
    print(whole, acceptable, receiver, text_receiver, bytes_receiver, sender)
    print(text_sender, bytes_sender, closable)


async def use(ws: WebSocketContract) -> None:
    assert_type(await ws.accept(), None)
    assert_type(await ws.receive_text(), str)
    assert_type(await ws.receive_bytes(), bytes)
    assert_type(ws.accepted, bool)
    assert_type(ws.session_id, str | None)
    await ws.send_text(data="")
    await ws.close(1001, reason="bye")


async def use_ours(ws: micropie.WebSocket, receive: Receive, send: Send) -> None:
    assert_type(micropie.WebSocket(receive, send), micropie.WebSocket)
    micropie.WebSocket(receive, send, session_cookie_secure=False, subprotocols=["chat"])
    await ws.accept("chat", session_id=None)
    try:
        assert_type(await ws.receive_text(), str)
        assert_type(await ws.receive_bytes(), bytes)
    except micropie.ConnectionClosed as closed:
        assert_type(closed.code, int)
        assert_type(closed.reason, str)
        raise micropie.ConnectionClosed("gone", code=closed.code, reason="") from closed
    assert_type(ws.accepted, bool)
    assert_type(ws.session_id, str | None)


async def texts(connection: TextReceiver) -> AsyncIterator[str]:
    try:
        while True:
            yield await connection.receive_text()
    except micropie.ConnectionClosed:
        return


async def copy(source: BytesReceiver, target: BytesSender) -> None:
    await target.send_bytes(await source.receive_bytes())


async def helpers(ws: micropie.WebSocket, any_other: WebSocketContract) -> None:
    async for text in texts(ws):
        assert_type(text, str)
    await copy(ws, any_other)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    event: Event = await receive()
    await send({"type": "websocket.close", "path": scope["path"], "after": event["type"]})


applications: list[ASGIApplication] = [application, micropie.App(), micropie.App(http=application)]


async def echo(ws: micropie.WebSocket) -> None: ...


async def chat(ws: micropie.WebSocket, room: str, *, name: str = "") -> None: ...


async def any_implementation(ws: WebSocketContract, room: str) -> None: ...


async def role(ws: TextSender) -> None: ...


def logged(handler: Callable[[micropie.WebSocket], Awaitable[None]]) -> Handler[micropie.WebSocket]:
    async def wrapped(ws: micropie.WebSocket) -> None:
        await handler(ws)

    return wrapped


ours: list[Handler[micropie.WebSocket]] = [echo, chat, any_implementation, role, logged(echo)]
every: list[Handler] = [any_implementation, role]
