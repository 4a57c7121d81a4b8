-- The platforms' other doors: the PayPal-compatible REST API (docs/paypal.md) and its webhooks. Batches with their items,
-- receivers by e-mail or phone, payouts that nobody can be found for yet, credentials.

-- ------------------------------------------------------------------ who may call, without a certificate

-- A client of the REST API. Its secret is 32 random bytes, so a plain salted hash keeps it; token_key signs its bearer
-- tokens, and a new one ends them all. Personal to a platform; sandbox ones get PayPal's magic values.
CREATE TABLE rest_credential (
    credential_id  integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    client_id      text NOT NULL UNIQUE CHECK (client_id ~ '^[A-Za-z0-9_-]{20,80}$'),
    principal_id   integer NOT NULL REFERENCES principal,    -- of a platform
    secret_salt    bytea NOT NULL CHECK (length(secret_salt) = 16),
    secret_sha256  bytea NOT NULL CHECK (length(secret_sha256) = 32),    -- SHA-256(salt, secret as it is sent)
    token_key      bytea NOT NULL CHECK (length(token_key) = 32),
    sandbox        boolean NOT NULL DEFAULT false,
    enabled        boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by     text NOT NULL DEFAULT session_user
);

-- ------------------------------------------------------------------ by what a person is found

-- An e-mail address or phone number of a beneficiary's, by a keyed hash of its normal form; sealed is the text itself,
-- encrypted (docs/personal-data.md). Of one book; a later row for the same receiver takes it over.
CREATE TABLE receiver (
    book_id         integer NOT NULL REFERENCES book,
    kind            smallint NOT NULL CHECK (kind IN (1, 2)),           -- 1 e-mail, 2 phone
    lookup          bytea NOT NULL CHECK (length(lookup) = 32),
    beneficiary_id  bigint NOT NULL,
    key_id          smallint NOT NULL,
    sealed          bytea NOT NULL,
    principal_id    integer NOT NULL REFERENCES principal,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (book_id, kind, lookup),
    FOREIGN KEY (book_id, beneficiary_id) REFERENCES beneficiary
);
CREATE INDEX receiver_of ON receiver (book_id, beneficiary_id);

-- ------------------------------------------------------------------ batches

-- Named for ever by sender_batch_id, by request_id (the header PayPal-Request-Id), or both.
CREATE TABLE payout_batch (
    book_id          integer NOT NULL REFERENCES book,
    batch_id         bigint NOT NULL CHECK (batch_id BETWEEN 1 AND 999999999999),
    sender_batch_id  text COLLATE "C" CHECK (length(sender_batch_id) BETWEEN 1 AND 256),
    request_id       text COLLATE "C" CHECK (length(request_id) BETWEEN 1 AND 256),
    fingerprint      bytea NOT NULL CHECK (length(fingerprint) = 16),   -- keyed, of the whole body
    credential_id    integer NOT NULL REFERENCES rest_credential,
    email_subject    text,
    email_message    text,
    items            integer NOT NULL CHECK (items BETWEEN 1 AND 15000),
    ccy              smallint NOT NULL REFERENCES currency,             -- of the whole batch
    amount           bigint NOT NULL CHECK (amount > 0),                -- of all its items
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (book_id, batch_id),
    UNIQUE (book_id, sender_batch_id),
    UNIQUE (book_id, request_id),
    CHECK (sender_batch_id IS NOT NULL OR request_id IS NOT NULL)
);

-- One item, as it was sent, and what it became in the ledger when the batch was taken: a payout, or something unclaimed, or
-- nothing, for a reason. What became of it since is in the rows of those.
CREATE TABLE payout_batch_item (
    book_id          integer NOT NULL,
    batch_id         bigint NOT NULL,
    item_no          integer NOT NULL CHECK (item_no BETWEEN 1 AND 15000),
    payout_id        bigint,
    unclaimed_id     bigint,
    reason           smallint,                       -- domain/reason.h: why it was refused
    sender_item_id   text COLLATE "C" CHECK (length(sender_item_id) BETWEEN 1 AND 63),
    item_id_reused   boolean NOT NULL DEFAULT false, -- an earlier batch has an item of that id
    gross            bigint NOT NULL CHECK (gross > 0),
    recipient_type   smallint NOT NULL CHECK (recipient_type BETWEEN 1 AND 4),   -- EMAIL, PHONE, PAYPAL_ID, USER_HANDLE
    receiver_kind    smallint,                       -- of an e-mail or phone: as in receiver
    receiver_lookup  bytea,
    key_id           smallint,                       -- what was sent as receiver and note, encrypted; NULL: erased
    sealed           bytea,
    PRIMARY KEY (book_id, batch_id, item_no),
    FOREIGN KEY (book_id, batch_id) REFERENCES payout_batch,
    FOREIGN KEY (book_id, payout_id) REFERENCES payout,
    CHECK (num_nonnulls(payout_id, unclaimed_id, reason) = 1),
    CHECK ((receiver_kind IS NULL) = (receiver_lookup IS NULL))
);
CREATE UNIQUE INDEX payout_batch_item_payout ON payout_batch_item (book_id, payout_id) WHERE payout_id IS NOT NULL;
CREATE INDEX payout_batch_item_sender ON payout_batch_item (book_id, sender_item_id) WHERE sender_item_id IS NOT NULL;

-- ------------------------------------------------------------------ unclaimed

-- Money set aside from the float for somebody who is not known yet. unclaimed_id is the seq of its journal
-- (PAYOUT_UNCLAIMED: from float.CCY to unclaimed.CCY). Nothing is converted until it is claimed.
CREATE TABLE unclaimed (
    book_id          integer NOT NULL REFERENCES book,
    unclaimed_id     bigint NOT NULL,
    batch_id         bigint NOT NULL,
    item_no          integer NOT NULL,
    reference        text COLLATE "C" NOT NULL,      -- that its payout will have
    ccy              smallint NOT NULL REFERENCES currency,
    gross            bigint NOT NULL CHECK (gross > 0),
    info             text,
    receiver_kind    smallint NOT NULL,
    receiver_lookup  bytea NOT NULL,
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL CHECK (expires_at > created_at),
    PRIMARY KEY (book_id, unclaimed_id),
    UNIQUE (book_id, reference),
    UNIQUE (book_id, batch_id, item_no),
    FOREIGN KEY (book_id, unclaimed_id) REFERENCES journal (book_id, seq),
    FOREIGN KEY (book_id, batch_id, item_no) REFERENCES payout_batch_item DEFERRABLE INITIALLY DEFERRED
);

-- How it ended, once.
CREATE TABLE unclaimed_end (
    book_id       integer NOT NULL,
    unclaimed_id  bigint NOT NULL,
    outcome       smallint NOT NULL CHECK (outcome IN (1, 2, 3)),      -- 1 claimed, 2 expired, 3 cancelled
    seq           bigint NOT NULL,                   -- the journal that reverses PAYOUT_UNCLAIMED
    payout_id     bigint,                            -- of one that was claimed
    PRIMARY KEY (book_id, unclaimed_id),
    FOREIGN KEY (book_id, unclaimed_id) REFERENCES unclaimed,
    FOREIGN KEY (book_id, seq) REFERENCES journal (book_id, seq),
    FOREIGN KEY (book_id, payout_id) REFERENCES payout,
    CHECK ((outcome = 1) = (payout_id IS NOT NULL))
);
