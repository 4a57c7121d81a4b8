-- Sanctions lists (docs/screening.md): which versions of them were imported, and what each changed. What a version says of an entry is a row;
-- entries that it leaves as they were have none, so that a daily list of many thousands costs what changed in it. Nothing is ever
-- changed or removed: what any version said can be told again.

CREATE TABLE sanctions_version (
    source        text COLLATE "C" NOT NULL CHECK (source ~ '^[A-Z][A-Z0-9-]{0,30}$'),   -- UN, OFAC, NACTA ...
    version       integer NOT NULL CHECK (version > 0),                      -- from 1 without a gap, by source
    sha256        bytea NOT NULL CHECK (length(sha256) = 32),                -- of its files, one behind the other
    file_names    text NOT NULL CHECK (length(file_names) BETWEEN 1 AND 1000),
    published     date,                                                      -- as the file says, or whoever imported it
    entries       integer NOT NULL CHECK (entries > 0),
    names         integer NOT NULL CHECK (names >= entries),
    added         integer NOT NULL CHECK (added >= 0),
    changed       integer NOT NULL CHECK (changed >= 0),
    removed       integer NOT NULL CHECK (removed >= 0),
    imported_at   timestamptz NOT NULL,
    imported_by   text NOT NULL CHECK (imported_by <> ''),
    PRIMARY KEY (source, version)
);

CREATE TABLE sanctions_change (
    source      text COLLATE "C" NOT NULL,
    entry_id    text COLLATE "C" NOT NULL CHECK (length(entry_id) BETWEEN 1 AND 64),     -- the publisher's
    version     integer NOT NULL,
    change      text NOT NULL CHECK (change IN ('ADDED', 'CHANGED', 'REMOVED')),
    kind        text NOT NULL CHECK (kind IN ('person', 'organisation', 'vessel', 'aircraft')),
    names       text[] NOT NULL CHECK (cardinality(names) BETWEEN 1 AND 256),            -- the first is the one it is listed under
    weak_names  text[] NOT NULL,
    dobs        text[] NOT NULL,                 -- '1971-04-28', '1971', '1970..1973'
    countries   text[] NOT NULL,
    cnics       text[] NOT NULL,
    passports   text[] NOT NULL,
    programs    text[] NOT NULL,
    PRIMARY KEY (source, entry_id, version),
    FOREIGN KEY (source, version) REFERENCES sanctions_version
);
CREATE INDEX sanctions_change_of_version ON sanctions_change (source, version);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['sanctions_version', 'sanctions_change'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
END $$;
