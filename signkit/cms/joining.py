"""Further signers for a SignedData that exists: what is there stays byte for byte (RFC 5652 section 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from signkit import algorithms
from signkit.cms import signed_data
from signkit.der import cms, oids, reader, writer
from signkit.der.cms import SignedData
from signkit.errors import RefusedError

_CERTIFICATES, _CRLS = 0xA0, 0xA1


def join(existing: bytes, added: SignedData) -> bytes:
    """DER ContentInfo of an existing one with the signers, certificates and CRLs of another.

    Every SignerInfo, certificate and CRL keeps its bytes. A file in BER or PEM becomes DER: of its parts only the
    lengths change.

    Args:
        existing: a signature file.
        added: what comes in.

    Raises:
        MalformedError: ``existing`` is no signature file.
        RefusedError: the two are of different kinds, so that they can't be in one file.
    """
    parsed = signed_data.parse(existing)
    found = parsed.signed_data
    if (found.kind, found.content_type) != (added.kind, added.content_type):
        raise RefusedError(
            f"the existing signature is {oids.name(found.kind)} over {oids.name(found.content_type)}, the one to add "
            f"{oids.name(added.kind)} over {oids.name(added.content_type)}: expected the same, to be in one file",
            hint="choose the --sm2-profile of the existing signature, or write another file with --out-dir",
        )
    together = found._replace(
        digest_algorithms=_union_by_kind(found.digest_algorithms, added.digest_algorithms),
        certificates=_union(found.certificates, added.certificates),
        crls=_union(found.crls, added.crls),
        signer_infos=(*found.signer_infos, *added.signer_infos),
    )
    fields = _fields(parsed.der)
    encapsulated = fields[2].raw
    infos = [*signers(parsed.der), *map(cms.encode_signer_info, added.signer_infos)]
    parts = [
        writer.integer(max(found.version, signed_data.version_of(together))),
        writer.set_of(*together.digest_algorithms),
        encapsulated,
    ]
    if together.certificates:
        parts.append(writer.tlv(_CERTIFICATES, *sorted(together.certificates)))
    if together.crls:
        parts.append(writer.tlv(_CRLS, *sorted(together.crls)))
    parts.append(writer.set_of(*infos))
    return writer.sequence(writer.oid(found.kind), writer.tlv(0xA0, writer.sequence(*parts)))


def signers(der: bytes) -> list[bytes]:
    """DER of each SignerInfo of a ContentInfo with SignedData, as it stands there."""
    return [info.raw for info in _fields(der)[-1].children()]


def _fields(der: bytes) -> list[reader.Element]:
    _kind, wrapped = reader.parse(der, reader.SEQUENCE).children()
    return wrapped.children()[0].children()


def _union(one: Iterable[bytes], other: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _union_by_kind(one: Sequence[bytes], other: Sequence[bytes]) -> tuple[bytes, ...]:
    """Digest algorithms, each once: NULL parameters and none mean the same (RFC 5754 section 2)."""
    known = {algorithms.split_identifier(identifier)[0] for identifier in one}
    return (*one, *(new for new in other if algorithms.split_identifier(new)[0] not in known))
