-- read-only
-- Closed windows of a bank whose end is not known, with the state they are in.
SELECT w.window_no, w.closed_at, w.settle_by,
       coalesce((SELECT e.state FROM window_end e WHERE e.bank_id = $1::int2 AND e.window_no = w.window_no ORDER BY e.step DESC LIMIT 1), 'CLOSED')
  FROM windows_to_end($1::int2) w
