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
-- encrypted (docs/personal-data.md). Of one book; whoever adds the same receiver later takes it over.
CREATE TABLE receiver (
    book_id         integer NOT NULL REFERENCES book,
    kind            smallint NOT NULL CHECK (kind IN (1, 2)),           -- 1 e-mail, 2 phone
    lookup          bytea NOT NULL CHECK (length(lookup) = 32),
    beneficiary_id  bigint NOT NULL,
    key_id          smallint NOT NULL CHECK (key_id > 0),
    sealed          bytea NOT NULL CHECK (length(sealed) BETWEEN 1 AND 1024),
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
    email_subject    text CHECK (length(email_subject) <= 255),
    email_message    text CHECK (length(email_message) <= 1000),
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
-- nothing, for a reason. What became of it since is in the rows of those. (No foreign key to those: it is written in their
-- commit by the one function that makes both, and a check a row is what a large batch would wait for.)
CREATE TABLE payout_batch_item (
    book_id          integer NOT NULL,
    batch_id         bigint NOT NULL,
    item_no          integer NOT NULL CHECK (item_no BETWEEN 1 AND 15000),
    payout_id        bigint,
    unclaimed_id     bigint,
    reason           smallint CHECK (reason BETWEEN 100 AND 999),   -- domain/reason.h: why it was refused
    sender_item_id   text COLLATE "C" CHECK (length(sender_item_id) BETWEEN 1 AND 63),
    item_id_reused   boolean NOT NULL,               -- an earlier batch has an item of that id
    gross            bigint NOT NULL CHECK (gross > 0),
    recipient_type   smallint NOT NULL CHECK (recipient_type BETWEEN 1 AND 4),   -- EMAIL, PHONE, PAYPAL_ID, USER_HANDLE
    receiver_kind    smallint CHECK (receiver_kind IN (1, 2)),      -- of an e-mail or phone: as in receiver
    receiver_lookup  bytea CHECK (length(receiver_lookup) = 32),
    key_id           smallint CHECK (key_id > 0),    -- what was sent as receiver and note, encrypted; NULL: erased
    sealed           bytea CHECK (length(sealed) BETWEEN 1 AND 65536),
    PRIMARY KEY (book_id, batch_id, item_no),
    CHECK (num_nonnulls(payout_id, unclaimed_id, reason) = 1),
    CHECK ((receiver_kind IS NULL) = (receiver_lookup IS NULL) AND (key_id IS NULL) = (sealed IS NULL))
);
ALTER TABLE payout_batch_item ALTER COLUMN sealed SET STORAGE EXTERNAL;   -- it does not compress
CREATE UNIQUE INDEX payout_batch_item_payout ON payout_batch_item (book_id, payout_id) WHERE payout_id IS NOT NULL;
CREATE INDEX payout_batch_item_sender ON payout_batch_item (book_id, sender_item_id) WHERE sender_item_id IS NOT NULL;

-- ------------------------------------------------------------------ unclaimed

-- Money set aside from the float for somebody who is not known yet. unclaimed_id is the seq of its journal
-- (PAYOUT_UNCLAIMED: from float.CCY to unclaimed.CCY). Nothing is converted until it is claimed. Of whom it is for nothing is
-- here, nor in the log: that is in unclaimed_open, and goes with the end.
CREATE TABLE unclaimed (
    book_id          integer NOT NULL REFERENCES book,
    unclaimed_id     bigint NOT NULL,
    batch_id         bigint NOT NULL,
    item_no          integer NOT NULL,
    reference        text COLLATE "C" NOT NULL,      -- that its payout will have
    ccy              smallint NOT NULL REFERENCES currency,
    gross            bigint NOT NULL CHECK (gross > 0),
    info             text,
    expires_at       timestamptz NOT NULL,
    PRIMARY KEY (book_id, unclaimed_id),
    UNIQUE (book_id, reference),
    UNIQUE (book_id, batch_id, item_no),
    FOREIGN KEY (book_id, unclaimed_id) REFERENCES journal (book_id, seq)
);

-- How it ended, once.
CREATE TABLE unclaimed_end (
    book_id       integer NOT NULL,
    unclaimed_id  bigint NOT NULL,
    outcome       smallint NOT NULL CHECK (outcome IN (1, 2, 3)),      -- 1 claimed, 2 expired, 3 cancelled
    seq           bigint NOT NULL,                   -- the journal that reverses PAYOUT_UNCLAIMED
    payout_id     bigint,                            -- of one that was claimed
    PRIMARY KEY (book_id, unclaimed_id),
    UNIQUE (book_id, seq),
    UNIQUE (book_id, payout_id),
    FOREIGN KEY (book_id, unclaimed_id) REFERENCES unclaimed,
    FOREIGN KEY (book_id, seq) REFERENCES journal (book_id, seq),
    FOREIGN KEY (book_id, payout_id) REFERENCES payout,
    CHECK ((outcome = 1) = (payout_id IS NOT NULL) AND seq > unclaimed_id)
);

-- Those that have not ended, and whom each is for: what sweepers look through. It follows from the two tables above and from
-- the items: a row goes with the end.
CREATE TABLE unclaimed_open (
    book_id          integer NOT NULL,
    unclaimed_id     bigint NOT NULL,
    expires_at       timestamptz NOT NULL,
    receiver_kind    smallint NOT NULL CHECK (receiver_kind IN (1, 2)),
    receiver_lookup  bytea NOT NULL CHECK (length(receiver_lookup) = 32),
    PRIMARY KEY (book_id, unclaimed_id),
    FOREIGN KEY (book_id, unclaimed_id) REFERENCES unclaimed
);
CREATE INDEX unclaimed_open_for ON unclaimed_open (book_id, receiver_kind, receiver_lookup);
CREATE INDEX unclaimed_open_expires ON unclaimed_open (expires_at);

-- What is set aside is in accounts of its own, opened by the first that is.
ALTER TABLE account DROP CONSTRAINT account_role_check, ADD CONSTRAINT account_role_check
    CHECK (role IN ('float', 'correspondent', 'fee', 'margin', 'position', 'payable', 'nostro', 'suspense', 'charge', 'unclaimed'));

INSERT INTO journal_kind (kind, name) VALUES
    (15, 'PAYOUT_UNCLAIMED'), (16, 'UNCLAIMED_CLAIMED'), (17, 'UNCLAIMED_RETURNED');

-- In whose name sweepers act. Disabled: nobody calls as it.
INSERT INTO principal (uri, role, enabled) VALUES ('ujrat://system/unclaimed', 'system', false) ON CONFLICT (uri) DO NOTHING;

-- ------------------------------------------------------------------ what the functions are given

-- ledger/batch.h: struct batch_item_draft without its payout, which is in the same place of another array.
CREATE TYPE batch_item_draft AS (
    sender_item_id text, recipient_type smallint, receiver_kind smallint, receiver_lookup bytea, key_id smallint, sealed bytea);

-- ------------------------------------------------------------------ guards

-- Whom something is for can be erased and encrypted anew, by those functions alone: as with beneficiary_pii. These run as the
-- owner, who does not log in; whoever becomes the owner by SET ROLE is still not inside of them.
CREATE FUNCTION guard_called_by() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stack text;
    wanted text := CASE TG_OP WHEN 'UPDATE' THEN TG_ARGV[0] WHEN 'DELETE' THEN TG_ARGV[1] ELSE '' END;
BEGIN
    GET DIAGNOSTICS stack = PG_CONTEXT;
    IF wanted <> '' AND stack ~ ('function (ujrat\.)?(' || wanted || ')\(')
       AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '%: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'UJ409',
        HINT = 'A person is erased with `ujrat pii erase`, rows are encrypted anew with `ujrat pii rotate`.';
END $$;
CREATE TRIGGER guard_called_by BEFORE UPDATE OR DELETE OR TRUNCATE ON receiver FOR EACH STATEMENT
    EXECUTE FUNCTION guard_called_by('add_receiver|rotate_receivers', 'remove_receiver|erase_beneficiary');
ALTER TABLE receiver ENABLE ALWAYS TRIGGER guard_called_by;
CREATE TRIGGER guard_called_by BEFORE UPDATE OR DELETE OR TRUNCATE ON unclaimed_open FOR EACH STATEMENT
    EXECUTE FUNCTION guard_called_by('', 'claim_unclaimed|end_unclaimed');
ALTER TABLE unclaimed_open ENABLE ALWAYS TRIGGER guard_called_by;
-- Of an item only that: the rest stays as it is written.
CREATE TRIGGER guard_called_by BEFORE UPDATE OF receiver_kind, receiver_lookup, key_id, sealed ON payout_batch_item FOR EACH STATEMENT
    EXECUTE FUNCTION guard_called_by('rotate_batch_items|erase_beneficiary', '');
ALTER TABLE payout_batch_item ENABLE ALWAYS TRIGGER guard_called_by;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE OR UPDATE OF book_id, batch_id, item_no, payout_id, unclaimed_id, reason, sender_item_id,
    item_id_reused, gross, recipient_type ON payout_batch_item FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE payout_batch_item ENABLE ALWAYS TRIGGER append_only;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['payout_batch', 'unclaimed', 'unclaimed_end'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
    CREATE TRIGGER not_removed BEFORE DELETE OR TRUNCATE ON rest_credential FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    ALTER TABLE rest_credential ENABLE ALWAYS TRIGGER not_removed;
END $$;
