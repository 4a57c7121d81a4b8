-- read-only
-- What a file of questions says: $2 is its content. Beside each question the payment, and the file it went in.
SELECT q.question_no, q.book_id, q.payout_id, q.number, q.reason_code, p.net, p.dst_ccy, o.file_no, o.message, o.created_at
  FROM jsonb_array_elements_text($2::text::jsonb -> 'questions') WITH ORDINALITY AS c (no, ord)
  JOIN LATERAL (SELECT i.question_no, i.book_id, i.payout_id, i.inquiry_no AS number, NULL::text AS reason_code
                  FROM inquiry i WHERE i.bank_id = $1::int2 AND i.question_no = c.no::int8
                UNION ALL
                SELECT r.question_no, r.book_id, r.payout_id, r.recall_no, r.reason_code
                  FROM recall r WHERE r.bank_id = $1::int2 AND r.question_no = c.no::int8) q ON true
  JOIN payout p ON p.book_id = q.book_id AND p.payout_id = q.payout_id
  LEFT JOIN LATERAL (SELECT f.file_no FROM file_out_handout f
                      WHERE f.book_id = q.book_id AND f.bank_id = $1::int2 AND f.last_payout_id =
                            (SELECT h.last_payout_id FROM handout h
                              WHERE h.book_id = q.book_id AND h.bank_id = $1::int2 AND h.last_payout_id >= order_number(q.book_id, q.payout_id)
                              ORDER BY h.last_payout_id LIMIT 1)) w ON true
  LEFT JOIN file_out o ON o.bank_id = $1::int2 AND o.file_no = w.file_no
 ORDER BY c.ord
