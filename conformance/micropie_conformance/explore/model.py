"""The contract as a model: what may come of each letter in each state.

The model is data (`ROWS`) and is written from the contract alone: it knows nothing of any
implementation's states. What the contract leaves free is a set of outcomes, or no check at all;
where what follows is free as well, the phase is FREE and the exploration goes no further.
"""

from enum import auto
from functools import cache
from typing import Any, Final, NamedTuple

from micropie_conformance.explore.alphabet import (
    LETTERS,
    Act,
    Called,
    Came,
    Comes,
    Fails,
    Letter,
    Name,
)
from micropie_conformance.probe import Event

__all__ = [
    "CLOSED",
    "ERROR",
    "ESCAPE",
    "RETURNS",
    "RUNTIME_ERROR",
    "START",
    "TYPE_ERROR",
    "VALUE_ERROR",
    "WAITS",
    "Check",
    "Is",
    "Phase",
    "State",
    "Step",
    "attributes",
    "step",
    "steps",
]


class Phase(Name):
    """Where a connection stands, as far as what may follow is concerned."""

    # Nothing is answered yet.
    NEW = auto()
    # The server failed at the accept event, with an error that is no OSError.
    TRIED = auto()
    OPEN = auto()
    # A receive has read the disconnect.
    GONE = auto()
    # The server raised OSError at a message.
    GONE_BY_ERROR = auto()
    # The server raised OSError at our close.
    GONE_BY_CLOSE = auto()
    # `accept` has read the disconnect.
    LOST = auto()
    # The server raised OSError at the accept event.
    LOST_BY_ERROR = auto()
    # We closed after accepting.
    CLOSED = auto()
    # We closed before accepting.
    REJECTED = auto()
    # What follows is nothing to judge.
    FREE = auto()


# What a call came to, as bits: a set of them is what is allowed, and of an error more than one
# can be true, by its class. Whole numbers, as the flags of `enum` are slow.
RETURNS: Final = 1
WAITS: Final = 2
RUNTIME_ERROR: Final = 4
CLOSED: Final = 8
VALUE_ERROR: Final = 16
TYPE_ERROR: Final = 32
# An Exception, of these kinds or any other.
ERROR: Final = 64
# A BaseException that is none.
ESCAPE: Final = 128


class Is(Name):
    """What a check asks."""

    # What the call came to: one of the outcomes.
    OUTCOME = auto()
    # What the call returned.
    VALUE = auto()
    # Whether the error came from the one that the server raised.
    CAUSED = auto()
    # What the waiting call came to, which another call must not disturb.
    WAITING = auto()
    # The types of the events that were sent.
    KINDS = auto()
    # The events that were sent, key by key.
    SENT = auto()
    # The subprotocol of the accept event, and the session IDs that it sets.
    SUBPROTOCOL = auto()
    COOKIES = auto()
    # The code and the reason of the close event.
    CODE = auto()
    REASON = auto()
    # How many events have been read, at the least.
    READ = auto()
    # The two attributes.
    ACCEPTED = auto()
    SESSION_ID = auto()


class Check(NamedTuple):
    """One thing that must be so, and the clause that says it."""

    clause: str
    asks: Is
    # What `asks` says: outcomes, values, events, types of events or a number.
    expected: Any


class State(NamedTuple):
    """A state of the model."""

    phase: Phase
    # What the server has and nobody has read.
    queue: tuple[Comes, ...] = ()
    # The call that waits.
    waiting: Called | None = None
    # What the server does when it is sent an event; None: it takes it.
    fails: Fails | None = None
    # The session ID that was set.
    session: str | None = None


START: Final = State(Phase.NEW)


class Step(NamedTuple):
    """What a letter may lead to."""

    # What must be so, in the order in which it is asked.
    checks: tuple[Check, ...]
    # The next state.
    then: State
    # Another way that is as good; a failure is told by the first one.
    other: "Step | None" = None
    # The clause that a call breaks which was to change nothing, when a later one shows that it
    # has changed something; empty: the call has its effect.
    silent: str = ""


_R: Final = RETURNS
_W: Final = WAITS
_RE: Final = RUNTIME_ERROR
_CC: Final = CLOSED
_VE: Final = VALUE_ERROR
_TE: Final = TYPE_ERROR
_RAISES: Final = ERROR
_AT_ONCE: Final = RETURNS | ERROR | ESCAPE

