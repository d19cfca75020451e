"""Handlers made at random, analysed, and run on a real WebSocket on all their paths.

What the flow analysis says of a handler must be so when it runs:

- a call reported as an error fails on every path that comes to it;
- a call reported as a warning fails on some path;
- a call that is not reported never fails because of the connection's state;
- a handler that is said to end without an answer does so on some path, and no other does.

All that is left to chance in a handler asks `chance`: whether a condition holds, what a call of
other code raises, what the server has and whether it fails. All answers are tried, one after the
other.
"""

import random
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import currentframe
from pathlib import Path
from types import FrameType
from typing import Any, Final

from micropie import WebSocket
from micropie._state import REFUSALS, Call, Refusal, State
from micropie.flow import Checker, Code, Finding, Severity

__all__ = ["Tally", "generated", "observed", "tried"]

# So many runs of one handler, and so many calls or choices in one of them.
_RUNS: Final = 3000
_STEPS: Final = 40
_CHOICES: Final = 12

_CALLS: Final = (
    "accept()",
    "accept()",
    "receive_text()",
    "receive_bytes()",
    'send_text("x")',
    'send_text("x")',
    'send_bytes(b"x")',
    "close()",
)

_CAREFUL: Final = (
    *("receive_text()", "receive_bytes()", 'send_text("x")', 'send_bytes(b"x")') * 4,
    "close()",
)

_ERRORS: Final = (ValueError, RuntimeError, KeyError)
_CAUGHT: Final = (
    "ConnectionClosed",
    "ConnectionClosed",
    "Exception",
    "RuntimeError",
    "ValueError",
    "(ConnectionClosed, RuntimeError)",
    "LookupError",
)


