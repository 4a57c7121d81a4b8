#!/usr/bin/python3
"""Checks a log export: an independent verifier, written from docs/log-format.md (and, for which lines a journal has,
docs/accounting.md) and from no line of the programs that write it.

    log_verifier.py FILE [--key HEX_OR_PEM]... [--witness FILE]

Prints a line a book and exits 0, or says the first wrong thing (book, place, field, why) and exits 1. A key is the first
key of a book, given to the auditor some other way: 64 hexadecimal digits, or the name of a PEM file. Without one the log
is checked against itself only, and so it says.

From top to bottom: records, items, hashes, the books and what is in them, the witness, the program.
"""
import argparse
import collections
import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

FIELD_MAX = 1 << 20
ABSENT = b"\xff\xff\xff\xff"
MAGIC = b"UJRATLOG\n"
LINES_MAX = 8


class Place(collections.namedtuple("Place", "book unit number")):
    """Where something is: block 4 of a book, seq 17, its key 2; item 3 of the file; line 1 of the witness."""

    def __str__(self):
        return (self.book + ": " if self.book else "") + "%s %d" % (self.unit, self.number)


class Wrong(Exception):
    """The first wrong thing."""

    def __init__(self, place, field, reason):
        super().__init__("%s: %s: %s" % (place, field, reason))
        self.place, self.field, self.reason = place, field, reason


class Malformed(Exception):
    """A record that is not what the page says; whoever knows its place makes a Wrong of it."""

    def __init__(self, field, reason):
        super().__init__(field, reason)
        self.field, self.reason = field, reason


# ---------------------------------------------------------------- records: what fields each has
def fields_of(text):
    """"a:int b:text? c[d:int e:text]" as a list of (name, kind, optional, fields of a list's entry)."""
    out, inner = [], None
    for word in text.replace("[", " [ ").replace("]", " ] ").split():
        if word == "[":
            inner = []
        elif word == "]":
            name, _, _, _ = out.pop()
            out.append((name, "list", False, inner))
            inner = None
        else:
            name, _, kind = word.partition(":")
            (out if inner is None else inner).append((name, kind.rstrip("?"), kind.endswith("?"), None))
    return out


PRICE = "gross:int fee:int mid_rate_e10:int mid_value:int margin_bps:int margin:int net:int "
RECORDS = {tag: fields_of(text) for tag, text in {
    "ujrat/log/1": "exported_at:time program:text",
    "ujrat/currency/1": "code:text number:int digits:int",
    "ujrat/rate-sheet/1": "rate_id:int source:text sheet_date:date as_of:time imported_at:time file_name:text file_sha256:bytes32 "
                          "author:text rates[currency:text pkr_e10:int]",
    "ujrat/policy-change/1": "policy_id:int effective_at:time reason:text source:text source_sha256:bytes32? opening:int proposed_by:text "
                             "proposed_at:time approved_by:text approved_at:time changes[rule:text scope:text currency:text? value:int?]",
    "ujrat/policy/1": "policy_id:int effective_at:time changes[change:bytes32]",
    "ujrat/book/1": "code:text name:text created_at:time",
    "ujrat/key/1": "book:text key_id:text public_key:bytes32 from_block:int created_at:time",
    "ujrat/account/1": "book:text account_id:int code:text role:text type:text normal_side:text currency:text bank:text? "
                       "floor_zero:int created_at:time",
    "ujrat/beneficiary/1": "book:text beneficiary_id:int version:int bank:text channel:int purpose_code:text name:bytes32? iban:bytes32? "
                           "mobile:bytes32? cnic:bytes32? pseb:bytes32? actor:text created_at:time",
    "ujrat/journal/1": "book:text seq:int block_no:int committed_at:time kind:text actor:text payout_id:int? reverses_seq:int? detail:text? "
                       "lines[account:text currency:text amount:int] subject:text",
    "ujrat/quote/1": "book:text quote_id:int request_id:text fingerprint:bytes16 src_ccy:text dst_ccy:text digit_shift:int "
                     "rate_sheet:bytes32 " + PRICE + "actor:text created_at:time expires_at:time",
    "ujrat/balance/1": "book:text account:text block_no:int prev_block_no:int balance_before:int change:int balance:int debit_count:int "
                       "credit_count:int",
    "ujrat/block/1": "book:text block_no:int first_seq:int last_seq:int committed_at:time journal_root:bytes32 prev:bytes32",
    "ujrat/tree-head/1": "book:text tree_size:int root:bytes32 signed_at:time",
    "ujrat/signed/1": "record:bytes key_id:text signature:bytes64",
    "ujrat/end/1": "items:int sha256:bytes32",
    "ujrat/pii/1": "which:text salt:bytes16 value:text",
    "ujrat/pii-open/1": " ".join("%s_salt:bytes16? %s_value:text?" % (w, w) for w in ("name", "iban", "mobile", "cnic", "pseb")),
}.items()}
for _tag in ("ujrat/journal", "ujrat/quote"):       # of what says which version of the policy priced it
    RECORDS[_tag + "/2"] = RECORDS[_tag + "/1"] + (fields_of("policy:bytes32") if _tag == "ujrat/quote" else [])
JOURNALS = ("ujrat/journal/1", "ujrat/journal/2")
SIGNED = {"ujrat/key/1", "ujrat/block/1", "ujrat/tree-head/1"}

# The last field of a journal says which fields follow it.
SUBJECTS = {subject: fields_of(text) for subject, text in {
    "payout": "reference:text info:text? bank:text src_ccy:text dst_ccy:text gross:int fee:int mid_rate_e10:int mid_value:int "
              "margin_bps:int margin:int net:int digit_shift:int fingerprint:bytes16 beneficiary_id:int beneficiary_version:int "
              "beneficiary:bytes32 rate_sheet:bytes32 quote:bytes?",
    "transition": "step:int state:int reason_code:text? bank_reference:text? tax_withheld:int? eprc_number:text?",
    "handout": "bank:text prev_payout_id:int last_payout_id:int",
    "deposit": "reference:text currency:text amount:int",
    "unclaimed": "reference:text info:text? currency:text gross:int batch_id:int item_no:int expires_at:time",
    "unclaimed_end": "outcome:int payout_id:int?",
    "hold": "hold_no:int reason:text detail:bytes32? evidence:bytes32? deadline:time",
    "hold_end": "hold_no:int outcome:int first_by:text second_by:text first_note:bytes32 second_note:bytes32",
    "adjustment": "proposal:int reason:text evidence:bytes32? proposed_by:text proposed_at:time",
    "none": "",
}.items()}


