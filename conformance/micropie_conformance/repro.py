"""Write a stand-alone program that shows a failure.

It goes through the steps that a case took, and checks what failed there. It needs the
implementation and nothing else: the server around it is a queue and a list, and coroutines are
driven by hand, or by an event loop where the implementation needs one.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, TypeAlias, cast

from micropie_conformance import facts
from micropie_conformance.case import Case
from micropie_conformance.probe import Probe
from micropie_conformance.steps import (
    Cancel,
    Check,
    Clear,
    Deliver,
    Fail,
    Go,
    Hold,
    Make,
    Need,
    NoSource,
    Pace,
    Retry,
    Start,
    Step,
    literal,
)

__all__ = ["program"]

_WIDTH: Final = 100

# What a program is made of, by the names that it defines; a thing comes before what uses it, and
# what nothing uses is left out.
_Blocks: TypeAlias = dict[str, str]

_LOAD: Final = """\
def load(path):
    # Load a file as a module.
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.basename(path).removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module"""

_STATE: Final[_Blocks] = {
    "inbox": "inbox = []  # what the server has for the connection",
    "sent": "sent = []  # what the connection has sent",
    "failure": "failure = None  # what the server raises at each send",
    "held": "held = False  # whether the server takes events without returning from send",
    "turns": "turns = []  # the receives and sends that have not returned, oldest first",
    "paced": "paced = False  # whether the server lets them go on one by one",
    "calls": "calls = []",
    "waiting": "waiting = []",
}

_CALL: Final = """\
class Call:
    # A call of a method, and what it has come to.
    outcome, value, error = "waits", None, None

    def __init__(self, function):
        {begin}

    async def run(self, function):
        try:
            {call}
            self.outcome = "returns"
        except BaseException as error:  # noqa: BLE001 - it is what the call came to.
            self.outcome, self.error = "raises", error

    def __str__(self):
        what = {{"returns": f" {{self.value!r}}", "raises": f" {{self.error!r}}"}}
        return self.outcome + what.get(self.outcome, "")"""

_CALL_IT: Final = "self.value = await function()"

_CALL_AND_LOOK: Final = """\
self.awaitable = False
            given = function()
            self.awaitable = inspect.isawaitable(given)
            self.value = await given"""

_DELIVER: Final = """\
def deliver(*events):
    # Let the server have events for the connection, and run all that can run.
    inbox.extend(events)
    settle()"""

_RECEIVE: Final = """\
async def receive():
    await {wait}(lambda: inbox)
    return inbox.pop(0)"""

_TURNS: Final[_Blocks] = {
    "turn": """\
async def turn(ready):
    # Wait until ready() is true and, while the server is paced, it has been let go on.
    mine = object()
    turns.append(mine)
    try:
        await until(lambda: ready() and not (paced and mine in turns))
    finally:
        if mine in turns:
            turns.remove(mine)""",
    "go": """\
def go(number):
    # Let one go on; another implementation may not be waiting there.
    del turns[number : number + 1]
    settle()""",
}

_STEPPED_BEGIN: Final = """\
# Runs until it has ended or waits.
        self.steps = self.run(function).__await__()
        {go}"""

_STEPPED_RECEIVE: Final = """\
@types.coroutine
def receive():
    while not inbox:
        yield  # it waits
    return inbox.pop(0)"""

_STEPPED_UNTIL: Final[_Blocks] = {
    "until": """\
@types.coroutine
def until(ready):
    # Wait until ready() is true.
    while not ready():
        yield""",
}

_STEPPED: Final[_Blocks] = {
    "settle": """\
def settle():
    # Let each call go on until it has ended or waits.
    for call in calls:
        if call.outcome == "waits":
            next(call.steps, None)""",
    "cancel": """\
def cancel(call):
    if call.outcome == "waits":
        with suppress(StopIteration):
            call.steps.throw(asyncio.CancelledError())
    settle()""",
}

_LOOPING_BEGIN: Final = """\
# Runs all that can run.
        self.task = loop.create_task(self.run(function))
        calls.append(self)
        settle()"""

_LOOPING_UNTIL: Final[_Blocks] = {
    "Clock": """\
class Clock(selectors.DefaultSelector):
    # Never waits: the clock jumps to the next timer; where there is none, the loop stops.
    def select(self, timeout=None):
        found = super().select(0)
        if not found:
            loop.turns += 1
            if timeout is None or loop.jumps == 25 or loop.turns == 1000:
                loop.stop()
            elif timeout > 0:
                loop.jumps += 1
                loop.now += timeout
        return found""",
    "Loop": """\
