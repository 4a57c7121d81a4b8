-- read-only
-- The complete subtree of 2^$3 blocks that ends with block $2.
SELECT substring(nodes, 32 * $3::integer + 1, 32) FROM block_seal WHERE book_id = $1 AND block_no = $2
