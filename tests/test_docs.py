"""The generated pages are those that the code gives, and the links between pages hold."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from micropie.flow import CODES, Checker, Code

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("stubs/**/*.md"),
    ]
)


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["states.md", "clauses.md", "servers.md", "checkers.md"])
def test_generated_pages_are_current(page: str) -> None:
    path = ROOT / "docs" / page
    lines = _generator().PAGES[path]()
    assert path.read_text(encoding="utf-8") == "\n".join(lines) + "\n", "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


FINDINGS = (ROOT / "docs" / "findings.md").read_text("utf-8")
IMPORTS = "from micropie import App, ConnectionClosed, WebSocket\n"


def test_each_code_has_its_section_which_begins_with_what_it_means() -> None:
    sections = re.findall(r"^## ([a-z-]+)\n\n(.*?)\n\n```", FINDINGS, re.M | re.S)
    assert {code: text.replace("\n", " ") for code, text in sections} == dict(CODES)


@pytest.mark.parametrize("code", Code)
def test_the_examples_of_a_code(code: Code, tmp_path: Path) -> None:
    section = FINDINGS.partition(f"\n## {code}\n")[2].partition("\n## ")[0]
    wrong, right = re.findall(r"^```py(?:thon)?\n(.*?)^```", section, re.M | re.S)
    file = tmp_path / "handlers.py"
    file.write_text(IMPORTS + wrong)
    lines = file.read_text().splitlines()
    marked = [
        (number, line.rpartition("# ")[2])
        for number, line in enumerate(lines, 1)
        if line.endswith(("# error", "# warning"))
    ]
    found = [(one.line, str(one.severity)) for one in Checker().check(file) if one.code is code]
    assert found == marked
    assert len(found) == 1
    file.write_text(right)
    assert Checker().check(file) == []


def _python_blocks() -> list[tuple[str, str]]:
    blocks: list[tuple[str, str]] = []
    for page in PAGES:
        found = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
        blocks += [(f"{page.stem}-{number}", code) for number, code in enumerate(found)]
    return blocks


def _checked(folder: Path, path: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "micropie", "check", path],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_python_in_the_pages_passes_the_check(tmp_path: Path) -> None:
    blocks = _python_blocks()
    assert blocks
    for name, code in blocks:
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(code, encoding="utf-8")
    done = _checked(tmp_path, ".")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_example_of_the_check_page(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "check.md").read_text("utf-8")
    [code] = re.findall(r"^```py\n(.*?)^```", page, re.M | re.S)
    [said] = re.findall(r"^```\n\$ micropie check handlers.py\n(.*?)^```", page, re.M | re.S)
    (tmp_path / "handlers.py").write_text(code, encoding="utf-8")
    done = _checked(tmp_path, "handlers.py")
    assert done.stdout + done.stderr == said
