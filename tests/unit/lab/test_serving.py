"""The lab over HTTP: on loopback only, and nothing but what it has a route for."""

from __future__ import annotations

import http.client
import socket

import pytest

from signkit.errors import UnavailableError, UsageError
from signkit.lab.serving import MAXIMUM_REQUEST, LabServer, Route, parse_address

ECHO = Route("POST", "/echo", "text/plain", "text/html", lambda body: b"<" + body + b">")
LIST = Route("GET", "/list", "", "application/pkix-crl", lambda _: b"list")


def ask(server: LabServer, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str, bytes]:
    port = int(server.urls["/echo"].split(":")[2].split("/")[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body or None, {name.replace("_", "-"): one for name, one in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def test_routes() -> None:
    with LabServer([ECHO, LIST]) as server:
        assert ask(server, "POST", "/echo", b"x", Content_Type="text/plain") == (200, "text/html", b"<x>")
        assert ask(server, "POST", "/echo", b"x", Content_Type="text/plain; charset=utf-8")[0] == 200
        assert ask(server, "GET", "/list") == (200, "application/pkix-crl", b"list")
        assert ask(server, "GET", "/list?x=1")[0] == 200
        assert ask(server, "GET", "/echo")[0] == 404
        assert ask(server, "GET", "/../list")[0] == 404
        assert ask(server, "POST", "/echo", b"x", Content_Type="text/html")[0] == 415
        assert ask(server, "POST", "/echo", bytes(MAXIMUM_REQUEST + 1), Content_Type="text/plain")[0] == 413
        assert ask(server, "POST", "/echo", Content_Type="text/plain", Content_Length="-1")[0] == 413
        assert ask(server, "PUT", "/echo", b"x")[0] == 501
        assert set(server.urls) == {"/echo", "/list"}


def test_a_server_that_ended_is_gone() -> None:
    with LabServer([ECHO]) as server:
        port = int(server.urls["/echo"].split(":")[2].split("/")[0])
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UnavailableError, match="can't listen"):
            LabServer([ECHO], f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.1.2.3:80", "localhost:8080"])
def test_addresses(address: str) -> None:
    assert parse_address(address)[0].startswith("127.")


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0:80",
        "192.0.2.1:80",
        "[::1]:80",
        "example.com:80",
        "127.0.0.1",
        "127.0.0.1:x",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        ":80",
        "",
    ],
)
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(UsageError):
        parse_address(address)
