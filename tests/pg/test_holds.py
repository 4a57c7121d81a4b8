"""Payouts that are held, looked at by two people, and released or refused; and what their banks are told of them."""
import threading

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness import operator
from settle_model import *

CODES = ("HAAK", "HBBK", "HCCK", "HDDK", "HEEK", "HFFK", "HGGK", "HHHK", "HIIK", "HJJK",
         "HKKK", "HLLK", "HMMK", "HNNK", "HOOK", "HPPK", "HQQK", "HRRK", "HSSK", "HTTK")
unused = iter(CODES)
HELD, REFUSED, NOT_PERMITTED = 2, 9, 502
OPERATORS = ("hold_anna", "hold_bilal", "hold_chand")


def connect(database):
    return psycopg.connect(database, autocommit=True, options="-c search_path=ujrat")


@pytest.fixture(scope="module")
def ledgers(database):
    with connect(database) as db:
        made = [Ledger(db, f"held{n}", banks=CODES, currencies=(USD,)) for n in range(2)]
        for ledger in made:
            assert ledger.deposit(USD, 1_000_000_00, "dep") == OK
        for name in OPERATORS:
            db.execute(f"CREATE ROLE {name} LOGIN IN ROLE ujrat_operator")
        yield made


@pytest.fixture
def bank(ledgers):
    made = Bank(ledgers[0].db, next(unused), ledgers)
    yield made
    check_settlement_is_sound(made.db)
    check_books_are_sound(made.db)


class As:
    """An operator, at a connection of anybody's."""

    def __init__(self, db, who):
        self.db, self.who = db, who

    def call(self, sql, *args):
        self.db.execute(f"SET SESSION AUTHORIZATION {self.who}")
        try:
            cursor = self.db.execute(sql, args)
            return dict(zip([c.name for c in cursor.description], cursor.fetchone()))
        finally:
            self.db.execute("RESET SESSION AUTHORIZATION")

    def code(self):
        return operator(make_conninfo(self.db.info.dsn, user="postgres", options=""), self.who).code()

    def hold(self, ledger, payout, reason="SCREENING", detail="a name", evidence='{"list": 7}', queue="default", hours=24):
        return self.call("SELECT * FROM place_hold(%s, %s, %s, %s, %s, %s, clock_timestamp() + make_interval(hours => %s))", ledger.book, payout, reason,
                         detail, evidence, queue, hours)

    def decide(self, ledger, payout, decision, hold=1, note="looked at"):
        return self.call("SELECT * FROM decide_hold(%s, %s, %s::int2, %s, %s, %s)", ledger.book, payout, hold, decision, note, self.code())

    def withdraw(self, ledger, payout, hold=1, note="not so"):
        return self.call("SELECT * FROM withdraw_hold_decision(%s, %s, %s::int2, %s, %s)", ledger.book, payout, hold, note, self.code())


@pytest.fixture
def people(ledgers):
    return [As(ledgers[0].db, who) for who in OPERATORS]


def state(ledger, payout):
    now, view = ledger.one("SELECT payout_state(book_id, payout_id, bank_id) FROM payout WHERE (book_id, payout_id) = (%s, %s)", ledger.book, payout), \
        ledger.one("SELECT state FROM payout_now WHERE (book_id, payout_id) = (%s, %s)", ledger.book, payout)
    assert now == view
    return now


def balance(ledger, code):
    return ledger.one("SELECT coalesce(max(balance), 0) FROM account_now WHERE book_id = %s AND code = %s", ledger.book, code)


def told(ledger, bank):
    """What its stream reads from the beginning on, a page of two at a time: (order number, payout)."""
    read, after = [], 0
    while rows := ledger.named("settlement_watch", ledger.book, bank.id, after, 2):
        read += [r[:2] for r in rows if not r[2]]
        after = rows[-1][0]
    return read


def release(people, ledger, payout, hold=1):
    assert not people[0].decide(ledger, payout, "release", hold)["done"]
    done = people[1].decide(ledger, payout, "release", hold)
    assert done["done"]
    return done["seq"]


