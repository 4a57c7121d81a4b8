-- Money set aside for somebody who is not known yet, and its three ends: claimed, expired, cancelled. Each end takes the book's
-- lock first, and the row of unclaimed_open with it: whoever comes second finds none.

-- The account that a currency's unclaimed money is in; made by the first. What is in it is never less than nothing, as the float.
CREATE OR REPLACE FUNCTION open_unclaimed_account(p_book integer, p_ccy smallint) RETURNS void
LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    SELECT add_account(p_book, 'unclaimed.' || code, 'unclaimed', 'LIABILITY', 'credit', ccy, NULL, true) FROM currency WHERE ccy = p_ccy;
$$;

-- In whose name: the caller's, or (NULL, 0) the sweeper's.
CREATE OR REPLACE FUNCTION unclaimed_principal(p_principal integer) RETURNS integer
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce(nullif(p_principal, 0), (SELECT principal_id FROM principal WHERE uri = 'ujrat://system/unclaimed'));
$$;

-- What became of those that are not open: 1 it ended so before, 409 it ended otherwise, 408 there never was one.
CREATE OR REPLACE FUNCTION unclaimed_over(p_book integer, p_id bigint, p_outcome smallint) RETURNS smallint
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce((SELECT CASE WHEN e.outcome = p_outcome THEN 1 ELSE 409 END FROM unclaimed_end e
                      WHERE e.book_id = p_book AND e.unclaimed_id = p_id), 408)::smallint;
$$;

