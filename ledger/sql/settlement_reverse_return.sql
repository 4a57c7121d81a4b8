-- Takes a return back: book, bank, principal, payout, the return's reference, reason code, the bank's reference for this.
SELECT reversed_at, state, returned, dst_ccy
  FROM reverse_return($1::int4, $2::int2, $3::int4, $4::int8, $5::text, $6::text, $7::text)
