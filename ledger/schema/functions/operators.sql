-- Operators' second factor: TOTP (RFC 6238: HMAC-SHA1, 6 digits, 30 seconds, one step of clock skew either side), judged here, so
-- that no client can leave it out. A change that needs two people begins with prove_operator(code), in each of its two functions.
--
-- Whoever may log in may also roll back, and a failure that a ROLLBACK forgets is no brake on guessing. So what must be
-- remembered whatever becomes of the transaction is in two sequences an operator, whose values PostgreSQL never takes back: how
-- often a code was wrong, and which was used last. The enrolment's row is locked meanwhile: one code at a time an operator.

-- pgcrypto's, wherever that is installed: named by its schema.
DO $$
DECLARE
    home name := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgcrypto');
BEGIN
    IF home IS NULL THEN
        RAISE EXCEPTION 'the extension pgcrypto is gone from this database' USING HINT = 'CREATE EXTENSION pgcrypto SCHEMA ujrat_crypto';
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION hmac_sha1(p_key bytea, p_message bytea) RETURNS bytea LANGUAGE sql IMMUTABLE '
                   'SET search_path = pg_catalog, pg_temp AS $f$ SELECT %I.hmac(p_message, p_key, ''sha1'') $f$', home);
    EXECUTE format('CREATE OR REPLACE FUNCTION random_secret() RETURNS bytea LANGUAGE sql '
                   'SET search_path = pg_catalog, pg_temp AS $f$ SELECT %I.gen_random_bytes(20) $f$', home);
END $$;

-- The code of that step of 30 seconds since 1970 (RFC 4226, section 5.3).
CREATE OR REPLACE FUNCTION totp_code(p_secret bytea, p_step bigint) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ujrat, pg_temp AS $$
DECLARE
    mac bytea := hmac_sha1(p_secret, int8send(p_step));
    at integer := get_byte(mac, 19) & 15;
    number integer := ((get_byte(mac, at) & 127) << 24) | (get_byte(mac, at + 1) << 16) | (get_byte(mac, at + 2) << 8) | get_byte(mac, at + 3);
BEGIN
    RETURN lpad((number % 1000000)::text, 6, '0');
END $$;

-- One of an operator's two sequences: 'used' (the last step whose code was taken) or 'failed' (seconds since 1970 of the last wrong
-- code, times eight, and how many there were in a row; 0: none).
CREATE OR REPLACE FUNCTION operator_register(p_principal integer, p_which text) RETURNS regclass
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT format('ujrat.operator_%s_%s', p_principal, p_which)::regclass;
$$;

-- How many codes in a row were wrong, when the last one was, and until when none is looked at (NULL: they are).
CREATE OR REPLACE FUNCTION operator_failures(p_principal integer, OUT failures integer, OUT last_at timestamptz, OUT locked_until timestamptz)
LANGUAGE plpgsql STRICT SET search_path = ujrat, pg_temp AS $$
DECLARE
    stored bigint := coalesce(pg_sequence_last_value(operator_register(p_principal, 'failed')), 0);
BEGIN
    failures := stored & 7;
    IF failures > 0 THEN
        last_at := to_timestamp(stored >> 3);
    END IF;
    IF failures >= 5 AND clock_timestamp() < last_at + interval '15 minutes' THEN
        locked_until := last_at + interval '15 minutes';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION note_operator_act(p_principal integer, p_act text, p_what text) RETURNS void
LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    INSERT INTO operator_act (principal_id, act, what, login, at) VALUES (p_principal, p_act, p_what, session_user, clock_timestamp());
$$;

-- Takes a code of this enrolment, whose row is locked, or refuses it. It counts as wrong before it is looked at, so that who ends the
-- statement in between has gained nothing. What was wrong before is written down with the next code that is right: its own transaction
-- could not keep it.
CREATE OR REPLACE FUNCTION take_code(p_principal integer, p_secret bytea, p_code text) RETURNS void
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    failed regclass := operator_register(p_principal, 'failed');
    used regclass := operator_register(p_principal, 'used');
    was_failed bigint := coalesce(pg_sequence_last_value(failed), 0);
    was_used bigint := coalesce(pg_sequence_last_value(used), 0);
    before record := operator_failures(p_principal);
    seconds bigint := floor(extract(epoch FROM clock_timestamp()));
    wrong bigint := CASE WHEN before.failures >= 5 THEN 1 ELSE before.failures + 1 END;
    step bigint;
    matches integer;
