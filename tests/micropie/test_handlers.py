"""`micropie._handlers`: what is a handler, which signatures are refused, how a URL fills one."""

import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import cached_property, partial, partialmethod, update_wrapper, wraps
from inspect import signature
from types import FunctionType
from typing import Annotated, Any, AnyStr, ForwardRef, Literal, NewType, Protocol, TypeAlias
from unittest.mock import AsyncMock
from urllib.parse import unquote

import pytest

from micropie._handlers import BindingError, Route, check_class, check_value, find
from micropie.request import Request

Method: TypeAlias = Callable[..., Coroutine[Any, Any, object]]


def request(url: str) -> Request:
    path, _, query = url.partition("?")
    return Request({"path": unquote(path), "query_string": query.encode()})


class Owner:
    """Stands for an application."""

    def __init__(self, **handlers: object) -> None:
        self.known: dict[str, tuple[object, bool, Route]] = {}
        vars(self).update(handlers)

    def route(self, name: str) -> Route | None:
        return find(self, name, self.known)

    async def call(self, url: str) -> object:
        """Call the handler as an application does; the text of a refusal instead, if any."""
        asked = request(url)
        route = self.route(asked.handler_name)
        if route is None or not route.fits(asked):
            return "no route"
        try:
            args, keywords = route.bind(asked)
        except BindingError as error:
            return str(error)
        return await route.call("the connection", *args, **keywords)


# Filling


async def only_connection(ws: str) -> object:
    return locals()


async def two(ws: object, a: str, b: str) -> object:
    return locals()


async def defaults(ws: object, a: str = "A", b: str | None = None) -> object:
    return locals()


async def positional_only(ws: object, a: str, b: str = "B", /) -> object:
    return locals()


async def keyword_only(ws: object, a: str = "A", *, k: str, o: str = "O") -> object:
    return locals()


async def var_positional(ws: object, a: str, *rest: str) -> object:
    return locals()


async def var_keyword(ws: object, a: str, *, k: str = "K", **others: str) -> object:
    return locals()


async def positional_only_and_others(ws: object, a: str, /, **others: str) -> object:
    return locals()


async def arguments_alone(*everything: Any) -> object:
    return {"ws": everything[0], "rest": everything[1:]}


FILLING: list[tuple[Callable[..., object], str, dict[str, object] | str]] = [
    (two, "/x/1/2", {"a": "1", "b": "2"}),
    (two, "/x/1?b=2", {"a": "1", "b": "2"}),
    (two, "/x?b=2&a=1", {"a": "1", "b": "2"}),
    (two, "/x/1/2?a=3&b=4&c=5&ws=6", {"a": "1", "b": "2"}),
    (two, "/x?a=1&a=2&b=", {"a": "1", "b": ""}),
    (two, "/x//2", {"a": "", "b": "2"}),
    (two, "/x/a%20b/%C3%A9", {"a": "a b", "b": "é"}),
    (two, "/x", "Missing required parameter 'a'"),
    (two, "/x?b=2", "Missing required parameter 'a'"),
    (two, "/x/1", "Missing required parameter 'b'"),
    (two, "/x/1/", "Missing required parameter 'b'"),
    (two, "/x/1/2/3", "no route"),
    (defaults, "/x", {"a": "A", "b": None}),
    (defaults, "/x?b=2", {"a": "A", "b": "2"}),
    (defaults, "/x/1?b=", {"a": "1", "b": ""}),
    (defaults, "/x/1/2/3", "no route"),
    (positional_only, "/x/1", {"a": "1", "b": "B"}),
    (positional_only, "/x?a=1&b=2", {"a": "1", "b": "2"}),
    (positional_only, "/x?b=2", "Missing required parameter 'a'"),
    (keyword_only, "/x?k=1", {"a": "A", "k": "1", "o": "O"}),
    (keyword_only, "/x/1?o=3&k=2&k=4", {"a": "1", "k": "2", "o": "3"}),
    (keyword_only, "/x/1", "Missing required parameter 'k'"),
    (keyword_only, "/x/1/2?k=1", "no route"),
    (var_positional, "/x/1", {"a": "1", "rest": ()}),
    (var_positional, "/x/1/2/3", {"a": "1", "rest": ("2", "3")}),
    (var_positional, "/x?a=1&rest=2", {"a": "1", "rest": ()}),
    (var_positional, "/x", "Missing required parameter 'a'"),
    (var_keyword, "/x/1", {"a": "1", "k": "K", "others": {}}),
    (var_keyword, "/x?a=1&b=2&b=3&c=", {"a": "1", "k": "K", "others": {"b": "2", "c": ""}}),
    (var_keyword, "/x/1?a=2&ws=3&k=4&b=5", {"a": "1", "k": "4", "others": {"b": "5"}}),
    (var_keyword, "/x/1?others=2", {"a": "1", "k": "K", "others": {"others": "2"}}),
    (var_keyword, "/x/1?%20=2", {"a": "1", "k": "K", "others": {" ": "2"}}),
    (positional_only_and_others, "/x/1?a=2&ws=3&b=4", {"a": "1", "others": {"b": "4"}}),
    (arguments_alone, "/x", {"rest": ()}),
    (arguments_alone, "/x/1?a=2", {"rest": ("1",)}),
    # What a partial has set is out of a URL's reach.
    (partial(two, b="B"), "/x/1", {"a": "1", "b": "B"}),
    (partial(two, b="B"), "/x/1?b=2", {"a": "1", "b": "B"}),
    (partial(two, b="B"), "/x/1/2", "no route"),
    (partial(two, a="A"), "/x?a=1&b=2", {"a": "A", "b": "2"}),
    (partial(two, a="A"), "/x", "Missing required parameter 'b'"),
    (partial(partial(two, a="A"), b="B"), "/x?a=1&b=2", {"a": "A", "b": "B"}),
    (partial(var_keyword, b="B"), "/x/1?b=2", {"a": "1", "k": "K", "others": {"b": "B"}}),
]


