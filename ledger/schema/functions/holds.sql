-- Holds (docs/holds.md). A payout that no bank was told of is held, and two operators release or refuse it. The book's head is locked first, as
-- everywhere: of a hold and a hand-out at the same time the second finds what the first did.

-- The number of a payout in its bank's order: of one that was released the seq of its last HOLD_RELEASED, else its own. No hand-out
-- reaches what is held, or was refused: the largest number there is. Once a bank was told of a payout its number stays.
CREATE OR REPLACE FUNCTION order_number(p_book integer, p_payout bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce((SELECT order_no FROM payout_hold_last WHERE book_id = p_book AND payout_id = p_payout LIMIT 1), p_payout);
$$;

-- The account that held money of a currency is in; made by the first. What is in it is never less than nothing.
CREATE OR REPLACE FUNCTION open_held_account(p_book integer, p_ccy smallint) RETURNS integer
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM account WHERE book_id = p_book AND role = 'held' AND ccy = p_ccy) THEN
        PERFORM add_account(p_book, 'held.' || code, 'held', 'LIABILITY', 'credit', ccy, NULL, true) FROM currency WHERE ccy = p_ccy;
    END IF;
    RETURN (SELECT account_id FROM account WHERE book_id = p_book AND role = 'held' AND ccy = p_ccy);
END $$;

-- Holds a payout, in a block of its own, for whoever is said to. Refused (408, 409) where there is none, or it is not ACCEPTED.
CREATE OR REPLACE FUNCTION hold_payout(p_book integer, p_payout bigint, p_principal integer, p_reason text, p_detail text, p_evidence jsonb,
    p_queue text, p_deadline timestamptz, OUT hold_no smallint, OUT seq bigint)
LANGUAGE plpgsql SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    head record;
    p payout;
    state smallint;
    payable integer;
    held integer;
BEGIN
    head := begin_block(p_book);
    SELECT * INTO p FROM payout o WHERE o.book_id = p_book AND o.payout_id = p_payout;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no payout %', p_payout USING ERRCODE = 'UJ408';
    END IF;
    state := payout_state(p_book, p_payout, p.bank_id);
    IF state = 3 THEN
        RAISE EXCEPTION 'payout % cannot be held: its bank was told already', p_payout USING ERRCODE = 'UJ409';
    ELSIF state <> 1 THEN
        RAISE EXCEPTION 'payout % cannot be held: it is held, or at an end', p_payout USING ERRCODE = 'UJ409';
    ELSIF p_deadline IS NULL OR p_deadline <= head.at THEN
        RAISE EXCEPTION 'the deadline is a time to come' USING ERRCODE = 'UJ305';
    END IF;
    hold_no := (SELECT coalesce(max(h.hold_no), 0) + 1 FROM payout_hold h WHERE h.book_id = p_book AND h.payout_id = p_payout);
    IF hold_no > 1000 THEN
        RAISE EXCEPTION 'payout % was held too often', p_payout USING ERRCODE = 'UJ409';
    END IF;
    seq := head.seq;
    held := open_held_account(p_book, p.dst_ccy);
    SELECT account_id INTO payable FROM account a
     WHERE a.book_id = p_book AND a.role = 'payable' AND a.ccy = p.dst_ccy AND a.bank_id = p.bank_id;
    INSERT INTO journal (seq, block_no, payout_id, book_id, principal_id, kind, line_account, line_ccy, line_minor)
    VALUES (head.seq, head.block_no, p_payout, p_book, p_principal, 18, ARRAY[payable, held], ARRAY[p.dst_ccy, p.dst_ccy], ARRAY[p.net, -p.net]);
    INSERT INTO payout_hold (book_id, payout_id, hold_no, reason, seq, detail, evidence, detail_sha256, evidence_sha256, queue, deadline,
                             principal_id, held_at)
    VALUES (p_book, p_payout, hold_payout.hold_no, p_reason, head.seq, p_detail, p_evidence, sha256(convert_to(p_detail, 'UTF8')),
            sha256(convert_to(p_evidence::text, 'UTF8')), p_queue, p_deadline, p_principal, head.at);
    INSERT INTO payout_hold_open (book_id, payout_id, hold_no, queue, deadline)
    VALUES (p_book, p_payout, hold_payout.hold_no, p_queue, p_deadline);
    PERFORM close_block(p_book, head.block_no, head.seq, head.seq, head.at);
END $$;

