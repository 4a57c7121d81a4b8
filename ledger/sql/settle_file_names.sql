-- read-only
-- Files to a bank after $2, in order, at most $3.
SELECT file_no, message FROM file_out WHERE bank_id = $1::int2 AND file_no > $2::int8 ORDER BY file_no LIMIT $3::int4
