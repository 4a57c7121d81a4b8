-- read-only
-- A moment of the book (0: of all books) that is over. What is read afterwards as of it stays the same for ever.
-- (It locks, and so needs a transaction that may write; but it writes nothing.)
SELECT moment_past($1::int4) AS moment
