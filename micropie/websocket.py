"""The implementation of the contract: `WebSocket`, and `ConnectionClosed` that it raises.

`WebSocket` awaits the two ASGI callables and nothing else, and has no task, lock or queue of
its own; so it runs on asyncio, uvloop and trio, and a test can step it without a loop. Which
call is allowed when, and what follows, is in `micropie._state`.
"""

import re
from collections.abc import Collection
from typing import Final

from micropie._state import ACCEPTED, REFUSALS, TRANSITIONS, Call, Refusal, State, Step
from micropie.contract import Event, Receive, Send

__all__ = ["ConnectionClosed", "WebSocket"]

# RFC 6455, section 7.1.5: "If this Close control frame contains no status code, _The
# WebSocket Connection Close Code_ is considered to be 1005", and 1006 "If _The WebSocket
# Connection is Closed_ and no Close control frame was received".
_NO_STATUS: Final = 1005
_ABNORMAL: Final = 1006

# RFC 6455, section 7.4: the codes that may stand in a close frame. 1004 is reserved, 1005, 1006
# and 1015 "MUST NOT be set as a status code in a Close control frame by an endpoint"; 1012 to
# 1014 have been registered since.
_CLOSE_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})

# RFC 6455, section 5.5: control frames "MUST have a payload length of 125 bytes or less"; the
# code takes two of them.
_REASON_BYTES: Final = 123

# RFC 6265, section 4.1.1: cookie-octet.
_COOKIE_VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")

# RFC 9110, section 5.6.2: token.
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

# The common case shares one object, which keeps a connection small.
_DEFAULTS: Final[tuple[bool, Collection[str] | None]] = (True, None)
_NO_CLOSE: Final = (_NO_STATUS, "")


async def _busy() -> Event:
    """Stand in for the server's `receive` while a task waits for it."""
    raise RuntimeError(
        "another task already waits for a message: one receive_text() or receive_bytes() at a time"
    )


class ConnectionClosed(Exception):
    """The connection is over.

    "MicroPie raises `micropie.ConnectionClosed` from `receive_text` and `receive_bytes` when
    the client disconnects." `send_*` and `accept` raise it too when the client is gone.

    Attributes:
        code: The close code (RFC 6455, section 7.4); 1005 when there was none.
        reason: The close reason; empty when there was none.
    """

    def __init__(self, *args: object, code: int = _NO_STATUS, reason: str = "") -> None:
        """Make the exception; `args` are those of any exception."""
        super().__init__(*args)
        self.code = code
        self.reason = reason


