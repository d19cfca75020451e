"""Check the types of the packages with six type checkers: `make types`.

The right uses (contract.py, servers.py) must be clean under each. The wrong uses (wrong.py) are
one a line, each with its name; what each checker finds of them is kept in findings.json, which
docs/checkers.md shows, and must not change unseen. And `pyright --verifytypes` must be 100 %.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypedDict, cast

HERE = Path(__file__).parent
WORK = HERE.parents[1] / "build" / "types"
BIN = Path(sys.executable).parent
KEPT = HERE / "findings.json"
WRONG = HERE / "wrong.py"
FILES = (HERE / "contract.py", HERE / "servers.py", WRONG)
PACKAGES = ("micropie", "micropie_conformance")
PYTHON = "3.11"
RENEW = ".venv/bin/python tests/typing/check.py --renew"


class Finding(NamedTuple):
    """An error that a checker reports: where, and by which rule."""

    file: str
    line: int
    rule: str


class Kept(TypedDict):
    """What findings.json has: for each name of a wrong use, the rules by checker."""

    versions: dict[str, str]
    checkers: list[str]
    found: dict[str, dict[str, list[str]]]


MYPY = ("--strict", "--python-version", PYTHON, "--no-pretty", "--no-error-summary")
PYRIGHT = {"pythonVersion": PYTHON, "reportUnnecessaryTypeIgnoreComment": "error"}
# `all` has rules of style too.
STYLE = ("reportUnusedParameter", "reportUnusedCallResult")
SETTINGS: dict[str, dict[str, object] | str] = {
    "mypy.ini": "[mypy]\n",
    "plugin.ini": "[mypy]\nplugins = micropie.mypy_plugin\n",
    "pyright.json": {**PYRIGHT, "typeCheckingMode": "strict"},
    "basedpyright.json": {**PYRIGHT, "typeCheckingMode": "all", **dict.fromkeys(STYLE, False)},
    "ty.toml": "",
    "pyrefly.toml": "",
}

_PYTHON = (f"{BIN / 'python'}",)
COMMANDS: dict[str, tuple[str, ...]] = {
    "mypy": ("mypy", *MYPY, "--config-file=mypy.ini", "--cache-dir=mypy"),
    "mypy with the plugin": ("mypy", *MYPY, "--config-file=plugin.ini", "--cache-dir=plugin"),
    "pyright": ("pyright", "--outputjson", "-p", "pyright.json"),
    "basedpyright": ("basedpyright", "--outputjson", "-p", "basedpyright.json"),
    "ty": (
        *("ty", "check", "--config-file", "ty.toml", "--error", "all"),
        *("--output-format", "concise", "--color", "never"),
        *("--python-version", PYTHON, "--python", *_PYTHON),
    ),
    "pyrefly": (
        *("pyrefly", "check", "--config", "pyrefly.toml", "--preset", "strict"),
        *("--output-format", "min-text", "--color", "never"),
        *("--python-version", PYTHON, "--python-interpreter-path", *_PYTHON),
    ),
    "zuban": (
        *("zuban", "mypy", *MYPY, "--config-file", "mypy.ini", "--python-executable", *_PYTHON),
    ),
}
"""The strict settings of each checker; the files are those of SETTINGS."""


def parsed(pattern: str) -> Callable[[str], list[Finding]]:
    """Give what reads the errors that a checker prints, one on a line."""

    def read(answer: str) -> list[Finding]:
        return [
            Finding(Path(match["file"]).name, int(match["line"]), match["rule"])
            for match in re.finditer(pattern, answer, re.M)
        ]

    return read


def parsed_json(answer: str) -> list[Finding]:
    """Read the errors of pyright and basedpyright."""
    return [
        Finding(
            Path(each["file"]).name,
            each["range"]["start"]["line"] + 1,
            each.get("rule", "syntax"),
        )
        for each in json.loads(answer)["generalDiagnostics"]
        if each["severity"] == "error"
    ]


_of_mypy = parsed(r"^(?P<file>[^\n:]+):(?P<line>\d+): error: .*\[(?P<rule>[\w-]+)\]$")
READERS: dict[str, Callable[[str], list[Finding]]] = {
    "mypy": _of_mypy,
    "mypy with the plugin": _of_mypy,
    "pyright": parsed_json,
    "basedpyright": parsed_json,
    "ty": parsed(r"^(?P<file>[^\n:]+):(?P<line>\d+):\d+: error\[(?P<rule>[\w-]+)\]"),
    "pyrefly": parsed(
        r"^ERROR (?P<file>[^\n:]+):(?P<line>\d+):\d.*\[(?P<rule>[\w-]+)\]$",
    ),
    "zuban": _of_mypy,
}


def run(*command: str) -> tuple[int, str, str]:
    """Run a checker in WORK; give its exit status and both outputs."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=WORK,
        # pyright looks for the packages that it verifies where the first Python on PATH has them.
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def findings(checker: str) -> list[Finding]:
    """Run one checker over all files.

    Raises:
        RuntimeError: It gave no answer, or one that is not understood.
    """
    status, answer, problem = run(*COMMANDS[checker], *map(str, FILES))
    try:
        found = READERS[checker](answer)
    except ValueError:
        found = []
    # There is always something to find in wrong.py.
    if status != 1 or not found:
        raise RuntimeError(f"{checker}: exit status {status}: {answer}{problem}")
    return found


