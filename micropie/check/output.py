"""The forms in which a check says what it has found."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from micropie.check.report import Entry, Report, shown
from micropie.cli import version

__all__ = ["lines"]

_Json: TypeAlias = "str | int | list[_Json] | dict[str, _Json] | None"

_COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;34"}
_RED, _GREEN = "1;31", "1;32"

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_CODES_OF_MYPY = "https://mypy.readthedocs.io/en/stable/_refs.html#code-"
_MEANING_OF_HANDLER = "A handler that App cannot serve, or not as it is annotated."


def lines(report: Report, output: str, *, colour: bool = False) -> Iterator[str]:
    """Give the lines to print.

    Args:
        report: What was found.
        output: `text`, `json`, `sarif` or `github`.
        colour: Whether text is for a terminal that shows colours.
    """
    match output:
        case "json":
            yield json.dumps([_object(entry) for entry in report.entries], indent=2)
        case "sarif":
            yield json.dumps(_sarif(report), indent=2)
        case "github":
            yield from map(_command, report.entries)
            yield _summary(report)
        case _:
            for entry in report.entries:
                yield from _text(entry, _COLOURS if colour else {})
            summary = _summary(report)
            yield _painted(summary, (_RED if report.faults else _GREEN) if colour else None)


def _text(entry: Entry, colours: dict[str, str]) -> Iterator[str]:
    file = shown(entry.file)
    place = file if entry.line is None else f"{file}:{entry.line}"
    code = f"  [{entry.code}]" if entry.code else ""
    kind = _painted(f"{entry.severity}:", colours.get(entry.severity))
    yield f"{place}: {kind} {entry.message}{code}"
    for note in entry.notes:
        yield f"{place}: {_painted('note:', colours.get('note'))} {note}"


def _painted(text: str, colour: str | None) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def _summary(report: Report) -> str:
    checked = _count(report.checked, "source file")
    if not report.faults:
        return f"Success: no issues found in {checked}"
    severities = [entry.severity for entry in report.faults]
    found = " and ".join(
        _count(severities.count(severity), severity)
        for severity in ("error", "warning")
        if severity in severities
    )
    in_files = _count(len({entry.file for entry in report.faults}), "file")
    extent = "errors prevented further checking" if report.blocked else f"checked {checked}"
    return f"Found {found} in {in_files} ({extent})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _object(entry: Entry) -> _Json:
    return {
        "file": entry.file,
        "line": entry.line,
        "column": entry.column,
        "severity": entry.severity,
        "code": entry.code,
        "message": entry.message,
        "notes": [*entry.notes],
        "origin": entry.origin,
        "source": entry.source,
    }


def _command(entry: Entry) -> str:
    """A workflow command of GitHub Actions, which it shows beside the line."""
    kind = "notice" if entry.severity == "note" else entry.severity
    properties = {
        "file": entry.file,
        "line": entry.line,
        "col": entry.column,
        "title": entry.code,
    }
    shown = ",".join(
        f"{key}={_escaped(str(value)).replace(':', '%3A').replace(',', '%2C')}"
        for key, value in properties.items()
        if value is not None
    )
    return f"::{kind} {shown}::{_escaped(_whole(entry))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _whole(entry: Entry) -> str:
    return "\n".join([entry.message, *entry.notes])


def _sarif(report: Report) -> _Json:
    # It takes long to import, and no other form needs it.
    from micropie.flow import CODES

    meanings = {code.value: meaning for code, meaning in CODES.items()}
    codes = sorted({entry.code for entry in report.entries if entry.code})
    driver: dict[str, _Json] = {
        "name": "micropie check",
        "version": version(),
        "rules": [_rule(code, meanings) for code in codes],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(entry, codes) for entry in report.entries],
            }
        ],
    }


def _rule(code: str, meanings: Mapping[str, str]) -> _Json:
    if code in meanings:
        return {"id": code, "shortDescription": {"text": meanings[code]}}
    if code == "micropie-handler":
        return {
            "id": code,
            "shortDescription": {"text": _MEANING_OF_HANDLER},
            "help": {
                "text": "docs/mypy-plugin.md of micropie-contract says what is reported and why."
            },
        }
    return {"id": code, "helpUri": _CODES_OF_MYPY + code}


def _result(entry: Entry, codes: list[str]) -> _Json:
    result: dict[str, _Json] = {
        "level": entry.severity,
        "message": {"text": _whole(entry)},
        "locations": [_location(entry, entry.line, entry.column)],
    }
    if entry.code:
        result |= {"ruleId": entry.code, "ruleIndex": codes.index(entry.code)}
    if entry.origin is not None:
        origin = _location(entry, entry.origin, None)
        origin["message"] = {"text": "The state of the connection comes from here."}
        result["relatedLocations"] = [origin]
    return result


def _location(entry: Entry, line: int | None, column: int | None) -> dict[str, _Json]:
    file = Path(entry.file)
    uri = file.as_uri() if file.is_absolute() else quote(os.fsencode(file.as_posix()))
    physical: dict[str, _Json] = {"artifactLocation": {"uri": uri}}
    region: dict[str, _Json] = {"startLine": line, "startColumn": column}
    if line is not None:
        physical["region"] = {key: value for key, value in region.items() if value is not None}
    return {"physicalLocation": physical}
