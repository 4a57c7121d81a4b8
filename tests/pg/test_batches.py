"""Batches, and what is unclaimed: all of a batch or nothing, each end once, whoever races or dies."""
import collections
import random
import threading

import psycopg
import pytest

from ledger_model import *

TAKEN, SAME, SENDER_REUSED, REQUEST_REUSED, NOT_COVERED = 1, 2, 3, 4, 5
UNCLAIMED, EXPIRED, CANCELLED_ASIDE, REFUSED = 8, 101, 102, 103
FLOAT = 1_000_000_00


def connect(database):
    return psycopg.connect(database, autocommit=True, options="-c search_path=ujrat")


@pytest.fixture
def ledger(database, request):
    with connect(database) as db:
        l = Ledger(db, "b-" + hashlib.md5(request.node.name.encode()).hexdigest()[:12])
        assert l.deposit(USD, FLOAT, "dep") == OK
        l.to = {bank: l.beneficiary("b-" + bank, bank) for bank in l.bank}
        l.credential()
        yield l
        check_books_are_sound(db, l.book)


def small(gross=10_00):
    return price(gross, USD, 10, 150)


def state_of_book(l):
    """Everything of the book that money or memory hangs on, as one text."""
    tables = ("payout", "payout_batch", "payout_batch_item", "unclaimed", "unclaimed_end", "unclaimed_open", "journal", "block", "account_balance",
              "book_head", "beneficiary", "receiver", "account")
    return {t: l.one(f"SELECT md5(coalesce(string_agg(x::text, '|' ORDER BY x::text), '')) FROM {t} x WHERE book_id = %s", l.book) for t in tables}


def money(l):
    """float, unclaimed"""
    balance = dict(l.db.execute("SELECT code, -balance FROM account_now WHERE book_id = %s", (l.book,)).fetchall())
    return balance["float.USD"], balance.get("unclaimed.USD", 0)


def aside(l, batch, n):
    return l.items_of(batch)[n][2]


def late(l, ids):
    """Makes these late, as if 30 days had passed."""
    with l.db.transaction():
        l.db.execute("SET LOCAL session_replication_role = replica")
        for table in ("unclaimed", "unclaimed_open"):
            l.db.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            l.db.execute(f"UPDATE {table} SET expires_at = now() - interval '1 s' WHERE book_id = %s AND unclaimed_id = ANY (%s)", (l.book, ids))
            l.db.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
            for trigger, in l.db.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", (table,)).fetchall():
                l.db.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


# ---------------------------------------------------------------- one batch
def test_items_become_what_they_can(ledger):
    l = ledger
    l.db.execute("UPDATE bank SET connected = false WHERE code = 'SCBL'")
    try:
        r = l.submit_batch([l.draft("m1", l.to["MUCB"], small()), l.nobody("m2", 20_00, USD, "note"), l.draft("m3", l.to["SCBL"], small()),
                            l.draft("m4", 777, small()), dict(l.draft("m5", None, small(), refusal=102)), l.draft("m6", l.to["HABB"], small())],
                           [l.item(sender_item_id="s1"), l.item("a@x"), l.item(), l.item(), l.item("b@x"), l.item(sender_item_id="s1")], "mixed")
    finally:
        l.db.execute("UPDATE bank SET connected = true WHERE code = 'SCBL'")
    assert r[0] == TAKEN
    got = l.items_of(r[1])
    assert [got[i][0] for i in range(1, 7)] == [ACCEPTED, UNCLAIMED, REFUSED, REFUSED, REFUSED, ACCEPTED]
    assert [got[i][3] for i in range(1, 7)] == [None, None, BANK_NOT_CONNECTED, BENEFICIARY_NOT_FOUND, 102, None]
    assert money(l) == (FLOAT - 40_00, 20_00)
    assert l.one("SELECT count(DISTINCT block_no) FROM journal WHERE book_id = %s AND kind IN (1, 15)", l.book) == 1
    totals = {row[0]: row[2:4] for row in l.named("batch_totals", l.book, r[1])}
    assert totals == {ACCEPTED: (2, 20_00), UNCLAIMED: (1, 20_00), REFUSED: (3, 30_00)}


