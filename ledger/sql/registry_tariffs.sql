-- read-only
SELECT DISTINCT ON (book_id, ccy) book_id, ccy, margin_bps, fee_fixed, fee_bps, fee_min, fee_max, gross_max
  FROM tariff WHERE valid_from <= clock_timestamp()
 ORDER BY book_id, ccy, valid_from DESC;
