-- read-only
-- A book's last seal and its block: what the next one follows.
SELECT s.block_no, b.first_seq, b.last_seq, b.committed_at, s.journal_root, s.nodes, s.leaves, s.key_id, s.signature
  FROM block_seal s LEFT JOIN block b USING (book_id, block_no)
 WHERE s.book_id = $1 ORDER BY s.block_no DESC LIMIT 1
