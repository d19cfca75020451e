"""The chat example on the wire: real clients, real sockets, and Hypercorn between them."""

import asyncio
import http.client
import json
import socket
import urllib.parse
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

pytestmark = pytest.mark.usefixtures("chat")


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop_factory(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    """The example runs on each of them."""
    factory: Callable[[], asyncio.AbstractEventLoop] = request.param
    return factory


def visitor(address: str, path: str, name: str | None = None, **options: Any) -> connect:
    """A client of a room."""
    query = "" if name is None else "?" + urllib.parse.urlencode({"name": name})
    return connect(f"ws://{address}/chat/{path}{query}", proxy=None, **options)


async def event(client: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(30):
        message = await client.recv(decode=True)
    result: dict[str, Any] = json.loads(message)
    return result


async def enter(client: ClientConnection) -> tuple[str, list[str]]:
    """Read what a newcomer gets; the name it was given, and who is there."""
    welcome, joined = await event(client), await event(client)
    assert (welcome["type"], joined["type"]) == ("welcome", "joined")
    assert welcome["name"] == joined["name"]
    return welcome["name"], joined["people"]


async def test_two_clients_talk(address: str) -> None:
    async with visitor(address, "kitchen", "Ada") as ada:
        assert await enter(ada) == ("Ada", ["Ada"])
        async with visitor(address, "kitchen", "Grace") as grace:
            assert await enter(grace) == ("Grace", ["Ada", "Grace"])
            people = ["Ada", "Grace"]
            assert await event(ada) == {"type": "joined", "name": "Grace", "people": people}
            await grace.send("  Tea? \n")
            await ada.send(b"Gr\xc3\xbc\xc3\x9fe")
            said = [{"type": "said", "name": "Grace", "text": "Tea?"}]
            said += [{"type": "said", "name": "Ada", "text": "Grüße"}]
            for client in (ada, grace):
                heard = [await event(client), await event(client)]
                assert sorted(heard, key=str) == sorted(said, key=str)
        assert await event(ada) == {"type": "left", "name": "Grace", "people": ["Ada"]}


async def test_rooms_are_apart(address: str) -> None:
    async with (
        visitor(address, "kitchen", "Ada") as ada,
        visitor(address, "garden", "Ada") as other,
    ):
        assert await enter(ada) == ("Ada", ["Ada"])
        assert await enter(other) == ("Ada", ["Ada"])
        await ada.send("Only here")
        await other.send("Only there")
        assert (await event(ada))["text"] == "Only here"
        assert (await event(other))["text"] == "Only there"


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (None, "Guest"),
        ("", "Guest"),
        (" \t\n ", "Guest"),
        ("  Ada \n Lovelace ", "Ada Lovelace"),
        ("A\x00d\x1b[31ma\u202e", "Ad[31ma"),
        ("x" * 1000, "x" * 30),
        ("<b>Ada</b> & 'co'", "<b>Ada</b> & 'co'"),
        ("Zoë 李 🐈", "Zoë 李 🐈"),
    ],
)
async def test_names_are_made_presentable(address: str, wanted: str | None, given: str) -> None:
    async with visitor(address, "kitchen", wanted) as client:
        assert await enter(client) == (given, [given])


async def test_a_name_that_is_taken_is_numbered(address: str) -> None:
    async with (
        visitor(address, "kitchen", "Ada") as first,
        visitor(address, "kitchen", "Ada 2") as odd,
    ):
        assert await enter(first) == ("Ada", ["Ada"])
        await enter(odd)
        async with visitor(address, "kitchen", "Ada") as third:
            assert await enter(third) == ("Ada 3", ["Ada", "Ada 2", "Ada 3"])
        seen = [await event(first) for _ in range(3)]
        assert [(e["type"], e["name"]) for e in seen] == [
            ("joined", "Ada 2"),
            ("joined", "Ada 3"),
            ("left", "Ada 3"),
        ]
        async with visitor(address, "kitchen", "Ada") as fourth:
            assert (await enter(fourth))[0] == "Ada 3"


