-- One version: what the log holds of it, and, apart from that, what a person is called and paid by, encrypted.
CREATE OR REPLACE FUNCTION put_beneficiary_version(p_book integer, p_principal integer, p_id bigint, p_version integer,
    p_draft beneficiary_draft, p_at timestamptz)
RETURNS void LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    INSERT INTO beneficiary_version (book_id, beneficiary_id, version, fingerprint, bank_id, channel, purpose_code,
                                     name_commitment, iban_commitment, mobile_commitment, cnic_commitment, pseb_commitment,
                                     principal_id, created_at)
    VALUES (p_book, p_id, p_version, p_draft.fingerprint, p_draft.bank_id, p_draft.channel, p_draft.purpose_code,
            p_draft.name_commitment, p_draft.iban_commitment, p_draft.mobile_commitment, p_draft.cnic_commitment,
            p_draft.pseb_commitment, p_principal, p_at);
    INSERT INTO beneficiary_pii (book_id, beneficiary_id, version, key_id, sealed)
    VALUES (p_book, p_id, p_version, p_draft.pii_key, p_draft.pii);
$$;

-- The book's beneficiary under that request id; a new one if there is none. The caller compares fingerprints.
CREATE OR REPLACE FUNCTION put_beneficiary(p_book integer, p_principal integer, p_request text, p_draft beneficiary_draft, p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
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

-- Registers; the same request id with the same details answers with the first result, with others it is
-- refused (400 REFERENCE_REUSED).
CREATE OR REPLACE FUNCTION register_beneficiary(p_book integer, p_principal integer, p_request text, p_draft beneficiary_draft[])
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
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

-- Adds a version. p_version 0: whichever is current; another than the current one: 409 STATE_CONFLICT.
-- Details that are already the current ones change nothing, so a retry is safe whatever has become of the bank since;
-- new ones are refused when the bank takes no instructions (205 BANK_NOT_CONNECTED). Only what was registered can be
-- updated: one that a payout carried stands for those very details, and the next payout that carries them gets it. One that
-- was erased stays so (211 BENEFICIARY_NOT_FOUND).
CREATE OR REPLACE FUNCTION update_beneficiary(p_book integer, p_principal integer, p_id bigint, p_version integer, p_draft beneficiary_draft[])
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
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