@pytest.mark.parametrize(("handler", "url", "outcome"), FILLING)
async def test_filling(handler: object, url: str, outcome: dict[str, object] | str) -> None:
    if isinstance(outcome, dict):
        outcome = {"ws": "the connection", **outcome}
    assert await Owner(ws_x=handler).call(url) == outcome


async def test_what_a_partial_puts_first_is_not_taken_from_the_query() -> None:
    async def handler(prefix: str, ws: object, **others: str) -> object:
        return locals()

    assert await Owner(ws_x=partial(handler, "p")).call("/x?prefix=q&a=1") == {
        "prefix": "p",
        "ws": "the connection",
        "others": {"a": "1"},
    }


async def test_a_reason_fits_a_close_frame() -> None:
    name = "é" * 80
    namespace: dict[str, Any] = {}
    exec(f"async def handler(ws, {name}): ...", namespace)
    reason = await Owner(ws_x=namespace["handler"]).call("/x")
    assert isinstance(reason, str)
    assert reason.startswith("Missing required parameter 'éé")
    assert len(reason.encode()) in (122, 123)


# Finding


def logged(function: Method) -> Method:
    """A decorator."""

    @wraps(function)
    async def wrapper(this: object, *args: object, **keywords: object) -> object:
        return await function(this, *args, **keywords)

    return wrapper


def plain(function: Method) -> Method:
    """A decorator whose wrapper is not async, but gives what an async function returns."""

    @wraps(function)
    def wrapper(that: object, *args: object, **keywords: object) -> Coroutine[Any, Any, object]:
        return function(that, *args, **keywords)

    return wrapper


class Bound:
    """A decorator that is a class and binds by itself."""

    def __init__(self, function: Method) -> None:
        self.function = function
        update_wrapper(self, function)

    async def __call__(self, *args: object, **keywords: object) -> object:
        return await self.function(*args, **keywords)

    def __get__(self, instance: object, owner: type) -> object:
        return partial(self, instance)


class Callback:
    """An object that can be called."""

    async def __call__(self, ws: object, a: str, **others: str) -> object:
        return ws, a, others


class Untouchable:
    """A descriptor that has a setter, so it is no method even though it can be called."""

    def __get__(self, instance: object, owner: object) -> object:
        pytest.fail("a descriptor was run")

    def __set__(self, instance: object, value: object) -> None: ...

    def __call__(self) -> None: ...


class Mixin:
    async def ws_mixed_in(self, ws: object, a: str) -> object:
        return self, ws, a


