"""The scripts of a consumer kit: verification with signkit, and with the openssl command line alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.x509.certificate import Certificate

SIGNKIT_SCRIPT = "verify-with-signkit.sh"
OPENSSL_SCRIPT = "verify-with-openssl.sh"
_SM2 = "EC_SM2"


class Signer(NamedTuple):
    """One signer of a release: its certificate, and its certification path, leaf first, trust anchor last."""

    certificate: Certificate
    path: tuple[Certificate, ...]


def with_signkit(names: Iterable[str], *, policy: str) -> str:
    """The script that verifies with signkit.

    Args:
        names: the artifacts, as paths below the folder that the consumer has them in.
        policy: name of the policy file in the kit.
    """
    return _SIGNKIT.format(policy=policy, files=_continued(names))


def with_openssl(signers: Sequence[Signer], names: Iterable[str], *, anchors: str, signers_file: str) -> str:
    """The script that verifies with openssl: ``cms`` where it can, ``pkeyutl`` for SM2.

    Args:
        signers: of every artifact.
        names: the artifacts, as for ``with_signkit``.
        anchors: name of the file with the trust anchors in the kit.
        signers_file: name of the file with the signers' certificates in the kit.
    """
    files = _continued(names)
    if not _any_sm2(signers):
        return _CMS.format(anchors=anchors, signers=signers_file, files=files, needs=openssl_needed(signers))
    if len(signers) > 1:
        return _NONE
    chosen = DEFAULT_SIGNER_ID.decode()
    path = signers[0].path
    hops = [_hop(path[number], path[number + 1], number) for number in range(len(path) - 1)]
    checks = "\n".join(hops) or ":  # the signer is the trust anchor itself"
    return _PKEYUTL.format(signer=_path_file(0), id=chosen, hops=checks, files=files)


def path_files(signers: Sequence[Signer]) -> Mapping[str, Certificate]:
    """Further files of the kit that the script needs: for SM2 each certificate of the path in one of its own."""
    if len(signers) != 1 or not _any_sm2(signers):
        return {}
    return {_path_file(number): one for number, one in enumerate(signers[0].path)}


def openssl_needed(signers: Sequence[Signer]) -> str:
    """The release of OpenSSL that the script needs, in words."""
    if _any_sm2(signers) and len(signers) > 1:
        return "what no release of OpenSSL has: it can't verify several signatures of which one is by SM2"
    newer = any(signer.certificate.key_type.startswith(("ED25519", "ML_DSA")) for signer in signers)
    return "OpenSSL 3.5 or newer" if newer else "OpenSSL 3.0 or newer"


def _any_sm2(signers: Iterable[Signer]) -> bool:
    return any(signer.certificate.key_type == _SM2 for signer in signers)


def _path_file(number: int) -> str:
    return f"path-{number}.pem"


def _hop(certificate: Certificate, issuer: Certificate, number: int) -> str:
    """One link of the path: OpenSSL 3 gives the SM2 identifier to the first certificate only."""
    identifier = f" -vfyopt distid:{DEFAULT_SIGNER_ID.decode()}" if issuer.key_type == _SM2 else ""
    return (
        f"openssl verify -no-CAfile -no-CApath -no-CAstore -partial_chain{identifier} \\\n"
        f'  -trusted "$kit/{_path_file(number + 1)}" "$kit/{_path_file(number)}" > /dev/null'
    )


def _continued(names: Iterable[str]) -> str:
    """Names as words of a shell command, one a line; none of them looks like an option."""
    return " \\\n".join(f"  {shlex.quote(f'./{name}')}" for name in names)


_SIGNKIT = """\
#!/bin/sh
# Verifies this release with signkit: sh KIT/verify-with-signkit.sh [FOLDER]
# FOLDER has the files and their signatures; without it, the current one does.
set -eu
kit=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd -- "${{1:-.}}"
exec signkit verify --policy "$kit/{policy}" -- \\
{files}
"""

_CMS = """\
#!/bin/sh
# Verifies this release with {needs}: sh KIT/verify-with-openssl.sh [FOLDER]
# FOLDER has the files and their signatures; without it, the current one does.
set -eu
kit=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd -- "${{1:-.}}"
# Only the anchors of the kit are trusted, not those of the system, and only its signers are looked for.
for file in \\
{files}
do
  printf '%s: ' "$file"
  openssl cms -verify -binary -inform DER -in "$file.p7s" -content "$file" -purpose any -out /dev/null \\
    -CAfile "$kit/{anchors}" -no-CApath -no-CAstore -nointern -certfile "$kit/{signers}"
done
"""

_NONE = """\
#!/bin/sh
echo 'OpenSSL cannot verify several signatures of which one is by SM2; use verify-with-signkit.sh' >&2
exit 3
"""

_PKEYUTL = """\
#!/bin/sh
# Verifies this release with OpenSSL 3.0 or newer: sh KIT/verify-with-openssl.sh [FOLDER]
# FOLDER has the files and their signatures; without it, the current one does.
# They are SM2 signatures, for which "openssl cms" of OpenSSL 3 takes the wrong identifier: each step is made alone.
set -eu
kit=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd -- "${{1:-.}}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. The signer's certificate leads to the trust anchor.
{hops}
openssl x509 -in "$kit/{signer}" -noout -pubkey > "$work/signer.pub"

for file in \\
{files}
do
  # 2. Where in the SignedData (RFC 5652) the signed attributes and the signature are.
  openssl asn1parse -inform DER -in "$file.p7s" > "$work/structure"
  attributes=$(sed -n 's/^ *\\([0-9]*\\):d=5 .*cons: cont \\[ 0 \\].*/\\1/p' "$work/structure" | head -n 1)
  signature=$(sed -n 's/^ *\\([0-9]*\\):d=5 .*prim: OCTET STRING.*/\\1/p' "$work/structure" | head -n 1)
  openssl asn1parse -inform DER -in "$file.p7s" -strparse "$signature" -noout -out "$work/signature"
  if [ -n "$attributes" ]; then
    # 3. They are signed as a SET OF (section 5.4), and their messageDigest is that of the file.
    openssl asn1parse -inform DER -in "$file.p7s" -strparse "$attributes" -noout -out "$work/attributes"
    {{ printf '\\061'; tail -c +2 "$work/attributes"; }} > "$work/signed"
    openssl asn1parse -inform DER -in "$work/signed" > "$work/structure"
    expected=$(sed -n '/:messageDigest$/,$ s/.*OCTET STRING *\\[HEX DUMP\\]://p' "$work/structure" | head -n 1)
    found=$(openssl dgst -sm3 -r < "$file" | cut -d ' ' -f 1 | tr a-f A-F)
    if [ "$expected" != "$found" ]; then
      echo "$file: REFUSED: its SM3 digest is $found, expected $expected" >&2
      exit 1
    fi
  else
    cp "$file" "$work/signed"
  fi
  # 4. The signature is by the signer's key.
  printf '%s: ' "$file"
  openssl pkeyutl -verify -pubin -inkey "$work/signer.pub" -rawin -digest sm3 -pkeyopt distid:{id} \\
    -in "$work/signed" -sigfile "$work/signature"
done
"""
