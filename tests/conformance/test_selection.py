"""What is run is what was asked for, and a wrong call says what to do."""

import importlib.util
from dataclasses import replace
from typing import Any

import pytest
from micropie_conformance import __version__
from micropie_conformance.case import Case, registered
from micropie_conformance.catalogue import CLAUSES, Level
from micropie_conformance.explore.cases import explored
from micropie_conformance.selection import (
    CallError,
    choose,
    doors,
    everything,
    named,
    plan,
    reproducible,
)

MEMORY, LIVE = registered()
CASES: list[Case[Any]] = [*MEMORY, *LIVE]
A_CASE = next(case for case in MEMORY if case.clause.id == "WS-SEND-001")
UNTESTED = next(clause for clause in CLAUSES if clause.id == "WS-INFO-001")


def test_everything_is_in_the_order_of_the_catalogue() -> None:
    every = everything()
    assert {case.id for case in every} == {case.id for case in [*CASES, *explored()]}
    clauses = list(dict.fromkeys(case.clause for case in every))
    assert clauses == [clause for clause in CLAUSES if clause in clauses]


def test_without_options_everything_is_chosen() -> None:
    assert choose(CASES, [], None) == (list(CLAUSES), CASES)


@pytest.mark.parametrize(
    ("level", "levels"),
    [
        ("documented", {Level.DOCUMENTED}),
        ("asgi", {Level.DOCUMENTED, Level.ASGI}),
        ("robust", {Level.DOCUMENTED, Level.ASGI, Level.ROBUST}),
    ],
)
def test_a_level_includes_those_below(level: str, levels: set[Level]) -> None:
    clauses, cases = choose(CASES, [], level)
    assert {clause.level for clause in clauses} == levels
    assert cases == [case for case in CASES if case.clause.level in levels]


@pytest.mark.parametrize("id", ["WS-SEND", "WS-SEND-001", "WS-SEND-001/", A_CASE.id])
def test_cases_by_the_beginning_of_their_id(id: str) -> None:
    clauses, cases = choose(CASES, [id], None)
    assert A_CASE in cases
    assert cases == [case for case in CASES if case.id.startswith(id)]
    assert {clause.id for clause in clauses} >= {case.clause.id for case in cases}
    assert all(clause.id.startswith(id[:11]) for clause in clauses)


def test_the_id_of_a_case_is_not_the_beginning_of_another() -> None:
    longer = replace(A_CASE, id=f"{A_CASE.id}-twice")
    assert choose([A_CASE, longer], [A_CASE.id], None)[1] == [A_CASE]
    assert choose([A_CASE, longer], [A_CASE.id[:-1]], None)[1] == [A_CASE, longer]


def test_ids_add_up_and_the_level_takes_away() -> None:
    assert choose(CASES, ["WS-INFO-001", A_CASE.id], None) == ([A_CASE.clause, UNTESTED], [A_CASE])
    assert choose(CASES, ["WS-INFO-001", A_CASE.id], "asgi") == ([A_CASE.clause], [A_CASE])


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("WS-SNED-001", "--case WS-SNED-001: there is no such clause or case: did you mean WS-S"),
        ("nonsense", "--case nonsense: there is no such clause or case; --list shows them all"),
    ],
)
def test_unknown_ids(id: str, words: str) -> None:
    with pytest.raises(CallError) as caught:
        choose(CASES, [id], None)
    assert str(caught.value).startswith(words)


def test_a_version_leaves_out_what_is_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = [replace(case, since="2027.01") for case in CASES[:2]]
    # A case of a clause that is newer.
    clause = replace(CLAUSES[-1], id="WS-NEW-999", since="2027.02")
    newest = replace(A_CASE, id="WS-NEW-999/case", clause=clause, since="2027.02")
    monkeypatch.setattr("micropie_conformance.selection.CLAUSES", (*CLAUSES, clause))
    every = [*newer, *CASES[2:], newest]
    assert choose(every, [], None, "2026.11") == (list(CLAUSES), CASES[2:])
    assert choose(every, [], None, "2027.01") == (list(CLAUSES), every[:-1])
    assert choose(every, [], None, "2027.02") == ([*CLAUSES, clause], every)


@pytest.mark.parametrize("version", ["2026.10", "2026.12", "newest", ""])
def test_unknown_versions(version: str) -> None:
    every = [*CASES, replace(A_CASE, since="2027.01")]
    with pytest.raises(CallError) as caught:
        choose(every, [], None, version)
    assert str(caught.value) == (
        f"--suite {version}: there is no such version; there are 2026.11, 2027.01"
    )


def test_the_suites_own_version_is_that_of_its_newest_case() -> None:
    assert __version__ == max(case.since for case in [*CASES, *explored()])


@pytest.mark.parametrize("id", ["WS-SEND-001", A_CASE.id])
def test_a_clause_is_named_by_its_id_or_a_case(id: str) -> None:
    assert named(id, CASES) is A_CASE.clause


