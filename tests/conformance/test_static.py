"""Type checkers and Python tell the same of a class, in the same words."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from micropie_conformance.static import FACTORY, Checker, Typed, TypesError, checkers

from micropie._target import load
from micropie.mismatch import UNTYPED, Mismatch, mismatches

# The members of a class that is right. A class of the tables has other ones, or lacks some.
MEMBERS = {
    "accepted": "accepted: bool = False",
    "session_id": "session_id: str | None = None",
    "__init__": "def __init__(self, receive: Any, send: Any) -> None: ...",
    "accept": "async def accept(self, subprotocol: str | None = None, "
    "session_id: str | None = None) -> None: ...",
    "receive_text": "async def receive_text(self) -> str: return ''",
    "receive_bytes": "async def receive_bytes(self) -> bytes: return b''",
    "send_text": "async def send_text(self, data: str) -> None: ...",
    "send_bytes": "async def send_bytes(self, data: bytes) -> None: ...",
    "close": "async def close(self, code: int = 1000, reason: str | None = None) -> None: ...",
}

# What is told of a class, by Python and by each checker. Words of their own are left out.
ALIKE: dict[str, tuple[dict[str, str], list[str]]] = {
    "Right": ({}, []),
    "Wide": (
        {
            "send_text": "async def send_text(self, data: object, *more: int) -> None: ...",
            "close": "async def close(self, code: float = 1, reason: object = None) -> None: ...",
            "accepted": "@property\n    def accepted(self) -> bool: return True",
        },
        [],
    ),
    "Sync": (
        {"receive_text": "def receive_text(self) -> str: return ''"},
        ["receive_text: is no `async def`; expected one, as what it gives is awaited"],
    ),
    "Renamed": (
        {
            "accept": "async def accept(self, protocol: str | None = None, "
            "session: str | None = None) -> None: ..."
        },
        [
            "accept: parameter 1 is called `protocol`; expected `subprotocol`",
            "accept: parameter 2 is called `session`; expected `session_id`",
        ],
    ),
    "ByPosition": (
        {"send_text": "async def send_text(self, data: str, /) -> None: ..."},
        ["send_text: parameter `data` cannot be given by name"],
    ),
    "OnlyByPosition": (
        {"send_text": "async def send_text(self, text: bytes = b'', /, x: Any = 1) -> None: ..."},
        [
            "send_text: parameter `data` cannot be given by name",
            "send_text: parameter `data` takes `bytes`; expected `str`",
        ],
    ),
    "ByAnyName": (
        {"close": "async def close(self, status: int, reason: Any, **more: Any) -> None: ..."},
        [
            "close: parameter 1 is called `status`; expected `code`",
            "close: parameter `status` has no default; expected 1000",
            "close: parameter `reason` has no default; expected None",
        ],
    ),
    "SyncRenamed": (
        {"send_text": "def send_text(self, text: str) -> None: ..."},
        [
            "send_text: is no `async def`; expected one, as what it gives is awaited",
            "send_text: parameter 1 is called `text`; expected `data`",
        ],
    ),
    "TakesOne": (
        {"close": "async def close(self, code: Literal[1000] = 1000, reason: Any = 1) -> Any: ..."},
        ["close: parameter `code` takes `Literal[1000]`; expected `int`"],
    ),
    "GivesOne": ({"receive_text": "async def receive_text(self) -> Literal['']: return ''"}, []),
    "Perhaps": (
        {"accepted": "accepted: Optional[bool] = None"},
        ["accepted: is `bool | None`; expected `bool`"],
    ),
    "ByName": (
        {"send_text": "async def send_text(self, *, data: str) -> None: ..."},
        ["send_text: cannot be called as `send_text(data)`"],
    ),
    "More": (
        {"send_text": "async def send_text(self, data: str, more: dict[str, int]) -> None: ..."},
        ["send_text: cannot be called as `send_text(data)`"],
    ),
    "Swapped": (
        {
            "accept": "async def accept(self, session_id: str | None = None, "
            "subprotocol: str | None = None) -> None: ..."
        },
        [
            "accept: parameter 1 is called `session_id`; expected `subprotocol`",
            "accept: parameter 2 is called `subprotocol`; expected `session_id`",
        ],
    ),
    "Between": (
        {
            "accept": "async def accept(self, subprotocol: str | None = None, "
            "headers: dict[str, str] | None = None, session_id: str | None = None) -> None: ..."
        },
        [
            "accept: parameter 2 is called `headers`; expected `session_id`",
            "accept: parameter `headers` takes `dict[str, str] | None`; expected `str | None`",
        ],
    ),
    "TakesAnything": ({"close": "async def close(self, *args: Any, **more: Any) -> None: ..."}, []),
    "TakesMany": (
        {"close": "async def close(self, *args: int, **more: Any) -> None: ..."},
        ["close: parameter `reason` takes `int`; expected `str | None`"],
    ),
    "NoSelf": (
        {"receive_text": "async def receive_text() -> str: return ''"},
        ["receive_text: cannot be called as `receive_text()`"],
    ),
    "NoDefault": (
        {"close": "async def close(self, code: int, reason: str | None = None) -> None: ..."},
        ["close: parameter `code` has no default; expected 1000"],
    ),
    "NoDefaults": (
        {
            "accept": "async def accept(self, subprotocol: str | None, "
            "session_id: str | None) -> None: ..."
        },
        [
            "accept: parameter `subprotocol` has no default; expected None",
            "accept: parameter `session_id` has no default; expected None",
        ],
    ),
    "Returns": (
        {"receive_bytes": "async def receive_bytes(self) -> str: return ''"},
        ["receive_bytes: returns `str`; expected `bytes`"],
    ),
    "Takes": (
        {"close": "async def close(self, code: int = 1000, reason: str = '') -> None: ..."},
        ["close: parameter `reason` takes `str`; expected `str | None`"],
    ),
    "WrongAttribute": (
        {"accepted": "accepted: str = ''"},
        ["accepted: is `str`; expected `bool`"],
    ),
    "OfList": (
        {"receive_text": "async def receive_text(self) -> list[str]: return []"},
        ["receive_text: returns `list[str]`; expected `str`"],
    ),
    "OfItsOwn": (
        {"send_text": "async def send_text(self, data: Text) -> None: ..."},
        ["send_text: parameter `data` takes `Text`; expected `str`"],
    ),
    "LaterAttribute": (
        {"accepted": "@property\n    async def accepted(self) -> bool: return True"},
        ["accepted: is a coroutine; expected `bool`"],
    ),
    "OfTheClass": (
        {"accepted": "accepted: ClassVar[str] = ''"},
        ["accepted: is `str`; expected `bool`"],
    ),
    "Constant": (
        {"accepted": "accepted: Final[str] = ''"},
        ["accepted: is `str`; expected `bool`"],
    ),
    "Cached": (
        {"accepted": "@cached_property\n    def accepted(self) -> str: return ''"},
        ["accepted: is `str`; expected `bool`"],
    ),
    "Described": ({"accepted": "accepted = Gives()"}, ["accepted: is `str`; expected `bool`"]),
    "Method": (
        {"session_id": "def session_id(self) -> str: return ''"},
        ["session_id: is a method; expected `str | None`"],
    ),
    "NoMethod": ({"close": "close: int = 5"}, ["close: is `int`; expected an `async def`"]),
    "Lacks": (
        {"close": "", "session_id": ""},
        [
            "session_id: missing; expected the attribute, `str | None`",
            "close: missing; expected the method",
        ],
    ),
}

UNANNOTATED = {
    name: f"async def {name}(self{parameters}): ..."
    for name, parameters in {
        "accept": ", subprotocol=None, session_id=None",
        "receive_text": "",
        "receive_bytes": "",
        "send_text": ", data",
        "send_bytes": ", data",
        "close": ", code=1000, reason=None",
    }.items()
}
OVERLOADED = """@overload
    async def send_text(self, data: bytes) -> None: ...
    @overload
    async def send_text(self, data: bytes, more: int) -> None: ...
    async def send_text(self, data: bytes, more: int = 0) -> None: ..."""
DEFAULTS = """@overload
    async def close(self) -> None: ...
    @overload
    async def close(self, code: int, reason: str | None = None) -> None: ...
    async def close(self, code: int = 1000, reason: str | None = None) -> None: ..."""

# What the checkers alone can tell: of mypy, then of pyright. The rest of it is `ALIKE`.
CHECKED: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    "Untyped": (
        UNANNOTATED | {"__init__": "def __init__(self, receive, send): ..."},
        [FACTORY, "accept", "receive_text", "receive_bytes", "send_text", "send_bytes", "close"],
        # It infers results and what has a default.
        ["receive_text", "receive_bytes", "send_text", "send_bytes", "accept", "close"],
    ),
    "NeedsMore": (
        {"__init__": "def __init__(self, receive: Any, send: Any, more: int) -> None: ..."},
        [FACTORY],
        [FACTORY],
    ),
    # A call of it never returns, and what follows is looked at all the same.
    "Ends": (
        {
            "accept": "def accept(self, subprotocol: Any = 1, session_id: Any = 1) -> NoReturn: "
            "raise OSError",
            "close": "",
        },
        ["close"],
        ["close"],
    ),
    "Anything": ({"close": "close: Any = 5"}, ["close"], ["close"]),
    "Overloaded": ({"send_text": OVERLOADED}, ["send_text"], ["send_text"]),
    "Defaults": ({"close": DEFAULTS}, ["close"], ["close"]),
    # To pyright, an `async def` gives more than a Coroutine.
    "Coroutines": (
        {
            "close": "def close(self, code: int = 1000, reason: str | None = None) -> CORO: "
            "raise OSError"
        },
        [],
        ["close"],
    ),
}


def source() -> str:
    """Give the source of all classes; none has a base, which would have a say."""
    lines = [
        "from collections.abc import Coroutine",
        "from functools import cached_property",
        "from micropie.contract import WebSocketContract",
        "from typing import Any, ClassVar, Final, Generic, Literal, NoReturn, Optional, TypeVar",
        "from typing import overload",
        "CORO = Coroutine[Any, Any, None]",
        "T = TypeVar('T')",
        "class Text(str): ...",
        "class Gives:\n    def __get__(self, instance: object, owner: type) -> str: return ''",
    ]
    tables = {name: one[0] for name, one in (ALIKE | CHECKED).items()}
    for name, changes in tables.items():
        lines.append(f"class {name}:")
        lines += [f"    {member}" for member in (MEMBERS | changes).values() if member]
    lines.append("def untyped(receive, send): return Right(receive, send)")
    lines.append("def function(receive: Any, send: Any) -> Right: return Right(receive, send)")
    lines.append("class Inner:\n    Right = Right")
    lines.append("class Open(Right, Generic[T]): ...")
    lines.append("class Promises(WebSocketContract):\n    def __init__(self, *_: Any) -> None: ...")
    lines.append("async def later(receive: Any, send: Any) -> Right: raise OSError")
    lines.append("def perhaps(receive: Any, send: Any) -> None | Right: return None")
    lines.append("def either(receive: Any, send: Any) -> Right | Takes: raise OSError")
    return "\n".join(lines)


OTHERS = ["untyped", "function", "Inner.Right", "Open", "Promises", "later", "perhaps", "either"]

# A folder, to mypy two.
TWO = os.pathsep.join(["one", "two"])

# The same class by other names: of a file that mypy cannot import, or takes for another; of one
# with a neighbour that mypy refuses; of a module of the current folder, one that imports it, and
# one that PYTHONPATH leads to.
ELSEWHERE = [
    *("my-impl.py:Sync", "queue.py:Sync", "./script:Sync", "__main__.py:Sync", "probe_0.py:Sync"),
    *(
        f"{TWO}/in_one.py:Sync",
        "beside/of_it.py:Sync",
        "wrong:Sync",
        "imports:Sync",
        "in_elsewhere:Sync",
    ),
]


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test loads is not what other tests get under the same names."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    with mock.patch.dict(sys.modules):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    (folder / "wrong.py").write_text(source())
    shutil.copyfile(folder / "wrong.py", folder / "my-impl.py")
    shutil.copyfile(folder / "wrong.py", folder / "queue.py")
    shutil.copyfile(folder / "wrong.py", folder / "script")
    (folder / "imports.py").write_text("from wrong import Sync")
    shutil.copyfile(folder / "wrong.py", folder / "__main__.py")
    shutil.copyfile(folder / "wrong.py", folder / "probe_0.py")
    for name in ("elsewhere", "beside", TWO):
        (folder / name).mkdir()
        shutil.copyfile(
            folder / "wrong.py", folder / name / f"in_{name.partition(os.pathsep)[0]}.py"
        )
    (folder / "beside" / "of_it.py").write_text("from in_beside import Sync as Sync")
    (folder / "beside" / "types.py").write_text("mypy refuses this")
    return folder


@pytest.fixture(scope="module")
def typed(folder: Path) -> dict[str, dict[str, Typed]]:
    """What each checker found of each target, in one run of each."""
    names = [*ALIKE, *CHECKED, *OTHERS]
    targets = [f"{folder}/wrong.py:{name}" for name in names]
    more = [*ELSEWHERE, "micropie:WebSocket", "nosuch_module:Target"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # mypy wants no folder of installed packages to be named.
        path = [str(folder / "elsewhere"), sysconfig.get_path("purelib"), str(folder / "nowhere")]
        patch.setenv("PYTHONPATH", os.pathsep.join(path))
        return {
            checker.name: dict(zip([*names, *more], checker.check([*targets, *more]), strict=True))
            for checker in checkers()
        }


def told(mismatches: list[Mismatch]) -> list[str]:
    return [str(one).partition(" by position")[0] for one in mismatches]


def test_the_checkers_are_mypy_and_pyright(typed: dict[str, dict[str, Typed]]) -> None:
    assert [*typed] == ["mypy", "pyright"]
    for name, found in typed.items():
        assert {one.by.split()[0] for one in found.values()} == {name}


@pytest.mark.parametrize("name", ALIKE)
def test_each_tells_the_same(folder: Path, typed: dict[str, dict[str, Typed]], name: str) -> None:
    owner: Any = load(f"{folder}/wrong.py:{name}")
    expected = ALIKE[name][1]
    assert told(mismatches(owner(None, None))) == expected
    assert told(typed["mypy"][name].mismatches) == expected
    assert told(typed["pyright"][name].mismatches) == expected


@pytest.mark.parametrize("name", CHECKED)
def test_what_the_checkers_alone_tell(typed: dict[str, dict[str, Typed]], name: str) -> None:
    for checker, expected in zip(("mypy", "pyright"), CHECKED[name][1:], strict=True):
        found = typed[checker][name].mismatches
        assert sorted({one.member for one in found}) == sorted(expected)


def problems(typed: dict[str, dict[str, Typed]], checker: str, name: str) -> list[str]:
    return [str(one) for one in typed[checker][name].mismatches]


def test_words_of_the_checkers(typed: dict[str, dict[str, Typed]]) -> None:
    assert problems(typed, "mypy", "Untyped")[:2] == [f"{FACTORY}: {UNTYPED}", f"accept: {UNTYPED}"]
    for checker in typed:
        assert problems(typed, checker, "Anything") == [
            "close: is `Any`, so that nothing is known of its types"
        ]
        [reason] = problems(typed, checker, "Overloaded")
        assert reason.startswith("send_text: parameter `data` takes something else (")
        [reason] = problems(typed, checker, "NeedsMore")
        assert reason.startswith(f"{FACTORY}: cannot be called so: ")
        assert '"more"' in reason
    [reason] = problems(typed, "pyright", "Coroutines")
    assert reason.startswith("close: does not fit its Protocol: ")
    assert '; "close" is an incompatible type; ' in reason
    [reason] = problems(typed, "mypy", "Defaults")
    assert " have conflicts: Expected: def close(" in reason


def test_a_function_and_what_is_inside_of_a_class(typed: dict[str, dict[str, Typed]]) -> None:
    nothing = f"{FACTORY}: nothing is known of the types of what it gives: it is not annotated"
    assert problems(typed, "mypy", "untyped") == [nothing]
    for checker in typed:
        assert problems(typed, checker, "function") == []
        assert problems(typed, checker, "Inner.Right") == []


def test_what_a_target_makes(typed: dict[str, dict[str, Typed]]) -> None:
    for checker in typed:
        assert problems(typed, checker, "Open") == []
        assert problems(typed, checker, "later") == [
            f"{FACTORY}: gives a coroutine; expected the connection"
        ]
        assert problems(typed, checker, "perhaps") == [
            f"{FACTORY}: may give `None`; expected a connection"
        ]
        [reason] = problems(typed, checker, "Promises")
        words = f'{FACTORY}: cannot be called so: Cannot instantiate abstract class "Promises"'
        assert reason.startswith(words)
        # Which members those are.
        assert re.search('"accept"|receive_text" is not implemented', reason)
    # pyright tells of two signatures, and neither is that of both.
    [reason] = problems(typed, "pyright", "either")
    assert reason.startswith("close: parameter `reason` takes something else (")


def test_modules_and_files(typed: dict[str, dict[str, Typed]]) -> None:
    for checker in typed:
        assert problems(typed, checker, "micropie:WebSocket") == []
        for name in ELSEWHERE:
            assert problems(typed, checker, name) == ALIKE["Sync"][1]
        [reason] = problems(typed, checker, "nosuch_module:Target")
        assert reason.startswith(f"{FACTORY}: nothing is known of the types of what it gives: ")
        assert "nosuch_module" in reason


def test_what_only_the_whole_shows(tmp_path: Path) -> None:
    says = {
        "reveal_type(made)": 'note Revealed type is "mine.Class"',
        "factory: Factory": "error It does not fit\n  for this reason\n  and that",
    }
    script = tmp_path / "checker.py"
    script.write_text(
        f"""
