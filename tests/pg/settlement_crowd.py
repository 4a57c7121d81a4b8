"""Settlement by many at once: several connections do random things to the same payouts, windows and fundings of a few books and one or
two banks. Nobody knows beforehand what each will be answered; what must hold whatever the order was is checked when all are done.

A crowd lives in a world of settlement_walk.py. What one seed does is not the same every time: who comes first is not drawn.
"""
import collections
import random
import threading

import psycopg

import settlement_reference as reference
from settlement_reference import ACCEPTED, CANCELLED, INSTRUCTED, PARTLY_RETURNED, PKR, RECORDED, REJECTED, RETURNED, SAID_BEFORE, SETTLED
from settlement_walk import OPERATORS, BanksBooks, Differs, Drawn, Real, WORLDS, FIRST_DAY, DAYS, sound, reconcile, world_of

MEMBERS, ROUNDS, TURNS = 4, 3, 14
FOCUS = 10     # how many payouts, the newest, all look at
# What is done to a payout of a state, as one sees it before; when it is done it may be another.
OF_STATE = {ACCEPTED: ("hand_out", "hand_out", "hand_out", "cancel"), INSTRUCTED: ("confirm", "confirm", "confirm", "hand_out", "ask", "cancel"),
            SETTLED: ("give_back", "give_back", "confirm"), PARTLY_RETURNED: ("give_back", "give_back", "take_back", "take_back"),
            RETURNED: ("take_back", "take_back", "give_back"), REJECTED: ("confirm", "submit"), CANCELLED: ("submit", "cancel")}
ELSE = ("submit", "submit", "hand_out", "close", "end", "end", "report", "fund_all", "fund_all", "refresh", "overdue", "dispute", "propose", "approve")


