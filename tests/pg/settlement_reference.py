"""Settlement as docs/settlement.md and docs/accounting.md tell it, in plain Python: what every call answers, and what every
account, window and question then is. It knows nothing of SQL and of how the gateway does it.

Amounts are whole minor units, debit positive. A call answers what the ledger answers, or the number of the reason for which it is
refused (domain/reason.h). A call that is refused has changed nothing.
"""
import collections
import dataclasses

PKR = 586
ACCEPTED, INSTRUCTED, SETTLED, REJECTED, RETURNED, CANCELLED, PARTLY_RETURNED = 1, 3, 4, 5, 6, 7, 10
RECORDED, SAID_BEFORE = 0, 1
(AMOUNT_ZERO, AMOUNT_OVER_LIMIT, CURRENCY_MISMATCH, INSUFFICIENT_FLOAT, FIELD_REQUIRED, FIELD_INVALID, REFERENCE_REUSED, PAYOUT_NOT_FOUND,
 STATE_CONFLICT, CONFIRMED_DIFFERENTLY, INSTRUCTION_NOT_FOUND, WINDOW_NOT_FOUND, INQUIRY_NOT_FOUND) = (
    100, 102, 108, 109, 303, 305, 400, 408, 409, 410, 411, 420, 421)
BACK_AND_FORTH_MAX = 30
WILL, WILL_NOT, LOOKING = "CNCL", "RJCR", "PDCR"
DEFINITE = ("ACSC", "ACCC", "RJCT")


class Refused(Exception):
    @property
    def reason(self):
        return self.args[0]


def refuse_unless(holds, reason):
    if not holds:
        raise Refused(reason)


@dataclasses.dataclass
class Part:
    """A return that stands: what of the payment it undoes, and the two journals that did."""
    reference: str
    amount: int
    charge: int
    journals: list


@dataclasses.dataclass
class Payout:
    id: int
    bank: str
    ccy: str
    gross: int
    fee: int
    mid_value: int
    margin: int
    net: int
    state: int = ACCEPTED
    said: tuple = None                                       # the bank's first definite answer
    parts: list = dataclasses.field(default_factory=list)    # returns that stand, the last one last
    references: dict = dataclasses.field(default_factory=dict)   # of returns and reversals: (what was said, the answer)
    notes: list = dataclasses.field(default_factory=list)
    recalls: list = dataclasses.field(default_factory=list)  # each a list of answers, after its reason
    inquiries: int = 0

    @property
    def returned(self):
        return sum(p.amount for p in self.parts)

    @property
    def kept(self):
        return sum(p.charge for p in self.parts)

    def told(self):
        """Its bank knows of it: an instruction."""
        return self.state not in (ACCEPTED, CANCELLED)

    def lines(self):
        """PAYOUT_ACCEPTED. The last line of each currency that is not the payable's takes the rest of what is rounded."""
        if self.ccy == "PKR":
            lines = [("float.PKR", self.gross), ("fee.PKR", -self.fee), (f"payable.{self.bank}.PKR", -self.net)]
        else:
            lines = [(f"float.{self.ccy}", self.gross), (f"fee.{self.ccy}", -self.fee), (f"position.{self.ccy}", self.fee - self.gross),
                     ("position.PKR", self.mid_value), ("margin.PKR", -self.margin), (f"payable.{self.bank}.PKR", -self.net)]
        return [line for line in lines if line[1] != 0]

    def share(self, returned):
        """What of each line but the payable's is undone when so much of the net has come back; of the payable's it is just that."""
        shares, rest, takes_rest = {}, collections.Counter({"PKR": returned}), {}
        for account, minor in self.lines():
            if not account.startswith("payable."):
                takes_rest[currency_of(account)] = account
        for account, minor in self.lines():
            if not account.startswith("payable.") and takes_rest[currency_of(account)] != account:
                shares[account] = towards_zero(minor * returned, self.net)
                rest[currency_of(account)] -= shares[account]
        return {**shares, **{account: rest[ccy] for ccy, account in takes_rest.items()}}


def currency_of(account):
    return account.rsplit(".", 1)[1]


