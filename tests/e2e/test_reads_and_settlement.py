"""Reading payouts, watching them, settling them, auditing them: stock clients against the real daemon."""
import threading
import time

import grpc
import pytest

from harness import new_database, reason, wait_until

ACCEPTED, INSTRUCTED, SETTLED, REJECTED, RETURNED, CANCELLED = 1, 3, 4, 5, 6, 7
RECORDED, DUPLICATE, REFUSED, UNKNOWN = 1, 2, 3, 4
IBANS = {"SCBL": "PK36SCBL0000001123456702", "MUCB": "PK24MUCB0646609971000177"}


class World:
    """A gateway with two platforms, two banks, rates, floats."""

    def __init__(self, gateway):
        self.g, self.api = gateway, gateway.api
        u = gateway.ujrat
        for platform in ("upwork", "fiverr"):
            u("platform", "add", platform, "--name", platform.title() + " Inc.", "--currency", "USD", "--margin-bps", "150", "--fee-fixed", "0.50")
        for bank in IBANS:
            u("bank", "connect", bank)
        u("principal", "add", "ujrat://auditor/demo")
        with gateway.database.connect() as db:   # a sheet of now, whatever the day
            db.execute("SET search_path = ujrat")
            db.execute("SELECT import_rates('TEST', current_date, clock_timestamp(), 'f', sha256('x'), 't', NULL, '{840,586}', '{2779612000000,10000000000}')")
            db.commit()
        for platform in ("upwork", "fiverr"):
            u("float", "deposit", platform, "1000000", "USD", "--reference", "first")
        self.count = 0
        wait_until(lambda: self.try_submit(), 15, "the gateway to know all this", every=0.2)

    def stub(self, service, principal):
        area = {"PayoutService": "payout", "BeneficiaryService": "payout", "SettlementService": "settlement", "AuditService": "audit"}[service]
        return self.g.stub(area, service, principal)

    def try_submit(self):
        try:
            return self.submit()
        except grpc.RpcError:
            return None

    def submit(self, platform="upwork", bank="MUCB", cents=10000, reference=None):
        self.count += 1
        p = self.api.payout
        return self.stub_of(platform).SubmitPayout(p.SubmitPayoutRequest(
            reference=reference or "r-%d" % self.count, gross=self.api.money.Money(currency_code="USD", minor_units=cents),
            remittance_information="thanks",
            beneficiary_details=p.BeneficiaryDetails(display_name="Ayesha Khan", iban=IBANS[bank], cnic="3520112345671", channel=1)),
            timeout=10)

    def stub_of(self, platform):
        self.stubs = getattr(self, "stubs", {})
        if platform not in self.stubs:
            self.stubs[platform] = self.stub("PayoutService", platform)
        return self.stubs[platform]

    def settlement(self, bank):
        self.banks = getattr(self, "banks", {})
        if bank not in self.banks:
            self.banks[bank] = self.stub("SettlementService", bank)
        return self.banks[bank]

    def auditor(self):
        if not hasattr(self, "audit"):
            self.audit = self.stub("AuditService", "auditor")
        return self.audit

    def get(self, name, platform="upwork"):
        return self.stub_of(platform).GetPayout(self.api.payout.GetPayoutRequest(name=name), timeout=10)

    def instructions(self, bank, n, token="", seconds=10):
        """At least n instructions after a token; the stream is then cancelled."""
        call = self.settlement(bank).WatchInstructions(self.api.settlement.WatchInstructionsRequest(resume_token=token), timeout=seconds)
        got = []
        try:
            for message in call:
                got += message.instructions
                if len(got) >= n:
                    break
        except grpc.RpcError as e:
            assert e.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        call.cancel()
        return got

    def drained(self, bank, token=""):
        """All there is for a bank now, by waiting until nothing comes for a while."""
        return self.instructions(bank, 10**9, token, seconds=1.5)

    def confirmation(self, instruction, status=1, **other):
        c = self.api.settlement.Confirmation(instruction_id=instruction.instruction_id, status=status, amount=instruction.amount)
        if status == 1:
            c.bank_reference = "B" + instruction.instruction_id
        else:
            c.reason_code = "AC04"
        for key, value in other.items():
            if hasattr(value, "DESCRIPTOR"):
                getattr(c, key).CopyFrom(value)
            else:
                setattr(c, key, value)
        return c

    def confirm(self, bank, *items):
        return self.settlement(bank).ConfirmInstructions(
            self.api.settlement.ConfirmInstructionsRequest(confirmations=items), timeout=10).results

    def balance(self, name, as_of=None):
        lines = self.auditor().GetTrialBalance(self.api.audit.GetTrialBalanceRequest(as_of=as_of), timeout=10).lines
        return sum(l.debit_minor_units - l.credit_minor_units for l in lines if l.account == name)


