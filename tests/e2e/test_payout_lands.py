"""A payout lands: from the platform's request to the bank's confirmation and the auditor's books, to the paisa."""
import grpc
import pytest

from harness import wait_until
from world import SECONDS, SHEET, TARIFFS, D, assert_priced, price

S = grpc.StatusCode


@pytest.fixture
def states(api):
    return api.payout.Payout.State


# ---------------------------------------------------------------- one payout, from end to end
def test_a_payout_is_accepted_instructed_and_settled(world, states):
    platform, bank = world.platform(USD=5_000_000), world.bank()
    who = platform.details(bank, display_name="Bilal Ahmed")
    expected = price(123_456)

    payout = platform.submit(who, 123_456, reference="salary-1", remittance_information="Invoice 7")
    platform.books.accepted(expected, bank.code)
    assert payout.name.startswith("platforms/%s/payouts/" % platform.code)
    assert (payout.reference, payout.state, payout.bank_code) == ("salary-1", states.ACCEPTED, bank.code)
    assert payout.remittance_information == "Invoice 7"
    assert payout.beneficiary.startswith("platforms/%s/beneficiaries/" % platform.code)
    assert_priced(payout.pricing, expected)
    assert payout.pricing.mid_rate == "277.9612"
    assert platform.get(payout.name) == payout
    assert platform.get_by_reference("salary-1") == payout
    assert platform.balance() == 5_000_000 - 123_456
    assert bank.position() == (0, expected.net, 1)

    instruction, = bank.take(1)
    platform.books.instructed()
    assert (instruction.amount.currency_code, instruction.amount.minor_units) == ("PKR", expected.net)
    assert (instruction.creditor_name, instruction.creditor_iban) == ("Bilal Ahmed", who.iban)
    assert (instruction.creditor_cnic, instruction.purpose_code) == (who.cnic, "9186")
    assert instruction.channel == who.channel
    assert instruction.pseb_registration == "PSEB-1234"
    assert (instruction.original_amount.currency_code, instruction.original_amount.minor_units) == ("USD", 123_456)
    assert instruction.originator_name == platform.code
    assert instruction.remittance_information == "Invoice 7"
    assert 1 <= len(instruction.instruction_id) <= 35
    assert platform.get(payout.name).state == states.INSTRUCTED

    tax = expected.net // 100
    said = bank.settled(instruction, tax=tax, eprc="PRC-2026-000017", reference="MUCB-778")
    result, = bank.confirm(said)
    platform.books.settled(expected, bank.code)
    assert (result.instruction_id, result.outcome) == (instruction.instruction_id, result.OUTCOME_RECORDED)

    settled = platform.get(payout.name)
    assert settled.state == states.SETTLED
    assert (settled.bank_reference, settled.eprc_number) == ("MUCB-778", "PRC-2026-000017")
    assert (settled.tax_withheld.currency_code, settled.tax_withheld.minor_units) == ("PKR", tax)
    assert settled.pricing == payout.pricing
    assert settled.create_time == payout.create_time
    assert settled.update_time.ToNanoseconds() > settled.create_time.ToNanoseconds()
    assert bank.position() == (expected.net, 0, 0)
    assert world.auditor.balances(platform) == platform.books.nonzero()


def test_a_rejected_payout_gives_the_float_back(world, states):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    payout = platform.submit(platform.details(bank), 40_000)
    instruction, = bank.take(1)
    result, = bank.confirm(bank.rejected(instruction, "AC04"))
    assert result.outcome == result.OUTCOME_RECORDED
    after = platform.get(payout.name)
    assert (after.state, after.reason_code) == (states.REJECTED, "AC04")
    assert platform.balance() == 1_000_000
    assert bank.position() == (0, 0, 0)
    assert world.auditor.balances(platform) == {"correspondent.USD": 1_000_000, "float.USD": -1_000_000}