import json
for number, line in enumerate(open("micropie_probe_0.py"), 1):
    for part, said in {says}.items():
        if part in line:
            severity, _, message = said.partition(" ")
            told = dict(file="micropie_probe_0.py", line=number, message=message, hint=None)
            told |= dict(code=None, severity=severity)
            # Only the first of a line counts.
            print(json.dumps(told), json.dumps(told | dict(message="more")), sep="\\n")
"""
    )
    [found] = Checker("mypy", [sys.executable, str(script)]).check(["mine:Class"])
    words = f"{FACTORY}: does not fit `Factory`: for this reason; and that"
    assert [str(one) for one in found.mismatches] == [words]


def test_a_checker_that_finds_something_where_nothing_is_asked() -> None:
    told = {"file": "micropie_probe_0.py", "line": 1, "message": "No such thing", "hint": None}
    told |= {"code": "import-not-found", "severity": "error"}
    checker = Checker("mypy", [sys.executable, "-c", f"print({json.dumps(told)!r})"])
    with pytest.raises(TypesError, match=r"^mypy [\d.]+ does not understand .*: No such thing$"):
        checker.check(["mine:Class"])


def test_what_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = {"mypy", "pyright"}
    real = importlib.util.find_spec

    def find_spec(name: str) -> object:
        return real(name) if name in installed else None

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [one.name for one in checkers()] == ["mypy", "pyright"]
    installed.remove("pyright")
    assert [one.name for one in checkers()] == ["mypy"]
    program = tmp_path / "pyright"
    program.touch(0o755)
    assert checkers()[1] == Checker("pyright", [str(program)])
    installed.clear()
    with pytest.raises(TypesError, match=r"needs mypy: pip install 'micropie-contract\[check\]'"):
        checkers()


@pytest.mark.parametrize("name", ["mypy", "pyright"])
@pytest.mark.parametrize(
    "code", ["print('{}'); print('oh')", "import sys; sys.exit('oh')", "print('[\"oh\"]')"]
)
def test_a_checker_that_fails(name: str, code: str) -> None:
    checker = Checker(name, [sys.executable, "-c", code])
    with pytest.raises(TypesError, match=rf"^{name} failed: (.|\n)*oh"):
        checker.check(["micropie:WebSocket"])


def test_mypy_that_stops_before_it_has_seen_the_target(tmp_path: Path) -> None:
    checker = Checker("mypy", [sys.executable, "-c", "raise SystemExit(2)"])
    with pytest.raises(TypesError, match=r"^mypy failed: "):
        checker.check(["micropie:WebSocket"])
    # Python does not read it.
    stub = tmp_path / "mine.pyi"
    stub.write_text("def (:")
    with pytest.raises(TypesError, match=rf"^mypy failed: {re.escape(str(stub))}:1: Expected"):
        checkers()[0].check([f"{tmp_path}/mine.py:Class"])


def test_a_checker_does_not_outlive_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen[str]] = []

    def communicate(child: subprocess.Popen[str]) -> tuple[str, str]:
        children.append(child)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
    # It would wait for ever.
    code = "import signal; signal.pause()"
    with pytest.raises(KeyboardInterrupt):
        Checker("mypy", [sys.executable, "-c", code]).check(["micropie:WebSocket"])
    [child] = children
    assert child.returncode == -signal.SIGKILL
