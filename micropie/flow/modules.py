"""Names of handler code, followed to what they mean: through imports, into other files.

Nothing is imported: files are read and their syntax trees looked at.
"""

import ast
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

__all__ = ["Function", "Module", "Modules", "parse"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_PACKAGE: Final = "micropie"


def parse(file: Path) -> tuple[str, ast.Module]:
    """Read a file and give its source and syntax tree.

    Raises:
        OSError: It cannot be read.
        SyntaxError: It is no valid Python; also where its encoding is wrong.
    """
    with tokenize.open(file) as opened:
        try:
            source = opened.read()
        except UnicodeDecodeError as error:
            raise SyntaxError(f"the file is not encoded as {error.encoding}: {error}") from error
    try:
        return source, ast.parse(source, file)
    except ValueError as error:
        # A null byte, before Python 3.12.
        raise SyntaxError(str(error)) from error


class Module:
    """One file: its definitions and what its imports are called here.

    Args:
        name: How it is imported, as far as that is known.
        tree: Its syntax tree.
        is_package: Whether it is an `__init__.py`.
    """

    def __init__(self, name: str, tree: ast.Module, is_package: bool = False) -> None:
        """Take stock of the module's own names."""
        self.name = name
        self.package: str = name if is_package else name.rpartition(".")[0]
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        # By local name, the dotted name of what was imported.
        self.imports: dict[str, str] = {}
        # Modules from which all names were imported.
        self.stars: list[str] = []
        for node in _statements(tree.body):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.functions[node.name] = node
                case ast.ClassDef():
                    self.classes[node.name] = node
                case ast.Import():
                    for alias in node.names:
                        if alias.asname:
                            self.imports[alias.asname] = alias.name
                        else:
                            top = alias.name.partition(".")[0]
                            self.imports[top] = top
                case ast.ImportFrom():
                    source = self._source(node)
                    for alias in node.names:
                        if alias.name == "*":
                            self.stars.append(source)
                        else:
                            self.imports[alias.asname or alias.name] = f"{source}.{alias.name}"
                case _:
                    pass

    def _source(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def dotted(self, node: ast.expr) -> str:
        """Give the dotted name that an expression means, with imports followed; empty: none."""
        match node:
            case ast.Name(id=name):
                return self.imports.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                owner = self.dotted(value)
                return f"{owner}.{attr}" if owner else ""
            case ast.Subscript(value=value):
                return self.dotted(value)
            case _:
                return ""


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements that run when the module is imported, or may."""
    for node in body:
        match node:
            case ast.If(body=body, orelse=orelse):
                yield from _statements([*body, *orelse])
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                yield from _statements([*body, *orelse, *final])
                for handler in handlers:
                    yield from _statements(handler.body)
            case ast.With(body=body):
                yield from _statements(body)
            case _:
                yield node


class Modules:
    """The modules that can be imported from some folders, read when they are needed.

    Args:
        roots: The folders, as in `sys.path`.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        """Hold where to look; nothing is read yet."""
        self._roots = roots
        self._known: dict[str, Module | None] = {}
        self._applications: dict[ast.ClassDef, bool] = {}

    def add(self, module: Module) -> None:
        """Make a module known that was read already."""
        self._known[module.name] = module

    def find(self, name: str) -> Module | None:
        """Give a module; None: there is none that can be read, or it is not valid Python."""
        if name not in self._known:
            # A module that imports itself finds nothing new in itself.
            self._known[name] = None
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> Module | None:
        if not all(part.isidentifier() for part in name.split(".")):
            return None
        path = Path(*name.split("."))
        for root in self._roots:
            for file in (root / path / "__init__.py", (root / path).with_suffix(".py")):
                try:
                    _, tree = parse(file)
                except (OSError, SyntaxError):
                    continue
                return Module(name, tree, file.name == "__init__.py")
        return None

    def canonical(self, module: Module, node: ast.expr) -> str:
        """Give the name under which micropie knows what an expression means; empty: it does not.

        That is `App`, `WebSocket`, `ConnectionClosed`, or a name of `micropie.contract`.
        """
        name = self._follow(module, module.dotted(node), set())
        return name if isinstance(name, str) else ""

    def class_of(self, module: Module, node: ast.expr) -> tuple[Module, ast.ClassDef] | None:
        """Give the class that an expression means; None: it is not known."""
        found = self._follow(module, module.dotted(node), set())
        return None if isinstance(found, str) else found

    def is_application(self, module: Module, owner: ast.ClassDef) -> bool:
        """Whether a class is an `App`."""
        if owner not in self._applications:
            self._applications[owner] = "App" in self.bases(module, owner)
        return self._applications[owner]

    def bases(
        self, module: Module, owner: ast.ClassDef
    ) -> Iterator[tuple[Module, ast.ClassDef] | str]:
        """Give the class and all its bases that are known, those of micropie's by their name."""
        seen: set[int] = set()
        ahead = [(module, owner)]
        while ahead:
            module, owner = ahead.pop(0)
            if id(owner) in seen:
                continue
            seen.add(id(owner))
            yield module, owner
            for base in owner.bases:
                match self._follow(module, module.dotted(base), set()):
                    case "":
                        pass
                    case str(name):
                        yield name
                    case found:
                        ahead.append(found)

    def _follow(
        self, module: Module, dotted: str, seen: set[tuple[str, str]]
    ) -> tuple[Module, ast.ClassDef] | str:
        if not dotted or (module.name, dotted) in seen:
            return ""
        seen.add((module.name, dotted))
        own = _own(dotted)
        if own:
            return own
        if dotted in module.classes:
            return module, module.classes[dotted]
        if dotted in module.imports and module.imports[dotted] != dotted:
            return self._follow(module, module.imports[dotted], seen)
        if "." not in dotted:
            for star in module.stars:
                if found := self._follow(module, f"{star}.{dotted}", seen):
                    return found
            return ""
        # The longest part that is a module.
        owner, _, rest = dotted.rpartition(".")
        while owner:
            other = self.find(owner)
            if other is not None:
                return self._follow(other, rest, seen)
            owner, _, name = owner.rpartition(".")
            rest = f"{name}.{rest}"
        return ""


def _own(dotted: str) -> str:
    """Give the name of something of micropie's; empty: it is none."""
    package, _, rest = dotted.partition(".")
    if package != _PACKAGE or not rest:
        return ""
    return _OWN.get(rest, "")


_ROLES: Final = (
    "Acceptable",
    "TextReceiver",
    "BytesReceiver",
    "TextSender",
    "BytesSender",
    "Closable",
    "Receiver",
    "Sender",
    "WebSocketContract",
)

_OWN: Final[Mapping[str, str]] = {
    "App": "App",
    "app.App": "App",
    "WebSocket": "WebSocket",
    "websocket.WebSocket": "WebSocket",
    "ConnectionClosed": "ConnectionClosed",
    "websocket.ConnectionClosed": "ConnectionClosed",
    **{f"contract.{role}": role for role in _ROLES},
}
