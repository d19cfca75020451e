"""A subclass with one attribute has a test for each case, with the outcome that it deserves."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from micropie_conformance.case import registered
from micropie_conformance.explore.cases import NOT_LED_THERE
from micropie_conformance.isolation import Isolation, Loaded, SuiteError
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.selection import CallError
from micropie_conformance.testing import Entry, Settings, Trial, Verification

from micropie._target import TargetError

FILE = """
import os
from micropie_conformance.testing import WebSocketConformance
{}

class TestMine(WebSocketConformance):
    depth = 1
    {}
"""

IMPLEMENTATION = """
from micropie import ConnectionClosed, WebSocket

class Mine(WebSocket):
    async def {}:
        {}
"""

RIGHT = IMPLEMENTATION.format(
    "close(self, *args, **kwargs)", "await super().close(*args, **kwargs)"
)
SENDS = "WS-SEND-001/sends-a-text/ascii"
WRONG = IMPLEMENTATION.format("send_text(self, data)", "await super().send_text(data.upper())")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Write files and run pytest beside them."""

    def run(
        files: dict[str, str], *options: str, status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        done = subprocess.run(
            [*PYTEST, *options], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    return run


PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", "-q", "-ra"]

Run = Callable[..., subprocess.CompletedProcess[str]]


def outcomes(done: subprocess.CompletedProcess[str]) -> str:
    """Give the counts of the last line."""
    return done.stdout.splitlines()[-1].rpartition(" in ")[0].strip("= ")


def test_one_test_for_each_case_beside_its_own(run: Run) -> None:
    source = FILE.format("from mine import Mine", "websocket = Mine")
    own = "    def test_own(self): pass\n\ndef test_other(): pass\n"
    done = run({"test_it.py": source + own, "mine.py": RIGHT}, "-vv")
    assert re.fullmatch(r"\d+ passed, \d+ skipped", outcomes(done))
    for test in [*(f"test_conforms[{case.id}]" for case in registered()[0]), "test_own"]:
        assert f"test_it.py::TestMine::{test} PASSED" in done.stdout
    assert "mine:Mine: strictly conformant; in memory, stepped without an event loop" in done.stdout


def test_a_failure_shows_what_happened_and_nothing_of_the_suite(run: Run) -> None:
    files = {"test_it.py": FILE.format("import mine", "websocket = mine.Mine"), "mine.py": WRONG}
    done = run(files, f"test_it.py::TestMine::test_conforms[{SENDS}]", status=1)
    _, failure, summary = re.split("^=+.*\n", done.stdout, maxsplit=2, flags=re.MULTILINE)
    assert failure.split("\n", 1)[1] == (
        f"""\
WS-SEND-001 (documented) is broken
  send_text() sends exactly one websocket.send with the text and returns.
  "Send a text message to the client." (reference page, send_text)

  case      {SENDS}
  does      Send a text.
  expected  sends websocket.send text='hello'
  observed  sent websocket.send text='HELLO'
  repro     micropie verify mine:Mine --repro {SENDS}
         1  server has   websocket.connect
         2  constructor  returns
         3  call         accept()
         4  reads        websocket.connect
         5  sends        websocket.accept subprotocol=None, headers=[]
         6  returns      accept()
         7  call         send_text('hello')
         8  sends        websocket.send text='HELLO'
         9  returns      send_text('hello')
"""
    )
    assert "mine:Mine: not conformant: 1 clause broken (of the part that ran: 1 of " in summary
    assert outcomes(done) == "1 failed"


def test_how_it_is_named(run: Run) -> None:
    source = """
from functools import partial
from micropie_conformance.testing import WebSocketConformance
import mine
from mine import ConnectionClosed, Mine

def make():
    class Local(Mine): pass
    return Local

class Beside(Mine): pass

# It says that it is from elsewhere, where it is not.
class Misnamed(Mine): pass
Misnamed.__module__ = "os"

class TestImported(WebSocketConformance):
    websocket = Mine
    closed = ConnectionClosed

class TestString(WebSocketConformance):
    websocket = "mine:Mine"

class TestPartial(WebSocketConformance):
    websocket = partial(Mine)

class TestLocal(WebSocketConformance):
    websocket = make()

class TestBeside(WebSocketConformance):
    websocket = Beside

class TestMisnamed(WebSocketConformance):
    websocket = Misnamed
"""
    done = run({"tests/test_it.py": source, "tests/mine.py": RIGHT}, "-k", SENDS)
    names = re.findall("^(.*): strictly conformant", done.stdout, re.MULTILINE)
    own = ("Partial", "Local", "Beside", "Misnamed")
    assert names == [
        "mine:Mine",
        "mine:Mine",
        *(f"tests/test_it.py:Test{name}.websocket" for name in own),
    ]


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_a_package_that_imports_by_relative_names(run: Run, mode: str) -> None:
    imports = "from .mine import Mine, ConnectionClosed\nclass Own(Mine): pass"
    files = {
        "tests/__init__.py": "",
        "tests/mine.py": RIGHT,
        "tests/test_it.py": FILE.format(imports, "websocket = Own"),
    }
    done = run(files, "-k", SENDS, f"--import-mode={mode}")
    assert "\ntests.test_it:TestMine.websocket: strictly conformant" in done.stdout


WRONG_ATTRIBUTES = {
    "suite = '2026.10'": "--suite 2026.10: there is no such version; there are 2026.11",
    "level = 'best'": "level best: there are documented, asgi, robust",
    "level = 'asgi'; strict = True": "strict asks for the robust clauses, and level asgi leaves",
    "depth = 10": "depth 10 is not a length from 0 to 9",
    "patience = 0": "patience 0 is not a number of seconds above 0",
    "live = ['apache']": "--live apache: there is no such server",
    "deviations = 'own.toml'": "cannot read tests/own.toml: No such file or directory",
}


def test_wrong_attributes(run: Run) -> None:
    source = "from micropie_conformance.testing import WebSocketConformance\n"
    source += "class Test0(WebSocketConformance): pass\n"
    for number, attributes in enumerate(WRONG_ATTRIBUTES, 1):
        source += f"class Test{number}(WebSocketConformance): websocket = 'a:b'; {attributes}\n"
    done = run({"tests/test_it.py": source}, status=2)
    words = "it says nothing of what is verified: write websocket = YourWebSocket"
    for number, message in enumerate([words, *WRONG_ATTRIBUTES.values()]):
        assert f"\nTest{number}: {message}" in done.stdout
    assert "Traceback" not in done.stdout
    assert "micropie_conformance/testing.py" not in done.stdout


def test_what_cannot_be_loaded_is_told_once(run: Run) -> None:
    done = run({"test_it.py": FILE.format("", "websocket = 'nosuch:Mine'")}, status=1)
    assert re.fullmatch(r"1 failed, \d+ skipped", outcomes(done))
    assert re.search(r"\nno module 'nosuch' in .*\n=+ WebSocket conformance", done.stdout)
    assert "Traceback" not in done.stdout


def test_what_hangs_ends(run: Run) -> None:
    hang = IMPLEMENTATION.format("accept(self, *args, **kwargs)", "while True: pass")
    files = {
        "test_it.py": FILE.format("from mine import Mine", "websocket = Mine\n    patience = 2"),
        "mine.py": hang,
    }
    done = run(files, "-k", "sends-a-text", status=1)
    assert " failed, " in outcomes(done)
    assert " passed" not in outcomes(done)
    assert "hangs in accept (" in done.stdout


def test_a_signal_ends_the_session_and_what_it_started(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")
    hang = "held = os.open('held', os.O_WRONLY); os.write(held, b'x'); time.sleep(1000)"
    source = "import os, time\n" + IMPLEMENTATION.format("accept(self, *args, **kwargs)", hang)
    (tmp_path / "mine.py").write_text(source)
    (tmp_path / "test_it.py").write_text(FILE.format("from mine import Mine", "websocket = Mine"))
    with open(os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK), "rb", 0) as held:
        process = subprocess.Popen([*PYTEST], cwd=tmp_path, stdout=subprocess.PIPE)
        assert process.stdout is not None
        select.select([held], [], [], 120)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate()
        os.set_blocking(held.fileno(), True)
        assert held.readall() == b"x"
    assert b"Exit: SIGTERM" in output
    assert process.returncode == 143


# What becomes of a test, by what became of its case


class Fake:
    """An isolation in which nothing runs."""

    def __init__(self, *results: Result | Exception) -> None:
        self.results = results
        self.asked: list[tuple[str, list[str]]] = []

    def run(
        self, isolation: Isolation, door: str, cases: list[str], extra: float
    ) -> Generator[Result, None, None]:
        self.asked.append((door, cases))
        for one in self.results:
            if isinstance(one, Exception):
                raise one
            isolation.loaded = Loaded("Mine", "Closed")
            if one.case in cases:
                yield one


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fake]:
    def fake(*results: Result | Exception) -> Fake:
        one = Fake(*results)

        def run(self: Isolation, *args: Any) -> Generator[Result, None, None]:
            return one.run(self, *args)

        monkeypatch.setattr(Isolation, "run", run)
        return one

    return fake


def outcome(one: Verification, test: Trial | Entry, *selected: Trial | Entry) -> str:
    try:
        one.judge(test, lambda: selected or [test])
    except pytest.xfail.Exception as error:
        return f"xfail {error}"
    except pytest.fail.Exception as error:
        return f"fail {error}" + (" with a traceback" if error.pytrace else "")
    except pytest.skip.Exception as error:
        return f"skip {error}"
    return "pass"


def trial(one: Verification, start: str) -> Trial:
    return next(
        test for test in one.tests if isinstance(test, Trial) and test.case.id.startswith(start)
    )


@pytest.mark.parametrize(
    ("clause", "verdict", "strict", "words"),
    [
        ("WS-SEND-001", Verdict.PASSED, False, "pass"),
        ("WS-SEND-001", Verdict.NOT_APPLICABLE, False, "skip it does so"),
        ("WS-SEND-001", Verdict.SERVER, False, "skip it does so"),
        ("WS-SEND-001", Verdict.FAULT, False, "fail the suite itself failed, which says noth"),
        ("WS-SEND-001", Verdict.BROKEN, False, "fail WS-SEND-001 (documented) is broken"),
        ("WS-MSG-001", Verdict.BROKEN, False, "fail WS-MSG-001 (asgi) is broken"),
        ("WS-SEND-001", Verdict.UNREACHED, False, "fail WS-SEND-001 (documented) could not"),
        ("WS-SEND-003", Verdict.BROKEN, False, "xfail broken, but robust: it does so"),
        ("WS-SEND-003", Verdict.UNREACHED, False, "xfail unreached, but robust: it does so"),
        ("WS-SEND-003", Verdict.BROKEN, True, "fail WS-SEND-003 (robust) is broken"),
        ("WS-SEND-003", Verdict.UNREACHED, True, "fail WS-SEND-003 (robust) could not be r"),
    ],
)
def test_outcomes(
    fake: Callable[..., Fake], clause: str, verdict: Verdict, strict: bool, words: str
) -> None:
    one = Verification(Settings("mine:Mine", strict=strict))
    test = trial(one, clause)
    ran = fake(Result(test.case.id, verdict, "this", "it does so"))
    assert outcome(one, test).startswith(words)
    # It is not run again.
    assert outcome(one, test).startswith(words)
    assert ran.asked == [("memory", [test.case.id])]


def test_a_clause_that_no_sequence_has_led_to_is_skipped(fake: Callable[..., Fake]) -> None:
    one = Verification(Settings("mine:Mine"))
    test = next(test for test in one.tests if str(test) == "WS-SEND-001/explored")
    fake()
    assert outcome(one, test) == f"skip {NOT_LED_THERE}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TargetError("no module 'mine'"), "no module 'mine'"),
        (SuiteError("KeyError: 'x'"), "the suite itself failed, which says nothing about the"),
    ],
)
def test_when_nothing_can_be_run(fake: Callable[..., Fake], error: Exception, words: str) -> None:
    one = Verification(Settings("mine:Mine"))
    fake(error)
    assert outcome(one, one.tests[0]).startswith(f"fail {words}")
    assert outcome(one, one.tests[1]).startswith(f"skip {words}")
    assert one.sentence.startswith(words)


