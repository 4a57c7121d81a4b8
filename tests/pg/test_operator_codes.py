"""Operators' second factor: which codes are good, how often, and what stays of those that are not."""
import threading
import time

import psycopg
import pytest

from harness import Operator, totp, unique

REQUIRED, WRONG, LOCKED, USED, FORBIDDEN, CONFLICT, DISABLED, OK = 504, 505, 506, 507, 502, 409, 501, 0

# RFC 6238, appendix B: SHA-1, secret, seconds since 1970 and eight digits of the code
VECTORS = [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"), (2000000000, "69279037"),
           (20000000000, "65353130")]


@pytest.fixture(scope="module", autouse=True)
def prover(database):
    """prove(code), as a function of another piece would begin: for any operator to call."""
    with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as db:
        db.execute("""CREATE FUNCTION prove(p_code text) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS
                      $$ BEGIN RETURN prove_operator(p_code, 'test'); END $$; ALTER FUNCTION prove OWNER TO ujrat_owner;
                      GRANT EXECUTE ON FUNCTION prove TO ujrat_operator""")


@pytest.fixture
def anna(database):
    return Operator(database, unique("anna"))


@pytest.fixture
def bilal(database):
    return Operator(database, unique("bilal"))


def reason_of(connection, sql, *values):
    try:
        connection.execute("SELECT " + sql, values)
        return OK
    except psycopg.Error as e:
        assert e.sqlstate.startswith("UJ"), e
        return int(e.sqlstate[2:])


def prove(who, code):
    with who.session() as db:
        return reason_of(db, "prove(%s)", code)


def wrong(who):
    """A code that none of those around now is."""
    good = {totp(who.secret, time.time() + 30 * n) for n in range(-4, 5)}
    return next(c for c in ("000000", "000001", "000002", "000003", "000004", "000005", "000006", "000007", "000008", "000009") if c not in good)


def acts(db, who):
    return [a for a, in db.execute("SELECT act FROM operator_act WHERE principal_id = %s ORDER BY act_no", (who.id,))]


def at_start_of_step():
    """Not so near a step's end that the next one begins before the database has looked."""
    while time.time() % 30 > 25:
        time.sleep(0.2)
    return time.time()


