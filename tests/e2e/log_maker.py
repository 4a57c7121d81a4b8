"""Makes log exports (docs/log-format.md) of books that never were: the material for tests/e2e/log_damages.py.

    world = World(seed=1)                   # books that follow docs/accounting.md; the same seed makes the same bytes
    world.export()                          # a file that every verifier has to accept

It shares no code with tests/e2e/log_verifier.py: it has an encoder and a Merkle tree of its own.
"""
import collections
import dataclasses
import fractions
import hashlib
import json
import random
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SECOND = 1_000_000
DAY = 86_400 * SECOND
BEGIN = 20_454 * DAY        # 2026-01-01T00:00:00Z


# ---------------------------------------------------------------- encoding: what a value is in Python says what it is in a record
def field(data):
    return b"\xff\xff\xff\xff" if data is None else struct.pack(">I", len(data)) + data


class Raw(bytes):
    """What stands in a record as it is: for those who write what no field can be."""


def encode(value):
    """A text, an int (so is a time), bytes, None for what is absent, a dict for fields in its order, a list of tuples."""
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, str):
        return field(value.encode())
    if isinstance(value, int):
        return field(struct.pack(">q", value))
    if isinstance(value, dict):
        return b"".join(encode(v) for v in value.values())
    if isinstance(value, tuple):
        return b"".join(encode(v) for v in value)
    if isinstance(value, list):
        return encode(len(value)) + b"".join(encode(v) for v in value)
    return field(value)


def record(kind, *values):
    """kind: "block", or "journal/2" where it is of another version than the first."""
    return encode("ujrat/" + kind + ("" if "/" in kind else "/1")) + encode(values)


def sha256(data):
    return hashlib.sha256(data).digest()


def merkle_root(records):
    """RFC 6962 section 2.1, word for word."""
    if len(records) < 2:
        return sha256(b"\x00" + records[0]) if records else sha256(b"")
    k = 1 << (len(records) - 1).bit_length() - 1
    return sha256(b"\x01" + merkle_root(records[:k]) + merkle_root(records[k:]))


def public_bytes(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(key):
    return sha256(public_bytes(key))[:8].hex()


def new_key(rng):
    return Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))


# ---------------------------------------------------------------- books
CURRENCIES = {"JPY": (392, 0), "KWD": (414, 3), "PKR": (586, 2), "GBP": (826, 2), "USD": (840, 2), "EUR": (978, 2)}
RATES = {"JPY": 18_850_000_000, "KWD": 9_051_234_500_000, "GBP": 3_715_000_100_000, "USD": 2_779_612_000_000, "EUR": 3_001_999_999_999}
BANKS = ("MUCB", "SCBL")
TEXTS = (None, "", "November", "اجرت نومبر", "Löhne für März, 50 % ✓", "e\u0301 is not é", "a\tb\nc\"\\", "𝒰" * 30)


@dataclasses.dataclass
class Journal:
    seq: int
    block_no: int
    kind: str
    actor: str
    payout_id: int
    reverses_seq: int
    detail: str
    lines: list
    subject: str
    about: dict

    def fields(self, book, committed_at):
        f = dict(book=book, seq=self.seq, block_no=self.block_no, committed_at=committed_at)
        f.update({d.name: getattr(self, d.name) for d in dataclasses.fields(self) if d.name not in f})
        return dict(f, lines=list(self.lines), about=dict(self.about))


@dataclasses.dataclass
class Block:
    number: int
    committed_at: int
    journals: list


def quote_record(quote):
    return record("quote/2" if "policy" in quote else "quote", quote)


# ---------------------------------------------------------------- the policy
TERMS = ("margin_bps", "fee_fixed", "fee_bps", "fee_min", "fee_max", "payout_max")
GROSS_MAX = 300_000
POLICY_BEGIN = BEGIN + DAY + 6 * 3600 * SECOND      # no version is in force before: every book has had payouts by then


class Policy:
    """Versions that come over some days: the terms of all books at first, by one person; then changes, each by two."""

    def __init__(self, rng, books):
        self.rng, self.changes, self.rules, self.hashes = rng, [], [], []       # of each version, in their order
        terms = [(rule, code, currency, value) for code, _, currencies in books for currency in currencies
                 for rule, value in zip(TERMS, (150, 0, 50, 50, 0, 2 * GROSS_MAX))]
        self.add(1, POLICY_BEGIN, 1, terms)
        at = POLICY_BEGIN
        for number in range(3, 40):
            at += rng.choice((0, rng.randrange(1, 3 * 3600 * SECOND)))
            code, _, currencies = rng.choice(books)
            changes = list(zip(TERMS, [code] * 6, [rng.choice(currencies)] * 6,
                               (rng.choice((0, 1, 150, 9999)), rng.choice((0, 30)), rng.choice((0, 50, 33)), rng.choice((0, 50)), rng.choice((0, 900)),
                                GROSS_MAX + rng.randrange(1000))))
            if rng.random() < 0.3:
                changes = [("rate_age_max", "", None, rng.randrange(1, DAY)), ("purpose_code", "HOME_REMITTANCE/9471", None, rng.choice((1, None)))]
            self.add(number, at, 0, rng.sample(changes, rng.randrange(1, len(changes) + 1)))

    def add(self, policy_id, effective_at, opening, changes):
        first, second = "ujrat://operator/maker-1", "ujrat://operator/checker-1"
        begun = dict(self.rules[-1]) if self.rules else {}
        self.changes.append(dict(policy_id=policy_id, effective_at=effective_at, reason="version %d, وجہ" % policy_id, source="agreement, section %d" % policy_id,
                                 source_sha256=self.rng.choice((None, self.rng.randbytes(32))), opening=opening, proposed_by=first,
                                 proposed_at=effective_at - 2 * SECOND, approved_by=first if opening else second,
                                 approved_at=effective_at - (0 if opening else SECOND), changes=list(changes)))
        begun.update({(rule, code, currency): value for rule, code, currency, value in changes})
        self.rules.append(begun)
        self.hash_all()

    def hash_all(self):
        """The hash of each version's record, over all changes up to it."""
        digests = [(sha256(record("policy-change", c)),) for c in self.changes]
        self.hashes = [sha256(record("policy", c["policy_id"], c["effective_at"], digests[:i])) for i, c in enumerate(self.changes, 1)]

    def at(self, time):
        """The place of the version in force; None: there is none yet."""
        begun = [i for i, c in enumerate(self.changes) if c["effective_at"] <= time]
        return begun[-1] if begun else None

    def terms(self, version, code, currency):
        return {rule: self.rules[version][rule, code, currency] for rule in TERMS}


