"""The cases in memory, held against implementations that are right, and many that are wrong.

Each wrong one is wrong in one way and must be found out by just the clauses that it breaks; and
each case must find out one of them at least, or it could not fail at all.
"""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Collection, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from micropie_conformance.case import MemoryCase, registered
from micropie_conformance.catalogue import Level
from micropie_conformance.probe import Target
from micropie_conformance.runner import Result, Runner, Verdict

import micropie

CASES, _ = registered()

Event = Mapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Any], Awaitable[None]]


# Right implementations


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


# Wrong implementations

WRONG: dict[str, tuple[Callable[..., object], type[BaseException], set[str]]] = {}


def wrong(*clauses: str) -> Callable[[type[Strict]], type[Strict]]:
    """Note an implementation that breaks just these clauses."""

    def note(implementation: type[Strict]) -> type[Strict]:
        assert implementation.__name__ not in WRONG
        WRONG[implementation.__name__] = (
            implementation,
            implementation.closed,
            {f"WS-{clause}" for clause in clauses},
        )
        return implementation

    return note


# The signature. What is put in the place of a method is meant not to fit its type.


def wrong_method(method: str, function: object, *clauses: str) -> None:
    name = f"{method}: {getattr(function, '__name__', function)}"
    WRONG[name] = (
        type("WrongMethod", (Strict,), {method: function}),
        Closed,
        {f"WS-{clause}" for clause in clauses},
    )


def gives_none(self: Strict, *args: object, **kwargs: object) -> None:
    pass


for _method in ("accept", "receive_text", "receive_bytes", "send_text", "send_bytes", "close"):
    wrong_method(_method, gives_none, "SIGN-002", "SIGN-011")
wrong_method("receive_text", 5, "SIGN-002", "SIGN-011")


def needs_keywords(*, receive: Receive, send: Send) -> Strict:
    return Strict(receive, send)


WRONG["factory: needs_keywords"] = (needs_keywords, Closed, {"WS-SIGN-001"})


class NoException(BaseException):
    """ConnectionClosed that `except Exception` does not catch."""


@wrong("EXC-001")
class RaisesNoException(Strict):
    closed = NoException


async def accept_swapped(
    self: Strict, session_id: str | None = None, subprotocol: str | None = None
) -> None:
    await Strict.accept(self, subprotocol, session_id)


async def accept_positional(
    self: Strict, subprotocol: str | None = None, session_id: str | None = None, /
) -> None:
    await Strict.accept(self, subprotocol, session_id)


async def accept_without_defaults(
    self: Strict, subprotocol: str | None, session_id: str | None
) -> None:
    await Strict.accept(self, subprotocol, session_id)


UNSET: Any = object()


async def accept_without_none(
    self: Strict, subprotocol: str | None = UNSET, session_id: str | None = UNSET
) -> None:
    if subprotocol is None or session_id is None:
        raise ValueError("None is neither")
    given = [None if value is UNSET else value for value in (subprotocol, session_id)]
    await Strict.accept(self, *given)


async def close_swapped(self: Strict, reason: str | None = None, code: int = 1000) -> None:
    await Strict.close(self, code, reason)


async def close_positional(self: Strict, code: int = 1000, reason: str | None = None, /) -> None:
    await Strict.close(self, code, reason)


async def close_without_defaults(self: Strict, code: int, reason: str | None) -> None:
    await Strict.close(self, code, reason)


async def close_without_none(self: Strict, code: int = 1000, reason: str | None = "") -> None:
    if reason is None:
        raise TypeError("None is no reason")
    await Strict.close(self, code, reason)


async def text_by_name_alone(self: Strict, *, data: str) -> None:
    await Strict.send_text(self, data)


async def text_by_position_alone(self: Strict, data: str, /) -> None:
    await Strict.send_text(self, data)


async def bytes_by_name_alone(self: Strict, *, data: bytes) -> None:
    await Strict.send_bytes(self, data)


async def bytes_by_position_alone(self: Strict, data: bytes, /) -> None:
    await Strict.send_bytes(self, data)


