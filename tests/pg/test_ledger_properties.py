"""Random sequences of everything that moves money, beside a model that says what each should answer."""
import collections
import random
import time

import psycopg
import pytest

from ledger_model import *

SEEDS = tuple(range(1, 9))
STEPS = 220


class Model:
    def __init__(self, ledger):
        self.l = ledger
        self.balance = collections.Counter()
        self.deposits = {}
        self.payout = {}       # id -> dict
        self.by_reference = {}
        self.bank_of = {}      # beneficiary -> bank
        self.carried = {}
        self.quotes = {}       # id -> (pricing, expired)
        self.used = set()
        self.handed = collections.defaultdict(int)
        self.next_seq = 1
        self.events = []       # (seq, payout, state)
        self.pairs = set()     # seqs of those that are the second of two journals
        self.fundings = {}

    def write(self, lines):
        for account, minor in lines:
            self.balance[account] += minor
        seq = self.next_seq
        self.next_seq += 1
        return seq

    def lines(self, p):
        src = CODE[p["src_ccy"]]
        return [("float." + src, p["gross"]), ("fee." + src, -p["fee"]), ("position." + src, p["fee"] - p["gross"]),
                ("position.PKR", p["mid_value"]), ("margin.PKR", -p["margin"]), (f"payable.{p['bank']}.PKR", -p["net"])]

    def settle_lines(self, p):
        return [(f"payable.{p['bank']}.PKR", p["net"]), (f"nostro.{p['bank']}.PKR", -p["net"])]

    @staticmethod
    def reverse(lines):
        return [(a, -m) for a, m in lines]

    def move(self, p, state, seq):
        p["state"] = state
        self.events.append((seq, p["id"], state))

    # ------------------------------------------------------------------ the same calls
    def deposit(self, ccy, amount, reference):
        if reference in self.deposits:
            return OK if self.deposits[reference] == (ccy, amount) else REFERENCE_REUSED
        self.deposits[reference] = (ccy, amount)
        self.write([("correspondent." + CODE[ccy], amount), ("float." + CODE[ccy], -amount)])
        return OK

    def judge(self, d, batch):
        old = self.by_reference.get(d["reference"])
        if old:
            return DUPLICATE if old["fingerprint"] == d["fingerprint"] else REFERENCE_REUSED
        first = batch.get(d["reference"])
        if first:
            return first[1] if first[0] == d["fingerprint"] else REFERENCE_REUSED
        if d["refusal"]:
            return d["refusal"]
        if not d["carried"] and d["beneficiary_id"] not in self.bank_of:
            return BENEFICIARY_NOT_FOUND
        if d["quote_id"]:
            if d["quote_id"] not in self.quotes:
                return QUOTE_NOT_FOUND
            if d["quote_id"] in self.used:
                return QUOTE_USED
            pricing, expired = self.quotes[d["quote_id"]]
            if expired:
                return QUOTE_EXPIRED
            if any(d[k] != v for k, v in pricing.items()):
                return QUOTE_MISMATCH
        if "float." + CODE[d["src_ccy"]] not in self.l.account:
            return CURRENCY_NOT_SUPPORTED
        if d["gross"] > -self.balance["float." + CODE[d["src_ccy"]]]:
            return INSUFFICIENT_FLOAT
        return OK

    def post(self, drafts):
        outcomes, ids, batch = [], [], {}
        for d in drafts:
            verdict = self.judge(d, batch)
            batch.setdefault(d["reference"], (d["fingerprint"], verdict))
            if verdict == OK:
                if d["quote_id"]:
                    self.used.add(d["quote_id"])
                if d["carried"]:
                    bank = next(b for b, i in self.l.bank.items() if i == d["carried"]["bank_id"])
                else:
                    bank = self.bank_of[d["beneficiary_id"]]
                p = dict(d, bank=bank)
                p["id"] = self.write(self.lines(p))
                self.payout[p["id"]] = self.by_reference[d["reference"]] = p
                self.move(p, ACCEPTED, p["id"])
            outcomes.append(verdict)
            ids.append(self.by_reference[d["reference"]]["id"] if verdict in (OK, DUPLICATE) and d["reference"] in self.by_reference
                       else None)
        return outcomes, ids

    def hand_out(self, bank, limit):
        mine = [i for i in sorted(self.payout) if self.payout[i]["bank"] == bank and i > self.handed[bank]][:limit]
        if not mine:
            return self.handed[bank], False
        seq = self.write([])
        for i in mine:
            if self.payout[i]["state"] == ACCEPTED:
                self.move(self.payout[i], INSTRUCTED, seq)
        self.handed[bank] = mine[-1]
        return mine[-1], True

    def confirm(self, bank, items):
        out = []
        for i in items:
            p = self.payout.get(i["payout_id"])
            said = (i["state"], i["bank_reference"], i["tax_withheld"], i["eprc_number"], i["reason_code"])
            if not p or p["bank"] != bank or p["id"] > self.handed[bank] or p["state"] == CANCELLED:
                out.append(INSTRUCTION_NOT_FOUND)
            elif i["ccy"] != PKR:
                out.append(CURRENCY_MISMATCH)
            elif i["amount"] != p["net"]:
                out.append(FIELD_INVALID)
            elif (i["tax_withheld"] or 0) > p["net"]:
                out.append(AMOUNT_OVER_LIMIT)
            elif "said" in p:
                out.append(DUPLICATE if p["said"] == said else CONFIRMED_DIFFERENTLY)
            else:
                p["said"] = said
                lines = self.settle_lines(p) if i["state"] == SETTLED else self.reverse(self.lines(p))
                self.move(p, i["state"], self.write(lines))
                out.append(OK)
        return out

    def told_of(self, bank, payout):
        p = self.payout.get(payout)
        return p if p and p["bank"] == bank and payout <= self.handed[bank] and p["state"] != CANCELLED else None

    def give_back(self, bank, payout, ccy, amount, charge, code, reference):
        p = self.told_of(bank, payout)
        if not p:
            return (INSTRUCTION_NOT_FOUND,)
        if ccy != PKR:
            return (CURRENCY_MISMATCH,)
        if amount <= 0 or not 0 <= charge <= amount:
            return (FIELD_INVALID,)
        said = p.setdefault("answers", {}).get(reference)
        if said:
            return said[1] if said[0] == (amount, charge, code) else (CONFIRMED_DIFFERENTLY,)
        if p["state"] not in (SETTLED, PARTLY_RETURNED, RETURNED) or p.get("steps", 1) == STEPS_MAX:
            return (STATE_CONFLICT,)
        stack = p.setdefault("stack", [])
        before = sum(r["amount"] for r in stack)
        if amount > p["net"] - before:
            return (AMOUNT_OVER_LIMIT, p["net"] - before)
        payable, nostro = f"payable.{bank}.PKR", f"nostro.{bank}.PKR"
        now, was = (returned_shares(self.lines(p), payable, p["net"], r) for r in (before + amount, before))
        r = {"amount": amount, "charge": charge, "reference": reference,
             "side": [(payable, -amount), (nostro, amount - charge), ("charge.PKR", charge)],
             "parts": [(account, y - x) for (account, _), x, y in zip(self.lines(p), now, was)]}
        stack.append(r)
        p["answers"][reference] = ((amount, charge, code), self.came_back(p, r["side"], r["parts"]))
        return p["answers"][reference][1]

    def take_back(self, bank, payout, returned, code, reference):
        p = self.told_of(bank, payout)
        if not p:
            return (INSTRUCTION_NOT_FOUND,)
        said = p.setdefault("answers", {}).get(reference)
        if said:
            return said[1] if said[0] == (returned, code) else (CONFIRMED_DIFFERENTLY,)
        stack = p.get("stack")
        if not stack or stack[-1]["reference"] != returned or p["steps"] == STEPS_MAX:
            return (STATE_CONFLICT,)
        r = stack[-1]
        src = "float." + CODE[p["src_ccy"]]
        if self.balance[src] - dict(r["parts"])[src] > 0:
            return (INSUFFICIENT_FLOAT,)
        stack.pop()
        p["answers"][reference] = ((returned, code), self.came_back(p, self.reverse(r["parts"]), self.reverse(r["side"])))
        return p["answers"][reference][1]

    def came_back(self, p, first, second):
        back = sum(r["amount"] for r in p["stack"])
        p["steps"] = p.get("steps", 1) + 1
        self.write(first)
        seq = self.write(second)
        self.pairs.add(seq)
        self.move(p, SETTLED if back == 0 else RETURNED if back == p["net"] else PARTLY_RETURNED, seq)
        return (OK, p["state"], back)

    def fund(self, bank, amount, src, cost, reference):
        old = self.fundings.get(reference)
        if amount <= 0 or cost <= 0:
            return AMOUNT_ZERO
        if src == PKR and amount != cost:
            return FIELD_INVALID
        if old:
            return OK if old == (bank, amount, src, cost) else REFERENCE_REUSED
        if src == PKR:
            return CURRENCY_NOT_SUPPORTED
        self.fundings[reference] = (bank, amount, src, cost)
        self.write([(f"nostro.{bank}.PKR", amount), ("position.PKR", -amount), ("position." + CODE[src], cost),
                    ("correspondent." + CODE[src], -cost)])
        return OK

    def cancel(self, payout):
        p = self.payout.get(payout)
        if not p:
            return PAYOUT_NOT_FOUND
        if p["state"] == CANCELLED:
            return OK
        if p["state"] != ACCEPTED:
            return STATE_CONFLICT
        self.move(p, CANCELLED, self.write(self.reverse(self.lines(p))))
        return OK


