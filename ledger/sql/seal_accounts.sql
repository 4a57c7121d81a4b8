-- read-only
-- The bank is told of payable accounts alone, whose numbers whoever posts does not know.
SELECT account_id::bigint, code, CASE WHEN role = 'payable' THEN bank_id END, ccy FROM account WHERE book_id = $1
