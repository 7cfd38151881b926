-- What an API key may do, until when, and when it was last used, by day. Keys of before may do everything, as they could.
ALTER TABLE api_key ADD COLUMN scopes INTEGER NOT NULL DEFAULT 7 CHECK (scopes BETWEEN 1 AND 7);
ALTER TABLE api_key ADD COLUMN last_day INTEGER CHECK (last_day >= created_day);
ALTER TABLE api_key ADD COLUMN used_day INTEGER;
