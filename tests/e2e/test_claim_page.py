"""The claim page as any browser gets it: whose link it is, what a form may say, and that whatever is sent, and how often, pays once."""
import base64
import concurrent.futures
import re
import threading

import pytest

from claim_world import Waiting, ask, get, link_of, path_of, post
from harness import ROOT, wait_until
from rest_world import SECRETS, add_client, batch_of, item
from world import iban, locked_book, number, price

SHOWN_BYTES_MAX = 15 * 1024


@pytest.fixture(scope="module")
def make_world(new_world):
    """A world with a bank (without one nobody has accounts in rupees), where what is claimed is claimed by the page."""
    def make(**settings):
        world = new_world(**{"rest": "true", "unclaimed_sweep": "1h", **settings})
        world.one_bank = world.bank()
        return world
    return make


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


@pytest.fixture(scope="module")
def bank(world):
    return world.one_bank


def counts(world, platform):
    """(beneficiaries, receivers, payouts) of the platform's book."""
    return world.database.rows(
        "SELECT (SELECT count(*) FROM ujrat.beneficiary WHERE book_id = b.book_id), (SELECT count(*) FROM ujrat.receiver WHERE book_id = b.book_id),"
        " (SELECT count(*) FROM ujrat.payout WHERE book_id = b.book_id) FROM ujrat.book b WHERE code = %s", (platform.code,))[0]


def money(minor):
    return "{:,}.{:02}".format(minor // 100, minor % 100)


# ---------------------------------------------------------------- the page
@pytest.mark.parametrize("language, direction", [("en", "ltr"), ("ur", "rtl")])
def test_the_page_says_who_pays_what_and_until_when(world, language, direction):
    waiting = Waiting(world, value="1250.00")
    page = get(waiting, "?lang=" + language)
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<html lang="%s" dir="%s">' % (language, direction) in page.text
    assert "<bdi>USD 1,250.00</bdi>" in page.text and "PKR " + money(price(125_000).net) in page.text
    assert "<bdi>%s</bdi>" % waiting.platform.code in page.text
    assert "script" not in page.form.tags and not any(a.startswith("on") for a in page.form.attributes)
    assert page.wire < SHOWN_BYTES_MAX and page.headers["Content-Encoding"] == "gzip"
    assert set(page.form.values) == {"name", "iban", "mobile", "bank", "cnic", "pseb"} and not any(page.form.values.values())
    assert "{" not in re.sub(r"<style>.*</style>", "", page.text, flags=re.S), "everything was filled in"


def test_the_language_is_that_of_the_browser_unless_the_link_says(world):
    waiting = Waiting(world)
    assert 'lang="ur"' in get(waiting, **{"Accept-Language": "ur-PK,ur;q=0.9,en;q=0.8"}).text[:60]
    assert 'lang="en"' in get(waiting, **{"Accept-Language": "en-GB,ur;q=0.9"}).text[:60]
    assert 'lang="en"' in get(waiting, "?lang=en", **{"Accept-Language": "ur"}).text[:60]


def test_a_page_loads_nothing_and_tells_nobody(world):
    waiting = Waiting(world)
    for page in (get(waiting), post(waiting, {}), ask(world.gateway, "GET", "/claim/none")):
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy
        assert "form-action 'self'" in policy and "frame-ancestors 'none'" in policy
        assert page.headers["Referrer-Policy"] == "no-referrer" and page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"(src|href)=\"(?!\?|#)", page.text), "a link to elsewhere"


def test_every_language_has_the_same_words():
    keys = {}
    for language in ("en", "ur"):
        text = (ROOT / "gateway/rest/claim" / ("words." + language)).read_text()
        pairs = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
        keys[language] = {key: set(re.findall(r"{(\w+)}", words)) for key, words in pairs}
        assert len(pairs) == len(keys[language]), "a key twice"
    assert keys["en"].keys() == keys["ur"].keys()
    for key in keys["en"]:
        assert keys["en"][key] == keys["ur"][key], key


