"""A WebSocket client that can break off or break the rules anywhere, and logs what it does.

The frames are those of the sans-I/O part of `websockets`; the bytes go over a stream of `streams`.
The log has a line for each handshake, frame and fault: `->` is what the client did, `<-` what
came from the server.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeAlias

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidState, InvalidStatus
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from micropie_conformance.live.streams import Tcp
from micropie_conformance.outcomes import show

__all__ = ["Connection", "Message"]

Message: TypeAlias = str | bytes

_NAMES: Final = {
    Opcode.CONT: "continuation",
    Opcode.TEXT: "text",
    Opcode.BINARY: "binary",
    Opcode.CLOSE: "close",
    Opcode.PING: "ping",
    Opcode.PONG: "pong",
}


class _Protocol(ClientProtocol):
    """Logs each frame, those that are sent as answers too."""

    def __init__(
        self,
        path: str,
        subprotocols: Sequence[str],
        state: State,
        log: Callable[[str], None],
    ) -> None:
        self._log = log
        super().__init__(
            parse_uri(f"ws://127.0.0.1{path}"),
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            state=state,
            max_size=None,
        )

    def process_response(self, response: Response) -> None:
        self._log(f"<- HTTP {response.status_code} {response.reason_phrase}")
        super().process_response(response)

    def receive_response(self, response: Response) -> None:
        """Take the response of HTTP/2, which is not in the bytes."""
        self._log(f"<- HTTP {response.status_code}")
        try:
            if response.status_code != 200:
                raise InvalidStatus(response)
            self.extensions = self.process_extensions(response.headers)
            self.subprotocol = self.process_subprotocol(response.headers)
        except InvalidHandshake as error:
            self.handshake_exc = error
        self.events.append(response)

    def send_frame(self, frame: Frame) -> None:
        self._log(f"-> {_words(frame)}")
        super().send_frame(frame)

    def recv_frame(self, frame: Frame) -> None:
        self._log(f"<- {_words(frame)}")
        super().recv_frame(frame)


class Connection:
    """One connection of a client.

    It reads on its own, so that pings and close frames are answered, but while it is held.

    Args:
        stream: What the bytes go over.
        path: What is asked for.
        subprotocols: What is offered.
        log: Called with each line of the log.
    """

    def __init__(
        self, stream: Tcp, path: str, subprotocols: Sequence[str], log: Callable[[str], None]
    ) -> None:
        """Hold them; nothing is sent yet."""
        self._stream = stream
        self._log = log
        self._protocol = _Protocol(path, subprotocols, stream.state, log)
        self._fragments: list[Frame] = []
        # What came, oldest first; the last is a close frame, or None when there was none.
        self._received: asyncio.Queue[Message | Close | None] = asyncio.Queue()
        self._reading = asyncio.Event()
        self._reading.set()
        self._answered = asyncio.Event()
        self._left = False
        # What the server answered to the handshake, if that was an HTTP response.
        self.response: Response | None = None
        self._reader = asyncio.create_task(self._read())

    # The handshake

    def ask(self) -> None:
        """Ask for a connection."""
        request = self._protocol.connect()
        self._log(f"-> {self._stream.asks.format(path=request.path)}{_offer(self._protocol)}")
        self._stream.ask(request)

    async def answer(self) -> str:
        """Await the answer to the handshake, in words such as `HTTP 101`."""
        await self._answered.wait()
        if self.response is None:
            return "no answer"
        match self._protocol.handshake_exc:
            case None | InvalidStatus():
                return f"HTTP {self.response.status_code}"
            case error:
                return f"a handshake that is not valid: {error}"

    # Messages

    async def send(
        self, message: Message | Sequence[str] | Sequence[bytes], *, pings: bool = False
    ) -> None:
        """Send a message; of a sequence each part is a fragment of one message.

        With `pings`, a ping precedes each fragment but the first.

        Raises:
            OSError: The connection is closed.
        """
        parts: Sequence[Message] = [message] if isinstance(message, str | bytes) else message
        for number, part in enumerate(parts, 1):
            if pings and number > 1:
                self._protocol.send_ping(b"between")
            self._send_part(part, first=number == 1, final=number == len(parts))
            self._flush()
        await self._stream.drain()

    async def next(self) -> Message | Close | None:
        """Await a message, or the close frame, or None when the connection ended without one."""
        got = await self._received.get()
        if not isinstance(got, Message):
            # Nothing follows it.
            self._received.put_nowait(got)
        return got

    # Faults

    def hold(self) -> None:
        """Read no more, beyond what comes next, until `go_on`."""
        self._reading.clear()
        self._log("-- reads no more")

    def go_on(self) -> None:
        """Read again."""
        self._log("-- reads again")
        self._reading.set()

    def begin(self, text: str, *, whole_frame: bool) -> None:
        """Send the begin of a message: a whole frame that is not the last, or half a frame."""
        if whole_frame:
            self._send_part(text, first=True, final=False)
            self._flush()
        else:
            frame = Frame(Opcode.TEXT, text.encode())
            data = frame.serialize(mask=True)
            half = len(data) // 2
            self._log(f"-> {_words(frame)} (only {half} of its {len(data)} bytes)")
            self._stream.write(data[:half])

    def send_unmasked(self, message: Message) -> None:
        """Send a message in a frame that is not masked, which a client must not."""
        opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
        frame = Frame(opcode, message.encode() if isinstance(message, str) else message)
        self._log(f"-> {_words(frame)} (not masked)")
        self._stream.write(frame.serialize(mask=False))

    def half_close(self) -> None:
        """End the direction to the server without a close frame, and go on reading."""
        self._log(f"-> {self._stream.half_closes}, and reads on")
        self._stream.half_close()

    # The end

    async def close(self, code: int | None, reason: str) -> None:
        """Send a close frame and wait for the end; None: it has neither code nor reason."""
        with suppress(InvalidState):
            self._protocol.send_close(code, "" if code is None else reason)
        self._flush()
        await self.end()

    async def end(self) -> None:
        """Wait until the connection has ended."""
        await asyncio.wait([self._reader])

    def drop(self, *, reset: bool) -> None:
        """Drop the connection without a close frame: reset it, or end the stream."""
        self._left = True
        self._log(f"-> {self._stream.resets if reset else self._stream.closes}")
        if reset:
            self._stream.reset()
        else:
            self._stream.close()

    async def finish(self) -> None:
        """End what there still is, without a word in the log."""
        self._left = True
        self._reader.cancel()
        await self._stream.finish()
        await self.end()

    def _send_part(self, part: Message, *, first: bool, final: bool) -> None:
        data = part.encode() if isinstance(part, str) else part
        try:
            if not first:
                self._protocol.send_continuation(data, final)
            elif isinstance(part, str):
                self._protocol.send_text(data, final)
            else:
                self._protocol.send_binary(data, final)
        except InvalidState as error:
            raise ConnectionError("the connection is closed") from error

    async def _read(self) -> None:
        while self._protocol.handshake_exc is None:
            await self._reading.wait()
            match await self._stream.read():
                case Response() as response:
                    self._protocol.receive_response(response)
                case b"":
                    if not self._left:
                        self._log(f"<- {self._stream.ended}")
                    break
                case data:
                    self._protocol.receive_data(data)
            self._take()
        self._protocol.receive_eof()
        self._take()
        self._answered.set()
        if self._protocol.close_rcvd is None:
            self._received.put_nowait(None)
        self._stream.close()

    def _take(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self.response = event
                self._answered.set()
            else:
                assert isinstance(event, Frame)
                self._take_frame(event)
        self._flush()
        closed = self._protocol.close_rcvd is not None
        if closed and self._stream.client_ends and not self._left:
            self.drop(reset=False)

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self._received.put_nowait(self._protocol.close_rcvd)
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._fragments.append(frame)
            if frame.fin:
                data = b"".join(one.data for one in self._fragments)
                text = self._fragments[0].opcode is Opcode.TEXT
                self._received.put_nowait(_text(data) if text else data)
                self._fragments.clear()

    def _flush(self) -> None:
        # What is empty stands for the end of the stream, which `_read` takes care of.
        if data := b"".join(self._protocol.data_to_send()):
            self._stream.write(data)


def _offer(protocol: ClientProtocol) -> str:
    offer = protocol.available_subprotocols
    return f", offering {', '.join(offer)}" if offer else ""


def _words(frame: Frame) -> str:
    data = bytes(frame.data)
    if frame.opcode is Opcode.CLOSE and len(data) >= 2:
        payload = f" {int.from_bytes(data[:2])} {show(_text(data[2:]))}"
    elif frame.opcode is Opcode.CLOSE:
        payload = " without a code"
    else:
        payload = f" {show(_text(data) if frame.opcode is Opcode.TEXT else data)}"
    return f"{_NAMES[frame.opcode]}{payload}{'' if frame.fin else ' (not final)'}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
