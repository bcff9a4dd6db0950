"""The consumer kit of a release: pinned trust anchor, policy, and the commands that verify with them."""

from __future__ import annotations

import json
import os.path
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from signkit.errors import CertificateUnusableError, UsageError
from signkit.keys.model import BoundCertificate
from signkit.operations import kit_scripts
from signkit.operations.access import recordable
from signkit.operations.certificates import read_certificates
from signkit.operations.kit_scripts import OPENSSL_SCRIPT, SIGNKIT_SCRIPT, Signer
from signkit.operations.sign import SignedArtifact
from signkit.operations.validate import validate_path
from signkit.ports import ArtifactSource, Clock, OutputSink
from signkit.x509 import certificate as x509_certificate
from signkit.x509 import pem
from signkit.x509.certificate import Certificate

ANCHORS = "trust-anchors.pem"
TSA_ANCHORS = "tsa-trust-anchors.pem"
SIGNERS = "signers.pem"
POLICY = "release.policy.toml"
README = "README.md"


class KitPlan(NamedTuple):
    """A kit that can be written once the signatures are there.

    Attributes:
        folder: where it goes.
        signers: whose signatures it is for.
        anchors: the pinned trust anchors.
        tsa_anchors: trust anchors of timestamp authorities; empty = the same anchors.
        overwrite: whether files of an earlier kit are replaced.
    """

    folder: str
    signers: tuple[Signer, ...]
    anchors: tuple[Certificate, ...]
    tsa_anchors: tuple[Certificate, ...]
    overwrite: bool

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of all its files."""
        names = [README, POLICY, ANCHORS, SIGNERS, SIGNKIT_SCRIPT, OPENSSL_SCRIPT]
        names += [TSA_ANCHORS] if self.tsa_anchors else []
        return tuple(os.path.join(self.folder, name) for name in [*names, *kit_scripts.path_files(self.signers)])


class KitService:
    """Makes consumer kits."""

    def __init__(self, source: ArtifactSource, sink: OutputSink, *, clock: Clock) -> None:
        """Take the parts; nothing is opened here."""
        self._source = source
        self._sink = sink
        self._clock = clock

    def plan(
        self,
        folder: str,
        signers: Iterable[BoundCertificate],
        *,
        trust: Sequence[str] = (),
        tsa_trust: Sequence[str] = (),
        overwrite: bool = False,
    ) -> KitPlan:
        """Find the trust anchors and check, before anything is signed, that a consumer will reach them.

        Args:
            folder: where the kit will be.
            signers: the current certificate of each key version that signs, with its chain.
            trust: files with the trust anchors; empty = the self-signed end of each chain.
            tsa_trust: files with trust anchors of timestamp authorities.
            overwrite: replace what exists.

        Raises:
            UsageError: no anchor was named, and a chain does not end in a self-signed certificate.
            CertificateUnusableError: a signer's certificate has no valid path to the anchors.
            FileError: a file can't be read, or the kit can't be written.
            MalformedError: a file holds no certificate.
            OutputExistsError: a file of the kit exists already.
        """
        bound = tuple(signers)
        named = [one for path in trust for one in read_certificates(self._source, path)]
        anchors = tuple(dict.fromkeys(named or [_root(one) for one in bound]))
        found = tuple(dict.fromkeys(one for path in tsa_trust for one in read_certificates(self._source, path)))
        plan = KitPlan(folder, tuple(self._signer(one, anchors) for one in bound), anchors, found, overwrite)
        if self._source.exists(folder):
            self._sink.check(plan.files, overwrite=overwrite)
        return plan

    def write(self, plan: KitPlan, artifacts: Sequence[SignedArtifact]) -> tuple[str, ...]:
        """Write the kit; returns the paths of its files, none when there is no artifact.

        Raises:
            UsageError: two artifacts would have the same name for the consumer.
            FileError: a file could not be written.
            OutputExistsError: one has come into being since the plan.
        """
        if not artifacts:
            return ()
        names = consumer_names(artifacts)
        script = kit_scripts.with_openssl(plan.signers, names, anchors=ANCHORS, signers_file=SIGNERS)
        contents = {
            README: _readme(plan, names, artifacts),
            POLICY: policy(plan),
            ANCHORS: _pem(plan.anchors),
            SIGNERS: _pem(signer.certificate for signer in plan.signers),
            SIGNKIT_SCRIPT: kit_scripts.with_signkit(names, policy=POLICY),
            OPENSSL_SCRIPT: script,
        }
        if plan.tsa_anchors:
            contents[TSA_ANCHORS] = _pem(plan.tsa_anchors)
        contents |= {name: _pem([one]) for name, one in kit_scripts.path_files(plan.signers).items()}
        self._sink.make_folder(plan.folder, private=False)
        self._sink.check(plan.files, overwrite=plan.overwrite)
        for name, text in contents.items():
            path = os.path.join(plan.folder, name)
            self._sink.write(path, text.encode("utf-8", "surrogateescape"), overwrite=plan.overwrite)
        return plan.files

    def _signer(self, bound: BoundCertificate, anchors: Sequence[Certificate]) -> Signer:
        result = validate_path(
            bound.certificate,
            trust_anchors=[anchor.der for anchor in anchors],
            intermediates=bound.chain,
            at=self._clock(),
        )
        if not result:
            faults = "; ".join(dict.fromkeys(check.detail or check.name for check in result.faults))
            raise CertificateUnusableError(
                f"a kit with the trust anchors {_subjects(anchors)} would refuse this release: {faults}",
                hint="name the root of the signer's certificate with --kit-trust",
            )
        return Signer(x509_certificate.load_accepted(bound.certificate), result.path)


def consumer_names(artifacts: Sequence[SignedArtifact]) -> list[str]:
    """How a consumer names each artifact: below the folder that all have in common, or flat where they were put so.

    Raises:
        UsageError: two of them would be the same.
    """
    beside = all(os.path.dirname(one.signature) == os.path.dirname(one.artifact) for one in artifacts)
    paths = [os.path.normpath(one.artifact) for one in artifacts]
    names = [os.path.basename(path) for path in paths]
    if beside and len({os.path.isabs(path) for path in paths}) == 1:
        common = os.path.commonpath([os.path.dirname(path) for path in paths])
        below = [os.path.relpath(path, common) if os.path.isabs(path) else _below(path, common) for path in paths]
        names = names if any(name.startswith(os.pardir) for name in below) else below
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(
            f"a kit would have two artifacts named {recordable(min(twice))}, expected different names",
            hint="sign them in separate calls, each with a kit of its own",
        )
    return names


def policy(plan: KitPlan) -> str:
    """The policy file of a kit: the anchors and the keys of this release, and nobody else."""
    entries = [f"{{ spki-sha256 = {_toml(signer.certificate.public_key_fingerprint)} }}" for signer in plan.signers]
    lines = [
        "# Accepts what the keys of this release have signed, and nothing else.",
        "version = 1",
        "",
        "[[policy]]",
        'name = "release"',
        'artifacts = ["**"]',
        f"trust-anchors = [{_toml(ANCHORS)}]",
        f"signers = [{', '.join(entries)}]",
        f"threshold = {len({signer.certificate.public_key_info for signer in plan.signers})}",
        'timestamp = "if-expired"',
        *([f"tsa-trust-anchors = [{_toml(TSA_ANCHORS)}]"] if plan.tsa_anchors else []),
        'revocation = "check"',
    ]
    return "\n".join(lines) + "\n"


def _root(bound: BoundCertificate) -> Certificate:
    last = x509_certificate.load_accepted((bound.certificate, *bound.chain)[-1])
    if not last.self_issued:
        raise UsageError(
            f"no trust anchor for the kit: the chain of the signer ends with {last.subject}, expected a root",
            hint="name the authority's root with --kit-trust ROOT, or import it with the chain: 'signkit cert import'",
        )
    return last


def _below(path: str, common: str) -> str:
    """A relative path below a folder that it begins with; the current folder is the empty one."""
    return path[len(common) + 1 :] if common else path


def _toml(text: str) -> str:
    """A basic string of TOML; its escapes are those of JSON, and DEL needs one too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _pem(certificates: Iterable[Certificate]) -> str:
    return "".join(
        f"# {recordable(str(one.subject))!a}\n{pem.encode(pem.CERTIFICATE_LABELS[0], one.der)}" for one in certificates
    )