class _Writer:
    """Writes one module with one handler."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.lines: list[str] = []
        self.helpers = 0
        # Most of what is made wholly at random fails early.
        self.calls = _CALLS if self.chance.random() < 0.4 else _CAREFUL

    def module(self) -> str:
        self.lines = [
            "from contextlib import suppress",
            "from micropie import App, ConnectionClosed",
            "from chance import chance, work",
            "",
        ]
        self.helpers = self.chance.choice((0, 0, 1, 2))
        for number in range(self.helpers):
            self.line(0, f"async def helper{number}(conn):")
            self.line(1, "flag = True")
            self.body(1, "conn", 2, loop=False, helpers=number)
            self.line(0, "")
        self.line(0, "class Application(App):")
        self.line(1, "async def ws_it(self, ws):")
        self.line(2, "flag = True")
        if self.calls is _CAREFUL:
            self.line(2, "await ws.accept()")
        self.body(2, "ws", 3, loop=False, helpers=self.helpers, least=2)
        return "\n".join(self.lines) + "\n"

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def body(
        self, depth: int, name: str, nested: int, *, loop: bool, helpers: int, least: int = 1
    ) -> None:
        for _ in range(self.chance.randint(least, 3)):
            self.statement(depth, name, nested, loop, helpers)

    def statement(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        simple = ["call"] * 8 + ["work", "alias", "expression", "leave", "flag", "flag"]
        if helpers:
            simple += ["helper"] * 2
        simple += ["within"]
        compound = ["if"] * 4 + ["while", "for", "try", "try", "try", "with", "match", "endless"]
        kinds = simple + compound if nested else simple
        kind = self.chance.choice(kinds)
        getattr(self, f"write_{kind}")(depth, name, nested - 1, loop, helpers)

    def write_call(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        self.line(depth, f"await {name}.{self.chance.choice(self.calls)}")

    def write_work(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        self.line(depth, "work()")

    def write_alias(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        self.line(depth, f"other = {name}")
        self.line(depth, f"await other.{self.chance.choice(self.calls)}")

    def write_helper(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        call = f"await helper{self.chance.randrange(helpers)}({name})"
        self.line(depth, self.chance.choice(("{}", "flag = {}", "if not {}: return")).format(call))

    def write_within(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        number = len(self.lines)
        self.line(depth, f"async def helper_a{number}():")
        self.line(depth + 1, f"await {name}.{self.chance.choice(self.calls)}")
        self.line(depth, f"async def helper_b{number}():")
        self.line(depth + 1, f"await helper_a{number}()")
        self.line(depth, f"await helper_{self.chance.choice('ab')}{number}()")

    def write_flag(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        self.line(
            depth, f"flag = {self.chance.choice(('True', 'False', 'None', 'chance.unknown'))}"
        )

    def write_expression(
        self, depth: int, name: str, nested: int, loop: bool, helpers: int
    ) -> None:
        call = f"await {name}.{self.chance.choice(self.calls)}"
        form = self.chance.choice(
            (
                "[{} for _ in chance.items]",
                "{} if chance.yes else None",
                "chance.yes and {}",
                "({}, chance.yes)",
                "str({})",
                "coroutine = {}",
            )
        )
        if form.startswith("coroutine"):
            self.line(depth, f"coroutine = {call.removeprefix('await ')}")
            self.line(depth, "await coroutine")
        else:
            self.line(depth, form.format(call))

    def write_leave(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        result = self.chance.choice(("", " True", " False", " flag", " chance.unknown"))
        ways = [f"return{result}", "raise ValueError", "raise ConnectionClosed", "raise"]
        ways += ["break", "continue"] * loop
        # `raise` alone is for an `except`; elsewhere it is a RuntimeError.
        self.line(depth, f"if chance.yes: {self.chance.choice(ways[:3] + ways[4:])}")

    def write_if(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        test = self.chance.choice(
            (
                "chance.yes",
                "chance.yes",
                "flag",
                "not flag",
                "flag is None",
                "flag is not None and chance.yes",
                "(flag := chance.unknown)",
                f"flag or {name}.accepted",
                f"{name}.accepted",
                f"not {name}.accepted",
                f"chance.yes and {name}.accepted",
                f"{name}.accepted is False or chance.yes",
            )
        )
        self.line(depth, f"if {test}:")
        self.body(depth + 1, name, nested, loop=loop, helpers=helpers)
        if self.chance.random() < 0.5:
            self.line(depth, "else:")
            self.body(depth + 1, name, nested, loop=loop, helpers=helpers)

    def write_while(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        test = self.chance.choice(("chance.yes", "flag and chance.yes", "not flag and chance.yes"))
        self.line(depth, f"while {test}:")
        self.body(depth + 1, name, nested, loop=True, helpers=helpers)
        if self.chance.random() < 0.3:
            self.line(depth, "else:")
            self.body(depth + 1, name, nested, loop=loop, helpers=helpers)

    def write_endless(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        self.line(depth, "while True:")
        self.body(depth + 1, name, nested, loop=True, helpers=helpers)
        self.line(depth + 1, "if chance.yes: break")

    def write_for(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        self.line(depth, f"for _ in {self.chance.choice(('chance.items', 'range(2)'))}:")
        self.body(depth + 1, name, nested, loop=True, helpers=helpers)
        if self.chance.random() < 0.3:
            self.line(depth, "else:")
            self.body(depth + 1, name, nested, loop=loop, helpers=helpers)

    def write_try(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        self.line(depth, "try:")
        self.body(depth + 1, name, nested, loop=loop, helpers=helpers)
        handlers = self.chance.choice((0, 1, 1, 1, 2))
        for caught in self.chance.sample(_CAUGHT[1:], handlers):
            self.line(depth, f"except {caught}:")
            self.body(depth + 1, name, nested, loop=loop, helpers=helpers)
            if self.chance.random() < 0.2:
                self.line(depth + 1, "raise")
        if handlers and self.chance.random() < 0.3:
            self.line(depth, "else:")
            self.body(depth + 1, name, nested, loop=loop, helpers=helpers)
        if not handlers or self.chance.random() < 0.3:
            self.line(depth, "finally:")
            # What leaves it would swallow an exception, which newer Pythons warn of.
            self.body(depth + 1, name, 0, loop=False, helpers=helpers)

    def write_with(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        caught = self.chance.choice(("ConnectionClosed", "Exception", "RuntimeError"))
        self.line(depth, f"with suppress({caught}):")
        self.body(depth + 1, name, nested, loop=loop, helpers=helpers)

    def write_match(self, depth: int, name: str, nested: int, loop: bool, helpers: int) -> None:
        self.line(depth, "match chance.one_of_three:")
        for case in ("0", self.chance.choice(("1", "2 | 3", "_"))):
            self.line(depth + 1, f"case {case}:")
            self.body(depth + 2, name, nested, loop=loop, helpers=helpers)


def generated(seed: int) -> str:
    """Give the source of a module with a handler, made at random."""
    return _Writer(seed).module()


class _Enough(BaseException):
    """The run has gone on for long enough."""


class _Chance:
    """Answers what is left to chance, each time another way, until all ways were tried."""

    def __init__(self) -> None:
        # What was chosen, and of how many.
        self._path: list[tuple[int, int]] = []
        self._at = 0
        self.bounded = False

    def choose(self, ways: int = 2) -> int:
        if self._at == len(self._path):
            if self._at == _CHOICES:
                self.bounded = True
                raise _Enough
            self._path.append((0, ways))
        chosen, _ = self._path[self._at]
        self._at += 1
        return chosen

    # A property: other code that is called could raise.

    @property
    def yes(self) -> bool:
        return bool(self.choose())

    @property
    def unknown(self) -> bool | None:
        return (False, True, None)[self.choose(3)]

    @property
    def one_of_three(self) -> int:
        return self.choose(3)

    @property
    def items(self) -> Iterator[None]:
        while self.choose():
            yield

    def again(self) -> bool:
        """Go to the next way; False: there is none."""
        self._at = 0
        while self._path:
            chosen, ways = self._path.pop()
            if chosen + 1 < ways:
                self._path.append((chosen + 1, ways))
                return True
        return False


@dataclass(slots=True)
class Seen:
    """What came of a handler's runs."""

    # By line: whether a call there failed because of the state, on each path that came to it.
    calls: dict[int, set[bool]] = field(default_factory=lambda: defaultdict(set))
    # The lines that it ended in without an answer.
    unanswered: bool = False
    # Some run was ended because it went on and on.
    endless: bool = False
    # Not all paths were gone to their end.
    bounded: bool = False
    runs: int = 0
    # How many calls were refused.
    refused: int = 0
    # The lines of calls of helpers that came back.
    came_back: set[int] = field(default_factory=set[int])


