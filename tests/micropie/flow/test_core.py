"""What holds for all of a function: loops, what is found at its calls and at its ends, in words.

What is to be found stands in comments, as conftest.py says; it is all that is found.
"""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from micropie.flow import Finding

Hold: TypeAlias = Callable[[str], list[Finding]]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.send_text("x")  # error: send-before-accept
            """,
            id="on all",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="on some",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
                await ws.close()
            await ws.send_text("x")  # error: send-before-accept
            """,
            id="on all, for other reasons",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
            else:
                await ws.accept("chat")
            await ws.send_text("x")
            """,
            id="on none",
        ),
        pytest.param(
            """\
            await work(ws)
            if work():
                await ws.accept()
                await ws.close()
            await ws.send_text("x")  # warning: send-after-close
            """,
            id="on all ways that are known",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
            except ValueError:
                pass
            await ws.send_text("x")
            """,
            id="on a way that is hardly to be expected",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            finally:
                await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="on a way that only a cancellation takes",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await work()
            except asyncio.CancelledError:
                await ws.accept()  # error: second-accept
            """,
            id="on a way that only a cancellation of other code takes",
        ),
    ],
)
def test_severities(handler: Hold, source: str) -> None:
    """An error is what fails on all ways to it, a warning what fails on some."""
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            conn = other = work()
            for _ in work():
                await other.send_text("x")  # warning: send-before-accept
                other = conn
                conn = ws
            await ws.accept()
            """,
            id="until nothing new comes of it",
        ),
        pytest.param(
            """\
            await ws.accept()
            while work():
                await ws.send_text("x")  # warning: send-after-close
                await ws.close()
            """,
            id="once and again",
        ),
        pytest.param(
            """\
            await ws.accept()
            for _ in work():
                await ws.send_text("x")  # warning: send-after-close
                if work():
                    await ws.close()
                    continue
                await ws.receive_text()
            """,
            id="continue comes back too",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                for _ in work():
                    async for _ in work():
                        while work():
                            await ws.send_text("x")
                            if work():
                                break
                        else:
                            continue
                        break
                if work():
                    break
            await ws.accept()  # error: second-accept
            """,
            id="loops in loops",
        ),
        pytest.param(
            """\
            for _ in work():
                await ws.accept()
                break
            else:
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="break goes past else",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                for _ in work():
                    pass
                else:
                    await ws.receive_text()
            except ConnectionClosed:
                await ws.accept()  # error: second-accept
            """,
            id="what an else raises",
        ),
        pytest.param(
            """\
            await ws.accept()
            while work():
                await ws.close()
                for _ in work():
                    await ws.receive_text()  # error: receive-after-close
            """,
            id="a loop that is come to twice with the same",
        ),
        pytest.param(
            """\
            await ws.accept()
            for _ in work():
                return
            await ws.accept()  # error: second-accept
            """,
            id="return in a loop",
        ),
        pytest.param(
            """\
            await ws.accept()
            while work():
                ws.send_text("x")  # warning: never-awaited
                await ws.close()
            """,
            id="what is told of each turn is told once",
        ),
    ],
)
def test_loops(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            while True:
                try:
                    print(await ws.receive_text())
                except ConnectionClosed:  # warning: swallowed-disconnect
                    work()
            """,
            id="a receive",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                try:
                    await ws.receive_text()
                    await ws.receive_bytes()
                except ConnectionClosed:  # warning: swallowed-disconnect
                    pass
            """,
            id="by either of two",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                while True:
                    try:
                        await ws.receive_text()
                    except ConnectionClosed:  # warning: swallowed-disconnect
                        break
                    except ValueError:
                        return
                if work():
                    return
            """,
            id="in a loop in it",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                try:
                    await ws.receive_text()
                except ConnectionClosed:
                    break
            for _ in work():
                try:
                    await ws.receive_text()  # error: use-after-disconnect
                except ConnectionClosed:
                    pass
            """,
            id="in a loop that ends, after an endless one",
        ),
        pytest.param(
            """\
            await ws.accept()
            for _ in work():
                while True:
                    try:
                        await ws.receive_text()  # warning: use-after-disconnect
                    except ConnectionClosed:
                        break
            """,
            id="in an endless loop in a loop that ends",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                for _ in work():
                    with suppress(ConnectionClosed):  # warning: swallowed-disconnect
                        await ws.receive_text()
            """,
            id="in a loop that ends, in it",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                if not await ws.receive_text():
                    break
            await ws.close()
            """,
            id="in a helper's loop, not here",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                if not ws.accepted:
                    break
                try:
                    await ws.receive_text()
                except ConnectionClosed:
                    await ws.close()
                    break
            """,
            id="the loop asks for accepted",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                with suppress(ConnectionClosed):
                    with suppress(RuntimeError):
                        await ws.send_text("x")  # warning: use-after-disconnect
                    await ws.receive_text()
                if work():
                    return
            """,
            id="a receive that only a wrong argument brings it to",
        ),
    ],
)
def test_swallowed(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            """,
            id="never",
        ),
        pytest.param(
            """\
            await ws.close(1008)
            """,
            id="close is an answer",
        ),
        pytest.param(
            """\
            raise ValueError
            """,
            id="an exception is one",
        ),
        pytest.param(
            """\
            if work():
                return  # warning: no-answer
            await ws.accept()
            """,
            id="on return",
        ),
        pytest.param(
            """\
            if work():
                return  # warning: no-answer
            elif work():
                return work()  # warning: no-answer
            await ws.accept()
            """,
            id="on either return",
        ),
        pytest.param(
            """\
            await work(ws)
            """,
            id="who knows",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
            except ConnectionClosed:
                return
            """,
            id="on the way of a caught exception",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
            except ValueError:
                return
            """,
            id="on a way that is hardly to be expected",
        ),
    ],
)
def test_unanswered(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):  # warning: no-answer
                    print("hello")
            """,
            id="nothing is done",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):  # warning: no-answer
                    if work():
                        await ws.accept()
            """,
            id="on one way",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    "Answer."
            """,
            id="abstract",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws): ...
            """,
            id="abstract too",
        ),
        pytest.param(
            """\
            async def it(ws: WebSocket):
                print("hello")

            class Application(App):
                async def it(self, ws):
                    print("hello")
            """,
            id="not in a handler",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    from micropie import ConnectionClosed as Gone
                    await ws.accept()
                    try:
                        await ws.receive_text()
                    except Gone:
                        await ws.send_text("x")  # error: use-after-disconnect
            """,
            id="by an exception that is imported there",
        ),
    ],
)
def test_ends(module: Hold, source: str) -> None:
    module(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            async def greet(conn):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await greet(ws)  # error: send-before-accept
            """,
            id="always",
        ),
        pytest.param(
            """\
            async def greet(conn):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    await greet(ws)
                    await ws.close()
                    await greet(ws)  # error: send-after-close
            """,
            id="at one of the calls",
        ),
        pytest.param(
            """\
            async def greet(conn):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    if work():
                        await ws.accept()
                    await greet(ws)  # warning: send-before-accept
                    await ws.accept()  # error: second-accept
            """,
            id="on one of the ways to it",
        ),
        pytest.param(
            """\
            async def greet(conn):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    if work():
                        await ws.accept()
                        await ws.close()
                    await greet(ws)  # error: send-before-accept
            """,
            id="on all of the ways to it",
        ),
        pytest.param(
            """\
            async def greet(conn):
                with suppress(RuntimeError):
                    await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await greet(ws)  # warning: send-before-accept
                    await ws.accept()
            """,
            id="and it comes back",
        ),
        pytest.param(
            """\
            async def stop(conn):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    try:
                        await ws.accept()
                        await ws.receive_text()
                    except ConnectionClosed:
                        return
                    finally:
                        print("over")
                    await stop(ws)
            """,
            id="on a way that is hardly to be expected",
        ),
        pytest.param(
            """\
            async def first(conn):
                await second(conn)

            async def second(conn):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await first(ws)  # error: send-before-accept
            """,
            id="in a helper of a helper",
        ),
    ],
)
def test_helpers(module: Hold, source: str) -> None:
    """What fails in a helper is found where it is called."""
    module(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            async def start(conn):
                ok = work()
                if ok:
                    await conn.accept()
                    return ok
                await conn.close()
                return None if work() else False

            class Application(App):
                async def ws_it(self, ws):
                    if not await start(ws):
                        await ws.accept()  # error: accept-after-close
            """,
            id="what is returned tells what was done",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.accept()
                    return 1
                await conn.close()
                return 0

            class Application(App):
                async def ws_it(self, ws):
                    if await start(ws):
                        await ws.send_text("x")
            """,
            id="constants",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.accept()
                    return True
                await conn.close()
                if work():
                    return

            class Application(App):
                async def ws_it(self, ws):
                    if await start(ws):
                        await ws.send_text("x")
            """,
            id="the end, and an empty return",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.accept()
                return conn.accepted

            class Application(App):
                async def ws_it(self, ws):
                    if await start(ws):
                        await ws.send_text("x")
                    else:
                        await ws.send_text("x")  # error: send-before-accept
            """,
            id="whether it is accepted",
        ),
    ],
)
def test_answers(module: Hold, source: str) -> None:
    module(source)


