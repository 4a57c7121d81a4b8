-- read-only
-- The books in which something waits to be handed out to a bank.
SELECT b.book_id FROM book b
 WHERE EXISTS (SELECT 1 FROM bank_payouts_after(b.book_id, $1::int2, handed_out_upto(b.book_id, $1::int2), 1))
 ORDER BY b.book_id
