"""What is known of a connection at one place, and how that changes."""

import ast

import pytest

from micropie._state import Call, State
from micropie.flow.exceptions import ANY, CANCELLED, CLOSED, MISUSE, WRONG, Raised
from micropie.flow.states import ALL_CALLS, ALL_STATES, bit, calls_bits, states_bits
from micropie.flow.values import (
    ANYTHING,
    FALSE,
    NONE,
    TRUE,
    Exits,
    Flow,
    Origin,
    Value,
    Why,
    aliased,
    by_accepted,
    by_truth,
    each,
    escaped,
    given_up,
    likely,
    meanwhile,
    merge,
    merge_raised,
    step,
    told,
    truth,
    truth_of,
    unbound,
    unlikely,
)

START = Origin(1, Why.START)
LATER = Origin(5, Why.ACCEPT)
WS = frozenset({"ws"})
NEW = Value(states_bits(State.NEW), 0, WS)
OPEN = Value(states_bits(State.OPEN), 0, WS)
HELD = OPEN._replace(held=frozenset({("coroutine", "close")}))


def test_merge_keeps_where_a_value_came_from_first() -> None:
    flow: Flow = {NEW: START}
    merge(flow, {NEW: LATER, OPEN: LATER})
    assert flow == {NEW: START, OPEN: LATER}


def test_exits_are_empty_until_something_leaves() -> None:
    exits = Exits()
    exits.raised(ANY, {})
    exits.returned(ast.Return(), {})
    exits.add(Exits())
    assert (exits.breaks, exits.continues, exits.raises, exits.returns) == ({}, {}, {}, {})


def test_ways_of_an_exception_are_added_to_a_flow_of_its_own() -> None:
    raises: dict[Raised, Flow] = {}
    flow = {NEW: START}
    merge_raised(raises, ANY, flow)
    merge_raised(raises, ANY, {NEW: LATER, OPEN: LATER})
    assert raises == {ANY: {NEW: START, OPEN: LATER}}
    assert flow == {NEW: START}


def test_what_is_raised_is_taken_away_once() -> None:
    exits = Exits()
    flow = {NEW: START}
    exits.raised(ANY, flow)
    assert exits.take_raises() == {ANY: flow}
    assert exits.take_raises() == {}
    exits.raised(ANY, flow)
    assert exits.raises == {ANY: flow}


def test_exits_of_parts_come_together() -> None:
    node = ast.Return()
    exits, other = Exits(), Exits()
    exits.raised(ANY, {NEW: START})
    exits.returned(node, {NEW: START})
    other.raised(ANY, {OPEN: LATER})
    other.raised(CLOSED, {OPEN: LATER})
    other.returned(node, {OPEN: LATER})
    other.breaks = {NEW: START}
    other.continues = {OPEN: START}
    exits.add(other)
    both = {NEW: START, OPEN: LATER}
    assert exits.raises == {ANY: both, CLOSED: {OPEN: LATER}}
    assert exits.returns == {node: both}
    assert exits.breaks == {NEW: START}
    assert exits.continues == {OPEN: START}


@pytest.mark.parametrize(
    ("states", "before", "expected"),
    [
        (0b0, 0b1, []),
        (0b1, 0b1, [0b1]),
        (0b1101, 0b10, [0b1, 0b100, 0b1000]),
        (0b1101, 0b11, [0b1101]),
        (0b0, 0b11, []),
    ],
)
def test_states_are_told_apart_where_it_was_known_what_they_follow(
    states: int, before: int, expected: list[int]
) -> None:
    assert [*each(states, before)] == expected


def test_meanwhile_others_make_their_calls() -> None:
    busy = OPEN._replace(others=calls_bits(Call.CLOSE))
    states = states_bits(State.OPEN, State.CLOSED, State.GONE)
    assert meanwhile({busy: LATER, NEW: START}) == {
        busy._replace(states=states): LATER,
        NEW: START,
    }
    flow: Flow = {NEW: START}
    assert meanwhile(flow) is flow


def test_ways_become_unlikely_and_likely() -> None:
    unsure = OPEN._replace(sure=False)
    assert unlikely({OPEN: START, unsure: START}) == {unsure: START}
    assert likely({unsure: LATER}) == {OPEN: LATER}


def test_of_what_is_given_up_nothing_is_known() -> None:
    lost = Value(ALL_STATES, ALL_CALLS, frozenset({"ws", "other"}), frozenset(), sure=False)
    assert given_up({OPEN: LATER, NEW: START}, ["ws", "other"]) == {lost: START}


def test_who_is_given_the_connection_may_make_all_calls() -> None:
    assert escaped({OPEN: LATER}, "ws") == {OPEN._replace(others=ALL_CALLS): LATER}
    assert escaped({OPEN: LATER}, "other") == {OPEN: LATER}


def test_who_is_given_a_coroutine_may_make_its_call() -> None:
    two = HELD._replace(held=HELD.held | {("other", "accept")}, others=bit("send_text"))
    after = two._replace(others=bit("send_text") | bit("close"))
    assert escaped({two: LATER}, "coroutine") == {after: LATER}


def test_the_first_origin_is_kept_where_ways_become_one() -> None:
    calls = OPEN._replace(others=ALL_CALLS)
    assert escaped({OPEN: START, calls: LATER}, "ws") == {calls: START}
    away = OPEN._replace(names=frozenset())
    assert unbound({OPEN: START, away: LATER}, ["ws"], {"ws"}) == {away: START}


