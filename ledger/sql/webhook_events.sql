-- read-only
-- Events of a book before $2, newest first: from $3 to $4, of the kind $5, of the batch $6 or its item $7 (NULL: of any); at most $8.
SELECT f.book_id, f.event_no, f.name, f.description, f.status, f.batch_id, f.item_no, f.payout_id, f.reason, f.reason_code, f.fees, f.at,
       f.simulated, f.sender_batch_id, f.items, f.ccy, f.amount, f.batch_created_at, f.sender_item_id, f.gross, f.recipient_type
  FROM webhook_event_facts f
 WHERE f.book_id = $1::int4 AND f.event_no < $2::int8
   AND ($3::timestamptz IS NULL OR f.at >= $3::timestamptz) AND ($4::timestamptz IS NULL OR f.at <= $4::timestamptz)
   AND ($5::text IS NULL OR f.name = $5::text)
   AND ($6::int8 IS NULL OR f.batch_id = $6::int8) AND ($7::int4 IS NULL OR f.item_no = $7::int4)
 ORDER BY f.event_no DESC LIMIT $8::int4
