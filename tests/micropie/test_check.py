"""`micropie check`, with the real mypy."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import micropie
from micropie.cli import main

GOOD = """\
from micropie import App, WebSocket


class Chat(App):
    async def ws_index(self, ws: WebSocket, name: str = "someone") -> None:
        await ws.accept()
        await ws.send_text(name)
"""

BAD = GOOD.replace("send_text(name)", "send_bytes(name)")

FINDING = (
    ':7: error: Argument 1 to "send_bytes" of "WebSocket" has incompatible type "str"; '
    'expected "bytes"  [arg-type]'
)

ONE_GOOD = "Success: no issues found in 1 source file"
TWO_GOOD = "Success: no issues found in 2 source files"
ONE_BAD = "Found 1 error in 1 file (checked 1 source file)"
UNREADABLE = "Found 1 error in 1 file (errors prevented further checking)"

# Like PyPI's micropie: one module without types. It is at fault itself, too.
OTHER_MICROPIE = """\
class WebSocket:
    async def accept(self): ...
    async def send_text(self, data): ...
class App: ...
"x" + 1
"""


class Checked(NamedTuple):
    status: int
    lines: list[str]
    err: str


Check = Callable[..., Checked]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tests stand in one folder: in each new one, mypy would begin from nothing."""
    return tmp_path_factory.mktemp("check")


