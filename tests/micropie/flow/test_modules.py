"""Names followed through imports, in files that are read and not run."""

import ast
import importlib
import os
from pathlib import Path
from textwrap import dedent

import pytest

import micropie
from micropie import contract
from micropie.flow.modules import TOO_DEEP, Module, Modules, parse

MAIN = "main"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(source))


def module(source: str, name: str = MAIN, is_package: bool = False) -> Module:
    return Module(name, ast.parse(dedent(source)), is_package)


def expression(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def canonical(folder: Path, source: str, name: str, files: dict[str, str] | None = None) -> str:
    """Give what a name of a module `main` means, that lies beside some files."""
    write(folder, files or {})
    modules = Modules([folder])
    main = module(source)
    with modules.having(main):
        found = modules.canonical(main, expression(name))
        # It is kept in mind.
        assert modules.canonical(main, expression(name)) == found
        return found


# A file is read.


def test_a_file_is_read_in_its_encoding(folder: Path) -> None:
    file = folder / "latin.py"
    file.write_bytes("# coding: latin-1\na = 'é'\n".encode("latin-1"))
    source, tree = parse(file)
    assert source == "# coding: latin-1\na = 'é'\n"
    assert len(tree.body) == 1


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like(folder: Path, ends: str) -> None:
    file = folder / "lines.py"
    file.write_bytes(f"\ufeffa = 1{ends}b = 2{ends}".encode())
    source, tree = parse(file)
    assert source == "a = 1\nb = 2\n"
    assert [node.lineno for node in tree.body] == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"def", "invalid syntax"),
        (b"a = '\xff'", "encoding"),
        (b"# coding: utf-8\n# \n# \na = '\xff'", "encod"),
        (b"# coding: ascii\n\n\na = '\xff'", "encoding problem|is not encoded as it says"),
        (b"# coding: no-such\n", "unknown encoding"),
        (b"# coding: rot13\n", "is not encoded as it says: 'rot13' is not a text encoding"),
        (b"# coding: utf-16\n", "is not encoded as it says: .*(?i:utf-16)|encoding declaration"),
        (b"# coding: undefined\n", "is not encoded as it says: undefined"),
        (b"a = 1\0", "null byte"),
        (b"# coding: unicode_escape\na = '\\ud800'", "surrogates not allowed"),
        (b"a = " + b"-" * 10_000 + b"1", TOO_DEEP),
    ],
)
def test_what_is_no_valid_python_is_a_syntax_error(
    folder: Path, content: bytes, message: str
) -> None:
    file = folder / "wrong.py"
    file.write_bytes(content)
    with pytest.raises(SyntaxError, match=message):
        parse(file)


