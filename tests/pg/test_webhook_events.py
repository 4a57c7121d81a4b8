"""Webhooks in the database: which events a book's rows make, and in which order deliveries come up."""
import itertools
import random
import re
import threading

import pytest

from batch_rows import end_unclaimed, put_batch
from settle_model import *

SENT, FAILED, PENDING = "DELIVERED", "FAILED", "PENDING"
numbers = itertools.count(1)


class Hooks:
    """One book and its webhooks."""

    def __init__(self, database):
        self.db = psycopg.connect(database, autocommit=True, options="-c search_path=ujrat")
        self.ledger = Ledger(self.db, "h%d" % next(numbers), banks=("MUCB",), currencies=(USD,))
        self.book, self.bank = self.ledger.book, Bank(self.db, "MUCB", [self.ledger])
        assert self.ledger.deposit(USD, 10_000_000_00, "dep") == OK

    def one(self, sql, *args):
        return self.db.execute(sql, args).fetchone()[0]

    def rows(self, sql, *args):
        return self.db.execute(sql, args).fetchall()

    def create(self, types=("*",), url=None, concurrency=4):
        """Its public id, or why not."""
        public = "%017d" % next(numbers)
        verdict = self.one("SELECT create_webhook(%s, %s, %s, %s, %s::int2, 'test')", self.book, public, url or "https://h.example/" + public,
                           list(types), concurrency)
        return public if verdict == 1 else verdict

    def number_of(self, public):
        return self.one("SELECT webhook_id FROM webhook WHERE public_id = %s", public)

    def change(self, public, url=None, types=None, state=None):
        return self.one("SELECT change_webhook(%s, %s, %s, %s, NULL, %s, 'test', 'test')", self.book, public, url, types, state)

    def make(self, limit=1000, calls=1000):
        """Makes events until there is nothing to make; those that are new as (kind, batch, item, status)."""
        before = self.one("SELECT coalesce(max(event_no), 0) FROM webhook_event WHERE book_id = %s", self.book)
        for _ in range(calls):
            if not self.one("SELECT more FROM make_webhook_events(%s, %s)", self.book, limit):
                break
        return self.events(before)

    def events(self, after=0):
        return [(name.split(".", 1)[1].replace("PAYOUTSBATCH.", "B.").replace("PAYOUTS-ITEM.", "I."), batch, item, status)
                for name, batch, item, status in self.rows(
                    "SELECT name, batch_id, item_no, status FROM webhook_event_facts WHERE book_id = %s AND event_no > %s ORDER BY event_no",
                    self.book, after)]

    def journal(self):
        """The seq of a new journal that is nobody's."""
        assert self.ledger.deposit(USD, 1, "j%d" % next(numbers)) == OK
        return self.one("SELECT max(seq) FROM journal WHERE book_id = %s", self.book)

    def settle(self, state=SETTLED):
        while self.bank.stream(self.ledger)["moved"]:
            pass
        self.bank.answer_all(self.ledger, state)

    def due(self):
        """What could be sent now: (webhook's number, event)."""
        return [(w, e) for w, e in self.rows(
            "SELECT webhook_id, event_no FROM webhook_delivery d WHERE book_id = %s AND state = 'PENDING' AND next_at <= clock_timestamp() "
            "AND NOT EXISTS (SELECT FROM webhook_delivery b WHERE b.book_id = d.book_id AND b.webhook_id = d.webhook_id AND b.state = 'PENDING' "
            "AND b.batch_id = d.batch_id AND b.item_no = d.item_no AND b.event_no < d.event_no) ORDER BY webhook_id, event_no", self.book)]

    def record(self, webhook, event, attempt, state, status=200, wait_ms=0):
        return self.one("SELECT record_webhook_delivery(%s, %s, %s, %s::int2, %s, %s::int2, NULL, %s)", self.book, webhook, event, attempt, state,
                        status, wait_ms)


