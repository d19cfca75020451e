"""What `micropie check` costs beside plain mypy, how quick its flow analysis is, and how it grows.

`make bench` runs it after the benchmarks of the WebSocket and of the suite.
"""

import argparse
import ast
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter, process_time

from targets import Spread, Target, told

from micropie.flow import Checker

FILES = 200
# How often both run again where nothing has changed, for each time that all was new.
WARM = 8
MOST_OF_MYPY = 1.15
LEAST_A_SECOND = 100_000
# What is twice as long takes so many times as long at the most.
MOST_GROWTH = 2.5
# What is three times as deep takes so many times as long at the most.
MOST_DEEPER = 8

HANDLERS = '''\
"""A room of a chat, number {number}."""

import asyncio
import json
import logging

from micropie import App, ConnectionClosed, WebSocket

log = logging.getLogger(__name__)


class Room{number}(App):
    """Whoever is in the room gets what anybody in it says."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, WebSocket] = {{}}
        self.history: list[str] = []

    def remember(self, text: str) -> None:
        """Keep the last messages."""
        self.history.append(text)
        if len(self.history) > 100:
            del self.history[:-100]

    def render(self, name: str, text: str) -> str:
        """Make what is sent of what was said."""
        said = {{"from": name, "text": text.strip(), "room": {number}}}
        return json.dumps(said, sort_keys=True)

    async def tell(self, text: str) -> None:
        """Send a message to all members."""
        self.remember(text)
        for name, member in list(self.members.items()):
            try:
                await member.send_text(text)
            except ConnectionClosed:
                log.info("%s has gone", name)
                self.members.pop(name, None)

    async def ws_index(self, ws: WebSocket) -> None:
        """Echo, until the client has had enough."""
        await ws.accept()
        try:
            while True:
                text = await ws.receive_text()
                if text == "bye":
                    break
                await ws.send_text(text.upper())
        except ConnectionClosed:
            log.info("the client has gone")
        finally:
            await ws.close()

    async def ws_join(self, ws: WebSocket, name: str, token: str = "") -> None:
        """Join the room under a name."""
        if not token or name in self.members:
            await ws.close(1008, "no")
            return
        await ws.accept()
        for text in self.history:
            await ws.send_text(text)
        self.members[name] = ws
        try:
            while True:
                try:
                    text = await asyncio.wait_for(ws.receive_text(), 60)
                except TimeoutError:
                    await ws.send_text("still there?")
                    continue
                await self.tell(self.render(name, text))
        finally:
            del self.members[name]
'''


def corpus(folder: Path, files: int) -> int:
    """Write files of handlers; give the number of their lines."""
    for number in range(files):
        Path(folder, f"room_{number}.py").write_text(HANDLERS.format(number=number))
    return files * len(HANDLERS.splitlines())


def run(folder: Path, *command: str) -> float:
    """Run a command that has nothing to find, in a folder; give its seconds."""
    start = perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    seconds = perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds


def beside_mypy(files: int, rounds: int) -> Iterator[str | Target]:
    """Measure the whole command beside mypy's, on the same files and in turns.

    A machine's speed varies while this runs, so a time is compared with the other's that was
    taken right before or after it.
    """
    yield f"{f'{files} files of handlers':<34}  seconds, median (quartiles)"
    tools, states = ["mypy --strict", "micropie check"], ["cold", "warm"]
    turns = [*tools]
    measured: dict[tuple[str, str], list[float]] = {
        (tool, state): [] for state in states for tool in tools
    }
    # The caches are not among the files, as a user's are not.
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as caches:
        folder = Path(name)
        corpus(folder, files)
        for number in range(rounds):
            commands = {
                "mypy --strict": ("mypy", "--strict", f"--cache-dir={caches}/mypy{number}", "."),
                "micropie check": ("micropie", "check", "."),
            }
            for state in ("cold", *["warm"] * WARM):
                for tool in turns:
                    environment = ["env", f"XDG_CACHE_HOME={caches}/{number}"]
                    seconds = run(folder, *environment, sys.executable, "-m", *commands[tool])
                    measured[tool, state].append(seconds)
                turns.reverse()
    for (tool, state), took in measured.items():
        yield f"  {f'{tool}, {state}':<32}  {Spread.of(took).show(2)}"
    for state in states:
        pairs = zip(
            measured["micropie check", state], measured["mypy --strict", state], strict=True
        )
        times = Spread.of([ours / theirs for ours, theirs in pairs])
        yield f"  {f'of two in turn, {state}: times':<32}  {times.show(2)}"
        title = f"{state}: at most {MOST_OF_MYPY} times mypy's"
        yield Target(title, times.middle, MOST_OF_MYPY)


