"""What the flow analysis has found, remembered for as long as nothing changes that decided it."""

import json
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeAlias, TypedDict, cast

from micropie.check.files import PACKAGE

__all__ = ["Memory", "Remembered", "fingerprint"]

# As in a Finding: line, column, code, severity, message, origin.
Remembered: TypeAlias = tuple[int, int, str, str, str, int | None]

# So many nanoseconds the clock of a file system may be behind, which moves by ticks.
TICK: Final = 20_000_000

# The times of files have so many nanoseconds between them in the coarsest file system, FAT: what
# changes twice within that has the same time.
GRAIN: Final = 2_000_000_000


class _Known(TypedDict):
    # The digests of all files that had a part in it; None: there is no such file.
    consulted: dict[str, str | None]
    # By file: its status, if that is old enough to tell of a change, its digest, and what was
    # found in it.
    found: dict[str, tuple[list[int] | None, str | None, list[Remembered]]]


class Memory:
    """Findings by file, in a file of a cache folder.

    A file's own findings are forgotten when it changes, all of them when another file does that
    was consulted for any of them, such as that of a base class.

    Args:
        folder: The cache folder; None: nothing is remembered.
        here: Where imports are looked for besides.
    """

    def __init__(self, folder: Path | None, here: Path) -> None:
        """Read what is remembered, if it is of this package and this Python."""
        self._began = time.time_ns() - TICK
        # By absolute path, as a string: of many files, each Path would take its time.
        self._digests: dict[str, str | None] = {}
        self._known = _Known(consulted={}, found={})
        self._file = folder and folder / f"flow-{fingerprint(os.fsencode(here))}.json"
        self._of = ""
        if self._file is not None:
            self._of = fingerprint(b"".join([sys.version.encode(), *_contents(PACKAGE)]))
            self._read(self._file)

    def _read(self, file: Path) -> None:
        try:
            of, digest, text = file.read_text(encoding="utf-8").split("\n", 2)
        except (OSError, ValueError):
            return
        # What is damaged is not to be taken for something that was found.
        if (of, digest) == (self._of, fingerprint(text.encode())):
            known = cast(_Known, json.loads(text))  # as it was written
            if all(self._digest_of(path) == its for path, its in known["consulted"].items()):
                self._known = known

    def recall(self, file: Path) -> list[Remembered] | None:
        """Give what was found in a file; None: that is not known, or no longer so."""
        path = os.path.abspath(file)
        if path not in self._known["found"]:
            return None
        status, digest, findings = self._known["found"][path]
        # What is the same file is not read; another may have the same content.
        same = status is not None and status == _status(path)
        return findings if same or digest == self._digest_of(path) else None

    def keep(self, found: Mapping[str, list[Remembered]], consulted: Iterable[Path]) -> None:
        """Remember what was found in files, and which others had a part in it.

        Of what has changed since the beginning, it cannot be told what was read. That nothing can
        be written is no fault.
        """
        others = {os.path.abspath(path) for path in consulted}
        if self._file is None or any(map(self._is_new, others)):
            return
        known = self._known
        known["consulted"].update((path, self._digest_of(path)) for path in others)
        for file, findings in found.items():
            path = os.path.abspath(file)
            digest, status = self._digest_of(path), _status(path)
            if status is None or self._is_recent(status):
                known["found"].pop(path, None)
            else:
                settled = max(status[:2]) < self._began - GRAIN
                known["found"][path] = status if settled else None, digest, findings
        known["found"] = {path: its for path, its in known["found"].items() if os.path.exists(path)}
        self._write(self._file, json.dumps(known))

    def _write(self, file: Path, text: str) -> None:
        new = file.with_suffix(f".{os.getpid()}")
        try:
            new.write_text(f"{self._of}\n{fingerprint(text.encode())}\n{text}", encoding="utf-8")
            # At once: another check may be reading it.
            new.replace(file)
        except OSError:
            new.unlink(missing_ok=True)

    def _digest_of(self, path: str) -> str | None:
        if path not in self._digests:
            try:
                is_file = stat.S_ISREG(os.stat(path).st_mode)
                # Not what is no file: one would wait for ever to read a pipe.
                self._digests[path] = fingerprint(_content(path)) if is_file else None
            except OSError:
                self._digests[path] = None
        return self._digests[path]

    def _is_new(self, path: str) -> bool:
        """Whether a file has come, changed or gone since the beginning."""
        while (status := _status(path)) is None:
            # That something has gone shows in the folder that it was in.
            path = os.path.dirname(path)
        return self._is_recent(status)

    def _is_recent(self, status: list[int]) -> bool:
        last = max(status[:2])
        # Whole seconds may be those of a coarse file system, which has rounded them.
        return last >= self._began - (0 if last % 1_000_000_000 else GRAIN)


def _status(path: str) -> list[int] | None:
    """Give what differs once a file has changed, as JSON has it; None: there is no file."""
    try:
        its = os.stat(path)
    except OSError:
        return None
    return [its.st_mtime_ns, its.st_ctime_ns, its.st_size, its.st_ino]


def _contents(folder: Path) -> Iterator[bytes]:
    for inside, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith(".py"):
                yield _content(os.path.join(inside, name))


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def fingerprint(content: bytes) -> str:
    """Give a name for some content that no other has."""
    return blake2b(content, digest_size=16).hexdigest()
