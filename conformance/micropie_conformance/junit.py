"""Results as JUnit's XML, which CI systems show."""

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from micropie.mismatch import MEMBERS
from micropie_conformance.document import Document, Entry, Standing
from micropie_conformance.printing import printable
from micropie_conformance.static import FACTORY, Typed

__all__ = ["junit"]

# What a standing is to JUnit; what is not here has passed. What was not reached is not skipped: it
# is to be seen, as it keeps the implementation from being shown to be conformant.
_ELEMENTS: Final = {
    Standing.BROKEN: "failure",
    Standing.UNREACHED: "error",
    Standing.FAULT: "error",
    Standing.DECLARED: "skipped",
    Standing.SERVER: "skipped",
    Standing.NOT_APPLICABLE: "skipped",
}


def junit(document: Document) -> str:
    """Give the XML: a suite for each door, a test case for each case.

    Where type checkers were asked, each has a suite, with a test case for each member.
    """
    root = Element("testsuites", {"name": printable(document.name)})
    # Times have no zone in this format; it is UTC.
    common = {"timestamp": printable(document.date.removesuffix("Z"))}
    for door in dict.fromkeys(entry.door for entry in document.entries):
        entries = [entry for entry in document.entries if entry.door == door]
        suite = SubElement(
            root,
            "testsuite",
            {
                "name": printable(door),
                **common,
                **_counts(entries),
            },
        )
        _properties(suite, suite=document.suite, python=document.python, target=document.target)
        for entry in entries:
            _test_case(suite, entry)
    for one in document.types:
        _types(
            SubElement(root, "testsuite", {"name": printable(f"types, {one.by}"), **common}), one
        )
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    # All that is not ASCII becomes a reference to its character.
    xml: bytes = ElementTree.tostring(root, "us-ascii", xml_declaration=True)
    return xml.decode()


def _test_case(suite: Element, entry: Entry) -> None:
    clause = entry.clause
    test = SubElement(
        suite, "testcase", classname=printable(clause.id), name=printable(entry.result.case)
    )
    _properties(test, case=entry.result.case, level=clause.level, clause=clause.id)
    tag = _ELEMENTS.get(entry.standing)
    if tag is None:
        return
    element = SubElement(
        test,
        tag,
        type=entry.standing,
        message=printable(entry.declared or entry.result.habit or entry.result.observed),
    )
    parts = [
        ("clause", clause.text),
        ("expected", entry.result.expected),
        ("observed", entry.result.observed),
        *(("", step) for step in entry.result.trace),
    ]
    # Of what an XML file cannot hold, escapes are shown.
    lines = [
        f"{label:<10}{printable(line)}" for label, words in parts for line in words.splitlines()
    ]
    element.text = "\n".join(lines)


def _properties(parent: Element, **properties: str) -> None:
    element = SubElement(parent, "properties")
    for name, value in properties.items():
        SubElement(element, "property", name=name, value=printable(value))


def _types(suite: Element, typed: Typed) -> None:
    problems: dict[str, list[str]] = {
        name: [] for name in (FACTORY, *(one.name for one in MEMBERS))
    }
    for mismatch in typed.mismatches:
        problems.setdefault(mismatch.member, []).append(mismatch.problem)
    failures = sum(bool(own) for own in problems.values())
    suite.attrib |= {"tests": str(len(problems)), "failures": str(failures)}
    suite.attrib |= {"errors": "0", "skipped": "0"}
    for name, own in problems.items():
        test = SubElement(suite, "testcase", classname="types", name=printable(name))
        if own:
            message = printable("; ".join(own))
            SubElement(test, "failure", type="types", message=message)


def _counts(entries: Sequence[Entry]) -> dict[str, str]:
    found = [_ELEMENTS.get(entry.standing) for entry in entries]
    return {
        "tests": str(len(entries)),
        "failures": str(found.count("failure")),
        "errors": str(found.count("error")),
        "skipped": str(found.count("skipped")),
    }
