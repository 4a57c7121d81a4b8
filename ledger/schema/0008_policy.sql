-- Policy as data (docs/policy.md): what platforms pay, limits, the withholding that we expect, purpose codes. A rule is a kind, a
-- scope and perhaps a currency, with one whole number; a version is a set of changes to rules, in force from an instant on, that one
-- person has proposed and a second one approved. Nothing of it is ever edited.

-- ------------------------------------------------------------------ kinds of rules

-- The same rows as in domain/policy.h; a test holds the two against each other.
CREATE TABLE policy_kind (
    kind       smallint PRIMARY KEY CHECK (kind > 0),
    name       text NOT NULL UNIQUE CHECK (name ~ '^[a-z_]{1,32}$'),
    scope      text NOT NULL CHECK (scope IN ('platform', 'none', 'registration', 'purpose')),
    has_ccy    boolean NOT NULL,
    value_min  bigint NOT NULL,
    value_max  bigint NOT NULL,
    CHECK (value_min <= value_max)
);
INSERT INTO policy_kind (kind, name, scope, has_ccy, value_min, value_max) VALUES
    (1, 'margin_bps', 'platform', true, 0, 9999),                       -- basis points of the mid value
    (2, 'fee_fixed', 'platform', true, 0, 9223372036854775807),         -- 2, 4 to 6, 9: minor units
    (3, 'fee_bps', 'platform', true, 0, 9999),
    (4, 'fee_min', 'platform', true, 0, 9223372036854775807),
    (5, 'fee_max', 'platform', true, 0, 9223372036854775807),           -- 0: none
    (6, 'payout_max', 'platform', true, 1, 9223372036854775807),
    (7, 'rate_age_max', 'none', false, 1, 31536000),                    -- seconds
    (8, 'withholding_bps', 'registration', false, 0, 10000),            -- of the rupees
    (9, 'year_exemption', 'none', true, 0, 9223372036854775807),
    (10, 'purpose_code', 'purpose', false, 1, 1);                       -- 1: in force

-- ------------------------------------------------------------------ proposals and versions

CREATE TABLE policy_proposal (
    proposal_id    integer PRIMARY KEY CHECK (proposal_id > 0),
    request_id     text NOT NULL UNIQUE CHECK (length(request_id) BETWEEN 1 AND 64),
    effective_at   timestamptz CHECK (isfinite(effective_at)),                     -- NULL: when it is approved
    reason         text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    source         text NOT NULL CHECK (length(source) BETWEEN 1 AND 500),         -- the law, circular or agreement that says so
    source_sha256  bytea CHECK (length(source_sha256) = 32),                       -- of a copy of it
    opening        boolean NOT NULL,           -- a platform's first terms, or from before this table: one person's
    proposed_by    integer NOT NULL REFERENCES principal,
    proposed_at    timestamptz NOT NULL
);

CREATE TABLE policy_change (
    proposal_id  integer NOT NULL REFERENCES policy_proposal,
    kind         smallint NOT NULL REFERENCES policy_kind,
    scope        text COLLATE "C" NOT NULL CHECK (length(scope) <= 32),            -- 'upwork', '', 'PSEB', 'HOME_REMITTANCE/9471'
    ccy          smallint NOT NULL CHECK (ccy BETWEEN 0 AND 999),                  -- 0: none
    value        bigint,                                                           -- NULL: the rule ends
    PRIMARY KEY (proposal_id, kind, scope, ccy)
);
CREATE INDEX policy_change_rule ON policy_change (kind, scope, ccy, proposal_id);

-- How a proposal ended.
CREATE TABLE policy_decision (
    proposal_id  integer PRIMARY KEY REFERENCES policy_proposal,
    approved     boolean NOT NULL,
    decided_by   integer NOT NULL REFERENCES principal,
    decided_at   timestamptz NOT NULL,
    note         text NOT NULL CHECK (length(note) <= 500)
);

