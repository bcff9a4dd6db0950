"""``credential:NAME``: the root key is a credential that systemd hands to a service (``LoadCredentialEncrypted=``)."""

from __future__ import annotations

import os

from signkit.custody.private_files import read_private
from signkit.errors import RootKeyError, UsageError
from signkit.keys.sealing import KEY_SIZE, RootSecret

DIRECTORY = "CREDENTIALS_DIRECTORY"
"""Environment variable that names the folder of a service's credentials (systemd.exec(5))."""

_MAXIMUM_NAME = 255


class CredentialRootKey:
    """A root key among the credentials of a service: a file of 32 bytes.

    Attributes:
        name: name of the credential.
        uri: ``credential:`` and that name.
    """

    def __init__(self, location: str) -> None:
        if (
            location in ("", ".", "..")
            or "/" in location
            or len(location) > _MAXIMUM_NAME
            or not location.isprintable()
        ):
            raise UsageError(
                f"'credential:{location}' names no credential: expected the name of a file in ${DIRECTORY}",
                hint="for example credential:signkit-root-key",
            )
        self.name = location
        self.uri = f"credential:{location}"

    def create(self) -> RootSecret:
        """The root key for a new store. Only systemd makes credentials, so it must be there already.

        Raises:
            RootKeyError: see ``load``.
        """
        return self.load()

    def load(self) -> RootSecret:
        """The root key.

        Raises:
            RootKeyError: this is no service with credentials, or the credential is missing, not private, or not of 32
                bytes.
        """
        folder = os.environ.get(DIRECTORY, "")
        if not os.path.isabs(folder):
            found = f"found '{folder}'" if folder else "it is not set"
            raise RootKeyError(
                f"the root key is the credential '{self.name}', and ${DIRECTORY} names no folder: {found}",
                hint=f"run this as a service with LoadCredentialEncrypted={self.name}, see systemd-creds(1)",
            )
        what = f"credential {self.name}"
        key = read_private(os.path.join(folder, self.name), limit=KEY_SIZE, what=what)
        if len(key) != KEY_SIZE:
            raise RootKeyError(f"the {what} has {len(key)} bytes, expected {KEY_SIZE}")
        return RootSecret("key", key)
