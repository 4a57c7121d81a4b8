"""What comes back: by several at once, under which window, how often; and how a funding is planned."""
import threading

import psycopg
import pytest

from ledger_model import *


def connect(database):
    return psycopg.connect(database, autocommit=True, options="-c search_path=ujrat")


@pytest.fixture(scope="module")
def shared(database):
    with connect(database) as db:
        ledger = Ledger(db, "back")
        assert ledger.deposit(USD, 50_000_00, "dep") == OK
        ledger.to = {bank: ledger.beneficiary(f"ben-{bank}", bank) for bank in ledger.bank}
        ledger.made = 0
        yield ledger


def settled(l, bank="MUCB", gross=100_00, fee=1_00):
    l.made += 1
    (outcome,), (payout,) = l.post([l.draft(f"s{l.made}", l.to[bank], price(gross, USD, fee, 150))])
    net = l.one("SELECT net FROM payout WHERE book_id = %s AND payout_id = %s", l.book, payout)
    l.hand_out(bank, 1000)
    assert outcome == OK and l.confirm(bank, [{"payout_id": payout, "state": SETTLED, "ccy": PKR, "amount": net, "bank_reference": "B",
                                                "tax_withheld": None, "eprc_number": None, "reason_code": None}]) == [OK]
    return payout, net