def test_only_what_an_earlier_batch_has_is_an_item_id_used_again(ledger):
    l = ledger
    reused = lambda batch: [row[6] for row in l.named("batch_items", l.book, batch, 0, 100)]
    assert reused(l.submit_batch([l.draft("i1", l.to["MUCB"], small()), l.nobody("i2", 5, USD)], [l.item(None, "x"), l.item("q@x", "x")], "i")[1]) == [False, False]
    assert reused(l.submit_batch([l.draft("j1", l.to["MUCB"], small()), l.nobody("j2", 5, USD), l.nobody("j3", 5, USD)],
                                 [l.item(None, "x"), l.item("q@x", "y"), l.item("q@x")], "j")[1]) == [True, False, False]


@pytest.mark.parametrize("what", ("float", "fault", "sum", "currency"))
def test_a_batch_that_is_refused_leaves_nothing(ledger, what):
    l = ledger
    drafts = [l.draft("f1", l.to["MUCB"], small()), l.nobody("f2", 10_00, USD)]
    items = [l.item(), l.item("a@x")]
    before = state_of_book(l)
    if what == "float":
        drafts.append(l.nobody("f3", FLOAT - 20_00 + 1, USD))
        assert l.submit_batch(drafts, items + [l.item("b@x")], "f")[0] == NOT_COVERED
        assert state_of_book(l) == before
        drafts[2]["gross"] -= 1     # and to the last cent it is
        assert l.submit_batch(drafts, items + [l.item("b@x")], "f")[0] == TAKEN
        assert money(l) == (0, FLOAT - 10_00)
        return
    if what == "fault":
        drafts[0]["rate_id"] = 999
    if what == "currency":
        drafts[1]["src_ccy"] = JPY
    with pytest.raises(psycopg.Error) as raised:
        l.submit_batch(drafts, items[:1] if what == "sum" else items, "f")
    assert raised.value.sqlstate == "UJ604"
    assert state_of_book(l) == before


def test_a_batch_that_is_known_changes_nothing(ledger):
    l = ledger
    make = lambda: ([l.draft("k1", l.to["MUCB"], small()), l.nobody("k2", 10_00, USD)], [l.item(), l.item("a@x")])
    first = l.submit_batch(*make(), "k", "req", b"body")
    before = state_of_book(l)
    for sender, request, body, verdict, same_body, same_names in (
            ("k", "req", b"body", SAME, True, True), ("k", "req", b"other", REQUEST_REUSED, False, False),
            ("other", "req", b"body", SAME, True, False), ("k", None, b"body", SENDER_REUSED, True, False),
            ("k", "new", b"other", SENDER_REUSED, False, False), (None, "req", b"body", SAME, True, False)):
        assert l.submit_batch(*make(), sender, request, body) == (verdict, first[1], first[2], same_body, same_names)
    assert state_of_book(l) == before
    with pytest.raises(psycopg.errors.CheckViolation):
        l.submit_batch(*make())
    assert state_of_book(l) == before


def test_a_reference_of_another_door_is_refused_and_not_shared(ledger):
    l = ledger
    d = l.draft("door", l.to["MUCB"], small())
    assert l.post([d])[0] == [OK]
    got = l.items_of(l.submit_batch([d, l.draft("own", l.to["MUCB"], small())], [l.item(), l.item()], "door")[1])
    assert (got[1][0], got[1][3], got[2][0]) == (REFUSED, REFERENCE_REUSED, ACCEPTED)
    b = l.submit_batch([l.nobody("later", 10_00, USD)], [l.item("z@x")], "later")[1]
    assert l.post([l.draft("later", l.to["MUCB"], small())])[0] == [OK]
    l.add_receiver(l.to["MUCB"], "z@x")
    before = money(l)
    assert l.claim([aside(l, b, 1)], [l.draft("later", l.to["MUCB"], small())]) == ([REFERENCE_REUSED], [None])
    assert money(l) == before


# ---------------------------------------------------------------- what is unclaimed
def set_aside(l, name, n=1, gross=10_00, ttl_s=86400):
    batch = l.submit_batch([l.nobody(f"{name}-{i}", gross, USD) for i in range(n)], [l.item(f"{name}{i}@x") for i in range(n)], name, ttl_s=ttl_s)[1]
    return [aside(l, batch, i + 1) for i in range(n)]


def test_a_claim_is_made_of_the_whole_float_too(ledger):
    l = ledger
    (one,) = set_aside(l, "w", gross=FLOAT)
    assert money(l) == (0, FLOAT)
    l.add_receiver(l.to["MUCB"], "w0@x")
    assert [r[1] for r in l.named("unclaimed_due", 0, 0, 10) if r[0] == l.book] == [one]
    assert l.claim([one], [l.draft("w-0", l.to["MUCB"], price(FLOAT, USD, 10, 150))])[0] == [OK]
    assert money(l) == (0, 0)


