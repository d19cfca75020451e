"""The driver of `make types`. What the checkers find is for `make types` itself."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
RIGHT = "number: int = 1\n"
WRONG = """number: int = ""  # wrong: text
print(number.missing)  # wrong: attribute
number = 2
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The driver, for files in a folder of its own and for the two quickest checkers."""
    spec = importlib.util.spec_from_file_location("types_check", HERE / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(RIGHT)
    wrong.write_text(WRONG)
    monkeypatch.setattr(module, "WORK", tmp_path / "work")
    monkeypatch.setattr(module, "KEPT", tmp_path / "findings.json")
    monkeypatch.setattr(module, "FILES", (right, wrong))
    monkeypatch.setattr(module, "WRONG", wrong)
    monkeypatch.setattr(module, "PACKAGES", ())
    commands = {name: module.COMMANDS[name] for name in ("ty", "zuban")}
    monkeypatch.setattr(module, "COMMANDS", commands)
    return module


OF_PYRIGHT = json.dumps(
    {
        "generalDiagnostics": [
            {
                "file": "/x/wrong.py",
                "severity": severity,
                "message": "…",
                "range": {"start": {"line": 4, "character": 8}},
                **rule,
            }
            for severity, rule in (
                ("error", {"rule": "reportCallIssue"}),
                ("warning", {"rule": "reportUnusedExpression"}),
                ("error", {}),
            )
        ]
    }
)


@pytest.mark.parametrize(
    ("checker", "answer", "rules"),
    [
        ("mypy", '/x/wrong.py:5: error: "f" of [x] has no "g"  [attr-defined]\n', ["attr-defined"]),
        ("mypy", "/x/wrong.py:5: note: See https://x  [attr-defined]\n", []),
        (
            "mypy with the plugin",
            "wrong.py:5: error: No  [micropie-handler]\n",
            ["micropie-handler"],
        ),
        ("zuban", "/x/wrong.py:5: error: No  [misc]\n", ["misc"]),
        (
            "ty",
            "/x/wrong.py:5:9: error[not-callable] No: `[x]`\nFound 1 diagnostic\n",
            ["not-callable"],
        ),
        ("ty", "/x/wrong.py:5:9: warning[unused] No\n", []),
        ("pyrefly", "ERROR /x/wrong.py:5:9-12: No [x] is\\n [read-only]\n", ["read-only"]),
        ("pyrefly", "ERROR /x/wrong.py:5:9-6:12: No [read-only]\n INFO 1 error\n", ["read-only"]),
        ("pyrefly", " WARN /x/wrong.py:5:9-12: No [read-only]\n", []),
        ("pyright", OF_PYRIGHT, ["reportCallIssue", "syntax"]),
        ("basedpyright", OF_PYRIGHT, ["reportCallIssue", "syntax"]),
    ],
)
def test_what_a_checker_prints_is_read(
    check: ModuleType, checker: str, answer: str, rules: list[str]
) -> None:
    assert check.READERS[checker](answer) == [("wrong.py", 5, rule) for rule in rules]


def test_names_are_given_once(check: ModuleType, tmp_path: Path) -> None:
    assert check.uses(HERE / "wrong.py")
    file = tmp_path / "twice.py"
    file.write_text("a  # wrong: it\n\nb  # wrong: other\n")
    assert check.uses(file) == {1: "it", 3: "other"}
    file.write_text("a  # wrong: it\nb  # wrong: it\n")
    with pytest.raises(ValueError, match=r"twice\.py: two wrong uses have the same name"):
        check.uses(file)


def test_what_is_kept_is_found_again(check: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--renew"]) == 0
    assert capsys.readouterr().out.startswith("wrote findings.json; now `make docs`\n")
    kept = json.loads(check.KEPT.read_text())
    assert list(kept["versions"]) == kept["checkers"] == ["ty", "zuban"]
    assert kept["found"] == {
        "text": {"ty": ["invalid-assignment"], "zuban": ["assignment"]},
        "attribute": {"ty": ["missing-attribute"], "zuban": ["attr-defined"]},
    }
    assert check.main([]) == 0
    assert capsys.readouterr().out == "ty: 2 of 2 found\nzuban: 2 of 2 found\n"


def test_an_error_in_what_is_right_fails(
    check: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    check.FILES[0].write_text("number: int = ''\n")
    check.WRONG.write_text(WRONG.replace("= 2", "= ''"))
    assert check.main(["--renew"]) == 1
    said = capsys.readouterr().out
    assert "\nright.py:1: zuban finds assignment; nothing is wrong there\n" in said
    assert "\nwrong.py:3: ty finds invalid-assignment; nothing is wrong there\n" in said


def test_each_change_is_named_and_fails(
    check: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    check.main(["--renew"])
    kept = json.loads(check.KEPT.read_text())
    kept["versions"]["ty"] = "0"
    kept["found"]["text"]["ty"] = []
    kept["found"]["attribute"]["zuban"] = ["other", "rules"]
    kept["found"]["gone"] = {}
    check.KEPT.write_text(json.dumps(kept))
    capsys.readouterr()
    assert check.main([]) == 1
    first, *said = capsys.readouterr().out.splitlines()
    assert first.startswith("ty: version ")
    assert first.endswith(", kept were the findings of 0")
    assert said[:4] == [
        "attribute: zuban finds attr-defined, kept is other and rules",
        "gone: it is kept, but wrong.py does not have it",
        "text: ty finds invalid-assignment, kept is nothing",
        "To keep what is found now: .venv/bin/python tests/typing/check.py --renew && make docs",
    ]


@pytest.mark.parametrize(
    ("checker", "status", "answer"),
    [
        ("ty", 2, "wrong.py:1:1: error[rule] it\n"),
        ("ty", 1, "this is no finding"),
        ("pyright", 1, "this is no JSON"),
    ],
)
def test_a_checker_that_does_not_work(
    check: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checker: str,
    status: int,
    answer: str,
) -> None:
    monkeypatch.setattr(check, "COMMANDS", {checker: (checker,)})

    def run(*command: str) -> tuple[int, str, str]:
        return status, answer, "; why"

    monkeypatch.setattr(check, "run", run)
    assert check.main([]) == 2
    assert capsys.readouterr() == ("", f"{checker}: exit status {status}: {answer}; why\n")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("no JSON, ", ["package: no JSON, as it is"]),
        ('{"typeCompleteness": {"completenessScore": 1}}', []),
        (
            json.dumps(
                {
                    "typeCompleteness": {
                        "completenessScore": 0.875,
                        "symbols": [
                            {
                                "name": "package.f",
                                "diagnostics": [
                                    {"severity": "error", "message": "No type"},
                                    {"severity": "warning", "message": "No docstring"},
                                ],
                            }
                        ],
                    }
                }
            ),
            ["package: its types are 87.5% complete", "package.f: No type"],
        ),
    ],
)
def test_packages_whose_types_are_not_complete(
    check: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    said: list[str],
) -> None:
    run: Callable[..., tuple[int, str, str]] = check.run

    def answered(*command: str) -> tuple[int, str, str]:
        return (1, answer, "as it is") if command[0] == "pyright" else run(*command)

    monkeypatch.setattr(check, "run", answered)
    monkeypatch.setattr(check, "PACKAGES", ("package",))
    assert check.main(["--renew"]) == bool(said)
    assert capsys.readouterr().out.splitlines()[1:-2] == said
