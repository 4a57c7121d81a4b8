-- Alerts: of one kind and subject one is raised at a time, and it stays as a row when it has ended.

-- Everything about alerts is done by one at a time; after this lock no other is taken.
CREATE OR REPLACE FUNCTION lock_alerts() RETURNS void LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    SELECT pg_advisory_xact_lock(8530151, 1);
$$;

-- Raises one. Answers its number and whether it was raised by this: the same kind and subject is not raised twice.
CREATE OR REPLACE FUNCTION raise_alert(p_kind text, p_subject text, p_detail text, OUT alert_id bigint, OUT raised boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    PERFORM lock_alerts();
    SELECT a.alert_id INTO alert_id FROM settlement_alert_now a WHERE a.kind = p_kind AND a.subject = p_subject;
    raised := NOT FOUND;
    IF raised THEN
        INSERT INTO settlement_alert (kind, subject, detail, raised_at) VALUES (p_kind, p_subject, left(p_detail, 500), clock_timestamp())
        RETURNING settlement_alert.alert_id INTO alert_id;
    END IF;
END $$;

-- Ends the one that is raised of this kind and subject. False: none is.
CREATE OR REPLACE FUNCTION end_alert(p_kind text, p_subject text, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    PERFORM lock_alerts();
    INSERT INTO settlement_alert_end (alert_id, ended_at, reason)
    SELECT a.alert_id, clock_timestamp(), left(p_reason, 500) FROM settlement_alert_now a WHERE a.kind = p_kind AND a.subject = p_subject;
    RETURN FOUND;
END $$;

-- A person has seen to an alert of a kind that does not end by itself. False: they said so before.
CREATE OR REPLACE FUNCTION dismiss_alert(p_kind text, p_subject text, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := operator_principal();
    open_id bigint;
    last record;
BEGIN
    IF p_kind IN ('NOSTRO_LOW', 'FLOAT_LOW', 'ESCALATED', 'BLOCKED', 'WINDOW_DISPUTED', 'WINDOW_LATE', 'KEPT_BACK', 'HOLD_OVERDUE') THEN
        RAISE EXCEPTION 'an alert % ends by itself, as soon as it is so no more', p_kind USING ERRCODE = 'UJ409';
    ELSIF p_kind IS NULL OR p_kind NOT IN ('FILE_QUARANTINED', 'TAX_DIFFERS') THEN
        RAISE EXCEPTION 'there is no kind of alert %', p_kind USING ERRCODE = 'UJ305',
            HINT = 'A person ends FILE_QUARANTINED and TAX_DIFFERS.';
    ELSIF length(btrim(p_reason)) IS NULL OR length(btrim(p_reason)) = 0 OR length(p_reason) > 500 THEN
        RAISE EXCEPTION 'the reason has 1 to 500 characters' USING ERRCODE = 'UJ305';
    END IF;
    PERFORM lock_alerts();
    SELECT a.alert_id INTO open_id FROM settlement_alert_now a WHERE a.kind = p_kind AND a.subject = p_subject;
    IF open_id IS NULL THEN
        SELECT e.reason, e.principal_id INTO last FROM settlement_alert a JOIN settlement_alert_end e USING (alert_id)
         WHERE a.kind = p_kind AND a.subject = p_subject ORDER BY a.alert_id DESC LIMIT 1;
        IF (last.reason, last.principal_id) = (p_reason, who) THEN
            RETURN false;
        END IF;
        RAISE EXCEPTION 'no alert % of "%" is raised', p_kind, p_subject USING ERRCODE = 'UJ409';
    END IF;
    INSERT INTO settlement_alert_end (alert_id, ended_at, reason, principal_id) VALUES (open_id, clock_timestamp(), p_reason, who);
    RETURN true;
END $$;

-- "PKR 1,234.50", for people.
CREATE OR REPLACE FUNCTION shown_amount(p_minor bigint, p_ccy smallint) RETURNS text
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT code || ' ' || to_char(p_minor / power(10::numeric, digits), 'FM999,999,999,999,999,990' || CASE WHEN digits > 0 THEN '.' || repeat('0', digits) ELSE '' END)
      FROM currency WHERE ccy = p_ccy;
$$;

-- What there is to be said now. p_late: how long after its cut-off an open window is late.
CREATE OR REPLACE FUNCTION alerts_due(p_late interval) RETURNS TABLE (kind text, subject text, detail text)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT 'NOSTRO_LOW', b.code, format('%s is left %s, less than %s', shown_amount(p.left_amount, t.ccy),
                                        CASE WHEN t.net_debit_cap IS NULL THEN 'of its funding' ELSE 'under its net debit cap' END, shown_amount(t.nostro_low, t.ccy))
      FROM bank_terms_now t JOIN bank b USING (bank_id) CROSS JOIN LATERAL bank_position(t.bank_id) p
     WHERE p.left_amount < t.nostro_low
    UNION ALL
    SELECT 'FLOAT_LOW', k.code || ' ' || c.code, format('%s is left, less than %s', shown_amount(-n.balance, l.ccy), shown_amount(l.amount, l.ccy))
      FROM (SELECT DISTINCT ON (book_id, ccy) * FROM float_low WHERE valid_from <= clock_timestamp()
             ORDER BY book_id, ccy, valid_from DESC) l
      JOIN book k USING (book_id) JOIN currency c USING (ccy)
      JOIN account a ON a.book_id = l.book_id AND a.role = 'float' AND a.ccy = l.ccy
     CROSS JOIN LATERAL (SELECT current_balance(a.book_id, a.account_id) AS balance) n
     WHERE -n.balance < l.amount
    UNION ALL
    (SELECT 'ESCALATED', instruction_id(q.book_id, q.payout_id), format('%s does not answer: asked %s times, last at %s', b.code, q.inquiry_no, q.asked_at)
       FROM inquiry_open q JOIN bank b USING (bank_id) WHERE q.escalated ORDER BY q.bank_id, q.question_no LIMIT 1000)
    UNION ALL
    SELECT 'WINDOW_DISPUTED', b.code || ' ' || e.window_no, e.reason
      FROM bank_head h JOIN bank b USING (bank_id) CROSS JOIN LATERAL windows_to_end(h.bank_id) w
     CROSS JOIN LATERAL (SELECT * FROM window_end e WHERE e.bank_id = h.bank_id AND e.window_no = w.window_no ORDER BY e.step DESC LIMIT 1) e
    UNION ALL
    SELECT 'WINDOW_LATE', b.code || ' ' || h.window_no, format('its cut-off was %s and it is open', w.cutoff_at)
      FROM bank_head h JOIN bank b USING (bank_id) JOIN settlement_window w USING (bank_id, window_no)
     CROSS JOIN LATERAL (SELECT (w.cutoff_at AT TIME ZONE 'Asia/Karachi')::date AS day, (clock_timestamp() AT TIME ZONE 'Asia/Karachi')::date AS today) d
     WHERE w.cutoff_at + p_late < clock_timestamp()
       -- a holiday that was announced since puts the cut-off off to the next working day
       AND (working_day(d.day) OR EXISTS (SELECT 1 FROM generate_series(d.day + 1, d.today - 1, interval '1 day') g WHERE working_day(g::date)))
    UNION ALL
    SELECT 'KEPT_BACK', instruction_id(w.book_id, w.first_payout_id), format('a limit of %s keeps it back, and %s behind it', b.code, w.waiting_count - 1)
      FROM bank_terms_now t JOIN bank b USING (bank_id) JOIN bank_head h USING (bank_id)
      JOIN settlement_window o USING (bank_id, window_no)
     CROSS JOIN LATERAL bank_waiting(t.bank_id) w
     CROSS JOIN LATERAL (SELECT k.committed_at FROM journal j JOIN block k USING (book_id, block_no)
                          WHERE j.book_id = w.book_id AND j.seq = order_number(w.book_id, w.first_payout_id)) accepted
     -- By windows things wait anyway: what no window can take, or the last one did not.
     WHERE w.first_amount > least(t.window_max, t.net_debit_cap)
        OR (w.first_amount > hand_out_room(t.bank_id) AND (t.mode = 'instant' OR accepted.committed_at < o.opened_at))
    UNION ALL
    (SELECT 'HOLD_OVERDUE', instruction_id(o.book_id, o.payout_id), format('it is held in the queue %s, and was to be decided of by %s', o.queue, o.deadline)
       FROM payout_hold_open o WHERE o.deadline <= clock_timestamp() ORDER BY o.deadline LIMIT 1000);
$$;

-- Raises what is due and not raised, and ends what was raised and is not due any more. Of the kinds that somebody else raises, those about
-- an instruction that blocks are ended here, when it has its answer.
CREATE OR REPLACE FUNCTION refresh_alerts(p_late interval DEFAULT '15 minutes', OUT raised integer, OUT ended integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp SET enable_seqscan = off AS $$
BEGIN
    PERFORM lock_alerts();
    WITH due AS MATERIALIZED (
        SELECT * FROM alerts_due(p_late)
    ), news AS (
        INSERT INTO settlement_alert (kind, subject, detail, raised_at)
        SELECT d.kind, d.subject, left(d.detail, 500), clock_timestamp() FROM due d
         WHERE NOT EXISTS (SELECT 1 FROM settlement_alert_now a WHERE a.kind = d.kind AND a.subject = d.subject)
        RETURNING 1
    ), over AS (
        INSERT INTO settlement_alert_end (alert_id, ended_at, reason)
        SELECT a.alert_id, clock_timestamp(), 'it is so no more' FROM settlement_alert_now a
         WHERE CASE WHEN a.kind IN ('NOSTRO_LOW', 'FLOAT_LOW', 'ESCALATED', 'WINDOW_DISPUTED', 'WINDOW_LATE', 'KEPT_BACK', 'HOLD_OVERDUE')
                    THEN NOT EXISTS (SELECT 1 FROM due d WHERE d.kind = a.kind AND d.subject = a.subject)
                    WHEN a.kind = 'BLOCKED'
                    THEN (SELECT t.step FROM payout_transition t WHERE t.step = 1
                             AND t.book_id = substring(a.subject FROM '^UJ([0-9]+)-')::integer
                             AND t.payout_id = substring(a.subject FROM '-([0-9]+)$')::bigint) IS NOT NULL
                    ELSE false END
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM news), (SELECT count(*) FROM over) INTO raised, ended;
END $$;

-- Compares what banks say that they withheld on a day (Asia/Karachi) with what we expect: one alert a bank that differed, whatever
-- the number of its payments, which a person ends. Answers how many; a day that was compared is not compared again.
CREATE OR REPLACE FUNCTION check_tax_day(p_day date) RETURNS integer
LANGUAGE plpgsql SET search_path = ujrat, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    start timestamptz := p_day::timestamp AT TIME ZONE 'Asia/Karachi';
    subjects text[];
    details text[];
BEGIN
    SELECT array_agg(b.code || ' ' || p_day ORDER BY b.code),
           array_agg(format('of %s payments it withheld other than expected: %s, where %s was; the first is %s', f.n,
                            shown_amount(f.withheld::bigint, 586::smallint), shown_amount(f.expected::bigint, 586::smallint),
                            instruction_id(f.first[1]::integer, f.first[2])) ORDER BY b.code)
      INTO subjects, details
      FROM (SELECT d.bank_id, count(*) AS n, sum(coalesce(d.tax_withheld, 0)) AS withheld, sum(d.expected) AS expected,
                   min(ARRAY[d.book_id::bigint, d.payout_id]) AS first
              FROM (SELECT k.book_id, block_upto(k.book_id, start - interval '1 microsecond') AS before,
                           block_upto(k.book_id, start + interval '1 day' - interval '1 microsecond') AS upto FROM book k OFFSET 0) r
             CROSS JOIN LATERAL (SELECT max(k.last_seq) FILTER (WHERE k.block_no = r.before) AS before,
                                        max(k.last_seq) FILTER (WHERE k.block_no = r.upto) AS upto
                                   FROM block k WHERE k.book_id = r.book_id AND k.block_no IN (r.before, r.upto)) s
             -- by the journals of the day alone
             CROSS JOIN LATERAL (SELECT * FROM tax_difference t WHERE t.book_id = r.book_id AND t.seq > 0
                                    AND t.seq > coalesce(s.before, 0) AND t.seq <= s.upto OFFSET 0) d
             GROUP BY d.bank_id) f
      JOIN bank b USING (bank_id);
    PERFORM lock_alerts();
    INSERT INTO tax_day (day, checked_at) VALUES (p_day, clock_timestamp()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    RETURN (SELECT count(*) FROM unnest(subjects, details) a (subject, detail) CROSS JOIN LATERAL raise_alert('TAX_DIFFERS', a.subject, a.detail) r
             WHERE r.raised);
END $$;

-- The next day that is over, if there is one to compare: the first ever is yesterday. An hour after midnight, so that whoever was late
-- with the commit of a block has it in. NULL: there is none, or nothing is expected yet.
CREATE OR REPLACE FUNCTION check_taxes(OUT checked date, OUT raised integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    yesterday date := ((clock_timestamp() - interval '1 hour') AT TIME ZONE 'Asia/Karachi')::date - 1;
BEGIN
    checked := least(coalesce((SELECT max(day) + 1 FROM tax_day), yesterday), yesterday);
    IF NOT EXISTS (SELECT FROM policy_change JOIN policy USING (proposal_id) WHERE kind = 8 AND effective_at <= clock_timestamp())
       OR EXISTS (SELECT FROM tax_day t WHERE t.day >= checked) THEN
        checked := NULL;
        RETURN;
    END IF;
    raised := check_tax_day(checked);
END $$;
