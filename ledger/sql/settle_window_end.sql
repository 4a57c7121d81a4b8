-- Looks whether a window is SETTLED or DISPUTED by now: bank, window, principal, deadline.
SELECT end_window($1::int2, $2::int8, $3::int4, $4::timestamptz)
