"""SM2 in CMS: RFC 5652 with signed attributes, and GM/T 0010 (GB/T 35275) without them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from signkit import formats
from signkit.algorithms import digests
from signkit.der import oids, writer
from signkit.evidence import Verdict, find
from signkit.files import FileSource
from signkit.verification.result import ArtifactResult
from tests.support import cms_builder, pki
from tests.support.cms_builder import ARTIFACT, SignedData, Signer, content_type, message_digest
from tests.support.judging import failures, judge
from tests.support.sm2_key import SM2_SIGN, SM3, Sm2Key

KEY: Any = Sm2Key(0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8)
ROOT_KEY: Any = Sm2Key(0x128B2FA8BD433C6C068C8D803DFF79792A519A55171B1B650C23661D15897263)
ROOT = pki.ca("CN=SM2 Root", ROOT_KEY)
LEAF = pki.leaf("CN=SM2 Signer,O=Acme", KEY, "CN=SM2 Root", ROOT_KEY)
ATTRIBUTES = (content_type(), message_digest(digest="sm3"))
FIELDS: dict[str, Any] = {"digest_algorithm": SM3, "attributes": ATTRIBUTES}
BARE: dict[str, Any] = {"digest_algorithm": SM3, "attributes": None, "signature_algorithm": SM2_SIGN}


def made(
    *,
    content: str = oids.DATA,
    kind: str = oids.SIGNED_DATA,
    key: Any = KEY,
    embedded: bytes | None = None,
    **fields: Any,
) -> bytes:
    one = Signer(key, LEAF, **fields)
    return SignedData(
        signers=(one,),
        certificates=(LEAF,),
        digest_algorithms=(one.digest_algorithm,),
        content_type=content,
        content=embedded,
        kind=kind,
    ).encode()


def gmt0010(**fields: Any) -> bytes:
    return made(content=oids.SM2_DATA, kind=oids.SM2_SIGNED_DATA, **(BARE | fields))


def verdict(data: bytes, artifact: bytes = ARTIFACT, **options: Any) -> ArtifactResult:
    return judge(data, artifact, anchors=[ROOT], **options)


@pytest.mark.parametrize("parameters", [b"", writer.NULL])
@pytest.mark.parametrize("oid", [oids.SM2_WITH_SM3, oids.SM2_SIGN])
@pytest.mark.parametrize("digest", [SM3, writer.sequence(writer.oid("1.2.156.10197.1.401"))])
def test_both_profiles_in_all_spellings(digest: bytes, oid: str, parameters: bytes) -> None:
    spelled = {"digest_algorithm": digest, "signature_algorithm": writer.sequence(writer.oid(oid), parameters)}
    for data in (made(**(FIELDS | spelled)), gmt0010(**spelled), made(**(BARE | spelled))):
        result = verdict(data)
        assert result.accepted, failures(result)
        assert result.signers[0].algorithm == "SM2DSA"
        assert result.digested == {"sm3": digests.digest("sm3", ARTIFACT).hex()}
        assert not verdict(data, ARTIFACT + b"\0").accepted


def test_gmt0010_with_signed_attributes() -> None:
    attributes = (content_type(oids.SM2_DATA), message_digest(digest="sm3"))
    assert verdict(gmt0010(attributes=attributes)).accepted
    wrong = gmt0010(attributes=ATTRIBUTES)
    assert failures(verdict(wrong)) == {"signed-attributes.content-type"}


def test_gmt0010_with_the_content_inside() -> None:
    assert verdict(gmt0010(embedded=ARTIFACT)).accepted
    assert verdict(gmt0010(embedded=b"other")).exit_status == 12


def test_a_changed_artifact_shows_where_it_can() -> None:
    assert verdict(made(**FIELDS), b"other").exit_status == 12
    assert verdict(gmt0010(), b"other").exit_status == 13


def test_without_z_it_is_refused() -> None:
    """OpenSSL 3 signs so without attributes: such a signature says nothing about who the signer is."""
    without = replace(KEY, signer_id=None)
    for data in (gmt0010(key=without), made(key=without, **BARE), made(key=without, **FIELDS)):
        assert verdict(data).exit_status == 13


@pytest.mark.parametrize("signer_id", [b"", b"ALICE123@YAHOO.COM"])
def test_another_identifier_only_when_it_is_asked_for(signer_id: bytes) -> None:
    key = replace(KEY, signer_id=signer_id)
    for data in (made(key=key, **FIELDS), gmt0010(key=key)):
        assert verdict(data).exit_status == 13
        found = verdict(data, sm2_id=signer_id)
        assert find(found.checks, "signature.value").passed  # type: ignore[union-attr]
    assert verdict(gmt0010(), sm2_id=signer_id).exit_status == 13


REFUSED = {
    "SHA-256 beside SM2": made(
        digest_algorithm=digests.identifier("sha256"), attributes=(content_type(), message_digest())
    ),
    "labelled ECDSA": made(**(FIELDS | {"signature_algorithm": pki.ALGORITHMS["ecdsa-sha256"]})),
    "labelled RSA": made(**(FIELDS | {"signature_algorithm": pki.ALGORITHMS["rsa-sha256"]})),
    "parameters of another kind": made(
        **(FIELDS | {"signature_algorithm": writer.sequence(writer.oid(oids.SM2_WITH_SM3), writer.integer(1))})
    ),
    "the curve as algorithm": made(**(FIELDS | {"signature_algorithm": writer.sequence(writer.oid(oids.SM2))})),
    "a signature of zeros": gmt0010(signature=writer.sequence(writer.integer(0), writer.integer(0))),
    "r and s without their structure": gmt0010(signature=bytes(64)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    result = verdict(REFUSED[name])
    assert not result.accepted
    assert result.exit_status in (11, 13, 19)


def test_gmt0010_knows_no_other_algorithm() -> None:
    """A P-256 signature in its clothes."""
    data = cms_builder.signature(
        cms_builder.signer(attributes=None), content_type=oids.SM2_DATA, kind=oids.SM2_SIGNED_DATA
    )
    result = judge(data)
    assert "signature.algorithm" in failures(result)
    assert result.exit_status == 19


def test_the_artifact_is_streamed_with_z_before_it(tmp_path: Any) -> None:
    """What a signature without attributes is over is computed piece by piece, whatever the artifact's size."""
    artifact = ARTIFACT * 200_000
    (tmp_path / "a").write_bytes(artifact)
    parsed = formats.format_named("cms").parse(gmt0010())
    wanted = parsed.required_digests()
    assert wanted == {"sm3", digests.with_prefix("sm3", KEY.z)}
    found = FileSource().digest(str(tmp_path / "a"), wanted).values
    assert found[digests.with_prefix("sm3", KEY.z)] == digests.digest("sm3", KEY.z + artifact)


