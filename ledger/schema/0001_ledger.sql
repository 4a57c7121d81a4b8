-- The ledger: books, accounts, journals, versioned balances, and what they are about.
--
-- Everything that can be distributed has book_id first in its keys; a foreign key stays inside a book
-- or goes to a small reference table. Nothing in a book is ever changed or removed: what happens later
-- is a row of its own (payout_transition, beneficiary_version, account_balance), so that every state is
-- the sum of what led to it. Amounts are minor units; debit is positive, credit negative.

-- ------------------------------------------------------------------ small reference tables

CREATE TABLE currency (
    ccy     smallint PRIMARY KEY CHECK (ccy BETWEEN 1 AND 999),     -- ISO 4217 numeric
    code    text NOT NULL UNIQUE CHECK (code ~ '^[A-Z]{3}$'),       -- ISO 4217 alphabetic
    digits  smallint NOT NULL CHECK (digits BETWEEN 0 AND 4)        -- minor units
);

CREATE TABLE bank (
    bank_id    smallint PRIMARY KEY CHECK (bank_id > 0),
    code       text NOT NULL UNIQUE CHECK (code ~ '^[A-Z]{4}$'),    -- as in its IBANs
    bic        text CHECK (bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'),    -- never derived from the IBAN
    name       text NOT NULL CHECK (name <> ''),
    connected  boolean NOT NULL DEFAULT false                       -- takes instructions from us
);

CREATE TABLE book (
    book_id     integer PRIMARY KEY CHECK (book_id > 0),
    code        text NOT NULL UNIQUE CHECK (code ~ '^[a-z][a-z0-9-]{0,31}$'),
    name        text NOT NULL CHECK (name <> ''),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who may call, by the SAN URI of the client certificate.
CREATE TABLE principal (
    principal_id  integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    uri           text NOT NULL UNIQUE CHECK (uri ~ '^ujrat://(platform|bank|auditor|operator|system)/[A-Za-z0-9-]{1,32}$'),
    role          text NOT NULL CHECK (role IN ('platform', 'bank', 'auditor', 'operator', 'system')),
    book_id       integer REFERENCES book,
    bank_id       smallint REFERENCES bank,
    enabled       boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (uri LIKE 'ujrat://' || role || '/%'),
    CHECK ((role = 'platform') = (book_id IS NOT NULL)),
    CHECK ((role = 'bank') = (bank_id IS NOT NULL))
);

-- What a platform pays for, from a moment on. The newest row that has begun is in force.
CREATE TABLE tariff (
    book_id     integer NOT NULL REFERENCES book,
    ccy         smallint NOT NULL REFERENCES currency,       -- source currency
    valid_from  timestamptz NOT NULL,
    margin_bps  integer NOT NULL CHECK (margin_bps BETWEEN 0 AND 9999),
    fee_fixed   bigint NOT NULL CHECK (fee_fixed >= 0),
    fee_bps     integer NOT NULL CHECK (fee_bps BETWEEN 0 AND 9999),
    fee_min     bigint NOT NULL CHECK (fee_min >= 0),
    fee_max     bigint NOT NULL CHECK (fee_max = 0 OR fee_max >= fee_min),   -- 0: no upper bound
    gross_max   bigint NOT NULL CHECK (gross_max > 0),
    author      text NOT NULL CHECK (author <> ''),
    PRIMARY KEY (book_id, ccy, valid_from)
);

-- A day's rates as a source published them. A refused sheet leaves a row too, with its reason.
CREATE TABLE rate_sheet (
    rate_id      integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    source       text NOT NULL CHECK (source <> ''),         -- 'SBP-M2M'
    sheet_date   date,
    as_of        timestamptz,                                -- the moment the rates speak of
    imported_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    file_name    text NOT NULL,
    file_sha256  bytea NOT NULL CHECK (length(file_sha256) = 32),
    author       text NOT NULL,
    refused      text,                                       -- why it is not used; NULL: it is
    CHECK (refused IS NOT NULL OR (sheet_date IS NOT NULL AND as_of IS NOT NULL))
);

CREATE TABLE rate (
    rate_id  integer NOT NULL REFERENCES rate_sheet,
    ccy      smallint NOT NULL REFERENCES currency,
    pkr_e10  bigint NOT NULL CHECK (pkr_e10 > 0),            -- PKR for one unit, times 10^10
    PRIMARY KEY (rate_id, ccy)
);

-- ------------------------------------------------------------------ books

-- The one row a posting locks: the book's serial order.
CREATE TABLE book_head (
    book_id         integer PRIMARY KEY REFERENCES book,
    next_seq        bigint NOT NULL DEFAULT 1,
    next_block      bigint NOT NULL DEFAULT 1,
    last_commit_at  timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 20);

CREATE TYPE account_type AS ENUM ('ASSET', 'LIABILITY', 'INCOME', 'EXPENSE', 'POSITION');

CREATE TABLE account (
    book_id      integer NOT NULL REFERENCES book,
    account_id   integer NOT NULL CHECK (account_id > 0),
    code         text NOT NULL CHECK (code ~ '^[a-z-]+(\.[A-Z0-9]+)+$'),    -- 'float.USD', 'payable.MUCB.PKR'
    role         text NOT NULL CHECK (role IN ('float', 'correspondent', 'fee', 'margin', 'position', 'payable', 'nostro')),
    type         account_type NOT NULL,
    normal_side  text NOT NULL CHECK (normal_side IN ('debit', 'credit')),
    ccy          smallint NOT NULL REFERENCES currency,
    bank_id      smallint REFERENCES bank,
    floor_zero   boolean NOT NULL,       -- a credit account that may never turn to a debit: the float
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, account_id),
    UNIQUE (book_id, code),
    UNIQUE (book_id, account_id, floor_zero),
    CHECK ((bank_id IS NOT NULL) = (role IN ('payable', 'nostro')))
);
CREATE UNIQUE INDEX account_role ON account (book_id, role, ccy, coalesce(bank_id, 0::smallint));

-- All journals of one commit.
CREATE TABLE block (
    book_id       integer NOT NULL,
    block_no      bigint NOT NULL,
    first_seq     bigint NOT NULL,
    last_seq      bigint NOT NULL,
    committed_at  timestamptz NOT NULL,
    PRIMARY KEY (book_id, block_no),
    CHECK (first_seq <= last_seq)
);

-- An immutable journal entry with its lines inside: line i debits (or credits, if negative)
-- line_account[i] with line_minor[i] in line_ccy[i]. Read them one a row in the view posting.
CREATE TABLE journal (
    seq           bigint NOT NULL,
    block_no      bigint NOT NULL,
    payout_id     bigint,                -- what it is about
    reverses_seq  bigint,                -- the journal whose lines it negates
    book_id       integer NOT NULL,
    principal_id  integer NOT NULL,      -- who asked for it
    kind          smallint NOT NULL,     -- journal_kind
    line_account  integer[] NOT NULL,
    line_ccy      smallint[] NOT NULL,
    line_minor    bigint[] NOT NULL,
    detail        text,
    PRIMARY KEY (book_id, seq),
    -- Zero in every currency: a journal has at most 8 lines in at most two currencies; those in the first
    -- line's currency sum to zero, and so do all together.
    CONSTRAINT lines_match CHECK (cardinality(line_account) = cardinality(line_minor)
        AND cardinality(line_ccy) = cardinality(line_minor) AND cardinality(line_minor) <= 8),
    -- An array may begin elsewhere than at 1, have two dimensions, or hold NULLs, and the sums below would pass over
    -- what they do not see. The first and the last element are where they should be in no other shape than a plain list.
    CONSTRAINT lines_are_lists CHECK (cardinality(line_minor) = 0 OR (
            line_ccy[1] IS NOT NULL AND line_ccy[cardinality(line_ccy)] IS NOT NULL
        AND line_minor[1] IS NOT NULL AND line_minor[cardinality(line_minor)] IS NOT NULL)),
    CONSTRAINT lines_two_currencies CHECK (
        cardinality(array_remove(array_remove(line_ccy, line_ccy[1]), line_ccy[cardinality(line_ccy)])) = 0),
    CONSTRAINT lines_sum_to_zero CHECK (
        coalesce(line_minor[1], 0) + coalesce(line_minor[2], 0) + coalesce(line_minor[3], 0) + coalesce(line_minor[4], 0)
      + coalesce(line_minor[5], 0) + coalesce(line_minor[6], 0) + coalesce(line_minor[7], 0) + coalesce(line_minor[8], 0) = 0
        AND CASE WHEN line_ccy[1] = line_ccy[1] THEN line_minor[1] ELSE 0 END
          + CASE WHEN line_ccy[2] = line_ccy[1] THEN line_minor[2] ELSE 0 END
          + CASE WHEN line_ccy[3] = line_ccy[1] THEN line_minor[3] ELSE 0 END
          + CASE WHEN line_ccy[4] = line_ccy[1] THEN line_minor[4] ELSE 0 END
          + CASE WHEN line_ccy[5] = line_ccy[1] THEN line_minor[5] ELSE 0 END
          + CASE WHEN line_ccy[6] = line_ccy[1] THEN line_minor[6] ELSE 0 END
          + CASE WHEN line_ccy[7] = line_ccy[1] THEN line_minor[7] ELSE 0 END
          + CASE WHEN line_ccy[8] = line_ccy[1] THEN line_minor[8] ELSE 0 END = 0),
    CONSTRAINT lines_have_amounts CHECK ((0 <> ALL (line_minor)) IS TRUE)     -- a NULL among them: not TRUE
);
CREATE UNIQUE INDEX journal_reversed_once ON journal (book_id, reverses_seq) WHERE reverses_seq IS NOT NULL;

CREATE TABLE journal_kind (
    kind  smallint PRIMARY KEY,
    name  text NOT NULL UNIQUE
);

-- One row an account and block that touched it. Each names the row before it and begins with its
-- balance, and each can be followed only once: a gap or a fork cannot be stored.
CREATE TABLE account_balance (
    block_no        bigint NOT NULL,
    prev_block_no   bigint,                  -- NULL: the account's opening, at nil
    balance_before  bigint,
    change          bigint NOT NULL,
    balance         bigint NOT NULL,
    debit_count     bigint NOT NULL,         -- lines so far, from the opening on
    credit_count    bigint NOT NULL,
    book_id         integer NOT NULL,
    account_id      integer NOT NULL,
    floor_zero      boolean NOT NULL,
    PRIMARY KEY (book_id, account_id, block_no, balance),
    UNIQUE (book_id, account_id, prev_block_no),
    FOREIGN KEY (book_id, account_id, floor_zero) REFERENCES account (book_id, account_id, floor_zero),
    FOREIGN KEY (book_id, account_id, prev_block_no, balance_before)
        REFERENCES account_balance (book_id, account_id, block_no, balance),
    CHECK (coalesce(balance_before, 0) + change = balance),
    CHECK (prev_block_no < block_no),
    CHECK ((prev_block_no IS NULL) = (balance_before IS NULL)),
    CHECK (prev_block_no IS NOT NULL OR (block_no = 0 AND change = 0 AND debit_count = 0 AND credit_count = 0)),
    CONSTRAINT float_not_below_zero CHECK (NOT floor_zero OR balance <= 0)
);

-- ------------------------------------------------------------------ who is paid

CREATE TABLE beneficiary (
    book_id         integer NOT NULL REFERENCES book,
    beneficiary_id  bigint NOT NULL,
    request_id      text NOT NULL,           -- the platform's own; or 'sha256:…' of one carried by a payout
    version         integer NOT NULL,        -- the current one
    bank_id         smallint NOT NULL REFERENCES bank,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (book_id, beneficiary_id),
    UNIQUE (book_id, request_id)
);

CREATE TABLE beneficiary_version (
    book_id         integer NOT NULL,
    beneficiary_id  bigint NOT NULL,
    version         integer NOT NULL,
    fingerprint     bytea NOT NULL CHECK (length(fingerprint) = 16),   -- of what was asked
    display_name    text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 140),
    iban            text CHECK (length(iban) = 24),
    mobile_alias    text CHECK (mobile_alias ~ '^\+923[0-9]{9}$'),
    bank_id         smallint NOT NULL REFERENCES bank,
    cnic            text NOT NULL CHECK (cnic ~ '^[0-9]{13}$'),
    pseb            text NOT NULL,
    channel         smallint NOT NULL CHECK (channel IN (1, 2)),
    purpose_code    text NOT NULL CHECK (purpose_code ~ '^[0-9]{4}$'),
    principal_id    integer NOT NULL REFERENCES principal,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (book_id, beneficiary_id, version),
    FOREIGN KEY (book_id, beneficiary_id) REFERENCES beneficiary,
    CHECK ((iban IS NULL) <> (mobile_alias IS NULL))
);

