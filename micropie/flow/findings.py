"""What the flow analysis finds: codes, severities, and the comments that silence them."""

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["CODES", "Code", "Finding", "Severity", "silence"]


class Severity(StrEnum):
    """How sure a finding is."""

    # Every path that comes to the place fails there.
    ERROR = "error"
    # Some path does, or the code is very likely not meant so.
    WARNING = "warning"


class Code(StrEnum):
    """What can be found; the name in `ignore[...]` is the value."""

    SEND_BEFORE_ACCEPT = "send-before-accept"
    RECEIVE_BEFORE_ACCEPT = "receive-before-accept"
    SECOND_ACCEPT = "second-accept"
    ACCEPT_AFTER_CLOSE = "accept-after-close"
    SEND_AFTER_CLOSE = "send-after-close"
    RECEIVE_AFTER_CLOSE = "receive-after-close"
    USE_AFTER_DISCONNECT = "use-after-disconnect"
    NO_ANSWER = "no-answer"
    SWALLOWED_DISCONNECT = "swallowed-disconnect"
    NEVER_AWAITED = "never-awaited"
    # mypy has an `unused-ignore` of its own.
    NEEDLESS_IGNORE = "needless-ignore"
    SYNTAX_ERROR = "syntax-error"


CODES: Final[dict[Code, str]] = {
    Code.SEND_BEFORE_ACCEPT: "A message is sent before the connection is accepted: RuntimeError.",
    Code.RECEIVE_BEFORE_ACCEPT: (
        "A message is awaited before the connection is accepted: RuntimeError."
    ),
    Code.SECOND_ACCEPT: "The connection is accepted a second time: RuntimeError.",
    Code.ACCEPT_AFTER_CLOSE: "The connection is accepted after close(): RuntimeError.",
    Code.SEND_AFTER_CLOSE: "A message is sent after close(): RuntimeError.",
    Code.RECEIVE_AFTER_CLOSE: (
        "A message is awaited after close(): ConnectionClosed, or RuntimeError if it was never "
        "accepted."
    ),
    Code.USE_AFTER_DISCONNECT: (
        "The connection is used after the client's disconnect was noticed: ConnectionClosed."
    ),
    Code.NO_ANSWER: (
        "A handler can end without accept() or close(): the client gets HTTP 403, without a word "
        "in the code."
    ),
    Code.SWALLOWED_DISCONNECT: (
        "An except swallows ConnectionClosed inside of an endless loop that receives: it runs for "
        "ever."
    ),
    Code.NEVER_AWAITED: "A method of the connection is called and never awaited: nothing happens.",
    Code.NEEDLESS_IGNORE: "A comment silences what is not found, or names no code.",
    Code.SYNTAX_ERROR: "The file is not valid Python, so it was not analysed.",
}
"""What each code says happens at run time."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that was found, at a place in a file."""

    # From 1.
    line: int
    # From 1, in characters.
    column: int
    code: Code
    severity: Severity
    message: str
    # The line where the state came from; None: there is none to name.
    origin: int | None = None


_COMMENT: Final = re.compile(r"#\s*micropie:\s*ignore\b(?:\[(?P<codes>[^\]]*)\])?")
_KNOWN: Final = frozenset(Code)


def silence(source: str, findings: Iterable[Finding]) -> list[Finding]:
    """Leave out the findings that comments in the source silence, and add the unused comments.

    Args:
        source: It is valid Python.
        findings: Those in it.
    """
    found = sorted(findings)
    if "micropie:" not in source:
        return found
    kept: list[Finding] = []
    comments = list(_comments(source))
    used: set[tuple[int, str]] = set()
    by_line = {line: codes for line, _, codes in comments}
    for finding in found:
        if finding.code in by_line.get(finding.line, ()):
            used.add((finding.line, finding.code))
        else:
            kept.append(finding)
    for line, column, codes in comments:
        kept += (
            Finding(line, column, Code.NEEDLESS_IGNORE, Severity.WARNING, message)
            for message in _unused(codes, {code for at, code in used if at == line})
        )
    return sorted(kept)


def _unused(codes: list[str], used: set[str]) -> Iterator[str]:
    if not codes:
        yield "the comment names no code: write # micropie: ignore[code]"
    for code in codes:
        if code not in _KNOWN:
            yield f"there is no code {code!r} to ignore: it is one of {', '.join(sorted(_KNOWN))}"
        elif code not in used:
            yield f"the comment ignores {code}, which is not found here: delete it"


def _comments(source: str) -> Iterator[tuple[int, int, list[str]]]:
    """Give line, column and codes of each comment that silences."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and (match := _COMMENT.search(token.string)):
            codes = [code.strip() for code in (match["codes"] or "").split(",")]
            line, column = token.start
            yield line, column + match.start() + 1, [code for code in codes if code]
