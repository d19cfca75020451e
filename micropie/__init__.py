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
        "App": "app",
        "ConnectionClosed": "websocket",
        "Request": "request",
        "WebSocket": "websocket",
    }

    # PEP 562. The command and mypy's plugin are in this package and do without the application,
    # which takes a tenth of the time of a check where nothing has changed.
    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            value = globals()[name] = getattr(import_module(f"micropie.{_MODULES[name]}"), name)
            return value
        # As if they had been imported to begin with.
        if name in {"app", "contract", "request", "websocket"}:
            return import_module(f"micropie.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
