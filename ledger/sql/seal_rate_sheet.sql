-- read-only
-- A rate sheet, one row a rate, by the currency's number.
SELECT s.source, s.sheet_date, s.as_of, s.imported_at, s.file_name, s.file_sha256, s.author, c.code, r.pkr_e10
  FROM rate_sheet s LEFT JOIN rate r USING (rate_id) LEFT JOIN currency c USING (ccy)
 WHERE s.rate_id = $1 ORDER BY r.ccy
