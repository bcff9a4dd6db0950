"""Certification paths: validating three certificates against nothing but their signatures, and against two libraries.

All run in this process, in turn, from DER to a verdict. Ours goes through the public function: bag, search, checks, and
evidence; it finds certificates parsed in its own cache, and never keeps what came of a signature.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from harness import ROOT, Row, Run, duration, interleaved, median, per, ratios, verdict

sys.path.insert(0, str(ROOT))

import signkit  # noqa: E402
from signkit.x509 import certificate, path  # noqa: E402
from tests.support import keys, pki  # noqa: E402

KINDS = {"EC_P256": 0.6, "EC_SM2": 0.6, "RSA_2048": 0.45}
"""Key type to the least share of the rate of the bare signature checks."""

LEAST_OVER_PYHANKO, LEAST_OVER_OPENSSL = 5.0, 1.0


def rows(*, rounds: int, count: int) -> list[Row]:
    """Measure; each run does ``count`` validations."""
    out = []
    for kind, least in KINDS.items():
        chain = keys.chain(*(keys.any_key(kind, number) for number in range(3)))
        measures = {name: _timed(function, count) for name, function in _contenders(chain, kind).items()}
        interleaved(1, measures)
        found = {name: per(runs, count) for name, runs in interleaved(rounds, measures).items()}
        what = f"validate a path of three certificates, {kind}"
        ours = found.pop("signkit")
        for name, target in (("signatures alone", least), *_TARGETS):
            if name in found:
                out.append(_row(what, ours, name, found[name], target))
    return out


_TARGETS = (
    ("pyhanko-certvalidator", LEAST_OVER_PYHANKO),
    ("pyOpenSSL X509Store", LEAST_OVER_OPENSSL),
    ("pyOpenSSL X509Store, made before", 0.0),
)
"""Peers and the least of our rate over theirs; the last one keeps certificates, store and trust from call to call."""


def _row(what: str, ours: list[Run], name: str, peer: list[Run], least: float) -> Row:
    """A row whose ratio is our rate over the peer's. The CPU time decides; ``least`` = 0: for information only."""
    found = ratios(peer, ours)
    texts = (f"{ratio:.2f}" for ratio in found)
    peer_text = f"{name}: {duration(median(peer))}"
    row = Row(what, duration(median(ours)), peer_text, *texts)
    return row._replace(target=f"at least {least:g}", verdict=verdict(found[2] >= least)) if least else row


def _timed(function: Callable[[], object], count: int) -> Callable[[], Run]:
    def run() -> Run:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            function()
        taken = (time.perf_counter() - wall, time.process_time() - cpu)
        return Run(*taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)

    return run


def _contenders(chain: pki.Chain, kind: str) -> Mapping[str, Callable[[], object]]:
    leaf, issuing, root = map(certificate.load, (chain.leaf, chain.issuing, chain.root))

    def ours() -> None:
        anchors, bag = [chain.root], [chain.issuing]
        if not signkit.validate_path(chain.leaf, trust_anchors=anchors, intermediates=bag, at=pki.NOW):
            raise SystemExit(f"signkit refuses the chain of {kind}")

    def signatures() -> None:
        for child, issuer in ((leaf, issuing), (issuing, root)):
            if problem := path.signature_problem(child, issuer):
                raise SystemExit(problem)

    found: dict[str, Callable[[], object]] = {"signkit": ours, "signatures alone": signatures}
    found["pyOpenSSL X509Store"] = lambda: _prepared_openssl(chain)()
    found["pyOpenSSL X509Store, made before"] = _prepared_openssl(chain)
    if kind != "EC_SM2":
        found["pyhanko-certvalidator"] = _pyhanko(chain)
    return found


def _prepared_openssl(chain: pki.Chain) -> Callable[[], object]:
    from OpenSSL import crypto

    load: Any = crypto.load_certificate
    leaf, issuing, root = (load(crypto.FILETYPE_ASN1, der) for der in (chain.leaf, chain.issuing, chain.root))
    store = crypto.X509Store()
    store.add_cert(root)
    store.set_time(pki.NOW.replace(tzinfo=None))
    return lambda: crypto.X509StoreContext(store, leaf, [issuing]).verify_certificate()


def _pyhanko(chain: pki.Chain) -> Callable[[], object]:
    from asn1crypto import x509
    from pyhanko_certvalidator import CertificateValidator, ValidationContext

    def validate() -> object:
        leaf, issuing, root = (x509.Certificate.load(der) for der in (chain.leaf, chain.issuing, chain.root))
        context = ValidationContext(trust_roots=[root], other_certs=[issuing], moment=pki.NOW)
        validator = CertificateValidator(leaf, [issuing], validation_context=context)
        return asyncio.run(validator.async_validate_usage({"digital_signature"}, {"code_signing"}))

    return validate
