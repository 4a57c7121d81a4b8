-- read-only
-- What we know of payments of a book that a bank speaks of ($2: the bank, $3: payouts): its own, and handed out. The place of each
-- among those asked for, from 1. (One by one, by the key: LIMIT keeps a generic plan from joining all there is.)
SELECT i.ord, p.net, p.dst_ccy
  FROM unnest($3::int8[]) WITH ORDINALITY AS i (payout_id, ord)
 CROSS JOIN LATERAL (SELECT q.net, q.dst_ccy, q.bank_id FROM payout q
                      WHERE q.book_id = $1::int4 AND q.payout_id = i.payout_id LIMIT 1) p
 WHERE p.bank_id = $2::int2 AND order_number($1::int4, i.payout_id) <= (SELECT handed_out_upto($1::int4, $2::int2))
