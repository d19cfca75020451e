"""What servers do of their own accord, which no case may charge to an implementation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from micropie_conformance.runner import Result, Verdict

__all__ = ["HABITS", "Habit", "Sign", "habits", "judged", "waits_in_vain"]


@dataclass(frozen=True, slots=True)
class Sign:
    """How a habit shows in the results of cases.

    What was expected, what was observed, and the step that shows that the implementation did its
    part are matched as one regular expression, so that one can refer to a group of another.
    """

    # Their ids.
    cases: tuple[str, ...]
    expected: str
    observed: str
    # A whole line of the trace.
    step: str
    # Whether the case waits in vain. Such a case is given less time.
    late: bool = False


@dataclass(frozen=True, slots=True)
class Habit:
    """One habit of a server."""

    # What the server does, in words that follow its name.
    text: str
    # The version that was last seen to do it.
    seen: str
    # What the cases make of it; empty: they cannot allow for it, and it shows.
    allowance: str = ""
    sign: Sign | None = None
    # The workers that have it; empty: each has.
    workers: tuple[str, ...] = ()


_HYPERCORN: Final = "0.18.0"
_HTTP_2: Final = ("asyncio+h2", "uvloop+h2")
_UVICORN: Final = "0.54.0"
_GRANIAN: Final = "2.8.9"
_DAPHNE: Final = "4.2.3"

_ASKS_AGAIN: Final = "An implementation that asks again shows at the deadline of the case."
_SENDS_NOTHING: Final = "An accept() or close() that sends nothing shows as that."
_MAY_RETURN: Final = "A send to a client that is gone may return, and so may accept()."
_NOT_JUDGED: Final = "What the client gets then is not judged."
_OFFERED: Final = "Where a subprotocol is to be accepted, the client offers it."

# The accept has exactly the cookie that is expected.
_COOKIE: Final = Sign(
    ("WS-WIRE-003/cookie/alone", "WS-WIRE-003/cookie/with-a-subprotocol"),
    r"one Set-Cookie header, with (?P<pair>\S+)",
    "none",
    r"handler \d +sends +websocket\.accept (?!.*set-cookie.*set-cookie)"
    r".*'set-cookie', b?'(?P=pair)[;'].*",
)


HABITS: Final[Mapping[str, Mapping[str, Habit]]] = {
    "hypercorn": {
        "disconnect-code": Habit(
            "gives every disconnect code 1006 and no reason, whatever the client sent",
            _HYPERCORN,
            "The code and the reason of a disconnect are not judged.",
        ),
        "second-receive": Habit(
            "never returns from receive() after the disconnect", _HYPERCORN, _ASKS_AGAIN
        ),
        "send-to-nobody": Habit(
            "does nothing and raises nothing in send() to a client that is gone",
            _HYPERCORN,
            _MAY_RETURN,
        ),
        "no-close": Habit(
            "closes with code 1011 when the application ends and has not closed",
            _HYPERCORN,
            _NOT_JUDGED,
        ),
        "no-answer": Habit(
            "answers with HTTP 500 when the application ends and has not answered",
            _HYPERCORN,
            _SENDS_NOTHING,
        ),
        "unoffered-subprotocol": Habit(
            "raises a bare Exception for a subprotocol that the client did not offer, and on "
            "trio the whole server ends",
            _HYPERCORN,
            _OFFERED,
        ),
        "busy": Habit(
            "raises trio.BusyResourceError when a close frame meets a send: in the application "
            "or in the server itself, which ends then",
            _HYPERCORN,
            "Where the server failed, the case is tried again.",
            workers=("trio",),
        ),
        "half-close": Habit(
            "takes no notice when the client ends its direction of an HTTP/2 stream",
            _HYPERCORN,
            "The cases about that are `n/a`.",
            workers=_HTTP_2,
        ),
        "open-stream": Habit(
            "never ends an HTTP/2 stream that the client has closed, and drops the connection when "
            "more comes on it",
            _HYPERCORN,
            "The client ends the connection once both sides have sent a close frame.",
            workers=_HTTP_2,
        ),
    },
    "uvicorn": {
        "second-receive": Habit(
            "gives one disconnect more, with code 1005, and then never returns from receive()",
            _UVICORN,
            _ASKS_AGAIN,
        ),
        "send-to-nobody": Habit(
            "raises ClientDisconnected, an OSError, in send() to a client that is gone",
            _UVICORN,
            "A send to a client that is gone may raise ConnectionClosed; the OSError must not "
            "come out.",
        ),
        "no-close": Habit(
            "ends the TCP connection without a close frame when the application ends and has not "
            "closed",
            _UVICORN,
            _NOT_JUDGED,
        ),
        "no-answer": Habit(
            "answers with HTTP 500 when the application ends and has not answered",
            _UVICORN,
            _SENDS_NOTHING,
        ),
        "unoffered-subprotocol": Habit(
            "sends a subprotocol that the client did not offer",
            _UVICORN,
            _OFFERED,
            workers=("websockets-sansio",),
        ),
        "unoffered-subprotocol-refused": Habit(
            "raises LocalProtocolError for a subprotocol that the client did not offer",
            _UVICORN,
            _OFFERED,
            workers=("wsproto",),
        ),
    },
    "granian": {
        "disconnect-code": Habit(
            "gives the code of a disconnect without its reason",
            _GRANIAN,
            "The code and the reason of a disconnect are not judged.",
        ),
        "second-receive": Habit(
            "gives one more disconnect, with code 1005, in each receive()",
            _GRANIAN,
            "An implementation that asks again does not show.",
        ),
        "send-to-nobody": Habit(
            "does nothing and raises nothing in send() to a client that is gone",
            _GRANIAN,
            _MAY_RETURN,
        ),
        "no-close": Habit(
            "closes without a code when the application ends and has not closed",
            _GRANIAN,
            _NOT_JUDGED,
        ),
        "no-answer": Habit(
            "answers with HTTP 403 when the application ends and has not answered",
            _GRANIAN,
            "A close() that sends nothing before accept() does not show.",
        ),
        "unoffered-subprotocol": Habit(
            "sends a subprotocol that the client did not offer", _GRANIAN, _OFFERED
        ),
        "headers": Habit("drops the headers of websocket.accept", _GRANIAN, sign=_COOKIE),
        "gone-early": Habit(
            "says nothing of a client that is gone until websocket.accept is sent",
            _GRANIAN,
            sign=Sign(
                (
                    "WS-WIRE-020/client-vanishes-early/receive-text",
                    "WS-WIRE-020/client-vanishes-early/receive-bytes",
                    "WS-WIRE-027/closes-to-vanished",
                ),
                "",
                "nothing within .* seconds",
                # The implementation is not called before the server has told.
                "client 1 +is gone",
                late=True,
            ),
        ),
    },
    "daphne": {
        "disconnect-code": Habit(
            "gives the code of a disconnect without its reason, and None where there is no code",
            _DAPHNE,
            "The code and the reason of a disconnect are not judged.",
        ),
        "second-receive": Habit(
            "never returns from receive() after the disconnect", _DAPHNE, _ASKS_AGAIN
        ),
        "send-to-nobody": Habit(
            "does nothing and raises nothing in send() to a client that is gone",
            _DAPHNE,
            _MAY_RETURN,
        ),
        "no-close": Habit(
            "leaves the connection open when the application ends and has not closed",
            _DAPHNE,
            _NOT_JUDGED,
        ),
        "no-answer": Habit(
            "leaves the client without an answer when the application ends and has not answered",
            _DAPHNE,
            "An accept() or close() that sends nothing shows at the deadline of the case.",
        ),
        "unoffered-subprotocol": Habit(
            "leaves the client without an answer when it did not offer the subprotocol",
            _DAPHNE,
            _OFFERED,
        ),
        "headers": Habit("drops the headers of websocket.accept", _DAPHNE, sign=_COOKIE),
        "close-reason": Habit(
            "drops the reason of websocket.close",
            _DAPHNE,
            sign=Sign(
                tuple(
                    f"WS-WIRE-023/closes-with/{row}"
                    for row in ("reason", "both", "highest", "unicode", "longest")
                ),
                r"the client gets a close frame with code (?P<code>\d+), "
                r"reason (?P<reason>(?P<start>.{3,100}).*)",
                r"the client gets a close frame with code (?P=code), reason ''",
                # The longest is shortened in the trace, where its length stands.
                r"handler \d +sends +websocket\.close (|.*, )"
                r"reason=((?P=reason)|(?P=start)\.\.\. \(123 characters\))(|, .*)",
            ),
        ),
        "empty": Habit(
            "drops messages that are empty",
            _DAPHNE,
            sign=Sign(
                ("WS-WIRE-013/empty-to-client/text", "WS-WIRE-013/empty-to-client/bytes"),
                "the client gets (text|binary) (?P<empty>b?'')",
                "the client gets (text|binary) b?'plain'",
                r"handler \d +sends +websocket\.send (|.*, )(text|bytes)=(?P=empty)(|, .*)",
            ),
        ),
    },
}
"""The habits of each server, by a short name."""


def habits(door: str) -> dict[str, Habit]:
    """Give the habits behind a door, `server:worker`, by their short names."""
    server, _, worker = door.partition(":")
    return {
        name: habit
        for name, habit in HABITS[server].items()
        if not habit.workers or worker in habit.workers
    }


def waits_in_vain(case: str, door: str) -> bool:
    """Whether a habit makes the case with this id wait until its deadline."""
    return any(sign.late and case in sign.cases for _, sign in _signs(door))


def judged(result: Result, door: str) -> Result:
    """Give the result of a case, with the habit that explains it or that it shows to be gone.

    What a habit explains is the server's, and not charged to the implementation.
    """
    for words, sign in _signs(door):
        if result.case in sign.cases:
            if result.verdict is Verdict.PASSED:
                return replace(result, habit=words)
            if _explains(sign, result):
                return replace(result, verdict=Verdict.SERVER, habit=words)
    return result


def _signs(door: str) -> list[tuple[str, Sign]]:
    server = door.partition(":")[0]
    return [
        (f"{server} {habit.text} (seen with {habit.seen})", habit.sign)
        for habit in habits(door).values()
        if habit.sign is not None
    ]


def _explains(sign: Sign, result: Result) -> bool:
    if result.verdict not in (Verdict.BROKEN, Verdict.UNREACHED):
        return False
    sought = re.compile("\n".join((sign.expected, sign.observed, sign.step)))
    return any(
        sought.fullmatch("\n".join((result.expected, result.observed, step)))
        for step in result.trace
    )
