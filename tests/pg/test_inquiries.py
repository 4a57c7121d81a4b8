"""Instructions without an answer, recalls, alerts, the calendar, taxes: what is asked, once, and what ends it."""
import datetime

import pytest

from harness import new_database
from policy_rows import put_policy
from settle_model import *

BANKS = tuple(f"Q{a}{b}K" for a in "ABCDE" for b in "ABCDE")
unused = iter(BANKS)


@pytest.fixture(scope="module")
def books(database):
    with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as db:
        both = [Ledger(db, code, banks=BANKS, currencies=(USD,)) for code in ("one", "two")]
        for ledger in both:
            assert ledger.deposit(USD, 10_000_000_00, "dep") == OK
        yield both
        check_settlement_is_sound(db)
        check_books_are_sound(db)


@pytest.fixture
def bank(books):
    return Bank(books[0].db, next(unused), books)


def told(bank, *amounts, book=0):
    ledger = bank.books[book]
    ids = pay(ledger, bank.code, amounts)
    bank.hand_out(ledger)
    return ledger, ids


def test_what_is_overdue_is_asked_once_until_it_is_due_again(bank):
    ledger, ids = told(bank, 1000, 2000, 3000)
    assert bank.overdue("clock_timestamp() - interval '1 hour'") == []
    due = bank.overdue()
    assert due == [(ledger.book, i, net_of(a), 0) for i, a in zip(ids, (1000, 2000, 3000))]
    assert bank.ask(ledger, ids) == [1, 1, 1]
    assert bank.ask(ledger, ids, before="clock_timestamp() - interval '1 minute'") == [None, None, None]     # another asked meanwhile
    assert [q[1:5] for q in bank.questions()] == [(1, ledger.book, i, 1) for i in ids]
    assert bank.overdue("clock_timestamp() - interval '1 minute'") == []
    assert bank.ask(ledger, ids[:1], escalated=True) == [2]                                                  # due again
    questions = bank.questions()
    assert [q[3] for q in questions] == [ids[1], ids[2], ids[0]] and questions[-1][4] == 2
    assert bank.questions(after=questions[0][0])[0] == questions[1]
    assert bank.questions(limit=1) == questions[:1]


def test_an_answer_ends_the_question(bank):
    ledger, (a, b) = told(bank, 1000, 2000)
    bank.overdue()
    bank.ask(ledger, [a, b], escalated=True)
    assert bank.answer(ledger, a, net_of(1000)) == OK
    assert [q[3] for q in bank.questions()] == [b]
    assert bank.ask(ledger, [a, b, 10**9, b]) == [None, 2, None, 2]
    bank.rows("SELECT refresh_alerts()")
    escalated = lambda: {s for s, in bank.rows("SELECT subject FROM settlement_alert_now WHERE kind = 'ESCALATED'")}
    assert bank.ask(ledger, [b], escalated=True) == [3]
    bank.rows("SELECT refresh_alerts()")
    assert f"UJ{ledger.book}-{b}" in escalated()
    bank.answer_all(ledger)
    bank.rows("SELECT refresh_alerts()")
    assert f"UJ{ledger.book}-{b}" not in escalated() and bank.questions() == []


def test_another_banks_instruction_is_not_asked_about(bank, books):
    other = Bank(bank.db, next(unused), books)
    ledger, (a,) = told(bank, 1000)
    _, (theirs,) = told(other, 1000)
    pay(ledger, bank.code, [500])                                             # not handed out
    assert bank.ask(ledger, [theirs, a + 2]) == [None, None]


