import asyncio
from collections.abc import Callable

import pytest
from micropie_conformance.case import Case, MemoryCase
from micropie_conformance.catalogue import CLAUSES
from micropie_conformance.probe import (
    Broken,
    NotApplicable,
    Probe,
    SaysNothing,
    Target,
    Unreached,
)
from micropie_conformance.runner import Result, Runner, Verdict, rehearse


class Simple:
    """Just enough of an implementation."""

    def __init__(self, receive: object, send: object) -> None:
        pass

    async def close(self) -> None:
        pass


class Looping(Simple):
    async def close(self) -> None:
        await asyncio.sleep(5)


class Starting(Simple):
    def __init__(self, receive: object, send: object) -> None:
        self.task = asyncio.create_task(self.close())


def case_of(run: Callable[[Probe], None]) -> MemoryCase:
    return Case("case", CLAUSES[0], "Do it.", run, False)


def closes(probe: Probe) -> None:
    probe.expect_returns(probe.start("close"))


def run(body: Callable[[Probe], None], factory: Callable[..., object] = Simple) -> Result:
    return Runner(Target(factory, ConnectionError)).run(case_of(body))


def test_passed() -> None:
    assert run(closes) == Result(
        "case",
        Verdict.PASSED,
        trace=["constructor  returns", "call         close()", "returns      close()"],
    )


def test_broken() -> None:
    def body(probe: Probe) -> None:
        probe.make()
        raise Broken("this", "that")

    assert run(body) == Result(
        "case", Verdict.BROKEN, "this", "that", trace=["constructor  returns"]
    )


def test_unreached() -> None:
    def body(probe: Probe) -> None:
        raise Unreached("why")

    assert run(body) == Result("case", Verdict.UNREACHED, observed="why")


def test_not_applicable() -> None:
    def body(probe: Probe) -> None:
        raise NotApplicable("why")

    assert run(body) == Result("case", Verdict.NOT_APPLICABLE, observed="why")


@pytest.mark.parametrize(
    ("raised", "verdict", "runs"),
    [
        ([None, None, None], Verdict.PASSED, 3),
        ([SaysNothing(), None, SaysNothing()], Verdict.PASSED, 3),
        ([SaysNothing(), SaysNothing(), SaysNothing()], Verdict.UNREACHED, 3),
        ([None, Unreached("why"), None], Verdict.UNREACHED, 3),
        ([Unreached("why"), Broken("this", "that"), None], Verdict.BROKEN, 2),
        ([None, KeyError("ours"), None], Verdict.FAULT, 2),
    ],
)
def test_the_worst_of_all_orders_counts(
    raised: list[Exception | None], verdict: Verdict, runs: int
) -> None:
    orders: list[int] = []

    def body(probe: Probe) -> None:
        orders.append(probe.order.choose(3))
        error = raised[orders[-1]]
        if error is not None:
            raise error

    assert (run(body).verdict, orders) == (verdict, list(range(runs)))


def test_what_the_target_says_does_not_apply_is_not_run() -> None:
    target = Target(Simple, ConnectionError, not_applicable={CLAUSES[0].id: "no such thing"})
    assert Runner(target).run(case_of(closes)) == Result(
        "case", Verdict.NOT_APPLICABLE, observed="no such thing"
    )
    other = Target(Simple, ConnectionError, not_applicable={CLAUSES[1].id: "no such thing"})
    assert Runner(other).run(case_of(closes)).verdict is Verdict.PASSED


@pytest.mark.parametrize("error", [KeyError("ours"), SystemExit(3), asyncio.CancelledError()])
def test_a_fault_of_the_suite_is_told_apart(error: BaseException) -> None:
    def body(probe: Probe) -> None:
        raise error

    result = run(body)
    assert result.verdict is Verdict.FAULT
    assert repr(error).split("(")[0] in result.observed
    assert "Traceback" in result.observed


def test_an_interrupt_goes_through_and_the_probe_is_finished() -> None:
    probes: list[Probe] = []

    def body(probe: Probe) -> None:
        probes.append(probe)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(body)
    assert probes[0].trace == []


@pytest.mark.parametrize("factory", [Looping, Starting])
def test_an_event_loop_is_made_when_it_is_needed_and_kept(
    factory: Callable[..., object],
) -> None:
    made: list[object] = []

    def counting(*args: object) -> object:
        made.append(args)
        return factory(*args)

    runner = Runner(Target(counting, ConnectionError))
    assert not runner.looping
    assert runner.run(case_of(closes)).verdict is Verdict.PASSED
    assert runner.looping
    assert len(made) == 2
    assert runner.run(case_of(closes)).verdict is Verdict.PASSED
    assert len(made) == 3


def test_a_rehearsal_tells_what_is_done_and_expected() -> None:
    probe = rehearse(case_of(closes), Target(Simple, ConnectionError))
    assert probe.expected == ["close() returns"]
    assert probe.trace[-1] == "returns      close()"


def test_a_failure_comes_with_a_program() -> None:
    def body(probe: Probe) -> None:
        probe.expect_waits(probe.start("close"))

    target = Target(Simple, ConnectionError, "mine:Simple", "builtins:ConnectionError")
    assert "from mine import Simple as WebSocket" in Runner(target).run(case_of(body)).repro