def test_a_returned_payout_gives_the_float_back_whole(world, states):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    payout = platform.submit(platform.details(bank), 40_000)
    instruction, = bank.take(1)
    bank.confirm(bank.settled(instruction, tax=77, eprc="E-1"))
    answer = bank.send_back(instruction, "FOCR", reference="RET-9")
    assert (answer.instruction_id, answer.state) == (instruction.instruction_id, states.RETURNED)
    assert answer.return_time.seconds > 0
    after = platform.get(payout.name)
    assert (after.state, after.reason_code) == (states.RETURNED, "FOCR")
    assert platform.balance() == 1_000_000
    assert bank.position() == (0, 0, 0)
    # the same again is answered the same; otherwise, or under another reference, it is refused
    assert bank.send_back(instruction, "FOCR", reference="RET-9") == answer
    with world.nothing_changes():
        no = world.refused(lambda **_: bank.send_back(instruction, "FOCR", reference="RET-10"))
        assert (no.code, no.reason) == (S.INVALID_ARGUMENT, "AMOUNT_OVER_LIMIT")
        no = world.refused(lambda **_: bank.send_back(instruction, "AC04", reference="RET-9"))
        assert (no.code, no.reason) == (S.FAILED_PRECONDITION, "ALREADY_CONFIRMED_DIFFERENTLY")
    assert world.auditor.balances(platform) == {"correspondent.USD": 1_000_000, "float.USD": -1_000_000}


def test_a_payout_is_cancelled_until_the_bank_is_told(world, states):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    payout = platform.submit(platform.details(bank), 40_000)
    cancelled = platform.cancel(payout.name)
    assert (cancelled.name, cancelled.state) == (payout.name, states.CANCELLED)
    assert platform.cancel(payout.name) == cancelled, "cancelling again answers with it"
    assert platform.balance() == 1_000_000
    stream = bank.watch()
    assert stream.silent(), "the bank never hears of it"

    late = platform.submit(platform.details(bank), 40_000)
    instruction, = stream.take(1)
    assert instruction.amount.minor_units == price(40_000).net
    stream.close()
    with world.nothing_changes():
        no = world.refused(lambda **_: platform.cancel(late.name))
        assert (no.code, no.reason) == (S.FAILED_PRECONDITION, "STATE_CONFLICT")
    assert platform.get(late.name).state == states.INSTRUCTED


def test_banks_may_not_contradict_themselves(world, states):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    payout = platform.submit(platform.details(bank), 40_000)
    instruction, = bank.take(1)
    said = bank.settled(instruction, tax=5, eprc="E-2")
    assert bank.confirm(said)[0].outcome == 1
    duplicate, = bank.confirm(said)
    assert duplicate.outcome == duplicate.OUTCOME_DUPLICATE
    with world.nothing_changes():
        for other in (bank.rejected(instruction), bank.settled(instruction, tax=6, eprc="E-2", reference=said.bank_reference),
                      bank.settled(instruction, tax=5, eprc="E-2")):
            result, = bank.confirm(other)
            assert (result.outcome, result.reason) == (result.OUTCOME_REFUSED, "ALREADY_CONFIRMED_DIFFERENTLY")
    assert platform.get(payout.name).state == states.SETTLED


def test_each_confirmation_of_a_batch_stands_alone(world, api, states):
    platform, bank = world.platform(USD=1_000_000), world.bank()
    for _ in range(4):
        platform.submit(platform.details(bank), 10_000)
    a, b, c, d = bank.take(4)
    wrong_amount = bank.settled(b)
    wrong_amount.amount.minor_units += 1
    wrong_currency = bank.settled(b)
    wrong_currency.amount.currency_code = "USD"
    nobody = bank.settled(a)
    nobody.instruction_id = "nothing-of-ours"
    results = bank.confirm(bank.settled(a), wrong_amount, nobody, wrong_currency, bank.rejected(c, "ZZ99"), bank.rejected(d))
    R = api.settlement.ConfirmationResult
    assert [r.outcome for r in results] == [R.OUTCOME_RECORDED] + [R.OUTCOME_REFUSED] * 4 + [R.OUTCOME_RECORDED]
    assert [r.reason for r in results] == ["", "FIELD_INVALID", "INSTRUCTION_NOT_FOUND", "CURRENCY_MISMATCH",
                                           "REASON_CODE_UNKNOWN", ""]
    assert [r.instruction_id for r in results][:2] == [a.instruction_id, b.instruction_id]
    assert all(r.message for r in results if r.outcome == R.OUTCOME_REFUSED)
    assert bank.position() == (price(10_000).net, 2 * price(10_000).net, 2)


