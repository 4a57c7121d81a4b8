-- Asks a bank about instructions of one book: bank, book, payouts, those of them that a person is called for, and the moment
-- that settle_overdue was given.
SELECT cardinality(array_remove(ask($1::int2, $2::int4, $3::int8[],
           (SELECT array_agg(p = ANY ($4::int8[]) ORDER BY ord) FROM unnest($3::int8[]) WITH ORDINALITY i (p, ord)), $5::timestamptz), NULL))
