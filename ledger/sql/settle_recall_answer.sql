-- A bank answers a recall of a payment: bank, book, payout, status, reason, principal, and the recall's number among the questions to the
-- bank. Without that number it answers the only one there has been; of several it must say which: NULL. 0, 1, or a reason.
SELECT CASE WHEN $7::int8 IS NULL AND r.n > 1 THEN NULL
            ELSE answer_recall($1::int2, $2::int4, $3::int8, r.recall_no, $4::text, $5::text, $6::int4) END
  FROM (SELECT count(*) AS n, max(recall_no) AS recall_no FROM recall
         WHERE book_id = $2::int4 AND payout_id = $3::int8 AND bank_id = $1::int2
           AND ($7::int8 IS NULL OR question_no = $7::int8)) r
