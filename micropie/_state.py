"""The states of a connection, and everything that moves it from one to another.

Rules:

- A state is left only by an entry of `TRANSITIONS`; a step without an entry changes nothing.
- What a call is refused with is an entry of `REFUSALS`; a call without an entry is allowed.
- `accept` marks the connection for as long as it waits (ACCEPTING, ANSWERING). That is how a
  second one at the same time is noticed. Messages move nothing.
- A state is changed *before* an event is handed to the server, except where the outcome
  decides it (ANSWERING), so that whatever runs meanwhile sees what was decided.

The contract's six states are NEW, CONNECTING, OPEN, GONE, CLOSED and REJECTED. The others are
parts of these: ACCEPTING of NEW, ANSWERING of CONNECTING, and ABANDONED is the GONE of a
connection that had never been accepted.
"""

from enum import Enum, auto
from typing import TYPE_CHECKING

__all__ = ["ACCEPTED", "REFUSALS", "TRANSITIONS", "Call", "Refusal", "State", "Step"]


class _Member(Enum):
    # Members are equal when they are identical; Enum's own hash, written in Python and taken
    # from the name, costs more than the rest of a look-up. Type checkers take it for that one.
    if not TYPE_CHECKING:
        __hash__ = object.__hash__


class State(_Member):
    """Where a connection stands."""

    # Nothing has been read and nothing sent.
    NEW = auto()
    # `accept` waits for the connect event.
    ACCEPTING = auto()
    # The connect event has been read, but the server refused to take the answer.
    CONNECTING = auto()
    # `accept` has handed its event to the server, which has not returned yet.
    ANSWERING = auto()
    # Accepted; messages flow.
    OPEN = auto()
    # The client left after it had been accepted.
    GONE = auto()
    # The client left before it was accepted.
    ABANDONED = auto()
    # We closed after accepting.
    CLOSED = auto()
    # We closed before accepting: the client got HTTP 403.
    REJECTED = auto()


class Step(_Member):
    """What can happen to a connection."""

    # `accept` was called.
    ACCEPT = auto()
    # `accept` was interrupted while it waited for the connect event, or got another event.
    INTERRUPT = auto()
    # The connect event was read.
    CONNECT = auto()
    # The server took the accept event, or may have taken it.
    ANSWERED = auto()
    # The server raised something other than OSError at the accept event.
    UNANSWERED = auto()
    # A disconnect event was read.
    DISCONNECT = auto()
    # The server raised OSError at an event: the client is gone.
    LOSE = auto()
    # `close` was called.
    CLOSE = auto()


class Call(_Member):
    """The kinds of call that a state can refuse."""

    ACCEPT = auto()
    RECEIVE = auto()
    SEND = auto()
    CLOSE = auto()


class Refusal(Enum):
    """What becomes of a call that a state does not allow."""

    # RuntimeError: the caller's mistake.
    MISUSE = auto()
    # ConnectionClosed: nobody's mistake, the connection is over.
    OVER = auto()
    # Nothing happens: what was asked for is so already.
    DONE = auto()


ACCEPTED = frozenset({State.OPEN, State.GONE})
"""The states in which `accepted` is True."""

TRANSITIONS: dict[tuple[State, Step], State] = {
    # The handshake
    (State.NEW, Step.ACCEPT): State.ACCEPTING,
    (State.ACCEPTING, Step.INTERRUPT): State.NEW,
    (State.ACCEPTING, Step.CONNECT): State.ANSWERING,
    (State.CONNECTING, Step.ACCEPT): State.ANSWERING,
    (State.ANSWERING, Step.ANSWERED): State.OPEN,
    (State.ANSWERING, Step.UNANSWERED): State.CONNECTING,
    # The client leaves. After a close of ours a disconnect event tells nothing new; a server
    # that could not even take our close event shows that the client was gone before.
    (State.ACCEPTING, Step.DISCONNECT): State.ABANDONED,
    (State.OPEN, Step.DISCONNECT): State.GONE,
    (State.ACCEPTING, Step.LOSE): State.ABANDONED,
    (State.ANSWERING, Step.LOSE): State.ABANDONED,
    (State.OPEN, Step.LOSE): State.GONE,
    (State.CLOSED, Step.LOSE): State.GONE,
    (State.REJECTED, Step.LOSE): State.ABANDONED,
    # We close
    (State.NEW, Step.CLOSE): State.REJECTED,
    (State.ACCEPTING, Step.CLOSE): State.REJECTED,
    (State.CONNECTING, Step.CLOSE): State.REJECTED,
    (State.ANSWERING, Step.CLOSE): State.REJECTED,
    (State.OPEN, Step.CLOSE): State.CLOSED,
}

_NOT_ACCEPTED = "the connection has not been accepted: await accept() first"
_ACCEPTED_BEFORE = "the connection was accepted before: call accept() once"
_CLOSED = "the connection was closed from this side by close()"
_REJECTED = "the connection was rejected by close() before it was accepted"
_GONE = "the client has disconnected"

REFUSALS: dict[tuple[State, Call], tuple[Refusal, str]] = {
    (State.NEW, Call.RECEIVE): (Refusal.MISUSE, _NOT_ACCEPTED),
    (State.NEW, Call.SEND): (Refusal.MISUSE, _NOT_ACCEPTED),
    (State.ACCEPTING, Call.ACCEPT): (Refusal.MISUSE, "another accept() is under way"),
    (State.ACCEPTING, Call.RECEIVE): (Refusal.MISUSE, _NOT_ACCEPTED),
    (State.ACCEPTING, Call.SEND): (Refusal.MISUSE, _NOT_ACCEPTED),
    (State.CONNECTING, Call.RECEIVE): (Refusal.MISUSE, _NOT_ACCEPTED),
    (State.CONNECTING, Call.SEND): (Refusal.MISUSE, _NOT_ACCEPTED),
    (State.ANSWERING, Call.ACCEPT): (Refusal.MISUSE, "another accept() is under way"),
    (State.ANSWERING, Call.RECEIVE): (Refusal.MISUSE, _NOT_ACCEPTED),
    (State.ANSWERING, Call.SEND): (Refusal.MISUSE, _NOT_ACCEPTED),
    (State.OPEN, Call.ACCEPT): (Refusal.MISUSE, _ACCEPTED_BEFORE),
    (State.GONE, Call.ACCEPT): (Refusal.MISUSE, _ACCEPTED_BEFORE),
    (State.GONE, Call.RECEIVE): (Refusal.OVER, _GONE),
    (State.GONE, Call.SEND): (Refusal.OVER, _GONE),
    (State.GONE, Call.CLOSE): (Refusal.DONE, _GONE),
    (State.ABANDONED, Call.ACCEPT): (Refusal.OVER, _GONE),
    (State.ABANDONED, Call.RECEIVE): (Refusal.OVER, _GONE),
    (State.ABANDONED, Call.SEND): (Refusal.OVER, _GONE),
    (State.ABANDONED, Call.CLOSE): (Refusal.DONE, _GONE),
    (State.CLOSED, Call.ACCEPT): (Refusal.MISUSE, _ACCEPTED_BEFORE),
    (State.CLOSED, Call.RECEIVE): (Refusal.OVER, _CLOSED),
    (State.CLOSED, Call.SEND): (Refusal.MISUSE, _CLOSED),
    (State.CLOSED, Call.CLOSE): (Refusal.DONE, _CLOSED),
    (State.REJECTED, Call.ACCEPT): (Refusal.MISUSE, _REJECTED),
    (State.REJECTED, Call.RECEIVE): (Refusal.MISUSE, _REJECTED),
    (State.REJECTED, Call.SEND): (Refusal.MISUSE, _REJECTED),
    (State.REJECTED, Call.CLOSE): (Refusal.DONE, _REJECTED),
}
