"""The demo: what it fetches, and what it says when it cannot; `make demo` runs the whole."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest

import micropie

EXAMPLES = Path(__file__).parents[2] / "examples"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
    yield _load("demo")
    sys.modules.pop("upstream", None)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


@pytest.mark.usefixtures("offline")
def test_without_an_index_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _load("upstream").fetch(tmp_path / "new") is None
    assert "The package index did not give micropie==0.32: ERROR" in capsys.readouterr().out


@pytest.mark.usefixtures("offline")
def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "micropie.py").touch()
    assert _load("upstream").fetch(tmp_path) == tmp_path / "micropie.py"


@pytest.mark.usefixtures("offline")
def test_the_one_file_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index").mkdir()
    wheel = tmp_path / "index" / "micropie-0.32-py3-none-any.whl"
    with ZipFile(wheel, "w") as file:
        file.writestr("micropie.py", "app = 1\n")
        file.writestr("micropie-0.32.dist-info/METADATA", "Name: micropie\nVersion: 0.32\n")
        file.writestr("micropie-0.32.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("micropie-0.32.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    module = _load("upstream").fetch(tmp_path / "into")
    assert module == tmp_path / "into" / "micropie.py"
    assert module.read_text("utf-8") == "app = 1\n"


def test_our_application_serves_the_root(demo: ModuleType) -> None:
    assert demo.root_answer(micropie) == "websocket.accept None"


def test_a_difference_that_is_not_there_is_told(demo: ModuleType, tmp_path: Path) -> None:
    module = tmp_path / "micropie.py"
    module.write_text("from micropie import App, WebSocket\n", encoding="utf-8")
    assert demo.compare_index(module) == [
        "ws_index at /: ours is to be reached, PyPI's is known not to be"
    ]


@pytest.mark.parametrize(
    ("statuses", "outcome", "words"),
    [([0, 0], 0, "the suite was not run on another"), ([1, 1], 1, "has findings")],
)
def test_the_outcome(
    demo: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    statuses: list[int],
    outcome: int,
    words: str,
) -> None:
    def command(*arguments: str) -> int:
        return statuses.pop(0)

    def fetch(folder: Path) -> None:
        return None

    monkeypatch.setattr(demo, "command", command)
    monkeypatch.setattr(demo, "fetch", fetch)
    assert demo.main() == outcome
    assert words in capsys.readouterr().out


def test_an_upstream_that_verifies_is_unexpected(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(*arguments: str, output: Path | None = None) -> int:
        return 0

    monkeypatch.setattr(demo, "command", command)
    unexpected = demo.verify_upstream(EXAMPLES.parent / "build" / "upstream" / "micropie.py")
    assert [words.rsplit(":", 1)[1] for words in unexpected] == [" exit status 0 instead of 1"] * 2
