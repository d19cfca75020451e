"""What keeps an object or a class from satisfying `WebSocketContract`, member by member, in words.

`mismatches` looks at an object, and asks nothing of it: no method is called and no property read.
What a type checker makes of the same class is judged by the same rules and told in the same words:
`micropie verify TARGET --types`.
"""

import contextlib
import functools
import inspect
import re
import sys
import types
import typing
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from micropie.contract import WebSocketContract

__all__ = [
    "MEMBERS",
    "UNBOUND",
    "UNTYPED",
    "Evidence",
    "Member",
    "Mismatch",
    "judge",
    "mismatches",
    "unqualified",
]

UNBOUND: Final = "it does not take the object as its first argument"
"""Why a method cannot be called that was written without `self`."""

UNTYPED: Final = "is not annotated, so that nothing is known of its types"
"""What type checkers alone have to say of a member."""

# What Python does not tell. No annotation is it.
_UNKNOWN: Final = object()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that a member has otherwise than the contract."""

    member: str
    # What it is, and what is expected.
    problem: str

    def __str__(self) -> str:
        """Put it into a line."""
        return f"{self.member}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Member:
    """A method or an attribute of the contract."""

    name: str
    # None: it is an attribute.
    parameters: tuple[inspect.Parameter, ...] | None
    # What awaiting the method gives, or what the attribute is.
    type: Any

    @property
    def call(self) -> str:
        """The method with the names of its parameters."""
        return f"{self.name}({', '.join(one.name for one in self.parameters or ())})"


class Evidence(Protocol):
    """What is known of the member of a candidate; what is not known speaks for it."""

    def missing(self) -> bool:
        """Whether it is not there."""
        ...

    def uncallable(self) -> str:
        """What it is instead of a method; empty: it can be called."""
        ...

    def asynchronous(self) -> bool:
        """Whether calling it gives a coroutine."""
        ...

    def wrong_type(self) -> str:
        """What the attribute is, or awaiting the method gives, instead; empty: it is right."""
        ...

    def refuses(self, count: int, name: str = "") -> str:
        """Why it cannot be called with so many arguments by position; empty: it can.

        With a name: and one more argument by that name, whatever else it may need.
        """
        ...

    def names(self) -> Sequence[str]:
        """The names of its positional parameters.

        It is empty where there is none to give the argument by, or it is not known; then it may
        be left out, too.
        """
        ...

    def wrong_parameter(self, index: int) -> str:
        """What this parameter takes instead; empty: it takes what it should."""
        ...


def _members() -> Iterator[Member]:
    """Give the members in the order in which the roles have them."""
    for role in inspect.getmro(WebSocketContract):
        if role.__module__ != WebSocketContract.__module__:
            continue
        for name, value in vars(role).items():
            if name.startswith("_"):
                continue
            if isinstance(value, property):
                yield Member(name, None, typing.get_type_hints(value.fget)["return"])
            else:
                parameters = [*inspect.signature(value).parameters.values()]
                result = typing.get_type_hints(value)["return"]
                yield Member(name, tuple(parameters[1:]), result)


MEMBERS: Final = tuple(_members())
"""The members of the contract."""


def mismatches(candidate: object) -> list[Mismatch]:
    """Say what keeps an object, or the instances of a class, from satisfying `WebSocketContract`.

    It goes by the names, the signatures and the annotations that there are. What cannot be known
    is no mismatch: what has no annotation, what `__getattr__` may give, what a C function takes,
    and of a class, the attributes that its `__init__` may set, and the methods if it declares
    them. An empty list is therefore no proof; `micropie verify` tries what the members do.

    Args:
        candidate: The object, or the class.

    Returns:
        The mismatches, in the order of the contract's members.
    """
    found: list[Mismatch] = []
    for member in MEMBERS:
        # An object may raise whatever it is asked. What has been found out by then stands.
        with contextlib.suppress(Exception):
            found.extend(judge(member, _Seen(candidate, member)))
    return found


def judge(member: Member, evidence: Evidence) -> Iterator[Mismatch]:
    """Yield what is wrong with a member, by what is known of it."""
    for problem in _problems(member, evidence):
        yield Mismatch(member.name, problem)


def _problems(member: Member, evidence: Evidence) -> Iterator[str]:
    expected = _text(member.type)
    if evidence.missing():
        kind = f"the attribute, `{expected}`" if member.parameters is None else "the method"
        yield f"missing; expected {kind}"
    elif member.parameters is None:
        if wrong := evidence.wrong_type():
            yield f"is {wrong}; expected `{expected}`"
    elif wrong := evidence.uncallable():
        yield f"is {wrong}; expected an `async def`"
    else:
        if not evidence.asynchronous():
            yield "is no `async def`; expected one, as what it gives is awaited"
        elif wrong := evidence.wrong_type():
            yield f"returns {wrong}; expected `{expected}`"
        yield from _signature(member, member.parameters, evidence)


def _signature(
    member: Member, parameters: tuple[inspect.Parameter, ...], evidence: Evidence
) -> Iterator[str]:
    if reason := evidence.refuses(len(parameters)):
        yield f"cannot be called as `{member.call}` by position: {reason}"
        return
    names = evidence.names()
    for index, parameter in enumerate(parameters):
        words = f"parameter `{parameter.name}`"
        name = (names[index] if index < len(names) else "") or parameter.name
        # What is given by the right name may be taken in another place, or by `**`.
        renamed = name != parameter.name and (parameter.name in names or evidence.refuses(index))
        if renamed or evidence.refuses(index, parameter.name):
            if name == parameter.name:
                yield f"{words} cannot be given by name"
            else:
                words = f"parameter `{name}`"
                yield f"parameter {index + 1} is called `{name}`; expected `{parameter.name}`"
        if parameter.default is not parameter.empty and evidence.refuses(index):
            yield f"{words} has no default; expected {parameter.default!r}"
        if wrong := evidence.wrong_parameter(index):
            yield f"{words} takes {wrong}; expected `{_text(parameter.annotation)}`"


class _UnknownError(Exception):
    """No more can be known of the member."""


class _Seen:
    """What Python tells of a member without a call of the candidate's code."""

    def __init__(self, candidate: object, member: Member) -> None:
        self._member = member
        self._is_class = _is(candidate, type)
        self._owner: Any = candidate if self._is_class else type(candidate)
        self._value: Any = inspect.getattr_static(candidate, member.name, _UNKNOWN)
        # What the class has is called with the object as the first argument.
        self._bound = self._value is inspect.getattr_static(self._owner, member.name, _UNKNOWN)
        self._function: Any = None
        self._unbound = False
        # None: Python cannot tell them.
        self._parameters: list[inspect.Parameter] | None = None
        self._hints: dict[str, Any] = {}

    def missing(self) -> bool:
        if self._value is not _UNKNOWN:
            return self._bound and _promised(self._owner, self._member.name)
        if any(
            isinstance(_of_class(self._owner, name), types.FunctionType)
            for name in ("__getattr__", "__getattribute__")
        ):
            raise _UnknownError
        declared = self._member.name in _hints(self._owner)
        if not self._is_class or (self._member.parameters is not None and not declared):
            return True
        if self._member.parameters is not None or not declared:
            raise _UnknownError
        return False

    def uncallable(self) -> str:
        value, bound = self._value, self._bound
        if _is(value, staticmethod, classmethod):
            value, bound = value.__func__, _is(value, classmethod)
        elif not _is(value, *_FUNCTIONS):
            own = _of_class(_type(value), "__call__")
            if hasattr(_type(value), "__get__"):
                raise _UnknownError
            if own is None:
                return f"`{_text(_type(value))}`"
            value, bound = own, True
        inner = value
        while _is(inner, functools.partial):
            inner = inner.func
        if not _is(inner, *_FUNCTIONS):
            raise _UnknownError
        # A bound method is bound once.
        bound = bound and _is(value, *_BOUND)
        self._function = value
        # A decorator that says what it wraps has the annotations of that.
        self._hints = _hints(inspect.unwrap(value))
        with contextlib.suppress(ValueError, TypeError):
            parameters = [*inspect.signature(value).parameters.values()]
            self._unbound = bound and not parameters
            if bound and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
                del parameters[0]
            self._parameters = parameters
        return ""

    def asynchronous(self) -> bool:
        return self._declares_coroutine() or any(
            inspect.iscoroutinefunction(one)
            for one in (self._function, inspect.unwrap(self._function))
        )

    def _declares_coroutine(self) -> bool:
        result = self._hints.get("return")
        return (typing.get_origin(result) or result) in (Coroutine, types.CoroutineType)

    def wrong_type(self) -> str:
        if self._member.parameters is not None:
            result = self._hints.get("return", _UNKNOWN)
            if self._declares_coroutine():
                result = (_UNKNOWN, *typing.get_args(result))[-1]
            return _misfit(result, self._member.type)
        value = self._value
        if _is(value, *_FUNCTIONS, staticmethod, classmethod):
            return "a method"
        if _is(value, property, functools.cached_property):
            getter = value.fget if _is(value, property) else value.func
            if inspect.iscoroutinefunction(getter):
                return "a coroutine"
            return _misfit(_hints(getter).get("return", _UNKNOWN), self._member.type)
        declared = _hints(self._owner).get(self._member.name, _UNKNOWN)
        while typing.get_origin(declared) in (typing.ClassVar, typing.Final):
            [declared] = typing.get_args(declared)
        if hasattr(_type(value), "__get__"):
            # What is declared is the descriptor, or what it gives.
            given = _given(value)
            kind = typing.get_origin(declared) or declared
            if given is not _UNKNOWN or (isinstance(kind, type) and _is(value, kind)):
                declared = given
        elif declared is _UNKNOWN:
            declared = _type(value)
        return _misfit(declared, self._member.type)

    def refuses(self, count: int, name: str = "") -> str:
        if self._unbound:
            return UNBOUND
        if self._parameters is None:
            return ""
        signature = inspect.Signature(self._parameters)
        arguments = [None] * count
        try:
            if not name:
                signature.bind(*arguments)
                return ""
            given = signature.bind_partial(*arguments, **{name: None}).arguments
        except TypeError as error:
            return str(error)
        # Where any name is taken, the parameter that is due must still be given.
        due = self._parameters[count]
        missing = due.name not in given and due.default is due.empty and due.kind in _SINGLE
        return f"missing a required argument: {due.name!r}" if missing else ""

    def names(self) -> Sequence[str]:
        kinds = inspect.Parameter
        return [
            "" if one.kind is kinds.POSITIONAL_ONLY else one.name
            for one in self._parameters or ()
            if one.kind in _SINGLE
        ]

    def wrong_parameter(self, index: int) -> str:
        kinds = (*_SINGLE, inspect.Parameter.VAR_POSITIONAL)
        names = [one.name for one in self._parameters or () if one.kind in kinds]
        if not names or self._member.parameters is None:
            return ""
        # What comes after the last is taken by it, or the call would be refused.
        taken = self._hints.get(names[min(index, len(names) - 1)], _UNKNOWN)
        given = self._member.parameters[index].annotation
        return "" if _fits(given, taken) else f"`{_text(taken)}`"


