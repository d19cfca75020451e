"""The functions that are called with a connection."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from micropie._state import Call
from micropie.flow.callees import Callees, bound, is_named
from micropie.flow.modules import Function, Module, Modules
from micropie.flow.states import ALL_CALLS, calls_bits

WS = frozenset({"ws"})
ACCEPT = calls_bits(Call.ACCEPT)
SEND = calls_bits(Call.SEND)
CLOSE = calls_bits(Call.CLOSE)


def expression(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def call(source: str) -> ast.Call:
    node = expression(source)
    assert isinstance(node, ast.Call)
    return node


def function(source: str) -> Function:
    [found] = ast.parse(source).body
    assert isinstance(found, ast.FunctionDef)
    return found


SOURCE = dedent("""
    from typing import final
    from typing_extensions import override
    from elsewhere import Other

    async def accept(it): await it.accept()
    async def close(it, code=1000, *, reason=""): await it.close()
    async def both(it):
        await accept(it)
        await close(it=it, code=it.accepted) if it else close(it)
    class Room:
        async def join(self, it): await self.greet(it)
        @staticmethod
        async def leave(it): await it.close()
    async def keyword(*, it): await it.close()
    async def one(it):
        await it.accept()
        await two(it)
    async def two(it):
        await it.close()
        await one(it)
    def away(it): away.it = it
    @decorated
    def decorated(it): ...

    class Base:
        async def greet(self, it): await it.send_text("x")
        @staticmethod
        def static(it): return it.close()
        @classmethod
        def cls_method(cls, it): return it.close()
        @property
        def prop(self): ...

    class Chat(Base, Other):
        @override
        @final
        async def again(self, it): await self.greet(it)
        async def twice(self, it): await it.accept()
        @overloaded
        async def twice(self, it): await it.close()
        async def thrice(self, it): await it.accept()
        async def thrice(self, it): await it.close()
