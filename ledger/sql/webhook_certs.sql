-- read-only
-- The certificate of that id, or all of them (NULL), newest first.
SELECT key_id, public_key FROM webhook_key WHERE kind = 'rsa' AND ($1::text IS NULL OR key_id = $1::text) ORDER BY created_at DESC, key_id
