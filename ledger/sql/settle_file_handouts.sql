-- read-only
-- What the next file of instructions to a bank is to hold: hand-outs since $2 that are in no file yet, of one window, at most
-- $3 instructions (but never less than one hand-out). Hand-outs of a book go into files in their order, so that those not yet
-- in one follow the last that is.
WITH waiting AS (
    SELECT h.book_id, h.prev_payout_id, h.last_payout_id, h.window_no, h.instructions
      FROM book b
     CROSS JOIN LATERAL (SELECT coalesce((SELECT f.last_payout_id FROM file_out_handout f
                                           WHERE f.book_id = b.book_id AND f.bank_id = $1::int2
                                           ORDER BY f.last_payout_id DESC LIMIT 1), 0) AS upto) filed
      JOIN handout h ON h.book_id = b.book_id AND h.bank_id = $1::int2 AND h.last_payout_id > filed.upto
      JOIN journal j ON j.book_id = h.book_id AND j.seq = h.seq
      JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
     WHERE k.committed_at >= $2::timestamptz AND h.instructions > 0
), running AS (
    SELECT w.*, sum(instructions) OVER (ORDER BY book_id, last_payout_id) AS so_far
      FROM waiting w
     WHERE window_no IS NOT DISTINCT FROM (SELECT window_no FROM waiting ORDER BY window_no NULLS FIRST LIMIT 1)
)
SELECT min(window_no), jsonb_build_object('handouts', jsonb_agg(jsonb_build_array(book_id, prev_payout_id, last_payout_id)
                                                                ORDER BY book_id, last_payout_id))::text
  FROM running
 WHERE so_far <= $3::int8 OR so_far = instructions
HAVING count(*) > 0
