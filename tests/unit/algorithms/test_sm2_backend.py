"""Which implementation of SM2 is used, and what is left when there is no libcrypto that has it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from signkit import algorithms
from signkit.algorithms import _gmssl, sm2
from signkit.errors import MalformedError, ProviderError
from tests.support import sm2_reference
from tests.support.components import MISSING
from tests.support.signing import ORDERS, KeyPair, encoded, key_pair, new_key_pair, numbers, point_of, with_point

ROOT = Path(__file__).resolve().parents[3]
N = ORDERS["EC_SM2"]
MESSAGE = b"an artifact"


def clear_caches() -> None:
    for cached in (sm2.backend, sm2.signer_prefix, sm2._public_key, sm2._point):
        cached.cache_clear()


@pytest.fixture
def pair() -> KeyPair:
    """A key pair that was made while there was a library."""
    return key_pair("EC_SM2")


@pytest.fixture
def no_library(pair: KeyPair) -> Iterator[None]:
    """No libcrypto with SM2 within the test."""
    sm2.use_library("/nonexistent")
    clear_caches()
    yield
    sm2._chosen.clear()
    sm2._nonces.clear()
    clear_caches()


@pytest.fixture
def gmssl() -> None:
    """gmssl, without which the test is skipped."""
    if find_spec("gmssl") is None:
        pytest.skip(f"{MISSING} gmssl")


# The library


def library_path() -> str:
    library = sm2.backend().library
    assert library is not None
    return library.path


def test_the_library_is_named() -> None:
    found = sm2.backend()
    assert found.library is not None, found.reasons
    assert found.description.startswith("OpenSSL ")
    assert found.library.path in found.description
    assert sm2.backend() is found


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nonexistent", "cannot open"),
        ("/", "/: "),
        (__file__, "invalid ELF header"),
        ("libc.so.6", "has no OpenSSL_version"),
    ],
)
def test_a_named_library_is_used_or_refused_but_never_passed_over(path: str, reason: str) -> None:
    sm2.use_library(path)
    try:
        found = sm2.backend()
        assert found.library is None
        assert len(found.reasons) == 1 and found.reasons[0].startswith(path) and reason in found.reasons[0]
        assert found.description.startswith("none that can sign: ") and path in found.description
    finally:
        sm2._chosen.clear()
        clear_caches()


def test_a_library_without_sm2_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red Hat's and Alpine's are built so."""
    from signkit.algorithms import _libcrypto

    path, original = library_path(), _libcrypto.Library.call

    def call(self: _libcrypto.Library, name: str, *arguments: object) -> object:
        return None if name == "EVP_PKEY_CTX_new_from_name" else original(self, name, *arguments)

    monkeypatch.setattr(_libcrypto.Library, "call", call)
    with pytest.raises(_libcrypto.LibraryUnusable, match="built without SM2"):
        _libcrypto.Library(path)


def test_a_library_that_fails_its_known_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from signkit.algorithms import _libcrypto

    path = library_path()
    monkeypatch.setattr(_libcrypto.Sm2Key, "verify", lambda *_: True)
    with pytest.raises(_libcrypto.LibraryUnusable, match="SM2 self-test failed"):
        _libcrypto.Library(path)