def towards_zero(a, b):
    """a / b without what is behind the point; the same on both sides of zero."""
    return a // b if a >= 0 else -(-a // b)


def opposite(lines):
    return [(account, -minor) for account, minor in lines]


class Book:
    def __init__(self, code, currencies, banks):
        self.code, self.currencies, self.banks = code, currencies, banks
        self.balance = collections.Counter()
        self.journals = 0
        self.payouts = {}
        self.by_reference = {}        # (payout, what was asked)
        self.deposits, self.fundings = {}, {}
        self.told_upto = dict.fromkeys(banks, 0)

    def write(self, *journals):
        """A block: its journals are numbered without a gap; each sums to zero in every currency. The last one's number."""
        for lines in journals:
            sums = collections.Counter()
            for account, minor in lines:
                sums[currency_of(account)] += minor
                self.balance[account] += minor
            assert not any(sums.values()), lines
            self.journals += 1
        return self.journals

    def float_of(self, ccy):
        return -self.balance["float." + ccy]

    def open_payables(self, bank):
        return sum(p.bank == bank and p.state in (ACCEPTED, INSTRUCTED) for p in self.payouts.values())


@dataclasses.dataclass
class Window:
    late: bool = False                # the settlement deadline it was closed with has passed
    told: list = dataclasses.field(default_factory=list)      # (book, payout)
    returned: int = 0                 # while it was open, less what the bank kept of it
    state: str = "OPEN"
    report: tuple = None

    def of(self, *states):
        return [p for _, p in self.told if (p.said[0] if p.said else None) in states]

    def totals(self):
        """The bank's part: settled and rejected, counts and amounts."""
        return tuple(f for s in (SETTLED, REJECTED) for f in (len(self.of(s)), sum(p.net for p in self.of(s))))

    def amount(self):
        return sum(p.net for _, p in self.told)


class Bank:
    def __init__(self, code):
        self.code = code
        self.terms = None             # dict: mode, channel, instruction_max, window_max, cap
        self.windows = []             # number 1 first
        self.questions = []           # (kind, book, payout, number): number n has index n - 1


