"""The XML has the elements that readers of JUnit's format know, and hides nothing."""

from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from micropie_conformance.catalogue import Clause, Level
from micropie_conformance.document import Document, Entry
from micropie_conformance.junit import junit
from micropie_conformance.report import Conformance
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.static import FACTORY, Typed

from micropie.mismatch import MEMBERS, Mismatch

SENDS = Clause("WS-SEND-001", Level.DOCUMENTED, "It sends <all>.", "the page", "Send a text.")

# Of the format that CI systems document: for each element its parents, the attributes that it must
# and those that it may have, and whether it may have text.
FORMAT: dict[str, tuple[set[str], set[str], set[str], bool]] = {
    "testsuites": (set(), set(), {"name", "tests", "failures", "errors", "time"}, False),
    "testsuite": (
        {"testsuites"},
        {"name", "tests", "failures", "errors"},
        {"skipped", "timestamp", "time", "hostname"},
        False,
    ),
    "testcase": ({"testsuite"}, {"name", "classname"}, {"time", "file", "line"}, False),
    "properties": ({"testsuite", "testcase"}, set(), set(), False),
    "property": ({"properties"}, {"name", "value"}, set(), False),
    "failure": ({"testcase"}, set(), {"type", "message"}, True),
    "error": ({"testcase"}, set(), {"type", "message"}, True),
    "skipped": ({"testcase"}, set(), {"type", "message"}, True),
}


def check(element: Element, parent: str = "") -> None:
    parents, required, optional, text = FORMAT[element.tag]
    assert parent in (parents or {""})
    assert required <= {*element.keys()} <= required | optional
    assert text or not (element.text or "").strip()
    tags = [child.tag for child in element]
    if element.tag == "testcase":
        assert len(tags) <= 2
    if "properties" in tags:
        assert tags.index("properties") == 0
        assert tags.count("properties") == 1
    for child in element:
        check(child, element.tag)


def entry(
    verdict: Verdict, name: str = "a", door: str = "memory", declared: str = "", observed: str = ""
) -> Entry:
    expected = "it returns" if observed else ""
    result = Result(f"{SENDS.id}/{name}", verdict, expected, observed, ["call  send()", "waits"])
    return Entry(door, SENDS, "Send it.", result, declared)


def document(*entries: Entry) -> Document:
    return Document(
        "2026.11",
        "3.11.7",
        "2026-11-26T20:34:56Z",
        "Mine <2>",
        "mine:Class",
        "Class",
        "Closed",
        [],
        "",
        Conformance.BROKEN,
        "not conformant",
        "",
        [SENDS],
        {SENDS.id: 1},
        [*entries],
    )


def parsed(*entries: Entry) -> Element:
    root = ElementTree.fromstring(junit(document(*entries)))
    check(root)
    return root


@pytest.mark.parametrize(
    ("one", "tag", "type", "message"),
    [
        (entry(Verdict.BROKEN, observed="it waits"), "failure", "broken", "it waits"),
        (entry(Verdict.UNREACHED, observed="it raises"), "error", "unreached", "it raises"),
        (entry(Verdict.FAULT, observed="Oh.\nNo."), "error", "fault", "Oh.\\nNo."),
        (entry(Verdict.SERVER, observed="it hangs"), "skipped", "server's", "it hangs"),
        (entry(Verdict.NOT_APPLICABLE, observed="no"), "skipped", "not applicable", "no"),
        (
            entry(Verdict.BROKEN, observed="it waits", declared="we like it"),
            "skipped",
            "declared",
            "we like it",
        ),
    ],
)
def test_what_has_not_passed(one: Entry, tag: str, type: str, message: str) -> None:
    root = parsed(one)
    [test] = root.iter("testcase")
    [properties, outcome] = test
    assert (outcome.tag, outcome.attrib) == (tag, {"type": type, "message": message})
    assert {one.get("name"): one.get("value") for one in properties} == {
        "case": "WS-SEND-001/a",
        "level": "documented",
        "clause": "WS-SEND-001",
    }
    counts = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    [suite] = root
    for each, name in counts.items():
        assert suite.get(name) == str(int(each == tag))


def test_what_it_tells() -> None:
    [failure] = parsed(entry(Verdict.BROKEN, observed="it waits")).iter("failure")
    assert failure.text is not None
    assert failure.text.splitlines() == [
        "clause    It sends <all>.",
        "expected  it returns",
        "observed  it waits",
        "          call  send()",
        "          waits",
    ]


def test_a_suite_for_each_type_checker() -> None:
    wrong = [
        Mismatch("close", "returns \x1b"),
        Mismatch("close", "takes <b>"),
        # Of another version of the contract.
        Mismatch("ping", "missing"),
    ]
    types = [Typed("mypy 2", []), Typed("pyright 1", wrong)]
    root = ElementTree.fromstring(junit(replace(document(entry(Verdict.PASSED)), types=types)))
    check(root)
    names = [FACTORY, *(one.name for one in MEMBERS)]
    count = len(names)
    assert root.get("tests") == str(2 * count + 2)
    assert root.get("failures") == "2"
    _, fine, suite = root
    assert fine.attrib == {
        "name": "types, mypy 2",
        "timestamp": "2026-11-26T20:34:56",
        "tests": str(count),
        "failures": "0",
        "errors": "0",
        "skipped": "0",
    }
    assert [test.get("name") for test in suite] == [*names, "ping"]
    assert {test.get("name"): one.get("message") for test in suite for one in test} == {
        "close": "returns \\x1b; takes <b>",
        "ping": "missing",
    }


def test_a_suite_for_each_door() -> None:
    root = parsed(
        entry(Verdict.PASSED),
        entry(Verdict.BROKEN, "b", observed="it waits"),
        entry(Verdict.UNREACHED, door="hypercorn:trio"),
        entry(Verdict.NOT_APPLICABLE, "b", door="hypercorn:trio"),
    )
    assert root.attrib == {"name": "Mine <2>", "tests": "4", "failures": "1", "errors": "1"}
    memory, live = root
    assert memory.attrib == {
        "name": "memory",
        "timestamp": "2026-11-26T20:34:56",
        "tests": "2",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }
    assert {one.get("name"): one.get("value") for one in memory[0]} == {
        "suite": "2026.11",
        "python": "3.11.7",
        "target": "mine:Class",
    }
    first, second = memory.iter("testcase")
    assert first.attrib == {"classname": "WS-SEND-001", "name": "WS-SEND-001/a"}
    assert [child.tag for child in first] == ["properties"]
    assert second.get("name") == "WS-SEND-001/b"
    assert (live.get("name"), live.get("errors"), live.get("skipped")) == ("hypercorn:trio",) + (
        "1",
    ) * 2


@pytest.mark.parametrize("words", ["\x00\x1b[2J", "\ud800", "\ufffe", "]]> & <b>", "ä日", "a\rb"])
def test_what_xml_cannot_hold_is_escaped(words: str) -> None:
    xml = junit(document(entry(Verdict.BROKEN, observed=words, declared=words)))
    assert xml.isascii()
    [skipped] = ElementTree.fromstring(xml).iter("skipped")
    shown = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in words
    )
    assert skipped.get("message") == shown
