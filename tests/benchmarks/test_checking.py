"""The benchmark of the check runs and prints its tables; a busy machine can promise no figures."""

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import checking

from micropie.flow import Checker


def test_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert checking.main(["--rounds", "1", "--files", "2"]) == 0
    _, command, analysis, growth, last = capsys.readouterr().out.split("\n\n")
    assert [line.split("  ")[1] for line in command.splitlines()[1:5]] == [
        "mypy --strict, cold",
        "micropie check, cold",
        "mypy --strict, warm",
        "micropie check, warm",
    ]
    assert "with the analysis" in analysis
    assert "1600 branches after another" in growth
    assert len(re.findall("  met     |  MISSED  ", command + analysis + growth)) == 5
    assert last.endswith(" of 5 targets met.\n")


@pytest.mark.parametrize("source", [checking.long(3), checking.nested(7)])
def test_the_handlers_that_grow_have_nothing_to_find(source: str, tmp_path: Path) -> None:
    file = tmp_path / "handler.py"
    file.write_text(source)
    assert Checker().check(file) == []


@pytest.mark.parametrize(("most", "status"), [(0, 1), (1e9, 0)])
def test_check_tells_by_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, most: float, status: int
) -> None:
    def run(folder: Path, *command: str) -> float:
        return 1.0

    monkeypatch.setattr(checking, "run", run)
    monkeypatch.setattr(checking, "LEAST_A_SECOND", 0)
    monkeypatch.setattr(checking, "MOST_OF_MYPY", 1)
    monkeypatch.setattr(checking, "MOST_GROWTH", most)
    monkeypatch.setattr(checking, "MOST_DEEPER", most)
    assert checking.main(["--rounds", "1", "--files", "1", "--check"]) == status


def test_a_command_that_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        checking.run(tmp_path, sys.executable, "-c", "raise SystemExit(3)")


def test_an_analysis_that_finds_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "HANDLERS", checking.long(1) + "        await ws.accept()\n")
    with pytest.raises(RuntimeError, match="second-accept"):
        list(checking.analysis(1, 1))


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--files", "x"], ["--files", "0"]])
def test_a_wrong_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        checking.main(arguments)
    assert exit_.value.code == 2
    assert arguments[0] in capsys.readouterr().err