# The kinds of parameters that take one argument by position.
_SINGLE: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

# What is called as it is; other callables have a `__call__` that is one of them.
_FUNCTIONS: Final = (types.FunctionType, types.MethodType, functools.partial)


# From Python 3.14 on, a partial is bound like a function; 3.13 only warns that it will be.
_BOUND: Final = (
    (types.FunctionType, functools.partial)
    if sys.version_info >= (3, 14)
    else (types.FunctionType,)
)


def _type(value: object) -> type:
    return type(value)


def _is(value: object, *kinds: type) -> bool:
    # A value may say what it likes of its `__class__`, but not of its type.
    return issubclass(type(value), kinds)


def _of_class(owner: type, name: str) -> Any:
    """Give what a class or one of its bases has by a name; None: nothing."""
    # Not by getattr, which looks into the class of the class too.
    return next((vars(one)[name] for one in owner.__mro__ if name in vars(one)), None)


def _promised(owner: type, name: str) -> bool:
    """Whether a class has no more of a member than the Protocol that it derives from."""
    has = next((one for one in owner.__mro__ if name in vars(one)), object)
    return has.__module__ == WebSocketContract.__module__ and not vars(owner).get("_is_protocol")


def _hints(thing: Any) -> dict[str, Any]:
    """Give the annotations that can be evaluated."""
    with contextlib.suppress(Exception):
        return typing.get_type_hints(thing)
    found: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        # One by one: what is imported for type checkers alone takes no other with it.
        for owner in reversed(thing.__mro__) if _is(thing, type) else [thing]:
            names = vars(sys.modules[owner.__module__])
            for name, annotation in inspect.get_annotations(owner).items():
                found.pop(name, None)
                one = types.SimpleNamespace(__annotations__={name: annotation})
                with contextlib.suppress(Exception):
                    found |= typing.get_type_hints(one, names)
    return found


