"""What a client asked for: the ASGI scope of one connection, read."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from urllib.parse import parse_qs

from micropie.contract import Scope

__all__ = ["Request"]


class Request:
    """The request that opened a connection; `App.request` gives the current one.

    What costs time is read from the scope when it is first asked for, and kept.

    Attributes:
        scope: The ASGI connection scope, as the server gave it.
        handler_name: The name of the handler that the path asks for, whether there is one or not:
            `ws_` and the first segment, `ws_index` for `/`.
        path_params: The segments of the path after the one that names the handler:
            `["a", "b"]` of `/chat/a/b`. Slashes at both ends of the path do not count; an
            empty segment between two slashes is an empty parameter.
    """

    def __init__(self, scope: Scope) -> None:
        """Read the path of `scope`, an `http` or `websocket` scope."""
        self.scope = scope
        path: str = scope["path"]
        # ASGI, "HTTP Connection Scope": `root_path` is where the application is mounted. Most
        # servers and routers leave it at the front of `path`, some have taken it off.
        root: str = scope.get("root_path", "").rstrip("/")
        if root and f"{path}/".startswith(f"{root}/"):
            path = path[len(root) :]
        self.path_params: list[str]
        first, *self.path_params = path.strip("/").split("/")
        self.handler_name: str = f"ws_{first or 'index'}"

    @property
    def path(self) -> str:
        """The whole path, percent-decoded, without the query."""
        path: str = self.scope["path"]
        return path

    @cached_property
    def query_params(self) -> dict[str, list[str]]:
        """The parameters of the query: all values of each name, in order, empty ones too."""
        query: bytes = self.scope.get("query_string", b"")
        return parse_qs(query.decode("utf-8", "replace"), keep_blank_values=True)

    def query(self, name: str, default: str | None = None) -> str | None:
        """Give the first value of a query parameter, or `default` when there is none."""
        return self.query_params.get(name, [default])[0]

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The header fields, decoded as Latin-1; a name is found in any case.

        The values of a repeated field are joined with a comma (RFC 9110, section 5.3), those of
        `cookie` with a semicolon (RFC 9113, section 8.2.3).
        """
        return _Headers(self.scope.get("headers", ()))

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies (RFC 6265, section 4.2), their values as they were sent.

        Of two with the same name, the first counts: it is the one with the longer path. What is
        no `name=value` is left out.
        """
        cookies: dict[str, str] = {}
        for pair in self.headers.get("cookie", "").split(";"):
            name, equals, value = pair.partition("=")
            if equals:
                cookies.setdefault(name.strip(), value.strip())
        return cookies

    @property
    def client(self) -> tuple[str, int] | None:
        """The host and port of the client, or `None` when the server does not know them."""
        client = self.scope.get("client")
        return None if client is None else (client[0], client[1])

    @property
    def subprotocols(self) -> list[str]:
        """The WebSocket subprotocols that the client offers, the preferred one first."""
        return list(self.scope.get("subprotocols") or ())


class _Headers(Mapping[str, str]):
    """Header fields by name in any case (RFC 9110, section 5.1)."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._fields: dict[str, str] = {}
        for name_bytes, value_bytes in raw:
            name = name_bytes.decode("latin-1").lower()
            value = value_bytes.decode("latin-1")
            if name in self._fields:
                value = f"{self._fields[name]}{'; ' if name == 'cookie' else ', '}{value}"
            self._fields[name] = value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(self._fields)
