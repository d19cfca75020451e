"""Expressions: what their evaluation does with the connection."""

import ast
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from micropie.flow.callees import bound, is_named
from micropie.flow.core import Core, Summary
from micropie.flow.exceptions import ANY, CANCELLED, CLOSED, MISUSE, TIMEOUT
from micropie.flow.judging import site_of
from micropie.flow.modules import Function
from micropie.flow.shape import (
    ASKED,
    HARMLESS,
    MAY_RAISE,
    RAISES,
    SUSPENDS,
    TOUCHED,
    MethodCall,
    assigned,
    at_definition,
    mentioned,
)
from micropie.flow.states import ALL_CALLS, GONE, METHODS, Outcomes, bit, forward, outcomes
from micropie.flow.syntax import constant, is_generator
from micropie.flow.values import (
    ANYTHING,
    FALSE,
    NONE,
    RESULT,
    TRUE,
    Flow,
    Origin,
    Value,
    Why,
    aliased,
    by_accepted,
    by_truth,
    escaped,
    likely,
    merge,
    step,
    told,
    truth,
    truth_of,
    unbound,
    unlikely,
)

__all__ = ["Expressions"]

# So many functions within functions are followed.
_DEEP: Final = 6

_WAIT_FOR: Final = frozenset({"asyncio.wait_for", "wait_for"})
_SHIELD: Final = frozenset({"asyncio.shield", "shield"})
_GATHER: Final = frozenset({"asyncio.gather", "gather"})
_SPAWN: Final = frozenset({"create_task", "ensure_future", "start_soon"})

# Expressions that may ask for `accepted`.
_TESTS: Final = (ast.Attribute, ast.UnaryOp, ast.BoolOp, ast.Compare)
# What is evaluated as a part of something else.
_EVALUATED: Final = (ast.expr, ast.stmt, ast.keyword)


class _Helper(NamedTuple):
    """A function of this module that is called."""

    function: Function
    # How many of its parameters the call does not name, such as `self`.
    skipped: int
    # Whether it is within the function that calls it, and so finds its names.
    is_within: bool

    @property
    def is_coroutine(self) -> bool:
        return isinstance(self.function, ast.AsyncFunctionDef) and not is_generator(self.function)

    @property
    def is_plain(self) -> bool:
        return isinstance(self.function, ast.FunctionDef) and not is_generator(self.function)

    def names(self, call: ast.Call, names: frozenset[str]) -> frozenset[str]:
        """Give what is called in it what has some names where it is called."""
        inner = bound(self.function, call, names, self.skipped) or frozenset()
        return inner | (names - assigned(self.function)) if self.is_within else inner


# By class, the method that goes through a node: `match` over so many would be slow, and to look for
# the table through `self` too.
_EXPRESSIONS: Final[dict[type[ast.AST], Callable[..., Flow]]] = {}


