"""A script calls the connection, and what comes of it is judged, recorded and kept."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from micropie_conformance.live.handler import Handler, HandlerError, Script, same
from micropie_conformance.live.hosting import Host, Receive, Send
from micropie_conformance.outcomes import Raised, Returned
from micropie_conformance.probe import Broken, Target, Unreached


class GoneError(Exception):
    """The connection is over."""


class Connection:
    """An implementation that does as it is told."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.send = send

    async def returns(self, value: object = None, **more: object) -> object:
        return value

    async def raises(self, error: BaseException) -> object:
        raise error

    async def ends(self) -> object:
        raise GoneError

    async def waits(self) -> object:
        return await asyncio.Event().wait()

    async def refuses_cancellation(self) -> object:
        try:
            return await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "no"

    async def accept(self) -> None:
        await self.receive()
        await self.send({"type": "websocket.accept"})

    async def close(self, code: int, reason: str) -> None:
        await self.send({"type": "websocket.close", "code": code})


class Silent(Connection):
    """It sends nothing."""

    async def accept(self) -> None:
        pass

    async def close(self, code: int, reason: str) -> None:
        pass


CONNECT = {"type": "websocket.connect"}
DISCONNECT = {"type": "websocket.disconnect"}


class Server:
    """The ASGI callables, and what a handler tells."""

    def __init__(self, host: Host, *events: dict[str, Any]) -> None:
        self.host = host
        self.events = list(events)
        self.sent: list[Any] = []
        self.lines: list[str] = []

    async def receive(self) -> dict[str, Any]:
        if not self.events:
            await asyncio.Event().wait()
        return self.events.pop(0)

    async def send(self, event: Any) -> None:
        self.sent.append(event)

    def handler(
        self, script: Script, factory: Callable[..., object] = Connection, ahead: int = 0
    ) -> Handler:
        return Handler(Target(factory, GoneError), script, self.host, self.note, "/1", ahead)

    def note(self, side: str, handler: Handler, words: str) -> None:
        self.lines.append(f"{side}{handler.path} {words}")

    async def run(self, handler: Handler) -> Handler:
        await handler.run(self.receive, self.send)
        return handler


@pytest.fixture
async def server() -> Server:
    host = Host("hypercorn:asyncio")
    host.started(asyncio.get_running_loop().call_soon_threadsafe, lambda: None)
    return Server(host, CONNECT, DISCONNECT)


def script_of(method: str, *args: Any, **kwargs: Any) -> Script:
    async def script(handler: Handler) -> None:
        await getattr(handler, method)(*args, **kwargs)

    return script


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("do", ("returns",)),
        ("open", ()),
        ("shut", ()),
        ("get", ("x", "returns_x")),
        ("lose", ("ends",)),
        ("expect_returned", (1, "returns", 1)),
        ("expect_raised", (ValueError, "raises", UnicodeError())),
        ("expect_closed", ("ends",)),
        ("expect_done", ("returns", "anything")),
        ("expect_done_or_closed", ("returns", "anything")),
        ("expect_done_or_closed", ("ends",)),
        ("expect_returned_or_closed", ("x", "returns_x")),
        ("expect_returned_or_closed", ("x", "ends")),
        ("call", ("raises", SystemExit())),
    ],
)
async def test_what_holds_raises_nothing(
    server: Server, method: str, args: tuple[Any, ...]
) -> None:
    class ReturnsX(Connection):
        async def returns_x(self) -> object:
            return "x"

    handler = await server.run(server.handler(script_of(method, *args), ReturnsX))
    assert handler.failure is None
    assert handler.ended
    assert handler.under_way == []


@pytest.mark.parametrize(
    ("method", "args", "words"),
    [
        ("do", ("raises", KeyError("k")), "raises(KeyError('k')) raises KeyError('k')"),
        ("do", ("missing",), "missing() raises AttributeError"),
        ("open", (), "accept() returns and has not sent websocket.accept"),
        ("shut", (), "close(3001, 'bye') returns and has not sent websocket.close"),
        ("get", ("x", "returns"), "returns() returns None instead of 'x'"),
        ("lose", ("returns",), "returns() returns None when the client is gone"),
    ],
)
async def test_an_arrangement_that_fails_is_unreached(
    server: Server, method: str, args: tuple[Any, ...], words: str
) -> None:
    handler = await server.run(server.handler(script_of(method, *args), Silent))
    assert isinstance(handler.failure, Unreached)
    assert str(handler.failure).startswith(words)


