-- Which days banks work on, and what was agreed with a bank. Cut-offs and working time are computed from these rows by
-- domain/calendar.h; only whether a day is one to work on is asked here too.

-- A day is not like others, or is after all. Saying the same again changes nothing: answers whether it was news.
CREATE OR REPLACE FUNCTION record_calendar_day(p_day date, p_kind text, p_name text, p_author text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    last calendar_day;
BEGIN
    IF p_kind IS NULL OR p_kind NOT IN ('holiday', 'working', 'ramadan') THEN
        RAISE EXCEPTION 'a day is a holiday, working, or ramadan' USING ERRCODE = 'UJ305';
    ELSIF p_day IS NULL OR p_day NOT BETWEEN DATE '2000-01-01' AND DATE '2199-12-31' THEN
        RAISE EXCEPTION 'the day is between 2000 and 2199' USING ERRCODE = 'UJ308';
    ELSIF length(btrim(p_name)) IS NULL OR length(btrim(p_name)) = 0 OR length(p_name) > 100 THEN
        RAISE EXCEPTION 'the name has 1 to 100 characters' USING ERRCODE = 'UJ305';
    END IF;
    LOCK TABLE calendar_day IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM calendar_day WHERE day = p_day ORDER BY recorded_at DESC LIMIT 1;
    IF last.kind = p_kind AND last.name = p_name THEN
        RETURN false;
    END IF;
    INSERT INTO calendar_day (day, recorded_at, kind, name, author)
    VALUES (p_day, greatest(clock_timestamp(), last.recorded_at + interval '1 microsecond'), p_kind, p_name, p_author);
    RETURN true;
END $$;

-- Whether banks work on a day, as far as is known now. Monday to Friday, unless the calendar says otherwise; a day of
-- Ramadan is a short one, not another kind of weekend.
CREATE OR REPLACE FUNCTION working_day(p_day date) RETURNS boolean
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT CASE (SELECT kind FROM calendar_day WHERE day = p_day ORDER BY recorded_at DESC LIMIT 1)
               WHEN 'holiday' THEN false WHEN 'working' THEN true ELSE extract(isodow FROM p_day) < 6 END;
$$;

-- Cut-offs: times of day, each later than the one before.
CREATE OR REPLACE FUNCTION check_cutoffs(p_cutoffs time[]) RETURNS void
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    IF p_cutoffs IS NULL OR cardinality(p_cutoffs) NOT BETWEEN 1 AND 24 OR array_position(p_cutoffs, NULL) IS NOT NULL
       OR array_ndims(p_cutoffs) <> 1 OR TIME '24:00' = ANY (p_cutoffs)
       OR p_cutoffs <> array(SELECT DISTINCT c FROM unnest(p_cutoffs) c ORDER BY c) THEN
        RAISE EXCEPTION 'there are 1 to 24 cut-offs, each later in the day than the one before' USING ERRCODE = 'UJ305';
    END IF;
END $$;

-- What was agreed with a bank, from a moment on (NULL: now). The same as is in force then changes nothing: answers whether it
-- was news. Amounts are of PKR, which is all that is paid out; NULL: no limit.
CREATE OR REPLACE FUNCTION set_bank_terms(p_bank smallint, p_mode text, p_channel text, p_cutoffs time[], p_ramadan_cutoffs time[],
    p_ccy smallint, p_instruction_max bigint, p_window_max bigint, p_net_debit_cap bigint, p_nostro_low bigint,
    p_answer_within interval, p_escalate_after interval, p_settle_within interval, p_file_format text, p_author text,
    p_valid_from timestamptz DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    last bank_terms;
    n bank_terms;
BEGIN
    PERFORM 1 FROM bank WHERE bank_id = p_bank AND connected FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the bank takes no instructions from us' USING ERRCODE = 'UJ205';
    ELSIF p_ccy IS DISTINCT FROM 586 THEN
        RAISE EXCEPTION 'only PKR is paid out' USING ERRCODE = 'UJ107';
    ELSIF p_valid_from < clock_timestamp() THEN
        RAISE EXCEPTION 'terms do not begin in the past' USING ERRCODE = 'UJ308';
    END IF;
    PERFORM check_cutoffs(p_cutoffs);
    PERFORM check_cutoffs(p_ramadan_cutoffs);
    n := ROW(p_bank, coalesce(p_valid_from, clock_timestamp()), p_mode, p_channel, p_cutoffs, p_ramadan_cutoffs, p_ccy,
             p_instruction_max, p_window_max, p_net_debit_cap, p_nostro_low, p_answer_within, p_escalate_after, p_settle_within,
             p_file_format, p_author);
    SELECT * INTO last FROM bank_terms WHERE bank_id = p_bank AND valid_from <= n.valid_from ORDER BY valid_from DESC LIMIT 1;
    IF FOUND THEN
        last.author := n.author;
        IF p_valid_from IS NULL AND last.valid_from >= n.valid_from THEN     -- the clock stepped back
            n.valid_from := last.valid_from + interval '1 microsecond';
        END IF;
        last.valid_from := n.valid_from;
        IF last IS NOT DISTINCT FROM n THEN
            RETURN false;
        END IF;
    END IF;
    BEGIN
        INSERT INTO bank_terms SELECT n.*;
    EXCEPTION
        WHEN check_violation OR not_null_violation THEN
            RAISE EXCEPTION 'the terms make no sense: %', SQLERRM USING ERRCODE = 'UJ305';
        WHEN unique_violation THEN
            RAISE EXCEPTION 'other terms begin at that moment' USING ERRCODE = 'UJ304';
    END;
    RETURN true;
END $$;

-- Below which a platform's float is called low, from now on. Answers whether it was news.
CREATE OR REPLACE FUNCTION set_float_low(p_book integer, p_code text, p_amount bigint, p_author text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    c smallint;
    last float_low;
BEGIN
    SELECT a.ccy INTO c FROM account a JOIN currency k USING (ccy) WHERE a.book_id = p_book AND a.role = 'float' AND k.code = p_code;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the book has no float in %', p_code USING ERRCODE = 'UJ107';
    ELSIF p_amount IS NULL OR p_amount < 0 THEN
        RAISE EXCEPTION 'the amount is not below zero' USING ERRCODE = 'UJ101';
    END IF;
    LOCK TABLE float_low IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM float_low WHERE book_id = p_book AND ccy = c ORDER BY valid_from DESC LIMIT 1;
    IF last.amount = p_amount THEN
        RETURN false;
    END IF;
    INSERT INTO float_low (book_id, ccy, valid_from, amount, author)
    VALUES (p_book, c, greatest(clock_timestamp(), last.valid_from + interval '1 microsecond'), p_amount, p_author);
    RETURN true;
END $$;
