-- read-only
SELECT b.book_id FROM book b WHERE b.code = $1::text