# ---------------------------------------------------------------- whose link it is
def test_a_link_that_is_not_ours_is_nothing(world, bank):
    waiting = Waiting(world)
    token = path_of(waiting.link).rsplit("/", 1)[1]
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    wrong = ["x", "A" * 52, token[:-1], token + "A", token.swapcase(), "%2e%2e"]
    for at in range(0, len(raw)):  # a bit of each byte: version, client, book, batch, item, signature
        changed = bytearray(raw)
        changed[at] ^= 1
        wrong.append(base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("="))
    pages = {ask(world.gateway, "GET", "/claim/" + w).text for w in wrong}
    assert len(pages) == 1, "no hint what was wrong"
    for w in wrong[:12]:
        assert ask(world.gateway, "GET", "/claim/" + w).status == 404
        assert ask(world.gateway, "POST", "/claim/" + w, waiting.good(bank)).status == 404
    bearer = waiting.client.token
    assert ask(world.gateway, "GET", "/claim/" + bearer).status == 404, "a bearer token is no link"
    assert waiting.state() == "UNCLAIMED"


def test_links_end_with_the_clients_key_and_can_be_made_again(world):
    waiting = Waiting(world)
    assert link_of(waiting.client.items(waiting.batch_id)[0]) == waiting.link, "the same each time"
    assert link_of(waiting.client.item(waiting.item["payout_item_id"]).json) == waiting.link
    assert get(waiting).status == 200
    other = add_client(world, waiting.platform)
    second = link_of(other.items(waiting.batch_id)[0])
    assert second != waiting.link and ask(world.gateway, "GET", path_of(second)).status == 200
    world.gateway.ujrat("rest", "client", "rotate", waiting.client.client_id)
    wait_until(lambda: get(waiting).status == 404, 10, "the link to end")
    assert ask(world.gateway, "GET", path_of(second)).status == 200
    world.gateway.ujrat("rest", "client", "disable", other.client_id)
    wait_until(lambda: ask(world.gateway, "GET", path_of(second)).status == 404, 10, "the other to end")


def test_links_lead_where_the_operator_says(make_world):
    world = make_world(claim_base_url="https://pay.example/")
    assert Waiting(world).link.startswith("https://pay.example/claim/")


def test_only_what_waits_has_a_link(world, bank):
    waiting = Waiting(world)
    assert post(waiting, waiting.good(bank)).status == 200
    assert link_of(waiting.client.items(waiting.batch_id)[0]) is None


# ---------------------------------------------------------------- claims
def test_a_claim_pays_what_the_page_says_and_changes_nothing_after(world, bank):
    waiting = Waiting(world, value="100.00")
    before = waiting.platform.balance()
    page = post(waiting, waiting.good(bank))
    want = price(10_000)
    assert page.status == 200 and "PKR " + money(want.net) in page.text and waiting.item["payout_item_id"] in page.text
    shown = waiting.client.items(waiting.batch_id)[0]
    assert shown["transaction_status"] == "PENDING"
    payout = waiting.platform.get("platforms/%s/payouts/%s" % (waiting.platform.code, shown["transaction_id"]))
    assert payout.pricing.net.minor_units == want.net and payout.reference.startswith("PP-")
    assert waiting.platform.balance() == before
    assert counts(world, waiting.platform) == (1, 1, 1)
    again = post(waiting, waiting.good(bank, name="Somebody Else"))
    assert again.status == 200 and "form" not in again.form.tags and money(want.net) in again.text
    assert "form" not in get(waiting).form.tags
    assert counts(world, waiting.platform) == (1, 1, 1)
    # the next one to the same address needs no link
    batch_id = waiting.client.created(batch_of(item(waiting.receiver, "10.00"), sender_batch_id="next-%d" % number()))
    assert waiting.client.items(batch_id)[0]["transaction_status"] == "PENDING"
    # in whose name
    assert {uri for uri, in world.rows("SELECT p.uri FROM beneficiary_version v JOIN principal p USING (principal_id) JOIN book b ON b.book_id = v.book_id"
                                       " WHERE b.code = %s", waiting.platform.code)} == {"ujrat://system/unclaimed"}


