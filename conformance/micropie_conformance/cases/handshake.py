"""Before `accept`, and `accept` itself: the connect event, the cookie, the subprotocol."""

import inspect

from micropie_conformance.case import case
from micropie_conformance.cases.common import RECEIVE, SESSION
from micropie_conformance.facts import cookies, is_header, line_breaks
from micropie_conformance.outcomes import BLOCKED, Raised, same, show
from micropie_conformance.probe import (
    CONNECT,
    DISCONNECT,
    Call,
    Event,
    NotApplicable,
    Probe,
    Unreached,
    text,
)
from micropie_conformance.steps import Check, literal

# Of the accept event, as in a `Check`.
_COOKIES = 'cookies(sent[-1]["headers"])'
_SUBPROTOCOL = 'sent[-1].get("subprotocol")'

# Before accept


@case("WS-NEW-001", RECEIVE)
def receive_raises(probe: Probe, method: str) -> None:
    """Receive before accept(), while the connect event is there to be read."""
    probe.deliver(CONNECT)
    probe.expect_error(probe.start(method))


@case("WS-NEW-002", RECEIVE)
def receive_raises_runtime_error(probe: Probe, method: str) -> None:
    """Receive before accept(), while the connect event is there to be read."""
    probe.deliver(CONNECT)
    call = probe.start(method)
    if not isinstance(call.outcome, Raised):
        raise Unreached(str(call))
    probe.expect_raised(call, RuntimeError)


@case("WS-NEW-002", RECEIVE)
def receive_raises_while_accept_waits(probe: Probe, method: str) -> None:
    """Receive while another task waits in accept() for the connect event."""
    probe.begin("accept")
    call = probe.start(method)
    if not isinstance(call.outcome, Raised):
        raise Unreached(str(call))
    probe.expect_raised(call, RuntimeError)


@case("WS-NEW-003", RECEIVE)
def receive_is_silent(probe: Probe, method: str) -> None:
    """Receive before accept(), while there is no event to be read."""
    call = probe.start(method)
    probe.expect_at_once(call)
    probe.expect_nothing_sent()


@case("WS-NEW-004", RECEIVE)
def accept_after_receive(probe: Probe, method: str) -> None:
    """Receive before accept(), then accept."""
    probe.deliver(CONNECT)
    call = probe.start(method)
    if call.outcome is BLOCKED:
        raise Unreached(str(call))
    probe.expect_accepts(probe.start("accept"))


@case("WS-NEW-005")
def send_text_raises(probe: Probe) -> None:
    """Send a text before accept()."""
    probe.deliver(CONNECT)
    call = probe.start("send_text", "x")
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError)


@case("WS-NEW-005")
def send_text_raises_while_accept_waits(probe: Probe) -> None:
    """Send a text while another task waits in accept() for the connect event."""
    probe.begin("accept")
    call = probe.start("send_text", "x")
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError)


@case("WS-NEW-006")
def send_bytes_raises_while_accept_waits(probe: Probe) -> None:
    """Send bytes while another task waits in accept() for the connect event."""
    probe.begin("accept")
    call = probe.start("send_bytes", b"x")
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError)


@case("WS-NEW-006")
def send_bytes_raises(probe: Probe) -> None:
    """Send bytes before accept()."""
    probe.deliver(CONNECT)
    call = probe.start("send_bytes", b"x")
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError)


# accept


def _expect_one_accept(probe: Probe, call: Call) -> None:
    probe.expect_returns(call)
    probe.expect_kinds("websocket.accept")


@case("WS-ACCEPT-001")
def accepts(probe: Probe) -> None:
    """Accept when the connect event is there."""
    probe.deliver(CONNECT)
    _expect_one_accept(probe, probe.start("accept"))


@case("WS-ACCEPT-001")
def accepts_later(probe: Probe) -> None:
    """Accept before the connect event is there, then let it come."""
    call = probe.begin("accept")
    probe.deliver(CONNECT)
    _expect_one_accept(probe, call)


