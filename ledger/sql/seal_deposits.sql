-- read-only
SELECT seq, reference, ccy, amount FROM float_deposit WHERE book_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq
