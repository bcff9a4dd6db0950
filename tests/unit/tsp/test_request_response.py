"""Requests and responses of the Time-Stamp Protocol."""

from __future__ import annotations

import pytest

from signkit.algorithms import digests
from signkit.der import tsp, writer
from signkit.errors import MalformedError
from signkit.tsp import request, response


def test_a_request_goes_there_and_back() -> None:
    made = request.over(b"signature value", "sha256", nonce=77, policy="1.2.3")
    assert made.value == digests.digest("sha256", b"signature value")
    assert request.decode(made.encode()) == made
    assert request.decode(request.over(b"", "sm3").encode()).digest == "sm3"


def test_a_digest_of_the_wrong_size_is_refused() -> None:
    wrong = tsp.MessageImprint(digests.identifier("sha512"), bytes(32))
    with pytest.raises(MalformedError, match="expected 64"):
        request.decode(tsp.encode_request(tsp.TimeStampReq(wrong, None, None, True)))


def test_an_unknown_digest_is_told_by_its_number() -> None:
    unknown = tsp.MessageImprint(writer.sequence(writer.oid("1.2.3.4")), bytes(5))
    assert request.decode(tsp.encode_request(tsp.TimeStampReq(unknown, None, None, False))).digest == "1.2.3.4"


def test_granted() -> None:
    answer = response.decode(response.granted(writer.sequence()).encode())
    assert answer.granted
    assert answer.explain() == "granted"
    assert response.TimeStampResponse(1, token=b"x").granted


@pytest.mark.parametrize("bit", response.FAILURES)
def test_refusals_in_words(bit: int) -> None:
    answer = response.decode(response.rejected(bit, "no\x1b[2J").encode())
    assert not answer.granted
    assert answer.explain().startswith("rejected, " + response.FAILURES[bit])


@pytest.mark.parametrize("status", [2, 3, 4, 5, 6, -1, 1 << 40])
def test_a_token_beside_another_status_is_not_granted(status: int) -> None:
    answer = response.decode(response.TimeStampResponse(status, token=writer.sequence()).encode())
    assert not answer.granted
    assert answer.explain()


def test_granted_without_a_token_is_not_granted() -> None:
    answer = response.decode(response.TimeStampResponse(0).encode())
    assert not answer.granted
    assert "without a token" in answer.explain()
