"""The table [tool.micropie.check]."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from micropie.check.report import CheckError
from micropie.check.settings import Settings, items, load, table

Write: TypeAlias = Callable[[dict[str, str]], None]

ALL = """\
[tool.micropie.check]
paths = ["src", "package.module"]
types = false
strict = true
python = ".venv/bin/python"
output = "github"
disable = ["no-answer"]
exclude = ["_pb2\\\\.py$"]
"""


def test_each_key(write: Write) -> None:
    write({"pyproject.toml": ALL, "src/chat.py": ""})
    assert load(Path.cwd()) == Settings(
        paths=("src", "package.module"),
        types=False,
        strict=True,
        python=str(Path.cwd() / ".venv/bin/python"),
        output="github",
        disable=("no-answer",),
        exclude=(r"_pb2\.py$",),
        file="pyproject.toml",
    )


def test_paths_begin_where_the_file_is(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"pyproject.toml": ALL, "src/deep/chat.py": "", "src/pyproject.toml": "[tool.other]"})
    monkeypatch.chdir("src/deep")
    settings = load(Path.cwd())
    assert settings.paths == ("..", "package.module")
    assert settings.python == str(Path.cwd().parents[1] / ".venv/bin/python")
    assert settings.file == "../../pyproject.toml"


def test_a_python_without_a_folder_is_a_program(write: Write) -> None:
    write({"pyproject.toml": "[tool.micropie.check]\npython = 'python3.11'"})
    assert load(Path.cwd()).python == "python3.11"


@pytest.mark.parametrize("repository", [".git", ".hg"])
def test_nothing_is_looked_for_above_the_repository(repository: str, write: Write) -> None:
    write({"pyproject.toml": ALL, f"sub/{repository}/HEAD": ""})
    assert load(Path("sub").absolute()) == Settings()


def test_nothing_at_all(write: Write) -> None:
    write({"pyproject.toml": "[tool.micropie]\n[tool.other]\nchek = 1"})
    # Up to the top of the file system.
    assert load(Path("/nosuch/folder")) == load(Path.cwd()) == Settings()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("tipes = false", "has an unknown key 'tipes': did you mean types?"),
        (
            "zzz = 1",
            "has an unknown key 'zzz': it can have "
            "paths, types, strict, python, output, disable, exclude",
        ),
        ("types = 'no'", "types is 'no', expected true or false"),
        ("strict = 1", "strict is 1, expected true or false"),
        ("paths = 'src'", "paths is 'src', expected a list of strings"),
        ("disable = [1]", "disable is [1], expected a list of strings"),
        ("disable = 1", "disable is 1, expected a list of strings"),
        ("python = 3.11", "python is 3.11, expected a string, for example '.venv/bin/python'"),
        ("output = 'xml'", "output is 'xml', expected one of text, json, sarif, github"),
        ("output = []", "output is [], expected one of text, json, sarif, github"),
        (
            "exclude = ['(']",
            "exclude is ['('], expected regular expressions "
            "(missing ), unterminated subpattern at position 0)",
        ),
    ],
)
def test_a_wrong_table(
    lines: str, message: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"pyproject.toml": f"[tool.micropie.check]\n{lines}", "sub/chat.py": ""})
    monkeypatch.chdir("sub")
    with pytest.raises(CheckError) as failed:
        load(Path.cwd())
    assert str(failed.value) == f"../pyproject.toml: [tool.micropie.check] {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.micropie.chek]\ntypes = false", "'chek': did you mean check?"),
        ("[tool.micropie]\nother = 1\ncheck = {}", "'other': it can have check"),
    ],
)
def test_a_table_beside_ours(text: str, message: str, write: Write) -> None:
    write({"pyproject.toml": text})
    with pytest.raises(CheckError) as failed:
        load(Path.cwd())
    assert str(failed.value) == f"pyproject.toml: [tool.micropie] has an unknown key {message}"


def test_no_table() -> None:
    Path("pyproject.toml").write_text("tool.micropie.check = 1")
    with pytest.raises(CheckError) as failed:
        load(Path.cwd())
    assert str(failed.value) == "pyproject.toml: [tool.micropie.check] is 1, expected a table"


@pytest.mark.parametrize("text", [b"[tool", b"x = '\xe9'"])
def test_a_file_that_is_no_toml(text: bytes) -> None:
    Path("pyproject.toml").write_bytes(text)
    with pytest.raises(CheckError) as failed:
        load(Path.cwd())
    message = str(failed.value)
    assert message.startswith("pyproject.toml is not valid TOML: ")
    assert "\n" not in message


def test_what_is_in_a_table() -> None:
    nested = {"a": {"b": {"c": 1}}}
    assert table(nested, "a", "b") == {"c": 1}
    assert table(nested, "a", "nosuch", "c") is None
    assert table(nested, "a", "b", "c") is None
    assert [items(value) for value in (None, "a", ["a", 1])] == [[], ["a"], ["a", 1]]


def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pyproject.toml").touch()

    # For root, who runs tests in containers, every file can be read.
    def refuse(path: Path, encoding: str) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(CheckError) as failed:
        load(Path.cwd())
    assert str(failed.value) == "cannot read pyproject.toml: Permission denied"