@pytest.fixture(autouse=True)
def _here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    yield
    shutil.rmtree(folder / "here")


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    def check(*arguments: str) -> Checked:
        status = main(["check", *arguments])
        out, err = capsys.readouterr()
        return Checked(status, out.splitlines(), err)

    return check


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where imports are looked for, as in site-packages."""
    folder = tmp_path / "library"
    folder.mkdir()
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{before}")
    return folder


@pytest.mark.parametrize(
    ("files", "arguments", "lines"),
    [
        pytest.param({"chat.py": GOOD}, ["chat.py"], [ONE_GOOD], id="good"),
        pytest.param({"chat.py": BAD}, ["chat.py"], [f"chat.py{FINDING}", ONE_BAD], id="bad"),
        pytest.param(
            {"chat.py": "async def ws_index(self, ws): ..."},
            ["chat.py"],
            [
                "chat.py:1: error: Function is missing a type annotation  [no-untyped-def]",
                ONE_BAD,
            ],
            id="not annotated",
        ),
        pytest.param(
            {"chat.py": "reveal_type(1)"},
            ["chat.py"],
            ['chat.py:1: note: Revealed type is "Literal[1]?"', ONE_GOOD],
            id="a note is no finding",
        ),
        pytest.param(
            {"chat.py": "import nosuch_library"},
            ["chat.py"],
            [
                "chat.py:1: error: Cannot find implementation or library stub for module named "
                '"nosuch_library"  [import-not-found]',
                "chat.py:1: note: See https://mypy.readthedocs.io/en/stable/running_mypy.html"
                "#missing-imports",
                ONE_BAD,
            ],
            id="import not found",
        ),
        pytest.param(
            {"chat.py": "def f() -> int:\n    return ''  # type: ignore[return-value]"},
            ["chat.py"],
            [ONE_GOOD],
            id="ignored in the code",
        ),
        pytest.param(
            {"chat.py": "x = (", "other.py": BAD},
            ["chat.py", "other.py"],
            ["chat.py:1: error: Unexpected EOF while parsing  [syntax]", UNREADABLE],
            id="syntax error",
        ),
        pytest.param({"chat.py": ""}, ["./chat.py", "chat.py", "."], [ONE_GOOD], id="thrice"),
        pytest.param({"-c.py": BAD}, ["--", "-c.py"], [f"-c.py{FINDING}", ONE_BAD], id="dash"),
        pytest.param(
            {"my app/a chat.py": BAD},
            ["my app"],
            [f"my app/a chat.py{FINDING}", ONE_BAD],
            id="spaces",
        ),
        pytest.param({"c.pyi": "x: int"}, ["c.pyi"], [ONE_GOOD], id="stub"),
        pytest.param(
            {"my-app/__init__.py": "", "my-app/chat.py": BAD},
            ["my-app"],
            [f"my-app/chat.py{FINDING}", ONE_BAD.replace("1 source file", "2 source files")],
            id="package whose name is no name",
        ),
        pytest.param(
            {"my-app/chat.py": BAD},
            ["my-app"],
            [f"my-app/chat.py{FINDING}", ONE_BAD],
            id="folder whose name is no name",
        ),
        pytest.param(
            {
                "a/chat.py": "from rooms import ROOM\nx: int = ROOM",
                "a/rooms.py": "ROOM = 1",
                "b/chat.py": "from rooms import ROOM\nx: str = ROOM",
                "b/rooms.py": "ROOM = 'b'",
            },
            ["a/chat.py", "b/chat.py"],
            [TWO_GOOD],
            id="same names in two folders",
        ),
        pytest.param(
            {
                "a/one.py": "import shared",
                "b/two.py": "import shared",
                "shared.py": "x: int = ''",
            },
            ["a", "b"],
            [
                'shared.py:1: error: Incompatible types in assignment (expression has type "str", '
                'variable has type "int")  [assignment]',
                ONE_BAD.replace("1 source file", "2 source files"),
            ],
            id="imported from two folders",
        ),
        pytest.param(
            {
                "pkg/__init__.py": "",
                "pkg/chat.py": "from .rooms import ROOM\nfrom pkg import rooms",
                "pkg/rooms.py": "ROOM = 1",
            },
            ["pkg/chat.py"],
            [ONE_GOOD],
            id="package",
        ),
        pytest.param(
            {"pkg/chat.py": "import pkg.rooms", "pkg/rooms.py": "ROOM = 1"},
            ["pkg"],
            [TWO_GOOD],
            id="package without __init__.py",
        ),
        pytest.param(
            {
                "src/chat.py": "",
                "src/.hidden/x.py": BAD,
                "src/__pycache__/x.py": BAD,
                "src/node_modules/x.py": BAD,
                "src/env/pyvenv.cfg": "",
                "src/env/lib/x.py": BAD,
                "src/notes.txt": "(",
                "src/folder.py/x.py": "",
            },
            ["src"],
            [TWO_GOOD],
            id="what is skipped",
        ),
    ],
)
def test_findings(
    files: dict[str, str], arguments: list[str], lines: list[str], check: Check
) -> None:
    write(files)
    status = 1 if any(": error: " in line for line in lines) else 0
    assert check(*arguments) == (status, lines, "")


def test_a_package_is_a_package_from_within(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        {
            "pkg/__init__.py": "",
            "pkg/chat.py": "from .rooms import ROOM",
            "pkg/rooms.py": "ROOM = 1",
        }
    )
    monkeypatch.chdir("pkg")
    assert check("chat.py") == (0, [ONE_GOOD], "")


def test_a_finding_has_the_name_that_the_file_was_given(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mypy by itself remembers the first name for a file."""
    write({"app/chat.py": BAD, "app/importer.py": "import chat", "copy/chat.py": BAD})
    there = Path("app/chat.py").absolute()
    for name in ("app/chat.py", str(there), "copy/chat.py"):
        assert check(name) == (1, [f"{name}{FINDING}", ONE_BAD], "")
    assert check("app/importer.py").lines[0] == f"app/chat.py{FINDING}"
    monkeypatch.chdir("app")
    assert check("chat.py").lines[0] == f"chat.py{FINDING}"
    monkeypatch.chdir("../copy")
    assert check("../app/chat.py").lines[0] == f"../app/chat.py{FINDING}"
    assert check("../app/importer.py").lines[0] == f"{there}{FINDING}"


def test_a_file_that_is_not_utf_8(check: Check) -> None:
    Path("chat.py").write_bytes(b"x = '\xe9'")
    status, lines, err = check("chat.py")
    assert (status, lines[1:], err) == (1, [UNREADABLE], "")
    assert lines[0].startswith("chat.py: error: Cannot decode file: 'utf-8' codec ")


def test_links_are_followed_once(check: Check) -> None:
    write({"real/chat.py": "", "src/own.py": ""})
    # With two of them there is no end to the ways that lead on.
    Path("src/up").symlink_to("..", target_is_directory=True)
    Path("src/here").symlink_to(".", target_is_directory=True)
    Path("src/linked").symlink_to("../real", target_is_directory=True)
    Path("src/broken.py").symlink_to("nowhere.py")
    assert check("src") == (0, [TWO_GOOD], "")


