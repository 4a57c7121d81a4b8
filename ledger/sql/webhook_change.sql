-- NULL leaves as it is: $3 URL, $4 event types, $5 state.
SELECT change_webhook($1::int4, $2::text, $3::text, string_to_array($4::text, ','), NULL, $5::text, $6::text, $7::text)