def test_the_mark_moves_over_what_is_answered_and_no_further(bank):
    ledger, ids = told(bank, *[100] * 30)
    mark = lambda: bank.one("SELECT answered_upto FROM bank_book WHERE book_id = %s AND bank_id = %s", ledger.book, bank.id)
    for i in ids[:10] + ids[11:20]:
        assert bank.answer(ledger, i, net_of(100)) == OK
    assert [d[1] for d in bank.overdue()] == [ids[10]] + ids[20:] and mark() == ids[10] - 1
    bank.ask(ledger, [ids[10]])
    assert [d[1] for d in bank.overdue("clock_timestamp() - interval '1 hour'")] == [] and mark() == ids[10] - 1   # that long ago nothing was told
    assert [d[1] for d in bank.overdue(limit=5)] == [ids[10]] + ids[20:24]   # asked about before: first
    assert mark() == ids[20] - 1                                             # one that is asked about does not hold it
    bank.answer_all(ledger)
    assert bank.overdue() == []


def test_questions_of_two_books_have_one_order(bank):
    one, (a,) = told(bank, 1000)
    two, (b,) = told(bank, 1000, book=1)
    bank.ask(two, [b])
    bank.ask(one, [a])
    bank.one("SELECT recall_no FROM request_recall(%s, %s, 'DUPL', %s)", two.book, b, bank.settle)
    assert [q[:6] for q in bank.questions()] == [(1, 1, two.book, b, 1, None), (2, 1, one.book, a, 1, None), (3, 2, two.book, b, 1, "DUPL")]


def recall(bank, ledger, payout, reason="CUST"):
    return bank.row("SELECT * FROM request_recall(%s, %s, %s, %s)", ledger.book, payout, reason, bank.settle)


def test_a_recall_is_answered_once_and_moves_no_money(bank):
    ledger, (a,) = told(bank, 1000)
    assert recall(bank, ledger, a) == {"recall_no": 1, "duplicate": False} and recall(bank, ledger, a) == {"recall_no": 1, "duplicate": True}
    assert bank.refused(recall, bank, ledger, a, "DUPL") == STATE_CONFLICT
    assert bank.refused(recall, bank, ledger, a, "nope!") == 412
    before = bank.rows("SELECT count(*) FROM journal")
    one = (2, ledger.book, a, 1)
    assert bank.say((*one, "PDCR", None), (*one, "PDCR", None), (*one, "RJCR", None), (*one, "WHAT", None), (2, ledger.book, a, 2, "CNCL", None)) == [
        0, 1, 303, 305, INQUIRY_NOT_FOUND]
    assert len(bank.questions()) == 1
    assert bank.say((*one, "RJCR", "LEGL"), (*one, "RJCR", "LEGL"), (*one, "CNCL", None)) == [0, 1, CONFIRMED_DIFFERENTLY]
    assert bank.questions() == [] and before == bank.rows("SELECT count(*) FROM journal")
    assert recall(bank, ledger, a) == {"recall_no": 2, "duplicate": False}


def test_only_what_is_with_a_bank_is_recalled(bank):
    ledger = bank.books[0]
    waits, = pay(ledger, bank.code, [1000])
    assert bank.refused(recall, bank, ledger, waits) == STATE_CONFLICT
    assert bank.refused(recall, bank, ledger, 10**9) == PAYOUT_NOT_FOUND
    bank.hand_out(ledger)
    assert bank.answer(ledger, waits, net_of(1000), REJECTED) == OK
    assert bank.refused(recall, bank, ledger, waits) == STATE_CONFLICT


def test_what_a_bank_says_that_settles_nothing_is_noted(bank, books):
    other = Bank(bank.db, next(unused), books)
    ledger, (a,) = told(bank, 1000)
    one = (1, ledger.book, a, 1)
    assert bank.say((*one, "ACSP", None)) == [INQUIRY_NOT_FOUND]              # it was never asked
    bank.ask(ledger, [a])
    assert other.say((*one, "ACSP", None)) == [INQUIRY_NOT_FOUND]
    assert bank.say((*one, "ACSP", None), (*one, "ACSP", None), (*one, "ACSC", None), (*one, "RJCT", "AC04"), (*one, "", None),
                    (*one, "X" * 36, None), (*one, "QQQQ", "odd")) == [0, 1, 305, 305, 305, 305, 0]
    assert [q[3] for q in bank.questions()] == [a]                            # still asked
    assert bank.say((*one, "BLCK", None)) == [0]
    raised = lambda: bank.one("SELECT count(*) FROM settlement_alert_now WHERE kind = 'BLOCKED' AND subject = %s", f"UJ{ledger.book}-{a}")
    assert raised() == 1
    bank.answer_all(ledger)
    bank.rows("SELECT refresh_alerts()")
    assert raised() == 0
    assert bank.say((*one, "PDNG", None)) == [CONFIRMED_DIFFERENTLY]
    assert bank.say((*one, "BLCK", None)) == [1]


