"""The cases over real sockets. Importing this module registers them.

They ask what only the wire shows: whether what a client gets and sends is what the
implementation was given and gives. Which methods raise when, event by event, is asked in memory.
What a server does of its own accord is in `habits`, and is never judged.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from micropie_conformance.case import live_case
from micropie_conformance.live import MESSAGE_LIMIT
from micropie_conformance.live.handler import Handler, HandlerError, Script

if TYPE_CHECKING:
    from micropie_conformance.live.wire import Client, Message, Wire

_OFFER: Final = ["chat.v2", "chat"]

# A session ID that any rule for one would take: a version 4 UUID.
_SESSION_ID: Final = "2f1cbd0e-6d5c-4c56-9d3b-8a4f7e0b9a51"

# One mebibyte each, in which no part is like another.
_LARGE_BYTES: Final = array("I", range(2**18)).tobytes()
_LARGE_TEXT: Final = _LARGE_BYTES[: 2**19].hex()

# Over the limit of a server that has one.
_TOO_LARGE_TEXT: Final = _LARGE_TEXT * (MESSAGE_LIMIT // len(_LARGE_TEXT) + 1)
_TOO_LARGE_BYTES: Final = _TOO_LARGE_TEXT.encode()
_TOO_LARGE_FRAGMENTS: Final = [_LARGE_TEXT] * (len(_TOO_LARGE_TEXT) // len(_LARGE_TEXT))

_ALL_BYTES: Final = bytes(range(256))

_UNICODE: Final = {
    "latin": ("Grüße, señor",),
    "han": ("你好, 世界",),
    "astral": ("\U0001f967 \U0001d11e \U00010348",),
    "combining": ("\ufeff e\u0301 \u200d \ufffd",),
    "nul": ("a\0b",),
}

# The handshake
#
# Where one argument of accept() is judged, it has been seen to work without that before.


@live_case("WS-WIRE-001")
async def accepted(wire: "Wire") -> None:
    """A client asks for a connection and the handler accepts it."""

    async def script(handler: Handler) -> None:
        await handler.expect_done("accept")
        await handler.call("send_bytes", b"open")
        await handler.call("close")

    client = await wire.handshake(script)
    _expect_answer(wire, client, wire.accepted)
    await client.get(b"open")


@live_case("WS-WIRE-002", {"plain": ((),), "with-a-code": ((3001, "no"),)})
async def rejected(wire: "Wire", arguments: tuple[object, ...]) -> None:
    """A client asks for a connection and the handler closes it without accepting it."""

    async def script(handler: Handler) -> None:
        await handler.expect_done("close", *arguments)

    _expect_answer(wire, await wire.handshake(script), "HTTP 403")


@live_case("WS-WIRE-003", {"alone": (None,), "with-a-subprotocol": ("chat",)})
async def cookie(wire: "Wire", subprotocol: str | None) -> None:
    """The handler accepts with a session ID."""
    await wire.connect(_accepting(subprotocol), subprotocols=_OFFER)
    client = await wire.handshake(
        _accepting(subprotocol, _SESSION_ID, judged=True), subprotocols=_OFFER
    )
    _expect_answer(wire, client, wire.accepted)
    cookies = client.headers("Set-Cookie")
    pairs = [one.partition(";")[0].strip() for one in cookies]
    pair = f"session_id={_SESSION_ID}"
    wire.expect(pairs == [pair], f"one Set-Cookie header, with {pair}", _listed(cookies))


@live_case("WS-WIRE-004", {"alone": (None,), "with-a-subprotocol": ("chat",)})
async def no_cookie(wire: "Wire", subprotocol: str | None) -> None:
    """The handler accepts without a session ID."""
    client = await wire.connect(_accepting(subprotocol), subprotocols=_OFFER)
    cookies = client.headers("Set-Cookie")
    wire.expect(not cookies, "no Set-Cookie header", _listed(cookies))


@live_case(
    "WS-WIRE-005",
    {
        "first-offered": ("chat.v2", None),
        "last-offered": ("chat", None),
        "with-a-session-id": ("chat", _SESSION_ID),
    },
)
async def subprotocol(wire: "Wire", name: str, session_id: str | None) -> None:
    """The client offers two subprotocols and the handler accepts with one of them."""
    await wire.connect(_accepting(None, session_id), subprotocols=_OFFER)
    client = await wire.handshake(_accepting(name, session_id, judged=True), subprotocols=_OFFER)
    _expect_answer(wire, client, wire.accepted)
    names = client.headers("Sec-WebSocket-Protocol")
    wire.expect(names == [name], f"one header with subprotocol {name}", _listed(names))


@live_case("WS-WIRE-006", {"alone": (None,), "with-a-session-id": (_SESSION_ID,)})
async def no_subprotocol(wire: "Wire", session_id: str | None) -> None:
    """The client offers subprotocols and the handler accepts without one."""
    client = await wire.connect(_accepting(None, session_id), subprotocols=_OFFER)
    names = client.headers("Sec-WebSocket-Protocol")
    wire.expect(not names, "no header with a subprotocol", _listed(names))


def _accepting(
    subprotocol: str | None, session_id: str | None = None, judged: bool = False
) -> Script:
    async def script(handler: Handler) -> None:
        accept = handler.expect_done if judged else handler.do
        await accept("accept", subprotocol=subprotocol, session_id=session_id)
        await handler.call("close")

    return script


def _expect_answer(wire: "Wire", client: "Client", answer: str) -> None:
    expected = f"the client gets {answer}"
    wire.expect(client.answer == answer, expected, f"the client gets {client.answer}")


def _listed(values: list[str]) -> str:
    return ", ".join(values) or "none"


# Messages
#
# Where a message could be lost, another follows it: what comes in its place shows the loss,
# and nothing has to be waited for. Where messages of a kind are judged, a plain one has been
# seen to arrive before.

_PLAIN: Final[Mapping[str, "Message"]] = {"text": "plain", "bytes": b"plain"}


def _sending(kind: str, messages: "Sequence[Message]", plain: "Message | None" = None) -> Script:
    async def script(handler: Handler) -> None:
        await handler.open()
        if plain is not None:
            await handler.do(f"send_{kind}", plain)
        for message in messages:
            await handler.expect_done(f"send_{kind}", message)
        await handler.call(f"send_{kind}", _PLAIN[kind])
        await handler.call("close")

    return script


def _receiving(kind: str, values: "Sequence[Message]", plain: "Message | None" = None) -> Script:
    async def script(handler: Handler) -> None:
        await handler.open()
        if plain is not None:
            await handler.get(plain, f"receive_{kind}")
        for value in values:
            await handler.expect_returned(value, f"receive_{kind}")
        await handler.call("close")

    return script


@live_case("WS-WIRE-007")
async def text_to_client(wire: "Wire") -> None:
    """The handler sends a text."""
    client = await wire.connect(_sending("text", ["hello"]))
    await client.expect_message("hello")


@live_case("WS-WIRE-008", {"ascii": (b"hello",), "all": (_ALL_BYTES,)})
async def bytes_to_client(wire: "Wire", data: bytes) -> None:
    """The handler sends bytes."""
    client = await wire.connect(_sending("bytes", [data]))
    await client.expect_message(data)


@live_case(
    "WS-WIRE-009",
    {
        "whole": ("hello world",),
        "in-fragments": (["hello", " ", "world"],),
        "with-pings-between": (["hello", " ", "world"], True),
    },
)
async def text_from_client(wire: "Wire", message: str | list[str], pings: bool = False) -> None:
    """The client sends a text and the handler receives text."""
    client = await wire.connect(_receiving("text", ["hello world"]))
    await client.send(message, pings=pings)
    await client.send("next")


@live_case(
    "WS-WIRE-010",
    {
        "whole": (_ALL_BYTES,),
        "in-fragments": ([b"\0", _ALL_BYTES[1:]],),
        "with-pings-between": ([b"\0", _ALL_BYTES[1:]], True),
    },
)
async def bytes_from_client(
    wire: "Wire", message: bytes | list[bytes], pings: bool = False
) -> None:
    """The client sends bytes and the handler receives bytes."""
    client = await wire.connect(_receiving("bytes", [_ALL_BYTES]))
    await client.send(message, pings=pings)
    await client.send(b"next")


@live_case(
    "WS-WIRE-011",
    {
        "ascii": (b"hello", "hello"),
        "utf-8": ("Grüße \U0001f967".encode(), "Grüße \U0001f967"),
        "invalid": (b"a\xffb\xc3", "ab"),
    },
)
async def text_of_bytes(wire: "Wire", data: bytes, text: str) -> None:
    """The client sends bytes and the handler receives text."""
    client = await wire.connect(_receiving("text", [text]))
    await client.send(data)
    await client.send("next")


@live_case("WS-WIRE-012", {"ascii": ("hello",), "unicode": ("Grüße \U0001f967",)})
async def bytes_of_text(wire: "Wire", text: str) -> None:
    """The client sends a text and the handler receives bytes."""
    client = await wire.connect(_receiving("bytes", [text.encode()]))
    await client.send(text)
    await client.send(b"next")


@live_case("WS-WIRE-013", {"text": ("text", "full", ""), "bytes": ("bytes", b"full", b"")})
async def empty_to_client(wire: "Wire", kind: str, full: "Message", empty: "Message") -> None:
    """The handler sends a message, an empty one, and another."""
    client = await wire.connect(_sending(kind, [empty], plain=full))
    await client.get(full)
    await client.expect_message(empty)


@live_case(
    "WS-WIRE-013",
    {
        "text-as-text": ("text", ("full", ""), ("full", "")),
        "bytes-as-bytes": ("bytes", (b"full", b""), (b"full", b"")),
        "bytes-as-text": ("text", (b"full", b""), ("full", "")),
        "text-as-bytes": ("bytes", ("full", ""), (b"full", b"")),
    },
)
async def empty_from_client(
    wire: "Wire",
    kind: str,
    messages: "tuple[Message, Message]",
    values: "tuple[Message, Message]",
) -> None:
    """The client sends a message, an empty one, and the first again."""
    full, empty = messages
    client = await wire.connect(_receiving(kind, values[1:], plain=values[0]))
    await client.send(full)
    await client.send(empty)
    await client.send(full)


_LARGE: Final = {"text": ("text", _LARGE_TEXT), "bytes": ("bytes", _LARGE_BYTES)}


@live_case("WS-WIRE-014", _LARGE)
async def large_from_client(wire: "Wire", kind: str, large: "Message") -> None:
    """The client sends a small message, then one of 1 MiB."""
    client = await wire.connect(_receiving(kind, [large], plain=_PLAIN[kind]))
    await client.send(_PLAIN[kind])
    await client.send(large)


@live_case("WS-WIRE-015", _LARGE)
async def large_to_client(wire: "Wire", kind: str, large: "Message") -> None:
    """The handler sends a small message, then one of 1 MiB."""
    client = await wire.connect(_sending(kind, [large], plain=_PLAIN[kind]))
    await client.get(_PLAIN[kind])
    await client.expect_message(large)


@live_case("WS-WIRE-016", _UNICODE)
async def unicode_from_client(wire: "Wire", text: str) -> None:
    """The client sends a text in ASCII, then one that is not."""
    client = await wire.connect(_receiving("text", [text], plain="plain"))
    await client.send("plain")
    await client.send(text)


@live_case("WS-WIRE-016", _UNICODE)
async def unicode_to_client(wire: "Wire", text: str) -> None:
    """The handler sends a text in ASCII, then one that is not."""
    client = await wire.connect(_sending("text", [text], plain="plain"))
    await client.get("plain")
    await client.expect_message(text)


_MANY: Final = {
    "text": ("text", [str(number) for number in range(200)]),
    "bytes": ("bytes", [b"%d" % number for number in range(200)]),
}


@live_case("WS-WIRE-017", _MANY)
async def many_from_client(wire: "Wire", kind: str, messages: "list[Message]") -> None:
    """The client sends 200 messages without a pause, and the handler receives them."""
    client = await wire.connect(_receiving(kind, messages, plain=_PLAIN[kind]))
    for message in [_PLAIN[kind], *messages, _PLAIN[kind]]:
        await client.send(message)


@live_case("WS-WIRE-018", _MANY)
async def many_to_client(wire: "Wire", kind: str, messages: "list[Message]") -> None:
    """The handler sends 200 messages without a pause, and the client gets them."""
    client = await wire.connect(_sending(kind, messages, plain=_PLAIN[kind]))
    await client.get(_PLAIN[kind])
    for message in [*messages, _PLAIN[kind]]:
        await client.expect_message(message)


# A client that does not read: so much that no server and no system keeps all of it.
_MUCH: Final = {
    "text": ("text", [f"{number:08}" * 2**16 for number in range(16)]),
    "bytes": ("bytes", [b"%08d" % number * 2**16 for number in range(16)]),
}


@live_case("WS-WIRE-018", _MUCH)
async def much_to_slow_client(wire: "Wire", kind: str, messages: "list[Message]") -> None:
    """The handler sends 8 MiB to a client that does not read until others were served."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.get(b"plain", "receive_bytes")
        for message in messages:
            await handler.expect_done(f"send_{kind}", message)
        await handler.call(f"send_{kind}", _PLAIN[kind])
        # A server may give a client that has not read all of it little time to answer a close.
        await handler.call("receive_bytes", expected="the client gets all that was sent")

    client = await wire.connect(script)
    client.hold()
    await client.send(b"plain")
    await _serve_others(wire)
    client.go_on()
    for message in [*messages, _PLAIN[kind]]:
        await client.expect_message(message)
    await client.send(b"plain")


