"""Faults of the suite's own, put in on purpose: each must be told from a wrong implementation."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final
from unittest import mock

from micropie_conformance import probe
from micropie_conformance.probe import Event, Probe

__all__ = ["HARNESSES"]

_Harness = Callable[[], AbstractContextManager[object]]


def _replaced(owner: object, name: str, value: object) -> _Harness:
    return lambda: mock.patch.object(owner, name, value)


def _nothing(*args: object, **kwargs: object) -> None:
    pass


def _no(*args: object) -> bool:
    return False


async def _nothing_async(*args: object) -> None:
    pass


_deliver = Probe.deliver
_look = Probe.look


def _deliver_twice(self: Probe, *events: Event) -> None:
    _deliver(self, *(event for one in events for event in (one, one)))


def _deliver_backwards(self: Probe, *events: Event) -> None:
    _deliver(self, *reversed(events))


def _look_twice(self: Probe) -> list[Event]:
    return 2 * _look(self)


def _raise(*args: object, **kwargs: object) -> Any:
    raise LookupError("a mistake of the suite's")


HARNESSES: Final[dict[str, _Harness]] = {
    "": nullcontext,
    "the server loses what it has": _replaced(Probe, "deliver", _nothing),
    "the server gives each event twice": _replaced(Probe, "deliver", _deliver_twice),
    "the server gives the last event first": _replaced(Probe, "deliver", _deliver_backwards),
    "the server records nothing": _replaced(Probe, "_send", _nothing_async),
    "the server records each event twice": _replaced(Probe, "look", _look_twice),
    "the server never fails": _replaced(Probe, "fail_sends", _nothing),
    "the server holds nothing back": _replaced(Probe, "hold_sends", _nothing),
    "the server never lets go": _replaced(Probe, "_go", _nothing),
    "nothing is cancelled": _replaced(Probe, "cancel", _nothing),
    "ConnectionClosed is not recognized": _replaced(Probe, "is_closed", _no),
    "no value is as expected": _replaced(probe, "same", _no),
    "a step raises": _replaced(Probe, "start", _raise),
    "a judgement raises": _replaced(Probe, "expect", _raise),
}
"""What is wrong with the suite, in words, and what makes it so; empty: nothing is."""
