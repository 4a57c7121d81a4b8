-- A bank's own totals of a window: bank, window, principal, currency, settled (count, amount), rejected (count, amount).
SELECT report_window($1::int2, $2::int8, $3::int4, $4::int2, $5::int8, $6::int8, $7::int8, $8::int8) AS state