async def _serve_others(wire: "Wire") -> None:
    """Let the server do what it can do in the meantime."""
    for _ in range(3):
        other = await wire.connect(_sending("bytes", [], plain=b"plain"))
        await other.get(b"plain")


@live_case("WS-WIRE-024")
async def several(wire: "Wire") -> None:
    """Three clients talk at the same time; the first one's handler ends before the others'."""

    def echoing(name: bytes, rounds: int) -> Script:
        async def script(handler: Handler) -> None:
            await handler.open()
            await handler.get(b"plain", "receive_bytes")
            await handler.do("send_bytes", b"plain")
            for number in range(rounds):
                await handler.expect_returned(b"%s %d" % (name, number), "receive_bytes")
                await handler.expect_done("send_bytes", b"to %s" % name)
            await handler.call("close")

        return script

    async def talk(number: int) -> None:
        for name, client in clients.items():
            await client.send(b"%s %d" % (name, number))
        for name, client in clients.items():
            await client.expect_message(b"to %s" % name)

    clients: dict[bytes, Client] = {}
    for name, rounds in {b"one": 1, b"two": 2, b"three": 2}.items():
        clients[name] = client = await wire.connect(echoing(name, rounds))
        await client.send(b"plain")
        await client.get(b"plain")
    await talk(0)
    await clients.pop(b"one").end()
    await talk(1)