-- ------------------------------------------------------------------ quotes and payouts

-- 10 to the power of shift, exactly; a plain expression, since it is computed with every payout.
CREATE FUNCTION digit_factor(shift smallint) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE shift WHEN 0 THEN 1::numeric WHEN -1 THEN 0.1 WHEN -2 THEN 0.01 WHEN -3 THEN 0.001 WHEN -4 THEN 0.0001
                      WHEN 1 THEN 10 WHEN 2 THEN 100 WHEN 3 THEN 1000 WHEN 4 THEN 10000 END
$$;

CREATE TABLE quote (
    book_id       integer NOT NULL REFERENCES book,
    quote_id      bigint NOT NULL,
    request_id    text NOT NULL,
    fingerprint   bytea NOT NULL CHECK (length(fingerprint) = 16),
    src_ccy       smallint NOT NULL REFERENCES currency,
    dst_ccy       smallint NOT NULL REFERENCES currency,
    digit_shift   smallint NOT NULL,       -- digits of the target currency less those of the source
    rate_id       integer NOT NULL REFERENCES rate_sheet,
    gross         bigint NOT NULL,
    fee           bigint NOT NULL,
    mid_rate_e10  bigint NOT NULL,
    mid_value     bigint NOT NULL,
    margin_bps    integer NOT NULL,
    margin        bigint NOT NULL,
    net           bigint NOT NULL,
    principal_id  integer NOT NULL REFERENCES principal,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL CHECK (expires_at > created_at),
    PRIMARY KEY (book_id, quote_id),
    UNIQUE (book_id, request_id),
    -- The numbers follow from each other (domain/pricing.h): re-computed here in exact arithmetic.
    CHECK (gross > 0 AND fee >= 0 AND fee < gross AND margin >= 0 AND net > 0 AND net = mid_value - margin),
    CHECK (mid_rate_e10 > 0 AND margin_bps BETWEEN 0 AND 9999 AND digit_shift BETWEEN -4 AND 4),
    -- Both in bigint where that cannot overflow, which is nearly always, and in numeric otherwise: ten times cheaper.
    CONSTRAINT margin_rounded_down CHECK (
        CASE WHEN mid_value < 900000000000000 THEN margin = mid_value * margin_bps / 10000
             ELSE margin = div(mid_value::numeric * margin_bps, 10000) END),
    CONSTRAINT mid_value_half_even CHECK (
        CASE WHEN digit_shift = 0 AND gross - fee < 1000000 AND mid_rate_e10 < 4000000000000 AND mid_value < 400000000
             THEN abs(mid_value * 20000000000 - (gross - fee) * mid_rate_e10 * 2) < 10000000000
               OR (abs(mid_value * 20000000000 - (gross - fee) * mid_rate_e10 * 2) = 10000000000 AND mid_value % 2 = 0)
             ELSE abs(mid_value::numeric * 20000000000 - (gross - fee)::numeric * mid_rate_e10 * 2 * digit_factor(digit_shift)) < 10000000000
               OR (abs(mid_value::numeric * 20000000000 - (gross - fee)::numeric * mid_rate_e10 * 2 * digit_factor(digit_shift)) = 10000000000
                   AND mid_value % 2 = 0) END)
);

