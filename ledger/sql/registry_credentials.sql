-- read-only
SELECT credential_id, client_id, principal_id, secret_salt, secret_sha256, token_key, sandbox, enabled
  FROM rest_credential ORDER BY client_id COLLATE "C";
