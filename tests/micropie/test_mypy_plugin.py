"""`micropie.mypy_plugin`, in the real mypy: what it finds, where, and in which ways of running."""

import importlib.util
import itertools
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from mypy import api
from mypy.dmypy_server import Server, process_start_options
from mypy.plugin import Plugin

from micropie import mypy_plugin

CONFIGURATION = """\
[mypy]
strict = True
disable_error_code = empty-body
enable_error_code = deprecated
plugins = micropie.mypy_plugin
"""

# What the cases use.
PARTS = """\
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from functools import cached_property, partial, partialmethod, wraps
from typing import Any, AnyStr, Generic, Literal, NewType, NoReturn, ParamSpec, Protocol
from typing import TypedDict, TypeVar, overload
from typing_extensions import Unpack, deprecated, final, override

from micropie import App, WebSocket
from micropie.contract import Acceptable, Handler, TextReceiver, TextSender, WebSocketContract

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B", bytes, int)
W = TypeVar("W", bound=WebSocketContract)
Room = NewType("Room", str)
Number = NewType("Number", int)


class Mine(Protocol):
    async def send_text(self, data: str) -> None: ...
    async def receive_text(self) -> object: ...


class Pinger(Protocol):
    async def ping(self) -> None: ...


class Texts(TypedDict, total=False):
    a: str


class Numbers(TypedDict, total=False):
    a: int


class Meta(type): ...


def same(function: Callable[P, T]) -> Callable[P, T]:
    return function


def untyped(function: Any) -> Any:
    return function


def counted(function: Callable[P, object]) -> Callable[P, int]:
    @wraps(function)
    def count(*args: P.args, **keywords: P.kwargs) -> int:
        return 0
    return count


class Counting:
    def __await__(self) -> Generator[None, None, int]: ...


def counting(function: Callable[P, object]) -> Callable[P, Counting]:
    @wraps(function)
    def count(*args: P.args, **keywords: P.kwargs) -> Counting: ...
    return count


def injected(function: object) -> Callable[[App, int, int], Awaitable[None]]:
    @wraps(function)  # type: ignore[arg-type]
    async def inject(app: App, a: int, b: int) -> None: ...
    return inject


def collected(
    function: Callable[P, AsyncIterator[T]]
) -> Callable[P, Coroutine[Any, Any, None]]:
    @wraps(function)
    async def collect(*args: P.args, **keywords: P.kwargs) -> None: ...
    return collect


class Data:
    def __get__(self, instance: object, owner: object = None) -> int: ...
    def __set__(self, instance: object, value: int) -> None: ...
    def __call__(self) -> None: ...


class Callback:
    async def __call__(self, ws: WebSocket) -> None: ...


class WrongCallback:
    async def __call__(self, ws: WebSocket, a: int) -> None: ...


class Overloaded:
    @overload
    async def __call__(self, ws: WebSocket) -> None: ...
    @overload
    async def __call__(self, ws: WebSocket, a: str) -> None: ...
    async def __call__(self, ws: WebSocket, a: str = "") -> None: ...


async def plain(app: App, ws: WebSocket) -> None: ...
"""


class Case(NamedTuple):
    code: str
    # What `App` does at run time.
    refused: bool = False


def handler(definition: str, refused: bool = False) -> Case:
    return Case(f"class Chat(App):\n{indented(definition)}", refused)


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


