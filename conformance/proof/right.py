"""Implementations that are right, each in another style, and the level that they hold to.

The suite must let each of them pass, or it asks for more than the contract does.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Generator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from micropie_conformance.catalogue import Level

import micropie

__all__ = [
    "REFERENCE",
    "RIGHT",
    "Closed",
    "Event",
    "Minimal",
    "Plain",
    "Pumped",
    "Receive",
    "Right",
    "Send",
    "Strict",
]

Event = Mapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Any], Awaitable[None]]


class Closed(ConnectionError):
    """ConnectionClosed of another family than the reference's."""


class Strict:
    """Every judged clause, and wherever there is a choice another one than the reference's."""

    closed: ClassVar[type[BaseException]] = Closed

    def __init__(
        self, receive: Receive, send: Send, subprotocols: Collection[str] | None = None
    ) -> None:
        self.server_receive = receive
        self.server_send = send
        self.offered = subprotocols
        self.phase = "new"
        self.connected = False
        self.met = False
        self.accepting = False
        self.receiving = False
        self.identity: str | None = None

    @property
    def accepted(self) -> bool:
        return self.phase == "open"

    @property
    def session_id(self) -> str | None:
        return self.identity if self.phase == "open" else None

    # The handshake

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        self.may_accept()
        self.check_subprotocol(subprotocol)
        self.check_session_id(session_id)
        self.accepting = True
        try:
            await self.connect()
            await self.answer(subprotocol, session_id)
        finally:
            self.accepting = False
        self.phase = "open" if self.phase == "new" else self.phase
        self.met = True
        self.identity = session_id

    def may_accept(self) -> None:
        if self.phase == "gone" and not self.met:
            raise self.closed("the client went before it was accepted")
        if self.phase != "new" or self.accepting:
            raise RuntimeError("it is too late to accept")

    async def connect(self) -> None:
        if not self.connected:
            event = await self.server_receive()
            if event["type"] == "websocket.disconnect":
                self.phase = "gone"
                raise self.closed("the client went before it was accepted")
            self.connected = True
        if self.phase != "new":
            raise RuntimeError("closed in the meantime")

    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        event: dict[str, object] = {"type": "websocket.accept"}
        if subprotocol is not None:
            event["subprotocol"] = subprotocol
        if session_id is not None:
            event["headers"] = (iter(header) for header in self.headers(session_id))
        await self.hand_over(event)

    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return [(b"x-answer", b"42"), (b"set-cookie", f"session_id={session_id}".encode())]

    def check_session_id(self, session_id: object) -> None:
        if session_id is not None and not (
            isinstance(session_id, str)
            and re.fullmatch(r'[^\x00-\x20\x7f-\U0010ffff",;\\]+', session_id)
        ):
            raise ValueError("no cookie can carry that session_id")

    def check_subprotocol(self, subprotocol: str | None) -> None:
        if subprotocol is not None:
            if not re.fullmatch(r"[\w!#$%&'*+\-.^`|~]+", subprotocol, re.ASCII):
                raise ValueError("the subprotocol is no token")
            if self.offered is not None and subprotocol not in self.offered:
                raise ValueError("the subprotocol was not offered")

    # Messages

    async def receive_text(self) -> str:
        return self.as_text(await self.payload())

    async def receive_bytes(self) -> bytes:
        return self.as_bytes(await self.payload())

    def as_text(self, payload: str | bytes) -> str:
        return payload if isinstance(payload, str) else payload.decode("utf-8", "ignore")

    def as_bytes(self, payload: str | bytes) -> bytes:
        return payload if isinstance(payload, bytes) else payload.encode()

    async def payload(self) -> str | bytes:
        self.may_receive()
        self.receiving = True
        try:
            event = await self.next_event()
        finally:
            self.receiving = False
        if event["type"] == "websocket.disconnect":
            self.disconnected(event)
        return self.choose(event)

    def may_receive(self) -> None:
        if self.phase in ("gone", "closed"):
            raise self.closed("it is over")
        if self.phase != "open":
            raise RuntimeError("not accepted")
        if self.receiving:
            raise RuntimeError("another task receives")

    async def next_event(self) -> Event:
        return await self.server_receive()

    def disconnected(self, event: Event) -> None:
        self.phase = "gone" if self.phase == "open" else self.phase
        raise self.closed(event.get("code"), event.get("reason"))

    def choose(self, event: Event) -> str | bytes:
        payload: str | bytes = event["bytes"] if event.get("bytes") is not None else event["text"]
        return payload

    async def send_text(self, data: str) -> None:
        self.check_data(data, str)
        self.may_send()
        await self.hand_over({"type": "websocket.send", "text": data, "bytes": None})

    async def send_bytes(self, data: bytes) -> None:
        self.check_data(data, bytes)
        self.may_send()
        await self.hand_over({"type": "websocket.send", "text": None, "bytes": data})

    def check_data(self, data: object, kind: type) -> None:
        if not isinstance(data, kind):
            raise TypeError(f"not {kind.__name__}")

    def may_send(self) -> None:
        if self.phase == "gone" and self.met:
            raise self.closed("the client has gone")
        if self.phase != "open":
            raise RuntimeError("not open")

    async def hand_over(self, event: Event) -> None:
        try:
            await self.server_send(event)
        except OSError as error:
            self.lost()
            raise self.closed("the client has gone") from error

    def lost(self) -> None:
        self.met = self.phase != "new"
        self.phase = "gone"

    # The end

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if not self.may_close():
            return
        self.check_code(code)
        self.check_reason(reason)
        if self.phase == "new" and not self.connected and not self.accepting:
            self.connected = (await self.server_receive())["type"] == "websocket.connect"
        self.phase = "rejected" if self.phase == "new" else "closed"
        await self.say_goodbye(code, reason)

    def may_close(self) -> bool:
        return self.phase in ("new", "open")

    def check_code(self, code: object) -> None:
        if type(code) is not int or not (
            1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
        ):
            raise ValueError("that code cannot be sent")

    def check_reason(self, reason: str | None) -> None:
        if len((reason or "").encode()) > 123:
            raise ValueError("that reason is too long")

    async def say_goodbye(self, code: int, reason: str | None) -> None:
        event: dict[str, object] = {"type": "websocket.close"}
        if code != 1000:
            event["code"] = code
        if reason:
            event["reason"] = reason
        try:
            await self.server_send(event)
        except OSError:
            self.lost()


