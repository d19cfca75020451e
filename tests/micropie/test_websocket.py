"""`micropie.WebSocket`, stepped by hand in every state, and run on three event loops."""

import asyncio
from collections.abc import Callable, Coroutine
from types import coroutine
from typing import Any, TypeAlias

import pytest
import trio
import uvloop

from micropie import ConnectionClosed, WebSocket
from micropie._state import REFUSALS, Call, Refusal, State
from micropie.contract import Event

CONNECT: Event = {"type": "websocket.connect"}
ACCEPT: Event = {"type": "websocket.accept", "subprotocol": None, "headers": []}
CLOSE: Event = {"type": "websocket.close", "code": 1000, "reason": ""}
BLOCKED = object()

Outcome: TypeAlias = object


@coroutine
def _pause() -> Any:
    yield


class Server:
    """The server's side: events to be read, events that were sent."""

    def __init__(self, *events: Event) -> None:
        self.events = list(events)
        self.sent: list[Event] = []
        self.send_error: BaseException | None = None
        self.receive_error: BaseException | None = None
        self.holds_sends = False

    async def receive(self) -> Event:
        if self.receive_error is not None:
            raise self.receive_error
        while not self.events:
            await _pause()
        return self.events.pop(0)

    async def send(self, event: Event) -> None:
        if self.send_error is not None:
            raise self.send_error
        self.sent.append(event)
        while self.holds_sends:
            await _pause()


class Running:
    """A call under way."""

    def __init__(self, call: Coroutine[Any, Any, object]) -> None:
        self.call = call
        self.outcome: Outcome = BLOCKED
        self.resume()

    def resume(self, error: BaseException | None = None) -> Outcome:
        try:
            if error is None:
                self.call.send(None)
            else:
                self.call.throw(error)
        except StopIteration as done:
            self.outcome = done.value
        except BaseException as raised:
            self.outcome = raised
        return self.outcome

    def cancel(self) -> Outcome:
        return self.resume(asyncio.CancelledError())


def run(call: Coroutine[Any, Any, object]) -> Outcome:
    """Run a call to its end, or to where it blocks (and drop it there)."""
    running = Running(call)
    running.call.close()
    return running.outcome


def opened(*events: Event, **options: Any) -> tuple[WebSocket, Server]:
    server = Server(CONNECT, *events)
    ws = WebSocket(server.receive, server.send, **options)
    assert run(ws.accept()) is None
    server.sent.clear()
    return ws, server


def in_new() -> tuple[WebSocket, Server]:
    server = Server(CONNECT)
    return WebSocket(server.receive, server.send), server


def in_accepting() -> tuple[WebSocket, Server]:
    server = Server()
    ws = WebSocket(server.receive, server.send)
    keep.append(Running(ws.accept()))
    return ws, server


def in_connecting() -> tuple[WebSocket, Server]:
    ws, server = in_new()
    server.send_error = ValueError("not now")
    assert run(ws.accept()) is server.send_error
    server.send_error = None
    return ws, server


def in_answering() -> tuple[WebSocket, Server]:
    ws, server = in_new()
    server.holds_sends = True
    keep.append(Running(ws.accept()))
    server.sent.clear()
    server.holds_sends = False
    return ws, server


def in_gone() -> tuple[WebSocket, Server]:
    ws, server = opened({"type": "websocket.disconnect", "code": 1001, "reason": "bye"})
    assert isinstance(run(ws.receive_text()), ConnectionClosed)
    return ws, server


def in_abandoned() -> tuple[WebSocket, Server]:
    server = Server({"type": "websocket.disconnect", "code": 1006})
    ws = WebSocket(server.receive, server.send)
    assert isinstance(run(ws.accept()), ConnectionClosed)
    return ws, server


def in_closed() -> tuple[WebSocket, Server]:
    ws, server = opened()
    assert run(ws.close(4000, "done")) is None
    server.sent.clear()
    return ws, server


def in_rejected() -> tuple[WebSocket, Server]:
    ws, server = in_new()
    assert run(ws.close()) is None
    server.sent.clear()
    return ws, server