def test_a_file_that_cannot_be_read_is_told_of(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        parse(folder / "nothing.py")
    with pytest.raises(IsADirectoryError):
        parse(folder)
    os.mkfifo(folder / "pipe.py")
    with pytest.raises(OSError, match="it is no file"):
        parse(folder / "pipe.py")


def test_what_python_warns_of_is_left_to_python(folder: Path) -> None:
    # Warnings are errors here.
    file = folder / "escape.py"
    file.write_text(r"a = '\d'")
    parse(file)


# A module's own names.


def test_definitions_are_found_wherever_the_module_runs_them() -> None:
    found = module("""
        def plain(): ...
        if a:
            def in_if(): ...
        else:
            class InElse: ...
        try:
            import in_try
        except ImportError:
            in_try = None
            class InExcept: ...
        else:
            class InElseOfTry: ...
        finally:
            async def in_finally(): ...
        with a:
            from b import in_with
        def outer():
            def inner(): ...
            import nothing
        class Outer:
            def method(self): ...
    """)
    assert set(found.functions) == {"plain", "in_if", "in_finally", "outer"}
    assert set(found.classes) == {"InElse", "InExcept", "InElseOfTry", "Outer"}
    assert found.imports == {"in_try": "in_try", "in_with": "b.in_with"}


@pytest.mark.parametrize(
    "source",
    [
        "def f(): ...\nf = other",
        "f = other\ndef f(): ...",
        "if a:\n def f(): ...\nelse:\n def f(): ...",
        "try:\n from a import f\nexcept ImportError:\n def f(): ...",
        "def f(): ...\nimport a as f",
    ],
)
def test_a_function_whose_name_may_mean_another_is_not_known(source: str) -> None:
    assert set(module(source + "\ndef g(): ...\na.f = x\ng()").functions) == {"g"}


def test_imports_in_functions_are_learnt_where_the_name_is_free() -> None:
    found = module("import a as b")
    learnt = ast.parse("import x as b, c.d\nfrom . import e as f\nfrom g import *").body
    for node in learnt:
        assert isinstance(node, ast.Import | ast.ImportFrom)
        found.learn(node)
    assert found.imports == {"b": "a", "c": "c", "f": "e"}
    assert found.stars == []


@pytest.mark.parametrize(
    ("source", "imports", "stars"),
    [
        ("import a", {"a": "a"}, []),
        ("import a.b.c", {"a": "a"}, []),
        ("import a.b.c as d, e as f", {"d": "a.b.c", "f": "e"}, []),
        ("from a.b import c, d as e", {"c": "a.b.c", "e": "a.b.d"}, []),
        ("from a import *", {}, ["a"]),
        ("from . import a", {"a": "pack.sub.a"}, []),
        ("from .a import b", {"b": "pack.sub.a.b"}, []),
        ("from .. import a", {"a": "pack.a"}, []),
        ("from ..a import *", {}, ["pack.a"]),
        ("from ... import a", {"a": "a"}, []),
        ("from ...a import b", {"b": "a.b"}, []),
        # Beyond what is known: it is found nowhere.
        ("from .... import a", {"a": "..a"}, []),
    ],
)
def test_imports_are_known_by_their_full_name(
    source: str, imports: dict[str, str], stars: list[str]
) -> None:
    for found in (module(source, "pack.sub.main"), module(source, "pack.sub", True)):
        assert found.imports == imports
        assert found.stars == stars


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a", "a"),
        ("m", "micropie"),
        ("m.App", "micropie.App"),
        ("Pie", "micropie.App"),
        ("m.app.App[int]", "micropie.app.App"),
        ("m().App", ""),
        ("1", ""),
    ],
)
def test_an_expression_means_a_dotted_name(source: str, expected: str) -> None:
    found = module("import micropie as m\nfrom micropie import App as Pie")
    assert found.dotted(expression(source)) == expected


# What micropie knows by a name.


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        ("from micropie import WebSocket", "WebSocket", "WebSocket"),
        ("from micropie import WebSocket as Socket", "Socket", "WebSocket"),
        ("from micropie.websocket import ConnectionClosed", "ConnectionClosed", "ConnectionClosed"),
        ("from micropie.app import App", "App", "App"),
        ("import micropie as m", "m.App", "App"),
        ("import micropie.app", "micropie.app.App", "App"),
        ("import micropie.contract as c", "c.Sender", "Sender"),
        ("from micropie import contract", "contract.WebSocketContract", "WebSocketContract"),
        ("from micropie.contract import TextSender", "TextSender", "TextSender"),
        ("from micropie import *", "WebSocket", "WebSocket"),
        ("from micropie.contract import *", "Closable", "Closable"),
        # Others that are called so.
        ("from starlette.websockets import WebSocket", "WebSocket", ""),
        ("class WebSocket: ...", "WebSocket", ""),
        ("", "WebSocket", ""),
        ("from micropie import WebSocket", "micropie.WebSocket.x", ""),
        ("from micropie import Request", "Request", ""),
        ("import micropie", "micropie", ""),
        ("from nowhere import *", "WebSocket", ""),
        ("from .. import micropie", "micropie.WebSocket", ""),
    ],
)
def test_a_name_means_something_of_micropie_or_nothing(
    folder: Path, source: str, name: str, expected: str
) -> None:
    assert canonical(folder, source, name) == expected


