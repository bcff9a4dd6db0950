"""The lab's services over HTTP, on loopback only: timestamps, and whatever else a route is given for."""

from __future__ import annotations

import contextlib
import ipaddress
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from signkit.errors import UnavailableError, UsageError
from signkit.lab import timestamping
from signkit.lab.authority import Authority, Random
from signkit.ports import Clock

MAXIMUM_REQUEST = 64 << 10
TIMEOUT_SECONDS = 10
DEFAULT_ADDRESS = "127.0.0.1:0"


class Route(NamedTuple):
    """One service.

    Attributes:
        method: ``GET`` or ``POST``.
        path: where, for example ``/tsa``.
        accepts: media type of a request's body, empty = there is none.
        gives: media type of an answer.
        answer: body of the request to body of the answer.
    """

    method: str
    path: str
    accepts: str
    gives: str
    answer: Callable[[bytes], bytes]


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``; port 0 takes a free one.

    Raises:
        UsageError: another form, or not an address of this machine alone.
    """
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        address, number = ipaddress.ip_address(host), int(port)
    except ValueError as error:
        raise UsageError(f"'{text}' is not HOST:PORT: {error}", hint=f"for example {DEFAULT_ADDRESS}") from error
    if not address.is_loopback or address.version != 4:
        raise UsageError(
            f"'{host}' is not a loopback address, expected one of 127.0.0.0/8",
            hint="a lab has no secrets worth guarding, so it serves this machine only",
        )
    if not 0 <= number < 1 << 16:
        raise UsageError(f"port {number} is out of range, expected 0 to 65535")
    return host, number


class LabServer:
    """A server that runs from ``__enter__`` to ``__exit__`` in threads of its own."""

    def __init__(self, routes: Sequence[Route], address: str = DEFAULT_ADDRESS) -> None:
        """Listen.

        Args:
            routes: what is served.
            address: ``HOST:PORT``, loopback.

        Raises:
            UsageError: not such an address.
            UnavailableError: the port is taken.
        """
        self._routes = routes
        host, port = parse_address(address)
        try:
            self._http = ThreadingHTTPServer((host, port), _handler(routes))
        except OSError as error:
            raise UnavailableError(
                f"can't listen on {address}: {error.strerror}", hint="name another port, or 0 for a free one"
            ) from error
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, name="lab", daemon=True)

    @property
    def urls(self) -> dict[str, str]:
        """Path of each route to its URL."""
        host, port = self._http.server_address[:2]
        return {route.path: f"http://{host!s}:{port}{route.path}" for route in self._routes}

    def __enter__(self) -> LabServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def of(authority: Authority, address: str, *, clock: Clock, random: Random, further: Sequence[Route] = ()) -> LabServer:
    """The services of an authority, not yet running.

    The time-stamping authority (RFC 3161 section 3.4) is a new one at each start: its tokens carry its certificate.

    Args:
        authority: of the lab.
        address: ``HOST:PORT``, loopback.
        clock: what time it is.
        random: source of serial numbers.
        further: what is served beside timestamps.

    Raises:
        UsageError: not such an address.
        UnavailableError: the port is taken.
        CertificateUnusableError: the issuing CA's certificate is not valid now.
    """
    tsa = timestamping.create(authority, clock=clock, random=random)
    stamp = Route("POST", "/tsa", "application/timestamp-query", "application/timestamp-reply", tsa.answer)
    return LabServer([stamp, *further], address)


@contextlib.contextmanager
def until_signal() -> Iterator[Callable[[], object]]:
    """Catch SIGINT and SIGTERM; what it gives waits for one of them. Call it in the main thread, before readiness."""
    done = threading.Event()
    before = {number: signal.signal(number, lambda *_: done.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield done.wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handler(routes: Sequence[Route]) -> type[BaseHTTPRequestHandler]:
    table = {(route.method, route.path): route for route in routes}

    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_SECONDS
        server_version = "signkit-lab"
        sys_version = ""

        def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
            self._serve(b"")

        def do_POST(self) -> None:  # noqa: N802
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()) or int(length) > MAXIMUM_REQUEST:
                return self._refuse(413 if length else 411)
            self._serve(self.rfile.read(int(length)))

        def _serve(self, body: bytes) -> None:
            route = table.get((self.command, self.path.partition("?")[0]))
            if route is None:
                return self._refuse(404)
            if route.accepts and self.headers.get_content_type() != route.accepts:
                return self._refuse(415)
            self._reply(200, route.gives, route.answer(body))

        def _refuse(self, status: int) -> None:
            self.close_connection = True
            self._reply(status, "text/plain", f"{status}\n".encode())

        def _reply(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: what was asked for is nobody's business."""

    return Handler
