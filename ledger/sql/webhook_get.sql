-- read-only
-- Endpoints of a book, or the one of that id (NULL: all), and the public key of whoever signs now.
SELECT w.public_id, w.url, array_to_string(w.event_types, ','), w.state, w.reason, w.concurrency, w.created_at,
       (SELECT k.public_key FROM webhook_key k WHERE k.kind = 'ed25519' ORDER BY k.created_at DESC, k.key_id LIMIT 1)
  FROM webhook_now w WHERE w.book_id = $1::int4 AND ($2::text IS NULL OR w.public_id = $2::text) ORDER BY w.webhook_id