class Walk:
    """One seed's random walk; every step is made in both worlds and their answers compared."""

    def __init__(self, db, seed):
        self.rnd = random.Random(seed)
        self.l = Ledger(db, f"walk-{seed}")
        self.m = Model(self.l)
        self.drafts = []
        self.confirmations = []
        self.said_steps = collections.Counter()

    def same(self, name, *args):
        got, want = getattr(self.l, name)(*args), getattr(self.m, name)(*args)
        as_lists = lambda v: [list(x) if isinstance(x, (list, tuple)) else x for x in v] if isinstance(v, (list, tuple)) else v
        assert as_lists(got) == as_lists(want), f"{name}{args}: the ledger says {got}, the model {want}"
        for verdict in (want[0] if name == "post" else want if name == "confirm" else [want] if isinstance(want, int)
                        else want[:1] if name in ("give_back", "take_back") else []):
            self.said_steps[name, verdict] += 1

    def bank(self):
        return self.rnd.choice(list(self.l.bank))

    def known(self):
        ids = sorted(self.m.payout)
        return self.rnd.choice(ids[-25:]) if ids and self.rnd.random() < 0.95 else self.rnd.choice([0, -1, 10**12, self.m.next_seq])

    def do_deposit(self):
        ccy = self.rnd.choice([USD, JPY, KWD])
        self.same("deposit", ccy, self.rnd.randint(1, 10) * 10 ** (DIGITS[ccy] + 2), f"dep-{self.rnd.randint(1, 40)}")

    def do_beneficiary(self):
        bank = self.bank()
        if self.m.bank_of and self.rnd.random() < 0.3:
            moved = self.rnd.choice(list(self.m.bank_of))
            self.l.move_beneficiary(moved, f"moved-{self.rnd.random()}", bank)
            self.m.bank_of[moved] = bank
            return
        self.m.bank_of[self.l.beneficiary(f"ben-{len(self.m.bank_of)}", bank)] = bank

    def do_quote(self):
        pricing = self.pricing()
        expired = self.rnd.random() < 0.2
        quote = self.l.quote(f"q-{len(self.m.quotes)}", pricing, 1 if expired else 3600000)
        if expired:
            time.sleep(0.002)
        self.m.quotes[quote] = (pricing, expired)

    def pricing(self):
        src = self.rnd.choice([USD, USD, USD, JPY, KWD])
        gross = self.rnd.randint(1, 30) * 10 ** (DIGITS[src] + 1) + self.rnd.randint(0, 99)
        return price(gross, src, self.rnd.choice([0, 1, gross // 50]), self.rnd.choice([0, 75, 150]))

    def do_post(self):
        drafts = []
        for _ in range(self.rnd.randint(1, 6)):
            kind = self.rnd.random()
            if kind < 0.15 and self.drafts + drafts:
                drafts.append(self.rnd.choice((self.drafts + drafts)[-30:]))     # the same again
                continue
            reference = f"ref-{self.rnd.randint(1, 400)}"
            if kind < 0.25 and self.m.quotes:
                quote = self.rnd.choice(list(self.m.quotes) + [10**9])
                pricing = self.m.quotes.get(quote, (self.pricing(),))[0] if self.rnd.random() < 0.8 else self.pricing()
            else:
                quote, pricing = None, self.pricing()
            carried, beneficiary = None, self.rnd.choice(list(self.m.bank_of) * 5 + [10**9])
            if kind > 0.85:
                carried, beneficiary = self.l.details(f"carried-{self.rnd.randint(1, 5)}", self.bank()), 0
            drafts.append(self.l.draft(reference, beneficiary, pricing, carried, quote,
                                       refusal=406 if self.rnd.random() < 0.05 else 0))
        # a carried beneficiary gets its number from the ledger: the model takes it as given
        self.drafts += drafts
        self.same("post", drafts)

    def do_hand_out(self):
        self.same("hand_out", self.bank(), self.rnd.randint(1, 8))

    def do_confirm(self):
        items = []
        bank = self.bank()
        for _ in range(self.rnd.randint(1, 6)):
            if self.confirmations and self.rnd.random() < 0.15:
                items.append(self.rnd.choice(self.confirmations[-20:]))
                continue
            open_ = [i for i, p in self.m.payout.items() if p["state"] == INSTRUCTED and p["bank"] == bank]
            payout = self.rnd.choice(open_) if open_ and self.rnd.random() < 0.7 else self.known()
            p = self.m.payout.get(payout, {"net": 5})
            settled = self.rnd.random() < 0.7
            items.append({"payout_id": payout, "state": SETTLED if settled else REJECTED,
                          "ccy": PKR if self.rnd.random() < 0.97 else USD,
                          "amount": p["net"] + (1 if self.rnd.random() < 0.1 else 0),
                          "bank_reference": f"B{payout}" if settled else None,
                          "tax_withheld": self.rnd.choice([None, 1, p["net"] + 1]) if settled else None,
                          "eprc_number": self.rnd.choice([None, "PRC1"]) if settled else None,
                          "reason_code": None if settled else "AC04"})
        if self.rnd.random() < 0.4:
            items.append(dict(items[0], amount=self.m.payout.get(items[0]["payout_id"], {"net": 5})["net"], ccy=PKR))
        self.confirmations += items
        self.same("confirm", bank, items)

    def paid(self):
        """Mostly one that came back already, or may."""
        paid = [i for i, p in self.m.payout.items() if p["state"] == SETTLED or "stack" in p]
        payout = self.rnd.choice(paid[-12:]) if paid and self.rnd.random() < 0.8 else self.known()
        p = self.m.payout.get(payout, {"net": 5, "bank": "MUCB"})
        return payout, p, p["bank"] if self.rnd.random() < 0.9 else self.bank()

    def do_return(self):
        payout, p, bank = self.paid()
        left = p["net"] - sum(r["amount"] for r in p.get("stack", ()))
        old = self.rnd.choice(list(p["answers"].items())) if p.get("answers") and self.rnd.random() < 0.3 else None
        if old and len(old[1][0]) == 3:     # the same again, or nearly
            amount, charge, code = old[1][0]
            self.same("give_back", bank, payout, PKR, amount, charge, code if self.rnd.random() < 0.8 else "AC06", old[0])
            return
        amount = self.rnd.choice((left, left + 1, 1, self.rnd.randint(1, p["net"]), self.rnd.randint(1, p["net"]) // 4, p["net"]))
        charge = self.rnd.choice((0, 0, 0, amount // 3, amount, amount + 1))
        self.same("give_back", bank, payout, PKR if self.rnd.random() < 0.95 else USD, amount, charge, "AC04",
                  old[0] if old else f"R{self.m.next_seq}")

    def do_take_back(self):
        payout, p, bank = self.paid()
        stack, references = p.get("stack", []), list(p.get("answers", {"no": 0}))
        returned = stack[-1]["reference"] if stack and self.rnd.random() < 0.7 else self.rnd.choice(references or ["none"])
        self.same("take_back", bank, payout, returned, "AM09" if self.rnd.random() < 0.9 else "AC01",
                  f"T{self.m.next_seq}" if self.rnd.random() < 0.6 else self.rnd.choice(references or ["T"]))

    def do_fund(self):
        src = self.rnd.choice([USD, JPY, KWD, PKR])
        amount = self.rnd.randint(0, 10**7)
        self.same("fund", self.bank(), amount, src, amount if src == PKR and self.rnd.random() < 0.7 else self.rnd.randint(1, 10**5),
                  f"fund-{self.m.next_seq}")
        if self.m.fundings:
            reference, old = self.rnd.choice(list(self.m.fundings.items()))
            self.same("fund", *(old if self.rnd.random() < 0.5 else (old[0], old[1] + 1, *old[2:])), reference)

    def do_cancel(self):
        self.same("cancel", self.known())

    def step(self):
        self.rnd.choice([self.do_deposit, self.do_beneficiary, self.do_quote] + [self.do_post] * 3 + [self.do_hand_out] * 2
                        + [self.do_confirm] * 3 + [self.do_return] * 3 + [self.do_take_back] * 2 + [self.do_cancel, self.do_fund])()
        self.check()

    def check(self):
        check_books_are_sound(self.l.db, self.l.book)
        stored = dict(self.l.db.execute("SELECT code, balance FROM account_now WHERE book_id = %s", (self.l.book,)).fetchall())
        assert {c: self.m.balance[c] for c in stored} == stored
        states = dict(self.l.db.execute("SELECT payout_id, state FROM payout_now WHERE book_id = %s", (self.l.book,)).fetchall())
        assert states == {i: p["state"] for i, p in self.m.payout.items()}
        self.check_positions()

    def owed(self, bank):
        paid = [p for p in self.m.payout.values() if p["bank"] == bank and p["state"] in (SETTLED, PARTLY_RETURNED, RETURNED)]
        return (sum(p["net"] - sum(r["amount"] - r["charge"] for r in p.get("stack", ())) for p in paid)
                - sum(f[1] for f in self.m.fundings.values() if f[0] == bank))

    def check_positions(self):
        """The statement adds up all books: ours is alone in this bank's figures only in its differences, so by book."""
        for bank in self.l.bank:
            mine = [p for p in self.m.payout.values() if p["bank"] == bank]
            owed = self.owed(bank)
            open_ = [p["net"] for p in mine if p["state"] in (ACCEPTED, INSTRUCTED)]
            row = self.l.db.execute("""SELECT -sum(balance) FILTER (WHERE role = 'nostro'), -sum(balance) FILTER (WHERE role = 'payable'),
                                              sum(credit_count - debit_count) FILTER (WHERE role = 'payable')
                                         FROM account_now WHERE book_id = %s AND bank_id = %s""", (self.l.book, self.l.bank[bank])).fetchone()
            assert row == (owed, sum(open_), len(open_))


@pytest.fixture(scope="module")
def walks(database):
    """The walks are made once; what they left is then looked at from several sides."""
    connection = psycopg.connect(database, autocommit=True, options="-c search_path=ujrat")
    made = []
    for seed in SEEDS:
        walk = Walk(connection, seed)
        for bank in ("MUCB", "HABB"):
            walk.m.bank_of[walk.l.beneficiary(f"first-{bank}", bank)] = bank
        made.append(walk)
    yield made
    connection.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_answer_and_balance_is_as_the_model_says(walks, seed):
    walk = walks[SEEDS.index(seed)]
    for _ in range(STEPS):
        walk.step()


def test_the_walks_met_every_verdict(walks):
    met = sum((w.said_steps for w in walks), collections.Counter())
    wanted = [("post", v) for v in (OK, DUPLICATE, INSUFFICIENT_FLOAT, BENEFICIARY_NOT_FOUND, REFERENCE_REUSED, QUOTE_NOT_FOUND,
                                    QUOTE_EXPIRED, QUOTE_USED, QUOTE_MISMATCH, 406)]
    wanted += [("confirm", v) for v in (OK, DUPLICATE, CURRENCY_MISMATCH, AMOUNT_OVER_LIMIT, FIELD_INVALID, CONFIRMED_DIFFERENTLY,
                                        INSTRUCTION_NOT_FOUND)]
    wanted += [("give_back", v) for v in (OK, CURRENCY_MISMATCH, FIELD_INVALID, STATE_CONFLICT, CONFIRMED_DIFFERENTLY, INSTRUCTION_NOT_FOUND,
                                          AMOUNT_OVER_LIMIT)]
    wanted += [("take_back", v) for v in (OK, INSUFFICIENT_FLOAT, STATE_CONFLICT, CONFIRMED_DIFFERENTLY, INSTRUCTION_NOT_FOUND)]
    wanted += [("fund", v) for v in (OK, REFERENCE_REUSED, FIELD_INVALID, CURRENCY_NOT_SUPPORTED)]
    wanted += [("cancel", v) for v in (OK, PAYOUT_NOT_FOUND, STATE_CONFLICT)]
    wanted += [("deposit", v) for v in (OK, REFERENCE_REUSED)]
    assert [w for w in wanted if not met[w]] == []


@pytest.mark.parametrize("page", (1, 3, 7, 500))
def test_watching_payouts_shows_every_event_once_and_in_order(walks, page):
    for walk in walks:
        seen, cursor = [], (0, 0)
        while True:
            rows = walk.l.named("payout_watch", walk.l.book, *cursor, page)
            events = [r for r in rows if r[1] is not None]
            seen += [(r[0], r[1], r[3]) for r in events]
            horizon = [r[0] for r in rows if r[1] is None]
            before = cursor
            if len(events) < page and horizon:
                cursor = (horizon[0], 2**63 - 1)
            elif events:
                cursor = (events[-1][0], events[-1][1])
            else:
                break
            assert cursor > before
        assert seen == sorted(walk.m.events)


@pytest.mark.parametrize("page", (1, 4, 500))
def test_watching_instructions_shows_what_was_handed_out(walks, page):
    for walk in walks:
        for bank, bank_id in walk.l.bank.items():
            seen, after = [], 0
            while rows := walk.l.named("settlement_watch", walk.l.book, bank_id, after, page):
                seen += [r[1:5] for r in rows]
                after = rows[-1][0]
            assert seen == [(i, p["state"] == CANCELLED, False, p["net"]) for i, p in sorted(walk.m.payout.items())
                            if p["bank"] == bank and i <= walk.m.handed[bank]]


def test_position_adds_up_all_books(walks):
    for bank, bank_id in walks[0].l.bank.items():
        mine = [p for w in walks for p in w.m.payout.values() if p["bank"] == bank]
        open_ = [p["net"] for p in mine if p["state"] in (ACCEPTED, INSTRUCTED)]
        assert walks[0].l.named("settlement_position", bank_id) == [
            (PKR, sum(w.owed(bank) for w in walks), sum(open_), len(open_))]


def test_listing_payouts_shows_all_in_order(walks):
    for walk in walks:
        seen, after = [], 0
        while rows := walk.l.named("payout_list", walk.l.book, after, 7):
            seen += [(r[0], r[1], r[2], r[14]) for r in rows]
            after = rows[-1][0]
        assert seen == [(i, p["reference"], p["state"], p["net"]) for i, p in sorted(walk.m.payout.items())]
        for i, p in walk.m.payout.items():
            assert walk.l.named("payout_get", walk.l.book, i) == walk.l.named("payout_get_by_reference", walk.l.book, p["reference"])


def test_trial_balance_of_every_past_moment_is_the_sum_of_postings_until_then(walks):
    for walk in walks:
        db, book = walk.l.db, walk.l.book
        walk.l.named("audit_moment", book)
        blocks = db.execute("SELECT committed_at FROM block WHERE book_id = %s ORDER BY 1", (book,)).fetchall()
        for (at,) in random.Random(1).sample(blocks, 12) + blocks[-1:]:
            rows = walk.l.named("audit_trial_balance", book, at)
            got = {r[1]: r[4] for r in rows}
            want = dict.fromkeys(got, 0) | dict(db.execute(
                """SELECT a.code, sum(p.minor)::int8 FROM posting p JOIN account a USING (book_id, account_id)
                    WHERE p.book_id = %s AND p.committed_at <= %s GROUP BY 1""", (book, at)).fetchall())
            assert got == want
            sums = collections.Counter()
            for r in rows:
                sums[r[3]] += r[4]
            assert not any(sums.values())


@pytest.mark.parametrize("page", (1, 5, 1000))
def test_account_statement_runs_from_nil_to_the_balance(walks, page):
    for walk in walks:
        for code in ("float.USD", "payable.MUCB.PKR", "position.PKR", "nostro.HABB.PKR"):
            account = walk.l.account[code]
            got, after = [], 0
            while rows := walk.l.named("audit_account_statement", walk.l.book, account, after, page, "-infinity", "infinity"):
                assert len(rows) <= page
                got += rows
                after = rows[-1][0]
            want = walk.l.db.execute("SELECT seq, minor FROM posting WHERE book_id = %s AND account_id = %s ORDER BY seq",
                                     (walk.l.book, account)).fetchall()
            assert [(r[0], r[3]) for r in got] == want
            running = 0
            for r in got:
                running += r[3]
                assert r[4] == running
            assert running == walk.m.balance[code]


def test_statement_of_a_span_of_time_begins_with_its_opening_balance(walks):
    walk = walks[0]
    times = [t for (t,) in walk.l.db.execute("SELECT committed_at FROM block WHERE book_id = %s ORDER BY 1", (walk.l.book,))]
    after, upto = times[len(times) // 3], times[2 * len(times) // 3]
    (_, account, ccy, opening), = walk.l.named("audit_account", walk.l.code, "float.USD", after)
    rows = walk.l.named("audit_account_statement", walk.l.book, account, 0, 1000, after, upto)
    assert rows and all(after < r[2] <= upto for r in rows) and ccy == USD
    assert rows[0][4] - rows[0][3] == opening
    assert rows[-1][4] == {r[1]: r[4] for r in walk.l.named("audit_trial_balance", walk.l.book, upto)}["float.USD"]


@pytest.mark.parametrize("page", (1, 6, 1000))
def test_journals_come_whole_and_in_sequence(walks, page):
    for walk in walks:
        got, after = [], 0
        while rows := walk.l.named("audit_journals", walk.l.book, after, page, "-infinity", "infinity"):
            assert len({r[0] for r in rows}) <= page
            got += rows
            after = rows[-1][0]
        assert sorted({r[0] for r in got}) == list(range(1, walk.m.next_seq))
        want = walk.l.db.execute("""SELECT p.seq, a.code, p.minor FROM posting p JOIN account a USING (book_id, account_id)
                                     WHERE p.book_id = %s ORDER BY p.seq, p.line_no""", (walk.l.book,)).fetchall()
        assert [(r[0], r[8], r[10]) for r in got if r[8]] == want


def test_payout_trail_tells_every_event_with_its_journal(walks):
    for walk in walks:
        events = collections.defaultdict(list)
        for seq, payout, state in sorted(walk.m.events):
            events[payout].append((seq, state))
        for payout in walk.m.payout:
            rows = walk.l.named("audit_payout_trail", walk.l.book, payout)
            got = list(dict.fromkeys((r[2], r[0]) for r in rows))
            # of a return, and of what takes one back, the first journal is an event too
            want = [e for seq, state in events[payout] for e in ([(seq - 1, state)] if seq in walk.m.pairs else []) + [(seq, state)]]
            assert got == want
            for seq, _ in got:
                assert sum(r[12] or 0 for r in rows if r[2] == seq and r[11] == PKR) == 0


# Each breaks one function in one place, found by its text (follow when that changes); a walk must see it.
BREAKS = {
    "a balance forgets its debits": ("close_block", "last.debit_count + coalesce(t.debits, 0)", "last.debit_count"),
    "an account's change is doubled": ("close_block", "t.change, last.balance + t.change", "2 * t.change, last.balance + 2 * t.change"),
    "the float is not asked": ("judge_payouts", "WHEN item.gross > float_left[at_ccy] THEN 109", "WHEN false THEN 109"),
    "a reference may be used twice": ("judge_payouts", "item.old_fingerprint = item.fingerprint THEN 1", "true THEN 1"),
    "what was handed out can be cancelled": ("payout_state", "THEN 3 ELSE 1 END", "THEN 1 ELSE 1 END"),
    "another bank may confirm": ("confirm_instructions", "OR p.bank_id <> p_bank", ""),
    "a wrong amount is confirmed": ("confirm_instructions", "WHEN i.amount <> p.net THEN 305", ""),
    "only the first refusal counts": ("confirm_instructions", "PARTITION BY d.payout_id, d.verdict", "PARTITION BY d.payout_id"),
    "a return forgets the settlement": ("reverse_payout", "IF p_settled_seq IS NOT NULL THEN", "IF false THEN"),
    "a return comes twice": ("return_payment", "IF FOUND THEN", "IF false THEN"),
    "more comes back than was paid": ("return_payment", "IF p_amount > (its.p).net - before THEN", "IF false THEN"),
    "parts are rounded to the nearest": ("returned_share", "div(p_minor::numeric * p_returned, p_net)", "round(p_minor::numeric * p_returned / p_net)"),
    "parts do not know of each other": ("write_part_return", "p_before, p_before + p_amount) l", "0, p_amount) l"),
    "any return can be taken back": ("reverse_return", "OR back.bank_reference <> p_return_reference", ""),
    "one is taken back twice": ("last_standing_return", "v.reverses_step = r.step", "false"),
    "what a bank kept is given to it": ("write_part_return", "(2, nostro, p_amount - p_charge), (3, kept, p_charge)", "(2, nostro, p_amount)"),
    "hand-outs skip one": ("bank_payouts_after", "p.payout_id BETWEEN greatest(k.first_seq, p_after + 1) AND",
                           "p.payout_id BETWEEN greatest(k.first_seq, p_after + 2) AND"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_walk_notices_that(database, name):
    function, good, bad = BREAKS[name]
    with psycopg.connect(database, options="-c search_path=ujrat") as db:
        source = db.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s AND pronamespace = 'ujrat'::regnamespace",
                            (function,)).fetchone()[0]
        assert source.count(good) == 1
        db.execute(source.replace(good, bad))
        with pytest.raises((AssertionError, psycopg.Error)):
            for seed in range(100, 130):
                walk = Walk(db, seed)
                for bank in ("MUCB", "HABB"):
                    walk.m.bank_of[walk.l.beneficiary(f"first-{bank}", bank)] = bank
                for _ in range(60):
                    walk.step()
        db.rollback()
