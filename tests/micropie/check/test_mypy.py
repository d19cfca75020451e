"""What the real mypy says, through the command."""

import json
import os
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import mypy.api
import pytest

import micropie

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

# What our plugin finds.
SIZED = GOOD.replace("name: str =", "size: int, name: str =")
SIZED_FINDING = (
    ':5: error: Handler "ws_index" has a parameter "size" that is "int", but what a URL gives is '
    'a "str": write "size: str" and convert it in the handler  [micropie-handler]'
)

ONE_GOOD = "Success: no issues found in 1 source file"
TWO_GOOD = "Success: no issues found in 2 source files"
ONE_BAD = "Found 1 error in 1 file (checked 1 source file)"
UNREADABLE = "Found 1 error in 1 file (errors prevented further checking)"

FOUND = json.dumps(
    {
        "file": "chat.py",
        "line": 1,
        "column": 0,
        "message": "out of order",
        "hint": None,
        "code": "misc",
        "severity": "error",
    }
)

# Like PyPI's micropie: one module without types. It is at fault itself, too.
OTHER_MICROPIE = """\
class WebSocket:
    async def accept(self): ...
    async def send_text(self, data): ...
class App: ...
"x" + 1
"""


# Status, lines of standard output, standard error.
Check: TypeAlias = Callable[..., tuple[int, list[str], str]]
Write: TypeAlias = Callable[[dict[str, str]], None]


# Each is found as if it were alone.
FILES: dict[str, tuple[str, list[str]]] = {
    "good.py": (GOOD, []),
    "-dash.py": (BAD, [FINDING]),
    "my chat.py": (BAD, [FINDING]),
    "chat.pyi": ("x: int", []),
    "bare.py": (
        "async def ws_index(self, ws): ...",
        [":1: error: Function is missing a type annotation  [no-untyped-def]"],
    ),
    "sized.py": (SIZED, [SIZED_FINDING]),
    "note.py": ("reveal_type(1)", [':1: note: Revealed type is "Literal[1]?"']),
    "imports.py": (
        "import nosuch_library",
        [
            ":1: error: Cannot find implementation or library stub for module named "
            '"nosuch_library"  [import-not-found]',
            ":1: note: See https://mypy.readthedocs.io/en/stable/running_mypy.html#missing-imports",
        ],
    ),
    "ignored.py": ("def f() -> int:\n    return ''  # type: ignore[return-value]", []),
    "unused.py": (
        "x = 1  # type: ignore[misc]",
        [':1: error: Unused "type: ignore" comment  [unused-ignore]'],
    ),
}


def test_findings_of_one_run(check: Check, write: Write) -> None:
    write({name: text for name, (text, _) in FILES.items()})
    found = [f"{name}{line}" for name, (_, lines) in FILES.items() for line in lines]
    summary = "Found 6 errors in 6 files (checked 10 source files)"
    assert check("--", *FILES, "./good.py", ".") == (1, [*found, summary], "")


def test_a_note_is_no_finding(check: Check, write: Write) -> None:
    text, [note] = FILES["note.py"]
    write({"chat.py": text})
    assert check("chat.py") == (0, [f"chat.py{note}", ONE_GOOD], "")


@pytest.mark.parametrize(
    ("files", "arguments", "lines"),
    [
        pytest.param(
            {"chat.py": "x = (", "other.py": BAD},
            ["chat.py", "other.py"],
            ["chat.py:1: error: Unexpected EOF while parsing  [syntax]", UNREADABLE],
            id="syntax error",
        ),
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
    ],
)
def test_findings(
    files: dict[str, str], arguments: list[str], lines: list[str], check: Check, write: Write
) -> None:
    write(files)
    status = 1 if any(": error: " in line for line in lines) else 0
    assert check(*arguments) == (status, lines, "")