_HANDLER: Final = "ws_it"

# What the module of a handler is called in its frames.
_FILE: Final = "<handler>"

_KIND: Final = {
    "accept": Call.ACCEPT,
    "receive_text": Call.RECEIVE,
    "receive_bytes": Call.RECEIVE,
    "send_text": Call.SEND,
    "send_bytes": Call.SEND,
    "close": Call.CLOSE,
}


class _Watched(WebSocket):
    """A real one that tells where it is called from, and whether its state refuses the call."""

    __slots__ = ("seen", "steps")

    seen: Seen
    steps: int

    @property
    def is_new(self) -> bool:
        return self._state is State.NEW

    def _watch(self, method: str) -> None:
        self.steps += 1
        if self.steps > _STEPS:
            self.seen.endless = True
            raise _Enough
        refusal = REFUSALS.get((self._state, _KIND[method]))
        refused = refusal is not None and refusal[0] is not Refusal.DONE
        self.seen.refused += refused
        frame = _caller(currentframe())
        if frame.f_code.co_name == _HANDLER:
            self.seen.calls[frame.f_lineno].add(refused)
        elif refused:
            # In a function within the handler, or in one that it calls.
            at: FrameType | None = frame
            while at and at.f_code.co_name != _HANDLER:
                at = at.f_back
            assert at is not None
            self.seen.calls[at.f_lineno].add(True)

    async def accept(self, subprotocol: str | None = None, session_id: str | None = None) -> None:
        self._watch("accept")
        await super().accept(subprotocol, session_id)

    async def receive_text(self) -> str:
        self._watch("receive_text")
        return await super().receive_text()

    async def receive_bytes(self) -> bytes:
        self._watch("receive_bytes")
        return await super().receive_bytes()

    async def send_text(self, data: str) -> None:
        self._watch("send_text")
        await super().send_text(data)

    async def send_bytes(self, data: bytes) -> None:
        self._watch("send_bytes")
        await super().send_bytes(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self._watch("close")
        await super().close(code, reason)


def observed(source: str) -> Seen:
    """Run a handler on all its paths."""
    chance = _Chance()
    seen = Seen()
    names = _names(chance)
    with warnings.catch_warnings():
        # Python 3.14 warns of what leaves a `finally`.
        warnings.simplefilter("ignore", SyntaxWarning)
        code = compile(source.replace("from chance import chance, work", ""), _FILE, "exec")
    exec(code, names)
    for name in [name for name in names if name.startswith("helper")]:
        names[name] = _watched(names[name], seen)
    handler: Callable[[Any, Any], Coroutine[Any, Any, None]] = names["Application"].ws_it
    while True:
        _run(handler, chance, seen)
        seen.runs += 1
        if not chance.again():
            break
        if seen.runs == _RUNS:
            seen.bounded = True
            break
    seen.bounded = seen.bounded or chance.bounded
    return seen


def _caller(frame: FrameType | None) -> FrameType:
    """Give the frame of the function in a handler's module that is under way."""
    # A comprehension has one of its own before 3.12.
    while frame and (frame.f_code.co_filename != _FILE or frame.f_code.co_name == "<listcomp>"):
        frame = frame.f_back
    assert frame is not None
    return frame


def _watched(helper: Callable[[Any], Coroutine[Any, Any, Any]], seen: Seen) -> Any:
    """Note of a helper whether something fails in it, and whether it comes back."""

    async def watched(connection: Any) -> Any:
        frame = _caller(currentframe())
        line, refused = frame.f_lineno, seen.refused
        returned = False
        try:
            result = await helper(connection)
            returned = True
            return result
        finally:
            if frame.f_code.co_name == _HANDLER:
                seen.calls[line].add(seen.refused > refused)
                if returned:
                    seen.came_back.add(line)

    return watched


def _names(chance: _Chance) -> dict[str, Any]:
    def work() -> None:
        chosen = chance.choose(1 + len(_ERRORS))
        if chosen:
            raise _ERRORS[chosen - 1]("work")

    return {"chance": chance, "work": work}


def _run(
    handler: Callable[[Any, Any], Coroutine[Any, Any, None]], chance: _Chance, seen: Seen
) -> None:
    connected = False

    async def receive() -> dict[str, Any]:
        nonlocal connected
        if chance.choose():
            return {"type": "websocket.disconnect", "code": 1000}
        if not connected:
            connected = True
            return {"type": "websocket.connect"}
        return {"type": "websocket.receive", "text": "x"}

    async def send(event: Any) -> None:
        if chance.choose():
            raise OSError("the client is gone")

    connection = _Watched(receive, send)
    connection.seen, connection.steps = seen, 0
    coroutine = handler(None, connection)
    try:
        coroutine.send(None)
    except StopIteration:
        seen.unanswered |= connection.is_new
    except (_Enough, Exception):
        pass
    finally:
        with suppress(BaseException):
            coroutine.close()


@dataclass(slots=True)
class Tally:
    """What came of some handlers."""

    handlers: int = 0
    runs: int = 0
    clean: int = 0
    errors: int = 0
    warnings: int = 0
    # Warnings whose path is longer than what was tried.
    undecided: int = 0
    problems: list[str] = field(default_factory=list[str])

    def add(self, other: "Tally") -> None:
        """Add what came of others."""
        self.handlers += other.handlers
        self.runs += other.runs
        self.clean += other.clean
        self.errors += other.errors
        self.warnings += other.warnings
        self.undecided += other.undecided
        self.problems += other.problems


def tried(seeds: range) -> Tally:
    """Make handlers, and hold what the analysis finds in them to what they do."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "handlers.py")
        for seed in seeds:
            source = generated(seed)
            file.write_text(source)
            found = Checker().check(file)
            tally.handlers += 1
            seen = observed(source)
            tally.runs += seen.runs
            tally.clean += not found
            for problem in _judge(source, found, seen, tally):
                tally.problems.append(f"{problem}; handler number {seed}:\n{source}")
    return tally


def _judge(source: str, found: list[Finding], seen: Seen, tally: Tally) -> Iterator[str]:
    by_line: dict[int, Finding] = {}
    swallowed = no_answer = False
    for one in found:
        match one.code:
            case Code.NO_ANSWER:
                no_answer = True
            case Code.SWALLOWED_DISCONNECT:
                swallowed = True
            case _:
                by_line[one.line] = one
    if seen.unanswered and not no_answer:
        yield "it can end without an answer, which is not reported"
    if no_answer and not seen.unanswered and not seen.bounded:
        yield "it is said to end without an answer, and never does"
    if swallowed and not seen.endless and not seen.bounded:
        yield "it is said to go on for ever, and does not"
    for line, one in by_line.items():
        ways = seen.calls.get(line, set())
        if one.severity is Severity.ERROR:
            tally.errors += 1
            if line in seen.came_back or (False in ways and not _calls_helper(source, line)):
                yield f"line {line} is an error and does not always fail: {one.message}"
        elif True in ways:
            tally.warnings += 1
        elif seen.bounded:
            tally.undecided += 1
        else:
            yield f"line {line} is a warning and never fails: {one.message}"
    if not swallowed:
        for line, ways in seen.calls.items():
            if True in ways and line not in by_line:
                yield f"line {line} fails and is not reported"


def _calls_helper(source: str, line: int) -> bool:
    return "helper" in source.splitlines()[line - 1]
