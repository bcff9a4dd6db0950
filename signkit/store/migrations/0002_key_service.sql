-- Format 2: deletion, protection, tags, origin and policy of keys; the key and the checkpoints of the audit log.

ALTER TABLE key ADD COLUMN origin TEXT NOT NULL DEFAULT 'Aliyun_KMS' CHECK (origin IN ('Aliyun_KMS', 'EXTERNAL'));

ALTER TABLE key ADD COLUMN deletion_at TEXT;            -- from when on it may be deleted, while its deletion is pending

ALTER TABLE key ADD COLUMN state_before_deletion TEXT CHECK (state_before_deletion IN ('Enabled', 'Disabled', 'PendingImport'));

ALTER TABLE key ADD COLUMN deletion_protection INTEGER NOT NULL DEFAULT 0 CHECK (deletion_protection IN (0, 1));

ALTER TABLE key ADD COLUMN deletion_protection_description TEXT NOT NULL DEFAULT '';

ALTER TABLE key ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';         -- JSON object of names and values

ALTER TABLE key ADD COLUMN policy TEXT NOT NULL DEFAULT '';         -- permission document attached to the key

CREATE TABLE audit_key (
    row INTEGER PRIMARY KEY CHECK (row = 1),
    origin TEXT NOT NULL,                                           -- name of the log in its checkpoints
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),       -- Ed25519
    locator BLOB NOT NULL,                                          -- its private key, sealed
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY CHECK (size >= 0),
    note BLOB NOT NULL                                              -- signed note (signkit.audit.checkpoint)
) STRICT;
