-- read-only
-- What a file of fundings says: $2 is its content.
SELECT n.book_id, n.reference, n.amount, n.ccy, b.name
  FROM jsonb_array_elements($2::text::jsonb -> 'fundings') WITH ORDINALITY AS c (f, ord)
  JOIN nostro_funding n ON n.book_id = (c.f ->> 0)::int4 AND n.reference = c.f ->> 1 AND n.bank_id = $1::int2
  JOIN book b ON b.book_id = n.book_id
 ORDER BY c.ord
