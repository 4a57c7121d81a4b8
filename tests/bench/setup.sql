-- Books to measure with: $BOOKS platforms with a large float in USD, two banks, 1,000 beneficiaries each.
\set ON_ERROR_STOP on
SET search_path = ujrat;
SELECT connect_bank('MUCB'), connect_bank('SCBL') \g /dev/null
SELECT open_book('bench-' || i, 'Benchmark ' || i) FROM generate_series(1, :books) i \g /dev/null
SELECT open_currency(book_id, 'USD') FROM book \g /dev/null
SELECT open_terms(book_id, 'USD', 50, 100, 0, 0, 0, 100000000, 'bench') FROM book \g /dev/null
SELECT import_rates('SBP-M2M', '2026-07-17', clock_timestamp(), 'bench', sha256('bench'), 'bench', NULL,
                    ARRAY[840::smallint], ARRAY[2779612000000]) \g /dev/null
SELECT deposit_float(book_id, 1, 'USD', 9000000000000000, 'bench') FROM book \g /dev/null
INSERT INTO beneficiary (book_id, beneficiary_id, request_id, version, bank_id, created_at)
SELECT b.book_id, i, 'request:bench-' || i, 1, k.bank_id, now()
  FROM book b, generate_series(1, 1000) i, bank k
 WHERE k.code = CASE i % 2 WHEN 0 THEN 'MUCB' ELSE 'SCBL' END;
\ir ../people.sql
ANALYZE;