@pytest.mark.parametrize(
    ("method", "args", "expected", "observed"),
    [
        ("expect_returned", (1, "returns", True), "returns(True) returns 1", "returns True"),
        ("expect_returned", (1, "ends"), "ends() returns 1", "raises GoneError()"),
        (
            "expect_raised",
            (ValueError, "returns", 5),
            "returns(5) raises ValueError",
            "returns(5) returns 5",
        ),
        ("expect_closed", ("returns",), "returns() raises GoneError", "returns() returns None"),
        ("expect_done", ("ends",), "ends() returns", "ends() raises GoneError()"),
        (
            "expect_done_or_closed",
            ("raises", OSError()),
            "raises(OSError()) returns or raises GoneError",
            "raises OSError()",
        ),
        (
            "expect_returned_or_closed",
            ("x", "returns"),
            "returns() raises GoneError or returns 'x'",
            "returns() returns None",
        ),
    ],
)
async def test_a_judgement_that_fails_is_broken(
    server: Server, method: str, args: tuple[Any, ...], expected: str, observed: str
) -> None:
    handler = await server.run(server.handler(script_of(method, *args)))
    assert isinstance(handler.failure, Broken)
    assert handler.failure.expected == expected
    assert handler.failure.observed.endswith(observed)


async def test_a_call_says_what_came_of_it(server: Server) -> None:
    error = KeyboardInterrupt()

    async def script(handler: Handler) -> None:
        returned = await handler.call("returns", 1, more="x")
        assert returned.words == "returns(1, more='x')"
        assert returned.outcome == Returned(1)
        assert (await handler.call("raises", error)).outcome == Raised(error)

    assert (await server.run(server.handler(script))).failure is None


async def test_the_steps_are_told_in_order(server: Server) -> None:
    async def script(handler: Handler) -> None:
        await handler.open()
        raise HandlerError

    handler = await server.run(server.handler(script))
    assert handler.failure is None
    assert server.lines == [
        "handler/1 call      accept()",
        "handler/1 is given  websocket.connect",
        "handler/1 sends     websocket.accept",
        "handler/1 accept() returns None",
        "handler/1 raises    an error of its own",
        "handler/1 ends",
    ]
    assert server.sent == [{"type": "websocket.accept"}]


async def test_events_can_be_had_ahead_of_the_script(server: Server) -> None:
    async def script(handler: Handler) -> None:
        assert handler.given == 2
        assert not handler.disconnected
        await handler.open()
        await handler.do("receive")
        assert handler.disconnected

    handler = await server.run(server.handler(script, ahead=2))
    assert handler.failure is None


async def test_a_constructor_that_raises_is_unreached(server: Server) -> None:
    def construct(receive: Receive, send: Send) -> object:
        raise SystemExit(2)

    handler = await server.run(server.handler(script_of("open"), construct))
    assert str(handler.failure) == "the constructor raises SystemExit(2)"


async def test_an_error_of_the_script_is_kept(server: Server) -> None:
    handler = await server.run(server.handler(script_of("no_such_method")))
    assert isinstance(handler.failure, AttributeError)


async def test_a_cancellation_by_the_server_ends_the_script(server: Server) -> None:
    handler = server.handler(script_of("expect_done", "waits"))
    task = asyncio.create_task(server.run(handler))
    await asyncio.sleep(0)
    (call,) = handler.under_way
    assert (call.words, call.expected) == ("waits()", "waits() returns")
    server.host.stopping = True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(handler.failure, asyncio.CancelledError)


async def test_a_cancellation_that_nobody_asked_for_is_an_outcome(server: Server) -> None:
    handler = await server.run(server.handler(script_of("do", "raises", asyncio.CancelledError())))
    assert isinstance(handler.failure, Unreached)


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        ("waits", None),
        ("refuses_cancellation", "refuses_cancellation() returns 'no' instead of being cancelled"),
        ("returns", "returns() returns None instead of being cancelled"),
    ],
)
async def test_a_call_can_be_cancelled(server: Server, method: str, failure: str | None) -> None:
    async def script(handler: Handler) -> None:
        await handler.be_cancelled(method)
        await handler.expect_returned(1, "returns", 1)

    handler = server.handler(script)
    assert not handler.cancellable
    task = asyncio.create_task(server.run(handler))
    await asyncio.sleep(0)
    assert handler.cancellable
    handler.cancel()
    await task
    assert handler.failure is None if failure is None else str(handler.failure) == failure


@pytest.mark.parametrize(
    ("one", "other", "equal"), [(1, 1, True), (1, 2, False), (1, True, False), ("", b"", False)]
)
def test_same_is_equal_and_of_the_same_type(one: object, other: object, equal: bool) -> None:
    assert same(one, other) is equal
