-- read-only
-- The quotes of that list, in its order. The lateral with a limit: one look-up each, whatever the planner believes.
SELECT q.quote_id, q.request_id, q.fingerprint, q.src_ccy, q.dst_ccy, q.digit_shift, q.rate_id, q.gross, q.fee, q.mid_rate_e10,
       q.mid_value, q.margin_bps, q.margin, q.net, q.principal_id, q.created_at, q.expires_at, q.policy_id
  FROM unnest($2::bigint[]) WITH ORDINALITY AS w (id, ord)
 CROSS JOIN LATERAL (SELECT * FROM quote WHERE book_id = $1 AND quote_id = w.id LIMIT 1) q ORDER BY w.ord