-- One obligation, as accepted. payout_id is the seq of the journal that accepted it. What follows is
-- in payout_transition; the numbers never change.
CREATE TABLE payout (
    payout_id            bigint NOT NULL,
    beneficiary_id       bigint NOT NULL,
    gross                bigint NOT NULL,
    fee                  bigint NOT NULL,
    mid_rate_e10         bigint NOT NULL,
    mid_value            bigint NOT NULL,
    margin               bigint NOT NULL,
    net                  bigint NOT NULL,
    quote_id             bigint,
    book_id              integer NOT NULL,
    rate_id              integer NOT NULL,
    beneficiary_version  integer NOT NULL,
    margin_bps           integer NOT NULL,
    src_ccy              smallint NOT NULL,
    dst_ccy              smallint NOT NULL,
    bank_id              smallint NOT NULL,
    digit_shift          smallint NOT NULL,  -- digits of the target currency less those of the source
    fingerprint          bytea NOT NULL,
    reference            text COLLATE "C" NOT NULL,
    info                 text,               -- remittance information
    PRIMARY KEY (book_id, payout_id),
    UNIQUE (book_id, reference),
    FOREIGN KEY (book_id, quote_id) REFERENCES quote,
    -- The numbers follow from each other (domain/pricing.h): re-computed here in exact arithmetic.
    CHECK (gross > 0 AND fee >= 0 AND fee < gross AND margin >= 0 AND net > 0 AND net = mid_value - margin),
    CHECK (mid_rate_e10 > 0 AND margin_bps BETWEEN 0 AND 9999 AND digit_shift BETWEEN -4 AND 4),
    -- Both in bigint where that cannot overflow, which is nearly always, and in numeric otherwise: ten times cheaper.
    CONSTRAINT margin_rounded_down CHECK (
        CASE WHEN mid_value < 900000000000000 THEN margin = mid_value * margin_bps / 10000
             ELSE margin = div(mid_value::numeric * margin_bps, 10000) END),
    CONSTRAINT mid_value_half_even CHECK (
        CASE WHEN digit_shift = 0 AND gross - fee < 1000000 AND mid_rate_e10 < 4000000000000 AND mid_value < 400000000
             THEN abs(mid_value * 20000000000 - (gross - fee) * mid_rate_e10 * 2) < 10000000000
               OR (abs(mid_value * 20000000000 - (gross - fee) * mid_rate_e10 * 2) = 10000000000 AND mid_value % 2 = 0)
             ELSE abs(mid_value::numeric * 20000000000 - (gross - fee)::numeric * mid_rate_e10 * 2 * digit_factor(digit_shift)) < 10000000000
               OR (abs(mid_value::numeric * 20000000000 - (gross - fee)::numeric * mid_rate_e10 * 2 * digit_factor(digit_shift)) = 10000000000
                   AND mid_value % 2 = 0) END)
);
CREATE UNIQUE INDEX payout_quote_used_once ON payout (book_id, quote_id) WHERE quote_id IS NOT NULL;

