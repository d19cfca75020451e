"""Handlers: which attributes are some, what their signatures may be, how a URL fills them.

A handler is a method whose name begins with `ws_`, of a class or set on an instance. A `Route`
is made of it once, and filled for each connection. Looking for a handler runs no property and no
other code of the user, except `__get__` of a callable that is one.
"""

import inspect
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial, partialmethod
from types import CodeType, FunctionType, MethodType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    ForwardRef,
    Literal,
    NewType,
    Union,
    cast,
    get_args,
    get_origin,
)

from typing_extensions import Format

from micropie.request import Request

__all__ = ["BindingError", "Route", "check_class", "check_value", "find"]

_PREFIX = "ws_"

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)

_STANDARD = (FunctionType, staticmethod, classmethod, partial, partialmethod)

# From Python 3.14 on annotations are evaluated when they are asked for: a name that is imported
# for type checkers alone would raise NameError. `Any`, as typeshed knows the option for 3.14 only.
_SIGNATURE_OPTIONS: Final[dict[str, Any]] = (
    {"annotation_format": Format.FORWARDREF} if sys.version_info >= (3, 14) else {}
)


class BindingError(Exception):
    """A URL does not fit a handler; the message is the reason to close with."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A handler, and what of a URL fills which of its parameters, as `micropie.App` tells."""

    call: Callable[..., Awaitable[object]]
    positional: tuple[inspect.Parameter, ...]
    keyword_only: tuple[inspect.Parameter, ...]
    var_positional: bool
    var_keyword: bool
    # The names that `**kwargs` cannot be given: they are taken, in the handler or in what wraps it.
    taken: frozenset[str]

    def fits(self, request: Request) -> bool:
        """Tell whether the handler takes as many segments as the path has."""
        return self.var_positional or len(request.path_params) <= len(self.positional)

    def bind(self, request: Request) -> tuple[list[object], dict[str, str]]:
        """Give the arguments that follow the connection.

        Raises:
            BindingError: A parameter that has no default gets no value.
        """
        args: list[object] = [*request.path_params]
        keywords: dict[str, str] = {}
        for parameter in self.positional[len(args) :]:
            values = request.query_params.get(parameter.name)
            args.append(values[0] if values else _default(parameter))
        for parameter in self.keyword_only:
            values = request.query_params.get(parameter.name)
            if values:
                keywords[parameter.name] = values[0]
            else:
                _default(parameter)
        if self.var_keyword:
            for name, values in request.query_params.items():
                if name not in self.taken:
                    keywords[name] = values[0]
        return args, keywords


def _default(parameter: inspect.Parameter) -> object:
    if parameter.default is parameter.empty:
        reason = f"Missing required parameter '{parameter.name}'"
        raise BindingError(reason.encode()[:123].decode(errors="ignore"))  # what a close can carry
    return parameter.default


def find(owner: object, name: str, known: dict[str, tuple[object, bool, Route]]) -> Route | None:
    """Find the handler `name` of an application, or `None` when it has none.

    Args:
        owner: The application.
        name: The attribute's name.
        known: The routes made before, by name; a new one is put there.

    Raises:
        TypeError: The handler cannot be served; the message says why and what to do.
    """
    if not _is_routable(name):
        return None
    attribute = _class_attribute(type(owner), name)
    own = name in vars(owner) and not inspect.isdatadescriptor(attribute)
    if own:
        attribute = vars(owner)[name]
    if name in known:
        known_attribute, known_own, route = known[name]
        if known_attribute is attribute and known_own is own:
            return route
    if not _is_handler(attribute):
        return None
    handler = attribute if own else _bound(attribute, owner, type(owner))
    route = _route(handler, f"{type(owner).__qualname__}.{name}")
    known[name] = (attribute, own, route)
    return route


def check_class(cls: type) -> None:
    """Check the handlers of a class.

    Raises:
        TypeError: One of them cannot be served; the message says why and what to do.
    """
    for name in {name: None for base in reversed(cls.__mro__) for name in vars(base)}:
        if not _is_routable(name) or not _is_handler(attribute := _class_attribute(cls, name)):
            continue
        # What another kind of descriptor will give is not known without an instance; it is
        # checked when it is first called.
        if issubclass(type(attribute), _STANDARD) or not hasattr(type(attribute), "__get__"):
            _route(_bound(attribute, cls, cls), f"{cls.__qualname__}.{name}")


def check_value(owner: object, name: str, value: object) -> None:
    """Check a value before it is set as attribute `name` of an application.

    Raises:
        TypeError: It is a handler that cannot be served; the message says why and what to do.
    """
    if (
        _is_routable(name)
        and _is_handler(value)
        and not inspect.isdatadescriptor(_class_attribute(type(owner), name))
    ):
        _route(value, f"{type(owner).__qualname__}.{name}")


def _is_routable(name: str) -> bool:
    return name.startswith(_PREFIX) and not name.startswith("_", len(_PREFIX))


def _is_handler(attribute: object) -> bool:
    if isinstance(attribute, (classmethod, partialmethod)):
        return True
    return (
        callable(attribute)
        and not isinstance(attribute, type)
        and not inspect.isdatadescriptor(attribute)
    )


