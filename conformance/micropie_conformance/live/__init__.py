"""The cases over real sockets: a real server, a real client, and the implementation between.

The cases can be listed without the packages that running them needs: `hosting`, `wire`, `running`
and `servers` import those, no other module does.
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGE_LIMIT", "SERVERS"]

SERVERS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "hypercorn": {
        "asyncio": (),
        "uvloop": ("uvloop",),
        "trio": ("trio",),
        "asyncio+h2": (),
        "uvloop+h2": ("uvloop",),
    },
    "uvicorn": {"websockets-sansio": ("uvicorn",), "wsproto": ("uvicorn", "wsproto")},
    "granian": {"asyncio": ("granian",)},
    "daphne": {"asyncio": ("daphne",)},
}
"""The servers that the cases run behind; the ways in which each is run, with what that needs
beside the extra `conformance`."""

MESSAGE_LIMIT: Final = 2**21
"""The largest message that a server takes, in bytes, where it can be told so."""
