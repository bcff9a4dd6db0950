"""Structures of the Time-Stamp Protocol: what is written is read again, and nothing else is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from signkit.algorithms import digests
from signkit.der import reader, tsp, writer
from signkit.der.tsp import MessageImprint, TimeStampReq, TimeStampResp, TstInfo
from signkit.errors import MalformedError

IMPRINT = MessageImprint(digests.identifier("sha256"), bytes(32))
INFO = TstInfo("1.2.3", IMPRINT, 7, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
moments = some.datetimes(timezones=some.just(UTC))
accuracies = some.integers(1, (1 << 31) * 10**6 - 1).map(lambda n: timedelta(microseconds=n))
imprints = some.binary(max_size=64).map(lambda value: MessageImprint(digests.identifier("sha512"), value))
policies = some.sampled_from(["1.2.3", "2.25.1", "0.4.0.2023.1.1"])


@given(
    some.builds(
        TstInfo,
        policy=policies,
        imprint=imprints,
        serial_number=some.integers(-(1 << 160), 1 << 160),
        time=moments,
        accuracy=some.none() | accuracies,
        ordering=some.booleans(),
        nonce=some.none() | some.integers(-(1 << 70), 1 << 70),
        tsa=some.none() | some.just(writer.tlv(0x86, b"http://tsa.example")),
        critical_extensions=some.just(()),
    )
)
def test_info_there_and_back(info: TstInfo) -> None:
    assert tsp.decode_info(tsp.encode_info(info)) == info


@given(
    some.builds(
        TimeStampReq,
        imprint=imprints,
        policy=some.none() | policies,
        nonce=some.none() | some.integers(0, 1 << 64),
        certificates=some.booleans(),
        extensions=some.just(()),
    )
)
def test_request_there_and_back(request: TimeStampReq) -> None:
    assert tsp.decode_request(tsp.encode_request(request)) == request


@given(
    some.builds(
        TimeStampResp,
        status=some.integers(0, 5),
        text=some.lists(some.text(max_size=10), max_size=2).map(tuple),
        failures=some.frozensets(some.integers(0, 25)),
        token=some.none() | some.just(writer.sequence(writer.NULL)),
    )
)
def test_response_there_and_back(response: TimeStampResp) -> None:
    assert tsp.decode_response(tsp.encode_response(response)) == response


def with_field(position: int, *replaced: bytes) -> bytes:
    """The usual TSTInfo with one field replaced by others, or taken out."""
    fields = [child.raw for child in reader.parse(tsp.encode_info(INFO)).children()]
    return writer.sequence(*fields[:position], *replaced, *fields[position + 1 :])


def time(text: str) -> bytes:
    return writer.tlv(reader.GENERALIZED_TIME, text.encode("latin-1"))


TIME = 4
GOOD_TIMES = {
    "20260102030405Z": INFO.time,
    "20260102030405.5Z": INFO.time.replace(microsecond=500000),
    "20260102030405.000001Z": INFO.time.replace(microsecond=1),
    "20260102030405.1234569Z": INFO.time.replace(microsecond=123456),
}
BAD_TIMES = [
    "20260102030405",
    "20260102030405.Z",
    "20260102030405.50Z",
    "20260102030405.0Z",
    "20260102030405,5Z",
    "20260102030405+0100",
    "20260102030405.5+0100",
    "202601020304Z",
    "2026010203Z",
    "20261302030405Z",
    "20260230030405Z",
    "20260102240405Z",
    "20260102030460Z",
    "00000102030405Z",
    "20260102030405.5.5Z",
    "20260102030405.٣Z".encode().decode("latin-1"),
    "2026010203040 Z",
    "",
    "Z",
]


@pytest.mark.parametrize("text", GOOD_TIMES)
def test_times(text: str) -> None:
    assert tsp.decode_info(with_field(TIME, time(text))).time == GOOD_TIMES[text]


@pytest.mark.parametrize("text", BAD_TIMES)
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(MalformedError):
        tsp.decode_info(with_field(TIME, time(text)))


def accuracy(*parts: bytes) -> bytes:
    return with_field(TIME, time("20260102030405Z"), writer.sequence(*parts))


MALFORMED = {
    "version 0": with_field(0, writer.integer(0)),
    "version 2": with_field(0, writer.integer(2)),
    "no version": with_field(0),
    "no policy": with_field(1),
    "no imprint": with_field(2),
    "no serial number": with_field(3),
    "no time": with_field(TIME),
    "UTCTime": with_field(TIME, writer.tlv(reader.UTC_TIME, b"260102030405Z")),
    "imprint without a digest": with_field(2, writer.sequence(digests.identifier("sha256"))),
    "imprint with three fields": with_field(
        2, writer.sequence(digests.identifier("sha256"), writer.octet_string(b""), writer.NULL)
    ),
    "serial number not in its shortest form": with_field(3, writer.tlv(2, b"\0\1")),
    "a field behind the last": tsp.encode_info(INFO)[:1]
    + bytes([tsp.encode_info(INFO)[1] + 2])
    + tsp.encode_info(INFO)[2:]
    + writer.NULL,
    "fields out of order": with_field(TIME, writer.integer(5), time("20260102030405Z")),
    "trailing byte": tsp.encode_info(INFO) + b"\0",
    "ordering of 1": with_field(TIME, time("20260102030405Z"), writer.tlv(1, b"\1")),
    "negative seconds": accuracy(writer.integer(-1)),
    "millis of 0": accuracy(writer.tlv(0x80, b"\0")),
    "millis of 1000": accuracy(writer.tlv(0x80, b"\3\xe8")),
    "micros of 1000": accuracy(writer.tlv(0x81, b"\3\xe8")),
    "micros before millis": accuracy(writer.tlv(0x81, b"\1"), writer.tlv(0x80, b"\1")),
    "millis not in their shortest form": accuracy(writer.tlv(0x80, b"\0\1")),
    "an extension twice": with_field(
        TIME,
        time("20260102030405Z"),
        writer.tlv(0xA1, *[writer.sequence(writer.oid("1.2.3"), writer.octet_string(b""))] * 2),
    ),
    "BER": b"\x30\x80" + tsp.encode_info(INFO)[2:] + b"\0\0",
    "empty": b"",
    "not a sequence": writer.NULL,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    with pytest.raises(MalformedError):
        tsp.decode_info(MALFORMED[name])


def test_an_empty_accuracy_is_none_at_all() -> None:
    assert tsp.decode_info(accuracy()).accuracy == timedelta(0)


def test_critical_extensions_are_told() -> None:
    def extension(oid: str, *critical: bytes) -> bytes:
        return writer.sequence(writer.oid(oid), *critical, writer.octet_string(b""))

    both = writer.tlv(0xA1, extension("1.2.3"), extension("1.2.4", writer.tlv(1, b"\xff")))
    assert tsp.decode_info(with_field(TIME, time("20260102030405Z"), both)).critical_extensions == ("1.2.4",)


def test_malformed_requests_and_responses() -> None:
    good = tsp.encode_request(TimeStampReq(IMPRINT, "1.2.3", 5, True))
    for end in range(len(good)):
        with pytest.raises(MalformedError):
            tsp.decode_request(good[:end])
    for data in (b"", writer.sequence(), writer.sequence(writer.integer(2), writer.sequence()), good + b"\0"):
        with pytest.raises(MalformedError):
            tsp.decode_request(data)
        with pytest.raises(MalformedError):
            tsp.decode_response(data)
    bad_text = writer.sequence(writer.sequence(writer.integer(2), writer.sequence(writer.tlv(0x0C, b"\xff"))))
    with pytest.raises(MalformedError):
        tsp.decode_response(bad_text)


@given(some.binary(max_size=80))
def test_junk(data: bytes) -> None:
    for decode in (tsp.decode_info, tsp.decode_request, tsp.decode_response):
        try:
            decode(data)
        except MalformedError:
            continue
