"""What is found, and the comments that silence it."""

import pytest

from micropie.flow.findings import CODES, Code, Finding, Severity, silence

SEND = Finding(2, 5, Code.SEND_BEFORE_ACCEPT, Severity.ERROR, "send_text() before accept()")
ACCEPT = Finding(2, 5, Code.SECOND_ACCEPT, Severity.WARNING, "accept() a second time")


def test_each_code_says_what_happens() -> None:
    assert list(CODES) == list(Code)
    assert all(words.endswith(".") for words in CODES.values())


def test_findings_are_sorted_by_their_place() -> None:
    first = Finding(1, 9, Code.NO_ANSWER, Severity.WARNING, "")
    assert silence("a\nb\n", [SEND, first]) == [first, SEND]


@pytest.mark.parametrize(
    "comment",
    [
        "# micropie: ignore[send-before-accept]",
        "#micropie:ignore[send-before-accept]",
        "# type: ignore  # micropie: ignore[ send-before-accept ]",
        "# micropie: ignore[send-before-accept] as the server does that itself",
    ],
)
def test_a_comment_silences_its_own_line(comment: str) -> None:
    assert silence(f"a\nb {comment}\n", [SEND]) == []
    assert SEND in silence(f"a {comment}\nb\n", [SEND])


def test_a_comment_silences_several_codes_and_no_others() -> None:
    both = "a\nb # micropie: ignore[second-accept, send-before-accept,]\n"
    assert silence(both, [SEND, ACCEPT]) == []
    assert silence("a\nb # micropie: ignore[second-accept]\n", [SEND, ACCEPT]) == [SEND]


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("b  # micropie: ignore", 4, "names no code: write # micropie: ignore[code]"),
        ("b  # micropie: ignore[]", 4, "names no code: write # micropie: ignore[code]"),
        ("# so # micropie: ignore[ ]", 6, "names no code"),
        ("b # micropie: ignore[send]", 3, "there is no code 'send' to ignore: it is one of accept"),
        ("b # micropie: ignore[no-answer]", 3, "ignores no-answer, which is not found here"),
    ],
)
def test_a_comment_that_silences_nothing_is_told_of(line: str, column: int, message: str) -> None:
    kept, unused = silence(f"a\n{line}\n", [Finding(1, 1, Code.NO_ANSWER, Severity.ERROR, "")])
    assert kept.code is Code.NO_ANSWER
    assert (unused.line, unused.column, unused.severity) == (2, column, Severity.WARNING)
    assert unused.code is Code.NEEDLESS_IGNORE
    assert message in unused.message


def test_each_unused_code_is_told_of() -> None:
    found = silence("a\nb # micropie: ignore[no-answer, send-before-accept, send]\n", [SEND])
    assert [one.code for one in found] == [Code.NEEDLESS_IGNORE, Code.NEEDLESS_IGNORE]


@pytest.mark.parametrize(
    "source", ["a = '# micropie: ignore'\n", "a  # micropie: ignored by all\n", "'''\nmicropie:'''"]
)
def test_what_is_no_such_comment_silences_nothing(source: str) -> None:
    assert silence(source, [SEND]) == [SEND]
