"""The tables of the database, and the triggers that tell which scopes a change touches."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS repository (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at REAL NOT NULL,
    settings TEXT NOT NULL,
    policy TEXT,
    UNIQUE (account_id, region, name)
);

CREATE TABLE IF NOT EXISTS registry_setting (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS catalog ( -- of a public repository; see catalog.py
    repository_id INTEGER PRIMARY KEY REFERENCES repository ON DELETE CASCADE,
    data TEXT NOT NULL, -- as JSON
    logo_id TEXT UNIQUE,
    logo BLOB
);

CREATE TABLE IF NOT EXISTS layer (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    images INTEGER NOT NULL DEFAULT 0, -- how many use it: an index by layer would cost each put a page for each layer
    media_type TEXT, -- what the newest of them calls it
    has_bytes INTEGER NOT NULL DEFAULT 1, -- 0: it came with a history (backfill.py), and nobody has pushed it since
    UNIQUE (repository_id, digest)
);
CREATE INDEX IF NOT EXISTS layer_by_digest ON layer (digest);

CREATE TABLE IF NOT EXISTS image (
    id INTEGER PRIMARY KEY, -- in the order of the pushes; that of a deleted last image may come again
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT,
    subject TEXT,
    size INTEGER NOT NULL,
    pushed_at REAL NOT NULL,
    pulled_at REAL,
    archived INTEGER NOT NULL DEFAULT 0, -- see archive.py
    archived_at REAL,
    activated_at REAL, -- when its last restore is over
    orphaned_at REAL, -- when its subject was deleted
    layers TEXT NOT NULL, -- the ids of those it uses, as JSON: a table of them would cost each put a page
    manifest BLOB NOT NULL,
    UNIQUE (repository_id, digest)
);
CREATE INDEX IF NOT EXISTS image_by_subject ON image (repository_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX IF NOT EXISTS image_once_archived ON image (repository_id) WHERE archived_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS image_orphaned ON image (orphaned_at) WHERE orphaned_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS tag (
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    name TEXT NOT NULL,
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    place INTEGER NOT NULL, -- tags of an image, in the order in which they came to it
    PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tag_by_image ON tag (image_id, place);

CREATE TABLE IF NOT EXISTS cached_tag ( -- see pull_through_cache.py: a tag as it came from upstream
    repository_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    validated_at REAL NOT NULL,
    PRIMARY KEY (repository_id, name),
    FOREIGN KEY (repository_id, name) REFERENCES tag ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS image_child (
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    child_id INTEGER NOT NULL REFERENCES image,
    PRIMARY KEY (image_id, child_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS image_by_child ON image_child (child_id);

CREATE TABLE IF NOT EXISTS replication ( -- see replication.py: one copy of a pushed image to one destination
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    account_id TEXT NOT NULL, -- of the destination
    region TEXT NOT NULL,
    tags TEXT NOT NULL, -- as JSON
    status TEXT NOT NULL,
    failure TEXT
);
CREATE INDEX IF NOT EXISTS replication_by_image ON replication (image_id);
CREATE INDEX IF NOT EXISTS replication_under_way ON replication (id) WHERE status = 'IN_PROGRESS';

CREATE TABLE IF NOT EXISTS replication_backfill ( -- see replication_backfill.py
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    to_account TEXT NOT NULL,
    to_region TEXT NOT NULL,
    status TEXT NOT NULL,
    failure TEXT,
    started_at REAL NOT NULL,
    ended_at REAL
);

CREATE TABLE IF NOT EXISTS replication_backfill_result (
    backfill INTEGER NOT NULL REFERENCES replication_backfill ON DELETE CASCADE,
    place INTEGER NOT NULL,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    tag TEXT,
    is_index INTEGER NOT NULL,
    status TEXT NOT NULL,
    failure TEXT,
    PRIMARY KEY (backfill, place)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS scan ( -- the last of each type; see scans.py
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    scan_type TEXT NOT NULL,
    at REAL NOT NULL,
    told_until REAL NOT NULL,
    PRIMARY KEY (image_id, scan_type)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS inventory ( -- what is in an image, for all images of this digest
    digest TEXT PRIMARY KEY,
    contents TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS lifecycle ( -- see lifecycle_policies.py
    repository_id INTEGER PRIMARY KEY REFERENCES repository ON DELETE CASCADE,
    policy TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    policy_version INTEGER NOT NULL,
    evaluated_at REAL,
    refused TEXT NOT NULL DEFAULT '' -- what the last run could not delete
);

CREATE TABLE IF NOT EXISTS lifecycle_preview (
    repository_id INTEGER PRIMARY KEY REFERENCES repository ON DELETE CASCADE,
    policy TEXT NOT NULL,
    at REAL NOT NULL,
    polled INTEGER NOT NULL DEFAULT 0,
    results TEXT NOT NULL,
    summary TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS trail ( -- see trail.py; like the history it outlives its repositories
    id INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    at REAL NOT NULL,
    document TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS api_call ( -- see trail.py
    id INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    at REAL NOT NULL,
    source TEXT NOT NULL,
    event TEXT NOT NULL,
    owner TEXT NOT NULL,
    caller_account TEXT NOT NULL,
    caller TEXT NOT NULL,
    access_key TEXT NOT NULL,
    agent TEXT NOT NULL,
    request_id TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT,
    error TEXT,
    message TEXT
);

CREATE TABLE IF NOT EXISTS kms_key ( -- see kms_keys.py
    arn TEXT PRIMARY KEY,
    document TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS history ( -- see tag_history.py; by name, because it outlives its repositories; without an
    id INTEGER PRIMARY KEY,          -- index, because it is written with each put and read by few
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    at REAL NOT NULL,
    what TEXT NOT NULL,
    tag TEXT,
    before TEXT,
    after TEXT,
    by TEXT NOT NULL
);
"""