def test_a_foreign_configuration_of_openssl_does_not_reach_it(tmp_path: Path) -> None:
    """A configuration that activates the base provider only takes SM2 from the default context, not from ours."""
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text(
        "openssl_conf = init\n[init]\nproviders = providers\n[providers]\nbase = base\n[base]\nactivate = 1\n"
    )
    program = (
        "from signkit.algorithms import sm2\n"
        "key = sm2.load_private_key(sm2.generate(sm2.KEY_TYPES[0])[0])\n"
        "print(len(key.sign(bytes(32))) > 60)"
    )
    environment = os.environ | {"OPENSSL_CONF": str(configuration)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "True\n", done.stderr


def test_ctypes_is_not_loaded_for_other_algorithms() -> None:
    program = (
        "import sys\n"
        "from signkit import algorithms\n"
        "algorithms.families()\n"
        "algorithms.identify(algorithms.signature_algorithm('EC_SM2').identifier)\n"
        "print('signkit.algorithms._libcrypto' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr


def test_no_error_is_left_for_other_users_of_the_library(pair: KeyPair) -> None:
    """ssl and hashlib share one error queue per thread with it."""
    library = sm2.backend().library
    assert library is not None
    signature = pair.sign(sm2.SM2DSA, MESSAGE)
    for wrong in (signature[:-1], b"", encoded(0, 1), signature + b"\x00"):
        assert pair.verify(sm2.SM2DSA, MESSAGE, wrong)
        assert library.call("ERR_get_error") == 0
    for wrong in (pair.public_key_info[:-1], b"", with_point(pair.public_key_info, b"\x00")):
        with pytest.raises(MalformedError):
            library.public_key(wrong)
        assert library.call("ERR_get_error") == 0
    with pytest.raises(ProviderError):
        pair.private_key.decrypt(b"\x30\x00")
    with pytest.raises(ProviderError):
        pair.private_key.sign(b"short")
    assert library.call("ERR_get_error") == 0


# Without a library


@pytest.mark.usefixtures("no_library", "gmssl")
def test_without_a_library_verifying_is_left_to_gmssl(pair: KeyPair) -> None:
    signature = encoded(*reference_signature(65))
    key = with_point(pair.public_key_info, sm2_reference.public_point(65))
    assert sm2.backend().library is None
    assert algorithms.key_type_of(key) == "EC_SM2"
    assert algorithms.verify_message(sm2.SM2DSA, key, MESSAGE, signature) == ""
    assert algorithms.verify_message(sm2.SM2DSA, key, MESSAGE + b"!", signature) == "the SM2 signature does not verify"
    assert algorithms.verify_message(sm2.SM2DSA, pair.public_key_info, MESSAGE, signature)


def reference_signature(d: int) -> tuple[int, int]:
    """r and s over ``MESSAGE``, made by the integers of the tests."""
    key = with_point(key_pair("EC_SM2").public_key_info, sm2_reference.public_point(d))
    return sm2_reference.sign(d, algorithms.prehash(sm2.SM2DSA, key, MESSAGE), 0xABCDEF << 200 | d)


@pytest.mark.usefixtures("no_library")
def test_without_a_library_signing_is_refused_with_the_remedy(pair: KeyPair) -> None:
    for attempt in (
        lambda: sm2.load_private_key(pair.private_key_info),
        lambda: sm2.generate(sm2.KEY_TYPES[0]),
        lambda: algorithms.import_private_key(pair.private_key_info),
        lambda: algorithms.encrypt("EC_SM2", sm2.SM2PKE, pair.public_key_info, b"x"),
    ):
        with pytest.raises(ProviderError, match="SM2 needs a libcrypto with SM2, found none: /nonexistent") as caught:
            attempt()
        assert caught.value.hint == "install OpenSSL 3 built with SM2, or name one in SIGNKIT_LIBCRYPTO"


@pytest.mark.usefixtures("no_library")
def test_without_a_library_and_gmssl_verifying_says_so(pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gmssl", None)
    reason = algorithms.verify_digest(sm2.SM2DSA, pair.public_key_info, bytes(32), encoded(1, 1))
    assert reason == "SM2 can't be verified: no libcrypto with SM2, and gmssl is not installed"


@pytest.mark.usefixtures("no_library", "gmssl")
def test_without_a_library_a_compressed_key_is_refused_with_its_reason(pair: KeyPair) -> None:
    point = sm2_reference.public_point(65)
    key = with_point(pair.public_key_info, bytes((2 + (point[-1] & 1),)) + point[1:33])
    assert "compressed" in algorithms.verify_digest(sm2.SM2DSA, key, bytes(32), encoded(1, 1))


@pytest.mark.usefixtures("no_library", "gmssl")
def test_without_a_library_what_is_malformed_is_a_reason_and_not_an_exception(pair: KeyPair) -> None:
    key = with_point(pair.public_key_info, sm2_reference.public_point(65))
    r, s = reference_signature(65)
    good = encoded(r, s)
    bad = [encoded(r, s + N), encoded(r, s - N), encoded(r + N, s), encoded(0, s), encoded(r, 0), encoded(r, N - r)]
    bad += [good[:-1], good + b"\x00", b"", b"\x30\x00", encoded(r, s).replace(b"\x02", b"\x04", 1)]
    assert algorithms.verify_message(sm2.SM2DSA, key, MESSAGE, good) == ""
    for wrong in bad:
        assert algorithms.verify_message(sm2.SM2DSA, key, MESSAGE, wrong), wrong.hex()
    point = point_of(key)
    for wrong in (b"", b"\x00", point[:-1], point + b"\x00", point[:-1] + bytes((point[-1] ^ 1,)), b"\x04" + bytes(64)):
        assert algorithms.verify_message(sm2.SM2DSA, with_point(key, wrong), MESSAGE, good), wrong.hex()
    for wrong in (b"", b"\x30\x00", key[:-1]):
        assert algorithms.verify_digest(sm2.SM2DSA, wrong, bytes(32), good)


# gmssl as a second implementation


@pytest.mark.usefixtures("gmssl")
def test_gmssl_agrees_about_good_and_bad_signatures() -> None:
    """32 keys, so that several have a leading 0 or 4, which gmssl's own constructor would take away."""
    for _ in range(32):
        pair = new_key_pair("EC_SM2")
        e = algorithms.prehash(sm2.SM2DSA, pair.public_key_info, MESSAGE)
        signature = sm2.sign(pair.private_key, sm2.SM2DSA, e)
        point = point_of(pair.public_key_info)
        assert _gmssl.verify(point, e, signature)
        assert not _gmssl.verify(point, e[::-1], signature)
        r, s = numbers(signature)
        assert not _gmssl.verify(point, e, encoded(r, N - s))


@pytest.mark.usefixtures("gmssl")
@pytest.mark.parametrize("d", [1, 2, 6, 11, 65, 107, 327, N - 2])
def test_gmssl_agrees_about_unusual_keys(d: int) -> None:
    r, s = reference_signature(d)
    point = sm2_reference.public_point(d)
    key = with_point(key_pair("EC_SM2").public_key_info, point)
    e = algorithms.prehash(sm2.SM2DSA, key, MESSAGE)
    assert _gmssl.verify(point, e, encoded(r, s))
    assert algorithms.verify_digest(sm2.SM2DSA, key, e, encoded(r, s)) == ""


@pytest.mark.usefixtures("gmssl")
def test_signatures_that_gmssl_makes_are_accepted() -> None:
    """Made with a nonce of the test's: gmssl's own is drawn from ``random``."""
    from gmssl import sm2 as other

    for d in (65, 327, 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8):
        point = sm2_reference.public_point(d)
        key = with_point(key_pair("EC_SM2").public_key_info, point)
        signer = other.CryptSM2(f"{d:064x}", "00")
        signer.public_key = point[1:].hex()
        raw = signer.sign(algorithms.prehash(sm2.SM2DSA, key, MESSAGE), f"{int.from_bytes(os.urandom(31), 'big'):064x}")
        signature = encoded(int(raw[:64], 16), int(raw[64:], 16))
        assert algorithms.verify_message(sm2.SM2DSA, key, MESSAGE, signature) == ""


# Signing by gmssl, for who asked for it


def private_key_info(d: int) -> bytes:
    return sm2._private_key_info(d.to_bytes(32, "big"), sm2_reference.public_point(d % N))


@pytest.mark.usefixtures("no_library", "gmssl")
@pytest.mark.parametrize("d", [1, 2, 6, 11, 65, 107, 327, N - 2])
def test_gmssl_signs_for_who_asks_for_it(d: int) -> None:
    """With nonces from the argument, whatever the state of ``random``; judged by the integers of the tests."""
    import random

    drawn: list[int] = []

    def random_below(limit: int) -> int:
        drawn.append(secrets.randbelow(limit))
        return drawn[-1]

    sm2.sign_with_gmssl(random_below)
    assert "gmssl, whose timing tells the key" in sm2.backend().description
    state = random.getstate()
    e = bytes(range(32))
    first, second = (sm2.sign(sm2.load_private_key(private_key_info(d)), sm2.SM2DSA, e) for _ in range(2))
    assert random.getstate() == state, "its own source of nonces was not used"
    assert first != second
    assert numbers(first) == sm2_reference.sign(d, e, drawn[0] + 1)
    assert sm2_reference.verify(sm2_reference.public_point(d), e, *numbers(second))


@pytest.mark.usefixtures("no_library", "gmssl")
@pytest.mark.parametrize("d", [0, N - 1, N, N + 1])
def test_gmssl_is_not_asked_about_keys_out_of_range(d: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sm2.sign_with_gmssl(secrets.randbelow)
    info = private_key_info(5).replace((5).to_bytes(32, "big"), d.to_bytes(32, "big"))
    monkeypatch.setitem(sys.modules, "gmssl", None)
    with pytest.raises(MalformedError, match="out of range"):
        sm2.load_private_key(info)
    with pytest.raises(MalformedError, match="out of range"):
        _gmssl.GmsslKey(d.to_bytes(32, "big"), sm2_reference.public_point(5), secrets.randbelow)


@pytest.mark.usefixtures("no_library", "gmssl")
def test_gmssl_gives_no_signature_that_does_not_verify() -> None:
    sm2.sign_with_gmssl(secrets.randbelow)
    key = sm2.load_private_key(sm2._private_key_info((7).to_bytes(32, "big"), sm2_reference.public_point(8)))
    with pytest.raises(ProviderError, match="does not fit its public key"):
        sm2.sign(key, sm2.SM2DSA, bytes(32))


@pytest.mark.usefixtures("no_library", "gmssl")
def test_gmssl_signs_and_nothing_else(pair: KeyPair) -> None:
    sm2.sign_with_gmssl(secrets.randbelow)
    key = sm2.load_private_key(pair.private_key_info)
    for attempt in (
        lambda: sm2.generate(sm2.KEY_TYPES[0]),
        lambda: algorithms.import_private_key(pair.private_key_info),
        lambda: sm2.decrypt(key, sm2.SM2PKE, bytes(100)),
    ):
        with pytest.raises(ProviderError, match="SM2 needs a libcrypto with SM2"):
            attempt()


@pytest.mark.usefixtures("gmssl")
def test_the_library_is_used_where_there_is_one(pair: KeyPair) -> None:
    sm2.sign_with_gmssl(secrets.randbelow)
    try:
        assert not isinstance(sm2.load_private_key(pair.private_key_info), _gmssl.GmsslKey)
        assert "gmssl" not in sm2.backend().description
    finally:
        sm2._nonces.clear()
