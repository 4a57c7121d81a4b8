-- What banks do to payouts. Lines: docs/accounting.md.
--
-- Plans of functions last as long as the session, and the first are made while tables hold all but nothing: reading the whole
-- table is the cheapest then, and stays so until somebody analyses it. What looks rows up by key, again and again, says
-- enable_seqscan = off, asks with a lateral or a scalar subquery of one row (an EXISTS becomes a join, which may be
-- hashed), and finds one index that fits.

-- The state a payout is in now (numbers: domain/payout_state.h).
CREATE OR REPLACE FUNCTION payout_state(p_book integer, p_payout bigint, p_bank smallint) RETURNS smallint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce(
        (SELECT state FROM payout_transition WHERE book_id = p_book AND payout_id = p_payout ORDER BY step DESC LIMIT 1),
        (SELECT CASE WHEN o.order_no = 9223372036854775807 THEN 2 WHEN o.order_no <= handed_out_upto(p_book, p_bank) THEN 3 ELSE 1 END
           FROM (SELECT order_number(p_book, p_payout) AS order_no) o))::smallint;
$$;

-- Payouts of the bank up to this number of its order (order_number) have been handed out.
CREATE OR REPLACE FUNCTION handed_out_upto(p_book integer, p_bank smallint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce((SELECT last_payout_id FROM handout WHERE book_id = p_book AND bank_id = p_bank
                      ORDER BY last_payout_id DESC LIMIT 1), 0);
$$;

-- The bank's payouts with order numbers after p_after up to p_upto, in order, at most p_limit, without those that are held or were
-- refused: through the blocks that touched its payable account, so that a quiet bank does not read through a busy book. Block by
-- block in the order of the balances' key, so that it stops as soon as it has enough: hence the settings, without which all
-- that follow are hashed and sorted first. A block has payouts or a release, never both: whatever was held has its place at its last
-- release, or none.
CREATE OR REPLACE FUNCTION bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer,
    p_upto bigint DEFAULT 9223372036854775807)
RETURNS TABLE (order_no bigint, book_id integer, payout_id bigint, beneficiary_id bigint, beneficiary_version integer, gross bigint,
    net bigint, src_ccy smallint, dst_ccy smallint, info text)
LANGUAGE plpgsql STABLE SET search_path = ujrat, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
#variable_conflict use_column
DECLARE
    payable integer;
    missing integer := p_limit;
    got integer;
    k record;
    released bigint;    -- the bank's next release; NULL: there is none
BEGIN
    IF p_after = 9223372036854775807 THEN
        RETURN;     -- nothing can be after it, and one more cannot be counted
    END IF;
    SELECT a.account_id INTO payable FROM account a WHERE a.book_id = p_book AND a.role = 'payable' AND a.bank_id = p_bank AND a.ccy = 586;
    SELECT e.seq INTO released FROM payout_hold_end e
     WHERE e.book_id = p_book AND e.bank_id = p_bank AND e.outcome = 1 AND e.seq > p_after ORDER BY e.seq LIMIT 1;
    FOR k IN
        SELECT b.first_seq, b.last_seq
          FROM account_balance v JOIN block b ON b.book_id = p_book AND b.block_no = v.block_no
         WHERE v.book_id = p_book AND v.account_id = payable
           AND v.block_no >= (SELECT coalesce(max(j.block_no), 1) FROM journal j WHERE j.book_id = p_book AND j.seq = p_after)
         ORDER BY v.block_no
    LOOP
        EXIT WHEN missing <= 0 OR greatest(k.first_seq, p_after + 1) > p_upto;
        RETURN QUERY
            SELECT p.payout_id, p.book_id, p.payout_id, p.beneficiary_id, p.beneficiary_version, p.gross, p.net, p.src_ccy, p.dst_ccy, p.info
              FROM payout p
             WHERE p.book_id = p_book AND p.bank_id = p_bank
               AND p.payout_id BETWEEN greatest(k.first_seq, p_after + 1) AND least(k.last_seq, p_upto)
               AND NOT EXISTS (SELECT 1 FROM payout_hold h WHERE h.book_id = p_book AND h.payout_id = p.payout_id)
             ORDER BY p.payout_id LIMIT missing;
        GET DIAGNOSTICS got = ROW_COUNT;
        missing := missing - got;
        IF k.last_seq >= released THEN
            RETURN QUERY
                SELECT e.seq, p.book_id, p.payout_id, p.beneficiary_id, p.beneficiary_version, p.gross, p.net, p.src_ccy, p.dst_ccy, p.info
                  FROM payout_hold_end e
                 CROSS JOIN LATERAL (SELECT * FROM payout o WHERE o.book_id = p_book AND o.payout_id = e.payout_id LIMIT 1) p
                 WHERE e.book_id = p_book AND e.bank_id = p_bank AND e.outcome = 1
                   AND e.seq BETWEEN greatest(k.first_seq, p_after + 1) AND least(k.last_seq, p_upto)
                   AND NOT EXISTS (SELECT 1 FROM payout_hold h WHERE h.book_id = p_book AND h.payout_id = e.payout_id AND h.hold_no > e.hold_no)
                 ORDER BY e.seq LIMIT missing;
            GET DIAGNOSTICS got = ROW_COUNT;
            missing := missing - got;
            released := (SELECT min(e.seq) FROM payout_hold_end e
                          WHERE e.book_id = p_book AND e.bank_id = p_bank AND e.outcome = 1 AND e.seq > k.last_seq);
        END IF;
    END LOOP;
