"""What a case in memory works with: a connection under test between a case and a server.

A case arranges (`open`, `deliver`, ...), calls, and judges (`expect_...`). An arrangement that
does not come about raises `Unreached`: the case says nothing about its own clause then, as the
fault belongs to another. A judgement that fails raises `Broken`. Both are AssertionErrors.
Every step is recorded, in words and as data, so that a failure shows the whole sequence of calls
and events, and a program can go through it again.
"""

import asyncio
import inspect
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from micropie_conformance.facts import causes
from micropie_conformance.outcomes import BLOCKED, Outcome, Raised, Returned, same, show
from micropie_conformance.stepping import Driver
from micropie_conformance.steps import (
    Cancel,
    Check,
    Clear,
    Deliver,
    Fail,
    Go,
    Hold,
    Make,
    Need,
    Pace,
    Retry,
    Start,
    Step,
    literal,
)

__all__ = [
    "CONNECT",
    "DISCONNECT",
    "NO_SUCH_CALL",
    "Broken",
    "Call",
    "Event",
    "NotApplicable",
    "Order",
    "Probe",
    "SaysNothing",
    "Target",
    "Unreached",
    "binary",
    "copied",
    "kind",
    "matches",
    "message",
    "shown",
    "text",
]

T = TypeVar("T")

Event: TypeAlias = Mapping[str, Any]

CONNECT: Event = {"type": "websocket.connect"}
DISCONNECT: Event = {"type": "websocket.disconnect", "code": 1001, "reason": "going away"}

# What a call has come to, as in a `Check`.
_RETURNS = '{}.outcome == "returns"'
_RAISES = '{}.outcome == "raises"'
_WAITS = '{}.outcome == "waits"'
_CLOSED = "isinstance({}.error, ConnectionClosed)"

_TYPES = '[event.get("type") for event in sent]'

# How often the server lets something go on while calls race; more comes from no sane one.
_MOST_TURNS = 50

# More headers than an implementation could mean to send.
_MOST_HEADERS = 1000


def text(data: str) -> Event:
    """Give the event of a text message, in its plainest form."""
    return {"type": "websocket.receive", "text": data}


def binary(data: bytes) -> Event:
    """Give the event of a binary message, in its plainest form."""
    return {"type": "websocket.receive", "bytes": data}


def message(method: str, data: str) -> tuple[Event, str | bytes]:
    """Give a message of the kind that a receive method is for, and what it is to return."""
    if method == "receive_text":
        return text(data), data
    return binary(data.encode()), data.encode()


class Broken(AssertionError):
    """The implementation does not do what the clause says."""

    def __init__(self, expected: str, observed: str, check: Check | None = None) -> None:
        """Say what was expected and what was observed, each in a few words, and how to check it."""
        super().__init__(f"expected: {expected}; observed: {observed}")
        self.expected = expected
        self.observed = observed
        self.check = check


class Unreached(AssertionError):
    """The situation that the clause speaks of did not come about."""


class SaysNothing(Exception):
    """In this order of what races, it does not come to what the case is about."""


class Order:
    """What comes next, wherever more than one thing can; by `following`, every order has its turn.

    Args:
        choices: What to choose, by its number; where they end, the first.
    """

    def __init__(self, choices: Sequence[int] = ()) -> None:
        """Hold the choices."""
        self._choices = list(choices)
        # How many there were to choose from, each time.
        self._widths: list[int] = []

    def choose(self, width: int) -> int:
        """Give the number of one of `width` things."""
        number = len(self._widths)
        self._widths.append(width)
        if number == len(self._choices):
            self._choices.append(0)
        # An implementation may do something else each time, and leave less to choose from.
        self._choices[number] = min(self._choices[number], width - 1)
        return self._choices[number]

    def following(self) -> "Order | None":
        """Give the order after this one, which has been gone through; None: it was the last."""
        choices = self._choices[: len(self._widths)]
        while choices:
            last = choices.pop() + 1
            if last < self._widths[len(choices)]:
                return Order([*choices, last])
        return None


class NotApplicable(Exception):
    """The implementation has no counterpart of what the clause speaks of."""