def refuse(people, ledger, payout, hold=1):
    assert not people[0].decide(ledger, payout, "refuse", hold)["done"]
    done = people[1].decide(ledger, payout, "refuse", hold)
    assert done["done"]
    return done["seq"]


def test_a_held_payout_is_not_told_and_once_released_it_is_told_once(bank, people):
    ledger = bank.books[0]
    first, held, last = pay(ledger, bank.code, [1000, 2000, 3000])
    before = balance(ledger, "held.PKR")
    people[2].hold(ledger, held)
    assert state(ledger, held) == HELD
    assert balance(ledger, "held.PKR") == before - net_of(2000)
    assert bank.stream(ledger)["last_payout_id"] == last
    assert told(ledger, bank) == [(first, first), (last, last)]
    assert state(ledger, held) == HELD and ledger.cancel(held) == STATE_CONFLICT
    assert bank.answer(ledger, held, net_of(2000)) == INSTRUCTION_NOT_FOUND
    at = release(people, ledger, held)
    assert state(ledger, held) == ACCEPTED and balance(ledger, "held.PKR") == before
    assert bank.answer(ledger, held, net_of(2000)) == INSTRUCTION_NOT_FOUND
    assert told(ledger, bank) == [(first, first), (last, last)]
    assert bank.stream(ledger) == {"last_payout_id": at, "moved": True, "kept_back": False}
    assert told(ledger, bank) == [(first, first), (last, last), (at, held)]
    assert state(ledger, held) == INSTRUCTED
    assert ledger.reason_of(lambda: people[0].hold(ledger, held)) == STATE_CONFLICT
    bank.answer_all(ledger)
    assert state(ledger, held) == SETTLED
    assert not bank.stream(ledger)["moved"]


def test_what_is_held_again_has_its_place_at_its_last_release(bank, people):
    ledger = bank.books[0]
    a, b = pay(ledger, bank.code, [1000, 2000])
    people[2].hold(ledger, a)
    first = release(people, ledger, a)
    assert people[2].hold(ledger, a)["hold_no"] == 2
    assert bank.stream(ledger)["last_payout_id"] == b
    assert state(ledger, a) == HELD and told(ledger, bank) == [(b, b)]
    second = release(people, ledger, a, hold=2)
    assert second > first
    assert bank.stream(ledger)["last_payout_id"] == second
    assert told(ledger, bank) == [(b, b), (second, a)]
    bank.answer_all(ledger)


def test_what_is_refused_gives_the_float_back_all_and_is_never_told(bank, people):
    ledger = bank.books[0]
    before = {c: balance(ledger, c) for c in ("float.USD", "held.PKR", "position.PKR", "margin.PKR", "fee.USD", f"payable.{bank.code}.PKR")}
    a, b, c = pay(ledger, bank.code, [1000, 2000, 3000])
    people[2].hold(ledger, b)
    release(people, ledger, b)
    people[2].hold(ledger, b)
    people[2].hold(ledger, c)
    refuse(people, ledger, b, hold=2)
    refuse(people, ledger, c)
    assert (state(ledger, b), state(ledger, c)) == (REFUSED, REFUSED)
    assert ledger.one("SELECT reason_code FROM payout_now WHERE (book_id, payout_id) = (%s, %s)", ledger.book, b) == "MS03"
    bank.stream(ledger)
    assert told(ledger, bank) == [(a, a)]
    assert bank.answer(ledger, a, net_of(1000), REJECTED) == OK
    assert bank.answer(ledger, b, net_of(2000)) == INSTRUCTION_NOT_FOUND
    assert {c: balance(ledger, c) for c in before} == before
    assert ledger.cancel(b) == STATE_CONFLICT
    assert ledger.reason_of(lambda: people[0].hold(ledger, b)) == STATE_CONFLICT