def test_claims_are_each_by_itself(ledger):
    l = ledger
    a, b, c, d, e = set_aside(l, "e", 5)
    for i in range(4):
        l.add_receiver(l.to["SCBL" if i == 1 else "MUCB"], f"e{i}@x")
    late(l, [c])
    l.db.execute("UPDATE bank SET connected = false WHERE code = 'SCBL'")
    try:
        drafts = [l.draft(f"e-{i}", l.to["SCBL" if i == 1 else "MUCB"], small()) for i in range(5)]
        outcome, ids = l.claim([a, b, c, d, e, 99999, a], drafts + [l.nobody("none", 1, USD), drafts[0]])
    finally:
        l.db.execute("UPDATE bank SET connected = true WHERE code = 'SCBL'")
    assert outcome == [OK, BANK_NOT_CONNECTED, STATE_CONFLICT, OK, BENEFICIARY_NOT_FOUND, PAYOUT_NOT_FOUND, STATE_CONFLICT]
    assert ids[0] and ids[3] and ids[3] == ids[0] + 1 and ids[1:3] == [None, None]
    assert l.claim([a, b], drafts[:2]) == ([DUPLICATE, OK], [ids[0], ids[3] + 2])
    assert l.return_unclaimed([a, c, c, e]) == [STATE_CONFLICT, OK, DUPLICATE, STATE_CONFLICT]
    assert [l.cancel_unclaimed(x) for x in (e, e, a, c, 99999)] == [OK, OK, STATE_CONFLICT, STATE_CONFLICT, PAYOUT_NOT_FOUND]
    assert l.return_unclaimed([e]) == [STATE_CONFLICT]
    states = {u: row[0] for row in l.items_of(1).values() for u in [row[2]]}
    assert states == {a: ACCEPTED, b: ACCEPTED, c: EXPIRED, d: ACCEPTED, e: CANCELLED_ASIDE}


def test_a_claim_goes_to_who_has_the_receiver_and_is_what_was_set_aside(ledger):
    l = ledger
    (one,) = set_aside(l, "t")
    l.add_receiver(l.to["MUCB"], "t0@x")
    good = l.draft("t-0", l.to["MUCB"], small())
    before = state_of_book(l)
    assert l.claim([one], [l.draft("t-0", l.to["HABB"], small())])[0] == [BENEFICIARY_NOT_FOUND]
    assert l.claim([one], [dict(good, refusal=406)])[0] == [406]
    for wrong in ({"reference": "t-1"}, {"gross": 11_00}, {"info": "another"}, {"src_ccy": JPY}, {"quote_id": 1}, {"rate_id": 999}):
        with pytest.raises(psycopg.Error) as raised:
            l.claim([one], [dict(good, **wrong)])
        assert raised.value.sqlstate == "UJ604", wrong
    with pytest.raises(psycopg.Error):
        l.claim([one], [dict(good, carried=l.details("somebody", "MUCB"))])
    assert state_of_book(l) == before
    assert l.add_receiver(l.to["HABB"], "t0@x")        # taken over
    assert l.claim([one], [good])[0] == [BENEFICIARY_NOT_FOUND]
    assert l.claim([one], [l.draft("t-0", l.to["HABB"], small())])[0] == [OK]


def test_the_unclaimed_account_never_goes_below_zero(ledger):
    l = ledger
    set_aside(l, "z")
    ids = dict(l.db.execute("SELECT code, account_id FROM account WHERE book_id = %s", (l.book,)).fetchall())
    with pytest.raises(psycopg.errors.CheckViolation, match="float_not_below_zero"), l.db.transaction():
        head = l.db.execute("SELECT seq, block_no, at FROM begin_block(%s)", (l.book,)).fetchone()
        l.db.execute("""INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor)
                        VALUES (%s, %s, %s, %s, 9, %s, '{840,840}', '{1001,-1001}')""",
                     (head[0], head[1], l.book, l.principal, [ids["unclaimed.USD"], ids["float.USD"]]))
        l.db.execute("SELECT close_block(%s, %s, %s, %s, %s)", (l.book, head[1], head[0], head[0], head[2]))


# ---------------------------------------------------------------- races
def at_once(database, *calls):
    """Each in a thread and a session of its own, begun together; their answers."""
    answers, barrier = [None] * len(calls), threading.Barrier(len(calls))

    def run(i):
        with connect(database) as db:
            barrier.wait()
            answers[i] = calls[i](db)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