class Loop(asyncio.SelectorEventLoop):
    now = 0.0

    def time(self):
        return self.now""",
    "loop": """\
loop = Loop(Clock())
loop.set_exception_handler(lambda loop, context: None)""",
    "until": """\
async def until(ready):
    # Wait until ready() is true.
    waiting.append((ready, loop.create_future()))
    await waiting[-1][1]""",
    "release": """\
def release():
    # Let one go on that can.
    for ready, future in waiting:
        if not future.done() and ready():
            future.set_result(None)
            return True
    return False""",
}

_LOOPING: Final[_Blocks] = {
    "settle": """\
def settle():
    # Run all that can run, until everything has ended or waits.
    going = True
    while going:
        loop.jumps = loop.turns = 0
        loop.run_forever()
        going = release()""",
    "cancel": """\
def cancel(call):
    call.task.cancel()
    settle()""",
    "cancel_later": """\
def cancel_later(call, steps):
    # Cancel a call so many steps of the event loop after an event has come for it.
    release()
    for _ in range(steps):
        loop.call_soon(loop.stop)
        loop.run_forever()
    cancel(call)""",
    "left_behind": """\
def left_behind():
    # The tasks that the implementation has started and that still run.
    own = [call.task for call in calls]
    return [task.get_coro().__qualname__ for task in asyncio.all_tasks(loop) if task not in own]""",
}

_SHORT: Final = """\
def short(value):
    # Show a value, and of a long one the beginning.
    words = str(value)
    if len(words) > 120:
        words = f"{words[:100]}... ({len(words)} characters)"
    return words"""

# From how many characters or bytes on it is used.
_LONG: Final = 1000

_FACTS: Final[_Blocks] = {
    function.__name__: inspect.getsource(function).strip()
    for function in (
        facts.causes,
        facts.is_header,
        facts.header_pairs,
        facts.cookies,
        facts.line_breaks,
    )
}

_IMPORTS: Final = (
    ("asyncio", "import asyncio"),
    ("importlib", "import importlib.util"),
    ("inspect", "import inspect"),
    ("os", "import os"),
    ("selectors", "import selectors"),
    ("sys", "import sys"),
    ("types", "import types"),
    ("Iterable", "from collections.abc import Iterable"),
    ("suppress", "from contextlib import suppress"),
)


def program(case: Case[Any], probe: Probe, check: Check | None, looping: bool) -> str:
    """Write the program that shows what a case found out about an implementation.

    Empty: there is none, as the judgement has no `check`, the implementation has no name to import
    it by, or a value cannot be written as source.

    Args:
        case: The case.
        probe: What it worked with, after it failed.
        check: What it judged.
        looping: Whether the implementation was given an event loop.
    """
    names = {
        "WebSocket": probe.target.spec or _spec(probe.target.factory),
        "ConnectionClosed": probe.target.closed_spec or _spec(probe.target.closed),
    }
    if check is None or not all(names.values()):
        return ""
    try:
        goes_on = looping or _goes_on(probe.steps)
        steps = list(_lines(probe, check, looping, goes_on))
        blocks = _blocks(probe.steps, check, looping, goes_on)
    except NoSource:
        return ""
    text = "\n".join(
        ["# What is done.", *steps, "", *_judged(probe, check)] if steps else _judged(probe, check)
    )
    for name, block in reversed(blocks.items()):
        if _uses(text, name):
            text = f"{block}\n\n\n{text}"
    if state := [line for name, line in _STATE.items() if _uses(text, name)]:
        text = "\n".join([*state, "", "", text])
    imports, text = _loaded({name: spec for name, spec in names.items() if _uses(text, name)}, text)
    standard = [line for name, line in _IMPORTS if _uses(text, name)]
    top = [*_head(case, names["WebSocket"]), *standard, *([""] if imports else []), *imports, ""]
    # As isort has it.
    more = [""] if text.startswith(("class ", "def ", "@", "async ")) else []
    return "\n".join([*top, *more, text, ""])


def _uses(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){name}\b", re.sub(r"#.*", "", text)) is not None


def _spec(thing: Any) -> str:
    """Give what names a class or function, if it can be imported by that; else nothing."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
        return ""
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is thing else ""