def test_two_people_who_decide_the_same_end_a_hold_and_each_may_say_it_again(bank, people):
    anna, bilal, chand = people
    ledger = bank.books[0]
    p, = pay(ledger, bank.code, [1000])
    assert ledger.reason_of(lambda: anna.decide(ledger, p, "release")) == STATE_CONFLICT      # nothing is held
    placed = chand.hold(ledger, p)
    assert chand.hold(ledger, p) == {**placed, "duplicate": True}
    assert ledger.reason_of(lambda: anna.hold(ledger, p)) == STATE_CONFLICT
    assert ledger.reason_of(lambda: anna.withdraw(ledger, p)) == STATE_CONFLICT
    assert anna.decide(ledger, p, "release") == {"done": False, "seq": None, "duplicate": False}
    assert anna.decide(ledger, p, "release") == {"done": False, "seq": None, "duplicate": True}
    with pytest.raises(psycopg.Error, match="ujrat://operator/hold-anna decided otherwise: release"):
        bilal.decide(ledger, p, "refuse")
    assert ledger.reason_of(lambda: anna.decide(ledger, p, "refuse")) == STATE_CONFLICT
    assert ledger.reason_of(lambda: bilal.withdraw(ledger, p)) == STATE_CONFLICT
    assert anna.withdraw(ledger, p) == {"duplicate": False} and anna.withdraw(ledger, p) == {"duplicate": True}
    assert not bilal.decide(ledger, p, "refuse")["done"]
    done = anna.decide(ledger, p, "refuse")
    assert done["done"] and not done["duplicate"]
    for one in (anna, bilal):
        assert one.decide(ledger, p, "refuse") == {**done, "duplicate": True}
        assert ledger.reason_of(lambda: one.decide(ledger, p, "release")) == STATE_CONFLICT
    assert ledger.reason_of(lambda: chand.decide(ledger, p, "refuse")) == STATE_CONFLICT
    assert ledger.reason_of(lambda: anna.withdraw(ledger, p)) == STATE_CONFLICT


def test_whoever_placed_a_hold_by_hand_may_refuse_but_not_release(bank, people):
    anna, bilal, chand = people
    ledger = bank.books[0]
    p, q = pay(ledger, bank.code, [1000, 2000])
    anna.hold(ledger, p, "OPERATOR")
    assert ledger.reason_of(lambda: anna.decide(ledger, p, "release")) == NOT_PERMITTED
    assert not bilal.decide(ledger, p, "release")["done"]
    assert ledger.reason_of(lambda: anna.decide(ledger, p, "release")) == NOT_PERMITTED
    assert chand.decide(ledger, p, "release")["done"]
    anna.hold(ledger, q, "OPERATOR")
    assert not anna.decide(ledger, q, "refuse")["done"]
    assert bilal.decide(ledger, q, "refuse")["done"]


def test_a_hold_that_says_nonsense_is_refused(bank, people):
    ledger = bank.books[0]
    p, = pay(ledger, bank.code, [1000])
    for how in ({"reason": "WHIM"}, {"reason": None}, {"detail": " "}, {"detail": "x" * 501}, {"queue": "A b"}, {"queue": None}, {"hours": -1},
                {"hours": None}, {"evidence": '"%s"' % ("x" * 65536)}):
        assert ledger.reason_of(lambda: people[0].hold(ledger, p, **how)) == FIELD_INVALID, how
    assert state(ledger, p) == ACCEPTED
    bank.stream(ledger)


def test_a_decision_that_says_nonsense_is_refused(bank, people):
    ledger = bank.books[0]
    p, = pay(ledger, bank.code, [1000])
    people[2].hold(ledger, p)
    assert ledger.reason_of(lambda: people[0].hold(ledger, 10**9)) == PAYOUT_NOT_FOUND
    assert ledger.reason_of(lambda: people[0].decide(ledger, 10**9, "refuse")) == PAYOUT_NOT_FOUND
    assert ledger.reason_of(lambda: people[0].decide(ledger, p, "refuse", hold=2)) == STATE_CONFLICT
    for decision in ("withdraw", None, ""):
        assert ledger.reason_of(lambda: people[0].decide(ledger, p, decision)) == FIELD_INVALID
    for note in ("", " ", None, "x" * 501):
        assert ledger.reason_of(lambda: people[0].decide(ledger, p, "refuse", note=note)) == FIELD_INVALID
    assert state(ledger, p) == HELD


