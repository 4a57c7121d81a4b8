-- read-only
-- The questions to a bank since $2 that are in no file yet: the kind of the first (1 inquiry, 2 recall), and which of that kind,
-- at most $3.
WITH waiting AS (
    SELECT 1 AS kind, q.question_no FROM inquiry q
     WHERE q.bank_id = $1::int2 AND q.asked_at >= $2::timestamptz
       AND NOT EXISTS (SELECT 1 FROM file_out_question f WHERE f.bank_id = q.bank_id AND f.question_no = q.question_no)
    UNION ALL
    SELECT 2, r.question_no FROM recall r
     WHERE r.bank_id = $1::int2 AND r.asked_at >= $2::timestamptz
       AND NOT EXISTS (SELECT 1 FROM file_out_question f WHERE f.bank_id = r.bank_id AND f.question_no = r.question_no)
), chosen AS (
    SELECT w.* FROM waiting w
     WHERE w.kind = (SELECT kind FROM waiting ORDER BY question_no LIMIT 1)
     ORDER BY w.question_no LIMIT $3::int4
)
SELECT min(kind), jsonb_build_object('questions', jsonb_agg(question_no ORDER BY question_no))::text, count(*)
  FROM chosen HAVING count(*) > 0
