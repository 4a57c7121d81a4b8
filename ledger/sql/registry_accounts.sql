-- read-only
SELECT book_id, account_id, role, ccy, coalesce(bank_id, 0::smallint) FROM account;
