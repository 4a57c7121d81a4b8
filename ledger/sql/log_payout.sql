-- read-only
-- What the log holds of the payout $2 of the book $1 when it is accepted: its numbers, whom it pays, and the quote it used. What opens
-- the commitments to whom is encrypted; without it: erased.
SELECT p.reference, p.info, bank.code AS bank, src.code AS src_ccy, dst.code AS dst_ccy, p.gross, p.fee, p.mid_rate_e10, p.mid_value,
       p.margin_bps, p.margin, p.net, p.digit_shift, p.fingerprint, p.beneficiary_id, p.beneficiary_version, p.rate_id,
       vb.code AS beneficiary_bank, v.channel, v.purpose_code, r.key_id AS pii_key_id, r.sealed, v.name_commitment, v.iban_commitment, v.mobile_commitment,
       v.cnic_commitment, v.pseb_commitment, vp.uri AS beneficiary_actor, v.created_at AS beneficiary_created_at,
       q.quote_id, q.request_id, q.fingerprint AS quote_fingerprint, qs.code AS quote_src, qd.code AS quote_dst,
       q.digit_shift AS quote_digit_shift, q.rate_id AS quote_rate_id, q.gross AS quote_gross, q.fee AS quote_fee,
       q.mid_rate_e10 AS quote_mid_rate_e10, q.mid_value AS quote_mid_value, q.margin_bps AS quote_margin_bps,
       q.margin AS quote_margin, q.net AS quote_net, qp.uri AS quote_actor, q.created_at AS quote_created_at, q.expires_at,
       coalesce(p.policy_id, 0) AS policy_id, coalesce(q.policy_id, 0) AS quote_policy_id
  FROM payout p
  JOIN bank USING (bank_id)
  JOIN currency src ON src.ccy = p.src_ccy
  JOIN currency dst ON dst.ccy = p.dst_ccy
  JOIN beneficiary_version v ON v.book_id = p.book_id AND v.beneficiary_id = p.beneficiary_id AND v.version = p.beneficiary_version
  JOIN bank vb ON vb.bank_id = v.bank_id
  LEFT JOIN beneficiary_pii r ON r.book_id = v.book_id AND r.beneficiary_id = v.beneficiary_id AND r.version = v.version
  LEFT JOIN principal vp ON vp.principal_id = v.principal_id
  LEFT JOIN quote q ON q.book_id = p.book_id AND q.quote_id = p.quote_id
  LEFT JOIN currency qs ON qs.ccy = q.src_ccy
  LEFT JOIN currency qd ON qd.ccy = q.dst_ccy
  LEFT JOIN principal qp ON qp.principal_id = q.principal_id
 WHERE p.book_id = $1::int4 AND p.payout_id = $2::int8