def _subjects(certificates: Iterable[Certificate]) -> str:
    return " and ".join(str(one.subject) for one in certificates)


def _readme(plan: KitPlan, names: Sequence[str], artifacts: Sequence[SignedArtifact]) -> str:
    """What a consumer reads first."""
    digests = [
        f"{one.digest_algorithm}  {one.digest_hex}  {recordable(name)!a}"
        for one, name in zip(artifacts, names, strict=True)
    ]
    signers = [
        f"- {_inline(signer.certificate)}, valid to {signer.certificate.not_after:%Y-%m-%d}\n"
        f"  - SHA-256 of its public key: `{signer.certificate.public_key_fingerprint}`"
        for signer in plan.signers
    ]
    anchors = [f"- {_inline(one)}\n  - SHA-256 of the certificate: `{one.fingerprint}`" for one in plan.anchors]
    return _README.format(
        signkit=SIGNKIT_SCRIPT,
        openssl=OPENSSL_SCRIPT,
        policy=POLICY,
        anchors_file=ANCHORS,
        needs=kit_scripts.openssl_needed(plan.signers),
        anchors="\n".join(anchors),
        signers="\n".join(signers),
        digests="\n".join(digests),
    )


def _inline(certificate: Certificate) -> str:
    """A name as code in Markdown, whatever is in it."""
    return f"`{ascii(str(certificate.subject))[1:-1].replace('`', chr(39))}`"


_README = """\
# How to verify this release

Beside each file of the release lies its signature, `FILE.p7s`. Go to the folder with the files and run one of these;
KIT is this folder:

```
sh KIT/{signkit}
sh KIT/{openssl}
```

The first needs signkit and says which check failed and why. It is the same as
`signkit verify FILE... --policy KIT/{policy}`. The second needs {needs}; it checks signature, certificate chain and
signer, but neither timestamps nor revocation, and refuses once the signer's certificate has expired. Both end with
status 0 only when every file is accepted. Another folder with the files can stand behind the command.

## What you trust

Whoever can change this folder can change what it trusts. Get these values a second time, from where an attacker would
have to be as well, and compare: `openssl x509 -in KIT/{anchors_file} -noout -fingerprint -sha256`.

Trust anchors:

{anchors}

Signers:

{signers}

## The files

```
{digests}
```
"""
