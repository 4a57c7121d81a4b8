-- read-only
-- What the items of the batch $2 of the book $1 come to now, one row a state (ledger/batch.h: enum batch_item_state) and target currency (NULL where there is
-- no payout).
WITH told AS MATERIALIZED (
    SELECT k.bank_id, coalesce(h.last_payout_id, 0) AS upto
      FROM bank k
      LEFT JOIN LATERAL (SELECT last_payout_id FROM handout WHERE book_id = $1::int4 AND bank_id = k.bank_id
                          ORDER BY last_payout_id DESC LIMIT 1) h ON true
), item AS (
    SELECT i.gross, p.fee, p.net, p.dst_ccy,
           coalesce(t.state, CASE WHEN p.payout_id IS NOT NULL THEN CASE WHEN d.order_no = 9223372036854775807 THEN 2
                                                                       WHEN coalesce(d.order_no, p.payout_id) <= told.upto THEN 3 ELSE 1 END
                                  WHEN e.outcome IS NOT NULL THEN 99 + e.outcome WHEN i.unclaimed_id IS NOT NULL THEN 8 ELSE 103 END) AS state
      FROM payout_batch_item i
      LEFT JOIN LATERAL (SELECT * FROM unclaimed_end WHERE book_id = i.book_id AND unclaimed_id = i.unclaimed_id LIMIT 1) e ON true
      LEFT JOIN LATERAL (SELECT * FROM payout WHERE book_id = i.book_id AND payout_id = coalesce(i.payout_id, e.payout_id) LIMIT 1) p ON true
      LEFT JOIN LATERAL (SELECT state FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                          ORDER BY step DESC LIMIT 1) t ON true
      LEFT JOIN LATERAL (SELECT order_no FROM payout_hold_last l WHERE l.book_id = p.book_id AND l.payout_id = p.payout_id LIMIT 1) d ON true
      LEFT JOIN told ON told.bank_id = p.bank_id
     WHERE i.book_id = $1::int4 AND i.batch_id = $2::int8
)
SELECT state::int2, dst_ccy, count(*) AS items, sum(gross)::int8 AS gross, coalesce(sum(fee), 0)::int8 AS fee, coalesce(sum(net), 0)::int8 AS net
  FROM item GROUP BY state, dst_ccy ORDER BY state, dst_ccy
