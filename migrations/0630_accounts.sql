-- Passkeys: a row is found by the keyed fingerprint of the credential's id; what else is kept of it is sealed.

-- owner: accounts
CREATE TABLE passkey (
    id               BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account          BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    credential_print BLOB    NOT NULL UNIQUE CHECK (length(credential_print) = 32),
    key_sealed       BLOB    NOT NULL,
    name_sealed      BLOB    NOT NULL,
    created_day      INTEGER NOT NULL,
    used_day         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_by_account ON passkey (account);

-- How a session began, and the day of a sign-in elsewhere that it has not been told was its owner's.
ALTER TABLE session ADD COLUMN began TEXT NOT NULL DEFAULT 'code' CHECK (began IN ('code', 'passkey'));
ALTER TABLE session ADD COLUMN notice_day INTEGER;
