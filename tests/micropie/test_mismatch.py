"""What an object has otherwise than the contract is told, and no object can harm that."""

import functools
import inspect
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Coroutine, Sized
from typing import Any, NoReturn, SupportsIndex
from unittest.mock import AsyncMock, Mock

import pytest
from typing_extensions import TypeAliasType

import micropie
from micropie.contract import WebSocketContract
from micropie.mismatch import MEMBERS, UNBOUND, Mismatch, mismatches


class Methods:
    async def accept(
        self, subprotocol: str | None = None, session_id: str | None = None
    ) -> None: ...

    async def receive_text(self) -> str:
        return ""

    async def receive_bytes(self) -> bytes:
        return b""

    async def send_text(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Right(Methods):
    accepted: bool = False
    session_id: str | None = None


BINDS_PARTIAL = sys.version_info >= (3, 14)


async def right(data: str) -> None: ...


async def of_object(self: object, data: str) -> None: ...


def plain(self: object, data: str) -> None: ...


def coroutine(self: object, data: str) -> Coroutine[Any, Any, None]:
    return right(data)


def coroutine_of_text(self: object, data: str) -> Coroutine[Any, Any, str]:
    raise NotImplementedError


def bare_coroutine(self: object, text: str) -> Coroutine:  # type: ignore[type-arg]  # pyright: ignore - the point
    return right(text)


def declared(result: object) -> Callable[..., object]:
    def send_text(self: object, data: str) -> object:
        return right(data)

    send_text.__annotations__["return"] = result
    return send_text


def awaitable(self: object, data: str) -> Awaitable[None]:
    return right(data)


def decorated(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> object:
        return function(*args, **kwargs)

    return wrapper


def unannotated(function: Any) -> Any:
    return types.FunctionType(function.__code__, globals(), "", function.__defaults__)


async def of_bytes(self: object, data: bytes) -> None: ...


async def of_either(self: object, data: bytes | str | list[int]) -> None: ...


async def of_all(*args: object, **more: object) -> None: ...


class Own(str): ...


async def of_list(self: object, data: list[str]) -> None: ...


if typing.TYPE_CHECKING:
    Alias: typing.TypeAlias = bytes
else:
    # As `type Alias = bytes` does, from Python 3.12 on.
    Alias = TypeAliasType("Alias", bytes)


async def of_alias(self: object, data: Alias) -> None: ...


async def of_literal(self: object, data: typing.Literal["a", None]) -> None: ...


async def of_optional(self: object, data: typing.Optional[bytes]) -> None: ...  # noqa: UP045 - the old way


async def gives_literal(self: object, data: str) -> typing.Literal[1, None]:
    return None


async def of_own(self: object, data: Own) -> None: ...


async def of_anything(self: object, data: object, more: int = 0) -> Any: ...


async def of_sized(self: object, data: Sized) -> NoReturn:
    raise NotImplementedError


async def of_index(self: object, data: SupportsIndex) -> None: ...


async def of_nothing_known(self: object, data: "Nowhere") -> int: ...  # type: ignore[name-defined,empty-body]  # noqa: F821 - what cannot be evaluated  # pyright: ignore


async def of_many(*args: bytes) -> None: ...


async def by_position(self: object, data: str, /) -> None: ...


async def by_name(self: object, *, data: str) -> None: ...


async def by_any_name(self: object, text: str, **more: str) -> None: ...


async def of_two(self: object, data: str, more: int) -> None: ...


async def gives_int(self: object, data: str) -> int:
    return 1


async def nothing() -> None: ...


class Callable1:
    async def __call__(self, data: str) -> None: ...


class CallableOdd:
    __call__ = Callable1()


class Descriptor:
    def __get__(self, instance: object, owner: type) -> Any:
        raise RuntimeError


class Silent(Descriptor):
    __get__ = unannotated(Descriptor.__get__)


SEND_TEXT: dict[str, tuple[object, list[str]]] = {
    "right": (of_object, []),
    "static": (staticmethod(right), []),
    "of the class": (classmethod(of_object), []),
    "callable object": (Callable1(), []),
    "partial": (functools.partial(of_object if BINDS_PARTIAL else right), []),
    "bound": (types.MethodType(of_object, 5), []),
    "number": (5, ["is `int`; expected an `async def`"]),
    "None": (None, ["is `None`; expected an `async def`"]),
    "plain": (plain, ["is no `async def`; expected one, as what it gives is awaited"]),
    "awaitable": (awaitable, ["is no `async def`; expected one, as what it gives is awaited"]),
    "coroutine": (coroutine, []),
    "bare coroutine": (bare_coroutine, ["parameter 1 is called `text`; expected `data`"]),
    "coroutine type": (declared(types.CoroutineType), []),
    "coroutine of text": (coroutine_of_text, ["returns `str`; expected `None`"]),
    "decorated": (decorated(of_object), []),
    "decorated wrong": (decorated(of_bytes), ["parameter `data` takes `bytes`; expected `str`"]),
    "returns": (gives_int, ["returns `int`; expected `None`"]),
    "takes bytes": (of_bytes, ["parameter `data` takes `bytes`; expected `str`"]),
    "takes a union": (of_either, []),
    "takes anything": (of_anything, []),
    "takes an ABC": (of_sized, []),
    # Whether a class fits a Protocol, only type checkers know.
    "takes a Protocol": (of_index, []),
    "takes the unknown": (of_nothing_known, ["returns `int`; expected `None`"]),
    "takes many": (
        of_many,
        [
            "parameter `data` cannot be given by name",
            "parameter `data` takes `bytes`; expected `str`",
        ],
    ),
    "by position": (by_position, ["parameter `data` cannot be given by name"]),
    "by name": (
        by_name,
        ["cannot be called as `send_text(data)` by position: too many positional arguments"],
    ),
    "by any name": (by_any_name, ["parameter 1 is called `text`; expected `data`"]),
    "of two": (
        of_two,
        ["cannot be called as `send_text(data)` by position: missing a required argument: 'more'"],
    ),
    "of none": (nothing, [f"cannot be called as `send_text(data)` by position: {UNBOUND}"]),
    "takes all": (of_all, []),
    "of a list": (of_list, ["parameter `data` takes `list[str]`; expected `str`"]),
    "of an alias": (of_alias, ["parameter `data` takes `Alias`; expected `str`"]),
    "of a literal": (of_literal, ["parameter `data` takes `Literal['a', None]`; expected `str`"]),
    "of an optional": (of_optional, ["parameter `data` takes `bytes | None`; expected `str`"]),
    "gives a literal": (gives_literal, ["returns `Literal[1, None]`; expected `None`"]),
    "of its own": (of_own, ["parameter `data` takes `Own`; expected `str`"]),
    # What Python does not tell of.
    "no signature": (functools.partial(print), []),
    "of C": (print, []),
    "descriptor": (Descriptor(), []),
    "property": (property(lambda self: right), []),
    "callable of C": (CallableOdd(), []),
    "partial method": (functools.partialmethod(of_object), []),
}


@pytest.mark.parametrize("made", [False, True], ids=["class", "object"])
@pytest.mark.parametrize(("value", "problems"), SEND_TEXT.values(), ids=SEND_TEXT)
def test_methods(value: object, problems: list[str], made: bool) -> None:
    owner = type("Target", (Right,), {"send_text": value})
    found = mismatches(owner() if made else owner)
    assert found == [Mismatch("send_text", problem) for problem in problems]


async def renamed(self: object, protocol: str, session: str) -> None: ...


async def renamed_first(
    self: object, protocol: str | None = None, session_id: str | None = None
) -> None: ...


async def no_defaults(self: object, subprotocol: str | None, session_id: str | None) -> None: ...


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (
            renamed,
            [
                "parameter 1 is called `protocol`; expected `subprotocol`",
                "parameter `protocol` has no default; expected None",
                "parameter `protocol` takes `str`; expected `str | None`",
                "parameter 2 is called `session`; expected `session_id`",
                "parameter `session` has no default; expected None",
                "parameter `session` takes `str`; expected `str | None`",
            ],
        ),
        (renamed_first, ["parameter 1 is called `protocol`; expected `subprotocol`"]),
        (
            no_defaults,
            [
                "parameter `subprotocol` has no default; expected None",
                "parameter `session_id` has no default; expected None",
            ],
        ),
        (unannotated(renamed_first), ["parameter 1 is called `protocol`; expected `subprotocol`"]),
    ],
)
def test_parameters(value: object, problems: list[str]) -> None:
    found = mismatches(type("Target", (Right,), {"accept": value}))
    assert found == [Mismatch("accept", problem) for problem in problems]


