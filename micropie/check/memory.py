"""What the flow analysis has found, remembered for as long as nothing changes that decided it."""

import json
import os
import sys
import time
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import TypedDict, cast

from micropie.check.files import PACKAGE

__all__ = ["Memory"]

# As in a Finding: line, column, code, severity, message, origin.
Remembered = tuple[int, int, str, str, str, int | None]


# So many nanoseconds the clock of a file system may be behind, which moves by ticks.
_TICK = 20_000_000


class _Known(TypedDict):
    # The digests of files by their paths; None: there is no such file.
    consulted: dict[str, str | None]
    findings: list[Remembered]


class Memory:
    """Findings by file, in a file of a cache folder.

    Args:
        folder: The cache folder; None: nothing is remembered.
        here: Where imports are looked for besides.
    """

    def __init__(self, folder: Path | None, here: Path) -> None:
        """Read what is remembered, if it is of this package and this Python."""
        self._began = time.time_ns() - _TICK
        self._digests: dict[str, str | None] = {}
        self._file = folder and folder / f"flow-{_digest(os.fsencode(here))}.json"
        self._known: dict[str, _Known] = {}
        self._of = ""
        self._changed = False
        if self._file is not None:
            parts = [sys.version.encode(), *(file.read_bytes() for file in _package())]
            self._of = _digest(b"".join(parts))
            try:
                of, digest, text = self._file.read_text(encoding="utf-8").split("\n", 2)
                # What is damaged is not to be taken for something that was found.
                if (of, digest) == (self._of, _digest(text.encode())):
                    self._known = cast(dict[str, _Known], json.loads(text))
            except (OSError, ValueError):
                pass

    def recall(self, file: Path) -> list[Remembered] | None:
        """Give what was found in a file; None: that is not known, or no longer so."""
        known = self._known.get(os.path.abspath(file))
        if known is None or any(
            self._digest_of(path) != digest for path, digest in known["consulted"].items()
        ):
            return None
        return known["findings"]

    def keep(self, file: Path, consulted: Iterable[Path], findings: list[Remembered]) -> None:
        """Remember what was found in a file, and which files decided that."""
        paths = [*dict.fromkeys(map(str, consulted))]
        # What is changed meanwhile may not be what was read.
        if self._file is not None and paths and not any(map(self._is_new, paths)):
            its = {path: self._digest_of(path) for path in paths}
            self._known[os.path.abspath(file)] = {"consulted": its, "findings": findings}
            self._changed = True

    def save(self) -> None:
        """Write what is new; that it cannot be written is no fault."""
        if self._file is None or not self._changed:
            return
        text = json.dumps({file: its for file, its in self._known.items() if os.path.exists(file)})
        new = self._file.with_suffix(f".{os.getpid()}")
        try:
            new.write_text(f"{self._of}\n{_digest(text.encode())}\n{text}", encoding="utf-8")
            # At once: another check may be reading it.
            new.replace(self._file)
        except OSError:
            new.unlink(missing_ok=True)

    def _digest_of(self, path: str) -> str | None:
        if path not in self._digests:
            try:
                with open(path, "rb") as opened:
                    self._digests[path] = _digest(opened.read())
            except OSError:
                self._digests[path] = None
        return self._digests[path]

    def _is_new(self, path: str) -> bool:
        try:
            status = os.stat(path)
        except OSError:
            return False
        return max(status.st_mtime_ns, status.st_ctime_ns) >= self._began


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _package() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))
