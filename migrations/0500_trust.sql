-- What everyone may see of a day that is over, noise included. A day is written once: a second drawing of noise would tell
-- more than the first, so what is there already stays.
-- owner: trust
CREATE TABLE statistic (
    day    INTEGER NOT NULL,
    event  TEXT    NOT NULL,
    -- None where it is too small to be shown.
    count  INTEGER CHECK (count > 0),
    -- 0 for a day that a restart has cut.
    whole  INTEGER NOT NULL CHECK (whole IN (0, 1)),
    -- The budget that this day has spent.
    budget INTEGER NOT NULL,
    PRIMARY KEY (day, event)
) STRICT, WITHOUT ROWID;
