-- Of all the sealers of a database one seals: the one whose session has this lock.
SELECT pg_try_advisory_lock($1)
