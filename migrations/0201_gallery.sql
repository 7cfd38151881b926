-- Whether the search index holds this artwork as it stands here; a crash between the two leaves 0, and the next start
-- indexes it again.
ALTER TABLE artwork ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0 CHECK (indexed IN (0, 1));
CREATE INDEX artwork_to_index ON artwork (key) WHERE indexed = 0;