STATES: dict[State, Callable[[], tuple[WebSocket, Server]]] = {
    State.NEW: in_new,
    State.ACCEPTING: in_accepting,
    State.CONNECTING: in_connecting,
    State.ANSWERING: in_answering,
    State.OPEN: opened,
    State.GONE: in_gone,
    State.ABANDONED: in_abandoned,
    State.CLOSED: in_closed,
    State.REJECTED: in_rejected,
}
CALLS: dict[str, tuple[Call, Callable[[WebSocket], Coroutine[Any, Any, object]]]] = {
    "accept": (Call.ACCEPT, lambda ws: ws.accept()),
    "receive_text": (Call.RECEIVE, lambda ws: ws.receive_text()),
    "receive_bytes": (Call.RECEIVE, lambda ws: ws.receive_bytes()),
    "send_text": (Call.SEND, lambda ws: ws.send_text("x")),
    "send_bytes": (Call.SEND, lambda ws: ws.send_bytes(b"x")),
    "close": (Call.CLOSE, lambda ws: ws.close()),
}
# Calls that a state holds suspended; they are closed after the test.
keep: list[Running] = []


@pytest.fixture(autouse=True)
def _close_what_waits() -> Any:
    yield
    for running in keep:
        running.call.close()
    keep.clear()


def state_of(ws: WebSocket) -> str:
    return repr(ws).removeprefix("<WebSocket ").removesuffix(">")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("call", CALLS)
def test_each_call_in_each_state(state: State, call: str) -> None:
    ws, server = STATES[state]()
    # What the message path asks instead of the table says the same as the state.
    over = ws._over  # pyright: ignore[reportPrivateUsage]
    assert (over is None) == (state is State.OPEN)
    server.events.append({"type": "websocket.receive", "text": "next"})
    events = list(server.events)
    assert state_of(ws) == state.name
    kind, function = CALLS[call]

    outcome = run(function(ws))

    refusal = REFUSALS.get((state, kind))
    if refusal is None:
        # What is allowed does something: it sends, or it gives the message.
        assert not isinstance(outcome, BaseException)
        assert server.sent or outcome in ("next", b"next")
        return
    # An illegal call raises and changes nothing.
    assert (state_of(ws), server.sent, server.events) == (state.name, [], events)
    match refusal[0]:
        case Refusal.MISUSE:
            assert type(outcome) is RuntimeError
            assert str(outcome) == refusal[1]
        case Refusal.OVER:
            assert isinstance(outcome, ConnectionClosed)
            assert str(outcome) == refusal[1]
        case Refusal.DONE:
            assert outcome is None


ATTRIBUTES = {
    State.NEW: False,
    State.CONNECTING: False,
    State.OPEN: True,
    State.GONE: True,
    State.ABANDONED: False,
    State.CLOSED: False,
    State.REJECTED: False,
}


@pytest.mark.parametrize(("state", "accepted"), ATTRIBUTES.items())
def test_accepted(state: State, accepted: bool) -> None:
    ws, _ = STATES[state]()
    assert ws.accepted is accepted
    assert ws.session_id is None


def test_the_attributes_are_read_only_and_there_are_no_others() -> None:
    ws, _ = opened()
    for name in ("accepted", "session_id", "anything"):
        with pytest.raises(AttributeError):
            setattr(ws, name, True)


# The handshake


def test_accept_reads_connect_and_answers() -> None:
    ws, server = in_new()
    assert run(ws.accept("chat", "abc-123")) is None
    assert server.sent == [
        {
            "type": "websocket.accept",
            "subprotocol": "chat",
            "headers": [
                (b"set-cookie", b"session_id=abc-123; Path=/; HttpOnly; SameSite=Lax; Secure")
            ],
        }
    ]
    assert (ws.session_id, ws.accepted, server.events) == ("abc-123", True, [])


def test_session_cookie_over_plain_http() -> None:
    server = Server(CONNECT)
    ws = WebSocket(server.receive, server.send, session_cookie_secure=False)
    assert run(ws.accept(session_id="s")) is None
    assert server.sent[0]["headers"] == [
        (b"set-cookie", b"session_id=s; Path=/; HttpOnly; SameSite=Lax")
    ]


