-- read-only
-- What a bank has been told of a book after $3, in order, at most $4. Those cancelled before they were handed out are
-- in it, marked, and those whose beneficiary was erased since they were finished: the reader passes over them.
SELECT p.payout_id, EXISTS (SELECT 1 FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                               AND t.step = 1 AND t.state = 7) AS cancelled,
       n.erased_at IS NOT NULL AS erased,
       p.net, p.dst_ccy, v.channel, v.purpose_code, b.name AS originator, p.gross, p.src_ccy, p.info, k.committed_at,
       (SELECT h.window_no FROM handout h WHERE h.book_id = p.book_id AND h.bank_id = $2::int2
           AND h.last_payout_id >= p.payout_id ORDER BY h.last_payout_id LIMIT 1) AS window_no,
       r.key_id, r.sealed, v.name_commitment, v.iban_commitment, v.mobile_commitment, v.cnic_commitment, v.pseb_commitment
  FROM bank_payouts_after($1::int4, $2::int2, $3::int8, $4::int4, handed_out_upto($1::int4, $2::int2)) p
  JOIN book b ON b.book_id = p.book_id
  JOIN beneficiary n ON n.book_id = p.book_id AND n.beneficiary_id = p.beneficiary_id
  JOIN beneficiary_version v ON v.book_id = p.book_id AND v.beneficiary_id = p.beneficiary_id AND v.version = p.beneficiary_version
  LEFT JOIN beneficiary_pii r ON r.book_id = v.book_id AND r.beneficiary_id = v.beneficiary_id AND r.version = v.version
  JOIN journal j ON j.book_id = p.book_id AND j.seq = p.payout_id
  JOIN block k ON k.book_id = p.book_id AND k.block_no = j.block_no
 ORDER BY p.payout_id
