"""BlackSheep's WebSocket."""

from adapting import NO_SESSION, misuse, scope, session_cookie
from blacksheep.server.websocket import (
    InvalidWebSocketStateError,
    WebSocketDisconnectError,
)
from blacksheep.server.websocket import WebSocket as BlackSheepWebSocket

__all__ = ["NOT_APPLICABLE", "ConnectionClosed", "WebSocket"]

NOT_APPLICABLE = NO_SESSION
ConnectionClosed = WebSocketDisconnectError


class WebSocket(BlackSheepWebSocket):
    """It has all methods by the same names, and an error of its own for a call out of turn."""

    def __init__(self, receive, send):
        """Make it with a scope."""
        super().__init__(scope(), receive, send)

    async def accept(self, subprotocol=None, session_id=None):
        """Accept, with the session ID in a header."""
        headers = [
            (name.encode(), value.encode()) for name, value in session_cookie(session_id).items()
        ]
        with misuse(InvalidWebSocketStateError):
            await super().accept(headers, subprotocol)

    async def receive_text(self):
        """Receive a text."""
        with misuse(InvalidWebSocketStateError):
            return await super().receive_text()

    async def receive_bytes(self):
        """Receive bytes."""
        with misuse(InvalidWebSocketStateError):
            return await super().receive_bytes()

    async def send_text(self, data):
        """Send a text."""
        with misuse(InvalidWebSocketStateError):
            await super().send_text(data)

    async def send_bytes(self, data):
        """Send bytes."""
        with misuse(InvalidWebSocketStateError):
            await super().send_bytes(data)
