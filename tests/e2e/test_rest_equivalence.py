"""The same payouts by gRPC and by the REST API leave the same ledger: two databases with the same people in them, random batches into
both, each by its own door, and every row compared. Apart are only times, keyed fingerprints, and what the REST API keeps of its batches."""
import base64
import decimal
import hashlib
import itertools
import random

import pytest

import world as world_of_tests
from rest_world import add_client, batch_of, item
from world import DIGITS, TARIFFS

D = decimal.Decimal

# Everything there is about money, but columns of time and fingerprints (which are keyed, and each database has its key).
TABLES = {
    "book_head": "book_id, next_seq, next_block",
    "account": "book_id, account_id, code, role, type, normal_side, ccy, bank_id, floor_zero",
    "account_balance": "*",
    "block": "book_id, block_no, first_seq, last_seq",
    "journal": "*",
    "payout": "book_id, payout_id, beneficiary_id, beneficiary_version, bank_id, reference, info, gross, fee, mid_rate_e10, mid_value,"
              " margin, margin_bps, net, quote_id, rate_id, policy_id, src_ccy, dst_ccy, digit_shift",
    "payout_transition": "*",
    "quote": "book_id, quote_id, request_id, policy_id, gross, fee, net",
    "beneficiary": "book_id, beneficiary_id, request_id, version, bank_id",
    "handout": "*",
    "bank_book": "*",
    "payment_return": "book_id, payout_id, amount, charge",
    "float_deposit": "*",
    "unclaimed": "book_id, unclaimed_id",
}
STATUS = {"ACCEPTED": "PENDING", "INSTRUCTED": "PENDING", "SETTLED": "SUCCESS", "REJECTED": "FAILED", "RETURNED": "REVERSED",
          "PARTLY_RETURNED": "REFUNDED", "CANCELLED": "RETURNED"}
EMAILS = ["Somebody.%d@Example.com" % i for i in range(8)]


class Side:
    """One of the two: numbers that tests count up begin anew, so that names and accounts are the same in both."""

    def __init__(self, new_world, monkeypatch):
        monkeypatch.setattr(world_of_tests, "_numbers", itertools.count(500_000))
        self.world = new_world(rest=True)
        self.banks = [self.world.bank(), self.world.bank()]
        self.platform = self.world.platform(**dict.fromkeys(["USD", "EUR", "JPY", "KWD"], 100_000_000_000))
        self.payees = []
        for i, email in enumerate(EMAILS):
            self.payees.append(self.platform.register(self.banks[i % 2]).name)
            self.platform.beneficiaries.AddReceiver(self.world.api.payout.AddReceiverRequest(
                beneficiary=self.payees[i], email=email), timeout=20)
        self.platform.beneficiaries.AddReceiver(self.world.api.payout.AddReceiverRequest(
            beneficiary=self.payees[0], phone="0300 1234567"), timeout=20)

    def ledger(self):
        return {table: self.world.rows("SELECT %s FROM %s ORDER BY %s::text COLLATE \"C\"" % (columns, table, table)) for table, columns in
                TABLES.items()}

    def trial_balance(self):
        answer = self.world.auditor.trial_balance()
        return [(line.book, line.account, line.currency_code, line.debit_minor_units, line.credit_minor_units) for line in answer.lines]