def test_live_tests_name_their_server(fake: Callable[..., Fake]) -> None:
    one = Verification(Settings("mine:Mine", depth=0, live=("hypercorn:asyncio",)))
    test = trial(one, "WS-WIRE-001")
    assert str(test) == f"{test.case.id}@hypercorn:asyncio"
    ran = fake(Result(test.case.id, Verdict.PASSED))
    assert outcome(one, test, test, one.tests[0]) == "pass"
    assert ran.asked == [("hypercorn:asyncio", [test.case.id])]


def test_the_part_that_ran(fake: Callable[..., Fake]) -> None:
    settings = Settings("mine:Mine", level="documented", depth=0)
    one = Verification(settings)
    assert one.sentence == ""
    tests = [test for test in one.tests if isinstance(test, Trial)]
    fake(*(Result(test.case.id, Verdict.PASSED) for test in tests))
    assert outcome(one, tests[0], *tests[:2]) == "pass"
    words = f"--level documented, 2 of {len(tests)} cases"
    assert one.sentence.startswith(f"conformant (of the part that ran: {words}); in memory, ")
    assert outcome(one, tests[2], *tests) == "pass"
    assert "(of the part that ran: --level documented); " in one.sentence


def test_an_older_suite_is_a_part_of_it(
    fake: Callable[..., Fake], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("micropie_conformance.testing.__version__", "2027.01")
    one = Verification(Settings("mine:Mine", depth=0, suite="2026.11"))
    fake(*(Result(str(test), Verdict.PASSED) for test in one.tests))
    assert outcome(one, one.tests[0], *one.tests) == "pass"
    assert one.sentence.startswith("strictly conformant (of the part that ran: --suite 2026.11);")


@pytest.mark.parametrize(
    ("entry", "verdict", "of_the_case", "of_the_entry"),
    [
        ("WS-SEND-001", Verdict.BROKEN, "xfail declared: It is old.", "pass"),
        ("WS-SEND-001", Verdict.UNREACHED, "xfail declared: It is old.", "pass"),
        ("WS-SEND-001", Verdict.PASSED, "pass", "fail {} declares WS-SEND-001, where nothing"),
        ("WS-SEND-002", Verdict.PASSED, "pass", "skip not all of its cases were run"),
    ],
)
def test_declared_deviations(
    fake: Callable[..., Fake],
    tmp_path: Path,
    entry: str,
    verdict: Verdict,
    of_the_case: str,
    of_the_entry: str,
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f"[{entry}]\nreason = 'It is old.'\n")
    one = Verification(Settings("mine:Mine", deviations=str(file)))
    assert str(one.tests[-1]) == f"declared/{entry}"
    own = [test for test in one.tests if str(test).startswith("WS-SEND-001")]
    fake(*(Result(str(test), verdict, "", "it does so") for test in own))
    # Whichever comes first runs what it needs.
    assert outcome(one, one.tests[-1], *own, one.tests[-1]).startswith(of_the_entry.format(file))
    assert outcome(one, own[0], *own) == of_the_case
    assert outcome(one, one.tests[-1], *own, one.tests[-1]).startswith(of_the_entry.format(file))


def test_a_wrong_call_is_an_error() -> None:
    with pytest.raises(CallError):
        Verification(Settings("mine:Mine", depth=-1))
