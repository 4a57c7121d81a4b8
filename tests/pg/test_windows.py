"""Windows: what they hold, when they close, how they end. Each test has a bank of its own, in two books."""
import random
import re

import pytest

from harness import operator
from settle_model import *

BANKS = tuple(f"W{a}{b}K" for a in "ABCDEFGH" for b in "ABCDEFGH")
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


def test_a_bank_without_terms_is_told_as_things_come(bank):
    ledger, _ = bank.books
    ids = pay(ledger, bank.code, [1000, 2000])
    told = bank.stream(ledger)
    assert told["last_payout_id"] == ids[-1] and told["moved"] and not told["kept_back"]
    assert bank.rows("SELECT window_no, instructions, amount FROM handout WHERE book_id = %s AND bank_id = %s", ledger.book, bank.id) == [
        (None, 2, net_of(1000) + net_of(2000))]
    position = bank.position()
    assert (position["pending_count"], position["pending_amount"], position["owed"], position["room"]) == (2, net_of(1000) + net_of(2000), 0, None)
    assert not bank.stream(ledger)["moved"]


def test_what_was_pending_before_terms_stays_pending_and_is_no_windows(bank):
    ledger, _ = bank.books
    pay(ledger, bank.code, [1000])
    bank.stream(ledger)
    bank.terms()
    bank.open()
    pay(ledger, bank.code, [3000])
    bank.stream(ledger)
    assert bank.totals(1)["instructed_amount"] == net_of(3000)
    assert bank.position()["pending_amount"] == net_of(1000) + net_of(3000)
    bank.answer_all(ledger)
    position = bank.position()
    assert (position["pending_count"], position["pending_amount"], position["owed"]) == (0, 0, net_of(1000) + net_of(3000))


def test_nothing_is_told_before_the_first_window_is_open(bank):
    ledger, _ = bank.books
    pay(ledger, bank.code, [1000])
    bank.terms()
    assert bank.stream(ledger) == {"last_payout_id": 0, "moved": False, "kept_back": True}
    assert bank.open() == {"window_no": 1, "duplicate": False} and bank.open() == {"window_no": 1, "duplicate": True}
    assert bank.stream(ledger)["moved"]


def test_a_window_needs_terms(bank):
    assert bank.refused(bank.open) == STATE_CONFLICT


def test_by_windows_and_by_files_a_stream_is_told_only_what_was_handed_out(bank):
    ledger, _ = bank.books
    bank.terms(mode="windows")
    bank.open()
    ids = pay(ledger, bank.code, [1000])
    assert bank.stream(ledger) == {"last_payout_id": 0, "moved": False, "kept_back": False}
    told = bank.hand_out(ledger)
    assert (told["instructions"], told["amount"], told["moved"], told["last_payout_id"]) == (1, net_of(1000), True, ids[0])
    assert bank.stream(ledger) == {"last_payout_id": ids[0], "moved": False, "kept_back": False}
    bank.terms(channel="file")
    pay(ledger, bank.code, [1000])
    assert not bank.stream(ledger)["moved"] and bank.hand_out(ledger)["moved"]


def test_closing_fixes_what_was_handed_out_and_opens_the_next(bank):
    one, two = bank.books
    bank.terms()
    bank.open()
    pay(one, bank.code, [1000, 2000])
    gone, = pay(two, bank.code, [4000])
    pay(two, bank.code, [5000])
    assert two.cancel(gone) == OK
    bank.stream(one)
    bank.stream(two)
    closed = bank.close(1)
    total = net_of(1000) + net_of(2000) + net_of(5000)
    assert (closed["instructions"], closed["amount"], closed["duplicate"]) == (3, total, False)
    assert bank.rows("SELECT book_id, instructions, amount FROM window_book WHERE bank_id = %s ORDER BY 1", bank.id) == [
        (one.book, 2, net_of(1000) + net_of(2000)), (two.book, 1, net_of(5000))]
    assert bank.close(1) == {**closed, "duplicate": True}
    pay(one, bank.code, [7000])
    bank.stream(one)
    assert bank.totals(1)["instructed_amount"] == total and bank.totals(2)["instructed_amount"] == net_of(7000)
    assert [bank.window(n)["state"] for n in (1, 2)] == ["CLOSED", "OPEN"]
    assert bank.refused(bank.close, 3) == bank.refused(bank.close, 0) == WINDOW_NOT_FOUND
    bank.answer_all(one)
    bank.answer_all(two)


