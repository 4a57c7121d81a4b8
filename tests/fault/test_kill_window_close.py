"""kill -9 in the middle of closing a window: of the backend that does it, and of the program that asked. What is found afterwards is
the old state or the new, never a third; and closing again finishes it."""
import os
import pathlib
import signal
import subprocess
import sys
import threading

import psycopg
import pytest

from harness import BIN, new_database, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "pg"))
from settle_model import *  # noqa: E402

STEPS = ("window_closing", "settlement_window", "bank_head")


class Scene:
    """A database of its own cluster with an open window of three instructions in two books, and one that waits."""

    def __init__(self, cluster):
        self.database = new_database(cluster)
        self.db = self.connect()
        books = [Ledger(self.db, code, banks=("MUCB",), currencies=(USD,)) for code in ("one", "two")]
        self.bank = Bank(self.db, "MUCB", books)
        self.bank.terms(mode="windows")
        self.bank.open()
        for ledger, amounts in zip(books, ([1000, 2000], [3000])):
            assert ledger.deposit(USD, 1_000_000, "dep") == OK
            pay(ledger, "MUCB", amounts)
            self.bank.hand_out(ledger)
        pay(books[1], "MUCB", [4000])
        self.db.execute("CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$")

    def connect(self):
        return psycopg.connect(self.database.uri("postgres"), autocommit=True, options="-c search_path=ujrat")

    def stop_at(self, step):
        self.db.execute(f"CREATE TRIGGER wait_here AFTER INSERT OR UPDATE ON {step} FOR EACH ROW EXECUTE FUNCTION wait_here()")
        holder = self.connect()
        holder.execute("SELECT pg_advisory_lock(77)")
        return holder

    def stopped(self):
        row = self.db.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted").fetchone()
        return row and row[0]

    def go_on(self, step):
        """A new connection, after the crash; whoever comes next is not stopped any more."""
        self.db = wait_until(self.try_connect, 60, "PostgreSQL to come back")
        self.bank.db = self.db
        for ledger in self.bank.books:
            ledger.db, ledger.prepared = self.db, set()
        self.db.execute(f"DROP TRIGGER wait_here ON {step}")

    def try_connect(self):
        try:
            return self.connect()
        except psycopg.OperationalError:
            return None

    def check_old(self, instructions):
        assert self.bank.window(1)["state"] == "OPEN" and self.bank.totals(1)["instructed_count"] == instructions
        for table in ("window_closing", "window_book"):
            assert self.bank.one(f"SELECT count(*) FROM {table}") == 0
        assert self.bank.one("SELECT max(window_no) FROM settlement_window") == 1 == self.bank.one("SELECT window_no FROM bank_head")

    def check_new(self, instructions):
        assert [self.bank.window(n)["state"] for n in (1, 2)] == ["CLOSED", "OPEN"]
        assert self.bank.totals(1)["instructed_count"] == instructions == self.bank.one("SELECT instructions FROM window_closing")
        assert self.bank.one("SELECT window_no FROM bank_head") == 2

    def check(self):
        check_settlement_is_sound(self.db)
        check_books_are_sound(self.db)


@pytest.fixture
def scene(own_cluster):
    return Scene(own_cluster)


def test_the_backend_is_killed_at_each_step_of_closing(scene):
    for step in STEPS:
        holder = scene.stop_at(step)

        def close():
            with pytest.raises(psycopg.OperationalError):
                db = scene.connect()
                db.execute("SELECT close_window(%s::int2, 1, %s, now() + interval '1 hour', now() + interval '1 day')", (scene.bank.id, scene.bank.settle))

        closing = threading.Thread(target=close)
        closing.start()
        os.kill(wait_until(scene.stopped, 20, "the closing to be at " + step), signal.SIGKILL)
        closing.join()
        holder.close()
        scene.go_on(step)
        scene.check_old(3)
        scene.check()
    assert scene.bank.close(1)["instructions"] == 3
    scene.check_new(3)
    scene.check()


def test_the_program_that_closes_is_killed_and_its_commit_is_whole_or_not_there(scene):
    step = "window_closing"
    command = [str(BIN / "ujrat"), "window", "close", "MUCB", "1", "--db", scene.database.uri("ujrat_operator")]
    holder = scene.stop_at(step)
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(scene.stopped, 20, "the closing to begin")
    program.kill()
    program.wait()
    # What waited was handed out by a commit of its own, before; the window is open.
    scene.check_old(4)
    holder.close()    # the server goes on with what it was asked, or notices that nobody is there
    wait_until(lambda: not scene.stopped() and not scene.bank.one(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%close_window%%' AND pid <> pg_backend_pid() AND state = 'active'"), 20, "the backend to end")
    state = scene.bank.window(1)["state"]
    scene.check_old(4) if state == "OPEN" else scene.check_new(4)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and ("was closed before" in done.stdout) == (state == "CLOSED"), done
    scene.check_new(4)
    scene.check()
