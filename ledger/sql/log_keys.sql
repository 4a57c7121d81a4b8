-- read-only
-- The keys of the book $1, each with the signature that brought it into force.
SELECT key_id, public_key, from_block, created_at, signed_by, signature
  FROM log_key WHERE book_id = $1::int4 ORDER BY from_block