def test_one_claim_takes_all_that_waits_for_the_same_person_in_that_book(world, bank):
    first = Waiting(world, value="10.00")
    receiver = first.receiver
    more = [Waiting(world, first.platform, value, receiver.upper(), first.client) for value in ("20.00", "30.00")]
    stranger = Waiting(world, first.platform, "40.00", None, first.client)
    elsewhere = Waiting(world, value="50.00", receiver=receiver)
    page = post(more[0], more[0].good(bank))
    total = sum(price(gross).net for gross in (1_000, 2_000, 3_000))
    assert page.status == 200 and "PKR " + money(total) in page.text
    for waiting in (first, *more):
        assert waiting.item["payout_item_id"] in page.text and waiting.state() == "PENDING"
    assert stranger.state() == elsewhere.state() == "UNCLAIMED"
    assert stranger.item["payout_item_id"] not in page.text


def test_two_who_send_at_once_are_paid_once(world, bank):
    waiting = Waiting(world)
    same = waiting.good(bank)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        with locked_book(world.database, waiting.platform.code):
            forms = [same] * 4 + [waiting.good(bank, name="Other %d" % i) for i in range(4)]
            sent = [pool.submit(post, waiting, fields) for fields in forms]
            threading.Event().wait(1)
        pages = [s.result() for s in sent]
    assert {p.status for p in pages} == {200}
    assert counts(world, waiting.platform) == (1, 1, 1), "one of them, whole; the others nothing"
    assert waiting.platform.balance() == 10_000_000 - 10_000


def test_a_link_takes_nobodys_place(world, bank):
    """Somebody registered the address meanwhile: what waits is theirs, whatever the link's holder types."""
    waiting = Waiting(world)
    beneficiary = waiting.platform.register(bank)
    world.database.value("SELECT ujrat.add_receiver(o.book_id, 1, %s, o.receiver_kind, o.receiver_lookup, 1::smallint, '\\x01') FROM ujrat.unclaimed_open o"
                         " JOIN ujrat.book USING (book_id) WHERE code = %s", (int(beneficiary.name.rsplit("/", 1)[1]), waiting.platform.code))
    for page in (get(waiting), post(waiting, waiting.good(bank))):
        assert page.status == 200 and "form" not in page.form.tags
    assert counts(world, waiting.platform) == (1, 1, 0)


def test_what_was_cancelled_or_is_over_says_so(make_world):
    world = make_world(unclaimed_ttl="3s")
    bank = world.one_bank
    late, cancelled = Waiting(world), None
    cancelled = Waiting(world, late.platform, client=late.client)
    assert cancelled.client.cancel(cancelled.item["payout_item_id"]).status == 200
    page = get(cancelled)
    assert page.status == 410 and "form" not in page.form.tags and "taken back" in page.text
    wait_until(lambda: get(late).status == 410, 20, "its time to be over")
    page = post(late, late.good(bank))
    assert page.status == 410 and "not claimed in time" in page.text
    assert counts(world, late.platform) == (0, 0, 0)


def test_when_it_cannot_be_priced_the_details_are_kept_and_it_goes_out_later(make_world):
    world = make_world()
    waiting, bank = Waiting(world), world.one_bank
    world.gateway.stop()
    world.gateway.write_config(rate_age_max="1s")
    world.gateway.start()
    page = get(waiting)
    assert page.status == 200 and "PKR" not in page.text
    assert post(waiting, waiting.good(bank)).status == 200
    assert counts(world, waiting.platform) == (1, 1, 0)
    assert "form" not in get(waiting).form.tags
    world.gateway.stop()
    world.gateway.write_config(rate_age_max="3650d", unclaimed_sweep="100ms")
    world.gateway.start()
    wait_until(lambda: counts(world, waiting.platform) == (1, 1, 1), 20, "the sweeper")


