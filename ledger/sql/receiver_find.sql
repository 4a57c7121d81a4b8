-- read-only
-- Who has the receivers in $2, each of them a byte that says the kind and the 32 bytes of its lookup: a row for each that somebody has, with
-- its place from 0 on.
SELECT w.at AS place, r.beneficiary_id
  FROM generate_series(0, length($2::bytea) / 33 - 1) w (at)
 CROSS JOIN LATERAL (SELECT beneficiary_id FROM receiver
                      WHERE book_id = $1::int4 AND kind = get_byte($2::bytea, 33 * w.at)
                        AND lookup = substring($2::bytea, 33 * w.at + 2, 32) LIMIT 1) r
 CROSS JOIN LATERAL (SELECT FROM beneficiary b
                      WHERE b.book_id = $1::int4 AND b.beneficiary_id = r.beneficiary_id AND b.erased_at IS NULL LIMIT 1) b
 ORDER BY w.at
