"""A ledger that version 3 of the schema left (data/ledger_version_3.sql) under today's: what was there counts, and goes on."""
import json
import pathlib
import subprocess

import psycopg
import pytest

from harness import BIN, Database, run, unique
from ledger_model import ARRAY_OF, OK, PARTLY_RETURNED, PKR, RETURNED, SETTLED, check_books_are_sound
from settle_model import check_settlement_is_sound

DATA = pathlib.Path(__file__).parent / "data"
PSQL = "/usr/lib/postgresql/15/bin/psql"
TOTALS = "SELECT book_id, bank_id, pending_count, pending_amount FROM bank_book ORDER BY 1, 2"
# from the rows alone
PENDING = """SELECT h.book_id, h.bank_id, count(p.payout_id), coalesce(sum(p.net), 0)::bigint
               FROM (SELECT book_id, bank_id, max(last_payout_id) AS upto FROM handout GROUP BY 1, 2) h
               LEFT JOIN payout p ON (p.book_id, p.bank_id) = (h.book_id, h.bank_id) AND p.payout_id <= h.upto
                AND (p.book_id, p.payout_id) NOT IN (SELECT book_id, payout_id FROM payout_transition)
              GROUP BY 1, 2 ORDER BY 1, 2"""


def migrate(database):
    return run(BIN / "ujrat", "db", "migrate", "--db", database.uri())


def restored(cluster):
    database = Database(cluster, unique("old"))
    cluster._tool("createdb", cluster.folder, database.name)
    subprocess.run([PSQL, "-q", "-v", "ON_ERROR_STOP=1", database.uri()], input=(DATA / "ledger_version_3.sql").read_text(), text=True,
                   check=True, stdout=subprocess.DEVNULL)
    return database


@pytest.fixture
def old(cluster, database):
    """database: so that the roles are there, which a dump of one database has not."""
    return restored(cluster)


def connected(database, role="postgres"):
    return psycopg.connect(database.uri(role), autocommit=True, options="-c search_path=ujrat")


def last_handout(db):
    return db.execute("SELECT max(seq) FROM handout").fetchone()[0]


def everything(db):
    """Each table's rows, in what columns it has now."""
    tables = [t for t, in db.execute("SELECT relname FROM pg_class WHERE relnamespace = 'ujrat'::regnamespace AND relkind = 'r' ORDER BY 1")]
    text = {t: "(to_jsonb(x) - 'policy_id')" for t in ("payout", "quote")}        # which have got a column: the next test looks at it
    return {t: db.execute(f"SELECT count(*), md5(string_agg(md5({text.get(t, 'x')}::text), '' ORDER BY md5({text.get(t, 'x')}::text))) FROM {t} x").fetchone()
            for t in tables}


