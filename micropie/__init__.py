"""The WebSocket contract of MicroPie, its implementation and the application around it.

The types of the contract are in `micropie.contract`.
"""

from micropie.app import App
from micropie.request import Request
from micropie.websocket import ConnectionClosed, WebSocket

__all__ = ["App", "ConnectionClosed", "Request", "WebSocket"]
