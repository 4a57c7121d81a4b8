-- Personal data leaves the rows that the log is made of: they keep commitments, and what opens these is encrypted with a
-- key that is not in the database (docs/personal-data.md). So a person can be erased and the log stays whole.

-- ------------------------------------------------------------------ tables

-- The record ujrat/pii-open/1 of one version of a beneficiary: nonce (12 bytes), AES-256-GCM of the record, tag (16).
-- key_id 0: not encrypted, as the migration below leaves it; `ujrat pii rotate` encrypts it.
CREATE TABLE beneficiary_pii (
    book_id         integer NOT NULL,
    beneficiary_id  bigint NOT NULL,
    version         integer NOT NULL,
    key_id          smallint NOT NULL CHECK (key_id >= 0),
    sealed          bytea NOT NULL CHECK (length(sealed) BETWEEN 1 AND 8192),
    PRIMARY KEY (book_id, beneficiary_id, version),
    FOREIGN KEY (book_id, beneficiary_id, version) REFERENCES beneficiary_version
);
ALTER TABLE beneficiary_pii ALTER COLUMN sealed SET STORAGE EXTERNAL;   -- it does not compress

-- Who was erased, by whom and why. The text is an operator's: it says nothing of the person.
CREATE TABLE pii_erasure (
    book_id         integer NOT NULL,
    beneficiary_id  bigint NOT NULL,
    erased_at       timestamptz NOT NULL,
    erased_by       text NOT NULL CHECK (length(erased_by) BETWEEN 1 AND 200),
    reason          text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    versions        integer NOT NULL,                    -- how many rows of beneficiary_pii went
    PRIMARY KEY (book_id, beneficiary_id),
    FOREIGN KEY (book_id, beneficiary_id) REFERENCES beneficiary
);

ALTER TABLE beneficiary ADD COLUMN erased_at timestamptz;   -- not to be paid any more

-- ------------------------------------------------------------------ fingerprints get a key

-- They were unsalted hashes, which tell a CNIC to whoever tries all of them. What is stored becomes what the gateway
-- computes now, HMAC-SHA-256 of it, so that a retry of what was asked before is still known. The key is the one of
-- `ujrat db migrate --pii-keys FILE`, which sets its two padded halves (RFC 2104) for this session.
DO $$
DECLARE
    inner_pad bytea := decode(coalesce(current_setting('ujrat.fingerprint_inner', true), ''), 'hex');
    outer_pad bytea := decode(coalesce(current_setting('ujrat.fingerprint_outer', true), ''), 'hex');
BEGIN
    IF NOT (EXISTS (SELECT FROM payout) OR EXISTS (SELECT FROM quote) OR EXISTS (SELECT FROM beneficiary_version)) THEN
        RETURN;
    END IF;
    IF length(inner_pad) <> 64 OR length(outer_pad) <> 64 THEN
        RAISE EXCEPTION 'what this database knows requests by must be given a key'
            USING HINT = 'Make one with `ujrat pii key new FILE`, then run ujrat db migrate --pii-keys FILE.';
    END IF;
    ALTER TABLE payout DISABLE TRIGGER append_only;
    ALTER TABLE quote DISABLE TRIGGER append_only;
    ALTER TABLE beneficiary_version DISABLE TRIGGER append_only;
    UPDATE payout SET fingerprint = substring(sha256(outer_pad || sha256(inner_pad || fingerprint)), 1, 16);
    UPDATE quote SET fingerprint = substring(sha256(outer_pad || sha256(inner_pad || fingerprint)), 1, 16);
    UPDATE beneficiary_version SET fingerprint = substring(sha256(outer_pad || sha256(inner_pad || fingerprint)), 1, 16);
    UPDATE beneficiary b SET request_id = 'carried:' || encode(v.fingerprint, 'hex')
      FROM beneficiary_version v
     WHERE v.book_id = b.book_id AND v.beneficiary_id = b.beneficiary_id AND v.version = 1 AND b.request_id LIKE 'carried:%';
    ALTER TABLE payout ENABLE ALWAYS TRIGGER append_only;
    ALTER TABLE quote ENABLE ALWAYS TRIGGER append_only;
    ALTER TABLE beneficiary_version ENABLE ALWAYS TRIGGER append_only;
END $$;

-- ------------------------------------------------------------------ what was stored in clear