-- Claims: for each the journal that set it aside is reversed and its payout posted, in one block: first the reversals, then as many payouts
-- in the same order. p_payouts[i] is the payout of p_ids[i]: as post_payouts takes it, under the reference, info, gross and currency that were set
-- aside, and to a beneficiary who has that receiver.
--
-- Answers one outcome an item, in order: 0 claimed, 1 claimed before (payout_id is that of then), else the reason why nothing was done of it:
-- 408 there is none, 409 it ended otherwise or its time is over, 211 the beneficiary has not that receiver, or what post_payouts refuses for.
CREATE OR REPLACE FUNCTION claim_unclaimed(p_book integer, p_principal integer, p_ids bigint[], p_payouts payout_draft[],
    OUT outcome smallint[], OUT payout_id bigint[], OUT committed_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := unclaimed_principal(p_principal);
    head record;
    item record;
    judged record;
    kept integer[] := '{}';    -- places of those that may be claimed
    good integer[] := '{}';
    written integer;
    n integer;
BEGIN
    IF cardinality(p_ids) IS DISTINCT FROM cardinality(p_payouts) THEN
        RAISE EXCEPTION 'as many payouts as what they claim' USING ERRCODE = 'UJ604';
    END IF;
    head := begin_block(p_book);
    committed_at := head.at;
    outcome := array_fill(0::smallint, ARRAY[cardinality(p_ids)]);
    payout_id := array_fill(NULL::bigint, ARRAY[cardinality(p_ids)]);
    FOR item IN
        SELECT t.ord::integer AS ord, o.unclaimed_id IS NOT NULL AS open, unclaimed_over(p_book, t.id, 1::smallint) AS over,
               o.expires_at <= head.at AS late, e.payout_id AS old_payout, (t.d).refusal AS refusal,
               first_value(t.ord) OVER (PARTITION BY t.id ORDER BY t.ord) < t.ord AS again,
               ((t.d).reference, (t.d).info, (t.d).gross, (t.d).src_ccy) IS NOT DISTINCT FROM (u.reference, u.info, u.gross, u.ccy)
               AND (t.d).quote_id IS NULL AND (t.d).carried IS NOT DISTINCT FROM NULL AS same,
               EXISTS (SELECT FROM receiver r WHERE r.book_id = p_book AND r.kind = o.receiver_kind AND r.lookup = o.receiver_lookup
                          AND r.beneficiary_id = (t.d).beneficiary_id) AS theirs
          FROM (SELECT ord, id, d FROM (SELECT unnest(p_ids) AS id, unnest(p_payouts) AS d, generate_subscripts(p_ids, 1) AS ord) z) t
          LEFT JOIN unclaimed u ON u.book_id = p_book AND u.unclaimed_id = t.id
          LEFT JOIN unclaimed_open o ON o.book_id = p_book AND o.unclaimed_id = t.id
          LEFT JOIN unclaimed_end e ON e.book_id = p_book AND e.unclaimed_id = t.id
         ORDER BY t.ord
    LOOP
        outcome[item.ord] := CASE
            WHEN NOT item.open THEN item.over
            WHEN item.late OR item.again THEN 409
            WHEN item.refusal <> 0 THEN item.refusal
            WHEN NOT item.theirs THEN 211
            ELSE 0 END;
        payout_id[item.ord] := item.old_payout;
        IF outcome[item.ord] = 0 THEN
            IF NOT item.same THEN
                RAISE EXCEPTION 'unclaimed % is not what its payout says', p_ids[item.ord] USING ERRCODE = 'UJ604';
            END IF;
            kept := kept || item.ord;
        END IF;
    END LOOP;
    IF cardinality(kept) = 0 THEN
        RETURN;
    END IF;

    PERFORM check_payout_drafts(array(SELECT p_payouts[k] FROM unnest(kept) k), head.at);
    -- What post_payouts would say of each. That the float is too low (which is looked at last) does not matter: it gets the same back just
    -- before. One that exists under the reference was posted through another door: it is not this one's.
    SELECT array_agg(CASE o WHEN 109 THEN 0 WHEN 1 THEN 400 ELSE o END::smallint ORDER BY ord) AS outcome INTO judged
      FROM unnest((SELECT j.outcome FROM judge_payouts(p_book, array(SELECT p_payouts[k] FROM unnest(kept) WITH ORDINALITY x (k, ord) ORDER BY ord),
                                                       head.at, head.seq) j)) WITH ORDINALITY v (o, ord);
    FOR i IN 1 .. cardinality(kept) LOOP
        outcome[kept[i]] := judged.outcome[i];
        IF judged.outcome[i] = 0 THEN
            good := good || kept[i];
        END IF;
    END LOOP;
    n := cardinality(good);
    IF n = 0 THEN
        RETURN;
    END IF;
    PERFORM reverse_unclaimed(p_book, who, head.seq, head.block_no, 16::smallint,
                              array(SELECT p_ids[k] FROM unnest(good) WITH ORDINALITY x (k, ord) ORDER BY ord));
    SELECT w.n INTO written FROM write_payouts(p_book, who, head.seq + n, head.block_no,
                                        array(SELECT p_payouts[k] FROM unnest(good) WITH ORDINALITY x (k, ord) ORDER BY ord), true) w;
    IF written IS DISTINCT FROM n THEN
        RAISE EXCEPTION 'claim_unclaimed wrote % of % judged payouts', written, n;
    END IF;
    FOR i IN 1 .. n LOOP
        payout_id[good[i]] := head.seq + n + i - 1;
    END LOOP;
    INSERT INTO unclaimed_end (book_id, unclaimed_id, outcome, seq, payout_id)
    SELECT p_book, p_ids[x.k], 1, head.seq + x.ord - 1, head.seq + n + x.ord - 1 FROM unnest(good) WITH ORDINALITY x (k, ord) ORDER BY x.ord;
    DELETE FROM unclaimed_open o WHERE o.book_id = p_book AND o.unclaimed_id = ANY (array(SELECT p_ids[k] FROM unnest(good) k));
    PERFORM close_block(p_book, head.block_no, head.seq, head.seq + 2 * n - 1, head.at);
END $$;

-- Journals that reverse those that set these aside, in their order, with numbers from p_seq on.
CREATE OR REPLACE FUNCTION reverse_unclaimed(p_book integer, p_principal integer, p_seq bigint, p_block bigint, p_kind smallint, p_ids bigint[])
RETURNS void LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    INSERT INTO journal (seq, block_no, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail)
    SELECT p_seq + x.ord - 1, p_block, x.id, p_book, p_principal, p_kind, j.line_account, j.line_ccy,
           ARRAY[-j.line_minor[1], -j.line_minor[2]], j.detail
      FROM unnest(p_ids) WITH ORDINALITY x (id, ord)
     CROSS JOIN LATERAL (SELECT * FROM journal o WHERE o.book_id = p_book AND o.seq = x.id AND o.kind = 15 LIMIT 1) j
     ORDER BY x.ord;
$$;

-- The float gets back what nobody claimed: p_outcome 2 if its time is over, 3 if the platform cancels it. Answers one outcome an item, in
-- order: 0 returned, 1 it was so before, 408 there is none, 409 it ended otherwise, or (2) its time is not over.
CREATE OR REPLACE FUNCTION end_unclaimed(p_book integer, p_principal integer, p_ids bigint[], p_outcome smallint, OUT outcome smallint[])
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    head record;
    good bigint[];
BEGIN
    head := begin_block(p_book);
    SELECT array_agg(CASE WHEN o.unclaimed_id IS NULL THEN unclaimed_over(p_book, t.id, p_outcome)
                          WHEN t.again THEN 1
                          WHEN p_outcome = 2 AND o.expires_at > head.at THEN 409 ELSE 0 END::smallint ORDER BY t.ord),
           coalesce(array_agg(t.id ORDER BY t.ord) FILTER (WHERE o.unclaimed_id IS NOT NULL AND NOT t.again
                                                             AND (p_outcome = 3 OR o.expires_at <= head.at)), '{}')
      INTO outcome, good
      FROM (SELECT id, ord, first_value(ord) OVER (PARTITION BY id ORDER BY ord) < ord AS again FROM unnest(p_ids) WITH ORDINALITY x (id, ord)) t
      LEFT JOIN unclaimed_open o ON o.book_id = p_book AND o.unclaimed_id = t.id;
    IF cardinality(good) = 0 THEN
        RETURN;
    END IF;
    PERFORM reverse_unclaimed(p_book, p_principal, head.seq, head.block_no, 17::smallint, good);
    INSERT INTO unclaimed_end (book_id, unclaimed_id, outcome, seq)
    SELECT p_book, x.id, p_outcome, head.seq + x.ord - 1 FROM unnest(good) WITH ORDINALITY x (id, ord) ORDER BY x.ord;
    DELETE FROM unclaimed_open o WHERE o.book_id = p_book AND o.unclaimed_id = ANY (good);
    PERFORM close_block(p_book, head.block_no, head.seq, head.seq + cardinality(good) - 1, head.at);
END $$;

-- Gives back those whose time is over.
CREATE OR REPLACE FUNCTION return_unclaimed(p_book integer, p_principal integer, p_ids bigint[], OUT outcome smallint[])
LANGUAGE sql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
    SELECT outcome FROM end_unclaimed(p_book, unclaimed_principal(p_principal), p_ids, 2::smallint);
$$;

-- The platform takes one back. Cancelling again changes nothing; refused (408, 409) where there is none, or it ended otherwise.
CREATE OR REPLACE FUNCTION cancel_unclaimed(p_book integer, p_principal integer, p_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    verdict smallint;
BEGIN
    SELECT e.outcome[1] INTO verdict FROM end_unclaimed(p_book, unclaimed_principal(p_principal), ARRAY[p_id], 3::smallint) e;
    IF verdict > 1 THEN
        RAISE EXCEPTION 'unclaimed % cannot be cancelled', p_id USING ERRCODE = 'UJ' || verdict;
    END IF;
END $$;
