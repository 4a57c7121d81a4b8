"""What must be refused whoever writes: journals in odd shapes, lines on wrong accounts, steps that cannot be, rights."""
import psycopg
import pytest

from ledger_model import *


@pytest.fixture(scope="module")
def shared(database):
    with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as db:
        ledger = Ledger(db, "guards")
        assert ledger.deposit(USD, 100_000_00, "dep") == OK
        for bank in ledger.bank:
            ledger.beneficiary(f"ben-{bank}", bank)
        yield ledger


INSERT = """INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor)
            VALUES (%s, %s, %s, %s, 8, %s::int4[], %s::int2[], %s::int8[])"""


@pytest.mark.parametrize("accounts, ccys, minors", (
    ("{1,2}", "{840,840}", "[2:3]={5,7}"),             # begins at 2: subscripts 1 to 8 see half of it
    ("{1,2}", "{840,840}", "[20:21]={5,7}"),           # and here nothing
    ("{1,2}", "{840,840}", "[0:1]={5,7}"),
    ("{1,2}", "{840,840}", "[-1:0]={5,7}"),
    ("{1,2}", "{840,840}", "{{5,7}}"),                 # two dimensions
    ("{1,2}", "{840,840}", "{{5},{7}}"),
    ("{1,2}", "{840,840}", "[2:3][1:1]={{5},{7}}"),
    ("{1,2,3,4}", "{840,840,840,840}", "{{1,2},{3,4}}"),
    ("{1,2}", "{840,840}", "{5,NULL}"),                # NULLs count as nothing
    ("{1,2}", "{840,840}", "{NULL,NULL}"),
    ("{1,2,3}", "{840,840,840}", "{5,NULL,-5}"),
    ("{1,2}", "{NULL,840}", "{5,-5}"),                 # five of one thing against five of another
    ("{1,2}", "{840,NULL}", "{5,-5}"),
    ("{1,2,3}", "{840,NULL,840}", "{5,-10,5}"),
    ("{1,2}", "[0:1]={840,586}", "{5,-5}"),
    ("{1,2}", "[2:3]={840,586}", "{5,-5}"),
    ("{1,2}", "[9:10]={840,586}", "{5,-5}"),
    ("{1,2}", "{{840,586}}", "{5,-5}"),
    ("{1,2}", "{840,586}", "{5,-5}"),
    ("{}", "{}", "{5}"),
    ("{1,2,3,4,5,6,7,8,9,10}", "{840,840,840,840,840,840,840,840,840,840}", "{1,-1,1,-1,1,-1,1,-1,5,7}"),
    ("{1,2,3}", "{840,840,840}", "{9223372036854775807,9223372036854775807,2}"),   # zero, if sums were to wrap
))
def test_a_journal_in_no_shape_hides_that_it_is_not_zero(shared, accounts, ccys, minors):
    with pytest.raises(psycopg.errors.DataError if "807" in minors else (psycopg.errors.CheckViolation, psycopg.errors.FeatureNotSupported)):
        shared.db.execute(INSERT, (10**6, 10**6, shared.book, shared.principal, accounts, ccys, minors))


@pytest.mark.parametrize("accounts, ccys, minors", (
    ("{}", "{}", "{}"), ("{1,2}", "{840,840}", "{5,-5}"), ("{1,2,3,4}", "{840,840,586,586}", "{5,-5,7,-7}"),
    ("{1,2,3,4,5,6,7,8}", "{840,840,840,840,840,840,840,840}", "{1,1,1,1,1,1,1,-7}")))
def test_a_journal_that_is_zero_is_stored(shared, accounts, ccys, minors):
    with shared.db.transaction():
        shared.db.execute(INSERT, (10**6, 10**6, shared.book, shared.principal, accounts, ccys, minors))
        raise psycopg.Rollback


