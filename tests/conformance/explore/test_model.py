"""The model says what the contract says, in each state, and leaves free what that leaves free."""

from collections.abc import Iterator

import pytest
from micropie_conformance.catalogue import Level, clause
from micropie_conformance.explore.alphabet import (
    ACCEPT,
    CANCEL,
    CONNECTS,
    LETTERS,
    OTHER_ERROR,
    SERVER_LOSES,
    Act,
    Called,
    Came,
    Comes,
    Letter,
)
from micropie_conformance.explore.cases import explored
from micropie_conformance.explore.model import (
    CLOSED,
    ERROR,
    RETURNS,
    RUNTIME_ERROR,
    START,
    WAITS,
    Check,
    Is,
    Phase,
    State,
    Step,
    step,
    steps,
)


def call(act: Act, method: str = "", **kwargs: object) -> Called:
    return next(
        letter
        for letter in LETTERS
        if isinstance(letter, Called)
        and letter.act is act
        and letter.method.startswith(method)
        and (not kwargs or letter.kwargs == kwargs)
    )


def event(came: Came) -> Comes:
    return next(letter for letter in LETTERS if isinstance(letter, Comes) and letter.came is came)


RECEIVE = call(Act.RECEIVE, "receive_text")
SEND = call(Act.SEND, "send_text")
SEND_REFUSED = call(Act.SEND_REFUSED)
CLOSE = call(Act.CLOSE)
CLOSE_REFUSED = call(Act.CLOSE_REFUSED, code=999)
ACCEPT_REFUSED = call(Act.ACCEPT_REFUSED)
MESSAGE = event(Came.MESSAGE)
GONE = event(Came.DISCONNECT)
ODD = event(Came.ODD)

OPEN = (CONNECTS, ACCEPT)

WAYS: dict[str, tuple[Letter, ...]] = {
    "accepted": OPEN,
    "accept-waits": (ACCEPT,),
    "accept-waited": (ACCEPT, CONNECTS),
    "accept-cancelled": (ACCEPT, CANCEL),
    "rejected": (CLOSE,),
    "lost": (ACCEPT, GONE),
    "lost-by-error": (SERVER_LOSES, CONNECTS, ACCEPT),
    "tried": (OTHER_ERROR, CONNECTS, ACCEPT),
    "received": (*OPEN, MESSAGE, RECEIVE),
    "waits": (*OPEN, RECEIVE),
    "waited": (*OPEN, RECEIVE, MESSAGE),
    "cancelled": (*OPEN, RECEIVE, CANCEL),
    "gone": (*OPEN, GONE, RECEIVE),
    "gone-by-error": (*OPEN, SERVER_LOSES, SEND),
    "gone-by-close": (*OPEN, SERVER_LOSES, CLOSE),
    "closed": (*OPEN, CLOSE),
    "odd": (*OPEN, ODD, RECEIVE),
}


def arrive(*letters: Letter) -> State:
    state = START
    for letter in letters:
        found = step(state, letter)
        assert found is not None
        state = found.then
    return state


@pytest.mark.parametrize(
    ("way", "state"),
    [
        ("accepted", State(Phase.OPEN)),
        ("accept-waits", State(Phase.NEW, waiting=ACCEPT)),
        ("accept-waited", State(Phase.OPEN)),
        ("accept-cancelled", START),
        ("rejected", State(Phase.REJECTED)),
        ("lost", State(Phase.LOST)),
        ("lost-by-error", State(Phase.LOST_BY_ERROR, fails=SERVER_LOSES)),
        ("tried", State(Phase.TRIED, fails=OTHER_ERROR)),
        ("received", State(Phase.OPEN)),
        ("waits", State(Phase.OPEN, waiting=RECEIVE)),
        ("waited", State(Phase.OPEN)),
        ("cancelled", State(Phase.OPEN)),
        ("gone", State(Phase.GONE)),
        ("gone-by-error", State(Phase.GONE_BY_ERROR, fails=SERVER_LOSES)),
        ("gone-by-close", State(Phase.GONE_BY_CLOSE, fails=SERVER_LOSES)),
        ("closed", State(Phase.CLOSED)),
        ("odd", State(Phase.FREE)),
    ],
)
def test_states(way: str, state: State) -> None:
    assert arrive(*WAYS[way]) == state


