-- Hands the next payouts of a book to a bank, whatever its mode: book, bank, principal, at most so many.
SELECT moved, kept_back, instructions, amount, last_payout_id FROM hand_out_window($1::int4, $2::int2, $3::int4, $4::int4)