def at_once(database, l, calls):
    """Each call on a connection of its own, all begun together; their answers."""
    answers, begin = [None] * len(calls), threading.Barrier(len(calls))

    def run(i):
        with connect(database) as db:
            mine = Ledger.__new__(Ledger)
            mine.__dict__ = {**l.__dict__, "db": db, "prepared": set(), "answers": {}}
            begin.wait()
            answers[i] = getattr(mine, calls[i][0])(*calls[i][1:])

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def test_the_same_return_said_by_many_at_once_is_made_once(database, shared):
    payout, net = settled(shared)
    before = shared.one("SELECT max(seq) FROM journal WHERE book_id = %s", shared.book)
    answers = at_once(database, shared, [("give_back", "MUCB", payout, PKR, net // 3, 7, "AC04", "one")] * 6)
    assert answers == [(OK, PARTLY_RETURNED, net // 3)] * 6
    assert shared.one("SELECT max(seq) FROM journal WHERE book_id = %s", shared.book) == before + 2
    check_books_are_sound(shared.db, shared.book)


def test_of_several_returns_at_once_no_more_comes_back_than_was_paid(database, shared):
    payout, net = settled(shared)
    answers = at_once(database, shared, [("give_back", "MUCB", payout, PKR, net // 4 + 1, 0, "AC04", f"part-{i}") for i in range(6)])
    made = sorted(a for a in answers if a[0] == OK)
    assert [a[2] for a in made] == [(net // 4 + 1) * n for n in (1, 2, 3)]
    left = net - 3 * (net // 4 + 1)
    assert sorted(a for a in answers if a[0] != OK) == [(AMOUNT_OVER_LIMIT, left)] * 3
    assert shared.give_back("MUCB", payout, PKR, left, 0, "AC04", "rest") == (OK, RETURNED, net)
    moved = shared.db.execute("""SELECT sum(minor) FROM posting p JOIN account a USING (book_id, account_id)
                                  WHERE p.book_id = %s AND p.payout_id = %s GROUP BY a.code""", (shared.book, payout)).fetchall()
    assert moved and all(total == 0 for total, in moved)     # every account is as it was
    check_books_are_sound(shared.db, shared.book)


def test_a_return_that_is_taken_back_by_many_at_once_is_taken_back_once(database, shared):
    payout, net = settled(shared)
    assert shared.give_back("MUCB", payout, PKR, net, 0, "AC04", "whole") == (OK, RETURNED, net)
    same = at_once(database, shared, [("take_back", "MUCB", payout, "whole", "AM09", "back")] * 4)
    assert same == [(OK, SETTLED, 0)] * 4
    assert shared.give_back("MUCB", payout, PKR, net, 0, "AC04", "again") == (OK, RETURNED, net)
    others = at_once(database, shared, [("take_back", "MUCB", payout, "again", "AM09", f"back-{i}") for i in range(4)])
    assert sorted(others) == [(OK, SETTLED, 0)] + [(STATE_CONFLICT,)] * 3
    # the first answer, for ever
    assert shared.give_back("MUCB", payout, PKR, net, 0, "AC04", "whole") == (OK, RETURNED, net)
    assert shared.give_back("MUCB", payout, PKR, net, 0, "AC06", "whole") == (CONFIRMED_DIFFERENTLY,)
    assert shared.give_back("MUCB", payout, PKR, net, 1, "AC04", "whole") == (CONFIRMED_DIFFERENTLY,)
    check_books_are_sound(shared.db, shared.book)


def test_a_return_is_not_taken_back_while_the_float_was_spent_and_is_when_it_is_there_again(shared):
    l = Ledger(shared.db, "spent")
    assert l.deposit(USD, 100_00, "d") == OK
    l.made, l.to = 0, {"MUCB": l.beneficiary("b", "MUCB")}
    payout, net = settled(l)
    assert l.give_back("MUCB", payout, PKR, net, 0, "AC04", "r") == (OK, RETURNED, net)
    other, _ = settled(l, gross=60_00)
    before = l.one("SELECT next_seq FROM book_head WHERE book_id = %s", l.book)
    assert l.take_back("MUCB", payout, "r", "AM09", "t") == (INSUFFICIENT_FLOAT,)
    assert l.one("SELECT next_seq FROM book_head WHERE book_id = %s", l.book) == before
    assert l.deposit(USD, 60_00, "d2") == OK
    assert l.take_back("MUCB", payout, "r", "AM09", "t") == (OK, SETTLED, 0)
    assert l.one("SELECT -balance FROM account_now WHERE book_id = %s AND code = 'float.USD'", l.book) == 0
    check_books_are_sound(l.db, l.book)


def test_a_payment_does_not_come_back_and_forth_for_ever(shared):
    payout, net = settled(shared)
    for i in range(15):
        assert shared.give_back("MUCB", payout, PKR, 1 + i, 0, "AC04", f"r{i}") == (OK, PARTLY_RETURNED, 1 + i)
        assert shared.take_back("MUCB", payout, f"r{i}", "AM09", f"t{i}") == (OK, SETTLED, 0)
    assert shared.give_back("MUCB", payout, PKR, 1, 0, "AC04", "r15") == (STATE_CONFLICT,)
    assert shared.give_back("MUCB", payout, PKR, 1, 0, "AC04", "r0") == (OK, PARTLY_RETURNED, 1)


def test_a_return_counts_to_the_window_that_is_open(shared):
    bank = shared.bank["SCBL"]
    payout, net = settled(shared, "SCBL")
    assert shared.give_back("SCBL", payout, PKR, 100, 0, "AC04", "none")[0] == OK
    with shared.db.transaction():
        for number in (1, 2):
            shared.db.execute("INSERT INTO settlement_window VALUES (%s, %s, now(), now(), %s)", (bank, number, number - 1 or None))
        shared.db.execute("INSERT INTO bank_head VALUES (%s, 2)", (bank,))
        assert shared.give_back("SCBL", payout, PKR, 100, 0, "AC04", "two")[0] == OK
        assert shared.take_back("SCBL", payout, "two", "AM09", "two back")[0] == OK
        rows = shared.db.execute("""SELECT bank_reference, window_no, reverses_step FROM payment_return WHERE book_id = %s AND payout_id = %s
                                     ORDER BY step""", (shared.book, payout)).fetchall()
        assert rows == [("none", None, None), ("two", 2, None), ("two back", 2, 3)]
        raise psycopg.Rollback
    shared.prepared.clear()     # psycopg forgets them with a rollback


def test_a_payout_that_came_back_in_part_is_shown_so(shared):
    payout, net = settled(shared)
    assert shared.give_back("MUCB", payout, PKR, net // 2, 5, "AC06", "half")[0] == OK
    show = lambda: shared.db.execute("SELECT state, reason_code, bank_reference FROM payout_now WHERE book_id = %s AND payout_id = %s",
                                     (shared.book, payout)).fetchone()
    assert show() == (PARTLY_RETURNED, "AC06", "B")
    assert shared.take_back("MUCB", payout, "half", "AM09", "half back")[0] == OK
    assert show() == (SETTLED, None, "B")


def test_a_funding_is_split_once_under_its_reference(shared):
    book, other = shared.book, Ledger(shared.db, "other").book
    bank = shared.bank["MUCB"]

    def plan(books, parts, costs, amount=100, cost=10, reference="plan"):
        return shared.one("SELECT plan_funding(%s, %s::int2, 'PKR', %s, 'USD', %s, 'tester', %s, %s::int8[], %s::int8[])",
                          reference, bank, amount, cost, books, parts, costs)

    assert plan([book, other], [70, 30], [7, 3]) is False
    assert plan([book], [100], [10]) is True     # the first one's split stays
    assert shared.db.execute("SELECT book_id, amount, src_amount FROM funding_plan_part WHERE reference = 'plan' ORDER BY 1").fetchall() == [
        (book, 70, 7), (other, 30, 3)]
    assert shared.reason_of(lambda: plan([book], [101], [10], amount=101)) == REFERENCE_REUSED
    assert shared.reason_of(lambda: plan([book, other], [70, 31], [7, 3], reference="wrong")) == FIELD_INVALID
    assert shared.reason_of(lambda: plan([], [], [], reference="empty")) == FIELD_INVALID


def test_many_who_fund_at_once_under_one_reference_fund_once(database, shared):
    before = shared.one("SELECT balance FROM account_now WHERE book_id = %s AND code = 'nostro.HABB.PKR'", shared.book)
    assert at_once(database, shared, [("fund", "HABB", 500, USD, 2, "together")] * 5) == [OK] * 5
    assert shared.one("SELECT balance FROM account_now WHERE book_id = %s AND code = 'nostro.HABB.PKR'", shared.book) == before + 500
    assert shared.fund("HABB", 501, USD, 2, "together") == REFERENCE_REUSED
