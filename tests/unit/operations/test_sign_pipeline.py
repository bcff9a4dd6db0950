"""The pipeline of one artifact: the same in a worker process, with what a stamper adds, and it stops what is wrong."""

from __future__ import annotations

import multiprocessing
import pickle
from datetime import timedelta
from typing import Any

import pytest

from signkit import formats
from signkit.algorithms import digests
from signkit.cms import signed_data
from signkit.der import cms, oids, writer
from signkit.errors import ProviderError, UsageError
from signkit.formats.base import WHOLE
from signkit.operations.sign import pipeline
from signkit.operations.sign.pipeline import Recipe, SignerRecipe, Stamped, Work
from signkit.x509 import certificate
from tests.support import pki
from tests.support.keys import AnyKey, any_key, chain

ARTIFACT = b"an artifact"


def recipe(*keys: AnyKey, format: str = "cms") -> Recipe:
    form = formats.format_named(format)
    signers = []
    for number, key in enumerate(keys):
        ders = chain(any_key("EC_P256", 7), any_key("EC_P256", 8 + number), key)
        leaf = certificate.load(ders.leaf)
        prepared = form.prepare(leaf, (ders.issuing,), key.scheme, key.scheme.content_digest)
        signers.append(SignerRecipe(leaf, key.scheme, form.artifact_digest(prepared), prepared))
    return Recipe(format, tuple(signers))


def work(found: Recipe, **fields: Any) -> Work:
    made = {name: ARTIFACT if name == WHOLE else digests.digest(name, ARTIFACT) for name in found.digests()}
    return Work("app.bin", "app.bin.p7s", len(ARTIFACT), made, **fields)


def signed_by(keys: tuple[AnyKey, ...], to_be_signed: tuple[bytes, ...]) -> list[bytes]:
    return [key.sign(data) for key, data in zip(keys, to_be_signed, strict=True)]


def test_a_worker_process_gets_the_same(tmp_path: Any) -> None:
    """Spawned, so that no object of this process is there, and hashes of bytes are other ones."""
    keys = (any_key("EC_P256"), any_key("ED25519"))
    found = recipe(*keys)
    one = work(found)
    to_be_signed = pipeline.to_be_signed(found, one, pki.NOW)
    values = signed_by(keys, to_be_signed)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(pipeline.to_be_signed, (found, one, pki.NOW)) == to_be_signed
        data = pool.apply(pipeline.finish, (found, one, to_be_signed, values))
    assert data == pipeline.finish(found, one, to_be_signed, values)
    assert pickle.loads(pickle.dumps(found)) == found


def test_what_a_stamper_gives_goes_along() -> None:
    keys = (any_key("EC_P256"), any_key("RSA_2048"))
    found = recipe(*keys)
    one = work(found)
    to_be_signed = pipeline.to_be_signed(found, one, pki.NOW)
    attribute = cms.encode_attribute(cms.Attribute("1.3.6.1.4.1.99999.7", (writer.octet_string(b"a"),)))
    ocsp = writer.tlv(0xA1, writer.oid(oids.OCSP_RESPONSE), writer.sequence())
    extra = chain(any_key("EC_P256", 20), any_key("EC_P256", 21), any_key("EC_P256", 22)).root
    stamped = [Stamped((attribute,), (extra,), (ocsp,)), Stamped()]
    data = pipeline.finish(found, one, to_be_signed, signed_by(keys, to_be_signed), stamped)
    parsed = signed_data.parse(data).signed_data
    assert sorted(len(info.unsigned_attributes) for info in parsed.signer_infos) == [0, 1]
    assert parsed.crls == (ocsp,)
    assert extra in parsed.certificates
    assert parsed.version == 5  # RFC 5652 section 5.1: a revocation value of another form


@pytest.mark.parametrize("format", ["cms", "raw"])
def test_a_wrong_value_goes_no_further(format: str) -> None:
    key = any_key("EC_P256")
    found = recipe(key, format=format)
    one = work(found)
    to_be_signed = pipeline.to_be_signed(found, one, pki.NOW)
    wrong = any_key("EC_P256", 1).sign(to_be_signed[0])
    for value in (wrong, b"", bytes(64)):
        with pytest.raises(ProviderError, match="does not verify"):
            pipeline.finish(found, one, to_be_signed, [value])


def test_a_file_for_other_signers_is_not_taken() -> None:
    key, other = any_key("EC_P256"), any_key("EC_P256", 1)
    found, stranger = recipe(key), recipe(other)
    one = work(found)
    to_be_signed = pipeline.to_be_signed(found, one, pki.NOW)
    data = pipeline.finish(found, one, to_be_signed, signed_by((key,), to_be_signed))
    with pytest.raises(ProviderError, match="has no signer"):
        pipeline.verify_again(stranger, one, data)
    with pytest.raises(ProviderError, match="expected 2"):
        pipeline.verify_again(recipe(key, other), one, data)


def test_what_was_there_must_still_be_there() -> None:
    key, other = any_key("EC_P256"), any_key("EC_P256", 1)
    first = recipe(key)
    one = work(first)
    files = []
    for moment in (pki.NOW, pki.NOW + timedelta(seconds=1)):
        to_be_signed = pipeline.to_be_signed(first, one, moment)
        files.append(pipeline.finish(first, one, to_be_signed, signed_by((key,), to_be_signed)))
    second = recipe(other)
    joined = one._replace(existing=files[0])
    to_be_signed = pipeline.to_be_signed(second, joined, pki.NOW)
    data = pipeline.finish(second, joined, to_be_signed, signed_by((other,), to_be_signed))
    with pytest.raises(ProviderError, match="not the same any more"):
        pipeline.verify_again(second, one._replace(existing=files[1]), data)


def test_a_bare_value_holds_nothing_else() -> None:
    key = any_key("EC_P256")
    found = recipe(key, format="raw")
    one = work(found)
    to_be_signed = pipeline.to_be_signed(found, one, pki.NOW)
    with pytest.raises(UsageError, match="holds nothing else"):
        pipeline.finish(found, one, to_be_signed, [b"value"], [Stamped(crls=(b"\x30\x00",))])
