"""A mypy plugin: can a `micropie.App` serve its handlers?

    [mypy]
    plugins = micropie.mypy_plugin

It finds what `App` refuses with a TypeError when a class is derived, and what only types tell: a
parameter for the connection that the connection does not fit, a result that goes nowhere. Its
findings have the error code `micropie-handler`.

Where it looks. Types can be compared in mypy's second phase, in the checker, which has no hook for
a class. But it calls the decorators of a class, and there is a hook for calls: so each subclass of
`App` gets a decorator that is in no file. That is once for each class, whether it is instantiated
or not and whatever its metaclass, after its body and so with the types of decorated handlers. What
was tried besides:

- In a hook for classes (`get_base_class_hook` and its like), in the first phase, names are still
  being resolved: `is_subtype` crashes, decorated functions have no type.
- The hook for the instantiation of a class misses those that are instantiated elsewhere or never.
- mypy simulates the call of `__init_subclass__`, where `App` itself looks, but not for a class
  with a metaclass, and the hook is not told the class.

When it looks again. `_Class._depend_on` tells mypy's cache and daemon what a class rests on. They
know this plugin by its file alone, so it takes nothing from the other modules of the package.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

# What mypy documents for plugins. Were it gone, mypy itself would say so in one line.
from mypy.errorcodes import ErrorCode
from mypy.plugin import ClassDefContext, FunctionContext, Plugin, ReportConfigContext

_moved = ""
try:
    from mypy.checker import TypeChecker
    from mypy.erasetype import erase_typevars
    from mypy.messages import format_type
    from mypy.nodes import (
        ARG_POS,
        ClassDef,
        Context,
        Decorator,
        FuncDef,
        MemberExpr,
        OverloadedFuncDef,
        TempNode,
        TypeInfo,
        Var,
    )
    from mypy.server.deps import get_type_triggers
    from mypy.server.trigger import make_wildcard_trigger
    from mypy.subtypes import is_subtype
    from mypy.typeops import bind_self
    from mypy.types import (
        AnyType,
        CallableType,
        Instance,
        NoneType,
        ParamSpecType,
        Type,
        TypeOfAny,
        TypeVarType,
        UnionType,
        UnpackType,
        get_proper_type,
    )
    from mypy.typestate import type_state
    from mypy.typevars import fill_typevars
except ImportError as _error:  # this mypy has moved it
    _moved = str(_error)
    if TYPE_CHECKING:
        raise  # from here on the names are there: `plugin` gives nothing away that uses them

if TYPE_CHECKING:
    from typing import TypeAlias

    _Definition: TypeAlias = FuncDef | Decorator | OverloadedFuncDef | Var

__all__ = ["plugin"]

_CODE: Final = ErrorCode(
    "micropie-handler", "Check that micropie.App can serve its ws_* methods", "micropie"
)

# The major version of mypy that this was tried with.
_TRIED: Final = "2"

_APP: Final = "micropie.app.App"
_CONNECTION: Final = "micropie.websocket.WebSocket"

# What `App` takes for the name of a handler.
_PREFIX: Final = "ws_"
_NOT: Final = "ws__"

# What `App` takes for a handler though it has no `__call__`.
_CALLABLE: Final = ("builtins.classmethod", "functools.partialmethod")

_DIGEST: Final = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()

_MARK: Final = "micropie.mypy_plugin.<checked>"


def plugin(version: str) -> type[Plugin]:
    """Give mypy the plugin, or one that does nothing when this mypy is not known.

    One that goes on regardless would crash, or be silent where it should not; the rest of mypy is
    of use without it. So it says in one line on standard error that handlers are not checked.

    Args:
        version: The version of mypy, which calls this.
    """
    reason = _moved
    if version.partition(".")[0] != _TRIED:
        reason = f"it knows mypy {_TRIED} alone"
    if not reason:
        return _HandlerPlugin
    print(
        f"micropie.mypy_plugin: handlers are not checked with mypy {version}: {reason}",
        file=sys.stderr,
    )
    return Plugin


class _HandlerPlugin(Plugin):
    def report_config_data(self, ctx: ReportConfigContext) -> str:
        """Let no finding of another version of this file stay in mypy's cache.

        mypy compares the plugin's file with that of the last run only, which may have been one
        over other modules.
        """
        return _DIGEST

    def get_customize_class_mro_hook(
        self, fullname: str
    ) -> Callable[[ClassDefContext], None] | None:
        """Mark each subclass of `App`, as soon as its bases are known."""
        symbol = self.lookup_fully_qualified(fullname)
        if (
            symbol is None
            or not isinstance(symbol.node, TypeInfo)
            or not symbol.node.has_base(_APP)
        ):
            return None  # another plugin may want it
        return _mark

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """Check the marked classes."""
        return self._check if fullname == _MARK else None

    def _check(self, context: FunctionContext) -> Type:
        checker, defn = context.api, context.context
        assert isinstance(checker, TypeChecker)
        assert isinstance(defn, ClassDef)
        try:
            connection = self.lookup_fully_qualified(_CONNECTION)
            # In the daemon, a class can have lost the base that it was marked for. Where mypy is
            # told not to follow the import of the connection, it can be anything.
            if defn.info.has_base(_APP) and connection and isinstance(connection.node, TypeInfo):
                _Class(self, checker, defn.info, Instance(connection.node, [])).check()
        except Exception as error:
            if checker.options.show_traceback:
                raise
            # No crash: the next mypy may have changed what is used here, and does other checks.
            checker.fail(
                f'The handlers of "{defn.name}" cannot be checked with this mypy '
                f"({type(error).__name__}: {error}); --show-traceback shows more",
                defn,
                code=_CODE,
            )
        return context.default_return_type


def _mark(context: ClassDefContext) -> None:
    """Put a decorator on a class that mypy alone sees: one that takes everything."""
    decorators = context.cls.decorators
    if any(isinstance(decorator, TempNode) for decorator in decorators):
        return  # a class can be analysed more than once
    anything = AnyType(TypeOfAny.special_form)
    function = context.api.named_type("builtins.function")
    kind = CallableType([anything], [ARG_POS], [None], anything, function, name=_MARK)
    # The outermost, called last: what the others are given stays as it is.
    decorators.insert(0, TempNode(kind, context=context.cls))


class _Problem(NamedTuple):
    """What is wrong with a handler, and the parameter that it is wrong with, if it is one."""

    what: str
    parameter: str | None = None
    # The Protocol that the connection does not satisfy, if it is one.
    protocol: Instance | None = None


class _Class:
    """The check of one subclass of `App`."""

    def __init__(
        self, plugin: Plugin, checker: TypeChecker, info: TypeInfo, connection: Instance
    ) -> None:
        self._plugin = plugin
        self._checker = checker
        self._info = info
        self._connection = connection
        self._seen: set[str] = set()

    def check(self) -> None:
        """Report what is wrong with the handlers that the class has, or gets from a mixin."""
        self._depend_on(fill_typevars(self._info))
        self._depend_on(self._connection)
        for name in {name: None for base in reversed(self._info.mro) for name in base.names}:
            # mypy keeps what is defined twice under another name, with a hyphen.
            if name.startswith(_PREFIX) and not name.startswith(_NOT) and name.isidentifier():
                self._check_handler(name)

    def _check_handler(self, name: str) -> None:
        owner = self._info.get_containing_type_info(name)
        assert owner is not None
        node = owner.names[name].node
        # It is reported where an App has it first; one that is generic may have another type here.
        for base in self._info.mro[1:]:
            if (
                base.has_base(_APP)
                and not base.is_generic()
                and base.get_containing_type_info(name) is owner
            ):
                return
        # Else a class, or an alias of one.
        if not isinstance(node, (FuncDef, Decorator, OverloadedFuncDef, Var)):
            return
        if (node.var if isinstance(node, Decorator) else node).is_property:
            return
        function = _function(node)
        label = f'Handler "{name}"'
        inherited = owner is not self._info
        if inherited:
            label += f', inherited from "{owner.fullname}",'
        for problem in self._problems(name, node, function, inherited):
            where: Context = self._info.defn
            if not inherited:
                where = node if function is None else _parameter(function, problem.parameter)
            error = self._checker.msg.fail(f"{label} {problem.what}", where, code=_CODE)
            if problem.protocol is not None:
                self._checker.msg.report_protocol_problems(
                    self._connection, problem.protocol, where, parent_error=error
                )

    def _problems(
        self, name: str, node: _Definition, function: FuncDef | None, inherited: bool
    ) -> Iterator[_Problem]:
        if function is not None and not _is_decorated(node, inherited):
            if not function.is_coroutine:
                yield _Problem(
                    'is not async, so "App" refuses the class: write "async def". What is no '
                    f'handler needs a name that does not begin with "{_PREFIX}"'
                )
                return
            if function.is_async_generator:
                yield _Problem(
                    'is an async generator, so "App" refuses the class: take the "yield" out and '
                    'send with "await ws.send_text(...)"'
                )
                return
            if not function.arg_kinds and not function.is_static:
                return  # that there is no self is an error of mypy's own
        for handler in self._callables(self._type_of(name, node)):
            self._depend_on(handler)
            yield from self._result_problems(handler)
            yield from self._parameter_problems(handler, None if inherited else function)

    def _type_of(self, name: str, node: _Definition) -> Type:
        """The type that an application's attribute has, as it gets it: bound to the instance."""
        this = fill_typevars(self._info)
        if isinstance(node, OverloadedFuncDef) and node.impl is not None:
            # A URL fills the parameters of what runs.
            implementation = get_proper_type(node.impl.type)
            if isinstance(implementation, CallableType) and not node.is_static:
                return bind_self(implementation, this, is_classmethod=node.is_class)
            return implementation or AnyType(TypeOfAny.special_form)
        kind = get_proper_type(node.type) if isinstance(node, (Decorator, Var)) else None
        if isinstance(kind, (Instance, UnionType)):
            self._depend_on(kind)  # on its __get__
        if isinstance(kind, Instance) and not _is_callable(kind.type):
            return NoneType()
        return self._member(this, name)

    def _member(self, owner: Type, name: str) -> Type:
        expression = MemberExpr(TempNode(owner, context=self._info.defn), name)
        expression.set_line(self._info.defn)
        # What can be wrong with it is no matter of ours.
        with self._checker.msg.filter_errors(filter_deprecated=True):
            return self._checker.get_expression_type(expression)

    def _callables(self, value: Type) -> Iterator[CallableType]:
        """What of a type is called for a connection; nothing when it is no handler."""
        value = get_proper_type(value)
        if isinstance(value, UnionType):
            for item in value.items:
                yield from self._callables(item)
        elif isinstance(value, Instance):
            self._depend_on(value)  # on its __call__
            call = get_proper_type(self._member(value, "__call__"))
            if isinstance(call, CallableType):
                yield call.with_unpacked_kwargs()
        elif isinstance(value, CallableType) and not value.is_type_obj():
            yield value.with_unpacked_kwargs()

    def _result_problems(self, handler: CallableType) -> Iterator[_Problem]:
        result = handler.ret_type
        if self._is_awaitable(result, NoneType()):
            return
        if self._is_awaitable(result, AnyType(TypeOfAny.special_form)):
            awaited = self._checker.expr_checker.check_awaitable_expr(result, self._info.defn, "")
            yield _Problem(f'returns {self._shown(awaited)}, which goes nowhere: write "-> None"')
        else:
            yield _Problem(
                f"gives {self._shown(result)}, which is nothing to await: a handler is "
                '"async def" and returns None'
            )

    def _is_awaitable(self, kind: Type, result: Type) -> bool:
        return is_subtype(kind, self._checker.named_generic_type("typing.Awaitable", [result]))

    def _parameter_problems(
        self, handler: CallableType, function: FuncDef | None
    ) -> Iterator[_Problem]:
        kinds = handler.arg_kinds
        if not kinds or kinds[0].is_named(star=True):
            yield _Problem(
                'has no parameter for the connection, so "App" refuses the class: the first one, '
                'which a method has after self, gets it: "async def ws_name(self, ws: WebSocket)"'
            )
            return
        for index, (kind, wanted) in enumerate(zip(kinds, handler.arg_types, strict=True)):
            name = _name(handler, index, function)
            called = f'"{name}"' if name else f"number {index + 1}"
            if index == 0:
                yield from self._connection_problems(name, called, wanted)
            if index > 0 or kind.is_star():
                yield from self._filled_problems(name, called, wanted)

    def _connection_problems(
        self, name: str | None, called: str, wanted: Type
    ) -> Iterator[_Problem]:
        if _accepts(wanted, self._connection):
            return
        shown = self._shown(wanted)
        wanted = get_proper_type(wanted)
        if isinstance(wanted, Instance) and wanted.type.fullname == "builtins.str":
            yield _Problem(
                'has no parameter for the connection, so "App" refuses the class: the first one '
                f'gets it, but {called} is a "str". Put "ws: WebSocket" before it',
                name,
            )
        else:
            protocol = wanted if isinstance(wanted, Instance) and wanted.type.is_protocol else None
            yield _Problem(
                f"has a parameter {called} that is {shown}, but it gets the connection, a "
                f'"{_CONNECTION}": write "{_annotated(name)}WebSocket", or a Protocol that it '
                "satisfies",
                name,
                protocol,
            )

    def _filled_problems(self, name: str | None, called: str, wanted: Type) -> Iterator[_Problem]:
        text = self._checker.named_generic_type("builtins.str", [])
        if not _accepts(wanted, text):
            yield _Problem(
                f"has a parameter {called} that is {self._shown(wanted)}, but what a URL gives is "
                f'a "str": write "{_annotated(name)}str" and convert it in the handler',
                name,
            )

    def _shown(self, kind: Type) -> str:
        return format_type(kind, self._checker.options)

    def _depend_on(self, kind: Type) -> None:
        """Check the class again when something changes that `kind` rests on.

        mypy knows what the class and the handlers name, but not that the class is looked at again
        with what its bases and the Protocols have in them.
        """
        dependencies = self._checker.tree.plugin_deps
        target = self._checker.tscope.current_target()
        for trigger in get_type_triggers(kind, use_logical_deps=False):
            if trigger in self._seen:
                continue
            self._seen.add(trigger)
            dependencies.setdefault(trigger, set()).add(target)
            symbol = self._plugin.lookup_fully_qualified(trigger[1:-1])
            if symbol is None or not isinstance(symbol.node, TypeInfo):
                continue
            for base in symbol.node.mro:
                self._checker.module_refs.add(base.module_name)
                wildcard = make_wildcard_trigger(base.fullname)
                dependencies.setdefault(wildcard, set()).add(target)
            if symbol.node.is_protocol:
                # The daemon remembers what satisfied it before a member's own members changed.
                type_state.reset_subtype_caches_for(symbol.node)
                for name in symbol.node.protocol_members:
                    member = symbol.node[name].type
                    if member is not None:
                        self._depend_on(member)


