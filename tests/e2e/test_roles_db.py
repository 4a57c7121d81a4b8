"""Least privilege in the database itself: what each role can do to each table and function, and what not even a superuser
can do by accident."""
import itertools
import json

import psycopg
import pytest
from psycopg import errors

from batch_rows import end_unclaimed, put_batch
from harness import new_database, operator
from world import number

ROLES = ("ujrat_app", "ujrat_settle", "ujrat_sealer", "ujrat_hooks", "ujrat_auditor", "ujrat_operator")
# what may never be changed or removed, by anybody; of the others rows are never removed
APPEND_ONLY = {"block", "journal", "account_balance", "account", "payout", "payout_transition", "handout", "quote",
               "beneficiary_version", "float_deposit", "rate_sheet", "rate", "log_key", "block_seal", "tree_head",
               "adjustment_proposal", "adjustment_decision", "pii_erasure",
               "bank_terms", "calendar_day", "float_low", "settlement_window", "window_closing", "window_book",
               "window_report", "window_end", "window_settle_proposal", "payment_return", "nostro_funding", "funding_plan",
               "funding_plan_part", "inquiry", "instruction_notice", "recall", "recall_answer", "settlement_alert", "settlement_alert_end", "tax_day",
               "file_out", "file_out_handout", "file_out_question", "file_out_funding", "file_in",
               "payout_batch", "unclaimed", "unclaimed_end", "payout_hold", "payout_hold_decision", "payout_hold_end", "policy_kind", "policy_proposal", "policy_change", "policy_decision", "policy",
               "webhook_event_kind", "webhook", "webhook_version", "webhook_key", "webhook_event",
               "operator_revocation", "operator_act", "return_reversal_proposal", "return_reversal_decision", "sanctions_version", "sanctions_change"}
NOT_REMOVED = {"book", "book_head", "beneficiary", "principal", "bank", "currency", "journal_kind", "bank_head", "bank_book",
               "rest_credential", "webhook_cursor", "webhook_batch", "webhook_delivery", "operator_totp"}
# what follows from other rows, and whose rows come and go
FOLLOWS = {"inquiry_open"}
# changed and removed by their own functions only, which test_personal_data.py and test_receivers.py try
PERSONAL = {"beneficiary_pii", "receiver", "unclaimed_open", "payout_batch_item", "payout_hold_open"}
# not read, or only some of their columns, by those who have no use for them
NOT_READ = {"beneficiary_pii": {"ujrat_sealer", "ujrat_auditor"},
            **dict.fromkeys(("receiver", "payout_batch_item", "batch_item_now", "unclaimed_open"), {"ujrat_settle", "ujrat_sealer", "ujrat_auditor"}),
            "rest_credential": {"ujrat_settle", "ujrat_sealer", "ujrat_auditor", "ujrat_operator"},
            "operator_totp": set(ROLES),
            **dict.fromkeys(("payout_hold", "payout_hold_decision"), {"ujrat_app", "ujrat_settle", "ujrat_sealer", "ujrat_auditor"})}
SOME_COLUMNS = {"payout_batch_item": "item_no, payout_id, gross", "unclaimed_open": "unclaimed_id", "rest_credential": "client_id, enabled",
                "payout_hold": "reason, detail_sha256", "payout_hold_decision": "decision, note_sha256"}
HOOKS_READ = {"webhook", "webhook_version", "webhook_now", "webhook_key", "webhook_cursor", "webhook_event_kind", "webhook_event", "webhook_event_facts",
              "webhook_delivery", "schema_migration"}
# functions by who may call them (docs of ledger/schema/roles.sql); what is not named here is nobody's but the owner's
READING = {"current_balance", "payout_state", "order_number", "handed_out_upto", "bank_payouts_after", "digit_factor", "block_upto",
           "working_day", "bank_exposure", "hand_out_room", "bank_waiting", "bank_position", "bank_forecast", "window_parts", "window_totals",
           "windows_of_bank", "windows_to_end", "alerts_due", "shown_amount", "open_questions", "recall_is_over", "instruction_id",
           "handed_out_at", "handed_out_by", "returned_amount", "rules_in_force", "policy_at", "policy_time_text"}
SETTLING = {"hand_out", "confirm_instructions", "return_payment", "reverse_return", "report_window", "answer_questions"}
SETTLING_ALONE = {"hand_out_window", "open_first_window", "close_window", "end_window", "overdue_instructions", "ask", "note_status",
                  "request_recall", "answer_recall", "raise_alert", "end_alert", "refresh_alerts", "check_taxes", "add_file_out", "add_file_in"}
