"""A chat for the browser: rooms by path, names by query.

Start it with ``micropie serve examples/chat.py:app`` and open the printed address in two windows.
``/chat/kitchen?name=Ada`` is both the page of a room, over HTTP, and its WebSocket.

A client sends plain text, one message each; an empty one only says that it is still there. It gets
JSON objects: ``welcome``, ``joined``, ``left``, ``said`` and ``notice``, as their ``type`` tells.

Nobody waits for a slow client: each has a task that sends what is in its outbox, and one whose
outbox is full is let go. Tasks and queues are asyncio's, so this runs on asyncio and uvloop; rooms
are kept in memory, so in one worker.
"""

import asyncio
import itertools
import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from micropie import App, ConnectionClosed, WebSocket
from micropie.contract import Receive, Scope, Send

PAGE = Path(__file__).with_suffix(".html").read_text("utf-8")
LONGEST_NAME = 30  # characters, of a person or a room
LONGEST_MESSAGE = 2000  # characters
BACKLOG = 200  # messages that may wait for one client
SILENCE = 90.0  # seconds; the page sends an empty message more often than that


@dataclass
class Member:
    """Somebody in a room, and what is still to be sent to them."""

    name: str
    outbox: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(BACKLOG))
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def tell(self, **event: object) -> None:
        """Put an event into the outbox without waiting; let the client go when it is full."""
        try:
            self.outbox.put_nowait(json.dumps(event))
        except asyncio.QueueFull:
            for task in self.tasks:
                task.cancel()


class Chat(App):
    """The rooms that have somebody in them."""

    def __init__(self) -> None:
        """Begin without rooms."""
        super().__init__(http=page)
        self.rooms: dict[str, dict[str, Member]] = {}

    async def ws_chat(self, ws: WebSocket, room: str, *, name: str = "") -> None:
        """Serve one client until it leaves, vanishes, falls silent or is too slow."""
        await ws.accept()
        room = tidy(room) or "lobby"
        me = self.join(room, tidy(name) or "Guest")
        try:
            async with asyncio.TaskGroup() as tasks:
                me.tasks = [
                    tasks.create_task(self.listen(ws, room, me)),
                    tasks.create_task(self.deliver(ws, me)),
                ]
        except* (ConnectionClosed, TimeoutError):
            pass  # it left or vanished, or it fell silent
        finally:
            self.leave(room, me)
        await ws.close(1013, "Too slow or silent for too long")  # does nothing if it has left

    async def listen(self, ws: WebSocket, room: str, me: Member) -> None:
        """Pass on what the client says."""
        while True:
            async with asyncio.timeout(SILENCE):
                text = (await ws.receive_text()).strip()
            if len(text) > LONGEST_MESSAGE:
                me.tell(type="notice", text=f"Not sent: over {LONGEST_MESSAGE} characters.")
            elif text:
                self.tell_all(room, type="said", name=me.name, text=text)

    async def deliver(self, ws: WebSocket, me: Member) -> None:
        """Send what others put into the outbox; the only task that waits for this client."""
        while True:
            await ws.send_text(await me.outbox.get())

    def join(self, room: str, wanted: str) -> Member:
        """Let somebody in, numbered if the name is taken ("Ada 2"), and tell everybody."""
        members = self.rooms.setdefault(room, {})
        names = itertools.chain([wanted], (f"{wanted} {n}" for n in itertools.count(2)))
        me = Member(next(name for name in names if name not in members))
        members[me.name] = me
        me.tell(type="welcome", room=room, name=me.name)
        self.tell_all(room, type="joined", name=me.name, people=list(members))
        return me

    def leave(self, room: str, me: Member) -> None:
        """Forget somebody, and the room with the last one; tell those who stay."""
        members = self.rooms[room]
        del members[me.name]
        if members:
            self.tell_all(room, type="left", name=me.name, people=list(members))
        else:
            del self.rooms[room]

    def tell_all(self, room: str, **event: object) -> None:
        """Tell everybody in a room."""
        for member in self.rooms[room].values():
            member.tell(**event)


def tidy(name: str) -> str:
    """Make a name one short line of visible characters."""
    visible = "".join(character for character in " ".join(name.split()) if character.isprintable())
    return visible[:LONGEST_NAME].strip()


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the page, at `/` and at each room's path; its script reads the address."""
    nonce = secrets.token_urlsafe()
    if re.fullmatch("/|/chat/[^/]*", scope["path"]):
        status, kind, text = 200, "html", PAGE.replace("{nonce}", nonce)
    else:
        status, kind, text = 404, "plain", "Not found. Rooms are at /chat/NAME.\n"
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:;"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'"
    )
    headers = {
        "content-type": f"text/{kind}; charset=utf-8",
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    lines = [(key.encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": text.encode()})


app = Chat()
