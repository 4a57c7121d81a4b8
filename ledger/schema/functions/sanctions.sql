-- Sanctions lists (docs/screening.md).

-- A new version of a source's list, which is p_entries whole: a JSON list of {id, kind, names, weak_names, dobs, countries, cnics, passports,
-- programs}. verdict: 1 it is there; 2 these very bytes are the version that the source has, and nothing was done. Refused (305) if it has
-- fewer than nine tenths of the entries that there are, unless p_allow_shrink: a list that was cut says that people are free who are not.
CREATE OR REPLACE FUNCTION import_sanctions(p_source text, p_sha256 bytea, p_files text, p_published date, p_author text,
    p_allow_shrink boolean, p_entries jsonb, OUT verdict smallint, OUT version integer, OUT added integer, OUT changed integer,
    OUT removed integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    last     record;
    n_before integer;
    n_now    integer := jsonb_array_length(p_entries);
BEGIN
    -- One import at a time; whoever screens reads on.
    LOCK TABLE sanctions_version IN EXCLUSIVE MODE;
    SELECT v.version, v.sha256, v.entries INTO last FROM sanctions_version v WHERE v.source = p_source ORDER BY v.version DESC LIMIT 1;
    n_before := coalesce(last.entries, 0);
    IF last.sha256 = p_sha256 THEN
        verdict := 2;
        SELECT v.version, v.added, v.changed, v.removed INTO import_sanctions.version, import_sanctions.added, import_sanctions.changed,
               import_sanctions.removed
          FROM sanctions_version v WHERE v.source = p_source AND v.version = last.version;
        RETURN;
    END IF;
    IF n_now = 0 THEN
        RAISE EXCEPTION 'the list has no entry' USING ERRCODE = 'UJ305';
    ELSIF n_now::bigint * 10 < n_before::bigint * 9 AND NOT p_allow_shrink THEN
        RAISE EXCEPTION 'the list of % has % entries, and had %: more than a tenth fewer', p_source, n_now, n_before
            USING ERRCODE = 'UJ305';
    END IF;
    version := coalesce(last.version, 0) + 1;
    -- Both sides as they are compared; what differs becomes rows.
    WITH now AS (
        SELECT e.id AS entry_id, e.kind, e.names, e.weak_names, e.dobs, e.countries, e.cnics, e.passports, e.programs
          FROM jsonb_to_recordset(p_entries) AS e (id text, kind text, names text[], weak_names text[], dobs text[], countries text[],
               cnics text[], passports text[], programs text[])
    ), before AS (
        SELECT c.entry_id, c.kind, c.names, c.weak_names, c.dobs, c.countries, c.cnics, c.passports, c.programs
          FROM sanctions_entry_now c WHERE c.source = p_source
    ), news AS (
        SELECT n.*, b.entry_id IS NULL AS is_new
          FROM now n LEFT JOIN before b USING (entry_id)
         WHERE b.entry_id IS NULL OR (n.kind, n.names, n.weak_names, n.dobs, n.countries, n.cnics, n.passports, n.programs)
               IS DISTINCT FROM (b.kind, b.names, b.weak_names, b.dobs, b.countries, b.cnics, b.passports, b.programs)
    ), gone AS (
        SELECT b.* FROM before b WHERE NOT EXISTS (SELECT FROM now n WHERE n.entry_id = b.entry_id)
    ), the_version AS (
        INSERT INTO sanctions_version (source, version, sha256, file_names, published, entries, names, added, changed, removed, imported_at,
                                       imported_by)
        SELECT p_source, import_sanctions.version, p_sha256, p_files, p_published, n_now,
               (SELECT sum(cardinality(n.names) + cardinality(n.weak_names)) FROM now n),
               (SELECT count(*) FROM news n WHERE n.is_new), (SELECT count(*) FROM news n WHERE NOT n.is_new),
               (SELECT count(*) FROM gone), clock_timestamp(), p_author
    )
    INSERT INTO sanctions_change (source, entry_id, version, change, kind, names, weak_names, dobs, countries, cnics, passports, programs)
    SELECT p_source, n.entry_id, import_sanctions.version, CASE WHEN n.is_new THEN 'ADDED' ELSE 'CHANGED' END, n.kind, n.names, n.weak_names,
           n.dobs, n.countries, n.cnics, n.passports, n.programs
      FROM news n
    UNION ALL
    SELECT p_source, g.entry_id, import_sanctions.version, 'REMOVED', g.kind, g.names, g.weak_names, g.dobs, g.countries, g.cnics, g.passports,
           g.programs
      FROM gone g;
    SELECT v.added, v.changed, v.removed INTO import_sanctions.added, import_sanctions.changed, import_sanctions.removed
      FROM sanctions_version v WHERE v.source = p_source AND v.version = import_sanctions.version;
    verdict := 1;
END $$;
