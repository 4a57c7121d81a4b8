-- read-only
-- Whether a request id was used, and whether for the same body.
SELECT quote_id, fingerprint = $3::bytea FROM quote WHERE book_id = $1::integer AND request_id = $2::text;
