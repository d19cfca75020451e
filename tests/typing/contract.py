"""What satisfies the contract and what does not. Type-checked, never run.

An ignored error is an expected error: an unused ignore is itself an error here.
"""

from typing import assert_type

import micropie
from micropie.contract import (
    Acceptable,
    BytesReceiver,
    BytesSender,
    Closable,
    Event,
    Factory,
    Handler,
    Receive,
    Receiver,
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


class Properties(Elsewhere):
    @property
    def accepted(self) -> bool:  # type: ignore[override]  # a property where the base is writable
        return True


class LacksClose:
    async def accept(
        self, subprotocol: str | None = None, session_id: str | None = None
    ) -> None: ...


class NotAsync(Elsewhere):
    def receive_text(self) -> str:  # type: ignore[override]  # the point of the class
        return ""


class NoDefaults(Elsewhere):
    async def close(self, code: int, reason: str | None) -> None: ...  # type: ignore[override]


class WrongResult(Elsewhere):
    async def receive_bytes(self) -> str:  # type: ignore[override]  # the point of the class
        return ""


class WrongAttribute:
    accepted: str
    session_id: str | None

    async def accept(
        self, subprotocol: str | None = None, session_id: str | None = None
    ) -> None: ...


def factory(receive: Receive, send: Send) -> WebSocketContract:
    return Elsewhere(receive, send)


factories: list[Factory] = [micropie.WebSocket, Elsewhere, factory]


def satisfied(ours: micropie.WebSocket, theirs: Elsewhere, with_properties: Properties) -> None:
    whole: list[WebSocketContract] = [ours, theirs, with_properties]
    acceptable: list[Acceptable] = [ours, theirs]
    receiver: list[Receiver] = [ours, theirs]
    text_receiver: list[TextReceiver] = [ours, theirs]
    bytes_receiver: list[BytesReceiver] = [ours, theirs]
    sender: list[Sender] = [ours, theirs]
    text_sender: list[TextSender] = [ours, theirs]
    bytes_sender: list[BytesSender] = [ours, theirs]
    closable: list[Closable] = [ours, theirs]
    print(whole, acceptable, receiver, text_receiver, bytes_receiver, sender)
    print(text_sender, bytes_sender, closable)


def not_satisfied(receive: Receive, send: Send) -> None:
    lacks: WebSocketContract = LacksClose()  # type: ignore[assignment]
    not_async: TextReceiver = NotAsync(receive, send)  # type: ignore[assignment]
    no_defaults: Closable = NoDefaults(receive, send)  # type: ignore[assignment]
    wrong_result: BytesReceiver = WrongResult(receive, send)  # type: ignore[assignment]
    wrong_attribute: Acceptable = WrongAttribute()  # type: ignore[assignment]
    print(lacks, not_async, no_defaults, wrong_result, wrong_attribute)


async def use(ws: WebSocketContract, event: Event) -> None:
    assert_type(await ws.receive_text(), str)
    assert_type(await ws.receive_bytes(), bytes)
    assert_type(ws.accepted, bool)
    assert_type(ws.session_id, str | None)
    ws.accepted = True  # type: ignore[misc]  # read-only
    await ws.send_text(b"x")  # type: ignore[arg-type]
    await ws.send_bytes("x")  # type: ignore[arg-type]
    await ws.close("1000")  # type: ignore[arg-type]


async def echo(ws: micropie.WebSocket) -> None: ...


async def chat(ws: micropie.WebSocket, room: str, *, name: str = "") -> None: ...


async def any_implementation(ws: WebSocketContract, room: str) -> None: ...


def plain(ws: micropie.WebSocket) -> None: ...


ours: list[Handler[micropie.WebSocket]] = [echo, chat, any_implementation]
every: list[Handler] = [any_implementation]
refused: Handler = echo  # type: ignore[assignment]  # it takes ours alone
not_awaitable: Handler[micropie.WebSocket] = plain  # type: ignore[assignment]
