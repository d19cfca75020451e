"""Check a file: read it, analyse its functions, leave out what its comments silence."""

import ast
import gc
import os
import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from micropie._paths import absolute, import_root
from micropie.flow.callees import PLAIN, member
from micropie.flow.findings import Code, Finding, Severity, silence
from micropie.flow.modules import TOO_DEEP, Function, Module, Modules, parse
from micropie.flow.program import Program, Start
from micropie.flow.shape import parameters
from micropie.flow.states import ALL_CALLS, ALL_STATES, NEW

__all__ = ["Checker", "Unreadable"]

_PREFIX: Final = "ws_"

# Handlers that are called by other code, which may have accepted before.
_CALLED: Final = re.compile(rf"\.({_PREFIX}\w+)")

# What a parameter that is a connection can be annotated with besides.
_SHARED: Final = frozenset({"Annotated", "Optional", "Union"})

# Statements with no others in them, which most are.
_SIMPLE: Final = frozenset({ast.Expr, ast.Assign, ast.Return, ast.AugAssign, ast.Raise})

# So deeply may code be nested.
_RECURSION: Final = 20_000


class Unreadable(Exception):
    """A file cannot be read; the message names it and says why."""


class Checker:
    """Checks files, one after the other.

    Args:
        roots: Where modules are looked for that a file imports, after the folder that the file
            itself is imported from.
    """

    def __init__(self, roots: Sequence[Path] = ()) -> None:
        """Hold where to look; nothing is read yet."""
        self._roots = tuple(roots)
        self._modules: dict[Path, Modules] = {}
        # What says how the files that were checked are imported.
        self._packages: set[Path] = set()
        # By folder: where a file in it is imported from, and the name of its package.
        self._places: dict[str, tuple[Path, str]] = {}

    def check_all(self, files: Iterable[Path]) -> Iterator[tuple[Path, list[Finding]]]:
        """Give what is found in each of some files, as `check` does, and quicker.

        Raises:
            Unreadable: There is no such file, or it cannot be read.
        """
        # A syntax tree is so many objects that to look for garbage among them again and again
        # takes half as long as all the rest, and there is none.
        collects = gc.isenabled()
        gc.disable()
        try:
            for file in files:
                yield file, self.check(file)
        finally:
            if collects:
                gc.enable()

    def check(self, file: Path) -> list[Finding]:
        """Give what is found in a file, by line.

        A file that is no valid Python is a finding, with the code `syntax-error`.

        Raises:
            Unreadable: There is no such file, or it cannot be read.
        """
        # Code is nested, and the analysis with it; CPython needs no stack of C for that.
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _RECURSION))
        try:
            try:
                source, tree = parse(file)
            except OSError as error:
                raise Unreadable(f"cannot read {file}: {error.strerror}") from error
            except SyntaxError as error:
                return [_syntax_error(error)]
            try:
                return silence(source, self._findings(file, source, tree))
            except RecursionError:
                return [_syntax_error(SyntaxError(TOO_DEEP))]
        finally:
            sys.setrecursionlimit(limit)

    def consulted(self) -> Iterator[Path]:
        """Give the files that have decided, beside a file itself, what was found so far.

        One that is not there may have decided as well.
        """
        yield from self._packages
        for modules in self._modules.values():
            yield from modules.consulted()

    def _findings(self, file: Path, source: str, tree: ast.Module) -> list[Finding]:
        root, name = self._place(file)
        if root not in self._modules:
            self._modules[root] = Modules([root, *self._roots])
        modules = self._modules[root]
        module = Module(name, tree, file.name == "__init__.py")
        with modules.having(module):
            program = Program(modules, module)
            called = {*_CALLED.findall(source)}
            found: list[Finding] = []
            for function, owner, is_method in _functions(tree.body, None, _defs(source)):
                start_of = owner if is_method else None
                for parameter, start in self._starts(modules, module, function, start_of, called):
                    found += program.analyse(function, parameter, start, owner)
            found += program.in_helpers()
        return _in_characters(source, _once(found))

    def _place(self, file: Path) -> tuple[Path, str]:
        """Give the folder that a file is imported from, and its name as a module."""
        folder = os.path.dirname(os.path.abspath(file))
        if folder not in self._places:
            root = import_root(file)
            self._places[folder] = root, ".".join(Path(folder).relative_to(root).parts)
            self._packages.update(_packages(file, root))
        root, package = self._places[folder]
        if file.name == "__init__.py":
            return root, package
        return root, f"{package}.{file.stem}" if package else file.stem

    def _starts(
        self,
        modules: Modules,
        module: Module,
        function: Function,
        owner: ast.ClassDef | None,
        called: set[str],
    ) -> Iterator[tuple[str, Start]]:
        """Give the parameters of a function that are connections, and what they start with."""
        own = parameters(function)
        handler = ""
        if owner is not None and function.name.startswith(_PREFIX):
            decorators = {module.dotted(one) for one in function.decorator_list}
            rest = own if "staticmethod" in decorators else own[1:]
            if rest and modules.is_application(module, owner):
                handler = rest[0].arg
                known = decorators <= PLAIN and function.name not in called
                # Another definition, or what wraps this one, may stand below.
                last = member(owner, function.name)
                known = known and last is not None and _holds(last, function)
                yield handler, Start(NEW, 0, True) if known else Start(ALL_STATES, ALL_CALLS)
        for parameter in (*own, *function.args.kwonlyargs):
            annotation = parameter.annotation
            if (
                annotation is not None
                and parameter.arg != handler
                and _is_connection(modules, module, annotation)
            ):
                yield parameter.arg, Start(ALL_STATES, ALL_CALLS)


