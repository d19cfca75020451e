"""The report says what was found, as plain lines in a pipe and within the width of a terminal."""

import platform
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper
from typing import Any

import pytest
from micropie_conformance import __version__
from micropie_conformance.case import Case
from micropie_conformance.catalogue import Clause, Level
from micropie_conformance.isolation import Loaded
from micropie_conformance.printing import Page, Terminal
from micropie_conformance.report import Finding, Report
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.static import Typed
from rich.console import Console

from micropie.mismatch import Mismatch

SENDS = Clause("WS-SEND-001", Level.DOCUMENTED, "It sends.", "the page, send_text", "Send a text.")
REFUSES = Clause("WS-SEND-002", Level.ROBUST, "It refuses.", "peers and users")
CHOICE = Clause("WS-INFO-001", Level.INFO, "It may be so or so.", "peers and users")


def case(clause: Clause, name: str, *, live: bool = False) -> Case[Any]:
    return Case(f"{clause.id}/{name}", clause, "Do it.", print, live)


def finding(
    clause: Clause,
    name: str,
    verdict: Verdict,
    observed: str = "",
    door: str = "memory",
    trace: tuple[str, ...] = (),
) -> Finding:
    result = Result(f"{clause.id}/{name}", verdict, "it returns", observed, list(trace))
    return Finding(door, case(clause, name), result)


def report(*findings: Finding) -> Report:
    loaded = Loaded("Class (mine.py)", "Gone (mine.py)")
    return Report("mine.py:Class", loaded, ["in memory"], "", True, list(findings))


def printed(report: Report, **console: Any) -> list[str]:
    stream = StringIO()
    Page(Console(file=stream, **console)).report(report)
    return stream.getvalue().splitlines()


def test_report_in_a_pipe() -> None:
    lines = printed(
        replace(
            report(
                finding(SENDS, "a", Verdict.PASSED),
                finding(SENDS, "b", Verdict.BROKEN, "it waits", trace=("call  send()", "waits")),
                finding(SENDS, "c", Verdict.BROKEN, "it waits", trace=("not shown",)),
                finding(SENDS, "d", Verdict.BROKEN, "it raises", trace=("not shown",)),
                finding(REFUSES, "a", Verdict.BROKEN, "it does not", trace=("call  send()",)),
                finding(REFUSES, "b", Verdict.UNREACHED, "accept() raises"),
                finding(REFUSES, "c", Verdict.NOT_APPLICABLE, "no such option"),
            ),
            printed="one\ntwo\nthree\nfour",
        )
    )
    assert (
        lines
        == f"""\
micropie verify mine.py:Class

  target    Class (mine.py)
  raises    Gone (mine.py)
  suite     {__version__}, on Python {platform.python_version()}
  ran       in memory

  area  level       passed  broken  unreached  n/a
  send  documented       1       3          -    -
        robust           -       1          1    1

WS-SEND-001 (documented) is broken
  It sends.
  "Send a text." (the page, send_text)

  case      WS-SEND-001/b
  does      Do it.
  also      WS-SEND-001/c
  expected  it returns
  observed  it waits
         1  call  send()
         2  waits

  case      WS-SEND-001/d
  expected  it returns
  observed  it raises

WS-SEND-002 (robust) is broken
  It refuses.
  (peers and users)

  case      WS-SEND-002/a
  does      Do it.
  expected  it returns
  observed  it does not
         1  call  send()

1 case could not be reached
  observed  accept() raises
  clauses   WS-SEND-002

1 case not applicable
  reason    no such option
  clauses   WS-SEND-002

The target printed, at the end of it:
  | two
  | three
  | four

not conformant: 1 clause broken, and 1 robust one""".splitlines()
    )


def test_what_cannot_be_called_is_told_what_to_do() -> None:
    loaded = Loaded("Class", "Gone", takes="(scope, receive, send)")
    lines = printed(replace(report(finding(SENDS, "a", Verdict.UNREACHED)), loaded=loaded))
    assert lines[-4:-1] == [
        "Class(receive, send) cannot be called: it takes (scope, receive, send).",
        "Name a function that makes one of (receive, send) as TARGET: "
        "def make(receive, send): return Class(...)",
        "",
    ]


def test_what_does_not_apply_by_its_own_word_has_its_reason() -> None:
    findings = [
        finding(one, "a", Verdict.NOT_APPLICABLE, why)
        for one, why in ((SENDS, "no texts"), (REFUSES, "no texts"), (CHOICE, "none"))
    ]
    own = Loaded("Class", "Gone", (SENDS.id, REFUSES.id, CHOICE.id))
    lines = printed(replace(report(*findings), loaded=own))
    assert lines[-9:] == [
        "2 clauses not applicable, by its own word",
        "  reason    no texts",
        "  clauses   WS-SEND-001, WS-SEND-002",
        "",
        "1 clause not applicable, by its own word",
        "  reason    none",
        "  clauses   WS-INFO-001",
        "",
        "strictly conformant (3 clauses not applicable by its own word)",
    ]


