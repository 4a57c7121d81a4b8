"""Money that comes back, through the real gateway: parts, charges, returns taken back, and what every reader then says of it; and
banks that are made good. The log of all of it is checked by ujrat-audit and by the verifier in Python."""
import io
import json
import re
import subprocess

import grpc
import pytest

import log_verifier
from harness import BIN, new_database, operator, run
from log_world import add_key, keys_folder, until_sealed
from world import SECONDS, number

S = grpc.StatusCode


@pytest.fixture(scope="module")
def keys(work):
    return keys_folder(work / "returns-keys")


@pytest.fixture(scope="module")
def world(new_world, keys, cluster):
    database = new_database(cluster)
    return new_world(database, seal_keys=keys, seal_db=database.uri("ujrat_sealer"), seal_interval="20ms")


@pytest.fixture(scope="module")
def states(world):
    return world.api.payout.Payout


def paid(world, platform, bank, n=1, gross=40_000, ccy="USD"):
    """n settled payouts and their instructions."""
    bank.taken = getattr(bank, "taken", 0)
    made = [platform.submit(platform.details(bank), gross + i, ccy) for i in range(n)]
    told = bank.take(bank.taken + n)[bank.taken:]
    bank.taken += n
    assert all(r.outcome == r.OUTCOME_RECORDED for r in bank.confirm(*[bank.settled(i) for i in told]))
    return [(p, next(i for i in told if i.amount == p.pricing.net)) for p in made]


def refused(world, call, *arguments, **options):
    with world.nothing_changes():
        no = world.refused(lambda **_: call(*arguments, **options))
    return no.code, no.reason, *no.fields


