-- Hands the next payouts of a book to a bank: book, bank, principal, at most so many.
SELECT last_payout_id, moved, kept_back FROM hand_out($1::int4, $2::int2, $3::int4, $4::int4)
