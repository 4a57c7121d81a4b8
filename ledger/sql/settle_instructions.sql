-- read-only
-- What we know of payments of a book that a bank speaks of ($2: the bank, $3: payouts): its own, and handed out.
SELECT p.payout_id, p.net, p.dst_ccy
  FROM unnest($3::int8[]) AS i (payout_id)
  JOIN payout p ON p.book_id = $1::int4 AND p.payout_id = i.payout_id
 WHERE p.bank_id = $2::int2 AND p.payout_id <= handed_out_upto($1::int4, $2::int2)
