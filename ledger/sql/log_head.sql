-- read-only
-- How far the log of the book $1 is: blocks committed and sealed, whether it has a key at all, and the signed head of the
-- tree of $2 blocks (0: the newest; one of another size if that was not signed).
SELECT (SELECT next_block - 1 FROM book_head WHERE book_id = $1::int4) AS committed,
       (SELECT coalesce(max(block_no), 0) FROM block_seal WHERE book_id = $1::int4) AS sealed,
       EXISTS (SELECT FROM log_key WHERE book_id = $1::int4) AS has_key,
       h.tree_size, h.root, h.signed_at, h.key_id, h.signature
  FROM (SELECT CASE WHEN $2::int8 = 0 THEN 9223372036854775807 ELSE $2::int8 END AS size) asked
  LEFT JOIN LATERAL (SELECT * FROM tree_head WHERE book_id = $1::int4 AND tree_size <= asked.size
                      ORDER BY tree_size DESC LIMIT 1) h ON true