# ---------------------------------------------------------------- prices
@pytest.mark.parametrize("ccy", ["USD", "EUR", "GBP", "JPY", "KWD"])
def test_every_amount_is_priced_as_the_contract_says(world, ccy):
    """Amounts around fee bounds, ties and the smallest that leaves something; each is in the books as computed."""
    platform, bank = world.platform(**{ccy: 400_000_000}), world.bank()
    to = platform.register(bank).name
    amounts = [101, 151, 1_000, 9_999, 12_345, 20_001, 99_999, 333_333, 1_234_567, 1_999_999, 2_000_000]
    amounts = [a for a in amounts if price(a, ccy).converted > 0 and price(a, ccy).net > 0]
    assert len(amounts) >= 8
    results = platform.batch([platform.request(to, a, ccy) for a in amounts])
    for amount, result in zip(amounts, results):
        expected = price(amount, ccy)
        assert result.outcome == result.OUTCOME_ACCEPTED, result
        assert (result.fee.currency_code, result.fee.minor_units) == (ccy, expected.fee)
        assert (result.net.currency_code, result.net.minor_units) == ("PKR", expected.net)
        assert_priced(platform.get(result.payout).pricing, expected)
        platform.books.accepted(expected, bank.code)
    assert platform.balance(ccy) == 400_000_000 - sum(amounts)
    assert world.auditor.balances(platform) == platform.books.nonzero()


def test_a_quote_locks_the_price_and_is_used_once(world, api):
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    quote = platform.quote(70_001, request_id="quote-1")
    assert quote.name.startswith("platforms/%s/quotes/" % platform.code)
    assert_priced(quote.pricing, price(70_001))
    assert quote.expire_time.seconds - quote.create_time.seconds in (899, 900, 901)
    assert platform.quote(70_001, request_id="quote-1") == quote, "the same request is answered with the same quote"
    payout = platform.submit(to, 70_001, quote=quote.name)
    assert payout.quote == quote.name
    assert payout.pricing == quote.pricing
    with world.nothing_changes():
        no = world.refused(platform.payouts.SubmitPayout, platform.request(to, 70_001, quote=quote.name))
        assert (no.code, no.reason, no.fields) == (S.FAILED_PRECONDITION, "QUOTE_USED", ["quote"])
        no = world.refused(platform.payouts.CreateQuote, api.payout.CreateQuoteRequest(
            gross=platform.money(70_002), request_id="quote-1"))
        assert (no.code, no.reason, no.fields) == (S.ALREADY_EXISTS, "REFERENCE_REUSED", ["request_id"])


def test_a_quote_holds_when_terms_and_rate_change(new_world):
    """In a world of its own: others would pay by the new rate too."""
    world = new_world()
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    quote = platform.quote(70_001)
    world.change_terms(platform.code, "USD", margin_bps=300)
    sheet_of_monday = world.gateway.folder / "sbp_m2m_2026-07-20.csv"
    sheet_of_monday.write_text(SHEET.read_text().replace("USD,277.9612", "USD,281.1000"))
    world.gateway.ujrat("rates", "import", sheet_of_monday, "--quiet")
    now = price(70_001, mid=D("281.1000"), tariff=dict(TARIFFS["USD"], margin_bps=300))
    wait_until(lambda: platform.submit(to, 70_001).pricing.net.minor_units == now.net, 10, "the new rate", every=0.2)
    assert_priced(platform.submit(to, 70_001).pricing, now)
    payout = platform.submit(to, 70_001, quote=quote.name)
    assert_priced(payout.pricing, price(70_001))
    assert payout.pricing == quote.pricing