@pytest.mark.parametrize(
    ("path", "room"),
    [("Caf%C3%A9%20%20bar", "Café bar"), ("%20", "lobby"), ("x" * 99, "x" * 30)],
)
async def test_room_names_are_made_presentable(address: str, path: str, room: str) -> None:
    async with visitor(address, path, "Ada") as client:
        assert (await event(client))["room"] == room


async def test_empty_and_overlong_messages(address: str) -> None:
    longest = "ä" * 2000
    async with (
        visitor(address, "kitchen", "Ada") as ada,
        visitor(address, "kitchen", "Grace") as grace,
    ):
        await enter(ada)
        await enter(grace)
        assert (await event(ada))["type"] == "joined"
        for message in ("", " \n ", longest + "!", longest):
            await ada.send(message)
        notice = {"type": "notice", "text": "Not sent: over 2000 characters."}
        assert await event(ada) == notice
        for client in (ada, grace):
            assert await event(client) == {"type": "said", "name": "Ada", "text": longest}


async def test_a_client_that_vanishes_has_left(address: str, chat: ModuleType) -> None:
    async with (
        visitor(address, "kitchen", "Ada") as ada,
        visitor(address, "kitchen", "Grace") as grace,
    ):
        await enter(ada)
        await enter(grace)
        assert (await event(ada))["type"] == "joined"
        grace.transport.abort()
        assert await event(ada) == {"type": "left", "name": "Grace", "people": ["Ada"]}
        assert list(chat.app.rooms["kitchen"]) == ["Ada"]


async def test_a_silent_client_is_let_go(
    address: str, chat: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with visitor(address, "kitchen", "Ada") as ada:
        await enter(ada)
        monkeypatch.setattr(chat, "SILENCE", 0.01)
        async with visitor(address, "kitchen", "Grace") as grace:
            await enter(grace)
            await asyncio.wait_for(grace.wait_closed(), 30)
            assert grace.close_code == 1013
            assert grace.close_reason == "Too slow or silent for too long"
        assert [(await event(ada))["type"] for _ in range(2)] == ["joined", "left"]


async def test_a_client_that_does_not_read_holds_nobody_up(address: str) -> None:
    small = socket.socket()  # so that little has to be sent until it is full
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, _, port = address.partition(":")
    small.connect((host, int(port)))
    deaf = visitor(address, "kitchen", "Deaf", sock=small, max_queue=1, compression=None)
    async with visitor(address, "kitchen", "Ada") as ada, deaf as client:
        await enter(ada)
        assert (await event(ada))["type"] == "joined"
        heard: dict[str, Any] = {}
        for number in range(20_000):  # about two thousand will do
            text = f"{number} ".ljust(2000, "x")
            await ada.send(text)
            heard = await event(ada)
            if heard["type"] == "left":
                break
            assert heard == {"type": "said", "name": "Ada", "text": text}
        assert heard == {"type": "left", "name": "Deaf", "people": ["Ada"]}
        client.transport.abort()


@pytest.mark.parametrize("path", ["", "x", "chat/a/b", "rooms"])
async def test_a_socket_elsewhere_is_refused(address: str, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://{address}/{path}", proxy=None)
    assert refused.value.response.status_code == 403


def get(address: str, path: str) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/chat/kitchen", "/chat/", "/chat/caf%C3%A9?name=Ada"])
async def test_the_page_is_served_where_the_socket_is(address: str, path: str) -> None:
    status, headers, text = await asyncio.to_thread(get, address, path)
    _, others, _ = await asyncio.to_thread(get, address, path)
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'nonce-")
    assert headers["content-security-policy"] != others["content-security-policy"]
    assert text.startswith("<!doctype html>")
    assert "{nonce}" not in text


@pytest.mark.parametrize("path", ["/favicon.ico", "/chat", "/chat/a/b", "/chat/../etc"])
async def test_elsewhere_there_is_no_page(address: str, path: str) -> None:
    status, headers, text = await asyncio.to_thread(get, address, path)
    assert (status, headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert text == "Not found. Rooms are at /chat/NAME.\n"
