"""What `micropie verify` costs: sequences explored, the whole command, and how depth makes it grow.

`make bench` runs it after the benchmark of the WebSocket.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from time import perf_counter, process_time

from micropie_conformance.explore.cases import explore
from micropie_conformance.explore.cases import explored as cases
from micropie_conformance.runner import Runner
from micropie_conformance.worker import resolve
from targets import Spread, Target, told

TARGET = "micropie:WebSocket"
# The default of `micropie verify`, and how deep CI goes.
DEPTH = 3
DEEPEST = 4

LEAST_A_SECOND = 60_000
MOST_SECONDS = 3
MOST_MIB = 150


def sequences(depth: int) -> tuple[int, float]:
    """Explore in this process; give the number of sequences and the processor's seconds."""
    runner = Runner(resolve(TARGET, None))
    start = process_time()
    count = max(news for news in explore(runner, cases(), depth) if isinstance(news, int))
    return count, process_time() - start


def command() -> tuple[float, float]:
    """Run the whole command; give the seconds that it took and its most memory, in MiB.

    That is the memory of the largest of its processes.
    """
    start = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "micropie", "verify", TARGET, "--strict"], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"micropie verify ended with {process.returncode}")
    # In KiB, and in bytes on macOS.
    return seconds, usage.ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))


def growth(deepest: int, rounds: int) -> Iterator[str | Target]:
    """Measure depth by depth: a line for each, and the target."""
    title = "Explored in one process, to depth"
    yield f"{title:<34}{'sequences':>12}  {'seconds of one core':<24}a second"
    for depth in range(1, deepest + 1):
        # The deepest takes as long as many of the others.
        measured = [sequences(depth) for _ in range(rounds if depth <= DEPTH else 1)]
        count = measured[0][0]
        rates = Spread.of([count / seconds for count, seconds in measured])
        seconds = Spread.of([seconds for _, seconds in measured])
        yield f"  {depth:<32}{count:>12,}  {seconds.show(3):<24}{rates.middle:,.0f}"
        if depth == DEPTH:
            rate = rates.middle
    yield Target("at least 60,000 sequences a second", rate, LEAST_A_SECOND, least=True)


def whole(rounds: int) -> Iterator[str | Target]:
    """Measure the whole command: a line, and the targets."""
    measured = [command() for _ in range(rounds)]
    seconds = Spread.of([seconds for seconds, _ in measured])
    memory = max(mib for _, mib in measured)
    yield f"{f'micropie verify {TARGET} --strict':<46}  seconds, median (quartiles)"
    yield f"  {'from start to end':<44}  {seconds.show(2)}"
    yield Target("below 3 s", seconds.middle, MOST_SECONDS, equal=False)
    yield Target("below 150 MiB", memory, MOST_MIB, equal=False)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="suite.py")
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="how often to measure (default: 5)"
    )
    parser.add_argument(
        "--deepest",
        type=int,
        choices=range(DEPTH, 7),
        default=DEEPEST,
        metavar="N",
        help=f"how deep to explore, {DEPTH} to 6 (default: {DEEPEST}, about a minute)",
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
    parts = (growth(options.deepest, options.rounds), whole(options.rounds))
    return told(parts, options.check)


if __name__ == "__main__":
    sys.exit(main())
