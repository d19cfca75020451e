"""Hold the stubs of PyPI's micropie to it, and to what they promise its users: `make stubs`.

That micropie has the name of this repository's package, so the two are never in one environment:
what is here runs in one that holds micropie 0.32 and the built stubs.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
STUB = HERE / "micropie-stubs" / "micropie-stubs" / "__init__.pyi"
CONTRACT = ROOT / "micropie" / "contract.py"
VENV = ROOT / "build" / "stubs-venv"
WORK = ROOT / "build" / "stubs"
PYRIGHT = Path(sys.executable).with_name("pyright")

# The place of an error, as the other checkers print it.
FOUND = r"^(?:ERROR )? *([^\s:]+):(\d+):(?!.* note: )"

# basedpyright's rules of style, and those about Any: micropie takes anything in some places.
STYLE = (
    "reportAny",
    "reportExplicitAny",
    "reportImplicitAbstractClass",
    "reportImplicitOverride",
    "reportPrivateUsage",
    "reportUnannotatedClassAttribute",
    "reportUnusedCallResult",
    "reportUnusedParameter",
)

# What only an instance has, stubtest does not see: this prints it.
INSTANCES = """
import json, micropie as m
made = [m.App(), m.Request({}), m.WebSocketRequest({}), m.WebSocket(None, None)]
made += [m.InMemorySessionBackend(), m.MultipartFileError(ValueError())]
print(json.dumps({type(each).__name__: sorted(vars(each)) for each in made}))
"""


def said(*command: Path | str, succeeds: bool = True) -> str:
    """Run a command in WORK, where no settings of a project are, and give what it said.

    Where it `succeeds`, that is nothing, unless it fails after all.
    """
    environment = {**os.environ, "MYPYPATH": str(WORK)}
    done = subprocess.run(
        command,
        cwd=WORK,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not succeeds:
        return done.stdout
    return f"{done.stdout}exit status {done.returncode}" if done.returncode else ""


def mypy(*arguments: Path | str, succeeds: bool = True) -> str:
    """Run mypy, strict, with nothing of this repository's settings."""
    strict = ("--strict", "--config-file=", "--no-pretty", "--cache-dir", WORK / "mypy_cache")
    return said(VENV / "bin" / "mypy", *strict, *arguments, succeeds=succeeds)


def stubtest() -> str:
    """Compare the stubs with the installed micropie; what the allowlist has must be found."""
    return said(VENV / "bin" / "stubtest", "micropie", "--allowlist", HERE / "allowlist.txt")


def reasons() -> str:
    """Name the lines of the allowlist that have no reason."""
    lines = (HERE / "allowlist.txt").read_text(encoding="utf-8").splitlines()
    bare = [line for line in lines if line.strip() and not line.partition("#")[2].strip()]
    return "\n".join(f"no reason: {line}" for line in bare)


def declared() -> dict[str, set[str]]:
    """Give the public attributes that the stubs declare for instances, by class."""
    attributes: dict[str, set[str]] = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names = {
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            }
            for base in node.bases:
                names |= attributes.get(ast.unparse(base), set())
            attributes[node.name] = public(names)
    return attributes


def public(names: set[str]) -> set[str]:
    """Give those that do not begin with an underscore."""
    return {name for name in names if not name.startswith("_")}


def attributes() -> str:
    """Compare the attributes of instances with those that the stubs declare."""
    answer = said(VENV / "bin" / "python", "-c", INSTANCES, succeeds=False)
    try:
        found: dict[str, list[str]] = json.loads(answer)
    except ValueError:
        return answer
    stubs = declared()
    wrong = {
        f"{name}: {' '.join(sorted(stubs[name] ^ public(set(names))))} on one side only"
        for name, names in found.items()
        if stubs[name] != public(set(names))
    }
    return "\n".join(sorted(wrong))


def typed() -> str:
    """Check typical code with the stubs: what is right is clean, each mistake is found by its code.

    A mistake is a line that ignores its error: an unused ignore is an error.
    """
    return mypy(*sorted((HERE / "typing").glob("*.py")))


def typed_by_pyright() -> str:
    """Check the same with pyright, and the stubs themselves: it refuses what has no type there."""
    python = VENV / "bin" / "python"
    return said(PYRIGHT, "--project", HERE / "pyrightconfig.json", "--pythonpath", python)


