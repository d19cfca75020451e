"""Each program fails on the implementation that it was written for, and not on a right one.

The implementations are those that the cases are tried on.
"""

import asyncio
import contextlib
import functools
import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from micropie_conformance.case import Case, registered
from micropie_conformance.catalogue import CLAUSES, Level
from micropie_conformance.probe import Probe, Target
from micropie_conformance.runner import Result, Runner, Verdict
from micropie_conformance.steps import Check
from right import RIGHT
from wrong import WRONG

import micropie

CASES = {case.id: case for case in registered()[0]}


# Each must hold up to the programs of what it passes.
SOUND = [right for right in RIGHT.values() if right.level is Level.ROBUST]


@pytest.fixture(scope="module")
def failures() -> dict[str, list[Result]]:
    """What the wrong implementations break."""
    found: dict[str, list[Result]] = {}
    for name, wrong in WRONG.items():
        names = ("implementation:Socket", "implementation:ConnectionClosed")
        runner = Runner(Target(wrong.factory, wrong.closed, *names))
        # `make prove` shows that it breaks no others.
        cases = [case for case in CASES.values() if case.clause.id in wrong.clauses]
        results = [runner.run(case) for case in cases]
        assert Verdict.FAULT not in {result.verdict for result in results}
        found[name] = [result for result in results if result.verdict is Verdict.BROKEN]
    return found


