"""The verdict follows from the findings, and the document holds all of them."""

import json
import platform
import re
from dataclasses import replace
from typing import Any

import pytest
from micropie_conformance import __version__
from micropie_conformance.case import Case
from micropie_conformance.catalogue import CLAUSES, Clause, Level
from micropie_conformance.isolation import Loaded
from micropie_conformance.report import SCHEMA, Conformance, Finding, Report, counted, now
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.static import Typed

from micropie.mismatch import Mismatch

P, B, U, N, F = (
    Verdict.PASSED,
    Verdict.BROKEN,
    Verdict.UNREACHED,
    Verdict.NOT_APPLICABLE,
    Verdict.FAULT,
)
D, A, R, I = Level.DOCUMENTED, Level.ASGI, Level.ROBUST, Level.INFO  # noqa: E741


def finding(level: Level, number: int, verdict: Verdict, door: str = "memory") -> Finding:
    """Give what became of a case of clause `number` of a level."""
    id = f"WS-{level.upper()}-{number:03}"
    clause = Clause(id, level, "It holds.", "somewhere")
    case: Case[Any] = Case(f"{id}/case", clause, "Try it.", print, live=door != "memory")
    return Finding(door, case, Result(case.id, verdict, "this", "that", ["step"]))


def report(*findings: Finding) -> Report:
    loaded = Loaded("Class (file.py)", "Closed (file.py)")
    return Report("mine:Class", loaded, ["in memory"], "", True, list(findings))


def test_what_does_not_apply_by_its_own_word_is_told() -> None:
    findings = [finding(D, 1, N), finding(D, 1, N), finding(A, 1, N), finding(R, 1, N)]
    own = Loaded("Class", "Closed", ("WS-DOCUMENTED-001", "WS-ASGI-001", "WS-ASGI-002"))
    told = replace(report(*findings, finding(R, 2, B)), loaded=own)
    # The robust one is the suite's word, and the last of its own did not run.
    assert told.excused() == {"WS-DOCUMENTED-001": "that", "WS-ASGI-001": "that"}
    words = "(2 clauses not applicable by its own word)"
    assert told.sentence == f"conformant, but not strictly: 1 robust clause broken {words}"
    part = replace(told, findings=findings, part="--level asgi")
    assert part.sentence == f"strictly conformant {words} (of the part that ran: --level asgi)"


def test_what_is_declared_in_vain_is_told() -> None:
    stale = replace(report(finding(D, 1, P)), part="--case X", needless=("WS-DOCUMENTED-001",))
    words = "strictly conformant (of the part that ran: --case X)"
    assert stale.sentence == f"{words}; 1 declared deviation to delete"
    assert (stale.status(strict=False), stale.status(strict=True)) == (2, 2)
    # A fault of the suite comes before.
    assert replace(stale, findings=[finding(D, 1, F)]).status(strict=False) == 3


@pytest.mark.parametrize(
    ("findings", "conformance", "sentence", "status", "strict_status"),
    [
        ([(D, 1, P), (A, 1, P), (R, 1, P)], "STRICT", "strictly conformant", 0, 0),
        ([(D, 1, N), (A, 1, N), (R, 1, N)], "STRICT", "strictly conformant", 0, 0),
        # Free choices are never judged.
        ([(D, 1, P), (I, 1, B), (I, 2, U)], "STRICT", "strictly conformant", 0, 0),
        (
            [(D, 1, P), (R, 1, B), (R, 1, B), (R, 2, U)],
            "CONFORMANT",
            "conformant, but not strictly: 1 robust clause broken",
            0,
            1,
        ),
        (
            [(D, 1, P), (R, 1, U), (R, 2, U)],
            "CONFORMANT",
            "conformant, but not strictly: 2 robust cases could not be reached",
            0,
            1,
        ),
        # One clause with two broken cases is one clause.
        ([(D, 1, B), (D, 1, B)], "BROKEN", "not conformant: 1 clause broken", 1, 1),
        (
            [(D, 1, B), (A, 1, B), (A, 2, U), (R, 1, B)],
            "BROKEN",
            "not conformant: 2 clauses broken, and 1 robust one",
            1,
            1,
        ),
        (
            [(D, 1, P), (A, 1, U), (R, 1, B)],
            "NOT_SHOWN",
            "not shown to be conformant: 1 case could not be reached",
            1,
            1,
        ),
        # A fault of the suite leaves nothing else to be said.
        (
            [(D, 1, B), (I, 1, F), (D, 2, F)],
            "FAULT",
            "no verdict: the suite itself failed in 2 cases",
            3,
            3,
        ),
    ],
)
def test_verdicts(
    findings: list[tuple[Level, int, Verdict]],
    conformance: str,
    sentence: str,
    status: int,
    strict_status: int,
) -> None:
    found = report(*(finding(*one) for one in findings))
    assert found.conformance is Conformance[conformance]
    assert found.sentence == sentence
    assert (found.status(strict=False), found.status(strict=True)) == (status, strict_status)


