"""Many at once on one book: what must hold at every moment, and of every moment afterwards."""
import random
import threading
import time

import psycopg
import pytest

from ledger_model import *

WORKERS = 8
SECONDS, LOOKS = 4, 20


def connect(database):
    return psycopg.connect(database, autocommit=True, options="-c search_path=ujrat")


@pytest.fixture(scope="module")
def shared(database):
    with connect(database) as db:
        ledger = Ledger(db, "rush")
        assert ledger.deposit(USD, 5_000_00, "dep") == OK
        for bank in ledger.bank:
            ledger.beneficiary(f"ben-{bank}", bank)
        yield ledger


def rush(database, shared, seed, enough, accepted, faults):
    rnd = random.Random(seed)
    try:
        with connect(database) as db:
            mine = Ledger.__new__(Ledger)
            mine.__dict__ = {**shared.__dict__, "db": db, "prepared": set()}
            ids = []
            while not enough.is_set():
                kind = rnd.random()
                if kind < 0.6:
                    drafts = [mine.draft(f"r{seed}-{rnd.randint(1, 10**6)}", rnd.randint(1, 3),
                                         price(rnd.randint(100, 20000), USD, 30, 150)) for _ in range(rnd.randint(1, 5))]
                    outcome, got = mine.post(drafts)
                    assert set(outcome) <= {OK, INSUFFICIENT_FLOAT, DUPLICATE}, outcome
                    ids += [i for o, i in zip(outcome, got) if o == OK]
                elif kind < 0.8 and ids:
                    assert mine.cancel(ids.pop(rnd.randrange(len(ids)))) in (OK, STATE_CONFLICT)
                elif kind < 0.82:
                    mine.hand_out(rnd.choice(list(mine.bank)), 3)
                elif ids:
                    payout = rnd.choice(ids)
                    bank, net = db.execute("SELECT bank_code, net FROM payout_now WHERE book_id = %s AND payout_id = %s",
                                           (mine.book, payout)).fetchone()
                    verdict, = mine.confirm(bank, [{"payout_id": payout, "state": REJECTED, "ccy": PKR, "amount": net,
                                                    "bank_reference": None, "tax_withheld": None, "eprc_number": None, "reason_code": "AC04"}])
                    assert verdict in (OK, DUPLICATE, INSTRUCTION_NOT_FOUND)
            accepted.append(len(ids))
    except Exception as e:  # a thread's own would be lost
        faults.append(e)


def test_float_never_goes_below_zero_and_the_past_stays_the_past(database, shared):
    enough, accepted, faults, looks = threading.Event(), [], [], []
    threads = [threading.Thread(target=rush, args=(database, shared, n, enough, accepted, faults)) for n in range(WORKERS)]
    for t in threads:
        t.start()
    with connect(database) as db:
        auditor = Ledger.__new__(Ledger)
        auditor.__dict__ = {**shared.__dict__, "db": db, "prepared": set()}
        until = time.monotonic() + SECONDS
        try:
            while (time.monotonic() < until or len(looks) < LOOKS) and not faults:
                (moment,), = auditor.named("audit_moment", shared.book)
                looks.append((moment, auditor.named("audit_trial_balance", shared.book, moment)))
                assert sum(r[4] for r in looks[-1][1] if r[3] == USD) == 0
                time.sleep(0.01)
        finally:
            enough.set()
            for t in threads:
                t.join()
        assert faults == []
        assert sum(accepted) > 0
        for moment, then in looks:
            assert auditor.named("audit_trial_balance", shared.book, moment) == then
        check_books_are_sound(db, shared.book)


def test_time_of_a_block_is_read_after_the_wait_for_its_lock(database, shared):
    with psycopg.connect(database, options="-c search_path=ujrat") as holder, connect(database) as db:
        holder.execute("SELECT 1 FROM book_head WHERE book_id = %s FOR UPDATE", (shared.book,))
        at = []
        waiter = threading.Thread(target=lambda: at.append(db.execute("SELECT at FROM begin_block(%s)", (shared.book,)).fetchone()[0]))
        waiter.start()
        time.sleep(0.3)
        released = holder.execute("SELECT clock_timestamp()").fetchone()[0]
        holder.rollback()
        waiter.join()
        assert at[0] > released


def test_float_that_goes_below_zero_cannot_be_stored(database, shared):
    with psycopg.connect(database, options="-c search_path=ujrat") as db:
        head = db.execute("SELECT seq, block_no, at FROM begin_block(%s)", (shared.book,)).fetchone()
        amount = 10**12
        db.execute("""INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor)
                      VALUES (%s, %s, %s, %s, 8, %s, '{840,840}', %s)""",
                   (head[0], head[1], shared.book, shared.principal,
                    [shared.account["float.USD"], shared.account["correspondent.USD"]], [amount, -amount]))
        with pytest.raises(psycopg.errors.CheckViolation, match="float_not_below_zero"):
            db.execute("SELECT close_block(%s, %s, %s, %s, %s)", (shared.book, head[1], head[0], head[0], head[2]))


@pytest.mark.parametrize("table", ("journal", "block", "account_balance", "payout", "payout_transition", "handout", "float_deposit"))
@pytest.mark.parametrize("change", ("UPDATE {} SET book_id = book_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"))
def test_what_is_written_stays_written(database, shared, table, change):
    with connect(database) as db, pytest.raises(psycopg.Error) as raised:
        db.execute(change.format(table))
    assert raised.value.sqlstate == "UJ409"


@pytest.mark.parametrize("lines", (
    ([1, 2], [840, 840], [5, -4]),                # does not sum to zero
    ([1, 2], [840, 978], [5, -5]),                # zero together, not by currency
    ([1, 2, 3], [840, 978, 392], [5, -10, 5]),    # a third currency
    ([1, 2], [840, 840], [0, 0]),                 # says nothing
    ([1], [840, 840], [5, -5]),                   # an account is missing
    ([1] * 9, [840] * 9, [8] + [-1] * 8),         # more than the checks add up
))
def test_journal_that_is_not_zero_in_every_currency_cannot_be_stored(database, shared, lines):
    with connect(database) as db, pytest.raises(psycopg.errors.CheckViolation):
        db.execute("""INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor)
                      VALUES (1000000, 1000000, %s, %s, 8, %s, %s::int2[], %s::int8[])""", (shared.book, shared.principal, *lines))