async def of_float(self: object, code: float = 1, reason: object = None) -> None: ...


def test_an_int_will_do_for_a_float() -> None:
    assert mismatches(type("Target", (Right,), {"close": of_float})) == []


def text(self: object) -> str:
    raise RuntimeError


def truth(self: object) -> bool:
    raise RuntimeError


async def later(self: object) -> bool:
    raise RuntimeError


IS_LATER = ["accepted: is a coroutine; expected `bool`"]
IS_TEXT = ["accepted: is `str`; expected `bool`"]
IS_NO_SESSION = ["session_id: is `int`; expected `str | None`"]
IS_METHOD = ["accepted: is a method; expected `bool`"]
LACKS = ["accepted: missing; expected the attribute, `bool`"]


class Declared(Methods):
    accepted: bool
    session_id: typing.Optional[str]  # noqa: UP045 - the old way is a union too


class Declares(Declared):
    accepted: str  # type: ignore[assignment]  # pyright: ignore - the point of the class


class Slots(Methods):
    __slots__ = ("accepted", "session_id")


class Sets(Methods):
    def __init__(self) -> None:
        self.accepted = ""
        self.session_id = None


class GivesText(Descriptor):
    def __get__(self, instance: object, owner: type) -> str:
        raise RuntimeError


class Either(Descriptor):
    @typing.overload
    def __get__(self, instance: None, owner: type) -> "Either": ...
    @typing.overload
    def __get__(self, instance: object, owner: type) -> bool: ...
    def __get__(self, instance: object, owner: type) -> "Either | bool":
        raise RuntimeError