END $$;

-- Hands the next payouts to their bank: from here on they are INSTRUCTED and cannot be cancelled. Answers how
-- far the bank has now been told, whether that is further than before, and whether a limit, or that its first window is not
-- open yet, kept some back. This is what a bank's own stream asks: to a bank that settles by windows, or by files, nothing is
-- handed out so.
CREATE OR REPLACE FUNCTION hand_out(p_book integer, p_bank smallint, p_principal integer, p_limit integer,
    OUT last_payout_id bigint, OUT moved boolean, OUT kept_back boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM bank_terms_now t WHERE t.bank_id = p_bank AND (t.mode = 'windows' OR t.channel = 'file')) THEN
        last_payout_id := handed_out_upto(p_book, p_bank);
        moved := false;
        kept_back := false;
        RETURN;
    END IF;
    SELECT h.last_payout_id, h.moved, h.kept_back INTO last_payout_id, moved, kept_back
      FROM hand_out_to_bank(p_book, p_bank, p_principal, p_limit) h;
END $$;

-- The same, whatever the bank's terms say of mode and channel: for who closes windows and writes files. And what it came to.
CREATE OR REPLACE FUNCTION hand_out_window(p_book integer, p_bank smallint, p_principal integer, p_limit integer,
    OUT last_payout_id bigint, OUT moved boolean, OUT kept_back boolean, OUT instructions bigint, OUT amount bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    SELECT h.* INTO last_payout_id, moved, kept_back, instructions, amount
      FROM hand_out_to_bank(p_book, p_bank, settling_principal(p_principal), p_limit) h;
END $$;

-- What may still be handed out to a bank: the window's maximum and the net debit cap, less what there is. NULL: no bound.
-- True for as long as the bank's head row is locked; what comes in meanwhile (answers, returns, funding) only makes room.
CREATE OR REPLACE FUNCTION hand_out_room(p_bank smallint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT least(t.window_max - h.window_amount, CASE WHEN t.net_debit_cap IS NOT NULL THEN t.net_debit_cap - bank_exposure(p_bank) END)
      FROM bank_terms_now t JOIN bank_head h USING (bank_id) WHERE t.bank_id = p_bank;
$$;

-- What a bank has at stake, over all books: what it was told to pay and has not answered, and what it paid and was not made good
-- for (less what it was prefunded with). Of one moment: an answer moves it from the one to the other in one commit.
CREATE OR REPLACE FUNCTION bank_exposure(p_bank smallint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT (coalesce((SELECT sum(pending_amount) FROM bank_book WHERE bank_id = p_bank), 0)
          - coalesce((SELECT sum(current_balance(book_id, account_id)) FROM account WHERE bank_id = p_bank AND role = 'nostro'), 0))::bigint;
$$;

CREATE OR REPLACE FUNCTION hand_out_to_bank(p_book integer, p_bank smallint, p_principal integer, p_limit integer,
    OUT last_payout_id bigint, OUT moved boolean, OUT kept_back boolean, OUT instructions bigint, OUT amount bigint)
LANGUAGE plpgsql SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    head record;
    next record;
    open_window bigint;
    room bigint;
BEGIN
    last_payout_id := handed_out_upto(p_book, p_bank);
    moved := false;
    kept_back := false;
    instructions := 0;
    amount := 0;
    -- A look without the lock: most of the time there is nothing new.
    IF NOT EXISTS (SELECT 1 FROM bank_payouts_after(p_book, p_bank, last_payout_id, 1)) THEN
        RETURN;
    END IF;
    head := begin_block(p_book);
    IF EXISTS (SELECT 1 FROM bank_terms_now t WHERE t.bank_id = p_bank) THEN
        -- From here on no window of the bank closes and no other book hands out to it: what is counted below stays true.
        SELECT h.window_no INTO open_window FROM bank_head h WHERE h.bank_id = p_bank FOR UPDATE;
        IF NOT FOUND THEN
            kept_back := true;
            RETURN;
        END IF;
        room := hand_out_room(p_bank);
    END IF;
    last_payout_id := handed_out_upto(p_book, p_bank);
    -- As many as fit, in order; one that was cancelled takes no room.
    SELECT max(w.order_no) FILTER (WHERE w.fits) AS upto, count(*) FILTER (WHERE w.fits AND w.due > 0) AS n,
           coalesce(sum(w.due) FILTER (WHERE w.fits), 0)::bigint AS due, coalesce(bool_or(NOT w.fits), false) AS too_much
      INTO next
      FROM (SELECT d.order_no, d.due, room IS NULL OR sum(d.due) OVER w IN (0, least(sum(d.due) OVER w, room)) AS fits
              FROM (SELECT p.order_no, CASE WHEN t.state IS NULL THEN p.net ELSE 0 END AS due
                      FROM bank_payouts_after(p_book, p_bank, last_payout_id, p_limit) p
                      LEFT JOIN LATERAL (SELECT t.state FROM payout_transition t
                                          WHERE t.book_id = p_book AND t.payout_id = p.payout_id AND t.step = 1 LIMIT 1) t ON true) d
            WINDOW w AS (ORDER BY d.order_no)) w;
    kept_back := next.too_much;
    IF next.upto IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail)
    VALUES (head.seq, head.block_no, p_book, p_principal, 2, '{}', '{}', '{}', 'window ' || open_window);
    INSERT INTO handout (book_id, bank_id, last_payout_id, prev_payout_id, seq, window_no, instructions, amount)
    VALUES (p_book, p_bank, next.upto, last_payout_id, head.seq, open_window, next.n, next.due);
    INSERT INTO bank_book AS b (book_id, bank_id, pending_count, pending_amount) VALUES (p_book, p_bank, next.n, next.due)
        ON CONFLICT (book_id, bank_id) DO UPDATE SET pending_count = b.pending_count + excluded.pending_count,
                                                     pending_amount = b.pending_amount + excluded.pending_amount;
    IF open_window IS NOT NULL THEN
        UPDATE bank_head SET window_instructions = window_instructions + next.n, window_amount = window_amount + next.due
         WHERE bank_id = p_bank;
    END IF;
    PERFORM close_block(p_book, head.block_no, head.seq, head.seq, head.at);
    last_payout_id := next.upto;
    moved := true;
    instructions := next.n;
    amount := next.due;
END $$;

-- A bank says what became of its instructions: one call a book. Answers one number an item, in order: 0 recorded,
-- 1 said before, else the reason it is refused for. Items of one payout are taken in order.
CREATE OR REPLACE FUNCTION confirm_instructions(p_book integer, p_bank smallint, p_principal integer,
    p_items confirmation_draft[], OUT outcome smallint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    head record;
    handed bigint;
    written record;
BEGIN
    head := begin_block(p_book);
    handed := handed_out_upto(p_book, p_bank);

    -- Each item is judged against what is stored; of those that could be recorded, the first of each payout is, and
    -- the later ones are judged against it.
    SELECT array_agg(CASE WHEN v.verdict <> 0 OR v.nth = 1 THEN v.verdict WHEN v.same THEN 1 ELSE 410 END::smallint ORDER BY v.ord)
      INTO outcome
      FROM (SELECT d.ord, d.verdict, row_number() OVER first AS nth,
                   (d.state, d.bank_reference, d.tax_withheld, d.eprc_number, d.reason_code)
                   IS NOT DISTINCT FROM
                   (first_value(d.state) OVER first, first_value(d.bank_reference) OVER first,
                    first_value(d.tax_withheld) OVER first, first_value(d.eprc_number) OVER first,
                    first_value(d.reason_code) OVER first) AS same
              FROM (SELECT i.*, CASE
                        WHEN p.payout_id IS NULL OR p.bank_id <> p_bank OR coalesce(held.order_no, p.payout_id) > handed
                        THEN 411                                                                  -- INSTRUCTION_NOT_FOUND
                        WHEN said.state = 7 THEN 411                                  -- cancelled before it was handed out
                        WHEN i.ccy <> p.dst_ccy THEN 108                                                  -- CURRENCY_MISMATCH
                        WHEN i.amount <> p.net THEN 305                                                   -- FIELD_INVALID
                        WHEN i.tax_withheld > p.net THEN 102                                              -- AMOUNT_OVER_LIMIT
                        WHEN said.step IS NULL THEN 0
                        WHEN (said.state, said.bank_reference, said.tax_withheld, said.eprc_number, said.reason_code)
                             IS NOT DISTINCT FROM (i.state, i.bank_reference, i.tax_withheld, i.eprc_number, i.reason_code) THEN 1
                        ELSE 410 END AS verdict                                               -- ALREADY_CONFIRMED_DIFFERENTLY
                      FROM unnest(p_items) WITH ORDINALITY AS i
                           (payout_id, state, ccy, amount, bank_reference, tax_withheld, eprc_number, reason_code, ord)
                      -- laterals with a limit: by their keys, or the planner reads all payouts of the book
                      LEFT JOIN LATERAL (SELECT q.payout_id, q.bank_id, q.dst_ccy, q.net FROM payout q
                                          WHERE q.book_id = p_book AND q.payout_id = i.payout_id LIMIT 1) p ON true
                      LEFT JOIN LATERAL (SELECT l.order_no FROM payout_hold_last l
                                          WHERE l.book_id = p_book AND l.payout_id = i.payout_id LIMIT 1) held ON true
                      LEFT JOIN LATERAL (SELECT * FROM payout_transition t
                                          WHERE t.book_id = p_book AND t.payout_id = i.payout_id AND t.step = 1 LIMIT 1) said ON true) d
            WINDOW first AS (PARTITION BY d.payout_id, d.verdict ORDER BY d.ord)) v;

    WITH item AS MATERIALIZED (
        SELECT d.*, head.seq + row_number() OVER (ORDER BY d.ord) - 1 AS seq, p.net, p.dst_ccy,
               payable.account_id AS payable, nostro.account_id AS nostro, j.line_account, j.line_ccy, j.line_minor
          FROM unnest(p_items, outcome) WITH ORDINALITY AS d
               (payout_id, state, ccy, amount, bank_reference, tax_withheld, eprc_number, reason_code, verdict, ord)
         CROSS JOIN LATERAL (SELECT q.net, q.dst_ccy FROM payout q WHERE q.book_id = p_book AND q.payout_id = d.payout_id LIMIT 1) p
          JOIN account payable ON payable.book_id = p_book AND payable.role = 'payable' AND payable.ccy = p.dst_ccy AND payable.bank_id = p_bank
          JOIN account nostro ON nostro.book_id = p_book AND nostro.role = 'nostro' AND nostro.ccy = p.dst_ccy AND nostro.bank_id = p_bank
          -- only what is rejected needs the lines that it undoes
          LEFT JOIN LATERAL (SELECT a.line_account, a.line_ccy, a.line_minor FROM journal a
                              WHERE d.state = 5 AND a.book_id = p_book AND a.seq = d.payout_id LIMIT 1) j ON true
         WHERE d.verdict = 0
    ), journals AS (
        INSERT INTO journal (seq, block_no, payout_id, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor)
        SELECT seq, head.block_no, payout_id, CASE WHEN state = 5 THEN payout_id END, p_book, p_principal,
               CASE state WHEN 4 THEN 3 ELSE 4 END,
               CASE state WHEN 4 THEN ARRAY[payable, nostro] ELSE line_account END,
               CASE state WHEN 4 THEN ARRAY[dst_ccy, dst_ccy] ELSE line_ccy END,
               CASE state WHEN 4 THEN ARRAY[net, -net] ELSE negated(line_minor) END
          FROM item ORDER BY seq
    ), transitions AS (
        INSERT INTO payout_transition (book_id, payout_id, step, state, seq, reason_code, bank_reference, tax_withheld, eprc_number)
        SELECT p_book, payout_id, 1, state, seq, reason_code, bank_reference, tax_withheld, eprc_number
          FROM item ORDER BY seq
    )
    SELECT count(*)::integer AS n, sum(net)::bigint AS amount INTO written FROM item;
    IF written.n <> (SELECT count(*) FROM unnest(outcome) o WHERE o = 0) THEN
        RAISE EXCEPTION 'confirm_instructions wrote % of its confirmations', written.n;
    END IF;
    IF written.n > 0 THEN
        -- They are not pending any more, and not asked about.
        UPDATE bank_book SET pending_count = pending_count - written.n, pending_amount = pending_amount - written.amount
         WHERE book_id = p_book AND bank_id = p_bank;
        IF EXISTS (SELECT 1 FROM inquiry_open q WHERE q.bank_id = p_bank) THEN
            DELETE FROM inquiry_open q USING unnest(p_items, outcome) i (payout_id, state, ccy, amount, bank_reference,
                tax_withheld, eprc_number, reason_code, verdict)
             WHERE i.verdict = 0 AND q.book_id = p_book AND q.payout_id = i.payout_id;
        END IF;
        PERFORM close_block(p_book, head.block_no, head.seq, head.seq + written.n - 1, head.at);
    END IF;
END $$;

-- The lines of the opposite journal.
CREATE OR REPLACE FUNCTION negated(p_minor bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(-m ORDER BY i) FROM unnest(p_minor) WITH ORDINALITY t (m, i) $$;

-- Undoes a payout: reverses the journal that accepted it, and the one that settled it if there is one.
CREATE OR REPLACE FUNCTION reverse_payout(p_book integer, p_principal integer, p_payout bigint, p_step smallint, p_state smallint,
    p_settled_seq bigint, p_reason text, p_reference text)
RETURNS timestamptz LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    head record;
    at_seq bigint;
BEGIN
    head := begin_block(p_book);
    at_seq := head.seq;
    IF p_settled_seq IS NOT NULL THEN
        INSERT INTO journal (seq, block_no, payout_id, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor)
        SELECT at_seq, head.block_no, p_payout, j.seq, p_book, p_principal, 5, j.line_account, j.line_ccy, negated(j.line_minor)
          FROM journal j WHERE j.book_id = p_book AND j.seq = p_settled_seq;
        at_seq := at_seq + 1;
    END IF;
    INSERT INTO journal (seq, block_no, payout_id, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor)
    SELECT at_seq, head.block_no, p_payout, j.seq, p_book, p_principal, CASE p_state WHEN 6 THEN 6 ELSE 7 END,
           j.line_account, j.line_ccy, negated(j.line_minor)
      FROM journal j WHERE j.book_id = p_book AND j.seq = p_payout;
    INSERT INTO payout_transition (book_id, payout_id, step, state, seq, reason_code, bank_reference)
    VALUES (p_book, p_payout, p_step, p_state, at_seq, p_reason, p_reference);
    PERFORM close_block(p_book, head.block_no, head.seq, at_seq, head.at);
    RETURN head.at;
END $$;

-- Takes a payout back before its bank is told; not one that is held. A cancelled one stays cancelled: asking again is answered the same.
CREATE OR REPLACE FUNCTION cancel_payout(p_book integer, p_principal integer, p_payout bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    p payout;
    state smallint;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT * INTO p FROM payout WHERE book_id = p_book AND payout_id = p_payout;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no payout %', p_payout USING ERRCODE = 'UJ408';
    END IF;
    state := payout_state(p_book, p_payout, p.bank_id);
    IF state = 7 THEN
        RETURN;
    ELSIF state = 2 THEN
        RAISE EXCEPTION 'payout % is held', p_payout USING ERRCODE = 'UJ409';
    ELSIF state <> 1 THEN
        RAISE EXCEPTION 'payout % cannot be cancelled any more', p_payout USING ERRCODE = 'UJ409';
    END IF;
    PERFORM reverse_payout(p_book, p_principal, p_payout, 1::smallint, 7::smallint, NULL, NULL, NULL);
END $$;