APP = {"post_payouts", "cancel_payout", "create_quote", "register_beneficiary", "update_beneficiary", "moment_past", "submit_batch",
       "claim_unclaimed", "return_unclaimed", "cancel_unclaimed", "add_receiver", "remove_receiver", "register_claimant"} | SETTLING
OPERATING = {"open_book", "open_currency", "connect_bank", "add_principal", "set_principal_enabled", "deposit_float",
             "import_rates", "open_terms", "propose_policy", "decide_policy", "add_log_key", "propose_adjustment", "decide_adjustment", "erase_beneficiary",
             "rotate_pii", "fund_nostro", "plan_funding", "set_bank_terms", "record_calendar_day",
             "set_float_low", "hand_out_window", "close_window", "end_window", "dispute_window", "propose_window_settled",
             "approve_window_settled", "request_recall", "propose_return_reversal", "decide_return_reversal", "dismiss_alert",
             "rotate_receivers", "rotate_batch_items", "enroll_operator", "confirm_operator", "revoke_operator", "operators_now",
             "add_rest_credential", "set_rest_credential", "add_receiver", "remove_receiver", "import_sanctions", "place_hold", "decide_hold", "withdraw_hold_decision"}
HOOKING = {"create_webhook", "change_webhook", "simulate_webhook_event", "resend_webhook_events"}
MAY_CALL = {"ujrat_app": READING | APP | HOOKING, "ujrat_settle": READING | SETTLING | SETTLING_ALONE, "ujrat_sealer": READING | {"seal_blocks"}, "ujrat_auditor": READING | {"operators_now"},
            "ujrat_hooks": {"make_webhook_events", "webhook_books", "record_webhook_delivery", "disable_webhook", "add_webhook_key"},
            "ujrat_operator": READING | OPERATING | {"change_webhook", "resend_webhook_events"}}


@pytest.fixture(scope="module")
def world(new_world):
    return new_world(seal=True)


@pytest.fixture(scope="module")
def database(world):
    """With something in every table."""
    platform, bank = world.platform(), world.bank()
    first = platform.submit(platform.details(bank), 5_000, quote=platform.quote(5_000).name)
    platform.submit(platform.details(bank), 6_000)
    told = bank.take(2)
    bank.confirm(bank.settled(told[0]))
    bank.send_back(told[0])
    assert platform.get(first.name).state == 6
    book = world.value("SELECT book_id FROM book WHERE code = %s", platform.code)
    two_people(world, book)
    bank.confirm(bank.settled(told[1]))
    erased = platform.get(first.name).beneficiary
    world.gateway.ujrat("pii", "erase", platform.code, erased, "--reason", "test", "--quiet")
    settlement(world, platform, bank)
    holds(world, platform)
    doors(world, platform, int(platform.register(bank).name.rsplit("/", 1)[1]))
    world.gateway.wait_sealed()
    return world.database


def two_people(world, book):
    """Something in every table of what takes two people."""
    anna, bilal = (operator(world.database.uri(), login) for login in ("roles_anna", "roles_bilal"))
    payout, reference = world.database.rows("SELECT payout_id, bank_reference FROM ujrat.payment_return WHERE book_id = %s LIMIT 1", (book,))[0]
    for who, call, *values in ((anna, "propose_adjustment(%s, 'r', 'because', NULL, '{suspense.PKR,charge.PKR}', '{1,-1}', %s)", book),
                               (bilal, "decide_adjustment(%s, 1, true, %s)", book), (anna, "revoke_operator('roles_bilal', 'x', %s)"),
                               (anna, "propose_return_reversal(%s, %s, %s, 'AM05', 'x', %s)", book, payout, reference),
                               (bilal, "decide_return_reversal(%s, %s, 1, false, %s)", book, payout)):
        with who.session() as db:
            db.execute("SELECT " + call, (*values, who.code()))


