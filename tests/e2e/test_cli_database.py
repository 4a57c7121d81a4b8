"""The commands that speak to the database: what they change, what they refuse, and that a repeat changes nothing."""

import json
import os
import subprocess

import pytest

from harness import BIN, ROOT, new_database, operator, unique

SHEET = ROOT / "data" / "rates" / "sbp_m2m_2026-07-17.csv"


class Ujrat:
    """The program on one database, as an operator; tells exit code, output and complaints."""

    def __init__(self, database):
        self.database = database

    def __call__(self, *arguments, role="ujrat_operator", db=True, env=None, code=False):
        """code: the role shows a code of its authenticator."""
        where = ["--db", self.database.uri(role)] if db else []
        shown = ""
        if code:
            where, shown = [*where, "--code-fd", "0"], operator(self.database.uri(), role).code()
        p = subprocess.run([str(BIN / "ujrat"), *map(str, arguments), *where], input=shown, capture_output=True, text=True, timeout=60,
                           env={**{k: v for k, v in os.environ.items() if not k.startswith(("UJRAT_", "PG"))}, **(env or {})})
        return p.returncode, p.stdout, p.stderr

    def done(self, *arguments, **options):
        code, out, err = self(*arguments, **options)
        assert code == 0, err
        return out


@pytest.fixture
def ujrat(database):
    return Ujrat(database)


def rows(database, table):
    return database.value("SELECT count(*) FROM ujrat." + table)


# ---------------------------------------------------------------- db migrate
def test_migrate_again_changes_no_data(ujrat, database):
    before = [rows(database, t) for t in ("schema_migration", "currency", "bank", "principal")]
    out = ujrat.done("db", "migrate", role="postgres")
    assert "currencies 0 new" in out and "banks      0 new" in out
    assert [rows(database, t) for t in ("schema_migration", "currency", "bank", "principal")] == before


def test_migrate_by_several_at_once_is_safe(cluster):
    databases = [new_database(cluster) for _ in range(2)]
    running = [subprocess.Popen([str(BIN / "ujrat"), "db", "migrate", "--quiet", "--db", d.uri()], stderr=subprocess.PIPE)
               for d in databases * 3]
    for p in running:
        err = p.communicate(timeout=60)[1]
        assert p.returncode == 0 and err == b"", err


def test_migrate_refuses_a_tampered_migration(ujrat, database):
    with database.connect(autocommit=True) as c:
        c.execute("UPDATE ujrat.schema_migration SET sha256 = sha256('x') WHERE version = 1")
    code, _, err = ujrat("db", "migrate", role="postgres")
    assert code == 1 and "another text" in err
    code, out, _ = ujrat("db", "status", role="postgres")
    assert code == 1 and "DIFFERENT" in out


def test_migrate_refuses_a_database_that_is_newer(ujrat, database):
    with database.connect(autocommit=True) as c:
        c.execute("INSERT INTO ujrat.schema_migration (version, name, sha256) VALUES (500, 'later', sha256('x'))")
    code, _, err = ujrat("db", "migrate", role="postgres")
    assert code == 1 and "newer program" in err