def uses(path: Path) -> dict[int, str]:
    """Give the names of the wrong uses in a file, by line.

    Raises:
        ValueError: Two have the same name.
    """
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    names = {
        number: line.rpartition("  # wrong: ")[2] for number, line in lines if "  # wrong: " in line
    }
    if len(set(names.values())) < len(names):
        raise ValueError(f"{path.name}: two wrong uses have the same name")
    return names


def sorted_out(
    found: dict[str, list[Finding]], names: dict[int, str]
) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    """Give the rules by name and checker, and the errors where none must be."""
    rules: dict[str, dict[str, list[str]]] = {name: {} for name in names.values()}
    unmeant: list[str] = []
    for checker, all_of_it in found.items():
        for file, line, rule in all_of_it:
            if file == WRONG.name and line in names:
                of_checker = rules[names[line]].setdefault(checker, [])
                of_checker[:] = sorted({*of_checker, rule})
            else:
                unmeant.append(f"{file}:{line}: {checker} finds {rule}; nothing is wrong there")
    return rules, unmeant


def changes(before: Kept, now: Kept) -> Iterator[str]:
    """Name what is not as it was kept."""
    for checker, new in now["versions"].items():
        old = before["versions"].get(checker)
        if old != new:
            yield f"{checker}: version {new}, kept were the findings of {old}"
    for name in sorted(before["found"].keys() | now["found"].keys()):
        if name not in now["found"]:
            yield f"{name}: it is kept, but {WRONG.name} does not have it"
            continue
        for checker in COMMANDS:
            expected = before["found"].get(name, {}).get(checker, [])
            found = now["found"][name].get(checker, [])
            if found != expected:
                said = (" and ".join(rules) or "nothing" for rules in (found, expected))
                yield "{}: {} finds {}, kept is {}".format(name, checker, *said)


def incomplete(package: str) -> list[str]:
    """Name the public symbols of an installed package whose types pyright does not know."""
    _, answer, problem = run(
        "pyright", "--verifytypes", package, "--ignoreexternal", "--outputjson"
    )
    try:
        report = json.loads(answer)["typeCompleteness"]
    except ValueError:
        return [f"{package}: {answer}{problem}"]
    if report["completenessScore"] == 1:
        return []
    return [f"{package}: its types are {report['completenessScore']:.1%} complete"] + [
        f"{symbol['name']}: {diagnostic['message']}"
        for symbol in report["symbols"]
        for diagnostic in symbol["diagnostics"]
        if diagnostic["severity"] == "error"
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run all; the exit status is 1 where something is not as it must be, 2 without an answer."""
    parser = argparse.ArgumentParser(description="Check the types with six type checkers.")
    parser.add_argument("--renew", action="store_true", help="keep what is found, in findings.json")
    renew: bool = parser.parse_args(arguments).renew

    WORK.mkdir(parents=True, exist_ok=True)
    for name, settings in SETTINGS.items():
        text = settings if isinstance(settings, str) else json.dumps(settings)
        (WORK / name).write_text(text, encoding="utf-8")

    names = uses(WRONG)
    found: dict[str, list[Finding]] = {}
    for checker in COMMANDS:
        try:
            found[checker] = findings(checker)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
    rules, problems = sorted_out(found, names)
    versions = {command[0]: version(command[0]) for command in COMMANDS.values()}
    now: Kept = {"versions": versions, "checkers": list(COMMANDS), "found": rules}
    for package in PACKAGES:
        problems += incomplete(package)

    if renew:
        KEPT.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
        print(f"wrote {KEPT.name}; now `make docs`")
    else:
        changed = list(changes(cast(Kept, json.loads(KEPT.read_text(encoding="utf-8"))), now))
        if changed:
            problems += [*changed, f"To keep what is found now: {RENEW} && make docs"]
    for problem in problems:
        print(problem)
    for checker in COMMANDS:
        print(f"{checker}: {sum(checker in by for by in rules.values())} of {len(rules)} found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
