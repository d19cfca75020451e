"""What type checkers make of a target: `micropie verify TARGET --types`.

A probe, a Python file in a folder of its own, makes a connection of the target and asks one thing
of it in each line: whether the member is there, whether it gives a coroutine, whether it takes this
parameter by name. A checker reads the probe, and by the lines that it finds at fault
`micropie.mismatch` judges, in the words that it has for an object at run time. Nothing is run.
"""

import contextlib
import importlib.util
import inspect
import json
import keyword
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import micropie
from micropie.mismatch import MEMBERS, UNBOUND, UNTYPED, Member, Mismatch, judge, unqualified

__all__ = ["FACTORY", "Checker", "Typed", "TypesError", "checkers"]

FACTORY: Final = "(receive, send)"
"""What a mismatch names that is one of the target itself: how it is called."""

_CONFIGURATION: Final = """\
[mypy]
strict = True
implicit_reexport = True
disable_error_code = unused-coroutine, unused-awaitable
"""

_HEAD: Final = """\
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar
from micropie.contract import Factory, Receive, Send, WebSocketContract
T = TypeVar("T")
any: Any
rest: dict[str, Any]
receive: Receive
send: Send
def made_by(factory: Callable[..., T]) -> T: raise NotImplementedError
"""

# How each checker tells the type of something.
_REVEALED: Final = re.compile(r'(?:Revealed type|Type of ".*?") is "(.*)"', re.DOTALL)

_SIGNATURE: Final = re.compile(r"(?:def )?(?:\[.*?\] )?\((.*)")
_PARAMETER: Final = re.compile(r"(?:(?P<name>\w+): )?(?P<type>.*?)(?: =.*)?")
_COROUTINE: Final = re.compile(r"Coroutine(?:Type)?\[.*?, .*?, (.*)\]")

# How each checker says that a method cannot be bound to an object.
_UNBOUND: Final = re.compile("self argument|Could not bind")

# What a line asks: of the target itself, with "" for the member, or of a member.
_Key: TypeAlias = tuple[str, ...]


class TypesError(Exception):
    """A checker could not do its work; the message says why."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a checker found."""

    # Its name and version.
    by: str
    mismatches: list[Mismatch]


class _Remark(NamedTuple):
    """What a checker says of a line."""

    file: str
    line: int
    message: str
    # Of mypy, the kind of error; "": it is none.
    error: str


