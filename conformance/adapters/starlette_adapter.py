"""Starlette's WebSocket, which is FastAPI's as well."""

from adapting import NO_SESSION, scope, session_cookie
from starlette.datastructures import Headers
from starlette.websockets import WebSocket as StarletteWebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

__all__ = ["NOT_APPLICABLE", "ConnectionClosed", "WebSocket"]

NOT_APPLICABLE = NO_SESSION
ConnectionClosed = WebSocketDisconnect


class WebSocket(StarletteWebSocket):
    """It has all methods by the same names."""

    def __init__(self, receive, send):
        """Make it with a scope."""
        super().__init__(scope(), receive, send)

    async def accept(self, subprotocol=None, session_id=None):
        """Accept, with the session ID in a header."""
        await super().accept(subprotocol, Headers(session_cookie(session_id)).raw)

    @property
    def accepted(self):
        """Whether the application has accepted."""
        return self.application_state is WebSocketState.CONNECTED
