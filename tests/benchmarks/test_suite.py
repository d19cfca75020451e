"""The benchmark of the suite runs and prints its tables; a busy machine can promise no figures."""

import platform
import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import suite
import targets


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Explore so little that it takes no time."""
    monkeypatch.setattr(suite, "DEPTH", 1)


@pytest.mark.usefixtures("shallow")
def test_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.main(["--rounds", "1", "--deepest", "2"]) == 0
    machine, explored, command, last = capsys.readouterr().out.split("\n\n")
    assert machine.startswith(platform.python_implementation())
    assert [int(line.split()[0]) for line in explored.splitlines()[1:3]] == [1, 2]
    # Each sequence of length 1 is the beginning of some of length 2.
    shorter, longer = (int(line.split()[1].replace(",", "")) for line in explored.splitlines()[1:3])
    assert 0 < shorter < longer
    assert "from start to end" in command
    assert len(re.findall("  met     |  MISSED  ", explored + command)) == 3
    assert last.endswith(" of 3 targets met.\n")


@pytest.mark.usefixtures("shallow")
@pytest.mark.parametrize(("mib", "status"), [(0, 1), (1_000_000, 0)])
def test_check_tells_by_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, mib: int, status: int
) -> None:
    monkeypatch.setattr(suite, "command", lambda: (0, 1))
    monkeypatch.setattr(suite, "LEAST_A_SECOND", 0)
    monkeypatch.setattr(suite, "MOST_MIB", mib)
    assert suite.main(["--rounds", "1", "--deepest", "1", "--check"]) == status


def test_a_command_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "TARGET", "micropie:Nothing")
    with pytest.raises(RuntimeError, match="micropie verify ended with 2"):
        suite.command()


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--rounds", "x"], ["--deepest", "0"]])
def test_a_wrong_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        suite.main(arguments)
    assert exit_.value.code == 2
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (targets.Target("x", 1, 2), True),
        (targets.Target("x", 2, 2), True),
        (targets.Target("x", 2, 2, equal=False), False),
        (targets.Target("x", 3, 2), False),
        (targets.Target("x", 3, 2, least=True), True),
        (targets.Target("x", 2, 2, least=True), True),
        (targets.Target("x", 1, 2, least=True), False),
    ],
)
def test_a_target(target: targets.Target, met: bool) -> None:
    assert target.met is met
    assert str(target) == f"  {'met   ' if met else 'MISSED'}  x: {target.value}"


@pytest.mark.parametrize(("value", "words"), [(0.12345, "0.1235"), (73_373, "73,373")])
def test_a_number(value: float, words: str) -> None:
    assert str(targets.Target("x", value, 0)).endswith(f"x: {words}")
