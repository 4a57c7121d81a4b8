-- read-only
SELECT name, description FROM webhook_event_kind ORDER BY kind
