"""What happened in a case, as a sequence diagram: who tells whom what.

The steps come from the trace of a result, as `probe.Probe` and `live.wire.Wire` write it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Diagram", "Message", "diagram"]

_LANES: Final = ("server", "implementation", "caller")
_LIVE_LANES: Final = ("client", "server", "implementation", "handler")

# From which lane to which, counted from that of the server: the caller's is the second after it,
# the client's the one before. Equal ones are what happens in a lane.
_VERBS: Final = {
    "server has": (0, 0),
    "server will": (0, 0),
    "server works": (0, 0),
    "server holds": (0, 0),
    "server lets": (0, 0),
    "server raises": (0, 1),
    "reads": (0, 1),
    "sends": (1, 0),
    "constructor": (1, 2),
    "call": (2, 1),
    "waits": (1, 1),
    "cancel": (2, 1),
    "attribute": (1, 2),
    "returns": (1, 2),
    "raises": (1, 2),
}
_HANDLER_VERBS: Final = {
    "call": (2, 1),
    "is given": (0, 1),
    "sends": (1, 0),
    "is cancelled": (2, 2),
    "raises": (2, 2),
    "ends": (2, 2),
}
_CLIENT_VERBS: Final = {"gets": (0, -1), "is gone": (-1, -1)}

_LIVE: Final = re.compile(r"(client|handler) (\d+)\s+(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Message:
    """One step."""

    words: str
    # The numbers of its lanes. Equal: it is in one lane. None: it is about all of them.
    lanes: tuple[int, int] | None
    # Whether it answers a call.
    answer: bool = False


@dataclass(frozen=True, slots=True)
class Diagram:
    """Lanes, by name, and what goes on between them."""

    lanes: tuple[str, ...]
    messages: list[Message]


def diagram(trace: Sequence[str]) -> Diagram:
    """Give the diagram of a trace; a step that is not known is told as it is."""
    live = [_LIVE.fullmatch(step) for step in trace]
    if not any(live):
        return Diagram(_LANES, [_in_memory(step) for step in trace])
    # The number of a client tells something only where there are several.
    many = any(match is not None and match[2] != "1" for match in live)
    return Diagram(
        _LIVE_LANES,
        [
            Message(step, None) if match is None else _on_the_wire(match, many)
            for step, match in zip(trace, live, strict=True)
        ],
    )


def _in_memory(step: str) -> Message:
    verb = _longest(_VERBS, step)
    answer = verb in ("constructor", "returns", "raises")
    return Message(_plain(step), _VERBS[verb] if verb else None, answer)


def _on_the_wire(match: re.Match[str], many: bool) -> Message:
    side, number, words = match.groups()
    if side == "client":
        lanes = _CLIENT_VERBS.get(_longest(_CLIENT_VERBS, words), (-1, 0))
        answer = False
    else:
        # What is none of the verbs is a call and what it came to.
        verb = _longest(_HANDLER_VERBS, words)
        lanes = _HANDLER_VERBS.get(verb, (1, 2))
        answer = not verb
    prefix = f"{side} {number}: " if many else ""
    return Message(prefix + _plain(words), (lanes[0] + 1, lanes[1] + 1), answer)


def _longest(verbs: dict[str, tuple[int, int]], words: str) -> str:
    """Give the longest verb that the words begin with; empty: there is none."""
    plain = f"{_plain(words)} "
    found = [verb for verb in verbs if plain.startswith(f"{verb} ")]
    return max(found, key=len, default="")


def _plain(words: str) -> str:
    """Take out what aligns the words in a column."""
    return re.sub(r"^(\w+(?: \w+)?) {2,}", r"\1 ", words)
