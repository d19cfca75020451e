"""`receive_text` and `receive_bytes` on an open connection."""

from micropie_conformance.case import case
from micropie_conformance.cases.common import LONG, MANY, RECEIVE
from micropie_conformance.outcomes import Returned, same, show
from micropie_conformance.probe import (
    DISCONNECT,
    Event,
    Probe,
    Unreached,
    binary,
    message,
    shown,
    text,
)
from micropie_conformance.steps import Check

_TEXTS = {
    "ascii": ("hello",),
    "beyond-ascii": ("grüße 😀",),
    "control": ("a\0b\r\n",),
    "byte-order-mark": ("\ufeffhello",),
    "long": (LONG,),
}


@case("WS-RECV-001", _TEXTS)
def receives_a_text(probe: Probe, data: str) -> None:
    """Receive the text of a text message that is there."""
    probe.open()
    probe.deliver(text(data))
    probe.expect_returned(probe.start("receive_text"), data)


@case("WS-RECV-001")
def waits_for_a_text(probe: Probe) -> None:
    """Receive a text before there is a message, then let it come."""
    probe.open()
    call = probe.start("receive_text")
    probe.expect_waits(call)
    probe.deliver(text("hello"))
    probe.expect_returned(call, "hello")


@case(
    "WS-RECV-002",
    {
        "ascii": (b"hello",),
        "any": (bytes(range(256)),),
        "byte-order-mark": ("\ufeffhello".encode(),),
        "long": (b"x" * len(LONG),),
    },
)
def receives_bytes(probe: Probe, data: bytes) -> None:
    """Receive the bytes of a binary message that is there."""
    probe.open()
    probe.deliver(binary(data))
    probe.expect_returned(probe.start("receive_bytes"), data)


@case("WS-RECV-002")
def waits_for_bytes(probe: Probe) -> None:
    """Receive bytes before there is a message, then let it come."""
    probe.open()
    call = probe.start("receive_bytes")
    probe.expect_waits(call)
    probe.deliver(binary(b"hello"))
    probe.expect_returned(call, b"hello")


@case(
    "WS-RECV-003",
    {
        "ascii": (b"hello", "hello"),
        "beyond-ascii": ("grüße 😀".encode(), "grüße 😀"),
        "byte-order-mark": ("\ufeffhello".encode(), "\ufeffhello"),
        "long": (LONG.encode(), LONG),
        "invalid-byte": (b"a\xffb", "ab"),
        "cut-off": (b"a\xe2\x82", "a"),
        "surrogate": (b"a\xed\xa0\x80b", "ab"),
        "nothing-valid": (b"\xff\xfe", ""),
    },
)
def decodes_bytes(probe: Probe, data: bytes, expected: str) -> None:
    """Receive a binary message as text."""
    probe.open()
    probe.deliver(binary(data))
    probe.expect_returned(probe.start("receive_text"), expected)


@case("WS-RECV-004", _TEXTS)
def encodes_a_text(probe: Probe, data: str) -> None:
    """Receive a text message as bytes."""
    probe.open()
    probe.deliver(text(data))
    probe.expect_returned(probe.start("receive_bytes"), data.encode())


_CLOSES = {"normal": (1000, ""), "going-away": (1001, "bye"), "abnormal": (1006, "")}


@case("WS-RECV-005", _CLOSES)
def text_of_a_client_that_has_gone(probe: Probe, code: int, reason: str) -> None:
    """Receive a text when the server has a disconnect."""
    probe.open()
    probe.deliver({"type": "websocket.disconnect", "code": code, "reason": reason})
    probe.expect_closed(probe.start("receive_text"))


@case("WS-RECV-005")
def text_of_a_client_that_goes(probe: Probe) -> None:
    """Wait for a text, then let the client disconnect."""
    probe.open()
    call = probe.begin("receive_text")
    probe.deliver(DISCONNECT)
    probe.expect_closed(call)


@case("WS-RECV-006", _CLOSES)
def bytes_of_a_client_that_has_gone(probe: Probe, code: int, reason: str) -> None:
    """Receive bytes when the server has a disconnect."""
    probe.open()
    probe.deliver({"type": "websocket.disconnect", "code": code, "reason": reason})
    probe.expect_closed(probe.start("receive_bytes"))


@case("WS-RECV-006")
def bytes_of_a_client_that_goes(probe: Probe) -> None:
    """Wait for bytes, then let the client disconnect."""
    probe.open()
    call = probe.begin("receive_bytes")
    probe.deliver(DISCONNECT)
    probe.expect_closed(call)


@case("WS-RECV-007")
def keeps_the_order(probe: Probe) -> None:
    """Let six messages and a disconnect come at once, then receive the messages."""
    probe.open()
    probe.receive_one("receive_text", "receive_bytes")
    probe.deliver(
        *(text(f"{n}") if n % 2 else binary(f"{n}".encode()) for n in range(6)), DISCONNECT
    )
    for n in range(6):
        if n % 2:
            probe.expect_returned(probe.start("receive_text"), f"{n}")
        else:
            probe.expect_returned(probe.start("receive_bytes"), f"{n}".encode())


