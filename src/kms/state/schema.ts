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
  `
  -- Keys are of a region: related multi-Region keys have one key id.
  ALTER TABLE keys RENAME TO keys_1;
  ALTER TABLE backing_keys RENAME TO backing_keys_1;
  ALTER TABLE aliases RENAME TO aliases_1;
  DROP INDEX aliases_of_key;

  -- policy_principals: JSON, the unique id of each user and role that the policy names by ARN.
  -- state_tag: a tag by the root key over the rest of the row; NULL only in a row from before there were tags.
  CREATE TABLE keys (
    region TEXT NOT NULL,
    key_id TEXT NOT NULL,
    description TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    policy TEXT NOT NULL,
    policy_principals TEXT NOT NULL DEFAULT '{}',
    tags TEXT NOT NULL DEFAULT '{}',
    origin TEXT NOT NULL DEFAULT 'AWS_KMS' CHECK (origin IN ('AWS_KMS', 'EXTERNAL')),
    -- PRIMARY, REPLICA, or NULL for a key of one region
    multi_region TEXT CHECK (multi_region IN ('PRIMARY', 'REPLICA')),
    primary_region TEXT,
    -- when PendingDeletion: the time to delete at. A primary key that waits for its replicas has the days instead.
    deletion_date INTEGER,
    pending_window_days INTEGER,
    -- automatic rotation: NULL when it is off
    rotation_period_days INTEGER,
    rotation_due INTEGER,
    created_at INTEGER NOT NULL,
    state_tag BLOB,
    PRIMARY KEY (region, key_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keys_by_key_id ON keys (key_id);
  CREATE INDEX keys_by_deletion_date ON keys (deletion_date) WHERE deletion_date IS NOT NULL;
  CREATE INDEX keys_by_rotation_due ON keys (rotation_due) WHERE rotation_due IS NOT NULL;

  -- The last successful use of each key; a table of its own, because it is written once a minute.
  CREATE TABLE key_usage (
    region TEXT NOT NULL,
    key_id TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    operation TEXT NOT NULL,
    event_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    PRIMARY KEY (region, key_id)
  ) STRICT, WITHOUT ROWID;

  -- When the service was last seen to run with a clock that counted as right; written once an hour.
  CREATE TABLE clock (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    last_seen_at INTEGER NOT NULL
  ) STRICT;

  -- Key ids that were deleted: a blob of one is told from a damaged one.
  CREATE TABLE deleted_keys (
    region TEXT NOT NULL,
    key_id TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    PRIMARY KEY (region, key_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deleted_keys_by_key_id ON deleted_keys (key_id);

  -- sealed_secret NULL: imported key material that is not there (yet, or it expired or was deleted).
  -- backing_key_id: of imported key material a tag over it by the root key, which tells whether the same comes again.
  CREATE TABLE backing_keys (
    region TEXT NOT NULL,
    key_id TEXT NOT NULL,
    backing_key_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    sealed_secret BLOB,
    -- CURRENT, NON_CURRENT, or PENDING_ROTATION (imported, not yet rotated to)
    state TEXT NOT NULL DEFAULT 'CURRENT' CHECK (state IN ('CURRENT', 'NON_CURRENT', 'PENDING_ROTATION')),
    -- how it became current: NULL for the first
    rotation_type TEXT CHECK (rotation_type IN ('AUTOMATIC', 'ON_DEMAND')),
    rotated_at INTEGER,
    description TEXT,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (region, key_id, backing_key_id),
    UNIQUE (region, key_id, generation),
    FOREIGN KEY (region, key_id) REFERENCES keys
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX backing_keys_by_expiry ON backing_keys (expires_at) WHERE expires_at IS NOT NULL;

  -- What GetParametersForImport gave out.
  CREATE TABLE import_parameters (
    region TEXT NOT NULL,
    key_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    wrapping_algorithm TEXT NOT NULL,
    sealed_private_key BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (region, key_id, token_id),
    FOREIGN KEY (region, key_id) REFERENCES keys
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE aliases (
    region TEXT NOT NULL,
    alias_name TEXT NOT NULL,
    key_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- by the root key, over the rest of the row; NULL only in a row from before there were tags
    tag BLOB,
    PRIMARY KEY (region, alias_name),
    FOREIGN KEY (region, key_id) REFERENCES keys
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX aliases_of_key ON aliases (region, key_id, alias_name);

  -- grantee_id, retiring_id: the unique id of the user or role that the ARN named, with the session's name where it named
  -- a session; of the root user the ARN. tag: by the root key, over the rest of the row.
  CREATE TABLE grants (
    region TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    name TEXT,
    grantee_principal TEXT NOT NULL,
    grantee_id TEXT NOT NULL,
    retiring_principal TEXT,
    retiring_id TEXT,
    operations TEXT NOT NULL,
    constraints TEXT,
    created_at INTEGER NOT NULL,
    tag BLOB NOT NULL,
    PRIMARY KEY (region, grant_id),
    FOREIGN KEY (region, key_id) REFERENCES keys
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX grants_of_key ON grants (region, key_id, grant_id);
  CREATE INDEX grants_by_grantee ON grants (region, key_id, grantee_id, grant_id);
  CREATE INDEX grants_by_name ON grants (region, key_id, name) WHERE name IS NOT NULL;
  CREATE INDEX grants_by_retiring_principal ON grants (region, retiring_id, grant_id) WHERE retiring_id IS NOT NULL;

  INSERT INTO keys (region, key_id, description, enabled, policy, created_at)
    SELECT service.region, key_id, description, enabled, policy, keys_1.created_at FROM keys_1, service;
  INSERT INTO backing_keys (region, key_id, backing_key_id, generation, sealed_secret, created_at)
    SELECT service.region, key_id, backing_key_id, generation, sealed_secret, backing_keys_1.created_at
    FROM backing_keys_1, service;
  INSERT INTO aliases (region, alias_name, key_id, created_at, updated_at)
    SELECT service.region, alias_name, key_id, aliases_1.created_at, updated_at FROM aliases_1, service;
  DROP TABLE aliases_1;
  DROP TABLE backing_keys_1;
  DROP TABLE keys_1;

  ALTER TABLE service ADD COLUMN service_id TEXT NOT NULL DEFAULT '';
  UPDATE service SET service_id = lower(hex(randomblob(16)));

  -- 0: key uses are recorded from the beginning.
  ALTER TABLE service ADD COLUMN key_usage_since INTEGER NOT NULL DEFAULT 0;
  UPDATE service SET key_usage_since = unixepoch() * 1000;

  ALTER TABLE users ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE access_keys ADD COLUMN last_used_at INTEGER;
  ALTER TABLE access_keys ADD COLUMN last_used_service TEXT;
  ALTER TABLE access_keys ADD COLUMN last_used_region TEXT;

  CREATE TABLE groups (
    group_id TEXT PRIMARY KEY,
    group_name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    path TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES groups,
    user_id TEXT NOT NULL REFERENCES users,
    PRIMARY KEY (group_id, user_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX groups_of_user ON group_members (user_id);

  CREATE TABLE roles (
    role_id TEXT PRIMARY KEY,
    role_name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    path TEXT NOT NULL,
    description TEXT,
    trust_policy TEXT NOT NULL,
    trust_principals TEXT NOT NULL DEFAULT '{}',
    max_session_seconds INTEGER NOT NULL,
    tags TEXT NOT NULL DEFAULT '{}',
    last_used_at INTEGER,
    last_used_region TEXT,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE managed_policies (
    policy_id TEXT PRIMARY KEY,
    policy_name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    path TEXT NOT NULL,
    description TEXT,
    tags TEXT NOT NULL DEFAULT '{}',
    default_version INTEGER NOT NULL,
    -- the number of the newest version ever made: numbers are not used again
    last_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE managed_policy_versions (
    policy_id TEXT NOT NULL REFERENCES managed_policies,
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (policy_id, version)
  ) STRICT, WITHOUT ROWID;

  -- owner_id: of a user, group or role; unique ids tell them apart by their first letters
  CREATE TABLE inline_policies (
    owner_id TEXT NOT NULL,
    policy_name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (owner_id, policy_name)
  ) STRICT, WITHOUT ROWID;

  -- policy_id: also of a built-in policy, which has no row
  CREATE TABLE attached_policies (
    owner_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    PRIMARY KEY (owner_id, policy_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attachments_of_policy ON attached_policies (policy_id);

  -- tag: by the root key, over all that is stored about a user, group, role or managed policy in the tables above and
  -- in access_keys; with the owner 'all' over all of these tags. When something was last used is left out.
  CREATE TABLE identity_tags (
    owner_id TEXT PRIMARY KEY,
    tag BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- owner: a user's id, 'root' for the account's root user, NULL while it is not enabled for anybody.
  -- last_step: the time step (RFC 6238) of the last code that was accepted; no code up to it is accepted again.
  CREATE TABLE mfa_devices (
    device_name TEXT PRIMARY KEY COLLATE NOCASE,
    path TEXT NOT NULL,
    owner TEXT,
    sealed_seed BLOB NOT NULL,
    last_step INTEGER,
    -- by how many steps the device's clock is ahead of ours (behind: below 0), as ResyncMFADevice found
    drift_steps INTEGER NOT NULL DEFAULT 0,
    tags TEXT NOT NULL DEFAULT '{}',
    enabled_at INTEGER,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX mfa_devices_of_owner ON mfa_devices (owner);

  -- The certificate is PEM, the private key PKCS #8; made when TLS is first asked for without certificate files.
  CREATE TABLE certificate_authority (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    certificate TEXT NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- Temporary credentials. details: JSON, who they speak for and what limits them; sealed_secret is bound to it.
  CREATE TABLE sessions (
    access_key_id TEXT PRIMARY KEY,
    sealed_secret BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    details TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_expiry ON sessions (expires_at);

  -- A record of the audit trail that is on disk: the trail may go on behind it, not end before it.
  -- mac: of the two by a key that is derived from the root key; NULL until the trail is first opened.
  CREATE TABLE audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL,
    mac TEXT
  ) STRICT;
  INSERT INTO audit_head (only, sequence, hash) VALUES (1, 0, '');
  `,
  `
  -- name: the URL without https://. client_ids, thumbprints: JSON, lists of texts. identity_tags tells whether it is whole.
  CREATE TABLE oidc_providers (
    provider_id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    client_ids TEXT NOT NULL,
    thumbprints TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
]
