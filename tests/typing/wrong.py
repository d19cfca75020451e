"""Wrong uses, each on the line that its name is on. Type-checked, never run.

Each is one that a user or an implementer may come to write. `check.py` looks which checker finds
which; an error on any other line is none that is meant.
"""

from asyncio import create_task, wait_for
from collections.abc import AsyncIterator

from typing_extensions import override

from micropie import App, ConnectionClosed, Request, WebSocket
from micropie.contract import (
    Acceptable,
    ASGIApplication,
    BytesReceiver,
    BytesSender,
    Closable,
    Event,
    Factory,
    Handler,
    Receive,
    Send,
    Sender,
    TextReceiver,
    TextSender,
    WebSocketContract,
)

# Implementations, each wrong in one way.


class LacksClose:
    accepted: bool = False
    session_id: str | None = None

    async def accept(
        self, subprotocol: str | None = None, session_id: str | None = None
    ) -> None: ...

    async def receive_text(self) -> str:
        return ""

    async def receive_bytes(self) -> bytes:
        return b""

    async def send_text(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes) -> None: ...


class NotAsync:
    def receive_text(self) -> str:
        return ""


class AsyncGenerator:
    async def receive_text(self) -> AsyncIterator[str]:
        yield ""


class WrongResult:
    async def receive_bytes(self) -> str:
        return ""


class MayBeNone:
    async def receive_text(self) -> str | None:
        return None


class NoDefaults:
    async def close(self, code: int, reason: str | None) -> None: ...


class NoReason:
    async def close(self, code: int = 1000) -> None: ...


class OtherName:
    async def send_text(self, message: str) -> None: ...


class PositionalOnly:
    async def send_text(self, data: str, /) -> None: ...


class NarrowArgument:
    async def close(self, code: bool = True, reason: str | None = None) -> None: ...


class OneMoreParameter:
    async def send_bytes(self, data: bytes, compress: bool) -> None: ...


class WrongAttribute:
    accepted: str = ""
    session_id: str | None = None

    async def accept(
        self, subprotocol: str | None = None, session_id: str | None = None
    ) -> None: ...


class MethodForAttribute:
    session_id: str | None = None

    def accepted(self) -> bool:
        return True

    async def accept(
        self, subprotocol: str | None = None, session_id: str | None = None
    ) -> None: ...


class TakesOne(LacksClose):
    def __init__(self, scope: Event) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Overrides(WebSocket):
    @override
    async def send_text(self, data: bytes) -> None: ...  # wrong: override-argument


class OverridesSync(WebSocket):
    @override
    def receive_text(self) -> str:  # wrong: override-not-async
        return ""


class OverridesNames(WebSocket):
    @override
    async def send_text(self, text: str) -> None: ...  # wrong: override-parameter-of-other-name


class OverridesLess(WebSocket):
    @override
    async def close(self) -> None: ...  # wrong: override-parameters-missing


class Derives(Acceptable, TextSender):  # wrong: class-left-abstract
    @override
    async def send_text(self, data: str) -> None: ...


def implementations(receive: Receive, send: Send) -> None:
    lacks: WebSocketContract = LacksClose()  # wrong: method-missing
    not_async: TextReceiver = NotAsync()  # wrong: method-not-async
    generator: TextReceiver = AsyncGenerator()  # wrong: method-is-generator
    result: BytesReceiver = WrongResult()  # wrong: result-of-other-type
    may_be_none: TextReceiver = MayBeNone()  # wrong: result-may-be-none
    defaults: Closable = NoDefaults()  # wrong: defaults-missing
    no_reason: Closable = NoReason()  # wrong: parameter-missing
    name: TextSender = OtherName()  # wrong: parameter-of-other-name
    positional: TextSender = PositionalOnly()  # wrong: parameter-positional-only
    narrow: Closable = NarrowArgument()  # wrong: parameter-too-narrow
    more: BytesSender = OneMoreParameter()  # wrong: parameter-too-many
    attribute: Acceptable = WrongAttribute()  # wrong: attribute-of-other-type
    method: Acceptable = MethodForAttribute()  # wrong: method-for-attribute
    derives = Derives()  # wrong: abstract-property-missing
    print(lacks, not_async, generator, result, may_be_none, defaults, no_reason, name, positional)
    print(narrow, more, attribute, method, derives, receive, send)


# Factories.


def makes_none(receive: Receive, send: Send) -> None: ...


def makes_one_less(receive: Receive) -> WebSocket:
    raise NotImplementedError


async def makes_later(receive: Receive, send: Send) -> WebSocket:
    return WebSocket(receive, send)


factory_of_none: Factory = makes_none  # wrong: factory-gives-none
factory_of_one: Factory = makes_one_less  # wrong: factory-of-one-callable
factory_async: Factory = makes_later  # wrong: factory-async
factory_class: Factory = TakesOne  # wrong: factory-class-of-one-callable
factory_object: Factory = App()  # wrong: factory-is-application


# The class.


async def text_only(connection: TextReceiver) -> str:
    return await connection.receive_text()


async def both(connection: Sender) -> None:
    await connection.send_text("")