BAD_ACCEPTS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "empty subprotocol": ({"subprotocol": ""}, ValueError, "'' is not an HTTP token"),
    "space in subprotocol": ({"subprotocol": "a b"}, ValueError, "'a b' is not an HTTP token"),
    "line break": ({"subprotocol": "a\r\nX: y"}, ValueError, "is not an HTTP token"),
    "trailing line break": ({"subprotocol": "a\n"}, ValueError, "is not an HTTP token"),
    "subprotocol of no str": ({"subprotocol": b"a"}, TypeError, "must be a str, got bytes"),
    "not offered": ({"subprotocol": "v3"}, ValueError, "offers 'v1', 'v2'"),
    "empty session": ({"session_id": ""}, ValueError, "'' cannot be the value of a cookie"),
    "session with break": ({"session_id": "a\r\nX: y"}, ValueError, "cannot be the value"),
    "session ends in break": ({"session_id": "a\n"}, ValueError, "cannot be the value"),
    "session with space": ({"session_id": "a b"}, ValueError, "cannot be the value"),
    "session with quote": ({"session_id": 'a"b'}, ValueError, "cannot be the value"),
    "session with comma": ({"session_id": "a,b"}, ValueError, "cannot be the value"),
    "session with semicolon": ({"session_id": "a;b"}, ValueError, "cannot be the value"),
    "session with backslash": ({"session_id": "a\\b"}, ValueError, "cannot be the value"),
    "session not ASCII": ({"session_id": "ä"}, ValueError, "cannot be the value"),
    "session of no str": ({"session_id": 5}, TypeError, "must be a str, got int"),
}


@pytest.mark.parametrize("name", BAD_ACCEPTS)
def test_bad_arguments_of_accept_lose_nothing(name: str) -> None:
    arguments, error, words = BAD_ACCEPTS[name]
    server = Server(CONNECT)
    ws = WebSocket(server.receive, server.send, subprotocols=["v1", "v2"])
    outcome = run(ws.accept(**arguments))
    assert type(outcome) is error
    assert words in str(outcome)
    assert (server.events, server.sent, state_of(ws)) == ([CONNECT], [], "NEW")
    assert run(ws.accept("v2", "good")) is None
    assert (ws.session_id, server.sent[0]["subprotocol"]) == ("good", "v2")


def test_an_empty_offer_takes_no_subprotocol() -> None:
    server = Server(CONNECT)
    ws = WebSocket(server.receive, server.send, subprotocols=[])
    assert "which offers none" in str(run(ws.accept("v1")))


def test_an_offer_that_is_one_string_is_refused() -> None:
    server = Server()
    with pytest.raises(TypeError, match="collection of str, got 'v1'"):
        WebSocket(server.receive, server.send, subprotocols="v1")


def test_another_first_event_is_named_and_accept_can_be_called_again() -> None:
    server = Server({"type": "websocket.receive", "text": "x"}, {"type": "lifespan"}, CONNECT)
    ws = WebSocket(server.receive, server.send)
    outcomes = [run(ws.accept()) for _ in range(3)]
    assert [str(outcome) for outcome in outcomes] == [
        "expected websocket.connect from the server, got 'websocket.receive'",
        "expected websocket.connect from the server, got 'lifespan'",
        "None",
    ]


def test_cancelled_accept_leaves_the_connection_acceptable() -> None:
    server = Server()
    ws = WebSocket(server.receive, server.send)
    assert isinstance(Running(ws.accept()).cancel(), asyncio.CancelledError)
    server.events.append(CONNECT)
    assert run(ws.accept()) is None
    assert server.sent == [ACCEPT]


def test_accept_cancelled_while_it_is_sent_counts_as_sent() -> None:
    ws, server = in_new()
    server.holds_sends = True
    assert isinstance(Running(ws.accept(session_id="s")).cancel(), asyncio.CancelledError)
    assert (ws.accepted, ws.session_id) == (True, "s")
    assert isinstance(run(ws.accept()), RuntimeError)
    assert len(server.sent) == 1


def test_accept_that_the_server_refuses_can_be_repeated_without_a_second_connect() -> None:
    ws, server = in_connecting()
    assert (ws.accepted, server.events) == (False, [])
    assert run(ws.accept()) is None
    assert server.sent == [ACCEPT]


@pytest.mark.parametrize("side", ["receive", "send"])
def test_accept_when_the_server_raises_oserror(side: str) -> None:
    ws, server = in_new()
    error = OSError("gone")
    setattr(server, f"{side}_error", error)
    outcome = run(ws.accept(session_id="s"))
    assert isinstance(outcome, ConnectionClosed)
    assert (outcome.__cause__, outcome.code, outcome.reason) == (error, 1006, "")
    assert (ws.accepted, ws.session_id, state_of(ws)) == (False, None, "ABANDONED")


@pytest.mark.parametrize("event", [CONNECT, {"type": "websocket.disconnect"}])
def test_close_while_accept_waits_for_connect(event: Event) -> None:
    server = Server()
    ws = WebSocket(server.receive, server.send)
    accept = Running(ws.accept())
    assert run(ws.close()) is None
    server.events.append(event)
    outcome = accept.resume()
    assert type(outcome) is RuntimeError
    assert str(outcome) == "accept(): close() was called meanwhile"
    assert (server.sent, state_of(ws)) == ([CLOSE], "REJECTED")


