"""Read the documents that `micropie verify --json` writes, and say how a clause stands in one.

Whoever makes something of results (pages, JUnit's XML, a comparison) reads a document, so that it
works on saved files, on those of another suite version too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeGuard, TypeVar

from micropie.mismatch import Mismatch
from micropie_conformance import __version__
from micropie_conformance.catalogue import Clause, Level
from micropie_conformance.report import SCHEMA, Conformance
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.static import Typed

__all__ = ["Document", "DocumentError", "Entry", "Standing", "parse", "read"]

E = TypeVar("E", bound=StrEnum)


class DocumentError(Exception):
    """This is no such document; the message says what is wrong with it."""


class Standing(StrEnum):
    """How a case, or a clause by all of its cases, stands; the worst first."""

    FAULT = Verdict.FAULT
    BROKEN = Verdict.BROKEN
    UNREACHED = Verdict.UNREACHED
    # The implementation deviates, and declares it.
    DECLARED = "declared"
    SERVER = Verdict.SERVER
    PASSED = Verdict.PASSED
    NOT_APPLICABLE = Verdict.NOT_APPLICABLE
    # Of clauses alone. The run left its cases out.
    NOT_RUN = "not run"
    # The suite has no case for it.
    UNTESTED = "untested"
    # It is a free choice.
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one case behind one door."""

    door: str
    clause: Clause
    # What the case does, in a sentence.
    does: str
    result: Result
    # Why the implementation deviates here, as it declares; empty: it declares nothing.
    declared: str

    @property
    def standing(self) -> Standing:
        """How the case stands."""
        if self.declared and self.result.verdict in (Verdict.BROKEN, Verdict.UNREACHED):
            return Standing.DECLARED
        return Standing(self.result.verdict)


@dataclass(frozen=True, slots=True)
class Document:
    """A run and what it found out, as result.schema.json describes it."""

    suite: str
    python: str
    date: str
    name: str
    target: str
    implementation: str
    closed: str
    modes: list[str]
    part: str
    verdict: Conformance
    sentence: str
    printed: str
    # In the order of the catalogue; `cases` has how many cases the suite has, by a clause's id.
    clauses: list[Clause]
    cases: dict[str, int]
    entries: list[Entry]
    # Empty: no type checker was asked.
    types: list[Typed] = field(default_factory=list[Typed])

    def of(self, clause_id: str) -> list[Entry]:
        """Give what became of the cases of a clause."""
        return [entry for entry in self.entries if entry.clause.id == clause_id]

    def standing(self, clause: Clause) -> Standing:
        """How a clause stands: as the worst of its cases does."""
        if clause.level is Level.INFO:
            return Standing.NOT_JUDGED
        found = {entry.standing for entry in self.of(clause.id)}
        if not found:
            return Standing.UNTESTED if self.cases.get(clause.id) == 0 else Standing.NOT_RUN
        return next(standing for standing in Standing if standing in found)


def read(name: str) -> Document:
    """Read a file.

    Raises:
        DocumentError: It cannot be read, or is no such document.
    """
    try:
        with open(name, encoding="utf-8") as file:
            value: object = json.load(file)
    except OSError as error:
        raise DocumentError(f"cannot read {name}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{name} is no JSON document: {error}") from error
    try:
        return parse(value)
    except DocumentError as error:
        raise DocumentError(f"{name} is no result of `micropie verify --json`: {error}") from None


def parse(value: object) -> Document:
    """Give a document that was parsed as JSON its types.

    Raises:
        DocumentError: Something is missing, or is not what it should be.
    """
    top = _Node(value, "the document")
    schema = top.at("schema")
    if schema.value != SCHEMA:
        raise DocumentError(
            f"schema is {schema.value!r}, and suite {__version__} reads schema {SCHEMA}"
        )
    clauses = {clause.id: clause for clause in map(_clause, top.at("clauses").items())}
    return Document(
        suite=top.at("suite").text(),
        python=top.at("python").text(),
        date=top.at("date").text(),
        name=top.at("name").text(),
        target=top.at("target").text(),
        implementation=top.at("implementation").text(),
        closed=top.at("closed").text(),
        modes=top.at("modes").texts(),
        part=top.at("part").text(),
        verdict=top.at("verdict").one_of(Conformance),
        sentence=top.at("sentence").text(),
        printed=top.at("printed").text(),
        clauses=[*clauses.values()],
        cases={
            node.at("id").text(): node.at("cases").number() for node in top.at("clauses").items()
        },
        entries=[_entry(node, clauses) for node in top.at("results").items()],
        # A suite that had no types to tell of has written none.
        types=[_typed(node) for node in top.at("types").items()] if top.has("types") else [],
    )


def _typed(node: "_Node") -> Typed:
    return Typed(
        node.at("by").text(),
        [
            Mismatch(one.at("member").text(), one.at("problem").text())
            for one in node.at("mismatches").items()
        ],
    )


def _clause(node: "_Node") -> Clause:
    id = node.at("id").text()
    if len(id.split("-")) < 3:
        raise DocumentError(f"{node.at('id').where} is {id!r}, not an id such as WS-SEND-001")
    return Clause(
        id,
        node.at("level").one_of(Level),
        node.at("text").text(),
        node.at("source").text(),
        node.at("quote").text(),
        node.at("since").text(),
    )


def _entry(node: "_Node", clauses: Mapping[str, Clause]) -> Entry:
    id = node.at("clause").text()
    if id not in clauses:
        raise DocumentError(f"{node.at('clause').where} is {id!r}, which is not among the clauses")
    return Entry(
        node.at("door").text(),
        clauses[id],
        node.at("does").text(),
        Result(
            node.at("case").text(),
            node.at("verdict").one_of(Verdict),
            node.at("expected").text(),
            node.at("observed").text(),
            node.at("trace").texts(),
            node.at("repro").text(),
            node.at("wire").texts(),
            node.at("habit").text(),
        ),
        node.at("declared").text(),
    )


class _Node(NamedTuple):
    """A value of JSON, and where in the document it is."""

    value: object
    where: str

    def at(self, name: str) -> "_Node":
        if not _is_object(self.value):
            raise self._is_no("an object")
        if name not in self.value:
            raise DocumentError(f"{self.where} has no {name!r}")
        where = name if self.where == "the document" else f"{self.where}.{name}"
        return _Node(self.value[name], where)

    def has(self, name: str) -> bool:
        return _is_object(self.value) and name in self.value

    def items(self) -> list["_Node"]:
        if not _is_array(self.value):
            raise self._is_no("an array")
        return [_Node(value, f"{self.where}[{n}]") for n, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self._is_no("a string")
        return self.value

    def texts(self) -> list[str]:
        return [node.text() for node in self.items()]

    def number(self) -> int:
        if not isinstance(self.value, int):
            raise self._is_no("a whole number")
        return self.value

    def one_of(self, kinds: type[E]) -> E:
        for kind in kinds:
            if kind == self.value:
                return kind
        raise self._is_no(f"one of {', '.join(kinds)}")

    def _is_no(self, kind: str) -> DocumentError:
        words = json.dumps(self.value)
        return DocumentError(f"{self.where} is {words[:60]}, not {kind}")


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list)
