-- read-only
-- What of a bank's terms its windows and deadlines follow from, times of day in seconds and spans in microseconds.
SELECT ARRAY(SELECT extract(epoch FROM c)::int4 FROM unnest(t.cutoffs) c ORDER BY c),
       ARRAY(SELECT extract(epoch FROM c)::int4 FROM unnest(t.ramadan_cutoffs) c ORDER BY c),
       (extract(epoch FROM t.answer_within) * 1000000)::int8, (extract(epoch FROM t.escalate_after) * 1000000)::int8,
       (extract(epoch FROM t.settle_within) * 1000000)::int8
  FROM bank_terms_now t WHERE t.bank_id = $1::int2