# ---------------------------------------------------------------- beneficiaries
def test_a_beneficiary_is_registered_updated_and_listed(world, api):
    platform, bank, other = world.platform(), world.bank(), world.bank()
    service = platform.beneficiaries
    details = platform.details(bank, display_name="عائشہ خان")
    first = service.RegisterBeneficiary(api.payout.RegisterBeneficiaryRequest(request_id="b1", details=details),
                                        timeout=SECONDS)
    assert first.name.startswith("platforms/%s/beneficiaries/" % platform.code)
    assert first.version == 1
    assert first.details.display_name == "عائشہ خان"
    assert (first.details.iban, first.details.cnic) == (details.iban, details.cnic)
    assert (first.details.channel, first.details.purpose_code) == (details.channel, "9186")
    again = service.RegisterBeneficiary(api.payout.RegisterBeneficiaryRequest(request_id="b1", details=details),
                                        timeout=SECONDS)
    assert again == first
    with world.nothing_changes():
        no = world.refused(service.RegisterBeneficiary, api.payout.RegisterBeneficiaryRequest(
            request_id="b1", details=platform.details(bank)))
        assert (no.code, no.reason, no.fields) == (S.ALREADY_EXISTS, "REFERENCE_REUSED", ["request_id"])

    old = platform.submit(first.name)
    moved = platform.details(other, display_name="Ayesha K.", cnic=details.cnic)
    second = service.UpdateBeneficiary(api.payout.UpdateBeneficiaryRequest(
        name=first.name, details=moved, version=1), timeout=SECONDS)
    assert (second.name, second.version, second.details.iban) == (first.name, 2, moved.iban)
    assert service.GetBeneficiary(api.payout.GetBeneficiaryRequest(name=first.name), timeout=SECONDS) == second
    with world.nothing_changes():
        no = world.refused(service.UpdateBeneficiary, api.payout.UpdateBeneficiaryRequest(
            name=first.name, details=platform.details(bank), version=1))
        assert (no.code, no.reason, no.fields) == (S.FAILED_PRECONDITION, "STATE_CONFLICT", ["version"])

    # what was accepted keeps the details it was accepted with
    new = platform.submit(first.name)
    assert (old.bank_code, new.bank_code) == (bank.code, other.code)
    assert bank.take(1)[0].creditor_iban == details.iban
    assert other.take(1)[0].creditor_iban == moved.iban


def test_beneficiaries_are_listed_oldest_first_by_pages(world, api):
    platform, bank = world.platform(), world.bank()
    names = [platform.register(bank).name for _ in range(7)]
    found, token, pages = [], "", 0
    while True:
        page = platform.beneficiaries.ListBeneficiaries(api.payout.ListBeneficiariesRequest(
            page_size=3, page_token=token), timeout=SECONDS)
        pages += 1
        found += [b.name for b in page.beneficiaries]
        token = page.next_page_token
        if not token:
            break
    assert (found, pages) == (names, 3)
    for size in (-1, 1001):
        no = world.refused(platform.beneficiaries.ListBeneficiaries, api.payout.ListBeneficiariesRequest(page_size=size))
        assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "PAGE_SIZE_INVALID", ["page_size"])


def test_who_is_carried_twice_is_one_beneficiary(world):
    platform, bank = world.platform(), world.bank()
    who = platform.details(bank)
    a, b = platform.submit(who), platform.submit(who)
    c = platform.submit(platform.details(bank))
    assert a.beneficiary == b.beneficiary != c.beneficiary
    assert a.name != b.name


@pytest.mark.parametrize("alias", ["03001234567", "+923001234567"])
def test_a_mobile_alias_can_be_paid(world, alias):
    platform, bank = world.platform(), world.bank()
    payout = platform.submit(platform.details(bank, iban=None, mobile_alias=alias, bank_code=bank.code))
    assert payout.bank_code == bank.code
    instruction, = bank.take(1)
    assert (instruction.creditor_mobile_alias, instruction.creditor_iban) == ("+923001234567", "")


def test_a_purpose_code_is_the_channels_usual_one_if_not_said(world):
    platform, bank = world.platform(), world.bank()
    platform.submit(platform.details(bank, purpose_code=None))
    platform.submit(platform.details(bank, purpose_code=None, channel="HOME_REMITTANCE", pseb_registration=None))
    assert [i.purpose_code for i in bank.take(2)] == ["9186", "9471"]


def test_a_cnic_with_dashes_is_the_same_cnic(world):
    platform, bank = world.platform(), world.bank()
    who = platform.details(bank)
    dashed = platform.details(bank, iban=who.iban, cnic="%s-%s-%s" % (who.cnic[:5], who.cnic[5:12], who.cnic[12:]))
    platform.submit(dashed)
    assert bank.take(1)[0].creditor_cnic == who.cnic


