-- read-only
SELECT book_id, code FROM book ORDER BY book_id;
