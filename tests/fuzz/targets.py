"""What is fuzzed: each target takes any bytes and answers, or raises one of signkit's own errors.

A target is a row of ``TARGETS``; the modules it needs may come later than this file: one that is not there yet is left
out, and ``test_targets.py`` says which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from signkit.errors import SignkitError
from tests.support import pki

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


class Target(NamedTuple):
    """One thing that reads bytes.

    Attributes:
        module: where it is.
        run: takes the module and the bytes; may raise ``SignkitError`` and nothing else.
        seeds: patterns of files below ``fixtures/`` to begin with.
        text: seeds that are no files.
    """

    module: str
    run: Callable[[Any, bytes], object]
    seeds: Sequence[str] = ()
    text: Sequence[bytes] = ()

    @property
    def available(self) -> bool:
        """Whether its module is there."""
        try:
            return find_spec(self.module) is not None
        except ModuleNotFoundError:
            return False

    def begin(self) -> list[bytes]:
        """What to begin with."""
        files = sorted({path for pattern in self.seeds for path in FIXTURES.glob(pattern) if path.is_file()})
        return [*self.text, *(path.read_bytes() for path in files)]

    def __call__(self, data: bytes) -> None:
        """Run it on these bytes; an error of signkit's own is an answer."""
        try:
            self.run(_module(self.module), data)
        except SignkitError as error:
            if not error.message:
                raise AssertionError("an error without a message") from error


_module = cache(import_module)


def _certificate(module: Any, data: bytes) -> None:
    found = module.load(data)
    str(found.subject), str(found.issuer), found.fingerprint
    import_module("signkit.x509.alternative_names").of(found)


def _signature(module: Any, data: bytes) -> None:
    result = module.judge(data)
    assert not result.accepted or result.accepted_signers


def _policy(module: Any, data: bytes) -> None:
    found = module.parse(data.decode("utf-8", "replace"), "F")
    found.policy_for("dist/app.bin")


_POLICY = b"""version = 1
[[policy]]
name = "release"
artifacts = ["dist/**"]
trust-anchors = ["roots/acme.pem"]
signers = [{ subject = "CN=Acme Release,O=Acme" }, { san = "email:a@b" }]
threshold = 1
algorithms = ["SM2DSA"]
timestamp = "if-expired"
revocation = "check"
[policy.actions]
"path.*.policies" = "warn"
[[test]]
artifact = "dist/app.bin"
at = 2027-01-01
reasons = ["path.0.validity"]
"""

TARGETS: dict[str, Target] = {
    "der": Target("signkit.der.reader", lambda module, data: module.parse(data).children(), ("certificates/**/*.der",)),
    "ber": Target("signkit.der.ber", lambda module, data: module.to_der(data), ("signatures/**/*.p7s",)),
    "pem": Target("signkit.x509.pem", lambda module, data: module.decode(data), ("certificates/**/*.pem",)),
    "bundle": Target("signkit.x509.bundle", lambda module, data: module.certificates(data), ("certificates/**/*",)),
    "certificate": Target("signkit.x509.certificate", _certificate, ("certificates/**/*.der",), (pki.chain().leaf,)),
    "name": Target("signkit.x509.names", lambda module, data: str(module.Name(data)), (), (pki.chain().leaf[60:120],)),
    "name as text": Target(
        "signkit.x509.names", lambda module, data: module.parse(data.decode("utf-8", "replace")), (), (b"CN=A,O=B\\,C",)
    ),
    "request": Target("signkit.x509.request", lambda module, data: module.load(data), ("**/*.csr",)),
    "signature": Target("tests.support.judging", _signature, ("signatures/**/*.p7s", "refused/**/*.p7s")),
    "token": Target("signkit.tsp.token", lambda module, data: module.load(data), ("**/*.tsr", "**/*.tst")),
    "crl": Target("signkit.x509.crl", lambda module, data: module.load(data), ("**/*.crl",)),
    "ocsp": Target("signkit.x509.ocsp", lambda module, data: module.load(data), ("**/*.ocsp", "**/*.ors")),
    "policy": Target("signkit.verification.policy_file", _policy, (), (_POLICY,)),
    "policy tests": Target(
        "signkit.verification.policy_tests",
        lambda module, data: module.parse_tests(data.decode("utf-8", "replace"), "F"),
        (),
        (_POLICY[_POLICY.index(b"[[test]]") :],),
    ),
    "configuration": Target(
        "signkit.config",
        lambda module, data: module.parse(data.decode("utf-8", "replace")),
        (),
        (b'[sign]\nkey = ["alias/a@1"]\n[verify]\npolicy = "F"\n',),
    ),
}