@pytest.mark.parametrize("name", ["App", "WebSocket", "ConnectionClosed"])
def test_what_is_known_by_a_name_is_there_by_it(folder: Path, name: str) -> None:
    value = getattr(micropie, name)
    home = value.__module__
    assert vars(importlib.import_module(home))[name] is value
    for place in ("micropie", home):
        assert canonical(folder, f"import {place}", f"{place}.{name}") == name


def test_the_roles_of_the_contract_are_known(folder: Path) -> None:
    roles = {
        name
        for name in contract.__all__
        if getattr(vars(contract)[name], "_is_protocol", False)
        and dir(vars(contract)[name])
        and any(
            method in dir(vars(contract)[name])
            for method in (
                "accept",
                "receive_text",
                "receive_bytes",
                "send_text",
                "send_bytes",
                "close",
            )
        )
    }
    known = {
        name
        for name in contract.__all__
        if canonical(folder, "from micropie import contract", f"contract.{name}")
    }
    assert known == roles != set()


FILES = {
    "plain.py": "from micropie import WebSocket",
    "renamed.py": "from micropie import WebSocket as Socket, App\nimport micropie as pie",
    "star.py": "from plain import *",
    "pack/__init__.py": "from . import inner as inside\nfrom .deep import *",
    "pack/inner.py": "from ..renamed import Socket\nfrom renamed import Socket as Other",
    "pack/deep/__init__.py": "from ..inner import Other as Deep",
    "pack/deep/er.py": "from .. import inner\nfrom ...renamed import Socket",
    "space/part.py": "from micropie.contract import Sender",
    "one.py": "from two import *\nfrom two import Round",
    "two.py": "from one import *\nfrom one import Round",
    "itself.py": "from itself import *\nimport itself as me\nfrom itself import Me",
    "wrong.py": "def",
    "growing.py": "from grown.p import p",
    "grown.py": "from growing import p",
}


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        ("from plain import WebSocket", "WebSocket", "WebSocket"),
        ("import plain", "plain.WebSocket", "WebSocket"),
        ("from renamed import Socket", "Socket", "WebSocket"),
        ("import renamed", "renamed.WebSocket", ""),
        ("import renamed", "renamed.pie.App", "App"),
        ("from renamed import pie", "pie.App", "App"),
        ("from star import WebSocket", "WebSocket", "WebSocket"),
        ("from star import *", "WebSocket", "WebSocket"),
        ("from renamed import *", "pie.contract.Closable", "Closable"),
        ("from pack.inner import Other", "Other", "WebSocket"),
        ("import pack", "pack.inside.Other", "WebSocket"),
        ("import pack.inner", "pack.inner.Other", "WebSocket"),
        ("from pack import Deep", "Deep", "WebSocket"),
        ("from pack.deep.er import inner", "inner.Other", "WebSocket"),
        ("from pack.deep.er import Socket", "Socket", "WebSocket"),
        ("import space.part", "space.part.Sender", "Sender"),
        ("from space.part import Sender", "Sender", "Sender"),
        # A file beside it, from a folder that is no package for all that is known.
        ("from .plain import WebSocket", "WebSocket", "WebSocket"),
        ("from . import plain", "plain.WebSocket", "WebSocket"),
        # In circles
        ("from one import Nothing", "Nothing", ""),
        ("from one import Round", "Round", ""),
        ("from itself import Me", "Me", ""),
        ("from itself import *", "me.me.me.Nothing", ""),
        ("import growing", "growing.p.y", ""),
        # It cannot be read.
        ("from wrong import WebSocket", "WebSocket", ""),
        ("from nowhere import WebSocket", "WebSocket", ""),
        ("from wrong import *", "WebSocket", ""),
    ],
)
def test_names_are_followed_into_files(folder: Path, source: str, name: str, expected: str) -> None:
    assert canonical(folder, source, name, FILES) == expected


