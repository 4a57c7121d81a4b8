-- read-only
-- How far every book has come, for the sealer.
SELECT h.book_id, b.code, h.next_block - 1 FROM book_head h JOIN book b USING (book_id) ORDER BY h.book_id