def test_a_hand_out_that_passes_a_held_payout_keeps_its_totals_when_it_is_released(bank, people):
    """By windows: it is an instruction of the window in which it is told."""
    bank.terms(mode="windows")
    bank.open()
    ledger = bank.books[0]
    a, b, c = pay(ledger, bank.code, [1000, 2000, 3000])
    people[2].hold(ledger, b)
    assert bank.hand_out(ledger)["instructions"] == 2
    bank.close(1)
    one = bank.totals(1)
    assert (one["instructed_count"], one["instructed_amount"]) == (2, net_of(1000) + net_of(3000))
    release(people, ledger, b)
    d, = pay(ledger, bank.code, [4000])
    assert bank.position()["waiting_count"] == 2
    assert bank.rows("SELECT first_payout_id, first_amount FROM bank_waiting(%s::int2)", bank.id) == [(b, net_of(2000))]
    assert bank.hand_out(ledger)["instructions"] == 2
    assert bank.totals(1) == one
    assert (bank.totals(2)["instructed_count"], bank.totals(2)["instructed_amount"]) == (2, net_of(2000) + net_of(4000))
    bank.answer_all(ledger)
    bank.close(2)
    assert (bank.end(1), bank.end(2)) == ("SETTLED", "SETTLED")


def test_what_was_released_is_asked_about_when_it_is_overdue_and_not_before(bank, people):
    ledger = bank.books[0]
    a, b, c = pay(ledger, bank.code, [1000, 2000, 3000])
    people[2].hold(ledger, a)
    bank.stream(ledger)
    assert [p for _, p, *_ in bank.overdue()] == [b, c]
    assert bank.ask(ledger, [a, b]) == [None, 1]
    assert bank.answer(ledger, b, net_of(2000)) == OK and bank.answer(ledger, c, net_of(3000)) == OK
    assert bank.overdue() == []
    release(people, ledger, a)
    assert bank.overdue() == [] and bank.ask(ledger, [a]) == [None]
    bank.stream(ledger)
    assert [p for _, p, *_ in bank.overdue()] == [a]
    assert bank.ask(ledger, [a]) == [1]
    assert bank.say((1, ledger.book, a, 1, "PDNG", None)) == [OK]
    assert bank.answer(ledger, a, net_of(1000)) == OK
    assert ledger.give_back(bank.code, a, PKR, net_of(1000), 0, "AC04", "R1")[:2] == (OK, RETURNED)


def test_a_platform_sees_that_its_payout_is_held_accepted_again_and_told_page_by_page(bank, people):
    ledger = bank.books[1]
    start = ledger.one("SELECT next_seq - 1 FROM book_head WHERE book_id = %s", ledger.book)
    a, b, c = pay(ledger, bank.code, [1000, 2000, 3000])
    people[2].hold(ledger, a)
    people[2].hold(ledger, c)
    release(people, ledger, a)
    refuse(people, ledger, c)
    bank.stream(ledger)
    bank.answer_all(ledger)
    want = [(a, ACCEPTED), (b, ACCEPTED), (c, ACCEPTED), (a, HELD), (c, HELD), (a, ACCEPTED), (c, REFUSED), (b, INSTRUCTED), (a, INSTRUCTED),
            (a, SETTLED), (b, SETTLED)]
    for page in (1, 2, 3, 100):
        seen, cursor = [], (start, 2**63 - 1)
        while True:
            rows = ledger.named("payout_watch", ledger.book, *cursor, page)
            events = [r for r in rows if r[1] is not None][:page]
            seen += [(r[1], r[3]) for r in events]
            upto = [r[0] for r in rows if r[1] is None]
            if len(events) == page:
                cursor = events[-1][:2]
            elif upto:
                cursor = upto[0], 2**63 - 1
            else:
                break
        assert seen == want, page


