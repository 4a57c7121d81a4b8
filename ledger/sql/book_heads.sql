-- read-only
-- How far every book has come: what pollers look at. As book 0 what else they wait for, which is in no book: the numbers of banks'
-- questions and of their open windows.
SELECT h.book_id, h.next_seq FROM book_head h
 UNION ALL
SELECT 0, (SELECT coalesce(sum(last_question), 0) FROM bank)::int8 + (SELECT coalesce(sum(window_no), 0) FROM bank_head)::int8
 ORDER BY 1
