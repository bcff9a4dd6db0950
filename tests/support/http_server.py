"""A server on loopback for tests, whose answers a test writes itself, down to the octet."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType

Handler = Callable[[bytes, socket.socket], None]
"""Takes the whole request (headers and body) and the connection to answer on."""


def answer(body: bytes = b"", status: str = "200 OK", *headers: str, media_type: str = "text/plain") -> Handler:
    """An ordinary answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(body)}", *headers, "", ""]
    return raw("\r\n".join(lines).encode() + body)


def raw(data: bytes) -> Handler:
    """These octets."""
    return lambda _request, connection: connection.sendall(data)


class Server:
    """Answers each path with its handler; ``requests`` keeps what was asked."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self.requests: list[bytes] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}{path}"

    @property
    def closing(self) -> threading.Event:
        """Set when the test is over: a handler that dawdles waits for it."""
        return self._closing

    def __enter__(self) -> Server:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._socket.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                request = _read(connection)
                self.requests.append(request)
                path = request.split(b" ", 2)[1].decode()
                self._handlers.get(path, answer(b"", "404 Not Found"))(request, connection)
            except (OSError, IndexError):  # the client went away, perhaps before it asked
                return


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 16) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body
