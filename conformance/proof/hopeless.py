"""Implementations that are no good at all, over which the suite must not fall."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from right import Event, Receive, Send, Strict

__all__ = ["HOPELESS"]


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

HOPELESS: Final[dict[str, Callable[..., object]]] = {
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
"""The implementations, by name."""
