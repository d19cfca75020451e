"""The consumer of Django Channels, which is handed events instead of asking for messages."""

from adapting import CONNECTED_BEFORE, NO_SESSION, as_bytes, as_text, scope, session_cookie
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

__all__ = ["NOT_APPLICABLE", "ConnectionClosed", "WebSocket"]

NOT_APPLICABLE = {
    **NO_SESSION,
    **CONNECTED_BEFORE,
    **dict.fromkeys(
        ("WS-ATTR-001", "WS-ATTR-002", "WS-ATTR-003"),
        "a consumer has no attribute that says whether it has accepted",
    ),
    **dict.fromkeys(
        (
            "WS-NEW-001",
            "WS-NEW-002",
            "WS-NEW-003",
            "WS-NEW-004",
            "WS-TASKS-001",
            "WS-TASKS-005",
            "WS-GONE-001",
            "WS-CLOSED-002",
            "WS-REJECT-003",
            "WS-CANCEL-001",
            "WS-WIRE-021",
            "WS-WIRE-028",
            "WS-WIRE-029",
        ),
        "a consumer is handed each message: there is no call that could come too early or too late,"
        " or wait",
    ),
    **dict.fromkeys(
        ("WS-RECV-003", "WS-RECV-004", "WS-WIRE-011", "WS-WIRE-012"),
        "a consumer is handed a message as what it is, and the adapter converts it",
    ),
}


class ConnectionClosed(Exception):
    """Stands for the call of `disconnect`."""


class _Consumer(AsyncWebsocketConsumer):
    async def connect(self):
        # Who is tested accepts.
        pass

    async def receive(self, text_data=None, bytes_data=None):
        self.message = bytes_data if text_data is None else text_data

    async def disconnect(self, code):
        raise ConnectionClosed(code)


class WebSocket:
    """Hands the consumer one event for each call that reads one."""

    def __init__(self, receive, send):
        """Make a consumer with a scope."""
        self._receive = receive
        self._consumer = _Consumer()
        self._consumer.scope = scope()
        self._consumer.base_send = send

    async def _handle(self):
        event = await self._receive()
        await getattr(self._consumer, get_handler_name(event))(event)

    async def accept(self, subprotocol=None, session_id=None):
        """Hand over the connect event, and accept."""
        await self._handle()
        headers = [
            (name.encode(), value.encode()) for name, value in session_cookie(session_id).items()
        ]
        await self._consumer.accept(subprotocol, headers)

    async def receive_text(self):
        """Hand over an event, and give what the consumer was handed as a text."""
        await self._handle()
        return as_text(self._consumer.message)

    async def receive_bytes(self):
        """Hand over an event, and give what the consumer was handed as bytes."""
        await self._handle()
        return as_bytes(self._consumer.message)

    async def send_text(self, data):
        """Send a text."""
        await self._consumer.send(text_data=data)

    async def send_bytes(self, data):
        """Send bytes."""
        await self._consumer.send(bytes_data=data)

    async def close(self, code=1000, reason=None):
        """Close."""
        await self._consumer.close(code, reason)
