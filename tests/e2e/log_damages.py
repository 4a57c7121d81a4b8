"""Damages to log exports, each with a name and with what a verifier should name of it.

    damaged = DAMAGES["a balance: change"](World(seed))
    damaged.data                                            # the file
    damaged.book, damaged.unit, damaged.number, damaged.field   # what is wrong first: "seq" 17 or "block" 4, and the field
    damaged.witness, damaged.trusted                        # what it takes to see it, besides the file (mostly nothing)

Some are done to a finished file by somebody without keys; the end record is made right again, for that takes no key. In the
others a forger has every key and signs what is wrong ("signed: ..."). All are of the last book of a world.
"""
import collections
import dataclasses

from log_maker import (BANKS, GROSS_MAX, SECOND, Hooks, Raw, encode, field, file_of, key_id, new_key, quote_record, record,
                       sha256)


@dataclasses.dataclass
class Damaged:
    data: bytes
    book: str
    unit: str           # "seq", "block", "key"; "item" of the file; None: not said here
    number: int
    field: str
    witness: list = ()
    trusted: list = ()


DAMAGES = {}


def damage(name):
    def register(function):
        assert name not in DAMAGES, name
        DAMAGES[name] = function
        return function
    return register


# ---------------------------------------------------------------- finding things in a world
def last_book(world):
    return world.books[-1]


def index_of(items, kind, book=None, number=None, nth=0):
    """Where the nth such item is; of several with one number (balances of a block) they are counted on."""
    return [i for i, item in enumerate(items) if item.kind == kind and book in (None, item.book) and number in (None, item.number)][nth]


def account_of(item):
    """The account of a balance: the third field of its record."""
    at = 0
    for _ in range(3):
        length = int.from_bytes(item.record[at:at + 4], "big")
        value, at = item.record[at + 4:at + 4 + length], at + 4 + length
    return value.decode()


def big_block(book):
    """One with several journals that all have lines."""
    return [b for b in book.blocks if len(b.journals) > 2 and all(j.lines for j in b.journals)][0]


def payout_with(book, quoted=None, **wanted):
    for j in book.journals("PAYOUT_ACCEPTED"):
        if quoted in (None, j.about["quote"] is not None) and all(j.about[k] == v for k, v in wanted.items()):
            return j
    raise LookupError("no payout with %s" % wanted)


def priced_payout(book, quoted=False):
    """One in dollars that a version of the policy priced which is not the first."""
    return [j for j in book.journals("PAYOUT_ACCEPTED")
            if book.payouts[j.seq]["version"] and j.about["src_ccy"] == "USD" and (j.about["quote"] is not None) == quoted][0]


def first_user(world, test):
    """The first payout of the file that a test is true of: (book, seq)."""
    return [(book.code, j.seq) for book in world.books for j in book.journals("PAYOUT_ACCEPTED") if test(j.about)][0]


