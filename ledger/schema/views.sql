-- What readers look at. Replaced with every migration.

-- A posting a row: the journal's lines, with what the auditor needs beside them.
CREATE OR REPLACE VIEW posting AS
SELECT j.book_id, j.seq, line.ord AS line_no, j.block_no, k.committed_at, j.kind, j.payout_id, line.account_id, line.ccy, line.minor
  FROM journal j
  JOIN block k USING (book_id, block_no)
 CROSS JOIN LATERAL unnest(j.line_account, j.line_ccy, j.line_minor) WITH ORDINALITY AS line (account_id, ccy, minor, ord);

-- A payout as it stands now. state: domain/payout_state.h.
CREATE OR REPLACE VIEW payout_now AS
SELECT p.*, b.code AS book_code, bank.code AS bank_code, s.source AS rate_source, s.as_of AS rate_as_of,
       jk.committed_at AS created_at, coalesce(tk.committed_at, hk.committed_at, jk.committed_at) AS updated_at,
       coalesce(t.state, CASE WHEN h.seq IS NOT NULL THEN 3 ELSE 1 END)::smallint AS state,
       t.reason_code,
       coalesce(settled.bank_reference, '') AS bank_reference, settled.tax_withheld, settled.eprc_number
  FROM payout p
  JOIN book b USING (book_id)
  JOIN bank USING (bank_id)
  JOIN rate_sheet s USING (rate_id)
  JOIN journal j ON j.book_id = p.book_id AND j.seq = p.payout_id
  JOIN block jk ON jk.book_id = j.book_id AND jk.block_no = j.block_no
  LEFT JOIN LATERAL (SELECT * FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                      ORDER BY t.step DESC LIMIT 1) t ON true
  LEFT JOIN journal tj ON tj.book_id = p.book_id AND tj.seq = t.seq
  LEFT JOIN block tk ON tk.book_id = tj.book_id AND tk.block_no = tj.block_no
  LEFT JOIN payout_transition settled ON settled.book_id = p.book_id AND settled.payout_id = p.payout_id
        AND settled.step = 1 AND settled.state = 4
  LEFT JOIN LATERAL (SELECT h.seq FROM handout h WHERE h.book_id = p.book_id AND h.bank_id = p.bank_id
                        AND h.last_payout_id >= p.payout_id ORDER BY h.last_payout_id LIMIT 1) h ON true
  LEFT JOIN journal hj ON hj.book_id = p.book_id AND hj.seq = h.seq
  LEFT JOIN block hk ON hk.book_id = hj.book_id AND hk.block_no = hj.block_no;

-- The newest balance of every account.
CREATE OR REPLACE VIEW account_now AS
SELECT a.*, c.code AS ccy_code, c.digits, b.code AS book_code, last.block_no, last.balance, last.debit_count, last.credit_count
  FROM account a
  JOIN book b USING (book_id)
  JOIN currency c USING (ccy)
 CROSS JOIN LATERAL (SELECT * FROM account_balance v WHERE v.book_id = a.book_id AND v.account_id = a.account_id
                      ORDER BY v.block_no DESC LIMIT 1) last;
