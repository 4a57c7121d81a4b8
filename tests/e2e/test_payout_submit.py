"""Submitting payouts, quotes and beneficiaries: what is taken, and every bad input refused by field and reason."""
import grpc
import pytest

from harness import details, new_database, reason, wait_until

ACCEPTED, DUPLICATE, REFUSED = 1, 2, 3
IBAN_SCBL, IBAN_MUCB = "PK36SCBL0000001123456702", "PK24MUCB0646609971000177"


class Desk:
    """A gateway with two platforms, two banks, today's rates."""

    def __init__(self, gateway):
        self.g, self.api = gateway, gateway.api
        u = gateway.ujrat
        u("platform", "add", "upwork", "--currency", "USD,EUR", "--margin-bps", "150", "--fee-fixed", "0.50", "--gross-max", "5000")
        u("platform", "add", "fiverr", "--currency", "USD", "--margin-bps", "150")
        u("bank", "connect", "SCBL")
        u("bank", "connect", "MUCB")
        self.rates("now")
        u("float", "deposit", "upwork", "100000", "USD", "--reference", "first")
        u("float", "deposit", "upwork", "1", "EUR", "--reference", "second")
        u("float", "deposit", "fiverr", "100000", "USD", "--reference", "first")
        self.count = 0
        self.payouts = gateway.stub("payout", "PayoutService", "upwork")
        self.beneficiaries = gateway.stub("payout", "BeneficiaryService", "upwork")
        wait_until(lambda: self.works(lambda: self.submit()), 15, "the gateway to know all this", every=0.2)

    def works(self, what):
        try:
            return what()
        except grpc.RpcError:
            return None

    def rates(self, tag):
        with self.g.database.connect() as db:
            db.execute("SET search_path = ujrat")
            db.execute("SELECT import_rates('TEST', current_date, clock_timestamp(), 'f', sha256(%s), 't', NULL,"
                       " '{840,978}', '{2779612000000,3200000000000}')", (tag.encode(),))
            db.commit()

    def fresh(self):
        self.count += 1
        return "ref-%d" % self.count

    def money(self, minor, code="USD"):
        return self.api.money.Money(currency_code=code, minor_units=minor)

    def person(self, **changes):
        fields = dict(display_name="Ayesha Khan", iban=IBAN_SCBL, cnic="35202-1234567-1", channel=1)
        fields.update(changes)
        return self.api.payout.BeneficiaryDetails(**fields)

    def request(self, minor=10000, code="USD", **fields):
        fields.setdefault("reference", self.fresh())
        if "beneficiary" not in fields:
            fields.setdefault("beneficiary_details", self.person())
        return self.api.payout.SubmitPayoutRequest(gross=self.money(minor, code), **fields)

    def submit(self, *args, stub=None, **fields):
        return (stub or self.payouts).SubmitPayout(self.request(*args, **fields), timeout=10)

    def batch(self, *requests):
        return self.payouts.SubmitPayouts(self.api.payout.SubmitPayoutsRequest(payouts=requests), timeout=30).results

    def quote(self, minor=10000, request_id=None, stub=None, **fields):
        return (stub or self.payouts).CreateQuote(
            self.api.payout.CreateQuoteRequest(gross=self.money(minor), request_id=request_id or self.fresh(), **fields), timeout=10)

    def rows(self):
        return self.g.database.value("SELECT (SELECT count(*) FROM ujrat.payout) + (SELECT count(*) FROM ujrat.beneficiary)"
                                     " + (SELECT count(*) FROM ujrat.journal) + (SELECT count(*) FROM ujrat.quote)")

    def refused(self, call, code, why, field=None):
        """The call is refused so, and nothing has changed."""
        before = self.rows()
        with pytest.raises(grpc.RpcError) as e:
            call()
        found = details(e.value, self.api)
        assert (e.value.code(), found["ErrorInfo"].reason) == (code, why)
        assert found["ErrorInfo"].domain == "ujrat"
        if field:
            assert [v.field for v in found["BadRequest"].field_violations] == [field]
            assert field in e.value.details()
        assert self.rows() == before

    def raw(self, method, principal="upwork"):
        return self.g.channel(principal).unary_unary("/ujrat.payout.v1." + method, request_serializer=bytes, response_deserializer=bytes)


