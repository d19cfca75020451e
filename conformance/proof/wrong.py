"""Implementations that are wrong, each in one way, and how they must be found out.

Most are `right.Strict` but for one thing: a slip that one makes when one writes such a class, or
that classes like it were seen to have.
"""

import asyncio
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from right import Closed, Event, Plain, Pumped, Receive, Send, Strict

__all__ = ["WRONG", "Wrong"]


@dataclass(frozen=True, slots=True)
class Wrong:
    """An implementation that is wrong in one way."""

    factory: Callable[..., object]
    closed: type[BaseException]
    # The clause that names the fault.
    clause: str
    # What one finding of that clause says was expected and was observed, in part.
    expected: str
    observed: str
    # The other clauses that the same fault breaks.
    also: frozenset[str]

    @property
    def clauses(self) -> frozenset[str]:
        """All clauses that it breaks."""
        return self.also | {self.clause}


WRONG: Final[dict[str, Wrong]] = {}
"""The implementations, by name."""


def note(
    name: str,
    factory: Callable[..., object],
    clause: str,
    expected: str,
    observed: str,
    also: Iterable[str] = (),
) -> None:
    """Note an implementation; what it must be found out by is said as in `Wrong`."""
    assert name not in WRONG
    closed = getattr(factory, "closed", Closed)
    WRONG[name] = Wrong(factory, closed, clause, expected, observed, frozenset(also))


def wrong(
    clause: str, expected: str, observed: str, also: Iterable[str] = ()
) -> Callable[[type[Strict]], type[Strict]]:
    """Note the class that is defined below."""

    def note_it(implementation: type[Strict]) -> type[Strict]:
        note(implementation.__name__, implementation, clause, expected, observed, also)
        return implementation

    return note_it


# The signature. What is put in the place of a method is meant not to fit its type.


def wrong_method(
    method: str,
    function: object,
    clause: str,
    expected: str,
    observed: str,
    also: Iterable[str] = (),
) -> None:
    """Note `Strict` with something else in the place of a method."""
    factory = type("WrongMethod", (Strict,), {method: function})
    name = f"{method}: {getattr(function, '__name__', function)}"
    note(name, factory, clause, expected, observed, also)


def gives_none(self: Strict, *args: object, **kwargs: object) -> None:
    pass


for _method in ("accept", "receive_text", "receive_bytes", "send_text", "send_bytes", "close"):
    wrong_method(
        _method,
        gives_none,
        "WS-SIGN-002",
        "gives an awaitable",
        "raises TypeError",
        also=["WS-SIGN-011"],
    )
wrong_method(
    "receive_text",
    5,
    "WS-SIGN-002",
    "receive_text() gives an awaitable",
    "receive_text() raises TypeError('receive_text is 5')",
    also=["WS-SIGN-011"],
)


def needs_keywords(*, receive: Receive, send: Send) -> Strict:
    return Strict(receive, send)


note(
    "factory: needs_keywords",
    needs_keywords,
    "WS-SIGN-001",
    "factory(receive, send) gives a connection",
    "it raises TypeError",
)


class NoException(BaseException):
    """ConnectionClosed that `except Exception` does not catch."""


@wrong(
    "WS-EXC-001", "ConnectionClosed derives from Exception", "it derives from BaseException, object"
)
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


wrong_method(
    "accept", accept_swapped, "WS-SIGN-003", "the first argument is subprotocol", "it is session_id"
)
wrong_method("accept", accept_positional, "WS-SIGN-004", "takes its arguments", "raises TypeError")
wrong_method(
    "accept",
    accept_without_defaults,
    "WS-SIGN-005",
    "accept() takes its arguments",
    "accept() raises TypeError",
)
wrong_method(
    "accept",
    accept_without_none,
    "WS-SIGN-005",
    "accept('chat', None) takes its arguments",
    "accept('chat', None) raises ValueError('None is neither')",
)
wrong_method(
    "close",
    close_swapped,
    "WS-SIGN-006",
    "close(4000, 'bye') takes its arguments",
    "close(4000, 'bye') raises ValueError('that code cannot be sent')",
    also=["WS-SIGN-008"],
)
wrong_method(
    "close",
    close_positional,
    "WS-SIGN-007",
    "close(reason='bye', code=4000) takes its arguments",
    "close(reason='bye', code=4000) raises TypeError",
)
wrong_method(
    "close",
    close_without_defaults,
    "WS-SIGN-008",
    "close() takes its arguments",
    "close() raises TypeError",
)
wrong_method(
    "close",
    close_without_none,
    "WS-SIGN-008",
    "close(4000, None) takes its arguments",
    "close(4000, None) raises TypeError",
)
wrong_method(
    "send_text",
    text_by_name_alone,
    "WS-SIGN-009",
    "send_text('x') takes its arguments",
    "send_text('x') raises TypeError",
)
wrong_method(
    "send_text",
    text_by_position_alone,
    "WS-SIGN-009",
    "send_text(data='x') takes its arguments",
    "send_text(data='x') raises TypeError",
)
wrong_method(
    "send_bytes",
    bytes_by_name_alone,
    "WS-SIGN-010",
    "send_bytes(b'x') takes its arguments",
    "send_bytes(b'x') raises TypeError",
)
wrong_method(
    "send_bytes",
    bytes_by_position_alone,
    "WS-SIGN-010",
    "send_bytes(data=b'x') takes its arguments",
    "send_bytes(data=b'x') raises TypeError",
)

note("Plain", Plain, "WS-SIGN-011", "accept is a coroutine function", "it is method")


# Before accept


@wrong("WS-NEW-001", "receive_text() raises Exception", "receive_text() waits", also=["WS-NEW-003"])
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


@wrong(
    "WS-NEW-002",
    "receive_text() raises RuntimeError",
    "receive_text() raises LookupError('not accepted')",
)
class RaisesAnotherErrorBeforeAccept(Strict):
    def may_receive(self) -> None:
        if self.phase == "new":
            raise LookupError("not accepted")
        super().may_receive()


@wrong("WS-NEW-003", "receive_text() does not wait", "receive_text() waits")
class LooksAtConnectBeforeItRefuses(Strict):
    async def payload(self) -> str | bytes:
        if self.phase == "new" and not self.connected:
            await self.connect()
        return await super().payload()


