SELECT resend_webhook_events($1::int4, string_to_array($2::text, ','), $3::int8, $4::int8)