def _class_attribute(cls: type, name: str) -> object:
    for base in cls.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return None


def _bound(attribute: object, instance: object, owner: type) -> object:
    get = getattr(type(attribute), "__get__", None)
    return attribute if get is None else get(attribute, instance, owner)


def _route(handler: object, label: str) -> Route:
    layers = list(_layers(handler))
    codes = [
        code for layer in layers if isinstance(code := getattr(layer, "__code__", None), CodeType)
    ]
    where = f"{label} ({codes[-1].co_filename}:{codes[-1].co_firstlineno})" if codes else label
    _check_async(layers, where)
    call = cast("Callable[..., Awaitable[object]]", handler)  # as `_check_async` has found
    try:
        parameters = list(inspect.signature(call, **_SIGNATURE_OPTIONS).parameters.values())
    except (TypeError, ValueError):  # a method without `self`, a classmethod set on an instance
        parameters = []
    preset = {name for layer in layers if isinstance(layer, partial) for name in layer.keywords}
    parameters = [parameter for parameter in parameters if parameter.name not in preset]
    _check_connection(parameters, where)
    taken = preset | {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    for code in codes:
        taken.update(code.co_varnames[: code.co_argcount])
    if parameters[0].kind in _BY_POSITION:
        del parameters[0]
    for parameter in parameters:
        _check_annotation(parameter, where, _namespace(layers))
    kinds = [parameter.kind for parameter in parameters]
    return Route(
        call=call,
        positional=tuple(p for p in parameters if p.kind in _BY_POSITION),
        keyword_only=tuple(p for p in parameters if p.kind is p.KEYWORD_ONLY),
        var_positional=inspect.Parameter.VAR_POSITIONAL in kinds,
        var_keyword=inspect.Parameter.VAR_KEYWORD in kinds,
        taken=frozenset(taken),
    )


def _layers(handler: object) -> Iterator[object]:
    """Give the handler, what it wraps, what that wraps, down to the function."""
    seen: list[object] = []
    while not any(handler is layer for layer in seen):
        yield handler
        seen.append(handler)
        handler = _inside(handler, type(handler))


def _inside(layer: object, kind: type) -> object:
    if partial in kind.__mro__:
        name = "func"
    else:
        name = "__func__" if kind is MethodType else "__wrapped__"
    return getattr(layer, name, layer if kind is FunctionType else kind.__call__)


def _check_async(layers: list[object], where: str) -> None:
    for layer in layers:
        # A plain function that wraps a coroutine function, as decorators make them, hands on
        # what that returns.
        if inspect.iscoroutinefunction(layer):
            return
        if inspect.isasyncgenfunction(layer):
            raise TypeError(
                f"{where} is an async generator: take the `yield` out and send with "
                "`await ws.send_text(...)`"
            )
    raise TypeError(
        f"{where} is not async: write `async def`. A decorator needs functools.wraps. What is no "
        f"handler needs a name that does not begin with {_PREFIX}"
    )


def _check_connection(parameters: list[inspect.Parameter], where: str) -> None:
    if not parameters or parameters[0].kind in _BY_NAME:
        raise TypeError(
            f"{where} has no parameter for the connection: the first one, which a method has "
            "after self, gets the WebSocket: `async def ws_name(self, ws)`"
        )
    annotation = parameters[0].annotation
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation in (str, "str"):
        raise TypeError(
            f"{where} has no parameter for the connection: the first one gets the WebSocket, but "
            f"{str(parameters[0])!r} is a str. Put `ws: WebSocket` before it"
        )


def _check_annotation(parameter: inspect.Parameter, where: str, names: dict[str, Any]) -> None:
    if parameter.annotation is parameter.empty or _takes_str(parameter.annotation, names):
        return
    annotation = inspect.formatannotation(parameter.annotation)
    raise TypeError(
        f"{where}: parameter {parameter.name!r} is annotated with {annotation}, but what a URL "
        f"gives is a str: write `{parameter.name}: str` and convert it in the handler"
    )


def _namespace(layers: list[object]) -> dict[str, Any]:
    """Give the names that string annotations can use."""
    functions = [layer for layer in layers if isinstance(layer, FunctionType)]
    return functions[-1].__globals__ if functions else {}


def _takes_str(annotation: Any, names: dict[str, Any]) -> bool:
    """Tell whether any `str` may be passed. What cannot be seen is taken to allow it."""
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, names)
        except Exception:  # a local name, or one that is imported for type checkers alone
            return True
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return any(_takes_str(member, names) for member in get_args(annotation))
    if origin is Annotated:
        return _takes_str(get_args(annotation)[0], names)
    if isinstance(annotation, NewType):
        return _takes_str(annotation.__supertype__, names)
    if annotation is None or origin is Literal:
        return False
    kind = origin or annotation
    if kind is Any or not isinstance(kind, type):
        return True
    try:
        return issubclass(str, kind)
    except TypeError:  # a Protocol that is not runtime_checkable
        return True
