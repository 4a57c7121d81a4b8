-- read-only
SELECT seq, outcome, payout_id FROM unclaimed_end WHERE book_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq
