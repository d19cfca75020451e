"""What a terminal is told while a check takes long."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread

__all__ = ["waiting"]

# Seconds until it is told, and between updates.
_PATIENCE = 2.0
_UPDATE = 0.5


@contextmanager
def waiting() -> Generator[None, None, None]:
    """Tell the terminal on standard error, if it is one, when what is done in here takes long."""
    if not sys.stderr.isatty():
        yield
        return
    # Whatever standard error is meanwhile.
    terminal = sys.stderr
    started = time.monotonic()
    ended = Event()

    def tell() -> None:
        if ended.wait(_PATIENCE):
            return
        while True:
            text = f"micropie check: at work, {time.monotonic() - started:.0f} s"
            print(f"\r{text}", end="", file=terminal, flush=True)
            if ended.wait(_UPDATE):
                break
        print("\r\x1b[K", end="", file=terminal, flush=True)

    teller = Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
