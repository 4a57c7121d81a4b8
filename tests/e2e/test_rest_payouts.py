"""The REST API through real TLS against a real gateway, by Python's http.client: batches, items, credentials, everything wrong.

What the ledger then holds is asked of the gRPC API or of the database itself.
"""
import concurrent.futures
import decimal
import http.client
import json
import re
import time

import pytest

import rest_world
from harness import wait_until
from rest_world import Rest, add_client, batch_of, item
from world import price

D = decimal.Decimal


@pytest.fixture(scope="module")
def world(new_world):
    made = new_world(rest=True)
    yield made
    log = made.gateway.log()
    for secret in rest_world.SECRETS:
        assert secret not in log, "a secret is in the log"
    assert "someone@example.com" not in log and "receiver@" not in log, "a receiver is in the log"


@pytest.fixture(scope="module")
def bank(world):
    return world.bank()


@pytest.fixture(scope="module")
def platform(world, bank):
    return world.platform(USD=1_000_000_00, JPY=1_000_000)


@pytest.fixture(scope="module")
def rest(world, platform):
    return add_client(world, platform)


@pytest.fixture(scope="module")
def payee(platform, bank):
    """The number of a registered beneficiary."""
    return platform.register(bank).name.rsplit("/", 1)[1]


def to(payee, value="10.00", currency="USD", **fields):
    return item(payee, value, currency, recipient_type="PAYPAL_ID", **fields)


def unique(stem="b"):
    return "%s-%d" % (stem, time.monotonic_ns())


# ---------------------------------------------------------------- the good path
def test_a_batch_is_paid_as_grpc_would_pay_it(world, rest, platform, bank, payee):
    name = unique()
    before = platform.balance()
    batch_id = rest.created(batch_of(to(payee, "120.00", note="Invoice 18", sender_item_id="inv-18"), to(payee, "35.5"),
                                     sender_batch_id=name, email_subject="You have a payout"))
    expected = [price(12000), price(3550)]
    assert platform.balance() == before - 12000 - 3550
    answer = rest.batch(batch_id, "?total_required=true").json
    assert (answer["total_items"], answer["total_pages"]) == (2, 1)
    header = answer["batch_header"]
    assert header["batch_status"] == "PROCESSING" and "time_completed" not in header
    assert header["sender_batch_header"] == {"sender_batch_id": name, "email_subject": "You have a payout"}
    assert header["amount"] == {"currency": "USD", "value": "155.50"}
    assert D(header["fees"]["value"]) == D(sum(p.fee for p in expected)) / 100
    for i, (got, p) in enumerate(zip(answer["items"], expected)):
        assert got["transaction_status"] == "PENDING" and got["payout_batch_id"] == batch_id
        assert D(got["payout_item_fee"]["value"]) == D(p.fee) / 100
        conversion = got["currency_conversion"]
        assert D(conversion["from_amount"]["value"]) == D(p.converted) / 100
        assert conversion["to_amount"] == {"currency": "PKR", "value": "%d.%02d" % divmod(p.net, 100)}
        assert D(conversion["exchange_rate"]) == p.our_rate
        payout = platform.get("platforms/%s/payouts/%s" % (platform.code, got["transaction_id"]))
        assert payout.pricing.net.minor_units == p.net and re.fullmatch(r"PP-[a-z2-7]{26}-%d" % (i + 1), payout.reference)
        assert payout.beneficiary.endswith("/" + payee)
        alone = rest.item(got["payout_item_id"]).json
        assert alone.pop("sender_batch_id") == name
        assert alone == got
    assert answer["items"][0]["payout_item"] == {"recipient_type": "PAYPAL_ID", "amount": {"currency": "USD", "value": "120.00"},
                                                 "note": "Invoice 18", "receiver": payee, "sender_item_id": "inv-18"}
    assert platform.get("platforms/%s/payouts/%s" % (platform.code, answer["items"][0]["transaction_id"])
                        ).remittance_information == "Invoice 18"

    stream = bank.watch()
    told = [i for i in stream.take(2)]
    stream.close()
    bank.confirm(bank.settled(told[0]), bank.rejected(told[1], "AC04"))
    answer = rest.batch(batch_id).json
    assert [i["transaction_status"] for i in answer["items"]] == ["SUCCESS", "FAILED"]
    assert answer["items"][1]["errors"]["name"] == "REJECTED_BY_BANK" and answer["items"][1]["errors"]["reason_code"] == "AC04"
    assert answer["batch_header"]["batch_status"] == "SUCCESS"
    assert answer["batch_header"]["time_completed"] >= answer["batch_header"]["time_created"]
    assert rest.cancel(answer["items"][0]["payout_item_id"]).json["name"] == "ITEM_INCORRECT_STATUS"


