-- Refused with PAYOUT_NOT_FOUND or STATE_CONFLICT; one row when it is cancelled, by this or by an earlier call.
SELECT $3::int8 AS unclaimed_id FROM cancel_unclaimed($1::int4, $2::int4, $3::int8)