def test_close_while_accept_is_sent() -> None:
    ws, server = in_new()
    server.holds_sends = True
    accept = Running(ws.accept(session_id="s"))
    server.holds_sends = False
    assert run(ws.close()) is None
    outcome = accept.resume()
    assert type(outcome) is RuntimeError
    assert server.sent[-1] == CLOSE
    assert (ws.session_id, ws.accepted) == (None, False)


# Messages


MESSAGES: dict[str, tuple[dict[str, object], str, bytes]] = {
    "text": ({"text": "hé"}, "hé", b"h\xc3\xa9"),
    "bytes": ({"bytes": b"h\xc3\xa9"}, "hé", b"h\xc3\xa9"),
    "text, bytes None": ({"text": "x", "bytes": None}, "x", b"x"),
    "bytes, text None": ({"text": None, "bytes": b"x"}, "x", b"x"),
    "empty text": ({"text": ""}, "", b""),
    "empty text, bytes None": ({"text": "", "bytes": None}, "", b""),
    "empty bytes": ({"bytes": b""}, "", b""),
    "empty bytes, text None": ({"text": None, "bytes": b""}, "", b""),
    "invalid UTF-8": ({"bytes": b"a\xff\xc3b"}, "ab", b"a\xff\xc3b"),
    "bytearray": ({"bytes": bytearray(b"x")}, "x", b"x"),
    "both": ({"text": "t", "bytes": b"b"}, "t", b"b"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages(name: str) -> None:
    keys, text, data = MESSAGES[name]
    event = {"type": "websocket.receive", **keys}
    ws, _ = opened(event, event)
    assert run(ws.receive_text()) == text
    received = run(ws.receive_bytes())
    assert type(received) is bytes
    assert received == data


@pytest.mark.parametrize("method", ["receive_text", "receive_bytes"])
@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"type": "websocket.receive"}, "'websocket.receive' with neither text nor bytes"),
        ({"type": "websocket.receive", "text": None, "bytes": None}, "neither text nor bytes"),
        ({"type": "websocket.connect"}, "'websocket.connect'"),
        ({"type": "http.request"}, "'http.request'"),
    ],
)
def test_what_is_no_message_is_named(method: str, event: Event, words: str) -> None:
    ws, _ = opened(event, {"type": "websocket.receive", "text": "next"})
    outcome = run(getattr(ws, method)())
    assert type(outcome) is RuntimeError
    assert words in str(outcome)
    assert run(ws.receive_text()) == "next"


@pytest.mark.parametrize("method", ["receive_text", "receive_bytes"])
@pytest.mark.parametrize(
    ("keys", "code", "reason"),
    [
        ({"code": 3001, "reason": "bye"}, 3001, "bye"),
        ({"code": None, "reason": None}, 1005, ""),
        ({}, 1005, ""),
    ],
)
def test_the_disconnect_is_told_and_remembered(
    method: str, keys: dict[str, object], code: int, reason: str
) -> None:
    ws, server = opened({"type": "websocket.disconnect", **keys})
    for _ in range(2):
        outcome = run(getattr(ws, method)())
        assert isinstance(outcome, ConnectionClosed)
        assert (outcome.code, outcome.reason) == (code, reason)
    outcome = run(ws.send_text("x"))
    assert isinstance(outcome, ConnectionClosed)
    assert (outcome.code, server.sent) == (code, [])


@pytest.mark.parametrize("method", ["receive_text", "receive_bytes"])
def test_cancelled_receive_loses_nothing(method: str) -> None:
    ws, server = opened()
    assert isinstance(Running(getattr(ws, method)()).cancel(), asyncio.CancelledError)
    server.events.append({"type": "websocket.receive", "text": "kept"})
    assert run(ws.receive_text()) == "kept"


@pytest.mark.parametrize("method", ["receive_text", "receive_bytes"])
def test_receive_when_the_server_raises_oserror(method: str) -> None:
    ws, server = opened()
    server.receive_error = OSError("gone")
    outcome = run(getattr(ws, method)())
    assert isinstance(outcome, ConnectionClosed)
    assert (outcome.__cause__, state_of(ws)) == (server.receive_error, "GONE")


