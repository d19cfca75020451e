"""What an exploration is made of: the calls, and what the server does, one letter each.

A letter has simpler ones where it has peculiarities, each without one of them: a failure that a
simpler one shows as well is not about that peculiarity.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import product
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from micropie_conformance.cases.common import SESSION
from micropie_conformance.probe import CONNECT, Event

__all__ = [
    "ACCEPT",
    "CANCEL",
    "CONNECTS",
    "LETTERS",
    "OTHER_ERROR",
    "SERVER_LOSES",
    "Act",
    "Called",
    "Came",
    "Cancels",
    "Comes",
    "Fails",
    "Letter",
    "Name",
]


class Name(Enum):
    """A name that is quick to look up: Enum's own hash is written in Python."""

    # Type checkers take it for that one.
    if not TYPE_CHECKING:
        __hash__ = object.__hash__


class Act(Name):
    """What a call asks for. The refused ones have an argument that cannot be taken."""

    ACCEPT = auto()
    ACCEPT_REFUSED = auto()
    RECEIVE = auto()
    SEND = auto()
    SEND_REFUSED = auto()
    CLOSE = auto()
    CLOSE_REFUSED = auto()


class Came(Name):
    """What an event of the server is to who reads it."""

    CONNECT = auto()
    MESSAGE = auto()
    DISCONNECT = auto()
    # No implementation is judged by what it makes of it.
    ODD = auto()


# Letters are equal when they are identical, which makes sequences of them quick to look up.


