"""Loading of targets."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import micropie
from micropie._target import TargetError, load


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test stands in a folder of its own, and leaves no module behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("file", "spec"),
    [
        ("chat.py", "chat:app"),
        ("chat.py", "chat.py:app"),
        ("chat.py", "./chat.py:app"),
        ("pkg/chat.py", "pkg.chat:app"),
        ("pkg/chat.py", "pkg/chat.py:app"),
        ("my app/the chat.py", "my app/the chat.py:app"),
        ("my-app/chat", "my-app/chat:app"),
        ("chat.v2.py", "chat.v2.py:app"),
        ("json.py", "json.py:app"),
    ],
)
def test_what_is_named_is_found(file: str, spec: str) -> None:
    write(file, "app = 'found'")
    assert load(spec) == "found"


def test_a_file_is_loaded_by_an_absolute_path() -> None:
    file = write("elsewhere/chat.py", "app = 'found'")
    assert load(f"{file.absolute()}:app") == "found"


def test_an_attribute_can_be_dotted() -> None:
    write("chat.py", "class Holder:\n    app = 'found'")
    assert load("chat:Holder.app") == "found"


def test_an_installed_module_is_found() -> None:
    assert load("micropie:WebSocket") is micropie.WebSocket


@pytest.mark.parametrize("spec", ["sub/chat.py:room", "chat:room"])
def test_what_is_beside_the_target_can_be_imported(spec: str) -> None:
    text = "from rooms_of_the_target import room"
    write("sub/chat.py", text)
    write("chat.py", text)
    write("sub/rooms_of_the_target.py", "room = 'beside'")
    write("rooms_of_the_target.py", "room = 'beside'")
    assert load(spec) == "beside"


def test_a_file_is_loaded_once() -> None:
    write("chat.py", "class App: ...\nclass Closed(Exception): ...")
    first = load("chat.py:App")
    assert load("./chat.py:App") is first
    assert load(f"{Path.cwd()}/chat.py:App") is first
    assert load("chat:App") is first
    assert isinstance(first, type)
    assert sys.modules[first.__module__].App is first


@pytest.mark.parametrize("stem", ["micropie", "json", "sys", "queue"])
def test_a_file_takes_no_other_modules_name(stem: str) -> None:
    had = sys.modules.get(stem)
    file = write(f"{stem}.py", "class App: ...")
    loaded = load(f"{stem}.py:App")
    assert isinstance(loaded, type)
    assert loaded.__module__ not in {stem, "__main__"}
    assert loaded.__module__ in sys.modules
    assert load(f"{file}:App") is loaded
    assert sys.modules.get(stem) is had


def test_two_files_of_one_name_are_two_modules() -> None:
    write("a/chat.py", "app = 'a'")
    write("b/chat.py", "app = 'b'")
    assert [load("a/chat.py:app"), load("b/chat.py:app")] == ["a", "b"]


def test_the_file_of_a_module_that_is_gone_is_another() -> None:
    write("a/chat.py", "app = 'a'")
    load("a/chat.py:app")
    os.remove("a/chat.py")
    write("b/chat.py", "app = 'b'")
    assert load("b/chat.py:app") == "b"


def test_a_file_that_failed_can_be_loaded_again() -> None:
    write("chat.py", "raise ValueError")
    with pytest.raises(TargetError):
        load("chat.py:app")
    write("chat.py", "app = 'mended'")
    assert load("chat.py:app") == "mended"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "chat",
            "'chat' names no object: write module:attr or path/to/file.py:attr, *chat:app",
        ),
        ("chat.py", "'chat.py' names no object: * for example chat.py:app"),
        ("chat:", "'chat:' names no object: * for example chat:app"),
        (":app", "':app' names no object: * for example chat:app"),
        ("", "'' names no object: * for example chat:app"),
        ("nosuch:app", "no module 'nosuch' in {cwd} or among the installed packages"),
        ("nosuch.sub:app", "no module 'nosuch' in {cwd} or *"),
        ("pkg.nosuch:app", "no module 'pkg.nosuch' in {cwd} or *"),
        ("chat-room:app", "'chat-room' is not a module name: * name a file: path/to/file.py:attr"),
        (".chat:app", "'.chat' is not a module name: *"),
        ("nosuch.py:app", "no file nosuch.py in {cwd}"),
        ("pkg/nosuch:app", "no file pkg/nosuch in {cwd}"),
        ("./pkg:app", "./pkg is not a file: name a Python file in it"),
        ("good.py:aplication", "good.py has no attribute 'aplication': did you mean application?"),
        ("good:app", "good has no attribute 'app': did you mean application?"),
        ("good:application.xyzzy", "good has no attribute 'xyzzy'"),
        ("lazy:app", "cannot read 'app' of lazy: RuntimeError: not now ({cwd}/lazy.py, line 2)"),
        ("syntax.py:app", "cannot import syntax.py: SyntaxError: * ({cwd}/syntax.py, line 2)"),
        ("null.py:app", "cannot import null.py: SyntaxError: source code * null bytes"),
        ("latin.py:app", "cannot import latin.py: SyntaxError: *"),
        ("raises.py:app", "cannot import raises.py: KeyError: 'x' ({cwd}/raises.py, line 3)"),
        ("raises:app", "cannot import raises: KeyError: 'x' ({cwd}/raises.py, line 3)"),
        (
            "within.py:app",
            "cannot import within.py: json.decoder.JSONDecodeError: * ({cwd}/within.py, line 2)",
        ),
        ("exits.py:app", "cannot import exits.py: SystemExit: 3 ({cwd}/exits.py, line 1)"),
        ("quits:app", "cannot import quits: BaseException: enough ({cwd}/quits.py, line 1)"),
        (
            "needs:app",
            "cannot import needs: ModuleNotFoundError: * 'nosuch' ({cwd}/needs.py, line 1)",
        ),
        (
            "pkg/relative.py:app",
            "cannot import pkg/relative.py: ImportError: * name it as package.module:attr",
        ),
        ("bare.py:app", "cannot import bare.py: ImportError: by hand ({cwd}/bare.py, line 1)"),
    ],
)
def test_the_message_says_what_is_wrong(spec: str, message: str) -> None:
    write("good.py", "application = 1")
    write("lazy.py", "def __getattr__(name):\n    raise RuntimeError('not now')")
    write("syntax.py", "x = 1\nasync def (")
    write("null.py", "x = 1\0")
    Path("latin.py").write_bytes(b"x = '\xe9'")
    write("raises.py", "def f():\n    return {}\nf()['x']")
    write("within.py", "import json\njson.loads('{')")
    write("exits.py", "raise SystemExit(3)")
    write("quits.py", "raise BaseException('enough')")
    write("needs.py", "import nosuch")
    write("bare.py", "raise ImportError('by hand')")
    write("pkg/relative.py", "from . import other")
    with pytest.raises(TargetError) as caught:
        load(spec)
    pattern = re.escape(message.replace("{cwd}", os.getcwd())).replace(r"\*", ".*")
    assert re.fullmatch(pattern, str(caught.value))


def test_an_interruption_is_let_through() -> None:
    write("chat.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load("chat:app")


def test_code_without_a_file_has_no_place() -> None:
    module = "class Raises:\n    def __getattr__(self, name): exec('raise ValueError(name)')"
    write("chat.py", f"exec({module!r})\napp = Raises()")
    with pytest.raises(TargetError, match=r"^cannot read 'x' of chat: ValueError: x$"):
        load("chat:app.x")
