-- read-only
-- Alerts that were raised after a number, to be told once.
SELECT alert_id, kind, subject, detail FROM settlement_alert WHERE alert_id > $1::int8 ORDER BY alert_id LIMIT 1000