def test_a_hold_past_its_deadline_is_an_alert_until_it_ends(bank, people):
    ledger = bank.books[0]
    p, = pay(ledger, bank.code, [1000])
    people[2].call("SELECT * FROM place_hold(%s, %s, 'LIMIT', NULL, NULL, 'limits', clock_timestamp() + interval '0.2 s')", ledger.book, p)
    subject = f"UJ{ledger.book}-{p}"
    raised = lambda: bank.rows("SELECT detail FROM settlement_alert_now WHERE kind = 'HOLD_OVERDUE' AND subject = %s", subject)
    bank.one("SELECT pg_sleep(0.3)::text")
    bank.row("SELECT * FROM refresh_alerts()")
    assert "queue limits" in raised()[0][0]
    assert ledger.reason_of(lambda: people[0].call("SELECT dismiss_alert('HOLD_OVERDUE', %s, 'seen')", subject)) == STATE_CONFLICT
    release(people, ledger, p)
    bank.row("SELECT * FROM refresh_alerts()")
    assert raised() == []
    bank.stream(ledger)
    bank.answer_all(ledger)


def test_an_item_of_a_batch_is_on_hold_and_blocked_and_its_webhooks_say_so(bank, people):
    ledger = bank.books[1]
    ledger.one("SELECT create_webhook(%s, '00000000000000001', 'https://h.example/', '{*}', 4::int2, 'test')", ledger.book)
    beneficiary = ledger.beneficiary("items-" + bank.code, bank.code)
    drafts = [ledger.draft(f"item-{n}", beneficiary, price(1000, USD, 0, 0)) for n in range(2)]
    batch = ledger.submit_batch(drafts, [ledger.item(), ledger.item()], "B")[1]
    (_, a, *_), (_, b, *_) = ledger.items_of(batch).values()
    states = lambda: [i[0] for i in ledger.items_of(batch).values()]
    totals = lambda: {r[0]: r[2] for r in ledger.named("batch_totals", ledger.book, batch)}
    people[2].hold(ledger, a)
    people[2].hold(ledger, b)
    assert states() == [HELD, HELD] and totals() == {HELD: 2}
    release(people, ledger, a)
    refuse(people, ledger, b)
    assert states() == [ACCEPTED, REFUSED] and totals() == {ACCEPTED: 1, REFUSED: 1}
    bank.stream(ledger)
    assert states() == [INSTRUCTED, REFUSED] and totals() == {INSTRUCTED: 1, REFUSED: 1}
    bank.answer_all(ledger)
    while ledger.one("SELECT more FROM make_webhook_events(%s, 1000)", ledger.book):
        pass
    assert bank.rows("SELECT name, item_no, status FROM webhook_event_facts WHERE book_id = %s ORDER BY event_no", ledger.book) == [
        ("PAYMENT.PAYOUTSBATCH.PROCESSING", 0, "PROCESSING"), ("PAYMENT.PAYOUTS-ITEM.HELD", 1, "ONHOLD"), ("PAYMENT.PAYOUTS-ITEM.HELD", 2, "ONHOLD"),
        ("PAYMENT.PAYOUTS-ITEM.BLOCKED", 2, "BLOCKED"), ("PAYMENT.PAYOUTS-ITEM.SUCCEEDED", 1, "SUCCESS"), ("PAYMENT.PAYOUTSBATCH.SUCCESS", 0, "SUCCESS")]


def test_a_cancellation_that_waits_for_a_hold_finds_it_held(database, bank, people):
    ledger = bank.books[0]
    p, = pay(ledger, bank.code, [1000])
    with connect(database) as other:
        said = []
        with ledger.db.transaction():
            people[2].hold(ledger, p)
            t = threading.Thread(target=lambda: said.append(ledger.reason_of(
                lambda: other.execute("SELECT cancel_payout(%s, %s, %s)", (ledger.book, ledger.principal, p)))))
            t.start()
            t.join(0.3)
            assert t.is_alive()
        t.join()
    assert said == [STATE_CONFLICT] and state(ledger, p) == HELD


