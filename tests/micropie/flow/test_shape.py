"""What of a function matters to the analysis."""

import ast
from textwrap import dedent

import pytest

from micropie.flow.modules import Function
from micropie.flow.shape import (
    ABRUPT,
    ASKED,
    MAY_RAISE,
    RAISES,
    SUSPENDS,
    THROWS,
    TOUCHED,
    MethodCall,
    Shape,
    assigned,
    imported,
    mentioned,
    method_call,
    parameters,
)


def function(source: str) -> Function:
    [found] = ast.parse(dedent(source)).body
    assert isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    return found


def shape(*lines: str) -> Shape:
    """Give the shape of a function of `ws` with some lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return Shape(function(f"async def it(ws):\n{body}"), frozenset({"ws"}))


def arguments(source: str) -> Function | ast.Lambda:
    node = ast.parse(source, mode="eval").body if source.startswith("lambda") else function(source)
    assert isinstance(node, ast.FunctionDef | ast.Lambda)
    return node


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(): ...", []),
        ("def f(a, /, b, *c, d, **e): ...", ["a", "b"]),
        ("lambda a, b=1, *c: 0", ["a", "b"]),
    ],
)
def test_parameters_are_those_that_positions_fill(source: str, names: list[str]) -> None:
    assert [one.arg for one in parameters(arguments(source))] == names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("lambda a, /, b, *c, d, **e: f", "abcde"),
        ("def f(a, /, b, *c, d, **e): g", "abcde"),
        ("def f():\n a = 1\n del b\n c += d", "abc"),
        ("def f():\n for a in b: ...\n with c as d: ...", "ad"),
        ("def f():\n def a(): b = 1\n class C: d = 1\n async def e(): ...", "aCe"),
        ("def f():\n try: ...\n except A as b: ...\n except C: ...", "b"),
        ("def f():\n match a:\n  case [b, *c]: ...\n  case {'d': e, **g}: ...", "bceg"),
        ("def f():\n match a:\n  case [*_] | {} | B(): ...\n  case _: ...", ""),
        ("def f():\n import a.b, c as d\n from e import g as h, i", "adhi"),
        ("def f():\n global a\n nonlocal b\n a = b = c = 1", "c"),
        # What a comprehension or a function within assigns is its own.
        ("def f():\n [a for a in b if (c := a)]", "c"),
        ("def f():\n [0 for a in (b := c)]\n lambda d: d", "b"),
    ],
)
def test_what_is_assigned_is_a_functions_own(source: str, names: str) -> None:
    assert assigned(arguments(source)) == {*names}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("ws.accept()", ("ws", "accept")),
        ("other.send_text('x', *more)", ("other", "send_text")),
        ("ws.shout()", None),
        ("self.ws.accept()", None),
        ("accept()", None),
    ],
)
def test_a_call_may_be_one_of_the_connections(source: str, found: tuple[str, str] | None) -> None:
    node = ast.parse(source, mode="eval").body
    assert isinstance(node, ast.Call)
    assert method_call(node) == (found and MethodCall(node, *found))


@pytest.mark.parametrize(
    ("statement", "flags"),
    [
        ("pass", 0),
        ("1", 0),
        ("a = b", 0),
        ("a: int", 0),
        ("a: int = 1", 0),
        ("a, b = c", MAY_RAISE),
        ("a.b = c", MAY_RAISE),
        ("a.b: int = c", MAY_RAISE),
        ("a += b", MAY_RAISE),
        ("a + b", MAY_RAISE),
        ("-a", MAY_RAISE),
        ("not a", 0),
        ("a or b", 0),
        ("a < b", MAY_RAISE),
        ("a[b]", MAY_RAISE),
        ("f'{a}'", MAY_RAISE),
        ("f'a'", 0),
        ("(a := b)", 0),
        ("del a", MAY_RAISE),
        ("import a", MAY_RAISE),
        ("from a import b", MAY_RAISE),
        ("global a", 0),
        ("a()", RAISES),
        ("a.b()", RAISES | MAY_RAISE),
        ("a.close()", RAISES | MAY_RAISE),
        ("len(a)", MAY_RAISE),
        ("open(a)", RAISES),
        ("assert a", RAISES | ABRUPT),
        ("await a", RAISES | SUSPENDS),
        ("yield", RAISES | SUSPENDS),
        ("[a for a in b]", MAY_RAISE),
        ("[a async for a in b]", RAISES | SUSPENDS),
        ("for a in b: pass", MAY_RAISE),
        ("async for a in b: pass", RAISES | SUSPENDS),
        ("with a: pass", RAISES),
        ("async with a: pass", RAISES | SUSPENDS),
        ("with suppress(E): pass", RAISES | ABRUPT),
        ("with a, contextlib.suppress(E): pass", RAISES | MAY_RAISE | ABRUPT),
        ("with a(), b.c: pass", RAISES | MAY_RAISE),
        ("with a().b[0](): pass", RAISES | MAY_RAISE),
        ("return", ABRUPT),
        ("raise", ABRUPT | THROWS),
        ("while a: break", ABRUPT),
        ("while a: continue", ABRUPT),
        ("if a: pass", 0),
        ("if a: return", ABRUPT),
        ("try: pass\n    finally: pass", ABRUPT),
        ("try: pass\n    except* A: pass", ABRUPT),
        ("try: pass\n    except A as b: pass", ABRUPT),
        ("match a:\n        case b: pass", MAY_RAISE),
        ("match a:\n        case [*b]: pass", MAY_RAISE),
        ("class A: pass", RAISES),
        # What is in a definition does not happen there.
        ("def f(): return a()", 0),
        ("lambda: a()", 0),
        ("def f(b=a()): return b", RAISES),
        ("@a[0]\n    def f(*, b, c=1): return b", MAY_RAISE),
        ("lambda b=a[0], *, c: b", MAY_RAISE),
        # It names the connection.
        ("ws", TOUCHED),
        ("a = ws", TOUCHED),
        ("a: ws", TOUCHED),
        ("a(ws)", TOUCHED | RAISES),
        ("await ws.accept()", TOUCHED | RAISES | SUSPENDS | MAY_RAISE),
        ("global ws", TOUCHED),
        ("nonlocal ws", TOUCHED),
        ("if a: del ws", TOUCHED | MAY_RAISE),
        ("try: pass\n    except A as ws: pass", TOUCHED | ABRUPT),
        ("match a:\n        case ws: pass", TOUCHED | MAY_RAISE),
        ("match a:\n        case [*ws]: pass", TOUCHED | MAY_RAISE),
        ("match a:\n        case {**ws}: pass", TOUCHED | MAY_RAISE),
        ("match a:\n        case {**b}: pass", MAY_RAISE),
        ("import ws", TOUCHED | MAY_RAISE),
        ("class ws: pass", TOUCHED | RAISES),
        ("lambda: ws", TOUCHED),
        ("def f(): return ws", TOUCHED),
        ("class A: b = ws", TOUCHED | RAISES),
        # Another one that is called so.
        ("lambda ws: ws", 0),
        ("def f(ws): return ws", 0),
        # It is handed over where the function is made.
        ("lambda ws=ws: ws", TOUCHED),
        ("def f(*, ws=ws): return ws", TOUCHED),
        ("@ws\n    def f(ws): return ws", TOUCHED),
        ("def f(b=a()): return ws", TOUCHED | RAISES),
    ],
)
def test_a_statement_has_the_flags_of_all_that_is_in_it(statement: str, flags: int) -> None:
    found = shape(statement)
    node = found.function.body[0]
    # A name has none of its own.
    if isinstance(node, ast.Expr):
        assert found.flags[node] == flags
    assert found.flags[node] == flags


def test_a_name_that_is_looked_at_is_noted() -> None:
    assert shape("a = b", "del c", "def f(): return d").loaded == {"b", "d"}


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["a = 1"], {"ws"}),
        (["a = ws"], {"ws", "a"}),
        (["a = b = ws"], {"ws", "a", "b"}),
        (["a: Socket = ws"], {"ws", "a"}),
        (["a: Socket"], {"ws"}),
        (["b((a := ws))"], {"ws", "a"}),
        (["a = (b := ws)"], {"ws", "a", "b"}),
        (["a = ws.close()"], {"ws", "a"}),
        (["a = ws.accepted", "b.c = ws", "d, e = ws"], {"ws"}),
        # Also where the other name comes by it later.
        (["while True:", "    a = b", "    b = c", "    c = ws"], {"ws", "a", "b", "c"}),
        (["def f(): return ws"], {"ws", "f"}),
        (["def f(): return ws", "a = f"], {"ws", "f", "a"}),
        (["def f(ws): return ws"], {"ws"}),
        (["def f():", "    a = ws", "def g(): return a"], {"ws", "a", "f", "g"}),
    ],
)
def test_all_names_that_it_may_have_are_found(lines: list[str], names: set[str]) -> None:
    assert shape(*lines).names == names


def test_functions_that_use_it_are_found() -> None:
    found = shape("def f(): return ws", "async def g(): f()", "def h(): ...", "lambda: ws")
    assert found.closures.keys() == {"f", "g"}
    assert found.closures["f"] is found.function.body[0]


@pytest.mark.parametrize("other", ["f = g", "def f(): pass", "for f in x: pass"])
def test_a_function_whose_name_means_another_as_well_is_not_known(other: str) -> None:
    found = shape("def f(): return ws", "def g(): return ws", other)
    assert found.closures == {"f": None, "g": found.function.body[1]}


def test_imports_are_found() -> None:
    found = shape("import a.b, c as d", "if x: from e import ws")
    assert [imported(one) for one in found.imports] == [{"a", "d"}, {"ws"}]
    assert not found.flags[found.function.body[0]] & TOUCHED
    assert found.flags[found.function.body[1]] & TOUCHED


def test_names_in_code_are_found() -> None:
    assert mentioned(ast.parse("def f(a): return a.b(c) + d")) == {"a", "c", "d"}


def test_defaults_within_defaults_are_gone_through_once() -> None:
    # Twice at each level, it would not end.
    statement = "ws"
    for _ in range(40):
        statement = f"lambda a=({statement}): a"
    found = shape(statement)
    assert len(found.flags) < 400


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        # What is asked for once tells nothing, unless it is known what it was.
        (["if a: pass"], set[str]()),
        (["if a: pass", "if a: pass"], {"a"}),
        (["a = None", "if a is not None: pass"], {"a"}),
        (["while not (a or b): pass", "assert a and b"], {"a", "b"}),
        (["if (a := ws): pass"], {"a"}),
        (["if a[0]: pass", "if a[0]: pass"], set[str]()),
        # Others can change it.
        (["global a", "if a: pass", "if a: pass"], set[str]()),
        (["class a: pass", "if a: pass", "if a: pass"], set[str]()),
        (["any((a := b) for b in c)", "if a: pass", "if a: pass"], set[str]()),
        # It may be filled or emptied meanwhile.
        (["a.append(1)", "if a: pass", "if a: pass"], set[str]()),
        (["a[0] = 1", "if a: pass", "if a: pass"], set[str]()),
        (["del a[0]", "if a: pass", "if a: pass"], set[str]()),
        (["b[0][0] = a[0]", "a.strip()", "if a: pass", "if a: pass"], {"a"}),
        (["a = ws", "await a.accept()", "if a: pass"], {"a"}),
        # So may whoever called.
        (["a = None", "return a"], {"a"}),
    ],
)
def test_the_names_that_conditions_ask_for(lines: list[str], asked: set[str]) -> None:
    found = shape(*lines)
    assert found.asked == asked
    if asked:
        assert found.flags[found.function.body[-1]] & ASKED


@pytest.mark.parametrize("statement", ["sys.exit()", "exit()", "typing.assert_never(a)"])
def test_what_does_not_return_is_no_way_to_what_stands_next(statement: str) -> None:
    found = shape(statement)
    assert found.flags[found.function.body[0]] & ABRUPT
