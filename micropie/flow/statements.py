"""Statements: where control goes, and with what."""

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from micropie.flow.core import MANY
from micropie.flow.exceptions import (
    ANY,
    CANCELLED,
    CLOSED,
    NEVER,
    TIMEOUT,
    Catches,
    Raised,
    Sorts,
    caught_by,
    exception,
)
from micropie.flow.expressions import Expressions
from micropie.flow.shape import (
    ABRUPT,
    ASKED,
    MAY_RAISE,
    RAISES,
    SUSPENDS,
    THROWS,
    TOUCHED,
    at_definition,
    imported,
)
from micropie.flow.states import ALL_CALLS
from micropie.flow.syntax import constant, is_irrefutable, pattern_names
from micropie.flow.values import (
    Exits,
    Flow,
    by_accepted,
    escaped,
    given_up,
    likely,
    meanwhile,
    merge,
    merge_raised,
    unbound,
    unlikely,
)

__all__ = ["Run"]

_SUPPRESS: Final = frozenset({"contextlib.suppress", "suppress"})
_TIMEOUT: Final = frozenset({"asyncio.timeout", "asyncio.timeout_at", "timeout", "timeout_at"})
_GROUP: Final = frozenset({"asyncio.TaskGroup", "TaskGroup"})

# What lets every exception through.
_TRANSPARENT: Final = frozenset(
    {
        *("open", "contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext"),
        *("asyncio.Lock", "asyncio.Semaphore", "tempfile.TemporaryDirectory"),
        *_TIMEOUT,
    }
)


# Of a statement without any of these, nothing needs to be known but whether it raises or waits.
_RELEVANT: Final = TOUCHED | ASKED | ABRUPT


# By class, the method that goes through a node: `match` over so many would be slow, and to look for
# the table through `self` too.
_STATEMENTS: Final[dict[type[ast.AST], Callable[..., Flow]]] = {}


