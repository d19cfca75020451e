"""The names of the package, each imported when it is asked for."""

import importlib
import subprocess
import sys

import pytest

import micropie

# Who asks for no name of the application does not wait for it.
_LAZY = """\
import sys
import micropie.cli, micropie.check, micropie.mypy_plugin
assert "micropie.app" not in sys.modules
from micropie import *
assert [App, ConnectionClosed, Request, WebSocket]
assert "micropie.app" in sys.modules
"""


@pytest.mark.parametrize("name", micropie.__all__)
def test_a_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = getattr(micropie, name)
    home = importlib.import_module(value.__module__)
    assert getattr(home, name) is value
    monkeypatch.delitem(vars(micropie), name)
    assert name in dir(micropie)
    assert getattr(micropie, name) is value
    assert vars(micropie)[name] is value


@pytest.mark.parametrize("module", ["app", "contract", "request", "websocket"])
def test_its_modules_are_there(module: str) -> None:
    """They have been since their names were imported to begin with."""
    program = f"import micropie; print(micropie.{module}.__name__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"micropie.{module}\n"


def test_a_name_that_it_does_not_have() -> None:
    with pytest.raises(AttributeError, match=r"^module 'micropie' has no attribute 'WebSockets'$"):
        _ = vars(micropie)["__getattr__"]("WebSockets")
    assert not hasattr(micropie, "Application")


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    subprocess.run([sys.executable, "-P", "-c", _LAZY], check=True)