def test_targets_may_end_as_real_sdks_end_them(rest, payee):
    body = batch_of(to(payee), sender_batch_id=unique())
    answer = rest.call("POST", "/v1/payments/payouts?", body)
    assert answer.status == 201
    batch_id = answer.json["batch_header"]["payout_batch_id"]
    for end in ("", "/", "?", "?&", "/?page=1&", "?unknown=1&fields="):
        assert rest.call("GET", "/v1/payments/payouts/%s%s" % (batch_id, end)).status == 200, end
    assert rest.call("HEAD", "/v1/payments/payouts/" + batch_id).text == b""
    assert rest.call("POST", "/v1/payments/payouts/", batch_of(to(payee), sender_batch_id=unique())).status == 201


def test_another_currency_has_its_own_decimals(rest, platform, payee):
    before = platform.balance("JPY")
    batch_id = rest.created(batch_of(to(payee, "5000", "JPY"), sender_batch_id=unique()))
    assert platform.balance("JPY") == before - 5000
    (got,) = rest.items(batch_id)
    assert got["payout_item"]["amount"] == {"currency": "JPY", "value": "5000"}
    assert got["payout_item_fee"]["value"] == str(price(5000, "JPY").fee)


def test_pages_are_whole_and_say_where_the_others_are(rest, payee):
    batch_id = rest.created(batch_of(*[to(payee, "10.%02d" % i, sender_item_id="i%d" % i) for i in range(7)], sender_batch_id=unique()))
    seen = []
    path = "/v1/payments/payouts/%s?page_size=3&total_required=true" % batch_id
    while path:
        answer = rest.call("GET", path).json
        assert (answer["total_items"], answer["total_pages"]) == (7, 3)
        seen += [i["payout_item"]["sender_item_id"] for i in answer["items"]]
        links = {link["rel"]: link["href"] for link in answer["links"]}
        assert links["self"].endswith("/v1/payments/payouts/" + batch_id)
        path = links["next"].split("://", 1)[1].split("/", 1)[1].join(["/", ""]) if "next" in links else None
    assert seen == ["i%d" % i for i in range(7)]
    assert rest.batch(batch_id, "?page=4&page_size=3").json["items"] == []
    assert "items" not in rest.batch(batch_id, "?fields=batch_header").json
    assert "batch_header" not in rest.batch(batch_id, "?fields=items(transaction_status)").json
    for query in ("page=0", "page=x", "page_size=1001", "page_size=-1"):
        answer = rest.batch(batch_id, "?" + query)
        assert (answer.status, answer.json["name"], answer.json["details"][0]["location"]) == (400, "VALIDATION_ERROR", "query")


def test_a_batch_is_found_by_what_the_platform_called_it(rest, payee):
    name, request = unique("a name with / and ü"), unique("r")
    import urllib.parse
    first = rest.created(batch_of(to(payee), sender_batch_id=name))
    second = rest.created(batch_of(to(payee)), request_id=request)
    found = rest.call("GET", "/v1/payments/payouts?sender_batch_id=" + urllib.parse.quote(name, safe=""))
    assert found.json["batch_header"]["payout_batch_id"] == first
    found = rest.call("GET", "/v1/payments/payouts?request_id=" + request)
    assert found.json["batch_header"]["payout_batch_id"] == second
    assert rest.call("GET", "/v1/payments/payouts?sender_batch_id=nothing").status == 404
    assert rest.call("GET", "/v1/payments/payouts").status == 400


# ---------------------------------------------------------------- said again
def test_a_sender_batch_id_is_taken_once(world, rest, payee):
    name = unique()
    first = rest.created(batch_of(to(payee), sender_batch_id=name))
    with world.nothing_changes():
        for body in (batch_of(to(payee), sender_batch_id=name), batch_of(to(payee, "11.00"), sender_batch_id=name)):
            answer = rest.create(body)
            assert (answer.status, answer.json["name"]) == (400, "USER_BUSINESS_ERROR")
            assert answer.json["links"][0]["href"].endswith("/v1/payments/payouts/" + first)
            assert answer.json["details"][0]["field"] == "sender_batch_header.sender_batch_id"


