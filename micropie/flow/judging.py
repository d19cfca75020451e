"""What is wrong with a call that fails because of the connection's state, in words."""

import ast
from typing import Final

from micropie._state import Call, State
from micropie.flow.exceptions import Site
from micropie.flow.findings import Code, Finding, Severity
from micropie.flow.states import GONE, METHODS, NEW, outcomes, states_bits
from micropie.flow.values import Origin, Why

__all__ = ["finding_of", "site_of", "words_of"]

_WAS_ACCEPTED: Final = states_bits(State.OPEN, State.GONE, State.CLOSED)


def finding_of(node: ast.expr, always: bool, text: str, site: Site, origin: Origin) -> Finding:
    """Make the finding of a call; it is possible only, where it does not `always` fail."""
    severity, text = (Severity.ERROR, text) if always else (Severity.WARNING, f"possibly {text}")
    return Finding(node.lineno, node.col_offset + 1, site.code, severity, text, origin.line)


def site_of(node: ast.expr, method: str, states: int, origin: Origin) -> Site:
    """Say what is wrong with a call of a method in some states, all of which refuse it."""
    may = outcomes(states, METHODS[method])
    raises = [
        name
        for bits, name in ((may.misuse, "RuntimeError"), (may.closed, "ConnectionClosed"))
        if bits
    ]
    return Site(
        node.lineno, method, _code(METHODS[method], states, origin.why), " or ".join(raises)
    )


def _code(call: Call, states: int, why: Why) -> Code:
    """Name what is wrong with a call that fails in all of some states."""
    if call is Call.ACCEPT:
        if why is Why.CLOSE or not states & (_WAS_ACCEPTED | GONE):
            return Code.ACCEPT_AFTER_CLOSE
        return (
            Code.USE_AFTER_DISCONNECT
            if not states & ~states_bits(State.ABANDONED)
            else Code.SECOND_ACCEPT
        )
    sends = call is Call.SEND
    if states & NEW:
        return Code.SEND_BEFORE_ACCEPT if sends else Code.RECEIVE_BEFORE_ACCEPT
    if why is Why.DISCONNECT or not states & ~GONE:
        return Code.USE_AFTER_DISCONNECT
    return Code.SEND_AFTER_CLOSE if sends else Code.RECEIVE_AFTER_CLOSE


_REASONS: Final = {
    Code.SEND_BEFORE_ACCEPT: "before accept()",
    Code.RECEIVE_BEFORE_ACCEPT: "before accept()",
    Code.SECOND_ACCEPT: "a second time",
    Code.ACCEPT_AFTER_CLOSE: "after close()",
    Code.SEND_AFTER_CLOSE: "after close()",
    Code.RECEIVE_AFTER_CLOSE: "after close()",
    Code.USE_AFTER_DISCONNECT: "after the client has disconnected",
}

_ORIGINS: Final = {
    Why.START: "nothing is accepted at the beginning, in line {}",
    Why.ACCEPT: "it was accepted in line {}",
    Why.MESSAGE: "it was accepted before line {}",
    Why.CLOSE: "it was closed in line {}",
    Why.DISCONNECT: "that was noticed in line {}",
    Why.CONDITION: "that is so by the condition in line {}",
}


def words_of(site: Site, origin: Origin) -> str:
    """Say it in a sentence."""
    where = _ORIGINS[origin.why].format(origin.line)
    return f"{site.method}() {_REASONS[site.code]}: it raises {site.raises}; {where}"
