import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from micropie_conformance.looping import Loop
from micropie_conformance.outcomes import BLOCKED, Outcome, Raised, Returned
from micropie_conformance.probe import (
    CONNECT,
    DISCONNECT,
    Broken,
    Call,
    Order,
    Probe,
    SaysNothing,
    Target,
    Unreached,
    binary,
    message,
    text,
)
from micropie_conformance.stepping import NeedsLoop, Stepper
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
)

Event = Mapping[str, Any]


class Closed(Exception):
    pass


class Untold:
    """Something to call that does not tell its parameters."""

    @property
    def __signature__(self) -> object:
        raise ValueError("not told")

    def __call__(self, *args: object) -> Awaitable[object]:
        raise TypeError("not so")


class Connection:
    """Whatever a test wants: `receive` and `send` as methods, and some more."""

    value = 5
    close_waits = False
    untold = Untold()

    def __init__(
        self,
        receive: Callable[[], Awaitable[Event]],
        send: Callable[[Any], Awaitable[None]],
        answer: str = "websocket.accept",
    ) -> None:
        self.receive = receive
        self.send = send
        self.answer = answer

    async def accept(self) -> None:
        kind = (await self.receive())["type"]
        if kind == "websocket.disconnect":
            raise EOFError(kind)
        try:
            await self.send({"type": self.answer})
        except OSError:
            raise Closed from None

    async def receive_text(self) -> object:
        event = await self.receive()
        if event["type"] == "websocket.disconnect":
            raise Closed
        return event["text"]

    receive_bytes = receive_text

    async def send_text(self, data: object) -> None:
        await self.send({"type": "websocket.send", "text": data})

    send_bytes = send_text

    async def close(self) -> None:
        await self.send({"type": "websocket.close"})
        if self.close_waits:
            await self.receive()

    async def sent(self, event: object) -> None:
        await self.send(event)

    async def give(self, value: object) -> object:
        return value

    async def fail(self, error: BaseException) -> None:
        raise error

    def fail_at_once(self, error: BaseException) -> None:
        raise error

    def nothing(self) -> None:
        pass

    @functools.wraps(give)
    def wrapped(self, *args: Any) -> object:
        return self.give(*args)

    @property
    def broken(self) -> object:
        raise SystemExit("broken")


@pytest.fixture(params=[Stepper, Loop])
def probe(request: pytest.FixtureRequest) -> Iterator[Probe]:
    probe = Probe(Target(Connection, Closed), request.param())
    yield probe
    probe.finish()


def outcome(call: Call) -> str:
    return str(call.outcome)


# What races


def test_every_order_has_its_turn() -> None:
    # As if the first choice left more to choose from.
    chosen: list[list[int]] = []
    order: Order | None = Order()
    while order is not None:
        first = order.choose(2)
        chosen.append([first] + [order.choose(width) for width in ([3], [1, 2])[first]])
        order = order.following()
    assert chosen == [[0, 0], [0, 1], [0, 2], [1, 0, 0], [1, 0, 1]]
    assert Order().following() is None


def test_what_does_something_else_each_time_comes_to_an_end_too() -> None:
    # Less to choose from than was said the last time, and fewer choices.
    order = Order([2, 1])
    assert order.choose(2) == 1
    assert order.following() is None


def raced(
    driver: type[Stepper | Loop], body: Callable[[Probe], object]
) -> tuple[list[Probe], list[list[str]]]:
    """Run `body` in every order; give the probes, and the traces of orders that say something."""
    probes: list[Probe] = []
    traces: list[list[str]] = []
    order: Order | None = Order()
    while order is not None:
        probe = Probe(Target(Connection, Closed), driver(), order)
        try:
            body(probe)
            traces.append(probe.trace)
            probes.append(probe)
        except SaysNothing:
            pass
        finally:
            probe.finish()
        order = order.following()
    return probes, traces


def happened(trace: list[str], *kinds: str) -> list[str]:
    """Give what the steps of these kinds are about."""
    steps = [step.split(maxsplit=1) for step in trace]
    return [" ".join(step) for step in steps if step[0] in kinds]


