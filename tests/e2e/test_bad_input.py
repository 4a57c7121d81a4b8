"""Bad input, item by item: a clear refusal that names reason and field, and nothing has changed."""
import socket
import ssl
import struct
import time
import types

import grpc
import pytest

from test_transport_interop import RawH2
from world import SECONDS, World, iban, number, price, refusal

S = grpc.StatusCode
PAYOUTS = "/ujrat.payout.v1.PayoutService/"
INVALID, PRECONDITION = S.INVALID_ARGUMENT, S.FAILED_PRECONDITION
FLOAT = 100_000


@pytest.fixture(scope="module")
def shop(world):
    """One platform that is always asked, another beside it, and a bank; what they have is not changed by these tests."""
    s = types.SimpleNamespace(world=world, api=world.api, bank=world.bank(), a=world.platform(USD=FLOAT), b=world.platform())
    s.who = s.a.register(s.bank).name
    s.quote = s.a.quote(5_000).name
    s.foreign_who = s.b.register(s.bank).name
    s.foreign_quote = s.b.quote(5_000).name
    return s


@pytest.fixture(scope="module")
def stale(new_gateway, world):
    """The same database through a gateway that takes every rate for too old."""
    gateway = new_gateway(world.database, registry_refresh="100ms", rate_age_max="1s")
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def hasty(new_gateway, world):
    """The same database through a gateway whose quotes hold a moment."""
    gateway = new_gateway(world.database, registry_refresh="100ms", rate_age_max="3650d", quote_ttl="100ms")
    yield gateway
    gateway.stop()


# ---------------------------------------------------------------- what is wrong with a payout
def gross(minor, ccy="USD"):
    def change(s, request):
        request.gross.minor_units, request.gross.currency_code = minor, ccy
    return change


def field(name, value):
    def change(s, request):
        setattr(request, name, value(s) if callable(value) else value)
    return change


def without(name):
    return lambda s, request: request.ClearField(name)


def details(**changes):
    def change(s, request):
        request.ClearField("beneficiary")
        request.beneficiary_details.CopyFrom(s.a.details(s.bank, **{
            k: v(s) if callable(v) else v for k, v in changes.items()}))
    return change