class Member(threading.Thread):
    """One of a crowd, with a connection of its own."""

    def __init__(self, crowd, seed, turns):
        super().__init__()
        self.crowd, self.rnd, self.turns = crowd, random.Random(seed), turns
        self.fault = None
        self.any()

    def run(self):
        try:
            with self.crowd.connect() as self.db:
                for _ in range(self.turns):
                    getattr(self, self.choose())()
        except Exception as e:      # of any kind: it is the crowd's
            self.fault = e

    # ---------------------------------------------------------------- calls
    def call(self, name, *a):
        """What it is answered, in the model's form; None: refused."""
        crowd = self.crowd
        sql = crowd.real.sql_of(name, a)
        login = sql.split()[1] if sql.startswith("as ") else None
        try:
            if login:
                self.db.execute("SET SESSION AUTHORIZATION " + login)
            cursor = self.db.execute(sql.split(" ", 2)[2] if login else sql)
            rows = [dict(zip([c.name for c in cursor.description], row)) for row in cursor.fetchall()]
        except psycopg.Error as e:
            if not (e.sqlstate or "").startswith("UJ"):
                raise Differs(f"{name}{a}: {e}")
            crowd.heard.append((name, a, int(e.sqlstate[2:]), None))
            return None
        finally:
            if login:
                self.db.execute("RESET SESSION AUTHORIZATION")
        answer = crowd.real.in_the_models_form(name, rows)
        crowd.heard.append((name, a, answer, rows))
        return answer

    def one(self, sql, *args):
        return self.db.execute(sql, args).fetchone()[0]

    # ---------------------------------------------------------------- turns
    def choose(self):
        self.there = there = self.crowd.payouts[-FOCUS:]
        if not there or self.rnd.random() < 0.35:
            return self.rnd.choice(ELSE)
        self.book, self.bank, self.payout, self.net = self.rnd.choice(there)
        real = self.crowd.real
        state = self.one("SELECT payout_state(%s, %s, %s::int2)", real.books[self.book].book, self.payout, real.bank[self.bank])
        name = self.rnd.choice(OF_STATE[state])
        return "give_back" if name == "take_back" and self.crowd.cap else name

    def any(self):
        self.book, self.bank = self.rnd.choice(list(self.crowd.real.books)), self.rnd.choice(self.crowd.banks)

    def submit(self):
        self.any()
        drafts = []
        for n in range(self.rnd.randint(1, 3)):
            gross = self.rnd.randint(100, 5000)
            ccy = self.crowd.ccy[self.book]
            drafts.append((f"{threading.get_ident()}-{self.rnd.getrandbits(40)}", self.bank, ccy, *self.crowd.price(ccy, gross)))
        if answer := self.call("submit", self.book, drafts):
            self.crowd.payouts.extend((self.book, self.bank, i, d[-1]) for outcome, i, d in zip(*answer, drafts) if outcome == RECORDED)

    def hand_out(self):
        if self.rnd.random() < 0.3:
            self.any()
        self.call("hand_out", self.book, self.bank, self.rnd.choice([1, 3, 1000]), self.rnd.random() < 0.5)

    def cancel(self):
        self.call("cancel", self.book, self.payout)

    def confirm(self):
        settled = self.rnd.random() < 0.75
        items = [(i, SETTLED, PKR, net, f"B{i}", None, None, None) if settled else (i, REJECTED, PKR, net, None, None, None, "AC04")
                 for book, bank, i, net in self.there
                 if (book, bank) == (self.book, self.bank) and (i == self.payout or self.rnd.random() < 0.3)]
        self.call("confirm", self.book, self.bank, items)

    def give_back(self):
        amount = self.rnd.choice([self.net, self.net // 2 + 1, self.net // 3 + 1])
        self.call("give_back", self.book, self.bank, self.payout, PKR, amount, self.rnd.choice([0, 0, amount // 10]), "AC04",
                  f"R{self.rnd.randint(0, 2)}")

    def take_back(self):
        self.call("take_back", self.book, self.bank, self.payout, f"R{self.rnd.randint(0, 2)}", "FOCR", f"V{self.rnd.randint(0, 2)}")

    def ask(self):
        self.call("ask", self.book, self.bank, [self.payout], [self.rnd.random() < 0.5], self.crowd.now + self.rnd.choice([-60, 600]))

    def overdue(self):
        self.any()
        self.call("overdue", self.bank, self.crowd.now + 600)

    def last_window(self):
        self.any()
        return self.one("SELECT window_no FROM bank_head WHERE bank_id = %s", self.crowd.real.bank[self.bank])

    def close(self):
        number = self.last_window()
        self.call("close", self.bank, number)

    def closed_window(self):
        return max(1, self.last_window() - self.rnd.choice([1, 1, 1, 2]))

    def end(self):
        number = self.closed_window()
        self.call("end", self.bank, number, self.crowd.now + self.rnd.choice([-60, 600]))

    def report(self):
        number = self.closed_window()
        totals = self.db.execute("SELECT settled_count, settled_amount, rejected_count, rejected_amount FROM window_totals(%s::int2, %s)",
                                 (self.crowd.real.bank[self.bank], number)).fetchone()
        self.call("report", self.bank, number, PKR, *(t + (self.rnd.random() < 0.05) for t in totals))

    def dispute(self):
        number = self.closed_window()
        self.call("dispute", self.rnd.choice(OPERATORS), self.bank, number, "odd")

    def propose(self):
        number = self.closed_window()
        self.call("propose", self.rnd.choice(OPERATORS), self.bank, number, "seen")

    def approve(self):
        number = self.closed_window()
        self.call("approve", self.rnd.choice(OPERATORS), self.bank, number, self.rnd.choice([1, 1, 2]))

    def refresh(self):
        self.call("refresh")

    def fund_all(self):
        """Several pay the same debt under the same reference: some are cut off on the way, others go on."""
        bank, amount, number = self.crowd.fundings[self.rnd.randrange(len(self.crowd.fundings))]
        books = [b for b in self.crowd.real.books if self.crowd.ccy[b] == "USD"]
        cost = max(len(books), amount // 27700)
        shares = reference.share_out(amount, [self.rnd.randint(1, 5) for _ in books])
        parts = {b: part for b, *part in zip(books, shares, reference.share_out(cost, shares)) if all(part)}
        name = f"{books[0].split('-')[0]}c{number}"
        if self.call("plan", name, bank, amount, "USD", cost, parts) is None:
            return
        for book, part, of_cost in self.call("planned", name)[:self.rnd.choice([1, 2, 9, 9])]:
            self.call("fund", book, bank, part, "USD", of_cost, name)


class Watch(threading.Thread):
    """Looks all the while at what must hold at every moment."""

    def __init__(self, crowd):
        super().__init__()
        self.crowd, self.over, self.fault, self.looks = crowd, threading.Event(), None, 0

    def run(self):
        crowd = self.crowd
        try:
            with crowd.connect() as db:
                while not self.over.wait(0.002):
                    exposure, off = db.execute(
                        """SELECT (SELECT max(bank_exposure(b)) FROM unnest(%s::int2[]) b),
                                  (SELECT jsonb_agg(x) FROM (SELECT a.book_id, a.ccy, sum(v.balance) FROM account a CROSS JOIN LATERAL (
                                       SELECT balance FROM account_balance v WHERE v.book_id = a.book_id AND v.account_id = a.account_id
                                        ORDER BY block_no DESC LIMIT 1) v WHERE a.book_id = ANY (%s) GROUP BY 1, 2 HAVING sum(v.balance) <> 0) x)""",
                        (crowd.real.bank_ids, crowd.real.book_ids)).fetchone()
                    self.looks += 1
                    if off or crowd.cap and exposure > crowd.cap:
                        raise Differs(f"an exposure of {exposure} above the cap of {crowd.cap}, or books that do not sum to zero: {off}")
        except Exception as e:
            self.fault = e


class Crowd:
    def __init__(self, pool, seed):
        self.rnd, self.pool, self.seed = random.Random(seed), pool, seed
        db, n = pool.take()
        books, self.banks = world_of(n, 3, self.rnd.choice([1, 1, 2]))
        self.now = (FIRST_DAY + (WORLDS - n) * DAYS + 1) * reference.DAY + 607
        self.m = reference.Settlement(books, self.banks, self.now)     # of it the terms and the calendar alone are used
        self.real = Real(pool, db, books, self.banks, self.now)
        self.real.m = self.m
        self.ccy = {book: currencies[0] for book, (currencies, _) in books.items()}
        self.payouts, self.heard, self.seen = [], [], collections.Counter()
        self.cap = self.rnd.choice([None, 4_000_000, 8_000_000])
        self.fundings = []
        self.begin(db)

    def price(self, ccy, gross):
        return Drawn(self.m, self.rnd.random()).draw_price(ccy, gross * (200 if ccy == "PKR" else 1))

    def connect(self):
        db = self.pool.another()
        db.execute("SET statement_timeout = '60s'")
        db.execute("SELECT set_config('model.shift', %s, false)", (self.real.shift,))
        return db

    def begin(self, db):
        for book, ccy in self.ccy.items():
            db.execute(self.real.sql_of("deposit", (book, ccy, 4_000_000 if ccy == "PKR" else 20_000, "d1")))
        for bank in self.banks:
            terms = {"mode": "instant", "channel": "grpc", "instruction_max": None, "window_max": self.rnd.choice([None, 3_000_000]), "cap": self.cap,
                     "low": 1_000_000, "within": 60, "escalate": 60, "settle": 60}
            self.m.set_terms(bank, **terms)
            db.execute(self.real.sql_of("set_terms", (bank, terms)))
            db.execute(self.real.sql_of("open_first", (bank,)))

    def round(self, turns=TURNS):
        """All at once, and then nobody: what must hold, holds."""
        self.fundings = [(bank, self.rnd.choice([500_000, 2_000_000, 7]), self.rnd.randint(0, 3)) for bank in self.banks for _ in (0, 1)]
        members = [Member(self, self.rnd.getrandbits(48), turns) for _ in range(MEMBERS)]
        watch = Watch(self)
        for t in (watch, *members):
            t.start()
        for t in members:
            t.join()
        watch.over.set()
        watch.join()
        for t in (*members, watch):
            if t.fault:
                raise t.fault
        assert watch.looks, "nobody looked"
        self.check()

    def check(self):
        sound(self.real.db)
        own = {bank: BanksBooks() for bank in self.banks}
        # A return before what takes it back: they were heard in another order than they were done.
        for name in ("confirm", "give_back", "take_back", "fund"):
            for said, a, answer, rows in self.heard:
                if said == name and rows is not None:
                    own[a[1]].heard(name, a, answer)
        reconcile(self.real, own)
        self.check_once()

    def check_once(self):
        """Whoever says the same is answered the same, and one of them alone did it."""
        done, answers = collections.Counter(), {}
        for name, a, answer, rows in self.heard:
            self.seen[name, "refused" if rows is None else "done"] += 1
            if rows is None:
                continue
            if name == "confirm":
                for item, outcome in zip(a[2], answer):
                    done["confirm", a[0], item[0]] += outcome == RECORDED
                    if outcome in (RECORDED, SAID_BEFORE) and answers.setdefault((a[0], item[0]), item) != item:
                        raise Differs(f"payout {item[0]} of {a[0]} is confirmed as {item} and as {answers[a[0], item[0]]}")
            elif name in ("give_back", "take_back") and "only_left" not in answer or name == "close":
                key = (name, *a) if name == "close" else (name, *a[:3], a[-1])
                same = {k: v for k, v in rows[0].items() if k != "duplicate"}
                if answers.setdefault(key, same) != same:
                    raise Differs(f"{name}{a} is answered {same} and {answers[key]}")
                done[key] += name == "close" and not answer[2]
            elif name == "fund":
                done[name, a[0], a[1], a[5]] += not answer
            elif name == "plan":
                done[name, a[0]] += not answer
            elif name == "approve":
                done[name, a[1], a[2]] += answer
        for key, n in done.items():
            if n > 1:
                raise Differs(f"{key} was done {n} times")


def crowd_fails(pool, seed):
    """What is wrong with a crowd: None, or an exception; and the crowd."""
    crowd = None
    try:
        crowd = Crowd(pool, seed)
        for _ in range(ROUNDS):
            crowd.round()
        return None, crowd
    except (Differs, AssertionError, psycopg.Error) as e:
        return e, crowd