@pytest.mark.parametrize("driver", [Stepper, Loop])
def test_calls_race_in_every_order(driver: type[Stepper | Loop]) -> None:
    _, traces = raced(driver, lambda probe: probe.race(("send_text", "a"), ("send_text", "b")))
    a, b = "call send_text('a')", "call send_text('b')"
    ends_a, ends_b = "returns send_text('a')", "returns send_text('b')"
    assert [happened(trace, "call", "returns") for trace in traces] == [
        [a, b, ends_a, ends_b],
        [a, b, ends_b, ends_a],
        [b, a, ends_b, ends_a],
        [b, a, ends_a, ends_b],
    ]


@pytest.mark.parametrize("driver", [Stepper, Loop])
def test_an_event_goes_to_either_of_those_that_wait(driver: type[Stepper | Loop]) -> None:
    outcomes: set[tuple[str, str]] = set()

    def body(probe: Probe) -> None:
        probe.start("receive")
        calls = probe.race(("receive_text",), ("receive_text",), events=[text("x"), text("y")])
        outcomes.add((outcome(calls[0]), outcome(calls[1])))

    raced(driver, body)
    # The call that waited before takes part.
    pairs = itertools.permutations(["waits", "returns 'x'", "returns 'y'"], 2)
    assert outcomes == set(pairs)


@pytest.mark.parametrize("driver", [Stepper, Loop])
def test_a_call_is_cancelled_wherever_it_waits(driver: type[Stepper | Loop]) -> None:
    _, traces = raced(driver, lambda probe: probe.race(("accept",), events=[CONNECT], cancel=True))
    cancelled, sent = "raises accept() -> cancelled", "sends websocket.accept"
    assert sorted(happened(trace, "sends", "returns", "raises") for trace in traces) == [
        [cancelled],
        [sent, cancelled],
        [sent, "returns accept()"],
    ]


def test_what_was_waiting_goes_on_after_a_race(probe: Probe) -> None:
    (call,) = probe.race(("receive_text",))
    assert outcome(call) == "waits"
    probe.deliver(text("late"))
    assert outcome(call) == "returns 'late'"
    assert [step for step in probe.steps if isinstance(step, Pace | Go)] == [
        Pace(True),
        Pace(False),
    ]


def test_a_race_without_end(probe: Probe) -> None:
    class Sending(Connection):
        async def accept(self) -> None:
            while True:
                await self.send({"type": "websocket.send"})

    probe.target = Target(Sending, Closed)
    with pytest.raises(Unreached, match="it goes on for more than 50 turns"):
        probe.race(("accept",))
    assert probe.steps[-1] == Go(0)


def test_a_case_is_run_for_each_of_some_things() -> None:
    given: list[str] = []
    raced(Stepper, lambda probe: given.append(probe.each("abc")))
    assert given == ["a", "b", "c"]


# The server


def test_events_are_read_in_order(probe: Probe) -> None:
    call = probe.start("receive")
    assert outcome(call) == "waits"
    probe.deliver(CONNECT, text("x"))
    assert call.outcome == Returned(CONNECT)
    assert probe.start("receive").outcome == Returned({"type": "websocket.receive", "text": "x"})
    assert probe.read == 2


def test_sent_events_are_kept_as_they_were(probe: Probe) -> None:
    event = {"type": "websocket.accept", "headers": iter([iter([b"a", b"b"])]), "bytes": None}
    probe.do("sent", event)
    event["type"] = "changed"
    assert probe.sent == [{"type": "websocket.accept", "headers": [(b"a", b"b")], "bytes": None}]


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (5, "{'type': 'not an event: 5'}"),
        ({"type": 5, 5: [1]}, "{'type': 5, '5': [1]}"),
        ({"headers": 5}, "{'headers': [5]}"),
        ({"headers": None}, "{'headers': None}"),
        ({"headers": [5, "ab", b"ab", [(), "b"]]}, "{'headers': [5, 'ab', b'ab', ((), 'b')]}"),
    ],
)
def test_what_is_no_event_is_kept_in_words(probe: Probe, event: object, shown: str) -> None:
    probe.do("sent", event)
    assert repr(probe.sent[0]) == shown


