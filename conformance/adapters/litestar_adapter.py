"""Litestar's WebSocket."""

from adapting import NO_SESSION, scope, session_cookie
from litestar.connection import WebSocket as LitestarWebSocket
from litestar.exceptions import WebSocketDisconnect

__all__ = ["NOT_APPLICABLE", "ConnectionClosed", "WebSocket"]

NOT_APPLICABLE = {
    **NO_SESSION,
    **dict.fromkeys(
        ("WS-ATTR-001", "WS-ATTR-002", "WS-ATTR-003"),
        "connection_state says which event came last, not whether the connection was accepted",
    ),
}
ConnectionClosed = WebSocketDisconnect


class WebSocket(LitestarWebSocket):
    """It has all methods by the same names."""

    def __init__(self, receive, send):
        """Make it with a scope."""
        super().__init__(scope(), receive, send)

    async def accept(self, subprotocol=None, session_id=None):
        """Accept, with the session ID in a header."""
        await super().accept(subprotocol, session_cookie(session_id))
