"""The WebSocket contract of MicroPie as types: Protocols (PEP 544), nothing else.

Roles are small: what can receive text, what can send bytes, what can be closed. A
function asks for the smallest role that it needs and so works with any implementation;
`WebSocketContract` is all of them together. An implementation satisfies the contract by
its shape alone and need not import this module.

What a type cannot say (order of calls, what is sent, what is raised when) is said in the
docstrings here and held to account by the conformance suite, `micropie verify`.

The quoted sentences are those of the reference page of MicroPie's WebSocket class.

None of the Protocols is `runtime_checkable`: `isinstance` would only look for names and so
accept `send_text = 5`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Concatenate, Protocol, TypeAlias

from typing_extensions import TypeVar

__all__ = [
    "ASGIApplication",
    "Acceptable",
    "BytesReceiver",
    "BytesSender",
    "Closable",
    "Event",
    "Factory",
    "Handler",
    "Receive",
    "Receiver",
    "Scope",
    "Send",
    "Sender",
    "TextReceiver",
    "TextSender",
    "WebSocketContract",
]

# The ASGI boundary. Values of ASGI events are as various as servers are, so they are `Any`
# here and only here; Hypercorn, uvicorn, Starlette and asgiref all accept these types.
Scope: TypeAlias = Mapping[str, Any]
"""A connection scope: ASGI specification, "Connection Scope"."""

Event: TypeAlias = Mapping[str, Any]
"""One event of the server: a mapping with a `type` (ASGI specification, "Events")."""

Receive: TypeAlias = Callable[[], Awaitable[Event]]
"""Awaits the next event of the server."""

Send: TypeAlias = Callable[[Any], Awaitable[None]]
"""Hands one event to the server. It takes `Any`: servers type their events differently."""

ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application."""


class Acceptable(Protocol):
    """A connection that can be accepted."""

    @property
    def accepted(self) -> bool:
        """Whether the connection has been accepted.

        "`True` if the WebSocket has been accepted."
        """
        ...

    @property
    def session_id(self) -> str | None:
        """The session ID that `accept` was given.

        "The session ID set during the handshake, or `None` if not set."
        """
        ...

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        """Read the connect event and accept the connection.

        "Accept the WebSocket connection. You must call this method before sending or
        receiving messages."

        Args:
            subprotocol: The subprotocol to name in the answer: "The optional *subprotocol*
                argument specifies a negotiated subprotocol."
            session_id: The value of the session cookie: "If you provide a *session_id*,
                MicroPie sets a `session_id` cookie during the handshake."

        Raises:
            RuntimeError: It was accepted or closed before, or an `accept` is under way.
            ConnectionClosed: The client left before it was accepted.
            ValueError: A cookie cannot carry `session_id`; `subprotocol` is no HTTP token
                (RFC 6455, section 4.1), or is known not to have been offered. Nothing has
                been read or sent; a proper `accept` still works.
            TypeError: An argument is no `str`; as for ValueError.

        Cancellation: while it waits for the connect event, nothing is lost and it can be
        called again. While the accept event is being sent, nobody can know whether it was
        delivered; it counts as sent.
        """


class TextReceiver(Protocol):
    """Something that can receive text messages."""

    async def receive_text(self) -> str:
        """Await the next message as text.

        "Await a text message from the client. Returns a string." "If the client sends
        bytes, MicroPie decodes them as UTF-8 (ignoring invalid sequences) and returns the
        decoded string."

        Raises:
            ConnectionClosed: "Raises `micropie.ConnectionClosed` if the client has
                disconnected", now and at each later call.
            RuntimeError: `accept` has not been called, the connection was rejected, or
                another task waits for a message.

        Cancellation: no message is lost; the next call gets it.
        """
        ...


class BytesReceiver(Protocol):
    """Something that can receive binary messages."""

    async def receive_bytes(self) -> bytes:
        """Await the next message as bytes.

        "Await a binary message from the client. Returns bytes." "If the client sends text,
        MicroPie returns the UTF-8 encoded bytes."

        Raises:
            ConnectionClosed: "Raises `micropie.ConnectionClosed` if the client has
                disconnected", now and at each later call.
            RuntimeError: `accept` has not been called, the connection was rejected, or
                another task waits for a message.

        Cancellation: no message is lost; the next call gets it.
        """
        ...


class TextSender(Protocol):
    """Something that can send text messages."""

    async def send_text(self, data: str) -> None:
        """Send one text message.

        "Send a text message to the client."

        Args:
            data: The message; it may be empty.

        Raises:
            RuntimeError: "Raises `RuntimeError` if you have not called `accept`", or the
                connection was closed from this side.
            ConnectionClosed: The client is gone.
            TypeError: `data` is no `str`; nothing is sent, the connection stays open.

        Cancellation: the message may or may not have been sent.
        """


class BytesSender(Protocol):
    """Something that can send binary messages."""

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message.

        "Send a binary message to the client."

        Args:
            data: The message; it may be empty.

        Raises:
            RuntimeError: "Raises `RuntimeError` if the connection has not been accepted",
                or it was closed from this side.
            ConnectionClosed: The client is gone.
            TypeError: `data` is no `bytes`; nothing is sent, the connection stays open.

        Cancellation: the message may or may not have been sent.
        """


class Closable(Protocol):
    """Something that can be closed."""

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the connection; before `accept`, reject it: the client gets HTTP 403.

        "Close the WebSocket connection." It does nothing when the connection is closed
        already, from whichever side, and it does not wait for the client's answer.

        Args:
            code: The status code (RFC 6455, section 7.4): 1000 to 1003, 1007 to 1014 or
                3000 to 4999. "By default uses code 1000 (normal closure)."
            reason: Up to 123 bytes of UTF-8. "The optional *reason* is sent to the client."

        Raises:
            ValueError: `code` or `reason` is out of these bounds; nothing is sent and the
                connection stays as it was.
            TypeError: `code` is no `int` or `reason` no `str`; as for ValueError.

        Cancellation: whether the client was told cannot be known; it counts as closed.
        """


class Receiver(TextReceiver, BytesReceiver, Protocol):
    """Something that can receive messages of both kinds."""


class Sender(TextSender, BytesSender, Protocol):
    """Something that can send messages of both kinds."""


class WebSocketContract(Acceptable, Receiver, Sender, Closable, Protocol):
    """The whole contract of a MicroPie WebSocket.

    "The `micropie.WebSocket` class encapsulates a WebSocket connection. MicroPie constructs
    an instance for each WebSocket request and passes it as the first argument to your
    WebSocket handler."
    """


class Factory(Protocol):
    """Makes a connection from the two ASGI callables: a class, or a function.

    "Create a new WebSocket wrapper around the ASGI `receive` and `send` callables."
    """

    def __call__(self, receive: Receive, send: Send, /) -> WebSocketContract:
        """Make one connection; neither callable is called yet."""
        ...


W_contra = TypeVar("W_contra", default=WebSocketContract, contravariant=True)

Handler: TypeAlias = Callable[Concatenate[W_contra, ...], Awaitable[None]]
"""A WebSocket handler: the connection first, then what the URL fills in.

`Handler` alone takes any implementation of the contract; `Handler[micropie.WebSocket]` takes
ours.
"""
