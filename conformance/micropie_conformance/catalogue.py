"""The clauses of the contract. One fact in one place: cases, report and docs are fed from here.

A clause has an id that is never used for another, a level, the sentence or the section that it
rests on, and the suite version since which it is there.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["CLAUSES", "FIRST", "Clause", "Level", "clause"]

FIRST: Final = "2026.11"
"""The first version of the suite: year and month."""


class Level(StrEnum):
    """What a clause rests on."""

    # A sentence of the reference page.
    DOCUMENTED = "documented"
    # The ASGI specification, without which a documented promise fails on a real server.
    ASGI = "asgi"
    # Neither, but what the best peers do and what users ask for.
    ROBUST = "robust"
    # A free choice: recorded, never judged.
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the contract."""

    id: str
    level: Level
    # What must hold, in one sentence.
    text: str
    # Where it comes from: the page, the section or the RFC.
    source: str
    # The words it rests on, exactly; empty where there are none (robust, info).
    quote: str = ""
    since: str = FIRST

    @property
    def area(self) -> str:
        """The part of the contract that it belongs to, as in its id."""
        return self.id.split("-")[1]


# Sentences of the reference page that more than one clause rests on.
_ACCEPT = "Accept the WebSocket connection."
_FIRST = "You must call this method before sending or receiving messages."
_SUBPROTOCOL = "The optional *subprotocol* argument specifies a negotiated subprotocol."
_SESSION_COOKIE = (
    "If you provide a *session_id*, MicroPie sets a `session_id` cookie during the handshake."
)
_RECEIVE_TEXT = "Await a text message from the client."
_RECEIVE_BYTES = "Await a binary message from the client."
_GONE = "Raises `micropie.ConnectionClosed` if the client has disconnected."
_DECODE = (
    "If the client sends bytes, MicroPie decodes them as UTF-8 (ignoring invalid sequences) and "
    "returns the decoded string."
)
_ENCODE = "If the client sends text, MicroPie returns the UTF-8 encoded bytes."
_SEND_TEXT = "Send a text message to the client."
_SEND_BYTES = "Send a binary message to the client."
_TEXT_FIRST = "Raises `RuntimeError` if you have not called `accept`."
_BYTES_FIRST = "Raises `RuntimeError` if the connection has not been accepted."
_CODE = "By default uses code 1000 (normal closure)."
_REASON = "The optional *reason* is sent to the client."
_ACCEPTED = "`True` if the WebSocket has been accepted."
_SESSION_ID = "The session ID set during the handshake, or `None` if not set."
_EACH = (
    "MicroPie constructs an instance for each WebSocket request and passes it as the first "
    "argument to your WebSocket handler."
)
_ACCEPT_SIGNATURE = "`accept(subprotocol=None, session_id=None)`"
_CLOSE_SIGNATURE = "`close(code=1000, reason=None)`"

# Sentences of the ASGI specification and of RFCs, likewise.
_ONE_PAYLOAD = (
    "Exactly one of ``bytes`` or ``text`` must be non-``None``. One or both keys may be present, "
    "however."
)
_ANSWER_CONNECT = (
    "This message must be responded to with either an *Accept* message or a *Close* message "
    "before the socket will pass ``websocket.receive`` messages."
)
_OS_ERROR = (
    "If ``send()`` is called on a closed connection the server should raise a server-specific "
    "subclass of ``OSError``."
)
_COOKIE_OCTET = (
    "US-ASCII characters excluding CTLs, whitespace DQUOTE, comma, semicolon, and backslash"
)
_LAST = "The application MUST NOT send any more data frames after sending a Close frame."

# Where a clause comes from.
_PAGE = "reference page"
_ASGI = "ASGI specification, HTTP & WebSocket"
_PEERS = "what the best peers do and users ask for"