class Run(Expressions):
    """A function, analysed to its end."""

    def _block(self, body: Iterable[ast.stmt], flow: Flow) -> Flow:
        for statement in body:
            if not flow:
                # Nothing comes here.
                break
            flags = self._flags[statement]
            if not flags & _RELEVANT:
                flow = self._opaque(flags, flow)
                continue
            if len(flow) > MANY:
                flow = given_up(flow, self._names)
            go_through = _STATEMENTS.get(type(statement), Run._children)
            flow = go_through(self, statement, flow)
        return flow

    def _expression(self, node: ast.Expr, flow: Flow) -> Flow:
        value = node.value
        if type(value) is ast.Name:
            return flow
        if type(value) is not ast.Call:
            return self._eval(value, flow)
        if (call := self._method_call(value)) is not None:
            return self._drop(call, flow)
        flow = self._eval(value, flow)
        raised = NEVER.get(self._module.dotted(value.func))
        if raised is not None:
            self.exits.raised(raised, flow)
            return {}
        return flow

    def _is_handler(self) -> bool:
        """Whether `App` calls the function, which asks for nothing that it returns."""
        function = self._function
        return isinstance(function, ast.AsyncFunctionDef) and function.name.startswith("ws_")

    def _assign(self, node: ast.Assign, flow: Flow) -> Flow:
        return self._bind_all(node.targets, node.value, flow)

    def _annotated(self, node: ast.AnnAssign, flow: Flow) -> Flow:
        if node.value is None:
            return flow
        return self._bind_all([node.target], node.value, flow)

    def _return(self, node: ast.Return, flow: Flow) -> Flow:
        value = node.value
        if value is not None and not (self._is_handler() and isinstance(value, ast.Name)):
            call = self._method_call(value) if self._is_handler() else None
            flow = self._asked_for(value, flow) if call is None else self._drop(call, flow)
        self.exits.returned(node, flow)
        return {}

    def _raise(self, node: ast.Raise, flow: Flow) -> Flow:
        for part in (node.exc, node.cause):
            if part is not None:
                flow = self._eval(part, flow)
        for raised in self._what_is_raised(node.exc):
            self.exits.raised(raised, flow)
        return {}

    def _what_is_raised(self, node: ast.expr | None) -> Iterable[Raised]:
        match node:
            case None:
                return self._handling or (ANY,)
            case ast.Call(func=func):
                found = exception(self._context.modules, self._module, func)
            case _:
                found = exception(self._context.modules, self._module, node)
        if found is None:
            return (ANY,)
        return (Raised(found),)

    def _break(self, node: ast.Break, flow: Flow) -> Flow:
        merge(self.exits.breaks, flow)
        return {}

    def _continue(self, node: ast.Continue, flow: Flow) -> Flow:
        merge(self.exits.continues, flow)
        return {}

    def _if(self, node: ast.If, flow: Flow) -> Flow:
        true, false = self._condition(node.test, flow)
        after = self._block(node.body, true) if true else {}
        # What comes out of the one is not to change under the other.
        after = dict(after)
        merge(after, self._block(node.orelse, false) if false else {})
        return after

    def _assert(self, node: ast.Assert, flow: Flow) -> Flow:
        true, false = self._condition(node.test, flow)
        self.exits.raised(Raised(AssertionError), false)
        return true

    def _while(self, node: ast.While, flow: Flow) -> Flow:
        endless = constant(node.test) is True

        def turn(flow: Flow) -> tuple[Flow, Flow]:
            true, false = self._condition(node.test, flow)
            return self._block(node.body, true), false

        return self._loop(node, flow, turn, node.orelse, endless)

    def _for(self, node: ast.For | ast.AsyncFor, flow: Flow) -> Flow:
        flow = self._eval(node.iter, flow)
        flags = RAISES | SUSPENDS if isinstance(node, ast.AsyncFor) else MAY_RAISE

        def turn(flow: Flow) -> tuple[Flow, Flow]:
            flow = self._opaque(flags, flow)
            return self._block(node.body, self._target(node.target, flow)), flow

        after: Flow = {}
        least, most = self._turns(node.iter)
        self._unrolled += 1
        for _ in range(least):
            with self._captured() as exits:
                back, _ = turn(flow)
            flow = dict(back)
            merge(flow, exits.continues)
            merge(after, exits.breaks)
            exits.breaks, exits.continues = {}, {}
            self.exits.add(exits)
        self._unrolled -= 1
        if least == most:
            normal = dict(self._block(node.orelse, flow))
        else:
            normal = self._loop(node, flow, turn, node.orelse)
        merge(normal, after)
        return normal

    def _try(self, node: ast.Try | ast.TryStar, flow: Flow) -> Flow:
        # Where nothing heeds an exception, it need not be followed.
        final = any(self._flags[one] & _RELEVANT for one in node.finalbody)
        with self._heeding() if final else self._captured() as outer:
            has_handlers = bool(node.handlers)
            self._heed(has_handlers)
            after = self._block(node.body, flow)
            self._heed(-has_handlers)
            raises = outer.take_raises()
            after = dict(self._block(node.orelse, after))
            for handler in node.handlers:
                sorts = self._context.handled(handler)
                caught, raises = self._catch(
                    raises, sorts, handler.lineno, isinstance(node, ast.TryStar)
                )
                for what, ways in self._by_exception(handler, caught):
                    handling, self._handling = self._handling, what
                    if handler.name:
                        ways = unbound(ways, [handler.name], self._known)
                    merge(after, self._block(handler.body, ways))
                    self._handling = handling
            if self.heeded:
                for raised, ways in raises.items():
                    merge_raised(outer.raises, raised, ways)
        if not node.finalbody:
            self.exits.add(outer)
            return after
        return self._finally(node, after, outer)

    def _catch(
        self,
        raises: dict[Raised, Flow],
        sorts: Sorts,
        line: int,
        in_groups: bool = False,
    ) -> tuple[dict[Raised, Flow], dict[Raised, Flow]]:
        """Give what is caught of some exceptions, and what is not."""
        caught: dict[Raised, Flow] = {}
        rest: dict[Raised, Flow] = {}
        for raised, ways in raises.items():
            how, known, left = caught_by(raised, sorts)
            if in_groups and how is Catches.YES:
                how = Catches.MAYBE
            if how is Catches.NO:
                merge_raised(rest, raised, ways)
                continue
            if how is Catches.MAYBE:
                merge_raised(rest, left, ways)
                if raised.type is not ANY.type or sorts == (CLOSED.type,):
                    ways = unlikely(ways)
                raised = known
            site = raised.site
            if site is not None and site.receives and self._endless:
                lines = site.line, line
                ways = {value._replace(swallowed=lines): at for value, at in ways.items()}
            merge_raised(caught, raised, ways)
        return caught, rest

    def _by_exception(
        self, handler: ast.ExceptHandler, caught: dict[Raised, Flow]
    ) -> Iterator[tuple[tuple[Raised, ...], Flow]]:
        """Give what a handler is to be gone through with."""
        if self._flags[handler] & THROWS:
            # What it raises again is what it caught.
            for raised, ways in caught.items():
                yield (raised,), ways
            return
        together: Flow = {}
        for ways in caught.values():
            merge(together, ways)
        if together:
            yield tuple(caught), together

    def _finally(self, node: ast.Try | ast.TryStar, after: Flow, inner: Exits) -> Flow:
        """Go through a `finally` on each way out."""
        merge(self.exits.breaks, self._finished(node, inner.breaks))
        merge(self.exits.continues, self._finished(node, inner.continues))
        for left, ways in inner.returns.items():
            self.exits.returned(left, self._finished(node, ways))
        if self.heeded:
            for raised, ways in inner.raises.items():
                self.exits.raised(raised, self._finished(node, ways))
        else:
            # Whatever it is, what comes of it is the same, and goes nowhere.
            together: Flow = {}
            for ways in inner.raises.values():
                merge(together, ways)
            self._finished(node, together)
        return self._finished(node, after)

    def _finished(self, node: ast.Try | ast.TryStar, flow: Flow) -> Flow:
        if not flow:
            return flow

        def go_through(way: Flow) -> tuple[Flow, Exits]:
            with self._captured() as exits:
                normal = self._block(node.finalbody, way)
            return normal, exits

        return self._by_way(node, flow, go_through)

    def _with(self, node: ast.With | ast.AsyncWith, flow: Flow) -> Flow:
        return self._with_items(node, node.items, flow)

    def _with_items(
        self, node: ast.With | ast.AsyncWith, items: list[ast.withitem], flow: Flow
    ) -> Flow:
        if not items:
            return self._block(node.body, flow)
        item, *rest = items
        waits = SUSPENDS if isinstance(node, ast.AsyncWith) else 0
        call = item.context_expr
        name = self._module.dotted(call.func) if isinstance(call, ast.Call) else ""
        if name not in _SUPPRESS:
            flow = self._opaque(RAISES | waits, self._eval(call, flow))
        if item.optional_vars is not None:
            flow = self._target(item.optional_vars, flow)
        with self._heeding() as inner:
            after = dict(self._with_items(node, rest, flow))
        raises = inner.take_raises()
        if name in _SUPPRESS and isinstance(call, ast.Call):
            sorts = tuple(exception(self._context.modules, self._module, one) for one in call.args)
            if sorts:
                caught, raises = self._catch(raises, sorts, node.lineno)
                for ways in caught.values():
                    merge(after, ways)
        elif name in _TIMEOUT:
            inner.raised(TIMEOUT, likely(raises.get(CANCELLED, {})))
        elif name in _GROUP:
            after = dict(meanwhile(after))
            inner.raised(ANY, after)
        elif name not in _TRANSPARENT:
            for raised, ways in raises.items():
                if issubclass(raised.type, Exception):
                    merge(after, unlikely(ways))
        for raised, ways in raises.items():
            inner.raised(raised, ways)
        self.exits.add(inner)
        return self._opaque(MAY_RAISE | waits, after)

    def _match(self, node: ast.Match, flow: Flow) -> Flow:
        subject = node.subject
        flow = flow if isinstance(subject, ast.Name) else self._eval(subject, flow)
        flow = self._opaque(MAY_RAISE, flow)
        after: Flow = {}
        for case in node.cases:
            names = [*pattern_names(case.pattern)]
            taken = unbound(flow, names, self._known)
            if isinstance(subject, ast.Name) and subject.id in self._names and names:
                taken = escaped(taken, subject.id)
            left: Flow = {} if is_irrefutable(case.pattern) else dict(flow)
            match subject, case.pattern:
                case (
                    ast.Attribute(value=ast.Name(id=name), attr="accepted"),
                    ast.MatchSingleton(value=bool(value)),
                ) if name in self._names:
                    accepted, other = by_accepted(flow, name, subject.lineno)
                    taken, left = (accepted, other) if value else (other, accepted)
                case _:
                    pass
            if case.guard is not None:
                taken, false = self._condition(case.guard, taken)
                merge(left, false)
            merge(after, self._block(case.body, taken))
            flow = left
        merge(after, flow)
        return after

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, flow: Flow) -> Flow:
        for part in at_definition(node):
            flow = self._eval(part, flow)
        if node.decorator_list and node.name in self._closures:
            flow = self._let_go(node, flow)
        return unbound(flow, [node.name], self._known)

    def _class(self, node: ast.ClassDef, flow: Flow) -> Flow:
        flow = unbound(self._opaque(RAISES, flow), [node.name], self._known)
        return {value._replace(others=ALL_CALLS): at for value, at in flow.items()}

    def _import(self, node: ast.Import | ast.ImportFrom, flow: Flow) -> Flow:
        return unbound(self._opaque(MAY_RAISE, flow), imported(node), self._known)

    def _augmented(self, node: ast.AugAssign, flow: Flow) -> Flow:
        flow = self._target(node.target, self._eval(node.value, flow))
        return self._opaque(MAY_RAISE, flow)

    def _delete(self, node: ast.Delete, flow: Flow) -> Flow:
        for target in node.targets:
            flow = self._target(target, flow)
        return self._opaque(MAY_RAISE, flow)

    def _outer(self, node: ast.Global | ast.Nonlocal, flow: Flow) -> Flow:
        for name in node.names:
            flow = escaped(flow, name)
        return flow

    _STATEMENTS.update(
        {
            ast.Expr: _expression,
            ast.Assign: _assign,
            ast.AnnAssign: _annotated,
            ast.Return: _return,
            ast.Raise: _raise,
            ast.Break: _break,
            ast.Continue: _continue,
            ast.If: _if,
            ast.Assert: _assert,
            ast.While: _while,
            ast.For: _for,
            ast.AsyncFor: _for,
            ast.With: _with,
            ast.AsyncWith: _with,
            ast.Try: _try,
            ast.TryStar: _try,
            ast.Match: _match,
            ast.FunctionDef: _define,
            ast.AsyncFunctionDef: _define,
            ast.ClassDef: _class,
            ast.Import: _import,
            ast.ImportFrom: _import,
            ast.AugAssign: _augmented,
            ast.Delete: _delete,
            ast.Global: _outer,
            ast.Nonlocal: _outer,
        }
    )