@pytest.fixture(scope="module")
def world(cluster, new_gateway):
    gateway = new_gateway(new_database(cluster), workers=2, watch_poll="20ms", registry_refresh="200ms")
    yield World(gateway)
    gateway.stop()


def refused(api, code, why, call, *args):
    with pytest.raises(grpc.RpcError) as e:
        result = call(*args, timeout=10)
        if hasattr(result, "__next__"):
            next(result)
    assert (e.value.code(), reason(e.value, api)) == (getattr(grpc.StatusCode, code), why)


# ---------------------------------------------------------------- payouts
def test_a_payout_is_got_by_name_and_by_reference(world):
    made = world.submit(reference="by-name", cents=12345)
    got = world.get(made.name)
    assert got.reference == "by-name" and got.state == ACCEPTED and got.bank_code == "MUCB"
    assert got.pricing.gross.minor_units == 12345 and got.pricing.fee.minor_units == 50
    assert got.pricing.mid_rate == "277.9612" and got.pricing.rate_source == "TEST" and got.pricing.margin_basis_points == 150
    mid = round(12295 * 2779612 / 10000)
    assert got.pricing.net.minor_units == mid - mid * 150 // 10000 and got.pricing.net.currency_code == "PKR"
    assert got.remittance_information == "thanks" and got.create_time == got.update_time
    assert got.beneficiary.startswith("platforms/upwork/beneficiaries/") and not got.HasField("tax_withheld")
    same = world.stub_of("upwork").GetPayoutByReference(world.api.payout.GetPayoutByReferenceRequest(reference="by-name"), timeout=10)
    assert same == got


@pytest.mark.parametrize("name, code, why", [
    ("", "INVALID_ARGUMENT", "FIELD_REQUIRED"),
    ("platforms/upwork/payouts/", "INVALID_ARGUMENT", "FIELD_INVALID"),
    ("platforms/upwork/payouts/007", "INVALID_ARGUMENT", "FIELD_INVALID"),
    ("platforms/upwork/payouts/1x", "INVALID_ARGUMENT", "FIELD_INVALID"),
    ("platforms/upwork/quotes/1", "INVALID_ARGUMENT", "FIELD_INVALID"),
    ("platforms/upwork/payouts/99999999", "NOT_FOUND", "PAYOUT_NOT_FOUND"),
    ("platforms/fiverr/payouts/1", "PERMISSION_DENIED", "RESOURCE_FORBIDDEN"),
    ("platforms/nobody/payouts/1", "PERMISSION_DENIED", "RESOURCE_FORBIDDEN"),
])
def test_names_that_name_nothing_are_refused(world, name, code, why):
    p = world.api.payout
    refused(world.api, code, why, world.stub_of("upwork").GetPayout, p.GetPayoutRequest(name=name))
    refused(world.api, code, why, world.stub_of("upwork").CancelPayout, p.CancelPayoutRequest(name=name))


def test_pages_of_a_list_have_every_payout_once(world):
    for _ in range(7):
        world.submit("fiverr")
    p, seen, token = world.api.payout, [], ""
    while True:
        page = world.stub_of("fiverr").ListPayouts(p.ListPayoutsRequest(page_size=3, page_token=token), timeout=10)
        assert 0 < len(page.payouts) <= 3
        seen += [x.name for x in page.payouts]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) >= 7 and len(set(seen)) == len(seen)
    assert seen == sorted(seen, key=lambda n: int(n.rsplit("/", 1)[1])) and all(n.startswith("platforms/fiverr/") for n in seen)
    assert [x.name for x in world.stub_of("fiverr").ListPayouts(p.ListPayoutsRequest(), timeout=10).payouts] == seen


