"""Name constraints (RFC 5280 section 4.2.1.10): subtrees that are looked up, never compared one by one.

Each constraint becomes an entry of a dictionary, and a name is followed through it label by label, so that a thousand
constraints and a thousand names cost two thousand steps and not a million.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from signkit.der import oids, reader
from signkit.errors import MalformedError
from signkit.x509 import names
from signkit.x509.certificate import Certificate

OTHER_NAME, EMAIL, DNS, X400, DIRECTORY, EDI, URI, IP, REGISTERED = range(9)
KINDS = (
    "otherName",
    "rfc822Name",
    "dNSName",
    "x400Address",
    "directoryName",
    "ediPartyName",
    "uniformResourceIdentifier",
    "iPAddress",
    "registeredID",
)
"""Kinds of GeneralName (RFC 5280 section 4.2.1.6) by the number of their tag."""

_EMAIL_ADDRESS = names.ATTRIBUTE_TYPES["emailAddress"]
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_LOCAL_PART = re.compile(r"[!-~]{1,64}")


class GeneralName(NamedTuple):
    """One GeneralName: number of its kind, contents octets (for directoryName the DER of the Name)."""

    kind: int
    content: bytes


class Subtrees:
    """Permitted or excluded subtrees of one certificate."""

    def __init__(self) -> None:
        self.kinds: set[int] = set()
        self.malformed: dict[int, str] = {}
        """Kinds with a constraint that can't be understood, which therefore refuses every name of the kind."""
        self._hosts: dict[int, set[str]] = {}
        self._below: dict[int, set[str]] = {}
        self._parents: set[str] = set()
        self._mailboxes: set[str] = set()
        self._networks: dict[bytes, set[int]] = {}
        self._directory: dict[Any, Any] = {}

    def add(self, name: GeneralName) -> None:
        """Take in the base of one subtree."""
        self.kinds.add(name.kind)
        try:
            _ADD[name.kind](self, name.content)
        except KeyError:
            self.malformed[name.kind] = f"constraints on {KINDS[name.kind]} are not supported"
        except (MalformedError, UnicodeDecodeError, ValueError) as error:
            self.malformed.setdefault(name.kind, f"a constraint on {KINDS[name.kind]} is malformed: {error}")

    def _add_dns(self, content: bytes) -> None:
        base = _host(content.decode("ascii"), empty=True)
        self._hosts.setdefault(DNS, set()).add(base)
        self._parents.add(base.partition(".")[2])

    def _add_email(self, content: bytes) -> None:
        text = content.decode("ascii")
        if "@" in text:
            self._mailboxes.add(_mailbox(text))
        else:
            self._add_host(EMAIL, text)

    def _add_uri(self, content: bytes) -> None:
        self._add_host(URI, content.decode("ascii"))

    def _add_host(self, kind: int, text: str) -> None:
        """A host stands for itself, a leading period for everything below (RFC 5280 section 4.2.1.10)."""
        if text.startswith("."):
            self._below.setdefault(kind, set()).add(_host(text[1:]))
        elif text:
            self._hosts.setdefault(kind, set()).add(_host(text))
        else:
            self._below.setdefault(kind, set()).add("")

    def _add_ip(self, content: bytes) -> None:
        if len(content) not in (8, 32):
            raise ValueError(f"{len(content)} octets, expected 8 or 32")
        half = len(content) // 2
        mask = int.from_bytes(content[half:], "big")
        inverse = mask ^ ((1 << 8 * half) - 1)
        if inverse & (inverse + 1):
            raise ValueError("the mask is not a prefix (RFC 4632 section 3.1)")
        self._networks.setdefault(content[half:], set()).add(int.from_bytes(content[:half], "big") & mask)

    def _add_directory(self, content: bytes) -> None:
        node = self._directory
        for rdn in names.load(content).canonical:
            node = node.setdefault(rdn, {})
        node[None] = True

    def contain(self, name: GeneralName, *, overlap: bool = False) -> bool:
        """Whether a name is in one of the subtrees.

        Args:
            name: the name.
            overlap: for a DNS name with a wildcard, whether it is enough that it covers a name in one of them.

        Raises:
            MalformedError: constraint or name can't be understood.
        """
        if problem := self.malformed.get(name.kind):
            raise MalformedError(problem)
        try:
            return _CONTAIN[name.kind](self, name.content, overlap)
        except (UnicodeDecodeError, ValueError) as error:
            raise MalformedError(f"{KINDS[name.kind]} is malformed: {error}") from error

    def _contain_dns(self, content: bytes, overlap: bool) -> bool:
        text = content.decode("ascii")
        wildcard = text.startswith("*.")
        host = _host(text[2:] if wildcard else text)
        if wildcard and overlap and host in self._parents:
            return True
        return not self._hosts.get(DNS, set()).isdisjoint(_suffixes(host))

    def _contain_email(self, content: bytes, overlap: bool) -> bool:
        mailbox = _mailbox(content.decode("ascii"))
        return mailbox in self._mailboxes or self._contain_host(EMAIL, mailbox.rpartition("@")[2])

    def _contain_uri(self, content: bytes, overlap: bool) -> bool:
        found = _AUTHORITY.match(content.decode("ascii"))
        host = found[1].rpartition("@")[2].lower() if found else ""
        host = host[: -len(port[0])] if (port := re.search(r":[0-9]*$", host)) else host
        if re.fullmatch(r"[0-9.]*", host):
            raise ValueError("a URI without a host name can't satisfy a constraint")
        return self._contain_host(URI, _host(host))

    def _contain_host(self, kind: int, host: str) -> bool:
        if host in self._hosts.get(kind, ()):
            return True
        below = self._below.get(kind)
        return below is not None and ("" in below or not below.isdisjoint(_suffixes(host.partition(".")[2])))

    def _contain_ip(self, content: bytes, overlap: bool) -> bool:
        if len(content) not in (4, 16):
            raise ValueError(f"{len(content)} octets, expected 4 or 16")
        value = int.from_bytes(content, "big")
        return any(
            len(mask) == len(content) and (value & int.from_bytes(mask, "big")) in networks
            for mask, networks in self._networks.items()
        )

    def _contain_directory(self, content: bytes, overlap: bool) -> bool:
        node = self._directory
        for rdn in names.load(content).canonical:
            if None in node:
                return True
            if rdn not in node:
                return False
            node = node[rdn]
        return None in node


