"""Handlers in which comments mark what is to be found: `# error: code` or `# warning: code`."""

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from micropie.flow import Checker, Finding

Hold: TypeAlias = Callable[[str], list[Finding]]

# What every module begins with.
IMPORTS = """\
import asyncio
import contextlib
from contextlib import suppress
from micropie import App, ConnectionClosed, WebSocket
"""

HANDLER = """\
class Application(App):
    async def ws_it(self, ws):
"""

_MARK = re.compile(r"(error|warning): ([a-z-]+)")


def _marked(source: str) -> list[tuple[int, str, str]]:
    return sorted(
        (number, severity, code)
        for number, line in enumerate(source.splitlines(), start=1)
        for severity, code in _MARK.findall(line.partition("#")[2])
    )


@pytest.fixture
def module(tmp_path: Path) -> Hold:
    """Find in a module what its comments mark, and nothing else; give the findings."""

    def hold(source: str) -> list[Finding]:
        source = IMPORTS + textwrap.dedent(source)
        file = tmp_path / "handlers.py"
        file.write_text(source)
        found = Checker().check(file)
        assert sorted((one.line, one.severity.value, one.code.value) for one in found) == _marked(
            source
        ), source
        return found

    return hold


@pytest.fixture
def handler(module: Hold) -> Hold:
    """Find in the body of a handler what its comments mark, and nothing else."""

    def hold(body: str) -> list[Finding]:
        return module(HANDLER + textwrap.indent(textwrap.dedent(body), "        "))

    return hold
