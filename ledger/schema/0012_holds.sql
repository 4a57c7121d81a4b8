-- Holds (docs/holds.md): a payout that no bank was told of is held, looked at by people, and released or refused.

-- ------------------------------------------------------------------ holds

-- A payout is held, the hold_no-th time. What detail and evidence say is for operators; the log has their hashes.
CREATE TABLE payout_hold (
    book_id          integer NOT NULL,
    payout_id        bigint NOT NULL,
    hold_no          smallint NOT NULL CHECK (hold_no BETWEEN 1 AND 1000),
    reason           text NOT NULL CHECK (reason IN ('OPERATOR', 'SCREENING', 'LIMIT', 'VELOCITY', 'NAME_MISMATCH', 'TRAVEL_RULE')),
    seq              bigint NOT NULL,                -- its journal, PAYOUT_HELD
    detail           text CHECK (length(detail) BETWEEN 1 AND 500),
    evidence         jsonb CHECK (length(evidence::text) <= 65536),
    detail_sha256    bytea CHECK (length(detail_sha256) = 32),
    evidence_sha256  bytea CHECK (length(evidence_sha256) = 32),     -- of evidence::text
    queue            text NOT NULL CHECK (queue ~ '^[a-z0-9-]{1,32}$'),
    deadline         timestamptz NOT NULL,
    principal_id     integer NOT NULL REFERENCES principal,
    held_at          timestamptz NOT NULL,
    PRIMARY KEY (book_id, payout_id, hold_no),
    UNIQUE (book_id, seq),
    FOREIGN KEY (book_id, payout_id) REFERENCES payout,
    FOREIGN KEY (book_id, seq) REFERENCES journal (book_id, seq),
    CHECK (seq > payout_id AND deadline > held_at),
    CHECK ((detail IS NULL) = (detail_sha256 IS NULL) AND (evidence IS NULL) = (evidence_sha256 IS NULL))
);

-- What one operator says of an open hold. The last one counts: what is not withdrawn waits for a second operator who says the same.
CREATE TABLE payout_hold_decision (
    book_id       integer NOT NULL,
    payout_id     bigint NOT NULL,
    hold_no       smallint NOT NULL,
    decision_no   smallint NOT NULL CHECK (decision_no BETWEEN 1 AND 1000),
    decision      text NOT NULL CHECK (decision IN ('release', 'refuse', 'withdraw')),
    note          text NOT NULL CHECK (length(note) BETWEEN 1 AND 500),
    note_sha256   bytea NOT NULL CHECK (length(note_sha256) = 32),
    principal_id  integer NOT NULL REFERENCES principal,
    decided_at    timestamptz NOT NULL,
    PRIMARY KEY (book_id, payout_id, hold_no, decision_no),
    FOREIGN KEY (book_id, payout_id, hold_no) REFERENCES payout_hold
);

-- How a hold ended, once, by two who decided the same. seq is the journal that reverses PAYOUT_HELD; of a release it is the payout's
-- number in its bank's order from then on.
CREATE TABLE payout_hold_end (
    book_id          integer NOT NULL,
    payout_id        bigint NOT NULL,
    hold_no          smallint NOT NULL,
    outcome          smallint NOT NULL CHECK (outcome IN (1, 2)),      -- 1 released, 2 refused
    seq              bigint NOT NULL,
    bank_id          smallint NOT NULL REFERENCES bank,
    first_decision   smallint NOT NULL,
    second_decision  smallint NOT NULL,
    PRIMARY KEY (book_id, payout_id, hold_no),
    UNIQUE (book_id, seq),
    FOREIGN KEY (book_id, payout_id, hold_no) REFERENCES payout_hold,
    FOREIGN KEY (book_id, payout_id, hold_no, first_decision) REFERENCES payout_hold_decision,
    FOREIGN KEY (book_id, payout_id, hold_no, second_decision) REFERENCES payout_hold_decision,
    FOREIGN KEY (book_id, seq) REFERENCES journal (book_id, seq),
    CHECK (first_decision < second_decision)
);
-- Releases in a bank's order, as its hand-outs go through them.
CREATE UNIQUE INDEX payout_hold_end_released ON payout_hold_end (book_id, bank_id, seq) WHERE outcome = 1;

-- Holds that have not ended, one a payout at most. It follows from the tables above: a row goes with the end.
CREATE TABLE payout_hold_open (
    book_id    integer NOT NULL,
    payout_id  bigint NOT NULL,
    hold_no    smallint NOT NULL,
    queue      text NOT NULL,
    deadline   timestamptz NOT NULL,
    PRIMARY KEY (book_id, payout_id),
    FOREIGN KEY (book_id, payout_id, hold_no) REFERENCES payout_hold
);
CREATE INDEX payout_hold_open_deadline ON payout_hold_open (deadline);

-- ------------------------------------------------------------------ what knows of them

-- What is held is in accounts of its own, opened by the first that is.
ALTER TABLE account DROP CONSTRAINT account_role_check, ADD CONSTRAINT account_role_check
    CHECK (role IN ('float', 'correspondent', 'fee', 'margin', 'position', 'payable', 'nostro', 'suspense', 'charge', 'unclaimed', 'held'));

INSERT INTO journal_kind (kind, name) VALUES
    (18, 'PAYOUT_HELD'), (19, 'HOLD_RELEASED'), (20, 'HOLD_REFUSED'), (21, 'PAYOUT_REFUSED');

-- 4 settled, 5 rejected, 7 cancelled, 9 refused; 6 returned, 10 partly returned.
ALTER TABLE payout_transition DROP CONSTRAINT steps_of_a_payout, ADD CONSTRAINT steps_of_a_payout
    CHECK ((step = 1 AND state IN (4, 5, 7, 9)) OR (step > 1 AND state IN (4, 6, 10)));

ALTER TABLE settlement_alert DROP CONSTRAINT settlement_alert_kind_check, ADD CONSTRAINT settlement_alert_kind_check
    CHECK (kind IN ('NOSTRO_LOW', 'FLOAT_LOW', 'ESCALATED', 'BLOCKED', 'WINDOW_DISPUTED', 'WINDOW_LATE', 'KEPT_BACK', 'FILE_QUARANTINED',
                    'TAX_DIFFERS', 'HOLD_OVERDUE'));

-- It answers other columns now.
DROP FUNCTION IF EXISTS bank_payouts_after(integer, smallint, bigint, integer, bigint);

-- ------------------------------------------------------------------ guards

CREATE FUNCTION guard_hold_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stack text;
BEGIN
    GET DIAGNOSTICS stack = PG_CONTEXT;
    IF TG_OP = 'DELETE' AND stack ~ 'function (ujrat\.)?end_hold\('
       AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '%: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'UJ409',
        HINT = 'A hold ends with `ujrat hold approve` or `ujrat hold refuse`.';
END $$;
CREATE TRIGGER guard_hold_open BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_hold_open FOR EACH STATEMENT EXECUTE FUNCTION guard_hold_open();
ALTER TABLE payout_hold_open ENABLE ALWAYS TRIGGER guard_hold_open;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['payout_hold', 'payout_hold_decision', 'payout_hold_end'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
END $$;
