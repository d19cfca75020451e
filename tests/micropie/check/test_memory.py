"""What the flow analysis has found is remembered, and is what it would find anew."""

import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import pytest

import micropie.check.memory
from micropie.check.flow import Flow
from micropie.check.memory import GRAIN, TICK, Memory, fingerprint
from micropie.check.report import Entry
from micropie.flow import Checker, Finding

Write: TypeAlias = Callable[[dict[str, str]], None]

CHAT = """\
from base import Base
class Chat(Base):
    async def ws_index(self, ws):
        await ws.send_text('')
        await ws.accept()
"""

APP = "from micropie import App\nclass Base(App): ..."


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check begins long after the files were written."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3_600_000_000_000)


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were analysed."""
    files: list[str] = []
    check = Checker.check

    def noted(self: Checker, file: Path) -> list[Finding]:
        files.append(str(file))
        return check(self, file)

    monkeypatch.setattr(Checker, "check", noted)
    return files


def look(cache: Path | None, files: Iterable[Path]) -> list[Entry]:
    with Flow(Path.cwd(), cache).begin(files, meanwhile=False) as entries:
        return entries()


def found(cache: Path | None, *files: str) -> list[Entry]:
    """What is found, which is what is found without a memory."""
    its = look(cache, map(Path, files))
    assert its == look(None, map(Path, files))
    return its


EDITS: dict[str, tuple[dict[str, str], int]] = {
    "the file": ({"src/chat.py": CHAT.replace("send_text('')", "accept()")}, 1),
    "no longer Python": ({"src/chat.py": "x = ("}, 1),
    "a comment that silences": (
        {"src/chat.py": CHAT.replace("'')", "'')  # micropie: ignore[send-before-accept]")},
        0,
    ),
    "a base class in another module": ({"src/base.py": "class Base: ..."}, 0),
    "a base class of a base class": ({"src/app.py": "class App: ..."}, 0),
    "a module that now goes before": ({"src/base/__init__.py": "class Base: ..."}, 0),
    "the folder is now a package": ({"src/__init__.py": ""}, 0),
}


@pytest.mark.parametrize("edit", EDITS)
def test_after_an_edit(edit: str, cache: Path, analysed: list[str], write: Write) -> None:
    base = "from app import App\nclass Base(App): ..."
    write({"src/chat.py": CHAT, "src/base.py": base, "src/app.py": "from micropie import App"})
    assert len(found(cache, "src/chat.py")) == 1
    analysed.clear()
    look(cache, [Path("src/chat.py")])
    assert analysed == []
    files, expected = EDITS[edit]
    write(files)
    assert len(found(cache, "src/chat.py")) == expected
    write({"src/chat.py": CHAT})


def test_what_is_the_same_file_is_not_read(
    cache: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": CHAT, "base.py": APP})
    expected = found(cache, "chat.py")
    read: list[bytes] = []

    def noted(content: bytes) -> str:
        read.append(content)
        return fingerprint(content)

    monkeypatch.setattr(micropie.check.memory, "fingerprint", noted)
    assert look(cache, [Path("chat.py")]) == expected
    assert APP.encode() in read
    assert CHAT.encode() not in read


def test_what_is_too_new_for_its_times_to_tell_is_read(
    cache: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where times are coarse, another content can come with all of them the same."""
    write({"chat.py": CHAT})
    status = Path("chat.py").stat()

    def another(*_: object) -> str:
        return "another"

    for grains, remembered in ((1, False), (2, True)):
        now = max(status.st_mtime_ns, status.st_ctime_ns) + grains * GRAIN
        monkeypatch.setattr(time, "time_ns", lambda now=now: now)
        Memory(cache, Path.cwd()).keep({"chat.py": []}, [])
        with monkeypatch.context() as patch:
            patch.setattr(Memory, "_digest_of", another)
            recalled = Memory(cache, Path.cwd()).recall(Path("chat.py"))
        assert (recalled == []) is remembered


def test_what_has_the_same_content_is_not_analysed(
    cache: Path, analysed: list[str], write: Write
) -> None:
    write({"chat.py": CHAT, "base.py": APP})
    expected = found(cache, "chat.py")
    analysed.clear()
    shutil.copy("chat.py", "copy.py")
    Path("copy.py").replace("chat.py")
    assert look(cache, [Path("chat.py")]) == expected
    assert analysed == []


