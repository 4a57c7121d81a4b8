-- read-only
-- The last good sheet: of the newest rates, not the newest import.
SELECT s.rate_id, s.source, s.as_of, r.ccy, r.pkr_e10
  FROM (SELECT rate_id, source, as_of FROM rate_sheet WHERE refused IS NULL ORDER BY as_of DESC, rate_id DESC LIMIT 1) s
  JOIN rate r USING (rate_id)
 ORDER BY r.ccy;
