-- read-only
-- Endpoints with something due.
SELECT w.book_id, w.webhook_id, w.public_id, w.version, w.url, w.concurrency
  FROM webhook_now w
 WHERE w.state = 'ENABLED'
   AND (SELECT min(d.next_at) FROM webhook_delivery d
         WHERE d.book_id = w.book_id AND d.webhook_id = w.webhook_id AND d.state = 'PENDING') <= clock_timestamp()
 ORDER BY w.book_id, w.webhook_id
