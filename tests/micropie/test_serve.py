"""`micropie serve`: the real command, real sockets, real clients."""

import argparse
import asyncio
import contextlib
import http.client
import logging
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect, unix_connect

from micropie import serve
from micropie.cli import main

# Made for these tests, for "localhost", and used nowhere else.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUZli1t46BYtZqTeu0F1e8wccN/WowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDAwMTgwOFoYDzIxMjYxMDMx
MDAxODA4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ0RDGCJnQFcCjBpJGYVoYf35gXx2KpK0N/MWlzulZybw1RBZfdnXG9
/C3ZlpQhYVhXyo1l6RocQS3Wvu/Mh3ofo28wbTAdBgNVHQ4EFgQUrbA6Rr0CneeO
kNumRy++R053bLAwHwYDVR0jBBgwFoAUrbA6Rr0CneeOkNumRy++R053bLAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAJ91Z42ehFj5PBPqnVs3QY9Yp89La8IVaalqF9+u5GMBAiEA
mpe7m9MqsSRekvRsUgZjYzH76CPFH93gv9WFiSOh41g=
-----END CERTIFICATE-----
"""

KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgN6EkfUyioN4QCuC6
hNvW+gTL0p4gKT5i6S+enPmuVSuhRANCAAQ0RDGCJnQFcCjBpJGYVoYf35gXx2Kp
K0N/MWlzulZybw1RBZfdnXG9/C3ZlpQhYVhXyo1l6RocQS3Wvu/Mh3of
-----END PRIVATE KEY-----
"""

OTHER_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgORDrbXMruANEe+zK
a7fqmXb1tputA5JpF9bgfJEIJ9uhRANCAATtai5jy7U46Arf+8eLc0WCN1E2gEZ8
1fuftQZ0RedGY+9CZ1cKQPsXJKsg5/WmUvKUAk9AYvAt0yBl/NU2xi45
-----END PRIVATE KEY-----
"""

ENCRYPTED_KEY = """\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,EA45FD65544B5C0FF3DFB25A94A4AFC8

rOrrOd0cYbmlGc/MQgClm3h4jT6YVhRIQ1X18ZYd57TP7xBCkNOYFGj95FwEBOov
mvcMniDQqKZEzJwPIkdz2YrfBY/XOJjmEovzg1ooFj6Al4ueg+dXNkjBetOSDnPN
DYrOjfpedXO4XbL9udhGjx+AfvwlPHif3Ve/FKKnpQg=
-----END EC PRIVATE KEY-----
"""

# Runs on asyncio, uvloop and trio.
APP = """\
import anyio

released = anyio.Event()


def say(*words):
    # In one piece, even where Python is told not to buffer.
    print(" ".join(map(str, words)) + "\\n", end="", flush=True)


async def app(scope, receive, send):
    await globals()[scope["type"]](scope, receive, send)


async def lifespan(scope, receive, send):
    for stage in ("startup", "shutdown"):
        await receive()
        say(stage)
        await send({"type": f"lifespan.{stage}.complete"})


async def http(scope, receive, send):
    if scope["path"] == "/release":
        released.set()
    elif scope["path"] == "/die":
        import os

        os._exit(3)
    elif scope["path"] == "/stuck":
        await anyio.Event().wait()
    elif scope["path"] == "/callback":
        import asyncio

        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"done"})


async def websocket(scope, receive, send):
    await receive()
    await globals()[scope["path"][1:]](receive, send)


async def echo(receive, send):
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": event["text"]})
    say("disconnected")


async def linger(receive, send):
    await echo(receive, send)
    await released.wait()
    say("released")


async def late(receive, send):
    say("connecting")
    await released.wait()
    try:
        await send({"type": "websocket.accept"})
    except OSError as error:
        say("refused:", error)


async def closing(receive, send):
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 3001})
    await released.wait()


async def stuck(receive, send):
    await send({"type": "websocket.accept"})
    try:
        await anyio.Event().wait()
    finally:
        say("cleaned up")


async def talk(receive, send):
    await send({"type": "websocket.accept"})
    try:
        while True:
            await send({"type": "websocket.send", "text": "tick"})
            await anyio.sleep(0)
    except OSError as error:
        say("told:", error)