class Reader:
    """Takes a record apart, field by field."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, name):
        """The bytes of the next field; None if it is absent."""
        head = self.data[self.at:self.at + 4]
        if len(head) < 4:
            raise Malformed(name, "the record ends before it")
        self.at += 4
        if head == ABSENT:
            return None
        length = int.from_bytes(head, "big")
        if length > FIELD_MAX:
            raise Malformed(name, "%d bytes: longer than a field can be" % length)
        if length > len(self.data) - self.at:
            raise Malformed(name, "%d bytes: the record ends before that" % length)
        self.at += length
        return self.data[self.at - length:self.at]

    def value(self, name, kind, optional=False):
        raw = self.raw(name)
        if raw is None:
            if not optional:
                raise Malformed(name, "absent")
            return None
        if kind == "text":
            try:
                return raw.decode("utf-8")      # strictly: no surrogates, nothing overlong
            except UnicodeDecodeError:
                raise Malformed(name, "not UTF-8") from None
        size = 8 if kind in ("int", "time", "date") else int(kind[len("bytes"):] or len(raw))
        if len(raw) != size:
            raise Malformed(name, "%d bytes, not %d" % (len(raw), size))
        return raw if kind.startswith("bytes") else int.from_bytes(raw, "big", signed=True)

    def fields(self, spec, prefix=""):
        out = {}
        for name, kind, optional, inner in spec:
            if kind != "list":
                out[name] = self.value(prefix + name, kind, optional)
                continue
            count = self.value(name, "int")
            if not 0 <= count <= len(self.data) - self.at:      # more entries than bytes: not even looked for
                raise Malformed(name, "a list of %d" % count)
            out[name] = [self.fields(inner, "%s[%d]." % (name, i + 1)) for i in range(count)]
        return out


def tag_of(record):
    tag = Reader(record).value("record", "text")
    if tag not in RECORDS:
        raise Malformed("record", "%r is not of this format" % tag[:40])
    return tag


def decode(record, tag):
    """The fields of a record that must be of this kind, and nothing after them."""
    found = tag_of(record)
    if found != tag:
        raise Malformed("record", "%s where %s should be" % (found, tag))
    reader = Reader(record)
    reader.raw("record")
    out = reader.fields(RECORDS[tag])
    if tag in JOURNALS:
        if out["subject"] not in (SUBJECTS if tag == JOURNALS[0] else ("payout",)):
            raise Malformed("subject", "%r is not of this format" % out["subject"][:40])
        out["about"] = reader.fields(SUBJECTS[out["subject"]])
        if tag == JOURNALS[1]:
            out["about"].update(reader.fields(fields_of("policy:bytes32")))
    if reader.at != len(record):
        raise Malformed("record", "%d bytes too many" % (len(record) - reader.at))
    return out


# ---------------------------------------------------------------- items: records one after the other in a file
class Item:
    """What an item holds: a record, its fields once it is taken, and who signed it (None: it is not signed)."""

    def __init__(self, raw):
        self.record, self.f, self.key_id, self.signature = raw, None, None, None
        self.tag = tag_of(raw)
        if self.tag == "ujrat/signed/1":
            wrapped = decode(raw, self.tag)
            self.record, self.key_id, self.signature = wrapped["record"], wrapped["key_id"], wrapped["signature"]
            self.tag = tag_of(self.record)
        if (self.tag in SIGNED) != (self.signature is not None):
            raise Malformed("record", "%s %s" % (self.tag, "should not be signed" if self.signature else "is not signed"))

    def check_signature(self, public_key, place):
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, self.record)
        except InvalidSignature:
            raise Wrong(place, "signature", "not by key %s" % self.key_id) from None


class Items:
    """The items of a file. One is looked at before it is taken, since its kind says where it belongs."""

    def __init__(self, stream):
        self.stream, self.sha256, self.taken, self.next, self.sha256_before = stream, hashlib.sha256(), 0, None, None
        if self.read(len(MAGIC), self.place()) != MAGIC:
            raise Wrong(self.place(), "file", "it does not begin as a log export does")

    def place(self, book=None):
        return Place(book, "item", self.taken + 1)

    def read(self, size, place):
        data = self.stream.read(size)
        if len(data) < size:
            raise Wrong(place, "file", "it was cut short" if self.taken else "it is too short")
        self.sha256.update(data)
        return data

    def peek(self, place):
        """The kind of the next item. The place is where to look should there be none."""
        if self.next is None:
            self.sha256_before = self.sha256.digest()
            head = self.read(4, place)
            length = int.from_bytes(head, "big")
            if head == ABSENT or length > FIELD_MAX:
                raise Wrong(place, "item", "absent" if head == ABSENT else "%d bytes: longer than a field can be" % length)
            raw = self.read(length, place)
            try:
                self.next = Item(raw)
            except Malformed as e:
                raise Wrong(place, e.field, e.reason) from None
        return self.next.tag

    def take(self, tag, place):
        """The next item, which has to be of this kind, taken apart."""
        if self.peek(place) != tag:
            raise Wrong(place, "record", "%s where %s should be" % (self.next.tag, tag))
        item, self.next = self.next, None
        try:
            item.f = decode(item.record, tag)
        except Malformed as e:
            raise Wrong(place, e.field, e.reason) from None
        self.taken += 1
        return item

    def take_all(self, tag, place):
        """As many of this kind as there are."""
        while self.peek(place(self)) == tag:
            yield self.take(tag, place(self))


# ---------------------------------------------------------------- hashes
def sha256(data):
    return hashlib.sha256(data).digest()


class Tree:
    """RFC 6962 section 2.1, leaf after leaf: the roots of the complete subtrees, the largest first, are all it takes."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def add(self, record):
        self.add_hash(sha256(b"\x00" + record))

    def add_hash(self, node):
        same = self.size
        while same % 2:      # two subtrees of one size become one
            node, same = sha256(b"\x01" + self.peaks.pop() + node), same // 2
        self.peaks.append(node)
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha256(b"")
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\x01" + peak + root)
        return root