-- What became of a payout after it was accepted, step by step.
CREATE TABLE payout_transition (
    book_id         integer NOT NULL,
    payout_id       bigint NOT NULL,
    step            smallint NOT NULL CHECK (step > 0),
    state           smallint NOT NULL,       -- the state it led to (domain/payout_state.h)
    seq             bigint NOT NULL,         -- the journal that did it
    reason_code     text CHECK (length(reason_code) <= 4),
    bank_reference  text CHECK (length(bank_reference) <= 35),
    tax_withheld    bigint CHECK (tax_withheld >= 0),
    eprc_number     text CHECK (length(eprc_number) <= 35),
    PRIMARY KEY (book_id, payout_id, step),
    FOREIGN KEY (book_id, payout_id) REFERENCES payout,
    FOREIGN KEY (book_id, seq) REFERENCES journal,
    -- settled, rejected or cancelled; what was settled may be returned; and then it is over
    CONSTRAINT steps_of_a_payout CHECK ((step = 1 AND state IN (4, 5, 7)) OR (step = 2 AND state = 6))
);
CREATE INDEX payout_transition_seq ON payout_transition (book_id, seq);

-- A bank was told of its payouts up to last_payout_id: they are INSTRUCTED. The journal of that seq has
-- no lines: money has not moved.
CREATE TABLE handout (
    book_id          integer NOT NULL,
    bank_id          smallint NOT NULL REFERENCES bank,
    last_payout_id   bigint NOT NULL,
    prev_payout_id   bigint NOT NULL,        -- those after this one were handed out here
    seq              bigint NOT NULL,
    PRIMARY KEY (book_id, bank_id, last_payout_id),
    UNIQUE (book_id, bank_id, prev_payout_id),
    UNIQUE (book_id, seq),
    FOREIGN KEY (book_id, seq) REFERENCES journal,
    CHECK (prev_payout_id < last_payout_id)
);

