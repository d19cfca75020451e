"""Run coroutines by stepping them: without an event loop, without time.

A coroutine runs until it ends or parks: until it awaits something that is not there yet, such
as an event that the server has not been given. What is parked and cannot go on is *blocked*;
that is an observation and not a time-out, so nothing here is slow and nothing is flaky.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from types import coroutine
from typing import Any, Protocol, TypeAlias

__all__ = ["Driver", "NeedsLoop", "Ready", "Stepper", "Task", "examine"]

Ready: TypeAlias = Callable[[], bool]
"""Tells whether what is parked can go on."""


class NeedsLoop(BaseException):
    """The implementation under test awaits something that only an event loop can give.

    It derives from BaseException so that no case mistakes it for an outcome.
    """


class Task:
    """One coroutine under way."""

    def __init__(self, body: Coroutine[Any, Any, None]) -> None:
        """Wrap `body`, which has not been started."""
        self.body = body
        self.ready: Ready = lambda: True
        self.done = False


class Driver(Protocol):
    """What runs the coroutines of a case: a `Stepper`, or `looping.Loop`."""

    def start(self, body: Coroutine[Any, Any, None]) -> object:
        """Start a coroutine, run all that can run, and give a handle for `cancel`."""

    def settle(self) -> None:
        """Run whatever can run until everything has ended or is blocked."""

    def cancel(self, handle: Any, after: int | None = None) -> None:
        """Cancel one coroutine, then settle.

        With `after`, first take notice of what is ready and run that many steps of the loop.
        """

    def park(self, ready: Ready) -> Awaitable[None]:
        """Await this to wait, inside a coroutine, until `ready` says True."""
        ...

    def call(self, function: Callable[[], None]) -> None:
        """Call a plain function where coroutines run."""

    def examine(self, error: BaseException) -> None:
        """Look at an error that came from the implementation.

        Raises:
            NeedsLoop: It only says that there is no event loop.
        """

    def left_behind(self) -> list[str]:
        """Name the tasks that the implementation has started and that still run."""
        ...

    def close(self) -> None:
        """End everything."""


# What asyncio (get_running_loop, get_event_loop), sniffio and anyio say when there is no loop.
_NO_LOOP = (
    "no running event loop",
    "There is no current event loop",
    "unknown async library, or not in async context",
    "Not currently running on any asynchronous event loop",
)


def _says_no_loop(error: BaseException) -> bool:
    match error:
        case RuntimeError(args=(str(words), *_)):
            return words.startswith(_NO_LOOP)
        case AttributeError(name="create_future", obj=None):
            # The loop that asyncio's locks, events and queues look for when they have to wait.
            return True
        case _:
            return False


def examine(error: BaseException) -> None:
    """Look for the lack of an event loop in an error and in all that it came from.

    Raises:
        NeedsLoop: It is there.
    """
    seen: list[BaseException] = []
    ahead = [error]
    while ahead:
        one = ahead.pop()
        if any(one is other for other in seen):
            continue
        seen.append(one)
        if _says_no_loop(one):
            raise NeedsLoop
        ahead += [cause for cause in (one.__cause__, one.__context__) if cause is not None]


@coroutine
def _park(ready: Ready) -> Generator[Ready, None, None]:
    yield ready


class _Parked:
    # Marks what is ours among the things that a coroutine can yield.
    def __init__(self, ready: Ready) -> None:
        self.ready = ready

    def __call__(self) -> bool:
        return self.ready()


class Stepper:
    """Drives coroutines by hand, in the order in which they were started."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._tasks: list[Task] = []

    def start(self, body: Coroutine[Any, Any, None]) -> Task:
        """Start `body` and run all that can run.

        Raises:
            NeedsLoop: It awaits what only an event loop can give.
        """
        task = Task(body)
        self._tasks.append(task)
        self.settle()
        return task

    def settle(self) -> None:
        """Run whatever can run until everything has ended or is blocked.

        Raises:
            NeedsLoop: A coroutine awaits what only an event loop can give.
        """
        while task := next((one for one in self._tasks if one.ready()), None):
            self._resume(task, None)

    def cancel(self, handle: Task, after: int | None = None) -> None:
        """Throw `asyncio.CancelledError` into a coroutine where it is parked, then settle.

        Between an event and who waits for it there are no steps here, so `after` is nothing.
        """
        if not handle.done:
            self._resume(handle, asyncio.CancelledError())
        self.settle()

    def park(self, ready: Ready) -> Awaitable[None]:
        """Await this to wait until `ready` says True."""
        return _park(_Parked(ready))

    def call(self, function: Callable[[], None]) -> None:
        """Call `function`."""
        function()

    def examine(self, error: BaseException) -> None:
        """Look for the lack of an event loop in an error; see `examine`."""
        examine(error)

    def left_behind(self) -> list[str]:
        """Give an empty list: without an event loop there are no tasks."""
        return []

    def close(self) -> None:
        """Close every coroutine that still waits."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            # One that does not want to end is not ours to blame here.
            with suppress(BaseException):
                task.body.close()

    def _resume(self, task: Task, error: BaseException | None) -> None:
        try:
            waits_for = task.body.send(None) if error is None else task.body.throw(error)
        except StopIteration:
            task.done = True
            self._tasks.remove(task)
            return
        if not isinstance(waits_for, _Parked):
            raise NeedsLoop
        task.ready = waits_for