"""

TOLD = "the server stops, and has closed this WebSocket"

LOOPS = pytest.mark.parametrize("loop", ["asyncio", "uvloop", "trio"])


class Server:
    """The command in a child process; all that it prints is one stream of lines."""

    def __init__(self, *arguments: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "micropie", "serve", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Of its own, so that the children of the child are ended with it.
            start_new_session=True,
        )
        self.lines: list[str] = []

    def read_until(self, start: str) -> str:
        """The next line that begins so."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self.lines.append(line.removesuffix("\n"))
            if line.startswith(start):
                return line
        raise AssertionError(f"it ended without {start!r}: {self.lines}")

    def address(self) -> str:
        """Wait until it serves; HOST:PORT."""
        match = re.search(r"http[s]?://(\S+)", self.read_until("Serving "))
        assert match is not None
        return match[1]

    def end(self, number: signal.Signals | None = signal.SIGTERM) -> int:
        """Send it a signal, if any, and wait for its end."""
        assert self.child.stdout is not None
        if number is not None:
            self.child.send_signal(number)
        self.lines += self.child.stdout.read().splitlines()
        return self.child.wait()

    def close(self) -> None:
        assert self.child.stdout is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.stdout.close()
        self.child.wait()


Start = Callable[..., Server]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").write_text(APP)


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[Server] = []

    def start(target: str = "app.py:app", *options: str, bind: str = "127.0.0.1:0") -> Server:
        servers.append(Server(target, "--bind", bind, *options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def client(address: str, path: str) -> ClientConnection:
    return connect(f"ws://{address}/{path}", proxy=None)


def get(address: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(address)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


def close_code(connection: ClientConnection) -> int:
    """The code that the server closes with, whatever it sends before."""
    # The end of an iteration is code 1000 or 1001.
    with contextlib.suppress(ConnectionClosed):
        for _ in connection:
            pass
    assert connection.close_code is not None
    return connection.close_code


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--worker-class", "asyncio"], "asyncio"),
        ([], "uvloop"),
        (["--worker-class", "trio"], "trio"),
        (["--workers", "2"], "uvloop, 2 workers"),
        (["--reload"], "uvloop"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_handlers_end(
    options: list[str], shown: str, number: signal.Signals, start: Start
) -> None:
    workers = 2 if "2" in options else 1
    # What is left of a closed connection in Hypercorn is the pause until its next ping.
    endless = ["--graceful-timeout", "1000000", "--ping-interval", "1000000"]
    server = start("app.py:app", *options, *endless)
    address = server.address()
    while server.lines.count("startup") < workers:
        server.read_until("startup")
    with client(address, "echo") as connection:
        connection.send("hello")
        assert connection.recv() == "hello"
        # As a terminal does: Ctrl+C reaches the workers, too.
        os.killpg(server.child.pid, number)
        assert close_code(connection) == 1001
    assert server.end(None) == 0
    banner = f"Serving app.py:app on http://{address} (hypercorn, {shown}) - Ctrl+C stops"
    expected = [banner, "disconnected", *["startup", "shutdown"] * workers]
    assert sorted(server.lines) == sorted(expected)


@LOOPS
def test_while_it_stops(loop: str, start: Start) -> None:
    server = start("app.py:app", "--worker-class", loop, "--graceful-timeout", "1000")
    address = server.address()
    with (
        ThreadPoolExecutor() as pool,
        client(address, "linger") as lingering,
        client(address, "closing") as closing,
    ):
        assert close_code(closing) == 3001
        connecting = pool.submit(client, address, "late")
        server.read_until("connecting")
        server.child.send_signal(signal.SIGTERM)
        assert close_code(lingering) == 1001
        with pytest.raises(InvalidStatus, match="HTTP 503"):
            connecting.result()
        with pytest.raises(InvalidStatus, match="HTTP 503"):
            client(address, "echo")
        assert get(address, "/release") == b"done"
    assert server.end(None) == 0
    said = ["startup", "connecting", "disconnected", "released", f"refused: {TOLD}", "shutdown"]
    assert sorted(line for line in server.lines if "Serving" not in line) == sorted(said)


@LOOPS
def test_what_does_not_end_is_cancelled(loop: str, start: Start) -> None:
    server = start("app.py:app", "--worker-class", loop, "--graceful-timeout", "0.1")
    address = server.address()
    with ThreadPoolExecutor() as pool, client(address, "stuck") as connection:
        pool.submit(get, address, "/stuck")
        server.child.send_signal(signal.SIGTERM)
        assert close_code(connection) == 1001
        assert server.end(None) == 0
    assert server.lines[2:] == ["cleaned up", "shutdown"]


@LOOPS
def test_a_handler_that_only_sends_is_told(loop: str, start: Start) -> None:
    server = start("app.py:app", "--worker-class", loop, "--graceful-timeout", "1000")
    with client(server.address(), "talk") as connection:
        server.child.send_signal(signal.SIGTERM)
        assert close_code(connection) == 1001
    assert server.end(None) == 0
    assert server.lines[2:] == [f"told: {TOLD}", "shutdown"]


@pytest.mark.parametrize(("options", "status"), [([], -2), (["--workers", "2"], 130)])
def test_a_second_signal_ends_it_at_once(options: list[str], status: int, start: Start) -> None:
    server = start("app.py:app", "--graceful-timeout", "1000", *options)
    with client(server.address(), "stuck") as connection:
        server.child.send_signal(signal.SIGINT)
        assert close_code(connection) == 1001
        assert server.end(signal.SIGINT) == status


FAILING = """\
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""


@pytest.mark.parametrize(
    "options",
    [["--worker-class", "asyncio"], ["--worker-class", "trio"], ["--workers", "2"]],
)
def test_an_application_that_fails_to_start(options: list[str], start: Start) -> None:
    Path("app.py").write_text(FAILING)
    server = start("app.py:app", *options)
    assert server.end(None) == 1
    failure = "micropie serve: Lifespan failure in startup. 'no database'"
    ended = "micropie serve: a worker ended by itself; all are stopped"
    assert set(server.lines) == ({failure, ended} if "2" in options else {failure})


@pytest.mark.parametrize("worker", ["asyncio", "trio"])
def test_stopped_when_it_has_ended_by_itself(worker: str, start: Start) -> None:
    stop = "import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGTERM)\n"
    Path("app.py").write_text(stop + FAILING)
    server = start("app.py:app", "--worker-class", worker)
    assert server.end(None) == 1
    assert server.lines == ["micropie serve: Lifespan failure in startup. 'no database'"]


def test_an_application_that_fails_to_shut_down(start: Start) -> None:
    Path("app.py").write_text(
        APP.replace(
            "say(stage)", "stage == 'startup' or await send({'type': 'lifespan.shutdown.failed'})"
        )
    )
    server = start("app.py:app")
    server.address()
    assert server.end() == 1
    assert server.lines[1:] == ["micropie serve: Lifespan failure in shutdown. ''"]


ENDLESS = """\
async def app(scope, receive, send):
    while True:
        await send({"type": (await receive())["type"] + ".complete"})
"""


def test_a_lifespan_that_does_not_return(start: Start) -> None:
    Path("app.py").write_text(ENDLESS)
    server = start("app.py:app")
    server.address()
    assert server.end() == 0
    assert len(server.lines) == 1


def test_a_worker_that_dies(start: Start) -> None:
    server = start("app.py:app", "--workers", "2")
    with contextlib.suppress(OSError, http.client.HTTPException):
        get(server.address(), "/die")
    assert server.end(None) == 1
    assert server.lines[-1] == "micropie serve: a worker ended by itself; all are stopped"


def change(text: str) -> None:
    """Write the application anew, at a time that is surely later."""
    file = Path("app.py")
    later = file.stat().st_mtime + 2
    file.write_text(text)
    os.utime(file, (later, later))


def test_reload(start: Start) -> None:
    server = start("app.py:app", "--reload")
    address = server.address()
    assert get(address, "/") == b"done"
    change(APP.replace("done", "changed"))
    assert server.address() == address
    assert get(address, "/") == b"changed"
    # Half a thought, saved.
    change("async def app(")
    server.read_until("micropie serve: cannot import app.py: SyntaxError: ")
    change(FAILING)
    server.read_until("micropie serve: Lifespan failure in startup. 'no database'")
    change(APP.replace("done", "mended"))
    assert server.address() == address
    assert get(address, "/") == b"mended"
    assert server.end() == 0


def test_a_neighbour_cannot_take_the_place_of_this_package(start: Start) -> None:
    """The children that serve look for this package when the target's folder is known."""
    Path("micropie.py").write_text("raise RuntimeError('the neighbour')")
    server = start("app.py:app", "--workers", "2")
    assert get(server.address(), "/") == b"done"
    assert server.end() == 0


def test_tls(start: Start) -> None:
    Path("cert.pem").write_text(CERTIFICATE)
    Path("key.pem").write_text(KEY)
    server = start("app.py:app", "--certfile", "cert.pem", "--keyfile", "key.pem")
    banner = server.read_until("Serving ")
    match = re.search(r" on https://127\.0\.0\.1:(\d+) ", banner)
    assert match is not None
    port = int(match[1])
    # A client that does not speak TLS gets nothing, and leaves no trace.
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            while plain.recv(4096):
                pass
    # Its dates are of no interest here.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with connect(f"wss://127.0.0.1:{port}/echo", ssl=context, proxy=None) as connection:
        connection.send("secret")
        assert connection.recv() == "secret"
    assert server.end() == 0
    assert server.lines[2:] == ["disconnected", "shutdown"]


def test_several_addresses(start: Start) -> None:
    server = start("app.py:app", "--bind", "127.0.0.1:0", bind="unix:socket")
    banner = server.read_until("Serving ")
    match = re.search(r" on unix:socket and http://(\S+) ", banner)
    assert match is not None
    with client(match[1], "echo"), unix_connect("socket", "ws://localhost/echo"):
        pass
    assert server.end() == 0


@pytest.mark.parametrize(("options", "pinged"), [([], True), (["--ping-interval", "0"], False)])
def test_pings(
    options: list[str], pinged: bool, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server = start("app.py:app", *options)
    caplog.set_level(logging.DEBUG, "websockets.client")
    with client(server.address(), "echo") as connection:
        connection.send("after the first ping")
        connection.recv()
    assert any(record.getMessage().startswith("< PING") for record in caplog.records) == pinged


@pytest.mark.parametrize("data", ["x" * 1001, b"x" * 1001])
def test_messages_are_limited(data: str | bytes, start: Start) -> None:
    server = start("app.py:app", "--max-message-size", "1000")
    with client(server.address(), "echo") as connection:
        connection.send("x" * 1000)
        assert connection.recv() == "x" * 1000
        connection.send(data)
        assert close_code(connection) == 1009


def test_access_log(start: Start) -> None:
    server = start("app.py:app", "--access-log")
    with client(server.address(), "echo"):
        server.read_until("[")
    assert re.search(r'\[INFO\] 127\.0\.0\.1:\d+ .* "GET /echo 1\.1" 101 ', server.lines[-1])
    assert server.end() == 0


def test_what_the_application_leaves_is_logged(start: Start) -> None:
    server = start("app.py:app", "--worker-class", "asyncio")
    assert get(server.address(), "/callback") == b"done"
    server.read_until("ZeroDivisionError: ")
    assert re.fullmatch(r"\[.*\] \[\d+\] \[ERROR\] Exception in callback .*", server.lines[2])


@pytest.mark.parametrize(
    ("exception", "logged"),
    [(ssl.SSLError(), False), (asyncio.CancelledError(), False), (KeyError(), True), (None, True)],
)
async def test_what_is_no_fault_is_not_logged(
    exception: BaseException | None, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    context = {"message": "something"} | ({"exception": exception} if exception else {})
    serve._log_exception(  # pyright: ignore[reportPrivateUsage] - no server reports all of these
        asyncio.get_running_loop(), context
    )
    assert bool(caplog.records) == logged


EXPECTED = (
    "; expected is an ASGI application: async def app(scope, receive, send), "
    "or an instance of micropie.App"
)


def matches(pattern: str, text: str) -> bool:
    """Whether they are the same; `*` stands for whatever there is."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:{taken}", "address already in use"),
        ("nosuch.invalid:0", "*"),
        ("nö..host:0", "*hostname*"),
        ("unix:nosuch/socket", "no such file or directory"),
    ],
)
def test_an_address_that_cannot_be_bound(address: str, reason: str, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = address.replace("{taken}", str(taken.getsockname()[1]))
        server = start(bind=address)
        assert server.end(None) == 2
    message = f"micropie serve: cannot bind {address}: {reason}; choose another with --bind"
    (line,) = server.lines
    assert matches(message, line)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch.py:app"], "no file nosuch.py in {cwd}"),
        (["app.py"], "'app.py' names no object: *"),
        (
            ["kinds.py:Chat"],
            "kinds.py:Chat is a class: make an instance of it in the file (app = Chat()) and name "
            "that" + EXPECTED,
        ),
        (["kinds.py:json"], "kinds.py:json is a module: name the application in it" + EXPECTED),
        (["kinds.py:number"], "kinds.py:number is a int" + EXPECTED),
        (["kinds.py:make"], "kinds.py:make is a function that is not async" + EXPECTED),
        (["kinds.py:wsgi"], "kinds.py:wsgi is a function that is not async" + EXPECTED),
        (["kinds.py:two"], "kinds.py:two is a function that takes (scope, receive)" + EXPECTED),
        (
            ["kinds.py:app", "--certfile", "cert.pem"],
            "TLS needs both --certfile and --keyfile",
        ),
        (
            ["kinds.py:app", "--keyfile", "cert.pem"],
            "TLS needs both --certfile and --keyfile",
        ),
        (
            ["kinds.py:app", "--certfile", "cert.pem", "--keyfile", "nosuch.pem"],
            "cannot read nosuch.pem: No such file or directory",
        ),
        (
            ["kinds.py:app", "--certfile", "cert.pem", "--keyfile", "other.pem"],
            "cert.pem and other.pem are not a certificate chain and its unencrypted key, *",
        ),
        (
            ["kinds.py:app", "--certfile", "cert.pem", "--keyfile", "encrypted.pem"],
            "cert.pem and encrypted.pem are not a certificate chain and its unencrypted key, *",
        ),
    ],
)
def test_what_cannot_be_served(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", sys.path.copy())
    modules = set(sys.modules)
    Path("cert.pem").write_text(CERTIFICATE)
    Path("other.pem").write_text(OTHER_KEY)
    Path("encrypted.pem").write_text(ENCRYPTED_KEY)
    Path("kinds.py").write_text(KINDS)
    status = main(["serve", *arguments])
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    assert status == 2
    out, err = capsys.readouterr()
    message = message.replace("{cwd}", os.getcwd())
    assert out == ""
    assert matches(f"micropie serve: {message}\n", err)


KINDS = """\
import json
from micropie import App
class Chat(App): ...
app = Chat()
number = 1
def make(): return app
def wsgi(environ, start_response): ...
async def two(scope, receive): ...
"""


@pytest.mark.parametrize(
    "target",
    ["async def app(scope, receive, send): ...", "from micropie import App\napp = App()"],
)
def test_kinds_of_application(target: str, start: Start) -> None:
    Path("app.py").write_text(target)
    server = start("app:app")
    server.address()
    assert server.end() == 0


def test_a_worker_class_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "trio", None)
    assert main(["serve", "app.py:app", "--worker-class", "trio"]) == 2
    message = "micropie serve: --worker-class trio needs it: pip install trio\n"
    assert capsys.readouterr() == ("", message)


def test_a_worker_whose_target_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        serve._work(  # pyright: ignore[reportPrivateUsage] - --reload ends such a worker any time
            argparse.Namespace(target="gone.py:app"), [], ""
        )
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"micropie serve: no file gone.py in {os.getcwd()}\n"


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    serve.add_parser(parser.add_subparsers())
    return parser.parse_args(["serve", "app:app", *arguments])


@pytest.mark.parametrize(
    ("option", "given", "taken"),
    [
        ("--bind", "localhost:80", ["localhost:80"]),
        ("--bind", "localhost", ["localhost:8000"]),
        ("--bind", "[::1]:80", ["[::1]:80"]),
        ("--bind", "[::1]", ["[::1]:8000"]),
        ("--bind", "unix:a socket", ["unix:a socket"]),
        ("--bind", "fd://3", ["fd://3"]),
        ("--bind", "localhost:65535", ["localhost:65535"]),
        ("--bind", "localhost:65536", None),
        ("--bind", "localhost:http", None),
        ("--bind", "::1", None),
        ("--bind", "fd://x", None),
        ("--bind", "", None),
        ("--workers", "3", 3),
        ("--workers", "0", None),
        ("--workers", "-1", None),
        ("--workers", "two", None),
        ("--graceful-timeout", "0", 0.0),
        ("--graceful-timeout", "1.5", 1.5),
        ("--graceful-timeout", "-1", None),
        ("--graceful-timeout", "inf", None),
        ("--graceful-timeout", "nan", None),
        ("--graceful-timeout", "long", None),
        ("--worker-class", "trio", "trio"),
        ("--worker-class", "gevent", None),
    ],
)
def test_options(
    option: str, given: str, taken: object, capsys: pytest.CaptureFixture[str]
) -> None:
    if taken is None:
        with pytest.raises(SystemExit):
            parse(f"{option}={given}")
        assert f"argument {option}: " in capsys.readouterr().err
    else:
        parsed = vars(parse(f"{option}={given}"))
        assert parsed[option.removeprefix("--").replace("-", "_")] == taken


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    args = parse()
    assert (args.worker_class, args.workers, args.reload) == ("uvloop", 1, False)
    assert (args.ping_interval, args.max_message_size, args.graceful_timeout) == (20, 2**24, 5)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert parse().worker_class == "asyncio"
