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


def _expect_one_accept(probe: Probe, first: Call, second: Call) -> None:
    probe.expect_kinds("websocket.accept")
    one, other = (second, first) if isinstance(first.outcome, Raised) else (first, second)
    probe.expect_returns(one)
    probe.expect_raised(other, RuntimeError)


@case("WS-TASKS-002")
def two_accepts(probe: Probe) -> None:
    """Accept while another task waits in accept() for the connect event, then let it come."""
    first = probe.begin("accept")
    second = probe.start("accept")
    probe.deliver(CONNECT)
    _expect_one_accept(probe, first, second)


@case("WS-TASKS-002")
def two_accepts_while_one_is_sent(probe: Probe) -> None:
    """Accept while the server takes its time over the accept event of another task."""
    probe.deliver(CONNECT)
    probe.hold_sends()
    first = probe.start("accept")
    second = probe.start("accept")
    probe.release_sends()
    _expect_one_accept(probe, first, second)


def _expect_one_close(probe: Probe) -> None:
    closes = [event for event in probe.sent if kind(event) == "websocket.close"]
    if not closes:
        raise Unreached("close() sent nothing")
    check = Check(f'{_TYPES}.count("websocket.close") == 1', '"sent", sent')
    probe.expect(len(closes) == 1, "one close event", f"{len(closes)} close events", check)


@case("WS-TASKS-003")
def two_closes(probe: Probe) -> None:
    """Close while the server takes its time over the close event of another task."""
    probe.open()
    probe.hold_sends()
    probe.start("close")
    probe.start("close")
    probe.release_sends()
    _expect_one_close(probe)


@case("WS-TASKS-003")
def two_closes_while_a_text_is_sent(probe: Probe) -> None:
    """Close from two tasks while the server takes its time over a text."""
    probe.open()
    probe.hold_sends()
    probe.start("send_text", "x")
    probe.start("close")
    probe.start("close")
    probe.release_sends()
    _expect_one_close(probe)


def _expect_close_is_last(probe: Probe) -> None:
    kinds = [kind(event) for event in probe.sent]
    if "websocket.close" not in kinds:
        raise Unreached("close() sent nothing")
    after = kinds[kinds.index("websocket.close") + 1 :]
    check = Check(f'{_TYPES}.index("websocket.close") == len(sent) - 1', '"sent", sent')
    probe.expect(not after, "nothing follows the close event", show(after), check)


@case("WS-TASKS-004", SEND)
def send_while_closing(probe: Probe, method: str, data: object) -> None:
    """Send while the server takes its time over the close event."""
    probe.open()
    probe.hold_sends()
    probe.start("close")
    probe.start(method, data)
    probe.release_sends()
    _expect_close_is_last(probe)


@case("WS-TASKS-004", SEND)
def send_while_a_close_waits(probe: Probe, method: str, data: object) -> None:
    """Close, then send, while the server takes its time over an earlier message."""
    probe.open()
    probe.hold_sends()
    probe.start(method, data)
    probe.start("close")
    probe.start(method, data)
    probe.release_sends()
    _expect_close_is_last(probe)


@case("WS-TASKS-004")
def close_while_accept_waits(probe: Probe) -> None:
    """Close while accept() waits for the connect event, then let it come."""
    probe.begin("accept")
    probe.start("close")
    probe.deliver(CONNECT)
    _expect_close_is_last(probe)


@case("WS-TASKS-004")
def close_while_accept_is_sent(probe: Probe) -> None:
    """Close while the server takes its time over the accept event, then send."""
    probe.deliver(CONNECT)
    probe.hold_sends()
    probe.start("accept")
    probe.start("close")
    probe.release_sends()
    probe.start("send_text", "x")
    _expect_close_is_last(probe)


@case("WS-TASKS-005", RECEIVE)
def close_while_receiving(probe: Probe, method: str) -> None:
    """Close while another task waits in a receive, then let the disconnect come."""
    probe.open()
    waiting = probe.begin(method)
    _expect_started_to_close(probe)
    probe.deliver(_CLOSED_BY_US)
    probe.expect_closed(waiting)


@case("WS-TASKS-005", RECEIVE)
def close_while_a_message_comes(probe: Probe, method: str) -> None:
    """Close while another task waits in a receive, then let a message come first."""
    probe.open()
    probe.receive_one(method)
    waiting = probe.begin(method)
    _expect_started_to_close(probe)
    probe.deliver(message(method, "late")[0], _CLOSED_BY_US)
    late = message(method, "late")[1]
    holds = probe.is_closed(waiting.outcome) or (
        isinstance(waiting.outcome, Returned) and same(waiting.outcome.value, late)
    )
    probe.expect(
        holds,
        f"{waiting.words} raises ConnectionClosed or returns {show(late)}",
        str(waiting),
        Check(
            f"isinstance({waiting.name}.error, ConnectionClosed)"
            f" or {waiting.name}.value == {literal(late)}",
            shown(waiting),
        ),
    )


def _expect_started_to_close(probe: Probe) -> None:
    probe.start("close")
    if [kind(event) for event in probe.sent] != ["websocket.close"]:
        raise Unreached("close() did not send its event")


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
    """Cancel a receive that waits, let a message come, and receive."""
    probe.open()
    probe.receive_one(method)
    probe.cancel(probe.begin(method))
    probe.deliver(message(method, "hello")[0])
    probe.expect_returned(probe.start(method), message(method, "hello")[1])


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
    """Cancel accept() while it waits for the connect event, let it come, and accept."""
    probe.cancel(probe.begin("accept"))
    probe.deliver(CONNECT)
    probe.expect_accepts(probe.start("accept"))


@case("WS-CANCEL-002")
def cancel_accept_and_wait(probe: Probe) -> None:
    """Cancel accept() while it waits for the connect event, accept, and let it come."""
    probe.cancel(probe.begin("accept"))
    call = probe.start("accept")
    probe.deliver(CONNECT)
    probe.expect_accepts(call)
