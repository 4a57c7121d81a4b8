-- read-only
-- The open window of a bank.
SELECT h.window_no, w.opened_at, w.cutoff_at FROM bank_head h JOIN settlement_window w USING (bank_id, window_no) WHERE h.bank_id = $1::int2
