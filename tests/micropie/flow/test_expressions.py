"""Expressions: what their evaluation does with the connection.

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
            await ws.send_text(await ws.receive_text())  # error: receive-before-accept
            """,
            id="in an argument",
        ),
        pytest.param(
            """\
            print(await ws.receive_text())  # error: receive-before-accept
            await ws.accept()
            """,
            id="in the argument of something else",
        ),
        pytest.param(
            """\
            (await ws.receive_text()).split()  # error: receive-before-accept
            await ws.accept()
            """,
            id="in what is called",
        ),
        pytest.param(
            """\
            await ws.accept(subprotocol=await ws.receive_text())  # error: receive-before-accept
            """,
            id="in a keyword",
        ),
        pytest.param(
            """\
            text = "a" + await ws.receive_text()  # error: receive-before-accept
            await ws.accept()
            """,
            id="in an operation",
        ),
        pytest.param(
            """\
            text = work[await ws.receive_text()]  # error: receive-before-accept
            await ws.accept()
            """,
            id="in an index",
        ),
        pytest.param(
            """\
            text = [{"a": await ws.receive_text()}]  # error: receive-before-accept
            await ws.accept()
            """,
            id="in a container",
        ),
        pytest.param(
            """\
            text = f"{work()} {await ws.receive_text()!r:>{ws}}"  # error: receive-before-accept
            await ws.accept()
            """,
            id="in an f-string",
        ),
        pytest.param(
            """\
            text = (await ws.receive_text()).upper  # error: receive-before-accept
            await ws.accept()
            """,
            id="in an attribute",
        ),
        pytest.param(
            """\
            if 1 < len(await ws.receive_text()) < 2:  # error: receive-before-accept
                work()
            await ws.accept()
            """,
            id="in a comparison",
        ),
        pytest.param(
            """\
            send = lambda text=await ws.receive_text(): text  # error: receive-before-accept
            await ws.accept()
            """,
            id="in a lambda's default",
        ),
        pytest.param(
            """\
            await work(await ws.receive_text())  # error: receive-before-accept
            await ws.accept()
            """,
            id="in an await",
        ),
        pytest.param(
            """\
            holder[await ws.receive_text()] = 1  # error: receive-before-accept
            await ws.accept()
            """,
            id="in a target",
        ),
        pytest.param(
            """\
            yield await ws.receive_text()  # error: receive-before-accept
            await ws.accept()
            """,
            id="in a yield",
        ),
        pytest.param(
            """\
            work(*(await ws.receive_text()))  # error: receive-before-accept
            await ws.accept()
            """,
            id="in an argument that is unpacked",
        ),
        pytest.param(
            """\
            pair = await ws.accept(), await ws.send_text("x")
            await ws.accept()  # error: second-accept
            """,
            id="from the left to the right",
        ),
        pytest.param(
            """\
            await work().accept()
            await other.accept()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="of something else",
        ),
        pytest.param(
            """\
            await (ws.accept() if work() else ws.close())
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="of what is chosen",
        ),
        pytest.param(
            """\
            await ws.accept()
            await (ws.send_text("x") if work() else ws.send_text("y"))
            await ws.close()
            """,
            id="of what is chosen, an end",
        ),
        pytest.param(
            """\
            await ws.unknown()
            await ws.send_text("x")
            """,
            id="of an attribute of the connection",
        ),
    ],
)
def test_awaits(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept() if work() else await ws.close()
            await ws.send_text("x")  # warning: send-after-close
            """,
            id="if else",
        ),
        pytest.param(
            """\
            text = await ws.receive_text() if ws.accepted else ""
            await ws.accept()
            """,
            id="if accepted",
        ),
        pytest.param(
            """\
            await ws.accept() if not ws.accepted else None
            await ws.accept()  # error: second-accept
            """,
            id="if not accepted",
        ),
        pytest.param(
            """\
            work() and await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="and",
        ),
        pytest.param(
            """\
            work() or await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="or",
        ),
        pytest.param(
            """\
            ws.accepted and await ws.send_text("x")
            ws.accepted or await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="accepted and",
        ),
        pytest.param(
            """\
            True and await ws.accept()
            False and await ws.accept()
            await ws.send_text("x")
            """,
            id="a constant",
        ),
        pytest.param(
            """\
            conn = ws if work() else None
            if conn:
                await conn.accept()
            await work()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="the connection, or something else",
        ),
        pytest.param(
            """\
            if (conn := ws) is not None and conn is not None:
                await conn.accept()
            """,
            id="whether there is one, by a name of its own",
        ),
        pytest.param(
            """\
            if ws is None:
                return
            if not ws:
                await ws.accept()
            if ws:
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="there always is one",
        ),
        pytest.param(
            """\
            conn = None
            if work():
                conn = ws
            if conn is None:
                return await ws.close()
            await conn.accept()
            await ws.accept()  # error: second-accept
            """,
            id="whether there is one on one way",
        ),
        pytest.param(
            """\
            if ws and ws is not None and ws != work():
                await ws.accept()
            await ws.accept()  # warning: second-accept
            """,
            id="whether there is one",
        ),
        pytest.param(
            """\
            work(ws.accepted)
            if work(ws.accepted):
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="in an argument",
        ),
        pytest.param(
            """\
            accepted = ws.accepted
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="accepted, kept",
        ),
        pytest.param(
            """\
            texts = [await ws.receive_text() if ws.accepted is True else ""]
            if ws.accepted != False:
                await ws.send_text("x")
            await ws.accept()
            if ws.accepted is False:
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="compared",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
            accepted = ws.accepted
            refused = not accepted or not ws.accepted
            if not accepted:
                await ws.send_text("x")  # error: send-before-accept
            elif refused:
                await ws.accept()
            else:
                await ws.accept()  # error: second-accept
            """,
            id="accepted, kept and asked for",
        ),
    ],
)
def test_choices(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            (conn := ws)
            await conn.accept()
            await ws.accept()  # error: second-accept
            """,
            id="an alias",
        ),
        pytest.param(
            """\
            if (conn := ws).accepted:
                await ws.send_text("x")
            await conn.accept()
            await conn.accept()  # error: second-accept
            """,
            id="an alias in a condition",
        ),
        pytest.param(
            """\
            if text := await ws.receive_text():  # error: receive-before-accept
                await ws.accept()
            """,
            id="what is received",
        ),
        pytest.param(
            """\
            if token := work():
                await ws.accept()
            if not token:
                return await ws.close()
            await ws.send_text(token)
            """,
            id="asked for again",
        ),
        pytest.param(
            """\
            if (token := work()) is None:
                return await ws.close()
            await ws.accept()
            if token is None:
                await ws.accept()
            """,
            id="asked for again, by other names",
        ),
        pytest.param(
            """\
            if accepted := ws.accepted:
                await ws.send_text("x")
            await ws.accept()
            """,
            id="accepted",
        ),
        pytest.param(
            """\
            await ws.accept()
            if ws := work():
                await ws.accept()
            """,
            id="the name is lost",
        ),
        pytest.param(
            """\
            await ws.accept()
            if ws := work(ws):
                await ws.accept()
            """,
            id="the name is lost to what has it",
        ),
        pytest.param(
            """\
            (coroutine := ws.accept())
            await coroutine
            await ws.accept()  # error: second-accept
            """,
            id="a coroutine",
        ),
    ],
)
def test_walruses(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            texts = [await ws.receive_text() for _ in work()]  # error: receive-before-accept
            await ws.accept()
            """,
            id="a list",
        ),
        pytest.param(
            """\
            [await ws.accept() for _ in work()]  # warning: second-accept
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="a list, none or more",
        ),
        pytest.param(
            """\
            [await ws.send_text("x") for _ in range(2)]  # error: send-before-accept
            await ws.accept()
            """,
            id="so often",
        ),
        pytest.param(
            """\
            [await ws.accept() for _ in (1,)]
            await ws.accept()  # error: second-accept
            """,
            id="so often, and no more",
        ),
        pytest.param(
            """\
            {await ws.receive_text() for _ in work()}  # error: receive-before-accept
            await ws.accept()
            """,
            id="a set",
        ),
        pytest.param(
            """\
            {_: await ws.receive_text() for _ in work()}  # error: receive-before-accept
            await ws.accept()
            """,
            id="a dictionary",
        ),
        pytest.param(
            """\
            {await ws.receive_text(): 1 for _ in work()}  # error: receive-before-accept
            await ws.accept()
            """,
            id="a dictionary's key",
        ),
        pytest.param(
            """\
            [word for word in await ws.receive_text()]  # error: receive-before-accept
            await ws.accept()
            """,
            id="what is iterated over",
        ),
        pytest.param(
            """\
            [await ws.accept() for _ in work() for _ in work()]  # warning: second-accept
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="more than one",
        ),
        pytest.param(
            """\
            [await ws.send_text("x") for _ in work() if ws.accepted]
            await ws.accept()
            """,
            id="a condition",
        ),
        pytest.param(
            """\
            [await ws.send_text("x") for _ in work() if (ok := ws.accepted)]
            await ws.accept()
            """,
            id="a condition with a name",
        ),
        pytest.param(
            """\
            [1 for _ in work() if work() if await ws.receive_text()]  # error: receive-before-accept
            await ws.accept()
            """,
            id="conditions",
        ),
        pytest.param(
            """\
            [await ws.send_text(x) async for x in work()]  # error: send-before-accept
            await ws.accept()
            """,
            id="async",
        ),
        pytest.param(
            """\
            await ws.accept()
            texts = [await ws.receive_text() for _ in range(3)]
            [await ws.send_text(text) for text in texts]
            await ws.accept()  # error: second-accept
            """,
            id="as it should be",
        ),
        pytest.param(
            """\
            [await ws.accept() for ws in work()]
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="its target has the name",
        ),
        pytest.param(
            """\
            [await ws.receive_text() for ws in work()]
            await ws.accept()
            """,
            id="its target has the name, and is used otherwise",
        ),
        pytest.param(
            """\
            later = (await ws.accept() for _ in work())
            await work(later)
            await ws.send_text("x")
            """,
            id="a generator, which others run",
        ),
        pytest.param(
            """\
            later = (text for text in work())
            await work(later)
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="a generator without it",
        ),
        pytest.param(
            """\
            await ws.accept()
            [await ws.receive_text() for a0 in range(3) for a1 in range(3) for a2 in range(3)
             for b0 in range(3) for b1 in range(3) for b2 in range(3) for b3 in range(3)
             for c0 in range(3) for c1 in range(3) for c2 in range(3) for c3 in range(3)
             for d0 in range(3) for d1 in range(3) for d2 in range(3) for d3 in range(3)]
            await ws.accept()  # error: second-accept
            """,
            id="many in one another",
        ),
    ],
)
def test_comprehensions(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            print(ws, ws.accepted, f"{ws} {ws.session_id}", id(ws), end=str(ws))
            if isinstance(ws, WebSocket) and ws in clients and ws == other:
                work()
            await work()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="of the connection",
        ),
        pytest.param(
            """\
            print(
                await ws.receive_text(),  # error: receive-before-accept
                end=await ws.receive_text(),
            )
            await ws.accept()
            """,
            id="its arguments are looked at",
        ),
    ],
)
def test_harmless(handler: Hold, source: str) -> None:
    """A use that changes nothing of what is known."""
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            work(ws)
            await work()
            await ws.send_text("x")
            """,
            id="an argument",
        ),
        pytest.param(
            """\
            work(ws)
            await ws.send_text("x")  # error: send-before-accept
            """,
            id="an argument, and nobody has run",
        ),
        pytest.param(
            """\
            await work(ws)
            await ws.send_text("x")
            """,
            id="an argument of what is awaited",
        ),
        pytest.param(
            """\
            await work(connection=ws)
            await ws.send_text("x")
            """,
            id="a keyword",
        ),
        pytest.param(
            """\
            await work([ws], **{"ws": ws})
            await ws.send_text("x")
            """,
            id="in a container",
        ),
        pytest.param(
            """\
            await ws.accept()
            await work(ws)
            await ws.accept()  # error: second-accept
            """,
            id="it stays accepted at the least",
        ),
        pytest.param(
            """\
            await work(ws.receive)
            await ws.send_text("x")
            """,
            id="an attribute",
        ),
        pytest.param(
            """\
            start = ws.accept
            await start()
            await ws.send_text("x")
            """,
            id="a method that is bound",
        ),
        pytest.param(
            """\
            start = ws.receive_text
            await work(start)
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="a method that is bound can do no more than it does",
        ),
        pytest.param(
            """\
            await ws.accept()
            other = ws
            other = work()
            await work(other.close)
            await ws.send_text("x")
            """,
            id="a method bound to something else",
        ),
        pytest.param(
            """\
            import functools
            start = functools.partial(ws.accept, "chat")
            await start()
            await ws.send_text("x")
            """,
            id="functools.partial",
        ),
        pytest.param(
            """\
            register(lambda: ws.accept())
            await work()
            await ws.send_text("x")
            """,
            id="a lambda",
        ),
        pytest.param(
            """\
            register(lambda: ws.receive_text())
            await work()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="a lambda can do no more than it does",
        ),
        pytest.param(
            """\
            register(lambda ws: ws.accept())
            await work()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="a lambda with a name of its own",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            register(lambda: coroutine)
            await work()
            await ws.send_text("x")
            """,
            id="a lambda with a coroutine",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            await work(coroutine)
            await ws.send_text("x")
            """,
            id="a coroutine",
        ),
        pytest.param(
            """\
            register(lambda ws=ws, *, text="x": ws.accept())
            await work()
            await ws.send_text("x")
            """,
            id="a lambda with it as a default",
        ),
        pytest.param(
            """\
            async def start():
                await ws.accept()
            register(start)
            await work()
            await ws.send_text("x")
            """,
            id="a nested function",
        ),
        pytest.param(
            """\
            yield ws
            await ws.send_text("x")
            """,
            id="yield",
        ),
        pytest.param(
            """\
            yield
            yield 1
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="yield of something else",
        ),
        pytest.param(
            """\
            def texts():
                yield from ws
            yield texts()
            await ws.send_text("x")
            """,
            id="yield from",
        ),
    ],
)
def test_escapes(handler: Hold, source: str) -> None:
    """It may be anything from there, once others have run."""
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            ws, (a, [*b]) = work()
            await ws.accept()
            """,
            id="the name is lost",
        ),
        pytest.param(
            """\
            await ws.accept()
            [a, *ws] = await ws.receive_text()
            await ws.accept()
            """,
            id="the name is lost in a list",
        ),
        pytest.param(
            """\
            holder.a, holder[await ws.receive_text()] = work()  # error: receive-before-accept
            await ws.accept()
            """,
            id="what is assigned to",
        ),
        pytest.param(
            """\
            a, b = holder[ws.accepted] = work()
            await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="more than one target",
        ),
    ],
)
def test_targets(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            _ = ws.send_text("x")  # warning: never-awaited
            """,
            id="never looked at",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            await ws.send_text("x")  # error: send-before-accept
            await coroutine
            """,
            id="awaited later",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            await coroutine
            await ws.accept()  # error: second-accept
            """,
            id="awaited in time",
        ),
        pytest.param(
            """\
            await ws.accept()
            coroutine = ws.accept("chat")
            await coroutine  # error: second-accept
            """,
            id="fails where it is awaited",
        ),
        pytest.param(
            """\
            coroutine = ws.send_text(await ws.receive_text())  # error: receive-before-accept
            await coroutine
            """,
            id="its arguments are looked at",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            await coroutine
            await coroutine
            await ws.send_text("x")
            """,
            id="awaited twice",
        ),
        pytest.param(
            """\
            one = two = ws.accept()
            three = one
            await three
            await ws.send_text("x")
            """,
            id="under another name",
        ),
        pytest.param(
            """\
            if work():
                coroutine = ws.accept()
            else:
                coroutine = work()
            await coroutine
            await ws.accept()  # warning: second-accept
            """,
            id="on one way",
        ),
        pytest.param(
            """\
            if work():
                coroutine = ws.accept()
            else:
                coroutine = ws.close()
            await coroutine
            await ws.accept()  # error: second-accept
            """,
            id="of one or the other",
        ),
        pytest.param(
            """\
            await ws.accept()
            other = ws
            if work():
                other = work()
            coroutine = other.send_text("x")
            await coroutine
            await ws.accept()  # error: second-accept
            """,
            id="something else has the name",
        ),
        pytest.param(
            """\
            holder.coroutine = ws.accept()
            await work()
            await ws.send_text("x")
            """,
            id="stored",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            coroutine = work()
            await coroutine
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="the name means something else now",
        ),
    ],
)
def test_held(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await asyncio.wait_for(ws.accept(), 1)
            await ws.accept()  # error: second-accept
            """,
            id="as await",
        ),
        pytest.param(
            """\
            await asyncio.wait_for(ws.receive_text(), timeout=1)  # error: receive-before-accept
            """,
            id="fails",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                text = await asyncio.wait_for(ws.receive_text(), 1)
            except TimeoutError:
                await ws.accept()  # error: second-accept
            await ws.send_text("x")
            """,
            id="its time is up",
        ),
        pytest.param(
            """\
            try:
                await asyncio.wait_for(ws.accept(), 1)
            except asyncio.TimeoutError:
                await ws.send_text("x")  # warning: send-before-accept
            """,
            id="its time is up before accept, or after",
        ),
        pytest.param(
            """\
            await asyncio.wait_for(
                ws.accept(),
                await ws.receive_text(),  # error: receive-before-accept
            )
            """,
            id="its timeout is looked at",
        ),
        pytest.param(
            """\
            from asyncio import wait_for
            await ws.accept()
            await wait_for(ws.accept(), 1)  # error: second-accept
            """,
            id="by its own name",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            await asyncio.wait_for(coroutine, 1)
            await ws.accept()  # error: second-accept
            """,
            id="a coroutine",
        ),
        pytest.param(
            """\
            await asyncio.wait_for(work(), 1)
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="of something else",
        ),
        pytest.param(
            """\
            await asyncio.wait_for(work(ws), 1)
            await ws.send_text("x")
            """,
            id="of something else that has it",
        ),
        pytest.param(
            """\
            await asyncio.shield(ws.accept())
            await asyncio.shield(ws.accept())  # error: second-accept
            """,
            id="shield",
        ),
        pytest.param(
            """\
            await ws.accept()
            reader = asyncio.create_task(ws.receive_text())
            done, pending = await asyncio.wait([reader, work()])
            await ws.send_text("x")
            """,
            id="asyncio.wait",
        ),
        pytest.param(
            """\
            try:
                await asyncio.wait_for(asyncio.shield(ws.accept()), 1)
            except TimeoutError:
                if not ws.accepted:
                    await asyncio.sleep(1)
                    await ws.send_text("x")
            """,
            id="a shield that goes on",
        ),
    ],
)
def test_wait_for(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            await asyncio.gather(ws.receive_text(), ws.send_text("x"))
            await ws.accept()  # error: second-accept
            """,
            id="in any order",
        ),
        pytest.param(
            """\
            await asyncio.gather(
                ws.receive_text(),  # error: receive-before-accept
                ws.send_text("x"),  # error: send-before-accept
            )
            """,
            id="before accept",
        ),
        pytest.param(
            """\
            await asyncio.gather(ws.accept(), ws.send_text("x"))
            await ws.accept()  # error: second-accept
            """,
            id="perhaps after accept",
        ),
        pytest.param(
            """\
            await asyncio.gather(ws.accept(), work())
            await ws.send_text("x")
            """,
            id="with something else",
        ),
        pytest.param(
            """\
            await asyncio.gather(work(ws), ws.send_text("x"))
            await ws.send_text("x")
            """,
            id="with something else that has it",
        ),
        pytest.param(
            """\
            await asyncio.gather(work(), work())
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="without it",
        ),
        pytest.param(
            """\
            await ws.accept()
            await asyncio.gather(ws.receive_text(), ws.close())
            await ws.send_text("x")  # error: send-after-close
            """,
            id="closes too",
        ),
        pytest.param(
            """\
            await asyncio.gather(ws.accept())
            await ws.accept()  # error: second-accept
            """,
            id="one",
        ),
        pytest.param(
            """\
            await ws.accept()
            await asyncio.gather(*[ws.send_text("x") for _ in range(3)])
            await ws.send_text("x")
            """,
            id="one, unpacked",
        ),
        pytest.param(
            """\
            await asyncio.gather(
                ws.send_text(await ws.receive_text()),  # error: receive-before-accept
                work(),
            )
            """,
            id="arguments are looked at",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await asyncio.gather(ws.receive_text(), work())
            except ConnectionClosed:
                await ws.accept()  # error: second-accept
            await ws.send_text("x")
            """,
            id="what is raised",
        ),
        pytest.param(
            """\
            await ws.accept()
            await asyncio.gather(ws.receive_text(), return_exceptions=True)
            await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="exceptions are results",
        ),
        pytest.param(
            """\
            await ws.accept()
            await asyncio.gather(ws.receive_text(), work(), return_exceptions=True)
            await ws.accept()  # error: second-accept
            """,
            id="exceptions of more are results",
        ),
        pytest.param(
            """\
            await ws.accept()
            await asyncio.gather(ws.receive_text(), return_exceptions=work())
            await ws.send_text("x")
            """,
            id="exceptions are results, perhaps",
        ),
        pytest.param(
            """\
            await ws.accept()
            await asyncio.gather(ws.receive_text(), return_exceptions=False)
            await ws.send_text("x")
            """,
            id="exceptions are no results",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            await asyncio.gather(coroutine, work())
            await ws.send_text("x")
            """,
            id="a coroutine",
        ),
        pytest.param(
            """\
            other = work()
            if work():
                other = ws
            await asyncio.gather(other.accept(), work())
            await ws.accept()  # warning: second-accept
            """,
            id="of something else with its name on one way",
        ),
        pytest.param(
            """\
            await ws.accept()
            async def reader():
                while True:
                    await ws.receive_text()
            async def writer():
                while True:
                    await ws.send_text("x")
            await asyncio.gather(reader(), writer())
            """,
            id="nested functions",
        ),
        pytest.param(
            """\
            async def reader():
                await ws.receive_text()
            await asyncio.gather(reader(), ws.send_text("x"))  # error: send-before-accept
            """,
            id="nested functions before accept",
        ),
        pytest.param(
            """\
            async def start(): await ws.accept()
            async def other(): await work()
            await asyncio.gather(start(), other())
            await ws.send_text("x")
            """,
            id="functions within",
        ),
    ],
)
def test_gather(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            task = asyncio.create_task(ws.accept())
            await work()
            await ws.send_text("x")
            await task
            """,
            id="a task accepts",
        ),
        pytest.param(
            """\
            asyncio.create_task(ws.send_text("x"))  # error: send-before-accept
            raise ValueError
            """,
            id="before anything accepts",
        ),
        pytest.param(
            """\
            asyncio.create_task(ws.send_text("x"))
            await ws.accept()
            """,
            id="before this function accepts",
        ),
        pytest.param(
            """\
            await ws.accept()
            async with asyncio.TaskGroup() as group:
                group.create_task(ws.accept())  # error: second-accept
                group.create_task(ws.send_text(await ws.receive_text()))
            """,
            id="by a group",
        ),
        pytest.param(
            """\
            await ws.accept()
            asyncio.ensure_future(ws.accept())  # error: second-accept
            """,
            id="ensure_future",
        ),
        pytest.param(
            """\
            nursery.start_soon()
            nursery.start_soon(ws.accept)
            await work()
            await ws.send_text("x")
            """,
            id="start_soon with no call",
        ),
        pytest.param(
            """\
            asyncio.create_task(work())
            await work()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="of something else",
        ),
        pytest.param(
            """\
            other = work()
            if work():
                other = ws
            asyncio.create_task(other.accept())
            await work()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="of something else with its name on one way",
        ),
    ],
)
def test_tasks(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            async def start(conn):
                if not work():
                    await conn.close(1008)
                    return False
                await conn.accept()
                return True

            class Application(App):
                async def ws_it(self, ws):
                    if not await start(ws):
                        return
                    await ws.send_text("x")
            """,
            id="it says whether it has accepted",
        ),
        pytest.param(
            """\
            async def start(conn):
                if not work():
                    await conn.close(1008)
                    return False
                await conn.accept()
                return True

            class Application(App):
                async def ws_it(self, ws):
                    if await start(ws):
                        return
                    await ws.send_text("x")  # error: send-after-close
            """,
            id="it says it, and is misunderstood",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.accept()
                    return "user"
                await conn.close(1008)

            class Application(App):
                async def ws_it(self, ws):
                    user = await start(ws)
                    if user is None:
                        return
                    await ws.send_text(user)
            """,
            id="its answer is kept",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.accept()
                    return "user"
                await conn.close(1008)
                return ""

            class Application(App):
                async def ws_it(self, ws):
                    if user := await start(ws):
                        await ws.send_text(user)
            """,
            id="its answer is kept by a walrus",
        ),
        pytest.param(
            """\
            async def start(conn):
                ok = False
                if work():
                    await conn.accept()
                    ok = True
                else:
                    await conn.close()
                if not ok:
                    print("rejected")
                return ok

            class Application(App):
                async def ws_it(self, ws):
                    if await start(ws):
                        await ws.send_text("x")
            """,
            id="its answer is a flag",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.accept()
                else:
                    await conn.close()
                return work()

            class Application(App):
                async def ws_it(self, ws):
                    if await start(ws):
                        await ws.send_text("x")  # warning: send-after-close
            """,
            id="its answer is not known",
        ),
        pytest.param(
            """\
            async def receive(conn):
                try:
                    return await conn.receive_text()
                except ConnectionClosed:
                    return None

            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    while (text := await receive(ws)) is not None:
                        await ws.send_text(text)
                    await ws.close()
                    await ws.send_text("x")  # error: use-after-disconnect
            """,
            id="it may swallow, and say so",
        ),
        pytest.param(
            """\
            async def receives(conn):
                with suppress(ConnectionClosed):
                    print(await conn.receive_text())
                    return 1

            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    if await receives(ws) is None:
                        await ws.send_text("x")  # warning: use-after-disconnect
                    else:
                        await ws.send_text("x")
            """,
            id="it may swallow, and say so at once",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.accept()
                    return True
                await conn.close()
                return False

            class Application(App):
                async def ws_it(self, ws):
                    print(await start(ws))
                    if work():
                        await ws.send_text("x")  # warning: send-after-close
            """,
            id="it is not asked",
        ),
        pytest.param(
            """\
            def is_new(conn):
                return not conn.accepted

            class Application(App):
                async def ws_it(self, ws):
                    if is_new(ws):
                        await ws.accept()
                    await ws.send_text("x")
            """,
            id="a function that is no coroutine",
        ),
    ],
)
def test_answers(module: Hold, source: str) -> None:
    """What a helper returns tells what it has done."""
    module(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            async def start(conn):
                await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await start(ws)
                    await ws.send_text("x")
                    await ws.accept()  # error: second-accept
            """,
            id="accept in a helper",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await start(ws)
                    await ws.send_text("x")  # warning: send-before-accept
            """,
            id="accept in a helper, on one way",
        ),
        pytest.param(
            """\
            async def start(conn):
                if work():
                    await conn.close()
                    raise ValueError
                await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    try:
                        await start(ws)
                    except ValueError:
                        await ws.send_text("x")  # error: send-before-accept
                    await ws.send_text("x")
            """,
            id="what a helper raises",
        ),
        pytest.param(
            """\
            async def start(other, *, conn):
                await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await start(1, conn=ws)
                    await ws.accept()  # error: second-accept
            """,
            id="by keyword",
        ),
        pytest.param(
            """\
            async def start(*connections):
                await connections[0].accept()

            class Application(App):
                async def ws_it(self, ws):
                    await start(ws)
                    await ws.send_text("x")
            """,
            id="who knows which argument",
        ),
        pytest.param(
            """\
            async def start(other, conn):
                await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await start(*work(), ws)
                    await ws.send_text("x")
            """,
            id="unpacked arguments",
        ),
        pytest.param(
            """\
            async def first(conn):
                await second(conn)

            async def second(conn):
                await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await first(ws)
                    await ws.accept()  # error: second-accept
            """,
            id="in a helper of a helper",
        ),
        pytest.param(
            """\
            class Application(App):
                async def start(self, conn):
                    await conn.accept()

                @staticmethod
                async def stop(conn):
                    await conn.close()

                async def ws_it(self, ws):
                    await self.start(ws)
                    await self.stop(ws)
                    await ws.accept()  # error: accept-after-close
            """,
            id="a method",
        ),
        pytest.param(
            """\
            class Starter:
                @staticmethod
                async def start(conn):
                    await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await Starter.start(ws)
                    await ws.accept()  # error: second-accept
            """,
            id="a method of a class",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def start(subprotocol):
                        await ws.accept(subprotocol)

                    await start("chat")
                    await ws.accept()  # error: second-accept
            """,
            id="a nested function",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def start(conn):
                        await conn.accept()
                        print(ws)

                    await start(ws)
                    await ws.accept()  # error: second-accept
            """,
            id="a nested function that is given it",
        ),
        pytest.param(
            """\
            async def start(conn):
                await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    starting = start(ws)
                    await starting
                    await ws.send_text("x")
            """,
            id="a function that is called and awaited later",
        ),
        pytest.param(
            """\
            async def start(conn):
                await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    task = asyncio.create_task(start(ws))
                    await task
                    await ws.send_text("x")
            """,
            id="a function in a task",
        ),
        pytest.param(
            """\
            async def read(conn):
                await conn.receive_text()

            class Application(App):
                async def ws_it(self, ws):
                    await asyncio.create_task(read(ws))
                    await ws.send_text("x")  # error: send-before-accept
            """,
            id="a function in a task that does no more than it does",
        ),
        pytest.param(
            """\
            def note(conn):
                print(conn)

            class Application(App):
                async def ws_it(self, ws):
                    note(ws)
                    await work()
                    await ws.send_text("x")  # error: send-before-accept
            """,
            id="a function that is no coroutine",
        ),
        pytest.param(
            """\
            def note(conn):
                clients.add(conn)

            class Application(App):
                async def ws_it(self, ws):
                    note(ws)
                    await work()
                    await ws.send_text("x")
            """,
            id="a function that stores it",
        ),
        pytest.param(
            """\
            def start(conn):
                return conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await start(ws)
                    await ws.send_text("x")
            """,
            id="a function that gives a coroutine",
        ),
        pytest.param(
            """\
            async def texts(conn):
                while True:
                    yield await conn.receive_text()

            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    async for text in texts(ws):
                        await ws.send_text(text)
            """,
            id="a generator",
        ),
        pytest.param(
            """\
            async def texts(conn):
                await conn.accept()
                yield await conn.receive_text()

            class Application(App):
                async def ws_it(self, ws):
                    async for text in texts(ws):
                        await ws.send_text(text)
            """,
            id="a generator that accepts",
        ),
        pytest.param(
            """\
            async def start(conn, times):
                if times:
                    await start(conn, times - 1)
                else:
                    await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await start(ws, 3)
                    await ws.send_text("x")
            """,
            id="one that calls itself",
        ),
        pytest.param(
            """\
            async def one(conn):
                if work():
                    return await two(conn)
                await conn.accept()

            async def two(conn):
                await one(conn)

            class Application(App):
                async def ws_it(self, ws):
                    await one(ws)
                    await ws.send_text("x")
            """,
            id="two that call each other",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws, times):
                    if times:
                        await self.ws_it(ws, times - 1)
                    await ws.accept()
            """,
            id="the handler calls itself",
        ),
        pytest.param(
            """\
            async def a(conn): await b(conn)
            async def b(conn): await c(conn)
            async def c(conn): await d(conn)
            async def d(conn): await e(conn)
            async def e(conn): await f(conn)
            async def f(conn): await g(conn)
            async def g(conn): await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    await a(ws)
                    await ws.send_text("x")
            """,
            id="too deep",
        ),
        pytest.param(
            """\
            @work
            async def start(conn):
                pass

            class Application(App):
                async def ws_it(self, ws):
                    await start(ws)
                    await ws.send_text("x")
            """,
            id="a decorated one",
        ),
        pytest.param(
            """\
            async def start(conn):
                await conn.accept()

            class Application(App):
                async def ws_it(self, ws):
                    other = work()
                    if work():
                        other = ws
                    await start(other)
                    await ws.send_text("x")  # warning: send-before-accept
            """,
            id="one that is given something else on one way",
        ),
        pytest.param(
            """\
            async def run(coroutine):
                await coroutine

            class Application(App):
                async def ws_it(self, ws):
                    coroutine = ws.accept()
                    await run(coroutine)
                    await ws.send_text("x")
            """,
            id="one that is given a coroutine",
        ),
        pytest.param(
            """\
            async def run(coroutine):
                await coroutine

            class Application(App):
                async def ws_it(self, ws):
                    coroutine = ws.accept()
                    await asyncio.create_task(run(coroutine))
                    await ws.send_text("x")
            """,
            id="one that is given a coroutine, in a task",
        ),
        pytest.param(
            """\
            async def start(conn):
                await work(conn)

            class Application(App):
                async def ws_it(self, ws):
                    await start(ws)
                    await ws.send_text("x")
            """,
            id="escapes in a helper",
        ),
        pytest.param(
            """\
            async def greet(conn):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await greet(ws)  # error: send-before-accept
                    await ws.accept()
            """,
            id="fails in a helper",
        ),
        pytest.param(
            """\
            async def greet(conn):
                if work():
                    await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await greet(ws)  # warning: send-before-accept
                    await ws.accept()
            """,
            id="fails in a helper on one way",
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
            """,
            id="fails in a helper that is given it on one way",
        ),
        pytest.param(
            """\
            async def receive(conn):
                try:
                    return await conn.receive_text()
                except ConnectionClosed:
                    return None

            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    text = await receive(ws)
                    await ws.send_text(text)  # warning: use-after-disconnect
            """,
            id="swallowed in a helper",
        ),
        pytest.param(
            """\
            from elsewhere import start

            class Application(App):
                async def ws_it(self, ws):
                    await start(ws)
                    await ws.send_text("x")
            """,
            id="another module's",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def start():
                        await ws.accept()

                    async def hello():
                        await start()
                        await say("hello")

                    async def say(text):
                        await ws.send_text(text)

                    await hello()
                    await ws.accept()  # error: second-accept
            """,
            id="a function within that calls another",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def start():
                        await ws.accept()

                    async def hello():
                        await start()
                        await hello()

                    asyncio.create_task(hello())
                    await work()
                    await ws.send_text("x")
                    await ws.accept()  # error: second-accept
            """,
            id="a function within that calls itself and another, in a task",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def say(text):
                        await ws.send_text(text)

                    async def hello():
                        await say("hello")

                    task = asyncio.create_task(hello())
                    await task
                    await ws.send_text("x")  # error: send-before-accept
            """,
            id="a function within that calls one that only sends, in a task",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    if work():
                        async def start(): await ws.accept()
                    else:
                        async def start(): await ws.close()

                    async def begin(): await start()

                    asyncio.create_task(begin())
                    await start()
                    await ws.send_text("x")
            """,
            id="functions within with one name",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def start(): await ws.accept()

                    async def begin():
                        start = work
                        await start()

                    await begin()
                    await ws.send_text("x")  # error: send-before-accept
            """,
            id="a function within that has a name of its own for another",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def start(): await ws.accept()

                    async def again():
                        async def begin(): await start()
                        await begin()

                    await again()
                    await ws.accept()  # error: second-accept
            """,
            id="a function within that is called from one that is given it",
        ),
        pytest.param(
            """\
            async def run(function):
                await function()

            class Application(App):
                async def ws_it(self, ws):
                    async def start(): await ws.accept()
                    await run(start)
                    await ws.send_text("x")
            """,
            id="a function within that is given to another function",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def start(*connections):
                        if not ws.accepted:
                            await connections[0].accept()

                    await start(ws)
                    await ws.send_text("x")
            """,
            id="a function within with any arguments",
        ),
        pytest.param(
            """\
            async def greet(conn):
                await conn.close()

            class Application(App):
                async def ws_it(self, ws):
                    greet = self.greet
                    await greet(ws)
                    await ws.send_text("x")
            """,
            id="a name of its own for another function",
        ),
        pytest.param(
            """\
            async def start(conn):
                return conn

            class Application(App):
                async def ws_it(self, ws):
                    other = await start(ws)
                    await other.accept()
                    await ws.send_text("x")
            """,
            id="it comes back by another name",
        ),
    ],
)
def test_helpers(module: Hold, source: str) -> None:
    module(source)


@pytest.mark.parametrize(
    "expression",
    [
        "if ws.receive_text(): pass",
        "while ws.receive_text(): work()",
        "assert ws.receive_text()",
        "if not ws.receive_text(): pass",
        "if work() and ws.receive_text(): pass",
        "if ws.accepted and ws.receive_text(): pass",
        "work() if ws.receive_text() else None",
        "work([one for one in 'ab' if ws.receive_text()])",
        "work(ws.receive_text() == 'x')",
        "work(ws.receive_text() is None)",
        "if ws.receive_text() is None: pass",
        "work(f'{ws.receive_text()}')",
    ],
)
def test_what_is_only_looked_at_is_never_awaited(handler: Hold, expression: str) -> None:
    handler(
        f"""\
            await ws.accept()
            {expression}  # warning: never-awaited
            await ws.send_text("x")
            await ws.accept()  # error: second-accept
        """
    )


@pytest.mark.parametrize(
    "expression",
    [
        "ws.receive_text() or ws.receive_text()",
        "(ws.accepted and ws.receive_text()) or work()",
        "ws.accepted and ws.receive_text()",
        "ws.receive_text() if ws.accepted else work()",
        "work() and (work() or ws.receive_text())",
        "[ws.receive_text()]",
    ],
)
def test_what_may_be_awaited_elsewhere(handler: Hold, expression: str) -> None:
    handler(
        f"""\
            await ws.accept()
            work(await work({expression}))
            one = {expression}
            await one
        """
    )