@pytest.fixture
def hooks(database):
    made = Hooks(database)
    yield made
    # one number after the other, and each of them once
    assert [n for n, in made.rows("SELECT event_no FROM webhook_event WHERE book_id = %s ORDER BY 1", made.book)] == list(
        range(1, 1 + (made.one("SELECT coalesce((SELECT event_no FROM webhook_cursor WHERE book_id = %s), 0)", made.book))))
    # (batches here are rows around payouts, not the ledger's own: what holds of those is not looked at)
    made.db.close()


# ------------------------------------------------------------------ endpoints
def test_a_url_is_taken_once_a_book_and_ten_are_the_most(hooks):
    first = hooks.create(url="https://h.example/x")
    assert hooks.create(url="https://h.example/x") == 2
    others = [hooks.create() for _ in range(9)]
    assert hooks.create() == 3
    assert hooks.change(others[0], url="https://h.example/x") == 2
    assert hooks.change(first, state="DELETED") == 1 and hooks.change(first, state="ENABLED") == 4
    assert isinstance(hooks.create(url="https://h.example/x"), str)


def test_two_who_create_at_once_get_no_more_than_ten(hooks, database):
    def create():
        with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as db:
            for _ in range(4):
                db.execute("SELECT create_webhook(%s, %s, %s, '{*}', 4::int2, 't')", (hooks.book, "%017d" % (n := next(numbers)), "https://h.example/%d" % n))

    threads = [threading.Thread(target=create) for _ in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert hooks.one("SELECT count(*) FROM webhook_now WHERE book_id = %s", hooks.book) == 10


def test_another_url_enables_a_disabled_one_and_other_types_do_not(hooks):
    public = hooks.create()
    state = lambda: hooks.rows("SELECT state, version FROM webhook_now WHERE public_id = %s", public)[0]
    disable = lambda version: hooks.one("SELECT disable_webhook(%s, %s, %s, 'answered 410')", hooks.book, hooks.number_of(public), version)
    assert disable(1) and state() == ("DISABLED", 2)
    assert not disable(1) and not disable(2)
    assert hooks.change(public, types=["PAYMENT.PAYOUTSBATCH.SUCCESS"]) == 1 and state() == ("DISABLED", 3)
    assert hooks.change(public, url="https://h.example/new") == 1 and state() == ("ENABLED", 4)
    assert not disable(3), "what an older address said is not of this one"


# ------------------------------------------------------------------ which events
def test_a_book_without_an_endpoint_makes_none(hooks):
    put_batch(hooks.db, hooks.book, pay(hooks.ledger, "MUCB", [1000]))
    hooks.settle()
    assert hooks.make() == [] and hooks.book not in {b for b, in hooks.rows("SELECT webhook_books()")}


def test_a_batch_goes_from_processing_to_success_with_its_items(hooks):
    hooks.create()
    batch = put_batch(hooks.db, hooks.book, pay(hooks.ledger, "MUCB", [1000, 2000]))
    assert hooks.book in {b for b, in hooks.rows("SELECT webhook_books()")}
    assert hooks.make() == [("B.PROCESSING", batch, 0, "PROCESSING")]
    hooks.settle()
    assert hooks.make() == [("I.SUCCEEDED", batch, 1, "SUCCESS"), ("I.SUCCEEDED", batch, 2, "SUCCESS"), ("B.SUCCESS", batch, 0, "SUCCESS")]
    assert hooks.make() == [] and hooks.book not in {b for b, in hooks.rows("SELECT webhook_books()")}


def test_what_happened_before_the_first_endpoint_is_not_told_and_what_goes_on_is(hooks):
    over = put_batch(hooks.db, hooks.book, pay(hooks.ledger, "MUCB", [1000]))
    hooks.settle()
    half = put_batch(hooks.db, hooks.book, ids := pay(hooks.ledger, "MUCB", [1000, 2000]))
    while hooks.bank.stream(hooks.ledger)["moved"]:
        pass
    assert hooks.bank.answer(hooks.ledger, ids[0], net_of(1000)) == OK
    hooks.create()
    assert hooks.make() == []
    hooks.settle()
    assert hooks.make() == [("I.SUCCEEDED", half, 2, "SUCCESS"), ("B.SUCCESS", half, 0, "SUCCESS")]
    payout = hooks.one("SELECT payout_id FROM payout_batch_item WHERE book_id = %s AND batch_id = %s", hooks.book, over)
    assert hooks.ledger.give_back("MUCB", payout, PKR, net_of(1000), 0, "AC04", "r1")[0] == OK
    assert hooks.make() == [("I.RETURNED", over, 1, "REVERSED")], "its end was before, and is not told now"


def test_a_batch_all_of_which_is_refused_is_denied_and_has_no_journal(hooks):
    hooks.create()
    before = hooks.one("SELECT next_seq FROM book_head WHERE book_id = %s", hooks.book)
    batch = put_batch(hooks.db, hooks.book, refused=2)
    assert hooks.one("SELECT next_seq FROM book_head WHERE book_id = %s", hooks.book) == before
    assert hooks.make() == [("B.PROCESSING", batch, 0, "PROCESSING"), ("I.FAILED", batch, 1, "FAILED"), ("I.FAILED", batch, 2, "FAILED"),
                            ("B.DENIED", batch, 0, "DENIED")]


def test_a_batch_with_something_unclaimed_succeeds_and_what_comes_later_is_told(hooks):
    hooks.create()
    seqs = [hooks.journal() for _ in range(3)]
    batch = put_batch(hooks.db, hooks.book, refused=1, unclaimed=seqs)
    assert [e[0] for e in hooks.make()] == ["B.PROCESSING", "I.FAILED", "I.UNCLAIMED", "I.UNCLAIMED", "I.UNCLAIMED", "B.SUCCESS"]
    payout, = pay(hooks.ledger, "MUCB", [1000])
    end_unclaimed(hooks.db, hooks.book, seqs[0], 1, hooks.journal(), payout)
    end_unclaimed(hooks.db, hooks.book, seqs[1], 2, hooks.journal())
    end_unclaimed(hooks.db, hooks.book, seqs[2], 3, hooks.journal())
    assert hooks.make() == [("I.RETURNED", batch, 3, "RETURNED"), ("I.CANCELED", batch, 4, "RETURNED")]
    hooks.settle()
    assert hooks.make() == [("I.SUCCEEDED", batch, 2, "SUCCESS")], "of the batch's end was told already"


def test_a_claim_before_the_end_is_waited_for(hooks):
    hooks.create()
    seq = hooks.journal()
    batch = put_batch(hooks.db, hooks.book, pay(hooks.ledger, "MUCB", [1000]), unclaimed=[seq])
    hooks.make()
    claimed, = pay(hooks.ledger, "MUCB", [1000])
    end_unclaimed(hooks.db, hooks.book, seq, 1, hooks.journal(), claimed)
    assert hooks.make() == []
    first = hooks.one("SELECT payout_id FROM payout_batch_item WHERE book_id = %s AND batch_id = %s AND item_no = 1", hooks.book, batch)
    while hooks.bank.stream(hooks.ledger)["moved"]:
        pass
    assert hooks.bank.answer(hooks.ledger, first, net_of(1000)) == OK
    assert hooks.make() == [("I.SUCCEEDED", batch, 1, "SUCCESS")]
    hooks.settle()
    assert hooks.make() == [("I.SUCCEEDED", batch, 2, "SUCCESS"), ("B.SUCCESS", batch, 0, "SUCCESS")]


def fees_told(hooks, batch):
    return [f for f, in hooks.rows("SELECT fees FROM webhook_event WHERE book_id = %s AND batch_id = %s AND item_no = 0 ORDER BY event_no", hooks.book, batch)]


@pytest.mark.parametrize("prompt", [True, False])
def test_a_batchs_end_tells_the_fees_of_what_was_claimed_until_then(hooks, prompt):
    """Whether its events are made at once or after all of it has happened."""
    hooks.create()

    def pay(fee):
        to = hooks.ledger.beneficiary("ben-MUCB", "MUCB")
        (outcome,), (payout,) = hooks.ledger.post([hooks.ledger.draft("fee-%d" % fee, to, price(100_000, USD, fee, 0))])
        assert outcome == OK
        return payout

    seqs = [hooks.journal() for _ in range(2)]
    batch = put_batch(hooks.db, hooks.book, [pay(80)], unclaimed=seqs)
    now = hooks.make if prompt else lambda: None
    now()
    end_unclaimed(hooks.db, hooks.book, seqs[0], 1, hooks.journal(), pay(90))
    now()
    hooks.settle()
    now()
    end_unclaimed(hooks.db, hooks.book, seqs[1], 1, hooks.journal(), pay(7))
    hooks.settle()
    hooks.make()
    assert fees_told(hooks, batch) == [80, 170]


def test_a_batch_that_was_taken_back_whole_ends_as_canceled(hooks):
    hooks.create()
    seqs = [hooks.journal() for _ in range(2)]
    whole, most = (pay(hooks.ledger, "MUCB", [1000, 2000]) for _ in range(2))
    batches = [put_batch(hooks.db, hooks.book, whole, unclaimed=seqs[:1]), put_batch(hooks.db, hooks.book, most),
               put_batch(hooks.db, hooks.book, refused=1, unclaimed=seqs[1:])]
    hooks.make()
    for seq in seqs:
        end_unclaimed(hooks.db, hooks.book, seq, 3, hooks.journal())
    for payout in [*whole, most[0]]:
        assert hooks.ledger.cancel(payout) == OK
    hooks.settle()
    hooks.make()
    last = lambda batch: [e for e in hooks.events() if e[1:3] == (batch, 0)][-1]
    assert [last(b)[::3] for b in batches] == [("B.SUCCESS", "CANCELED"), ("B.SUCCESS", "SUCCESS"), ("B.SUCCESS", "SUCCESS")]


def test_rejections_returns_parts_and_cancellations_have_their_names(hooks):
    hooks.create()
    ids = pay(hooks.ledger, "MUCB", [1000, 2000, 3000])
    batch = put_batch(hooks.db, hooks.book, ids)
    hooks.make()
    assert hooks.ledger.cancel(ids[2]) == OK
    while hooks.bank.stream(hooks.ledger)["moved"]:
        pass
    assert hooks.bank.answer(hooks.ledger, ids[0], net_of(1000), REJECTED) == OK
    assert hooks.bank.answer(hooks.ledger, ids[1], net_of(2000)) == OK
    half = net_of(2000) // 2
    assert hooks.ledger.give_back("MUCB", ids[1], PKR, half, 0, "AC04", "r1")[0] == OK
    assert hooks.ledger.give_back("MUCB", ids[1], PKR, net_of(2000) - half, 0, "AC04", "r2")[0] == OK
    assert hooks.ledger.take_back("MUCB", ids[1], "r2", "AM09", "r3")[0] == OK
    assert hooks.make() == [("I.CANCELED", batch, 3, "RETURNED"), ("I.FAILED", batch, 1, "FAILED"), ("I.SUCCEEDED", batch, 2, "SUCCESS"),
                            ("B.SUCCESS", batch, 0, "SUCCESS"), ("I.REFUNDED", batch, 2, "REFUNDED"), ("I.RETURNED", batch, 2, "REVERSED"),
                            ("I.REFUNDED", batch, 2, "REFUNDED")]
    assert hooks.one("SELECT reason_code FROM webhook_event WHERE book_id = %s AND kind = 5", hooks.book) == "AC04"


def test_payouts_of_no_batch_make_none(hooks):
    hooks.create()
    pay(hooks.ledger, "MUCB", [1000])
    hooks.settle()
    assert hooks.make() == []


@pytest.mark.parametrize("seed", range(8))
def test_the_pages_they_are_made_in_make_no_difference(database, seed):
    """The same history, its events made at other moments and by other amounts: the same events in the same order of each item and batch."""
    told = []
    for limit in (1, 3, 1000):
        r, h = random.Random(seed), Hooks(database)
        h.create()
        later = random.Random(limit)
        for _ in range(25):
            what = r.random()
            if what < 0.4:
                n = r.randint(0, 4)
                ids = pay(h.ledger, "MUCB", [1000 + 100 * i for i in range(n)]) if n else []
                put_batch(h.db, h.book, ids, refused=r.randint(0, 1) if ids else 1)
            elif what < 0.6:
                live = [p for p, in h.rows("SELECT p.payout_id FROM payout p WHERE book_id = %s ORDER BY 1", h.book)]
                h.ledger.cancel(r.choice(live or [1]))
            else:
                while h.bank.stream(h.ledger)["moved"]:
                    pass
                for payout, net in h.bank.pending(h.ledger)[:r.randint(1, 4)]:
                    assert h.bank.answer(h.ledger, payout, net, r.choice([SETTLED, REJECTED])) == OK
            if later.random() < 0.5:
                h.make(limit, calls=later.randint(1, 5))
        h.settle()
        h.make(limit)
        of = {}
        for event in h.events():
            of.setdefault(event[1:3], []).append(event)
        told.append(of)
        ends = [e for e in h.events() if e[0] in ("B.SUCCESS", "B.DENIED")]
        assert len(ends) == len({e[1] for e in ends}) == h.one("SELECT count(*) FROM payout_batch WHERE book_id = %s", h.book)
        assert h.rows("SELECT batch_id FROM webhook_batch WHERE book_id = %s AND (pending <> 0 OR NOT ended)", h.book) == []
        h.db.close()
    assert told[0] == told[1] == told[2]


def test_what_makes_events_twice_at_once_makes_them_once(hooks, database):
    hooks.create()
    put_batch(hooks.db, hooks.book, pay(hooks.ledger, "MUCB", [1000 + i for i in range(40)]))
    hooks.settle()

    def make():
        with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as db:
            while db.execute("SELECT more FROM make_webhook_events(%s, 5)", (hooks.book,)).fetchone()[0]:
                pass

    threads = [threading.Thread(target=make) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    hooks.make()
    assert len(hooks.events()) == 42 == hooks.one("SELECT count(*) FROM webhook_delivery WHERE book_id = %s", hooks.book)


def test_one_that_is_undone_leaves_nothing_and_comes_again_the_same(hooks):
    hooks.create()
    put_batch(hooks.db, hooks.book, pay(hooks.ledger, "MUCB", [1000, 2000]))
    with hooks.db.transaction(force_rollback=True):
        first = hooks.make()
    assert first and hooks.events() == [] and hooks.make() == first


# ------------------------------------------------------------------ deliveries
def test_an_endpoint_gets_what_it_asked_for(hooks):
    all_, some = hooks.create(), hooks.create(types=["PAYMENT.PAYOUTSBATCH.SUCCESS", "PAYMENT.PAYOUTS-ITEM.FAILED"])
    put_batch(hooks.db, hooks.book, pay(hooks.ledger, "MUCB", [1000]), refused=1)
    hooks.settle()
    hooks.make()
    of = lambda public: [n for n, in hooks.rows("SELECT name FROM webhook_delivery d JOIN webhook_event_facts f USING (book_id, event_no) "
                                                "WHERE d.book_id = %s AND webhook_id = %s ORDER BY event_no", hooks.book, hooks.number_of(public))]
    assert len(of(all_)) == 4
    assert of(some) == ["PAYMENT.PAYOUTS-ITEM.FAILED", "PAYMENT.PAYOUTSBATCH.SUCCESS"]


def test_the_next_event_of_an_item_waits_for_the_one_before_it(hooks):
    public = hooks.create(types=["PAYMENT.PAYOUTS-ITEM.SUCCEEDED", "PAYMENT.PAYOUTS-ITEM.REFUNDED", "PAYMENT.PAYOUTS-ITEM.RETURNED"])
    w = hooks.number_of(public)
    ids = pay(hooks.ledger, "MUCB", [1000, 2000])
    put_batch(hooks.db, hooks.book, ids)
    hooks.settle()
    assert hooks.ledger.give_back("MUCB", ids[0], PKR, 100, 0, "AC04", "a")[0] == OK
    assert hooks.make(1) and hooks.due() == [(w, 2), (w, 3)]        # 1 is the batch's, 4 and 5 its end and the refund
    refund = hooks.one("SELECT event_no FROM webhook_event WHERE book_id = %s AND kind = 10", hooks.book)
    assert hooks.record(w, 2, 1, PENDING, 500, 3_600_000) and hooks.due() == [(w, 3)]
    assert hooks.record(w, 3, 1, SENT) and hooks.due() == []
    assert not hooks.record(w, 2, 1, SENT), "that attempt is over"
    assert hooks.record(w, 2, 2, SENT) and hooks.due() == [(w, refund)]
    assert hooks.ledger.give_back("MUCB", ids[0], PKR, net_of(1000) - 100, 0, "AC04", "b")[0] == OK
    hooks.make()
    assert hooks.due() == [(w, refund)]
    assert hooks.record(w, refund, 1, FAILED, 500) and [e for _, e in hooks.due()] == [refund + 1]


def test_a_disabled_endpoint_gets_nothing_new_and_a_replay_gives_it(hooks):
    public = hooks.create()
    hooks.one("SELECT disable_webhook(%s, 1, 1, '410')", hooks.book)
    put_batch(hooks.db, hooks.book, pay(hooks.ledger, "MUCB", [1000]))
    hooks.settle()
    assert len(hooks.make()) == 3 and hooks.due() == []
    resend = lambda a, b, ids=None: hooks.one("SELECT resend_webhook_events(%s, %s, %s, %s)", hooks.book, ids, a, b)
    assert resend(1, 3) == 0
    assert hooks.change(public, state="ENABLED") == 1
    assert resend(1, 3, [public]) == 3 and hooks.due() == [(1, 1), (1, 2)], "3 is the batch's end and waits for its beginning"
    for event in (1, 2):
        assert hooks.record(1, event, 1, SENT)
    assert hooks.due() == [(1, 3)] and hooks.record(1, 3, 1, SENT)
    assert resend(2, 2) == 1 and hooks.due() == [(1, 2)]
    assert hooks.rows("SELECT attempts, last_status FROM webhook_delivery WHERE book_id = %s AND event_no = 2", hooks.book) == [(0, 200)]


def test_what_waits_for_a_deleted_endpoint_is_dropped(hooks):
    public = hooks.create()
    put_batch(hooks.db, hooks.book, refused=1)
    hooks.make()
    assert hooks.change(public, state="DELETED") == 1
    assert hooks.rows("SELECT DISTINCT state FROM webhook_delivery WHERE book_id = %s", hooks.book) == [("DROPPED",)] and hooks.due() == []


def test_a_simulated_event_is_for_one_endpoint_and_of_no_batch(hooks):
    one, other = hooks.create(), hooks.create()
    name = "PAYMENT.PAYOUTS-ITEM.UNCLAIMED"
    simulate = lambda public, url, name: hooks.one("SELECT simulate_webhook_event(%s, %s, %s, %s)", hooks.book, public, url, name)
    assert simulate("x", None, name) is None and simulate(one, None, "X") is None
    assert simulate(other, None, name) == 1 and simulate(None, "https://h.example/" + one, name) == 2
    assert hooks.due() == [(hooks.number_of(one), 2), (hooks.number_of(other), 1)]
    assert hooks.one("SELECT resend_webhook_events(%s, NULL, 1, 1)", hooks.book) == 1, "to the one it was for"


def test_events_hold_nothing_personal_and_the_notifier_sees_no_more(hooks):
    hooks.db.execute("SET ROLE ujrat_hooks")
    for table in ("payout_batch_item", "payout", "beneficiary", "beneficiary_pii", "receiver", "rest_credential", "journal", "unclaimed"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            hooks.db.execute("SELECT * FROM " + table)
    hooks.db.execute("SELECT * FROM webhook_event_facts")
    columns = {c for c, in hooks.rows("SELECT attname FROM pg_attribute WHERE attrelid = 'webhook_event_facts'::regclass AND attnum > 0")}
    assert not columns & {"sealed", "receiver_lookup", "receiver_kind", "email_subject", "email_message", "info"}
    hooks.db.execute("RESET ROLE")
