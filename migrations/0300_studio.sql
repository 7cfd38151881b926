-- Members' generations. No prompt is stored anywhere; pictures are sealed blobs under the record's key.

-- owner: studio
CREATE TABLE generation (
    id            BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account       BLOB    NOT NULL CHECK (length(account) = 16),
    hold          BLOB    NOT NULL CHECK (length(hold) = 16),
    state         TEXT    NOT NULL CHECK (state IN ('processing', 'completed', 'failed')),
    failure       TEXT    NOT NULL DEFAULT '',
    model         TEXT    NOT NULL,
    ratio         TEXT    NOT NULL,
    width         INTEGER NOT NULL,
    height        INTEGER NOT NULL,
    credits       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    placeholder   BLOB    NOT NULL DEFAULT x'',
    request_print BLOB    UNIQUE CHECK (request_print IS NULL OR length(request_print) = 32),
    inputs_print  BLOB    CHECK (inputs_print IS NULL OR length(inputs_print) = 32)
) STRICT, WITHOUT ROWID;
CREATE INDEX generation_by_account ON generation (account, created_at DESC);

-- Request ids of erased generations, as keyed fingerprints, so that a replay is told that it is gone.
-- owner: studio
CREATE TABLE erased_request (
    request_print BLOB    PRIMARY KEY CHECK (length(request_print) = 32),
    erased_day    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Reference pictures wait here for at most 24 hours.
-- owner: studio
CREATE TABLE reference (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account    BLOB    NOT NULL CHECK (length(account) = 16),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_by_account ON reference (account);
