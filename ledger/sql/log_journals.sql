-- read-only
-- Journals of the book $1 as the log holds them: all of the payout $2, or the one $3 (the other is 0). One row a line, one
-- row without account where there are none, with the seal of the journal's block (NULL: not sealed yet) and what the journal
-- is about but for a payout's own numbers, which log_payout.sql has. A block's leaves, which may be many, come with the first line.
WITH p AS (
    SELECT * FROM payout WHERE book_id = $1::int4 AND payout_id = $2::int8
), wanted AS (
    SELECT p.payout_id AS seq FROM p
    UNION ALL
    SELECT h.seq
      FROM p CROSS JOIN LATERAL (SELECT h.seq FROM handout h WHERE h.book_id = p.book_id AND h.bank_id = p.bank_id
                                    AND h.last_payout_id >= order_number(p.book_id, p.payout_id) ORDER BY h.last_payout_id LIMIT 1) h
     WHERE (SELECT t.state FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
               AND t.step = 1 AND t.state = 7) IS NULL
    UNION ALL
    SELECT r.seq
      FROM p
     CROSS JOIN LATERAL (SELECT * FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                          ORDER BY t.step LIMIT 100) t      -- never that many; the limit keeps it a look-up
     CROSS JOIN LATERAL (SELECT t.seq
                         UNION ALL      -- a return is two journals, and so is what takes one back
                         SELECT t.seq - 1 WHERE t.step > 1) r
    UNION ALL
    SELECT $3::int8 WHERE $3::int8 > 0
)
SELECT j.seq, j.block_no, k.committed_at, kind.kind, kind.name, actor.uri, j.payout_id, j.reverses_seq, j.detail,
       a.code AS account, ccy.code AS currency, line.minor,
       k.first_seq, k.last_seq, s.journal_root, CASE WHEN coalesce(line.ord, 1) = 1 THEN s.leaves END AS leaves,
       substring(s.nodes, 1, 32) AS block_hash, s.key_id, s.signature,
       substring(before.nodes, 1, 32) AS prev,
       t.step, t.state, t.reason_code, t.bank_reference, t.tax_withheld, t.eprc_number,
       hb.code AS handed_to, h.prev_payout_id, h.last_payout_id,
       d.reference, dc.code AS deposited, d.amount,
       ad.proposal_id, ap.reason, ap.evidence_sha256, by.uri AS proposed_by, ap.proposed_at,
       u.reference AS unclaimed_reference, u.info, uc.code AS unclaimed_currency, u.gross, u.batch_id, u.item_no, u.expires_at,
       e.outcome, e.payout_id AS claimed_payout_id,
       o.hold_no, o.reason AS hold_reason, o.detail_sha256, o.evidence_sha256, o.deadline,
       oe.hold_no AS ended_hold_no, oe.outcome AS hold_outcome, fp.uri AS first_by, sp.uri AS second_by, fd.note_sha256 AS first_note,
       sd.note_sha256 AS second_note
  FROM wanted w
 CROSS JOIN LATERAL (SELECT * FROM journal j WHERE j.book_id = $1::int4 AND j.seq = w.seq LIMIT 1) j
  JOIN journal_kind kind USING (kind)
  JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
  LEFT JOIN principal actor USING (principal_id)
  LEFT JOIN block_seal s ON s.book_id = j.book_id AND s.block_no = j.block_no
  LEFT JOIN block_seal before ON before.book_id = j.book_id AND before.block_no = j.block_no - 1
  LEFT JOIN LATERAL unnest(j.line_account, j.line_ccy, j.line_minor) WITH ORDINALITY AS line (account_id, ccy, minor, ord) ON true
  LEFT JOIN account a ON a.book_id = j.book_id AND a.account_id = line.account_id
  LEFT JOIN currency ccy ON ccy.ccy = line.ccy
  LEFT JOIN LATERAL (SELECT * FROM payout_transition t WHERE t.book_id = j.book_id AND t.seq = j.seq AND t.seq > 0 LIMIT 1) t ON true
  LEFT JOIN handout h ON h.book_id = j.book_id AND h.seq = j.seq
  LEFT JOIN bank hb ON hb.bank_id = h.bank_id
  LEFT JOIN float_deposit d ON d.book_id = j.book_id AND d.seq = j.seq
  LEFT JOIN currency dc ON dc.ccy = d.ccy
  LEFT JOIN adjustment_decision ad ON ad.book_id = j.book_id AND ad.seq = j.seq
  LEFT JOIN adjustment_proposal ap ON ap.book_id = ad.book_id AND ap.proposal_id = ad.proposal_id
  LEFT JOIN principal by ON by.principal_id = ap.proposed_by
  LEFT JOIN unclaimed u ON u.book_id = j.book_id AND u.unclaimed_id = j.seq
  LEFT JOIN currency uc ON uc.ccy = u.ccy
  LEFT JOIN unclaimed_end e ON e.book_id = j.book_id AND e.seq = j.seq
  LEFT JOIN payout_hold o ON o.book_id = j.book_id AND o.seq = j.seq
  LEFT JOIN payout_hold_end oe ON oe.book_id = j.book_id AND oe.seq = j.seq
  LEFT JOIN payout_hold_decision fd ON fd.book_id = oe.book_id AND fd.payout_id = oe.payout_id AND fd.hold_no = oe.hold_no
                                   AND fd.decision_no = oe.first_decision
  LEFT JOIN payout_hold_decision sd ON sd.book_id = oe.book_id AND sd.payout_id = oe.payout_id AND sd.hold_no = oe.hold_no
                                   AND sd.decision_no = oe.second_decision
  LEFT JOIN principal fp ON fp.principal_id = fd.principal_id
  LEFT JOIN principal sp ON sp.principal_id = sd.principal_id
 ORDER BY j.seq, line.ord
