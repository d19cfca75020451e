"""Quart's Websocket, whose connection reads ahead and ends the handler when the client is gone."""

import asyncio

from adapting import CONNECTED_BEFORE, NO_SESSION, as_bytes, as_text, scope, session_cookie
from quart import Quart
from quart.asgi import ASGIWebsocketConnection

__all__ = ["NOT_APPLICABLE", "ConnectionClosed", "WebSocket"]

_APP = Quart(__name__)

NOT_APPLICABLE = {
    **NO_SESSION,
    **dict.fromkeys(
        ("WS-ATTR-001", "WS-ATTR-002", "WS-ATTR-003"),
        "Websocket has no attribute that says whether it was accepted",
    ),
    **CONNECTED_BEFORE,
    **dict.fromkeys(
        (
            "WS-GONE-001",
            "WS-GONE-004",
            "WS-GONE-005",
            "WS-GONE-006",
            "WS-TASKS-001",
            "WS-TASKS-005",
            "WS-TASKS-006",
            "WS-CANCEL-001",
            "WS-CLOSED-002",
            "WS-REJECT-003",
            "WS-WIRE-021",
            "WS-WIRE-026",
            "WS-WIRE-027",
            "WS-WIRE-028",
            "WS-WIRE-029",
            "WS-WIRE-031",
        ),
        "the connection cancels the handler when the client is gone, so nothing is called then, "
        "and what waits is ended by that alone",
    ),
    **dict.fromkeys(
        ("WS-RECV-003", "WS-RECV-004", "WS-WIRE-011", "WS-WIRE-012"),
        "receive() gives a message as what it is, text or bytes, and the adapter converts it",
    ),
}


class ConnectionClosed(Exception):
    """Stands for the cancellation of the handler."""


class WebSocket:
    """A connection with its reader, and the Websocket that a handler gets."""

    def __init__(self, receive, send):
        """Start the reader, as the connection does before it calls the handler."""
        connection = ASGIWebsocketConnection(_APP, scope())
        self._reader = asyncio.ensure_future(connection.handle_messages(receive))
        self._inner = connection._create_websocket_from_scope(send)

    async def accept(self, subprotocol=None, session_id=None):
        """Accept, with the session ID in a header."""
        await self._inner.accept(session_cookie(session_id), subprotocol)

    async def receive_text(self):
        """Receive a message as a text."""
        return as_text(await self._next())

    async def receive_bytes(self):
        """Receive a message as bytes."""
        return as_bytes(await self._next())

    async def _next(self):
        """Receive a message, unless the reader ends first."""
        message = asyncio.ensure_future(self._inner.receive())
        try:
            await asyncio.wait([message, self._reader], return_when=asyncio.FIRST_COMPLETED)
            # A message that was there before the reader ended is still given.
            await asyncio.sleep(0)
            if message.done():
                return message.result()
            await self._reader
            raise ConnectionClosed
        finally:
            message.cancel()

    async def send_text(self, data):
        """Send a text."""
        await self._inner.send(data)

    send_bytes = send_text

    async def close(self, code=1000, reason=None):
        """Close."""
        await self._inner.close(code, reason or "")
