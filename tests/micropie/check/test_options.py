"""The options of mypy that a project has."""

from collections.abc import Callable
from configparser import RawConfigParser
from pathlib import Path
from typing import TypeAlias

import pytest

from micropie.check import options
from micropie.check.options import Options, of_project, strict
from micropie.check.report import CheckError

Write: TypeAlias = Callable[[dict[str, str]], None]
Sections: TypeAlias = dict[str, dict[str, str]]

OURS: Sections = {"mypy-micropie.*": {"follow_imports": "silent"}}


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "PLUGINS", ["our.plugin"])


def sections(found: Options | None) -> Sections:
    assert found is not None
    parser = RawConfigParser()
    parser.read_string(found.text)
    return {section: dict(parser[section]) for section in parser.sections()}


def of_mypy(found: Options | None) -> dict[str, str]:
    return sections(found)["mypy"]


def test_ours() -> None:
    assert strict().file is None
    assert strict().exclude == ()
    assert sections(strict()) == {
        "mypy": {
            "strict": "True",
            "disable_error_code": "import-untyped",
            "plugins": "our.plugin",
        },
        **OURS,
    }


def test_the_first_of_the_files_that_mypy_knows(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    ini = "[mypy]\nstrict = True\n"
    files = {"setup.cfg": ini, "pyproject.toml": "[tool.mypy]\nstrict = true", ".mypy.ini": ini}
    write({"mypy.ini": "[other]\n", "sub/pyproject.toml": "[tool.other]", "sub/setup.cfg": "[x]"})
    assert of_project(Path.cwd()) is None
    monkeypatch.chdir("sub")
    for file, text in files.items():
        Path("..", file).write_text(text)
        found = of_project(Path.cwd())
        assert found is not None
        assert found.file == f"../{file}"
        assert of_mypy(found)["strict"] == "True"


def test_an_ini_file(write: Write) -> None:
    write(
        {
            "mypy.ini": """\
[mypy]
warn_unreachable = True
# Which files are checked, and where something is written, is not for it to say.
files = src
packages = one
cache_dir = /elsewhere
html_report = report
junit_xml = report.xml
# Nor is anything installed, which would be asked, or told that is no finding.
install_types = True
non_interactive = True
verbosity = 1
exclude = (?x)(
    ^made/
    )
mypy_path = $MYPY_CONFIG_FILE_DIR/lib:${MYPY_CONFIG_FILE_DIR}/more
plugins = theirs, near.py:make
    our.plugin, folder/other.py

[mypy-micropie.*]
follow_imports = skip
ignore_errors = True

[mypy-micropie]
follow_imports = skip

[mypy-micropie_too]
follow_imports = skip

[mypy-a.*,b]
ignore_errors = True

[pydantic-mypy]
init_typed = True
"""
        }
    )
    found = of_project(Path.cwd())
    assert found is not None
    assert found.file == "mypy.ini"
    assert found.exclude == ("(?x)(\n^made/\n)",)
    here = Path.cwd()
    assert sections(found) == {
        "mypy": {
            "warn_unreachable": "True",
            "mypy_path": f"{here}/lib:{here}/more",
            "plugins": f"theirs, {here}/near.py:make, our.plugin, {here}/folder/other.py",
        },
        "mypy-micropie.*": {"follow_imports": "silent", "ignore_errors": "True"},
        "mypy-micropie": {"follow_imports": "silent"},
        "mypy-micropie_too": {"follow_imports": "skip"},
        "mypy-a.*,b": {"ignore_errors": "True"},
        "pydantic-mypy": {"init_typed": "True"},
    }


def test_a_toml_file(write: Write) -> None:
    write(
        {
            "pyproject.toml": """\
[tool.mypy]
python_version = 3.11
strict = true
files = ["src"]
exclude = ["^made/", "_pb2"]
enable_error_code = ["truthy-bool", "redundant-expr"]
plugins = ["near.py"]

[[tool.mypy.overrides]]
module = ["a.*", "b"]
ignore_errors = true

[[tool.mypy.overrides]]
module = "b"
strict_optional = false

[tool.pydantic-mypy]
init_typed = true

[tool.django-stubs]
django_settings_module = "site.settings"

[tool.ruff]
line-length = 100
"""
        }
    )
    found = of_project(Path.cwd())
    assert found is not None
    assert found.exclude == ("^made/", "_pb2")
    assert sections(found) == {
        "mypy": {
            "python_version": "3.11",
            "strict": "True",
            "enable_error_code": "truthy-bool, redundant-expr",
            "plugins": f"{Path.cwd()}/near.py, our.plugin",
        },
        "mypy-a.*": {"ignore_errors": "True"},
        "mypy-b": {"ignore_errors": "True", "strict_optional": "False"},
        "pydantic-mypy": {"init_typed": "True"},
        "mypy.plugins.django-stubs": {"django_settings_module": "site.settings"},
        **OURS,
    }


@pytest.mark.parametrize(
    ("file", "text"),
    [("mypy.ini", "[mypy]\nexclude = (x"), ("pyproject.toml", "[tool.mypy]\nexclude = ['(x']")],
)
def test_an_exclude_that_is_no_regular_expression(file: str, text: str, write: Write) -> None:
    write({file: text})
    with pytest.raises(CheckError) as failed:
        of_project(Path.cwd())
    assert str(failed.value) == (
        f"{file}: exclude has '(x', which is no regular expression: "
        "missing ), unterminated subpattern at position 0"
    )


def test_one_exclude_in_a_toml_file(write: Write) -> None:
    write({"pyproject.toml": "[tool.mypy]\nexclude = '^made/'"})
    found = of_project(Path.cwd())
    assert found is not None
    assert found.exclude == ("^made/",)


@pytest.mark.parametrize("override", ["strict = true", "module = []"])
def test_an_override_of_nothing(override: str, write: Write) -> None:
    write({"pyproject.toml": f"[[tool.mypy.overrides]]\n{override}"})
    with pytest.raises(CheckError) as failed:
        of_project(Path.cwd())
    assert str(failed.value) == "pyproject.toml: one of [[tool.mypy.overrides]] has no module"


def test_overrides_that_are_no_tables(write: Write) -> None:
    write({"pyproject.toml": "[tool.mypy]\noverrides = 1"})
    with pytest.raises(CheckError, match="has no module"):
        of_project(Path.cwd())


@pytest.mark.parametrize("text", [b"strict = True", b"[mypy]\nx = \xe9"])
def test_a_file_that_is_no_ini(text: bytes) -> None:
    Path("mypy.ini").write_bytes(text)
    with pytest.raises(CheckError) as failed:
        of_project(Path.cwd())
    message = str(failed.value)
    assert message.startswith("mypy.ini is not a valid INI file: ")
    assert "\n" not in message


def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mypy.ini").touch()

    # For root, who runs tests in containers, every file can be read.
    def refuse(path: Path, encoding: str) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(CheckError) as failed:
        of_project(Path.cwd())
    assert str(failed.value) == "cannot read mypy.ini: Permission denied"
