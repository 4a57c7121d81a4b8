-- read-only
-- What a bank is told of a book after the order number $3 up to $4, in order, at most $5, with what a file says of it. Those cancelled before
-- they were handed out are in it, marked.
SELECT p.payout_id, (SELECT t.state FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                       AND t.step = 1 AND t.state = 7) IS NOT NULL AS cancelled,
       p.net, p.dst_ccy, v.channel, v.purpose_code, b.name AS originator, b.code, p.gross, p.src_ccy, p.info,
       r.key_id, r.sealed, v.name_commitment, v.iban_commitment, v.mobile_commitment, v.cnic_commitment, v.pseb_commitment, p.order_no
  FROM bank_payouts_after($1::int4, $2::int2, $3::int8, $5::int4, $4::int8) p
  JOIN book b ON b.book_id = p.book_id
  JOIN beneficiary_version v ON v.book_id = p.book_id AND v.beneficiary_id = p.beneficiary_id AND v.version = p.beneficiary_version
  LEFT JOIN beneficiary_pii r ON r.book_id = v.book_id AND r.beneficiary_id = v.beneficiary_id AND r.version = v.version
 ORDER BY p.order_no
