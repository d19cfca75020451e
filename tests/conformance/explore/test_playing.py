"""Both players see the same, and what fails is told in words that a reader needs."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any

import pytest
from micropie_conformance.explore.alphabet import (
    ACCEPT,
    CANCEL,
    CONNECTS,
    LETTERS,
    SERVER_LOSES,
    Act,
    Called,
    Came,
    Comes,
    Letter,
)
from micropie_conformance.explore.model import (
    CLOSED,
    ERROR,
    ESCAPE,
    RETURNS,
    RUNTIME_ERROR,
    VALUE_ERROR,
    WAITS,
    Check,
    Is,
)
from micropie_conformance.explore.playing import (
    Played,
    Player,
    Probed,
    Stepped,
    ask,
    first_failing,
    perform,
)
from micropie_conformance.looping import Loop
from micropie_conformance.probe import Broken, Probe, Target, Unreached
from micropie_conformance.stepping import NeedsLoop, Stepper

from micropie import ConnectionClosed, WebSocket

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Any], Awaitable[None]]


def call(act: Act, method: str = "", **kwargs: object) -> Called:
    return next(
        letter
        for letter in LETTERS
        if isinstance(letter, Called)
        and letter.act is act
        and letter.method.startswith(method)
        and (not kwargs or letter.kwargs == kwargs)
    )


def event(came: Came) -> Comes:
    return next(letter for letter in LETTERS if isinstance(letter, Comes) and letter.came is came)


OPEN = (CONNECTS, ACCEPT)
RECEIVE = call(Act.RECEIVE, "receive_text")
SEND = call(Act.SEND, "send_text")
CLOSE = call(Act.CLOSE)
MESSAGE = event(Came.MESSAGE)
GONE = event(Came.DISCONNECT)
SESSION = call(Act.ACCEPT, session_id="0b9f6c2e-5d1a-4c3b-9e8f-7a6d5c4b3a21")
SUBPROTOCOL = call(Act.ACCEPT, subprotocol="chat")
TARGET = Target(WebSocket, ConnectionClosed)
PLAYERS: list[Player] = [Stepped(TARGET), Probed(TARGET)]


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize(
    ("letters", "outcome", "waiting", "kinds", "read"),
    [
        ((ACCEPT,), WAITS, 0, [], 0),
        ((ACCEPT, CONNECTS), RETURNS, 0, ["websocket.accept"], 1),
        (OPEN, RETURNS, 0, ["websocket.accept"], 1),
        ((RECEIVE,), ERROR | RUNTIME_ERROR, 0, [], 0),
        ((*OPEN, SEND), RETURNS, 0, ["websocket.send"], 1),
        ((*OPEN, RECEIVE, SEND), RETURNS, WAITS, ["websocket.send"], 1),
        ((*OPEN, RECEIVE, CANCEL), ESCAPE, 0, [], 1),
        ((*OPEN, RECEIVE, CANCEL, MESSAGE, RECEIVE), RETURNS, 0, [], 2),
        ((*OPEN, RECEIVE, GONE), ERROR | CLOSED, 0, [], 2),
        ((*OPEN, RECEIVE, GONE, RECEIVE), ERROR | CLOSED, 0, [], 2),
        ((*OPEN, SERVER_LOSES, SEND), ERROR | CLOSED, 0, ["websocket.send"], 1),
        ((call(Act.CLOSE_REFUSED, code=999),), ERROR | VALUE_ERROR, 0, [], 0),
    ],
)
def test_both_players_see_the_same(
    player: Player,
    letters: tuple[Letter, ...],
    outcome: int,
    waiting: int,
    kinds: list[str],
    read: int,
) -> None:
    seen = player.play(letters)
    assert seen.outcome == outcome
    if waiting:
        assert seen.waiting == waiting
    assert [one["type"] for one in seen.sent] == kinds
    assert seen.read == read
    assert (seen.error is None) == (SERVER_LOSES not in letters)
    seen.close()


@pytest.mark.parametrize("player", PLAYERS)
def test_attributes(player: Player) -> None:
    seen = player.play((CONNECTS, SESSION))
    assert (seen.attribute("accepted"), seen.attribute("session_id")) == (
        True,
        SESSION.kwargs["session_id"],
    )
    assert "nosuch" in str(seen.attribute("nosuch"))
    seen.close()


class Awaited:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Generator[Any, None, int]:
        return (yield from self.run().__await__())

    async def run(self) -> int:
        return 5


class Odd:
    """Has methods of all kinds."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.send = send

    def receive_text(self) -> Awaited:
        return Awaited()

    def receive_bytes(self) -> None:
        return None

    async def accept(self) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        try:
            await self.receive()
        finally:
            # It does not want to end.
            await self.receive()

    async def send_text(self, data: str) -> None:
        raise KeyboardInterrupt


