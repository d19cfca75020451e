"""The files that a check looks at."""

import importlib.machinery
import os
import socket
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

import micropie
from micropie.check.files import by_root, find, search_path
from micropie.check.report import CheckError

Write: TypeAlias = Callable[[dict[str, str]], None]


def found(*paths: str, exclude: tuple[str, ...] = (), folder: str = "") -> list[str]:
    return [
        str(path)
        for path in find(paths, search_path(None), [(Path(folder), each) for each in exclude])
    ]


def test_each_file_once_and_in_the_order_given(write: Write) -> None:
    write({"chat.py": "", "b/z.py": "", "b/a.py": "", "types.pyi": ""})
    assert found("types.pyi", "b/z.py", "./chat.py", "chat.py", "b", ".") == [
        "types.pyi",
        "b/z.py",
        "chat.py",
        "b/a.py",
    ]


def test_what_is_skipped_in_folders(write: Write) -> None:
    write(
        {
            "src/chat.py": "",
            "src/.hidden/x.py": "",
            "src/__pycache__/x.py": "",
            "src/node_modules/x.py": "",
            "src/site-packages/x.py": "",
            "src/env/pyvenv.cfg": "",
            "src/env/lib/x.py": "",
            "src/notes.txt": "",
            "src/types.pyi": "",
            "src/folder.py/x.py": "",
        }
    )
    # Who reads it waits.
    os.mkfifo("src/pipe.py")
    assert found("src") == ["src/chat.py", "src/folder.py/x.py"]


def test_what_is_excluded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"src/made/x.py": "", "src/x_pb2.py": "", "src/sub/chat.py": ""})
    exclude = (r"^src/made/$", r"_pb2\.py$")
    assert found("src", exclude=exclude) == ["src/sub/chat.py"]
    # What is named is meant.
    assert found("src/x_pb2.py", "src/made", exclude=exclude) == ["src/x_pb2.py", "src/made/x.py"]
    monkeypatch.chdir("src/sub")
    assert found("..", exclude=(r"^\.\./made/",)) == ["../x_pb2.py", "../sub/chat.py"]
    # It is looked for in paths from its folder.
    assert found("..", exclude=exclude, folder="../..") == ["../sub/chat.py"]


def test_links_are_followed_once(write: Write) -> None:
    write({"real/chat.py": "", "src/own.py": ""})
    # With two of them there is no end to the ways that lead on.
    Path("src/up").symlink_to("..", target_is_directory=True)
    Path("src/here").symlink_to(".", target_is_directory=True)
    Path("src/linked").symlink_to("../real", target_is_directory=True)
    Path("src/same.py").symlink_to("own.py")
    Path("src/broken.py").symlink_to("nowhere.py")
    Path("src/circle.py").symlink_to("circle.py")
    Path("src/beyond.py").symlink_to("own.py/x.py")
    assert found("src") == ["src/own.py", "src/linked/chat.py"]


def test_modules(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = "raise AssertionError('it is not imported')"
    write(
        {
            "chat.py": failing,
            "pkg/__init__.py": failing,
            "pkg/sub/__init__.py": failing,
            "pkg/sub/rooms.py": failing,
            "space/part/one.py": failing,
            "lib/installed.py": failing,
            "lib/space/part/two.py": failing,
            "lib/chat.py": failing,
        }
    )
    package = Path(micropie.__file__).parent
    monkeypatch.setattr(sys, "path", [str(Path("lib").absolute()), str(package.parent)])
    assert found("chat") == ["chat.py"]
    assert found("pkg.sub.rooms") == ["pkg/sub/rooms.py"]
    assert found("pkg.sub") == ["pkg/sub/__init__.py", "pkg/sub/rooms.py"]
    assert found("installed") == ["lib/installed.py"]
    # A package without __init__.py is all that it has anywhere.
    assert found("space.part") == ["space/part/one.py", "lib/space/part/two.py"]
    # A folder goes before a module.
    assert found("lib") == sorted(map(str, Path("lib").rglob("*.py")))
    assert found("micropie.app") == [f"{package}/app.py"]


def test_modules_of_another_python(write: Write) -> None:
    venv.create("env", with_pip=False)
    (packages,) = Path("env").glob("lib/python*/site-packages")
    write({f"{packages}/theirs.py": "", f"{packages}/chat.py": "", "chat.py": ""})
    assert find(["chat", "theirs"], search_path("env/bin/python")) == [
        Path("chat.py"),
        packages / "theirs.py",
    ]


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ("nosuch", "there is no program nosuch"),
        ("./nosuch", "there is no program ./nosuch"),
        *(
            (name, f"{name} is not a Python that runs")
            for name in ("false", "true", "echo", "./chat.py", "./folder", "./no-format")
        ),
    ],
)
def test_what_is_no_python(python: str, message: str, write: Write) -> None:
    write({"chat.py": "", "folder/x.py": "", "no-format": "\0"})
    Path("no-format").chmod(0o755)
    with pytest.raises(CheckError) as failed:
        search_path(python)
    assert str(failed.value) == message


