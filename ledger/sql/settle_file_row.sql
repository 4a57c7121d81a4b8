-- read-only
-- One file to a bank, as it was decided, and the hash of the one before it.
SELECT f.file_no, f.message, f.window_no, f.content::text, f.sha256, f.created_at, p.sha256
  FROM file_out f
  LEFT JOIN file_out p ON p.bank_id = f.bank_id AND p.file_no = f.prev_file_no
 WHERE f.bank_id = $1::int2 AND f.file_no = $2::int8
