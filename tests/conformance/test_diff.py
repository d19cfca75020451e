"""What has changed is told in groups, and a regression alone gives exit status 1."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from micropie_conformance.diff import Kind, compare
from micropie_conformance.document import parse
from micropie_conformance.runner import Verdict

from micropie.cli import main

EMPTY: dict[str, Any] = {
    "schema": 1,
    "suite": "2026.11",
    "python": "3.11.7",
    "date": "2026-11-26T20:34:56Z",
    "name": "Mine",
    "target": "mine:Class",
    "implementation": "Class",
    "closed": "Closed",
    "modes": ["in memory"],
    "part": "",
    "verdict": "not conformant",
    "sentence": "not conformant: 1 clause broken",
    "printed": "",
    "clauses": [
        {
            "id": id,
            "level": "documented",
            "text": "It holds.",
            "source": "the page",
            "quote": "",
            "since": "2026.11",
            "cases": 1,
        }
        for id in ("WS-SEND-001", "WS-MSG-001")
    ],
    "results": [],
}

P, B, U, N, S, F = (
    Verdict.PASSED,
    Verdict.BROKEN,
    Verdict.UNREACHED,
    Verdict.NOT_APPLICABLE,
    Verdict.SERVER,
    Verdict.FAULT,
)


def result(
    verdict: Verdict,
    case: str = "WS-SEND-001/a",
    door: str = "memory",
    declared: str = "",
    observed: str = "it waits",
) -> dict[str, object]:
    return {
        "case": case,
        "clause": case.partition("/")[0],
        "does": "Try it.",
        "door": door,
        "verdict": verdict,
        "expected": "it returns" if verdict is B else "",
        "observed": observed,
        "trace": [],
        "repro": "",
        "wire": [],
        "habit": "",
        "declared": declared,
    }


def document(*results: dict[str, object]) -> dict[str, Any]:
    return copy.deepcopy(EMPTY) | {"results": [*results]}


@pytest.fixture
def diff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Any, Any], tuple[int, list[str]]]:
    """Compare two documents by the command; give the exit status and the lines."""
    monkeypatch.chdir(tmp_path)

    def run(old: object, new: object) -> tuple[int, list[str]]:
        Path("old.json").write_text(json.dumps(old))
        Path("new.json").write_text(json.dumps(new))
        status = main(["diff", "old.json", "new.json"])
        printed = capsys.readouterr()
        assert printed.err == ""
        return status, printed.out.splitlines()

    return run


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ((P, ""), (P, ""), None),
        ((B, ""), (B, ""), None),
        ((B, "so"), (B, "because"), None),
        ((P, ""), (B, ""), Kind.WORSE),
        ((P, ""), (U, ""), Kind.WORSE),
        ((P, ""), (F, ""), Kind.WORSE),
        ((N, ""), (B, ""), Kind.WORSE),
        ((S, ""), (B, ""), Kind.WORSE),
        ((P, ""), (B, "so"), Kind.WORSE),
        ((B, "so"), (B, ""), Kind.WORSE),
        ((B, ""), (P, ""), Kind.BETTER),
        ((F, ""), (P, ""), Kind.BETTER),
        ((B, ""), (B, "so"), Kind.BETTER),
        ((U, "so"), (N, ""), Kind.BETTER),
        ((U, ""), (B, ""), Kind.CHANGED),
        ((B, ""), (U, ""), Kind.CHANGED),
        ((P, ""), (N, ""), Kind.CHANGED),
        ((P, ""), (S, ""), Kind.CHANGED),
        (None, (B, ""), Kind.APPEARED),
        ((P, ""), None, Kind.DISAPPEARED),
    ],
)
def test_what_a_change_is(
    diff: Callable[[Any, Any], tuple[int, list[str]]],
    old: tuple[Verdict, str] | None,
    new: tuple[Verdict, str] | None,
    kind: Kind | None,
) -> None:
    before, after = (
        document(*([] if one is None else [result(one[0], declared=one[1])])) for one in (old, new)
    )
    changes = compare(parse(before), parse(after))
    assert {one: len(found) for one, found in changes.items() if found} == (
        {kind: 1} if kind else {}
    )
    status, lines = diff(before, after)
    assert status == (1 if kind is Kind.WORSE else 0)
    assert lines[-1] == (
        "regression: 1 case of 1 clause (WS-SEND-001)" if status else "no regression"
    )
    headings = [f"{one}: 1 case" for one in Kind]
    assert [line for line in lines if line in headings] == ([f"{kind}: 1 case"] if kind else [])


def test_report(diff: Callable[[Any, Any], tuple[int, list[str]]]) -> None:
    old = document(
        result(P, "WS-MSG-001/a"),
        result(P, "WS-SEND-001/a"),
        result(P, "WS-SEND-001/b"),
        result(B, "WS-SEND-001/c"),
        result(P, "WS-SEND-001/d", "explored:3"),
        result(P, "WS-SEND-001/e"),
    )
    new = document(
        result(B, "WS-MSG-001/a"),
        result(B, "WS-SEND-001/a", observed="\x1b[2J it raises"),
        result(U, "WS-SEND-001/b"),
        result(P, "WS-SEND-001/c"),
        # Longer sequences are no other door.
        result(P, "WS-SEND-001/d", "explored:4"),
        result(B, "WS-SEND-001/e", "hypercorn:trio"),
    ) | {"name": "Mine\n2", "sentence": "better: \x00"}
    status, lines = diff(old, new)
    assert status == 1
    assert (
        lines
        == """\
old  Mine, 2026-11-26T20:34:56Z, suite 2026.11: not conformant: 1 clause broken
new  Mine\\n2, 2026-11-26T20:34:56Z, suite 2026.11: better: \\x00

worse: 3 cases
  WS-SEND-001 (documented)  It holds.
    WS-SEND-001/a (memory): passed -> broken
      expected  it returns
      observed  \\x1b[2J it raises
    WS-SEND-001/b (memory): passed -> unreached
      observed  it waits
  WS-MSG-001 (documented)  It holds.
    WS-MSG-001/a (memory): passed -> broken
      expected  it returns
      observed  it waits

better: 1 case
  WS-SEND-001 (documented)  It holds.
    WS-SEND-001/c (memory): broken -> passed

appeared: 1 case
  WS-SEND-001 (documented)  It holds.
    WS-SEND-001/e (hypercorn:trio): broken

disappeared: 1 case
  WS-SEND-001 (documented)  It holds.
    WS-SEND-001/e (memory): passed

regression: 3 cases of 2 clauses (WS-SEND-001, WS-MSG-001)""".splitlines()
    )


def test_clauses_that_only_one_suite_has(diff: Callable[[Any, Any], tuple[int, list[str]]]) -> None:
    old, new = document(result(P, "WS-MSG-001/a")), document(result(P))
    new["clauses"] = [clause for clause in EMPTY["clauses"] if clause["id"] == "WS-SEND-001"]
    status, lines = diff(old, new)
    assert status == 0
    assert "disappeared: 1 case" in lines
    assert "appeared: 1 case" in lines


@pytest.mark.parametrize("unreadable", ["old.json", "new.json"])
def test_what_cannot_be_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unreadable: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("old.json", "new.json"):
        Path(name).write_text(json.dumps(document()))
    Path(unreadable).write_text('{"schema": "\\u001b"}')
    assert main(["diff", "old.json", "new.json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(
        f"micropie diff: {unreadable} is no result of `micropie verify --json`: schema is '\\x1b', "
    )
    assert printed.err.count("\n") == 1
