-- read-only
-- What is known of a file from a bank by its contents: its rows.
SELECT name, outcome, report, received_at FROM file_in WHERE bank_id = $1::int2 AND sha256 = $2::bytea
 ORDER BY outcome = 'processed' DESC
