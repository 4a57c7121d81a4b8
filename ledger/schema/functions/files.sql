-- Files to and from banks (docs/settlement.md, bank-guide.md): their rows. The files themselves are settle/'s affair.

-- A file to a bank is decided: from here on it exists, and its bytes follow from this row. `content` says what is in it:
--   {"handouts": [[book, after payout, up to payout], ...]}  |  {"questions": [number, ...]}  |  {"fundings": [[book, reference], ...]}
-- Whatever went into another file before, or a number that another file has, is a unique violation: somebody else was first.
CREATE OR REPLACE FUNCTION add_file_out(p_bank smallint, p_file_no bigint, p_message text, p_window bigint, p_content jsonb,
    p_sha256 bytea, p_created_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    written integer;
    n integer;
BEGIN
    INSERT INTO file_out (bank_id, file_no, prev_file_no, message, window_no, content, sha256, created_at)
    VALUES (p_bank, p_file_no, nullif(p_file_no - 1, 0), p_message, p_window, p_content, p_sha256, p_created_at);
    INSERT INTO file_out_handout (book_id, bank_id, last_payout_id, file_no)
    SELECT (h ->> 0)::integer, p_bank, (h ->> 2)::bigint, p_file_no FROM jsonb_array_elements(p_content -> 'handouts') h;
    GET DIAGNOSTICS written = ROW_COUNT;
    INSERT INTO file_out_question (bank_id, question_no, file_no)
    SELECT p_bank, q::bigint, p_file_no FROM jsonb_array_elements_text(p_content -> 'questions') q;
    GET DIAGNOSTICS n = ROW_COUNT;
    written := written + n;
    INSERT INTO file_out_funding (book_id, reference, bank_id, file_no)
    SELECT (f ->> 0)::integer, f ->> 1, p_bank, p_file_no FROM jsonb_array_elements(p_content -> 'fundings') f;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF written + n = 0 THEN
        RAISE EXCEPTION 'a file has something in it' USING ERRCODE = 'UJ305';
    END IF;
END $$;

-- What became of a file from a bank. The first row of its contents and outcome counts: answers whether this is it.
CREATE OR REPLACE FUNCTION add_file_in(p_bank smallint, p_sha256 bytea, p_name text, p_message text, p_outcome text,
    p_items bigint, p_refused bigint, p_report text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    INSERT INTO file_in (bank_id, sha256, name, message, outcome, items, refused, report, received_at)
    VALUES (p_bank, p_sha256, p_name, p_message, p_outcome, p_items, p_refused, p_report, clock_timestamp())
    ON CONFLICT (bank_id, sha256, outcome) DO NOTHING;
    RETURN FOUND;
END $$;
