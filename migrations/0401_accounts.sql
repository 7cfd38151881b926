-- What a row says of a member is sealed under the key of its account. No release was made with the tables before, and a
-- folder of that time is refused before it is touched.
DROP TABLE api_key;
DROP TABLE session;
DROP TABLE account;

-- owner: accounts
CREATE TABLE account (
    id             BLOB    PRIMARY KEY CHECK (length(id) = 16),
    address_sealed BLOB    NOT NULL,
    created_day    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- owner: accounts
CREATE TABLE session (
    id          BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account     BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    token_print BLOB    NOT NULL UNIQUE CHECK (length(token_print) = 32),
    created_day INTEGER NOT NULL,
    used_day    INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_account ON session (account);

-- owner: accounts
CREATE TABLE api_key (
    id          BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account     BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name_sealed BLOB    NOT NULL,
    token_print BLOB    NOT NULL UNIQUE CHECK (length(token_print) = 32),
    hint        TEXT    NOT NULL,
    created_day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_key_by_account ON api_key (account);
