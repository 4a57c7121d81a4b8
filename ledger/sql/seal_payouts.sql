-- read-only
-- Payouts that journals of this run accepted: a payout's number is its journal's seq.
SELECT payout_id, reference, info, bank_id, src_ccy, dst_ccy, gross, fee, mid_rate_e10, mid_value, margin_bps, margin, net,
       digit_shift, fingerprint, beneficiary_id, beneficiary_version, rate_id, quote_id, policy_id
  FROM payout WHERE book_id = $1 AND payout_id BETWEEN $2 AND $3 ORDER BY payout_id
