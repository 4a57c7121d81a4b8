"""Plans that a session made while tables were analysed and all but empty: they must do when the tables are full.

How many rows were read is counted, table by table, in PostgreSQL's own statistics; nothing is timed.
"""
import contextlib

import pytest

from harness import new_database
from settle_model import *

FEW, MANY = 12, 4000
AMOUNT = 1000
SETTLEMENT = ("payout_transition", "handout", "inquiry_open", "payment_return", "settlement_alert")
OPTIONS = "-c search_path=ujrat"
SESSION = OPTIONS + " -c enable_seqscan=off"      # of the gateway and of ujrat-settle: ledger/pgconn.c, settle/db.c


@pytest.fixture
def connect(cluster):
    """connect(options): to a ledger that nobody has used."""
    with contextlib.ExitStack() as open_:
        yield lambda options: open_.enter_context(psycopg.connect(new_database(cluster).uri(), autocommit=True, options=options))


def rows_read(db):
    db.execute("SELECT pg_stat_force_next_flush()")
    with psycopg.connect(db.info.dsn, password=db.info.password, autocommit=True, options="-c search_path=ujrat") as other:
        read = other.execute("""
            SELECT relname, coalesce(seq_tup_read, 0) + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes i WHERE i.relid = t.relid)
              FROM pg_stat_user_tables t WHERE schemaname = 'ujrat'""").fetchall()
    return {name: int(n) for name, n in read}


def turn(bank, ledger, reference):
    """One payout's life, and a few questions about it."""
    payout, = pay(ledger, bank.code, [AMOUNT])
    bank.stream(ledger)
    bank.overdue()
    bank.ask(ledger, [payout])
    bank.one("SELECT note_status(%s::int2, %s, %s, 'BLCK', NULL)", bank.id, ledger.book, payout)
    assert bank.answer(ledger, payout, net_of(AMOUNT)) == OK
    bank.rows("SELECT refresh_alerts()")
    give = net_of(AMOUNT) // 4
    assert ledger.give_back(bank.code, payout, PKR, give, 0, "AC04", reference) == (OK, PARTLY_RETURNED, give)
    assert ledger.take_back(bank.code, payout, reference, "AC04", reference + "-back") == (OK, SETTLED, 0)
    return payout


def look(ledger, payout, seq):
    """What is asked of a payout by whoever reads: statements of ledger/sql."""
    assert ledger.one("SELECT state FROM payout_now WHERE book_id = %s AND payout_id = %s", ledger.book, payout) == SETTLED
    ledger.named("settlement_watch", ledger.book, 1, payout - 1, 5)
    ledger.named("payout_watch", ledger.book, seq, 0, 5)
    ledger.named("settle_file_page", ledger.book, 1, payout - 1, payout, 5)
    ledger.named("seal_transitions", ledger.book, seq, seq + 5)
    ledger.named("log_journals", ledger.book, payout, 0)
    ledger.named("audit_payout_trail", ledger.book, payout)


def rows_of_a_turn(bank, ledger, reference, reads):
    before = rows_read(ledger.db)
    payout = turn(bank, ledger, reference)
    if reads:
        look(ledger, payout, ledger.one("SELECT seq FROM payout_transition WHERE book_id = %s AND payout_id = %s AND step = 1", ledger.book, payout))
    after = rows_read(ledger.db)
    return {table: after[table] - before[table] for table in after}


@pytest.mark.parametrize("options", (OPTIONS, SESSION))
def test_plans_of_an_empty_ledger_do_for_a_full_one(connect, options):
    """The functions by themselves, and statements as well in a session as our programs have it."""
    db = connect(options)
    ledger = Ledger(db, "one", banks=("MUCB",), currencies=(USD,))
    bank = Bank(db, "MUCB", [ledger])
    assert ledger.deposit(USD, 10_000_000_00, "dep") == OK
    db.execute("ANALYZE")
    for i in range(FEW):        # more than the five after which a plan is kept
        small = rows_of_a_turn(bank, ledger, f"few-{i}", reads=options is SESSION)
    for _ in range(MANY // 1000):
        pay(ledger, "MUCB", [AMOUNT] * 1000)
        bank.stream(ledger)
        assert set(ledger.confirm("MUCB", [{"payout_id": p, "state": SETTLED, "ccy": PKR, "amount": net, "bank_reference": f"B{p}"}
                                           for p, net in bank.pending(ledger)])) == {OK}
    assert db.execute("SELECT count(*) FROM payout_transition WHERE book_id = %s AND step = 1", (ledger.book,)).fetchone()[0] == MANY + FEW
    turn(bank, ledger, "again")     # passes over those that were answered, once
    large = rows_of_a_turn(bank, ledger, "many", reads=options is SESSION)
    assert all(large[table] < small[table] + MANY / 10 for table in SETTLEMENT), {t: (small[t], large[t]) for t in SETTLEMENT}


def test_a_foreign_key_to_a_step_goes_by_its_key(connect):
    """What PostgreSQL itself asks when a return is written, which nobody here can phrase."""
    session = connect(SESSION)
    session.execute("ANALYZE")
    session.execute("SET plan_cache_mode = force_generic_plan")
    session.execute("PREPARE fk AS SELECT 1 FROM ONLY payout_transition x WHERE book_id = $1 AND payout_id = $2 AND step = $3 FOR KEY SHARE OF x")
    plan = "\n".join(r for r, in session.execute("EXPLAIN EXECUTE fk(1, 2, 3)").fetchall())
    assert "step = $3" in plan and "Index Cond: ((book_id = $1) AND (payout_id" in plan, plan
    by_seq = "\n".join(r for r, in session.execute("EXPLAIN SELECT * FROM payout_transition WHERE book_id = 1 AND seq = 5 AND seq > 0").fetchall())
    assert "seq = 5" in by_seq and "Filter" not in by_seq, by_seq