-- An operator holds a payout. The same again, while that hold is open, is answered with it; duplicate says so.
CREATE OR REPLACE FUNCTION place_hold(p_book integer, p_payout bigint, p_reason text, p_detail text, p_evidence jsonb, p_queue text,
    p_deadline timestamptz, OUT hold_no smallint, OUT seq bigint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    who integer := operator_principal();
    old payout_hold;
BEGIN
    IF p_reason IS NULL OR p_reason NOT IN ('OPERATOR', 'SCREENING', 'LIMIT', 'VELOCITY', 'NAME_MISMATCH', 'TRAVEL_RULE') THEN
        RAISE EXCEPTION 'the reason is OPERATOR, SCREENING, LIMIT, VELOCITY, NAME_MISMATCH or TRAVEL_RULE' USING ERRCODE = 'UJ305';
    ELSIF p_detail IS NOT NULL AND (length(btrim(p_detail)) = 0 OR length(p_detail) > 500) THEN
        RAISE EXCEPTION 'the detail has 1 to 500 characters' USING ERRCODE = 'UJ305';
    ELSIF length(p_evidence::text) > 65536 THEN
        RAISE EXCEPTION 'the evidence has at most 65536 characters' USING ERRCODE = 'UJ305';
    ELSIF p_queue IS NULL OR p_queue !~ '^[a-z0-9-]{1,32}$' THEN
        RAISE EXCEPTION 'the queue''s name is 1 to 32 of a-z, 0-9 and -' USING ERRCODE = 'UJ305';
    END IF;
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT h.* INTO old FROM payout_hold_open o JOIN payout_hold h USING (book_id, payout_id, hold_no)
     WHERE o.book_id = p_book AND o.payout_id = p_payout;
    duplicate := coalesce((old.reason, old.queue, old.principal_id) = (p_reason, p_queue, who)
                          AND (old.detail, old.evidence) IS NOT DISTINCT FROM (p_detail, p_evidence), false);
    IF duplicate THEN
        hold_no := old.hold_no;
        seq := old.seq;
    ELSE
        SELECT h.hold_no, h.seq INTO hold_no, seq FROM hold_payout(p_book, p_payout, who, p_reason, p_detail, p_evidence, p_queue, p_deadline) h;
    END IF;
END $$;

-- The hold that is spoken of, with the book ours from here on.
CREATE OR REPLACE FUNCTION lock_hold(p_book integer, p_payout bigint, p_hold smallint) RETURNS payout_hold
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    h payout_hold;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT * INTO h FROM payout_hold x WHERE x.book_id = p_book AND x.payout_id = p_payout AND x.hold_no = p_hold;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM payout o WHERE o.book_id = p_book AND o.payout_id = p_payout) THEN
            RAISE EXCEPTION 'no payout %', p_payout USING ERRCODE = 'UJ408';
        END IF;
        RAISE EXCEPTION 'payout % has no hold %', p_payout, p_hold USING ERRCODE = 'UJ409';
    END IF;
    RETURN h;
END $$;

CREATE OR REPLACE FUNCTION add_hold_decision(h payout_hold, p_decision text, p_note text, p_who integer) RETURNS smallint
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    n integer := (SELECT coalesce(max(d.decision_no), 0) + 1 FROM payout_hold_decision d
                   WHERE d.book_id = h.book_id AND d.payout_id = h.payout_id AND d.hold_no = h.hold_no);
BEGIN
    IF length(btrim(p_note)) IS NULL OR length(btrim(p_note)) = 0 OR length(p_note) > 500 THEN
        RAISE EXCEPTION 'the note has 1 to 500 characters' USING ERRCODE = 'UJ305';
    ELSIF n > 1000 THEN
        RAISE EXCEPTION 'too much was decided of hold %', h.hold_no USING ERRCODE = 'UJ409';
    END IF;
    INSERT INTO payout_hold_decision (book_id, payout_id, hold_no, decision_no, decision, note, note_sha256, principal_id, decided_at)
    VALUES (h.book_id, h.payout_id, h.hold_no, n, p_decision, p_note, sha256(convert_to(p_note, 'UTF8')), p_who, clock_timestamp());
    RETURN n;
END $$;

