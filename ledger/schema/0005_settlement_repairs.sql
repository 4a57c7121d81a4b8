-- What settlement lacked when it first shipped.

-- ------------------------------------------------------------------ transitions by their journal

-- A session that planned while the table held nothing, or little, took this index for look-ups of a payout's steps too, and read
-- all of the book's: while there is nothing, every index looks alike. Now it fits only who asks by journal, and says seq > 0.
DROP INDEX payout_transition_seq;
CREATE INDEX payout_transition_seq ON payout_transition (book_id, seq) WHERE seq > 0;

-- ------------------------------------------------------------------ alerts that a person ends

-- Who ended it; NULL: it was so no more.
ALTER TABLE settlement_alert_end ADD COLUMN principal_id integer REFERENCES principal;

-- ------------------------------------------------------------------ taxes

-- Days (Asia/Karachi) whose taxes were compared with our estimate. Each once: what differed is an alert a bank.
CREATE TABLE tax_day (
    day         date PRIMARY KEY,
    checked_at  timestamptz NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tax_day FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE tax_day ENABLE ALWAYS TRIGGER append_only;
