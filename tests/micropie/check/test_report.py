"""How the findings of both sources become one list."""

from pathlib import Path

import pytest

from micropie.check.report import Entry, Report, merge, name, shown
from micropie.flow import Code


def mypy(
    file: str = "chat.py", line: int | None = 1, code: str = "misc", column: int | None = 1
) -> Entry:
    return Entry(file, line, column, "error", code, "said by mypy", "mypy")


def flow(file: str = "chat.py", line: int = 1, code: str = "no-answer", column: int = 1) -> Entry:
    return Entry(file, line, column, "warning", code, "said by the analysis", "flow")


def test_the_list_is_sorted_by_file_line_and_column() -> None:
    expected = [
        mypy("z.py", None, column=None),
        flow("z.py", 1, column=4),
        mypy("z.py", 1, column=9),
        mypy("z.py", 20),
        flow("a.py", 3),
        # They were only imported.
        mypy("imported/a.py"),
        mypy("imported/b.py"),
    ]
    found = expected[::-1]
    by_mypy = [entry for entry in found if entry.source == "mypy"]
    by_flow = [entry for entry in found if entry.source == "flow"]
    assert merge(by_mypy, by_flow, {"z.py": 0, "a.py": 1}) == expected


def test_what_mypy_finds_twice_counts_once() -> None:
    assert merge([mypy(), mypy(), mypy(line=2)], [], {}) == [mypy(), mypy(line=2)]


def test_the_codes_that_have_a_namesake_are_codes() -> None:
    assert {"never-awaited", "syntax-error"} <= {code.value for code in Code}


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (flow(code="never-awaited"), mypy(code="unused-coroutine"), True),
        (flow(code="never-awaited", column=9), mypy(code="unused-coroutine"), True),
        (flow(code="never-awaited"), mypy(code="unused-coroutine", line=2), False),
        (flow(code="never-awaited"), mypy("b.py", code="unused-coroutine"), False),
        (flow(code="never-awaited"), mypy(), False),
        (flow(code="no-answer"), mypy(code="unused-coroutine"), False),
        (flow(code="syntax-error"), mypy(code="syntax"), True),
        (flow(code="syntax-error"), mypy(code="syntax", line=None), True),
        (flow(code="syntax-error"), mypy(code="syntax", line=9), True),
        (flow(code="syntax-error"), mypy("b.py", code="syntax"), False),
    ],
)
def test_what_both_find_is_said_by_mypy(ours: Entry, theirs: Entry, same: bool) -> None:
    merged = merge([theirs], [ours], {})
    assert theirs in merged
    assert (ours in merged) == (not same)


def test_what_is_disabled_is_left_out_but_for_notes() -> None:
    note = Entry("chat.py", 1, 1, "note", "misc", "said besides", "mypy")
    entries = [mypy(code="arg-type"), mypy(), note]
    assert merge(entries, [flow()], {}, {"misc", "no-answer"}) == [entries[0], note]
    # What mypy says of the same fault does not come back as ours.
    both = [mypy(code="unused-coroutine")], [flow(code="never-awaited")]
    assert merge(*both, {}, {"unused-coroutine"}) == []


def test_notes_are_no_faults() -> None:
    note = Entry("chat.py", 1, 1, "note", None, "said besides", "mypy")
    assert Report([mypy(), note, flow()], checked=1).faults == [mypy(), flow()]


def test_a_path_is_shown_in_one_line() -> None:
    assert shown("my chats/ä'\\.py") == "my chats/ä'\\.py"
    assert shown("a\n\x1b[31m\udce9\u202e") == r"a\n\x1b[31m\udce9\u202e"


def test_a_file_is_named_from_here() -> None:
    assert name(Path.cwd() / "app" / "chat.py") == "app/chat.py"
    assert name(Path("/elsewhere/chat.py")) == "/elsewhere/chat.py"