class Settlement:
    def __init__(self, books, banks):
        """books: {code: (currencies, banks)}"""
        self.books = {code: Book(code, *of) for code, of in books.items()}
        self.banks = {code: Bank(code) for code in banks}

    # ------------------------------------------------------------------ positions
    def pending(self, bank, book=None):
        """Handed out, and no definite answer yet."""
        return [(b, p) for b in ([self.books[book]] if book else self.books.values()) for p in b.payouts.values()
                if p.bank == bank and p.state == INSTRUCTED]

    def owed(self, bank):
        return -sum(b.balance[f"nostro.{bank}.PKR"] for b in self.books.values())

    def exposure(self, bank):
        return sum(p.net for _, p in self.pending(bank)) + self.owed(bank)

    def waiting(self, bank):
        return [p for b in self.books.values() for p in b.payouts.values() if p.bank == bank and p.state == ACCEPTED and p.id > b.told_upto[bank]]

    # ------------------------------------------------------------------ the platform
    def deposit(self, book, ccy, amount, reference):
        b = self.books[book]
        if reference in b.deposits:
            refuse_unless(b.deposits[reference] == (ccy, amount), REFERENCE_REUSED)
            return True
        b.deposits[reference] = (ccy, amount)
        b.write([("correspondent." + ccy, amount), ("float." + ccy, -amount)])
        return False

    def submit(self, book, drafts):
        """drafts: (reference, bank, ccy, gross, fee, mid value, margin, net). One answer each, and the payout's number."""
        b = self.books[book]
        outcomes, ids, new = [], [], []
        for reference, bank, ccy, *amounts in drafts:
            gross, net = amounts[0], amounts[-1]
            terms = self.banks[bank].terms
            if reference in b.by_reference:
                old, asked = b.by_reference[reference]
                outcomes.append(SAID_BEFORE if asked == (bank, ccy, gross) else REFERENCE_REUSED)
                ids.append(old.id if asked == (bank, ccy, gross) else None)
            elif terms and terms["instruction_max"] is not None and net > terms["instruction_max"]:
                outcomes.append(AMOUNT_OVER_LIMIT)
                ids.append(None)
            elif gross > b.float_of(ccy):
                outcomes.append(INSUFFICIENT_FLOAT)
                ids.append(None)
            else:
                p = Payout(b.journals + 1, bank, ccy, *amounts)
                b.write(p.lines())
                b.payouts[p.id] = p
                b.by_reference[reference] = p, (bank, ccy, gross)
                outcomes.append(RECORDED)
                ids.append(p.id)
        return outcomes, ids

    def cancel(self, book, payout):
        b = self.books[book]
        refuse_unless(payout in b.payouts, PAYOUT_NOT_FOUND)
        p = b.payouts[payout]
        if p.state != CANCELLED:
            refuse_unless(p.state == ACCEPTED, STATE_CONFLICT)
            p.state = CANCELLED
            b.write(opposite(p.lines()))

    # ------------------------------------------------------------------ hand-out
    def set_terms(self, bank, **terms):
        changed = self.banks[bank].terms != terms
        self.banks[bank].terms = terms
        return changed

    def hand_out(self, book, bank, limit, stream):
        """stream: asked by the bank itself. How far it has been told, whether that is further, whether something was kept back."""
        b, k = self.books[book], self.banks[bank]
        upto = b.told_upto[bank]
        if stream and k.terms and (k.terms["mode"] == "windows" or k.terms["channel"] == "file"):
            return upto, False, False
        nexts = [p for i, p in sorted(b.payouts.items()) if p.bank == bank and i > upto][:limit]
        if not nexts:
            return upto, False, False
        if k.terms and not k.windows:
            return upto, False, True
        room = []
        if k.terms and k.terms["window_max"] is not None:
            room.append(k.terms["window_max"] - k.windows[-1].amount())
        if k.terms and k.terms["cap"] is not None:
            room.append(k.terms["cap"] - self.exposure(bank))
        goes, due = [], 0
        for p in nexts:
            due += p.net if p.state == ACCEPTED else 0
            if room and due > 0 and due > min(room):
                break
            goes.append(p)
        if goes:
            b.write([])
            b.told_upto[bank] = goes[-1].id
            for p in goes:
                if p.state == ACCEPTED:
                    p.state = INSTRUCTED
                    if k.terms:
                        k.windows[-1].told.append((book, p))
        return b.told_upto[bank], bool(goes), len(goes) < len(nexts)

    # ------------------------------------------------------------------ answers
    def instruction(self, book, bank, payout):
        """The payout, if this bank was told to pay it."""
        p = self.books[book].payouts.get(payout)
        return p if p and p.bank == bank and p.told() else None

    def confirm(self, book, bank, items):
        """items: (payout, state, ccy, amount, bank's reference, tax, e-PRC, reason code). One answer each."""
        b, out = self.books[book], []
        # each is judged against what was there before; of one payout, the first that could be recorded is
        for payout, state, ccy, amount, *rest in items:
            p, said = self.instruction(book, bank, payout), (state, *rest)
            if not p:
                out.append(INSTRUCTION_NOT_FOUND)
            elif ccy != PKR:
                out.append(CURRENCY_MISMATCH)
            elif amount != p.net:
                out.append(FIELD_INVALID)
            elif (rest[1] or 0) > p.net:
                out.append(AMOUNT_OVER_LIMIT)
            elif p.said:
                out.append(SAID_BEFORE if p.said == said else CONFIRMED_DIFFERENTLY)
            else:
                p.said, p.state = said, state
                b.write(self.settled_lines(p) if state == SETTLED else opposite(p.lines()))
                out.append(RECORDED)
        return out

    @staticmethod
    def settled_lines(p):
        return [(f"payable.{p.bank}.PKR", p.net), (f"nostro.{p.bank}.PKR", -p.net)]

    # ------------------------------------------------------------------ money that comes back
    def give_back(self, book, bank, payout, ccy, amount, charge, reason, reference):
        """The state it led to, and what has come back in all; or what is left, if that is less than the amount."""
        b, p = self.books[book], self.instruction(book, bank, payout)
        refuse_unless(p, INSTRUCTION_NOT_FOUND)
        refuse_unless(ccy == PKR, CURRENCY_MISMATCH)
        refuse_unless(amount > 0 and 0 <= charge <= amount, FIELD_INVALID)
        said = ("return", amount, charge, reason)
        if reference in p.references:
            refuse_unless(p.references[reference][0] == said, CONFIRMED_DIFFERENTLY)
            return p.references[reference][1]
        refuse_unless(p.said and p.said[0] == SETTLED and len(p.references) < BACK_AND_FORTH_MAX, STATE_CONFLICT)
        before, after = p.returned, p.returned + amount
        if after > p.net:
            return {"only_left": p.net - before}
        if amount == p.net and charge == 0 and not p.references:
            journals = [opposite(self.settled_lines(p)), opposite(p.lines())]
        else:
            was, now = p.share(before), p.share(after)
            journals = [[(f"payable.{bank}.PKR", -amount), (f"nostro.{bank}.PKR", amount - charge), ("charge.PKR", charge)],
                        [(account, was[account] - now[account]) for account in now] + [(f"payable.{bank}.PKR", amount)]]
        p.parts.append(Part(reference, amount, charge, journals))
        return self.came_back(b, p, reference, said, journals, amount - charge)

    def take_back(self, book, bank, payout, return_reference, reason, reference):
        """The bank takes back its last return of the payment."""
        b, p = self.books[book], self.instruction(book, bank, payout)
        refuse_unless(p, INSTRUCTION_NOT_FOUND)
        said = ("reversal", return_reference, reason)
        if reference in p.references:
            refuse_unless(p.references[reference][0] == said, CONFIRMED_DIFFERENTLY)
            return p.references[reference][1]
        refuse_unless(p.parts and p.parts[-1].reference == return_reference and len(p.references) < BACK_AND_FORTH_MAX, STATE_CONFLICT)
        part = p.parts[-1]
        journals = [opposite(lines) for lines in reversed(part.journals)]
        needed = sum(minor for account, minor in journals[0] if account == "float." + p.ccy)
        refuse_unless(needed <= b.float_of(p.ccy), INSUFFICIENT_FLOAT)
        p.parts.pop()
        return self.came_back(b, p, reference, said, journals, part.charge - part.amount)

    def came_back(self, b, p, reference, said, journals, to_us):
        b.write(*journals)
        p.state = SETTLED if not p.returned else RETURNED if p.returned == p.net else PARTLY_RETURNED
        windows = self.banks[p.bank].windows
        if windows:
            windows[-1].returned += to_us
        p.references[reference] = said, {"state": p.state, "returned": p.returned}
        return p.references[reference][1]

    def fund(self, book, bank, amount, ccy, cost, reference):
        b = self.books[book]
        refuse_unless(amount > 0 and cost > 0, AMOUNT_ZERO)
        refuse_unless(ccy != "PKR" or amount == cost, FIELD_INVALID)
        if reference in b.fundings:
            refuse_unless(b.fundings[reference] == (bank, amount, ccy, cost), REFERENCE_REUSED)
            return True
        b.fundings[reference] = (bank, amount, ccy, cost)
        exchanged = [] if ccy == "PKR" else [("position.PKR", -amount), ("position." + ccy, cost)]
        b.write([(f"nostro.{bank}.PKR", amount), *exchanged, ("correspondent." + ccy, -cost)])
        return False

    # ------------------------------------------------------------------ windows
    def open_first(self, bank):
        k = self.banks[bank]
        if k.windows:
            return len(k.windows), True
        refuse_unless(k.terms, STATE_CONFLICT)
        k.windows.append(Window())
        return 1, False

    def close(self, bank, number, late):
        """Its instructions, what they come to, and whether that was done before."""
        windows = self.banks[bank].windows
        refuse_unless(0 < number <= len(windows), WINDOW_NOT_FOUND)
        w, done = windows[number - 1], number < len(windows)
        if not done:
            w.state, w.late = "CLOSED", late
            windows.append(Window())
        return len(w.told), w.amount(), done

    def closed(self, bank, number):
        windows = self.banks[bank].windows
        refuse_unless(0 < number <= len(windows), WINDOW_NOT_FOUND)
        refuse_unless(windows[number - 1].state != "OPEN", STATE_CONFLICT)
        return windows[number - 1]

    def judge(self, w, late):
        if w.state != "SETTLED":
            unanswered = w.of(None)
            if w.report and w.report != w.totals() or unanswered and late:
                w.state = "DISPUTED"
            elif not unanswered:
                w.state = "SETTLED"
        return w.state

    def end(self, bank, number, late):
        return self.judge(self.closed(bank, number), late)

    def report(self, bank, number, ccy, *totals):
        w = self.closed(bank, number)
        refuse_unless(ccy == PKR, CURRENCY_MISMATCH)
        refuse_unless(w.state != "SETTLED" or totals == w.totals(), STATE_CONFLICT)
        w.report = totals
        return self.judge(w, w.late)

    # ------------------------------------------------------------------ questions
    def overdue(self, bank):
        """Everything without an answer: what was asked about first, in the order of the questions; then book by book."""
        pending = [(b.code, p.id) for b, p in self.pending(bank)]
        asked = [q[1:3] for q in self.open_questions(bank) if q[0] == 1]
        return asked + [x for x in pending if x not in asked]

    def ask(self, book, bank, payouts, again):
        """again: also about what was asked about already. The number of each inquiry; None: not asked."""
        k, out = self.banks[bank], []
        for payout in payouts:
            p = self.instruction(book, bank, payout)
            if p and p.state == INSTRUCTED and (again or not p.inquiries):
                p.inquiries += 1
                k.questions.append((1, book, payout, p.inquiries))
                out.append(p.inquiries)
            else:
                out.append(None)
        return out

    def open_questions(self, bank):
        out = []
        for kind, book, payout, number in self.banks[bank].questions:
            p = self.books[book].payouts[payout]
            if kind == 1 and p.state == INSTRUCTED and number == p.inquiries or kind == 2 and not self.over(p.recalls[number - 1]):
                out.append((kind, book, payout, number))
        return out

    @staticmethod
    def over(recall):
        return len(recall) > 1 and recall[-1][0] != LOOKING

    def recall(self, book, payout, reason):
        """Its number, and whether it was asked for before."""
        p = self.books[book].payouts.get(payout)
        refuse_unless(p, PAYOUT_NOT_FOUND)
        if p.recalls and not self.over(p.recalls[-1]):
            refuse_unless(p.recalls[-1][0] == reason, STATE_CONFLICT)
            return len(p.recalls), True
        refuse_unless(p.state in (INSTRUCTED, SETTLED, PARTLY_RETURNED), STATE_CONFLICT)
        p.recalls.append([reason])
        self.banks[p.bank].questions.append((2, book, payout, len(p.recalls)))
        return len(p.recalls), False

    def answer(self, bank, items):
        """items: (kind, book, payout, number, code, reason). One answer each."""
        return [(self.answer_recall if item[0] == 2 else self.answer_inquiry)(bank, *item[1:]) for item in items]

    def answer_recall(self, bank, book, payout, number, code, reason):
        p = self.books[book].payouts.get(payout)
        if not p or p.bank != bank or not 0 < number <= len(p.recalls):
            return INQUIRY_NOT_FOUND
        if code not in (WILL, WILL_NOT, LOOKING):
            return FIELD_INVALID
        if code == WILL_NOT and not reason:
            return FIELD_REQUIRED
        recall = p.recalls[number - 1]
        if len(recall) > 1 and recall[-1] == (code, reason):
            return SAID_BEFORE
        if self.over(recall):
            return CONFIRMED_DIFFERENTLY
        recall.append((code, reason))
        return RECORDED

    def answer_inquiry(self, bank, book, payout, number, code, reason):
        p = self.books[book].payouts.get(payout)
        if not p or p.bank != bank or not 0 < number <= p.inquiries:
            return INQUIRY_NOT_FOUND
        if code in DEFINITE:
            return FIELD_INVALID
        if p.notes and p.notes[-1] == (code, reason):
            return SAID_BEFORE
        if p.state != INSTRUCTED:
            return CONFIRMED_DIFFERENTLY
        p.notes.append((code, reason))
        return RECORDED
