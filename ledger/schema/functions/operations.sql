-- What operators do: open books, connect banks, take in floats and rates.

CREATE OR REPLACE FUNCTION add_account(p_book integer, p_code text, p_role text, p_type account_type, p_side text, p_ccy smallint,
    p_bank smallint, p_floor boolean)
RETURNS void LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    id integer;
BEGIN
    IF EXISTS (SELECT 1 FROM account WHERE book_id = p_book AND code = p_code) THEN
        RETURN;
    END IF;
    SELECT coalesce(max(account_id), 0) + 1 INTO id FROM account WHERE book_id = p_book;
    INSERT INTO account (book_id, account_id, code, role, type, normal_side, ccy, bank_id, floor_zero)
    VALUES (p_book, id, p_code, p_role, p_type, p_side, p_ccy, p_bank, p_floor);
    INSERT INTO account_balance (block_no, change, balance, debit_count, credit_count, book_id, account_id, floor_zero)
    VALUES (0, 0, 0, 0, 0, p_book, id, p_floor);
END $$;

-- The accounts a book needs to pay out of a currency.
CREATE OR REPLACE FUNCTION open_currency(p_book integer, p_code text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    c smallint;
BEGIN
    SELECT ccy INTO c FROM currency WHERE code = p_code;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no currency %', p_code USING ERRCODE = 'UJ106';
    END IF;
    PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;
    PERFORM add_account(p_book, 'float.' || p_code, 'float', 'LIABILITY', 'credit', c, NULL, true);
    PERFORM add_account(p_book, 'correspondent.' || p_code, 'correspondent', 'ASSET', 'debit', c, NULL, false);
    PERFORM add_account(p_book, 'fee.' || p_code, 'fee', 'INCOME', 'credit', c, NULL, false);
    PERFORM add_account(p_book, 'position.' || p_code, 'position', 'POSITION', 'debit', c, NULL, false);
END $$;

-- The accounts a book needs to pay into a bank.
CREATE OR REPLACE FUNCTION open_bank_accounts(p_book integer, p_bank smallint) RETURNS void
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    b text;
BEGIN
    SELECT code INTO b FROM bank WHERE bank_id = p_bank;
    PERFORM add_account(p_book, 'position.PKR', 'position', 'POSITION', 'debit', 586::smallint, NULL, false);
    PERFORM add_account(p_book, 'margin.PKR', 'margin', 'INCOME', 'credit', 586::smallint, NULL, false);
    PERFORM add_account(p_book, 'payable.' || b || '.PKR', 'payable', 'LIABILITY', 'credit', 586::smallint, p_bank, false);
    PERFORM add_account(p_book, 'nostro.' || b || '.PKR', 'nostro', 'ASSET', 'debit', 586::smallint, p_bank, false);
END $$;

-- A platform and its book. Asking again changes nothing.
CREATE OR REPLACE FUNCTION open_book(p_code text, p_name text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    id integer;
BEGIN
    LOCK TABLE book IN EXCLUSIVE MODE;
    SELECT book_id INTO id FROM book WHERE code = p_code;
    IF id IS NULL THEN
        SELECT coalesce(max(book_id), 0) + 1 INTO id FROM book;
        INSERT INTO book (book_id, code, name) VALUES (id, p_code, p_name);
        INSERT INTO book_head (book_id) VALUES (id);
        INSERT INTO principal (uri, role, book_id) VALUES ('ujrat://platform/' || p_code, 'platform', id);
    END IF;
    PERFORM open_bank_accounts(id, bank_id) FROM bank WHERE connected ORDER BY bank_id;
    RETURN id;
END $$;

-- A bank begins to take instructions from every book. Asking again changes nothing.
CREATE OR REPLACE FUNCTION connect_bank(p_code text) RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    id smallint;
BEGIN
    LOCK TABLE book IN EXCLUSIVE MODE;
    UPDATE bank SET connected = true WHERE code = p_code RETURNING bank_id INTO id;
    IF id IS NULL THEN
        RAISE EXCEPTION 'no bank %', p_code USING ERRCODE = 'UJ204';
    END IF;
    INSERT INTO principal (uri, role, bank_id) VALUES ('ujrat://bank/' || p_code, 'bank', id) ON CONFLICT (uri) DO NOTHING;
    PERFORM open_bank_accounts(book_id, id) FROM book ORDER BY book_id;
    RETURN id;
END $$;

-- Auditors, operators and our own programs.
CREATE OR REPLACE FUNCTION add_principal(p_uri text, p_role text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    INSERT INTO principal (uri, role) VALUES (p_uri, p_role) ON CONFLICT (uri) DO NOTHING;
    RETURN (SELECT principal_id FROM principal WHERE uri = p_uri AND role = p_role);
END $$;

CREATE OR REPLACE FUNCTION set_principal_enabled(p_uri text, p_enabled boolean) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
    UPDATE principal SET enabled = p_enabled WHERE uri = p_uri RETURNING true;
$$;

-- Money a platform has paid in. The reference (of the bank's credit advice) makes a repeat safe: the same again is
-- answered with the first, another amount under it is refused (400).
CREATE OR REPLACE FUNCTION deposit_float(p_book integer, p_principal integer, p_code text, p_amount bigint, p_reference text,
    OUT seq bigint, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    head record;
    f account;
    c account;
    old float_deposit;
BEGIN
    IF p_amount <= 0 THEN
        RAISE EXCEPTION 'the amount must be more than zero' USING ERRCODE = 'UJ100';
    END IF;
    head := begin_block(p_book);
    SELECT a.* INTO f FROM account a JOIN currency k USING (ccy) WHERE a.book_id = p_book AND a.role = 'float' AND k.code = p_code;
    SELECT a.* INTO c FROM account a JOIN currency k USING (ccy) WHERE a.book_id = p_book AND a.role = 'correspondent' AND k.code = p_code;
    IF f IS NULL OR c IS NULL THEN
        RAISE EXCEPTION 'the book has no float in %', p_code USING ERRCODE = 'UJ107';
    END IF;
    SELECT * INTO old FROM float_deposit d WHERE d.book_id = p_book AND d.reference = p_reference;
    IF FOUND THEN
        IF old.ccy <> f.ccy OR old.amount <> p_amount THEN
            RAISE EXCEPTION 'reference % was used for another deposit', p_reference USING ERRCODE = 'UJ400';
        END IF;
        seq := old.seq;
        duplicate := true;
        RETURN;
    END IF;
    INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail)
    VALUES (head.seq, head.block_no, p_book, p_principal, 8, ARRAY[c.account_id, f.account_id], ARRAY[c.ccy, f.ccy],
            ARRAY[p_amount, -p_amount], p_reference);
    INSERT INTO float_deposit (book_id, reference, ccy, amount, seq) VALUES (p_book, p_reference, f.ccy, p_amount, head.seq);
    PERFORM close_block(p_book, head.block_no, head.seq, head.seq, head.at);
    seq := head.seq;
    duplicate := false;
END $$;

-- A rate sheet as it was read: the rates of one that is good, or why it is not. Importing the same bytes again changes
-- nothing, and no sheet speaks of a moment to come: it would never be old. Answers the sheet's number.
CREATE OR REPLACE FUNCTION import_rates(p_source text, p_date date, p_as_of timestamptz, p_file text, p_sha256 bytea, p_author text,
    p_refused text, p_ccy smallint[], p_pkr_e10 bigint[])
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    id integer;
BEGIN
    LOCK TABLE rate_sheet IN EXCLUSIVE MODE;
    SELECT rate_id INTO id FROM rate_sheet
     WHERE file_sha256 = p_sha256 AND source = p_source AND refused IS NOT DISTINCT FROM p_refused ORDER BY rate_id DESC LIMIT 1;
    IF FOUND THEN
        RETURN id;
    END IF;
    INSERT INTO rate_sheet (source, sheet_date, as_of, file_name, file_sha256, author, refused)
    VALUES (p_source, p_date, CASE WHEN p_as_of > clock_timestamp() THEN clock_timestamp() ELSE p_as_of END, p_file, p_sha256, p_author, p_refused) RETURNING rate_id INTO id;
    IF p_refused IS NULL THEN
        INSERT INTO rate (rate_id, ccy, pkr_e10) SELECT id, c, r FROM unnest(p_ccy, p_pkr_e10) t (c, r);
    END IF;
    RETURN id;
END $$;