# The end


@live_case("WS-WIRE-022")
async def closes(wire: "Wire") -> None:
    """The handler closes without arguments."""
    await _expect_close(wire, (), 1000, "")


@live_case(
    "WS-WIRE-023",
    {
        "code": ((3001,), 3001, ""),
        "reason": ((1000, "bye"), 1000, "bye"),
        "both": ((3001, "bye"), 3001, "bye"),
        "highest": ((4999, "the end"), 4999, "the end"),
        "unicode": ((4000, "tschüß \U0001f967"), 4000, "tschüß \U0001f967"),
        "longest": ((4000, "r" * 123), 4000, "r" * 123),
    },
)
async def closes_with(wire: "Wire", arguments: tuple[object, ...], code: int, reason: str) -> None:
    """The handler closes with a code, a reason, or both."""
    await _expect_close(wire, arguments, code, reason)


async def _expect_close(
    wire: "Wire", arguments: tuple[object, ...], code: int, reason: str
) -> None:
    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.expect_done("close", *arguments)

    client = await wire.connect(script)
    await client.expect_close(code, reason)


@live_case("WS-WIRE-025")
async def nothing_after_close(wire: "Wire") -> None:
    """The handler closes, and does so again but sends, accepts and closes after that."""

    async def closes(handler: Handler) -> None:
        await handler.open()
        await handler.do("close", 3001, "bye")

    async def goes_on(handler: Handler) -> None:
        await closes(handler)
        await handler.call("send_text", "late")
        await handler.call("send_bytes", b"late")
        await handler.call("accept")
        await handler.call("close", 4000, "again")

    client = await wire.connect(closes)
    close = await client.get_close()
    client = await wire.connect(goes_on)
    await client.expect_close(close.code, close.reason)


