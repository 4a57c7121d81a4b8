-- A bank's own totals of a window, of payments that it made; of those it rejected an account says nothing, so ours stand for them.
SELECT report_window($1::int2, $2::int8, $3::int4, $4::int2, $5::int8, $6::int8, t.rejected_count, t.rejected_amount)
  FROM window_totals($1::int2, $2::int8) t