# `# E: ` marks a line with a finding, and says what is in it.
CASES = {
    # The connection
    "the class": handler("async def ws_x(self, ws: WebSocket) -> None: ..."),
    "the contract": handler("async def ws_x(self, ws: WebSocketContract) -> None: ..."),
    "a role": handler("async def ws_x(self, ws: TextSender) -> None: ..."),
    "a Protocol of the user's": handler("async def ws_x(self, ws: Mine) -> None: ..."),
    "anything": handler("async def ws_x(self, ws: object) -> None: ..."),
    "any": handler("async def ws_x(self, ws: Any) -> None: ..."),
    "a union": handler("async def ws_x(self, ws: WebSocket | None) -> None: ..."),
    "a type variable": handler("async def ws_x(self, ws: W) -> None: ..."),
    "a Protocol of the user's without types": Case(
        "class Untyped(Protocol):\n"
        "    async def send_text(self, data): ...  # type: ignore[no-untyped-def]\n"
        "class Chat(App):\n"
        "    async def ws_x(self, ws: Untyped) -> None: ..."
    ),
    "positional": handler("async def ws_x(self, ws: WebSocket, /, a: str) -> None: ..."),
    "in what is left": handler("async def ws_x(self, *args: object) -> None: ..."),
    "a number": handler('async def ws_x(self, ws: int) -> None: ...  # E: "ws" that is "int"'),
    "a Protocol that it does not satisfy": handler(
        'async def ws_x(self, ws: Pinger) -> None: ...  # E: "ws" that is "Pinger"'
    ),
    "a union of others": handler(
        'async def ws_x(self, ws: int | None) -> None: ...  # E: "ws" that is "int | None"'
    ),
    "a type variable of others": handler(
        'async def ws_x(self, ws: B) -> B: ...  # E: "ws" that is "B"  # E: returns "B"'
    ),
    "none": handler("async def ws_x(self) -> None: ...  # E: no parameter", refused=True),
    "none, without types": handler(
        "async def ws_x(self): ...  # type: ignore[no-untyped-def]  # E: no parameter", refused=True
    ),
    "by keyword": handler(
        "async def ws_x(self, *, ws: WebSocket) -> None: ...  # E: no parameter", refused=True
    ),
    "in keywords": handler(
        "async def ws_x(self, **ws: WebSocket) -> None: ...  # E: no parameter", refused=True
    ),
    "forgotten": handler(
        'async def ws_x(self, room: str) -> None: ...  # E: "room" is a "str"', refused=True
    ),
    "among texts": handler(
        'async def ws_x(self, *args: str) -> None: ...  # E: "args" is a "str"', refused=True
    ),
    "among connections": handler(
        'async def ws_x(self, *args: WebSocket) -> None: ...  # E: "args" that is "WebSocket"',
        refused=True,
    ),
    # What a URL fills
    "texts": handler(
        "async def ws_x(self, ws: WebSocket, a: str, b: str | None = None, *c: str, d: object,\n"
        "               e: Any = 1, **f: str) -> None: ..."
    ),
    "a type of text": handler("async def ws_x(self, ws: WebSocket, a: Room) -> None: ..."),
    "a type variable of text": handler(
        "async def ws_x(self, ws: WebSocket, a: AnyStr, b: AnyStr) -> None: ..."
    ),
    "unpacked": handler("async def ws_x(self, ws: WebSocket, **a: Unpack[Texts]) -> None: ..."),
    "each wrong, on its line": handler(
        "async def ws_x(\n"
        "    self,\n"
        '    ws: bytes,  # E: "ws" that is "bytes"\n'
        '    a: int,  # E: "a" that is "int"\n'
        '    b: Number = Number(1),  # E: "b" that is "Number"\n'
        '    *c: float,  # E: "c" that is "float"\n'
        "    d: Literal['d'],  # E: \"d\" that is \"Literal['d']\"\n"
        '    **e: WebSocket,  # E: "e" that is "WebSocket"\n'
        ") -> None: ...",
        refused=True,
    ),
    "positional and wrong": handler(
        "async def ws_x(\n"
        "    self,\n"
        '    ws: int,  # E: "ws" that is "int"\n'
        '    a: int,  # E: "a" that is "int"\n'
        "    /,\n"
        ") -> None: ...",
        refused=True,
    ),
    "an unpacked tuple": handler(
        "async def ws_x(self, ws: WebSocket, *a: Unpack[tuple[str, str]]) -> None: ..."
    ),
    "unpacked and wrong": handler(
        'async def ws_x(self, ws: WebSocket, **n: Unpack[Numbers]) -> None: ...  # E: is "int"'
    ),
    # async
    "def": handler(
        "def ws_x(self, ws: WebSocket) -> Awaitable[None]: ...  # E: not async", refused=True
    ),
    "def, without types": handler(
        "def ws_x(self, ws): ...  # type: ignore[no-untyped-def]  # E: not async", refused=True
    ),
    "def, for the handlers": handler("def ws_x(self) -> int: ...  # E: not async", refused=True),
    "def of another name": handler("def _ws_x(self) -> int: ...\ndef ws__x(self) -> int: ..."),
    "a generator": handler(
        "async def ws_x(self, ws: WebSocket) -> AsyncIterator[int]:  # E: async generator\n"
        "    yield 1",
        refused=True,
    ),
    "decorated def": handler(
        "@final\ndef ws_x(self, ws: WebSocket) -> Awaitable[None]: ...  # E: not async",
        refused=True,
    ),
    "no types": handler("async def ws_x(self, ws): ...  # type: ignore[no-untyped-def]"),
    # The result
    "never": handler("async def ws_x(self, ws: WebSocket) -> NoReturn: ..."),
    "any result": handler("async def ws_x(self, ws: WebSocket) -> Any: ..."),
    "a result": handler('async def ws_x(self, ws: WebSocket) -> int: ...  # E: returns "int"'),
    # Other definitions
    "static": handler("@staticmethod\nasync def ws_x(ws: WebSocket) -> None: ..."),
    "static and wrong": handler(
        '@staticmethod\nasync def ws_x(ws: WebSocket, a: int) -> None: ...  # E: "a" that is "int"',
        refused=True,
    ),
    "static and nothing": handler(
        "@staticmethod\nasync def ws_x() -> None: ...  # E: no parameter", refused=True
    ),
    "class": handler("@classmethod\nasync def ws_x(cls, ws: WebSocket) -> None: ..."),
    "class and wrong": handler(
        '@classmethod\nasync def ws_x(cls, room: str) -> None: ...  # E: "room" is a "str"',
        refused=True,
    ),
    "no self": handler(
        'async def ws_x() -> None: ...  # E: Did you forget the "self" argument?', refused=True
    ),
    "decorated": handler("@same\nasync def ws_x(self, ws: WebSocket) -> None: ..."),
    "decorated and wrong": handler(
        "@same\n"
        'async def ws_x(  # E: returns "str"\n'
        "    self,\n"
        '    ws: int,  # E: "ws" that is "int"\n'
        "    /,\n"
        ") -> str: ...",
    ),
    "decorated by what has no types": handler(
        "@untyped\nasync def ws_x(self, ws: WebSocket, a: int) -> None: ...", refused=True
    ),
    "decorated into no coroutine": handler(
        "@counted\nasync def ws_x(self, ws: WebSocket) -> None: ...  # E: nothing to await"
    ),
    "decorated into what gives a number": handler(
        '@counting\nasync def ws_x(self, ws: WebSocket) -> None: ...  # E: returns "int"'
    ),
    "decorated into one of other parameters": handler(
        "@injected\n"
        "async def ws_x(self, ws: WebSocket, a: str, b: str) -> None: ..."
        '  # E: parameter number 1 that is "int"  # E: parameter number 2 that is "int"'
    ),
    "a generator that is collected": handler(
        "@collected\nasync def ws_x(self, ws: WebSocket) -> AsyncIterator[int]:\n    yield 1"
    ),
    "deprecated": handler('@deprecated("old")\nasync def ws_x(self, ws: WebSocket) -> None: ...'),
    "overloaded": handler(
        "@overload\nasync def ws_x(self, ws: WebSocket, a: int) -> None: ...\n"
        "@overload\nasync def ws_x(self, ws: WebSocket, a: str) -> None: ...\n"
        "async def ws_x(self, ws: WebSocket, a: int | str) -> None: ..."
    ),
    "overloaded and wrong": handler(
        "@overload\nasync def ws_x(self, ws: WebSocket, a: int) -> None: ...\n"
        "@overload\nasync def ws_x(self, ws: WebSocket, a: bytes) -> None: ...\n"
        "async def ws_x(\n"
        "    self,\n"
        "    ws: WebSocket,\n"
        '    a: int | bytes,  # E: "a" that is "int | bytes"\n'
        ") -> None: ...",
        refused=True,
    ),
    "overloaded, static and decorated": handler(
        "@overload\n@staticmethod\nasync def ws_x(ws: WebSocket, a: int) -> int: ...\n"
        "@overload\n@staticmethod\nasync def ws_x(ws: WebSocket, a: str) -> int: ...\n"
        "@staticmethod\n@same\nasync def ws_x(ws: WebSocket, a: int | str) -> int: ...  # E: int"
    ),
    "overloaded without types": handler(
        "@overload\nasync def ws_x(self, ws: WebSocket, a: int) -> None: ...\n"
        "@overload\nasync def ws_x(self, ws: WebSocket, a: str) -> None: ...\n"
        "async def ws_x(self, ws, a): ...  # type: ignore[no-untyped-def]"
    ),
    "overloaded without implementation": handler(
        "@overload  # E: must have an implementation\n"
        "async def ws_x(self, ws: WebSocket, a: int) -> None: ...\n"
        "@overload\nasync def ws_x(self, ws: WebSocket, a: str) -> None: ...\n",
        refused=True,
    ),
    "properties": handler(
        "@property\ndef ws_x(self) -> int: ...\n"
        "@cached_property\ndef ws_y(self) -> int: ...\n"
        "@property\ndef ws_z(self) -> int: ...\n"
        "@ws_z.setter\ndef ws_z(self, value: int) -> None: ..."
    ),
    "no handlers": handler(
        "ws_a = None\nws_b = 5\nclass ws_c: ...\nws_d = ws_c\nws_e = Data()\nws_f: int"
    ),
    "set in the class": handler("ws_x = plain\nws_y = Callback()\nws_z = Overloaded()"),
    "set in the class and wrong": handler(
        'ws_y = WrongCallback()  # E: "a" that is "int"', refused=True
    ),
    "set in the class and wrong, of the class": Case(
        "async def wrong(cls: type[App], ws: WebSocket, a: int) -> None: ...\n"
        "class Chat(App):\n"
        '    ws_x = classmethod(wrong)  # E: "a" that is "int"',
        refused=True,
    ),
    "partial": handler(
        "async def _x(self, ws: WebSocket, a: int) -> None: ...\n"
        "ws_x = partialmethod(_x, a=1)\n"
        "ws_y = staticmethod(partial(plain, App()))"
    ),
    "partial and wrong": handler(
        "def _x(self, ws: WebSocket) -> int: ...\nws_x = partialmethod(_x)  # E: nothing to await",
        refused=True,
    ),
    "twice": handler(
        "async def ws_x(self, ws: WebSocket) -> None: ...\n"
        "async def ws_x(self, ws: int) -> None: ...  # E: already defined"
    ),
    "perhaps": handler(
        'ws_x: Callable[[int], Awaitable[None]] | None = None  # E: write "WebSocket", or'
    ),
    "declared": handler("ws_x: Handler[WebSocket]\nws_y: Handler"),
    "set on the instance": handler(
        "def __init__(self) -> None:\n"
        "    super().__init__()\n"
        "    self.ws_x = Callback()\n"
        '    self.ws_y = WrongCallback()  # E: "a" that is "int"'
    ),
    "ignored": handler(
        "async def ws_x(self, ws: int) -> None: ...  # type: ignore[micropie-handler]"
    ),
    # Where the class is
    "no App": Case("class Chat:\n    def ws_x(self) -> None: ..."),
    "in a function": Case(
        "def make() -> None:\n"
        "    class Chat(App):\n"
        '        async def ws_x(self, ws: int) -> None: ...  # E: "ws" that is "int"\n'
    ),
    "in a class": Case(
        "class Outer:\n"
        "    class Chat(App):\n"
        '        async def ws_x(self, ws: int) -> None: ...  # E: "ws" that is "int"\n'
    ),
    "with a metaclass": Case(
        "class Chat(App, metaclass=Meta):\n"
        '    async def ws_x(self, ws: int) -> None: ...  # E: "ws" that is "int"\n'
    ),
    "under an alias": Case(
        "Base = App\n"
        "class Chat(Base):\n"
        '    async def ws_x(self, ws: int) -> None: ...  # E: "ws" that is "int"\n'
    ),
    "decorated class": Case(
        "def register(cls: type[int]) -> None: ...\n"
        "def refuse(cls: type[int]) -> type[int]: ...\n"
        "@register\n"
        '@refuse  # E: "refuse" has incompatible type "type[Chat]"\n'
        "class Chat(App):\n"
        '    async def ws_x(self, ws: int) -> None: ...  # E: "ws" that is "int"\n'
    ),
    "of an App below": Case(
        "class Base(App):\n"
        '    async def ws_x(self, ws: int) -> None: ...  # E: "ws" that is "int"\n'
        "class Chat(Base):\n"
        '    async def ws_y(self, ws: int) -> None: ...  # E: "ws" that is "int"\n'
        "class Better(Chat):\n"
        "    async def ws_x(self, ws: object) -> None: ...\n"
        "    ws_y = None  # E: Incompatible types in assignment\n"
    ),
    "of a mixin": Case(
        "class Mixin:\n"
        "    async def ws_x(self, ws: int) -> None: ...\n"
        "    def ws_y(self) -> None: ...\n"
        "    @final\n"
        "    async def ws_z(self, ws: WebSocket) -> None: ...\n"
        'class Chat(Mixin, App): ...  # E: "ws_x", inherited from  # E: "ws_y", inherited from\n'
        "class Lower(Chat): ...\n",
        refused=True,
    ),
    "of a generic App": Case(
        "class Base(App, Generic[T]):\n"
        "    async def ws_x(self, ws: T) -> None: ...\n"
        "class Good(Base[WebSocket]): ...\n"
        'class Chat(Base[int]): ...  # E: "ws_x", inherited from "'
    ),
    "defined later": Case(
        "later: 'Later'\n"
        "class Later:\n"
        '    base: "Chat"\n'
        "class Chat(App):\n"
        '    async def ws_x(self, ws: Later) -> None: ...  # E: "ws" that is "Later"\n'
    ),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a new cache mypy begins with the standard library."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _here(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(cache))
    write({"mypy.ini": CONFIGURATION})


# For mypy, a file of the same size and the same second has not changed.
SECONDS = itertools.count(1_000_000_000)


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
        os.utime(name, (second := next(SECONDS), second))


def mypy(*arguments: str) -> list[str]:
    """Run mypy and give its lines, without the summary."""
    out, err, status = api.run(["--no-error-summary", *arguments])
    assert err == ""
    assert status == (1 if " error: " in out else 0), out
    return out.splitlines()


def case_file(number: int) -> str:
    return f"case_{number}.py"


def expected_in(files: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (f"{file}:{number}", what)
        for file, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        for what in re.findall(r"# E: (.+?)(?=\s*# E:|$)", line)
    ]


def test_findings() -> None:
    cases = {
        case_file(number): f"from parts import *\n\n\n{case.code}"
        for number, case in enumerate(CASES.values())
    }
    exported = re.findall(r"^(?:class|def|async def) (\w+)|^(\w+) = ", PARTS, re.M)
    names = [a or b for a, b in exported]
    for line in re.findall(r"^from \S+ import (.+)", PARTS, re.M):
        names += line.split(", ")
    write({"parts.py": f"{PARTS}\n__all__ = {names}\n", **cases})
    files = ["parts.py", *cases]

    lines = mypy(*files)
    found = [line.split(": error: ") for line in lines if ": error: " in line]
    expected = expected_in(cases)
    labels = dict(zip(cases, CASES, strict=True))

    def told(place: str) -> str:
        return f"{labels.get(place.partition(':')[0], '')!r}, {place}"

    for place, what in expected:
        match = [entry for entry in found if entry[0] == place and what in entry[1]]
        assert match, f"{told(place)}: no finding with {what}"
        found.remove(match[0])
    assert [(told(entry[0]), entry[1]) for entry in found] == []

    # The same in each way of running.
    assert sorted(mypy(*files)) == sorted(lines)
    assert sorted(mypy("--no-incremental", *files)) == sorted(lines)
    assert sorted(mypy("--cache-dir=other", "--num-workers=2", *files)) == sorted(lines)
    assert sorted(mypy("--cache-dir=other", "--num-workers=2", *files)) == sorted(lines)
    disabled = mypy("--disable-error-code=micropie-handler", *files)
    assert not [line for line in disabled if "[micropie-handler]" in line]
    assert len(disabled) < len(lines)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_the_application_does(case: Case) -> None:
    """What `App` refuses is found, and the table tells the truth."""
    namespace: dict[str, object] = {}
    exec(PARTS, namespace)
    if case.refused:
        assert "# E: " in case.code or "@untyped" in case.code
        with pytest.raises(TypeError):
            exec(case.code, namespace)
    else:
        exec(case.code, namespace)


MESSAGES = """\
from collections.abc import AsyncIterator, Callable
from typing import Protocol
from micropie import App, WebSocket

class Pinger(Protocol):
    async def close(self) -> None: ...
    async def ping(self) -> None: ...

class Mixin:
    def ws_mixed(self) -> None: ...

def counted(handler: object) -> Callable[..., int]: ...

class Chat(Mixin, App):
    async def ws_b(self, ws: WebSocket) -> AsyncIterator[int]:
        yield 1
    async def ws_c(self) -> None: ...
    async def ws_d(self, room: str) -> None: ...
    async def ws_e(self, ws: Pinger, n: int) -> int: ...
    @counted
    async def ws_f(self, ws: WebSocket) -> None: ...
"""


def test_messages() -> None:
    write({"chat.py": MESSAGES})
    refused = 'so "App" refuses the class'
    assert mypy("chat.py") == [
        f"chat.py:{line}: {kind}: {text}{'  [micropie-handler]' if kind == 'error' else ''}"
        for line, kind, text in [
            (
                14,
                "error",
                f'Handler "ws_mixed", inherited from "chat.Mixin", is not async, {refused}: write '
                '"async def". What is no handler needs a name that does not begin with "ws_"',
            ),
            (
                15,
                "error",
                f'Handler "ws_b" is an async generator, {refused}: take the "yield" out and send '
                'with "await ws.send_text(...)"',
            ),
            (
                17,
                "error",
                f'Handler "ws_c" has no parameter for the connection, {refused}: the first one, '
                'which a method has after self, gets it: "async def ws_name(self, ws: WebSocket)"',
            ),
            (
                18,
                "error",
                f'Handler "ws_d" has no parameter for the connection, {refused}: the first one '
                'gets it, but "room" is a "str". Put "ws: WebSocket" before it',
            ),
            (19, "error", 'Handler "ws_e" returns "int", which goes nowhere: write "-> None"'),
            (
                19,
                "error",
                'Handler "ws_e" has a parameter "ws" that is "Pinger", but it gets the connection, '
                'a "micropie.websocket.WebSocket": write "ws: WebSocket", or a Protocol that it '
                "satisfies",
            ),
            (19, "note", '"WebSocket" is missing following "Pinger" protocol member:'),
            (19, "note", "    ping"),
            (
                19,
                "error",
                'Handler "ws_e" has a parameter "n" that is "int", but what a URL gives is a '
                '"str": write "n: str" and convert it in the handler',
            ),
            (
                21,
                "error",
                'Handler "ws_f" gives "int", which is nothing to await: a handler is "async def" '
                "and returns None",
            ),
        ]
    ]


LIBRARY = {
    # Stands for the package, so that it can be edited.
    "micropie/__init__.py": """\
from micropie.app import App as App
from micropie.websocket import WebSocket as WebSocket
""",
    "micropie/app.py": """\
import micropie.websocket
class App: ...
""",
    "micropie/websocket.py": """\
class WebSocket:
    async def receive_text(self) -> str: ...
""",
    "inner.py": """\
from typing import Protocol
class More(Protocol):
    def nope(self) -> str: ...
class Inner(Protocol):
    def upper(self) -> str: ...
""",
    "proto.py": """\
from typing import Protocol
from inner import Inner
Text = str
class Mine(Protocol):
    async def receive_text(self) -> Inner: ...
""",
    "decorators.py": """\
from collections.abc import Awaitable, Callable
from typing import Any
def decorated(function: Callable[..., Any]) -> Callable[..., Awaitable[None]]: return function
""",
    "mixin.py": """\
from micropie import WebSocket
from decorators import decorated
from objects import described
from wide import Wide
class Mixin:
    async def ws_m(self, ws: WebSocket, a: Wide) -> None: ...
    @decorated
    def ws_d(self, ws: WebSocket) -> None: ...
    ws_o = described()
""",
    "objects.py": """\
from callback import Callback
class Described:
    def __call__(self) -> None: ...
    def __get__(self, instance: object, owner: object) -> Callback: ...
def described() -> Described: return Described()
""",
    "callback.py": """\
from collections.abc import Awaitable
class Callback:
    def __call__(self, ws: object) -> Awaitable[None]: ...
""",
    "base.py": """\
from micropie import App
class Base(App): ...
""",
    "middle.py": """\
from base import Base as Base
from mixin import Mixin as Mixin
from proto import Mine as Mine, Text as Text
""",
    "chat.py": """\
from middle import Base, Mixin, Mine, Text
class Chat(Mixin, Base):
    async def ws_x(self, ws: Mine) -> None: ...
    async def ws_y(self, ws: Mine, a: Text) -> None: ...
""",
    "lone.py": """\
from middle import Base, Mine
def make() -> None:
    class Lone(Base):
        async def ws_z(self, ws: Mine) -> None: ...
""",
    "wide.py": """\
from typing import Protocol
class More(Protocol):
    def nope(self) -> str: ...
class Wide(Protocol):
    def upper(self) -> str: ...
""",
}

FILES = ["chat.py", "lone.py", "base.py"]

PING = "    async def ping(self) -> None: ...\n"
NEW = "    def ws_new(self) -> None: ...\n"
MINE = [f'{place}: "ws" that is "Mine"' for place in ("lone.py:4", "chat.py:3", "chat.py:4")]


class Edit(NamedTuple):
    """What changes in a file, at its end if nothing is replaced."""

    file: str
    old: str
    new: str


# Edits, and the findings that there are then.
STEPS: list[tuple[list[Edit], list[str]]] = [
    ([], []),
    ([Edit("proto.py", "", PING)], MINE),
    ([Edit("proto.py", PING, "")], []),
    ([Edit("inner.py", "", PING)], MINE),
    ([Edit("inner.py", PING, "")], []),
    ([Edit("inner.py", "Inner(Protocol)", "Inner(More, Protocol)")], MINE),
    ([Edit("inner.py", "More, Protocol", "Protocol")], []),
    ([Edit("micropie/websocket.py", "receive_text", "receive")], MINE),
    ([Edit("micropie/websocket.py", "receive", "receive_text")], []),
    ([Edit("proto.py", "Text = str", "Text = int")], ['chat.py:4: "a" that is "int"']),
    ([Edit("proto.py", "Text = int", "Text = str")], []),
    ([Edit("mixin.py", "", NEW)], ['chat.py:2: "ws_new", inherited from "mixin.Mixin"']),
    ([Edit("mixin.py", NEW, "")], []),
    ([Edit("mixin.py", "ws_m(self, ws: WebSocket", "ws_m(self, ws: int")], ['chat.py:2: "ws_m"']),
    ([Edit("mixin.py", "ws: int", "ws: WebSocket")], []),
    ([Edit("mixin.py", "async def ws_m", "def ws_m")], ['chat.py:2: "ws_m"']),
    ([Edit("mixin.py", "def ws_m", "async def ws_m")], []),
    ([Edit("wide.py", "Wide(Protocol)", "Wide(More, Protocol)")], ['chat.py:2: "ws_m"']),
    ([Edit("wide.py", "More, Protocol", "Protocol")], []),
    ([Edit("decorators.py", "Awaitable[None]", "int")], ['chat.py:2: "ws_d"']),
    ([Edit("decorators.py", "int", "Awaitable[None]")], []),
    ([Edit("callback.py", "Awaitable[None]", "int")], ['chat.py:2: "ws_o"']),
    ([Edit("objects.py", "__call__", "_call")], []),
    ([Edit("objects.py", "_call", "__call__")], ['chat.py:2: "ws_o"']),
    ([Edit("objects.py", "owner: object) -> Callback", "owner: object) -> None")], []),
    ([Edit("objects.py", ") -> None: ...\ndef", ") -> Callback: ...\ndef")], ['chat.py:2: "ws_o"']),
    ([Edit("callback.py", "> int", "> Awaitable[None]")], []),
    ([Edit("base.py", "(App)", ""), Edit("proto.py", "", PING)], []),
    ([Edit("base.py", "Base", "Base(App)")], MINE),
    ([Edit("base.py", "(App)", "")], []),
    ([Edit("base.py", "Base", "Base(App)"), Edit("proto.py", PING, "")], []),
    ([Edit("base.py", "...", f"\n{NEW}")], ['base.py:3: "ws_new" is not async']),
    (
        [Edit("base.py", "Base(App)", "Low"), Edit("base.py", "", "class Base(Low, App): ...\n")],
        ['base.py:5: "ws_new", inherited from "base.Low"'],
    ),
    ([Edit("base.py", "Low, App", "Low")], []),
    (
        [
            Edit("chat.py", "Mixin, Base)", "Mixin, Base, App)"),
            Edit("chat.py", "from", "from micropie import App; from"),
        ],
        ['chat.py:2: "ws_new", inherited from "base.Low"'],
    ),
]


def daemon(*arguments: str) -> Callable[..., list[str]]:
    """Start mypy's daemon in this process and give its `dmypy check`."""
    options = process_start_options(["--no-error-summary", *arguments], allow_sources=False)
    server = Server(options, "status.json")

    def check(*files: str) -> list[str]:
        answer = server.cmd_check(files, export_types=False, is_tty=False, terminal_width=80)
        assert answer["err"] == ""
        return str(answer["out"]).splitlines()

    return check


def daemon_with_a_cache() -> Callable[..., list[str]]:
    assert mypy("--cache-fine-grained", "--cache-dir=fine", *FILES) == []
    return daemon("--cache-dir=fine", "--use-fine-grained-cache")


# One way in a test: mypy has state in its modules, which daemon and other runs would share.
@pytest.mark.parametrize("way", [lambda: mypy, daemon, daemon_with_a_cache])
def test_what_changes_elsewhere(way: Callable[[], Callable[..., list[str]]]) -> None:
    """A class is checked again when what it rests on is edited."""
    write(LIBRARY)
    check = way()
    for edits, expected in STEPS:
        for file, old, new in edits:
            text = Path(file).read_text(encoding="utf-8")
            assert old in text
            write({file: text.replace(old, new, 1) if old else text + new})
        lines = check(*FILES)
        findings = [line for line in lines if ": error: " in line]
        assert len(findings) == len(expected), (edits, lines)
        for finding, wanted in zip(sorted(findings), sorted(expected), strict=True):
            place, _, what = wanted.partition(": ")
            assert finding.startswith(f"{place}: error: "), edits
            assert what in finding


def test_workers_and_what_changes_elsewhere() -> None:
    write(LIBRARY)
    arguments = ["--num-workers=2", *FILES]
    assert mypy(*arguments) == []
    write({"inner.py": LIBRARY["inner.py"] + PING})
    found = mypy(*arguments)
    assert len([line for line in found if ": error: " in line]) == len(MINE)
    assert mypy(*arguments) == found


def test_another_version_of_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that one version has found stays when another one runs."""
    source = Path(mypy_plugin.__file__).read_text(encoding="utf-8")
    bad = "from micropie import App\nclass Chat(App):\n    def ws_x(self) -> None: ...\n"
    monkeypatch.setenv("MYPY_CACHE_DIR", "cache")
    write({"copied.py": source, "one.py": bad, "other.py": bad})
    write({"mypy.ini": CONFIGURATION.replace("micropie.mypy_plugin", "copied.py")})
    assert "is not async" in mypy("one.py")[0]
    del sys.modules["copied"]
    write({"copied.py": source.replace("is not async", "is NOT async")})
    assert "is NOT async" in mypy("other.py")[0]
    assert "is NOT async" in mypy("one.py")[0]


def test_imports_that_are_not_followed() -> None:
    write({"mypy.ini": f"{CONFIGURATION}[mypy-micropie.websocket]\nfollow_imports = skip\n"})
    write({"chat.py": "from micropie import App\nclass Chat(App):\n    def ws_x(self): ...\n"})
    assert mypy("--allow-untyped-defs", "--no-incremental", "chat.py") == []


def test_another_plugin() -> None:
    """What this one has no use for is left to those after it."""
    write(
        {
            "second.py": """\
from mypy.plugin import Plugin
class Second(Plugin):
    def get_customize_class_mro_hook(self, fullname):
        return self.tell if fullname == "chat.Thing" else None
    def tell(self, context):
        context.api.fail("seen", context.cls)
def plugin(version):
    return Second
""",
            "mypy.ini": f"{CONFIGURATION.rstrip()}, second.py\n",
            "chat.py": "import micropie\nclass Thing: ...\n",
        }
    )
    assert mypy("--cache-dir=other", "chat.py") == ["chat.py:2: error: seen  [misc]"]


# A mypy that is not known


def test_a_version_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert mypy_plugin.plugin("2.4.1") is not Plugin
    assert mypy_plugin.plugin("2.9.0+dev.0123abcd") is not Plugin
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("version", ["1.19.1", "3.0.0", "20.1", "none"])
def test_a_version_that_is_not_known(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mypy_plugin.plugin(version) is Plugin
    assert capsys.readouterr() == (
        "",
        f"micropie.mypy_plugin: handlers are not checked with mypy {version}: it knows mypy 2 "
        "alone\n",
    )


def test_what_has_been_moved(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr("mypy.typevars.fill_typevars")
    spec = importlib.util.spec_from_file_location("moved", mypy_plugin.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.plugin("2.4.1") is Plugin
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        "micropie.mypy_plugin: handlers are not checked with mypy 2.4.1: cannot import name "
        "'fill_typevars' from 'mypy.typevars'"
    )
    assert err.count("\n") == 1


GOOD = """\
from micropie import App, WebSocket
class Chat(App):
    async def ws_x(self, ws: WebSocket) -> None: ...
"""


def test_mypy_goes_on_without_it() -> None:
    plugin = "from micropie.mypy_plugin import plugin as real\ndef plugin(_): return real('3.0')\n"
    write({"later.py": plugin, "chat.py": f"{GOOD}x: int = ''\n"})
    write({"mypy.ini": CONFIGURATION.replace("micropie.mypy_plugin", "later.py")})
    out, _, status = api.run(["chat.py"])
    assert status == 1
    assert out.startswith("chat.py:4: error: Incompatible types in assignment")


def test_what_has_been_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def changed(*_: object) -> bool:
        raise TypeError("is_subtype() wants another argument")

    monkeypatch.setattr(mypy_plugin, "is_subtype", changed)
    write({"chat.py": GOOD})
    assert mypy("chat.py") == [
        'chat.py:2: error: The handlers of "Chat" cannot be checked with this mypy (TypeError: '
        "is_subtype() wants another argument); --show-traceback shows more  [micropie-handler]"
    ]
    _, _, status = api.run(["--show-traceback", "--cache-dir=other", "chat.py"])
    assert status == 2
    out, err = capsys.readouterr()
    assert "INTERNAL ERROR" in err
    assert "TypeError: is_subtype() wants another argument" in out