def outcome(found: Step | None) -> tuple[str, int]:
    """Give the clause and the set of the first outcome that is asked for."""
    assert found is not None
    check = next(check for check in found.checks if check.asks is Is.OUTCOME)
    return check.clause, check.expected


@pytest.mark.parametrize(
    ("way", "letter", "clause", "outcomes"),
    [
        ("accepted", ACCEPT, "WS-ACCEPT-006", RUNTIME_ERROR),
        ("accepted", RECEIVE, "WS-RECV-001", WAITS),
        ("accepted", SEND, "WS-SEND-001", RETURNS),
        ("accept-waits", RECEIVE, "WS-NEW-003", RETURNS | ERROR | 128),
        ("accept-waits", SEND, "WS-NEW-005", RUNTIME_ERROR),
        ("waits", RECEIVE, "WS-TASKS-001", RUNTIME_ERROR),
        ("waits", CLOSE, "WS-CLOSE-007", RETURNS | ERROR | 128),
        ("gone", RECEIVE, "WS-GONE-001", CLOSED),
        ("gone", CLOSE, "WS-GONE-005", RETURNS),
        ("gone-by-error", SEND, "WS-GONE-009", CLOSED),
        ("gone-by-close", SEND, "WS-GONE-009", CLOSED | RUNTIME_ERROR),
        ("lost", SEND, "WS-GONE-003", ERROR),
        ("lost-by-error", ACCEPT, "WS-GONE-011", CLOSED),
        ("closed", RECEIVE, "WS-CLOSED-002", CLOSED),
        ("rejected", RECEIVE, "WS-REJECT-003", RUNTIME_ERROR),
        ("tried", ACCEPT, "WS-ACCEPT-005", RETURNS | ERROR | 128),
    ],
)
def test_outcomes(way: str, letter: Letter, clause: str, outcomes: int) -> None:
    assert outcome(step(arrive(*WAYS[way]), letter)) == (clause, outcomes)


def ways_of(found: Step | None) -> Iterator[Phase]:
    while found is not None:
        yield found.then.phase
        found = found.other


@pytest.mark.parametrize(
    ("letters", "phases"),
    [
        # Before the connect event is there, close() may wait for it.
        ((CLOSE,), [Phase.REJECTED, Phase.FREE]),
        ((CONNECTS, CLOSE), [Phase.REJECTED]),
        ((GONE, CLOSE), [Phase.FREE]),
        ((SERVER_LOSES, CLOSE), [Phase.FREE]),
        # Who reads ahead may know that the client is gone.
        ((*OPEN, GONE, SEND), [Phase.OPEN, Phase.FREE]),
        ((*OPEN, GONE, CLOSE), [Phase.CLOSED, Phase.FREE]),
        ((*OPEN, GONE, SEND_REFUSED), [Phase.OPEN, Phase.FREE]),
        ((CONNECTS, GONE, ACCEPT), [Phase.OPEN, Phase.FREE]),
        # What a wrong session ID is noticed by is free.
        ((call(Act.ACCEPT_REFUSED, session_id=5),), [Phase.FREE, Phase.FREE]),
        ((CONNECTS, call(Act.ACCEPT_REFUSED, session_id=5)), [Phase.FREE]),
        # A server that fails otherwise is nothing that the contract speaks of.
        ((*OPEN, OTHER_ERROR, SEND), [Phase.FREE]),
        ((*OPEN, OTHER_ERROR, CLOSE), [Phase.FREE]),
        # Who waits while the server loses the client.
        ((*OPEN, SERVER_LOSES, RECEIVE, SEND), [Phase.FREE]),
        # After our close, what was on its way may come, or the end.
        ((*OPEN, RECEIVE, CLOSE, MESSAGE), [Phase.CLOSED] * 3),
        ((*OPEN, RECEIVE, CLOSE, GONE), [Phase.CLOSED]),
    ],
)
def test_what_is_free(letters: tuple[Letter, ...], phases: list[Phase]) -> None:
    found = step(arrive(*letters[:-1]), letters[-1])
    assert list(ways_of(found)) == phases


