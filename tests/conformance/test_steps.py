import math

import pytest
from micropie_conformance.steps import NoSource, literal


class Derived(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (None, "None"),
        (True, "True"),
        (-5, "-5"),
        (1.5, "1.5"),
        (math.inf, 'float("inf")'),
        ("hello", '"hello"'),
        ("it's", '"it\'s"'),
        ('"a"', "'\"a\"'"),
        ("'\"", "'\\'\"'"),
        ("grüße\r\n\0", '"gr\\xfc\\xdfe\\r\\n\\x00"'),
        ("", '""'),
        ("x" * 124, '"x" * 124'),
        (b"hello", 'b"hello"'),
        (b"\xff" * 21, 'b"\\xff" * 21'),
        ("€€".encode() * 4, 'b"\\xe2\\x82\\xac" * 8'),
        ("ab" * 10 + "c", '"ababababababababababc"'),
        (bytes(range(256)), "bytes(range(256))"),
        (bytearray(b"x"), "bytearray(b'x')"),
        ([1, "a"], '[1, "a"]'),
        (Derived("x"), 'type("Derived", (str,), {})("x")'),
        ((), "()"),
        ((1,), "(1,)"),
        ((1, b"a"), '(1, b"a")'),
        ({"type": "x", "code": None}, '{"type": "x", "code": None}'),
    ],
)
def test_literal(value: object, source: str) -> None:
    assert literal(value) == source
    assert eval(source) == value


def test_what_is_not_plain_has_no_source() -> None:
    with pytest.raises(NoSource, match="object object"):
        literal(["a", object()])
