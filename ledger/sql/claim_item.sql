-- read-only
-- The item $3 of the batch $2 of the book $1, as the claim page shows it: whose, how much, until when, what became of it; and whether
-- somebody has its receiver by now.
SELECT i.state, i.unclaimed_id, i.src_ccy, i.gross, i.expires_at, i.fee, i.net, i.dst_ccy, i.receiver_kind, i.receiver_lookup, i.key_id, i.sealed,
       b.fingerprint, k.name AS platform, r.beneficiary_id IS NOT NULL AS known,
       coalesce(i.expires_at <= clock_timestamp(), false) AS late
  FROM batch_item_now i
  JOIN payout_batch b USING (book_id, batch_id)
  JOIN book k USING (book_id)
  LEFT JOIN receiver r ON r.book_id = i.book_id AND r.kind = i.receiver_kind AND r.lookup = i.receiver_lookup
 WHERE i.book_id = $1::int4 AND i.batch_id = $2::int8 AND i.item_no = $3::int4
