"""What the sandbox bank does when it is asked: inquiries, recalls, windows; and its statement, which the auditor reconciles."""

import json
import os
import subprocess

import pytest

from harness import BIN, wait_until
from sandbox import INSTRUCTED, REJECTED, RETURNED, SETTLED, Sandbox
from world import iban


@pytest.fixture(scope="module")
def platform(world):
    return world.platform(USD=100_000_000)


class Asked(Sandbox):
    """With ujrat-settle's hand: what it does is done here by the functions that it calls."""

    def __init__(self, world, folder, platform):
        super().__init__(world, folder, platform)
        self.id = self.one("SELECT bank_id FROM bank WHERE code = %s", self.bank.code)
        self.book = self.one("SELECT book_id FROM book WHERE code = %s", platform.code)
        self.settle = self.one("SELECT add_principal('ujrat://system/settle', 'system')")

    def one(self, query, *parameters):
        with self.world.database.connect(autocommit=True, options="-c search_path=ujrat") as db:
            return db.execute(query, parameters).fetchone()[0]

    def terms(self, mode="instant"):
        self.one("SELECT set_bank_terms(%s::int2, %s, 'grpc', '{11:00}'::time[], '{10:00}'::time[], 586::int2, NULL, NULL, NULL, NULL,"
                 " '4 hours', '8 hours', '4 hours', 'pacs.008.001.08', 'test', NULL)", self.id, mode)
        return self.one("SELECT window_no FROM open_first_window(%s::int2, clock_timestamp() + interval '1 hour')", self.id)

    def payout(self, instruction):
        return int(instruction.partition("-")[2])

    def ask(self, instruction):
        self.one("SELECT ask(%s::int2, %s, %s::bigint[], '{f}', clock_timestamp())", self.id, self.book, [self.payout(instruction)])

    def recall(self, instruction, code="DUPL"):
        self.one("SELECT recall_no FROM request_recall(%s, %s, %s, %s)", self.book, self.payout(instruction), code, self.settle)

    def close(self, window):
        return self.one("SELECT instructions FROM close_window(%s::int2, %s, %s, clock_timestamp() + interval '1 hour',"
                        " clock_timestamp() + interval '1 day')", self.id, window, self.settle)

    def by_number(self):
        return {i["number"]: i for i in self.books()["instructions"]}

    def wait_for(self, *expected):
        wait_until(lambda: self.states() == sorted(expected), 20, "%r, now %r" % (expected, self.states()))

    def states(self):
        return sorted(p[0] for p in self.payouts().values())

    def known(self, n):
        wait_until(lambda: self.state.exists() and self.state.stat().st_size and len(self.books()["instructions"]) == n, 20, "%d instructions" % n)


@pytest.fixture
def sandbox(world, platform, tmp_path):
    made = Asked(world, tmp_path, platform)
    yield made
    made.end_all()


def notices(sandbox, instruction):
    return [r[0] for r in sandbox.world.rows("SELECT status_code FROM instruction_notice WHERE book_id = %s AND payout_id = %s ORDER BY notice_no",
                                             sandbox.book, sandbox.payout(instruction))]


def test_a_bank_that_answers_only_when_asked(sandbox):
    sandbox.pay(10_000, 20_000)
    bank = sandbox.start("number 1: silent, accept\nnumber 2: silent 2, pending ACSP, silent, reject AC06\n")
    sandbox.known(2)
    one, two = (sandbox.by_number()[n]["instruction"] for n in (1, 2))
    sandbox.wait_for(INSTRUCTED, INSTRUCTED)
    sandbox.ask(one)
    sandbox.ask(two)
    sandbox.wait_for(INSTRUCTED, SETTLED)
    assert notices(sandbox, two) == []
    sandbox.ask(two)
    wait_until(lambda: notices(sandbox, two) == ["ACSP"], 20, "a status that is not definite")
    sandbox.ask(two)
    sandbox.wait_for(SETTLED, REJECTED)
    code, _, err = bank.end()
    assert (code, err) == (0, "")
    sandbox.assert_agreed()


def test_who_was_asked_too_early_says_that_it_is_on_its_way(sandbox):
    sandbox.pay(10_000)
    bank = sandbox.start("any: wait 1, accept")
    sandbox.known(1)
    one = sandbox.by_number()[1]["instruction"]
    sandbox.ask(one)
    wait_until(lambda: notices(sandbox, one) == ["PDNG"], 20, "a notice")
    sandbox.pay(20_000)
    sandbox.wait_for(INSTRUCTED, SETTLED)
    assert bank.end()[0] == 0
    sandbox.assert_agreed()