def verify(database):
    done = subprocess.run([str(BIN / "ujrat-audit"), "verify", "--json", "--key", str(DATA / "ledger_version_3.pem"), "--db",
                           database.uri("ujrat_auditor")], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, json.loads(done.stdout)


def test_what_was_there_counts_and_the_log_is_whole(old):
    with connected(old) as db:
        before = everything(db)
        principals = db.execute("SELECT * FROM principal ORDER BY principal_id").fetchall()
        assert db.execute("SELECT max(version) FROM schema_migration").fetchone() == (3,)
        migrate(old)
        after = everything(db)
        by_then = last_handout(db)
        changed = {"schema_migration", "journal_kind", "handout", "bank", "principal"}      # which have got rows or columns
        kept = set(before) - changed - {"tariff"}                                           # and that is another table's now
        assert {t: after[t] for t in kept} == {t: before[t] for t in kept}
        all_ = db.execute("SELECT * FROM principal ORDER BY principal_id").fetchall()
        were, added = all_[:len(principals)], all_[len(principals):]
        assert were == principals and [p[1] for p in added] == ["ujrat://system/unclaimed", "ujrat://system/migration"]
        totals = db.execute(TOTALS).fetchall()
        assert totals == db.execute(PENDING).fetchall() and any(n for *_, n, _ in totals) and len(totals) == 4
        returned = db.execute("SELECT r.amount, r.charge, r.reverses_step, p.net FROM payment_return r JOIN payout p USING (book_id, payout_id)").fetchall()
        assert len(returned) == 2 and all(row == (row[3], 0, None, row[3]) for row in returned)
        check_books_are_sound(db)
        check_settlement_is_sound(db, upto=by_then)
    code, said = verify(old)
    assert said["findings"] == [] and said["good"] and code == 0 and len(said["books"]) == 2


def test_tariffs_and_estimates_become_versions_of_policy(cluster, database):
    """At every moment what was in force before is what is in force now."""
    old = restored(cluster)
    with connected(old) as db:
        db.execute("""INSERT INTO tariff SELECT book_id, ccy, valid_from + interval '1 second', margin_bps + 7, fee_fixed, 0, 0, 0, gross_max, 'another'
                        FROM tariff WHERE book_id = 2""")
        db.execute("INSERT INTO tariff SELECT 2, ccy, max(valid_from) OVER (), 1, 2, 3, 4, 5, 6, 'another' FROM tariff WHERE book_id = 1")
        tariffs = db.execute("""SELECT b.code, t.ccy, t.valid_from, t.margin_bps, t.fee_fixed, t.fee_bps, t.fee_min, t.fee_max, t.gross_max
                                  FROM tariff t JOIN book b USING (book_id) ORDER BY t.valid_from""").fetchall()
    migrate(old)
    with connected(old) as db:
        moments = sorted({t[2] for t in tariffs})
        assert db.execute("SELECT policy_id, effective_at, opening, proposed_by, approved_by, source FROM policy_version ORDER BY 1").fetchall() == [
            (i + 1, at, True, "ujrat://system/migration", "ujrat://system/migration", "before version 8") for i, at in enumerate(moments)]
        assert len(moments) == 5 and len(tariffs) == 6
        for at in moments:
            expected = {}
            for code, ccy, since, *terms in tariffs:
                if since <= at:
                    expected.update({(i + 1, code, ccy): v for i, v in enumerate(terms)})
            assert {(k, s, c): v for k, s, c, v in db.execute("SELECT kind, scope, ccy, value FROM rules_in_force(%s)", (at,))} == expected
        assert db.execute("SELECT count(*) FROM rules_in_force(%s - interval '1 microsecond')", (moments[0],)).fetchone() == (0,)
        # as the gateway reads them
        last = {(code, ccy): tuple(terms) for code, ccy, _, *terms in tariffs}
        told = db.execute((DATA.parents[2] / "ledger" / "sql" / "registry_policy.sql").read_text()).fetchall()
        assert {row[:2] for row in told} == {(len(moments), None)} and len(told) == 6 * len(last)
        for code, ccy in last:
            assert tuple(value for _, _, _, scope, of, value, _ in told if (scope, of) == (code, ccy)) == last[code, ccy]
        assert db.execute("SELECT count(*) FROM payout WHERE policy_id IS NOT NULL").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM quote WHERE policy_id IS NOT NULL").fetchone() == (0,)
        assert to_regclass(db, "tariff") is None and to_regclass(db, "withholding_estimate") is None


def to_regclass(db, name):
    return db.execute("SELECT to_regclass(%s)", (name,)).fetchone()[0]


def test_estimates_of_the_withholding_are_rules(cluster, database):
    """From a database of version 7: those of one instant are one version."""
    old = restored(cluster)
    migrate_to(old, 7)
    with connected(old) as db:
        db.execute("INSERT INTO withholding_estimate SELECT '2026-01-01Z', p, CASE WHEN p THEN 25 ELSE 100 END, 's.154A', 't' FROM unnest(ARRAY[true, false]) p")
        db.execute("INSERT INTO withholding_estimate VALUES ('2026-02-01Z', true, 30, 'a circular', 't')")
    migrate(old)
    with connected(old) as db:
        assert db.execute("SELECT scope, value, policy_id FROM rules_in_force('2026-01-31Z')").fetchall() == [("OTHER", 100, 1), ("PSEB", 25, 1)]
        assert db.execute("SELECT scope, value, policy_id FROM rules_in_force('2026-02-01Z')").fetchall() == [("OTHER", 100, 1), ("PSEB", 30, 2)]
        assert db.execute("SELECT source FROM policy_version WHERE policy_id < 3 ORDER BY policy_id").fetchall() == [
            ("before version 8: s.154A",), ("before version 8: a circular",)]


def migrate_to(database, version):
    """What ujrat db migrate does up to a version, and no further: rows of schema_migration have what it compares."""
    with connected(database) as db:
        db.execute("SET ROLE ujrat_owner; SET check_function_bodies = off")
        have, = db.execute("SELECT max(version) FROM schema_migration").fetchone()
        for file in sorted((DATA.parents[2] / "ledger" / "schema").glob("0*.sql"))[have:version]:
            text = file.read_bytes()
            with db.transaction():
                db.execute(text)
                db.execute("INSERT INTO schema_migration (version, name, sha256) VALUES (%s, %s, sha256(%s))",
                           (int(file.name[:4]), file.name[5:-4], text))


def test_migrating_again_does_nothing(old):
    migrate(old)
    with connected(old) as db:
        once = everything(db)
        migrate(old)
        twice = everything(db)
        for rows in (once, twice):
            rows["schema_migration"] = rows["schema_migration"][0]      # functions, views and grants were set anew: when, it says
        assert twice == once


def test_old_payouts_go_on(old):
    """A confirmation, a whole return, a part and its reversal of payouts from before; and a new payout, by what the gateway calls."""
    migrate(old)
    with connected(old, "ujrat_app") as app, connected(old) as db:
        by_then = last_handout(db)
        book, bank, payout, net, principal = db.execute("""
            SELECT p.book_id, p.bank_id, p.payout_id, p.net, q.principal_id FROM payout_now p JOIN principal q ON q.bank_id = p.bank_id
             WHERE p.state = 3 ORDER BY p.payout_id LIMIT 1""").fetchone()
        item = json.dumps([{"payout_id": payout, "state": SETTLED, "ccy": PKR, "amount": net, "bank_reference": "late"}])
        confirm = "SELECT outcome FROM confirm_instructions(%s, %s::int2, %s, " + ARRAY_OF["confirmation_draft"] + ")"
        assert app.execute(confirm, (book, bank, principal, item)).fetchone()[0] == [OK]
        assert app.execute(confirm, (book, bank, principal, item)).fetchone()[0] == [1]
        give = "SELECT state, returned FROM return_payment(%s, %s::int2, %s, %s, 586::int2, %s, %s, 'AC04', %s)"
        assert app.execute(give, (book, bank, principal, payout, 100, 10, "r1")).fetchone() == (PARTLY_RETURNED, 100)
        assert app.execute("SELECT state, returned FROM reverse_return(%s, %s::int2, %s, %s, 'r1', 'AM09', 'r2')",
                           (book, bank, principal, payout)).fetchone() == (SETTLED, 0)
        earlier, amount, at, by = db.execute("""SELECT p.payout_id, p.net, p.bank_id, q.principal_id FROM payout_now p JOIN principal q USING (bank_id)
            WHERE p.book_id = %s AND p.state = 4 AND p.payout_id <> %s LIMIT 1""", (book, payout)).fetchone()
        assert app.execute(give, (book, at, by, earlier, amount, 0, "r3")).fetchone() == (RETURNED, amount)
        # one that came back under version 3 was whole: it can be taken back, by the reference it had
        gone, at, by, reference = db.execute("""SELECT r.payout_id, r.bank_id, q.principal_id, r.bank_reference FROM payment_return r
            JOIN principal q USING (bank_id) WHERE r.book_id = 1 AND r.window_no IS NULL AND r.bank_reference <> 'r3' ORDER BY 1 LIMIT 1""").fetchone()
        assert app.execute("SELECT state FROM reverse_return(1, %s::int2, %s, %s, %s, 'AM09', 'r4')", (at, by, gone, reference)).fetchone() == (SETTLED,)
        posted = db.execute("SELECT count(*) FROM payout").fetchone()
        draft = again(db, book)
        post = "SELECT outcome FROM post_payouts(%s, %s, " + ARRAY_OF["payout_draft"] + ")"
        platform, = db.execute("SELECT principal_id FROM principal WHERE book_id = %s AND role = 'platform'", (book,)).fetchone()
        with pytest.raises(psycopg.Error, match="version of the policy"):      # whoever prices by no version is of another time
            app.execute(post, (book, platform, json.dumps([draft])))
        draft["policy_id"], = db.execute("SELECT policy_at(clock_timestamp())").fetchone()
        assert app.execute(post, (book, platform, json.dumps([draft]))).fetchone()[0] == [OK]
        assert app.execute(post, (book, platform, json.dumps([draft]))).fetchone()[0] == [1]
        assert db.execute("SELECT count(*) FROM payout").fetchone()[0] == posted[0] + 1
        assert db.execute(TOTALS).fetchall() == db.execute(PENDING).fetchall()
        check_books_are_sound(db)
        check_settlement_is_sound(db, upto=by_then)


def again(db, book):
    """A draft like a payout that is there, under another reference."""
    columns = [c for c, in db.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'payout_draft'::regclass AND attnum > 0 AND NOT attisdropped")]
    row, account, ccy, minor = db.execute("""SELECT to_jsonb(p), j.line_account, j.line_ccy, j.line_minor FROM payout p
        JOIN journal j ON j.book_id = p.book_id AND j.seq = p.payout_id WHERE p.book_id = %s AND p.quote_id IS NULL ORDER BY p.payout_id LIMIT 1""",
        (book,)).fetchone()
    payable = {i for i, in db.execute("SELECT account_id FROM account WHERE book_id = %s AND role = 'payable'", (book,))}
    row.update(reference="after the upgrade", fingerprint="\\x" + "ab" * 16, refusal=0, carried=None, line_ccy=ccy, line_minor=minor,
               line_account=[2147483647 if a in payable else a for a in account])
    return {c: row.get(c) for c in columns}
