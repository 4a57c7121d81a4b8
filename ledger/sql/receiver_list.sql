-- read-only
-- The receivers of the beneficiary $2 of the book $1.
SELECT r.kind, r.lookup, r.key_id, r.sealed, r.created_at
  FROM receiver r JOIN beneficiary b USING (book_id, beneficiary_id)
 WHERE r.book_id = $1::int4 AND r.beneficiary_id = $2::int8 AND b.erased_at IS NULL
 ORDER BY r.created_at, r.kind, r.lookup