class WebSocket:
    """One WebSocket connection, on the server's side.

    "The `micropie.WebSocket` class encapsulates a WebSocket connection. MicroPie constructs an
    instance for each WebSocket request and passes it as the first argument to your WebSocket
    handler."

    The methods, their errors and what cancellation does are described in
    `micropie.contract`. One task may receive while others send and close; two that receive
    at once are refused.

    Args:
        receive: The ASGI `receive` callable of the connection.
        send: The ASGI `send` callable of the connection.
        session_cookie_secure: Whether the session cookie that `accept` sets has the attribute
            `Secure` (RFC 6265, section 4.1.2.5). Turn it off for plain HTTP only.
        subprotocols: The subprotocols that the client offered, when they are known; `accept`
            then refuses any other. `None`: not known, so not checked.

    Raises:
        TypeError: `subprotocols` is one string instead of a collection of them.
    """

    # `receive_*` and `send_*` are what a connection spends its life in. So they look nothing up
    # in the tables while it is OPEN, when `_over` is None, and only then; `_receive` is `_busy`
    # while a task waits for a message; a callable goes by a local name, as CPython 3.11 calls the
    # value of a slot slowly; a key is tried where `get` would have to be called; and `type` comes
    # before `isinstance`. `make bench` shows what that saves.
    __slots__ = ("_handshake", "_over", "_receive", "_send", "_session_id", "_state")

    _handshake: tuple[bool, Collection[str] | None]
    # The code and reason that it ended with; None in OPEN.
    _over: tuple[int, str] | None
    _session_id: str | None
    _state: State

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        session_cookie_secure: bool = True,
        subprotocols: Collection[str] | None = None,
    ) -> None:
        """Wrap the two callables; neither is called yet."""
        if session_cookie_secure and subprotocols is None:
            self._handshake = _DEFAULTS
        elif isinstance(subprotocols, str):
            # `in` would look for a part of the string.
            raise TypeError(f"subprotocols must be a collection of str, got {subprotocols!r}")
        else:
            self._handshake = (session_cookie_secure, subprotocols)
        self._receive = receive
        self._send = send
        self._state = State.NEW
        self._session_id = None
        self._over = _NO_CLOSE

    def __repr__(self) -> str:
        """Show the state, for logs."""
        return f"<{type(self).__name__} {self._state.name}>"

    @property
    def accepted(self) -> bool:
        """"`True` if the WebSocket has been accepted."

        It stays True when the client leaves, and is False once we have closed.
        """  # fmt: skip
        return self._state in ACCEPTED

    @property
    def session_id(self) -> str | None:
        """"The session ID set during the handshake, or `None` if not set."

        It is kept when the connection is over.
        """  # fmt: skip
        return self._session_id

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        """Read the connect event and accept the connection.

        "Accept the WebSocket connection. You must call this method before sending or
        receiving messages."

        Args:
            subprotocol: The subprotocol to name in the answer: "The optional *subprotocol*
                argument specifies a negotiated subprotocol."
            session_id: "If you provide a *session_id*, MicroPie sets a `session_id` cookie
                during the handshake."

        Raises:
            RuntimeError: It was accepted or closed before, another `accept` is under way, or
                the server's first event was not `websocket.connect`.
            ConnectionClosed: The client left before it was accepted.
            ValueError: A cookie cannot carry `session_id`; `subprotocol` is no HTTP token or
                was not offered. Nothing has been read or sent; a proper `accept` still works.
            TypeError: An argument is no `str`; as for ValueError.

        Cancellation: while it waits for the connect event, nothing is lost and it can be
        called again. While the accept event is being sent, it counts as sent.
        """
        headers = self._accept_headers(subprotocol, session_id)
        if (self._state, Call.ACCEPT) in REFUSALS:
            raise self._refusal(Call.ACCEPT)
        self._move(Step.ACCEPT)
        if self._state is State.ACCEPTING:
            await self._read_connect()
        try:
            await self._send(
                {"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers}
            )
        except OSError as error:
            raise self._lost() from error
        except Exception:
            self._move(Step.UNANSWERED)
            raise
        except BaseException:
            self._answered(session_id)
            raise
        self._answered(session_id)
        if self._state is State.REJECTED:
            raise RuntimeError("accept(): close() was called meanwhile")

    async def receive_text(self) -> str:
        """Await the next message as text.

        "Await a text message from the client. Returns a string." "If the client sends
        bytes, MicroPie decodes them as UTF-8 (ignoring invalid sequences) and returns the
        decoded string."

        Raises:
            ConnectionClosed: "Raises `micropie.ConnectionClosed` if the client has
                disconnected", now and at each later call; also after `close`.
            RuntimeError: `accept` has not been called, the connection was rejected, another
                task waits for a message, or the server's event was no message.

        Cancellation: no message is lost; the next call gets it.
        """
        if self._over is not None:
            raise self._refusal(Call.RECEIVE)
        receive = self._receive
        self._receive = _busy
        try:
            event = await receive()
        except OSError as error:
            raise self._lost() from error
        finally:
            self._receive = receive
        if event["type"] == "websocket.receive":
            text: str | None
            try:
                text = event["text"]
            except KeyError:
                text = None
            if text is not None:
                return text
            data: bytes | None = event.get("bytes")
            if data is not None:
                return bytes(data).decode("utf-8", "ignore")
        raise self._no_message(event)

    async def receive_bytes(self) -> bytes:
        """Await the next message as bytes.

        "Await a binary message from the client. Returns bytes." "If the client sends text,
        MicroPie returns the UTF-8 encoded bytes."

        Raises:
            ConnectionClosed: "Raises `micropie.ConnectionClosed` if the client has
                disconnected", now and at each later call; also after `close`.
            RuntimeError: `accept` has not been called, the connection was rejected, another
                task waits for a message, or the server's event was no message.

        Cancellation: no message is lost; the next call gets it.
        """
        if self._over is not None:
            raise self._refusal(Call.RECEIVE)
        receive = self._receive
        self._receive = _busy
        try:
            event = await receive()
        except OSError as error:
            raise self._lost() from error
        finally:
            self._receive = receive
        if event["type"] == "websocket.receive":
            data: bytes | None
            try:
                data = event["bytes"]
            except KeyError:
                data = None
            if data is not None:
                return bytes(data)
            text: str | None = event.get("text")
            if text is not None:
                return text.encode("utf-8")
        raise self._no_message(event)

    async def send_text(self, data: str) -> None:
        """Send one text message.

        "Send a text message to the client."

        Args:
            data: The message; it may be empty.

        Raises:
            RuntimeError: "Raises `RuntimeError` if you have not called `accept`", or the
                connection was closed from this side.
            ConnectionClosed: The client is gone, as far as the server tells: some never do.
            TypeError: `data` is no `str`; nothing is sent, the connection stays open.

        Cancellation: the message may or may not have been sent.
        """
        if type(data) is not str and not isinstance(data, str):
            raise TypeError(f"send_text() takes str, got {type(data).__name__}")
        if self._over is not None:
            raise self._refusal(Call.SEND)
        send = self._send
        try:
            await send({"type": "websocket.send", "text": data})
        except OSError as error:
            raise self._lost() from error

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message.

        "Send a binary message to the client."

        Args:
            data: The message; it may be empty.

        Raises:
            RuntimeError: "Raises `RuntimeError` if the connection has not been accepted", or
                it was closed from this side.
            ConnectionClosed: The client is gone, as far as the server tells: some never do.
            TypeError: `data` is no `bytes`; nothing is sent, the connection stays open.

        Cancellation: the message may or may not have been sent.
        """
        if type(data) is not bytes and not isinstance(data, bytes):
            raise TypeError(f"send_bytes() takes bytes, got {type(data).__name__}")
        if self._over is not None:
            raise self._refusal(Call.SEND)
        send = self._send
        try:
            await send({"type": "websocket.send", "bytes": data})
        except OSError as error:
            raise self._lost() from error

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the connection; before `accept`, reject it: the client gets HTTP 403.

        "Close the WebSocket connection." It does nothing when the connection is over
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
        if not isinstance(code, int):
            raise TypeError(f"close() takes an int as code, got {type(code).__name__}")
        if code not in _CLOSE_CODES:
            raise ValueError(
                f"close code {code} cannot be sent: use 1000-1003, 1007-1014 or 3000-4999"
            )
        if reason is None:
            reason = ""
        elif not isinstance(reason, str):
            raise TypeError(f"close() takes a str as reason, got {type(reason).__name__}")
        elif (size := len(reason.encode())) > _REASON_BYTES:
            raise ValueError(
                f"the close reason takes {size} bytes of UTF-8, at most {_REASON_BYTES} fit"
            )
        if (self._state, Call.CLOSE) in REFUSALS:
            return
        self._move(Step.CLOSE)
        self._over = (code, reason)
        try:
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except OSError:
            # The client went first; that the connection is closed is what was asked for.
            self._move(Step.LOSE)
            self._over = (_ABNORMAL, "")

    def _move(self, step: Step) -> None:
        # A step that the table does not have comes from a call that was overtaken by another,
        # such as a receive that ends after close: the other has decided the state.
        self._state = TRANSITIONS.get((self._state, step), self._state)

    def _refusal(self, call: Call) -> Exception:
        kind, words = REFUSALS[self._state, call]
        if kind is Refusal.MISUSE:
            return RuntimeError(words)
        code, reason = self._over or _NO_CLOSE
        return ConnectionClosed(words, code=code, reason=reason)

    async def _read_connect(self) -> None:
        try:
            event = await self._receive()
        except OSError as error:
            raise self._lost() from error
        except BaseException:
            self._move(Step.INTERRUPT)
            raise
        if self._state is not State.ACCEPTING:
            raise RuntimeError("accept(): close() was called meanwhile")
        if event["type"] == "websocket.connect":
            self._move(Step.CONNECT)
        elif event["type"] == "websocket.disconnect":
            raise self._disconnected(event)
        else:
            self._move(Step.INTERRUPT)
            raise RuntimeError(f"expected websocket.connect from the server, got {event['type']!r}")

    def _accept_headers(
        self, subprotocol: str | None, session_id: str | None
    ) -> list[tuple[bytes, bytes]]:
        """Check the arguments of `accept` and give the headers that they ask for."""
        secure, offered = self._handshake
        if subprotocol is not None:
            if not isinstance(subprotocol, str):
                raise TypeError(f"subprotocol must be a str, got {type(subprotocol).__name__}")
            if not _TOKEN.fullmatch(subprotocol):
                raise ValueError(f"subprotocol {subprotocol!r} is not an HTTP token")
            if offered is not None and subprotocol not in offered:
                raise ValueError(
                    f"subprotocol {subprotocol!r} was not offered by the client, which offers "
                    + (", ".join(map(repr, offered)) or "none")
                )
        if session_id is None:
            return []
        if not isinstance(session_id, str):
            raise TypeError(f"session_id must be a str, got {type(session_id).__name__}")
        if not _COOKIE_VALUE.fullmatch(session_id):
            raise ValueError(
                f"session_id {session_id!r} cannot be the value of a cookie: use one or more "
                'visible ASCII characters other than " , ; and \\'
            )
        cookie = f"session_id={session_id}; Path=/; HttpOnly; SameSite=Lax"
        if secure:
            cookie += "; Secure"
        return [(b"set-cookie", cookie.encode("ascii"))]

    def _answered(self, session_id: str | None) -> None:
        self._move(Step.ANSWERED)
        if self._state is State.OPEN:
            self._over = None
            self._session_id = session_id

    def _lost(self) -> ConnectionClosed:
        self._move(Step.LOSE)
        self._over = (_ABNORMAL, "")
        return ConnectionClosed("the client has disconnected", code=_ABNORMAL)

    def _disconnected(self, event: Event) -> ConnectionClosed:
        self._move(Step.DISCONNECT)
        code = event.get("code")
        reason = event.get("reason")
        code = _NO_STATUS if code is None else code
        reason = "" if reason is None else reason
        self._over = (code, reason)
        return ConnectionClosed("the client has disconnected", code=code, reason=reason)

    def _no_message(self, event: Event) -> Exception:
        if event["type"] == "websocket.disconnect":
            return self._disconnected(event)
        what = repr(event["type"])
        if event["type"] == "websocket.receive":
            what += " with neither text nor bytes"
        return RuntimeError(f"expected a message from the server, got {what}")
