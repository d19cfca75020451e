"""Falcon's WebSocket, which its application makes once it has read the connect event."""

from adapting import CONNECTED_BEFORE, NO_SESSION, misuse, scope, session_cookie
from falcon import OperationNotAllowed, WebSocketDisconnected
from falcon.asgi import WebSocket as FalconWebSocket
from falcon.asgi.ws import WebSocketOptions

__all__ = ["NOT_APPLICABLE", "ConnectionClosed", "WebSocket"]

NOT_APPLICABLE = {
    **NO_SESSION,
    **CONNECTED_BEFORE,
    **dict.fromkeys(
        ("WS-ATTR-001", "WS-ATTR-002", "WS-ATTR-003"),
        "what it has instead, unaccepted and ready, depends on what the client has done since",
    ),
}
ConnectionClosed = WebSocketDisconnected


class WebSocket:
    """It has methods for data instead of bytes, and an error of its own for a call out of turn."""

    def __init__(self, receive, send):
        """Make it with an application's default options."""
        self._receive = receive
        options = WebSocketOptions()
        self._inner = FalconWebSocket(
            "2.4",
            scope(),
            receive,
            send,
            options.media_handlers,
            options.max_receive_queue,
            options.default_close_reasons,
        )

    async def accept(self, subprotocol=None, session_id=None):
        """Read the connect event as the application does, and accept."""
        if self._inner.unaccepted and not self._inner.closed:
            await self._receive()
        with misuse(OperationNotAllowed):
            await self._inner.accept(subprotocol, session_cookie(session_id))

    async def receive_text(self):
        """Receive a text."""
        with misuse(OperationNotAllowed):
            return await self._inner.receive_text()

    async def receive_bytes(self):
        """Receive data."""
        with misuse(OperationNotAllowed):
            return await self._inner.receive_data()

    async def send_text(self, data):
        """Send a text."""
        with misuse(OperationNotAllowed):
            await self._inner.send_text(data)

    async def send_bytes(self, data):
        """Send data."""
        with misuse(OperationNotAllowed):
            await self._inner.send_data(data)

    async def close(self, code=1000, reason=None):
        """Close."""
        await self._inner.close(code, reason)
