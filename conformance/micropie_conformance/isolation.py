"""Run cases in child processes, so that nothing that the target does can harm the run.

A child that falls silent is killed, and one that ended before its time is replaced: the case that
was running is broken, and the next child goes on with the case after it.
"""

import contextlib
import enum
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any, Final

from micropie._target import TargetError
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.worker import EXPLORED, MEMORY_GIB, OUT_OF_MEMORY, Job

__all__ = ["Isolation", "Loaded", "SuiteError"]

# After so many children that ended before their time no other is started.
_MOST_ENDS: Final = 3

# How often to look whether a child lives whose pipe is open and silent, in seconds.
_TICK: Final = 0.2

# How long a child may take before it loads the target, in seconds.
_START: Final = 60

# How long a child may take to write where it stands, in seconds.
_LAST_WORDS: Final = 1

# How much of what a child printed is looked at, in bytes.
_MOST_PRINTED: Final = 64 << 10

# Files that are the suite's or Python's.
_NOT_ITS: Final = (os.path.dirname(__file__), os.path.dirname(os.__file__), "<")

# What faulthandler writes; the innermost frame comes first.
_DUMP: Final = "Fatal Python error: "
_THREAD: Final = re.compile(r"^Current thread .*\n((?:  File .*\n)*)", re.MULTILINE)
_FRAME: Final = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)')


class SuiteError(Exception):
    """The suite itself failed; the message is what to report."""


class _Stage(enum.Enum):
    """How far a child has come."""

    STARTING = enum.auto()
    LOADING = enum.auto()
    RUNNING = enum.auto()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the target turned out to be, each by its name and file."""

    factory: str
    closed: str
    # The clauses that do not apply to it, as it says itself.
    not_applicable: tuple[str, ...] = ()
    # Its parameters, where it cannot be called as (receive, send); else empty.
    takes: str = ""


class Isolation:
    """Runs cases against one target in child processes.

    Args:
        target: `module:attr` or `path/to/file.py:attr`.
        closed: The same for its ConnectionClosed; None: it is beside the target.
        patience: How long a child may say nothing, in seconds.
        path: Where modules are looked for; empty: where Python does, and beside the target.
    """

    def __init__(
        self, target: str, closed: str | None, patience: float, path: Sequence[str] = ()
    ) -> None:
        """Hold what to run; nothing is started yet."""
        self._path = list(path)
        self._target = target
        self._closed = closed
        self._patience = patience
        self._ends = 0
        # What the target is; None until it has been loaded.
        self.loaded: Loaded | None = None
        # Whether it turned out to need an event loop.
        self.looping: bool = False
        # How many sequences were explored.
        self.sequences: int = 0
        # The end of what it printed.
        self.printed: str = ""

    def run(
        self,
        door: str,
        cases: list[str],
        extra: float = 0,
        on_sequences: Callable[[int], object] = lambda sequences: None,
    ) -> Generator[Result, None, None]:
        """Run the cases with these ids behind one door and yield what became of each.

        Of cases that are explored, those that no sequence has led to are left out.

        Args:
            door: `worker.IN_MEMORY`, `worker.EXPLORED:depth`, or `server:worker`.
            cases: The ids.
            extra: What is added to the patience, in seconds.
            on_sequences: Called with the number of sequences that were explored, now and then.

        Raises:
            TargetError: The target cannot be loaded.
            SuiteError: The suite itself failed.
        """
        left = list(cases)
        patience = self._patience + extra
        while left and self._ends < _MOST_ENDS:
            stage = _Stage.STARTING
            silent = False
            with _started(self._target, self._closed, door, left, self._path) as child:
                try:
                    for news in child.news(patience):
                        match news:
                            case {"result": [id, verdict, *rest], "looping": looping}:
                                self.looping = self.looping or looping
                                left.remove(id)
                                yield Result(id, Verdict(verdict), *rest)
                            case {"sequences": sequences, "looping": looping}:
                                self.looping = self.looping or looping
                                self.sequences = sequences
                                on_sequences(sequences)
                            case {"unexplored": id}:
                                left.remove(id)
                            case {"loaded": factory, "closed": closed, **rest}:
                                stage = _Stage.RUNNING
                                ids = tuple(rest["not_applicable"])
                                self.loaded = Loaded(factory, closed, ids, rest["takes"])
                            case {"refused": reason}:
                                raise TargetError(reason)
                            case {"fault": reason}:
                                raise SuiteError(reason)
                            case _:
                                stage = _Stage.LOADING
                except TimeoutError:
                    silent = True
                    child.abort()
                printed, place = child.last_words()
            if silent:
                end = f"hangs{place}: nothing happened for {patience:g} s"
            else:
                end = _in_words(child.process.returncode) + place
            if printed:
                self.printed = printed
                end += f"; the last that it printed: {printed.splitlines()[-1]}"
            if not left:
                return
            if stage is _Stage.STARTING:
                raise SuiteError(f"the suite's worker {end}")
            if stage is _Stage.LOADING:
                raise TargetError(f"importing {self._target} {end}")
            if door.startswith(EXPLORED):
                # Which clause it breaks cannot be told.
                for id in left:
                    yield Result(id, Verdict.UNREACHED, observed=f"when it is explored, it {end}")
                return
            self._ends += 1
            yield Result(left.pop(0), Verdict.BROKEN, "the case comes to its end", end)
        for id in left:
            reason = f"not run, as the target's process ended {_MOST_ENDS} times before its time"
            yield Result(id, Verdict.UNREACHED, observed=reason)


class _Child:
    """One child process."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        channel: int,
        output: IO[bytes],
        let_through: Callable[[], None],
    ) -> None:
        """Hold the process, the pipe that it tells its news to, and the file that it prints to."""
        self.process = process
        self._channel = channel
        self._output = output
        # Where a signal that was held back may end the run.
        self._let_through = let_through

    def news(self, patience: float) -> Iterator[dict[str, Any]]:
        """Yield what the child tells until it has ended.

        Raises:
            TimeoutError: It told nothing for `patience` seconds, and did not end.
        """
        data = b""
        # That the suite takes its time to start is nothing that the target does.
        deadline = time.monotonic() + max(patience, _START)
        while True:
            self._let_through()
            # Asked first: what a child wrote before its end is still read.
            ended = self.process.poll() is not None
            if select.select([self._channel], [], [], 0 if ended else _TICK)[0]:
                read = os.read(self._channel, 1 << 16)
                if not read:
                    break
                *lines, data = (data + read).split(b"\n")
                for line in lines:
                    yield json.loads(line)
                    deadline = time.monotonic() + patience
            elif ended:
                # Something that it started holds the pipe.
                return
            elif time.monotonic() > deadline:
                raise TimeoutError
        try:
            self.process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error

    def abort(self) -> None:
        """Let it write where it stands, and end."""
        self.process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_LAST_WORDS)

    def last_words(self) -> tuple[str, str]:
        """Give the end of what it printed and where it stood when it ended, if that is known."""
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - _MOST_PRINTED))
        text = self._output.read().decode("utf-8", "replace")
        printed, _, dump = text.partition(_DUMP)
        return printed.strip(), _place(dump)