def test_without_certificates_the_signer_comes_from_elsewhere() -> None:
    one = Signer(KEY, LEAF, **BARE)
    data = SignedData((one,), (), digest_algorithms=(SM3,)).encode()
    assert verdict(data).exit_status == 14
    assert verdict(data, intermediates=[LEAF]).accepted


def test_many_keys_of_one_name_cannot_cause_many_digests() -> None:
    serial = 77
    keys = [Sm2Key(KEY.secret + n) for n in range(30)]
    bag = tuple(pki.leaf("CN=SM2 Signer", one, "CN=SM2 Root", ROOT_KEY, serial=serial) for one in keys)
    one = Signer(keys[0], bag[0], **BARE)
    parsed = formats.format_named("cms").parse(SignedData((one,), bag, digest_algorithms=(SM3,)).encode())
    assert len(parsed.required_digests()) <= 9


def test_an_artifact_that_is_signed_attributes_is_refused() -> None:
    """Whoever has a signature with attributes must not pass the attributes off as the artifact (with Z, too)."""
    attributes = cms_builder.encode_attributes(ATTRIBUTES)
    data = gmt0010(signature=KEY.sign(attributes))
    result = verdict(data, attributes)
    assert "signed-attributes.ambiguity" in failures(result)


def test_an_artifact_that_was_not_digested_is_left_open() -> None:
    parsed = formats.format_named("cms").parse(gmt0010())
    (found,) = parsed.signers({"sm3": digests.digest("sm3", ARTIFACT)}, ())
    check = find(found.checks, "signature.value")
    assert check is not None and check.verdict is Verdict.INDETERMINATE