def test_copy_and_upsert_meet_the_same_guards(shared):
    with pytest.raises(psycopg.errors.CheckViolation), shared.db.cursor() as cursor:
        with cursor.copy("COPY journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor) FROM STDIN") as copy:
            copy.write(f"1000000\t1000000\t{shared.book}\t1\t8\t{{1,2}}\t{{840,840}}\t{{{{5,7}}}}\n")
    with pytest.raises(psycopg.Error) as raised:
        shared.db.execute("""INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor)
                             VALUES (1, 1, 1, 1, 8, '{}', '{}', '{}') ON CONFLICT (book_id, seq) DO UPDATE SET detail = 'x'""")
    assert raised.value.sqlstate == "UJ409"


@pytest.mark.parametrize("change", ("UPDATE currency SET digits = 0", "UPDATE journal_kind SET name = name || 'x'",
                                    "UPDATE policy_change SET value = 0", "DELETE FROM policy", "UPDATE rate SET pkr_e10 = 1", "DELETE FROM principal",
                                    "TRUNCATE book CASCADE", "TRUNCATE currency CASCADE"))
def test_what_money_is_counted_by_stays_as_it_is_even_without_triggers(shared, change):
    with pytest.raises(psycopg.Error) as raised, shared.db.transaction():
        shared.db.execute("SET LOCAL session_replication_role = replica")
        shared.db.execute(change)
    assert raised.value.sqlstate == "UJ409"


def commit(ledger, accounts, ccys, minors):
    db = ledger.db
    head = db.execute("SELECT seq, block_no, at FROM begin_block(%s)", (ledger.book,)).fetchone()
    db.execute(INSERT, (head[0], head[1], ledger.book, ledger.principal, accounts, ccys, minors))
    db.execute("SELECT close_block(%s, %s, %s, %s, %s)", (ledger.book, head[1], head[0], head[0], head[2]))


def test_a_line_is_in_the_currency_of_its_account(shared):
    float_usd, float_jpy = shared.account["float.USD"], shared.account["float.JPY"]
    for accounts, ccys in (([float_jpy, float_usd], [JPY, JPY]), ([float_usd, float_jpy], [USD, USD]), ([float_usd, float_usd], [JPY, JPY])):
        with pytest.raises(psycopg.errors.NotNullViolation), shared.db.transaction():
            commit(shared, accounts, ccys, [5, -5])
    check_books_are_sound(shared.db, shared.book)


@pytest.mark.parametrize("accounts", ("{%d,2000000}", "{%d,NULL}", "{NULL,%d}", "{0,%d}", "[0:1]={%d,NULL}", "{{%d,NULL}}"))
def test_a_line_is_on_an_account_of_the_book(shared, accounts):
    with pytest.raises(psycopg.errors.NotNullViolation), shared.db.transaction():
        commit(shared, accounts % shared.account["correspondent.USD"], [USD, USD], [5, -5])
    check_books_are_sound(shared.db, shared.book)


@pytest.mark.parametrize("step, state", ((1, 6), (1, 10), (2, 5), (2, 7), (3, 5), (2, 3), (1, 1), (1, 3), (1, 99)))
def test_a_step_that_no_payout_takes_cannot_be_stored(shared, step, state):
    (outcome,), (payout,) = shared.post([shared.draft(f"step-{step}-{state}", 1, price(1000, USD, 0, 0))])
    assert outcome == OK
    with pytest.raises(psycopg.errors.CheckViolation, match="steps_of_a_payout"):
        shared.db.execute("INSERT INTO payout_transition (book_id, payout_id, step, state, seq) VALUES (%s, %s, %s, %s, %s)",
                          (shared.book, payout, step, state, payout))


