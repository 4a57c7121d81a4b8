-- read-only
-- The complete subtrees of the book's tree that end with the blocks in $2, an array as text.
SELECT s.block_no, s.nodes
  FROM unnest($2::text::int8[]) w (block_no)
 CROSS JOIN LATERAL (SELECT block_no, nodes FROM block_seal
                      WHERE book_id = $1::int4 AND block_no = w.block_no LIMIT 1) s
