"""Work beside other work: in another process where that is of use, and with the same result."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import pytest

from micropie.check.beside import beside

# Begins some work, does some of its own, then waits for the other.
_PROGRAM: Final = """\
import os, pathlib, signal, sys
os.sched_getaffinity = lambda _: {0, 1}
from micropie.check.beside import beside

this = os.getpid()

def work():
    if os.getpid() != this:
        pathlib.Path("other").write_text("")
%s
    return os.getpid() == this

result = beside(work)
print("here")
print(result())
"""

# What the other process does after it has begun, and whether the work is then done here.
_OTHERS: Final = {
    "ends": ("    pass", False),
    "is killed": ("    if os.getpid() != this: os.kill(os.getpid(), signal.SIGKILL)", True),
    "fails": ("    if os.getpid() != this: raise SystemExit('failed there')", True),
}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not done")
@pytest.mark.parametrize("other", _OTHERS)
def test_in_another_process(other: str, tmp_path: Path) -> None:
    does, here = _OTHERS[other]
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM % does],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f"here\n{here}\n", "")
    assert Path(tmp_path, "other").exists()


def test_what_the_work_raises() -> None:
    """It is raised here, after the other process has failed, which says nothing."""
    program = _PROGRAM % "    raise ValueError('of the work')"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.endswith("ValueError: of the work\n")


@pytest.mark.parametrize("hindrance", ["one processor", "threads"])
def test_in_this_process(hindrance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    processors, threads = ({0}, 1) if hindrance == "one processor" else ({0, 1}, 2)

    def affinity(_: int) -> set[int]:
        return processors

    monkeypatch.setattr(os, "sched_getaffinity", affinity, raising=False)
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    done: list[int] = []
    result = beside(lambda: done.append(os.getpid()))
    assert done == []
    result()
    assert done == [os.getpid()]
