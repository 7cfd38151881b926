-- The key tree: nodes sealed under keys that their parents hold, the first under the root, which is in no row.

-- owner: platform
CREATE TABLE key_state (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    epoch  INTEGER NOT NULL,
    places INTEGER NOT NULL
) STRICT;

-- owner: platform
CREATE TABLE key_node (
    number INTEGER PRIMARY KEY,
    sealed BLOB    NOT NULL
) STRICT;

-- Where the leaf of a record stands, and whose leaf has to be there as well.
-- owner: platform
CREATE TABLE key_leaf (
    record BLOB    PRIMARY KEY CHECK (length(record) = 16),
    place  INTEGER NOT NULL,
    owner  BLOB    CHECK (owner IS NULL OR length(owner) = 16)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_leaf_by_owner ON key_leaf (owner) WHERE owner IS NOT NULL;

-- Places of erased leaves, to be used again.
-- owner: platform
CREATE TABLE key_free (
    place INTEGER PRIMARY KEY
) STRICT;

-- Erased records whose files have not been overwritten and unlinked yet.
-- owner: platform
CREATE TABLE sweep (
    record BLOB PRIMARY KEY CHECK (length(record) = 16)
) STRICT, WITHOUT ROWID;