class Base(Owner):
    async def ws_inherited(self, ws: object, a: str) -> object:
        return self, ws, a

    async def ws_none(self, ws: object) -> None: ...

    async def ws_off(self, ws: object) -> None: ...


class Many(Mixin, Base):
    ws_none = None  # type: ignore[assignment]  # it switches the handler off
    ws_data = 5
    ws_untouchable = Untouchable()
    ws_nested = type("Nested", (), {})
    ws_callback = Callback()

    @property
    def ws_off(self) -> object:  # type: ignore[override]  # it switches the handler off
        pytest.fail("a property was run")

    @cached_property
    def ws_cached(self) -> object:
        pytest.fail("a property was run")

    async def ws__private(self, ws: object) -> None: ...

    def ws__helper(self) -> None: ...

    async def ws_method(self, ws: object, a: str, **others: str) -> object:
        return self, ws, a, others

    @staticmethod
    async def ws_static(ws: object, a: str) -> object:
        return ws, a

    @classmethod
    async def ws_class(cls, ws: object, a: str) -> object:
        return cls, ws, a

    @logged
    async def ws_logged(self, ws: object, a: str, **others: str) -> object:
        return self, ws, a, others

    @plain
    async def ws_plain(self, ws: object, a: str, **others: str) -> object:
        return self, ws, a, others

    @Bound
    async def ws_bound(self, ws: object, a: str) -> object:
        return self, ws, a

    ws_partial = partialmethod(ws_method, a="A")


check_class(Many)


OF_A_CLASS: list[tuple[str, tuple[object, ...] | str]] = [
    ("/method/1", ("self", "ws", "1", {})),
    ("/inherited/1", ("self", "ws", "1")),
    ("/mixed_in/1", ("self", "ws", "1")),
    ("/static/1", ("ws", "1")),
    ("/class/1", (Many, "ws", "1")),
    ("/logged/1", ("self", "ws", "1", {})),
    ("/plain/1", ("self", "ws", "1", {})),
    ("/bound/1", ("self", "ws", "1")),
    ("/callback/1", ("ws", "1", {})),
    ("/partial?a=1", ("self", "ws", "A", {})),
    # A name that the function or what wraps it has taken is no `**others`.
    ("/method/1?self=2&a=3&b=4", ("self", "ws", "1", {"b": "4"})),
    ("/logged/1?this=2&self=3&b=4", ("self", "ws", "1", {"b": "4"})),
    ("/plain/1?that=2&self=3&b=4", ("self", "ws", "1", {"b": "4"})),
    ("/callback/1?self=2&b=4", ("ws", "1", {"b": "4"})),
    ("/nothing", "no route"),
    ("/none", "no route"),
    ("/off", "no route"),
    ("/data", "no route"),
    ("/untouchable", "no route"),
    ("/nested", "no route"),
    ("/cached", "no route"),
    ("/_private", "no route"),
    ("/_helper", "no route"),
    ("/", "no route"),
    ("/METHOD/1", "no route"),
    ("/method.__call__/1", "no route"),
]


@pytest.mark.parametrize(("url", "outcome"), OF_A_CLASS)
async def test_handlers_of_a_class(url: str, outcome: tuple[object, ...] | str) -> None:
    many = Many()
    if isinstance(outcome, tuple):
        stand_ins: list[tuple[object, object]] = [("self", many), ("ws", "the connection")]
        for name, value in stand_ins:
            outcome = tuple(value if part == name else part for part in outcome)
    assert await many.call(url) == outcome
    assert await many.call(url) == outcome  # from what was kept of the first call


async def echo(ws: object, a: str) -> object:
    return ws, a


OF_AN_INSTANCE: list[tuple[object, object]] = [
    (echo, ("the connection", "1")),
    (partial(echo, a="A"), "no route"),
    (staticmethod(echo), ("the connection", "1")),
    (Callback(), ("the connection", "1", {})),
    (Callback().__call__, ("the connection", "1", {})),
    (AsyncMock(return_value="mocked"), "mocked"),
    (None, "no route"),
    (5, "no route"),
    (Callback, "no route"),
]


