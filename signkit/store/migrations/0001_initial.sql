-- Format 1. Times are RFC 3339 in UTC; identifiers are UUIDs unless said otherwise.

CREATE TABLE store (
    row INTEGER PRIMARY KEY CHECK (row = 1),
    format INTEGER NOT NULL CHECK (format >= 1),
    id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    root_key TEXT NOT NULL                      -- URI of the root-key source, no secret
) STRICT;

CREATE TABLE kek (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
    wrapped BLOB NOT NULL                       -- key-encryption key under the root key (signkit.keys.sealing)
) STRICT;

CREATE TABLE key (
    position INTEGER PRIMARY KEY,               -- order of creation
    id TEXT NOT NULL UNIQUE,
    key_type TEXT NOT NULL,
    usage TEXT NOT NULL CHECK (usage IN ('SIGN/VERIFY', 'ENCRYPT/DECRYPT')),
    state TEXT NOT NULL CHECK (state IN ('Enabled', 'Disabled', 'PendingImport', 'PendingDeletion')),
    provider TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE version (
    id TEXT PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL REFERENCES key (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    state TEXT NOT NULL CHECK (state IN ('pending', 'enabled', 'disabled', 'destroyed')),
    created_at TEXT NOT NULL,
    public_key_info BLOB NOT NULL,              -- DER SubjectPublicKeyInfo; empty while pending
    locator BLOB NOT NULL,                      -- the provider's own, for example a sealed record; empty while pending
    UNIQUE (key_id, number),
    CHECK ((state = 'pending') = (length(public_key_info) = 0))
) STRICT;

CREATE TABLE alias (
    name TEXT PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL REFERENCES key (id),
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX alias_by_key ON alias (key_id);

CREATE TABLE certificate (
    version_id TEXT NOT NULL REFERENCES version (id),
    id TEXT NOT NULL CHECK (length(id) = 64),   -- lower-case hex SHA-256 of the leaf
    certificate BLOB NOT NULL,                  -- DER of the leaf
    chain BLOB NOT NULL,                        -- DER of its issuers, each behind its length (4 bytes, big-endian)
    imported_at TEXT NOT NULL,
    imported_by TEXT NOT NULL,
    source TEXT NOT NULL,
    binding INTEGER NOT NULL CHECK (binding >= 1),  -- order of binding; the highest of a version is its current one
    PRIMARY KEY (version_id, id),
    UNIQUE (version_id, binding)
) STRICT;

CREATE TABLE permission (
    principal TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (principal, document)
) STRICT;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY CHECK (seq >= 0),
    leaf BLOB NOT NULL CHECK (length(leaf) = 32),   -- RFC 6962 leaf hash of the entry
    entry BLOB NOT NULL                             -- canonical JSON (signkit.audit.entry)
) STRICT;

CREATE TABLE audit_head (
    row INTEGER PRIMARY KEY CHECK (row = 1),
    size INTEGER NOT NULL CHECK (size >= 0),
    frontier BLOB NOT NULL CHECK (length(frontier) % 32 = 0)    -- subtree roots (signkit.audit.merkle), largest first
) STRICT;

INSERT INTO audit_head (row, size, frontier) VALUES (1, 0, x'');
