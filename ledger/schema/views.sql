-- What readers look at. Replaced with every migration.

-- A posting a row: the journal's lines, with what the auditor needs beside them.
CREATE OR REPLACE VIEW posting AS
SELECT j.book_id, j.seq, line.ord AS line_no, j.block_no, k.committed_at, j.kind, j.payout_id, line.account_id, line.ccy, line.minor
  FROM journal j
  JOIN block k USING (book_id, block_no)
 CROSS JOIN LATERAL unnest(j.line_account, j.line_ccy, j.line_minor) WITH ORDINALITY AS line (account_id, ccy, minor, ord);

-- The last hold of every payout that was ever held, and what became of it. order_no: the payout's number in its bank's order; the
-- largest number there is, which no hand-out reaches, while it is held and when it was refused.
CREATE OR REPLACE VIEW payout_hold_last AS
SELECT DISTINCT ON (h.book_id, h.payout_id) h.book_id, h.payout_id, h.hold_no, h.seq AS held_seq, e.seq AS end_seq, e.outcome,
       CASE WHEN e.outcome = 1 THEN e.seq ELSE 9223372036854775807 END AS order_no
  FROM payout_hold h LEFT JOIN payout_hold_end e USING (book_id, payout_id, hold_no)
 ORDER BY h.book_id, h.payout_id, h.hold_no DESC;

-- A payout as it stands now. state: domain/payout_state.h. Each look-up is a lateral of one row, so that it goes by
-- its key whatever the planner believes of tables it has no statistics of yet.
CREATE OR REPLACE VIEW payout_now AS
SELECT p.*, b.code AS book_code, bank.code AS bank_code, s.source AS rate_source, s.as_of AS rate_as_of,
       created.committed_at AS created_at, coalesce(updated.committed_at, created.committed_at) AS updated_at,
       coalesce(t.state, CASE WHEN d.hold_no IS NOT NULL AND d.outcome IS NULL THEN 2 WHEN h.seq IS NOT NULL THEN 3 ELSE 1 END)::smallint AS state,
       CASE WHEN t.state <> 4 THEN t.reason_code END AS reason_code,     -- a return that was taken back had one too
       coalesce(settled.bank_reference, '') AS bank_reference, settled.tax_withheld, settled.eprc_number
  FROM payout p
 CROSS JOIN LATERAL (SELECT code FROM book WHERE book_id = p.book_id LIMIT 1) b
 CROSS JOIN LATERAL (SELECT code FROM bank WHERE bank_id = p.bank_id LIMIT 1) bank
 CROSS JOIN LATERAL (SELECT source, as_of FROM rate_sheet WHERE rate_id = p.rate_id LIMIT 1) s
  LEFT JOIN LATERAL (SELECT * FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                      ORDER BY t.step DESC LIMIT 1) t ON true
  LEFT JOIN LATERAL (SELECT * FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                      ORDER BY t.step LIMIT 1) settled ON settled.state = 4
  LEFT JOIN LATERAL (SELECT * FROM payout_hold_last l WHERE l.book_id = p.book_id AND l.payout_id = p.payout_id LIMIT 1) d ON true
  LEFT JOIN LATERAL (SELECT h.seq FROM handout h WHERE h.book_id = p.book_id AND h.bank_id = p.bank_id
                        AND h.last_payout_id >= coalesce(d.order_no, p.payout_id) ORDER BY h.last_payout_id LIMIT 1) h ON true
 CROSS JOIN LATERAL (SELECT k.committed_at FROM block k
                      WHERE k.book_id = p.book_id
                        AND k.block_no = (SELECT j.block_no FROM journal j WHERE j.book_id = p.book_id AND j.seq = p.payout_id)
                      LIMIT 1) created
  LEFT JOIN LATERAL (SELECT k.committed_at FROM block k
                      WHERE k.book_id = p.book_id
                        AND k.block_no = (SELECT j.block_no FROM journal j
                                           WHERE j.book_id = p.book_id AND j.seq = coalesce(t.seq, h.seq, d.end_seq, d.held_seq))
                      LIMIT 1) updated ON true;

