SELECT add_webhook_key($1::text, $2::bytea)