_RECEIVE: Final = ("receive_text", "receive_bytes")


@live_case(
    "WS-WIRE-019",
    {
        f"{method} {name}".replace("_", "-").replace(" ", "-"): (method, *close)
        for method in _RECEIVE
        for name, close in {
            "plain": (1000, ""),
            "away": (1001, ""),
            "private": (3001, "bye"),
            "no-code": (None, ""),
        }.items()
    },
)
async def client_closes(wire: "Wire", method: str, code: int | None, reason: str) -> None:
    """The client closes while the handler receives."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.expect_closed(method)

    client = await wire.connect(script)
    await client.close(code, reason)


@live_case(
    "WS-WIRE-020",
    {
        f"{method.replace('_', '-')}-{name}": (method, reset)
        for method in _RECEIVE
        for name, reset in {"reset": True, "end-of-stream": False}.items()
    },
)
async def client_vanishes(wire: "Wire", method: str, reset: bool) -> None:
    """The client's connection ends, without a close frame, while the handler receives."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.expect_closed(method)

    client = await wire.connect(script)
    client.vanish(reset=reset)


@live_case(
    "WS-WIRE-020",
    {
        f"{method} {part} {name}".replace("_", "-").replace(" ", "-"): (method, whole_frame, reset)
        for method in _RECEIVE
        for part, whole_frame in {"fragment": True, "half-a-frame": False}.items()
        for name, reset in {"reset": True, "end-of-stream": False}.items()
    },
)
async def client_vanishes_in_message(
    wire: "Wire", method: str, whole_frame: bool, reset: bool
) -> None:
    """The client sends the begin of a message; then its connection ends."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.get(b"plain", "receive_bytes")
        await handler.expect_closed(method)

    client = await wire.connect(script)
    await client.send(b"plain")
    await wire.waits_in(client.handler, method)
    client.begin("never comes whole", whole_frame=whole_frame)
    client.vanish(reset=reset)


@live_case("WS-WIRE-020", {method.replace("_", "-"): (method,) for method in _RECEIVE})
async def client_half_closes(wire: "Wire", method: str) -> None:
    """The client sends a message, ends its direction of the connection and reads on."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.get(b"plain", "receive_bytes")
        await handler.expect_closed(method)

    client = await wire.connect(script)
    await client.send(b"plain")
    client.half_close()