def _given(descriptor: object) -> Any:
    """Give what a descriptor says that it gives."""
    getter = _of_class(_type(descriptor), "__get__")
    # Of overloads, the annotations are in each.
    if not _is(getter, types.FunctionType) or typing.get_overloads(getter):
        return _UNKNOWN
    return _hints(getter).get("return", _UNKNOWN)


def _misfit(found: object, expected: object) -> str:
    return "" if _fits(found, expected) else f"`{_text(found)}`"


def _fits(found: object, expected: object) -> bool:
    """Whether each value of one type is one of the other, as far as classes say it."""
    these, those = _classes(found), _classes(expected, whole=True)
    if these is None or those is None:
        return True
    return all(any(_is_one(this, that) for that in those) for this in these)


def _is_one(this: type, that: type) -> bool:
    # PEP 484: where a float is due, an int will do.
    return issubclass(this, that) or (that in (float, complex) and issubclass(this, int))


def _classes(hint: object, *, whole: bool = False) -> list[type] | None:
    """Give the classes of which a type is the union; None: it is something else.

    Of a Literal, those of its values; if they are to be `whole`, the type has to have every value.
    """
    # What `type Name = ...` makes is the name of a type.
    hint = getattr(hint, "__value__", hint)
    if hint is None:
        return [types.NoneType]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [_classes(one, whole=whole) for one in typing.get_args(hint)]
        return None if None in parts else [one for part in parts if part for one in part]
    if typing.get_origin(hint) is typing.Literal:
        kinds: list[type] = [type(value) for value in typing.get_args(hint)]
        return [one for one in kinds if one is types.NoneType or not whole]
    # Of `list[str]`, the list can be told. To Python, Any is a class.
    hint = typing.get_origin(hint) or hint
    if not isinstance(hint, type) or hint is Any or getattr(hint, "_is_protocol", False):
        return None
    return [hint]


def _text(hint: object) -> str:
    if typing.get_origin(hint) is typing.Union:
        return " | ".join(map(_text, typing.get_args(hint)))
    text = inspect.formatannotation(types.NoneType if hint is None else hint)
    return unqualified(text).replace("NoneType", "None")


def unqualified(text: str) -> str:
    """Leave out the modules of the types in a text: not everyone who tells of a type names them."""
    return re.sub(r"\b(?:(?:\w+|<locals>)\.)+(?=\w)", "", text)