@pytest.mark.parametrize("round", range(6))
def test_of_all_ends_that_race_one_is_made(ledger, database, round):
    l = ledger
    ids = set_aside(l, f"r{round}", 12)
    for i in range(12):
        l.add_receiver(l.to["MUCB"], f"r{round}{i}@x")
    late(l, ids[::2])
    drafts = [l.draft(f"r{round}-{i}", l.to["MUCB"], small()) for i in range(12)]
    before = money(l)
    back = list(zip(ids, drafts))[::-1]
    at_once(database, lambda db: l.claim(ids, drafts, db), lambda db: l.claim([i for i, _ in back], [d for _, d in back], db),
            lambda db: l.return_unclaimed(ids, db), lambda db: l.return_unclaimed(ids[::-1], db),
            *(lambda db, k=k: [l.cancel_unclaimed(i, db) for i in ids[k::3]] for k in range(2)))
    ends = l.db.execute("SELECT outcome, count(*) FROM unclaimed_end WHERE book_id = %s GROUP BY 1", (l.book,)).fetchall()
    left = l.one("SELECT count(*) FROM unclaimed_open WHERE book_id = %s", l.book)
    assert sum(n for _, n in ends) + left == 12
    claimed = dict(ends).get(1, 0)
    assert money(l) == (before[0] + 10_00 * (12 - claimed - left), 10_00 * left)
    assert l.one("SELECT count(*) FROM payout WHERE book_id = %s", l.book) == claimed


def test_of_two_batches_under_one_name_one_is_taken(ledger, database):
    l = ledger
    for i in range(8):
        make = lambda: ([l.draft(f"n{i}-1", l.to["MUCB"], small()), l.nobody(f"n{i}-2", 10_00, USD)], [l.item(), l.item("n@x")])
        answers = at_once(database, *(lambda db: l.submit_batch(*make(), f"n{i}", db=db) for _ in range(3)))
        assert sorted(a[0] for a in answers) == [TAKEN, SENDER_REUSED, SENDER_REUSED] and len({a[1] for a in answers}) == 1
    assert money(l) == (FLOAT - 8 * 20_00, 8 * 10_00)


@pytest.mark.parametrize("seed", range(4))
def test_histories_by_many_at_once_keep_every_cent(ledger, database, seed):
    """Threads do what comes to their mind. Then: what was taken is paid, set aside or back, once, and the books are sound."""
    l = ledger
    taken, lock, errors = collections.Counter(), threading.Lock(), []
    people = [f"p{i}@x" for i in range(12)]
    owner = {p: list(l.to.values())[i % 3] for i, p in enumerate(people)}

    def one(db, rnd, n):
        what = rnd.choice(("submit", "submit", "submit", "again", "claim", "claim", "expire", "cancel", "register", "post"))
        if what in ("submit", "again"):
            name = f"s{seed}-{rnd.randrange(40)}" if what == "again" else f"s{seed}-{n}-{rnd.randrange(10**9)}"
            size, dear = rnd.randint(1, 12), rnd.random() < 0.1
            body = random.Random(name)
            drafts, items = [], []
            for i in range(size if what == "submit" else 3):
                gross = FLOAT if dear and i == 0 else body.randint(20, 900)
                if body.random() < 0.5:
                    drafts.append(l.nobody(f"{name}/{i}", gross, USD))
                    items.append(l.item(body.choice(people), f"id-{rnd.randrange(50)}"))
                else:
                    drafts.append(l.draft(f"{name}/{i}", body.choice(list(l.to.values()) + [999]), price(gross, USD, 10, 150)))
                    items.append(l.item())
            r = l.submit_batch(drafts, items, name, body=name.encode(), ttl_s=rnd.choice((1, 86400)), db=db)
            if r[0] == TAKEN:
                with lock:
                    taken[name] += 1
        elif what in ("claim", "expire", "cancel"):
            rows = db.execute("SELECT unclaimed_id, reference, gross, info FROM unclaimed WHERE book_id = %s ORDER BY random() LIMIT 5", (l.book,)).fetchall()
            ids = [r[0] for r in rows]
            if what == "claim" and rows:
                who = rnd.choice(list(l.to.values()))
                l.claim(ids, [dict(l.draft(r[1], who, price(r[2], USD, 10, 150)), info=r[3]) for r in rows], db)
            elif what == "expire" and rows:
                l.return_unclaimed(ids, db)
            elif rows:
                l.cancel_unclaimed(ids[0], db)
        elif what == "register":
            p = rnd.choice(people)
            db.execute("SELECT add_receiver(%s, %s, %s, 1::int2, %s, 1::int2, 'x')", (l.book, l.principal, owner[p], l.lookup(p)))
        else:
            db.execute("SELECT post_payouts(%s, %s, " + ARRAY_OF["payout_draft"] + ")",
                       (l.book, l.principal, json.dumps([l.draft(f"g-{n}-{rnd.random()}", l.to["MUCB"], small(500))])))

    def run(k):
        rnd = random.Random(seed * 100 + k)
        try:
            with connect(database) as db:
                for n in range(40):
                    one(db, rnd, k * 1000 + n)
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors[0]
    assert set(taken.values()) == {1} and len(taken) == l.one("SELECT count(*) FROM payout_batch WHERE book_id = %s", l.book)
    left, asides = money(l)
    paid = l.one("SELECT coalesce(sum(gross), 0)::int8 FROM payout WHERE book_id = %s", l.book)
    assert left + asides + paid == FLOAT
    kinds = dict(l.db.execute("SELECT kind, count(*) FROM journal WHERE book_id = %s GROUP BY 1", (l.book,)).fetchall())
    assert kinds[15] == kinds.get(16, 0) + kinds.get(17, 0) + l.one("SELECT count(*) FROM unclaimed_open WHERE book_id = %s", l.book)
    assert kinds.get(16, 0) > 0 and kinds.get(17, 0) > 0
    # claims come first in their block, and their payouts right behind, in the same order
    assert l.one("""SELECT count(*) FROM unclaimed_end e JOIN journal c ON c.book_id = e.book_id AND c.seq = e.seq
                      JOIN journal p ON p.book_id = e.book_id AND p.seq = e.payout_id JOIN block k ON k.book_id = c.book_id AND k.block_no = c.block_no
                     WHERE e.book_id = %s AND (p.block_no <> c.block_no OR e.payout_id - e.seq <> (k.last_seq - k.first_seq + 1) / 2)""", l.book) == 0


