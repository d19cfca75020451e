"""`micropie.Request`: what it reads from a scope."""

import pytest

from micropie import Request


def request(**scope: object) -> Request:
    return Request({"type": "websocket", "path": "/", **scope})


@pytest.mark.parametrize(
    ("path", "root_path", "handler_name", "path_params"),
    [
        ("/chat/a/b", "", "ws_chat", ["a", "b"]),
        ("/chat", "", "ws_chat", []),
        ("/chat/", "", "ws_chat", []),
        ("/chat/a//", "", "ws_chat", ["a"]),
        ("//chat/a", "", "ws_chat", ["a"]),
        ("/chat//b", "", "ws_chat", ["", "b"]),
        ("/chat/a b/é", "", "ws_chat", ["a b", "é"]),
        ("/", "", "ws_index", []),
        ("", "", "ws_index", []),
        ("//", "", "ws_index", []),
        ("/index/a", "", "ws_index", ["a"]),
        # Mounted: servers and routers that leave the mount's path in front, and one that does not.
        ("/api/chat/a", "/api", "ws_chat", ["a"]),
        ("/api/chat/a", "/api/", "ws_chat", ["a"]),
        ("/api", "/api", "ws_index", []),
        ("/chat/a", "/api", "ws_chat", ["a"]),
        ("/apical/a", "/api", "ws_apical", ["a"]),
        ("/chat", "/", "ws_chat", []),
    ],
)
def test_path(path: str, root_path: str, handler_name: str, path_params: list[str]) -> None:
    read = request(path=path, root_path=root_path)
    assert read.path == path
    assert read.handler_name == handler_name
    assert read.path_params == path_params


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        (b"", {}),
        (b"a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}),
        (b"a=&b", {"a": [""], "b": [""]}),
        (b"a=%C3%A9+%2B%26&%62=x", {"a": ["é +&"], "b": ["x"]}),
        ("a=é".encode(), {"a": ["é"]}),
        (b"a=%FF&b=\xff", {"a": ["\ufffd"], "b": ["\ufffd"]}),
        (b"a=1;b=2", {"a": ["1;b=2"]}),
    ],
)
def test_query(query: bytes, parameters: dict[str, list[str]]) -> None:
    read = request(query_string=query)
    assert read.query_params == parameters
    assert read.query_params is read.query_params


def test_one_query_parameter() -> None:
    read = request(query_string=b"a=1&a=2&b=")
    assert (read.query("a"), read.query("b"), read.query("c")) == ("1", "", None)
    assert (read.query("b", "x"), read.query("c", "x")) == ("", "x")


def test_headers_are_found_in_any_case() -> None:
    headers = request(headers=[(b"Origin", b"http://a"), (b"x-name", b"\xe9")]).headers
    assert headers["origin"] == headers["ORIGIN"] == "http://a"
    assert "X-Name" in headers
    assert headers.get("x-name") == "é"
    assert headers.get("x-other") is None
    assert list(headers) == ["origin", "x-name"]
    assert len(headers) == 2
    assert repr(headers) == "{'origin': 'http://a', 'x-name': 'é'}"
    with pytest.raises(KeyError):
        headers["x-other"]


def test_repeated_headers_are_joined() -> None:
    read = request(
        headers=[(b"accept", b"a"), (b"cookie", b"x=1"), (b"accept", b"b"), (b"cookie", b"y=2")]
    )
    assert read.headers["accept"] == "a, b"
    assert read.headers["cookie"] == "x=1; y=2"
    assert read.cookies == {"x": "1", "y": "2"}


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        (b"", {}),
        (b"a=1; b=2", {"a": "1", "b": "2"}),
        (b"a=1;b=2;", {"a": "1", "b": "2"}),
        (b" a = 1 ", {"a": "1"}),
        (b"a=b=c==", {"a": "b=c=="}),
        (b'a="q"; b=', {"a": '"q"', "b": ""}),
        (b"a=first; a=second", {"a": "first"}),
        # One that is malformed does not take the others with it.
        (b"a=1; nonsense; [x]=y; b=2", {"a": "1", "[x]": "y", "b": "2"}),
    ],
)
def test_cookies(header: bytes, cookies: dict[str, str]) -> None:
    assert request(headers=[(b"cookie", header)]).cookies == cookies


def test_what_the_server_tells() -> None:
    read = request(client=["::1", 5000], subprotocols=["b", "a"])
    assert read.client == ("::1", 5000)
    assert read.subprotocols == ["b", "a"]
    assert read.scope["path"] == "/"


@pytest.mark.parametrize("scope", [{}, {"client": None, "subprotocols": None}])
def test_what_the_server_does_not_tell(scope: dict[str, object]) -> None:
    read = request(**scope)
    assert read.client is None
    assert read.subprotocols == []
    assert read.query_params == {}
    assert dict(read.headers) == {}
    assert read.cookies == {}
