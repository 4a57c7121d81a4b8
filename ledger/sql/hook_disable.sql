SELECT disable_webhook($1::int4, $2::int8, $3::int4, $4::text)