-- The newest balance of every account.
CREATE OR REPLACE VIEW account_now AS
SELECT a.*, c.code AS ccy_code, c.digits, b.code AS book_code, last.block_no, last.balance, last.debit_count, last.credit_count
  FROM account a
  JOIN book b USING (book_id)
  JOIN currency c USING (ccy)
 CROSS JOIN LATERAL (SELECT * FROM account_balance v WHERE v.book_id = a.book_id AND v.account_id = a.account_id
                      ORDER BY v.block_no DESC LIMIT 1) last;

-- The terms in force, a row a bank that has any.
CREATE OR REPLACE VIEW bank_terms_now AS
SELECT DISTINCT ON (bank_id) * FROM bank_terms WHERE valid_from <= clock_timestamp() ORDER BY bank_id, valid_from DESC;

-- The versions of policy, who made each, and why.
CREATE OR REPLACE VIEW policy_version AS
SELECT v.policy_id, v.effective_at, p.proposal_id, p.request_id, p.reason, p.source, p.source_sha256, p.opening, a.uri AS proposed_by, p.proposed_at,
       b.uri AS approved_by, d.decided_at AS approved_at, d.note
  FROM policy v
  JOIN policy_proposal p USING (proposal_id)
  JOIN policy_decision d USING (proposal_id)
  JOIN principal a ON a.principal_id = p.proposed_by
  JOIN principal b ON b.principal_id = d.decided_by;

-- The calendar as it is known now: the newest record of each day.
CREATE OR REPLACE VIEW calendar_now AS
SELECT DISTINCT ON (day) * FROM calendar_day ORDER BY day, recorded_at DESC;

-- Alerts that are raised.
CREATE OR REPLACE VIEW settlement_alert_now AS
SELECT a.* FROM settlement_alert a WHERE NOT EXISTS (SELECT 1 FROM settlement_alert_end e WHERE e.alert_id = a.alert_id);

-- What a bank says that it withheld (s.154A) beside what we expect: basis points of the net amount by PSEB registration, rounded
-- down, as the rule withholding_bps had it when it paid. Settled payments for export of services alone; those that differ, or of which it said nothing.
CREATE OR REPLACE VIEW tax_difference AS
SELECT t.book_id, t.payout_id, p.bank_id, p.dst_ccy, p.net, k.committed_at AS settled_at, v.pseb_commitment IS NOT NULL AS pseb,
       e.bps, e.expected, t.tax_withheld, coalesce(t.tax_withheld, 0) - e.expected AS difference, t.eprc_number, t.bank_reference, t.seq
  FROM payout_transition t
  JOIN payout p USING (book_id, payout_id)
  JOIN beneficiary_version v ON v.book_id = p.book_id AND v.beneficiary_id = p.beneficiary_id AND v.version = p.beneficiary_version
  JOIN journal j ON j.book_id = t.book_id AND j.seq = t.seq
  JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no
 CROSS JOIN LATERAL (SELECT c.value::integer AS bps, div(p.net::numeric * c.value, 10000)::bigint AS expected
                       FROM policy_change c JOIN policy y USING (proposal_id)
                      WHERE c.kind = 8 AND c.scope = CASE WHEN v.pseb_commitment IS NOT NULL THEN 'PSEB' ELSE 'OTHER' END
                        AND y.effective_at <= k.committed_at
                      ORDER BY y.effective_at DESC, y.policy_id DESC LIMIT 1) e
 WHERE e.bps IS NOT NULL AND t.step = 1 AND t.state = 4 AND v.channel = 1 AND t.tax_withheld IS DISTINCT FROM e.expected;

-- Endpoints as they stand, without those that were deleted.
CREATE OR REPLACE VIEW webhook_now AS
SELECT w.book_id, w.webhook_id, w.public_id, w.created_at, v.version, v.url, v.event_types, v.concurrency, v.state, v.reason, v.author, v.changed_at
  FROM webhook w
 CROSS JOIN LATERAL (SELECT * FROM webhook_version v WHERE v.book_id = w.book_id AND v.webhook_id = w.webhook_id
                      ORDER BY v.version DESC LIMIT 1) v
 WHERE v.state <> 'DELETED';

