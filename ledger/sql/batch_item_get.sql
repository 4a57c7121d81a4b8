-- read-only
-- The item $3 of the batch $2 of the book $1. Columns: batch_items.sql, and then those of its batch that say whose it is.
SELECT i.item_no, i.state, i.posted_payout_id AS payout_id, i.unclaimed_id, i.reason, i.sender_item_id, i.item_id_reused, i.src_ccy, i.gross,
       i.recipient_type, i.receiver_kind, i.key_id, i.sealed, i.reference, i.expires_at, i.fee, i.mid_rate_e10, i.mid_value, i.margin_bps,
       i.margin, i.net, i.dst_ccy, i.beneficiary_id, i.bank_code, i.reason_code, i.bank_reference, i.created_at, i.updated_at,
       b.sender_batch_id, b.credential_id, b.request_id
  FROM batch_item_now i JOIN payout_batch b USING (book_id, batch_id)
 WHERE i.book_id = $1::int4 AND i.batch_id = $2::int8 AND i.item_no = $3::int4