@case("WS-RECV-007")
def keeps_the_order_one_by_one(probe: Probe) -> None:
    """Receive and let two messages come, in turns, the second while nobody receives."""
    probe.open()
    probe.receive_one("receive_text")
    for n in range(3):
        call = probe.start("receive_text")
        probe.expect_waits(call)
        probe.deliver(text(f"{n}a"), text(f"{n}b"))
        probe.expect_returned(call, f"{n}a")
        probe.expect_returned(probe.start("receive_text"), f"{n}b")


@case("WS-RECV-007")
def keeps_the_order_of_many(probe: Probe) -> None:
    """Let a message come, receive it and send it back, in turns, fifty times."""
    probe.open()
    probe.receive_one("receive_text", "receive_bytes")
    for n in range(MANY):
        receive, send = ("receive_text", "send_text") if n % 2 else ("receive_bytes", "send_bytes")
        event, expected = message(receive, f"{n}")
        probe.deliver(event)
        probe.expect_returned(probe.start(receive), expected)
        # What becomes of it is another question.
        probe.start(send, expected)


# Forms of the event


@case(
    "WS-MSG-001",
    {
        "text-as-text": ("receive_text", {"text": "hello", "bytes": None}, "hello"),
        "text-as-bytes": ("receive_bytes", {"text": "hello", "bytes": None}, b"hello"),
        "bytes-as-bytes": ("receive_bytes", {"text": None, "bytes": b"hello"}, b"hello"),
        "bytes-as-text": ("receive_text", {"text": None, "bytes": b"hello"}, "hello"),
    },
)
def unused_key_is_none(probe: Probe, method: str, keys: Event, expected: str | bytes) -> None:
    """Receive a message whose event has both keys, the unused one None."""
    probe.open()
    used = {key: value for key, value in keys.items() if value is not None}
    _receive_in_form(probe, method, used, expected)
    probe.deliver({"type": "websocket.receive", **keys})
    probe.expect_returned(probe.start(method), expected)


def _receive_in_form(probe: Probe, method: str, keys: Event, expected: str | bytes) -> None:
    # Whether a message is received at all is another question.
    probe.deliver({"type": "websocket.receive", **keys})
    if not same(probe.do(method), expected):
        raise Unreached(f"{method}() does not return {show(expected)} either")


@case(
    "WS-MSG-002",
    {
        f"{kind}-as-{name}-{other}": (method, kind, other)
        for kind in ("text", "bytes")
        for name, (method,) in RECEIVE.items()
        for other in ("absent", "none")
    },
)
def empty_message(probe: Probe, method: str, kind: str, other: str) -> None:
    """Receive an empty message, then one that is not, in one form of the event."""
    probe.open()
    unused: Event = {"bytes" if kind == "text" else "text": None} if other == "none" else {}
    full: str | bytes = "x" if kind == "text" else b"x"
    empty: str | bytes = "" if kind == "text" else b""
    full_result: str | bytes = "x" if method == "receive_text" else b"x"
    empty_result: str | bytes = "" if method == "receive_text" else b""
    _receive_in_form(probe, method, {kind: full, **unused}, full_result)
    probe.deliver({"type": "websocket.receive", kind: empty, **unused})
    probe.expect_returned(probe.start(method), empty_result)
    probe.deliver({"type": "websocket.receive", kind: full, **unused})
    probe.expect_returned(probe.start(method), full_result)


def _with_each_method(forms: dict[str, Event]) -> dict[str, tuple[str, Event]]:
    return {
        f"{form}-{name}": (method, keys)
        for form, keys in forms.items()
        for name, (method,) in RECEIVE.items()
    }


@case(
    "WS-MSG-004",
    _with_each_method({"absent": {"code": 1001}, "none": {"code": 1001, "reason": None}}),
)
def disconnect_without_reason(probe: Probe, method: str, keys: Event) -> None:
    """Receive when the server has a disconnect without a reason."""
    _receive_disconnect(probe, method, keys)


@case(
    "WS-MSG-007",
    _with_each_method({"absent": {"reason": "bye"}, "none": {"code": None, "reason": "bye"}}),
)
def disconnect_without_code(probe: Probe, method: str, keys: Event) -> None:
    """Receive when the server has a disconnect without a code."""
    _receive_disconnect(probe, method, keys)


def _receive_disconnect(probe: Probe, method: str, keys: Event) -> None:
    probe.open()
    probe.deliver({"type": "websocket.disconnect", **keys})
    probe.expect_closed(probe.start(method))


@case("WS-MSG-005", {"binary": (binary(b"hello"),), "text": (text("hello"),)})
def returns_bytes_exactly(probe: Probe, event: Event) -> None:
    """Receive a message as bytes and look at the type of what is returned."""
    probe.open()
    probe.deliver(event)
    call = probe.start("receive_bytes")
    if not isinstance(call.outcome, Returned) or not same(call.outcome.value, b"hello"):
        raise Unreached(str(call))
    check = Check(f"type({call.name}.value) is bytes", shown(call))
    probe.expect(type(call.outcome.value) is bytes, f"{call.words} returns bytes", str(call), check)