# What a call with a wrong argument may raise where another error is due as well.
_TOO: Final = {
    Act.ACCEPT_REFUSED: _VE | _TE,
    Act.SEND_REFUSED: _TE,
    Act.CLOSE_REFUSED: _VE | _TE,
}
_PROPER: Final = {
    Act.ACCEPT_REFUSED: Act.ACCEPT,
    Act.SEND_REFUSED: Act.SEND,
    Act.CLOSE_REFUSED: Act.CLOSE,
}

# The calls that come too early or too late: what becomes of them, and the clause. They send
# nothing, do not wait and change nothing.
_IDLE: Final[dict[tuple[Phase, Act], tuple[int, str]]] = {
    (Phase.OPEN, Act.ACCEPT): (_RE, "WS-ACCEPT-006"),
    (Phase.GONE, Act.ACCEPT): (_RE, "WS-GONE-006"),
    (Phase.GONE, Act.RECEIVE): (_CC, "WS-GONE-001"),
    (Phase.GONE, Act.SEND): (_CC, "WS-GONE-004"),
    (Phase.GONE, Act.CLOSE): (_R, "WS-GONE-005"),
    (Phase.GONE_BY_ERROR, Act.ACCEPT): (_RE, "WS-GONE-009"),
    (Phase.GONE_BY_ERROR, Act.RECEIVE): (_CC, "WS-GONE-009"),
    (Phase.GONE_BY_ERROR, Act.SEND): (_CC, "WS-GONE-009"),
    (Phase.GONE_BY_ERROR, Act.CLOSE): (_R, "WS-GONE-009"),
    (Phase.GONE_BY_CLOSE, Act.ACCEPT): (_RE, "WS-GONE-009"),
    (Phase.GONE_BY_CLOSE, Act.RECEIVE): (_CC, "WS-GONE-009"),
    # We have closed and the client is gone: which of the two is told is free.
    (Phase.GONE_BY_CLOSE, Act.SEND): (_RE | _CC, "WS-GONE-009"),
    (Phase.GONE_BY_CLOSE, Act.CLOSE): (_R, "WS-GONE-009"),
    (Phase.LOST, Act.ACCEPT): (_CC, "WS-GONE-007"),
    (Phase.LOST, Act.RECEIVE): (_CC, "WS-GONE-002"),
    (Phase.LOST, Act.SEND): (_RAISES, "WS-GONE-003"),
    (Phase.LOST, Act.CLOSE): (_R, "WS-GONE-008"),
    (Phase.LOST_BY_ERROR, Act.ACCEPT): (_CC, "WS-GONE-011"),
    (Phase.LOST_BY_ERROR, Act.RECEIVE): (_CC, "WS-GONE-011"),
    (Phase.LOST_BY_ERROR, Act.SEND): (_RAISES, "WS-GONE-011"),
    (Phase.LOST_BY_ERROR, Act.CLOSE): (_R, "WS-GONE-011"),
    (Phase.CLOSED, Act.ACCEPT): (_RE, "WS-CLOSED-003"),
    (Phase.CLOSED, Act.RECEIVE): (_CC, "WS-CLOSED-002"),
    (Phase.CLOSED, Act.SEND): (_RE, "WS-CLOSED-001"),
    (Phase.CLOSED, Act.CLOSE): (_R, "WS-CLOSED-004"),
    (Phase.REJECTED, Act.ACCEPT): (_RE, "WS-REJECT-004"),
    (Phase.REJECTED, Act.RECEIVE): (_RE, "WS-REJECT-003"),
    (Phase.REJECTED, Act.SEND): (_RE, "WS-REJECT-002"),
    (Phase.REJECTED, Act.CLOSE): (_R, "WS-REJECT-005"),
}

# The events that a server can have, by where the connection stands. What it has before an answer
# is explored as far as a server can go: ASGI lets no message pass before that.
_COMING: Final = {
    Phase.NEW: {Came.CONNECT, Came.DISCONNECT},
    Phase.OPEN: set(Came),
    Phase.CLOSED: {Came.MESSAGE, Came.DISCONNECT},
    Phase.REJECTED: {Came.DISCONNECT},
}

# The calls that are tried while another waits.
_BESIDE_ACCEPT: Final = {Act.RECEIVE, Act.SEND, *_PROPER}

_TOO_EARLY: Final = {"send_text": "WS-NEW-005", "send_bytes": "WS-NEW-006"}


@cache
def steps(state: State) -> tuple[tuple[Letter, Step], ...]:
    """Say what each letter may lead to in `state`; those that are not explored are left out."""
    return tuple((letter, found) for letter in LETTERS if (found := step(state, letter)))


