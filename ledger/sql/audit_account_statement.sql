-- read-only
-- Lines of the account $2 of the book $1 after the journal $3, at most $4, of blocks committed after $5 and up to
-- $6. The account's balances say which blocks touch it and with how many lines, so that only blocks that are on the page
-- are read. Lines carry the balance after them, which begins with what the block began with.
-- (No journal has two lines on one account, so that a journal's number is where a page can end.)
WITH touched AS (
    SELECT v.block_no, v.balance - v.change AS before,
           lag(v.debit_count + v.credit_count) OVER w - first_value(v.debit_count + v.credit_count) OVER w AS lines_before
      FROM account_balance v
     WHERE v.book_id = $1::int4 AND v.account_id = $2::int4 AND v.block_no > 0
       AND v.block_no >= coalesce((SELECT j.block_no FROM journal j WHERE j.book_id = $1::int4 AND j.seq = $3::int8), 0)
       AND v.block_no > block_upto($1::int4, $5::timestamptz) AND v.block_no <= block_upto($1::int4, $6::timestamptz)
    WINDOW w AS (ORDER BY v.block_no)
     ORDER BY v.block_no
     LIMIT $4::int4 + 1
), needed AS (
    -- the first block, which may be on an earlier page, the second, and the others while the lines are not enough
    SELECT t.block_no, t.before FROM touched t WHERE coalesce(t.lines_before, 0) < $4::int4
), line AS (
    SELECT j.seq, j.kind, j.payout_id, k.committed_at, l.minor,
           (n.before + sum(l.minor) OVER (PARTITION BY n.block_no ORDER BY j.seq, l.ord))::int8 AS balance, l.ord
      FROM needed n
      JOIN block k ON k.book_id = $1::int4 AND k.block_no = n.block_no
      JOIN journal j ON j.book_id = $1::int4 AND j.seq BETWEEN k.first_seq AND k.last_seq
     CROSS JOIN LATERAL unnest(j.line_account, j.line_minor) WITH ORDINALITY AS l (account_id, minor, ord)
     WHERE l.account_id = $2::int4
)
SELECT l.seq, kind.name AS kind, l.committed_at, l.minor, l.balance, l.payout_id
  FROM line l JOIN journal_kind kind USING (kind)
 WHERE l.seq > $3::int8
 ORDER BY l.seq, l.ord
 LIMIT $4::int4