@pytest.mark.parametrize("at,code", VECTORS)
def test_the_standards_examples_come_out(db, at, code):
    secret = b"12345678901234567890"
    assert totp(secret, at, 8) == code
    assert db.execute("SELECT totp_code(%s, %s)", (secret, at // 30)).fetchone() == (code[2:],)


def test_a_code_is_good_once(anna):
    code = anna.code()
    assert prove(anna, code) == OK
    assert prove(anna, code) == USED


def test_a_code_is_used_up_though_what_it_was_for_is_rolled_back(anna):
    code = anna.code()
    with anna.session() as db:
        db.execute("BEGIN")
        assert reason_of(db, "prove(%s)", code) == OK
        db.execute("ROLLBACK")
        assert reason_of(db, "prove(%s)", code) == USED


def test_an_earlier_code_is_not_good_after_a_later_one(anna):
    now = at_start_of_step()
    later, earlier = anna.code(now), totp(anna.secret, now - 30)
    assert prove(anna, later) == OK
    assert prove(anna, earlier) == USED


@pytest.mark.parametrize("steps,answer", [(-2, WRONG), (-1, OK), (0, OK), (1, OK), (2, WRONG)])
def test_a_clock_may_be_one_step_off_and_no_more(anna, steps, answer):
    assert prove(anna, anna.code(at_start_of_step() + 30 * steps)) == answer


def test_a_code_of_another_operator_is_wrong(anna, bilal):
    assert prove(anna, bilal.code()) == WRONG
    assert prove(bilal, bilal.code()) == OK


@pytest.mark.parametrize("code", [None, "", "12345", "1234567", "12345a", "٠١٢٣٤٥", "123456\n"])
def test_what_is_no_code_is_refused_and_does_not_count(db, anna, code):
    assert prove(anna, code) == REQUIRED
    assert db.execute("SELECT failures FROM operator_failures(%s)", (anna.id,)).fetchone() == (0,)


def test_two_at_once_with_one_code_and_one_wins(anna):
    code, answers, start = anna.code(), [], threading.Barrier(8)

    def show():
        with anna.session() as db:
            start.wait()
            answers.append(reason_of(db, "prove(%s)", code))

    threads = [threading.Thread(target=show) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(answers) == [OK] + [USED] * 7


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
def test_an_old_snapshot_does_not_make_a_used_code_good(anna, isolation):
    code = anna.code()
    with anna.session() as one, anna.session() as two:
        one.execute("BEGIN ISOLATION LEVEL " + isolation)
        one.execute("SELECT uri FROM principal").fetchall()
        assert reason_of(two, "prove(%s)", code) == OK
        with pytest.raises(psycopg.Error) as e:
            one.execute("SELECT prove(%s)", (code,))
        assert e.value.sqlstate in ("UJ507", "40001")


def test_five_wrong_codes_lock_whatever_is_rolled_back(db, anna):
    bad = wrong(anna)
    with anna.session() as session:
        for n in range(5):
            session.execute("BEGIN")
            assert reason_of(session, "prove(%s)", bad) == WRONG, n
            session.execute("ROLLBACK")
        good = anna.code()
        assert reason_of(session, "prove(%s)", good) == LOCKED
    assert db.execute("SELECT state, failures, locked_until > now() + interval '14 minutes' FROM operators_now() WHERE uri LIKE %s",
                      ("%" + anna.login.replace("_", "-"),)).fetchone() == ("LOCKED", 5, True)
    # a quarter of an hour later
    db.execute("SELECT setval('operator_%d_failed', ((extract(epoch FROM now())::bigint - 899) << 3) | 5)" % anna.id)
    assert prove(anna, good) == LOCKED
    db.execute("SELECT setval('operator_%d_failed', ((extract(epoch FROM now())::bigint - 901) << 3) | 5)" % anna.id)
    assert prove(anna, good) == OK
    # and what was rolled back is on record now
    assert acts(db, anna) == ["ENROLLED", "CONFIRMED", "FAILED", "PROVED"]
    what, = db.execute("SELECT what FROM operator_act WHERE principal_id = %s AND act = 'FAILED'", (anna.id,)).fetchone()
    assert what.startswith("5 in a row, the last at 20")


def test_a_good_code_begins_the_count_anew(db, anna):
    for _ in range(2):
        for _ in range(4):
            assert prove(anna, wrong(anna)) == WRONG
        assert prove(anna, anna.code()) == OK
    assert db.execute("SELECT failures FROM operator_failures(%s)", (anna.id,)).fetchone() == (0,)


def test_a_used_code_is_refused_and_does_not_count(db, anna):
    code = anna.code()
    assert prove(anna, code) == OK
    assert prove(anna, wrong(anna)) == WRONG
    for _ in range(6):
        assert prove(anna, code) == USED
    assert db.execute("SELECT failures FROM operator_failures(%s)", (anna.id,)).fetchone() == (1,)


def test_wrong_codes_at_once_are_all_counted(db, anna):
    bad, answers = wrong(anna), []

    def show():
        with anna.session() as session:
            answers.append(reason_of(session, "prove(%s)", bad))

    threads = [threading.Thread(target=show) for _ in range(9)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(answers) == [WRONG] * 5 + [LOCKED] * 4


def test_who_has_not_enrolled_or_not_confirmed_is_told_what_to_do(db, database):
    login = unique("new")
    db.execute("CREATE ROLE %s LOGIN IN ROLE ujrat_operator" % login)
    with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as session:
        session.execute("SET SESSION AUTHORIZATION " + login)
        with pytest.raises(psycopg.Error, match="enrol first: ujrat operator enroll") as e:
            session.execute("SELECT prove('123456')")
        assert e.value.sqlstate == "UJ504"
        assert reason_of(session, "confirm_operator('123456')") == REQUIRED
        first, = session.execute("SELECT enroll_operator()").fetchone()
        with pytest.raises(psycopg.Error, match="first: ujrat operator confirm"):
            session.execute("SELECT prove(%s)", (totp(first),))
        second, = session.execute("SELECT enroll_operator()").fetchone()
        assert first != second and len(first) == len(second) == 20
        assert reason_of(session, "confirm_operator(%s)", totp(first)) == WRONG
        code = totp(second)
        assert session.execute("SELECT confirm_operator(%s)", (code,)).fetchone() == (True,)
        assert session.execute("SELECT confirm_operator('000000')").fetchone() == (False,)
        assert reason_of(session, "prove(%s)", code) == USED
        assert reason_of(session, "enroll_operator()") == CONFLICT
    assert db.execute("SELECT count(*), count(secret) FROM operator_totp t JOIN principal p USING (principal_id) WHERE uri LIKE %s",
                      ("%" + login.replace("_", "-"),)).fetchone() == (2, 1)


def test_a_disabled_operator_proves_nothing(db, anna):
    db.execute("SELECT set_principal_enabled('ujrat://operator/%s', false)" % anna.login.replace("_", "-"))
    assert prove(anna, anna.code()) == DISABLED


def revoke(who, whom, code=..., reason="lost"):
    with who.session() as db:
        return db.execute("SELECT revoke_operator(%s, %s, %s)", (whom.login, reason, who.code() if code is ... else code)).fetchone()[0]


def test_two_other_operators_revoke_and_the_old_secret_is_worth_nothing(db, database, anna, bilal):
    chand = Operator(database, unique("chand"))
    for code, answer in ((None, REQUIRED), (wrong(anna), WRONG)):
        with anna.session() as session:
            assert reason_of(session, "revoke_operator(%s, 'x', %s)", chand.login, code) == answer
    with chand.session() as session:
        assert reason_of(session, "revoke_operator(%s, 'x', %s)", chand.login, chand.code()) == FORBIDDEN
        assert reason_of(session, "revoke_operator('nobody', 'x', %s)", chand.code()) == CONFLICT
    assert not revoke(anna, chand) and not revoke(anna, chand)
    assert prove(chand, chand.code()) == OK
    assert revoke(bilal, chand)
    assert prove(chand, chand.code()) == REQUIRED
    assert db.execute("SELECT secret FROM operator_totp WHERE principal_id = %s", (chand.id,)).fetchall() == [(None,)]
    assert acts(db, chand) == ["ENROLLED", "CONFIRMED", "REVOCATION_PROPOSED", "PROVED", "REVOKED"]
    again = Operator(database, chand.login)
    assert again.secret != chand.secret and prove(again, again.code()) == OK
    assert not revoke(anna, again), "the first one's word was about the enrolment before"


def test_an_administrator_revokes_alone(db, database, anna):
    assert prove(anna, anna.code()) == OK
    assert db.execute("SELECT revoke_operator(%s, 'lost')", ("ujrat://operator/" + anna.login.replace("_", "-"),)).fetchone() == (True,)
    assert prove(anna, anna.code()) == REQUIRED
    assert db.execute("SELECT ended_by FROM operator_totp WHERE principal_id = %s", (anna.id,)).fetchone() == ("postgres",)
    again = Operator(database, anna.login)      # at once: what was used was the old secret's
    with again.session() as session:
        assert reason_of(session, "prove(%s)", totp(again.secret)) == USED


def test_nobody_but_the_owner_sees_a_secret_or_moves_a_register(anna, db):
    for login in ("ujrat_app", "ujrat_settle", "ujrat_sealer", "ujrat_hooks", "ujrat_auditor", anna.login):
        with psycopg.connect(anna.uri, autocommit=True, options="-c search_path=ujrat") as session:
            session.execute('SET SESSION AUTHORIZATION "%s"' % login)
            for statement in ("SELECT secret FROM operator_totp", "SELECT * FROM operator_%d_failed" % anna.id, "SELECT nextval('operator_%d_used')" % anna.id,
                              "SELECT setval('operator_%d_failed', 0)" % anna.id, "SELECT totp_code('x', 1)", "SELECT prove_operator('123456')",
                              "SELECT take_code(1, 'x', '123456')", "SELECT random_secret()"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(statement)
            assert session.execute("SELECT pg_sequence_last_value(s) FROM (SELECT NULL::regclass AS s) x").fetchone() == (None,)
    assert db.execute("SELECT count(*) FROM operator_act WHERE what LIKE '%%' || %s || '%%'", (anna.secret.hex(),)).fetchone() == (0,)
