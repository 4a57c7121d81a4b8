-- read-only
-- How far the deliveries of an event are.
SELECT w.public_id, d.state, d.attempts, d.next_at, d.last_at, d.last_status, d.last_error
  FROM webhook_delivery d JOIN webhook w USING (book_id, webhook_id)
 WHERE d.book_id = $1::int4 AND d.event_no = $2::int8 ORDER BY d.webhook_id
