-- read-only
-- Days that are not like others, as is known now: days since 1970, 1 holiday, 2 working, 3 ramadan.
SELECT day - DATE '1970-01-01', CASE kind WHEN 'holiday' THEN 1 WHEN 'working' THEN 2 ELSE 3 END
  FROM calendar_now WHERE day BETWEEN $1::timestamptz::date AND $2::timestamptz::date ORDER BY day
