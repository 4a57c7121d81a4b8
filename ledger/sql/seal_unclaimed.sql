-- read-only
SELECT unclaimed_id, reference, info, ccy, gross, batch_id, item_no, expires_at
  FROM unclaimed WHERE book_id = $1 AND unclaimed_id BETWEEN $2 AND $3 ORDER BY unclaimed_id