""")
MODULE = Module("handlers", ast.parse(SOURCE))
CALLEES = Callees(Modules([]), MODULE)
CHAT = MODULE.classes["Chat"]


def test_a_name_is_one_of_some() -> None:
    assert is_named(expression("ws"), WS)
    assert not is_named(expression("other"), WS)
    assert not is_named(expression("ws.accepted"), WS)


@pytest.mark.parametrize(
    ("of", "source", "skipped", "filled"),
    [
        ("a, b", "f(ws, 1)", 0, {"a"}),
        ("a, b", "f(ws, ws)", 0, {"a", "b"}),
        ("a, b", "f(1, b=ws)", 0, {"b"}),
        ("self, a", "f(ws)", 1, {"a"}),
        ("a, /, *, b", "f(1, b=ws)", 0, {"b"}),
        ("a, b", "f(ws, *more)", 0, {"a"}),
        ("a, b", "f(1, *more, b=ws)", 0, {"b"}),
        ("a", "f(a)", 0, set[str]()),
        # Who knows which.
        ("a, b", "f(*more, ws)", 0, None),
        ("*a", "f(ws)", 0, None),
        ("self", "f(ws)", 1, None),
        ("**a", "f(b=ws)", 0, None),
        ("a", "f(**ws)", 0, None),
    ],
)
def test_a_call_fills_parameters(
    of: str, source: str, skipped: int, filled: set[str] | None
) -> None:
    assert bound(function(f"def f({of}): ..."), call(source), WS, skipped) == filled


@pytest.mark.parametrize(
    ("name", "decorators"),
    [
        ("greet", set[str]()),
        ("static", {"staticmethod"}),
        ("again", {"typing.final", "typing_extensions.override"}),
        ("thrice", set[str]()),
        # Decorated with what may be anything, or none.
        ("prop", None),
        ("twice", None),
        ("nothing", None),
    ],
)
def test_a_method_is_found_in_the_class_and_its_bases(
    name: str, decorators: set[str] | None
) -> None:
    found = CALLEES.method(CHAT, name)
    assert (found[1] if found else None) == decorators


def test_the_last_definition_of_a_method_counts() -> None:
    found = CALLEES.method(CHAT, "thrice")
    assert found is not None
    assert found[0] is CHAT.body[-1]


def test_outside_of_a_class_there_are_no_methods() -> None:
    assert CALLEES.method(None, "greet") is None


@pytest.mark.parametrize(
    "source",
    [
        # A base that nothing is known of, or is in another module, may have another.
        "class Chat(Unknown, Base): ...",
        "class Chat(Mixin, Base): ...",
        # It may be called of one of a class below.
        "class Chat(Base): ...\nclass Below(Chat):\n async def it(self, ws): ...",
        "class Chat(Base): ...\nclass Below(Chat):\n it = other",
        # What it does is for others to say.
        "class Chat:\n async def it(self, ws): pass",
        "class Chat:\n async def it(self, ws):\n  'What it does.'\n  raise NotImplementedError",
        # It is something else in the end.
        "class Chat(Base):\n it = other",
        "class Chat(Base):\n it: Any = other",
        "class Chat(Base):\n class it: ...",
        "class Chat(Base):\n if x:\n  async def it(self, ws): await ws.close()",
        "class Chat:\n async def it(self, ws): await ws.close()\n it = wrapped(it)",
    ],
)
def test_a_method_that_may_be_another_is_not_gone_into(tmp_path: Path, source: str) -> None:
    (tmp_path / "mixin.py").write_text("class Mixin:\n async def it(self, ws): ...")
    base = "from mixin import Mixin\nclass Base:\n async def it(self, ws): await ws.accept()\n"
    module = Module("main", ast.parse(base + source))
    callees = Callees(Modules([tmp_path]), module)
    assert callees.method(module.classes["Chat"], "it") is None


@pytest.mark.parametrize(
    "source",
    [
        "class Chat(Base, Unknown): ...",
        "from micropie import App\nclass Chat(App, Base): ...",
        "class Chat(Base):\n it: Any\n class Other: ...\n if x: y = z",
        "class Chat(Base): ...\nclass Below(Chat): ...\nclass Other:\n def it(self): ...",
    ],
)
def test_a_method_that_is_no_other_is_gone_into(source: str) -> None:
    base = "class Base:\n async def it(self, ws): await ws.accept()\n"
    module = Module("main", ast.parse(base + source))
    found = Callees(Modules([]), module).method(module.classes["Chat"], "it")
    assert found is not None
    assert found[0] is module.classes["Base"].body[0]


def test_methods_of_other_modules_are_not_gone_into(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text(
        "from micropie import App\nclass Base(App):\n    def greet(self, it): ..."
    )
    module = Module("main", ast.parse("from base import Base\nclass Chat(Base): ..."))
    callees = Callees(Modules([tmp_path]), module)
    assert callees.method(module.classes["Chat"], "greet") is None


@pytest.mark.parametrize(
    ("source", "name", "before"),
    [
        ("accept", "accept", 0),
        ("inner", "inner", 0),
        ("self.greet", "greet", 1),
        ("cls.greet", "greet", 1),
        ("self.static", "static", 0),
        ("self.cls_method", "cls_method", 1),
        ("Chat.greet", "greet", 0),
        ("Chat.static", "static", 0),
        ("Base.cls_method", "cls_method", 1),
        ("self.prop", None, 0),
        ("self.nothing", None, 0),
        ("Chat.nothing", None, 0),
        # In it, `self` is another.
        ("Room.join", None, 0),
        ("Room.leave", "leave", 0),
        ("unknown", None, 0),
        ("Nothing.greet", None, 0),
        ("nothing", None, 0),
        ("decorated", None, 0),
        ("self.a.greet", None, 0),
        ("f()", None, 0),
    ],
)
def test_what_is_called_is_found_with_the_parameters_before(
    source: str, name: str | None, before: int
) -> None:
    inner = function("def inner(): ...")
    found = CALLEES.callee(expression(source), CHAT, {"inner": inner, "unknown": None})
    if name is None:
        assert found is None
    else:
        assert found is not None
        assert (found[0].name, found[1]) == (name, before)


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("work()", 0),
        ("ws.accept()", ACCEPT),
        ("ws.close", CLOSE),
        ("[ws.send_text(x) for x in y]", SEND),
        ("ws.accepted or ws.session_id", 0),
        ("ws", ALL_CALLS),
        ("ws.shout()", ALL_CALLS),
        ("nothing(ws)", ALL_CALLS),
        ("nothing(it=ws)", ALL_CALLS),
        ("a.b(ws)", ALL_CALLS),
        # What does nothing with it.
        ("print(ws)", 0),
        ("print(ws, ws.close())", CLOSE),
        ("print(ws, file=ws.shout)", ALL_CALLS),
        ("ws is other", 0),
        ("ws is ws.close()", CLOSE),
        # Functions of the module.
        ("accept(ws)", ACCEPT),
        ("both(ws)", ACCEPT | CLOSE | ALL_CALLS),
        ("close(ws, code=ws.send_text())", CLOSE | SEND),
        ("close(ws, ws.send_text())", CLOSE | SEND),
        ("close(1, reason=2)", 0),
        ("away(ws)", ALL_CALLS),
        ("self.greet(ws)", SEND),
        ("self.again(ws)", SEND),
        ("Chat.cls_method(ws)", CLOSE),
        ("close(1, 2, ws)", ALL_CALLS),
        ("close(*more, ws)", ALL_CALLS),
        ("decorated(ws)", ALL_CALLS),
        # Functions within.
        ("lambda: ws.close()", CLOSE),
        ("lambda a: accept(ws)", ACCEPT),
        ("lambda *ws: ws.close()", 0),
        ("lambda a=ws: a.close()", ALL_CALLS),
        ("lambda *, a, b=ws: b.close()", ALL_CALLS),
    ],
)
def test_code_makes_kinds_of_calls(source: str, kinds: int) -> None:
    assert CALLEES.kinds(expression(source), WS, CHAT) == kinds


def test_a_parameter_may_be_filled_by_its_name_alone() -> None:
    assert CALLEES.kinds(MODULE.functions["keyword"], frozenset({"it"}), None) == CLOSE


def test_functions_that_call_each_other_make_the_calls_of_both() -> None:
    callees = Callees(Modules([]), MODULE)
    for name in ("one", "two"):
        found = MODULE.functions[name]
        assert callees.kinds(found, frozenset({"it"}), None) == ACCEPT | CLOSE


def test_outside_of_a_class_self_is_of_no_class() -> None:
    assert CALLEES.callee(expression("Chat.greet"), None, {}) is None
    found = CALLEES.callee(expression("Room.leave"), None, {})
    assert found is not None
    assert found[0].name == "leave"


def test_what_self_is_depends_on_the_class() -> None:
    source = """
        class Base:
            async def it(self, ws): await self.step(ws)
        class Accepts(Base):
            async def step(self, ws): await ws.accept()
        class Closes(Base):
            async def step(self, ws): await ws.close()
    """
    module = Module("main", ast.parse(dedent(source)))
    callees = Callees(Modules([]), module)
    step = expression("self.it(ws)")
    assert callees.kinds(step, WS, module.classes["Accepts"]) == ACCEPT
    assert callees.kinds(step, WS, module.classes["Closes"]) == CLOSE
    assert callees.kinds(step, WS, module.classes["Base"]) == ALL_CALLS
