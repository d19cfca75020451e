"""What `micropie verify` is asked to run: which clauses and cases, and behind which doors."""

import difflib
import importlib.util
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from micropie_conformance import __version__
from micropie_conformance.case import Case, in_order, registered
from micropie_conformance.catalogue import CLAUSES, Clause, Level
from micropie_conformance.explore.cases import explored
from micropie_conformance.live import SERVERS
from micropie_conformance.worker import EXPLORED, IN_MEMORY

__all__ = [
    "CallError",
    "Plan",
    "choose",
    "doors",
    "everything",
    "named",
    "near",
    "plan",
    "reproducible",
]

# Every door of live cases.
_ALL: Final = [f"{server}:{worker}" for server, workers in SERVERS.items() for worker in workers]

Plan: TypeAlias = list[tuple[str, list[Case[Any]]]]
"""The doors, each with the cases that are run behind it."""


class CallError(Exception):
    """The call is wrong; the message says what to do."""


def everything() -> list[Case[Any]]:
    """Give all cases, in the order of the catalogue."""
    memory, live = registered()
    return in_order([*memory, *explored(), *live])


def named(id: str, cases: Sequence[Case[Any]]) -> Clause:
    """Give the clause with this id, or the clause of the case with this id."""
    by_id = {clause.id: clause for clause in CLAUSES} | {case.id: case.clause for case in cases}
    if id not in by_id:
        raise CallError(f"there is no clause or case {id}{near(id, cases)}")
    return by_id[id]


def reproducible(id: str, cases: Sequence[Case[Any]]) -> Case[Any]:
    """Give the case with this id, of which a program can be written: one in memory."""
    case = next((case for case in cases if case.id == id), None)
    if case is None:
        own = [case.id for case in cases if case.clause.id == id and not case.live]
        more = f": name one of its cases, such as {own[0]}" if own else ""
        raise CallError(
            f"--repro {id}: that is a clause{more}"
            if any(clause.id == id for clause in CLAUSES)
            else f"--repro {id}: there is no such case{near(id, cases)}"
        )
    if case.live:
        raise CallError(
            f"--repro {id}: a live case needs a server and has no stand-alone program; "
            f"run it by --live hypercorn --case {id}"
        )
    return case


def choose(
    cases: Sequence[Case[Any]],
    ids: Sequence[str],
    level: str | None,
    suite: str = __version__,
) -> tuple[list[Clause], list[Case[Any]]]:
    """Give the clauses and the cases that the options --case, --level and --suite leave.

    Raises:
        CallError: There is no such case, or no such version of the suite.
    """
    versions = {clause.since for clause in CLAUSES} | {case.since for case in cases}
    if suite not in versions:
        raise CallError(
            f"--suite {suite}: there is no such version; there are {', '.join(sorted(versions))}"
        )
    levels = list(Level)
    if level is not None:
        levels = levels[: levels.index(Level(level)) + 1]
    wanted: set[str] = set()
    for id in ids:
        found = {clause.id for clause in CLAUSES if clause.id.startswith(id)}
        # A case whose id goes on is another case.
        found |= {case.id for case in cases if case.id == id} or {
            case.id for case in cases if case.id.startswith(id)
        }
        if not found:
            raise CallError(f"--case {id}: there is no such clause or case{near(id, cases)}")
        wanted |= found
    chosen = [
        case
        for case in cases
        if case.clause.level in levels and case.since <= suite and (not ids or case.id in wanted)
    ]
    with_case = {case.clause.id for case in chosen}
    clauses = [
        clause
        for clause in CLAUSES
        if clause.level in levels
        and clause.since <= suite
        and (not ids or clause.id in wanted or clause.id in with_case)
    ]
    return clauses, chosen


def doors(live: Sequence[str]) -> tuple[list[str], list[str]]:
    """Give the doors of the options --live, each once, and why `all` leaves others out.

    Raises:
        CallError: There is no such door, or what it needs is not installed.
    """
    doors: list[str] = []
    left_out: list[str] = []
    for one in live:
        for door in _ALL if one == "all" else _named(one):
            lack = _lack(door)
            if lack and one != "all":
                raise CallError(f"--live {lack}")
            if lack:
                left_out.append(f"--live all leaves out {lack}")
            else:
                doors.append(door)
    return list(dict.fromkeys(doors)), list(dict.fromkeys(left_out))


def _named(one: str) -> list[str]:
    server, colon, worker = one.partition(":")
    workers = SERVERS.get(server, {})
    if not workers or (colon and worker not in workers):
        raise CallError(
            f"--live {one}: there is no such server; there are {', '.join(_ALL)}, "
            f"{' or '.join(SERVERS)} alone for each of its workers, and all"
        )
    return [f"{server}:{each}" for each in ([worker] if colon else workers)]


def _lack(door: str) -> str:
    """Say what a door needs that is not installed; empty: nothing."""
    server, _, worker = door.partition(":")
    lacking = [
        package for package in SERVERS[server][worker] if importlib.util.find_spec(package) is None
    ]
    extra = "conformance" if server == "hypercorn" else "servers"
    install = f"pip install 'micropie-contract[{extra}]'"
    return f"{door}, which needs {' and '.join(lacking)}: {install}" if lacking else ""


def plan(
    chosen: Sequence[Case[Any]], doors: Sequence[str], depth: int
) -> list[tuple[str, list[Case[Any]]]]:
    """Give the doors with the cases that are run behind each; a depth of 0 explores nothing."""
    memory = [case for case in chosen if not case.live and not case.explored]
    sequences = [case for case in chosen if case.explored and depth]
    live = [case for case in chosen if case.live]
    plan = [
        (door, cases)
        for door, cases in (
            (IN_MEMORY, memory),
            (f"{EXPLORED}:{depth}", sequences),
            *((door, live) for door in doors),
        )
        if cases
    ]
    if not plan and live:
        raise CallError("these cases are run over real sockets only: add --live hypercorn")
    if not plan:
        raise CallError("no case is left; --list with the same options shows what there is")
    return plan


def near(id: str, cases: Sequence[Case[Any]]) -> str:
    """Say which clauses and cases have an id like this one, to end a message."""
    names = [*(clause.id for clause in CLAUSES), *(case.id for case in cases)]
    near = difflib.get_close_matches(id, names)
    return f": did you mean {' or '.join(near)}?" if near else "; --list shows them all"
