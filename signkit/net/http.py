"""Bounded HTTP: one request, one answer, with limits on size, time and redirects; every connection is recorded.

URLs come from certificates and so from strangers. Only http and https are spoken, nothing is sent to link-local or
multicast addresses (cloud metadata services live there), and no answer is larger or slower than the limits say.
Addresses of the own network can't be told from others, so asking is always the user's decision.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from time import monotonic
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from signkit.errors import SignkitError, UnavailableError

TIMEOUT_SECONDS = 20.0
MAXIMUM_BYTES = 10 << 20
MAXIMUM_REDIRECTS = 3
MAXIMUM_URL = 2048
_CHUNK = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_BUSY = (500, 502, 503, 504)
TRANSIENT, DEFINITE = "NetworkUnavailableNow", "NetworkUnavailable"
"""Codes of errors: a server that is down or busy just now, and one that it makes no sense to ask again at once."""


class Answer(NamedTuple):
    """What a server answered: media type in lower case without parameters, and the body."""

    media_type: str
    body: bytes


class _Redirected(Exception):
    """The answer is elsewhere."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class HttpClient:
    """Asks servers within limits.

    Attributes:
        connections: URLs of all requests that were begun, in their order, redirects included.
    """

    def __init__(self, *, timeout_seconds: float = TIMEOUT_SECONDS, maximum_bytes: int = MAXIMUM_BYTES) -> None:
        """Set the limits.

        Args:
            timeout_seconds: for one call as a whole: name resolution, redirects and body included.
            maximum_bytes: largest body that is accepted.
        """
        self._timeout = timeout_seconds
        self._maximum = maximum_bytes
        self.connections: list[str] = []

    def get(self, url: str) -> Answer:
        """GET a URL, following redirects to http and https.

        Raises:
            UnavailableError: not such a URL, no answer in time, another status than 200, or too large.
        """
        return self._bounded("GET", url, b"", {})

    def post(self, url: str, body: bytes, *, media_type: str, accept: str) -> Answer:
        """POST a body; redirects are not followed.

        Args:
            url: http or https.
            body: what is sent.
            media_type: of the body.
            accept: media type that is asked for.

        Raises:
            UnavailableError: as ``get``.
        """
        return self._bounded("POST", url, body, {"Content-Type": media_type, "Accept": accept})

    def _bounded(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Do it in a thread that is left behind when time is up: name resolution has no limit of its own."""
        deadline = monotonic() + self._timeout
        outcome: list[Answer | BaseException] = []
        exchange = _Exchange(deadline, self._maximum, self.connections)

        def work() -> None:
            try:
                outcome.append(exchange.follow(method, url, body, headers))
            except BaseException as error:  # noqa: B036 - handed to the caller's thread
                outcome.append(error)

        thread = threading.Thread(target=work, name="http", daemon=True)
        thread.start()
        thread.join(self._timeout)
        if not outcome:
            exchange.abandon()
            raise _unavailable(url, f"no answer within {self._timeout:g} seconds")
        [found] = outcome
        if isinstance(found, Answer):
            return found
        if isinstance(found, SignkitError):
            raise found
        if isinstance(found, OSError | http.client.HTTPException | ValueError):
            code = TRANSIENT if isinstance(found, ConnectionError) else DEFINITE
            raise _unavailable(url, _reason(found), code) from found
        raise found


class _Exchange:
    """One call with its redirects."""

    def __init__(self, deadline: float, maximum: int, connections: list[str]) -> None:
        self._deadline = deadline
        self._maximum = maximum
        self._connections = connections
        self._socket: socket.socket | None = None
        self._abandoned = False

    def abandon(self) -> None:
        """Stop what is going on; called from another thread."""
        self._abandoned = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def follow(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """The answer, after redirects."""
        for _ in range(MAXIMUM_REDIRECTS + 1):
            parts = _checked(url)
            try:
                return self._once(method, url, parts, body, headers)
            except _Redirected as redirected:
                if method != "GET":
                    raise _unavailable(url, f"redirected to '{redirected.location}', expected an answer") from None
                url = urljoin(url, redirected.location)
        raise _unavailable(url, f"more than {MAXIMUM_REDIRECTS} redirects")

    def _once(self, method: str, url: str, parts: SplitResult, body: bytes, headers: dict[str, str]) -> Answer:
        if self._abandoned:
            raise TimeoutError
        self._connections.append(url)
        connection = _connection(parts, max(0.001, self._deadline - monotonic()))
        try:
            connection.connect()
            self._socket = connection.sock  # http.client forgets it before the body is read
            _refuse_address(url, connection.sock)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            always = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "signkit"}
            connection.request(method, target, body if method == "POST" else None, {**always, **headers})
            with connection.getresponse() as response:
                return self._read(url, response)
        finally:
            connection.close()

    def _read(self, url: str, response: http.client.HTTPResponse) -> Answer:
        location = response.getheader("Location")
        if response.status in _REDIRECTS and location:
            raise _Redirected(location[:MAXIMUM_URL])
        if response.status != 200:
            code = TRANSIENT if response.status in _BUSY else DEFINITE
            raise _unavailable(url, f"status {response.status}, expected 200", code)
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise _unavailable(url, "a compressed answer, which was not asked for")
        if (response.length or 0) > self._maximum:
            raise _unavailable(url, f"an answer of {response.length} bytes, expected at most {self._maximum}")
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > self._maximum:
                raise _unavailable(url, f"an answer of more than {self._maximum} bytes")
            if monotonic() > self._deadline:
                raise TimeoutError
        if response.length:
            raise _unavailable(url, f"the answer ended {response.length} bytes too early")
        return Answer(response.headers.get_content_type().lower(), bytes(body))


def _checked(url: str) -> SplitResult:
    """The parts of an acceptable URL.

    Raises:
        UnavailableError: it is not one.
    """
    if len(url) > MAXIMUM_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise _unavailable(url, "it is not a URL")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - refuses ports that are none
    except ValueError as error:
        raise _unavailable(url, f"it is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _unavailable(url, f"scheme '{parts.scheme}', expected http or https with a host")
    if parts.username is not None or parts.password is not None:
        raise _unavailable(url, "it has a user name or password, expected none")
    return parts


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=timeout)


def _refuse_address(url: str, connected: socket.socket) -> None:
    """Send nothing to an address that no server of this kind has, whatever its name resolved to."""
    address = ipaddress.ip_address(connected.getpeername()[0].partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified:
        raise _unavailable(url, f"its address {address} is link-local or multicast")


def _unavailable(url: str, reason: str, code: str = DEFINITE) -> UnavailableError:
    return UnavailableError(
        f"{url[:200]!r}: {reason}", hint="try again later, or give the evidence as a file", code=code
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