def test_another_content_of_the_same_size_and_time(cache: Path, write: Write) -> None:
    write({"chat.py": CHAT, "base.py": APP})
    before = os.stat("chat.py")
    assert len(found(cache, "chat.py")) == 1
    write({"chat.py": CHAT.replace("ws.send_text('')", "ws.not_known(12)")})
    os.utime("chat.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat("chat.py").st_size == before.st_size
    assert found(cache, "chat.py") == []


def test_a_base_class_of_several_files(cache: Path, write: Write) -> None:
    """What was learnt of it for the first file decides what is found in the second."""
    write({"a.py": CHAT, "b.py": CHAT, "base.py": "from app import App\nclass Base(App): ..."})
    write({"app.py": "from micropie import App"})
    assert len(found(cache, "a.py", "b.py")) == 2
    write({"app.py": "class App: ..."})
    assert found(cache, "a.py", "b.py") == []


def test_a_module_that_is_deleted(cache: Path, write: Write) -> None:
    write({"chat.py": CHAT, "base.py": APP})
    assert len(found(cache, "chat.py")) == 1
    Path("base.py").unlink()
    assert found(cache, "chat.py") == []


def test_what_is_no_file_is_not_read(cache: Path, write: Write) -> None:
    write({"chat.py": CHAT})
    os.mkfifo("base.py")
    assert found(cache, "chat.py") == []
    Path("base.py").unlink()
    write({"base.py": APP})
    assert len(found(cache, "chat.py")) == 1


def test_another_version_of_this_package(
    cache: Path, analysed: list[str], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": CHAT, "base.py": APP, "other/micropie.py": ""})
    found(cache, "chat.py")
    analysed.clear()
    monkeypatch.setattr(micropie.check.memory, "PACKAGE", Path("other"))
    look(cache, [Path("chat.py")])
    assert analysed == ["chat.py"]


@pytest.mark.parametrize("damage", ["", "x\ny\nz", "no findings"])
def test_a_damaged_memory(damage: str, cache: Path, write: Write) -> None:
    write({"chat.py": CHAT, "base.py": APP})
    found(cache, "chat.py")
    [file] = cache.glob("flow-*")
    text = file.read_text()
    file.write_text(damage and text.replace("send-before-accept", damage))
    assert len(found(cache, "chat.py")) == 1
    file.write_text(damage)
    assert len(found(cache, "chat.py")) == 1
    assert file.read_text() == text


def test_other_files_are_remembered_while_they_are_there(
    cache: Path, analysed: list[str], write: Write
) -> None:
    write({"a.py": "", "b.py": "", "c.py": ""})
    for name in ("a.py", "b.py"):
        found(cache, name)
    Path("a.py").unlink()
    found(cache, "c.py")
    analysed.clear()
    write({"a.py": ""})
    look(cache, map(Path, ("a.py", "b.py", "c.py")))
    assert analysed == ["a.py"]


WHAT_HAPPENS: dict[str, Callable[[], object]] = {
    "it goes": Path("chat.py").unlink,
    "it changes": lambda: Path("chat.py").write_text(""),
    "it gets an older time": lambda: os.utime("chat.py", (0, 0)),
    "another that was consulted changes": lambda: Path("base.py").write_text(APP),
    "another that was consulted goes": Path("base.py").unlink,
    "another that was consulted goes, with its folder": lambda: shutil.rmtree("pkg"),
}


@pytest.mark.parametrize("what", [None, *WHAT_HAPPENS])
def test_what_happens_meanwhile_keeps_it_from_being_remembered(
    what: str | None, cache: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": CHAT, "base.py": APP, "pkg/base.py": ""})
    began = tick(cache)
    monkeypatch.setattr(time, "time_ns", lambda: began + TICK)
    memory = Memory(cache, Path.cwd())
    if what is not None:
        WHAT_HAPPENS[what]()
    memory.keep({"chat.py": []}, map(Path, ("base.py", "pkg/base.py", "none/none.py")))
    recalled = Memory(cache, Path.cwd()).recall(Path("chat.py"))
    assert recalled == (None if what else [])


@pytest.mark.parametrize(("later", "remembered"), [(900_000_000, False), (GRAIN, True)])
def test_what_happens_meanwhile_where_times_are_whole_seconds(
    later: int, remembered: bool, cache: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"chat.py": CHAT})
    second = Path("chat.py").stat().st_ctime_ns // 1_000_000_000 * 1_000_000_000

    def coarse(path: str) -> list[int]:
        return [second, second, os.stat(path).st_size, os.stat(path).st_ino]

    monkeypatch.setattr(micropie.check.memory, "_status", coarse)
    monkeypatch.setattr(time, "time_ns", lambda: second + later + TICK + 1)
    Memory(cache, Path.cwd()).keep({"chat.py": []}, [])
    assert (Memory(cache, Path.cwd()).recall(Path("chat.py")) == []) is remembered


def tick(folder: Path) -> int:
    """Wait until the clock of the file system moves on, and read it."""
    clock = folder / "clock"
    clock.touch()
    start = clock.stat().st_ctime_ns
    while (now := clock.stat().st_ctime_ns) == start:
        clock.touch()
    return now


def test_where_nothing_can_be_written(cache: Path, write: Write) -> None:
    write({"chat.py": CHAT, "base.py": APP})
    found(cache, "chat.py")
    [file] = cache.glob("flow-*")
    file.unlink()
    # What it cannot be put in the place of.
    (file / "folder").mkdir(parents=True)
    assert len(found(cache, "chat.py")) == 1
    assert [*cache.glob("flow-*")] == [file]