def settlement(world, platform, bank):
    """Something in every table of settlement."""
    with world.database.connect("postgres", autocommit=True, options="-c search_path=ujrat") as db:
        book, = db.execute("SELECT book_id FROM book WHERE code = %s", (platform.code,)).fetchone()
        id_, = db.execute("SELECT bank_id FROM bank WHERE code = %s", (bank.code,)).fetchone()
        db.execute("SELECT set_bank_terms(%s::int2, 'instant', 'grpc', '{11:00}', '{10:00}', 586::int2, NULL, NULL, NULL, NULL, '1h', '2h', "
                   "'1h', 'pacs.008.001.08', 't')", (id_,))
        db.execute("SELECT record_calendar_day('2035-01-01', 'holiday', 'x', 't'), set_float_low(%s, 'USD', 1, 't'), open_first_window(%s::int2, now() + interval '1 hour')", (book, id_))
        for _ in range(2):
            platform.submit(platform.details(bank), 7_000)
        told = bank.take(3)[1:]     # the first of all was erased
        payouts = [int(i.instruction_id.split("-")[1]) for i in told]
        bank.confirm(bank.settled(told[0]))
        db.execute("SELECT close_window(%s::int2, 1, 1, now() + interval '1 hour', now() + interval '1 day')", (id_,))
        db.execute("SELECT report_window(%s::int2, 1, 1, 586::int2, 9, 9, 9, 9)", (id_,))
        anna = operator(world.database.uri(), "roles_anna")
        with anna.session() as session:
            session.execute("SELECT propose_window_settled(%s::int2, 1, 'x', %s)", (id_, anna.code()))
        db.execute("SELECT ask(%s::int2, %s, %s::bigint[], '{false}', now())", (id_, book, payouts[1:]))
        db.execute("SELECT note_status(%s::int2, %s, %s, 'BLCK', NULL), request_recall(%s, %s, 'CUST', 1)", (id_, book, payouts[1], book, payouts[1]))
        db.execute("SELECT answer_recall(%s::int2, %s, %s, 1::int2, 'PDCR', NULL, 1), raise_alert('KEPT_BACK', 'x', 'x'), "
                   "end_alert('KEPT_BACK', 'x', 'x'), check_tax_day('2020-01-01')", (id_, book, payouts[1]))
        db.execute("SELECT import_sanctions('X', sha256('x'), 'x', NULL, 't', false, '[{\"id\": \"1\", \"kind\": \"person\", \"names\": [\"x\"], "
                   "\"weak_names\": [], \"dobs\": [], \"countries\": [], \"cnics\": [], \"passports\": [], \"programs\": []}]')")
        world.gateway.ujrat("bank", "fund", bank.code, "--amount", "10", "--cost", "USD:0.05", "--reference", "f1", "--quiet")
        content = {"handouts": [[book, 0, upto] for upto, in db.execute(
                       "SELECT last_payout_id FROM handout WHERE book_id = %s AND bank_id = %s LIMIT 1", (book, id_))],
                   "questions": [1], "fundings": [[book, "f1"]]}
        db.execute("SELECT add_file_out(%s::int2, 1, 'pacs.008.001.08', 1, %s, sha256('x'), now()), "
                   "add_file_in(%s::int2, sha256('x'), 'x', NULL, 'quarantined', 0, 0, 'x')", (id_, json.dumps(content), id_))


def holds(world, platform):
    """Of two payouts one was released, and one is held."""
    bank = world.bank()
    for decided in (True, False):
        payout = int(platform.submit(platform.details(bank), 7_000).name.rsplit("/", 1)[1])
        book = world.value("SELECT book_id FROM book WHERE code = %s", platform.code)
        world.database.rows("SELECT ujrat.place_hold(%s, %s, 'LIMIT', 'x', '{}', 'q', now() + interval '1 day')", (book, payout))
        for login in ("roles_anna", "roles_chand") if decided else ():
            who = operator(world.database.uri(), login)
            with who.session() as db:
                db.execute("SELECT decide_hold(%s, %s, 1::int2, 'release', 'x', %s)", (book, payout, who.code()))


