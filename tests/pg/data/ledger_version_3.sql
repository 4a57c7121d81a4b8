-- A small ledger as version 3 of the schema left it: what `ujrat db migrate` of today has to take over (test_upgrade.py).
--
-- Made with the program of commit fb01b67, the last with that version, by its own gateway and sealer: two platforms and two banks;
-- beneficiaries, made up, whose personal data is encrypted under a key that is gone; payouts in every state (accepted, instructed,
-- settled, rejected, returned, cancelled); every block sealed. Then pg_dump --schema=ujrat; its comments are left out. The public keys
-- of the two books are in ledger_version_3.pem.

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA ujrat;

ALTER SCHEMA ujrat OWNER TO ujrat_owner;

CREATE TYPE ujrat.account_type AS ENUM (
    'ASSET',
    'LIABILITY',
    'INCOME',
    'EXPENSE',
    'POSITION'
);

ALTER TYPE ujrat.account_type OWNER TO ujrat_owner;

CREATE TYPE ujrat.beneficiary_draft AS (
	fingerprint bytea,
	bank_id smallint,
	channel smallint,
	purpose_code text,
	name_commitment bytea,
	iban_commitment bytea,
	mobile_commitment bytea,
	cnic_commitment bytea,
	pseb_commitment bytea,
	pii_key smallint,
	pii bytea
);

ALTER TYPE ujrat.beneficiary_draft OWNER TO ujrat_owner;

CREATE TYPE ujrat.block_seal_draft AS (
	block_no bigint,
	journal_root bytea,
	nodes bytea,
	leaves bytea,
	key_id text,
	signature bytea
);

ALTER TYPE ujrat.block_seal_draft OWNER TO ujrat_owner;

CREATE TYPE ujrat.confirmation_draft AS (
	payout_id bigint,
	state smallint,
	ccy smallint,
	amount bigint,
	bank_reference text,
	tax_withheld bigint,
	eprc_number text,
	reason_code text
);

ALTER TYPE ujrat.confirmation_draft OWNER TO ujrat_owner;

CREATE TYPE ujrat.payout_draft AS (
	reference text,
	fingerprint bytea,
	info text,
	beneficiary_id bigint,
	carried ujrat.beneficiary_draft,
	quote_id bigint,
	gross bigint,
	fee bigint,
	mid_rate_e10 bigint,
	mid_value bigint,
	margin bigint,
	net bigint,
	rate_id integer,
	margin_bps integer,
	src_ccy smallint,
	dst_ccy smallint,
	digit_shift smallint,
	refusal smallint,
	line_account integer[],
	line_ccy smallint[],
	line_minor bigint[]
);

