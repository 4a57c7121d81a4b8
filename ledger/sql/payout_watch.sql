-- read-only
-- What happened to a book's payouts after the event ($2 seq, $3 payout), in the book's sequence, at most $4 events.
-- A hand-out is one journal and many events; the seqs of the others are their own. How many events a hand-out makes is
-- not known before its payouts are read, only that they are at most as many as the numbers it spans: hand-outs are
-- taken while these spans fill the page, and the first that is left out ends it. Within a hand-out events are in its bank's order, by which
-- it is also read on. A row without payout says how far
-- the page looked then, since it may hold few events or none.
WITH span AS (
    SELECT h.*, greatest(h.prev_payout_id, CASE WHEN h.seq = $2::int8 THEN order_number($1::int4, $3::int8) END) AS after_payout_id
      FROM handout h
     WHERE h.book_id = $1::int4 AND h.seq >= $2::int8
       AND NOT (h.seq = $2::int8 AND h.last_payout_id <= order_number($1::int4, $3::int8))
     ORDER BY h.seq
     LIMIT $4::int4 + 1
), filled AS (
    SELECT s.*, sum(s.last_payout_id - s.after_payout_id) OVER (ORDER BY s.seq)
                - (s.last_payout_id - s.after_payout_id) AS events_before
      FROM span s
), horizon AS (
    SELECT min(seq) - 1 AS seq FROM filled WHERE events_before >= $4::int4
), event AS (
    (SELECT p.payout_id AS seq, p.payout_id, 1::int2 AS state, NULL::text AS reason_code, NULL::text AS bank_reference, p.payout_id AS order_no
       FROM payout p
      WHERE p.book_id = $1::int4 AND p.payout_id > $2::int8
      ORDER BY p.payout_id
      LIMIT $4::int4)
    UNION ALL
    (SELECT t.seq, t.payout_id, t.state, t.reason_code, t.bank_reference, t.payout_id
       FROM payout_transition t
      WHERE t.book_id = $1::int4 AND t.seq > $2::int8 AND t.seq > 0
      ORDER BY t.seq
      LIMIT $4::int4)
    UNION ALL
    (SELECT h.seq, h.payout_id, 2::int2, NULL, NULL, h.payout_id
       FROM payout_hold h
      WHERE h.book_id = $1::int4 AND h.seq > $2::int8
      ORDER BY h.seq
      LIMIT $4::int4)
    UNION ALL
    (SELECT e.seq, e.payout_id, 1::int2, NULL, NULL, e.payout_id
       FROM payout_hold_end e
      WHERE e.book_id = $1::int4 AND e.seq > $2::int8 AND e.outcome = 1
      ORDER BY e.seq
      LIMIT $4::int4)
    UNION ALL
    (SELECT f.seq, p.payout_id, 3::int2, NULL, NULL, p.order_no
       FROM filled f
      CROSS JOIN LATERAL bank_payouts_after($1::int4, f.bank_id, f.after_payout_id, 2147483647, f.last_payout_id) p
      WHERE f.events_before < $4::int4)
), page AS (
    SELECT e.*
      FROM event e
     WHERE e.seq <= coalesce((SELECT seq FROM horizon), 9223372036854775807)
       -- cancelled before the hand-out passed it: the bank was never told
       AND NOT (e.state = 3 AND (SELECT t.state FROM payout_transition t WHERE t.book_id = $1::int4
                                    AND t.payout_id = e.payout_id AND t.step = 1 AND t.state = 7) IS NOT NULL)
     ORDER BY e.seq, e.order_no
     LIMIT $4::int4
)
SELECT e.seq, e.payout_id, p.reference, e.state, k.committed_at, e.reason_code, e.bank_reference, e.order_no
  FROM page e
  JOIN payout p ON p.book_id = $1::int4 AND p.payout_id = e.payout_id
  JOIN journal j ON j.book_id = $1::int4 AND j.seq = e.seq
  JOIN block k ON k.book_id = $1::int4 AND k.block_no = j.block_no
UNION ALL
SELECT h.seq, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM horizon h WHERE h.seq IS NOT NULL
 ORDER BY 1, 8 NULLS LAST
