"""The command `micropie check`; mypy runs only where it is what matters."""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, Protocol, TypeAlias

import pytest

import micropie.check
import micropie.check.flow
from micropie.check import options
from micropie.check.mypy import Mypy
from micropie.check.report import CheckError
from micropie.cli import main
from micropie.flow import Code, Finding, Severity
from micropie.flow.checker import Unreadable

# Status, lines of standard output, standard error.
Check: TypeAlias = Callable[..., tuple[int, list[str], str]]
Flow: TypeAlias = dict[str, list[Finding] | Exception]
Write: TypeAlias = Callable[[dict[str, str]], None]


class Terminal(Protocol):
    def read_all(self) -> str: ...


CHAT = """\
from micropie import App, WebSocket


class Chat(App):
    async def ws_index(self, ws: WebSocket) -> None:
        ws.accept()
        await ws.close()
        await ws.send_text(b"")
"""

NEVER_AWAITED = Finding(6, 9, Code.NEVER_AWAITED, Severity.ERROR, "it is not awaited")
AFTER_CLOSE = Finding(8, 9, Code.SEND_AFTER_CLOSE, Severity.ERROR, "closed, line 7", 7)
NO_ANSWER = Finding(5, 5, Code.NO_ANSWER, Severity.WARNING, "it can end without an answer")

UNUSED = (
    'chat.py:6: error: Value of type "Coroutine[Any, Any, None]" must be used  [unused-coroutine]'
)
ARGUMENT = (
    'chat.py:8: error: Argument 1 to "send_text" of "WebSocket" has incompatible type "bytes"; '
    'expected "str"  [arg-type]'
)
CLOSED = "chat.py:8: error: closed, line 7  [send-after-close]"
UNANSWERED = "chat.py:5: warning: it can end without an answer  [no-answer]"


def test_both_give_one_list(check: Check, flow: Flow, write: Write) -> None:
    write({"chat.py": CHAT, "good.py": ""})
    flow["chat.py"] = [NO_ANSWER, NEVER_AWAITED, AFTER_CLOSE]
    assert check("good.py", "chat.py") == (
        1,
        [
            UNANSWERED,
            UNUSED,
            "chat.py:6: note: Are you missing an await?",
            CLOSED,
            ARGUMENT,
            "Found 3 errors and 1 warning in 1 file (checked 2 source files)",
        ],
        "",
    )
    # What only mypy finds can be left out, and what both find with it.
    status, lines, err = check("chat.py", "--disable", "unused-coroutine", "--disable", "no-answer")
    assert (status, lines[:-1], err) == (1, [CLOSED, ARGUMENT], "")


