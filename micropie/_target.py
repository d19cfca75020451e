"""Loading what a command's TARGET names: `module:attr` or `path/to/file.py:attr`."""

import difflib
import importlib
import importlib.util
import os
import sys
import sysconfig
import traceback
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

__all__ = ["TargetError", "load"]


class TargetError(Exception):
    """A target cannot be loaded; the message says why, and what to do about it."""


def load(spec: str) -> object:
    """Import the module or file that `spec` names and return the object in it.

    A module is looked for as Python does, the current directory first. A file is loaded by its
    path, with its folder first on `sys.path`; it is put into `sys.modules`, and loading it again
    gives the same module.

    Args:
        spec: `module:attr` or `path/to/file.py:attr`; `attr` may be dotted.

    Raises:
        TargetError: It names no object, cannot be found, or importing it fails in whatever way,
            `SystemExit` included. `KeyboardInterrupt` is let through.
    """
    # From the right: a Windows path has a colon of its own.
    source, colon, attribute = spec.rpartition(":")
    if not source or not attribute:
        example = source or (attribute if not colon else "") or "chat"
        raise TargetError(
            f"{spec!r} names no object: write module:attr or path/to/file.py:attr, "
            f"for example {example}:app"
        )
    is_file = source.endswith(".py") or "/" in source or os.sep in source
    found: object = _import_file(source) if is_file else _import_module(source)
    for name in attribute.split("."):
        with _running(f"read {name!r} of {source}"):
            if not hasattr(found, name):
                # "application" is to be found near "app".
                near = difflib.get_close_matches(name, dir(found), cutoff=0.4)
                raise TargetError(
                    f"{source} has no attribute {name!r}"
                    + (f": did you mean {' or '.join(near)}?" if near else "")
                )
            found = getattr(found, name)
    return found


def _import_module(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise TargetError(
            f"{name!r} is not a module name: write it like package.module, "
            "or name a file: path/to/file.py:attr"
        )
    _put_on_path(Path.cwd())
    with _running(f"import {name}"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if f"{name}.".startswith(f"{error.name}."):
                raise TargetError(
                    f"no module {error.name!r} in {Path.cwd()} or among the installed packages"
                ) from error
            raise


def _import_file(source: str) -> ModuleType:
    path = Path(source).absolute()
    if not path.exists():
        raise TargetError(f"no file {source} in {Path.cwd()}")
    if not path.is_file():
        raise TargetError(f"{source} is not a file: name a Python file in it")
    name = _module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    loader = SourceFileLoader(name, str(path))
    module_spec = importlib.util.spec_from_loader(name, loader)
    assert module_spec is not None  # None is for a loader that does not know the name.
    module = importlib.util.module_from_spec(module_spec)
    _put_on_path(path.parent)
    # Dataclasses, pickle and typing look for a class's module there.
    sys.modules[name] = module
    try:
        with _running(f"import {source}"):
            loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _module_name(path: Path) -> str:
    """The file's stem, or a longer name where that belongs to another module."""
    name = path.stem
    if name in sys.modules:
        file = getattr(sys.modules[name], "__file__", None)
        taken = file is None or not os.path.exists(file) or not path.samefile(file)
    else:
        taken = name in sys.stdlib_module_names
    return f"{name}_{zlib.crc32(os.fsencode(path)):08x}" if taken else name


def _put_on_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@contextmanager
def _running(what: str) -> Generator[None, None, None]:
    """Whatever the user's code raises in here becomes a TargetError that says where."""
    try:
        yield
    except (KeyboardInterrupt, TargetError):
        raise
    except SyntaxError as error:
        place = f" ({error.filename}, line {error.lineno})" if error.lineno else ""
        raise TargetError(f"cannot {what}: SyntaxError: {error.msg}{place}") from error
    except BaseException as error:
        message = traceback.format_exception_only(error)[0].strip()
        hint = ""
        if isinstance(error, ImportError) and "relative import" in str(error):
            hint = ": the file is part of a package, so name it as package.module:attr"
        raise TargetError(f"cannot {what}: {message}{_place(error)}{hint}") from error


def _place(error: BaseException) -> str:
    """Where the user's code raised it, or called the library that did."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and not frame.filename.startswith("<")
    ]
    libraries = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    own = [frame for frame in frames if not frame.filename.startswith(libraries)]
    last = (own or frames)[-1:]
    return "".join(f" ({frame.filename}, line {frame.lineno})" for frame in last)
