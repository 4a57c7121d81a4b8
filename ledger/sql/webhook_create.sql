SELECT create_webhook($1::int4, $2::text, $3::text, string_to_array($4::text, ','), 4::int2, $5::text)
