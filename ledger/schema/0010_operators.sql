-- Operators' second factor (RFC 6238), which the functions that need two people ask of both: functions/operators.sql. And
-- returns that are taken back for a bank, which are such a change from now on.

-- ------------------------------------------------------------------ pgcrypto

-- HMAC-SHA1 and random bytes. It is a trusted extension: who may make schemas in this database may make it, and ujrat_owner is
-- not asked to. One that is there is used where it is.
RESET ROLE;
DO $$
DECLARE
    home name;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_available_extensions e WHERE e.name = 'pgcrypto') THEN
        RAISE EXCEPTION 'the server has not the extension pgcrypto, which operators'' second factor needs'
            USING HINT = 'It is in the packages postgresql-15 (Debian) and postgresql15-contrib (others); install it and run this again';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pgcrypto') THEN
        CREATE SCHEMA IF NOT EXISTS ujrat_crypto AUTHORIZATION ujrat_owner;
        CREATE EXTENSION pgcrypto SCHEMA ujrat_crypto;
    END IF;
    SELECT n.nspname INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgcrypto';
    IF NOT has_schema_privilege('ujrat_owner', home, 'USAGE') THEN
        RAISE EXCEPTION 'pgcrypto is in schema %, which ujrat_owner may not use', home
            USING HINT = format('As the schema''s owner: GRANT USAGE ON SCHEMA %I TO ujrat_owner', home);
    END IF;
END $$;
SET ROLE ujrat_owner;

-- ------------------------------------------------------------------ the second factor

-- An operator's secrets, one enrolment after the other; a secret is forgotten when its enrolment ends. Failures and the last step
-- that was used are in two sequences an operator (operator_N_failed, operator_N_used), because nothing takes those back.
CREATE TABLE operator_totp (
    principal_id  integer NOT NULL REFERENCES principal,
    enrolment     integer NOT NULL CHECK (enrolment > 0),
    secret        bytea CHECK (length(secret) = 20),
    enrolled_at   timestamptz NOT NULL,
    enrolled_by   text NOT NULL,                 -- the login
    confirmed_at  timestamptz,                   -- NULL: no code of it was shown yet, and it proves nothing
    ended_at      timestamptz,
    ended_by      text,                          -- the logins
    PRIMARY KEY (principal_id, enrolment),
    CHECK ((secret IS NULL) = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX operator_totp_live ON operator_totp (principal_id) WHERE ended_at IS NULL;

-- The first of the two who revoke an enrolment.
CREATE TABLE operator_revocation (
    principal_id  integer NOT NULL,
    enrolment     integer NOT NULL,
    proposed_by   integer NOT NULL REFERENCES principal,
    reason        text NOT NULL CHECK (length(btrim(reason)) > 0 AND length(reason) <= 500),
    proposed_at   timestamptz NOT NULL,
    PRIMARY KEY (principal_id, enrolment),
    FOREIGN KEY (principal_id, enrolment) REFERENCES operator_totp,
    CHECK (proposed_by <> principal_id)
);

-- What was done with second factors: no secret, no code.
CREATE TABLE operator_act (
    act_no        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    principal_id  integer NOT NULL REFERENCES principal,         -- whose second factor
    act           text NOT NULL CHECK (act IN ('ENROLLED', 'CONFIRMED', 'PROVED', 'FAILED', 'REVOCATION_PROPOSED', 'REVOKED')),
    what          text CHECK (length(what) <= 700),              -- PROVED: for what; FAILED: how often, the last time; REVOKED: why
    login         text NOT NULL,
    at            timestamptz NOT NULL
);

-- ------------------------------------------------------------------ returns that are taken back for a bank

CREATE TABLE return_reversal_proposal (
    book_id           integer NOT NULL,
    proposal_no       integer NOT NULL CHECK (proposal_no > 0),
    payout_id         bigint NOT NULL,
    return_reference  text NOT NULL,             -- which return
    reason_code       text NOT NULL CHECK (reason_code ~ '^[A-Z0-9]{4}$'),
    reference         text NOT NULL CHECK (reference ~ '^[ -~]{1,35}$'),
    proposed_by       integer NOT NULL REFERENCES principal,
    proposed_at       timestamptz NOT NULL,
    PRIMARY KEY (book_id, proposal_no),
    FOREIGN KEY (book_id, payout_id) REFERENCES payout
);

CREATE TABLE return_reversal_decision (
    book_id       integer NOT NULL,
    proposal_no   integer NOT NULL,
    approved      boolean NOT NULL,
    decided_by    integer NOT NULL REFERENCES principal,
    decided_at    timestamptz NOT NULL,
    PRIMARY KEY (book_id, proposal_no),
    FOREIGN KEY (book_id, proposal_no) REFERENCES return_reversal_proposal
);

-- Codes made these functions others; what nobody calls any more must not stay callable.
DROP FUNCTION IF EXISTS propose_adjustment(integer, text, text, bytea, text[], bigint[]);
DROP FUNCTION IF EXISTS decide_adjustment(integer, bigint, boolean);
DROP FUNCTION IF EXISTS propose_window_settled(smallint, bigint, text);
DROP FUNCTION IF EXISTS approve_window_settled(smallint, bigint, integer);
DROP FUNCTION IF EXISTS reverse_return_for_bank(integer, bigint, text, text, text);

-- ------------------------------------------------------------------ guards

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['operator_revocation', 'operator_act', 'return_reversal_proposal', 'return_reversal_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
    CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON operator_totp FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    ALTER TABLE operator_totp ENABLE ALWAYS TRIGGER not_removed;
END $$;