_ADD = {
    EMAIL: Subtrees._add_email,
    DNS: Subtrees._add_dns,
    DIRECTORY: Subtrees._add_directory,
    URI: Subtrees._add_uri,
    IP: Subtrees._add_ip,
}
_CONTAIN = {
    EMAIL: Subtrees._contain_email,
    DNS: Subtrees._contain_dns,
    DIRECTORY: Subtrees._contain_directory,
    URI: Subtrees._contain_uri,
    IP: Subtrees._contain_ip,
}


class Constraints(NamedTuple):
    """The nameConstraints extension of one certificate."""

    permitted: Subtrees
    excluded: Subtrees

    def problem(self, name: GeneralName) -> str:
        """Why a name is not allowed, or an empty string."""
        try:
            if name.kind in self.excluded.kinds and self.excluded.contain(name, overlap=True):
                return f"{describe(name)} is in an excluded subtree"
            if name.kind in self.permitted.kinds and not self.permitted.contain(name):
                return f"{describe(name)} is in no permitted subtree"
        except MalformedError as error:
            return f"{describe(name)}: {error.message}"
        return ""


def of(certificate: Certificate) -> Constraints | None:
    """The name constraints of a certificate, or None when it has none.

    Raises:
        MalformedError: the extension is not what RFC 5280 section 4.2.1.10 says.
    """
    if oids.NAME_CONSTRAINTS not in certificate.extensions:
        return None
    found, problem = _constraints(certificate)
    if problem:
        raise MalformedError(problem)
    return found


@lru_cache(maxsize=256)
def _constraints(certificate: Certificate) -> tuple[Constraints | None, str]:
    """Constraints, and why they can't be read: what is malformed is remembered too, it may be large."""
    try:
        return _parse(certificate.extensions[oids.NAME_CONSTRAINTS].value), ""
    except MalformedError as error:
        return None, error.message


def _parse(value: bytes) -> Constraints:
    fields = reader.parse(value, reader.SEQUENCE, "nameConstraints").children()
    if [field.tag for field in fields] not in ([0xA0], [0xA1], [0xA0, 0xA1]):
        raise MalformedError("nameConstraints: expected permitted subtrees, excluded ones or both")
    found = {tag: Subtrees() for tag in (0xA0, 0xA1)}
    for field in fields:
        subtrees = field.children()
        if not subtrees:
            raise MalformedError("nameConstraints has an empty list of subtrees")
        for subtree in subtrees:
            parts = subtree.expect(reader.SEQUENCE, "GeneralSubtree").children()
            if len(parts) != 1:
                raise MalformedError("nameConstraints: minimum and maximum are not allowed (RFC 5280 4.2.1.10)")
            found[field.tag].add(general_name(parts[0]))
    return Constraints(found[0xA0], found[0xA1])


