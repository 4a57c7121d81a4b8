-- read-only
-- Who this is, and whether that may be.
SELECT principal_id, role = 'system' AND enabled FROM principal WHERE uri = $1