async def uses(ws: WebSocket, receive: Receive, send: Send) -> None:
    await ws.accept(subprotocol=["chat"])  # wrong: accept-list-of-subprotocols
    await ws.accept(headers=[])  # wrong: accept-unknown-parameter
    await ws.send_text(b"")  # wrong: send-text-bytes
    await ws.send_text(5)  # wrong: send-text-number
    await ws.send_text()  # wrong: send-text-nothing
    await ws.send_bytes("")  # wrong: send-bytes-text
    await ws.close("1000")  # wrong: close-code-text
    await ws.close(1000, b"bye")  # wrong: close-reason-bytes
    await ws.send_json({})  # wrong: no-such-method
    ws.send_text("")  # wrong: send-not-awaited
    ws.close()  # wrong: close-not-awaited
    text: str = ws.receive_text()  # wrong: receive-not-awaited
    data: bytes = await ws.receive_text()  # wrong: text-as-bytes
    message: str = await ws.receive_bytes()  # wrong: bytes-as-text
    ws.accepted = True  # wrong: accepted-set
    ws.session_id = "1"  # wrong: session-id-set
    if ws.accepted():  # wrong: accepted-called
        print(text, data, message)
    if ws.accept:  # wrong: accept-for-accepted
        print("accepted")
    if await ws.accept():  # wrong: accept-as-condition
        print("accepted")
    if ws.receive_text():  # wrong: receive-as-condition
        print("received")
    await ws.accepted  # wrong: accepted-awaited
    await ws.receive_text  # wrong: method-awaited
    await ws.send_text(None)  # wrong: send-text-none
    await ws.send_text(ws.receive_text())  # wrong: send-text-coroutine
    await wait_for(ws.receive_text, 5)  # wrong: wait-for-method
    await create_task(ws.close)  # wrong: task-of-method
    async for _ in ws:  # wrong: iterated
        print("received")
    async with ws:  # wrong: context-manager
        print("open")
    WebSocket(receive)  # wrong: constructor-one-callable
    WebSocket(send, receive)  # wrong: constructor-callables-swapped
    WebSocket(receive, send, session_cookie_secure="no")  # wrong: constructor-option-text
    WebSocket(receive, send, subprotocols=[b"chat"])  # wrong: constructor-subprotocols-bytes


def cookie(ws: WebSocket) -> str:
    return ws.session_id  # wrong: session-id-may-be-none


async def any_implementation(ws: WebSocketContract) -> None:
    await ws.send_text(b"")  # wrong: contract-send-text-bytes
    await ws.close(code=None)  # wrong: contract-close-code-none
    ws.accepted = True  # wrong: contract-accepted-set
    ws.send_text("")  # wrong: contract-send-not-awaited
    ours: WebSocket = ws  # wrong: contract-as-class
    print(ours)


def is_connection(candidate: object) -> bool:
    return isinstance(candidate, WebSocketContract)  # wrong: contract-isinstance


async def roles(receiver: TextReceiver, sender: TextSender) -> None:
    await receiver.send_text("")  # wrong: role-without-method
    await text_only(sender)  # wrong: role-other
    await both(sender)  # wrong: role-smaller
    print(await text_only(receiver) + b"")  # wrong: role-result-as-bytes


def closed(error: ConnectionClosed) -> None:
    reason: str = error.code  # wrong: code-as-text
    code: int = error.reason  # wrong: reason-as-number
    print(error.status)  # wrong: closed-unknown-attribute
    print(error.code == "1001")  # wrong: code-compared-to-text
    print(reason, code)
    raise ConnectionClosed(code="1000") from error  # wrong: closed-code-text


# Handlers.


def not_async(ws: WebSocket) -> None: ...


async def without_connection() -> None: ...


async def takes_text(ws: str) -> None: ...


async def ours_alone(ws: WebSocket) -> None: ...


async def gives_text(ws: WebSocket) -> str:
    return await ws.receive_text()


async def generates(ws: WebSocket) -> AsyncIterator[str]:
    yield await ws.receive_text()


sync_handler: Handler[WebSocket] = not_async  # wrong: handler-not-async
no_connection: Handler[WebSocket] = without_connection  # wrong: handler-without-connection
text_handler: Handler[WebSocket] = takes_text  # wrong: handler-of-other-type
ours_handler: Handler = ours_alone  # wrong: handler-of-one-class
result_handler: Handler[WebSocket] = gives_text  # wrong: handler-gives-result
generator_handler: Handler[WebSocket] = generates  # wrong: handler-is-generator


class Chat(App):
    def ws_sync(self, ws: WebSocket) -> None: ...  # wrong: app-handler-not-async

    async def ws_none(self) -> None: ...  # wrong: app-handler-without-connection

    async def ws_number(self, ws: WebSocket, n: int) -> None: ...  # wrong: app-handler-number

    async def ws_text(self, ws: str) -> None: ...  # wrong: app-handler-text-for-connection

    async def ws_result(self, ws: WebSocket) -> None:
        await ws.accept()
        return await ws.receive_text()  # wrong: app-handler-returns


# The application.


def sync_application(scope: Event, receive: Receive, send: Send) -> None: ...


async def of_two(receive: Receive, send: Send) -> None: ...


async def started(app: App) -> None: ...


def application(app: App, request: Request) -> None:
    App(sync_application)  # wrong: app-positional
    App(http="page")  # wrong: app-http-text
    App(http=sync_application)  # wrong: app-http-not-async
    App(http=of_two)  # wrong: app-http-two-parameters
    App(session_cookie_secure="yes")  # wrong: app-option-text
    App(session_cookie_security=False)  # wrong: app-unknown-option
    app.request = request  # wrong: app-request-set
    app.startup_handlers.append(print)  # wrong: app-startup-not-async
    app.startup_handlers.append(started)  # wrong: app-startup-parameter
    app.startup_handlers = started  # wrong: app-startup-no-list
    application_class: ASGIApplication = Chat  # wrong: application-is-class
    print(application_class, request.query("name").title())  # wrong: request-query-may-be-none
    request.headers["name"] = "Ada"  # wrong: request-header-set
    name: int = request.cookies["name"]  # wrong: request-cookie-as-number
    print(name)
