"""PyPI's WebSocket satisfies the contract of this repository. Type-checked, never run.

`contract_copy` is a copy of micropie/contract.py: this package cannot be imported where PyPI's
micropie, which has its name, is. What the types cannot see, the conformance suite does: see
docs/matrix.md.
"""

from contract_copy import (
    Acceptable,
    ASGIApplication,
    BytesReceiver,
    BytesSender,
    Closable,
    Factory,
    Handler,
    Receiver,
    Sender,
    TextReceiver,
    TextSender,
    WebSocketContract,
)

from micropie import App, ConnectionClosed, WebSocket


def satisfied(ws: WebSocket) -> None:
    whole: WebSocketContract = ws
    acceptable: Acceptable = ws
    receiver: Receiver = ws
    text_receiver: TextReceiver = ws
    bytes_receiver: BytesReceiver = ws
    sender: Sender = ws
    text_sender: TextSender = ws
    bytes_sender: BytesSender = ws
    closable: Closable = ws
    print(whole, acceptable, receiver, text_receiver, bytes_receiver, sender)
    print(text_sender, bytes_sender, closable)


async def echo(ws: WebSocket, name: str) -> None: ...


async def any_implementation(ws: WebSocketContract, name: str) -> None: ...


factory: Factory = WebSocket
application: ASGIApplication = App()
theirs: list[Handler[WebSocket]] = [echo, any_implementation]
refused: Handler = echo  # type: ignore[assignment]  # it takes theirs alone


def not_satisfied(closed: ConnectionClosed) -> None:
    # The contract's implementations may say why the client left; theirs does not.
    print(closed.code, closed.reason)  # type: ignore[attr-defined]
