"""Revocation evidence from the network: OCSP responders and CRL distribution points that a certificate names.

OCSP is asked first, with a nonce; where it gives no usable answer, the CRLs are fetched. Who signed them is judged
later, as for evidence from files. Answers are kept until their nextUpdate, in memory and in a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os.path
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from signkit.der import oids
from signkit.errors import FileError, MalformedError, OutputExistsError, SignkitError, UnavailableError
from signkit.net.http import HttpClient
from signkit.ports import ArtifactSource, OutputSink
from signkit.ports.network import FetchedEvidence
from signkit.x509 import crl, distribution_point, ocsp
from signkit.x509.certificate import Certificate

MAXIMUM_URLS = 4
"""Most OCSP responders, and most distribution points, that are asked about one certificate."""

MAXIMUM_CRL = 32 << 20
NONCE_OCTETS = 32
MAXIMUM_AGE = timedelta(minutes=10)
"""Oldest answer that is used again: whoever asks the network wants to hear of a revocation soon."""

_REQUEST, _RESPONSE = "application/ocsp-request", "application/ocsp-response"


class EvidenceCache:
    """Answers of servers in a private folder, one file each, named by the digest of what was asked."""

    def __init__(self, folder: str, source: ArtifactSource, sink: OutputSink) -> None:
        """Take the folder; it is made when something is first kept.

        Args:
            folder: where the files are.
            source: reads them.
            sink: writes them.
        """
        self._folder = folder
        self._source = source
        self._sink = sink

    def read(self, key: str) -> bytes | None:
        """What was kept, or None."""
        path = os.path.join(self._folder, f"{key}.der")
        try:
            return self._source.read(path, limit=MAXIMUM_CRL, what="kept answer") if self._source.exists(path) else None
        except FileError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Keep an answer; a folder that can't be written to only means that nothing is kept."""
        with contextlib.suppress(FileError, OutputExistsError):
            self._sink.make_folder(self._folder)
            self._sink.write(os.path.join(self._folder, f"{key}.der"), data, overwrite=True, private=True)


class NetworkRevocationSource:
    """See ``ports.network.RevocationSource``."""

    def __init__(
        self,
        http: HttpClient,
        *,
        cache: EvidenceCache | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Make a source.

        Args:
            http: asks the servers.
            cache: where answers are kept beyond this process, None = nowhere.
            random: source of nonces.
        """
        self._http = http
        self._cache = cache
        self._random = random
        self._memory: dict[str, bytes] = {}

    @property
    def connections(self) -> Sequence[str]:
        """See ``ports.network.RevocationSource.connections``."""
        return tuple(self._http.connections)

    def fetch(self, certificate: Certificate, issuer: Certificate, now: datetime) -> FetchedEvidence:
        """See ``ports.network.RevocationSource.fetch``."""
        problems: list[str] = []
        try:
            responders = _usable(distribution_point.urls(certificate, oids.AD_OCSP), problems)
            points = [url for point in distribution_point.points(certificate) for url in point.urls]
        except MalformedError as error:
            return FetchedEvidence(problems=(error.message,))
        for url in responders:
            try:
                return FetchedEvidence(
                    ocsp_responses=(self._response(url, certificate, issuer, now),), problems=tuple(problems)
                )
            except SignkitError as error:
                problems.append(f"OCSP: {error.message}")
        crls: list[bytes] = []
        for url in _usable(points, problems):
            try:
                crls += self._crls(url, now)
            except SignkitError as error:
                problems.append(f"CRL: {error.message}")
        if not responders and not points:
            problems.append(f"the certificate of {certificate.subject} names neither an OCSP responder nor a CRL")
        return FetchedEvidence(crls=tuple(crls), problems=tuple(problems))

    def _response(self, url: str, certificate: Certificate, issuer: Certificate, now: datetime) -> bytes:
        """DER of a response that is about the certificate and is not older than the request.

        Raises:
            UnavailableError: there is none.
            MalformedError: it can't be parsed.
        """
        key = _key(url, ocsp.request(certificate, issuer))
        kept = self._kept(key)
        if kept is not None and _is_current_response(kept, certificate, issuer, now):
            return kept
        nonce = self._random(NONCE_OCTETS)
        request = ocsp.request(certificate, issuer, nonce)
        answer = self._http.post(url, request, media_type=_REQUEST, accept=_RESPONSE).body
        response = ocsp.load(answer)
        if response.nonce not in (None, nonce):
            raise UnavailableError(f"{url}: the response has another nonce than the request", code="NonceMismatch")
        found = response.about(certificate, issuer)
        if found is None or found.status == "unknown":
            raise UnavailableError(f"{url}: the responder does not know the certificate", code="UnknownCertificate")
        self._keep(key, answer)
        return answer

    def _crls(self, url: str, now: datetime) -> list[bytes]:
        """DER of the CRLs at a URL.

        Raises:
            UnavailableError: they could not be fetched.
            MalformedError: there is no CRL.
        """
        key = _key(url, b"")
        kept = self._kept(key)
        if kept is not None and _is_current_crl(kept, now):
            return [kept]
        found = crl.from_file(self._http.get(url).body)
        if len(found) == 1:
            self._keep(key, found[0])
        return found

    def _kept(self, key: str) -> bytes | None:
        if key not in self._memory and self._cache is not None:
            found = self._cache.read(key)
            if found is not None:
                self._memory[key] = found
        return self._memory.get(key)

    def _keep(self, key: str, data: bytes) -> None:
        self._memory[key] = data
        if self._cache is not None:
            self._cache.write(key, data)


def _usable(urls: Sequence[str], problems: list[str]) -> list[str]:
    """HTTP URLs, each once, not too many."""
    found: list[str] = []
    for url in dict.fromkeys(urls):
        if not url.lower().startswith(("http://", "https://")):
            problems.append(f"{url[:200]!r} is not asked: expected http or https")
        elif len(found) < MAXIMUM_URLS:
            found.append(urlsplit(url).geturl())
        else:
            problems.append(f"{url[:200]!r} is not asked: more than {MAXIMUM_URLS} are named")
    return found


def _key(url: str, request: bytes) -> str:
    return hashlib.sha256(url.encode() + b"\0" + request).hexdigest()


def _is_current_response(der: bytes, certificate: Certificate, issuer: Certificate, now: datetime) -> bool:
    try:
        found = ocsp.load(der).about(certificate, issuer)
    except MalformedError:
        return False
    return found is not None and _is_current(found.this_update, found.next_update, now)


def _is_current_crl(der: bytes, now: datetime) -> bool:
    try:
        found = crl.load(der)
    except MalformedError:
        return False
    return _is_current(found.this_update, found.next_update, now)


def _is_current(this_update: datetime, next_update: datetime | None, now: datetime) -> bool:
    return next_update is not None and this_update <= now < min(next_update, this_update + MAXIMUM_AGE)
