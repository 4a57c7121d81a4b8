-- read-only
-- Quotes of a book by their numbers, in that order; $2 is an array as text.
SELECT q.quote_id, q.src_ccy, q.dst_ccy, q.digit_shift, q.rate_id, q.gross, q.fee, q.mid_rate_e10, q.mid_value,
       q.margin, q.net, q.margin_bps, s.source, s.as_of, q.created_at, q.expires_at, coalesce(q.policy_id, 0) AS policy_id
  FROM quote q JOIN rate_sheet s USING (rate_id)
 WHERE q.book_id = $1::integer AND q.quote_id = ANY ($2::text::bigint[])
 ORDER BY q.quote_id;