@pytest.mark.parametrize(
    ("letters"),
    [
        # Nothing waits.
        (CANCEL,),
        # The order decides.
        (ACCEPT, ACCEPT),
        (ACCEPT, CLOSE),
        # No server does so.
        (CONNECTS, CONNECTS),
        (MESSAGE,),
        (*OPEN, GONE, MESSAGE),
        (*OPEN, ODD, MESSAGE),
        (CLOSE, MESSAGE),
        # It fails already, or nobody notices.
        (SERVER_LOSES, OTHER_ERROR),
        (CLOSE, SERVER_LOSES),
        # Nothing is judged there.
        (OTHER_ERROR, CONNECTS, ACCEPT, SEND),
        (*OPEN, ODD, RECEIVE, SEND),
    ],
)
def test_what_is_not_explored(letters: tuple[Letter, ...]) -> None:
    assert step(arrive(*letters[:-1]), letters[-1]) is None


def test_two_receives_after_our_close() -> None:
    state = arrive(*OPEN, RECEIVE, CLOSE)
    assert outcome(step(state, RECEIVE)) == ("WS-TASKS-001", RUNTIME_ERROR | CLOSED)
    found = step(state, SEND)
    assert found is not None
    assert found.checks[-1] == Check("WS-TASKS-005", Is.WAITING, WAITS | CLOSED)


def test_what_was_queued_may_be_known_after_our_close() -> None:
    state = arrive(*OPEN, GONE, CLOSE)
    assert outcome(step(state, SEND)) == ("WS-CLOSED-001", RUNTIME_ERROR | CLOSED)


def test_the_error_of_an_argument_will_do_as_well() -> None:
    _, late = outcome(step(arrive(*WAYS["gone"]), SEND_REFUSED))
    assert late == CLOSED | 32
    _, early = outcome(step(arrive(ACCEPT), ACCEPT_REFUSED))
    assert early & RUNTIME_ERROR


def test_a_wrong_argument_of_close_before_accept() -> None:
    found = step(START, CLOSE_REFUSED)
    assert found is not None
    assert (found.then, found.silent) == (START, "WS-REJECT-006")


def test_attributes_are_asked_for_where_they_are_judged() -> None:
    def attributes(*letters: Letter) -> list[tuple[str, object]]:
        found = step(arrive(*letters[:-1]), letters[-1])
        assert found is not None
        return [
            (check.clause, check.expected)
            for check in found.checks
            if check.asks in (Is.ACCEPTED, Is.SESSION_ID)
        ]

    session = call(Act.ACCEPT, session_id="0b9f6c2e-5d1a-4c3b-9e8f-7a6d5c4b3a21")
    assert attributes(CONNECTS) == [("WS-ATTR-001", False), ("WS-ATTR-004", None)]
    assert attributes(*OPEN) == [("WS-ATTR-002", True), ("WS-ATTR-006", None)]
    assert [clause for clause, _ in attributes(CONNECTS, session)][1] == "WS-ATTR-005"
    assert attributes(CLOSE) == [("WS-ATTR-003", False), ("WS-ATTR-007", None)]
    assert attributes(*OPEN, CLOSE) == attributes(ACCEPT) == []
    # A call that is to change nothing is to blame when it does.
    assert attributes(RECEIVE) == [("WS-NEW-004", False), ("WS-NEW-004", None)]


def test_the_clauses_are_those_of_the_explored_cases() -> None:
    found: set[str] = {"WS-RECV-007"}
    states = {START, *(State(phase) for phase in (Phase.OPEN, Phase.LOST_BY_ERROR, Phase.TRIED))}
    for _ in range(3):
        for _, each in [one for state in states for one in steps(state)]:
            way: Step | None = each
            while way is not None:
                found |= {check.clause for check in way.checks} | {way.silent}
                way = way.other
        # One state of each shape will do.
        states = {
            state._replace(queue=state.queue[:1])
            for state in states
            for _, each in steps(state)
            for state in [each.then]
        }
    judged = sorted(found - {""})
    assert judged == sorted(case.clause.id for case in explored())
    assert all(clause(id).level is not Level.INFO for id in judged)
