-- Personal data that has its own rows, beneficiary_pii: erased, and encrypted anew. Their guard lets these two functions
-- through and nobody else (0003_personal_data.sql). Receivers and the boxes of items have their own guards (0006_platform_doors.sql).

-- Erases what a person is called and paid by, in all versions; answers how many there were, 0 if they are gone already.
-- What the log holds stays: the commitments say nothing without the salts. Refused for a beneficiary that does not exist
-- (211), and while one of the payouts is not finished, or money is set aside for one of the receivers (409): a bank could not be told
-- whom to pay. The receivers go too, and of what batches sent what names the person.
-- Whoever was carried by payouts can be carried again, as somebody new; one that was registered stays erased.
CREATE OR REPLACE FUNCTION erase_beneficiary(p_book integer, p_id bigint, p_by text, p_reason text)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    seen bigint;
    gone integer;
    named bigint[] := '{}';     -- payouts of items of batches
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
        named := named || array(SELECT p.payout_id FROM payout p
                                 WHERE p.book_id = p_book AND p.beneficiary_id = p_id
                                   AND CASE i WHEN 1 THEN p.payout_id <= seen ELSE p.payout_id > seen END
                                   AND EXISTS (SELECT FROM payout_batch b WHERE b.book_id = p_book));
        IF i = 1 THEN
            PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM receiver r JOIN unclaimed_open o ON o.book_id = r.book_id AND o.receiver_kind = r.kind AND o.receiver_lookup = r.lookup
                WHERE r.book_id = p_book AND r.beneficiary_id = p_id) THEN
        RAISE EXCEPTION 'money is set aside for a receiver of beneficiary %', p_id USING ERRCODE = 'UJ409',
            HINT = 'Wait until it is claimed, or cancel it.';
    END IF;
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
    -- What was sent to them, and what was sent to their receivers and came to nothing.
    UPDATE payout_batch_item i SET receiver_kind = NULL, receiver_lookup = NULL, key_id = NULL, sealed = NULL
     WHERE i.book_id = p_book AND (i.sealed IS NOT NULL OR i.receiver_lookup IS NOT NULL)
       AND (i.payout_id = ANY (named)
            OR i.unclaimed_id IN (SELECT e.unclaimed_id FROM unclaimed_end e WHERE e.book_id = p_book AND e.payout_id = ANY (named))
            OR (i.receiver_kind, i.receiver_lookup) IN (SELECT r.kind, r.lookup FROM receiver r
                                                         WHERE r.book_id = p_book AND r.beneficiary_id = p_id));
    DELETE FROM receiver WHERE book_id = p_book AND beneficiary_id = p_id;
    INSERT INTO pii_erasure (book_id, beneficiary_id, erased_at, erased_by, reason, versions)
    VALUES (p_book, p_id, clock_timestamp(), p_by, p_reason, gone);
    RETURN gone;
END $$;

-- Puts rows encrypted with p_key in the place of those that are as they were read (p_old: SHA-256 of what was sealed);
-- answers how many. Another rotation, or an erasure, may have been there before.
CREATE OR REPLACE FUNCTION rotate_pii(p_book integer[], p_id bigint[], p_version integer[], p_old_key smallint[], p_old bytea[],
    p_key smallint, p_sealed bytea[])
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
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
