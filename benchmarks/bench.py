"""What a WebSocket costs, beside bare ASGI callables, PyPI's micropie and Starlette.

`make bench` runs it. Everything is measured in one process, in many short rounds that take turns,
and compared within each round, so that what else the machine does falls on all alike. No event
loop takes part: the server never waits, so one step runs a coroutine to its end.
"""

import argparse
import gc
import importlib.util
import sys
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from time import perf_counter
from types import FunctionType
from typing import Any

import starlette.applications
import starlette.routing
import starlette.websockets
from fake_server import SCOPE, Talk, Visit
from targets import Spread, Target, machine, verdict

import micropie

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "examples"))

import upstream  # noqa: E402 - found in the folder that was added above

OURS = "micropie.WebSocket"
BARE = "bare ASGI callables"
STARLETTE = f"starlette {metadata.version('starlette')}"
PYPI = f"PyPI's micropie {upstream.VERSION}"

# A turn of one contender in a round: short, so that contenders that are compared run at the same
# time, and long enough for the clock.
ECHOES = 500
CONNECTIONS = 25
OBJECTS = 20_000

MOST_TIMES_BARE = 1.75
MOST_BYTES = 80

# `Any`: what is compared here has no common type; PyPI's micropie has none at all.
Echo = Callable[[Any, int], Coroutine[Any, Any, None]]
Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
Turn = Callable[[], float]


@dataclass(frozen=True)
class Contender:
    """One way to write an echo."""

    name: str
    # Makes the connection of `receive` and `send`.
    connect: Callable[[Any, Any], Any]
    echo: Echo
    # The applications whose handlers close, and wait until the client leaves.
    closing: Application
    waiting: Application


def own(function: Any) -> Any:
    """Copy a function together with its code.

    Since Python 3.11 the interpreter specialises code to the classes that it meets in it. Code
    that is shared would be specialised to one contender and be slower for the others.
    """
    code = function.__code__.replace()
    return FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )


# The echoes


async def echo(ws: Any, count: int) -> None:
    """Echo texts through a WebSocket object; it is the same for all three classes."""
    for _ in range(count):
        await ws.send_text(await ws.receive_text())


async def bare_echo(server: tuple[Any, Any], count: int) -> None:
    """Echo texts with bare ASGI callables."""
    receive, send = server
    for _ in range(count):
        event = await receive()
        # Without a look at the type, a client that has left would be a KeyError.
        if event["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": event["text"]})


async def bare_closing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept, echo one text and close, with bare ASGI callables."""
    if (await receive())["type"] == "websocket.connect":
        await send({"type": "websocket.accept"})
        event = await receive()
        if event["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": event["text"]})
            await send({"type": "websocket.close", "code": 1000})


async def bare_waiting(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept, and echo until the client leaves, with bare ASGI callables."""
    if (await receive())["type"] == "websocket.connect":
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": event["text"]})


def micropie_applications(module: Any) -> tuple[Application, Application]:
    """Make the two applications with a MicroPie: ours or PyPI's."""
    closed: type[Exception] = module.ConnectionClosed

    async def closing(self: object, ws: Any, room: str) -> None:
        await ws.accept()
        await ws.send_text(await ws.receive_text())
        await ws.close()

    async def waiting(self: object, ws: Any, room: str) -> None:
        await ws.accept()
        try:
            while True:
                await ws.send_text(await ws.receive_text())
        except closed:
            pass

    def application(handler: Any) -> Any:
        return type("Application", (module.App,), {"ws_echo": own(handler)})()

    return application(closing), application(waiting)


def starlette_applications() -> tuple[Application, Application]:
    """Make the two applications with Starlette."""

    async def closing(ws: starlette.websockets.WebSocket) -> None:
        await ws.accept()
        await ws.send_text(await ws.receive_text())
        await ws.close()

    async def waiting(ws: starlette.websockets.WebSocket) -> None:
        await ws.accept()
        try:
            while True:
                await ws.send_text(await ws.receive_text())
        except starlette.websockets.WebSocketDisconnect:
            pass

    def application(handler: Any) -> Application:
        route = starlette.routing.WebSocketRoute("/echo/{room}", handler)
        return starlette.applications.Starlette(routes=[route])

    return application(closing), application(waiting)


def contenders(pypi: Path | None) -> list[Contender]:
    """Give all of them; PyPI's only when its file is there."""
    found = [
        Contender(
            BARE, lambda receive, send: (receive, send), bare_echo, bare_closing, bare_waiting
        ),
        Contender(OURS, micropie.WebSocket, own(echo), *micropie_applications(micropie)),
    ]
    if pypi is not None:
        spec = importlib.util.spec_from_file_location("pypi_micropie", pypi)
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.append(Contender(PYPI, module.WebSocket, own(echo), *micropie_applications(module)))

    def connect(receive: Any, send: Any) -> starlette.websockets.WebSocket:
        return starlette.websockets.WebSocket({"type": "websocket"}, receive, send)

    found.append(Contender(STARLETTE, connect, own(echo), *starlette_applications()))
    return found


# How they are measured


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits to its end."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("something waited: it would need an event loop")


