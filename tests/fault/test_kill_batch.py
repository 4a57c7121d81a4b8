"""Backends that die in the middle of a batch, of claims, of returns: each is made whole, or not at all."""
import os
import pathlib
import signal
import sys
import threading
import time

import psycopg
import pytest

from harness import new_database, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "pg"))
from ledger_model import *
from test_batches import FLOAT, connect, late, small


@pytest.mark.parametrize("what", ("submit", "claim", "return"))
@pytest.mark.seconds_max(300)
def test_a_backend_killed_anywhere_leaves_all_or_nothing(own_cluster, what):
    """kill -9 of the backend in the middle: PostgreSQL restarts, and the call was made whole or not at all. The first is let live, to
    see how long it takes."""
    database = new_database(own_cluster).uri()
    admin = connect(database)
    l = Ledger(admin, "killed")
    assert l.deposit(USD, FLOAT, "dep") == OK
    to = l.beneficiary("b", "MUCB")
    l.credential()
    n, rounds, made, seconds = 300, 5, 0, None
    for round in range(rounds):
        name = f"{what}{round}"
        drafts = [l.nobody(f"{name}-{i}", 100, USD) if what != "submit" or i % 2 else l.draft(f"{name}-{i}", to, small(100)) for i in range(n)]
        items = [l.item(f"k{i}@x") if d.get("beneficiary_id") is None else l.item() for i, d in enumerate(drafts)]
        ids = []
        if what != "submit":
            r = l.submit_batch(drafts, items, name)
            ids = [row[2] for row in l.items_of(r[1]).values()]
            for i in range(n if round == 0 and what == "claim" else 0):
                l.add_receiver(to, f"k{i}@x")
            if what == "return":
                late(l, ids)
        before = {t: l.one(f"SELECT count(*) FROM {t} WHERE book_id = %s", l.book) for t in ("payout", "payout_batch", "unclaimed", "unclaimed_end")}
        victim = connect(database)
        pid = victim.info.backend_pid
        begun = time.monotonic()
        timer = threading.Timer((seconds or 0) * round / rounds, lambda: os.kill(pid, signal.SIGKILL))
        if round > 0:
            timer.start()
        try:
            if what == "submit":
                l.submit_batch(drafts, items, name, db=victim)
            elif what == "claim":
                l.claim(ids, [l.draft(d["reference"], to, small(100)) for d in drafts], victim)
            else:
                l.return_unclaimed(ids, victim)
        except psycopg.OperationalError:
            pass
        if round > 0:
            timer.join()
        seconds = seconds or time.monotonic() - begun

        def again():
            try:
                db = connect(database)
                db.execute("SELECT 1")
                return db
            except psycopg.OperationalError:
                return None
        time.sleep(0.2)     # the postmaster sees it
        l.db = admin = wait_until(again, 60, "the cluster")
        l.prepared.clear()
        after = {t: l.one(f"SELECT count(*) FROM {t} WHERE book_id = %s", l.book) for t in before}
        grown = {t: after[t] - before[t] for t in before}
        whole = {"submit": {"payout": n // 2, "payout_batch": 1, "unclaimed": n // 2, "unclaimed_end": 0},
                 "claim": {"payout": n, "payout_batch": 0, "unclaimed": 0, "unclaimed_end": n},
                 "return": {"payout": 0, "payout_batch": 0, "unclaimed": 0, "unclaimed_end": n}}[what]
        assert grown in (whole, dict.fromkeys(whole, 0)), grown
        made += grown == whole
        check_books_are_sound(admin, l.book)
    print(f"# {what}: {made} of {rounds} were made")
    assert 1 <= made < rounds, "none was killed in time"
