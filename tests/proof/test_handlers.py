"""Handlers are made and run, and an analysis that is wrong about them is found out."""

from collections.abc import Callable
from pathlib import Path

import handlers
import pytest
from handlers import Tally, generated, observed, tried

from micropie.flow import Checker, Code, Finding, Severity

SEEDS = range(60)

HANDLER = """\
from micropie import App

class Application(App):
    async def ws_it(self, ws):
"""
# The line of the first statement.
FIRST = 5


def handler(*statements: str) -> str:
    return HANDLER + "".join(f"        {statement}\n" for statement in statements)


# From Python 3.14 on, of what leaves a `finally`.
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_each_number_makes_a_handler_of_its_own() -> None:
    sources = [generated(seed) for seed in SEEDS]
    assert sources == [generated(seed) for seed in SEEDS]
    assert len(set(sources)) > len(SEEDS) // 2
    for source in sources:
        compile(source, "handlers.py", "exec")


def test_what_the_analysis_says_is_so() -> None:
    tally = tried(SEEDS)
    assert tally.problems == []
    assert tally.handlers == len(SEEDS)
    assert tally.runs > 1000
    assert 0 not in (tally.clean, tally.errors, tally.warnings, tally.undecided)


@pytest.mark.parametrize(
    ("statements", "failed"),
    [
        (["await ws.send_text('x')"], {0: {True}}),
        (["await ws.accept()", "await ws.send_text('x')"], {0: {False}, 1: {False}}),
        (
            ["if chance.yes: await ws.accept()", "await ws.send_text('x')"],
            {0: {False}, 1: {True, False}},
        ),
        (
            # The server can raise OSError, or say that the client is gone.
            ["await ws.accept()", "try: await ws.receive_text()", "finally: await ws.close()"],
            {0: {False}, 1: {False}, 2: {False}},
        ),
        (
            ["for _ in chance.items: await ws.accept()", "await ws.close()"],
            {0: {True, False}, 1: {False}},
        ),
        (["[await ws.close() for _ in range(chance.one_of_three)]"], {0: {False}}),
    ],
)
def test_what_is_seen_of_a_handler(statements: list[str], failed: dict[int, set[bool]]) -> None:
    seen = observed(handler(*statements))
    assert dict(seen.calls) == {FIRST + line: ways for line, ways in failed.items()}


@pytest.mark.parametrize(
    ("statements", "is_so"),
    [(["if chance.yes: await ws.accept()"], True), (["await ws.accept()"], False)],
)
def test_whether_it_ends_without_an_answer(statements: list[str], is_so: bool) -> None:
    assert observed(handler(*statements)).unanswered is is_so


def test_a_handler_that_goes_on_and_on() -> None:
    seen = observed(handler("while True: await ws.close()"))
    assert seen.endless
    assert observed(handler("while chance.yes: pass")).bounded


def test_a_handler_with_more_ways_than_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "_RUNS", 3)
    seen = observed(handler("chance.yes", "chance.yes"))
    assert (seen.runs, seen.bounded) == (3, True)


def test_what_comes_of_helpers() -> None:
    source = (
        "async def helper0(conn):\n    await conn.send_text('x')\n"
        "async def helper1(conn):\n    [await helper0(conn) for _ in range(1)]\n"
        + handler("await ws.accept()", "await helper1(ws)", "await ws.close()", "await helper0(ws)")
    )
    seen = observed(source)
    line = source.splitlines().index("        await helper1(ws)") + 1
    assert (seen.calls[line], line in seen.came_back) == ({False}, True)
    assert (seen.calls[line + 2], line + 2 in seen.came_back) == ({True}, False)


def findings(*made: tuple[int, Code, Severity]) -> Callable[..., list[Finding]]:
    found = [Finding(FIRST + line, 1, code, severity, "it fails") for line, code, severity in made]

    def check(self: object, file: Path) -> list[Finding]:
        return found

    return check


ERROR, WARNING = Severity.ERROR, Severity.WARNING


@pytest.mark.parametrize(
    ("statements", "found", "problem"),
    [
        (["await ws.accept()"], [(0, Code.SECOND_ACCEPT, ERROR)], "does not always fail"),
        (["await ws.accept()"], [(0, Code.SECOND_ACCEPT, WARNING)], "and never fails"),
        (["await ws.accept()", "await ws.accept()"], [], "line 6 fails and is not reported"),
        (["pass"], [], "it can end without an answer, which is not reported"),
        (["await ws.accept()"], [(0, Code.NO_ANSWER, WARNING)], "and never does"),
        (["await ws.accept()"], [(0, Code.SWALLOWED_DISCONNECT, WARNING)], "go on for ever"),
    ],
)
def test_an_analysis_that_is_wrong(
    statements: list[str],
    found: list[tuple[int, Code, Severity]],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def generate(seed: int) -> str:
        return handler(*statements)

    monkeypatch.setattr(handlers, "generated", generate)
    monkeypatch.setattr(Checker, "check", findings(*found))
    (told,) = tried(range(7, 8)).problems
    assert problem in told
    assert "handler number 7:\n" in told


def test_an_error_at_a_helper_that_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    source = handler("await ws.accept()", "await helper0(ws)")
    source = source.replace("class", "async def helper0(conn): await conn.close()\nclass")

    def generate(seed: int) -> str:
        return source

    monkeypatch.setattr(handlers, "generated", generate)
    monkeypatch.setattr(Checker, "check", findings((2, Code.SEND_AFTER_CLOSE, ERROR)))
    assert "does not always fail" in tried(range(1)).problems[0]


def test_tallies_add_up() -> None:
    tally = Tally(1, 2, 3, 4, 5, 6, ["a"])
    tally.add(Tally(10, 20, 30, 40, 50, 60, ["b"]))
    assert tally == Tally(11, 22, 33, 44, 55, 66, ["a", "b"])
