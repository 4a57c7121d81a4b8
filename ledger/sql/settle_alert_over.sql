-- Ends an alert, if it is raised.
SELECT end_alert($1::text, left($2::text, 200), $3::text)
