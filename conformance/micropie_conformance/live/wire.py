"""What a live case works with: a server with the connection under test, and its clients.

    @live_case("WS-WIRE-007")
    async def text(wire: Wire) -> None:
        "send_text('hello') reaches the client."

        async def script(handler: Handler) -> None:
            await handler.open()
            await handler.expect_done("send_text", "hello")

        client = await wire.connect(script)
        await client.expect_message("hello")

As in memory, an arrangement that does not come about raises `Unreached` and a judgement that
fails raises `Broken`. When a script raises, the case ends at once with what it raised. What
takes longer than the deadline does not come: on a real socket nothing else can be said.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from websockets.frames import Close

from micropie_conformance.live.client import Connection, Message
from micropie_conformance.live.habits import HABITS, habits
from micropie_conformance.live.handler import Handler, Script, same
from micropie_conformance.live.hosting import Host
from micropie_conformance.outcomes import show
from micropie_conformance.probe import Broken, NotApplicable, Target, Unreached

__all__ = ["DEADLINE", "Client", "Message", "Wire"]

DEADLINE: Final = 10.0
"""How long a case waits for one thing, in seconds."""


class Wire:
    """The server of one case, and the clients that the case connects to it.

    It is made inside the event loop of the clients.
    """

    def __init__(self, target: Target, host: Host, deadline: float = DEADLINE) -> None:
        """Hold them; nothing is connected yet."""
        self._target = target
        # The server.
        self.host = host
        # How long the case waits for one thing, in seconds.
        self.deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        # What happened on both sides, oldest first.
        self.trace: list[str] = []
        # What went over the sockets, oldest first.
        self.log: list[str] = []
        self._handlers: list[Handler] = []
        self._connections: list[Connection] = []
        # Whether the deadline has passed.
        self.late: bool = False

    @property
    def accepted(self) -> str:
        """The answer to a handshake that was accepted, in words such as `HTTP 101`."""
        return f"HTTP {self.host.stream.accepted}"

    # Arrangements

    async def connect(self, script: Script, *, subprotocols: Sequence[str] = ()) -> "Client":
        """Connect a client, whose connection `script` handles on the server.

        Raises:
            Unreached: The handshake was not completed.
        """
        client = await self.handshake(script, subprotocols=subprotocols)
        if client.answer != self.accepted:
            raise Unreached(f"the client gets {client.answer} instead of {self.accepted}")
        return client

    async def handshake(self, script: Script, *, subprotocols: Sequence[str] = ()) -> "Client":
        """Let a client ask for a connection, and give the client, whatever the answer is."""
        handler = self._add(script)
        async with self.limit(handler):
            client = Client(self, handler, await self._ask(handler, subprotocols))
            client.answer = await client.connection.answer()
        client.note(f"gets {client.answer}")
        return client

    async def vanish(self, script: Script) -> Handler:
        """Let a client vanish before its handshake is answered; `script` starts after that."""
        handler = self._add(script, ahead=2)
        async with self.limit(handler):
            connection = await self._ask(handler)
        await self.until(handler, lambda: handler.given > 0)
        connection.drop(reset=False)
        self.note("client", handler, "is gone")
        return handler

    async def until(self, handler: Handler, condition: Callable[[], bool]) -> None:
        """Wait for what is done on the server's side.

        Raises:
            Broken, Unreached: It does not come, as for `limit`.
        """
        async with self.limit(handler):
            await self._until(condition)

    async def waits_in(self, handler: Handler, method: str) -> None:
        """Wait until the script waits in a call of `method`."""
        await self.until(
            handler, lambda: any(call.words.startswith(method) for call in handler.under_way)
        )

    async def cancel(self, handler: Handler) -> None:
        """Cancel what the script calls by `be_cancelled`."""
        await self.until(handler, lambda: handler.cancellable)
        handler.cancel()

    async def ended(self, handler: Handler) -> None:
        """Wait until the script has ended."""
        await self.until(handler, lambda: handler.ended)

    async def all_ended(self) -> None:
        """Wait until every script has ended."""
        for handler in self._handlers:
            await self.ended(handler)

    def left_behind(self, handler: Handler) -> list[str]:
        """Name the tasks that were started for the connection and that still run."""
        return self.host.left_behind(handler.path)

    # Judgements

    def expect(self, holds: bool, expected: str, observed: str) -> None:
        """Judge anything.

        Raises:
            Broken: It does not hold.
        """
        if not holds:
            raise Broken(expected, observed)

    # What a case is run with

    @asynccontextmanager
    async def limit(self, handler: Handler, expected: str | None = None) -> AsyncGenerator[None]:
        """Give the block time until the deadline.

        Raises:
            Broken: The deadline has passed, and the script is in a call that is judged; or it
                is in none, and `expected` says what the block judges.
            Unreached: The deadline has passed, and nothing is judged.
        """
        try:
            async with asyncio.timeout(self.deadline):
                yield
        except TimeoutError:
            self.late = True
            raise self._too_late(handler, expected) from None

    @property
    def failure(self) -> BaseException | None:
        """What a script has raised, if one has."""
        return next((one.failure for one in self._handlers if one.failure is not None), None)

    async def failed(self) -> None:
        """Wait until a script has raised."""
        await self._until(lambda: self.failure is not None)

    async def finish(self) -> None:
        """Drop every client."""
        for connection in self._connections:
            await connection.finish()

    def note(self, side: str, handler: Handler, words: str) -> None:
        """Record a step of one side of a connection, from any thread."""
        number = self._handlers.index(handler) + 1
        self.trace.append(f"{side} {number:<{9 - len(side)}} {words}")
        self._loop.call_soon_threadsafe(self._changed.set)

    async def _ask(self, handler: Handler, subprotocols: Sequence[str] = ()) -> Connection:
        number = self._handlers.index(handler) + 1
        self.note("client", handler, "asks for a connection")

        def log(words: str) -> None:
            self.log.append(f"client {number} {words}")

        stream = await self.host.stream.connect(self.host.port)
        connection = Connection(stream, handler.path, subprotocols, log)
        self._connections.append(connection)
        connection.ask()
        return connection

    def _too_late(self, handler: Handler, expected: str | None) -> AssertionError:
        words = f"nothing within {self.deadline:g} seconds"
        if call := next(iter(handler.under_way), None):
            expected = call.expected
            words = f"{call.words} still waits after {self.deadline:g} seconds"
            if handler.disconnected:
                server = self.host.door.partition(":")[0]
                words += f"; {server} {HABITS[server]['second-receive'].text}"
        return Unreached(words) if expected is None else Broken(expected, words)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _add(self, script: Script, ahead: int = 0) -> Handler:
        # The server may have served other cases before.
        path = f"/{len(self.host.routes) + 1}"
        handler = Handler(self._target, script, self.host, self.note, path, ahead)
        self._handlers.append(handler)
        self.host.routes[path] = handler.run
        return handler


class Client:
    """A client with its `connection`, and the `handler` of that on the server."""

    def __init__(self, wire: Wire, handler: Handler, connection: Connection) -> None:
        """Hold them; nothing is answered yet."""
        self.handler = handler
        self.connection = connection
        # What came of the handshake.
        self.answer = "nothing"
        self._wire = wire

    def headers(self, name: str) -> list[str]:
        """Give the headers of that name in the handshake's answer."""
        assert self.connection.response is not None
        return self.connection.response.headers.get_all(name)

    # Arrangements

    async def send(
        self, message: Message | Sequence[str] | Sequence[bytes], *, pings: bool = False
    ) -> None:
        """Send a message; of a sequence each part is a fragment of one message.

        With `pings`, a ping precedes each fragment but the first.

        Raises:
            Unreached: The connection is closed, or the server reads no more.
        """
        self.note(f"sends {_named(message)}{' with pings between' if pings else ''}")
        async with self._wire.limit(self.handler):
            try:
                await self.connection.send(message, pings=pings)
            except OSError:
                await self.connection.end()
                observed = await self.connection.next()
                raise Unreached(f"the client gets {_named(observed)} and cannot send") from None

    async def send_too_much(self, message: Message | Sequence[str] | Sequence[bytes]) -> None:
        """Send a message that the server may refuse before all of it is sent."""
        self.note(f"sends {_named(message)}")
        async with self._wire.limit(self.handler):
            with suppress(OSError):
                await self.connection.send(message)

    def send_unmasked(self, message: Message) -> None:
        """Send a message in a frame that is not masked, which breaks the protocol."""
        self.note(f"sends {_named(message)} without a mask")
        self.connection.send_unmasked(message)

    def begin(self, text: str, *, whole_frame: bool) -> None:
        """Send the begin of a message: a whole frame that is not the last, or half a frame."""
        self.note(f"sends the begin of {_named(text)}")
        self.connection.begin(text, whole_frame=whole_frame)

    def hold(self) -> None:
        """Read no more until `go_on`."""
        self.note("reads no more")
        self.connection.hold()

    def go_on(self) -> None:
        """Read again."""
        self.note("reads again")
        self.connection.go_on()

    def half_close(self) -> None:
        """End the connection's direction to the server, and go on reading.

        Raises:
            NotApplicable: The server takes no notice of that.
        """
        door = self._wire.host.door
        if (habit := habits(door).get("half-close")) is not None:
            raise NotApplicable(f"{door.partition(':')[0]} {habit.text}")
        self.note("ends its direction of the connection")
        self.connection.half_close()

    async def get(self, message: Message) -> None:
        """Await a message that must come for the case to go on.

        Raises:
            Unreached: Another message came, or the connection was closed.
        """
        async with self._wire.limit(self.handler):
            observed = await self._next()
        if not same(observed, message):
            raise Unreached(f"the client gets {_named(observed)} instead of {_named(message)}")

    async def get_close(self) -> Close:
        """Await the server's close frame, which must come for the case to go on.

        Raises:
            Unreached: A message came, or the connection ended without a close frame.
        """
        async with self._wire.limit(self.handler):
            observed = await self._next()
        if not isinstance(observed, Close):
            raise Unreached(f"the client gets {_named(observed)} instead of a close frame")
        return observed

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Close the connection and wait for its end; None: the close frame has no code."""
        self.note(f"closes with {'no code' if code is None else f'code {code}'}")
        async with self._wire.limit(self.handler):
            await self.connection.close(code, reason)

    async def end(self) -> None:
        """Wait until the connection has ended."""
        async with self._wire.limit(self.handler):
            await self.connection.end()

    def vanish(self, *, reset: bool) -> None:
        """Drop the connection without a close frame: reset it, or end it."""
        self.note("resets the connection" if reset else "ends the connection")
        self.connection.drop(reset=reset)

    # Judgements

    async def expect_message(self, message: Message) -> None:
        """The next that the client gets is this message, of this type."""
        expected = f"the client gets {_named(message)}"
        async with self._wire.limit(self.handler, expected):
            observed = await self._next()
        holds = same(observed, message)
        self._wire.expect(holds, expected, f"the client gets {_named(observed)}")

    async def expect_close(self, code: int, reason: str = "") -> None:
        """The next that the client gets is a close frame with this code and reason."""
        close = Close(code, reason)
        expected = f"the client gets {_named(close)}"
        async with self._wire.limit(self.handler, expected):
            observed = await self._next()
        self._wire.expect(observed == close, expected, f"the client gets {_named(observed)}")

    def note(self, words: str) -> None:
        """Record a step of the client."""
        self._wire.note("client", self.handler, words)

    async def _next(self) -> Message | Close | None:
        """Await a message, or the close frame, or None when the connection ended without one."""
        got = await self.connection.next()
        self.note(f"gets {_named(got)}")
        return got


def _named(got: Message | Sequence[str] | Sequence[bytes] | Close | None) -> str:
    match got:
        case None:
            return "the end of the connection without a close frame"
        case Close():
            return f"a close frame with code {got.code}, reason {got.reason!r}"
        case str():
            return f"text {show(got)}"
        case bytes():
            return f"binary {show(got)}"
        case _:
            return f"one message in the fragments {show(got)}"
