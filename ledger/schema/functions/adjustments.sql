-- Adjustments: a journal that one person proposes and a second one approves. Who acts is who logged in (session_user, which
-- neither SET ROLE nor SECURITY DEFINER changes), so that nobody can be two people with one login; and has shown a code of his
-- authenticator (operators.sql), so that a login alone is nobody.

-- The principal of whoever is logged in; made on first use.
CREATE OR REPLACE FUNCTION operator_principal() RETURNS integer
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
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
END $$;

-- The account of that code. Those that a reconciliation needs and a book has not from the start are made here: suspense.CCY
-- (what is not cleared up yet) and charge.CCY (what banks charge us).
CREATE OR REPLACE FUNCTION adjustable_account(p_book integer, p_code text) RETURNS account
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
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

-- What no proposal may look like; whether it fits the accounts is seen by whoever calls.
CREATE OR REPLACE FUNCTION check_adjustment(p_request text, p_reason text, p_evidence bytea, p_account text[], p_minor bigint[])
RETURNS void LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
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

-- Proposes a journal: line i debits (or credits, if negative) the account with code p_account[i] with p_minor[i]. The request
-- id makes a repeat safe: the same again is answered with the first, anything else under it is refused (400).
CREATE OR REPLACE FUNCTION propose_adjustment(p_book integer, p_request text, p_reason text, p_evidence bytea,
    p_account text[], p_minor bigint[], p_code text, OUT proposal_id bigint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := prove_operator(p_code, format('propose adjustment %s in book %s', p_request, p_book));
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

-- Makes the journal of a proposal, or refuses it, for good. Deciding the same again is answered with the first time. Whoever
-- proposed may take it back (refuse), and not approve.
CREATE OR REPLACE FUNCTION decide_adjustment(p_book integer, p_proposal bigint, p_approve boolean, p_code text,
    OUT seq bigint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := prove_operator(p_code, format('%s adjustment %s in book %s', CASE WHEN p_approve THEN 'approve' ELSE 'refuse' END,
                                                 p_proposal, p_book));
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