class Expressions(Core):
    """A function, as far as its expressions go."""

    def _bind_all(self, targets: list[ast.expr], value: ast.expr, flow: Flow) -> Flow:
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if len(names) == len(targets):
            asked = [name for name in names if name in self._asked]
            if isinstance(value, ast.Name) and value.id in self._names:
                return told(aliased(flow, value.id, names), asked, ANYTHING)
            if (call := self._method_call(value)) is not None:
                return self._hold(call, names, flow)
            if not asked:
                return unbound(self._eval(value, flow), names, self._known)
            flow = unbound(self._asked_for(value, flow), names, self._known)
            after: Flow = {}
            for way, origin in flow.items():
                merge(after, told({way: origin}, asked, truth_of(way, RESULT)))
            return told(after, [RESULT], ANYTHING)
        flow = self._eval(value, flow)
        for target in targets:
            flow = self._target(target, flow)
        return self._opaque(MAY_RAISE, flow)

    def _answer(self, node: ast.expr, flow: Flow) -> Flow:
        """Evaluate something, and keep in mind what a condition makes of it."""
        if isinstance(node, ast.Constant):
            return told(flow, [RESULT], truth(node.value))
        self._in_question = node.value if isinstance(node, ast.Await) else node
        return self._eval(node, flow)

    def _asked_for(self, node: ast.expr, flow: Flow) -> Flow:
        """Evaluate what a condition may ask for later, and keep in mind what it makes of it."""
        if (
            isinstance(node, _TESTS)
            and not self._may_give_coroutine(node)
            and any(
                isinstance(one, ast.Attribute) and one.attr == "accepted" for one in ast.walk(node)
            )
        ):
            true, false = self._condition(node, flow)
            after = dict(told(true, [RESULT], TRUE))
            merge(after, told(false, [RESULT], NONE | FALSE))
            return after
        return self._answer(node, flow)

    def _may_give_coroutine(self, node: ast.expr) -> bool:
        """Whether the value of `a or b` may be a coroutine of the connection's."""
        return isinstance(node, ast.BoolOp) and any(
            self._method_call(value) is not None or self._may_give_coroutine(value)
            for value in node.values
        )

    def _target(self, target: ast.expr, flow: Flow) -> Flow:
        """Assign something that is not known to a target."""
        match target:
            case ast.Name(id=name):
                return unbound(flow, [name], self._known)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    flow = self._target(element, flow)
                return flow
            case ast.Starred(value=value):
                return self._target(value, flow)
            case _:
                return self._children(target, flow)

    def _hold(self, call: MethodCall, names: list[str], flow: Flow) -> Flow:
        """Keep a coroutine of the connection's under a name."""
        mine, others = self._split(flow, call.name)
        if mine and not any(name in self._shape.loaded for name in names):
            self._note_never_awaited(call)
        flow = unbound(self._arguments(call.node, mine), names, self._known)
        held = {(name, call.method) for name in names}
        flow = {value._replace(held=value.held | held): origin for value, origin in flow.items()}
        merge(flow, unbound(self._opaque(RAISES, others), names, self._known))
        return flow

    def _drop(self, call: MethodCall, flow: Flow) -> Flow:
        """Make a coroutine of the connection's that nobody awaits."""
        mine, others = self._split(flow, call.name)
        if mine:
            self._note_never_awaited(call)
        flow = self._arguments(call.node, mine)
        merge(flow, self._opaque(RAISES, others))
        return flow

    def _look_at(self, node: ast.expr, flow: Flow) -> Flow:
        """Evaluate what is only looked at, and goes nowhere."""
        call = self._method_call(node)
        return self._eval(node, flow) if call is None else self._drop(call, flow)

    def _ask(self, node: ast.expr, flow: Flow) -> Flow:
        """Evaluate what a condition asks for."""
        call = self._method_call(node)
        return self._answer(node, flow) if call is None else self._drop(call, flow)

    def _eval(self, node: ast.AST, flow: Flow) -> Flow:
        if type(node) is ast.Name:
            return self._name(node.id, flow)
        flags = self._flags.get(node, 0)
        if not flags & (TOUCHED | ASKED):
            return self._opaque(flags, flow)
        handler = _EXPRESSIONS.get(type(node))
        if handler is None:
            return self._children(node, flow)
        return handler(self, node, flow)

    def _children(self, node: ast.AST, flow: Flow) -> Flow:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _EVALUATED):
                flow = self._eval(child, flow)
        return self._opaque(MAY_RAISE, flow)

    def _name(self, name: str, flow: Flow) -> Flow:
        """Use the connection's name where who knows what becomes of it."""
        if name not in self._names:
            return flow
        if name not in self._closures:
            return escaped(flow, name)
        function = self._closures[name]
        if function is not None:
            return self._let_go(function, flow)
        return {value._replace(others=ALL_CALLS): at for value, at in flow.items()}

    def _let_go(self, function: Function | ast.Lambda | ast.expr, flow: Flow) -> Flow:
        """Let code that uses the connection run at any time."""
        after: Flow = {}
        for value, origin in flow.items():
            names = value.names | {name for name, _ in value.held}
            kinds = ALL_CALLS if value.held else self._kinds(function, names)
            after.setdefault(value._replace(others=value.others | kinds), origin)
        return after

    def _kinds(self, node: ast.AST, names: frozenset[str]) -> int:
        """Give the calls that code may make of the connection, here and in closures."""
        kinds = self._context.callees.kinds(node, names, self._owner)
        if not self._closures:
            return kinds
        ahead = [*mentioned(node)]
        seen: set[str] = set()
        while ahead:
            name = ahead.pop()
            if name in seen or name not in self._closures:
                continue
            seen.add(name)
            function = self._closures[name]
            if function is None:
                return ALL_CALLS
            kinds |= self._context.callees.kinds(function, names - assigned(function), self._owner)
            ahead += mentioned(function)
        return kinds

    def _yield(self, node: ast.Yield | ast.YieldFrom, flow: Flow) -> Flow:
        return self._opaque(RAISES | SUSPENDS, self._children(node, flow))

    def _lambda(self, node: ast.Lambda, flow: Flow) -> Flow:
        for part in at_definition(node):
            flow = self._eval(part, flow)
        return self._let_go(node, flow)

    def _generator(self, node: ast.GeneratorExp, flow: Flow) -> Flow:
        return self._let_go(node, flow)

    def _attribute(self, node: ast.Attribute, flow: Flow) -> Flow:
        owner = node.value
        if not (isinstance(owner, ast.Name) and owner.id in self._names):
            return self._children(node, flow)
        if node.attr in ("accepted", "session_id"):
            return flow
        others = bit(node.attr) if node.attr in METHODS else ALL_CALLS
        return {
            value._replace(others=value.others | others) if owner.id in value.names else value: at
            for value, at in flow.items()
        }

    def _compare(self, node: ast.Compare, flow: Flow) -> Flow:
        for part in (node.left, *node.comparators):
            if not isinstance(part, ast.Name):
                flow = self._look_at(part, flow)
        return self._opaque(MAY_RAISE, flow)

    def _formatted(self, node: ast.FormattedValue, flow: Flow) -> Flow:
        if not isinstance(node.value, ast.Name):
            flow = self._look_at(node.value, flow)
        return self._opaque(MAY_RAISE, flow)

    def _walrus(self, node: ast.NamedExpr, flow: Flow) -> Flow:
        return self._bind_all([node.target], node.value, flow)

    def _choice(self, node: ast.IfExp, flow: Flow) -> Flow:
        true, false = self._condition(node.test, flow)
        after = dict(self._eval(node.body, true))
        merge(after, self._eval(node.orelse, false))
        return after

    def _boolean(self, node: ast.BoolOp, flow: Flow) -> Flow:
        if self._may_give_coroutine(node):
            after: Flow = {}
            for value in node.values:
                flow = self._eval(value, flow)
                merge(after, flow)
            return after
        true, false = self._condition(node, flow)
        after = dict(true)
        merge(after, false)
        return after

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp, flow: Flow) -> Flow:
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        targets = {
            one.id
            for generator in node.generators
            for one in ast.walk(generator.target)
            if isinstance(one, ast.Name)
        }
        if targets & self._names:
            return self._let_go(node, flow)
        return self._generators(node.generators, parts, flow)

    def _generators(
        self, generators: list[ast.comprehension], parts: list[ast.expr], flow: Flow
    ) -> Flow:
        if not generators:
            for part in parts:
                flow = self._eval(part, flow)
            return flow
        generator, *rest = generators
        flow = self._eval(generator.iter, flow)
        flags = RAISES | SUSPENDS if generator.is_async else MAY_RAISE

        def turn(flow: Flow) -> tuple[Flow, Flow]:
            flow = self._opaque(flags, flow)
            true, skipped = flow, Flow()
            for test in generator.ifs:
                true, false = self._condition(test, true)
                merge(skipped, false)
            back = dict(self._generators(rest, parts, true))
            merge(back, skipped)
            return back, flow

        least, most = self._turns(generator.iter)
        self._unrolled += 1
        for _ in range(least):
            flow, _ = turn(flow)
        self._unrolled -= 1
        return flow if least == most else self._loop(generator, flow, turn, [])

    def _await(self, node: ast.Await, flow: Flow) -> Flow:
        return self._awaited(node.value, flow)

    def _awaited(self, node: ast.expr, flow: Flow) -> Flow:
        """Await the value of an expression."""
        if (call := self._method_call(node)) is not None:
            mine, others = self._split(flow, call.name)
            after = self._call(node, call.method, self._arguments(call.node, mine))
            if not others:
                return after
            # There, it is something else's, of which nothing is known.
            self._judged.setdefault(node, {}).update(dict.fromkeys(others))
            merge(after, self._opaque(RAISES | SUSPENDS, others))
            return after
        if type(node) is ast.Name and node.id in self._names:
            return self._await_held(node, node.id, flow)
        if type(node) is ast.Call:
            name = self._module.dotted(node.func) if node.args else ""
            if name in _WAIT_FOR:
                first, *rest = node.args
                for part in (*rest, *(keyword.value for keyword in node.keywords)):
                    flow = self._eval(part, flow)
                return self._timed(first, flow)
            if name in _SHIELD:
                return self._shielded(node.args[0], flow)
            if name in _GATHER:
                return self._gather(node, flow)
            helper = self._helper(node)
            if helper is not None and helper.is_coroutine:
                return self._help(node, helper, flow)
        return self._opaque(RAISES | SUSPENDS, self._eval(node, flow))

    def _timed(self, node: ast.expr, flow: Flow) -> Flow:
        with self._heeding() as exits:
            after = self._awaited(node, flow)
        exits.raised(TIMEOUT, likely(exits.raises.get(CANCELLED, {})))
        self.exits.add(exits)
        return after

    def _shielded(self, node: ast.expr, flow: Flow) -> Flow:
        with self._heeding() as exits:
            after = self._awaited(node, flow)
        # Whoever waits is cancelled, and what it waits for goes on.
        left = exits.raises.pop(CANCELLED, {})
        for value, origin in left.items():
            others = value.others | self._kinds(node, value.names)
            exits.raised(CANCELLED, {value._replace(others=others): origin})
        self.exits.add(exits)
        return after

    def _await_held(self, node: ast.Name, name: str, flow: Flow) -> Flow:
        after: Flow = {}
        for value, origin in flow.items():
            methods = sorted(method for held, method in value.held if held == name)
            if methods:
                # It cannot be awaited again.
                value = value._replace(held=frozenset(one for one in value.held if one[0] != name))
                merge(after, self._call(node, methods[0], {value: origin}))
            else:
                merge(after, self._opaque(RAISES | SUSPENDS, {value: origin}))
        return after

    def _call(self, node: ast.expr, method: str, flow: Flow) -> Flow:
        """Make a call of the connection's, on each way that comes there."""
        call = METHODS[method]
        line = node.lineno
        judged = self._judged.setdefault(node, {})
        raising = self.exits.raises
        after: Flow = {}
        for value, origin in flow.items():
            refused, returns, why, raises = step(value, call)
            site = site_of(node, method, value.states, origin) if refused else None
            judged[value] = None if site is None else (site, origin)
            if returns is not None and returns not in after:
                after[returns] = origin if why is None else Origin(line, why)
            if not self.heeded:
                continue
            for raised, way, because in raises:
                if site is not None and raised in (CLOSED, MISUSE):
                    raised = raised._replace(site=site)
                ways = raising.get(raised)
                if ways is None:
                    ways = raising[raised] = {}
                if way not in ways:
                    ways[way] = origin if because is None else Origin(line, because)
        return after

    def _judge_at(
        self, node: ast.expr, method: str, value: Value, origin: Origin, states: int
    ) -> Outcomes:
        """Judge a call on one way, where it may come in one of some states."""
        may = outcomes(states, METHODS[method])
        self._judged.setdefault(node, {})[value] = (
            (site_of(node, method, states, origin), origin) if may.refused else None
        )
        return may

    def _called(self, node: ast.Call, flow: Flow) -> Flow:
        """Call something, and do not await it here."""
        func = node.func
        if (call := self._method_call(node)) is not None:
            # Somebody may await it, at any time.
            mine, others = self._split(flow, call.name)
            kind = bit(call.method)
            after = {
                value._replace(others=value.others | kind): at
                for value, at in self._arguments(node, mine).items()
            }
            merge(after, self._opaque(RAISES, others))
            return after
        if isinstance(func, ast.Name) and func.id in HARMLESS and func.id not in self._names:
            for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                if not isinstance(part, ast.Name):
                    flow = self._eval(part, flow)
            return self._opaque(MAY_RAISE, flow)
        helper = self._helper(node)
        if helper is not None:
            if helper.is_plain:
                return self._help(node, helper, flow)
            return self._opaque(RAISES, self._let_help(node, helper, self._arguments(node, flow)))
        name = func.attr if isinstance(func, ast.Attribute) else self._module.dotted(func)
        if name.rpartition(".")[2] in _SPAWN and node.args:
            self._spawn(node.args[0], flow)
        return self._opaque(RAISES, self._parts(node, flow))

    def _parts(self, node: ast.Call, flow: Flow) -> Flow:
        for part in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            flow = self._eval(part, flow)
        return flow

    def _arguments(self, node: ast.Call, flow: Flow) -> Flow:
        """Evaluate the arguments of a call, but for the connection itself."""
        # Nearly none has keywords.
        more = [keyword.value for keyword in node.keywords] if node.keywords else ()
        for part in (*node.args, *more):
            if type(part) is ast.Name:
                if part.id in self._closures:
                    flow = self._name(part.id, flow)
            elif type(part) is not ast.Constant:
                flow = self._eval(part, flow)
        return flow

    def _spawn(self, node: ast.expr, flow: Flow) -> None:
        """Judge a call that a task of its own makes later."""
        call = self._method_call(node)
        if call is None:
            return
        kinds = self._kinds(self._function, frozenset(self._names))
        for value, origin in self._split(flow, call.name)[0].items():
            states = forward(value.states, value.others | kinds)
            self._judge_at(call.node, call.method, value, origin, states)

    def _gather(self, node: ast.Call, flow: Flow) -> Flow:
        """Await several at once."""
        silent = any(
            keyword.arg == "return_exceptions" and constant(keyword.value) is True
            for keyword in node.keywords
        )
        with self._heeding() as exits:
            if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
                after = dict(self._awaited(node.args[0], flow))
            else:
                after = self._together(node.args, flow)
        if silent:
            for raised, ways in [*exits.raises.items()]:
                if issubclass(raised.type, Exception):
                    merge(after, ways)
                    del exits.raises[raised]
        self.exits.add(exits)
        return after

    def _together(self, nodes: list[ast.expr], flow: Flow) -> Flow:
        after: Flow = {}
        calls = [self._method_call(node) for node in nodes]
        for call in calls:
            if call is not None:
                flow = self._arguments(call.node, flow)
        for value, origin in flow.items():
            names = value.names | {name for name, _ in value.held}
            kinds = [ALL_CALLS if value.held else self._kinds(node, names) for node in nodes]
            together = value.others
            for kind in kinds:
                together |= kind
            refused = False
            states = forward(value.states, together)
            for number, call in enumerate(calls):
                if call is None or call.name not in value.names:
                    continue
                rest = value.others
                for kind in kinds[:number] + kinds[number + 1 :]:
                    rest |= kind
                before = forward(value.states, rest)
                may = self._judge_at(call.node, call.method, value, origin, before)
                refused = refused or may.refused
                states &= forward(may.returns, together)
            others = value._replace(others=together, states=forward(value.states, together))
            where = Origin(nodes[0].lineno, origin.why) if others.states != value.states else origin
            self.exits.raised(ANY, {others: where})
            self.exits.raised(CANCELLED, unlikely({others: where}))
            if GONE & others.states:
                self.exits.raised(CLOSED, {others: where})
            if not refused and states:
                after[value._replace(states=states)] = where
        return after

    def _helper(self, node: ast.Call) -> _Helper | None:
        """Give the function of this module that gets the connection; None: it is none of them."""
        found = self._context.callees.callee(node.func, self._owner, self._closures)
        if found is None or found[0] is self._function:
            return None
        is_within = self._closures.get(found[0].name) is found[0]
        own = () if is_within else assigned(self._function)
        if is_named(node.func, own):
            # The name means something of this function's own.
            return None
        names = frozenset(self._names)
        if bound(found[0], node, names, found[1]) is None:
            return None
        helper = _Helper(*found, is_within)
        return helper if helper.names(node, names) else None

    def _summary(self, helper: _Helper, names: frozenset[str], value: Value) -> Summary | None:
        """Say what becomes of the connection in a function; None: who knows."""
        context = self._context
        function = helper.function
        outer: Mapping[str, Function | None] = {}
        if helper.is_within:
            is_own = self._shape.closures.get(function.name) is function
            outer = self._closures if is_own else self._around
        key = function, names, value.states, value.others
        if key not in context.summaries:
            # For a function that calls itself.
            context.summaries[key] = None
            if context.depth < _DEEP:
                context.depth += 1
                run = type(self)(
                    *(context, function, names, value.states, value.others, self._owner),
                    heeded=True,
                    outer=outer,
                )
                run.go()
                context.depth -= 1
                context.summaries[key] = Summary(run.ends, run.exits.raises, run.failures())
        return context.summaries[key]

    def _let_help(self, node: ast.Call, helper: _Helper, flow: Flow) -> Flow:
        """Let a function use the connection at any time, as it is called but not awaited here."""
        after: Flow = {}
        for value, origin in flow.items():
            names = helper.names(node, value.names)
            kinds = ALL_CALLS if value.held else self._kinds(helper.function, names)
            after.setdefault(value._replace(others=value.others | kinds), origin)
        return after

    def _help(self, node: ast.Call, helper: _Helper, flow: Flow) -> Flow:
        """Go into a function that is called with the connection, and come back."""
        in_question = self._in_question is node
        flow = self._arguments(node, flow)
        after: Flow = {}
        helped = self._helped.setdefault(node, {})
        for value, origin in flow.items():
            inside = helper.names(node, value.names)
            if not inside and not value.held:
                merge(after, self._opaque(RAISES | SUSPENDS, {value: origin}))
                continue
            summary = None
            if not value.held:
                summary = self._summary(helper, inside, value)
            if summary is None:
                lost = {value._replace(others=ALL_CALLS): origin}
                merge(after, self._opaque(RAISES | SUSPENDS, lost))
                continue
            failed = any(raised.site is not None for raised in summary.raises)
            helped[value] = (
                failed and not summary.returns,
                [(site, origin if at.why is Why.START else at) for site, at in summary.failures],
            )
            for bits, ways in summary.returns.items():
                for way, at in ways.items():
                    back = self._back(value, origin, way, at, node)
                    merge(after, told(back, [RESULT], bits) if in_question else back)
            for raised, ways in summary.raises.items():
                for way, at in ways.items():
                    self.exits.raised(raised, self._back(value, origin, way, at, node))
        return after

    def _back(self, value: Value, origin: Origin, way: Value, at: Origin, node: ast.Call) -> Flow:
        back = value._replace(states=way.states, others=way.others, sure=value.sure and way.sure)
        return {back: origin if at.why is Why.START else Origin(node.lineno, at.why)}

    def _condition(self, node: ast.expr, flow: Flow) -> tuple[Flow, Flow]:
        """Give what is so where a condition holds, and where it does not."""
        always = constant(node)
        if always is not None:
            return (flow, {}) if always else ({}, flow)
        if isinstance(node, ast.Name):
            return by_truth(flow, node.id, TRUE) if node.id in self._known else (flow, flow)
        if not self._flags.get(node, 0) & (TOUCHED | ASKED):
            flow = self._opaque(self._flags.get(node, 0), flow)
            return flow, flow
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                true, false = self._condition(operand, flow)
                return false, true
            case ast.BoolOp(op=op, values=values):
                rest: Flow = {}
                for value in values:
                    true, false = self._condition(value, flow)
                    flow, out = (true, false) if isinstance(op, ast.And) else (false, true)
                    merge(rest, out)
                return (flow, rest) if isinstance(op, ast.And) else (rest, flow)
            case ast.Attribute(value=ast.Name(id=name), attr="accepted") if name in self._names:
                return by_accepted(flow, name, node.lineno)
            case ast.Attribute(
                value=ast.NamedExpr(target=ast.Name(id=name)) as renamed, attr="accepted"
            ):
                return by_accepted(self._eval(renamed, flow), name, node.lineno)
            case ast.Compare(
                left=ast.Attribute(value=ast.Name(id=name), attr="accepted"),
                ops=[ast.Is() | ast.Eq() | ast.IsNot() | ast.NotEq() as how],
                comparators=[ast.Constant(value=bool(value))],
            ) if name in self._names:
                true, false = by_accepted(flow, name, node.lineno)
                same = isinstance(how, ast.Is | ast.Eq)
                return (true, false) if value is same else (false, true)
            case ast.NamedExpr(target=ast.Name(id=name), value=value) if (
                not isinstance(value, ast.Name) and self._method_call(value) is None
            ):
                true, false = self._condition(value, flow)
                true, false = (unbound(way, [name], self._known) for way in (true, false))
                if name in self._asked:
                    return told(true, [name], TRUE), told(false, [name], NONE | FALSE)
                return true, false
            case ast.Compare(
                left=left,
                ops=[ast.Is() | ast.IsNot() as how],
                comparators=[ast.Constant(value=None)],
            ):
                none, some = self._whether_none(left, flow)
                return (none, some) if isinstance(how, ast.Is) else (some, none)
            case _:
                return _by_result(self._ask(node, flow), TRUE)

    def _whether_none(self, node: ast.expr, flow: Flow) -> tuple[Flow, Flow]:
        match node:
            case ast.Name(id=name):
                pass
            case ast.NamedExpr(target=ast.Name(id=name)):
                flow = self._eval(node, flow)
            case _:
                return _by_result(self._ask(node, flow), NONE)
        return by_truth(flow, name, NONE) if name in self._known else (flow, flow)

    _EXPRESSIONS.update(
        {
            ast.Await: _await,
            ast.Call: _called,
            ast.Attribute: _attribute,
            ast.Yield: _yield,
            ast.YieldFrom: _yield,
            ast.Lambda: _lambda,
            ast.GeneratorExp: _generator,
            ast.Compare: _compare,
            ast.FormattedValue: _formatted,
            ast.NamedExpr: _walrus,
            ast.IfExp: _choice,
            ast.BoolOp: _boolean,
            ast.ListComp: _comprehension,
            ast.SetComp: _comprehension,
            ast.DictComp: _comprehension,
        }
    )


def _by_result(flow: Flow, bits: int) -> tuple[Flow, Flow]:
    if not any(value.truths for value in flow):
        return flow, flow
    true, false = by_truth(flow, RESULT, bits)
    return told(true, [RESULT], ANYTHING), told(false, [RESULT], ANYTHING)