def analysis(files: int, rounds: int) -> Iterator[str | Target]:
    """Measure the flow analysis alone, on one core."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = corpus(folder, files)
        paths = sorted(folder.glob("*.py"))

        def parse() -> None:
            for path in paths:
                ast.parse(path.read_text())

        def check() -> None:
            for path, found in Checker().check_all(paths):
                if found:
                    raise RuntimeError(f"{path}: {found}")

        parsing, whole = ([timed(one) for _ in range(rounds)] for one in (parse, check))
    yield f"{'Flow analysis of the same files':<34}  lines a second of one core"
    yield f"  {'reading and parsing':<32}  {Spread.of([lines / one for one in parsing]).show(0)}"
    yield f"  {'with the analysis':<32}  {Spread.of([lines / one for one in whole]).show(0)}"
    alone = lines / (Spread.of(whole).middle - Spread.of(parsing).middle)
    yield Target("the analysis: at least 100,000 a second", alone, LEAST_A_SECOND, least=True)


def timed(work: Callable[[], object]) -> float:
    """Give the processor's seconds that some work takes."""
    start = process_time()
    work()
    return process_time() - start


def long(length: int) -> str:
    """Give a handler of so many branches, one after the other."""
    lines = ["from micropie import App", "class A(App):", "    async def ws_a(self, ws, x=''):"]
    lines += ["        await ws.accept()"]
    for number in range(length):
        lines += [f"        if x == '{number}':", "            await ws.send_text(x)"]
        lines += ["        else:", "            await ws.receive_text()"]
    return "\n".join(lines) + "\n"


def nested(depth: int) -> str:
    """Give a handler of branches and loops within each other."""
    lines = ["from micropie import App", "class A(App):", "    async def ws_a(self, ws, x=''):"]
    lines += ["        await ws.accept()"]
    for number in range(depth):
        indent = "    " * (number + 2)
        lines += [f"{indent}{'while' if number % 3 == 2 else 'if'} x:"]
        lines += [f"{indent}    await ws.receive_text()"]
    for number in reversed(range(depth)):
        if number % 3 != 2:
            indent = "    " * (number + 2)
            lines += [f"{indent}else:", f"{indent}    await ws.send_text(x)"]
    return "\n".join(lines) + "\n"


def growth(rounds: int) -> Iterator[str | Target]:
    """Measure how the analysis grows with a handler's length, and with its depth."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "handler.py")

        def milliseconds(source: str) -> float:
            file.write_text(source)
            return 1000 * min(timed(lambda: Checker().check(file)) for _ in range(rounds))

        yield f"{'Flow analysis of one handler':<34}  milliseconds"
        by_length = {length: milliseconds(long(length)) for length in (100, 200, 400, 800, 1600)}
        for length, took in by_length.items():
            yield f"  {f'{length} branches after another':<32}  {took:.1f}"
        by_depth = {depth: milliseconds(nested(depth)) for depth in (3, 6, 12, 18)}
        for depth, took in by_depth.items():
            yield f"  {f'{depth} branches within another':<32}  {took:.1f}"
    title = "twice as long takes at most 2.5 times"
    yield Target(title, by_length[1600] / by_length[800], MOST_GROWTH)
    title = "18 within another take at most 8 times 6"
    yield Target(title, by_depth[18] / by_depth[6], MOST_DEEPER)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="checking.py")
    parser.add_argument(
        "--rounds", type=int, default=9, metavar="N", help="how often to measure (default: 9)"
    )
    parser.add_argument(
        "--files",
        type=int,
        default=FILES,
        metavar="N",
        help=f"how many files of handlers (default: {FILES})",
    )
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 when a target is missed (default: 0)"
    )
    options = parser.parse_args(arguments)
    for name in ("rounds", "files"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} takes a number from 1 up, got {getattr(options, name)}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and give the exit status."""
    options = parse(arguments)
    parts = (
        beside_mypy(options.files, options.rounds),
        analysis(options.files, options.rounds),
        growth(options.rounds),
    )
    return told(parts, options.check)


if __name__ == "__main__":
    sys.exit(main())
