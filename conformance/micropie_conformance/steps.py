"""What was done in a case and what was judged there, as data for a program that does it again."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

__all__ = [
    "Cancel",
    "Check",
    "Clear",
    "Deliver",
    "Fail",
    "Go",
    "Hold",
    "Make",
    "Need",
    "NoSource",
    "Pace",
    "Retry",
    "Start",
    "Step",
    "literal",
]


class Make(NamedTuple):
    """The connection is made."""

    options: dict[str, object]


class Deliver(NamedTuple):
    """The server has events."""

    events: tuple[Mapping[str, Any], ...]


class Start(NamedTuple):
    """A method is called."""

    # Of the call, for what comes after it.
    name: str
    method: str
    args: tuple[object, ...]
    kwargs: dict[str, object]


class Retry(NamedTuple):
    """A method is called again, unless the call with this name has returned."""

    name: str
    method: str


class Cancel(NamedTuple):
    """The call with this name is cancelled; with an event, so many steps after that has come."""

    name: str
    event: Mapping[str, Any] | None = None
    after: int = 0


class Fail(NamedTuple):
    """The server raises this at each send from now on; None: no more."""

    error: BaseException | None


class Hold(NamedTuple):
    """The server takes events without returning from `send`, or lets the sends return."""

    held: bool


class Pace(NamedTuple):
    """The server lets its `receive` and `send` go on one by one, by `Go`; or all at once again."""

    paced: bool


class Go(NamedTuple):
    """The server lets one go on, by its number among those that wait, the oldest first."""

    number: int


class Clear(NamedTuple):
    """What has been sent so far is accounted for."""


class Need(NamedTuple):
    """The case goes on only where this holds of a call, an expression as in a `Check`."""

    name: str
    holds: str


Step: TypeAlias = Make | Deliver | Start | Retry | Cancel | Fail | Hold | Pace | Go | Clear | Need


class Check(NamedTuple):
    """A judgement as Python source, over the names that a program of `repro` has.

    These are `sent`, a list of events; `inbox`, what is unread; `ws`, the connection; each call by
    its name, with `outcome` ("returns", "raises" or "waits"), `value` and `error`; `made`, the same
    of the connection; `ConnectionClosed`; `failure`, what the server raises; and the functions of
    `facts`. An event's `headers` are a list of tuples there.
    """

    # An expression.
    holds: str
    # What shows how it is: arguments of `print`.
    observed: str


# Called by another name, as pyright narrows what `type` is asked about to a half-known type.
_KIND: Callable[[object], type[object]] = type


class NoSource(Exception):
    """A value that cannot be written as source."""


def literal(value: Any) -> str:
    """Write a value as source.

    Raises:
        NoSource: It is none of Python's plain values.
    """
    kind = _KIND(value)
    if kind in (str, bytes):
        return _quoted(value)
    if kind is float and not math.isfinite(value):
        return f'float("{value}")'
    if kind in (bool, int, float, bytearray, type(None)):
        return repr(value)
    if kind.__base__ in (str, bytes):
        # Of a class of its own, which is nothing but that.
        return f'type("{kind.__name__}", ({kind.__base__.__name__},), {{}})({_quoted(value)})'
    if kind is list:
        return f"[{', '.join(map(literal, value))}]"
    if kind is tuple:
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if kind is dict:
        pairs = (f"{literal(name)}: {literal(each)}" for name, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise NoSource(repr(value))


def _quoted(value: str | bytes) -> str:
    if len(value) > 20:
        # A character of UTF-8 has up to four bytes.
        for width in range(1, 5):
            times, rest = divmod(len(value), width)
            if not rest and value[:width] * times == value:
                return f"{_quoted(value[:width])} * {times}"
    if value == bytes(range(256)):
        return "bytes(range(256))"
    # With the quotes that formatters prefer.
    words = ascii(value)
    if words[-1] == '"' or '"' in words:
        return words
    return words[:-1].replace("'", '"', 1) + '"'