ALIAS = dict(iban=None, mobile_alias="03001234567", bank_code=lambda s: s.bank.code)
DETAILS = [
    ("iban checksum", dict(iban="PK27MPBL1181017140122674"), INVALID, "IBAN_CHECKSUM", "iban"),
    ("iban check digits never computed", dict(iban="PK99MUCB0646609971000177"), INVALID, "IBAN_CHECKSUM", "iban"),
    ("iban foreign", dict(iban="GB82WEST12345698765432"), INVALID, "IBAN_COUNTRY", "iban"),
    ("iban foreign of our length", dict(iban="ES9121000418450200051332"), INVALID, "IBAN_COUNTRY", "iban"),
    ("iban short", dict(iban="PK24MUCB064660997100017"), INVALID, "IBAN_LENGTH", "iban"),
    ("iban long", dict(iban="PK24MUCB06466099710001770"), INVALID, "IBAN_LENGTH", "iban"),
    ("iban with spaces", dict(iban="PK24 MUCB 0646 6099 7100 0177"), INVALID, "IBAN_SHAPE", "iban"),
    ("iban in lower case", dict(iban="pk24mucb0646609971000177"), INVALID, "IBAN_SHAPE", "iban"),
    ("iban with NUL", dict(iban="PK24MUCB06466099710001\x0077"), INVALID, "IBAN_SHAPE", "iban"),
    ("iban with digits for a bank", dict(iban="PK2412340646609971000177"), INVALID, "IBAN_SHAPE", "iban"),
    ("iban of an unknown bank", dict(iban=lambda s: iban("ZZZZ")), INVALID, "IBAN_BANK_UNKNOWN", "iban"),
    ("iban of a bank not connected", dict(iban=lambda s: iban(s.world._free_banks[0])), PRECONDITION, "BANK_NOT_CONNECTED", "iban"),
    ("neither iban nor alias", dict(iban=None), INVALID, "FIELD_REQUIRED", "iban"),
    ("iban and alias", dict(mobile_alias="03001234567"), INVALID, "FIELD_CONFLICT", "mobile_alias"),
    ("iban and another bank", dict(bank_code="MPBL"), INVALID, "FIELD_CONFLICT", "bank_code"),
    ("alias short", dict(ALIAS, mobile_alias="0300123456"), INVALID, "MOBILE_SHAPE", "mobile_alias"),
    ("alias foreign", dict(ALIAS, mobile_alias="+449001234567"), INVALID, "MOBILE_SHAPE", "mobile_alias"),
    ("alias without bank", dict(ALIAS, bank_code=None), INVALID, "FIELD_REQUIRED", "bank_code"),
    ("alias at an unknown bank", dict(ALIAS, bank_code="ZZZZ"), INVALID, "IBAN_BANK_UNKNOWN", "bank_code"),
    ("cnic short", dict(cnic="421010000000"), INVALID, "CNIC_LENGTH", "cnic"),
    ("cnic long", dict(cnic="42101000000012"), INVALID, "CNIC_LENGTH", "cnic"),
    ("cnic with letters", dict(cnic="42101A0000001"), INVALID, "CNIC_SHAPE", "cnic"),
    ("cnic with dashes elsewhere", dict(cnic="4210-1000000-12"), INVALID, "CNIC_SHAPE", "cnic"),
    ("cnic in other digits", dict(cnic="٤٢١٠١٠٠٠٠٠٠٠١"), INVALID, "CNIC_SHAPE", "cnic"),
    ("cnic missing", dict(cnic=None), INVALID, "FIELD_REQUIRED", "cnic"),
    ("name empty", dict(display_name=None), INVALID, "NAME_EMPTY", "display_name"),
    ("name of spaces", dict(display_name="  \u3000\u200b "), INVALID, "NAME_EMPTY", "display_name"),
    ("name over-long", dict(display_name="A" * 141), INVALID, "NAME_TOO_LONG", "display_name"),
    ("name over-long in Urdu", dict(display_name="ع" * 141), INVALID, "NAME_TOO_LONG", "display_name"),
    ("name with NUL", dict(display_name="Ayesha\0Khan"), INVALID, "TEXT_HAS_NUL", "display_name"),
    ("name with a line feed", dict(display_name="Ayesha\nKhan"), INVALID, "TEXT_HAS_NUL", "display_name"),
    ("pseb over-long", dict(pseb_registration="P" * 36), INVALID, "TEXT_TOO_LONG", "pseb_registration"),
    ("channel missing", dict(channel=None), INVALID, "CHANNEL_UNKNOWN", "channel"),
    ("channel of the future", dict(channel=7), INVALID, "CHANNEL_UNKNOWN", "channel"),
    ("purpose code of letters", dict(purpose_code="91A6"), INVALID, "PURPOSE_CODE_UNKNOWN", "purpose_code"),
    ("purpose code short", dict(purpose_code="918"), INVALID, "PURPOSE_CODE_UNKNOWN", "purpose_code"),
]
PAYOUT = [
    ("amount zero", gross(0), INVALID, "AMOUNT_ZERO", "gross.minor_units"),
    ("amount negative", gross(-1), INVALID, "AMOUNT_NEGATIVE", "gross.minor_units"),
    ("amount as negative as can be", gross(-2**63), INVALID, "AMOUNT_NEGATIVE", "gross.minor_units"),
    ("amount over the limit", gross(2_000_001), INVALID, "AMOUNT_OVER_LIMIT", "gross.minor_units"),
    ("amount as large as can be", gross(2**63 - 1), INVALID, "AMOUNT_OVER_LIMIT", "gross.minor_units"),
    ("amount that the fee takes", gross(100), INVALID, "AMOUNT_BELOW_FEE", "gross.minor_units"),
    ("amount the float does not cover", gross(FLOAT + 1), PRECONDITION, "INSUFFICIENT_FLOAT", "gross.minor_units"),
    ("a currency without float", gross(5_000, "EUR"), PRECONDITION, "CURRENCY_NOT_SUPPORTED", "gross.currency_code"),
    ("rupees without float", gross(5_000, "PKR"), PRECONDITION, "CURRENCY_NOT_SUPPORTED", "gross.currency_code"),
    ("currency unknown", gross(5_000, "XYZ"), INVALID, "CURRENCY_UNKNOWN", "gross.currency_code"),
    ("currency in lower case", gross(5_000, "usd"), INVALID, "CURRENCY_UNKNOWN", "gross.currency_code"),
    ("currency too long", gross(5_000, "USDX"), INVALID, "CURRENCY_UNKNOWN", "gross.currency_code"),
    ("currency too short", gross(5_000, "US"), INVALID, "CURRENCY_UNKNOWN", "gross.currency_code"),
    ("currency missing", gross(5_000, ""), INVALID, "FIELD_REQUIRED", "gross.currency_code"),
    ("amount missing", without("gross"), INVALID, "FIELD_REQUIRED", "gross"),
    ("reference missing", without("reference"), INVALID, "REFERENCE_EMPTY", "reference"),
    ("reference with space", field("reference", "a b"), INVALID, "REFERENCE_SHAPE", "reference"),
    ("reference over-long", field("reference", "r" * 64), INVALID, "REFERENCE_SHAPE", "reference"),
    ("reference not ASCII", field("reference", "حوالہ"), INVALID, "REFERENCE_SHAPE", "reference"),
    ("reference with NUL", field("reference", "a\0b"), INVALID, "REFERENCE_SHAPE", "reference"),
    ("nobody to pay", without("beneficiary"), INVALID, "FIELD_REQUIRED", "beneficiary"),
    ("beneficiary unknown", field("beneficiary", lambda s: "platforms/%s/beneficiaries/999" % s.a.code), S.NOT_FOUND,
     "BENEFICIARY_NOT_FOUND", "beneficiary"),
    ("beneficiary number zero", field("beneficiary", lambda s: "platforms/%s/beneficiaries/0" % s.a.code), INVALID,
     "FIELD_INVALID", "beneficiary"),
    ("beneficiary number too large", field("beneficiary", lambda s: "platforms/%s/beneficiaries/9223372036854775808" % s.a.code),
     INVALID, "FIELD_INVALID", "beneficiary"),
    ("beneficiary that is a quote", field("beneficiary", lambda s: s.quote), INVALID, "FIELD_INVALID", "beneficiary"),
    ("beneficiary that is nothing", field("beneficiary", "5"), INVALID, "FIELD_INVALID", "beneficiary"),
    ("beneficiary of another", field("beneficiary", lambda s: s.foreign_who), S.PERMISSION_DENIED, "RESOURCE_FORBIDDEN",
     "beneficiary"),
    ("beneficiary twice over", lambda s, r: r.beneficiary_details.CopyFrom(s.a.details(s.bank)), INVALID, "FIELD_CONFLICT",
     "beneficiary_details"),
    ("quote unknown", field("quote", lambda s: "platforms/%s/quotes/999" % s.a.code), S.NOT_FOUND, "QUOTE_NOT_FOUND", "quote"),
    ("quote of another", field("quote", lambda s: s.foreign_quote), S.PERMISSION_DENIED, "RESOURCE_FORBIDDEN", "quote"),
    ("quote that is none", field("quote", "17"), INVALID, "FIELD_INVALID", "quote"),
    ("remittance information over-long", field("remittance_information", "x" * 141), INVALID, "TEXT_TOO_LONG",
     "remittance_information"),
    ("remittance information with NUL", field("remittance_information", "a\0b"), INVALID, "TEXT_HAS_NUL",
     "remittance_information"),
] + [(name, details(**changes), code, reason, "beneficiary_details." + where)
     for name, changes, code, reason, where in DETAILS]


def bad_payout(shop, change):
    request = shop.a.request(shop.who, 5_000)
    change(shop, request)
    return request


def said(no, code, reason, where):
    assert (no.code, no.reason) == (code, reason), no
    assert no.fields == ([where] if where else []), no
    assert no.message and (where is None or where in no.message), no
    if where:
        violation, = no.details["BadRequest"].field_violations
        assert violation.description


@pytest.mark.parametrize("name,change,code,reason,where", PAYOUT, ids=[p[0] for p in PAYOUT])
def test_a_bad_payout_is_refused_and_nothing_changes(shop, name, change, code, reason, where):
    request = bad_payout(shop, change)
    with shop.world.nothing_changes():
        said(shop.world.refused(shop.a.payouts.SubmitPayout, request), code, reason, where)


def test_every_bad_payout_at_once_in_a_batch_is_refused_alone(shop):
    """Each gets the reason it gets alone, at its place, and its good neighbours are paid."""
    platform = shop.world.platform(USD=FLOAT)
    local = types.SimpleNamespace(world=shop.world, api=shop.api, bank=shop.bank, a=platform,
                                  quote=platform.quote(5_000).name, foreign_who=shop.foreign_who,
                                  foreign_quote=shop.foreign_quote, who=platform.register(shop.bank).name)
    requests = []
    for _, change, _, _, _ in PAYOUT:
        requests += [bad_payout(local, change), platform.request(local.who, 200)]
    results = platform.batch(requests)
    R = shop.api.payout.SubmitPayoutResult
    for i, (name, _, _, reason, where) in enumerate(PAYOUT):
        bad, good = results[2 * i], results[2 * i + 1]
        assert good.outcome == R.OUTCOME_ACCEPTED, (name, good)
        assert (bad.outcome, bad.reason, bad.field) == (R.OUTCOME_REFUSED, reason, "payouts[%d].%s" % (2 * i, where)), name
        assert bad.message and not bad.payout
    assert platform.balance() == FLOAT - 200 * len(PAYOUT)


@pytest.mark.parametrize("name,changes,code,reason,where", DETAILS, ids=[d[0] for d in DETAILS])
def test_a_bad_beneficiary_is_neither_registered_nor_updated(shop, name, changes, code, reason, where):
    bad = shop.a.details(shop.bank, **{k: v(shop) if callable(v) else v for k, v in changes.items()})
    with shop.world.nothing_changes():
        said(shop.world.refused(shop.a.beneficiaries.RegisterBeneficiary, shop.api.payout.RegisterBeneficiaryRequest(
            request_id="bad-%d" % number(), details=bad)), code, reason, "details." + where)
        said(shop.world.refused(shop.a.beneficiaries.UpdateBeneficiary, shop.api.payout.UpdateBeneficiaryRequest(
            name=shop.who, details=bad)), code, reason, "details." + where)


@pytest.mark.parametrize("change,code,reason,where", [
    (dict(request_id=""), INVALID, "REFERENCE_EMPTY", "request_id"),
    (dict(request_id="x" * 64), INVALID, "REFERENCE_SHAPE", "request_id"),
    (dict(details=None), INVALID, "FIELD_REQUIRED", "details"),
])
def test_a_registration_without_what_it_needs(shop, change, code, reason, where):
    fields = dict(request_id="r-%d" % number(), details=shop.a.details(shop.bank))
    fields.update(change)
    with shop.world.nothing_changes():
        said(shop.world.refused(shop.a.beneficiaries.RegisterBeneficiary, shop.api.payout.RegisterBeneficiaryRequest(
            **{k: v for k, v in fields.items() if v is not None})), code, reason, where)


