-- read-only
SELECT seq, bank_id, prev_payout_id, last_payout_id FROM handout WHERE book_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq
