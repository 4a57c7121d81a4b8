-- One outcome an item, in order (ledger/schema/functions/unclaimed.sql). Safe to ask again.
SELECT outcome, payout_id, committed_at FROM claim_unclaimed($1::int4, $2::int4, $3::int8[], $4)