def test_what_went_over_the_socket_is_beneath_what_happened() -> None:
    live = finding(SENDS, "a", Verdict.BROKEN, "it waits", "hypercorn:asyncio", ("call  send()",))
    log = ["client 1 -> text 'hello'", "client 1 <- close 1000 'bye'"]
    lines = printed(report(replace(live, result=replace(live.result, wire=log))))
    assert lines[lines.index("         1  call  send()") :][1:3] == [
        "  wire      client 1 -> text 'hello'",
        "            client 1 <- close 1000 'bye'",
    ]


def test_areas_and_their_sum() -> None:
    lines = printed(
        report(
            finding(SENDS, "a", Verdict.PASSED),
            finding(replace(SENDS, id="WS-RECV-001"), "a", Verdict.PASSED),
            finding(replace(CHOICE, id="WS-RECV-002"), "a", Verdict.BROKEN),
        )
    )
    assert lines[7:] == [
        "  area  level       passed  broken  unreached  n/a",
        "  send  documented       1       -          -    -",
        "  recv  documented       1       -          -    -",
        "        info             -       1          -    -",
        "  all   documented       2       -          -    -",
        "        info             -       1          -    -",
        "",
        "strictly conformant",
    ]


def test_what_is_the_servers_has_a_column_where_there_is_any() -> None:
    lines = printed(report(finding(SENDS, "a", Verdict.SERVER, door="hypercorn:asyncio")))
    assert lines[7:9] == [
        "  area  level       passed  broken  unreached  n/a  server's",
        "  send  documented       -       -          -    -         1",
    ]


def test_the_habits_of_servers_are_told() -> None:
    def known(clause: Clause, name: str, verdict: Verdict, habit: str) -> Finding:
        found = finding(clause, name, verdict, door="daphne:asyncio")
        return replace(found, result=replace(found.result, habit=habit))

    lines = printed(
        report(
            known(SENDS, "a", Verdict.SERVER, "daphne drops it"),
            known(SENDS, "b", Verdict.SERVER, "daphne drops it"),
            known(REFUSES, "a", Verdict.SERVER, "daphne waits"),
            known(REFUSES, "b", Verdict.PASSED, "daphne sleeps"),
            finding(SENDS, "c", Verdict.PASSED),
        )
    )
    assert lines[lines.index("2 cases failed by a habit of the server") - 1 :] == [
        "",
        "2 cases failed by a habit of the server",
        "  habit     daphne drops it",
        "  clauses   WS-SEND-001",
        "",
        "1 case failed by a habit of the server",
        "  habit     daphne waits",
        "  clauses   WS-SEND-002",
        "",
        "habit gone: 1 case passed in spite of it",
        "  habit     daphne sleeps",
        "  clauses   WS-SEND-002",
        "",
        "strictly conformant",
    ]


def test_what_is_declared_has_its_reason_and_a_column() -> None:
    lines = printed(
        report(
            finding(SENDS, "a", Verdict.BROKEN),
            replace(finding(SENDS, "b", Verdict.BROKEN), declared="it is old"),
            replace(finding(SENDS, "c", Verdict.UNREACHED, "it waits"), declared="it is old"),
            replace(finding(SENDS, "d", Verdict.BROKEN), declared="it is odd"),
            replace(finding(SENDS, "e", Verdict.PASSED), declared="it is odd"),
        )
    )
    assert lines[7:9] == [
        "  area  level       passed  broken  unreached  n/a  declared",
        "  send  documented       1       1          -    -         3",
    ]
    assert [line for line in lines if line.startswith("  also")] == []
    assert lines[lines.index("WS-SEND-001 (documented) is not kept, as declared") :] == [
        "WS-SEND-001 (documented) is not kept, as declared",
        "  It sends.",
        '  "Send a text." (the page, send_text)',
        "  reason    it is old",
        "  cases     WS-SEND-001/b",
        "            WS-SEND-001/c",
        "  reason    it is odd",
        "  cases     WS-SEND-001/d",
        "",
        "not conformant: 1 clause broken",
    ]