@pytest.fixture(scope="module")
def desk(cluster, new_gateway):
    gateway = new_gateway(new_database(cluster), registry_refresh="100ms", quote_ttl="2s", log_level="debug")
    yield Desk(gateway)
    gateway.stop()


S = grpc.StatusCode


# ---------------------------------------------------------------- what is taken
def test_a_payout_is_answered_as_it_is_stored(desk):
    p = desk.submit(10000, remittance_information="July")
    assert p.state == 1 and p.name.startswith("platforms/upwork/payouts/") and p.bank_code == "SCBL"
    # 100.00 - 0.50 at 277.9612, margin 1.5% rounded down
    assert (p.pricing.fee.minor_units, p.pricing.mid_rate) == (50, "277.9612")
    mid = round(9950 * 277.9612)
    assert p.pricing.margin.minor_units == mid * 150 // 10000
    assert p.pricing.net.minor_units == mid - mid * 150 // 10000
    assert p.pricing.our_rate == "273.791782"
    again = desk.payouts.GetPayout(desk.api.payout.GetPayoutRequest(name=p.name), timeout=10)
    assert again == p


def test_a_retry_is_answered_with_the_first_result(desk):
    request = desk.request()
    first = desk.payouts.SubmitPayout(request, timeout=10)
    second = desk.payouts.SubmitPayout(request, timeout=10)
    assert (second.name, second.pricing.net) == (first.name, first.pricing.net)


def test_another_body_under_a_reference_is_refused(desk):
    p = desk.submit()
    desk.refused(lambda: desk.submit(10001, reference=p.reference), S.ALREADY_EXISTS, "REFERENCE_REUSED", "reference")
    desk.refused(lambda: desk.submit(reference=p.reference, beneficiary_details=desk.person(display_name="B")),
                 S.ALREADY_EXISTS, "REFERENCE_REUSED", "reference")


def test_references_are_a_platforms_own(desk):
    p = desk.submit()
    other = desk.submit(stub=desk.g.stub("payout", "PayoutService", "fiverr"), reference=p.reference)
    assert other.name.startswith("platforms/fiverr/")


def test_a_bad_item_never_refuses_its_neighbours(desk):
    twice = desk.request()
    results = desk.batch(desk.request(), desk.request(0), twice, twice, desk.request(5000000), desk.request(reference="a b"),
                         desk.request(reference=twice.reference), desk.request(beneficiary="platforms/upwork/beneficiaries/999999"),
                         desk.request(beneficiary_details=desk.person(iban="PK27MPBL1181017140122674")), desk.request())
    assert [(r.outcome, r.reason, r.field) for r in results] == [
        (ACCEPTED, "", ""),
        (REFUSED, "AMOUNT_ZERO", "payouts[1].gross.minor_units"),
        (ACCEPTED, "", ""),
        (DUPLICATE, "", ""),
        (REFUSED, "AMOUNT_OVER_LIMIT", "payouts[4].gross.minor_units"),
        (REFUSED, "REFERENCE_SHAPE", "payouts[5].reference"),
        (DUPLICATE, "", ""),
        (REFUSED, "BENEFICIARY_NOT_FOUND", "payouts[7].beneficiary"),
        (REFUSED, "IBAN_CHECKSUM", "payouts[8].beneficiary_details.iban"),
        (ACCEPTED, "", ""),
    ]
    assert results[2].payout == results[3].payout and results[0].net.currency_code == "PKR"