@pytest.mark.parametrize("first", ["receive_text", "receive_bytes"])
@pytest.mark.parametrize("second", ["receive_text", "receive_bytes"])
def test_a_second_receive_leaves_the_first_undisturbed(first: str, second: str) -> None:
    ws, server = opened()
    waiting = Running(getattr(ws, first)())
    for _ in range(2):
        outcome = run(getattr(ws, second)())
        assert type(outcome) is RuntimeError
        assert "another task already waits" in str(outcome)
    server.events.append({"type": "websocket.receive", "text": "for the first"})
    assert waiting.resume() in ("for the first", b"for the first")
    assert state_of(ws) == "OPEN"


def test_messages_are_sent_as_they_are() -> None:
    ws, server = opened()
    for text in ("hé", ""):
        assert run(ws.send_text(text)) is None
    for data in (b"\x00\xff", b""):
        assert run(ws.send_bytes(data)) is None
    assert server.sent == [
        {"type": "websocket.send", "text": "hé"},
        {"type": "websocket.send", "text": ""},
        {"type": "websocket.send", "bytes": b"\x00\xff"},
        {"type": "websocket.send", "bytes": b""},
    ]


@pytest.mark.parametrize(
    ("method", "data", "words"),
    [
        ("send_text", b"x", "send_text() takes str, got bytes"),
        ("send_text", None, "send_text() takes str, got NoneType"),
        ("send_bytes", "x", "send_bytes() takes bytes, got str"),
        ("send_bytes", 5, "send_bytes() takes bytes, got int"),
        ("send_bytes", bytearray(b"x"), "send_bytes() takes bytes, got bytearray"),
    ],
)
def test_data_of_the_wrong_type(method: str, data: object, words: str) -> None:
    ws, server = opened()
    outcome = run(getattr(ws, method)(data))
    assert type(outcome) is TypeError
    assert str(outcome) == words
    assert (server.sent, state_of(ws)) == ([], "OPEN")


@pytest.mark.parametrize(("method", "data"), [("send_text", "x"), ("send_bytes", b"x")])
def test_send_when_the_server_raises_oserror(method: str, data: str | bytes) -> None:
    ws, server = opened()
    server.send_error = ConnectionResetError("reset")
    outcome = run(getattr(ws, method)(data))
    assert isinstance(outcome, ConnectionClosed)
    assert (outcome.__cause__, outcome.code) == (server.send_error, 1006)
    server.send_error = None
    assert isinstance(run(getattr(ws, method)(data)), ConnectionClosed)
    assert isinstance(run(ws.receive_text()), ConnectionClosed)
    assert (run(ws.close()), server.sent, ws.accepted) == (None, [], True)


def test_send_when_the_server_raises_something_else() -> None:
    ws, server = opened()
    server.send_error = ValueError("frame too large")
    assert run(ws.send_text("x")) is server.send_error
    server.send_error = None
    assert run(ws.send_text("y")) is None


def test_send_while_a_receive_waits() -> None:
    ws, server = opened()
    waiting = Running(ws.receive_text())
    assert run(ws.send_text("x")) is None
    assert run(ws.send_bytes(b"y")) is None
    assert state_of(ws) == "OPEN"
    server.events.append({"type": "websocket.receive", "text": "z"})
    assert waiting.resume() == "z"


# Closing


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1014, 3000, 4999])
def test_close_codes(code: int) -> None:
    ws, server = opened()
    assert run(ws.close(code, "ä" * 61)) is None
    assert server.sent == [{"type": "websocket.close", "code": code, "reason": "ä" * 61}]


BAD_CLOSES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    **{
        f"code {code}": ({"code": code}, ValueError, f"close code {code} cannot be sent")
        for code in (-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000)
    },
    "code of no int": ({"code": "1000"}, TypeError, "takes an int as code, got str"),
    "code None": ({"code": None}, TypeError, "takes an int as code, got NoneType"),
    "long reason": ({"reason": "x" * 124}, ValueError, "takes 124 bytes of UTF-8, at most 123"),
    "long in bytes": ({"reason": "ä" * 62}, ValueError, "takes 124 bytes of UTF-8"),
    "surrogate": ({"reason": "\ud800"}, UnicodeEncodeError, "surrogates not allowed"),
    "reason of no str": ({"reason": b"x"}, TypeError, "takes a str as reason, got bytes"),
}


