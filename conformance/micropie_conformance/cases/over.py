"""What calls do once the connection is over: the client has gone, or we have closed."""

from collections.abc import Callable

from micropie_conformance.case import case
from micropie_conformance.cases.common import RECEIVE, SEND
from micropie_conformance.outcomes import Raised
from micropie_conformance.probe import CONNECT, DISCONNECT, Event, Probe, Unreached, kind, text


def _expect_no_op(probe: Probe, **kwargs: object) -> None:
    call = probe.start("close", **kwargs)
    probe.expect_nothing_sent()
    probe.expect_returns(call)


def _expect_no_harm(probe: Probe) -> None:
    # Whether a bad argument is told first is free.
    call = probe.start("close", code=999)
    probe.expect_nothing_sent()
    probe.expect_at_once(call)


def _expect_no_accept(probe: Probe) -> None:
    call = probe.start("accept")
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError)


# The client has gone


@case(
    "WS-GONE-001",
    {
        f"{first}-then-{then}": (*RECEIVE[first], *RECEIVE[then])
        for first in RECEIVE
        for then in RECEIVE
    },
)
def receive_again(probe: Probe, first: str, then: str) -> None:
    """Receive until the client has disconnected, then receive twice more."""
    probe.open()
    probe.lose(first)
    for _ in range(2):
        call = probe.start(then)
        probe.expect_nothing_sent()
        probe.expect_closed(call)


@case("WS-GONE-002", RECEIVE)
def receive_after_accept_missed(probe: Probe, method: str) -> None:
    """Accept when the client has gone before, then receive."""
    probe.miss()
    call = probe.start(method)
    probe.expect_nothing_sent()
    probe.expect_closed(call)


@case("WS-GONE-003", SEND)
def send_after_accept_missed(probe: Probe, method: str, data: object) -> None:
    """Accept when the client has gone before, then send."""
    probe.miss()
    call = probe.start(method, data)
    probe.expect_nothing_sent()
    probe.expect_error(call)


@case("WS-GONE-004", SEND)
def send_after_disconnect(probe: Probe, method: str, data: object) -> None:
    """Receive until the client has disconnected, then send."""
    probe.open()
    probe.lose()
    call = probe.start(method, data)
    probe.expect_nothing_sent()
    probe.expect_closed(call)


@case("WS-GONE-005")
def close_after_disconnect(probe: Probe) -> None:
    """Receive until the client has disconnected, then close."""
    probe.open()
    probe.lose()
    _expect_no_op(probe)


@case("WS-GONE-005")
def close_badly_after_disconnect(probe: Probe) -> None:
    """Receive until the client has disconnected, then close with a code that cannot be sent."""
    probe.open()
    probe.lose()
    _expect_no_harm(probe)


@case("WS-GONE-006")
def accept_after_disconnect(probe: Probe) -> None:
    """Receive until the client has disconnected, then accept."""
    probe.open()
    probe.lose()
    _expect_no_accept(probe)


@case("WS-GONE-007")
def accept_after_accept_missed(probe: Probe) -> None:
    """Accept when the client has gone before, then accept again."""
    probe.miss()
    call = probe.start("accept")
    probe.expect_nothing_sent()
    probe.expect_closed(call)


@case("WS-GONE-008")
def close_after_accept_missed(probe: Probe) -> None:
    """Accept when the client has gone before, then close."""
    probe.miss()
    _expect_no_op(probe)


_BREAKING: dict[str, tuple[object, ...]] = {**SEND, "close": ("close",)}


@case(
    "WS-GONE-009",
    {
        f"{by}-then-{row}": (breaking, method)
        for by, breaking in _BREAKING.items()
        for row, method in {
            **{f"receive-{name}": values for name, values in RECEIVE.items()},
            **{f"send-{name}": values for name, values in SEND.items()},
        }.items()
    },
)
def call_after_os_error(
    probe: Probe, breaking: tuple[str, object], method: tuple[str, object]
) -> None:
    """Let the server raise OSError at an event, then receive or send."""
    probe.open()
    probe.break_off(*breaking)
    call = probe.start(*method)
    probe.expect_nothing_sent()
    probe.expect_closed(call)


@case("WS-GONE-009", {by: (breaking,) for by, breaking in _BREAKING.items()})
def accept_after_os_error(probe: Probe, breaking: tuple[str, object]) -> None:
    """Let the server raise OSError at an event, then accept."""
    probe.open()
    probe.break_off(*breaking)
    _expect_no_accept(probe)


@case("WS-GONE-009", {by: (breaking,) for by, breaking in _BREAKING.items()})
def close_after_os_error(probe: Probe, breaking: tuple[str, object]) -> None:
    """Let the server raise OSError at an event, then close."""
    probe.open()
    probe.break_off(*breaking)
    _expect_no_op(probe)


