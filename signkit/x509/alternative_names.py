"""Subject alternative names (RFC 5280 section 4.2.1.6) as text that can be compared."""

from __future__ import annotations

from signkit.der import oids, reader
from signkit.errors import MalformedError
from signkit.x509.certificate import Certificate

KINDS = {"email": 0x81, "dns": 0x82, "uri": 0x86}
"""Kind of name, as it is written in policies, to its tag in GeneralName. Others are not compared."""

_MAXIMUM = 100


def of(certificate: Certificate) -> tuple[str, ...]:
    """The names of the known kinds, ``kind:name`` in canonical form; none when the extension can't be read.

    A certificate with more than a hundred of them has none that counts.
    """
    extension = certificate.extensions.get(oids.SUBJECT_ALT_NAME)
    if extension is None:
        return ()
    kinds = {tag: kind for kind, tag in KINDS.items()}
    try:
        elements = reader.parse(extension.value, reader.SEQUENCE, "subjectAltName").children()
        if len(elements) > _MAXIMUM:
            return ()
        # IA5String: other octets have no agreed meaning, so a name with them is nobody's.
        known = [(kinds[one.tag], one.content) for one in elements if one.tag in kinds and one.content.isascii()]
    except MalformedError:
        return ()
    return tuple(canonical(kind, content.decode()) for kind, content in known)


def canonical(kind: str, name: str) -> str:
    """``kind:name`` so that equal names are equal text: host names without case (RFC 5280 sections 7.2 and 7.5)."""
    if kind == "dns":
        name = name.lower().removesuffix(".")
    elif kind == "email":
        mailbox, at, host = name.rpartition("@")
        name = f"{mailbox}{at}{host.lower()}"
    return f"{kind}:{name}"
