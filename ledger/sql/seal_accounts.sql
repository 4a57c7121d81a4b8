-- read-only
SELECT account_id::bigint, code FROM account WHERE book_id = $1
