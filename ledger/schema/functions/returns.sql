-- Money that comes back from a bank, and money with which a bank is made good (docs/settlement.md). Lines: docs/accounting.md.

-- The share of a payout's line for what has come back of its net: rounded towards zero (domain/journal.h).
CREATE OR REPLACE FUNCTION returned_share(p_minor bigint, p_returned bigint, p_net bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT div(p_minor::numeric * p_returned, p_net)::bigint;
$$;

-- The lines of a part that comes back: of the journal that accepted the payout, the shares for p_after less those for p_before, with the
-- opposite sign. The payable's is exact; the last other line of each currency takes what makes the sum zero.
CREATE OR REPLACE FUNCTION returned_lines(p_account integer[], p_ccy smallint[], p_minor bigint[], p_payable integer, p_net bigint,
    p_before bigint, p_after bigint, OUT line_account integer[], OUT line_ccy smallint[], OUT line_minor bigint[])
LANGUAGE sql IMMUTABLE SET search_path = ujrat, pg_temp AS $$
    WITH line AS (
        SELECT l.*, l.account <> p_payable AND l.ord = max(l.ord) FILTER (WHERE l.account <> p_payable) OVER (PARTITION BY l.ccy) AS takes_rest
          FROM unnest(p_account, p_ccy, p_minor) WITH ORDINALITY l (account, ccy, minor, ord)
    ), part AS (
        SELECT *, CASE WHEN takes_rest THEN 0 ELSE returned_share(minor, p_before, p_net) - returned_share(minor, p_after, p_net) END AS share
          FROM line
    ), whole AS (
        SELECT account, ccy, ord, CASE WHEN takes_rest THEN (-sum(share) OVER (PARTITION BY ccy))::bigint ELSE share END AS minor
          FROM part
    )
    SELECT array_agg(account ORDER BY ord), array_agg(ccy ORDER BY ord), array_agg(minor ORDER BY ord) FROM whole WHERE minor <> 0;
$$;

-- What of a payout has come back and not been taken back again, after its step p_step.
CREATE OR REPLACE FUNCTION returned_amount(p_book integer, p_payout bigint, p_step smallint DEFAULT 32767) RETURNS bigint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce(sum(CASE WHEN reverses_step IS NULL THEN amount ELSE -amount END), 0)::bigint
      FROM payment_return WHERE book_id = p_book AND payout_id = p_payout AND step <= p_step;
$$;

-- When the step of a payout was committed.
CREATE OR REPLACE FUNCTION step_at(p_book integer, p_payout bigint, p_step smallint) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT k.committed_at FROM payout_transition t JOIN journal j ON j.book_id = t.book_id AND j.seq = t.seq
      JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
     WHERE t.book_id = p_book AND t.payout_id = p_payout AND t.step = p_step;
$$;

-- The payout that the bank speaks of, and the last that became of it; its book is ours alone from here on.
CREATE OR REPLACE FUNCTION instruction_to_return(p_book integer, p_bank smallint, p_payout bigint, OUT p payout, OUT last payout_transition)
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT * INTO p FROM payout o WHERE o.book_id = p_book AND o.payout_id = p_payout AND o.bank_id = p_bank;
    IF p.payout_id IS NULL OR order_number(p_book, p_payout) > handed_out_upto(p_book, p_bank) THEN
        RAISE EXCEPTION 'no instruction %', p_payout USING ERRCODE = 'UJ411';
    END IF;
    SELECT * INTO last FROM payout_transition t WHERE t.book_id = p_book AND t.payout_id = p_payout ORDER BY t.step DESC LIMIT 1;
    IF last.state = 7 THEN
        RAISE EXCEPTION 'no instruction %', p_payout USING ERRCODE = 'UJ411';
    END IF;
END $$;

-- The bank's open window, which a return counts to; NULL: it has none. Closing it waits for us, or we for it.
CREATE OR REPLACE FUNCTION window_of_return(p_bank smallint) RETURNS bigint
LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    SELECT window_no FROM bank_head WHERE bank_id = p_bank FOR SHARE;
$$;

-- The journals of a part: the bank's side, less what it kept, then the shares of the payout's lines. Answers the second's seq and
-- when it was committed.
CREATE OR REPLACE FUNCTION write_part_return(p payout, p_principal integer, p_before bigint, p_amount bigint, p_charge bigint,
    OUT seq bigint, OUT at timestamptz)
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    head record;
    payable integer;
    nostro integer;
    kept integer;
    part record;
BEGIN
    IF p_charge > 0 THEN
        kept := (adjustable_account(p.book_id, 'charge.' || (SELECT code FROM currency WHERE ccy = p.dst_ccy))).account_id;
    END IF;
    head := begin_block(p.book_id);
    SELECT account_id INTO payable FROM account a
     WHERE a.book_id = p.book_id AND a.role = 'payable' AND a.ccy = p.dst_ccy AND a.bank_id = p.bank_id;
    SELECT account_id INTO nostro FROM account a
     WHERE a.book_id = p.book_id AND a.role = 'nostro' AND a.ccy = p.dst_ccy AND a.bank_id = p.bank_id;
    INSERT INTO journal (seq, block_no, payout_id, book_id, principal_id, kind, line_account, line_ccy, line_minor)
    SELECT head.seq, head.block_no, p.payout_id, p.book_id, p_principal, 10, array_agg(account ORDER BY ord),
           array_agg(p.dst_ccy ORDER BY ord), array_agg(minor ORDER BY ord)
      FROM (VALUES (1, payable, -p_amount), (2, nostro, p_amount - p_charge), (3, kept, p_charge)) AS l (ord, account, minor)
     WHERE minor <> 0;
    SELECT l.* INTO part FROM journal j,
           returned_lines(j.line_account, j.line_ccy, j.line_minor, payable, p.net, p_before, p_before + p_amount) l
     WHERE j.book_id = p.book_id AND j.seq = p.payout_id;
    INSERT INTO journal (seq, block_no, payout_id, book_id, principal_id, kind, line_account, line_ccy, line_minor)
    VALUES (head.seq + 1, head.block_no, p.payout_id, p.book_id, p_principal, 11, part.line_account, part.line_ccy, part.line_minor);
    PERFORM close_block(p.book_id, head.block_no, head.seq, head.seq + 1, head.at);
    seq := head.seq + 1;
    at := head.at;
END $$;

-- A settled payment comes back, or a part of it, and the bank keeps p_charge of that. Answers when, the state it led to, and what
-- of the payment has come back in all; or, with nothing done, what is left of the payment if that is less. Saying so again with
-- the same reference is answered as the first time, whatever came after.
CREATE OR REPLACE FUNCTION return_payment(p_book integer, p_bank smallint, p_principal integer, p_payout bigint,
    p_ccy smallint, p_amount bigint, p_charge bigint, p_reason text, p_reference text,
    OUT returned_at timestamptz, OUT state smallint, OUT returned bigint, OUT only_left bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    its record;
    before bigint;
    old record;
    part record;
    next_step smallint;
BEGIN
    its := instruction_to_return(p_book, p_bank, p_payout);
    IF p_ccy <> (its.p).dst_ccy THEN
        RAISE EXCEPTION 'the payment was in another currency' USING ERRCODE = 'UJ108';
    ELSIF p_amount <= 0 OR p_charge < 0 OR p_charge > p_amount THEN
        RAISE EXCEPTION 'a return is of more than nothing, and its charge of no more than it' USING ERRCODE = 'UJ305';
    END IF;
    SELECT r.step, t.state, (r.amount, r.charge, t.reason_code) = (p_amount, p_charge, p_reason) AND r.reverses_step IS NULL AS same INTO old
      FROM payment_return r JOIN payout_transition t USING (book_id, payout_id, step)
     WHERE r.book_id = p_book AND r.payout_id = p_payout AND r.bank_reference = p_reference;
    IF FOUND THEN
        IF NOT old.same THEN
            RAISE EXCEPTION 'reference % was used for another return of payment %', p_reference, p_payout USING ERRCODE = 'UJ410';
        END IF;
        returned_at := step_at(p_book, p_payout, old.step);
        state := old.state;
        returned := returned_amount(p_book, p_payout, old.step);
        RETURN;
    END IF;
    IF coalesce((its.last).state NOT IN (4, 6, 10), true) OR (its.last).step >= 31 THEN
        RAISE EXCEPTION 'payment % is not settled, or came back and forth too often', p_payout USING ERRCODE = 'UJ409';
    END IF;
    before := returned_amount(p_book, p_payout);
    IF p_amount > (its.p).net - before THEN
        only_left := (its.p).net - before;
        RETURN;
    END IF;
    next_step := (its.last).step + 1;
    returned := before + p_amount;
    state := CASE WHEN returned = (its.p).net THEN 6 ELSE 10 END;
    IF next_step = 2 AND state = 6 AND p_charge = 0 THEN
        returned_at := reverse_payout(p_book, p_principal, p_payout, next_step, state, (its.last).seq, p_reason, p_reference);
    ELSE
        part := write_part_return(its.p, p_principal, before, p_amount, p_charge);
        returned_at := part.at;
        INSERT INTO payout_transition (book_id, payout_id, step, state, seq, reason_code, bank_reference)
        VALUES (p_book, p_payout, next_step, state, part.seq, p_reason, p_reference);
    END IF;
    INSERT INTO payment_return (book_id, payout_id, step, amount, charge, window_no, bank_id, bank_reference)
    VALUES (p_book, p_payout, next_step, p_amount, p_charge, window_of_return(p_bank), p_bank, p_reference);
END $$;

CREATE OR REPLACE FUNCTION last_standing_return(p_book integer, p_payout bigint) RETURNS SETOF payment_return
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT r.* FROM payment_return r
     WHERE r.book_id = p_book AND r.payout_id = p_payout AND r.reverses_step IS NULL
       AND NOT EXISTS (SELECT FROM payment_return v WHERE v.book_id = p_book AND v.payout_id = p_payout AND v.reverses_step = r.step)
     ORDER BY r.step DESC LIMIT 1;
$$;

-- The bank takes back its last return of the payment that stands: both journals of that return are reversed, the payout's first.
-- Refused (109) while the platform's float does not cover it; nothing is done then, and it may be said again.
CREATE OR REPLACE FUNCTION reverse_return(p_book integer, p_bank smallint, p_principal integer, p_payout bigint,
    p_return_reference text, p_reason text, p_reference text,
    OUT reversed_at timestamptz, OUT state smallint, OUT returned bigint, OUT dst_ccy smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
DECLARE
    its record;
    head record;
    old record;
    back record;
    next_step smallint;
BEGIN
    its := instruction_to_return(p_book, p_bank, p_payout);
    dst_ccy := (its.p).dst_ccy;
    SELECT r.step, t.state, t.reason_code = p_reason AND first.bank_reference = p_return_reference AS same INTO old
      FROM payment_return r JOIN payout_transition t USING (book_id, payout_id, step)
      LEFT JOIN payment_return first ON first.book_id = r.book_id AND first.payout_id = r.payout_id AND first.step = r.reverses_step
     WHERE r.book_id = p_book AND r.payout_id = p_payout AND r.bank_reference = p_reference;
    IF FOUND THEN
        IF old.same IS NOT TRUE THEN
            RAISE EXCEPTION 'reference % was used for something else with payment %', p_reference, p_payout USING ERRCODE = 'UJ410';
        END IF;
        reversed_at := step_at(p_book, p_payout, old.step);
        state := old.state;
        returned := returned_amount(p_book, p_payout, old.step);
        RETURN;
    END IF;
    SELECT r.step, r.amount, r.charge, r.bank_reference, t.seq INTO back
      FROM last_standing_return(p_book, p_payout) r
     CROSS JOIN LATERAL (SELECT * FROM payout_transition x WHERE x.book_id = p_book AND x.payout_id = p_payout AND x.step = r.step LIMIT 1) t;
    IF NOT FOUND OR back.bank_reference <> p_return_reference OR (its.last).step >= 31 THEN
        RAISE EXCEPTION 'return % is not the last of payment % that stands', p_return_reference, p_payout USING ERRCODE = 'UJ409';
    END IF;
    next_step := (its.last).step + 1;
    returned := returned_amount(p_book, p_payout) - back.amount;
    state := CASE WHEN returned = 0 THEN 4 ELSE 10 END;
    head := begin_block(p_book);
    INSERT INTO journal (seq, block_no, payout_id, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor)
    SELECT head.seq + k.nth, head.block_no, p_payout, j.seq, p_book, p_principal, 12 + k.nth, j.line_account, j.line_ccy, negated(j.line_minor)
      FROM (VALUES (0), (1)) AS k (nth) JOIN journal j ON j.book_id = p_book AND j.seq = back.seq - k.nth;
    BEGIN
        PERFORM close_block(p_book, head.block_no, head.seq, head.seq + 1, head.at);
    EXCEPTION WHEN check_violation THEN
        RAISE EXCEPTION 'the float does not cover what return % gave back', p_return_reference USING ERRCODE = 'UJ109';
    END;
    INSERT INTO payout_transition (book_id, payout_id, step, state, seq, reason_code, bank_reference)
    VALUES (p_book, p_payout, next_step, state, head.seq + 1, p_reason, p_reference);
    INSERT INTO payment_return (book_id, payout_id, step, amount, charge, reverses_step, window_no, bank_id, bank_reference)
    VALUES (p_book, p_payout, next_step, back.amount, back.charge, back.step, window_of_return(p_bank), p_bank, p_reference);
    reversed_at := head.at;
END $$;

-- The same, said by two operators for the bank, which has no message for it. This is the first one's word: nothing is posted. Answers
-- the proposal's number; the same again is answered with the first, unless it was refused.
CREATE OR REPLACE FUNCTION propose_return_reversal(p_book integer, p_payout bigint, p_return_reference text, p_reason text, p_reference text,
    p_code text, OUT proposal_no integer, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := prove_operator(p_code, format('propose to take back return %s of payment UJ%s-%s', p_return_reference, p_book, p_payout));
    old return_reversal_proposal;
BEGIN
    IF p_reason IS NULL OR p_reason !~ '^[A-Z0-9]{4}$' THEN
        RAISE EXCEPTION 'a reason of four letters or digits says why' USING ERRCODE = 'UJ412';
    ELSIF p_reference IS NULL OR p_reference !~ '^[ -~]{1,35}$' THEN
        RAISE EXCEPTION 'the bank''s reference is 1 to 35 plain characters' USING ERRCODE = 'UJ305';
    END IF;
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    IF NOT EXISTS (SELECT FROM payout p WHERE p.book_id = p_book AND p.payout_id = p_payout) THEN
        RAISE EXCEPTION 'there is no such payment' USING ERRCODE = 'UJ411';
    END IF;
    SELECT * INTO old FROM return_reversal_proposal p
     WHERE p.book_id = p_book AND p.payout_id = p_payout AND p.reference = p_reference
       AND NOT EXISTS (SELECT FROM return_reversal_decision d WHERE (d.book_id, d.proposal_no) = (p.book_id, p.proposal_no) AND NOT d.approved);
    duplicate := FOUND;
    IF duplicate AND (old.return_reference, old.reason_code) IS DISTINCT FROM (p_return_reference, p_reason) THEN
        RAISE EXCEPTION 'reference % was used for something else with payment %', p_reference, p_payout USING ERRCODE = 'UJ410';
    ELSIF duplicate THEN
        proposal_no := old.proposal_no;
        RETURN;
    ELSIF EXISTS (SELECT FROM payment_return r WHERE r.book_id = p_book AND r.payout_id = p_payout AND r.bank_reference = p_reference) THEN
        RAISE EXCEPTION 'reference % was used already with payment %', p_reference, p_payout USING ERRCODE = 'UJ410';
    ELSIF NOT EXISTS (SELECT FROM last_standing_return(p_book, p_payout) r WHERE r.bank_reference = p_return_reference) THEN
        RAISE EXCEPTION 'return % is not the last of payment % that stands', p_return_reference, p_payout USING ERRCODE = 'UJ409';
    END IF;
    SELECT coalesce(max(p.proposal_no), 0) + 1 INTO proposal_no FROM return_reversal_proposal p WHERE p.book_id = p_book;
    INSERT INTO return_reversal_proposal (book_id, proposal_no, payout_id, return_reference, reason_code, reference, proposed_by, proposed_at)
    VALUES (p_book, proposal_no, p_payout, p_return_reference, p_reason, p_reference, who, clock_timestamp());
END $$;

-- A second operator's word: the return is taken back as reverse_return does it, and its journals are his; or the proposal is refused, for
-- good, which is also for whoever made it. Deciding the same again is answered as before. Where reverse_return refuses (109, while
-- the float does not cover it), nothing is decided.
CREATE OR REPLACE FUNCTION decide_return_reversal(p_book integer, p_payout bigint, p_proposal integer, p_approve boolean, p_code text,
    OUT return_reference text, OUT reversed_at timestamptz, OUT state smallint, OUT returned bigint, OUT dst_ccy smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := prove_operator(p_code, format('%s proposal %s, to take back a return of payment UJ%s-%s',
                                                 CASE WHEN p_approve THEN 'approve' ELSE 'refuse' END, p_proposal, p_book, p_payout));
    p return_reversal_proposal;
    old return_reversal_decision;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT * INTO p FROM return_reversal_proposal q WHERE q.book_id = p_book AND q.proposal_no = p_proposal AND q.payout_id = p_payout;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % has no proposal %', p_payout, p_proposal USING ERRCODE = 'UJ305';
    END IF;
    SELECT * INTO old FROM return_reversal_decision d WHERE d.book_id = p_book AND d.proposal_no = p_proposal;
    IF old.approved <> p_approve THEN
        RAISE EXCEPTION 'proposal % was %', p_proposal, CASE WHEN old.approved THEN 'approved' ELSE 'refused' END USING ERRCODE = 'UJ409';
    ELSIF p_approve AND p.proposed_by = who THEN
        RAISE EXCEPTION 'whoever proposes to take a return back does not approve it: a second person must' USING ERRCODE = 'UJ502';
    END IF;
    return_reference := p.return_reference;
    IF p_approve THEN
        SELECT r.* INTO reversed_at, state, returned, dst_ccy
          FROM payout t, reverse_return(p_book, t.bank_id, who, p_payout, p.return_reference, p.reason_code, p.reference) r
         WHERE t.book_id = p_book AND t.payout_id = p_payout;
    END IF;
    IF old.approved IS NULL THEN
        INSERT INTO return_reversal_decision (book_id, proposal_no, approved, decided_by, decided_at)
        VALUES (p_book, p_proposal, p_approve, who, clock_timestamp());
    END IF;
END $$;

-- ------------------------------------------------------------------ funding

-- Rupees (p_amount) have reached our account at the bank, bought for p_src_amount of the platform's currency. The reference makes a repeat
-- safe: the same again is answered with the first, anything else under it is refused (400). The float is not touched.
CREATE OR REPLACE FUNCTION fund_nostro(p_book integer, p_principal integer, p_bank smallint, p_code text, p_amount bigint,
    p_src_code text, p_src_amount bigint, p_reference text, OUT seq bigint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    head record;
    old nostro_funding;
    dst smallint;
    src smallint;
    nostro integer;
    position_dst integer;
    position_src integer;
    correspondent integer;
BEGIN
    SELECT ccy INTO dst FROM currency WHERE code = p_code;
    SELECT ccy INTO src FROM currency WHERE code = p_src_code;
    IF dst IS NULL OR src IS NULL THEN
        RAISE EXCEPTION 'no currency %', CASE WHEN dst IS NULL THEN p_code ELSE p_src_code END USING ERRCODE = 'UJ106';
    ELSIF p_amount <= 0 OR p_src_amount <= 0 THEN
        RAISE EXCEPTION 'amount and cost must be more than zero' USING ERRCODE = 'UJ100';
    ELSIF dst = src AND p_amount <> p_src_amount THEN
        RAISE EXCEPTION 'nothing is exchanged: amount and cost must be the same' USING ERRCODE = 'UJ305';
    ELSIF length(p_reference) IS NULL OR length(p_reference) NOT BETWEEN 1 AND 35 THEN
        RAISE EXCEPTION 'the reference has 1 to 35 characters' USING ERRCODE = 'UJ305';
    END IF;
    head := begin_block(p_book);
    SELECT * INTO old FROM nostro_funding f WHERE f.book_id = p_book AND f.reference = p_reference;
    IF FOUND THEN
        IF (old.bank_id, old.ccy, old.amount, old.src_ccy, old.src_amount) <> (p_bank, dst, p_amount, src, p_src_amount) THEN
            RAISE EXCEPTION 'reference % was used for another funding', p_reference USING ERRCODE = 'UJ400';
        END IF;
        seq := old.seq;
        duplicate := true;
        RETURN;
    END IF;
    SELECT account_id INTO nostro FROM account WHERE book_id = p_book AND role = 'nostro' AND bank_id = p_bank AND ccy = dst;
    SELECT account_id INTO position_dst FROM account WHERE book_id = p_book AND role = 'position' AND ccy = dst;
    SELECT account_id INTO position_src FROM account WHERE book_id = p_book AND role = 'position' AND ccy = src;
    SELECT account_id INTO correspondent FROM account WHERE book_id = p_book AND role = 'correspondent' AND ccy = src;
    IF nostro IS NULL OR position_dst IS NULL THEN
        RAISE EXCEPTION 'the book has no account in % at the bank', p_code USING ERRCODE = 'UJ413';
    ELSIF correspondent IS NULL OR position_src IS NULL THEN
        RAISE EXCEPTION 'the book has no float in %', p_src_code USING ERRCODE = 'UJ107';
    END IF;
    INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail)
    SELECT head.seq, head.block_no, p_book, p_principal, 14, array_agg(account ORDER BY ord), array_agg(ccy ORDER BY ord),
           array_agg(minor ORDER BY ord), p_reference
      FROM (VALUES (1, nostro, dst, p_amount), (2, position_dst, dst, -p_amount), (3, position_src, src, p_src_amount),
                   (4, correspondent, src, -p_src_amount)) AS l (ord, account, ccy, minor)
     WHERE src <> dst OR ord IN (1, 4);     -- one position would take and give the same
    INSERT INTO nostro_funding (book_id, reference, bank_id, ccy, amount, src_ccy, src_amount, seq)
    VALUES (p_book, p_reference, p_bank, dst, p_amount, src, p_src_amount, head.seq);
    PERFORM close_block(p_book, head.block_no, head.seq, head.seq, head.at);
    seq := head.seq;
    duplicate := false;
END $$;

-- How a funding is split over books, before the first of them is funded: what was planned under a reference stays, so that who goes on
-- after a crash does the same. The parts must come to the whole. Answers whether it had been planned before; other
-- contents under the reference are refused (400), but for the split, which is then the first one's.
CREATE OR REPLACE FUNCTION plan_funding(p_reference text, p_bank smallint, p_code text, p_amount bigint, p_src_code text, p_src_amount bigint,
    p_author text, p_book integer[], p_part bigint[], p_src_part bigint[])
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    old funding_plan;
    dst smallint := (SELECT ccy FROM currency WHERE code = p_code);
    src smallint := (SELECT ccy FROM currency WHERE code = p_src_code);
BEGIN
    LOCK TABLE funding_plan IN EXCLUSIVE MODE;
    SELECT * INTO old FROM funding_plan f WHERE f.reference = p_reference;
    IF FOUND THEN
        IF (old.bank_id, old.ccy, old.amount, old.src_ccy, old.src_amount) IS DISTINCT FROM (p_bank, dst, p_amount, src, p_src_amount) THEN
            RAISE EXCEPTION 'reference % was used for another funding', p_reference USING ERRCODE = 'UJ400';
        END IF;
        RETURN true;
    END IF;
    IF cardinality(p_book) = 0
       OR (SELECT (sum(a), sum(s)) FROM unnest(p_part, p_src_part) t (a, s)) IS DISTINCT FROM (p_amount::numeric, p_src_amount::numeric) THEN
        RAISE EXCEPTION 'the parts do not come to the whole' USING ERRCODE = 'UJ305';
    END IF;
    INSERT INTO funding_plan (reference, bank_id, ccy, amount, src_ccy, src_amount, author, planned_at)
    VALUES (p_reference, p_bank, dst, p_amount, src, p_src_amount, p_author, clock_timestamp());
    INSERT INTO funding_plan_part (reference, book_id, amount, src_amount)
    SELECT p_reference, b, a, s FROM unnest(p_book, p_part, p_src_part) t (b, a, s);
    RETURN false;
END $$;
