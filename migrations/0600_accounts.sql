-- The books again, with what is sold and what is owed. Which book may give to which, and why, is a table that every
-- transfer is held against.

-- Site: issued and sold give, spent and expired take, unpaid is what closed accounts have left open. Account: the rest.
-- owner: accounts
CREATE TABLE book_new (
    id          INTEGER PRIMARY KEY,
    account     BLOB    CHECK (account IS NULL OR length(account) = 16),
    kind        TEXT    NOT NULL CHECK (kind IN
        ('issued', 'spent', 'expired', 'sold', 'unpaid', 'daily', 'welcome', 'purchased', 'held', 'owed')),
    balance     INTEGER NOT NULL DEFAULT 0 CHECK (CASE
        WHEN kind IN ('issued', 'sold', 'unpaid') THEN TRUE WHEN kind = 'owed' THEN balance <= 0 ELSE balance >= 0 END),
    -- The day for which the daily book was filled.
    granted_day INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, kind)
) STRICT;
INSERT INTO book_new SELECT * FROM book;
INSERT INTO book_new (account, kind) VALUES (NULL, 'sold'), (NULL, 'unpaid');
INSERT INTO book_new (account, kind) SELECT account, 'owed' FROM book WHERE kind = 'held' AND account IS NOT NULL;

-- owner: accounts
CREATE TABLE transfer_new (
    id     INTEGER PRIMARY KEY,
    debit  INTEGER NOT NULL REFERENCES book_new (id),
    credit INTEGER NOT NULL REFERENCES book_new (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT    NOT NULL,
    hold   BLOB    CHECK (hold IS NULL OR length(hold) = 16),
    day    INTEGER NOT NULL,
    CHECK (debit <> credit),
    CHECK ((hold IS NOT NULL) = (reason IN ('hold', 'capture', 'release')))
) STRICT;
INSERT INTO transfer_new SELECT * FROM transfer;
DROP TABLE transfer;
DROP TABLE book;
ALTER TABLE book_new RENAME TO book;
ALTER TABLE transfer_new RENAME TO transfer;
CREATE INDEX transfer_by_hold ON transfer (hold) WHERE hold IS NOT NULL;
CREATE INDEX transfer_by_debit ON transfer (debit);
CREATE INDEX transfer_by_credit ON transfer (credit);

-- owner: accounts
CREATE TABLE flow (
    reason TEXT NOT NULL,
    debit  TEXT NOT NULL,
    credit TEXT NOT NULL,
    PRIMARY KEY (reason, debit, credit)
) STRICT, WITHOUT ROWID;
INSERT INTO flow (reason, debit, credit) VALUES
    ('daily',    'issued',    'daily'),
    ('welcome',  'issued',    'welcome'),
    ('grant',    'issued',    'purchased'), ('grant',    'issued',    'owed'),
    ('voucher',  'issued',    'purchased'), ('voucher',  'issued',    'owed'),
    ('purchase', 'sold',      'purchased'), ('purchase', 'sold',      'owed'), ('purchase', 'sold',   'unpaid'),
    ('purchase', 'purchased', 'sold'),      ('purchase', 'owed',      'sold'), ('purchase', 'unpaid', 'sold'),
    ('refund',   'sold',      'purchased'), ('refund',   'sold',      'owed'), ('refund',   'sold',   'unpaid'),
    ('refund',   'purchased', 'sold'),      ('refund',   'owed',      'sold'), ('refund',   'unpaid', 'sold'),
    ('dispute',  'sold',      'purchased'), ('dispute',  'sold',      'owed'), ('dispute',  'sold',   'unpaid'),
    ('dispute',  'purchased', 'sold'),      ('dispute',  'owed',      'sold'), ('dispute',  'unpaid', 'sold'),
    ('settle',   'purchased', 'owed'),
    ('hold',     'daily',     'held'),      ('hold',     'welcome',   'held'), ('hold',     'purchased', 'held'),
    ('capture',  'held',      'spent'),
    ('release',  'held',      'daily'),     ('release',  'held',      'welcome'), ('release', 'held', 'purchased'),
    ('release',  'held',      'expired'),
    ('expire',   'daily',     'expired'),
    ('forfeit',  'daily',     'expired'),   ('forfeit',  'welcome',   'expired'), ('forfeit', 'purchased', 'expired'),
    ('forfeit',  'unpaid',    'owed');

CREATE TRIGGER transfer_flows BEFORE INSERT ON transfer WHEN NOT EXISTS (
    SELECT 1 FROM book d, book c, flow f WHERE d.id = new.debit AND c.id = new.credit
        AND f.reason = new.reason AND f.debit = d.kind AND f.credit = c.kind
        AND (d.account IS c.account OR d.account IS NULL OR c.account IS NULL))
BEGIN SELECT raise(ABORT, 'credits do not move this way'); END;
CREATE TRIGGER transfer_moves_balances AFTER INSERT ON transfer BEGIN
    UPDATE book SET balance = balance - new.amount WHERE id = new.debit;
    UPDATE book SET balance = balance + new.amount WHERE id = new.credit;
END;
CREATE TRIGGER transfer_stays BEFORE UPDATE ON transfer BEGIN SELECT raise(ABORT, 'transfers are not changed'); END;
CREATE TRIGGER transfer_remains BEFORE DELETE ON transfer BEGIN SELECT raise(ABORT, 'transfers are not deleted'); END;
CREATE TRIGGER book_remains BEFORE DELETE ON book BEGIN SELECT raise(ABORT, 'books are not deleted'); END;

-- Until when a hold waits for its end, in seconds since 1970; whoever works for it moves this on.
ALTER TABLE hold ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER hold_ends_once BEFORE UPDATE OF state ON hold WHEN old.state <> 'open'
BEGIN SELECT raise(ABORT, 'a hold ends once'); END;

-- What the books were like at the end of each day: a keyed digest of every transfer up to then and of the proof before it,
-- so that nothing of the past can be rewritten unseen.
-- owner: accounts
CREATE TABLE ledger_proof (
    day    INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL,
    digest BLOB    NOT NULL CHECK (length(digest) = 32)
) STRICT;
CREATE TRIGGER ledger_proof_stays BEFORE UPDATE ON ledger_proof BEGIN SELECT raise(ABORT, 'proofs are not changed'); END;
CREATE TRIGGER ledger_proof_remains BEFORE DELETE ON ledger_proof BEGIN SELECT raise(ABORT, 'proofs are not deleted'); END;
