"""CRLs and OCSP with openssl as generator and as judge, and pyhanko-certvalidator as a second opinion."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signkit.evidence import Verdict
from signkit.files import FileSink
from signkit.lab import authority as lab_authority
from signkit.lab import folder, revocation_folder, revoking
from signkit.lab.revoking import Revocations
from signkit.x509 import bundle, certificate, crl, request, revocation
from signkit.x509.certificate import Certificate
from signkit.x509.path import Bag
from tests.support import pki
from tests.support import revocation as rev
from tests.support.openssl import Authority, OpenSSL

RESPONDER = {"basicConstraints": "critical,CA:FALSE", "keyUsage": "digitalSignature", "extendedKeyUsage": "OCSPSigning"}
NOCHECK = {**RESPONDER, "noCheck": "ignored"}


def load(path: Path) -> Certificate:
    return certificate.load(bundle.certificates(path.read_bytes())[0])


def status(path: list[Certificate], **evidence: tuple[bytes, ...]) -> list[Verdict]:
    now = datetime.now(UTC)
    judge = revocation.checker(
        revocation.RevocationEvidence(**evidence),
        bag=Bag([path[-1].der], [one.der for one in path[1:-1]]),
        at=now,
        now=now,
        mode="require",
    )
    return [check.verdict for check in judge(tuple(path))]


class Bench:
    """An authority of openssl below a root, with a good and a revoked leaf."""

    def __init__(self, openssl: OpenSSL, key_type: str) -> None:
        self.openssl = openssl
        self.root = Authority.root(openssl, key_type=key_type)
        self.issuing = self.root.intermediate(key_type=key_type)
        self.good, self.bad = (
            self.issuing.issue(openssl.request(name, f"/CN={name}"), name) for name in ("good", "bad")
        )
        self.configuration = openssl.folder / "intermediate.cnf"
        openssl("ca", "-config", self.configuration, *self._ca, "-revoke", self.bad, "-crl_reason", "keyCompromise")

    @property
    def _ca(self) -> tuple[str, ...]:
        return ("-cert", str(self.issuing.certificate), "-keyfile", "intermediate.key")

    def path(self, leaf: Path) -> list[Certificate]:
        return [load(leaf), load(self.issuing.certificate), load(self.root.certificate)]

    def crls(self) -> tuple[bytes, ...]:
        """The CRLs of both authorities."""
        self.openssl("ca", "-config", self.configuration, *self._ca, "-gencrl", "-crldays", "7", "-out", "i.crl")
        root = ("-cert", self.root.certificate, "-keyfile", "root.key")
        self.openssl("ca", "-config", "root.cnf", *root, "-gencrl", "-crldays", "7", "-out", "r.crl")
        return tuple(
            der for name in ("i.crl", "r.crl") for der in crl.from_file((self.openssl.folder / name).read_bytes())
        )


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", ["EC_P256", "RSA_3072"])
def test_crls_that_openssl_makes(openssl: OpenSSL, key_type: str) -> None:
    bench = Bench(openssl, key_type)
    crls = bench.crls()
    assert status(bench.path(bench.good), crls=crls) == [Verdict.PASS, Verdict.PASS]
    assert status(bench.path(bench.bad), crls=crls) == [Verdict.FAIL, Verdict.PASS]


@pytest.mark.component("openssl")
@pytest.mark.parametrize("delegated", [True, False])
@pytest.mark.parametrize("extra", [(), ("-resp_key_id",), ("-resp_no_certs",)])
def test_responses_that_openssl_makes(openssl: OpenSSL, delegated: bool, extra: tuple[str, ...]) -> None:
    bench = Bench(openssl, "EC_P256")
    signer, key = bench.issuing.certificate, "intermediate.key"
    if delegated:
        signer, key = bench.issuing.issue(openssl.request("ocsp", "/CN=ocsp"), "ocsp", extensions=NOCHECK), "ocsp.key"
    for leaf, expected in ((bench.good, Verdict.PASS), (bench.bad, Verdict.FAIL)):
        openssl(
            *("ocsp", "-sha256", "-index", "intermediate.index", "-CA", bench.issuing.certificate, "-rsigner", signer),
            *("-rkey", key, "-issuer", bench.issuing.certificate, "-cert", leaf, "-respout", "resp.der"),
            *("-ndays", "1", "-noverify", *extra),
        )
        response = (openssl.folder / "resp.der").read_bytes()
        path = bench.path(leaf)
        if delegated and "-resp_no_certs" in extra:
            expected = Verdict.INDETERMINATE
        assert status(path, ocsp_responses=(response,))[0] is expected


@pytest.mark.component("openssl")
def test_openssl_accepts_what_the_lab_publishes(openssl: OpenSSL) -> None:
    now, lab = datetime.now(UTC), openssl.folder / "lab"
    lab.mkdir()
    authority = lab_authority.Authority.create(now, secrets.token_bytes)
    folder.save(authority, str(lab), FileSink())
    wanted = request.from_file(openssl.request("leaf", "/CN=leaf").read_bytes())
    leaf, _ = authority.issue(wanted.der, now=now, random=secrets.token_bytes)
    (openssl.folder / "leaf.pem").write_bytes(pki.as_pem(leaf))
    known = Revocations()
    verify = ("verify", "-CAfile", "lab/root.pem", "-untrusted", "lab/issuing.pem", "-x509_strict")
    for revoked in (False, True):
        if revoked:
            known = revoking.revoke(authority, known, certificate.load(leaf), reason="keyCompromise", when=now)
        revocation_folder.publish(authority, known, str(lab), FileSink(), now=now)
        text = openssl(*verify, "-CRLfile", "lab/crl.pem", "-crl_check_all", "leaf.pem", status=2 if revoked else 0)
        assert ("certificate revoked" in text) is revoked
        asked = ("-issuer", "lab/issuing.pem", "-cert", "leaf.pem")
        openssl("ocsp", *asked, "-reqout", "req.der")
        answered = revoking.answer_ocsp(authority, known, (openssl.folder / "req.der").read_bytes(), now=now)
        (openssl.folder / "resp.der").write_bytes(answered)
        judge = ("ocsp", "-respin", "resp.der", "-CAfile", "lab/root.pem", "-verify_other", "lab/issuing.pem")
        assert "Response verify OK" in openssl(*judge, "-reqin", "req.der"), "the nonce is the request's"
        text = openssl(*judge, *asked, "-no_nonce")
        assert "Response verify OK" in text
        assert f"leaf.pem: {'revoked' if revoked else 'good'}" in text
        assert "WARNING" not in text and "nonce" not in text.lower()


CHAIN = pki.chain()
BEFORE = pki.NOW - timedelta(days=30)
DIFFERENTIAL = {
    "good": [rev.crl()],
    "revoked": [rev.crl(entries=[rev.entry(CHAIN.leaf, BEFORE, rev.reason(1))])],
    "stale": [rev.crl(next_update=pki.NOW - timedelta(hours=1))],
    "forged": [rev.crl(key=pki.key(9))],
    "only for CAs": [rev.crl(extensions=[rev.number(1), rev.issuing_point(rev.ONLY_CAS)])],
    "only for users": [rev.crl(extensions=[rev.number(1), rev.issuing_point(rev.ONLY_USERS)])],
    "unknown critical extension": [
        rev.crl(extensions=[rev.number(1), pki.extension(pki.UNKNOWN_EXTENSION, b"\x05\x00", critical=True)])
    ],
    "some reasons": [rev.crl(extensions=[rev.number(1), rev.issuing_point(rev.reason_flags(0x83, 1, 2))])],
    "no CRL": [],
    "of the root alone": [rev.crl(pki.ROOT, pki.key(1))],
}
ASKING = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=[rev.ocsp_url("http://127.0.0.1/")])
RESPONSES = {
    "good": rev.ocsp(rev.single(ASKING, CHAIN.issuing)),
    "revoked": rev.ocsp(rev.single(ASKING, CHAIN.issuing, rev.revoked(BEFORE, 1))),
    "unknown": rev.ocsp(rev.single(ASKING, CHAIN.issuing, rev.UNKNOWN)),
    "forged": rev.ocsp(rev.single(ASKING, CHAIN.issuing), key=pki.key(9)),
    "delegated": rev.ocsp(
        rev.single(ASKING, CHAIN.issuing),
        key=pki.key(20),
        responder=rev.by_key(pki.key(20)),
        certificates=[rev.responder(pki.key(20))],
    ),
    "delegated without purpose": rev.ocsp(
        rev.single(ASKING, CHAIN.issuing),
        key=pki.key(20),
        responder=rev.by_key(pki.key(20)),
        certificates=[rev.responder(pki.key(20), purposes=None)],
    ),
}


def pyhanko_accepts(leaf: bytes, crls: list[bytes], responses: list[bytes]) -> bool:
    """Whether pyhanko-certvalidator accepts the path of a leaf when revocation must be known."""
    from asn1crypto import crl as asn1_crl
    from asn1crypto import ocsp as asn1_ocsp
    from asn1crypto import x509
    from pyhanko_certvalidator import CertificateValidator, ValidationContext
    from pyhanko_certvalidator.errors import PathBuildingError, PathValidationError, ValidationError

    context = ValidationContext(
        trust_roots=[x509.Certificate.load(CHAIN.root)],
        other_certs=[x509.Certificate.load(CHAIN.issuing)],
        crls=[asn1_crl.CertificateList.load(der) for der in crls],
        ocsps=[asn1_ocsp.OCSPResponse.load(der) for der in responses],
        moment=pki.NOW,
        revocation_mode="require",
        allow_fetching=False,
    )
    validator = CertificateValidator(x509.Certificate.load(leaf), validation_context=context)
    try:
        asyncio.run(validator.async_validate_usage({"digital_signature"}, {"code_signing"}))
    except (PathBuildingError, PathValidationError, ValidationError):
        return False
    return True


@pytest.mark.parametrize("name", [*DIFFERENTIAL, *(f"ocsp {name}" for name in RESPONSES)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pyhanko_comes_to_the_same(name: str) -> None:
    pytest.importorskip("pyhanko_certvalidator")
    kind, _, rest = name.partition(" ")
    crls = [rev.ROOT_CRL, *([] if kind == "ocsp" else DIFFERENTIAL[name])]
    responses = [RESPONSES[rest]] if kind == "ocsp" else []
    leaf = ASKING if kind == "ocsp" else CHAIN.leaf  # pyhanko looks at OCSP only for certificates that name a responder
    ours = all(check.passed for check in rev.judge(crls=crls, responses=responses, certificates=rev.path(leaf)))
    assert pyhanko_accepts(leaf, crls, responses) is ours
