-- The signed log (docs/log-format.md), commitments in the place of personal data, and adjustments that two people make.

-- ------------------------------------------------------------------ seals

-- A book's keys. Public halves only: the private ones are files of the sealer.
CREATE TABLE log_key (
    book_id     integer NOT NULL REFERENCES book,
    from_block  bigint NOT NULL CHECK (from_block > 0),     -- the first block it signs
    key_id      text NOT NULL CHECK (key_id ~ '^[0-9a-f]{16}$'),
    public_key  bytea NOT NULL CHECK (length(public_key) = 32),
    created_at  timestamptz NOT NULL,
    signed_by   text NOT NULL,                              -- key_id: its own for the first, else of the one before
    signature   bytea NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (book_id, from_block),
    UNIQUE (book_id, key_id),
    CHECK (key_id = encode(substring(sha256(public_key), 1, 8), 'hex')),
    CHECK (from_block > 1 OR signed_by = key_id)
);

-- A block's seal, written once the block has been committed. A gap cannot be stored: each names the seal before it.
CREATE TABLE block_seal (
    book_id        integer NOT NULL,
    block_no       bigint NOT NULL,
    prev_block_no  bigint,                                  -- NULL: block 1
    journal_root   bytea NOT NULL CHECK (length(journal_root) = 32),
    -- Hashes of the complete subtrees of the book's tree that end with this block, smallest first: of 1, 2, 4 ... blocks.
    -- The first is the block's own hash. Any node of the tree is found in one of these: proofs need no other index.
    nodes          bytea NOT NULL CHECK (length(nodes) >= 32 AND length(nodes) % 32 = 0),
    leaves         bytea NOT NULL CHECK (length(leaves) >= 32 AND length(leaves) % 32 = 0),   -- hashes of its journals
    key_id         text NOT NULL,
    signature      bytea NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (book_id, block_no),
    FOREIGN KEY (book_id, block_no) REFERENCES block,
    FOREIGN KEY (book_id, prev_block_no) REFERENCES block_seal (book_id, block_no),
    FOREIGN KEY (book_id, key_id) REFERENCES log_key (book_id, key_id),
    CHECK (coalesce(prev_block_no, 0) = block_no - 1 AND (prev_block_no IS NULL) = (block_no = 1))
);
ALTER TABLE block_seal ALTER COLUMN leaves SET STORAGE EXTERNAL;      -- hashes do not compress
ALTER TABLE block_seal ALTER COLUMN nodes SET STORAGE EXTERNAL;

CREATE TABLE tree_head (
    book_id    integer NOT NULL,
    tree_size  bigint NOT NULL,
    root       bytea NOT NULL CHECK (length(root) = 32),
    signed_at  timestamptz NOT NULL,
    key_id     text NOT NULL,
    signature  bytea NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (book_id, tree_size),
    FOREIGN KEY (book_id, tree_size) REFERENCES block_seal (book_id, block_no),
    FOREIGN KEY (book_id, key_id) REFERENCES log_key (book_id, key_id)
);

CREATE TYPE block_seal_draft AS (
    block_no bigint, journal_root bytea, nodes bytea, leaves bytea, key_id text, signature bytea);

-- ------------------------------------------------------------------ personal data

-- Commitments to what a person is called and paid by (docs/log-format.md): the salted hashes that the log holds.
ALTER TABLE beneficiary_version
    ADD COLUMN name_commitment   bytea CHECK (length(name_commitment) = 32),
    ADD COLUMN iban_commitment   bytea CHECK (length(iban_commitment) = 32),
    ADD COLUMN mobile_commitment bytea CHECK (length(mobile_commitment) = 32),
    ADD COLUMN cnic_commitment   bytea CHECK (length(cnic_commitment) = 32),
    ADD COLUMN pseb_commitment   bytea CHECK (length(pseb_commitment) = 32);

-- ------------------------------------------------------------------ adjustments

-- A journal that one person proposes and another approves, such as after a reconciliation. Line i is on the account
-- line_account[i] with line_minor[i], debit positive.
CREATE TABLE adjustment_proposal (
    book_id          integer NOT NULL REFERENCES book,
    proposal_id      bigint NOT NULL,
    request_id       text NOT NULL CHECK (length(request_id) BETWEEN 1 AND 64),
    reason           text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    evidence_sha256  bytea CHECK (length(evidence_sha256) = 32),      -- of the statement or report it rests on
    line_account     integer[] NOT NULL,
    line_ccy         smallint[] NOT NULL,
    line_minor       bigint[] NOT NULL,
    proposed_by      integer NOT NULL REFERENCES principal,
    proposed_at      timestamptz NOT NULL,
    PRIMARY KEY (book_id, proposal_id),
    UNIQUE (book_id, request_id)
);

-- How a proposal ended. seq: the journal that was made of it; NULL: it was refused.
CREATE TABLE adjustment_decision (
    book_id      integer NOT NULL,
    proposal_id  bigint NOT NULL,
    decided_by   integer NOT NULL REFERENCES principal,
    decided_at   timestamptz NOT NULL,
    seq          bigint,
    PRIMARY KEY (book_id, proposal_id),
    FOREIGN KEY (book_id, proposal_id) REFERENCES adjustment_proposal,
    FOREIGN KEY (book_id, seq) REFERENCES journal
);
CREATE UNIQUE INDEX adjustment_decision_seq ON adjustment_decision (book_id, seq) WHERE seq IS NOT NULL;

INSERT INTO journal_kind (kind, name) VALUES (9, 'ADJUSTMENT');

-- Accounts that only adjustments use: what is not cleared up yet, and what banks charge us.
ALTER TABLE account DROP CONSTRAINT account_role_check, ADD CONSTRAINT account_role_check
    CHECK (role IN ('float', 'correspondent', 'fee', 'margin', 'position', 'payable', 'nostro', 'suspense', 'charge'));

-- What a deposit's journal says is looked up by its seq when the block is sealed.
CREATE UNIQUE INDEX float_deposit_seq ON float_deposit (book_id, seq);

-- ------------------------------------------------------------------ guards

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['log_key', 'block_seal', 'tree_head', 'adjustment_proposal', 'adjustment_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
END $$;
