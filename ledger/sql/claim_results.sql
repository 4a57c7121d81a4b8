-- read-only
-- What became of what was set aside in the book $1 under the numbers $2, in their order: the page that a claim ends with. Of those that
-- are not claimed payout_id is NULL.
SELECT u.batch_id, u.item_no, u.ccy, u.gross, e.payout_id, p.net, p.dst_ccy
  FROM unnest($2::int8[]) WITH ORDINALITY x (id, ord)
  JOIN unclaimed u ON u.book_id = $1::int4 AND u.unclaimed_id = x.id
  LEFT JOIN unclaimed_end e ON e.book_id = u.book_id AND e.unclaimed_id = u.unclaimed_id AND e.outcome = 1
  LEFT JOIN LATERAL (SELECT net, dst_ccy FROM payout WHERE book_id = e.book_id AND payout_id = e.payout_id LIMIT 1) p ON true
 ORDER BY x.ord
