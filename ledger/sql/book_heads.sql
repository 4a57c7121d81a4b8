-- read-only
-- How far every book has come: what pollers look at.
SELECT h.book_id, h.next_seq FROM book_head h ORDER BY h.book_id