def described(descriptor: object, declared: object) -> type:
    return type("", (Right,), {"accepted": descriptor, "__annotations__": {"accepted": declared}})


class Generic1(Silent, typing.Generic[typing.AnyStr]): ...


class Unevaluated(Declares):
    accepted: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - the point  # pyright: ignore
    session_id: "int"  # type: ignore[assignment]  # pyright: ignore - the point


SESSION = "session_id: missing; expected the attribute, `str | None`"


@pytest.mark.parametrize(
    ("owner", "of_class", "of_object"),
    [
        (Right, [], []),
        (type("", (Methods,), {"accepted": "", "session_id": "x"}), IS_TEXT, IS_TEXT),
        (type("", (Methods,), {"accepted": True, "session_id": None}), [], []),
        (type("", (Methods,), {"accepted": True, "session_id": 5}), IS_NO_SESSION, IS_NO_SESSION),
        (type("", (Right,), {"accepted": property(text)}), IS_TEXT, IS_TEXT),
        (type("", (Right,), {"accepted": property(truth)}), [], []),
        (type("", (Right,), {"accepted": property(unannotated(text))}), [], []),
        (type("", (Right,), {"accepted": property()}), [], []),
        (type("", (Right,), {"accepted": truth}), IS_METHOD, IS_METHOD),
        (type("", (Right,), {"accepted": property(later)}), IS_LATER, IS_LATER),
        (type("", (Right,), {"accepted": functools.cached_property(text)}), IS_TEXT, IS_TEXT),
        (type("", (Right,), {"accepted": Descriptor()}), [], []),
        (type("", (Right,), {"accepted": GivesText()}), IS_TEXT, IS_TEXT),
        (type("", (Right,), {"accepted": Either()}), [], []),
        (described(Silent(), Silent), [], []),
        (described(Generic1[str](), Generic1[str]), [], []),
        (described(Silent(), str), IS_TEXT, IS_TEXT),
        (described("", typing.ClassVar[str]), IS_TEXT, IS_TEXT),
        (described("", typing.Final[str]), IS_TEXT, IS_TEXT),
        (Slots, [], []),
        # What is declared may be set or not: only the object tells.
        (Declared, [], [*LACKS, SESSION]),
        (Declares, IS_TEXT, [*LACKS, SESSION]),
        (Methods, [], [*LACKS, SESSION]),
        (Sets, [], IS_TEXT),
        (Unevaluated, IS_NO_SESSION, [*LACKS, SESSION]),
    ],
)
def test_attributes(owner: type, of_class: list[str], of_object: list[str]) -> None:
    assert [str(one) for one in mismatches(owner)] == of_class
    assert [str(one) for one in mismatches(owner())] == of_object


