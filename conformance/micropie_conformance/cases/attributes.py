"""`accepted` and `session_id`."""

from micropie_conformance.case import case
from micropie_conformance.cases.common import SESSION
from micropie_conformance.probe import CONNECT, Event, Probe

_BEFORE: dict[str, tuple[Event, ...]] = {"connect-comes": (CONNECT,), "nothing-comes": ()}


@case("WS-ATTR-001", _BEFORE)
def not_accepted_at_first(probe: Probe, *events: Event) -> None:
    """Make a connection and look."""
    probe.deliver(*events)
    probe.expect_attribute("accepted", False)


@case("WS-ATTR-001")
def not_accepted_when_cancelled(probe: Probe) -> None:
    """Cancel accept() while it waits for the connect event, and look."""
    probe.cancel(probe.begin("accept"))
    probe.expect_attribute("accepted", False)


@case("WS-ATTR-002")
def accepted_when_open(probe: Probe) -> None:
    """Accept and look."""
    probe.open()
    probe.expect_attribute("accepted", True)


@case("WS-ATTR-003")
def not_accepted_when_rejected(probe: Probe) -> None:
    """Close before accept() and look."""
    probe.reject()
    probe.expect_attribute("accepted", False)


@case("WS-ATTR-004", _BEFORE)
def no_session_id_at_first(probe: Probe, *events: Event) -> None:
    """Make a connection and look."""
    probe.deliver(*events)
    probe.expect_attribute("session_id", None)


@case("WS-ATTR-004")
def no_session_id_when_cancelled(probe: Probe) -> None:
    """Cancel accept(session_id=...) while it waits for the connect event, and look."""
    probe.cancel(probe.begin("accept", session_id=SESSION))
    probe.expect_attribute("session_id", None)


@case("WS-ATTR-005")
def session_id_when_open(probe: Probe) -> None:
    """Accept with a session_id and look."""
    probe.open(session_id=SESSION)
    probe.expect_attribute("session_id", SESSION)


@case("WS-ATTR-006", {"plain": (None,), "subprotocol": ("chat",)})
def no_session_id_when_open(probe: Probe, subprotocol: str | None) -> None:
    """Accept without a session_id and look."""
    probe.open(subprotocol=subprotocol)
    probe.expect_attribute("session_id", None)


@case("WS-ATTR-007")
def no_session_id_when_rejected(probe: Probe) -> None:
    """Close before accept() and look."""
    probe.reject()
    probe.expect_attribute("session_id", None)
