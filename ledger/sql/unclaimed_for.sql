-- read-only
-- What is set aside for the same receiver as $2 of the book $1, or was until a moment ago, once somebody has that receiver; at most $3.
-- Columns: unclaimed_due.sql.
SELECT o.book_id, o.unclaimed_id, u.batch_id, u.item_no, u.reference, u.info, u.ccy, u.gross, r.beneficiary_id, o.expires_at
  FROM payout_batch_item i
  JOIN unclaimed_open o ON o.book_id = i.book_id AND o.receiver_kind = i.receiver_kind AND o.receiver_lookup = i.receiver_lookup
  JOIN receiver r ON r.book_id = o.book_id AND r.kind = o.receiver_kind AND r.lookup = o.receiver_lookup
 CROSS JOIN LATERAL (SELECT * FROM unclaimed WHERE book_id = o.book_id AND unclaimed_id = o.unclaimed_id LIMIT 1) u
 WHERE i.book_id = $1::int4 AND (i.batch_id, i.item_no) = (SELECT batch_id, item_no FROM unclaimed WHERE book_id = $1::int4 AND unclaimed_id = $2::int8)
   AND o.expires_at > clock_timestamp()
 ORDER BY o.unclaimed_id
 LIMIT $3::int4