@pytest.fixture
def implementation(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module for the programs to import, which a test fills."""
    module = ModuleType("implementation")
    monkeypatch.setitem(sys.modules, "implementation", module)
    return module


def end(program: str, module: ModuleType, factory: object, closed: object) -> tuple[object, str]:
    """Run a program on an implementation; give its exit status and what it printed."""
    module.__dict__.update(Socket=factory, ConnectionClosed=closed)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    output = io.StringIO()
    status: object = None
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(program, "repro.py", "exec"), namespace)
        except SystemExit as error:
            status = error.code
        except BaseException as error:
            status = repr(error)
    if loop := namespace.get("loop"):
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_forever()
        loop.close()
    return status, output.getvalue()


@pytest.mark.parametrize("name", WRONG)
def test_the_program_fails_on_what_is_wrong_and_not_on_what_is_right(
    name: str, implementation: ModuleType, failures: dict[str, list[Result]]
) -> None:
    wrong = WRONG[name]
    for result in failures[name]:
        program = result.repro
        status, output = end(program, implementation, wrong.factory, wrong.closed)
        assert (result.case, status) == (result.case, 1)
        assert output.startswith(f"expected: {result.expected}\nobserved: ")
        for right in SOUND:
            if right.looping and "loop = " not in program:
                continue
            status, output = end(program, implementation, right.factory, right.closed)
            assert (result.case, right, status, output) == (result.case, right, 0, output)


def test_there_is_a_program_for_each_case(failures: dict[str, list[Result]]) -> None:
    shown = {result.case for results in failures.values() for result in results if result.repro}
    assert [id for id in CASES if id not in shown] == []


def test_the_programs_are_clean(failures: dict[str, list[Result]], tmp_path: Path) -> None:
    # One for each case, of the implementation that breaks it last.
    for result in [result for results in failures.values() for result in results]:
        name = "".join(one if one.isalnum() else "_" for one in result.case)
        (tmp_path / f"{name}.py").write_text(result.repro)
    ruff = Path(sys.executable).with_name("ruff")
    done = subprocess.run(
        [ruff, "check", "--isolated", "--no-cache", "--output-format=concise", tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "All checks passed!\n")


@pytest.mark.parametrize("name", ["ReceivesOnlySoMuch", "SendsOnlySoMuch"])
def test_what_is_long_is_written_and_shown_in_a_few_words(
    name: str, implementation: ModuleType, failures: dict[str, list[Result]]
) -> None:
    long = [result for result in failures[name] if result.case.endswith("/long")]
    assert len(long) >= 2
    for result in long:
        assert len(result.repro) < 5000
        _, output = end(result.repro, implementation, WRONG[name].factory, WRONG[name].closed)
        assert len(output) < 500


SOURCE = """
from micropie import ConnectionClosed, WebSocket

class Socket(WebSocket):
    async def close(self, *args, **kwargs):
        {}
        await super().close(*args, **kwargs)
"""


@pytest.mark.parametrize(
    ("file", "module", "before"),
    [
        ("implementation.py", "implementation", "pass"),
        ("folder/implementation.py", "folder/implementation.py", "pass"),
        ("implementation.py", "implementation", "import asyncio; await asyncio.sleep(5)"),
    ],
    ids=["module", "file", "in-a-loop"],
)
def test_as_a_process(tmp_path: Path, file: str, module: str, before: str) -> None:
    wrong, right = SOURCE.format(f"{before}; return"), SOURCE.format(before)
    namespace: dict[str, Any] = {"__name__": "implementation"}
    exec(wrong, namespace)
    names = (f"{module}:Socket", f"{module}:ConnectionClosed")
    target = Target(namespace["Socket"], micropie.ConnectionClosed, *names)
    (tmp_path / "repro.py").write_text(Runner(target).run(CASES["WS-CLOSE-001/closes"]).repro)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    for source, status in ((wrong, 1), (right, 0)):
        (tmp_path / file).write_text(source)
        done = subprocess.run(
            [sys.executable, "repro.py"],
            cwd=tmp_path,
            env={"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (status, "")
        assert done.stdout.splitlines()[0] == "expected: sends websocket.close"


# What the programs are made of


class Outer:
    class Socket:
        def __init__(self, receive: object, send: object, **options: object) -> None:
            pass

        async def close(self, *args: object) -> None:
            pass


def written(
    body: Callable[[Probe], None],
    factory: Callable[..., object] = micropie.WebSocket,
    spec: str = "",
    closed: str = "",
) -> str:
    """Give the program for a case, which fails, as `body` has it."""
    case = Case("case", CLAUSES[0], "Do it.", body, False)
    result = Runner(Target(factory, micropie.ConnectionClosed, spec, closed)).run(case)
    assert result.verdict is Verdict.BROKEN
    return result.repro


FAILS = Check("isinstance(made.error, ConnectionClosed)", "made")


def fails(probe: Probe) -> None:
    probe.make()
    probe.expect(False, "it", "that", FAILS)


@pytest.mark.parametrize(
    ("spec", "closed", "lines"),
    [
        # What names them is found where it is not told.
        ("", "", [f"from {micropie.WebSocket.__module__} import WebSocket"]),
        ("a.b:Socket", "a.b:ConnectionClosed", ["from a.b import ConnectionClosed"]),
        ("a.b:Socket", "c:Gone", ["from a.b import Socket as WebSocket"]),
        ("a.b:Socket", "c:Gone", ["from c import Gone as ConnectionClosed"]),
        ("a:Outer.Socket", "c:Gone", ["from a import Outer", "WebSocket = Outer.Socket"]),
        (
            "a.py:Socket",
            "a.py:Gone",
            [
                'module = load("a.py")',
                "ConnectionClosed = module.Gone",
                "WebSocket = module.Socket",
            ],
        ),
        (
            "a.py:Outer.Socket",
            "b/c:Gone",
            [
                'module = load("b/c")',
                'module_2 = load("a.py")',
                "WebSocket = module_2.Outer.Socket",
            ],
        ),
    ],
)
def test_how_the_implementation_is_imported(spec: str, closed: str, lines: list[str]) -> None:
    program = written(fails, spec=spec, closed=closed)
    compile(program, "repro.py", "exec")
    assert [line for line in lines if line not in program.splitlines()] == []


def test_what_is_not_named_has_no_program() -> None:
    class Local(micropie.WebSocket):
        pass

    nameless: list[Callable[..., object]] = [
        Local,
        functools.partial(micropie.WebSocket),
        type("Odd", (micropie.WebSocket,), {"__module__": 5}),
        type("Main", (micropie.WebSocket,), {"__module__": "__main__"}),
        type("WebSocket", (micropie.WebSocket,), {"__module__": "micropie"}),
    ]
    assert [written(fails, factory) for factory in nameless] == [""] * len(nameless)


def test_what_is_nested_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("nested")
    module.__dict__["Outer"] = Outer
    monkeypatch.setitem(sys.modules, "nested", module)
    monkeypatch.setattr(Outer.Socket, "__module__", "nested")
    program = written(fails, Outer.Socket)
    assert "WebSocket = Outer.Socket" in program.splitlines()


def test_what_has_no_source_has_no_program() -> None:
    def judged_without_a_check(probe: Probe) -> None:
        probe.expect(False, "it", "that")

    def with_an_odd_argument(probe: Probe) -> None:
        probe.start("close", object())
        fails(probe)

    assert written(judged_without_a_check) == ""
    assert written(with_an_odd_argument) == ""


def test_what_was_accounted_for_before_is_left_out() -> None:
    def body(probe: Probe) -> None:
        probe.expect_nothing_sent()
        probe.start("close")
        probe.expect_sent()

    assert "sent.clear()" in written(body).splitlines()
    assert "sent.clear()" not in written(fails).splitlines()


def test_long_lines_are_broken() -> None:
    def body(probe: Probe) -> None:
        probe.make(subprotocols=["chat"])
        events = [{"type": "websocket.receive", "text": f"{number}" * 9} for number in range(3)]
        probe.deliver(*events)
        probe.expect(False, "it", "that", Check("x == " + " + ".join(["sent"] * 20), "sent"))

    lines = written(body).splitlines()
    assert lines[lines.index("inbox += [") + 3 :][:2] == [
        '    {"type": "websocket.receive", "text": "222222222"},',
        "]",
    ]
    assert lines[lines.index("holds = (") + 2] == ")"
    assert 'ws = WebSocket(receive, send, subprotocols=["chat"])' in lines


def test_the_head_names_the_clause() -> None:
    def head(case: str) -> str:
        result = Runner(Target(Outer.Socket, ConnectionError, "a:Socket", "a:Gone")).run(
            CASES[case]
        )
        words = result.repro.partition("\nimport ")[0].replace("\n# ", " ")
        return words.removeprefix("# ").strip()

    clause = CASES["WS-SIGN-002/gives-an-awaitable/accept"].clause
    assert head("WS-SIGN-002/gives-an-awaitable/accept") == (
        f"a:Socket breaks {clause.id} (documented) of MicroPie's WebSocket contract: {clause.text} "
        f'"{clause.quote}" ({clause.source}) What is done (WS-SIGN-002/gives-an-awaitable/accept): '
        "Look the method up and call it where it may be called. Run it where `micropie verify` was "
        "run. The exit status is 1 while the failure is there, and 0 once it is gone."
    )
    robust = replace(clause, quote="")
    case = replace(CASES["WS-SIGN-002/gives-an-awaitable/accept"], clause=robust)
    result = Runner(Target(Outer.Socket, ConnectionError, "a:Socket", "a:Gone")).run(case)
    assert f"\n# ({clause.source})\n" in result.repro
