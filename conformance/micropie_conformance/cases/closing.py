"""`close`, and which codes and reasons it takes."""

from micropie_conformance.case import case
from micropie_conformance.cases.common import start_close
from micropie_conformance.outcomes import Returned, same, show
from micropie_conformance.probe import CONNECT, Event, Probe, Unreached
from micropie_conformance.steps import Check, literal

_MOST_REASON = "ä" * 61 + "x"


def _expect_one_close(probe: Probe) -> Event:
    sent = list(probe.sent)
    probe.expect_kinds("websocket.close")
    return sent[0]


def _has_code(event: Event, code: int) -> bool:
    # ASGI: "Optional; if missing defaults to 1000".
    return same(event.get("code"), code) or (code == 1000 and "code" not in event)


def _has_no_reason(event: Event) -> bool:
    return event.get("reason") is None or same(event["reason"], "")


@case("WS-CLOSE-001")
def closes(probe: Probe) -> None:
    """Close an open connection."""
    probe.open()
    call = start_close(probe)
    event = _expect_one_close(probe)
    check = Check('sent[0].get("code", 1000) == 1000', 'sent[0].get("code")')
    probe.expect(_has_code(event, 1000), "the code is 1000", show(event.get("code")), check)
    probe.expect_returns(call)


@case(
    "WS-CLOSE-002",
    {
        **{f"code-{code}": (code, "bye") for code in (1000, 1001, 1003, 1007, 1011, 1014)},
        **{f"code-{code}": (code, "bye") for code in (3000, 4000, 4999)},
        "reason-beyond-ascii": (1000, "tschüß 😀"),
        "reason-of-123-bytes": (1000, _MOST_REASON),
    },
)
def closes_with_code_and_reason(probe: Probe, code: int, reason: str) -> None:
    """Close an open connection with a code and a reason."""
    probe.open()
    call = start_close(probe, code=code, reason=reason)
    event = _expect_one_close(probe)
    sent = (event.get("code"), event.get("reason"))
    holds = _has_code(event, code) and same(event.get("reason"), reason)
    check = Check(
        f'(sent[0].get("code", 1000), sent[0].get("reason")) == {literal((code, reason))}',
        '(sent[0].get("code"), sent[0].get("reason"))',
    )
    probe.expect(holds, f"code and reason are {show((code, reason))}", show(sent), check)
    probe.expect_returns(call)


# All of the codes that are used most, and of the many others each seventh.
_CODES = (
    *range(1000, 1004),
    *range(1007, 1015),
    *range(3000, 3010),
    *range(4000, 4100),
    *range(3010, 5000, 7),
)


@case("WS-CLOSE-002")
def closes_with_each_code(probe: Probe) -> None:
    """Close an open connection with a code, each of some 400 on a connection of its own."""
    closes_with_code_and_reason(probe, probe.each(_CODES), "bye")


@case(
    "WS-CLOSE-003",
    {"nothing-given": ({},), "code-given": ({"code": 4000},), "empty": ({"reason": ""},)},
)
def closes_without_a_reason(probe: Probe, kwargs: dict[str, object]) -> None:
    """Close an open connection without a reason."""
    probe.open()
    start_close(probe, **kwargs)
    if not probe.sent:
        raise Unreached("close() sent nothing")
    event = probe.sent[0]
    check = Check('sent[0].get("reason") in (None, "")', 'repr(sent[0].get("reason"))')
    probe.expect(_has_no_reason(event), "there is no reason", show(event.get("reason")), check)


_BAD_CODES = (-1, 0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65536)


@case("WS-CLOSE-004", {f"{code}": (code,) for code in _BAD_CODES})
def refuses_the_code(probe: Probe, code: int) -> None:
    """Close an open connection with a code that cannot be sent, then send a text."""
    probe.open()
    call = probe.start("close", code=code)
    probe.expect_nothing_sent()
    probe.expect_raised(call, ValueError)
    probe.expect_still_open()


@case("WS-CLOSE-004")
def refuses_the_code_before_accept(probe: Probe) -> None:
    """Close with a code that cannot be sent before accept()."""
    probe.deliver(CONNECT)
    call = probe.start("close", code=1005)
    probe.expect_nothing_sent()
    probe.expect_raised(call, ValueError)


@case("WS-CLOSE-005", {"ascii": ("x" * 124,), "beyond-ascii": ("ä" * 62,)})
def refuses_the_reason(probe: Probe, reason: str) -> None:
    """Close an open connection with a reason that is too long, then send a text."""
    probe.open()
    call = probe.start("close", reason=reason)
    probe.expect_nothing_sent()
    probe.expect_raised(call, ValueError)
    probe.expect_still_open()


@case(
    "WS-CLOSE-006",
    {"str": ("1000",), "none": (None,), "float": (1000.0,), "bytes": (b"1000",)},
)
def refuses_a_code_that_is_no_int(probe: Probe, code: object) -> None:
    """Close an open connection with a code of another type, then send a text."""
    probe.open()
    call = probe.start("close", code=code)
    probe.expect_nothing_sent()
    probe.expect_raised(call, TypeError, ValueError)
    probe.expect_still_open()


@case("WS-CLOSE-007")
def does_not_wait_for_the_client(probe: Probe) -> None:
    """Close an open connection whose client does not answer."""
    probe.open()
    probe.expect_returns(probe.start("close"))


@case("WS-CLOSE-008")
def swallows_os_error(probe: Probe) -> None:
    """Close an open connection while the server raises OSError."""
    probe.open()
    probe.fail_sends(OSError("the client has gone"))
    call = probe.start("close")
    if not probe.sent:
        raise Unreached(f"{call} and hands nothing over")
    probe.expect_returns(call)


# Before accept


@case("WS-REJECT-001")
def rejects(probe: Probe) -> None:
    """Close when the connect event is there and nothing has been read."""
    probe.deliver(CONNECT)
    call = start_close(probe)
    probe.expect_kinds("websocket.close")
    probe.expect_returns(call)


_REFUSED = {"code": ({"code": 999},), "reason": ({"reason": "x" * 124},)}


def _refuse(probe: Probe, kwargs: dict[str, object]) -> None:
    probe.deliver(CONNECT)
    call = probe.start("close", **kwargs)
    if isinstance(call.outcome, Returned) or probe.sent:
        raise Unreached(f"{call} and is not refused")


@case("WS-REJECT-006", _REFUSED)
def accept_after_a_refusal(probe: Probe, kwargs: dict[str, object]) -> None:
    """Close before accept() with what is refused, then accept."""
    _refuse(probe, kwargs)
    probe.expect_accepts(probe.start("accept"))


@case("WS-REJECT-006", _REFUSED)
def close_after_a_refusal(probe: Probe, kwargs: dict[str, object]) -> None:
    """Close before accept() with what is refused, then close properly."""
    _refuse(probe, kwargs)
    call = probe.start("close")
    probe.expect_returns(call)
    check = Check("sent", '"sent", sent')
    probe.expect(bool(probe.sent), "sends websocket.close", "it sends nothing", check)