@pytest.mark.parametrize("name", BAD_CLOSES)
@pytest.mark.parametrize("start", [in_new, opened])
def test_bad_arguments_of_close_change_nothing(
    name: str, start: Callable[[], tuple[WebSocket, Server]]
) -> None:
    arguments, error, words = BAD_CLOSES[name]
    ws, server = start()
    before = state_of(ws)
    outcome = run(ws.close(**arguments))
    assert type(outcome) is error
    assert words in str(outcome)
    assert (server.sent, state_of(ws)) == ([], before)
    assert run(ws.close()) is None
    assert server.sent == [CLOSE]


@pytest.mark.parametrize("start", [in_new, opened])
def test_close_when_the_server_raises_oserror(
    start: Callable[[], tuple[WebSocket, Server]],
) -> None:
    ws, server = start()
    accepted = ws.accepted
    server.send_error = OSError("gone")
    assert run(ws.close()) is None
    assert state_of(ws) == ("GONE" if accepted else "ABANDONED")
    outcome = run(ws.receive_text())
    assert isinstance(outcome, ConnectionClosed)
    assert outcome.code == 1006


@pytest.mark.parametrize("start", [in_new, opened])
def test_close_cancelled_while_it_is_sent_counts_as_closed(
    start: Callable[[], tuple[WebSocket, Server]],
) -> None:
    ws, server = start()
    server.holds_sends = True
    assert isinstance(Running(ws.close()).cancel(), asyncio.CancelledError)
    assert run(ws.close()) is None
    assert server.sent == [CLOSE]


def test_two_closes_at_once_send_one_event() -> None:
    ws, server = opened()
    server.holds_sends = True
    first = Running(ws.close())
    assert run(ws.close(4001)) is None
    server.holds_sends = False
    assert (first.resume(), server.sent) == (None, [CLOSE])


@pytest.mark.parametrize("method", ["receive_text", "receive_bytes"])
def test_close_while_a_receive_waits(method: str) -> None:
    ws, server = opened()
    waiting = Running(getattr(ws, method)())
    assert run(ws.close(4000, "enough")) is None
    server.events.append({"type": "websocket.disconnect", "code": 1000})
    outcome = waiting.resume()
    assert isinstance(outcome, ConnectionClosed)
    assert (outcome.code, state_of(ws), ws.accepted) == (1000, "CLOSED", False)


def test_a_message_on_its_way_at_close_reaches_the_receive_that_waits() -> None:
    ws, server = opened()
    waiting = Running(ws.receive_text())
    assert run(ws.close()) is None
    server.events.append({"type": "websocket.receive", "text": "late"})
    assert (waiting.resume(), state_of(ws)) == ("late", "CLOSED")


def test_receive_after_our_close_tells_how_it_was_closed() -> None:
    ws, _ = in_closed()
    outcome = run(ws.receive_bytes())
    assert isinstance(outcome, ConnectionClosed)
    assert (outcome.code, outcome.reason) == (4000, "done")


def test_a_send_overtaken_by_close_that_fails() -> None:
    ws, server = opened()
    server.holds_sends = True
    sending = Running(ws.send_text("x"))
    server.holds_sends = False
    assert run(ws.close()) is None
    assert isinstance(sending.resume(OSError("gone")), ConnectionClosed)
    assert state_of(ws) == "GONE"


def test_connection_closed_is_an_ordinary_exception() -> None:
    plain = ConnectionClosed()
    assert (plain.args, plain.code, plain.reason) == ((), 1005, "")
    told = ConnectionClosed("over", code=4000, reason="bye")
    assert (str(told), told.code, told.reason) == ("over", 4000, "bye")


# Event loops


async def _life(ws: WebSocket) -> list[object]:
    await ws.accept()
    seen: list[object] = [await ws.receive_text(), await ws.receive_bytes()]
    await ws.send_text("x")
    try:
        await ws.receive_text()
    except ConnectionClosed as closed:
        seen.append(closed.code)
    await ws.close()
    return seen


async def _served() -> list[object]:
    server = Server(
        CONNECT,
        {"type": "websocket.receive", "text": "a"},
        {"type": "websocket.receive", "bytes": b"b"},
        {"type": "websocket.disconnect", "code": 1001},
    )
    return await _life(WebSocket(server.receive, server.send))


RUNNERS: dict[str, Callable[[], list[object]]] = {
    "asyncio": lambda: asyncio.run(_served()),
    "uvloop": lambda: uvloop.run(_served()),
    "trio": lambda: trio.run(_served),
}


@pytest.mark.parametrize("loop", RUNNERS)
def test_event_loops(loop: str) -> None:
    assert RUNNERS[loop]() == ["a", b"b", 1001]