# ---------------------------------------------------------------- lists and streams
def test_payouts_are_listed_oldest_first_by_pages(world, api):
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    names = [r.payout for r in platform.batch([platform.request(to) for _ in range(25)])]
    assert len(set(names)) == 25

    def page(size, token=""):
        return platform.payouts.ListPayouts(api.payout.ListPayoutsRequest(page_size=size, page_token=token), timeout=SECONDS)

    for size in (1, 7, 25, 1000, 0):
        found, token = [], ""
        while True:
            answer = page(size, token)
            assert len(answer.payouts) <= (size or 100)
            found += answer.payouts
            token = answer.next_page_token
            if not token:
                break
        assert [p.name for p in found] == names
    assert platform.get(names[3]) == found[3]
    # a page never shifts under its reader
    token = page(20).next_page_token
    platform.submit(to)
    assert [p.name for p in page(5, token).payouts] == names[20:]
    no = world.refused(platform.payouts.ListPayouts, api.payout.ListPayoutsRequest(page_size=1001))
    assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "PAGE_SIZE_INVALID", ["page_size"])
    for bad in ("x", token[:-1], token + "A", "AAAA"):
        no = world.refused(platform.payouts.ListPayouts, api.payout.ListPayoutsRequest(page_token=bad))
        assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID", ["page_token"])


