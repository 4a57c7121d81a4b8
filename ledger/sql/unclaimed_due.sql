-- read-only
-- What is set aside for receivers that somebody has by now, after ($1 book, $2 unclaimed id), at most $3.
SELECT o.book_id, o.unclaimed_id, u.batch_id, u.item_no, u.reference, u.info, u.ccy, u.gross, r.beneficiary_id, o.expires_at
  FROM unclaimed_open o
  JOIN receiver r ON r.book_id = o.book_id AND r.kind = o.receiver_kind AND r.lookup = o.receiver_lookup
 CROSS JOIN LATERAL (SELECT * FROM unclaimed WHERE book_id = o.book_id AND unclaimed_id = o.unclaimed_id LIMIT 1) u
 WHERE (o.book_id, o.unclaimed_id) > ($1::int4, $2::int8) AND o.expires_at > clock_timestamp()
 ORDER BY o.book_id, o.unclaimed_id
 LIMIT $3::int4