def test_a_window_without_instructions_is_settled_at_once(bank):
    bank.terms()
    bank.open()
    assert bank.close(1)["instructions"] == 0
    assert bank.end(1, "1 hour") == "SETTLED" and bank.window(1)["net_amount"] == 0
    assert bank.end(1, "1 hour") == "SETTLED"
    assert bank.one("SELECT count(*) FROM window_end WHERE bank_id = %s", bank.id) == 1


def closed(bank, *amounts):
    """A closed window of these amounts, in the first book."""
    ledger = bank.books[0]
    bank.terms()
    bank.open()
    ids = pay(ledger, bank.code, amounts)
    bank.stream(ledger)
    bank.close(1)
    return ledger, ids


def test_a_window_is_settled_when_every_instruction_has_its_answer(bank):
    ledger, (a, b) = closed(bank, 1000, 2000)
    assert bank.end(1, "1 hour") == "CLOSED"
    assert bank.answer(ledger, a, net_of(1000)) == OK and bank.end(1, "1 hour") == "CLOSED"
    assert bank.answer(ledger, b, net_of(2000), REJECTED) == OK and bank.end(1, "1 hour") == "SETTLED"
    w = bank.window(1)
    assert (w["settled_count"], w["settled_amount"], w["rejected_count"], w["rejected_amount"], w["pending_count"], w["net_amount"]) == (
        1, net_of(1000), 1, net_of(2000), 0, net_of(1000))


def test_a_window_is_disputed_at_its_deadline_and_settled_when_the_answers_came_late(bank):
    ledger, (a,) = closed(bank, 1000)
    assert bank.end(1, "-1 second") == "DISPUTED" == bank.end(1, "-1 second")
    assert bank.one("SELECT count(*) FROM window_end WHERE bank_id = %s", bank.id) == 1
    assert bank.answer(ledger, a, net_of(1000)) == OK
    assert bank.end(1, "-1 second") == "SETTLED"


def test_a_holiday_that_was_announced_late_moves_the_deadline(bank):
    """The caller computes it anew: what was stored with the closing does not count then."""
    ledger, (a,) = closed(bank, 1000)
    assert bank.one("SELECT end_window(%s::int2, 1, %s)", bank.id, bank.settle) == "CLOSED"
    assert bank.end(1, "1 day") == "CLOSED"
    bank.answer_all(ledger)


def test_the_banks_totals_settle_or_dispute_a_window(bank):
    ledger, (a, b) = closed(bank, 1000, 2000)
    bank.answer(ledger, a, net_of(1000))
    assert bank.report(1, 1, net_of(1000), 0, 0) == "CLOSED"          # as ours, and one answer is missing
    assert bank.report(1, 2, net_of(1000) + net_of(2000), 0, 0) == "DISPUTED"
    assert "others than ours" in bank.window(1)["reason"]
    bank.answer(ledger, b, net_of(2000), REJECTED)
    assert bank.end(1, "1 hour") == "DISPUTED"
    assert bank.report(1, 1, net_of(1000), 1, net_of(2000)) == "SETTLED"
    assert bank.report(1, 1, net_of(1000), 1, net_of(2000)) == "SETTLED"
    assert bank.one("SELECT count(*) FROM window_report WHERE bank_id = %s", bank.id) == 3
    assert bank.refused(bank.report, 1, 2, net_of(1000), 1, net_of(2000)) == STATE_CONFLICT
    assert bank.refused(bank.report, 2, 0, 0, 0, 0) == STATE_CONFLICT                        # still open
    assert bank.refused(bank.report, 3, 0, 0, 0, 0) == WINDOW_NOT_FOUND
    assert bank.refused(bank.report, 1, 1, net_of(1000), 1, net_of(2000), ccy=USD) == CURRENCY_MISMATCH
    assert bank.refused(bank.report, 1, -1, 0, 0, 0) == 101


