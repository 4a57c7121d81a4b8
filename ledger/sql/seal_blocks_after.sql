-- read-only
-- Blocks that come after $2, up to $3, at most $4.
SELECT block_no, first_seq, last_seq, committed_at FROM block
 WHERE book_id = $1 AND block_no > $2 AND block_no <= $3 ORDER BY block_no LIMIT $4