BEGIN
    IF p_code IS NULL OR p_code !~ '^[0-9]{6}$' THEN
        RAISE EXCEPTION 'a code of six digits is wanted, as your authenticator shows it now' USING ERRCODE = 'UJ504';
    ELSIF before.locked_until IS NOT NULL THEN
        RAISE EXCEPTION 'after five wrong codes none is looked at before % UTC', to_char(before.locked_until AT TIME ZONE 'UTC', 'HH24:MI:SS')
            USING ERRCODE = 'UJ506';
    END IF;
    PERFORM setval(failed, (seconds << 3) | wrong);
    SELECT count(*), min(s) FILTER (WHERE s > was_used) INTO matches, step
      FROM generate_series(seconds / 30 - 1, seconds / 30 + 1) s WHERE totp_code(p_secret, s) = p_code;
    IF matches = 0 THEN
        RAISE LOG 'operator %: wrong code, % in a row', session_user, wrong;
        RAISE EXCEPTION 'the code is wrong; %', CASE WHEN wrong >= 5 THEN 'none is looked at for 15 minutes'
            ELSE format('after %s more, none is looked at for 15 minutes', 5 - wrong) END USING ERRCODE = 'UJ505';
    END IF;
    PERFORM setval(failed, was_failed);
    IF step IS NULL THEN
        RAISE EXCEPTION 'that code was used, and each is good once: wait for the next one' USING ERRCODE = 'UJ507';
    END IF;
    PERFORM setval(used, step), setval(failed, 0);
    IF before.failures > 0 THEN
        PERFORM note_operator_act(p_principal, 'FAILED', format('%s in a row, the last at %s UTC', before.failures,
                                                                to_char(before.last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')));
    END IF;
END $$;

-- Whoever is logged in, and has just shown a code of theirs: the principal. Called first in a function that needs it, before any other
-- lock. p_what: what it is for, as it stands in the record. The code is used up even if the rest is refused.
CREATE OR REPLACE FUNCTION prove_operator(p_code text, p_what text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := operator_principal();
    t operator_totp;
BEGIN
    SELECT * INTO t FROM operator_totp o WHERE o.principal_id = who AND o.ended_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% has no second factor, and this needs one; enrol first: ujrat operator enroll', session_user USING ERRCODE = 'UJ504';
    ELSIF t.confirmed_at IS NULL THEN
        RAISE EXCEPTION 'the second factor of % is not confirmed yet; first: ujrat operator confirm', session_user USING ERRCODE = 'UJ504';
    END IF;
    PERFORM take_code(who, t.secret, p_code), note_operator_act(who, 'PROVED', left(p_what, 700));
    RETURN who;
END $$;

-- ------------------------------------------------------------------ enrolling, revoking

-- A new secret for whoever is logged in, told this once. One that was never confirmed is replaced; one that was must be revoked first.
CREATE OR REPLACE FUNCTION enroll_operator() RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := operator_principal();
    t operator_totp;
    made bytea := random_secret();
BEGIN
    PERFORM 1 FROM principal WHERE principal_id = who FOR NO KEY UPDATE;     -- two enrolments at once
    SELECT * INTO t FROM operator_totp o WHERE o.principal_id = who AND o.ended_at IS NULL FOR NO KEY UPDATE;
    IF t.confirmed_at IS NOT NULL THEN
        RAISE EXCEPTION '% has a second factor; two other operators must revoke it first: ujrat operator revoke', session_user
            USING ERRCODE = 'UJ409';
    ELSIF FOUND THEN
        UPDATE operator_totp SET secret = NULL, ended_at = clock_timestamp(), ended_by = session_user
         WHERE principal_id = who AND enrolment = t.enrolment;
    END IF;
    INSERT INTO operator_totp (principal_id, enrolment, secret, enrolled_at, enrolled_by)
    SELECT who, coalesce(max(o.enrolment), 0) + 1, made, clock_timestamp(), session_user FROM operator_totp o WHERE o.principal_id = who;
    IF NOT EXISTS (SELECT FROM operator_totp o WHERE o.principal_id = who AND o.enrolment > 1) THEN
        EXECUTE format('CREATE SEQUENCE ujrat.operator_%s_failed MINVALUE 0', who);
        EXECUTE format('CREATE SEQUENCE ujrat.operator_%s_used MINVALUE 0', who);
    ELSE
        PERFORM setval(operator_register(who, 'used'), 0);      -- that was another secret's; wrong codes stay counted
    END IF;
    PERFORM note_operator_act(who, 'ENROLLED', NULL);
    RETURN made;
END $$;

-- The first code: the secret has arrived. Answers false if it was confirmed before (no code is looked at then).
CREATE OR REPLACE FUNCTION confirm_operator(p_code text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    who integer := operator_principal();
    t operator_totp;
BEGIN
    SELECT * INTO t FROM operator_totp o WHERE o.principal_id = who AND o.ended_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% has nothing to confirm; enrol first: ujrat operator enroll', session_user USING ERRCODE = 'UJ504';
    ELSIF t.confirmed_at IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM take_code(who, t.secret, p_code);
    UPDATE operator_totp SET confirmed_at = clock_timestamp() WHERE principal_id = who AND enrolment = t.enrolment;
    PERFORM note_operator_act(who, 'CONFIRMED', NULL);
    RETURN true;
END $$;

-- Ends the second factor of an operator, named as his login is ("anna" or "ujrat://operator/anna"): at once if an administrator
-- says so (who needs no code), else when a second operator does; none of the two is himself. Answers whether it has ended.
CREATE OR REPLACE FUNCTION revoke_operator(p_operator text, p_reason text, p_code text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    target text := 'ujrat://operator/' || replace(regexp_replace(p_operator, '^ujrat://operator/', ''), '_', '-');
    admin boolean := pg_has_role(session_user, 'ujrat_owner', 'MEMBER');
    who integer := CASE WHEN NOT admin THEN prove_operator(p_code, format('revoke the second factor of %s', p_operator)) END;
    t operator_totp;
    first operator_revocation;
BEGIN
    IF length(btrim(p_reason)) IS NULL OR length(btrim(p_reason)) = 0 OR length(p_reason) > 500 THEN
        RAISE EXCEPTION 'the reason has 1 to 500 characters' USING ERRCODE = 'UJ305';
    END IF;
    SELECT o.* INTO t FROM operator_totp o JOIN principal p USING (principal_id)
     WHERE p.uri = target AND o.ended_at IS NULL FOR NO KEY UPDATE OF o;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% has no second factor', p_operator USING ERRCODE = 'UJ409';
    ELSIF t.principal_id = who THEN
        RAISE EXCEPTION 'nobody revokes his own second factor: two other operators do, or an administrator' USING ERRCODE = 'UJ502';
    END IF;
    SELECT * INTO first FROM operator_revocation r WHERE r.principal_id = t.principal_id AND r.enrolment = t.enrolment;
    IF NOT admin AND (first.proposed_by IS NULL OR first.proposed_by = who) THEN
        IF first.proposed_by IS NULL THEN
            INSERT INTO operator_revocation (principal_id, enrolment, proposed_by, reason, proposed_at)
            VALUES (t.principal_id, t.enrolment, who, p_reason, clock_timestamp());
            PERFORM note_operator_act(t.principal_id, 'REVOCATION_PROPOSED', p_reason);
        END IF;
        RETURN false;
    END IF;
    UPDATE operator_totp SET secret = NULL, ended_at = clock_timestamp(),
           ended_by = session_user || coalesce((SELECT ', ' || p.uri FROM principal p WHERE p.principal_id = first.proposed_by), '')
     WHERE principal_id = t.principal_id AND enrolment = t.enrolment;
    PERFORM note_operator_act(t.principal_id, 'REVOKED', p_reason);
    RETURN true;
END $$;

-- Operators and how it stands with their second factors.
CREATE OR REPLACE FUNCTION operators_now()
RETURNS TABLE (uri text, enabled boolean, state text, enrolled_at timestamptz, confirmed_at timestamptz, failures integer,
    last_failure_at timestamptz, locked_until timestamptz, revocation_by text, revocation_reason text)
LANGUAGE sql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
    SELECT p.uri, p.enabled, CASE WHEN t.principal_id IS NULL THEN 'NONE' WHEN t.confirmed_at IS NULL THEN 'NOT_CONFIRMED'
           WHEN f.locked_until IS NOT NULL THEN 'LOCKED' ELSE 'ENROLLED' END,
           t.enrolled_at, t.confirmed_at, f.failures, f.last_at, f.locked_until, w.uri, r.reason
      FROM principal p
      LEFT JOIN operator_totp t ON t.principal_id = p.principal_id AND t.ended_at IS NULL
      LEFT JOIN LATERAL operator_failures(t.principal_id) f ON true
      LEFT JOIN operator_revocation r ON r.principal_id = t.principal_id AND r.enrolment = t.enrolment
      LEFT JOIN principal w ON w.principal_id = r.proposed_by
     WHERE p.role = 'operator' ORDER BY p.uri;
$$;