def test_page_sizes_and_tokens_that_are_not_ours_are_refused(world):
    p, upwork, fiverr = world.api.payout, world.stub_of("upwork"), world.stub_of("fiverr")
    for size in (-1, 1001):
        refused(world.api, "INVALID_ARGUMENT", "PAGE_SIZE_INVALID", upwork.ListPayouts, p.ListPayoutsRequest(page_size=size))
    world.submit(), world.submit()
    token = upwork.ListPayouts(p.ListPayoutsRequest(page_size=1), timeout=10).next_page_token
    broken = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
    for bad in ("x", broken, token + "AA", token[:-1], "é"):
        refused(world.api, "INVALID_ARGUMENT", "PAGE_TOKEN_INVALID", upwork.ListPayouts, p.ListPayoutsRequest(page_token=bad))
    refused(world.api, "INVALID_ARGUMENT", "PAGE_TOKEN_INVALID", fiverr.ListPayouts, p.ListPayoutsRequest(page_token=token))
    refused(world.api, "INVALID_ARGUMENT", "RESUME_TOKEN_INVALID", upwork.WatchPayouts, p.WatchPayoutsRequest(resume_token=token))


def test_cancelling_gives_the_float_back_once(world):
    p, upwork = world.api.payout, world.stub_of("upwork")
    before = world.balance("books/upwork/accounts/float.USD")
    made = world.submit(bank="SCBL")
    for _ in range(2):
        got = upwork.CancelPayout(p.CancelPayoutRequest(name=made.name), timeout=10)
        assert got.state == CANCELLED and got.name == made.name and got.update_time.ToNanoseconds() > got.create_time.ToNanoseconds()
    assert world.balance("books/upwork/accounts/float.USD") == before


# ---------------------------------------------------------------- banks
def test_a_bank_is_told_and_what_it_says_moves_the_payout(world):
    s = world.api.settlement
    paid, bad = world.submit(bank="SCBL", cents=20000), world.submit("fiverr", bank="SCBL", cents=30000)
    other = world.submit(bank="MUCB")
    got = world.instructions("SCBL", 2)
    by_gross = {i.original_amount.minor_units: i for i in got}
    first, second = by_gross[20000], by_gross[30000]
    assert first.amount == paid.pricing.net and first.creditor_iban == IBANS["SCBL"] and first.creditor_name == "Ayesha Khan"
    assert first.creditor_cnic == "3520112345671" and first.channel == 1 and first.purpose_code == "9186"
    assert first.originator_name == "Upwork Inc." and second.originator_name == "Fiverr Inc." and first.remittance_information == "thanks"
    assert len(first.instruction_id) <= 35 and world.get(paid.name).state == INSTRUCTED

    # another bank neither sees nor moves it
    theirs = world.instructions("MUCB", 1)
    assert first.instruction_id not in {i.instruction_id for i in theirs}
    (no,) = world.confirm("MUCB", world.confirmation(first))
    assert (no.outcome, no.reason, no.field) == (REFUSED, "INSTRUCTION_NOT_FOUND", "confirmations[0].instruction_id")
    refused(world.api, "FAILED_PRECONDITION", "STATE_CONFLICT", world.stub_of("upwork").CancelPayout,
            world.api.payout.CancelPayoutRequest(name=paid.name))

    tax = world.api.money.Money(currency_code="PKR", minor_units=100)
    said = [world.confirmation(first, tax_withheld=tax, eprc_number="PRC-1"), world.confirmation(second, status=2)]
    assert [r.outcome for r in world.confirm("SCBL", *said)] == [RECORDED, RECORDED]      # two books, one call
    assert [r.outcome for r in world.confirm("SCBL", *said)] == [DUPLICATE, DUPLICATE]
    (no,) = world.confirm("SCBL", world.confirmation(first, status=2))
    assert (no.outcome, no.reason) == (REFUSED, "ALREADY_CONFIRMED_DIFFERENTLY")
    settled, rejected = world.get(paid.name), world.get(bad.name, "fiverr")
    assert settled.state == SETTLED and settled.bank_reference == "B" + first.instruction_id
    assert settled.tax_withheld == tax and settled.eprc_number == "PRC-1"
    assert rejected.state == REJECTED and rejected.reason_code == "AC04"

    back = s.ReturnPaymentRequest(instruction_id=first.instruction_id, amount=first.amount, reason_code="AC04", return_reference="R1")
    times = {world.settlement("SCBL").ReturnPayment(back, timeout=10).return_time.ToNanoseconds() for _ in range(2)}
    assert len(times) == 1 and world.get(paid.name).state == RETURNED and world.get(paid.name).bank_reference == settled.bank_reference
    back.reason_code = "AC06"
    refused(world.api, "FAILED_PRECONDITION", "ALREADY_CONFIRMED_DIFFERENTLY", world.settlement("SCBL").ReturnPayment, back)
    back.return_reference = "R2"
    refused(world.api, "INVALID_ARGUMENT", "AMOUNT_OVER_LIMIT", world.settlement("SCBL").ReturnPayment, back)
    back.instruction_id = second.instruction_id
    back.amount.CopyFrom(second.amount)
    refused(world.api, "FAILED_PRECONDITION", "STATE_CONFLICT", world.settlement("SCBL").ReturnPayment, back)