def shown(reason_of, who, sql, *values):
    """What comes of a statement of this operator; CODE in it is one of theirs."""
    with who.session() as db:
        return reason_of(lambda: db.execute("SELECT " + sql.replace("CODE", f"'{who.code()}'"), values))


def test_two_people_settle_a_disputed_window_and_one_does_not(bank, database):
    ledger, (a,) = closed(bank, 1000)
    anna, bilal = operator(database, "anna_w"), operator(database, "bilal_w")
    say = lambda who, sql, *args: shown(bank.refused, who, sql, bank.id, 1, *args)
    propose, approve = "propose_window_settled(%s::int2, %s, %s, CODE)", "approve_window_settled(%s::int2, %s, %s, CODE)"
    dispute = "dispute_window(%s::int2, %s, %s)"
    assert say(anna, propose, "too early") == STATE_CONFLICT             # nobody disputes it
    assert say(anna, dispute, "the file is odd") == OK == say(anna, dispute, "the file is odd")
    bank.answer_all(ledger)
    assert bank.end(1, "-1 day") == "DISPUTED"                           # what a person disputed, persons settle
    assert say(anna, approve, 1) == FIELD_INVALID
    assert say(anna, propose, "looked at") == OK == say(anna, propose, "looked at")
    assert say(anna, approve, 1) == 502
    assert say(bilal, dispute, "not yet") == OK
    assert say(bilal, approve, 1) == STATE_CONFLICT                      # something became of it since
    assert say(anna, propose, "looked at again") == OK
    assert say(bilal, approve, 2) == OK == say(bilal, approve, 2)
    assert say(anna, dispute, "after all") == STATE_CONFLICT
    w = bank.window(1)
    assert (w["state"], w["reason"]) == ("SETTLED", "looked at again")
    assert bank.one("SELECT count(*) FROM window_end WHERE bank_id = %s", bank.id) == 3


@pytest.mark.parametrize("function,value", [("propose_window_settled", "x"), ("approve_window_settled", 1)])
def test_a_login_alone_settles_no_window(bank, database, function, value):
    ledger, _ = closed(bank, 1000)
    anna = operator(database, "anna_w")
    for code in (None, "12345"):
        with anna.session() as db:
            assert bank.refused(lambda: db.execute(f"SELECT {function}(%s::int2, 1, %s, %s)", (bank.id, value, code))) == 504
    code = anna.code()
    with anna.session() as db:
        refused = lambda: bank.refused(lambda: db.execute(f"SELECT {function}(%s::int2, 1, %s, %s)", (bank.id, value, code)))
        assert (refused(), refused()) == (STATE_CONFLICT if value == "x" else FIELD_INVALID, 507)
    bank.answer_all(ledger)


def test_nobody_settles_a_window_that_lacks_answers(bank, database):
    ledger, _ = closed(bank, 1000)
    anna, bilal = operator(database, "anna_w"), operator(database, "bilal_w")
    assert shown(bank.refused, anna, "dispute_window(%s::int2, 1, 'x')", bank.id) == OK
    assert shown(bank.refused, anna, "propose_window_settled(%s::int2, 1, 'x', CODE)", bank.id) == OK
    assert shown(bank.refused, bilal, "approve_window_settled(%s::int2, 1, 1, CODE)", bank.id) == STATE_CONFLICT
    bank.answer_all(ledger)


# ------------------------------------------------------------------ limits
def test_a_windows_maximum_keeps_back_what_is_more_until_the_next(bank):
    one, two = bank.books
    bank.terms(window_max=net_of(3000))
    bank.open()
    pay(one, bank.code, [1000, 1500, 1000])
    told = bank.stream(one)
    assert told["moved"] and told["kept_back"] and bank.totals(1)["instructed_amount"] == net_of(1000) + net_of(1500)
    assert bank.stream(one) == {"last_payout_id": told["last_payout_id"], "moved": False, "kept_back": True}
    pay(two, bank.code, [400])                                               # the rest of it, over all books
    assert bank.stream(two)["moved"] and bank.position()["room"] == net_of(3000) - net_of(1000) - net_of(1500) - net_of(400)
    bank.close(1)
    assert bank.stream(one)["moved"] and bank.totals(2)["instructed_amount"] == net_of(1000)


