-- Of all the ujrat-settle of a database one leads: the one whose session has this lock.
SELECT pg_try_advisory_lock($1)
