"""The WebSocket contract of MicroPie, its implementation and the application around it.

The types of the contract are in `micropie.contract`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from micropie.app import App
    from micropie.request import Request
    from micropie.websocket import ConnectionClosed, WebSocket

__all__ = ["App", "ConnectionClosed", "Request", "WebSocket"]

if not TYPE_CHECKING:
    _MODULES = {
        "App": "micropie.app",
        "ConnectionClosed": "micropie.websocket",
        "Request": "micropie.request",
        "WebSocket": "micropie.websocket",
    }

    # PEP 562. The command and mypy's plugin are in this package and do without the application,
    # which takes a tenth of the time of a check where nothing has changed.
    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
