-- read-only
SELECT e.seq, e.hold_no, e.outcome, a.principal_id, b.principal_id, a.note_sha256, b.note_sha256
  FROM payout_hold_end e
  JOIN payout_hold_decision a ON a.book_id = e.book_id AND a.payout_id = e.payout_id AND a.hold_no = e.hold_no AND a.decision_no = e.first_decision
  JOIN payout_hold_decision b ON b.book_id = e.book_id AND b.payout_id = e.payout_id AND b.hold_no = e.hold_no AND b.decision_no = e.second_decision
 WHERE e.book_id = $1 AND e.seq BETWEEN $2 AND $3 ORDER BY e.seq
