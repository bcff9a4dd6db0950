"""From references to keys, versions and aliases, and the operations that only read.

Methods named ``find...`` ask for no permission: they are steps of operations that do.
"""

from __future__ import annotations

from collections.abc import Mapping

from signkit.errors import NotFoundError, UsageError, VersionRequiredError
from signkit.keys import states
from signkit.keys.model import NO_TAGS, Alias, Key, KeyState, KeyVersion
from signkit.keys.reference import KeyReference, parse_alias
from signkit.operations.access import Access, Attempt
from signkit.operations.refusals import known_names, nearest, require_usage_for


class Directory:
    """Keys, versions and aliases of one store, for one principal."""

    def __init__(self, access: Access) -> None:
        """Take the parts; nothing is opened here."""
        self._access = access
        self._store = access.store

    # Steps of operations

    def find(self, reference: KeyReference) -> Key:
        """The key that a reference names; its version, if any, is not looked at.

        Raises:
            NotFoundError: no such alias or key.
        """
        key_id = self.find_alias(reference.key).key_id if reference.is_alias else reference.key
        key = self._store.key(key_id)
        if key is None:
            meant = f"alias/{key_id}"
            hint = f"did you mean {meant}?" if self._store.alias(meant) else "'signkit key list' shows all keys"
            raise NotFoundError(f"no key '{key_id}'", hint=hint)
        return key

    def find_alias(self, name: str) -> Alias:
        """The alias of that name.

        Raises:
            UsageError: a malformed alias.
            NotFoundError: no such alias.
        """
        alias = self._store.alias(parse_alias(name))
        if alias is None:
            names = [one.name for one in self._store.aliases()]
            near = nearest(name, names)
            raise NotFoundError(
                f"no alias '{name}': {known_names('alias', names)}",
                hint=f"did you mean {near}?"
                if near
                else "'signkit alias list' shows all; 'signkit key create --alias' makes one",
                code="Forbidden.AliasNotFound",
            )
        return alias

    def find_aliases(self, key: Key) -> list[str]:
        """Names of a key, in order."""
        return [alias.name for alias in self._store.aliases() if alias.key_id == key.id]

    def find_versions(self, key: Key) -> list[KeyVersion]:
        """Versions of a key by number."""
        return self._store.versions(key.id)

    def find_version(self, key: Key, reference: KeyReference) -> KeyVersion:
        """The version of a key that a reference names.

        Raises:
            VersionRequiredError: the reference names no version.
            NotFoundError: no such version.
        """
        versions = self._store.versions(key.id)
        if reference.version is None:
            listed = ", ".join(f"{reference.key}@{version.number} ({version.state.value})" for version in versions)
            raise VersionRequiredError(
                f"'{reference.key}' names a key without a version, and no version is primary: "
                f"expected one of {listed or 'none yet'}",
                hint=f"name one, for example {reference.key}@{versions[-1].number if versions else 1}",
            )
        for version in versions:
            if reference.version == version.id or reference.number == version.number:
                return version
        listed = ", ".join(str(version.number) for version in versions)
        raise NotFoundError(
            f"key {reference.key} has no version '{reference.version}', expected one of {listed or 'none yet'}",
            hint=f"'signkit version list {reference.key}' shows them",
            code="Forbidden.KeyVersionNotFound",
        )

    def find_usable(self, attempt: Attempt, reference: KeyReference, *, algorithm: str = "") -> tuple[Key, KeyVersion]:
        """The key version that an attempt is to use, checked in the order that ``signkit.keys.states`` gives.

        Raises:
            NotFoundError: no such key or version.
            AccessDeniedError: the caller may not use it so.
            RefusedError: the key was made for another usage.
            StateError: the state of key or version forbids it.
            VersionRequiredError: the reference names no version.
        """
        key = self.find(reference)
        attempt.allow(key, algorithm=algorithm)
        require_usage_for(attempt.action, key, reference)
        states.require_key(attempt.action, key, named=reference.key)
        version = self.find_version(key, reference)
        states.require_version(attempt.action, version, named=reference.key)
        return key, version

    # Operations

    def keys(self, *, state: str = "", tags: Mapping[str, str] = NO_TAGS) -> list[Key]:
        """The keys that the caller may list and describe, oldest first (ListKeys, DescribeKey).

        Args:
            state: only those in this state, for example ``Enabled``; empty = whatever state.
            tags: only those that have all of these tags.

        Raises:
            UsageError: no such state.
            AccessDeniedError: the caller may not list keys.
        """
        if state and state not in tuple(KeyState):
            raise UsageError(f"'{state}' is not a state of keys: expected one of {' '.join(KeyState)}")
        with self._access.attempt("ListKeys") as attempt:
            attempt.allow()
            wanted = [
                key for key in self._store.keys() if state in ("", key.state) and tags.items() <= key.tags.items()
            ]
            return [key for key in wanted if self._access.decide("DescribeKey", key, at=attempt.at)]

    def key(self, reference: KeyReference) -> Key:
        """A key (DescribeKey).

        Raises:
            NotFoundError: no such alias or key.
            AccessDeniedError: the caller may not describe it.
        """
        with self._access.attempt("DescribeKey", detail=str(reference)) as attempt:
            key = self.find(reference)
            attempt.allow(key)
            return key

    def versions(self, reference: KeyReference) -> tuple[Key, list[KeyVersion]]:
        """A key with its versions by number (ListKeyVersions).

        Raises:
            NotFoundError: no such alias or key.
            AccessDeniedError: the caller may not list them.
        """
        with self._access.attempt("ListKeyVersions", detail=str(reference)) as attempt:
            key = self.find(reference)
            attempt.allow(key)
            return key, self.find_versions(key)

    def version(self, reference: KeyReference) -> tuple[Key, KeyVersion]:
        """A key version in whatever state, with its key (DescribeKeyVersion).

        Raises:
            NotFoundError: no such key or version.
            AccessDeniedError: the caller may not describe it.
            VersionRequiredError: the reference names no version.
        """
        with self._access.attempt(
            "DescribeKeyVersion", version=reference.number or 0, detail=str(reference)
        ) as attempt:
            key = self.find(reference)
            attempt.allow(key)
            return key, self.find_version(key, reference)

    def aliases(self) -> list[Alias]:
        """All aliases by name (ListAliases).

        Raises:
            AccessDeniedError: the caller may not list them.
        """
        with self._access.attempt("ListAliases") as attempt:
            attempt.allow()
            return self._store.aliases()

    def public_key(self, reference: KeyReference, encoding: str = "der", *, action: str = "GetPublicKey") -> bytes:
        """The public key of a version (GetPublicKey); recorded, since it is what others will trust.

        Args:
            reference: key and version.
            encoding: one of ``signkit.x509.public_key.FORMS``.
            action: what it is for: ``GetPublicKey``, ``AsymmetricVerify`` or ``AsymmetricEncrypt``.

        Raises:
            UsageError: no such form, or none for this type of key.
            NotFoundError: no such key or version.
            AccessDeniedError: the caller may not have it.
            RefusedError: the key was made for another usage than the action needs.
            StateError: the state of key or version forbids it.
        """
        from signkit.x509 import public_key

        public_key.require_form(encoding)
        with self._access.attempt(action, version=reference.number or 0, detail=str(reference)) as attempt:
            _key, version = self.find_usable(attempt, reference)
            encoded = public_key.encode(version.public_key_info, encoding)
            attempt.done(version=version.number)
            attempt.record()
            return encoded
