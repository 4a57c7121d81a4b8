-- read-only
-- The books in which something waits to be handed out to a bank, and the last number that each has given.
SELECT b.book_id, h.next_seq - 1
  FROM book b JOIN book_head h USING (book_id)
 WHERE EXISTS (SELECT 1 FROM bank_payouts_after(b.book_id, $1::int2, handed_out_upto(b.book_id, $1::int2), 1))
 ORDER BY b.book_id
