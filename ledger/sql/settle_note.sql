-- A bank says of an instruction what settles nothing: bank, book, payout, status, reason. 0, 1, or a reason.
SELECT note_status($1::int2, $2::int4, $3::int8, $4::text, $5::text)
