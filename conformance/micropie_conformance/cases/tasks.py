"""More than one task on one connection, and cancellation."""

from micropie_conformance.case import case
from micropie_conformance.cases.common import RECEIVE, SEND, start_close
from micropie_conformance.outcomes import Raised, Returned, same, show
from micropie_conformance.probe import (
    CONNECT,
    DISCONNECT,
    Call,
    Event,
    Probe,
    SaysNothing,
    Unreached,
    kind,
    message,
    shown,
    text,
)
from micropie_conformance.steps import Check, literal

# The types of what was sent, as in a `Check`.
_TYPES = '[event.get("type") for event in sent]'

_CLOSED_BY_US: Event = {"type": "websocket.disconnect", "code": 1000, "reason": ""}


# Two at once


@case(
    "WS-TASKS-001",
    {
        f"{first}-then-{second}": (*RECEIVE[first], *RECEIVE[second])
        for first in RECEIVE
        for second in RECEIVE
    },
)
def two_receives(probe: Probe, first: str, second: str) -> None:
    """Receive while another task waits in a receive, then let a message come."""
    probe.open()
    probe.receive_one(first)
    waiting = probe.begin(first)
    probe.expect_raised(probe.start(second), RuntimeError)
    probe.deliver(message(first, "hello")[0])
    probe.expect_returned(waiting, message(first, "hello")[1])


@case("WS-TASKS-001", RECEIVE)
def two_receives_and_two_messages(probe: Probe, method: str) -> None:
    """Receive from two tasks at once as two messages come, then receive what is left, in order."""
    messages = [message(method, "one"), message(method, "two")]
    probe.open()
    probe.receive_one(method)
    events = [event for event, _ in messages]
    one, other = _done_first(probe.race((method,), (method,), events=events))
    probe.expect_raised(other, RuntimeError)
    _expect_in_order(probe, method, [one], [value for _, value in messages])


def _done_first(calls: list[Call]) -> list[Call]:
    """Put those that raised last."""
    return sorted(calls, key=lambda call: isinstance(call.outcome, Raised))


def _expect_in_order(
    probe: Probe, method: str, calls: list[Call], values: list[str | bytes]
) -> None:
    """Each message is returned once, in the order in which they came, to these calls and more."""
    got = [call for call in calls if isinstance(call.outcome, Returned)]
    got += [probe.start(method) for _ in values[len(got) :]]
    for call, value in zip(got, values, strict=True):
        probe.expect_returned(call, value)


@case("WS-TASKS-002")
def two_accepts(probe: Probe) -> None:
    """Accept from two tasks at once as the connect event comes."""
    one, other = _done_first(probe.race(("accept",), ("accept",), events=[CONNECT]))
    probe.expect_kinds("websocket.accept")
    probe.expect_returns(one)
    probe.expect_raised(other, RuntimeError)


def _expect_one_close(probe: Probe) -> None:
    closes = [event for event in probe.sent if kind(event) == "websocket.close"]
    if not closes:
        raise SaysNothing
    check = Check(f'{_TYPES}.count("websocket.close") == 1', '"sent", sent')
    probe.expect(len(closes) == 1, "one close event", f"{len(closes)} close events", check)


@case("WS-TASKS-003")
def two_closes(probe: Probe) -> None:
    """Close an open connection from two tasks at once."""
    probe.open()
    probe.race(("close",), ("close",))
    _expect_one_close(probe)


@case("WS-TASKS-003")
def two_closes_before_accept(probe: Probe) -> None:
    """Close from two tasks at once as the connect event comes."""
    probe.race(("close",), ("close",), events=[CONNECT])
    _expect_one_close(probe)


@case("WS-TASKS-003")
def two_closes_and_a_text(probe: Probe) -> None:
    """Close from two tasks while a third sends a text."""
    probe.open()
    probe.race(("send_text", "x"), ("close",), ("close",))
    _expect_one_close(probe)


def _expect_close_is_last(probe: Probe) -> None:
    kinds = [kind(event) for event in probe.sent]
    if "websocket.close" not in kinds:
        raise SaysNothing
    after = kinds[kinds.index("websocket.close") + 1 :]
    check = Check(f'{_TYPES}.index("websocket.close") == len(sent) - 1', '"sent", sent')
    probe.expect(not after, "nothing follows the close event", show(after), check)


@case("WS-TASKS-004", SEND)
def close_and_send(probe: Probe, method: str, data: object) -> None:
    """Close while another task sends."""
    probe.open()
    probe.race(("close",), (method, data))
    _expect_close_is_last(probe)


@case("WS-TASKS-004", SEND)
def close_and_two_sends(probe: Probe, method: str, data: object) -> None:
    """Close while two other tasks send."""
    probe.open()
    probe.race(("close",), (method, data), (method, data))
    _expect_close_is_last(probe)


@case("WS-TASKS-004")
def close_and_accept(probe: Probe) -> None:
    """Close while another task accepts and the connect event comes, then send."""
    probe.race(("close",), ("accept",), events=[CONNECT])
    probe.start("send_text", "x")
    _expect_close_is_last(probe)


@case("WS-TASKS-005", RECEIVE)
def close_and_receive(probe: Probe, method: str) -> None:
    """Receive while another task closes and the disconnect comes."""
    probe.open()
    _, receiving = _race_to_close(probe, method, _CLOSED_BY_US)
    probe.expect_closed(receiving)


