"""What an exploration finds, as results of cases: one for each clause that the model knows of."""

from collections.abc import Iterator, Sequence
from typing import Final

from micropie_conformance.case import Case, MemoryCase
from micropie_conformance.catalogue import clause
from micropie_conformance.explore.explorer import Explorer, Failure
from micropie_conformance.explore.playing import Probed, Stepped, ask, perform
from micropie_conformance.looping import Loop
from micropie_conformance.probe import Probe, Unreached
from micropie_conformance.runner import Result, Runner, Verdict, excused
from micropie_conformance.stepping import NeedsLoop

__all__ = ["DEPTH", "NOT_LED_THERE", "PLAIN_IN_A_LOOP", "explore", "explored"]

DEPTH: Final = 3
"""How long the sequences are, unless told otherwise."""

PLAIN_IN_A_LOOP: Final = 3
"""From which length on only plain letters are added for an implementation that needs an event
loop, which is many times slower."""

NOT_LED_THERE: Final = "no sequence led there"
"""What is observed for a clause that nothing has asked for."""

_TEXT: Final = (
    "Play every sequence of calls and events up to a length, and compare what comes of each with "
    "what the contract allows."
)

# The clauses that a sequence can break; a test holds them to the model.
_CLAUSES: Final = (
    *(f"WS-NEW-{number:03}" for number in range(1, 7)),
    *(f"WS-ACCEPT-{number:03}" for number in (1, 2, 4, 5, 6)),
    *(f"WS-COOKIE-{number:03}" for number in (1, 2, 3, 5)),
    *(f"WS-PROTO-{number:03}" for number in (1, 2, 3)),
    *(f"WS-RECV-{number:03}" for number in range(1, 8)),
    *(f"WS-MSG-{number:03}" for number in (1, 2, 3, 4, 7)),
    *(f"WS-SEND-{number:03}" for number in range(1, 5)),
    *(f"WS-CLOSE-{number:03}" for number in range(1, 9)),
    *(f"WS-GONE-{number:03}" for number in range(1, 12)),
    *(f"WS-CLOSED-{number:03}" for number in range(1, 5)),
    *(f"WS-REJECT-{number:03}" for number in range(1, 7)),
    *(f"WS-ATTR-{number:03}" for number in range(1, 8)),
    "WS-TASKS-001",
    "WS-TASKS-005",
    "WS-CANCEL-001",
    "WS-CANCEL-002",
)


def explored() -> list[Case[None]]:
    """Give the cases that `explore` has results for, in the order of the catalogue."""
    return [
        Case(
            f"{of.id}/explored",
            of,
            _TEXT,
            _not_alone,
            live=False,
            explored=True,
            since=of.since,
        )
        for of in map(clause, _CLAUSES)
    ]


def _not_alone(probe: Probe) -> None:
    raise LookupError("what is explored is explored together")


def explore(
    runner: Runner, cases: Sequence[MemoryCase], depth: int = DEPTH
) -> Iterator[int | Result]:
    """Explore the runner's target; yield the number of sequences now and then, then the results.

    A case that no sequence has led to is unreached: its clause is asked for by other cases too.

    Args:
        runner: It runs what was found once more, as a case, for the record of it.
        cases: Some of `explored()`.
        depth: How long the sequences are at the most.
    """
    # Whether an event loop is needed shows here, for almost all that need one.
    runner.run(Case("begin", clause("WS-RECV-001"), _TEXT, _begin, live=False))
    while True:
        try:
            yield from _explore(runner, cases, depth)
        except NeedsLoop:
            runner.driver = Loop
        else:
            return


def _explore(runner: Runner, cases: Sequence[MemoryCase], depth: int) -> Iterator[int | Result]:
    looping = runner.looping
    excuses = runner.target.not_applicable.keys()
    explorer = (
        Explorer(Probed(runner.target), depth, PLAIN_IN_A_LOOP, excuses)
        if looping
        else Explorer(Stepped(runner.target), depth, excuses=excuses)
    )
    found: dict[str, Result] = {}
    try:
        for news in explorer.run():
            if isinstance(news, int):
                yield news
            elif news.clause not in found:
                result = runner.run(_case(news))
                if runner.looping is not looping:
                    raise NeedsLoop
                # That a method cannot be called so is the fault of other clauses.
                if result.verdict is not Verdict.UNREACHED:
                    found[news.clause] = result
    except Unreached as reason:
        for case in cases:
            unreached = Result(case.id, Verdict.UNREACHED, observed=str(reason))
            yield excused(case, runner.target) or unreached
        return
    reached = explorer.reached()
    for case in cases:
        id = case.clause.id
        if (excuse := excused(case, runner.target)) is not None:
            yield excuse
        elif id in found:
            yield found[id]
        elif id in reached:
            yield Result(case.id, Verdict.PASSED)
        else:
            yield Result(case.id, Verdict.UNREACHED, observed=NOT_LED_THERE)


def _begin(probe: Probe) -> None:
    probe.open()
    probe.begin("receive_text")


def _case(failure: Failure) -> MemoryCase:
    """Give the case that plays the sequence and fails as it did."""

    def run(probe: Probe) -> None:
        played = perform(probe, failure.letters)
        ask(failure.check, probe, played)
        raise AssertionError(f"it does not fail when it is played once more: {failure}")

    id = f"{failure.clause}/explored"
    return Case(id, clause(failure.clause), _TEXT, run, live=False)
