-- What readers ask that a plain query cannot answer well.

-- The last block of the book committed at or before p_at; 0: none was. Times rise from block to block, and numbers
-- have no gap, so that it is found by halving: no index on times is kept for the sake of it.
CREATE OR REPLACE FUNCTION block_upto(p_book integer, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = ujrat, pg_temp AS $$
DECLARE
    low bigint := 0;        -- this one was committed by then (block 0 is the opening)
    high bigint;            -- this one was not
    middle bigint;
BEGIN
    SELECT coalesce(max(block_no), 0) + 1 INTO high FROM block WHERE book_id = p_book;
    WHILE low + 1 < high LOOP
        middle := (low + high) / 2;
        IF (SELECT committed_at <= p_at FROM block WHERE book_id = p_book AND block_no = middle) THEN
            low := middle;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- A moment that is over: whatever will be committed from now on in the book (0: in any) carries a later time, and
-- whatever carries an earlier one can be read by statements that begin after this one. It waits for commits that
-- are under way, by taking the lock that they hold. Should the machine's clock have stepped back, the book's last
-- commit is the later of the two: what is in the book is not in its future.
CREATE OR REPLACE FUNCTION moment_past(p_book integer) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    last timestamptz;
BEGIN
    SELECT max(h.last_commit_at) INTO last
      FROM (SELECT book_id, last_commit_at FROM book_head WHERE p_book IN (0, book_id) ORDER BY book_id FOR SHARE) h
     WHERE h.book_id = p_book;
    RETURN greatest(clock_timestamp(), last);
END $$;
