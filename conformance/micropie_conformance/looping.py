"""Run coroutines in an asyncio event loop that notices when nothing more can happen.

This is for implementations that start tasks or await futures. The loop's clock is its own:
it stands still while anything can run, and jumps to the next timer when nothing can. So an
implementation that sleeps costs no time, and "blocked" is an observation here too.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from micropie_conformance.stepping import Ready

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

__all__ = ["Loop"]

# An implementation that polls on a timer would keep the clock jumping for ever, and one that
# polls without a timer would keep the loop running.
_MOST_JUMPS = 25
_MOST_TURNS = 1000


class _IdleSelector(selectors.BaseSelector):
    """Asks the system for what is there now, never waits, and tells how long it was to."""

    def __init__(self, on_nothing: Callable[[float | None], None]) -> None:
        self._inner = selectors.DefaultSelector()
        self._on_nothing = on_nothing

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: "FileDescriptorLike") -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = self._inner.select(0)
        if not found:
            self._on_nothing(timeout)
        return found

    def get_map(self) -> "Mapping[FileDescriptorLike, selectors.SelectorKey]":
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()


class _IdleLoop(asyncio.SelectorEventLoop):
    """An event loop on a clock of its own; `run_until_idle` ends when all is blocked."""

    def __init__(self) -> None:
        self._now = 0.0
        self._jumps = 0
        self._turns = 0
        super().__init__(_IdleSelector(self._idle))

    def time(self) -> float:
        return self._now

    def run_until_idle(self) -> None:
        self._jumps = 0
        self._turns = 0
        while True:
            try:
                self.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # A task of the implementation raised it; asyncio lets it through to here.
                continue
            return

    def run_steps(self, steps: int) -> None:
        for _ in range(steps):
            # What is there already runs before this does.
            self.call_soon(self.stop)
            self.run_forever()

    def _idle(self, timeout: float | None) -> None:
        self._turns += 1
        if timeout is None or self._jumps == _MOST_JUMPS or self._turns == _MOST_TURNS:
            self.stop()
        elif timeout > 0:
            self._jumps += 1
            self._now += timeout


class Loop:
    """Drives coroutines as tasks of an event loop."""

    def __init__(self) -> None:
        """Make the event loop."""
        self._loop = _IdleLoop()
        self._loop.set_exception_handler(lambda loop, context: None)
        self._parked: list[tuple[Ready, asyncio.Future[None]]] = []
        self._own: set[asyncio.Task[None]] = set()

    def start(self, body: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start `body` as a task and run all that can run."""
        task = self._loop.create_task(body)
        self._own.add(task)
        self.settle()
        return task

    def settle(self) -> None:
        """Run whatever can run until everything has ended or is blocked."""
        self._loop.run_until_idle()
        while self._release():
            self._loop.run_until_idle()

    def cancel(self, handle: asyncio.Task[None], after: int | None = None) -> None:
        """Cancel a task, then settle.

        With `after`, first take notice of what is ready and run that many steps of the loop.
        """
        if after is not None:
            self._release()
            self._loop.run_steps(after)
        handle.cancel()
        self.settle()

    def park(self, ready: Ready) -> Awaitable[None]:
        """Await this to wait until `ready` says True."""
        return self._park(ready)

    def call(self, function: Callable[[], None]) -> None:
        """Call `function` while the loop runs, as what it starts may need a running loop."""

        async def body() -> None:
            function()

        self.start(body())

    def examine(self, error: BaseException) -> None:
        """Do nothing: there is an event loop."""

    def left_behind(self) -> list[str]:
        """Name the tasks that the implementation has started and that still run."""
        return sorted(
            getattr(task.get_coro(), "__qualname__", repr(task.get_coro()))
            for task in asyncio.all_tasks(self._loop) - self._own
        )

    def close(self) -> None:
        """Cancel every task, let them end, and close the loop."""
        self._parked.clear()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_idle()
        self._loop.close()

    def _release(self) -> bool:
        # One at a time: an event is for one of those that wait for it.
        for waiting in self._parked:
            if waiting[0]():
                self._parked.remove(waiting)
                waiting[1].set_result(None)
                return True
        return False

    async def _park(self, ready: Ready) -> None:
        future = self._loop.create_future()
        waiting = (ready, future)
        self._parked.append(waiting)
        try:
            await future
        finally:
            if waiting in self._parked:
                self._parked.remove(waiting)
