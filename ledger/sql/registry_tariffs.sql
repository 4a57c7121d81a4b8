-- read-only
SELECT b.book_id, r.ccy, (max(r.value) FILTER (WHERE r.kind = 1))::integer AS margin_bps, max(r.value) FILTER (WHERE r.kind = 2) AS fee_fixed,
       (max(r.value) FILTER (WHERE r.kind = 3))::integer AS fee_bps, max(r.value) FILTER (WHERE r.kind = 4) AS fee_min,
       max(r.value) FILTER (WHERE r.kind = 5) AS fee_max, max(r.value) FILTER (WHERE r.kind = 6) AS gross_max
  FROM rules_in_force(clock_timestamp()) r JOIN book b ON b.code = r.scope
 WHERE r.kind BETWEEN 1 AND 6
 GROUP BY b.book_id, r.ccy HAVING count(*) = 6
 ORDER BY b.book_id, r.ccy;