def step(state: State, letter: Letter) -> Step | None:
    """Say what `letter` may lead to in `state`; None: it is not explored."""
    found: Step | None
    match letter:
        case _ if state.phase is Phase.FREE:
            return None
        case Called():
            found = _called(state, letter)
        case Comes():
            found = _comes(state, letter)
        case Fails():
            sending = state.fails is None and state.phase in (Phase.NEW, Phase.OPEN)
            found = Step((), state._replace(fails=letter)) if sending else None
        case _:
            found = _cancelled(state)
    if found is None:
        return None
    asked = attributes(found.then)
    if found.silent:
        # That it is none of the call's business to change them is the clause that counts.
        asked = tuple(check._replace(clause=found.silent) for check in asked)
    return found._replace(checks=found.checks + asked)


def attributes(state: State) -> tuple[Check, ...]:
    """Say what the attributes are in a state; nothing, where they are free."""
    if state.waiting is not None and state.phase is Phase.NEW:
        # While accept() is under way.
        return ()
    return _attributes(state.phase, state.session)


@cache
def _attributes(phase: Phase, session: str | None) -> tuple[Check, ...]:
    match phase:
        case Phase.NEW:
            return (
                Check("WS-ATTR-001", Is.ACCEPTED, False),
                Check("WS-ATTR-004", Is.SESSION_ID, None),
            )
        case Phase.OPEN:
            return (
                Check("WS-ATTR-002", Is.ACCEPTED, True),
                Check("WS-ATTR-005" if session else "WS-ATTR-006", Is.SESSION_ID, session),
            )
        case Phase.REJECTED:
            return (
                Check("WS-ATTR-003", Is.ACCEPTED, False),
                Check("WS-ATTR-007", Is.SESSION_ID, None),
            )
        case _:
            return ()


# Calls


def _called(state: State, call: Called) -> Step | None:
    if state.phase is Phase.TRIED:
        return _tried(call)
    waiting = state.waiting
    if waiting is None:
        return _alone(state, call)
    if waiting.act is Act.ACCEPT:
        if call.act not in _BESIDE_ACCEPT:
            # What becomes of it depends on the order, which is asked for elsewhere.
            return None
        found, clause, undisturbed = _alone(state, call), "WS-ACCEPT-002", _W
    elif call.act is Act.RECEIVE:
        # After our close, either of two errors is due.
        outcomes = _RE | _CC if state.phase is Phase.CLOSED else _RE
        clause, undisturbed = "WS-TASKS-001", _W
        found = _idle(state, call, outcomes, clause)
    else:
        found, clause, undisturbed = _alone(state, call), waiting.clause, _W
    then = found.then
    if then.phase is not state.phase and state.fails is not None:
        # What becomes of the other then is free.
        return Step(found.checks, State(Phase.FREE))
    if then.phase is Phase.CLOSED:
        # It may be told at once.
        clause, undisturbed = "WS-TASKS-005", undisturbed | _CC
    return found._replace(checks=(*found.checks, Check(clause, Is.WAITING, undisturbed)))


def _alone(state: State, call: Called) -> Step:
    """Say what a call leads to when no other disturbs it."""
    act = call.act
    proper = _PROPER.get(act, act)
    if (state.phase, proper) in _IDLE:
        outcomes, clause = _IDLE[state.phase, proper]
        if act is Act.SEND and state.phase is Phase.CLOSED and state.queue:
            # An implementation that reads ahead may know that the client is gone.
            outcomes |= _CC
        return _idle(state, call, outcomes, clause)
    if state.phase is Phase.NEW and act is Act.ACCEPT:
        return _accept(state, call)
    if state.phase is Phase.NEW and act is Act.RECEIVE:
        return _receive_too_early(state)
    if state.phase is Phase.NEW and proper is Act.SEND:
        gone = _CC if _lost(state) else 0
        return _idle(state, call, _RE | gone, _TOO_EARLY[call.method])
    if act in _PROPER:
        return _refuse(state, call)
    if act is Act.RECEIVE:
        return _receive(state, call)
    if act is Act.SEND:
        return _send(state, call)
    return _close(state, call)


def _idle(state: State, call: Called, outcomes: int, clause: str) -> Step:
    outcomes |= _TOO.get(call.act, 0)
    checks = (Check(clause, Is.OUTCOME, outcomes), Check(clause, Is.KINDS, ()))
    return Step(checks, state, silent=clause)


def _lost(state: State) -> bool:
    """Whether the server has a disconnect, which who reads ahead knows of."""
    return any(one.came is Came.DISCONNECT for one in state.queue)


def _or_gone(found: Step, state: State, outcomes: int) -> Step:
    """Let a call also find out that the client is gone, where the server has a disconnect."""
    if not _lost(state):
        return found
    checks = (Check("", Is.OUTCOME, outcomes), Check("", Is.KINDS, ()))
    return found._replace(other=Step(checks, State(Phase.FREE)))


def _refuse(state: State, call: Called) -> Step:
    """Refuse a wrong argument: nothing is sent, and the connection stays as it was."""
    errors = _TE if call.act is Act.SEND_REFUSED else _VE
    if call.clause in ("WS-COOKIE-005", "WS-CLOSE-006"):
        errors = _VE | _TE
    if state.waiting is not None and call.act is Act.ACCEPT_REFUSED:
        errors |= _RE
    silent = call.clause
    if state.phase is Phase.NEW and call.act is Act.CLOSE_REFUSED:
        silent = "WS-REJECT-006"
    checks = (Check(call.clause, Is.KINDS, ()), Check(call.clause, Is.OUTCOME, errors))
    found = Step(checks, state, silent=silent)
    if call.clause == "WS-COOKIE-005":
        # It may be looked at when there is something to answer, which has been read then.
        free = State(Phase.FREE)
        waits = Step((Check("", Is.KINDS, ()), Check("", Is.OUTCOME, _W)), free)
        return Step(checks, free, waits if not state.queue else None)
    return _or_gone(found, state, _R | _CC if call.act is Act.CLOSE_REFUSED else _CC)


def _receive_too_early(state: State) -> Step:
    checks = (
        # Where there is nothing to be read, that it waits is no more than not silent.
        *(() if state.queue else (Check("WS-NEW-003", Is.OUTCOME, _AT_ONCE),)),
        Check("WS-NEW-001", Is.OUTCOME, _RAISES),
        Check("WS-NEW-002", Is.OUTCOME, _RE | _CC if _lost(state) else _RE),
        Check("WS-NEW-003", Is.KINDS, ()),
    )
    return Step(checks, state, silent="WS-NEW-004")


def _accept(state: State, call: Called) -> Step:
    """Say what accept() leads to when it has what `state.queue` has."""
    if not state.queue:
        checks = (
            Check("WS-ACCEPT-002", Is.KINDS, ()),
            Check("WS-ACCEPT-002", Is.OUTCOME, _W),
        )
        return Step(checks, state._replace(waiting=call))
    head, *rest = state.queue
    then = State(Phase.OPEN, tuple(rest), fails=state.fails)
    if head.came is Came.DISCONNECT:
        checks = (
            Check("WS-ACCEPT-004", Is.KINDS, ()),
            Check("WS-ACCEPT-004", Is.OUTCOME, _CC),
        )
        return Step(checks, then._replace(phase=Phase.LOST))
    if state.fails is not None:
        if not issubclass(state.fails.error, OSError):
            return Step((), then._replace(phase=Phase.TRIED))
        checks = (
            Check("WS-GONE-010", Is.OUTCOME, _CC),
            Check("WS-GONE-010", Is.CAUSED, True),
        )
        return _or_gone(Step(checks, then._replace(phase=Phase.LOST_BY_ERROR)), then, _CC)
    subprotocol, session = call.kwargs.get("subprotocol"), call.kwargs.get("session_id")
    accepted = (
        Check("WS-ACCEPT-001", Is.OUTCOME, _R),
        Check("WS-ACCEPT-001", Is.KINDS, ("websocket.accept",)),
        Check("WS-ACCEPT-002", Is.READ, 1),
        Check("WS-PROTO-001" if subprotocol else "WS-PROTO-002", Is.SUBPROTOCOL, subprotocol),
        Check(
            "WS-COOKIE-001" if session else "WS-COOKIE-002",
            Is.COOKIES,
            (session,) if session else (),
        ),
    )
    return _or_gone(Step(accepted, then._replace(session=session)), then, _CC)


def _tried(call: Called) -> Step | None:
    """Say what accept() leads to after one that the server failed at."""
    if call.act is not Act.ACCEPT:
        return None
    return Step((Check("WS-ACCEPT-005", Is.OUTCOME, _AT_ONCE),), State(Phase.FREE))


