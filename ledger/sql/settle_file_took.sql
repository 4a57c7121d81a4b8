-- What became of a file from a bank.
SELECT add_file_in($1::int2, $2::bytea, $3::text, $4::text, $5::text, $6::int8, $7::int8, $8::text)
