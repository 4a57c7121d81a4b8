"""Windows while several hand out from several books at once, and while those who close them are killed."""
import random
import threading
import time

import pytest

from settle_model import *

CODES = ("CAAK", "CBBK", "CCCK", "CDDK", "CEEK", "CFFK", "CGGK", "CHHK")
unused = iter(CODES)
BOOKS = 3
ROUNDS = 12


def connect(database):
    return psycopg.connect(database, autocommit=True, options="-c search_path=ujrat")


@pytest.fixture(scope="module")
def books(database):
    with connect(database) as db:
        made = [Ledger(db, f"book{n}", banks=CODES, currencies=(USD,)) for n in range(BOOKS)]
        for ledger in made:
            assert ledger.deposit(USD, 100_000_000_00, "dep") == OK
        yield made


@pytest.fixture
def bank(books):
    made = Bank(books[0].db, next(unused), books)
    yield made
    check_settlement_is_sound(made.db)
    check_books_are_sound(made.db)


def clone(bank, db):
    """The same bank and books, over a connection of its own."""
    ledgers = []
    for ledger in bank.books:
        mine = Ledger.__new__(Ledger)
        mine.__dict__ = {**ledger.__dict__, "db": db, "prepared": set()}
        ledgers.append(mine)
    copy = Bank.__new__(Bank)
    copy.__dict__ = {**bank.__dict__, "db": db, "books": ledgers}
    return copy


def at_once(database, bank, *jobs):
    """Runs each job(bank of its own) in a thread; what one raises is raised."""
    faults = []

    def run(job):
        try:
            with connect(database) as db:
                job(clone(bank, db))
        except Exception as e:
            faults.append(e)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if faults:
        raise faults[0]


def open_window(bank):
    return bank.one("SELECT window_no FROM bank_head WHERE bank_id = %s", bank.id)


def wait_for(condition):
    while not condition():
        time.sleep(0.005)


def until_all_is_told(n):
    """Rounds, each no earlier than a window later than the one before: hand-outs and closings run side by side to the end."""
    def job(bank):
        ledger = bank.books[n]
        for k in range(ROUNDS):
            wait_for(lambda: open_window(bank) >= k)
            pay(ledger, bank.code, [random.randint(10, 500) for _ in range(4)], stem=f"{bank.code}-{k}")
            while bank.stream(ledger, 3)["moved"]:
                pass
    return job


def test_a_window_that_closes_among_hand_outs_of_several_books_holds_exactly_its_own(database, bank):
    bank.terms()
    bank.open()
    seen = []

    def closer(bank):
        for window in range(1, ROUNDS + 1):
            wait_for(lambda: bank.one("SELECT coalesce(sum(instructions), 0) FROM handout WHERE bank_id = %s", bank.id) >= 4 * window)
            mine = bank.close(window)
            seen.append((window, mine["instructions"], mine["amount"]))

    at_once(database, bank, *[until_all_is_told(n) for n in range(BOOKS)], closer, closer)
    # Two closed every window: both were answered the same, and what was answered is what the window holds.
    assert len(seen) == 2 * ROUNDS and len(set(seen)) == ROUNDS
    for window, n, amount in set(seen):
        totals = bank.totals(window)
        assert (totals["instructed_count"], totals["instructed_amount"]) == (n, amount)
    told = [bank.totals(w)["instructed_count"] for w in range(1, ROUNDS + 2)]
    assert sum(told) == BOOKS * ROUNDS * 4 and sum(1 for n in told if n) > 1


def test_the_cap_is_never_passed_and_is_used_up(database, bank):
    cap = 20 * net_of(100) + 7
    bank.terms(cap=cap)
    bank.open()
    for ledger in bank.books:
        pay(ledger, bank.code, [100] * 30)
    stop, worst = threading.Event(), []

    def tell(n):
        def job(bank):
            for _ in range(30):
                bank.stream(bank.books[n], 2)
        return job

    def answer(bank):
        for _ in range(20):
            for ledger in bank.books:
                for payout, net in bank.pending(ledger)[:2]:
                    bank.answer(ledger, payout, net, random.choice((SETTLED, REJECTED)))

    def look(bank):
        while not stop.is_set():
            worst.append(bank.position()["exposure"])

    watcher = threading.Thread(target=at_once, args=(database, bank, look))
    watcher.start()
    at_once(database, bank, *[tell(n) for n in range(BOOKS)], *[tell(n) for n in range(BOOKS)], answer)
    stop.set()
    watcher.join()
    assert max(worst) <= cap
    # Whatever room there is is used to the last instruction that fits.
    for ledger in bank.books:
        bank.stream(ledger)
    assert cap - net_of(100) < bank.position()["exposure"] <= cap


