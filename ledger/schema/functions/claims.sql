-- The claim page (docs/paypal.md): whoever holds an item's link says to which account its money goes.

-- Registers a beneficiary for what is set aside under p_unclaimed and makes its receiver theirs, both or neither, while it is open and its
-- receiver is nobody's. p_request names the item and the details, so that a form sent twice registers once. verdict: 0 it is so, by this
-- or by the same form before; 1 it was claimed before; 2 the receiver is somebody's by now: a link takes nobody's place;
-- 408 there is none; 409 it ended otherwise or its time is over. Refused for a bank that takes nothing (205).
CREATE OR REPLACE FUNCTION register_claimant(p_book integer, p_unclaimed bigint, p_request text, p_draft beneficiary_draft[],
    p_lookup bytea, p_key smallint, p_sealed bytea, OUT verdict smallint, OUT beneficiary_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := unclaimed_principal(NULL);
    waits record;
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    SELECT o.receiver_kind, o.receiver_lookup, o.expires_at INTO waits FROM unclaimed_open o
     WHERE o.book_id = p_book AND o.unclaimed_id = p_unclaimed;
    IF NOT FOUND THEN
        verdict := unclaimed_over(p_book, p_unclaimed, 1::smallint);
        RETURN;
    END IF;
    IF waits.expires_at <= clock_timestamp() THEN
        verdict := 409;
        RETURN;
    END IF;
    IF waits.receiver_lookup IS DISTINCT FROM p_lookup THEN
        RAISE EXCEPTION 'unclaimed % is for somebody else', p_unclaimed USING ERRCODE = 'UJ604';
    END IF;
    SELECT r.beneficiary_id, b.request_id = 'request:' || p_request AND b.erased_at IS NULL AS same INTO waits
      FROM receiver r JOIN beneficiary b USING (book_id, beneficiary_id)
     WHERE r.book_id = p_book AND r.kind = waits.receiver_kind AND r.lookup = p_lookup;
    IF FOUND THEN
        verdict := CASE WHEN waits.same THEN 0 ELSE 2 END;
        beneficiary_id := waits.beneficiary_id;
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM bank k WHERE k.bank_id = p_draft[1].bank_id AND k.connected) THEN
        RAISE EXCEPTION 'bank % takes no instructions', p_draft[1].bank_id USING ERRCODE = 'UJ205';
    END IF;
    beneficiary_id := register_beneficiary(p_book, who, p_request, p_draft);
    PERFORM add_receiver(p_book, who, beneficiary_id, o.receiver_kind, o.receiver_lookup, p_key, p_sealed)
       FROM unclaimed_open o WHERE o.book_id = p_book AND o.unclaimed_id = p_unclaimed;
    verdict := 0;
END $$;
