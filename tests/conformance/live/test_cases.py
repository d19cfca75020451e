"""Every case passes for right implementations, on each worker, and fails for a wrong one."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

import pytest
from micropie_conformance.case import LiveCase, registered
from micropie_conformance.live import SERVERS
from micropie_conformance.live.habits import habits
from micropie_conformance.live.running import run_live
from micropie_conformance.probe import Target
from micropie_conformance.runner import Result, Verdict

from micropie import ConnectionClosed, WebSocket
from micropie.contract import Receive, Send

CASES: dict[str, LiveCase] = {case.id: case for case in registered()[1]}


def run(
    factory: Callable[..., object],
    ids: Iterable[str] = CASES,
    door: str = "hypercorn:asyncio",
    deadline: float = 10,
) -> dict[str, Result]:
    cases = [CASES[id] for id in ids]
    target = Target(factory, ConnectionClosed)
    return {one.case: one for one in run_live(cases, target, door, deadline)}


def not_passed(results: dict[str, Result]) -> list[Result]:
    return [one for one in results.values() if one.verdict is not Verdict.PASSED]


# Right implementations


class ReadsAhead(WebSocket):
    """Lets a task of its own read the server's events into a queue."""

    def __init__(self, receive: Receive, send: Send) -> None:
        super().__init__(self.next, send)
        self.receive = receive
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    async def next(self) -> Any:
        if self.task is None:
            self.task = asyncio.create_task(self.read())
        return await self.queue.get()

    async def read(self) -> None:
        event: Any = {"type": ""}
        while event["type"] != "websocket.disconnect":
            event = await self.receive()
            self.queue.put_nowait(event)


DOORS = [f"{server}:{worker}" for server, workers in SERVERS.items() for worker in workers]


HALF_CLOSES = [id for id in CASES if "/client-half-closes/" in id]


@pytest.mark.parametrize("door", DOORS)
def test_the_reference_passes_but_for_the_habits_of_the_server(door: str) -> None:
    results = run(WebSocket, door=door)
    signs = [habit.sign for habit in habits(door).values() if habit.sign is not None]
    shown = {one.case: one.verdict for one in not_passed(results)}
    expected = {id: Verdict.SERVER for sign in signs for id in sign.cases}
    if door.endswith("+h2"):
        expected |= dict.fromkeys(HALF_CLOSES, Verdict.NOT_APPLICABLE)
    assert shown == expected


def test_an_implementation_that_reads_ahead_passes() -> None:
    assert not_passed(run(ReadsAhead)) == []


