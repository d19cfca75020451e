import enum
from typing import Any

import pytest
from micropie_conformance.outcomes import BLOCKED, Raised, Returned, same, show


class Hostile:
    def __repr__(self) -> str:
        raise SystemExit("repr")

    def __eq__(self, other: object) -> bool:
        raise KeyboardInterrupt("eq")

    def __bytes__(self) -> bytes:
        raise GeneratorExit("bytes")

    __hash__ = object.__hash__


class NoClass:
    @property
    def __class__(self) -> Any:
        raise SystemExit("class")

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


class Liar:
    @property
    def __class__(self) -> Any:
        return str

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


class OtherText(str):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Code(enum.IntEnum):
    NORMAL = 1000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "x"),
        (OtherText("x"), "x"),
        ("", ""),
        (b"x", b"x"),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
        (1000, 1000),
        (Code.NORMAL, 1000),
        (None, None),
        (True, True),
        (False, False),
    ],
)
def test_same(value: object, expected: Any) -> None:
    assert same(value, expected) is True


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "y"),
        (OtherText("x"), "y"),
        (b"x", "x"),
        ("x", b"x"),
        ([120], b"x"),
        (b"x", b"y"),
        (True, 1),
        (1, True),
        (0, False),
        ("1000", 1000),
        (1001, 1000),
        (1000.0, 1000),
        ("", None),
        (None, ""),
        (None, False),
    ],
)
def test_not_same(value: object, expected: Any) -> None:
    assert same(value, expected) is False


@pytest.mark.parametrize("kind", [Hostile, NoClass, Liar])
@pytest.mark.parametrize("expected", ["x", b"x", 5, None, True])
def test_a_hostile_value_is_never_the_same(kind: type, expected: Any) -> None:
    assert same(kind(), expected) is False


def test_show() -> None:
    assert show("x") == "'x'"
    assert show(Hostile()) == "<Hostile whose repr raises SystemExit>"
    assert show(object()) == "<object object>"
    assert show("x" * 118) == f"'{'x' * 118}'"
    assert show("x" * 1000) == f"'{'x' * 99}... (1000 characters)"
    assert show(b"x" * 1000) == f"b'{'x' * 98}... (1000 bytes)"
    # It is the escapes that are long.
    assert show("\0" * 40) == f"'{(chr(92) + 'x00') * 24}{chr(92)}x0... (40 characters)"
    assert show(["x" * 200]) == f"['{'x' * 98}... (204 characters)"


def test_outcomes_in_words() -> None:
    assert str(Returned("x")) == "returns 'x'"
    assert str(Raised(ValueError("no"))) == "raises ValueError('no')"
    assert str(BLOCKED) == "waits"


def test_class_of_an_error() -> None:
    class HiddenError(ValueError):
        @property
        def __class__(self) -> Any:
            return KeyError

        @__class__.setter
        def __class__(self, value: Any) -> None: ...

    assert Raised(HiddenError()).of(KeyError, ValueError)
    assert not Raised(HiddenError()).of(KeyError)
