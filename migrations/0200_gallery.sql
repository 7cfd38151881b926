-- Public artwork. Nothing here is a member's: prompts of artwork were published by their creators.

-- owner: gallery
CREATE TABLE artwork (
    key           INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    origin        TEXT    NOT NULL CHECK (origin IN ('x', 'here', 'file')),
    title         TEXT    NOT NULL DEFAULT '',
    alt           TEXT    NOT NULL DEFAULT '',
    prompt        TEXT    NOT NULL,
    prompt_lang   TEXT    NOT NULL,
    creator_handle TEXT   NOT NULL DEFAULT '',
    creator_name  TEXT    NOT NULL DEFAULT '',
    source_url    TEXT    NOT NULL DEFAULT '',
    licence       TEXT    NOT NULL DEFAULT '',
    model         TEXT    NOT NULL DEFAULT '',
    category      TEXT    NOT NULL DEFAULT '',
    shape         TEXT    NOT NULL DEFAULT '' CHECK (shape IN ('', 'portrait', 'landscape', 'square')),
    likes         INTEGER NOT NULL DEFAULT 0,
    views         INTEGER NOT NULL DEFAULT 0,
    posted_day    INTEGER NOT NULL DEFAULT 0,
    snapshot_day  INTEGER NOT NULL
) STRICT;
CREATE INDEX artwork_by_day ON artwork (posted_day DESC, key DESC);
CREATE INDEX artwork_by_likes ON artwork (likes DESC, key DESC);

-- owner: gallery
CREATE TABLE artwork_picture (
    record      BLOB    PRIMARY KEY CHECK (length(record) = 16),
    artwork     INTEGER NOT NULL REFERENCES artwork (key) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    placeholder BLOB    NOT NULL,
    pdq         BLOB    NOT NULL,
    dhash       BLOB    NOT NULL,
    UNIQUE (artwork, position)
) STRICT, WITHOUT ROWID;

-- What has been imported already, so that a second run changes nothing.
-- owner: gallery
CREATE TABLE artwork_entry (
    digest  BLOB    PRIMARY KEY CHECK (length(digest) = 32),
    artwork INTEGER NOT NULL REFERENCES artwork (key) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX artwork_entry_by_artwork ON artwork_entry (artwork);
