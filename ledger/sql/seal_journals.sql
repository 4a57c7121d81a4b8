-- read-only
-- A run of journals, in order; whoever reads counts them, so their seq is not sent.
SELECT kind, block_no, principal_id, payout_id, reverses_seq, detail, line_account, line_ccy, line_minor
  FROM journal WHERE book_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq
