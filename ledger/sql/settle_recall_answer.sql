-- A bank answers the last recall of a payment: bank, book, payout, status, reason, principal. 0, 1, or a reason.
SELECT answer_recall($1::int2, $2::int4, $3::int8,
           (SELECT max(recall_no) FROM recall WHERE book_id = $2::int4 AND payout_id = $3::int8 AND bank_id = $1::int2),
           $4::text, $5::text, $6::int4)