ODD = Target(Odd, ConnectionClosed)


def test_what_is_awaited_may_be_no_coroutine() -> None:
    seen = Stepped(ODD).play((RECEIVE,))
    assert (seen.outcome, seen.value) == (RETURNS, 5)


@pytest.mark.parametrize("method", ["receive_bytes", "send_bytes"])
def test_what_cannot_be_called(method: str) -> None:
    seen = Stepped(ODD).play((Called(Act.RECEIVE, method),))
    assert seen.outcome & ERROR


def test_what_escapes_is_no_exception() -> None:
    assert Stepped(ODD).play((SEND,)).outcome == ESCAPE


def test_what_does_not_want_to_end() -> None:
    seen = Stepped(ODD).play((CLOSE,))
    assert seen.outcome == WAITS
    seen.close()


def test_what_needs_a_loop() -> None:
    with pytest.raises(NeedsLoop):
        Stepped(ODD).play((ACCEPT,))


def test_a_constructor_that_raises() -> None:
    def factory(receive: object, send: object) -> object:
        raise ValueError("no")

    with pytest.raises(Unreached, match="the constructor raises ValueError"):
        Stepped(Target(factory, ConnectionClosed)).play(())


def test_a_constructor_that_needs_a_loop() -> None:
    def factory(receive: object, send: object) -> object:
        return asyncio.get_running_loop()

    with pytest.raises(NeedsLoop):
        Stepped(Target(factory, ConnectionClosed)).play(())


CALL = Check("", Is.OUTCOME, RETURNS)

# What holds of each sequence, and what does not, with what is told then.
CHECKS: list[tuple[tuple[Letter, ...], Check, Check, str]] = [
    (OPEN, CALL, Check("", Is.OUTCOME, CLOSED), "accept() raises ConnectionClosed"),
    (OPEN, CALL, Check("", Is.OUTCOME, WAITS), "accept() waits"),
    (
        OPEN,
        Check("", Is.OUTCOME, RETURNS | ERROR | ESCAPE),
        Check("", Is.OUTCOME, RUNTIME_ERROR | VALUE_ERROR),
        "accept() raises RuntimeError or ValueError",
    ),
    (
        (ACCEPT,),
        Check("", Is.OUTCOME, WAITS),
        Check("", Is.OUTCOME, RETURNS | ERROR | ESCAPE),
        "accept() does not wait",
    ),
    (
        (ACCEPT,),
        Check("", Is.OUTCOME, WAITS | CLOSED),
        Check("", Is.OUTCOME, RETURNS | VALUE_ERROR),
        "accept() returns or raises ValueError",
    ),
    (
        OPEN,
        Check("", Is.OUTCOME, RETURNS | VALUE_ERROR),
        Check("", Is.OUTCOME, WAITS | CLOSED),
        "accept() waits or raises ConnectionClosed",
    ),
    (
        (RECEIVE,),
        Check("", Is.OUTCOME, WAITS | RUNTIME_ERROR),
        Check("", Is.OUTCOME, RETURNS | CLOSED),
        "receive_text() returns or raises ConnectionClosed",
    ),
    ((RECEIVE,), Check("", Is.OUTCOME, RUNTIME_ERROR), CALL, "receive_text() returns"),
    (
        (*OPEN, RECEIVE, SEND),
        Check("", Is.WAITING, WAITS),
        Check("", Is.WAITING, CLOSED),
        "receive_text() raises ConnectionClosed",
    ),
    (
        (*OPEN, MESSAGE, RECEIVE),
        Check("", Is.VALUE, "hello"),
        Check("", Is.VALUE, "other"),
        "receive_text() returns 'other'",
    ),
    (
        (*OPEN, SERVER_LOSES, SEND),
        Check("", Is.CAUSED, True),
        Check("", Is.OUTCOME, RETURNS),
        "send_text('x') returns",
    ),
    (
        OPEN,
        Check("", Is.KINDS, ("websocket.accept",)),
        Check("", Is.KINDS, ()),
        "sends nothing",
    ),
    ((RECEIVE,), Check("", Is.KINDS, ()), Check("", Is.KINDS, ("a",)), "sends a"),
    (
        (*OPEN, SEND),
        Check("", Is.SENT, ({"type": "websocket.send", "text": "x"},)),
        Check("", Is.SENT, ({"type": "websocket.send", "text": "y"},)),
        "sends websocket.send text='y'",
    ),
    (
        OPEN,
        Check("", Is.READ, 1),
        Check("", Is.READ, 2),
        "the connect event has been read",
    ),
    (OPEN, Check("", Is.ACCEPTED, True), Check("", Is.ACCEPTED, False), "accepted is False"),
    (OPEN, Check("", Is.SESSION_ID, None), Check("", Is.SESSION_ID, "a"), "session_id is 'a'"),
    (
        (CONNECTS, SUBPROTOCOL),
        Check("", Is.SUBPROTOCOL, "chat"),
        Check("", Is.SUBPROTOCOL, None),
        "websocket.accept with the subprotocol None",
    ),
    (
        (CONNECTS, SESSION),
        Check("", Is.COOKIES, (SESSION.kwargs["session_id"],)),
        Check("", Is.COOKIES, ()),
        "websocket.accept with the session IDs []",
    ),
    (
        (*OPEN, call(Act.CLOSE, code=4000, reason="bye")),
        Check("", Is.CODE, 4000),
        Check("", Is.CODE, 1000),
        "websocket.close with the code 1000",
    ),
    (
        (*OPEN, CLOSE),
        Check("", Is.REASON, None),
        Check("", Is.REASON, "bye"),
        "websocket.close with the reason 'bye'",
    ),
]