def test_the_cap_bounds_what_is_pending_and_owed_over_all_books(bank):
    one, two = bank.books
    bank.terms(cap=net_of(1000) * 2)
    bank.open()
    pay(one, bank.code, [1000])
    pay(two, bank.code, [1000, 1000])
    assert not bank.stream(one)["kept_back"] and bank.stream(two)["kept_back"]
    assert bank.position()["exposure"] == net_of(1000) * 2 and bank.position()["room"] == 0
    bank.answer_all(one)                                                     # owed now: as much at stake
    assert not bank.stream(two)["moved"] and bank.position()["owed"] == net_of(1000)
    bank.answer_all(two, REJECTED)                                           # nothing is owed of that
    assert bank.stream(two)["moved"]
    assert bank.position()["left_amount"] == 0


def test_what_no_window_can_take_waits_in_front_and_a_cancelled_one_takes_no_room(bank):
    ledger, _ = bank.books
    bank.terms(window_max=net_of(1000))
    bank.open()
    big, small = pay(ledger, bank.code, [2000, 500])
    assert bank.stream(ledger) == {"last_payout_id": 0, "moved": False, "kept_back": True}
    assert ("KEPT_BACK", f"UJ{ledger.book}-{big}") in bank.rows("SELECT kind, subject FROM alerts_due('1 hour')")
    assert ledger.cancel(big) == OK
    assert bank.stream(ledger) == {"last_payout_id": small, "moved": True, "kept_back": False}


@pytest.mark.parametrize("seed", range(3))
def test_hand_outs_fill_the_room_as_a_model_does(bank, seed):
    rnd = random.Random(seed)
    cap, window_max, left, exposure, waiting = 400_000, 250_000, 250_000, 0, {}
    bank.terms(cap=cap, window_max=window_max)
    bank.open()
    window = 1
    for ledger in bank.books:
        waiting[ledger.book] = []
    for _ in range(60):
        ledger = rnd.choice(bank.books)
        act = rnd.random()
        if act < 0.4:
            amounts = [rnd.randint(1, 200) for _ in range(rnd.randint(1, 6))]
            waiting[ledger.book] += [(i, net_of(a)) for i, a in zip(pay(ledger, bank.code, amounts), amounts)]
        elif act < 0.5 and waiting[ledger.book]:
            i = rnd.randrange(len(waiting[ledger.book]))
            assert ledger.cancel(waiting[ledger.book][i][0]) == OK
            waiting[ledger.book][i] = (waiting[ledger.book][i][0], 0)
        elif act < 0.8:
            limit = rnd.randint(1, 6)
            told = bank.stream(ledger, limit)
            room, took, kept = min(left, cap - exposure), 0, False
            for payout, net in waiting[ledger.book][:limit]:
                if net > room and net > 0:
                    kept = True
                    break
                room, left, exposure, took = room - net, left - net, exposure + net, took + 1
            assert (told["moved"], told["kept_back"]) == (took > 0, kept)
            waiting[ledger.book] = waiting[ledger.book][took:]
        elif act < 0.93:
            for payout, net in bank.pending(ledger)[:rnd.randint(0, 5)]:
                state = rnd.choice((SETTLED, REJECTED))
                assert bank.answer(ledger, payout, net, state) == OK
                exposure -= net if state == REJECTED else 0
        else:
            bank.close(window)
            window, left = window + 1, window_max
        assert bank.position()["exposure"] == exposure
    check_settlement_is_sound(bank.db)


