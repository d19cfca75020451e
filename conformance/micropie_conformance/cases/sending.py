"""`send_text` and `send_bytes` on an open connection."""

from micropie_conformance.case import case
from micropie_conformance.cases.common import LONG, MANY, SEND
from micropie_conformance.outcomes import Returned, same
from micropie_conformance.probe import CONNECT, Probe, Unreached
from micropie_conformance.steps import Check


class _Text(str):
    """A text as others derive theirs: an enumeration's member, a translated or a safe string."""


class _Bytes(bytes):
    """Bytes of a class of their own."""


@case(
    "WS-SEND-001",
    {
        "ascii": ("hello",),
        "beyond-ascii": ("grüße 😀",),
        "control": ("a\0b\r\n",),
        "byte-order-mark": ("\ufeffhello",),
        "long": (LONG,),
        "derived": (_Text("x"),),
    },
)
def sends_a_text(probe: Probe, data: str) -> None:
    """Send a text."""
    probe.open()
    call = probe.start("send_text", data)
    probe.expect_sent({"type": "websocket.send", "text": data})
    probe.expect_returns(call)


@case(
    "WS-SEND-002",
    {
        "ascii": (b"hello",),
        "any": (bytes(range(256)),),
        "byte-order-mark": ("\ufeffhello".encode(),),
        "long": (b"x" * len(LONG),),
        "derived": (_Bytes(b"x"),),
    },
)
def sends_bytes(probe: Probe, data: bytes) -> None:
    """Send bytes."""
    probe.open()
    call = probe.start("send_bytes", data)
    probe.expect_sent({"type": "websocket.send", "bytes": data})
    probe.expect_returns(call)


@case("WS-SEND-001")
def sends_many_texts(probe: Probe) -> None:
    """Receive a message and send a text, in turns, fifty times."""
    probe.open()
    for n in range(MANY):
        probe.receive_one("receive_text")
        call = probe.start("send_text", f"{n}")
        probe.expect_sent({"type": "websocket.send", "text": f"{n}"})
        probe.expect_returns(call)


@case("WS-SEND-002")
def sends_many_bytes(probe: Probe) -> None:
    """Receive a message and send bytes, in turns, fifty times."""
    probe.open()
    for n in range(MANY):
        probe.receive_one("receive_bytes")
        call = probe.start("send_bytes", f"{n}".encode())
        probe.expect_sent({"type": "websocket.send", "bytes": f"{n}".encode()})
        probe.expect_returns(call)


@case("WS-MSG-003")
def sends_an_empty_text(probe: Probe) -> None:
    """Send an empty text."""
    probe.open()
    call = probe.start("send_text", "")
    probe.expect_sent({"type": "websocket.send", "text": ""})
    probe.expect_returns(call)


@case("WS-MSG-003")
def sends_empty_bytes(probe: Probe) -> None:
    """Send empty bytes."""
    probe.open()
    call = probe.start("send_bytes", b"")
    probe.expect_sent({"type": "websocket.send", "bytes": b""})
    probe.expect_returns(call)


@case("WS-MSG-006")
def sends_bytes_exactly(probe: Probe) -> None:
    """Send bytes and look at the type of what is sent."""
    probe.open()
    probe.do("send_bytes", b"hello")
    sent = [event.get("bytes") for event in probe.sent]
    if len(sent) != 1 or not same(sent[0], b"hello"):
        raise Unreached(f"send_bytes() sent {sent}")
    check = Check('type(sent[0].get("bytes")) is bytes', '"sent", sent')
    probe.expect(type(sent[0]) is bytes, "the payload is bytes", sent[0], check)


_WRONG = {
    "bytes-as-text": ("send_text", b"x"),
    "bytearray-as-text": ("send_text", bytearray(b"x")),
    "int-as-text": ("send_text", 5),
    "none-as-text": ("send_text", None),
    "text-as-bytes": ("send_bytes", "x"),
    "int-as-bytes": ("send_bytes", 5),
    "list-as-bytes": ("send_bytes", [1, 2]),
    "none-as-bytes": ("send_bytes", None),
}


@case("WS-SEND-003", _WRONG)
def refuses_the_wrong_type(probe: Probe, method: str, data: object) -> None:
    """Send something of another type, then a text."""
    probe.open()
    call = probe.start(method, data)
    probe.expect_nothing_sent()
    probe.expect_raised(call, TypeError)
    probe.expect_still_open()


@case("WS-SEND-003", {name: _WRONG[name] for name in ("bytes-as-text", "text-as-bytes")})
def refuses_the_wrong_type_before_accept(probe: Probe, method: str, data: object) -> None:
    """Send something of another type before accept()."""
    probe.deliver(CONNECT)
    call = probe.start(method, data)
    probe.expect_nothing_sent()
    probe.expect_raised(call, TypeError, RuntimeError)


class _ClientDisconnectedError(OSError):
    """Stands for an error of a server's own."""


@case(
    "WS-SEND-004",
    {
        f"{row}-{name}": (*SEND[row], error)
        for row in SEND
        for name, error in (
            ("os-error", OSError),
            ("reset", ConnectionResetError),
            ("of-the-server", _ClientDisconnectedError),
        )
    },
)
def server_raises_os_error(
    probe: Probe, method: str, data: object, error_class: type[OSError]
) -> None:
    """Send while the server raises OSError."""
    probe.open()
    error = error_class("the client has gone")
    probe.fail_sends(error)
    call = probe.start(method, data)
    if isinstance(call.outcome, Returned) and not probe.sent:
        raise Unreached(f"{call} and hands nothing over")
    probe.expect_closed_by(call, error)
