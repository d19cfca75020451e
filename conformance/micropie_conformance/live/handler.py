"""The server's side of a live case: the connection under test inside an ASGI application.

A case gives a script, `async def script(handler)`, that stands where an application's
handler stands. It calls the connection and judges what comes of it, as a case in memory does
with a `Probe`. It awaits nothing else, so that it runs on asyncio, uvloop and trio alike.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from micropie_conformance import probe
from micropie_conformance.outcomes import Outcome, Raised, Returned, show
from micropie_conformance.probe import Broken, Event, Target, Unreached, describe, kind

if TYPE_CHECKING:
    from micropie_conformance.live.hosting import Host, Receive, Send

__all__ = ["Call", "Handler", "HandlerError", "Script", "same"]

Script: TypeAlias = Callable[["Handler"], Awaitable[None]]


class HandlerError(Exception):
    """What a script raises when its case is about a handler that raises."""


class Call(probe.Call):
    """One call of a method of the connection, and what must come of it."""

    def __init__(self, words: str, expected: str | None) -> None:
        """Name the call as it is written in code; `expected` is None where nothing is judged."""
        super().__init__(words)
        self.expected = expected


class Handler:
    """One connection on the server's side.

    Args:
        target: The implementation.
        script: What is done with the connection.
        host: The server.
        note: Called as `note("handler", self, words)` for each step, from the server's thread.
        path: The path that the client asks for.
        ahead: How many events the server must have had before the script starts. With 2, the
            client is gone before anything is answered.
    """

    def __init__(
        self,
        target: Target,
        script: Script,
        host: "Host",
        note: Callable[[str, "Handler", str], None],
        path: str,
        ahead: int = 0,
    ) -> None:
        """Hold them; nothing is called yet."""
        self._target = target
        self._script = script
        self._host = host
        self._tell = note
        self.path = path
        self._ahead = ahead
        self._inbox: deque[Event] = deque()
        # The types of the events that were sent.
        self._sent: set[object] = set()
        self._connection: object = None
        self._cancel: Callable[[], None] | None = None
        self._cancelling = False
        # The calls that have not come to an end.
        self.under_way: list[Call] = []
        # How many events the server has handed out.
        self.given = 0
        # Whether the implementation has read the disconnect.
        self.disconnected = False
        self.ended: bool = False
        # What the script raised.
        self.failure: BaseException | None = None

    async def run(self, receive: "Receive", send: "Send") -> None:
        """Be the ASGI application of this connection.

        Nothing is raised: whether an application returns or raises is not judged, and an error
        could end a server on trio.
        """

        async def from_server() -> Event:
            event = await receive()
            self.given += 1
            self._note(f"is given  {describe(event)}")
            return event

        async def read() -> Event:
            event = self._inbox.popleft() if self._inbox else await from_server()
            self.disconnected = self.disconnected or kind(event) == "websocket.disconnect"
            return event

        async def write(event: Any) -> None:
            self._note(f"sends     {describe(event)}")
            self._sent.add(kind(event))
            await send(event)

        try:
            while len(self._inbox) < self._ahead:
                self._inbox.append(await from_server())
            try:
                self._connection = self._target.factory(read, write)
            except BaseException as error:
                raise Unreached(f"the constructor raises {show(error)}") from error
            await self._script(self)
        except HandlerError:
            self._note("raises    an error of its own")
        except BaseException as error:
            self.failure = error
            if isinstance(error, self._host.cancelled):
                raise
        finally:
            self.ended = True
            self._note("ends")

    async def call(
        self, method: str, *args: object, expected: str | None = None, **kwargs: object
    ) -> Call:
        """Call a method of the connection and give the call, whatever came of it.

        With `expected`, waiting in vain in it is judged: that is what did not come about.
        """
        return await self._call(expected, method, args, kwargs)

    async def do(self, method: str, *args: object, **kwargs: object) -> object:
        """Call a method that must return for the case to go on, and give its value.

        Raises:
            Unreached: It raised.
        """
        call = await self._call(None, method, args, kwargs)
        if not isinstance(call.outcome, Returned):
            raise Unreached(str(call))
        return call.outcome.value

    async def open(self) -> None:
        """Accept the connection.

        Raises:
            Unreached: It raised, or the server was not sent an accept.
        """
        await self.do("accept")
        self._must_have_sent("websocket.accept", "accept()")

    async def shut(self) -> None:
        """Close the connection.

        Raises:
            Unreached: It raised, or the server was not sent a close.
        """
        await self.do("close", 3001, "bye")
        self._must_have_sent("websocket.close", "close(3001, 'bye')")

    async def get(self, value: object, method: str) -> None:
        """Call a receiving method that must return `value` for the case to go on.

        Raises:
            Unreached: It returned another value, or it raised.
        """
        if not same(got := await self.do(method), value):
            raise Unreached(f"{method}() returns {show(got)} instead of {show(value)}")

    async def lose(self, method: str = "receive_bytes") -> None:
        """Call a receiving method, which must read that the client is gone.

        Raises:
            Unreached: It did not raise ConnectionClosed.
        """
        call = await self._call(None, method, (), {})
        if not self.is_closed(call.outcome):
            raise Unreached(f"{call} when the client is gone")

    def is_closed(self, outcome: Outcome) -> bool:
        """Whether the outcome is ConnectionClosed."""
        return isinstance(outcome, Raised) and isinstance(outcome.error, self._target.closed)

    async def expect_returned(
        self, value: object, method: str, *args: object, **kwargs: object
    ) -> None:
        """The call returns exactly `value`, of exactly its type."""

        def holds(outcome: Outcome) -> bool:
            return isinstance(outcome, Returned) and same(outcome.value, value)

        await self._expect(holds, f"returns {show(value)}", method, args, kwargs)

    async def expect_raised(
        self, error: type[BaseException], method: str, *args: object, **kwargs: object
    ) -> None:
        """The call raises `error` (or a class derived from it)."""

        def holds(outcome: Outcome) -> bool:
            return isinstance(outcome, Raised) and isinstance(outcome.error, error)

        await self._expect(holds, f"raises {error.__name__}", method, args, kwargs)

    async def expect_closed(self, method: str) -> None:
        """The call raises ConnectionClosed."""
        await self.expect_raised(self._target.closed, method)

    async def expect_returned_or_closed(self, value: object, method: str) -> None:
        """The call returns exactly `value`, or it raises ConnectionClosed."""

        def holds(outcome: Outcome) -> bool:
            returned = isinstance(outcome, Returned) and same(outcome.value, value)
            return returned or self.is_closed(outcome)

        expected = f"raises {self._target.closed.__name__} or returns {show(value)}"
        await self._expect(holds, expected, method, (), {})

    async def expect_done(self, method: str, *args: object, **kwargs: object) -> None:
        """The call returns, whatever it returns."""

        def holds(outcome: Outcome) -> bool:
            return isinstance(outcome, Returned)

        await self._expect(holds, "returns", method, args, kwargs)

    async def expect_done_or_closed(self, method: str, *args: object) -> None:
        """The call returns, or it raises ConnectionClosed."""

        def holds(outcome: Outcome) -> bool:
            return isinstance(outcome, Returned) or self.is_closed(outcome)

        expected = f"returns or raises {self._target.closed.__name__}"
        await self._expect(holds, expected, method, args, {})

    async def be_cancelled(self, method: str) -> None:
        """Call a method that waits until `cancel` is called.

        Raises:
            Unreached: It came to an end before.
        """
        with self._host.cancellable() as self._cancel:
            call = await self._call(None, method, (), {})
            raise Unreached(f"{call} instead of being cancelled")
        self._cancelling = False

    @property
    def cancellable(self) -> bool:
        """Whether the script is in `be_cancelled`."""
        return self._cancel is not None

    def cancel(self) -> None:
        """Cancel the call of `be_cancelled`, once it waits; from any thread."""
        assert self._cancel is not None
        self._note("is cancelled")
        self._cancelling = True
        self._host.soon(self._cancel)

    async def _expect(
        self,
        holds: Callable[[Outcome], bool],
        expected: str,
        method: str,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> None:
        call = await self._call(expected, method, args, kwargs)
        if not holds(call.outcome):
            assert call.expected is not None
            raise Broken(call.expected, str(call))

    async def _call(
        self,
        expected: str | None,
        method: str,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> Call:
        words = f"{method}({_arguments(args, kwargs)})"
        call = Call(words, expected and f"{words} {expected}")
        self.under_way.append(call)
        self._note(f"call      {words}")
        try:
            # The connection is of any class there is; what it is not shows as an outcome.
            awaitable: Awaitable[object] = getattr(self._connection, method)(*args, **kwargs)
            call.outcome = Returned(await awaitable)
        except BaseException as error:
            call.outcome = Raised(error)
            asked = self._cancelling or self._host.stopping
            if asked and isinstance(error, self._host.cancelled):
                raise
        finally:
            self.under_way.remove(call)
        self._note(str(call))
        return call

    def _must_have_sent(self, type: str, words: str) -> None:
        if type not in self._sent:
            raise Unreached(f"{words} returns and has not sent {type}")

    def _note(self, words: str) -> None:
        self._tell("handler", self, words)


def same(value: object, other: object) -> bool:
    """Whether the two are equal and of the same type."""
    return type(value) is type(other) and value == other


def _arguments(args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    return ", ".join([*map(show, args), *(f"{key}={show(value)}" for key, value in kwargs.items())])
