"""The functions of one module, and what is found in them."""

import ast
from typing import NamedTuple

from micropie.flow.core import Context
from micropie.flow.findings import Finding, Severity
from micropie.flow.modules import Function, Module, Modules
from micropie.flow.statements import Run

__all__ = ["Program", "Start"]


class Start(NamedTuple):
    """What a function begins with."""

    states: int
    others: int
    # Whether it is a handler, which must answer.
    handler: bool = False


class Program:
    """The functions of one module.

    Args:
        modules: Where its imports lead.
        module: The module.
    """

    def __init__(self, modules: Modules, module: Module) -> None:
        """Hold the module; nothing is analysed yet."""
        self._context = Context(modules, module)
        # The lines of helpers where a call fails however they are called.
        self._faulty: set[int] = set()
        self._in_helpers: list[tuple[int, Finding]] = []

    def analyse(
        self, function: Function, name: str, start: Start, owner: ast.ClassDef | None
    ) -> list[Finding]:
        """Give what is found in a function whose parameter `name` is the connection."""
        run = Run(self._context, function, frozenset({name}), start.states, start.others, owner)
        run.go()
        found = [*run.findings(), *run.noted]
        self._faulty |= {one.line for one in found if one.severity is Severity.ERROR}
        if start.handler:
            found += run.unanswered()
        self._in_helpers += run.in_helpers()
        return found

    def in_helpers(self) -> list[Finding]:
        """Give what is found at calls of helpers, and is no fault of the helper alone."""
        return [one for line, one in self._in_helpers if line not in self._faulty]