def test_sends_can_fail(probe: Probe) -> None:
    error = OSError("gone")
    probe.fail_sends(error)
    assert probe.start("send", CONNECT).outcome == Raised(error)
    assert probe.sent == [CONNECT]
    probe.fail_sends(None)
    probe.do("send", CONNECT)
    assert probe.trace == [
        "server will  raise OSError('gone') at each send",
        "constructor  returns",
        f"call         send({CONNECT})",
        "sends        websocket.connect",
        "server       raises OSError('gone')",
        f"raises       send({CONNECT}) -> OSError('gone')",
        "server works again",
        f"call         send({CONNECT})",
        "sends        websocket.connect",
        f"returns      send({CONNECT})",
    ]


def test_sends_can_be_held(probe: Probe) -> None:
    probe.hold_sends()
    calls = [probe.begin("send", CONNECT), probe.begin("send", CONNECT)]
    assert probe.sent == [CONNECT, CONNECT]
    probe.release_sends()
    assert [call.outcome for call in calls] == [Returned(None), Returned(None)]


# The connection


def test_the_connection_is_made_once_with_options() -> None:
    probe = Probe(Target(Connection, Closed), Stepper())
    probe.make(answer="x")
    assert isinstance(probe.connection, Connection)
    assert probe.connection is probe.connection
    assert probe.connection.answer == "x"


def test_a_constructor_that_raises() -> None:
    probe = Probe(Target(Connection, Closed), Stepper())
    with pytest.raises(Unreached, match="the constructor raises TypeError"):
        probe.make(unknown=5)
    assert isinstance(probe.try_make(unknown=5), Raised)
    assert probe.trace[0].startswith("constructor  raises TypeError(")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (("give", "x"), "returns 'x'"),
        (("fail", KeyError("x")), "raises KeyError('x')"),
        (("fail", SystemExit(3)), "raises SystemExit(3)"),
        (("fail", GeneratorExit()), "raises GeneratorExit()"),
        (("fail_at_once", KeyboardInterrupt()), "raises KeyboardInterrupt()"),
        (("fail_at_once", TypeError("x")), "raises TypeError('x')"),
        (("receive",), "waits"),
    ],
)
def test_outcomes(probe: Probe, call: tuple[str, object], expected: str) -> None:
    assert outcome(probe.start(*call)) == expected


@pytest.mark.parametrize(
    ("call", "misfit"),
    [
        (("missing",), "is no method"),
        (("value",), "is no method"),
        (("broken",), "is no method"),
        (("give",), "does not take these arguments"),
        (("give", 1, 2), "does not take these arguments"),
        (("wrapped", 1, 2), "does not take these arguments"),
        (("nothing",), "gives nothing that can be awaited"),
    ],
)
def test_what_does_not_fit_the_call(probe: Probe, call: tuple[Any, ...], misfit: str) -> None:
    tried = probe.try_start(*call)
    assert tried.misfit == misfit
    assert isinstance(tried.outcome, Raised)
    with pytest.raises(Unreached, match=misfit):
        probe.start(*call)


def test_a_method_that_does_not_tell_its_signature(probe: Probe) -> None:
    call = probe.try_start("untold", 5)
    assert call.misfit == ""
    assert outcome(call) == "raises TypeError('not so')"


def test_a_value_and_a_cancellation_are_shown(probe: Probe) -> None:
    probe.do("give", "x")
    probe.cancel(probe.begin("receive"))
    assert probe.trace[1:] == [
        "call         give('x')",
        "returns      give('x') -> 'x'",
        "call         receive()",
        "waits        receive()",
        "cancel       receive()",
        "raises       receive() -> cancelled",
    ]


def test_a_call_is_shown_as_it_is_written(probe: Probe) -> None:
    call = probe.try_start("close", 5, reason="x")
    assert call.words == "close(5, reason='x')"