@pytest.mark.parametrize(
    ("declared", "undeclared", "sentence", "status", "strict_status"),
    [
        ([(D, 1, B), (D, 1, B), (R, 1, B)], [], "for 2 declared deviations", 0, 0),
        # What cannot be reached because of a deviation can be declared as well.
        ([(A, 1, U)], [(R, 1, P)], "for 1 declared deviation", 0, 0),
        (
            [(D, 1, B)],
            [(R, 1, B)],
            "for 1 declared deviation, and not strictly: 1 robust clause broken",
            0,
            1,
        ),
        ([(D, 1, B)], [(D, 1, B)], "not conformant: 1 clause broken", 1, 1),
        (
            [(D, 1, B)],
            [(D, 2, U)],
            "not shown to be conformant: 1 case could not be reached",
            1,
            1,
        ),
        # A declaration of what holds changes nothing.
        ([(D, 1, P), (R, 1, N)], [], "strictly conformant", 0, 0),
    ],
)
def test_declared_deviations(
    declared: list[tuple[Level, int, Verdict]],
    undeclared: list[tuple[Level, int, Verdict]],
    sentence: str,
    status: int,
    strict_status: int,
) -> None:
    found = report(
        *(replace(finding(*one), declared="it is old") for one in declared),
        *(finding(*one) for one in undeclared),
    )
    if sentence.startswith("for "):
        assert found.conformance is Conformance.DECLARED
        assert found.broken([D, A]) == []
        sentence = f"conformant but {sentence}"
    assert found.sentence == sentence
    assert (found.status(strict=False), found.status(strict=True)) == (status, strict_status)


def test_without_the_robust_clauses_nothing_is_said_of_strictness() -> None:
    found = replace(report(finding(D, 1, P)), robust=False, part="--level asgi")
    assert found.conformance is Conformance.CONFORMANT
    assert found.sentence == "conformant (of the part that ran: --level asgi)"
    assert (found.status(strict=False), found.status(strict=True)) == (0, 1)


@pytest.mark.parametrize(
    ("verdict", "members", "sentence", "status"),
    [
        (P, [list[str]()], "strictly conformant", 0),
        (P, [["close"], ["close"]], "not conformant: types of 1 member do not fit", 1),
        (P, [["close"], ["accept"]], "not conformant: types of 2 members do not fit", 1),
        (B, [["close"]], "not conformant: 1 clause broken; types of 1 member do not fit", 1),
        (U, [["close"]], "not conformant: types of 1 member do not fit", 1),
        (F, [["close"]], "no verdict: the suite itself failed in 1 case", 3),
    ],
)
def test_types_count_where_they_were_asked_for(
    verdict: Verdict, members: list[list[str]], sentence: str, status: int
) -> None:
    types = [Typed("mypy", [Mismatch(name, "missing") for name in names]) for names in members]
    found = replace(report(finding(D, 1, verdict)), types=types)
    assert found.sentence == sentence
    assert (found.status(strict=False), found.status(strict=True)) == (status, status)


def test_findings_by_verdict_and_level() -> None:
    findings = [finding(R, 2, B), finding(D, 1, B), finding(R, 2, B, "a:b"), finding(D, 2, P)]
    findings.append(finding(I, 1, B))
    found = report(*findings)
    assert found.of(B) == [*findings[:3], findings[4]]
    assert found.of(B, [D]) == [findings[1]]
    assert [clause.id for clause in found.broken()] == ["WS-ROBUST-002", "WS-DOCUMENTED-001"]
    assert found.broken([A]) == []