class Target:
    """An implementation under test.

    Args:
        factory: Called as `factory(receive, send)`.
        closed: Its exception for "the connection is over".
        spec: What names the factory, `module:attr` or `path/to/file.py:attr`; empty: nothing does.
        closed_spec: The same for `closed`.
        not_applicable: Why it has no counterpart of what a clause speaks of, by the clause's id.
    """

    def __init__(
        self,
        factory: Callable[..., object],
        closed: type[BaseException],
        spec: str = "",
        closed_spec: str = "",
        not_applicable: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Hold them; nothing is called yet."""
        self.factory = factory
        self.closed = closed
        self.spec = spec
        self.closed_spec = closed_spec
        self.not_applicable = not_applicable


NO_METHOD = "is no method"
NO_SUCH_CALL = "does not take these arguments"
NO_AWAITABLE = "gives nothing that can be awaited"


class Call:
    """One call of a method of the connection."""

    def __init__(self, words: str, name: str = "call") -> None:
        """Hold the call as it is written in code, and a name for it that no other call has."""
        self.words = words
        self.name = name
        self.outcome: Outcome = BLOCKED
        # What is wrong with the method itself, before it is about what it does; else empty.
        self.misfit = ""
        self.handle: object = None

    def __str__(self) -> str:
        """Say what it came to."""
        return f"{self.words} {self.outcome}"


class _Turn:
    """One `receive` or `send` of the server that has not returned yet."""

    def __init__(self, words: str, ready: Callable[[], bool]) -> None:
        self.words = words
        self.ready = ready


class Probe:
    """A connection under test, and the server around it.

    Args:
        target: The implementation.
        driver: What runs its coroutines.
        order: What comes next in a `race`, or which of `each`.
    """

    def __init__(self, target: Target, driver: Driver, order: Order | None = None) -> None:
        """Prepare the server; the connection is made by the first use."""
        self.target = target
        self.trace: list[str] = []
        self.steps: list[Step] = []
        # What was judged, in words, whether it holds or not.
        self.expected: list[str] = []
        # Events that the implementation has handed over, oldest first, those that the server
        # raised at too. They are copies, taken when they came.
        self.sent: list[Event] = []
        # How many events the implementation has read.
        self.read: int = 0
        self._driver = driver
        self._calls: Counter[str] = Counter()
        self._inbox: deque[Event] = deque()
        self._send_error: BaseException | None = None
        self._holds = False
        # Those that wait for the server, oldest first, and whether each waits to be let go on.
        self._turns: list[_Turn] = []
        self._paced = False
        self.order: Order = Order() if order is None else order
        self._connection: object = None
        self._made = False
        self._over = False

    # The server

    def deliver(self, *events: Event) -> None:
        """Let the server have these events for the implementation, and run."""
        self.steps.append(Deliver(events))
        for event in events:
            self._note(f"server has   {describe(event)}")
            self._inbox.append(event)
        self._driver.settle()

    def fail_sends(self, error: BaseException | None) -> None:
        """Let the server raise `error` at each event that it is sent; None: no more."""
        self._note(
            "server works again"
            if error is None
            else f"server will  raise {show(error)} at each send"
        )
        self.steps.append(Fail(error))
        self._send_error = error

    def hold_sends(self) -> None:
        """Let the server take events without returning from `send`, until `release_sends`."""
        self._note("server holds every send")
        self.steps.append(Hold(True))
        self._holds = True

    def release_sends(self) -> None:
        """Let the held sends return, and run."""
        self._note("server lets the sends return")
        self.steps.append(Hold(False))
        self._holds = False
        self._driver.settle()

    async def _receive(self) -> Event:
        await self._turn("receive", lambda: bool(self._inbox))
        event = self._inbox.popleft()
        self.read += 1
        self._note(f"reads        {describe(event)}")
        return event

    async def _send(self, event: object) -> None:
        copy = copied(event)
        self._note(f"sends        {describe(copy)}")
        self.sent.append(copy)
        if self._send_error is not None:
            self._note(f"server       raises {show(self._send_error)}")
            raise self._send_error
        if self._holds or self._paced:
            await self._turn(f"send of {kind(copy)}", lambda: not self._holds)

    async def _turn(self, words: str, ready: Callable[[], bool]) -> None:
        """Wait until it is ready and, while the server is paced, has been let go on."""
        turn = _Turn(words, ready)
        self._turns.append(turn)
        try:
            await self._driver.park(lambda: ready() and not (self._paced and turn in self._turns))
        finally:
            if turn in self._turns:
                self._turns.remove(turn)

    # The connection

    def make(self, **options: object) -> None:
        """Make the connection, `factory(receive, send, **options)`.

        Raises:
            Unreached: The factory raised, and the case is not about that.
        """
        outcome = self.try_make(**options)
        if isinstance(outcome, Raised):
            raise Unreached(f"the constructor {outcome}")

    def try_make(self, **options: object) -> Outcome:
        """Make the connection and give what became of it."""
        self._made = True
        self.steps.append(Make(options))
        outcome = self._try(lambda: self.target.factory(self._receive, self._send, **options))
        if isinstance(outcome, Returned):
            self._connection = outcome.value
        self._note(f"constructor  {outcome if isinstance(outcome, Raised) else 'returns'}")
        return outcome

    def _try(self, function: Callable[[], object]) -> Outcome:
        outcome: Outcome = BLOCKED

        def attempt() -> None:
            nonlocal outcome
            try:
                outcome = Returned(function())
            except BaseException as error:
                self._driver.examine(error)
                outcome = Raised(error)

        self._driver.call(attempt)
        return outcome

    @property
    def connection(self) -> object:
        """The connection itself, made if need be, for looking at its methods."""
        if not self._made:
            self.make()
        return self._connection

    def start(self, method: str, *args: object, **kwargs: object) -> Call:
        """Call a method, run until all is blocked, and give the call.

        Raises:
            Unreached: It cannot be called so; that is the fault of a clause of WS-SIGN alone.
        """
        call = self.try_start(method, *args, **kwargs)
        if call.misfit:
            raise Unreached(f"{call.words} {call.misfit}")
        return call

    def try_start(self, method: str, *args: object, **kwargs: object) -> Call:
        """Call a method that may not be there, run until all is blocked, and give the call."""
        # Made first, as its step comes first.
        connection = self.connection
        self._calls[method] += 1
        number = self._calls[method]
        name = method if number == 1 else f"{method}_{number}"
        self.steps.append(Start(name, method, args, kwargs))
        return self._started(name, connection, method, args, kwargs)

    def retry(self, call: Call, method: str) -> Call:
        """Call a method without arguments again, unless `call` has returned; give the last call."""
        self.steps.append(Retry(call.name, method))
        if isinstance(call.outcome, Returned):
            return call
        return self._started(call.name, self.connection, method, (), {})

    def _started(
        self,
        name: str,
        connection: object,
        method: str,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> Call:
        call = Call(f"{method}({_arguments(args, kwargs)})", name)
        self._note(f"call         {call.words}")
        call.handle = self._driver.start(self._run(call, connection, method, args, kwargs))
        if call.outcome is BLOCKED:
            self._note(f"waits        {call.words}")
        return call

    def cancel(self, call: Call) -> None:
        """Cancel a call that waits."""
        self.steps.append(Cancel(call.name))
        self._note(f"cancel       {call.words}")
        self._driver.cancel(call.handle)

    def cancel_as_it_comes(self, call: Call, event: Event, after: int) -> None:
        """Deliver an event, and cancel a call that waits so many steps of the loop later."""
        self.steps.append(Cancel(call.name, event, after))
        self._note(f"server has   {describe(event)}")
        self._inbox.append(event)
        self._note(f"cancel       {call.words}, {after} steps later")
        self._driver.cancel(call.handle, after)

    def race(
        self, *calls: Sequence[object], events: Sequence[Event] = (), cancel: bool = False
    ) -> list[Call]:
        """Make calls at once, and give them when all has ended or waits.

        In each of the orders that there are: which call starts next, which `receive` or `send` of
        the server returns next, and when the first call is cancelled.

        Args:
            calls: For each, the method and its arguments.
            events: What the server has for them.
            cancel: Whether the first call is cancelled, wherever it waits.

        Raises:
            SaysNothing: A call is made when all before it have ended.
            Unreached: It does not come to an end.
        """
        self._pace(True)
        self.deliver(*events)
        made: dict[int, Call] = {}
        cancelled = False
        for _ in range(_MOST_TURNS):
            waiting = [number for number, call in made.items() if call.outcome is BLOCKED]
            starts = [number for number in range(len(calls)) if number not in made]
            goes = [number for number, turn in enumerate(self._turns) if turn.ready()]
            cancels = [0] if cancel and not cancelled and 0 in waiting else []
            options = [("start", one) for one in starts] + [("go", one) for one in goes]
            options += [("cancel", one) for one in cancels]
            if not options:
                self._pace(False)
                return [made[number] for number in range(len(calls))]
            what, number = options[self.order.choose(len(options))]
            if what == "go":
                self._go(number)
            elif what == "cancel":
                cancelled = True
                self.cancel(made[0])
            elif made and not waiting:
                raise SaysNothing
            else:
                method, *args = calls[number]
                made[number] = self.start(str(method), *args)
        raise Unreached(f"it goes on for more than {_MOST_TURNS} turns")

    def each(self, things: Sequence[T]) -> T:
        """Give one of these things; the case is run for each of them, on a fresh connection."""
        return things[self.order.choose(len(things))]

    def _pace(self, paced: bool) -> None:
        self._note(
            "server lets one receive or send go on at a time"
            if paced
            else "server lets all of them go on"
        )
        self.steps.append(Pace(paced))
        self._paced = paced
        self._driver.settle()

    def _go(self, number: int) -> None:
        self.steps.append(Go(number))
        self._note(f"server lets  {self._turns.pop(number).words} go on")
        self._driver.settle()

    def attribute(self, name: str) -> Outcome:
        """Read an attribute of the connection."""
        connection = self.connection
        outcome = self._try(lambda: getattr(connection, name))
        self._note(f"attribute    {name} {_is(outcome)}")
        return outcome

    def left_behind(self) -> list[str]:
        """Name the tasks that the implementation started and that still run."""
        return self._driver.left_behind()

    async def _run(
        self,
        call: Call,
        connection: object,
        method: str,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> None:
        try:
            # The connection is of any class there is; what it is not shows as an outcome.
            call.misfit = NO_METHOD
            function: Callable[..., Awaitable[object]] = getattr(connection, method)
            if not callable(function):
                raise TypeError(f"{method} is {show(function)}")
            call.misfit = ""
            try:
                awaitable = function(*args, **kwargs)
            except TypeError as error:
                if _is_refused(error, function, args, kwargs):
                    call.misfit = NO_SUCH_CALL
                raise
            call.misfit = "" if inspect.isawaitable(awaitable) else NO_AWAITABLE
            call.outcome = Returned(await awaitable)
        except BaseException as error:
            if self._over:
                raise
            self._driver.examine(error)
            call.outcome = Raised(error)
        self._note(f"{_verb(call.outcome):<12} {call.words} {_rest(call.outcome)}".rstrip())

    # Arrangements

    def open(self, **kwargs: object) -> None:
        """Bring the connection to OPEN, with nothing sent or read to be accounted for.

        Raises:
            Unreached: `accept` did not do its part.
        """
        self.deliver(CONNECT)
        self.do("accept", **kwargs)
        types = [kind(event) for event in self.sent]
        if types != ["websocket.accept"]:
            raise Unreached(f"accept() sent {types} instead of one websocket.accept")
        self.look()

    def receive_one(self, *methods: str) -> None:
        """Let a message come and receive it, with each method, on the open connection.

        Raises:
            Unreached: It is not received; so what else the case is about cannot be told.
        """
        for method in methods:
            event, expected = message(method, "first")
            self.deliver(event)
            if not same(self.do(method), expected):
                raise Unreached(f"{method}() does not return {show(expected)}")

    def do(self, method: str, *args: object, **kwargs: object) -> object:
        """Call a method that must return for the case to go on, and give its value.

        Raises:
            Unreached: It raised, or it waits.
        """
        call = self.start(method, *args, **kwargs)
        if not isinstance(call.outcome, Returned):
            raise Unreached(str(call))
        self._need(_RETURNS, call)
        return call.outcome.value

    def begin(self, method: str, *args: object, **kwargs: object) -> Call:
        """Call a method that must wait for the case to go on.

        Raises:
            Unreached: It returned or raised at once.
        """
        call = self.start(method, *args, **kwargs)
        if call.outcome is not BLOCKED:
            raise Unreached(f"{call} instead of waiting")
        self._need(_WAITS, call)
        return call

    def lose(self, method: str = "receive_text") -> None:
        """Bring the open connection to GONE: deliver a disconnect and let `method` read it.

        Raises:
            Unreached: It did not raise ConnectionClosed.
        """
        self.deliver(DISCONNECT)
        call = self.start(method)
        if not self.is_closed(call.outcome):
            raise Unreached(f"{call} when it reads the disconnect")
        self._need(_CLOSED, call)

    def miss(self) -> None:
        """Bring a new connection to GONE: `accept` reads a disconnect and raises, whatever.

        Raises:
            Unreached: It did not read it, did not raise, or sent something.
        """
        self.deliver(DISCONNECT)
        call = self.start("accept")
        if self.read != 1 or not isinstance(call.outcome, Raised) or self.sent:
            raise Unreached(f"{call} when the client has gone before")
        self._need(_RAISES, call)

    def break_off(self, method: str, *args: object) -> None:
        """Bring the connection to GONE: the server raises OSError at what `method` sends.

        Raises:
            Unreached: `method` handed no event over, waits, or let the OSError out.
        """
        self.fail_sends(OSError("the client has gone"))
        call = self.start(method, *args)
        returned = isinstance(call.outcome, Returned) and method == "close"
        if not self.sent or not (returned or self.is_closed(call.outcome)):
            raise Unreached(f"{call} when the server's send raises OSError")
        self._need(_RETURNS if returned else _CLOSED, call)
        self.look()
        self.fail_sends(None)

    def closed(self) -> bool:
        """Bring the open connection to CLOSED, with nothing sent to be accounted for.

        Returns:
            Whether the server had to deliver the disconnect before `close` returned.

        Raises:
            Unreached: `close` did not do its part.
        """
        call = self.start("close")
        waited = call.outcome is BLOCKED
        if waited:
            self.deliver({"type": "websocket.disconnect", "code": 1000, "reason": ""})
        self._has_closed(call)
        return waited

    def reject(self) -> None:
        """Bring a new connection to REJECTED, with nothing sent to be accounted for.

        Raises:
            Unreached: `close` did not do its part.
        """
        self.deliver(CONNECT)
        self._has_closed(self.start("close"))

    def _has_closed(self, call: Call) -> None:
        types = [kind(event) for event in self.sent]
        if not isinstance(call.outcome, Returned) or types != ["websocket.close"]:
            raise Unreached(f"{call} and sent {types} instead of one websocket.close")
        self._need(_RETURNS, call)
        self.look()

    def look(self) -> list[Event]:
        """Give the events that were sent since the last look, and forget them."""
        self.steps.append(Clear())
        sent, self.sent = self.sent, []
        return sent

    def _need(self, holds: str, call: Call) -> None:
        self.steps.append(Need(call.name, holds.format(call.name)))

    def is_closed(self, outcome: Outcome) -> bool:
        """Whether the outcome is ConnectionClosed."""
        return isinstance(outcome, Raised) and outcome.of(self.target.closed)

    # Judgements

    def expect(
        self, holds: bool, expected: str, observed: object, check: Check | None = None
    ) -> None:
        """Judge anything.

        Args:
            holds: What is judged.
            expected: What is expected, in words.
            observed: What is there, in words or as it is.
            check: The same judgement as source; without it no program can show the failure.

        Raises:
            Broken: It does not hold.
        """
        self.expected.append(expected)
        if not holds:
            words = observed if isinstance(observed, str) else show(observed)
            raise Broken(expected, words, check)

    def _expect(self, call: Call, holds: bool, does: str, source: str) -> None:
        """Judge what a call has come to."""
        # Most hold, and then nobody asks for the rest.
        observed, check = (
            ("", None)
            if holds
            else (str(call), Check(source.replace("{}", call.name, 1), shown(call)))
        )
        self.expect(holds, f"{call.words} {does}", observed, check)

    def expect_at_once(self, call: Call) -> None:
        """The call does not wait."""
        self._expect(call, call.outcome is not BLOCKED, "does not wait", '{}.outcome != "waits"')

    def expect_returns(self, call: Call) -> None:
        """The call returned, whatever."""
        self._expect(call, isinstance(call.outcome, Returned), "returns", _RETURNS)

    def expect_returned(self, call: Call, value: str | bytes) -> None:
        """The call returned `value`."""
        holds = isinstance(call.outcome, Returned) and same(call.outcome.value, value)
        self._expect(call, holds, f"returns {show(value)}", f"{{}}.value == {literal(value)}")

    def expect_raised(self, call: Call, *errors: type[BaseException]) -> None:
        """The call raised one of `errors` (or a class derived from it)."""
        names = " or ".join(error.__name__ for error in errors)
        holds = isinstance(call.outcome, Raised) and call.outcome.of(*errors)
        classes = " | ".join(
            "ConnectionClosed" if error is self.target.closed else error.__name__
            for error in errors
        )
        self._expect(call, holds, f"raises {names}", f"isinstance({{}}.error, {classes})")

    def expect_closed(self, call: Call) -> None:
        """The call raised ConnectionClosed."""
        self._expect(call, self.is_closed(call.outcome), "raises ConnectionClosed", _CLOSED)

    def expect_error(self, call: Call) -> None:
        """The call raised an Exception, of whatever kind."""
        self.expect_raised(call, Exception)

    def expect_closed_by(self, call: Call, error: OSError) -> None:
        """The call raised ConnectionClosed from `error`, which the server raises."""
        self.expect_closed(call)
        assert isinstance(call.outcome, Raised)
        self.expect(
            any(cause is error for cause in causes(call.outcome.error)),
            f"{call.words} raises ConnectionClosed from the server's {show(error)}",
            f"{call} from {show(call.outcome.error.__cause__)}",
            Check(
                f"{_CLOSED.format(call.name)} and failure in causes({call.name}.error)",
                f'{shown(call)}, "from", getattr({call.name}.error, "__cause__", None)',
            ),
        )

    def expect_waits(self, call: Call) -> None:
        """The call waits."""
        self._expect(call, call.outcome is BLOCKED, "waits", _WAITS)

    def expect_sent(self, *expected: Event) -> None:
        """Exactly these events were sent since the last look; then forget them.

        A key that an expected event names must be there with that value; any other key must
        be absent or None. An expected value of None means absent or None.
        """
        sent = self.look()
        holds = len(sent) == len(expected) and all(map(matches, sent, expected))
        check = None if holds else Check(_sends(expected), '"sent", sent')
        self.expect(holds, f"sends {_listed(expected)}", f"sent {_listed(sent)}", check)

    def expect_nothing_sent(self) -> None:
        """No event was sent since the last look."""
        self.expect_sent()

    def expect_kinds(self, *kinds: str) -> None:
        """Exactly events of these types were sent since the last look, whatever is in them."""
        sent = self.look()
        holds = [kind(event) for event in sent] == [*kinds]
        check = Check(f"{_TYPES} == {literal([*kinds])}", '"sent", sent')
        self.expect(holds, f"sends {', '.join(kinds) or 'nothing'}", f"sent {_listed(sent)}", check)

    def expect_still_open(self) -> None:
        """The connection is still open: a text or bytes can be sent."""
        calls = [self.start("send_text", "still open"), self.start("send_bytes", b"still open")]
        # If one of them does not work at all, that is another clause's question.
        holds = bool(self.sent) and any(isinstance(call.outcome, Returned) for call in calls)
        outcomes = ", ".join(f"{call.name}.outcome" for call in calls)
        check = Check(f'sent and "returns" in ({outcomes})', ", ".join(map(shown, calls)))
        self.expect(holds, "the connection is still open", "; ".join(map(str, calls)), check)

    def expect_accepts(self, call: Call) -> None:
        """The call, of `accept`, returned and sent its event; how often is another question."""
        self.expect_returns(call)
        holds = any(kind(event) == "websocket.accept" for event in self.sent)
        check = Check(f'"websocket.accept" in {_TYPES}', '"sent", sent')
        self.expect(holds, "sends websocket.accept", f"sent {_listed(self.sent)}", check)

    def expect_attribute(self, name: str, value: str | bool | None) -> None:
        """The attribute is `value`."""
        outcome = self.attribute(name)
        holds = isinstance(outcome, Returned) and same(outcome.value, value)
        operator = "==" if isinstance(value, str) else "is"
        check = Check(f"ws.{name} {operator} {literal(value)}", f'"{name} is", repr(ws.{name})')
        self.expect(holds, f"{name} is {show(value)}", f"{name} {_is(outcome)}", check)

    def finish(self) -> None:
        """End everything that still waits."""
        self._over = True
        self._driver.close()

    def _note(self, words: str) -> None:
        self.trace.append(words)


def _is_refused(
    error: TypeError,
    function: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> bool:
    """Whether the error is about how the function was called, not from what it did."""
    if error.__traceback__ is not None and error.__traceback__.tb_next is None:
        # It was not even entered.
        return True
    try:
        signature = inspect.signature(function)
    except Exception:
        # It does not say.
        return False
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return True
    return False


def shown(call: Call) -> str:
    """Give what shows a call in a program, as arguments of `print`."""
    return f"{literal(call.words)}, {call.name}"


def kind(event: Event) -> str:
    """Give the type of an event, whatever stands there."""
    words = event.get("type")
    return words if isinstance(words, str) else show(words)


def describe(event: Event) -> str:
    """Give an event in a few words: its type, then its keys."""
    keys = ", ".join(f"{name}={show(value)}" for name, value in event.items() if name != "type")
    return f"{kind(event)} {keys}".rstrip()


class _Foreign:
    """Stands for a sent value that no event can carry, as its methods may do anything."""

    def __init__(self, value: object) -> None:
        self.words = show(value)

    def __repr__(self) -> str:
        return self.words


def copied(event: object) -> Event:
    """Copy what was sent, headers and all, as the implementation may go on to change it.

    What is no event is given as an event whose type says so.
    """
    try:
        return _plain_event(event)
    except BaseException:
        return {"type": f"not an event: {show(event)}"}


def _plain_event(event: Any) -> Event:
    if not issubclass(type(event), Mapping):
        raise TypeError("an event is a mapping")
    return {
        str(name): _plain_headers(value) if name == "headers" else _plain(value)
        for name, value in event.items()
    }


def _plain_headers(headers: Any) -> object:
    if headers is None:
        return None
    if not issubclass(type(headers), Iterable):
        return [_Foreign(headers)]
    return [_plain_header(header) for header in islice(headers, _MOST_HEADERS)]


def _plain_header(header: Any) -> object:
    if issubclass(type(header), Iterable) and not issubclass(type(header), str | bytes):
        return tuple(_plain(part) for part in islice(header, _MOST_HEADERS))
    return _plain(header)


def _plain(value: Any) -> object:
    if issubclass(type(value), str):
        return str.__str__(value)
    if issubclass(type(value), bytes | bytearray | memoryview | int | float | type(None)):
        return value
    return _Foreign(value)


def matches(sent: Event, expected: Event) -> bool:
    """Whether a sent event is as expected; `Probe.expect_sent` says what that means."""
    return all(same(sent.get(name), expected.get(name)) for name in {*sent, *expected})


def _sends(expected: Iterable[Event]) -> str:
    """Give the source for: these events were sent, whatever is None in them."""
    plain = [
        {name: value for name, value in event.items() if value is not None} for event in expected
    ]
    source = "[{key: value for key, value in event.items() if value is not None} for event in sent]"
    return f"{source} == {literal(plain)}" if plain else "not sent"


def _listed(events: Iterable[Event]) -> str:
    return "; ".join(map(describe, events)) or "nothing"


def _arguments(args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    return ", ".join([*map(show, args), *(f"{key}={show(value)}" for key, value in kwargs.items())])


def _verb(outcome: Outcome) -> str:
    return "returns" if isinstance(outcome, Returned) else "raises"


def _rest(outcome: Outcome) -> str:
    if isinstance(outcome, Raised):
        cancelled = type(outcome.error) is asyncio.CancelledError
        return "-> cancelled" if cancelled else f"-> {show(outcome.error)}"
    value = outcome.value if isinstance(outcome, Returned) else None
    return f"-> {show(value)}" if value is not None else ""


def _is(outcome: Outcome) -> str:
    return f"is {show(outcome.value)}" if isinstance(outcome, Returned) else str(outcome)
