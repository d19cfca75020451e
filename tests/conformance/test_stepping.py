import asyncio
from collections.abc import Awaitable, Callable
from types import coroutine
from typing import Any

import pytest
from micropie_conformance.stepping import NeedsLoop, Stepper


@pytest.fixture
def stepper() -> Stepper:
    return Stepper()


def test_a_coroutine_runs_to_its_end_at_once(stepper: Stepper) -> None:
    seen: list[str] = []

    async def body() -> None:
        seen.append("ran")

    assert stepper.start(body()).done
    assert seen == ["ran"]


def test_what_is_parked_goes_on_when_it_can(stepper: Stepper) -> None:
    seen: list[str] = []
    gates = {"a": False, "b": False}

    async def body(name: str) -> None:
        await stepper.park(lambda: gates[name])
        seen.append(name)

    tasks = [stepper.start(body(name)) for name in gates]
    gates["b"] = True
    stepper.settle()
    assert seen == ["b"]
    assert [task.done for task in tasks] == [False, True]
    gates["a"] = True
    stepper.settle()
    assert seen == ["b", "a"]


@pytest.mark.parametrize("after", [None, 3])
def test_cancellation_comes_where_it_is_parked(stepper: Stepper, after: int | None) -> None:
    seen: list[str] = []

    async def body() -> None:
        try:
            await stepper.park(lambda: False)
        except asyncio.CancelledError:
            seen.append("cancelled")

    task = stepper.start(body())
    stepper.cancel(task, after)
    assert task.done
    stepper.cancel(task, after)
    assert seen == ["cancelled"]


def test_call_calls(stepper: Stepper) -> None:
    seen: list[str] = []
    stepper.call(lambda: seen.append("called"))
    assert seen == ["called"]
    assert stepper.left_behind() == []


@coroutine
def something_else() -> Any:
    yield "something else"


@pytest.mark.parametrize("await_it", [lambda: asyncio.sleep(0), something_else])
def test_what_awaits_something_else_needs_a_loop(
    stepper: Stepper, await_it: Callable[[], Awaitable[Any]]
) -> None:
    async def body() -> None:
        await await_it()

    with pytest.raises(NeedsLoop):
        stepper.start(body())


def test_waiting_is_closed_even_if_it_does_not_want_to(stepper: Stepper) -> None:
    ended: list[str] = []

    async def willing() -> None:
        try:
            await stepper.park(lambda: False)
        finally:
            ended.append("willing")

    async def unwilling() -> None:
        try:
            await stepper.park(lambda: False)
        except GeneratorExit:
            ended.append("unwilling")
            raise SystemExit from None

    stepper.start(unwilling())
    stepper.start(willing())
    stepper.close()
    assert ended == ["unwilling", "willing"]


def error_of(call: Callable[[], Any]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("it raises nothing")


def wait_without_a_loop() -> None:
    asyncio.Event().wait().send(None)


def caused(error: BaseException, *, by: BaseException) -> BaseException:
    error.__cause__ = by
    return error


def circular() -> BaseException:
    first, second = ValueError(), ValueError()
    first.__context__, second.__context__ = second, first
    return first


@pytest.mark.parametrize(
    "error",
    [
        error_of(asyncio.get_running_loop),
        error_of(wait_without_a_loop),
        RuntimeError("unknown async library, or not in async context"),
        caused(LookupError(), by=caused(ValueError(), by=RuntimeError("no running event loop"))),
    ],
    ids=repr,
)
def test_the_lack_of_a_loop_is_noticed(stepper: Stepper, error: BaseException) -> None:
    with pytest.raises(NeedsLoop):
        stepper.examine(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(),
        RuntimeError(5),
        RuntimeError("not accepted"),
        ValueError("no running event loop"),
        AttributeError("create_future"),
        circular(),
    ],
    ids=repr,
)
def test_any_other_error_is_left_alone(stepper: Stepper, error: BaseException) -> None:
    stepper.examine(error)
