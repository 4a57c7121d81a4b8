-- read-only
-- Columns: batch_get.sql.
SELECT b.batch_id, b.sender_batch_id, b.request_id, b.fingerprint, b.credential_id, b.email_subject, b.email_message, b.items, b.ccy, b.amount,
       b.created_at
  FROM payout_batch b WHERE b.book_id = $1::int4 AND b.sender_batch_id = $2
