-- Locks a price. The same request id with the same body answers with the first quote, with another it is
-- refused (400 REFERENCE_REUSED). p_policy is the version that priced it, in force by now; NULL
-- where there is none at all.
CREATE OR REPLACE FUNCTION create_quote(p_book integer, p_principal integer, p_request text, p_fingerprint bytea,
    p_src smallint, p_dst smallint, p_digit_shift smallint, p_rate integer, p_numbers bigint[], p_margin_bps integer, p_ttl_ms integer,
    p_policy integer)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
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
    IF NOT (CASE WHEN p_policy IS NULL THEN NOT EXISTS (SELECT 1 FROM policy)
                 ELSE EXISTS (SELECT 1 FROM policy v WHERE v.policy_id = p_policy AND v.effective_at <= at) END) THEN
        RAISE EXCEPTION 'a quote names a version of the policy that is not there' USING ERRCODE = 'UJ604';
    END IF;
    SELECT coalesce(max(quote_id), 0) + 1 INTO id FROM quote WHERE book_id = p_book;
    -- p_numbers: gross, fee, mid_rate_e10, mid_value, margin, net
    INSERT INTO quote (book_id, quote_id, request_id, fingerprint, src_ccy, dst_ccy, digit_shift, rate_id, gross, fee, mid_rate_e10,
                       mid_value, margin_bps, margin, net, principal_id, created_at, expires_at, policy_id)
    VALUES (p_book, id, p_request, p_fingerprint, p_src, p_dst, p_digit_shift, p_rate, p_numbers[1], p_numbers[2], p_numbers[3],
            p_numbers[4], p_margin_bps, p_numbers[5], p_numbers[6], p_principal, at, at + p_ttl_ms * interval '1 millisecond', p_policy);
    RETURN id;
END $$;