def test_of_a_hold_and_a_hand_out_at_once_the_first_wins(database, bank, people):
    """The one who waits for the book finds what the other did."""
    ledger = bank.books[0]
    for hold_first in (True, False):
        p, = pay(ledger, bank.code, [1000])
        with connect(database) as other, connect(database) as third:
            mine = As(other, OPERATORS[2])
            said = []
            with ledger.db.transaction():
                if hold_first:
                    people[2].hold(ledger, p)
                    t = threading.Thread(target=lambda: said.append(third.execute(
                        "SELECT moved FROM hand_out(%s, %s::int2, %s, 10)", (ledger.book, bank.id, bank.principal)).fetchone()[0]))
                else:
                    assert bank.stream(ledger)["moved"]
                    t = threading.Thread(target=lambda: said.append(ledger.reason_of(lambda: mine.hold(ledger, p))))
                t.start()
                t.join(0.3)
                assert t.is_alive()
            t.join()
        assert said == ([False] if hold_first else [STATE_CONFLICT])
        assert state(ledger, p) == (HELD if hold_first else INSTRUCTED)


def test_of_two_who_release_at_once_one_is_first_and_one_second(database, bank, people):
    ledger = bank.books[0]
    for _ in range(8):
        p, = pay(ledger, bank.code, [1000])
        people[2].hold(ledger, p)
        said, start = [], threading.Barrier(2)

        def decide(who):
            with connect(database) as db:
                start.wait()
                said.append(As(db, who).decide(ledger, p, "release")["done"])
        threads = [threading.Thread(target=decide, args=(who,)) for who in OPERATORS[:2]]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted(said) == [False, True]
        assert state(ledger, p) == ACCEPTED
    bank.stream(ledger)
    assert len(told(ledger, bank)) == 8


def test_a_decision_that_is_cut_off_leaves_the_hold_as_it_was_and_the_first_ones_standing(database, bank, people):
    """Killed before its commit: nothing is half done, and the second may say it again."""
    ledger = bank.books[0]
    p, = pay(ledger, bank.code, [1000])
    people[2].hold(ledger, p)
    assert not people[0].decide(ledger, p, "refuse")["done"]
    with connect(database) as db:
        db.execute("BEGIN")
        assert As(db, OPERATORS[1]).decide(ledger, p, "refuse")["done"]
        ledger.db.execute("SELECT pg_terminate_backend(%s)", (db.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            db.execute("COMMIT")
    assert state(ledger, p) == HELD
    assert people[1].decide(ledger, p, "refuse")["done"]
    assert state(ledger, p) == REFUSED


def test_what_is_written_of_holds_stays_written(bank, people):
    ledger = bank.books[0]
    p, = pay(ledger, bank.code, [1000])
    people[2].hold(ledger, p)
    people[0].decide(ledger, p, "release")
    for sql in ("UPDATE payout_hold SET deadline = 'infinity'", "DELETE FROM payout_hold", "UPDATE payout_hold_decision SET note = 'x'",
                "DELETE FROM payout_hold_end", "DELETE FROM payout_hold_open", "UPDATE payout_hold_open SET deadline = 'infinity'",
                "TRUNCATE payout_hold_open"):
        assert ledger.reason_of(lambda: ledger.db.execute(sql)) == STATE_CONFLICT, sql


def test_what_operators_say_of_a_hold_is_for_operators(bank, people):
    db = bank.db
    for role in ("ujrat_app", "ujrat_settle", "ujrat_sealer", "ujrat_auditor", "ujrat_hooks"):
        for column, table in (("detail", "payout_hold"), ("evidence", "payout_hold"), ("note", "payout_hold_decision")):
            db.execute(f"SET ROLE {role}")
            try:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    db.execute(f"SELECT {column} FROM {table}")
            finally:
                db.execute("RESET ROLE")