def test_a_bank_that_is_disconnected_gets_no_more_payouts(shared):
    beneficiary = shared.beneficiary("of-habb", "HABB")
    earlier = shared.draft("before", beneficiary, price(1000, USD, 0, 0))
    assert shared.post([earlier])[0] == [OK]
    shared.db.execute("UPDATE bank SET connected = false WHERE code = 'HABB'")
    try:
        new = shared.draft("after", beneficiary, price(1000, USD, 0, 0))
        other = shared.draft("other", shared.beneficiary("of-mucb", "MUCB"), price(1000, USD, 0, 0))
        carried = shared.draft("carried", 0, price(1000, USD, 0, 0), carried=shared.details("C", "HABB"))
        assert shared.post([new])[0] == [BANK_NOT_CONNECTED]
        assert shared.post([new, other, carried, earlier])[0] == [BANK_NOT_CONNECTED, OK, BANK_NOT_CONNECTED, DUPLICATE]
    finally:
        shared.one("SELECT connect_bank('HABB')")
    assert shared.post([new, earlier])[0] == [OK, DUPLICATE]


def test_an_update_that_was_made_is_answered_though_its_bank_is_gone(shared):
    update = lambda beneficiary, version, name, bank: shared.reason_of(lambda: shared.db.execute(
        "SELECT update_beneficiary(%s, %s, %s, %s, " + ARRAY_OF["beneficiary_draft"] + ")",
        (shared.book, shared.principal, beneficiary, version, json.dumps([shared.details(name, bank)]))))
    beneficiary = shared.beneficiary("moves", "MUCB")
    assert update(beneficiary, 1, "Moved", "HABB") == OK
    shared.db.execute("UPDATE bank SET connected = false WHERE code = 'HABB'")
    try:
        assert update(beneficiary, 1, "Moved", "HABB") == OK
        assert update(beneficiary, 2, "Moved again", "HABB") == BANK_NOT_CONNECTED
    finally:
        shared.one("SELECT connect_bank('HABB')")


def test_a_journal_by_nobody_known_is_still_shown_to_the_auditor(shared):
    seq, = shared.db.execute("SELECT seq FROM deposit_float(%s, 999999, 'USD', 5, 'by nobody')", (shared.book,)).fetchone()
    rows = shared.named("audit_journals", shared.book, seq - 1, 1, "-infinity", "infinity")
    assert [r[0] for r in rows] == [seq, seq] and "999999" in rows[0][4]


def test_the_present_is_not_before_what_was_committed_when_the_clock_steps_back(shared):
    with shared.db.transaction():
        shared.db.execute("UPDATE book_head SET last_commit_at = clock_timestamp() + interval '1 hour' WHERE book_id = %s", (shared.book,))
        last = shared.one("SELECT last_commit_at FROM book_head WHERE book_id = %s", shared.book)
        assert shared.named("audit_moment", shared.book)[0][0] >= last
        raise psycopg.Rollback


def test_rates_do_not_speak_of_the_future(shared):
    with shared.db.transaction():
        rate = shared.one("SELECT import_rates('FUTURE', '2099-01-01', '2099-01-01', 'f', sha256('future'), 't', NULL, '{840}', '{10}')")
        assert shared.one("SELECT as_of <= clock_timestamp() FROM rate_sheet WHERE rate_id = %s", rate)
        raise psycopg.Rollback