class Plain:
    """As little as does: it checks no argument."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.send = send
        self.over = False

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await self.receive()
        headers: list[tuple[bytes, bytes]] = []
        if session_id is not None:
            headers.append((b"set-cookie", f"session_id={session_id}; Secure".encode()))
        await self.send(
            {"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers}
        )

    async def next(self) -> str | bytes:
        if self.over:
            raise ConnectionClosed
        event = await self.receive()
        if event["type"] == "websocket.disconnect":
            self.over = True
            raise ConnectionClosed
        message: str | bytes = event["bytes"] if event["text"] is None else event["text"]
        return message

    async def receive_text(self) -> str:
        message = await self.next()
        return message if isinstance(message, str) else message.decode("utf-8", "ignore")

    async def receive_bytes(self) -> bytes:
        message = await self.next()
        return message.encode() if isinstance(message, str) else message

    async def send_text(self, data: str) -> None:
        if not self.over:
            await self.send({"type": "websocket.send", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        if not self.over:
            await self.send({"type": "websocket.send", "bytes": data})

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if not self.over:
            self.over = True
            await self.send({"type": "websocket.close", "code": code, "reason": reason})


# Wrong ones, each with what is observed (a regular expression) and what it breaks (how the ids
# of the cases begin).

WRONG: dict[type[Plain], tuple[str, tuple[str, ...]]] = {}


W = TypeVar("W", bound=type[Plain])


def breaks(observed: str, *ids: str) -> Callable[[W], W]:
    def register(wrong: W) -> W:
        WRONG[wrong] = observed, ids
        return wrong

    return register


breaks("Invalid Subprotocol|LocalProtocolError|returns None", "WS-WIRE-030")(Plain)


@breaks("HTTP 403", "WS-WIRE-001")
class AcceptsInSilence(Plain):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await self.receive()


@breaks("HTTP 500", "WS-WIRE-002")
class ClosesOnlyWhenAccepted(Plain):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept(subprotocol, session_id)
        self.accepted = True

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if hasattr(self, "accepted"):
            await super().close(code, reason)


@breaks("none", "WS-WIRE-003")
class ForgetsTheCookie(Plain):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept(subprotocol)


@breaks("session_id=none", "WS-WIRE-004")
class AlwaysSetsACookie(Plain):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept(subprotocol, session_id or "none")


@breaks("none", "WS-WIRE-005")
class ForgetsTheSubprotocol(Plain):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept(None, session_id)


@breaks("Invalid Subprotocol", "WS-WIRE-005")
class NamesAnotherSubprotocol(Plain):
    # The server refuses it and, on trio, ends.
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept(subprotocol and subprotocol.upper(), session_id)


@breaks("chat", "WS-WIRE-006")
class AlwaysNamesASubprotocol(Plain):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept(subprotocol or "chat", session_id)


@breaks("binary b'hello'", "WS-WIRE-007")
class SendsTextAsBytes(Plain):
    async def send_text(self, data: str) -> None:
        await super().send_bytes(data.encode())


@breaks("text '", "WS-WIRE-008")
class SendsBytesAsText(Plain):
    async def send_bytes(self, data: bytes) -> None:
        await super().send_text(data.decode("latin-1"))


@breaks("returns 'hello '", "WS-WIRE-009")
class StripsText(Plain):
    async def receive_text(self) -> str:
        return (await super().receive_text()).removesuffix("world")


@breaks(r"receive_bytes\(\) returns b", "WS-WIRE-010", "WS-WIRE-012")
class DropsAByte(Plain):
    async def receive_bytes(self) -> bytes:
        return (await super().receive_bytes())[1:]


@breaks(r"receive_text\(\) returns", "WS-WIRE-011")
class DecodesAsUtf16(Plain):
    async def receive_text(self) -> str:
        message = await self.next()
        return message if isinstance(message, str) else message.decode("utf-16", "ignore")


@breaks("UnicodeDecodeError", "WS-WIRE-011/text-of-bytes/invalid")
class DecodesStrictly(Plain):
    async def receive_text(self) -> str:
        message = await self.next()
        return message if isinstance(message, str) else message.decode()


@breaks("full|plain", "WS-WIRE-013")
class DropsWhatIsEmpty(Plain):
    async def next(self) -> str | bytes:
        return await super().next() or await self.next()

    async def send_text(self, data: str) -> None:
        if data:
            await super().send_text(data)

    async def send_bytes(self, data: bytes) -> None:
        if data:
            await super().send_bytes(data)


@breaks(r"(characters|bytes)\)", "WS-WIRE-014", "WS-WIRE-015")
class CutsWhatIsLarge(Plain):
    async def next(self) -> str | bytes:
        return (await super().next())[:65536]

    async def send_text(self, data: str) -> None:
        await super().send_text(data[:65536])

    async def send_bytes(self, data: bytes) -> None:
        await super().send_bytes(data[:65536])


def printable(text: str) -> str:
    return "".join(one for one in text if " " <= one <= "~")


@breaks("returns|gets text", "WS-WIRE-016")
class KnowsOnlyAscii(Plain):
    async def receive_text(self) -> str:
        return printable(await super().receive_text())

    async def send_text(self, data: str) -> None:
        await super().send_text(printable(data))


class Counts(Plain):
    """Counts messages."""

    received = sent = 0


@breaks("returns b?'99'", "WS-WIRE-017")
class LosesTheHundredth(Counts):
    async def next(self) -> str | bytes:
        self.received += 1
        if self.received == 100:
            await super().next()
        return await super().next()


@breaks("b?'199'", "WS-WIRE-018/many-to-client")
class RepeatsTheLast(Counts):
    # The 202nd message follows the 200 of the case.
    async def repeat(self, send: Callable[[Any], Any], data: str | bytes) -> None:
        self.sent += 1
        for _ in range(1 + (self.sent == 201)):
            await send(data)

    async def send_text(self, data: str) -> None:
        await self.repeat(super().send_text, data)

    async def send_bytes(self, data: bytes) -> None:
        await self.repeat(super().send_bytes, data)


@breaks("returns b?''", "WS-WIRE-019", "WS-WIRE-020", "WS-WIRE-029", "WS-WIRE-033")
class ReturnsNothingAtTheEnd(Plain):
    async def next(self) -> str | bytes:
        try:
            return await super().next()
        except ConnectionClosed:
            return b""


@breaks("returns b?''", "WS-WIRE-021")
class RaisesOnce(Plain):
    async def next(self) -> str | bytes:
        return b"" if self.over else await super().next()


@breaks("code 1001", "WS-WIRE-022")
class ClosesAsGoingAway(Plain):
    async def close(self, code: int = 1001, reason: str | None = None) -> None:
        await super().close(code, reason)


@breaks("code 1000, reason ''", "WS-WIRE-023")
class ClosesWithoutArguments(Plain):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        await super().close()


@breaks("a close frame", "WS-WIRE-024")
class SendsToTheLatest(Plain):
    latest: Plain

    def __init__(self, receive: Receive, send: Send) -> None:
        super().__init__(receive, send)
        SendsToTheLatest.latest = self

    async def send_bytes(self, data: bytes) -> None:
        await Plain.send_bytes(self.latest, data)


@breaks("text 'late'", "WS-WIRE-025")
class ClosesInTheBackground(Plain):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.task = asyncio.create_task(super().close(code, reason))


@breaks("receive_bytes.. still waits", "WS-WIRE-018/much-to-slow-client")
class DropsWhatIsSlow(Plain):
    """Sends in the background, and nothing while three sends are on their way."""

    def __init__(self, receive: Receive, send: Send) -> None:
        super().__init__(receive, send)
        self.tasks: set[asyncio.Task[None]] = set()

    async def later(self, body: Coroutine[Any, Any, None]) -> None:
        if len(self.tasks) == 3:
            body.close()
            return
        task = asyncio.create_task(body)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        # One that is not held up is done then.
        await asyncio.sleep(0)

    async def send_text(self, data: str) -> None:
        await self.later(super().send_text(data))

    async def send_bytes(self, data: bytes) -> None:
        await self.later(super().send_bytes(data))


@breaks("too many", "WS-WIRE-026/sends-to-slow")
class SendsOnlyTen(Counts):
    def count(self) -> None:
        self.sent += 1
        if self.sent > 10:
            raise RuntimeError("too many")

    async def send_text(self, data: str) -> None:
        self.count()
        await super().send_text(data)

    async def send_bytes(self, data: bytes) -> None:
        self.count()
        await super().send_bytes(data)


@breaks("it is over", "WS-WIRE-026/sends-to-nobody")
class RefusesToSend(Plain):
    async def send_text(self, data: str) -> None:
        if self.over:
            raise RuntimeError("it is over")
        await super().send_text(data)

    async def send_bytes(self, data: bytes) -> None:
        if self.over:
            raise RuntimeError("it is over")
        await super().send_bytes(data)


@breaks(r"RuntimeError\('no'\)", "WS-WIRE-027")
class RefusesToClose(Plain):
    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        raise RuntimeError("no")


@breaks(r"raises ConnectionClosed\(\)", "WS-WIRE-028")
class IsBrokenByCancellation(Plain):
    async def next(self) -> str | bytes:
        try:
            return await super().next()
        except asyncio.CancelledError:
            self.over = True
            raise


@breaks(r"Event\.wait", "WS-WIRE-031")
class LeavesATask(Plain):
    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        await super().accept(subprotocol, session_id)
        self.task = asyncio.create_task(asyncio.Event().wait())


BROKEN = [
    (wrong, observed, [id for id in CASES if id.startswith(ids)])
    for wrong, (observed, ids) in WRONG.items()
]


@pytest.mark.parametrize(
    ("wrong", "observed", "ids"), BROKEN, ids=lambda one: getattr(one, "__name__", "")
)
def test_a_wrong_implementation_breaks(wrong: type[Plain], observed: str, ids: list[str]) -> None:
    assert ids
    for result in run(wrong, ids).values():
        assert result.verdict is Verdict.BROKEN, result
        assert result.expected
        assert re.search(observed, result.observed)
        assert result.trace


# What each kind of wrong implementation shows behind another server than Hypercorn, or over another
# version of HTTP: their own part in it is another.
ELSEWHERE: list[tuple[type[Plain], str, str]] = [
    (AcceptsInSilence, "HTTP 500|HTTP 403", "WS-WIRE-001"),
    (ForgetsTheCookie, "none", "WS-WIRE-003/cookie/alone"),
    (SendsTextAsBytes, "binary b'hello'", "WS-WIRE-007"),
    (DropsAByte, r"receive_bytes\(\) returns b", "WS-WIRE-010/bytes-from-client/whole"),
    (ReturnsNothingAtTheEnd, "returns b?''", "WS-WIRE-019/client-closes/receive-text-plain"),
    (ClosesWithoutArguments, "code 1000, reason ''", "WS-WIRE-023/closes-with/both"),
    (ClosesWithoutArguments, "code 1000, reason ''", "WS-WIRE-023/closes-with/reason"),
    (DropsWhatIsEmpty, "'plain'", "WS-WIRE-013/empty-to-client"),
    (LeavesATask, r"Event\.wait", "WS-WIRE-031"),
]


class SkipsAbsentKeys(Plain):
    """Uvicorn leaves out the key that is not used."""

    async def next(self) -> str | bytes:
        if self.over:
            raise ConnectionClosed
        event = await self.receive()
        if event["type"] == "websocket.disconnect":
            self.over = True
            raise ConnectionClosed
        message: str | bytes = event["text"] if event.get("text") is not None else event["bytes"]
        return message


@pytest.mark.parametrize(
    "door", ["hypercorn:asyncio+h2", *(one for one in DOORS if not one.startswith("hypercorn"))]
)
@pytest.mark.parametrize(("wrong", "observed", "ids"), ELSEWHERE)
def test_a_wrong_implementation_breaks_behind_each_server(
    door: str, wrong: type[Plain], observed: str, ids: str
) -> None:
    class Wrong(wrong, SkipsAbsentKeys):  # type: ignore[misc,valid-type]  # one of the table
        pass

    results = run(Wrong, [id for id in CASES if id.startswith(ids)], door)
    assert results
    for result in results.values():
        assert result.verdict is Verdict.BROKEN, result
        assert re.search(observed, result.observed)


def test_every_case_is_broken_by_a_wrong_implementation() -> None:
    assert {id for _, _, ids in BROKEN for id in ids} == set(CASES)


def test_the_cases_are_listed_without_what_running_them_needs() -> None:
    code = (
        "import sys\n"
        "for name in ('h2', 'hypercorn', 'websockets', 'trio', 'uvloop'):\n"
        "    sys.modules[name] = None\n"
        "from micropie_conformance.case import registered\n"
        "print(len(registered()[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{len(CASES)}\n", "")