def _receive(state: State, call: Called) -> Step:
    """Say what a receive leads to when it has what `state.queue` has."""
    if not state.queue:
        checks = (Check(call.clause, Is.OUTCOME, _W), Check(call.clause, Is.KINDS, ()))
        return Step(checks, state._replace(waiting=call))
    head, *rest = state.queue
    then = state._replace(queue=tuple(rest), waiting=None)
    match head.came:
        case Came.MESSAGE:
            clause = head.clauses[call.method]
            is_it = Check(clause, Is.VALUE, head.values[call.method])
            return Step((is_it, Check(clause, Is.KINDS, ())), then)
        case Came.DISCONNECT:
            clause = head.clauses[call.method]
            is_it = Check(clause, Is.OUTCOME, _CC)
            return Step((is_it, Check(clause, Is.KINDS, ())), then._replace(phase=Phase.GONE))
        case _:
            return Step((), State(Phase.FREE))


def _send(state: State, call: Called) -> Step:
    if state.fails is not None:
        if not issubclass(state.fails.error, OSError):
            return Step((), State(Phase.FREE))
        checks = (
            Check("WS-SEND-004", Is.OUTCOME, _CC),
            Check("WS-SEND-004", Is.CAUSED, True),
        )
        return _or_gone(Step(checks, state._replace(phase=Phase.GONE_BY_ERROR)), state, _CC)
    key = call.method.removeprefix("send_")
    event: Event = {"type": "websocket.send", key: call.args[0]}
    checks = (Check(call.clause, Is.SENT, (event,)), Check(call.clause, Is.OUTCOME, _R))
    return _or_gone(Step(checks, state), state, _CC)


def _close(state: State, call: Called) -> Step:
    free = Step((), State(Phase.FREE))
    if state.phase is Phase.NEW:
        if _lost(state) or state.fails is not None:
            return free
        then, clause = state._replace(phase=Phase.REJECTED), "WS-REJECT-001"
    elif state.fails is not None:
        if not issubclass(state.fails.error, OSError):
            return free
        checks = (Check("WS-CLOSE-008", Is.OUTCOME, _R),)
        return Step(checks, state._replace(phase=Phase.GONE_BY_CLOSE))
    else:
        then, clause = state._replace(phase=Phase.CLOSED), call.clause
    reason = call.kwargs.get("reason")
    # What is in it before accept() is seen by the server only, and not judged.
    content = (
        Check(clause, Is.CODE, call.kwargs.get("code", 1000)),
        Check(clause if reason else "WS-CLOSE-003", Is.REASON, reason),
    )
    checks = (
        Check(clause, Is.KINDS, ("websocket.close",)),
        *(() if state.phase is Phase.NEW else content),
        Check("WS-CLOSE-007", Is.OUTCOME, _AT_ONCE),
        Check(clause, Is.OUTCOME, _R),
    )
    found = Step(checks, then)
    if state.phase is Phase.NEW and not state.queue:
        # It may read the connect event first.
        waits = (Check("", Is.OUTCOME, _W), Check("", Is.KINDS, ()))
        return found._replace(other=Step(waits, State(Phase.FREE)))
    return _or_gone(found, state, _R)


# Events


def _comes(state: State, event: Comes) -> Step | None:
    if event.came not in _COMING.get(state.phase, ()) or _lost(state):
        return None
    after_odd = state.queue and state.queue[-1].came is not Came.MESSAGE
    if after_odd and (state.phase is not Phase.NEW or event.came is not Came.DISCONNECT):
        # Nothing is judged by then. Before accept(), it is the connect event that is there.
        return None
    waiting = state.waiting
    then = state._replace(queue=(*state.queue, event))
    if waiting is None:
        return Step((), then)
    if waiting.act is Act.ACCEPT:
        return _accept(then._replace(waiting=None), waiting)
    if state.phase is Phase.OPEN:
        return _receive(then, waiting)
    return _late(state, event, waiting)


def _late(state: State, event: Comes, waiting: Called) -> Step:
    """Say what who waits may get after our close."""
    clause = "WS-TASKS-005"
    told = Step(
        (Check(clause, Is.OUTCOME, _CC), Check(clause, Is.KINDS, ())),
        state._replace(waiting=None),
    )
    if event.came is Came.DISCONNECT:
        return told
    waits = Step((Check(clause, Is.OUTCOME, _W),), state)
    told = told._replace(other=waits)
    value = event.values[waiting.method]
    return Step((Check(clause, Is.VALUE, value),), state._replace(waiting=None), other=told)


def _cancelled(state: State) -> Step | None:
    if state.waiting is None:
        return None
    accepting = state.waiting.act is Act.ACCEPT
    silent = "WS-CANCEL-002" if accepting else "WS-CANCEL-001"
    return Step((), state._replace(waiting=None), silent=silent)
