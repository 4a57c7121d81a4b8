-- read-only
-- What reached a bank's account of ours since $2 and no file has told it yet, at most $3.
SELECT jsonb_build_object('fundings', jsonb_agg(jsonb_build_array(book_id, reference) ORDER BY book_id, reference))::text, count(*),
       sum(amount)::int8, min(ccy)
  FROM (SELECT n.book_id, n.reference, n.amount, n.ccy
          FROM nostro_funding n
          JOIN journal j ON j.book_id = n.book_id AND j.seq = n.seq
          JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
         WHERE n.bank_id = $1::int2 AND k.committed_at >= $2::timestamptz
           AND NOT EXISTS (SELECT 1 FROM file_out_funding f WHERE f.book_id = n.book_id AND f.reference = n.reference)
         ORDER BY n.book_id, n.reference LIMIT $3::int4) c
HAVING count(*) > 0
