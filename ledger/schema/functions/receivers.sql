-- By what a person is found: e-mail addresses and phone numbers, as keyed hashes and encrypted (docs/personal-data.md).

-- Adds a receiver to a beneficiary, or takes it over from another one. Answers whether it was not theirs before: again
-- changes nothing. Refused for a beneficiary that does not exist or was erased (211).
CREATE OR REPLACE FUNCTION add_receiver(p_book integer, p_principal integer, p_beneficiary bigint, p_kind smallint, p_lookup bytea,
    p_key smallint, p_sealed bytea)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;   -- no claim and no erasure meanwhile
    IF NOT EXISTS (SELECT FROM beneficiary WHERE book_id = p_book AND beneficiary_id = p_beneficiary AND erased_at IS NULL) THEN
        RAISE EXCEPTION 'no beneficiary %', p_beneficiary USING ERRCODE = 'UJ211';
    END IF;
    INSERT INTO receiver AS r (book_id, kind, lookup, beneficiary_id, key_id, sealed, principal_id, created_at)
    VALUES (p_book, p_kind, p_lookup, p_beneficiary, p_key, p_sealed, p_principal, clock_timestamp())
        ON CONFLICT (book_id, kind, lookup) DO UPDATE
       SET beneficiary_id = excluded.beneficiary_id, key_id = excluded.key_id, sealed = excluded.sealed,
           principal_id = excluded.principal_id, created_at = excluded.created_at
     WHERE r.beneficiary_id <> excluded.beneficiary_id;
    RETURN FOUND;
END $$;

-- Answers whether the beneficiary had it.
CREATE OR REPLACE FUNCTION remove_receiver(p_book integer, p_beneficiary bigint, p_kind smallint, p_lookup bytea)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    DELETE FROM receiver WHERE book_id = p_book AND kind = p_kind AND lookup = p_lookup AND beneficiary_id = p_beneficiary;
    RETURN FOUND;
END $$;

-- Puts boxes encrypted with p_key in the place of those that are as they were read: as rotate_pii.
CREATE OR REPLACE FUNCTION rotate_receivers(p_book integer[], p_kind smallint[], p_lookup bytea[], p_old_key smallint[], p_old bytea[],
    p_key smallint, p_sealed bytea[])
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    n integer;
BEGIN
    IF p_key < 1 THEN
        RAISE EXCEPTION 'key %: what is encrypted stays encrypted', p_key USING ERRCODE = 'UJ305';
    END IF;
    UPDATE receiver r SET key_id = p_key, sealed = n.sealed
      FROM unnest(p_book, p_kind, p_lookup, p_old_key, p_old, p_sealed) AS n (book_id, kind, lookup, old_key, old, sealed)
     WHERE r.book_id = n.book_id AND r.kind = n.kind AND r.lookup = n.lookup AND r.key_id = n.old_key AND sha256(r.sealed) = n.old;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
