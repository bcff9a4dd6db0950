"""Making a store: its root key, its key-encryption key, and the one who may do everything with it at first."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, NamedTuple

from signkit.audit.entry import AuditEntry
from signkit.custody import parse_root_key
from signkit.errors import OutputExistsError
from signkit.keys import permissions
from signkit.keys.sealing import KEY_SIZE, Kek
from signkit.store.schema import is_free
from signkit.store.sqlite import Permission, SqliteStore, StoreIdentity

if TYPE_CHECKING:
    from signkit.wiring import Wiring

ROOT_KEY_FILE = "root.key"
_FIRST_ROLES = ("administrator", "signer")
"""What the user who makes the store may do."""


class NewStore(NamedTuple):
    """A store that was just made.

    Attributes:
        id: UUID of the store.
        path: the database file.
        root_key: URI of its root key.
        principal: who made it.
    """

    id: str
    path: str
    root_key: str
    principal: str


def make(wiring: Wiring, root_key_uri: str | None, *, dry_run: bool) -> NewStore:
    """Make the store where the configuration says.

    Args:
        wiring: places and settings.
        root_key_uri: where its root key comes from; None = the configured one, else a generated file.
        dry_run: say what would be made, and make nothing.

    Raises:
        OutputExistsError: there is a store already.
        RootKeyError: the root key could not be made or is not acceptable.
        StoreError: the store could not be made.
    """
    from signkit.wiring import new_id

    path = wiring.store_path
    if not is_free(path):
        raise OutputExistsError(f"there is a store at {path} already", path=path, hint="use it, or name another --home")
    source = parse_root_key(root_key_uri or wiring.settings.root_key or _default_root_key())
    now, store_id = wiring.clock(), new_id()
    made = NewStore(store_id, path, source.uri, wiring.principal)
    if dry_run:
        return made
    secret = source.create()
    kek = Kek(1, secrets.token_bytes(KEY_SIZE))
    SqliteStore.create(
        path,
        StoreIdentity(store_id, now, source.uri),
        {kek.id: kek.wrap(secret, store_id, secrets.token_bytes)},
        permissions=[Permission(made.principal, permissions.ready_made(role), now) for role in _FIRST_ROLES],
        entries=[AuditEntry(now, made.principal, "InitializeStore", "ok", new_id())],
    ).close()
    return made


def _default_root_key() -> str:
    import platformdirs

    return "file:" + os.path.join(platformdirs.user_config_dir("signkit", appauthor=False), ROOT_KEY_FILE)