def test_cancel_as_an_event_comes(probe: Probe) -> None:
    call = probe.begin("receive")
    probe.cancel_as_it_comes(call, CONNECT, 0)
    assert isinstance(call.outcome, Raised)
    assert call.outcome.of(asyncio.CancelledError)
    assert probe.start("receive").outcome == Returned(CONNECT)


def test_what_has_returned_is_not_called_again(probe: Probe) -> None:
    first = probe.start("receive")
    probe.cancel(first)
    again = probe.retry(first, "receive")
    assert (again.name, outcome(again)) == (first.name, "waits")
    probe.deliver(CONNECT)
    assert probe.retry(again, "receive") is again


def test_steps_are_recorded(probe: Probe) -> None:
    probe.deliver()
    error = OSError("gone")
    probe.fail_sends(error)
    probe.fail_sends(None)
    probe.hold_sends()
    call = probe.start("give", "x")
    probe.release_sends()
    probe.retry(call, "give")
    probe.cancel(probe.begin("receive"))
    probe.cancel_as_it_comes(probe.start("receive"), DISCONNECT, 2)
    probe.expect_nothing_sent()
    assert probe.steps == [
        Deliver(()),
        Fail(error),
        Fail(None),
        Hold(True),
        Make({}),
        Start("give", "give", ("x",), {}),
        Hold(False),
        Retry("give", "give"),
        Start("receive", "receive", (), {}),
        Need("receive", 'receive.outcome == "waits"'),
        Cancel("receive"),
        Start("receive_2", "receive", (), {}),
        Cancel("receive_2", DISCONNECT, 2),
        Clear(),
    ]
    assert probe.expected == ["sends nothing"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("value", "returns 5"), ("broken", "raises SystemExit('broken')")],
)
def test_attributes(probe: Probe, name: str, expected: str) -> None:
    assert str(probe.attribute(name)) == expected


def test_tasks_are_left_behind() -> None:
    async def sleeper() -> None:
        await asyncio.Event().wait()

    class Starts(Connection):
        def __init__(self, receive: Any, send: Any) -> None:
            self.task = asyncio.create_task(sleeper())

    probe = Probe(Target(Starts, Closed), Loop())
    probe.make()
    assert len(probe.left_behind()) == 1
    probe.finish()


@pytest.mark.filterwarnings("ignore:coroutine 'sleep' was never awaited")
@pytest.mark.parametrize("where", ["constructor", "method", "attribute"])
def test_an_event_loop_is_asked_for(where: str) -> None:
    class Needs(Connection):
        def __init__(self, receive: Any, send: Any) -> None:
            if where == "constructor":
                asyncio.get_running_loop()

        async def method(self) -> None:
            asyncio.get_running_loop()

        @property
        def attribute(self) -> object:
            return asyncio.get_running_loop()

    probe = Probe(Target(Needs, Closed), Stepper())
    with pytest.raises(NeedsLoop):
        probe.attribute("attribute") if where == "attribute" else probe.start("method")


@pytest.mark.parametrize("driver", [Stepper, Loop])
def test_what_waits_at_the_end_is_no_outcome(driver: type[Stepper | Loop]) -> None:
    probe = Probe(Target(Connection, Closed), driver())
    call = probe.begin("receive")
    before = list(probe.trace)
    probe.finish()
    assert call.outcome is BLOCKED
    assert probe.trace == before


# Arrangements


def test_open(probe: Probe) -> None:
    probe.open()
    assert probe.sent == []
    assert probe.read == 1


def test_open_in_vain() -> None:
    probe = Probe(Target(Connection, Closed), Stepper())
    probe.make(answer="other")
    with pytest.raises(Unreached, match=r"accept\(\) sent \['other'\]"):
        probe.open()


def test_do_and_begin_in_vain(probe: Probe) -> None:
    with pytest.raises(Unreached, match=r"receive\(\) waits"):
        probe.do("receive")
    with pytest.raises(Unreached, match=r"give\(5\) returns 5 instead of waiting"):
        probe.begin("give", 5)