# ---------------------------------------------------------------- guards, rights, erasure
def test_what_is_written_stays_written(ledger):
    l = ledger
    (one, *_) = set_aside(l, "g", 2)
    l.cancel_unclaimed(one)
    l.add_receiver(l.to["MUCB"], "g1@x")
    for change in ("UPDATE payout_batch SET amount = 1", "DELETE FROM payout_batch", "UPDATE payout_batch_item SET gross = 1", "DELETE FROM payout_batch_item",
                   "UPDATE payout_batch_item SET sealed = NULL, key_id = NULL", "UPDATE payout_batch_item SET reason = NULL", "TRUNCATE payout_batch_item",
                   "UPDATE unclaimed SET gross = 1", "DELETE FROM unclaimed_end", "UPDATE unclaimed_end SET outcome = 2", "DELETE FROM unclaimed_open",
                   "UPDATE unclaimed_open SET receiver_lookup = sha256('x')", "DELETE FROM receiver", "UPDATE receiver SET beneficiary_id = 1",
                   "TRUNCATE receiver", "DELETE FROM rest_credential", "TRUNCATE unclaimed_open"):
        for mode in ("origin", "replica"):
            with pytest.raises(psycopg.Error) as raised, l.db.transaction():
                l.db.execute(f"SET LOCAL session_replication_role = {mode}")
                l.db.execute(change)
            assert raised.value.sqlstate == "UJ409", change


@pytest.mark.parametrize("role", ("ujrat_auditor", "ujrat_sealer", "ujrat_settle"))
def test_who_reads_the_books_sees_no_secret_and_nobody_s_address(ledger, role):
    l = ledger
    set_aside(l, "v")
    for hidden in ("receiver", "payout_batch_item", "unclaimed_open", "rest_credential", "batch_item_now"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), l.db.transaction():
            l.db.execute(f"SET LOCAL ROLE {role}")
            l.db.execute(f"SELECT * FROM {hidden}")
    for hidden in ("token_key", "secret_sha256", "secret_salt"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), l.db.transaction():
            l.db.execute(f"SET LOCAL ROLE {role}")
            l.db.execute(f"SELECT {hidden} FROM rest_credential")
    with l.db.transaction():
        l.db.execute(f"SET LOCAL ROLE {role}")
        l.db.execute("SELECT book_id, unclaimed_id, expires_at FROM unclaimed_open")
        l.db.execute("SELECT item_no, payout_id, unclaimed_id, gross FROM payout_batch_item")
        l.db.execute("SELECT * FROM unclaimed JOIN payout_batch USING (book_id, batch_id)")
        l.db.execute("SELECT client_id, enabled FROM rest_credential")