def flipped(value, mask=1):
    """One bit of a value, and for what is absent something in its place."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value ^ mask
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ mask])
    return value[:-1] + chr(ord(value[-1]) ^ mask)


# ---------------------------------------------------------------- one bit of one field, by somebody without keys
def flip_item(world, kind, number, change, nth=0, book=None):
    """Items with one of them changed, signed as it was."""
    counted = collections.Counter()

    def edit(k, f):
        of_book = book is None or f.get("book", f.get("code")) == book.code
        if k == kind and of_book and number in (None, f.get("seq" if kind == "journal" else "block_no")):
            if counted[k] == nth:
                change(f)
            counted[k] += 1

    before, after = world.items(), world.items(Hooks(edit=edit))
    at = index_of(before, kind, book and book.code, number, nth)
    before[at].record = after[at].record
    return before, at


def flip(kind, name, expect, choose=lambda world: (None, 0), mask=1, of_book=True, about=False):
    """Registers a damage of one field. choose(world): number and which of those; expect(world, number): what is wrong then."""
    @damage("%s: %s" % (kind, ("its " if about else "") + name))
    def function(world):
        number, nth = choose(world)
        old = []

        def change(f):
            target = f["about"] if about else f
            old.append(target[name])
            target[name] = flipped(target[name], mask)

        items, at = flip_item(world, kind, number, change, nth, last_book(world) if of_book else None)
        return Damaged(file_of(items), *expect(world, number, at, old[0]))


def journal_named(field_name):
    return lambda world, number, at, old: (last_book(world).code, "seq", number, field_name)


def root_named(world, number, at, old):
    block_no = [j.block_no for j in last_book(world).journals() if j.seq == number][0]
    return last_book(world).code, "block", block_no, "journal_root"


def a_journal(kind, which=0):
    return lambda world: (last_book(world).journal(kind, which).seq, 0)


def a_payout(**wanted):
    return lambda world: (payout_with(last_book(world), **wanted).seq, 0)


for _name in ("book", "seq", "block_no", "kind", "subject"):
    flip("journal", _name, journal_named(_name), a_journal("ADJUSTMENT"))
flip("journal", "committed_at", journal_named("committed_at"), lambda world: (big_block(last_book(world)).journals[1].seq, 0))
flip("journal", "actor", root_named, a_journal("ADJUSTMENT"))
flip("journal", "payout_id", journal_named("payout_id"), a_journal("PAYOUT_ACCEPTED"))
flip("journal", "reverses_seq", journal_named("reverses_seq"), a_journal("PAYOUT_REJECTED"))
flip("journal", "detail", journal_named("detail"), a_journal("FLOAT_DEPOSITED"))

_USD = a_payout(src_ccy="USD", margin_bps=150)
for _name in ("bank", "src_ccy", "dst_ccy", "mid_value", "margin", "net", "digit_shift", "beneficiary", "rate_sheet"):
    flip("journal", _name, journal_named(_name), _USD, about=True)
for _name in ("gross", "fee"):      # in dollars a cent makes a difference
    flip("journal", _name, journal_named("mid_value"), _USD, about=True)
flip("journal", "mid_rate_e10", journal_named("mid_value"), _USD, mask=1 << 40, about=True)
flip("journal", "margin_bps", journal_named("margin"), _USD, about=True)
flip("journal", "beneficiary_id", journal_named("beneficiary"), _USD, mask=1 << 20, about=True)
flip("journal", "beneficiary_version", journal_named("beneficiary"), _USD, mask=1 << 20, about=True)
for _name in ("reference", "fingerprint"):      # a bit that makes no other payout's reference of it
    flip("journal", _name, root_named, _USD, mask=64, about=True)
flip("journal", "info", root_named, a_payout(info="November"), about=True)
flip("journal", "quote", root_named, a_payout(quoted=True), about=True)      # a microsecond of its life
for _name in ("step", "state"):
    flip("journal", _name, journal_named(_name), a_journal("PAYOUT_REJECTED"), about=True)
flip("journal", "reason_code", root_named, a_journal("PAYOUT_REJECTED"), about=True)
for _name in ("bank_reference", "tax_withheld"):
    flip("journal", _name, root_named, a_journal("PAYOUT_SETTLED"), about=True)
for _name in ("prev_payout_id", "last_payout_id"):
    flip("journal", _name, journal_named(_name), a_journal("PAYOUTS_INSTRUCTED"), mask=1 << 30, about=True)
for _name, _named in (("currency", "lines"), ("amount", "lines")):
    flip("journal", _name, journal_named(_named), a_journal("FLOAT_DEPOSITED", 1), about=True)
for _name in ("proposal", "reason", "proposed_by", "proposed_at"):
    flip("journal", _name, root_named, a_journal("ADJUSTMENT"), mask=1 if _name != "proposal" else 1 << 20, about=True)
flip("journal", "evidence", root_named, a_journal("ADJUSTMENT"), about=True)


@damage("journal: a digit of a line")
def _(world):
    book = last_book(world)
    j = payout_with(book, src_ccy="USD")

    def change(f):
        account, currency, amount = f["lines"][0]
        f["lines"][0] = (account, currency, amount ^ 8)

    return Damaged(file_of(flip_item(world, "journal", j.seq, change, book=book)[0]), book.code, "seq", j.seq, "lines")


@damage("journal: two of its lines are swapped")
def _(world):
    book = last_book(world)
    j = payout_with(book, src_ccy="USD")

    def change(f):
        f["lines"][0], f["lines"][1] = f["lines"][1], f["lines"][0]

    return Damaged(file_of(flip_item(world, "journal", j.seq, change, book=book)[0]), book.code, "block", j.block_no, "journal_root")


def balance_named(name):
    return lambda world, number, at, old: (last_book(world).code, "block", number, "%s of the balance of %s" % (name, account_of(world.items()[at])))


for _name in ("book", "account", "block_no", "prev_block_no", "balance_before", "change", "balance", "debit_count", "credit_count"):
    flip("balance", _name, balance_named(_name), lambda world: (big_block(last_book(world)).number, 1))

for _name in ("book", "block_no", "first_seq", "last_seq", "committed_at", "journal_root", "prev"):
    flip("block", _name, lambda world, number, at, old, _name=_name: (last_book(world).code, "block", number, _name),
         lambda world: (big_block(last_book(world)).number, 0))
for _name in ("book", "tree_size", "root", "signed_at"):
    flip("tree-head", _name, lambda world, number, at, old, _name=_name: (
        last_book(world).code, "block", len(last_book(world).blocks), _name if _name != "signed_at" else "signature"))
for _name, _named in (("book", "book"), ("key_id", "key_id"), ("public_key", "key_id"), ("from_block", "from_block"), ("created_at", "signature")):
    flip("key", _name, lambda world, number, at, old, _named=_named: (last_book(world).code, "key", 1, _named))


@damage("key: from_block of the second")
def _(world):
    book = last_book(world)
    change = lambda f: f.update(from_block=f["from_block"] + 1)
    return Damaged(file_of(flip_item(world, "key", None, change, 1, book)[0]), book.code, "key", 2, "signature")


for _name in ("book", "code", "role", "type", "normal_side", "currency", "bank", "floor_zero"):
    _named = "code" if _name in ("role", "bank") else _name
    flip("account", _name, lambda world, number, at, old, _named=_named: (last_book(world).code, "item", at + 1, _named), lambda world: (None, 2))
flip("account", "account_id", lambda world, number, at, old: (last_book(world).code, "item", at + 2, "account_id"), lambda world: (None, 2), mask=1 << 20)


@damage("account: a payable of no bank")
def _(world):
    items, at = flip_item(world, "account", None, lambda f: f.update(code="payable.PKR", bank=None), 2, last_book(world))
    return Damaged(file_of(items), last_book(world).code, "item", at + 1, "bank")


def beneficiary_named(world, number, at, old):
    b = last_book(world).beneficiaries[0]
    seqs = [j.seq for j in last_book(world).journals("PAYOUT_ACCEPTED")
            if (j.about["beneficiary_id"], j.about["beneficiary_version"]) == (b["beneficiary_id"], b["version"])]
    return last_book(world).code, "seq", seqs[0], "beneficiary"


for _name in ("bank", "channel", "purpose_code", "name", "cnic", "actor", "created_at"):
    flip("beneficiary", _name, beneficiary_named)
for _name in ("book", "version"):
    flip("beneficiary", _name, lambda world, number, at, old, _name=_name: (last_book(world).code, "item", at + 1, _name))


def sheet_named(world, number, at, old):
    digest = sha256(record("rate-sheet", world.sheets[0]))
    book, seq = first_user(world, lambda about: about["rate_sheet"] == digest)
    return book, "seq", seq, "rate_sheet"


for _name in ("source", "sheet_date", "as_of", "imported_at", "file_name", "file_sha256", "author"):
    flip("rate-sheet", _name, sheet_named, of_book=False)


def version_named(world, number, at, old):
    book, seq = first_user(world, lambda about: "policy" in about)
    return book, "seq", seq, "policy"


for _name in ("reason", "source", "effective_at", "approved_at", "proposed_at", "policy_id"):
    flip("policy-change", _name, version_named, of_book=False)
flip("journal", "policy", journal_named("policy"), lambda world: (priced_payout(last_book(world)).seq, 0), about=True)
flip("currency", "digits", lambda world, number, at, old: first_user(world, lambda about: "USD" == about["src_ccy"])[:1] + (
    "seq", first_user(world, lambda about: "USD" == about["src_ccy"])[1], "digit_shift"), lambda world: (None, 4), of_book=False)


def signature_flip(kind):
    @damage("%s: its signature" % kind)
    def function(world):
        book, items = last_book(world), world.items()
        at = index_of(items, kind, book.code)
        items[at].signature = flipped(items[at].signature)
        return Damaged(file_of(items), book.code, "key" if kind == "key" else "block", 1 if kind != "tree-head" else len(book.blocks), "signature")

    @damage("%s: who signed it" % kind)
    def other(world):
        book, items = last_book(world), world.items()
        at = index_of(items, kind, book.code)
        items[at].key_id = flipped(items[at].key_id)
        return Damaged(file_of(items), book.code, "key" if kind == "key" else "block", 1 if kind != "tree-head" else len(book.blocks), "key_id")


for _kind in ("key", "block", "tree-head"):
    signature_flip(_kind)


# What nothing but the end record covers: names and times that no amount depends on.
for _kind, _name in (("log", "program"), ("log", "exported_at"), ("book", "name"), ("book", "created_at"), ("account", "created_at"),
                     ("currency", "number")):
    @damage("%s: %s, with the end record left as it was" % (_kind, _name))
    def _(world, kind=_kind, name=_name):
        before = world.items()
        items, _ = flip_item(world, kind, None, lambda f: f.update({name: flipped(f[name])}))
        end = record("end", len(before), sha256(file_of(before, end=b"")))
        return Damaged(file_of(items, end), None, "item", len(items) + 1, "sha256")


# ---------------------------------------------------------------- items that are not where they were
def rearranged(name):
    """Registers change(world, book, items), which changes the list and answers (unit, number, field)."""
    def register(change):
        @damage(name)
        def function(world):
            book, items = last_book(world), world.items()
            unit, number, named = change(world, book, items)
            return Damaged(file_of(items), book.code, unit, number, named)
        return change
    return register


def swap(items, a, b):
    items[a], items[b] = items[b], items[a]


@rearranged("two journals of a block are swapped")
def _(world, book, items):
    j = big_block(book).journals[1]
    at = index_of(items, "journal", book.code, j.seq)
    swap(items, at, at + 1)
    return "seq", j.seq, "seq"


@rearranged("two balances of a block are swapped")
def _(world, book, items):
    block = big_block(book)
    at = index_of(items, "balance", book.code, block.number)
    account = account_of(items[at])
    swap(items, at, at + 1)
    return "block", block.number, "account of the balance of " + account


@rearranged("a block comes before its balances")
def _(world, book, items):
    block = big_block(book)
    at = index_of(items, "balance", book.code, block.number)
    account = account_of(items[at])
    items.insert(at, items.pop(index_of(items, "block", book.code, block.number)))
    return "block", block.number, "balance of " + account


@rearranged("two blocks are swapped, with all that belongs to them")
def _(world, book, items):
    ends = [index_of(items, "block", book.code, n) + 1 for n in (2, 3, 4)]
    items[ends[0]:ends[2]] = items[ends[1]:ends[2]] + items[ends[0]:ends[1]]
    return "seq", book.blocks[2].journals[0].seq, "seq"


@rearranged("two accounts are swapped")
def _(world, book, items):
    at = index_of(items, "account", book.code)
    swap(items, at, at + 1)
    return "item", at + 2, "account_id"


@rearranged("two keys are swapped")
def _(world, book, items):
    at = index_of(items, "key", book.code)
    swap(items, at, at + 1)
    return "key", 1, "from_block"


@rearranged("two beneficiaries are swapped")
def _(world, book, items):
    at = index_of(items, "beneficiary", book.code)
    swap(items, at, at + 1)
    return "item", at + 1 + (book.beneficiaries[1]["version"] == 1), "version"


@damage("two rate sheets are swapped")
def _(world):
    items = world.items()
    at = index_of(items, "rate-sheet")
    swap(items, at, at + 1)
    return Damaged(file_of(items), None, "item", at + 2, "rate_id")


@damage("a currency is there twice")
def _(world):
    items = world.items()
    at = index_of(items, "currency")
    items.insert(at, items[at])
    return Damaged(file_of(items), None, "item", at + 2, "code")


@rearranged("the accounts come before the keys")
def _(world, book, items):
    at = index_of(items, "key", book.code)
    items.insert(at, items.pop(index_of(items, "account", book.code)))
    return "item", at + 2, "record"


@rearranged("a journal is gone")
def _(world, book, items):
    j = big_block(book).journals[1]
    del items[index_of(items, "journal", book.code, j.seq)]
    return "seq", j.seq, "seq"


@rearranged("the last journal of a block is gone")
def _(world, book, items):
    block = big_block(book)
    j = block.journals[-1]
    del items[index_of(items, "journal", book.code, j.seq)]
    touched = {line[0] for line in j.lines}
    return "block", block.number, "change of the balance of " + min(touched, key=lambda code: book.accounts[code]["account_id"])


@rearranged("a journal is there twice")
def _(world, book, items):
    j = big_block(book).journals[0]
    at = index_of(items, "journal", book.code, j.seq)
    items.insert(at, items[at])
    return "seq", j.seq + 1, "seq"


@rearranged("a journal that moves nothing is gone, block and all")
def _(world, book, items):
    j = book.journal("PAYOUTS_INSTRUCTED")
    del items[index_of(items, "journal", book.code, j.seq):index_of(items, "block", book.code, j.block_no) + 1]
    return "seq", j.seq, "seq"


@rearranged("a block is gone")
def _(world, book, items):
    del items[index_of(items, "block", book.code, 2) + 1:index_of(items, "block", book.code, 3) + 1]
    return "seq", book.blocks[2].journals[0].seq, "seq"


@rearranged("a block is there and its journals are not")
def _(world, book, items):
    block = big_block(book)
    del items[index_of(items, "journal", book.code, block.journals[0].seq):index_of(items, "block", book.code, block.number)]
    return "block", block.number, "journals"


@rearranged("a block's journals are there and its seal is not")
def _(world, book, items):
    del items[index_of(items, "block", book.code, 2)]
    return "block", 2, "record"


@rearranged("the last block is gone")
def _(world, book, items):
    n = len(book.blocks)
    del items[index_of(items, "block", book.code, n - 1) + 1:index_of(items, "block", book.code, n) + 1]
    return "block", n - 1, "tree_size"


@rearranged("a balance is gone")
def _(world, book, items):
    block = big_block(book)
    at = index_of(items, "balance", book.code, block.number, 1)
    following = account_of(items[at])
    del items[at]
    return "block", block.number, "account of the balance of " + following


@rearranged("the last balance of a block is gone")
def _(world, book, items):
    block = big_block(book)
    at = index_of(items, "block", book.code, block.number) - 1
    account = account_of(items[at])
    del items[at]
    return "block", block.number, "balance of " + account


@rearranged("a balance that nothing touched")
def _(world, book, items):
    block = big_block(book)
    at = index_of(items, "block", book.code, block.number)
    items.insert(at, items[at - 1])
    return "block", block.number, "record"


@rearranged("an account is gone")
def _(world, book, items):
    code = book.journal("FLOAT_DEPOSITED").lines[1][0]
    del items[index_of(items, "account", book.code, nth=book.accounts[code]["account_id"] - 1)]
    return "seq", 1, "lines"


@rearranged("the keys are gone")
def _(world, book, items):
    items[:] = [item for item in items if (item.kind, item.book) != ("key", book.code)]
    return "block", 1, "key_id"


@rearranged("the newest key is gone")
def _(world, book, items):
    del items[index_of(items, "key", book.code, nth=len(book.keys) - 1)]
    return "block", book.keys[-1][0], "key_id"


@rearranged("the tree head is gone")
def _(world, book, items):
    del items[index_of(items, "tree-head", book.code)]
    return "block", len(book.blocks), "record"


@damage("a beneficiary is gone")
def _(world):
    items = world.items()
    del items[index_of(items, "beneficiary", last_book(world).code, nth=len(last_book(world).beneficiaries) - 1)]
    book, seq = [(last_book(world).code, j.seq) for j in last_book(world).journals("PAYOUT_ACCEPTED")
                 if [j.about[k] for k in ("beneficiary_id", "beneficiary_version")] == [last_book(world).beneficiaries[-1][k] for k in (
                     "beneficiary_id", "version")]][0]
    return Damaged(file_of(items), book, "seq", seq, "beneficiary")


@damage("a rate sheet is gone")
def _(world):
    items = world.items()
    del items[index_of(items, "rate-sheet")]
    return Damaged(file_of(items), *sheet_named(world, None, None, None))


@damage("a book is there twice")
def _(world):
    items, code = world.items(), last_book(world).code
    twice = items + [item for item in items if item.book == code]
    return Damaged(file_of(twice), None, "item", len(items) + 1, "code")


# ---------------------------------------------------------------- the file itself
def end_of(name, end, number_of, named):
    @damage("the end: " + name)
    def function(world):
        items = world.items()
        data = file_of(items, end=b"")
        return Damaged(end(items, data), None, "item", number_of(items), named)


_last = lambda items: len(items) + 1
end_of("another hash", lambda items, data: data + field(record("end", len(items), flipped(sha256(data)))), _last, "sha256")
end_of("another count", lambda items, data: data + field(record("end", len(items) - 1, sha256(data))), _last, "items")
end_of("none", lambda items, data: data, _last, "file")
end_of("a byte after it", lambda items, data: data + field(record("end", len(items), sha256(data))) + b"\n", _last, "file")
end_of("an item after it", lambda items, data: data + field(record("end", len(items), sha256(data))) + field(items[0].data), _last, "file")
end_of("an absent item before it", lambda items, data: data + b"\xff\xff\xff\xff" + field(record("end", len(items) + 1, sha256(data))), _last, "item")
end_of("an item longer than a field can be", lambda items, data: data + b"\x7f\xff\xff\xff", _last, "item")
end_of("it begins as another file does", lambda items, data: b"UJRATLOG\r" + data[9:], lambda items: 1, "file")
end_of("it is empty", lambda items, data: b"", lambda items: 1, "file")


def truncations(world):
    """Every way to cut a file at the border of an item, and inside each: (name, bytes)."""
    items = world.items()
    data, at = file_of(items), 9
    yield "the magic", data[:9]
    for number, item in enumerate(items, 1):
        yield "in the length of item %d" % number, data[:at + 2]
        yield "inside item %d, %s" % (number, item.kind), data[:at + 4 + len(item.data) // 2]
        at += 4 + len(item.data)
        yield "after item %d, %s" % (number, item.kind), data[:at]
    yield "in the end", data[:-1]


# ---------------------------------------------------------------- wrong, and signed by those who may
def signed(name):
    """Registers plan(world, book), which answers (kind, which of the records: test(f), change(f), unit, number, field)."""
    def register(plan):
        @damage("signed: " + name)
        def function(world):
            book = last_book(world)
            kind, test, change, unit, number, named = plan(world, book)

            def edit(k, f):
                if k == kind and f["book"] == book.code and test(f):
                    change(f)

            return Damaged(file_of(world.items(Hooks(edit=edit))), book.code, unit, number, named)
        return plan
    return register


def edited(name, choose, change, named, unit="seq"):
    """A journal, chosen from the book, and changed."""
    @signed(name)
    def plan(world, book):
        j = choose(book)
        return "journal", lambda f: f["seq"] == j.seq, lambda f: change(f, book), unit, j.seq if unit == "seq" else j.block_no, named


def of_kind(kind, which=0):
    return lambda book: book.journal(kind, which)


def lines_to(change):
    """Lines changed one by one: change(account, currency, amount, nth)"""
    return lambda f, book: f.update(lines=[change(*line, nth) for nth, line in enumerate(f["lines"])])


def about_to(**values):
    return lambda f, book: f["about"].update(values)


edited("a journal does not sum to zero", of_kind("FLOAT_DEPOSITED"), lines_to(lambda a, c, m, n: (a, c, m + (n == 0))), "lines")
edited("an adjustment does not sum to zero", of_kind("ADJUSTMENT"), lines_to(lambda a, c, m, n: (a, c, m + (n == 0))), "lines")
edited("a line in another currency than its account's", of_kind("ADJUSTMENT"), lines_to(lambda a, c, m, n: (a, "GBP", m)), "lines")
edited("a line on an account that is not there", of_kind("ADJUSTMENT"), lines_to(lambda a, c, m, n: ("suspense." + c if n else a, c, m)), "lines")
edited("a line of nil", of_kind("ADJUSTMENT"), lambda f, book: f["lines"].append(f["lines"][0][:2] + (0,)), "lines")
edited("ten lines", of_kind("ADJUSTMENT"), lambda f, book: f.update(lines=f["lines"] * 5), "lines")
edited("an adjustment without lines", of_kind("ADJUSTMENT"), lambda f, book: f.update(lines=[]), "lines")
edited("an adjustment that its proposer approved", of_kind("ADJUSTMENT"), lambda f, book: f.update(actor=f["about"]["proposed_by"]), "proposed_by")
edited("a proposal that became two journals", of_kind("ADJUSTMENT", 1), about_to(proposal=1), "proposal")
edited("a deposit under a reference of another", of_kind("FLOAT_DEPOSITED", 1),
       lambda f, book: (f.update(detail=book.journal("FLOAT_DEPOSITED").detail), f["about"].update(reference=f["detail"])), "reference")
edited("a deposit of less than its lines", of_kind("FLOAT_DEPOSITED"), lambda f, book: f["about"].update(amount=f["about"]["amount"] - 1), "lines")
edited("a deposit of less than nothing", of_kind("FLOAT_DEPOSITED"), about_to(amount=-5), "amount")
edited("a kind that is none", of_kind("ADJUSTMENT"), lambda f, book: f.update(kind="PAYOUT_LOST"), "kind")
edited("a kind with another's subject", of_kind("ADJUSTMENT"), lambda f, book: f.update(kind="FLOAT_DEPOSITED"), "subject")
edited("a deposit that is about a payout", of_kind("FLOAT_DEPOSITED"), lambda f, book: f.update(payout_id=1), "payout_id")

OTHER_BANK = dict(zip(BANKS, reversed(BANKS)))


def at_other_bank(account):
    return ".".join(OTHER_BANK.get(part, part) for part in account.split("."))


_usd = lambda book: payout_with(book, src_ccy="USD", margin_bps=150, quoted=False)


def repriced(f, **more):
    """Other numbers, and the lines that belong to them."""
    about = f["about"]
    for name, change in more.items():
        about[name] += change
    new = {"position.PKR": about["mid_value"], "margin.PKR": -about["margin"], "payable.%s.PKR" % about["bank"]: -about["net"]}
    f["lines"] = [(a, c, new.get(a, m)) for a, c, m in f["lines"]]


edited("a mid value rounded the other way", _usd, lambda f, book: repriced(f, mid_value=1, net=1), "mid_value")
edited("a margin rounded up", _usd, lambda f, book: repriced(f, margin=1, net=-1), "margin")
edited("a net that is more than what is left", _usd, lambda f, book: f["about"].update(net=f["about"]["net"] + 1), "net")
edited("a fee that takes all", _usd, lambda f, book: f["about"].update(fee=f["about"]["gross"]), "fee")
edited("a margin of everything", _usd, about_to(margin_bps=10_000), "margin_bps")
edited("a rate that the sheet does not have", _usd, lambda f, book: f["about"].update(mid_rate_e10=f["about"]["mid_rate_e10"] + 1), "mid_rate_e10")
edited("lines that pay another than the payout says", _usd, lines_to(lambda a, c, m, n: (at_other_bank(a), c, m)), "lines")
edited("a paisa of the margin paid out", _usd,
       lines_to(lambda a, c, m, n: (a, c, m + {"margin": 1, "payable": -1}.get(a.split(".")[0], 0))), "lines")
edited("a reference that was used before", lambda book: book.journal("PAYOUT_ACCEPTED", 1),
       lambda f, book: f["about"].update(reference=book.journal("PAYOUT_ACCEPTED").about["reference"]), "reference")
edited("a beneficiary that is not in the file", _usd, about_to(beneficiary_id=100_000), "beneficiary")
edited("a bank that is not the beneficiary's", _usd, lambda f, book: f["about"].update(bank=OTHER_BANK[f["about"]["bank"]]), "bank")

def requoted(f, used, **values):
    f["about"]["quote"] = quote_record({**used.payouts[f["seq"]]["quote"], **values})


for _name, _change, _named in (
        ("margin", 1, "margin"), ("net", 1, "net"), ("mid_value", 1, "mid_value"), ("fee", 1, "mid_value"), ("gross", -1, "mid_value"),
        ("margin_bps", 1, "margin"), ("digit_shift", 1, "digit_shift"), ("expires_at", -60_000_000, "expires_at")):
    edited("a quote whose %s is another" % _name, lambda book: payout_with(book, quoted=True, src_ccy="USD", margin_bps=150), 
           lambda f, book, _name=_name, _change=_change: requoted(f, book, **{_name: book.payouts[f["seq"]]["quote"][_name] + _change}), "quote." + _named)
edited("a quote of another book", lambda book: payout_with(book, quoted=True), lambda f, book: requoted(f, book, book="other"), "quote.book")
edited("a quote that was used before", lambda book: [j for j in book.journals("PAYOUT_ACCEPTED") if j.about["quote"]][1],
       lambda f, book: requoted(f, book, quote_id=1), "quote.quote_id")
edited("a quote that is another record", lambda book: payout_with(book, quoted=True),
       lambda f, book: f["about"].update(quote=record("beneficiary", book.beneficiaries[0])), "quote.record")
edited("a quote that is cut short", lambda book: payout_with(book, quoted=True), lambda f, book: f["about"].update(quote=f["about"]["quote"][:-1]), "quote.expires_at")


# A version of the policy, and what was priced by it.
def priced(f, **new):
    """Other numbers, and all that follows from them, as if they were the policy's."""
    p = f["about"]
    p.update(new)
    over = (p["gross"] - p["fee"]) * p["mid_rate_e10"]
    p["mid_value"], rest = divmod(over, 10 ** 10)
    p["mid_value"] += rest * 2 > 10 ** 10 or (rest * 2 == 10 ** 10 and p["mid_value"] % 2 == 1)
    p["margin"] = p["mid_value"] * p["margin_bps"] // 10_000
    p["net"] = p["mid_value"] - p["margin"]
    src = p["src_ccy"]
    f["lines"] = [line for line in (
        ("float." + src, src, p["gross"]), ("fee." + src, src, -p["fee"]), ("position." + src, src, p["fee"] - p["gross"]),
        ("position.PKR", "PKR", p["mid_value"]), ("margin.PKR", "PKR", -p["margin"]), ("payable.%s.PKR" % p["bank"], "PKR", -p["net"])) if line[2]]


