-- A file to a bank is decided.
SELECT add_file_out($1::int2, $2::int8, $3::text, $4::int8, $5::text::jsonb, $6::bytea, $7::timestamptz)
