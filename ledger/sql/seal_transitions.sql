-- read-only
SELECT seq, step, state, reason_code, bank_reference, tax_withheld, eprc_number
  FROM payout_transition WHERE book_id = $1 AND seq BETWEEN $2 AND $3 AND seq > 0 ORDER BY seq
