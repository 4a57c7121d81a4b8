-- read-only
-- Every event of the payout $2 of the book $1 in the book's sequence, with its journal: one row a line, one row without
-- account for a hand-out. A return is two journals (the settlement's reversal, then the payout's),
-- and so is what takes one back.
WITH p AS (
    SELECT * FROM payout WHERE book_id = $1::int4 AND payout_id = $2::int8
), event AS (
    SELECT p.payout_id AS event_seq, 1::int2 AS state, NULL::text AS detail FROM p
    UNION ALL
    SELECT d.seq, d.state, d.detail
      FROM p JOIN payout_hold h ON h.book_id = p.book_id AND h.payout_id = p.payout_id
      LEFT JOIN payout_hold_end e ON e.book_id = h.book_id AND e.payout_id = h.payout_id AND e.hold_no = h.hold_no
     CROSS JOIN LATERAL (VALUES (h.seq, 2::int2, 'hold ' || h.hold_no || ' ' || h.reason),
                                (e.seq, CASE e.outcome WHEN 1 THEN 1::int2 ELSE 9::int2 END,
                                 'hold ' || h.hold_no || CASE e.outcome WHEN 1 THEN ' released' ELSE ' refused' END)) d (seq, state, detail)
     WHERE d.seq IS NOT NULL
    UNION ALL
    SELECT h.seq, 3::int2, 'handed to ' || bank.code
      FROM p JOIN bank USING (bank_id)
     CROSS JOIN LATERAL (SELECT h.seq FROM handout h WHERE h.book_id = p.book_id AND h.bank_id = p.bank_id
                            AND h.last_payout_id >= order_number(p.book_id, p.payout_id) ORDER BY h.last_payout_id LIMIT 1) h
     WHERE (SELECT t.state FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
               AND t.step = 1 AND t.state = 7) IS NULL
    UNION ALL
    SELECT r.seq, t.state, concat_ws(' ', t.reason_code, t.bank_reference, 'tax withheld ' || nullif(t.tax_withheld, 0),
                                     'e-PRC ' || t.eprc_number)
      FROM p
     CROSS JOIN LATERAL (SELECT * FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                          ORDER BY t.step LIMIT 100) t      -- never that many; the limit keeps it a look-up
     CROSS JOIN LATERAL (SELECT t.seq
                         UNION ALL
                         SELECT t.seq - 1 WHERE t.step > 1) r
)
SELECT e.state, coalesce(e.detail, '') AS detail,
       j.seq, kind.name AS kind, j.block_no, k.committed_at, coalesce(pr.uri, 'principal ' || j.principal_id) AS actor, j.payout_id, j.reverses_seq,
       coalesce(j.detail, '') AS description, a.code AS account, line.ccy, line.minor
  FROM event e
 CROSS JOIN LATERAL (SELECT * FROM journal j WHERE j.book_id = $1::int4 AND j.seq = e.event_seq LIMIT 1) j
  JOIN journal_kind kind USING (kind)
  JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
  LEFT JOIN principal pr USING (principal_id)     -- a journal is shown whoever it says it is by
  LEFT JOIN LATERAL unnest(j.line_account, j.line_ccy, j.line_minor) WITH ORDINALITY AS line (account_id, ccy, minor, ord) ON true
  LEFT JOIN account a ON a.book_id = j.book_id AND a.account_id = line.account_id
 ORDER BY e.event_seq, line.ord