def general_name(element: reader.Element) -> GeneralName:
    """A GeneralName.

    Raises:
        MalformedError: it is none.
    """
    kind = element.tag & 0x1F
    if element.tag & 0xC0 != 0x80 or kind >= len(KINDS):
        raise MalformedError(f"GeneralName: found tag 0x{element.tag:02x}, expected 0x80 to 0x88")
    if bool(element.tag & 0x20) is not (kind in (OTHER_NAME, X400, DIRECTORY, EDI)):
        raise MalformedError(f"GeneralName {KINDS[kind]} has the wrong form")
    if kind != DIRECTORY:
        return GeneralName(kind, element.content)
    inner = element.children()
    if len(inner) != 1:
        raise MalformedError(f"GeneralName directoryName holds {len(inner)} names, expected 1")
    return GeneralName(kind, inner[0].raw)


@lru_cache(maxsize=512)
def _names(certificate: Certificate, email_in_subject: bool) -> tuple[tuple[GeneralName, ...], str]:
    """Names of a certificate that constraints apply to, and why they can't be read."""
    found = [GeneralName(DIRECTORY, certificate.subject.raw)] if certificate.subject else []
    extension = certificate.extensions.get(oids.SUBJECT_ALT_NAME)
    try:
        if extension is not None:
            elements = reader.parse(extension.value, reader.SEQUENCE, "subjectAltName").children()
            if not elements:
                raise MalformedError("subjectAltName is empty: expected at least one name")
            found += map(general_name, elements)
    except MalformedError as error:
        return (), error.message
    if email_in_subject or extension is None:
        attributes = (attribute for rdn in certificate.subject.rdns for attribute in rdn)
        found += (GeneralName(EMAIL, content) for oid, _tag, content in attributes if oid == _EMAIL_ADDRESS)
    return tuple(dict.fromkeys(found)), ""


def names_of(certificate: Certificate, *, email_in_subject: bool) -> tuple[GeneralName, ...]:
    """Every name of a certificate that constraints apply to, each once (RFC 5280 section 6.1.3 (b) and (c)).

    Args:
        certificate: the certificate.
        email_in_subject: e-mail addresses in the subject count also when there is a subjectAltName.

    Raises:
        MalformedError: the subjectAltName is malformed.
    """
    found, problem = _names(certificate, email_in_subject)
    if problem:
        raise MalformedError(problem)
    return found


def cost(name: GeneralName) -> int:
    """What looking up a name takes, in units of a short one; long directory names have many parts."""
    return 1 + (len(name.content) >> 8)


def describe(name: GeneralName) -> str:
    """A name for people."""
    kind, content = KINDS[name.kind], name.content
    if name.kind == DIRECTORY:
        try:
            return f"{kind} '{names.load(content)}'"
        except MalformedError:
            return kind
    if name.kind == IP:
        return f"{kind} {content.hex()}" if len(content) != 4 else f"{kind} {'.'.join(map(str, content))}"
    return f"{kind} '{content[:100].decode('ascii', 'replace')}'"


def _host(text: str, *, empty: bool = False) -> str:
    """A host name in lower case.

    Raises:
        ValueError: it is none (RFC 5280 section 4.2.1.6: preferred name syntax; underscores occur and are harmless).
    """
    host = text.lower()
    if host and len(host) <= 253 and all(map(_LABEL.fullmatch, host.split("."))):
        return host
    if not host and empty:
        return host
    raise ValueError(f"'{text[:100]}' is not a host name")


def _mailbox(text: str) -> str:
    """A mailbox; the host in lower case, the local part as it is (RFC 5280 section 7.5)."""
    local, _, host = text.rpartition("@")
    if not _LOCAL_PART.fullmatch(local) or ("@" in local and not local.startswith('"')):
        raise ValueError(f"'{text[:100]}' is not a mailbox")
    return f"{local}@{_host(host)}"


def _suffixes(host: str) -> Iterator[str]:
    """The host, each domain above it, and the empty one."""
    while host:
        yield host
        host = host.partition(".")[2]
    yield ""