@pytest.mark.parametrize("candidate", [object, object(), 5, None, int, "x", right])
def test_all_is_missing(candidate: object) -> None:
    found = mismatches(candidate)
    of_class = isinstance(candidate, type)
    assert [one.member for one in found] == [
        one.name for one in MEMBERS if one.parameters is not None or not of_class
    ]
    assert {one.problem.split(";")[0] for one in found} == {"missing"}


class Gives:
    def __getattr__(self, name: str) -> object:
        raise RuntimeError


class GivesAll:
    def __getattribute__(self, name: str) -> object:
        raise RuntimeError


def liar() -> Any:
    class Liar(type):
        @property  # type: ignore[misc]  # the point of the class
        def __class__(cls) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
            raise RuntimeError

        def __getattr__(cls, name: str) -> object:
            raise RuntimeError

    return Liar("OfLiar", (Right,), {"__signature__": 5})


def hostile(**attributes: object) -> Any:
    async def send_text(self: object, data: str) -> None: ...

    for name, value in attributes.items():
        setattr(send_text, name, value)
    return type("Hostile", (Right,), {"send_text": send_text})


class Raises:
    @property
    def parameters(self) -> object:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


# Each makes one: pytest would ask these objects for more than they like.
FINE: dict[str, Callable[[], object]] = {
    "ours": lambda: micropie.WebSocket,
    "class": lambda: Right,
    "object": Right,
    "the contract": lambda: WebSocketContract,
    # What they would give is not known.
    "gives": Gives,
    "gives all": GivesAll,
    "mock": Mock,
    "async mock": AsyncMock,
    "liar": liar,
    "of liar": lambda: liar()(),
    "odd signature": lambda: hostile(__signature__=5),
    "raising signature": lambda: hostile(__signature__=Raises()),
    "odd wrapped": lambda: hostile(__wrapped__=Raises()),
    "odd annotations": lambda: hostile(__annotations__={"data": Raises()}),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_nothing_is_known_to_be_wrong(make: Callable[[], object]) -> None:
    assert mismatches(make()) == []


class Promises(WebSocketContract):
    @property
    def session_id(self) -> None:
        return None

    async def receive_text(self) -> str:
        return ""


class Narrower(WebSocketContract, typing.Protocol):
    async def receive_text(self) -> str: ...


def test_a_protocol_does_not_keep_what_it_promises() -> None:
    owner: Any = Promises
    one = object.__new__(owner)
    for candidate in (owner, one):
        missing = [found.member for found in mismatches(candidate)]
        assert missing == [
            "accepted",
            "accept",
            "receive_bytes",
            "send_text",
            "send_bytes",
            "close",
        ]
    vars(one)["close"] = Right().close
    assert "close" not in {found.member for found in mismatches(one)}
    assert mismatches(Narrower) == []


def test_a_type_is_told_without_where_it_is() -> None:
    class Own(str): ...

    async def send_text(self: object, data: Own) -> None: ...

    [found] = mismatches(type("Target", (Right,), {"send_text": send_text}))
    assert found.problem == "parameter `data` takes `Own`; expected `str`"


def test_a_method_may_be_declared_and_set_to_each_object() -> None:
    class Declaring:
        send_text: Callable[[str], Coroutine[Any, Any, None]]

    assert "send_text" not in {one.member for one in mismatches(Declaring)}
    assert Mismatch("send_text", "missing; expected the method") in mismatches(Declaring())


def test_an_object_may_have_methods_of_its_own() -> None:
    one = Right()
    vars(one)["send_text"] = right
    assert mismatches(one) == []
    vars(one)["send_text"] = of_object
    [found] = mismatches(one)
    assert found.problem.startswith("cannot be called as `send_text(data)` by position: missing")


def test_members_are_those_of_the_contract() -> None:
    names = [name for name in dir(WebSocketContract) if not name.startswith("_")]
    assert sorted(one.name for one in MEMBERS) == names
    for one in MEMBERS:
        assert (one.parameters is None) == (one.name in ("accepted", "session_id"))
    [close] = [one for one in MEMBERS if one.name == "close"]
    assert close.call == "close(code, reason)"
    assert inspect.signature(Right().close).parameters == {
        one.name: one for one in close.parameters or ()
    }