class Book:
    """One platform's ledger, with the little it must remember to write journals that are true."""

    def __init__(self, world, code, name, currencies):
        self.world, self.rng, self.code, self.name, self.currencies = world, world.rng, code, name, currencies
        self.now, self.platform = BEGIN + self.rng.randrange(DAY), "ujrat://platform/" + code
        self.created_at = self.now
        self.keys, self.accounts, self.beneficiaries, self.blocks, self.payouts = [], {}, [], [], {}
        self.handed, self.quotes, self.proposals, self.fundings, self.next_seq = collections.Counter(), 0, 0, 0, 1
        self.aside, self.batches = {}, 0      # what is unclaimed, by the seq of its journal
        self.add_account("position", "POSITION", "debit", "PKR")
        self.add_account("margin", "INCOME", "credit", "PKR")
        for bank in BANKS:
            self.add_account("payable", "LIABILITY", "credit", "PKR", bank)
            self.add_account("nostro", "ASSET", "debit", "PKR", bank)
        for currency in currencies:
            self.add_account("float", "LIABILITY", "credit", currency)
            self.add_account("correspondent", "ASSET", "debit", currency)
            self.add_account("fee", "INCOME", "credit", currency)
            self.add_account("position", "POSITION", "debit", currency)
        self.rotate_key()

    def add_account(self, role, kind, side, currency, bank=None):
        code = ".".join(filter(None, (role, bank, currency)))
        self.accounts.setdefault(code, dict(book=self.code, account_id=len(self.accounts) + 1, code=code, role=role, type=kind,
                                            normal_side=side, currency=currency, bank=bank, floor_zero=int(role in ("float", "unclaimed", "held")),
                                            created_at=self.created_at))

    def rotate_key(self):
        self.keys.append((len(self.blocks) + 1, new_key(self.rng), self.now))

    def key_for(self, block_no):
        return [key for from_block, key, _ in self.keys if from_block <= block_no][-1]

    # ------------------------------------------------------------ what happens in it
    def commit(self, journals):
        """journals: (kind, actor, payout_id, reverses_seq, detail, lines, subject, about)"""
        block_no = len(self.blocks) + 1
        made = [Journal(self.next_seq + i, block_no, *j) for i, j in enumerate(journals)]
        self.blocks.append(Block(block_no, self.now, made))
        self.next_seq += len(made)
        self.now += self.rng.choice((1, self.rng.randrange(1, 3600 * SECOND)))      # when the next block will be written

    def deposit(self, currency, amount):
        reference = "CA-%s-%d" % (currency, self.next_seq)
        lines = [("correspondent." + currency, currency, amount), ("float." + currency, currency, -amount)]
        self.commit([("FLOAT_DEPOSITED", "ujrat://operator/treasury-1", None, None, reference, lines, "deposit",
                      dict(reference=reference, currency=currency, amount=amount))])

    def new_beneficiary(self):
        """A new one, or a new version of the last."""
        old = self.beneficiaries[-1] if self.beneficiaries and self.rng.random() < 0.2 else None
        number, version = (old["beneficiary_id"], old["version"] + 1) if old else (len({b["beneficiary_id"] for b in self.beneficiaries}) + 1, 1)
        commit = lambda which, value: sha256(record("pii", which, self.rng.randbytes(16), value))
        by_iban = self.rng.random() < 0.7
        self.beneficiaries.append(dict(
            book=self.code, beneficiary_id=number, version=version, bank=self.rng.choice(BANKS), channel=1 if by_iban else 2,
            purpose_code="9471", name=commit("name", "Person %d" % number),
            iban=commit("iban", "PK00TEST%016d" % number) if by_iban else None,
            mobile=None if by_iban else commit("mobile", "+923000000000"), cnic=commit("cnic", "0000000000000"),
            pseb=commit("pseb", "Z-%d" % number) if self.rng.random() < 0.5 else None, actor=self.platform, created_at=self.now))
        return self.beneficiaries[-1]

    def price(self, sheet, src, bps, gross=None, terms=None):
        """What domain knows as pricing, in Python's exact numbers. terms: those of the version of the policy, if there is one."""
        gross, shift = gross or self.rng.randrange(2_000, GROSS_MAX), CURRENCIES["PKR"][1] - CURRENCIES[src][1]
        fee = max(50, gross // 200) if self.rng.random() < 0.8 else 0
        if terms:
            fee = max(terms["fee_fixed"] + gross * terms["fee_bps"] // 10_000, terms["fee_min"])
            fee, bps = terms["fee_max"] if 0 < terms["fee_max"] < fee else fee, terms["margin_bps"]
        elif not bps:
            bps = self.rng.choice((0, 1, 150, 9999))
        rate, bps = (10 ** 10, 0) if src == "PKR" else (dict(sheet["rates"])[src], bps)
        over, under = (gross - fee) * rate * 10 ** max(0, shift), 10 ** (10 + max(0, -shift))
        mid_value = over // under
        rest = over - mid_value * under
        mid_value += rest * 2 > under or (rest * 2 == under and mid_value % 2 == 1)
        margin = mid_value * bps // 10_000
        return dict(gross=gross, fee=fee, mid_rate_e10=rate, mid_value=mid_value, margin_bps=bps, margin=margin, net=mid_value - margin), shift

    def payout(self, seq, src=None, quoted=None, bps=None, info=None, reference=None, gross=None):
        src = src if src in self.currencies else self.rng.choice(self.currencies)
        b = self.new_beneficiary() if not self.beneficiaries or self.rng.random() < 0.4 else self.rng.choice(self.beneficiaries)
        sheet, quote = self.rng.choice(self.world.sheets), None
        quoted = quoted or (quoted is None and self.rng.random() < 0.4)
        policy = self.world.policy
        # now and then by a version that has been over for some minutes: whoever prices may not know yet
        version = policy.at(self.now - (30 * SECOND if quoted else 0) - self.rng.choice((0, 0, 9 * 60 * SECOND)))
        by = {} if version is None else dict(policy=policy.hashes[version])
        p, shift = self.price(sheet, src, bps, gross, None if version is None else policy.terms(version, self.code, src))
        digest = sha256(record("rate-sheet", sheet))
        if quoted:
            self.quotes += 1
            quote = dict(book=self.code, quote_id=self.quotes, request_id="q-%d" % self.quotes, fingerprint=self.rng.randbytes(16),
                         src_ccy=src, dst_ccy="PKR", digit_shift=shift, rate_sheet=digest, **p, actor=self.platform,
                         created_at=self.now - 30 * SECOND, expires_at=self.now + 30 * SECOND, **by)
        exchange = [] if src == "PKR" else [("position." + src, src, p["fee"] - p["gross"]), ("position.PKR", "PKR", p["mid_value"]),
                                            ("margin.PKR", "PKR", -p["margin"])]
        lines = [("float." + src, src, p["gross"]), ("fee." + src, src, -p["fee"]), *exchange,
                 ("payable.%s.PKR" % b["bank"], "PKR", -p["net"])]
        about = dict(reference=reference or "%s/%05d" % (self.code, seq), info=info if reference else info or self.rng.choice(TEXTS), bank=b["bank"], src_ccy=src, dst_ccy="PKR", **p,
                     digit_shift=shift, fingerprint=self.rng.randbytes(16), beneficiary_id=b["beneficiary_id"],
                     beneficiary_version=b["version"], beneficiary=sha256(record("beneficiary", b)), rate_sheet=digest,
                     quote=quote and quote_record(quote), **by)
        self.payouts[seq] = dict(bank=b["bank"], net=p["net"], lines=[line for line in lines if line[2]], state=1, quote=quote, version=version,
                                 place=seq, holds=[])
        return ("PAYOUT_ACCEPTED", self.platform, seq, None, None, self.payouts[seq]["lines"], "payout", about)

    def accept(self, n, *wanted):
        """n payouts, the first of them as they are wanted."""
        self.commit([self.payout(self.next_seq + i, **(wanted[i] if i < len(wanted) else {})) for i in range(n)])

    def of_state(self, state, bank=None, told=True):
        return [i for i, p in self.payouts.items() if p["state"] == state and bank in (None, p["bank"])
                and (p["place"] is not None and p["place"] <= self.handed[p["bank"]]) == told]

    def hand_out(self, bank, n=50):
        waiting = sorted(p["place"] for p in self.payouts.values() if p["bank"] == bank and p["place"] and p["place"] > self.handed[bank])[:n]
        if waiting:
            self.commit([("PAYOUTS_INSTRUCTED", "ujrat://bank/" + bank, None, None, self.rng.choice((None, "window %d" % (len(self.blocks) + 1))), [], "handout",
                          dict(bank=bank, prev_payout_id=self.handed[bank], last_payout_id=waiting[-1]))])
            self.handed[bank] = waiting[-1]

    def step(self, kind, number, state, step, actor, reason=None, reference=None, tax=None, eprc=None, lines=None):
        """A journal that leads a payout to a state; it reverses the one that accepted it, unless other lines are given."""
        self.payouts[number]["state"] = state
        about = dict(step=step, state=state, reason_code=reason, bank_reference=reference, tax_withheld=tax, eprc_number=eprc)
        return (kind, actor, number, None if lines else number, None, lines or negated(self.payouts[number]["lines"]), "transition", about)

    def confirm(self, bank, settled=None, rejected=None):
        journals, actor = [], "ujrat://bank/" + bank
        for number in self.of_state(1, bank):
            p, roll = self.payouts[number], self.rng.random()
            if number == rejected or (roll < 0.2 and number != settled):
                journals.append(self.step("PAYOUT_REJECTED", number, 5, 1, actor, "AC04"))
            elif roll < 0.9 or number == settled:
                p["settled"] = self.next_seq + len(journals)
                tax = self.rng.choice((None, 0, p["net"] // 100))
                journals.append(self.step("PAYOUT_SETTLED", number, 4, 1, actor, None, "FT-%d" % number, tax,
                                          "EPRC%d" % number if tax else None, lines=settlement(p)))
        if journals:
            self.commit(journals)

    def give_back(self):
        for number in [i for i in self.of_state(4) if not self.payouts[i].get("steps")][:1]:
            p = self.payouts[number]
            actor = "ujrat://bank/" + p["bank"]
            p.update(steps=2, standing=[(self.next_seq, p["net"], 0, negated(settlement(p)), negated(p["lines"]))])
            self.commit([("SETTLEMENT_REVERSED", actor, number, p["settled"], None, negated(settlement(p)), "none", {}),
                         self.step("PAYOUT_RETURNED", number, 6, 2, actor, "AC06", "RT-%d" % number)])

    def returned(self, number):
        return sum(back[1] for back in self.payouts[number].get("standing", ()))

    def give_back_part(self, whole=False, charge=None, number=None):
        """A part of a payment comes back, or the rest of it, and the bank keeps something."""
        for number in [number] if number else (self.of_state(10) + self.of_state(4))[:1]:
            p, before = self.payouts[number], self.returned(number)
            left = p["net"] - before
            amount = left if whole or left < 3 else self.rng.randrange(1, left)
            charge = self.rng.choice((0, 0, amount // 7, amount)) if charge is None else charge
            if charge == 0 and amount == p["net"] and not p.get("steps"):
                charge = 1
            if charge:
                self.add_account("charge", "EXPENSE", "debit", "PKR")
            side = [line for line in (("payable.%s.PKR" % p["bank"], "PKR", -amount), ("nostro.%s.PKR" % p["bank"], "PKR", amount - charge),
                                      ("charge.PKR", "PKR", charge)) if line[2]]
            parts = [(account, ccy, was - now) for (account, ccy, _), now, was in
                     zip(p["lines"], shares(p, before + amount), shares(p, before)) if now != was]
            p["steps"] = p.get("steps", 1) + 1
            p.setdefault("standing", []).append((self.next_seq, amount, charge, side, parts))
            actor = "ujrat://bank/" + p["bank"]
            second = self.step("PAYOUT_PARTLY_RETURNED", number, 6 if amount == left else 10, p["steps"], actor, "AC04", "PR-%d" % self.next_seq,
                               lines=parts)
            self.commit([("SETTLEMENT_PARTLY_REVERSED", actor, number, None, None, side, "none", {}), second])

    def take_back(self, number=None):
        """The last return of a payment is taken back."""
        for number in [number] if number else [i for i in self.of_state(6) + self.of_state(10) if self.payouts[i].get("standing")][:1]:
            p = self.payouts[number]
            first, amount, _, side, parts = p["standing"].pop()
            p["steps"] += 1
            actor = "ujrat://bank/" + p["bank"]
            second = self.step("SETTLEMENT_RESTORED", number, 10 if p["standing"] else 4, p["steps"], actor, "AM09", "RR-%d" % self.next_seq,
                               lines=negated(side))
            self.commit([("RETURN_REVERSED", actor, number, first + 1, None, negated(parts), "none", {}),
                         (second[0], second[1], second[2], first, *second[4:])])

    def fund(self):
        self.fundings += 1
        src, bank, amount, cost = self.rng.choice(self.currencies), self.rng.choice(BANKS), self.rng.randrange(1, 900_000), self.rng.randrange(1, 3000)
        cost = amount if src == "PKR" else cost
        position = [] if src == "PKR" else [("position.PKR", "PKR", -amount), ("position." + src, src, cost)]
        lines = [("nostro.%s.PKR" % bank, "PKR", amount), *position, ("correspondent." + src, src, -cost)]
        self.commit([("NOSTRO_FUNDED", "ujrat://system/cli", None, None, "FUND-%d" % self.fundings, lines, "none", {})])

    def set_aside(self, n=3, days=30):
        """Items of a batch for people whom nobody knows."""
        self.batches += 1
        journals, expires_at = [], self.now + days * DAY
        for i in range(n):
            src, gross, seq = self.rng.choice(self.currencies), self.rng.randrange(2_000, 300_000), self.next_seq + i
            self.add_account("unclaimed", "LIABILITY", "credit", src)
            u = dict(reference="PP-%s-%d" % (self.code, seq), info=self.rng.choice(TEXTS), currency=src, gross=gross, batch_id=self.batches,
                     item_no=i + 1, expires_at=expires_at)
            self.aside[seq] = u
            journals.append(("PAYOUT_UNCLAIMED", self.platform, None, None, u["reference"],
                             [("float." + src, src, gross), ("unclaimed." + src, src, -gross)], "unclaimed", u))
        self.commit(journals)

    def end_journal(self, kind, number, outcome, payout_id=None):
        u = self.aside.pop(number)
        lines = [("float." + u["currency"], u["currency"], -u["gross"]), ("unclaimed." + u["currency"], u["currency"], u["gross"])]
        actor = self.platform if outcome == 3 else "ujrat://system/unclaimed"
        return (kind, actor, None, number, u["reference"], lines, "unclaimed_end", dict(outcome=outcome, payout_id=payout_id))

    def claim(self, n=2):
        mine = [i for i, u in self.aside.items() if u["expires_at"] > self.now][:n]
        wanted = [dict(src=self.aside[i]["currency"], gross=self.aside[i]["gross"], reference=self.aside[i]["reference"], quoted=False,
                       info=self.aside[i]["info"]) for i in mine]
        k = len(mine)
        if mine:
            first = [self.end_journal("UNCLAIMED_CLAIMED", number, 1, self.next_seq + k + i) for i, number in enumerate(mine)]
            self.commit(first + [self.payout(self.next_seq + k + i, **w) for i, w in enumerate(wanted)])

    def expire(self):
        """What is late, or else the oldest is cancelled."""
        late = [i for i, u in self.aside.items() if u["expires_at"] <= self.now]
        ends = late or list(self.aside)[:1]
        if ends:
            self.commit([self.end_journal("UNCLAIMED_RETURNED", i, 2 if late else 3) for i in ends])

    def hold(self, reason="SCREENING", by="ujrat://operator/desk-1", number=None):
        """A payout that its bank was not told of, the first of them."""
        for number in [number] if number else self.of_state(1, told=False)[:1]:
            p = self.payouts[number]
            self.add_account("held", "LIABILITY", "credit", "PKR")
            p.update(state=2, place=None, holds=p["holds"] + [self.next_seq])
            about = dict(hold_no=len(p["holds"]), reason=reason, detail=sha256(b"a name") if reason == "SCREENING" else None,
                         evidence=sha256(b"{}") if len(p["holds"]) == 1 else None, deadline=self.now + DAY)
            self.commit([("PAYOUT_HELD", by, number, None, None, held(p), "hold", about)])
            return number

    def end_hold(self, outcome, number=None, two=("ujrat://operator/looks-1", "ujrat://operator/looks-2")):
        for number in [number] if number else self.of_state(2, told=False)[:1]:
            p = self.payouts[number]
            about = dict(hold_no=len(p["holds"]), outcome=outcome, first_by=two[0], second_by=two[1], first_note=sha256(b"seen"), second_note=sha256(b"so"))
            end = ("HOLD_RELEASED" if outcome == 1 else "HOLD_REFUSED", two[1], number, p["holds"][-1], None, negated(held(p)), "hold_end", about)
            if outcome == 1:
                p.update(state=1, place=self.next_seq)
                self.commit([end])
            else:
                self.commit([end, self.step("PAYOUT_REFUSED", number, 9, 1, two[1], "MS03")])

    def hold_some(self):
        """One is released and held again and released, one placed by hand is released by two others, one is refused, one stays."""
        while len(self.of_state(1, told=False)) < 5:
            self.accept(5)
        first, second, third, fourth = self.of_state(1, told=False)[:4]
        self.hold(number=first)
        self.end_hold(1, first)
        self.hold("OPERATOR", number=second)
        self.hold("LIMIT", number=first)
        self.end_hold(1, second)
        self.hold(number=third)
        self.end_hold(2, third)
        self.hold("VELOCITY", number=fourth)
        self.end_hold(1, first)
        for bank in BANKS:
            self.hand_out(bank)

    def cancel(self):
        for number in self.of_state(1, told=False)[:1]:
            self.commit([self.step("PAYOUT_CANCELLED", number, 7, 1, self.platform)])

    def adjust(self, evidence=None):
        self.proposals += 1
        currency, amount = self.rng.choice(self.currencies), self.rng.randrange(1, 5000)
        lines = [("fee." + currency, currency, amount), ("correspondent." + currency, currency, -amount)]
        self.commit([("ADJUSTMENT", "ujrat://operator/checker-1", None, None, None, lines, "adjustment",
                      dict(proposal=self.proposals, reason="charge of the correspondent, رقم", evidence=evidence,
                           proposed_by="ujrat://operator/maker-1", proposed_at=self.now - DAY))])

    def live(self, blocks, big):
        """Some of everything, and then whatever comes."""
        for currency in self.currencies:
            self.deposit(currency, 50_000_000 + self.rng.randrange(10_000_000) + 300_000 * big)
        plain = dict(src="USD", quoted=False, bps=150, info="November")
        self.accept(9, plain, dict(plain, quoted=True), dict(plain, quoted=True))
        self.cancel()
        for bank in BANKS:
            self.hand_out(bank, 4)
            waiting = self.of_state(1, bank)
            if len(waiting) > 1:
                self.confirm(bank, waiting[0], waiting[-1])
        self.rotate_key()
        self.now = max(self.now, POLICY_BEGIN + 3600 * SECOND)
        self.accept(9, dict(src="USD", quoted=False), dict(src="USD", quoted=True))
        self.give_back()
        while not self.of_state(4):
            self.accept(2)
            for bank in BANKS:
                self.hand_out(bank)
                self.confirm(bank)
        number = self.of_state(4)[0]
        self.give_back_part(charge=1, number=number)
        self.give_back_part(charge=0, number=number)
        self.take_back(number)
        self.give_back_part(whole=True, charge=2, number=number)
        self.take_back(number)
        self.fund()
        self.adjust(evidence=self.rng.randbytes(32))
        self.adjust()
        self.set_aside(5)
        self.claim(2)
        self.expire()
        self.now += 31 * DAY
        self.expire()
        self.set_aside(3)
        self.hold_some()
        while len(self.blocks) < blocks:
            self.rng.choice((lambda: self.accept(1), lambda: self.accept(self.rng.randrange(2, 12)), lambda: self.accept(big),
                             lambda: self.hand_out(self.rng.choice(BANKS)), lambda: self.confirm(self.rng.choice(BANKS)), self.give_back,
                             self.give_back_part, self.give_back_part, self.take_back, self.fund, self.set_aside, self.claim, self.expire, self.hold,
                             lambda: self.end_hold(self.rng.choice((1, 2))), self.cancel, self.adjust, self.rotate_key if self.keys[-1][0] <= len(self.blocks) else self.adjust,
                             lambda: self.deposit(self.rng.choice(self.currencies), 1 + self.rng.randrange(1_000_000))))()

    # ------------------------------------------------------------ for those who damage it
    def journals(self, kind=None):
        return [j for block in self.blocks for j in block.journals if kind in (None, j.kind)]

    def journal(self, kind=None, which=0):
        return self.journals(kind)[which]


def negated(lines):
    return [(account, currency, -amount) for account, currency, amount in lines]


def shares(p, returned):
    """What of each line has come back with so much of the net, in exact fractions: the last of a currency but the payable takes the rest."""
    out = [int(fractions.Fraction(amount * returned, p["net"])) for _, _, amount in p["lines"]]
    out[-1] = -returned
    for ccy in {ccy for _, ccy, _ in p["lines"]}:
        last = max(i for i, line in enumerate(p["lines"]) if line[1] == ccy and i < len(out) - 1)
        out[last] = -sum(out[i] for i, line in enumerate(p["lines"]) if line[1] == ccy and i != last)
    return out


def held(p):
    return [("payable.%s.PKR" % p["bank"], "PKR", p["net"]), ("held.PKR", "PKR", -p["net"])]


def settlement(p):
    return [("payable.%s.PKR" % p["bank"], "PKR", p["net"]), ("nostro.%s.PKR" % p["bank"], "PKR", -p["net"])]


# ---------------------------------------------------------------- a world of them, written down
@dataclasses.dataclass
class Item:
    kind: str
    book: str
    number: int         # seq, block, or which of its kind
    record: bytes
    key_id: str = None  # of what is signed
    signature: bytes = None

    @property
    def data(self):
        return self.record if self.signature is None else record("signed", self.record, self.key_id, self.signature)


@dataclasses.dataclass
class Hooks:
    """Where a forger with all the keys can put a hand in before everything is hashed and signed."""

    edit: callable = lambda kind, f: None                   # changes the fields of a record in place
    sign: callable = lambda kind, f, key: (key, key_id(key))    # which key signs, and which it is said to be


class World:
    def __init__(self, seed=1, books=2, blocks=52, big=25):
        self.rng = random.Random(seed)
        rng = self.rng
        self.exported_at, self.block_records = BEGIN + 400 * DAY, {}
        self.sheets = []
        for i in range(3):
            rates = [(code, rate if i == 0 else rate + rng.randrange(-10 ** 9, 10 ** 9)) for code, rate in RATES.items()]
            self.sheets.append(dict(rate_id=2 * i + 1, source="SBP-M2M", sheet_date=20_453 + i, as_of=BEGIN + i * DAY,
                                    imported_at=BEGIN + i * DAY + 60, file_name="rates-%d.pdf" % i, file_sha256=rng.randbytes(32), author="ujrat://operator/treasury-1", rates=rates))
        names = (("upwork", "Upwork", ["USD", "EUR"]), ("yen-gigs", "گِگز 円", ["JPY", "USD", "PKR"]), ("third", "Third", ["KWD", "GBP"]))
        self.policy = Policy(random.Random(seed + 1000), names)
        self.books = [Book(self, *name) for name in names[:books]]
        for book in self.books:
            book.live(blocks, big)

    def items(self, hooks=None):
        hooks = hooks or Hooks()

        out = []

        def put(kind, book, number, f, key=None):
            hooks.edit(kind, f)
            made = Item(kind, book, number, record("journal/2" if kind == "journal" and "policy" in f["about"] else kind, f))
            if key:
                signer, made.key_id = hooks.sign(kind, f, key)
                made.signature = signer.sign(made.record)
            out.append(made)
            return made.record

        put("log", None, 1, dict(exported_at=self.exported_at, program="log_maker.py"))
        for number, (code, (iso, digits)) in enumerate(CURRENCIES.items(), 1):
            put("currency", None, number, dict(code=code, number=iso, digits=digits))
        for number, sheet in enumerate(self.sheets, 1):
            put("rate-sheet", None, number, dict(sheet))
        for number, change in enumerate(self.policy.changes, 1):
            put("policy-change", None, number, dict(change, changes=list(change["changes"])))
        for book in self.books:
            self.block_records[book.code] = self.book_items(book, put)
        return out

    def book_items(self, book, put):
        put("book", book.code, 1, dict(code=book.code, name=book.name, created_at=book.created_at))
        signer = book.keys[0][1]
        for number, (from_block, key, at) in enumerate(book.keys, 1):
            f = dict(book=book.code, key_id=key_id(key), public_key=public_bytes(key), from_block=from_block, created_at=at)
            put("key", book.code, number, f, signer)
            signer = key
        for number, f in enumerate(book.accounts.values(), 1):
            put("account", book.code, number, dict(f))
        for number, f in enumerate(book.beneficiaries, 1):
            put("beneficiary", book.code, number, dict(f))
        blocks, prev, before = [], bytes(32), collections.defaultdict(lambda: (0, 0, 0, 0))
        for block in book.blocks:
            records, lines = [], []
            for journal in block.journals:
                f = journal.fields(book.code, block.committed_at)
                records.append(put("journal", book.code, journal.seq, f))
                lines += f["lines"] if isinstance(f["lines"], list) else []
            for code in sorted({line[0] for line in lines if line[0] in book.accounts}, key=lambda code: book.accounts[code]["account_id"]):
                amounts = [amount for account, _, amount in lines if account == code]
                prev_block, balance, debits, credits = before[code]
                before[code] = (block.number, balance + sum(amounts), debits + sum(a > 0 for a in amounts), credits + sum(a < 0 for a in amounts))
                put("balance", book.code, block.number, dict(
                    book=book.code, account=code, block_no=block.number, prev_block_no=prev_block, balance_before=balance, change=sum(amounts),
                    balance=before[code][1], debit_count=before[code][2], credit_count=before[code][3]))
            f = dict(book=book.code, block_no=block.number, first_seq=block.journals[0].seq, last_seq=block.journals[-1].seq,
                     committed_at=block.committed_at, journal_root=merkle_root(records), prev=prev)
            blocks.append(put("block", book.code, block.number, f, book.key_for(block.number)))
            prev = sha256(b"\x00" + blocks[-1])
        if blocks:
            f = dict(book=book.code, tree_size=len(blocks), root=merkle_root(blocks), signed_at=book.now + SECOND)
            put("tree-head", book.code, len(blocks), f, book.key_for(len(blocks)))
        return blocks

    def export(self, hooks=None):
        return file_of(self.items(hooks))

    def witness(self, *sizes):
        """The lines a witness has who saw the heads of these sizes of each book (none given: of every fifth and the last)."""
        self.items()
        lines = []
        for book in self.books:
            blocks = self.block_records[book.code]
            for size in sizes or sorted({*range(1, len(blocks), 5), len(blocks)}):
                root, key = merkle_root(blocks[:size]), book.key_for(size)
                head = record("tree-head", book.code, size, root, book.blocks[size - 1].committed_at + 1)
                lines.append(json.dumps(dict(book=book.code, tree_size=size, root=root.hex(), signed_at=book.blocks[size - 1].committed_at + 1,
                                             key_id=key_id(key), signature=key.sign(head).hex())))
        return lines

    def first_keys(self):
        return [public_bytes(book.keys[0][1]) for book in self.books]


MAGIC = b"UJRATLOG\n"


def file_of(items, end=None):
    """end: another end record than the right one; b"" for none."""
    data = MAGIC + b"".join(field(i.data) for i in items)
    if end is None:
        end = record("end", len(items), sha256(data))
    return data + (field(end) if end else b"")
