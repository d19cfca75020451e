"""The pages hold all that the documents do, and nothing that a target says becomes markup."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from micropie_conformance.catalogue import CLAUSES, Clause, Level
from micropie_conformance.document import Document, Entry, Standing
from micropie_conformance.html import check_folder, pages, write
from micropie_conformance.report import Conformance
from micropie_conformance.runner import Result, Verdict
from micropie_conformance.static import Typed

from micropie.cli import main
from micropie.mismatch import Mismatch

SENDS = Clause(
    "WS-SEND-001", Level.DOCUMENTED, "It sends.", "the page, send_text", "Send a <text>."
)
REFUSES = Clause("WS-SEND-002", Level.ROBUST, "It refuses.", "what the best peers do")
MORE = Clause("WS-SEND-003", Level.ROBUST, "It does more.", "what the best peers do")
CHOICE = Clause("WS-INFO-001", Level.INFO, "It may be so or so.", "what the best peers do")

P, B, U = Verdict.PASSED, Verdict.BROKEN, Verdict.UNREACHED

EVIL = (
    "</pre></code><script>alert(1)</script><img src=x onerror=alert(1)>"
    "\"' \x1b\x00\u202e\ud800 {{ 7 * 7 }}"
)


class Seen(HTMLParser):
    """What there is in a page: its elements, the ids and the links, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        # Each element is closed.
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.text += " "
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "link", "input", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[str]:
        return [value for attribute, value in self.attributes if attribute == name]


def entry(
    clause: Clause,
    verdict: Verdict,
    name: str = "a",
    door: str = "memory",
    declared: str = "",
    **result: Any,
) -> Entry:
    return Entry(
        door, clause, "Try it.", Result(f"{clause.id}/{name}", verdict, **result), declared
    )


def document(*entries: Entry, **fields: Any) -> Document:
    clauses = [SENDS, REFUSES, MORE, CHOICE]
    one = Document(
        "2026.11",
        "3.11.7",
        "2026-11-26T20:34:56Z",
        "Mine 2.1",
        "mine:Class",
        "Class (mine.py)",
        "Closed (mine.py)",
        ["in memory"],
        "",
        Conformance.BROKEN,
        "not conformant: 1 clause broken",
        "",
        clauses,
        {clause.id: int(clause is not CHOICE) for clause in clauses},
        [*entries],
    )
    return replace(one, **fields)


def cell(page: str, id: str) -> str:
    """Give a cell of the matrix, its verdict and its link."""
    match = re.search(rf'<td id="{re.escape(id)}" data-verdict="(\w+)"><a href="([^"]*)"', page)
    assert match is not None
    return f"{match[1]} {match[2]}"


def test_matrix() -> None:
    ours = document(
        entry(SENDS, P), entry(SENDS, B, "b"), entry(REFUSES, B, declared="so"), name="Ours"
    )
    theirs = document(
        *(entry(clause, P) for clause in (SENDS, REFUSES, MORE)), verdict=Conformance.STRICT
    )
    found = pages([ours, theirs])
    assert [*found] == ["index.html", "ours.html", "mine-2-1.html"]
    index = found["index.html"]
    assert cell(index, "WS-SEND-001.ours") == "broken ours.html#WS-SEND-001"
    assert cell(index, "WS-SEND-001.mine-2-1") == "passed mine-2-1.html#WS-SEND-001"
    assert cell(index, "WS-SEND-002.ours") == "declared ours.html#WS-SEND-002"
    assert cell(index, "WS-SEND-003.ours") == "not_run ours.html#WS-SEND-003"
    assert cell(index, "WS-INFO-001.ours") == "not_judged ours.html#WS-INFO-001"
    text = " ".join(Seen(index).text.split())
    assert "Mine 2.1 strictly conformant 1 of 1 (100%) - 2 of 2 (100%)" in text
    assert "Ours not conformant 0 of 1 (0%) - 0 of 1 (0%) 2026.11 3.11.7 2026-11-26" in text
    assert "the newest result is from 2026-11-26T20:34:56Z" in text
    assert "the suite has a case for each clause that is judged" in text


def test_percentages_are_rounded_down() -> None:
    clauses = [Clause(f"WS-SEND-{n:03}", Level.ASGI, "It sends.", "") for n in range(200)]
    found = [entry(clause, B if clause is clauses[0] else P) for clause in clauses]
    one = document(*found, clauses=clauses)
    assert "199 of 200 (99%)" in Seen(pages([one])["index.html"]).text


