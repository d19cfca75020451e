"""Which `except` catches which exception, held to the classes that there are."""

import ast
import asyncio
import concurrent.futures
from pathlib import Path

import pytest

from micropie.flow.exceptions import (
    ANY,
    CANCELLED,
    CLOSED,
    MISUSE,
    TIMEOUT,
    WRONG,
    Catches,
    Raised,
    Site,
    Sorts,
    caught_by,
    exception,
    handled,
)
from micropie.flow.findings import Code
from micropie.flow.modules import Module, Modules

SOURCE = """
import asyncio, builtins, concurrent.futures, micropie
import asyncio as aio
from asyncio import CancelledError, TimeoutError as Late
from micropie import ConnectionClosed
from micropie.websocket import ConnectionClosed as Gone
from elsewhere import ValueError
class KeyError(Exception): ...
def IndexError(): ...
"""

MODULES = Modules([])
MODULE = Module("handlers", ast.parse(SOURCE))


def expression(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def sort(source: str) -> type[BaseException] | None:
    return exception(MODULES, MODULE, expression(source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("ConnectionClosed", CLOSED.type),
        ("Gone", CLOSED.type),
        ("micropie.ConnectionClosed", CLOSED.type),
        ("CancelledError", CANCELLED.type),
        ("asyncio.CancelledError", CANCELLED.type),
        ("aio.exceptions.CancelledError", CANCELLED.type),
        ("Late", TimeoutError),
        ("aio.TimeoutError", TimeoutError),
        ("asyncio.exceptions.TimeoutError", TimeoutError),
        ("concurrent.futures.TimeoutError", TimeoutError),
        ("TimeoutError", TimeoutError),
        ("builtins.Exception", Exception),
        ("Exception", Exception),
        ("BaseException", BaseException),
        ("IOError", OSError),
        # What is not known.
        ("ValueError", None),
        ("KeyError", None),
        ("IndexError", None),
        ("concurrent.futures.CancelledError", None),
        ("print", None),
        ("int", None),
        ("nowhere", None),
        ("errors[0]", None),
        ("a or b", None),
        ("asyncio.Nothing", None),
    ],
)
def test_a_class_is_known_by_what_its_name_means(
    source: str, expected: type[BaseException] | None
) -> None:
    assert sort(source) is expected


def test_what_goes_by_several_names_is_one_class_in_python_too() -> None:
    assert asyncio.TimeoutError is concurrent.futures.TimeoutError is TimeoutError
    # So it is not caught as a cancellation of a task is.
    assert issubclass(concurrent.futures.CancelledError, Exception)


def test_a_class_is_known_through_other_modules(tmp_path: Path) -> None:
    (tmp_path / "errors.py").write_text("from micropie import ConnectionClosed as Closed")
    module = Module("handlers", ast.parse("from errors import Closed"))
    assert exception(Modules([tmp_path]), module, expression("Closed")) is CLOSED.type


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("except OSError", (OSError,)),
        ("except nowhere", (None,)),
        ("except (OSError, ConnectionClosed, nowhere)", (OSError, CLOSED.type, None)),
        ("except (OSError, *more)", (OSError, None)),
        ("except ()", ()),
        ("except", (BaseException,)),
    ],
)
def test_an_except_names_classes(source: str, expected: Sorts) -> None:
    [block] = ast.parse(f"try: ...\n{source}: ...").body
    assert isinstance(block, ast.Try)
    assert handled(MODULES, MODULE, block.handlers[0].type) == expected


NO, MAYBE, YES = Catches


@pytest.mark.parametrize(
    ("raised", "handler", "expected"),
    [
        (CLOSED, CLOSED.type, YES),
        (CLOSED, Exception, YES),
        (CLOSED, BaseException, YES),
        (CLOSED, RuntimeError, NO),
        (CLOSED, None, MAYBE),
        (MISUSE, RuntimeError, YES),
        (MISUSE, RecursionError, NO),
        (MISUSE, CLOSED.type, NO),
        (TIMEOUT, OSError, YES),
        (TIMEOUT, CANCELLED.type, NO),
        (CANCELLED, CANCELLED.type, YES),
        (CANCELLED, BaseException, YES),
        (CANCELLED, Exception, NO),
        (CANCELLED, CLOSED.type, NO),
        # Whatever is no Exception may come as well.
        (CANCELLED, KeyboardInterrupt, MAYBE),
        (WRONG, ValueError, MAYBE),
        (WRONG, Exception, YES),
        (WRONG, CLOSED.type, NO),
        (WRONG, KeyboardInterrupt, NO),
        (ANY, Exception, YES),
        (ANY, ValueError, MAYBE),
        (ANY, CLOSED.type, MAYBE),
        (ANY, KeyboardInterrupt, NO),
        (ANY, None, MAYBE),
        # What is known since another `except`.
        (ANY._replace(within=OSError), OSError, YES),
        (ANY._replace(within=OSError), ValueError, NO),
        (ANY._replace(within=OSError), TimeoutError, MAYBE),
        (ANY._replace(but=frozenset({OSError})), OSError, NO),
        (ANY._replace(but=frozenset({OSError})), TimeoutError, NO),
        (ANY._replace(but=frozenset({TimeoutError})), OSError, MAYBE),
        (ANY._replace(but=frozenset({TimeoutError})), Exception, YES),
    ],
)
def test_an_except_catches(
    raised: Raised, handler: type[BaseException] | None, expected: Catches
) -> None:
    assert caught_by(raised, (handler,)).how is expected


@pytest.mark.parametrize(
    ("sorts", "expected"),
    [
        ((), NO),
        ((KeyboardInterrupt, ValueError), MAYBE),
        ((ValueError, Exception), YES),
        ((Exception, KeyboardInterrupt), YES),
    ],
)
def test_an_except_catches_what_one_of_its_classes_does(sorts: Sorts, expected: Catches) -> None:
    assert caught_by(ANY, sorts).how is expected


@pytest.mark.parametrize(
    ("raised", "sorts", "caught", "left"),
    [
        (ANY, (ValueError,), {"within": ValueError}, {"but": frozenset({ValueError})}),
        (ANY, (None,), {}, {}),
        (ANY, (ValueError, None), {}, {"but": frozenset({ValueError})}),
        (ANY, (ValueError, OSError), {}, {"but": frozenset({ValueError, OSError})}),
        (ANY, (KeyboardInterrupt,), {}, {"but": frozenset({KeyboardInterrupt})}),
        (WRONG, (ValueError,), {}, {"but": frozenset({ValueError})}),
    ],
)
def test_an_except_tells_what_it_has_caught_and_what_not(
    raised: Raised,
    sorts: Sorts,
    caught: dict[str, type[BaseException]],
    left: dict[str, frozenset[type[BaseException]]],
) -> None:
    _, told, other = caught_by(raised, sorts)
    assert {name: getattr(told, name) for name in caught} == caught
    assert told._replace(within=raised.within) == raised
    assert other.but == left.get("but", raised.but)
    assert other._replace(but=raised.but) == raised


@pytest.mark.parametrize(
    ("method", "code", "again"),
    [
        ("receive_text", Code.USE_AFTER_DISCONNECT, True),
        ("receive_bytes", Code.USE_AFTER_DISCONNECT, True),
        ("send_text", Code.USE_AFTER_DISCONNECT, False),
        ("receive_text", Code.RECEIVE_AFTER_CLOSE, False),
    ],
)
def test_a_receive_after_the_disconnect_raises_again(method: str, code: Code, again: bool) -> None:
    assert Site(1, method, code, "").receives is again