# ------------------------------------------------------------------ terms
def test_terms_are_judged_and_the_same_again_is_no_news(bank):
    assert bank.terms() and not bank.terms() and bank.terms(mode="windows") and not bank.terms(mode="windows")
    for bad in ({"cutoffs": ()}, {"cutoffs": ("15:00", "11:00")}, {"cutoffs": ("11:00", "11:00")}, {"cutoffs": ("24:00",)}, {"mode": "never"},
                {"channel": "fax"}, {"cap": 0}, {"instruction_max": -1}, {"within": "-1 hour"}, {"escalate": "1 hour"}, {"mode": None}):
        assert bank.refused(bank.terms, **bad) == FIELD_INVALID, bad
    assert bank.refused(bank.terms, ccy=USD) == CURRENCY_NOT_SUPPORTED
    assert bank.refused(bank.terms, start=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)) == 308
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)
    assert bank.terms(mode="instant", start=later) and bank.refused(bank.terms, cap=7, start=later) == 304
    assert bank.one("SELECT mode FROM bank_terms_now WHERE bank_id = %s", bank.id) == "windows"


def test_a_payout_over_the_instruction_maximum_is_refused_and_a_retry_finds_its_first_answer(bank):
    ledger, _ = bank.books
    beneficiary = ledger.beneficiary(f"ben-{bank.code}", bank.code)
    draft = lambda reference, amount: ledger.draft(reference, beneficiary, price(amount, USD, 0, 0))
    before = draft(f"before-{bank.code}", 2000)
    assert ledger.post([before])[0] == [OK]
    bank.terms(instruction_max=net_of(1000))
    assert ledger.post([draft(f"a-{bank.code}", 1000)])[0] == [OK]
    assert ledger.post([draft(f"b-{bank.code}", 1001)])[0] == [AMOUNT_OVER_LIMIT]
    assert ledger.post([before])[0] == [DUPLICATE]
    assert ledger.post([draft(f"c-{bank.code}", 999), draft(f"d-{bank.code}", 5000), before])[0] == [OK, AMOUNT_OVER_LIMIT, DUPLICATE]
    carried = {**draft(f"e-{bank.code}", 5000), "beneficiary_id": None, "carried": ledger.details("carried " + bank.code, bank.code)}
    assert ledger.post([carried])[0] == [AMOUNT_OVER_LIMIT]


def test_what_limits_and_lists_are_read_by_roles_who_may(bank, database):
    bank.terms()
    bank.open()
    for role in ("ujrat_app", "ujrat_settle", "ujrat_auditor", "ujrat_operator"):
        with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as db:
            db.execute(f"SET ROLE {role}")
            for sql in ("SELECT * FROM windows_of_bank(%s::int2, 9, 9)", "SELECT * FROM bank_position(%s::int2)", "SELECT * FROM window_parts(%s::int2, 1, true)",
                        "SELECT * FROM bank_forecast(%s::int2, now(), now() + interval '2 hours')", "SELECT * FROM open_questions(%s::int2, 0, 9)",
                        "SELECT * FROM windows_to_end(%s::int2)", "SELECT * FROM tax_difference WHERE bank_id = %s"):
                db.execute(sql, (bank.id,))


def test_what_the_migration_counts_of_existing_hand_outs_is_what_is_kept_from_then_on(bank):
    one, two = bank.books
    a, b, c, d = pay(one, bank.code, [100, 200, 300, 400])
    assert one.cancel(c) == OK
    bank.stream(one)
    ids = pay(two, bank.code, [100, 200])
    bank.stream(two)
    assert bank.answer(one, a, net_of(100)) == OK and bank.answer(one, d, net_of(400), REJECTED) == OK
    bank.answer_all(two)
    text = (ROOT / "ledger" / "schema" / "0004_settlement.sql").read_text()
    select = re.search(r"INSERT INTO bank_book [^\n]*\n(SELECT .*?);", text, re.S).group(1)
    counted = {r[:2]: r[2:] for r in bank.rows(select)}
    kept = {r[:2]: r[2:] for r in bank.rows("SELECT book_id, bank_id, pending_count, pending_amount FROM bank_book")}
    assert {k: v[:2] for k, v in counted.items()} == kept
    assert counted[one.book, bank.id] == (1, net_of(200), b - 1) and counted[two.book, bank.id] == (0, 0, ids[-1])
