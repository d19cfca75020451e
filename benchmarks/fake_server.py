"""The server of the benchmark: two ASGI callables in memory.

`receive` makes a fresh event each time, as servers do, and `send` keeps what it got: the least
that a server can do, so that no cost of it hides the cost of what is measured. It is a module of
its own because equal strings of one module are one object, which compares faster than what an
application gets from a real server.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["SCOPE", "Talk", "Visit"]

SCOPE: Mapping[str, Any] = {
    "type": "websocket",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "scheme": "ws",
    "path": "/echo/garden",
    "raw_path": b"/echo/garden",
    "query_string": b"",
    "root_path": "",
    "headers": [
        (b"host", b"localhost:8000"),
        (b"connection", b"Upgrade"),
        (b"upgrade", b"websocket"),
        (b"origin", b"http://localhost:8000"),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ],
    "client": ("127.0.0.1", 50000),
    "server": ("127.0.0.1", 8000),
    "subprotocols": [],
    "extensions": {},
}
"""What servers tell of a connection."""


class Talk:
    """A client that connects and then, when `kind` is set to it, sends texts without end."""

    def __init__(self) -> None:
        """Start with the connect event."""
        self.kind = "websocket.connect"
        self.sent: dict[str, Any] = {}

    async def receive(self) -> dict[str, Any]:
        """Give the next event, with the one key that it needs."""
        return {"type": self.kind, "text": "hello"}

    async def send(self, event: dict[str, Any]) -> None:
        """Keep the event."""
        self.sent = event


class Visit:
    """A client that connects, sends one text and leaves."""

    def __init__(self) -> None:
        """Start before the connect event."""
        self.received = 0
        self.sent: dict[str, Any] = {}

    async def receive(self) -> dict[str, Any]:
        """Give the next event."""
        self.received += 1
        if self.received == 1:
            return {"type": "websocket.connect"}
        if self.received == 2:
            return {"type": "websocket.receive", "text": "hello"}
        return {"type": "websocket.disconnect", "code": 1001, "reason": ""}

    async def send(self, event: dict[str, Any]) -> None:
        """Keep the event."""
        self.sent = event