@contextlib.contextmanager
def _started(
    target: str, closed: str | None, door: str, cases: list[str], path: list[str]
) -> Generator[_Child, None, None]:
    """Run a child process; none of its group outlives the `with` block."""
    read, write = os.pipe()
    output = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    try:
        with _signals_held() as let_through:
            try:
                with tempfile.TemporaryFile("w+", encoding="ascii") as job:
                    json.dump(asdict(Job(target, closed, door, cases, write, path)), job)
                    job.seek(0)
                    process = subprocess.Popen(
                        # -P: a module of the user's here is not one of the suite's.
                        [sys.executable, "-P", "-u", "-m", "micropie_conformance.worker"],
                        stdin=job,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        pass_fds=(write,),
                        # Not stopped by Ctrl+C, and no terminal to spoil.
                        start_new_session=True,
                    )
            finally:
                os.close(write)
            try:
                yield _Child(process, read, output, let_through)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    finally:
        output.close()
        os.close(read)


@contextlib.contextmanager
def _signals_held() -> Generator[Callable[[], None], None, None]:
    """Hold back the signals that end this process; what is given lets through those that came.

    An exception out of a signal's handler may come between any two instructions: between the start
    of a child and the `try` that ends it, or while `Popen.poll` has a lock that it then never gives
    back, on which `Popen.wait` hangs. The system's own mask does not do: a signal goes to any
    thread that lets it through, and Python then runs its handler in the main thread all the same.
    """
    came: list[int] = []
    handlers: dict[int, Any] = {}

    def restore() -> None:
        while handlers:
            signal.signal(*handlers.popitem())
        while came:
            signal.raise_signal(came.pop())

    def let_through() -> None:
        if came:
            restore()

    # Python lets only the main thread set handlers, and only there do they run.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):
                handlers[number] = handler
                signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield let_through
    finally:
        restore()


def _place(dump: str) -> str:
    """Say where the target stood, by what faulthandler wrote; empty: it wrote nothing."""
    thread = _THREAD.search(dump)
    frames = _FRAME.findall(thread[1]) if thread else []
    # Where its own code is not to be told from other packages, the innermost frame has to do.
    for file, line, name in [one for one in frames if not one[0].startswith(_NOT_ITS)] or frames:
        return f" in {name} ({file}, line {line})"
    return ""


def _in_words(status: int) -> str:
    if status == OUT_OF_MEMORY:
        return f"used up the {MEMORY_GIB} GiB of memory that it may use"
    if status < 0:
        return f"was killed by signal {-status} ({signal.strsignal(-status)})"
    return f"ended the process with exit status {status}"
