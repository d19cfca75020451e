"""Granian gets a port that is nobody else's, and what keeps it from serving is known."""

import socket

import pytest
from granian.server.embed import Server
from micropie_conformance.live.hosting import Host

DOOR = "granian:asyncio"


def test_the_port_is_reserved_while_the_server_runs() -> None:
    with Host(DOOR) as host, Host(DOOR) as other:
        assert host.port != other.port
        for port in (host.port, other.port):
            with pytest.raises(OSError, match="Address already in use"):
                socket.create_server(("127.0.0.1", port))
    assert host.fault is None
    assert other.fault is None


def test_a_server_that_does_not_start_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError("no server")

    async def serve(self: Server) -> None:
        raise error

    monkeypatch.setattr(Server, "serve", serve)
    with Host(DOOR) as host:
        pass
    assert host.fault is error