def test_migrate_works_for_an_administrator_who_is_no_superuser(cluster):
    name = unique("adm")
    with cluster.connect(autocommit=True) as c:
        c.execute("CREATE ROLE %s LOGIN CREATEROLE" % name)
        # roles of the cluster exist by now, and a second administrator must be let in by the first
        new_database(cluster)
        c.execute("GRANT ujrat_owner TO %s" % name)
        c.execute("CREATE DATABASE %s OWNER %s" % (name, name))
    p = subprocess.run([str(BIN / "ujrat"), "db", "migrate", "--db", cluster.uri(name, name)], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr


def test_a_password_in_the_command_line_is_refused(ujrat):
    code, _, err = ujrat("db", "status", "--db", "postgresql://postgres:secret@127.0.0.1/x", db=False)
    assert code == 2 and "secret" not in err and "--db-file" in err


def test_a_database_file_others_can_read_is_refused(ujrat, database, tmp_path):
    file = tmp_path / "db"
    file.write_text(database.uri("ujrat_operator") + "\n")
    file.chmod(0o644)
    assert ujrat("principal", "list", "--db-file", file, db=False)[0] == 1
    file.chmod(0o600)
    assert ujrat("principal", "list", "--db-file", file, db=False)[0] == 0


def test_set_password_file_sets_a_password_that_works(own_cluster, tmp_path):
    """In a cluster of its own: roles are the cluster's, and other tests log in by theirs."""
    cluster, database = own_cluster, new_database(own_cluster)
    ujrat = Ujrat(database)
    file = tmp_path / "pw"
    file.write_text("correct horse\n")
    file.chmod(0o600)
    ujrat.done("db", "migrate", "--set-password-file", "ujrat_settle=%s" % file, role="postgres")
    import psycopg

    port = cluster.uri(database.name).split("port=")[1].split("&")[0]
    with psycopg.connect(host="127.0.0.1", port=port, dbname=database.name, user="ujrat_settle", password="correct horse"):
        pass
    verifier = database.value("SELECT rolpassword FROM pg_authid WHERE rolname = 'ujrat_settle'")
    assert verifier.startswith("SCRAM-SHA-256$")


# ---------------------------------------------------------------- platforms, floats
def test_platform_add_again_changes_nothing_and_other_terms_are_for_two_people(ujrat, database):
    command = ("platform", "add", "upwork", "--name", "Upwork", "--currency", "USD,JPY", "--margin-bps", "50")
    ujrat.done(*command)
    assert "as before" in ujrat.done(*command)
    assert rows(database, "policy") == 2
    code, _, err = ujrat(*command[:-1], "60")
    assert code == 1 and "ujrat policy propose" in err and "second person" in err
    assert rows(database, "policy") == rows(database, "policy_proposal") == 2
    ujrat.done(*command[:-3], "EUR,USD", *command[-2:])
    assert rows(database, "policy") == 3


@pytest.mark.parametrize("options, says", [
    (["--currency", "USD"], "no terms"),
    (["--currency", "XXQ", "--margin-bps", "5"], "CURRENCY_UNKNOWN"),
    (["--currency", "JPY", "--margin-bps", "5", "--fee-fixed", "0.5"], "AMOUNT_INVALID"),
    (["--currency", "USD", "--margin-bps", "5", "--fee-min", "2", "--fee-max", "1"], "make no sense"),
])
def test_platform_add_refused_changes_nothing(ujrat, database, options, says):
    code, _, err = ujrat("platform", "add", "upwork", *options)
    assert code == 1 and says in err
    assert rows(database, "book") == 0 and rows(database, "policy_proposal") == 0


def test_float_deposit_is_booked_once(ujrat, database):
    ujrat.done("platform", "add", "upwork", "--currency", "USD", "--margin-bps", "50")
    assert "journal" in ujrat.done("float", "deposit", "upwork", "100.50", "USD", "--reference", "A-1")
    assert "already" in ujrat.done("float", "deposit", "upwork", "100.50", "USD", "--reference", "A-1")
    code, _, err = ujrat("float", "deposit", "upwork", "100.51", "USD", "--reference", "A-1")
    assert code == 1 and "REFERENCE_REUSED" in err
    assert rows(database, "journal") == 1


@pytest.mark.parametrize("amount, ccy, says", [
    ("0", "USD", "AMOUNT_ZERO"), ("-1", "USD", "AMOUNT"), ("1.001", "USD", "AMOUNT_INVALID"), ("1", "EUR", "CURRENCY_NOT_SUPPORTED"),
    ("1e3", "USD", "AMOUNT_INVALID"), ("99999999999999999999", "USD", "AMOUNT_OVERFLOW"), ("1", "usd", "CURRENCY_UNKNOWN"),
])
def test_float_deposit_refuses_what_is_no_amount(ujrat, database, amount, ccy, says):
    ujrat.done("platform", "add", "upwork", "--currency", "USD", "--margin-bps", "50")
    code, _, err = ujrat("float", "deposit", "upwork", amount, ccy, "--reference", "A-1")
    assert code in (1, 2) and says in err
    assert rows(database, "journal") == 0


def test_trial_balance_is_nil_and_says_so_as_of_any_moment(ujrat, database):
    ujrat.done("platform", "add", "upwork", "--currency", "USD", "--margin-bps", "50")
    before = database.value("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    ujrat.done("float", "deposit", "upwork", "12345.60", "USD", "--reference", "A-1")
    lines = json.loads(ujrat.done("trial-balance", "--json", role="ujrat_auditor"))
    assert [l["debit"] for l in lines] == ["12345.60", "", "12345.60"]
    assert lines[-1]["type"] == "in balance"
    assert json.loads(ujrat.done("trial-balance", "--json", "--as-of", before, role="ujrat_auditor")) == []
    assert ujrat("trial-balance", "--as-of", "yesterday", role="ujrat_auditor")[0] == 2


# ---------------------------------------------------------------- rates
def sheets(database):
    return database.rows("SELECT source, sheet_date::text, refused FROM ujrat.rate_sheet ORDER BY rate_id")


def test_rates_import_takes_the_sheet_once(ujrat, database):
    ujrat.done("rates", "import", SHEET)
    ujrat.done("rates", "import", SHEET)
    assert sheets(database) == [("SBP-M2M", "2026-07-17", None)]
    shown = {r["currency"]: r["PKR_for_one"] for r in json.loads(ujrat.done("rates", "show", "--json", role="ujrat_auditor"))}
    assert shown["USD"] == "277.9612" and shown["KWD"] == "903.9388"
    # the end of the day in Karachi
    assert str(database.value("SELECT as_of AT TIME ZONE 'UTC' FROM ujrat.rate_sheet")) == "2026-07-17 19:00:00"


GOOD = SHEET.read_text()
HEADER = GOOD.splitlines()[0] + "\n"


@pytest.mark.parametrize("name, text, says", [
    ("sbp_m2m_2026-07-20.csv", "<html><body>Service unavailable</body></html>", "HTML"),
    ("sbp_m2m_2026-07-20.csv", "currency,buying,selling\nUSD,278.1,278.6\n", "CUSTOMER_SHEET"),
    ("sbp_m2m_2026-07-20.csv", "", "EMPTY"),
    ("sbp_m2m_2026-07-20.csv", HEADER, "EMPTY|NO_USD|TRUNCATED"),
    ("sbp_m2m_2026-07-20.csv", GOOD.replace("277.9612", "0.0000"), "NO_USD"),
    ("sbp_m2m_2026-07-20.csv", GOOD.replace("277.9612", "2779.612"), "JUMP"),
    ("sbp_m2m_2026-07-20.csv", GOOD.replace("277.9612", "-277.9612"), "NEGATIVE"),
    ("sbp_m2m_2026-07-20.csv", GOOD.replace("277.9612", "n/a"), "NUMBER"),
    ("sbp_m2m_2026-07-20.csv", GOOD[: len(GOOD) // 2], "TRUNCATED|COLUMNS|SHRUNK"),
    ("today.csv", GOOD, "DATE_MISSING"),
    ("sbp_m2m_2999-01-01.csv", GOOD, "DATE_FUTURE"),
    ("usd-2026.7.20.json", '{"date": "2026-07-21", "usd": {"pkr": 277.9, "usd": 1}}', "DATE_CONFLICT"),
    ("usd-2026.7.20.json", '{"date": "2026-07-20", "usd": {"eur": 0.9, "usd": 1}}', "NO_PKR"),
    ("usd-2026.7.20.json", '{"date": "2026-07-20", "usd": {"pkr": "277.9"}}', "NUMBER"),
    ("usd-2026.7.20.json", '{"date": "2026-07-20", "usd": {"pkr": 277.9', "NOT_JSON"),
    ("usd-2026.7.20.json", '{"date": "2026-07-20", "usd": {"pkr": 27.79, "usd": 1}}', "JUMP"),
    ("latest.json", '{"timestamp": 1784550000, "base": "EUR", "rates": {"PKR": 300.1}}', "HEADER"),
])
def test_a_feed_that_misbehaves_is_refused_and_the_last_good_rate_stays(ujrat, database, tmp_path, name, text, says):
    ujrat.done("rates", "import", SHEET)
    good = ujrat.done("rates", "show", "--json", role="ujrat_auditor")
    file = tmp_path / name
    file.write_text(text)
    code, _, err = ujrat("rates", "import", file)
    assert code == 1 and any(s in err for s in says.split("|")), err
    assert "SBP-M2M of 2026-07-17" in err
    assert ujrat.done("rates", "show", "--json", role="ujrat_auditor") == good
    assert any(s in sheets(database)[-1][2] for s in says.split("|"))


def test_rates_import_reads_both_kinds_of_json(ujrat, database, tmp_path):
    day = tmp_path / "usd-2026.7.16.json"
    day.write_text('{"date": "2026-07-16", "usd": {"pkr": 278.12345678, "eur": 0.8, "btc": 9.1e-06, "usd": 1}}')
    ujrat.done("rates", "import", day)
    latest = tmp_path / "latest.json"
    latest.write_text('{"timestamp": 1784548800, "base": "USD", "rates": {"PKR": 278.5, "EUR": 0.8, "USD": 1}}')
    ujrat.done("rates", "import", latest)
    assert [s[0] for s in sheets(database)] == ["fawazahmed0", "openexchangerates"]
    assert database.value("SELECT pkr_e10 FROM ujrat.rate JOIN ujrat.rate_sheet USING (rate_id) "
                          "WHERE source = 'fawazahmed0' AND ccy = 840") == 2781234567800


# ---------------------------------------------------------------- usage
@pytest.mark.parametrize("arguments", [
    [], ["nonsense"], ["db"], ["db", "migrate", "extra"], ["rates", "import"], ["db", "status", "--no-such"], ["db", "status", "--db"],
    ["float", "deposit", "a", "1", "USD"], ["payout", "submit", "x.csv", "--chunk", "0"], ["rates", "import", "x", "--date", "today"],
])
def test_wrong_usage_is_exit_2_and_tries_nothing(ujrat, arguments):
    assert ujrat(*arguments, db=False)[0] == 2


def test_version_is_said_on_standard_output(ujrat):
    assert ujrat.done("--version", db=False).startswith("ujrat ")


def test_a_platform_that_is_not_there_is_not_an_empty_report(ujrat):
    for arguments in (["trial-balance", "--book", "nowhere"], ["payout", "report", "--platform", "nowhere"]):
        code, out, err = ujrat(*arguments)
        assert (code, out) == (1, "") and "there is no platform 'nowhere'" in err, arguments


# ---------------------------------------------------------------- webhooks
def test_webhook_commands_in_all_their_forms(ujrat, database):
    assert json.loads(ujrat.done("webhook", "list", "--json", role="ujrat_auditor")) == []
    assert ujrat.done("webhook", "list").count("\n") == 2
    first, second, third = ("%017d" % i for i in range(3))
    with database.connect(autocommit=True, options="-c search_path=ujrat") as c:
        one, two = c.execute("SELECT open_book('one', 'One'), open_book('two', 'Two')").fetchone()
        for book, id_, url in ((one, first, "https://a.example/" + "x" * 2030), (one, second, "https://b.example/"), (two, third, "https://c.example/")):
            c.execute("SELECT create_webhook(%s, %s, %s, '{*}', 64::int2, 't')", (book, id_, url))
        c.execute("SELECT disable_webhook(%s, 2, 1, 'it answered 410 Gone'), simulate_webhook_event(%s, %s, NULL, 'PAYMENT.PAYOUTS-ITEM.HELD')", (one, one, first))
    listed = json.loads(ujrat.done("webhook", "list", "--json", role="ujrat_auditor"))
    assert [(w["platform"], w["id"], w["state"], w["waiting"]) for w in listed] == [
        ("one", first, "ENABLED", 1), ("one", second, "DISABLED", 0), ("two", third, "ENABLED", 0)]
    assert len(listed[0]["url"]) == 2048 and "410" in listed[1]["reason"]
    assert [w["id"] for w in json.loads(ujrat.done("webhook", "list", "two", "--json"))] == [third]
    event = "WH-%08X-%013X" % (one, 1)
    for options, n in (((), 1), (("--state", "FAILED"), 0), (("--webhook", second), 0), (("--webhook", first, "--limit", 1), 1)):
        got = json.loads(ujrat.done("webhook", "deliveries", "one", "--json", *options))
        assert [(d["event"], d["status"], d["last"]) for d in got] == [(event, None, None)] * n, options
    assert "DISABLED" in ujrat.done("webhook", "disable", "one", first) and "ENABLED" in ujrat.done("webhook", "enable", "one", first)
    assert ujrat.done("webhook", "replay", "one", event) == "1 deliveries are due\n"
    for code, says, *arguments in ((1, "no platform", "list", "nobody"), (1, "no platform", "deliveries", "nobody"), (1, "no webhook", "enable", "one", "x"),
                                   (1, "no webhook", "disable", "two", first), (1, "not events of two", "replay", "two", event),
                                   (2, "ids of events", "replay", "one", "x"), (2, "whole number", "deliveries", "one", "--limit", "0")):
        got = ujrat("webhook", *arguments)
        assert got[0] == code and says in got[2] and got[1] == "", (arguments, got)


def test_every_command_has_help(ujrat):
    overview = ujrat.done("--help", db=False)
    names = [line[2:22].strip() for line in overview.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    assert "db migrate" in names and "bank run" in names
    for name in names:
        out = ujrat.done(*name.split(), "--help", db=False)
        assert out.startswith("Usage: ujrat " + name)
        # and the manual knows it
        manual = (ROOT / "docs" / "man" / "ujrat.1").read_text().replace("\\-", "-").replace("\\fR|\\fP", "|")
        first, *rest = name.split()
        assert first in manual and all(r in manual for r in rest), name
