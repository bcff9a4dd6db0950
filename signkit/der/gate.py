"""The gatekeeper: what goes on was accepted by cryptography's strict parser: certificates, requests, CRLs."""

from __future__ import annotations

import warnings

from cryptography import x509

from signkit.errors import MalformedError


def certificate(der: bytes) -> None:
    """Refuse bytes that are not one strictly encoded X.509 certificate.

    Raises:
        MalformedError: they are not.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            x509.load_der_x509_certificate(der)
        except (ValueError, TypeError, x509.InvalidVersion) as error:
            raise MalformedError(f"certificate can't be parsed: {error}") from error


def certification_request(der: bytes) -> None:
    """Refuse bytes that are not one strictly encoded PKCS #10 request.

    Raises:
        MalformedError: they are not.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            x509.load_der_x509_csr(der)
        except (ValueError, TypeError, x509.InvalidVersion) as error:
            raise MalformedError(f"certification request can't be parsed: {error}") from error


def certificate_list(der: bytes) -> None:
    """Refuse bytes that are not one strictly encoded CRL; the entries are parsed too.

    Raises:
        MalformedError: they are not.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            x509.load_der_x509_crl(der)
        except (ValueError, TypeError, x509.InvalidVersion) as error:
            raise MalformedError(f"CRL can't be parsed: {error}") from error
