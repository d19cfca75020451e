"""Whole modules: where an analysis begins, and correct programs, in which nothing is found.

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
            class Application(App):
                async def ws_it(self, ws):
                    await ws.send_text("x")  # error: send-before-accept
            """,
            id="a handler is not accepted yet",
        ),
        pytest.param(
            """\
            async def greet(ws: WebSocket):
                await ws.send_text("x")
                await ws.accept()  # error: second-accept
            """,
            id="any other function may be called at any time",
        ),
        pytest.param(
            """\
            class Application(App):
                async def greet(self, ws: WebSocket):
                    await ws.send_text("x")
            """,
            id="a method that is no handler",
        ),
        pytest.param(
            """\
            async def ws_it(ws: WebSocket):
                await ws.send_text("x")
            """,
            id="a function with a handler's name",
        ),
        pytest.param(
            """\
            class Other:
                async def ws_it(self, ws: WebSocket):
                    await ws.send_text("x")
            """,
            id="a class that is no application",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    await ws.send_text("x")

                async def ws_other(self, ws):
                    await ws.accept()
                    await self.ws_it(ws)
            """,
            id="a handler that other code calls",
        ),
        pytest.param(
            """\
            async def greet(ws):
                await ws.accept()
                await ws.accept()
            """,
            id="what is not annotated is not known to be a connection",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws, name, other: WebSocket):
                    await other.send_text(name)
                    await other.accept()  # error: second-accept
                    await ws.accept()
            """,
            id="other parameters of a handler",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    async def greet(conn: WebSocket):
                        await conn.close()
                        await conn.send_text("x")  # error: send-after-close

                    await greet(ws)
            """,
            id="a function in a function",
        ),
    ],
)
def test_starts(module: Hold, source: str) -> None:
    module(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            async def stop(conn: WebSocket):
                await conn.close()
                await conn.send_text("x")  # error: send-after-close

            class Application(App):
                async def ws_it(self, ws):
                    await stop(ws)
            """,
            id="it knows that it is a connection",
        ),
        pytest.param(
            """\
            async def stop(conn):
                await conn.close()
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await stop(ws)  # error: send-after-close
            """,
            id="it does not",
        ),
        pytest.param(
            """\
            async def greet(conn: WebSocket):
                await conn.send_text("x")

            class Application(App):
                async def ws_it(self, ws):
                    await greet(ws)  # error: send-before-accept
            """,
            id="it has no fault of its own",
        ),
        pytest.param(
            """\
            async def greet(conn: WebSocket):
                if work():
                    await conn.close()
                await conn.send_text("x")  # warning: send-after-close

            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    await greet(ws)  # warning: send-after-close
            """,
            id="what may be its fault",
        ),
        pytest.param(
            """\
            class Application(App):
                async def ws_it(self, ws):
                    await ws.accept()
                    await self.ws_other(ws)  # error: second-accept

                async def ws_other(self, ws):
                    await ws.accept()
            """,
            id="a helper that is a handler",
        ),
    ],
)
def test_faults_of_helpers(module: Hold, source: str) -> None:
    """A fault of the helper's own is told there, and not again at each call."""
    module(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            class Echo(App):
                async def ws_echo(self, ws: WebSocket) -> None:
                    await ws.accept()
                    while True:
                        await ws.send_text(await ws.receive_text())
            """,
            id="echo",
        ),
        pytest.param(
            """\
            class Echo(App):
                async def ws_echo(self, ws: WebSocket) -> None:
                    await ws.accept()
                    try:
                        while (text := await ws.receive_text()) != "bye":
                            await ws.send_text(text)
                    except ConnectionClosed as closed:
                        print(closed.code)
                    else:
                        await ws.close()
            """,
            id="echo that ends",
        ),
        pytest.param(
            """\
            class Chat(App):
                def __init__(self) -> None:
                    super().__init__()
                    self.clients: set[WebSocket] = set()

                async def ws_chat(self, ws: WebSocket) -> None:
                    await ws.accept()
                    self.clients.add(ws)
                    try:
                        while True:
                            text = await ws.receive_text()
                            for client in self.clients - {ws}:
                                asyncio.create_task(client.send_text(text))
                    except ConnectionClosed:
                        pass
                    finally:
                        self.clients.discard(ws)
            """,
            id="chat room",
        ),
        pytest.param(
            """\
            clients = set()

            class Chat(App):
                async def ws_chat(self, ws: WebSocket) -> None:
                    await ws.accept()
                    clients.add(ws)
                    try:
                        while True:
                            text = await ws.receive_text()
                            sending = (one.send_text(text) for one in clients if one is not ws)
                            await asyncio.gather(*sending, return_exceptions=True)
                    finally:
                        clients.discard(ws)
                        await ws.close()
            """,
            id="broadcast by gather",
        ),
        pytest.param(
            """\
            clients = set()

            async def broadcast(text: str) -> None:
                for client in list(clients):
                    with suppress(ConnectionClosed):
                        await client.send_text(text)

            class Chat(App):
                async def ws_chat(self, ws: WebSocket) -> None:
                    await ws.accept()
                    clients.add(ws)
                    try:
                        while True:
                            await broadcast(await ws.receive_text())
                    finally:
                        clients.remove(ws)
            """,
            id="broadcast that swallows",
        ),
        pytest.param(
            """\
            class Private(App):
                async def ws_private(self, ws: WebSocket, token: str = "") -> None:
                    if token != "secret":
                        await ws.close(1008, "wrong token")
                        return
                    await ws.accept()
                    await ws.send_text("welcome")
            """,
            id="a token before accept",
        ),
        pytest.param(
            """\
            class Private(App):
                async def ws_private(self, ws: WebSocket) -> None:
                    await ws.accept()
                    try:
                        token = await asyncio.wait_for(ws.receive_text(), 5)
                    except TimeoutError:
                        await ws.close(1008, "no token")
                        return
                    if token != "secret":
                        return await ws.close(1008, "wrong token")
                    await ws.send_text("welcome")
            """,
            id="a token in the first message",
        ),
        pytest.param(
            """\
            class Duplex(App):
                async def ws_duplex(self, ws: WebSocket) -> None:
                    await ws.accept()
                    queue: asyncio.Queue[str] = asyncio.Queue()

                    async def read() -> None:
                        while True:
                            await queue.put(await ws.receive_text())

                    async def write() -> None:
                        while True:
                            await ws.send_text(await queue.get())

                    try:
                        async with asyncio.TaskGroup() as group:
                            group.create_task(read())
                            group.create_task(write())
                    except* ConnectionClosed:
                        pass
            """,
            id="a reader and a writer",
        ),
        pytest.param(
            """\
            class Duplex(App):
                async def ws_duplex(self, ws: WebSocket) -> None:
                    await ws.accept()

                    async def read() -> None:
                        while True:
                            await work(await ws.receive_text())

                    async def write() -> None:
                        async for text in work():
                            await ws.send_text(text)

                    tasks = [asyncio.create_task(read()), asyncio.create_task(write())]
                    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    for task in pending:
                        task.cancel()
                    await ws.close()
            """,
            id="whichever is first",
        ),
        pytest.param(
            """\
            class Ticker(App):
                async def ws_ticker(self, ws: WebSocket) -> None:
                    await ws.accept()
                    receiving = asyncio.create_task(ws.receive_text())
                    while True:
                        done, _ = await asyncio.wait([receiving], timeout=1)
                        if done:
                            await ws.send_text(receiving.result())
                            receiving = asyncio.create_task(ws.receive_text())
                        else:
                            await ws.send_text("tick")
            """,
            id="a task that receives, waited for again and again",
        ),
        pytest.param(
            """\
            class Pinging(App):
                async def ws_pinging(self, ws: WebSocket) -> None:
                    await ws.accept()
                    while True:
                        try:
                            async with asyncio.timeout(20):
                                text = await ws.receive_text()
                        except TimeoutError:
                            await ws.send_text("ping")
                            continue
                        except ConnectionClosed:
                            break
                        await ws.send_text(text)
                    work()
            """,
            id="a ping when nothing comes",
        ),
        pytest.param(
            """\
            class Beating(App):
                async def ws_beating(self, ws: WebSocket) -> None:
                    await ws.accept()

                    async def beat() -> None:
                        with suppress(ConnectionClosed):
                            while True:
                                await ws.send_text("beat")
                                await asyncio.sleep(1)

                    beating = asyncio.create_task(beat())
                    try:
                        async for text in self.texts(ws):
                            await ws.send_text(text)
                    finally:
                        beating.cancel()
                        with suppress(asyncio.CancelledError):
                            await beating
                        await ws.close()

                async def texts(self, ws: WebSocket):
                    try:
                        while True:
                            yield await ws.receive_text()
                    except ConnectionClosed:
                        return
            """,
            id="a heart that beats",
        ),
        pytest.param(
            """\
            class Local(App):
                async def ws_local(self, ws: WebSocket) -> None:
                    await ws.accept()

                    async def texts():
                        while True:
                            try:
                                yield await ws.receive_text()
                            except ConnectionClosed:
                                return

                    async for text in texts():
                        await ws.send_text(text)
                    print("over")
            """,
            id="a local generator",
        ),
        pytest.param(
            """\
            class Managed(App):
                async def ws_managed(self, ws: WebSocket) -> None:
                    await ws.accept()
                    async with work.session() as session, session.begin():
                        await ws.send_text(await session.get())
                    await ws.close()
            """,
            id="a context manager",
        ),
        pytest.param(
            """\
            @contextlib.asynccontextmanager
            async def accepted(ws: WebSocket):
                await ws.accept()
                try:
                    yield ws
                finally:
                    await ws.close()

            class Managed(App):
                async def ws_managed(self, ws: WebSocket) -> None:
                    async with accepted(ws) as conn:
                        await conn.send_text("x")
                        await ws.send_text("y")
            """,
            id="a context manager that accepts",
        ),
        pytest.param(
            """\
            @contextlib.contextmanager
            def quiet():
                try:
                    yield
                except ConnectionClosed:
                    pass

            class Quiet(App):
                async def ws_quiet(self, ws: WebSocket) -> None:
                    await ws.accept()
                    with quiet():
                        while True:
                            await ws.receive_text()
                    await ws.close()
            """,
            id="a context manager that swallows",
        ),
        pytest.param(
            """\
            class Stack(App):
                async def ws_stack(self, ws: WebSocket) -> None:
                    async with contextlib.AsyncExitStack() as stack:
                        stack.push_async_callback(ws.close)
                        stack.enter_context(suppress(ConnectionClosed))
                        await ws.accept()
                        while True:
                            await ws.send_text(await ws.receive_text())
            """,
            id="an exit stack",
        ),
        pytest.param(
            """\
            class Application(App):
                async def _start(self, ws: WebSocket) -> str:
                    await ws.accept()
                    return await ws.receive_text()

                async def ws_it(self, ws: WebSocket) -> None:
                    name = await self._start(ws)
                    await ws.send_text(name)
            """,
            id="accept in a helper",
        ),
        pytest.param(
            """\
            class Rejected(Exception):
                pass

            async def authenticate(ws: WebSocket, token: str) -> None:
                if token != "secret":
                    await ws.close(1008)
                    raise Rejected
                await ws.accept()

            class Application(App):
                async def ws_it(self, ws: WebSocket, token: str) -> None:
                    try:
                        await authenticate(ws, token)
                    except Rejected:
                        return
                    await ws.send_text("x")
            """,
            id="a helper that rejects by an exception",
        ),
        pytest.param(
            """\
            class Guarded(App):
                async def ws_guarded(self, ws: WebSocket) -> None:
                    try:
                        if work():
                            await ws.accept()
                            await ws.send_text("x")
                        else:
                            await ws.close(1008)
                    except ConnectionClosed:
                        return
                    except Exception:
                        if ws.accepted:
                            await ws.close(1011)
                        raise
                    if not ws.accepted:
                        return
                    await ws.close()
            """,
            id="guards",
        ),
        pytest.param(
            """\
            def accepting(function):
                async def inner(self, ws: WebSocket):
                    await ws.accept()
                    await function(self, ws)

                return inner

            class Decorated(App):
                @accepting
                async def ws_decorated(self, ws: WebSocket) -> None:
                    await ws.send_text("x")
            """,
            id="a decorator",
        ),
        pytest.param(
            """\
            class Client:
                def __init__(self, ws: WebSocket, name: str) -> None:
                    self.ws = ws
                    self.name = name

                async def start(self) -> None:
                    await self.ws.accept()

            class Wrapped(App):
                async def ws_wrapped(self, ws: WebSocket) -> None:
                    client = Client(ws, "x")
                    await client.start()
                    await ws.send_text(client.name)
            """,
            id="a wrapper",
        ),
        pytest.param(
            """\
            from dataclasses import dataclass

            @dataclass
            class Client:
                ws: WebSocket

                async def __aenter__(self):
                    await self.ws.accept()

                async def __aexit__(self, *args: object):
                    await self.ws.close()

            class Wrapped(App):
                async def ws_wrapped(self, ws: WebSocket) -> None:
                    async with Client(ws=ws):
                        await ws.send_text("x")
            """,
            id="a dataclass",
        ),
        pytest.param(
            """\
            class Nested(App):
                async def ws_nested(self, ws: WebSocket) -> None:
                    async def send(text: str) -> None:
                        await ws.send_text(text)

                    async def leave() -> None:
                        await send("bye")
                        await ws.close()

                    await ws.accept()
                    await send("hello")
                    await leave()
            """,
            id="nested functions",
        ),
        pytest.param(
            """\
            import functools

            class Callbacks(App):
                async def ws_callbacks(self, ws: WebSocket) -> None:
                    await ws.accept()
                    work.subscribe(lambda text: asyncio.create_task(ws.send_text(text)))
                    work.subscribe(functools.partial(ws.send_text, "x"))
                    work.subscribe(ws.send_text)
                    try:
                        while True:
                            work(await ws.receive_text())
                    except ConnectionClosed:
                        work.unsubscribe(ws)
            """,
            id="callbacks",
        ),
        pytest.param(
            """\
            class Callbacks(App):
                async def ws_callbacks(self, ws: WebSocket) -> None:
                    await work(on_success=ws.accept, on_failure=lambda: ws.close(1008))
                    if ws.accepted:
                        await ws.send_text("x")
            """,
            id="a callback that accepts",
        ),
        pytest.param(
            """\
            class Later(App):
                async def ws_later(self, ws: WebSocket) -> None:
                    raise NotImplementedError

                async def ws_much_later(self, ws: WebSocket) -> None:
                    ...
            """,
            id="not written yet",
        ),
        pytest.param(
            """\
            class Derived(Echo):
                async def ws_echo(self, ws: WebSocket) -> None:
                    await super().ws_echo(ws)

            class Application(App):
                async def ws_it(self, ws: WebSocket) -> None:
                    await super().ws_it(ws)
                    await ws.close()
            """,
            id="handled by a base class",
        ),
        pytest.param(
            """\
            class Router(App):
                async def ws_router(self, ws: WebSocket, name: str) -> None:
                    handler = self.handlers[name]
                    await handler(ws)
            """,
            id="handed on",
        ),
        pytest.param(
            """\
            class Retried(App):
                async def ws_retried(self, ws: WebSocket) -> None:
                    while not ws.accepted:
                        try:
                            await ws.accept()
                        except RuntimeError:
                            continue
                    await ws.send_text("x")
            """,
            id="retried",
        ),
        pytest.param(
            """\
            class Commands(App):
                async def ws_commands(self, ws: WebSocket) -> None:
                    await ws.accept()
                    while True:
                        match (await ws.receive_text()).split():
                            case ["echo", *words]:
                                await ws.send_text(" ".join(words))
                            case ["bye"]:
                                await ws.close()
                                return
                            case []:
                                continue
                            case _:
                                await ws.send_text("unknown")
            """,
            id="by what is asked for",
        ),
        pytest.param(
            """\
            from typing import Literal, assert_never

            class Commands(App):
                async def ws_commands(self, ws: WebSocket, mode: Literal["a", "b"]) -> None:
                    match mode:
                        case "a":
                            await ws.accept("a")
                        case "b":
                            await ws.accept("b")
                        case _:
                            assert_never(mode)
                    await ws.send_text("x")
            """,
            id="all cases",
        ),
        pytest.param(
            """\
            class Flagged(App):
                async def ws_flagged(self, ws: WebSocket) -> None:
                    await ws.accept()
                    running = True
                    while running:
                        try:
                            text = await asyncio.wait_for(ws.receive_text(), 1)
                        except TimeoutError:
                            await ws.send_text("ping")
                        except ConnectionClosed:
                            running = False
                        else:
                            running = text != "bye"
            """,
            id="a flag",
        ),
        pytest.param(
            """\
            class Private(App):
                async def is_welcome(self, ws: WebSocket, token: str) -> bool:
                    if token != "secret":
                        await ws.close(1008)
                        return False
                    await ws.accept()
                    return True

                async def ws_private(self, ws: WebSocket, token: str) -> None:
                    if not await self.is_welcome(ws, token):
                        return
                    await ws.send_text("welcome")
            """,
            id="a helper that answers",
        ),
        pytest.param(
            """\
            class Optional(App):
                async def receive(self, ws: WebSocket) -> str | None:
                    try:
                        return await ws.receive_text()
                    except ConnectionClosed:
                        return None

                async def ws_optional(self, ws: WebSocket) -> None:
                    await ws.accept()
                    while (text := await self.receive(ws)) is not None:
                        await ws.send_text(text)
                    print("over")
            """,
            id="a helper that gives what has come",
        ),
        pytest.param(
            """\
            class Locked(App):
                async def ws_locked(self, ws: WebSocket) -> None:
                    await ws.accept()
                    lock = asyncio.Lock()
                    async with lock:
                        await ws.send_text("x")
                    await ws.close()
            """,
            id="a lock",
        ),
        pytest.param(
            """\
            class Cancelled(App):
                async def ws_cancelled(self, ws: WebSocket) -> None:
                    await ws.accept()
                    try:
                        await work()
                    except asyncio.CancelledError:
                        await ws.close(1001)
                        raise
                    await ws.close()
            """,
            id="cleaned up when cancelled",
        ),
    ],
)
def test_correct(module: Hold, source: str) -> None:
    module(source)
