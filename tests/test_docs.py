"""The generated pages are those that the code gives, and the links between pages hold."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

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


@pytest.mark.parametrize("page", ["states.md", "clauses.md", "servers.md"])
def test_generated_pages_are_current(page: str) -> None:
    path = ROOT / "docs" / page
    lines = _generator().PAGES[path]()
    assert path.read_text(encoding="utf-8") == "\n".join(lines) + "\n", "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def _python_blocks() -> list[tuple[str, str]]:
    blocks: list[tuple[str, str]] = []
    for page in PAGES:
        found = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
        blocks += [(f"{page.stem}-{number}", code) for number, code in enumerate(found)]
    return blocks


def test_python_in_the_pages_passes_the_check(tmp_path: Path) -> None:
    blocks = _python_blocks()
    assert blocks
    for name, code in blocks:
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "micropie", "check", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
