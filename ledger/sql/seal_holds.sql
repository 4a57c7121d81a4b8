-- read-only
SELECT seq, hold_no, reason, detail_sha256, evidence_sha256, deadline
  FROM payout_hold WHERE book_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq
