-- Settlement with partner banks (docs/settlement.md): terms, calendar, windows, parts of returns, inquiries and recalls,
-- funding, files. What is decided is a row that stays; the two tables of running totals (bank_head, bank_book) follow from
-- those rows and are checked against them.

-- ------------------------------------------------------------------ terms and calendar

-- What was agreed with a bank, from a moment on. The newest row that has begun is in force. No row: no windows or limits.
CREATE TABLE bank_terms (
    bank_id           smallint NOT NULL REFERENCES bank,
    valid_from        timestamptz NOT NULL,
    mode              text NOT NULL CHECK (mode IN ('instant', 'windows')),
    channel           text NOT NULL CHECK (channel IN ('grpc', 'file')),
    cutoffs           time[] NOT NULL CHECK (cardinality(cutoffs) BETWEEN 1 AND 24),        -- of a working day, Asia/Karachi, rising
    ramadan_cutoffs   time[] NOT NULL CHECK (cardinality(ramadan_cutoffs) BETWEEN 1 AND 24),
    ccy               smallint NOT NULL REFERENCES currency,                                -- of the amounts below
    instruction_max   bigint CHECK (instruction_max > 0),                                   -- NULL: none
    window_max        bigint CHECK (window_max > 0),
    net_debit_cap     bigint CHECK (net_debit_cap > 0),
    nostro_low        bigint CHECK (nostro_low >= 0),
    answer_within     interval NOT NULL CHECK (answer_within > interval '0'),
    escalate_after    interval NOT NULL CHECK (escalate_after >= answer_within),
    settle_within     interval NOT NULL CHECK (settle_within >= interval '0'),              -- of a window, after its cut-off
    file_format       text NOT NULL DEFAULT 'pacs.008.001.08' CHECK (file_format IN ('pacs.008.001.08', 'pain.001.001.09')),
    author            text NOT NULL CHECK (author <> ''),
    PRIMARY KEY (bank_id, valid_from)
);

-- Days that are not like others. The newest record of a day counts.
CREATE TABLE calendar_day (
    day          date NOT NULL,
    recorded_at  timestamptz NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('holiday', 'working', 'ramadan')),   -- 'working': like others after all
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    author       text NOT NULL CHECK (author <> ''),
    PRIMARY KEY (day, recorded_at)
);

-- The withholding that we expect of a bank (ITO 2001 s.154A), beside which stands what it says.
CREATE TABLE withholding_estimate (
    valid_from     timestamptz NOT NULL,
    pseb           boolean NOT NULL,           -- registered with PSEB
    bps            integer NOT NULL CHECK (bps BETWEEN 0 AND 9999),
    source         text NOT NULL CHECK (source <> ''),
    author         text NOT NULL CHECK (author <> ''),
    PRIMARY KEY (pseb, valid_from)
);

-- Below which a platform's float is called low.
CREATE TABLE float_low (
    book_id     integer NOT NULL REFERENCES book,
    ccy         smallint NOT NULL REFERENCES currency,
    valid_from  timestamptz NOT NULL,
    amount      bigint NOT NULL CHECK (amount >= 0),
    author      text NOT NULL CHECK (author <> ''),
    PRIMARY KEY (book_id, ccy, valid_from)
);

-- ------------------------------------------------------------------ windows

CREATE TABLE settlement_window (
    bank_id        smallint NOT NULL REFERENCES bank,
    window_no      bigint NOT NULL CHECK (window_no > 0),
    opened_at      timestamptz NOT NULL,
    cutoff_at      timestamptz NOT NULL,           -- planned; the closing says when it was
    prev_window_no bigint,
    PRIMARY KEY (bank_id, window_no),
    FOREIGN KEY (bank_id, prev_window_no) REFERENCES settlement_window,
    CHECK (coalesce(prev_window_no, 0) = window_no - 1 AND (prev_window_no IS NULL) = (window_no = 1))
);

-- A window is closed: its instructions and totals are what they are.
CREATE TABLE window_closing (
    bank_id        smallint NOT NULL,
    window_no      bigint NOT NULL,
    closed_at      timestamptz NOT NULL,
    settle_by      timestamptz NOT NULL,
    instructions   bigint NOT NULL CHECK (instructions >= 0),
    amount         bigint NOT NULL CHECK (amount >= 0),
    principal_id   integer NOT NULL REFERENCES principal,
    PRIMARY KEY (bank_id, window_no),
    FOREIGN KEY (bank_id, window_no) REFERENCES settlement_window
);

-- The same, book by book; books without an instruction in it have no row.
CREATE TABLE window_book (
    book_id        integer NOT NULL REFERENCES book,
    bank_id        smallint NOT NULL,
    window_no      bigint NOT NULL,
    instructions   bigint NOT NULL CHECK (instructions > 0),
    amount         bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (book_id, bank_id, window_no),
    FOREIGN KEY (bank_id, window_no) REFERENCES window_closing
);

-- The bank's own totals, and what became of the window. The last step counts.
CREATE TABLE window_report (
    bank_id          smallint NOT NULL,
    window_no        bigint NOT NULL,
    report_no        integer NOT NULL CHECK (report_no > 0),
    settled_count    bigint NOT NULL CHECK (settled_count >= 0),
    settled_amount   bigint NOT NULL CHECK (settled_amount >= 0),
    rejected_count   bigint NOT NULL CHECK (rejected_count >= 0),
    rejected_amount  bigint NOT NULL CHECK (rejected_amount >= 0),
    reported_at      timestamptz NOT NULL,
    principal_id     integer NOT NULL REFERENCES principal,
    PRIMARY KEY (bank_id, window_no, report_no),
    FOREIGN KEY (bank_id, window_no) REFERENCES window_closing
);

CREATE TABLE window_end (
    bank_id         smallint NOT NULL,
    window_no       bigint NOT NULL,
    step            integer NOT NULL CHECK (step > 0),
    state           text NOT NULL CHECK (state IN ('SETTLED', 'DISPUTED')),
    reason          text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    at              timestamptz NOT NULL,
    principal_id    integer NOT NULL REFERENCES principal,
    settled_count   bigint NOT NULL,
    settled_amount  bigint NOT NULL,
    rejected_count  bigint NOT NULL,
    rejected_amount bigint NOT NULL,
    pending_count   bigint NOT NULL,
    PRIMARY KEY (bank_id, window_no, step),
    FOREIGN KEY (bank_id, window_no) REFERENCES window_closing,
    CHECK (state <> 'SETTLED' OR pending_count = 0)
);

-- An operator says that a DISPUTED window is cleared up; a second one, told apart by the database login, approves. It stands
-- as long as nothing else became of the window.
CREATE TABLE window_settle_proposal (
    bank_id        smallint NOT NULL,
    window_no      bigint NOT NULL,
    proposal_no    integer NOT NULL CHECK (proposal_no > 0),
    after_step     integer NOT NULL,               -- the window's last step when it was proposed
    reason         text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    proposed_by    integer NOT NULL REFERENCES principal,
    proposed_at    timestamptz NOT NULL,
    PRIMARY KEY (bank_id, window_no, proposal_no),
    FOREIGN KEY (bank_id, window_no, after_step) REFERENCES window_end (bank_id, window_no, step)
);

-- The one row that hand-outs to a bank and the closing of its windows lock; after the book's, never before.
CREATE TABLE bank_head (
    bank_id              smallint PRIMARY KEY REFERENCES bank,
    window_no            bigint NOT NULL,             -- the open one
    window_instructions  bigint NOT NULL DEFAULT 0,   -- what its hand-outs come to so far
    window_amount        bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Running totals of a bank in a book: what is pending. They change under the book's lock.
CREATE TABLE bank_book (
    book_id         integer NOT NULL REFERENCES book,
    bank_id         smallint NOT NULL REFERENCES bank,
    pending_count   bigint NOT NULL DEFAULT 0,
    pending_amount  bigint NOT NULL DEFAULT 0,
    answered_upto   bigint NOT NULL DEFAULT 0,    -- the bank's payouts up to this one have their answer, or are in inquiry_open
    PRIMARY KEY (book_id, bank_id)
) WITH (fillfactor = 50);
CREATE INDEX bank_book_of_bank ON bank_book (bank_id);

-- What a bank is owed is added up over all books with every hand-out that its cap bounds.
CREATE INDEX account_nostro ON account (bank_id, book_id) WHERE role = 'nostro';

-- Which window a hand-out belongs to (NULL: the bank had no terms), and what it came to without those cancelled before
-- (NULL: it was made before this was kept).
ALTER TABLE handout
    ADD COLUMN window_no     bigint,
    ADD COLUMN instructions  integer CHECK (instructions >= 0),
    ADD COLUMN amount        bigint CHECK (amount >= 0),
    ADD CONSTRAINT handout_window FOREIGN KEY (bank_id, window_no) REFERENCES settlement_window;
CREATE INDEX handout_of_window ON handout (bank_id, window_no) WHERE window_no IS NOT NULL;

-- ------------------------------------------------------------------ returns in parts

INSERT INTO journal_kind (kind, name) VALUES
    (10, 'SETTLEMENT_PARTLY_REVERSED'), (11, 'PAYOUT_PARTLY_RETURNED'),
    (12, 'RETURN_REVERSED'), (13, 'SETTLEMENT_RESTORED'), (14, 'NOSTRO_FUNDED');

-- 4 settled, 5 rejected, 6 returned, 7 cancelled, 10 partly returned. After the first step only what was settled goes on.
ALTER TABLE payout_transition DROP CONSTRAINT steps_of_a_payout, ADD CONSTRAINT steps_of_a_payout
    CHECK ((step = 1 AND state IN (4, 5, 7)) OR (step > 1 AND state IN (4, 6, 10)));

-- What a return, or its reversal, was about: beside the transition of that step.
CREATE TABLE payment_return (
    book_id          integer NOT NULL,
    payout_id        bigint NOT NULL,
    step             smallint NOT NULL,
    amount           bigint NOT NULL CHECK (amount > 0),                     -- of the payment that is undone
    charge           bigint NOT NULL CHECK (charge BETWEEN 0 AND amount),    -- kept by the bank of it
    reverses_step    smallint,                                               -- this takes back the return of that step
    window_no        bigint,                                                 -- the bank's open window then
    bank_id          smallint NOT NULL,
    bank_reference   text NOT NULL,
    PRIMARY KEY (book_id, payout_id, step),
    UNIQUE (book_id, payout_id, bank_reference),
    FOREIGN KEY (book_id, payout_id, step) REFERENCES payout_transition,
    FOREIGN KEY (book_id, payout_id, reverses_step) REFERENCES payment_return (book_id, payout_id, step),
    FOREIGN KEY (bank_id, window_no) REFERENCES settlement_window,
    CHECK (reverses_step < step)
);
CREATE UNIQUE INDEX payment_return_reversed_once ON payment_return (book_id, payout_id, reverses_step) WHERE reverses_step IS NOT NULL;
CREATE INDEX payment_return_of_window ON payment_return (bank_id, window_no) WHERE window_no IS NOT NULL;

-- Those that were recorded before there was this table: whole, and under no window.
INSERT INTO payment_return (book_id, payout_id, step, amount, charge, bank_id, bank_reference)
SELECT t.book_id, t.payout_id, t.step, p.net, 0, p.bank_id, coalesce(t.bank_reference, '')
  FROM payout_transition t JOIN payout p USING (book_id, payout_id) WHERE t.state = 6;

-- It answers with more than the time now, and is given the charge.
DROP FUNCTION IF EXISTS return_payment(integer, smallint, integer, bigint, smallint, bigint, text, text);

-- ------------------------------------------------------------------ funding

CREATE TABLE nostro_funding (
    book_id     integer NOT NULL,
    reference   text NOT NULL CHECK (length(reference) BETWEEN 1 AND 35),
    bank_id     smallint NOT NULL REFERENCES bank,
    ccy         smallint NOT NULL REFERENCES currency,
    amount      bigint NOT NULL CHECK (amount > 0),           -- what reached the nostro
    src_ccy     smallint NOT NULL REFERENCES currency,
    src_amount  bigint NOT NULL CHECK (src_amount > 0),       -- what was sold for it
    seq         bigint NOT NULL,
    PRIMARY KEY (book_id, reference),
    FOREIGN KEY (book_id, seq) REFERENCES journal
);
CREATE UNIQUE INDEX nostro_funding_seq ON nostro_funding (book_id, seq);

-- How a funding is split over books, decided once under its reference: whoever goes on after a crash does what was begun.
CREATE TABLE funding_plan (
    reference   text PRIMARY KEY CHECK (length(reference) BETWEEN 1 AND 35),
    bank_id     smallint NOT NULL REFERENCES bank,
    ccy         smallint NOT NULL REFERENCES currency,
    amount      bigint NOT NULL CHECK (amount > 0),
    src_ccy     smallint NOT NULL REFERENCES currency,
    src_amount  bigint NOT NULL CHECK (src_amount > 0),
    author      text NOT NULL CHECK (author <> ''),
    planned_at  timestamptz NOT NULL
);
CREATE TABLE funding_plan_part (
    reference   text NOT NULL REFERENCES funding_plan,
    book_id     integer NOT NULL REFERENCES book,
    amount      bigint NOT NULL CHECK (amount > 0),
    src_amount  bigint NOT NULL CHECK (src_amount > 0),
    PRIMARY KEY (reference, book_id)
);

-- ------------------------------------------------------------------ no answer, and second thoughts

-- Inquiries and recalls of a bank are numbered together. Its row is locked from the number to the commit: they are seen in order.
ALTER TABLE bank ADD COLUMN last_question bigint NOT NULL DEFAULT 0;

-- We asked about an instruction that was not answered in time.
CREATE TABLE inquiry (
    book_id     integer NOT NULL,
    payout_id   bigint NOT NULL,
    inquiry_no  smallint NOT NULL CHECK (inquiry_no > 0),
    bank_id     smallint NOT NULL REFERENCES bank,
    question_no bigint NOT NULL,                  -- rises as they are asked; with gaps
    asked_at    timestamptz NOT NULL,
    escalated   boolean NOT NULL,
    PRIMARY KEY (book_id, payout_id, inquiry_no),
    UNIQUE (bank_id, question_no),
    FOREIGN KEY (book_id, payout_id) REFERENCES payout
);

-- The last inquiry of each instruction that still has no answer. It follows from the inquiries and the transitions, and is kept
-- so that neither they nor the payouts need be searched: a row goes with the answer.
CREATE TABLE inquiry_open (
    book_id     integer NOT NULL,
    payout_id   bigint NOT NULL,
    bank_id     smallint NOT NULL,
    inquiry_no  smallint NOT NULL,
    question_no bigint NOT NULL,
    asked_at    timestamptz NOT NULL,
    escalated   boolean NOT NULL,
    PRIMARY KEY (book_id, payout_id),
    FOREIGN KEY (book_id, payout_id, inquiry_no) REFERENCES inquiry
);
CREATE INDEX inquiry_open_of_bank ON inquiry_open (bank_id, question_no);

-- What a bank said of an instruction that settles nothing: RCVD, ACSP, BLCK, or a code that we do not know.
CREATE TABLE instruction_notice (
    book_id      integer NOT NULL,
    payout_id    bigint NOT NULL,
    notice_no    smallint NOT NULL CHECK (notice_no > 0),
    bank_id      smallint NOT NULL REFERENCES bank,
    status_code  text NOT NULL CHECK (length(status_code) BETWEEN 1 AND 35),
    reason_code  text CHECK (length(reason_code) <= 35),
    noted_at     timestamptz NOT NULL,
    PRIMARY KEY (book_id, payout_id, notice_no),
    FOREIGN KEY (book_id, payout_id) REFERENCES payout
);

CREATE TABLE recall (
    book_id       integer NOT NULL,
    payout_id     bigint NOT NULL,
    recall_no     smallint NOT NULL CHECK (recall_no > 0),
    bank_id       smallint NOT NULL REFERENCES bank,
    question_no   bigint NOT NULL,                                     -- as of inquiry
    reason_code   text NOT NULL CHECK (reason_code ~ '^[A-Z0-9]{4}$'), -- external cancellation reason
    principal_id  integer NOT NULL REFERENCES principal,
    asked_at      timestamptz NOT NULL,
    PRIMARY KEY (book_id, payout_id, recall_no),
    UNIQUE (bank_id, question_no),
    FOREIGN KEY (book_id, payout_id) REFERENCES payout
);

CREATE TABLE recall_answer (
    book_id       integer NOT NULL,
    payout_id     bigint NOT NULL,
    recall_no     smallint NOT NULL,
    answer_no     smallint NOT NULL CHECK (answer_no > 0),
    status        text NOT NULL CHECK (status IN ('CNCL', 'PDCR', 'RJCR')),
    reason_code   text CHECK (length(reason_code) <= 4),
    answered_at   timestamptz NOT NULL,
    principal_id  integer NOT NULL REFERENCES principal,
    PRIMARY KEY (book_id, payout_id, recall_no, answer_no),
    FOREIGN KEY (book_id, payout_id, recall_no) REFERENCES recall
);

-- ------------------------------------------------------------------ alerts

CREATE TABLE settlement_alert (
    alert_id   bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind       text NOT NULL CHECK (kind IN ('NOSTRO_LOW', 'FLOAT_LOW', 'ESCALATED', 'BLOCKED', 'WINDOW_DISPUTED', 'WINDOW_LATE',
                                             'KEPT_BACK', 'FILE_QUARANTINED', 'TAX_DIFFERS')),
    subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),     -- of one kind and subject one is open at a time
    detail     text NOT NULL CHECK (length(detail) BETWEEN 1 AND 500),
    raised_at  timestamptz NOT NULL
);
CREATE INDEX settlement_alert_subject ON settlement_alert (kind, subject, alert_id);
CREATE TABLE settlement_alert_end (
    alert_id   bigint PRIMARY KEY REFERENCES settlement_alert,
    ended_at   timestamptz NOT NULL,
    reason     text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500)
);