TOUCHES = """
CREATE TEMP TRIGGER repository_made AFTER INSERT ON repository BEGIN
    SELECT touches(NEW.account_id, NEW.region, NEW.name);
END;
CREATE TEMP TRIGGER repository_changed AFTER UPDATE ON repository BEGIN
    SELECT touches(NEW.account_id, NEW.region, NEW.name);
END;
CREATE TEMP TRIGGER repository_deleted AFTER DELETE ON repository BEGIN
    SELECT touches(OLD.account_id, OLD.region, OLD.name), touches(OLD.id);
END;
CREATE TEMP TRIGGER setting_made AFTER INSERT ON registry_setting BEGIN
    SELECT touches(NEW.account_id, NEW.region);
END;
CREATE TEMP TRIGGER setting_changed AFTER UPDATE ON registry_setting BEGIN
    SELECT touches(NEW.account_id, NEW.region);
END;
CREATE TEMP TRIGGER setting_deleted AFTER DELETE ON registry_setting BEGIN
    SELECT touches(OLD.account_id, OLD.region);
END;
CREATE TEMP TRIGGER layer_changed AFTER UPDATE OF size, media_type, has_bytes ON layer BEGIN
    SELECT touches(NEW.repository_id);
END;
CREATE TEMP TRIGGER layer_deleted AFTER DELETE ON layer BEGIN
    SELECT touches(OLD.repository_id);
END;
CREATE TEMP TRIGGER image_archived_or_restored AFTER UPDATE OF archived, archived_at, activated_at ON image BEGIN
    SELECT touches(NEW.repository_id);
END;
CREATE TEMP TRIGGER image_deleted AFTER DELETE ON image BEGIN
    SELECT touches(OLD.repository_id);
END;
CREATE TEMP TRIGGER kms_key_made AFTER INSERT ON kms_key BEGIN
    SELECT touches('kms keys');
END;
CREATE TEMP TRIGGER kms_key_changed AFTER UPDATE ON kms_key BEGIN
    SELECT touches('kms keys'), touches('kms key', NEW.arn);
END;
CREATE TEMP TRIGGER kms_key_deleted AFTER DELETE ON kms_key BEGIN
    SELECT touches('kms keys'), touches('kms key', OLD.arn);
END;
"""
"""Which rows touch which scope. A push touches none: it adds rows, and absence is never remembered.

(account, Region, name)   a repository: that it exists, its settings and policy
(account, Region)         the settings of a registry
(repository id,)          the layers of a repository, and whether an archived image hides them
('kms keys',)             all keys of KMS, with their grants
('kms key', ARN)          one of them
"""
