-- read-only
-- One payout as it stands. The columns are those of payout_list.sql and payout_get_by_reference.sql
-- (gateway/wire/payout.h reads them).
SELECT p.payout_id, p.reference, p.state, p.book_code, p.bank_code, p.beneficiary_id, coalesce(p.quote_id, 0)::int8 AS quote_id,
       p.src_ccy, p.dst_ccy, p.gross, p.fee, p.mid_rate_e10, p.margin_bps, p.margin, p.net, p.rate_source, p.rate_as_of,
       p.info, p.created_at, p.updated_at, p.reason_code, p.bank_reference, p.tax_withheld, p.eprc_number, coalesce(p.policy_id, 0) AS policy_id
  FROM payout_now p
 WHERE p.book_id = $1::int4 AND p.payout_id = $2::int8