@dataclass(frozen=True, slots=True)
class Checker:
    """A type checker that is installed."""

    name: str
    command: list[str]

    @property
    def needed(self) -> bool:
        """Whether there is no answer without it."""
        return self.name == "mypy"

    def check(self, targets: Sequence[str]) -> list[Typed]:
        """Check targets, `module:attr` or `path/to/file.py:attr`, in one run.

        Raises:
            TypesError: It could not do its work.
        """
        with tempfile.TemporaryDirectory(prefix="micropie-types-") as scratch:
            folder = Path(scratch)
            # A copy, for no checker looks into another folder of installed packages first.
            shutil.copytree(
                Path(micropie.__file__).parent,
                folder / "micropie",
                ignore=shutil.ignore_patterns("__pycache__"),
            )
            path: list[str] = []
            probes: dict[str, _Probe] = {}
            for number, target in enumerate(targets):
                source, _, attribute = target.rpartition(":")
                module, beside = _module(source, folder)
                path += beside
                file = f"micropie_probe_{number}.py"
                probes[file] = _Probe(module, attribute)
                (folder / file).write_text(probes[file].text, encoding="utf-8")
            path += [os.getcwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
            # mypy refuses to be told of the folder of installed packages, which it knows.
            known = {"", sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
            path = [
                _without_shadows(Path(one).absolute(), folder / f"beside_{number}")
                for number, one in enumerate(dict.fromkeys(path))
                if one not in known
            ]
            run = _by_mypy if self.needed else _by_pyright
            by, remarks = run(self.command, folder, path, [*probes])
        by = f"{self.name} {by}"
        return [
            Typed(
                by,
                _judged(probe.asked, [one for one in remarks if one.file == file], by),
            )
            for file, probe in probes.items()
        ]


def checkers() -> list[Checker]:
    """Give mypy, and pyright where that is installed.

    Raises:
        TypesError: mypy is not installed.
    """
    if importlib.util.find_spec("mypy") is None:
        raise TypesError("--types needs mypy: pip install 'micropie-contract[check]'")
    found = [Checker("mypy", [sys.executable, "-P", "-m", "mypy"])]
    if importlib.util.find_spec("pyright") is not None:
        found.append(Checker("pyright", [sys.executable, "-P", "-m", "pyright"]))
    elif program := shutil.which("pyright"):
        found.append(Checker("pyright", [program]))
    return found


def _module(source: str, folder: Path) -> tuple[str, list[str]]:
    """Give the name to import a target's module by, and the folder beside it, if it is a file."""
    if not (source.endswith(".py") or "/" in source or os.sep in source):
        return source, []
    file = Path(source).absolute()
    name = file.stem
    importable = file.suffix == ".py" and name.isidentifier() and not keyword.iskeyword(name)
    if not importable or name in _TAKEN or name.startswith("__"):
        name = "target_" + re.sub(r"\W", "_", name)
        with contextlib.suppress(OSError):
            shutil.copyfile(file, folder / f"{name}.py")
    return name, [str(file.parent)]


def _without_shadows(folder: Path, stand_in: Path) -> str:
    """Give a folder to import from, or one that has all of it but what mypy refuses to see.

    mypy cannot be told of one whose name has what is between two names, either.
    """
    try:
        entries = list(folder.iterdir())
    except OSError:
        return str(folder)
    seen = [one for one in entries if one.name.removesuffix(".py") not in _LOADED]
    if len(seen) == len(entries) and os.pathsep not in str(folder):
        return str(folder)
    stand_in.mkdir()
    for one in seen:
        (stand_in / one.name).symlink_to(one)
    return str(stand_in)


# Whatever has these names in a folder, Python has loaded its own by then.
_LOADED: Final = {"abc", "builtins", "collections", "sys", "types", "typing", "typing_extensions"}

# No file of the user's can have these names beside the probe.
_TAKEN: Final = {*sys.stdlib_module_names, *_LOADED, "micropie"}


class _Probe:
    """The text of a probe, and what each of its lines asks."""

    def __init__(self, module: str, attribute: str) -> None:
        self._lines: list[str] = [*_HEAD.splitlines()]
        # The number of the line that asks something.
        self.asked: dict[_Key, int] = {}
        target = f"candidate.{attribute}"
        self._ask(f"import {module} as candidate", "", "import")
        self._ask(f"made = made_by({target})", "", "made")
        self._ask_inside("reveal_type(made)", "", "type")
        self._ask_inside(f"{target}(receive, send)", "", "call")
        self._ask_inside("whole: WebSocketContract = made", "", "whole")
        self._ask_inside(f"factory: Factory = {target}", "", "factory")
        for member in MEMBERS:
            self._ask_of(member, inspect.formatannotation(member.type).replace("NoneType", "None"))

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def _ask(self, line: str, *key: str) -> None:
        self._lines.append(line)
        self.asked[key] = len(self._lines)

    def _ask_inside(self, line: str, *key: str) -> None:
        # Each in a function of its own: a call that never returns must not hide what follows.
        self._ask(f"def line_{len(self._lines)}() -> None: {line}", *key)

    def _ask_of(self, member: Member, expected: str) -> None:
        name = member.name
        made = f"made.{name}"
        self._ask_inside(f"reveal_type({made})", name, "type")
        self._lines.append(f"class Has_{name}(Protocol):")
        if member.parameters is None:
            self._lines += ["    @property", f"    def {name}(self) -> {expected}: ..."]
            self._ask_inside(f"right: {expected} = {made}", name, "right")
        else:
            own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
            signature = inspect.Signature([own, *member.parameters])
            self._lines.append(f"    async def {name}{signature} -> {expected}: ...")
            self._ask_inside(f"right: Callable[..., object] = {made}", name, "callable")
            for key, result in (("coroutine", "object"), ("right", expected)):
                kind = f"Callable[..., Coroutine[Any, Any, {result}]]"
                self._ask_inside(f"right: {kind} = {made}", name, key)
            self._ask_of_parameters(name, member.parameters)
        self._ask_inside(f"whole: Has_{name} = made", name, "whole")

    def _ask_of_parameters(self, name: str, parameters: Sequence[inspect.Parameter]) -> None:
        for count in range(len(parameters) + 1):
            self._ask_inside(f"made.{name}({', '.join(['any'] * count)})", name, str(count))
        for index, parameter in enumerate(parameters):
            before, after = ["any"] * index, ["any"] * (len(parameters) - index - 1)
            by_name = ", ".join([*before, f"{parameter.name}=any", *(["**rest"] if after else [])])
            self._ask_inside(f"made.{name}({by_name})", name, str(index), parameter.name)
            value = f"{name}_{parameter.name}"
            self._lines.append(f"{value}: {inspect.formatannotation(parameter.annotation)}")
            by_type = ", ".join([*before, value, *after])
            self._ask_inside(f"made.{name}({by_type})", name, "parameter", str(index))


def _judged(asked: dict[_Key, int], remarks: list[_Remark], by: str) -> list[Mismatch]:
    """Give the mismatches, by what a checker says of the lines of a probe.

    Raises:
        TypesError: It finds something where nothing can be wrong.
    """
    errors: dict[int, str] = {}
    untyped: set[int] = set()
    types: dict[int, str] = {}
    for one in remarks:
        if revealed := _REVEALED.fullmatch(one.message):
            types[one.line] = unqualified(revealed[1])
        elif one.error == "no-untyped-call":
            untyped.add(one.line)
        elif one.error:
            errors.setdefault(one.line, one.message)
    if unasked := errors.keys() - asked.values():
        # Nothing that it says can be relied on.
        raise TypesError(f"{by} does not understand what it is asked: {errors[min(unasked)]}")
    told = {key: _words(key, errors[line]) for key, line in asked.items() if line in errors}
    known = {key: types[line] for key, line in asked.items() if line in types}
    silent = {key[0] for key, line in asked.items() if line in untyped}
    if by.startswith("pyright "):
        # So pyright calls what it cannot infer.
        silent |= {key[0] for key, words in known.items() if re.search(r"\bUnknown\b", words)}
        silent -= {key[0] for key in told if key[1] == "type"}
        # A class may be generic, and its parameter open; what is not known of it, its members tell.
        silent.discard("")
    gives = known.get(("", "type"), "Any")
    if gives in _NOTHING:
        reason = told.get(("", "import")) or told.get(("", "made")) or "it is not annotated"
        return [Mismatch(FACTORY, f"nothing is known of the types of what it gives: {reason}")]
    if _COROUTINE.fullmatch(gives):
        return [Mismatch(FACTORY, "gives a coroutine; expected the connection")]
    if re.search(r"(^|\| )None($| \|)", gives):
        return [Mismatch(FACTORY, "may give `None`; expected a connection")]
    found: list[Mismatch] = []
    if refusal := told.get(("", "call")):
        found.append(Mismatch(FACTORY, f"cannot be called so: {refusal}"))
    elif "" in silent:
        found.append(Mismatch(FACTORY, UNTYPED))
    for member in MEMBERS:
        own = [Mismatch(member.name, UNTYPED)] if member.name in silent else []
        if known.get((member.name, "type")) == "Any" and (member.name, "type") not in told:
            own.append(Mismatch(member.name, "is `Any`, so that nothing is known of its types"))
        else:
            own += judge(member, _Told(member, told, known))
        if not own and (rest := told.get((member.name, "whole"))):
            own.append(Mismatch(member.name, f"does not fit its Protocol: {rest}"))
        found += own
    if not found and (rest := told.get(("", "whole")) or told.get(("", "factory"))):
        found.append(Mismatch(FACTORY, f"does not fit `Factory`: {rest}"))
    return found


def _words(key: _Key, message: str) -> str:
    """Give the first line of a message; of one that is about a Protocol, what explains it."""
    first, *more = [line.strip() for line in message.splitlines()]
    abstract = re.fullmatch('Cannot instantiate abstract class "[^"]*"', first)
    if key[1] == "type" or abstract:
        return "; ".join([first, *more])
    return "; ".join(more).replace(":;", ":") if more and key[1] in ("whole", "factory") else first


# What is revealed of what has no type.
_NOTHING: Final = ("Any", "Unknown")


class _Told:
    """What a checker tells of a member."""

    def __init__(self, member: Member, told: dict[_Key, str], known: dict[_Key, str]) -> None:
        self._told = {key[1:]: words for key, words in told.items() if key[0] == member.name}
        self._is_attribute = member.parameters is None
        self._unbound = bool(_UNBOUND.search(self._told.get(("type",), "")))
        if self._unbound:
            # It is said in each line.
            self._told = {}
        self._type = known.get((member.name, "type"), "")
        parameters, self._result = _signature(self._type)
        self._parameters = list(_parameters(parameters))

    def missing(self) -> bool:
        return ("type",) in self._told

    def uncallable(self) -> str:
        return f"`{self._type}`" if ("callable",) in self._told else ""

    def asynchronous(self) -> bool:
        return ("coroutine",) not in self._told

    def wrong_type(self) -> str:
        if ("right",) not in self._told:
            return ""
        result = _COROUTINE.fullmatch(self._result)
        if self._is_attribute and self._result != self._type:
            return "a method"
        if self._is_attribute and result:
            return "a coroutine"
        return f"`{result[1] if result else self._result}`"

    def refuses(self, count: int, name: str = "") -> str:
        if self._unbound:
            return UNBOUND
        return self._told.get((str(count), name) if name else (str(count),), "")

    def names(self) -> Sequence[str]:
        return [name for name, _ in self._parameters if name != "*"]

    def wrong_parameter(self, index: int) -> str:
        if reason := self._told.get(("parameter", str(index))):
            # What comes after the last is taken by it, or the call would be refused.
            known = self._parameters[: index + 1][-1][1] if self._parameters else ""
            return f"`{known}`" if known else f"something else ({reason})"
        return ""


def _signature(words: str) -> tuple[str, str]:
    """Give the parameters and the result of a signature; of any other type nothing, and itself."""
    found = _SIGNATURE.fullmatch(words)
    rest = found[1] if found else ""
    depths = [*accumulate(((one in "([{") - (one in ")]}") for one in rest), initial=1)]
    if 0 in depths:
        end = depths.index(0)
        parameters, result = rest[: end - 1], rest[end:]
        # mypy leaves out a result that is None. A union of signatures is none.
        if not result or result.startswith(" -> "):
            return parameters, result[4:]
    return "", words


def _parameters(words: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the type of each positional parameter of a revealed signature.

    One that cannot be given by name has none. The last may be `*`, which takes all that follow.
    """
    depth = 0
    parts = [""]
    for one in words:
        depth += (one in "([{") - (one in ")]}")
        if one == "," and not depth:
            parts.append("")
        else:
            parts[-1] += one
    parts = [part.strip() for part in parts if part.strip()]
    nameless = parts.index("/") if "/" in parts else 0
    for place, part in enumerate(parts):
        if part == "*" or part.startswith("**"):
            return
        match = _PARAMETER.fullmatch(part.removeprefix("*"))
        assert match is not None  # It matches everything.
        if part.startswith("*"):
            yield "*", match["type"]
            return
        if part != "/":
            yield (match["name"] or "") if place >= nameless else "", match["type"]


def _by_mypy(
    command: list[str], folder: Path, path: list[str], files: list[str]
) -> tuple[str, list[_Remark]]:
    (folder / "mypy.ini").write_text(_CONFIGURATION, encoding="ascii")
    status, output, fault = _output(
        [
            *command,
            "--config-file=mypy.ini",
            f"--python-executable={sys.executable}",
            f"--cache-dir={os.devnull}",
            "--output=json",
            *files,
        ],
        folder,
        {"MYPYPATH": os.pathsep.join([str(folder), *path])},
    )
    remarks: list[_Remark] = []
    try:
        for line in output.splitlines():
            told = json.loads(line)
            error = (told["code"] or "error") if told["severity"] == "error" else ""
            message = "\n".join([told["message"], told["hint"] or ""])
            remarks.append(_Remark(told["file"], told["line"], message.strip(), error))
    except (ValueError, KeyError, TypeError):
        raise TypesError(f"mypy failed: {(output + fault).strip()}") from None
    # What it reveals is there in any case.
    if status not in (0, 1) or not remarks:
        said = [f"{one.file}:{one.line}: {one.message}" for one in remarks]
        raise TypesError(f"mypy failed: {'; '.join(said) or fault.strip()}")
    # It takes long to import, and reports import this module without running a checker.
    from importlib.metadata import version

    return version("mypy"), remarks


def _by_pyright(
    command: list[str], folder: Path, path: list[str], files: list[str]
) -> tuple[str, list[_Remark]]:
    configuration = {
        "include": files,
        "extraPaths": path,
        "typeCheckingMode": "standard",
        "reportUnusedCoroutine": False,
        "reportPrivateImportUsage": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(configuration), encoding="ascii")
    _, output, fault = _output(
        [*command, "--outputjson", f"--pythonpath={sys.executable}", "--project=."], folder, {}
    )
    try:
        document = json.loads(output)
        remarks = [
            _Remark(
                Path(told["file"]).name,
                told["range"]["start"]["line"] + 1,
                told["message"],
                "error" if told["severity"] == "error" else "",
            )
            for told in document["generalDiagnostics"]
        ]
        return document["version"], remarks
    except (ValueError, KeyError, TypeError):
        raise TypesError(f"pyright failed: {(output + fault).strip()}") from None


def _output(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run a checker; give its exit status and what it wrote to each of its outputs."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        # pyright starts others; all of them are ended when this is interrupted.
        start_new_session=True,
    ) as child:
        try:
            output, fault = child.communicate()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    return child.returncode, output, fault
