-- read-only
-- The account $2 of the book $1 (codes), and its balance at the end of the block before the first one committed
-- after $3.
SELECT a.book_id, a.account_id, a.ccy,
       (SELECT v.balance FROM account_balance v
         WHERE v.book_id = a.book_id AND v.account_id = a.account_id AND v.block_no <= block_upto(a.book_id, $3::timestamptz)
         ORDER BY v.block_no DESC LIMIT 1) AS opening
  FROM account a JOIN book b USING (book_id)
 WHERE b.code = $1::text AND a.code = $2::text
