"""The trust anchors of the platform (``--trust system``): the list that its TLS clients use, read by oscrypto."""

from __future__ import annotations

from signkit.errors import MalformedError, UnavailableError
from signkit.x509 import certificate as x509_certificate

_HINT = "name the roots you trust as files with --trust"


def certificates() -> tuple[bytes, ...]:
    """DER of the platform's trust anchors; see ``ports.TrustStore``. Those that can't be parsed are left out.

    Raises:
        UnavailableError: they can't be read, or there are none.
    """
    try:
        # The only part of oscrypto that works beside OpenSSL >= 3.0.10; the others are never imported.
        from oscrypto import trust_list

        found = sorted({certificate.dump() for certificate, _, _ in trust_list.get_list()})
    except Exception as error:  # a library that walks through files of the system may fail in any way
        message = f"the trust anchors of this system can't be read: {type(error).__name__}: {str(error)[:200]}"
        raise UnavailableError(message, hint=_HINT) from error
    usable = tuple(filter(_can_be_parsed, found))
    if not usable:
        raise UnavailableError("this system has no usable trust anchors, expected at least one", hint=_HINT)
    return usable


def _can_be_parsed(der: bytes) -> bool:
    try:
        x509_certificate.load(der)
    except MalformedError:
        return False
    return True
