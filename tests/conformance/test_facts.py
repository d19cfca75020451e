import pytest
from micropie_conformance.facts import causes, cookies, header_pairs, is_header, line_breaks


def test_causes() -> None:
    first, second, third = KeyError(1), KeyError(2), KeyError(3)
    first.__cause__, second.__cause__ = second, third
    assert causes(first) == [second, third]
    assert causes(third) == []
    third.__cause__ = second
    assert causes(first) == [second, third]


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        ((b"x-name", b"Value"), True),
        ([b"", b""], True),
        ((b"X-Name", b"value"), False),
        (("x-name", b"value"), False),
        ((b"x-name", "value"), False),
        ((b"x-name",), False),
        (b"ab", False),
        (5, False),
    ],
)
def test_is_header(header: object, holds: bool) -> None:
    assert is_header(header) is holds


HEADERS: list[object] = [5, (b"Set-Cookie", "a=b"), ("x", b"y\xe4"), (b"x",), (1, 2)]


def test_header_pairs() -> None:
    assert header_pairs(HEADERS) == [("Set-Cookie", "a=b"), ("x", "yä")]


def test_cookies() -> None:
    assert cookies(HEADERS) == ["a=b"]


def test_line_breaks() -> None:
    assert line_breaks(HEADERS, None) == []
    assert line_breaks([*HEADERS, ("a\n", b"\r")], "x\r\ny") == ["a\n", "\r", "x\r\ny"]