def test_a_link_that_cannot_be_followed(write: Write) -> None:
    write({"src/own.py": ""})
    # Its name is too long for a file.
    Path("src/linked.py").symlink_to("x" * 300)
    with pytest.raises(CheckError, match=r"^cannot read src/linked\.py: File name too long$"):
        found("src")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nosuch.py", "no such file or folder: nosuch.py"),
        ("no/such", "no such file or folder: no/such"),
        ("chat.py/such", "no such file or folder: chat.py/such"),
        ("", "no such file or folder: "),
        ("a\0b", r"no such file or folder: a\x00b"),
        ("nosuch", "no such file, folder or module: nosuch"),
        ("chat.nosuch", "no such file, folder or module: chat.nosuch"),
        ("loop.py", "cannot read loop.py: Too many levels of symbolic links"),
        ("loop", "cannot read loop: Too many levels of symbolic links"),
        ("dangling.py", "no such file or folder: dangling.py"),
        ("notes.txt", "notes.txt is not a Python file: its name does not end in .py"),
        ("closed", "cannot read closed/folder: Permission denied"),
        ("pipe.py", "pipe.py is neither a file nor a folder"),
        ("socket.py", "socket.py is neither a file nor a folder"),
        (os.devnull, f"{os.devnull} is neither a file nor a folder"),
    ],
)
def test_what_cannot_be_found(
    path: str, message: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": "", "notes.txt": "", "closed/folder/x.py": ""})
    Path("loop.py").symlink_to("loop.py")
    Path("loop").symlink_to("pool")
    Path("pool").symlink_to("loop")
    Path("dangling.py").symlink_to("nowhere.py")
    os.mkfifo("pipe.py")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.py")
    scandir = os.scandir

    # For root, who runs tests in containers, no folder is closed.
    def closed(folder: str) -> object:
        if folder == "closed/folder":
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(CheckError) as failed:
        found("chat.py", path)
    assert str(failed.value) == message


def test_a_module_without_source(write: Write) -> None:
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    write({f"fast{suffix}": ""})
    with pytest.raises(CheckError) as failed:
        found("fast")
    assert str(failed.value) == f"the module fast has no Python source: {Path.cwd()}/fast{suffix}"


def test_files_by_the_folder_that_they_are_imported_from(write: Write) -> None:
    names = ["a/chat.py", "a/other.py", "pkg/sub/x.py", "pkg/y.py", "my-app/z.py"]
    packages = ["pkg/__init__.py", "pkg/sub/__init__.py", "my-app/__init__.py"]
    write(dict.fromkeys([*names, *packages], ""))
    assert by_root(map(Path, names)) == {
        Path.cwd() / "a": [Path("a/chat.py"), Path("a/other.py")],
        Path.cwd(): [Path("pkg/sub/x.py"), Path("pkg/y.py")],
        Path.cwd() / "my-app": [Path("my-app/z.py")],
    }


@pytest.mark.parametrize("other", ["micropie.py", "micropie/__init__.py"])
def test_another_micropie(other: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write({"chat.py": "", "sub/chat.py": "", other: ""})
    for files, left in (
        (["chat.py", other], {Path.cwd(): [Path("chat.py")]}),
        # It is in the current folder, from which its name is found, too.
        (["sub/chat.py"], {Path.cwd() / "sub": [Path("sub/chat.py")]}),
    ):
        assert by_root(map(Path, files)) == left
        err = capsys.readouterr().err
        hiding = Path.cwd() / other.removesuffix("/__init__.py")
        assert err.startswith(f"micropie check: note: {hiding} hides this package from programs ")
        assert err.count("\n") == 1
    with pytest.raises(CheckError, match=r"^there are no .py files to check$"):
        by_root([Path(other)])


def test_this_package_is_no_other(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write({"chat.py": ""})
    Path("micropie").symlink_to(Path(micropie.__file__).parent)
    assert by_root([Path("chat.py")]) == {Path.cwd(): [Path("chat.py")]}
    assert capsys.readouterr().err == ""


def test_the_search_path_is_not_changed() -> None:
    before = sys.path.copy()
    found("micropie.app")
    assert sys.path == before