def _function(node: _Definition) -> FuncDef | None:
    """The function behind a definition, if there is one."""
    if isinstance(node, OverloadedFuncDef):
        return None if node.impl is None else _function(node.impl)
    if isinstance(node, Decorator):
        return node.func
    return node if isinstance(node, FuncDef) else None


def _is_decorated(node: _Definition, inherited: bool) -> bool:
    if isinstance(node, OverloadedFuncDef):
        return node.impl is None or _is_decorated(node.impl, inherited)
    # Of another module, mypy's cache has the type alone and not the decorators.
    return isinstance(node, Decorator) and (inherited or bool(node.decorators))


def _parameter(function: FuncDef, name: str | None) -> Context:
    for argument in function.arguments:
        if argument.variable.name == name:
            return argument
    return function


def _name(handler: CallableType, index: int, function: FuncDef | None) -> str | None:
    name = handler.arg_names[index]
    if name is None and function is not None:
        # One that is positional. What a decorator has made may have others.
        arguments = function.arguments[0 if function.is_static else 1 :]
        if len(arguments) == len(handler.arg_names):
            return arguments[index].variable.name
    return name


def _annotated(name: str | None) -> str:
    return f"{name}: " if name else ""


def _is_callable(kind: TypeInfo) -> bool:
    """Tell whether what a class attribute of this type gives can be a handler."""
    if kind.get("__set__") is not None:
        return False
    return kind.get("__call__") is not None or kind.fullname in _CALLABLE


def _accepts(wanted: Type, given: Instance) -> bool:
    """Tell whether a parameter may be given this; what cannot be told is taken to allow it."""
    wanted = get_proper_type(wanted)
    if isinstance(wanted, (ParamSpecType, UnpackType)):
        return True
    if isinstance(wanted, UnionType):
        return any(_accepts(item, given) for item in wanted.items)
    if isinstance(wanted, TypeVarType):
        return any(_accepts(kind, given) for kind in wanted.values or [wanted.upper_bound])
    # A URL's text stands for any NewType of it.
    while isinstance(wanted, Instance) and wanted.type.is_newtype:
        wanted = wanted.type.bases[0]
    return is_subtype(given, erase_typevars(wanted))