@pytest.mark.parametrize("change,code,reason,where", [
    (dict(gross=(0, "USD")), INVALID, "AMOUNT_ZERO", "gross.minor_units"),
    (dict(gross=(-5, "USD")), INVALID, "AMOUNT_NEGATIVE", "gross.minor_units"),
    (dict(gross=(2_000_001, "USD")), INVALID, "AMOUNT_OVER_LIMIT", "gross.minor_units"),
    (dict(gross=(99, "USD")), INVALID, "AMOUNT_BELOW_FEE", "gross.minor_units"),
    (dict(gross=(5_000, "EUR")), PRECONDITION, "CURRENCY_NOT_SUPPORTED", "gross.currency_code"),
    (dict(gross=(5_000, "XXY")), INVALID, "CURRENCY_UNKNOWN", "gross.currency_code"),
    (dict(gross=None), INVALID, "FIELD_REQUIRED", "gross"),
    (dict(target="QQQ"), INVALID, "CURRENCY_UNKNOWN", "target_currency_code"),
    (dict(target="USD"), PRECONDITION, "CURRENCY_NOT_SUPPORTED", "target_currency_code"),
    (dict(request_id=""), INVALID, "REFERENCE_EMPTY", "request_id"),
    (dict(request_id="a" * 64), INVALID, "REFERENCE_SHAPE", "request_id"),
])
def test_a_bad_quote_is_not_made(shop, change, code, reason, where):
    request = shop.api.payout.CreateQuoteRequest(gross=shop.a.money(5_000), request_id="q-%d" % number())
    if "gross" in change:
        request.ClearField("gross")
        if change["gross"]:
            request.gross.minor_units, request.gross.currency_code = change["gross"]
    request.target_currency_code = change.get("target", "")
    request.request_id = change.get("request_id", request.request_id)
    with shop.world.nothing_changes():
        said(shop.world.refused(shop.a.payouts.CreateQuote, request), code, reason, where)


# ---------------------------------------------------------------- the limits themselves are good
def test_what_is_just_good_is_taken(shop):
    platform = shop.world.platform(USD=2_000_000)
    for request in (platform.request(platform.details(shop.bank, display_name="ع" * 140), 200, reference="r" * 63),
                    platform.request(platform.details(shop.bank, pseb_registration="P" * 35), 200, reference="!~"),
                    platform.request(platform.details(shop.bank, pseb_registration=None), 101,
                                     remittance_information="ر" * 140)):
        assert platform.payouts.SubmitPayout(request, timeout=SECONDS).pricing.net.minor_units > 0
    left = platform.balance()
    platform.submit(platform.details(shop.bank), left)
    assert platform.balance() == 0


# ---------------------------------------------------------------- references and quotes
def test_a_reference_used_again_with_another_body(shop):
    platform = shop.world.platform()
    who = platform.details(shop.bank)
    first = platform.request(who, 5_000, reference="once", remittance_information="a")
    platform.payouts.SubmitPayout(first, timeout=SECONDS)
    other_name, other_info, other_quote = (shop.api.payout.SubmitPayoutRequest() for _ in range(3))
    for other in (other_name, other_info, other_quote):
        other.CopyFrom(first)
    other_name.beneficiary_details.display_name = "Ayesha Khaan"
    other_info.remittance_information = "b"
    other_quote.quote = platform.quote(5_000).name
    with shop.world.nothing_changes():
        for request in (platform.request(who, 5_001, reference="once", remittance_information="a"),
                        platform.request(platform.details(shop.bank), 5_000, reference="once", remittance_information="a"),
                        other_name, other_info, other_quote):
            said(shop.world.refused(platform.payouts.SubmitPayout, request), S.ALREADY_EXISTS, "REFERENCE_REUSED", "reference")


def test_an_expired_quote(shop, hasty):
    here = World.__new__(World)  # the same world, seen through the other gateway
    here.__dict__.update(shop.world.__dict__, gateway=hasty)
    platform = type(shop.a)(here, shop.a.code)
    quote = platform.quote(5_000)
    assert quote.expire_time.ToMilliseconds() - quote.create_time.ToMilliseconds() == 100

    time.sleep(0.2)
    with shop.world.nothing_changes():
        for asked in (platform, shop.a):
            said(refusal(shop.api, asked.payouts.SubmitPayout, asked.request(shop.who, 5_000, quote=quote.name)),
                 PRECONDITION, "QUOTE_EXPIRED", "quote")


def test_a_used_quote(shop):
    platform = shop.world.platform()
    who, quote = platform.register(shop.bank).name, platform.quote(5_000).name
    platform.submit(who, 5_000, quote=quote)
    with shop.world.nothing_changes():
        said(shop.world.refused(platform.payouts.SubmitPayout, platform.request(who, 5_000, quote=quote)), PRECONDITION,
             "QUOTE_USED", "quote")


def test_a_quote_for_another_amount_or_currency(shop):
    platform = shop.world.platform(USD=50_000, EUR=50_000)
    who, quote = platform.register(shop.bank).name, platform.quote(5_000).name
    with shop.world.nothing_changes():
        for minor, ccy in ((5_001, "USD"), (4_999, "USD"), (5_000, "EUR")):
            said(shop.world.refused(platform.payouts.SubmitPayout, platform.request(who, minor, ccy, quote=quote)), INVALID,
                 "QUOTE_MISMATCH", "quote")
    platform.submit(who, 5_000, quote=quote)


def test_someone_elses_quote_is_answered_the_same_whether_it_exists(shop):
    with shop.world.nothing_changes():
        answers = [shop.world.refused(shop.a.payouts.SubmitPayout, shop.a.request(shop.who, 5_000, quote=name))
                   for name in (shop.foreign_quote, "platforms/%s/quotes/4711" % shop.b.code, "platforms/nobody/quotes/1")]
    assert len({(no.code, no.reason, no.message, tuple(no.fields)) for no in answers}) == 1


# ---------------------------------------------------------------- rates
def test_a_stale_rate_prices_nothing(shop, stale):
    payouts = stale.stub("payout", "PayoutService", shop.a.code)
    with shop.world.nothing_changes():
        said(refusal(shop.api, payouts.SubmitPayout, shop.a.request(shop.who, 5_000)), PRECONDITION, "RATE_STALE",
             "gross.currency_code")
        said(refusal(shop.api, payouts.CreateQuote, shop.api.payout.CreateQuoteRequest(
            gross=shop.a.money(5_000), request_id="stale")), PRECONDITION, "RATE_STALE", "gross.currency_code")