# ------------------------------------------------------------------ alerts, calendar, taxes
def test_an_alert_is_raised_once_and_again_after_its_end(bank):
    raise_ = lambda: bank.row("SELECT * FROM raise_alert('FILE_QUARANTINED', %s, 'why')", bank.code)
    first = raise_()
    assert first["raised"] and raise_() == {"alert_id": first["alert_id"], "raised": False}
    end = lambda: bank.one("SELECT end_alert('FILE_QUARANTINED', %s, 'looked at')", bank.code)
    assert end() and not end() and raise_()["alert_id"] > first["alert_id"] and end()


def test_alerts_come_and_go_with_what_they_say(bank):
    ledger = bank.books[0]
    open_ = lambda: {(k, s) for k, s in bank.rows("SELECT kind, subject FROM settlement_alert_now")}
    refresh = lambda: bank.rows("SELECT refresh_alerts('0 seconds')") and open_()
    bank.terms(cap=net_of(1000), low=net_of(300))
    bank.open()
    bank.one("SELECT set_float_low(%s, 'USD', %s, 't')", ledger.book, 10**12)
    low, nostro = ("FLOAT_LOW", f"{ledger.code} USD"), ("NOSTRO_LOW", bank.code)
    assert low in refresh() and nostro not in open_()
    told(bank, 900)
    assert nostro in refresh()
    assert bank.one("SELECT set_float_low(%s, 'USD', 0, 't')", ledger.book) and not bank.one("SELECT set_float_low(%s, 'USD', 0, 't')", ledger.book)
    bank.answer_all(ledger, REJECTED)
    assert low not in refresh() and nostro not in open_()
    told(bank, 100)
    bank.close(1)
    assert bank.end(1, "-1 second") == "DISPUTED"
    assert ("WINDOW_DISPUTED", f"{bank.code} 1") in refresh()
    bank.answer_all(ledger)
    assert bank.end(1, "-1 second") == "SETTLED" and ("WINDOW_DISPUTED", f"{bank.code} 1") not in refresh()


def test_a_window_is_not_late_while_holidays_put_its_cut_off_off(bank):
    today = bank.one("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Karachi')::date")
    late = lambda: bank.rows("SELECT refresh_alerts('0 seconds')") and ("WINDOW_LATE", f"{bank.code} 1") in bank.rows(
        "SELECT kind, subject FROM settlement_alert_now")
    record = lambda days, kind: bank.one("SELECT record_calendar_day(%s, %s, 'Eid', 't')", today - datetime.timedelta(days=days), kind)
    for days in (1, 2, 3):
        record(days, "holiday")
    bank.terms()
    bank.one("SELECT window_no FROM open_first_window(%s::int2, clock_timestamp() - interval '3 days')", bank.id)
    assert not late()
    record(1, "working")     # the moon was not seen: yesterday's cut-off was one
    assert late()
    record(1, "holiday")
    assert not late()
    for days in (1, 2, 3):
        record(days, "working")
    assert late()
    for days in (1, 2, 3):      # as they are, for whoever counts working days
        if (today - datetime.timedelta(days=days)).weekday() > 4:
            record(days, "holiday")


