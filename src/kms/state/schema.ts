/** Marks an SQLite file as a database of this service: `PRAGMA application_id`, the letters `SRkm`. */
export const applicationId = 0x53526b6d

/**
 * Each entry brings the database one `PRAGMA user_version` further. Entries are never edited, only added.
 * Times are milliseconds since 1970. A `sealed_…` column is sealed by the root key for the row that it is in.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE service (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    sealed_check BLOB NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    policy TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE backing_keys (
    backing_key_id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys,
    generation INTEGER NOT NULL,
    sealed_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (key_id, generation)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE aliases (
    alias_name TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX aliases_of_key ON aliases (key_id, alias_name);

  CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    user_name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    path TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- user_id NULL: an access key of the account's root user
  CREATE TABLE access_keys (
    access_key_id TEXT PRIMARY KEY,
    user_id TEXT REFERENCES users,
    sealed_secret BLOB NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX access_keys_of_user ON access_keys (user_id);
  `,
]
