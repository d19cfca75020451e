"""What cases of more than one module use."""

from micropie_conformance.outcomes import BLOCKED
from micropie_conformance.probe import Call, Probe

__all__ = ["LONG", "MANY", "RECEIVE", "SEND", "SESSION", "start_close"]

# A UUID of version 4, as some implementations take no other session ID.
SESSION = "0b9f6c2e-5d1a-4c3b-9e8f-7a6d5c4b3a21"

# Over a mebibyte of UTF-8, three bytes to each character: hardly a piece of it ends where one does.
LONG = "€" * 350_000

# How often a case goes on that does the same again and again.
MANY = 50

# Tables for what holds for both methods of a kind.
RECEIVE = {"text": ("receive_text",), "bytes": ("receive_bytes",)}
SEND: dict[str, tuple[str, str | bytes]] = {
    "text": ("send_text", "x"),
    "bytes": ("send_bytes", b"x"),
}


def start_close(probe: Probe, **kwargs: object) -> Call:
    """Call `close`, and let the client answer if it waits for that.

    That it waits is the fault of WS-CLOSE-007 alone.
    """
    call = probe.start("close", **kwargs)
    if call.outcome is BLOCKED:
        probe.deliver({"type": "websocket.disconnect", "code": 1000, "reason": ""})
    return call
