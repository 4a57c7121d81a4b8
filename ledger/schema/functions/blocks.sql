-- Every commit in a book begins with begin_block and ends with close_block. Between the two the book is
-- ours alone: its head row is locked, so sequence, time and balances follow one after the other.

-- The clock is read after the lock: now() is the start of the transaction and would run backwards on a
-- hot book. Should the machine's clock step back, the book's does not.
CREATE OR REPLACE FUNCTION begin_block(p_book integer, OUT seq bigint, OUT block_no bigint, OUT at timestamptz)
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    SELECT h.next_seq, h.next_block, h.last_commit_at INTO seq, block_no, at
      FROM book_head h WHERE h.book_id = p_book FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no book %', p_book USING ERRCODE = 'UJ503';
    END IF;
    -- Not in the query above: it would be computed with the row, before the wait for its lock.
    at := greatest(clock_timestamp(), at + interval '1 microsecond');
END $$;

-- Writes the block and, from the journals as they are stored, one balance change an account.
-- A float that would go below zero fails here on float_not_below_zero, whoever forgot to ask first; a line on an account
-- that the book does not have (or on none), or in another currency than the account's, on what is then not known of it.
CREATE OR REPLACE FUNCTION close_block(p_book integer, p_block bigint, p_first bigint, p_last bigint, p_at timestamptz)
RETURNS void LANGUAGE plpgsql SET search_path = ujrat, pg_temp SET enable_sort = off SET jit = off AS $$    -- few shapes: hash them
BEGIN
    INSERT INTO block (book_id, block_no, first_seq, last_seq, committed_at)
    VALUES (p_book, p_block, p_first, p_last, p_at);

    -- Journals of one kind and shape touch the same accounts in the same places, a place always with the same
    -- sign: summing by place and only then unnesting is several times cheaper than unnesting every line.
    INSERT INTO account_balance (block_no, prev_block_no, balance_before, change, balance,
                                 debit_count, credit_count, book_id, account_id, floor_zero)
    WITH shape AS (
        SELECT j.line_account, j.line_ccy, count(*) AS n,
               ARRAY[sum(m[1]), sum(m[2]), sum(m[3]), sum(m[4]), sum(m[5]), sum(m[6]), sum(m[7]), sum(m[8])] AS total
          FROM (SELECT line_account, line_ccy, kind, line_minor || '{}' AS m     -- unpacked once, not for every element
                  FROM journal WHERE book_id = p_book AND seq BETWEEN p_first AND p_last OFFSET 0) j
         GROUP BY j.line_account, j.line_ccy, j.kind
    ), touched AS (
        SELECT line.account_id, line.ccy, sum(line.total)::bigint AS change,
               (sum(s.n) FILTER (WHERE line.total > 0))::bigint AS debits,
               (sum(s.n) FILTER (WHERE line.total < 0))::bigint AS credits
          FROM shape s, unnest(s.line_account, s.line_ccy, s.total) AS line (account_id, ccy, total)
         WHERE line.total IS NOT NULL
         GROUP BY line.account_id, line.ccy
    )
    SELECT p_block, last.block_no, last.balance, t.change, last.balance + t.change,
           last.debit_count + coalesce(t.debits, 0), last.credit_count + coalesce(t.credits, 0), p_book, t.account_id, a.floor_zero
      FROM touched t
      LEFT JOIN LATERAL (SELECT c.floor_zero FROM account c
                          WHERE c.book_id = p_book AND c.account_id = t.account_id AND c.ccy = t.ccy LIMIT 1) a ON true
      LEFT JOIN LATERAL (SELECT b.block_no, b.balance, b.debit_count, b.credit_count
                           FROM account_balance b
                          WHERE b.book_id = p_book AND b.account_id = t.account_id
                          ORDER BY b.block_no DESC LIMIT 1) last ON true
     ORDER BY t.account_id;

    UPDATE book_head SET next_seq = p_last + 1, next_block = p_block + 1, last_commit_at = p_at
     WHERE book_id = p_book;
END $$;

-- The balance of an account as it is now.
CREATE OR REPLACE FUNCTION current_balance(p_book integer, p_account integer) RETURNS bigint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT balance FROM account_balance
     WHERE book_id = p_book AND account_id = p_account ORDER BY block_no DESC LIMIT 1;
$$;
