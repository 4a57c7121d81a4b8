-- read-only
-- What a bank is still asked, after a number: bank, number, at most so many.
SELECT question_no, kind, book_id, payout_id, number, reason_code, asked_at, net, ccy FROM open_questions($1::int2, $2::int8, $3::int4)