def batch(rng, payees):
    """(currency, [(payee's number in the list or None for one that does not exist, minor units, note, how REST says whom)]): sound ones, ones
    below the fee, ones above the limit, ones for nobody."""
    ccy = rng.choice(["USD", "EUR", "JPY", "KWD"])
    limit = TARIFFS[ccy]["gross_max"]
    items = []
    for _ in range(rng.randint(1, 40)):
        minor = rng.choice([rng.randint(1, 300), rng.randint(1, limit // 50), rng.randint(1, limit // 50), limit, limit + rng.randint(1, 9)])
        who = rng.choice([*range(payees), None])
        note = rng.choice([None, "Invoice %d" % rng.randint(1, 999), "ڈیزائن"])
        items.append((who, minor, note, rng.choice(["EMAIL", "PHONE", "PAYPAL_ID", "USER_HANDLE"])))
    return ccy, items


def by_rest(side, rest, name, ccy, items):
    sent = []
    for who, minor, note, how in items:
        value = "{:f}".format(D(minor).scaleb(-DIGITS[ccy]))
        number = "987654321" if who is None else side.payees[who].rsplit("/", 1)[1]
        if who is None or how == "PAYPAL_ID" or (how == "PHONE" and who != 0):
            sent.append(item(number, value, ccy, recipient_type="PAYPAL_ID"))
        elif how == "EMAIL":
            sent.append(item(" %s" % EMAILS[who].upper(), value, ccy, recipient_type="EMAIL"))
        elif how == "PHONE":
            sent.append(item("+923001234567", value, ccy, recipient_type="PHONE"))
        else:
            sent.append(item(side.payees[who], value, ccy, recipient_type="USER_HANDLE"))
        if note is not None:
            sent[-1]["note"] = note
    return rest.items(rest.created(batch_of(*sent, sender_batch_id=name)))


def by_grpc(side, name, ccy, items):
    """With the references that docs/paypal.md says the REST API gives."""
    stem = "PP-" + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:26]
    platform = side.platform
    return platform.batch([platform.request(
        side.payees[who] if who is not None else "platforms/%s/beneficiaries/987654321" % platform.code, minor, ccy,
        reference="%s-%d" % (stem, i), remittance_information=note) for i, (who, minor, note, _) in enumerate(items, 1)])


def banks_do_their_part(side, rng):
    """The first bank settles, rejects and sends back what it was told; the other is silent."""
    bank = side.banks[0]
    n = side.world.value("SELECT count(*) FROM payout p JOIN bank USING (bank_id) WHERE code = %s AND NOT EXISTS (SELECT FROM payout_transition t"
                         " WHERE (t.book_id, t.payout_id) = (p.book_id, p.payout_id))", bank.code)
    told = sorted(bank.take(n), key=lambda i: i.instruction_id)
    for i, instruction in enumerate(told):
        if rng.random() < 0.3:
            bank.confirm(bank.rejected(instruction, "AC04"))
            continue
        bank.confirm(bank.settled(instruction, reference="BR-%d" % i))
        if rng.random() < 0.3:
            bank.send_back(instruction, reference="RT-%d" % i)
        elif rng.random() < 0.3 and instruction.amount.minor_units > 1:
            bank.send_back(instruction, reference="RT-%d" % i, amount=instruction.amount.minor_units // 2)
    return n


@pytest.mark.seconds_max(300)
@pytest.mark.parametrize("seed", [1, 2])
def test_grpc_and_rest_leave_the_same_ledger(new_world, monkeypatch, seed):
    rng = random.Random(seed)
    ours, theirs = Side(new_world, monkeypatch), Side(new_world, monkeypatch)
    rest = add_client(theirs.world, theirs.platform)
    assert ours.ledger() == theirs.ledger() and ours.payees == theirs.payees
    outcomes, pairs = [], []

    for n in range(6):
        ccy, items = batch(rng, len(EMAILS))
        name = "batch %d of seed %d" % (n, seed)
        results, got = by_grpc(ours, name, ccy, items), by_rest(theirs, rest, name, ccy, items)
        outcome = ours.world.api.payout.SubmitPayoutResult.Outcome
        for result, one in zip(results, got, strict=True):
            outcomes.append(outcome.Name(result.outcome))
            assert one["transaction_status"] == {"OUTCOME_ACCEPTED": "PENDING", "OUTCOME_REFUSED": "FAILED"}[outcomes[-1]], (result, one)
            if "transaction_id" in one:
                assert result.payout.rsplit("/", 1)[1] == one["transaction_id"]
                pairs.append((result.payout, one["payout_item_id"]))
        assert ours.ledger() == theirs.ledger(), name
    assert {"OUTCOME_ACCEPTED", "OUTCOME_REFUSED"} == set(outcomes), "this seed tries too little"

    for payout, item_id in rng.sample(pairs, len(pairs) // 4):
        ours.platform.cancel(payout)
        assert rest.cancel(item_id).json["transaction_status"] == "RETURNED"
    assert ours.ledger() == theirs.ledger()

    seed_of_banks = rng.random()
    assert banks_do_their_part(ours, random.Random(seed_of_banks)) == banks_do_their_part(theirs, random.Random(seed_of_banks)) > 10
    assert ours.ledger() == theirs.ledger()
    assert ours.trial_balance() == theirs.trial_balance()
    states = set()
    for payout, item_id in pairs:
        state = ours.world.api.payout.Payout.State.Name(ours.platform.get(payout).state)
        states.add(state)
        assert rest.item(item_id).json["transaction_status"] == STATUS[state]
    assert {"ACCEPTED", "SETTLED", "REJECTED", "RETURNED", "PARTLY_RETURNED", "CANCELLED"} <= states

    # The comparison sees a payout of one cent more.
    name = "one cent"
    assert by_grpc(ours, name, "USD", [(1, 5000, None, "EMAIL")])[0].payout
    assert by_rest(theirs, rest, name, "USD", [(1, 5001, None, "EMAIL")])[0]["transaction_status"] == "PENDING"
    differing = {table for table, rows in ours.ledger().items() if rows != theirs.ledger()[table]}
    assert differing == {"payout", "journal", "account_balance"}
