-- Accounts hold no address: it is found again by a keyed fingerprint.

-- owner: accounts
CREATE TABLE account (
    id            BLOB    PRIMARY KEY CHECK (length(id) = 16),
    address_print BLOB    NOT NULL UNIQUE CHECK (length(address_print) = 32),
    created_day   INTEGER NOT NULL
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
    name        TEXT    NOT NULL,
    token_print BLOB    NOT NULL UNIQUE CHECK (length(token_print) = 32),
    hint        TEXT    NOT NULL,
    created_day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_key_by_account ON api_key (account);

-- The ledger: every credit moves from one book to another. Books of a closed account lose their owner and stay.

-- owner: accounts
CREATE TABLE book (
    id      INTEGER PRIMARY KEY,
    account BLOB    CHECK (account IS NULL OR length(account) = 16),
    kind    TEXT    NOT NULL CHECK (kind IN ('daily', 'welcome', 'purchased', 'held', 'issued', 'spent', 'expired')),
    balance INTEGER NOT NULL DEFAULT 0 CHECK (kind = 'issued' OR balance >= 0),
    granted_day INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, kind)
) STRICT;

-- owner: accounts
CREATE TABLE transfer (
    id     INTEGER PRIMARY KEY,
    debit  INTEGER NOT NULL REFERENCES book (id),
    credit INTEGER NOT NULL REFERENCES book (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT    NOT NULL CHECK (reason IN ('grant', 'daily', 'expire', 'hold', 'capture', 'release')),
    hold   BLOB    CHECK (hold IS NULL OR length(hold) = 16),
    day    INTEGER NOT NULL,
    CHECK (debit <> credit)
) STRICT;
CREATE INDEX transfer_by_hold ON transfer (hold) WHERE hold IS NOT NULL;
CREATE INDEX transfer_by_debit ON transfer (debit);
CREATE INDEX transfer_by_credit ON transfer (credit);
CREATE TRIGGER transfer_moves_balances AFTER INSERT ON transfer BEGIN
    UPDATE book SET balance = balance - new.amount WHERE id = new.debit;
    UPDATE book SET balance = balance + new.amount WHERE id = new.credit;
END;
CREATE TRIGGER transfer_stays BEFORE UPDATE ON transfer BEGIN SELECT raise(ABORT, 'transfers are not changed'); END;
CREATE TRIGGER transfer_remains BEFORE DELETE ON transfer BEGIN SELECT raise(ABORT, 'transfers are not deleted'); END;

-- owner: accounts
CREATE TABLE hold (
    id      BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account BLOB    CHECK (account IS NULL OR length(account) = 16),
    state   TEXT    NOT NULL CHECK (state IN ('open', 'captured', 'released'))
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_open ON hold (state) WHERE state = 'open';

INSERT INTO book (account, kind) VALUES (NULL, 'issued'), (NULL, 'spent'), (NULL, 'expired');
