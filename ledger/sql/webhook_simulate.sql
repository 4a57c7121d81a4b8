SELECT simulate_webhook_event($1::int4, $2::text, $3::text, $4::text)
