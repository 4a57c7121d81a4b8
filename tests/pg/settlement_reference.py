"""Settlement as docs/settlement.md and docs/accounting.md tell it, in plain Python: what every call answers, and what every
account, window and question then is. It knows nothing of SQL and of how the gateway does it.

Amounts are whole minor units, debit positive. A call answers what the ledger answers, or the number of the reason for which it is
refused (domain/reason.h). A call that is refused has changed nothing.

Its clock stands still but for wait(). A moment is minutes since 1970 UTC; of what comes to pass within one minute the order is kept too.
"""
import collections
import dataclasses

PKR = 586
ACCEPTED, HELD, INSTRUCTED, SETTLED, REJECTED, RETURNED, CANCELLED, REFUSED, PARTLY_RETURNED = 1, 2, 3, 4, 5, 6, 7, 9, 10
RECORDED, SAID_BEFORE = 0, 1
(AMOUNT_ZERO, AMOUNT_OVER_LIMIT, CURRENCY_MISMATCH, INSUFFICIENT_FLOAT, FIELD_REQUIRED, FIELD_INVALID, REFERENCE_REUSED, PAYOUT_NOT_FOUND,
 STATE_CONFLICT, CONFIRMED_DIFFERENTLY, INSTRUCTION_NOT_FOUND, WINDOW_NOT_FOUND, INQUIRY_NOT_FOUND, NOT_PERMITTED) = (
    100, 102, 108, 109, 303, 305, 400, 408, 409, 410, 411, 420, 421, 502)
BACK_AND_FORTH_MAX = 30
LATE = 15                    # minutes after its cut-off at which an open window is late
DAY, KARACHI = 1440, 300     # minutes
WILL, WILL_NOT, LOOKING = "CNCL", "RJCR", "PDCR"
DEFINITE = ("ACSC", "ACCC", "RJCT")


class Refused(Exception):
    @property
    def reason(self):
        return self.args[0]


def refuse_unless(holds, reason):
    if not holds:
        raise Refused(reason)


class Calendar:
    """Which days banks work, cut-offs, and working time: a working day counts whole, from midnight to midnight in Karachi."""

    def __init__(self):
        self.said = {}       # of a day since 1970: (kind, name), the newest

    def works(self, day):
        kind = self.said.get(day, ("",))[0]
        return kind != "holiday" and (kind == "working" or (day + 3) % 7 < 5)

    @staticmethod
    def day_of(moment):
        return (moment + KARACHI) // DAY

    def is_working(self, minute):
        return self.works(self.day_of(minute))

    def add(self, moment, minutes):
        """The first moment by which so much working time has passed."""
        while minutes:
            left = DAY - (moment + KARACHI) % DAY
            step = min(minutes, left) if self.is_working(moment) else left
            minutes -= step if self.is_working(moment) else 0
            moment += step
        return moment

    def subtract(self, moment, minutes):
        """The last moment since which so much working time has passed."""
        while minutes:
            left = (moment + KARACHI - 1) % DAY + 1
            step = min(minutes, left) if self.is_working(moment - 1) else left
            minutes -= step if self.is_working(moment - 1) else 0
            moment -= step
        return moment

    def next_cutoff(self, after, cutoffs, ramadan):
        """The first cut-off after a moment. Cut-offs: minutes after midnight."""
        day = self.day_of(after)
        while True:
            of = ramadan if self.said.get(day, ("",))[0] == "ramadan" else cutoffs
            for minute in of if self.works(day) else ():
                if day * DAY - KARACHI + minute > after:
                    return day * DAY - KARACHI + minute
            day += 1


def share_out(total, weights):
    """In proportion, by largest remainders; of equal ones the first."""
    of = sum(weights)
    shares = [total * w // of for w in weights]
    for i in sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % of), i))[:total - sum(shares)]:
        shares[i] += 1
    return shares


@dataclasses.dataclass
class Part:
    """A return that stands: what of the payment it undoes, and the two journals that did."""
    reference: str
    amount: int
    charge: int
    journals: list


