-- Whether the beneficiary had it. Safe to ask again.
SELECT remove_receiver($1::int4, $2::int8, $3::int2, $4) AS removed
