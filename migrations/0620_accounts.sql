-- Purchases hold what tax law asks for, and no identity: once the account is closed, nobody knows whose they were.

-- owner: accounts
CREATE TABLE purchase (
    id       BLOB    PRIMARY KEY CHECK (length(id) = 16),
    account  BLOB    CHECK (account IS NULL OR length(account) = 16),
    credits  INTEGER NOT NULL CHECK (credits > 0),
    amount   INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT    NOT NULL CHECK (length(currency) = 3),
    session  TEXT    NOT NULL UNIQUE,
    intent   TEXT    UNIQUE,
    -- Credits that the ledger has moved for it so far.
    given    INTEGER NOT NULL DEFAULT 0 CHECK (given BETWEEN 0 AND credits),
    day      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX purchase_by_account ON purchase (account) WHERE account IS NOT NULL;

-- What the payment processor has told, of which the books are a function; its words are not kept.

-- owner: accounts
CREATE TABLE payment_event (
    id       TEXT    PRIMARY KEY,
    type     TEXT    NOT NULL,
    object   TEXT    NOT NULL,
    intent   TEXT,
    state    TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    currency TEXT    NOT NULL CHECK (length(currency) = 3),
    day      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_event_by_object ON payment_event (object);
CREATE INDEX payment_event_by_intent ON payment_event (intent) WHERE intent IS NOT NULL;
