"""The functions of a module that are called with a connection, and what they do with it."""

import ast
from collections.abc import Iterable, Mapping
from typing import Final

from micropie.flow.modules import Function, Module, Modules
from micropie.flow.shape import HARMLESS, assigned, parameters
from micropie.flow.states import ALL_CALLS, METHODS, bit
from micropie.flow.syntax import is_hook

__all__ = ["PLAIN", "Callees", "bound", "is_named", "member"]

_TYPING: Final = ("typing", "typing_extensions")

PLAIN: Final = frozenset(
    {
        *("staticmethod", "classmethod"),
        *(f"{module}.{name}" for module in _TYPING for name in ("final", "override")),
    }
)
"""The decorators that change nothing of what a method does when it is called."""


_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

# What a name can be used in, without that anything can become of the connection.
_OF_INTEREST: Final = frozenset(
    {
        *(ast.Name, ast.Attribute, ast.Call, ast.Compare),
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda),
    }
)


def is_named(node: ast.AST, names: Iterable[str]) -> bool:
    """Whether an expression is one of some names."""
    return isinstance(node, ast.Name) and node.id in names


def bound(
    function: Function, call: ast.Call, names: Iterable[str], skipped: int
) -> frozenset[str] | None:
    """Give the parameters that a call fills with the connection; None: who knows which."""
    found: set[str] = set()
    own = parameters(function)[skipped:]
    for number, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            if any(is_named(one, names) for one in call.args[number:]):
                return None
            break
        if is_named(argument, names):
            if number >= len(own):
                return None
            found.add(own[number].arg)
    known = {one.arg for one in (*own, *function.args.kwonlyargs)}
    for keyword in call.keywords:
        if is_named(keyword.value, names):
            if keyword.arg not in known:
                return None
            found.add(keyword.arg)
    return frozenset(found)


def member(owner: ast.ClassDef, name: str) -> ast.stmt | None:
    """Give the last statement of a class that says what a name means in it; None: there is none."""
    for node in reversed(owner.body):
        if isinstance(node, _DEFINITIONS):
            if node.name == name:
                return node
        elif not isinstance(node, ast.AnnAssign) or node.value is not None:
            for one in ast.walk(node):
                match one:
                    case ast.Name(id=id, ctx=ast.Store()) if id == name:
                        return node
                    case ast.FunctionDef() | ast.AsyncFunctionDef() if one.name == name:
                        return node
                    case _:
                        pass
    return None


