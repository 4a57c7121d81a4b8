SELECT outcome, payout_id, bank_id, committed_at, stored_fee, stored_net, stored_ccy, stored_beneficiary,
       block_no, beneficiary_version
  FROM post_payouts($1::integer, $2::integer, $3::payout_draft[])
