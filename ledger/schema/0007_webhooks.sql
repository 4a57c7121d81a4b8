-- Webhooks (docs/webhooks.md): what becomes of batches and their items is told to the platforms' own servers. Events follow from the
-- ledger's rows and hold nothing personal: their text is made when it is sent. Of an endpoint and an event there is one
-- delivery, whose row says how far it has come.

-- ------------------------------------------------------------------ kinds of events

CREATE TABLE webhook_event_kind (
    kind         smallint PRIMARY KEY,
    name         text NOT NULL UNIQUE,           -- as PayPal calls it
    description  text NOT NULL
);
INSERT INTO webhook_event_kind (kind, name, description) VALUES
    (1, 'PAYMENT.PAYOUTSBATCH.PROCESSING', 'A batch payout is being processed.'),
    (2, 'PAYMENT.PAYOUTSBATCH.SUCCESS', 'A batch payout has no item left that is being processed.'),
    (3, 'PAYMENT.PAYOUTSBATCH.DENIED', 'All items of a batch payout were refused.'),
    (4, 'PAYMENT.PAYOUTS-ITEM.SUCCEEDED', 'A payout item was paid.'),
    (5, 'PAYMENT.PAYOUTS-ITEM.FAILED', 'A payout item was not paid, and will not be.'),
    (6, 'PAYMENT.PAYOUTS-ITEM.UNCLAIMED', 'A payout item waits for its receiver.'),
    (7, 'PAYMENT.PAYOUTS-ITEM.RETURNED', 'A payout item came back.'),
    (8, 'PAYMENT.PAYOUTS-ITEM.HELD', 'A payout item is being looked at.'),
    (9, 'PAYMENT.PAYOUTS-ITEM.BLOCKED', 'A payout item was looked at, and refused.'),
    (10, 'PAYMENT.PAYOUTS-ITEM.REFUNDED', 'A part of a payout item came back.'),
    (11, 'PAYMENT.PAYOUTS-ITEM.CANCELED', 'A payout item was cancelled.'),
    (12, 'PAYMENT.PAYOUTS-ITEM.DENIED', 'A payout item was denied.');

-- ------------------------------------------------------------------ endpoints

CREATE TABLE webhook (
    book_id       integer NOT NULL REFERENCES book,
    webhook_id    bigint NOT NULL CHECK (webhook_id > 0),
    public_id     text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^[0-9A-Z]{17}$'),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (book_id, webhook_id)
);

-- What it was told to be, from a moment on; the last version counts.
CREATE TABLE webhook_version (
    book_id       integer NOT NULL,
    webhook_id    bigint NOT NULL,
    version       integer NOT NULL CHECK (version > 0),
    url           text NOT NULL CHECK (url ~ '^https://' AND length(url) <= 2048),
    event_types   text[] NOT NULL CHECK (cardinality(event_types) BETWEEN 1 AND 100),   -- '*': all
    concurrency   smallint NOT NULL CHECK (concurrency BETWEEN 1 AND 64),               -- deliveries at a time
    state         text NOT NULL CHECK (state IN ('ENABLED', 'DISABLED', 'DELETED')),
    reason        text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    author        text NOT NULL CHECK (author <> ''),
    changed_at    timestamptz NOT NULL,
    PRIMARY KEY (book_id, webhook_id, version),
    FOREIGN KEY (book_id, webhook_id) REFERENCES webhook
);

-- Public halves of the keys that events are signed with; the newest of a kind is the one in use, the others stay for what they
-- have signed. Private halves are files of the notifier.
CREATE TABLE webhook_key (
    key_id       text PRIMARY KEY CHECK (key_id ~ '^[0-9a-f]{16}$'),
    kind         text NOT NULL CHECK (kind IN ('ed25519', 'rsa')),
    public_key   bytea NOT NULL,                 -- ed25519: 32 bytes; rsa: the certificate, DER
    created_at   timestamptz NOT NULL,
    CHECK (key_id = encode(substring(sha256(public_key), 1, 8), 'hex')),
    CHECK (kind <> 'ed25519' OR length(public_key) = 32)
);

-- ------------------------------------------------------------------ events