-- An approved proposal. Versions follow one another by (effective_at, policy_id): a rule's value at an instant is what the last of them
-- says that has begun.
CREATE TABLE policy (
    policy_id     integer PRIMARY KEY CHECK (policy_id > 0),          -- without gaps
    proposal_id   integer NOT NULL UNIQUE REFERENCES policy_proposal,
    effective_at  timestamptz NOT NULL CHECK (isfinite(effective_at))
);
CREATE INDEX policy_effective_at ON policy (effective_at, policy_id);

-- A version is known before any that follows it begins: what was in force when something was posted is then the same for ever. It is
-- looked at when the transaction ends, since it may have waited.
CREATE FUNCTION refuse_late_policy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    IF NEW.effective_at > (SELECT p.proposed_at FROM policy_proposal p WHERE p.proposal_id = NEW.proposal_id)
       AND EXISTS (SELECT FROM policy p WHERE p.policy_id < NEW.policy_id AND p.effective_at > NEW.effective_at
                                          AND p.effective_at <= clock_timestamp()) THEN
        RAISE EXCEPTION 'policy version % comes too late: another one that follows it has begun meanwhile', NEW.policy_id
            USING ERRCODE = 'UJ409';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER in_time AFTER INSERT ON policy DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse_late_policy();

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['policy_kind', 'policy_proposal', 'policy_change', 'policy_decision', 'policy'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
END $$;

-- ------------------------------------------------------------------ what there was before

-- Tariffs and estimates of the withholding become versions: those of one instant a version, in force from when they were. A payout
-- from before is priced as it was; one after it as the last tariff had it.
DO $$
DECLARE who integer;
BEGIN
    IF NOT EXISTS (SELECT FROM tariff) AND NOT EXISTS (SELECT FROM withholding_estimate) THEN
        RETURN;
    END IF;
    INSERT INTO principal (uri, role, enabled) VALUES ('ujrat://system/migration', 'system', false) ON CONFLICT (uri) DO NOTHING;
    SELECT principal_id INTO who FROM principal WHERE uri = 'ujrat://system/migration';
    CREATE TABLE before_policy AS
    SELECT dense_rank() OVER (ORDER BY valid_from)::integer AS n, * FROM (
        SELECT t.valid_from, v.kind, b.code AS scope, t.ccy, v.value, 'terms of ' || b.code || ' by ' || t.author AS reason, NULL AS source
          FROM tariff t JOIN book b USING (book_id)
         CROSS JOIN LATERAL (VALUES (1, t.margin_bps), (2, t.fee_fixed), (3, t.fee_bps), (4, t.fee_min), (5, t.fee_max), (6, t.gross_max))
               AS v (kind, value)
         UNION ALL
        SELECT w.valid_from, 8, CASE WHEN w.pseb THEN 'PSEB' ELSE 'OTHER' END, 0::smallint, w.bps, 'withholding estimate by ' || w.author, w.source
          FROM withholding_estimate w) old;
    INSERT INTO policy_proposal (proposal_id, request_id, effective_at, reason, source, opening, proposed_by, proposed_at)
    SELECT n, 'before-version-8-' || n, valid_from, left(string_agg(DISTINCT reason, '; '), 500),
           left('before version 8' || coalesce(': ' || string_agg(DISTINCT source, '; '), ''), 500), true, who, clock_timestamp()
      FROM before_policy GROUP BY n, valid_from;
    INSERT INTO policy_change (proposal_id, kind, scope, ccy, value) SELECT n, kind, scope, ccy, value FROM before_policy;
    INSERT INTO policy_decision (proposal_id, approved, decided_by, decided_at, note)
    SELECT proposal_id, true, who, proposed_at, '' FROM policy_proposal;
    INSERT INTO policy (policy_id, proposal_id, effective_at) SELECT proposal_id, proposal_id, effective_at FROM policy_proposal;
    DROP TABLE before_policy;
END $$;

SET CONSTRAINTS ALL IMMEDIATE;      -- or the tables could not be dropped
DROP VIEW IF EXISTS tax_difference;
DROP FUNCTION IF EXISTS set_tariff(integer, text, integer, bigint, integer, bigint, bigint, bigint, text);
DROP FUNCTION IF EXISTS set_withholding_estimate(boolean, integer, text, text);
DROP TABLE tariff, withholding_estimate;