-- Money a platform paid in.
CREATE TABLE float_deposit (
    book_id    integer NOT NULL,
    reference  text NOT NULL CHECK (reference <> ''),
    ccy        smallint NOT NULL REFERENCES currency,
    amount     bigint NOT NULL CHECK (amount > 0),
    seq        bigint NOT NULL,
    PRIMARY KEY (book_id, reference),
    FOREIGN KEY (book_id, seq) REFERENCES journal
);

-- ------------------------------------------------------------------ what the posting functions are given

CREATE TYPE beneficiary_draft AS (
    fingerprint bytea, display_name text, iban text, mobile_alias text, bank_id smallint, cnic text, pseb text,
    channel smallint, purpose_code text);

-- ledger/ledger.h: struct payout_draft. line_account 2147483647 stands for the payable account of the
-- beneficiary's bank.
CREATE TYPE payout_draft AS (
    reference text, fingerprint bytea, info text, beneficiary_id bigint, carried beneficiary_draft, quote_id bigint,
    gross bigint, fee bigint, mid_rate_e10 bigint, mid_value bigint, margin bigint, net bigint,
    rate_id integer, margin_bps integer, src_ccy smallint, dst_ccy smallint, digit_shift smallint, refusal smallint,
    line_account integer[], line_ccy smallint[], line_minor bigint[]);

