-- The signed log (docs/log-format.md): what the sealer writes. It computes; here is only held that seals follow one another.

-- A key comes into force with block p_from. The first key of a book signs itself, every later one is signed by the one
-- before it; whether the signature is right is for whoever verifies, since PostgreSQL knows no Ed25519.
CREATE OR REPLACE FUNCTION add_log_key(p_book integer, p_from bigint, p_public bytea, p_created_at timestamptz,
    p_signed_by text, p_signature bytea)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
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

-- Seals the book's next blocks, which follow the last sealed one, and keeps the signed head of the tree that they end.
-- A key that comes into force meanwhile is not passed over: the rows of log_key are held until the commit, and what is
-- signed with another key than the one in force is refused (UJ409: the sealer reads its keys anew and does it again).
CREATE OR REPLACE FUNCTION seal_blocks(p_book integer, p_seals block_seal_draft[], p_root bytea, p_signed_at timestamptz,
    p_key text, p_signature bytea)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
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