@case("WS-ACCEPT-002")
def waits_for_connect(probe: Probe) -> None:
    """Accept before the connect event is there."""
    call = probe.start("accept")
    probe.expect_nothing_sent()
    probe.expect_waits(call)


@case("WS-ACCEPT-002")
def reads_connect(probe: Probe) -> None:
    """Accept, and look whether the connect event has been read."""
    probe.open()
    check = Check("not inbox", '"unread", list(inbox)')
    probe.expect(
        probe.read > 0, "accept() has read the connect event", "it has read nothing", check
    )


@case("WS-ACCEPT-003", {"no-session-id": (None,), "session-id": (SESSION,)})
def header_names_and_values(probe: Probe, session_id: str | None) -> None:
    """Accept, and look at every header of the accept event."""
    event = _accept(probe, session_id=session_id)
    # A server goes through them; none at all is an absent key.
    check = Check('sent[-1].get("headers", ()) is not None', '"sent", sent')
    probe.expect(event.get("headers", ()) is not None, "headers, or no such key", "None", check)
    headers = _headers(event)
    probe.expect(
        all(map(is_header, headers)),
        "each header is a pair of lower-case bytes and bytes",
        show(next((header for header in headers if not is_header(header)), None)),
        Check('all(map(is_header, sent[-1]["headers"]))', 'sent[-1]["headers"]'),
    )


def _headers(event: Event) -> list[object]:
    headers: list[object] | None = event.get("headers")
    return headers or []


@case("WS-ACCEPT-004")
def client_went_before(probe: Probe) -> None:
    """Accept when the server has a disconnect in place of the connect event."""
    probe.deliver(DISCONNECT)
    call = probe.start("accept")
    probe.expect_nothing_sent()
    probe.expect_closed(call)


@case("WS-ACCEPT-005")
def accept_after_a_failed_one(probe: Probe) -> None:
    """Accept while the server fails with an error that is no OSError, then accept again."""
    probe.deliver(CONNECT)
    probe.fail_sends(RuntimeError("the server is out of order"))
    call = probe.start("accept")
    if not isinstance(call.outcome, Raised) or not probe.sent:
        raise Unreached(str(call))
    probe.fail_sends(None)
    probe.expect_at_once(probe.start("accept"))


@case("WS-ACCEPT-005")
def accept_after_a_cancelled_one(probe: Probe) -> None:
    """Cancel accept() when it has read the connect event and not yet returned, then accept."""
    probe.deliver(CONNECT)
    probe.hold_sends()
    call = probe.begin("accept")
    probe.cancel(call)
    if call.outcome is BLOCKED:
        raise Unreached(f"{call} though it was cancelled")
    probe.release_sends()
    probe.expect_at_once(probe.start("accept"))


@case("WS-ACCEPT-006")
def accept_twice(probe: Probe) -> None:
    """Accept an open connection again, while there is no event to be read."""
    probe.open()
    call = probe.start("accept")
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError)


@case("WS-ACCEPT-006")
def accept_twice_loses_nothing(probe: Probe) -> None:
    """Accept an open connection again, while a message is there, then receive it."""
    probe.open()
    probe.receive_one("receive_text")
    probe.deliver(text("hello"))
    call = probe.start("accept")
    probe.expect_nothing_sent()
    probe.expect_at_once(call)
    probe.expect_returned(probe.start("receive_text"), "hello")


@case("WS-ACCEPT-006")
def accept_twice_with_two_faults(probe: Probe) -> None:
    """Accept an open connection again with a session_id that would be refused anyway."""
    probe.open()
    call = probe.start("accept", session_id="a b")
    probe.expect_nothing_sent()
    probe.expect_raised(call, RuntimeError, ValueError)


# The cookie


def _accept(probe: Probe, **kwargs: object) -> Event:
    """Accept and give the accept event, for a look at one of its keys."""
    probe.deliver(CONNECT)
    probe.do("accept", **kwargs)
    return _sent_accept(probe)


def _sent_accept(probe: Probe) -> Event:
    if not probe.sent:
        raise Unreached("accept() sent nothing")
    return probe.sent[-1]


