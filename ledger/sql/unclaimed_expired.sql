-- read-only
-- What nobody has claimed in time, after ($1 book, $2 unclaimed id), at most $3.
SELECT o.book_id, o.unclaimed_id
  FROM unclaimed_open o
 WHERE (o.book_id, o.unclaimed_id) > ($1::int4, $2::int8) AND o.expires_at <= clock_timestamp()
 ORDER BY o.book_id, o.unclaimed_id
 LIMIT $3::int4