def test_the_newest_record_of_a_day_counts(bank):
    record = lambda day, kind, name="x": bank.one("SELECT record_calendar_day(%s, %s, %s, 't')", day, kind, name)
    works = lambda day: bank.one("SELECT working_day(%s::date)", day)
    friday, saturday = "2031-01-03", "2031-01-04"
    assert works(friday) and not works(saturday)
    assert record(friday, "holiday", "Eid") and not record(friday, "holiday", "Eid") and not works(friday)
    assert record(friday, "working", "the moon was not seen") and works(friday)
    assert record(friday, "ramadan") and works(friday) and record(saturday, "ramadan") and not works(saturday)
    assert record(saturday, "working") and works(saturday)
    for bad in ((friday, "weekend"), (friday, "holiday", " "), ("1999-12-31", "holiday"), (None, "holiday")):
        assert bank.refused(record, *bad) in (FIELD_INVALID, 308)
    assert bank.one("SELECT count(*) FROM calendar_day WHERE day = %s", friday) == 3


def test_the_forecast_is_what_waits_and_the_median_of_working_days(bank):
    ledger = bank.books[0]
    pay(ledger, bank.code, [1000, 2000])
    now = bank.one("SELECT (date_trunc('day', clock_timestamp() AT TIME ZONE interval '5 hours') + interval '11 hours') AT TIME ZONE interval '5 hours'")
    bank.rows("SELECT 1")
    guess = bank.row("SELECT * FROM bank_forecast(%s::int2, %s, %s)", bank.id, now, now + datetime.timedelta(hours=3))
    assert guess["waiting"] == net_of(1000) + net_of(2000) and guess["usual"] == 0 and 18 <= guess["days"] <= 21
    # Four weeks on, with every other day of them off, what came in today's hour is all that there is to go by.
    clock = bank.one("SELECT clock_timestamp()")
    today = (clock + datetime.timedelta(hours=5)).date()
    for n in range(1, 28):
        bank.one("SELECT record_calendar_day(%s, 'holiday', 'x', 't')", today + datetime.timedelta(days=n))
    for day in (today, today - datetime.timedelta(days=1)):          # it may be just after midnight
        bank.one("SELECT record_calendar_day(%s, 'working', 'x', 't')", day)
    then, span = clock + datetime.timedelta(days=28), datetime.timedelta(minutes=30)
    seen = bank.row("SELECT * FROM bank_forecast(%s::int2, %s, %s)", bank.id, then - span, then + span)
    assert seen["days"] == 1 and seen["usual"] == net_of(1000) + net_of(2000) == seen["waiting"]
    assert bank.row("SELECT * FROM bank_forecast(%s::int2, %s, %s)", bank.id, then, then + span)["usual"] == 0     # it had come before
    assert bank.row("SELECT * FROM bank_forecast(%s::int2, %s, %s)", bank.id, then, then)["days"] == 0