def doors(world, platform, beneficiary):
    """Something in every table of batches, receivers and webhooks."""
    with world.database.connect("postgres", autocommit=True, options="-c search_path=ujrat") as db:
        book, who = db.execute("SELECT book_id, principal_id FROM book JOIN principal USING (book_id) WHERE code = %s", (platform.code,)).fetchone()
        last = lambda: db.execute("SELECT max(seq) FROM journal WHERE book_id = %s", (book,)).fetchone()[0]
        platform.deposit(1)
        seqs = [last()]
        platform.deposit(1)
        seqs.append(last())
        platform.deposit(1)
        db.execute("SELECT add_receiver(%s, %s, %s, 1::int2, sha256('x'), 1::int2, 'x')", (book, who, beneficiary))
        db.execute("SELECT create_webhook(%s, %s, 'https://h.example/', '{*}', 4::int2, 't'), add_webhook_key('rsa', 'x')", (book, "%017d" % number()))
        put_batch(db, book, unclaimed=seqs)
        end_unclaimed(db, book, seqs[0], 2, last())
        db.execute("INSERT INTO unclaimed_open VALUES (%s, %s, now(), 1, sha256('y'))", (book, seqs[1]))
        db.execute("SELECT make_webhook_events(%s, 1000)", (book,))


@pytest.fixture
def as_role(database):
    """as_role(name): a connection whose every statement stands alone."""
    open_ = []

    def connect(role):
        connection = psycopg.connect(database.uri(role), autocommit=True, options="-c search_path=ujrat")
        open_.append(connection)
        return connection

    yield connect
    for connection in open_:
        connection.close()


def tables(database, kind="r"):
    return [name for name, in database.rows("SELECT relname FROM pg_class WHERE relnamespace = 'ujrat'::regnamespace AND "
                                            "relkind = %s ORDER BY 1", (kind,))]


def some_column(database, table):
    return database.value("SELECT attname FROM pg_attribute WHERE attrelid = ('ujrat.' || %s)::regclass AND attnum > 0 AND "
                          "attidentity = '' ORDER BY attnum LIMIT 1", (table,))


def functions(database):
    """name -> whether it only reads, of every function but triggers."""
    return dict(database.rows("SELECT proname, provolatile <> 'v' FROM pg_proc WHERE pronamespace = 'ujrat'::regnamespace "
                              "AND prorettype <> 'trigger'::regtype"))


def test_every_table_is_known_here_and_has_rows(database):
    here = set(tables(database))
    assert here - {"schema_migration"} == APPEND_ONLY | NOT_REMOVED | PERSONAL | FOLLOWS
    for table in here:
        assert database.value("SELECT count(*) FROM ujrat." + table) > 0, table


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_every_table_and_view_and_writes_none(database, as_role, role):
    connection = as_role(role)
    if role == "ujrat_auditor":  # it could not help itself, even if it took its own guard away
        connection.execute("SET default_transaction_read_only = off")
    for table in tables(database) + tables(database, "v"):
        if role in NOT_READ.get(table, ()) or role == "ujrat_hooks" and table not in HOOKS_READ:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM %s LIMIT 1" % table)
            if table in SOME_COLUMNS and role != "ujrat_hooks":
                connection.execute("SELECT %s FROM %s LIMIT 1" % (SOME_COLUMNS[table], table))
        else:
            connection.execute("SELECT * FROM %s LIMIT 1" % table)
    for table in tables(database):
        column = some_column(database, table)
        for statement in ("INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM {0}", "UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}",
                          "SELECT 1 FROM {0} FOR UPDATE", "LOCK TABLE {0} IN EXCLUSIVE MODE", "ALTER TABLE {0} ADD x int",
                          "DROP TABLE {0}", "ALTER TABLE {0} DISABLE TRIGGER ALL"):
            with pytest.raises((errors.InsufficientPrivilege, errors.NoActiveSqlTransaction)):
                connection.execute(statement.format(table, column))
                pytest.fail("%s may: %s" % (role, statement.format(table, column)))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_calls_its_own_functions_only(database, as_role, role):
    connection = as_role(role)
    for name in functions(database):
        may = {row[0] for row in connection.execute(
            "SELECT has_function_privilege(oid, 'EXECUTE') FROM pg_proc WHERE pronamespace = 'ujrat'::regnamespace AND proname = %s",
            (name,))}
        assert may == {name in MAY_CALL[role]}, name
    assert set().union(*MAY_CALL.values()) <= set(functions(database))