@dataclasses.dataclass
class Hold:
    reason: str
    queue: str
    by: str
    deadline: int
    journal: int
    said: list = dataclasses.field(default_factory=list)     # (decision, by whom)
    ended: tuple = None                                      # (decision, the two, the journal)


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
    place: int = None                                        # in its bank's order; None: it is held, or was refused
    holds: list = dataclasses.field(default_factory=list)
    accepted_at: tuple = None                                # or released
    told_at: tuple = None
    asked_at: tuple = None
    escalated: bool = False                                  # by the last inquiry

    @property
    def returned(self):
        return sum(p.amount for p in self.parts)

    @property
    def kept(self):
        return sum(p.charge for p in self.parts)

    def told(self):
        """Its bank knows of it: an instruction."""
        return self.state not in (ACCEPTED, HELD, CANCELLED, REFUSED)

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

    def in_order(self, bank):
        """The bank's payouts as it is told of them: what is held, or was refused, has no place."""
        return sorted((p for p in self.payouts.values() if p.bank == bank and p.place), key=lambda p: p.place)

    def open_payables(self, bank):
        return sum(p.bank == bank and p.state in (ACCEPTED, INSTRUCTED) for p in self.payouts.values())


@dataclasses.dataclass
class End:
    """What became of a closed window: a step."""
    state: str
    reason: object
    by: str


@dataclasses.dataclass
class Window:
    cutoff: int
    opened_at: tuple
    settle_by: int = None             # the deadline it was closed with; a holiday may move it
    closed_at: int = None
    ends: list = dataclasses.field(default_factory=list)
    proposals: list = dataclasses.field(default_factory=list)     # to settle it: (after how many ends, reason, by whom)
    told: list = dataclasses.field(default_factory=list)      # (book, payout)
    returned: int = 0                 # while it was open, less what the bank kept of it
    report: tuple = None

    @property
    def state(self):
        return self.ends[-1].state if self.ends else "OPEN" if self.settle_by is None else "CLOSED"

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
        self.terms = None             # dict: mode, channel, instruction_max, window_max, cap, low; within, escalate, settle: minutes
        self.windows = []             # number 1 first
        self.questions = []           # (kind, book, payout, number): number n has index n - 1