@pytest.mark.parametrize(("value", "outcome"), OF_AN_INSTANCE)
async def test_handlers_of_an_instance(value: object, outcome: object) -> None:
    owner = Many()
    check_value(owner, "ws_method", value)
    vars(owner)["ws_method"] = value
    assert await owner.call("/method/1") == outcome
    # A property of the class goes before, as for any attribute.
    check_value(owner, "ws_off", value)
    vars(owner)["ws_off"] = value
    assert await owner.call("/off/1") == "no route"


async def test_handlers_come_and_go() -> None:
    class Changing(Owner):
        async def ws_x(self, ws: object) -> object:
            return "the first"

    async def second(self: object, ws: object) -> object:
        return "the second"

    async def own(ws: object) -> object:
        return "its own"

    owner = Changing()
    assert await owner.call("/x") == "the first"
    Changing.ws_x = second  # type: ignore[method-assign]  # what is tested
    assert await owner.call("/x") == "the second"
    vars(owner)["ws_x"] = own
    assert await owner.call("/x") == "its own"
    del vars(owner)["ws_x"]
    assert await owner.call("/x") == "the second"
    vars(owner)["ws_x"] = second
    assert await owner.call("/x") == "Missing required parameter 'ws'"
    del Changing.ws_x
    del vars(owner)["ws_x"]
    assert await owner.call("/x") == "no route"


def test_a_handler_is_looked_at_once() -> None:
    owner = Many()
    assert owner.route("ws_method") is owner.route("ws_method")
    assert owner.route("ws_nothing") is None
    assert list(owner.known) == ["ws_method"]


# Refusing


async def generator(ws: object) -> AsyncIterator[int]:
    yield 1


async def no_connection() -> None: ...


async def keyword_connection(*, ws: object) -> None: ...


async def keywords_alone(**ws: object) -> None: ...


async def str_first(room: str, name: str = "") -> None: ...


async def annotated_first(room: Annotated[str, "a room"]) -> None: ...


async def number(ws: object, n: int) -> None: ...


@wraps(generator)
def wrapped_generator(ws: object) -> AsyncIterator[int]:
    return generator(ws)


def not_async(ws: object) -> None: ...


@plain
async def wrapped(ws: object, n: int) -> None: ...


class NotAsync:
    def __call__(self, ws: object) -> None: ...


REFUSED: list[tuple[object, str]] = [
    (not_async, "is not async: write `async def`"),
    (partial(not_async), "is not async"),
    (NotAsync(), "is not async"),
    (print, "is not async"),
    (generator, "is an async generator: take the `yield` out"),
    (wrapped_generator, "is an async generator"),
    (no_connection, "has no parameter for the connection: the first one"),
    (keyword_connection, "has no parameter for the connection"),
    (keywords_alone, "has no parameter for the connection"),
    (partial(two, ws=5), "parameter for the connection"),
    (str_first, "gets the WebSocket, but 'room: str' is a str"),
    (annotated_first, "is a str. Put `ws: WebSocket` before it"),
    (number, "parameter 'n' is annotated with int, but what a URL gives is a str: write `n: str`"),
    (partial(number), "parameter 'n' is annotated with int"),
    (wrapped, "parameter 'n' is annotated with int"),
]


def line(handler: object) -> int:
    """The line of the function that the messages name."""
    if isinstance(handler, NotAsync):
        handler = NotAsync.__call__
    handler = getattr(handler, "func", handler)
    handler = getattr(handler, "__wrapped__", handler)
    assert isinstance(handler, FunctionType)
    return handler.__code__.co_firstlineno


@pytest.mark.parametrize(("handler", "message"), REFUSED)
def test_refusal_on_an_instance(handler: object, message: str) -> None:
    owner = Many()
    with pytest.raises(TypeError, match=r"^Many\.ws_x") as caught:
        check_value(owner, "ws_x", handler)
    assert message in str(caught.value)
    if handler is not print:
        assert f"({__file__}:{line(handler)})" in str(caught.value)
    # One that came by another way is refused when it is first called.
    vars(owner)["ws_x"] = handler
    with pytest.raises(TypeError) as later:
        owner.route("ws_x")
    assert str(later.value) == str(caught.value)