def test_a_confirmation_with_a_fault_is_refused_alone_and_named(world):
    world.submit(bank="SCBL", cents=55500)
    (i,) = [i for i in world.drained("SCBL") if i.original_amount.minor_units == 55500]
    m = world.api.money.Money
    pkr = lambda n: m(currency_code="PKR", minor_units=n)
    cases = [
        (dict(instruction_id=""), "FIELD_REQUIRED", "instruction_id"),
        (dict(instruction_id="UJ1-"), "INSTRUCTION_NOT_FOUND", "instruction_id"),
        (dict(instruction_id="UJ01-1"), "INSTRUCTION_NOT_FOUND", "instruction_id"),
        (dict(instruction_id="UJ77-1"), "INSTRUCTION_NOT_FOUND", "instruction_id"),
        (dict(instruction_id="UJ1-999999999"), "INSTRUCTION_NOT_FOUND", "instruction_id"),
        (dict(amount=pkr(i.amount.minor_units + 1)), "FIELD_INVALID", "amount"),
        (dict(amount=pkr(0)), "AMOUNT_ZERO", "amount"),
        (dict(amount=pkr(-5)), "AMOUNT_NEGATIVE", "amount"),
        (dict(amount=m(currency_code="USD", minor_units=i.amount.minor_units)), "CURRENCY_MISMATCH", "amount"),
        (dict(amount=m(currency_code="XXX", minor_units=1)), "CURRENCY_UNKNOWN", "amount"),
        (dict(status=0), "FIELD_REQUIRED", "status"),
        (dict(status=9), "FIELD_INVALID", "status"),
        (dict(bank_reference=""), "FIELD_REQUIRED", "bank_reference"),
        (dict(bank_reference="x" * 36), "TEXT_TOO_LONG", "bank_reference"),
        (dict(bank_reference="a\0b"), "TEXT_HAS_NUL", "bank_reference"),
        (dict(tax_withheld=pkr(-1)), "AMOUNT_NEGATIVE", "tax_withheld"),
        (dict(tax_withheld=m(currency_code="USD", minor_units=1)), "CURRENCY_MISMATCH", "tax_withheld"),
        (dict(tax_withheld=pkr(i.amount.minor_units + 1)), "AMOUNT_OVER_LIMIT", "tax_withheld"),
        (dict(eprc_number="e" * 36), "TEXT_TOO_LONG", "eprc_number"),
        (dict(reason_code="AC04"), "FIELD_CONFLICT", "reason_code"),
        (dict(status=2, reason_code=""), "FIELD_REQUIRED", "reason_code"),
        (dict(status=2, reason_code="ZZ99"), "REASON_CODE_UNKNOWN", "reason_code"),
        (dict(status=2, tax_withheld=pkr(1)), "FIELD_CONFLICT", "tax_withheld"),
    ]
    items = []
    for change, _, _ in cases:
        status = change.pop("status", 1)
        c = world.confirmation(i, status=status if status == 2 else 1)
        c.status = status
        for key, value in change.items():
            getattr(c, key).CopyFrom(value) if hasattr(value, "DESCRIPTOR") else setattr(c, key, value)
        items.append(c)
    results = world.confirm("SCBL", *items, world.confirmation(i))
    assert [(r.outcome, r.reason, r.field) for r in results[:-1]] == [
        (REFUSED, why, "confirmations[%d].%s" % (n, field)) for n, (_, why, field) in enumerate(cases)]
    assert all(r.message for r in results[:-1]) and results[-1].outcome == RECORDED


