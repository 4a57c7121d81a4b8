-- Batches of the REST API: all of one is in the ledger, or nothing of it. One call a batch, one commit, and at most one block.

-- p_payouts[i] is what would be posted for item i, as post_payouts takes it, and p_items[i] what is kept of it beside that. An item
-- for a receiver that nobody has (receiver_kind given, no beneficiary, nothing refused) has reference, info, gross and src_ccy alone,
-- and becomes unclaimed. What the ledger refuses becomes an item with its reason, and no money moves for it.
--
-- verdict: 1 taken; nothing else does anything: 2 this request_id with this body was taken before; 3 the sender_batch_id was; 4 the request_id
-- was, with another body; 5 the float does not cover all items together. batch_id and committed_at are then those of the first. same_body: what
-- was taken then has the same fingerprint; same_names: and the same names, of the same credential, so that it may have been this very call.
CREATE OR REPLACE FUNCTION submit_batch(p_book integer, p_principal integer, p_credential integer, p_sender_batch text, p_request text,
    p_fingerprint bytea, p_subject text, p_message text, p_ccy smallint, p_amount bigint, p_unclaimed_ttl_s bigint,
    p_payouts payout_draft[], p_items batch_item_draft[],
    OUT verdict smallint, OUT batch_id bigint, OUT committed_at timestamptz, OUT same_body boolean, OUT same_names boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    n integer := cardinality(p_payouts);
    head record;
    old payout_batch;
    look record;
    posted record;
    unknown integer := 0;
    next_seq bigint;
BEGIN
    head := begin_block(p_book);
    committed_at := head.at;

    -- The request id first: whoever repeats a request is answered as the first time, whatever else is in it.
    SELECT * INTO old FROM payout_batch b WHERE b.book_id = p_book AND b.request_id = p_request;
    IF FOUND THEN
        verdict := CASE WHEN old.fingerprint = p_fingerprint THEN 2 ELSE 4 END;
    ELSE
        SELECT * INTO old FROM payout_batch b WHERE b.book_id = p_book AND b.sender_batch_id = p_sender_batch;
        verdict := CASE WHEN FOUND THEN 3 END;
    END IF;
    IF verdict IS NOT NULL THEN
        batch_id := old.batch_id;
        committed_at := old.created_at;
        same_body := old.fingerprint = p_fingerprint;
        same_names := same_body AND (old.request_id, old.sender_batch_id, old.credential_id)
                                    IS NOT DISTINCT FROM (p_request, p_sender_batch, p_credential);
        RETURN;
    END IF;

    SELECT count(*) AS n, sum(d.gross) AS total, bool_and(d.src_ccy = p_ccy) AS one_ccy,
           count(*) FILTER (WHERE is_for_nobody(d.beneficiary_id, d.carried IS NOT DISTINCT FROM NULL, d.refusal, i.receiver_kind)) AS unknown
      INTO look
      FROM (SELECT u.beneficiary_id, u.carried, u.refusal, u.gross, u.src_ccy, u.ord FROM unnest(p_payouts) WITH ORDINALITY u
               (reference, fingerprint, info, beneficiary_id, carried, quote_id, gross, fee, mid_rate_e10, mid_value, margin, net, rate_id,
                margin_bps, src_ccy, dst_ccy, digit_shift, refusal, line_account, line_ccy, line_minor, policy_id, ord)) d
      JOIN unnest(p_items) WITH ORDINALITY i (sender_item_id, recipient_type, receiver_kind, receiver_lookup, key_id, sealed, ord) USING (ord);
    IF look.n <> n OR cardinality(p_items) <> n OR look.total <> p_amount OR look.one_ccy IS NOT TRUE OR p_unclaimed_ttl_s < 1 THEN
        RAISE EXCEPTION 'a batch of % with % items is not what it says it is', p_amount, n USING ERRCODE = 'UJ604';
    END IF;
    unknown := look.unknown;
    IF p_amount > coalesce((SELECT -current_balance(p_book, a.account_id) FROM account a
                             WHERE a.book_id = p_book AND a.role = 'float' AND a.ccy = p_ccy), 0) THEN
        verdict := 5;
        RETURN;
    END IF;

    IF unknown = 0 THEN
        posted := post_in_block(p_book, p_principal, head.seq, head.block_no, head.at, p_payouts);
    ELSIF unknown < n THEN
        posted := post_in_block(p_book, p_principal, head.seq, head.block_no, head.at,
            array(SELECT t.d FROM (SELECT unnest(p_payouts) AS d, unnest(p_items) AS i) t
                   WHERE NOT is_for_nobody((t.d).beneficiary_id, (t.d).carried IS NOT DISTINCT FROM NULL, (t.d).refusal, (t.i).receiver_kind)));
    ELSE
        SELECT '{}'::smallint[] AS outcome, '{}'::bigint[] AS payout_id, 0 AS n INTO posted;
    END IF;
    next_seq := head.seq + posted.n;
    SELECT coalesce(max(b.batch_id), 0) + 1 INTO batch_id FROM payout_batch b WHERE b.book_id = p_book;
    INSERT INTO payout_batch (book_id, batch_id, sender_batch_id, request_id, fingerprint, credential_id, email_subject, email_message,
                              items, ccy, amount, created_at)
    VALUES (p_book, submit_batch.batch_id, p_sender_batch, p_request, p_fingerprint, p_credential, p_subject, p_message, n, p_ccy, p_amount,
            head.at);
    IF unknown > 0 THEN
        PERFORM open_unclaimed_account(p_book, p_ccy);
    END IF;
    PERFORM write_batch_items(p_book, p_principal, submit_batch.batch_id, head.block_no, next_seq, p_ccy,
                              head.at + p_unclaimed_ttl_s * interval '1 second', p_payouts, p_items, posted.outcome, posted.payout_id);
    next_seq := next_seq + unknown;
    IF next_seq > head.seq THEN
        PERFORM close_block(p_book, head.block_no, head.seq, next_seq - 1, head.at);
    END IF;
    verdict := 1;
END $$;

-- Whether an item is for a receiver that nobody has. Inlined wherever it stands.
CREATE OR REPLACE FUNCTION is_for_nobody(p_beneficiary bigint, p_no_carried boolean, p_refusal smallint, p_kind smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_beneficiary IS NULL AND p_no_carried AND p_refusal = 0 AND p_kind IS NOT NULL
$$;

-- The items of a batch, and the journals and rows of those that are unclaimed, numbered from p_seq on. p_outcome and p_payout are of the
-- others, in their order.
CREATE OR REPLACE FUNCTION write_batch_items(p_book integer, p_principal integer, p_batch bigint, p_block bigint, p_seq bigint,
    p_ccy smallint, p_expires_at timestamptz, p_payouts payout_draft[], p_items batch_item_draft[], p_outcome smallint[], p_payout bigint[])
RETURNS void LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    WITH given AS MATERIALIZED (
        SELECT g.*, sum(CASE WHEN g.nobody THEN 0 ELSE 1 END) OVER w AS known_no,
               CASE WHEN g.nobody THEN p_seq - 1 + sum(CASE WHEN g.nobody THEN 1 ELSE 0 END) OVER w END AS unclaimed_id
          FROM (SELECT d.ord, d.reference, d.info, d.gross, i.sender_item_id, i.recipient_type, i.receiver_kind, i.receiver_lookup, i.key_id,
                       i.sealed, is_for_nobody(d.beneficiary_id, d.carried IS NOT DISTINCT FROM NULL, d.refusal, i.receiver_kind) AS nobody
                  FROM unnest(p_payouts) WITH ORDINALITY AS d
                       (reference, fingerprint, info, beneficiary_id, carried, quote_id, gross, fee, mid_rate_e10, mid_value, margin, net,
                        rate_id, margin_bps, src_ccy, dst_ccy, digit_shift, refusal, line_account, line_ccy, line_minor, policy_id, ord)
                  JOIN unnest(p_items) WITH ORDINALITY AS i
                       (sender_item_id, recipient_type, receiver_kind, receiver_lookup, key_id, sealed, ord) USING (ord)) g
        WINDOW w AS (ORDER BY g.ord)
    ), posted AS (
        SELECT * FROM unnest(p_outcome, p_payout) WITH ORDINALITY AS p (outcome, payout_id, known_no)
    ), items AS (
        INSERT INTO payout_batch_item (book_id, batch_id, item_no, payout_id, unclaimed_id, reason, sender_item_id, item_id_reused, gross,
                                       recipient_type, receiver_kind, receiver_lookup, key_id, sealed)
        SELECT p_book, p_batch, g.ord, CASE WHEN p.outcome = 0 THEN p.payout_id END, g.unclaimed_id,
               -- 1: a payout of another door has that reference. It is not this item's.
               CASE p.outcome WHEN 0 THEN NULL WHEN 1 THEN 400 ELSE p.outcome END,
               g.sender_item_id,
               g.sender_item_id IS NOT NULL AND EXISTS (SELECT FROM payout_batch_item e
                                                         WHERE e.book_id = p_book AND e.sender_item_id = g.sender_item_id),
               g.gross, g.recipient_type, g.receiver_kind, g.receiver_lookup, g.key_id, g.sealed
          FROM given g LEFT JOIN posted p ON p.known_no = g.known_no AND NOT g.nobody
         ORDER BY g.ord
    ), journals AS (
        INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail)
        SELECT g.unclaimed_id, p_block, p_book, p_principal, 15, ARRAY[a.float, a.unclaimed], ARRAY[p_ccy, p_ccy], ARRAY[g.gross, -g.gross],
               g.reference
          FROM given g
         CROSS JOIN (SELECT max(account_id) FILTER (WHERE role = 'float') AS float, max(account_id) FILTER (WHERE role = 'unclaimed') AS unclaimed
                       FROM account WHERE book_id = p_book AND ccy = p_ccy AND role IN ('float', 'unclaimed')) a
         WHERE g.nobody ORDER BY g.ord
    ), aside AS (
        INSERT INTO unclaimed (book_id, unclaimed_id, batch_id, item_no, reference, ccy, gross, info, expires_at)
        SELECT p_book, g.unclaimed_id, p_batch, g.ord, g.reference, p_ccy, g.gross, g.info, p_expires_at
          FROM given g WHERE g.nobody ORDER BY g.ord
    )
    INSERT INTO unclaimed_open (book_id, unclaimed_id, expires_at, receiver_kind, receiver_lookup)
    SELECT p_book, g.unclaimed_id, p_expires_at, g.receiver_kind, g.receiver_lookup FROM given g WHERE g.nobody ORDER BY g.ord
$$;

-- As post_payouts, inside of a block that the caller has begun and will close: payouts and their journals get the numbers from p_seq
-- on, and n says how many there are. The caller has looked at the float.
CREATE OR REPLACE FUNCTION post_in_block(p_book integer, p_principal integer, p_seq bigint, p_block bigint, p_at timestamptz,
    p_items payout_draft[], OUT outcome smallint[], OUT payout_id bigint[], OUT n integer)
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    written record;
    kept payout_draft[];
    look record;
BEGIN
    PERFORM check_payout_drafts(p_items, p_at);
    SELECT bool_and(d.refusal = 0 AND d.quote_id IS NULL AND d.carried IS NULL) AS plain INTO look FROM unnest(p_items) d;
    n := cardinality(p_items);
    IF look.plain THEN
        BEGIN
            written := write_payouts(p_book, p_principal, p_seq, p_block, p_items, false);
            IF written.n = n THEN
                outcome := array_fill(0::smallint, ARRAY[n]);
                payout_id := array(SELECT generate_series(p_seq, p_seq + n - 1));
                RETURN;
            END IF;
            RAISE EXCEPTION 'a beneficiary or bank is missing' USING ERRCODE = 'UJ000';
        EXCEPTION WHEN unique_violation OR SQLSTATE 'UJ000' THEN
            NULL;   -- undone to the BEGIN above: judge each item
        END;
    END IF;
    SELECT j.outcome, j.payout_id INTO outcome, payout_id FROM judge_payouts(p_book, p_items, p_at, p_seq) j;
    kept := array(SELECT t.item FROM (SELECT unnest(p_items) AS item, unnest(outcome) AS o) t WHERE t.o = 0);
    n := cardinality(kept);
    IF n > 0 THEN
        kept := carry_beneficiaries(p_book, p_principal, p_at, kept);
        written := write_payouts(p_book, p_principal, p_seq, p_block, kept, true);
        IF written.n <> n THEN
            RAISE EXCEPTION 'post_in_block wrote % of % judged payouts', written.n, n;
        END IF;
    END IF;
END $$;

-- A draft that names a rate sheet, digits or a version of the policy that are not there at that time (post_payouts says more): the caller is
-- broken, nobody is judged.
CREATE OR REPLACE FUNCTION check_payout_drafts(p_items payout_draft[], p_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    IF (SELECT bool_or(g.sound AND (NOT EXISTS (SELECT 1 FROM rate_sheet s WHERE s.rate_id = g.rate_id AND s.refused IS NULL)
               OR g.digit_shift IS DISTINCT FROM (SELECT t.digits - s.digits FROM currency s, currency t
                                                   WHERE s.ccy = g.src_ccy AND t.ccy = g.dst_ccy)
               OR NOT CASE WHEN g.policy_id IS NULL THEN g.quoted OR NOT EXISTS (SELECT 1 FROM policy)
                           ELSE EXISTS (SELECT 1 FROM policy v WHERE v.policy_id = g.policy_id AND v.effective_at <= p_at) END))
          FROM (SELECT d.rate_id, d.src_ccy, d.dst_ccy, d.digit_shift, d.policy_id, bool_or(d.refusal = 0) AS sound,
                       bool_and(d.quote_id IS NOT NULL OR d.refusal <> 0) AS quoted
                  FROM unnest(p_items) d GROUP BY d.rate_id, d.src_ccy, d.dst_ccy, d.digit_shift, d.policy_id) g) THEN
        RAISE EXCEPTION 'a payout names a rate sheet, digits or a version of the policy that are not there' USING ERRCODE = 'UJ604';
    END IF;
END $$;

-- Puts boxes encrypted with p_key in the place of those that are as they were read: as rotate_pii.
CREATE OR REPLACE FUNCTION rotate_batch_items(p_book integer[], p_batch bigint[], p_item integer[], p_old_key smallint[], p_old bytea[],
    p_key smallint, p_sealed bytea[])
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    n integer;
BEGIN
    IF p_key < 1 THEN
        RAISE EXCEPTION 'key %: what is encrypted stays encrypted', p_key USING ERRCODE = 'UJ305';
    END IF;
    UPDATE payout_batch_item r SET key_id = p_key, sealed = n.sealed
      FROM unnest(p_book, p_batch, p_item, p_old_key, p_old, p_sealed) AS n (book_id, batch_id, item_no, old_key, old, sealed)
     WHERE r.book_id = n.book_id AND r.batch_id = n.batch_id AND r.item_no = n.item_no
       AND r.key_id = n.old_key AND sha256(r.sealed) = n.old;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- ------------------------------------------------------------------ credentials

-- A client of the REST API; p_uri is a platform's. The same client id again is refused (400).
CREATE OR REPLACE FUNCTION add_rest_credential(p_uri text, p_client text, p_salt bytea, p_secret_sha256 bytea, p_token_key bytea,
    p_sandbox boolean)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer;
    id integer;
BEGIN
    SELECT principal_id INTO who FROM principal WHERE uri = p_uri AND role = 'platform';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no platform %', p_uri USING ERRCODE = 'UJ503';
    END IF;
    INSERT INTO rest_credential (client_id, principal_id, secret_salt, secret_sha256, token_key, sandbox)
    VALUES (p_client, who, p_salt, p_secret_sha256, p_token_key, p_sandbox)
        ON CONFLICT (client_id) DO NOTHING RETURNING credential_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'client id % is in use', p_client USING ERRCODE = 'UJ400';
    END IF;
    RETURN id;
END $$;

-- NULL: stays as it is. A new token key ends all bearer tokens. Answers whether there is such a client.
CREATE OR REPLACE FUNCTION set_rest_credential(p_client text, p_enabled boolean, p_token_key bytea, p_salt bytea, p_secret_sha256 bytea)
RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
    UPDATE rest_credential
       SET enabled = coalesce(p_enabled, enabled), token_key = coalesce(p_token_key, token_key),
           secret_salt = coalesce(p_salt, secret_salt), secret_sha256 = coalesce(p_secret_sha256, secret_sha256)
     WHERE client_id = p_client RETURNING true;
$$;