def test_a_request_id_is_answered_as_the_first_time(world, rest, payee):
    request = unique("r")
    body = batch_of(to(payee), sender_batch_id=unique())
    first = rest.create(body, request_id=request)
    assert first.status == 201
    with world.nothing_changes():
        again = rest.create(body, request_id=request)
        assert (again.status, again.json) == (201, first.json)
        # the same, written otherwise
        again = rest.create(json.dumps(body, indent=3, sort_keys=True).encode(), request_id=request)
        assert (again.status, again.json) == (201, first.json)
        other = rest.create(batch_of(to(payee, "11.00"), sender_batch_id=unique()), request_id=request)
        assert (other.status, other.json["name"], other.json["details"][0]["field"]) == (
            400, "USER_BUSINESS_ERROR", "PayPal-Request-Id")
        assert other.json["links"][0]["href"].endswith(first.json["batch_header"]["payout_batch_id"])


def test_a_batch_without_any_name_is_refused(world, rest, payee):
    with world.nothing_changes():
        answer = rest.create(batch_of(to(payee)))
    assert (answer.status, answer.json["name"]) == (400, "VALIDATION_ERROR")
    assert answer.json["details"][0]["field"] == "sender_batch_header.sender_batch_id"
    assert rest.create(batch_of(to(payee)), request_id="x" * 257).json["details"][0]["location"] == "header"


def test_many_at_once_of_one_name_pay_once(world, rest, platform, payee):
    body, request = batch_of(to(payee, "77.00"), sender_batch_id=unique()), unique("r")
    before = platform.balance()

    def one(_):
        client = Rest(world.gateway, rest.client_id, rest.secret)
        client.token = rest.token
        try:
            return client.create(body, request_id=request)
        finally:
            client.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(8)))
    assert {a.status for a in answers} == {201} and len({a.text for a in answers}) == 1
    assert platform.balance() == before - 7700


def test_a_sender_item_id_used_in_another_batch_is_flagged(rest, payee):
    name = unique("item")
    first = rest.created(batch_of(to(payee, sender_item_id=name), sender_batch_id=unique()))
    second = rest.created(batch_of(to(payee, sender_item_id=name), sender_batch_id=unique()))
    assert "sender_item_id_reused" not in rest.items(first)[0]
    assert rest.items(second)[0]["sender_item_id_reused"] is True


# ---------------------------------------------------------------- money that is not there
def test_a_batch_the_float_does_not_cover_does_nothing(world, bank):
    poor = world.platform(USD=100_00)
    rest = add_client(world, poor)
    payee = poor.register(bank).name.rsplit("/", 1)[1]
    name = unique()
    with world.nothing_changes():
        answer = rest.create(batch_of(to(payee, "60.00"), to(payee, "40.01"), sender_batch_id=name))
        assert (answer.status, answer.json["name"]) == (422, "INSUFFICIENT_FUNDS")
        assert rest.call("GET", "/v1/payments/payouts?sender_batch_id=" + name).status == 404
    assert rest.created(batch_of(to(payee, "60.00"), to(payee, "40.00"), sender_batch_id=name))
    assert poor.balance() == 0


def test_what_the_ledger_refuses_is_an_item_that_failed(world, rest, platform, payee):
    before = platform.balance()
    batch_id = rest.created(batch_of(to(payee, "20.00"), to("999999", "5.00"), to(payee, "20000.01"), sender_batch_id=unique()))
    assert platform.balance() == before - 2000
    got = rest.items(batch_id)
    assert [i["transaction_status"] for i in got] == ["PENDING", "FAILED", "FAILED"]
    assert [i.get("errors", {}).get("name") for i in got] == [None, "RECEIVER_UNREGISTERED", "TRANSACTION_LIMIT_EXCEEDED"]
    assert "transaction_id" not in got[1]
    denied = rest.created(batch_of(to("999999"), sender_batch_id=unique()))
    assert rest.batch(denied).json["batch_header"]["batch_status"] == "DENIED"


