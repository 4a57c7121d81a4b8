-- Closes a window and opens the next: bank, window, principal, when its answers are due, the next cut-off.
SELECT instructions, amount, duplicate, closed_at, settle_by
  FROM close_window($1::int2, $2::int8, $3::int4, $4::timestamptz, $5::timestamptz)