MESSAGES = [
    pytest.param(
        """\
        await ws.accept()  # origin
        await ws.accept()  # error: second-accept
        """,
        "accept() a second time: it raises RuntimeError; it was accepted in line {origin}",
        id="accepted",
    ),
    pytest.param(
        """\
        await ws.accept()
        await ws.close()  # origin
        await ws.send_text("x")  # error: send-after-close
        """,
        "send_text() after close(): it raises RuntimeError or ConnectionClosed; "
        "it was closed in line {origin}",
        id="closed",
    ),
    pytest.param(
        """\
        await ws.accept()
        try:
            await ws.receive_text()  # origin
        except ConnectionClosed:
            await ws.receive_bytes()  # error: use-after-disconnect
        """,
        "receive_bytes() after the client has disconnected: it raises ConnectionClosed; "
        "that was noticed in line {origin}",
        id="disconnected",
    ),
    pytest.param(
        """\
        await work(ws)
        if not ws.accepted:  # origin
            await ws.send_text("x")  # error: send-before-accept
        """,
        "send_text() before accept(): it raises RuntimeError or ConnectionClosed; "
        "that is so by the condition in line {origin}",
        id="condition",
    ),
    pytest.param(
        """\
        await work(ws)
        await ws.send_text("x")  # origin
        await ws.accept()  # error: second-accept
        """,
        "accept() a second time: it raises RuntimeError; it was accepted before line {origin}",
        id="message",
    ),
    pytest.param(
        """\
        await ws.close()  # origin
        if work():
            await ws.accept()  # error: accept-after-close
        """,
        "accept() after close(): it raises RuntimeError or ConnectionClosed; "
        "it was closed in line {origin}",
        id="rejected",
    ),
]


