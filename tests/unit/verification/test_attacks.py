"""What an attacker found, each once more: accepted things that nobody signed as files, and work without bounds."""

from __future__ import annotations

import time

import pytest

from signkit.cli import main
from signkit.der import reader, writer
from signkit.errors import MalformedError
from signkit.verification.inputs import is_one_element
from signkit.x509 import names
from tests.support.cms_builder import signature, signer
from tests.support.judging import failures, judge


@pytest.mark.parametrize("tag", [0x30, 0x31])
@pytest.mark.parametrize("size", [0, 5, 127, 128, 300, 70_000])
def test_a_bare_signature_does_not_do_for_one_der_element(tag: int, size: int) -> None:
    artifact = writer.tlv(tag, bytes(size))
    assert is_one_element(artifact[:8], len(artifact))
    result = judge(signature(signer(attributes=None), artifact=artifact), artifact)
    assert not result.accepted
    assert not is_one_element((artifact + b"x")[:8], len(artifact) + 1)


def test_a_signer_that_is_not_accepted_stands_behind_those_that_are() -> None:
    result = judge(signature(signer(), signer()))
    assert [one.accepted for one in result.signers] == sorted((one.accepted for one in result.signers), reverse=True)
    assert all(one.accepted for one in result.accepted_signers)
    assert {check.facts["signer"] for check in result.checks if "signer" in check.facts} == {0, 1}
    assert not failures(result)


def test_combining_marks_have_a_limit() -> None:
    value = writer.tlv(reader.UTF8_STRING, ("\u0300" * 3000 + "\u0316" * 3000).encode())
    name = writer.sequence(writer.set_of(writer.sequence(writer.oid("2.5.4.3"), value)))
    begun = time.perf_counter()
    with pytest.raises(MalformedError, match="combining marks"):
        names.load(name)
    assert time.perf_counter() - begun < 0.1


def test_named_bits_have_a_limit() -> None:
    with pytest.raises(MalformedError):
        reader.named_bits(reader.parse(writer.tlv(0x03, b"\x00" + b"\xff" * 100_000)))


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_a_file_named_like_the_help_option_does_not_end_well(option: str) -> None:
    assert main(["verify", option, "a.bin"]) == 2
    assert main(["--json", "verify", "a.bin", option]) == 2
    assert main(["verify", option]) == 0