def recall_answers(sandbox, instruction):
    return sandbox.world.rows("SELECT status, reason_code FROM recall_answer WHERE book_id = %s AND payout_id = %s ORDER BY answer_no",
                              sandbox.book, sandbox.payout(instruction))


def test_recalls_are_granted_refused_and_looked_into(sandbox):
    sandbox.pay(10_000, 20_000, 30_000)
    bank = sandbox.start("number 2: silent\nrecall number 1: looking, cancel\nrecall number 2: cancel\nrecall: refuse LEGL\n")
    sandbox.known(3)
    sandbox.wait_for(INSTRUCTED, SETTLED, SETTLED)
    ids = {n: i["instruction"] for n, i in sandbox.by_number().items()}
    for n, answers, states in ((1, [("PDCR", None), ("CNCL", None)], (INSTRUCTED, SETTLED, RETURNED)),
                               (2, [("CNCL", None)], (REJECTED, SETTLED, RETURNED)), (3, [("RJCR", "LEGL")], (REJECTED, SETTLED, RETURNED))):
        sandbox.recall(ids[n])
        wait_until(lambda: recall_answers(sandbox, ids[n]) == answers, 20, "recall %d: %r" % (n, recall_answers(sandbox, ids[n])))
        sandbox.wait_for(*states)
    code, _, err = bank.end()
    assert (code, err) == (0, "")
    books = sandbox.assert_agreed()
    assert [e["code"] for e in books["entries"] if e["kind"] in ("RETURNED", "REJECTED")] == ["FOCR", "CUST"]


def test_a_bank_killed_while_it_is_asked_answers_once(sandbox):
    sandbox.pay(10_000, 20_000)
    script = "number 1: silent, crash sent, accept\nrecall: cancel, crash booked, return FOCR\n"
    bank = sandbox.start(script)
    sandbox.known(2)
    ids = {n: i["instruction"] for n, i in sandbox.by_number().items()}
    sandbox.wait_for(INSTRUCTED, SETTLED)
    sandbox.ask(ids[1])
    assert bank.process.wait(30) == -9
    bank = sandbox.start(script)
    sandbox.wait_for(SETTLED, SETTLED)
    sandbox.recall(ids[2])
    assert bank.process.wait(30) == -9
    bank = sandbox.start(script)
    sandbox.wait_for(SETTLED, RETURNED)
    assert bank.end()[0] == 0
    assert len(sandbox.assert_agreed()["entries"]) == 3


def test_windows_are_reported_with_the_banks_own_totals(sandbox):
    window = sandbox.terms()
    sandbox.pay(10_000, 20_000, 30_000)
    bank = sandbox.start("number 2: reject\nnumber 3: silent, accept\n", "--windows-ms", 50)
    sandbox.known(3)
    assert {i["window"] for i in sandbox.books()["instructions"]} == {window}
    sandbox.wait_for(REJECTED, SETTLED, INSTRUCTED)
    assert sandbox.close(window) == 3
    sandbox.ask(sandbox.by_number()[3]["instruction"])
    sandbox.wait_for(REJECTED, SETTLED, SETTLED)
    state = lambda: sandbox.one("SELECT state FROM windows_of_bank(%s::int2, %s, 1)", sandbox.id, window)
    wait_until(lambda: state() == "SETTLED", 20, "the window to be settled")
    sandbox.pay(40_000)
    sandbox.known(4)
    assert sandbox.by_number()[4]["window"] == window + 1
    code, out, err = bank.end()
    assert (code, err) == (0, "") and "window %d reported: SETTLED" % window in out
    totals = sandbox.books("--window", window)["totals"]
    assert (totals["payments"], totals["rejections"]) == (2, 1)
    sandbox.assert_agreed()


def test_its_statement_is_reconciled_by_the_auditor(sandbox):
    sandbox.pay(*[10_000 + i for i in range(6)])
    bank = sandbox.start("number 2: reject\nnumber 3: accept, return 40% charge 10.00, return\nnumber 4: accept, return 25%, reverse\n")
    sandbox.wait(6)
    assert bank.end()[0] == 0
    account, file = iban(sandbox.bank.code), sandbox.folder / "statement.xml"
    done = subprocess.run([str(BIN / "ujrat"), "bank", "books", "--state", str(sandbox.state), "--camt053", str(file), "--account", account],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("UJRAT_", "PG"))}
    told = subprocess.run([str(BIN / "ujrat-audit"), "reconcile", str(file), "--account", account, "--json",
                           "--db", sandbox.world.database.uri("ujrat_auditor")], env=environment, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr
    answer = json.loads(told.stdout)
    assert answer["reconciled"] and answer["breaks"] == [] and answer["matched"]["postings"] == 9, answer