def test_every_link_leads_somewhere() -> None:
    one = document(entry(SENDS, B), entry(SENDS, B, door="hypercorn:trio"))
    found = {name: Seen(page) for name, page in pages([one, one]).items()}
    assert [*found] == ["index.html", "mine-2-1.html", "mine-2-1-2.html"]
    for name, page in found.items():
        ids = page.all("id")
        assert len(ids) == len({*ids})
        for link in page.all("href"):
            if link != "data:,":
                file, _, anchor = link.partition("#")
                assert file in ("", *found)
                assert anchor == "" or anchor in found[file or name].all("id")


@pytest.mark.parametrize(
    ("names", "slugs"),
    [
        (["Index", "Ä!", ""], ["index-2", "unnamed", "unnamed-2"]),
        (["a/../b", "A b", "a-b-2"], ["a-b", "a-b-2", "a-b-2-2"]),
        (["x" * 300], ["x" * 60]),
    ],
)
def test_names_of_files(names: list[str], slugs: list[str]) -> None:
    found = pages([document(name=name) for name in names])
    assert [*found] == ["index.html", *(f"{slug}.html" for slug in slugs)]


def test_clauses_of_two_suites() -> None:
    newer = replace(SENDS, text="It sends, in newer words.")
    receives = Clause("WS-RECV-001", Level.ASGI, "It receives.", "somewhere")
    old = document(entry(MORE, P), suite="2026.10", name="Old")
    new = document(entry(newer, P), clauses=[newer, receives], cases={"WS-RECV-001": 0})
    index = pages([old, new])["index.html"]
    assert "It sends, in newer words." in index
    assert "It sends.<" not in index
    rows = re.findall(r'<tr id="([^"]*)"', index)
    assert rows == ["WS-SEND-001", "WS-SEND-002", "WS-SEND-003", "WS-RECV-001", "WS-INFO-001"]
    assert cell(index, "WS-RECV-001.mine-2-1").startswith("untested ")
    assert cell(index, "WS-RECV-001.old").startswith("not_run ")
    assert '<li><a href="#WS-RECV-001">WS-RECV-001</a> (asgi): It receives.</li>' in index


def test_what_is_behind_a_cell() -> None:
    one = document(
        entry(SENDS, P, trace=["call         send()"]),
        entry(
            SENDS,
            B,
            "b",
            "hypercorn:trio",
            expected="it returns",
            observed="it waits",
            trace=["call         send()"],
            repro="import mine\nmine.run()",
            wire=["> text", "< close"],
        ),
        entry(SENDS, B, "b", "hypercorn:asyncio", expected="it returns", observed="it waits"),
        entry(SENDS, U, "b", "uvicorn:wsproto", observed="it raises"),
        entry(REFUSES, U, observed="accept() raises", declared="we like it"),
        part="--case WS-SEND",
        printed="hello\nyou",
        modes=["in memory", "live"],
    )
    page = pages([one])["mine-2-1.html"]
    seen = Seen(page)
    text = " ".join(seen.text.split())
    for words in (
        "not conformant: 1 clause broken",
        "part --case WS-SEND",
        "Send a <text>. the page, send_text",
        "WS-SEND-001/b hypercorn:trio, hypercorn:asyncio Try it.",
        "expected it returns observed it waits",
        "server implementation caller call send()",
        "declared we like it observed accept() raises",
        "this run left the clause out",
    ):
        assert words in text
    assert '<pre tabindex="0">import mine\nmine.run()</pre>' in page
    assert '<pre tabindex="0">&gt; text\n&lt; close</pre>' in page
    assert '<pre tabindex="0">hello\nyou</pre>' in page
    # The worst comes first, and is open.
    assert re.findall("<details id=.*>", page) == [
        '<details id="WS-SEND-001/b" open>',
        '<details id="WS-SEND-001/b@uvicorn:wsproto" open>',
        '<details id="WS-SEND-001/a">',
        '<details id="WS-SEND-002/a" open>',
    ]


def test_what_type_checkers_found() -> None:
    assert 'id="types"' not in pages([document()])["mine-2-1.html"]
    types = [Typed("mypy 2", []), Typed("pyright 1", [Mismatch("close", "is `<b>`")])]
    page = pages([document(types=types)])["mine-2-1.html"]
    words = " ".join(Seen(page).text.split())
    assert "Types mypy 2 They fit the contract. pyright 1 close: is `<b>`" in words