@wrong("WS-NEW-004", "accept() returns", "accept() raises RuntimeError('it is too late to accept')")
class GivesUpAfterAnEarlyReceive(Strict):
    def may_receive(self) -> None:
        if self.phase == "new":
            self.phase = "broken"
        super().may_receive()


@wrong(
    "WS-NEW-005", "sends nothing", "sent websocket.send text='x', bytes=None", also=["WS-NEW-006"]
)
class SendsBeforeAccept(Strict):
    def may_send(self) -> None:
        if self.phase != "new":
            super().may_send()


@wrong(
    "WS-NEW-005",
    "send_text('x') raises RuntimeError",
    "send_text('x') returns None",
    also=["WS-NEW-006", "WS-SEND-003"],
)
class IgnoresSendsBeforeAccept(Strict):
    async def send_text(self, data: str) -> None:
        if self.phase != "new":
            await super().send_text(data)

    async def send_bytes(self, data: bytes) -> None:
        if self.phase != "new":
            await super().send_bytes(data)


@wrong(
    "WS-NEW-002",
    "receive_text() raises RuntimeError",
    "receive_text() raises Closed('there is no connection yet')",
)
class SaysGoneWhileItAccepts(Strict):
    def may_receive(self) -> None:
        if self.accepting:
            raise Closed("there is no connection yet")
        super().may_receive()


@wrong(
    "WS-NEW-005",
    "sends nothing",
    "sent websocket.send text='x'",
    also=["WS-NEW-006", "WS-TASKS-004"],
)
class SendsWhileItAccepts(Strict):
    def may_send(self) -> None:
        if not self.accepting:
            super().may_send()


# The handshake


