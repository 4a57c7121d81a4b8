-- read-only
-- What is due of an endpoint ($1 book, $2 webhook), the longest due first: nothing whose item or batch has an earlier event that waits.
-- The event's columns are those of webhook_event_get.sql.
SELECT f.book_id, f.event_no, f.name, f.description, f.status, f.batch_id, f.item_no, f.payout_id, f.reason, f.reason_code, f.fees, f.at,
       f.simulated, f.sender_batch_id, f.items, f.ccy, f.amount, f.batch_created_at, f.sender_item_id, f.gross, f.recipient_type, d.attempts
  FROM (SELECT * FROM webhook_delivery d
         WHERE d.book_id = $1::int4 AND d.webhook_id = $2::int8 AND d.state = 'PENDING' AND d.next_at <= clock_timestamp()
           AND NOT EXISTS (SELECT FROM webhook_delivery b
                            WHERE b.book_id = d.book_id AND b.webhook_id = d.webhook_id AND b.state = 'PENDING'
                              AND b.batch_id = d.batch_id AND b.item_no = d.item_no AND b.event_no < d.event_no)
         ORDER BY d.next_at, d.event_no
         LIMIT $3::int4) d
  JOIN webhook_event_facts f USING (book_id, event_no)
 ORDER BY d.next_at, d.event_no
