-- A batch of payouts as one commit. Safe to ask again: it is known by its names.
SELECT verdict, batch_id, committed_at, same_body, same_names
  FROM submit_batch($1::int4, $2::int4, $3::int4, $4, $5, $6, $7, $8, $9::int2, $10::int8, $11::int8, $12, $13)
