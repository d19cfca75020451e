"""The conformance suite of MicroPie's WebSocket contract."""

__all__ = ["__version__"]

__version__ = "2026.11"
"""The version of the suite: the year and month of its newest clause or case."""
