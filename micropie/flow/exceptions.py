"""Exceptions as the analysis knows them, and which `except` catches which."""

import ast
import builtins
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from micropie.flow.findings import Code
from micropie.flow.modules import Module, Modules

__all__ = [
    "ANY",
    "CANCELLED",
    "CLOSED",
    "MISUSE",
    "NEVER",
    "TIMEOUT",
    "WRONG",
    "Catches",
    "Caught",
    "Raised",
    "Site",
    "Sorts",
    "caught_by",
    "exception",
    "handled",
]


class _Closed(Exception):
    """Stands for `micropie.ConnectionClosed`."""


class _Any(Exception):
    """Stands for some exception of which no more is known."""


class _Wrong(Exception):
    """Stands for what a call of the connection raises for other reasons than its state."""


class _Cancelled(BaseException):
    """Stands for a cancellation, and for whatever else is no `Exception`."""


class Site(NamedTuple):
    """Where a call failed because of the connection's state."""

    line: int
    method: str
    code: Code
    # What it raises, in words.
    raises: str

    @property
    def receives(self) -> bool:
        """Whether the call is a receive that will raise the same again."""
        return self.code is Code.USE_AFTER_DISCONNECT and self.method.startswith("receive")


_Sort: TypeAlias = type[BaseException]

Sorts: TypeAlias = tuple[_Sort | None, ...]
"""The classes that an `except` names; None stands for one that is not known."""


class Raised(NamedTuple):
    """An exception on its way."""

    type: _Sort
    # The call that raised it because of the connection's state; None: it has other reasons.
    site: Site | None = None
    # Of one that is not known: what it is at the least, and what it is not, as `except` says.
    within: _Sort = Exception
    but: frozenset[_Sort] = frozenset()


ANY: Final = Raised(_Any)
CANCELLED: Final = Raised(_Cancelled)
CLOSED: Final = Raised(_Closed)
MISUSE: Final = Raised(RuntimeError)
WRONG: Final = Raised(_Wrong)
TIMEOUT: Final = Raised(TimeoutError)

NEVER: Final = {
    "typing.assert_never": Raised(AssertionError),
    "typing_extensions.assert_never": Raised(AssertionError),
    "sys.exit": Raised(SystemExit),
}
"""What does not return, by its name, and what it raises."""


class Catches(IntEnum):
    """Whether an `except` catches an exception."""

    NO = 0
    MAYBE = 1
    YES = 2


_KNOWN: Final[dict[str, type[BaseException]]] = {
    "asyncio.CancelledError": _Cancelled,
    "asyncio.exceptions.CancelledError": _Cancelled,
    "asyncio.TimeoutError": TimeoutError,
    "asyncio.exceptions.TimeoutError": TimeoutError,
    "concurrent.futures.TimeoutError": TimeoutError,
    "builtins.Exception": Exception,
}


def exception(modules: Modules, module: Module, node: ast.expr) -> type[BaseException] | None:
    """Give the class of an exception that is named in code; None: it is not known."""
    if modules.canonical(module, node) == "ConnectionClosed":
        return _Closed
    name = module.dotted(node)
    if name in _KNOWN:
        return _KNOWN[name]
    if name in module.classes or name in module.functions:
        return None
    found = getattr(builtins, name, None) if name else None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def handled(modules: Modules, module: Module, handler: ast.expr | None) -> Sorts:
    """Give the classes that an `except` names."""
    match handler:
        case None:
            return (BaseException,)
        case ast.Tuple(elts=elements):
            return tuple(exception(modules, module, element) for element in elements)
        case _:
            return (exception(modules, module, handler),)


class Caught(NamedTuple):
    """What an `except` does with an exception."""

    how: Catches
    # What is known of the exception where it was caught, and where it was not.
    known: Raised
    left: Raised


@lru_cache(maxsize=1024)
def caught_by(raised: Raised, sorts: Sorts) -> Caught:
    """Say what an `except` that names some classes does with an exception."""
    how = max((_catches(raised, sort) for sort in sorts), default=Catches.NO)
    named = frozenset(sort for sort in sorts if sort is not None)
    known = raised
    if raised.type is _Any and len(sorts) == len(named) == 1:
        [sort] = named
        if issubclass(sort, Exception):
            known = raised._replace(within=sort)
    return Caught(how, known, raised._replace(but=raised.but | named))


def _catches(raised: Raised, handler: _Sort | None) -> Catches:
    sort = raised.type
    if handler is None:
        return Catches.MAYBE
    if issubclass(raised.within if sort is _Any else sort, handler):
        return Catches.YES
    if (sort is _Wrong and handler is _Closed) or issubclass(handler, (*raised.but,)):
        return Catches.NO
    if sort is _Any and issubclass(handler, raised.within):
        return Catches.MAYBE
    if sort is _Wrong and issubclass(handler, Exception):
        return Catches.MAYBE
    if sort is _Cancelled and not issubclass(handler, Exception):
        return Catches.MAYBE
    return Catches.NO
