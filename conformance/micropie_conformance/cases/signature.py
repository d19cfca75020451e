"""How a connection is made and how its methods are called."""

import inspect

from micropie_conformance.case import case
from micropie_conformance.cases.common import SESSION
from micropie_conformance.outcomes import Raised, Returned, same
from micropie_conformance.probe import CONNECT, NO_SUCH_CALL, Call, Probe, Unreached, shown
from micropie_conformance.steps import Check, literal

_METHODS: dict[str, tuple[str, *tuple[object, ...]]] = {
    "accept": ("accept",),
    "receive-text": ("receive_text",),
    "receive-bytes": ("receive_bytes",),
    "send-text": ("send_text", "x"),
    "send-bytes": ("send_bytes", b"x"),
    "close": ("close",),
}


def _expect_taken(probe: Probe, call: Call, *refusals: type[Exception]) -> None:
    # Any other failure has other reasons than how it was called.
    refused = isinstance(call.outcome, Raised) and call.outcome.of(TypeError, *refusals)
    if refused and (not call.misfit or call.misfit == NO_SUCH_CALL):
        check = Check(f'{call.name}.outcome == "returns"', shown(call))
        probe.expect(False, f"{call.words} takes its arguments", str(call), check)
    if not isinstance(call.outcome, Returned):
        raise Unreached(str(call))


@case("WS-SIGN-001")
def makes_a_connection(probe: Probe) -> None:
    """Call the factory with the two ASGI callables, by position."""
    outcome = probe.try_make()
    made = isinstance(outcome, Returned) and outcome.value is not None
    check = Check('made.outcome == "returns" and made.value is not None', '"it", made')
    probe.expect(made, "factory(receive, send) gives a connection", f"it {outcome}", check)


@case("WS-SIGN-002", _METHODS)
def gives_an_awaitable(probe: Probe, method: str, *args: object) -> None:
    """Look the method up and call it where it may be called."""
    if method == "accept":
        probe.deliver(CONNECT)
    else:
        probe.open()
    call = probe.try_start(method, *args)
    if call.misfit == NO_SUCH_CALL:
        raise Unreached(str(call))
    check = Check(f"{call.name}.awaitable", shown(call))
    probe.expect(not call.misfit, f"{call.words} gives an awaitable", str(call), check)


@case("WS-SIGN-003")
def accept_by_position(probe: Probe) -> None:
    """Call accept() with a subprotocol and a session_id by position."""
    probe.deliver(CONNECT)
    call = probe.try_start("accept", "chat", SESSION)
    _expect_taken(probe, call)
    taken = [event.get("subprotocol") for event in probe.sent]
    swapped = any(same(value, SESSION) for value in taken)
    probe.expect(
        not swapped,
        "the first argument is subprotocol",
        f"it is session_id: {taken}",
        Check(
            f'{literal(SESSION)} not in [event.get("subprotocol") for event in sent]',
            '"sent", sent',
        ),
    )


@case("WS-SIGN-004")
def accept_by_name(probe: Probe) -> None:
    """Call accept() with a session_id and a subprotocol by name."""
    probe.deliver(CONNECT)
    call = probe.try_start("accept", session_id=SESSION, subprotocol="chat")
    _expect_taken(probe, call)


@case(
    "WS-SIGN-005",
    {
        "none-given": (),
        "one-given": ("chat",),
        "session-id-none": ("chat", None),
        "subprotocol-none": (None, SESSION),
        "both-none": (None, None),
    },
)
def accept_defaults(probe: Probe, *args: object) -> None:
    """Call accept() with arguments left out, or None in their place."""
    probe.deliver(CONNECT)
    _expect_taken(probe, probe.try_start("accept", *args), ValueError)


@case("WS-SIGN-006")
def close_by_position(probe: Probe) -> None:
    """Call close() with a code and a reason by position."""
    probe.open()
    _expect_taken(probe, probe.try_start("close", 4000, "bye"), ValueError)
    taken = [event.get("code") for event in probe.sent]
    swapped = any(same(value, "bye") for value in taken)
    check = Check('"bye" not in [event.get("code") for event in sent]', '"sent", sent')
    probe.expect(not swapped, "the first argument is code", f"it is reason: {taken}", check)


@case("WS-SIGN-007")
def close_by_name(probe: Probe) -> None:
    """Call close() with a reason and a code by name."""
    probe.open()
    _expect_taken(probe, probe.try_start("close", reason="bye", code=4000))


@case("WS-SIGN-008", {"none-given": (), "one-given": (4000,), "reason-none": (4000, None)})
def close_defaults(probe: Probe, *args: object) -> None:
    """Call close() with arguments left out, or None as the reason."""
    probe.open()
    _expect_taken(probe, probe.try_start("close", *args), ValueError)


@case("WS-SIGN-009")
def send_text_by_position(probe: Probe) -> None:
    """Call send_text() with data by position."""
    probe.open()
    _expect_taken(probe, probe.try_start("send_text", "x"))


@case("WS-SIGN-009")
def send_text_by_name(probe: Probe) -> None:
    """Call send_text() with data by name."""
    probe.open()
    _expect_taken(probe, probe.try_start("send_text", data="x"))


@case("WS-SIGN-010")
def send_bytes_by_position(probe: Probe) -> None:
    """Call send_bytes() with data by position."""
    probe.open()
    _expect_taken(probe, probe.try_start("send_bytes", b"x"))


@case("WS-SIGN-010")
def send_bytes_by_name(probe: Probe) -> None:
    """Call send_bytes() with data by name."""
    probe.open()
    _expect_taken(probe, probe.try_start("send_bytes", data=b"x"))


@case("WS-SIGN-011", {row: values[:1] for row, values in _METHODS.items()})
def is_a_coroutine_function(probe: Probe, method: str) -> None:
    """Ask inspect.iscoroutinefunction about the method."""
    found = probe.attribute(method)
    if not isinstance(found, Returned):
        raise Unreached(f"{method} {found}")
    try:
        holds = inspect.iscoroutinefunction(found.value)
    except BaseException:
        # What cannot even be looked at is none.
        holds = False
    probe.expect(
        holds,
        f"{method} is a coroutine function",
        f"it is {type(found.value).__name__}",
        Check(f"inspect.iscoroutinefunction(ws.{method})", f'"it is", type(ws.{method})'),
    )


@case("WS-EXC-001")
def is_an_exception(probe: Probe) -> None:
    """Look at the class of ConnectionClosed."""
    closed = probe.target.closed
    probe.expect(
        issubclass(closed, Exception),
        "ConnectionClosed derives from Exception",
        f"it derives from {', '.join(base.__name__ for base in closed.__mro__[1:])}",
        Check(
            "issubclass(ConnectionClosed, Exception)", '"it derives from", ConnectionClosed.__mro__'
        ),
    )