def test_batches_of_none_and_of_too_many_are_refused(world):
    s = world.api.settlement
    call = world.settlement("SCBL").ConfirmInstructions
    refused(world.api, "INVALID_ARGUMENT", "BATCH_EMPTY", call, s.ConfirmInstructionsRequest())
    refused(world.api, "INVALID_ARGUMENT", "BATCH_TOO_LARGE", call,
            s.ConfirmInstructionsRequest(confirmations=[s.Confirmation(instruction_id="x")] * 1001))


def test_instructions_resume_after_any_of_them(world):
    for n in range(6):
        world.submit(("upwork", "fiverr")[n % 2], bank="SCBL")
    all_ = world.drained("SCBL")
    assert len({i.instruction_id for i in all_}) == len(all_)
    for at in range(len(all_)):
        rest = world.instructions("SCBL", len(all_) - at - 1, all_[at].resume_token, seconds=5) if at + 1 < len(all_) else []
        assert {i.instruction_id for i in rest} == {i.instruction_id for i in all_[at + 1:]}
    new = world.submit(bank="SCBL")
    (i,) = world.instructions("SCBL", 1, all_[-1].resume_token)
    assert i.amount == new.pricing.net
    for bad in ("x", all_[0].resume_token[:-2], all_[0].resume_token + "A"):
        refused(world.api, "INVALID_ARGUMENT", "RESUME_TOKEN_INVALID", world.settlement("SCBL").WatchInstructions,
                world.api.settlement.WatchInstructionsRequest(resume_token=bad))
    refused(world.api, "INVALID_ARGUMENT", "RESUME_TOKEN_INVALID", world.settlement("MUCB").WatchInstructions,
            world.api.settlement.WatchInstructionsRequest(resume_token=all_[0].resume_token))


def test_a_cancelled_payout_is_never_told(world):
    made = world.submit(bank="MUCB", cents=77700)
    world.stub_of("upwork").CancelPayout(world.api.payout.CancelPayoutRequest(name=made.name), timeout=10)
    world.submit(bank="MUCB", cents=88800)
    told = {i.original_amount.minor_units for i in world.drained("MUCB")}
    assert 88800 in told and 77700 not in told


def test_position_is_what_was_confirmed_and_what_is_open(world):
    def position():
        p = {x.currency_code: x for x in world.settlement("MUCB").GetPosition(world.api.settlement.GetPositionRequest(), timeout=10).positions}
        return p["PKR"].owed_minor_units, p["PKR"].pending_minor_units, p["PKR"].pending_count

    owed, pending, count = position()
    a, b = world.submit(bank="MUCB", cents=40000), world.submit("fiverr", bank="MUCB", cents=50000)
    net = lambda p: p.pricing.net.minor_units
    assert position() == (owed, pending + net(a) + net(b), count + 2)
    told = {i.original_amount.minor_units: i for i in world.drained("MUCB")}
    world.confirm("MUCB", world.confirmation(told[40000]), world.confirmation(told[50000], status=2))
    assert position() == (owed + net(a), pending, count)
    world.settlement("MUCB").ReturnPayment(world.api.settlement.ReturnPaymentRequest(
        instruction_id=told[40000].instruction_id, amount=told[40000].amount, reason_code="FOCR", return_reference="R"), timeout=10)
    assert position() == (owed, pending, count)