-- How far a book's journals and batches have become events. There is a row once the book has, or had, an endpoint.
CREATE TABLE webhook_cursor (
    book_id     integer PRIMARY KEY REFERENCES book,
    seq         bigint NOT NULL,                 -- journals up to this one
    batch_id    bigint NOT NULL,                 -- batches up to this one
    event_no    bigint NOT NULL DEFAULT 0        -- the last event's
) WITH (fillfactor = 50);

-- One thing that happened, told to all endpoints under the same id. Numbered without gaps.
CREATE TABLE webhook_event (
    book_id     integer NOT NULL REFERENCES book,
    event_no    bigint NOT NULL CHECK (event_no > 0),
    kind        smallint NOT NULL REFERENCES webhook_event_kind,
    status      text NOT NULL CHECK (status IN ('PROCESSING', 'SUCCESS', 'DENIED', 'CANCELED', 'FAILED', 'UNCLAIMED', 'RETURNED', 'ONHOLD',
                                                'BLOCKED', 'REFUNDED', 'REVERSED')),     -- of the batch or the item then
    batch_id    bigint NOT NULL,                 -- 0: simulated
    item_no     integer NOT NULL,                -- 0: the batch itself
    payout_id   bigint,                          -- what the item is in the ledger, if it is a payout
    seq         bigint,                          -- the journal that did it; NULL: none did (an item that was refused at once, a batch)
    reason      smallint,                        -- domain/reason.h: why it was refused
    reason_code text CHECK (length(reason_code) <= 4),                                   -- what the bank said
    fees        bigint NOT NULL CHECK (fees >= 0),                                       -- of the item, or of the batch's payouts then
    at          timestamptz NOT NULL,            -- when it happened
    simulated   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (book_id, event_no),
    CHECK (simulated = (batch_id = 0))
);
-- Nothing is told twice as two events, whatever makes them.
CREATE UNIQUE INDEX webhook_event_once ON webhook_event (book_id, batch_id, item_no, kind, (coalesce(seq, 0))) WHERE NOT simulated;

-- What a batch's end waits for. It follows from the batch's items and is kept so that they need not be searched.
CREATE TABLE webhook_batch (
    book_id   integer NOT NULL,
    batch_id  bigint NOT NULL,
    pending   integer NOT NULL CHECK (pending >= 0),       -- payouts of it that are not at an end
    ended     boolean NOT NULL,                            -- its last event was made
    PRIMARY KEY (book_id, batch_id),
    FOREIGN KEY (book_id, batch_id) REFERENCES payout_batch
) WITH (fillfactor = 50);

-- ------------------------------------------------------------------ deliveries

CREATE TABLE webhook_delivery (
    book_id       integer NOT NULL,
    webhook_id    bigint NOT NULL,
    event_no      bigint NOT NULL,
    batch_id      bigint NOT NULL,               -- as in the event: what is told in order
    item_no       integer NOT NULL,
    state         text NOT NULL CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED', 'DROPPED')),
    attempts      smallint NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL,          -- of a PENDING one; infinity: it waits for one before it
    last_at       timestamptz,                   -- of the last attempt
    last_status   smallint,                      -- of HTTP; NULL: there was no answer
    last_error    text CHECK (length(last_error) <= 200),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (book_id, event_no, webhook_id),
    FOREIGN KEY (book_id, webhook_id) REFERENCES webhook,
    FOREIGN KEY (book_id, event_no) REFERENCES webhook_event
) WITH (fillfactor = 70);
CREATE INDEX webhook_delivery_due ON webhook_delivery (book_id, webhook_id, next_at, event_no) WHERE state = 'PENDING';
CREATE INDEX webhook_delivery_order ON webhook_delivery (book_id, webhook_id, batch_id, item_no, event_no) WHERE state = 'PENDING';

-- ------------------------------------------------------------------ guards

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['webhook_event_kind', 'webhook', 'webhook_version', 'webhook_key', 'webhook_event'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['webhook_cursor', 'webhook_batch', 'webhook_delivery'] LOOP
        EXECUTE format('CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER not_removed', t);
    END LOOP;
END $$;
