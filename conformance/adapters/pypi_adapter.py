"""PyPI's micropie, which has the same name as this package and is loaded by its file."""

import importlib.util
import sys
from importlib.metadata import distribution

__all__ = ["ConnectionClosed", "WebSocket"]

_NAME = "pypi_micropie"
_FILE = distribution("micropie").locate_file("micropie.py")
_SPEC = importlib.util.spec_from_file_location(_NAME, str(_FILE))
_MODULE = sys.modules[_NAME] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)

ConnectionClosed = _MODULE.ConnectionClosed
WebSocket = _MODULE.WebSocket