def test_parts_come_back_and_the_payout_says_so(world, states):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    (payout, told), = paid(world, platform, bank)
    net = told.amount.minor_units
    first = bank.send_back(told, "AC04", "P-1", amount=net // 3, charge=500)
    assert (first.state, first.returned_amount.minor_units, first.returned_amount.currency_code) == (states.PARTLY_RETURNED, net // 3, "PKR")
    after = platform.get(payout.name)
    assert (after.state, after.reason_code) == (states.PARTLY_RETURNED, "AC04") and after.bank_reference.startswith("BR-")
    assert bank.position() == (net - net // 3 + 500, 0, 0)
    assert 0 < platform.balance() - (1_000_000 - 40_000) <= 40_000 // 3 + 1
    rest = bank.send_back(told, "AC04", "P-2", amount=net - net // 3)
    assert (rest.state, rest.returned_amount.minor_units) == (states.RETURNED, net)
    assert platform.balance() == 1_000_000 and bank.position() == (500, 0, 0)      # the charge is ours
    assert world.auditor.balances(platform) == {"correspondent.USD": 1_000_000, "float.USD": -1_000_000, "charge.PKR": 500,
                                                "nostro.%s.PKR" % bank.code: -500}
    # the first answer, for ever
    assert bank.send_back(told, "AC04", "P-1", amount=net // 3, charge=500) == first
    assert refused(world, bank.send_back, told, "AC04", "P-1", amount=net // 3, charge=501) == (
        S.FAILED_PRECONDITION, "ALREADY_CONFIRMED_DIFFERENTLY", "return_reference")


def test_what_is_left_is_told_to_who_returns_more(world):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    (_, told), = paid(world, platform, bank)
    net = told.amount.minor_units
    bank.send_back(told, amount=net - 123_456)
    with world.nothing_changes():
        no = world.refused(lambda **_: bank.send_back(told, amount=123_457))
    assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "AMOUNT_OVER_LIMIT", ["amount"])
    assert "PKR 1,234.56 is left of the payment" in no.message


def test_a_return_is_taken_back_and_made_again(world, states):
    platform, bank, other = world.platform(USD=1_000_000), world.bank(), world.bank()
    (payout, told), = paid(world, platform, bank)
    net = told.amount.minor_units
    bank.send_back(told, "FOCR", "W")
    taken = bank.take_back(told, "W", reference="T")
    assert (taken.state, taken.returned_amount.minor_units) == (states.SETTLED, 0)
    after = platform.get(payout.name)
    assert (after.state, after.reason_code) == (states.SETTLED, "")
    assert platform.balance() == 1_000_000 - 40_000 and bank.position() == (net, 0, 0)
    again = bank.send_back(told, "FOCR", "W2")
    assert (again.state, again.returned_amount.minor_units) == (states.RETURNED, net)
    assert bank.take_back(told, "W", reference="T") == taken        # as then, though it came back since
    conflict = (S.FAILED_PRECONDITION, "STATE_CONFLICT", "return_reference")
    assert refused(world, bank.take_back, told, "W", reference="T2") == conflict         # not the last that stands
    assert refused(world, bank.take_back, told, "never", reference="T2") == conflict
    differently = (S.FAILED_PRECONDITION, "ALREADY_CONFIRMED_DIFFERENTLY", "reversal_reference")
    assert refused(world, bank.take_back, told, "W2", reference="T") == differently
    assert refused(world, bank.take_back, told, "W2", reference="W") == differently
    assert refused(world, other.take_back, told, "W2", reference="T2") == (S.NOT_FOUND, "INSTRUCTION_NOT_FOUND", "instruction_id")
    for change, reason, field in (("", "FIELD_REQUIRED", "return_reference"), ("x" * 36, "TEXT_TOO_LONG", "return_reference")):
        assert refused(world, bank.take_back, told, change, reference="T2") == (S.INVALID_ARGUMENT, reason, field)
    assert refused(world, bank.take_back, told, "W2", code="ZZ99", reference="T2") == (S.INVALID_ARGUMENT, "REASON_CODE_UNKNOWN", "reason_code")
    assert refused(world, bank.take_back, told, "W2", reference="x" * 36) == (S.INVALID_ARGUMENT, "TEXT_TOO_LONG", "reversal_reference")


def test_a_return_is_not_taken_back_from_a_float_that_is_spent(world, states):
    platform, bank = world.platform(USD=50_000), world.bank()
    (_, told), = paid(world, platform, bank)
    bank.send_back(told, "FOCR", "W")
    platform.submit(platform.details(world.bank()), 30_000)
    assert refused(world, bank.take_back, told, "W", reference="T") == (S.FAILED_PRECONDITION, "INSUFFICIENT_FLOAT")
    platform.deposit(30_000)
    assert bank.take_back(told, "W", reference="T").state == states.SETTLED
    assert platform.balance() == 10_000


@pytest.fixture(scope="module")
def lived(world, keys, work):
    """(platform, bank, payout) of a payment that came back in parts, and back again; its book is sealed."""
    platform, bank = world.platform(USD=5_000_000, JPY=5_000_000), world.bank()
    folder = work / "returns"
    folder.mkdir()
    (folder / "key.pem").write_text(add_key(world, platform, keys))
    (payout, told), (_, whole), (_, yen) = paid(world, platform, bank, 2) + paid(world, platform, bank, ccy="JPY")
    net = told.amount.minor_units
    bank.send_back(told, "AC04", "A", amount=net // 7, charge=11)
    bank.send_back(told, "AC06", "B", amount=net // 5)
    bank.take_back(told, "B", reference="-B")
    bank.send_back(told, "AC04", "C", amount=net - net // 7)
    bank.take_back(told, "C", reference="-C")
    bank.send_back(whole, "FOCR", "D")
    bank.take_back(whole, "D", reference="-D")
    bank.send_back(whole, "FOCR", "E")
    for part in (1, 2, 3, 1_000):
        bank.send_back(yen, amount=part)
    world.gateway.ujrat("bank", "fund", bank.code, "--amount", "1234.56", "--cost", "USD:4.45", "--reference", "F-%s" % bank.code, "--quiet")
    until_sealed(world, platform)
    return platform, bank, payout, folder


NOWHERE = "nowhere"


def say_for_bank(world, login, payout, *words, code=0, shown=None):
    """What `ujrat bank reverse-return` answers this operator, and that it ends with that exit status."""
    who = operator(world.database.uri(), login)
    done = subprocess.run([str(BIN / "ujrat"), "bank", "reverse-return", payout, *map(str, words), *([] if shown == NOWHERE else ["--code-fd", "0"]),
                           "--db", world.database.uri(login)], input=who.code() if shown is None else shown, capture_output=True, text=True,
                          start_new_session=True)
    assert done.returncode == code, done
    return done.stdout + done.stderr


def propose_reversal(world, payout, returned, *, reason="AM05", reference="T", code=0):
    return say_for_bank(world, "ujrat_operator", payout, "--return", returned, "--reason", reason, "--reference", reference, code=code)


def approve_reversal(world, payout, proposal, code=0, login="returns_bilal"):
    return say_for_bank(world, login, payout, "--approve", proposal, code=code)


def number_of(said):
    return re.search("proposal ([0-9]+)", said)[1]


def test_two_operators_take_a_return_back_for_a_bank_that_cannot_say_so(world, states):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    (payout, told), = paid(world, platform, bank)
    net = told.amount.minor_units
    bank.send_back(told, "AC04", "P-1", amount=1_000)
    bank.send_back(told, "AC04", "P-2", amount=net - 1_000)
    assert platform.balance() == 1_000_000
    id = told.instruction_id
    with world.nothing_changes():
        for changes, status, says in ((dict(reason="ZZ99"), 2, "no external return reason"), (dict(reference="x" * 36), 1, "35 plain"),
                                      (dict(reference="\u0627"), 1, "35 plain"), (dict(returned="P-1"), 1, "not the last"),
                                      (dict(payout="UJ9999-1"), 1, "no"), (dict(payout="nobody"), 1, "no payout 'nobody'"),
                                      (dict(reference="P-1"), 1, "was used already"), (dict(reference=""), 2, "--reference is required")):
            assert says in propose_reversal(world, **{**dict(payout=id, returned="P-2", code=status), **changes}), changes
    with world.nothing_changes():
        first = propose_reversal(world, payout.name, "P-2", reference="LETTER 77")
        n = number_of(first)
        assert "a second person must approve it" in first
        assert "it is already proposal " + n in propose_reversal(world, id, "P-2", reference="LETTER 77")
        assert "something else" in propose_reversal(world, id, "P-1", reference="LETTER 77", code=1)
        assert "a second person must" in approve_reversal(world, id, n, code=1, login="ujrat_operator")
        assert "has no proposal 99" in approve_reversal(world, id, 99, code=1)
        listed = json.loads(run(BIN / "ujrat", "bank", "reverse-return", "--json", "--db", world.database.uri("ujrat_auditor")))
        assert [(r["instruction"], r["proposal"], r["return"], r["reference"], r["proposed_by"]) for r in listed if r["instruction"] == id] == [
            (id, int(n), "P-2", "LETTER 77", "ujrat://operator/ujrat-operator")]
        # a login alone is nobody, be it the first or the second
        assert "no terminal" in say_for_bank(world, "returns_bilal", id, "--approve", n, code=2, shown=NOWHERE)
        assert "six digits" in say_for_bank(world, "returns_bilal", id, "--approve", n, code=2, shown="")
        code = operator(world.database.uri(), "returns_bilal").code()
        for refusal in ("has no proposal 98", "SECOND_FACTOR_USED"):
            assert refusal in say_for_bank(world, "returns_bilal", id, "--approve", 98, code=1, shown=code)
    said = approve_reversal(world, id, n)
    assert "return P-2 was taken back" in said and "PARTLY_RETURNED, with PKR 10.00 returned yet" in said
    after = platform.get(payout.name)
    assert after.state == states.PARTLY_RETURNED and bank.position() == (net - 1_000, 0, 0)
    book = int(id[2:].split("-")[0])
    assert world.rows("SELECT DISTINCT p.uri FROM journal j JOIN principal p USING (principal_id) WHERE j.book_id = %s AND j.kind IN (12, 13)"
                      " AND j.payout_id = %s", book, int(id.split("-")[1])) == [("ujrat://operator/returns-bilal",)]
    with world.nothing_changes():       # the same again, by them or by the bank, is known
        assert "it is already proposal " + n in propose_reversal(world, id, "P-2", reference="LETTER 77")
        assert approve_reversal(world, id, n) == said
        assert "was approved" in say_for_bank(world, "ujrat_operator", id, "--refuse", n, code=1)
        assert bank.take_back(told, "P-2", code="AM05", reference="LETTER 77").state == states.PARTLY_RETURNED
    n = number_of(propose_reversal(world, id, "P-1", reference="LETTER 78"))
    with world.nothing_changes():       # whoever proposed may take it back, for good
        assert "is refused" in say_for_bank(world, "ujrat_operator", id, "--refuse", n)
        assert "was refused" in approve_reversal(world, id, n, code=1)
    n = number_of(propose_reversal(world, id, "P-1", reference="LETTER 78"))
    assert "SETTLED" in approve_reversal(world, id, n)
    assert platform.balance() == 1_000_000 - 40_000 and bank.position() == (net, 0, 0)
    # while the float does not cover it, nothing is done
    bank.send_back(told, "AC04", "P-3")
    paid(world, platform, bank, gross=980_000)
    n = number_of(propose_reversal(world, id, "P-3", reference="LETTER 79"))
    with world.nothing_changes():
        assert "INSUFFICIENT_FLOAT" in approve_reversal(world, id, n, code=1)


def test_the_trail_has_both_journals_of_each(world, states, lived):
    platform, _, payout, _ = lived
    trail = world.auditor.trail(payout.name)
    assert trail.payout.state == states.PARTLY_RETURNED
    part, back = ["SETTLEMENT_PARTLY_REVERSED", "PAYOUT_PARTLY_RETURNED"], ["RETURN_REVERSED", "SETTLEMENT_RESTORED"]
    assert [e.journal.kind for e in trail.events] == ["PAYOUT_ACCEPTED", "PAYOUTS_INSTRUCTED", "PAYOUT_SETTLED", *part, *part, *back, *part, *back]
    p, r = states.PARTLY_RETURNED, states.RETURNED
    assert [e.state for e in trail.events[3:]] == [p, p, p, p, p, p, r, r, p, p]
    said = json.loads(run(BIN / "ujrat-audit", "trail", payout.name, "--json", "--key", lived[3] / "key.pem", "--db",
                          world.database.uri("ujrat_auditor")))
    assert said["state"] == "PARTLY_RETURNED" and said["all_holds"] and len(said["events"]) == 13


def test_its_receipt_is_true_and_a_changed_one_is_not(world, lived, work):
    platform, _, payout, folder = lived
    text = platform.audit.GetReceipt(world.api.audit.GetReceiptRequest(payout=payout.name), timeout=SECONDS).receipt
    receipt = json.loads(text)
    assert receipt["payout"]["state"] == "PARTLY_RETURNED" and len(receipt["journals"]) == 13 and len(receipt["events"]) == 8

    def verify(changed):
        done = subprocess.run([BIN / "ujrat-audit", "receipt-verify", "-", "--key", folder / "key.pem", "--json"], input=json.dumps(changed).encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return json.loads(done.stdout)

    assert verify(receipt)["true"], verify(receipt)
    short = json.loads(text)
    del short["journals"][7:9], short["events"][5:6]      # as if the return that was taken back still stood
    assert not verify(short)["true"]
    half = json.loads(text)
    del half["journals"][12:]
    assert any("not its second" in f["problem"] for f in verify(half)["findings"])
    pdf = folder / "receipt.pdf"
    (folder / "receipt.json").write_text(json.dumps(receipt))
    run(BIN / "ujrat", "receipt", "--from", folder / "receipt.json", "--pdf", pdf)
    assert "Partly returned" in subprocess.run(["pdftotext", "-layout", pdf, "-"], stdout=subprocess.PIPE, check=True).stdout.decode()


def test_the_log_of_it_is_good_in_every_checkers_eyes(world, lived):
    platform, _, _, folder = lived
    uri = world.database.uri("ujrat_auditor")
    of = ["--book", platform.code]
    said = json.loads(run(BIN / "ujrat-audit", "verify", *of, "--key", folder / "key.pem", "--db", uri, "--json"))
    assert said["good"], said
    run(BIN / "ujrat-audit", "export", *of, "--format", "log", "--out", folder / "book.log", "--db", uri)
    book, = log_verifier.verify(io.BytesIO((folder / "book.log").read_bytes()))
    assert json.loads(run(BIN / "ujrat-audit", "verify", folder / "book.log", "--json"))["good"]
    # and goes on from where it was
    state = ["--checkpoint", folder / "checkpoint", "--key", folder / "key.pem", "--db", uri, "--json"]
    assert json.loads(run(BIN / "ujrat-audit", "verify", *of, *state))["good"]
    assert json.loads(run(BIN / "ujrat-audit", "verify", *of, *state))["good"]


def test_a_checkpoint_in_the_middle_of_a_payments_returns_is_gone_on_from(world, keys, work):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    folder = work / "returns-checkpoint"
    folder.mkdir()
    (folder / "key.pem").write_text(add_key(world, platform, keys))
    (_, told), = paid(world, platform, bank)

    def verify():
        until_sealed(world, platform)
        assert json.loads(run(BIN / "ujrat-audit", "verify", "--book", platform.code, "--checkpoint", folder / "at", "--key", folder / "key.pem", "--db",
                              world.database.uri("ujrat_auditor"), "--json"))["good"]

    bank.send_back(told, reference="A", amount=100)
    verify()
    bank.send_back(told, reference="B", amount=200)
    verify()
    bank.take_back(told, "B")
    verify()
    bank.take_back(told, "A")
    bank.send_back(told, reference="C")
    verify()


# ---------------------------------------------------------------- funding
def owed(world, bank):
    return dict(world.rows("SELECT book_code, -balance FROM account_now WHERE code = %s AND balance <> 0", "nostro.%s.PKR" % bank.code))


def fund(world, bank, amount, cost, reference, code=0):
    done = subprocess.run([BIN / "ujrat", "bank", "fund", bank.code, "--amount", amount, "--cost", cost, "--reference", reference, "--db",
                           world.database.uri("ujrat_operator")], capture_output=True, text=True)
    assert done.returncode == code, done
    return done.stdout + done.stderr


def test_a_bank_is_made_good_by_the_books_that_owe_it(world):
    bank, a, b, euros, idle = (world.bank(), world.platform(USD=1_000_000), world.platform(USD=1_000_000), world.platform(EUR=1_000_000),
                               world.platform(USD=1_000_000))
    paid(world, a, bank, 3), paid(world, b, bank)
    paid(world, euros, bank, gross=9_000, ccy="EUR")
    before = owed(world, bank)
    assert set(before) == {a.code, b.code, euros.code}
    due = before[a.code] + before[b.code]
    said = fund(world, bank, "%d.%02d" % divmod(due, 100), "USD:1200.00", "REF-%s" % bank.code)
    assert a.code in said and b.code in said and euros.code not in said and idle.code not in said
    assert owed(world, bank) == {euros.code: before[euros.code]}        # dollars are no use to a float in euros
    assert a.balance() == 1_000_000 - 3 * 40_000 - 3 and bank.position()[0] == before[euros.code]
    costs = world.rows("SELECT src_amount FROM nostro_funding WHERE reference = %s", "REF-%s" % bank.code)
    assert sum(c for c, in costs) == 120_000
    assert fund(world, bank, "%d.%02d" % divmod(due, 100), "USD:1200.00", "REF-%s" % bank.code).count("was there already") == 2
    assert "was used for another funding" in fund(world, bank, "1.00", "USD:1200.00", "REF-%s" % bank.code, 1)
    assert owed(world, bank) == {euros.code: before[euros.code]}


def test_a_funding_that_was_cut_off_goes_on_as_it_was_planned(world):
    bank, a, b = world.bank(), world.platform(USD=1_000_000), world.platform(USD=1_000_000)
    paid(world, a, bank, 2), paid(world, b, bank)
    before, reference = owed(world, bank), "CUT-%d" % number()
    books = {c: i for c, i in world.rows("SELECT code, book_id FROM book")}
    with world.database.connect() as c:     # planned, and the first book funded, when the program died
        c.execute("SET search_path = ujrat")
        c.execute("SELECT plan_funding(%s, (SELECT bank_id FROM bank WHERE code = %s), 'PKR', 1000, 'USD', 30, 'x', %s, '{600,400}'::int8[], '{20,10}'::int8[])",
                  (reference, bank.code, [books[a.code], books[b.code]]))
        c.execute("SELECT fund_nostro(%s, 1, (SELECT bank_id FROM bank WHERE code = %s), 'PKR', 600, 'USD', 20, %s)",
                  (books[a.code], bank.code, reference))
        c.commit()
    paid(world, b, bank, 3)     # by now it would be split otherwise
    said = fund(world, bank, "10.00", "USD:0.30", reference)
    assert said.count("was there already") == 1
    assert [r for r in world.rows("SELECT book_id, amount, src_amount FROM nostro_funding WHERE reference = %s ORDER BY 1", reference)] == [
        (books[a.code], 600, 20), (books[b.code], 400, 10)]
    assert owed(world, bank)[a.code] == before[a.code] - 600


def test_before_anything_is_owed_it_goes_to_the_books_that_will_owe(world):
    bank, a, b = world.bank(), world.platform(USD=1_000_000), world.platform(USD=1_000_000)
    a.submit(a.details(bank), 30_000)
    b.submit(b.details(bank), 10_000)
    fund(world, bank, "1000.00", "USD:4.00", "PRE-%s" % bank.code)
    have = {code: -minor for code, minor in owed(world, bank).items()}
    assert set(have) == {a.code, b.code} and sum(have.values()) == 100_000 and 74_000 < have[a.code] < 76_500
    nobody = world.bank()
    fund(world, nobody, "1000.00", "USD:400.00", "EVEN-%s" % nobody.code)
    have = owed(world, nobody).values()
    assert sum(have) == -100_000 and max(have) - min(have) <= 1


@pytest.mark.parametrize("amount,cost,reference,status,says", [
    ("0", "USD:1", "r", 2, "more than zero"), ("1", "USD:0", "r", 2, "more than zero"), ("1", "USD", "r", 2, "CCY:AMOUNT"),
    ("1", "ABC:1", "r", 2, "CURRENCY_UNKNOWN"), ("1.234", "USD:1", "r", 2, "AMOUNT_INVALID"), ("1", "USD:1", "r" * 36, 2, "35 characters"),
    ("1", "PKR:2", "r", 2, "must be the amount itself"), ("1", "KWD:1", "r", 1, "a float in KWD"),
])
def test_a_funding_that_cannot_be_is_refused(world, amount, cost, reference, status, says):
    assert says in fund(world, world.bank(), amount, cost, reference, status)