def test_a_token_of_another_platform_or_stream_is_refused(world, api):
    a, b, bank = world.platform(), world.platform(), world.bank()
    for platform in (a, b):
        to = platform.register(bank).name
        platform.batch([platform.request(to) for _ in range(3)])
    page_token = a.payouts.ListPayouts(api.payout.ListPayoutsRequest(page_size=1), timeout=SECONDS).next_page_token
    no = world.refused(b.payouts.ListPayouts, api.payout.ListPayoutsRequest(page_token=page_token))
    assert (no.code, no.reason) == (S.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    no = world.refused(a.payouts.WatchPayouts, api.payout.WatchPayoutsRequest(resume_token=page_token))
    assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID", ["resume_token"])
    stream = a.watch()
    resume_token = stream.take(1)[0].resume_token
    stream.close()
    no = world.refused(b.payouts.WatchPayouts, api.payout.WatchPayoutsRequest(resume_token=resume_token))
    assert (no.code, no.reason) == (S.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID")
    stream = bank.watch()
    instruction_token = stream.take(1)[0].resume_token
    stream.close()
    no = world.refused(world.bank().settlement.WatchInstructions, api.settlement.WatchInstructionsRequest(
        resume_token=instruction_token))
    assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID", ["resume_token"])


def test_a_stream_tells_every_state_in_order_and_resumes_from_every_token(world, states):
    platform, bank, other = world.platform(), world.bank(), world.bank()
    live = platform.watch()
    names, expected = {}, []

    def submit(reference, to):
        names[reference] = platform.submit(platform.details(to), reference=reference).name
        expected.append((reference, states.ACCEPTED))

    for reference in ("one", "two", "three"):
        submit(reference, bank)
    submit("elsewhere", other)
    platform.cancel(names["two"])
    expected.append(("two", states.CANCELLED))
    first, third = bank.take(2)
    expected += [("one", states.INSTRUCTED), ("three", states.INSTRUCTED)]
    bank.confirm(bank.settled(first, reference="BR-ONE"))
    expected.append(("one", states.SETTLED))
    bank.confirm(bank.rejected(third, "AC06"))
    expected.append(("three", states.REJECTED))
    submit("four", bank)
    bank.send_back(first, "AC04", reference="RT-ONE")
    expected.append(("one", states.RETURNED))

    seen = live.take(len(expected))
    assert [(e.reference, e.state) for e in seen] == expected
    assert [e.payout for e in seen] == [names[e.reference] for e in seen]
    assert live.silent()
    live.close()
    by_state = {(e.reference, e.state): e for e in seen}
    assert by_state["three", states.REJECTED].reason_code == "AC06"
    assert by_state["one", states.SETTLED].bank_reference == "BR-ONE"
    assert by_state["one", states.RETURNED].reason_code == "AC04"
    times = [e.event_time.ToNanoseconds() for e in seen]
    assert times == sorted(times)
    assert len({e.resume_token for e in seen}) == len(seen)

    for i, event in enumerate([None, *seen]):
        again = platform.watch(event.resume_token if event else "")
        assert again.take(len(seen) - i) == seen[i:]
        assert again.silent(0.1)
        again.close()
    # and what comes later comes to who resumed at the end
    tail = platform.watch(seen[-1].resume_token)
    submit("five", bank)
    assert [(e.reference, e.state) for e in tail.take(1)] == [("five", states.ACCEPTED)]
    tail.close()


def test_a_bank_hears_of_its_own_instructions_only_once_and_again_from_every_token(world):
    a, b = world.platform(), world.platform()
    bank, other = world.bank(), world.bank()
    early = bank.watch()
    mine = {}
    for n in range(9):
        platform = (a, b)[n % 2]
        to = (bank, other)[n % 3 == 2]
        details = platform.details(to)
        platform.submit(details, 10_000 + n)
        if to is bank:
            mine[details.iban] = price(10_000 + n).net
    heard = early.take(len(mine))
    assert {i.creditor_iban: i.amount.minor_units for i in heard} == mine
    assert len({i.instruction_id for i in heard}) == len(heard)
    assert early.silent()
    early.close()
    for i, instruction in enumerate([None, *heard]):
        again = bank.watch(instruction.resume_token if instruction else "")
        rest = again.take(len(heard) - i)
        # each book has an order; between books there is none, so a token may bring one again but never loses one
        assert {r.instruction_id for r in rest} == {h.instruction_id for h in heard[i:]}
        assert again.silent(0.1)
        again.close()
    assert other.position()[2] == 9 - len(mine)


def test_a_long_stream_comes_in_order_and_whole(world, states):
    """Longer than a page, and than what fits a flow-control window while nobody reads."""
    platform, bank = world.platform(USD=900_000_000), world.bank()
    to = platform.register(bank).name
    n = 3_000
    results = platform.batch([platform.request(to, 1_000 + i % 7) for i in range(n)])
    names = [r.payout for r in results]
    stream = bank.watch()
    instructions = stream.take(n)
    stream.close()
    assert [i.original_amount.minor_units for i in instructions] == [1_000 + i % 7 for i in range(n)]
    events = platform.watch().take(2 * n)
    assert [e.payout for e in events] == names + names
    assert {e.state for e in events[:n]} == {states.ACCEPTED} and {e.state for e in events[n:]} == {states.INSTRUCTED}
    middle = platform.watch(events[n + n // 2].resume_token)
    assert middle.take(n // 2 - 1) == events[n + n // 2 + 1:]
    middle.close()


# ---------------------------------------------------------------- the auditor
def test_the_books_agree_to_the_paisa(world, states):
    """Something of everything in one book; then each of the auditor's questions against the numbers computed here."""
    platform, bank, other = world.platform(USD=6_000_000, JPY=9_000_000), world.bank(), world.bank()
    books = platform.books
    usd, jpy = price(199_999), price(777_777, "JPY")
    kept = platform.submit(platform.details(bank), 199_999)
    books.accepted(usd, bank.code)
    undone = platform.submit(platform.details(bank), 777_777, "JPY")
    books.accepted(jpy, bank.code)
    gone = platform.submit(platform.details(other), 199_999)
    books.accepted(usd, other.code)
    platform.cancel(gone.name)
    books.cancelled(usd, other.code)
    before = world.auditor.trial_balance("books/" + platform.code)
    first, second = bank.take(2)
    books.instructed()
    bank.confirm(bank.settled(first, tax=100))
    books.settled(usd, bank.code)
    bank.confirm(bank.settled(second))
    books.settled(jpy, bank.code)
    bank.send_back(second)
    books.returned(jpy, bank.code)
    platform.deposit(12_345, "JPY")

    assert world.auditor.balances(platform) == books.nonzero()
    assert world.auditor.trial_balance("books/" + platform.code, before.as_of) == before, "the past does not change"

    prefix = "books/%s/" % platform.code
    for page_size in (0, 1, 4):
        journals = world.auditor.journals(platform, page_size)
        assert [j.name for j in journals] == ["%sjournals/%d" % (prefix, i + 1) for i in range(len(books.journals))]
        for journal, (kind, lines) in zip(journals, books.journals):
            assert journal.kind == kind
            assert {p.account[len(prefix + "accounts/"):]: p.minor_units for p in journal.postings} == lines, journal
    times = [j.commit_time.ToNanoseconds() for j in journals]
    assert times == sorted(times)
    blocks = [j.block_number for j in journals]
    assert blocks == sorted(blocks) and set(blocks) == set(range(1, blocks[-1] + 1))
    actors = {j.kind: j.actor for j in journals}
    assert actors["PAYOUT_ACCEPTED"] == "ujrat://platform/" + platform.code
    assert actors["PAYOUT_SETTLED"] == "ujrat://bank/" + bank.code
    reversed_ = {j.kind: j.reverses for j in journals if j.reverses}
    assert set(reversed_) == {"PAYOUT_CANCELLED", "SETTLEMENT_REVERSED", "PAYOUT_RETURNED"}

    accounts = {account for _, lines in books.journals for account in lines}
    for account in accounts:
        entries = [lines[account] for _, lines in books.journals if account in lines]
        for page_size in (0, 1, 2):
            opening, lines, closing = world.auditor.statement(platform, account, page_size)
            assert opening == 0
            assert [line.minor_units for line in lines] == entries, account
            running = 0
            for line in lines:
                running += line.minor_units
                assert line.balance_minor_units == running
            assert closing == running == books.balances[account]

    trail = world.auditor.trail(undone.name)
    assert trail.payout.state == states.RETURNED
    # a return is two journals
    assert [e.state for e in trail.events] == [states.ACCEPTED, states.INSTRUCTED, states.SETTLED, states.RETURNED,
                                               states.RETURNED]
    assert [e.journal.kind for e in trail.events] == ["PAYOUT_ACCEPTED", "PAYOUTS_INSTRUCTED", "PAYOUT_SETTLED",
                                                      "SETTLEMENT_REVERSED", "PAYOUT_RETURNED"]
    by_name = {j.name: j for j in journals}
    for event in trail.events:
        assert by_name[event.journal.name].postings == event.journal.postings
        assert event.actor
    assert [e.state for e in world.auditor.trail(gone.name).events] == [states.ACCEPTED, states.CANCELLED]
    assert [e.state for e in world.auditor.trail(kept.name).events] == [states.ACCEPTED, states.INSTRUCTED, states.SETTLED]


def test_time_ranges_of_journals_and_statements(world, api):
    platform, bank = world.platform(), world.bank()
    for _ in range(3):
        platform.submit(platform.details(bank))
    journals = world.auditor.journals(platform)
    book = "books/" + platform.code

    def between(begin, end):
        request = api.audit.ListJournalsRequest(book=book)
        if begin:
            request.from_time.CopyFrom(begin)
        if end:
            request.until_time.CopyFrom(end)
        return [j.name for j in world.auditor.audit.ListJournals(request, timeout=SECONDS).journals]

    names = [j.name for j in journals]
    times = [j.commit_time for j in journals]
    assert between(None, None) == names
    assert between(times[1], None) == names[1:], "from is inclusive"
    assert between(None, times[2]) == names[:2], "until is exclusive"
    assert between(times[1], times[3]) == names[1:3]
    request = api.audit.ListJournalsRequest(book=book)
    request.from_time.CopyFrom(times[2])
    request.until_time.CopyFrom(times[1])
    no = world.refused(world.auditor.audit.ListJournals, request)
    assert (no.code, no.reason) == (S.INVALID_ARGUMENT, "TIME_RANGE_INVALID")

    request = api.audit.GetAccountStatementRequest(account=book + "/accounts/float.USD")
    request.from_time.CopyFrom(times[2])
    statement = world.auditor.audit.GetAccountStatement(request, timeout=SECONDS)
    assert statement.currency_code == "USD"
    assert statement.opening_minor_units == -10_000_000 + 10_000
    assert [line.minor_units for line in statement.lines] == [10_000, 10_000]
    assert statement.closing_minor_units == -10_000_000 + 30_000


def test_what_the_auditor_asks_for_and_is_not_there(world, api):
    audit, platform = world.auditor.audit, world.platform()
    for call, request, reason in (
            (audit.GetPayoutTrail, api.audit.GetPayoutTrailRequest(payout="platforms/%s/payouts/99" % platform.code), "PAYOUT_NOT_FOUND"),
            (audit.GetAccountStatement, api.audit.GetAccountStatementRequest(account="books/%s/accounts/float.ZZZ" % platform.code),
             "ACCOUNT_NOT_FOUND")):
        no = world.refused(call, request)
        assert (no.code, no.reason) == (S.NOT_FOUND, reason)
    for call, request in ((audit.ListJournals, api.audit.ListJournalsRequest(book="upwork")),
                          (audit.ListJournals, api.audit.ListJournalsRequest()),
                          (audit.GetAccountStatement, api.audit.GetAccountStatementRequest(account="books/x")),
                          (audit.GetPayoutTrail, api.audit.GetPayoutTrailRequest(payout="payouts/4"))):
        no = world.refused(call, request)
        assert no.code == S.INVALID_ARGUMENT and no.reason in ("FIELD_INVALID", "FIELD_REQUIRED"), no