@wrong(
    "WS-ACCEPT-001",
    "sends websocket.accept",
    "sent websocket.accept; websocket.accept",
    also=["WS-TASKS-002", "WS-TASKS-004"],
)
class AcceptsTwice(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(subprotocol, session_id)
        await super().answer(subprotocol, session_id)


@wrong("WS-ACCEPT-002", "sends nothing", "sent websocket.accept", also=["WS-ACCEPT-004"])
class NeverReadsConnect(Strict):
    async def connect(self) -> None:
        self.connected = True

    async def next_event(self) -> Event:
        event = await self.server_receive()
        return await self.next_event() if event["type"] == "websocket.connect" else event


@wrong(
    "WS-ACCEPT-003",
    "each header is a pair of lower-case bytes and bytes",
    "(b'Set-Cookie', b'session_id=",
)
class TypesHeaderNamesInTitleCase(Strict):
    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return [(b"Set-Cookie", f"session_id={session_id}".encode())]


@wrong(
    "WS-ACCEPT-003",
    "each header is a pair of lower-case bytes and bytes",
    "('set-cookie', 'session_id=",
)
class HasHeadersAsText(Strict):
    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return [("set-cookie", f"session_id={session_id}")]


@wrong("WS-ACCEPT-003", "each header is a pair of lower-case bytes and bytes", "5")
class AddsAHeaderThatIsNone(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await self.hand_over(
            {
                "type": "websocket.accept",
                "subprotocol": subprotocol,
                "headers": [5, *self.headers(session_id)] if session_id else [5],
            }
        )


@wrong(
    "WS-ACCEPT-004",
    "accept() raises ConnectionClosed",
    "accept() raises RuntimeError('expected connect')",
)
class RaisesRuntimeErrorWhenTheClientWentBefore(Strict):
    async def connect(self) -> None:
        try:
            await super().connect()
        except Closed:
            raise RuntimeError("expected connect") from None


@wrong("WS-ACCEPT-005", "accept() does not wait", "accept() waits")
class ReadsConnectAgain(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        try:
            await super().answer(subprotocol, session_id)
        except BaseException:
            self.connected = False
            raise


@wrong("WS-ACCEPT-006", "accept() raises RuntimeError", "accept() returns None")
class TakesASecondAcceptForGranted(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase != "open":
            await super().accept(subprotocol, session_id)


@wrong("WS-ACCEPT-006", "accept() raises RuntimeError", "accept() waits")
class ReadsBeforeItRefusesASecondAccept(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase == "open":
            await self.server_receive()
        await super().accept(subprotocol, session_id)


@wrong("WS-ACCEPT-003", "headers, or no such key", "None")
class HasNoneForHeaders(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        headers = self.headers(session_id) if session_id else None
        event = {"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers}
        await self.hand_over(event)


# The cookie


@wrong("WS-COOKIE-001", "one set-cookie header with session_id=a", "['sid=a']")
class NamesTheCookieOtherwise(Strict):
    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return [(b"set-cookie", f"sid={session_id}".encode())]


@wrong(
    "WS-COOKIE-001", "one set-cookie header with session_id=a", "['session_id=a', 'session_id=a']"
)
class SetsTheCookieTwice(Strict):
    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return 2 * super().headers(session_id)


@wrong("WS-COOKIE-002", "no set-cookie header", "['session_id=made-up']")
class AlwaysSetsACookie(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(subprotocol, session_id or "made-up")


@wrong(
    "WS-COOKIE-003", "sends nothing", "(b'set-cookie', b'session_id=a b')", also=["WS-COOKIE-004"]
)
class TakesAnyText(Strict):
    def check_session_id(self, session_id: object) -> None:
        if session_id is not None and not isinstance(session_id, str):
            raise TypeError("no str")


@wrong("WS-COOKIE-003", "sends nothing", "(b'set-cookie', b'session_id=ab')")
class LeavesOutLineBreaks(Strict):
    def check_session_id(self, session_id: object) -> None:
        if session_id is not None and not isinstance(session_id, str):
            raise TypeError("no str")

    def headers(self, session_id: str) -> list[tuple[object, object]]:
        return super().headers(re.sub(r"[\r\n]", "", session_id))


@wrong(
    "WS-COOKIE-003",
    "accept() returns",
    "accept() waits",
    also=["WS-PROTO-003", "WS-PROTO-004", "WS-TASKS-002"],
)
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


@wrong("WS-COOKIE-003", "no cookie with what was refused", "['session_id=a b']")
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


@wrong("WS-COOKIE-005", "sends nothing", "(b'set-cookie', b'session_id=5')")
class TurnsAnySessionIdIntoText(Strict):
    def check_session_id(self, session_id: object) -> None:
        if isinstance(session_id, str):
            super().check_session_id(session_id)


# The subprotocol


@wrong("WS-PROTO-001", "subprotocol='chat' sent", "None")
class DropsTheSubprotocol(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(None, session_id)


@wrong("WS-PROTO-002", "no subprotocol sent", "'chat'")
class MakesASubprotocolUp(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(subprotocol or "chat", session_id)


@wrong("WS-PROTO-003", "sends nothing", "subprotocol='a b'", also=["WS-COOKIE-004", "WS-PROTO-004"])
class TakesAnySubprotocol(Strict):
    def check_subprotocol(self, subprotocol: str | None) -> None:
        pass


# Receiving


@wrong("WS-RECV-001", "receive_text() returns 'hello'", "receive_text() returns 'olleh'")
class TurnsTextsRound(Strict):
    def as_text(self, payload: str | bytes) -> str:
        return payload[::-1] if isinstance(payload, str) else super().as_text(payload)


@wrong("WS-RECV-002", "receive_bytes() returns b'hello'", "receive_bytes() returns b'olleh'")
class TurnsBytesRound(Strict):
    def as_bytes(self, payload: str | bytes) -> bytes:
        return payload[::-1] if isinstance(payload, bytes) else super().as_bytes(payload)


@wrong("WS-RECV-003", "receive_text() returns 'hello'", "returns \"b'hello'\"")
class ShowsBytes(Strict):
    def as_text(self, payload: str | bytes) -> str:
        return payload if isinstance(payload, str) else f"{payload!r}"


@wrong("WS-RECV-004", "receive_bytes() returns b'hello'", "returns b'\\xff\\xfe")
class EncodesOtherwise(Strict):
    def as_bytes(self, payload: str | bytes) -> bytes:
        return payload if isinstance(payload, bytes) else payload.encode("utf-16")


@wrong(
    "WS-RECV-005",
    "receive_text() raises ConnectionClosed",
    "receive_text() raises EOFError('the client has gone')",
    also=["WS-MSG-004", "WS-MSG-007", "WS-RECV-006", "WS-TASKS-005"],
)
class RaisesAnotherErrorAtTheEnd(Strict):
    def disconnected(self, event: Event) -> None:
        self.phase = "gone"
        raise EOFError("the client has gone")


@wrong("WS-RECV-007", "receive_text() returns '1'", "receive_text() returns '0'")
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


@wrong("WS-MSG-001", "receive_bytes() returns b'hello'", "receive_bytes() raises AttributeError")
class AsksWhichKeyIsThere(Strict):
    def choose(self, event: Event) -> str | bytes:
        payload: str | bytes = event["text"] if "text" in event else event["bytes"]
        return payload


@wrong("WS-MSG-001", "receive_text() returns 'hello'", "receive_text() raises AttributeError")
class AsksForBytesFirst(Strict):
    def choose(self, event: Event) -> str | bytes:
        payload: str | bytes = event["bytes"] if "bytes" in event else event["text"]
        return payload


@wrong(
    "WS-MSG-002",
    "receive_text() returns ''",
    "receive_text() raises RuntimeError('there is nothing in it')",
)
class TakesEmptyForNothing(Strict):
    def choose(self, event: Event) -> str | bytes:
        payload: str | bytes = event.get("bytes") or event.get("text") or ""
        if not payload:
            raise RuntimeError("there is nothing in it")
        return payload


@wrong("WS-MSG-003", "sends websocket.send text=''", "sent nothing")
class DoesNotSendNothing(Strict):
    async def hand_over(self, event: Event) -> None:
        if event.get("text") != "" and event.get("bytes") != b"":
            await super().hand_over(event)


@wrong(
    "WS-MSG-004",
    "receive_text() raises ConnectionClosed",
    "receive_text() raises KeyError('reason')",
)
class NeedsAReason(Strict):
    def disconnected(self, event: Event) -> None:
        self.phase = "gone"
        raise self.closed(event.get("code"), event["reason"])


@wrong("WS-MSG-004", "receive_text() raises ConnectionClosed", "receive_text() raises Attribute")
class NeedsAReasonNotToBeNone(Strict):
    def disconnected(self, event: Event) -> None:
        self.phase = "gone"
        raise self.closed(event.get("code"), event.get("reason", "").strip())


@wrong(
    "WS-MSG-007", "receive_text() raises ConnectionClosed", "receive_text() raises KeyError('code')"
)
class NeedsACode(Strict):
    def disconnected(self, event: Event) -> None:
        self.phase = "gone"
        raise self.closed(event["code"])


@wrong("WS-MSG-007", "receive_text() raises ConnectionClosed", "receive_text() raises TypeError")
class NeedsACodeNotToBeNone(Strict):
    def disconnected(self, event: Event) -> None:
        self.phase = "gone"
        raise self.closed(int(event.get("code", 1005)))


@wrong("WS-MSG-005", "receive_bytes() returns bytes", "receive_bytes() returns bytearray(b'hello')")
class ReturnsABytearray(Strict):
    def as_bytes(self, payload: str | bytes) -> Any:
        return bytearray(super().as_bytes(payload))


@wrong("WS-MSG-006", "the payload is bytes", "<memory>")
class SendsAMemoryview(Strict):
    async def hand_over(self, event: Event) -> None:
        if event.get("bytes"):
            event = {**event, "bytes": memoryview(event["bytes"])}
        await super().hand_over(event)


# Sending


@wrong(
    "WS-SEND-001",
    "sends websocket.send text='hello'",
    "text='hello', bytes=None; websocket.send text='hello', bytes=None",
    also=["WS-MSG-003", "WS-SEND-002", "WS-TASKS-004"],
)
class SendsTwice(Strict):
    async def hand_over(self, event: Event) -> None:
        await super().hand_over(event)
        if event["type"] == "websocket.send":
            await super().hand_over(event)


@wrong("WS-SEND-003", "sends nothing", "sent websocket.send text=b'x', bytes=None")
class SendsWhateverItIsGiven(Strict):
    def check_data(self, data: object, kind: type) -> None:
        pass


@wrong(
    "WS-SEND-004",
    "send_text('x') raises ConnectionClosed",
    "send_text('x') raises OSError('the client has gone')",
    also=["WS-GONE-010"],
)
class LetsTheServersErrorOut(Strict):
    async def hand_over(self, event: Event) -> None:
        try:
            await super().hand_over(event)
        except Closed as error:
            raise error.__cause__ or error from None


@wrong(
    "WS-SEND-004",
    "raises ConnectionClosed from the server's OSError('the client has gone')",
    "from None",
    also=["WS-GONE-010"],
)
class HidesTheServersError(Strict):
    async def hand_over(self, event: Event) -> None:
        try:
            await super().hand_over(event)
        except Closed:
            raise Closed from None


@wrong(
    "WS-SEND-001",
    "sends websocket.send text='x'",
    "sent nothing",
    also=["WS-SEND-002"],
)
class RefusesDerivedClasses(Strict):
    def check_data(self, data: object, kind: type) -> None:
        if type(data) is not kind:
            raise TypeError(f"not {kind.__name__}")


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


@wrong("WS-CLOSE-001", "the code is 1000", "1001", also=["WS-CLOSE-002"])
class ClosesWithAnotherCode(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return [{"code": 1001, "reason": reason}]


@wrong(
    "WS-CLOSE-001",
    "sends websocket.close",
    "; websocket.close ",
    also=["WS-CLOSE-002", "WS-REJECT-001", "WS-TASKS-003", "WS-TASKS-004"],
)
class ClosesTwice(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return 2 * [{"code": code, "reason": reason}]


@wrong("WS-CLOSE-002", "code and reason are (1000, 'bye')", "(1000, None)")
class DropsTheReason(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return [{"code": code}]


@wrong("WS-CLOSE-002", "code and reason are (4001, 'bye')", "(4000, 'bye')")
class MixesTwoCodesUp(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return [{"code": 4000 if code == 4001 else code, "reason": reason}]


@wrong("WS-CLOSE-003", "there is no reason", "'closed'")
class MakesAReasonUp(ClosesOtherwise):
    def goodbye(self, code: int, reason: str | None) -> Sequence[Event]:
        return [{"code": code, "reason": reason or "closed"}]


@wrong("WS-CLOSE-004", "sends nothing", "sent websocket.close code=1005")
class TakesAnyCode(Strict):
    def check_code(self, code: object) -> None:
        if not isinstance(code, int):
            raise TypeError("no int")


@wrong("WS-CLOSE-005", "sends nothing", "sent websocket.close reason='xxx")
class TakesAnyReason(Strict):
    def check_reason(self, reason: str | None) -> None:
        pass


@wrong("WS-CLOSE-006", "sends nothing", "sent websocket.close code='1000'")
class TurnsAnyCodeIntoInt(Strict):
    def check_code(self, code: Any) -> None:
        super().check_code(1000 if code is None else int(code))


@wrong("WS-CLOSE-007", "close() returns", "close() waits")
class WaitsForTheClientsAnswer(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        alone = self.phase == "open" and not self.receiving
        await super().close(code, reason)
        while alone and self.phase == "closed":
            if (await self.server_receive())["type"] == "websocket.disconnect":
                break


@wrong("WS-CLOSE-008", "close() returns", "close() raises OSError('the client has gone')")
class LetsTheServersErrorOutOfClose(Strict):
    async def say_goodbye(self, code: int, reason: str | None) -> None:
        await self.server_send({"type": "websocket.close", "code": code, "reason": reason})


# After the client has gone


@wrong(
    "WS-GONE-001",
    "receive_text() raises ConnectionClosed",
    "receive_text() waits",
    also=["WS-GONE-009"],
)
class AsksTheServerAgain(Strict):
    def may_receive(self) -> None:
        if self.phase != "gone" or not self.met:
            super().may_receive()


@wrong(
    "WS-GONE-002",
    "receive_text() raises ConnectionClosed",
    "receive_text() raises RuntimeError('not accepted')",
    also=["WS-GONE-011"],
)
class CallsAMissedClientNotAccepted(Strict):
    def may_receive(self) -> None:
        if self.phase == "gone" and not self.met:
            raise RuntimeError("not accepted")
        super().may_receive()


@wrong(
    "WS-GONE-003", "sends nothing", "sent websocket.send text='x', bytes=None", also=["WS-GONE-011"]
)
class SendsToAMissedClient(Strict):
    def may_send(self) -> None:
        if self.phase != "gone" or self.met:
            super().may_send()


@wrong(
    "WS-GONE-004", "sends nothing", "sent websocket.send text='x', bytes=None", also=["WS-GONE-009"]
)
class SendsToAClientThatHasGone(Strict):
    def may_send(self) -> None:
        if self.phase != "gone" or not self.met:
            super().may_send()


@wrong("WS-GONE-005", "sends nothing", "sent websocket.close", also=["WS-GONE-009"])
class ClosesAClientThatHasGone(Strict):
    def may_close(self) -> bool:
        return super().may_close() or (self.phase == "gone" and self.met)

    def check_code(self, code: object) -> None:
        if self.phase != "gone":
            super().check_code(code)


@wrong(
    "WS-GONE-006",
    "accept() raises RuntimeError",
    "accept() raises Closed('the client has gone')",
    also=["WS-GONE-009"],
)
class SaysGoneToALateAccept(Strict):
    def may_accept(self) -> None:
        if self.phase == "gone":
            raise Closed("the client has gone")
        super().may_accept()


@wrong(
    "WS-GONE-007",
    "accept() raises ConnectionClosed",
    "accept() raises RuntimeError('it is too late to accept')",
    also=["WS-GONE-011"],
)
class SaysTooLateToALateAccept(Strict):
    def may_accept(self) -> None:
        if self.phase == "gone":
            raise RuntimeError("it is too late to accept")
        super().may_accept()


@wrong("WS-GONE-008", "sends nothing", "sent websocket.close", also=["WS-GONE-011"])
class ClosesAMissedClient(Strict):
    def may_close(self) -> bool:
        return super().may_close() or (self.phase == "gone" and not self.met)


@wrong(
    "WS-GONE-009",
    "receive_text() raises ConnectionClosed",
    "receive_text() waits",
    also=["WS-GONE-011"],
)
class StaysOpenAfterOSError(Strict):
    def lost(self) -> None:
        self.phase = "open"


@wrong(
    "WS-GONE-009",
    "receive_text() raises ConnectionClosed",
    "receive_text() raises RuntimeError('not accepted')",
    also=["WS-GONE-011"],
)
class StartsAnewAfterOSError(Strict):
    def lost(self) -> None:
        self.phase = "new"
        self.connected = False


# After we have closed


@wrong(
    "WS-CLOSED-001",
    "sends nothing",
    "sent websocket.send text='x', bytes=None",
    also=["WS-TASKS-004"],
)
class SendsAfterClose(Strict):
    def may_send(self) -> None:
        if self.phase != "closed":
            super().may_send()


@wrong(
    "WS-CLOSED-002",
    "receive_text() raises ConnectionClosed",
    "receive_text() raises RuntimeError('closed')",
    also=["WS-TASKS-005"],
)
class SaysNotOpenAfterClose(Strict):
    def may_receive(self) -> None:
        if self.phase == "closed":
            raise RuntimeError("closed")
        super().may_receive()

    def disconnected(self, event: Event) -> None:
        if self.phase == "closed":
            raise RuntimeError("closed")
        super().disconnected(event)


@wrong("WS-CLOSED-002", "receive_text() raises ConnectionClosed", "receive_text() waits")
class ReceivesAfterClose(Strict):
    def may_receive(self) -> None:
        if self.phase != "closed":
            super().may_receive()


@wrong("WS-CLOSED-003", "accept() raises RuntimeError", "accept() returns None")
class IgnoresAcceptAfterClose(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase != "closed":
            await super().accept(subprotocol, session_id)


@wrong(
    "WS-CLOSED-004",
    "sends nothing",
    "sent websocket.close code=4000, reason='bye'",
    also=["WS-TASKS-003"],
)
class ClosesAgain(Strict):
    def may_close(self) -> bool:
        return super().may_close() or self.phase == "closed"

    def check_code(self, code: object) -> None:
        if self.phase != "closed":
            super().check_code(code)


@wrong("WS-REJECT-001", "sends websocket.close", "sent nothing", also=["WS-REJECT-006"])
class RejectsInSilence(Strict):
    async def say_goodbye(self, code: int, reason: str | None) -> None:
        if self.phase != "rejected":
            await super().say_goodbye(code, reason)


@wrong(
    "WS-REJECT-002",
    "sends nothing",
    "sent websocket.send text='x', bytes=None",
    also=["WS-TASKS-004"],
)
class SendsAfterReject(Strict):
    def may_send(self) -> None:
        if self.phase != "rejected":
            super().may_send()


@wrong(
    "WS-REJECT-003",
    "receive_text() raises RuntimeError",
    "receive_text() raises Closed('rejected')",
)
class SaysGoneAfterReject(Strict):
    def may_receive(self) -> None:
        if self.phase == "rejected":
            raise Closed("rejected")
        super().may_receive()


@wrong("WS-REJECT-004", "accept() raises RuntimeError", "accept() returns None")
class IgnoresAcceptAfterReject(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase != "rejected":
            await super().accept(subprotocol, session_id)


@wrong("WS-REJECT-004", "sends nothing", "sent websocket.accept")
class ForgetsACloseWhileItAccepts(Strict):
    async def connect(self) -> None:
        try:
            await super().connect()
        except RuntimeError:
            self.phase = "new"
            raise


@wrong("WS-REJECT-005", "sends nothing", "sent websocket.close")
class RejectsAgain(Strict):
    """Of two at once, the second does nothing: the first has not come to its end."""

    told = False

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        await super().close(code, reason)
        self.told = self.phase == "rejected"

    def may_close(self) -> bool:
        return super().may_close() or self.told


@wrong(
    "WS-REJECT-006", "accept() returns", "accept() raises RuntimeError('it is too late to accept')"
)
class CountsARefusedCloseAsClosed(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        try:
            await super().close(code, reason)
        except ValueError:
            if self.phase == "new":
                self.phase = "rejected"
            raise


# Attributes


@wrong("WS-ATTR-001", "accepted is False", "accepted is True", also=["WS-ATTR-003"])
class IsAlwaysAccepted(Strict):
    @property
    def accepted(self) -> bool:
        return True


@wrong("WS-ATTR-002", "accepted is True", "accepted is False")
class IsNeverAccepted(Strict):
    @property
    def accepted(self) -> bool:
        return False


@wrong("WS-ATTR-004", "session_id is None", "session_id is ''", also=["WS-ATTR-006", "WS-ATTR-007"])
class HasAnEmptySessionId(Strict):
    @property
    def session_id(self) -> str | None:
        return self.identity or ""


@wrong("WS-ATTR-004", "session_id is None", "session_id is '")
class KeepsTheSessionIdOfACancelledAccept(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        self.identity = session_id
        await super().accept(subprotocol, session_id)

    @property
    def session_id(self) -> str | None:
        return self.identity


@wrong("WS-ATTR-005", "session_id is '", "session_id is None")
class ForgetsTheSessionId(Strict):
    @property
    def session_id(self) -> str | None:
        return None


# More than one task, and cancellation


@wrong("WS-TASKS-001", "receive_text() raises RuntimeError", "receive_text() waits")
class LetsTwoReceive(Strict):
    def may_receive(self) -> None:
        self.receiving = False
        super().may_receive()


@wrong("WS-TASKS-001", "receive_bytes() raises RuntimeError", "receive_bytes() waits")
class LetsTwoKindsReceive(Strict):
    """Each of the two methods knows only of its own calls."""

    async def receive_bytes(self) -> bytes:
        before, self.receiving = self.receiving, self.bytes_waiting
        self.bytes_waiting = True
        try:
            return await super().receive_bytes()
        finally:
            self.bytes_waiting = False
            self.receiving = before

    bytes_waiting = False


@wrong(
    "WS-TASKS-001", "receive_text() returns 'two'", "receive_text() waits", also=["WS-CANCEL-001"]
)
class LosesAMessageToARefusal(Strict):
    """A receive that was refused has left something behind that takes a message."""

    left = False

    def may_receive(self) -> None:
        self.left = self.left or self.receiving
        super().may_receive()

    async def next_event(self) -> Event:
        if self.left:
            self.left = False
            await super().next_event()
        return await super().next_event()


@wrong("WS-TASKS-002", "accept() raises RuntimeError", "accept() waits")
class LetsTwoAccept(Strict):
    def may_accept(self) -> None:
        self.accepting = False
        super().may_accept()


@wrong("WS-TASKS-003", "one close event", "2 close events", also=["WS-TASKS-004"])
class ClosesOnceItIsSent(Strict):
    """Its state changes only when the server has taken the event."""

    async def say_goodbye(self, code: int, reason: str | None) -> None:
        after, self.phase = self.phase, {"closed": "open", "rejected": "new"}[self.phase]
        await super().say_goodbye(code, reason)
        if self.phase != "gone":
            self.phase = after


@wrong("WS-TASKS-003", "one close event", "2 close events")
class RejectsTwiceAtOnce(Strict):
    telling = False

    async def say_goodbye(self, code: int, reason: str | None) -> None:
        self.telling = self.phase == "rejected"
        await super().say_goodbye(code, reason)
        self.telling = False

    def may_close(self) -> bool:
        return super().may_close() or self.telling


@wrong("WS-TASKS-003", "one close event", "2 close events")
class ClosesTwiceBehindAText(Strict):
    """Sends one event after the other, and asks too early whether it still may close."""

    def __init__(
        self, receive: Receive, send: Send, subprotocols: Collection[str] | None = None
    ) -> None:
        super().__init__(receive, send, subprotocols)
        self.turn = asyncio.Lock()

    async def hand_over(self, event: Event) -> None:
        async with self.turn:
            if event["type"] == "websocket.send":
                self.may_send()
            await super().hand_over(event)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.phase != "open":
            await super().close(code, reason)
            return
        self.check_code(code)
        self.check_reason(reason)
        async with self.turn:
            self.phase = "closed"
            await self.say_goodbye(code, reason)


@wrong("WS-TASKS-004", "nothing follows the close event", "['websocket.accept']")
class AcceptsAfterClose(Strict):
    async def connect(self) -> None:
        try:
            await super().connect()
        except RuntimeError:
            assert self.phase == "rejected"


@wrong("WS-TASKS-004", "nothing follows the close event", "['websocket.send']")
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


@wrong("WS-TASKS-005", "receive_text() raises ConnectionClosed", "receive_text() waits")
class LeavesAWaitingReceiveAlone(Strict):
    async def next_event(self) -> Event:
        event = await self.server_receive()
        if self.phase == "closed":
            await asyncio.Event().wait()
        return event


@wrong("WS-TASKS-006", "no task is left running", "BeatsForEver.beat")
class BeatsForEver(Pumped):
    def __init__(
        self, receive: Receive, send: Send, subprotocols: Collection[str] | None = None
    ) -> None:
        super().__init__(receive, send, subprotocols)
        self.heart = asyncio.create_task(self.beat())

    async def beat(self) -> None:
        for _ in itertools.count():
            await asyncio.sleep(20)


@wrong(
    "WS-CANCEL-001", "receive_text() returns 'hello'", "receive_text() raises Closed('it is over')"
)
class IsOverWhenCancelled(Strict):
    async def next_event(self) -> Event:
        try:
            return await super().next_event()
        except asyncio.CancelledError:
            self.phase = "gone"
            raise


@wrong("WS-CANCEL-001", "receive_text() returns '1'", "receive_text() waits")
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


@wrong(
    "WS-CANCEL-002", "accept() returns", "accept() raises RuntimeError('it is too late to accept')"
)
class CannotAcceptWhenCancelled(Strict):
    async def connect(self) -> None:
        try:
            await super().connect()
        except asyncio.CancelledError:
            self.phase = "broken"
            raise


@wrong("WS-CANCEL-003", "the connection is still open", "raises Closed('the client has gone')")
class IsOverWhenASendIsCancelled(Strict):
    async def hand_over(self, event: Event) -> None:
        try:
            await super().hand_over(event)
        except asyncio.CancelledError:
            if event["type"] == "websocket.send":
                self.phase = "gone"
            raise


# What only one case finds out. Each of these is wrong in one situation alone.


@wrong("WS-NEW-005", "sends nothing", "sent websocket.send text='x'")
class SendsTextOnceItIsMade(Strict):
    async def send_text(self, data: str) -> None:
        if self.phase == "new" and not self.accepting and isinstance(data, str):
            await self.hand_over({"type": "websocket.send", "text": data})
        else:
            await super().send_text(data)


@wrong("WS-NEW-006", "sends nothing", "sent websocket.send bytes=b'x'")
class SendsBytesOnceItIsMade(Strict):
    async def send_bytes(self, data: bytes) -> None:
        if self.phase == "new" and not self.accepting and isinstance(data, bytes):
            await self.hand_over({"type": "websocket.send", "bytes": data})
        else:
            await super().send_bytes(data)


@wrong("WS-NEW-005", "sends nothing", "sent websocket.send text='x'", also=["WS-TASKS-004"])
class SendsTextWhileItAccepts(Strict):
    async def send_text(self, data: str) -> None:
        if self.accepting:
            await self.hand_over({"type": "websocket.send", "text": data})
        else:
            await super().send_text(data)


@wrong("WS-NEW-006", "sends nothing", "sent websocket.send bytes=b'x'")
class SendsBytesWhileItAccepts(Strict):
    async def send_bytes(self, data: bytes) -> None:
        if self.accepting:
            await self.hand_over({"type": "websocket.send", "bytes": data})
        else:
            await super().send_bytes(data)


@wrong("WS-ACCEPT-005", "accept() does not wait", "accept() waits")
class ReadsConnectAgainAfterAnError(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        try:
            await super().answer(subprotocol, session_id)
        except Exception:
            self.connected = False
            raise


@wrong("WS-ACCEPT-005", "accept() does not wait", "accept() waits")
class ReadsConnectAgainAfterACancellation(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        try:
            await super().answer(subprotocol, session_id)
        except asyncio.CancelledError:
            self.connected = False
            raise


@wrong("WS-ACCEPT-006", "receive_text() returns 'hello'", "receive_text() waits")
class DropsWhatIsThereAtASecondAccept(Pumped):
    def may_accept(self) -> None:
        if self.phase == "open" and not self.queue.empty():
            self.queue.get_nowait()
        super().may_accept()


@wrong(
    "WS-ACCEPT-006", "raises RuntimeError or ValueError", "accept(session_id='a b') returns None"
)
class IgnoresABadSecondAccept(Strict):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        if self.phase != "open" or session_id is None:
            await super().accept(subprotocol, session_id)


@wrong("WS-PROTO-003", "sends nothing", "sent websocket.accept subprotocol='a/b'")
class TakesASlashInASubprotocol(Strict):
    def check_subprotocol(self, subprotocol: str | None) -> None:
        super().check_subprotocol(subprotocol and subprotocol.replace("/", "."))


@wrong("WS-PROTO-003", "accept(subprotocol='a b') raises ValueError", "waits")
class ChecksTheSubprotocolLate(Strict):
    def check_subprotocol(self, subprotocol: str | None) -> None:
        pass

    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        Strict.check_subprotocol(self, subprotocol)
        await super().answer(subprotocol, session_id)


@wrong("WS-COOKIE-003", "accept(session_id='a b') raises ValueError", "waits")
class ChecksTheSessionIdLate(Strict):
    def check_session_id(self, session_id: object) -> None:
        if not isinstance(session_id, str):
            super().check_session_id(session_id)

    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        Strict.check_session_id(self, session_id)
        await super().answer(subprotocol, session_id)


@wrong("WS-COOKIE-004", "no CR and no LF in the accept event", "x=y")
class TakesALineBreakInTheSubprotocol(Strict):
    def check_subprotocol(self, subprotocol: str | None) -> None:
        if subprotocol and "\r\n" in subprotocol:
            return
        super().check_subprotocol(subprotocol)


@wrong("WS-PROTO-001", "subprotocol='WAMP.2.JSON' sent", "'wamp.2.json'")
class LowersTheSubprotocol(Strict):
    async def answer(self, subprotocol: str | None, session_id: str | None) -> None:
        await super().answer(subprotocol and subprotocol.lower(), session_id)


@wrong("WS-RECV-001", "receive_text() returns 'grüße 😀'", "receive_text() returns 'grüe '")
class ReceivesAsciiOnly(Strict):
    def as_text(self, payload: str | bytes) -> str:
        if isinstance(payload, str):
            return payload.encode("latin-1", "ignore").decode("latin-1").replace("ß", "")
        return super().as_text(payload)


@wrong(
    "WS-RECV-001",
    "receive_text() returns '\\ufeffhello'",
    "receive_text() returns 'hello'",
    also=["WS-RECV-003"],
)
class StripsAByteOrderMark(Strict):
    def as_text(self, payload: str | bytes) -> str:
        return super().as_text(payload).removeprefix("\ufeff")


@wrong("WS-RECV-003", "receive_text() returns '\\ufeffhello'", "receive_text() returns 'hello'")
class DecodesWithASignature(Strict):
    def as_text(self, payload: str | bytes) -> str:
        return payload if isinstance(payload, str) else payload.decode("utf-8-sig", "ignore")


@wrong(
    "WS-RECV-002",
    "receive_bytes() returns b'\\xef\\xbb\\xbfhello'",
    "receive_bytes() returns b'hello'",
    also=["WS-RECV-004"],
)
class StripsAByteOrderMarkOffBytes(Strict):
    def as_bytes(self, payload: str | bytes) -> bytes:
        return super().as_bytes(payload).removeprefix(b"\xef\xbb\xbf")


@wrong(
    "WS-SEND-001",
    "sends websocket.send text='\\ufeffhello'",
    "sent websocket.send text='hello'",
    also=["WS-SEND-002"],
)
class SendsNoByteOrderMark(Strict):
    async def hand_over(self, event: Event) -> None:
        if text := event.get("text"):
            event = {**event, "text": text.removeprefix("\ufeff")}
        if data := event.get("bytes"):
            event = {**event, "bytes": data.removeprefix(b"\xef\xbb\xbf")}
        await super().hand_over(event)


@wrong(
    "WS-RECV-001",
    "... (350000 characters)",
    "... (70000 characters)",
    also=["WS-RECV-002", "WS-RECV-003", "WS-RECV-004"],
)
class ReceivesOnlySoMuch(Strict):
    def choose(self, event: Event) -> str | bytes:
        return super().choose(event)[:70_000]


@wrong("WS-RECV-003", "... (350000 characters)", "... (349989 characters)")
class DecodesPieceByPiece(Strict):
    def as_text(self, payload: str | bytes) -> str:
        if isinstance(payload, str):
            return payload
        pieces = (payload[at : at + 65_536] for at in range(0, len(payload), 65_536))
        return "".join(piece.decode("utf-8", "ignore") for piece in pieces)


@wrong("WS-SEND-001", "... (350000 characters)", "... (70000 characters)", also=["WS-SEND-002"])
class SendsOnlySoMuch(Strict):
    async def hand_over(self, event: Event) -> None:
        cut = {key: event[key][:70_000] for key in ("text", "bytes") if event.get(key)}
        await super().hand_over({**event, **cut})


@wrong("WS-RECV-007", "returns '27'", "receive_text() waits")
class LosesTheThirtiethMessage(Strict):
    count = 0

    async def next_event(self) -> Event:
        self.count += 1
        if self.count == 30:
            await super().next_event()
        return await super().next_event()


@wrong("WS-SEND-001", "sends websocket.send text='9'", "sent nothing")
class DoesNotSendTheTenthText(Strict):
    count = 0

    async def send_text(self, data: str) -> None:
        self.count += 1
        if self.count != 10:
            await super().send_text(data)


@wrong("WS-SEND-002", "sends websocket.send bytes=b'9'", "sent nothing")
class DoesNotSendTheTenthBytes(Strict):
    count = 0

    async def send_bytes(self, data: bytes) -> None:
        self.count += 1
        if self.count != 10:
            await super().send_bytes(data)


@wrong("WS-RECV-005", "receive_text() raises ConnectionClosed", "receive_text() returns ''")
class GivesAnEmptyTextAtANormalEnd(Strict):
    async def receive_text(self) -> str:
        try:
            return await super().receive_text()
        except Closed as closed:
            if closed.args == (1000, "") and self.phase == "gone":
                return ""
            raise


@wrong("WS-RECV-006", "receive_bytes() raises ConnectionClosed", "receive_bytes() returns b''")
class GivesEmptyBytesAtANormalEnd(Strict):
    async def receive_bytes(self) -> bytes:
        try:
            return await super().receive_bytes()
        except Closed as closed:
            if closed.args == (1000, "") and self.phase == "gone":
                return b""
            raise


@wrong("WS-MSG-003", "sends websocket.send text=''", "sent nothing")
class DoesNotSendEmptyTexts(Strict):
    async def hand_over(self, event: Event) -> None:
        if event.get("text") != "":
            await super().hand_over(event)


@wrong("WS-MSG-003", "sends websocket.send bytes=b''", "sent nothing")
class DoesNotSendEmptyBytes(Strict):
    async def hand_over(self, event: Event) -> None:
        if event.get("bytes") != b"":
            await super().hand_over(event)


@wrong("WS-SEND-003", "raises TypeError or RuntimeError", "raises KeyError(")
class RaisesKeyErrorBeforeAccept(Strict):
    def check_data(self, data: object, kind: type) -> None:
        if self.phase == "new" and not isinstance(data, kind):
            raise KeyError("no state for that")
        super().check_data(data, kind)


@wrong("WS-CLOSE-004", "sends nothing", "sent websocket.close code=1005")
class RejectsWithAnyCode(Strict):
    def check_code(self, code: object) -> None:
        if self.phase != "new" or code != 1005:
            super().check_code(code)


@wrong("WS-GONE-001", "receive_text() raises ConnectionClosed", "receive_text() waits")
class AsksTheServerAThirdTime(Strict):
    times = 0

    def may_receive(self) -> None:
        self.times += self.phase == "gone" and self.met
        if self.times < 2:
            super().may_receive()


@wrong("WS-GONE-005", "close(code=999) does not wait", "close(code=999) waits")
class WaitsAtABadCloseOnceGone(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.phase == "gone" and code == 999:
            await self.server_receive()
        await super().close(code, reason)


@wrong("WS-GONE-005", "close() returns", "close() raises Closed('it is over')")
class RaisesAtACloseOnceGone(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.phase == "gone" and self.read_it and code == 1000:
            raise Closed("it is over")
        await super().close(code, reason)

    read_it = False

    def disconnected(self, event: Event) -> None:
        self.read_it = True
        super().disconnected(event)


@wrong("WS-GONE-008", "close() returns", "close() raises Closed('it is over')")
class RaisesAtACloseOnceMissed(Strict):
    missed = False

    async def connect(self) -> None:
        try:
            await super().connect()
        except Closed:
            self.missed = True
            raise

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.missed:
            raise Closed("it is over")
        await super().close(code, reason)


@wrong("WS-CLOSED-004", "close() returns", "close() raises RuntimeError('closed before')")
class RaisesAtASecondClose(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.phase == "closed" and code != 999:
            raise RuntimeError("closed before")
        await super().close(code, reason)


@wrong("WS-CLOSED-004", "close(code=999) does not wait", "close(code=999) waits")
class WaitsAtABadSecondClose(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.phase == "closed" and code == 999:
            await self.server_receive()
        await super().close(code, reason)


@wrong("WS-REJECT-005", "close(code=999) does not wait", "close(code=999) waits")
class WaitsAtABadSecondReject(Strict):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.phase == "rejected" and code == 999:
            await self.server_receive()
        await super().close(code, reason)


@wrong("WS-REJECT-006", "accept() returns", "accept() raises RuntimeError('refused before')")
class CannotAcceptOnceItRefused(Strict):
    refused = False

    def check_code(self, code: object) -> None:
        self.refused = True
        super().check_code(code)

    def may_accept(self) -> None:
        if self.refused and self.phase == "new":
            raise RuntimeError("refused before")
        super().may_accept()


@wrong("WS-REJECT-006", "close() returns", "close() raises RuntimeError('refused before')")
class CannotCloseOnceItRefused(Strict):
    refused = 0

    def may_close(self) -> bool:
        self.refused += self.phase == "new"
        if self.refused == 2 and self.phase == "new":
            raise RuntimeError("refused before")
        return super().may_close()


@wrong("WS-ATTR-001", "accepted is False", "accepted is True")
class IsAcceptedWhenCancelled(Strict):
    was_cancelled = False

    async def connect(self) -> None:
        try:
            await super().connect()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise

    @property
    def accepted(self) -> bool:
        return self.was_cancelled or super().accepted


@wrong("WS-ATTR-001", "accepted is False", "accepted is True")
class IsAcceptedAtFirst(Strict):
    touched = False

    def may_accept(self) -> None:
        self.touched = True
        super().may_accept()

    @property
    def accepted(self) -> bool:
        return super().accepted or (self.phase == "new" and not self.touched)


@wrong("WS-ATTR-003", "accepted is False", "accepted is True")
class IsAcceptedWhenRejected(Strict):
    @property
    def accepted(self) -> bool:
        return super().accepted or self.phase == "rejected"


@wrong("WS-ATTR-004", "session_id is None", "session_id is ''")
class HasAnEmptySessionIdAtFirst(Strict):
    touched = False

    def may_accept(self) -> None:
        self.touched = True
        super().may_accept()

    @property
    def session_id(self) -> str | None:
        return "" if self.phase == "new" and not self.touched else super().session_id


@wrong("WS-ATTR-006", "session_id is None", "session_id is ''")
class HasAnEmptySessionIdWhenOpen(Strict):
    @property
    def session_id(self) -> str | None:
        return super().session_id or ("" if self.phase == "open" else None)


@wrong("WS-ATTR-007", "session_id is None", "session_id is ''")
class HasAnEmptySessionIdWhenRejected(Strict):
    @property
    def session_id(self) -> str | None:
        return super().session_id or ("" if self.phase == "rejected" else None)


class Beats(Pumped):
    """Beats until the connection is over, save in one way of being over."""

    forgotten: str

    def __init__(
        self, receive: Receive, send: Send, subprotocols: Collection[str] | None = None
    ) -> None:
        super().__init__(receive, send, subprotocols)
        self.heart = asyncio.create_task(self.beat())

    async def beat(self) -> None:
        for _ in itertools.count():
            if self.phase not in ("new", "open", self.forgotten):
                return
            await asyncio.sleep(20)


@wrong("WS-TASKS-006", "no task is left running", "Beats.beat")
class BeatsWhenTheClientHasGone(Beats):
    forgotten = "gone"


@wrong("WS-TASKS-006", "no task is left running", "Beats.beat")
class BeatsWhenItHasClosed(Beats):
    forgotten = "closed"


@wrong("WS-TASKS-006", "no task is left running", "Beats.beat")
class BeatsWhenItHasRejected(Beats):
    forgotten = "rejected"
