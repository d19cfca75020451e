"""The forms of what a check has found."""

import json
import os
from urllib.parse import unquote_to_bytes

import pytest

from micropie.check.output import lines
from micropie.check.report import Entry, Report
from micropie.cli import version
from micropie.flow import CODES, Code

MYPY = Entry(
    "my chats/a%,:.py", 7, 13, "error", "arg-type", 'it is "bytes"', "mypy", ("one: 1%", "two")
)
NOTE = Entry("chat.py", 2, None, "note", None, "it is int", "mypy")
WHOLE = Entry("/elsewhere/ä b.py", None, None, "error", None, "no\rplace", "mypy")
FLOW = Entry("chat.py", 9, 1, "warning", "send-after-close", "it is closed", "flow", origin=5)
ENTRIES = [MYPY, NOTE, WHOLE, FLOW]


def written(*entries: Entry, output: str, checked: int = 3, blocked: bool = False) -> str:
    return "\n".join(lines(Report([*entries], checked, blocked), output))


def test_text() -> None:
    assert written(*ENTRIES, output="text").split("\n") == [
        'my chats/a%,:.py:7: error: it is "bytes"  [arg-type]',
        "my chats/a%,:.py:7: note: one: 1%",
        "my chats/a%,:.py:7: note: two",
        "chat.py:2: note: it is int",
        "/elsewhere/ä b.py: error: no\rplace",
        "chat.py:9: warning: it is closed  [send-after-close]",
        "Found 2 errors and 1 warning in 3 files (checked 3 source files)",
    ]


def test_what_a_terminal_would_obey_in_the_name_of_a_file_is_escaped() -> None:
    entry = Entry("a\nb/\x1b[31m\udce9'\\ ä.py", 1, 1, "error", None, "it", "mypy", ("is",))
    place = r"a\nb/\x1b[31m\udce9'" + "\\ ä.py:1"
    assert written(entry, output="text").split("\n")[:-1] == [
        f"{place}: error: it",
        f"{place}: note: is",
    ]


def test_text_with_colours() -> None:
    shown = [*lines(Report([*ENTRIES], 3), "text", colour=True)]
    assert shown == [
        'my chats/a%,:.py:7: \x1b[1;31merror:\x1b[0m it is "bytes"  [arg-type]',
        "my chats/a%,:.py:7: \x1b[1;34mnote:\x1b[0m one: 1%",
        "my chats/a%,:.py:7: \x1b[1;34mnote:\x1b[0m two",
        "chat.py:2: \x1b[1;34mnote:\x1b[0m it is int",
        "/elsewhere/ä b.py: \x1b[1;31merror:\x1b[0m no\rplace",
        "chat.py:9: \x1b[1;33mwarning:\x1b[0m it is closed  [send-after-close]",
        "\x1b[1;31mFound 2 errors and 1 warning in 3 files (checked 3 source files)\x1b[0m",
    ]
    [summary] = lines(Report([], 1), "text", colour=True)
    assert summary == "\x1b[1;32mSuccess: no issues found in 1 source file\x1b[0m"


@pytest.mark.parametrize(
    ("entries", "checked", "blocked", "summary"),
    [
        ([], 2, False, "Success: no issues found in 2 source files"),
        ([NOTE], 1, False, "Success: no issues found in 1 source file"),
        ([MYPY], 1, False, "Found 1 error in 1 file (checked 1 source file)"),
        ([FLOW, FLOW], 2, False, "Found 2 warnings in 1 file (checked 2 source files)"),
        ([MYPY], 2, True, "Found 1 error in 1 file (errors prevented further checking)"),
    ],
)
@pytest.mark.parametrize("output", ["text", "github"])
def test_summary(
    entries: list[Entry], checked: int, blocked: bool, summary: str, output: str
) -> None:
    shown = written(*entries, output=output, checked=checked, blocked=blocked)
    assert shown.split("\n")[-1] == summary


def test_github() -> None:
    assert written(*ENTRIES, output="github").split("\n")[:-1] == [
        "::error file=my chats/a%25%2C%3A.py,line=7,col=13,title=arg-type::"
        'it is "bytes"%0Aone: 1%25%0Atwo',
        "::notice file=chat.py,line=2::it is int",
        "::error file=/elsewhere/ä b.py::no%0Dplace",
        "::warning file=chat.py,line=9,col=1,title=send-after-close::it is closed",
    ]


