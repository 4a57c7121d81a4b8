-- read-only
-- When the last thing happened to an item of the batch $2 of the book $1: a payout's last transition, the end of what was unclaimed, or the batch
-- itself. By the book's sequence, which time follows.
SELECT greatest(b.created_at,
                (SELECT k.committed_at
                   FROM journal j JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
                  WHERE j.book_id = b.book_id AND j.seq = (
                        SELECT max(coalesce(t.seq, e.seq))
                          FROM payout_batch_item i
                          LEFT JOIN LATERAL (SELECT * FROM unclaimed_end WHERE book_id = i.book_id AND unclaimed_id = i.unclaimed_id LIMIT 1) e ON true
                          LEFT JOIN LATERAL (SELECT t.seq FROM payout_transition t
                                              WHERE t.book_id = i.book_id AND t.payout_id = coalesce(i.payout_id, e.payout_id)
                                              ORDER BY t.step DESC LIMIT 1) t ON true
                         WHERE i.book_id = b.book_id AND i.batch_id = b.batch_id))) AS completed_at
  FROM payout_batch b WHERE b.book_id = $1::int4 AND b.batch_id = $2::int8
