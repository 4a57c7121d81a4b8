-- read-only
-- Whether a request id was used, and whether for the same details.
SELECT b.beneficiary_id, v.fingerprint = $3::bytea
  FROM beneficiary b JOIN beneficiary_version v USING (book_id, beneficiary_id)
 WHERE b.book_id = $1::integer AND b.request_id = 'request:' || $2::text AND v.version = 1;