class Callees:
    """The functions of one module.

    Args:
        modules: Where its imports lead.
        module: The module.
    """

    def __init__(self, modules: Modules, module: Module) -> None:
        """Hold the module; nothing is looked at yet."""
        self._modules = modules
        self._module = module
        self._methods: dict[tuple[ast.ClassDef, str], tuple[Function, set[str]] | None] = {}
        self._kinds: dict[tuple[ast.AST, frozenset[str], ast.ClassDef | None], int] = {}
        # What is gone through at the moment: a function that is called again makes no other calls
        # by that.
        self._seen: set[tuple[ast.AST, frozenset[str], ast.ClassDef | None]] = set()

    def method(self, owner: ast.ClassDef | None, name: str) -> tuple[Function, set[str]] | None:
        """Give a method of a class, or of its bases in this module, and its decorators."""
        if owner is None:
            return None
        key = owner, name
        if key not in self._methods:
            self._methods[key] = self._find_method(owner, name)
        return self._methods[key]

    def _find_method(self, owner: ast.ClassDef, name: str) -> tuple[Function, set[str]] | None:
        for found in self._modules.bases(self._module, owner):
            if found == "":
                # A base of which nothing is known may have it.
                return None
            if isinstance(found, str):
                continue
            node = member(found[1], name)
            if node is None:
                continue
            if (
                found[0] is not self._module
                or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                or is_hook(node)
                or self._is_overridden(owner, name)
            ):
                return None
            decorators = {self._module.dotted(one) for one in node.decorator_list}
            return (node, decorators) if decorators <= PLAIN else None
        return None

    def _is_overridden(self, owner: ast.ClassDef, name: str) -> bool:
        return any(
            one is not owner and member(one, name) is not None and self._is_base(owner, one)
            for one in self._module.classes.values()
        )

    def _is_base(self, base: ast.ClassDef, owner: ast.ClassDef) -> bool:
        return (self._module, base) in self._modules.bases(self._module, owner)

    def kinds(self, node: ast.AST, names: frozenset[str], owner: ast.ClassDef | None) -> int:
        """Give the calls that code may make of a connection that it calls by one of `names`."""
        key = node, names, owner
        if key in self._kinds:
            return self._kinds[key]
        if key in self._seen:
            return 0
        is_outermost = not self._seen
        self._seen.add(key)
        found = self._find_kinds(node, names, owner)
        if is_outermost:
            # Of those that it calls in a circle, not all was found.
            self._seen.clear()
            self._kinds[key] = found
        return found

    def _find_kinds(self, node: ast.AST, names: frozenset[str], owner: ast.ClassDef | None) -> int:
        if node.__class__ not in _OF_INTEREST:
            return self._all_kinds(ast.iter_child_nodes(node), names, owner)
        match node:
            case ast.Name(id=name):
                return ALL_CALLS if name in names else 0
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in names:
                if attr in METHODS:
                    return bit(attr)
                return 0 if attr in ("accepted", "session_id") else ALL_CALLS
            case ast.Call(func=ast.Name(id=name), args=args) if name in HARMLESS:
                rest = [one for one in args if not is_named(one, names)]
                return self._all_kinds([*rest, *node.keywords], names, owner)
            case ast.Call(func=func, args=args) if any(is_named(one, names) for one in args):
                found = self.callee(func, owner, {})
                if found is not None:
                    inner = bound(found[0], node, names, found[1])
                    if inner is not None:
                        passed = (*args, *(one.value for one in node.keywords))
                        rest = [one for one in passed if not is_named(one, names)]
                        return self.kinds(found[0], inner, owner) | self._all_kinds(
                            [func, *rest], names, owner
                        )
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                body = node.body if isinstance(node.body, list) else [node.body]
                given = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
                own = {one.arg for one in (*parameters(node), *node.args.kwonlyargs)}
                inner = names - (assigned(node) - own)
                return self._all_kinds(body, inner, owner) | self._all_kinds(given, names, owner)
            case ast.Compare(left=left, comparators=others):
                rest = [one for one in (left, *others) if not is_named(one, names)]
                return self._all_kinds(rest, names, owner)
            case _:
                pass
        return self._all_kinds(ast.iter_child_nodes(node), names, owner)

    def _all_kinds(
        self, nodes: Iterable[ast.AST], names: frozenset[str], owner: ast.ClassDef | None
    ) -> int:
        found = 0
        for node in nodes:
            found |= self._find_kinds(node, names, owner)
        return found

    def callee(
        self, func: ast.expr, owner: ast.ClassDef | None, closures: Mapping[str, Function | None]
    ) -> tuple[Function, int] | None:
        """Give the function of this module that is called, and how many parameters it has before.

        None: it is none, or who knows which.
        """
        match func:
            case ast.Name(id=name):
                found = closures[name] if name in closures else self._module.functions.get(name)
                return (found, 0) if found is not None and not found.decorator_list else None
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr):
                method = self.method(owner, attr)
                return None if method is None else (method[0], "staticmethod" not in method[1])
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                # Of a class, called with `self` among its arguments.
                named = self._module.classes.get(name)
                method = self.method(named, attr)
                if named is None or method is None:
                    return None
                if "staticmethod" not in method[1] and not (
                    owner is not None and self._is_base(named, owner)
                ):
                    # What is `self` in it is one of another class.
                    return None
                return method[0], "classmethod" in method[1]
            case _:
                return None