def test_names_mean_what_another_name_means() -> None:
    assert aliased({OPEN: LATER}, "ws", ["a", "b"]) == {
        OPEN._replace(names=frozenset({"ws", "a", "b"})): LATER
    }
    assert aliased({OPEN: LATER}, "ws", ["ws"]) == {OPEN: LATER}
    assert aliased({OPEN: LATER}, "other", ["ws"]) == {OPEN._replace(names=frozenset()): LATER}


def test_names_mean_the_coroutine_that_another_name_means() -> None:
    assert aliased({HELD: LATER}, "coroutine", ["a"]) == {
        HELD._replace(held=HELD.held | {("a", "close")}): LATER
    }
    assert aliased({HELD: LATER}, "ws", ["coroutine"]) == {
        OPEN._replace(names=frozenset({"ws", "coroutine"})): LATER
    }


def test_names_mean_something_else() -> None:
    known = {"ws", "coroutine"}
    flow: Flow = {HELD: LATER}
    assert unbound(flow, ["other"], known) is flow
    assert unbound(flow, ["coroutine"], known) == {OPEN: LATER}
    assert unbound(flow, ["ws", "other"], known) == {HELD._replace(names=frozenset()): LATER}


def test_by_accepted_what_is_known_is_left_as_it_is() -> None:
    assert by_accepted({NEW: START, OPEN: LATER}, "ws", 7) == ({OPEN: LATER}, {NEW: START})


def test_by_accepted_what_is_not_known_is_told_apart() -> None:
    some = NEW._replace(states=states_bits(State.NEW, State.OPEN))
    condition = Origin(7, Why.CONDITION)
    assert by_accepted({some: START}, "ws", 7) == ({OPEN: condition}, {NEW: condition})


def test_by_accepted_of_something_else_nothing_is_told() -> None:
    assert by_accepted({OPEN: START}, "other", 7) == ({OPEN: START}, {OPEN: START})


# What a call makes of a way


def test_a_call_that_the_state_allows() -> None:
    of_new = step(NEW, Call.ACCEPT)
    assert (of_new.refused, of_new.returns, of_new.why) == (False, OPEN, Why.ACCEPT)
    abandoned = NEW._replace(states=states_bits(State.ABANDONED))
    assert set(of_new.raises) == {
        (CLOSED, abandoned, Why.DISCONNECT),
        # Where the states are the same, they came from where they came before.
        (MISUSE, NEW._replace(sure=False), None),
        (WRONG, NEW._replace(sure=False), None),
        # Where it was cancelled is known, so each state after it is a way of its own.
        (CANCELLED, NEW._replace(sure=False), None),
        (CANCELLED, OPEN._replace(sure=False), Why.ACCEPT),
    }


def test_a_call_that_changes_nothing() -> None:
    assert step(OPEN, Call.SEND)[:3] == (False, OPEN, None)


def test_a_call_that_the_state_refuses() -> None:
    of_open = step(OPEN, Call.ACCEPT)
    assert (of_open.refused, of_open.returns, of_open.why) == (True, None, None)
    # A send is nobody's misuse.
    assert MISUSE not in {raised for raised, _, _ in step(OPEN, Call.SEND).raises}
    # That it fails is sure.
    assert (MISUSE, OPEN, None) in of_open.raises


def test_a_call_while_others_make_theirs() -> None:
    shared = NEW._replace(others=calls_bits(Call.RECEIVE))
    gone = shared._replace(states=states_bits(State.OPEN, State.GONE))
    assert step(shared, Call.ACCEPT).returns == gone


def test_what_was_raised_last_is_not_gone_through_again() -> None:
    exits = Exits()
    flow: Flow = {NEW: START}
    exits.raised(ANY, flow)
    exits.raised(ANY, flow)
    assert exits.raises == {ANY: {NEW: START}}
    flow[OPEN] = LATER
    exits.raised(ANY, flow)
    assert exits.raises == {ANY: {NEW: START, OPEN: LATER}}


# What conditions make of names

FLAG = NEW._replace(truths=frozenset({("flag", TRUE)}))


@pytest.mark.parametrize(
    ("constant", "bits"), [(None, NONE), (False, FALSE), (0, FALSE), ("x", TRUE), (1, TRUE)]
)
def test_what_a_condition_makes_of_a_constant(constant: object, bits: int) -> None:
    assert truth(constant) == bits


@pytest.mark.parametrize(
    ("value", "name", "bits"),
    [(NEW, "ws", TRUE), (NEW, "flag", ANYTHING), (FLAG, "flag", TRUE), (FLAG, "x", ANYTHING)],
)
def test_what_a_condition_makes_of_a_name(value: Value, name: str, bits: int) -> None:
    assert truth_of(value, name) == bits


def test_what_is_told_of_names() -> None:
    assert told({NEW: START}, ["flag"], TRUE) == {FLAG: START}
    both = NEW._replace(truths=frozenset({("flag", NONE), ("other", NONE)}))
    assert told({FLAG: START}, ["flag", "other"], NONE) == {both: START}
    assert told({FLAG: START, NEW: LATER}, ["flag"], ANYTHING) == {NEW: START}
    flow: Flow = {NEW: START}
    assert told(flow, ["flag"], ANYTHING) is flow


def test_ways_are_told_apart_by_a_condition() -> None:
    none = FLAG._replace(truths=frozenset({("flag", NONE)}))
    not_none = FLAG._replace(truths=frozenset({("flag", FALSE | TRUE)}))
    assert by_truth({FLAG: START}, "flag", TRUE) == ({FLAG: START}, {})
    assert by_truth({none: START}, "flag", TRUE) == ({}, {none: START})
    assert by_truth({NEW: START}, "flag", NONE) == ({none: START}, {not_none: START})