@live_case("WS-WIRE-033", {"text": ("text", "hello"), "bytes": ("bytes", b"hello")})
async def unmasked(wire: "Wire", kind: str, message: "Message") -> None:
    """The client sends a frame that is not masked; what a server lets through comes whole."""
    client = await _connect_to_be_cut_off(wire, kind, message)
    client.send_unmasked(message)


@live_case(
    "WS-WIRE-033",
    {
        "text": ("text", _TOO_LARGE_TEXT, [_TOO_LARGE_TEXT]),
        "bytes": ("bytes", _TOO_LARGE_BYTES, [_TOO_LARGE_BYTES]),
        "text-in-fragments": ("text", _TOO_LARGE_TEXT, _TOO_LARGE_FRAGMENTS),
    },
)
async def too_large(
    wire: "Wire", kind: str, message: "Message", fragments: "list[str] | list[bytes]"
) -> None:
    """The client sends a message over the server's limit; without one, it comes whole."""
    client = await _connect_to_be_cut_off(wire, kind, message)
    await client.send_too_much(fragments)
    # Hypercorn says that it closes, and tells the handler when the client is gone.
    client.vanish(reset=False)


async def _connect_to_be_cut_off(wire: "Wire", kind: str, message: "Message") -> "Client":
    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.get(_PLAIN[kind], f"receive_{kind}")
        await handler.expect_returned_or_closed(message, f"receive_{kind}")

    client = await wire.connect(script)
    await client.send(_PLAIN[kind])
    # Uvicorn forgets what was not read when it ends the connection.
    await wire.until(client.handler, lambda: client.handler.given > 1)
    return client


@live_case("WS-WIRE-020", {method.replace("_", "-"): (method,) for method in _RECEIVE})
async def client_vanishes_early(wire: "Wire", method: str) -> None:
    """The client's connection ends before the handler accepts; then it receives."""

    async def script(handler: Handler) -> None:
        await handler.call("accept")
        await handler.expect_closed(method)

    await wire.vanish(script)


@live_case("WS-WIRE-021")
async def closed_again(wire: "Wire") -> None:
    """The client closes, the handler reads that and receives again, twice."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.lose()
        for method in _RECEIVE:
            await handler.expect_closed(method)

    client = await wire.connect(script)
    await client.close(3001, "bye")


@live_case("WS-WIRE-026", {"text": ("send_text", "late"), "bytes": ("send_bytes", b"late")})
async def sends_to_nobody(wire: "Wire", method: str, message: "Message") -> None:
    """The client closes, the handler reads that and sends, twice."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.lose()
        for _ in range(2):
            await handler.expect_done_or_closed(method, message)

    client = await wire.connect(script)
    await client.close()