# ---------------------------------------------------------------- watching
def test_a_platform_sees_every_change_of_its_payouts_in_order_and_resumes_anywhere(world):
    p = world.api.payout
    events, stream = [], world.stub_of("upwork").WatchPayouts(p.WatchPayoutsRequest(), timeout=60)

    def follow():
        try:
            for message in stream:
                events.extend(message.events)
        except grpc.RpcError:
            pass

    reader = threading.Thread(target=follow)
    reader.start()
    made = world.submit(bank="MUCB", cents=61000)
    told = {i.original_amount.minor_units: i for i in world.drained("MUCB")}
    world.confirm("MUCB", world.confirmation(told[61000]))
    world.settlement("MUCB").ReturnPayment(world.api.settlement.ReturnPaymentRequest(
        instruction_id=told[61000].instruction_id, amount=told[61000].amount, reason_code="AC04", return_reference="R"), timeout=10)
    mine = lambda: [e for e in events if e.payout == made.name]
    wait_until(lambda: len(mine()) == 4, 10, "the payout's four events")
    stream.cancel()
    reader.join()
    assert [e.state for e in mine()] == [ACCEPTED, INSTRUCTED, SETTLED, RETURNED]
    assert mine()[2].bank_reference == "B" + told[61000].instruction_id and mine()[3].reason_code == "AC04"
    assert all(e.payout.startswith("platforms/upwork/") for e in events)
    assert [e.event_time.ToNanoseconds() for e in events] == sorted(e.event_time.ToNanoseconds() for e in events)
    for at in (0, len(events) // 2, len(events) - 2):
        again = []
        resumed = world.stub_of("upwork").WatchPayouts(p.WatchPayoutsRequest(resume_token=events[at].resume_token), timeout=10)
        for message in resumed:
            again += message.events
            if len(again) >= len(events) - at - 1:
                break
        resumed.cancel()
        assert [(e.payout, e.state) for e in again[:len(events) - at - 1]] == [(e.payout, e.state) for e in events[at + 1:]]


# ---------------------------------------------------------------- audit
def test_trial_balance_sums_to_nil_and_stays_so_for_a_past_moment(world):
    a = world.api.audit
    then = world.auditor().GetTrialBalance(a.GetTrialBalanceRequest(), timeout=10)
    assert then.lines and {t.currency_code for t in then.totals} >= {"USD", "PKR"}
    assert all(t.debit_minor_units == t.credit_minor_units for t in then.totals)
    world.submit()
    again = world.auditor().GetTrialBalance(a.GetTrialBalanceRequest(as_of=then.as_of), timeout=10)
    assert again == then and world.auditor().GetTrialBalance(a.GetTrialBalanceRequest(), timeout=10) != then
    one = world.auditor().GetTrialBalance(a.GetTrialBalanceRequest(book="books/fiverr"), timeout=10)
    assert {l.book for l in one.lines} == {"books/fiverr"}
    future = world.api.audit.GetTrialBalanceRequest()
    future.as_of.FromSeconds(int(time.time()) + 60)
    refused(world.api, "INVALID_ARGUMENT", "TIME_RANGE_INVALID", world.auditor().GetTrialBalance, future)
    refused(world.api, "NOT_FOUND", "BOOK_NOT_FOUND", world.auditor().GetTrialBalance, a.GetTrialBalanceRequest(book="books/nobody"))
    refused(world.api, "INVALID_ARGUMENT", "FIELD_INVALID", world.auditor().GetTrialBalance, a.GetTrialBalanceRequest(book="upwork"))


def test_journals_and_statements_agree_with_the_trial_balance(world):
    a, auditor = world.api.audit, world.auditor()
    journals, token = [], ""
    while True:
        page = auditor.ListJournals(a.ListJournalsRequest(book="books/upwork", page_size=10, page_token=token), timeout=10)
        journals += page.journals
        token = page.next_page_token
        if not token:
            break
    assert [j.name for j in journals] == ["books/upwork/journals/%d" % (n + 1) for n in range(len(journals))]
    account, running = "books/upwork/accounts/float.USD", 0
    lines = [(j.name, p.minor_units) for j in journals for p in j.postings if p.account == account]
    seen, token = [], ""
    while True:
        page = auditor.GetAccountStatement(a.GetAccountStatementRequest(account=account, page_size=7, page_token=token), timeout=10)
        assert page.opening_minor_units == running and page.currency_code == "USD"
        for line in page.lines:
            running += line.minor_units
            assert line.balance_minor_units == running
            seen.append((line.journal, line.minor_units))
        assert page.closing_minor_units == running
        token = page.next_page_token
        if not token:
            break
    assert seen == lines and running == world.balance(account)
    refused(world.api, "NOT_FOUND", "ACCOUNT_NOT_FOUND", auditor.GetAccountStatement,
            a.GetAccountStatementRequest(account="books/upwork/accounts/float.EUR"))
    span = a.ListJournalsRequest(book="books/upwork", from_time=journals[2].commit_time, until_time=journals[5].commit_time)
    inside = [j.name for j in journals if journals[2].commit_time.ToNanoseconds() <= j.commit_time.ToNanoseconds() < journals[5].commit_time.ToNanoseconds()]
    assert [j.name for j in auditor.ListJournals(span, timeout=10).journals] == inside
    span.until_time.FromSeconds(5)
    refused(world.api, "INVALID_ARGUMENT", "TIME_RANGE_INVALID", auditor.ListJournals, span)


def test_the_trail_of_a_payout_has_who_when_and_what(world):
    made = world.submit(bank="MUCB", cents=99100)
    told = {i.original_amount.minor_units: i for i in world.drained("MUCB")}
    i = told[99100]
    world.confirm("MUCB", world.confirmation(i, eprc_number="PRC-9"))
    world.settlement("MUCB").ReturnPayment(world.api.settlement.ReturnPaymentRequest(
        instruction_id=i.instruction_id, amount=i.amount, reason_code="AC04", return_reference="R9"), timeout=10)
    trail = world.auditor().GetPayoutTrail(world.api.audit.GetPayoutTrailRequest(payout=made.name), timeout=10)
    assert trail.payout == world.get(made.name)
    assert [(e.state, e.journal.kind, e.actor) for e in trail.events] == [
        (ACCEPTED, "PAYOUT_ACCEPTED", "ujrat://platform/upwork"), (INSTRUCTED, "PAYOUTS_INSTRUCTED", "ujrat://bank/MUCB"),
        (SETTLED, "PAYOUT_SETTLED", "ujrat://bank/MUCB"), (RETURNED, "SETTLEMENT_REVERSED", "ujrat://bank/MUCB"),
        (RETURNED, "PAYOUT_RETURNED", "ujrat://bank/MUCB")]
    assert "PRC-9" in trail.events[2].detail and "AC04 R9" in trail.events[4].detail
    total = {}
    for e in trail.events:
        for p in e.journal.postings:
            total[p.account] = total.get(p.account, 0) + p.minor_units
    assert total and not any(total.values())      # everything was undone
    assert trail.events[3].journal.reverses == trail.events[2].journal.name
    refused(world.api, "NOT_FOUND", "PAYOUT_NOT_FOUND", world.auditor().GetPayoutTrail,
            world.api.audit.GetPayoutTrailRequest(payout="platforms/upwork/payouts/99999999"))
    refused(world.api, "NOT_FOUND", "PAYOUT_NOT_FOUND", world.auditor().GetPayoutTrail,
            world.api.audit.GetPayoutTrailRequest(payout="platforms/nobody/payouts/1"))


# ---------------------------------------------------------------- who may
@pytest.mark.parametrize("principal, service, method, request_", [
    ("MUCB", "PayoutService", "GetPayout", "payout.GetPayoutRequest"),
    ("MUCB", "PayoutService", "WatchPayouts", "payout.WatchPayoutsRequest"),
    ("auditor", "PayoutService", "CancelPayout", "payout.CancelPayoutRequest"),
    ("upwork", "SettlementService", "WatchInstructions", "settlement.WatchInstructionsRequest"),
    ("upwork", "SettlementService", "ConfirmInstructions", "settlement.ConfirmInstructionsRequest"),
    ("auditor", "SettlementService", "ReturnPayment", "settlement.ReturnPaymentRequest"),
    ("auditor", "SettlementService", "GetPosition", "settlement.GetPositionRequest"),
    ("upwork", "AuditService", "GetTrialBalance", "audit.GetTrialBalanceRequest"),
    ("MUCB", "AuditService", "GetPayoutTrail", "audit.GetPayoutTrailRequest"),
])
def test_a_role_may_only_what_is_its_own(world, principal, service, method, request_):
    area, name = request_.split(".")
    refused(world.api, "PERMISSION_DENIED", "ROLE_FORBIDDEN", getattr(world.stub(service, principal), method), getattr(getattr(world.api, area), name)())


# ---------------------------------------------------------------- a gateway of their own: much at once
@pytest.fixture(scope="module")
def busy(cluster, new_gateway):
    gateway = new_gateway(new_database(cluster), workers=1, watch_poll="20ms", registry_refresh="200ms")
    world = World(gateway)
    p = world.api.payout
    details = p.BeneficiaryDetails(display_name="Bilal", iban=IBANS["MUCB"], cnic="3520112345671", channel=1)
    bilal = world.stub("BeneficiaryService", "upwork").RegisterBeneficiary(
        p.RegisterBeneficiaryRequest(request_id="bilal", details=details), timeout=10).name
    for batch in range(2):
        requests = [p.SubmitPayoutRequest(reference="m-%d-%d" % (batch, n), gross=world.api.money.Money(currency_code="USD", minor_units=1000),
                                          beneficiary=bilal) for n in range(12000)]
        answer = world.stub_of("upwork").SubmitPayouts(p.SubmitPayoutsRequest(payouts=requests), timeout=60)
        assert all(r.outcome == 1 for r in answer.results)
    yield world
    gateway.stop()


def told(world):
    return world.g.database.value("SELECT coalesce(max(last_payout_id), 0) FROM ujrat.handout")


def test_no_more_is_handed_out_than_the_bank_takes(busy):
    narrow = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65536))   # a client that takes little at a time
    bank = busy.g.stub("settlement", "SettlementService", "MUCB", options=narrow)
    stream = bank.WatchInstructions(busy.api.settlement.WatchInstructionsRequest(), timeout=100)
    got = list(next(stream).instructions)
    before = None
    while before != (before := told(busy)):    # until it stands still, though the bank has not taken all
        time.sleep(0.5)
    assert 0 < before < 20000
    for message in stream:
        got += message.instructions
        if len(got) >= 24001:
            break
    stream.cancel()
    assert len({i.instruction_id for i in got}) == len(got) == 24001
    seqs = [int(i.instruction_id.split("-")[1]) for i in got]
    assert seqs == sorted(seqs)


