-- read-only
-- The last alert there is.
SELECT coalesce(max(alert_id), 0) FROM settlement_alert