def _defs(source: str) -> list[int]:
    """Give the line of each `def` in some source, in order; others may be among them."""
    found: list[int] = []
    line = 1
    seen = 0
    while (at := source.find("def", seen)) != -1:
        line += source.count("\n", seen, at)
        found.append(line)
        seen = at + 1
    return found


def _functions(
    body: Sequence[ast.stmt],
    owner: ast.ClassDef | None,
    defs: Sequence[int],
    is_method: bool = False,
) -> Iterator[tuple[Function, ast.ClassDef | None, bool]]:
    """Give all functions, the class that `self` is one of, and whether they are its methods.

    `defs` are the lines of each `def`, in order: where there is none, there is no function.
    """
    for node in body:
        if node.__class__ in _SIMPLE:
            continue
        first = bisect_left(defs, node.lineno)
        last = bisect_right(defs, node.end_lineno or node.lineno, first)
        if first == last:
            continue
        if type(node) is ast.FunctionDef or type(node) is ast.AsyncFunctionDef:
            yield node, owner, is_method
            if last - first > 1:
                yield from _functions(node.body, owner, defs)
        elif type(node) is ast.ClassDef:
            yield from _functions(node.body, node, defs, True)
        else:
            for field in ("body", "orelse", "finalbody"):
                yield from _functions(getattr(node, field, ()), owner, defs, is_method)
            for field in ("handlers", "cases"):
                for part in getattr(node, field, ()):
                    yield from _functions(part.body, owner, defs, is_method)


def _is_connection(modules: Modules, module: Module, annotation: ast.expr) -> bool:
    match annotation:
        case ast.Name() | ast.Attribute():
            return modules.canonical(module, annotation) not in ("", "App", "ConnectionClosed")
        case ast.Constant(value=str(text)):
            try:
                return _is_connection(modules, module, ast.parse(text, mode="eval").body)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return False
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return any(_is_connection(modules, module, one) for one in (left, right))
        case ast.Subscript(value=value, slice=inner):
            name = module.dotted(value).rpartition(".")[2]
            meant = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return name in _SHARED and any(
                _is_connection(modules, module, one)
                for one in (meant[:1] if name == "Annotated" else meant)
            )
        case _:
            return False


def _holds(statement: ast.stmt, function: Function) -> bool:
    # Nearly always it is the function itself.
    return statement is function or function in ast.walk(statement)


def _packages(file: Path, root: Path) -> Iterator[Path]:
    """Give what says by being there, or not, that a file is imported from that folder."""
    folder = absolute(file).parent
    while folder != root:
        yield folder / "__init__.py"
        folder = folder.parent
    yield root / "__init__.py"


def _once(found: list[Finding]) -> list[Finding]:
    """Give each finding once; an error counts for more than a warning of the same."""
    best: dict[tuple[int, int, str], Finding] = {}
    # By code, errors come before warnings.
    for one in sorted(found):
        best.setdefault((one.line, one.column, one.code), one)
    return [*best.values()]


def _in_characters(source: str, found: list[Finding]) -> list[Finding]:
    """Count columns in characters; a syntax tree counts bytes of UTF-8."""
    if source.isascii():
        return found
    lines = source.split("\n")
    return [
        replace(one, column=len(lines[one.line - 1].encode()[: one.column - 1].decode()) + 1)
        for one in found
    ]


def _syntax_error(error: SyntaxError) -> Finding:
    return Finding(
        error.lineno or 1,
        error.offset or 1,
        Code.SYNTAX_ERROR,
        Severity.ERROR,
        f"not valid Python: {error.msg}",
    )
