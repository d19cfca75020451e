"""The suite as pytest tests: a subclass of `WebSocketConformance` has one for each case.

They are run as `micropie verify` runs them, in a process of their own. It is started by the first
test that asks for it, and runs all the cases that were selected.
"""

import math
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

import pytest
from rich.console import Console

from micropie._target import TargetError
from micropie_conformance import __version__
from micropie_conformance.case import Case
from micropie_conformance.catalogue import Level
from micropie_conformance.deviations import NONE, declared_in
from micropie_conformance.explore.cases import DEPTH, NOT_LED_THERE
from micropie_conformance.isolation import Isolation, SuiteError
from micropie_conformance.printing import Page
from micropie_conformance.report import BINDING, Finding, Report, counted
from micropie_conformance.runner import Verdict
from micropie_conformance.selection import CallError, choose, doors, everything, plan
from micropie_conformance.verify import LIVE_EXTRA, PATIENCE, ended_by_signals, mode

__all__ = [
    "VERIFICATIONS",
    "Entry",
    "Settings",
    "Test",
    "Trial",
    "Verification",
    "WebSocketConformance",
    "verification",
]

_FAULT: Final = "the suite itself failed, which says nothing about the target. Please report it:"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is verified and how: the options of `micropie verify` of these names."""

    target: str
    closed: str | None = None
    strict: bool = False
    level: str | None = None
    suite: str = __version__
    deviations: str | None = None
    depth: int = DEPTH
    live: tuple[str, ...] = ()
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True)
class Trial:
    """A case behind a door."""

    door: str
    case: Case[Any]

    def __str__(self) -> str:
        """Give the name of its test."""
        return self.case.id + (f"@{self.door}" if self.case.live else "")


@dataclass(frozen=True, slots=True)
class Entry:
    """The question whether an entry of the file of deviations is needed."""

    id: str

    def __str__(self) -> str:
        """Give the name of its test."""
        return f"declared/{self.id}"


Test: TypeAlias = Trial | Entry


class Verification:
    """The tests of one target, and what has become of them in this session.

    Raises:
        CallError: The settings are wrong.
    """

    def __init__(self, settings: Settings) -> None:
        """Find out what there is to run; nothing is started yet."""
        self.settings = settings
        _check(settings)
        self._every = everything()
        _, chosen = choose(self._every, [], settings.level, settings.suite)
        self._declared = NONE
        if settings.deviations is not None:
            self._declared = declared_in(settings.deviations, self._every)
        self.left_out: list[str]
        live, self.left_out = doors(settings.live)
        self._trials = [
            Trial(door, case)
            for door, cases in plan(chosen, live, settings.depth)
            for case in cases
        ]
        self.tests: list[Test] = [*self._trials, *map(Entry, self._declared.reasons)]
        self._isolation = Isolation(
            settings.target, settings.closed, settings.patience, path=sys.path
        )
        self._ran: set[Trial] = set()
        self._found: dict[Trial, Finding] = {}
        self._modes: dict[str, str] = {}
        # Why nothing can be run.
        self._failure = ""

    def judge(self, test: Test, selected: Callable[[], Iterable[Test]]) -> None:
        """Give the outcome of a test as pytest has it: return, or raise.

        Args:
            test: One of `tests`.
            selected: Gives the tests that are run in this session.

        Raises:
            pytest.fail.Exception: It is broken, or cannot be told.
            pytest.skip.Exception: It does not apply.
            pytest.xfail.Exception: It is broken, and that does not count.
        """
        if self._failure:
            pytest.skip(self._failure)
        try:
            if test not in self._ran:
                self._run_for(test, [one for one in selected() if isinstance(one, Trial)])
        except TargetError as error:
            self._failure = str(error)
        except SuiteError as error:
            self._failure = f"{_FAULT}\n{error}"
        if self._failure:
            pytest.fail(self._failure, pytrace=False)
        if isinstance(test, Trial):
            self._judge(self._found.get(test))
        else:
            self._judge_entry(test.id)

    @property
    def sentence(self) -> str:
        """The verdict in words, or why there is none; empty: nothing ran."""
        loaded = self._isolation.loaded
        if self._failure or loaded is None:
            return self._failure
        settings = self.settings
        part = [f"--level {settings.level}"] if settings.level else []
        if settings.suite != __version__:
            part.append(f"--suite {settings.suite}")
        if len(self._ran) < len(self._trials):
            part.append(f"{len(self._ran)} of {counted(self._trials, 'case')}")
        robust = settings.level in (None, Level.ROBUST)
        modes = list(self._modes.values())
        found = list(self._found.values())
        report = Report(settings.target, loaded, modes, ", ".join(part), robust, found)
        return f"{report.sentence}; {'; '.join(modes)}"

    def _run_for(self, test: Test, trials: Sequence[Trial]) -> None:
        """Run what it takes to judge a test: all that is behind its door, or behind each."""
        if isinstance(test, Trial):
            self._run(test.door, [test, *trials])
        else:
            for door in dict.fromkeys(one.door for one in trials):
                self._run(door, trials)

    def _run(self, door: str, trials: Sequence[Trial]) -> None:
        """Run those that are behind this door and have not been run."""
        missing = [one for one in trials if one.door == door and one not in self._ran]
        by_id = {one.case.id: one for one in missing}
        if not by_id:
            return
        extra = LIVE_EXTRA if missing[0].case.live else 0
        with (
            ended_by_signals(_leave),
            closing(self._isolation.run(door, list(by_id), extra)) as results,
        ):
            for result in results:
                one = by_id[result.case]
                declared = self._declared.reason(one.case)
                self._found[one] = Finding(door, one.case, result, declared)
        self._ran.update(missing)
        self._modes[door] = mode(door, self._isolation)

    def _judge(self, found: Finding | None) -> None:
        if found is None:
            pytest.skip(NOT_LED_THERE)
        level = found.case.clause.level
        match found.result.verdict:
            case Verdict.PASSED:
                return
            case Verdict.FAULT:
                pytest.fail(f"{_FAULT}\n{found.result.observed}", pytrace=False)
            case Verdict.BROKEN | Verdict.UNREACHED if found.deviates:
                reason = f"declared: {found.declared}"
            case Verdict.BROKEN | Verdict.UNREACHED as verdict:
                if level in BINDING or (level is Level.ROBUST and self.settings.strict):
                    pytest.fail(self._words(found), pytrace=False)
                reason = f"{verdict}, but {level}: {found.result.observed}"
            case _:
                pytest.skip(found.result.observed)
        # Not pytest.xfail(), which does nothing at all with --runxfail.
        raise pytest.xfail.Exception(reason, pytrace=False)

    def _judge_entry(self, id: str) -> None:
        ran = {one.case for one in self._ran}
        if not self._declared.judged(id, ran, self._every):
            pytest.skip("not all of its cases were run")
        if self._declared.needless(id, list(self._found.values())):
            pytest.fail(self._declared.complaint([id]), pytrace=False)

    def _words(self, found: Finding) -> str:
        stream = StringIO()
        Page(Console(file=stream, highlight=False)).failure(found, self.settings.target)
        return stream.getvalue().rstrip()


class WebSocketConformance:
    """The tests of an implementation; a subclass names it.

        class TestMine(WebSocketConformance):
            websocket = MyWebSocket

    Everything else is as `micropie verify` has it unless it is said otherwise.
    """

    websocket: ClassVar[Callable[..., object] | str]
    """What is called as (receive, send), or its name, `module:attr`."""

    closed: ClassVar[type[BaseException] | str | None] = None
    """Its ConnectionClosed, where that is not beside it."""

    strict: ClassVar[bool] = False
    """Whether a broken robust clause fails."""

    level: ClassVar[str | None] = None
    """Leave out what is above this level: documented, asgi or robust."""

    suite: ClassVar[str] = __version__
    """The version of the suite whose cases are run."""

    deviations: ClassVar[str | Path | None] = None
    """The file of declared deviations; a relative path begins at the folder of the test file."""

    depth: ClassVar[int] = DEPTH
    """How long the sequences are that are explored."""

    live: ClassVar[Sequence[str]] = ()
    """The servers behind which the live cases are run, such as "hypercorn"."""

    patience: ClassVar[float] = PATIENCE
    """When nothing happens for so many seconds, the implementation hangs."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make a test of each case."""
        # A subclass may have tests of its own beside it.
        if "case" not in metafunc.fixturenames:
            return
        try:
            tests = _verification(metafunc.config, type(self)).tests
        except CallError as error:
            raise pytest.Collector.CollectError(f"{type(self).__name__}: {error}") from error
        metafunc.parametrize("case", tests, ids=[str(test) for test in tests])

    def test_conforms(self, case: Test, request: pytest.FixtureRequest) -> None:
        """One case."""
        __tracebackhide__ = True

        def selected() -> Iterable[Test]:
            for item in request.session.items:
                if not isinstance(item, pytest.Function) or item.cls is not type(self):
                    continue
                if item.originalname == "test_conforms":
                    test = item.callspec.params["case"]
                    assert isinstance(test, Trial | Entry)
                    yield test

        _verification(request.config, type(self)).judge(case, selected)


