-- Sends a settled payment back, or a part of it: book, bank, principal, payout, currency, amount, charge, reason code, the bank's
-- reference.
SELECT state FROM return_payment($1::int4, $2::int2, $3::int4, $4::int8, $5::int2, $6::int8, $7::int8, $8::text, $9::text)
