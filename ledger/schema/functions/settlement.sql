-- What banks do to payouts. Lines: docs/accounting.md.

-- The state a payout is in now (numbers: domain/payout_state.h).
CREATE OR REPLACE FUNCTION payout_state(p_book integer, p_payout bigint, p_bank smallint) RETURNS smallint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce(
        (SELECT state FROM payout_transition WHERE book_id = p_book AND payout_id = p_payout ORDER BY step DESC LIMIT 1),
        CASE WHEN p_payout <= handed_out_upto(p_book, p_bank) THEN 3 ELSE 1 END)::smallint;
$$;

-- Payouts of the bank up to this one have been handed out.
CREATE OR REPLACE FUNCTION handed_out_upto(p_book integer, p_bank smallint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce((SELECT last_payout_id FROM handout WHERE book_id = p_book AND bank_id = p_bank
                      ORDER BY last_payout_id DESC LIMIT 1), 0);
$$;

-- The bank's payouts after p_after up to p_upto, in order, at most p_limit: through the blocks that touched its
-- payable account, so that a quiet bank does not read through a busy book. Block by block in the order of the
-- balances' key, so that it stops as soon as it has enough: hence the settings, without which all that follow
-- are hashed and sorted first.
CREATE OR REPLACE FUNCTION bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer,
    p_upto bigint DEFAULT 9223372036854775807)
RETURNS SETOF payout LANGUAGE plpgsql STABLE SET search_path = ujrat, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    payable integer;
    missing integer := p_limit;
    got integer;
    k record;
BEGIN
    IF p_after = 9223372036854775807 THEN
        RETURN;     -- nothing can be after it, and one more cannot be counted
    END IF;
    SELECT account_id INTO payable FROM account WHERE book_id = p_book AND role = 'payable' AND bank_id = p_bank AND ccy = 586;
    FOR k IN
        SELECT b.first_seq, b.last_seq
          FROM account_balance v JOIN block b ON b.book_id = p_book AND b.block_no = v.block_no
         WHERE v.book_id = p_book AND v.account_id = payable
           AND v.block_no >= (SELECT coalesce(max(j.block_no), 1) FROM journal j WHERE j.book_id = p_book AND j.seq = p_after)
         ORDER BY v.block_no
    LOOP
        EXIT WHEN missing <= 0 OR greatest(k.first_seq, p_after + 1) > p_upto;
        RETURN QUERY
            SELECT * FROM payout p
             WHERE p.book_id = p_book AND p.bank_id = p_bank
               AND p.payout_id BETWEEN greatest(k.first_seq, p_after + 1) AND least(k.last_seq, p_upto)
             ORDER BY p.payout_id LIMIT missing;
        GET DIAGNOSTICS got = ROW_COUNT;
        missing := missing - got;
    END LOOP;
END $$;

-- Hands the next payouts to their bank: from here on they are INSTRUCTED and cannot be cancelled. Answers how
-- far the bank has now been told, and whether that is further than before.
CREATE OR REPLACE FUNCTION hand_out(p_book integer, p_bank smallint, p_principal integer, p_limit integer,
    OUT last_payout_id bigint, OUT moved boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    head record;
    upto bigint;
BEGIN
    last_payout_id := handed_out_upto(p_book, p_bank);
    moved := false;
    -- A look without the lock: most of the time there is nothing new.
    IF NOT EXISTS (SELECT 1 FROM bank_payouts_after(p_book, p_bank, last_payout_id, 1)) THEN
        RETURN;
    END IF;
    head := begin_block(p_book);
    last_payout_id := handed_out_upto(p_book, p_bank);
    SELECT max(p.payout_id) INTO upto FROM bank_payouts_after(p_book, p_bank, last_payout_id, p_limit) p;
    IF upto IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor)
    VALUES (head.seq, head.block_no, p_book, p_principal, 2, '{}', '{}', '{}');
    INSERT INTO handout (book_id, bank_id, last_payout_id, prev_payout_id, seq)
    VALUES (p_book, p_bank, upto, last_payout_id, head.seq);
    PERFORM close_block(p_book, head.block_no, head.seq, head.seq, head.at);
    last_payout_id := upto;
    moved := true;
END $$;

-- A bank says what became of its instructions: one call a book. Answers one number an item, in order: 0 recorded,
-- 1 said before, else the reason it is refused for. Items of one payout are taken in order.
CREATE OR REPLACE FUNCTION confirm_instructions(p_book integer, p_bank smallint, p_principal integer,
    p_items confirmation_draft[], OUT outcome smallint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    head record;
    handed bigint;
    written integer;
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
                        WHEN p.payout_id IS NULL OR p.bank_id <> p_bank OR p.payout_id > handed THEN 411  -- INSTRUCTION_NOT_FOUND
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
                      LEFT JOIN payout p ON p.book_id = p_book AND p.payout_id = i.payout_id
                      LEFT JOIN payout_transition said ON said.book_id = p_book AND said.payout_id = i.payout_id AND said.step = 1) d
            WINDOW first AS (PARTITION BY d.payout_id, d.verdict ORDER BY d.ord)) v;

    WITH item AS MATERIALIZED (
        SELECT d.*, head.seq + row_number() OVER (ORDER BY d.ord) - 1 AS seq, p.net, p.dst_ccy,
               payable.account_id AS payable, nostro.account_id AS nostro, j.line_account, j.line_ccy, j.line_minor
          FROM unnest(p_items, outcome) WITH ORDINALITY AS d
               (payout_id, state, ccy, amount, bank_reference, tax_withheld, eprc_number, reason_code, verdict, ord)
          JOIN payout p ON p.book_id = p_book AND p.payout_id = d.payout_id
          JOIN account payable ON payable.book_id = p_book AND payable.role = 'payable' AND payable.ccy = p.dst_ccy AND payable.bank_id = p_bank
          JOIN account nostro ON nostro.book_id = p_book AND nostro.role = 'nostro' AND nostro.ccy = p.dst_ccy AND nostro.bank_id = p_bank
          JOIN journal j ON j.book_id = p_book AND j.seq = d.payout_id
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
    SELECT count(*)::integer INTO written FROM item;
    IF written <> (SELECT count(*) FROM unnest(outcome) o WHERE o = 0) THEN
        RAISE EXCEPTION 'confirm_instructions wrote % of its confirmations', written;
    END IF;
    IF written > 0 THEN
        PERFORM close_block(p_book, head.block_no, head.seq, head.seq + written - 1, head.at);
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

-- Takes a payout back before its bank is told. A cancelled one stays cancelled: asking again is answered the same.
CREATE OR REPLACE FUNCTION cancel_payout(p_book integer, p_principal integer, p_payout bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
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
    ELSIF state <> 1 THEN
        RAISE EXCEPTION 'payout % cannot be cancelled any more', p_payout USING ERRCODE = 'UJ409';
    END IF;
    PERFORM reverse_payout(p_book, p_principal, p_payout, 1::smallint, 7::smallint, NULL, NULL, NULL);
END $$;
