-- Raises an alert, if none is raised of that kind and subject.
SELECT raised FROM raise_alert($1::text, left($2::text, 200), left($3::text, 500))
