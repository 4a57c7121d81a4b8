-- Refused with BENEFICIARY_NOT_FOUND; whether it is new to the beneficiary. Safe to ask again.
SELECT add_receiver($1::int4, $2::int4, $3::int8, $4::int2, $5, $6::int2, $7) AS added