@pytest.mark.parametrize("role,call", [
    ("ujrat_app", "SELECT deposit_float(1, 1, 'USD', 100, 'x')"), ("ujrat_app", "SELECT open_book('evil', 'Evil')"),
    ("ujrat_app", "SELECT set_principal_enabled('ujrat://auditor/demo', false)"),
    ("ujrat_app", "SELECT connect_bank('MUCB')"), ("ujrat_app", "SELECT begin_block(1)"),
    ("ujrat_app", "SELECT erase_beneficiary(1, 1, 'x', 'x')"), ("ujrat_app", "SELECT rotate_pii('{}', '{}', '{}', '{}', '{}', 1::smallint, '{}')"),
    ("ujrat_app", "SELECT put_beneficiary_version(1, 1, 1, 1, NULL, now())"), ("ujrat_app", "SELECT close_block(1, 1, 1, 1, now())"), ("ujrat_app", "SELECT reverse_payout(1, 1, 2, 2::smallint, 6::smallint, NULL, NULL, NULL)"),
    ("ujrat_settle", "SELECT post_payouts(1, 1, '{}')"), ("ujrat_settle", "SELECT cancel_payout(1, 1, 2)"),
    ("ujrat_settle", "SELECT deposit_float(1, 1, 'USD', 100, 'x')"),
    ("ujrat_operator", "SELECT post_payouts(1, 1, '{}')"), ("ujrat_operator", "SELECT confirm_instructions(1, 1::smallint, 1, '{}')"),
    ("ujrat_auditor", "SELECT deposit_float(1, 1, 'USD', 100, 'x')"), ("ujrat_auditor", "SELECT post_payouts(1, 1, '{}')"),
    ("ujrat_app", "SELECT propose_adjustment(1, 'r', 'x', NULL, '{}', '{}', NULL)"), ("ujrat_app", "SELECT decide_adjustment(1, 1, true, NULL)"),
    ("ujrat_auditor", "SELECT decide_adjustment(1, 1, true, NULL)"), ("ujrat_app", "SELECT open_terms(1, 'USD', 0, 0, 0, 0, 0, 1, 'x')"), ("ujrat_app", "SELECT enroll_operator()"), ("ujrat_auditor", "SELECT revoke_operator('x', 'x')"),
    ("ujrat_operator", "SELECT prove_operator(NULL)"), ("ujrat_operator", "SELECT operator_principal()"),
    ("ujrat_app", "SELECT propose_policy('r', NULL, 'x', 'x', NULL, '{7}', '{\"\"}', '{0}', '{1}', NULL)"), ("ujrat_app", "SELECT decide_policy(1, true, '', NULL)"),
    ("ujrat_hooks", "SELECT create_webhook(1, 'x', 'x', '{}', 1::smallint, 'x')"), ("ujrat_hooks", "SELECT resend_webhook_events(1, NULL, 1, 1)"),
    ("ujrat_hooks", "SELECT change_webhook(1, 'x', 'x', NULL, NULL, NULL, 'x', 'x')"), ("ujrat_hooks", "SELECT post_payouts(1, 1, '{}')"),
    ("ujrat_app", "SELECT record_webhook_delivery(1, 1, 1, 1::smallint, 'DELIVERED', NULL, NULL, 0)"), ("ujrat_app", "SELECT add_webhook_key('rsa', 'x')"),
    ("ujrat_auditor", "SELECT moment_past(1)"), ("ujrat_auditor", "SELECT hand_out(1, 1::smallint, 1, 10)"),
])
def test_calls_that_are_anothers_are_refused(as_role, role, call):
    connection = as_role(role)
    connection.execute("SET default_transaction_read_only = off")
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute(call)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_makes_nothing_and_becomes_nobody(database, as_role, role):
    connection = as_role(role)
    connection.execute("SET default_transaction_read_only = off")
    for statement in ("CREATE TABLE mine (x int)", "CREATE TABLE public.mine (x int)", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                      "CREATE ROLE friend", "SET ROLE ujrat_owner", "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres",
                      "CREATE DATABASE mine", "ALTER ROLE ujrat_app SUPERUSER", "SET session_replication_role = replica",
                      "CREATE TEMP TABLE mine (x int)", "CREATE SCHEMA mine", "SELECT lo_create(0)", "SELECT lo_creat(-1)",
                      "SELECT lo_from_bytea(0, '\\x00')", "CREATE EVENT TRIGGER mine ON sql_drop EXECUTE FUNCTION refuse_change()",
                      "DROP TRIGGER append_only ON journal", "ALTER TABLE journal DISABLE TRIGGER append_only", "DROP FUNCTION refuse_change CASCADE",
                      "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
                      "ALTER TABLE journal DROP CONSTRAINT lines_sum_to_zero", "DROP SCHEMA ujrat CASCADE", "DROP VIEW posting",
                      "ALTER DATABASE %s OWNER TO %s" % (database.name, role),
                      "COPY journal TO PROGRAM 'true'", "COPY journal TO '/tmp/x'", "SELECT pg_read_file('/etc/passwd')",
                      *("SET ROLE " + other for other in ROLES if other != role)):
        with pytest.raises((errors.InsufficientPrivilege, errors.UndefinedObject)):
            connection.execute(statement)
            pytest.fail("%s may: %s" % (role, statement))
    flags, = database.rows("SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, "
                           "(SELECT count(*) FROM pg_auth_members WHERE member = r.oid) FROM pg_roles r WHERE rolname = %s", (role,))
    assert not any(flags), flags