ALTER TYPE ujrat.payout_draft OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.add_account(p_book integer, p_code text, p_role text, p_type ujrat.account_type, p_side text, p_ccy smallint, p_bank smallint, p_floor boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    id integer;
BEGIN
    IF EXISTS (SELECT 1 FROM account WHERE book_id = p_book AND code = p_code) THEN
        RETURN;
    END IF;
    SELECT coalesce(max(account_id), 0) + 1 INTO id FROM account WHERE book_id = p_book;
    INSERT INTO account (book_id, account_id, code, role, type, normal_side, ccy, bank_id, floor_zero)
    VALUES (p_book, id, p_code, p_role, p_type, p_side, p_ccy, p_bank, p_floor);
    INSERT INTO account_balance (block_no, change, balance, debit_count, credit_count, book_id, account_id, floor_zero)
    VALUES (0, 0, 0, 0, 0, p_book, id, p_floor);
END $$;

ALTER FUNCTION ujrat.add_account(p_book integer, p_code text, p_role text, p_type ujrat.account_type, p_side text, p_ccy smallint, p_bank smallint, p_floor boolean) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.add_log_key(p_book integer, p_from bigint, p_public bytea, p_created_at timestamp with time zone, p_signed_by text, p_signature bytea) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    id text := encode(substring(sha256(p_public), 1, 8), 'hex');
    newest log_key;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no book %', p_book USING ERRCODE = 'UJ503';
    END IF;
    -- Waits for a sealing that is under way, which holds these rows, and makes the next one wait: see seal_blocks.
    PERFORM 1 FROM log_key WHERE book_id = p_book ORDER BY from_block FOR UPDATE;
    SELECT * INTO newest FROM log_key WHERE book_id = p_book ORDER BY from_block DESC LIMIT 1;
    IF newest.key_id = id AND newest.from_block = p_from THEN
        RETURN id;
    END IF;
    IF newest.key_id IS NULL THEN
        IF p_from <> 1 THEN
            RAISE EXCEPTION 'the first key of a book signs from block 1' USING ERRCODE = 'UJ409';
        END IF;
    ELSIF p_signed_by <> newest.key_id THEN
        RAISE EXCEPTION 'key % is not signed by the key before it, %', id, newest.key_id USING ERRCODE = 'UJ409';
    ELSIF p_from <= greatest(newest.from_block, (SELECT coalesce(max(block_no), 0) FROM block_seal WHERE book_id = p_book)) THEN
        RAISE EXCEPTION 'block % is sealed already', p_from USING ERRCODE = 'UJ409';
    END IF;
    INSERT INTO log_key (book_id, from_block, key_id, public_key, created_at, signed_by, signature)
    VALUES (p_book, p_from, id, p_public, p_created_at, p_signed_by, p_signature);
    RETURN id;
END $$;

ALTER FUNCTION ujrat.add_log_key(p_book integer, p_from bigint, p_public bytea, p_created_at timestamp with time zone, p_signed_by text, p_signature bytea) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.add_principal(p_uri text, p_role text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO principal (uri, role) VALUES (p_uri, p_role) ON CONFLICT (uri) DO NOTHING;
    RETURN (SELECT principal_id FROM principal WHERE uri = p_uri AND role = p_role);
END $$;

ALTER FUNCTION ujrat.add_principal(p_uri text, p_role text) OWNER TO ujrat_owner;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE ujrat.account (
    book_id integer NOT NULL,
    account_id integer NOT NULL,
    code text NOT NULL,
    role text NOT NULL,
    type ujrat.account_type NOT NULL,
    normal_side text NOT NULL,
    ccy smallint NOT NULL,
    bank_id smallint,
    floor_zero boolean NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT account_account_id_check CHECK ((account_id > 0)),
    CONSTRAINT account_check CHECK (((bank_id IS NOT NULL) = (role = ANY (ARRAY['payable'::text, 'nostro'::text])))),
    CONSTRAINT account_code_check CHECK ((code ~ '^[a-z-]+(\.[A-Z0-9]+)+$'::text)),
    CONSTRAINT account_normal_side_check CHECK ((normal_side = ANY (ARRAY['debit'::text, 'credit'::text]))),
    CONSTRAINT account_role_check CHECK ((role = ANY (ARRAY['float'::text, 'correspondent'::text, 'fee'::text, 'margin'::text, 'position'::text, 'payable'::text, 'nostro'::text, 'suspense'::text, 'charge'::text])))
);

ALTER TABLE ujrat.account OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.adjustable_account(p_book integer, p_code text) RETURNS ujrat.account
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    a account;
    c smallint;
BEGIN
    SELECT * INTO a FROM account WHERE book_id = p_book AND code = p_code;
    IF FOUND THEN
        RETURN a;
    END IF;
    SELECT ccy INTO c FROM currency WHERE p_code IN ('suspense.' || code, 'charge.' || code);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the book has no account %', p_code USING ERRCODE = 'UJ413';
    END IF;
    IF p_code LIKE 'suspense.%' THEN
        PERFORM add_account(p_book, p_code, 'suspense', 'LIABILITY', 'credit', c, NULL, false);
    ELSE
        PERFORM add_account(p_book, p_code, 'charge', 'EXPENSE', 'debit', c, NULL, false);
    END IF;
    SELECT * INTO a FROM account WHERE book_id = p_book AND code = p_code;
    RETURN a;
END $$;

ALTER FUNCTION ujrat.adjustable_account(p_book integer, p_code text) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.digit_factor(shift smallint) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE shift WHEN 0 THEN 1::numeric WHEN -1 THEN 0.1 WHEN -2 THEN 0.01 WHEN -3 THEN 0.001 WHEN -4 THEN 0.0001
                      WHEN 1 THEN 10 WHEN 2 THEN 100 WHEN 3 THEN 1000 WHEN 4 THEN 10000 END
$$;

ALTER FUNCTION ujrat.digit_factor(shift smallint) OWNER TO ujrat_owner;

CREATE TABLE ujrat.payout (
    payout_id bigint NOT NULL,
    beneficiary_id bigint NOT NULL,
    gross bigint NOT NULL,
    fee bigint NOT NULL,
    mid_rate_e10 bigint NOT NULL,
    mid_value bigint NOT NULL,
    margin bigint NOT NULL,
    net bigint NOT NULL,
    quote_id bigint,
    book_id integer NOT NULL,
    rate_id integer NOT NULL,
    beneficiary_version integer NOT NULL,
    margin_bps integer NOT NULL,
    src_ccy smallint NOT NULL,
    dst_ccy smallint NOT NULL,
    bank_id smallint NOT NULL,
    digit_shift smallint NOT NULL,
    fingerprint bytea NOT NULL,
    reference text NOT NULL COLLATE pg_catalog."C",
    info text,
    CONSTRAINT margin_rounded_down CHECK (
CASE
    WHEN (mid_value < '900000000000000'::bigint) THEN (margin = ((mid_value * margin_bps) / 10000))
    ELSE ((margin)::numeric = div(((mid_value)::numeric * (margin_bps)::numeric), (10000)::numeric))
END),
    CONSTRAINT mid_value_half_even CHECK (
CASE
    WHEN ((digit_shift = 0) AND ((gross - fee) < 1000000) AND (mid_rate_e10 < '4000000000000'::bigint) AND (mid_value < 400000000)) THEN ((abs(((mid_value * '20000000000'::bigint) - (((gross - fee) * mid_rate_e10) * 2))) < '10000000000'::bigint) OR ((abs(((mid_value * '20000000000'::bigint) - (((gross - fee) * mid_rate_e10) * 2))) = '10000000000'::bigint) AND ((mid_value % (2)::bigint) = 0)))
    ELSE ((abs((((mid_value)::numeric * ('20000000000'::bigint)::numeric) - (((((gross - fee))::numeric * (mid_rate_e10)::numeric) * (2)::numeric) * ujrat.digit_factor(digit_shift)))) < ('10000000000'::bigint)::numeric) OR ((abs((((mid_value)::numeric * ('20000000000'::bigint)::numeric) - (((((gross - fee))::numeric * (mid_rate_e10)::numeric) * (2)::numeric) * ujrat.digit_factor(digit_shift)))) = ('10000000000'::bigint)::numeric) AND ((mid_value % (2)::bigint) = 0)))
END),
    CONSTRAINT payout_check CHECK (((gross > 0) AND (fee >= 0) AND (fee < gross) AND (margin >= 0) AND (net > 0) AND (net = (mid_value - margin)))),
    CONSTRAINT payout_check1 CHECK (((mid_rate_e10 > 0) AND ((margin_bps >= 0) AND (margin_bps <= 9999)) AND ((digit_shift >= '-4'::integer) AND (digit_shift <= 4))))
);

ALTER TABLE ujrat.payout OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer, p_upto bigint DEFAULT '9223372036854775807'::bigint) RETURNS SETOF ujrat.payout
    LANGUAGE plpgsql STABLE
    SET search_path TO 'ujrat', 'pg_temp'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    AS $$
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

ALTER FUNCTION ujrat.bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer, p_upto bigint) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.begin_block(p_book integer, OUT seq bigint, OUT block_no bigint, OUT at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
BEGIN
    SELECT h.next_seq, h.next_block, h.last_commit_at INTO seq, block_no, at
      FROM book_head h WHERE h.book_id = p_book FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no book %', p_book USING ERRCODE = 'UJ503';
    END IF;
    -- Not in the query above: it would be computed with the row, before the wait for its lock.
    at := greatest(clock_timestamp(), at + interval '1 microsecond');
END $$;

ALTER FUNCTION ujrat.begin_block(p_book integer, OUT seq bigint, OUT block_no bigint, OUT at timestamp with time zone) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.block_upto(p_book integer, p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
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

ALTER FUNCTION ujrat.block_upto(p_book integer, p_at timestamp with time zone) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.cancel_payout(p_book integer, p_principal integer, p_payout bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
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

ALTER FUNCTION ujrat.cancel_payout(p_book integer, p_principal integer, p_payout bigint) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.carry_beneficiaries(p_book integer, p_principal integer, p_at timestamp with time zone, p_items ujrat.payout_draft[]) RETURNS ujrat.payout_draft[]
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    c beneficiary_draft;
BEGIN
    FOR i IN 1 .. cardinality(p_items) LOOP
        c := p_items[i].carried;
        IF NOT (c IS NULL) THEN
            p_items[i].beneficiary_id := put_beneficiary(p_book, p_principal, 'carried:' || encode(c.fingerprint, 'hex'), c, p_at);
        END IF;
    END LOOP;
    RETURN p_items;
END $$;

ALTER FUNCTION ujrat.carry_beneficiaries(p_book integer, p_principal integer, p_at timestamp with time zone, p_items ujrat.payout_draft[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.check_adjustment(p_request text, p_reason text, p_evidence bytea, p_account text[], p_minor bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
BEGIN
    IF length(p_request) IS NULL OR length(p_request) NOT BETWEEN 1 AND 64 THEN
        RAISE EXCEPTION 'the request id has 1 to 64 characters' USING ERRCODE = 'UJ305';
    ELSIF length(btrim(p_reason)) IS NULL OR length(btrim(p_reason)) = 0 OR length(p_reason) > 500 THEN
        RAISE EXCEPTION 'the reason has 1 to 500 characters' USING ERRCODE = 'UJ305';
    ELSIF length(p_evidence) <> 32 THEN
        RAISE EXCEPTION 'the evidence is named by its SHA-256, of 32 bytes' USING ERRCODE = 'UJ305';
    ELSIF p_account IS NULL OR p_minor IS NULL OR cardinality(p_account) <> cardinality(p_minor)
       OR cardinality(p_account) NOT BETWEEN 2 AND 8 OR array_ndims(p_account) <> 1 OR array_ndims(p_minor) <> 1
       OR array_lower(p_account, 1) <> 1 OR array_lower(p_minor, 1) <> 1 THEN
        RAISE EXCEPTION 'an adjustment has 2 to 8 lines, each with an account and an amount' USING ERRCODE = 'UJ305';
    ELSIF array_position(p_account, NULL) IS NOT NULL OR array_position(p_minor, NULL) IS NOT NULL OR 0 = ANY (p_minor) THEN
        RAISE EXCEPTION 'a line of the adjustment has no account, or no amount' USING ERRCODE = 'UJ100';
    ELSIF (SELECT count(DISTINCT a) FROM unnest(p_account) a) <> cardinality(p_account) THEN
        RAISE EXCEPTION 'an account is named in two lines' USING ERRCODE = 'UJ305';
    END IF;
END $$;

ALTER FUNCTION ujrat.check_adjustment(p_request text, p_reason text, p_evidence bytea, p_account text[], p_minor bigint[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.close_block(p_book integer, p_block bigint, p_first bigint, p_last bigint, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $$    -- few shapes: hash them
BEGIN
    INSERT INTO block (book_id, block_no, first_seq, last_seq, committed_at)
    VALUES (p_book, p_block, p_first, p_last, p_at);

    -- Journals of one kind and shape touch the same accounts in the same places, a place always with the same
    -- sign: summing by place and only then unnesting is several times cheaper than unnesting every line.
    INSERT INTO account_balance (block_no, prev_block_no, balance_before, change, balance,
                                 debit_count, credit_count, book_id, account_id, floor_zero)
    WITH shape AS (
        SELECT j.line_account, j.line_ccy, count(*) AS n,
               ARRAY[sum(m[1]), sum(m[2]), sum(m[3]), sum(m[4]), sum(m[5]), sum(m[6]), sum(m[7]), sum(m[8])] AS total
          FROM (SELECT line_account, line_ccy, kind, line_minor || '{}' AS m     -- unpacked once, not for every element
                  FROM journal WHERE book_id = p_book AND seq BETWEEN p_first AND p_last OFFSET 0) j
         GROUP BY j.line_account, j.line_ccy, j.kind
    ), touched AS (
        SELECT line.account_id, line.ccy, sum(line.total)::bigint AS change,
               (sum(s.n) FILTER (WHERE line.total > 0))::bigint AS debits,
               (sum(s.n) FILTER (WHERE line.total < 0))::bigint AS credits
          FROM shape s, unnest(s.line_account, s.line_ccy, s.total) AS line (account_id, ccy, total)
         WHERE line.total IS NOT NULL
         GROUP BY line.account_id, line.ccy
    )
    SELECT p_block, last.block_no, last.balance, t.change, last.balance + t.change,
           last.debit_count + coalesce(t.debits, 0), last.credit_count + coalesce(t.credits, 0), p_book, t.account_id, a.floor_zero
      FROM touched t
      LEFT JOIN LATERAL (SELECT c.floor_zero FROM account c
                          WHERE c.book_id = p_book AND c.account_id = t.account_id AND c.ccy = t.ccy LIMIT 1) a ON true
      LEFT JOIN LATERAL (SELECT b.block_no, b.balance, b.debit_count, b.credit_count
                           FROM account_balance b
                          WHERE b.book_id = p_book AND b.account_id = t.account_id
                          ORDER BY b.block_no DESC LIMIT 1) last ON true
     ORDER BY t.account_id;

    UPDATE book_head SET next_seq = p_last + 1, next_block = p_block + 1, last_commit_at = p_at
     WHERE book_id = p_book;
END $$;

ALTER FUNCTION ujrat.close_block(p_book integer, p_block bigint, p_first bigint, p_last bigint, p_at timestamp with time zone) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.confirm_instructions(p_book integer, p_bank smallint, p_principal integer, p_items ujrat.confirmation_draft[], OUT outcome smallint[]) RETURNS smallint[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
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

ALTER FUNCTION ujrat.confirm_instructions(p_book integer, p_bank smallint, p_principal integer, p_items ujrat.confirmation_draft[], OUT outcome smallint[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.connect_bank(p_code text) RETURNS smallint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    id smallint;
BEGIN
    LOCK TABLE book IN EXCLUSIVE MODE;
    UPDATE bank SET connected = true WHERE code = p_code RETURNING bank_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'no bank %', p_code USING ERRCODE = 'UJ204';
    END IF;
    INSERT INTO principal (uri, role, bank_id) VALUES ('ujrat://bank/' || p_code, 'bank', id) ON CONFLICT (uri) DO NOTHING;
    PERFORM open_bank_accounts(book_id, id) FROM book ORDER BY book_id;
    RETURN id;
END $$;

ALTER FUNCTION ujrat.connect_bank(p_code text) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.create_quote(p_book integer, p_principal integer, p_request text, p_fingerprint bytea, p_src smallint, p_dst smallint, p_digit_shift smallint, p_rate integer, p_numbers bigint[], p_margin_bps integer, p_ttl_ms integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    old record;
    id bigint;
    at timestamptz;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    at := clock_timestamp();
    SELECT quote_id, fingerprint INTO old FROM quote WHERE book_id = p_book AND request_id = p_request;
    IF FOUND THEN
        IF old.fingerprint <> p_fingerprint THEN
            RAISE EXCEPTION 'request id was used with another body' USING ERRCODE = 'UJ400';
        END IF;
        RETURN old.quote_id;
    END IF;
    SELECT coalesce(max(quote_id), 0) + 1 INTO id FROM quote WHERE book_id = p_book;
    -- p_numbers: gross, fee, mid_rate_e10, mid_value, margin, net
    INSERT INTO quote (book_id, quote_id, request_id, fingerprint, src_ccy, dst_ccy, digit_shift, rate_id, gross, fee, mid_rate_e10,
                       mid_value, margin_bps, margin, net, principal_id, created_at, expires_at)
    VALUES (p_book, id, p_request, p_fingerprint, p_src, p_dst, p_digit_shift, p_rate, p_numbers[1], p_numbers[2], p_numbers[3],
            p_numbers[4], p_margin_bps, p_numbers[5], p_numbers[6], p_principal, at, at + p_ttl_ms * interval '1 millisecond');
    RETURN id;
END $$;

ALTER FUNCTION ujrat.create_quote(p_book integer, p_principal integer, p_request text, p_fingerprint bytea, p_src smallint, p_dst smallint, p_digit_shift smallint, p_rate integer, p_numbers bigint[], p_margin_bps integer, p_ttl_ms integer) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.current_balance(p_book integer, p_account integer) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
    SELECT balance FROM account_balance
     WHERE book_id = p_book AND account_id = p_account ORDER BY block_no DESC LIMIT 1;
$$;

ALTER FUNCTION ujrat.current_balance(p_book integer, p_account integer) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.decide_adjustment(p_book integer, p_proposal bigint, p_approve boolean, OUT seq bigint, OUT duplicate boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    who integer := operator_principal();
    head record;
    p adjustment_proposal;
    old adjustment_decision;
BEGIN
    head := begin_block(p_book);
    SELECT * INTO p FROM adjustment_proposal q WHERE q.book_id = p_book AND q.proposal_id = p_proposal;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no proposal %', p_proposal USING ERRCODE = 'UJ305';
    END IF;
    SELECT * INTO old FROM adjustment_decision d WHERE d.book_id = p_book AND d.proposal_id = p_proposal;
    IF FOUND THEN
        IF (old.seq IS NOT NULL) IS DISTINCT FROM p_approve THEN
            RAISE EXCEPTION 'proposal % was %', p_proposal, CASE WHEN old.seq IS NULL THEN 'refused' ELSE 'approved' END
                USING ERRCODE = 'UJ409';
        END IF;
        seq := old.seq;
        duplicate := true;
        RETURN;
    END IF;
    IF p_approve AND p.proposed_by = who THEN
        RAISE EXCEPTION 'whoever proposes an adjustment does not approve it: a second person must' USING ERRCODE = 'UJ502';
    END IF;
    IF p_approve THEN
        seq := head.seq;
        INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail)
        VALUES (head.seq, head.block_no, p_book, who, 9, p.line_account, p.line_ccy, p.line_minor, p.reason);
        BEGIN
            PERFORM close_block(p_book, head.block_no, head.seq, head.seq, head.at);
        EXCEPTION WHEN check_violation THEN
            RAISE EXCEPTION 'proposal % would take a float below zero', p_proposal USING ERRCODE = 'UJ109';
        END;
    END IF;
    INSERT INTO adjustment_decision (book_id, proposal_id, decided_by, decided_at, seq)
    VALUES (p_book, p_proposal, who, head.at, seq);
    duplicate := false;
END $$;

ALTER FUNCTION ujrat.decide_adjustment(p_book integer, p_proposal bigint, p_approve boolean, OUT seq bigint, OUT duplicate boolean) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.deposit_float(p_book integer, p_principal integer, p_code text, p_amount bigint, p_reference text, OUT seq bigint, OUT duplicate boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    head record;
    f account;
    c account;
    old float_deposit;
BEGIN
    IF p_amount <= 0 THEN
        RAISE EXCEPTION 'the amount must be more than zero' USING ERRCODE = 'UJ100';
    END IF;
    head := begin_block(p_book);
    SELECT a.* INTO f FROM account a JOIN currency k USING (ccy) WHERE a.book_id = p_book AND a.role = 'float' AND k.code = p_code;
    SELECT a.* INTO c FROM account a JOIN currency k USING (ccy) WHERE a.book_id = p_book AND a.role = 'correspondent' AND k.code = p_code;
    IF f IS NULL OR c IS NULL THEN
        RAISE EXCEPTION 'the book has no float in %', p_code USING ERRCODE = 'UJ107';
    END IF;
    SELECT * INTO old FROM float_deposit d WHERE d.book_id = p_book AND d.reference = p_reference;
    IF FOUND THEN
        IF old.ccy <> f.ccy OR old.amount <> p_amount THEN
            RAISE EXCEPTION 'reference % was used for another deposit', p_reference USING ERRCODE = 'UJ400';
        END IF;
        seq := old.seq;
        duplicate := true;
        RETURN;
    END IF;
    INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail)
    VALUES (head.seq, head.block_no, p_book, p_principal, 8, ARRAY[c.account_id, f.account_id], ARRAY[c.ccy, f.ccy],
            ARRAY[p_amount, -p_amount], p_reference);
    INSERT INTO float_deposit (book_id, reference, ccy, amount, seq) VALUES (p_book, p_reference, f.ccy, p_amount, head.seq);
    PERFORM close_block(p_book, head.block_no, head.seq, head.seq, head.at);
    seq := head.seq;
    duplicate := false;
END $$;

ALTER FUNCTION ujrat.deposit_float(p_book integer, p_principal integer, p_code text, p_amount bigint, p_reference text, OUT seq bigint, OUT duplicate boolean) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.erase_beneficiary(p_book integer, p_id bigint, p_by text, p_reason text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    seen bigint;
    gone integer;
BEGIN
    -- There is no index from a person to the payouts. The book is read without its lock first, and what came after
    -- that with it: a payout that is finished stays finished.
    SELECT next_seq - 1 INTO seen FROM book_head WHERE book_id = p_book;
    FOR i IN 1 .. 2 LOOP
        IF EXISTS (SELECT FROM payout p WHERE p.book_id = p_book AND p.beneficiary_id = p_id
                      AND CASE i WHEN 1 THEN p.payout_id <= seen ELSE p.payout_id > seen END
                      AND NOT EXISTS (SELECT FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id)) THEN
            RAISE EXCEPTION 'beneficiary % has payouts that are not finished', p_id USING ERRCODE = 'UJ409',
                HINT = 'Wait until its bank has answered, or cancel them.';
        END IF;
        IF i = 1 THEN
            PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
        END IF;
    END LOOP;
    UPDATE beneficiary SET erased_at = clock_timestamp(),
           request_id = CASE WHEN request_id LIKE 'carried:%' THEN 'erased:' || beneficiary_id ELSE request_id END
     WHERE book_id = p_book AND beneficiary_id = p_id AND erased_at IS NULL;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM beneficiary WHERE book_id = p_book AND beneficiary_id = p_id) THEN
            RETURN 0;
        END IF;
        RAISE EXCEPTION 'no beneficiary %', p_id USING ERRCODE = 'UJ211';
    END IF;
    DELETE FROM beneficiary_pii WHERE book_id = p_book AND beneficiary_id = p_id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO pii_erasure (book_id, beneficiary_id, erased_at, erased_by, reason, versions)
    VALUES (p_book, p_id, clock_timestamp(), p_by, p_reason, gone);
    RETURN gone;
END $$;

ALTER FUNCTION ujrat.erase_beneficiary(p_book integer, p_id bigint, p_by text, p_reason text) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.guard_pii() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    stack text;
    wanted text := CASE TG_OP WHEN 'DELETE' THEN 'function (ujrat\.)?erase_beneficiary\(' WHEN 'UPDATE' THEN 'function (ujrat\.)?rotate_pii\(' END;
BEGIN
    GET DIAGNOSTICS stack = PG_CONTEXT;
    IF wanted IS NOT NULL AND stack ~ wanted
       AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '%: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'UJ409',
        HINT = 'A person is erased with `ujrat pii erase`, rows are encrypted anew with `ujrat pii rotate`.';
END $$;

ALTER FUNCTION ujrat.guard_pii() OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.hand_out(p_book integer, p_bank smallint, p_principal integer, p_limit integer, OUT last_payout_id bigint, OUT moved boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
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

ALTER FUNCTION ujrat.hand_out(p_book integer, p_bank smallint, p_principal integer, p_limit integer, OUT last_payout_id bigint, OUT moved boolean) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.handed_out_upto(p_book integer, p_bank smallint) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
    SELECT coalesce((SELECT last_payout_id FROM handout WHERE book_id = p_book AND bank_id = p_bank
                      ORDER BY last_payout_id DESC LIMIT 1), 0);
$$;

ALTER FUNCTION ujrat.handed_out_upto(p_book integer, p_bank smallint) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.import_rates(p_source text, p_date date, p_as_of timestamp with time zone, p_file text, p_sha256 bytea, p_author text, p_refused text, p_ccy smallint[], p_pkr_e10 bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    id integer;
BEGIN
    LOCK TABLE rate_sheet IN EXCLUSIVE MODE;
    SELECT rate_id INTO id FROM rate_sheet
     WHERE file_sha256 = p_sha256 AND source = p_source AND refused IS NOT DISTINCT FROM p_refused ORDER BY rate_id DESC LIMIT 1;
    IF FOUND THEN
        RETURN id;
    END IF;
    INSERT INTO rate_sheet (source, sheet_date, as_of, file_name, file_sha256, author, refused)
    VALUES (p_source, p_date, CASE WHEN p_as_of > clock_timestamp() THEN clock_timestamp() ELSE p_as_of END, p_file, p_sha256, p_author, p_refused) RETURNING rate_id INTO id;
    IF p_refused IS NULL THEN
        INSERT INTO rate (rate_id, ccy, pkr_e10) SELECT id, c, r FROM unnest(p_ccy, p_pkr_e10) t (c, r);
    END IF;
    RETURN id;
END $$;

ALTER FUNCTION ujrat.import_rates(p_source text, p_date date, p_as_of timestamp with time zone, p_file text, p_sha256 bytea, p_author text, p_refused text, p_ccy smallint[], p_pkr_e10 bigint[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.judge_payouts(p_book integer, p_items ujrat.payout_draft[], p_at timestamp with time zone, p_seq bigint, OUT outcome smallint[], OUT payout_id bigint[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    n integer := cardinality(p_items);
    item record;
    verdict smallint;
    id bigint;
    next_id bigint := p_seq;
    float_ccy smallint[] := '{}';
    float_left bigint[] := '{}';
    at_ccy integer;
    quotes_taken bigint[] := '{}';
BEGIN
    SELECT array_agg(a.ccy), array_agg(-current_balance(p_book, a.account_id)) INTO float_ccy, float_left
      FROM account a WHERE a.book_id = p_book AND a.role = 'float';
    outcome := array_fill(0::smallint, ARRAY[n]);
    payout_id := array_fill(NULL::bigint, ARRAY[n]);
    FOR item IN
        SELECT d.*, first_value(d.ord) OVER same AS first_ord, first_value(d.fingerprint) OVER same AS first_fingerprint,
               p.payout_id AS old_id, p.fingerprint AS old_fingerprint,
               d.carried IS DISTINCT FROM NULL OR b.beneficiary_id IS NOT NULL AS beneficiary_known,
               k.connected AND a.account_id IS NOT NULL AS bank_payable,
               q.quote_id AS q_id, q.expires_at AS q_expires_at, used.payout_id IS NOT NULL AS q_used,
               (q.gross, q.fee, q.mid_rate_e10, q.mid_value, q.margin_bps, q.margin, q.net, q.rate_id, q.src_ccy, q.dst_ccy)
               IS NOT DISTINCT FROM
               (d.gross, d.fee, d.mid_rate_e10, d.mid_value, d.margin_bps, d.margin, d.net, d.rate_id, d.src_ccy, d.dst_ccy)
               AS q_same
          FROM unnest(p_items) WITH ORDINALITY AS d
               (reference, fingerprint, info, beneficiary_id, carried, quote_id, gross, fee, mid_rate_e10,
                mid_value, margin, net, rate_id, margin_bps, src_ccy, dst_ccy, digit_shift, refusal,
                line_account, line_ccy, line_minor, ord)
          LEFT JOIN payout p ON p.book_id = p_book AND p.reference = d.reference
          LEFT JOIN beneficiary b ON b.book_id = p_book AND b.beneficiary_id = d.beneficiary_id AND b.erased_at IS NULL
          LEFT JOIN account a ON a.book_id = p_book AND a.role = 'payable' AND a.ccy = d.dst_ccy
                             AND a.bank_id = coalesce((d.carried).bank_id, b.bank_id)
          LEFT JOIN bank k ON k.bank_id = a.bank_id
          LEFT JOIN quote q ON q.book_id = p_book AND q.quote_id = d.quote_id
          LEFT JOIN payout used ON used.book_id = p_book AND used.quote_id = d.quote_id
        WINDOW same AS (PARTITION BY d.reference ORDER BY d.ord)
         ORDER BY d.ord
    LOOP
        id := NULL;
        at_ccy := array_position(float_ccy, item.src_ccy);
        verdict := CASE
            WHEN item.old_id IS NOT NULL AND item.old_fingerprint = item.fingerprint THEN 1
            WHEN item.old_id IS NOT NULL THEN 400                                          -- REFERENCE_REUSED
            WHEN item.first_ord < item.ord AND item.fingerprint <> item.first_fingerprint THEN 400
            WHEN item.first_ord < item.ord AND outcome[item.first_ord] = 0 THEN 1          -- twice in this batch
            WHEN item.first_ord < item.ord THEN outcome[item.first_ord]
            WHEN item.refusal <> 0 THEN item.refusal
            WHEN NOT item.beneficiary_known THEN 211                                       -- BENEFICIARY_NOT_FOUND
            WHEN item.bank_payable IS NOT TRUE THEN 205                                            -- BANK_NOT_CONNECTED
            WHEN item.quote_id IS NOT NULL AND item.q_id IS NULL THEN 401                  -- QUOTE_NOT_FOUND
            WHEN item.q_used OR item.quote_id = ANY (quotes_taken) THEN 403                -- QUOTE_USED
            WHEN item.q_expires_at <= p_at THEN 402                                        -- QUOTE_EXPIRED
            WHEN item.quote_id IS NOT NULL AND NOT item.q_same THEN 404                    -- QUOTE_MISMATCH
            WHEN at_ccy IS NULL THEN 107                                                   -- CURRENCY_NOT_SUPPORTED
            WHEN item.gross > float_left[at_ccy] THEN 109                                  -- INSUFFICIENT_FLOAT
            ELSE 0 END;
        IF verdict = 0 THEN
            float_left[at_ccy] := float_left[at_ccy] - item.gross;
            IF item.quote_id IS NOT NULL THEN
                quotes_taken := quotes_taken || item.quote_id;
            END IF;
            id := next_id;
            next_id := next_id + 1;
        ELSIF verdict = 1 THEN
            id := coalesce(item.old_id, payout_id[item.first_ord]);
        END IF;
        outcome[item.ord] := verdict;
        payout_id[item.ord] := id;
    END LOOP;
END $$;

ALTER FUNCTION ujrat.judge_payouts(p_book integer, p_items ujrat.payout_draft[], p_at timestamp with time zone, p_seq bigint, OUT outcome smallint[], OUT payout_id bigint[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.moment_past(p_book integer) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    last timestamptz;
BEGIN
    SELECT max(h.last_commit_at) INTO last
      FROM (SELECT book_id, last_commit_at FROM book_head WHERE p_book IN (0, book_id) ORDER BY book_id FOR SHARE) h
     WHERE h.book_id = p_book;
    RETURN greatest(clock_timestamp(), last);
END $$;

ALTER FUNCTION ujrat.moment_past(p_book integer) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.negated(p_minor bigint[]) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT array_agg(-m ORDER BY i) FROM unnest(p_minor) WITH ORDINALITY t (m, i) $$;

ALTER FUNCTION ujrat.negated(p_minor bigint[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.open_bank_accounts(p_book integer, p_bank smallint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    b text;
BEGIN
    SELECT code INTO b FROM bank WHERE bank_id = p_bank;
    PERFORM add_account(p_book, 'position.PKR', 'position', 'POSITION', 'debit', 586::smallint, NULL, false);
    PERFORM add_account(p_book, 'margin.PKR', 'margin', 'INCOME', 'credit', 586::smallint, NULL, false);
    PERFORM add_account(p_book, 'payable.' || b || '.PKR', 'payable', 'LIABILITY', 'credit', 586::smallint, p_bank, false);
    PERFORM add_account(p_book, 'nostro.' || b || '.PKR', 'nostro', 'ASSET', 'debit', 586::smallint, p_bank, false);
END $$;

ALTER FUNCTION ujrat.open_bank_accounts(p_book integer, p_bank smallint) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.open_book(p_code text, p_name text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    id integer;
BEGIN
    LOCK TABLE book IN EXCLUSIVE MODE;
    SELECT book_id INTO id FROM book WHERE code = p_code;
    IF id IS NULL THEN
        SELECT coalesce(max(book_id), 0) + 1 INTO id FROM book;
        INSERT INTO book (book_id, code, name) VALUES (id, p_code, p_name);
        INSERT INTO book_head (book_id) VALUES (id);
        INSERT INTO principal (uri, role, book_id) VALUES ('ujrat://platform/' || p_code, 'platform', id);
    END IF;
    PERFORM open_bank_accounts(id, bank_id) FROM bank WHERE connected ORDER BY bank_id;
    RETURN id;
END $$;

ALTER FUNCTION ujrat.open_book(p_code text, p_name text) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.open_currency(p_book integer, p_code text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    c smallint;
BEGIN
    SELECT ccy INTO c FROM currency WHERE code = p_code;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no currency %', p_code USING ERRCODE = 'UJ106';
    END IF;
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    PERFORM add_account(p_book, 'float.' || p_code, 'float', 'LIABILITY', 'credit', c, NULL, true);
    PERFORM add_account(p_book, 'correspondent.' || p_code, 'correspondent', 'ASSET', 'debit', c, NULL, false);
    PERFORM add_account(p_book, 'fee.' || p_code, 'fee', 'INCOME', 'credit', c, NULL, false);
    PERFORM add_account(p_book, 'position.' || p_code, 'position', 'POSITION', 'debit', c, NULL, false);
END $$;

ALTER FUNCTION ujrat.open_currency(p_book integer, p_code text) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.operator_principal() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $_$
DECLARE
    name text := 'ujrat://operator/' || replace(session_user, '_', '-');
    p principal;
BEGIN
    IF NOT pg_has_role(session_user, 'ujrat_operator', 'MEMBER') THEN
        RAISE EXCEPTION '% is no operator', session_user USING ERRCODE = 'UJ502';
    END IF;
    IF name !~ '^ujrat://operator/[A-Za-z0-9-]{1,32}$' THEN
        RAISE EXCEPTION 'the login % makes no operator''s name: letters, digits, - and _, at most 32', session_user
            USING ERRCODE = 'UJ305';
    END IF;
    INSERT INTO principal (uri, role) VALUES (name, 'operator') ON CONFLICT ON CONSTRAINT principal_uri_key DO NOTHING;
    SELECT * INTO p FROM principal q WHERE q.uri = name;
    IF NOT p.enabled THEN
        RAISE EXCEPTION '% is disabled', name USING ERRCODE = 'UJ501';
    END IF;
    RETURN p.principal_id;
END $_$;

ALTER FUNCTION ujrat.operator_principal() OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.payable_account(p_book integer, p_bank smallint, p_ccy smallint) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
    SELECT a.account_id FROM account a JOIN bank k ON k.bank_id = a.bank_id AND k.connected
     WHERE a.book_id = p_book AND a.role = 'payable' AND a.ccy = p_ccy AND coalesce(a.bank_id, 0::smallint) = p_bank;
$$;

ALTER FUNCTION ujrat.payable_account(p_book integer, p_bank smallint, p_ccy smallint) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.payout_state(p_book integer, p_payout bigint, p_bank smallint) RETURNS smallint
    LANGUAGE sql STABLE
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
    SELECT coalesce(
        (SELECT state FROM payout_transition WHERE book_id = p_book AND payout_id = p_payout ORDER BY step DESC LIMIT 1),
        CASE WHEN p_payout <= handed_out_upto(p_book, p_bank) THEN 3 ELSE 1 END)::smallint;
$$;

ALTER FUNCTION ujrat.payout_state(p_book integer, p_payout bigint, p_bank smallint) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.post_payouts(p_book integer, p_principal integer, p_items ujrat.payout_draft[], OUT outcome smallint[], OUT payout_id bigint[], OUT bank_id smallint[], OUT committed_at timestamp with time zone, OUT stored_fee bigint[], OUT stored_net bigint[], OUT stored_ccy smallint[], OUT stored_beneficiary bigint[]) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    n integer := cardinality(p_items);
    head record;
    kept payout_draft[];
    written record;
    look record;
    plain boolean;
BEGIN
    head := begin_block(p_book);
    committed_at := head.at;

    -- Most batches have nothing odd in them and are written as they are. One look over all items says which.
    -- (fault: a rate sheet or number of digits that does not exist: the caller is broken, nobody is judged)
    SELECT bool_or(g.sound AND (NOT EXISTS (SELECT 1 FROM rate_sheet s WHERE s.rate_id = g.rate_id AND s.refused IS NULL)
               OR g.digit_shift IS DISTINCT FROM (SELECT t.digits - s.digits FROM currency s, currency t
                                                   WHERE s.ccy = g.src_ccy AND t.ccy = g.dst_ccy))) AS fault,
           bool_and(g.plain) AND bool_and(g.wanted <= coalesce(-current_balance(p_book, a.account_id), 0)) AS plain
      INTO look
      FROM (SELECT d.rate_id, d.src_ccy, d.dst_ccy, d.digit_shift, bool_or(d.refusal = 0) AS sound,
                   bool_and(d.refusal = 0 AND d.quote_id IS NULL AND d.carried IS NULL) AS plain,
                   sum(sum(d.gross)) OVER (PARTITION BY d.src_ccy) AS wanted
              FROM unnest(p_items) d GROUP BY d.rate_id, d.src_ccy, d.dst_ccy, d.digit_shift) g
      LEFT JOIN account a ON a.book_id = p_book AND a.role = 'float' AND a.ccy = g.src_ccy;
    IF look.fault THEN
        RAISE EXCEPTION 'a payout names a rate sheet or digits that do not exist' USING ERRCODE = 'UJ604';
    END IF;
    plain := look.plain AND NOT EXISTS (SELECT 1 FROM payout p WHERE p.book_id = p_book
                                           AND p.reference IN (p_items[1].reference, p_items[n].reference));
    IF plain THEN
        BEGIN
            written := write_payouts(p_book, p_principal, head.seq, head.block_no, p_items);
            IF written.n = n THEN
                outcome := array_fill(0::smallint, ARRAY[n]);
                payout_id := array(SELECT generate_series(head.seq, head.seq + n - 1));
                bank_id := written.bank_id;
                PERFORM close_block(p_book, head.block_no, head.seq, head.seq + n - 1, head.at);
                RETURN;
            END IF;
            RAISE EXCEPTION 'a beneficiary or bank is missing' USING ERRCODE = 'UJ000';
        EXCEPTION WHEN unique_violation OR SQLSTATE 'UJ000' THEN
            NULL;   -- undone to the BEGIN above: judge each item
        END;
    END IF;

    SELECT j.outcome, j.payout_id INTO outcome, payout_id
      FROM judge_payouts(p_book, p_items, head.at, head.seq) j;
    kept := array(SELECT item FROM (SELECT unnest(p_items) AS item, unnest(outcome) AS o) t WHERE o = 0);
    IF cardinality(kept) > 0 THEN
        kept := carry_beneficiaries(p_book, p_principal, head.at, kept);
        written := write_payouts(p_book, p_principal, head.seq, head.block_no, kept);
        IF written.n <> cardinality(kept) THEN
            RAISE EXCEPTION 'post_payouts wrote % of % judged payouts', written.n, cardinality(kept);
        END IF;
        PERFORM close_block(p_book, head.block_no, head.seq, head.seq + written.n - 1, head.at);
    END IF;
    SELECT array_agg(p.bank_id ORDER BY t.ord), array_agg(p.fee ORDER BY t.ord), array_agg(p.net ORDER BY t.ord),
           array_agg(p.dst_ccy ORDER BY t.ord), array_agg(p.beneficiary_id ORDER BY t.ord)
      INTO bank_id, stored_fee, stored_net, stored_ccy, stored_beneficiary
      FROM unnest(payout_id) WITH ORDINALITY AS t (id, ord)
      LEFT JOIN payout p ON p.book_id = p_book AND p.payout_id = t.id;
END $$;

ALTER FUNCTION ujrat.post_payouts(p_book integer, p_principal integer, p_items ujrat.payout_draft[], OUT outcome smallint[], OUT payout_id bigint[], OUT bank_id smallint[], OUT committed_at timestamp with time zone, OUT stored_fee bigint[], OUT stored_net bigint[], OUT stored_ccy smallint[], OUT stored_beneficiary bigint[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.propose_adjustment(p_book integer, p_request text, p_reason text, p_evidence bytea, p_account text[], p_minor bigint[], OUT proposal_id bigint, OUT duplicate boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    who integer := operator_principal();
    accounts integer[];
    ccys smallint[];
    old adjustment_proposal;
    off record;
BEGIN
    PERFORM check_adjustment(p_request, p_reason, p_evidence, p_account, p_minor);
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no book %', p_book USING ERRCODE = 'UJ415';
    END IF;
    SELECT array_agg((l.a).account_id ORDER BY l.ord), array_agg((l.a).ccy ORDER BY l.ord) INTO accounts, ccys
      FROM (SELECT adjustable_account(p_book, t.code) AS a, t.ord FROM unnest(p_account) WITH ORDINALITY t (code, ord) OFFSET 0) l;
    IF (SELECT count(DISTINCT c) FROM unnest(ccys) c) > 2 THEN
        RAISE EXCEPTION 'an adjustment is in at most two currencies' USING ERRCODE = 'UJ305';
    END IF;
    SELECT k.code, sum(l.minor) AS total INTO off
      FROM unnest(ccys, p_minor) l (ccy, minor) JOIN currency k USING (ccy) GROUP BY k.code HAVING sum(l.minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the lines in % do not sum to zero, but to % minor units', off.code, off.total USING ERRCODE = 'UJ414';
    END IF;
    SELECT * INTO old FROM adjustment_proposal p WHERE p.book_id = p_book AND p.request_id = p_request;
    IF FOUND THEN
        IF (old.reason, old.evidence_sha256, old.line_account, old.line_minor) IS DISTINCT FROM (p_reason, p_evidence, accounts, p_minor) THEN
            RAISE EXCEPTION 'request id % was used for another adjustment', p_request USING ERRCODE = 'UJ400';
        END IF;
        proposal_id := old.proposal_id;
        duplicate := true;
        RETURN;
    END IF;
    SELECT coalesce(max(p.proposal_id), 0) + 1 INTO proposal_id FROM adjustment_proposal p WHERE p.book_id = p_book;
    INSERT INTO adjustment_proposal (book_id, proposal_id, request_id, reason, evidence_sha256, line_account, line_ccy, line_minor,
                                     proposed_by, proposed_at)
    VALUES (p_book, proposal_id, p_request, p_reason, p_evidence, accounts, ccys, p_minor, who, clock_timestamp());
    duplicate := false;
END $$;

ALTER FUNCTION ujrat.propose_adjustment(p_book integer, p_request text, p_reason text, p_evidence bytea, p_account text[], p_minor bigint[], OUT proposal_id bigint, OUT duplicate boolean) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.put_beneficiary(p_book integer, p_principal integer, p_request text, p_draft ujrat.beneficiary_draft, p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    id bigint;
BEGIN
    SELECT beneficiary_id INTO id FROM beneficiary WHERE book_id = p_book AND request_id = p_request;
    IF id IS NULL THEN
        SELECT coalesce(max(beneficiary_id), 0) + 1 INTO id FROM beneficiary WHERE book_id = p_book;
        INSERT INTO beneficiary (book_id, beneficiary_id, request_id, version, bank_id, created_at)
        VALUES (p_book, id, p_request, 1, p_draft.bank_id, p_at);
        PERFORM put_beneficiary_version(p_book, p_principal, id, 1, p_draft, p_at);
    END IF;
    RETURN id;
END $$;

ALTER FUNCTION ujrat.put_beneficiary(p_book integer, p_principal integer, p_request text, p_draft ujrat.beneficiary_draft, p_at timestamp with time zone) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.put_beneficiary_version(p_book integer, p_principal integer, p_id bigint, p_version integer, p_draft ujrat.beneficiary_draft, p_at timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
    INSERT INTO beneficiary_version (book_id, beneficiary_id, version, fingerprint, bank_id, channel, purpose_code,
                                     name_commitment, iban_commitment, mobile_commitment, cnic_commitment, pseb_commitment,
                                     principal_id, created_at)
    VALUES (p_book, p_id, p_version, p_draft.fingerprint, p_draft.bank_id, p_draft.channel, p_draft.purpose_code,
            p_draft.name_commitment, p_draft.iban_commitment, p_draft.mobile_commitment, p_draft.cnic_commitment,
            p_draft.pseb_commitment, p_principal, p_at);
    INSERT INTO beneficiary_pii (book_id, beneficiary_id, version, key_id, sealed)
    VALUES (p_book, p_id, p_version, p_draft.pii_key, p_draft.pii);
$$;

ALTER FUNCTION ujrat.put_beneficiary_version(p_book integer, p_principal integer, p_id bigint, p_version integer, p_draft ujrat.beneficiary_draft, p_at timestamp with time zone) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'UJ409',
        HINT = 'Corrections are new journals that reverse old ones.';
END $$;

ALTER FUNCTION ujrat.refuse_change() OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.register_beneficiary(p_book integer, p_principal integer, p_request text, p_draft ujrat.beneficiary_draft[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    id bigint;
    at timestamptz;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;   -- numbers follow one another
    at := clock_timestamp();
    id := put_beneficiary(p_book, p_principal, 'request:' || p_request, p_draft[1], at);
    PERFORM 1 FROM beneficiary_version
      WHERE book_id = p_book AND beneficiary_id = id AND version = 1 AND fingerprint = p_draft[1].fingerprint;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'request id was used with other details' USING ERRCODE = 'UJ400';
    END IF;
    RETURN id;
END $$;

ALTER FUNCTION ujrat.register_beneficiary(p_book integer, p_principal integer, p_request text, p_draft ujrat.beneficiary_draft[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.return_payment(p_book integer, p_bank smallint, p_principal integer, p_payout bigint, p_ccy smallint, p_amount bigint, p_reason text, p_reference text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    p payout;
    last payout_transition;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT * INTO p FROM payout WHERE book_id = p_book AND payout_id = p_payout AND bank_id = p_bank;
    IF NOT FOUND OR p_payout > handed_out_upto(p_book, p_bank) THEN
        RAISE EXCEPTION 'no instruction %', p_payout USING ERRCODE = 'UJ411';
    END IF;
    SELECT * INTO last FROM payout_transition WHERE book_id = p_book AND payout_id = p_payout ORDER BY step DESC LIMIT 1;
    IF last.state = 7 THEN
        RAISE EXCEPTION 'no instruction %', p_payout USING ERRCODE = 'UJ411';
    END IF;
    IF p_ccy <> p.dst_ccy THEN
        RAISE EXCEPTION 'the payment was in another currency' USING ERRCODE = 'UJ108';
    ELSIF p_amount <> p.net THEN
        RAISE EXCEPTION 'the payment was of another amount' USING ERRCODE = 'UJ305';
    END IF;
    IF last.state = 6 AND last.reason_code = p_reason AND last.bank_reference = p_reference THEN
        RETURN (SELECT k.committed_at FROM journal j JOIN block k USING (book_id, block_no)
                 WHERE j.book_id = p_book AND j.seq = last.seq);
    ELSIF last.state = 6 THEN
        RAISE EXCEPTION 'payment % was returned before, under another reference', p_payout USING ERRCODE = 'UJ410';
    ELSIF last.state IS DISTINCT FROM 4 THEN
        RAISE EXCEPTION 'payment % is not settled', p_payout USING ERRCODE = 'UJ409';
    END IF;
    RETURN reverse_payout(p_book, p_principal, p_payout, (last.step + 1)::smallint, 6::smallint, last.seq, p_reason, p_reference);
END $$;

ALTER FUNCTION ujrat.return_payment(p_book integer, p_bank smallint, p_principal integer, p_payout bigint, p_ccy smallint, p_amount bigint, p_reason text, p_reference text) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.reverse_payout(p_book integer, p_principal integer, p_payout bigint, p_step smallint, p_state smallint, p_settled_seq bigint, p_reason text, p_reference text) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
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

ALTER FUNCTION ujrat.reverse_payout(p_book integer, p_principal integer, p_payout bigint, p_step smallint, p_state smallint, p_settled_seq bigint, p_reason text, p_reference text) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.rotate_pii(p_book integer[], p_id bigint[], p_version integer[], p_old_key smallint[], p_old bytea[], p_key smallint, p_sealed bytea[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    n integer;
BEGIN
    IF p_key < 1 THEN
        RAISE EXCEPTION 'key %: what is encrypted stays encrypted', p_key USING ERRCODE = 'UJ305';
    END IF;
    UPDATE beneficiary_pii r SET key_id = p_key, sealed = n.sealed
      FROM unnest(p_book, p_id, p_version, p_old_key, p_old, p_sealed) AS n (book_id, beneficiary_id, version, old_key, old, sealed)
     WHERE r.book_id = n.book_id AND r.beneficiary_id = n.beneficiary_id AND r.version = n.version
       AND r.key_id = n.old_key AND sha256(r.sealed) = n.old;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

ALTER FUNCTION ujrat.rotate_pii(p_book integer[], p_id bigint[], p_version integer[], p_old_key smallint[], p_old bytea[], p_key smallint, p_sealed bytea[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.seal_blocks(p_book integer, p_seals ujrat.block_seal_draft[], p_root bytea, p_signed_at timestamp with time zone, p_key text, p_signature bytea) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    first bigint := (p_seals[1]).block_no;
    last bigint := (p_seals[cardinality(p_seals)]).block_no;
    written bigint;
BEGIN
    PERFORM 1 FROM log_key WHERE book_id = p_book ORDER BY from_block FOR KEY SHARE;
    INSERT INTO block_seal (book_id, block_no, prev_block_no, journal_root, nodes, leaves, key_id, signature)
    SELECT p_book, s.block_no, nullif(s.block_no - 1, 0), s.journal_root, s.nodes, s.leaves, s.key_id, s.signature
      FROM unnest(p_seals) s ORDER BY s.block_no;
    GET DIAGNOSTICS written = ROW_COUNT;
    -- What is written is looked at, not what was given: that would be unpacked once more, leaves and all.
    IF written <> last - first + 1 THEN
        RAISE EXCEPTION 'seals are not given in the order of their blocks' USING ERRCODE = 'UJ604';
    ELSIF EXISTS (SELECT 1 FROM block_seal s WHERE s.book_id = p_book AND s.block_no BETWEEN first AND last
                  AND s.key_id IS DISTINCT FROM (SELECT k.key_id FROM log_key k WHERE k.book_id = p_book AND k.from_block <= s.block_no
                                                  ORDER BY k.from_block DESC LIMIT 1))
       OR NOT EXISTS (SELECT 1 FROM log_key k WHERE k.book_id = p_book AND k.key_id = p_key AND k.from_block >=
                          (SELECT max(from_block) FROM log_key WHERE book_id = p_book AND from_block <= last)) THEN
        RAISE EXCEPTION 'a block or head is signed with a key that is not in force' USING ERRCODE = 'UJ409';
    END IF;
    INSERT INTO tree_head (book_id, tree_size, root, signed_at, key_id, signature)
    VALUES (p_book, last, p_root, p_signed_at, p_key, p_signature);
    RETURN last;
END $$;

ALTER FUNCTION ujrat.seal_blocks(p_book integer, p_seals ujrat.block_seal_draft[], p_root bytea, p_signed_at timestamp with time zone, p_key text, p_signature bytea) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.set_principal_enabled(p_uri text, p_enabled boolean) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
    UPDATE principal SET enabled = p_enabled WHERE uri = p_uri RETURNING true;
$$;

ALTER FUNCTION ujrat.set_principal_enabled(p_uri text, p_enabled boolean) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.set_tariff(p_book integer, p_code text, p_margin_bps integer, p_fee_fixed bigint, p_fee_bps integer, p_fee_min bigint, p_fee_max bigint, p_gross_max bigint, p_author text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
    INSERT INTO tariff (book_id, ccy, valid_from, margin_bps, fee_fixed, fee_bps, fee_min, fee_max, gross_max, author)
    SELECT p_book, ccy, clock_timestamp(), p_margin_bps, p_fee_fixed, p_fee_bps, p_fee_min, p_fee_max, p_gross_max, p_author
      FROM currency WHERE code = p_code;
$$;

ALTER FUNCTION ujrat.set_tariff(p_book integer, p_code text, p_margin_bps integer, p_fee_fixed bigint, p_fee_bps integer, p_fee_min bigint, p_fee_max bigint, p_gross_max bigint, p_author text) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.update_beneficiary(p_book integer, p_principal integer, p_id bigint, p_version integer, p_draft ujrat.beneficiary_draft[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
DECLARE
    d beneficiary_draft := p_draft[1];
    cur record;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT b.version, v.fingerprint INTO cur
      FROM beneficiary b JOIN beneficiary_version v USING (book_id, beneficiary_id, version)
     WHERE b.book_id = p_book AND b.beneficiary_id = p_id AND b.request_id LIKE 'request:%' AND b.erased_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no beneficiary %', p_id USING ERRCODE = 'UJ211';
    END IF;
    IF cur.fingerprint = d.fingerprint AND p_version IN (0, cur.version, cur.version - 1) THEN
        RETURN cur.version;
    END IF;
    IF p_version NOT IN (0, cur.version) THEN
        RAISE EXCEPTION 'beneficiary % is at version %', p_id, cur.version USING ERRCODE = 'UJ409';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM bank WHERE bank_id = d.bank_id AND connected) THEN
        RAISE EXCEPTION 'bank % takes no instructions', d.bank_id USING ERRCODE = 'UJ205';
    END IF;
    PERFORM put_beneficiary_version(p_book, p_principal, p_id, cur.version + 1, d, clock_timestamp());
    UPDATE beneficiary SET version = cur.version + 1, bank_id = d.bank_id WHERE book_id = p_book AND beneficiary_id = p_id;
    RETURN cur.version + 1;
END $$;

ALTER FUNCTION ujrat.update_beneficiary(p_book integer, p_principal integer, p_id bigint, p_version integer, p_draft ujrat.beneficiary_draft[]) OWNER TO ujrat_owner;

CREATE FUNCTION ujrat.write_payouts(p_book integer, p_principal integer, p_seq bigint, p_block bigint, p_items ujrat.payout_draft[], OUT n integer, OUT bank_id smallint[]) RETURNS record
    LANGUAGE sql
    SET search_path TO 'ujrat', 'pg_temp'
    AS $$
    WITH payable AS (    -- the payable account of bank i in the first item's currency, 0 if it has none or is not connected
        SELECT array_agg(coalesce(a.account_id, 0) ORDER BY i) AS of_bank
          FROM generate_series(1, (SELECT max(bank_id)::integer FROM bank)) i
          LEFT JOIN (account a JOIN bank k ON k.bank_id = a.bank_id AND k.connected)
            ON a.book_id = p_book AND a.role = 'payable' AND a.ccy = p_items[1].dst_ccy AND a.bank_id = i
    ), item AS MATERIALIZED (    -- what the journal needs comes first: a row is read no further than that
        SELECT p_seq + d.ord - 1 AS payout_id, a.payable, d.line_account, d.line_ccy, d.line_minor, d.ord,
               d.beneficiary_id, d.gross, d.fee, d.mid_rate_e10, d.mid_value, d.margin, d.net, d.quote_id, d.rate_id,
               b.version AS beneficiary_version, d.margin_bps, d.src_ccy, d.dst_ccy, b.bank_id, d.digit_shift,
               d.fingerprint, d.reference, d.info
          FROM unnest(p_items) WITH ORDINALITY AS d
               (reference, fingerprint, info, beneficiary_id, carried, quote_id, gross, fee, mid_rate_e10,
                mid_value, margin, net, rate_id, margin_bps, src_ccy, dst_ccy, digit_shift, refusal,
                line_account, line_ccy, line_minor, ord)
         -- laterals with a limit: one look-up an item, whatever the planner believes
         CROSS JOIN LATERAL (SELECT version, bank_id FROM beneficiary
                              WHERE book_id = p_book AND beneficiary_id = d.beneficiary_id AND erased_at IS NULL LIMIT 1) b
         CROSS JOIN LATERAL (SELECT CASE WHEN d.dst_ccy = p_items[1].dst_ccy THEN (SELECT of_bank FROM payable)[b.bank_id]
                                         ELSE payable_account(p_book, b.bank_id, d.dst_ccy) END AS payable OFFSET 0) a
         WHERE a.payable <> 0
    ), payouts AS (
        INSERT INTO payout (payout_id, beneficiary_id, gross, fee, mid_rate_e10, mid_value, margin, net, quote_id,
                            book_id, rate_id, beneficiary_version, margin_bps, src_ccy, dst_ccy, bank_id,
                            digit_shift, fingerprint, reference, info)
        SELECT payout_id, beneficiary_id, gross, fee, mid_rate_e10, mid_value, margin, net, quote_id,
               p_book, rate_id, beneficiary_version, margin_bps, src_ccy, dst_ccy, bank_id,
               digit_shift, fingerprint, reference, info
          FROM item
    ), journals AS (
        INSERT INTO journal (seq, block_no, payout_id, book_id, principal_id, kind, line_account, line_ccy, line_minor)
        SELECT payout_id, p_block, payout_id, p_book, p_principal, 1,
               array_replace(line_account, 2147483647, payable), line_ccy, line_minor
          FROM item
    )
    SELECT count(*)::integer, array_agg(bank_id ORDER BY ord) FROM item;
$$;

ALTER FUNCTION ujrat.write_payouts(p_book integer, p_principal integer, p_seq bigint, p_block bigint, p_items ujrat.payout_draft[], OUT n integer, OUT bank_id smallint[]) OWNER TO ujrat_owner;

CREATE TABLE ujrat.account_balance (
    block_no bigint NOT NULL,
    prev_block_no bigint,
    balance_before bigint,
    change bigint NOT NULL,
    balance bigint NOT NULL,
    debit_count bigint NOT NULL,
    credit_count bigint NOT NULL,
    book_id integer NOT NULL,
    account_id integer NOT NULL,
    floor_zero boolean NOT NULL,
    CONSTRAINT account_balance_check CHECK (((COALESCE(balance_before, (0)::bigint) + change) = balance)),
    CONSTRAINT account_balance_check1 CHECK ((prev_block_no < block_no)),
    CONSTRAINT account_balance_check2 CHECK (((prev_block_no IS NULL) = (balance_before IS NULL))),
    CONSTRAINT account_balance_check3 CHECK (((prev_block_no IS NOT NULL) OR ((block_no = 0) AND (change = 0) AND (debit_count = 0) AND (credit_count = 0)))),
    CONSTRAINT float_not_below_zero CHECK (((NOT floor_zero) OR (balance <= 0)))
);

ALTER TABLE ujrat.account_balance OWNER TO ujrat_owner;

CREATE TABLE ujrat.book (
    book_id integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT book_book_id_check CHECK ((book_id > 0)),
    CONSTRAINT book_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT book_name_check CHECK ((name <> ''::text))
);

ALTER TABLE ujrat.book OWNER TO ujrat_owner;

CREATE TABLE ujrat.currency (
    ccy smallint NOT NULL,
    code text NOT NULL,
    digits smallint NOT NULL,
    CONSTRAINT currency_ccy_check CHECK (((ccy >= 1) AND (ccy <= 999))),
    CONSTRAINT currency_code_check CHECK ((code ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT currency_digits_check CHECK (((digits >= 0) AND (digits <= 4)))
);

ALTER TABLE ujrat.currency OWNER TO ujrat_owner;

CREATE VIEW ujrat.account_now AS
 SELECT a.book_id,
    a.account_id,
    a.code,
    a.role,
    a.type,
    a.normal_side,
    a.ccy,
    a.bank_id,
    a.floor_zero,
    a.created_at,
    c.code AS ccy_code,
    c.digits,
    b.code AS book_code,
    last.block_no,
    last.balance,
    last.debit_count,
    last.credit_count
   FROM (((ujrat.account a
     JOIN ujrat.book b USING (book_id))
     JOIN ujrat.currency c USING (ccy))
     CROSS JOIN LATERAL ( SELECT v.block_no,
            v.prev_block_no,
            v.balance_before,
            v.change,
            v.balance,
            v.debit_count,
            v.credit_count,
            v.book_id,
            v.account_id,
            v.floor_zero
           FROM ujrat.account_balance v
          WHERE ((v.book_id = a.book_id) AND (v.account_id = a.account_id))
          ORDER BY v.block_no DESC
         LIMIT 1) last);

ALTER TABLE ujrat.account_now OWNER TO ujrat_owner;

CREATE TABLE ujrat.adjustment_decision (
    book_id integer NOT NULL,
    proposal_id bigint NOT NULL,
    decided_by integer NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    seq bigint
);

ALTER TABLE ujrat.adjustment_decision OWNER TO ujrat_owner;

CREATE TABLE ujrat.adjustment_proposal (
    book_id integer NOT NULL,
    proposal_id bigint NOT NULL,
    request_id text NOT NULL,
    reason text NOT NULL,
    evidence_sha256 bytea,
    line_account integer[] NOT NULL,
    line_ccy smallint[] NOT NULL,
    line_minor bigint[] NOT NULL,
    proposed_by integer NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    CONSTRAINT adjustment_proposal_evidence_sha256_check CHECK ((length(evidence_sha256) = 32)),
    CONSTRAINT adjustment_proposal_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT adjustment_proposal_request_id_check CHECK (((length(request_id) >= 1) AND (length(request_id) <= 64)))
);

ALTER TABLE ujrat.adjustment_proposal OWNER TO ujrat_owner;

CREATE TABLE ujrat.bank (
    bank_id smallint NOT NULL,
    code text NOT NULL,
    bic text,
    name text NOT NULL,
    connected boolean DEFAULT false NOT NULL,
    CONSTRAINT bank_bank_id_check CHECK ((bank_id > 0)),
    CONSTRAINT bank_bic_check CHECK ((bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'::text)),
    CONSTRAINT bank_code_check CHECK ((code ~ '^[A-Z]{4}$'::text)),
    CONSTRAINT bank_name_check CHECK ((name <> ''::text))
);

ALTER TABLE ujrat.bank OWNER TO ujrat_owner;

CREATE TABLE ujrat.beneficiary (
    book_id integer NOT NULL,
    beneficiary_id bigint NOT NULL,
    request_id text NOT NULL,
    version integer NOT NULL,
    bank_id smallint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone
);

ALTER TABLE ujrat.beneficiary OWNER TO ujrat_owner;

CREATE TABLE ujrat.beneficiary_pii (
    book_id integer NOT NULL,
    beneficiary_id bigint NOT NULL,
    version integer NOT NULL,
    key_id smallint NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT beneficiary_pii_key_id_check CHECK ((key_id >= 0)),
    CONSTRAINT beneficiary_pii_sealed_check CHECK (((length(sealed) >= 1) AND (length(sealed) <= 8192)))
);
ALTER TABLE ONLY ujrat.beneficiary_pii ALTER COLUMN sealed SET STORAGE EXTERNAL;

ALTER TABLE ujrat.beneficiary_pii OWNER TO ujrat_owner;

CREATE TABLE ujrat.beneficiary_version (
    book_id integer NOT NULL,
    beneficiary_id bigint NOT NULL,
    version integer NOT NULL,
    fingerprint bytea NOT NULL,
    bank_id smallint NOT NULL,
    channel smallint NOT NULL,
    purpose_code text NOT NULL,
    principal_id integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    name_commitment bytea NOT NULL,
    iban_commitment bytea,
    mobile_commitment bytea,
    cnic_commitment bytea NOT NULL,
    pseb_commitment bytea,
    CONSTRAINT beneficiary_version_channel_check CHECK ((channel = ANY (ARRAY[1, 2]))),
    CONSTRAINT beneficiary_version_cnic_commitment_check CHECK ((length(cnic_commitment) = 32)),
    CONSTRAINT beneficiary_version_fingerprint_check CHECK ((length(fingerprint) = 16)),
    CONSTRAINT beneficiary_version_iban_commitment_check CHECK ((length(iban_commitment) = 32)),
    CONSTRAINT beneficiary_version_mobile_commitment_check CHECK ((length(mobile_commitment) = 32)),
    CONSTRAINT beneficiary_version_name_commitment_check CHECK ((length(name_commitment) = 32)),
    CONSTRAINT beneficiary_version_pseb_commitment_check CHECK ((length(pseb_commitment) = 32)),
    CONSTRAINT beneficiary_version_purpose_code_check CHECK ((purpose_code ~ '^[0-9]{4}$'::text)),
    CONSTRAINT iban_or_mobile CHECK (((iban_commitment IS NULL) <> (mobile_commitment IS NULL)))
);

ALTER TABLE ujrat.beneficiary_version OWNER TO ujrat_owner;

CREATE TABLE ujrat.block (
    book_id integer NOT NULL,
    block_no bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    committed_at timestamp with time zone NOT NULL,
    CONSTRAINT block_check CHECK ((first_seq <= last_seq))
);

ALTER TABLE ujrat.block OWNER TO ujrat_owner;

CREATE TABLE ujrat.block_seal (
    book_id integer NOT NULL,
    block_no bigint NOT NULL,
    prev_block_no bigint,
    journal_root bytea NOT NULL,
    nodes bytea NOT NULL,
    leaves bytea NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT block_seal_check CHECK (((COALESCE(prev_block_no, (0)::bigint) = (block_no - 1)) AND ((prev_block_no IS NULL) = (block_no = 1)))),
    CONSTRAINT block_seal_journal_root_check CHECK ((length(journal_root) = 32)),
    CONSTRAINT block_seal_leaves_check CHECK (((length(leaves) >= 32) AND ((length(leaves) % 32) = 0))),
    CONSTRAINT block_seal_nodes_check CHECK (((length(nodes) >= 32) AND ((length(nodes) % 32) = 0))),
    CONSTRAINT block_seal_signature_check CHECK ((length(signature) = 64))
);
ALTER TABLE ONLY ujrat.block_seal ALTER COLUMN nodes SET STORAGE EXTERNAL;
ALTER TABLE ONLY ujrat.block_seal ALTER COLUMN leaves SET STORAGE EXTERNAL;

ALTER TABLE ujrat.block_seal OWNER TO ujrat_owner;

CREATE TABLE ujrat.book_head (
    book_id integer NOT NULL,
    next_seq bigint DEFAULT 1 NOT NULL,
    next_block bigint DEFAULT 1 NOT NULL,
    last_commit_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
)
WITH (fillfactor='20');

ALTER TABLE ujrat.book_head OWNER TO ujrat_owner;

CREATE TABLE ujrat.float_deposit (
    book_id integer NOT NULL,
    reference text NOT NULL,
    ccy smallint NOT NULL,
    amount bigint NOT NULL,
    seq bigint NOT NULL,
    CONSTRAINT float_deposit_amount_check CHECK ((amount > 0)),
    CONSTRAINT float_deposit_reference_check CHECK ((reference <> ''::text))
);

ALTER TABLE ujrat.float_deposit OWNER TO ujrat_owner;

CREATE TABLE ujrat.handout (
    book_id integer NOT NULL,
    bank_id smallint NOT NULL,
    last_payout_id bigint NOT NULL,
    prev_payout_id bigint NOT NULL,
    seq bigint NOT NULL,
    CONSTRAINT handout_check CHECK ((prev_payout_id < last_payout_id))
);

ALTER TABLE ujrat.handout OWNER TO ujrat_owner;

CREATE TABLE ujrat.journal (
    seq bigint NOT NULL,
    block_no bigint NOT NULL,
    payout_id bigint,
    reverses_seq bigint,
    book_id integer NOT NULL,
    principal_id integer NOT NULL,
    kind smallint NOT NULL,
    line_account integer[] NOT NULL,
    line_ccy smallint[] NOT NULL,
    line_minor bigint[] NOT NULL,
    detail text,
    CONSTRAINT lines_are_lists CHECK (((cardinality(line_minor) = 0) OR ((line_ccy[1] IS NOT NULL) AND (line_ccy[cardinality(line_ccy)] IS NOT NULL) AND (line_minor[1] IS NOT NULL) AND (line_minor[cardinality(line_minor)] IS NOT NULL)))),
    CONSTRAINT lines_have_amounts CHECK (((0 <> ALL (line_minor)) IS TRUE)),
    CONSTRAINT lines_match CHECK (((cardinality(line_account) = cardinality(line_minor)) AND (cardinality(line_ccy) = cardinality(line_minor)) AND (cardinality(line_minor) <= 8))),
    CONSTRAINT lines_sum_to_zero CHECK ((((((((((COALESCE(line_minor[1], (0)::bigint) + COALESCE(line_minor[2], (0)::bigint)) + COALESCE(line_minor[3], (0)::bigint)) + COALESCE(line_minor[4], (0)::bigint)) + COALESCE(line_minor[5], (0)::bigint)) + COALESCE(line_minor[6], (0)::bigint)) + COALESCE(line_minor[7], (0)::bigint)) + COALESCE(line_minor[8], (0)::bigint)) = 0) AND ((((((((
CASE
    WHEN (line_ccy[1] = line_ccy[1]) THEN line_minor[1]
    ELSE (0)::bigint
END +
CASE
    WHEN (line_ccy[2] = line_ccy[1]) THEN line_minor[2]
    ELSE (0)::bigint
END) +
CASE
    WHEN (line_ccy[3] = line_ccy[1]) THEN line_minor[3]
    ELSE (0)::bigint
END) +
CASE
    WHEN (line_ccy[4] = line_ccy[1]) THEN line_minor[4]
    ELSE (0)::bigint
END) +
CASE
    WHEN (line_ccy[5] = line_ccy[1]) THEN line_minor[5]
    ELSE (0)::bigint
END) +
CASE
    WHEN (line_ccy[6] = line_ccy[1]) THEN line_minor[6]
    ELSE (0)::bigint
END) +
CASE
    WHEN (line_ccy[7] = line_ccy[1]) THEN line_minor[7]
    ELSE (0)::bigint
END) +
CASE
    WHEN (line_ccy[8] = line_ccy[1]) THEN line_minor[8]
    ELSE (0)::bigint
END) = 0))),
    CONSTRAINT lines_two_currencies CHECK ((cardinality(array_remove(array_remove(line_ccy, line_ccy[1]), line_ccy[cardinality(line_ccy)])) = 0))
);

ALTER TABLE ujrat.journal OWNER TO ujrat_owner;

CREATE TABLE ujrat.journal_kind (
    kind smallint NOT NULL,
    name text NOT NULL
);

ALTER TABLE ujrat.journal_kind OWNER TO ujrat_owner;

CREATE TABLE ujrat.log_key (
    book_id integer NOT NULL,
    from_block bigint NOT NULL,
    key_id text NOT NULL,
    public_key bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    signed_by text NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT log_key_check CHECK ((key_id = encode("substring"(sha256(public_key), 1, 8), 'hex'::text))),
    CONSTRAINT log_key_check1 CHECK (((from_block > 1) OR (signed_by = key_id))),
    CONSTRAINT log_key_from_block_check CHECK ((from_block > 0)),
    CONSTRAINT log_key_key_id_check CHECK ((key_id ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT log_key_public_key_check CHECK ((length(public_key) = 32)),
    CONSTRAINT log_key_signature_check CHECK ((length(signature) = 64))
);

ALTER TABLE ujrat.log_key OWNER TO ujrat_owner;

CREATE TABLE ujrat.payout_transition (
    book_id integer NOT NULL,
    payout_id bigint NOT NULL,
    step smallint NOT NULL,
    state smallint NOT NULL,
    seq bigint NOT NULL,
    reason_code text,
    bank_reference text,
    tax_withheld bigint,
    eprc_number text,
    CONSTRAINT payout_transition_bank_reference_check CHECK ((length(bank_reference) <= 35)),
    CONSTRAINT payout_transition_eprc_number_check CHECK ((length(eprc_number) <= 35)),
    CONSTRAINT payout_transition_reason_code_check CHECK ((length(reason_code) <= 4)),
    CONSTRAINT payout_transition_step_check CHECK ((step > 0)),
    CONSTRAINT payout_transition_tax_withheld_check CHECK ((tax_withheld >= 0)),
    CONSTRAINT steps_of_a_payout CHECK ((((step = 1) AND (state = ANY (ARRAY[4, 5, 7]))) OR ((step = 2) AND (state = 6))))
);

ALTER TABLE ujrat.payout_transition OWNER TO ujrat_owner;

CREATE TABLE ujrat.rate_sheet (
    rate_id integer NOT NULL,
    source text NOT NULL,
    sheet_date date,
    as_of timestamp with time zone,
    imported_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    file_name text NOT NULL,
    file_sha256 bytea NOT NULL,
    author text NOT NULL,
    refused text,
    CONSTRAINT rate_sheet_check CHECK (((refused IS NOT NULL) OR ((sheet_date IS NOT NULL) AND (as_of IS NOT NULL)))),
    CONSTRAINT rate_sheet_file_sha256_check CHECK ((length(file_sha256) = 32)),
    CONSTRAINT rate_sheet_source_check CHECK ((source <> ''::text))
);

ALTER TABLE ujrat.rate_sheet OWNER TO ujrat_owner;

CREATE VIEW ujrat.payout_now AS
 SELECT p.payout_id,
    p.beneficiary_id,
    p.gross,
    p.fee,
    p.mid_rate_e10,
    p.mid_value,
    p.margin,
    p.net,
    p.quote_id,
    p.book_id,
    p.rate_id,
    p.beneficiary_version,
    p.margin_bps,
    p.src_ccy,
    p.dst_ccy,
    p.bank_id,
    p.digit_shift,
    p.fingerprint,
    p.reference,
    p.info,
    b.code AS book_code,
    bank.code AS bank_code,
    s.source AS rate_source,
    s.as_of AS rate_as_of,
    created.committed_at AS created_at,
    COALESCE(updated.committed_at, created.committed_at) AS updated_at,
    (COALESCE((t.state)::integer,
        CASE
            WHEN (h.seq IS NOT NULL) THEN 3
            ELSE 1
        END))::smallint AS state,
    t.reason_code,
    COALESCE(settled.bank_reference, ''::text) AS bank_reference,
    settled.tax_withheld,
    settled.eprc_number
   FROM ((((((((ujrat.payout p
     CROSS JOIN LATERAL ( SELECT book.code
           FROM ujrat.book
          WHERE (book.book_id = p.book_id)
         LIMIT 1) b)
     CROSS JOIN LATERAL ( SELECT bank_1.code
           FROM ujrat.bank bank_1
          WHERE (bank_1.bank_id = p.bank_id)
         LIMIT 1) bank)
     CROSS JOIN LATERAL ( SELECT rate_sheet.source,
            rate_sheet.as_of
           FROM ujrat.rate_sheet
          WHERE (rate_sheet.rate_id = p.rate_id)
         LIMIT 1) s)
     LEFT JOIN LATERAL ( SELECT t_1.book_id,
            t_1.payout_id,
            t_1.step,
            t_1.state,
            t_1.seq,
            t_1.reason_code,
            t_1.bank_reference,
            t_1.tax_withheld,
            t_1.eprc_number
           FROM ujrat.payout_transition t_1
          WHERE ((t_1.book_id = p.book_id) AND (t_1.payout_id = p.payout_id))
          ORDER BY t_1.step DESC
         LIMIT 1) t ON (true))
     LEFT JOIN LATERAL ( SELECT t_1.book_id,
            t_1.payout_id,
            t_1.step,
            t_1.state,
            t_1.seq,
            t_1.reason_code,
            t_1.bank_reference,
            t_1.tax_withheld,
            t_1.eprc_number
           FROM ujrat.payout_transition t_1
          WHERE ((t_1.book_id = p.book_id) AND (t_1.payout_id = p.payout_id))
          ORDER BY t_1.step
         LIMIT 1) settled ON ((settled.state = 4)))
     LEFT JOIN LATERAL ( SELECT h_1.seq
           FROM ujrat.handout h_1
          WHERE ((h_1.book_id = p.book_id) AND (h_1.bank_id = p.bank_id) AND (h_1.last_payout_id >= p.payout_id))
          ORDER BY h_1.last_payout_id
         LIMIT 1) h ON (true))
     CROSS JOIN LATERAL ( SELECT k.committed_at
           FROM ujrat.block k
          WHERE ((k.book_id = p.book_id) AND (k.block_no = ( SELECT j.block_no
                   FROM ujrat.journal j
                  WHERE ((j.book_id = p.book_id) AND (j.seq = p.payout_id)))))
         LIMIT 1) created)
     LEFT JOIN LATERAL ( SELECT k.committed_at
           FROM ujrat.block k
          WHERE ((k.book_id = p.book_id) AND (k.block_no = ( SELECT j.block_no
                   FROM ujrat.journal j
                  WHERE ((j.book_id = p.book_id) AND (j.seq = COALESCE(t.seq, h.seq))))))
         LIMIT 1) updated ON (true));

ALTER TABLE ujrat.payout_now OWNER TO ujrat_owner;

CREATE TABLE ujrat.pii_erasure (
    book_id integer NOT NULL,
    beneficiary_id bigint NOT NULL,
    erased_at timestamp with time zone NOT NULL,
    erased_by text NOT NULL,
    reason text NOT NULL,
    versions integer NOT NULL,
    CONSTRAINT pii_erasure_erased_by_check CHECK (((length(erased_by) >= 1) AND (length(erased_by) <= 200))),
    CONSTRAINT pii_erasure_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 500)))
);

ALTER TABLE ujrat.pii_erasure OWNER TO ujrat_owner;

CREATE VIEW ujrat.posting AS
 SELECT j.book_id,
    j.seq,
    line.ord AS line_no,
    j.block_no,
    k.committed_at,
    j.kind,
    j.payout_id,
    line.account_id,
    line.ccy,
    line.minor
   FROM ((ujrat.journal j
     JOIN ujrat.block k USING (book_id, block_no))
     CROSS JOIN LATERAL UNNEST(j.line_account, j.line_ccy, j.line_minor) WITH ORDINALITY line(account_id, ccy, minor, ord));

ALTER TABLE ujrat.posting OWNER TO ujrat_owner;

CREATE TABLE ujrat.principal (
    principal_id integer NOT NULL,
    uri text NOT NULL,
    role text NOT NULL,
    book_id integer,
    bank_id smallint,
    enabled boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT principal_check CHECK ((uri ~~ (('ujrat://'::text || role) || '/%'::text))),
    CONSTRAINT principal_check1 CHECK (((role = 'platform'::text) = (book_id IS NOT NULL))),
    CONSTRAINT principal_check2 CHECK (((role = 'bank'::text) = (bank_id IS NOT NULL))),
    CONSTRAINT principal_role_check CHECK ((role = ANY (ARRAY['platform'::text, 'bank'::text, 'auditor'::text, 'operator'::text, 'system'::text]))),
    CONSTRAINT principal_uri_check CHECK ((uri ~ '^ujrat://(platform|bank|auditor|operator|system)/[A-Za-z0-9-]{1,32}$'::text))
);

ALTER TABLE ujrat.principal OWNER TO ujrat_owner;

ALTER TABLE ujrat.principal ALTER COLUMN principal_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ujrat.principal_principal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ujrat.quote (
    book_id integer NOT NULL,
    quote_id bigint NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    src_ccy smallint NOT NULL,
    dst_ccy smallint NOT NULL,
    digit_shift smallint NOT NULL,
    rate_id integer NOT NULL,
    gross bigint NOT NULL,
    fee bigint NOT NULL,
    mid_rate_e10 bigint NOT NULL,
    mid_value bigint NOT NULL,
    margin_bps integer NOT NULL,
    margin bigint NOT NULL,
    net bigint NOT NULL,
    principal_id integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT margin_rounded_down CHECK (
CASE
    WHEN (mid_value < '900000000000000'::bigint) THEN (margin = ((mid_value * margin_bps) / 10000))
    ELSE ((margin)::numeric = div(((mid_value)::numeric * (margin_bps)::numeric), (10000)::numeric))
END),
    CONSTRAINT mid_value_half_even CHECK (
CASE
    WHEN ((digit_shift = 0) AND ((gross - fee) < 1000000) AND (mid_rate_e10 < '4000000000000'::bigint) AND (mid_value < 400000000)) THEN ((abs(((mid_value * '20000000000'::bigint) - (((gross - fee) * mid_rate_e10) * 2))) < '10000000000'::bigint) OR ((abs(((mid_value * '20000000000'::bigint) - (((gross - fee) * mid_rate_e10) * 2))) = '10000000000'::bigint) AND ((mid_value % (2)::bigint) = 0)))
    ELSE ((abs((((mid_value)::numeric * ('20000000000'::bigint)::numeric) - (((((gross - fee))::numeric * (mid_rate_e10)::numeric) * (2)::numeric) * ujrat.digit_factor(digit_shift)))) < ('10000000000'::bigint)::numeric) OR ((abs((((mid_value)::numeric * ('20000000000'::bigint)::numeric) - (((((gross - fee))::numeric * (mid_rate_e10)::numeric) * (2)::numeric) * ujrat.digit_factor(digit_shift)))) = ('10000000000'::bigint)::numeric) AND ((mid_value % (2)::bigint) = 0)))
END),
    CONSTRAINT quote_check CHECK ((expires_at > created_at)),
    CONSTRAINT quote_check1 CHECK (((gross > 0) AND (fee >= 0) AND (fee < gross) AND (margin >= 0) AND (net > 0) AND (net = (mid_value - margin)))),
    CONSTRAINT quote_check2 CHECK (((mid_rate_e10 > 0) AND ((margin_bps >= 0) AND (margin_bps <= 9999)) AND ((digit_shift >= '-4'::integer) AND (digit_shift <= 4)))),
    CONSTRAINT quote_fingerprint_check CHECK ((length(fingerprint) = 16))
);

ALTER TABLE ujrat.quote OWNER TO ujrat_owner;

CREATE TABLE ujrat.rate (
    rate_id integer NOT NULL,
    ccy smallint NOT NULL,
    pkr_e10 bigint NOT NULL,
    CONSTRAINT rate_pkr_e10_check CHECK ((pkr_e10 > 0))
);

ALTER TABLE ujrat.rate OWNER TO ujrat_owner;

ALTER TABLE ujrat.rate_sheet ALTER COLUMN rate_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ujrat.rate_sheet_rate_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ujrat.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_migration_sha256_check CHECK ((length(sha256) = 32))
);

ALTER TABLE ujrat.schema_migration OWNER TO ujrat_owner;

CREATE TABLE ujrat.tariff (
    book_id integer NOT NULL,
    ccy smallint NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    margin_bps integer NOT NULL,
    fee_fixed bigint NOT NULL,
    fee_bps integer NOT NULL,
    fee_min bigint NOT NULL,
    fee_max bigint NOT NULL,
    gross_max bigint NOT NULL,
    author text NOT NULL,
    CONSTRAINT tariff_author_check CHECK ((author <> ''::text)),
    CONSTRAINT tariff_check CHECK (((fee_max = 0) OR (fee_max >= fee_min))),
    CONSTRAINT tariff_fee_bps_check CHECK (((fee_bps >= 0) AND (fee_bps <= 9999))),
    CONSTRAINT tariff_fee_fixed_check CHECK ((fee_fixed >= 0)),
    CONSTRAINT tariff_fee_min_check CHECK ((fee_min >= 0)),
    CONSTRAINT tariff_gross_max_check CHECK ((gross_max > 0)),
    CONSTRAINT tariff_margin_bps_check CHECK (((margin_bps >= 0) AND (margin_bps <= 9999)))
);

ALTER TABLE ujrat.tariff OWNER TO ujrat_owner;

CREATE TABLE ujrat.tree_head (
    book_id integer NOT NULL,
    tree_size bigint NOT NULL,
    root bytea NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT tree_head_root_check CHECK ((length(root) = 32)),
    CONSTRAINT tree_head_signature_check CHECK ((length(signature) = 64))
);

ALTER TABLE ujrat.tree_head OWNER TO ujrat_owner;

COPY ujrat.account (book_id, account_id, code, role, type, normal_side, ccy, bank_id, floor_zero, created_at) FROM stdin;
1	1	position.PKR	position	POSITION	debit	586	\N	f	2026-11-27 19:31:24.759614+00
1	2	margin.PKR	margin	INCOME	credit	586	\N	f	2026-11-27 19:31:24.8137+00
1	3	payable.WMBL.PKR	payable	LIABILITY	credit	586	53	f	2026-11-27 19:31:24.81473+00
1	4	nostro.WMBL.PKR	nostro	ASSET	debit	586	53	f	2026-11-27 19:31:24.815581+00
1	5	payable.ZTBL.PKR	payable	LIABILITY	credit	586	54	f	2026-11-27 19:31:24.816197+00
1	6	nostro.ZTBL.PKR	nostro	ASSET	debit	586	54	f	2026-11-27 19:31:24.816682+00
1	7	float.USD	float	LIABILITY	credit	840	\N	t	2026-11-27 19:31:24.847274+00
1	8	correspondent.USD	correspondent	ASSET	debit	840	\N	f	2026-11-27 19:31:24.84772+00
1	9	fee.USD	fee	INCOME	credit	840	\N	f	2026-11-27 19:31:24.848007+00
1	10	position.USD	position	POSITION	debit	840	\N	f	2026-11-27 19:31:24.848256+00
2	1	position.PKR	position	POSITION	debit	586	\N	f	2026-11-27 19:31:32.915788+00
2	2	margin.PKR	margin	INCOME	credit	586	\N	f	2026-11-27 19:31:32.972969+00
2	3	payable.WMBL.PKR	payable	LIABILITY	credit	586	53	f	2026-11-27 19:31:32.983167+00
2	4	nostro.WMBL.PKR	nostro	ASSET	debit	586	53	f	2026-11-27 19:31:32.985297+00
2	5	payable.ZTBL.PKR	payable	LIABILITY	credit	586	54	f	2026-11-27 19:31:32.999252+00
2	6	nostro.ZTBL.PKR	nostro	ASSET	debit	586	54	f	2026-11-27 19:31:32.99984+00
2	7	float.USD	float	LIABILITY	credit	840	\N	t	2026-11-27 19:31:33.008038+00
2	8	correspondent.USD	correspondent	ASSET	debit	840	\N	f	2026-11-27 19:31:33.011505+00
2	9	fee.USD	fee	INCOME	credit	840	\N	f	2026-11-27 19:31:33.011863+00
2	10	position.USD	position	POSITION	debit	840	\N	f	2026-11-27 19:31:33.012098+00
2	11	float.JPY	float	LIABILITY	credit	392	\N	t	2026-11-27 19:31:35.479983+00
2	12	correspondent.JPY	correspondent	ASSET	debit	392	\N	f	2026-11-27 19:31:35.497407+00
2	13	fee.JPY	fee	INCOME	credit	392	\N	f	2026-11-27 19:31:35.516196+00
2	14	position.JPY	position	POSITION	debit	392	\N	f	2026-11-27 19:31:35.517178+00
\.

COPY ujrat.account_balance (block_no, prev_block_no, balance_before, change, balance, debit_count, credit_count, book_id, account_id, floor_zero) FROM stdin;
0	\N	\N	0	0	0	0	1	1	f
0	\N	\N	0	0	0	0	1	2	f
0	\N	\N	0	0	0	0	1	3	f
0	\N	\N	0	0	0	0	1	4	f
0	\N	\N	0	0	0	0	1	5	f
0	\N	\N	0	0	0	0	1	6	f
0	\N	\N	0	0	0	0	1	7	t
0	\N	\N	0	0	0	0	1	8	f
0	\N	\N	0	0	0	0	1	9	f
0	\N	\N	0	0	0	0	1	10	f
1	0	0	-5000000	-5000000	0	1	1	7	t
1	0	0	5000000	5000000	1	0	1	8	f
0	\N	\N	0	0	0	0	2	1	f
0	\N	\N	0	0	0	0	2	2	f
0	\N	\N	0	0	0	0	2	3	f
0	\N	\N	0	0	0	0	2	4	f
0	\N	\N	0	0	0	0	2	5	f
0	\N	\N	0	0	0	0	2	6	f
0	\N	\N	0	0	0	0	2	7	t
0	\N	\N	0	0	0	0	2	8	f
0	\N	\N	0	0	0	0	2	9	f
0	\N	\N	0	0	0	0	2	10	f
1	0	0	-2000000	-2000000	0	1	2	7	t
1	0	0	2000000	2000000	1	0	2	8	f
0	\N	\N	0	0	0	0	2	11	t
0	\N	\N	0	0	0	0	2	12	f
0	\N	\N	0	0	0	0	2	13	f
0	\N	\N	0	0	0	0	2	14	f
2	0	0	-500000	-500000	0	1	2	11	t
2	0	0	500000	500000	1	0	2	12	f
2	0	0	2751816	2751816	1	0	1	1	f
2	0	0	-41277	-41277	0	1	1	2	f
2	0	0	-2710539	-2710539	0	1	1	5	f
2	1	-5000000	10000	-4990000	1	1	1	7	t
2	0	0	-100	-100	0	1	1	9	f
2	0	0	-9900	-9900	0	1	1	10	f
3	2	2751816	2782670	5534486	2	0	1	1	f
3	2	-41277	-41740	-83017	0	2	1	2	f
3	2	-2710539	-2740930	-5451469	0	2	1	5	f
3	2	-4990000	10111	-4979889	2	1	1	7	t
3	2	-100	-100	-200	0	2	1	9	f
3	2	-9900	-10011	-19911	0	2	1	10	f
4	3	5534486	2813523	8348009	3	0	1	1	f
4	3	-83017	-42202	-125219	0	3	1	2	f
4	3	-5451469	-2771321	-8222790	0	3	1	5	f
4	3	-4979889	10222	-4969667	3	1	1	7	t
4	3	-200	-100	-300	0	3	1	9	f
4	3	-19911	-10122	-30033	0	3	1	10	f
5	4	8348009	2844377	11192386	4	0	1	1	f
5	4	-125219	-42665	-167884	0	4	1	2	f
5	4	-8222790	-2801712	-11024502	0	4	1	5	f
5	4	-4969667	10333	-4959334	4	1	1	7	t
5	4	-300	-100	-400	0	4	1	9	f
5	4	-30033	-10233	-40266	0	4	1	10	f
6	5	11192386	2875231	14067617	5	0	1	1	f
6	5	-167884	-43128	-211012	0	5	1	2	f
6	5	-11024502	-2832103	-13856605	0	5	1	5	f
6	5	-4959334	10444	-4948890	5	1	1	7	t
6	5	-400	-100	-500	0	5	1	9	f
6	5	-40266	-10344	-50610	0	5	1	10	f
7	6	14067617	2751816	16819433	6	0	1	1	f
7	6	-211012	-41277	-252289	0	6	1	2	f
7	0	0	-2710539	-2710539	0	1	1	3	f
7	6	-4948890	10000	-4938890	6	1	1	7	t
7	6	-500	-100	-600	0	6	1	9	f
7	6	-50610	-9900	-60510	0	6	1	10	f
8	7	16819433	2782670	19602103	7	0	1	1	f
8	7	-252289	-41740	-294029	0	7	1	2	f
8	7	-2710539	-2740930	-5451469	0	2	1	3	f
8	7	-4938890	10111	-4928779	7	1	1	7	t
8	7	-600	-100	-700	0	7	1	9	f
8	7	-60510	-10011	-70521	0	7	1	10	f
9	8	19602103	2813523	22415626	8	0	1	1	f
9	8	-294029	-42202	-336231	0	8	1	2	f
9	8	-5451469	-2771321	-8222790	0	3	1	3	f
9	8	-4928779	10222	-4918557	8	1	1	7	t
9	8	-700	-100	-800	0	8	1	9	f
9	8	-70521	-10122	-80643	0	8	1	10	f
10	9	22415626	2844377	25260003	9	0	1	1	f
10	9	-336231	-42665	-378896	0	9	1	2	f
10	9	-8222790	-2801712	-11024502	0	4	1	3	f
10	9	-4918557	10333	-4908224	9	1	1	7	t
10	9	-800	-100	-900	0	9	1	9	f
10	9	-80643	-10233	-90876	0	9	1	10	f
11	10	25260003	2875231	28135234	10	0	1	1	f
11	10	-378896	-43128	-422024	0	10	1	2	f
11	10	-11024502	-2832103	-13856605	0	5	1	3	f
11	10	-4908224	10444	-4897780	10	1	1	7	t
11	10	-900	-100	-1000	0	10	1	9	f
11	10	-90876	-10344	-101220	0	10	1	10	f
3	0	0	2751816	2751816	1	0	2	1	f
3	0	0	-41277	-41277	0	1	2	2	f
3	0	0	-2710539	-2710539	0	1	2	5	f
3	1	-2000000	10000	-1990000	1	1	2	7	t
3	0	0	-100	-100	0	1	2	9	f
3	0	0	-9900	-9900	0	1	2	10	f
4	3	2751816	2782670	5534486	2	0	2	1	f
4	3	-41277	-41740	-83017	0	2	2	2	f
4	3	-2710539	-2740930	-5451469	0	2	2	5	f
4	3	-1990000	10111	-1979889	2	1	2	7	t
4	3	-100	-100	-200	0	2	2	9	f
4	3	-9900	-10011	-19911	0	2	2	10	f
5	4	5534486	2813523	8348009	3	0	2	1	f
5	4	-83017	-42202	-125219	0	3	2	2	f
5	4	-5451469	-2771321	-8222790	0	3	2	5	f
5	4	-1979889	10222	-1969667	3	1	2	7	t
5	4	-200	-100	-300	0	3	2	9	f
5	4	-19911	-10122	-30033	0	3	2	10	f
6	5	8348009	2844377	11192386	4	0	2	1	f
6	5	-125219	-42665	-167884	0	4	2	2	f
6	5	-8222790	-2801712	-11024502	0	4	2	5	f
6	5	-1969667	10333	-1959334	4	1	2	7	t
6	5	-300	-100	-400	0	4	2	9	f
6	5	-30033	-10233	-40266	0	4	2	10	f
7	6	11192386	2875231	14067617	5	0	2	1	f
7	6	-167884	-43128	-211012	0	5	2	2	f
7	6	-11024502	-2832103	-13856605	0	5	2	5	f
7	6	-1959334	10444	-1948890	5	1	2	7	t
7	6	-400	-100	-500	0	5	2	9	f
7	6	-40266	-10344	-50610	0	5	2	10	f
8	7	14067617	2751816	16819433	6	0	2	1	f
8	7	-211012	-41277	-252289	0	6	2	2	f
8	0	0	-2710539	-2710539	0	1	2	3	f
8	7	-1948890	10000	-1938890	6	1	2	7	t
8	7	-500	-100	-600	0	6	2	9	f
8	7	-50610	-9900	-60510	0	6	2	10	f
9	8	16819433	2782670	19602103	7	0	2	1	f
9	8	-252289	-41740	-294029	0	7	2	2	f
9	8	-2710539	-2740930	-5451469	0	2	2	3	f
9	8	-1938890	10111	-1928779	7	1	2	7	t
9	8	-600	-100	-700	0	7	2	9	f
9	8	-60510	-10011	-70521	0	7	2	10	f
10	9	19602103	2813523	22415626	8	0	2	1	f
10	9	-294029	-42202	-336231	0	8	2	2	f
10	9	-5451469	-2771321	-8222790	0	3	2	3	f
10	9	-1928779	10222	-1918557	8	1	2	7	t
10	9	-700	-100	-800	0	8	2	9	f
10	9	-70521	-10122	-80643	0	8	2	10	f
11	10	22415626	2844377	25260003	9	0	2	1	f
11	10	-336231	-42665	-378896	0	9	2	2	f
11	10	-8222790	-2801712	-11024502	0	4	2	3	f
11	10	-1918557	10333	-1908224	9	1	2	7	t
11	10	-800	-100	-900	0	9	2	9	f
11	10	-80643	-10233	-90876	0	9	2	10	f
12	11	25260003	2875231	28135234	10	0	2	1	f
12	11	-378896	-43128	-422024	0	10	2	2	f
12	11	-11024502	-2832103	-13856605	0	5	2	3	f
12	11	-1908224	10444	-1897780	10	1	2	7	t
12	11	-900	-100	-1000	0	10	2	9	f
12	11	-90876	-10344	-101220	0	10	2	10	f
12	11	28135234	1173274	29308508	11	0	1	1	f
12	11	-422024	-17599	-439623	0	11	1	2	f
12	11	-13856605	-1155675	-15012280	0	6	1	3	f
12	11	-4897780	4321	-4893459	11	1	1	7	t
12	11	-1000	-100	-1100	0	11	1	9	f
12	11	-101220	-4221	-105441	0	11	1	10	f
13	12	29308508	-1173274	28135234	11	1	1	1	f
13	12	-439623	17599	-422024	1	11	1	2	f
13	12	-15012280	1155675	-13856605	1	6	1	3	f
13	12	-4893459	-4321	-4897780	11	2	1	7	t
13	12	-1100	100	-1000	1	11	1	9	f
13	12	-105441	4221	-101220	1	11	1	10	f
15	13	28135234	-2875231	25260003	11	2	1	1	f
15	13	-422024	43128	-378896	2	11	1	2	f
15	6	-13856605	13856605	0	5	5	1	5	f
15	0	0	-11024502	-11024502	0	4	1	6	f
15	13	-4897780	-10444	-4908224	11	3	1	7	t
15	13	-1000	100	-900	2	11	1	9	f
15	13	-101220	10344	-90876	2	11	1	10	f
19	13	-13856605	13856605	0	6	6	1	3	f
19	0	0	-13856605	-13856605	0	5	1	4	f
14	12	28135234	-2751816	25383418	10	1	2	1	f
14	12	-422024	41277	-380747	1	10	2	2	f
14	7	-13856605	2710539	-11146066	1	5	2	5	f
14	12	-1897780	-10000	-1907780	10	2	2	7	t
14	12	-1000	100	-900	1	10	2	9	f
14	12	-101220	9900	-91320	1	10	2	10	f
16	15	25260003	-2751816	22508187	11	3	1	1	f
16	15	-378896	41277	-337619	3	11	1	2	f
16	15	0	0	0	6	6	1	5	f
16	15	-11024502	2710539	-8313963	1	4	1	6	f
16	15	-4908224	-10000	-4918224	11	4	1	7	t
16	15	-900	100	-800	3	11	1	9	f
16	15	-90876	9900	-80976	3	11	1	10	f
17	16	22508187	-2782670	19725517	11	4	1	1	f
17	16	-337619	41740	-295879	4	11	1	2	f
17	16	0	0	0	7	7	1	5	f
17	16	-8313963	2740930	-5573033	2	4	1	6	f
17	16	-4918224	-10111	-4928335	11	5	1	7	t
17	16	-800	100	-700	4	11	1	9	f
17	16	-80976	10011	-70965	4	11	1	10	f
16	12	-13856605	11024502	-2832103	4	5	2	3	f
16	0	0	-11024502	-11024502	0	4	2	4	f
20	17	19725517	2751538	22477055	12	4	1	1	f
20	17	-295879	-41273	-337152	4	12	1	2	f
20	17	0	-2710265	-2710265	7	8	1	5	f
20	17	-4928335	9999	-4918336	12	5	1	7	t
20	17	-700	-100	-800	4	12	1	9	f
20	17	-70965	-9899	-80864	4	12	1	10	f
17	14	25383418	2442723	27826141	11	1	2	1	f
17	14	-380747	-36640	-417387	1	11	2	2	f
17	16	-2832103	-2406083	-5238186	4	6	2	3	f
17	14	-1907780	8888	-1898892	11	2	2	7	t
17	14	-900	-100	-1000	1	11	2	9	f
17	14	-91320	-8788	-100108	1	11	2	10	f
\.

COPY ujrat.adjustment_decision (book_id, proposal_id, decided_by, decided_at, seq) FROM stdin;
\.

COPY ujrat.adjustment_proposal (book_id, proposal_id, request_id, reason, evidence_sha256, line_account, line_ccy, line_minor, proposed_by, proposed_at) FROM stdin;
\.

COPY ujrat.bank (bank_id, code, bic, name, connected) FROM stdin;
1	ABPA	ABPAPKKA	Allied Bank Limited	f
2	AIIN	AIINPKKA	Al Baraka Bank (Pakistan) Limited	f
3	ALFH	ALFHPKKA	Bank Alfalah Limited	f
4	APNA	\N	Apna Microfinance Bank	f
5	ASCM	ASCMPKKA	Askari Bank Limited	f
6	BAHL	BAHLPKKA	Bank Al Habib Limited	f
7	BARC	\N	Barclays Bank PLC	f
8	BIPL	\N	Bank of Islamabad Limited	f
9	BKCH	BKCHPKKA	Bank of China Limited, Pakistan	f
10	BKIP	BKIPPKKA	BankIslami Pakistan Limited	f
11	BOTK	\N	MUFG Bank, Ltd., Pakistan	f
12	BPUN	BPUNPKKA	The Bank of Punjab	f
13	BURJ	BURJPKKA	Burj Bank Limited	f
14	CITI	CITIPKKX	Citibank N.A., Pakistan	f
15	DEUT	DEUTPKKA	Deutsche Bank AG, Pakistan	f
16	DUIB	DUIBPKKA	Dubai Islamic Bank Pakistan Limited	f
17	FAYS	FAYSPKKA	Faysal Bank Limited	f
18	FINC	\N	FINCA Microfinance Bank	f
19	FMFB	\N	The First MicroFinanceBank Limited	f
20	FWOM	FWOMPKKA	First Women Bank Limited	f
21	HABB	HABBPKKA	Habib Bank Limited	f
22	ICBK	ICBKPKKA	Industrial and Commercial Bank of China, Pakistan	f
23	JCMA	\N	Mobilink Microfinance Bank (JazzCash)	f
24	JSBL	JSBLPKKA	JS Bank Limited	f
25	KHYB	KHYBPKKA	The Bank of Khyber	f
26	KMBL	\N	Khushhali Microfinance Bank	f
27	MCBL	\N	MCB Bank Limited	f
28	MCIB	MCIBPKKI	MCB Islamic Bank Limited	f
29	MEZN	MEZNPKKA	Meezan Bank Limited	f
30	MPBL	MPBLPKKA	Habib Metropolitan Bank Limited	f
31	MSHQ	\N	Mashreq Bank Pakistan	f
32	MUCB	MUCBPKKA	MCB Bank Limited	f
33	NBPA	NBPBPKKA	National Bank of Pakistan	f
34	NBPB	\N	National Bank of Pakistan	f
35	NIBP	NIBPPKKA	NIB Bank Limited	f
36	NRSP	\N	NRSP Microfinance Bank	f
37	PAKB	\N	Pak Oman Microfinance Bank	f
38	PLCO	PLCOPKKA	KASB Bank Limited	f
39	SAMB	SAMBPKKA	Samba Bank Limited	f
40	SAUD	SAUDPKKA	Silkbank Limited	f
41	SBPP	\N	State Bank of Pakistan	f
42	SCBL	SCBLPKKX	Standard Chartered Bank (Pakistan) Limited	f
43	SILK	\N	Silkbank Limited	f
44	SIND	SINDPKKA	Sindh Bank Limited	f
45	SMEP	\N	Summit Bank Limited	f
46	SMES	SMESPKK1	SME Bank Limited	f
47	SONE	SONEPKKA	Soneri Bank Limited	f
48	SUMB	SUMBPKKA	Bank Makramah Limited	f
49	TAMW	\N	Tameer Microfinance Bank	f
50	TMFB	\N	Easypaisa Bank Limited	f
51	UMBL	\N	U Microfinance Bank Limited	f
52	UNIL	UNILPKKA	United Bank Limited	f
54	ZTBL	\N	Zarai Taraqiati Bank Limited	t
53	WMBL	\N	Mobilink Microfinance Bank Limited	t
\.

COPY ujrat.beneficiary (book_id, beneficiary_id, request_id, version, bank_id, created_at, erased_at) FROM stdin;
1	1	request:b-6	1	54	2026-11-27 19:31:38.321687+00	\N
1	2	request:b-14	1	53	2026-11-27 19:31:38.7504+00	\N
2	1	request:b-22	1	54	2026-11-27 19:31:38.952704+00	\N
2	2	request:b-30	1	53	2026-11-27 19:31:39.412579+00	\N
1	3	request:b-38	1	53	2026-11-27 19:31:39.657009+00	\N
1	4	carried:2a0b650f0f2384d6bd91f71a23f0f3ac	1	54	2026-11-27 19:31:40.901033+00	\N
2	3	carried:410b3e8b40250ec7e1a9089f0532449f	1	53	2026-11-27 19:31:40.933397+00	\N
\.

COPY ujrat.beneficiary_pii (book_id, beneficiary_id, version, key_id, sealed) FROM stdin;
1	1	1	1	\\xfe0c39566d1bb2c1761b5bd8e0308e81ec498438d533c14cd6cde5b89f460195307d957eaf2073c5ce00afeab66efcafc70e79d9f56b6b32609fc23c1411b17ef871b621860502552c6863217471b01666ee579af4a68dfb46ac047d8a2c94bc78271d2f8afe487f6d2d67c75ecbd3c749f3f895114d11644e0860dbed550b637e0c8cbb6ae8a9781d0364dbf5a57b60ff2e7690c672d45e3b3ed9e9e05ae696406c8da538fea3aa9a9f76c2be3adf291d44ba3f2b885d2f3cc5d3f43dfb1e8a70a161889c0709fb315b132a043b45bcdb
1	2	1	1	\\xf4e2f1baf747e46faa66f171170a6508f1b3c2a8dbedfe5dcfd950fe93625576ae3e22b5658b0f3a7924e5e679b469bce4f0e096e8c9f1e9313fbf4156a820c92c6a92668825986f0715d9f9944a8a5c448254b8e9056724edee8aee500dca4c456d9712b5074c314f0eb9a6c9f754e01ec9ec6b438a144a6255bf2d0aae1c58e2bdc1634d629df92e2cd38cb408fa4c4d99c766281230f6c992f4f477a8ef23cdc271127b27011be3be93f9545ec463a583eaa86e59e2d896da07f3cf6b286d89624d4ff957c94263aaacee7af52baee0
2	1	1	1	\\xf39060b4307678aee6a3aae5067ab0eed8f9d61d36997b68a8bcbd6719c43b44833273a7112799584ac64915c3783947734526f6525ef9f6222d372c868b6c12652dcda5ed5a98bc7d6c44cd9ba295f25f1f56f5951200d22cc23bae2208a895c522ad2ff24bfdd862c563427d9aab85924f45c18b1cc48fdae562319e9243995e7933fae743cc43b77432104d7eb322ddef5387d90babbbb07980e9e3688c2be0fcf2600a50e5b5980f1f90b4bb712b3306723fd20242ae6d559d8dfed416b0f5c066df857d9d28ebe8c46ebef8b1d568
2	2	1	1	\\x0d776e3cdf5a06ce05f4a07cc056a8e347589b5bebdd96e4c978e0ec13318cf81694375a8234cd521fa1095bd66dd816aff159d1f2f2c493065cbbceeebeb70bb44d6f635b85d6c18d620a1c1c5989fe1f56349249ba5205b466c0432a3504ef9ecbd963cccdbb075d879be247219a173cb7c67bdeb112c8a456f5dbabc389c74980a19a0b836bacf74c10e5c7cd8d67a85b7fa4839f3b4f1c0514aa1a8c56780ec7de0d279a33cb285caa793fc7704c4560d81ad8adf39b7d9a435c6646822db45e1eca653a5ab18d2c72e4e138e87b15
1	3	1	1	\\xf282aea0de8c56a9d5e1c5768c2eca13db7f39bfe4ea4337d07f961f5aeb08de312c16351ee1d9f609d1bbd8cdcd6d3b93038ce3c591ee6c79cc8ba182d22acec67fd4f9f2e0eac40847244f9c64287dd408667bd7b326408526484142af8fd5746c2324c9b0988be20ceaa2391374bedb2ac51e918dab224cce9777883af6e6fe49e34288dc148d6306be0711cfcb5c67d92ba7e1793edc37e530572dee865ef7e6458eef004527a5ae0cf4b57ec98ead721d29e23736326501892307df2bd3a449d1e8012e72493fb80a40af9a535fdb
1	4	1	1	\\xbaafdecf9745512f3456ae3f687305a1b88cca933836b6a3d1a4832c63dc01c3ba81b4e20c4bb3b722116ef5c08dfd1f636718824c2c8649f34413e87c71054f2d6c75214879fce8f3127519ee7932d662e9cc5a26c1533db39fb4d76fc77730de9f4910ac2859baab3baaac443f485618b245cb2c41f786e9250ea7e109f3a25a6dd3a856e5030e0bda31fca4a2dc90604e5369a5cb906d80e2eccbc8e5e2019328a528df3b8978e93f730848a312f40dc4e84ad4779c3661cd7eb70d80930f14d980e5a0d320e702f23b91f8b9774d88
2	3	1	1	\\xeff67d58081788712fd7a1fb7c1e0f518743783babf91030e6d94f80030317b7b28323ded8c4e54d703f0b0277f1f6dc09ff6fc098a1f940519b4f7854161f0d81a434df7861f998e9a35d148f14015212d80eb676f836e8d6a7d54918f6543714738697af953247c65b364b2ec0fb8c4926590bb6a7378a80d7369ca988cbb1f8737ee45f47d546e480bf2513cc8f28984ec09f04166fbb5559a5b14e47f34dd64fdc84b98bb0709d136f09af25341da9ab528ff2958eb356d72e3628a510ce6e83d48d7cf80e2290197f49d9fe71dfce
\.

COPY ujrat.beneficiary_version (book_id, beneficiary_id, version, fingerprint, bank_id, channel, purpose_code, principal_id, created_at, name_commitment, iban_commitment, mobile_commitment, cnic_commitment, pseb_commitment) FROM stdin;
1	1	1	\\x39334e94845981c4959a1aa19a871a4f	54	1	9186	5	2026-11-27 19:31:38.321687+00	\\x0f49851a863e5bfb4221b2ca11b4fb34c514d50d979a86fe81187bd17b23d4c7	\\x3108e84fb697f323db6448e3b378acd22df23ebd8f4275a98b4dc0f7b663da01	\N	\\x7d31e9162d646b5a5c0c3d82ef1c576ddad1ea571c2e79cd076dafdd274a73cf	\\xd3d7446574554e50f19a61c71749120d28d3d2a16773040a024ebe09be632f48
1	2	1	\\x8aa56f4bf315848dcf759d150fbe207d	53	1	9186	5	2026-11-27 19:31:38.7504+00	\\xcbf6f94dcbfcb4a0c4921737e722505636c798ba446e928e28022f77e3d6144b	\\x9516dabc826b974e8ed2ae15fa83afca85295ae52e1994129b47fd8d022f54a6	\N	\\xd11d639aee05fe40fb0777557c3af41d5493b17aa0ad4c031fca00db4246ba9e	\\x0a0fc8399eafdf1d6aef9d5978d908e34f4e3c065e6af300c92f413410e4745e
2	1	1	\\x99c00a525f04bca53bfc6de539ad21e2	54	1	9186	7	2026-11-27 19:31:38.952704+00	\\xfe2710deca291f03605ab6108bef98619f12d2d7db9bac42e94bd94e5cd87a07	\\xc98cc5dd4094480786f029647c1e6be15f749eb45e2744ff1cd4a36402207793	\N	\\x9d39905ff8f69ef3a8a4b0d18bac618144f7a464ebc136062daf7444e99435e5	\\x2f76a271c5c59a87fecdc959150c13fdab402087afc690d7117852f664a52154
2	2	1	\\xdcdbf0ff216d98b16cfca38589ff7208	53	1	9186	7	2026-11-27 19:31:39.412579+00	\\x5d36e1de13e3c089621c0ec4ede02b65e01578a6b0498210d56568800c1f17cf	\\x01a308bfac8cb0e77a84f040a1b209ef26203984556a210348cedadf10b72f84	\N	\\xd473a55834f126c8cee286a9acd300d806933a22ac51462655920d33964fd363	\\x9676f0ff526601eafb70d20fad54da27f4bc865bb416779bd5f79d9e40c95cce
1	3	1	\\xd8fb75b28b9214fbd92b2c9e5841cde4	53	1	9186	5	2026-11-27 19:31:39.657009+00	\\xb81046f8f3a3aaeb582fc53268bf2e259f2717bfd310379971952cc6dad0e772	\\xd4aaddc226db6ae67c28916435e4b388c32b519c4fd46c29cff57aab92bc2a13	\N	\\xdd321ef6a54a8071f80e8eab919728ad23a4ddce7bab9952e583646e1b405445	\\xcc1a3764f91f3852e3c279b72048e02ac09c88392d4d02f0c91f8f98e87f4f69
1	4	1	\\x2a0b650f0f2384d6bd91f71a23f0f3ac	54	1	9186	5	2026-11-27 19:31:40.901033+00	\\x2ad6ca270452d61ba317a61254cfc9b3b0359c1954b97e7906357514d130cc1b	\\xef5f3a6bfab07ba14d97374213d3c846c5d3ccaeffefb67c00adb2b923bbe7fa	\N	\\x521efb210de9993aea32f55d0c37207af84d5dbb45b6dd0be5c6d14cd5905c6e	\\x7c65e01527138f9065fd0993873ec21254c125b99a4ac122a49ccc4c5ad8dae5
2	3	1	\\x410b3e8b40250ec7e1a9089f0532449f	53	1	9186	7	2026-11-27 19:31:40.933397+00	\\x814eab2e35b5b44d810288e3bec8271067eb2bb709a5e93c757a8e5922cfb2cd	\\x04dc110d165b664f8e191d11d5e07c0f4c0ed8342da02a3485f1d3e607c1732b	\N	\\x8cfd996f4193895884332d289af96160feecf4202776eb3376ec6944d637a6f8	\\xa89c7b0f7769eeb61e2a85f8028f41088d05871aa91851ac360712ca1a2060ab
\.

COPY ujrat.block (book_id, block_no, first_seq, last_seq, committed_at) FROM stdin;
1	1	1	1	2026-11-27 19:31:26.411455+00
2	1	1	1	2026-11-27 19:31:34.236099+00
2	2	2	2	2026-11-27 19:31:36.559084+00
1	2	2	2	2026-11-27 19:31:38.4049+00
1	3	3	3	2026-11-27 19:31:38.586386+00
1	4	4	4	2026-11-27 19:31:38.666563+00
1	5	5	5	2026-11-27 19:31:38.703959+00
1	6	6	6	2026-11-27 19:31:38.720874+00
1	7	7	7	2026-11-27 19:31:38.778311+00
1	8	8	8	2026-11-27 19:31:38.825016+00
1	9	9	9	2026-11-27 19:31:38.853387+00
1	10	10	10	2026-11-27 19:31:38.892076+00
1	11	11	11	2026-11-27 19:31:38.920466+00
2	3	3	3	2026-11-27 19:31:38.984134+00
2	4	4	4	2026-11-27 19:31:39.077844+00
2	5	5	5	2026-11-27 19:31:39.276162+00
2	6	6	6	2026-11-27 19:31:39.322789+00
2	7	7	7	2026-11-27 19:31:39.351144+00
2	8	8	8	2026-11-27 19:31:39.435878+00
2	9	9	9	2026-11-27 19:31:39.478176+00
2	10	10	10	2026-11-27 19:31:39.533759+00
2	11	11	11	2026-11-27 19:31:39.575116+00
2	12	12	12	2026-11-27 19:31:39.620866+00
1	12	12	12	2026-11-27 19:31:39.682424+00
1	13	13	13	2026-11-27 19:31:39.75899+00
1	14	14	14	2026-11-27 19:31:40.089073+00
2	13	13	13	2026-11-27 19:31:40.431559+00
1	15	15	19	2026-11-27 19:31:40.490146+00
2	14	14	14	2026-11-27 19:31:40.610852+00
1	16	20	21	2026-11-27 19:31:40.656468+00
1	17	22	23	2026-11-27 19:31:40.687713+00
1	18	24	24	2026-11-27 19:31:40.730815+00
2	15	15	15	2026-11-27 19:31:40.774105+00
1	19	25	29	2026-11-27 19:31:40.81436+00
2	16	16	19	2026-11-27 19:31:40.870699+00
1	20	30	30	2026-11-27 19:31:40.901033+00
2	17	20	20	2026-11-27 19:31:40.933397+00
\.

COPY ujrat.block_seal (book_id, block_no, prev_block_no, journal_root, nodes, leaves, key_id, signature) FROM stdin;
1	1	\N	\\xa64545e0438588c484ab8181c0a11db59b7d6683bd1faa870522a027436884d1	\\x997fc6e5c454af3cf48b01eb21665501bf268e9cb72954a61214fbba14fb9c84	\\xa64545e0438588c484ab8181c0a11db59b7d6683bd1faa870522a027436884d1	69361549f200ab1a	\\xc698354788f635a6a42bdcd7136294ee5b103f890d559ca73565347a3188b0265f4203c1fbf9e558c9376249290c5ffc79c67e83ef588006badf0ba618697a0b
2	1	\N	\\x950f8f87d5dc9a22019f5962c355a58521832ddfa5a9662cc9bf0e1fd5c9a426	\\x119babbd1b99ed6d5feaff73e8c8c46bfe1967e80b35b404f75c0c21c60c8c01	\\x950f8f87d5dc9a22019f5962c355a58521832ddfa5a9662cc9bf0e1fd5c9a426	832be46f2d81736f	\\x6d2bb7e0aaff3f68ac4bda971d43dc1dcaf97d1c308cded97bbad0df38295d63dc12590f9624b48f8be964f02aa71a643053d992e23fe2cd9deefac85fbfa109
2	2	1	\\x6f48da07543047993187d4137ddb78dffa24ebeb9ce4865f3cb7101547c6f50c	\\xc1c4a2f4a54482fd07ad537fccb45db2ecd517590055f25f4d789a396567fbb428a13730ae421567cba7221b3bcc1a2f2623d035b39d0b866a3c6ac2c7eb3125	\\x6f48da07543047993187d4137ddb78dffa24ebeb9ce4865f3cb7101547c6f50c	832be46f2d81736f	\\x33ff27045426ee517fd2ffefa2cbb011cd4d3177bcaadc463a19ae2d0da13f491c3be917040aeeb1126012ff267c2ce88428be30d4bebf183bb357f14114f50f
1	2	1	\\x4195cf6ebbc4465d34b8156e48de874c093e6ab6b1bbe1b50d5e331c6f3a9795	\\x20f4677a44d6af74458dbfeacb015ce44fc4acab35bba395840adb3ba0ec755c3ac237a0ea6ba773047e62e70f845588659cb9a50d49ce03df3b10d7cff4cd95	\\x4195cf6ebbc4465d34b8156e48de874c093e6ab6b1bbe1b50d5e331c6f3a9795	69361549f200ab1a	\\x4f2a85b83d0622592c33d3ba9716e5abb5e492445a353d7b943bfe64bc4c75e6b6a4cb1b0a36f63b03f2cb5c5e208b8bf142188e1a46e509d173a2b5b6f18203
1	3	2	\\xee57e5702fa4376d547bb8a99190e97f813d0cb984ec81fc8ca90c737e18572a	\\x1d862f736dd670bbfaf3ef42435a4fbbf94e14a4eae7f33739c7e5a564c2c331	\\xee57e5702fa4376d547bb8a99190e97f813d0cb984ec81fc8ca90c737e18572a	69361549f200ab1a	\\x78c6d3cffd81baf5b11c8434105b9a47b87c8b4afe65aac52ebc710374ed67a43ffa0da33e5b80ed05e1cf73f0c7680e7a20efb1774b728918c4a00a8937bb00
1	4	3	\\x0aab92cde7a2e55e54c885ffb38b49a3a3c8a26d780d76a88268cd62610751f3	\\x549a2a58faa1e2c1b458a6ed78a11be5dcbd2fb727320ff95f2ccdcc932e78f40e8a65a788bb5ee3d0feb88babdaf2a5ced07e0886cbc0a1455f61791e16b47c161dd01c5521b58cde31c794bed5aa5ce6eedf91295ec68536d1208350aa0fbb	\\x0aab92cde7a2e55e54c885ffb38b49a3a3c8a26d780d76a88268cd62610751f3	69361549f200ab1a	\\x96e52848982bdef730b78edfea78970f69ad26641516623a293650b9c0d8c213c3997794b014bf8223cc2dbdc681daded4ec7de1c5ea90f2b9f94a11226e280a
1	5	4	\\xcfabf8fb24d1dd529bb139b6dc8b30d92d4bb1b537be874e7f8397be0e93cc3f	\\x71b10474abf46544f8bd84a50b37eae7a9d8de164a97979ea15b81192c5187c1	\\xcfabf8fb24d1dd529bb139b6dc8b30d92d4bb1b537be874e7f8397be0e93cc3f	69361549f200ab1a	\\x464acb8b88f70b16cad058651e4e6495fff71b1ba8665192e3f936795b2f396dfeebfdeb616decc55155e4b5f192c79c7f9f03a915a03b8f57fa184cb2fa3008
1	6	5	\\x1b0fd51cbcf217bf0bda69ab227691a4ef0de45124c9c29eafd4ff72cf2fa694	\\xb658b75ec2f50cba01172d2b82e0a5c6fb08a009a3a3efde662d5db2351c9468a91197b45f04cf4ccbef3a0fcae42bab224f6be636ba0bfd5ccf22dc869af64b	\\x1b0fd51cbcf217bf0bda69ab227691a4ef0de45124c9c29eafd4ff72cf2fa694	69361549f200ab1a	\\x85201523f27f1e979c8935ff6fcc826c7a938e8d1d1ec4efcf509532b8961be4b097cb5913d68bd47505c7998e4ec04e3e90bac92c29758fdd7c0e12265ff806
1	7	6	\\x3192aef42a50ee208d6be85bb7ef83d0c86bfad6d88121cb30393ab11b90cac8	\\x72f92a94313296ae7cc5fdd5b4a1bd2b26d629e0d913b391cd46a4885c349f61	\\x3192aef42a50ee208d6be85bb7ef83d0c86bfad6d88121cb30393ab11b90cac8	69361549f200ab1a	\\xe8ea90e3edbd3dd23deb4ebc8493e178c9e2e223150db8d9ed835587ec49f52b693a705c56814e1c6c743d3c667c0284d62c5281dff87eb3dc57865c7b9aec02
1	8	7	\\x7ee5174c2c4ad2fece3ba9250a0cdd53809b22339bd1f2505cc2cf50adf40b96	\\x5e35abaeb5e535c0581bfe65e26a75e37deaf9a2e6c66ad3712752a30014fef42a26021811d90daa2e1addeb4cc626b199bb54614fcc159d9954ed6cbfd29c403466d908a558edcf7dbb1071b03299fe1c499f3e7c0d3a7d172a033c510a94afff9e2cd5f8366403274990f9695b4efc30d1f4d7ff5c9fc35ee900aed6c46ae3	\\x7ee5174c2c4ad2fece3ba9250a0cdd53809b22339bd1f2505cc2cf50adf40b96	69361549f200ab1a	\\x86de4091b1b66e363d5ecceb24364e2f84582818f2c4212c379b6d6d5f387052c493d7d673bfd29729d058d50ce12b99bdaa3db8b0e2a99c7aa844987d7e710b
1	9	8	\\x4ce1d7714dac0969c54b7b56b9577a97d1ca9c2be2a51ddd2781d1d95c5a0cd0	\\x3bf69ff52f5512043db8e4abe8916192e4f098a2450ec4e3f23c1a95cdfc227c	\\x4ce1d7714dac0969c54b7b56b9577a97d1ca9c2be2a51ddd2781d1d95c5a0cd0	69361549f200ab1a	\\x19ed072188199c7589df6598ea909dfd669c31f84a7db395e01e4aa76b67966bf2c14dadf49dbf791046e31edd5a7942c23f442601c5910e4e04a008937a110a
1	10	9	\\xb015cd3ecf5a3195802f4e1a9e378a60c0bb982f8f77da7e203e6d05f2bf8170	\\x07b3024787fc27d76a2f9620f51cb4a9af89eedbcfabf7e5aafbc5ac5d756803ab9757448b165e8715fb41f321d993ad1c6288e32b399e674a9f2ccdc604cc6d	\\xb015cd3ecf5a3195802f4e1a9e378a60c0bb982f8f77da7e203e6d05f2bf8170	69361549f200ab1a	\\x73da37391123cc13b2b5294914424eaa93ddcc33c7913461c8cdc07576bc6fa862e70eb9424ee742277093e2be495b7968d7a83cc7382409a4013d5e3c88dd08
1	11	10	\\x0c7093e76bb4c6099d08864d961ee8383cde2a349d1227c30920ee773fe7eca0	\\xbddb64d1e3575337a889bba5ea703371f675a45e2f6c6408a503f6bde5125627	\\x0c7093e76bb4c6099d08864d961ee8383cde2a349d1227c30920ee773fe7eca0	69361549f200ab1a	\\xed35ca724cb4d2ed0f45f47345e3edaf3c9c84cdf6f7117c4056f6173b90e10af9830c0c374e08a3a8e725a8cb81bb0db0feac68dafc24bf658f3a6a7088a407
2	3	2	\\x7034b332345ad34998b7f03ff9f8ed595328d569b5db4f4bd9bb2e533aeba7a9	\\x9bec9cc3aff6dad342414833f4e0f223d0ac123fa95bf4866678df3e84e69401	\\x7034b332345ad34998b7f03ff9f8ed595328d569b5db4f4bd9bb2e533aeba7a9	832be46f2d81736f	\\x924c1914f4f8a4b5a346905d0e684a88962dbbc99f8861ee8ab84ab2797306b6cd072792eb81043c34f0a61fb89ccdcf56d4f0dc3932ff56cda71ab61d7bce0f
2	4	3	\\x1b86b7dee78ef1224ca4132a2d4ec956b93aeb1431c1e132bedc66d495f47bbe	\\x560c7b32db02c3695586b54fa8cd08917b57c3743207c0b2b259ffd06d611515a00f9a588a8bb675c9063b07bf227e87c3487fad31a3f5fd87e2ccd8b9c6d227cb45212e0d5de3db688d226b984c61acc1581e63915fb6b8fd1ce6935fbff9f4	\\x1b86b7dee78ef1224ca4132a2d4ec956b93aeb1431c1e132bedc66d495f47bbe	832be46f2d81736f	\\x8132a78b0c472ab086c00868adbb881b9fb4d54be2bb34f20db90be833b3aa671f3600ae5823d2e20e40557c0b6bf8c1f0afb752a13208ed019f53d96373570b
2	5	4	\\x35dce728779ee89546db38f1a74f904c4d39a95559c20fae1c24315f57ada280	\\xf20f7bd4add163cc1281edf4a0c1757f60f4d8e5551148de042d02b434bdbda2	\\x35dce728779ee89546db38f1a74f904c4d39a95559c20fae1c24315f57ada280	832be46f2d81736f	\\x3bd5e6245807a1c35931e838556cedb9497115266ef16e71d2d6c46b7a01419e94f744890fc2dbeac1a20d0d315722b87cf8e61c4e0a04bdf5ba4493bcfba003
2	6	5	\\xd6270508f6855c70b8627bdae743a9469405be1eb3025b8f4ab05998ac20859d	\\x3541ad411f991e925c004d703762db96fa24e7fa4159031db8933ae8cd1e9df88022eb792fc5b66bfe8f2d42cf444a929251c14f4fc9a99656405428c0dc15c5	\\xd6270508f6855c70b8627bdae743a9469405be1eb3025b8f4ab05998ac20859d	832be46f2d81736f	\\x752592aa3bcbd00ec6a2dd6d23d04ebfed62bbd0f839becc55537e80afb6e4a67cc8c757ad2053ec4603b8c859ef93f3a0ee582c58c5091a855e30adf300300c
2	7	6	\\x16ee30974321a6a3d82eeb4e7a6156354f7828ac1e5e3063b53b9841fee34782	\\xe8bc02236b4cf10d91d5e6d2a31c7ca44502fa9117748b1d1b5c07bec48b8759	\\x16ee30974321a6a3d82eeb4e7a6156354f7828ac1e5e3063b53b9841fee34782	832be46f2d81736f	\\xc267101ffaa4b08361f21a9dda604e7e790081986fd78f7f2e325b30b593ec86059952d82ef32f69b53e3ddb1b9dc62ddaa0074d4f3973f1e9f583cca9a9f103
2	8	7	\\x9444f85bcb067755f1d5c697a9f97cc84a2b76172a33989215502b7cc5493a4f	\\xb1997f36cc2fd0dd3c90d521e9662fc58d5e7860d7de986fc345deff2657adca8dfa83cce7ae62aefaea0c9a7114fa58234c8e3886612044a34c58479490127d94b796848c2a7f1f8a65e58b8f03e24f2ff6fd5acf4801df00a651a8ea7a63eedfa4e78d978b15895d521e40002b1052fb83efa74ab8f4f443b748423d745f68	\\x9444f85bcb067755f1d5c697a9f97cc84a2b76172a33989215502b7cc5493a4f	832be46f2d81736f	\\x48dbd886ecbb729194a0b4af1cd9503540be646bd33d465fa4d9e64d5bf1baabc814a160c60ff27e38ce35ce343b0953336d79b0d9e9a98895a0ab808ff00b08
2	9	8	\\xa664c3059af13ddfc056857256d6ad32bf1120b7ab0b98026324bbfead0b86d4	\\xcdbe6f7b1fcc738591178739095e49fe0c9def11ed83549f550e910c80cb78dc	\\xa664c3059af13ddfc056857256d6ad32bf1120b7ab0b98026324bbfead0b86d4	832be46f2d81736f	\\x882cee57294e57a36279f63661678d470f1ee67e829377f2218a209f6a19c00d4c76d13fe8fc43a31d4e28cc61b0e38fc2b922972f5ed0a821ccace9859b0e01
2	10	9	\\x087d52e00caf87a62c9de92b051ae22cde5a777b45f0facadf4eed111270b1d1	\\x2973cc6619906715b5af7100b1b94594a3769a4997eb0d138b4653b7bbd14ecf83fd9cf6e3d3d2341fe91e185daa9f2b5bc3c457eb5294f3c6b6538ed371195e	\\x087d52e00caf87a62c9de92b051ae22cde5a777b45f0facadf4eed111270b1d1	832be46f2d81736f	\\xd9c732e181de32af66a9bc30d57c2a49600d68618ba9dbc6c9ade773900d04b4a22b19b5257dad398e70fddc4dee3809dddf3524e4ed1d15eae5da49ce4eda05
2	11	10	\\x1a7d6d82b853085458c9b97c2f5c1f46c0efc999d16f9c8eb3b6e6d4b30d5866	\\x24aea9afdb9491b31e67e40be9003fcd9cb76f454ece4c41458f8c8a295339b1	\\x1a7d6d82b853085458c9b97c2f5c1f46c0efc999d16f9c8eb3b6e6d4b30d5866	832be46f2d81736f	\\xe5b5e079131a1b0a0eed8248ad8855e9404aba08c57dc81b557f6370d769d2d57429b21c63c01c39a246235f931ce42ad6f2464f05434ee43e5e034f6266e805
2	12	11	\\x3935b48bef97879f5b84736dea5ec5e109fe9563cf99b37644115eb2eef3bbea	\\xa6d4af901f1ea3c24d53d9cc08353655fd03426163805971d80c1bb7126178ec245d71d79bcd6ad5acacafaba48b34e6522ba4881da1db522a19b94b2a6e4d5571fe0b340aa27d3a68d723e8b5a6f3af90be5ad93800c26de7e66a9aa0c456a9	\\x3935b48bef97879f5b84736dea5ec5e109fe9563cf99b37644115eb2eef3bbea	832be46f2d81736f	\\xe0b4507a148821bcb35b4b1a351e16e7d52a22e710d5499a343a564d198887c750b5400deeb7e3f0ba58b371ea43ca955da1d7abd19d92c3aa97f2a7e691a60f
1	12	11	\\x9e9fffc5faae3b1b2372f1ddf7f747413674c67708c9417f6b393a67d9c1a6ef	\\x38e8fb6bf0caca4ba2e44378dc3269650dd44b9b9c764198f045f0e098740011e4933701a95fb292e8bd42c8402257368a61db599a6b5ca8ce06a0a5eeb1bb7895f87da4e201994d8bbfd209a31af199818de725327524b388a88922a840c808	\\x9e9fffc5faae3b1b2372f1ddf7f747413674c67708c9417f6b393a67d9c1a6ef	69361549f200ab1a	\\xe76ab0bbbc4437237c57eb5fdc26a12953d9eeaca064ea8bcd52ae39a52138119edb0287a486fd4ddf5ae39fd318e3d81840525842701fa1e0d4529c0b322009
1	13	12	\\xa40063248dedebca24c0f3d97a5b5216754f147ec2e48f59427fe9ec141a206e	\\x2a23d5936eb3967d8ebbceb0a1d9fc5d270accd53a88e191b67c7639cbf43970	\\xa40063248dedebca24c0f3d97a5b5216754f147ec2e48f59427fe9ec141a206e	69361549f200ab1a	\\xa62b44b599cdab91dfd26b2f111eb2efb3f403896a3a158bb4306efed75ec449adcaca6c4ef8ff15097a46568874ec13aa9fc57ab0a392cbb642ef0895914f00
1	14	13	\\x874ca58958ef917138c49b2b3f3eb4342058484451e536431236f2e565290c7d	\\xafb504cec37f0955ae75eaeef6f75d7250ecf06522e927e2de6c821b16638241468a863974a9a41988e9a21eb100babd8d3222aedc2db9046da6d95175046cef	\\x874ca58958ef917138c49b2b3f3eb4342058484451e536431236f2e565290c7d	69361549f200ab1a	\\x0c9ad775f6ce9024aebcb20042bc7184dbabd18ef7b768fc2e4249fdea3637508812e051b68ffb802b39f43aabf83e1ea05a843dba21871907b5da151e2d0801
2	13	12	\\x2a59c62bcfaa89a2e31ff498c5ceb9b614bc7b515f64b621c415a02e8572ea4a	\\x8c714e299f5690dedc80ee6866f4642a91bb20e6922b683a6727bf132d5a1703	\\x2a59c62bcfaa89a2e31ff498c5ceb9b614bc7b515f64b621c415a02e8572ea4a	832be46f2d81736f	\\x1bcf8919b5eef31fe94e092fc765d1d6786b293061a655686b3200a211474262f909d812083ba61d4413af227f805576c968451f499452f16b5063dadaea990b
1	15	14	\\xa0a564853e5e35dca48738b7a3c843819a98534c89d0c8c4237ba15f7a99fb31	\\x50b433f246901190fe47569ae3ddce5e50f64057e922f3e8d68d986145ae662d	\\xea4f372713a7a367948bef1dc93ae4b9acf574c0dd508f2add83e4d47d2e36e3f33b6f18b29665e65fffb37870867f59c5af4025c80f664e6c0650fc80c2b5e5e9a1180e5b6d921d5753a37ed04c2fdc1d68b8c7c35ed5ec6773ce069d2a2575868bad7e73278d9a458abd9525769ac1c39c6f04d5f600f8e89de28cdfd1674ba08401586da2f432a2488ea1b97c010e03984364bcdf82f5c3ff51d909424ac8	69361549f200ab1a	\\xec3961b5e7fcefe423cbbdba03a10517adc5d2f9c13e5685f159c3c994624137f2eb3f16182a70a058cfc257b2298e416e2afdd9bc7a471ca529b9fb1e826207
2	14	13	\\xb9abbed9a330b6f0c8ea4edc8f67777099dbd1b319925588cdd3c8699d958112	\\x418cf1e37744663579492c8f22205b6c163bf7cf4c45dd1494293f01a1f6d54a8db8a117b3b272bace5b3d281611565f338c8bcf29f25ab0ad363a861757125f	\\xb9abbed9a330b6f0c8ea4edc8f67777099dbd1b319925588cdd3c8699d958112	832be46f2d81736f	\\x0d000aa8ec815c25d94346d337ab6d48893a7abaea1798c2ade9f5fe55f3e97cdda800846b281d11f802821c8a5e36587d49bee4d91034e8433cd1f6584e1f09
1	16	15	\\x78d74c74c7e60ac87f02e55d3203ff129e77655a18fc47e4f441e166d307af94	\\xf8bd98f2080451c15045835c0578f0d7904f66e7bb7b078d38019a4ab51f936903a786f4020d7c7211f75bc01691c6c3fa09260ecae775f46c9b68a2d751308c4aea36984f6e142998e0acaf204c0d5cc44906d79e85b776773e7339c666f101bb35b3800ca44c1b37679c5adbd9b8714d26735c363c8403dfba39ae43b7e5168caaaa91bd17f5ced018969fc115c0edb688ec1b533adbc991e5e8e2f2d33975	\\x1fc6e46b6cde000e7cea6cacde0e7dfa768df6e2af407680cc3aae4dc7687e5990b2796d275dd067313bd10b9083061da231338e6923d942c7f152b215d89917	69361549f200ab1a	\\x41d72d677019cd64d96854d32c1a5d474a891a7b84a7c12d25256fbda2b3a3776cc141214e223a316ab23dcc5fa046c6efb539053d2288341a5faf509244200e
1	17	16	\\xcb6d153981e95d3a6abbed78266b2e3397c1731fe400f159b6fc09a0f8a8deb7	\\xcb9531781cf1f2957ea6854dfb093dac1e1d71d46234c19b2bee1f7390dfebbf	\\xc2fa96a897f4f654a90a9e81690a20e22705f6c122c2c99600f2a981beb255e2e8b2bf99409a79e0f60ebe32111cdb2de42abcbf7303e94327fe4bbeaa2a6ba0	69361549f200ab1a	\\x8cca0112e20ef7b00bc4e2c564cc7f99b368b3271726643547a5e9427b58a4712411908ff388c579fda507e88672f8d338e776b00d73d78780848cad7e9a7b09
1	18	17	\\xa862747a6a32aa5c2614f58e0532aacf2bdc466070c64d417e82349846b7f1e2	\\x0bc1c6f15fdea9a2b3cd22a2a566e717a4cc3875eaa763b5750c0a1e2c93c43d33f60a4cedbe8e7704caf884264cff94b406e2589361fe5ffbe8a78aeebccfaa	\\xa862747a6a32aa5c2614f58e0532aacf2bdc466070c64d417e82349846b7f1e2	69361549f200ab1a	\\x9b54570367c565ff41882a08fb545fe8b7692765c13070d79b72ee8edac31f7a27292f6a56083b025fcc4288e67b0b602af7a1b9c8617a3668a98f9875899f0c
2	15	14	\\x269f30d6e417222c8339a15794257bff657c867b592464d2bc6360f41704993a	\\x9c9c507096d7e259a4180320ae6a30a82085d39f7082e5748888d0215e65e9fb	\\x269f30d6e417222c8339a15794257bff657c867b592464d2bc6360f41704993a	832be46f2d81736f	\\x49be1afe31ef8e627047424f6c055ee8700e15baa2687b570b1c0afcb7219df8128b62c6d30fcf55868eff8e31df9a56d674dfebcc815d92457cc2072c7bd909
1	19	18	\\xf82150d3b4b2fa1f9282f633805676084cb5038f5be4a89baaebdb512096263c	\\xc8ee98bb5cf99547113580c812ea91a1c4a9dff0c8204702d3660fc1fbe561a9	\\x5cf23ad94245c8cf449f01544acc27e03f97b52ee24b2689827716abe7f3ddd44628633e7551b76ff11b99f07856247c2caa65346b1ad40dbecf4cfd11b5a979518ebe12b76a33eea17d60edca368b86ff768f8b8a5ef89687aaf08ebdfd69a02f21d0e2f0b0caa1403f29b704cef9f1f66b9b244281ebe693d8ee9f38d6df7dbedd268de64695ef91bd96791e60f3e9bcb8d19f3f3a48f9249f7a4ee05c3675	69361549f200ab1a	\\xfa9fee2979dfacbd7dfdc21f4ad0e712824a4449d51282fb1202658f7cecf8584809451cca3a69976827a0bd02835927f41036b83a2f859c771dfe4ef665f903
2	16	15	\\x4b61c37d24322e29f3c5bd78e6a1519b6691fc6d1252cdea567cb3b8cc305e2e	\\x658cc0df9400ea824d97ad4ed938450934fdeac4bb6f2fda3b25feee045a0eb861da0c99db6e226f1f04e53dbbfac46855b98e63eb29f8e163bc5cca7b3eb32cfda562a1903977b13e38e43146e4f4646366d4bfb4ca7dc29418b0bfe219d7f58cf4ef4b323c626b4cec22074b1626f44cbe6918f55e2af24ed8b54ca75ba9288eb9bc20d3330dc5c20faea6e644029abe1e003b46701ffebb3d22e7831954b3	\\xff969208f3bbcfb33be4d75e1dff6cf62e463915e41ee4967b6d58a3b31b06a11c9e0fda414dc4ac29ccaa0fdfe33cc219f831b07c8bc3d1c00fbd070d78991438e8020635b44d8d71dec51c4e4c4762d5fbec8a2f58a3e88f96d4b3383098d38e6748ab221242565d98b43858b8e05a5f030ae4130a26aea1ea5e4875d4c01d	832be46f2d81736f	\\x8163765b418d28860ec9d5c2a7f23aff3a44aa1310178f0ea36575c4a7f89a37d5b5ff30a50b3eea759ff62f90e1379d33191f345b09f669e7e1cc9d57e6b902
1	20	19	\\xd27f9c7e761b69ec46b2a9e8cff26d3d69c4ab78713f809743ce39cc96337e31	\\x11632d1095e8f6b245ca3e44341e52b960121a0c811d3d09392061da396dc47ba9e450604f295fddf3b9d54d4ec85d842d6a8720b8bd5b9df6c8f650e1e11cb52d08b01515c7e12a649026f4cf418d58d62fefd06040c77ab8f8694d9d98c94a	\\xd27f9c7e761b69ec46b2a9e8cff26d3d69c4ab78713f809743ce39cc96337e31	69361549f200ab1a	\\xcf6c36d3d454e77b88f692b8a6eee0871517d10af8be0fd6cf5935cdec32a5991a684e6f421fbe65c79f6057c355da25c16dd3226d79854da39a0bc49919c507
2	17	16	\\x4b8cb8247db8b643f15083d6944cca1541097a77cc71f41857c0bb5796d309d5	\\x812bcdcb5c2a3cb87d47f5c915d1b9331b9e9187b6ffeeb073764e27c01d08c2	\\x4b8cb8247db8b643f15083d6944cca1541097a77cc71f41857c0bb5796d309d5	832be46f2d81736f	\\x5ca0022e8ebf4e693d58a3743f612a11ef4e27134a2efce991c0a62b5c2d41bd2282917945e4cfe5b1aa6bead17f764a9b3d6a549c46ccb39c228ef1b465170a
\.

COPY ujrat.book (book_id, code, name, created_at) FROM stdin;
1	p1	p1	2026-11-27 19:31:24.600067+00
2	p3	p3	2026-11-27 19:31:32.816286+00
\.

COPY ujrat.book_head (book_id, next_seq, next_block, last_commit_at) FROM stdin;
1	31	21	2026-11-27 19:31:40.901033+00
2	21	18	2026-11-27 19:31:40.933397+00
\.

COPY ujrat.currency (ccy, code, digits) FROM stdin;
784	AED	2
971	AFN	2
8	ALL	2
51	AMD	2
973	AOA	2
32	ARS	2
36	AUD	2
533	AWG	2
944	AZN	2
977	BAM	2
52	BBD	2
50	BDT	2
48	BHD	3
108	BIF	0
60	BMD	2
96	BND	2
68	BOB	2
984	BOV	2
986	BRL	2
44	BSD	2
64	BTN	2
72	BWP	2
933	BYN	2
84	BZD	2
124	CAD	2
976	CDF	2
947	CHE	2
756	CHF	2
948	CHW	2
990	CLF	4
152	CLP	0
156	CNY	2
170	COP	2
970	COU	2
188	CRC	2
192	CUP	2
132	CVE	2
203	CZK	2
262	DJF	0
208	DKK	2
214	DOP	2
12	DZD	2
818	EGP	2
232	ERN	2
230	ETB	2
978	EUR	2
242	FJD	2
238	FKP	2
826	GBP	2
981	GEL	2
936	GHS	2
292	GIP	2
270	GMD	2
324	GNF	0
320	GTQ	2
328	GYD	2
344	HKD	2
340	HNL	2
332	HTG	2
348	HUF	2
360	IDR	2
376	ILS	2
356	INR	2
368	IQD	3
364	IRR	2
352	ISK	0
388	JMD	2
400	JOD	3
392	JPY	0
404	KES	2
417	KGS	2
116	KHR	2
174	KMF	0
408	KPW	2
410	KRW	0
414	KWD	3
136	KYD	2
398	KZT	2
418	LAK	2
422	LBP	2
144	LKR	2
430	LRD	2
426	LSL	2
434	LYD	3
504	MAD	2
498	MDL	2
969	MGA	2
807	MKD	2
104	MMK	2
496	MNT	2
446	MOP	2
929	MRU	2
480	MUR	2
462	MVR	2
454	MWK	2
484	MXN	2
979	MXV	2
458	MYR	2
943	MZN	2
516	NAD	2
566	NGN	2
558	NIO	2
578	NOK	2
524	NPR	2
554	NZD	2
512	OMR	3
590	PAB	2
604	PEN	2
598	PGK	2
608	PHP	2
586	PKR	2
985	PLN	2
600	PYG	0
634	QAR	2
946	RON	2
941	RSD	2
643	RUB	2
646	RWF	0
682	SAR	2
90	SBD	2
690	SCR	2
938	SDG	2
752	SEK	2
702	SGD	2
654	SHP	2
925	SLE	2
706	SOS	2
968	SRD	2
728	SSP	2
930	STN	2
222	SVC	2
760	SYP	2
748	SZL	2
764	THB	2
972	TJS	2
934	TMT	2
788	TND	3
776	TOP	2
949	TRY	2
780	TTD	2
901	TWD	2
834	TZS	2
980	UAH	2
800	UGX	0
840	USD	2
997	USN	2
940	UYI	0
858	UYU	2
927	UYW	4
860	UZS	2
926	VED	2
928	VES	2
704	VND	0
548	VUV	0
882	WST	2
396	XAD	2
950	XAF	0
951	XCD	2
532	XCG	2
952	XOF	0
953	XPF	0
886	YER	2
710	ZAR	2
967	ZMW	2
924	ZWG	2
\.

COPY ujrat.float_deposit (book_id, reference, ccy, amount, seq) FROM stdin;
1	d-2	840	5000000	1
2	d-4	840	2000000	1
2	d-5	392	500000	2
\.

COPY ujrat.handout (book_id, bank_id, last_payout_id, prev_payout_id, seq) FROM stdin;
1	54	6	0	14
2	54	7	0	13
1	53	12	0	24
2	53	12	0	15
\.

COPY ujrat.journal (seq, block_no, payout_id, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail) FROM stdin;
1	1	\N	\N	1	6	8	{8,7}	{840,840}	{5000000,-5000000}	d-2
1	1	\N	\N	2	6	8	{8,7}	{840,840}	{2000000,-2000000}	d-4
2	2	\N	\N	2	6	8	{12,11}	{392,392}	{500000,-500000}	d-5
2	2	2	\N	1	5	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10000,-100,-9900,2751816,-41277,-2710539}	\N
3	3	3	\N	1	5	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10111,-100,-10011,2782670,-41740,-2740930}	\N
4	4	4	\N	1	5	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10222,-100,-10122,2813523,-42202,-2771321}	\N
5	5	5	\N	1	5	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10333,-100,-10233,2844377,-42665,-2801712}	\N
6	6	6	\N	1	5	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10444,-100,-10344,2875231,-43128,-2832103}	\N
7	7	7	\N	1	5	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10000,-100,-9900,2751816,-41277,-2710539}	\N
8	8	8	\N	1	5	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10111,-100,-10011,2782670,-41740,-2740930}	\N
9	9	9	\N	1	5	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10222,-100,-10122,2813523,-42202,-2771321}	\N
10	10	10	\N	1	5	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10333,-100,-10233,2844377,-42665,-2801712}	\N
11	11	11	\N	1	5	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10444,-100,-10344,2875231,-43128,-2832103}	\N
3	3	3	\N	2	7	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10000,-100,-9900,2751816,-41277,-2710539}	\N
4	4	4	\N	2	7	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10111,-100,-10011,2782670,-41740,-2740930}	\N
5	5	5	\N	2	7	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10222,-100,-10122,2813523,-42202,-2771321}	\N
6	6	6	\N	2	7	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10333,-100,-10233,2844377,-42665,-2801712}	\N
7	7	7	\N	2	7	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{10444,-100,-10344,2875231,-43128,-2832103}	\N
8	8	8	\N	2	7	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10000,-100,-9900,2751816,-41277,-2710539}	\N
9	9	9	\N	2	7	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10111,-100,-10011,2782670,-41740,-2740930}	\N
10	10	10	\N	2	7	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10222,-100,-10122,2813523,-42202,-2771321}	\N
11	11	11	\N	2	7	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10333,-100,-10233,2844377,-42665,-2801712}	\N
12	12	12	\N	2	7	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{10444,-100,-10344,2875231,-43128,-2832103}	\N
12	12	12	\N	1	5	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{4321,-100,-4221,1173274,-17599,-1155675}	\N
13	13	12	12	1	5	7	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{-4321,100,4221,-1173274,17599,1155675}	\N
14	14	\N	\N	1	3	2	{}	{}	{}	\N
13	13	\N	\N	2	3	2	{}	{}	{}	\N
15	15	2	\N	1	3	3	{5,6}	{586,586}	{2710539,-2710539}	\N
16	15	3	\N	1	3	3	{5,6}	{586,586}	{2740930,-2740930}	\N
17	15	4	\N	1	3	3	{5,6}	{586,586}	{2771321,-2771321}	\N
18	15	5	\N	1	3	3	{5,6}	{586,586}	{2801712,-2801712}	\N
19	15	6	6	1	3	4	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{-10444,100,10344,-2875231,43128,2832103}	\N
14	14	3	3	2	3	4	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{-10000,100,9900,-2751816,41277,2710539}	\N
20	16	2	15	1	3	5	{5,6}	{586,586}	{-2710539,2710539}	\N
21	16	2	2	1	3	6	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{-10000,100,9900,-2751816,41277,2710539}	\N
22	17	3	16	1	3	5	{5,6}	{586,586}	{-2740930,2740930}	\N
23	17	3	3	1	3	6	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{-10111,100,10011,-2782670,41740,2740930}	\N
24	18	\N	\N	1	4	2	{}	{}	{}	\N
15	15	\N	\N	2	4	2	{}	{}	{}	\N
25	19	7	\N	1	4	3	{3,4}	{586,586}	{2710539,-2710539}	\N
26	19	8	\N	1	4	3	{3,4}	{586,586}	{2740930,-2740930}	\N
27	19	9	\N	1	4	3	{3,4}	{586,586}	{2771321,-2771321}	\N
28	19	10	\N	1	4	3	{3,4}	{586,586}	{2801712,-2801712}	\N
29	19	11	\N	1	4	3	{3,4}	{586,586}	{2832103,-2832103}	\N
16	16	8	\N	2	4	3	{3,4}	{586,586}	{2710539,-2710539}	\N
17	16	9	\N	2	4	3	{3,4}	{586,586}	{2740930,-2740930}	\N
18	16	10	\N	2	4	3	{3,4}	{586,586}	{2771321,-2771321}	\N
19	16	11	\N	2	4	3	{3,4}	{586,586}	{2801712,-2801712}	\N
30	20	30	\N	1	5	1	{7,9,10,1,2,5}	{840,840,840,586,586,586}	{9999,-100,-9899,2751538,-41273,-2710265}	\N
20	17	20	\N	2	7	1	{7,9,10,1,2,3}	{840,840,840,586,586,586}	{8888,-100,-8788,2442723,-36640,-2406083}	\N
\.

COPY ujrat.journal_kind (kind, name) FROM stdin;
1	PAYOUT_ACCEPTED
2	PAYOUTS_INSTRUCTED
3	PAYOUT_SETTLED
4	PAYOUT_REJECTED
5	SETTLEMENT_REVERSED
6	PAYOUT_RETURNED
7	PAYOUT_CANCELLED
8	FLOAT_DEPOSITED
9	ADJUSTMENT
\.

COPY ujrat.log_key (book_id, from_block, key_id, public_key, created_at, signed_by, signature) FROM stdin;
1	1	69361549f200ab1a	\\x7867789c39d8ebc671c09c876007cfcf37442faf17676ba73e5505a084e67853	2026-11-27 19:31:27.770064+00	69361549f200ab1a	\\xf3fe5ccd0142840e06301dd6880061f5381a881d2670586f6b9e5ce366ab435b56cee5faaa1a884334be9eb0a4942009ea78a047f48375febf8eb510f2171d02
2	1	832be46f2d81736f	\\x629bcd83e9568c7f284865f82b24c214f7ccaa46be749aee9aaf4bdc8fdee68e	2026-11-27 19:31:37.874172+00	832be46f2d81736f	\\x7736bd306f50ad9d8d331a72c43a2a74df6de4eed62596793f36fee6c33615c8f993d9e3a5cb8af9e9568e0c3dbef70029b76f31023a4c41e885498876a09b02
\.

COPY ujrat.payout (payout_id, beneficiary_id, gross, fee, mid_rate_e10, mid_value, margin, net, quote_id, book_id, rate_id, beneficiary_version, margin_bps, src_ccy, dst_ccy, bank_id, digit_shift, fingerprint, reference, info) FROM stdin;
2	1	10000	100	2779612000000	2751816	41277	2710539	\N	1	1	1	150	840	586	54	0	\\xeb731bae299ff3148a4c6124a2bf0752	r-9	\N
3	1	10111	100	2779612000000	2782670	41740	2740930	\N	1	1	1	150	840	586	54	0	\\xc8215006cd57dc7115a820b784440769	r-10	\N
4	1	10222	100	2779612000000	2813523	42202	2771321	\N	1	1	1	150	840	586	54	0	\\x959f067d54e13407d0550f6a2c2848a3	r-11	\N
5	1	10333	100	2779612000000	2844377	42665	2801712	\N	1	1	1	150	840	586	54	0	\\x7f49bb55ee9e305854e724d018f875d6	r-12	\N
6	1	10444	100	2779612000000	2875231	43128	2832103	\N	1	1	1	150	840	586	54	0	\\xdf2c4f00302a8337d96ab2e576391dfe	r-13	\N
7	2	10000	100	2779612000000	2751816	41277	2710539	\N	1	1	1	150	840	586	53	0	\\x0a67ac3122548e49d152c9cfc00810a9	r-17	\N
8	2	10111	100	2779612000000	2782670	41740	2740930	\N	1	1	1	150	840	586	53	0	\\x1d30942acdd4153d6f014ae84a6e02c6	r-18	\N
9	2	10222	100	2779612000000	2813523	42202	2771321	\N	1	1	1	150	840	586	53	0	\\xbb7bda3d85569a4da0e2eee3aa13a7a2	r-19	\N
10	2	10333	100	2779612000000	2844377	42665	2801712	\N	1	1	1	150	840	586	53	0	\\x658d5fc9a5e50cfbbb78151b9b10d8f0	r-20	\N
11	2	10444	100	2779612000000	2875231	43128	2832103	\N	1	1	1	150	840	586	53	0	\\x631803c01b402a4cad9a90033e881fd0	r-21	\N
3	1	10000	100	2779612000000	2751816	41277	2710539	\N	2	1	1	150	840	586	54	0	\\xd29896031d689a8f974c0514af89f609	r-25	\N
4	1	10111	100	2779612000000	2782670	41740	2740930	\N	2	1	1	150	840	586	54	0	\\x56bd4ae6fd08eb14827c6c0a5bfa0f94	r-26	\N
5	1	10222	100	2779612000000	2813523	42202	2771321	\N	2	1	1	150	840	586	54	0	\\x0f12e7513dd19c8be71726b3420c6237	r-27	\N
6	1	10333	100	2779612000000	2844377	42665	2801712	\N	2	1	1	150	840	586	54	0	\\xf3f4deea8bee19e258ab20cb1ef523b9	r-28	\N
7	1	10444	100	2779612000000	2875231	43128	2832103	\N	2	1	1	150	840	586	54	0	\\x8a5fd082566799f67a8fa5b49c29107c	r-29	\N
8	2	10000	100	2779612000000	2751816	41277	2710539	\N	2	1	1	150	840	586	53	0	\\xbe7253970d446a156d3d84bb8dff765a	r-33	\N
9	2	10111	100	2779612000000	2782670	41740	2740930	\N	2	1	1	150	840	586	53	0	\\xd425aea11554b81b3a5d6ab18ce0c9f2	r-34	\N
10	2	10222	100	2779612000000	2813523	42202	2771321	\N	2	1	1	150	840	586	53	0	\\x49947206047aebcb6b3efd0d5b326dc2	r-35	\N
11	2	10333	100	2779612000000	2844377	42665	2801712	\N	2	1	1	150	840	586	53	0	\\x849dcfadd652102c11557628d553a960	r-36	\N
12	2	10444	100	2779612000000	2875231	43128	2832103	\N	2	1	1	150	840	586	53	0	\\x1877e0074603d4bf287fff2878d2616b	r-37	\N
12	3	4321	100	2779612000000	1173274	17599	1155675	\N	1	1	1	150	840	586	53	0	\\x2b2181d6cf7f744bf761cf033441eaac	r-41	\N
30	4	9999	100	2779612000000	2751538	41273	2710265	\N	1	1	1	150	840	586	54	0	\\x8d521718e3464207ee8ac5f83cedc5f3	r-59	\N
20	3	8888	100	2779612000000	2442723	36640	2406083	\N	2	1	1	150	840	586	53	0	\\xe278cb4ea33bc2c9e1d0b255215d8d73	r-62	\N
\.

COPY ujrat.payout_transition (book_id, payout_id, step, state, seq, reason_code, bank_reference, tax_withheld, eprc_number) FROM stdin;
1	12	1	7	13	\N	\N	\N	\N
1	2	1	4	15	\N	BR-42	17	EPRC-1
1	3	1	4	16	\N	BR-43	17	EPRC-1
1	4	1	4	17	\N	BR-44	17	EPRC-1
1	5	1	4	18	\N	BR-45	17	EPRC-1
1	6	1	5	19	AC04	\N	\N	\N
2	3	1	5	14	AM04	\N	\N	\N
1	2	2	6	21	AC04	RT-46	\N	\N
1	3	2	6	23	AC04	RT-47	\N	\N
1	7	1	4	25	\N	BR-48	\N	\N
1	8	1	4	26	\N	BR-49	\N	\N
1	9	1	4	27	\N	BR-50	\N	\N
1	10	1	4	28	\N	BR-51	\N	\N
1	11	1	4	29	\N	BR-52	\N	\N
2	8	1	4	16	\N	BR-53	\N	\N
2	9	1	4	17	\N	BR-54	\N	\N
2	10	1	4	18	\N	BR-55	\N	\N
2	11	1	4	19	\N	BR-56	\N	\N
\.

COPY ujrat.pii_erasure (book_id, beneficiary_id, erased_at, erased_by, reason, versions) FROM stdin;
\.

COPY ujrat.principal (principal_id, uri, role, book_id, bank_id, enabled, created_at) FROM stdin;
1	ujrat://auditor/demo	auditor	\N	\N	t	2026-11-27 19:31:04.530272+00
2	ujrat://operator/demo	operator	\N	\N	t	2026-11-27 19:31:05.21173+00
3	ujrat://bank/ZTBL	bank	\N	54	t	2026-11-27 19:31:09.487119+00
4	ujrat://bank/WMBL	bank	\N	53	t	2026-11-27 19:31:15.233436+00
5	ujrat://platform/p1	platform	1	\N	t	2026-11-27 19:31:24.668286+00
6	ujrat://system/cli	system	\N	\N	t	2026-11-27 19:31:26.340693+00
7	ujrat://platform/p3	platform	2	\N	t	2026-11-27 19:31:32.833639+00
\.

COPY ujrat.quote (book_id, quote_id, request_id, fingerprint, src_ccy, dst_ccy, digit_shift, rate_id, gross, fee, mid_rate_e10, mid_value, margin_bps, margin, net, principal_id, created_at, expires_at) FROM stdin;
\.

COPY ujrat.rate (rate_id, ccy, pkr_e10) FROM stdin;
1	32	1884000000
1	36	1939335000000
1	48	7372877000000
1	50	22548000000
1	124	1980627000000
1	144	8271000000
1	156	410139000000
1	208	425372000000
1	344	354513000000
1	356	28851000000
1	360	155000000
1	392	17121000000
1	398	5906000000
1	410	1872000000
1	414	9039388000000
1	458	680777000000
1	484	159245000000
1	512	7219395000000
1	554	1622320000000
1	578	287357000000
1	634	762373000000
1	643	35315000000
1	682	740174000000
1	702	2154070000000
1	710	168691000000
1	752	287850000000
1	756	3443310000000
1	764	82702000000
1	784	756769000000
1	826	3739689000000
1	840	2779612000000
1	949	59106000000
1	978	3179876000000
1	986	545423000000
\.

COPY ujrat.rate_sheet (rate_id, source, sheet_date, as_of, imported_at, file_name, file_sha256, author, refused) FROM stdin;
1	SBP-M2M	2026-07-17	2026-07-17 19:00:00+00	2026-11-27 19:31:03.469373+00	sbp_m2m_2026-07-17.csv	\\x9aa87c4864b2c10715e8f1c7c8fd4b276c95c44341498e963cbf0ea61d7cd8c8	operator	\N
\.

COPY ujrat.schema_migration (version, name, sha256, applied_at) FROM stdin;
1	ledger	\\x0a13f30730387815c4efe265f33db68b207b81eb69d9e8838e83462c30cc1109	2026-11-27 19:30:54.902978+00
2	log	\\xcbff4cc6744ce74fa1050b7f38e416ce91e413c06c04e02bd694cea5a5f74c8b	2026-11-27 19:30:55.222653+00
3	personal_data	\\x1fb845b09fdc45a612addcd6d60ef9a6163cac30cade627adeae49cdc5af7c85	2026-11-27 19:30:55.434481+00
0	functions, views and grants	\\x460e913b2d455d4985e20a448d5a9b809799e48c271a3f62d71ae98442ab73e6	2026-11-27 19:30:56.538834+00
\.

COPY ujrat.tariff (book_id, ccy, valid_from, margin_bps, fee_fixed, fee_bps, fee_min, fee_max, gross_max, author) FROM stdin;
1	840	2026-11-27 19:31:24.887636+00	150	50	25	100	5000	2000000	operator
2	840	2026-11-27 19:31:33.05463+00	150	50	25	100	5000	2000000	operator
2	392	2026-11-27 19:31:35.540847+00	149	55	30	60	9000	30000000	operator
\.

COPY ujrat.tree_head (book_id, tree_size, root, signed_at, key_id, signature) FROM stdin;
1	1	\\x997fc6e5c454af3cf48b01eb21665501bf268e9cb72954a61214fbba14fb9c84	2026-11-27 19:31:28.87023+00	69361549f200ab1a	\\x4670ff1e6829a4ee3703e1cd3d77330099c14e40389f0b5c80cba56ccb540849035980dadd550281723480ea416f2a39dcaeacbdec43fe2451b959ae9242b700
2	2	\\x28a13730ae421567cba7221b3bcc1a2f2623d035b39d0b866a3c6ac2c7eb3125	2026-11-27 19:31:38.520405+00	832be46f2d81736f	\\xa0bc1a48844c21eede0e542a3e7b2addf7d3d93921bda4980b561596d4a3c41f5d88f13148048b23cc9b8b74b1f02906e2cb1c7c1cc20f0d27f10791c8d26208
1	2	\\x3ac237a0ea6ba773047e62e70f845588659cb9a50d49ce03df3b10d7cff4cd95	2026-11-27 19:31:38.591995+00	69361549f200ab1a	\\x42e0e17786fc47cb350f356f195ef4fa633de94cad9a8deab4190495caf5658e8ea85080d5fc8e0db587cda4c96d066ad6185fdaccf5564d27b16bb0c3e29308
1	3	\\x5ce3a8f04d7c34510a88db44fbe0ab2e898402e600f071f26578f1ec2c491a74	2026-11-27 19:31:38.678689+00	69361549f200ab1a	\\xf91af7a65f9c6920ae6f8821a1b92577b9affbce2159548d5a9fa70f359157b678075d0754c7e26be5cfb9fc68ea1f468c8658deb706014cd431fc4f00fc0f09
1	4	\\x161dd01c5521b58cde31c794bed5aa5ce6eedf91295ec68536d1208350aa0fbb	2026-11-27 19:31:38.718059+00	69361549f200ab1a	\\x82ab1400a21a53bc5a8c6db390ece93c1019cdb99861ae9586eeaa8668c885065dbf86dc9b57122f42c92b3bba77bc0623c00f84f372c861881765c62d48e400
1	6	\\xc0af8eb8c9882fb34ebab3e757e072fc3194824e451ea5cd7d8e92782cf382cd	2026-11-27 19:31:38.755863+00	69361549f200ab1a	\\xa1fd3054339cde78437c62964d8aece095adcbae5ab3a7af80ebf75b4753c1f8ad34be28a199bbd631d847c3dc96c3ee833d82c245e75d294a3fb75f7ab0d90f
1	7	\\xfa52d5c7fb07ec7839ea4e37279fe438ac6a3da94d8842ef8f5771e75ae41ea5	2026-11-27 19:31:38.829994+00	69361549f200ab1a	\\xf2ab949359f26c0676ba961fdf3b6deb824618ef1f0e4bf68c9d9a45a365a882d630961934168c40ea481313c935a2a4c11f57e86cf416179ab3ce3a2684c606
1	8	\\xff9e2cd5f8366403274990f9695b4efc30d1f4d7ff5c9fc35ee900aed6c46ae3	2026-11-27 19:31:38.878494+00	69361549f200ab1a	\\x6e8b4c10262e4db298b4f31deccc1eea9347871eac3839163944e3ecfd6b5d089a011edae9d884f87dc2f0fe5cf97df6c19a658228711810cf58fad969981506
1	10	\\x2e8e5cec6294fb9cd474d276ee71a42b2926a1aab07d5413e2279aee4f050457	2026-11-27 19:31:38.926285+00	69361549f200ab1a	\\xd13596fa410584ce23dbbd9b97dd62149dcfd2273b91480622ecad088e5ed5dd667dd08dff3d14bcb3237be00f5e4435eaea37c94df8b30fdfcc93a73c821400
1	11	\\x945e8707e59b7e61aafe17bd2b3d3541d5ca0694360a9e5eea07cf8782a22fc9	2026-11-27 19:31:38.998097+00	69361549f200ab1a	\\x23585352e1f471b1a4258733ac68de7dcb8e4a1f1dc925274f8d1070a1d883f639af3b75d01bff9be08a289709c89b7ff8a2ccbb56d213002176ad75987cd504
2	3	\\x3d1b6ae97097b06e5c5243b949c5239878c0f1f55470573bc1933e0a38c3aa72	2026-11-27 19:31:39.031732+00	832be46f2d81736f	\\x0f9be1ad4e8ccbbe75e3a8cf51abd85cd0d83ed438f76877ba848dee01b4d479535f7f92476e29352aa5b83bbf7537bc129df532e1f708f657236ad049700a05
2	4	\\xcb45212e0d5de3db688d226b984c61acc1581e63915fb6b8fd1ce6935fbff9f4	2026-11-27 19:31:39.291671+00	832be46f2d81736f	\\x05277738aa481d58d3506c60182c9888c504fe7af9f72d8683a747e900e274e731c4d61378cf4c30e6fc678a872bb77a6d89effda1e963529481e906cfb1fe05
2	5	\\x6d9895bedeb4e3382556da73cf193581beff9104a57eb09e3bd88f826a4c6505	2026-11-27 19:31:39.3381+00	832be46f2d81736f	\\x96c8badba1188a961b6a38ff0b8f6182fbd95681101c4ae3dab82c11fc153d1427244aad55363cbf6e8921b2d8572b28f04089fa278c0e4d14ef737f809b670a
2	6	\\x04254d2f618f4caf0f5767feca96c18f962d83b94cba65cd6d1779aa26b226ee	2026-11-27 19:31:39.376408+00	832be46f2d81736f	\\x0492cd9db1a56676b1bbceced77f1bf9ae63c6cd21569568d45e906616cb78d02c96d1b82694845351486a340769c33c820dce8c3d58128ad7fb0cd87230f30e
2	7	\\x04c51a4813f8fc38c1c71b20353e1f6fbe62b3086f6ef954a74994ce1116dd84	2026-11-27 19:31:39.418069+00	832be46f2d81736f	\\xb6822d99b55800949e53aaa5227e87ec9367137a536437646b641743d911fd1600de95eeb20cd0d688d81ac3dcddc76f89d7861d6352d177b1e76aadec039400
2	8	\\xdfa4e78d978b15895d521e40002b1052fb83efa74ab8f4f443b748423d745f68	2026-11-27 19:31:39.46792+00	832be46f2d81736f	\\xcbc1685342918b70693ac83ba6c7d309ae40bb6169449fadbd9c929dba3532f1a8fd96e7eec3c5d56310ad9122abb24cdbfdd65b07eae3f49b2345ddbc007f07
2	9	\\xb6951bae294592bf57ab5712b0dd9b245aa032e798241e169ac701188fdecb4d	2026-11-27 19:31:39.53321+00	832be46f2d81736f	\\xead3ba4fe6478bc49ec4c80b72b4c51f7fbacfce4d4abb7c7f616e258ff2bc0b1f35a9bfa3fb26fba786180ff9a66ee444bcad3193e0939452f7382f9d08ca04
2	10	\\xd7f1a2c0e0ad1590fa10bf4cd5d633155a4b5bf868773e6e49c2f238ae76fc61	2026-11-27 19:31:39.584355+00	832be46f2d81736f	\\x4a274dd22154af91deb38a005ef9f8d1ef53517bd60a97557412349adb2d717a2cffcda5b476a02f6efdbeff312a09446e7d0206967cf47493c42d5ae5ee700a
2	11	\\x2e168e549ab0b4f09e96d81cc5ad561ed3c1bcd2d2dc4e520ff8b086ff094135	2026-11-27 19:31:39.618666+00	832be46f2d81736f	\\x1b246169fca5e1d026665d7ec483fa8183feaf667b6c6cb5b1ee519253c6ae60ea332004d750a418a4488d4d62599961c57bd70f273195634bcedff645525409
2	12	\\x2734e1da3f02b7585dc6acfc734195562c142cb93925c280424591dca6bab5d3	2026-11-27 19:31:39.670932+00	832be46f2d81736f	\\xebee2759b36407970aa53bf47afb1d4fea3d22629bbb258d3037fdf1b78f910b8c09a75329932c7d7a952a8c7245c3c55f4fd3e38d3133e9efd1e4b08a517802
1	12	\\x59eaf490ea72cdace49efee15888491f30e4f94aa55b5f7ff698bd37de4507ea	2026-11-27 19:31:39.718547+00	69361549f200ab1a	\\xa14d139b0e416f97461f5e71455aebdfe5f81aaeb69f2184641c43b11b9b36a85dc0ffe4160a60005b4ec8a31bcb1af15d5b29a114be24e1ea125590d257670d
1	13	\\x93096bc5d8ec1a9b533749830a87c79e538c3601e6812ecc036a9418a2c3cec0	2026-11-27 19:31:39.811854+00	69361549f200ab1a	\\x1ae6668d7d27c36adaeb02085ccb37d3cac8350e2964882483a6449fb7349954abf8d12dfc3e36d6690cb39ddb1e4c93758f290b52b9dbf66efb8eff92b10f00
1	14	\\x948fbceb7f543d8c65649d741311bd4185cdaa2f80626ed9f4f364631e070ead	2026-11-27 19:31:40.158298+00	69361549f200ab1a	\\xa8495f82816530b40ef4d69035d9551084731e71e26aff2b855698aac426f676af7988abfd6a84d74464b903aa8d490d21526a6d6778038c53b7f3539efc1c03
2	13	\\xe29c3a2c795c3949ce9634f5d2affa940215db402d1e7726dd696c7ad33df007	2026-11-27 19:31:40.467769+00	832be46f2d81736f	\\x0cc5b4374afd0b245707bc1d5b1f8ae912fce2abab95039d55fd572b8f5471e70dd03906f3436a2ff6537aba9ad891677c103780b18d5575349bfa02b28d0002
1	15	\\xdc704a3077a6818a8701555f8d8e01d8dde048b713bf841ee0f06e195d92a8eb	2026-11-27 19:31:40.614069+00	69361549f200ab1a	\\x669a5cee82884842cec0ed6d6438187d103d89b1f96e93e3a52ab2114e613e071f3b908924932940bf315524c2e3283480f4563110b2bc82829acc24b755c106
2	14	\\xb4d3e4372ca7fc25852a6cd781b39dfc8c05840591cdfede7fe3950e86078fc0	2026-11-27 19:31:40.673281+00	832be46f2d81736f	\\xc59df09c989a52aae25c5380e153da38476c671bd4beaf5ee4d5db2fa6f449598d19cd4202173b5c90d07865a357a07388bf0b2600753da9d60800f1d5d6b20a
1	16	\\x8caaaa91bd17f5ced018969fc115c0edb688ec1b533adbc991e5e8e2f2d33975	2026-11-27 19:31:40.700423+00	69361549f200ab1a	\\x06a95f0cdd5174388ead8bec521d10507f66dc83e6e378d5eac21c438224d86814417584b73812f79f52d0780ce65a4c55b37c85ba2541c444cb8c1df5c05a0e
1	17	\\x4280f38d879d601a8a093784ffaec8a80d344d5db373ae82fa88efc300286dfb	2026-11-27 19:31:40.729865+00	69361549f200ab1a	\\xc89bb3bf28effb8a1fbd36badbc7bfb877eef538d5e1480c4981578f1467c7567552a89350be004ea9a7b888eaa9c647dc24331dfd475831cfe9ff74f3116409
1	18	\\xb9c61bd6d52bd451614ada7efb1cb3d4ae3a0ea799620ee6e53fe4f8c21755c5	2026-11-27 19:31:40.767851+00	69361549f200ab1a	\\x51e365cc41a68ce7977ee07c1f1782dfdf60bec968daa858876da82348c34f7982f213979c7eef0afccdc13b9f6e0759f09f8632b051ced7ecbaa99960382807
2	15	\\xfe14050603b0fcb36e6a3ee80c0b9ff4b79c365208e199ed6c4c7a972871fff6	2026-11-27 19:31:40.796617+00	832be46f2d81736f	\\xd7da835ff38d19a078507fa90ef7602de740b054d4648e64906c49b1c95ea9585657d530b9a0fd2f9dccb3db83e3145729cb7fc74d1107e4141e638062f62100
1	19	\\x9e59b572b3de1a3e4be5e28c8a83ea85d935f6c7602b31bcd34c1970d8a089f6	2026-11-27 19:31:40.87818+00	69361549f200ab1a	\\xc283ff566687cd80ac6c5748a0b096a54d567fa45b534cd622e0ee3d43ef1b91433e21e6fbbc3a37067c6895099e9298ff75ddd0e6bce15788a02d220213da0e
2	16	\\x8eb9bc20d3330dc5c20faea6e644029abe1e003b46701ffebb3d22e7831954b3	2026-11-27 19:31:40.911068+00	832be46f2d81736f	\\x74cdc248ec1b74f7aef2eba49273253ea4984529615486097c6e1b2dc41dc8edc9d639d26c462fc29a5b2fa00e8d690c1d9c4fc8fce1253d4cc67b401518020a
1	20	\\x66debe95914a21f974d767e048619a584500a11bb5f6e4193fa8a724ac45320d	2026-11-27 19:31:40.936969+00	69361549f200ab1a	\\x72caf6dda4d2b6bbcdb7876c58e0f391c5b3d4bca26e49a4bf1ccfef020b472b79c9e4ab515b7644a30be04d390cd491b6fd16d8c1917e79abc1887d0e2e920f
2	17	\\xe8e1cb43558bb52cb358d5a5f02fb478c110b983df304b7cf9c5128139932d3a	2026-11-27 19:31:40.961339+00	832be46f2d81736f	\\xbcd4c5335f21814c9b7a43ac6d50cc5e6c40c637220084635bfdeeaa9a3328c618ebf7c958787463bad0e646910f4e34a4e622a2eadd8c7a6996e38be8870a08
\.

SELECT pg_catalog.setval('ujrat.principal_principal_id_seq', 9, true);

SELECT pg_catalog.setval('ujrat.rate_sheet_rate_id_seq', 1, true);

ALTER TABLE ONLY ujrat.account_balance
    ADD CONSTRAINT account_balance_book_id_account_id_prev_block_no_key UNIQUE (book_id, account_id, prev_block_no);

ALTER TABLE ONLY ujrat.account_balance
    ADD CONSTRAINT account_balance_pkey PRIMARY KEY (book_id, account_id, block_no, balance);

ALTER TABLE ONLY ujrat.account
    ADD CONSTRAINT account_book_id_account_id_floor_zero_key UNIQUE (book_id, account_id, floor_zero);

ALTER TABLE ONLY ujrat.account
    ADD CONSTRAINT account_book_id_code_key UNIQUE (book_id, code);

ALTER TABLE ONLY ujrat.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (book_id, account_id);

ALTER TABLE ONLY ujrat.adjustment_decision
    ADD CONSTRAINT adjustment_decision_pkey PRIMARY KEY (book_id, proposal_id);

ALTER TABLE ONLY ujrat.adjustment_proposal
    ADD CONSTRAINT adjustment_proposal_book_id_request_id_key UNIQUE (book_id, request_id);

ALTER TABLE ONLY ujrat.adjustment_proposal
    ADD CONSTRAINT adjustment_proposal_pkey PRIMARY KEY (book_id, proposal_id);

ALTER TABLE ONLY ujrat.bank
    ADD CONSTRAINT bank_code_key UNIQUE (code);

ALTER TABLE ONLY ujrat.bank
    ADD CONSTRAINT bank_pkey PRIMARY KEY (bank_id);

ALTER TABLE ONLY ujrat.beneficiary
    ADD CONSTRAINT beneficiary_book_id_request_id_key UNIQUE (book_id, request_id);

ALTER TABLE ONLY ujrat.beneficiary_pii
    ADD CONSTRAINT beneficiary_pii_pkey PRIMARY KEY (book_id, beneficiary_id, version);

ALTER TABLE ONLY ujrat.beneficiary
    ADD CONSTRAINT beneficiary_pkey PRIMARY KEY (book_id, beneficiary_id);

ALTER TABLE ONLY ujrat.beneficiary_version
    ADD CONSTRAINT beneficiary_version_pkey PRIMARY KEY (book_id, beneficiary_id, version);

ALTER TABLE ONLY ujrat.block
    ADD CONSTRAINT block_pkey PRIMARY KEY (book_id, block_no);

ALTER TABLE ONLY ujrat.block_seal
    ADD CONSTRAINT block_seal_pkey PRIMARY KEY (book_id, block_no);

ALTER TABLE ONLY ujrat.book
    ADD CONSTRAINT book_code_key UNIQUE (code);

ALTER TABLE ONLY ujrat.book_head
    ADD CONSTRAINT book_head_pkey PRIMARY KEY (book_id);

ALTER TABLE ONLY ujrat.book
    ADD CONSTRAINT book_pkey PRIMARY KEY (book_id);

ALTER TABLE ONLY ujrat.currency
    ADD CONSTRAINT currency_code_key UNIQUE (code);

ALTER TABLE ONLY ujrat.currency
    ADD CONSTRAINT currency_pkey PRIMARY KEY (ccy);

ALTER TABLE ONLY ujrat.float_deposit
    ADD CONSTRAINT float_deposit_pkey PRIMARY KEY (book_id, reference);

ALTER TABLE ONLY ujrat.handout
    ADD CONSTRAINT handout_book_id_bank_id_prev_payout_id_key UNIQUE (book_id, bank_id, prev_payout_id);

ALTER TABLE ONLY ujrat.handout
    ADD CONSTRAINT handout_book_id_seq_key UNIQUE (book_id, seq);

ALTER TABLE ONLY ujrat.handout
    ADD CONSTRAINT handout_pkey PRIMARY KEY (book_id, bank_id, last_payout_id);

ALTER TABLE ONLY ujrat.journal_kind
    ADD CONSTRAINT journal_kind_name_key UNIQUE (name);

ALTER TABLE ONLY ujrat.journal_kind
    ADD CONSTRAINT journal_kind_pkey PRIMARY KEY (kind);

ALTER TABLE ONLY ujrat.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (book_id, seq);

ALTER TABLE ONLY ujrat.log_key
    ADD CONSTRAINT log_key_book_id_key_id_key UNIQUE (book_id, key_id);

ALTER TABLE ONLY ujrat.log_key
    ADD CONSTRAINT log_key_pkey PRIMARY KEY (book_id, from_block);

ALTER TABLE ONLY ujrat.payout
    ADD CONSTRAINT payout_book_id_reference_key UNIQUE (book_id, reference);

ALTER TABLE ONLY ujrat.payout
    ADD CONSTRAINT payout_pkey PRIMARY KEY (book_id, payout_id);

ALTER TABLE ONLY ujrat.payout_transition
    ADD CONSTRAINT payout_transition_pkey PRIMARY KEY (book_id, payout_id, step);

ALTER TABLE ONLY ujrat.pii_erasure
    ADD CONSTRAINT pii_erasure_pkey PRIMARY KEY (book_id, beneficiary_id);

ALTER TABLE ONLY ujrat.principal
    ADD CONSTRAINT principal_pkey PRIMARY KEY (principal_id);

ALTER TABLE ONLY ujrat.principal
    ADD CONSTRAINT principal_uri_key UNIQUE (uri);

ALTER TABLE ONLY ujrat.quote
    ADD CONSTRAINT quote_book_id_request_id_key UNIQUE (book_id, request_id);

ALTER TABLE ONLY ujrat.quote
    ADD CONSTRAINT quote_pkey PRIMARY KEY (book_id, quote_id);

ALTER TABLE ONLY ujrat.rate
    ADD CONSTRAINT rate_pkey PRIMARY KEY (rate_id, ccy);

ALTER TABLE ONLY ujrat.rate_sheet
    ADD CONSTRAINT rate_sheet_pkey PRIMARY KEY (rate_id);

ALTER TABLE ONLY ujrat.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY ujrat.tariff
    ADD CONSTRAINT tariff_pkey PRIMARY KEY (book_id, ccy, valid_from);

ALTER TABLE ONLY ujrat.tree_head
    ADD CONSTRAINT tree_head_pkey PRIMARY KEY (book_id, tree_size);

CREATE UNIQUE INDEX account_role ON ujrat.account USING btree (book_id, role, ccy, COALESCE(bank_id, (0)::smallint));

CREATE UNIQUE INDEX adjustment_decision_seq ON ujrat.adjustment_decision USING btree (book_id, seq) WHERE (seq IS NOT NULL);

CREATE UNIQUE INDEX float_deposit_seq ON ujrat.float_deposit USING btree (book_id, seq);

CREATE UNIQUE INDEX journal_reversed_once ON ujrat.journal USING btree (book_id, reverses_seq) WHERE (reverses_seq IS NOT NULL);

CREATE UNIQUE INDEX payout_quote_used_once ON ujrat.payout USING btree (book_id, quote_id) WHERE (quote_id IS NOT NULL);

CREATE INDEX payout_transition_seq ON ujrat.payout_transition USING btree (book_id, seq);

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.account FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.account ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.account_balance FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.account_balance ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.adjustment_decision FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.adjustment_decision ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.adjustment_proposal FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.adjustment_proposal ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.beneficiary_version FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.beneficiary_version ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.block FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.block ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.block_seal FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.block_seal ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.currency FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.currency ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.float_deposit FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.float_deposit ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.handout FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.handout ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.journal FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.journal ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.journal_kind FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.journal_kind ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.log_key FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.log_key ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.payout FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.payout ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.payout_transition FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.payout_transition ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.pii_erasure FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.pii_erasure ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.quote FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.quote ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.rate FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.rate ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.rate_sheet FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.rate_sheet ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.tariff FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.tariff ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.tree_head FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.tree_head ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER guard_pii BEFORE DELETE OR UPDATE OR TRUNCATE ON ujrat.beneficiary_pii FOR EACH STATEMENT EXECUTE FUNCTION ujrat.guard_pii();

ALTER TABLE ujrat.beneficiary_pii ENABLE ALWAYS TRIGGER guard_pii;

CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON ujrat.bank FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.bank ENABLE ALWAYS TRIGGER not_removed;

CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON ujrat.beneficiary FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.beneficiary ENABLE ALWAYS TRIGGER not_removed;

CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON ujrat.book FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.book ENABLE ALWAYS TRIGGER not_removed;

CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON ujrat.book_head FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.book_head ENABLE ALWAYS TRIGGER not_removed;

CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON ujrat.principal FOR EACH STATEMENT EXECUTE FUNCTION ujrat.refuse_change();

ALTER TABLE ujrat.principal ENABLE ALWAYS TRIGGER not_removed;

ALTER TABLE ONLY ujrat.account_balance
    ADD CONSTRAINT account_balance_book_id_account_id_floor_zero_fkey FOREIGN KEY (book_id, account_id, floor_zero) REFERENCES ujrat.account(book_id, account_id, floor_zero);

ALTER TABLE ONLY ujrat.account_balance
    ADD CONSTRAINT account_balance_book_id_account_id_prev_block_no_balance_b_fkey FOREIGN KEY (book_id, account_id, prev_block_no, balance_before) REFERENCES ujrat.account_balance(book_id, account_id, block_no, balance);

ALTER TABLE ONLY ujrat.account
    ADD CONSTRAINT account_bank_id_fkey FOREIGN KEY (bank_id) REFERENCES ujrat.bank(bank_id);

ALTER TABLE ONLY ujrat.account
    ADD CONSTRAINT account_book_id_fkey FOREIGN KEY (book_id) REFERENCES ujrat.book(book_id);

ALTER TABLE ONLY ujrat.account
    ADD CONSTRAINT account_ccy_fkey FOREIGN KEY (ccy) REFERENCES ujrat.currency(ccy);

ALTER TABLE ONLY ujrat.adjustment_decision
    ADD CONSTRAINT adjustment_decision_book_id_proposal_id_fkey FOREIGN KEY (book_id, proposal_id) REFERENCES ujrat.adjustment_proposal(book_id, proposal_id);

ALTER TABLE ONLY ujrat.adjustment_decision
    ADD CONSTRAINT adjustment_decision_book_id_seq_fkey FOREIGN KEY (book_id, seq) REFERENCES ujrat.journal(book_id, seq);

ALTER TABLE ONLY ujrat.adjustment_decision
    ADD CONSTRAINT adjustment_decision_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES ujrat.principal(principal_id);

ALTER TABLE ONLY ujrat.adjustment_proposal
    ADD CONSTRAINT adjustment_proposal_book_id_fkey FOREIGN KEY (book_id) REFERENCES ujrat.book(book_id);

ALTER TABLE ONLY ujrat.adjustment_proposal
    ADD CONSTRAINT adjustment_proposal_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES ujrat.principal(principal_id);

ALTER TABLE ONLY ujrat.beneficiary
    ADD CONSTRAINT beneficiary_bank_id_fkey FOREIGN KEY (bank_id) REFERENCES ujrat.bank(bank_id);

ALTER TABLE ONLY ujrat.beneficiary
    ADD CONSTRAINT beneficiary_book_id_fkey FOREIGN KEY (book_id) REFERENCES ujrat.book(book_id);

ALTER TABLE ONLY ujrat.beneficiary_pii
    ADD CONSTRAINT beneficiary_pii_book_id_beneficiary_id_version_fkey FOREIGN KEY (book_id, beneficiary_id, version) REFERENCES ujrat.beneficiary_version(book_id, beneficiary_id, version);

ALTER TABLE ONLY ujrat.beneficiary_version
    ADD CONSTRAINT beneficiary_version_bank_id_fkey FOREIGN KEY (bank_id) REFERENCES ujrat.bank(bank_id);

ALTER TABLE ONLY ujrat.beneficiary_version
    ADD CONSTRAINT beneficiary_version_book_id_beneficiary_id_fkey FOREIGN KEY (book_id, beneficiary_id) REFERENCES ujrat.beneficiary(book_id, beneficiary_id);

ALTER TABLE ONLY ujrat.beneficiary_version
    ADD CONSTRAINT beneficiary_version_principal_id_fkey FOREIGN KEY (principal_id) REFERENCES ujrat.principal(principal_id);

ALTER TABLE ONLY ujrat.block_seal
    ADD CONSTRAINT block_seal_book_id_block_no_fkey FOREIGN KEY (book_id, block_no) REFERENCES ujrat.block(book_id, block_no);

ALTER TABLE ONLY ujrat.block_seal
    ADD CONSTRAINT block_seal_book_id_key_id_fkey FOREIGN KEY (book_id, key_id) REFERENCES ujrat.log_key(book_id, key_id);

ALTER TABLE ONLY ujrat.block_seal
    ADD CONSTRAINT block_seal_book_id_prev_block_no_fkey FOREIGN KEY (book_id, prev_block_no) REFERENCES ujrat.block_seal(book_id, block_no);

ALTER TABLE ONLY ujrat.book_head
    ADD CONSTRAINT book_head_book_id_fkey FOREIGN KEY (book_id) REFERENCES ujrat.book(book_id);

ALTER TABLE ONLY ujrat.float_deposit
    ADD CONSTRAINT float_deposit_book_id_seq_fkey FOREIGN KEY (book_id, seq) REFERENCES ujrat.journal(book_id, seq);

ALTER TABLE ONLY ujrat.float_deposit
    ADD CONSTRAINT float_deposit_ccy_fkey FOREIGN KEY (ccy) REFERENCES ujrat.currency(ccy);

ALTER TABLE ONLY ujrat.handout
    ADD CONSTRAINT handout_bank_id_fkey FOREIGN KEY (bank_id) REFERENCES ujrat.bank(bank_id);

ALTER TABLE ONLY ujrat.handout
    ADD CONSTRAINT handout_book_id_seq_fkey FOREIGN KEY (book_id, seq) REFERENCES ujrat.journal(book_id, seq);

ALTER TABLE ONLY ujrat.log_key
    ADD CONSTRAINT log_key_book_id_fkey FOREIGN KEY (book_id) REFERENCES ujrat.book(book_id);

ALTER TABLE ONLY ujrat.payout
    ADD CONSTRAINT payout_book_id_quote_id_fkey FOREIGN KEY (book_id, quote_id) REFERENCES ujrat.quote(book_id, quote_id);

ALTER TABLE ONLY ujrat.payout_transition
    ADD CONSTRAINT payout_transition_book_id_payout_id_fkey FOREIGN KEY (book_id, payout_id) REFERENCES ujrat.payout(book_id, payout_id);

ALTER TABLE ONLY ujrat.payout_transition
    ADD CONSTRAINT payout_transition_book_id_seq_fkey FOREIGN KEY (book_id, seq) REFERENCES ujrat.journal(book_id, seq);

ALTER TABLE ONLY ujrat.pii_erasure
    ADD CONSTRAINT pii_erasure_book_id_beneficiary_id_fkey FOREIGN KEY (book_id, beneficiary_id) REFERENCES ujrat.beneficiary(book_id, beneficiary_id);

ALTER TABLE ONLY ujrat.principal
    ADD CONSTRAINT principal_bank_id_fkey FOREIGN KEY (bank_id) REFERENCES ujrat.bank(bank_id);

ALTER TABLE ONLY ujrat.principal
    ADD CONSTRAINT principal_book_id_fkey FOREIGN KEY (book_id) REFERENCES ujrat.book(book_id);

ALTER TABLE ONLY ujrat.quote
    ADD CONSTRAINT quote_book_id_fkey FOREIGN KEY (book_id) REFERENCES ujrat.book(book_id);

ALTER TABLE ONLY ujrat.quote
    ADD CONSTRAINT quote_dst_ccy_fkey FOREIGN KEY (dst_ccy) REFERENCES ujrat.currency(ccy);

ALTER TABLE ONLY ujrat.quote
    ADD CONSTRAINT quote_principal_id_fkey FOREIGN KEY (principal_id) REFERENCES ujrat.principal(principal_id);

ALTER TABLE ONLY ujrat.quote
    ADD CONSTRAINT quote_rate_id_fkey FOREIGN KEY (rate_id) REFERENCES ujrat.rate_sheet(rate_id);

ALTER TABLE ONLY ujrat.quote
    ADD CONSTRAINT quote_src_ccy_fkey FOREIGN KEY (src_ccy) REFERENCES ujrat.currency(ccy);

ALTER TABLE ONLY ujrat.rate
    ADD CONSTRAINT rate_ccy_fkey FOREIGN KEY (ccy) REFERENCES ujrat.currency(ccy);

ALTER TABLE ONLY ujrat.rate
    ADD CONSTRAINT rate_rate_id_fkey FOREIGN KEY (rate_id) REFERENCES ujrat.rate_sheet(rate_id);

ALTER TABLE ONLY ujrat.tariff
    ADD CONSTRAINT tariff_book_id_fkey FOREIGN KEY (book_id) REFERENCES ujrat.book(book_id);

ALTER TABLE ONLY ujrat.tariff
    ADD CONSTRAINT tariff_ccy_fkey FOREIGN KEY (ccy) REFERENCES ujrat.currency(ccy);

ALTER TABLE ONLY ujrat.tree_head
    ADD CONSTRAINT tree_head_book_id_key_id_fkey FOREIGN KEY (book_id, key_id) REFERENCES ujrat.log_key(book_id, key_id);

ALTER TABLE ONLY ujrat.tree_head
    ADD CONSTRAINT tree_head_book_id_tree_size_fkey FOREIGN KEY (book_id, tree_size) REFERENCES ujrat.block_seal(book_id, block_no);

GRANT USAGE ON SCHEMA ujrat TO ujrat_app;
GRANT USAGE ON SCHEMA ujrat TO ujrat_settle;
GRANT USAGE ON SCHEMA ujrat TO ujrat_sealer;
GRANT USAGE ON SCHEMA ujrat TO ujrat_auditor;
GRANT USAGE ON SCHEMA ujrat TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.add_account(p_book integer, p_code text, p_role text, p_type ujrat.account_type, p_side text, p_ccy smallint, p_bank smallint, p_floor boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.add_log_key(p_book integer, p_from bigint, p_public bytea, p_created_at timestamp with time zone, p_signed_by text, p_signature bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.add_log_key(p_book integer, p_from bigint, p_public bytea, p_created_at timestamp with time zone, p_signed_by text, p_signature bytea) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.add_principal(p_uri text, p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.add_principal(p_uri text, p_role text) TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.account TO ujrat_app;
GRANT SELECT ON TABLE ujrat.account TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.account TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.account TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.account TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.adjustable_account(p_book integer, p_code text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.digit_factor(shift smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.digit_factor(shift smallint) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.digit_factor(shift smallint) TO ujrat_settle;
GRANT ALL ON FUNCTION ujrat.digit_factor(shift smallint) TO ujrat_sealer;
GRANT ALL ON FUNCTION ujrat.digit_factor(shift smallint) TO ujrat_auditor;
GRANT ALL ON FUNCTION ujrat.digit_factor(shift smallint) TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.payout TO ujrat_app;
GRANT SELECT ON TABLE ujrat.payout TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.payout TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.payout TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.payout TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer, p_upto bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer, p_upto bigint) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer, p_upto bigint) TO ujrat_settle;
GRANT ALL ON FUNCTION ujrat.bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer, p_upto bigint) TO ujrat_sealer;
GRANT ALL ON FUNCTION ujrat.bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer, p_upto bigint) TO ujrat_auditor;
GRANT ALL ON FUNCTION ujrat.bank_payouts_after(p_book integer, p_bank smallint, p_after bigint, p_limit integer, p_upto bigint) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.begin_block(p_book integer, OUT seq bigint, OUT block_no bigint, OUT at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.block_upto(p_book integer, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.block_upto(p_book integer, p_at timestamp with time zone) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.block_upto(p_book integer, p_at timestamp with time zone) TO ujrat_settle;
GRANT ALL ON FUNCTION ujrat.block_upto(p_book integer, p_at timestamp with time zone) TO ujrat_sealer;
GRANT ALL ON FUNCTION ujrat.block_upto(p_book integer, p_at timestamp with time zone) TO ujrat_auditor;
GRANT ALL ON FUNCTION ujrat.block_upto(p_book integer, p_at timestamp with time zone) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.cancel_payout(p_book integer, p_principal integer, p_payout bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.cancel_payout(p_book integer, p_principal integer, p_payout bigint) TO ujrat_app;

REVOKE ALL ON FUNCTION ujrat.carry_beneficiaries(p_book integer, p_principal integer, p_at timestamp with time zone, p_items ujrat.payout_draft[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.check_adjustment(p_request text, p_reason text, p_evidence bytea, p_account text[], p_minor bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.close_block(p_book integer, p_block bigint, p_first bigint, p_last bigint, p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.confirm_instructions(p_book integer, p_bank smallint, p_principal integer, p_items ujrat.confirmation_draft[], OUT outcome smallint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.confirm_instructions(p_book integer, p_bank smallint, p_principal integer, p_items ujrat.confirmation_draft[], OUT outcome smallint[]) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.confirm_instructions(p_book integer, p_bank smallint, p_principal integer, p_items ujrat.confirmation_draft[], OUT outcome smallint[]) TO ujrat_settle;

REVOKE ALL ON FUNCTION ujrat.connect_bank(p_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.connect_bank(p_code text) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.create_quote(p_book integer, p_principal integer, p_request text, p_fingerprint bytea, p_src smallint, p_dst smallint, p_digit_shift smallint, p_rate integer, p_numbers bigint[], p_margin_bps integer, p_ttl_ms integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.create_quote(p_book integer, p_principal integer, p_request text, p_fingerprint bytea, p_src smallint, p_dst smallint, p_digit_shift smallint, p_rate integer, p_numbers bigint[], p_margin_bps integer, p_ttl_ms integer) TO ujrat_app;

REVOKE ALL ON FUNCTION ujrat.current_balance(p_book integer, p_account integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.current_balance(p_book integer, p_account integer) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.current_balance(p_book integer, p_account integer) TO ujrat_settle;
GRANT ALL ON FUNCTION ujrat.current_balance(p_book integer, p_account integer) TO ujrat_sealer;
GRANT ALL ON FUNCTION ujrat.current_balance(p_book integer, p_account integer) TO ujrat_auditor;
GRANT ALL ON FUNCTION ujrat.current_balance(p_book integer, p_account integer) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.decide_adjustment(p_book integer, p_proposal bigint, p_approve boolean, OUT seq bigint, OUT duplicate boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.decide_adjustment(p_book integer, p_proposal bigint, p_approve boolean, OUT seq bigint, OUT duplicate boolean) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.deposit_float(p_book integer, p_principal integer, p_code text, p_amount bigint, p_reference text, OUT seq bigint, OUT duplicate boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.deposit_float(p_book integer, p_principal integer, p_code text, p_amount bigint, p_reference text, OUT seq bigint, OUT duplicate boolean) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.erase_beneficiary(p_book integer, p_id bigint, p_by text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.erase_beneficiary(p_book integer, p_id bigint, p_by text, p_reason text) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.guard_pii() FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.hand_out(p_book integer, p_bank smallint, p_principal integer, p_limit integer, OUT last_payout_id bigint, OUT moved boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.hand_out(p_book integer, p_bank smallint, p_principal integer, p_limit integer, OUT last_payout_id bigint, OUT moved boolean) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.hand_out(p_book integer, p_bank smallint, p_principal integer, p_limit integer, OUT last_payout_id bigint, OUT moved boolean) TO ujrat_settle;

REVOKE ALL ON FUNCTION ujrat.handed_out_upto(p_book integer, p_bank smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.handed_out_upto(p_book integer, p_bank smallint) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.handed_out_upto(p_book integer, p_bank smallint) TO ujrat_settle;
GRANT ALL ON FUNCTION ujrat.handed_out_upto(p_book integer, p_bank smallint) TO ujrat_sealer;
GRANT ALL ON FUNCTION ujrat.handed_out_upto(p_book integer, p_bank smallint) TO ujrat_auditor;
GRANT ALL ON FUNCTION ujrat.handed_out_upto(p_book integer, p_bank smallint) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.import_rates(p_source text, p_date date, p_as_of timestamp with time zone, p_file text, p_sha256 bytea, p_author text, p_refused text, p_ccy smallint[], p_pkr_e10 bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.import_rates(p_source text, p_date date, p_as_of timestamp with time zone, p_file text, p_sha256 bytea, p_author text, p_refused text, p_ccy smallint[], p_pkr_e10 bigint[]) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.judge_payouts(p_book integer, p_items ujrat.payout_draft[], p_at timestamp with time zone, p_seq bigint, OUT outcome smallint[], OUT payout_id bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.moment_past(p_book integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.moment_past(p_book integer) TO ujrat_app;

REVOKE ALL ON FUNCTION ujrat.negated(p_minor bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.open_bank_accounts(p_book integer, p_bank smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.open_book(p_code text, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.open_book(p_code text, p_name text) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.open_currency(p_book integer, p_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.open_currency(p_book integer, p_code text) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.operator_principal() FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.payable_account(p_book integer, p_bank smallint, p_ccy smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.payout_state(p_book integer, p_payout bigint, p_bank smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.payout_state(p_book integer, p_payout bigint, p_bank smallint) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.payout_state(p_book integer, p_payout bigint, p_bank smallint) TO ujrat_settle;
GRANT ALL ON FUNCTION ujrat.payout_state(p_book integer, p_payout bigint, p_bank smallint) TO ujrat_sealer;
GRANT ALL ON FUNCTION ujrat.payout_state(p_book integer, p_payout bigint, p_bank smallint) TO ujrat_auditor;
GRANT ALL ON FUNCTION ujrat.payout_state(p_book integer, p_payout bigint, p_bank smallint) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.post_payouts(p_book integer, p_principal integer, p_items ujrat.payout_draft[], OUT outcome smallint[], OUT payout_id bigint[], OUT bank_id smallint[], OUT committed_at timestamp with time zone, OUT stored_fee bigint[], OUT stored_net bigint[], OUT stored_ccy smallint[], OUT stored_beneficiary bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.post_payouts(p_book integer, p_principal integer, p_items ujrat.payout_draft[], OUT outcome smallint[], OUT payout_id bigint[], OUT bank_id smallint[], OUT committed_at timestamp with time zone, OUT stored_fee bigint[], OUT stored_net bigint[], OUT stored_ccy smallint[], OUT stored_beneficiary bigint[]) TO ujrat_app;

REVOKE ALL ON FUNCTION ujrat.propose_adjustment(p_book integer, p_request text, p_reason text, p_evidence bytea, p_account text[], p_minor bigint[], OUT proposal_id bigint, OUT duplicate boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.propose_adjustment(p_book integer, p_request text, p_reason text, p_evidence bytea, p_account text[], p_minor bigint[], OUT proposal_id bigint, OUT duplicate boolean) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.put_beneficiary(p_book integer, p_principal integer, p_request text, p_draft ujrat.beneficiary_draft, p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.put_beneficiary_version(p_book integer, p_principal integer, p_id bigint, p_version integer, p_draft ujrat.beneficiary_draft, p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.register_beneficiary(p_book integer, p_principal integer, p_request text, p_draft ujrat.beneficiary_draft[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.register_beneficiary(p_book integer, p_principal integer, p_request text, p_draft ujrat.beneficiary_draft[]) TO ujrat_app;

REVOKE ALL ON FUNCTION ujrat.return_payment(p_book integer, p_bank smallint, p_principal integer, p_payout bigint, p_ccy smallint, p_amount bigint, p_reason text, p_reference text) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.return_payment(p_book integer, p_bank smallint, p_principal integer, p_payout bigint, p_ccy smallint, p_amount bigint, p_reason text, p_reference text) TO ujrat_app;
GRANT ALL ON FUNCTION ujrat.return_payment(p_book integer, p_bank smallint, p_principal integer, p_payout bigint, p_ccy smallint, p_amount bigint, p_reason text, p_reference text) TO ujrat_settle;

REVOKE ALL ON FUNCTION ujrat.reverse_payout(p_book integer, p_principal integer, p_payout bigint, p_step smallint, p_state smallint, p_settled_seq bigint, p_reason text, p_reference text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ujrat.rotate_pii(p_book integer[], p_id bigint[], p_version integer[], p_old_key smallint[], p_old bytea[], p_key smallint, p_sealed bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.rotate_pii(p_book integer[], p_id bigint[], p_version integer[], p_old_key smallint[], p_old bytea[], p_key smallint, p_sealed bytea[]) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.seal_blocks(p_book integer, p_seals ujrat.block_seal_draft[], p_root bytea, p_signed_at timestamp with time zone, p_key text, p_signature bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.seal_blocks(p_book integer, p_seals ujrat.block_seal_draft[], p_root bytea, p_signed_at timestamp with time zone, p_key text, p_signature bytea) TO ujrat_sealer;

REVOKE ALL ON FUNCTION ujrat.set_principal_enabled(p_uri text, p_enabled boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.set_principal_enabled(p_uri text, p_enabled boolean) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.set_tariff(p_book integer, p_code text, p_margin_bps integer, p_fee_fixed bigint, p_fee_bps integer, p_fee_min bigint, p_fee_max bigint, p_gross_max bigint, p_author text) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.set_tariff(p_book integer, p_code text, p_margin_bps integer, p_fee_fixed bigint, p_fee_bps integer, p_fee_min bigint, p_fee_max bigint, p_gross_max bigint, p_author text) TO ujrat_operator;

REVOKE ALL ON FUNCTION ujrat.update_beneficiary(p_book integer, p_principal integer, p_id bigint, p_version integer, p_draft ujrat.beneficiary_draft[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ujrat.update_beneficiary(p_book integer, p_principal integer, p_id bigint, p_version integer, p_draft ujrat.beneficiary_draft[]) TO ujrat_app;

REVOKE ALL ON FUNCTION ujrat.write_payouts(p_book integer, p_principal integer, p_seq bigint, p_block bigint, p_items ujrat.payout_draft[], OUT n integer, OUT bank_id smallint[]) FROM PUBLIC;

GRANT SELECT ON TABLE ujrat.account_balance TO ujrat_app;
GRANT SELECT ON TABLE ujrat.account_balance TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.account_balance TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.account_balance TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.account_balance TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.book TO ujrat_app;
GRANT SELECT ON TABLE ujrat.book TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.book TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.book TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.book TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.currency TO ujrat_app;
GRANT SELECT ON TABLE ujrat.currency TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.currency TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.currency TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.currency TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.account_now TO ujrat_app;
GRANT SELECT ON TABLE ujrat.account_now TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.account_now TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.account_now TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.account_now TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.adjustment_decision TO ujrat_app;
GRANT SELECT ON TABLE ujrat.adjustment_decision TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.adjustment_decision TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.adjustment_decision TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.adjustment_decision TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.adjustment_proposal TO ujrat_app;
GRANT SELECT ON TABLE ujrat.adjustment_proposal TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.adjustment_proposal TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.adjustment_proposal TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.adjustment_proposal TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.bank TO ujrat_app;
GRANT SELECT ON TABLE ujrat.bank TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.bank TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.bank TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.bank TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.beneficiary TO ujrat_app;
GRANT SELECT ON TABLE ujrat.beneficiary TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.beneficiary TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.beneficiary TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.beneficiary TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.beneficiary_pii TO ujrat_app;
GRANT SELECT ON TABLE ujrat.beneficiary_pii TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.beneficiary_version TO ujrat_app;
GRANT SELECT ON TABLE ujrat.beneficiary_version TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.beneficiary_version TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.beneficiary_version TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.beneficiary_version TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.block TO ujrat_app;
GRANT SELECT ON TABLE ujrat.block TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.block TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.block TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.block TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.block_seal TO ujrat_app;
GRANT SELECT ON TABLE ujrat.block_seal TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.block_seal TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.block_seal TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.block_seal TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.book_head TO ujrat_app;
GRANT SELECT ON TABLE ujrat.book_head TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.book_head TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.book_head TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.book_head TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.float_deposit TO ujrat_app;
GRANT SELECT ON TABLE ujrat.float_deposit TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.float_deposit TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.float_deposit TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.float_deposit TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.handout TO ujrat_app;
GRANT SELECT ON TABLE ujrat.handout TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.handout TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.handout TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.handout TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.journal TO ujrat_app;
GRANT SELECT ON TABLE ujrat.journal TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.journal TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.journal TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.journal TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.journal_kind TO ujrat_app;
GRANT SELECT ON TABLE ujrat.journal_kind TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.journal_kind TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.journal_kind TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.journal_kind TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.log_key TO ujrat_app;
GRANT SELECT ON TABLE ujrat.log_key TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.log_key TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.log_key TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.log_key TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.payout_transition TO ujrat_app;
GRANT SELECT ON TABLE ujrat.payout_transition TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.payout_transition TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.payout_transition TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.payout_transition TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.rate_sheet TO ujrat_app;
GRANT SELECT ON TABLE ujrat.rate_sheet TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.rate_sheet TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.rate_sheet TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.rate_sheet TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.payout_now TO ujrat_app;
GRANT SELECT ON TABLE ujrat.payout_now TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.payout_now TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.payout_now TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.payout_now TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.pii_erasure TO ujrat_app;
GRANT SELECT ON TABLE ujrat.pii_erasure TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.pii_erasure TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.pii_erasure TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.pii_erasure TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.posting TO ujrat_app;
GRANT SELECT ON TABLE ujrat.posting TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.posting TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.posting TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.posting TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.principal TO ujrat_app;
GRANT SELECT ON TABLE ujrat.principal TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.principal TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.principal TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.principal TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.quote TO ujrat_app;
GRANT SELECT ON TABLE ujrat.quote TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.quote TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.quote TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.quote TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.rate TO ujrat_app;
GRANT SELECT ON TABLE ujrat.rate TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.rate TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.rate TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.rate TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.schema_migration TO ujrat_app;
GRANT SELECT ON TABLE ujrat.schema_migration TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.schema_migration TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.schema_migration TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.schema_migration TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.tariff TO ujrat_app;
GRANT SELECT ON TABLE ujrat.tariff TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.tariff TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.tariff TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.tariff TO ujrat_operator;

GRANT SELECT ON TABLE ujrat.tree_head TO ujrat_app;
GRANT SELECT ON TABLE ujrat.tree_head TO ujrat_settle;
GRANT SELECT ON TABLE ujrat.tree_head TO ujrat_sealer;
GRANT SELECT ON TABLE ujrat.tree_head TO ujrat_auditor;
GRANT SELECT ON TABLE ujrat.tree_head TO ujrat_operator;
