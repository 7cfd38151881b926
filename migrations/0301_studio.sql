-- A glimpse of a member's picture is a picture of theirs, and nothing showed it.
ALTER TABLE generation DROP COLUMN placeholder;