def test_a_batch_of_15000_is_taken_and_of_one_more_refused(desk):
    ben = desk.beneficiaries.RegisterBeneficiary(
        desk.api.payout.RegisterBeneficiaryRequest(request_id=desk.fresh(), details=desk.person()), timeout=10)
    stem = desk.fresh()
    many = [desk.request(101, reference="%s-%d" % (stem, i), beneficiary=ben.name) for i in range(15000)]
    assert {r.outcome for r in desk.batch(*many)} == {ACCEPTED}
    desk.refused(lambda: desk.batch(*many, desk.request()), S.INVALID_ARGUMENT, "BATCH_TOO_LARGE", "payouts")
    desk.refused(lambda: desk.batch(), S.INVALID_ARGUMENT, "BATCH_EMPTY", "payouts")


def test_items_are_taken_in_order_while_the_float_lasts(desk):
    # EUR 1.00 is there
    results = desk.batch(*(desk.request(60, "EUR", beneficiary_details=desk.person()) for _ in range(2)))
    assert [r.outcome for r in results] == [ACCEPTED, REFUSED]
    assert (results[1].reason, results[1].field) == ("INSUFFICIENT_FLOAT", "payouts[1].gross.minor_units")


# ---------------------------------------------------------------- quotes
def test_a_quote_is_used_once_and_priced_as_quoted(desk):
    q = desk.quote()
    p = desk.submit(quote=q.name)
    assert p.pricing == q.pricing and p.quote == q.name
    desk.refused(lambda: desk.submit(quote=q.name), S.FAILED_PRECONDITION, "QUOTE_USED", "quote")


def test_a_quote_request_is_repeatable(desk):
    q = desk.quote(request_id="same")
    assert desk.quote(request_id="same") == q
    desk.refused(lambda: desk.quote(10001, request_id="same"), S.ALREADY_EXISTS, "REFERENCE_REUSED", "request_id")


def test_quotes_that_do_not_fit_are_refused(desk):
    q = desk.quote()
    desk.refused(lambda: desk.submit(10001, quote=q.name), S.INVALID_ARGUMENT, "QUOTE_MISMATCH", "quote")
    desk.refused(lambda: desk.submit(10000, "EUR", quote=q.name), S.INVALID_ARGUMENT, "QUOTE_MISMATCH", "quote")
    desk.refused(lambda: desk.submit(quote="platforms/upwork/quotes/99999"), S.NOT_FOUND, "QUOTE_NOT_FOUND", "quote")
    desk.refused(lambda: desk.submit(quote="quotes/1"), S.INVALID_ARGUMENT, "FIELD_INVALID", "quote")
    theirs = desk.quote(stub=desk.g.stub("payout", "PayoutService", "fiverr"))
    desk.refused(lambda: desk.submit(quote=theirs.name), S.PERMISSION_DENIED, "RESOURCE_FORBIDDEN", "quote")
    desk.refused(lambda: desk.quote(target_currency_code="USD"), S.FAILED_PRECONDITION, "CURRENCY_NOT_SUPPORTED", "target_currency_code")


def test_a_quote_expires(desk):
    q = desk.quote()
    wait_until(lambda: desk.g.database.value("SELECT bool_and(expires_at < clock_timestamp()) FROM ujrat.quote"), 5, "the quote to expire")
    desk.refused(lambda: desk.submit(quote=q.name), S.FAILED_PRECONDITION, "QUOTE_EXPIRED", "quote")


def test_a_batch_may_mix_quotes(desk):
    q = desk.quote()
    results = desk.batch(desk.request(quote=q.name), desk.request(quote=q.name), desk.request(), desk.request(quote="platforms/upwork/quotes/77777"))
    assert [(r.outcome, r.reason) for r in results] == [
        (ACCEPTED, ""), (REFUSED, "QUOTE_USED"), (ACCEPTED, ""), (REFUSED, "QUOTE_NOT_FOUND")]