def test_no_configuration_around_has_any_effect(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient = "ignore_errors = True\n"
    write(
        {
            "chat.py": BAD,
            "mypy.ini": f"[mypy]\n{lenient}",
            ".mypy.ini": f"[mypy]\n{lenient}",
            "setup.cfg": f"[mypy]\n{lenient}",
            "pyproject.toml": "[tool.mypy]\nignore_errors = true\n",
            "home/.config/mypy/config": f"[mypy]\n{lenient}",
            "home/.mypy.ini": f"[mypy]\n{lenient}",
            "path/micropie/__init__.py": OTHER_MICROPIE,
        }
    )
    monkeypatch.setenv("HOME", str(Path("home").absolute()))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("home/.config").absolute()))
    monkeypatch.setenv("MYPYPATH", str(Path("path").absolute()))
    monkeypatch.setenv("MYPY_CACHE_DIR", "mypy_cache")
    monkeypatch.setenv("MYPY_FORCE_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    before = set(Path().iterdir())
    assert check("chat.py") == (1, [f"chat.py{FINDING}", ONE_BAD], "")
    assert set(Path().iterdir()) == before


@pytest.mark.parametrize("other", ["micropie.py", "micropie/__init__.py"])
@pytest.mark.parametrize("arguments", [["chat.py"], ["."]])
def test_another_micropie_beside_the_handlers(
    other: str, arguments: list[str], check: Check
) -> None:
    write({"chat.py": BAD, other: OTHER_MICROPIE})
    status, lines, err = check(*arguments)
    assert (status, lines) == (1, [f"chat.py{FINDING}", ONE_BAD])
    hiding = Path.cwd() / other.removesuffix("/__init__.py")
    assert err.startswith(f"micropie check: note: {hiding} hides this package from programs ")
    assert err.count("\n") == 1


def test_another_micropie_in_the_current_folder(check: Check) -> None:
    write({"app/chat.py": BAD, "micropie.py": OTHER_MICROPIE})
    status, lines, err = check("app")
    assert (status, lines) == (1, [f"app/chat.py{FINDING}", ONE_BAD])
    assert err.startswith(f"micropie check: note: {Path.cwd()}/micropie.py hides this package ")


@pytest.mark.parametrize("name", ["micropie.py", "micropie-stubs/__init__.pyi"])
def test_another_micropie_that_is_installed(
    name: str, library: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": BAD, str(library / name): OTHER_MICROPIE})
    assert check("chat.py") == (1, [f"chat.py{FINDING}", ONE_BAD], "")


def test_stubs_beside_the_handlers(check: Check) -> None:
    write({"chat.py": BAD, "micropie-stubs/__init__.pyi": OTHER_MICROPIE})
    assert check("chat.py") == (1, [f"chat.py{FINDING}", ONE_BAD], "")


def test_this_package_beside_the_handlers(check: Check) -> None:
    write({"chat.py": GOOD})
    Path("micropie").symlink_to(Path(micropie.__file__).parent)
    assert check("chat.py") == (0, [ONE_GOOD], "")


def test_a_library_without_types_is_no_finding(library: Path, check: Check) -> None:
    write({"chat.py": "import untyped\nuntyped.f()", str(library / "untyped.py"): "def f(): ..."})
    assert check("chat.py") == (0, [ONE_GOOD], "")


def test_libraries_of_another_python(check: Check, tmp_path: Path) -> None:
    venv.create("env", with_pip=False)
    (packages,) = Path("env").glob("lib/python*/site-packages")
    write(
        {
            "chat.py": f"{BAD}\nfrom typed import ROOM\nreveal_type(ROOM)",
            f"{packages}/typed/__init__.py": "ROOM = 1",
            f"{packages}/typed/py.typed": "",
            f"{packages}/micropie.py": OTHER_MICROPIE,
        }
    )
    assert check("chat.py", "--python", "env/bin/python") == (
        1,
        [f"chat.py{FINDING}", 'chat.py:10: note: Revealed type is "int"', ONE_BAD],
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch.py"], "no such file or folder: nosuch.py"),
        (["chat.py", "nosuch"], "no such file or folder: nosuch"),
        (["notes.txt"], "notes.txt is not a Python file: its name does not end in .py"),
        (["empty"], "there are no .py files to check"),
        (["closed"], "cannot read closed/folder: Permission denied"),
        (["chat.py", "--python", "nosuch"], "--python: there is no program nosuch"),
    ],
)
def test_what_cannot_be_checked(
    arguments: list[str], message: str, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": GOOD, "notes.txt": "", "empty/notes.txt": "", "closed/folder/x.py": ""})
    scandir = os.scandir

    # For root, who runs tests in containers, no folder is closed.
    def closed(path: str) -> object:
        if path == "closed/folder":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert check(*arguments) == (2, [], f"micropie check: {message}\n")


def test_only_another_micropie_is_nothing_to_check(check: Check) -> None:
    write({"micropie.py": OTHER_MICROPIE})
    status, lines, err = check(".")
    assert (status, lines) == (2, [])
    assert err.endswith("\nmicropie check: there are no .py files to check\n")


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit('out of order')",
        "print('chat.py:1: error: INTERNAL ERROR -- out of order'); raise SystemExit(2)",
        "print('chat.py:1: error: out of order'); raise SystemExit(9)",
        "print('chat.py:1: error: out of order')",
    ],
)
def test_a_mypy_that_fails(program: str, library: Path, check: Check) -> None:
    write({"chat.py": GOOD, str(library / "mypy.py"): program})
    status, lines, err = check("chat.py")
    assert (status, lines) == (2, [])
    assert err.startswith("micropie check: mypy failed:\n")
    assert err.endswith("out of order\n")