@case(
    "WS-COOKIE-001",
    {
        "uuid": (SESSION,),
        "short": ("a",),
        "punctuation": ("!#$%&'()*+-./:<=>?@[]^_`{|}~",),
    },
)
def sets_the_cookie(probe: Probe, session_id: str) -> None:
    """Accept with a session_id."""
    probe.deliver(CONNECT)
    call = probe.start("accept", session_id=session_id)
    probe.expect_returns(call)
    found = cookies(_headers(_sent_accept(probe)))
    pairs = [cookie.split(";")[0].strip() for cookie in found]
    expected = f"session_id={session_id}"
    check = Check(
        f'[cookie.split(";")[0].strip() for cookie in {_COOKIES}] == {literal([expected])}',
        _COOKIES,
    )
    probe.expect(pairs == [expected], f"one set-cookie header with {expected}", show(found), check)


@case("WS-COOKIE-002", {"plain": (None,), "subprotocol": ("chat",)})
def sets_no_cookie(probe: Probe, subprotocol: str | None) -> None:
    """Accept without a session_id."""
    found = cookies(_headers(_accept(probe, subprotocol=subprotocol)))
    check = Check(f"not {_COOKIES}", _COOKIES)
    probe.expect(not found, "no set-cookie header", show(found), check)


_NO_COOKIE_VALUES = {
    "empty": ("",),
    "null": ("a\0b",),
    "tab": ("a\tb",),
    "cr": ("a\rb",),
    "lf": ("a\nb",),
    "escape": ("a\x1bb",),
    "delete": ("a\x7fb",),
    "space": ("a b",),
    "last-space": ("ab ",),
    "last-lf": ("ab\n",),
    "quote": ('a"b',),
    "comma": ("a,b",),
    "semicolon": ("a; Domain=example.com",),
    "backslash": ("a\\b",),
    "not-ascii": ("ä",),
}


@case("WS-COOKIE-003", _NO_COOKIE_VALUES)
def refuses_the_session_id(probe: Probe, session_id: str) -> None:
    """Accept with a session_id that no cookie can carry, then without one."""
    probe.deliver(CONNECT)
    call = probe.start("accept", session_id=session_id)
    _expect_refused(probe, call)
    probe.expect_accepts(probe.start("accept"))
    found = [cookie for cookie in cookies(_headers(probe.sent[0])) if session_id in cookie]
    check = Check(
        f'not any({literal(session_id)} in cookie for cookie in cookies(sent[0]["headers"]))',
        'cookies(sent[0]["headers"])',
    )
    # The empty one is in each.
    probe.expect(not (session_id and found), "no cookie with what was refused", show(found), check)


@case("WS-COOKIE-003")
def refuses_the_session_id_at_once(probe: Probe) -> None:
    """Accept with a session_id that no cookie can carry, before there is a connect event."""
    _expect_refused(probe, probe.start("accept", session_id="a b"))


def _expect_refused(probe: Probe, call: Call) -> None:
    probe.expect_nothing_sent()
    probe.expect_raised(call, ValueError)


@case(
    "WS-COOKIE-004",
    {
        f"{name}-in-{where}": (parameter, f"a{chars}b")
        for where, parameter in (("session-id", "session_id"), ("subprotocol", "subprotocol"))
        for name, chars in (("cr", "\r"), ("lf", "\n"), ("crlf", "\r\nset-cookie: x=y"))
    },
)
def no_line_breaks(probe: Probe, parameter: str, value: str) -> None:
    """Accept with CR or LF in an argument, and look at all that was sent, if anything was."""
    probe.deliver(CONNECT)
    probe.start("accept", **{parameter: value})
    found = [
        part
        for event in probe.sent
        for part in line_breaks(_headers(event), event.get("subprotocol"))
    ]
    check = Check(
        'not any(line_breaks(event["headers"], event.get("subprotocol")) for event in sent)',
        '"sent", sent',
    )
    probe.expect(not found, "no CR and no LF in the accept event", show(found), check)