# ---------------------------------------------------------------- bad input
@pytest.mark.parametrize("minor, code, status, why, field", [
    (0, "USD", S.INVALID_ARGUMENT, "AMOUNT_ZERO", "gross.minor_units"),
    (-1, "USD", S.INVALID_ARGUMENT, "AMOUNT_NEGATIVE", "gross.minor_units"),
    (-2**63, "USD", S.INVALID_ARGUMENT, "AMOUNT_NEGATIVE", "gross.minor_units"),
    (2**63 - 1, "USD", S.INVALID_ARGUMENT, "AMOUNT_OVER_LIMIT", "gross.minor_units"),
    (500001, "USD", S.INVALID_ARGUMENT, "AMOUNT_OVER_LIMIT", "gross.minor_units"),
    (50, "USD", S.INVALID_ARGUMENT, "AMOUNT_BELOW_FEE", "gross.minor_units"),
    (1000, "XXX", S.INVALID_ARGUMENT, "CURRENCY_UNKNOWN", "gross.currency_code"),
    (1000, "usd", S.INVALID_ARGUMENT, "CURRENCY_UNKNOWN", "gross.currency_code"),
    (1000, "", S.INVALID_ARGUMENT, "FIELD_REQUIRED", "gross.currency_code"),
    (1000, "JPY", S.FAILED_PRECONDITION, "CURRENCY_NOT_SUPPORTED", "gross.currency_code"),
    (10000, "EUR", S.FAILED_PRECONDITION, "INSUFFICIENT_FLOAT", "gross.minor_units"),
])
def test_amounts(desk, minor, code, status, why, field):
    desk.refused(lambda: desk.submit(minor, code), status, why, field)


@pytest.mark.parametrize("reference, why", [("", "REFERENCE_EMPTY"), ("a b", "REFERENCE_SHAPE"), ("x" * 64, "REFERENCE_SHAPE"),
                                            ("a\0b", "REFERENCE_SHAPE"), ("é", "REFERENCE_SHAPE")])
def test_references(desk, reference, why):
    desk.refused(lambda: desk.submit(reference=reference), S.INVALID_ARGUMENT, why, "reference")


@pytest.mark.parametrize("changes, why, field", [
    ({"iban": "PK76NBPA1234567890000999"}, "IBAN_CHECKSUM", "iban"),
    ({"iban": "DE89370400440532013000"}, "IBAN_COUNTRY", "iban"),
    ({"iban": "PK36SCBL000000112345670"}, "IBAN_LENGTH", "iban"),
    ({"iban": "PK36 SCBL0000001123456702"}, "IBAN_SHAPE", "iban"),
    ({"iban": "pk36scbl0000001123456702"}, "IBAN_SHAPE", "iban"),
    ({"iban": ""}, "FIELD_REQUIRED", "iban"),
    ({"mobile_alias": "03001234567"}, "FIELD_CONFLICT", "mobile_alias"),
    ({"iban": "", "mobile_alias": "0300123"}, "MOBILE_SHAPE", "mobile_alias"),
    ({"iban": "", "mobile_alias": "03001234567"}, "FIELD_REQUIRED", "bank_code"),
    ({"bank_code": "MUCB"}, "FIELD_CONFLICT", "bank_code"),
    ({"cnic": "123456789012"}, "CNIC_LENGTH", "cnic"),
    ({"cnic": "352021234567a"}, "CNIC_SHAPE", "cnic"),
    ({"cnic": ""}, "FIELD_REQUIRED", "cnic"),
    ({"display_name": ""}, "NAME_EMPTY", "display_name"),
    ({"display_name": "   "}, "NAME_EMPTY", "display_name"),
    ({"display_name": "x" * 141}, "NAME_TOO_LONG", "display_name"),
    ({"display_name": "a\0b"}, "TEXT_HAS_NUL", "display_name"),
    ({"display_name": "a\nb"}, "TEXT_HAS_NUL", "display_name"),
    ({"channel": 0}, "CHANNEL_UNKNOWN", "channel"),
    ({"channel": 7}, "CHANNEL_UNKNOWN", "channel"),
    ({"purpose_code": "91"}, "PURPOSE_CODE_UNKNOWN", "purpose_code"),
    ({"pseb_registration": "x" * 36}, "TEXT_TOO_LONG", "pseb_registration"),
])
def test_beneficiary_details(desk, changes, why, field):
    details_ = desk.person(**changes)
    desk.refused(lambda: desk.submit(beneficiary_details=details_), S.INVALID_ARGUMENT, why, "beneficiary_details." + field)
    desk.refused(lambda: desk.beneficiaries.RegisterBeneficiary(
        desk.api.payout.RegisterBeneficiaryRequest(request_id=desk.fresh(), details=details_), timeout=10),
        S.INVALID_ARGUMENT, why, "details." + field)


