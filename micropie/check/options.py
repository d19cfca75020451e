"""The options that mypy runs with: strict ones of ours, or those that the project has."""

import configparser
import io
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from micropie.check.report import CheckError
from micropie.check.settings import items, read_toml, table, upwards

__all__ = ["PLUGINS", "Options", "of_project", "strict"]

# What mypy does not find of handlers by itself, our plugin does.
PLUGINS = ["micropie.mypy_plugin"]

# They say what is checked, or what is written, told or installed besides: the check has its own
# ways for the first, and does not do the others.
_DROPPED = {
    *("files", "packages", "modules", "exclude", "exclude_gitignore"),
    *("cache_dir", "junit_xml", "junit_format", "verbosity", "install_types", "non_interactive"),
}

# What plugins read in the same file: tables of a pyproject.toml, and the sections for an INI file.
_OF_PLUGINS = {"pydantic-mypy": "pydantic-mypy", "django-stubs": "mypy.plugins.django-stubs"}

_FOLDER = re.compile(r"\$(MYPY_CONFIG_FILE_DIR\b|\{MYPY_CONFIG_FILE_DIR\})")

# This package is not what is checked, but what gives it its types.
_SECTION = "mypy-micropie.*"


class Options(NamedTuple):
    """A configuration of mypy."""

    # The text of an INI file.
    text: str
    # The file that they come from; None: they are ours.
    file: str | None = None
    # Regular expressions for what is skipped in folders.
    exclude: tuple[str, ...] = ()


def strict() -> Options:
    """Give our own options."""
    parser = _parser()
    parser["mypy"] = {"strict": "True", "disable_error_code": "import-untyped"}
    return Options(_ours(parser, Path()))


def of_project(start: Path) -> Options | None:
    """Find the options of a project where mypy would, from a folder upwards.

    Those of the user, in the home directory, are not the project's and have no effect.

    Raises:
        CheckError: A file that mypy would read cannot be read.
    """
    for folder in upwards(start):
        for kind in ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"):
            file = folder / kind
            if file.is_file():
                parser, exclude = _toml(file) if file.suffix == ".toml" else _ini(file)
                if "mypy" in parser:
                    _refuse_wrong(exclude, file)
                    return Options(_ours(parser, folder), os.path.relpath(file), exclude)
    return None


def _refuse_wrong(patterns: Iterable[str], file: Path) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise CheckError(
                f"{os.path.relpath(file)}: exclude has {pattern!r}, which is no regular "
                f"expression: {error}"
            ) from error


def _parser() -> configparser.RawConfigParser:
    return configparser.RawConfigParser()


def _ini(file: Path) -> tuple[configparser.RawConfigParser, tuple[str, ...]]:
    parser = _parser()
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckError(f"cannot read {os.path.relpath(file)}: {error.strerror}") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = str(error).replace("\n", " ")
        raise CheckError(f"{os.path.relpath(file)} is not a valid INI file: {reason}") from error
    exclude = parser.get("mypy", "exclude", fallback="").strip()
    return parser, (exclude,) if exclude else ()


def _toml(file: Path) -> tuple[configparser.RawConfigParser, tuple[str, ...]]:
    """The table [tool.mypy] as the sections that mypy takes it for."""
    parser = _parser()
    tools = table(read_toml(file), "tool")
    options = table(tools, "mypy")
    if options is None:
        return parser, ()
    parser["mypy"] = _values(options, "overrides")
    for name, section in _OF_PLUGINS.items():
        if (of_plugin := table(tools, name)) is not None:
            parser[section] = _values(of_plugin)
    for override in items(options.get("overrides")):
        options_of = table(override)
        if options_of is None or not (modules := items(options_of.get("module"))):
            raise CheckError(
                f"{os.path.relpath(file)}: one of [[tool.mypy.overrides]] has no module"
            )
        for module in modules:
            section = f"mypy-{module}"
            if section not in parser:
                parser.add_section(section)
            parser[section].update(_values(options_of, "module"))
    return parser, tuple(map(str, items(options.get("exclude"))))


def _values(options: Mapping[str, object], besides: str = "") -> dict[str, str]:
    return {
        key: ", ".join(map(str, items(value))) for key, value in options.items() if key != besides
    }


def _ours(parser: configparser.RawConfigParser, folder: Path) -> str:
    """The text of a configuration in another folder that means the same, and has what we need."""
    for section in parser.sections():
        for key, value in parser.items(section):
            # mypy would take it for the folder of our file.
            parser.set(section, key, _FOLDER.sub(lambda _: str(folder), value))
    options = parser["mypy"]
    for key in [key for key in options if key in _DROPPED or key.endswith("_report")]:
        del options[key]
    plugins = [
        # A file is looked for beside the configuration; it may have the name of a function.
        str(folder / plugin) if re.search(r"\.py(:|$)", plugin) else plugin
        for plugin in re.split(r"[,\s]+", options.get("plugins", ""))
        if plugin
    ]
    options["plugins"] = ", ".join(dict.fromkeys([*plugins, *PLUGINS]))
    if _SECTION not in parser:
        parser.add_section(_SECTION)
    for section in parser.sections():
        # A project that had PyPI's may have an option for it.
        if f"{section}.".startswith("mypy-micropie."):
            parser.set(section, "follow_imports", "silent")
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()