-- ------------------------------------------------------------------ files

-- A file to a bank: numbered without gaps. The row is there before the file is; what the file says follows from it.
CREATE TABLE file_out (
    bank_id       smallint NOT NULL REFERENCES bank,
    file_no       bigint NOT NULL CHECK (file_no > 0),
    prev_file_no  bigint,
    message       text NOT NULL,                             -- 'pacs.008.001.08'
    window_no     bigint,
    content       jsonb NOT NULL,                            -- which instructions, inquiries, recalls it holds
    sha256        bytea NOT NULL CHECK (length(sha256) = 32),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (bank_id, file_no),
    FOREIGN KEY (bank_id, prev_file_no) REFERENCES file_out (bank_id, file_no),
    CHECK (coalesce(prev_file_no, 0) = file_no - 1 AND (prev_file_no IS NULL) = (file_no = 1))
);

-- What went into which file: a hand-out, a question (inquiry or recall), a funding goes into one file only.
CREATE TABLE file_out_handout (
    book_id         integer NOT NULL,
    bank_id         smallint NOT NULL,
    last_payout_id  bigint NOT NULL,
    file_no         bigint NOT NULL,
    PRIMARY KEY (book_id, bank_id, last_payout_id),
    FOREIGN KEY (book_id, bank_id, last_payout_id) REFERENCES handout,
    FOREIGN KEY (bank_id, file_no) REFERENCES file_out
);
CREATE TABLE file_out_question (
    bank_id      smallint NOT NULL,
    question_no  bigint NOT NULL,
    file_no      bigint NOT NULL,
    PRIMARY KEY (bank_id, question_no),
    FOREIGN KEY (bank_id, file_no) REFERENCES file_out
);
CREATE TABLE file_out_funding (
    book_id    integer NOT NULL,
    reference  text NOT NULL,
    bank_id    smallint NOT NULL,
    file_no    bigint NOT NULL,
    PRIMARY KEY (book_id, reference),
    FOREIGN KEY (book_id, reference) REFERENCES nostro_funding,
    FOREIGN KEY (bank_id, file_no) REFERENCES file_out
);

