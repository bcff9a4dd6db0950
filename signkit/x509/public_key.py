"""Public keys in the forms in which others read them: PEM, DER, JWK (RFC 7517), and a line for OpenSSH."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from signkit import algorithms
from signkit.algorithms import digests
from signkit.der import reader
from signkit.errors import UsageError
from signkit.x509 import pem

_JWK_CURVES = {"EC_P256": "P-256", "EC_P384": "P-384", "EC_P521": "P-521", "EC_P256K": "secp256k1"}
"""Key type to ``crv``: RFC 7518 section 6.2.1.1, RFC 8812 section 3.1."""
_SSH_CURVES = {"EC_P256": "nistp256", "EC_P384": "nistp384", "EC_P521": "nistp521"}
"""Key type to the curve's name in RFC 5656 section 10.1; secp256k1 has none."""


def encode(public_key_info: bytes, form: str) -> bytes:
    """A public key in another form.

    Args:
        public_key_info: DER SubjectPublicKeyInfo, a point in it uncompressed.
        form: one of ``FORMS``.

    Raises:
        UsageError: there is no such form, or none for this type of key that a standard registers.
        MalformedError: the public key can't be read.
    """
    require_form(form)
    return FORMS[form](public_key_info)


def require_form(form: str) -> None:
    """Refuse a form that there is not.

    Raises:
        UsageError: there is none of that name.
    """
    if form not in FORMS:
        raise UsageError(f"'{form}' is not a form of public keys: expected {' or '.join(FORMS)}")


def _pem(public_key_info: bytes) -> bytes:
    return pem.encode("PUBLIC KEY", public_key_info).encode()


def _jwk(public_key_info: bytes) -> bytes:
    """JSON in one line, members in the order of RFC 7638, with the key's thumbprint (RFC 7638) as ``kid``."""
    name, value = _taken_apart(public_key_info)
    if name.startswith("RSA_"):
        modulus, exponent = _rsa_numbers(value)
        members = {"e": _base64url(_unsigned(exponent)), "kty": "RSA", "n": _base64url(_unsigned(modulus))}
    elif name in _JWK_CURVES:
        size = len(value) // 2
        x, y = value[1 : 1 + size], value[1 + size :]
        members = {"crv": _JWK_CURVES[name], "kty": "EC", "x": _base64url(x), "y": _base64url(y)}
    elif name.startswith("ML_DSA_"):
        members = {"alg": name.replace("_", "-"), "kty": "AKP", "pub": _base64url(value)}  # RFC 9964
    elif name == "ED25519":
        members = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(value)}
    else:
        raise _unregistered(name, "JWK")
    thumbprint = digests.digest("sha256", _json(members))
    return _json({**members, "kid": _base64url(thumbprint)}) + b"\n"


def _ssh(public_key_info: bytes) -> bytes:
    """A line of an authorized_keys file: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4."""
    name, value = _taken_apart(public_key_info)
    if name.startswith("RSA_"):
        modulus, exponent = _rsa_numbers(value)
        fields = [b"ssh-rsa", _positive(exponent), _positive(modulus)]
    elif name in _SSH_CURVES:
        curve = _SSH_CURVES[name].encode()
        fields = [b"ecdsa-sha2-" + curve, curve, value]
    elif name == "ED25519":
        fields = [b"ssh-ed25519", value]
    else:
        raise _unregistered(name, "OpenSSH key")
    blob = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return fields[0] + b" " + base64.b64encode(blob) + b"\n"


FORMS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({"pem": _pem, "der": bytes, "jwk": _jwk, "ssh": _ssh})
"""Name of each form to what writes it."""


def _taken_apart(public_key_info: bytes) -> tuple[str, bytes]:
    """Key type and contents of the subjectPublicKey."""
    name = algorithms.key_type_of(public_key_info)
    children = reader.parse(public_key_info, reader.SEQUENCE, "SubjectPublicKeyInfo").children()
    return name, reader.bit_string(children[1], "subjectPublicKey")


def _rsa_numbers(public_key: bytes) -> tuple[int, int]:
    modulus, exponent = reader.parse(public_key, reader.SEQUENCE, "RSAPublicKey").children()
    return reader.integer(modulus, "RSA modulus"), reader.integer(exponent, "RSA public exponent")


def _unregistered(name: str, form: str) -> UsageError:
    return UsageError(f"no standard registers a form of {name} as {form}", hint="take --format pem or der")


def _unsigned(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _positive(number: int) -> bytes:
    """An mpint of RFC 4251 section 5 that is not negative."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(members: Mapping[str, str]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()