-- Carries out what two have decided: the journals, in one block, and the end.
CREATE OR REPLACE FUNCTION end_hold(h payout_hold, p_refuse boolean, p_first smallint, p_second smallint, p_who integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    head record := begin_block(h.book_id);
BEGIN
    INSERT INTO journal (seq, block_no, payout_id, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor)
    SELECT head.seq, head.block_no, h.payout_id, j.seq, h.book_id, p_who, CASE WHEN p_refuse THEN 20 ELSE 19 END,
           j.line_account, j.line_ccy, negated(j.line_minor)
      FROM journal j WHERE j.book_id = h.book_id AND j.seq = h.seq;
    INSERT INTO payout_hold_end (book_id, payout_id, hold_no, outcome, seq, bank_id, first_decision, second_decision)
    SELECT h.book_id, h.payout_id, h.hold_no, CASE WHEN p_refuse THEN 2 ELSE 1 END, head.seq, p.bank_id, p_first, p_second
      FROM payout p WHERE p.book_id = h.book_id AND p.payout_id = h.payout_id;
    DELETE FROM payout_hold_open o WHERE o.book_id = h.book_id AND o.payout_id = h.payout_id;
    IF p_refuse THEN
        INSERT INTO journal (seq, block_no, payout_id, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor)
        SELECT head.seq + 1, head.block_no, h.payout_id, j.seq, h.book_id, p_who, 21, j.line_account, j.line_ccy, negated(j.line_minor)
          FROM journal j WHERE j.book_id = h.book_id AND j.seq = h.payout_id;
        -- MS03: "reason not specified". Why is for operators.
        INSERT INTO payout_transition (book_id, payout_id, step, state, seq, reason_code)
        VALUES (h.book_id, h.payout_id, 1, 9, head.seq + 1, 'MS03');
    END IF;
    PERFORM close_block(h.book_id, head.block_no, head.seq, head.seq + CASE WHEN p_refuse THEN 1 ELSE 0 END, head.at);
    RETURN head.seq;
END $$;

-- An operator decides of an open hold: 'release' or 'refuse'. The first is kept as a proposal (done is false); a second, another person, who decides the
-- same carries it out (done, and seq is the journal that ended the hold). Each may say the same again and is answered as then. Whoever placed a
-- hold by hand (OPERATOR) is not one of the two who release it.
CREATE OR REPLACE FUNCTION decide_hold(p_book integer, p_payout bigint, p_hold smallint, p_decision text, p_note text, p_code text,
    OUT done boolean, OUT seq bigint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    who integer := prove_operator(p_code, format('%s hold %s of payout %s in book %s', p_decision, p_hold, p_payout, p_book));
    h payout_hold;
    last record;
    ended record;
    mine smallint;
BEGIN
    IF p_decision IS NULL OR p_decision NOT IN ('release', 'refuse') THEN
        RAISE EXCEPTION 'the decision is release or refuse' USING ERRCODE = 'UJ305';
    END IF;
    h := lock_hold(p_book, p_payout, p_hold);
    SELECT d.decision_no, d.decision, d.principal_id, u.uri INTO last FROM payout_hold_decision d JOIN principal u USING (principal_id)
     WHERE d.book_id = p_book AND d.payout_id = p_payout AND d.hold_no = p_hold ORDER BY d.decision_no DESC LIMIT 1;
    SELECT e.seq, e.outcome, a.principal_id AS first_by INTO ended
      FROM payout_hold_end e JOIN payout_hold_decision a USING (book_id, payout_id, hold_no)
     WHERE e.book_id = p_book AND e.payout_id = p_payout AND e.hold_no = p_hold AND a.decision_no = e.first_decision;
    IF ended.seq IS NOT NULL THEN
        IF (ended.outcome = 2) <> (p_decision = 'refuse') OR who NOT IN (ended.first_by, last.principal_id) THEN
            RAISE EXCEPTION 'hold % of payout % has ended: it was %', p_hold, p_payout, CASE ended.outcome WHEN 1 THEN 'released' ELSE 'refused' END
                USING ERRCODE = 'UJ409';
        END IF;
        done := true;
        seq := ended.seq;
        duplicate := true;
        RETURN;
    END IF;
    IF p_decision = 'release' AND h.reason = 'OPERATOR' AND h.principal_id = who THEN
        RAISE EXCEPTION 'whoever placed a hold does not release it: two others must' USING ERRCODE = 'UJ502';
    END IF;
    done := false;
    duplicate := false;
    IF last.decision_no IS NULL OR last.decision = 'withdraw' THEN
        PERFORM add_hold_decision(h, p_decision, p_note, who);
    ELSIF last.decision <> p_decision THEN
        RAISE EXCEPTION '% decided otherwise: %', last.uri, last.decision USING ERRCODE = 'UJ409',
            HINT = 'Whoever decided first may withdraw that.';
    ELSIF last.principal_id = who THEN
        duplicate := true;
    ELSE
        mine := add_hold_decision(h, p_decision, p_note, who);
        seq := end_hold(h, p_decision = 'refuse', last.decision_no, mine, who);
        done := true;
    END IF;
END $$;

-- Whoever decided first takes it back, while nobody has said the same. Taking it back again changes nothing.
CREATE OR REPLACE FUNCTION withdraw_hold_decision(p_book integer, p_payout bigint, p_hold smallint, p_note text, p_code text,
    OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    who integer := prove_operator(p_code, format('withdraw from hold %s of payout %s in book %s', p_hold, p_payout, p_book));
    h payout_hold := lock_hold(p_book, p_payout, p_hold);
    last payout_hold_decision;
BEGIN
    SELECT * INTO last FROM payout_hold_decision d
     WHERE d.book_id = p_book AND d.payout_id = p_payout AND d.hold_no = p_hold ORDER BY d.decision_no DESC LIMIT 1;
    IF EXISTS (SELECT 1 FROM payout_hold_end e WHERE e.book_id = p_book AND e.payout_id = p_payout AND e.hold_no = p_hold) THEN
        RAISE EXCEPTION 'hold % of payout % has ended', p_hold, p_payout USING ERRCODE = 'UJ409';
    ELSIF last.decision_no IS NULL OR last.principal_id <> who THEN
        RAISE EXCEPTION 'nothing that you decided of hold % of payout % waits', p_hold, p_payout USING ERRCODE = 'UJ409';
    END IF;
    duplicate := last.decision = 'withdraw';
    IF NOT duplicate THEN
        PERFORM add_hold_decision(h, 'withdraw', p_note, who);
    END IF;
END $$;
