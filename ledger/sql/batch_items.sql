-- read-only
-- Items of the batch $2 of the book $1 after the number $3, at most $4, as they stand now (ledger/batch.h: enum batch_item_state). Columns
-- of all that get items.
SELECT i.item_no, i.state, i.posted_payout_id AS payout_id, i.unclaimed_id, i.reason, i.sender_item_id, i.item_id_reused, i.src_ccy, i.gross,
       i.recipient_type, i.receiver_kind, i.key_id, i.sealed, i.reference, i.expires_at, i.fee, i.mid_rate_e10, i.mid_value, i.margin_bps,
       i.margin, i.net, i.dst_ccy, i.beneficiary_id, i.bank_code, i.reason_code, i.bank_reference, i.created_at, i.updated_at
  FROM batch_item_now i
 WHERE i.book_id = $1::int4 AND i.batch_id = $2::int8 AND i.item_no > $3::int4
 ORDER BY i.item_no
 LIMIT $4::int4