@case("WS-TASKS-005", RECEIVE)
def close_and_receive_a_message(probe: Probe, method: str) -> None:
    """Receive while another task closes and a message comes, then the disconnect."""
    event, late = message(method, "late")
    probe.open()
    probe.receive_one(method)
    _, receiving = _race_to_close(probe, method, event, _CLOSED_BY_US)
    holds = probe.is_closed(receiving.outcome) or (
        isinstance(receiving.outcome, Returned) and same(receiving.outcome.value, late)
    )
    probe.expect(
        holds,
        f"{receiving.words} raises ConnectionClosed or returns {show(late)}",
        str(receiving),
        Check(
            f"isinstance({receiving.name}.error, ConnectionClosed)"
            f" or {receiving.name}.value == {literal(late)}",
            shown(receiving),
        ),
    )


def _race_to_close(probe: Probe, method: str, *events: Event) -> list[Call]:
    calls = probe.race(("close",), (method,), events=events)
    if [kind(event) for event in probe.sent] != ["websocket.close"]:
        raise Unreached("close() did not send its event")
    return calls


def _expect_none_left(probe: Probe) -> None:
    left = probe.left_behind()
    check = Check("not left_behind()", '"left running", left_behind()')
    probe.expect(not left, "no task is left running", ", ".join(left), check)


@case("WS-TASKS-006")
def no_task_after_disconnect(probe: Probe) -> None:
    """Receive until the client has disconnected, and look for tasks."""
    probe.open()
    probe.lose()
    _expect_none_left(probe)


@case("WS-TASKS-006")
def no_task_after_close(probe: Probe) -> None:
    """Close an open connection that has an unread message, let the client answer, and look."""
    probe.open()
    probe.deliver(text("unread"))
    start_close(probe)
    probe.deliver(_CLOSED_BY_US)
    _expect_none_left(probe)


@case("WS-TASKS-006")
def no_task_after_reject(probe: Probe) -> None:
    """Close before accept(), let the server tell that it is over, and look for tasks."""
    probe.deliver(CONNECT)
    start_close(probe)
    probe.deliver(DISCONNECT)
    _expect_none_left(probe)


# Cancellation


@case("WS-CANCEL-001", RECEIVE)
def cancel_receive(probe: Probe, method: str) -> None:
    """Cancel a receive, before its message comes or after, then receive."""
    event, value = message(method, "hello")
    probe.open()
    probe.receive_one(method)
    calls = probe.race((method,), events=[event], cancel=True)
    _expect_in_order(probe, method, calls, [value])


@case("WS-CANCEL-001", RECEIVE)
def cancel_one_of_two_receives(probe: Probe, method: str) -> None:
    """Cancel a receive while another task tries to receive too and a message comes; receive."""
    event, value = message(method, "hello")
    probe.open()
    probe.receive_one(method)
    calls = probe.race((method,), (method,), events=[event], cancel=True)
    _expect_in_order(probe, method, calls, [value])


@case("WS-CANCEL-001", RECEIVE)
def cancel_receive_and_wait(probe: Probe, method: str) -> None:
    """Cancel a receive that waits, receive again, and let a message come."""
    probe.open()
    probe.receive_one(method)
    probe.cancel(probe.begin(method))
    call = probe.start(method)
    probe.deliver(message(method, "hello")[0])
    probe.expect_returned(call, message(method, "hello")[1])


@case("WS-CANCEL-001", RECEIVE)
def cancel_receive_as_the_message_comes(probe: Probe, method: str) -> None:
    """Cancel a receive at about the moment when its message comes, then receive."""
    probe.open()
    probe.receive_one(method)
    for after in range(6):
        call = probe.begin(method)
        probe.cancel_as_it_comes(call, message(method, f"{after}")[0], after)
        probe.expect_returned(probe.retry(call, method), message(method, f"{after}")[1])


@case("WS-CANCEL-002")
def cancel_accept(probe: Probe) -> None:
    """Cancel accept(), before the connect event comes or after; if it sent nothing, accept."""
    (call,) = probe.race(("accept",), events=[CONNECT], cancel=True)
    # Whether an event that was being sent was delivered cannot be known.
    if not probe.sent and not isinstance(call.outcome, Returned):
        probe.expect_accepts(probe.start("accept"))


@case("WS-CANCEL-002")
def cancel_one_of_two_accepts(probe: Probe) -> None:
    """Cancel accept() while another task accepts too; if nothing was sent, accept."""
    calls = probe.race(("accept",), ("accept",), events=[CONNECT], cancel=True)
    if not probe.sent and not any(isinstance(call.outcome, Returned) for call in calls):
        probe.expect_accepts(probe.start("accept"))


@case("WS-CANCEL-002")
def cancel_accept_and_wait(probe: Probe) -> None:
    """Cancel accept() while it waits for the connect event, accept, and let it come."""
    probe.cancel(probe.begin("accept"))
    call = probe.start("accept")
    probe.deliver(CONNECT)
    probe.expect_accepts(call)


@case("WS-CANCEL-003", SEND)
def cancel_send(probe: Probe, method: str, data: object) -> None:
    """Cancel a send while the server takes its time over the message, then send and receive."""
    probe.open()
    probe.receive_one("receive_text")
    probe.race((method, data), cancel=True)
    probe.look()
    probe.expect_still_open()
    event, value = message("receive_text", "hello")
    probe.deliver(event)
    probe.expect_returned(probe.start("receive_text"), value)
