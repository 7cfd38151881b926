-- Who of the operator's looked at an account, and why. A look goes with its account, and says nothing of what was seen.
-- owner: accounts
CREATE TABLE look (
    id      BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind    TEXT    NOT NULL CHECK (kind IN ('inquiry', 'disclosure')),
    reason  TEXT    NOT NULL CHECK (reason IN ('own-request', 'support', 'court-order', 'authority-order')),
    day     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX look_by_account ON look (account, day);

-- How often accounts were disclosed, for everyone to see. It leads to no account, and stays when one goes.
-- owner: accounts
CREATE TABLE disclosure_count (
    year   INTEGER NOT NULL,
    reason TEXT    NOT NULL CHECK (reason IN ('own-request', 'support', 'court-order', 'authority-order')),
    count  INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (year, reason)
) STRICT, WITHOUT ROWID;

-- Vouchers, by the keyed fingerprints of their codes. A row says neither who has used it nor when.
-- owner: accounts
CREATE TABLE voucher (
    code_print  BLOB    PRIMARY KEY CHECK (length(code_print) = 32),
    credits     INTEGER NOT NULL CHECK (credits > 0),
    state       TEXT    NOT NULL CHECK (state IN ('open', 'used', 'voided')),
    expires_day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