# ---------------------------------------------------------------- cancelled
def test_an_item_no_bank_knows_of_can_be_cancelled_once(world, rest, platform, payee):
    batch_id = rest.created(batch_of(to(payee, "30.00"), sender_batch_id=unique()))
    before = platform.balance()
    (got,) = rest.items(batch_id)
    answer = rest.cancel(got["payout_item_id"])
    assert (answer.status, answer.json["transaction_status"]) == (200, "RETURNED")
    assert platform.balance() == before + 3000
    with world.nothing_changes():
        again = rest.cancel(got["payout_item_id"])
        assert (again.status, again.json["name"]) == (400, "ITEM_ALREADY_CANCELLED")
    assert rest.batch(batch_id).json["batch_header"]["batch_status"] == "CANCELED"


def test_an_unknown_receiver_is_unclaimed_and_can_be_taken_back(world, rest, platform):
    before = platform.balance()
    batch_id = rest.created(batch_of(item("someone@example.com", "15.00", note="for you"),
                                     item("+49 30 1234567", "16.00", recipient_type="PHONE"), sender_batch_id=unique()))
    assert platform.balance() == before - 3100
    first, second = rest.items(batch_id)
    assert [first["transaction_status"], second["transaction_status"]] == ["UNCLAIMED", "UNCLAIMED"]
    assert first["errors"]["name"] == "RECEIVER_UNREGISTERED"
    assert first["payout_item"]["receiver"] == "someone@example.com" and first["payout_item"]["note"] == "for you"
    assert second["payout_item"]["receiver"] == "+49 30 1234567"
    assert rest.batch(batch_id).json["batch_header"]["batch_status"] == "SUCCESS"
    answer = rest.cancel(first["payout_item_id"])
    assert (answer.status, answer.json["transaction_status"]) == (200, "RETURNED")
    assert platform.balance() == before - 1600
    assert rest.cancel(first["payout_item_id"]).json["name"] == "ITEM_ALREADY_CANCELLED"
    assert not world.rows("SELECT 1 FROM journal WHERE detail LIKE %s", "%someone%")


# ---------------------------------------------------------------- ids
def test_other_platforms_ids_do_not_exist(world, rest, bank, payee):
    other = add_client(world, world.platform())
    batch_id = rest.created(batch_of(to(payee), to(payee), sender_batch_id=unique()))
    item_id = rest.items(batch_id)[1]["payout_item_id"]
    with world.nothing_changes():
        for answer in (other.batch(batch_id), other.item(item_id), other.cancel(item_id)):
            assert (answer.status, answer.json["name"]) == (404, "INVALID_RESOURCE_ID")
    for bad in ("x", "0000000000g00", batch_id[:-1], batch_id + "0", "ZZZZZZZZZZZZZ", "0000000000000", item_id, "%2e%2e", "..",
                "ERRPYO015", "0000000ILOU00"):
        assert rest.batch(bad).status == 404, bad
    assert rest.item(batch_id).status == 404
    assert rest.batch("%zz").status == 400


# ---------------------------------------------------------------- who asks
def test_nameless_clients_get_a_token_and_nothing_else(world, rest, payee):
    nameless = Rest(world.gateway)
    paths = [("GET", "/"), ("GET", "/v1/payments/payouts/0000000000G00"), ("POST", "/v1/payments/payouts"), ("GET", "/nothing"),
             ("PUT", "/v1/payments/payouts"), ("GET", "/v1/oauth2/token")]
    with world.nothing_changes():
        for method, path in paths:
            answer = nameless.call(method, path, {"a": 1} if method == "POST" else None)
            assert (answer.status, answer.json["name"]) == (401, "AUTHENTICATION_FAILURE"), (method, path)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert rest.call("GET", "/nothing").status == 404
    assert rest.call("DELETE", "/v1/payments/payouts").status == 405


def test_bad_tokens_are_refused_before_the_body_is_looked_at(world, rest):
    good = rest.token
    flipped = good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]
    refresh = rest.ask_token().json["refresh_token"]
    client = Rest(world.gateway)
    for token in ("", "x", good[:-1], good + "A", flipped, refresh, "a" * 5000):
        answer = client.call("POST", "/v1/payments/payouts", b"{nonsense", Authorization="Bearer " + token)
        assert (answer.status, answer.json["name"], answer.json["error"]) == (401, "AUTHENTICATION_FAILURE", "invalid_token"), token
    for header in ("Basic " + good, "Bearer", good, "Bearer %s, Bearer %s" % (good, good)):
        assert client.call("GET", "/v1/payments/payouts", Authorization=header).status == 401, header
    assert client.call("GET", "/v1/payments/payouts", Authorization="bEARER  " + good).status == 400