def test_json() -> None:
    assert json.loads(written(*ENTRIES, output="json")) == [
        {
            "file": "my chats/a%,:.py",
            "line": 7,
            "column": 13,
            "severity": "error",
            "code": "arg-type",
            "message": 'it is "bytes"',
            "notes": ["one: 1%", "two"],
            "origin": None,
            "source": "mypy",
        },
        {
            "file": "chat.py",
            "line": 2,
            "column": None,
            "severity": "note",
            "code": None,
            "message": "it is int",
            "notes": [],
            "origin": None,
            "source": "mypy",
        },
        {
            "file": "/elsewhere/ä b.py",
            "line": None,
            "column": None,
            "severity": "error",
            "code": None,
            "message": "no\rplace",
            "notes": [],
            "origin": None,
            "source": "mypy",
        },
        {
            "file": "chat.py",
            "line": 9,
            "column": 1,
            "severity": "warning",
            "code": "send-after-close",
            "message": "it is closed",
            "notes": [],
            "origin": 5,
            "source": "flow",
        },
    ]
    assert json.loads(written(output="json")) == []


def test_sarif() -> None:
    """It keeps to the schema of SARIF 2.1.0, of which this is the part that is used."""
    document = json.loads(written(*ENTRIES, output="sarif"))
    [run] = document.pop("runs")
    assert document == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
    }
    results = run.pop("results")
    assert run == {
        "tool": {
            "driver": {
                "name": "micropie check",
                "version": version(),
                "rules": [
                    {
                        "id": "arg-type",
                        "helpUri": (
                            "https://mypy.readthedocs.io/en/stable/_refs.html#code-arg-type"
                        ),
                    },
                    {
                        "id": "send-after-close",
                        "shortDescription": {"text": CODES[Code.SEND_AFTER_CLOSE]},
                    },
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
    }
    assert results == [
        {
            "ruleId": "arg-type",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": 'it is "bytes"\none: 1%\ntwo'},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "my%20chats/a%25%2C%3A.py"},
                        "region": {"startLine": 7, "startColumn": 13},
                    }
                }
            ],
        },
        {
            "level": "note",
            "message": {"text": "it is int"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "chat.py"},
                        "region": {"startLine": 2},
                    }
                }
            ],
        },
        {
            "level": "error",
            "message": {"text": "no\rplace"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "file:///elsewhere/%C3%A4%20b.py"}
                    }
                }
            ],
        },
        {
            "ruleId": "send-after-close",
            "ruleIndex": 1,
            "level": "warning",
            "message": {"text": "it is closed"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "chat.py"},
                        "region": {"startLine": 9, "startColumn": 1},
                    }
                }
            ],
            "relatedLocations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "chat.py"},
                        "region": {"startLine": 5},
                    },
                    "message": {"text": "The state of the connection comes from here."},
                }
            ],
        },
    ]


def test_the_code_of_our_plugin_in_sarif() -> None:
    """It is none of those that mypy's pages tell of."""
    entry = Entry("chat.py", 1, 1, "error", "micropie-handler", "", "mypy")
    [run] = json.loads(written(entry, output="sarif"))["runs"]
    [rule] = run["tool"]["driver"]["rules"]
    assert rule == {
        "id": "micropie-handler",
        "shortDescription": {"text": "A handler that App cannot serve, or not as it is annotated."},
        "help": {"text": "docs/mypy-plugin.md of micropie-contract says what is reported and why."},
    }


@pytest.mark.parametrize(
    "file", ["a b/ä%.py", "../up.py", "/top/x:y.py", "lat\udce9.py", "/top/lat\udce9.py"]
)
def test_a_place_in_sarif_is_a_uri_of_the_file(file: str) -> None:
    entry = Entry(file, None, None, "error", None, "", "mypy")
    [run] = json.loads(written(entry, output="sarif"))["runs"]
    [place] = run["results"][0]["locations"]
    uri = place["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert unquote_to_bytes(uri.removeprefix("file://")) == os.fsencode(file)