def test_two_who_report_or_ask_at_once_do_it_once(database, bank):
    ledger = bank.books[0]
    bank.terms()
    bank.open()
    ids = pay(ledger, bank.code, [100] * 5)
    bank.stream(ledger)
    bank.close(1)
    asked = []

    def ask(bank):
        asked.append(bank.ask(bank.books[0], ids, before="clock_timestamp() - interval '1 hour'"))

    at_once(database, bank, *[ask] * 4)
    assert sorted(a[0] is None for a in asked) == [False, True, True, True]
    assert bank.one("SELECT count(*) FROM inquiry WHERE bank_id = %s", bank.id) == 5
    bank.answer_all(ledger)
    at_once(database, bank, *[lambda bank: bank.report(1, 5, 5 * net_of(100), 0, 0)] * 4, *[lambda bank: bank.end(1, "1 hour")] * 4)
    assert bank.window(1)["state"] == "SETTLED"
    assert bank.one("SELECT count(*) FROM window_end WHERE bank_id = %s", bank.id) == 1
    assert bank.one("SELECT count(*) FROM window_report WHERE bank_id = %s", bank.id) <= 1


def test_answers_and_the_search_for_overdue_ones_meet_without_a_deadlock(database, bank):
    bank.terms()
    bank.open()
    for ledger in bank.books:
        pay(ledger, bank.code, [100] * 60)
        bank.stream(ledger)

    def answer(n):
        def job(bank):
            for payout, net in bank.pending(bank.books[n]):
                bank.answer(bank.books[n], payout, net)
        return job

    def search(bank):
        for _ in range(15):
            for book, payout, *_ in bank.overdue(limit=10):
                ledger = next(l for l in bank.books if l.book == book)
                bank.ask(ledger, [payout])
            bank.rows("SELECT refresh_alerts()")

    at_once(database, bank, *[answer(n) for n in range(BOOKS)], search, search)
    assert bank.overdue() == [] and bank.questions() == []


# ------------------------------------------------------------------ kills
@pytest.mark.parametrize("moment", ("window_closing", "window_book", "settlement_window", "bank_head"))
def test_who_is_killed_while_closing_leaves_the_old_state_or_the_new(database, bank, moment):
    """The backend that closes is stopped right after it wrote one of its rows (by a trigger that waits), and killed there."""
    ledger = bank.books[0]
    bank.terms()
    bank.open()
    pay(ledger, bank.code, [100, 200])
    bank.stream(ledger)
    before = bank.totals(1)
    bank.db.execute("""CREATE OR REPLACE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS
                       $$ BEGIN PERFORM pg_advisory_lock(77); RETURN NULL; END $$""")
    bank.db.execute(f"CREATE TRIGGER wait_here AFTER INSERT OR UPDATE ON {moment} FOR EACH ROW EXECUTE FUNCTION wait_here()")
    try:
        with connect(database) as holder:
            holder.execute("SELECT pg_advisory_lock(77)")
            killed = []

            def close():
                try:
                    with connect(database) as db:
                        clone(bank, db).close(1)
                except psycopg.OperationalError as e:
                    killed.append(e)

            thread = threading.Thread(target=close)
            thread.start()
            for _ in range(500):
                pid = bank.db.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted").fetchone()
                if pid:
                    break
                time.sleep(0.01)
            bank.db.execute("SELECT pg_terminate_backend(%s)", pid)
            thread.join()
            assert killed
    finally:
        bank.db.execute(f"DROP TRIGGER wait_here ON {moment}")
    assert bank.window(1)["state"] == "OPEN" and bank.totals(1) == before
    assert bank.one("SELECT count(*) FROM window_closing WHERE bank_id = %s", bank.id) == 0
    assert bank.stream(ledger)["moved"] is False and bank.close(1)["instructions"] == 2 and bank.window(2)["state"] == "OPEN"
