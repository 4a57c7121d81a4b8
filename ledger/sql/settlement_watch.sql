-- read-only
-- What a bank has been told of a book after the order number $3, in order, at most $4. Those cancelled before they were handed out are
-- in it, marked, and those whose beneficiary was erased since they were finished: the reader passes over them.
-- Each look-up is a lateral of one row, so that it goes by its key whatever the planner believes of tables that were
-- empty when it planned.
SELECT p.order_no, p.payout_id, t.state IS NOT NULL AS cancelled, n.erased_at IS NOT NULL AS erased,
       p.net, p.dst_ccy, v.channel, v.purpose_code, b.name AS originator, p.gross, p.src_ccy, p.info, k.committed_at,
       (SELECT h.window_no FROM handout h WHERE h.book_id = p.book_id AND h.bank_id = $2::int2
           AND h.last_payout_id >= p.order_no ORDER BY h.last_payout_id LIMIT 1) AS window_no,
       r.key_id, r.sealed, v.name_commitment, v.iban_commitment, v.mobile_commitment, v.cnic_commitment, v.pseb_commitment
  FROM (SELECT name FROM book WHERE book_id = $1::int4) b
 CROSS JOIN bank_payouts_after($1::int4, $2::int2, $3::int8, $4::int4, handed_out_upto($1::int4, $2::int2)) p
 CROSS JOIN LATERAL (SELECT erased_at FROM beneficiary WHERE book_id = p.book_id AND beneficiary_id = p.beneficiary_id LIMIT 1) n
 CROSS JOIN LATERAL (SELECT * FROM beneficiary_version
                      WHERE book_id = p.book_id AND beneficiary_id = p.beneficiary_id AND version = p.beneficiary_version LIMIT 1) v
  LEFT JOIN LATERAL (SELECT key_id, sealed FROM beneficiary_pii
                      WHERE book_id = p.book_id AND beneficiary_id = p.beneficiary_id AND version = p.beneficiary_version LIMIT 1) r ON true
  LEFT JOIN LATERAL (SELECT state FROM payout_transition
                      WHERE book_id = p.book_id AND payout_id = p.payout_id AND step = 1 AND state = 7 LIMIT 1) t ON true
 CROSS JOIN LATERAL (SELECT committed_at FROM block
                      WHERE book_id = p.book_id
                        AND block_no = (SELECT block_no FROM journal WHERE book_id = p.book_id AND seq = p.payout_id) LIMIT 1) k
 ORDER BY p.order_no
