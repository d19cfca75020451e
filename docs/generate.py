"""Write the pages that follow from the code: `make docs`.

docs/states.md comes from the tables of `micropie._state`, docs/clauses.md from the clause catalogue
of `micropie_conformance` and its cases, docs/servers.md from its table of habits, docs/checkers.md
from what `make types` keeps.
"""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from micropie_conformance.case import registered
from micropie_conformance.catalogue import CLAUSES, Level
from micropie_conformance.live import SERVERS
from micropie_conformance.live.habits import HABITS, Habit

from micropie._state import ACCEPTED, REFUSALS, TRANSITIONS, Call, Refusal, State

HERE = Path(__file__).parent
TYPING = HERE.parent / "tests" / "typing"
GENERATED = "<!-- Written by `make docs`; do not edit. -->"
BECOMES = {
    Refusal.MISUSE: "RuntimeError",
    Refusal.OVER: "ConnectionClosed",
    Refusal.DONE: "no-op",
}


def states() -> Iterator[str]:
    """Give the lines of docs/states.md."""
    yield from (
        "# States of a connection",
        "",
        GENERATED,
        "",
        "What moves a connection from one state to another, and what a call is refused with. Both",
        "are tables in [`micropie/_state.py`](../micropie/_state.py), which says what each state",
        "and each step is.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {State.NEW.name}",
    )
    for (before, step), after in TRANSITIONS.items():
        yield f"    {before.name} --> {after.name}: {step.name.lower()}"
    yield from (
        "```",
        "",
        "| state | `accepted` | " + " | ".join(f"`{call.name.lower()}`" for call in Call) + " |",
        "|---|---|" + "---|" * len(Call),
    )
    for state in State:
        refusals = (REFUSALS.get((state, call)) for call in Call)
        cells = (BECOMES[refusal[0]] if refusal else "allowed" for refusal in refusals)
        yield f"| {state.name} | {state in ACCEPTED} | " + " | ".join(cells) + " |"


def clauses() -> Iterator[str]:
    """Give the lines of docs/clauses.md."""
    memory, live = registered()
    in_memory = Counter(case.clause.id for case in memory)
    on_the_wire = Counter(case.clause.id for case in live)
    yield from (
        "# The clauses of the contract",
        "",
        GENERATED,
        "",
        "Each clause has an id that is never used for another, and a level: `documented` rests on",
        "a sentence of the [reference page](reference.md); `asgi` on the ASGI specification,",
        "without which a documented promise fails on a real server; `robust` on neither, but on",
        "what the best of the field do; `info` is a free choice, recorded and never judged. An",
        "implementation that breaks a `documented` or an `asgi` clause is not conformant; one that",
        "breaks a `robust` clause is conformant, but not strictly.",
        "",
        "The last column counts the cases in memory and over real sockets; `micropie verify",
        "--explain ID` names them.",
    )
    for area, members in groupby(CLAUSES, key=lambda clause: clause.area):
        yield from (
            "",
            f"## {area}",
            "",
            "| id | level | what must hold | rests on | cases |",
            "|---|---|---|---|---|",
        )
        for clause in members:
            quote = f'"{clause.quote}" ({clause.source})' if clause.quote else clause.source
            tested = in_memory[clause.id], on_the_wire[clause.id]
            count = f"{tested[0]} + {tested[1]}" if any(tested) else "untested"
            if clause.level is Level.INFO:
                count = "not judged"
            cells = (clause.id, str(clause.level), clause.text, quote, count)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def servers() -> Iterator[str]:
    """Give the lines of docs/servers.md."""
    yield from (
        "# What servers do of their own accord",
        "",
        GENERATED,
        "",
        "The live cases of `micropie verify` run behind real servers, and each has habits that are",
        "not the implementation's. Most of them the cases allow for. Where they cannot, the result",
        "is `server's` instead of `broken`, on two conditions: what the client saw is what the",
        "habit makes of it, and the events that the implementation sent are those that were due.",
        "Any other failure of the same case is charged to the implementation. When such a case",
        "passes, the report says that the habit is gone.",
        "",
        "`make test` looks for each of them again, with the versions of `requirements.lock`; only",
        "when a close frame meets a send is a matter of chance, and not waited for.",
    )
    for server, workers in SERVERS.items():
        yield from (
            "",
            f"## {server}",
            "",
            f"Its workers here: {', '.join(f'`{worker}`' for worker in workers)}.",
            "",
            "| what it does | worker | seen with | what becomes of it |",
            "|---|---|---|---|",
        )
        for habit in HABITS[server].values():
            cells = (
                habit.text,
                ", ".join(f"`{worker}`" for worker in habit.workers) or "each",
                habit.seen,
                _outcome(habit),
            )
            yield "| " + " | ".join(cells) + " |"


def _outcome(habit: Habit) -> str:
    if habit.sign is None:
        return habit.allowance
    return "`server's`: " + ", ".join(f"`{case}`" for case in habit.sign.cases)


def checkers() -> Iterator[str]:
    """Give the lines of docs/checkers.md."""
    kept = json.loads((TYPING / "findings.json").read_text(encoding="utf-8"))
    lines = (TYPING / "wrong.py").read_text(encoding="utf-8").splitlines()
    code = {
        name: use.strip()
        for use, mark, name in (each.partition("  # wrong: ") for each in lines)
        if mark
    }
    found: dict[str, dict[str, list[str]]] = kept["found"]
    names: list[str] = kept["checkers"]
    yield from (
        "# What type checkers find",
        "",
        GENERATED,
        "",
        "Each row of the table is a wrong use, a line of",
        "[`tests/typing/wrong.py`](../tests/typing/wrong.py). Under each checker stands the rule",
        "by which it finds it, or `-`; it runs with the strict settings that",
        "[`tests/typing/check.py`](../tests/typing/check.py) gives it. The plugin is",
        "[`micropie.mypy_plugin`](mypy-plugin.md), which `micropie check` turns on.",
        "",
        "In the right uses beside it, no checker finds anything: helpers that ask for a role,",
        "classes that satisfy the contract, and an `App` that is handed to",
        "`hypercorn.asyncio.serve`, `hypercorn.trio.serve`, `uvicorn.run`, Granian's embedded",
        "server, Starlette's `Mount` and asgiref's `ASGI3Application`.",
        "",
        "mypy takes no notice of the names of parameters when it compares a class with a",
        "Protocol, or a method with the one that it overrides;",
        "[`micropie verify --types`](verify.md#types) asks it about each by itself.",
        "",
        "`make types` runs all of them again, and fails when a checker finds less or more.",
        "",
        "| wrong use | " + " | ".join(names) + " |",
        "|---|" + "---|" * len(names),
        "| version | " + " | ".join(kept["versions"][name.split()[0]] for name in names) + " |",
    )
    totals = (sum(name in rules for rules in found.values()) for name in names)
    yield f"| found, of {len(found)} | " + " | ".join(map(str, totals)) + " |"
    for use, rules in found.items():
        cells = ("<br>".join(f"`{rule}`" for rule in rules.get(name, ())) or "-" for name in names)
        shown = code[use].replace("|", "\\|")
        yield f"| {use}<br>`{shown}` | " + " | ".join(cells) + " |"


PAGES = {
    HERE / "states.md": states,
    HERE / "clauses.md": clauses,
    HERE / "servers.md": servers,
    HERE / "checkers.md": checkers,
}

if __name__ == "__main__":
    for path, lines in PAGES.items():
        path.write_text("\n".join(lines()) + "\n", encoding="utf-8")
        print(f"wrote {path}")
