"""The bounded HTTP client against servers that do everything wrong."""

from __future__ import annotations

import socket
from time import monotonic

import pytest

from signkit.errors import UnavailableError
from signkit.net.http import HttpClient
from tests.support.http_server import Server, answer, raw


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", "scheme 'file'"),
        ("ftp://127.0.0.1/a", "scheme 'ftp'"),
        ("ldap://127.0.0.1/a", "scheme 'ldap'"),
        ("http:///a", "with a host"),
        ("http://user:secret@127.0.0.1/", "user name"),
        ("http://127.0.0.1:99999/", "not a URL"),
        ("http://127.0.0.1/a b", "not a URL"),
        ("http://127.0.0.1/\r\nX: y", "not a URL"),
        ("http://127.0.0.1/" + "a" * 3000, "not a URL"),
        ("http://[::1", "not a URL"),
        ("", "scheme ''"),
    ],
)
def test_urls_that_are_not_asked(url: str, message: str) -> None:
    client = HttpClient()
    with pytest.raises(UnavailableError, match=message):
        client.get(url)
    assert client.connections == []


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match="refused"):
        HttpClient().get(f"http://127.0.0.1:{port}/")
    with pytest.raises(UnavailableError) as caught:
        HttpClient(timeout_seconds=10).get("http://does-not-exist.invalid/")
    assert caught.value.code == "NetworkUnavailable"


def test_link_local_addresses_get_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cloud metadata services; the connection is made to see the address, and nothing is sent."""
    with Server({"/": answer(b"secret")}) as server:
        monkeypatch.setattr("socket.socket.getpeername", lambda _self: ("169.254.169.254", 80))
        with pytest.raises(UnavailableError, match="link-local"):
            HttpClient().get(server.url("/"))
    assert server.requests in ([], [b"\r\n\r\n"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "closed connection|Remote end"),
        (b"nonsense\r\n\r\n", "nonsense|HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "too early|IncompleteRead|more expected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "999999999 bytes, expected at most"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 3000, "more than 1000 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", "IncompleteRead|chunk|literal"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "compressed"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status 500"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "headers"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000 + b"\r\n\r\n", "header line|long"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "status 302"),
    ],
)
def test_answers_that_are_refused(data: bytes, message: str) -> None:
    with Server({"/": raw(data)}) as server, pytest.raises(UnavailableError, match=message):
        HttpClient(maximum_bytes=1000).get(server.url("/"))


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_an_answer_that_trickles_is_given_up_in_time(start: bytes) -> None:
    """Each octet comes within any timeout of a single read; the time for all of them is what counts."""

    def trickle(_request: bytes, connection: socket.socket) -> None:
        connection.sendall(start)
        while not server.closing.wait(0.02):
            connection.sendall(b"a")

    with Server({"/": trickle}) as server:
        began = monotonic()
        with pytest.raises(UnavailableError, match="no answer"):
            HttpClient(timeout_seconds=0.3).get(server.url("/"))
        assert monotonic() - began < 2


def test_redirects() -> None:
    def elsewhere(location: str) -> object:
        return answer(b"", "302 Found", f"Location: {location}")

    handlers = {
        "/one": elsewhere("/two"),
        "/two": answer(b"here", media_type="Application/PKIX-CRL; x=y"),
        "/loop": elsewhere("/loop"),
        "/file": elsewhere("file:///etc/passwd"),
        "/metadata": elsewhere("gopher://127.0.0.1/"),
    }
    with Server(handlers) as server:  # type: ignore[arg-type]
        client = HttpClient()
        found = client.get(server.url("/one"))
        assert (found.media_type, found.body) == ("application/pkix-crl", b"here")
        assert client.connections == [server.url("/one"), server.url("/two")]
        for path, message in (("/loop", "more than 3 redirects"), ("/file", "file"), ("/metadata", "gopher")):
            with pytest.raises(UnavailableError, match=message):
                HttpClient().get(server.url(path))
        with pytest.raises(UnavailableError, match="redirected"):
            HttpClient().post(server.url("/one"), b"x", media_type="a/b", accept="c/d")


def test_post() -> None:
    with Server({"/": answer(b"yes")}) as server:
        found = HttpClient().post(server.url("/"), b"question", media_type="a/b", accept="c/d")
        assert found.body == b"yes"
        [request] = server.requests
    assert request.endswith(b"\r\n\r\nquestion")
    assert b"Content-Type: a/b" in request and b"Accept: c/d" in request and b"Accept-Encoding: identity" in request
