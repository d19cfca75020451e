"""docs/matrix.md says what the results hold, and the adapters hold nothing but names and types."""

import ast
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = sorted((ROOT / "conformance" / "adapters").glob("*_adapter.py"))
PAGE = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"conformance/adapters/(\w+)_adapter\.py:WebSocket .*--repro ([^\s`]+)")

# An adapter that is longer does more than an adapter may.
MOST_LINES = 120


def results(peer: str) -> dict[str, Any]:
    path = ROOT / "conformance" / "results" / f"{peer}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
    return document


@pytest.fixture(scope="module")
def matrix() -> ModuleType:
    spec = importlib.util.spec_from_file_location("matrix", ROOT / "conformance" / "matrix.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_adapter_is_run_and_has_its_results(matrix: ModuleType) -> None:
    names = [path.stem.removesuffix("_adapter") for path in ADAPTERS]
    assert sorted(matrix.PEERS) == names
    assert sorted(path.stem for path in (ROOT / "conformance" / "results").iterdir()) == names


def test_the_page_has_each_verdict(matrix: ModuleType) -> None:
    for peer, (name, _) in matrix.PEERS.items():
        row = next(line for line in PAGE.splitlines() if f"/{peer}.json)" in line)
        assert row.startswith(f"| {name} ")
        assert row.endswith(f"| {results(peer)['sentence']} |")


def test_each_finding_of_the_page_is_in_the_results() -> None:
    findings = COMMAND.findall(PAGE)
    assert len(findings) == PAGE.count(" --repro WS-") > 10
    findings += [("pypi", case) for case in re.findall(r"`(WS-WIRE-[^`]+)`", PAGE)]
    for peer, id in findings:
        found = {one["case"]: one["verdict"] for one in results(peer)["results"]}
        assert found.get(id) == "broken", f"{id} of {peer}"


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_results_hold_nothing_of_the_machine(path: Path) -> None:
    text = json.dumps(results(path.stem.removesuffix("_adapter")))
    assert re.findall(r"site-packages| at 0x|(?<![\w.])/(?:home|root|tmp|usr|work)/", text) == []


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_is_thin(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(source)):
        modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        # What this project does must not make up for what the other class does not.
        assert not [name for name in modules if name.startswith("micropie")]


def test_what_differs_from_run_to_run_is_left_out(matrix: ModuleType) -> None:
    site = matrix.sysconfig.get_path("purelib")
    one = {"trace": ["t"], "wire": ["w"], "repro": "r"}
    document = matrix.lasting(
        {
            "implementation": f"C ({Path(site).relative_to(ROOT)}/peer/ws.py)",
            "closed": "D (mine.py)",
            "results": [
                {**one, "door": "memory", "verdict": "broken"},
                {**one, "door": "memory", "verdict": "passed"},
                {**one, "door": "hypercorn:asyncio", "verdict": "broken"},
            ],
        }
    )
    assert (document["implementation"], document["closed"]) == ("C (peer/ws.py)", "D (mine.py)")
    assert [one["trace"] for one in document["results"]] == [["t"], [], []]
    assert {one["repro"] for one in document["results"]} == {""}
