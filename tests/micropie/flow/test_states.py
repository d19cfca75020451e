"""What a call does in each state, held to what a connection really does."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

import pytest

from micropie import ConnectionClosed, WebSocket
from micropie._state import ACCEPTED, REFUSALS, Call, Refusal, State
from micropie.contract import Event
from micropie.flow.states import (
    ALL_CALLS,
    ALL_STATES,
    ALLOWED,
    CALLS,
    METHODS,
    STATES,
    Outcomes,
    bit,
    calls_bits,
    forward,
    is_accepted,
    outcomes,
    states_bits,
)

CONNECT: Final[Event] = {"type": "websocket.connect"}
MESSAGE: Final[Event] = {"type": "websocket.receive", "text": "x"}
DISCONNECT: Final[Event] = {"type": "websocket.disconnect", "code": 1000}
OTHER: Final[Event] = {"type": "websocket.other"}

# A server's error that is none of a lost connection.
BROKEN: Final = ValueError("the server is broken")
LOST: Final = OSError("the client is gone")


class Held(BaseException):
    """The server waits."""


Outcome = Event | BaseException


class Server:
    """Gives what it is told to, to each `receive` and `send`."""

    def __init__(self) -> None:
        self.received: Outcome = CONNECT
        self.sent: BaseException | None = None

    async def receive(self) -> Event:
        if isinstance(self.received, BaseException):
            raise self.received
        return self.received

    async def send(self, event: Event) -> None:
        if self.sent is not None:
            raise self.sent


def run(call: Coroutine[Any, Any, object]) -> BaseException | None:
    """Step a call to its end, and give what it raises."""
    try:
        call.send(None)
    except StopIteration:
        return None
    except BaseException as error:
        return error
    raise AssertionError("the server does not wait")


def connection(state: State) -> tuple[WebSocket, Server]:
    server = Server()
    websocket = WebSocket(server.receive, server.send)
    if state in (State.OPEN, State.GONE, State.CLOSED):
        assert run(websocket.accept()) is None
    match state:
        case State.GONE | State.ABANDONED:
            server.received = DISCONNECT
            gone = websocket.receive_text() if state is State.GONE else websocket.accept()
            assert isinstance(run(gone), ConnectionClosed)
        case State.CLOSED | State.REJECTED:
            assert run(websocket.close()) is None
        case _:
            pass
    assert state_of(websocket) is state
    return websocket, server


def state_of(websocket: WebSocket) -> State:
    """Read the state where logs show it."""
    return State[repr(websocket).removeprefix("<WebSocket ").removesuffix(">")]


RIGHT: Final[dict[str, Callable[[WebSocket], Coroutine[Any, Any, object]]]] = {
    "accept": lambda one: one.accept(),
    "receive_text": lambda one: one.receive_text(),
    "receive_bytes": lambda one: one.receive_bytes(),
    "send_text": lambda one: one.send_text("x"),
    "send_bytes": lambda one: one.send_bytes(b"x"),
    "close": lambda one: one.close(),
}
# A wrong argument; a receive takes none.
WRONG: Final[dict[str, Callable[[WebSocket], Coroutine[Any, Any, object]]]] = {
    "accept": lambda one: one.accept(session_id=";"),
    "send_text": lambda one: one.send_text(b"x"),  # type: ignore[arg-type]  # pyright: ignore
    "send_bytes": lambda one: one.send_bytes("x"),  # type: ignore[arg-type]  # pyright: ignore
    "close": lambda one: one.close(1006),
}
# What the server may do at a call: what it gives or raises at `receive`, and raises at `send`.
SERVERS: Final[list[tuple[Outcome, BaseException | None]]] = [
    (received, sent)
    for received in (CONNECT, MESSAGE, DISCONNECT, OTHER, LOST, BROKEN, Held())
    for sent in (None, LOST, BROKEN, Held())
]


def observed(state: State, method: str) -> Outcomes:
    """Make a call with each outcome of the server, and give the states after it."""
    found = dict.fromkeys(("returns", "closed", "misuse", "error", "cancelled"), 0)
    calls = [(RIGHT[method], *server) for server in SERVERS]
    if method in WRONG:
        calls.append((WRONG[method], CONNECT, None))
    for call, received, sent in calls:
        websocket, server = connection(state)
        server.received, server.sent = received, sent
        error = run(call(websocket))
        match error:
            case None:
                how = "returns"
            case ConnectionClosed():
                how = "closed"
            case RuntimeError():
                how = "misuse"
            case Exception():
                how = "error"
            case _:
                how = "cancelled"
        after = state_of(websocket)
        # A part of NEW: all is allowed and refused as there.
        found[how] |= states_bits(State.NEW if after is State.CONNECTING else after)
    return Outcomes(
        found["returns"], found["closed"], found["misuse"], found["error"], found["cancelled"]
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("state", STATES)
def test_outcomes_are_what_a_real_connection_does(state: State, method: str) -> None:
    may = outcomes(states_bits(state), METHODS[method])
    assert observed(state, method) == may._replace(refused=False)
    refusal = REFUSALS.get((state, METHODS[method]))
    assert may.refused == (refusal is not None and refusal[0] is not Refusal.DONE)


def test_what_is_allowed_is_what_is_not_refused() -> None:
    assert ALLOWED.keys() == {
        (state, call) for state in STATES for call in CALLS if (state, call) not in REFUSALS
    }


@pytest.mark.parametrize("call", CALLS)
def test_some_states_have_the_outcomes_of_each_and_are_refused_by_all(call: Call) -> None:
    for states in range(1, ALL_STATES + 1):
        together = outcomes(states, call)
        each = [outcomes(1 << n, call) for n in range(len(STATES)) if states >> n & 1]
        assert together.refused == all(one.refused for one in each)
        for field in range(len(Outcomes._fields) - 1):
            union = 0
            for one in each:
                union |= one[field]
            assert together[field] == union


def test_sets_are_bits() -> None:
    assert states_bits() == calls_bits() == 0
    assert states_bits(*STATES) == ALL_STATES
    assert calls_bits(*CALLS) == ALL_CALLS
    assert states_bits(State.NEW, State.GONE) == 0b101
    assert bit("receive_bytes") == calls_bits(Call.RECEIVE)


def test_all_methods_are_those_of_the_class() -> None:
    names = {name for name, it in vars(WebSocket).items() if callable(it) and name[0] != "_"}
    assert set(METHODS) == names


@pytest.mark.parametrize(
    ("before", "calls", "after"),
    [
        ([State.NEW], [], [State.NEW]),
        ([State.NEW], [Call.SEND, Call.RECEIVE], [State.NEW]),
        ([State.NEW], [Call.ACCEPT], [State.NEW, State.OPEN, State.ABANDONED]),
        ([State.NEW], [Call.CLOSE], [State.NEW, State.REJECTED, State.ABANDONED]),
        ([State.OPEN], [Call.SEND], [State.OPEN, State.GONE]),
        ([State.OPEN], [Call.CLOSE], [State.OPEN, State.CLOSED, State.GONE]),
        ([State.NEW], CALLS, STATES),
        ([State.CLOSED], CALLS, [State.CLOSED]),
    ],
)
def test_others_move_it_on_until_nothing_new_comes(
    before: list[State], calls: list[Call], after: list[State]
) -> None:
    assert forward(states_bits(*before), calls_bits(*calls)) == states_bits(*after)


def test_accepted_is_as_the_class_has_it() -> None:
    assert is_accepted() == states_bits(*ACCEPTED)
