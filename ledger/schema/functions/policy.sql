-- Policy (docs/policy.md): which rules are in force, and how they change: one person proposes, a second one approves. Who acts is who
-- logged in, as in adjustments.sql.

-- The rules in force at an instant, and the version that set each.
CREATE OR REPLACE FUNCTION rules_in_force(p_at timestamptz)
RETURNS TABLE (kind smallint, scope text, ccy smallint, value bigint, policy_id integer)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT r.* FROM (SELECT DISTINCT ON (c.kind, c.scope, c.ccy) c.kind, c.scope, c.ccy, c.value, p.policy_id
                       FROM policy p JOIN policy_change c USING (proposal_id)
                      WHERE p.effective_at <= p_at
                      ORDER BY c.kind, c.scope, c.ccy, p.effective_at DESC, p.policy_id DESC) r
     WHERE r.value IS NOT NULL
     ORDER BY r.kind, r.scope, r.ccy;
$$;

-- The version in force at an instant; NULL: none.
CREATE OR REPLACE FUNCTION policy_at(p_at timestamptz) RETURNS integer
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT policy_id FROM policy WHERE effective_at <= p_at ORDER BY effective_at DESC, policy_id DESC LIMIT 1;
$$;

-- A rule as people say it: 'margin_bps of upwork in USD'.
CREATE OR REPLACE FUNCTION policy_rule_text(p_kind smallint, p_scope text, p_ccy smallint) RETURNS text
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce((SELECT k.name FROM policy_kind k WHERE k.kind = p_kind), 'kind ' || coalesce(p_kind::text, 'NULL'))
        || CASE WHEN p_scope <> '' THEN ' of ' || p_scope ELSE '' END
        || CASE WHEN p_ccy <> 0 THEN ' in ' || coalesce((SELECT c.code FROM currency c WHERE c.ccy = p_ccy), p_ccy::text) ELSE '' END;
$$;

