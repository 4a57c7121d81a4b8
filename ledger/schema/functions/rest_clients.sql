-- Clients of the REST API (docs/paypal.md): who may call without a certificate. The secret is made by `ujrat rest client`
-- and never comes here, only its salted hash; what signs bearer tokens is made here and never leaves but to the gateway.

-- 32 bytes nobody can guess: gen_random_uuid() has 122 random bits, from the system's generator.
CREATE OR REPLACE FUNCTION new_token_key() RETURNS bytea
LANGUAGE sql VOLATILE SET search_path = ujrat, pg_temp AS $$
    SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
$$;

CREATE OR REPLACE FUNCTION add_rest_client(p_platform text, p_client_id text, p_salt bytea, p_sha256 bytea, p_sandbox boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    platform integer;
    id integer;
BEGIN
    SELECT principal_id INTO platform FROM principal WHERE uri = 'ujrat://platform/' || p_platform AND role = 'platform';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no platform %', p_platform USING ERRCODE = 'UJ500';
    END IF;
    INSERT INTO rest_credential (client_id, principal_id, secret_salt, secret_sha256, token_key, sandbox)
    VALUES (p_client_id, platform, p_salt, p_sha256, new_token_key(), p_sandbox)
    RETURNING credential_id INTO id;
    RETURN id;
END $$;

-- NULL: there is no such client. A new token key ends the bearer tokens that are out.
CREATE OR REPLACE FUNCTION rotate_rest_client(p_client_id text, p_salt bytea, p_sha256 bytea) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
    UPDATE rest_credential SET secret_salt = p_salt, secret_sha256 = p_sha256, token_key = new_token_key()
     WHERE client_id = p_client_id RETURNING credential_id;
$$;

-- Disabled for good or for a while; either way the tokens that are out end.
CREATE OR REPLACE FUNCTION set_rest_client_enabled(p_client_id text, p_enabled boolean) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
    UPDATE rest_credential SET enabled = p_enabled, token_key = CASE WHEN p_enabled THEN token_key ELSE new_token_key() END
     WHERE client_id = p_client_id RETURNING credential_id;
$$;