def echo_turn(contender: Contender) -> Turn:
    """Give what measures the seconds for one echo on an open connection."""
    server = Talk()
    ws = contender.connect(server.receive, server.send)
    if contender.name != BARE:
        run(ws.accept())
    server.kind = "websocket.receive"

    def turn() -> float:
        coroutine = contender.echo(ws, ECHOES)
        start = perf_counter()
        run(coroutine)
        end = perf_counter()
        if server.sent.get("text") != "hello":
            raise RuntimeError(f"{contender.name} sent {server.sent!r} instead of the echo")
        return (end - start) / ECHOES

    return turn


def connection_turn(application: Application, last: str) -> Turn:
    """Give what measures the seconds for one connection, whose `last` event sent is checked."""

    def turn() -> float:
        visits = [Visit() for _ in range(CONNECTIONS)]
        calls: Any = [application(dict(SCOPE), visit.receive, visit.send) for visit in visits]
        start = perf_counter()
        for call in calls:
            run(call)
        end = perf_counter()
        for visit in visits:
            if visit.sent["type"] != last:
                raise RuntimeError(f"{application!r} ended with {visit.sent!r}, not with {last}")
        return (end - start) / CONNECTIONS

    return turn


def take_turns(turns: Mapping[str, Turn], rounds: int) -> dict[str, list[float]]:
    """Measure each contender once in each round; which comes first changes from round to round."""
    terminal = sys.stderr.isatty()
    for turn in turns.values():
        turn()  # warms up: caches are filled, code is specialised
    names = list(turns)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    collects = gc.isenabled()
    gc.disable()
    try:
        for number in range(rounds):
            if terminal and number % 10 == 0:
                print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
            gc.collect()
            first = number % len(names)
            # Every other time backwards, so that none always runs after the same one.
            order = [*names[first:], *names[:first]][:: -1 if number // len(names) % 2 else 1]
            for name in order:
                seconds[name].append(turns[name]())
    finally:
        if collects:
            gc.enable()
        if terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
    return seconds


def size(contender: Contender) -> float:
    """Give the bytes that a new object takes, with what belongs to it alone."""
    server = Talk()
    receive, send = server.receive, server.send
    objects: list[object] = [None] * OBJECTS
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for index in range(OBJECTS):
            objects[index] = contender.connect(receive, send)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / OBJECTS


# How it is told


def ratios(seconds: Mapping[str, list[float]], name: str, base: str) -> Spread:
    """Compare two contenders round by round."""
    return Spread.of([one / other for one, other in zip(seconds[name], seconds[base], strict=True)])


def table(title: str, seconds: Mapping[str, list[float]], digits: int, unit: str) -> Iterator[str]:
    """Write times."""
    scale = {"ns": 1e9, "us": 1e6}[unit]
    yield f"{title:<34}{unit + ', median (quartiles)':<30}x bare"
    for name, times in seconds.items():
        ratio = ratios(seconds, name, BARE).show(2) if name != BARE else "1"
        yield f"  {name:<32}{Spread.of(times).show(digits, scale):<30}{ratio}"


def below(seconds: Mapping[str, list[float]]) -> list[Target]:
    """Compare ours with the other implementations."""
    return [
        Target(f"below {name}, ratio", ratios(seconds, OURS, name).middle, 1, equal=False)
        for name in seconds
        if name not in (OURS, BARE)
    ]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="bench.py")
    parser.add_argument(
        "--rounds", type=int, default=300, metavar="N", help="rounds to measure (default: 300)"
    )
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 when a target is missed (default: 0)"
    )
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds takes a number from 1 up, got {options.rounds}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and give the exit status."""
    options = parse(arguments)
    pypi = upstream.fetch(ROOT / "build" / "upstream")
    if pypi is None:
        print(f"{PYPI} is left out.")
    field = contenders(pypi)
    print(f"{machine()}\n{options.rounds} rounds\n", flush=True)

    targets: list[Target] = []
    rounds = options.rounds
    seconds = take_turns({one.name: echo_turn(one) for one in field}, rounds)
    print(*table("One echo in memory", seconds, 0, "ns"), sep="\n")
    met = [
        Target(
            f"at most {MOST_TIMES_BARE} x bare", ratios(seconds, OURS, BARE).middle, MOST_TIMES_BARE
        ),
        *below(seconds),
    ]
    print(*met, "", sep="\n", flush=True)
    targets += met

    for title, turns in {
        "One connection, handler closes": {
            one.name: connection_turn(one.closing, "websocket.close") for one in field
        },
        "One connection, client leaves": {
            one.name: connection_turn(one.waiting, "websocket.send") for one in field
        },
    }.items():
        seconds = take_turns(turns, rounds)
        print(*table(title, seconds, 1, "us"), sep="\n")
        met = below(seconds)
        print(*met, "", sep="\n", flush=True)
        targets += met

    print(f"{'One WebSocket object':<34}bytes")
    sizes = {one.name: size(one) for one in field if one.name != BARE}
    for name, count in sizes.items():
        print(f"  {name:<32}{count:.0f}")
    met = [Target(f"at most {MOST_BYTES} bytes", round(sizes[OURS]), MOST_BYTES)]
    print(*met, "", sep="\n")
    targets += met

    print(verdict(targets))
    return 0 if all(target.met for target in targets) or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
