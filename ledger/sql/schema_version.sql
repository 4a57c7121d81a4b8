-- read-only
SELECT coalesce(max(version), 0)::integer FROM schema_migration;
