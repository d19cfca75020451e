import asyncio
import itertools
import socket
from collections.abc import Iterator

import pytest
from micropie_conformance.looping import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_a_coroutine_runs_until_it_is_blocked(loop: Loop) -> None:
    seen: list[str] = []
    gates = {"a": False, "b": False}

    async def body(name: str) -> None:
        await asyncio.sleep(0)
        await loop.park(lambda: gates[name])
        seen.append(name)

    tasks = [loop.start(body(name)) for name in gates]
    loop.settle()
    assert seen == []
    gates["b"] = True
    loop.settle()
    assert seen == ["b"]
    assert [task.done() for task in tasks] == [False, True]


def test_what_is_ready_is_given_to_one_at_a_time(loop: Loop) -> None:
    inbox: list[int] = []
    seen: list[tuple[str, int]] = []

    async def body(name: str) -> None:
        await loop.park(lambda: bool(inbox))
        seen.append((name, inbox.pop()))

    loop.start(body("a"))
    loop.start(body("b"))
    inbox.append(1)
    loop.settle()
    assert seen == [("a", 1)]
    inbox.append(2)
    loop.settle()
    assert seen == [("a", 1), ("b", 2)]


def test_timers_cost_no_time(loop: Loop) -> None:
    seen: list[float] = []

    async def body() -> None:
        clock = asyncio.get_running_loop().time
        start = clock()
        await asyncio.sleep(3600)
        seen.append(clock() - start)

    loop.start(body())
    assert seen == [pytest.approx(3600)]


@pytest.mark.parametrize("delay", [0, 10])
def test_what_polls_for_ever_counts_as_blocked(loop: Loop, delay: float) -> None:
    rounds: list[int] = []

    async def body() -> None:
        for number in itertools.count():
            rounds.append(number)
            await asyncio.sleep(delay)

    task = loop.start(body())
    assert len(rounds) > 1
    assert not task.done()


def test_cancel(loop: Loop) -> None:
    seen: list[str] = []

    async def body() -> None:
        try:
            await loop.park(lambda: False)
        except asyncio.CancelledError:
            seen.append("cancelled")

    loop.cancel(loop.start(body()))
    assert seen == ["cancelled"]


@pytest.mark.parametrize(("after", "got"), [(0, []), (1, []), (2, ["message"]), (5, ["message"])])
def test_cancel_so_many_steps_after_what_is_ready(loop: Loop, after: int, got: list[str]) -> None:
    seen: list[str] = []
    there = False
    queue: asyncio.Queue[str] = asyncio.Queue()

    async def pump() -> None:
        await loop.park(lambda: there)
        queue.put_nowait("message")

    async def body() -> None:
        seen.append(await queue.get())

    loop.start(pump())
    task = loop.start(body())
    there = True
    loop.cancel(task, after)
    assert seen == got


def test_only_tasks_of_others_are_left_behind(loop: Loop) -> None:
    others: list[asyncio.Task[bool]] = []

    async def other() -> bool:
        return await asyncio.Event().wait()

    def start_another() -> None:
        others.append(asyncio.create_task(other()))

    async def own() -> None:
        await loop.park(lambda: False)

    assert loop.left_behind() == []
    loop.start(own())
    loop.call(start_another)
    (name,) = loop.left_behind()
    assert name.endswith("other")
    others[0].cancel()
    loop.settle()
    assert loop.left_behind() == []


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_task_that_raises_it_does_not_end_the_loop(loop: Loop, error: BaseException) -> None:
    seen: list[str] = []

    async def other() -> None:
        raise error

    async def body() -> None:
        task = asyncio.create_task(other())
        await asyncio.wait([task])
        seen.append(f"{task.exception()!r}")

    loop.start(body())
    assert seen == [repr(error)]


def test_files_are_watched(loop: Loop) -> None:
    here, there = socket.socketpair()
    seen: list[bytes] = []

    async def body() -> None:
        here.setblocking(False)
        seen.append(await asyncio.get_running_loop().sock_recv(here, 9))

    with here, there:
        loop.start(body())
        assert seen == []
        there.send(b"x")
        loop.settle()
    assert seen == [b"x"]


def test_close_ends_what_waits_even_if_it_does_not_want_to() -> None:
    ended: list[str] = []
    loop = Loop()

    async def willing() -> None:
        try:
            await loop.park(lambda: False)
        finally:
            ended.append("willing")

    async def unwilling() -> None:
        try:
            await loop.park(lambda: False)
        except asyncio.CancelledError:
            ended.append("unwilling")
            await asyncio.Event().wait()

    loop.examine(RuntimeError("no running event loop"))
    loop.start(willing())
    loop.start(unwilling())
    loop.close()
    assert sorted(ended) == ["unwilling", "willing"]