def test_bad_credentials_get_no_token(world, rest):
    other = "A" * 33
    basic = lambda text: "Basic " + __import__("base64").b64encode(text.encode()).decode()
    for header in ("", "Basic", "Basic !!!", basic(rest.client_id), basic(rest.client_id + ":"), basic(":" + rest.secret),
                   basic("%s:%sx" % (rest.client_id, rest.secret)), basic("%s:%s" % (other, rest.secret)), "Bearer " + rest.token):
        answer = rest.ask_token(authorization=header)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client"), header
        assert answer.json["error_description"] and answer.headers["WWW-Authenticate"].startswith("Basic")
    for grant, error in (("", "invalid_request"), ("grant_type=password", "unsupported_grant_type"),
                         ("grant_type=refresh_token", "invalid_grant"), ("grant_type=refresh_token&refresh_token=x", "invalid_grant"),
                         ("grant_type=refresh_token&refresh_token=" + rest.token, "invalid_grant")):
        answer = rest.ask_token(grant)
        assert (answer.status, answer.json["error"]) == (400, error), grant


def test_a_token_is_as_paypals(rest):
    answer = rest.ask_token().json
    assert answer["token_type"] == "Bearer" and answer["expires_in"] == 9 * 3600
    assert "https://uri.paypal.com/payments/payouts" in answer["scope"].split()
    assert answer["access_token"] != rest.ask_token().json["access_token"]
    renewed = rest.ask_token("grant_type=refresh_token&refresh_token=" + answer["refresh_token"])
    assert renewed.status == 200
    assert Rest(rest.gateway).call("GET", "/v1/payments/payouts", Authorization="Bearer " + renewed.json["access_token"]).status == 400


def test_a_client_that_is_disabled_or_rotated_is_out(world, platform):
    client = add_client(world, platform)
    assert client.call("GET", "/v1/payments/payouts").status == 400
    world.gateway.ujrat("rest", "client", "disable", client.client_id, "--quiet")
    wait_until(lambda: client.call("GET", "/v1/payments/payouts").status == 401, 15, "a disabled client to be out")
    assert client.ask_token().status == 401
    world.gateway.ujrat("rest", "client", "enable", client.client_id, "--quiet")
    wait_until(lambda: client.ask_token().status == 200, 15, "an enabled client to be in")
    assert client.call("GET", "/v1/payments/payouts").status == 401, "its old token stays dead"
    client.login()
    world.gateway.ujrat("rest", "client", "rotate", client.client_id)
    wait_until(lambda: client.call("GET", "/v1/payments/payouts").status == 401, 15, "a rotated client's token to be dead")
    assert client.ask_token().status == 401


def test_a_disabled_platform_is_out_at_once(world):
    platform = world.platform()
    client = add_client(world, platform)
    world.gateway.ujrat("principal", "disable", "ujrat://platform/" + platform.code, "--quiet")
    wait_until(lambda: client.call("GET", "/v1/payments/payouts").status == 401, 15, "its token to be dead")
    assert client.ask_token().status == 401


def test_tokens_expire(new_world):
    world = new_world(rest=True, rest_token_ttl="2s")
    client = add_client(world, world.platform())
    assert client.ask_token().json["expires_in"] == 2
    client.login()
    assert client.call("GET", "/v1/payments/payouts").status == 400
    wait_until(lambda: client.call("GET", "/v1/payments/payouts").status == 401, 15, "the token to expire")
    assert client.login().call("GET", "/v1/payments/payouts").status == 400


def test_a_secret_can_go_into_a_file_nobody_else_reads(world, platform, work):
    path = work / unique("secret")
    out = world.gateway.ujrat("rest", "client", "add", platform.code, "--secret-file", path)
    client_id = re.search(r"client_id\s+(\S+)", out)[1]
    secret = path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600 and secret not in out
    client = Rest(world.gateway, client_id, secret)
    wait_until(lambda: client.ask_token().status == 200, 15, "the client to be known")
    listed = json.loads(world.gateway.ujrat("rest", "client", "list", "--json"))
    assert [c for c in listed if c["client_id"] == client_id][0]["platform"] == platform.code
    assert secret not in json.dumps(listed)
    with pytest.raises(AssertionError):
        world.gateway.ujrat("rest", "client", "add", platform.code, "--secret-file", path)
    with pytest.raises(AssertionError, match="no platform"):
        world.gateway.ujrat("rest", "client", "add", "nobody")