ROLES = ("ujrat_app", "ujrat_settle", "ujrat_sealer", "ujrat_hooks", "ujrat_auditor", "ujrat_operator")
MAY = {"ujrat_app": {"post_payouts", "cancel_payout", "create_quote", "register_beneficiary", "update_beneficiary", "hand_out",
                     "confirm_instructions", "return_payment", "reverse_return", "moment_past", "report_window", "answer_questions",
                     "submit_batch", "claim_unclaimed", "return_unclaimed", "cancel_unclaimed", "add_receiver", "remove_receiver", "register_claimant",
                     "create_webhook", "change_webhook", "simulate_webhook_event", "resend_webhook_events"},
       "ujrat_hooks": {"make_webhook_events", "webhook_books", "record_webhook_delivery", "disable_webhook", "add_webhook_key"},
       "ujrat_settle": {"hand_out", "confirm_instructions", "return_payment", "reverse_return", "hand_out_window", "open_first_window",
                        "close_window", "end_window", "report_window", "overdue_instructions", "ask", "note_status", "request_recall",
                        "answer_recall", "answer_questions", "raise_alert", "end_alert", "refresh_alerts", "check_taxes", "add_file_out", "add_file_in"},
       "ujrat_sealer": {"seal_blocks"},
       "ujrat_auditor": {"operators_now"},
       "ujrat_operator": {"open_book", "open_currency", "connect_bank", "add_principal", "set_principal_enabled", "deposit_float",
                          "import_rates", "open_terms", "propose_policy", "decide_policy", "add_log_key", "propose_adjustment", "decide_adjustment",
                          "erase_beneficiary", "rotate_pii", "fund_nostro", "plan_funding", "set_bank_terms", "record_calendar_day",
                          "set_float_low", "hand_out_window", "close_window", "end_window", "dispute_window", "propose_window_settled",
                          "approve_window_settled", "request_recall", "propose_return_reversal", "decide_return_reversal", "dismiss_alert",
                          "rotate_receivers", "enroll_operator", "confirm_operator", "revoke_operator", "operators_now",
                          "rotate_batch_items", "add_rest_credential", "set_rest_credential", "add_receiver", "remove_receiver", "change_webhook",
                          "resend_webhook_events", "import_sanctions", "place_hold", "decide_hold", "withdraw_hold_decision"}}
READS = {"current_balance", "payout_state", "order_number", "handed_out_upto", "bank_payouts_after", "digit_factor", "block_upto",
         "working_day", "bank_exposure", "hand_out_room", "bank_waiting", "bank_position", "bank_forecast", "window_parts", "window_totals",
         "windows_of_bank", "windows_to_end", "alerts_due", "shown_amount", "open_questions", "recall_is_over", "instruction_id", "handed_out_at",
         "handed_out_by", "returned_amount", "rules_in_force", "policy_at", "policy_time_text"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_it_is_for_and_no_more(shared, role):
    db = shared.db
    functions = {n for n, in db.execute("""SELECT proname FROM pg_proc WHERE pronamespace = 'ujrat'::regnamespace
                                            AND has_function_privilege(%s, oid, 'EXECUTE')""", (role,))}
    assert functions == MAY[role] | (set() if role == "ujrat_hooks" else READS)
    assert db.execute("""SELECT relname FROM pg_class WHERE relnamespace = 'ujrat'::regnamespace AND relkind IN ('r', 'v', 'S', 'p')
                          AND CASE relkind WHEN 'S' THEN has_sequence_privilege(%(role)s, oid, 'USAGE, UPDATE')
                              ELSE has_table_privilege(%(role)s, oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                                OR has_any_column_privilege(%(role)s, oid, 'INSERT, UPDATE, REFERENCES') END""",
                      {"role": role}).fetchall() == []
    assert not shared.one("SELECT has_schema_privilege(%s, 'ujrat', 'CREATE')", role)
    assert not shared.one("SELECT pg_has_role(%s, 'ujrat_owner', 'MEMBER')", role)


def test_a_function_that_acts_with_the_owners_rights_looks_only_in_the_schema(shared):
    assert shared.db.execute("""SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'ujrat'::regnamespace AND prosecdef
                                 AND NOT coalesce(proconfig, '{}') @> '{"search_path=ujrat, pg_temp"}'""").fetchall() == []


def test_a_function_that_is_made_later_is_nobodys_until_it_is_granted(shared):
    with shared.db.transaction():
        shared.db.execute("SET LOCAL ROLE ujrat_owner")
        shared.db.execute("CREATE FUNCTION later() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
        for role in ROLES:
            assert not shared.one("SELECT has_function_privilege(%s, 'later()', 'EXECUTE')", role)
        raise psycopg.Rollback
