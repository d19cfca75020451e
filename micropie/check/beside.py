"""The flow analysis in another process, beside what this one does."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeAlias, cast

from micropie.check.memory import Remembered

__all__ = ["Analysed", "beside", "has_room"]

# By file, as it was named.
Analysed: TypeAlias = dict[str, list[Remembered]]

# Until its search path is the same as here, it may import what is Python's own alone.
_PROGRAM = """\
import json, sys
sys.path[:], here, cache, files = json.load(sys.stdin)
from pathlib import Path
from micropie.check.flow import Flow
found = Flow(Path(here), cache and Path(cache)).analyse(map(Path, files))
json.dump(found, sys.stdout)
"""


def has_room() -> bool:
    """Tell whether there is another processor for what is done beside."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) > 1
    return (os.cpu_count() or 1) > 1


def _isolation() -> list[str]:
    """Give the options that keep this Python from what its environment names."""
    flags = {
        "-E": sys.flags.ignore_environment,
        "-s": sys.flags.no_user_site,
        "-S": sys.flags.no_site,
    }
    return [option for option, is_set in flags.items() if is_set]


@contextmanager
def beside(
    here: Path, cache: Path | None, files: Iterable[Path]
) -> Generator[Callable[[], Analysed | None], None, None]:
    """Analyse files in another process, which ends with this block at the latest.

    Args:
        here: As of a Flow.
        cache: As of a Flow.
        files: What is to be analysed.

    Yields:
        What waits for the findings and gives them. None: it has failed, which shows why when the
        same is done here.
    """
    # Files: of pipes, someone has to read the other end.
    with (
        TemporaryFile("w+", encoding="ascii") as question,
        TemporaryFile("w+", encoding="ascii", errors="replace") as answer,
    ):
        # Whatever else may be there: Python passes over it.
        path = [folder for folder in sys.path if isinstance(folder, str)]
        json.dump([path, str(here), cache and str(cache), [*map(str, files)]], question)
        question.seek(0)
        command = [sys.executable, *_isolation(), "-P", "-c", _PROGRAM]
        process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):
            process = subprocess.Popen(
                command, stdin=question, stdout=answer, stderr=subprocess.DEVNULL
            )

        def result() -> Analysed | None:
            if process is None or process.wait() != 0:
                return None
            answer.seek(0)
            try:
                return cast(Analysed, json.load(answer))  # as it was written
            except ValueError:
                # What Python starts with, such as a sitecustomize.py, has written there too.
                return None

        try:
            yield result
        finally:
            if process is not None:
                process.kill()
                process.wait()