@pytest.mark.parametrize(("handler", "message"), REFUSED)
@pytest.mark.parametrize("base", [False, True])
def test_refusal_in_a_class(handler: object, message: str, base: bool) -> None:
    assert callable(handler)
    cls = type("Refused", (), {"ws_x": staticmethod(handler)})
    if base:
        cls = type("Refused", (Many, cls), {})
    with pytest.raises(TypeError, match=r"^Refused\.ws_x") as caught:
        check_class(cls)
    assert message in str(caught.value)


def test_refusal_of_methods() -> None:
    class NoSelf:
        async def ws_x() -> None: ...  # type: ignore[misc]  # what is tested

    class NoConnection:
        async def ws_x(self) -> None: ...

    class ByClass:
        @classmethod
        async def ws_x(cls) -> None: ...

    class ByPartial:
        async def one(self, ws: object, n: int) -> None: ...

        ws_x = partialmethod(one)

    for cls in (NoSelf, NoConnection, ByClass):
        with pytest.raises(TypeError, match="has no parameter for the connection"):
            check_class(cls)
    with pytest.raises(TypeError, match="parameter 'n' is annotated with int"):
        check_class(ByPartial)
    with pytest.raises(TypeError, match=r"Many\.ws_x .* has no parameter for the connection"):
        check_value(Many(), "ws_x", vars(Many)["ws_class"])


class Late:
    """Nothing tells what it binds to before it does."""

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function

    def __call__(self) -> None: ...

    def __get__(self, instance: object, owner: type) -> object:
        return self.function


async def test_what_only_an_instance_shows_is_refused_when_it_is_called() -> None:
    class Unsure(Owner):
        ws_good = Late(echo)
        ws_bad = Late(not_async)

    check_class(Unsure)
    assert await Unsure().call("/good/1") == ("the connection", "1")
    with pytest.raises(TypeError, match=r"Unsure\.ws_bad .* is not async"):
        await Unsure().call("/bad")

    class Sure:
        ws_bad = NotAsync()

    with pytest.raises(TypeError, match=r"Sure\.ws_bad .* is not async"):
        check_class(Sure)


def test_what_is_no_handler_is_not_refused() -> None:
    owner = Many()
    for name in ("other", "ws__x", "ws_off"):
        check_value(owner, name, not_async)


class Unseen(Protocol):
    def nowhere(self) -> None: ...


UserName = NewType("UserName", str)
UserNumber = NewType("UserNumber", int)


class Name(str):
    __slots__ = ()


FITTING: list[object] = [
    str,
    object,
    Any,
    str | None,
    int | str,
    AnyStr | int,
    Annotated[str, "a room"],
    Annotated[str | None, "a room"],
    UserName,
    AnyStr,
    Sequence[str],
    Unseen,
    "str",
    "str | None",
    "Missing",
    "list[Missing] | str",
    "not an expression",
    ForwardRef("str"),
    ForwardRef("Missing"),
]


@pytest.mark.parametrize("annotation", FITTING)
def test_annotations_that_a_str_fits(annotation: object) -> None:
    async def handler(ws: object, n: str) -> None: ...

    handler.__annotations__["n"] = annotation
    check_value(Many(), "ws_x", handler)


UNFITTING: list[object] = [
    int,
    bool,
    bytes,
    float | None,
    list[str],
    dict[str, str],
    Name,
    Callable[[], str],
    Literal["a", "b"],
    Annotated[int, "a number"],
    UserNumber,
    None,
    "int",
    "list[str]",
    "Name",
    ForwardRef("int"),
]


@pytest.mark.parametrize("annotation", UNFITTING)
@pytest.mark.parametrize("parameter", ["n", "rest", "k", "others"])
def test_annotations_that_a_str_does_not_fit(annotation: object, parameter: str) -> None:
    async def handler(ws: object, n: str = "", *rest: str, k: str = "", **others: str) -> None: ...

    handler.__annotations__[parameter] = annotation
    with pytest.raises(TypeError, match=f"parameter '{parameter}' is annotated with "):
        check_value(Many(), "ws_x", handler)


def test_string_annotations_of_a_callable_without_a_function() -> None:
    mock = AsyncMock()
    mock.__signature__ = signature(two)
    check_value(Many(), "ws_x", mock)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated at once")
def test_an_annotation_that_only_type_checkers_know() -> None:
    namespace: dict[str, Any] = {}
    exec("async def handler(ws, n: Missing): ...", namespace)
    check_value(Many(), "ws_x", namespace["handler"])