def test_no_clause_is_named_by_a_part_of_its_id() -> None:
    with pytest.raises(CallError, match="no clause or case WS-SEND-00: did you mean WS-SEND-00"):
        named("WS-SEND-00", CASES)


HYPERCORN = [
    "hypercorn:asyncio",
    "hypercorn:uvloop",
    "hypercorn:trio",
    "hypercorn:asyncio+h2",
    "hypercorn:uvloop+h2",
]
UVICORN = ["uvicorn:websockets-sansio", "uvicorn:wsproto"]
OTHERS = ["granian:asyncio", "daphne:asyncio"]


@pytest.mark.parametrize(
    ("live", "found"),
    [
        ([], []),
        (["hypercorn"], HYPERCORN),
        (["hypercorn:trio"], HYPERCORN[2:3]),
        (["hypercorn:trio", "hypercorn"], ["hypercorn:trio", *HYPERCORN[:2], *HYPERCORN[3:]]),
        (["hypercorn:uvloop+h2"], HYPERCORN[4:]),
        (["uvicorn"], UVICORN),
        (["uvicorn:wsproto"], UVICORN[1:]),
        (["granian"], OTHERS[:1]),
        (["all"], [*HYPERCORN, *UVICORN, *OTHERS]),
    ],
)
def test_doors(live: list[str], found: list[str]) -> None:
    assert doors(live) == (found, [])


@pytest.mark.parametrize("live", ["apache", "apache:asyncio", "hypercorn:", "uvicorn:curio"])
def test_unknown_doors(live: str) -> None:
    with pytest.raises(CallError) as caught:
        doors([live])
    assert str(caught.value).startswith(f"--live {live}: there is no such server; there are hyper")


def lacking(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    def find_spec(name: str) -> object:
        return None if name in packages else name

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


@pytest.mark.parametrize(
    ("live", "words"),
    [
        ("hypercorn", "hypercorn:trio, which needs trio: pip install 'micropie-contract[confo"),
        ("uvicorn:wsproto", "uvicorn:wsproto, which needs uvicorn and wsproto: pip install 'mi"),
        ("uvicorn", "uvicorn:websockets-sansio, which needs uvicorn: pip install 'micropie-con"),
        ("granian", "granian:asyncio, which needs granian: pip install 'micropie-contract[serve"),
    ],
)
def test_a_door_whose_package_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, live: str, words: str
) -> None:
    lacking(monkeypatch, "trio", "uvicorn", "wsproto", "granian")
    assert doors(["hypercorn:uvloop"]) == (["hypercorn:uvloop"], [])
    with pytest.raises(CallError) as caught:
        doors([live])
    assert str(caught.value).startswith(f"--live {words}")


def test_all_is_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking(monkeypatch, "wsproto")
    assert doors(["all", "all"]) == (
        [*HYPERCORN, UVICORN[0], *OTHERS],
        [
            "--live all leaves out uvicorn:wsproto, which needs wsproto: "
            "pip install 'micropie-contract[servers]'"
        ],
    )


def test_plan_in_memory_always_and_live_when_asked() -> None:
    assert plan(CASES, [], 3) == [("memory", MEMORY)]
    assert plan(CASES, ["a:b", "a:c"], 3) == [("memory", MEMORY), ("a:b", LIVE), ("a:c", LIVE)]
    assert plan(MEMORY, ["a:b"], 3) == [("memory", MEMORY)]
    assert plan(LIVE, ["a:b"], 3) == [("a:b", LIVE)]


def test_plan_to_explore() -> None:
    cases = explored()
    assert plan([*MEMORY, *cases], [], 4) == [("memory", MEMORY), ("explored:4", cases)]
    assert plan([*MEMORY, *cases], [], 0) == [("memory", MEMORY)]


def test_plan_with_nothing_to_run() -> None:
    with pytest.raises(CallError, match="over real sockets only: add --live hypercorn"):
        plan(LIVE, [], 3)
    with pytest.raises(CallError, match="no case is left"):
        plan([], ["a:b"], 3)


def test_a_program_is_written_of_a_case_in_memory() -> None:
    assert reproducible(A_CASE.id, CASES) is A_CASE


@pytest.mark.parametrize(
    ("id", "words"),
    [
        (A_CASE.id[:-1], f"there is no such case: did you mean {A_CASE.id}"),
        ("WS-SEND-001", f"that is a clause: name one of its cases, such as {A_CASE.id}"),
        (UNTESTED.id, "that is a clause"),
        (LIVE[0].id, "a live case needs a server and has no stand-alone program"),
    ],
)
def test_a_program_is_written_of_nothing_else(id: str, words: str) -> None:
    with pytest.raises(CallError) as caught:
        reproducible(id, CASES)
    assert str(caught.value).startswith(f"--repro {id}: {words}")