class Settlement:
    CUTOFFS, RAMADAN = (11 * 60, 15 * 60), (10 * 60,)

    def __init__(self, books, banks, now=0):
        """books: {code: (currencies, banks)}"""
        self.books = {code: Book(code, *of) for code, of in books.items()}
        self.banks = {code: Bank(code) for code in banks}
        self.now, self.ticks = now, 0
        self.calendar = Calendar()
        self.plans = {}               # of fundings, by reference: (bank, amount, ccy, cost), {book: (amount, cost)}
        self.float_low = {}           # (book, ccy): amount
        self.alerts = {}              # (kind, subject): [how often it was raised, whether it is]

    # ------------------------------------------------------------------ time
    def moment(self):
        self.ticks += 1
        return self.now, self.ticks

    def wait(self, minutes):
        self.now += minutes

    def record_day(self, day, kind, name):
        news = self.calendar.said.get(day) != (kind, name)
        self.calendar.said[day] = kind, name
        return news

    def works(self, day):
        return self.calendar.works(day)

    def next_cutoff(self):
        return self.calendar.next_cutoff(self.now, self.CUTOFFS, self.RAMADAN)

    def overdue_before(self, bank):
        """What was told before this, and has no answer, is asked about."""
        return self.calendar.subtract(self.now, self.banks[bank].terms["within"])

    def escalated_before(self, bank):
        return self.calendar.subtract(self.now, self.banks[bank].terms["escalate"])

    def deadline(self, bank, window):
        """By when the window is to be settled, as the calendar is now."""
        return self.calendar.add(window.closed_at, self.banks[bank].terms["settle"])

    # ------------------------------------------------------------------ positions
    def pending(self, bank, book=None):
        """Handed out, and no definite answer yet."""
        return [(b, p) for b in ([self.books[book]] if book else self.books.values()) for p in b.in_order(bank) if p.state == INSTRUCTED]

    def owed(self, bank):
        return -sum(b.balance[f"nostro.{bank}.PKR"] for b in self.books.values())

    def exposure(self, bank):
        return sum(p.net for _, p in self.pending(bank)) + self.owed(bank)

    def waiting(self, bank):
        return [p for b in self.books.values() for p in b.in_order(bank) if p.state == ACCEPTED and p.place > b.told_upto[bank]]

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
                p = Payout(b.journals + 1, bank, ccy, *amounts, place=b.journals + 1, accepted_at=self.moment())
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

    # ------------------------------------------------------------------ holds
    def hold(self, who, book, payout, reason, queue, deadline):
        """The hold's number, and whether it was placed before."""
        b = self.books[book]
        refuse_unless(reason in ("OPERATOR", "SCREENING"), FIELD_INVALID)
        p = b.payouts.get(payout)
        if p and p.state == HELD and (p.holds[-1].reason, p.holds[-1].queue, p.holds[-1].by) == (reason, queue, who):
            return len(p.holds), True
        refuse_unless(p, PAYOUT_NOT_FOUND)
        refuse_unless(p.state == ACCEPTED, STATE_CONFLICT)
        refuse_unless(deadline > self.now, FIELD_INVALID)
        p.state, p.place = HELD, None
        p.holds.append(Hold(reason, queue, who, deadline, b.write(self.held_lines(p))))
        return len(p.holds), False

    @staticmethod
    def held_lines(p):
        return [(f"payable.{p.bank}.PKR", p.net), ("held.PKR", -p.net)]

    def hold_of(self, book, payout, number):
        p = self.books[book].payouts.get(payout)
        refuse_unless(p, PAYOUT_NOT_FOUND)
        refuse_unless(0 < number <= len(p.holds), STATE_CONFLICT)
        return p, p.holds[number - 1]

    def decide(self, who, book, payout, number, decision, note):
        """Whether that ended the hold, by which journal, and whether it was said before."""
        b = self.books[book]
        p, h = self.hold_of(book, payout, number)
        if h.ended:
            refuse_unless(h.ended[0] == decision and who in h.ended[1], STATE_CONFLICT)
            return True, h.ended[2], True
        refuse_unless(not (decision == "release" and h.reason == "OPERATOR" and h.by == who), NOT_PERMITTED)
        before = h.said[-1] if h.said and h.said[-1][0] != "withdraw" else None
        if before == (decision, who):
            return False, None, True
        refuse_unless(not before or before[0] == decision, STATE_CONFLICT)
        refuse_unless(note.strip(), FIELD_INVALID)
        h.said.append((decision, who))
        if not before:
            return False, None, False
        seq = b.write(opposite(self.held_lines(p)))
        if decision == "release":
            p.state, p.place, p.accepted_at = ACCEPTED, seq, self.moment()
        else:
            p.state = REFUSED
            b.write(opposite(p.lines()))
        h.ended = decision, (before[1], who), seq
        return True, seq, False

    def withdraw(self, who, book, payout, number, note):
        _, h = self.hold_of(book, payout, number)
        refuse_unless(not h.ended and h.said and h.said[-1][1] == who, STATE_CONFLICT)
        if h.said[-1][0] == "withdraw":
            return True
        refuse_unless(note.strip(), FIELD_INVALID)
        h.said.append(("withdraw", who))
        return False

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
        nexts = [p for p in b.in_order(bank) if p.place > upto][:limit]
        if not nexts:
            return upto, False, False
        if k.terms and not k.windows:
            return upto, False, True
        room, goes, due = self.room(bank), [], 0
        for p in nexts:
            due += p.net if p.state == ACCEPTED else 0
            if room is not None and due > 0 and due > room:
                break
            goes.append(p)
        if goes:
            b.write([])
            b.told_upto[bank] = goes[-1].place
            at = self.moment()
            for p in goes:
                if p.state == ACCEPTED:
                    p.state, p.told_at = INSTRUCTED, at
                    if k.terms:
                        k.windows[-1].told.append((book, p))
        return b.told_upto[bank], bool(goes), len(goes) < len(nexts)

    def room(self, bank):
        """What may still be handed out under the open window. None: no bound."""
        k, room = self.banks[bank], []
        if k.terms and k.terms["window_max"] is not None:
            room.append(k.terms["window_max"] - k.windows[-1].amount())
        if k.terms and k.terms["cap"] is not None:
            room.append(k.terms["cap"] - self.exposure(bank))
        return min(room, default=None)

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

    def split(self, bank, amount, ccy, cost):
        """Which book is funded with how much, for how much: those that owe, else those where something waits, else all alike."""
        books = [b for b in self.books.values() if ccy in b.currencies]
        for weights in ([max(0, -b.balance[f"nostro.{bank}.PKR"]) for b in books], [max(0, -b.balance[f"payable.{bank}.PKR"]) for b in books],
                        [1] * len(books)):
            while any(weights):
                amounts = share_out(amount, weights)
                costs = share_out(cost, amounts)
                if not (nothing := [i for i, w in enumerate(weights) if w and not (amounts[i] and costs[i])]):
                    return {b.code: (a, c) for b, a, c in zip(books, amounts, costs) if a}
                for i in nothing:
                    weights[i] = 0
        return {}

    def plan(self, reference, bank, amount, ccy, cost, parts):
        """How a funding is split is written down first; what is, stays."""
        if reference in self.plans:
            refuse_unless(self.plans[reference][0] == (bank, amount, ccy, cost), REFERENCE_REUSED)
            return True
        refuse_unless(parts and [sum(x) for x in zip(*parts.values())] == [amount, cost], FIELD_INVALID)
        self.plans[reference] = (bank, amount, ccy, cost), parts
        return False

    def planned(self, reference):
        return [(book, *part) for book, part in self.plans[reference][1].items()]

    # ------------------------------------------------------------------ windows
    def open_first(self, bank):
        k = self.banks[bank]
        if k.windows:
            return len(k.windows), True
        refuse_unless(k.terms, STATE_CONFLICT)
        k.windows.append(Window(self.next_cutoff(), self.moment()))
        return 1, False

    def close(self, bank, number):
        """Its instructions, what they come to, and whether that was done before."""
        windows = self.banks[bank].windows
        refuse_unless(0 < number <= len(windows), WINDOW_NOT_FOUND)
        w, done = windows[number - 1], number < len(windows)
        if not done:
            w.closed_at, w.settle_by = self.now, self.calendar.add(self.now, self.banks[bank].terms["settle"])
            windows.append(Window(self.next_cutoff(), self.moment()))
        return len(w.told), w.amount(), done

    def closed(self, bank, number):
        windows = self.banks[bank].windows
        refuse_unless(0 < number <= len(windows), WINDOW_NOT_FOUND)
        refuse_unless(windows[number - 1].state != "OPEN", STATE_CONFLICT)
        return windows[number - 1]

    @staticmethod
    def is_operator(who):
        return who.startswith("model_")

    def judge(self, w, settle_by, by):
        if w.state == "SETTLED" or w.state == "DISPUTED" and self.is_operator(w.ends[-1].by):
            return w.state
        unanswered = w.of(None)
        if w.report and w.report != w.totals():
            end = End("DISPUTED", ("totals", w.report), by)
        elif unanswered and self.now >= settle_by:
            end = End("DISPUTED", "deadline", by)
        elif not unanswered:
            end = End("SETTLED", "answered", by)
        else:
            return w.state
        if not w.ends or (w.ends[-1].state, w.ends[-1].reason) != (end.state, end.reason):
            w.ends.append(end)
        return w.state

    def end(self, bank, number, settle_by):
        """settle_by: the deadline as it is now; None: the one it was closed with."""
        w = self.closed(bank, number)
        return self.judge(w, w.settle_by if settle_by is None else settle_by, "settle")

    def report(self, bank, number, ccy, *totals):
        w = self.closed(bank, number)
        refuse_unless(ccy == PKR, CURRENCY_MISMATCH)
        refuse_unless(w.state != "SETTLED" or totals == w.totals(), STATE_CONFLICT)
        w.report = totals
        return self.judge(w, w.settle_by, bank)

    # ------------------------------------------------------------------ what people say of windows
    def dispute(self, who, bank, number, reason):
        w = self.closed(bank, number)
        refuse_unless(reason.strip(), FIELD_INVALID)
        refuse_unless(w.state != "SETTLED", STATE_CONFLICT)
        if w.ends and w.ends[-1] == End("DISPUTED", reason, who):
            return False
        w.ends.append(End("DISPUTED", reason, who))
        return True

    def propose(self, who, bank, number, reason):
        """The proposal's number, and whether it was made before."""
        w = self.closed(bank, number)
        refuse_unless(reason.strip(), FIELD_INVALID)
        refuse_unless(w.state == "DISPUTED", STATE_CONFLICT)
        said = len(w.ends), reason, who
        if w.proposals and w.proposals[-1] == said:
            return len(w.proposals), True
        w.proposals.append(said)
        return len(w.proposals), False

    def approve(self, who, bank, number, proposal):
        w = self.closed(bank, number)
        refuse_unless(0 < proposal <= len(w.proposals), FIELD_INVALID)
        after, reason, proposer = w.proposals[proposal - 1]
        if len(w.ends) == after + 1 and w.ends[-1] == End("SETTLED", reason, who):
            return False
        refuse_unless(len(w.ends) == after, STATE_CONFLICT)
        refuse_unless(proposer != who, NOT_PERMITTED)
        refuse_unless(not w.of(None), STATE_CONFLICT)
        w.ends.append(End("SETTLED", reason, who))
        return True

    # ------------------------------------------------------------------ questions
    def overdue(self, bank, before):
        """What was told before that, has no answer, and was not asked about since: what was asked about first, in the order of the
        questions; then book by book."""
        asked = [q[1:3] for q in self.open_questions(bank) if q[0] == 1]
        return [(b, p) for b, p in asked if self.books[b].payouts[p].asked_at[0] < before] + \
            [(b.code, p.id) for b, p in self.pending(bank) if (b.code, p.id) not in asked and p.told_at[0] < before]

    def ask(self, book, bank, payouts, escalated, before):
        """Not about what was asked about since. The number of each inquiry; None: not asked."""
        k, asked = self.banks[bank], {}
        for payout, urgent in zip(payouts, escalated):
            p = self.instruction(book, bank, payout)
            if payout in asked:
                p.escalated |= urgent
            elif p and p.state == INSTRUCTED and (not p.inquiries or p.asked_at[0] < before):
                p.inquiries += 1
                p.asked_at, p.escalated = self.moment(), urgent
                k.questions.append((1, book, payout, p.inquiries))
                asked[payout] = p.inquiries
        return [asked.get(payout) for payout in payouts]

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
        if code == "BLCK":
            self.raised(("BLOCKED", f"{book} {payout}"))
        return RECORDED

    # ------------------------------------------------------------------ alerts
    def low_float(self, book, ccy, amount):
        news = self.float_low.get((book, ccy)) != amount
        self.float_low[book, ccy] = amount
        return news

    def raised(self, key):
        alert = self.alerts.setdefault(key, [0, False])
        alert[0] += not alert[1]
        alert[1] = True

    def refresh(self):
        """Raises what is so, ends what is so no more. All there were: kind, subject, how often, whether it is."""
        due = set(self.due())
        for key, alert in self.alerts.items():
            if key[0] == "BLOCKED":
                book, payout = key[1].split()
                alert[1] &= self.books[book].payouts[int(payout)].state == INSTRUCTED
            else:
                alert[1] &= key in due
        for key in due:
            self.raised(key)
        return self.all_alerts()

    def all_alerts(self):
        return sorted((*key, *alert) for key, alert in self.alerts.items())

    def due(self):
        for (book, ccy), amount in self.float_low.items():
            if self.books[book].float_of(ccy) < amount:
                yield "FLOAT_LOW", f"{book} {ccy}"
        for b in self.books.values():
            for p in b.payouts.values():
                if p.state == HELD and p.holds[-1].deadline <= self.now:
                    yield "HOLD_OVERDUE", f"{b.code} {p.id}"
        for k in self.banks.values():
            t = k.terms
            if t and t["low"] is not None and (t["cap"] or 0) - self.exposure(k.code) < t["low"]:
                yield "NOSTRO_LOW", k.code
            for b, p in self.pending(k.code):
                if p.escalated:
                    yield "ESCALATED", f"{b.code} {p.id}"
            for n, w in enumerate(k.windows, 1):
                if w.state == "DISPUTED":
                    yield "WINDOW_DISPUTED", f"{k.code} {n}"
            if k.windows and self.is_late(k.windows[-1]):
                yield "WINDOW_LATE", f"{k.code} {len(k.windows)}"
            for b in self.books.values() if k.windows else ():
                yield from self.kept_back(k, b)

    def is_late(self, w):
        """A holiday that was announced since puts the cut-off off to the next working day."""
        first, today = self.calendar.day_of(w.cutoff), self.calendar.day_of(self.now)
        return w.cutoff + LATE < self.now and (self.works(first) or any(self.works(d) for d in range(first + 1, today)))

    def kept_back(self, k, b):
        first = next((p for p in b.in_order(k.code) if p.state == ACCEPTED), None)
        if not first:
            return
        limits = [k.terms[limit] for limit in ("window_max", "cap") if k.terms[limit] is not None]
        room = self.room(k.code)
        if limits and (first.net > min(limits) or first.net > room and (k.terms["mode"] == "instant" or first.accepted_at < k.windows[-1].opened_at)):
            yield "KEPT_BACK", f"{b.code} {first.id}"
