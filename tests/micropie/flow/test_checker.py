"""Files are checked: what each function starts with, and which files are no valid Python."""

import ast
import gc
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

from micropie.flow import Checker, Code, Finding, Severity
from micropie.flow.checker import Unreadable

# What a function with a connection `ws` shows of what it starts with.
PROBE = """\
await ws.send_text("x")
await ws.accept()
await ws.accept()
"""

HANDLER = [Code.SEND_BEFORE_ACCEPT]
"""Nothing is accepted, so that the first call fails."""
UNKNOWN = [Code.SECOND_ACCEPT]
"""It may be accepted, so that the first call may be right."""
NOTHING: list[Code] = []
"""It is not looked at."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, name: str, source: str | bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(source.encode() if isinstance(source, str) else source)
    return file


def codes(folder: Path, source: str, name: str = "handlers.py") -> list[Code]:
    """Give the codes that are found in a source, in which `PROBE` stands for the probe."""
    lines: list[str] = []
    for line in dedent(source).splitlines():
        rest = line.lstrip()
        inside = line[: len(line) - len(rest)]
        lines.append(indent(PROBE, inside) if rest == "PROBE" else line)
    found = Checker([folder]).check(write(folder, name, "\n".join(lines)))
    return [one.code for one in found]


CLASS = """
from micropie import App
from typing import final, override
from elsewhere import decorate
class Chat(App):
    {}
        PROBE
"""


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("async def ws_chat(self, ws):", HANDLER),
        ("async def ws_chat(self, ws, name='x', *rest, **more):", HANDLER),
        ("async def ws_chat(this, ws: 'WebSocket'):", HANDLER),
        ("@staticmethod\n    async def ws_chat(ws):", HANDLER),
        ("@classmethod\n    async def ws_chat(cls, ws):", HANDLER),
        ("@final\n    @override\n    async def ws_chat(self, ws):", HANDLER),
        # Who knows what it is called with.
        ("@decorate\n    async def ws_chat(self, ws):", [Code.SECOND_ACCEPT]),
        ("@decorate()\n    async def ws_chat(self, ws):", [Code.SECOND_ACCEPT]),
        ("async def ws_chat(self, ws):\n        app.ws_chat(x)", [Code.SECOND_ACCEPT]),
        # Another one takes its place in the end.
        ("ws_chat = x\n    async def ws_chat(self, ws):", HANDLER),
        # It is none.
        ("async def chat(self, ws):", NOTHING),
        ("async def ws_chat(self):", NOTHING),
        ("async def ws_chat(ws):", NOTHING),
        ("async def ws_chat(self, *ws):", NOTHING),
        ("@staticmethod\n    async def ws_chat():", NOTHING),
    ],
)
def test_a_handler_starts_with_nothing_accepted(
    folder: Path, header: str, expected: list[Code]
) -> None:
    assert codes(folder, CLASS.format(header)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import micropie as m\nclass Chat(m.App):", HANDLER),
        ("from micropie.app import App\nclass Chat(App):", HANDLER),
        ("from micropie import *\nclass Chat(App):", HANDLER),
        ("from base import Base\nclass Chat(Base):", HANDLER),
        ("from .base import Base\nclass Chat(Base):", HANDLER),
        ("import pack.base\nclass Chat(pack.base.Base):", HANDLER),
        ("from pack import *\nclass Chat(Base):", HANDLER),
        ("from micropie import App\nclass Base(App): ...\nclass Chat(Base):", HANDLER),
        ("from starlette import App\nclass Chat(App):", NOTHING),
        ("class App: ...\nclass Chat(App):", NOTHING),
        ("class Chat:", NOTHING),
    ],
)
def test_an_application_is_known_by_its_bases(
    folder: Path, source: str, expected: list[Code]
) -> None:
    write(folder, "base.py", "from micropie import App\nclass Base(App): ...")
    write(folder, "pack/__init__.py", "from .base import Base")
    write(folder, "pack/base.py", "from base import *")
    assert codes(folder, f"{source}\n  async def ws_it(self, ws):\n    PROBE") == expected


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("pack/handlers.py", "from .base import Base"),
        ("pack/handlers.py", "from pack.base import Base"),
        ("pack/sub/handlers.py", "from ..base import Base"),
        ("pack/sub/handlers.py", "from . import Base"),
        ("pack/sub/__init__.py", "from ..base import Base"),
        ("space/handlers.py", "from .own import Base"),
        ("space/handlers.py", "from own import Base"),
        ("no-name/handlers.py", "from .own import Base"),
        ("no-name/__init__.py", "from .own import Base"),
    ],
)
def test_imports_are_looked_for_where_a_file_is_imported_from(
    folder: Path, name: str, source: str
) -> None:
    base = "from micropie import App\nclass Base(App): ..."
    for place in ("pack/base.py", "pack/sub/__init__.py", "space/own.py", "no-name/own.py"):
        write(folder, place, base)
    write(folder, "pack/__init__.py", "")
    write(folder, "no-name/__init__.py", "")
    source = f"{source}\nclass Chat(Base):\n  async def ws_it(self, ws):\n    PROBE"
    assert codes(folder, source, name) == HANDLER


PARAMETERS = """
import typing as t
from typing import *
import micropie
from micropie import App, ConnectionClosed, WebSocket
from micropie.contract import Sender
async def helper({}):
    PROBE
