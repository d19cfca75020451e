import re
from pathlib import Path

import pytest
from micropie_conformance.case import registered
from micropie_conformance.catalogue import CLAUSES, Clause, Level, clause

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_ids_are_unique_and_counted_by_area() -> None:
    counts: dict[str, int] = {}
    for one in CLAUSES:
        counts[one.area] = counts.get(one.area, 0) + 1
        assert one.id == f"WS-{one.area}-{counts[one.area]:03}"


@pytest.mark.parametrize("one", CLAUSES, ids=lambda one: one.id)
def test_clause(one: Clause) -> None:
    assert clause(one.id) is one
    assert one.text.endswith(".")
    assert re.fullmatch(r"20\d\d\.\d\d", one.since)
    assert one.source
    if one.level is Level.DOCUMENTED:
        assert one.source.startswith("reference page, ")
        assert one.quote
    if one.level is Level.ASGI:
        assert one.source.startswith("ASGI specification, ")
        assert one.quote
    if one.level is Level.INFO:
        assert not one.quote


def test_an_unknown_clause_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        clause("WS-NO-001")


@pytest.mark.parametrize(
    "one",
    [one for one in CLAUSES if one.source.startswith("reference page")],
    ids=lambda one: one.id,
)
def test_quotes_are_words_of_the_reference_page(one: Clause) -> None:
    assert one.quote in " ".join(PAGE.read_text("utf-8").split())


def test_every_clause_but_the_free_choices_has_a_case() -> None:
    in_memory, live = registered()
    tested = {case.clause for case in in_memory} | {case.clause for case in live}
    assert [one.id for one in CLAUSES if one.level is not Level.INFO and one not in tested] == []
    assert [one.id for one in tested if one.level is Level.INFO] == []


def test_the_wire_has_clauses_of_its_own() -> None:
    in_memory, live = registered()
    assert {case.clause.area for case in live} == {"WIRE"}
    assert "WIRE" not in {case.clause.area for case in in_memory}