def by_version(f, book, choose):
    """As the version priced it that choose(places of all, place of its own) says."""
    policy = book.world.policy
    version = choose(range(len(policy.changes)), book.payouts[f["seq"]]["version"])
    terms = policy.terms(version, book.code, "USD")
    fee = max(terms["fee_fixed"] + f["about"]["gross"] * terms["fee_bps"] // 10_000, terms["fee_min"])
    priced(f, fee=min(fee, terms["fee_max"] or fee), margin_bps=terms["margin_bps"], policy=policy.hashes[version])


edited("a fee of a cent more than its version of the policy says", priced_payout, lambda f, book: priced(f, fee=f["about"]["fee"] + 1), "fee")
edited("a margin that is not its version's", priced_payout, lambda f, book: priced(f, margin_bps=f["about"]["margin_bps"] ^ 2), "margin_bps")
edited("a payout that is more than its version lets pass", priced_payout,
       lambda f, book: (priced(f, gross=2 * GROSS_MAX + 1), by_version(f, book, lambda all_, own: own)), "gross")
edited("a payout by a version that was not in force yet", priced_payout, lambda f, book: by_version(f, book, lambda all_, own: all_[-1]), "policy")
edited("a payout by a version that was over", priced_payout, lambda f, book: by_version(f, book, lambda all_, own: 0), "policy")
edited("a payout by a version that there is not", priced_payout, lambda f, book: f["about"].update(policy=sha256(b"another")), "policy")
edited("a payout that does not say its version", priced_payout, lambda f, book: f["about"].pop("policy"), "policy")
edited("a quote by another version than its payout", lambda book: priced_payout(book, True),
       lambda f, book: requoted(f, book, policy=book.world.policy.hashes[0]), "quote.policy")
edited("a quote that does not say the version of its payout", lambda book: priced_payout(book, True),
       lambda f, book: f["about"].update(quote=record("quote", {k: v for k, v in book.payouts[f["seq"]]["quote"].items() if k != "policy"})), "quote.record")


def versioned(name, which, named, **values):
    """A version that says other things of itself; hashes are made after it."""
    @damage("signed: a version " + name)
    def function(world):
        at = index_of(world.items(), "policy-change", nth=which)
        change = world.policy.changes[which]
        change.update({k: v(change) for k, v in values.items()})
        return Damaged(world.export(), None, "item", at + 1, named)


versioned("that one person proposed and approved", 2, "approved_by", approved_by=lambda c: c["proposed_by"])
versioned("that began before it was approved", 3, "effective_at", approved_at=lambda c: c["effective_at"] + SECOND)
versioned("of one person that changes what there was", 1, "opening", opening=lambda c: 1, approved_by=lambda c: c["proposed_by"],
          changes=lambda c: [("fee_bps", "upwork", "USD", 1)])
versioned("that is there twice", 2, "policy_id", policy_id=lambda c: 1)
versioned("of a currency that is not there", 2, "currency", changes=lambda c: [("fee_bps", "upwork", "XXX", 1)])


@damage("signed: versions that are not in their order")
def _(world):
    items = world.items()
    changes = world.policy.changes
    first = [i for i in range(1, len(changes) - 1) if changes[i]["effective_at"] < changes[i + 1]["effective_at"]][0]
    at = index_of(items, "policy-change", nth=first)
    items[at], items[at + 1] = items[at + 1], items[at]
    return Damaged(file_of(items), None, "item", at + 2, "effective_at")


edited("a settlement of what was cancelled", of_kind("PAYOUT_SETTLED"),
       lambda f, book: f.update(payout_id=book.journal("PAYOUT_CANCELLED").payout_id), "state")
edited("a settlement of no payout", of_kind("PAYOUT_SETTLED"), lambda f, book: f.update(payout_id=1), "payout_id")
edited("a settlement of a paisa less", of_kind("PAYOUT_SETTLED"), lines_to(lambda a, c, m, n: (a, c, m - 1 if m > 0 else m + 1)), "lines")
edited("more tax than was paid", of_kind("PAYOUT_SETTLED"), about_to(tax_withheld=1 << 60), "tax_withheld")
edited("a state that the journal does not lead to", of_kind("PAYOUT_REJECTED"), about_to(state=4), "state")
edited("a step that was not next", of_kind("PAYOUT_REJECTED"), about_to(step=2), "step")
edited("a rejection that gives back less", of_kind("PAYOUT_REJECTED"),
       lines_to(lambda a, c, m, n: (a, c, m + {"float": 1, "fee": -1}.get(a.split(".")[0], 0))), "lines")
edited("a reversal of another journal", of_kind("PAYOUT_REJECTED"), lambda f, book: f.update(reverses_seq=f["reverses_seq"] - 1), "reverses_seq")
edited("a reversal that names none", of_kind("PAYOUT_CANCELLED"), lambda f, book: f.update(reverses_seq=None), "reverses_seq")
edited("a cancellation after the bank was told", of_kind("PAYOUT_REJECTED"),
       lambda f, book: (f.update(kind="PAYOUT_CANCELLED"), f["about"].update(state=7)), "state")
edited("a settlement reversed that is another's", of_kind("SETTLEMENT_REVERSED"), lambda f, book: f.update(reverses_seq=f["reverses_seq"] + 1), "reverses_seq")
edited("a hand-out that does not follow the last", of_kind("PAYOUTS_INSTRUCTED"), about_to(prev_payout_id=1), "prev_payout_id")
edited("a hand-out up to what is no payout", of_kind("PAYOUTS_INSTRUCTED"), about_to(last_payout_id=1), "last_payout_id")
edited("a hand-out that moves money", of_kind("PAYOUTS_INSTRUCTED"),
       lambda f, book: f["lines"].extend([("fee.USD", "USD", 1), ("correspondent.USD", "USD", -1)]), "lines")
edited("a hand-out to another bank", of_kind("PAYOUTS_INSTRUCTED"), lambda f, book: f["about"].update(bank=OTHER_BANK[f["about"]["bank"]]),
       "last_payout_id")


@damage("signed: a return whose settlement was not reversed before")
def _(world):
    book = last_book(world)
    block = book.blocks[book.journal("PAYOUT_RETURNED").block_no - 1]
    first, second = block.journals
    first.seq, second.seq = second.seq, first.seq
    block.journals.reverse()
    return Damaged(world.export(), book.code, "seq", second.seq, "kind")


@damage("signed: a settlement reversed, and no payout returned")
def _(world):
    book = last_book(world)
    block = book.blocks[book.journal("PAYOUT_RETURNED").block_no - 1]
    block.journals.pop()
    return Damaged(world.export(), book.code, "seq", block.journals[0].seq, "kind")


@damage("signed: something else between a settlement reversed and its payout returned")
def _(world):
    book = last_book(world)
    first = book.journal("SETTLEMENT_REVERSED")
    other = dataclasses.replace(book.journal("ADJUSTMENT"), seq=first.seq + 1, block_no=first.block_no)
    book.blocks[first.block_no - 1].journals.insert(1, other)
    return Damaged(world.export(), book.code, "seq", first.seq + 1, "kind")


# What comes back in parts: the world's first two such returns are of one payment, and the second of them is taken back.
def second_of(kind, nth=0):
    return lambda book: book.journals(kind)[nth]


edited("a part that gives the float a cent more", second_of("PAYOUT_PARTLY_RETURNED"),
       lines_to(lambda a, c, m, n: (a, c, m - 1 if a.startswith("float.") else m + 1 if a.startswith("position.") and c != "PKR" else m)), "lines")
edited("a part that takes more off the payable than came back", second_of("PAYOUT_PARTLY_RETURNED"),
       lines_to(lambda a, c, m, n: (a, c, m + 1 if a.startswith("payable.") else m - 1 if a == "position.PKR" else m)), "lines")
edited("a charge that is more than came back", second_of("SETTLEMENT_PARTLY_REVERSED"),
       lambda f, book: f.update(lines=[(a, c, m) for a, c, m in f["lines"] if a.startswith("payable.")] + [
           ("charge.PKR", "PKR", 1 - [m for a, c, m in f["lines"] if a.startswith("payable.")][0]),
           ("nostro.%s.PKR" % book.payouts[f["payout_id"]]["bank"], "PKR", -1)]), "lines")
edited("more comes back than was paid", second_of("SETTLEMENT_PARTLY_REVERSED"),
       lambda f, book: f.update(lines=[("payable.%s.PKR" % book.payouts[f["payout_id"]]["bank"], "PKR", -book.payouts[f["payout_id"]]["net"] - 1),
                                       ("nostro.%s.PKR" % book.payouts[f["payout_id"]]["bank"], "PKR", book.payouts[f["payout_id"]]["net"] + 1)]), "lines")
edited("a part that is told as all of it", second_of("PAYOUT_PARTLY_RETURNED"), about_to(state=6), "state")
edited("a step that is left out between parts", second_of("PAYOUT_PARTLY_RETURNED", 1), about_to(step=4), "step")
edited("a part that names a journal it reverses", second_of("PAYOUT_PARTLY_RETURNED"), lambda f, book: f.update(reverses_seq=f["payout_id"]), "reverses_seq")
edited("a return taken back that is not the last", second_of("RETURN_REVERSED"),
       lambda f, book: f.update(reverses_seq=book.journals("PAYOUT_PARTLY_RETURNED")[0].seq), "reverses_seq")
edited("a return taken back by less than it gave", second_of("RETURN_REVERSED"),
       lines_to(lambda a, c, m, n: (a, c, m - 1 if a.startswith("float.") else m + 1 if a.startswith("position.") and c != "PKR" else m)), "lines")
edited("a settlement restored that is another's", second_of("SETTLEMENT_RESTORED"),
       lambda f, book: f.update(reverses_seq=book.journals("SETTLEMENT_PARTLY_REVERSED")[0].seq), "reverses_seq")
edited("a return taken back, and told as settled though another stands", second_of("SETTLEMENT_RESTORED"), about_to(state=4), "state")
edited("a funding without a reference", second_of("NOSTRO_FUNDED"), lambda f, book: f.update(detail=None), "detail")
edited("a funding that takes from the nostro", second_of("NOSTRO_FUNDED"), lines_to(lambda a, c, m, n: (a, c, -m)), "lines")
edited("a hand-out of a window that is none", of_kind("PAYOUTS_INSTRUCTED"), lambda f, book: f.update(detail="window 017"), "detail")


@damage("signed: two fundings under one reference")
def _(world):
    book = last_book(world)
    book.fund()
    first, *_, second = book.journals("NOSTRO_FUNDED")
    second.detail = first.detail
    return Damaged(world.export(), book.code, "seq", second.seq, "detail")


# What is unclaimed: the world's first five are claimed (two, in one block), cancelled (one), and expired (two).
def unclaimed_lines(by):
    return lines_to(lambda a, c, m, n: (a, c, m + by if m > 0 else m - by))


edited("something set aside that is less than it says", second_of("PAYOUT_UNCLAIMED"), unclaimed_lines(-1), "lines")
edited("something set aside of nothing", second_of("PAYOUT_UNCLAIMED"), about_to(gross=0), "gross")
edited("something set aside whose time is over", second_of("PAYOUT_UNCLAIMED"), lambda f, book: f["about"].update(expires_at=f["committed_at"]),
       "expires_at")
edited("something set aside under another name", second_of("PAYOUT_UNCLAIMED"), lambda f, book: f.update(detail="PP-other-1"), "detail")
edited("a claim of less", second_of("UNCLAIMED_CLAIMED"), unclaimed_lines(-1), "lines")
edited("a claim under another name", second_of("UNCLAIMED_RETURNED"), lambda f, book: f.update(detail="PP-other-1"), "detail")
edited("a claim of nothing that was set aside", second_of("UNCLAIMED_CLAIMED"), lambda f, book: f.update(reverses_seq=2), "reverses_seq")
edited("a claim that reverses nothing", second_of("UNCLAIMED_CLAIMED"), lambda f, book: f.update(reverses_seq=None), "reverses_seq")
edited("a claim that is told as expired", second_of("UNCLAIMED_CLAIMED"), about_to(outcome=2), "outcome")
edited("a claim without a payout", second_of("UNCLAIMED_CLAIMED"), about_to(payout_id=None), "payout_id")
edited("a claim that says it is of a payout", second_of("UNCLAIMED_CLAIMED"), lambda f, book: f.update(payout_id=f["seq"] + 2), "payout_id")
edited("a cancellation with a payout", second_of("UNCLAIMED_RETURNED"), lambda f, book: f["about"].update(payout_id=f["seq"] + 1), "payout_id")
edited("a cancellation that is told as a claim", second_of("UNCLAIMED_RETURNED"), about_to(outcome=1), "outcome")
edited("a cancellation that is told as expired", second_of("UNCLAIMED_RETURNED"), about_to(outcome=2), "committed_at")
edited("what expired, and had ended before", second_of("UNCLAIMED_RETURNED", 1),
       lambda f, book: f.update(reverses_seq=book.journals("UNCLAIMED_RETURNED")[0].reverses_seq), "reverses_seq")


def claimed_payout(book, nth=0):
    claims = book.journals("UNCLAIMED_CLAIMED")
    return [j for j in book.journals("PAYOUT_ACCEPTED") if j.seq == claims[nth].about["payout_id"]][0]


edited("the payout of a claim under another reference", claimed_payout, about_to(reference="PP-other-1"), "reference")
edited("the payout of a claim that says something else", claimed_payout, about_to(info="for other work"), "info")
edited("the payout of a claim that is another claim's", claimed_payout,
       lambda f, book: f["about"].update(reference=claimed_payout(book, 1).about["reference"]), "reference")


@damage("signed: a claim whose payout is missing")
def _(world):
    book = last_book(world)
    block = book.blocks[book.journal("UNCLAIMED_CLAIMED").block_no - 1]
    block.journals.pop()
    return Damaged(world.export(), book.code, "seq", block.journals[-1].seq, "kind")


@damage("signed: claims whose payouts are in another order")
def _(world):
    book = last_book(world)
    block = book.blocks[book.journal("UNCLAIMED_CLAIMED").block_no - 1]
    first, second = block.journals[:2]
    first.about["payout_id"], second.about["payout_id"] = second.about["payout_id"], first.about["payout_id"]
    return Damaged(world.export(), book.code, "seq", second.seq + 1, "payout_id")


@damage("signed: something else between claims and their payouts")
def _(world):
    book = last_book(world)
    block = book.blocks[book.journal("UNCLAIMED_CLAIMED").block_no - 1]
    other = dataclasses.replace(book.journal("ADJUSTMENT"), seq=block.journals[2].seq, block_no=block.number)
    block.journals[2] = other
    return Damaged(world.export(), book.code, "seq", other.seq, "kind")


@damage("signed: a claim when its time was over")
def _(world):
    book = last_book(world)
    claim = book.journal("UNCLAIMED_CLAIMED")
    aside = [j for j in book.journals("PAYOUT_UNCLAIMED") if j.seq == claim.reverses_seq][0]
    aside.about["expires_at"] = book.blocks[claim.block_no - 1].committed_at
    return Damaged(world.export(), book.code, "seq", claim.seq, "committed_at")


@damage("signed: two things set aside under one reference")
def _(world):
    book = last_book(world)
    first, second = book.journals("PAYOUT_UNCLAIMED")[0], book.journals("PAYOUT_UNCLAIMED")[-1]
    second.detail = second.about["reference"] = first.about["reference"]
    return Damaged(world.export(), book.code, "seq", second.seq, "reference")


# Holds: the world's first is released and held again, its second placed by hand, its fourth refused (hold_some).
def hold_lines(by):
    return lines_to(lambda a, c, m, n: (a, c, m + by if m > 0 else m - by))


edited("a hold of less than the payout", second_of("PAYOUT_HELD"), hold_lines(-1), "lines")
edited("a hold that is counted wrong", second_of("PAYOUT_HELD"), about_to(hold_no=2), "hold_no")
edited("a second hold that is told as the first", second_of("PAYOUT_HELD", 2), about_to(hold_no=1), "hold_no")
edited("a hold for no reason that there is", second_of("PAYOUT_HELD"), about_to(reason="WHIM"), "reason")
edited("a hold whose time is over", second_of("PAYOUT_HELD"), lambda f, book: f["about"].update(deadline=f["committed_at"]), "deadline")
edited("a hold that reverses something", second_of("PAYOUT_HELD"), lambda f, book: f.update(reverses_seq=f["payout_id"]), "reverses_seq")
edited("a hold of no payout", second_of("PAYOUT_HELD"), lambda f, book: f.update(payout_id=1), "payout_id")
edited("a hold of what its bank was told of", second_of("PAYOUT_HELD"),
       lambda f, book: f.update(payout_id=book.journal("PAYOUT_REJECTED").payout_id), "state")
edited("a hold of what is held", second_of("PAYOUT_HELD", 2),
       lambda f, book: f.update(payout_id=book.journals("PAYOUT_HELD")[1].payout_id), "state")
edited("a cancellation of what is held", second_of("PAYOUT_REFUSED"), lambda f, book: f.update(kind="PAYOUT_CANCELLED", about=dict(f["about"], state=7)), "kind")
edited("a release that reverses another journal", second_of("HOLD_RELEASED"), lambda f, book: f.update(reverses_seq=f["payout_id"]), "reverses_seq")
edited("a release of less", second_of("HOLD_RELEASED"), hold_lines(-1), "lines")
edited("a release of what is not held", second_of("HOLD_RELEASED"),
       lambda f, book: f.update(payout_id=book.journals("PAYOUT_HELD")[-1].payout_id if book.journals("PAYOUT_HELD")[-1].seq > f["seq"]
                                else book.journal("PAYOUT_ACCEPTED").payout_id), "state")
edited("a release that is told as a refusal", second_of("HOLD_RELEASED"), about_to(outcome=2), "outcome")
edited("a release of another hold", second_of("HOLD_RELEASED"), about_to(hold_no=7), "hold_no")
edited("a release by one person", second_of("HOLD_RELEASED"), about_to(first_by="ujrat://operator/looks-2"), "first_by")
edited("a release by another than its actor", second_of("HOLD_RELEASED"), about_to(second_by="ujrat://operator/looks-3"), "second_by")
edited("a release by whoever placed it by hand", second_of("HOLD_RELEASED", 1), about_to(first_by="ujrat://operator/desk-1"), "first_by")
edited("a refusal that is told as a release", second_of("HOLD_REFUSED"), about_to(outcome=1), "outcome")
edited("a refused payout told as cancelled", second_of("PAYOUT_REFUSED"), about_to(state=7), "state")
edited("a refusal that gives back less", second_of("PAYOUT_REFUSED"),
       lines_to(lambda a, c, m, n: (a, c, m + {"float": 1, "fee": -1}.get(a.split(".")[0], 0))), "lines")
flip("journal", "detail", root_named, a_journal("PAYOUT_HELD"), about=True)
for _name in ("first_note", "second_note"):
    flip("journal", _name, root_named, a_journal("HOLD_RELEASED"), about=True)


@damage("signed: a refused hold, and no payout refused")
def _(world):
    book = last_book(world)
    block = book.blocks[book.journal("HOLD_REFUSED").block_no - 1]
    block.journals.pop()
    return Damaged(world.export(), book.code, "seq", block.journals[0].seq, "kind")


@damage("signed: a hand-out up to a payout that was held when it was told")
def _(world):
    book = last_book(world)
    first = book.journal("PAYOUT_HELD")
    told = [j for j in book.journals("PAYOUTS_INSTRUCTED") if j.seq > first.seq and j.about["bank"] == book.payouts[first.payout_id]["bank"]][0]

    def edit(kind, f):
        if kind == "journal" and f["book"] == book.code and f["seq"] == told.seq:
            f["about"]["last_payout_id"] = first.payout_id

    return Damaged(world.export(Hooks(edit=edit)), book.code, "seq", told.seq, "last_payout_id")


@damage("signed: a hand-out up to a release before the last")
def _(world):
    book = last_book(world)
    release = book.journal("HOLD_RELEASED")
    told = [j for j in book.journals("PAYOUTS_INSTRUCTED") if j.seq > release.seq and j.about["bank"] == book.payouts[release.payout_id]["bank"]][0]

    def edit(kind, f):
        if kind == "journal" and f["book"] == book.code and f["seq"] == told.seq:
            f["about"]["last_payout_id"] = release.seq

    return Damaged(world.export(Hooks(edit=edit)), book.code, "seq", told.seq, "last_payout_id")


@damage("signed: a return in parts of which the payout's half is missing")
def _(world):
    book = last_book(world)
    block = book.blocks[book.journal("PAYOUT_PARTLY_RETURNED").block_no - 1]
    block.journals.pop()
    return Damaged(world.export(), book.code, "seq", block.journals[0].seq, "kind")


@damage("signed: a settlement of what the bank was not told of")
def _(world):
    book = last_book(world)
    for told in book.journals("PAYOUTS_INSTRUCTED"):        # one after which more than its first payout was confirmed
        told_of = [i for _, i in sorted((p["place"], i) for i, p in book.payouts.items() if p["bank"] == told.about["bank"] and p["place"]
                                        and told.about["prev_payout_id"] < p["place"] <= told.about["last_payout_id"])]
        first, late = book.payouts[told_of[0]]["place"], [j for j in book.journals() if j.kind in ("PAYOUT_SETTLED", "PAYOUT_REJECTED") and j.payout_id in told_of[1:]]
        if late:
            break

    def edit(kind, f):
        if kind == "journal" and f["book"] == book.code and f["seq"] == told.seq:
            f["about"]["last_payout_id"] = first

    return Damaged(world.export(Hooks(edit=edit)), book.code, "seq", late[0].seq, "state")


@damage("signed: a float below zero")
def _(world):
    book = last_book(world)
    deposit = book.journal("FLOAT_DEPOSITED", book.currencies.index("USD"))

    def edit(kind, f):
        if kind == "journal" and f["book"] == book.code and f["seq"] == deposit.seq:
            f["about"]["amount"] = 1
            f["lines"] = [(a, c, 1 if m > 0 else -1) for a, c, m in f["lines"]]

    balance = 0
    for block in book.blocks:
        balance += sum(-1 if j.seq == deposit.seq else m for j in block.journals for a, _, m in j.lines if a == "float.USD")
        if balance > 0:
            break
    return Damaged(world.export(Hooks(edit=edit)), book.code, "block", block.number, "balance of the balance of float.USD")


def timed(name, change):
    @damage("signed: " + name)
    def function(world):
        book = last_book(world)
        block, before = book.blocks[4], book.blocks[3]
        block.committed_at = change(before.committed_at)
        return Damaged(world.export(), book.code, "seq", block.journals[0].seq, "committed_at")


timed("time stands still", lambda at: at)
timed("time runs backwards", lambda at: at - 1)


@signed("a journal at another time than its block")
def _(world, book):
    j = big_block(book).journals[1]
    return "journal", lambda f: f["seq"] == j.seq, lambda f: f.update(committed_at=f["committed_at"] + 1), "seq", j.seq, "committed_at"


@signed("a hole in the sequence")
def _(world, book):
    j = big_block(book).journals[1]
    return "journal", lambda f: f["seq"] >= j.seq, lambda f: f.update(seq=f["seq"] + 1), "seq", j.seq, "seq"


@damage("signed: a block is left out, and those after it are linked to the one before")
def _(world):
    book = last_book(world)
    gone = book.blocks.pop(5)
    return Damaged(world.export(), book.code, "seq", gone.journals[0].seq, "seq")


for _name in ("block_no", "first_seq", "last_seq", "committed_at", "journal_root", "prev"):
    @signed("a block with another " + _name)
    def _(world, book, name=_name):
        number = big_block(book).number
        return "block", lambda f: f["block_no"] == number, lambda f: f.update({name: flipped(f[name])}), "block", number, name


@signed("a tree head of one block less")
def _(world, book):
    return "tree-head", lambda f: True, lambda f: f.update(tree_size=f["tree_size"] - 1), "block", len(book.blocks), "tree_size"


@signed("a tree head with another root")
def _(world, book):
    return "tree-head", lambda f: True, lambda f: f.update(root=flipped(f["root"])), "block", len(book.blocks), "root"


@signed("a first key that begins later")
def _(world, book):
    first = key_id(book.keys[0][1])
    return "key", lambda f: f["key_id"] == first, lambda f: f.update(from_block=2), "key", 1, "from_block"


@damage("signed: two keys that begin with one block")
def _(world):
    book = last_book(world)
    book.keys[1] = (1,) + book.keys[1][1:]
    return Damaged(world.export(), book.code, "key", 2, "from_block")


@damage("signed: a key that was one before")
def _(world):
    book = last_book(world)
    book.keys.append((len(book.blocks) + 9, book.keys[0][1], book.now))
    return Damaged(world.export(), book.code, "key", len(book.keys), "key_id")


# ---------------------------------------------------------------- signed by another key than the one in force
def keyed(name, kind, choose, unit, named):
    """choose(book, rng): (test(f), key that signs, key_id that is claimed, number)"""
    @damage("key: " + name)
    def function(world):
        book = last_book(world)
        test, key, claimed, number = choose(book, world.rng)
        sign = lambda k, f, right: (key, claimed) if k == kind and f["book"] == book.code and test(f) else (right, key_id(right))
        return Damaged(file_of(world.items(Hooks(sign=sign))), book.code, unit, number, named)


def _rotated(book):
    return [i for i, (from_block, _, _) in enumerate(book.keys) if 1 < from_block <= len(book.blocks)][0]


def _old_key(book, rng):
    i = _rotated(book)
    return lambda f: f["block_no"] == book.keys[i][0], book.keys[i - 1][1], key_id(book.keys[i - 1][1]), book.keys[i][0]


def _stranger(book, rng):
    return lambda f: f["block_no"] == 3, new_key(rng), key_id(book.key_for(3)), 3


keyed("the one before signs on", "block", _old_key, "block", "key_id")
keyed("the next one signs too early", "block",
      lambda book, rng: (lambda f: f["block_no"] == 1, book.keys[1][1], key_id(book.keys[1][1]), 1), "block", "key_id")
keyed("a stranger's, under the name of the right one", "block", _stranger, "block", "signature")
keyed("a tree head by a key that is out of force", "tree-head",
      lambda book, rng: (lambda f: True, book.keys[0][1], key_id(book.keys[0][1]), len(book.blocks)), "block", "key_id")
keyed("a second key that nobody but itself has signed", "key",
      lambda book, rng: (lambda f: f["from_block"] > 1, book.keys[1][1], key_id(book.keys[1][1]), 2), "key", "key_id")


@damage("key: a first key that is not the auditor's")
def _(world):
    book, trusted = last_book(world), world.first_keys()
    book.keys = [(at, new_key(world.rng), made) for at, _, made in book.keys]
    return Damaged(world.export(), book.code, "key", 1, "public_key", trusted=trusted)


# ---------------------------------------------------------------- what a log cannot show by itself: only the witness can
@damage("witness: a forged journal, and everything signed again with stolen keys")
def _(world):
    book, witness = last_book(world), world.witness()
    deposit = book.journal("FLOAT_DEPOSITED", 1)
    deposit.lines = [(a, c, m * 2) for a, c, m in deposit.lines]
    deposit.about["amount"] *= 2
    seen = min(size for size in [*range(1, len(book.blocks), 5), len(book.blocks)] if size >= deposit.block_no)
    return Damaged(world.export(), book.code, "block", seen, "root", witness=witness)


@damage("witness: a digit of metadata, and everything signed again with stolen keys")
def _(world):
    book, witness = last_book(world), world.witness()
    book.journal("ADJUSTMENT").about["reason"] += "!"
    seen = min(size for size in [*range(1, len(book.blocks), 5), len(book.blocks)] if size >= book.journal("ADJUSTMENT").block_no)
    return Damaged(world.export(), book.code, "block", seen, "root", witness=witness)


@damage("witness: the last block is gone, and the head signed again with a stolen key")
def _(world):
    book, witness = last_book(world), world.witness()
    size = len(book.blocks)
    book.blocks.pop()
    book.keys = [k for k in book.keys if k[0] <= size]
    return Damaged(world.export(), book.code, "block", size, "tree_size", witness=witness)


@damage("witness: a whole book is gone")
def _(world):
    book, witness = last_book(world), world.witness()
    world.books.pop()
    return Damaged(world.export(), book.code, "block", 1, "tree_size", witness=witness)


# ---------------------------------------------------------------- what no field can be
def malformed(name, where, raw, named, choose=of_kind("ADJUSTMENT"), unit="seq"):
    def change(f, book):
        target = f["about"] if where in f["about"] else f
        target[where] = Raw(raw(target[where]) if callable(raw) else raw)
    edited("malformed: " + name, choose, change, named, unit)


malformed("a text that is not UTF-8", "actor", field(b"ujrat://\xff"), "actor")
malformed("an overlong NUL", "actor", field(b"ujrat\xc0\x80"), "actor")
malformed("half a surrogate pair", "reason", field(b"\xed\xa0\x80"), "reason")
malformed("an int of four bytes", "proposal", field(b"\0\0\0\1"), "proposal")
malformed("an int of nine bytes", "proposal", field(b"\0" * 9), "proposal")
malformed("an int that is empty", "payout_id", field(b""), "payout_id")
malformed("an int that is absent and must not be", "seq", field(None), "seq")
malformed("a text that is absent and must not be", "actor", field(None), "actor")
malformed("a hash of 31 bytes", "evidence", field(b"\0" * 31), "evidence")
malformed("a hash that is empty", "evidence", field(b""), "evidence")
malformed("a list of less than nothing", "lines", encode(-1), "lines")
malformed("a list that is longer than anything", "lines", encode(1 << 62), "lines")
malformed("a field that is longer than the record", "actor", b"\0\0\xff\xff", "actor")
malformed("a field that is longer than a field can be", "actor", b"\0\x10\0\1" + b"a" * 0x100001, "item", unit="block")
malformed("a byte too many", "proposed_at", lambda at: encode(at) + b"\0", "record")
malformed("the last field is missing", "proposed_at", b"", "proposed_at")
malformed("a length cut short", "proposed_at", b"\0\0\0", "proposed_at")
malformed("a subject that is none", "subject", field(b"gift"), "subject")


def retagged(name, kind, old, new, unit, number, named):
    @damage("malformed: " + name)
    def function(world):
        book, items = last_book(world), world.items()
        at = index_of(items, kind, book.code, *([number] if kind in ("journal", "block") else []))
        items[at].record = items[at].record.replace(field(old), field(new), 1)
        return Damaged(file_of(items), book.code, unit, number, named)


retagged("a journal of another version", "journal", b"ujrat/journal/1", b"ujrat/journal/3", "block", 2, "record")
retagged("a deposit of the second version", "journal", b"ujrat/journal/1", b"ujrat/journal/2", "seq", 2, "subject")
retagged("a block that says it is a tree head", "block", b"ujrat/block/1", b"ujrat/tree-head/1", "block", 1, "record")
retagged("a record that nobody knows", "journal", b"ujrat/journal/1", b"ujrat/joke/1", "block", 2, "record")


@damage("malformed: a block that is not signed")
def _(world):
    book, items = last_book(world), world.items()
    items[index_of(items, "block", book.code, 1)].signature = None
    return Damaged(file_of(items), book.code, "block", 1, "record")


@damage("malformed: a journal that is signed")
def _(world):
    book, items = last_book(world), world.items()
    item = items[index_of(items, "journal", book.code, 2)]
    item.key_id, item.signature = key_id(book.keys[0][1]), book.keys[0][1].sign(item.record)
    return Damaged(file_of(items), book.code, "block", 2, "record")


@damage("malformed: a signature of 63 bytes")
def _(world):
    book, items = last_book(world), world.items()
    item = items[index_of(items, "block", book.code, 1)]
    item.signature = item.signature[:-1]
    return Damaged(file_of(items), book.code, "block", 1, "signature")
