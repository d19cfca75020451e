"""What cases are for that find out nothing which no other case does: by the reason, their ids."""

from typing import Final

__all__ = ["JUSTIFIED", "LIVE"]

JUSTIFIED: Final[dict[str, list[str]]] = {
    "It is the plainest case of its clause: what breaks it breaks longer ones too, but it shows "
    "the fault in the fewest steps, and names its clause.": [
        "WS-ACCEPT-001/accepts",
        "WS-RECV-002/receives-bytes",
        "WS-GONE-002/receive-after-accept-missed",
        "WS-GONE-003/send-after-accept-missed",
        "WS-GONE-004/send-after-disconnect",
        "WS-REJECT-001/rejects",
        "WS-REJECT-004/accept-after-reject",
        "WS-TASKS-003/two-closes",
        "WS-TASKS-004/close-and-send",
        "WS-CANCEL-001/cancel-receive",
        "WS-CANCEL-002/cancel-accept",
    ],
    "It has the event come after the call, where its sibling has it there before: an "
    "implementation may have code for each.": [
        "WS-ACCEPT-001/accepts-later",
        "WS-RECV-001/waits-for-a-text",
        "WS-RECV-002/waits-for-bytes",
        "WS-RECV-005/text-of-a-client-that-goes",
        "WS-RECV-006/bytes-of-a-client-that-goes",
        "WS-CANCEL-001/cancel-receive-and-wait",
        "WS-CANCEL-002/cancel-accept-and-wait",
    ],
    "Its clause is documented; what else finds out the same are clauses that are robust, which "
    "--level documented leaves out.": [
        "WS-SIGN-002/gives-an-awaitable",
        "WS-NEW-001/receive-raises",
        "WS-NEW-005/send-text-raises-while-accept-waits",
    ],
    "Parameters that are swapped show in the defaults as well, but only here as what they are.": [
        "WS-SIGN-006/close-by-position",
    ],
    "An accept that does not wait has not read, and one that has not read did not wait; one of the "
    "two is reached where the other is not.": [
        "WS-ACCEPT-002/waits-for-connect",
        "WS-ACCEPT-002/reads-connect",
    ],
    "It leads to the situation of its clause by another way than its sibling; an implementation "
    "that cannot be led one way is judged by the other.": [
        "WS-RECV-007/keeps-the-order",
        "WS-RECV-007/keeps-the-order-one-by-one",
        "WS-GONE-009/close-after-os-error",
        "WS-TASKS-001/two-receives-and-two-messages",
        "WS-TASKS-005/close-and-receive",
        "WS-TASKS-005/close-and-receive-a-message",
        "WS-CANCEL-001/cancel-one-of-two-receives",
        "WS-CANCEL-002/cancel-one-of-two-accepts",
    ],
}
"""Reasons, with the ids of the cases, without the rows of their tables, that they hold for."""

LIVE: Final = "tests/conformance/live/test_cases.py shows that each can fail"
"""Why the live cases are left out."""
