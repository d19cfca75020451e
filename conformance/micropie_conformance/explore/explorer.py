"""Explore what an implementation does in every sequence up to a length, and name what it breaks."""

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from micropie_conformance.explore.alphabet import (
    ACCEPT,
    CONNECTS,
    Act,
    Called,
    Cancels,
    Comes,
    Letter,
)
from micropie_conformance.explore.model import (
    START,
    Check,
    Phase,
    State,
    Step,
    attributes,
    step,
    steps,
)
from micropie_conformance.explore.playing import Player, Seen, first_failing

__all__ = ["Explorer", "Failure", "Letters"]

Letters = tuple[Letter, ...]

ROOTS: Final[tuple[Letters, ...]] = ((), (CONNECTS, ACCEPT))
"""What the sequences begin with, which does not count for their length."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A shortest sequence that breaks a clause."""

    clause: str
    letters: Letters
    # What does not hold after the last letter.
    check: Check


class Explorer:
    """Explores one implementation, each sequence with a connection of its own.

    Args:
        player: What plays the sequences.
        depth: How long they are at the most.
        plain: From which length on only plain letters are added, those without a simpler one.
        excuses: The clauses that do not apply. Where one of them does not hold, nothing is charged
            and the sequence ends, as with any failure.
    """

    def __init__(
        self,
        player: Player,
        depth: int,
        plain: int = sys.maxsize,
        excuses: Collection[str] = (),
    ) -> None:
        """Hold what to explore; nothing is played yet."""
        self._player = player
        self._depth = depth
        self._plain = plain
        self._excuses = excuses
        # How many sequences were played.
        self.sequences: int = 0
        # The steps that were as the model says, by their id: to look them up costs nothing so.
        self._held: dict[int, Step] = {}
        self._failed: set[Letters] = set()

    def run(self) -> Iterator[Failure | int]:
        """Yield each failure, and now and then the number of sequences so far.

        The sequences come shortest first, and one that begins with a failure is not played. Each
        failure is made as short and as plain as it can be; one that then is known already is not
        told again.

        Raises:
            NeedsLoop: The implementation awaits what only an event loop can give.
            Unreached: Its constructor raises.
        """
        told = self.sequences
        ahead: list[tuple[Letters, State]] = []
        for root in ROOTS:
            if (state := self._arrive(root)) is None:
                continue
            check, _ = self._judge(root, Step(attributes(state), state))
            if check is None:
                ahead.append((root, state))
            else:
                yield Failure(check.clause, root, check)
        for length in range(1, self._depth + 1):
            left = self._depth - length
            behind, ahead = ahead, []
            for letters, state in behind:
                for letter, found in steps(state):
                    if len(found.then.queue) > left and isinstance(letter, Comes):
                        # What no call is left to read need not come.
                        continue
                    if length >= self._plain and _simpler(letter):
                        continue
                    longer = (*letters, letter)
                    if not found.checks and not _acts(letter, state):
                        then: State | None = found.then
                    else:
                        check, then = self._judge(longer, found)
                        if check is not None and (failure := self._shorten(longer, check)):
                            yield failure
                    if left and then is not None and then.phase is not Phase.FREE:
                        ahead.append((longer, then))
                if self.sequences - told > self._player.often:
                    told = self.sequences
                    yield told
        yield self.sequences

    def reached(self) -> set[str]:
        """Give the clauses that some sequence asked for, and that held there."""
        steps = self._held.values()
        asked = {check.clause for found in steps for check in found.checks}
        return asked | {found.silent for found in steps}

    def _judge(self, letters: Letters, found: Step) -> tuple[Check | None, State | None]:
        """Play a sequence; give the check that fails after its last letter, or the next state."""
        self.sequences += 1
        seen = self._player.play(letters)
        try:
            failed: Check | None = None
            way: Step | None = found
            while way is not None:
                check = self._first_failing(way, seen)
                if check is None:
                    self._held[id(found)] = found
                    return None, way.then
                failed = failed or check
                way = way.other
            return failed, None
        finally:
            seen.close()

    def _first_failing(self, way: Step, seen: Seen) -> Check | None:
        checks = way.checks
        if self._excuses:
            # An attribute that need not be there changes nothing of what follows.
            free = {one.asks for one in attributes(way.then) if one.clause in self._excuses}
            checks = tuple(one for one in checks if one.asks not in free)
        return first_failing(checks, seen)

    def _walk(self, letters: Letters) -> list[tuple[State, Step, State]] | None:
        """Give each letter's state, step and next state; None: it fails on the way, or is none."""
        path: list[tuple[State, Step, State]] = []
        state = START
        for number, letter in enumerate(letters, 1):
            found = step(state, letter)
            if found is None:
                return None
            _, then = self._judge(letters[:number], found)
            if then is None:
                return None
            path.append((state, found, then))
            state = then
        return path

    def _arrive(self, letters: Letters) -> State | None:
        """Give the state that a sequence leads to; None: it fails on the way, or is none."""
        path = self._walk(letters)
        if path is None:
            return None
        return path[-1][2] if path else START

    def _fails(self, letters: Letters) -> Check | None:
        """Give what fails at the last letter, and not before; None: nothing does."""
        if not letters or (state := self._arrive(letters[:-1])) is None:
            return None
        found = step(state, letters[-1])
        return None if found is None else self._judge(letters, found)[0]

    def _shorten(self, letters: Letters, check: Check) -> Failure | None:
        """Give the shortest and plainest failure within `letters`; None: it is known or excused."""
        known = any(one in self._failed for one in _less(letters))
        self._failed.add(letters)
        if known:
            return None
        while True:
            for one in _less(letters):
                if failed := self._fails(one):
                    letters, check = one, failed
                    break
            else:
                break
            if letters in self._failed:
                return None
            self._failed.add(letters)
        clause = self._blame(letters, check)
        return None if clause in self._excuses else Failure(clause, letters, check)

    def _blame(self, letters: Letters, check: Check) -> str:
        """Name the clause: that of what was to change nothing, where it takes that to fail."""
        path = self._walk(letters[:-1])
        # It was played so far without a failure.
        assert path is not None
        silent = ""
        got_one = False
        for letter, (state, found, then) in zip(letters[:-1], path, strict=True):
            silent = found.silent or silent
            got_one = got_one or _receives(letter, state, then)
        if silent:
            return silent
        if got_one and check.clause.startswith(("WS-RECV", "WS-MSG")):
            return "WS-RECV-007"
        return check.clause


def _receives(letter: Letter, state: State, then: State) -> bool:
    """Whether a message was received."""
    receives = isinstance(letter, Called) and letter.act is Act.RECEIVE
    comes = isinstance(letter, Comes) and state.waiting is not None
    return (receives or comes) and then.waiting is None and state.phase is then.phase is Phase.OPEN


def _acts(letter: Letter, state: State) -> bool:
    """Whether a letter makes the implementation do something."""
    return isinstance(letter, Called | Cancels) or (
        isinstance(letter, Comes) and state.waiting is not None
    )


def _simpler(letter: Letter) -> Sequence[Letter]:
    return letter.simpler if isinstance(letter, Called | Comes) else ()


def _less(letters: Sequence[Letter]) -> Iterator[Letters]:
    """Give all that is one step shorter or plainer."""
    for width in (1, 2):
        # Two, as what goes with a letter, such as a call and its cancellation, goes with it.
        for number in range(len(letters) - width + 1):
            yield (*letters[:number], *letters[number + width :])
    for number, letter in enumerate(letters):
        for simpler in _simpler(letter):
            yield (*letters[:number], simpler, *letters[number + 1 :])
