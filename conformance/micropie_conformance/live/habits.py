"""What servers do of their own accord, which no case may charge to an implementation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["HABITS", "Habit"]


@dataclass(frozen=True, slots=True)
class Habit:
    """One habit of a server."""

    # What the server does, in words that follow its name.
    text: str
    # What the cases make of it.
    allowance: str
    # The versions that were seen to do it.
    seen: tuple[str, ...]


_HYPERCORN: Final = ("0.17.0", "0.18.0")
_UVICORN: Final = ("0.54.0",)


HABITS: Final[Mapping[str, Mapping[str, Habit]]] = {
    "hypercorn": {
        "disconnect-code": Habit(
            "gives every disconnect code 1006 and no reason, whatever the client sent",
            "The code and the reason of a disconnect are not judged.",
            _HYPERCORN,
        ),
        "second-receive": Habit(
            "never returns from receive() after the disconnect",
            "An implementation that asks again shows at the deadline of the case.",
            _HYPERCORN,
        ),
        "send-to-nobody": Habit(
            "does nothing and raises nothing in send() to a client that is gone",
            "A send to a client that is gone may return, and so may accept().",
            _HYPERCORN,
        ),
        "no-close": Habit(
            "closes with code 1011 when the application ends and has not closed",
            "What the client gets then is not judged.",
            _HYPERCORN,
        ),
        "no-answer": Habit(
            "answers with HTTP 500 when the application ends and has not answered",
            "An accept() or close() that sends nothing shows as HTTP 500.",
            _HYPERCORN,
        ),
        "unoffered-subprotocol": Habit(
            "raises a bare Exception for a subprotocol that the client did not offer, and on "
            "trio the whole server ends",
            "Where a subprotocol is to be accepted, the client offers it.",
            _HYPERCORN,
        ),
        "busy": Habit(
            "raises trio.BusyResourceError, on trio, when a close frame meets a send: in the "
            "application or in the server itself, which ends then",
            "Where the server failed, the case is tried again.",
            _HYPERCORN,
        ),
    },
    "uvicorn": {
        "second-receive": Habit(
            "gives one disconnect more, with code 1005, and then never returns from receive()",
            "An implementation that asks again shows at the deadline of the case.",
            _UVICORN,
        ),
        "send-to-nobody": Habit(
            "raises ClientDisconnected, an OSError, in send() to a client that is gone",
            "A send to a client that is gone may raise ConnectionClosed; the OSError must not "
            "come out.",
            _UVICORN,
        ),
        "no-close": Habit(
            "ends the TCP connection without a close frame when the application ends and has not "
            "closed",
            "What the client gets then is not judged.",
            _UVICORN,
        ),
        "no-answer": Habit(
            "answers with HTTP 500 when the application ends and has not answered",
            "An accept() or close() that sends nothing shows as HTTP 500.",
            _UVICORN,
        ),
        "unoffered-subprotocol": Habit(
            "sends a subprotocol that the client did not offer (websockets-sansio), or raises "
            "LocalProtocolError (wsproto)",
            "Where a subprotocol is to be accepted, the client offers it.",
            _UVICORN,
        ),
    },
}
"""The habits of each server, by a short name."""
