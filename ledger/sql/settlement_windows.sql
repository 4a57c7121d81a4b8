-- read-only
-- A bank's windows up to a number (the largest: all), newest first: bank, number, at most so many.
SELECT window_no, state, opened_at, cutoff_at, settle_by, ccy, instructed_count, instructed_amount, settled_count, settled_amount,
       rejected_count, rejected_amount, pending_count, pending_amount, returned_amount, net_amount, reason
  FROM windows_of_bank($1::int2, $2::int8, $3::int4)