@dataclass(frozen=True, slots=True, eq=False)
class Called:
    """A call of a method."""

    act: Act
    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    # The clause that refuses the arguments, or that speaks of just these; empty: none.
    clause: str = ""
    simpler: "tuple[Called, ...]" = ()
    # Makes the call on a connection.
    made: Callable[[object], Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make ready what is called often."""
        object.__setattr__(self, "made", methodcaller(self.method, *self.args, **self.kwargs))


@dataclass(frozen=True, slots=True, eq=False)
class Comes:
    """An event that the server has for who reads it."""

    came: Came
    event: Event
    # What each receive method makes of a message.
    values: Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    # The clause that each receive method breaks which fails at it.
    clauses: Mapping[str, str] = field(default_factory=dict[str, str])
    simpler: "tuple[Comes, ...]" = ()


@dataclass(frozen=True, slots=True, eq=False)
class Fails:
    """From here on, the server raises this at each event that it is sent."""

    error: type[Exception]
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Cancels:
    """The call that waits is cancelled."""


Letter: TypeAlias = Called | Comes | Fails | Cancels


def _calls() -> list[Called]:
    accept = ACCEPT
    text = Called(Act.SEND, "send_text", ("x",), clause="WS-SEND-001")
    data = Called(Act.SEND, "send_bytes", (b"x",), clause="WS-SEND-002")
    close = Called(Act.CLOSE, "close", clause="WS-CLOSE-001")
    with_code, with_reason = (
        Called(Act.CLOSE, "close", (), kwargs, "WS-CLOSE-002", (close,))
        for kwargs in ({"code": 4000}, {"reason": "bye"})
    )

    def accepts(act: Act, clause: str, **kwargs: object) -> Called:
        return Called(act, "accept", (), kwargs, clause, (accept,) if act is Act.ACCEPT else ())

    def closes(clause: str, **kwargs: object) -> Called:
        return Called(Act.CLOSE_REFUSED, "close", (), kwargs, clause)

    return [
        accept,
        accepts(Act.ACCEPT, "", subprotocol="chat"),
        accepts(Act.ACCEPT, "", session_id=SESSION),
        accepts(Act.ACCEPT_REFUSED, "WS-PROTO-003", subprotocol="a b"),
        accepts(Act.ACCEPT_REFUSED, "WS-COOKIE-003", session_id="a\r\nb: c"),
        accepts(Act.ACCEPT_REFUSED, "WS-COOKIE-005", session_id=5),
        Called(Act.RECEIVE, "receive_text", clause="WS-RECV-001"),
        Called(Act.RECEIVE, "receive_bytes", clause="WS-RECV-002"),
        text,
        Called(Act.SEND, "send_text", ("",), clause="WS-MSG-003", simpler=(text,)),
        Called(Act.SEND, "send_text", (_TEXT,), clause="WS-SEND-001", simpler=(text,)),
        Called(Act.SEND_REFUSED, "send_text", (b"x",), clause="WS-SEND-003"),
        data,
        Called(Act.SEND, "send_bytes", (b"",), clause="WS-MSG-003", simpler=(data,)),
        Called(Act.SEND_REFUSED, "send_bytes", ("x",), clause="WS-SEND-003"),
        Called(Act.SEND_REFUSED, "send_bytes", (5,), clause="WS-SEND-003"),
        close,
        Called(
            Act.CLOSE,
            "close",
            (),
            {"code": 4000, "reason": "bye"},
            "WS-CLOSE-002",
            (with_code, with_reason),
        ),
        closes("WS-CLOSE-004", code=999),
        closes("WS-CLOSE-005", reason="x" * 124),
        closes("WS-CLOSE-006", code="1000"),
    ]


# What looks like a byte order mark, beyond the basic plane, a combining character, and NUL.
_TEXT: Final = "\ufeff\U0001f967 e\u0301 \0"

# The same mark, and not all of it is UTF-8.
_BYTES: Final = b"\xef\xbb\xbfa\xffb\xc3"

_ABSENT: Final = object()


def _messages() -> list[Comes]:
    """Cross all that the two keys of websocket.receive can hold."""
    plain = {
        name: _message({name: value}) for name, value in (("text", "hello"), ("bytes", b"hello"))
    }
    found = list(plain.values())
    for words, data in product(
        (_ABSENT, None, "hello", "", _TEXT), (_ABSENT, None, b"hello", b"", _BYTES)
    ):
        event = {
            key: value for key, value in (("text", words), ("bytes", data)) if value is not _ABSENT
        }
        used = [key for key, value in event.items() if value is not None]
        if len(used) != 1:
            found.append(Comes(Came.ODD, {"type": "websocket.receive", **event}))
        elif event not in ({"text": "hello"}, {"bytes": b"hello"}):
            found.append(_message(event, plain[used[0]]))
    return found


def _message(event: dict[str, Any], *simpler: Comes) -> Comes:
    key = next(key for key, value in event.items() if value is not None)
    value = event[key]
    if len(event) > 1:
        # With the other key absent, it is simpler.
        simpler = (_message({key: value}, *simpler),)
    if key == "text":
        values: dict[str, str | bytes] = {"receive_text": value, "receive_bytes": value.encode()}
        clauses = {"receive_text": "WS-RECV-001", "receive_bytes": "WS-RECV-004"}
    else:
        values = {"receive_text": value.decode("utf-8", "ignore"), "receive_bytes": value}
        clauses = {"receive_text": "WS-RECV-003", "receive_bytes": "WS-RECV-002"}
    if len(event) > 1:
        clauses = dict.fromkeys(clauses, "WS-MSG-001")
    elif not value:
        clauses = dict.fromkeys(clauses, "WS-MSG-002")
    return Comes(Came.MESSAGE, {"type": "websocket.receive", **event}, values, clauses, simpler)


def _disconnects() -> list[Comes]:
    def disconnect(*simpler: Comes, **keys: object) -> Comes:
        clauses = {"receive_text": "WS-RECV-005", "receive_bytes": "WS-RECV-006"}
        if simpler:
            has_code = isinstance(keys["code"], int)
            clauses = dict.fromkeys(clauses, "WS-MSG-004" if has_code else "WS-MSG-007")
        event: dict[str, object] = {"type": "websocket.disconnect"}
        event.update({key: value for key, value in keys.items() if value is not _ABSENT})
        return Comes(Came.DISCONNECT, event, {}, clauses, simpler)

    full = disconnect(code=1001, reason="bye")
    # With its code, one without a reason is simpler than with neither.
    with_code = {
        "bye": full,
        **{reason: disconnect(full, code=1001, reason=reason) for reason in (None, _ABSENT)},
    }
    return [
        *with_code.values(),
        *(
            disconnect(simpler, code=code, reason=reason)
            for code, (reason, simpler) in product((None, _ABSENT), with_code.items())
        ),
    ]


ACCEPT: Final = Called(Act.ACCEPT, "accept", clause="WS-ACCEPT-001")
CONNECTS: Final = Comes(Came.CONNECT, CONNECT)
CANCEL: Final = Cancels()
SERVER_LOSES: Final = Fails(OSError, "the client has gone")
OTHER_ERROR: Final = Fails(LookupError, "the server is out of order")

LETTERS: Final[tuple[Letter, ...]] = (
    *_calls(),
    CONNECTS,
    *_messages(),
    *_disconnects(),
    Comes(Came.ODD, {"type": "websocket.unheard-of"}),
    SERVER_LOSES,
    OTHER_ERROR,
    CANCEL,
)
"""All letters, simple ones before those with a peculiarity."""
