"""Documents are as the schema says, and are read back; what is none is refused with a reason."""

import copy
import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from micropie_conformance import document as module
from micropie_conformance.catalogue import CLAUSES, Clause, Level
from micropie_conformance.document import (
    Document,
    DocumentError,
    Entry,
    Standing,
    parse,
    read,
)
from micropie_conformance.report import SCHEMA, Conformance
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.static import Typed

from micropie.cli import main
from micropie.mismatch import Mismatch

RESULT_SCHEMA = json.loads(
    resources.files("micropie_conformance").joinpath("result.schema.json").read_text("utf-8")
)
VALIDATOR = Draft202012Validator(RESULT_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def validate(document: object) -> None:
    VALIDATOR.validate(document)  # pyright: ignore[reportUnknownMemberType] - jsonschema types it in part


# It breaks a clause, does not reach another, prints, and needs no loop.
FAULTY = """
from micropie import ConnectionClosed, WebSocket

class Target(WebSocket):
    async def close(self, code=1000, reason=None):
        print("hello \\x1b[2J")
        raise ValueError("<b>no</b>")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the results of verifying our own implementation and a faulty one."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SOURCE_DATE_EPOCH", "1795725296")
        Path("impl.py").write_text(FAULTY)
        options = ["--depth", "1", "--live", "hypercorn:asyncio", "--case", "WS-CLOSE", "WS-WIRE-0"]
        assert main(["verify", "micropie:WebSocket", "--depth", "1", "--json", "ours.json"]) == 0
        assert main(["verify", "impl.py:Target", "--json", "faulty.json", *options]) == 1
        yield folder


@pytest.fixture
def faulty(folder: Path) -> Any:
    """The faulty one's document, as JSON has it."""
    return json.loads((folder / "faulty.json").read_text())


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(RESULT_SCHEMA)
    assert RESULT_SCHEMA["properties"]["schema"]["const"] == SCHEMA


@pytest.mark.parametrize("name", ["ours", "faulty"])
def test_real_documents_are_valid(folder: Path, name: str) -> None:
    document = json.loads((folder / f"{name}.json").read_text())
    validate(document)
    # Every field is described.
    definitions = RESULT_SCHEMA["$defs"]
    assert document.keys() == RESULT_SCHEMA["properties"].keys()
    for clause in document["clauses"]:
        assert clause.keys() == definitions["clause"]["properties"].keys()
    for result in document["results"]:
        assert result.keys() == definitions["result"]["properties"].keys()


def test_the_schema_knows_every_value() -> None:
    properties, definitions = RESULT_SCHEMA["properties"], RESULT_SCHEMA["$defs"]
    assert properties["verdict"]["enum"] == [*Conformance]
    assert definitions["result"]["properties"]["verdict"]["enum"] == [*Verdict]
    assert definitions["clause"]["properties"]["level"]["enum"] == [*Level]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (["schema"], 2),
        (["date"], "26 November"),
        (["results", 0, "verdict"], "odd"),
        (["counts", "asgi"], {}),
        (["clauses", 0, "quote"], None),
        (["clauses", 0], {}),
    ],
)
def test_the_schema_refuses(faulty: Any, where: list[str | int], value: object) -> None:
    parent = faulty
    for key in where[:-1]:
        parent = parent[key]
    parent[where[-1]] = value
    with pytest.raises(ValidationError):
        validate(faulty)


def test_a_document_is_read_back(folder: Path, faulty: Any) -> None:
    document = read(str(folder / "faulty.json"))
    assert document.target == document.name == "impl.py:Target"
    assert document.date == "2026-11-26T20:34:56Z"
    assert document.part == "--case WS-CLOSE WS-WIRE-0"
    assert document.verdict is Conformance.BROKEN
    assert document.sentence == faulty["sentence"]
    assert document.printed == faulty["printed"] != ""
    assert document.clauses == [*CLAUSES]
    assert [entry.result.case for entry in document.entries] == [
        result["case"] for result in faulty["results"]
    ]
    [entry] = [
        entry for entry in document.of("WS-CLOSE-001") if entry.result.case == "WS-CLOSE-001/closes"
    ]
    assert entry.door == "memory"
    assert entry.clause.id == "WS-CLOSE-001"
    assert entry.does == "Close an open connection."
    assert entry.result.verdict is Verdict.BROKEN
    assert entry.result.trace[-1] == "raises       close() -> ValueError('<b>no</b>')"
    assert entry.result.repro.startswith("# impl.py:Target breaks WS-CLOSE-001")


def test_types_are_read_back(faulty: Any) -> None:
    faulty["types"] = [{"by": "mypy 2", "mismatches": [{"member": "close", "problem": "missing"}]}]
    validate(faulty)
    assert parse(faulty).types == [Typed("mypy 2", [Mismatch("close", "missing")])]
    # Of a suite that did not have them.
    del faulty["types"]
    validate(faulty)
    assert parse(faulty).types == []


def test_what_is_not_known_is_ignored(faulty: Any) -> None:
    expected = parse(copy.deepcopy(faulty))
    faulty["new"] = faulty["clauses"][0]["new"] = faulty["results"][0]["new"] = 1
    assert parse(faulty) == expected


CHANGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "no-schema": (lambda d: d.pop("schema"), "the document has no 'schema'"),
    "other-schema": (lambda d: d.update(schema=2), "schema is 2, and suite 2"),
    "missing": (lambda d: d.pop("date"), "the document has no 'date'"),
    "no-string": (lambda d: d.update(date=5), "date is 5, not a string"),
    "null": (lambda d: d.update(name=None), "name is null, not a string"),
    "no-array": (lambda d: d.update(modes="x"), 'modes is "x", not an array'),
    "no-strings": (lambda d: d.update(modes=["x", 5]), r"modes\[1\] is 5, not a string"),
    "odd-verdict": (
        lambda d: d.update(verdict="fine"),
        'verdict is "fine", not one of strictly conformant, conformant, ',
    ),
    "no-object": (lambda d: d["results"].insert(0, []), r"results\[0\] is \[\], not an object"),
    "odd-result": (
        lambda d: d["results"][2].update(verdict=True),
        r"results\[2\].verdict is true, not one of passed, broken, ",
    ),
    "odd-trace": (lambda d: d["results"][2].update(trace={}), r"results\[2\].trace is {}, not an"),
    "no-clause": (
        lambda d: d["results"][1].update(clause="WS-NEW-999"),
        r"results\[1\].clause is 'WS-NEW-999', which is not among the clauses",
    ),
    "odd-id": (lambda d: d["clauses"][0].update(id="x"), r"clauses\[0\].id is 'x', not an id such"),
    "odd-level": (lambda d: d["clauses"][1].update(level=""), r'clauses\[1\].level is "", not one'),
    "odd-types": (lambda d: d.update(types={}), "types is {}, not an array"),
    "no-number": (
        lambda d: d["clauses"][1].update(cases="3" * 99),
        r'clauses\[1\].cases is "3{59}, not a whole number',
    ),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_what_is_no_document(faulty: Any, change: Callable[[Any], object], words: str) -> None:
    change(faulty)
    with pytest.raises(DocumentError, match=f"^{words}"):
        parse(faulty)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"file is no JSON document: Expecting value: line 1 column 1"),
        (b"\xff", r"file is no JSON document: 'utf-8' codec can't decode"),
        (b"[" * 100_000, r"file is no JSON document: "),
        (b"[]", r"file is no result of `micropie verify --json`: the document is \[\], not an obj"),
        (b"{}", r"file is no result of `micropie verify --json`: the document has no 'schema'"),
    ],
)
def test_what_is_no_file_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(content)
    with pytest.raises(DocumentError, match=f"^{words}"):
        read("file")


@pytest.mark.parametrize(
    ("name", "reason"), [("nosuch", "No such file or directory"), (".", "Is a directory")]
)
def test_what_cannot_be_read(name: str, reason: str) -> None:
    with pytest.raises(DocumentError, match=f"^cannot read {name}: {reason}$"):
        read(name)


P, B, U, N, S, F = (
    Verdict.PASSED,
    Verdict.BROKEN,
    Verdict.UNREACHED,
    Verdict.NOT_APPLICABLE,
    Verdict.SERVER,
    Verdict.FAULT,
)


def document(clause: Clause, cases: int, *found: tuple[Verdict, str]) -> Document:
    entries = [
        Entry("memory", clause, "Try it.", Result(f"{clause.id}/{number}", verdict), declared)
        for number, (verdict, declared) in enumerate(found)
    ]
    return Document(
        "2026.11",
        "3.11",
        "2026-11-26T20:00:00Z",
        "name",
        "mine:Class",
        "Class",
        "Closed",
        [],
        "",
        Conformance.STRICT,
        "",
        "",
        [clause],
        {clause.id: cases},
        entries,
    )


@pytest.mark.parametrize(
    ("cases", "found", "standing"),
    [
        (1, [(P, "")], "PASSED"),
        (2, [(N, ""), (P, "")], "PASSED"),
        (1, [(N, "")], "NOT_APPLICABLE"),
        (2, [(P, ""), (S, "")], "SERVER"),
        (2, [(B, "as we like it"), (S, "")], "DECLARED"),
        (2, [(U, "as we like it"), (P, "")], "DECLARED"),
        # It is stale.
        (1, [(P, "as we like it")], "PASSED"),
        (2, [(B, "as we like it"), (U, "")], "UNREACHED"),
        (3, [(U, ""), (B, ""), (P, "")], "BROKEN"),
        (2, [(B, ""), (F, "")], "FAULT"),
        (2, [], "NOT_RUN"),
        (0, [], "UNTESTED"),
    ],
)
def test_a_clause_stands_as_the_worst_of_its_cases(
    cases: int, found: list[tuple[Verdict, str]], standing: str
) -> None:
    clause = Clause("WS-NEW-001", Level.DOCUMENTED, "It holds.", "somewhere")
    one = document(clause, cases, *found)
    assert one.standing(clause) is Standing[standing]
    # A suite that does not have the clause cannot have run it.
    assert one.standing(Clause("WS-NEW-002", Level.ASGI, "It holds.", "")) is Standing.NOT_RUN


def test_a_free_choice_is_not_judged() -> None:
    clause = Clause("WS-INFO-001", Level.INFO, "It may be so or so.", "somewhere")
    assert document(clause, 1, (B, "")).standing(clause) is Standing.NOT_JUDGED


def test_every_verdict_is_a_standing() -> None:
    assert {*Verdict} <= {*map(str, module.Standing)}