def test_doors_are_named_where_there_is_more_than_one() -> None:
    found = report(
        finding(SENDS, "a", Verdict.BROKEN, door="hypercorn:asyncio"),
        finding(SENDS, "a", Verdict.BROKEN, door="hypercorn:trio"),
        finding(SENDS, "b", Verdict.BROKEN, door="hypercorn:trio"),
    )
    lines = printed(replace(found, modes=["behind asyncio", "behind trio"]))
    assert "  ran       behind asyncio" in lines
    assert "            behind trio" in lines
    assert "  case      WS-SEND-001/a (hypercorn:asyncio, hypercorn:trio)" in lines
    assert "  also      WS-SEND-001/b (hypercorn:trio)" in lines


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([], []),
        ([Typed("mypy 2", [])], ["The types fit the contract, by mypy 2"]),
        (
            [
                Typed("mypy 2", [Mismatch("close", "missing"), Mismatch("accept", "\x1b")]),
                Typed("pyright 1", [Mismatch("close", "missing"), Mismatch("accept", "odd")]),
            ],
            [
                "The types do not fit the contract, by mypy 2 and pyright 1",
                "  close: missing",
                "  accept: \\x1b (by mypy 2 alone)",
                "  accept: odd (by pyright 1 alone)",
            ],
        ),
    ],
)
def test_types_are_told_where_they_were_asked_for(types: list[Typed], expected: list[str]) -> None:
    lines = printed(replace(report(finding(SENDS, "a", Verdict.PASSED)), types=types))
    start = next((n for n, line in enumerate(lines) if line.startswith("The types")), None)
    assert (lines[start:-2] if start else []) == expected


def test_equal_reasons_of_what_could_not_be_reached_are_one() -> None:
    clauses = [replace(SENDS, id=f"WS-SEND-{number:03}") for number in range(1, 15)]
    lines = printed(
        report(
            *(finding(clause, "a", Verdict.UNREACHED, "accept() raises") for clause in clauses),
            finding(SENDS, "b", Verdict.UNREACHED, "accept() waits"),
        )
    )
    first = lines.index("14 cases could not be reached")
    assert lines[first + 1] == "  observed  accept() raises"
    assert lines[first + 2].endswith("WS-SEND-011, WS-SEND-012 and 2 more")
    assert lines[first + 4 : first + 6] == [
        "1 case could not be reached",
        "  observed  accept() waits",
    ]


def test_a_fault_of_the_suite_says_what_to_report() -> None:
    lines = printed(report(finding(SENDS, "a", Verdict.FAULT, "Traceback:\n  KeyError: 'x'")))
    assert lines[-6:] == [
        "The suite itself failed in WS-SEND-001/a (memory)",
        "That says nothing about the target. Please report it, with these lines:",
        "  Traceback:",
        "    KeyError: 'x'",
        "",
        "no verdict: the suite itself failed in 1 case",
    ]


@pytest.mark.parametrize("width", [60, 100])
def test_a_terminal_is_not_overrun(width: int) -> None:
    long = "receive_text() raises " + "x" * 150 + " and so on"
    lines = printed(
        replace(
            report(
                finding(SENDS, "b" * 50, Verdict.BROKEN, long, trace=(long, long)),
                finding(SENDS, "c" * 50, Verdict.BROKEN, long),
                finding(REFUSES, "a", Verdict.UNREACHED, long),
            ),
            printed=long,
        ),
        width=width,
        force_terminal=True,
        color_system=None,
    )
    assert max(map(len, lines)) <= width
    start = next(index for index, line in enumerate(lines) if line.startswith("  observed"))
    assert lines[start + 1].startswith(" " * 12 + "xxx")


def test_a_pipe_has_one_line_for_each_thing() -> None:
    long = "receive_text() raises " + "x " * 500
    lines = printed(report(finding(SENDS, "a", Verdict.BROKEN, long)), width=60)
    assert f"  observed  {long.rstrip()}" in lines


def test_colours_are_for_a_terminal() -> None:
    found = report(finding(SENDS, "a", Verdict.BROKEN, "it waits"))
    coloured = "\n".join(printed(found, force_terminal=True, color_system="standard"))
    assert "\x1b[31mit waits" in coloured
    assert "\x1b[1;31mnot conformant" in coloured
    assert "\x1b" not in "\n".join(printed(found))


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("\x1b[2Jx\r\n\t\0", "\\x1b[2Jx\\r\\n\\t\\x00"),
        ("ä日\u202e\ud800", "ä日\\u202e\\ud800"),
    ],
)
def test_what_a_target_says_is_shown_as_it_is(observed: str, shown: str) -> None:
    found = report(finding(SENDS, "a", Verdict.BROKEN, observed))
    assert f"  observed  {shown}" in printed(found)


def test_what_the_encoding_does_not_have_is_escaped() -> None:
    written = BytesIO()
    stream = TextIOWrapper(written, encoding="ascii")
    found = report(finding(SENDS, "a", Verdict.BROKEN, "\u00e4"))
    Page(Console(file=stream)).report(found)
    stream.flush()
    assert b"  observed  \\xe4\n" in written.getvalue()