def test_what_mypy_has_to_say_besides_is_shown(library: Path, check: Check) -> None:
    write({"chat.py": GOOD, str(library / "mypy.py"): "print('Warning: it rains')"})
    assert check("chat.py") == (0, ["Warning: it rains", ONE_GOOD], "")


def test_mypy_remembers_in_the_users_cache(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write({"chat.py": ""})
    assert check("chat.py").status == 0
    assert list((tmp_path / "home/.cache/micropie-contract").iterdir())


def test_no_cache_is_no_obstacle(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": "", "file": ""})
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("file").absolute()))
    assert check("chat.py") == (0, [ONE_GOOD], "")


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self._reader, writer = pty.openpty()
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "micropie", "check", *arguments],
            stdin=writer,
            stdout=writer,
            stderr=writer,
            start_new_session=True,
        )
        os.close(writer)
        self.text = ""

    def read_until(self, wanted: str) -> None:
        while wanted not in self.text:
            self._read()

    def read_all(self) -> str:
        try:
            while True:
                self._read()
        # The end of a terminal, on Linux.
        except OSError:
            return self.text

    def _read(self) -> None:
        read = os.read(self._reader, 4096)
        if not read:
            raise EOFError(self.text)
        self.text += read.decode()

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        os.close(self._reader)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str) -> Terminal:
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colour_on_a_terminal(
    variables: dict[str, str],
    coloured: bool,
    terminal: Callable[..., Terminal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    write({"chat.py": BAD})
    shown = terminal("chat.py").read_all()
    assert ("\x1b[31merror:" in shown) == coloured
    assert (f"\x1b[1;31m{ONE_BAD}\x1b[0m" in shown) == coloured
    assert ONE_BAD in shown


@pytest.fixture
def waiting_mypy(library: Path) -> Path:
    """A mypy that waits until something is written to what is returned."""
    fifo = library / "fifo"
    os.mkfifo(fifo)
    (library / "mypy.py").write_text(f"open({str(fifo)!r}).read()")
    return fifo


def test_progress_when_it_takes_long(
    terminal: Callable[..., Terminal], waiting_mypy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    write({"chat.py": GOOD})
    shown = terminal("chat.py")
    shown.read_until("\rmicropie check: mypy is at work, 2 s")
    waiting_mypy.write_text("go on")
    assert shown.read_all().endswith(f"\r\x1b[K\x1b[1;32m{ONE_GOOD}\x1b[0m\r\n")
    assert shown.child.wait() == 0


def test_interruption(terminal: Callable[..., Terminal], waiting_mypy: Path) -> None:
    write({"chat.py": GOOD})
    shown = terminal("chat.py")
    with waiting_mypy.open("w"):
        # mypy has opened it, too: it is waiting.
        shown.child.send_signal(signal.SIGINT)
        assert shown.child.wait() == 130
    assert shown.read_all().replace("\r\x1b[K", "") == ""
    # Nobody waits any more.
    with pytest.raises(OSError, match="No such device or address"):
        os.open(waiting_mypy, os.O_WRONLY | os.O_NONBLOCK)
