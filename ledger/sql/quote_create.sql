SELECT create_quote($1::integer, $2::integer, $3::text, $4::bytea, $5::smallint, $6::smallint, $7::smallint, $8::integer,
                    $9::text::bigint[], $10::integer, $11::integer, $12::integer);