def test_a_line_of_anything() -> None:
    stream = StringIO()
    page = Page(Console(file=stream))
    page.line("a\x1b b", indent="  ")
    page.line()
    assert stream.getvalue() == "  a\\x1b b\n\n"


def test_a_reader_that_goes_away_is_told() -> None:
    class Gone(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Page(Terminal(file=Gone())).line("hello")


def listing(write: str, *args: Any) -> list[str]:
    stream = StringIO()
    getattr(Page(Console(file=stream)), write)(*args)
    return stream.getvalue().splitlines()


def test_list_of_clauses() -> None:
    cases = [case(SENDS, "a"), case(SENDS, "b", live=True)]
    assert listing("clauses", [SENDS, REFUSES, CHOICE], cases) == [
        "WS-SEND-001  documented  2026.11  It sends.",
        "    WS-SEND-001/a",
        "    WS-SEND-001/b  (live)",
        "WS-SEND-002  robust      2026.11  It refuses.",
        "    untested",
        "WS-INFO-001  info        2026.11  It may be so or so.",
    ]


def test_a_case_that_is_newer_than_its_clause_says_so() -> None:
    newer = replace(case(SENDS, "a", live=True), since="2027.01")
    assert listing("clauses", [SENDS], [newer])[1:] == [
        "    WS-SEND-001/a  (live)  (since 2027.01)"
    ]
    assert "  case      WS-SEND-001/a  (live)  (since 2027.01)" in listing("case", newer, [], [])


def test_all_about_a_clause() -> None:
    cases = [case(SENDS, "a"), case(SENDS, "b"), case(REFUSES, "a")]
    cases.append(replace(case(SENDS, "c", live=True), text="Do it otherwise."))
    expected = {"WS-SEND-001/a": ["it returns", "it sends"], "WS-SEND-001/b": ["it waits"]}
    assert listing("clause", SENDS, cases, expected) == [
        "WS-SEND-001",
        "  It sends.",
        '  "Send a text." (the page, send_text)',
        "  level     documented: it rests on the reference page; who breaks it is not conformant",
        "  since     2026.11",
        "  cases",
        "    WS-SEND-001/a",
        "    WS-SEND-001/b",
        "        Do it.",
        "        expected first: it returns; it sends",
        "    WS-SEND-001/c  (live)",
        "        Do it otherwise.",
    ]
    alike = {id: ["it returns"] for id in expected}
    assert "        expected: it returns" in listing("clause", SENDS, cases, alike)


def test_all_about_a_case() -> None:
    assert listing("case", case(REFUSES, "a"), ["call  send()", "waits"], ["one", "other"]) == [
        "WS-SEND-002",
        "  It refuses.",
        "  (peers and users)",
        "  level     robust: the best peers do it; who breaks it is conformant, but not strictly",
        "  since     2026.11",
        "  case      WS-SEND-002/a",
        "  does      Do it.",
        "  steps     as the reference implementation goes through them",
        "         1  call  send()",
        "         2  waits",
        "  expected  one",
        "            other",
    ]
    lines = listing("case", case(SENDS, "a", live=True), [], [])
    assert lines[-2:] == ["  case      WS-SEND-001/a  (live)", "  does      Do it."]


def test_a_clause_without_a_case() -> None:
    assert listing("clause", REFUSES, [], {})[-1] == "  cases     none: the clause is untested"


def test_a_failure_names_the_command_that_prints_its_program() -> None:
    one = finding(SENDS, "a", Verdict.BROKEN, "it waits", trace=("call  send()",))
    lines = printed(
        replace(
            report(replace(one, result=replace(one.result, repro="import sys\n"))),
            target="my files/impl.py:Class",
        )
    )
    observed = lines.index("  observed  it waits")
    assert lines[observed + 1 :][:2] == [
        "  repro     micropie verify 'my files/impl.py:Class' --repro WS-SEND-001/a",
        "         1  call  send()",
    ]
    assert not any("--repro" in line for line in printed(report(one)))


def test_one_case_that_did_not_pass() -> None:
    trace = ("call  send()", "waits")
    broken = finding(SENDS, "a", Verdict.BROKEN, "it waits", trace=trace)
    lines = listing("failure", broken, "mine.py:Class")
    assert lines[0].startswith("WS-SEND-001 (documented) is broken")
    assert lines[-3:] == ["  observed  it waits", "         1  call  send()", "         2  waits"]
    unreached = finding(REFUSES, "b", Verdict.UNREACHED, "accept() raises", trace=trace)
    assert listing("failure", unreached, "mine.py:Class") == [
        "WS-SEND-002 (robust) could not be reached",
        "  It refuses.",
        "  (peers and users)",
        "",
        "  case      WS-SEND-002/b",
        "  does      Do it.",
        "  observed  accept() raises",
        "         1  call  send()",
        "         2  waits",
    ]