def test_beneficiaries_named_or_carried(desk):
    both = desk.request()
    both.beneficiary = "platforms/upwork/beneficiaries/1"
    desk.refused(lambda: desk.payouts.SubmitPayout(both, timeout=10), S.INVALID_ARGUMENT, "FIELD_CONFLICT", "beneficiary_details")
    neither = desk.request()
    neither.ClearField("beneficiary_details")
    desk.refused(lambda: desk.payouts.SubmitPayout(neither, timeout=10), S.INVALID_ARGUMENT, "FIELD_REQUIRED", "beneficiary")
    for name, status, why in (("platforms/upwork/beneficiaries/99999", S.NOT_FOUND, "BENEFICIARY_NOT_FOUND"),
                              ("platforms/fiverr/beneficiaries/1", S.PERMISSION_DENIED, "RESOURCE_FORBIDDEN"),
                              ("platforms/upwork/beneficiaries/01", S.INVALID_ARGUMENT, "FIELD_INVALID"),
                              ("platforms/upwork/beneficiaries/-1", S.INVALID_ARGUMENT, "FIELD_INVALID"),
                              ("platforms/upwork/payouts/1", S.INVALID_ARGUMENT, "FIELD_INVALID"),
                              ("x", S.INVALID_ARGUMENT, "FIELD_INVALID")):
        desk.refused(lambda: desk.submit(beneficiary=name), status, why, "beneficiary")


def test_banks_that_are_not_there(desk):
    db = desk.g.database
    code = db.value("SELECT code FROM ujrat.bank WHERE NOT connected ORDER BY code LIMIT 1")
    alias = desk.person(iban="", mobile_alias="03001234567", bank_code=code)
    desk.refused(lambda: desk.submit(beneficiary_details=alias), S.FAILED_PRECONDITION, "BANK_NOT_CONNECTED", "beneficiary_details.bank_code")
    alias.bank_code = "ZZZZ"
    desk.refused(lambda: desk.submit(beneficiary_details=alias), S.INVALID_ARGUMENT, "IBAN_BANK_UNKNOWN", "beneficiary_details.bank_code")