# ---------------------------------------------------------------- forms
@pytest.mark.parametrize("changes, faulty", [
    (dict(name=""), {"name"}),
    (dict(name="x" * 141), {"name"}),
    (dict(name="a\0b"), {"name"}),
    (dict(iban=""), {"iban"}),
    (dict(iban="PK00MUCB0000000000000000"), {"iban"}),
    (dict(iban="DE89370400440532013000"), {"iban"}),
    (dict(iban="", mobile="0300", bank="MUCB"), {"mobile"}),
    (dict(iban="", mobile="03001234567"), {"bank"}),
    (dict(iban="", mobile="03001234567", bank="ZZZZ"), {"bank"}),
    (dict(mobile="03001234567"), {"mobile"}),
    (dict(cnic="123"), {"cnic"}),
    (dict(cnic=""), {"cnic"}),
    (dict(pseb="x" * 36), {"pseb"}),
    (dict(name="", cnic="x", iban="y", pseb="z" * 99), {"name", "cnic", "iban", "pseb"}),
])
def test_each_fault_is_said_at_its_field_and_what_was_typed_is_kept(world, bank, changes, faulty):
    waiting = Waiting(world)
    fields = waiting.good(bank, **changes)
    for language in ("en", "ur"):
        page = post(waiting, fields, "?lang=" + language)
        assert page.status == 422
        assert set(page.form.invalid) == faulty
        for name in faulty:
            assert 'href="#%s"' % name in page.text and 'id="%s-fault"' % name in page.text
        for name, typed in fields.items():
            if "\0" not in typed and name not in ("channel", "bank"):
                assert page.form.values[name] == typed, name
        assert page.form.values["channel"] == "export"
    assert waiting.state() == "UNCLAIMED" and counts(world, waiting.platform) == (0, 0, 0)


def test_no_channel_is_a_fault(world, bank):
    waiting = Waiting(world)
    page = post(waiting, waiting.good(bank, channel=None))
    assert page.status == 422 and 'id="channel-fault"' in page.text


def test_a_bank_that_takes_nothing_is_said_at_the_iban(world):
    waiting = Waiting(world)
    code = world.value("SELECT code FROM bank WHERE NOT connected ORDER BY code LIMIT 1")
    page = post(waiting, waiting.good(type("Bank", (), {"code": code})))
    assert page.status == 422 and page.form.invalid == ["iban"]
    assert counts(world, waiting.platform) == (0, 0, 0)


def test_how_people_write_numbers_is_understood(world, bank):
    waiting = Waiting(world)
    account = iban(bank.code)
    urdu = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    page = post(waiting, waiting.good(bank, iban=" ".join(account[i:i + 4] for i in range(0, 24, 4)).lower(),
                                      cnic="42101-1234567-1".translate(urdu), name="  Ayesha Khan "))
    assert page.status == 200
    shown = waiting.platform.beneficiaries.ListBeneficiaries(waiting.platform.api.payout.ListBeneficiariesRequest()).beneficiaries[0]
    assert shown.details.iban == account and shown.details.display_name == "Ayesha Khan"


def test_what_is_typed_cannot_become_part_of_the_page(world, bank):
    waiting = Waiting(world)
    hostile = "\"><script>alert(1)</script><b a='"
    page = post(waiting, {name: hostile for name in ("name", "iban", "mobile", "bank", "cnic", "channel", "pseb")})
    assert page.status == 422 and "<script" not in page.text and "<b a" not in page.text
    assert page.form.values["name"] == hostile and page.form.values["pseb"] == hostile


def test_a_form_that_is_none_is_refused(world):
    waiting = Waiting(world)
    path = path_of(waiting.link)
    assert ask(world.gateway, "POST", path, "{}", **{"Content-Type": "application/json"}).status == 415
    assert ask(world.gateway, "POST", path, b"x" * (16 * 1024 + 1), **{"Content-Type": "application/x-www-form-urlencoded"}).status == 413
    assert ask(world.gateway, "POST", path, b"%zz=&&==&name=%ff", **{"Content-Type": "application/x-www-form-urlencoded"}).status == 422
    assert ask(world.gateway, "DELETE", path).status == 401
    assert waiting.state() == "UNCLAIMED"


def test_attempts_are_bounded(world, bank):
    waiting = Waiting(world)
    statuses = [post(waiting, {}).status for _ in range(22)]
    assert statuses == [422] * 20 + [429] * 2
    page = post(waiting, waiting.good(bank))
    assert page.status == 429 and page.headers["Retry-After"] == "600"
    assert get(waiting).status == 200 and waiting.state() == "UNCLAIMED"


def test_no_log_has_a_link_or_what_was_typed(world, bank):
    waiting = Waiting(world)
    fields = waiting.good(bank, name="Quite Remarkable")
    assert post(waiting, dict(fields, cnic="1")).status == 422
    assert post(waiting, fields).status == 200
    log = world.gateway.log()
    for secret in (*SECRETS, waiting.receiver, "Quite Remarkable", fields["iban"], fields["cnic"]):
        assert secret not in log
    assert "route=/claim/{token}" in log
