-- Instructions without an answer, what banks say that settles nothing, and recalls. None of it moves money.

-- "UJ7-42" (gateway/rpc/settlement_id.h).
CREATE OR REPLACE FUNCTION instruction_id(p_book integer, p_payout bigint) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = ujrat, pg_temp AS $$ SELECT 'UJ' || p_book || '-' || p_payout $$;

-- The order number up to which a bank had been told of payouts in a book at a moment; 0: of none.
CREATE OR REPLACE FUNCTION handed_out_by(p_book integer, p_bank smallint, p_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    -- A hand-out's number is above those of its payouts: what is searched are the few that were accepted by then and told later.
    SELECT coalesce((SELECT h.last_payout_id
                       FROM (SELECT k.last_seq FROM block k WHERE k.book_id = p_book AND k.block_no = block_upto(p_book, p_at)) b
                       JOIN handout h ON h.book_id = p_book AND h.bank_id = p_bank AND h.last_payout_id <= b.last_seq
                      WHERE h.seq <= b.last_seq ORDER BY h.last_payout_id DESC LIMIT 1), 0);
$$;

-- What a bank was told before p_before and has neither answered nor been asked about since then, at most p_limit: those that were asked
-- about before first, then the others in the order of the books. inquiry_no: how often it was asked. It reads from where the
-- book's answers have no gap, and moves that mark on; two at once find the same.
CREATE OR REPLACE FUNCTION overdue_instructions(p_bank smallint, p_before timestamptz, p_limit integer)
RETURNS TABLE (book_id integer, payout_id bigint, net bigint, handed_out_at timestamptz, inquiry_no smallint, asked_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    b record;
    upto bigint;
    page record;
    missing integer := p_limit;
    got integer;
BEGIN
    RETURN QUERY
        SELECT q.book_id, q.payout_id, p.net, handed_out_at(q.book_id, q.payout_id, p_bank), q.inquiry_no, q.asked_at
          FROM inquiry_open q JOIN payout p ON p.book_id = q.book_id AND p.payout_id = q.payout_id
         WHERE q.bank_id = p_bank AND q.asked_at < p_before ORDER BY q.question_no LIMIT missing;
    GET DIAGNOSTICS got = ROW_COUNT;
    missing := missing - got;
    FOR b IN SELECT k.* FROM bank_book k WHERE k.bank_id = p_bank AND k.pending_count > 0 ORDER BY k.book_id LOOP
        upto := handed_out_by(b.book_id, p_bank, p_before);
        CONTINUE WHEN upto <= b.answered_upto;
        -- A page at a time, over what was answered meanwhile.
        LOOP
            SELECT max(o.order_no) AS last, min(o.order_no) FILTER (WHERE o.open) AS first_open, count(*) AS n INTO page
              FROM (SELECT p.order_no,
                           (SELECT t.step FROM payout_transition t WHERE t.book_id = b.book_id AND t.payout_id = p.payout_id AND t.step = 1) IS NULL
                       AND NOT EXISTS (SELECT 1 FROM inquiry_open q WHERE q.book_id = b.book_id AND q.payout_id = p.payout_id) AS open
                      FROM bank_payouts_after(b.book_id, p_bank, b.answered_upto, 2000, upto) p) o;
            EXIT WHEN page.n = 0 OR page.first_open IS NOT NULL;
            b.answered_upto := page.last;
        END LOOP;
        IF page.first_open IS NOT NULL THEN
            b.answered_upto := greatest(b.answered_upto, page.first_open - 1);
        END IF;
        -- Only ever forward; and a row that a commit under way holds can wait for the next look.
        UPDATE bank_book k SET answered_upto = b.answered_upto
         WHERE k.book_id = b.book_id AND k.bank_id = p_bank AND k.answered_upto < b.answered_upto;
        IF page.first_open IS NOT NULL AND missing > 0 THEN
            RETURN QUERY
                SELECT b.book_id, p.payout_id, p.net, handed_out_at(b.book_id, p.payout_id, p_bank), 0::smallint, NULL::timestamptz
                  FROM bank_payouts_after(b.book_id, p_bank, b.answered_upto, 2147483647, upto) p
                 WHERE (SELECT t.step FROM payout_transition t WHERE t.book_id = b.book_id AND t.payout_id = p.payout_id AND t.step = 1) IS NULL
                   AND NOT EXISTS (SELECT 1 FROM inquiry_open q WHERE q.book_id = b.book_id AND q.payout_id = p.payout_id)
                 ORDER BY p.order_no LIMIT missing;
            GET DIAGNOSTICS got = ROW_COUNT;
            missing := missing - got;
        END IF;
    END LOOP;
END $$;

-- When a bank was told of a payout.
CREATE OR REPLACE FUNCTION handed_out_at(p_book integer, p_payout bigint, p_bank smallint) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT k.committed_at
      FROM (SELECT h.seq FROM handout h WHERE h.book_id = p_book AND h.bank_id = p_bank AND h.last_payout_id >= order_number(p_book, p_payout)
             ORDER BY h.last_payout_id LIMIT 1) h
      JOIN journal j ON j.book_id = p_book AND j.seq = h.seq
      JOIN block k ON k.book_id = p_book AND k.block_no = j.block_no;
$$;

-- The next numbers of a bank's questions: the first of so many. The bank's row is locked until the commit, so that they are seen in
-- their order.
CREATE OR REPLACE FUNCTION next_questions(p_bank smallint, p_count integer) RETURNS bigint
LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    UPDATE bank SET last_question = last_question + p_count WHERE bank_id = p_bank RETURNING last_question - p_count + 1;
$$;

-- Asks a bank about instructions of one book. Those that have their answer by now, that it was never told of, or that somebody
-- asked about after p_before are passed over. p_escalated: whether a person is to be called, an instruction each. Answers the
-- number of each inquiry, in order; NULL: not asked.
CREATE OR REPLACE FUNCTION ask(p_bank smallint, p_book integer, p_payouts bigint[], p_escalated boolean[], p_before timestamptz)
RETURNS smallint[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    handed bigint;
    first_no bigint;
    asked smallint[];
BEGIN
    IF cardinality(p_payouts) IS DISTINCT FROM cardinality(p_escalated) THEN
        RAISE EXCEPTION 'each instruction is escalated or not' USING ERRCODE = 'UJ305';
    END IF;
    -- With the book locked no answer comes in between.
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    first_no := next_questions(p_bank, cardinality(p_payouts));
    handed := handed_out_upto(p_book, p_bank);
    WITH item AS MATERIALIZED (
        SELECT i.payout_id, bool_or(i.escalated) AS escalated, min(i.ord) AS ord, coalesce(max(q.inquiry_no), 0) + 1 AS no
          FROM unnest(p_payouts, p_escalated) WITH ORDINALITY i (payout_id, escalated, ord)
          JOIN payout p ON p.book_id = p_book AND p.payout_id = i.payout_id AND p.bank_id = p_bank
           AND order_number(p_book, i.payout_id) <= handed
          LEFT JOIN inquiry_open q ON q.book_id = p_book AND q.payout_id = i.payout_id
         WHERE (SELECT t.step FROM payout_transition t WHERE t.book_id = p_book AND t.payout_id = i.payout_id AND t.step = 1) IS NULL
           AND (q.asked_at IS NULL OR q.asked_at < p_before) AND coalesce(q.inquiry_no, 0) < 32767
         GROUP BY i.payout_id
    ), numbered AS MATERIALIZED (
        SELECT i.*, first_no + row_number() OVER (ORDER BY i.ord) - 1 AS question_no, clock_timestamp() AS at FROM item i
    ), rows AS (
        INSERT INTO inquiry (book_id, payout_id, inquiry_no, bank_id, question_no, asked_at, escalated)
        SELECT p_book, n.payout_id, n.no, p_bank, n.question_no, n.at, n.escalated FROM numbered n ORDER BY n.question_no
        RETURNING *
    ), opened AS (
        INSERT INTO inquiry_open AS o (book_id, payout_id, bank_id, inquiry_no, question_no, asked_at, escalated)
        SELECT r.book_id, r.payout_id, r.bank_id, r.inquiry_no, r.question_no, r.asked_at, r.escalated FROM rows r
            ON CONFLICT (book_id, payout_id) DO UPDATE SET inquiry_no = excluded.inquiry_no, question_no = excluded.question_no,
                asked_at = excluded.asked_at, escalated = excluded.escalated
    )
    SELECT array_agg(n.no::smallint ORDER BY i.ord) INTO asked
      FROM unnest(p_payouts) WITH ORDINALITY i (payout_id, ord) LEFT JOIN numbered n USING (payout_id);
    RETURN coalesce(asked, '{}');
END $$;

-- What a bank is still asked, after a number, in the order in which it was asked. kind: 1 status, 2 recall.
CREATE OR REPLACE FUNCTION open_questions(p_bank smallint, p_after bigint, p_limit integer)
RETURNS TABLE (question_no bigint, kind smallint, book_id integer, payout_id bigint, number smallint, reason_code text, asked_at timestamptz,
    net bigint, ccy smallint)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT o.question_no, o.kind, o.book_id, o.payout_id, o.number, o.reason_code, o.asked_at, p.net, p.dst_ccy
      FROM ((SELECT q.question_no, 1::smallint AS kind, q.book_id, q.payout_id, q.inquiry_no AS number, NULL AS reason_code, q.asked_at
               FROM inquiry_open q WHERE q.bank_id = p_bank AND q.question_no > p_after ORDER BY q.question_no LIMIT p_limit)
            UNION ALL
            (SELECT r.question_no, 2::smallint, r.book_id, r.payout_id, r.recall_no, r.reason_code, r.asked_at
               FROM recall r WHERE r.bank_id = p_bank AND r.question_no > p_after AND NOT recall_is_over(r.book_id, r.payout_id, r.recall_no)
              ORDER BY r.question_no LIMIT p_limit)) o
      JOIN payout p USING (book_id, payout_id)
     ORDER BY o.question_no LIMIT p_limit;
$$;

-- The bank has said that it will, or that it will not.
CREATE OR REPLACE FUNCTION recall_is_over(p_book integer, p_payout bigint, p_recall smallint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM recall_answer a WHERE a.book_id = p_book AND a.payout_id = p_payout AND a.recall_no = p_recall
                      AND a.status <> 'PDCR');
$$;

-- Asks a bank to send a payment back, or not to pay it. One recall of an instruction is open at a time: the same again is answered with
-- it, another reason is refused. p_reason: external cancellation reason ("CUST", "DUPL").
CREATE OR REPLACE FUNCTION request_recall(p_book integer, p_payout bigint, p_reason text, p_principal integer,
    OUT recall_no smallint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    who integer := settling_principal(p_principal);
    p payout;
    last recall;
    state smallint;
BEGIN
    IF p_reason IS NULL OR p_reason !~ '^[A-Z0-9]{4}$' THEN
        RAISE EXCEPTION 'a reason of four letters or digits says why' USING ERRCODE = 'UJ412';
    END IF;
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT * INTO p FROM payout q WHERE q.book_id = p_book AND q.payout_id = p_payout;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no payout %', p_payout USING ERRCODE = 'UJ408';
    END IF;
    SELECT * INTO last FROM recall r WHERE r.book_id = p_book AND r.payout_id = p_payout ORDER BY r.recall_no DESC LIMIT 1;
    IF FOUND AND NOT recall_is_over(p_book, p_payout, last.recall_no) THEN
        IF last.reason_code <> p_reason THEN
            RAISE EXCEPTION 'payout % is recalled already, for another reason', p_payout USING ERRCODE = 'UJ409';
        END IF;
        recall_no := last.recall_no;
        duplicate := true;
        RETURN;
    END IF;
    state := payout_state(p_book, p_payout, p.bank_id);
    IF state NOT IN (3, 4, 10) THEN
        RAISE EXCEPTION 'payout % is not with its bank', p_payout USING ERRCODE = 'UJ409',
            HINT = 'One that no bank knows of yet is cancelled instead.';
    END IF;
    recall_no := coalesce(last.recall_no, 0) + 1;
    duplicate := false;
    INSERT INTO recall (book_id, payout_id, recall_no, bank_id, question_no, reason_code, principal_id, asked_at)
    VALUES (p_book, p_payout, recall_no, p.bank_id, next_questions(p.bank_id, 1), p_reason, who, clock_timestamp());
END $$;

-- A bank answers a recall. 0 recorded, 1 said before, else the reason it is refused for: 421 no such recall of this bank's, 305 no
-- answer to a recall, 303 RJCR without a reason, 410 another answer than the one that ended it.
CREATE OR REPLACE FUNCTION answer_recall(p_bank smallint, p_book integer, p_payout bigint, p_recall smallint, p_status text,
    p_reason text, p_principal integer)
RETURNS smallint LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    last recall_answer;
BEGIN
    PERFORM 1 FROM bank WHERE bank_id = p_bank FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT 1 FROM recall r WHERE r.book_id = p_book AND r.payout_id = p_payout AND r.recall_no = p_recall AND r.bank_id = p_bank) THEN
        RETURN 421;
    ELSIF p_status IS NULL OR p_status NOT IN ('CNCL', 'PDCR', 'RJCR') THEN
        RETURN 305;
    ELSIF p_status = 'RJCR' AND p_reason IS NULL THEN
        RETURN 303;
    ELSIF length(p_reason) > 4 THEN
        RETURN 412;
    END IF;
    SELECT * INTO last FROM recall_answer a WHERE a.book_id = p_book AND a.payout_id = p_payout AND a.recall_no = p_recall
     ORDER BY a.answer_no DESC LIMIT 1;
    IF (last.status, last.reason_code) IS NOT DISTINCT FROM (p_status, p_reason) THEN
        RETURN 1;
    ELSIF last.status <> 'PDCR' THEN
        RETURN 410;
    ELSIF last.answer_no >= 1000 THEN
        RETURN 409;
    END IF;
    INSERT INTO recall_answer (book_id, payout_id, recall_no, answer_no, status, reason_code, answered_at, principal_id)
    VALUES (p_book, p_payout, p_recall, coalesce(last.answer_no, 0) + 1, p_status, p_reason, clock_timestamp(), p_principal);
    RETURN 0;
END $$;

-- A bank says of an instruction what settles nothing, asked or not. 0 recorded, 1 it said so last, else the reason it is refused for:
-- 411 not an instruction of this bank's, 305 not a code, or one that is definite and must be confirmed as such, 410 it is
-- confirmed. That it is blocked (BLCK) is an alert.
CREATE OR REPLACE FUNCTION note_status(p_bank smallint, p_book integer, p_payout bigint, p_status text, p_reason text)
RETURNS smallint LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    last instruction_notice;
BEGIN
    PERFORM 1 FROM bank WHERE bank_id = p_bank FOR NO KEY UPDATE;
    IF order_number(p_book, p_payout) > handed_out_upto(p_book, p_bank)
       OR NOT EXISTS (SELECT 1 FROM payout p WHERE p.book_id = p_book AND p.payout_id = p_payout AND p.bank_id = p_bank)
       OR EXISTS (SELECT 1 FROM payout_transition t WHERE t.book_id = p_book AND t.payout_id = p_payout AND t.step = 1 AND t.state = 7) THEN
        RETURN 411;
    ELSIF p_status IS NULL OR length(p_status) NOT BETWEEN 1 AND 35 OR length(p_reason) > 35 OR p_status IN ('ACSC', 'ACCC', 'RJCT') THEN
        RETURN 305;
    END IF;
    SELECT * INTO last FROM instruction_notice n WHERE n.book_id = p_book AND n.payout_id = p_payout ORDER BY n.notice_no DESC LIMIT 1;
    IF FOUND AND (last.status_code, last.reason_code) IS NOT DISTINCT FROM (p_status, p_reason) THEN
        RETURN 1;
    ELSIF EXISTS (SELECT 1 FROM payout_transition t WHERE t.book_id = p_book AND t.payout_id = p_payout AND t.step = 1) THEN
        RETURN 410;
    ELSIF last.notice_no >= 1000 THEN
        RETURN 409;
    END IF;
    INSERT INTO instruction_notice (book_id, payout_id, notice_no, bank_id, status_code, reason_code, noted_at)
    VALUES (p_book, p_payout, coalesce(last.notice_no, 0) + 1, p_bank, p_status, p_reason, clock_timestamp());
    IF p_status = 'BLCK' THEN
        PERFORM raise_alert('BLOCKED', instruction_id(p_book, p_payout),
                            (SELECT code FROM bank WHERE bank_id = p_bank) || ' says that it is blocked' || coalesce(', ' || p_reason, ''));
    END IF;
    RETURN 0;
END $$;

-- Answers to questions, of any books: one number an item, in order, as above. 421: the bank was never asked that.
CREATE OR REPLACE FUNCTION answer_questions(p_bank smallint, p_principal integer, p_items question_answer[], OUT outcome smallint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    i question_answer;
BEGIN
    PERFORM 1 FROM bank WHERE bank_id = p_bank FOR NO KEY UPDATE;
    outcome := '{}';
    FOREACH i IN ARRAY p_items LOOP
        outcome := outcome || CASE
            WHEN i.kind = 2 THEN answer_recall(p_bank, i.book_id, i.payout_id, i.number, i.status_code, i.reason_code, p_principal)
            WHEN NOT EXISTS (SELECT 1 FROM inquiry q WHERE q.book_id = i.book_id AND q.payout_id = i.payout_id
                                AND q.inquiry_no = i.number AND q.bank_id = p_bank) THEN 421::smallint
            ELSE note_status(p_bank, i.book_id, i.payout_id, i.status_code, i.reason_code) END;
    END LOOP;
END $$;
