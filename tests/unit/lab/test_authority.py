"""The throwaway authority and its folder, without openssl and without a disk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

import pytest

from signkit import algorithms
from signkit.der import oids, reader
from signkit.errors import (
    BindingError,
    CertificateUnusableError,
    FileError,
    MalformedError,
    OutputExistsError,
    RefusedError,
    UsageError,
)
from signkit.lab import authority as lab
from signkit.lab import folder
from signkit.lab.authority import Authority, CertificateAuthority, SigningKey
from signkit.ports import ArtifactSource, Digests, OutputSink
from signkit.x509 import certificate, names, pem, request

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FILES = ["lab/root.pem", "lab/issuing.pem", "lab/root.key.pem", "lab/issuing.key.pem"]


class Counter:
    """Randomness that repeats itself from run to run: octets 1, then octets 2, and so on."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        return bytes([self.calls]) * size


class Memory:
    """Files in memory, behind the ports of reading and writing."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.private: set[str] = set()
        self.synced: list[str] = []

    def check(self, paths: Iterable[str], *, overwrite: bool) -> None:
        for path in paths:
            if not overwrite and self.exists(path):
                raise OutputExistsError(f"{path} exists", path=path)

    def write(self, path: str, data: bytes, *, overwrite: bool, private: bool = False) -> None:
        self.check([path], overwrite=overwrite)
        self.files[path] = data
        if private:
            self.private.add(path)

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield
        self.synced = list(self.files)

    def digest(self, path: str, algorithms: Collection[str]) -> Digests:
        raise NotImplementedError

    def read(self, path: str, *, limit: int, what: str) -> bytes:
        if path not in self.files:
            raise FileError(f"{what} {path} is missing", path=path)
        return self.files[path][:limit]

    def exists(self, path: str) -> bool:
        return path in self.files


_as_sink: type[OutputSink] = Memory
_as_source: type[ArtifactSource] = Memory


@pytest.fixture
def authority() -> Authority:
    return Authority.create(NOW, Counter())


def certification_request(subject: str = "CN=Acme Release,O=Acme,C=DE", key: SigningKey | None = None) -> bytes:
    """A request that is signed by its own key."""
    key = key or SigningKey.generate()
    name = names.parse(subject) if subject else names.load(b"\x30\x00")
    info = request.to_be_signed(name, key.public_key_info, key_usage=("digitalSignature",), purposes=())
    return request.assemble(info, key.algorithm, key.sign(info))


def issue(authority: Authority, **arguments: object) -> certificate.Certificate:
    """The leaf issued for a new request, at ``NOW`` unless told otherwise."""
    chosen: dict[str, object] = {"now": NOW, "random": Counter(), **arguments}
    return certificate.load(authority.issue(certification_request(), **chosen)[0])  # type: ignore[arg-type]


def test_cas_say_that_they_are_for_tests(authority: Authority) -> None:
    root, issuing = authority.root.certificate, authority.issuing.certificate
    assert str(root.subject) == "CN=Lab Root (for tests only),O=signkit lab"
    assert str(issuing.subject) == "CN=Lab Issuing CA (for tests only),O=signkit lab"
    for made in (root, issuing, issue(authority)):
        comment = made.extensions["2.16.840.1.113730.1.13"]
        assert not comment.critical
        assert b"for tests only" in reader.parse(comment.value, reader.IA5_STRING).content


def test_root_and_issuing_ca_are_linked(authority: Authority) -> None:
    root, issuing = authority.root.certificate, authority.issuing.certificate
    assert root.self_issued
    assert issuing.issuer == root.subject
    assert root.key_type == issuing.key_type == "EC_P256"
    assert root.public_key_info != issuing.public_key_info
    assert root.basic_constraints == (True, 1)
    assert issuing.basic_constraints == (True, 0)
    assert root.key_usage == issuing.key_usage == frozenset({"keyCertSign", "cRLSign"})
    assert root.authority_key_identifier == root.subject_key_identifier == issuing.authority_key_identifier
    assert root.extended_key_usage is issuing.extended_key_usage is None


def test_leaf_has_subject_and_key_of_the_request_and_extensions_of_the_purpose(authority: Authority) -> None:
    key = SigningKey.generate()
    leaf_der, issuing_der = authority.issue(certification_request(key=key), now=NOW, random=Counter())
    leaf, issuing = certificate.load(leaf_der), authority.issuing.certificate
    assert issuing_der == issuing.der
    assert str(leaf.subject) == "CN=Acme Release,O=Acme,C=DE"
    assert leaf.public_key_info == key.public_key_info
    assert leaf.issuer == issuing.subject
    assert leaf.basic_constraints == (False, None)
    assert leaf.key_usage == frozenset({"digitalSignature"})
    assert leaf.extended_key_usage == (oids.CODE_SIGNING,)
    assert leaf.subject_key_identifier == lab.key_identifier(key.public_key_info)
    assert leaf.authority_key_identifier == issuing.subject_key_identifier
    critical = {oid for oid, extension in leaf.extensions.items() if extension.critical}
    assert critical == {oids.BASIC_CONSTRAINTS, oids.KEY_USAGE}
    ecdsa = algorithms.signature_algorithm("EC_P256")
    assert algorithms.verify_message(ecdsa, issuing.public_key_info, leaf.tbs, leaf.signature) == ""


def test_key_identifier_is_160_bits_of_the_key_alone() -> None:
    """RFC 7093 section 2, method 1: without tag, length and unused bits; the 65 octets of a P-256 point come last."""
    key = SigningKey.generate()
    point = key.public_key_info[-65:]
    assert lab.key_identifier(key.public_key_info) == algorithms.digests.digest("sha256", point)[:20]


def test_serial_numbers_are_positive_random_and_of_one_length(authority: Authority) -> None:
    assert authority.root.certificate.serial_number == int.from_bytes(b"\x81" + b"\x01" * 15, "big")
    assert authority.issuing.certificate.serial_number == int.from_bytes(b"\x82" + b"\x02" * 15, "big")
    for octet in (b"\x00", b"\xff"):
        leaf = issue(authority, random=lambda size, octet=octet: octet * size)
        assert leaf.serial_number > 0
        assert leaf.serial_number.bit_length() == 128


def test_default_validity(authority: Authority) -> None:
    leaf = issue(authority)
    for made, days in ((authority.root.certificate, 3652), (authority.issuing.certificate, 1826), (leaf, 90)):
        assert made.not_before == NOW - timedelta(minutes=5)
        assert made.not_after == NOW + timedelta(days=days)


def test_leaf_never_reaches_beyond_the_issuing_ca(authority: Authority) -> None:
    issuing = authority.issuing.certificate
    late = issuing.not_after - timedelta(days=3)
    assert issue(authority, now=late).not_after == issuing.not_after
    early = issue(authority, now=issuing.not_before)
    assert early.not_before == issuing.not_before


@pytest.mark.parametrize("days", [-timedelta(days=1), timedelta(days=1827)])
def test_nothing_is_issued_outside_the_issuing_cas_validity(authority: Authority, days: timedelta) -> None:
    with pytest.raises(CertificateUnusableError, match="is not valid at 20.*expected a time from 2026-03-01T11:55:00Z"):
        issue(authority, now=NOW + days)


def test_times_are_utc_and_whole_seconds() -> None:
    """From 2050 on as GeneralizedTime, whose fraction RFC 5280 section 4.1.2.5.2 forbids, by the year in UTC."""
    new_year = datetime(2049, 12, 31, 22, 5, 0, 999999, tzinfo=timezone(timedelta(hours=-2)))
    authority = Authority.create(new_year, Counter())
    root = authority.root.certificate
    assert root.not_before == datetime(2050, 1, 1, tzinfo=UTC)
    assert b"\x18\x0f20500101000000Z" in root.tbs
    assert b"\x17\x0d491231235959Z" in Authority.create(new_year - timedelta(seconds=1), Counter()).root.certificate.tbs


def test_naive_time_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="aware"):
        Authority.create(NOW.replace(tzinfo=None), Counter())


@pytest.mark.parametrize("days", [0, -1, 1827, 10**12])
def test_days_outside_the_range_are_wrong_usage(authority: Authority, days: int) -> None:
    with pytest.raises(UsageError, match=f"validity is {days} days, expected 1 to 1826"):
        issue(authority, days=days)


def test_unknown_purpose_is_wrong_usage(authority: Authority) -> None:
    with pytest.raises(UsageError, match="'tls' is not a purpose .*: expected one of code-signing"):
        issue(authority, purpose="tls")


def test_request_with_a_changed_signature_is_refused(authority: Authority) -> None:
    der = bytearray(certification_request())
    der[-1] ^= 1
    with pytest.raises(
        RefusedError, match="proof of possession: found that .* expected a signature by the key"
    ) as info:
        authority.issue(bytes(der), now=NOW, random=Counter())
    assert info.value.code == "ProofOfPossessionFailed"
    assert info.value.exit_status == 4


def test_request_signed_by_another_key_is_refused(authority: Authority) -> None:
    mixed = SigningKey(SigningKey.generate().private_key_info, SigningKey.generate().public_key_info)
    with pytest.raises(RefusedError, match="proof of possession"):
        authority.issue(certification_request(key=mixed), now=NOW, random=Counter())


def test_request_without_subject_is_refused(authority: Authority) -> None:
    with pytest.raises(RefusedError, match="empty subject: expected at least one attribute"):
        authority.issue(certification_request(subject=""), now=NOW, random=Counter())


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"-----BEGIN CERTIFICATE REQUEST-----"])
def test_what_is_no_request_is_malformed(authority: Authority, der: bytes) -> None:
    with pytest.raises(MalformedError):
        authority.issue(der, now=NOW, random=Counter())


def test_private_keys_are_not_shown(authority: Authority) -> None:
    assert str(authority.root.key.private_key_info) not in repr(authority)


def test_folder_round_trip(authority: Authority) -> None:
    memory = Memory()
    assert folder.save(authority, "lab", memory) == FILES
    assert sorted(memory.synced) == sorted(memory.files) == sorted(FILES)
    assert memory.private == {"lab/root.key.pem", "lab/issuing.key.pem"}
    loaded = folder.load("lab", memory)
    assert loaded == authority
    assert issue(loaded).issuer == authority.issuing.certificate.subject


def test_private_key_files_say_what_they_are(authority: Authority) -> None:
    memory = Memory()
    folder.save(authority, "lab", memory)
    for path in memory.private:
        note, boundary, *_ = memory.files[path].decode().splitlines()
        assert "for tests only" in note
        assert boundary == "-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize("path", FILES)
def test_folder_with_any_of_the_files_is_not_written_to(authority: Authority, path: str) -> None:
    memory = Memory()
    memory.files[path] = b"another"
    with pytest.raises(OutputExistsError):
        folder.save(authority, "lab", memory)
    assert memory.files == {path: b"another"}


@pytest.mark.parametrize("path", FILES)
def test_folder_with_a_file_missing_or_damaged_is_not_loaded(authority: Authority, path: str) -> None:
    memory = Memory()
    folder.save(authority, "lab", memory)
    text = memory.files.pop(path)
    with pytest.raises(FileError, match=f"{path} is missing"):
        folder.load("lab", memory)
    memory.files[path] = b"nothing"
    with pytest.raises(MalformedError, match=f"{path}: found PEM blocks none, expected one"):
        folder.load("lab", memory)
    memory.files[path] = text * 2
    with pytest.raises(MalformedError, match="found PEM blocks .*, .*, expected one"):
        folder.load("lab", memory)
    block = pem.decode(text)[0]
    memory.files[path] = pem.encode(block.label, b"\x30\x00").encode()
    with pytest.raises(MalformedError, match="can't be parsed"):
        folder.load("lab", memory)


@pytest.mark.parametrize("path", FILES)
def test_folder_with_a_file_of_another_authority_is_not_loaded(authority: Authority, path: str) -> None:
    memory, other = Memory(), Memory()
    folder.save(authority, "lab", memory)
    folder.save(Authority.create(NOW, Counter()), "lab", other)
    memory.files[path] = other.files[path]
    with pytest.raises(BindingError, match="found .*expected|expected .*found"):
        folder.load("lab", memory)


def test_root_and_issuing_ca_of_two_authorities_do_not_go_together(authority: Authority) -> None:
    other = Authority.create(NOW, Counter())
    with pytest.raises(BindingError, match="issuing CA certificate is not of this root"):
        Authority(authority.root, other.issuing)


def test_private_key_of_another_kind_is_malformed(authority: Authority) -> None:
    key_type = algorithms.key_type("RSA_2048")
    private_key_info, _ = algorithms.family("rsa").generate(key_type)
    with pytest.raises(MalformedError, match="not of kind elliptic curve"):
        CertificateAuthority.load(authority.root.certificate.der, private_key_info)
