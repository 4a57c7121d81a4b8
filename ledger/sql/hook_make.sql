SELECT events, more FROM make_webhook_events($1::int4, $2::int4)