def test_a_quote_is_kept_though_the_rate_went_stale_meanwhile(shop, stale):
    platform = shop.world.platform()
    quote = platform.quote(5_000, request_id="kept")
    who = platform.register(shop.bank).name
    payouts = stale.stub("payout", "PayoutService", platform.code)
    World.until_known(payouts.GetBalance, shop.api.payout.GetBalanceRequest())
    again = payouts.CreateQuote(shop.api.payout.CreateQuoteRequest(gross=platform.money(5_000), request_id="kept"),
                                timeout=SECONDS)
    assert again == quote
    payout = payouts.SubmitPayout(platform.request(who, 5_000, quote=quote.name), timeout=SECONDS)
    assert payout.pricing == quote.pricing


def test_a_currency_without_a_rate_prices_nothing(shop):
    platform = shop.world.platform(PLN=100_000)
    who = platform.register(shop.bank).name
    with shop.world.nothing_changes():
        said(shop.world.refused(platform.payouts.SubmitPayout, platform.request(who, 5_000, "PLN")), PRECONDITION,
             "RATE_MISSING", "gross.currency_code")


# ---------------------------------------------------------------- bytes
def raw(platform, method, path=None):
    """A call that sends the bytes it is given."""
    return platform.channel.unary_unary(path or PAYOUTS + method, response_deserializer=platform.api.payout.Payout.FromString)


@pytest.mark.parametrize("bad", [b"\xff\xfe\xfd\xfc", b"A\xc0\x80B", b"\xed\xa0\x80A", b"\xf5\x80\x80\x80", b"AB\xd8\x41"])
def test_invalid_utf8(shop, bad):
    good = shop.a.request(shop.a.details(shop.bank, display_name="@@@@"), 5_000).SerializeToString()
    assert good.count(b"@@@@") == 1
    with shop.world.nothing_changes():
        said(shop.world.refused(raw(shop.a, "SubmitPayout"), good.replace(b"@@@@", bad)), INVALID, "TEXT_NOT_UTF8",
             "beneficiary_details.display_name")
    good = shop.a.request(shop.who, 5_000, remittance_information="@@@@").SerializeToString()
    with shop.world.nothing_changes():
        said(shop.world.refused(raw(shop.a, "SubmitPayout"), good.replace(b"@@@@", bad)), INVALID, "TEXT_NOT_UTF8",
             "remittance_information")


def test_invalid_utf8_in_a_batch_spoils_its_item_only(shop):
    platform = shop.world.platform()
    who = platform.register(shop.bank).name
    batch = shop.api.payout.SubmitPayoutsRequest(payouts=[
        platform.request(who), platform.request(who, reference="@@@@"),
        platform.request(platform.details(shop.bank, display_name="@@@@")), platform.request(who)])
    call = platform.channel.unary_unary(PAYOUTS + "SubmitPayouts",
                                        response_deserializer=shop.api.payout.SubmitPayoutsResponse.FromString)
    results = call(batch.SerializeToString().replace(b"@@@@", b"\xff\xfe\xfd\xfc"), timeout=SECONDS).results
    assert [(r.outcome, r.reason, r.field) for r in results] == [
        (1, "", ""), (3, "REFERENCE_SHAPE", "payouts[1].reference"),
        (3, "TEXT_NOT_UTF8", "payouts[2].beneficiary_details.display_name"), (1, "", "")]


def varint(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n % 128 + 128]), n // 128
    return out + bytes([n])


def unknown(count, payload=b"", first=1000):
    """Fields that no message of ours has."""
    if payload:
        return b"".join(varint((first + i) * 8 + 2) + varint(len(payload)) + payload for i in range(count))
    return b"".join(varint((first + i) * 8) + b"\1" for i in range(count))


@pytest.mark.parametrize("junk", [unknown(1, b"j") * 21845, unknown(1) * 21845, unknown(64, b"k" * 1020), unknown(1, b"x" * 65536),
                                  unknown(65)], ids=["64K of one", "64K of varints", "64 of 1K", "one of 64K", "65 small"])
def test_junk_fields_are_refused(shop, junk):
    good = shop.a.request(shop.who, 5_000).SerializeToString()
    with shop.world.nothing_changes():
        for message in (good + junk, junk + good):
            said(shop.world.refused(raw(shop.a, "SubmitPayout"), message), INVALID, "TOO_MANY_UNKNOWN_FIELDS", None)


def test_a_few_unknown_fields_are_fine(shop):
    platform = shop.world.platform()
    request = platform.request(platform.details(shop.bank), 5_000, reference="with-more")
    message = unknown(5, b"new") + request.SerializeToString() + unknown(5)
    payout = raw(platform, "SubmitPayout")(message, timeout=SECONDS)
    assert payout.pricing.net.minor_units == price(5_000).net
    # and they are no part of the body: the same without them is the same
    assert platform.payouts.SubmitPayout(request, timeout=SECONDS).name == payout.name