def test_everything_is_watched_and_confirmed_in_pages(busy):
    p, s = busy.api.payout, busy.api.settlement
    all_ = busy.instructions("MUCB", 24001, seconds=60)
    for at in range(0, len(all_), 1000):
        results = busy.confirm("MUCB", *[busy.confirmation(i, status=2 if n % 10 == 0 else 1) for n, i in enumerate(all_[at:at + 1000])])
        assert {r.outcome for r in results} == {RECORDED}
    events, stream = [], busy.stub_of("upwork").WatchPayouts(p.WatchPayoutsRequest(), timeout=60)
    for message in stream:
        events += message.events
        if len(events) >= 3 * 24001:
            break
    stream.cancel()
    assert len({(e.payout, e.state) for e in events}) == len(events) == 3 * 24001
    (position,) = busy.settlement("MUCB").GetPosition(s.GetPositionRequest(), timeout=10).positions
    assert position.pending_count == 0 and position.pending_minor_units == 0
    paid = sum(i.amount.minor_units for n, i in enumerate(all_) if n % 1000 % 10)
    assert position.owed_minor_units == paid


# ---------------------------------------------------------------- last: it ends the gateway
def test_a_drain_ends_streams_so_that_clients_come_back(world):
    streams = [world.stub_of("upwork").WatchPayouts(world.api.payout.WatchPayoutsRequest(), timeout=60),
               world.settlement("SCBL").WatchInstructions(world.api.settlement.WatchInstructionsRequest(), timeout=60)]
    codes = []

    def follow(stream):
        try:
            for _ in stream:
                pass
        except grpc.RpcError as e:
            codes.append(e.code())

    readers = [threading.Thread(target=follow, args=(s,)) for s in streams]
    for r in readers:
        r.start()
    time.sleep(0.5)
    process = world.g.process
    process.terminate()
    process.wait(20)
    for r in readers:
        r.join(10)
    assert codes == [grpc.StatusCode.UNAVAILABLE] * 2
    world.g.start()
