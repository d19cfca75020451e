"""What a benchmark prints: spreads, targets and where it was measured."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

__all__ = ["Spread", "Target", "machine", "told", "verdict"]


@dataclass(frozen=True)
class Spread:
    """The median, and the first and third quartile."""

    lower: float
    middle: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Take them from values in any order."""
        ordered = sorted(values)
        return cls(ordered[len(ordered) // 4], median(ordered), ordered[len(ordered) * 3 // 4])

    def show(self, digits: int, scale: float = 1) -> str:
        """Write them as `median (lower to upper)`."""
        lower, middle, upper = (
            f"{value * scale:.{digits}f}" for value in (self.lower, self.middle, self.upper)
        )
        return f"{middle} ({lower} to {upper})"


@dataclass(frozen=True)
class Target:
    """Something to reach: a value that is at most `bound`."""

    words: str
    value: float
    bound: float
    # A target below something is missed when it is equal.
    equal: bool = True
    # The value is to be at least `bound` instead.
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        inside = self.value > self.bound if self.least else self.value < self.bound
        return inside or (self.equal and self.value == self.bound)

    def __str__(self) -> str:
        """Give one line."""
        return f"  {'met   ' if self.met else 'MISSED'}  {self.words}: {_number(self.value)}"


def machine() -> str:
    """Say where it was measured."""
    cpu = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    except OSError:
        pass  # only Linux has it
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {cpu}, {os.cpu_count()} CPUs{load}"
    )


def told(parts: Iterable[Iterable[str | Target]], check: bool) -> int:
    """Print what is measured, line by line as it comes, and give the exit status.

    Args:
        parts: The lines, and the targets.
        check: Whether a target that is missed gives 1.
    """
    print(f"{machine()}\n", flush=True)
    targets: list[Target] = []
    for part in parts:
        for line in part:
            print(line, flush=True)
            if isinstance(line, Target):
                targets.append(line)
        print()
    print(verdict(targets))
    return 0 if all(target.met for target in targets) or not check else 1


def verdict(targets: Sequence[Target]) -> str:
    """Say how many targets are met."""
    return f"{sum(target.met for target in targets)} of {len(targets)} targets met."


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
