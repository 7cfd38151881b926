-- What a generation is like is sealed under its key; a row shows only whose it is, how far it is and when it was made.
DROP TABLE generation;

-- owner: studio
CREATE TABLE generation (
    id             BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account        BLOB    NOT NULL CHECK (length(account) = 16),
    hold           BLOB    NOT NULL CHECK (length(hold) = 16),
    state          TEXT    NOT NULL CHECK (state IN ('processing', 'completed', 'failed')),
    details_sealed BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    request_print  BLOB    UNIQUE CHECK (request_print IS NULL OR length(request_print) = 32),
    inputs_print   BLOB    CHECK (inputs_print IS NULL OR length(inputs_print) = 32)
) STRICT, WITHOUT ROWID;
CREATE INDEX generation_by_account ON generation (account, created_at DESC);