-- An event with all that its text is made of, and nothing personal. Each of it is as it was when the event happened.
CREATE OR REPLACE VIEW webhook_event_facts AS
SELECT e.book_id, e.event_no, e.kind, k.name, k.description, e.status, e.batch_id, e.item_no, e.payout_id, e.seq, e.reason, e.reason_code, e.fees, e.at,
       e.simulated, b.sender_batch_id, b.items, b.ccy, b.amount, b.created_at AS batch_created_at, i.sender_item_id, i.gross, i.recipient_type
  FROM webhook_event e
  JOIN webhook_event_kind k USING (kind)
  LEFT JOIN payout_batch b ON b.book_id = e.book_id AND b.batch_id = e.batch_id
  LEFT JOIN payout_batch_item i ON i.book_id = e.book_id AND i.batch_id = e.batch_id AND i.item_no = e.item_no;

-- An item of a batch as it stands now. state: that of its payout (domain/payout_state.h); 8 unclaimed, 101 and 102 nobody claimed it in time, or it
-- was cancelled before (the float has it back), 103 it was refused for reason when the batch was taken.
CREATE OR REPLACE VIEW batch_item_now AS
SELECT i.*, b.ccy AS src_ccy, b.credential_id, coalesce(p.state, CASE WHEN e.outcome IS NOT NULL THEN 99 + e.outcome WHEN i.unclaimed_id IS NOT NULL THEN 8
                                                    ELSE 103 END)::smallint AS state,
       p.payout_id AS posted_payout_id, coalesce(p.reference, u.reference) AS reference, u.expires_at, p.fee, p.mid_rate_e10, p.mid_value,
       p.margin_bps, p.margin, p.net, p.dst_ccy, p.beneficiary_id, p.bank_code, p.reason_code, p.bank_reference,
       b.created_at, coalesce(p.updated_at, ended.committed_at, b.created_at) AS updated_at
  FROM payout_batch_item i
 CROSS JOIN LATERAL (SELECT * FROM payout_batch WHERE book_id = i.book_id AND batch_id = i.batch_id LIMIT 1) b
  LEFT JOIN LATERAL (SELECT * FROM unclaimed WHERE book_id = i.book_id AND unclaimed_id = i.unclaimed_id LIMIT 1) u ON true
  LEFT JOIN LATERAL (SELECT * FROM unclaimed_end WHERE book_id = i.book_id AND unclaimed_id = i.unclaimed_id LIMIT 1) e ON true
  LEFT JOIN LATERAL (SELECT k.committed_at FROM block k
                      WHERE k.book_id = i.book_id
                        AND k.block_no = (SELECT j.block_no FROM journal j WHERE j.book_id = i.book_id AND j.seq = e.seq)
                      LIMIT 1) ended ON true
  LEFT JOIN LATERAL (SELECT * FROM payout_now WHERE book_id = i.book_id AND payout_id = coalesce(i.payout_id, e.payout_id) LIMIT 1) p ON true;

-- How many boxes of personal data each key has encrypted; key 0: not encrypted yet.
CREATE OR REPLACE VIEW pii_key_use AS
    SELECT key_id, count(*) AS boxes FROM beneficiary_pii GROUP BY 1
    UNION ALL SELECT key_id, count(*) FROM receiver GROUP BY 1
    UNION ALL SELECT key_id, count(*) FROM payout_batch_item WHERE sealed IS NOT NULL GROUP BY 1;

-- What sanctions lists say now: of each entry its last change, unless that removed it.
CREATE OR REPLACE VIEW sanctions_entry_now AS
SELECT * FROM (SELECT DISTINCT ON (source, entry_id) * FROM sanctions_change ORDER BY source, entry_id, version DESC) c
 WHERE c.change <> 'REMOVED';
