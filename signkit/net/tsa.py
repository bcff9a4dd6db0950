"""Time-stamping authorities over HTTP (RFC 3161 section 3.4): the request out, the response in, nothing judged."""

from __future__ import annotations

import time
from collections.abc import Callable

from signkit.errors import UnavailableError
from signkit.net import http
from signkit.net.http import HttpClient

MAXIMUM_BYTES = 1 << 20
"""Largest response that is accepted: real ones have a few thousand bytes, with all their certificates."""

PAUSES = (0.5, 2.0)
"""Seconds to wait before a server that is down or busy just now is asked again: two more times."""

_REQUEST, _RESPONSE = "application/timestamp-query", "application/timestamp-reply"


class HttpTimestampAuthority:
    """One authority; see ``ports.network.TimestampAuthority``."""

    def __init__(self, url: str, client: HttpClient, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Take where it is; nothing is asked here.

        Args:
            url: http or https.
            client: asks it, within limits of its own.
            pause: waits that many seconds.
        """
        self.url = url
        self._client = client
        self._pause = pause

    def ask(self, request: bytes) -> bytes:
        """See ``ports.network.TimestampAuthority.ask``.

        A server that refuses connections or says that it is busy is asked again after each of ``PAUSES``; any other
        failure is final: asking again would only give the same answer, or take as long.
        """
        for pause in PAUSES:
            try:
                return self._once(request)
            except UnavailableError as error:
                if error.code != http.TRANSIENT:
                    raise
            self._pause(pause)
        return self._once(request)

    def _once(self, request: bytes) -> bytes:
        answer = self._client.post(self.url, request, media_type=_REQUEST, accept=_RESPONSE)
        if answer.media_type != _RESPONSE:
            raise UnavailableError(
                f"{self.url[:200]!r}: an answer of type {answer.media_type}, expected {_RESPONSE}",
                code=http.DEFINITE,
            )
        return answer.body
