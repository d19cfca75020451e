"""The installed wheel: what is in it, what it needs, what it exports."""

import importlib
import pkgutil
import re
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parent.parent
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
DISTRIBUTION = metadata.distribution("micropie-contract")
REQUIREMENTS = [Requirement(line) for line in DISTRIBUTION.requires or ()]
PACKAGES = {
    "micropie": CHECKOUT / "micropie",
    "micropie_conformance": CHECKOUT / "conformance" / "micropie_conformance",
}

SERVE = {"hypercorn", "uvloop"}
CHECK = {"mypy"}
CONFORMANCE = {
    "h2",
    "hypercorn",
    "jinja2",
    "pytest",
    "rich",
    "trio",
    "uvloop",
    "websockets",
}
SERVERS = {"daphne", "granian", "uvicorn", "wsproto"}


def modules() -> list[str]:
    names = list(PACKAGES)
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        names += [module.name for module in pkgutil.walk_packages(path, f"{package}.")]
    return [name for name in names if not name.endswith(".__main__")]


def needed(extra: str) -> list[Requirement]:
    """What an installation here with this extra ("" for none) needs."""
    return [
        requirement
        for requirement in REQUIREMENTS
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra})
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_is_what_is_tested(package: str) -> None:
    [path] = importlib.import_module(package).__path__
    assert Path(path) == SITE_PACKAGES / package


@pytest.mark.parametrize("package", PACKAGES)
def test_a_child_in_the_checkout_imports_the_wheel(package: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", f"import {package}; print(*{package}.__path__)"],
        cwd=PACKAGES[package].parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.strip() == str(SITE_PACKAGES / package)


def test_the_wheel_holds_both_packages_and_nothing_else() -> None:
    installed = {
        file.as_posix(): file.read_binary()
        for file in DISTRIBUTION.files or ()
        if file.suffix != ".pyc" and not file.parts[0].endswith((".dist-info", ".."))
    }
    checkout = {
        (Path(package) / file.relative_to(source)).as_posix(): file.read_bytes()
        for package, source in PACKAGES.items()
        for file in source.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    assert installed == checkout
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(installed)


def test_the_licence_is_in_the_wheel() -> None:
    [licence] = [file for file in DISTRIBUTION.files or () if file.name == "LICENSE"]
    assert licence.read_text() == (CHECKOUT / "LICENSE").read_text()
    assert DISTRIBUTION.metadata["License-Expression"] == "BSD-3-Clause"


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ("", set[str]()),
        ("serve", SERVE),
        ("check", CHECK),
        ("conformance", CONFORMANCE),
        ("servers", SERVERS),
        ("all", SERVE | CHECK | CONFORMANCE | SERVERS),
    ],
)
def test_an_extra_adds_what_it_needs(extra: str, names: set[str]) -> None:
    assert {requirement.name for requirement in needed(extra)} == {"typing-extensions", *names}


@pytest.mark.parametrize("requirement", needed("all"), ids=str)
def test_the_lock_satisfies_the_requirements(requirement: Requirement) -> None:
    assert metadata.version(requirement.name) in requirement.specifier


def test_the_core_runs_with_typing_extensions_alone() -> None:
    # Coverage measures the child as well.
    core = {*PACKAGES, "typing_extensions", "coverage"}
    others = sorted(metadata.packages_distributions().keys() - core)
    code = f"""
import sys
sys.modules.update(dict.fromkeys({others}))  # None: the import fails
import micropie
from micropie.cli import main
sys.argv = ["micropie", "--help"]
sys.exit(main())
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout.startswith("usage: micropie ")


def test_the_command_is_installed() -> None:
    command = Path(sysconfig.get_path("scripts")) / "micropie"
    child = subprocess.run([command, "--help"], capture_output=True, text=True)
    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout.startswith("usage: micropie ")


@pytest.mark.parametrize("name", modules())
def test_exported_names_exist(name: str) -> None:
    module = importlib.import_module(name)
    exported: list[str] = getattr(module, "__all__", [])
    assert exported or name not in PACKAGES
    assert len(exported) == len(set(exported))
    assert [missing for missing in exported if not hasattr(module, missing)] == []


def test_the_hook_for_pre_commit_is_the_command_with_its_extra() -> None:
    text = (CHECKOUT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    hook = dict(re.findall(r"^(?:- |  )(\w+): (.*)$", text, re.M))
    script, verb = hook["entry"].split()
    assert (Path(sysconfig.get_path("scripts")) / script).exists()
    assert hook["id"] == f"{script}-{verb}"
    assert hook["additional_dependencies"] == f'[".[{verb}]"]'
    assert verb in DISTRIBUTION.metadata.get_all("Provides-Extra", [])
    assert hook["types"] == "[python]"
    assert re.search(hook["files"], "src/chat.py")
    # Both would end the check of all.
    assert not re.search(hook["files"], "src/chat.pyi")
    assert not re.search(hook["files"], "bin/copy")