def test_a_message_cut_anywhere_is_refused(shop):
    platform = shop.world.platform()
    request = platform.request(platform.details(shop.bank), 5_000, remittance_information="cut me")
    whole = request.SerializeToString()
    call, tried = raw(platform, "SubmitPayout"), 0
    with shop.world.nothing_changes():
        for length in range(1, len(whole)):
            try:
                shop.api.payout.SubmitPayoutRequest.FromString(whole[:length])
            except Exception:  # DecodeError, or RuntimeError of upb
                tried += 1
                no = shop.world.refused(call, whole[:length])
                assert (no.code, no.reason) == (INVALID, "MALFORMED_MESSAGE"), length
    assert tried > 80


@pytest.mark.parametrize("message", [b"\xff" * 20, b"\0", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", b"\x07", b"\x0c", b"\x0b" * 40],
                         ids=["ones", "tag zero", "length beyond", "wire type 7", "group end", "groups in groups"])
def test_bytes_that_are_no_protobuf(shop, message):
    with shop.world.nothing_changes():
        no = shop.world.refused(raw(shop.a, "SubmitPayout"), message)
        assert (no.code, no.reason) == (INVALID, "MALFORMED_MESSAGE")


def test_an_over_long_message(shop):
    with shop.world.nothing_changes():
        no = shop.world.refused(raw(shop.a, "SubmitPayout"), b"x" * (300 << 10))
        assert no.code == S.RESOURCE_EXHAUSTED and str(256 << 10) in no.message
        no = shop.world.refused(raw(shop.a, "SubmitPayouts"), b"x" * (17 << 20))
        assert no.code == S.RESOURCE_EXHAUSTED


def test_compressed_messages_are_refused(shop):
    with shop.world.nothing_changes():
        no = shop.world.refused(shop.a.payouts.SubmitPayout, shop.a.request(shop.who, 5_000, remittance_information="a" * 100),
                                compression=grpc.Compression.Gzip)
        assert no.code == S.UNIMPLEMENTED


# ---------------------------------------------------------------- transport
@pytest.mark.parametrize("path", [PAYOUTS + "PayEverybody", PAYOUTS, PAYOUTS + "SubmitPayout/", PAYOUTS + "submitpayout",
                                  "/ujrat.payout.v2.PayoutService/SubmitPayout", "/SubmitPayout"])
def test_a_wrong_path(shop, path):
    with shop.world.nothing_changes():
        no = shop.world.refused(raw(shop.a, None, path), shop.a.request(shop.who, 5_000).SerializeToString())
        assert no.code == S.UNIMPLEMENTED


def connect(shop):
    return RawH2(shop.world.gateway.port, shop.world.pki.folder, shop.a.code)


def submit_block(shop, *extra, kind=b"application/grpc", method=b"POST", path=None):
    return RawH2.hpack([(b":method", method), (b":scheme", b"https"), (b":path", (path or PAYOUTS + "SubmitPayout").encode()),
                        (b":authority", b"localhost"), (b"te", b"trailers"), (b"content-type", kind), *extra])


def submit_data(shop):
    message = shop.a.request(shop.who, 5_000).SerializeToString()
    return b"\0" + struct.pack("!I", len(message)) + message


@pytest.mark.parametrize("kind", [b"application/json", b"application/grpc-web", b"text/plain", b"application/grpc+json"])
def test_a_wrong_content_type(shop, kind):
    with shop.world.nothing_changes():
        conn = connect(shop)
        conn.frame(RawH2.HEADERS, 4, 1, submit_block(shop, kind=kind))
        conn.frame(RawH2.DATA, 1, 1, submit_data(shop))
        answer = conn.wait_for(lambda f: f.type == RawH2.HEADERS and f.stream == 1)
        assert answer is not None and b"415" in answer.payload
        conn.close()


def test_the_wrong_method(shop):
    with shop.world.nothing_changes():
        conn = connect(shop)
        conn.frame(RawH2.HEADERS, 5, 1, submit_block(shop, method=b"GET"))
        answer = conn.wait_for(lambda f: f.type == RawH2.HEADERS and f.stream == 1)
        assert answer is not None and b"405" in answer.payload
        conn.close()


def everything(sock):
    sock.settimeout(SECONDS)
    got = b""
    try:
        while more := sock.recv(65536):
            got += more
    except (ssl.SSLError, ConnectionError):
        pass
    return got


POST = (b"POST " + PAYOUTS.encode() + b"SubmitPayout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc\r\n"
        b"Content-Length: 0\r\n\r\n")


def test_http_1_1_to_the_port(shop):
    context = ssl.create_default_context(cafile=shop.world.pki.ca)
    context.load_cert_chain(*shop.world.pki.pair(shop.a.code))
    with shop.world.nothing_changes():
        for protocols in (["http/1.1"], []):
            if protocols:
                context.set_alpn_protocols(protocols)
            with context.wrap_socket(socket.create_connection(("localhost", shop.world.gateway.port), SECONDS),
                                     server_hostname="localhost") as tls:
                tls.sendall(POST)
                assert everything(tls).startswith(b"HTTP/1.1 505 ")


def test_plain_text_to_the_tls_port(shop):
    with shop.world.nothing_changes():
        with socket.create_connection(("localhost", shop.world.gateway.port), SECONDS) as plain:
            plain.sendall(POST)
            assert everything(plain).startswith(b"HTTP/1.1 400 ")
        with socket.create_connection(("localhost", shop.world.gateway.port), SECONDS) as plain:
            plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            assert not everything(plain).startswith(b"HTTP/1.1 2")
    with grpc.insecure_channel(shop.world.gateway.address) as channel:
        stub = shop.api.payout_grpc.PayoutServiceStub(channel)
        no = refusal(shop.api, stub.GetBalance, shop.api.payout.GetBalanceRequest(), timeout=SECONDS)
        assert no.code == S.UNAVAILABLE


def test_tls_1_2_is_not_spoken(shop):
    context = ssl.create_default_context(cafile=shop.world.pki.ca)
    context.load_cert_chain(*shop.world.pki.pair(shop.a.code))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        context.wrap_socket(socket.create_connection(("localhost", shop.world.gateway.port), SECONDS),
                            server_hostname="localhost")


def test_ten_thousand_resets(shop):
    """Headers, message and reset of real payouts. Those whose reset came first are nothing; whatever was posted, if any,
    is there once; the next client is served."""
    world, platform = shop.world, shop.world.platform(USD=FLOAT)
    conn = RawH2(world.gateway.port, world.pki.folder, platform.code)
    block, reset = submit_block(shop), struct.pack("!I", 8)
    try:
        for first in range(1, 20_001, 200):
            out = b""
            for stream in range(first, first + 200, 2):
                out += RawH2.pack(RawH2.HEADERS, 4, stream, block) + RawH2.pack(RawH2.RST_STREAM, 0, stream, reset)
            conn.socket.sendall(out)
    except OSError:
        pass  # sent away before the end
    gone = conn.wait_for(lambda f: f.type == RawH2.GOAWAY)
    assert gone is not None
    conn.close()
    assert platform.balance() == FLOAT
    assert platform.submit(platform.details(shop.bank), 5_000).pricing.net.minor_units == price(5_000).net


def test_an_oversized_header(shop):
    with shop.world.nothing_changes():
        no = shop.world.refused(shop.a.payouts.SubmitPayout, shop.a.request(shop.who, 5_000),
                                metadata=[("x-long-%d" % i, "x" * 4000) for i in range(8)])
        assert no.code in (S.RESOURCE_EXHAUSTED, S.INTERNAL)
        conn = connect(shop)
        block = submit_block(shop, (b"x-long", b"x" * 9000), (b"x-more", b"x" * 9000))
        conn.frame(RawH2.HEADERS, 0, 1, block[:16384])
        conn.frame(RawH2.CONTINUATION, 4, 1, block[16384:])
        assert conn.wait_for(lambda f: f.type == RawH2.HEADERS and f.stream == 1 and f.flags & 1)
        conn.close()


def test_a_batch_empty_or_too_large(shop):
    with shop.world.nothing_changes():
        no = shop.world.refused(shop.a.payouts.SubmitPayouts, shop.api.payout.SubmitPayoutsRequest())
        said(no, INVALID, "BATCH_EMPTY", "payouts")
        small = shop.api.payout.SubmitPayoutRequest(reference="x")
        no = shop.world.refused(shop.a.payouts.SubmitPayouts, shop.api.payout.SubmitPayoutsRequest(payouts=[small] * 15_001))
        said(no, INVALID, "BATCH_TOO_LARGE", "payouts")


# ---------------------------------------------------------------- what banks may say wrongly
@pytest.fixture(scope="module")
def told(shop):
    """An instruction that its bank has been told, and another that it has settled."""
    bank, platform = shop.world.bank(), shop.world.platform()
    for _ in range(2):
        platform.submit(platform.details(bank), 5_000)
    open_, settled = bank.take(2)
    assert bank.confirm(bank.settled(settled))[0].outcome == 1
    return types.SimpleNamespace(bank=bank, open=open_, settled=settled)


def money(minor, ccy="PKR"):
    return lambda c: (setattr(c.amount, "minor_units", minor), setattr(c.amount, "currency_code", ccy))


def tax(minor, ccy="PKR"):
    return lambda c: (setattr(c.tax_withheld, "minor_units", minor), setattr(c.tax_withheld, "currency_code", ccy))


NET = price(5_000).net
CONFIRMATIONS = [
    ("no id", lambda c: c.ClearField("instruction_id"), "FIELD_REQUIRED", "instruction_id"),
    ("an id of nothing", lambda c: setattr(c, "instruction_id", "abc"), "INSTRUCTION_NOT_FOUND", "instruction_id"),
    ("no status", lambda c: c.ClearField("status"), "FIELD_REQUIRED", "status"),
    ("a status of the future", lambda c: setattr(c, "status", 9), "FIELD_INVALID", "status"),
    ("no amount", lambda c: c.ClearField("amount"), "FIELD_REQUIRED", "amount"),
    ("another amount", money(NET - 1), "FIELD_INVALID", "amount"),
    ("another currency", money(NET, "USD"), "CURRENCY_MISMATCH", "amount"),
    ("an unknown currency", money(NET, "ZZZ"), "CURRENCY_UNKNOWN", "amount"),
    ("no reference", lambda c: c.ClearField("bank_reference"), "FIELD_REQUIRED", "bank_reference"),
    ("a reference over-long", lambda c: setattr(c, "bank_reference", "x" * 36), "TEXT_TOO_LONG", "bank_reference"),
    ("a reference with NUL", lambda c: setattr(c, "bank_reference", "x\0"), "TEXT_HAS_NUL", "bank_reference"),
    ("tax below zero", tax(-1), "AMOUNT_NEGATIVE", "tax_withheld"),
    ("more tax than money", tax(NET + 1), "AMOUNT_OVER_LIMIT", "tax_withheld"),
    ("tax in another currency", tax(1, "USD"), "CURRENCY_MISMATCH", "tax_withheld"),
    ("e-PRC over-long", lambda c: setattr(c, "eprc_number", "1" * 36), "TEXT_TOO_LONG", "eprc_number"),
    ("settled with a reason", lambda c: setattr(c, "reason_code", "AC04"), "FIELD_CONFLICT", "reason_code"),
]


@pytest.mark.parametrize("name,change,reason,where", CONFIRMATIONS, ids=[c[0] for c in CONFIRMATIONS])
def test_a_bad_confirmation_is_refused_alone(shop, told, name, change, reason, where):
    bad = told.bank.settled(told.open)
    change(bad)
    with shop.world.nothing_changes():
        result, = told.bank.confirm(bad)
        assert (result.outcome, result.reason) == (result.OUTCOME_REFUSED, reason), result
        assert result.field == "confirmations[0]." + where
        assert result.message


@pytest.mark.parametrize("code,reason", [("", "FIELD_REQUIRED"), ("ZZ99", "REASON_CODE_UNKNOWN"), ("ac04", "REASON_CODE_UNKNOWN")])
def test_a_rejection_needs_a_reason_code(shop, told, code, reason):
    with shop.world.nothing_changes():
        result, = told.bank.confirm(told.bank.rejected(told.open, code))
        assert (result.outcome, result.reason, result.field) == (3, reason, "confirmations[0].reason_code")


def test_a_confirmation_that_is_no_utf8_spoils_itself_only(shop, told):
    """Its id cannot be said again: an answer that is no UTF-8 would be lost with all that is in it."""
    batch = shop.api.settlement.ConfirmInstructionsRequest(confirmations=[told.bank.settled(told.settled), told.bank.settled(told.settled)])
    batch.confirmations[0].instruction_id = "@@@@"
    batch.confirmations[1].bank_reference = "@@@@"
    call = told.bank.channel.unary_unary("/ujrat.settlement.v1.SettlementService/ConfirmInstructions",
                                         response_deserializer=shop.api.settlement.ConfirmInstructionsResponse.FromString)
    with shop.world.nothing_changes():
        results = call(batch.SerializeToString().replace(b"@@@@", b"\xff\xfe\xfd\xfc"), timeout=SECONDS).results
    assert [(r.instruction_id, r.outcome, r.field) for r in results] == [
        ("", 3, "confirmations[0].instruction_id"), (told.settled.instruction_id, 3, "confirmations[1].bank_reference")]


def test_confirmations_empty_or_too_many(shop, told):
    call, Request = told.bank.settlement.ConfirmInstructions, shop.api.settlement.ConfirmInstructionsRequest
    with shop.world.nothing_changes():
        said(shop.world.refused(call, Request()), INVALID, "BATCH_EMPTY", "confirmations")
        said(shop.world.refused(call, Request(confirmations=[shop.api.settlement.Confirmation()] * 1_001)), INVALID,
             "BATCH_TOO_LARGE", "confirmations")


@pytest.mark.parametrize("change,code,reason,where", [
    (dict(instruction_id=""), INVALID, "FIELD_REQUIRED", "instruction_id"),
    (dict(instruction_id="nothing"), S.NOT_FOUND, "INSTRUCTION_NOT_FOUND", "instruction_id"),
    (dict(amount=None), INVALID, "FIELD_REQUIRED", "amount"),
    (dict(amount=(NET + 1, "PKR")), INVALID, "AMOUNT_OVER_LIMIT", "amount"),
    (dict(amount=(0, "PKR")), INVALID, "AMOUNT_ZERO", "amount"),
    (dict(amount=(-5, "PKR")), INVALID, "AMOUNT_NEGATIVE", "amount"),
    (dict(amount=(NET, "USD")), INVALID, "CURRENCY_MISMATCH", "amount"),
    (dict(charge=(5, "USD")), INVALID, "CURRENCY_MISMATCH", "charge"),
    (dict(charge=(5, "XXX")), INVALID, "CURRENCY_UNKNOWN", "charge"),
    (dict(charge=(-1, "PKR")), INVALID, "AMOUNT_NEGATIVE", "charge"),
    (dict(charge=(NET + 1, "PKR")), INVALID, "AMOUNT_OVER_LIMIT", "charge"),
    (dict(reason_code=""), INVALID, "FIELD_REQUIRED", "reason_code"),
    (dict(reason_code="ZZ99"), INVALID, "REASON_CODE_UNKNOWN", "reason_code"),
    (dict(return_reference=""), INVALID, "FIELD_REQUIRED", "return_reference"),
    (dict(return_reference="x" * 36), INVALID, "TEXT_TOO_LONG", "return_reference"),
    (dict(open=True), PRECONDITION, "STATE_CONFLICT", None),
])
def test_a_bad_return_is_refused(shop, told, change, code, reason, where):
    of = told.open if change.pop("open", False) else told.settled
    request = shop.api.settlement.ReturnPaymentRequest(instruction_id=of.instruction_id, amount=of.amount, reason_code="AC04",
                                                       return_reference="RT-1")
    for name, value in change.items():
        if name in ("amount", "charge"):
            request.ClearField(name)
            if value:
                getattr(request, name).CopyFrom(shop.api.money.Money(minor_units=value[0], currency_code=value[1]))
        else:
            setattr(request, name, value)
    with shop.world.nothing_changes():
        said(shop.world.refused(told.bank.settlement.ReturnPayment, request), code, reason, where)
