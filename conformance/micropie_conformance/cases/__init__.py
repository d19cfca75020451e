"""The cases in memory, one module for each part of the contract."""

from micropie_conformance.cases import (
    attributes,
    closing,
    handshake,
    over,
    receiving,
    sending,
    signature,
    tasks,
)

__all__ = [
    "attributes",
    "closing",
    "handshake",
    "over",
    "receiving",
    "sending",
    "signature",
    "tasks",
]