def test_a_syntax_error_is_one_finding(check: Check, flow: Flow, write: Write) -> None:
    write({"chat.py": "x = (", "good.py": ""})
    flow["chat.py"] = [Finding(1, 5, Code.SYNTAX_ERROR, Severity.ERROR, "'(' was never closed")]
    assert check("chat.py", "good.py") == (
        1,
        [
            "chat.py:1: error: Unexpected EOF while parsing  [syntax]",
            "Found 1 error in 1 file (errors prevented further checking)",
        ],
        "",
    )
    assert check("chat.py", "good.py", "--no-types") == (
        1,
        [
            "chat.py:1: error: '(' was never closed  [syntax-error]",
            "Found 1 error in 1 file (checked 2 source files)",
        ],
        "",
    )


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (CHAT.encode(), [(6, "never-awaited"), (8, "send-after-close")]),
        (b"x = (", [(1, "syntax-error")]),
        (b"x = '\0'", [(1, "syntax-error")]),
        (b"x = '\xe9'", [(1, "syntax-error")]),
        (b"\xff\xfex\0", [(1, "syntax-error")]),
        (b"# coding: nosuch", [(1, "syntax-error")]),
    ],
)
def test_the_analysis_itself(
    source: bytes, found: list[tuple[int, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("chat.py").write_bytes(source)
    assert main(["check", "chat.py", "--no-types", "--output", "json"]) == 1
    out, err = capsys.readouterr()
    assert [(entry["line"], entry["code"]) for entry in json.loads(out)] == found
    assert err == ""


@pytest.fixture
def _no_mypy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mypy", None)


@pytest.mark.usefixtures("_no_mypy")
def test_without_mypy(check: Check, flow: Flow, write: Write) -> None:
    write({"chat.py": CHAT, "types.pyi": "", "mypy.ini": "no options"})
    flow["chat.py"] = [NO_ANSWER]
    # A stub has no code to analyse.
    flow["types.pyi"] = AssertionError()
    summary = "Found 1 warning in 1 file (checked 2 source files)"
    assert check("chat.py", "types.pyi", "--no-types") == (1, [UNANSWERED, summary], "")
    # A code of mypy is none to complain of.
    assert check("chat.py", "--no-types", "--disable", "no-answer", "--disable", "misc") == (
        0,
        ["Success: no issues found in 1 source file"],
        "",
    )
    assert check("chat.py") == (
        2,
        [],
        "micropie check: mypy is not installed: pip install 'micropie-contract[check]', "
        "or --no-types for the flow analysis alone\n",
    )


def test_settings_of_the_project(check: Check, flow: Flow, write: Write) -> None:
    write(
        {
            "pyproject.toml": """\
[tool.micropie.check]
paths = ["src", "chat"]
types = false
output = "json"
disable = ["no-answer"]
exclude = ["/made/"]
""",
            "chat.py": "",
            "other.py": "",
            "src/one.py": "",
            "src/made/two.py": "",
        }
    )
    flow["src/one.py"] = [NO_ANSWER, AFTER_CLOSE]
    flow["src/made/two.py"] = flow["other.py"] = [NO_ANSWER]
    status, lines, err = check()
    [found] = json.loads("\n".join(lines))
    assert (status, found["code"], found["file"], err) == (1, "send-after-close", "src/one.py", "")
    # The command line goes before each of them.
    call = ["other.py", "--types", "--output", "text", "--disable", "send-after-close"]
    assert check(*call) == (
        1,
        [
            "other.py:5: warning: it can end without an answer  [no-answer]",
            "Found 1 warning in 1 file (checked 1 source file)",
        ],
        "",
    )


def test_whose_options_mypy_has(
    check: Check, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        {
            "pyproject.toml": "[tool.micropie.check]\nstrict = true\n[tool.mypy]\nstrit = 1",
            "chat.py": "def f(x): ...",
        }
    )
    status, lines, err = check("chat.py")
    assert (status, len(lines), err) == (1, 2, "")
    assert check("chat.py", "--no-strict") == (
        0,
        ["Success: no issues found in 1 source file"],
        "micropie check: mypy's options are those of pyproject.toml; --strict leaves them out\n"
        "micropie check: mypy says: pyproject.toml: [mypy]: Unrecognized option: strit = 1\n",
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            [],
            "nothing to check: name files, folders or modules, or set paths in pyproject.toml, "
            "[tool.micropie.check]; 'micropie check --help' tells more",
        ),
        (["nosuch.py"], "no such file or folder: nosuch.py"),
        (["chat.py", "nosuch"], "no such file, folder or module: nosuch"),
        (["empty"], "there are no .py files to check"),
        (["chat.py", "--python", "nosuch"], "there is no program nosuch (--python)"),
        (["chat.py", "--python", "true"], "true is not a Python that runs (--python)"),
        (
            ["chat.py", "--disable", "arg-typ"],
            "there is no code 'arg-typ' (--disable): did you mean arg-type?",
        ),
        (["chat.py", "--disable", "zzzzzz"], "there is no code 'zzzzzz' (--disable)"),
        (
            ["chat.py", "--no-types", "--disable", "misc,no-answer"],
            "there is no code 'misc,no-answer' (--disable): write each by itself; "
            "--disable may be repeated",
        ),
        (
            ["chat.py", "--disable", "syntax"],
            "syntax cannot be disabled (--disable): such a file is not checked",
        ),
        (["closed.py", "--no-types"], "cannot read closed.py: Permission denied"),
        (["closed.py", "chat.py"], "cannot read closed.py: Permission denied"),
    ],
)
def test_what_cannot_be_checked(
    call: list[str], message: str, check: Check, flow: Flow, write: Write
) -> None:
    write({"chat.py": "", "closed.py": "", "empty/notes.txt": ""})
    flow["closed.py"] = Unreadable("cannot read closed.py: Permission denied")
    assert check(*call) == (2, [], f"micropie check: {message}\n")


def test_of_what_neither_can_read_the_analysis_tells(
    check: Check, flow: Flow, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise CheckError("mypy failed")

    @contextmanager
    def beside(*_: object) -> Generator[Callable[[], None], None, None]:
        yield lambda: None

    write({"chat.py": ""})
    monkeypatch.setattr(Mypy, "check", fail)
    assert check("chat.py") == (2, [], "micropie check: mypy failed\n")
    monkeypatch.setattr(micropie.check.flow, "has_room", lambda: True)
    monkeypatch.setattr(micropie.check.flow, "beside", beside)
    assert check("chat.py") == (2, [], "micropie check: mypy failed\n")
    flow["chat.py"] = Unreadable("cannot read chat.py: Input/output error")
    assert check("chat.py") == (2, [], "micropie check: cannot read chat.py: Input/output error\n")


@pytest.mark.parametrize(
    ("setting", "call", "message"),
    [
        ("paths = ['nope']", [], "no such file, folder or module: nope (paths in {})"),
        ("paths = ['nope']", ["no"], "no such file, folder or module: no"),
        ("python = 'false'", ["chat.py"], "false is not a Python that runs (python in {})"),
        (
            "disable = ['arg-typ']",
            ["chat.py"],
            "there is no code 'arg-typ' (disable in {}): did you mean arg-type?",
        ),
        (
            "disable = ['a,b']",
            ["chat.py"],
            "there is no code 'a,b' (disable in {}): write each by itself",
        ),
        (
            "disable = ['a']",
            ["chat.py", "--disable=syntax"],
            "syntax cannot be disabled (--disable): such a file is not checked",
        ),
    ],
)
def test_where_a_wrong_setting_is_from(
    setting: str,
    call: list[str],
    message: str,
    check: Check,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write({"pyproject.toml": f"[tool.micropie.check]\n{setting}", "src/chat.py": ""})
    monkeypatch.chdir("src")
    expected = message.format("../pyproject.toml")
    assert check(*call) == (2, [], f"micropie check: {expected}\n")


def test_what_is_excluded_is_named_from_the_folder_of_its_file(
    check: Check, flow: Flow, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = "[tool.micropie.check]\ntypes = false\nexclude = ['^src/made/']\npaths = ['src']"
    write({"pyproject.toml": settings, "src/made/x.py": "", "src/sub/chat.py": ""})
    flow["made/x.py"] = flow["../made/x.py"] = [NO_ANSWER]
    for folder in ("src", "sub"):
        monkeypatch.chdir(folder)
        assert check() == (0, ["Success: no issues found in 1 source file"], "")


def test_wrong_settings(check: Check, write: Write) -> None:
    write({"pyproject.toml": "[tool.micropie.check]\ntipes = 1"})
    assert check("chat.py") == (
        2,
        [],
        "micropie check: pyproject.toml: [tool.micropie.check] has an unknown key 'tipes': "
        "did you mean types?\n",
    )


def test_a_folder_that_is_gone(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("gone").mkdir()
    monkeypatch.chdir("gone")
    Path("../gone").rmdir()
    assert check("chat.py", "--no-types") == (
        2,
        [],
        "micropie check: the current folder is gone\n",
    )


def test_what_the_system_refuses_on_the_way(
    check: Check, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": ""})

    # For root, who runs tests in containers, no folder is closed.
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", f"{path}\x1b")

    monkeypatch.setattr(Path, "is_file", refuse)
    err = f"micropie check: Permission denied: {Path.cwd()}/pyproject.toml\\x1b\n"
    assert check("chat.py", "--no-types") == (2, [], err)
    monkeypatch.setattr(Path, "is_file", full)
    err = "micropie check: No space left on device\n"
    assert check("chat.py", "--no-types") == (2, [], err)


def full(path: Path) -> bool:
    raise OSError(28, "No space left on device")


def test_codes_of_our_plugin(
    check: Check, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = "from mypy.errorcodes import ErrorCode\nErrorCode('our-code', '', '')"
    write({"chat.py": "", str(tmp_path / "our_plugin.py"): plugin})
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(options, "PLUGINS", ["our_plugin"])
    _, _, err = check("chat.py", "nosuch.py", "--disable", "our-code")
    assert err == "micropie check: no such file or folder: nosuch.py\n"


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
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    write({"chat.py": ""})
    summary = "Success: no issues found in 1 source file"
    shown = terminal("chat.py", "--no-types").read_all()
    assert shown == (f"\x1b[1;32m{summary}\x1b[0m\n" if coloured else f"{summary}\n")