@case(
    "WS-COOKIE-005",
    {
        "int": (5,),
        "zero": (0,),
        "bytes": (b"abc",),
        "empty-bytes": (b"",),
        "list": (["abc"],),
    },
)
def refuses_a_session_id_that_is_no_str(probe: Probe, session_id: object) -> None:
    """Accept with a session_id of another type."""
    probe.deliver(CONNECT)
    call = probe.start("accept", session_id=session_id)
    probe.expect_nothing_sent()
    probe.expect_raised(call, TypeError, ValueError)


# The subprotocol


@case(
    "WS-PROTO-001",
    {
        "plain": ("chat",),
        "dotted": ("graphql-transport-ws.v1",),
        "mixed-case": ("WAMP.2.JSON",),
        "punctuation": ("!#$%&'*+-.^_`|~",),
    },
)
def names_the_subprotocol(probe: Probe, subprotocol: str) -> None:
    """Accept with a subprotocol."""
    probe.deliver(CONNECT)
    _expect_named(probe, subprotocol)


@case("WS-PROTO-001")
def names_a_subprotocol_that_was_offered(probe: Probe) -> None:
    """Accept with the second of two subprotocols that the client has offered."""
    _offer(probe, "mqtt", "chat")
    _expect_named(probe, "chat")


def _expect_named(probe: Probe, subprotocol: str) -> None:
    call = probe.start("accept", subprotocol=subprotocol)
    probe.expect_returns(call)
    named = _sent_accept(probe).get("subprotocol")
    check = Check(f"{_SUBPROTOCOL} == {literal(subprotocol)}", f"repr({_SUBPROTOCOL})")
    probe.expect(
        same(named, subprotocol), f"subprotocol={show(subprotocol)} sent", show(named), check
    )


@case("WS-PROTO-002", {"plain": (None,), "session-id": (SESSION,)})
def names_no_subprotocol(probe: Probe, session_id: str | None) -> None:
    """Accept without a subprotocol."""
    named = _accept(probe, session_id=session_id).get("subprotocol")
    check = Check(f"{_SUBPROTOCOL} is None", f"repr({_SUBPROTOCOL})")
    probe.expect(named is None, "no subprotocol sent", show(named), check)


@case(
    "WS-PROTO-003",
    {
        "empty": ("",),
        "space": ("a b",),
        "comma": ("a,b",),
        "slash": ("a/b",),
        "quote": ('"a"',),
        "parenthesis": ("a(b)",),
        "cr": ("a\rb",),
        "lf": ("a\nb",),
        "last-lf": ("ab\n",),
        "delete": ("a\x7f",),
        "not-ascii": ("ä",),
    },
)
def refuses_the_subprotocol(probe: Probe, subprotocol: str) -> None:
    """Accept with a subprotocol that is no HTTP token, then without one."""
    probe.deliver(CONNECT)
    _expect_refused(probe, probe.start("accept", subprotocol=subprotocol))
    probe.expect_accepts(probe.start("accept"))


@case("WS-PROTO-003")
def refuses_the_subprotocol_at_once(probe: Probe) -> None:
    """Accept with a subprotocol that is no HTTP token, before there is a connect event."""
    _expect_refused(probe, probe.start("accept", subprotocol="a b"))


@case(
    "WS-PROTO-004",
    {"another": ("mqtt", "superchat"), "part-of-one": ("superchat",), "none-offered": ()},
)
def refuses_what_was_not_offered(probe: Probe, *offered: str) -> None:
    """Accept with a subprotocol that the client has not offered, then without one."""
    _offer(probe, *offered)
    _expect_refused(probe, probe.start("accept", subprotocol="chat"))
    probe.expect_accepts(probe.start("accept"))


def _offer(probe: Probe, *offered: str) -> None:
    """Make the connection with what the client offers, and let the connect event be there."""
    try:
        parameters = inspect.signature(probe.target.factory).parameters
        known = parameters["subprotocols"].kind in (
            inspect.Parameter.KEYWORD_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
    except Exception:
        known = False
    if not known:
        raise NotApplicable("the factory takes no keyword `subprotocols` for what is offered")
    probe.make(subprotocols=list(offered))
    probe.deliver(CONNECT)
