-- The first window of a bank: bank, cut-off.
SELECT window_no, duplicate FROM open_first_window($1::int2, $2::timestamptz)