def others() -> str:
    """Check the same, and the stubs, with four more checkers.

    They have codes of their own, so they get copies in which no error is ignored, and must find
    something in the lines of the mistakes and in no others.
    """
    code = WORK / "typing"
    code.mkdir(exist_ok=True)
    expected: set[tuple[str, int]] = set()
    for file in sorted((HERE / "typing").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        lines = enumerate(text.splitlines(), 1)
        expected |= {(file.name, number) for number, line in lines if "# type: ignore[" in line}
        (code / file.name).write_text(re.sub(r"  # type: ignore\[.*", "", text), encoding="utf-8")
    (code / "contract_copy.py").write_bytes(CONTRACT.read_bytes())
    settings = {"typeCheckingMode": "all", **dict.fromkeys(STYLE, False)}
    # Else it takes the settings of the checkout.
    (WORK / "pyrefly.toml").touch()
    (WORK / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")

    python = VENV / "bin" / "python"
    files = [STUB, *(code / file.name for file in sorted((HERE / "typing").glob("*.py")))]
    commands: dict[str, list[Path | str]] = {
        "basedpyright": ["--pythonpath", python],
        "pyrefly": [
            *("check", "--config", "pyrefly.toml", "--preset", "strict"),
            *("--ignore", "missing-override-decorator"),
            *("--output-format", "min-text", "--color", "never"),
            *("--search-path", code, "--python-interpreter-path", python),
        ],
        "ty": [
            *("check", "--error", "all", "--ignore", "missing-override-decorator"),
            *("--output-format", "concise", "--color", "never"),
            *("--extra-search-path", code, "--python", python),
        ],
        "zuban": ["mypy", "--strict", "--no-pretty", "--python-executable", python],
    }
    wrong: list[str] = []
    for name, arguments in commands.items():
        answer = said(PYRIGHT.with_name(name), *arguments, *files, succeeds=False)
        found = {(Path(path).name, int(number)) for path, number in re.findall(FOUND, answer, re.M)}
        if found != expected:
            wrong.append(f"{answer}{name}: not as expected: {sorted(found ^ expected)}")
    return "\n".join(wrong)


def untyped() -> str:
    """Check the same code without the stubs: the import is refused, and no mistake is found."""
    bare = WORK / "bare"
    venv.create(bare, clear=True, symlinks=True)
    [module] = VENV.glob("lib/python*/site-packages/micropie.py")
    [site] = bare.glob("lib/python*/site-packages")
    shutil.copy(module, site)

    files = [HERE / "typing" / name for name in ("handlers.py", "mistakes.py")]
    answer = mypy("--python-executable", bare / "bin" / "python", *files, succeeds=False)
    found = set(re.findall(r"(\w+\.py):(\d+): error: .*\[(import-untyped|unused-ignore)\]", answer))

    expected: set[tuple[str, str, str]] = set()
    for file in files:
        lines = list(enumerate(file.read_text(encoding="utf-8").splitlines(), 1))
        imports = [number for number, line in lines if line.startswith("from micropie import")]
        ignores = [number for number, line in lines if "# type: ignore[" in line]
        expected.add((file.name, str(imports[0]), "import-untyped"))
        expected |= {(file.name, str(number), "unused-ignore") for number in ignores}
    if found == expected:
        return ""
    return f"{answer}not as expected: {sorted(found ^ expected)}"


CHECKS: dict[str, Callable[[], str]] = {
    "each line of the allowlist has a reason": reasons,
    "stubtest: the stubs are those of the installed micropie": stubtest,
    "what instances have is what the stubs declare": attributes,
    "without stubs, mypy refuses the import and finds no mistake": untyped,
    "with stubs, mypy finds each mistake and nothing else": typed,
    "with stubs, pyright finds each mistake and nothing else": typed_by_pyright,
    "with stubs, so do basedpyright, pyrefly, ty and zuban": others,
}


def main() -> int:
    """Run all checks and give the exit status: 1 where one failed, 2 where none could run."""
    if not VENV.exists():
        print(f"{VENV.name} is not there; run `make stubs`, which makes it.", file=sys.stderr)
        return 2
    WORK.mkdir(parents=True, exist_ok=True)
    # By another name: `micropie` is the other one there.
    shutil.copy(CONTRACT, WORK / "contract_copy.py")
    failed = False
    for name, check in CHECKS.items():
        problems = check()
        print(f"{name}: {'FAILED' if problems else 'passed'}", flush=True)
        if problems:
            print(problems, flush=True)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