def test_what_signs_tokens_is_for_the_gateway_alone(world, rest):
    import psycopg
    for role in ("ujrat_auditor", "ujrat_operator", "ujrat_settle", "ujrat_sealer"):
        for column in ("token_key", "secret_sha256"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                world.rows("SELECT %s FROM rest_credential" % column, role=role)


# ---------------------------------------------------------------- everything wrong
def test_a_batch_with_a_fault_says_all_of_them_and_does_nothing(world, rest, payee):
    good = to(payee)
    cases = [
        (lambda b: b.pop("sender_batch_header"), "sender_batch_header"),
        (lambda b: b.update(sender_batch_header=[]), "sender_batch_header"),
        (lambda b: b["sender_batch_header"].update(sender_batch_id=7), "sender_batch_header.sender_batch_id"),
        (lambda b: b["sender_batch_header"].update(sender_batch_id="x" * 257), "sender_batch_header.sender_batch_id"),
        (lambda b: b["sender_batch_header"].update(sender_batch_id="a\nb"), "sender_batch_header.sender_batch_id"),
        (lambda b: b["sender_batch_header"].update(email_subject="x" * 256), "sender_batch_header.email_subject"),
        (lambda b: b["sender_batch_header"].update(recipient_type="FAX"), "sender_batch_header.recipient_type"),
        (lambda b: b.pop("items"), "items"),
        (lambda b: b.update(items=[]), "items"),
        (lambda b: b.update(items={}), "items"),
        (lambda b: b["items"].append(7), "items[1]"),
        (lambda b: b["items"][0].pop("receiver"), "items[0].receiver"),
        (lambda b: b["items"][0].update(receiver="not-a-number"), "items[0].receiver"),
        (lambda b: b["items"][0].update(receiver="platforms/other/beneficiaries/1"), "items[0].receiver"),
        (lambda b: b["items"][0].update(recipient_type="EMAIL"), "items[0].receiver"),
        (lambda b: b["items"][0].update(recipient_type="EMAIL", receiver="a@b@c"), "items[0].receiver"),
        (lambda b: b["items"][0].update(recipient_type="EMAIL", receiver="x@" + "y" * 126), "items[0].receiver"),
        (lambda b: b["items"][0].update(recipient_type="PHONE", receiver="12"), "items[0].receiver"),
        (lambda b: b["items"][0].pop("amount"), "items[0].amount"),
        (lambda b: b["items"][0].update(amount="10.00"), "items[0].amount"),
        (lambda b: b["items"][0]["amount"].update(value=10), "items[0].amount.value"),
        (lambda b: b["items"][0]["amount"].update(value=10.5), "items[0].amount.value"),
        (lambda b: b["items"][0]["amount"].update(value="10.001"), "items[0].amount.value"),
        (lambda b: b["items"][0]["amount"].update(value="1e3"), "items[0].amount.value"),
        (lambda b: b["items"][0]["amount"].update(value=" 10"), "items[0].amount.value"),
        (lambda b: b["items"][0]["amount"].update(value="0.00"), "items[0].amount.value"),
        (lambda b: b["items"][0]["amount"].update(value="-1.00"), "items[0].amount.value"),
        (lambda b: b["items"][0]["amount"].update(value="99999999999999999999"), "items[0].amount.value"),
        (lambda b: b["items"][0]["amount"].update(currency="usd"), "items[0].amount.currency"),
        (lambda b: b["items"][0]["amount"].update(currency="XXX"), "items[0].amount.currency"),
        (lambda b: b["items"].append(to(payee, "5", "JPY")), "items[1].amount.currency"),
        (lambda b: b["items"][0].update(sender_item_id="x" * 64), "items[0].sender_item_id"),
        (lambda b: b["items"][0].update(note="x" * 4001), "items[0].note"),
        (lambda b: b["items"][0].update(note=["x"]), "items[0].note"),
        (lambda b: b["items"][0].update(recipient_wallet="VENMO"), "items[0].recipient_wallet"),
    ]
    with world.nothing_changes():
        for change, field in cases:
            body = json.loads(json.dumps(batch_of(good, sender_batch_id=unique())))
            change(body)
            answer = rest.create(body)
            assert (answer.status, answer.json["name"]) == (400, "VALIDATION_ERROR"), (field, answer.text)
            assert [d["field"] for d in answer.json["details"]] == [field], (field, answer.text)
        answer = rest.create(batch_of(good, item("no"), to(payee, "x"), item("no", "0"), sender_batch_id=unique()))
        assert [d["field"] for d in answer.json["details"]] == [
            "items[1].receiver", "items[2].amount.value", "items[3].receiver", "items[3].amount.value"]
        answer = rest.create(batch_of(*[item("no")] * 300, sender_batch_id=unique()))
        assert len(answer.json["details"]) == 100 and "there are more" in answer.json["message"]
        answer = rest.create(batch_of(to(payee, "1.00", "EUR"), sender_batch_id=unique()))
        assert (answer.status, answer.json["name"]) == (422, "CURRENCY_NOT_SUPPORTED")
    # what is allowed to the letter
    assert rest.created(batch_of(to(payee, sender_item_id="ü" * 63, note="n" * 4000), sender_batch_id="b" * 240 + unique()[-16:]))
    assert rest.created(batch_of(to(payee, note=None, sender_item_id=None, unknown={"a": [1, 1.5e300]}), sender_batch_id=unique()))


def test_what_is_no_json_is_refused(world, rest):
    good = json.dumps(batch_of(item(), sender_batch_id="x")).encode()
    bodies = [b"", b" ", b"{", good[:-1], good + b"x", good + good, b"null", b"[]", b"7", b'"x"', b"\xff\xfe{}", b"\xef\xbb\xbf" + good,
              good.replace(b"someone", b"some\xffone"), good.replace(b"someone", b"some\\ud800one"), good.replace(b"someone", b"some\\u0000one"),
              good.replace(b"someone", b"some\x00one"), good.replace(b"someone", b"some\none"), good.replace(b'"items"', b"'items'"),
              good[:-1] + b',"items":[]}', b'{"a":1,"a":1}', b"[" * 100000, b'{"a":' * 100000, b'{"a":1e999}',
              b'{"a":' + b"9" * 5000 + b"}", b'{"a":[' + b"1," * 700000 + b"1]}", b'{"a":NaN}', b"{//}\n}", b"{,}"]
    with world.nothing_changes():
        for body in bodies:
            answer = rest.create(body)
            assert (answer.status, answer.json["name"]) == (400, "MALFORMED_REQUEST_JSON"), (body[:60], answer.text)
            assert "someone" not in answer.json["message"]


def test_a_body_too_large_is_refused_and_the_gateway_lives(new_world):
    world = new_world(rest=True, rest_body_bytes_max=65536)
    client = add_client(world, world.platform())
    with world.nothing_changes():
        answer = client.create(b"x" * 70000)
        assert (answer.status, answer.json["name"]) == (413, "MESSAGE_TOO_LARGE")
    assert client.call("GET", "/v1/payments/payouts").status == 400


# ---------------------------------------------------------------- large
@pytest.mark.seconds_max(240)
def test_fifteen_thousand_items_are_one_batch(world, bank):
    rich = world.platform(USD=100_000_000_00)
    rest = add_client(world, rich)
    payee = rich.register(bank).name.rsplit("/", 1)[1]
    items = [to(payee, "%d.00" % (10 + i % 90), sender_item_id="i-%05d" % i) for i in range(14_000)]
    items += [item("nobody-%d@example.com" % i, "12.00") for i in range(1_000)]
    before = rich.balance()
    batch_id = rest.created(batch_of(*items, sender_batch_id=unique()))
    total = sum(D(i["amount"]["value"]) for i in items)
    assert rich.balance() == before - int(total * 100)
    answer = rest.batch(batch_id, "?page=15&total_required=true").json
    assert (answer["total_items"], answer["total_pages"], len(answer["items"])) == (15_000, 15, 1000)
    assert {i["transaction_status"] for i in answer["items"]} == {"UNCLAIMED"}
    assert D(answer["batch_header"]["amount"]["value"]) == total
    with world.nothing_changes():
        answer = rest.create(batch_of(*items, to(payee), sender_batch_id=unique()))
        assert (answer.status, [d["field"] for d in answer.json["details"]]) == (400, ["items"])


# ---------------------------------------------------------------- the gateway dies
def test_a_batch_answered_201_survives_kill_9(new_world):
    world = new_world(rest=True)
    platform, bank = world.platform(), world.bank()
    payee = platform.register(bank).name.rsplit("/", 1)[1]
    rest = add_client(world, platform)
    body, request = batch_of(to(payee, "25.00"), sender_batch_id=unique()), unique("r")
    first = rest.create(body, request_id=request)
    assert first.status == 201
    world.gateway.kill()
    world.gateway.start()
    again = Rest(world.gateway, rest.client_id, rest.secret)
    again.token = rest.token  # nobody had to store it
    answer = again.create(body, request_id=request)
    assert (answer.status, answer.json["batch_header"]) == (201, first.json["batch_header"])
    assert world.value("SELECT count(*) FROM payout") == 1


# ---------------------------------------------------------------- PayPal's test values
def test_sandbox_clients_get_paypals_test_values_and_others_do_not(world, platform, payee, rest):
    sandbox = add_client(world, platform, "--sandbox")
    with world.nothing_changes():
        for note, status, name in (("ERRPYO001", 403, "SENDER_RESTRICTED"), ("ERRPYO002", 403, "SENDER_EMAIL_UNCONFIRMED"),
                                   ("ERRPYO005", 422, "INSUFFICIENT_FUNDS"), ("ERRPYO006", 500, "INTERNAL_ERROR"),
                                   ("ERRPYO010", 400, "VALIDATION_ERROR"), ("ERRPYO014", 400, "USER_BUSINESS_ERROR"),
                                   ("ERRPYO035", 429, "RATE_LIMIT_VALIDATION"), ("ERRPYO036", 504, "REQUEST_TIMEOUT_EXCEEDED")):
            answer = sandbox.create(batch_of(to(payee, note=note), sender_batch_id=unique()))
            assert (answer.status, answer.json["name"]) == (status, name)
        assert sandbox.create(batch_of(to(payee, note="POSPYO001"), sender_batch_id=unique())).status == 201
        assert sandbox.create(batch_of(to(payee), sender_batch_id="ERRPYO013")).json["name"] == "VALIDATION_ERROR"
        assert sandbox.batch("ERRPYO015").json["items"][0]["errors"]["name"] == "CLOSED_MARKET"
        assert sandbox.batch("POSPYO002").json["batch_header"]["batch_status"] == "SUCCESS"
        for value, status in (("ERRPYOB001", "SUCCESS"), ("ERRPYOB002", "PENDING"), ("ERRPYOB003", "PROCESSING"), ("ERRPYOB004", "DENIED")):
            assert sandbox.batch(value).json["batch_header"]["batch_status"] == status
        assert sandbox.batch("ERRPYO032").json["name"] == "INVALID_RESOURCE_ID"
        assert sandbox.item("ERRPYO047").json["errors"]["name"] == "RECEIVER_UNREGISTERED"
        assert sandbox.item("POSPOI001").json["transaction_status"] == "SUCCESS"
        for value, name in (("ERRPOI001", "INVALID_RESOURCE_ID"), ("ERRPYO004", "BATCH_NOT_COMPLETED"),
                            ("ERRPYO007", "ITEM_ALREADY_CANCELLED"), ("ERRPYO009", "ITEM_INCORRECT_STATUS")):
            assert sandbox.cancel(value).json["name"] == name
        assert sandbox.cancel("POSPOI002").json["transaction_status"] == "RETURNED"
        for answer in (rest.batch("ERRPYO015"), rest.item("POSPOI001"), rest.cancel("POSPOI002")):
            assert answer.status == 404
    assert rest.created(batch_of(to(payee, note="ERRPYO001"), sender_batch_id=unique()))
    assert sandbox.created(batch_of(to(payee, note="errpyo001"), sender_batch_id=unique())), "they are case-sensitive"


# ---------------------------------------------------------------- the log
def test_one_line_a_request_and_no_secrets_in_it(world, rest, payee):
    rest.created(batch_of(to(payee, note="a private note"), sender_batch_id=unique("private-name")))
    answer = rest.batch("0000000000000")
    log = world.gateway.log()
    line = [l for l in log.splitlines() if answer.json["debug_id"] in l]
    assert len(line) == 1 and "event=rest.request" in line[0] and "status=404" in line[0] and "/v1/payments/payouts/{id}" in line[0]
    assert "client=" + rest.client_id in line[0] and "method=GET" in line[0]
    assert "private" not in log


# ---------------------------------------------------------------- off
def test_without_the_setting_there_is_no_rest(new_world):
    world = new_world()
    connection = Rest(world.gateway, None).connection
    try:
        connection.request("GET", "/v1/payments/payouts")
        assert connection.getresponse().status == 505
    except (OSError, http.client.HTTPException):
        pass  # as good: TLS asked for a certificate
    finally:
        connection.close()
