"""The state tables are complete, consistent, and each entry is of use."""

import pytest

from micropie._state import ACCEPTED, REFUSALS, TRANSITIONS, Call, Refusal, State, Step

# The step that a call takes where it is allowed; messages move nothing.
FIRST_STEP = {Call.ACCEPT: Step.ACCEPT, Call.CLOSE: Step.CLOSE}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("call", FIRST_STEP)
def test_a_call_is_either_refused_or_moves_the_connection(state: State, call: Call) -> None:
    refused = (state, call) in REFUSALS
    moves = (state, FIRST_STEP[call]) in TRANSITIONS
    assert refused != moves


@pytest.mark.parametrize("call", [Call.RECEIVE, Call.SEND])
def test_messages_flow_in_open_only_as_the_class_takes_for_granted(call: Call) -> None:
    assert {state for state in State if (state, call) not in REFUSALS} == {State.OPEN}


def test_close_is_never_an_error_and_nothing_else_is_silent() -> None:
    assert {call for (_, call), (kind, _) in REFUSALS.items() if kind is Refusal.DONE} == {
        Call.CLOSE
    }
    assert all(
        kind is Refusal.DONE for (_, call), (kind, _) in REFUSALS.items() if call is Call.CLOSE
    )


def test_every_state_is_reached_from_new() -> None:
    reached = {State.NEW}
    while True:
        further = {after for (before, _), after in TRANSITIONS.items() if before in reached}
        if further <= reached:
            break
        reached |= further
    assert reached == set(State)


def test_what_is_over_stays_over() -> None:
    over = {State.GONE, State.ABANDONED, State.CLOSED, State.REJECTED}
    for (before, _), after in TRANSITIONS.items():
        if before in over:
            assert after in over


def test_accepted_is_told_of_states_that_only_an_accepted_connection_reaches() -> None:
    before_accept = {State.NEW, State.ACCEPTING, State.CONNECTING, State.ANSWERING}
    assert not ACCEPTED & {*before_accept, State.ABANDONED, State.REJECTED, State.CLOSED}


@pytest.mark.parametrize("member", [*State, *Step, *Call])
def test_members_hash_by_identity(member: State | Step | Call) -> None:
    assert hash(member) == object.__hash__(member)
