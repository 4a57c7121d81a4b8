-- read-only
-- Journals of the book $1 after the number $2, at most $3, of blocks committed after $4 and up to $5: one row a line;
-- a journal without lines is one row without account. Columns: audit_payout_trail.sql has the same from seq on.
WITH page AS (
    SELECT j.*
      FROM journal j
     WHERE j.book_id = $1::int4
       AND j.seq > greatest($2::int8, (SELECT max(k.last_seq) FROM block k WHERE k.book_id = $1::int4
                                          AND k.block_no = block_upto($1::int4, $4::timestamptz)))
       AND j.seq <= coalesce((SELECT max(k.last_seq) FROM block k WHERE k.book_id = $1::int4
                                          AND k.block_no = block_upto($1::int4, $5::timestamptz)), 0)
     ORDER BY j.seq
     LIMIT $3::int4
)
SELECT j.seq, kind.name AS kind, j.block_no, k.committed_at, coalesce(pr.uri, 'principal ' || j.principal_id) AS actor, j.payout_id, j.reverses_seq,
       coalesce(j.detail, concat_ws(' ', t.reason_code, t.bank_reference), '') AS description,
       a.code AS account, line.ccy, line.minor
  FROM page j
  JOIN journal_kind kind USING (kind)
  JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
  LEFT JOIN principal pr USING (principal_id)     -- a journal is shown whoever it says it is by
  LEFT JOIN LATERAL (SELECT * FROM payout_transition t WHERE t.book_id = j.book_id AND t.seq = j.seq AND t.seq > 0 LIMIT 1) t ON true
  LEFT JOIN LATERAL unnest(j.line_account, j.line_ccy, j.line_minor) WITH ORDINALITY AS line (account_id, ccy, minor, ord) ON true
  LEFT JOIN account a ON a.book_id = j.book_id AND a.account_id = line.account_id
 ORDER BY j.seq, line.ord
