-- For tests and benches that put beneficiaries in by the thousand: each that has no version yet gets its first one, with a
-- row of personal data as a migration leaves it (key 0: not encrypted), which the gateway reads like any other.
SET search_path = ujrat;
CREATE FUNCTION pg_temp.field(v bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce(int4send(length(v)) || v, '\xffffffff'::bytea) $$;
CREATE FUNCTION pg_temp.commitment(which text, salt bytea, v bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT sha256(pg_temp.field('ujrat/pii/1') || pg_temp.field(convert_to(which, 'UTF8')) || pg_temp.field(salt) || pg_temp.field(v)) $$;
CREATE TEMP TABLE person AS
SELECT b.book_id, b.beneficiary_id, b.bank_id, substring(sha256(int8send(b.book_id * 1000000007 + b.beneficiary_id)), 1, 16) AS salt,
       convert_to('Beneficiary ' || b.beneficiary_id, 'UTF8') AS name,
       convert_to('PK36' || k.code || lpad(b.beneficiary_id::text, 16, '0'), 'UTF8') AS iban,
       convert_to(lpad(b.beneficiary_id::text, 13, '9'), 'UTF8') AS cnic
  FROM beneficiary b JOIN bank k USING (bank_id)
 WHERE NOT EXISTS (SELECT FROM beneficiary_version v WHERE v.book_id = b.book_id AND v.beneficiary_id = b.beneficiary_id);
INSERT INTO beneficiary_version (book_id, beneficiary_id, version, fingerprint, bank_id, channel, purpose_code, principal_id,
                                 created_at, name_commitment, iban_commitment, cnic_commitment)
SELECT book_id, beneficiary_id, 1, substring(sha256(beneficiary_id::text::bytea), 1, 16), bank_id, 1, '9186', 1, now(),
       pg_temp.commitment('name', salt, name), pg_temp.commitment('iban', salt, iban), pg_temp.commitment('cnic', salt, cnic)
  FROM person;
INSERT INTO beneficiary_pii (book_id, beneficiary_id, version, key_id, sealed)
SELECT book_id, beneficiary_id, 1, 0, pg_temp.field('ujrat/pii-open/1') || pg_temp.field(salt) || pg_temp.field(name)
       || pg_temp.field(salt) || pg_temp.field(iban) || pg_temp.field(NULL) || pg_temp.field(NULL)
       || pg_temp.field(salt) || pg_temp.field(cnic) || pg_temp.field(NULL) || pg_temp.field(NULL)
  FROM person;
DROP TABLE person;