def test_receive_one(probe: Probe) -> None:
    probe.receive_one("receive_text")
    with pytest.raises(Unreached, match="KeyError"):
        probe.receive_one("receive_bytes")
    probe.deliver(text("another"))
    with pytest.raises(Unreached, match="does not return 'first'"):
        probe.receive_one("receive_text")


def test_lose(probe: Probe) -> None:
    probe.lose()
    probe.deliver(text("x"))
    with pytest.raises(Unreached, match="returns 'x' when it reads the disconnect"):
        probe.lose()


def test_miss(probe: Probe) -> None:
    probe.miss()
    probe.deliver(CONNECT)
    with pytest.raises(Unreached, match="when the client has gone before"):
        probe.miss()


def test_break_off(probe: Probe) -> None:
    probe.deliver(CONNECT)
    probe.break_off("accept")
    assert probe.sent == []
    probe.do("send_text", "x")
    with pytest.raises(Unreached, match="raises OSError"):
        probe.break_off("send_text", "x")
    probe.fail_sends(None)
    probe.sent.clear()
    with pytest.raises(Unreached, match="returns None"):
        probe.break_off("give", None)


@pytest.mark.parametrize("waits", [False, True])
def test_closed_and_reject(probe: Probe, waits: bool) -> None:
    connection = probe.connection
    assert isinstance(connection, Connection)
    connection.close_waits = waits
    assert probe.closed() is waits
    assert probe.sent == []
    connection.close_waits = False
    probe.reject()
    assert probe.sent == []


def test_closed_in_vain(probe: Probe) -> None:
    probe.do("send_text", "x")
    with pytest.raises(Unreached, match=r"instead of one websocket\.close"):
        probe.closed()


def test_messages_are_of_the_kind_of_the_method() -> None:
    assert message("receive_text", "x") == (text("x"), "x")
    assert message("receive_bytes", "x") == (binary(b"x"), b"x")
    assert DISCONNECT["type"] == "websocket.disconnect"


# Judgements


def made(outcome: Outcome) -> Call:
    call = Call("call()")
    call.outcome = outcome
    return call


def chained(*errors: BaseException) -> Raised:
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return Raised(errors[0])


GONE = OSError("gone")
LOOP = chained(Closed(), LOOKUP := LookupError())
LOOKUP.__cause__ = LOOP.error


@pytest.mark.parametrize(
    ("judge", "arguments"),
    [
        ("expect", (True, "", "")),
        ("expect_at_once", (made(Returned(None)),)),
        ("expect_returns", (made(Returned(5)),)),
        ("expect_returned", (made(Returned("x")), "x")),
        ("expect_raised", (made(Raised(KeyError())), ValueError, LookupError)),
        ("expect_closed", (made(Raised(Closed())),)),
        ("expect_error", (made(Raised(KeyError())),)),
        ("expect_closed_by", (made(chained(Closed(), GONE)), GONE)),
        ("expect_closed_by", (made(chained(Closed(), KeyError(), GONE)), GONE)),
        ("expect_waits", (made(BLOCKED),)),
        ("expect_sent", ()),
        ("expect_nothing_sent", ()),
        ("expect_kinds", ()),
        ("expect_attribute", ("answer", "websocket.accept")),
    ],
)
def test_what_holds(judge: str, arguments: tuple[Any, ...]) -> None:
    getattr(Probe(Target(Connection, Closed), Stepper()), judge)(*arguments)


