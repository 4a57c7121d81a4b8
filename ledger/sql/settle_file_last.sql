-- read-only
-- The last file to a bank.
SELECT file_no, sha256 FROM file_out WHERE bank_id = $1::int2 ORDER BY file_no DESC LIMIT 1