def play(letters: Sequence[Letter]) -> tuple[Probe, Played]:
    probe = Probe(TARGET, Stepper())
    return probe, perform(probe, letters)


@pytest.mark.parametrize(("letters", "holds", "fails", "words"), CHECKS)
def test_checks(letters: tuple[Letter, ...], holds: Check, fails: Check, words: str) -> None:
    for player in PLAYERS:
        seen = player.play(letters)
        assert first_failing((holds, fails), seen) is fails
        assert first_failing((holds,), seen) is None
        seen.close()
    probe, played = play(letters)
    ask(holds, probe, played)
    # Looking at what was sent forgets it.
    probe.finish()
    probe, played = play(letters)
    with pytest.raises(Broken) as caught:
        ask(fails, probe, played)
    probe.finish()
    assert caught.value.expected == words


class LetsErrorsOut(WebSocket):
    async def send_text(self, data: str) -> None:
        try:
            await super().send_text(data)
        except ConnectionClosed:
            raise ConnectionClosed from None


def test_an_error_from_elsewhere() -> None:
    target = Target(LetsErrorsOut, ConnectionClosed)
    letters = (*OPEN, SERVER_LOSES, SEND)
    check = Check("", Is.CAUSED, True)
    assert first_failing((check,), Stepped(target).play(letters)) is check
    probe = Probe(target, Stepper())
    with pytest.raises(Broken, match="raises ConnectionClosed from the server's OSError"):
        ask(check, probe, perform(probe, letters))


class SendsNoEvent(WebSocket):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await self._send(5)


def test_what_is_no_event() -> None:
    check = Check("", Is.KINDS, ("websocket.accept",))
    seen = Stepped(Target(SendsNoEvent, ConnectionClosed)).play(OPEN)
    assert first_failing((check,), seen) is check


def test_a_loop_sees_who_waits_end() -> None:
    class Wakes(WebSocket):
        """Ends the receive that waits when it closes."""

        waits: "asyncio.Future[str]"

        async def receive_text(self) -> str:
            self.waits = asyncio.get_running_loop().create_future()
            return await self.waits

        async def close(self, code: int = 1000, reason: str | None = None) -> None:
            self.waits.set_result("end")
            await asyncio.sleep(0)

    probe = Probe(Target(Wakes, ConnectionClosed), Loop())
    played = perform(probe, (*OPEN, RECEIVE, CLOSE, CANCEL))
    # There is nothing left to cancel, and what it had come to is still known.
    assert str(played.call) == "receive_text() returns 'end'"
    probe.finish()