CLAUSES: tuple[Clause, ...] = (
    # The signature
    Clause(
        "WS-SIGN-001",
        Level.DOCUMENTED,
        "The factory takes the ASGI callables receive and send by position and gives a connection.",
        f"{_PAGE}, WebSocket",
        "Create a new WebSocket wrapper around the ASGI `receive` and `send` callables.",
    ),
    Clause(
        "WS-SIGN-002",
        Level.DOCUMENTED,
        "The connection has the methods accept, receive_text, receive_bytes, send_text, "
        "send_bytes and close, and each call gives an awaitable.",
        f"{_PAGE}, WebSocket class",
        _RECEIVE_TEXT,
    ),
    Clause(
        "WS-SIGN-003",
        Level.DOCUMENTED,
        "accept() takes subprotocol and session_id by position, in this order.",
        f"{_PAGE}, accept",
        _ACCEPT_SIGNATURE,
    ),
    Clause(
        "WS-SIGN-004",
        Level.DOCUMENTED,
        "accept() takes subprotocol and session_id by name.",
        f"{_PAGE}, accept",
        _ACCEPT_SIGNATURE,
    ),
    Clause(
        "WS-SIGN-005",
        Level.DOCUMENTED,
        "Each parameter of accept() can be left out or be None.",
        f"{_PAGE}, accept",
        _ACCEPT_SIGNATURE,
    ),
    Clause(
        "WS-SIGN-006",
        Level.DOCUMENTED,
        "close() takes code and reason by position, in this order.",
        f"{_PAGE}, close",
        _CLOSE_SIGNATURE,
    ),
    Clause(
        "WS-SIGN-007",
        Level.DOCUMENTED,
        "close() takes code and reason by name.",
        f"{_PAGE}, close",
        _CLOSE_SIGNATURE,
    ),
    Clause(
        "WS-SIGN-008",
        Level.DOCUMENTED,
        "Each parameter of close() can be left out, and reason can be None.",
        f"{_PAGE}, close",
        _CLOSE_SIGNATURE,
    ),
    Clause(
        "WS-SIGN-009",
        Level.DOCUMENTED,
        "send_text() takes data by position and by name.",
        f"{_PAGE}, send_text",
        "`send_text(data)`",
    ),
    Clause(
        "WS-SIGN-010",
        Level.DOCUMENTED,
        "send_bytes() takes data by position and by name.",
        f"{_PAGE}, send_bytes",
        "`send_bytes(data)`",
    ),
    Clause(
        "WS-SIGN-011",
        Level.ROBUST,
        "The six methods are coroutine functions, as inspect.iscoroutinefunction tells.",
        _PEERS,
    ),
    # Before accept
    Clause(
        "WS-NEW-001",
        Level.DOCUMENTED,
        "receive_text() and receive_bytes() raise before accept().",
        f"{_PAGE}, accept",
        _FIRST,
    ),
    Clause(
        "WS-NEW-002",
        Level.ROBUST,
        "What receive_text() and receive_bytes() raise before accept() is RuntimeError.",
        _PEERS,
    ),
    Clause(
        "WS-NEW-003",
        Level.ROBUST,
        "receive_text() and receive_bytes() before accept() do not wait and send nothing.",
        _PEERS,
    ),
    Clause(
        "WS-NEW-004",
        Level.ROBUST,
        "After a receive_text() or receive_bytes() that came too early, accept() still works.",
        _PEERS,
    ),
    Clause(
        "WS-NEW-005",
        Level.DOCUMENTED,
        "send_text() before accept() raises RuntimeError and sends nothing.",
        f"{_PAGE}, send_text",
        _TEXT_FIRST,
    ),
    Clause(
        "WS-NEW-006",
        Level.DOCUMENTED,
        "send_bytes() before accept() raises RuntimeError and sends nothing.",
        f"{_PAGE}, send_bytes",
        _BYTES_FIRST,
    ),
    # The handshake
    Clause(
        "WS-ACCEPT-001",
        Level.DOCUMENTED,
        "accept() sends exactly one websocket.accept and returns.",
        f"{_PAGE}, accept",
        _ACCEPT,
    ),
    Clause(
        "WS-ACCEPT-002",
        Level.DOCUMENTED,
        "accept() reads the connect event before it answers, so that no receive meets it later.",
        f"{_PAGE}, accept",
        _ACCEPT,
    ),
    Clause(
        "WS-ACCEPT-003",
        Level.ASGI,
        "In the headers of websocket.accept, names are lower-case bytes and values are bytes.",
        f"{_ASGI}, Accept - send event",
        "Header names must be lowercased.",
    ),
    Clause(
        "WS-ACCEPT-004",
        Level.ROBUST,
        "accept() that reads websocket.disconnect instead of the connect event raises "
        "ConnectionClosed and sends nothing.",
        _PEERS,
    ),
    Clause(
        "WS-ACCEPT-005",
        Level.ROBUST,
        "The connect event is read once, ever: an accept() after one that was broken off between "
        "reading it and answering does not wait for a second.",
        _PEERS,
    ),
    Clause(
        "WS-ACCEPT-006",
        Level.ROBUST,
        "accept() on an open connection raises RuntimeError, sends nothing, loses no event and "
        "does not wait.",
        _PEERS,
    ),
    Clause(
        "WS-COOKIE-001",
        Level.DOCUMENTED,
        "accept(session_id=...) sends one set-cookie header, whose pair is session_id=<value>.",
        f"{_PAGE}, accept",
        _SESSION_COOKIE,
    ),
    Clause(
        "WS-COOKIE-002",
        Level.DOCUMENTED,
        "accept() without a session_id sends no set-cookie header.",
        f"{_PAGE}, accept",
        _SESSION_COOKIE,
    ),
    Clause(
        "WS-COOKIE-003",
        Level.ROBUST,
        "A session_id that a cookie cannot carry is a ValueError before anything is read or sent; "
        "the same connection can then be accepted properly.",
        "RFC 6265, section 4.1.1",
        _COOKIE_OCTET,
    ),
    Clause(
        "WS-COOKIE-004",
        Level.ROBUST,
        "CR or LF in a session_id or a subprotocol never reaches the accept event.",
        "RFC 6265, section 4.1.1",
        _COOKIE_OCTET,
    ),
    Clause(
        "WS-COOKIE-005",
        Level.ROBUST,
        "A session_id that is no str is a TypeError or ValueError, and nothing is sent.",
        _PEERS,
    ),
    Clause(
        "WS-PROTO-001",
        Level.DOCUMENTED,
        "accept(subprotocol=...) puts the subprotocol into the accept event unchanged.",
        f"{_PAGE}, accept",
        _SUBPROTOCOL,
    ),
    Clause(
        "WS-PROTO-002",
        Level.DOCUMENTED,
        "accept() without a subprotocol puts none into the accept event.",
        f"{_PAGE}, accept",
        _SUBPROTOCOL,
    ),
    Clause(
        "WS-PROTO-003",
        Level.ROBUST,
        "A subprotocol that is not an HTTP token is a ValueError before anything is read or sent; "
        "the same connection can then be accepted properly.",
        "RFC 6455, section 4.1",
        "The elements that comprise this value MUST be non-empty strings with characters in the "
        "range U+0021 to U+007E not including separator characters as defined in [RFC2616] and "
        "MUST all be unique strings.",
    ),
    Clause(
        "WS-PROTO-004",
        Level.ROBUST,
        "A subprotocol that the client is known not to have offered is a ValueError, and nothing "
        "is sent; the same connection can then be accepted properly.",
        "RFC 6455, section 4.2.2",
        "The value chosen MUST be derived from the client's handshake, specifically by selecting "
        "one of the values from the |Sec-WebSocket-Protocol| field that the server is willing to "
        "use for this connection (if any).",
    ),
    # Receiving
    Clause(
        "WS-RECV-001",
        Level.DOCUMENTED,
        "receive_text() waits for a message and returns its text.",
        f"{_PAGE}, receive_text",
        _RECEIVE_TEXT,
    ),
    Clause(
        "WS-RECV-002",
        Level.DOCUMENTED,
        "receive_bytes() waits for a message and returns its bytes.",
        f"{_PAGE}, receive_bytes",
        _RECEIVE_BYTES,
    ),
    Clause(
        "WS-RECV-003",
        Level.DOCUMENTED,
        "receive_text() of a binary message decodes it as UTF-8 and ignores invalid sequences.",
        f"{_PAGE}, receive_text",
        _DECODE,
    ),
    Clause(
        "WS-RECV-004",
        Level.DOCUMENTED,
        "receive_bytes() of a text message returns its UTF-8 bytes.",
        f"{_PAGE}, receive_bytes",
        _ENCODE,
    ),
    Clause(
        "WS-RECV-005",
        Level.DOCUMENTED,
        "receive_text() raises ConnectionClosed when the client has disconnected.",
        f"{_PAGE}, receive_text",
        _GONE,
    ),
    Clause(
        "WS-RECV-006",
        Level.DOCUMENTED,
        "receive_bytes() raises ConnectionClosed when the client has disconnected.",
        f"{_PAGE}, receive_bytes",
        _GONE,
    ),
    Clause(
        "WS-RECV-007",
        Level.DOCUMENTED,
        "Messages are received in the order in which they came, none lost and none twice, and all "
        "of them before the disconnect.",
        f"{_PAGE}, receive_text",
        _RECEIVE_TEXT,
    ),
    Clause(
        "WS-MSG-001",
        Level.ASGI,
        "The key that a websocket.receive event does not use may be None as well as absent.",
        f"{_ASGI}, Receive - receive event",
        _ONE_PAYLOAD,
    ),
    Clause(
        "WS-MSG-002",
        Level.ASGI,
        "An empty text or binary message that is received is a message.",
        f"{_ASGI}, Receive - receive event",
        _ONE_PAYLOAD,
    ),
    Clause(
        "WS-MSG-003",
        Level.ASGI,
        "An empty text or binary message that is sent is a message.",
        f"{_ASGI}, Send - send event",
        _ONE_PAYLOAD,
    ),
    Clause(
        "WS-MSG-004",
        Level.ASGI,
        "A disconnect whose reason is absent or None is a disconnect like any other.",
        f"{_ASGI}, Disconnect - receive event",
        "Optional; if missing or ``None`` default is empty string.",
    ),
    Clause(
        "WS-MSG-005",
        Level.ASGI,
        "receive_bytes() returns bytes exactly, whatever kind of message came.",
        f"{_ASGI}, Receive - receive event",
        "``bytes`` (*byte string*) -- The message content, if it was binary mode, or ``None``.",
    ),
    Clause(
        "WS-MSG-006",
        Level.ASGI,
        "send_bytes(), given bytes, sends bytes exactly.",
        f"{_ASGI}, Send - send event",
        "``bytes`` (*byte string*) -- Binary message content, or ``None``.",
    ),
    Clause(
        "WS-MSG-007",
        Level.ROBUST,
        "A disconnect whose code is absent or None is a disconnect like any other.",
        f"{_ASGI}, Disconnect - receive event",
        "If no code was received in the frame from the client, the server should set this to "
        "``1005``",
    ),
    # Sending
    Clause(
        "WS-SEND-001",
        Level.DOCUMENTED,
        "send_text() sends exactly one websocket.send with the text and returns.",
        f"{_PAGE}, send_text",
        _SEND_TEXT,
    ),
    Clause(
        "WS-SEND-002",
        Level.DOCUMENTED,
        "send_bytes() sends exactly one websocket.send with the bytes and returns.",
        f"{_PAGE}, send_bytes",
        _SEND_BYTES,
    ),
    Clause(
        "WS-SEND-003",
        Level.ROBUST,
        "An argument of the wrong type is a TypeError, nothing is sent, and the connection stays "
        "open.",
        _PEERS,
    ),
    Clause(
        "WS-SEND-004",
        Level.ROBUST,
        "An OSError that the server raises from a send comes out as ConnectionClosed raised from "
        "it.",
        f"{_ASGI}, Disconnected Client - send exception",
        _OS_ERROR,
    ),
    # Closing
    Clause(
        "WS-CLOSE-001",
        Level.DOCUMENTED,
        "close() sends exactly one websocket.close with code 1000 and returns.",
        f"{_PAGE}, close",
        _CODE,
    ),
    Clause(
        "WS-CLOSE-002",
        Level.DOCUMENTED,
        "close(code, reason) sends exactly one websocket.close with that code and that reason.",
        f"{_PAGE}, close",
        _REASON,
    ),
    Clause(
        "WS-CLOSE-003",
        Level.DOCUMENTED,
        "close() without a reason sends none: the key is absent, None or empty.",
        f"{_PAGE}, close",
        _REASON,
    ),
    Clause(
        "WS-CLOSE-004",
        Level.ROBUST,
        "A code outside 1000-1003, 1007-1014 and 3000-4999 is a ValueError, nothing is sent, and "
        "the connection stays open.",
        "RFC 6455, section 7.4.1",
        "1005 is a reserved value and MUST NOT be set as a status code in a Close control frame "
        "by an endpoint.",
    ),
    Clause(
        "WS-CLOSE-005",
        Level.ROBUST,
        "A reason of more than 123 bytes of UTF-8 is a ValueError, nothing is sent, and the "
        "connection stays open.",
        "RFC 6455, section 5.5",
        "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be "
        "fragmented.",
    ),
    Clause(
        "WS-CLOSE-006",
        Level.ROBUST,
        "A code that is no int is a TypeError or ValueError, nothing is sent, and the connection "
        "stays open.",
        _PEERS,
    ),
    Clause(
        "WS-CLOSE-007",
        Level.ROBUST,
        "close() returns once its event is sent and does not wait for the client's answer.",
        _PEERS,
    ),
    Clause(
        "WS-CLOSE-008",
        Level.ROBUST,
        "An OSError that the server raises from close() is swallowed.",
        f"{_ASGI}, Disconnected Client - send exception",
        _OS_ERROR,
    ),
    # After the client has gone
    Clause(
        "WS-GONE-001",
        Level.DOCUMENTED,
        "Once a receive has read the disconnect, every later one raises ConnectionClosed, sends "
        "nothing and does not wait.",
        f"{_PAGE}, receive_text",
        _GONE,
    ),
    Clause(
        "WS-GONE-002",
        Level.DOCUMENTED,
        "Once accept() has read the disconnect, receive_text() and receive_bytes() raise "
        "ConnectionClosed, send nothing and do not wait.",
        f"{_PAGE}, receive_text",
        _GONE,
    ),
    Clause(
        "WS-GONE-003",
        Level.DOCUMENTED,
        "Once accept() has read the disconnect, send_text() and send_bytes() raise and send "
        "nothing.",
        f"{_PAGE}, send_text",
        _TEXT_FIRST,
    ),
    Clause(
        "WS-GONE-004",
        Level.ROBUST,
        "Once the disconnect has been read, send_text() and send_bytes() raise ConnectionClosed "
        "and send nothing.",
        _PEERS,
    ),
    Clause(
        "WS-GONE-005",
        Level.ROBUST,
        "Once the disconnect has been read, close() does nothing.",
        _PEERS,
    ),
    Clause(
        "WS-GONE-006",
        Level.ROBUST,
        "Once the disconnect has been read, accept() on a connection that had been accepted "
        "raises RuntimeError, sends nothing and does not wait.",
        _PEERS,
    ),
    Clause(
        "WS-GONE-007",
        Level.ROBUST,
        "Once accept() has read the disconnect, a second accept() raises ConnectionClosed, sends "
        "nothing and does not wait.",
        _PEERS,
    ),
    Clause(
        "WS-GONE-008",
        Level.ROBUST,
        "Once accept() has read the disconnect, close() does nothing.",
        _PEERS,
    ),
    Clause(
        "WS-GONE-009",
        Level.ROBUST,
        "After the server's OSError the client counts as gone: receive_* and send_* raise "
        "ConnectionClosed, accept() raises RuntimeError, close() does nothing, and nothing is "
        "sent or waited for.",
        f"{_ASGI}, Disconnected Client - send exception",
        _OS_ERROR,
    ),
    Clause(
        "WS-GONE-010",
        Level.ROBUST,
        "An OSError that the server raises at the accept event comes out as ConnectionClosed "
        "raised from it.",
        f"{_ASGI}, Disconnected Client - send exception",
        _OS_ERROR,
    ),
    Clause(
        "WS-GONE-011",
        Level.ROBUST,
        "After the server's OSError at the accept event the client counts as gone and never "
        "accepted: accept() and receive_* raise ConnectionClosed, send_* raise, close() does "
        "nothing, and nothing is sent or waited for.",
        f"{_ASGI}, Disconnected Client - send exception",
        _OS_ERROR,
    ),
    # After our close
    Clause(
        "WS-CLOSED-001",
        Level.ROBUST,
        "send_text() and send_bytes() after close() raise RuntimeError and send nothing.",
        _PEERS,
    ),
    Clause(
        "WS-CLOSED-002",
        Level.ROBUST,
        "receive_text() and receive_bytes() after close() raise ConnectionClosed and do not wait.",
        _PEERS,
    ),
    Clause(
        "WS-CLOSED-003",
        Level.ROBUST,
        "accept() after close() raises RuntimeError, sends nothing and does not wait.",
        _PEERS,
    ),
    Clause(
        "WS-CLOSED-004",
        Level.ROBUST,
        "close() after close() does nothing.",
        _PEERS,
    ),
    # After a close before accept
    Clause(
        "WS-REJECT-001",
        Level.ASGI,
        "close() before accept() sends exactly one websocket.close and returns.",
        f"{_ASGI}, Connect - receive event",
        _ANSWER_CONNECT,
    ),
    Clause(
        "WS-REJECT-002",
        Level.DOCUMENTED,
        "send_text() and send_bytes() after close() before accept() raise RuntimeError and send "
        "nothing.",
        f"{_PAGE}, send_bytes",
        _BYTES_FIRST,
    ),
    Clause(
        "WS-REJECT-003",
        Level.ROBUST,
        "receive_text() and receive_bytes() after close() before accept() raise RuntimeError, "
        "send nothing and do not wait.",
        _PEERS,
    ),
    Clause(
        "WS-REJECT-004",
        Level.ROBUST,
        "accept() after close() raises RuntimeError, sends nothing and does not wait.",
        _PEERS,
    ),
    Clause(
        "WS-REJECT-005",
        Level.ROBUST,
        "close() after close() before accept() does nothing.",
        _PEERS,
    ),
    Clause(
        "WS-REJECT-006",
        Level.ROBUST,
        "A code or reason that is refused before accept() leaves the connection acceptable and "
        "closable.",
        _PEERS,
    ),
    # Attributes and the exception
    Clause(
        "WS-ATTR-001",
        Level.DOCUMENTED,
        "accepted is False before accept().",
        f"{_PAGE}, accepted",
        _ACCEPTED,
    ),
    Clause(
        "WS-ATTR-002",
        Level.DOCUMENTED,
        "accepted is True after accept().",
        f"{_PAGE}, accepted",
        _ACCEPTED,
    ),
    Clause(
        "WS-ATTR-003",
        Level.DOCUMENTED,
        "accepted is False after close() before accept().",
        f"{_PAGE}, accepted",
        _ACCEPTED,
    ),
    Clause(
        "WS-ATTR-004",
        Level.DOCUMENTED,
        "session_id is None before accept().",
        f"{_PAGE}, session_id",
        _SESSION_ID,
    ),
    Clause(
        "WS-ATTR-005",
        Level.DOCUMENTED,
        "session_id is the ID that accept() was given.",
        f"{_PAGE}, session_id",
        _SESSION_ID,
    ),
    Clause(
        "WS-ATTR-006",
        Level.DOCUMENTED,
        "session_id is None after accept() without one.",
        f"{_PAGE}, session_id",
        _SESSION_ID,
    ),
    Clause(
        "WS-ATTR-007",
        Level.DOCUMENTED,
        "session_id is None after close() before accept().",
        f"{_PAGE}, session_id",
        _SESSION_ID,
    ),
    Clause(
        "WS-EXC-001",
        Level.ROBUST,
        "ConnectionClosed is an Exception.",
        f"{_PAGE}, Exceptions",
        "MicroPie raises `micropie.ConnectionClosed` from `receive_text` and `receive_bytes` when "
        "the client disconnects.",
    ),
    # More than one task, and cancellation
    Clause(
        "WS-TASKS-001",
        Level.ROBUST,
        "The second of two receives at once raises RuntimeError at once, and the first is "
        "undisturbed.",
        _PEERS,
    ),
    Clause(
        "WS-TASKS-002",
        Level.ROBUST,
        "Of two accept() at once one sends the accept event and the other raises RuntimeError.",
        _PEERS,
    ),
    Clause(
        "WS-TASKS-003",
        Level.ROBUST,
        "Two close() at once send one close event.",
        _PEERS,
    ),
    Clause(
        "WS-TASKS-004",
        Level.ROBUST,
        "After a close event no other event follows, whatever runs at the same time.",
        "RFC 6455, section 5.5.1",
        _LAST,
    ),
    Clause(
        "WS-TASKS-005",
        Level.ROBUST,
        "A task that waits in a receive while another closes gets ConnectionClosed once the "
        "server delivers the disconnect, or before it a message that was on its way.",
        _PEERS,
    ),
    Clause(
        "WS-TASKS-006",
        Level.ROBUST,
        "No task of the implementation is left running once the connection is over.",
        _PEERS,
    ),
    Clause(
        "WS-CANCEL-001",
        Level.ROBUST,
        "Cancelling a receive that waits loses no message: the next one gets it.",
        _PEERS,
    ),
    Clause(
        "WS-CANCEL-002",
        Level.ROBUST,
        "Cancelling accept() while it waits for the connect event leaves the connection "
        "acceptable.",
        _PEERS,
    ),
    Clause(
        "WS-CANCEL-003",
        Level.ROBUST,
        "Cancelling a send leaves the connection open; whether the message was sent is not known.",
        _PEERS,
    ),
    # What only the wire shows
    Clause(
        "WS-WIRE-001",
        Level.DOCUMENTED,
        "accept() completes the opening handshake: the client gets HTTP 101 (over HTTP/2: 200) and "
        "messages flow.",
        f"{_PAGE}, accept",
        _ACCEPT,
    ),
    Clause(
        "WS-WIRE-002",
        Level.ASGI,
        "close() before accept() rejects the handshake: the client gets HTTP 403.",
        f"{_ASGI}, Close - send event",
        "If this is sent before the socket is accepted, the server must close the connection with "
        "a HTTP 403 error code (Forbidden), and not complete the WebSocket handshake; this may "
        "present on some browsers as a different WebSocket error code (such as 1006, Abnormal "
        "Closure).",
    ),
    Clause(
        "WS-WIRE-003",
        Level.DOCUMENTED,
        "accept(session_id=...) puts one Set-Cookie header in the handshake's answer, whose pair "
        "is session_id=<value>.",
        f"{_PAGE}, accept",
        _SESSION_COOKIE,
    ),
    Clause(
        "WS-WIRE-004",
        Level.DOCUMENTED,
        "accept() without a session_id puts no Set-Cookie header in the handshake's answer.",
        f"{_PAGE}, accept",
        _SESSION_COOKIE,
    ),
    Clause(
        "WS-WIRE-005",
        Level.DOCUMENTED,
        "accept(subprotocol=...) names that subprotocol in the handshake's answer.",
        f"{_PAGE}, accept",
        _SUBPROTOCOL,
    ),
    Clause(
        "WS-WIRE-006",
        Level.DOCUMENTED,
        "accept() without a subprotocol names none in the handshake's answer.",
        f"{_PAGE}, accept",
        _SUBPROTOCOL,
    ),
    Clause(
        "WS-WIRE-007",
        Level.DOCUMENTED,
        "What send_text() is given reaches the client as one text message with that text.",
        f"{_PAGE}, send_text",
        _SEND_TEXT,
    ),
    Clause(
        "WS-WIRE-008",
        Level.DOCUMENTED,
        "What send_bytes() is given reaches the client as one binary message with those bytes.",
        f"{_PAGE}, send_bytes",
        _SEND_BYTES,
    ),
    Clause(
        "WS-WIRE-009",
        Level.DOCUMENTED,
        "receive_text() gives the text of the client's text message.",
        f"{_PAGE}, receive_text",
        _RECEIVE_TEXT,
    ),
    Clause(
        "WS-WIRE-010",
        Level.DOCUMENTED,
        "receive_bytes() gives the bytes of the client's binary message.",
        f"{_PAGE}, receive_bytes",
        _RECEIVE_BYTES,
    ),
    Clause(
        "WS-WIRE-011",
        Level.DOCUMENTED,
        "receive_text() gives the client's binary message decoded as UTF-8, without what is "
        "invalid in it.",
        f"{_PAGE}, receive_text",
        _DECODE,
    ),
    Clause(
        "WS-WIRE-012",
        Level.DOCUMENTED,
        "receive_bytes() gives the client's text message encoded as UTF-8.",
        f"{_PAGE}, receive_bytes",
        _ENCODE,
    ),
    Clause(
        "WS-WIRE-013",
        Level.ASGI,
        "An empty text or binary message arrives as an empty message, in both directions.",
        f"{_ASGI}, Receive - receive event",
        _ONE_PAYLOAD,
    ),
    Clause(
        "WS-WIRE-014",
        Level.DOCUMENTED,
        "A large message from the client arrives whole.",
        f"{_PAGE}, receive_text",
        _RECEIVE_TEXT,
    ),
    Clause(
        "WS-WIRE-015",
        Level.DOCUMENTED,
        "A large message to the client arrives whole.",
        f"{_PAGE}, send_text",
        _SEND_TEXT,
    ),
    Clause(
        "WS-WIRE-016",
        Level.DOCUMENTED,
        "Text beyond ASCII, beyond the basic plane and with NUL arrives unchanged, in both "
        "directions.",
        f"{_PAGE}, receive_text",
        _RECEIVE_TEXT,
    ),
    Clause(
        "WS-WIRE-017",
        Level.DOCUMENTED,
        "Many messages from the client are received in the order in which they were sent, none "
        "lost, none twice.",
        f"{_PAGE}, receive_text",
        _RECEIVE_TEXT,
    ),
    Clause(
        "WS-WIRE-018",
        Level.DOCUMENTED,
        "Many messages to the client arrive in the order in which they were sent, none lost, none "
        "twice.",
        f"{_PAGE}, send_text",
        _SEND_TEXT,
    ),
    Clause(
        "WS-WIRE-019",
        Level.DOCUMENTED,
        "When the client closes, with whatever code, receive_text() and receive_bytes() raise "
        "ConnectionClosed.",
        f"{_PAGE}, receive_text",
        _GONE,
    ),
    Clause(
        "WS-WIRE-020",
        Level.DOCUMENTED,
        "When the client vanishes without a close frame, receive_text() and receive_bytes() raise "
        "ConnectionClosed.",
        f"{_PAGE}, receive_text",
        _GONE,
    ),
    Clause(
        "WS-WIRE-021",
        Level.DOCUMENTED,
        "Once a receive has raised ConnectionClosed, the next one raises it too and does not "
        "wait for the server.",
        f"{_PAGE}, receive_text",
        _GONE,
    ),
    Clause(
        "WS-WIRE-022",
        Level.DOCUMENTED,
        "close() closes the connection with code 1000, as the client sees it.",
        f"{_PAGE}, close",
        _CODE,
    ),
    Clause(
        "WS-WIRE-023",
        Level.DOCUMENTED,
        "close(code, reason) closes the connection with that code and reason, as the client sees "
        "them.",
        f"{_PAGE}, close",
        _REASON,
    ),
    Clause(
        "WS-WIRE-024",
        Level.DOCUMENTED,
        "Connections at the same time do not mix: each gets its own messages and no other's.",
        f"{_PAGE}, WebSocket class",
        _EACH,
    ),
    Clause(
        "WS-WIRE-025",
        Level.ROBUST,
        "After close() returned, the client sees the close and nothing after it, whatever is "
        "called then.",
        _PEERS,
    ),
    Clause(
        "WS-WIRE-026",
        Level.ROBUST,
        "A send to a client that is gone returns or raises ConnectionClosed; no error of the "
        "server's own comes out.",
        _PEERS,
    ),
    Clause(
        "WS-WIRE-027",
        Level.ROBUST,
        "A close() to a client that is gone does nothing and raises nothing.",
        _PEERS,
    ),
    Clause(
        "WS-WIRE-028",
        Level.ROBUST,
        "A receive that is cancelled (by a time-out, say) loses no message: the next one gets it.",
        _PEERS,
    ),
    Clause(
        "WS-WIRE-029",
        Level.ROBUST,
        "A task that waits in a receive while another closes gets ConnectionClosed.",
        _PEERS,
    ),
    Clause(
        "WS-WIRE-030",
        Level.ROBUST,
        "A session_id, a subprotocol, a close code or a reason that cannot be sent is refused, "
        "and the connection goes on as if it had not been tried.",
        _PEERS,
    ),
    Clause(
        "WS-WIRE-031",
        Level.ROBUST,
        "When the handler has returned, or has raised, no task of the implementation is left "
        "running for the connection.",
        _PEERS,
    ),
    Clause(
        "WS-WIRE-032",
        Level.INFO,
        "What the client sees when a handler returns or raises and has not closed is the server's "
        "and the application's choice.",
        _PEERS,
    ),
    Clause(
        "WS-WIRE-033",
        Level.DOCUMENTED,
        "When the server ends the connection because of what the client sends (a frame that is "
        "not masked, a message over the server's limit), receive_text() and receive_bytes() raise "
        "ConnectionClosed and give no part of that.",
        f"{_PAGE}, receive_text",
        _GONE,
    ),
    # Free choices, which no case judges
    Clause(
        "WS-INFO-001",
        Level.INFO,
        "Which attributes the session cookie has (the reference: Path=/, HttpOnly, SameSite=Lax "
        "and, unless told otherwise, Secure).",
        _PEERS,
    ),
    Clause(
        "WS-INFO-002",
        Level.INFO,
        "accepted after the client has gone or after close() (the reference: True if it had been "
        "accepted; False).",
        _PEERS,
    ),
    Clause(
        "WS-INFO-003",
        Level.INFO,
        "session_id after the client has gone or after close() (the reference: kept).",
        _PEERS,
    ),
    Clause(
        "WS-INFO-004",
        Level.INFO,
        "accepted and session_id while accept() is under way.",
        _PEERS,
    ),
    Clause(
        "WS-INFO-005",
        Level.INFO,
        "ConnectionClosed's code and reason (the reference: the disconnect's, 1005 and empty "
        "where there is none), and what else it derives from.",
        _PEERS,
    ),
    Clause(
        "WS-INFO-006",
        Level.INFO,
        "An event of any other type, a message with no payload, one with two payloads, and a lone "
        "surrogate (the reference: RuntimeError for the first two).",
        _PEERS,
    ),
    Clause(
        "WS-INFO-007",
        Level.INFO,
        "Whether send_bytes() takes bytearray and memoryview (the reference: TypeError).",
        _PEERS,
    ),
    Clause(
        "WS-INFO-008",
        Level.INFO,
        "Which of RuntimeError and ConnectionClosed a send raises when the client has gone and "
        "had never been accepted, or when the disconnect has been read after our close.",
        _PEERS,
    ),
    Clause(
        "WS-INFO-009",
        Level.INFO,
        "Whether close() before accept() reads the connect event first, and what becomes of "
        "close() while the accept event is being sent, except that nothing follows the close "
        "event.",
        _PEERS,
    ),
    Clause(
        "WS-INFO-010",
        Level.INFO,
        "All that follows when accept() is cancelled while its event is being sent (the "
        "reference: it counts as sent), except that the connect event is not read twice; or "
        "close() likewise (it counts as closed).",
        _PEERS,
    ),
    Clause(
        "WS-INFO-011",
        Level.INFO,
        "Which error comes first when two are due.",
        _PEERS,
    ),
    Clause(
        "WS-INFO-012",
        Level.INFO,
        "How events are written: unused keys absent or None, headers any iterable of pairs or "
        "absent, no subprotocol absent or None.",
        _PEERS,
    ),
    Clause(
        "WS-INFO-013",
        Level.INFO,
        "Whether the implementation reads ahead, as long as nothing is lost, order is kept and no "
        "task is left behind.",
        _PEERS,
    ),
)
"""Every clause, in the order of the report."""

_BY_ID = {one.id: one for one in CLAUSES}


def clause(id: str) -> Clause:
    """Give the clause with this id.

    Raises:
        KeyError: There is none.
    """
    return _BY_ID[id]