def test_taxes_that_are_not_as_estimated_are_listed(bank):
    ledger, (a, b, c) = told(bank, 1000, 2000, 3000)
    put_policy(bank.db, [("withholding_bps", "OTHER", 0, 100)], long_ago())
    assert bank.answer(ledger, a, net_of(1000), tax_withheld=net_of(1000) // 100, eprc_number="E1") == OK
    assert bank.answer(ledger, b, net_of(2000), tax_withheld=7) == OK
    assert bank.answer(ledger, c, net_of(3000)) == OK
    assert bank.rows("SELECT payout_id, expected, tax_withheld, difference FROM tax_difference WHERE bank_id = %s ORDER BY 1", bank.id) == [
        (b, net_of(2000) // 100, 7, 7 - net_of(2000) // 100), (c, net_of(3000) // 100, None, -(net_of(3000) // 100))]


# ---------------------------------------------------------------- taxes
def long_ago():
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=9)


@pytest.fixture
def taxed(cluster):
    """A ledger of its own, whose blocks can be dated back; two banks, two books."""
    with psycopg.connect(new_database(cluster).uri(), autocommit=True, options="-c search_path=ujrat") as db:
        both = [Ledger(db, code, banks=("SAMB", "OTHR"), currencies=(USD,)) for code in ("one", "two")]
        for ledger in both:
            assert ledger.deposit(USD, 10_000_000_00, "dep") == OK
        db.execute("ALTER TABLE block DISABLE TRIGGER append_only")
        yield [Bank(db, code, both) for code in ("SAMB", "OTHR")]


def paid(bank, book, *taxes):
    """Payments of 1,000.00 USD, a tax of each."""
    ledger, ids = told(bank, *[100_000] * len(taxes), book=book)
    for i, tax in zip(ids, taxes):
        assert bank.answer(ledger, i, net_of(100_000), tax_withheld=tax) == OK
    return [f"UJ{ledger.book}-{i}" for i in ids]


def yesterday(bank):
    """As check_taxes has it."""
    return bank.one("SELECT ((clock_timestamp() - interval '1 hour') AT TIME ZONE 'Asia/Karachi')::date - 1")


def dated_back(bank, day):
    """All that was done since the last time was done on that day."""
    bank.db.execute("""UPDATE block SET committed_at = (%s::date + time '12:00') AT TIME ZONE 'Asia/Karachi' + block_no * interval '1 ms'
                        WHERE block_no > 0 AND committed_at > clock_timestamp() - interval '10 minutes'""", (day,))


def tax_alerts(bank):
    return bank.rows("SELECT subject, detail FROM settlement_alert_now WHERE kind = 'TAX_DIFFERS' ORDER BY alert_id")


def compare(bank):
    return bank.rows("SELECT checked, raised FROM check_taxes()")[0]


def expect_one_percent(bank):
    """From then on what is paid names that version."""
    version = put_policy(bank.db, [("withholding_bps", who, 0, 100) for who in ("PSEB", "OTHER")], long_ago())
    for ledger in bank.books:
        ledger.policy = version


def test_taxes_of_a_day_that_differ_are_one_alert_a_bank(taxed):
    bank, other = taxed
    day = yesterday(bank)
    expected = net_of(100_000) * 100 // 10_000
    paid(bank, 0, 1, 2)
    dated_back(bank, day - datetime.timedelta(days=1))
    assert compare(bank) == (None, None)                                    # nothing is expected
    expect_one_percent(bank)
    paid(bank, 0, expected)
    first, = paid(bank, 0, None)
    paid(bank, 1, *[7] * 20)
    paid(other, 1, expected, expected)
    dated_back(bank, day)
    assert compare(bank) == (day, 1)
    (subject, detail), = tax_alerts(bank)
    assert subject == f"SAMB {day}"
    assert "of 21 payments" in detail and "PKR 1.40, where PKR %s was" % f"{21 * expected / 100:,.2f}" in detail and detail.endswith(" " + first)
    assert compare(bank) == (None, None) and len(tax_alerts(bank)) == 1     # a day once
    paid(other, 0, 9)                                                       # of today: not over yet
    assert compare(bank) == (None, None)
    assert bank.one("SELECT dismiss_alert('TAX_DIFFERS', %s, 'their rate is another: agreed')", subject)
    bank.rows("SELECT refresh_alerts()")
    assert tax_alerts(bank) == [] and compare(bank) == (None, None)


def test_days_that_nobody_compared_are_made_up_for_one_by_one(taxed):
    bank, _ = taxed
    expect_one_percent(bank)
    last = yesterday(bank)
    paid(bank, 0, 5)
    dated_back(bank, last - datetime.timedelta(days=1))
    bank.db.execute("INSERT INTO tax_day VALUES (%s::date - 3, now())", (last,))
    assert [compare(bank) for _ in range(4)] == [(last - datetime.timedelta(days=ago), n) for ago, n in ((2, 0), (1, 1), (0, 0))] + [(None, None)]
    assert len(tax_alerts(bank)) == 1