def test_a_package_is_a_package_from_within(
    check: Check, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    check: Check, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mypy by itself remembers the first name for a file."""
    write({"app/chat.py": BAD, "app/importer.py": "import chat", "copy/notes.txt": ""})
    there = Path("app/chat.py").absolute()
    for name in ("app/chat.py", str(there)):
        assert check(name) == (1, [f"{name}{FINDING}", ONE_BAD], "")
    _, lines, _ = check("app/importer.py")
    assert lines[0] == f"app/chat.py{FINDING}"
    monkeypatch.chdir("copy")
    _, lines, _ = check("../app/chat.py")
    assert lines[0] == f"../app/chat.py{FINDING}"
    _, lines, _ = check("../app/importer.py")
    assert lines[0] == f"{there}{FINDING}"


def test_a_file_that_is_not_utf_8(check: Check) -> None:
    Path("chat.py").write_bytes(b"x = '\xe9'")
    status, lines, err = check("chat.py")
    assert (status, lines[1:], err) == (1, [UNREADABLE], "")
    assert lines[0].startswith("chat.py: error: Cannot decode file: 'utf-8' codec ")


@pytest.mark.parametrize("name", ["lat\udce9.py", "src/lat\udce9.py", "src/lat\udce9/chat.py"])
def test_a_name_that_is_not_utf_8(name: str, check: Check, write: Write) -> None:
    """It is told in one line; beside what is checked it does not matter."""
    write({name: "", "chat.py": ""})
    assert check("chat.py") == (0, [ONE_GOOD], "")
    escaped = name.replace("\udce9", r"\udce9")
    message = f"micropie check: mypy cannot check {escaped}, whose path is not UTF-8"
    for path in (name, "."):
        status, lines, err = check(path, "chat.py")
        assert (status, lines, err) == (2, [], f"{message}; --no-types leaves mypy out\n")
        assert check(path, "--no-types", "--output=sarif")[0] == 0


def test_strict_is_strict_whatever_is_around(
    check: Check, write: Write, monkeypatch: pytest.MonkeyPatch
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
    assert check("chat.py", "--strict") == (1, [f"chat.py{FINDING}", ONE_BAD], "")
    assert set(Path().iterdir()) == before
    # Those of the user are not the project's.
    for name in ("mypy.ini", ".mypy.ini", "setup.cfg", "pyproject.toml"):
        Path(name).unlink()
    assert check("chat.py") == (1, [f"chat.py{FINDING}", ONE_BAD], "")


def test_the_options_of_the_project(check: Check, write: Write) -> None:
    """They are not ours: the handlers need no annotations."""
    write(
        {
            "src/chat.py": "from rooms import ROOM\nasync def ws(self, ws): ...\nx: str = ROOM\n",
            "src/sized.py": SIZED,
            "lib/rooms.py": "ROOM = 1",
            "src/generated/x.py": "x: int = ''",
            "mypy.ini": (
                "[mypy]\nmypy_path = $MYPY_CONFIG_FILE_DIR/lib\nexclude = generated/\n"
                "pretty = True\nshow_error_context = True\nwarn_unused_configs = True\nstrit = 1\n"
                "[mypy-unused]\nignore_errors = True\n"
            ),
        }
    )
    assert check("src") == (
        1,
        [
            'src/chat.py:3: error: Incompatible types in assignment (expression has type "int", '
            'variable has type "str")  [assignment]',
            f"src/sized.py{SIZED_FINDING}",
            "Found 2 errors in 2 files (checked 2 source files)",
        ],
        "micropie check: mypy's options are those of mypy.ini; --strict leaves them out\n"
        "micropie check: mypy says: mypy.ini: [mypy]: Unrecognized option: strit = 1\n",
    )


def test_a_plugin_of_the_project_that_is_not_there(check: Check, write: Write) -> None:
    write({"chat.py": "", "pyproject.toml": "[tool.mypy]\nplugins = ['nosuch', 'near.py:make']"})
    assert check("chat.py") == (
        2,
        [],
        "micropie check: mypy's options are those of pyproject.toml; --strict leaves them out\n"
        'micropie check: pyproject.toml: Error importing plugin "nosuch": No module named '
        f"'nosuch'; plugins are imported in {sys.executable}\n",
    )


@pytest.mark.parametrize("name", ["micropie.py", "micropie-stubs/__init__.pyi"])
def test_another_micropie_that_is_installed(
    name: str, library: Path, check: Check, write: Write
) -> None:
    write({"chat.py": BAD, str(library / name): OTHER_MICROPIE})
    assert check("chat.py") == (1, [f"chat.py{FINDING}", ONE_BAD], "")


def test_stubs_beside_the_handlers(check: Check, write: Write) -> None:
    write({"chat.py": BAD, "micropie-stubs/__init__.pyi": OTHER_MICROPIE})
    assert check("chat.py") == (1, [f"chat.py{FINDING}", ONE_BAD], "")


def test_this_package_beside_the_handlers(check: Check, write: Write) -> None:
    write({"chat.py": GOOD})
    Path("micropie").symlink_to(Path(micropie.__file__).parent)
    assert check("chat.py") == (0, [ONE_GOOD], "")


def test_a_library_without_types_is_no_finding(library: Path, check: Check, write: Write) -> None:
    write({"chat.py": "import untyped\nuntyped.f()", str(library / "untyped.py"): "def f(): ..."})
    assert check("chat.py") == (0, [ONE_GOOD], "")


def test_libraries_of_another_python(check: Check, write: Write, tmp_path: Path) -> None:
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


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | Exception, int], None]:
    """Tell what mypy prints, or raises, and its exit status."""

    def tell(said: str | Exception, status: int = 0) -> None:
        def run(arguments: list[str]) -> tuple[str, str, int]:
            if isinstance(said, Exception):
                print("Warning: it rains")
                raise said
            return said, "", status

        monkeypatch.setattr(mypy.api, "run", run)

    return tell


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (LookupError("out of order"), 0),
        ("out of order\n", 1),
        ("chat.py:1: error: INTERNAL ERROR -- out of order\n", 0),
        (f"{FOUND}\nINTERNAL ERROR -- out of order\n", 2),
        (f"{FOUND}\n", 9),
        (f"{FOUND}\n", 0),
    ],
)
def test_a_mypy_that_fails(
    said: str | Exception, status: int, told: Callable[..., None], check: Check, write: Write
) -> None:
    write({"chat.py": GOOD})
    told(said, status)
    code, lines, err = check("chat.py")
    assert (code, lines) == (2, [])
    assert err.startswith("micropie check: mypy failed:\n")
    assert "out of order\n" in err
    hint = "/micropie-contract, which can be deleted\n"
    inside = isinstance(said, Exception) or "INTERNAL ERROR" in said
    assert (hint in err) is inside
    assert ("it rains" in err) is isinstance(said, Exception)


def test_what_mypy_has_to_say_besides_is_shown(
    told: Callable[..., None], check: Check, write: Write
) -> None:
    write({"chat.py": GOOD})
    told("Warning: it rains\n")
    said = "micropie check: mypy says: Warning: it rains\n"
    assert check("chat.py") == (0, [ONE_GOOD], said)


def test_what_mypy_says_in_more_than_one_place(
    told: Callable[..., None], check: Check, write: Write
) -> None:
    """A note without a line, and a place without a column."""
    messages = [
        {"line": 0, "column": -1, "severity": "note", "code": "misc", "hint": None},
        {"line": 2, "column": -1, "severity": "error", "code": None, "hint": "one\ntwo"},
    ]
    write({"chat.py": GOOD})
    told(
        "".join(
            json.dumps({"file": "chat.py", **one, "message": "out"}) + "\n" for one in messages
        ),
        1,
    )
    assert check("chat.py") == (
        1,
        [
            "chat.py: note: out",
            "chat.py:2: error: out",
            "chat.py:2: note: one",
            "chat.py:2: note: two",
            ONE_BAD,
        ],
        "",
    )


@pytest.mark.parametrize("before", [None, "somewhere"])
def test_the_environment_is_as_before(
    before: str | None, check: Check, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before is None:
        monkeypatch.delenv("MYPYPATH", raising=False)
    else:
        monkeypatch.setenv("MYPYPATH", before)
    write({"chat.py": GOOD})
    assert check("chat.py") == (0, [ONE_GOOD], "")
    assert os.environ.get("MYPYPATH") == before


def test_what_a_plugin_prints_is_no_output_of_ours(check: Check, write: Write) -> None:
    plugin = "from mypy.plugin import Plugin\ndef plugin(version): print('hello'); return Plugin"
    write({"chat.py": "", "talks.py": plugin, "mypy.ini": "[mypy]\nplugins = talks.py\n"})
    status, lines, err = check("chat.py", "--output=json")
    assert (status, lines) == (0, ["[]"])
    assert err.endswith("micropie check: mypy says: hello\n")


@pytest.mark.parametrize("variable", ["", "relative"])
def test_mypy_remembers_in_the_users_cache(
    variable: str, check: Check, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write({"chat.py": ""})
    status, _, _ = check("chat.py")
    assert status == 0
    assert list((tmp_path / "home/.cache/micropie-contract").iterdir())
    assert not Path(variable, "micropie-contract").exists()


def test_no_links_are_no_obstacle(
    check: Check, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path, target_is_directory: bool = False) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write({"chat.py": BAD, "micropie.py": OTHER_MICROPIE})
    status, lines, _ = check("chat.py")
    assert (status, lines) == (1, [f"chat.py{FINDING}", ONE_BAD])


def test_no_cache_is_no_obstacle(
    check: Check, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": "", "file": ""})
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("file").absolute()))
    assert check("chat.py") == (0, [ONE_GOOD], "")