# ---------------------------------------------------------------- price
def check_price(p, digits, say):
    """The numbers of a payout or of a quote follow from each other. say(field, reason) raises."""
    for field in ("src_ccy", "dst_ccy"):
        if p[field] not in digits:
            say(field, "%s is no currency of this file" % p[field])
    shift = digits[p["dst_ccy"]] - digits[p["src_ccy"]]
    if p["digit_shift"] != shift:
        say("digit_shift", "%d, not %d" % (p["digit_shift"], shift))
    if p["gross"] <= 0 or not 0 <= p["fee"] < p["gross"]:
        say("fee", "%d of %d" % (p["fee"], p["gross"]))
    if p["mid_rate_e10"] <= 0 or not 0 <= p["margin_bps"] < 10000:
        say("margin_bps", "a rate of %d with a margin of %d" % (p["mid_rate_e10"], p["margin_bps"]))
    over, under = (p["gross"] - p["fee"]) * p["mid_rate_e10"] * 10 ** max(shift, 0), 10 ** (10 + max(-shift, 0))
    mid_value, rest = divmod(over, under)
    if 2 * rest > under or (2 * rest == under and mid_value % 2):
        mid_value += 1
    if p["mid_value"] != mid_value:
        say("mid_value", "%d, not %d" % (p["mid_value"], mid_value))
    if p["margin"] != mid_value * p["margin_bps"] // 10000:
        say("margin", "%d, not %d" % (p["margin"], mid_value * p["margin_bps"] // 10000))
    if p["net"] != mid_value - p["margin"] or p["net"] <= 0:
        say("net", "%d, not %d" % (p["net"], mid_value - p["margin"]))


# ---------------------------------------------------------------- the policy
GRACE = 600_000_000      # how long a version is used on when the next one has begun
Version = collections.namedtuple("Version", "policy_id effective_at rules")     # rules: (rule, scope, currency) to the value in force


class Policies:
    """The versions, in their order, and by the hash of each one's record."""

    def __init__(self):
        self.versions, self.changes, self.by_hash, self.begin = [], [], {}, None

    def add(self, item, digits, say):
        f = item.f
        last = self.versions[-1] if self.versions else None
        if last and (f["effective_at"], f["policy_id"]) <= (last.effective_at, last.policy_id):
            say("effective_at", "version %d is not in order" % f["policy_id"])
        if f["policy_id"] in [v.policy_id for v in self.versions]:
            say("policy_id", "%d was there before" % f["policy_id"])
        before, rules = last.rules if last else {}, dict(last.rules) if last else {}
        for change in f["changes"]:
            if change["currency"] not in (None, *digits):
                say("currency", "%s is no currency of this file" % change["currency"])
            rules[change["rule"], change["scope"], change["currency"]] = change["value"]
        if f["opening"] not in (0, 1):
            say("opening", "%d" % f["opening"])
        if f["opening"]:
            there = [c for c in f["changes"] if before.get((c["rule"], c["scope"], c["currency"])) is not None]
            if there and f["proposed_by"] != "ujrat://system/migration":
                say("opening", "it changes a rule that there was")
        elif f["approved_by"] == f["proposed_by"]:
            say("approved_by", "%s proposed it too" % f["approved_by"])
        elif f["effective_at"] <= f["approved_at"]:
            say("effective_at", "version %d began before it was approved" % f["policy_id"])
        self.versions.append(Version(f["policy_id"], f["effective_at"], rules))
        self.changes.append(sha256(item.record))
        fields = ["ujrat/policy/1", f["policy_id"], f["effective_at"], len(self.changes), *self.changes]
        flat = [v.encode() if isinstance(v, str) else v.to_bytes(8, "big", signed=True) if isinstance(v, int) else v for v in fields]
        self.by_hash[sha256(b"".join(len(v).to_bytes(4, "big") + v for v in flat))] = len(self.versions) - 1
        self.begin = f["approved_at"] if self.begin is None else min(self.begin, f["approved_at"])

    def check(self, book, p, at, say):
        """That a payout was priced by its version, which was in force at that time."""
        if "policy" not in p:
            if self.begin is not None and at > self.begin + GRACE:
                say("policy", "there is none")
            return
        number = self.by_hash.get(p["policy"])
        if number is None:
            say("policy", "no version in the file has that hash")
        version, after = self.versions[number], self.versions[number + 1:number + 2]
        if version.effective_at > at:
            say("policy", "version %d was not in force yet" % version.policy_id)
        if after and at > after[0].effective_at + GRACE:
            say("policy", "version %d was over, version %d had begun" % (version.policy_id, after[0].policy_id))
        terms = {rule: version.rules.get((rule, book, p["src_ccy"])) for rule in ("margin_bps", "fee_fixed", "fee_bps", "fee_min", "fee_max", "payout_max")}
        if None in terms.values():
            say("policy", "version %d has no terms for that" % version.policy_id)
        fee = max(terms["fee_fixed"] + p["gross"] * terms["fee_bps"] // 10000, terms["fee_min"])
        fee = min(fee, terms["fee_max"] or fee)
        if p["fee"] != fee:
            say("fee", "%d, not %d" % (p["fee"], fee))
        if p["src_ccy"] != p["dst_ccy"] and p["margin_bps"] != terms["margin_bps"]:
            say("margin_bps", "%d, not %d" % (p["margin_bps"], terms["margin_bps"]))
        if p["gross"] > terms["payout_max"]:
            say("gross", "%d, more than %d" % (p["gross"], terms["payout_max"]))


# ---------------------------------------------------------------- a book
# The chart of docs/accounting.md: type, normal side, and whether it belongs to a bank.
CHART = {"float": ("LIABILITY", "credit", False), "correspondent": ("ASSET", "debit", False), "fee": ("INCOME", "credit", False),
         "position": ("POSITION", "debit", False), "margin": ("INCOME", "credit", False), "payable": ("LIABILITY", "credit", True),
         "nostro": ("ASSET", "debit", True), "suspense": ("LIABILITY", "credit", False), "charge": ("EXPENSE", "debit", False),
         "unclaimed": ("LIABILITY", "credit", False), "held": ("LIABILITY", "credit", False)}
ACCEPTED, HELD, SETTLED, REJECTED, RETURNED, CANCELLED, REFUSED, PARTLY_RETURNED = 1, 2, 4, 5, 6, 7, 9, 10
HOLD_REASONS = ("OPERATOR", "SCREENING", "LIMIT", "VELOCITY", "NAME_MISMATCH", "TRAVEL_RULE")

# What each kind of journal is about, and of a transition the step and the state it leads to (None: as it comes).
KINDS = {"PAYOUT_ACCEPTED": ("payout", None), "PAYOUTS_INSTRUCTED": ("handout", None), "PAYOUT_SETTLED": ("transition", (1, SETTLED)),
         "PAYOUT_REJECTED": ("transition", (1, REJECTED)), "SETTLEMENT_REVERSED": ("none", None),
         "PAYOUT_RETURNED": ("transition", (2, RETURNED)), "PAYOUT_CANCELLED": ("transition", (1, CANCELLED)),
         "FLOAT_DEPOSITED": ("deposit", None), "ADJUSTMENT": ("adjustment", None), "NOSTRO_FUNDED": ("none", None),
         "SETTLEMENT_PARTLY_REVERSED": ("none", None), "PAYOUT_PARTLY_RETURNED": ("transition", None),
         "RETURN_REVERSED": ("none", None), "SETTLEMENT_RESTORED": ("transition", None), "PAYOUT_UNCLAIMED": ("unclaimed", None),
         "UNCLAIMED_CLAIMED": ("unclaimed_end", None), "UNCLAIMED_RETURNED": ("unclaimed_end", None), "PAYOUT_HELD": ("hold", None),
         "HOLD_RELEASED": ("hold_end", None), "HOLD_REFUSED": ("hold_end", None), "PAYOUT_REFUSED": ("transition", (1, REFUSED))}

# The second journal of those that come in twos.
SECOND = {"SETTLEMENT_REVERSED": "PAYOUT_RETURNED", "SETTLEMENT_PARTLY_REVERSED": "PAYOUT_PARTLY_RETURNED",
          "RETURN_REVERSED": "SETTLEMENT_RESTORED", "HOLD_REFUSED": "PAYOUT_REFUSED"}

Balance = collections.namedtuple("Balance", "block_no balance debits credits")
# standing: Returns, the last one last; place: in its bank's order, None while it is held; holds: (seq, by whom if by hand), the last one last
Payout = collections.namedtuple("Payout", "bank net dst_ccy lines state settled step standing place holds")
Return = collections.namedtuple("Return", "first amount charge bank_side payout_side")             # the seq of its first journal, lines
Aside = collections.namedtuple("Aside", "reference info currency gross expires_at ended")


def line_list(journal):
    return [(n["account"], n["currency"], n["amount"]) for n in journal["lines"]]


def without_zeros(*lines):
    return [line for line in lines if line[2] != 0]


def negated(lines):
    return [(account, currency, -amount) for account, currency, amount in lines]


def towards_zero(over, under):
    """over / under without what is behind the point; under is above zero."""
    return over // under if over >= 0 else -(-over // under)


def returned_shares(payout, returned):
    """What each line of the payout is worth, when so much of its net has come back. Its lines are in the order of the page."""
    exact = "payable.%s.%s" % (payout.bank, payout.dst_ccy)
    shares = [towards_zero(amount * returned, payout.net) for _, _, amount in payout.lines]
    for currency in {currency for _, currency, _ in payout.lines}:
        of = [i for i, line in enumerate(payout.lines) if line[1] == currency]
        last = [i for i in of if payout.lines[i][0] != exact][-1]
        shares[last] = -sum(shares[i] for i in of if i != last)
    return shares


class Book:
    def __init__(self, log, item):
        self.log, self.items, self.code = log, log.items, item.f["code"]
        self.keys = []                          # (from_block, key_id, public_key)
        self.accounts, self.balances = {}, {}   # by code: fields of its record; its Balance
        self.beneficiaries = {}                 # by (id, version): digest of its record, bank
        self.payouts, self.handed = {}, {}
        self.places = {}                        # which payout a number of its bank's order is (or was) of
        self.half = None                        # (kind, payout_id, Return) of the first of two journals
        self.aside, self.claims = {}, []        # what was set aside, by seq; (payout, what) of claims whose payouts are to come
        self.claims_paid = False                # the first of those has come
        self.once = set()                       # names that may be used once: references, quotes, proposals
        self.tree, self.prev, self.last_seq, self.committed_at = Tree(), bytes(32), 0, None
        self.witnessed = {}                     # roots at the sizes the witness knows
        self.line_count = 0

    def at(self, unit, number):
        return Place(self.code, unit, number)

    def expect(self, place, fields, **wanted):
        for field, value in wanted.items():
            if fields[field] != value:
                show = [v.hex() if isinstance(v, bytes) else repr(v) for v in (fields[field], value)]
                raise Wrong(place, field, "%s, not %s" % tuple(show))

    def verify(self):
        here = lambda items: items.place(self.code)
        for item in self.items.take_all("ujrat/key/1", lambda items: self.at("key", len(self.keys) + 1)):
            self.key(item, self.at("key", len(self.keys) + 1))
        for item in self.items.take_all("ujrat/account/1", here):
            self.account(item.f, self.at("item", self.items.taken))
        for item in self.items.take_all("ujrat/beneficiary/1", here):
            self.beneficiary(item, self.at("item", self.items.taken))
        while self.items.peek(self.at("block", self.tree.size + 1)) in (*JOURNALS, "ujrat/balance/1", "ujrat/block/1"):
            self.block()
        if self.tree.size:
            self.tree_head()
        if self.items.peek(self.items.place()) not in ("ujrat/book/1", "ujrat/end/1"):
            raise Wrong(here(self.items), "record", "%s does not belong there" % self.items.next.tag)

    # ------------------------------------------------------------ keys, accounts, beneficiaries
    def key(self, item, place):
        f = item.f
        self.expect(place, f, book=self.code, key_id=sha256(f["public_key"])[:8].hex())
        if not self.keys:
            self.expect(place, f, from_block=1)
            if self.log.trusted and f["public_key"] not in self.log.trusted:
                raise Wrong(place, "public_key", "%s is not one you trust" % f["key_id"])
        elif f["from_block"] <= self.keys[-1][0]:
            raise Wrong(place, "from_block", "%d after %d" % (f["from_block"], self.keys[-1][0]))
        elif f["key_id"] in [key_id for _, key_id, _ in self.keys]:
            raise Wrong(place, "key_id", "%s was a key before" % f["key_id"])
        _, signer, public_key = self.keys[-1] if self.keys else (1, f["key_id"], f["public_key"])
        if item.key_id != signer:
            raise Wrong(place, "key_id", "signed by %s, not by %s" % (item.key_id, signer))
        item.check_signature(public_key, place)
        self.keys.append((f["from_block"], f["key_id"], f["public_key"]))

    def key_for(self, block_no):
        return [k for k in self.keys if k[0] <= block_no][-1:]

    def account(self, f, place):
        self.expect(place, f, book=self.code)
        if f["account_id"] <= max([0] + [a["account_id"] for a in self.accounts.values()]):
            raise Wrong(place, "account_id", "%d is not in order" % f["account_id"])
        if f["currency"] not in self.log.digits:
            raise Wrong(place, "currency", "%s is no currency of this file" % f["currency"])
        if f["code"] in self.accounts or f["code"] != ".".join(filter(None, (f["role"], f["bank"], f["currency"]))):
            raise Wrong(place, "code", "%s is not (only) of %s, %s, %s" % (f["code"], f["role"], f["bank"], f["currency"]))
        if f["role"] in CHART:      # others are the book's own affair
            kind, side, banked = CHART[f["role"]]
            self.expect(place, f, type=kind, normal_side=side, floor_zero=int(f["role"] in ("float", "unclaimed", "held")))
            if (f["bank"] is not None) != banked:
                raise Wrong(place, "bank", "%r for a %s" % (f["bank"], f["role"]))
        self.accounts[f["code"]] = f
        self.balances[f["code"]] = Balance(0, 0, 0, 0)

    def beneficiary(self, item, place):
        f = item.f
        self.expect(place, f, book=self.code)
        last = max(self.beneficiaries, default=(0, 0))
        number = (f["beneficiary_id"], f["version"])
        if number <= last or f["version"] != (last[1] + 1 if number[0] == last[0] else 1):
            raise Wrong(place, "version", "%d of beneficiary %d is not in order" % (f["version"], f["beneficiary_id"]))
        self.beneficiaries[number] = (sha256(item.record), f["bank"])

    # ------------------------------------------------------------ blocks
    def block(self):
        number = self.tree.size + 1
        place, first_seq = self.at("block", number), self.last_seq + 1
        journals, lines, committed_at = Tree(), [], None
        while self.items.peek(place) in JOURNALS:
            at_journal = self.at("seq", self.last_seq + 1)
            item = self.items.take(self.items.next.tag, at_journal)
            self.expect(at_journal, item.f, book=self.code, seq=self.last_seq + 1, block_no=number)
            if self.committed_at is not None and item.f["committed_at"] <= self.committed_at:
                raise Wrong(at_journal, "committed_at", "%d is not after block %d" % (item.f["committed_at"], number - 1))
            if committed_at not in (None, item.f["committed_at"]):
                raise Wrong(at_journal, "committed_at", "%d, not %d" % (item.f["committed_at"], committed_at))
            self.journal(item.f, at_journal)
            committed_at = item.f["committed_at"]
            journals.add(item.record)
            lines += line_list(item.f)
            self.last_seq += 1
        if self.half:
            raise Wrong(self.at("seq", self.last_seq), "kind", "%s, and no %s" % (self.half[0], SECOND[self.half[0]]))
        if self.claims:
            raise Wrong(self.at("seq", self.last_seq), "kind", "%d claims, and no payout" % len(self.claims))
        if not journals.size:
            raise Wrong(place, "journals", "it has none")
        self.block_balances(number, lines, place)
        item = self.items.take("ujrat/block/1", place)
        self.expect(place, item.f, book=self.code, block_no=number, first_seq=first_seq, last_seq=self.last_seq,
                    committed_at=committed_at, journal_root=journals.root(), prev=self.prev)
        for _, key_id, public_key in self.key_for(number) or [(0, None, None)]:
            if item.key_id != key_id:
                raise Wrong(place, "key_id", "signed by %s; in force is %s" % (item.key_id, key_id))
            item.check_signature(public_key, place)
        self.tree.add(item.record)
        self.prev, self.committed_at = sha256(b"\x00" + item.record), committed_at
        self.line_count += len(lines)
        if number in self.log.witness.sizes(self.code):
            self.witnessed[number] = self.tree.root()

    def block_balances(self, number, lines, place):
        for code in sorted({line[0] for line in lines}, key=lambda code: self.accounts[code]["account_id"]):
            if self.items.peek(place) != "ujrat/balance/1":
                raise Wrong(place, "balance of " + code, "it is missing")
            f = self.items.take("ujrat/balance/1", place).f
            before, amounts = self.balances[code], [amount for account, _, amount in lines if account == code]
            now = Balance(number, before.balance + sum(amounts), before.debits + sum(a > 0 for a in amounts),
                          before.credits + sum(a < 0 for a in amounts))
            wanted = dict(book=self.code, account=code, block_no=number, prev_block_no=before.block_no, balance_before=before.balance,
                          change=sum(amounts), balance=now.balance, debit_count=now.debits, credit_count=now.credits)
            for field, value in wanted.items():
                if f[field] != value:
                    raise Wrong(place, "%s of the balance of %s" % (field, code), "%r, not %r" % (f[field], value))
            if self.accounts[code]["floor_zero"] and now.balance > 0:
                raise Wrong(place, "balance of the balance of " + code, "below zero by %d" % now.balance)
            self.balances[code] = now

    def tree_head(self):
        place = self.at("block", self.tree.size)
        item = self.items.take("ujrat/tree-head/1", place)
        self.expect(place, item.f, book=self.code, tree_size=self.tree.size, root=self.tree.root())
        usable = {k[1]: k[2] for k in self.key_for(self.tree.size) + [k for k in self.keys if k[0] > self.tree.size]}
        if item.key_id not in usable:
            raise Wrong(place, "key_id", "the tree head is signed by %s, which is not in force" % item.key_id)
        item.check_signature(usable[item.key_id], place)

    # ------------------------------------------------------------ journals
    def journal(self, j, place):
        def say(field, reason):
            raise Wrong(place, field, reason)

        if j["kind"] not in KINDS:
            say("kind", "%r is none" % j["kind"])
        subject, leads_to = KINDS[j["kind"]]
        self.expect(place, j, subject=subject)
        self.journal_lines(j, say)
        if self.half and (j["kind"], j["payout_id"]) != (SECOND[self.half[0]], self.half[1]):
            say("kind", "%s of payout %d is followed by %s" % (self.half[0], self.half[1], SECOND[self.half[0]]))
        if not self.half and j["kind"] in SECOND.values():
            say("kind", "the journal that goes before it is missing")
        if self.claims and j["kind"] != "PAYOUT_ACCEPTED" and (j["kind"] != "UNCLAIMED_CLAIMED" or self.claims_paid):
            say("kind", "claims are followed by their payouts")
        about, payout_id = j["about"], j["payout_id"]
        if subject in ("transition", "hold", "hold_end") or j["kind"] in SECOND:
            if payout_id not in self.payouts:
                say("payout_id", "there is no payout %s" % payout_id)
            if leads_to:
                self.expect(place, about, step=leads_to[0], state=leads_to[1])
            getattr(self, j["kind"].lower())(j, self.payouts[payout_id], say)
        else:
            self.expect(place, j, payout_id=j["seq"] if subject == "payout" else None)
            if subject != "unclaimed_end":
                self.expect(place, j, reverses_seq=None)
            getattr(self, j["kind"].lower() if subject == "none" else subject)(j, about, say)

    def journal_lines(self, j, say):
        totals = collections.Counter()
        for account, currency, amount in line_list(j):
            if account not in self.accounts:
                say("lines", "there is no account %s" % account)
            if currency != self.accounts[account]["currency"]:
                say("lines", "%s on %s" % (currency, account))
            if amount == 0:
                say("lines", "nil on %s" % account)
            totals[currency] += amount
        for currency, total in totals.items():
            if total:
                say("lines", "they come to %d %s" % (total, currency))
        if len(j["lines"]) > LINES_MAX:
            say("lines", "%d of them" % len(j["lines"]))

    def check_lines(self, j, wanted, say):
        """In the order stored, whichever that is: a debit before its credit or after it, they are the same lines."""
        if sorted(line_list(j)) != sorted(wanted):
            say("lines", "%s of %s" % (line_list(j), wanted))

    def check_once(self, say, field, *name):
        if name in self.once:
            say(field, "%s was there before" % (name[-1],))
        self.once.add(name)

    def payout(self, j, p, say):
        src, dst, bank = p["src_ccy"], p["dst_ccy"], p["bank"]
        self.check_once(say, "reference", "payout", p["reference"])
        check_price(p, self.log.digits, say)
        digest, at_bank = self.beneficiaries.get((p["beneficiary_id"], p["beneficiary_version"]), (None, None))
        if p["beneficiary"] != digest:
            say("beneficiary", "%d, version %d, is not in the file as it was" % (p["beneficiary_id"], p["beneficiary_version"]))
        if bank != at_bank:
            say("bank", "%s; the beneficiary's is %s" % (bank, at_bank))
        if p["rate_sheet"] not in self.log.rate_sheets:
            say("rate_sheet", "it is not in the file")
        mid = self.log.rate_sheets[p["rate_sheet"]].get(src) if src != dst else 10 ** 10
        if dst == "PKR" and p["mid_rate_e10"] != mid:
            say("mid_rate_e10", "%d; the rate sheet says %s" % (p["mid_rate_e10"], mid))
        quoted_at = None if p["quote"] is None else self.quote(j, p, say)
        self.log.policies.check(self.code, p, j["committed_at"] if quoted_at is None else quoted_at, say)
        exchange = [] if src == dst else [
            ("position." + src, src, p["fee"] - p["gross"]), ("position." + dst, dst, p["mid_value"]), ("margin." + dst, dst, -p["margin"])]
        lines = without_zeros(("float." + src, src, p["gross"]), ("fee." + src, src, -p["fee"]), *exchange,
                              ("payable.%s.%s" % (bank, dst), dst, -p["net"]))
        self.check_lines(j, lines, say)
        self.payouts[j["seq"]] = Payout(bank, p["net"], dst, lines, ACCEPTED, None, 0, (), j["seq"], ())
        self.places[j["seq"]] = j["seq"]
        if self.claims:
            self.claimed_payout(j, p, say)

    def quote(self, j, p, say):
        try:
            q = decode(p["quote"], "ujrat/quote/2" if "policy" in p else "ujrat/quote/1")
        except Malformed as e:
            say("quote." + e.field, e.reason)
        check_price(q, self.log.digits, lambda field, reason: say("quote." + field, reason))
        same = ["src_ccy", "dst_ccy", "digit_shift", "rate_sheet"] + [word.split(":")[0] for word in PRICE.split()]
        for field, value in [("book", self.code)] + [(field, p[field]) for field in same]:
            if q[field] != value:
                say("quote." + field, "%r, not %r" % (q[field], value))
        if not q["created_at"] < q["expires_at"] or q["expires_at"] <= j["committed_at"]:
            say("quote.expires_at", "%d, for a commit at %d" % (q["expires_at"], j["committed_at"]))
        if q.get("policy") != p.get("policy"):
            say("quote.policy", "another version of the policy than the payout's")
        self.check_once(say, "quote.quote_id", "quote", q["quote_id"])
        return q["created_at"]

    def handout(self, j, h, say):
        told = self.handed.get(h["bank"], 0)
        if h["prev_payout_id"] != told:
            say("prev_payout_id", "%d; the bank was told up to %d" % (h["prev_payout_id"], told))
        last = self.payouts.get(self.places.get(h["last_payout_id"]))
        if last is None or last.bank != h["bank"] or last.place != h["last_payout_id"] or h["last_payout_id"] <= told:
            say("last_payout_id", "%d is no new payout of %s" % (h["last_payout_id"], h["bank"]))
        self.check_lines(j, [], say)
        if j["detail"] is not None and not re.fullmatch("window [1-9][0-9]{0,18}", j["detail"], re.ASCII):
            say("detail", "%r is no window" % j["detail"])
        self.handed[h["bank"]] = h["last_payout_id"]

    def deposit(self, j, d, say):
        if d["amount"] <= 0:
            say("amount", "%d" % d["amount"])
        self.check_once(say, "reference", "deposit", d["reference"])
        if j["detail"] != d["reference"]:
            say("detail", "%r, not %r" % (j["detail"], d["reference"]))
        self.check_lines(j, [("correspondent." + d["currency"], d["currency"], d["amount"]),
                             ("float." + d["currency"], d["currency"], -d["amount"])], say)

    def nostro_funded(self, j, _, say):
        if not j["detail"]:
            say("detail", "a funding has a reference")
        self.check_once(say, "detail", "funding", j["detail"])
        on = {role: [line for line in line_list(j) if self.accounts[line[0]]["role"] == role] for role in ("nostro", "correspondent")}
        if [len(lines) for lines in on.values()] != [1, 1]:
            say("lines", "not one on a nostro, and one on a correspondent")
        ((_, dst, amount),), ((_, src, cost),) = on.values()
        if amount <= 0 or cost >= 0:
            say("lines", "%d for %d" % (amount, -cost))
        position = [] if src == dst else [("position." + dst, dst, -amount), ("position." + src, src, -cost)]
        self.check_lines(j, on["nostro"] + on["correspondent"] + position, say)

    # ------------------------------------------------------------ what is unclaimed
    def aside_lines(self, currency, gross, sign):
        return [("float." + currency, currency, sign * gross), ("unclaimed." + currency, currency, -sign * gross)]

    def unclaimed(self, j, u, say):
        if u["gross"] <= 0:
            say("gross", "%d" % u["gross"])
        if u["expires_at"] <= j["committed_at"]:
            say("expires_at", "%d, for a commit at %d" % (u["expires_at"], j["committed_at"]))
        if j["detail"] != u["reference"]:
            say("detail", "%r, not %r" % (j["detail"], u["reference"]))
        self.check_lines(j, self.aside_lines(u["currency"], u["gross"], 1), say)
        self.check_once(say, "reference", "unclaimed", u["reference"])
        self.aside[j["seq"]] = Aside(u["reference"], u["info"], u["currency"], u["gross"], u["expires_at"], False)

    def unclaimed_end(self, j, e, say):
        aside = self.aside.get(j["reverses_seq"])
        if aside is None or aside.ended:
            say("reverses_seq", "%s is nothing that is set aside%s" % (j["reverses_seq"], " any more" if aside else ""))
        if j["detail"] != aside.reference:
            say("detail", "%r, not %r" % (j["detail"], aside.reference))
        self.check_lines(j, self.aside_lines(aside.currency, aside.gross, -1), say)
        self.aside[j["reverses_seq"]] = aside._replace(ended=True)
        claimed, late = j["kind"] == "UNCLAIMED_CLAIMED", j["committed_at"] >= aside.expires_at
        if e["outcome"] not in ((1,) if claimed else (2, 3)):
            say("outcome", "%d" % e["outcome"])
        if (e["payout_id"] is not None) != claimed or (claimed and e["payout_id"] <= j["seq"]):
            say("payout_id", "%s" % e["payout_id"])
        if late != (e["outcome"] == 2) and e["outcome"] != 3:
            say("committed_at", "its time is over at %d" % aside.expires_at)
        if claimed:
            self.claims.append((e["payout_id"], aside))

    def claimed_payout(self, j, p, say):
        payout_id, aside = self.claims.pop(0)
        self.claims_paid = bool(self.claims)
        if payout_id != j["seq"]:
            say("payout_id", "the claim says that %d is its payout" % payout_id)
        for field, value in (("reference", aside.reference), ("info", aside.info), ("src_ccy", aside.currency), ("gross", aside.gross)):
            if p[field] != value:
                say(field, "%r; set aside was %r" % (p[field], value))

    def adjustment(self, j, a, say):
        if a["proposed_by"] == j["actor"]:
            say("proposed_by", "%s approved it too" % j["actor"])
        if not j["lines"]:
            say("lines", "there are none")
        self.check_once(say, "proposal", "proposal", a["proposal"])

    # ------------------------------------------------------------ what becomes of a payout, by kind of journal
    def move(self, j, payout, say, before, told, lines, reverses=None, **after):
        """A step that payouts in these states take, before or after their bank was told of them."""
        if payout.state not in before:
            say("state", "the payout was in state %d" % payout.state)
        if (payout.place is not None and payout.place <= self.handed.get(payout.bank, 0)) != told:
            say("state", "the bank had %sbeen told of it" % ("not " if told else ""))
        if j["reverses_seq"] != reverses:
            say("reverses_seq", "%s, not %s" % (j["reverses_seq"], reverses))
        self.check_lines(j, lines, say)
        tax = j["about"].get("tax_withheld")
        if tax is not None and not 0 <= tax <= payout.net:
            say("tax_withheld", "%d of %d" % (tax, payout.net))
        self.payouts[j["payout_id"]] = payout._replace(**after)

    def settlement(self, p, sign):
        return [("payable.%s.%s" % (p.bank, p.dst_ccy), p.dst_ccy, sign * p.net), ("nostro.%s.%s" % (p.bank, p.dst_ccy), p.dst_ccy, -sign * p.net)]

    def payout_settled(self, j, p, say):
        self.move(j, p, say, [ACCEPTED], True, self.settlement(p, 1), state=SETTLED, settled=j["seq"], step=1)

    def payout_rejected(self, j, p, say):
        self.move(j, p, say, [ACCEPTED], True, negated(p.lines), j["payout_id"], state=REJECTED, step=1)

    def payout_cancelled(self, j, p, say):
        self.move(j, p, say, [ACCEPTED], False, negated(p.lines), j["payout_id"], state=CANCELLED, step=1)

    # ------------------------------------------------------------ holds
    def held_lines(self, p, sign):
        return [("payable.%s.%s" % (p.bank, p.dst_ccy), p.dst_ccy, sign * p.net), ("held." + p.dst_ccy, p.dst_ccy, -sign * p.net)]

    def payout_held(self, j, p, say):
        hold = j["about"]
        by_hand = j["actor"] if hold["reason"] == "OPERATOR" else None
        self.move(j, p, say, [ACCEPTED], False, self.held_lines(p, 1), state=HELD, place=None, holds=p.holds + ((j["seq"], by_hand),))
        if hold["hold_no"] != len(p.holds) + 1:
            say("hold_no", "%d; it was held %d times" % (hold["hold_no"], len(p.holds)))
        if hold["reason"] not in HOLD_REASONS:
            say("reason", "%r is none" % hold["reason"])
        if hold["deadline"] <= j["committed_at"]:
            say("deadline", "%d, for a commit at %d" % (hold["deadline"], j["committed_at"]))

    def end_hold(self, j, p, say, outcome, **after):
        end = j["about"]
        hold, by_hand = p.holds[-1] if p.holds else (None, None)
        self.move(j, p, say, [HELD], False, self.held_lines(p, -1), hold, **after)
        if end["hold_no"] != len(p.holds):
            say("hold_no", "%d; it was held %d times" % (end["hold_no"], len(p.holds)))
        if end["outcome"] != outcome:
            say("outcome", "%d" % end["outcome"])
        if end["second_by"] != j["actor"]:
            say("second_by", "%s; the actor is %s" % (end["second_by"], j["actor"]))
        if end["first_by"] == end["second_by"]:
            say("first_by", "%s decided alone" % end["first_by"])
        for who in ("first_by", "second_by"):
            if outcome == 1 and end[who] == by_hand:
                say(who, "%s placed it" % by_hand)

    def hold_released(self, j, p, say):
        self.end_hold(j, p, say, 1, state=ACCEPTED, place=j["seq"])
        self.places[j["seq"]] = j["payout_id"]

    def hold_refused(self, j, p, say):
        self.end_hold(j, p, say, 2)
        self.half = (j["kind"], j["payout_id"], None)

    def payout_refused(self, j, p, say):
        self.half = None
        self.move(j, p, say, [HELD], False, negated(p.lines), j["payout_id"], state=REFUSED, step=1)

    # ------------------------------------------------------------ what comes back: two journals each
    def settlement_reversed(self, j, p, say):
        if p.step != 1:
            say("kind", "only the first return reverses the settlement")
        self.move(j, p, say, [SETTLED], True, self.settlement(p, -1), p.settled)
        self.half = (j["kind"], j["payout_id"], Return(j["seq"], p.net, 0, self.settlement(p, -1), negated(p.lines)))

    def payout_returned(self, j, p, say):
        back, self.half = self.half[2], None
        self.move(j, p, say, [SETTLED], True, back.payout_side, j["payout_id"], state=RETURNED, step=2, standing=(back,))

    def settlement_partly_reversed(self, j, p, say):
        payable, nostro, charged = "payable.%s.%s" % (p.bank, p.dst_ccy), "nostro.%s.%s" % (p.bank, p.dst_ccy), "charge." + p.dst_ccy
        amount = -sum(a for account, _, a in line_list(j) if account == payable)
        charge = sum(a for account, _, a in line_list(j) if account == charged)
        before = sum(r.amount for r in p.standing)
        if not 0 < amount <= p.net - before:
            say("lines", "%d come back of %d that are left" % (amount, p.net - before))
        if not 0 <= charge <= amount:
            say("lines", "a charge of %d on %d" % (charge, amount))
        if p.step == 1 and amount == p.net and charge == 0:
            say("kind", "a first return that is whole and without charge reverses the settlement")
        side = without_zeros((payable, p.dst_ccy, -amount), (nostro, p.dst_ccy, amount - charge), (charged, p.dst_ccy, charge))
        self.move(j, p, say, [SETTLED, PARTLY_RETURNED], True, side)
        shares = [now - was for now, was in zip(returned_shares(p, before + amount), returned_shares(p, before))]
        lines = without_zeros(*((account, ccy, -part) for (account, ccy, _), part in zip(p.lines, shares)))
        self.half = (j["kind"], j["payout_id"], Return(j["seq"], amount, charge, side, lines))

    def payout_partly_returned(self, j, p, say):
        back, self.half = self.half[2], None
        self.follow(j, p, say, p.standing + (back,), back.payout_side)

    def return_reversed(self, j, p, say):
        if not p.standing:
            say("state", "no return stands")
        back = p.standing[-1]
        self.move(j, p, say, [RETURNED, PARTLY_RETURNED], True, negated(back.payout_side), back.first + 1)
        self.half = (j["kind"], j["payout_id"], back)

    def settlement_restored(self, j, p, say):
        back, self.half = self.half[2], None
        self.follow(j, p, say, p.standing[:-1], negated(back.bank_side), back.first)

    def follow(self, j, p, say, standing, lines, reverses=None):
        """The second journal of the two, which says how far the payout has come back now."""
        returned = sum(r.amount for r in standing)
        state = SETTLED if returned == 0 else RETURNED if returned == p.net else PARTLY_RETURNED
        for field, value in (("step", p.step + 1), ("state", state)):
            if j["about"][field] != value:
                say(field, "%d, not %d" % (j["about"][field], value))
        self.move(j, p, say, [SETTLED, RETURNED, PARTLY_RETURNED], True, lines, reverses, state=state, step=p.step + 1, standing=standing)

    def summary(self):
        head = "head %d %s" % (self.tree.size, self.tree.root().hex()) if self.tree.size else "nothing sealed"
        key = "first key %s (%s)" % (self.keys[0][1], "yours" if self.log.trusted else "on its own word") if self.keys else "no key"
        return "%s: %d blocks, %d journals, %d lines, %d payouts, %d keys; %s; %s" % (
            self.code, self.tree.size, self.last_seq, self.line_count, len(self.payouts), len(self.keys), head, key)


# ---------------------------------------------------------------- a file
class Log:
    def __init__(self, stream, trusted=(), witness=None):
        self.items, self.trusted, self.witness = Items(stream), set(trusted), witness or Witness([])
        self.digits, self.rate_sheets, self.books, self.policies = {}, {}, {}, Policies()

    def verify(self):
        here = Items.place
        self.items.take("ujrat/log/1", self.items.place())
        numbers = set()
        for item in self.items.take_all("ujrat/currency/1", here):
            if item.f["code"] in self.digits or item.f["number"] in numbers:
                raise Wrong(Place(None, "item", self.items.taken), "code", "%s was there before" % item.f["code"])
            self.digits[item.f["code"]] = item.f["digits"]
            numbers.add(item.f["number"])
        last = 0
        for item in self.items.take_all("ujrat/rate-sheet/1", here):
            if item.f["rate_id"] <= last:
                raise Wrong(Place(None, "item", self.items.taken), "rate_id", "%d is not in order" % item.f["rate_id"])
            last = item.f["rate_id"]
            self.rate_sheets[sha256(item.record)] = {r["currency"]: r["pkr_e10"] for r in item.f["rates"]}
        for item in self.items.take_all("ujrat/policy-change/1", here):
            place = Place(None, "item", self.items.taken)

            def say(field, reason):
                raise Wrong(place, field, reason)

            self.policies.add(item, self.digits, say)
        for item in self.items.take_all("ujrat/book/1", here):
            book = Book(self, item)
            if book.code in self.books:
                raise Wrong(Place(None, "item", self.items.taken), "code", "book %s was there before" % book.code)
            self.books[book.code] = book
            book.verify()
        self.end()
        self.witness.check(self.books)
        return list(self.books.values())

    def end(self):
        place, count = self.items.place(), self.items.taken
        item = self.items.take("ujrat/end/1", place)
        for field, value in (("items", count), ("sha256", self.items.sha256_before)):
            if item.f[field] != value:
                raise Wrong(place, field, "not what came before it")
        if self.items.stream.read(1):
            raise Wrong(place, "file", "it goes on after its end")


# ---------------------------------------------------------------- the witness
class Witness:
    """Heads that somebody else has kept."""

    KINDS = {"book": str, "tree_size": int, "root": str, "signed_at": int, "key_id": str, "signature": str}

    def __init__(self, lines):
        self.heads = []
        for number, line in enumerate(lines, 1):
            place = Place(None, "line", number)
            try:
                head = json.loads(line)
                head = {name: head[name] for name, kind in self.KINDS.items() if type(head[name]) is kind}
                head["root"], _ = bytes.fromhex(head["root"]), bytes.fromhex(head["signature"])
                if not head.keys() == self.KINDS.keys() or head["tree_size"] < 1:
                    raise ValueError("a field is missing or of another kind")
            except (ValueError, KeyError, TypeError) as e:
                raise Wrong(place, "witness", "not a line of a witness file: %s" % e) from None
            self.heads.append((place, head))

    def sizes(self, book):
        return {head["tree_size"] for _, head in self.heads if head["book"] == book}

    def check(self, books):
        for place, head in self.heads:
            book, size = books.get(head["book"]), head["tree_size"]
            blocks = book.tree.size if book else 0
            if size > blocks:
                raise Wrong(Place(head["book"], "block", size), "tree_size", "the witness (%s) has seen %d blocks, the log has %d"
                            % (place, size, blocks))
            if book is None or head["root"] != book.witnessed.get(size):
                raise Wrong(Place(head["book"], "block", size), "root", "the first %d blocks are not those the witness has seen (%s)"
                            % (size, place))


def verify(stream, trusted=(), witness=()):
    """The books of the export in this stream, all checked; or raises Wrong. trusted: first keys, 32 bytes each; witness: lines."""
    return Log(stream, trusted, Witness(witness)).verify()


# ---------------------------------------------------------------- the program
def key_argument(text):
    if len(text) == 64 and not set(text.lower()) - set("0123456789abcdef"):
        return bytes.fromhex(text)
    with open(text, "rb") as f:
        return load_pem_public_key(f.read()).public_bytes(Encoding.Raw, PublicFormat.Raw)


def main(arguments):
    parser = argparse.ArgumentParser(description="Checks a log export (docs/log-format.md).")
    parser.add_argument("file")
    parser.add_argument("--key", action="append", default=[], type=key_argument, help="a first key that you trust; once a book")
    parser.add_argument("--witness", help="a file of heads seen before")
    options = parser.parse_args(arguments)
    try:
        witness = open(options.witness, encoding="utf-8").read().splitlines() if options.witness else []
        with open(options.file, "rb") as stream:
            for book in verify(stream, options.key, witness):
                print(book.summary())
    except (Wrong, OSError, UnicodeDecodeError) as e:
        print("WRONG: %s" % e)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