class Minimal:
    """What is documented and what ASGI asks for, and nothing more."""

    closed = Closed

    def __init__(self, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.send = send
        self.accepted = False
        self.session_id: str | None = None
        self.gone = False
        self.over = False

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if (await self.receive())["type"] == "websocket.disconnect":
            self.gone = True
            raise EOFError("the client went before it was accepted")
        headers = []
        if session_id is not None:
            headers = [(b"set-cookie", f"session_id={session_id}; Path=/".encode())]
        await self.send(
            {"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers}
        )
        self.accepted = True
        self.session_id = session_id

    async def event(self) -> Event:
        if self.gone:
            raise Closed
        if not self.accepted:
            raise LookupError("not accepted")
        event = await self.receive()
        if event["type"] == "websocket.disconnect":
            self.gone = True
            raise Closed
        return event

    async def receive_text(self) -> str:
        event = await self.event()
        text: str | None = event.get("text")
        return event["bytes"].decode(errors="ignore") if text is None else text

    async def receive_bytes(self) -> bytes:
        event = await self.event()
        data: bytes | None = event.get("bytes")
        return event["text"].encode() if data is None else data

    async def send_text(self, data: str) -> None:
        if not self.accepted or self.over:
            raise RuntimeError("not accepted")
        await self.send({"type": "websocket.send", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        if not self.accepted or self.over:
            raise RuntimeError("not accepted")
        await self.send({"type": "websocket.send", "bytes": data})

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        await self.send({"type": "websocket.close", "code": code, "reason": reason})
        self.over = True


class Pumped(Strict):
    """Reads ahead: a task of its own moves the server's events into a queue."""

    def __init__(
        self, receive: Receive, send: Send, subprotocols: Collection[str] | None = None
    ) -> None:
        super().__init__(self.take, send, subprotocols)
        self.source = receive
        self.queue: asyncio.Queue[Event] = asyncio.Queue()
        self.pump = asyncio.create_task(self.run())

    async def take(self) -> Event:
        return await self.queue.get()

    async def run(self) -> None:
        kind = ""
        while kind != "websocket.disconnect":
            event = await self.source()
            kind = event["type"]
            self.queue.put_nowait(event)


class Awaited:
    """Something that can be awaited and is no coroutine."""

    def __init__(self, inner: Awaitable[Any]) -> None:
        self.inner = inner

    def __await__(self) -> Generator[Any, None, Any]:
        return self.inner.__await__()


class Plain:
    """No method is a coroutine function, and what they return are no coroutines."""

    closed = Closed

    def __init__(
        self, receive: Receive, send: Send, subprotocols: Collection[str] | None = None
    ) -> None:
        self.inner = Strict(receive, send, subprotocols)

    @property
    def accepted(self) -> bool:
        return self.inner.accepted

    @property
    def session_id(self) -> str | None:
        return self.inner.session_id

    def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> Awaited:
        return Awaited(self.inner.accept(subprotocol, session_id))

    def receive_text(self) -> Awaited:
        return Awaited(self.inner.receive_text())

    def receive_bytes(self) -> Awaited:
        return Awaited(self.inner.receive_bytes())

    def send_text(self, data: str) -> Awaited:
        return Awaited(self.inner.send_text(data))

    def send_bytes(self, data: bytes) -> Awaited:
        return Awaited(self.inner.send_bytes(data))

    def close(self, code: int = 1000, reason: str | None = None) -> Awaited:
        return Awaited(self.inner.close(code, reason))


@dataclass(frozen=True, slots=True)
class Right:
    """An implementation that is right."""

    factory: Callable[..., object]
    closed: type[BaseException]
    # It holds each clause of this level and of those below.
    level: Level
    # Whether it needs an event loop.
    looping: bool = False


REFERENCE: Final = "micropie.WebSocket"
"""The name of the implementation that the mutants are made of."""

RIGHT: Final = {
    REFERENCE: Right(micropie.WebSocket, micropie.ConnectionClosed, Level.ROBUST),
    "Strict": Right(Strict, Closed, Level.ROBUST),
    "Pumped": Right(Pumped, Closed, Level.ROBUST, looping=True),
    # It breaks WS-SIGN-011, which is robust.
    "Plain": Right(Plain, Closed, Level.ASGI),
    "Minimal": Right(Minimal, Closed, Level.ASGI),
}
"""The implementations, by name."""
