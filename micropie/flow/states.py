"""What a call does in each state, as far as whoever reads the code can know: data, no code paths.

Which call a state refuses, and how, is in `micropie._state`; `ALLOWED` says what may come of those
that it allows. Sets of states and of calls are bits of a whole number, as the analysis has many.
"""

from functools import cache
from typing import Final, NamedTuple

from micropie._state import ACCEPTED, REFUSALS, Call, Refusal, State

__all__ = [
    "ALL_CALLS",
    "ALL_STATES",
    "CALLS",
    "GONE",
    "METHODS",
    "NEW",
    "STATES",
    "Outcomes",
    "bit",
    "calls_bits",
    "forward",
    "is_accepted",
    "outcomes",
    "states_bits",
]

STATES: Final = (
    State.NEW,
    State.OPEN,
    State.GONE,
    State.ABANDONED,
    State.CLOSED,
    State.REJECTED,
)
"""The states between two calls; bit number `n` of a set is the n-th of them."""

CALLS: Final = (Call.ACCEPT, Call.RECEIVE, Call.SEND, Call.CLOSE)
"""The kinds of call, likewise."""

METHODS: Final = {
    "accept": Call.ACCEPT,
    "receive_text": Call.RECEIVE,
    "receive_bytes": Call.RECEIVE,
    "send_text": Call.SEND,
    "send_bytes": Call.SEND,
    "close": Call.CLOSE,
}
"""The methods of a connection."""

ALL_STATES: Final = (1 << len(STATES)) - 1
ALL_CALLS: Final = (1 << len(CALLS)) - 1


def states_bits(*states: State) -> int:
    """Give the set of some states."""
    return sum(1 << STATES.index(state) for state in states)


def calls_bits(*calls: Call) -> int:
    """Give the set of some calls."""
    return sum(1 << CALLS.index(call) for call in calls)


def bit(method: str) -> int:
    """Give the set of the one call that a method makes."""
    return calls_bits(METHODS[method])


class Outcomes(NamedTuple):
    """The states after a call, by what comes of it; 0: that cannot come of it."""

    # It returns.
    returns: int = 0
    # It raises ConnectionClosed.
    closed: int = 0
    # It raises RuntimeError.
    misuse: int = 0
    # It raises another Exception: a wrong argument, an error of the server's.
    error: int = 0
    # It is cancelled.
    cancelled: int = 0
    # It raises because of the state alone, in each of the states.
    refused: bool = False


NEW: Final = states_bits(State.NEW)
GONE: Final = states_bits(State.GONE, State.ABANDONED)
_OPEN: Final = states_bits(State.OPEN)
_CLOSED: Final = states_bits(State.CLOSED)
_REJECTED: Final = states_bits(State.REJECTED)

ALLOWED: Final[dict[tuple[State, Call], Outcomes]] = {
    # Cancelled while its event is sent, it counts as sent.
    (State.NEW, Call.ACCEPT): Outcomes(
        returns=_OPEN,
        closed=states_bits(State.ABANDONED),
        misuse=NEW,
        error=NEW,
        cancelled=NEW | _OPEN,
    ),
    # RuntimeError: another task receives, or the server's event was no message.
    (State.OPEN, Call.RECEIVE): Outcomes(
        returns=_OPEN, closed=states_bits(State.GONE), misuse=_OPEN, error=_OPEN, cancelled=_OPEN
    ),
    (State.OPEN, Call.SEND): Outcomes(
        returns=_OPEN, closed=states_bits(State.GONE), error=_OPEN, cancelled=_OPEN
    ),
    # An OSError of the server's is swallowed and shows that the client is gone; after anything else
    # it counts as closed. A wrong argument changes nothing.
    (State.NEW, Call.CLOSE): Outcomes(
        returns=_REJECTED | states_bits(State.ABANDONED),
        error=NEW | _REJECTED,
        cancelled=_REJECTED,
    ),
    (State.OPEN, Call.CLOSE): Outcomes(
        returns=_CLOSED | states_bits(State.GONE), error=_OPEN | _CLOSED, cancelled=_CLOSED
    ),
}
"""What may come of a call that is not refused."""


@cache
def outcomes(states: int, call: Call) -> Outcomes:
    """Say what may come of a call when the connection is in one of `states`."""
    returns = closed = misuse = error = cancelled = 0
    refused = True
    for number, state in enumerate(STATES):
        here = 1 << number
        if not states & here:
            continue
        refusal = REFUSALS.get((state, call))
        if refusal is None:
            refused = False
            may = ALLOWED[state, call]
            returns |= may.returns
            closed |= may.closed
            misuse |= may.misuse
            error |= may.error
            cancelled |= may.cancelled
        elif refusal[0] is Refusal.DONE:
            refused = False
            returns |= here
        elif refusal[0] is Refusal.OVER:
            closed |= here
        else:
            misuse |= here
        if call is not Call.RECEIVE:
            # A wrong argument is looked at first.
            error |= here
    return Outcomes(returns, closed, misuse, error, cancelled, refused)


@cache
def forward(states: int, calls: int) -> int:
    """Give all states that the connection can be in when others make some of `calls`."""
    found = states
    while True:
        more = found
        for number, call in enumerate(CALLS):
            if calls >> number & 1:
                may = outcomes(found, call)
                more |= may.returns | may.closed | may.misuse | may.error | may.cancelled
        if more == found:
            return found
        found = more


def is_accepted() -> int:
    """Give the states in which `accepted` is True."""
    return states_bits(*(state for state in STATES if state in ACCEPTED))