@pytest.mark.parametrize(
    ("judge", "arguments", "expected", "observed"),
    [
        ("expect", (False, "this", "that"), "this", "that"),
        ("expect", (False, "this", 5), "this", "5"),
        ("expect_at_once", (made(BLOCKED),), "call() does not wait", "call() waits"),
        ("expect_returns", (made(BLOCKED),), "call() returns", "call() waits"),
        (
            "expect_returned",
            (made(Returned("x")), b"x"),
            "call() returns b'x'",
            "call() returns 'x'",
        ),
        (
            "expect_raised",
            (made(Raised(KeyError())), ValueError, Closed),
            "call() raises ValueError or Closed",
            "call() raises KeyError()",
        ),
        (
            "expect_closed",
            (made(Raised(KeyError())),),
            "call() raises ConnectionClosed",
            "call() raises KeyError()",
        ),
        (
            "expect_error",
            (made(Raised(SystemExit())),),
            "call() raises Exception",
            "call() raises SystemExit()",
        ),
        (
            "expect_closed_by",
            (made(Raised(Closed())), GONE),
            "call() raises ConnectionClosed from the server's OSError('gone')",
            "call() raises Closed() from None",
        ),
        (
            "expect_closed_by",
            (made(LOOP), GONE),
            "call() raises ConnectionClosed from the server's OSError('gone')",
            "call() raises Closed() from LookupError()",
        ),
        ("expect_waits", (made(Returned(5)),), "call() waits", "call() returns 5"),
        ("expect_sent", (CONNECT,), "sends websocket.connect", "sent nothing"),
        ("expect_kinds", ("a", "b"), "sends a, b", "sent nothing"),
        ("expect_attribute", ("answer", None), "answer is None", "answer is 'websocket.accept'"),
        (
            "expect_attribute",
            ("broken", None),
            "broken is None",
            "broken raises SystemExit('broken')",
        ),
    ],
)
def test_what_does_not_hold(
    judge: str, arguments: tuple[Any, ...], expected: str, observed: str
) -> None:
    probe = Probe(Target(Connection, Closed), Stepper())
    with pytest.raises(Broken) as broken:
        getattr(probe, judge)(*arguments)
    assert (broken.value.expected, broken.value.observed) == (expected, observed)
    assert str(broken.value) == f"expected: {expected}; observed: {observed}"


@pytest.mark.parametrize(
    ("sent", "expected", "holds"),
    [
        ({"type": "a", "text": "x"}, {"type": "a", "text": "x"}, True),
        ({"type": "a", "text": "x", "bytes": None}, {"type": "a", "text": "x"}, True),
        ({"type": "a", "text": "x"}, {"type": "a", "text": "x", "bytes": None}, True),
        ({"type": "a", "text": "x", "more": 5}, {"type": "a", "text": "x"}, False),
        ({"type": "a", "text": b"x"}, {"type": "a", "text": "x"}, False),
        ({"type": "a"}, {"type": "a", "text": "x"}, False),
        ({"type": "a", "text": ""}, {"type": "a", "text": None}, False),
        (5, {"type": "a"}, False),
    ],
)
def test_sent_events_are_compared(probe: Probe, sent: object, expected: Event, holds: bool) -> None:
    probe.do("sent", sent)
    if holds:
        probe.expect_sent(expected)
    else:
        with pytest.raises(Broken):
            probe.expect_sent(expected)
    # What was looked at is forgotten.
    probe.expect_nothing_sent()


def test_kinds_are_compared(probe: Probe) -> None:
    probe.do("sent", {"type": "a", "more": 5})
    probe.expect_kinds("a")
    probe.do("sent", {"type": 5})
    with pytest.raises(Broken, match="sends nothing; observed: sent 5"):
        probe.expect_kinds()


def test_still_open(probe: Probe) -> None:
    probe.expect_still_open()
    probe.sent.clear()
    probe.fail_sends(OSError("gone"))
    with pytest.raises(Broken, match="the connection is still open"):
        probe.expect_still_open()


def test_accepts(probe: Probe) -> None:
    with pytest.raises(Broken, match=r"sends websocket\.accept; observed: sent nothing"):
        probe.expect_accepts(probe.start("give", None))
    probe.deliver(CONNECT)
    probe.expect_accepts(probe.start("accept"))


def test_a_judgement_is_told_as_source(probe: Probe) -> None:
    with pytest.raises(Broken) as caught:
        probe.expect_returned(probe.start("give", "x"), "{}")
    assert caught.value.check == Check('give.value == "{}"', "\"give('x')\", give")
