"""A trace becomes messages between lanes, whatever cases there are."""

import pytest
from micropie_conformance.case import LiveCase, MemoryCase, registered
from micropie_conformance.diagram import Message, diagram
from micropie_conformance.live.running import run_live
from micropie_conformance.probe import Target
from micropie_conformance.runner import Verdict, rehearse

from micropie import ConnectionClosed, WebSocket

MEMORY, LIVE = registered()
TARGET = Target(WebSocket, ConnectionClosed)


def in_lanes(trace: list[str]) -> list[str]:
    """Give the steps that the diagram does not know."""
    found = diagram(trace)
    assert len(found.messages) == len(trace)
    for message in found.messages:
        assert message.lanes is None or 0 <= min(message.lanes) <= max(message.lanes) < len(
            found.lanes
        )
        assert message.lanes is None or abs(message.lanes[0] - message.lanes[1]) <= 1
    return [message.words for message in found.messages if message.lanes is None]


@pytest.mark.parametrize("case", MEMORY, ids=lambda case: case.id)
def test_every_step_in_memory_is_known(case: MemoryCase) -> None:
    assert in_lanes(rehearse(case, TARGET).trace) == []


def test_every_step_on_the_wire_is_known() -> None:
    # One of each group, so that it takes seconds.
    groups: dict[str, LiveCase] = {}
    for case in LIVE:
        groups.setdefault(case.clause.id, case)
    for result in run_live(groups.values(), TARGET):
        assert result.verdict is Verdict.PASSED
        assert [step for step in in_lanes(result.trace) if not step.startswith("...")] == [], (
            result.case
        )


def test_in_memory() -> None:
    found = diagram(
        [
            "server has   websocket.connect",
            "constructor  returns",
            "call         accept('a  b')",
            "reads        websocket.connect",
            "sends        websocket.accept",
            "server       raises OSError('gone')",
            "raises       accept('a  b') -> ConnectionClosed()",
            "attribute    accepted is False",
            "waits        send_text('x')",
            "server will  raise OSError('gone') at each send",
            "... 615 steps left out ...",
            "what nobody knows",
            "server what nobody knows",
        ]
    )
    assert found.lanes == ("server", "implementation", "caller")
    assert found.messages == [
        Message("server has websocket.connect", (0, 0)),
        Message("constructor returns", (1, 2), answer=True),
        Message("call accept('a  b')", (2, 1)),
        Message("reads websocket.connect", (0, 1)),
        Message("sends websocket.accept", (1, 0)),
        Message("server raises OSError('gone')", (0, 1)),
        Message("raises accept('a  b') -> ConnectionClosed()", (1, 2), answer=True),
        Message("attribute accepted is False", (1, 2)),
        Message("waits send_text('x')", (1, 1)),
        Message("server will raise OSError('gone') at each send", (0, 0)),
        Message("... 615 steps left out ...", None),
        Message("what nobody knows", None),
        Message("server what nobody knows", None),
    ]


def test_on_the_wire() -> None:
    found = diagram(
        [
            "client 1   asks for a connection",
            "handler 1  call      accept()",
            "handler 1  is given  websocket.connect",
            "handler 1  sends     websocket.accept",
            "handler 1  accept() returns None",
            "client 1   gets HTTP 101",
            "client 1   is gone",
            "... 615 steps left out ...",
            "handler 1  is cancelled",
            "handler 1  raises    an error of its own",
            "handler 1  ends",
        ]
    )
    assert found.lanes == ("client", "server", "implementation", "handler")
    assert found.messages == [
        Message("asks for a connection", (0, 1)),
        Message("call accept()", (3, 2)),
        Message("is given websocket.connect", (1, 2)),
        Message("sends websocket.accept", (2, 1)),
        Message("accept() returns None", (2, 3), answer=True),
        Message("gets HTTP 101", (1, 0)),
        Message("is gone", (0, 0)),
        Message("... 615 steps left out ...", None),
        Message("is cancelled", (3, 3)),
        Message("raises an error of its own", (3, 3)),
        Message("ends", (3, 3)),
    ]


def test_several_clients_are_told_apart() -> None:
    found = diagram(["client 1   sends text 'a'", "handler 2  call      accept()"])
    assert [message.words for message in found.messages] == [
        "client 1: sends text 'a'",
        "handler 2: call accept()",
    ]


def test_nothing_happened() -> None:
    assert diagram([]).messages == []
