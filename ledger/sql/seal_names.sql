-- read-only
-- What numbers stand for: 0 currencies, 1 banks, 2 kinds of journals, 3 principals.
SELECT 0, ccy::bigint, code FROM currency
UNION ALL SELECT 1, bank_id, code FROM bank
UNION ALL SELECT 2, kind, name FROM journal_kind
UNION ALL SELECT 3, principal_id, uri FROM principal
