"""Each operator makes the slip that it is for, and a mutant leaves nothing behind."""

import ast
import sys
import textwrap

import pytest
from equivalent import EQUIVALENT
from mutants import Edit, Mutant, Stillborn, mutants, mutations

from micropie import websocket


def changes(source: str) -> list[str]:
    source = textwrap.dedent(source)
    return [edit.words for edit in mutations(ast.parse(source), source)]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("a == b", ["a == b -> a != b"]),
        ("a is None", ["a is None -> a is not None"]),
        ("a > b", ["a > b -> a >= b", "a > b -> a <= b"]),
        ("a and b", ["a and b -> a or b", "a and b -> b", "a and b -> a"]),
        (
            "a or b or c",
            [
                "a or b or c -> a and b and c",
                "a or b or c -> b or c",
                "a or b or c -> a or c",
                "a or b or c -> a or b",
            ],
        ),
        ("not a", ["not a -> a"]),
        ("True", ["True -> False"]),
        ("5", ["5 -> 6", "5 -> 4"]),
        ("''", ["'' -> 'x'"]),
        ("b'a'", ["b'a' -> b'ax'"]),
        ("None", ["None -> 'x'"]),
        ("1.5", []),
        ("str", ["str -> bytes"]),
        ("a", []),
        ("State.NEW", ["State.NEW -> State.ACCEPTING"]),
        ("Refusal.DONE", ["Refusal.DONE -> Refusal.MISUSE"]),
        ("State", []),
        ("f(a)", ["f(a) -> a"]),
        ("f(a, b)", []),
        # What an error says.
        ("ValueError('no')", ["ValueError -> RuntimeError"]),
        ("{a: b, c: d}", ["a deleted", "c deleted"]),
        ("{a, b}", ["a deleted", "b deleted"]),
        ("f(*{a})", ["a deleted"]),
    ],
)
def test_expressions(code: str, words: list[str]) -> None:
    assert changes(f"x = {code}") == words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x: int = y", ["x: int = y deleted"]),
        ("x: int", []),
        ("pass", []),
        ("return", ["return deleted"]),
        ("return a", ["return a deleted", "return a -> return"]),
        ("raise a from b", ["raise a from b deleted", "from b deleted"]),
        ("if a: pass", ["if a: pass deleted", "a -> not a"]),
        ("if not a: pass", ["if not a: pass deleted", "not a -> a"]),
        ("await a", ["await a deleted", "await a -> a"]),
        (
            "a(); await b",
            ["a() deleted", "a() after await b", "await b deleted", "await b -> b"],
        ),
        (
            "await a; pass; b()",
            ["await a deleted", "await a -> a", "b() deleted"],
        ),
        (
            "try: a()\nexcept OSError: b()\nfinally: c()",
            [
                "try: a() except OSError: b() finally: c() deleted",
                "except OSError deleted",
                "finally deleted",
                "a() deleted",
                "OSError -> ConnectionResetError",
                "OSError -> Exception",
                "b() deleted",
                "c() deleted",
            ],
        ),
        (
            "try: a()\nexcept: b()",
            ["try: a() except: b() deleted", "a() deleted", "b() deleted"],
        ),
    ],
)
def test_statements(code: str, words: list[str]) -> None:
    body = textwrap.indent(code, "    ")
    assert changes(f"async def f():\n{body}\n") == words


def test_what_is_left_alone() -> None:
    assert (
        changes('''
        """A docstring."""
        import a
        __all__ = ["f"]
        class C:
            x = a
            def f(self, b: str, c: "int" = a) -> bytes:
                "Another."
        ''')
        == []
    )


def test_defaults_and_decorators() -> None:
    assert changes("@property\ndef f(a=None, *, b=1): pass") == [
        "1 -> 2",
        "1 -> 0",
        "None -> 'x'",
        "@property deleted",
    ]


def test_where_a_change_is() -> None:
    source = "class C:\n def f(self):\n  return 1\nT = {A: {B: 1}}"
    edits = mutations(ast.parse(source), source)
    assert {edit.where for edit in edits} == {"C.f", "T", "T[A]", "T[A][B]"}


def test_long_code_is_cut() -> None:
    (words, *_) = changes(f"x = {'a' * 100} == b")
    assert words.startswith("a" * 69 + "... -> ")


def test_each_has_a_name_of_its_own_that_lasts() -> None:
    names = list(mutants())
    assert "websocket.WebSocket.close: self._move(Step.CLOSE) deleted" in names
    assert "_state.TRANSITIONS: (State.NEW, Step.CLOSE) deleted" in names
    # Where two are alike, the second has a number.
    assert "websocket.WebSocket._read_connect: raise self._lost() from error deleted" in names
    assert "websocket.WebSocket.accept: raise deleted (2)" in names


def test_each_equivalent_one_is_there_once() -> None:
    named = [name for names in EQUIVALENT.values() for name in names]
    assert len(named) == len(set(named))
    assert set(named) <= set(mutants())


@pytest.mark.parametrize(
    "name",
    [
        "websocket.WebSocket.close: self._move(Step.CLOSE) deleted",
        "_state.TRANSITIONS: (State.NEW, Step.CLOSE) deleted",
    ],
)
def test_a_mutant_is_a_copy(name: str) -> None:
    factory, closed = mutants()[name].born()
    assert factory is not websocket.WebSocket
    assert closed is not websocket.ConnectionClosed
    assert issubclass(closed, Exception)
    # The next one has one change too.
    again = mutants()[name].born()[0]
    assert again is not factory


def test_what_cannot_be_imported_is_stillborn() -> None:
    edit = next(one.edit for one in mutants().values() if one.module == websocket.__name__)
    nowhere = Edit(edit.node, edit.field, ast.Name("nowhere", ast.Load()), "", "")
    broken = Mutant("name", websocket.__name__, nowhere)
    with pytest.raises(Stillborn, match="name: NameError"):
        broken.born()


def test_the_modules_are_as_they_were() -> None:
    state = sys.modules["micropie._state"]
    mutants()["_state.TRANSITIONS: (State.NEW, Step.CLOSE) deleted"].born()
    assert sys.modules["micropie._state"] is state