def test_document() -> None:
    found = replace(
        report(finding(D, 1, P), finding(A, 2, B, "hypercorn:trio")),
        part="--case WS-X",
        printed="hello",
        date="2026-11-26T20:00:00Z",
        types=[Typed("mypy 2", []), Typed("pyright 1", [Mismatch("close", "missing")])],
    )
    document = json.loads(json.dumps(found.document()))
    clauses = document.pop("clauses")
    assert [clause["id"] for clause in clauses] == [clause.id for clause in CLAUSES]
    assert clauses[0] == {
        "id": CLAUSES[0].id,
        "level": "documented",
        "text": CLAUSES[0].text,
        "source": CLAUSES[0].source,
        "quote": CLAUSES[0].quote,
        "since": CLAUSES[0].since,
        "cases": 1,
    }
    none = {"passed": 0, "broken": 0, "unreached": 0, "not applicable": 0}
    none |= {"server's": 0, "fault": 0}
    assert document == {
        "schema": SCHEMA,
        "suite": __version__,
        "python": platform.python_version(),
        "date": "2026-11-26T20:00:00Z",
        "name": "mine:Class",
        "target": "mine:Class",
        "implementation": "Class (file.py)",
        "closed": "Closed (file.py)",
        "modes": ["in memory"],
        "part": "--case WS-X",
        "verdict": "not conformant",
        "sentence": "not conformant: 1 clause broken; types of 1 member do not fit "
        "(of the part that ran: --case WS-X)",
        "broken": ["WS-ASGI-002"],
        "counts": {
            "documented": none | {"passed": 1},
            "asgi": none | {"broken": 1},
            "robust": none,
            "info": none,
        },
        "printed": "hello",
        "types": [
            {"by": "mypy 2", "mismatches": []},
            {"by": "pyright 1", "mismatches": [{"member": "close", "problem": "missing"}]},
        ],
        "results": [
            {
                "case": "WS-DOCUMENTED-001/case",
                "clause": "WS-DOCUMENTED-001",
                "level": "documented",
                "does": "Try it.",
                "door": "memory",
                "verdict": "passed",
                "expected": "this",
                "observed": "that",
                "trace": ["step"],
                "repro": "",
                "wire": [],
                "habit": "",
                "declared": "",
            },
            {
                "case": "WS-ASGI-002/case",
                "clause": "WS-ASGI-002",
                "level": "asgi",
                "does": "Try it.",
                "door": "hypercorn:trio",
                "verdict": "broken",
                "expected": "this",
                "observed": "that",
                "trace": ["step"],
                "repro": "",
                "wire": [],
                "habit": "",
                "declared": "",
            },
        ],
    }


def test_cases_of_every_kind_count_for_a_clause() -> None:
    clauses = json.loads(json.dumps(report().document()["clauses"]))
    cases = {clause["id"]: clause["cases"] for clause in clauses}
    judged = [clause.id for clause in CLAUSES if clause.level is not I]
    assert [id for id in judged if cases[id] == 0] == []
    # One in memory and one explored, one live, none.
    assert cases["WS-NEW-005"] > 1
    assert cases["WS-WIRE-001"] > 0
    assert cases["WS-INFO-001"] == 0


def test_a_name_is_taken_for_the_target() -> None:
    assert replace(report(), name="Mine 2.1").document()["name"] == "Mine 2.1"


def test_the_date_is_that_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = now()
    date = report().date
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", date)
    assert before <= date <= now()


@pytest.mark.parametrize(
    ("epoch", "date"),
    [("0", "1970-01-01T00:00:00Z"), ("1795725296", "2026-11-26T20:34:56Z")],
)
def test_the_date_can_be_set(monkeypatch: pytest.MonkeyPatch, epoch: str, date: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    assert report().date == date


@pytest.mark.parametrize("epoch", ["", "today", "1.5", "9" * 30, "9" * 12])
def test_a_date_that_is_none(monkeypatch: pytest.MonkeyPatch, epoch: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(ValueError, match=r"SOURCE_DATE_EPOCH is '.*', not a number of seconds"):
        now()


@pytest.mark.parametrize(
    ("things", "words"), [([], "0 cases"), ([1], "1 case"), ([1, 2], "2 cases")]
)
def test_counted(things: list[int], words: str) -> None:
    assert counted(things, "case") == words
