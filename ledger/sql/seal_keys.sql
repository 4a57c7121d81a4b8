-- read-only
-- A book's keys, each in force from its block on.
SELECT from_block, key_id, public_key FROM log_key WHERE book_id = $1 ORDER BY from_block