@case("WS-GONE-010")
def os_error_at_accept(probe: Probe) -> None:
    """Accept while the server raises OSError."""
    probe.deliver(CONNECT)
    error = OSError("the client has gone")
    probe.fail_sends(error)
    probe.expect_closed_by(probe.start("accept"), error)


_CLOSED: Callable[..., None] = Probe.expect_closed
_ERROR: Callable[..., None] = Probe.expect_error


@case(
    "WS-GONE-011",
    {
        "accept": (_CLOSED, "accept"),
        "receive-text": (_CLOSED, "receive_text"),
        "receive-bytes": (_CLOSED, "receive_bytes"),
        "send-text": (_ERROR, "send_text", "x"),
        "send-bytes": (_ERROR, "send_bytes", b"x"),
        "close": (Probe.expect_returns, "close"),
    },
)
def call_after_os_error_at_accept(
    probe: Probe, judge: Callable[..., None], method: str, *args: object
) -> None:
    """Let the server raise OSError at the accept event, then call each method."""
    probe.deliver(CONNECT)
    probe.break_off("accept")
    call = probe.start(method, *args)
    probe.expect_nothing_sent()
    judge(probe, call)


# We have closed


@case("WS-CLOSED-001", SEND)
def send_after_close(probe: Probe, method: str, data: object) -> None:
    """Close, then send."""
    probe.open()
    answered = probe.closed()
    call = probe.start(method, data)
    probe.expect_nothing_sent()
    if answered and isinstance(call.outcome, Raised):
        # The disconnect may have been read: then either error will do.
        probe.expect_raised(call, RuntimeError, probe.target.closed)
    probe.expect_raised(call, RuntimeError)


_ON_ITS_WAY: dict[str, tuple[Event, ...]] = {
    "nothing-comes": (),
    "disconnect-comes": (DISCONNECT,),
    "message-comes": (text("late"), DISCONNECT),
}


@case(
    "WS-CLOSED-002",
    {
        f"{name}-{row}": (method, *events)
        for name, (method,) in RECEIVE.items()
        for row, events in _ON_ITS_WAY.items()
    },
)
def receive_after_close(probe: Probe, method: str, *events: Event) -> None:
    """Close, then receive."""
    probe.open()
    probe.closed()
    probe.deliver(*events)
    probe.expect_closed(probe.start(method))


@case("WS-CLOSED-003")
def accept_after_close(probe: Probe) -> None:
    """Close, then accept."""
    probe.open()
    probe.closed()
    _expect_no_accept(probe)


@case("WS-CLOSED-004", {"same": ({},), "other-code": ({"code": 4000, "reason": "bye"},)})
def close_after_close(probe: Probe, kwargs: dict[str, object]) -> None:
    """Close twice."""
    probe.open()
    probe.closed()
    _expect_no_op(probe, **kwargs)


@case("WS-CLOSED-004")
def close_badly_after_close(probe: Probe) -> None:
    """Close, then close with a code that cannot be sent."""
    probe.open()
    probe.closed()
    _expect_no_harm(probe)


# We have closed before accept


@case("WS-REJECT-002", SEND)
def send_after_reject(probe: Probe, method: str, data: object) -> None:
    """Close before accept(), then send."""
    probe.reject()
    call = probe.start(method, data)
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError)


@case(
    "WS-REJECT-003",
    {
        f"{name}-{row}": (method, *_ON_ITS_WAY[row])
        for name, (method,) in RECEIVE.items()
        for row in ("nothing-comes", "disconnect-comes")
    },
)
def receive_after_reject(probe: Probe, method: str, *events: Event) -> None:
    """Close before accept(), then receive."""
    probe.reject()
    probe.deliver(*events)
    call = probe.start(method)
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError)


@case("WS-REJECT-004")
def accept_after_reject(probe: Probe) -> None:
    """Close before accept(), then accept."""
    probe.reject()
    _expect_no_accept(probe)


@case("WS-REJECT-004")
def accept_after_reject_while_accept_waited(probe: Probe) -> None:
    """Close while accept() waits for the connect event, let it come, then accept again."""
    probe.begin("accept")
    probe.start("close")
    probe.deliver(CONNECT)
    if [kind(event) for event in probe.look()] != ["websocket.close"]:
        raise Unreached("close() did not reject the connection")
    _expect_no_accept(probe)


@case("WS-REJECT-005")
def close_after_reject(probe: Probe) -> None:
    """Close twice before accept()."""
    probe.reject()
    _expect_no_op(probe)


@case("WS-REJECT-005")
def close_badly_after_reject(probe: Probe) -> None:
    """Close before accept(), then close with a code that cannot be sent."""
    probe.reject()
    _expect_no_harm(probe)
