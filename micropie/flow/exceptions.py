"""Exceptions as the analysis knows them, and which `except` catches which."""

import ast
import builtins
from enum import IntEnum
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
    "Raised",
    "Site",
    "catches",
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


class Raised(NamedTuple):
    """An exception on its way."""

    type: _Sort
    # The call that raised it because of the connection's state; None: it has other reasons.
    site: Site | None = None
    # Of one that is not known: what it is at the least, and what it is not, as `except` says.
    within: _Sort = Exception
    but: frozenset[_Sort] = frozenset()

    def told(self, sorts: list[_Sort | None]) -> tuple["Raised", "Raised"]:
        """Give what is known of it where an `except` has caught it, and where it has not."""
        known = [sort for sort in sorts if sort is not None]
        caught = self
        if self.type is _Any and len(sorts) == len(known) == 1 and issubclass(known[0], Exception):
            caught = self._replace(within=known[0])
        return caught, self._replace(but=self.but | {*known})


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


def handled(
    modules: Modules, module: Module, handler: ast.expr | None
) -> list[type[BaseException] | None]:
    """Give the classes that an `except` names; None stands for one that is not known."""
    match handler:
        case None:
            return [BaseException]
        case ast.Tuple(elts=elements):
            return [exception(modules, module, element) for element in elements]
        case _:
            return [exception(modules, module, handler)]


def catches(raised: Raised, handler: type[BaseException] | None) -> Catches:
    """Say whether an exception is caught by an `except` with a class."""
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
