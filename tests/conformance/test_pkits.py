"""NIST's Public Key Interoperability Test Suite (PKITS, 2011 edition) through ``signkit.validate_path``.

Certificates and CRLs come from the package ``cryptography_vectors``. The rows come from an index that the environment
variable SIGNKIT_PKITS_INDEX names: 246 of them, with their inputs and expectations. Without it, every certificate whose
file name says Valid or Invalid is judged, each with all other certificates and CRLs of the suite around it.

Two rows are not expected to come out right: signkit has no DSA, and ``cryptography`` can't read the second.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest

import signkit

DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
AT = datetime(2022, 5, 1, tzinfo=UTC)
DSA = {"40104", "40105", "ValidDSASignaturesTest4EE.crt", "ValidDSAParameterInheritanceTest5EE.crt"}
NAMED = [path.name for path in sorted((DATA / "certs").glob("*EE.crt")) if path.name.startswith(("Valid", "Invalid"))]
INDEX = os.environ.get("SIGNKIT_PKITS_INDEX", "")
ROWS: list[dict[str, Any]] = json.loads(Path(INDEX).read_text()) if INDEX else []

needs_revocation = pytest.mark.skipif(
    find_spec("signkit.x509.revocation") is None, reason="revocation is not built yet"
)


@cache
def read(folder: str, name: str) -> bytes:
    return (DATA / folder / name).read_bytes()


@cache
def everything(folder: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((DATA / folder).iterdir()))


def expected(row: dict[str, Any]) -> bool:
    return "error" not in row and not row.get("revocation")


def run(row: dict[str, Any], revocation: str) -> signkit.PathResult:
    initial = row.get("params")
    return signkit.validate_path(
        read("certs", row["cert"]),
        trust_anchors=[read("certs", "TrustAnchorRootCertificate.crt")],
        intermediates=[read("certs", name) for name in row.get("other_certs", ())],
        crls=[read("crls", name) for name in ("TrustAnchorRootCRL.crl", *row.get("crls", ()))],
        at=AT,
        purpose=None,
        revocation=revocation,
        policies=signkit.InitialPolicies(**initial) if initial else None,
    )


def test_the_data_is_there() -> None:
    assert len(NAMED) == 203
    assert len(ROWS) in (0, 246)


@needs_revocation
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['id']}-{row['name']}")
def test_row(row: dict[str, Any]) -> None:
    result = run(row, "require")
    assert bool(result) is (expected(row) and row["id"] not in DSA), result.faults


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['id']}-{row['name']}")
def test_row_without_revocation(row: dict[str, Any]) -> None:
    """Whatever is not a matter of revocation comes out the same when revocation is ignored."""
    result = run(row, "ignore")
    if expected(row) and row["id"] not in DSA:
        assert result, result.faults
    elif about_revocation(row):
        assert result, "refused for another reason than revocation"
    else:
        assert not result


def about_revocation(row: dict[str, Any]) -> bool:
    """Whether a row of the index that must fail fails for its CRLs alone."""
    words = ("revo", "CRL", "revocation information")
    return row["id"] != "40106" and any(word in row.get("error", {}).get("msg_regex", "") for word in words)


@needs_revocation
@pytest.mark.parametrize("name", NAMED)
def test_every_end_entity_amid_all_certificates_and_crls(name: str) -> None:
    result = signkit.validate_path(
        read("certs", name),
        trust_anchors=[read("certs", "TrustAnchorRootCertificate.crt")],
        intermediates=everything("certs"),
        crls=everything("crls"),
        at=AT,
        purpose="any",
        revocation="require",
    )
    assert bool(result) is (name.startswith("Valid") and name not in DSA), result.faults
