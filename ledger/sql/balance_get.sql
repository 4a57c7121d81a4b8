-- read-only
SELECT ccy, -balance FROM account_now WHERE book_id = $1::integer AND role = 'float' ORDER BY ccy_code;
