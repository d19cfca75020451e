"""`python -m micropie` is the command `micropie`."""

import importlib
import subprocess
import sys

import pytest


def test_it_ends_with_the_status_of_the_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "micropie"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: micropie ")


def test_importing_it_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    importlib.import_module("micropie.__main__")
    assert capsys.readouterr() == ("", "")
