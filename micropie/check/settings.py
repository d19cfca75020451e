"""The table `[tool.micropie.check]` of a project's `pyproject.toml`."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from micropie.check.report import CheckError

__all__ = ["OUTPUTS", "Settings", "items", "load", "read_toml", "table", "upwards"]

OUTPUTS = ("text", "json", "sarif", "github")


class Settings(NamedTuple):
    """What a check is to do, where the command line does not say it."""

    # Files, folders and modules.
    paths: tuple[str, ...] = ()
    # Whether mypy runs.
    types: bool = True
    # Whether mypy runs with `strict` alone, without the project's own options.
    strict: bool = False
    # The Python that has the libraries; None: the one that runs the check.
    python: str | None = None
    output: str = "text"
    # Codes of findings that are left out.
    disable: tuple[str, ...] = ()
    # Regular expressions for what is skipped in folders, in paths from the folder of `file`.
    exclude: tuple[str, ...] = ()
    # The pyproject.toml that has the table, if there is one.
    file: str | None = None


def upwards(start: Path) -> Iterator[Path]:
    """Give a folder and those above it, up to the root of its repository, as mypy does."""
    for folder in (start, *start.parents):
        yield folder
        if (folder / ".git").exists() or (folder / ".hg").exists():
            return


def read_toml(file: Path) -> dict[str, object]:
    """Read a TOML file.

    Raises:
        CheckError: It cannot be read, or is not valid TOML.
    """
    # It takes long to import, and not every project has such a file.
    import tomllib

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckError(f"cannot read {os.path.relpath(file)}: {error.strerror}") from error
    except ValueError as error:
        raise CheckError(f"{os.path.relpath(file)} is not valid TOML: {error}") from error


def table(value: object, *keys: str) -> dict[str, object] | None:
    """Give the table that keys lead to from a table, if there is one."""
    for key in keys:
        value = cast(dict[str, object], value).get(key) if isinstance(value, dict) else None
    # The keys of TOML are strings.
    return cast(dict[str, object], value) if isinstance(value, dict) else None


def items(value: object) -> list[object]:
    """Give the items of a list; what is no list is its only item, and None is none."""
    if value is None:
        return []
    return cast(list[object], value) if isinstance(value, list) else [value]


def load(start: Path) -> Settings:
    """Read the settings of the nearest `pyproject.toml` that has any, from a folder upwards.

    Raises:
        CheckError: The file is no valid TOML, or a key or value of the table is wrong.
    """
    for folder in upwards(start):
        file = folder / "pyproject.toml"
        if file.is_file():
            own = table(read_toml(file), "tool", "micropie")
            if own is not None:
                _refuse_unknown(own, f"{os.path.relpath(file)}: [tool.micropie]", ["check"])
                if "check" in own:
                    return _settings(file, own["check"])
    return Settings()


def _refuse_unknown(values: Iterable[str], where: str, keys: Sequence[str]) -> None:
    for key in values:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it can have {', '.join(keys)}"
            raise CheckError(f"{where} has an unknown key {key!r}: {hint}")


def _settings(file: Path, check: object) -> Settings:
    where = f"{os.path.relpath(file)}: [tool.micropie.check]"
    values = table(check)
    if values is None:
        raise CheckError(f"{where} is {check!r}, expected a table")
    _refuse_unknown(values, where, [key for key in Settings._fields if key != "file"])

    def wrong(key: str, expected: str) -> CheckError:
        return CheckError(f"{where} {key} is {values[key]!r}, expected {expected}")

    def boolean(key: str, default: bool) -> bool:
        value = values.get(key, default)
        if not isinstance(value, bool):
            raise wrong(key, "true or false")
        return value

    def strings(key: str) -> tuple[str, ...]:
        value = values.get(key, [])
        strings = [item for item in items(value) if isinstance(item, str)]
        if strings != value:
            raise wrong(key, "a list of strings")
        return tuple(strings)

    python = values.get("python")
    if python is not None and not isinstance(python, str):
        raise wrong("python", "a string, for example '.venv/bin/python'")
    output = values.get("output", "text")
    if not isinstance(output, str) or output not in OUTPUTS:
        raise wrong("output", f"one of {', '.join(OUTPUTS)}")
    exclude = strings("exclude")
    try:
        for pattern in exclude:
            re.compile(pattern)
    except re.error as error:
        raise wrong("exclude", f"regular expressions ({error})") from error
    return Settings(
        paths=tuple(_from_here(file.parent, path) for path in strings("paths")),
        types=boolean("types", True),
        strict=boolean("strict", False),
        # A name alone is looked for on PATH.
        python=str(file.parent / python) if python and os.path.dirname(python) else python,
        output=output,
        disable=strings("disable"),
        exclude=exclude,
        file=os.path.relpath(file),
    )


def _from_here(folder: Path, path: str) -> str:
    # What is not there may be the name of a module.
    return os.path.relpath(folder / path) if (folder / path).exists() else path
