"""Names of handler code, followed to what they mean: through imports, into other files.

Nothing is imported: files are read and their syntax trees looked at.
"""

import ast
import errno
import stat
import tokenize
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

__all__ = ["TOO_DEEP", "Function", "Module", "Modules", "parse"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

TOO_DEEP: Final = "it is nested too deeply"

_PACKAGE: Final = "micropie"

# So many steps a name is followed; imports in a circle can make it longer with each.
_FAR: Final = 200


def parse(file: Path) -> tuple[str, ast.Module]:
    """Read a file and give its source and syntax tree.

    Raises:
        OSError: It cannot be read.
        SyntaxError: It is no valid Python; also where its encoding is wrong, or it is nested too
            deeply.
    """
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        # One would wait for ever to read a pipe.
        raise OSError(errno.EINVAL, "it is no file")
    try:
        with tokenize.open(file) as opened:
            source = opened.read()
    except (UnicodeError, LookupError) as error:
        raise SyntaxError(f"the file is not encoded as it says: {error}") from error
    with warnings.catch_warnings():
        # Of what the file's own author is told when it is run.
        warnings.simplefilter("ignore")
        try:
            return source, ast.parse(source, file)
        except ValueError as error:
            # Half a character; a null byte, before Python 3.11.4.
            raise SyntaxError(str(error)) from error
        except (RecursionError, MemoryError) as error:
            raise SyntaxError(TOO_DEEP) from error


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
        # Names that may mean something else than the function that is called so.
        doubtful: set[str] = set()
        # By dotted name, what `Modules.canonical` has found that it means.
        self.canonical: dict[str, str] = {}
        for node in _statements(tree.body):
            match node:
                case ast.Import() | ast.ImportFrom():
                    if node.names[0].name == "*" and isinstance(node, ast.ImportFrom):
                        self.stars.append(self._source(node))
                    self.imports.update(self._imported(node))
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if node.name in self.functions:
                        doubtful.add(node.name)
                    self.functions[node.name] = node
                case ast.Assign(targets=targets):
                    doubtful |= {one.id for one in targets if isinstance(one, ast.Name)}
                case ast.ClassDef():
                    self.classes[node.name] = node
                case _:
                    pass
        for name in doubtful | self.imports.keys():
            self.functions.pop(name, None)

    def learn(self, node: ast.Import | ast.ImportFrom) -> None:
        """Take stock of an import in a function, whose names nothing else has."""
        for name, meaning in self._imported(node):
            self.imports.setdefault(name, meaning)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
        source = self._source(node) if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            name = f"{source}.{alias.name}" if source else alias.name
            if isinstance(node, ast.Import) and not alias.asname:
                name = name.partition(".")[0]
            if alias.name != "*":
                yield alias.asname or name.rpartition(".")[2], name

    def _source(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.package.split(".") if self.package else []
        above = node.level - 1
        if above > len(parts):
            # Who knows where that is: no module is called so.
            return "."
        return ".".join([*parts[: len(parts) - above], *([node.module] if node.module else [])])

    def meaning(self, name: str) -> str:
        """Give what a name with dots in it, or none, means: its first part may be imported."""
        first, dot, rest = name.partition(".")
        return f"{self.imports.get(first, first)}{dot}{rest}"

    def dotted(self, node: ast.expr) -> str:
        """Give the dotted name that an expression means, with imports followed; empty: none."""
        if type(node) is ast.Name:
            return self.imports.get(node.id, node.id)
        if type(node) is ast.Attribute:
            owner = self.dotted(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return self.dotted(node.value) if type(node) is ast.Subscript else ""


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements that run when the module is imported, or may."""
    # Most are none of these, and a pattern takes longer to say so than a look at the class.
    for node in body:
        if type(node) is ast.If:
            yield from _statements([*node.body, *node.orelse])
        elif type(node) is ast.Try:
            yield from _statements([*node.body, *node.orelse, *node.finalbody])
            for handler in node.handlers:
                yield from _statements(handler.body)
        elif type(node) is ast.With:
            yield from _statements(node.body)
        else:
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
        # What was asked for, whether it is there or not.
        self._asked: set[str] = set()
        self._applications: dict[ast.ClassDef, bool] = {}

    @contextmanager
    def having(self, module: Module) -> Generator[None, None, None]:
        """Make a module known that was read already, for as long as it is looked at."""
        known = self._known.pop(module.name, None)
        self._known[module.name] = module
        try:
            yield
        finally:
            # All syntax trees of a project would fill the memory.
            del self._known[module.name]
            if known is not None:
                self._known[module.name] = known
            self._applications.clear()

    def find(self, name: str) -> Module | None:
        """Give a module; None: there is none that can be read, or it is not valid Python."""
        self._asked.add(name)
        if name not in self._known:
            # A module that imports itself finds nothing new in itself.
            self._known[name] = None
            self._known[name] = self._read(name)
        return self._known[name]

    def consulted(self) -> Iterator[Path]:
        """Give the files that were looked for so far, those that are not there too."""
        for name in self._asked:
            yield from self._places(name)

    def _places(self, name: str) -> Iterator[Path]:
        if all(part.isidentifier() for part in name.split(".")):
            path = Path(*name.split("."))
            for root in self._roots:
                yield root / path / "__init__.py"
                yield (root / path).with_suffix(".py")

    def _read(self, name: str) -> Module | None:
        for file in self._places(name):
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
        dotted = module.dotted(node)
        known = module.canonical.get(dotted)
        if known is None:
            found = self._follow(module, dotted, set())
            known = module.canonical[dotted] = found if isinstance(found, str) else ""
        return known

    def is_application(self, module: Module, owner: ast.ClassDef) -> bool:
        """Whether a class is an `App`."""
        if owner not in self._applications:
            self._applications[owner] = "App" in self.bases(module, owner)
        return self._applications[owner]

    def bases(
        self, module: Module, owner: ast.ClassDef
    ) -> Iterator[tuple[Module, ast.ClassDef] | str]:
        """Give the class and all its bases, those of micropie's by their name; empty: who knows."""
        seen: set[int] = set()
        ahead: list[tuple[Module, ast.ClassDef] | str] = [(module, owner)]
        while ahead:
            found = ahead.pop(0)
            if isinstance(found, str):
                yield found
                continue
            module, owner = found
            if id(owner) in seen:
                continue
            seen.add(id(owner))
            yield module, owner
            ahead += (self._follow(module, module.dotted(base), set()) for base in owner.bases)

    def _follow(
        self, module: Module, dotted: str, seen: set[tuple[str, str]]
    ) -> tuple[Module, ast.ClassDef] | str:
        if not dotted or (module.name, dotted) in seen or len(seen) == _FAR:
            return ""
        seen.add((module.name, dotted))
        own = _own(dotted)
        if own:
            return own
        if dotted in module.classes:
            return module, module.classes[dotted]
        # The longest part that is a module.
        owner, _, rest = dotted.rpartition(".")
        while owner:
            other = self.find(owner)
            if other is not None:
                return self._follow(other, other.meaning(rest), seen)
            owner, _, name = owner.rpartition(".")
            rest = f"{name}.{rest}"
        for star in module.stars:
            found = _own(f"{star}.{dotted}")
            if found:
                return found
            other = self.find(star)
            if other is not None and (further := self._follow(other, other.meaning(dotted), seen)):
                return further
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