def test_messages_that_are_no_messages(desk):
    submit = desk.raw("PayoutService/SubmitPayout")
    good = desk.request().SerializeToString()
    desk.refused(lambda: submit(good[:-3], timeout=10), S.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
    desk.refused(lambda: submit(good + b"\x78\x01" * 32768, timeout=10), S.INVALID_ARGUMENT, "TOO_MANY_UNKNOWN_FIELDS")
    desk.refused(lambda: submit(good.replace(b"Ayesha", b"Ay\xff\xfeha"), timeout=10), S.INVALID_ARGUMENT, "TEXT_NOT_UTF8",
                 "beneficiary_details.display_name")
    # a few unknown fields are fine
    assert desk.api.payout.Payout.FromString(submit(good + b"\x98\x06\x01" * 5, timeout=10)).state == 1
    with pytest.raises(grpc.RpcError) as e:
        submit(good + b"\x7a" + b"\xff\xff\x7f" + b"x" * (2**21 - 1), timeout=10)
    assert e.value.code() == S.RESOURCE_EXHAUSTED


def test_one_item_with_broken_text_leaves_its_neighbours(desk):
    batch = desk.api.payout.SubmitPayoutsRequest(payouts=[desk.request(), desk.request()]).SerializeToString()
    answer = desk.raw("PayoutService/SubmitPayouts")(batch.replace(b"Ayesha", b"Ay\xff\xfeha", 1), timeout=10)
    results = desk.api.payout.SubmitPayoutsResponse.FromString(answer).results
    assert [(r.outcome, r.reason) for r in results] == [(REFUSED, "TEXT_NOT_UTF8"), (ACCEPTED, "")]


# ---------------------------------------------------------------- what may change does not hide what was done
def test_a_retry_finds_its_payout_after_rates_went_stale(desk, new_gateway):
    p = desk.api.payout
    request = desk.request()
    quoted = desk.quote(request_id="before-stale")
    first = desk.payouts.SubmitPayout(request, timeout=10)
    # another daemon on the same ledger, to which the rates are too old by now
    strict = new_gateway(desk.g.database, rate_age_max="1s")
    payouts = strict.stub("payout", "PayoutService", "upwork")
    desk.refused(lambda: desk.submit(stub=payouts), S.FAILED_PRECONDITION, "RATE_STALE", "gross.currency_code")
    desk.refused(lambda: desk.quote(stub=payouts), S.FAILED_PRECONDITION, "RATE_STALE", "gross.currency_code")
    assert payouts.SubmitPayout(request, timeout=10).name == first.name
    assert desk.quote(request_id="before-stale", stub=payouts) == quoted
    results = payouts.SubmitPayouts(p.SubmitPayoutsRequest(payouts=[request, desk.request()]), timeout=10).results
    assert [(r.outcome, r.reason) for r in results] == [(DUPLICATE, ""), (REFUSED, "RATE_STALE")]
    strict.stop()


# ---------------------------------------------------------------- beneficiaries
def test_beneficiaries_are_registered_updated_and_listed(desk):
    b, p = desk.beneficiaries, desk.api.payout
    asked = p.RegisterBeneficiaryRequest(request_id=desk.fresh(), details=desk.person(display_name="عائشہ خان", cnic="3520212345671"))
    one = b.RegisterBeneficiary(asked, timeout=10)
    assert (one.version, one.details.display_name, one.details.bank_code, one.details.purpose_code) == (1, "عائشہ خان", "SCBL", "9186")
    assert b.RegisterBeneficiary(asked, timeout=10) == one
    asked.details.display_name = "B"
    desk.refused(lambda: b.RegisterBeneficiary(asked, timeout=10), S.ALREADY_EXISTS, "REFERENCE_REUSED", "request_id")
    two = b.UpdateBeneficiary(p.UpdateBeneficiaryRequest(name=one.name, version=1, details=desk.person(iban=IBAN_MUCB)), timeout=10)
    assert (two.version, two.details.bank_code) == (2, "MUCB")
    assert b.GetBeneficiary(p.GetBeneficiaryRequest(name=one.name), timeout=10) == two
    desk.refused(lambda: b.UpdateBeneficiary(p.UpdateBeneficiaryRequest(name=one.name, version=1, details=desk.person()), timeout=10),
                 S.FAILED_PRECONDITION, "STATE_CONFLICT", "version")
    paid = desk.submit(beneficiary=one.name)
    assert (paid.bank_code, paid.beneficiary) == ("MUCB", one.name)
    seen, token = [], ""
    while True:
        page = b.ListBeneficiaries(p.ListBeneficiariesRequest(page_size=2, page_token=token), timeout=10)
        seen += [x.name for x in page.beneficiaries]
        token = page.next_page_token
        if not token:
            break
    assert one.name in seen and len(set(seen)) == len(seen)
    desk.refused(lambda: b.ListBeneficiaries(p.ListBeneficiariesRequest(page_size=-1), timeout=10), S.INVALID_ARGUMENT, "PAGE_SIZE_INVALID", "page_size")
    desk.refused(lambda: b.ListBeneficiaries(p.ListBeneficiariesRequest(page_token="x"), timeout=10), S.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID", "page_token")


def test_what_a_payout_carried_is_not_updated(desk):
    name = desk.payouts.GetPayout(desk.api.payout.GetPayoutRequest(name=desk.submit().name), timeout=10).beneficiary
    desk.refused(lambda: desk.beneficiaries.UpdateBeneficiary(
        desk.api.payout.UpdateBeneficiaryRequest(name=name, details=desk.person(display_name="Mallory", iban=IBAN_MUCB)), timeout=10),
        S.NOT_FOUND, "BENEFICIARY_NOT_FOUND", "name")


def test_balances_are_a_platforms_own(desk):
    def usd(principal):
        answer = desk.g.stub("payout", "PayoutService", principal).GetBalance(desk.api.payout.GetBalanceRequest(), timeout=10)
        return {m.currency_code: m.minor_units for m in answer.available}
    before = usd("fiverr"), usd("upwork")
    desk.submit(10000)
    assert usd("fiverr") == before[0]
    assert usd("upwork")["USD"] == before[1]["USD"] - 10000


# ---------------------------------------------------------------- who may
def test_every_method_is_closed_to_every_other_role(desk):
    for uri in ("ujrat://auditor/demo", "ujrat://operator/demo"):
        desk.g.ujrat("principal", "add", uri)
    open_to = {"PayoutService": "platform", "BeneficiaryService": "platform", "SettlementService": "bank", "AuditService": "auditor"}
    also = {"GetTreeHead": "platform", "GetInclusionProof": "platform", "GetConsistencyProof": "platform", "GetReceipt": "platform"}
    principals = {"upwork": "platform", "MUCB": "bank", "auditor": "auditor", "operator": "operator"}
    channels = {name: desk.g.channel(name) for name in principals}
    wait_until(lambda: answer(channels["operator"], "/ujrat.payout.v1.PayoutService/GetBalance", desk.api) == "ROLE_FORBIDDEN", 5, "the operator to be known")
    tried = 0
    for area in (desk.api.payout, desk.api.settlement, desk.api.audit):
        for service in area.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                for name, role in principals.items():
                    if role not in (open_to[service.name], also.get(method.name)):
                        path = "/%s/%s" % (service.full_name, method.name)
                        assert answer(channels[name], path, desk.api) == "ROLE_FORBIDDEN", (path, name)
                        tried += 1
    assert tried > 50


def answer(channel, path, api):
    call = channel.unary_stream(path, request_serializer=bytes, response_deserializer=bytes)(b"", timeout=5)
    try:
        next(call)
        return None
    except grpc.RpcError as e:
        return reason(e, api)
    finally:
        call.cancel()


def test_strangers_are_not_served(desk):
    path = "/ujrat.payout.v1.PayoutService/GetBalance"
    # a platform that has a certificate and no book
    assert answer(desk.g.channel("freelancer"), path, desk.api) == "UNAUTHENTICATED_PRINCIPAL"
    nameless = desk.g.pki.issue("ujrat://platform/nobody")
    assert answer(desk.g.channel(nameless), path, desk.api) == "UNAUTHENTICATED_PRINCIPAL"
    with pytest.raises(grpc.RpcError):
        desk.g.channel(None).unary_unary(path)(b"", timeout=3)


def test_a_disabled_principal_is_shut_out_and_let_in_again(desk):
    stub = desk.g.stub("payout", "PayoutService", "fiverr")
    channel = desk.g.channel("fiverr")
    path = "/ujrat.payout.v1.PayoutService/GetBalance"
    stub.GetBalance(desk.api.payout.GetBalanceRequest(), timeout=10)
    desk.g.ujrat("principal", "disable", "ujrat://platform/fiverr")
    wait_until(lambda: answer(channel, path, desk.api) == "PRINCIPAL_DISABLED", 5, "the principal to be disabled")
    desk.g.ujrat("principal", "enable", "ujrat://platform/fiverr")
    wait_until(lambda: answer(channel, path, desk.api) is None, 5, "the principal to be enabled")


# ---------------------------------------------------------------- logs
def test_logs_hold_no_secrets_and_no_whole_numbers(desk):
    desk.submit(beneficiary_details=desk.person(cnic="4210198765432"))
    log = desk.g.log()
    assert "event=payout.accepted" in log and "payout=platforms/upwork/payouts/" in log and "reason=IBAN_CHECKSUM" in log
    for secret in (IBAN_SCBL, IBAN_MUCB, "4210198765432", "3520212345671", "pgpass", "password"):
        assert secret not in log
