"""A file of deviations is read with care, and each entry must be needed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from micropie_conformance.case import Case
from micropie_conformance.catalogue import Clause, Level
from micropie_conformance.deviations import NONE, Deviations, declared_in
from micropie_conformance.report import Finding
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.selection import CallError

SENDS = Clause("WS-SEND-001", Level.DOCUMENTED, "It sends.", "somewhere")
CLOSES = Clause("WS-CLOSE-001", Level.DOCUMENTED, "It closes.", "somewhere")


def case(clause: Clause, name: str) -> Case[Any]:
    return Case(f"{clause.id}/{name}", clause, "Do it.", print, live=False)


A, B, C = case(SENDS, "a"), case(SENDS, "b"), case(CLOSES, "c")
LIVE = replace(case(SENDS, "live"), live=True)
EVERY = [A, B, LIVE, C]
DECLARED = Deviations("own.toml", {})


def finding(case: Case[Any], verdict: Verdict) -> Finding:
    return Finding("memory", case, Result(case.id, verdict))


def test_reasons(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        """
WS-SEND-001.reason = "all of it"
["WS-SEND-001/b"]
reason = '''
  this one,
  and why — '''
""",
        "utf-8",
    )
    declared = declared_in(str(file), EVERY)
    assert [declared.reason(one) for one in EVERY] == [
        "all of it",
        "this one, and why —",
        "all of it",
        "",
    ]
    assert [NONE.reason(one) for one in EVERY] == [""] * 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[WS-SEND-001/a]", 'is not TOML, with an id in quotes, ["WS-SEND-001"]: Expected '),
        (b"a = '\xff'", "is not TOML, with an id in quotes"),
        (b"[WS-SEND-001]", 'write ["WS-SEND-001"] and below it reason = "why it deviates", and'),
        (b"[WS-SEND-001]\nreason = ' '", 'write ["WS-SEND-001"] and below it'),
        (b"[WS-SEND-001]\nreason = 5", 'write ["WS-SEND-001"] and below it'),
        (b"[WS-SEND-001]\nreason = 'a'\nraeson = 'b'", 'write ["WS-SEND-001"] and below it'),
        (b"WS-SEND-001 = 'a'", 'write ["WS-SEND-001"] and below it'),
        (b"[WS-SNED-001]\nreason = 'a'", "there is no such clause or case: did you mean WS-SEND"),
        # No case asks for it, so nothing can deviate.
        (b"[WS-INFO-001]\nreason = 'a'", "there is no such clause or case"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, text: bytes, words: str) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(text)
    with pytest.raises(CallError) as caught:
        declared_in(str(file), EVERY)
    assert str(file) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CallError) as caught:
        declared_in(str(tmp_path), EVERY)
    assert str(caught.value) == f"cannot read {tmp_path}: Is a directory"


P, K, U, N = Verdict.PASSED, Verdict.BROKEN, Verdict.UNREACHED, Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("entries", "findings", "ran", "needless"),
    [
        (["WS-SEND-001/a"], [(A, K), (B, P)], [A, B], ""),
        (["WS-SEND-001/a"], [(A, U)], [A], ""),
        (["WS-SEND-001"], [(A, P), (B, K)], [A, B], ""),
        (["WS-SEND-001/a"], [(A, P), (B, K)], [A, B], "WS-SEND-001/a"),
        (["WS-SEND-001"], [(A, P), (B, N)], [A, B], "WS-SEND-001"),
        # Behind one door it passes, behind another it does not.
        (["WS-SEND-001/live"], [(LIVE, P), (LIVE, K)], [LIVE], ""),
        (["WS-SEND-001/live"], [(LIVE, P)], [LIVE], "WS-SEND-001/live"),
        # Not all of it ran, so nothing is said.
        (["WS-SEND-001"], [(A, P)], [A], ""),
        (["WS-SEND-001", "WS-SEND-001/live", "WS-CLOSE-001"], [], [], ""),
        # What is explored may lead nowhere.
        (["WS-CLOSE-001"], [(A, K)], [A, C], "WS-CLOSE-001"),
        (
            ["WS-SEND-001", "WS-CLOSE-001"],
            [(A, P), (B, P), (C, P)],
            EVERY,
            "WS-SEND-001 WS-CLOSE-001",
        ),
    ],
)
def test_an_entry_must_be_needed(
    entries: list[str],
    findings: list[tuple[Case[Any], Verdict]],
    ran: list[Case[Any]],
    needless: str,
) -> None:
    found = [finding(*one) for one in findings]
    assert [
        entry
        for entry in entries
        if DECLARED.judged(entry, ran, EVERY) and DECLARED.needless(entry, found)
    ] == needless.split()


def test_a_complaint_names_file_and_entries() -> None:
    assert DECLARED.complaint(["WS-SEND-001", "WS-CLOSE-001"]) == (
        "own.toml declares WS-SEND-001 and WS-CLOSE-001, where nothing is broken: "
        "delete what has been mended"
    )
