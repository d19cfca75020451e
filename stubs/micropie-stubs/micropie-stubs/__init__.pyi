# Types of PyPI's micropie 0.32, a single module. Where its own annotations say less than its code,
# the code decides: what a parameter has to be is what the code does with it.
#
# Each `Any` has its reason on its line or above it.

import logging
from abc import ABC, abstractmethod
from asyncio import Queue
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeAlias, TypedDict, overload, type_check_only

# Without Jinja2, which is optional, this is Any to type checkers.
from jinja2 import Environment

__author__: str
__license__: str

logger: logging.Logger
JINJA_INSTALLED: bool
MULTIPART_INSTALLED: bool
DEFAULT_MAX_BODY_SIZE: int
DEFAULT_MAX_FORM_FIELD_SIZE: int
SESSION_TIMEOUT: int

# The ASGI boundary: what is in scopes and events is as various as servers are, and each server
# types them in its own way. micropie annotates dict[str, Any] and only reads; with that, Hypercorn
# and Starlette would refuse an App, and it would refuse theirs.
_Scope: TypeAlias = Mapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
_Send: TypeAlias = Callable[[Any], Awaitable[None]]

# What a session holds is the application's own.
_Session: TypeAlias = dict[str, Any]

# The response of a middleware: "status_code", "body" and "headers"; or its rejection: "code" and
# "reason". micropie reads these keys, each of which may be missing. It is no TypedDict, because
# an override that is annotated with a dict, as micropie's are, would not be one.
_Answer: TypeAlias = Mapping[str, object]

_Headers: TypeAlias = list[tuple[str, str]]

# An uploaded file. None in `content` is its end; `get` raises MultipartFileError if it was cut
# short. multipart 1 gives bytearray, 2 bytes.
@type_check_only
class _File(TypedDict):
    filename: str
    content_type: str
    content: Queue[bytes | bytearray | None]

class MultipartFileError(Exception):
    cause: BaseException
    def __init__(self, cause: BaseException) -> None: ...

class SessionBackend(ABC):
    @abstractmethod
    async def load(self, session_id: str) -> _Session: ...
    @abstractmethod
    async def save(self, session_id: str, data: _Session, timeout: int) -> None: ...

class InMemorySessionBackend(SessionBackend):
    sessions: dict[str, _Session]
    last_access: dict[str, float]
    timeouts: dict[str, int]
    def __init__(self) -> None: ...
    async def load(self, session_id: str) -> _Session: ...
    async def save(self, session_id: str, data: _Session, timeout: int) -> None: ...

# micropie annotates Any and sets nothing but a Request.
current_request: ContextVar[Request]

class Request:
    scope: dict[str, Any]  # the ASGI boundary, kept as it came
    method: str
    path_params: list[str]
    query_params: dict[str, list[str]]
    body_params: dict[str, list[str]]
    session: _Session
    files: dict[str, _File]
    headers: dict[str, str]
    body_parsed: bool
    # For middlewares to set, and missing until then: how micropie is told another handler, by its
    # name, or another ASGI application.
    _route_handler: str
    _ws_route_handler: str
    _subapp: Callable[
        # The ASGI boundary: micropie hands on what servers hand it, which are dicts.
        [dict[str, Any], Callable[[], Awaitable[dict[str, Any]]], _Send], Awaitable[None]
    ]
    _subapp_path: str
    _subapp_mount_path: str
    def __init__(self, scope: dict[str, Any]) -> None: ...  # the ASGI boundary
    @overload
    def query(self, name: str, default: None = None) -> str | None: ...
    @overload
    def query(self, name: str, default: str) -> str: ...
    @overload
    def form(self, name: str, default: None = None) -> str | None: ...
    @overload
    def form(self, name: str, default: str) -> str: ...
    # The client decides what its JSON is.
    def json(self, name: str | None = None, default: object = None) -> Any: ...
    def regenerate_session(self) -> None: ...

class WebSocketRequest(Request): ...

class WebSocket:
    receive: _Receive
    send: _Send
    accepted: bool
    session_id: str | None
    session_cookie_secure: bool
    session_id_validator: Callable[[str], str | None] | None
    def __init__(
        self,
        receive: _Receive,
        send: _Send,
        *,
        session_cookie_secure: bool = True,
        session_id_validator: Callable[[str], str | None] | None = ...,
    ) -> None: ...
    async def accept(
        self, subprotocol: str | None = None, session_id: str | None = None
    ) -> None: ...
    async def receive_text(self) -> str: ...
    async def receive_bytes(self) -> bytes: ...
    async def send_text(self, data: str) -> None: ...
    async def send_bytes(self, data: bytes) -> None: ...
    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...

class ConnectionClosed(Exception): ...

class HttpMiddleware(ABC):
    @abstractmethod
    async def before_request(self, request: Request) -> _Answer | None: ...
    # micropie passes these by position, and its documentation gives them other names.
    @abstractmethod
    async def after_request(
        self,
        request: Request,
        status_code: int,
        # What the handler returned: its application knows of what type, and may say so.
        response_body: Any,
        extra_headers: _Headers,
        /,
    ) -> _Answer | None: ...

class WebSocketMiddleware(ABC):
    @abstractmethod
    async def before_websocket(self, request: WebSocketRequest) -> _Answer | None: ...
    @abstractmethod
    async def after_websocket(self, request: WebSocketRequest) -> None: ...

class App:
    env: Environment | None  # None without Jinja2
    session_backend: SessionBackend
    body_timeout: float | None
    max_body_size: int | None
    max_form_field_size: int | None
    session_timeout: int
    session_cookie_secure: bool
    session_id_factory: Callable[[], str]
    session_id_validator: Callable[[str], str | None] | None
    middlewares: list[HttpMiddleware]
    ws_middlewares: list[WebSocketMiddleware]
    startup_handlers: list[Callable[[], Awaitable[None]]]
    shutdown_handlers: list[Callable[[], Awaitable[None]]]
    def __init__(
        self,
        session_backend: SessionBackend | None = None,
        *,
        body_timeout: float | None = 5.0,
        max_body_size: int | None = 16777216,
        max_form_field_size: int | None = 1048576,
        session_timeout: int = 28800,
        session_cookie_secure: bool = True,
        session_id_factory: Callable[[], str] = ...,
        session_id_validator: Callable[[str], str | None] | None = ...,
    ) -> None: ...
    @property
    def request(self) -> Request: ...
    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None: ...
    # Private by name, for handlers by micropie's documentation.
    def _redirect(
        self, location: str, extra_headers: _Headers | None = None
    ) -> tuple[int, str, _Headers]: ...
    async def _render_template(self, name: str, **kwargs: object) -> str: ...