def test_the_auditor_reads_only_from_the_start(as_role):
    connection = as_role("ujrat_auditor")
    assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
    for statement in ("CREATE TEMP TABLE t (x int)", "SELECT lo_create(0)"):
        with pytest.raises((errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)):
            connection.execute(statement)
    with pytest.raises((errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)):
        connection.execute("INSERT INTO journal SELECT * FROM journal")


def test_the_owner_is_nobody_who_logs_in(database):
    assert database.rows("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = 'ujrat_owner'") == [(False, False)]
    owners = {owner for owner, in database.rows("SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE "
                                                "relnamespace = 'ujrat'::regnamespace")}
    assert owners == {"ujrat_owner"}


def test_functions_that_act_as_their_owner_look_nowhere_else(database):
    """A search_path of the caller's own would put another's table in place of ours."""
    loose = database.rows("SELECT proname FROM pg_proc WHERE pronamespace = 'ujrat'::regnamespace AND prosecdef AND "
                          "NOT coalesce(proconfig::text LIKE '%%search_path=ujrat, pg_temp%%', false)")
    assert loose == []


# ---------------------------------------------------------------- not even a superuser
@pytest.mark.parametrize("replica", [False, True], ids=["", "as a replica would"])
def test_what_is_written_stays_written_for_a_superuser_too(database, as_role, replica):
    connection = as_role("postgres")
    if replica:  # ordinary triggers sleep then
        connection.execute("SET session_replication_role = replica")
    for table, verb in itertools.product(sorted(APPEND_ONLY | NOT_REMOVED), ("UPDATE", "DELETE", "TRUNCATE")):
        if table in NOT_REMOVED and verb == "UPDATE":
            continue
        column = some_column(database, table)
        statement = {"UPDATE": "UPDATE {0} SET {1} = {1}", "DELETE": "DELETE FROM {0}", "TRUNCATE": "TRUNCATE {0} CASCADE"}[verb]
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(statement.format(table, column))
        assert refused.value.diag.sqlstate == "UJ409", (table, verb, refused.value)
        assert "append-only" in str(refused.value)


@pytest.mark.parametrize("table, verb", itertools.product(("receiver", "unclaimed_open", "payout_batch_item"), ("UPDATE", "DELETE", "TRUNCATE")))
def test_whom_something_is_for_is_changed_by_its_functions_only(as_role, database, table, verb):
    columns = {"payout_batch_item": ("gross", "sealed")}.get(table, (some_column(database, table),))
    for column in columns if verb == "UPDATE" else columns[:1]:
        statement = {"UPDATE": "UPDATE {0} SET {1} = {1}", "DELETE": "DELETE FROM {0}", "TRUNCATE": "TRUNCATE {0} CASCADE"}[verb]
        with pytest.raises(psycopg.Error) as refused:
            as_role("postgres").execute(statement.format(table, column))
        assert refused.value.diag.sqlstate == "UJ409", refused.value


def rejected(connection, statement, *parameters):
    """The constraint that a superuser's own row breaks."""
    with pytest.raises(psycopg.Error) as refused:
        connection.execute(statement, parameters)
    return refused.value.diag.constraint_name or refused.value.diag.sqlstate


def test_no_journal_that_is_not_zero_can_be_stored(as_role):
    connection = as_role("postgres")
    insert = ("INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor) "
              "VALUES (%s, 1, 1, 1, 8, %%s::int[], %%s::smallint[], %%s::bigint[])" % (1_000_000 + number()))
    for accounts, ccys, minors, constraint in (
            ([1, 2], [840, 840], [100, -99], "lines_sum_to_zero"),
            ([1, 2], [840, 586], [100, -100], "lines_sum_to_zero"),
            ([1, 2, 3, 4], [840, 840, 586, 586], [100, -101, 50, -49], "lines_sum_to_zero"),
            ([1, 2], [840, 840], [0, 0], "lines_have_amounts"),
            ([1], [840, 840], [100, -100], "lines_match"),
            ([1, 2, 3], [840, 586, 392], [1, -1, 0], None)):
        broken = rejected(connection, insert, accounts, ccys, minors)
        assert constraint is None or broken == constraint, (minors, broken)


