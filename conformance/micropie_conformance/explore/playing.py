"""Play sequences of letters to an implementation, and ask what came of the last one.

`Stepped` is for exploring: it does what a `Probe` does, without a record of it, and so many times
faster. `Probed` is for implementations that need an event loop. `ask` makes a failure known as a
case does.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from types import CoroutineType, coroutine
from typing import Any, Final, Protocol

from micropie_conformance.explore.alphabet import Called, Comes, Fails, Letter
from micropie_conformance.explore.model import (
    CLOSED,
    ERROR,
    ESCAPE,
    RETURNS,
    RUNTIME_ERROR,
    TYPE_ERROR,
    VALUE_ERROR,
    WAITS,
    Check,
    Is,
)
from micropie_conformance.facts import causes, cookies
from micropie_conformance.looping import Loop
from micropie_conformance.outcomes import BLOCKED, Raised, Returned, same, show
from micropie_conformance.probe import (
    Call,
    Event,
    Probe,
    Target,
    Unreached,
    copied,
    kind,
    matches,
    shown,
)
from micropie_conformance.stepping import NeedsLoop, examine
from micropie_conformance.steps import Check as Source
from micropie_conformance.steps import literal

__all__ = ["Played", "Player", "Probed", "Seen", "Stepped", "ask", "first_failing", "perform"]


class Seen(Protocol):
    """What came of the last letter of a sequence."""

    @property
    def outcome(self) -> int:
        """What the call came to: that which was made, or that which waited for an event."""
        ...

    @property
    def value(self) -> object:
        """What it returned, or the error that it raised."""
        ...

    @property
    def waiting(self) -> int:
        """What a call came to that waited before, when another was made."""
        ...

    @property
    def sent(self) -> list[Any]:
        """The events that were sent meanwhile."""
        ...

    @property
    def read(self) -> int:
        """How many events have been read since the beginning."""
        ...

    @property
    def error(self) -> Exception | None:
        """What the server raises."""
        ...

    def attribute(self, name: str) -> object:
        """Give the value of an attribute of the connection, or the error that it raises."""
        ...

    def close(self) -> None:
        """End what still waits."""


class Player(Protocol):
    """Plays sequences, each to a connection of its own."""

    @property
    def often(self) -> int:
        """After how many sequences the number is to be told, which is well below a second."""
        ...

    def play(self, letters: Sequence[Letter]) -> Seen:
        """Play a sequence.

        Raises:
            NeedsLoop: The implementation awaits what only an event loop can give.
            Unreached: A call cannot be made at all.
        """
        ...


class _Kinds(dict[type[BaseException], int]):
    """What is true of errors, by their class."""

    def __init__(self, closed: type[BaseException]) -> None:
        self._bits = (
            (Exception, ERROR),
            (RuntimeError, RUNTIME_ERROR),
            (closed, CLOSED),
            (ValueError, VALUE_ERROR),
            (TypeError, TYPE_ERROR),
        )

    def __missing__(self, error: type[BaseException]) -> int:
        found = sum(bit for each, bit in self._bits if issubclass(error, each)) or ESCAPE
        return self.setdefault(error, found)


async def _awaited(awaitable: Any) -> object:
    return await awaitable


_PARKED: Final = object()


@coroutine
def _park() -> Generator[object, None, None]:
    yield _PARKED


class _Server:
    """The server of one connection, and what came of the last letter."""

    __slots__ = (
        "connection",
        "error",
        "inbox",
        "outcome",
        "read",
        "sent",
        "value",
        "waiting",
        "waits",
    )

    def __init__(self) -> None:
        self.inbox: deque[Event] = deque()
        self.sent: list[Any] = []
        self.error: Exception | None = None
        self.read: int = 0
        self.connection: object = None
        self.outcome: int = 0
        self.value: object = None
        self.waiting: int = 0
        # The call that waits.
        self.waits: Any = None

    async def receive(self) -> Event:
        while not self.inbox:
            await _park()
        self.read += 1
        return self.inbox.popleft()

    async def send(self, event: Any) -> None:
        self.sent.append(event)
        if self.error is not None:
            raise self.error

    def ends(self, outcome: int, value: object) -> None:
        self.outcome = outcome
        self.value = value
        self.waits = None

    def attribute(self, name: str) -> object:
        try:
            return getattr(self.connection, name)
        except BaseException as error:
            return error

    def close(self) -> None:
        if self.waits is not None:
            # One that does not want to end is not ours to blame here.
            with suppress(BaseException):
                self.waits.close()
        # Both lead back to here, the error by its traceback. Left to the garbage collector,
        # they would take as long as the sequence.
        self.connection = self.value = self.waits = None


class Stepped:
    """Plays by stepping coroutines by hand."""

    often = 5000

    def __init__(self, target: Target) -> None:
        """Hold the target; nothing is called yet."""
        self._factory = target.factory
        self._kinds = _Kinds(target.closed)

    def play(self, letters: Sequence[Letter]) -> _Server:
        """Play a sequence.

        Raises:
            NeedsLoop: The implementation awaits what only an event loop can give.
            Unreached: Its constructor raises.
        """
        server = _Server()
        kinds = self._kinds
        try:
            server.connection = connection = self._factory(server.receive, server.send)
        except BaseException as error:
            examine(error)
            raise Unreached(f"the constructor raises {show(error)}") from error
        for letter in letters:
            if server.sent:
                server.sent = []
            # One kind of letter has one class.
            if type(letter) is Called:
                other, server.waits = server.waits, None
                try:
                    call = letter.made(connection)
                    if type(call) is not CoroutineType:
                        call = _awaited(call)
                except BaseException as error:
                    server.ends(kinds[type(error)], error)
                else:
                    _go_on(server, call, kinds)
                if other is not None:
                    # Nothing but an event can wake it.
                    server.waits = other
                    server.waiting = WAITS
            elif type(letter) is Comes:
                server.inbox.append({**letter.event})
                if server.waits is not None:
                    _go_on(server, server.waits, kinds)
            elif isinstance(letter, Fails):
                server.error = letter.error(letter.words)
            else:
                _go_on(server, server.waits, kinds, asyncio.CancelledError())
        return server


def _go_on(server: _Server, call: Any, kinds: _Kinds, error: BaseException | None = None) -> None:
    try:
        waits_for = call.send(None) if error is None else call.throw(error)
    except StopIteration as stop:
        # What `ends` does, without a call: so most calls end.
        server.outcome = RETURNS
        server.value = stop.value
        server.waits = None
    except BaseException as error:
        server.ends(kinds[error.__class__], error)
    else:
        if waits_for is not _PARKED:
            raise NeedsLoop
        server.outcome = WAITS
        server.waits = call


class Probed:
    """Plays as any case does, with a `Probe` in an event loop."""

    often = 50

    def __init__(self, target: Target) -> None:
        """Hold the target; nothing is called yet."""
        self._target = target
        self._kinds = _Kinds(target.closed)

    def play(self, letters: Sequence[Letter]) -> "_Probe":
        """Play a sequence."""
        probe = Probe(self._target, Loop())
        played = perform(probe, letters)
        return _Probe(probe, played, self._kinds)


class Played:
    """The calls of a sequence that a probe plays, and the rest of what `ask` needs."""

    def __init__(self) -> None:
        """Begin with nothing played."""
        self.call: Call | None = None
        # The call that waits, when another is made.
        self.other: Call | None = None
        self.error: Exception | None = None


def perform(probe: Probe, letters: Sequence[Letter]) -> Played:
    """Let a probe play a sequence; what was sent before its last letter is forgotten.

    Raises:
        Unreached: A method is not there, or does not take its arguments.
    """
    played = Played()
    # The call that waits, or the last that did: another may have ended it early.
    waits: Call | None = None
    # Even if nothing is done with it.
    probe.make()
    for letter in letters:
        probe.look()
        match letter:
            case Called(method=method, args=args, kwargs=kwargs):
                played.other = waits
                alone = waits is None or waits.outcome is not BLOCKED
                played.call = probe.start(method, *args, **kwargs)
                if alone:
                    waits = played.call
            case Comes(event=event):
                played.call, played.other = waits, None
                probe.deliver(event)
            case Fails(error=error, words=words):
                played.error = error(words)
                probe.fail_sends(played.error)
            case _:
                assert waits is not None
                played.call, played.other = waits, None
                probe.cancel(waits)
    return played


class _Probe:
    """What a probe has seen."""

    def __init__(self, probe: Probe, played: Played, kinds: _Kinds) -> None:
        self._probe = probe
        self._kinds = kinds
        self.outcome: int
        self.value: object
        self.outcome, self.value = self._of(played.call)
        self.waiting: int = self._of(played.other)[0]
        self.sent: list[Event] = probe.sent
        self.read: int = probe.read
        self.error: Exception | None = played.error

    def _of(self, call: Call | None) -> tuple[int, object]:
        match call.outcome if call is not None else None:
            case Returned(value):
                return RETURNS, value
            case Raised(error):
                return self._kinds[type(error)], error
            case _:
                return WAITS, None

    def attribute(self, name: str) -> object:
        match self._probe.attribute(name):
            case Returned(value):
                return value
            case outcome:
                return outcome

    def close(self) -> None:
        self._probe.finish()


def first_failing(checks: Sequence[Check], seen: Seen) -> Check | None:
    """Give the first check that does not hold for what was seen; None: all of them hold."""
    for check in checks:
        try:
            if not _ANSWERS[check.asks](seen, check.expected):
                return check
        except BaseException:
            # What was sent may be of any class there is, and not even let itself be looked at.
            return check
    return None


def _expected_kinds(seen: Seen, expected: Any) -> bool:
    sent = seen.sent
    return [kind(event) for event in sent] == [*expected] if sent else not expected


def _expected_events(seen: Seen, expected: Any) -> bool:
    return len(seen.sent) == len(expected) and all(map(matches, seen.sent, expected))


def _caused(seen: Seen, _: Any) -> bool:
    return isinstance(seen.value, BaseException) and seen.error in causes(seen.value)


def _event(seen: Seen) -> Event:
    # Copied, as its headers may be there to be looked at once only.
    event = seen.sent[0] = copied(seen.sent[0])
    return event


# How each question is answered, of what was seen and with what is expected.
_ANSWERS: Final[dict[Is, Callable[[Seen, Any], bool]]] = {
    Is.OUTCOME: lambda seen, expected: bool(seen.outcome & expected),
    Is.VALUE: lambda seen, expected: seen.outcome == RETURNS and same(seen.value, expected),
    Is.CAUSED: _caused,
    Is.WAITING: lambda seen, expected: bool(seen.waiting & expected),
    Is.KINDS: _expected_kinds,
    Is.SENT: _expected_events,
    Is.SUBPROTOCOL: lambda seen, expected: same(_event(seen).get("subprotocol"), expected),
    Is.COOKIES: lambda seen, expected: _sessions(_event(seen)) == [*expected],
    Is.CODE: lambda seen, expected: same(_code(_event(seen)), expected),
    Is.REASON: lambda seen, expected: same(_reason(_event(seen)), expected),
    Is.READ: lambda seen, expected: bool(seen.read >= expected),
    Is.ACCEPTED: lambda seen, expected: same(seen.attribute("accepted"), expected),
    Is.SESSION_ID: lambda seen, expected: same(seen.attribute("session_id"), expected),
}


def _sessions(event: Event) -> list[str]:
    pairs = [cookie.split(";")[0].strip() for cookie in cookies(event.get("headers") or [])]
    return [pair.removeprefix("session_id=") for pair in pairs]


def _code(event: Event) -> object:
    # ASGI: "Optional; if missing defaults to 1000".
    return event.get("code", 1000)


def _reason(event: Event) -> object:
    return event.get("reason") or None


def ask(check: Check, probe: Probe, played: Played) -> None:
    """Ask a check once more, of what a probe has played.

    Raises:
        Broken: It does not hold.
    """
    asks, expected = check.asks, check.expected
    call = played.other if asks is Is.WAITING else played.call
    match asks:
        case Is.KINDS:
            probe.expect_kinds(*expected)
        case Is.SENT:
            probe.expect_sent(*expected)
        case Is.ACCEPTED:
            probe.expect_attribute("accepted", expected)
        case Is.SESSION_ID:
            probe.expect_attribute("session_id", expected)
        case Is.READ:
            probe.expect(probe.read >= expected, "the connect event has been read", "it has not")
        case Is.OUTCOME | Is.WAITING | Is.VALUE | Is.CAUSED:
            # A check of these is there only where there is a call.
            assert call is not None
            if asks is Is.VALUE:
                probe.expect_returned(call, expected)
            elif asks is Is.CAUSED:
                assert isinstance(played.error, OSError)
                probe.expect_closed_by(call, played.error)
            else:
                _ask_outcome(probe, call, expected)
        case _:
            _ask_event(probe, asks, expected)


# The errors that a set of outcomes can allow, and how they are told.
_ERRORS: Final[tuple[tuple[int, type[BaseException]], ...]] = (
    (RUNTIME_ERROR, RuntimeError),
    (VALUE_ERROR, ValueError),
    (TYPE_ERROR, TypeError),
    (ERROR, Exception),
)


def _ask_outcome(probe: Probe, call: Call, allowed: int) -> None:
    errors: list[type[BaseException]] = [error for bit, error in _ERRORS if allowed & bit]
    if allowed & CLOSED:
        errors.append(probe.target.closed)
    if allowed == RETURNS | ERROR | ESCAPE:
        probe.expect_at_once(call)
    elif allowed == RETURNS:
        probe.expect_returns(call)
    elif allowed == CLOSED:
        probe.expect_closed(call)
    elif allowed & WAITS and not errors:
        probe.expect_waits(call)
    elif not allowed & (WAITS | RETURNS):
        probe.expect_raised(call, *errors)
    else:
        # The one way to go on, or an error.
        other = "waits" if allowed & WAITS else "returns"
        goes_on = BLOCKED if allowed & WAITS else call.outcome
        names = [
            "ConnectionClosed" if error is probe.target.closed else error.__name__
            for error in errors
        ]
        holds = (
            call.outcome.of(*errors)
            if isinstance(call.outcome, Raised)
            else call.outcome is goes_on and (other == "waits" or call.outcome is not BLOCKED)
        )
        source = Source(
            f"{call.name}.outcome == {literal(other)} "
            f"or isinstance({call.name}.error, {' | '.join(names)})",
            shown(call),
        )
        words = f"{call.words} {other} or raises {' or '.join(names)}"
        probe.expect(holds, words, str(call), source)


_COOKIES_SOURCE: Final = (
    '[one.split(";")[0].strip().removeprefix("session_id=") '
    'for one in cookies(sent[0].get("headers") or [])]'
)


def _ask_event(probe: Probe, asks: Is, expected: Any) -> None:
    event = probe.sent[0]
    found: object
    match asks:
        case Is.SUBPROTOCOL:
            what, found, source = (
                "subprotocol",
                event.get("subprotocol"),
                'sent[0].get("subprotocol")',
            )
        case Is.COOKIES:
            what, found, source = "session IDs", _sessions(event), _COOKIES_SOURCE
            expected = [*expected]
        case Is.CODE:
            what, found, source = "code", _code(event), 'sent[0].get("code", 1000)'
        case _:
            what, found, source = "reason", _reason(event), '(sent[0].get("reason") or None)'
    holds = found == expected if asks is Is.COOKIES else same(found, expected)
    probe.expect(
        holds,
        f"{kind(event)} with the {what} {show(expected)}",
        show(found),
        Source(f"{source} == {literal(expected)}", source),
    )
