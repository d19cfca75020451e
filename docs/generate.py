"""Write the pages that follow from the code: `make docs`.

docs/states.md comes from the tables of `micropie._state`, docs/clauses.md from the clause catalogue
of `micropie_conformance` and its cases, docs/servers.md from its table of habits.
"""

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


PAGES = {HERE / "states.md": states, HERE / "clauses.md": clauses, HERE / "servers.md": servers}

if __name__ == "__main__":
    for path, lines in PAGES.items():
        path.write_text("\n".join(lines()) + "\n", encoding="utf-8")
        print(f"wrote {path}")
