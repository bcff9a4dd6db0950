"""Published test vectors: RFC 6979, RFC 8032, FIPS 204, GB/T 32918."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

import pytest

from signkit import algorithms
from signkit.algorithms import digests, sm2
from signkit.der import oids, writer
from tests.support.signing import encoded, point_of

# RFC 6979 annexes A.2.5 to A.2.7: public keys and signatures (digest, message, r, s).
ECDSA_KEYS = {
    "EC_P256": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk"
    "8vGyDC1+n1F3o8KU1EYimQ==",
    "EC_P384": "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE7DpOQVtOGaRWhhgCn0J/pdqai8SukuAuBqrlKGswDGTe+PDqkFWGYGSiVFFUgLwTgBXZ"
    "ty19VyROqO+awMYhiWcIpZNn+d+59UyoSz8cnbEoiyMcOuDU/nNE/SUzJkcg",
    "EC_P521": "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBiUVQ0HhZMuAOqiO2lPIT+MMSH4bcl6BOWnFn205bzTcRI9RuRdtrXVNwp/IPtjMV"
    "XTj/oW0r12HcrEdLmi9QI6QASTEByWLNTS/d94IoXmRYQTnC+RtH+H/4I1TWYw90aiig2yV0G1s0qCgAiyKswj+ST6r71NM/gepm"
    "lW3+qiv9/PU=",
}
ECDSA = [
    (
        "EC_P256",
        "sha256",
        b"sample",
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    (
        "EC_P256",
        "sha384",
        b"sample",
        0x0EAFEA039B20E9B42309FB1D89E213057CBF973DC0CFC8F129EDDDC800EF7719,
        0x4861F0491E6998B9455193E34E7B0D284DDD7149A74B95B9261F13ABDE940954,
    ),
    (
        "EC_P256",
        "sha512",
        b"sample",
        0x8496A60B5E9B47C825488827E0495B0E3FA109EC4568FD3F8D1097678EB97F00,
        0x2362AB1ADBE2B8ADF9CB9EDAB740EA6049C028114F2460F96554F61FAE3302FE,
    ),
    (
        "EC_P256",
        "sha256",
        b"test",
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
    (
        "EC_P384",
        "sha384",
        b"sample",
        0x94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46,
        0x99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8,
    ),
    (
        "EC_P384",
        "sha256",
        b"sample",
        0x21B13D1E013C7FA1392D03C5F99AF8B30C570C6F98D4EA8E354B63A21D3DAA33BDE1E888E63355D92FA2B3C36D8FB2CD,
        0xF3AA443FB107745BF4BD77CB3891674632068A10CA67E3D45DB2266FA7D1FEEBEFDC63ECCD1AC42EC0CB8668A4FA0AB0,
    ),
    (
        "EC_P521",
        "sha512",
        b"sample",
        int(
            "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534931"
            "D7D4E8455CC91F9B15BF05EC36E377FA",
            16,
        ),
        int(
            "00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF0777B1A"
            "20F8CCB1DCCC43997F1EE0E44DA4A67A",
            16,
        ),
    ),
]

# RFC 8032 section 7.1, tests 1 to 3: public key, message, signature.
ED25519 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a",
    ),
]
ED25519_SEEDS = (
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
)

# Key generation of FIPS 204 from one seed (known-answer tests of the reference implementation): SHA-256 of public keys.
ML_DSA_SEED = bytes.fromhex("f696484048ec21f96cf50a56d0759c448f3779752f0383d37449690694cf7a68")
ML_DSA = {
    "ML_DSA_44": (oids.ML_DSA_44, "18288249b90bcbd48d473d2a507cc3c1e95e040f639ac3333a8ed1891de14552"),
    "ML_DSA_65": (oids.ML_DSA_65, "ab0f27cfe4f84d2a9fa74d48467439df9e5dd8401f8715f82ed70e43a371400a"),
    "ML_DSA_87": (oids.ML_DSA_87, "b509c4ebd6b5fa67009c73cc7cebe55a3f38486a24acfbf9d91dd04f63e660b5"),
}


@pytest.mark.parametrize(("name", "digest", "message", "r", "s"), ECDSA)
def test_rfc_6979(name: str, digest: str, message: bytes, r: int, s: int) -> None:
    algorithm = algorithms.signature_algorithm(name, digest=digest)
    key = b64decode(ECDSA_KEYS[name])
    assert algorithms.key_type_of(key) == name
    assert algorithms.verify_message(algorithm, key, message, encoded(r, s)) == ""
    assert algorithms.verify_message(algorithm, key, message, encoded(r, s + 1))
    assert algorithms.verify_message(algorithm, key, message + b"s", encoded(r, s))


@pytest.mark.parametrize(("public_key", "message", "signature"), ED25519)
def test_rfc_8032(public_key: str, message: str, signature: str) -> None:
    algorithm = algorithms.signature_algorithm("ED25519")
    key = writer.sequence(writer.sequence(writer.oid(oids.ED25519)), writer.bit_string(bytes.fromhex(public_key)))
    data = bytes.fromhex(message)
    assert algorithms.verify_message(algorithm, key, data, bytes.fromhex(signature)) == ""
    assert algorithms.verify_message(algorithm, key, data + b"\x00", bytes.fromhex(signature))


@pytest.mark.parametrize(("seed", "vector"), list(zip(ED25519_SEEDS, ED25519, strict=True)))
def test_rfc_8032_signing(seed: str, vector: tuple[str, str, str]) -> None:
    public_key, message, signature = vector
    inner = writer.octet_string(writer.octet_string(bytes.fromhex(seed)))
    info = writer.sequence(writer.integer(0), writer.sequence(writer.oid(oids.ED25519)), inner)
    name, private_key_info, public_key_info = algorithms.import_private_key(info)
    assert (name, point_of(public_key_info).hex()) == ("ED25519", public_key)
    family, algorithm = algorithms.family("ed25519"), algorithms.signature_algorithm("ED25519")
    key = family.load_private_key(private_key_info)
    assert family.sign(key, algorithm, bytes.fromhex(message)).hex() == signature


@pytest.mark.parametrize("name", ML_DSA)
def test_fips_204_key_generation(name: str) -> None:
    dotted, expected = ML_DSA[name]
    seed = writer.octet_string(writer.tlv(0x80, ML_DSA_SEED))  # RFC 9881 section 6: the seed alone
    info = writer.sequence(writer.integer(0), writer.sequence(writer.oid(dotted)), seed)
    found, _, public_key_info = algorithms.import_private_key(info)
    assert found == name
    assert sha256(point_of(public_key_info)).hexdigest() == expected


# GB/T 32918.5 annex A: curve sm2p256v1, identifier 1234567812345678.

D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
POINT = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
KEY = writer.sequence(writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(oids.SM2)), writer.bit_string(POINT))
Z = "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
E = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA


def test_gb_t_32918_signature() -> None:
    assert algorithms.key_type_of(KEY) == "EC_SM2"
    assert sm2.signer_prefix(KEY).hex() == Z
    assert algorithms.prehash(sm2.SM2DSA, KEY, b"message digest").hex() == E
    assert algorithms.verify_message(sm2.SM2DSA, KEY, b"message digest", encoded(R, S)) == ""
    assert algorithms.verify_message(sm2.SM2DSA, KEY, b"message digest", encoded(R, S), signer_id=b"")
    assert algorithms.verify_message(sm2.SM2DSA, KEY, b"message Digest", encoded(R, S))


def test_gb_t_32918_private_key() -> None:
    inner = writer.sequence(writer.integer(1), writer.octet_string(D.to_bytes(32, "big")))
    algorithm = writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(oids.SM2))
    info = writer.sequence(writer.integer(0), algorithm, writer.octet_string(inner))
    name, private_key_info, public_key_info = algorithms.import_private_key(info)
    assert (name, public_key_info) == ("EC_SM2", KEY)
    signature = sm2.sign(sm2.load_private_key(private_key_info), sm2.SM2DSA, bytes.fromhex(E))
    assert algorithms.verify_message(sm2.SM2DSA, KEY, b"message digest", signature) == ""


def test_gb_t_32905_digests() -> None:
    assert digests.digest("sm3", b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    sixteen_times = digests.digest("sm3", b"abcd" * 16).hex()
    assert sixteen_times == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_gb_t_32918_encryption() -> None:
    """GB/T 32918.5 annex C.2: the ciphertext of "encryption standard", raw and in the DER form of GM/T 0009."""
    key = sm2.load_private_key(sm2._private_key_info(D.to_bytes(32, "big"), POINT))
    x, y = (
        "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73",
        "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0",
    )
    c3 = "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    c2 = "21886ca989ca9c7d58087307ca93092d651efa"
    raw = bytes.fromhex("04" + x + y + c3 + c2)
    assert sm2.decrypt(key, sm2.SM2PKE, raw) == b"encryption standard"
    numbers = (writer.integer(int(number, 16)) for number in (x, y))
    der = writer.sequence(*numbers, *(writer.octet_string(bytes.fromhex(octets)) for octets in (c3, c2)))
    assert sm2.decrypt(key, sm2.SM2PKE, der) == b"encryption standard"