@pytest.mark.parametrize("call", ("end_unclaimed(1, 1, '{1}', 3::int2)", "reverse_unclaimed(1, 1, 1, 1, 17::int2, '{1}')",
                                  "post_in_block(1, 1, 1, 1, now(), '{}')", "open_unclaimed_account(1, 840::int2)",
                                  "add_rest_credential('ujrat://platform/x', 'x', '', '', '', false)", "rotate_receivers('{}', '{}', '{}', '{}', '{}', 1::int2, '{}')"))
def test_the_gateway_calls_what_it_needs_alone(ledger, call):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.db.transaction():
        ledger.db.execute("SET LOCAL ROLE ujrat_app")
        ledger.db.execute("SELECT " + call)


def sealed(l):
    return [row[:4] for row in l.db.execute("SELECT batch_id, item_no, sealed IS NOT NULL, receiver_lookup IS NOT NULL FROM payout_batch_item"
                                            " WHERE book_id = %s ORDER BY 1, 2", (l.book,)).fetchall()]


def test_who_is_erased_leaves_no_address(ledger):
    l = ledger
    who, other = l.to["MUCB"], l.to["HABB"]
    l.submit_batch([l.draft("x1", who, small()), l.nobody("x2", 10_00, USD), l.draft("x3", None, small(), refusal=102), l.draft("x4", other, small())],
                   [l.item("w@x"), l.item("w2@x"), l.item("w@x"), l.item("o@x")], "x")
    for receiver, whose in (("w@x", who), ("w2@x", who), ("o@x", other)):
        l.add_receiver(whose, receiver)
    erase = lambda: l.reason_of(lambda: l.db.execute("SELECT erase_beneficiary(%s, %s, 'me', 'asked')", (l.book, who)))
    for payout, in l.db.execute("SELECT payout_id FROM payout WHERE book_id = %s AND beneficiary_id = %s", (l.book, who)).fetchall():
        l.cancel(payout)
    assert erase() == STATE_CONFLICT        # money is set aside for a receiver of theirs
    (one,) = [u for _, _, u, _ in l.items_of(1).values() if u]
    outcome, (payout,) = l.claim([one], [l.draft("x2", who, small())])
    assert outcome == [OK] and erase() == STATE_CONFLICT
    assert l.cancel(payout) == OK and erase() == OK
    assert sealed(l) == [(1, 1, False, False), (1, 2, False, False), (1, 3, False, False), (1, 4, True, True)]
    assert [r[0] for r in l.db.execute("SELECT beneficiary_id FROM receiver WHERE book_id = %s", (l.book,)).fetchall()] == [other]
    assert l.reason_of(lambda: l.add_receiver(who, "w@x")) == BENEFICIARY_NOT_FOUND
    assert l.named("receiver_find", l.book, b"\x01" + l.lookup("w@x") + b"\x01" + l.lookup("o@x")) == [(1, other)]


def test_boxes_are_encrypted_anew_where_they_are_as_they_were_read(ledger):
    l = ledger
    l.submit_batch([l.draft("y1", l.to["MUCB"], small())], [l.item("y@x")], "y")
    l.add_receiver(l.to["MUCB"], "y@x")
    old = hashlib.sha256(b"sealed").digest()
    call = lambda name, keys, casts: l.one(f"SELECT {name}({casts}, %s::int2[], %s, 2::int2, %s)", *keys, [1], [old], [b"anew"])
    for expected in (1, 0):     # a second time they are no longer as they were
        assert call("rotate_batch_items", ([l.book], [1], [1]), "%s, %s, %s") == expected
        assert call("rotate_receivers", ([l.book], [1], [l.lookup("y@x")]), "%s, %s::int2[], %s") == expected
    assert l.db.execute("SELECT key_id, sealed FROM payout_batch_item WHERE book_id = %s", (l.book,)).fetchall() == [(2, b"anew")]
    assert l.db.execute("SELECT key_id, sealed FROM receiver WHERE book_id = %s", (l.book,)).fetchall() == [(2, b"anew")]
    assert l.named("receiver_remove", l.book, l.to["HABB"], 1, l.lookup("y@x")) == [(False,)]
    assert l.named("receiver_remove", l.book, l.to["MUCB"], 1, l.lookup("y@x")) == [(True,)]
    assert l.named("receiver_list", l.book, l.to["MUCB"]) == []