def _head(case: Case[Any], spec: str) -> Iterator[str]:
    """Write the comment that says what it is about."""
    clause = case.clause
    for words in (
        f"{spec} breaks {clause.id} ({clause.level}) of MicroPie's WebSocket contract:",
        clause.text,
        f'"{clause.quote}" ({clause.source})' if clause.quote else f"({clause.source})",
        f"What is done ({case.id}): {case.text}",
        "Run it where `micropie verify` was run. The exit status is 1 while the failure is there, "
        "and 0 once it is gone.",
    ):
        yield from textwrap.wrap(words, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    yield ""


def _loaded(names: dict[str, str], text: str) -> tuple[list[str], str]:
    """Give what imports these names, and the text with what else has to be done for them."""
    imports: list[str] = []
    lines: list[str] = []
    modules: dict[str, str] = {}
    for name, spec in sorted(names.items()):
        source, _, attribute = spec.rpartition(":")
        first, _, rest = attribute.partition(".")
        if source.endswith(".py") or PurePath(source).name != source:
            if source not in modules:
                modules[source] = f"module_{len(modules) + 1}" if modules else "module"
                lines.append(f"{modules[source]} = load({literal(source)})")
            lines.append(f"{name} = {modules[source]}.{attribute}")
        else:
            renamed = f" as {name}" if not rest and first != name else ""
            imports.append(f"from {source} import {first}{renamed}")
            lines += [f"{name} = {attribute}"] if rest else []
    blocks = [*([_LOAD] if modules else []), *(["\n".join(lines)] if lines else []), text]
    return imports, "\n\n\n".join(blocks)


def _blocks(steps: Sequence[Step], check: Check, looping: bool, goes_on: bool) -> _Blocks:
    """Give what the steps may need, each thing before what uses it."""
    errors = [step.error for step in steps if isinstance(step, Fail) and step.error is not None]
    paced = any(isinstance(step, Pace) for step in steps)
    go = "calls.append(self)\n        settle()" if goes_on else "next(self.steps, None)"
    call = _CALL.format(
        begin=_LOOPING_BEGIN if looping else _STEPPED_BEGIN.format(go=go),
        call=_CALL_AND_LOOK if ".awaitable" in check.holds else _CALL_IT,
    )
    receive = _RECEIVE.format(wait="turn" if paced else "until")
    made = [step for step in steps if isinstance(step, Make)]
    return {
        **{_name(error): _class(error) for error in errors if not _is_builtin(error)},
        **(_LOOPING_UNTIL if looping else _STEPPED_UNTIL),
        "turn": _TURNS["turn"],
        "receive": receive if looping or paced else _STEPPED_RECEIVE,
        "send": "\n".join(_send(steps, check)),
        **(_LOOPING if looping else _STEPPED),
        "go": _TURNS["go"],
        "Call": call,
        "deliver": _DELIVER,
        "short": _SHORT,
        "make": f"async def make():\n    return {_made(made[0].options if made else {})}",
        **_FACTS,
    }


def _goes_on(steps: Sequence[Step]) -> bool:
    """Whether a call may have to go on after it has waited, in one implementation or another."""
    connected = waits = False
    for step in steps:
        match step:
            case Deliver(events) if events:
                if waits:
                    return True
                connected = connected or any(
                    event.get("type") == "websocket.connect" for event in events
                )
            case Start(method=method):
                waits = waits or not connected or method.startswith("receive_")
            case Cancel() | Go() | Hold() | Pace() | Retry():
                return True
            case _:
                pass
    return False


def _send(steps: Sequence[Step], check: Check) -> Iterator[str]:
    yield "async def send(event):"
    if '["headers"]' in check.holds:
        yield "    event = dict(event)"
        yield '    headers = event.get("headers") or ()'
        yield '    event["headers"] = [tuple(h) if isinstance(h, Iterable) else h for h in headers]'
        yield "    sent.append(event)"
    else:
        yield "    sent.append(dict(event))"
    if any(isinstance(step, Fail) for step in steps):
        yield "    if failure:"
        yield "        raise failure"
    if any(isinstance(step, Pace) for step in steps):
        yield "    if paced:"
        yield "        await turn(lambda: True)"
    if any(isinstance(step, Hold) for step in steps):
        yield "    if held:"
        yield "        await until(lambda: not held)"


def _made(options: dict[str, object]) -> str:
    return f"WebSocket({', '.join(['receive', 'send', *_arguments((), options)])})"


def _arguments(args: Sequence[object], kwargs: dict[str, object]) -> list[str]:
    return [*map(literal, args), *(f"{name}={literal(value)}" for name, value in kwargs.items())]


def _is_builtin(error: BaseException) -> bool:
    return type(error).__module__ == "builtins"


def _name(error: BaseException) -> str:
    return type(error).__name__.lstrip("_")


def _class(error: BaseException) -> str:
    """Write a class like that of an error."""
    base = next(one for one in type(error).__mro__ if one.__module__ == "builtins")
    return f"class {_name(error)}({base.__name__}):\n    pass"


def _lines(probe: Probe, check: Check, looping: bool, goes_on: bool) -> Iterator[str]:
    """Write the steps.

    Raises:
        NoSource: There is a value that cannot be written.
    """
    steps = probe.steps
    # What is judged of the calls, and so has to have a name.
    judged = "\n".join(
        [check.holds, check.observed]
        + [step.holds for step in steps if isinstance(step, Need)]
        + [f"{step.name}." for step in steps if isinstance(step, Cancel | Retry)]
    )
    acts = [number for number, step in enumerate(steps) if not isinstance(step, Clear | Need)]
    # What was accounted for before the last act; at the end it is what the check looks at.
    clears = [
        number
        for number, step in enumerate(steps)
        if isinstance(step, Clear) and acts and number < acts[-1]
    ]
    last_clear = clears[-1] if clears and _uses(judged, "sent") else None
    for number, step in enumerate(steps):
        match step:
            case Make(options):
                if looping or _uses(judged, "made"):
                    # It may need a running event loop.
                    yield "made = Call(make)"
                    if number != acts[-1]:
                        yield "ws = made.value"
                else:
                    yield f"ws = {_made(options)}"
            case Deliver(events) if events:
                words = list(map(literal, events))
                if goes_on:
                    yield from _call("deliver(", words, ")")
                elif len(words) == 1:
                    yield from _call("inbox.append(", words, ")")
                else:
                    yield from _call("inbox += [", words, "]")
            case Start(name, method, args, kwargs):
                target = f"{name} = " if _uses(judged, name) else ""
                words = _arguments(args, kwargs)
                yield from _call(f"{target}Call(lambda: ws.{method}(", words, "))")
            case Retry(name, method):
                yield f'if {name}.outcome != "returns":'
                yield f"    {name} = Call(lambda: ws.{method}())"
            case Cancel(name, event, after):
                if event is not None:
                    yield f"inbox.append({literal(event)})"
                yield f"cancel_later({name}, {after})" if event and looping else f"cancel({name})"
            case Fail(error):
                yield f"failure = {_error(error)}"
            case Hold(held):
                yield f"held = {held}"
                if not held:
                    yield "settle()"
            case Pace(paced):
                yield f"paced = {paced}"
                if not paced:
                    yield "settle()"
            case Go(number=which):
                yield f"go({which})"
            case Need(name, holds):
                yield f"assert {holds}, {name}"
            case _:
                if number == last_clear:
                    yield "sent.clear()"


def _judged(probe: Probe, check: Check) -> Iterator[str]:
    """Write the judgement and the end."""
    yield "# What it should come to."
    holds = f"holds = {check.holds}"
    yield from [holds] if len(holds) <= _WIDTH else ["holds = (", f"    {check.holds}", ")"]
    yield f"print({literal(f'expected: {probe.expected[-1]}')})"
    if _is_long(probe.steps):
        yield from _call("print(", ['"observed:"', f"*map(short, [{check.observed}])"], ")")
    else:
        yield from _call("print(", ['"observed:"', check.observed], ")")
    yield "sys.exit(0 if holds else 1)"


def _is_long(value: object) -> bool:
    """Whether there is a value in it that is not to be shown as it is."""
    match value:
        case str() | bytes():
            return len(value) > _LONG
        case Mapping():
            # Its types are whatever a case has made it of.
            return any(map(_is_long, cast(Mapping[object, object], value).values()))
        case list() | tuple():
            return any(map(_is_long, cast(Sequence[object], value)))
        case _:
            return False


def _error(error: BaseException | None) -> str:
    return "None" if error is None else f"{_name(error)}({', '.join(map(literal, error.args))})"


def _call(start: str, arguments: list[str], end: str) -> list[str]:
    """Write a call, over some lines where one would be too long."""
    line = f"{start}{', '.join(arguments)}{end}"
    if len(line) <= _WIDTH:
        return [line]
    return [start, *(f"    {argument}," for argument in arguments), end]