@live_case("WS-WIRE-026", _MUCH)
async def sends_to_slow_client_that_vanishes(
    wire: "Wire", kind: str, messages: "list[Message]"
) -> None:
    """The handler sends 8 MiB to a client that does not read and then is gone."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.get(b"plain", "receive_bytes")
        for message in messages:
            await handler.expect_done_or_closed(f"send_{kind}", message)

    client = await wire.connect(script)
    client.hold()
    await client.send(b"plain")
    await _serve_others(wire)
    client.vanish(reset=True)


@live_case("WS-WIRE-027")
async def closes_to_nobody(wire: "Wire") -> None:
    """The client closes, the handler reads that and closes, twice."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.lose()
        for _ in range(2):
            await handler.expect_done("close", 3001, "bye")

    client = await wire.connect(script)
    await client.close()


@live_case("WS-WIRE-027")
async def closes_to_vanished(wire: "Wire") -> None:
    """The client vanishes before the handler accepts; the handler accepts and closes."""

    async def script(handler: Handler) -> None:
        await handler.call("accept")
        await handler.expect_done("close")

    await wire.vanish(script)


# More than one task


@live_case("WS-WIRE-028", {"text": ("text", "first"), "bytes": ("bytes", b"first")})
async def cancelled(wire: "Wire", kind: str, message: "Message") -> None:
    """After a message, a receive that waits is cancelled; then another message comes."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.get(_PLAIN[kind], f"receive_{kind}")
        await handler.be_cancelled(f"receive_{kind}")
        await handler.do(f"send_{kind}", _PLAIN[kind])
        await handler.expect_returned(message, f"receive_{kind}")
        await handler.call("close")

    client = await wire.connect(script)
    await client.send(_PLAIN[kind])
    await wire.cancel(client.handler)
    await client.get(_PLAIN[kind])
    await client.send(message)
    await client.send(_PLAIN[kind])


@live_case("WS-WIRE-029", {method.replace("_", "-"): (method,) for method in _RECEIVE})
async def closed_while_receiving(wire: "Wire", method: str) -> None:
    """The handler waits for a message while another task closes its connection."""

    async def receives(handler: Handler) -> None:
        await handler.open()
        await handler.expect_closed(method)

    client = await wire.connect(receives)
    await wire.waits_in(client.handler, method)

    async def closes(handler: Handler) -> None:
        await client.handler.shut()
        await handler.open()
        await handler.call("close")

    await wire.connect(closes)
    await wire.ended(client.handler)


@live_case(
    "WS-WIRE-030",
    {
        "subprotocol": (False, "accept", ("not a token",)),
        "close-before-accept": (False, "close", (999,)),
        "code": (True, "close", (999,)),
        "reason": (True, "close", (1000, "r" * 124)),
        "session-id": (False, "accept", (None, "x\r\nset-cookie: y=z")),
    },
)
async def refused(wire: "Wire", accepted: bool, method: str, arguments: tuple[object, ...]) -> None:
    """The handler calls with what cannot be sent, then goes on as if it had not."""

    async def script(handler: Handler) -> None:
        if accepted:
            await handler.open()
        await handler.expect_raised(ValueError, method, *arguments)
        if not accepted:
            await handler.expect_done("accept")
        await handler.expect_done("send_bytes", b"open")
        await handler.call("close")

    client = await wire.handshake(script)
    # What was called decides before what followed from it.
    await wire.ended(client.handler)
    _expect_answer(wire, client, wire.accepted)
    await client.expect_message(b"open")


@live_case("WS-WIRE-031", {"returned": (False,), "raised": (True,)})
async def no_task_left(wire: "Wire", raises: bool) -> None:
    """The handler receives, sends, closes and ends; then another connection comes and goes."""

    async def script(handler: Handler) -> None:
        await handler.open()
        await handler.get(b"plain", "receive_bytes")
        await handler.do("send_bytes", b"plain")
        await handler.shut()
        if raises:
            raise HandlerError

    async def talk() -> Handler:
        client = await wire.connect(script)
        await client.send(b"plain")
        await client.get(b"plain")
        await client.end()
        await wire.ended(client.handler)
        return client.handler

    handler = await talk()
    await talk()
    tasks = wire.left_behind(handler)
    wire.expect(
        not tasks, "no task of the connection still runs", f"still running: {_listed(tasks)}"
    )
