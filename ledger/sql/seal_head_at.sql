-- read-only
-- The root that was signed for a tree of that size.
SELECT root FROM tree_head WHERE book_id = $1 AND tree_size = $2
