-- Accepts payouts: one call a batch, one block a call. Items come validated, priced and with their lines
-- (domain/pricing.h, domain/journal.h); what is decided here is what only the ledger can know, under the
-- book's lock: was the reference used before, is the quote still free, does the float cover it.
--
-- Answers one outcome an item, in order: 0 accepted, 1 duplicate (same reference, same body), else the number
-- of the reason it was refused for (domain/reason.h). stored_* are what the payouts come to where that may differ from
-- what was sent, that is when there are duplicates; else NULL. Items are taken in order of arrival while the float
-- lasts. Refusals are answers, not exceptions: an ERROR from here is a bug or a broken batch.
--
-- Where every item was accepted as it was sent, block_no and the version of each beneficiary are answered too: with them
-- whoever sent the items knows all that stands in the block (seal/handover.h). Else both are NULL.
CREATE OR REPLACE FUNCTION post_payouts(p_book integer, p_principal integer, p_items payout_draft[],
    OUT outcome smallint[], OUT payout_id bigint[], OUT bank_id smallint[], OUT committed_at timestamptz,
    OUT stored_fee bigint[], OUT stored_net bigint[], OUT stored_ccy smallint[], OUT stored_beneficiary bigint[],
    OUT block_no bigint, OUT beneficiary_version integer[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
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
    -- (fault: a rate sheet or number of digits that does not exist, or a version of the policy that is not in force yet or none at all: the
    -- caller is broken, nobody is judged. What a quote from before there were versions priced has none.)
    SELECT bool_or(g.sound AND (NOT EXISTS (SELECT 1 FROM rate_sheet s WHERE s.rate_id = g.rate_id AND s.refused IS NULL)
               OR g.digit_shift IS DISTINCT FROM (SELECT t.digits - s.digits FROM currency s, currency t
                                                   WHERE s.ccy = g.src_ccy AND t.ccy = g.dst_ccy)
               OR NOT CASE WHEN g.policy_id IS NULL THEN g.quoted OR NOT EXISTS (SELECT 1 FROM policy)
                           ELSE EXISTS (SELECT 1 FROM policy v WHERE v.policy_id = g.policy_id AND v.effective_at <= head.at) END)) AS fault,
           bool_and(g.plain) AND bool_and(g.wanted <= coalesce(-current_balance(p_book, a.account_id), 0)) AS plain
      INTO look
      FROM (SELECT d.rate_id, d.src_ccy, d.dst_ccy, d.digit_shift, d.policy_id, bool_or(d.refusal = 0) AS sound,
                   bool_and(d.quote_id IS NOT NULL OR d.refusal <> 0) AS quoted,
                   bool_and(d.refusal = 0 AND d.quote_id IS NULL AND d.carried IS NULL) AS plain,
                   sum(sum(d.gross)) OVER (PARTITION BY d.src_ccy) AS wanted
              FROM unnest(p_items) d GROUP BY d.rate_id, d.src_ccy, d.dst_ccy, d.digit_shift, d.policy_id) g
      LEFT JOIN account a ON a.book_id = p_book AND a.role = 'float' AND a.ccy = g.src_ccy;
    IF look.fault THEN
        RAISE EXCEPTION 'a payout names a rate sheet, digits or a version of the policy that are not there' USING ERRCODE = 'UJ604';
    END IF;
    plain := look.plain AND NOT EXISTS (SELECT 1 FROM payout p WHERE p.book_id = p_book
                                           AND p.reference IN (p_items[1].reference, p_items[n].reference));
    IF plain THEN
        BEGIN
            written := write_payouts(p_book, p_principal, head.seq, head.block_no, p_items, false);
            IF written.n = n THEN
                outcome := array_fill(0::smallint, ARRAY[n]);
                payout_id := array(SELECT generate_series(head.seq, head.seq + n - 1));
                bank_id := written.bank_id;
                block_no := head.block_no;
                beneficiary_version := written.beneficiary_version;
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
        written := write_payouts(p_book, p_principal, head.seq, head.block_no, kept, true);
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

-- Writes payouts and their journals with consecutive numbers from p_seq on. Those whose beneficiary does
-- not exist or was erased, or whose bank is not connected, are left out, and unless they were judged (which looked at that) those
-- above what their bank takes: n says how many were written.
CREATE OR REPLACE FUNCTION write_payouts(p_book integer, p_principal integer, p_seq bigint, p_block bigint,
    p_items payout_draft[], p_judged boolean, OUT n integer, OUT bank_id smallint[], OUT beneficiary_version integer[])
LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    WITH payable AS (    -- the payable account of bank i in the first item's currency, 0 if it has none or is not connected
        SELECT array_agg(coalesce(a.account_id, 0) ORDER BY i) AS of_bank,
               array_agg(coalesce(t.instruction_max, 9223372036854775807) ORDER BY i) AS max_of_bank
          FROM generate_series(1, (SELECT max(bank_id)::integer FROM bank)) i
          LEFT JOIN bank_terms_now t ON t.bank_id = i AND t.ccy = p_items[1].dst_ccy AND NOT p_judged
          LEFT JOIN (account a JOIN bank k ON k.bank_id = a.bank_id AND k.connected)
            ON a.book_id = p_book AND a.role = 'payable' AND a.ccy = p_items[1].dst_ccy AND a.bank_id = i
    ), item AS MATERIALIZED (    -- what the journal needs comes first: a row is read no further than that
        SELECT p_seq + d.ord - 1 AS payout_id, a.payable, d.line_account, d.line_ccy, d.line_minor, d.ord,
               d.beneficiary_id, d.gross, d.fee, d.mid_rate_e10, d.mid_value, d.margin, d.net, d.quote_id, d.rate_id,
               d.policy_id, b.version AS beneficiary_version, d.margin_bps, d.src_ccy, d.dst_ccy, b.bank_id, d.digit_shift,
               d.fingerprint, d.reference, d.info
          FROM unnest(p_items) WITH ORDINALITY AS d
               (reference, fingerprint, info, beneficiary_id, carried, quote_id, gross, fee, mid_rate_e10,
                mid_value, margin, net, rate_id, margin_bps, src_ccy, dst_ccy, digit_shift, refusal,
                line_account, line_ccy, line_minor, policy_id, ord)
         -- laterals with a limit: one look-up an item, whatever the planner believes
         CROSS JOIN LATERAL (SELECT version, bank_id FROM beneficiary
                              WHERE book_id = p_book AND beneficiary_id = d.beneficiary_id AND erased_at IS NULL LIMIT 1) b
         CROSS JOIN LATERAL (SELECT CASE WHEN d.dst_ccy = p_items[1].dst_ccy THEN (SELECT of_bank FROM payable)[b.bank_id]
                                         ELSE payable_account(p_book, b.bank_id, d.dst_ccy) END AS payable OFFSET 0) a
         WHERE a.payable <> 0 AND d.net <= (SELECT max_of_bank FROM payable)[b.bank_id]
    ), payouts AS (
        INSERT INTO payout (payout_id, beneficiary_id, gross, fee, mid_rate_e10, mid_value, margin, net, quote_id,
                            book_id, rate_id, beneficiary_version, margin_bps, src_ccy, dst_ccy, bank_id,
                            digit_shift, fingerprint, reference, info, policy_id)
        SELECT payout_id, beneficiary_id, gross, fee, mid_rate_e10, mid_value, margin, net, quote_id,
               p_book, rate_id, beneficiary_version, margin_bps, src_ccy, dst_ccy, bank_id,
               digit_shift, fingerprint, reference, info, policy_id
          FROM item
    ), journals AS (
        INSERT INTO journal (seq, block_no, payout_id, book_id, principal_id, kind, line_account, line_ccy, line_minor)
        SELECT payout_id, p_block, payout_id, p_book, p_principal, 1,
               array_replace(line_account, 2147483647, payable), line_ccy, line_minor
          FROM item
    )
    SELECT count(*)::integer, array_agg(bank_id), array_agg(beneficiary_version)    -- sorted once for both
      FROM (SELECT bank_id, beneficiary_version FROM item ORDER BY ord) sorted;
$$;

-- What the book owes a bank that takes instructions; NULL: it takes none.
CREATE OR REPLACE FUNCTION payable_account(p_book integer, p_bank smallint, p_ccy smallint) RETURNS integer
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT a.account_id FROM account a JOIN bank k ON k.bank_id = a.bank_id AND k.connected
     WHERE a.book_id = p_book AND a.role = 'payable' AND a.ccy = p_ccy AND coalesce(a.bank_id, 0::smallint) = p_bank;
$$;

-- What becomes of each item, one after the other, as if they had come alone.
CREATE OR REPLACE FUNCTION judge_payouts(p_book integer, p_items payout_draft[], p_at timestamptz, p_seq bigint,
    OUT outcome smallint[], OUT payout_id bigint[])
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
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
               k.connected AND a.account_id IS NOT NULL AS bank_payable, d.net > m.instruction_max AS over_limit,
               q.quote_id AS q_id, q.expires_at AS q_expires_at, used.payout_id IS NOT NULL AS q_used,
               (q.gross, q.fee, q.mid_rate_e10, q.mid_value, q.margin_bps, q.margin, q.net, q.rate_id, q.policy_id, q.src_ccy, q.dst_ccy)
               IS NOT DISTINCT FROM
               (d.gross, d.fee, d.mid_rate_e10, d.mid_value, d.margin_bps, d.margin, d.net, d.rate_id, d.policy_id, d.src_ccy, d.dst_ccy)
               AS q_same
          FROM unnest(p_items) WITH ORDINALITY AS d
               (reference, fingerprint, info, beneficiary_id, carried, quote_id, gross, fee, mid_rate_e10,
                mid_value, margin, net, rate_id, margin_bps, src_ccy, dst_ccy, digit_shift, refusal,
                line_account, line_ccy, line_minor, policy_id, ord)
          LEFT JOIN payout p ON p.book_id = p_book AND p.reference = d.reference
          LEFT JOIN beneficiary b ON b.book_id = p_book AND b.beneficiary_id = d.beneficiary_id AND b.erased_at IS NULL
          LEFT JOIN account a ON a.book_id = p_book AND a.role = 'payable' AND a.ccy = d.dst_ccy
                             AND a.bank_id = coalesce((d.carried).bank_id, b.bank_id)
          LEFT JOIN bank k ON k.bank_id = a.bank_id
          LEFT JOIN bank_terms_now m ON m.bank_id = a.bank_id AND m.ccy = d.dst_ccy
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
            WHEN item.over_limit THEN 102                                                  -- AMOUNT_OVER_LIMIT
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

-- Gives items that carry their beneficiary one of the book's, made now if the same details were never
-- carried before.
CREATE OR REPLACE FUNCTION carry_beneficiaries(p_book integer, p_principal integer, p_at timestamptz, p_items payout_draft[])
RETURNS payout_draft[] LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
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