def test_no_balance_can_be_made_up(as_role):
    """A balance that does not follow from the one before, forks, leaves a gap, or takes a float below zero."""
    connection = as_role("postgres")
    book, account, block, balance = connection.execute(
        "SELECT book_id, account_id, block_no, balance FROM account_now WHERE role = 'float' AND balance < 0 LIMIT 1").fetchone()
    first = connection.execute("SELECT block_no, balance FROM account_balance WHERE book_id = %s AND account_id = %s "
                               "ORDER BY block_no LIMIT 1", (book, account)).fetchone()
    insert = ("INSERT INTO account_balance (book_id, account_id, floor_zero, block_no, prev_block_no, balance_before, change, "
              "balance, debit_count, credit_count) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 1, 1)")
    new = block + 1_000
    assert rejected(connection, insert, book, account, True, new, block, balance, 5, balance + 6) == "account_balance_check"
    assert "fkey" in rejected(connection, insert, book, account, True, new, block, balance - 1, 1, balance)
    assert "fkey" in rejected(connection, insert, book, account, True, new, block + 1, balance, 1, balance + 1)
    assert "key" in rejected(connection, insert, book, account, True, new, first[0], first[1], -1, first[1] - 1)
    assert rejected(connection, insert, book, account, True, new, block, balance, 1 - balance, 1) == "float_not_below_zero"
    assert "fkey" in rejected(connection, insert, book, account, False, new, block, balance, 1 - balance, 1)


def test_no_payout_with_made_up_numbers_can_be_stored(as_role):
    connection = as_role("postgres")
    columns = [c for c, in connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'payout'::regclass AND attnum > 0 "
                                              "AND NOT attisdropped ORDER BY attnum")]
    for name, expression in (("net", "net + 1"), ("margin", "margin + 1"), ("mid_value", "mid_value + 1"), ("fee", "gross"),
                             ("gross", "-gross"), ("mid_rate_e10", "mid_rate_e10 * 2"), ("digit_shift", "1")):
        # another reference and number, no quote, and one figure changed
        changed = {"reference": "'made-up'", "payout_id": "payout_id + 900000", "quote_id": "NULL", name: expression}
        broken = rejected(connection, "INSERT INTO payout (%s) SELECT %s FROM payout LIMIT 1" % (
            ", ".join(columns), ", ".join(changed.get(c, c) for c in columns)))
        assert broken.startswith("payout_check") or broken in ("margin_rounded_down", "mid_value_half_even"), (name, broken)


def test_a_payout_is_reversed_once_and_a_quote_used_once(as_role):
    connection = as_role("postgres")
    row = "seq + 900000, block_no, payout_id, reverses_seq, book_id, principal_id, kind, line_account, line_ccy, line_minor"
    assert rejected(connection, "INSERT INTO journal (seq, block_no, payout_id, reverses_seq, book_id, principal_id, kind, "
                    "line_account, line_ccy, line_minor) SELECT %s FROM journal WHERE reverses_seq IS NOT NULL LIMIT 1"
                    % row) == "journal_reversed_once"
    columns = [c for c, in connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'payout'::regclass AND attnum > 0 "
                                              "AND NOT attisdropped ORDER BY attnum")]
    for changed, constraint in (({"payout_id": "payout_id + 900000", "reference": "'other'"}, "payout_quote_used_once"),
                                ({"payout_id": "payout_id + 900000", "quote_id": "NULL"}, "payout_book_id_reference_key")):
        assert rejected(connection, "INSERT INTO payout (%s) SELECT %s FROM payout WHERE quote_id IS NOT NULL LIMIT 1" % (
            ", ".join(columns), ", ".join(changed.get(c, c) for c in columns))) == constraint


def test_a_migrated_database_is_like_any_other(cluster):
    """Grants come with the schema, not with the data: a fresh one has them too."""
    fresh = new_database(cluster)
    with fresh.connect("ujrat_app", autocommit=True, options="-c search_path=ujrat") as connection:
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("DELETE FROM journal")
