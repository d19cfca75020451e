"""The suite as an option of pytest: `pytest --websocket module:attr`.

pytest loads this module in every run of everyone who has the package, so it does nothing, and
imports nothing else, until the option is given.
"""

import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from micropie_conformance.testing import Test, Verification

__all__: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; all but the first are those of `micropie verify`."""
    group = parser.getgroup("websocket", "conformance of a WebSocket class (micropie-contract)")
    group.addoption(
        "--websocket",
        metavar="TARGET",
        help="run the conformance suite on this implementation as well, a test for each case: "
        "module:attr or path/to/file.py:attr. All options are those of `micropie verify`, "
        "whose --help tells more",
    )
    group.addoption("--websocket-closed", metavar="MODULE:ATTR", help="its ConnectionClosed")
    group.addoption(
        "--websocket-strict",
        action="store_true",
        default=None,
        help="a broken robust clause fails, too; without it, it is an expected failure",
    )
    group.addoption(
        "--websocket-level",
        choices=["documented", "asgi", "robust"],
        help="leave out what is above this level",
    )
    group.addoption(
        "--websocket-suite", metavar="VERSION", help="run what this version of the suite had"
    )
    group.addoption(
        "--websocket-deviations", metavar="FILE", help="what TARGET declares to do otherwise"
    )
    group.addoption(
        "--websocket-depth", type=int, metavar="N", help="how long explored sequences are"
    )
    group.addoption(
        "--websocket-live",
        action="append",
        metavar="SERVER[:WORKER]",
        help="run the live cases, behind this server",
    )
    group.addoption(
        "--websocket-patience",
        type=float,
        metavar="SECONDS",
        help="when nothing happens for so long, TARGET hangs",
    )


_OPTIONS = ("closed", "strict", "level", "suite", "deviations", "depth", "live", "patience")

# The lines of the verdicts: as a worker of pytest-xdist hands them over, and those of all of them.
_OF_WORKER = "micropie_conformance"
_OF_WORKERS = pytest.StashKey[list[str]]()

_VERIFICATION = pytest.StashKey["Verification"]()


def pytest_configure(config: pytest.Config) -> None:
    """See that the options are right."""
    target: str | None = config.getoption("--websocket")
    given: dict[str, Any] = {name: config.getoption(f"--websocket-{name}") for name in _OPTIONS}
    given = {name: value for name, value in given.items() if value is not None}
    if target is None:
        if given:
            name = next(iter(given))
            raise pytest.UsageError(
                f"--websocket-{name} says how to verify: say what, with --websocket module:attr. "
                f"In a subclass of WebSocketConformance, set its attribute {name} instead"
            )
        return
    try:
        from micropie_conformance.selection import CallError
        from micropie_conformance.testing import Settings, verification
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        raise pytest.UsageError(
            f"--websocket needs {package}: pip install 'micropie-contract[conformance]'"
        ) from error
    if "live" in given:
        given["live"] = tuple(given["live"])
    try:
        config.stash[_VERIFICATION] = verification(config, Settings(target, **given))
    except CallError as error:
        raise pytest.UsageError(f"--websocket {target}: {error}") from error


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the suite to what the session collects."""
    report = yield
    verification = collector.config.stash.get(_VERIFICATION, None)
    if verification is not None and isinstance(collector, pytest.Session):
        target = verification.settings.target
        # pytest leaves the arguments of from_parent() untyped.
        door = _Door.from_parent(collector, name=target, nodeid=target)  # pyright: ignore[reportUnknownMemberType]
        door.verification = verification
        report.result.append(door)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the verdicts to the process that prints them, when this is a worker of pytest-xdist."""
    # pytest-xdist sets it, and carries it over.
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OF_WORKER] = _verdicts(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the verdicts of a worker of pytest-xdist; one that has crashed has none."""
    # What pytest-xdist gives is its own, which need not be installed.
    config: pytest.Config = node.config
    output: dict[str, list[str]] = getattr(node, "workeroutput", {})
    config.stash.setdefault(_OF_WORKERS, []).extend(output.get(_OF_WORKER, []))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Tell the verdict on each implementation, of whatever door."""
    of_workers = config.stash.setdefault(_OF_WORKERS, [])
    # What each worker says, once.
    lines = [*_verdicts(config), *dict.fromkeys(of_workers)]
    if lines:
        terminalreporter.write_sep("=", "WebSocket conformance")
    for line in lines:
        terminalreporter.write_line(line)


def _verdicts(config: pytest.Config) -> list[str]:
    """Give the lines on what this process ran."""
    if "micropie_conformance.testing" not in sys.modules:
        return []
    from micropie_conformance.testing import VERIFICATIONS

    ran = [one for one in config.stash.setdefault(VERIFICATIONS, {}).values() if one.sentence]
    return [
        line for one in ran for line in (f"{one.settings.target}: {one.sentence}", *one.left_out)
    ]


class _Door(pytest.Collector):
    """The tests of the option."""

    verification: "Verification"

    def collect(self) -> Iterator["_Item"]:
        for test in self.verification.tests:
            # As above.
            item = _Item.from_parent(self, name=str(test))  # pyright: ignore[reportUnknownMemberType]
            item.verification = self.verification
            item.test = test
            yield item


class _Item(pytest.Item):
    """One of them."""

    verification: "Verification"
    test: "Test"

    def runtest(self) -> None:
        self.verification.judge(self.test, self._selected)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name

    def _selected(self) -> Iterator["Test"]:
        return (item.test for item in self.session.items if isinstance(item, _Item))