"""


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("ws: WebSocket", UNKNOWN),
        ("a, ws: micropie.WebSocket, b", UNKNOWN),
        ("ws: WebSocket, /", UNKNOWN),
        ("*, ws: WebSocket", UNKNOWN),
        ("ws: Sender", UNKNOWN),
        ("ws: 'WebSocket'", UNKNOWN),
        ("ws: 'WebSocket | None' = None", UNKNOWN),
        ("ws: WebSocket | None", UNKNOWN),
        ("ws: None | WebSocket", UNKNOWN),
        ("ws: Optional[WebSocket]", UNKNOWN),
        ("ws: t.Optional['WebSocket']", UNKNOWN),
        ("ws: t.Union[None, WebSocket]", UNKNOWN),
        ("ws: Annotated[WebSocket, 'the one']", UNKNOWN),
        ("ws: t.Annotated[WebSocket | None, 1, 2]", UNKNOWN),
        # It is no connection.
        ("ws", NOTHING),
        ("ws: App", NOTHING),
        ("ws: ConnectionClosed", NOTHING),
        ("ws: type[WebSocket]", NOTHING),
        ("ws: list[WebSocket]", NOTHING),
        ("ws: Annotated[int, WebSocket]", NOTHING),
        ("ws: Optional[int]", NOTHING),
        ("ws: int | str", NOTHING),
        ("ws: WebSocket & None", NOTHING),
        ("ws: 1", NOTHING),
        ("ws: '('", NOTHING),
        (r"ws: 'WebSocket\0'", NOTHING),
        (r"ws: '\ud800'", NOTHING),
        ("*ws: WebSocket", NOTHING),
    ],
)
def test_a_parameter_that_is_annotated_as_a_connection_may_have_any_state(
    folder: Path, parameters: str, expected: list[Code]
) -> None:
    assert codes(folder, PARAMETERS.format(parameters)) == expected


@pytest.mark.parametrize(
    "after", ["ws_chat = wrapped(ws_chat)", "if x:\n        ws_chat = x", "ws_chat: Any = x"]
)
def test_a_handler_that_is_replaced_may_start_with_anything(folder: Path, after: str) -> None:
    header = "async def ws_chat(self, ws):"
    assert codes(folder, CLASS.format(header) + f"    {after}\n") == UNKNOWN


def test_a_handler_may_be_given_another_connection(folder: Path) -> None:
    source = """
        from micropie import App, WebSocket
        class Chat(App):
            async def ws_chat(self, ws: WebSocket, other: WebSocket):
                await ws.accept()
                await other.accept()
                await other.accept()
    """
    assert codes(folder, source) == UNKNOWN


@pytest.mark.parametrize(
    "around",
    [
        "if a:",
        "if a: ...\nelse:",
        "for a in b:",
        "while a: ...\nelse:",
        "with a:",
        "try:",
        "try: ...\nexcept A:",
        "try: ...\nexcept A: ...\nelse:",
        "try: ...\nexcept* A:",
        "try: ...\nfinally:",
        "match a:\n case 1: ...\n case _:",
        "def outer():",
        "class Outer:",
    ],
)
def test_functions_are_found_wherever_they_are(folder: Path, around: str) -> None:
    ends = "finally: ..." if around == "try:" else ""
    handler = indent("class Chat(App):\n async def ws_it(self, ws):\n  PROBE", "  ")
    helper = indent("async def helper(ws: WebSocket):\n  PROBE", "  ")
    head = "from micropie import App, WebSocket\n"
    assert codes(folder, f"{head}{around}\n{handler}\n{ends}") == HANDLER
    assert codes(folder, f"{head}{around}\n{helper}\n{ends}") == UNKNOWN


def test_a_method_that_depends_is_a_handler_and_a_function_in_a_method_is_none(
    folder: Path,
) -> None:
    source = """
        from micropie import App
        class Chat(App):
            if a:
                async def ws_chat(self, ws):
                    PROBE
            async def other(self):
                async def ws_it(a, ws):
                    PROBE
    """
    assert codes(folder, source) == HANDLER


def test_a_helper_of_the_module_is_told_of_once(folder: Path) -> None:
    source = """
        from micropie import App, WebSocket
        class Chat(App):
            async def ws_one(self, ws):
                await greet(ws)
            async def ws_two(self, ws):
                await ws.accept()
                await wrong(ws)
        async def greet(ws: WebSocket):
            await ws.send_text("x")
        async def wrong(ws: WebSocket):
            await ws.close()
            await ws.send_text("x")
    """
    found = Checker().check(write(folder, "handlers.py", dedent(source)))
    assert [(one.line, one.code) for one in found] == [
        (5, Code.SEND_BEFORE_ACCEPT),
        (13, Code.SEND_AFTER_CLOSE),
    ]


def test_what_is_found_twice_at_a_place_is_told_of_once_and_as_an_error(folder: Path) -> None:
    source = """
        from micropie import WebSocket
        async def either(one: WebSocket, two: WebSocket, a):
            await one.accept()
            if a:
                await two.accept()
            await both(one, two)
        async def both(one, two):
            await two.accept()
            await one.accept()
    """
    [found] = Checker().check(write(folder, "handlers.py", dedent(source)))
    assert (found.line, found.code, found.severity) == (7, Code.SECOND_ACCEPT, Severity.ERROR)
    assert found.origin == 4


def test_columns_are_counted_in_characters(folder: Path) -> None:
    source = (
        "# ü\nfrom micropie import App\nclass Chat(App):\n    async def ws_it(self, ws):\n"
        "        a = 'äöü€😀'; await ws.send_text('x')  # micropie: ignore[no-answer]\n"
    )
    found = Checker().check(write(folder, "handlers.py", source))
    line = source.splitlines()[4]
    assert [(one.line, one.column) for one in found] == [
        (5, line.index("ws.send_text") + 1),
        (5, line.index("# micropie") + 1),
    ]


def test_a_finding_is_silenced_in_its_line(folder: Path) -> None:
    source = """
        from micropie import App
        class Chat(App):
            async def ws_it(self, ws):
                await ws.send_text("x")  # micropie: ignore[send-before-accept]
            async def ws_other(self, ws):
                await ws.accept()  # micropie: ignore[second-accept]
    """
    assert codes(folder, source) == [Code.NEEDLESS_IGNORE]


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        (b"a = 1\nb = (", 2, "was never closed"),
        (b"a = 1\n  b = 1", 2, "unexpected indent"),
        (b"a = 1\0", 1, "null byte"),
        (b"# coding: rot13\n", 1, "is not encoded as it says"),
        (b"# coding: no-such\n", 1, "unknown encoding"),
        (b"a = '\xff'\n", 1, "encoding"),
        (b"a = " + b"-" * 10_000 + b"1", 1, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_valid_python_is_a_finding(
    folder: Path, source: bytes, line: int, message: str
) -> None:
    [found] = Checker().check(write(folder, "handlers.py", source))
    assert (found.line, found.code, found.severity) == (line, Code.SYNTAX_ERROR, Severity.ERROR)
    assert found.column >= 1
    assert message in found.message
    assert found.message.startswith("not valid Python: ")


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(Unreadable, match=r"cannot read .*nothing\.py: No such file"):
        Checker().check(folder / "nothing.py")
    with pytest.raises(Unreadable, match=r"cannot read .*: Is a directory"):
        Checker().check(folder)


@pytest.mark.parametrize(
    "body",
    [
        "if a: pass\n" + "elif a: pass\n" * 1500,
        "b = " + " + ".join(["a"] * 3000),
        "b = " + "a + " * 2999 + "f(ws.accepted)",
        "b = a" + ".a" * 3000,
        "b = " + "not " * 2000 + "a",
    ],
)
def test_code_may_be_nested_deeply(folder: Path, body: str) -> None:
    limit = sys.getrecursionlimit()
    source = f"{CLASS.format('async def ws_chat(self, ws):')}".replace("PROBE", "pass")
    source += indent(f"{body}\nawait ws.send_text('x')\n", " " * 8)
    [found] = Checker().check(write(folder, "handlers.py", source))
    assert sys.getrecursionlimit() == limit
    expected = (source.count("\n"), Code.SEND_BEFORE_ACCEPT)
    sys.setrecursionlimit(20_000)
    try:
        ast.parse(source)
    except RecursionError:
        # Python 3.12 makes no syntax tree so deep, however much it is allowed.
        expected = (1, Code.SYNTAX_ERROR)
    finally:
        sys.setrecursionlimit(limit)
    assert (found.line, found.code) == expected


def test_code_that_is_nested_too_deeply_is_a_finding(folder: Path) -> None:
    source = CLASS.format("async def ws_chat(self, ws):").replace("PROBE", "pass")
    source += "        b = " + " + ".join(["a"] * 30_000)
    [found] = Checker().check(write(folder, "handlers.py", source))
    assert (found.code, found.message) == (
        Code.SYNTAX_ERROR,
        "not valid Python: it is nested too deeply",
    )


def test_an_except_may_catch_nothing(folder: Path) -> None:
    source = """
        from micropie import App
        class Chat(App):
            async def ws_it(self, ws):
                try:
                    await ws.send_text("x")
                except ():
                    pass
    """
    assert codes(folder, source) == HANDLER


def test_one_checker_checks_file_after_file(folder: Path) -> None:
    first = write(folder, "first.py", "from micropie import App\nclass Base(App): ...\n")
    second = write(
        folder,
        "second.py",
        "from first import Base\nclass Chat(Base):\n async def ws_it(self, ws): pass\n",
    )
    checker = Checker()
    assert checker.check(first) == []
    [found] = checker.check(second)
    assert found == Finding(
        3,
        2,
        Code.NO_ANSWER,
        Severity.WARNING,
        "the handler ends without accept() or close(): the client gets HTTP 403",
        3,
    )
    assert checker.check(second) == [found]


def test_nothing_is_run(folder: Path) -> None:
    write(folder, "base.py", "raise SystemExit('it was run')")
    assert codes(folder, "import base\nclass Chat(base.Base): ...") == []


@pytest.mark.parametrize("collects", [True, False])
def test_several_files_without_a_look_for_garbage(folder: Path, collects: bool) -> None:
    files = [write(folder, f"{name}.py", "x = (") for name in "ab"]
    if not collects:
        gc.disable()
    try:
        checked = Checker().check_all([*files, folder / "nowhere.py"])
        found = [next(checked) for _ in files]
        assert not gc.isenabled()
        with pytest.raises(Unreadable, match=r"nowhere\.py"):
            next(checked)
        assert gc.isenabled() is collects
        assert [*Checker().check_all([])] == []
        assert gc.isenabled() is collects
    finally:
        gc.enable()
    assert [(file, one.code) for file, [one] in found] == [
        (file, Code.SYNTAX_ERROR) for file in files
    ]


def test_what_decides_what_is_found(folder: Path) -> None:
    """Also files that are not there."""
    base = write(folder, "base.py", "from micropie import App")
    checker = Checker()
    source = "import base\nclass A(base.App):\n    async def ws_a(self, ws): await ws.accept()"
    chat = write(folder, "pkg/chat.py", source)
    package = write(folder, "pkg/__init__.py", "")
    assert [*checker.consulted()] == []
    checker.check(chat)
    assert {*checker.consulted()} == {
        package,
        folder / "__init__.py",
        folder / "base/__init__.py",
        base,
    }
