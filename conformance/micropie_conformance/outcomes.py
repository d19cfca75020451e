"""What a call came to: it returned, it raised, or it is blocked.

Values and errors come from the implementation under test, so they may be of any class there is;
nothing here trusts their methods.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["BLOCKED", "Blocked", "Outcome", "Raised", "Returned", "same", "show"]

_MOST_CHARACTERS = 120

# What differs from run to run.
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


def show(value: object) -> str:
    """Give `repr(value)`, shortened, without addresses; a `repr` that raises does no harm.

    What is left out of a str or of bytes shows in its length, else in that of its `repr`.
    """
    if type(value) is str:
        # Not all of it, which may be long, for its beginning.
        words, length = repr(value[:_MOST_CHARACTERS]), f"{len(value)} characters"
        cut = len(value) > _MOST_CHARACTERS
    elif type(value) is bytes:
        words, length = repr(value[:_MOST_CHARACTERS]), f"{len(value)} bytes"
        cut = len(value) > _MOST_CHARACTERS
    else:
        try:
            words = _ADDRESS.sub("", repr(value))
        except BaseException as error:
            return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
        length, cut = f"{len(words)} characters", False
    if cut or len(words) > _MOST_CHARACTERS:
        words = f"{words[: _MOST_CHARACTERS - 20]}... ({length})"
    return words


def same(value: object, expected: str | bytes | int | None) -> bool:
    """Whether `value` is what is expected, for all that its user can see.

    A class derived from that of `expected` will do, a bool only for a bool. For bytes,
    bytearray and memoryview will do too: that it is exactly bytes is a question of its own.
    """
    if value is expected:
        return True
    try:
        match expected:
            case None | bool():
                return False
            case str():
                return isinstance(value, str) and str.__eq__(value, expected)
            case bytes():
                if isinstance(value, bytes | bytearray):
                    return bytes.__eq__(bytes(value), expected)
                if isinstance(value, memoryview):
                    return bytes.__eq__(value.tobytes(), expected)
            case _:
                if isinstance(value, int) and not isinstance(value, bool):
                    return int.__eq__(value, expected)
    except BaseException:
        # A value that cannot even be compared.
        pass
    return False


@dataclass(frozen=True, slots=True)
class Returned:
    """The call returned."""

    value: object

    def __str__(self) -> str:
        """Say it in words."""
        return f"returns {show(self.value)}"


@dataclass(frozen=True, slots=True)
class Raised:
    """The call raised."""

    error: BaseException

    def __str__(self) -> str:
        """Say it in words."""
        return f"raises {show(self.error)}"

    def of(self, *classes: type[BaseException]) -> bool:
        """Whether the error is of one of these classes, by its real class."""
        return issubclass(type(self.error), classes)


@dataclass(frozen=True, slots=True)
class Blocked:
    """The call waits for something that has not come."""

    def __str__(self) -> str:
        """Say it in words."""
        return "waits"


BLOCKED = Blocked()

Outcome: TypeAlias = Returned | Raised | Blocked