-- A time as people in Pakistan have it, where there is no summer time: 2026-12-01T00:00:00+05:00.
CREATE OR REPLACE FUNCTION policy_time_text(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT to_char(p_at AT TIME ZONE INTERVAL '5 hours', 'YYYY-MM-DD"T"HH24:MI:SS"+05:00"');
$$;

-- What no proposal may look like, whatever is in force.
CREATE OR REPLACE FUNCTION check_policy_shape(p_request text, p_reason text, p_source text, p_sha256 bytea, p_kind smallint[], p_scope text[],
    p_ccy smallint[], p_value bigint[])
RETURNS void LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    x record;
BEGIN
    IF length(p_request) IS NULL OR length(p_request) NOT BETWEEN 1 AND 64 THEN
        RAISE EXCEPTION 'the request id has 1 to 64 characters' USING ERRCODE = 'UJ305';
    ELSIF p_request LIKE 'opening-%' THEN
        RAISE EXCEPTION 'request ids that begin with opening- are those of first terms' USING ERRCODE = 'UJ305';
    ELSIF length(btrim(p_reason)) IS NULL OR length(btrim(p_reason)) = 0 OR length(p_reason) > 500 THEN
        RAISE EXCEPTION 'the reason has 1 to 500 characters' USING ERRCODE = 'UJ305';
    ELSIF length(btrim(p_source)) IS NULL OR length(btrim(p_source)) = 0 OR length(p_source) > 500 THEN
        RAISE EXCEPTION 'the source has 1 to 500 characters' USING ERRCODE = 'UJ305';
    ELSIF length(p_sha256) <> 32 THEN
        RAISE EXCEPTION 'the source''s file is named by its SHA-256, of 32 bytes' USING ERRCODE = 'UJ305';
    ELSIF p_kind IS NULL OR cardinality(p_kind) = 0 THEN
        RAISE EXCEPTION 'the proposal changes no rule' USING ERRCODE = 'UJ305';
    ELSIF (cardinality(p_kind), cardinality(p_kind), cardinality(p_kind))
          IS DISTINCT FROM (cardinality(p_scope), cardinality(p_ccy), cardinality(p_value)) OR cardinality(p_kind) > 1000
       OR (array_ndims(p_kind), array_ndims(p_scope), array_ndims(p_ccy), array_ndims(p_value)) <> (1, 1, 1, 1) THEN
        RAISE EXCEPTION 'a proposal has 1 to 1000 changes, each with a kind, a scope, a currency and a value' USING ERRCODE = 'UJ305';
    ELSIF array_position(p_scope, NULL) IS NOT NULL OR array_position(p_ccy, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'a change has no scope, or no currency: '''' and 0 stand for none' USING ERRCODE = 'UJ305';
    END IF;
    SELECT policy_rule_text(kind, scope, ccy) AS rule INTO x FROM unnest(p_kind, p_scope, p_ccy) t (kind, scope, ccy)
     GROUP BY kind, scope, ccy HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% is changed twice', x.rule USING ERRCODE = 'UJ304';
    END IF;
END $$;

-- A change by itself: there is such a rule, and the value is one that it may have.
CREATE OR REPLACE FUNCTION check_policy_change(p_kind smallint, p_scope text, p_ccy smallint, p_value bigint) RETURNS void
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    k policy_kind;
    rule text := policy_rule_text(p_kind, p_scope, p_ccy);
BEGIN
    SELECT * INTO k FROM policy_kind WHERE kind = p_kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%: there is no such kind of rule', rule USING ERRCODE = 'UJ305';
    ELSIF k.scope = 'platform' AND NOT EXISTS (SELECT FROM book WHERE code = p_scope) THEN
        RAISE EXCEPTION '%: there is no platform ''%''', rule, p_scope USING ERRCODE = 'UJ415';
    ELSIF k.scope = 'none' AND p_scope <> '' THEN
        RAISE EXCEPTION '%: the rule is of nobody''s, and ''%'' is named', rule, p_scope USING ERRCODE = 'UJ305';
    ELSIF k.scope = 'registration' AND p_scope NOT IN ('PSEB', 'OTHER') THEN
        RAISE EXCEPTION '%: the registration is PSEB or OTHER, not ''%''', rule, p_scope USING ERRCODE = 'UJ305';
    ELSIF k.scope = 'purpose' AND p_scope !~ '^(EXPORT_OF_SERVICES|HOME_REMITTANCE)/' THEN
        RAISE EXCEPTION '%: the channel is EXPORT_OF_SERVICES or HOME_REMITTANCE', rule USING ERRCODE = 'UJ214';
    ELSIF k.scope = 'purpose' AND p_scope !~ '^[A-Z_]+/[0-9]{4}$' THEN
        RAISE EXCEPTION '%: a purpose code has four digits', rule USING ERRCODE = 'UJ213';
    ELSIF k.has_ccy AND NOT EXISTS (SELECT FROM currency WHERE ccy = p_ccy) THEN
        RAISE EXCEPTION '%: there is no such currency', rule USING ERRCODE = 'UJ106';
    ELSIF NOT k.has_ccy AND p_ccy <> 0 THEN
        RAISE EXCEPTION '%: the rule is in no currency', rule USING ERRCODE = 'UJ305';
    ELSIF p_value NOT BETWEEN k.value_min AND k.value_max THEN
        RAISE EXCEPTION '%: % is not from % to %', rule, p_value, k.value_min, k.value_max USING ERRCODE = 'UJ305';
    END IF;
END $$;

-- What would not fit of a platform's terms that a proposal touches, at an instant with the proposal in force; NULL: they fit.
CREATE OR REPLACE FUNCTION policy_terms_fault(p_proposal integer, p_at timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    WITH ours AS (SELECT * FROM policy_change WHERE proposal_id = p_proposal AND kind BETWEEN 1 AND 6),
    rules AS (SELECT kind, scope, ccy, value FROM ours WHERE value IS NOT NULL
              UNION ALL
              SELECT r.kind, r.scope, r.ccy, r.value FROM rules_in_force(p_at) r
               WHERE r.kind BETWEEN 1 AND 6 AND (r.scope, r.ccy) IN (SELECT o.scope, o.ccy FROM ours o)
                 AND (r.kind, r.scope, r.ccy) NOT IN (SELECT o.kind, o.scope, o.ccy FROM ours o))
    SELECT CASE WHEN count(*) < 6
                THEN 'the terms of ' || scope || ' in ' || c.code || ' lack '
                     || (SELECT string_agg(k.name, ', ' ORDER BY k.kind) FROM policy_kind k
                          WHERE k.kind BETWEEN 1 AND 6 AND k.kind <> ALL (array_agg(rules.kind)))
                     || ': a platform has all of its terms in a currency, or none'
                ELSE 'fee_max of ' || scope || ' in ' || c.code || ' (' || max(value) FILTER (WHERE kind = 5) || ') is below fee_min ('
                     || max(value) FILTER (WHERE kind = 4) || ')' END
      FROM rules JOIN currency c USING (ccy)
     GROUP BY scope, ccy, c.code
    HAVING count(*) < 6 OR max(value) FILTER (WHERE kind = 5) BETWEEN 1 AND max(value) FILTER (WHERE kind = 4) - 1
     ORDER BY scope, ccy LIMIT 1;
$$;

-- Whether a proposal's changes fit what is in force, and what is to come, when they begin at p_at. Asked when it is proposed and
-- when it is approved, since others may have been approved between the two.
CREATE OR REPLACE FUNCTION check_policy_fits(p_proposal integer, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    x record;
    fault text;
    moment timestamptz;
BEGIN
    SELECT policy_rule_text(c.kind, c.scope, c.ccy) AS rule, p.policy_id, policy_time_text(p.effective_at) AS since INTO x
      FROM policy_change c JOIN policy_change o USING (kind, scope, ccy) JOIN policy p ON p.proposal_id = o.proposal_id
     WHERE c.proposal_id = p_proposal AND o.proposal_id <> p_proposal AND p.effective_at >= p_at
     ORDER BY p.effective_at, p.policy_id, c.kind, c.scope, c.ccy LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% overlaps: version % changes it at %, not before this proposal', x.rule, x.policy_id, x.since
            USING ERRCODE = 'UJ409';
    END IF;
    SELECT policy_rule_text(c.kind, c.scope, c.ccy) AS rule, c.value INTO x
      FROM policy_change c LEFT JOIN rules_in_force(p_at) r USING (kind, scope, ccy)
     WHERE c.proposal_id = p_proposal AND c.value IS NOT DISTINCT FROM r.value ORDER BY c.kind, c.scope, c.ccy LIMIT 1;
    IF FOUND AND x.value IS NULL THEN
        RAISE EXCEPTION '% changes nothing: there is no such rule to remove', x.rule USING ERRCODE = 'UJ305';
    ELSIF FOUND THEN
        RAISE EXCEPTION '% changes nothing: it is % already', x.rule, x.value USING ERRCODE = 'UJ305';
    END IF;
    FOR moment IN SELECT p_at UNION SELECT effective_at FROM policy WHERE effective_at > p_at ORDER BY 1 LOOP
        fault := policy_terms_fault(p_proposal, moment);
        IF fault IS NOT NULL THEN
            RAISE EXCEPTION '% (at %)', fault, policy_time_text(moment) USING ERRCODE = 'UJ305';
        END IF;
    END LOOP;
END $$;

-- The rows of a proposal. Whoever calls holds the lock on policy.
CREATE OR REPLACE FUNCTION add_policy_proposal(p_request text, p_effective_at timestamptz, p_reason text, p_source text, p_source_sha256 bytea,
    p_opening boolean, p_who integer, p_at timestamptz, p_kind smallint[], p_scope text[], p_ccy smallint[], p_value bigint[]) RETURNS integer
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    id integer;
BEGIN
    PERFORM check_policy_change(kind, scope, ccy, value) FROM unnest(p_kind, p_scope, p_ccy, p_value) t (kind, scope, ccy, value);
    SELECT coalesce(max(proposal_id), 0) + 1 INTO id FROM policy_proposal;
    INSERT INTO policy_proposal (proposal_id, request_id, effective_at, reason, source, source_sha256, opening, proposed_by, proposed_at)
    VALUES (id, p_request, p_effective_at, p_reason, p_source, p_source_sha256, p_opening, p_who, p_at);
    INSERT INTO policy_change (proposal_id, kind, scope, ccy, value)
    SELECT id, kind, scope, ccy, value FROM unnest(p_kind, p_scope, p_ccy, p_value) t (kind, scope, ccy, value);
    RETURN id;
END $$;

-- Proposes changes: rule i is p_kind[i] of p_scope[i] ('': nobody's) in p_ccy[i] (0: none), from p_effective_at (NULL: from when it is
-- approved) p_value[i] (NULL: it ends). The request id makes a repeat safe: the same again is answered with the first, anything
-- else under it is refused (400).
CREATE OR REPLACE FUNCTION propose_policy(p_request text, p_effective_at timestamptz, p_reason text, p_source text, p_source_sha256 bytea,
    p_kind smallint[], p_scope text[], p_ccy smallint[], p_value bigint[], p_code text, OUT proposal_id integer, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := prove_operator(p_code, format('propose policy %s', p_request));
    moment timestamptz;
    old policy_proposal;
BEGIN
    PERFORM check_policy_shape(p_request, p_reason, p_source, p_source_sha256, p_kind, p_scope, p_ccy, p_value);
    LOCK TABLE policy IN SHARE ROW EXCLUSIVE MODE;
    moment := clock_timestamp();
    SELECT * INTO old FROM policy_proposal p WHERE p.request_id = p_request;
    IF FOUND THEN
        IF (old.effective_at, old.reason, old.source, old.source_sha256, old.opening)
           IS DISTINCT FROM (p_effective_at, p_reason, p_source, p_source_sha256, false)
           OR EXISTS ((SELECT c.kind, c.scope, c.ccy, c.value FROM policy_change c WHERE c.proposal_id = old.proposal_id)
                      EXCEPT (SELECT t.* FROM unnest(p_kind, p_scope COLLATE "C", p_ccy, p_value) t))
           OR (SELECT count(*) FROM policy_change c WHERE c.proposal_id = old.proposal_id) <> cardinality(p_kind) THEN
            RAISE EXCEPTION 'request id % was used for another proposal', p_request USING ERRCODE = 'UJ400';
        END IF;
        proposal_id := old.proposal_id;
        duplicate := true;
        RETURN;
    END IF;
    IF NOT isfinite(p_effective_at) OR p_effective_at > moment + interval '10 years' THEN
        RAISE EXCEPTION 'effective_at is within ten years' USING ERRCODE = 'UJ308';
    ELSIF p_effective_at <= moment THEN
        RAISE EXCEPTION 'effective_at % is not after now: no rule changes in the past', policy_time_text(p_effective_at) USING ERRCODE = 'UJ308';
    END IF;
    proposal_id := add_policy_proposal(p_request, p_effective_at, p_reason, p_source, p_source_sha256, false, who, moment, p_kind, p_scope, p_ccy,
                                       p_value);
    PERFORM check_policy_fits(proposal_id, coalesce(p_effective_at, moment));
    duplicate := false;
END $$;

-- Makes a version of a proposal, or refuses it, for good. Deciding the same again is answered with the first time. Whoever proposed may
-- take it back (refuse), and not approve.
CREATE OR REPLACE FUNCTION decide_policy(p_proposal integer, p_approve boolean, p_note text, p_code text,
    OUT policy_id integer, OUT duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := prove_operator(p_code, format('%s policy proposal %s', CASE WHEN p_approve THEN 'approve' ELSE 'refuse' END, p_proposal));
    moment timestamptz;
    p policy_proposal;
    old policy_decision;
BEGIN
    IF p_approve IS NULL OR length(p_note) > 500 THEN
        RAISE EXCEPTION 'a proposal is approved or not, with a note of at most 500 characters' USING ERRCODE = 'UJ305';
    END IF;
    LOCK TABLE policy IN SHARE ROW EXCLUSIVE MODE;
    moment := clock_timestamp();
    SELECT * INTO p FROM policy_proposal q WHERE q.proposal_id = p_proposal;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no proposal %', p_proposal USING ERRCODE = 'UJ305';
    END IF;
    SELECT * INTO old FROM policy_decision d WHERE d.proposal_id = p_proposal;
    IF FOUND THEN
        IF old.approved <> p_approve THEN
            RAISE EXCEPTION 'proposal % was %', p_proposal, CASE WHEN old.approved THEN 'approved' ELSE 'refused' END USING ERRCODE = 'UJ409';
        END IF;
        policy_id := (SELECT v.policy_id FROM policy v WHERE v.proposal_id = p_proposal);
        duplicate := true;
        RETURN;
    END IF;
    IF p_approve AND p.proposed_by = who THEN
        RAISE EXCEPTION 'whoever proposes a policy does not approve it: a second person must' USING ERRCODE = 'UJ502';
    ELSIF p_approve AND p.effective_at <= moment THEN
        RAISE EXCEPTION 'proposal % was to begin at %, which is over: propose it anew', p_proposal, policy_time_text(p.effective_at)
            USING ERRCODE = 'UJ409';
    END IF;
    IF p_approve THEN
        p.effective_at := coalesce(p.effective_at, moment + interval '1 microsecond');     -- after it was approved, whatever the case
        PERFORM check_policy_fits(p_proposal, p.effective_at);
        SELECT coalesce(max(v.policy_id), 0) + 1 INTO policy_id FROM policy v;
        INSERT INTO policy (policy_id, proposal_id, effective_at) VALUES (policy_id, p_proposal, p.effective_at);
    END IF;
    INSERT INTO policy_decision (proposal_id, approved, decided_by, decided_at, note)
    VALUES (p_proposal, p_approve, who, moment, coalesce(p_note, ''));
    duplicate := false;
END $$;

-- A platform's first terms in a currency, in force at once: nobody was paid by them yet, so one operator sets them. The same as are in
-- force changes nothing (NULL); others are for two people. Answers the version.
CREATE OR REPLACE FUNCTION open_terms(p_book integer, p_code text, p_margin_bps integer, p_fee_fixed bigint, p_fee_bps integer,
    p_fee_min bigint, p_fee_max bigint, p_payout_max bigint, p_author text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := operator_principal();
    b book;
    c smallint;
    terms bigint[] := ARRAY[p_margin_bps, p_fee_fixed, p_fee_bps, p_fee_min, p_fee_max, p_payout_max];
    moment timestamptz;
    proposal integer;
    id integer;
BEGIN
    SELECT * INTO b FROM book WHERE book_id = p_book;
    SELECT ccy INTO c FROM currency WHERE code = p_code;
    IF b IS NULL THEN
        RAISE EXCEPTION 'there is no book %', p_book USING ERRCODE = 'UJ415';
    ELSIF c IS NULL THEN
        RAISE EXCEPTION 'no currency %', p_code USING ERRCODE = 'UJ106';
    ELSIF array_position(terms, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the terms lack one of the six' USING ERRCODE = 'UJ303';
    END IF;
    LOCK TABLE policy IN SHARE ROW EXCLUSIVE MODE;
    moment := clock_timestamp();
    IF EXISTS (SELECT FROM policy p JOIN policy_change h USING (proposal_id) WHERE h.kind BETWEEN 1 AND 6 AND h.scope = b.code AND h.ccy = c) THEN
        IF terms = (SELECT array_agg(r.value ORDER BY r.kind) FROM rules_in_force(moment) r
                     WHERE r.kind BETWEEN 1 AND 6 AND r.scope = b.code AND r.ccy = c) THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION '% has had terms in % before: propose others (ujrat policy propose), which a second person approves', b.code, p_code
            USING ERRCODE = 'UJ409';
    END IF;
    proposal := add_policy_proposal('opening-' || p_book || '-' || p_code, NULL, 'first terms of ' || b.code || ' in ' || p_code,
        coalesce(nullif('by ' || left(btrim(p_author), 400), 'by '), 'by ' || session_user), NULL, true, who, moment,
        ARRAY[1, 2, 3, 4, 5, 6]::smallint[], array_fill(b.code, ARRAY[6]), array_fill(c, ARRAY[6]), terms);
    PERFORM check_policy_fits(proposal, moment + interval '1 microsecond');
    SELECT coalesce(max(policy_id), 0) + 1 INTO id FROM policy;
    INSERT INTO policy (policy_id, proposal_id, effective_at) VALUES (id, proposal, moment + interval '1 microsecond');
    INSERT INTO policy_decision (proposal_id, approved, decided_by, decided_at, note) VALUES (proposal, true, who, moment, '');
    RETURN id;
END $$;
