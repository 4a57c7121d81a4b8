-- Sends a settled payment back: book, bank, principal, payout, currency, amount, reason code, the bank's reference.
SELECT return_payment($1::int4, $2::int2, $3::int4, $4::int8, $5::int2, $6::int8, $7::text, $8::text) AS returned_at
