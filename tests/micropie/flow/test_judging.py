"""What is wrong with a call, in words."""

import ast

import pytest

from micropie._state import State
from micropie.flow.exceptions import Site
from micropie.flow.findings import Code, Severity
from micropie.flow.judging import finding_of, site_of, words_of
from micropie.flow.states import CALLS, METHODS, STATES, outcomes, states_bits
from micropie.flow.values import Origin, Why

NODE = ast.Call(func=ast.Name("f"), args=[], keywords=[], lineno=3, col_offset=8)

MISUSE = "RuntimeError"
OVER = "ConnectionClosed"
EITHER = "RuntimeError or ConnectionClosed"


@pytest.mark.parametrize(
    ("method", "states", "why", "code", "raises"),
    [
        ("send_text", [State.NEW], Why.START, Code.SEND_BEFORE_ACCEPT, MISUSE),
        ("send_bytes", [State.NEW], Why.CONDITION, Code.SEND_BEFORE_ACCEPT, MISUSE),
        ("receive_text", [State.NEW], Why.START, Code.RECEIVE_BEFORE_ACCEPT, MISUSE),
        ("receive_bytes", [State.NEW, State.CLOSED], Why.START, Code.RECEIVE_BEFORE_ACCEPT, EITHER),
        ("accept", [State.OPEN], Why.ACCEPT, Code.SECOND_ACCEPT, MISUSE),
        ("accept", [State.OPEN, State.GONE], Why.CONDITION, Code.SECOND_ACCEPT, MISUSE),
        ("accept", [State.GONE], Why.DISCONNECT, Code.SECOND_ACCEPT, MISUSE),
        ("accept", [State.OPEN, State.CLOSED], Why.MESSAGE, Code.SECOND_ACCEPT, MISUSE),
        ("accept", [State.CLOSED, State.GONE], Why.CLOSE, Code.ACCEPT_AFTER_CLOSE, MISUSE),
        ("accept", [State.REJECTED], Why.CLOSE, Code.ACCEPT_AFTER_CLOSE, MISUSE),
        ("accept", [State.REJECTED], Why.CONDITION, Code.ACCEPT_AFTER_CLOSE, MISUSE),
        ("accept", [State.ABANDONED], Why.DISCONNECT, Code.USE_AFTER_DISCONNECT, OVER),
        ("send_text", [State.CLOSED], Why.CLOSE, Code.SEND_AFTER_CLOSE, MISUSE),
        ("send_text", [State.CLOSED, State.GONE], Why.CLOSE, Code.SEND_AFTER_CLOSE, EITHER),
        ("send_text", [State.GONE], Why.DISCONNECT, Code.USE_AFTER_DISCONNECT, OVER),
        ("send_text", [State.GONE, State.ABANDONED], Why.CLOSE, Code.USE_AFTER_DISCONNECT, OVER),
        (
            "send_text",
            [State.GONE, State.CLOSED],
            Why.DISCONNECT,
            Code.USE_AFTER_DISCONNECT,
            EITHER,
        ),
        ("receive_text", [State.REJECTED], Why.CLOSE, Code.RECEIVE_AFTER_CLOSE, MISUSE),
        ("receive_text", [State.CLOSED], Why.CLOSE, Code.RECEIVE_AFTER_CLOSE, OVER),
        ("receive_bytes", [State.ABANDONED], Why.DISCONNECT, Code.USE_AFTER_DISCONNECT, OVER),
    ],
)
def test_a_call_that_fails_is_named_and_what_it_raises(
    method: str, states: list[State], why: Why, code: Code, raises: str
) -> None:
    site = site_of(NODE, method, states_bits(*states), Origin(2, why))
    assert site == Site(3, method, code, raises)


@pytest.mark.parametrize("why", Why)
def test_words_are_found_for_whatever_fails(why: Why) -> None:
    for method, call in METHODS.items():
        for states in range(1, 1 << len(STATES)):
            if outcomes(states, call).refused:
                origin = Origin(2, why)
                words = words_of(site_of(NODE, method, states, origin), origin)
                assert words.startswith(f"{method}() ")
                assert "it raises RuntimeError" in words or "it raises ConnectionClosed" in words
                assert words.endswith("line 2")
    assert len(CALLS) == len({*METHODS.values()})


def test_the_words_are_a_sentence() -> None:
    origin = Origin(2, Why.CLOSE)
    site = site_of(NODE, "send_text", states_bits(State.REJECTED), origin)
    assert words_of(site, origin) == (
        "send_text() after close(): it raises RuntimeError; it was closed in line 2"
    )


@pytest.mark.parametrize(
    ("always", "severity", "text"),
    [(True, Severity.ERROR, "it fails"), (False, Severity.WARNING, "possibly it fails")],
)
def test_a_finding_says_how_sure_it_is(always: bool, severity: Severity, text: str) -> None:
    site = Site(3, "accept", Code.SECOND_ACCEPT, MISUSE)
    found = finding_of(NODE, always, "it fails", site, Origin(2, Why.ACCEPT))
    assert (found.line, found.column, found.code) == (3, 9, Code.SECOND_ACCEPT)
    assert (found.severity, found.message, found.origin) == (severity, text, 2)