CREATE TYPE confirmation_draft AS (
    payout_id bigint, state smallint, ccy smallint, amount bigint, bank_reference text, tax_withheld bigint,
    eprc_number text, reason_code text);

-- ------------------------------------------------------------------ guards

-- What is written stays written, for everyone: a correction is a reversal.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'UJ409',
        HINT = 'Corrections are new journals that reverse old ones.';
END $$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['block', 'journal', 'account_balance', 'account', 'payout', 'payout_transition', 'handout',
                             'quote', 'beneficiary_version', 'float_deposit', 'rate_sheet', 'rate', 'tariff',
                             'currency', 'journal_kind'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['book', 'book_head', 'beneficiary', 'principal', 'bank'] LOOP
        EXECUTE format('CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER not_removed', t);
    END LOOP;
END $$;

-- ------------------------------------------------------------------ data that never changes

INSERT INTO journal_kind (kind, name) VALUES
    (1, 'PAYOUT_ACCEPTED'), (2, 'PAYOUTS_INSTRUCTED'), (3, 'PAYOUT_SETTLED'), (4, 'PAYOUT_REJECTED'),
    (5, 'SETTLEMENT_REVERSED'), (6, 'PAYOUT_RETURNED'), (7, 'PAYOUT_CANCELLED'), (8, 'FLOAT_DEPOSITED');
