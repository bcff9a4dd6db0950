"""SM2 on the system's libcrypto (OpenSSL 3.0 or newer) through ctypes: the constant-time implementation within reach.

cryptography's own copy of OpenSSL can't be reached for SM2. The 32 bytes e = SM3(Z || M) are made outside and given to
EVP_PKEY_sign and EVP_PKEY_verify, so that no version's idea of a default identifier matters. A private library context
keeps foreign configuration out, every key is checked when it is loaded (``EVP_PKEY_check`` also refuses d = n-1, which
makes signing loop for ever), and a library is used only after it passed a known-answer test.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from typing import Any

from signkit.errors import MalformedError, ProviderError

_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "OpenSSL_version": (c_char_p, c_int),
    "ERR_get_error": (c_ulong,),
    "ERR_clear_error": (None,),
    "ERR_error_string_n": (None, c_ulong, c_char_p, c_size_t),
    "OSSL_LIB_CTX_new": (c_void_p,),
    "OSSL_PROVIDER_load": (c_void_p, c_void_p, c_char_p),
    "EVP_PKEY_CTX_new_from_name": (c_void_p, c_void_p, c_char_p, c_char_p),
    "EVP_PKEY_CTX_new_from_pkey": (c_void_p, c_void_p, c_void_p, c_char_p),
    "EVP_PKEY_CTX_free": (None, c_void_p),
    "d2i_AutoPrivateKey_ex": (c_void_p, c_void_p, POINTER(c_char_p), c_long, c_void_p, c_char_p),
    "d2i_PUBKEY_ex": (c_void_p, c_void_p, POINTER(c_char_p), c_long, c_void_p, c_char_p),
    "EVP_PKEY_free": (None, c_void_p),
    "EVP_PKEY_is_a": (c_int, c_void_p, c_char_p),
    "EVP_PKEY_check": (c_int, c_void_p),
    "EVP_PKEY_public_check": (c_int, c_void_p),
    "EVP_PKEY_keygen_init": (c_int, c_void_p),
    "EVP_PKEY_generate": (c_int, c_void_p, POINTER(c_void_p)),
    "EVP_PKEY_sign_init": (c_int, c_void_p),
    "EVP_PKEY_sign": (c_int, c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t),
    "EVP_PKEY_verify_init": (c_int, c_void_p),
    "EVP_PKEY_verify": (c_int, c_void_p, c_char_p, c_size_t, c_char_p, c_size_t),
    "EVP_PKEY_encrypt_init": (c_int, c_void_p),
    "EVP_PKEY_encrypt": (c_int, c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t),
    "EVP_PKEY_decrypt_init": (c_int, c_void_p),
    "EVP_PKEY_decrypt": (c_int, c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t),
    "EVP_PKEY_get_octet_string_param": (c_int, c_void_p, c_char_p, c_char_p, c_size_t, POINTER(c_size_t)),
    "EVP_PKEY_get_bn_param": (c_int, c_void_p, c_char_p, POINTER(c_void_p)),
    "BN_bn2binpad": (c_int, c_void_p, c_char_p, c_int),
    "BN_clear_free": (None, c_void_p),
}
"""Every function that is called: result type, then argument types."""

_TEST_PUBLIC_KEY = bytes.fromhex(
    "3059301306072a8648ce3d020106082a811ccf5501822d0342000409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356"
    "f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_TEST_E = bytes.fromhex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
_TEST_SIGNATURE = bytes.fromhex(
    "3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3022100b1b6aa29df212fd8763182bc0d421ca1"
    "bb9038fd1f7f42d4840b69c485bbc1aa"
)
"""Key, e and signature of GB/T 32918.5 annex A.2, with the default identifier."""


class LibraryUnusable(Exception):
    """A library is missing, too old, built without SM2, or failed its self-test."""


def default_names() -> Sequence[str]:
    """Names to try, in order. Never ``find_library``: it runs a compiler on Linux and aborts the process on macOS."""
    if sys.platform == "darwin":
        return (
            "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
            "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
        )
    return ("libcrypto.so.4", "libcrypto.so.3")


class Library:
    """One loaded and tested libcrypto.

    Attributes:
        path: the name it was loaded by.
        version: what it says of itself.
    """

    def __init__(self, path: str) -> None:
        """Load a library and test it.

        Raises:
            LibraryUnusable: it can't be used for SM2.
        """
        self.path = path
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            raise LibraryUnusable(f"{path}: {error}") from error
        for name, (result, *arguments) in _FUNCTIONS.items():
            try:
                function = getattr(library, name)
            except AttributeError:
                raise LibraryUnusable(f"{path}: has no {name}, expected OpenSSL 3.0 or newer") from None
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.version: str = self.call("OpenSSL_version", 0).decode()
        self.context = self.call("OSSL_LIB_CTX_new")
        if not self.context or not self.call("OSSL_PROVIDER_load", self.context, b"default"):
            raise LibraryUnusable(f"{path}: its default provider can't be loaded")
        operation = self.call("EVP_PKEY_CTX_new_from_name", self.context, b"SM2", None)
        if not operation:
            self.call("ERR_clear_error")
            raise LibraryUnusable(f"{path} ({self.version}): built without SM2")
        self.call("EVP_PKEY_CTX_free", operation)
        self._test()

    def call(self, name: str, *arguments: Any) -> Any:
        """Call one of ``_FUNCTIONS``."""
        return getattr(self, name)(*arguments)

    def problem(self) -> str:
        """What the library's error queue says; empties it, since other parts of the process share it."""
        reasons, buffer = [], ctypes.create_string_buffer(256)
        while code := self.call("ERR_get_error"):
            self.call("ERR_error_string_n", code, buffer, 256)
            reasons.append(buffer.value.decode("latin-1").rsplit(":", 1)[-1])
        return "; ".join(dict.fromkeys(filter(None, reasons))) or "no reason given"

    def generate(self) -> Sm2Key:
        """A new key.

        Raises:
            ProviderError: the library could not make one.
        """
        operation = self.call("EVP_PKEY_CTX_new_from_name", self.context, b"SM2", None)
        handle = c_void_p()
        try:
            if self.call("EVP_PKEY_keygen_init", operation) != 1 or (
                self.call("EVP_PKEY_generate", operation, byref(handle)) != 1
            ):
                raise ProviderError(f"no SM2 key could be made: {self.problem()}")
        finally:
            self.call("EVP_PKEY_CTX_free", operation)
        return Sm2Key(self, handle.value or 0, private=True)

    def private_key(self, private_key_info: bytes) -> Sm2Key:
        """A private key from DER PKCS #8, checked.

        Raises:
            MalformedError: not an SM2 private key, out of range, or its public key does not belong to it.
        """
        return self._decode("d2i_AutoPrivateKey_ex", private_key_info, private=True)

    def public_key(self, public_key_info: bytes) -> Sm2Key:
        """A public key from DER SubjectPublicKeyInfo, checked to be a point of the curve.

        Raises:
            MalformedError: it is not.
        """
        return self._decode("d2i_PUBKEY_ex", public_key_info, private=False)

    def _decode(self, function: str, der: bytes, *, private: bool) -> Sm2Key:
        position = c_char_p(der)
        handle = self.call(function, None, byref(position), len(der), self.context, None)
        if not handle:
            raise MalformedError(f"not an SM2 {'private' if private else 'public'} key: {self.problem()}")
        return Sm2Key(self, handle, private=private)

    def _test(self) -> None:
        """Known answer of GB/T 32918.5, a refusal, and a fresh key there and back (about 6 ms)."""
        try:
            known = self.public_key(_TEST_PUBLIC_KEY)
            right = known.verify(_TEST_E, _TEST_SIGNATURE) and not known.verify(_TEST_E[::-1], _TEST_SIGNATURE)
            fresh = self.generate()
            right = right and fresh.verify(_TEST_E, fresh.sign(_TEST_E))
        except (MalformedError, ProviderError) as error:
            raise LibraryUnusable(f"{self.path} ({self.version}): SM2 self-test failed: {error.message}") from error
        if not right:
            raise LibraryUnusable(f"{self.path} ({self.version}): SM2 self-test failed")


