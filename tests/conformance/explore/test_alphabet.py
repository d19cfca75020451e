"""The letters cross what the contract tells apart, each with what is simpler than it."""

from collections import Counter

import pytest
from micropie_conformance.catalogue import clause
from micropie_conformance.explore.alphabet import LETTERS, Act, Called, Came, Comes

CALLS: list[Called] = [letter for letter in LETTERS if isinstance(letter, Called)]
EVENTS: list[Comes] = [letter for letter in LETTERS if isinstance(letter, Comes)]


def test_every_method_is_called_with_what_is_taken_and_what_is_refused() -> None:
    assert {call.method for call in CALLS} == {
        *("accept", "receive_text", "receive_bytes", "send_text", "send_bytes", "close"),
    }
    assert {call.act for call in CALLS} == set(Act)


def test_every_pair_of_payloads_comes() -> None:
    received = [one.event for one in EVENTS if one.event["type"] == "websocket.receive"]
    pairs = Counter((one.get("text", "-"), one.get("bytes", "-")) for one in received)
    assert len(pairs) == len(received) == 25
    assert sum(one.came is Came.MESSAGE for one in EVENTS) == 12


def test_every_pair_of_code_and_reason_comes() -> None:
    ends = [one.event for one in EVENTS if one.came is Came.DISCONNECT]
    assert len({(one.get("code", "-"), one.get("reason", "-")) for one in ends}) == len(ends) == 9


@pytest.mark.parametrize(
    ("event", "texts", "clauses"),
    [
        ({"text": "hello"}, "hello", {"WS-RECV-001", "WS-RECV-004"}),
        ({"bytes": b"hello"}, "hello", {"WS-RECV-002", "WS-RECV-003"}),
        ({"text": ""}, "", {"WS-MSG-002"}),
        ({"text": None, "bytes": b"\xef\xbb\xbfa\xffb\xc3"}, "\ufeffab", {"WS-MSG-001"}),
    ],
)
def test_what_a_message_is_to_each_method(
    event: dict[str, object], texts: str, clauses: set[str]
) -> None:
    (letter,) = (one for one in EVENTS if one.event == {"type": "websocket.receive", **event})
    assert letter.values["receive_text"] == texts
    assert set(letter.clauses.values()) == clauses


def test_what_is_simpler_has_fewer_peculiarities() -> None:
    steps: Counter[int] = Counter()

    def most(letter: Called | Comes) -> int:
        assert {type(simpler) for simpler in letter.simpler} <= {type(letter)}
        return max((most(simpler) + 1 for simpler in letter.simpler), default=0)

    letters: list[Called | Comes] = [*CALLS, *EVENTS]
    for letter in letters:
        steps[most(letter)] += 1
    assert set(steps) == {0, 1, 2}


def test_arguments_are_left_out_one_by_one() -> None:
    for call in CALLS:
        if len(call.kwargs) > 1:
            left = [dict(simpler.kwargs) for simpler in call.simpler]
            assert left == [{name: value} for name, value in call.kwargs.items()]


def test_clauses_are_there() -> None:
    for letter in CALLS:
        assert not letter.clause or clause(letter.clause)
    for event in EVENTS:
        assert all(map(clause, event.clauses.values()))
