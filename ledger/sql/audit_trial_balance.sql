-- read-only
-- Every account of the book $1 (0: of all books) as of $2: its last balance of a block committed by then.
SELECT b.code AS book_code, a.code, a.type::text, a.ccy, last.balance
  FROM book b
 CROSS JOIN LATERAL (SELECT block_upto(b.book_id, $2::timestamptz) AS block_no) upto
  JOIN account a ON a.book_id = b.book_id AND a.created_at <= $2::timestamptz
 CROSS JOIN LATERAL (SELECT v.balance FROM account_balance v
                      WHERE v.book_id = a.book_id AND v.account_id = a.account_id AND v.block_no <= upto.block_no
                      ORDER BY v.block_no DESC LIMIT 1) last
 WHERE $1::int4 IN (0, b.book_id)
 ORDER BY b.code, a.code