@pytest.mark.parametrize("name", ["", ".plain", "pl-ain", "plain\0", "x" * 300])
def test_no_module_has_an_impossible_name(folder: Path, name: str) -> None:
    write(folder, FILES)
    assert Modules([folder]).find(name) is None


def test_a_module_is_looked_for_in_one_folder_after_the_other(folder: Path) -> None:
    write(folder, {"a/wrong.py": "def", "a/both.py": "", "b/wrong.py": "x = 1"})
    write(folder, {"b/both/__init__.py": "", "b/both.py": ""})
    modules = Modules([folder / "a", folder / "b"])
    first, second = modules.find("both"), modules.find("wrong")
    assert first is not None
    assert first.package == ""
    assert second is not None
    package = Modules([folder / "b"]).find("both")
    assert package is not None
    assert package.package == "both"


def test_a_module_is_read_once(folder: Path) -> None:
    write(folder, FILES)
    modules = Modules([folder])
    assert modules.find("plain") is modules.find("plain") is not None
    mine = module("")
    with modules.having(mine):
        assert modules.find(MAIN) is mine
    assert modules.find(MAIN) is None


def test_a_module_that_is_looked_at_is_read_again_for_others(folder: Path) -> None:
    write(folder, FILES)
    modules = Modules([folder])
    read = modules.find("plain")
    assert read is not None
    other = Module("plain", ast.parse(""))
    with modules.having(other):
        assert modules.find("plain") is other
    assert modules.find("plain") is read


# Classes


APPS = {
    "base.py": "from micropie import App\nclass Base(App): ...\nclass Mixin: ...",
    "middle.py": "import base\nclass Middle(base.Mixin, base.Base): ...",
    "round.py": "from main import Chat\nclass Round(Chat): ...",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class Chat: ...", ["Chat"]),
        ("from micropie import App\nclass Chat(App): ...", ["Chat", "=App"]),
        ("import micropie as m\nclass Chat(m.App): ...", ["Chat", "=App"]),
        ("from base import Base\nclass Chat(Base): ...", ["Chat", "Base", "=App"]),
        (
            "from middle import Middle\nclass Chat(Middle): ...",
            ["Chat", "Middle", "Mixin", "Base", "=App"],
        ),
        (
            "from base import *\nclass One(Base): ...\nclass Two(Base): ...\n"
            "class Chat(One, Two): ...",
            ["Chat", "One", "Two", "Base", "=App"],
        ),
        (
            "from micropie import App\nclass Chat(App, Chat, f(), nowhere.X): ...",
            ["Chat", "=App", "=", "="],
        ),
        ("from round import Round\nclass Chat(Round): ...", ["Chat", "Round"]),
        # Python's own meaning of a name that is imported and defined.
        ("from micropie import App\nclass App(App): ...\nclass Chat(App): ...", ["Chat", "=App"]),
    ],
)
def test_bases_are_followed_through_modules(folder: Path, source: str, expected: list[str]) -> None:
    write(folder, APPS)
    modules = Modules([folder])
    main = module(source)
    with modules.having(main):
        bases = [*modules.bases(main, main.classes["Chat"])]
        for _ in range(2):
            assert modules.is_application(main, main.classes["Chat"]) is ("=App" in expected)
    assert [f"={one}" if isinstance(one, str) else one[1].name for one in bases] == expected


def test_what_was_looked_for(folder: Path) -> None:
    """Also what is not there, and what it is in."""
    modules = Modules([folder])
    write(folder, {"pkg/__init__.py": "", "pkg/there.py": ""})
    assert modules.find("pkg.there") is not None
    assert modules.find("none") is None
    names = ("pkg/there/__init__.py", "pkg/there.py", "none/__init__.py", "none.py")
    assert {*modules.consulted()} == {folder / name for name in names}
