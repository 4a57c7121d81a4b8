-- Windows (docs/settlement.md): opened, closed, reported by banks, settled or disputed. Locks: a book's head, then the bank's,
-- then its row or the window's; never the other way round.

-- Whom a step of settlement is said to be by: our own program says so itself; a person is who logged in.
CREATE OR REPLACE FUNCTION settling_principal(p_principal integer) RETURNS integer
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    IF p_principal IS NOT NULL AND (pg_has_role(session_user, 'ujrat_settle', 'MEMBER') OR pg_has_role(session_user, 'ujrat_app', 'MEMBER')) THEN
        RETURN p_principal;
    END IF;
    RETURN operator_principal();
END $$;

-- The first window of a bank that has terms. Asked again it answers with the open one.
CREATE OR REPLACE FUNCTION open_first_window(p_bank smallint, p_cutoff_at timestamptz, OUT window_no bigint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    PERFORM 1 FROM bank WHERE bank_id = p_bank FOR NO KEY UPDATE;
    SELECT h.window_no INTO window_no FROM bank_head h WHERE h.bank_id = p_bank;
    duplicate := FOUND;
    IF duplicate THEN
        RETURN;
    ELSIF NOT EXISTS (SELECT 1 FROM bank_terms_now t WHERE t.bank_id = p_bank) THEN
        RAISE EXCEPTION 'the bank has no terms' USING ERRCODE = 'UJ409';
    END IF;
    window_no := 1;
    INSERT INTO settlement_window (bank_id, window_no, opened_at, cutoff_at) VALUES (p_bank, 1, clock_timestamp(), p_cutoff_at);
    INSERT INTO bank_head (bank_id, window_no) VALUES (p_bank, 1);
END $$;

-- Closes a window and opens the next, in one commit: what hand-outs of it there are, are its instructions, and no later one can
-- be of it. settle_by: by when its answers are due; next_cutoff: when the next one is to close. A window that is closed already
-- is answered with what is stored.
CREATE OR REPLACE FUNCTION close_window(p_bank smallint, p_window bigint, p_principal integer, p_settle_by timestamptz,
    p_next_cutoff timestamptz,
    OUT closed_at timestamptz, OUT settle_by timestamptz, OUT instructions bigint, OUT amount bigint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := settling_principal(p_principal);
    head bank_head;
BEGIN
    IF p_settle_by IS NULL OR p_next_cutoff IS NULL THEN
        RAISE EXCEPTION 'a closing says when it is to be settled, and when the next cut-off is' USING ERRCODE = 'UJ303';
    END IF;
    SELECT * INTO head FROM bank_head h WHERE h.bank_id = p_bank FOR UPDATE;
    SELECT c.closed_at, c.settle_by, c.instructions, c.amount INTO closed_at, settle_by, instructions, amount
      FROM window_closing c WHERE c.bank_id = p_bank AND c.window_no = p_window;
    duplicate := FOUND;
    IF duplicate THEN
        RETURN;
    ELSIF head.window_no IS DISTINCT FROM p_window THEN
        RAISE EXCEPTION 'the bank has no window %', p_window USING ERRCODE = 'UJ420';
    END IF;
    SELECT greatest(clock_timestamp(), w.opened_at + interval '1 microsecond') INTO closed_at
      FROM settlement_window w WHERE w.bank_id = p_bank AND w.window_no = p_window;
    settle_by := greatest(p_settle_by, closed_at);
    SELECT coalesce(sum(h.instructions), 0), coalesce(sum(h.amount), 0) INTO instructions, amount
      FROM handout h WHERE h.bank_id = p_bank AND h.window_no = p_window;
    INSERT INTO window_closing (bank_id, window_no, closed_at, settle_by, instructions, amount, principal_id)
    VALUES (p_bank, p_window, closed_at, settle_by, instructions, amount, who);
    INSERT INTO window_book (book_id, bank_id, window_no, instructions, amount)
    SELECT h.book_id, p_bank, p_window, sum(h.instructions), sum(h.amount)
      FROM handout h WHERE h.bank_id = p_bank AND h.window_no = p_window
     GROUP BY h.book_id HAVING sum(h.instructions) > 0 ORDER BY h.book_id;
    INSERT INTO settlement_window (bank_id, window_no, opened_at, cutoff_at, prev_window_no)
    VALUES (p_bank, p_window + 1, closed_at, p_next_cutoff, p_window);
    UPDATE bank_head SET window_no = p_window + 1, window_instructions = 0, window_amount = 0 WHERE bank_id = p_bank;
END $$;

-- A window's instructions and what became of them, by book and, if asked for, by day of the hand-out (of the return) in Pakistan.
-- Hand-outs of a window in a book follow one another, so that its payouts are those from the first to the last of them.
-- returned: what came back while the window was open, without what the bank kept of it; less what was taken back of that.
CREATE OR REPLACE FUNCTION window_parts(p_bank smallint, p_window bigint, p_by_day boolean)
RETURNS TABLE (book_id integer, day date, instructed_count bigint, instructed_amount bigint, settled_count bigint, settled_amount bigint,
    rejected_count bigint, rejected_amount bigint, pending_count bigint, pending_amount bigint, returned_amount bigint, net_amount bigint)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    WITH told AS (
        SELECT h.book_id, b.day, min(h.prev_payout_id) AS after, max(h.last_payout_id) AS upto
          FROM handout h
          LEFT JOIN LATERAL (SELECT (k.committed_at AT TIME ZONE INTERVAL '5 hours')::date AS day
                               FROM journal j JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
                              WHERE p_by_day AND j.book_id = h.book_id AND j.seq = h.seq) b ON true
         WHERE h.bank_id = p_bank AND h.window_no = p_window
         GROUP BY h.book_id, b.day
    ), part AS (
        SELECT w.book_id, w.day, t.state, 1 AS n, p.net AS amount, 0::bigint AS returned
          FROM told w
         CROSS JOIN LATERAL bank_payouts_after(w.book_id, p_bank, w.after, 2147483647, w.upto) p
          LEFT JOIN LATERAL (SELECT t.state FROM payout_transition t
                              WHERE t.book_id = w.book_id AND t.payout_id = p.payout_id AND t.step = 1 LIMIT 1) t ON true
         WHERE t.state IS DISTINCT FROM 7
        UNION ALL
        SELECT r.book_id, b.day, NULL, 0, 0,
               CASE WHEN r.reverses_step IS NULL THEN r.amount - r.charge ELSE o.charge - o.amount END
          FROM payment_return r
          LEFT JOIN payment_return o ON o.book_id = r.book_id AND o.payout_id = r.payout_id AND o.step = r.reverses_step
          LEFT JOIN LATERAL (SELECT (k.committed_at AT TIME ZONE INTERVAL '5 hours')::date AS day
                               FROM payout_transition t JOIN journal j ON j.book_id = t.book_id AND j.seq = t.seq
                               JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
                              WHERE p_by_day AND t.book_id = r.book_id AND t.payout_id = r.payout_id AND t.step = r.step) b ON true
         WHERE r.bank_id = p_bank AND r.window_no = p_window
    )
    SELECT s.book_id, s.day, sum(s.n)::bigint, sum(s.amount)::bigint,
           coalesce(sum(s.n) FILTER (WHERE s.state = 4), 0)::bigint, coalesce(sum(s.amount) FILTER (WHERE s.state = 4), 0)::bigint,
           coalesce(sum(s.n) FILTER (WHERE s.state = 5), 0)::bigint, coalesce(sum(s.amount) FILTER (WHERE s.state = 5), 0)::bigint,
           coalesce(sum(s.n) FILTER (WHERE s.state IS NULL), 0)::bigint, coalesce(sum(s.amount) FILTER (WHERE s.state IS NULL), 0)::bigint,
           sum(s.returned)::bigint,
           (sum(s.amount) - coalesce(sum(s.amount) FILTER (WHERE s.state = 5), 0) - sum(s.returned))::bigint
      FROM part s GROUP BY s.book_id, s.day;
$$;

-- The same, summed: the window's position is net_amount.
CREATE OR REPLACE FUNCTION window_totals(p_bank smallint, p_window bigint,
    OUT instructed_count bigint, OUT instructed_amount bigint, OUT settled_count bigint, OUT settled_amount bigint,
    OUT rejected_count bigint, OUT rejected_amount bigint, OUT pending_count bigint, OUT pending_amount bigint,
    OUT returned_amount bigint, OUT net_amount bigint)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce(sum(w.instructed_count), 0)::bigint, coalesce(sum(w.instructed_amount), 0)::bigint,
           coalesce(sum(w.settled_count), 0)::bigint, coalesce(sum(w.settled_amount), 0)::bigint,
           coalesce(sum(w.rejected_count), 0)::bigint, coalesce(sum(w.rejected_amount), 0)::bigint,
           coalesce(sum(w.pending_count), 0)::bigint, coalesce(sum(w.pending_amount), 0)::bigint,
           coalesce(sum(w.returned_amount), 0)::bigint, coalesce(sum(w.net_amount), 0)::bigint
      FROM window_parts(p_bank, p_window, false) w;
$$;

-- A bank's windows up to a number, newest first. Those that are SETTLED have their totals stored; of the others they are
-- counted, as of now.
CREATE OR REPLACE FUNCTION windows_of_bank(p_bank smallint, p_upto bigint, p_limit integer)
RETURNS TABLE (window_no bigint, state text, opened_at timestamptz, cutoff_at timestamptz, settle_by timestamptz, ccy smallint,
    instructed_count bigint, instructed_amount bigint, settled_count bigint, settled_amount bigint, rejected_count bigint,
    rejected_amount bigint, pending_count bigint, pending_amount bigint, returned_amount bigint, net_amount bigint, reason text)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT w.window_no, coalesce(e.state, CASE WHEN c.window_no IS NULL THEN 'OPEN' ELSE 'CLOSED' END), w.opened_at,
           coalesce(c.closed_at, w.cutoff_at), c.settle_by, 586::smallint,
           t.instructed_count, t.instructed_amount, t.settled_count, t.settled_amount, t.rejected_count, t.rejected_amount,
           t.pending_count, t.pending_amount, t.returned_amount, t.net_amount, e.reason
      FROM (SELECT * FROM settlement_window w WHERE w.bank_id = p_bank AND w.window_no <= p_upto
             ORDER BY w.window_no DESC LIMIT p_limit) w
      LEFT JOIN window_closing c ON c.bank_id = p_bank AND c.window_no = w.window_no
      LEFT JOIN LATERAL (SELECT * FROM window_end e WHERE e.bank_id = p_bank AND e.window_no = w.window_no
                          ORDER BY e.step DESC LIMIT 1) e ON true
     CROSS JOIN LATERAL (
        SELECT n.* FROM window_totals(p_bank, w.window_no) n WHERE e.state IS DISTINCT FROM 'SETTLED'
        UNION ALL
        SELECT c.instructions, c.amount, e.settled_count, e.settled_amount, e.rejected_count, e.rejected_amount, 0, 0, r.returned,
               c.amount - e.rejected_amount - r.returned
          FROM (SELECT coalesce(sum(CASE WHEN r.reverses_step IS NULL THEN r.amount - r.charge ELSE o.charge - o.amount END), 0)::bigint AS returned
                  FROM payment_return r
                  LEFT JOIN payment_return o ON o.book_id = r.book_id AND o.payout_id = r.payout_id AND o.step = r.reverses_step
                 WHERE r.bank_id = p_bank AND r.window_no = w.window_no) r
         WHERE e.state = 'SETTLED') t
     ORDER BY w.window_no DESC;
$$;

-- Windows whose end is not known yet: they are looked at again.
CREATE OR REPLACE FUNCTION windows_to_end(p_bank smallint) RETURNS TABLE (window_no bigint, closed_at timestamptz, settle_by timestamptz)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT c.window_no, c.closed_at, c.settle_by FROM window_closing c
     WHERE c.bank_id = p_bank AND NOT EXISTS (SELECT 1 FROM window_end e WHERE e.bank_id = c.bank_id AND e.window_no = c.window_no
                                                 AND e.state = 'SETTLED')
     ORDER BY c.window_no;
$$;

-- What has become of a closed window, whose row is locked: SETTLED, DISPUTED, or neither yet; a step only when that is another than
-- it was. A window that an operator disputed is settled by operators alone.
CREATE OR REPLACE FUNCTION judge_window(p_bank smallint, p_window bigint, p_principal integer, p_settle_by timestamptz)
RETURNS text LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    ours record;
    said window_report;
    last window_end;
    verdict text;
    why text;
BEGIN
    SELECT * INTO last FROM window_end e WHERE e.bank_id = p_bank AND e.window_no = p_window ORDER BY e.step DESC LIMIT 1;
    IF last.state = 'SETTLED' OR (last.state = 'DISPUTED' AND EXISTS (SELECT 1 FROM principal p
                                     WHERE p.principal_id = last.principal_id AND p.role = 'operator')) THEN
        RETURN last.state;
    END IF;
    ours := window_totals(p_bank, p_window);
    SELECT * INTO said FROM window_report r WHERE r.bank_id = p_bank AND r.window_no = p_window ORDER BY r.report_no DESC LIMIT 1;
    IF said.report_no IS NOT NULL AND (said.settled_count, said.settled_amount, said.rejected_count, said.rejected_amount)
                              IS DISTINCT FROM (ours.settled_count, ours.settled_amount, ours.rejected_count, ours.rejected_amount) THEN
        verdict := 'DISPUTED';
        why := format('The bank''s totals are others than ours: it says %s settled, %s, and %s rejected, %s.', said.settled_count,
                      shown_amount(said.settled_amount, 586::smallint), said.rejected_count, shown_amount(said.rejected_amount, 586::smallint));
    ELSIF ours.pending_count > 0 AND clock_timestamp() >= p_settle_by THEN
        verdict := 'DISPUTED';
        why := 'Instructions were without an answer at the settlement deadline.';
    ELSIF ours.pending_count = 0 THEN
        verdict := 'SETTLED';
        why := CASE WHEN said.report_no IS NULL THEN 'Every instruction has its answer.'
                    ELSE 'Every instruction has its answer, and the bank''s totals are ours.' END;
    ELSE
        RETURN coalesce(last.state, 'CLOSED');
    END IF;
    IF last.state IS DISTINCT FROM verdict OR last.reason IS DISTINCT FROM why THEN
        PERFORM add_window_end(p_bank, p_window, verdict, why, p_principal, ours);
    END IF;
    RETURN verdict;
END $$;

CREATE OR REPLACE FUNCTION add_window_end(p_bank smallint, p_window bigint, p_state text, p_reason text, p_principal integer, p_totals record)
RETURNS void LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    INSERT INTO window_end (bank_id, window_no, step, state, reason, at, principal_id, settled_count, settled_amount,
                            rejected_count, rejected_amount, pending_count)
    SELECT p_bank, p_window, coalesce(max(e.step), 0) + 1, p_state, p_reason, clock_timestamp(), p_principal, p_totals.settled_count,
           p_totals.settled_amount, p_totals.rejected_count, p_totals.rejected_amount, p_totals.pending_count
      FROM window_end e WHERE e.bank_id = p_bank AND e.window_no = p_window;
END $$;

-- The closing of a window, locked. Who judges it or says something of it begins here.
CREATE OR REPLACE FUNCTION lock_closed_window(p_bank smallint, p_window bigint) RETURNS window_closing
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    c window_closing;
BEGIN
    SELECT * INTO c FROM window_closing w WHERE w.bank_id = p_bank AND w.window_no = p_window FOR UPDATE;
    IF NOT FOUND THEN
        IF EXISTS (SELECT 1 FROM settlement_window w WHERE w.bank_id = p_bank AND w.window_no = p_window) THEN
            RAISE EXCEPTION 'window % is still open', p_window USING ERRCODE = 'UJ409';
        END IF;
        RAISE EXCEPTION 'the bank has no window %', p_window USING ERRCODE = 'UJ420';
    END IF;
    RETURN c;
END $$;

-- Looks whether a window is SETTLED or DISPUTED by now. p_settle_by: the deadline as working time makes it now (a holiday may have
-- been announced since it was closed); NULL: the one it was closed with. Answers its state.
CREATE OR REPLACE FUNCTION end_window(p_bank smallint, p_window bigint, p_principal integer, p_settle_by timestamptz DEFAULT NULL)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    c window_closing := lock_closed_window(p_bank, p_window);
BEGIN
    RETURN judge_window(p_bank, p_window, settling_principal(p_principal), coalesce(p_settle_by, c.settle_by));
END $$;

-- The bank's own totals of a window. The same again changes nothing; others are a new report, but not of a window that is SETTLED.
CREATE OR REPLACE FUNCTION report_window(p_bank smallint, p_window bigint, p_principal integer, p_ccy smallint,
    p_settled_count bigint, p_settled_amount bigint, p_rejected_count bigint, p_rejected_amount bigint)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    c window_closing := lock_closed_window(p_bank, p_window);
    last window_report;
    ended window_end;
    said bigint[] := ARRAY[p_settled_count, p_settled_amount, p_rejected_count, p_rejected_amount];
BEGIN
    IF p_ccy IS DISTINCT FROM 586 THEN
        RAISE EXCEPTION 'the window is in PKR' USING ERRCODE = 'UJ108';
    ELSIF array_position(said, NULL) IS NOT NULL OR 0 > ANY (said) THEN
        RAISE EXCEPTION 'totals are not below zero' USING ERRCODE = 'UJ101';
    END IF;
    SELECT * INTO ended FROM window_end e WHERE e.bank_id = p_bank AND e.window_no = p_window ORDER BY e.step DESC LIMIT 1;
    IF ended.state = 'SETTLED' AND said <> ARRAY[ended.settled_count, ended.settled_amount, ended.rejected_count, ended.rejected_amount] THEN
        RAISE EXCEPTION 'window % is settled with other totals', p_window USING ERRCODE = 'UJ409';
    END IF;
    SELECT * INTO last FROM window_report r WHERE r.bank_id = p_bank AND r.window_no = p_window ORDER BY r.report_no DESC LIMIT 1;
    IF said IS DISTINCT FROM ARRAY[last.settled_count, last.settled_amount, last.rejected_count, last.rejected_amount] THEN
        INSERT INTO window_report (bank_id, window_no, report_no, settled_count, settled_amount, rejected_count, rejected_amount,
                                   reported_at, principal_id)
        VALUES (p_bank, p_window, coalesce(last.report_no, 0) + 1, said[1], said[2], said[3], said[4], clock_timestamp(), p_principal);
    END IF;
    RETURN judge_window(p_bank, p_window, p_principal, c.settle_by);
END $$;

-- An operator disputes a closed window that is not settled. The same again changes nothing.
CREATE OR REPLACE FUNCTION dispute_window(p_bank smallint, p_window bigint, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := operator_principal();
    c window_closing := lock_closed_window(p_bank, p_window);
    last window_end;
BEGIN
    IF length(btrim(p_reason)) IS NULL OR length(btrim(p_reason)) = 0 OR length(p_reason) > 500 THEN
        RAISE EXCEPTION 'the reason has 1 to 500 characters' USING ERRCODE = 'UJ305';
    END IF;
    SELECT * INTO last FROM window_end e WHERE e.bank_id = p_bank AND e.window_no = p_window ORDER BY e.step DESC LIMIT 1;
    IF last.state = 'SETTLED' THEN
        RAISE EXCEPTION 'window % is settled', p_window USING ERRCODE = 'UJ409';
    ELSIF last.state = 'DISPUTED' AND last.reason = p_reason AND last.principal_id = who THEN
        RETURN false;
    END IF;
    PERFORM add_window_end(p_bank, p_window, 'DISPUTED', p_reason, who, window_totals(p_bank, p_window));
    RETURN true;
END $$;

-- One operator says that a DISPUTED window is cleared up. Answers the proposal's number; the same again is answered with the first.
CREATE OR REPLACE FUNCTION propose_window_settled(p_bank smallint, p_window bigint, p_reason text, p_code text,
    OUT proposal_no integer, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := prove_operator(p_code, format('propose to settle window %s of bank %s', p_window, p_bank));
    c window_closing := lock_closed_window(p_bank, p_window);
    last window_end;
    old window_settle_proposal;
BEGIN
    IF length(btrim(p_reason)) IS NULL OR length(btrim(p_reason)) = 0 OR length(p_reason) > 500 THEN
        RAISE EXCEPTION 'the reason has 1 to 500 characters' USING ERRCODE = 'UJ305';
    END IF;
    SELECT * INTO last FROM window_end e WHERE e.bank_id = p_bank AND e.window_no = p_window ORDER BY e.step DESC LIMIT 1;
    IF last.state IS DISTINCT FROM 'DISPUTED' THEN
        RAISE EXCEPTION 'window % is not disputed', p_window USING ERRCODE = 'UJ409';
    END IF;
    SELECT * INTO old FROM window_settle_proposal p WHERE p.bank_id = p_bank AND p.window_no = p_window ORDER BY p.proposal_no DESC LIMIT 1;
    duplicate := coalesce((old.after_step, old.reason, old.proposed_by) = (last.step, p_reason, who), false);
    proposal_no := old.proposal_no;
    IF NOT duplicate THEN
        proposal_no := coalesce(old.proposal_no, 0) + 1;
        INSERT INTO window_settle_proposal (bank_id, window_no, proposal_no, after_step, reason, proposed_by, proposed_at)
        VALUES (p_bank, p_window, proposal_no, last.step, p_reason, who, clock_timestamp());
    END IF;
END $$;

-- A second operator agrees: the window is SETTLED, with the first one's reason, if every instruction has its answer by now.
-- Approving again is answered as before.
CREATE OR REPLACE FUNCTION approve_window_settled(p_bank smallint, p_window bigint, p_proposal integer, p_code text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := prove_operator(p_code, format('settle window %s of bank %s, proposal %s', p_window, p_bank, p_proposal));
    c window_closing := lock_closed_window(p_bank, p_window);
    last window_end;
    p window_settle_proposal;
    ours record;
BEGIN
    SELECT * INTO p FROM window_settle_proposal q WHERE q.bank_id = p_bank AND q.window_no = p_window AND q.proposal_no = p_proposal;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody proposed to settle window % so', p_window USING ERRCODE = 'UJ305';
    END IF;
    SELECT * INTO last FROM window_end e WHERE e.bank_id = p_bank AND e.window_no = p_window ORDER BY e.step DESC LIMIT 1;
    IF last.state = 'SETTLED' AND (last.step, last.reason, last.principal_id) = (p.after_step + 1, p.reason, who) THEN
        RETURN false;
    ELSIF last.step <> p.after_step THEN
        RAISE EXCEPTION 'something else became of window % since that was proposed', p_window USING ERRCODE = 'UJ409';
    ELSIF p.proposed_by = who THEN
        RAISE EXCEPTION 'whoever proposes to settle a window does not approve it: a second person must' USING ERRCODE = 'UJ502';
    END IF;
    ours := window_totals(p_bank, p_window);
    IF ours.pending_count > 0 THEN
        RAISE EXCEPTION '% instructions of window % are without an answer', ours.pending_count, p_window USING ERRCODE = 'UJ409';
    END IF;
    PERFORM add_window_end(p_bank, p_window, 'SETTLED', p.reason, who, ours);
    RETURN true;
END $$;

-- ------------------------------------------------------------------ positions

-- What waits for its hand-out to a bank, by book; and the first of it, which the others wait behind.
CREATE OR REPLACE FUNCTION bank_waiting(p_bank smallint)
RETURNS TABLE (book_id integer, waiting_count bigint, waiting_amount bigint, first_payout_id bigint, first_amount bigint)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT a.book_id, count(*), sum(p.net)::bigint, (array_agg(p.payout_id ORDER BY p.order_no))[1], (array_agg(p.net ORDER BY p.order_no))[1]
      FROM account a
     CROSS JOIN LATERAL bank_payouts_after(a.book_id, p_bank, handed_out_upto(a.book_id, p_bank), 2147483647) p
     WHERE a.bank_id = p_bank AND a.role = 'nostro' AND a.ccy = 586
       AND NOT EXISTS (SELECT 1 FROM payout_transition t WHERE t.book_id = a.book_id AND t.payout_id = p.payout_id AND t.step = 1)
     GROUP BY a.book_id;
$$;

-- A bank over all books. room: what may still be handed out (NULL: no bound); left: what is left under the cap or, without one,
-- of the prefunding.
CREATE OR REPLACE FUNCTION bank_position(p_bank smallint,
    OUT ccy smallint, OUT owed bigint, OUT pending_count bigint, OUT pending_amount bigint, OUT waiting_count bigint,
    OUT waiting_amount bigint, OUT exposure bigint, OUT left_amount bigint, OUT room bigint)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT 586::smallint, e.exposure - b.amount, b.n, b.amount, w.n, w.amount, e.exposure,
           coalesce((SELECT net_debit_cap FROM bank_terms_now WHERE bank_id = p_bank), 0) - e.exposure, hand_out_room(p_bank)
      FROM (SELECT bank_exposure(p_bank) AS exposure) e,
           (SELECT coalesce(sum(b.pending_count), 0)::bigint AS n, coalesce(sum(b.pending_amount), 0)::bigint AS amount
              FROM bank_book b WHERE b.bank_id = p_bank) b,
           (SELECT coalesce(sum(w.waiting_count), 0)::bigint AS n, coalesce(sum(w.waiting_amount), 0)::bigint AS amount
              FROM bank_waiting(p_bank) w) w;
$$;

-- What the next hand-outs to a bank will need: what waits, and what usually still comes between this time of day and the cut-off:
-- the median of the working days of the last four weeks. A guess, and said to be one; days: how many it rests on.
CREATE OR REPLACE FUNCTION bank_forecast(p_bank smallint, p_at timestamptz, p_cutoff timestamptz,
    OUT waiting bigint, OUT usual bigint, OUT days integer)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    WITH past AS (
        SELECT p_at - make_interval(days => d) AS from_at, p_cutoff - make_interval(days => d) AS to_at
          FROM generate_series(1, 28) d
         WHERE p_cutoff > p_at AND p_cutoff - make_interval(days => d) <= p_at
           AND working_day(((p_at - make_interval(days => d)) AT TIME ZONE INTERVAL '5 hours')::date)
    ), came AS (
        SELECT (SELECT coalesce(sum(x.net), 0)
                  FROM account a
                 CROSS JOIN LATERAL (SELECT block_upto(a.book_id, past.from_at) AS after, block_upto(a.book_id, past.to_at) AS upto) b
                 CROSS JOIN LATERAL (SELECT sum(p.net) AS net FROM payout p
                                      WHERE p.book_id = a.book_id AND p.bank_id = p_bank AND b.upto > b.after
                                        AND p.payout_id > coalesce((SELECT last_seq FROM block k WHERE k.book_id = a.book_id AND k.block_no = b.after), 0)
                                        AND p.payout_id <= (SELECT last_seq FROM block k WHERE k.book_id = a.book_id AND k.block_no = b.upto)) x
                 WHERE a.bank_id = p_bank AND a.role = 'nostro' AND a.ccy = 586) AS net
          FROM past
    )
    SELECT (SELECT coalesce(sum(waiting_amount), 0)::bigint FROM bank_waiting(p_bank)),
           coalesce((SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY net) FROM came), 0)::bigint,
           (SELECT count(*)::integer FROM came);
$$;
