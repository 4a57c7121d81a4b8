SELECT record_webhook_delivery($1::int4, $2::int8, $3::int8, $4::int2, $5::text, $6::int2, $7::text, $8::int8)
