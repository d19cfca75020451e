"""The benchmark runs and prints its table. What it measures, a busy machine cannot promise."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
# Stands in for PyPI's file, which has these names too.
PYPI = "from micropie import App, ConnectionClosed, WebSocket\n"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    spec = importlib.util.spec_from_file_location("bench", BENCHMARKS / "bench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bench", module)  # dataclasses look it up
    spec.loader.exec_module(module)
    # Enough to run everything once.
    for constant in ("ECHOES", "CONNECTIONS", "OBJECTS"):
        monkeypatch.setattr(module, constant, 10)
    yield module
    for name in ("fake_server", "targets", "upstream"):
        sys.modules.pop(name, None)


@pytest.fixture
def pypi(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "micropie.py"
    path.write_text(PYPI)

    def fetch(folder: Path) -> Path:
        return path

    monkeypatch.setattr(bench.upstream, "fetch", fetch)
    return path


@pytest.mark.usefixtures("pypi")
def test_each_table_has_a_line_for_each_contender(
    bench: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["--rounds", "3"]) == 0
    tables = capsys.readouterr().out.split("\n\n")[1:5]
    assert [table.split("  ")[0] for table in tables] == [
        "One echo in memory",
        "One connection, handler closes",
        "One connection, client leaves",
        "One WebSocket object",
    ]
    for table in tables:
        for name in (bench.OURS, bench.PYPI, bench.STARLETTE):
            assert f"\n  {name}  " in table
        assert "\n  met     " in table or "\n  MISSED  " in table


def test_without_pypi_s_it_goes_on(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(folder: Path) -> None:
        return None

    monkeypatch.setattr(bench.upstream, "fetch", fetch)
    assert bench.main(["--rounds", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{bench.PYPI} is left out.\n")
    assert out.count(bench.PYPI) == 1
    assert out.count("below starlette") == 3


@pytest.mark.usefixtures("pypi")
@pytest.mark.parametrize(("most", "status"), [(0, 1), (1_000_000, 0)])
def test_check_tells_by_the_exit_status(
    bench: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    most: int,
    status: int,
) -> None:
    def below(seconds: object) -> list[object]:
        return []

    monkeypatch.setattr(bench, "below", below)
    monkeypatch.setattr(bench, "MOST_TIMES_BARE", 1_000_000)
    monkeypatch.setattr(bench, "MOST_BYTES", most)
    assert bench.main(["--rounds", "1", "--check"]) == status
    assert capsys.readouterr().out.endswith(f"{2 - status} of 2 targets met.\n")


def test_an_object_takes_at_most_80_bytes(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "OBJECTS", 20_000)
    [ours] = [one for one in bench.contenders(None) if one.name == bench.OURS]
    assert bench.size(ours) <= bench.MOST_BYTES + 1


@pytest.mark.parametrize("rounds", ["0", "many"])
def test_a_wrong_number_of_rounds(
    bench: ModuleType, rounds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        bench.main(["--rounds", rounds])
    assert exit_.value.code == 2
    assert "--rounds" in capsys.readouterr().err