def test_what_a_target_says_is_text() -> None:
    evil = Clause(f"WS-SEND-{EVIL}", Level.ASGI, EVIL, EVIL, EVIL)
    result = {
        "expected": EVIL,
        "observed": EVIL,
        "trace": [EVIL],
        "repro": EVIL,
        "wire": [EVIL],
    }
    one = document(
        entry(SENDS, B, EVIL, EVIL, EVIL, **result),
        entry(evil, B),
        name=EVIL,
        target=EVIL,
        implementation=EVIL,
        closed=EVIL,
        modes=[EVIL],
        part=EVIL,
        sentence=EVIL,
        printed=EVIL,
        suite=EVIL,
        python=EVIL,
        date=EVIL,
        clauses=[SENDS, evil],
    )
    plain = pages([document(entry(SENDS, B, expected="x", observed="x", trace=["x"]))])
    for (name, page), harmless in zip(pages([one]).items(), plain.values(), strict=True):
        seen = Seen(page)
        assert seen.tags.count("script") == Seen(harmless).tags.count("script") == 1
        assert "img" not in seen.tags
        assert "onerror" not in [attribute for attribute, _ in seen.attributes]
        assert not {*"\x00\x1b\u202e\ud800"} & {*page}
        assert "\\x1b\\x00\\u202e\\ud800 {{ 7 * 7 }}" in seen.text
        assert name.isascii()


def test_nothing_is_fetched() -> None:
    for page in pages([document(entry(SENDS, P))]).values():
        seen = Seen(page)
        assert "src" not in [attribute for attribute, _ in seen.attributes]
        assert "url(" not in page
        assert [link for link in seen.all("href") if ":" in link] == ["data:,"]
        policy = next(value for value in seen.all("content") if "default-src" in value)
        assert policy.startswith("default-src 'none'; ")


def test_pages_are_the_same_each_time() -> None:
    one = document(entry(SENDS, B), entry(REFUSES, P))
    assert pages([one]) == pages([one])


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write a result; give its file."""
    monkeypatch.chdir(tmp_path)
    assert main(["verify", "micropie:WebSocket", "--case", "WS-SIGN", "--json", "a.json"]) == 0
    a = json.loads(Path("a.json").read_text())

    def save(file: str, **fields: object) -> str:
        Path(file).write_text(json.dumps(a | fields))
        return file

    return save


def test_command(results: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    files = [results("one.json", name="One"), results("two.json", name="Two")]
    assert main(["report", *files, "--html", "build/matrix"]) == 0
    assert capsys.readouterr() == ("wrote build/matrix/index.html\n", "")
    written = {file.name: file.read_text("utf-8") for file in Path("build/matrix").iterdir()}
    assert written.keys() == {"index.html", "one.html", "two.html"}
    for clause in CLAUSES:
        assert f'id="{clause.id}.one"' in written["index.html"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch.json", "--html", "page"], "cannot read nosuch.json: No such file or directory"),
        (["one.json", "odd.json", "--html", "page"], "odd.json is no result of `micropie verify"),
        (["one.json", "--html", "one.json"], "cannot write one.json: File exists"),
        (["one.json", "--html", "one.json/x"], "cannot write one.json/x: Not a directory"),
    ],
)
def test_wrong_calls(
    results: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    results("one.json")
    results("odd.json", schema="\x1b")
    capsys.readouterr()
    assert main(["report", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"micropie report: {words}")
    assert printed.err.count("\n") == 1
    assert not Path("page").exists()


def test_a_folder_is_looked_at_and_left_alone(tmp_path: Path) -> None:
    check_folder(str(tmp_path / "new" / "page"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        check_folder(str(tmp_path / "file" / "page"))
    with pytest.raises(FileExistsError):
        write([document()], str(tmp_path / "file"))


def test_the_legend_is_that_of_the_docs() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "report.md").read_text("utf-8")
    index = Seen(pages([document()])["index.html"])
    legend = " " + " ".join(index.text.split()).partition("the worst of the clause's cases. ")[2]
    assert legend
    for standing in Standing:
        assert re.search(rf"^\| . {standing} \|", docs, re.MULTILINE)
        sign = docs.partition(f" {standing} |")[0][-1]
        assert f" {sign} {standing} {standing} " in legend
