"""What is wrong is found, in its shortest form, and named by the clause that it breaks."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from micropie_conformance.explore.alphabet import (
    ACCEPT,
    CANCEL,
    CONNECTS,
    LETTERS,
    Act,
    Called,
    Came,
    Cancels,
    Comes,
    Fails,
)
from micropie_conformance.explore.explorer import Explorer, Failure
from micropie_conformance.explore.playing import Probed, Stepped
from micropie_conformance.probe import Target

from micropie import ConnectionClosed, WebSocket

Event = dict[str, Any]


class TextsAreNever(WebSocket):
    """A text with an unused key is not seen, as in an implementation that asks for the key."""

    async def receive_text(self) -> str:
        async def receive() -> Event:
            event = await inner()
            return {**event, "text": None} if "bytes" in event and "text" in event else dict(event)

        inner = self._receive
        self._receive = receive
        try:
            return await super().receive_text()
        finally:
            self._receive = inner


class RemembersTheArgument(WebSocket):
    """What was refused is taken with the next text."""

    left = ""

    async def send_text(self, data: str) -> None:
        if not isinstance(data, str):
            self.left = "left"
            raise TypeError
        await super().send_text(data + self.left)


class SkipsEachSecond(WebSocket):
    """The second message is lost."""

    async def receive_text(self) -> str:
        if getattr(self, "had_one", False):
            await super().receive_text()
        self.had_one = True
        return await super().receive_text()


class IsOverWhenCancelled(WebSocket):
    """A cancelled receive makes the next one raise."""

    cancelled = False

    async def receive_text(self) -> str:
        if self.cancelled:
            raise LookupError("cancelled before")
        try:
            return await super().receive_text()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


class IsAccepted(WebSocket):
    """It says so from the first."""

    @property
    def accepted(self) -> bool:
        return True


class NeverAccepts(WebSocket):
    """Then there is little to explore."""

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        raise LookupError


def words(failure: Failure) -> list[str]:
    def one(letter: Called | Comes | Fails | Cancels) -> str:
        match letter:
            case Called():
                return letter.method
            case Comes():
                return str(letter.event["type"]).removeprefix("websocket.")
            case Fails():
                return "fails"
            case Cancels():
                return "cancel"

    return [one(letter) for letter in failure.letters]


def explore(
    factory: Callable[..., object], depth: int, player: type[Stepped | Probed] = Stepped
) -> tuple[Explorer, list[Failure]]:
    explorer = Explorer(player(Target(factory, ConnectionClosed)), depth, 2)
    return explorer, [found for found in explorer.run() if isinstance(found, Failure)]


@pytest.mark.parametrize(
    ("factory", "depth", "clause", "sequence"),
    [
        (TextsAreNever, 2, "WS-MSG-001", ["connect", "accept", "receive_text", "receive"]),
        (
            RemembersTheArgument,
            2,
            "WS-SEND-003",
            ["connect", "accept", "send_text", "send_text"],
        ),
        (
            IsOverWhenCancelled,
            3,
            "WS-CANCEL-001",
            ["connect", "accept", "receive_text", "cancel", "receive_text"],
        ),
        (IsAccepted, 2, "WS-ATTR-001", []),
        (NeverAccepts, 2, "WS-ACCEPT-002", ["accept"]),
    ],
)
def test_failures(
    factory: Callable[..., object], depth: int, clause: str, sequence: list[str]
) -> None:
    explorer = Explorer(Stepped(Target(factory, ConnectionClosed)), depth, 3)
    failures = (one for one in explorer.run() if isinstance(one, Failure))
    first = next(failure for failure in failures if failure.clause == clause)
    assert words(first) == sequence


class HasNoSession(WebSocket):
    """It knows of no session ID."""

    @property
    def session_id(self) -> str | None:
        raise AttributeError

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept(subprotocol)


class TakesAnyCode(WebSocket):
    """A close code that cannot be sent closes it."""

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        try:
            await super().close(code, reason)
        except (TypeError, ValueError):
            await super().close()


class ClosesWithout(WebSocket):
    """One of the two arguments is forgotten, by itself or when both are there."""

    forgotten: tuple[str, ...] = ()

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        both = code != 1000 and reason is not None
        if "code" in self.forgotten or ("both" in self.forgotten and both):
            code = 1000
        await super().close(code, None if "reason" in self.forgotten else reason)


@pytest.mark.parametrize(
    ("forgotten", "kwargs"),
    [
        (("code",), {"code": 4000}),
        (("reason",), {"reason": "bye"}),
        (("code", "reason"), {"code": 4000}),
        (("both",), {"code": 4000, "reason": "bye"}),
    ],
)
def test_an_argument_that_takes_no_part_is_left_out(
    forgotten: tuple[str, ...], kwargs: dict[str, object]
) -> None:
    _, failures = explore(type("Socket", (ClosesWithout,), {"forgotten": forgotten}), 1)
    last = next(one for one in failures if one.clause == "WS-CLOSE-002").letters[-1]
    assert isinstance(last, Called)
    assert last.kwargs == kwargs


@pytest.mark.parametrize(
    ("factory", "charged", "excuses"),
    [
        # The attribute is asked for everywhere, under whatever clause; nothing else is without it.
        (
            HasNoSession,
            {"WS-ATTR-004"},
            {"WS-ATTR-004", "WS-ATTR-006", "WS-ATTR-007", "WS-COOKIE-001"}
            | {"WS-COOKIE-003", "WS-COOKIE-005"},
        ),
        # What comes of a call that does not apply is charged to no other clause.
        (
            TakesAnyCode,
            {"WS-CLOSE-004", "WS-CLOSE-005", "WS-CLOSE-006"},
            {"WS-CLOSE-004", "WS-CLOSE-005", "WS-CLOSE-006"},
        ),
    ],
)
def test_clauses_that_do_not_apply_are_not_charged(
    factory: Callable[..., object], charged: set[str], excuses: set[str]
) -> None:
    def explored(excuses: set[str]) -> tuple[set[str], set[str]]:
        player = Stepped(Target(factory, ConnectionClosed))
        explorer = Explorer(player, 2, excuses=excuses)
        found = {one.clause for one in explorer.run() if isinstance(one, Failure)}
        return found, explorer.reached()

    assert explored(set())[0] == charged
    found, reached = explored(excuses)
    assert found == set()
    assert "WS-SEND-001" in reached


def test_the_reference_has_no_failure() -> None:
    explorer, failures = explore(WebSocket, 2)
    assert failures == []
    assert explorer.sequences > 1000
    assert {"WS-RECV-001", "WS-RECV-005", "WS-NEW-004"} <= explorer.reached()


def test_a_loop_is_explored_as_well() -> None:
    class Sleeps(WebSocket):
        async def send_text(self, data: str) -> None:
            await asyncio.sleep(0)
            await super().send_text(data)

    explorer, failures = explore(Sleeps, 1, Probed)
    assert failures == []
    assert explorer.sequences > 40


def test_the_number_of_sequences_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stepped, "often", 100)
    explorer = Explorer(Stepped(Target(WebSocket, ConnectionClosed)), 2)
    numbers = [found for found in explorer.run() if isinstance(found, int)]
    assert len(numbers) > 5
    assert numbers == sorted(numbers)
    assert numbers[-1] == explorer.sequences


def test_what_is_known_is_not_told_again() -> None:
    _, failures = explore(RemembersTheArgument, 2)
    assert len({failure.letters for failure in failures}) == len(failures) < 5


def test_what_goes_together_is_left_out_together() -> None:
    class TakesAnySessionId(WebSocket):
        """It waits for the connect event, where it is to refuse the argument at once."""

        async def accept(
            self, subprotocol: str | None = None, session_id: str | None = None
        ) -> None:
            if isinstance(session_id, str):
                session_id = "".join(session_id.replace(":", "").split())
            await super().accept(subprotocol, session_id)

    explorer = Explorer(Stepped(Target(TakesAnySessionId, ConnectionClosed)), 3, 1)
    clauses = {found.clause for found in explorer.run() if isinstance(found, Failure)}
    # Not that of a cancelled accept() before it, which is no shorter without its cancellation.
    assert "WS-COOKIE-003" in clauses
    assert "WS-CANCEL-002" not in clauses


def test_a_message_that_is_lost_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    # It is found from the beginning too, but late.
    plain = [letter for letter in LETTERS if isinstance(letter, Called | Comes)]
    receive = next(one for one in plain if isinstance(one, Called) and one.act is Act.RECEIVE)
    message = next(one for one in plain if isinstance(one, Comes) and one.came is Came.MESSAGE)
    roots = [(CONNECTS, ACCEPT, message, receive), (CONNECTS, ACCEPT, receive, message)]
    for root in roots:
        monkeypatch.setattr("micropie_conformance.explore.explorer.ROOTS", (root,))
        _, failures = explore(SkipsEachSecond, 2)
        assert {failure.clause for failure in failures} == {"WS-RECV-007"}
        assert len(failures[0].letters) == 6


def test_a_root_that_is_not_explored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("micropie_conformance.explore.explorer.ROOTS", ((CANCEL,),))
    explorer, failures = explore(WebSocket, 2)
    assert (explorer.sequences, failures) == (0, [])
