-- The public log of deletions: commitments only, in bundles of 256 that are filled up with random entries, one an hour
-- whatever happens, so that nobody can count.

-- Commitments that wait for the next bundle.
-- owner: platform
CREATE TABLE log_pending (
    commitment BLOB PRIMARY KEY CHECK (length(commitment) = 32)
) STRICT, WITHOUT ROWID;

-- owner: platform
CREATE TABLE log_bundle (
    number  INTEGER PRIMARY KEY,
    hour    INTEGER NOT NULL,
    entries BLOB    NOT NULL CHECK (length(entries) = 8192),
    head    BLOB    NOT NULL CHECK (length(head) = 32)
) STRICT;