CREATE FUNCTION pii_field(p_value bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(int4send(length(p_value)) || p_value, '\xffffffff'::bytea)
$$;
CREATE FUNCTION pii_commitment(p_which text, p_salt bytea, p_value bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_value IS NOT NULL THEN
        sha256(pii_field('ujrat/pii/1') || pii_field(convert_to(p_which, 'UTF8')) || pii_field(p_salt) || pii_field(p_value)) END
$$;
CREATE FUNCTION pii_salt(p_value bytea) RETURNS bytea LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN p_value IS NOT NULL THEN
        substring(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 1, 16) END
$$;

ALTER TABLE beneficiary_version DISABLE TRIGGER append_only;

WITH given AS MATERIALIZED (
    SELECT book_id, beneficiary_id, version, convert_to(display_name, 'UTF8') AS name, convert_to(iban, 'UTF8') AS iban,
           convert_to(mobile_alias, 'UTF8') AS mobile, convert_to(cnic, 'UTF8') AS cnic, convert_to(nullif(pseb, ''), 'UTF8') AS pseb
      FROM beneficiary_version
), salted AS MATERIALIZED (
    SELECT *, pii_salt(name) AS name_salt, pii_salt(iban) AS iban_salt, pii_salt(mobile) AS mobile_salt,
           pii_salt(cnic) AS cnic_salt, pii_salt(pseb) AS pseb_salt
      FROM given
), committed AS (
    UPDATE beneficiary_version v
       SET name_commitment = pii_commitment('name', name_salt, name), iban_commitment = pii_commitment('iban', iban_salt, s.iban),
           mobile_commitment = pii_commitment('mobile', mobile_salt, mobile),
           cnic_commitment = pii_commitment('cnic', cnic_salt, s.cnic), pseb_commitment = pii_commitment('pseb', pseb_salt, s.pseb)
      FROM salted s
     WHERE v.book_id = s.book_id AND v.beneficiary_id = s.beneficiary_id AND v.version = s.version
)
INSERT INTO beneficiary_pii (book_id, beneficiary_id, version, key_id, sealed)
SELECT book_id, beneficiary_id, version, 0,
       pii_field('ujrat/pii-open/1') || pii_field(name_salt) || pii_field(name) || pii_field(iban_salt) || pii_field(iban)
       || pii_field(mobile_salt) || pii_field(mobile) || pii_field(cnic_salt) || pii_field(cnic)
       || pii_field(pseb_salt) || pii_field(pseb)
  FROM salted;

DROP FUNCTION pii_salt(bytea);
DROP FUNCTION pii_commitment(text, bytea, bytea);
DROP FUNCTION pii_field(bytea);

ALTER TABLE beneficiary_version
    DROP COLUMN display_name, DROP COLUMN iban, DROP COLUMN mobile_alias, DROP COLUMN cnic, DROP COLUMN pseb,
    ALTER COLUMN name_commitment SET NOT NULL,
    ALTER COLUMN cnic_commitment SET NOT NULL,
    ADD CONSTRAINT iban_or_mobile CHECK ((iban_commitment IS NULL) <> (mobile_commitment IS NULL));
-- A dropped column stays in the file until its rows are written anew.
CLUSTER beneficiary_version USING beneficiary_version_pkey;
ALTER TABLE beneficiary_version SET WITHOUT CLUSTER;

ALTER TABLE beneficiary_version ENABLE ALWAYS TRIGGER append_only;

-- ------------------------------------------------------------------ what the posting functions are given

-- pii_key and pii: a row of beneficiary_pii.
ALTER TYPE beneficiary_draft
    DROP ATTRIBUTE display_name, DROP ATTRIBUTE iban, DROP ATTRIBUTE mobile_alias, DROP ATTRIBUTE cnic, DROP ATTRIBUTE pseb,
    ADD ATTRIBUTE name_commitment bytea, ADD ATTRIBUTE iban_commitment bytea, ADD ATTRIBUTE mobile_commitment bytea,
    ADD ATTRIBUTE cnic_commitment bytea, ADD ATTRIBUTE pseb_commitment bytea, ADD ATTRIBUTE pii_key smallint,
    ADD ATTRIBUTE pii bytea;

-- ------------------------------------------------------------------ guards

-- Rows go and change through erase_beneficiary and rotate_pii alone. These run as the owner, who does not log in; whoever
-- becomes the owner by SET ROLE is still not inside of them.
CREATE FUNCTION guard_pii() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stack text;
    wanted text := CASE TG_OP WHEN 'DELETE' THEN 'function (ujrat\.)?erase_beneficiary\(' WHEN 'UPDATE' THEN 'function (ujrat\.)?rotate_pii\(' END;
BEGIN
    GET DIAGNOSTICS stack = PG_CONTEXT;
    IF wanted IS NOT NULL AND stack ~ wanted
       AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '%: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'UJ409',
        HINT = 'A person is erased with `ujrat pii erase`, rows are encrypted anew with `ujrat pii rotate`.';
END $$;
CREATE TRIGGER guard_pii BEFORE UPDATE OR DELETE OR TRUNCATE ON beneficiary_pii FOR EACH STATEMENT EXECUTE FUNCTION guard_pii();
ALTER TABLE beneficiary_pii ENABLE ALWAYS TRIGGER guard_pii;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pii_erasure FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE pii_erasure ENABLE ALWAYS TRIGGER append_only;
