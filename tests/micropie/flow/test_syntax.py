"""Questions about syntax."""

import ast

import pytest

from micropie.flow.modules import Function
from micropie.flow.syntax import (
    constant,
    is_abstract,
    is_generator,
    is_hook,
    is_irrefutable,
    pattern_names,
    turns,
)


def expression(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def pattern(source: str) -> ast.pattern:
    [match] = ast.parse(f"match x:\n case {source}: ...").body
    assert isinstance(match, ast.Match)
    return match.cases[0].pattern


def function(body: str) -> Function:
    [found] = ast.parse(f"async def it():\n {body}").body
    assert isinstance(found, ast.AsyncFunctionDef)
    return found


@pytest.mark.parametrize(
    ("source", "is_so"),
    [
        ("True", True),
        ("1", True),
        ("'text'", True),
        ("...", True),
        ("0", False),
        ("None", False),
        ("''", False),
        ("not 0", True),
        ("not not 0", False),
        ("not a", None),
        ("-1", None),
        ("a", None),
        ("a or True", None),
    ],
)
def test_a_condition_is_always_so_or_depends(source: str, is_so: bool | None) -> None:
    assert constant(expression(source)) is is_so


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("()", (0, 0)),
        ("(a, b)", (2, 2)),
        ("[a, b, c]", (3, 3)),
        ("[a, b, c, d]", (1, None)),
        ("[*a]", (0, None)),
        ("[*a, b, c]", (1, None)),
        ("''", (0, 0)),
        ("'abc'", (3, 3)),
        ("'abcd'", (1, None)),
        ("range(0)", (0, 0)),
        ("range(3)", (3, 3)),
        ("range(1000)", (1, None)),
        ("range(n)", (0, None)),
        ("range(-3)", (0, None)),
        ("range(1, 3)", (0, None)),
        ("b'abc'", (0, None)),
        ("{a}", (0, None)),
        ("a", (0, None)),
    ],
)
def test_turns_are_known_of_what_is_short_and_written_out(
    source: str, expected: tuple[int, int | None]
) -> None:
    assert turns(expression(source)) == expected


@pytest.mark.parametrize(
    ("source", "is_so"),
    [
        ("_", True),
        ("a", True),
        ("_ as a", True),
        ("1 | _", True),
        ("(1 | _) as a", True),
        ("1", False),
        ("1 as a", False),
        ("1 | 2", False),
        ("[*_]", False),
        ("{}", False),
        ("A()", False),
        ("a.b", False),
    ],
)
def test_a_pattern_matches_all_or_not(source: str, is_so: bool) -> None:
    assert is_irrefutable(pattern(source)) is is_so


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("_", []),
        ("a", ["a"]),
        ("[a, *b]", ["a", "b"]),
        ("{'a': a, **b}", ["a", "b"]),
        ("A(a) as b", ["a", "b"]),
        ("{'a': _}", []),
    ],
)
def test_a_pattern_binds_names(source: str, names: list[str]) -> None:
    assert sorted(pattern_names(pattern(source))) == names


@pytest.mark.parametrize(
    ("body", "is_so"),
    [
        ("yield", True),
        ("a = [(yield)]", True),
        ("if a: yield 1", True),
        ("a()", False),
        ("def b(): yield", False),
        ("class B: a = 1", False),
        ("return lambda: (yield)", False),
    ],
)
def test_a_generator_yields_by_itself(body: str, is_so: bool) -> None:
    assert is_generator(function(body)) is is_so


def test_a_generator_may_yield_from_another() -> None:
    [found] = ast.parse("def it():\n yield from a").body
    assert isinstance(found, ast.FunctionDef)
    assert is_generator(found)


@pytest.mark.parametrize(
    ("body", "is_so"),
    [
        ("...", True),
        ("'''What it does.'''", True),
        ("'''What it does.'''; ...", True),
        ("pass", False),
        ("a()", False),
        ("'''What it does.'''; return", False),
    ],
)
def test_an_abstract_function_has_no_code(body: str, is_so: bool) -> None:
    assert is_abstract(function(body)) is is_so


@pytest.mark.parametrize(
    ("body", "is_so"),
    [
        ("...", True),
        ("pass", True),
        ("'''What it does.'''; pass", True),
        ("'''What it does.'''; raise NotImplementedError", True),
        ("raise NotImplementedError('it')", True),
        ("raise ValueError", False),
        ("'''What it does.'''; return", False),
        ("a(); pass", False),
    ],
)
def test_a_hook_does_nothing(body: str, is_so: bool) -> None:
    assert is_hook(function(body)) is is_so