wrong_method("accept", accept_swapped, "SIGN-003")
wrong_method("accept", accept_positional, "SIGN-004")
wrong_method("accept", accept_without_defaults, "SIGN-005")
wrong_method("accept", accept_without_none, "SIGN-005")
wrong_method("close", close_swapped, "SIGN-006", "SIGN-008")
wrong_method("close", close_positional, "SIGN-007")
wrong_method("close", close_without_defaults, "SIGN-008")
wrong_method("close", close_without_none, "SIGN-008")
wrong_method("send_text", text_by_name_alone, "SIGN-009")
wrong_method("send_text", text_by_position_alone, "SIGN-009")
wrong_method("send_bytes", bytes_by_name_alone, "SIGN-010")
wrong_method("send_bytes", bytes_by_position_alone, "SIGN-010")

WRONG["Plain"] = (Plain, Closed, {"WS-SIGN-011"})


# Before accept


@wrong("NEW-001", "NEW-003")
class SkipsTheHandshakeToReceive(Strict):
    def may_receive(self) -> None:
        if self.phase != "new":
            super().may_receive()

    async def next_event(self) -> Event:
        event = await self.server_receive()
        while event["type"] == "websocket.connect":
            self.connected = True
            event = await self.server_receive()
        return event


@wrong("NEW-002")
class RaisesAnotherErrorBeforeAccept(Strict):
    def may_receive(self) -> None:
        if self.phase == "new":
            raise LookupError("not accepted")
        super().may_receive()


@wrong("NEW-003")
class LooksAtConnectBeforeItRefuses(Strict):
    async def payload(self) -> str | bytes:
        if self.phase == "new" and not self.connected:
            await self.connect()
        return await super().payload()


@wrong("NEW-004")
class GivesUpAfterAnEarlyReceive(Strict):
    def may_receive(self) -> None:
        if self.phase == "new":
            self.phase = "broken"
        super().may_receive()


@wrong("NEW-005", "NEW-006")
class SendsBeforeAccept(Strict):
    def may_send(self) -> None:
        if self.phase != "new":
            super().may_send()


@wrong("NEW-005", "NEW-006", "SEND-003")
class IgnoresSendsBeforeAccept(Strict):
    async def send_text(self, data: str) -> None:
        if self.phase != "new":
            await super().send_text(data)

    async def send_bytes(self, data: bytes) -> None:
        if self.phase != "new":
            await super().send_bytes(data)


# The handshake


