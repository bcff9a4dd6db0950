"""Timestamps in signature files that exist: added afterwards, and taken out for other programs to judge."""

from __future__ import annotations

import contextlib
import os.path
from typing import NamedTuple

from signkit.cms import signed_data, signer_info, unsigned
from signkit.cms.signed_data import Parsed
from signkit.der.cms import SignedData
from signkit.errors import MalformedError, NotFoundError, RefusedError, UsageError
from signkit.formats import cms_detached
from signkit.operations.long_term import LongTerm
from signkit.operations.timestamp import Stamp, Stamping
from signkit.ports import ArtifactSource, OutputSink
from signkit.x509 import certificate as x509_certificate

MAXIMUM_SIGNATURE = 64 << 20


class Added(NamedTuple):
    """A signature file that got timestamps.

    Attributes:
        path: where it was written.
        stamps: number of each signer that got one, counted as in the file, and the timestamp.
        signers: subject of each signer in the file.
    """

    path: str
    stamps: tuple[tuple[int, Stamp], ...]
    signers: tuple[str, ...]


class Extracted(NamedTuple):
    """One token that was taken out.

    Attributes:
        signer: number of the signer in the file, from 0.
        token: path of the token, DER, as ``openssl ts -verify -token_in -in`` takes it.
        stamped: path of the signature value, which is what was stamped.
    """

    signer: int
    token: str
    stamped: str


class TimestampService:
    """Adds and extracts timestamps; needs no store and no key."""

    def __init__(self, source: ArtifactSource, sink: OutputSink) -> None:
        """Take the parts; nothing is opened here."""
        self._source = source
        self._sink = sink

    def add(
        self,
        path: str,
        stamping: Stamping | None,
        *,
        signer: int | None = None,
        long_term: LongTerm | None = None,
        out: str = "",
        overwrite: bool = False,
    ) -> Added:
        """Add a timestamp to each signer of a signature file. What was signed stays octet for octet what it was.

        Args:
            path: the signature file.
            stamping: who stamps; None = no new timestamp, only long-term material.
            signer: number of the one signer to stamp, from 0; None = all.
            long_term: completes the file for later times; None = it is not completed.
            out: where to write; empty = the file itself is replaced, whole or not at all.
            overwrite: whether ``out`` may exist.

        Raises:
            UsageError: no such signer, or nothing to do.
            FileError: the file can't be read or written.
            OutputExistsError: ``out`` exists.
            MalformedError: it is not a CMS signature.
            RefusedError: a signer has as many timestamps already as a verifier looks at.
            UnavailableError: no authority gave a good timestamp, or the long-term material is not to be had.
        """
        if stamping is None and long_term is None:
            raise UsageError("found neither an authority nor --long-term, expected one", hint="name it with --url URL")
        target = out or path
        self._sink.check([target], overwrite=overwrite or not out)
        parsed = self._parsed(path)
        found = parsed.signed_data
        stamps = []
        for number in _wanted(signer, len(found.signer_infos), path):
            if stamping is None:
                break
            info = found.signer_infos[number]
            if len(cms_detached.timestamps(info)) >= cms_detached.MAXIMUM_TIMESTAMPS:
                raise RefusedError(
                    f"{path}: signer {number} has {cms_detached.MAXIMUM_TIMESTAMPS} timestamps already, "
                    "and a verifier looks at no more",
                    hint="one is enough: 'signkit timestamp extract' takes them out to look at",
                )
            stamp = stamping.stamp(info.signature)
            stamps.append((number, stamp))
            found = unsigned.with_timestamp(found, number, stamp.token)
        if long_term is not None:
            found = long_term.complete(found)
        data = unsigned.encode_as(found, parsed.encoding)
        unsigned.require_unchanged(parsed.signed_data, data)
        self._sink.write(target, data, overwrite=overwrite or not out)
        return Added(target, tuple(stamps), _subjects(parsed.signed_data))

    def extract(self, path: str, *, out_dir: str = "", overwrite: bool = False) -> list[Extracted]:
        """Write each token (``NAME.tst``) and what it stamped (``NAME.stamped``) to files of their own.

        With several tokens the names have the number of the token: ``NAME.1.tst``.

        Args:
            path: the signature file.
            out_dir: where to write; empty = beside the signature file.
            overwrite: whether files may exist.

        Raises:
            FileError: the file can't be read, or a file can't be written.
            OutputExistsError: a file exists.
            MalformedError: it is not a CMS signature.
            NotFoundError: it has no timestamp.
        """
        infos = self._parsed(path).signed_data.signer_infos
        found = [(number, info, token) for number, info in enumerate(infos) for token in cms_detached.timestamps(info)]
        if not found:
            raise NotFoundError(
                f"{path}: has no timestamp, expected one",
                hint="'signkit timestamp add' adds one",
                code="TimestampNotFound",
            )
        stem = os.path.join(out_dir or os.path.dirname(path), os.path.basename(path).removesuffix(".p7s"))
        made: list[Extracted] = []
        contents: dict[str, bytes] = {}
        for position, (number, info, token) in enumerate(found):
            name = stem if len(found) == 1 else f"{stem}.{position}"
            one = Extracted(number, f"{name}.tst", f"{name}.stamped")
            contents |= {one.token: token, one.stamped: info.signature}
            made.append(one)
        self._sink.check(contents, overwrite=overwrite)
        for name, data in contents.items():
            self._sink.write(name, data, overwrite=overwrite)
        return made

    def _parsed(self, path: str) -> Parsed:
        data = self._source.read(path, limit=MAXIMUM_SIGNATURE, what="signature")
        try:
            parsed = signed_data.parse(data)
            cms_detached.ParsedCms(parsed)
        except MalformedError as error:
            raise MalformedError(f"{path}: {error.message}", hint=error.hint) from error
        return parsed


def _wanted(signer: int | None, count: int, path: str) -> list[int]:
    if signer is None:
        return list(range(count))
    if not 0 <= signer < count:
        raise UsageError(f"{path}: has {count} signer(s), found number {signer}", hint="they are counted from 0")
    return [signer]


def _subjects(found: SignedData) -> tuple[str, ...]:
    """Subject of each signer's certificate, as far as it is in the file."""
    certificates = []
    for der in found.certificates:
        with contextlib.suppress(MalformedError):
            certificates.append(x509_certificate.load(der))
    named = ([one for one in certificates if signer_info.names(info, one)] for info in found.signer_infos)
    return tuple(str(fitting[0].subject) if fitting else "its certificate is not in the file" for fitting in named)
