"""The checks of the stubs find what is wrong. `make stubs` runs them on the stubs themselves."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

STUBS = Path(__file__).parents[2] / "stubs"

STUB = """
from base import Base
LIMIT: int
class Request(Base):
    method: str
    _route: str
    def json(self) -> str: ...
    Base.other: int
class WebSocketRequest(Request):
    accepted: bool
"""
HANDLERS = """
from micropie import App
from micropie import App as Other
app: int = App()
"""
MISTAKES = """
from micropie import App
app: int = App().limit  # type: ignore[assignment]
"""
FOUND_ANYWAY = 'text: int = "x"  # type: ignore[assignment]\n'


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, about a checkout and an environment in tmp_path."""
    spec = importlib.util.spec_from_file_location("check", STUBS / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("stubs/typing", "venv/bin", "venv/lib/python3/site-packages", "work"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "stubs" / "stub.pyi").write_text(STUB)
    (tmp_path / "contract.py").write_text("the contract")
    for name, path in {
        "HERE": "stubs",
        "STUB": "stubs/stub.pyi",
        "CONTRACT": "contract.py",
        "VENV": "venv",
        "WORK": "work",
        "PYRIGHT": "venv/bin/pyright",
    }.items():
        monkeypatch.setattr(module, name, tmp_path / path)
    return module


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], None]:
    def write(name: str, script: str) -> None:
        path = tmp_path / "venv" / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return write


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        ("", ""),
        ("# all of it\n\nmicropie.App  # reason\n", ""),
        (
            "micropie.App\nmicropie.Request #\n",
            "no reason: micropie.App\nno reason: micropie.Request #",
        ),
    ],
)
def test_a_line_of_the_allowlist_needs_a_reason(
    check: ModuleType, tmp_path: Path, lines: str, problems: str
) -> None:
    (tmp_path / "stubs" / "allowlist.txt").write_text(lines)
    assert check.reasons() == problems


@pytest.mark.parametrize(
    ("name", "command", "arguments"),
    [
        ("stubtest", "stubtest", "micropie --allowlist {0}/stubs/allowlist.txt"),
        (
            "typed",
            "mypy",
            "--strict --config-file= --no-pretty --cache-dir {0}/work/mypy_cache "
            "{0}/stubs/typing/a.py {0}/stubs/typing/b.py",
        ),
        (
            "typed_by_pyright",
            "pyright",
            "--project {0}/stubs/pyrightconfig.json --pythonpath {0}/venv/bin/python",
        ),
    ],
)
def test_a_checker_says_what_is_wrong(
    check: ModuleType,
    program: Callable[[str, str], None],
    tmp_path: Path,
    name: str,
    command: str,
    arguments: str,
) -> None:
    for file in ("b.py", "a.py"):
        (tmp_path / "stubs" / "typing" / file).touch()
    program(command, 'echo "Success"')
    assert getattr(check, name)() == ""
    program(command, 'pwd; echo "$MYPYPATH"; echo "$@"; echo and this >&2; exit 3')
    said = [tmp_path / "work", tmp_path / "work", arguments.format(tmp_path), "and this"]
    assert getattr(check, name)() == "\n".join(map(str, [*said, "exit status 3"]))


OTHERS = ("basedpyright", "pyrefly", "ty", "zuban")


def test_the_other_checkers_find_something_in_the_lines_of_mistakes_alone(
    check: ModuleType, program: Callable[[str, str], None], tmp_path: Path
) -> None:
    (tmp_path / "stubs" / "typing" / "mistakes.py").write_text(MISTAKES)
    program("basedpyright", 'echo "  $PWD/typing/mistakes.py:3:1 - error: No"; exit 1')
    program("pyrefly", 'echo "ERROR typing/mistakes.py:3:1-5: No [code]"; exit 1')
    program("ty", 'echo "typing/mistakes.py:3:1: error[code] No"; exit 1')
    program("zuban", 'echo "typing/mistakes.py:3: error: No"; echo "a.py:9: note: why"; exit 1')
    assert check.others() == ""
    copy = (tmp_path / "work" / "typing" / "mistakes.py").read_text()
    assert copy == MISTAKES.replace("  # type: ignore[assignment]", "")
    for name in OTHERS:
        program(name, 'echo "stub.pyi:2:1: error"; exit 1')
    assert check.others() == "\n".join(
        f"stub.pyi:2:1: error\n{name}: not as expected: [('mistakes.py', 3), ('stub.pyi', 2)]"
        for name in OTHERS
    )


@pytest.mark.parametrize(
    ("instances", "problems"),
    [
        ({"Request": ["method"], "WebSocketRequest": ["_json", "accepted", "method"]}, ""),
        (
            {"Request": ["method", "scope"], "WebSocketRequest": ["method"]},
            "Request: scope on one side only\nWebSocketRequest: accepted on one side only",
        ),
    ],
)
def test_instances_have_what_is_declared(
    check: ModuleType,
    program: Callable[[str, str], None],
    instances: dict[str, list[str]],
    problems: str,
) -> None:
    program("python", f"echo '{json.dumps(instances)}'")
    assert check.attributes() == problems


def test_instances_that_cannot_be_made(
    check: ModuleType, program: Callable[[str, str], None]
) -> None:
    program("python", "echo ModuleNotFoundError >&2; exit 1")
    assert check.attributes() == "ModuleNotFoundError\n"


@pytest.mark.parametrize(
    ("mistakes", "problems"),
    [
        (MISTAKES, ""),
        (MISTAKES + FOUND_ANYWAY, "not as expected: [('mistakes.py', '4', 'unused-ignore')]"),
    ],
)
def test_without_stubs_no_mistake_is_found(
    check: ModuleType,
    program: Callable[[str, str], None],
    tmp_path: Path,
    mistakes: str,
    problems: str,
) -> None:
    program("mypy", f'exec {sys.executable} -m mypy --python-version 3.11 "$@"')
    (tmp_path / "venv/lib/python3/site-packages/micropie.py").write_text("class App: ...\n")
    (tmp_path / "stubs" / "typing" / "handlers.py").write_text(HANDLERS)
    (tmp_path / "stubs" / "typing" / "mistakes.py").write_text(mistakes)
    answer = check.untyped()
    assert answer.rpartition("\n")[2] == problems
    assert ("handlers.py:2: error: Skipping analyzing" in answer) == bool(problems)


def test_all_that_fails_is_told(
    check: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checks = {"one": lambda: "", "two": lambda: "what is wrong", "three": lambda: ""}
    monkeypatch.setattr(check, "CHECKS", checks)
    assert check.main() == 1
    assert capsys.readouterr().out == "one: passed\ntwo: FAILED\nwhat is wrong\nthree: passed\n"
    assert (tmp_path / "work" / "contract_copy.py").read_text() == "the contract"
    del checks["two"]
    assert check.main() == 0


def test_without_its_environment(
    check: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(check, "VENV", tmp_path / "nothing")
    assert check.main() == 2
    assert capsys.readouterr().err == "nothing is not there; run `make stubs`, which makes it.\n"

    # Elsewhere, it has none either.
    script = shutil.copy(STUBS / "check.py", tmp_path / "stubs")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("stubs-venv is not there")


def test_the_stubs_are_those_of_the_version_that_they_are_checked_against() -> None:
    project = tomllib.loads((STUBS / "micropie-stubs" / "pyproject.toml").read_text())["project"]
    lock = (STUBS / "requirements.lock").read_text()
    [version] = re.findall(r"^micropie==(\S+)", lock, re.MULTILINE)
    assert project["version"].startswith(f"{version}.")
    assert version in project["description"]