@pytest.mark.parametrize(("source", "message"), MESSAGES)
def test_messages(handler: Hold, source: str, message: str) -> None:
    """What is wrong, what it raises, and where that comes from: `# origin` marks the line."""
    (found,) = handler(source)
    # The lines before the handler's body.
    origin = 7 + [line.endswith("# origin") for line in source.splitlines()].index(True)
    assert (found.message, found.origin) == (message.format(origin=origin), origin)


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    await ws.send_text("x")  # error: send-before-accept
            """,
            [
                (
                    "send_text() before accept(): it raises RuntimeError; "
                    "nothing is accepted at the beginning, in line 6",
                    6,
                )
            ],
            id="from the beginning",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    if work():
                        await ws.accept()
                    await ws.send_text("x")  # warning: send-before-accept
            """,
            [
                (
                    "possibly send_text() before accept(): it raises RuntimeError; "
                    "nothing is accepted at the beginning, in line 6",
                    6,
                )
            ],
            id="possibly",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):  # warning: no-answer
                    if work():
                        return  # warning: no-answer
                    print(await work())
            """,
            [
                (
                    "the handler ends without accept() or close(): the client gets HTTP 403",
                    6,
                ),
                (
                    "the handler ends without accept() or close(): the client gets HTTP 403",
                    6,
                ),
            ],
            id="ends",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):  # warning: no-answer
                    if work():
                        await ws.accept()
            """,
            [
                (
                    "the handler can end without accept() or close(): the client gets HTTP 403",
                    6,
                )
            ],
            id="can end",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    ws.close()  # warning: never-awaited
            """,
            [("close() is never awaited: nothing happens; write await", None)],
            id="never awaited",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    while True:
                        try:
                            await ws.receive_text()
                        except ConnectionClosed:  # warning: swallowed-disconnect
                            pass
            """,
            [
                (
                    "ConnectionClosed is swallowed and the loop goes on: the receive in line 10 "
                    "raises it again at once, for ever; leave the loop, with break, return or "
                    "raise",
                    10,
                )
            ],
            id="swallowed",
        ),
        pytest.param(
            """\
            async def greet(conn):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await greet(ws)  # error: send-before-accept
            """,
            [
                (
                    "send_text() before accept(): it raises RuntimeError; nothing is accepted at "
                    "the beginning, in line 9 (in greet(), line 6)",
                    9,
                )
            ],
            id="in a helper",
        ),
        pytest.param(
            """\
            async def greet(conn):
                await conn.close()
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await greet(ws)  # error: send-after-close
            """,
            [
                (
                    "send_text() after close(): it raises RuntimeError or ConnectionClosed; "
                    "it was closed in line 6 (in greet(), line 7)",
                    6,
                )
            ],
            id="in a helper, by itself",
        ),
    ],
)
def test_messages_and_origins(
    module: Hold, source: str, messages: list[tuple[str, int | None]]
) -> None:
    assert [(one.message, one.origin) for one in module(source)] == messages


def test_places(handler: Hold) -> None:
    """A finding stands where the call begins, in characters."""
    (found,) = handler(
        "await asyncio.wait_for(ws.receive_text(), 1)  # error: receive-before-accept"
    )
    assert (found.line, found.column) == (7, 9 + len("await asyncio.wait_for("))


@pytest.mark.parametrize(("number", "mark"), [(3, "# error: second-accept"), (8, "")])
def test_many_ways_in_a_loop(handler: Hold, number: int, mark: str) -> None:
    """Where there are too many ways through a loop, nothing is said of what comes after."""
    names = [f"conn{one}" for one in range(number)]
    shifts = "".join(f"    conn{one} = conn{one - 1}\n" for one in reversed(range(1, number)))
    handler(
        f"await ws.accept()\n{' = '.join(names)} = None\nwhile True:\n{shifts}"
        f"    conn0 = None\n    if work():\n        conn0 = ws\n    if work():\n        break\n"
        f"await ws.accept()  {mark}\n"
    )