-- A file from a bank, by what is in it: the same under another name is the same file. One that was quarantined may be
-- sent again when what was wrong on our side is put right.
CREATE TABLE file_in (
    bank_id      smallint NOT NULL REFERENCES bank,
    sha256       bytea NOT NULL CHECK (length(sha256) = 32),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    message      text,                                       -- NULL: not known
    outcome      text NOT NULL CHECK (outcome IN ('processed', 'quarantined')),
    items        bigint NOT NULL CHECK (items >= 0),
    refused      bigint NOT NULL CHECK (refused >= 0),
    report       text NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (bank_id, sha256, outcome)
);

-- ------------------------------------------------------------------ what the functions are given

-- An answer to a question that moves no money. kind: 1 status, 2 recall; number: the inquiry's or the recall's.
CREATE TYPE question_answer AS (
    kind smallint, book_id integer, payout_id bigint, number smallint, status_code text, reason_code text);

-- They answer, and are given, more than they were, which CREATE OR REPLACE cannot say.
DROP FUNCTION IF EXISTS hand_out(integer, smallint, integer, integer);
DROP FUNCTION IF EXISTS write_payouts(integer, integer, bigint, bigint, payout_draft[]);

-- ------------------------------------------------------------------ what there is already

-- What banks were told before, and have not answered.
INSERT INTO bank_book (book_id, bank_id, pending_count, pending_amount, answered_upto)
SELECT h.book_id, h.bank_id, count(p.payout_id), coalesce(sum(p.net), 0), coalesce(min(p.payout_id) - 1, h.upto)
  FROM (SELECT book_id, bank_id, max(last_payout_id) AS upto FROM handout GROUP BY 1, 2) h
  LEFT JOIN payout p ON p.book_id = h.book_id AND p.bank_id = h.bank_id AND p.payout_id <= h.upto
                    AND NOT EXISTS (SELECT 1 FROM payout_transition t
                                     WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id AND t.step = 1)
 GROUP BY h.book_id, h.bank_id, h.upto;

-- ------------------------------------------------------------------ guards

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['bank_terms', 'calendar_day', 'withholding_estimate', 'float_low', 'settlement_window', 'window_closing',
                             'window_book', 'window_report', 'window_end', 'window_settle_proposal', 'payment_return', 'nostro_funding',
                             'funding_plan', 'funding_plan_part', 'inquiry',
                             'instruction_notice', 'recall', 'recall_answer', 'settlement_alert', 'settlement_alert_end',
                             'file_out', 'file_out_handout', 'file_out_question', 'file_out_funding', 'file_in'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['bank_head', 'bank_book'] LOOP
        EXECUTE format('CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER not_removed', t);
    END LOOP;
END $$;
