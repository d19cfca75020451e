"""The option of pytest gives the verdicts of the other doors; without it, nothing happens."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from micropie_conformance.catalogue import Level
from micropie_conformance.report import BINDING
from micropie_conformance.runner import Verdict

SENDS = "WS-SEND-001/sends-a-text/ascii"

# Each breaks clauses of other levels, or none.
IMPLEMENTATIONS = """
from micropie import ConnectionClosed, WebSocket

class Right(WebSocket): pass

class Robust(WebSocket):
    async def send_text(self, data):
        await super().send_text(str(data))

class Wrong(WebSocket):
    async def send_text(self, data):
        await super().send_text(data if data.isascii() else "x")
    async def close(self, code=1000, reason=None):
        await super().close(code, "bye")

class Unreachable(WebSocket):
    async def accept(self, subprotocol=None, session_id=None):
        raise LookupError
"""

PYTEST = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", "-q", "-ra"]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(IMPLEMENTATIONS)


def run(*arguments: str, status: int) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def outcomes(*options: str, status: int) -> tuple[dict[str, str], str]:
    """Give the outcome of each case in a run of pytest, and the verdict on all."""
    done = run(*PYTEST, "--junit-xml=junit.xml", *options, status=status)
    found: dict[str, str] = {}
    for test in ElementTree.parse("junit.xml").iter("testcase"):
        name = test.attrib["name"].removeprefix("test_conforms[").removesuffix("]")
        kinds = [child.get("type") or child.tag for child in test if child.tag != "properties"]
        found[name] = kinds[0] if kinds else "passed"
    [sentence] = [line for line in done.stdout.splitlines() if line.startswith("mine:")]
    return found, sentence.partition(": ")[2].partition("; ")[0]


@pytest.mark.parametrize(
    ("name", "strict", "status"),
    [
        ("Robust", True, 1),
        ("Wrong", False, 1),
        ("Unreachable", False, 1),
    ],
)
def test_three_doors_one_verdict(name: str, strict: bool, status: int) -> None:
    # Some of what is wrong is declared.
    deviations = {"Wrong": "WS-CLOSE-003", "Robust": "WS-SEND-003/explored"}
    entry = deviations.get(name)
    Path("own.toml").write_text(f"['{entry}']\nreason = 'old'\n" if entry else "")
    options = ["--strict"] * strict + ["--depth=1", "--deviations=own.toml"]
    verify = ["-m", "micropie", "verify", f"mine:{name}", "--json=it.json"]
    run(*verify, *options, status=status)
    document = json.loads(Path("it.json").read_text())
    levels = [*BINDING, Level.ROBUST] if strict else BINDING
    expected = {f"declared/{entry}": "passed"} if entry else {}
    for one in document["results"]:
        match one["verdict"]:
            case Verdict.PASSED:
                outcome = "passed"
            case Verdict.BROKEN | Verdict.UNREACHED:
                counts = one["level"] in levels and not one["declared"]
                outcome = "failure" if counts else "pytest.xfail"
            case _:
                outcome = "pytest.skip"
        expected[one["case"]] = outcome

    mirrored = [option.replace("--", "--websocket-", 1) for option in options]
    by_option, sentence = outcomes(f"--websocket=mine:{name}", *mirrored, status=status)
    # Clauses that no sequence has led to are no results of `verify`.
    left_out = set(by_option) - set(expected)
    assert by_option == expected | dict.fromkeys(left_out, "pytest.skip")
    assert all(id.endswith("/explored") for id in left_out)
    assert sentence == document["sentence"]

    Path("test_it.py").write_text(f"""
from micropie_conformance.testing import WebSocketConformance
from mine import {name}

class TestIt(WebSocketConformance):
    websocket = {name}
    strict = {strict}
    depth = 1
    deviations = "own.toml"
""")
    assert outcomes(status=status) == (by_option, sentence)


def test_it_comes_with_the_users_own_tests() -> None:
    Path("test_own.py").write_text("def test_sends_a_text(): pass")
    done = run(*PYTEST, "--websocket=mine.py:Right", "-k", f"sends_a_text or {SENDS}", status=0)
    assert done.stdout.splitlines()[-1].startswith("2 passed, ")
    assert "\nmine.py:Right: strictly conformant (of the part that ran: 1 of " in done.stdout


def test_by_its_name_where_plugins_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    option = "--websocket=mine.py:Wrong"
    run("-m", "pytest", option, status=4)
    done = run("-m", "pytest", "-p", "micropie_conformance", option, "-k", SENDS, status=0)
    assert "mine.py:Wrong . " in done.stdout


def test_live_behind_all_that_is_installed() -> None:
    code = "import sys; sys.modules['wsproto'] = None; import pytest; sys.exit(pytest.main())"
    options = ["--websocket=mine:Right", "--websocket-live=all"]
    chosen = "WS-WIRE-001 and hypercorn:asyncio"
    done = run("-c", code, "-v", *options, "-k", chosen, status=0)
    assert "mine:Right::WS-WIRE-001/" in done.stdout
    assert "@hypercorn:asyncio PASSED" in done.stdout
    assert "\n--live all leaves out uvicorn:wsproto, which needs wsproto: " in done.stdout


def test_workers_have_their_verdicts_told() -> None:
    options = ["-n", "2", "--websocket=mine:Right", "--websocket-level=asgi"]
    done = run(*PYTEST, *options, "-k", "sends-a-text", status=0)
    verdict = "mine:Right: conformant (of the part that ran: --level asgi, 6 of "
    assert done.stdout.count("WebSocket conformance") == done.stdout.count(verdict) == 1


def test_what_is_only_listed_has_no_verdict() -> None:
    done = run(*PYTEST, "--websocket=mine:Right", "--collect-only", status=0)
    assert f"mine:Right::{SENDS}\n" in done.stdout
    assert "WebSocket conformance" not in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--websocket-depth=1"],
            "--websocket-depth says how to verify: say what, with --websocket module:attr. "
            "In a subclass of WebSocketConformance, set its attribute depth instead",
        ),
        (["--websocket=a:b", "--websocket-suite=1"], "--websocket a:b: --suite 1: there is no"),
    ],
)
def test_wrong_calls(options: list[str], words: str) -> None:
    done = run(*PYTEST, *options, status=4)
    assert done.stderr.strip().startswith(f"ERROR: {words}")


def test_what_is_not_installed() -> None:
    code = "import sys; sys.modules['rich'] = None; import pytest; sys.exit(pytest.main())"
    done = run("-c", code, "--websocket=mine:Right", status=4)
    assert done.stderr.endswith(
        "ERROR: --websocket needs rich: pip install 'micropie-contract[conformance]'\n\n"
    )


def test_without_the_option_nothing_is_imported() -> None:
    Path("test_own.py").write_text("""
import sys

def test_own():
    assert {name for name in sys.modules if name.startswith("micropie")} == {
        "micropie_conformance", "micropie_conformance.plugin"
    }
    assert "rich" not in sys.modules
""")
    done = run(*PYTEST, "-W", "error", status=0)
    assert done.stdout.splitlines()[-1].startswith("1 passed in ")
    assert done.stderr == ""