class Sm2Key:
    """A checked SM2 key inside a library. It may be shared by threads; every call has a context of its own."""

    def __init__(self, library: Library, handle: int, *, private: bool) -> None:
        self._library = library
        self._handle = handle
        if library.call("EVP_PKEY_is_a", handle, b"SM2") != 1:
            raise MalformedError("the key is not an SM2 key")
        check = "EVP_PKEY_check" if private else "EVP_PKEY_public_check"
        with _Operation(self) as operation:
            if library.call(check, operation) != 1:
                raise MalformedError(f"the SM2 key is not valid: {library.problem()}")

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.call("EVP_PKEY_free", self._handle)
            self._handle = 0

    def sign(self, e: bytes) -> bytes:
        """DER signature over e, 32 bytes.

        Raises:
            ProviderError: the library could not sign.
        """
        return self._transform("sign", e, 80)

    def verify(self, e: bytes, signature: bytes) -> bool:
        """Whether a DER signature over e is right. The library demands strict DER and r, s in 1 .. n-1."""
        with _Operation(self) as operation:
            try:
                if self._library.call("EVP_PKEY_verify_init", operation) != 1:
                    raise ProviderError(f"SM2 verification could not begin: {self._library.problem()}")
                answer = self._library.call("EVP_PKEY_verify", operation, signature, len(signature), e, len(e))
                return bool(answer == 1)
            finally:
                self._library.call("ERR_clear_error")

    def encrypt(self, plaintext: bytes) -> bytes:
        """Ciphertext in the DER form of GM/T 0009.

        Raises:
            ProviderError: the library could not encrypt.
        """
        return self._transform("encrypt", plaintext, len(plaintext) + 128)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Plaintext of a ciphertext in the DER form of GM/T 0009.

        Raises:
            ProviderError: it can't be decrypted; one error for every reason.
        """
        return self._transform("decrypt", ciphertext, len(ciphertext))

    @property
    def point(self) -> bytes:
        """The public key as an uncompressed point, 65 bytes."""
        buffer, length = ctypes.create_string_buffer(65), c_size_t()
        arguments = (self._handle, b"encoded-pub-key", buffer, 65, byref(length))
        if self._library.call("EVP_PKEY_get_octet_string_param", *arguments) != 1 or length.value != 65:
            raise ProviderError(f"the SM2 public key can't be read: {self._library.problem()}")
        return buffer.raw

    @property
    def scalar(self) -> bytes:
        """The private key d, 32 bytes; only to seal a key that was just made."""
        number, buffer = c_void_p(), ctypes.create_string_buffer(32)
        if self._library.call("EVP_PKEY_get_bn_param", self._handle, b"priv", byref(number)) != 1:
            raise ProviderError(f"the SM2 private key can't be read: {self._library.problem()}")
        try:
            if self._library.call("BN_bn2binpad", number, buffer, 32) != 32:
                raise ProviderError("the SM2 private key has more than 32 bytes")
            return buffer.raw
        finally:
            self._library.call("BN_clear_free", number)

    def _transform(self, name: str, data: bytes, capacity: int) -> bytes:
        buffer, length = ctypes.create_string_buffer(capacity), c_size_t(capacity)
        with _Operation(self) as operation:
            if self._library.call(f"EVP_PKEY_{name}_init", operation) != 1 or (
                self._library.call(f"EVP_PKEY_{name}", operation, buffer, byref(length), data, len(data)) != 1
            ):
                raise ProviderError(f"SM2 could not {name}: {self._library.problem()}")
        return buffer.raw[: length.value]


class _Operation:
    """An EVP_PKEY_CTX for one operation with one key; a context manager."""

    def __init__(self, key: Sm2Key) -> None:
        self._library = key._library
        self._handle = self._library.call("EVP_PKEY_CTX_new_from_pkey", self._library.context, key._handle, None)

    def __enter__(self) -> Any:
        return self._handle

    def __exit__(self, *_error: object) -> None:
        self._library.call("EVP_PKEY_CTX_free", self._handle)
