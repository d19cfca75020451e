"""The functions of a module that are called with a connection, and what they do with it."""

import ast
from collections.abc import Iterable, Mapping
from typing import Final

from micropie.flow.modules import Function, Module, Modules
from micropie.flow.shape import HARMLESS, assigned, parameters
from micropie.flow.states import ALL_CALLS, METHODS, bit

__all__ = ["PLAIN", "Callees", "bound", "is_named"]

_TYPING: Final = ("typing", "typing_extensions")

PLAIN: Final = frozenset(
    {
        *("staticmethod", "classmethod"),
        *(f"{module}.{name}" for module in _TYPING for name in ("final", "override")),
    }
)
"""The decorators that change nothing of what a method does when it is called."""


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
        self._kinds: dict[tuple[ast.AST, frozenset[str], ast.ClassDef | None], int] = {}
        # What is gone through at the moment: a function that is called again makes no other calls
        # by that.
        self._seen: set[tuple[ast.AST, frozenset[str], ast.ClassDef | None]] = set()

    def method(self, owner: ast.ClassDef | None, name: str) -> tuple[Function, set[str]] | None:
        """Give a method of a class, or of its bases in this module, and its decorators."""
        if owner is None:
            return None
        for found in self._modules.bases(self._module, owner):
            if isinstance(found, str) or found[0] is not self._module:
                continue
            # The last definition counts.
            for node in reversed(found[1].body):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                    decorators = {self._module.dotted(one) for one in node.decorator_list}
                    return (node, decorators) if decorators <= PLAIN else None
        return None

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
        self, func: ast.expr, owner: ast.ClassDef | None, closures: Mapping[str, Function]
    ) -> tuple[Function, int] | None:
        """Give the function of this module that is called, and how many parameters it has before.

        None: it is none, or who knows which.
        """
        match func:
            case ast.Name(id=name):
                found = closures.get(name) or self._module.functions.get(name)
                return (found, 0) if found is not None and not found.decorator_list else None
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr):
                method = self.method(owner, attr)
                return None if method is None else (method[0], "staticmethod" not in method[1])
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                # Of a class, called with `self` among its arguments.
                method = self.method(self._module.classes.get(name), attr)
                return None if method is None else (method[0], "classmethod" in method[1])
            case _:
                return None