def _check(settings: Settings) -> None:
    """See that the values are such as `micropie verify` takes."""
    levels = [level.value for level in Level if level is not Level.INFO]
    if settings.level not in (None, *levels):
        raise CallError(f"level {settings.level}: there are {', '.join(levels)}")
    if settings.strict and settings.level not in (None, Level.ROBUST):
        raise CallError(
            f"strict asks for the robust clauses, and level {settings.level} leaves them out"
        )
    if settings.depth not in range(10):
        raise CallError(f"depth {settings.depth} is not a length from 0 to 9")
    if not 0 < settings.patience < math.inf:
        raise CallError(f"patience {settings.patience} is not a number of seconds above 0")


VERIFICATIONS: Final = pytest.StashKey[dict[Settings, Verification]]()
"""Those of a session, by what they verify."""


def verification(config: pytest.Config, settings: Settings) -> Verification:
    """Give the session's verification with these settings.

    Raises:
        CallError: The settings are wrong.
    """
    verifications = config.stash.setdefault(VERIFICATIONS, {})
    if settings not in verifications:
        verifications[settings] = Verification(settings)
    return verifications[settings]


def _verification(config: pytest.Config, door: type[WebSocketConformance]) -> Verification:
    if not hasattr(door, "websocket"):
        raise CallError("it says nothing of what is verified: write websocket = YourWebSocket")
    folder = Path(_file(door)).parent
    return verification(
        config,
        Settings(
            _name(door, "websocket"),
            None if door.closed is None else _name(door, "closed"),
            door.strict,
            door.level,
            door.suite,
            None if door.deviations is None else os.path.relpath(folder / door.deviations),
            door.depth,
            tuple(door.live),
            door.patience,
        ),
    )


def _name(door: type[WebSocketConformance], attribute: str) -> str:
    """Give the name by which another process finds what is in this attribute.

    What was imported has its own name; anything else is found as the attribute of the class.
    """
    value = getattr(door, attribute)
    if isinstance(value, str):
        return value
    module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    if module != door.__module__ and name:
        try:
            found = attrgetter(name)(sys.modules.get(module))
        except AttributeError:
            found = None
        if found is value:
            return f"{module}:{name}"
    file = Path(_file(door))
    # A file of a package may import from it by relative names.
    package = (file.parent / "__init__.py").exists()
    where = door.__module__ if package else os.path.relpath(file)
    return f"{where}:{door.__qualname__}.{attribute}"


def _file(door: type[WebSocketConformance]) -> str:
    file = sys.modules[door.__module__].__file__
    assert file is not None  # pytest has collected it from there.
    return file


def _leave(number: int) -> None:
    pytest.exit(signal.Signals(number - 128).name, returncode=number)