@wrong("ACCEPT-001", "TASKS-002", "TASKS-004")
class AcceptsTwice(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(subprotocol, session_id)
        await super().answer(subprotocol, session_id)


@wrong("ACCEPT-002", "ACCEPT-004")
class NeverReadsConnect(Strict):
    async def connect(self) -> None:
        self.connected = True

    async def next_event(self) -> Event:
        event = await self.server_receive()
        return await self.next_event() if event["type"] == "websocket.connect" else event


@wrong("ACCEPT-003")
class TypesHeaderNamesInTitleCase(Strict):
    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return [(b"Set-Cookie", f"session_id={session_id}".encode())]


@wrong("ACCEPT-003")
class HasHeadersAsText(Strict):
    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return [("set-cookie", f"session_id={session_id}")]


@wrong("ACCEPT-003")
class AddsAHeaderThatIsNone(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await self.hand_over(
            {
                "type": "websocket.accept",
                "subprotocol": subprotocol,
                "headers": [5, *self.headers(session_id)] if session_id else [5],
            }
        )


@wrong("ACCEPT-004")
class RaisesRuntimeErrorWhenTheClientWentBefore(Strict):
    async def connect(self) -> None:
        try:
            await super().connect()
        except Closed:
            raise RuntimeError("expected connect") from None


@wrong("ACCEPT-005")
class ReadsConnectAgain(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        try:
            await super().answer(subprotocol, session_id)
        except BaseException:
            self.connected = False
            raise


@wrong("ACCEPT-006")
class TakesASecondAcceptForGranted(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase != "open":
            await super().accept(subprotocol, session_id)


@wrong("ACCEPT-006")
class ReadsBeforeItRefusesASecondAccept(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase == "open":
            await self.server_receive()
        await super().accept(subprotocol, session_id)


# The cookie


@wrong("COOKIE-001")
class NamesTheCookieOtherwise(Strict):
    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return [(b"set-cookie", f"sid={session_id}".encode())]


@wrong("COOKIE-001")
class SetsTheCookieTwice(Strict):
    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return 2 * super().headers(session_id)


@wrong("COOKIE-002")
class AlwaysSetsACookie(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(subprotocol, session_id or "made-up")


@wrong("COOKIE-003", "COOKIE-004")
class TakesAnyText(Strict):
    def check_session_id(self, session_id: object) -> None:
        if session_id is not None and not isinstance(session_id, str):
            raise TypeError("no str")


@wrong("COOKIE-003")
class LeavesOutLineBreaks(Strict):
    def check_session_id(self, session_id: object) -> None:
        if session_id is not None and not isinstance(session_id, str):
            raise TypeError("no str")

    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return super().headers(re.sub(r"[\r\n]", "", session_id))


@wrong("COOKIE-003", "PROTO-003", "PROTO-004", "TASKS-002")
class ChecksAfterConnect(Strict):
    """As an implementation does that reads the connect event first of all."""

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase == "new" and not self.accepting:
            await self.connect()
            self.connected = False
            self.check_subprotocol(subprotocol)
            self.check_session_id(session_id)
            self.connected = True
        await super().accept(subprotocol, session_id)


@wrong("COOKIE-003")
class SetsTheRefusedCookieLater(Strict):
    refused = ""

    def check_session_id(self, session_id: object) -> None:
        try:
            super().check_session_id(session_id)
        except ValueError:
            self.refused = str(session_id)
            raise

    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(subprotocol, session_id or self.refused or None)


@wrong("COOKIE-005")
class TurnsAnySessionIdIntoText(Strict):
    def check_session_id(self, session_id: object) -> None:
        if isinstance(session_id, str):
            super().check_session_id(session_id)


# The subprotocol


@wrong("PROTO-001")
class DropsTheSubprotocol(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(None, session_id)


@wrong("PROTO-002")
class MakesASubprotocolUp(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(subprotocol or "chat", session_id)


@wrong("PROTO-003", "PROTO-004", "COOKIE-004")
class TakesAnySubprotocol(Strict):
    def check_subprotocol(self, subprotocol: str | None) -> None:
        pass


# Receiving


@wrong("RECV-001")
class TurnsTextsRound(Strict):
    def as_text(self, payload: str | bytes) -> str:
        return payload[::-1] if isinstance(payload, str) else super().as_text(payload)


@wrong("RECV-002")
class TurnsBytesRound(Strict):
    def as_bytes(self, payload: str | bytes) -> bytes:
        return payload[::-1] if isinstance(payload, bytes) else super().as_bytes(payload)


@wrong("RECV-003")
class ShowsBytes(Strict):
    def as_text(self, payload: str | bytes) -> str:
        return payload if isinstance(payload, str) else f"{payload!r}"


@wrong("RECV-004")
class EncodesOtherwise(Strict):
    def as_bytes(self, payload: str | bytes) -> bytes:
        return payload if isinstance(payload, bytes) else payload.encode("utf-16")


@wrong("RECV-005", "RECV-006", "MSG-004", "TASKS-005")
class RaisesAnotherErrorAtTheEnd(Strict):
    def disconnected(self, event: Event) -> None:
        self.phase = "gone"
        raise EOFError("the client has gone")


@wrong("RECV-007")
class ReceivesTheThirdMessageTwice(Strict):
    count = 0
    again: str | bytes | None = None

    async def payload(self) -> str | bytes:
        if self.again is not None:
            payload, self.again = self.again, None
            return payload
        payload = await super().payload()
        self.count += 1
        self.again = payload if self.count == 3 else None
        return payload


@wrong("MSG-001")
class AsksWhichKeyIsThere(Strict):
    def choose(self, event: Event) -> str | bytes:
        payload: str | bytes = event["text"] if "text" in event else event["bytes"]
        return payload


@wrong("MSG-001")
class AsksForBytesFirst(Strict):
    def choose(self, event: Event) -> str | bytes:
        payload: str | bytes = event["bytes"] if "bytes" in event else event["text"]
        return payload


@wrong("MSG-002")
class TakesEmptyForNothing(Strict):
    def choose(self, event: Event) -> str | bytes:
        payload: str | bytes = event.get("bytes") or event.get("text") or ""
        if not payload:
            raise RuntimeError("there is nothing in it")
        return payload


@wrong("MSG-003")
class DoesNotSendNothing(Strict):
    async def hand_over(self, event: Event) -> None:
        if event.get("text") != "" and event.get("bytes") != b"":
            await super().hand_over(event)


@wrong("MSG-004")
class NeedsCodeAndReason(Strict):
    def disconnected(self, event: Event) -> None:
        self.phase = "gone"
        raise self.closed(event["code"], event["reason"])


@wrong("MSG-004")
class NeedsCodeAndReasonNotToBeNone(Strict):
    def disconnected(self, event: Event) -> None:
        self.phase = "gone"
        raise self.closed(int(event.get("code", 1005)), event.get("reason", "").strip())


@wrong("MSG-005")
class ReturnsABytearray(Strict):
    def as_bytes(self, payload: str | bytes) -> Any:
        return bytearray(super().as_bytes(payload))


@wrong("MSG-006")
class SendsAMemoryview(Strict):
    async def hand_over(self, event: Event) -> None:
        if event.get("bytes"):
            event = {**event, "bytes": memoryview(event["bytes"])}
        await super().hand_over(event)


# Sending


@wrong("SEND-001", "SEND-002", "MSG-003", "TASKS-004")
class SendsTwice(Strict):
    async def hand_over(self, event: Event) -> None:
        await super().hand_over(event)
        if event["type"] == "websocket.send":
            await super().hand_over(event)


@wrong("SEND-003")
class SendsWhateverItIsGiven(Strict):
    def check_data(self, data: object, kind: type) -> None:
        pass


@wrong("SEND-004", "GONE-010")
class LetsTheServersErrorOut(Strict):
    async def hand_over(self, event: Event) -> None:
        try:
            await super().hand_over(event)
        except Closed as error:
            raise error.__cause__ or error from None


@wrong("SEND-004", "GONE-010")
class HidesTheServersError(Strict):
    async def hand_over(self, event: Event) -> None:
        try:
            await super().hand_over(event)
        except Closed:
            raise Closed from None


# Closing


class ClosesOtherwise(Strict):
    """Sends another close event than it should."""

    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        raise NotImplementedError

    async def say_goodbye(self, code: int, reason: str | None) -> None:
        for event in self.goodbye(code, reason):
            try:
                await self.server_send({"type": "websocket.close", **event})
            except OSError:
                self.lost()


@wrong("CLOSE-001", "CLOSE-002")
class ClosesWithAnotherCode(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return [{"code": 1001, "reason": reason}]


@wrong("CLOSE-001", "CLOSE-002", "REJECT-001", "TASKS-003", "TASKS-004")
class ClosesTwice(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return 2 * [{"code": code, "reason": reason}]


@wrong("CLOSE-002")
class DropsTheReason(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return [{"code": code}]


@wrong("CLOSE-003")
class MakesAReasonUp(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return [{"code": code, "reason": reason or "closed"}]


@wrong("CLOSE-004")
class TakesAnyCode(Strict):
    def check_code(self, code: object) -> None:
        if not isinstance(code, int):
            raise TypeError("no int")


@wrong("CLOSE-005")
class TakesAnyReason(Strict):
    def check_reason(self, reason: str | None) -> None:
        pass


@wrong("CLOSE-006")
class TurnsAnyCodeIntoInt(Strict):
    def check_code(self, code: Any) -> None:
        super().check_code(1000 if code is None else int(code))


@wrong("CLOSE-007")
class WaitsForTheClientsAnswer(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        alone = self.phase == "open" and not self.receiving
        await super().close(code, reason)
        while alone and self.phase == "closed":
            if (await self.server_receive())["type"] == "websocket.disconnect":
                break


@wrong("CLOSE-008")
class LetsTheServersErrorOutOfClose(Strict):
    async def say_goodbye(self, code: int, reason: str | None) -> None:
        await self.server_send({"type": "websocket.close", "code": code, "reason": reason})


# After the client has gone


@wrong("GONE-001", "GONE-009")
class AsksTheServerAgain(Strict):
    def may_receive(self) -> None:
        if self.phase != "gone" or not self.met:
            super().may_receive()


@wrong("GONE-002", "GONE-011")
class CallsAMissedClientNotAccepted(Strict):
    def may_receive(self) -> None:
        if self.phase == "gone" and not self.met:
            raise RuntimeError("not accepted")
        super().may_receive()


@wrong("GONE-003", "GONE-011")
class SendsToAMissedClient(Strict):
    def may_send(self) -> None:
        if self.phase != "gone" or self.met:
            super().may_send()


@wrong("GONE-004", "GONE-009")
class SendsToAClientThatHasGone(Strict):
    def may_send(self) -> None:
        if self.phase != "gone" or not self.met:
            super().may_send()


@wrong("GONE-005", "GONE-009")
class ClosesAClientThatHasGone(Strict):
    def may_close(self) -> bool:
        return super().may_close() or (self.phase == "gone" and self.met)

    def check_code(self, code: object) -> None:
        if self.phase != "gone":
            super().check_code(code)


@wrong("GONE-006", "GONE-009")
class SaysGoneToALateAccept(Strict):
    def may_accept(self) -> None:
        if self.phase == "gone":
            raise Closed("the client has gone")
        super().may_accept()


@wrong("GONE-007", "GONE-011")
class SaysTooLateToALateAccept(Strict):
    def may_accept(self) -> None:
        if self.phase == "gone":
            raise RuntimeError("it is too late to accept")
        super().may_accept()


@wrong("GONE-008", "GONE-011")
class ClosesAMissedClient(Strict):
    def may_close(self) -> bool:
        return super().may_close() or (self.phase == "gone" and not self.met)


@wrong("GONE-009", "GONE-011")
class StaysOpenAfterOSError(Strict):
    def lost(self) -> None:
        self.phase = "open"


@wrong("GONE-009", "GONE-011")
class StartsAnewAfterOSError(Strict):
    def lost(self) -> None:
        self.phase = "new"
        self.connected = False


# After we have closed


@wrong("CLOSED-001", "TASKS-004")
class SendsAfterClose(Strict):
    def may_send(self) -> None:
        if self.phase != "closed":
            super().may_send()


@wrong("CLOSED-002", "TASKS-005")
class SaysNotOpenAfterClose(Strict):
    def may_receive(self) -> None:
        if self.phase == "closed":
            raise RuntimeError("closed")
        super().may_receive()

    def disconnected(self, event: Event) -> None:
        if self.phase == "closed":
            raise RuntimeError("closed")
        super().disconnected(event)


@wrong("CLOSED-002")
class ReceivesAfterClose(Strict):
    def may_receive(self) -> None:
        if self.phase != "closed":
            super().may_receive()


@wrong("CLOSED-003")
class IgnoresAcceptAfterClose(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase != "closed":
            await super().accept(subprotocol, session_id)


@wrong("CLOSED-004", "TASKS-003")
class ClosesAgain(Strict):
    def may_close(self) -> bool:
        return super().may_close() or self.phase == "closed"

    def check_code(self, code: object) -> None:
        if self.phase != "closed":
            super().check_code(code)


@wrong("REJECT-001", "REJECT-006")
class RejectsInSilence(Strict):
    async def say_goodbye(self, code: int, reason: str | None) -> None:
        if self.phase != "rejected":
            await super().say_goodbye(code, reason)


@wrong("REJECT-002", "TASKS-004")
class SendsAfterReject(Strict):
    def may_send(self) -> None:
        if self.phase != "rejected":
            super().may_send()


@wrong("REJECT-003")
class SaysGoneAfterReject(Strict):
    def may_receive(self) -> None:
        if self.phase == "rejected":
            raise Closed("rejected")
        super().may_receive()


@wrong("REJECT-004")
class IgnoresAcceptAfterReject(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase != "rejected":
            await super().accept(subprotocol, session_id)


@wrong("REJECT-005", "TASKS-003")
class RejectsAgain(Strict):
    def may_close(self) -> bool:
        return super().may_close() or self.phase == "rejected"

    def check_code(self, code: object) -> None:
        if self.phase != "rejected":
            super().check_code(code)


@wrong("REJECT-006")
class CountsARefusedCloseAsClosed(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        try:
            await super().close(code, reason)
        except ValueError:
            if self.phase == "new":
                self.phase = "rejected"
            raise


# Attributes


@wrong("ATTR-001", "ATTR-003")
class IsAlwaysAccepted(Strict):
    @property
    def accepted(self) -> bool:
        return True


@wrong("ATTR-002")
class IsNeverAccepted(Strict):
    @property
    def accepted(self) -> bool:
        return False


@wrong("ATTR-004", "ATTR-006", "ATTR-007")
class HasAnEmptySessionId(Strict):
    @property
    def session_id(self) -> str | None:
        return self.identity or ""


@wrong("ATTR-004")
class KeepsTheSessionIdOfACancelledAccept(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        self.identity = session_id
        await super().accept(subprotocol, session_id)

    @property
    def session_id(self) -> str | None:
        return self.identity


@wrong("ATTR-005")
class ForgetsTheSessionId(Strict):
    @property
    def session_id(self) -> str | None:
        return None


# More than one task, and cancellation


@wrong("TASKS-001")
class LetsTwoReceive(Strict):
    def may_receive(self) -> None:
        self.receiving = False
        super().may_receive()


@wrong("TASKS-002")
class LetsTwoAccept(Strict):
    def may_accept(self) -> None:
        self.accepting = False
        super().may_accept()


@wrong("TASKS-003", "TASKS-004")
class ClosesOnceItIsSent(Strict):
    """Its state changes only when the server has taken the event."""

    async def say_goodbye(self, code: int, reason: str | None) -> None:
        after, self.phase = self.phase, {"closed": "open", "rejected": "new"}[self.phase]
        await super().say_goodbye(code, reason)
        if self.phase != "gone":
            self.phase = after


@wrong("TASKS-004")
class AcceptsAfterClose(Strict):
    async def connect(self) -> None:
        try:
            await super().connect()
        except RuntimeError:
            assert self.phase == "rejected"


@wrong("TASKS-004")
class SendsWhatWasWaiting(Strict):
    """Sends one event after the other, and asks too early whether it still may."""

    def __init__(
        self, receive: Receive, send: Send, subprotocols: Collection[str] | None = None
    ) -> None:
        super().__init__(receive, send, subprotocols)
        self.turn = asyncio.Lock()

    async def hand_over(self, event: Event) -> None:
        async with self.turn:
            await super().hand_over(event)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        async with self.turn:
            await super().close(code, reason)


@wrong("TASKS-005")
class LeavesAWaitingReceiveAlone(Strict):
    async def next_event(self) -> Event:
        event = await self.server_receive()
        if self.phase == "closed":
            await asyncio.Event().wait()
        return event


@wrong("TASKS-006")
class BeatsForEver(Pumped):
    def __init__(
        self, receive: Receive, send: Send, subprotocols: Collection[str] | None = None
    ) -> None:
        super().__init__(receive, send, subprotocols)
        self.heart = asyncio.create_task(self.beat())

    async def beat(self) -> None:
        for _ in itertools.count():
            await asyncio.sleep(20)


@wrong("CANCEL-001")
class IsOverWhenCancelled(Strict):
    async def next_event(self) -> Event:
        try:
            return await super().next_event()
        except asyncio.CancelledError:
            self.phase = "gone"
            raise


@wrong("CANCEL-001")
class LosesWhatComesWithACancellation(Pumped):
    """What the pump hands to a task that is cancelled before it runs is lost."""

    waiter: "asyncio.Future[Event] | None" = None

    async def take(self) -> Event:
        if not self.queue.empty():
            return self.queue.get_nowait()
        self.waiter = asyncio.get_running_loop().create_future()
        return await self.waiter

    async def run(self) -> None:
        kind = ""
        while kind != "websocket.disconnect":
            event = await self.source()
            kind = event["type"]
            if self.waiter is not None and not self.waiter.done():
                self.waiter.set_result(event)
            else:
                self.queue.put_nowait(event)


@wrong("CANCEL-002")
class CannotAcceptWhenCancelled(Strict):
    async def connect(self) -> None:
        try:
            await super().connect()
        except asyncio.CancelledError:
            self.phase = "broken"
            raise


@wrong("CANCEL-003")
class IsOverWhenASendIsCancelled(Strict):
    async def hand_over(self, event: Event) -> None:
        try:
            await super().hand_over(event)
        except asyncio.CancelledError:
            if event["type"] == "websocket.send":
                self.phase = "gone"
            raise


# Implementations that are no good at all, and the suite must not fall over them


class Hostile:
    """Whatever is asked of it, it raises."""

    def __repr__(self) -> str:
        raise SystemExit("repr")

    def __eq__(self, other: object) -> bool:
        raise KeyboardInterrupt("eq")

    __hash__ = None  # type: ignore[assignment]  # It is not to be hashable either.

    def __bool__(self) -> bool:
        raise GeneratorExit("bool")

    @property
    def __class__(self) -> Any:
        raise SystemExit("class")

    @__class__.setter
    def __class__(self, value: Any) -> None:
        raise SystemExit("class")


class HostileMapping(dict[str, object]):
    """An event that raises when it is looked at."""

    def items(self) -> Any:
        raise KeyboardInterrupt("items")


class Everything:
    """Has whatever attribute is asked for; each call does what `act` does."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.send = send

    def __getattr__(self, name: str) -> Any:
        return self.act

    async def act(self, *args: object, **kwargs: object) -> object:
        raise NotImplementedError


class RaisesInAttributes(Everything):
    def __getattr__(self, name: str) -> Any:
        raise SystemExit(name)


class HasHostileAttributes(Everything):
    def __getattr__(self, name: str) -> Any:
        return Hostile()


class ReturnsHostileValues(Everything):
    async def act(self, *args: object, **kwargs: object) -> object:
        return Hostile()


class ReturnsHostileValuesAtOnce(Everything):
    def act(self, *args: object, **kwargs: object) -> Any:
        return Hostile()


class AcceptsAndReturnsHostileValues(Strict):
    def as_text(self, payload: str | bytes) -> Any:
        return Hostile()

    def as_bytes(self, payload: str | bytes) -> Any:
        return Hostile()

    @property
    def accepted(self) -> Any:
        return Hostile()


class SendsNoEvents(Everything):
    async def act(self, *args: object, **kwargs: object) -> object:
        await self.receive()
        for event in (5, None, Hostile(), HostileMapping(type="websocket.accept"), {Hostile: 5}):
            await self.send(event)
        return None


class SendsEndlessHeaders(Strict):
    async def hand_over(self, event: Event) -> None:
        headers = (header for header in iter(lambda: (b"x", b"y", b"z"), None))
        await self.server_send({**event, "text": Hostile(), 5: 5, "headers": headers})


class SendsStrangeHeaders(Strict):
    async def hand_over(self, event: Event) -> None:
        headers = [5, "x", (b"x", Hostile()), [Hostile(), Hostile()]]
        await self.server_send({**event, "headers": headers})


class SendsNoHeaders(Strict):
    async def hand_over(self, event: Event) -> None:
        await self.server_send({**event, "headers": 5, "type": Hostile()})


class SendsNothingOnceOpen(Strict):
    async def hand_over(self, event: Event) -> None:
        if event["type"] == "websocket.accept":
            await self.server_send(event)

    async def say_goodbye(self, code: int, reason: str | None) -> None:
        pass


class SwallowsCancellation(Strict):
    async def next_event(self) -> Event:
        while True:
            try:
                return await self.server_receive()
            except asyncio.CancelledError:
                pass


class SwallowsCancellationOfAccept(Strict):
    async def hand_over(self, event: Event) -> None:
        with suppress(asyncio.CancelledError):
            await self.server_send(event)
        await self.server_receive()


class RunsInCircles(Everything):
    async def act(self, *args: object, **kwargs: object) -> object:
        for _ in itertools.count():
            await asyncio.sleep(0)
        return None


class WaitsForItself(Everything):
    async def act(self, *args: object, **kwargs: object) -> object:
        await asyncio.Event().wait()
        return None


class NeedsALoopThatIsNotThere(Everything):
    async def act(self, *args: object, **kwargs: object) -> object:
        raise RuntimeError("no running event loop")


def raising(error: BaseException) -> type[Everything]:
    class Raises(Everything):
        async def act(self, *args: object, **kwargs: object) -> object:
            raise error

    return Raises


def raising_at_once(error: BaseException) -> Callable[..., object]:
    def factory(receive: Receive, send: Send) -> object:
        raise error

    return factory


ERRORS: list[BaseException] = [
    KeyboardInterrupt(),
    SystemExit(3),
    GeneratorExit(),
    StopIteration(5),
    StopAsyncIteration(),
    asyncio.CancelledError(),
    MemoryError(),
    RecursionError(),
]

HOPELESS: dict[str, Callable[..., object]] = {
    "a number": lambda *args: 5,
    "nothing": lambda *args: None,
    "hostile": lambda *args: Hostile(),
    "no arguments": lambda: 5,
    **{f"methods raise {error!r}": raising(error) for error in ERRORS},
    **{f"factory raises {error!r}": raising_at_once(error) for error in ERRORS},
    **{
        each.__name__: each
        for each in (
            RaisesInAttributes,
            HasHostileAttributes,
            ReturnsHostileValues,
            ReturnsHostileValuesAtOnce,
            AcceptsAndReturnsHostileValues,
            SendsNoEvents,
            SendsEndlessHeaders,
            SendsStrangeHeaders,
            SendsNoHeaders,
            SendsNothingOnceOpen,
            SwallowsCancellation,
            SwallowsCancellationOfAccept,
            RunsInCircles,
            WaitsForItself,
            NeedsALoopThatIsNotThere,
        )
    },
}


# The tests


def run_all(
    factory: Callable[..., object], closed: type[BaseException] = Closed
) -> list[tuple[MemoryCase, Result]]:
    runner = Runner(Target(factory, closed))
    results = [(case, runner.run(case)) for case in CASES]
    assert [result for _, result in results if result.verdict is Verdict.FAULT] == []
    return results


def verdicts(results: list[tuple[MemoryCase, Result]], *levels: Level) -> set[str]:
    return {result.verdict for case, result in results if case.clause.level in levels}


JUDGED = (Level.DOCUMENTED, Level.ASGI, Level.ROBUST)


@pytest.mark.parametrize(
    ("factory", "closed"),
    [(micropie.WebSocket, micropie.ConnectionClosed), (Strict, Closed), (Pumped, Closed)],
)
def test_what_is_right_passes(factory: Callable[..., object], closed: type[BaseException]) -> None:
    results = run_all(factory, closed)
    assert [result for _, result in results if result.verdict is not Verdict.PASSED] == []


@pytest.mark.parametrize("factory", [Minimal, Plain])
def test_what_is_only_conformant_breaks_robust_clauses_alone(
    factory: Callable[..., object],
) -> None:
    results = run_all(factory)
    assert verdicts(results, Level.DOCUMENTED, Level.ASGI) <= {
        Verdict.PASSED,
        Verdict.NOT_APPLICABLE,
    }
    assert Verdict.BROKEN in verdicts(results, Level.ROBUST)


def test_an_event_loop_is_made_only_for_what_needs_one() -> None:
    for factory, needs_one in ((Strict, False), (Minimal, False), (Plain, False), (Pumped, True)):
        runner = Runner(Target(factory, Closed))
        for case in CASES[:3]:
            runner.run(case)
        assert runner.looping is needs_one


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """The cases that each wrong implementation breaks."""
    return {
        name: [
            case.id for case, result in run_all(factory, closed) if result.verdict is Verdict.BROKEN
        ]
        for name, (factory, closed, _) in WRONG.items()
    }


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_by_its_clauses_alone(
    name: str, found: dict[str, list[str]]
) -> None:
    clauses = {id.split("/")[0] for id in found[name]}
    assert clauses == WRONG[name][2]


def test_every_case_can_fail(found: dict[str, list[str]]) -> None:
    broken = {id for ids in found.values() for id in ids}
    assert [case.id for case in CASES if case.id not in broken] == []


@pytest.mark.parametrize("name", HOPELESS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_hopeless_is_broken_and_does_no_harm(name: str) -> None:
    results = run_all(HOPELESS[name])
    assert Verdict.BROKEN in verdicts(results, *JUDGED)


def test_every_case_is_of_a_judged_clause() -> None:
    assert {case.clause.level for case in CASES} == set(JUDGED)
    assert all(case.text.endswith(".") and not case.live for case in CASES)
