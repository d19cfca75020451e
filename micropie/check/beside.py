"""Work that is done in another process, beside what this one does."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

# It takes long to import, and where nothing has changed, there is no work.
if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["beside"]

T = TypeVar("T")


def beside(work: Callable[[], T]) -> Callable[[], T]:
    """Begin some work where there is a processor for it.

    Elsewhere it is done when its result is asked for: a fork of a process with threads may hang,
    and so may any on macOS; a new Python takes as long to start as most work that there is.

    Args:
        work: What it gives or raises must not depend on what this process does meanwhile. It is
            done again here if the other process is killed or `work` raises, for the caller to see.

    Returns:
        What waits for the work to be done and gives its result, once.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2 or threading.active_count() > 1:
        return work
    from multiprocessing import get_context

    fork = get_context("fork")
    here, there = fork.Pipe(duplex=False)
    process = fork.Process(target=_send, args=(work, there), daemon=True)
    process.start()
    there.close()

    def result() -> T:
        with here, suppress(EOFError):
            done: T = here.recv()
            process.join()
            return done
        process.join()
        return work()

    return result


def _send(work: Callable[[], T], to: "Connection") -> None:
    with suppress(BaseException):
        to.send(work())
