"""What more than one adapter needs.

An adapter gives another WebSocket class the names and types of this contract, so that the suite can
ask it the same questions, and nothing else: what the class does is what is seen. What it has no
counterpart of is in `NOT_APPLICABLE`, with the reason.
"""

from collections.abc import Generator
from contextlib import contextmanager

__all__ = [
    "CONNECTED_BEFORE",
    "NO_SESSION",
    "as_bytes",
    "as_text",
    "misuse",
    "scope",
    "session_cookie",
]

NO_SESSION = {
    **dict.fromkeys(
        ("WS-COOKIE-003", "WS-COOKIE-004", "WS-COOKIE-005"),
        "accept() takes headers and no session ID: what a cookie may hold is its caller's business",
    ),
    **dict.fromkeys(
        ("WS-ATTR-004", "WS-ATTR-005", "WS-ATTR-006", "WS-ATTR-007"),
        "accept() takes headers and no session ID, so there is none to be kept",
    ),
}
"""Of a class that can send a session cookie as any other header."""


CONNECTED_BEFORE = dict.fromkeys(
    (
        "WS-ACCEPT-002",
        "WS-ACCEPT-004",
        "WS-ACCEPT-005",
        "WS-CANCEL-002",
        "WS-TASKS-002",
        "WS-GONE-002",
        "WS-GONE-003",
        "WS-GONE-007",
        "WS-GONE-008",
    ),
    "the connect event is read before there is an object that could accept",
)
"""Of a class whose framework reads the connect event."""


def scope() -> dict[str, object]:
    """Give the scope of a connection, as a server of ASGI 3.0 gives it."""
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "subprotocols": [],
        "state": {},
    }


def session_cookie(session_id: str | None) -> dict[str, str]:
    """Give the headers that set a session ID."""
    return {} if session_id is None else {"set-cookie": f"session_id={session_id}"}


def as_text(message):
    """Give a message as a text, for a class with one way to receive both kinds."""
    return message.decode("utf-8", "ignore") if isinstance(message, bytes) else message


def as_bytes(message):
    """Give a message as bytes, likewise."""
    return message.encode() if isinstance(message, str) else message


@contextmanager
def misuse(error: type[Exception]) -> Generator[None]:
    """Raise RuntimeError where the class has an error of its own for a call out of turn."""
    try:
        yield
    except error as raised:
        raise RuntimeError(str(raised)) from raised
