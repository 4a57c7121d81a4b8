"""The routes of webhooks by a plain client: endpoints, events and their pages, replay, simulation, verification, also of a forged body.
Every answer and every event is held against docs/openapi.yaml."""
import base64
import json
import urllib.parse

import pytest

import rest_world
from forge_crc32 import forge
from harness import BIN, new_database, run, wait_until
from hook_receiver import Receiver, page_verifier, verify_paypal
from rest_world import add_client, batch_of, item
from world import number

HOOKS, EVENTS = "/v1/notifications/webhooks", "/v1/notifications/webhooks-events"
ALL = [{"name": "*"}]


@pytest.fixture(scope="module")
def world(new_world, cluster, work, pki):
    database = new_database(cluster)
    keys = work / ("rest-hook-keys-%d" % number())
    keys.mkdir(mode=0o700)
    run(BIN / "ujrat", "webhook", "key", "new", keys, "--quiet")
    return new_world(database, rest=True, hooks=True, hooks_db=database.uri("ujrat_hooks"), hooks_keys=keys, hooks_base_url="https://pay.example.pk",
                     hooks_ca_file=pki.ca, hooks_private_targets=True, hooks_poll="20ms")


@pytest.fixture(scope="module")
def bank(world):
    return world.bank()


@pytest.fixture
def platform(world, bank):
    return world.platform()


@pytest.fixture
def rest(world, platform):
    return add_client(world, platform)


@pytest.fixture
def receiver(pki):
    made = Receiver(*pki.pair("server"))
    yield made
    made.close()
    for _, headers, body, _ in made.got:
        rest_world.openapi().check_event(headers, body)


def create(rest, url, types=ALL):
    made = rest.call("POST", HOOKS, {"url": url, "event_types": types})
    assert made.status == 201, made.text
    return made.json


def events(rest, query=""):
    answer = rest.call("GET", EVENTS + query)
    assert answer.status == 200, answer.text
    return answer.json


def faults(answer):
    assert (answer.status, answer.json["name"]) == (400, "VALIDATION_ERROR"), answer.text
    return {d["field"] for d in answer.json["details"]}


def unclaimed(rest, n=1):
    """A batch of n items for nobody known: n + 2 events at once."""
    return rest.created(batch_of(*[item("nobody%d@example.com" % i) for i in range(n)], sender_batch_id="b%d" % number()))


# ---------------------------------------------------------------- endpoints
def test_an_endpoint_is_made_seen_changed_and_removed(rest, receiver):
    made = create(rest, receiver.url())
    one = HOOKS + "/" + made["id"]
    assert made["state"] == "ENABLED" and rest.call("GET", one).json == made and rest.call("GET", HOOKS).json == {"webhooks": [made]}
    again = rest.call("POST", HOOKS, {"url": receiver.url(), "event_types": ALL})
    assert (again.status, again.json["name"]) == (400, "WEBHOOK_URL_ALREADY_EXISTS")
    types = [{"name": "PAYMENT.PAYOUTSBATCH.SUCCESS"}]
    patched = rest.call("PATCH", one, [{"op": "replace", "path": "/event_types", "value": types}, {"op": "replace", "path": "/url", "value": receiver.url("/new")}])
    assert patched.status == 200 and patched.json["url"] == receiver.url("/new")
    assert [t["name"] for t in patched.json["event_types"]] == ["PAYMENT.PAYOUTSBATCH.SUCCESS"]
    assert [t["name"] for t in rest.call("GET", one + "/event-types").json["event_types"]] == ["PAYMENT.PAYOUTSBATCH.SUCCESS"]
    assert rest.call("DELETE", one).status == 204
    for answer in (rest.call("GET", one), rest.call("DELETE", one), rest.call("GET", one + "/event-types"),
                   rest.call("PATCH", one, [{"op": "replace", "path": "/event_types", "value": types}])):
        assert (answer.status, answer.json["name"]) == (404, "INVALID_RESOURCE_ID")
    assert rest.call("GET", HOOKS).json == {"webhooks": []}


def test_what_is_no_endpoint_is_refused_by_its_fields(rest, receiver):
    post = lambda **body: rest.call("POST", HOOKS, body)
    assert faults(post(url="http://x.example", event_types=[{"name": "NO.SUCH"}])) == {"url", "event_types"}
    assert faults(post()) == {"url", "event_types"}
    for types in ([], [{"name": "*"}] * 33, [{}], ["*"], [{"name": 1}], [{"name": "payment.payoutsbatch.success"}]):
        assert faults(post(url=receiver.url(), event_types=types)) == {"event_types"}, types
    assert faults(post(url="https://a.example/" + "x" * 2048, event_types=ALL)) == {"url"}
    one = HOOKS + "/" + create(rest, "https://localhost:8443/" + "x" * 2025)["id"]
    for patch, field in (({"op": "add", "path": "/url", "value": "https://a.example"}, "op"), ({"op": "replace", "path": "/id", "value": "x"}, "path"),
                         ({"op": "replace", "path": "/url", "value": "https://u:p@a.example"}, "url"),
                         ({"op": "replace", "path": "/event_types", "value": [{"name": "x"}]}, "event_types")):
        assert faults(rest.call("PATCH", one, [patch])) == {field}
    for body in (b"{", b"1", b"", b"null"):
        assert rest.call("POST", HOOKS, body).json["name"] == "MALFORMED_REQUEST_JSON"


def test_ten_are_the_most_and_nobody_elses_are_there(world, rest, platform, receiver):
    ids = [create(rest, receiver.url("/%d" % i))["id"] for i in range(10)]
    eleventh = rest.call("POST", HOOKS, {"url": receiver.url("/x"), "event_types": ALL})
    assert (eleventh.status, eleventh.json["name"]) == (400, "WEBHOOK_NUMBER_LIMIT_EXCEEDED")
    unclaimed(rest)
    wait_until(lambda: events(rest)["count"] == 3, 20, "three events")
    theirs = [e["id"] for e in events(rest)["events"]]
    stranger = add_client(world, world.platform())
    assert stranger.call("GET", HOOKS).json == {"webhooks": []} and events(stranger)["events"] == []
    for method, path, body in (("GET", HOOKS + "/" + ids[0], None), ("DELETE", HOOKS + "/" + ids[0], None), ("GET", EVENTS + "/" + theirs[0], None),
                               ("POST", EVENTS + "/%s/resend" % theirs[0], None),
                               ("POST", "/v1/notifications/simulate-event", {"webhook_id": ids[0], "event_type": "PAYMENT.PAYOUTS-ITEM.HELD"})):
        assert stranger.call(method, path, body).json["name"] == "INVALID_RESOURCE_ID", path
    assert faults(stranger.call("POST", EVENTS + "-resend", {"first": theirs[-1], "last": theirs[0]})) == {"first", "last"}


def test_the_event_types_are_the_same_everywhere(rest, receiver):
    told = rest.call("GET", "/v1/notifications/webhooks-event-types").json["event_types"]
    names = [t["name"] for t in told]
    assert names == rest_world.openapi().document["components"]["schemas"]["EventTypeName"]["enum"] and all(t["description"] for t in told)
    made = create(rest, receiver.url(), [{"name": n} for n in names])
    assert [t["name"] for t in made["event_types"]] == names
    for name in names:
        simulated = rest.call("POST", "/v1/notifications/simulate-event", {"url": receiver.url(), "event_type": name})
        assert simulated.status == 202 and simulated.json["simulated"] is True and simulated.json["event_type"] == name
        resource = simulated.json["resource"]
        id_ = resource.get("payout_batch_id") or resource["batch_header"]["payout_batch_id"]
        assert rest.batch(id_).status == 404, "no batch has this id"
    wait_until(lambda: len(receiver.got) == 12, 20, "each to come")
    for body in ({"event_type": names[0]}, {"webhook_id": made["id"]}):
        assert len(faults(rest.call("POST", "/v1/notifications/simulate-event", body))) == 1
    assert rest.call("POST", "/v1/notifications/simulate-event", {"webhook_id": made["id"], "event_type": "X"}).status == 404


# ---------------------------------------------------------------- events say what the API says
def told_of(receiver, item_or_batch):
    """The last event of it that came."""
    got = [json.loads(body) for _, _, body, _ in receiver.got]
    return [e for e in sorted(got, key=lambda e: e["id"])
            if (e["resource"].get("payout_item_id") or e["resource"]["batch_header"]["payout_batch_id"]) == item_or_batch][-1]


def test_events_say_of_items_and_batches_what_reading_them_says(rest, receiver, platform, bank):
    create(rest, receiver.url())
    payee = platform.register(bank).name.rsplit("/", 1)[1]
    to = lambda who, value, **f: item(who, value, recipient_type="PAYPAL_ID", **f)
    batch = rest.created(batch_of(to(payee, "120.00", sender_item_id="i1", note="Invoice 18"), to(payee, "35.50"), to(payee, "60.00"), to("999999999", "10.00"),
                                  item("nobody@example.com", "20.00"), to(payee, "77.00"), sender_batch_id="b%d" % number()))
    items = rest.items(batch)
    assert rest.cancel(items[5]["payout_item_id"]).status == 200
    told = sorted(bank.take(3), key=lambda i: int(i.instruction_id.split("-")[1]))
    bank.confirm(bank.settled(told[0]), bank.rejected(told[1], "AC04"), bank.settled(told[2]))
    bank.send_back(told[2], "AC06", amount=100)
    rest.cancel(items[4]["payout_item_id"])
    wait_until(lambda: len(receiver.got) == 10, 20, "ten events")
    items = rest.items(batch)
    assert [i["transaction_status"] for i in items] == ["SUCCESS", "FAILED", "REFUNDED", "FAILED", "RETURNED", "RETURNED"]
    assert [i.get("errors", {}).get("name") for i in items] == [None, "REJECTED_BY_BANK", "RETURNED_BY_BANK", "RECEIVER_UNREGISTERED", None, None]
    for i in items:
        resource = told_of(receiver, i["payout_item_id"])["resource"]
        alone = rest.item(i["payout_item_id"]).json
        for key in ("receiver", "note"):
            alone["payout_item"].pop(key, None)
        alone.pop("currency_conversion", None), alone.pop("links"), resource.pop("links")
        assert resource == alone
    header, read = told_of(receiver, batch)["resource"]["batch_header"], rest.batch(batch).json["batch_header"]
    assert header["batch_status"] == read["batch_status"] == "SUCCESS" and header["payments"] == 6
    assert header["amount"] == read["amount"] and header["fees"] == read["fees"] and float(read["fees"]["value"]) > 0


def test_a_batch_all_of_which_was_taken_back_ends_as_canceled(rest, receiver, platform, bank):
    create(rest, receiver.url())
    payee = platform.register(bank).name.rsplit("/", 1)[1]
    batch = rest.created(batch_of(*[item(payee, "10.00", recipient_type="PAYPAL_ID") for _ in range(2)], sender_batch_id="b%d" % number()))
    for i in rest.items(batch):
        assert rest.cancel(i["payout_item_id"]).status == 200
    wait_until(lambda: len(receiver.got) == 4, 20, "four events")
    last = told_of(receiver, batch)
    assert (last["event_type"], last["resource"]["batch_header"]["batch_status"]) == ("PAYMENT.PAYOUTSBATCH.SUCCESS", "CANCELED")
    assert rest.batch(batch).json["batch_header"]["batch_status"] == "CANCELED"


# ---------------------------------------------------------------- pages and filters
def test_events_come_in_pages_and_by_what_they_are_of(rest, receiver):
    create(rest, receiver.url())
    first, second = unclaimed(rest, 4), unclaimed(rest, 2)
    wait_until(lambda: events(rest)["count"] == 10, 20, "ten events")
    everything = events(rest, "?page_size=300")
    ids = [e["id"] for e in everything["events"]]
    assert len(ids) == 10 and ids == sorted(ids, reverse=True) and everything["links"] == []

    def walk(query):
        """All pages, by their links."""
        got, path = [], EVENTS + query
        while path:
            page = rest.call("GET", path).json
            got += page["events"]
            path = page["links"][0]["href"].split("/", 3)[3] if page["links"] else None
            path = path and "/" + path
        return got

    for size in (1, 3, 5, 10, 11):
        assert [e["id"] for e in walk("?page_size=%d" % size)] == ids, size
    of = lambda e: e["resource"].get("payout_batch_id") or e["resource"]["batch_header"]["payout_batch_id"]
    assert [e["id"] for e in walk("?page_size=2&transaction_id=" + first)] == [e["id"] for e in everything["events"] if of(e) == first]
    item_id = rest.items(second)[1]["payout_item_id"]
    assert [(e["event_type"], e["resource"]["payout_item_id"]) for e in walk("?page_size=1&transaction_id=" + item_id)] == [
        ("PAYMENT.PAYOUTS-ITEM.UNCLAIMED", item_id)]
    kind = "PAYMENT.PAYOUTSBATCH.SUCCESS"
    assert [of(e) for e in walk("?page_size=1&event_type=" + kind)] == [second, first]
    early = "2001-07-17T09:00:00Z"
    late = urllib.parse.quote("2101-07-17T09:00:00+05:00")
    assert len(walk("?page_size=4&start_time=%s&end_time=%s" % (early, late))) == 10
    assert events(rest, "?end_time=" + early)["events"] == events(rest, "?start_time=" + late)["events"] == []
    for query, field in (("page_size=0", "page_size"), ("page_size=301", "page_size"), ("page_size=x", "page_size"), ("before=0", "before"),
                         ("start_time=yesterday", "start_time"), ("end_time=1", "end_time"), ("event_type=X", "event_type"),
                         ("transaction_id=" + first[:-1], "transaction_id")):
        assert faults(rest.call("GET", EVENTS + "?" + query)) == {field}, query
    for id_ in ("x", "WH-00000001-0000000000000", ids[0][:-13] + "F" * 13, ids[0].lower()):
        assert rest.call("GET", EVENTS + "/" + id_).json["name"] == "INVALID_RESOURCE_ID"


# ---------------------------------------------------------------- again
def test_one_event_or_a_range_is_told_again(rest, receiver):
    here, there = create(rest, receiver.url("/here"))["id"], create(rest, receiver.url("/there"))["id"]
    unclaimed(rest, 3)
    wait_until(lambda: len(receiver.got) == 10, 20, "five events to two endpoints")
    ids = sorted({e for e, _, _ in receiver.events()})
    state = lambda id_: {d["state"] for d in rest.call("GET", EVENTS + "/" + id_).json["deliveries"]}
    wait_until(lambda: all(state(i) == {"DELIVERED"} for i in ids), 20, "all to be recorded")

    def again(path, body, n):
        """What comes by it, of each endpoint in its order."""
        before = len(receiver.got)
        answer = rest.call("POST", path, body)
        assert answer.status == 202, answer.text
        wait_until(lambda: len(receiver.got) == before + n and all(state(i) == {"DELIVERED"} for i in ids), 20, "%d more" % n)
        return answer.json, [(path, json.loads(body)["id"]) for path, _, body, _ in receiver.got[before:]]

    said, came = again(EVENTS + "/%s/resend" % ids[1], None, 2)
    assert said["id"] == ids[1] and sorted(came) == [("/here", ids[1]), ("/there", ids[1])]
    said, came = again(EVENTS + "/%s/resend" % ids[1], {"webhook_ids": [there]}, 1)
    assert came == [("/there", ids[1])]
    said, came = again(EVENTS + "-resend", {"first": ids[0], "last": ids[4]}, 10)
    assert said == {"deliveries": 10} and sorted(came) == [(p, i) for p in ("/here", "/there") for i in ids]
    for path in ("/here", "/there"):
        of_batch = [i for p, i in came if p == path and i in (ids[0], ids[4])]
        assert of_batch == [ids[0], ids[4]], "the batch's end after its beginning"
    said, came = again(EVENTS + "-resend", {"first": ids[2], "last": ids[2], "webhook_ids": [here]}, 1)
    assert said == {"deliveries": 1} and came == [("/here", ids[2])]
    said, came = again(EVENTS + "-resend", {"first": ids[2], "last": ids[2], "webhook_ids": ["0" * 17]}, 0)
    assert said == {"deliveries": 0}
    far = ids[0][:-13] + "%013X" % 100_001
    for body, fields in (({}, {"first", "last"}), ({"first": ids[1], "last": ids[0]}, {"last"}), ({"first": ids[0], "last": far}, {"last"}),
                         ({"first": "x", "last": ids[0]}, {"first"}), ({"first": ids[0], "last": ids[1], "webhook_ids": ["x"]}, {"webhook_ids"}),
                         ({"first": ids[0], "last": ids[1], "webhook_ids": [here] * 11}, {"webhook_ids"}),
                         ({"first": ids[0], "last": ids[1], "webhook_ids": [here[:-8] + "," + here[-7:]]}, {"webhook_ids"})):
        assert faults(rest.call("POST", EVENTS + "-resend", body)) == fields, body


# ---------------------------------------------------------------- verified
def test_an_event_is_verified_and_a_forged_one_is_not(rest, receiver):
    made = create(rest, receiver.url())
    unclaimed(rest)
    wait_until(lambda: len(receiver.got) == 3, 20, "three events")
    _, headers, body, _ = next(g for g in receiver.got if b"PROCESSING" in g[2])
    event = json.loads(body)
    said = dict(transmission_id=headers["paypal-transmission-id"], transmission_time=headers["paypal-transmission-time"],
                cert_url=headers["paypal-cert-url"], auth_algo=headers["paypal-auth-algo"], transmission_sig=headers["paypal-transmission-sig"],
                webhook_id=made["id"])
    ask = lambda event, **changes: rest.call("POST", "/v1/notifications/verify-webhook-signature", {**said, **changes, "webhook_event": event})
    verify = lambda *a, **k: ask(*a, **k).json["verification_status"]
    assert verify(event) == verify(json.loads(json.dumps(event, indent=2))) == "SUCCESS"
    lie = forge(body.replace(b"PROCESSING", b"SUCCESS"), body)
    path = headers["paypal-cert-url"].replace("https://pay.example.pk", "")
    cert = rest.call("GET", path)
    assert cert.status == 200 and verify_paypal(cert.text, made["id"], headers, lie), "PayPal's scheme takes it"
    assert rest.call("GET", path[:-1] + "x").json["name"] == "INVALID_RESOURCE_ID"
    for changed, changes in ((json.loads(lie), {}), (event, {"webhook_id": "0" * 17}), (event, {"transmission_time": "x"}), (event, {"auth_algo": "none"}),
                             (event, {"transmission_id": "x"}), (event, {"transmission_sig": "AAAA"}), ({**event, "more": 1}, {}), ({}, {}),
                             ({**event, "id": event["id"][:-1] + "9"}, {})):
        assert verify(changed, **changes) == "FAILURE", changes
    assert faults(rest.call("POST", "/v1/notifications/verify-webhook-signature", {})) == {*said, "webhook_event"}
    ours = page_verifier()
    assert ours(made["public_key"], headers, body) and not ours(made["public_key"], headers, lie)


def test_the_verifier_of_the_page_takes_what_it_should_and_nothing_else(rest, receiver):
    made = create(rest, receiver.url())
    unclaimed(rest)
    wait_until(lambda: len(receiver.got) == 3, 20, "three events")
    verify, key = page_verifier(), made["public_key"]
    _, headers, body, _ = receiver.got[0]
    at = int(headers["webhook-timestamp"])
    with_ = lambda **changes: {**headers, **{k.replace("_", "-"): v for k, v in changes.items()}}
    good = headers["webhook-signature"]
    assert verify(key, headers, body) and verify(key, headers, body, now=at + 299) and verify(key, with_(webhook_signature="v1,AAAA v1a,AAAA " + good), body)
    for bad in (with_(webhook_id=headers["webhook-id"][:-1] + "F"), with_(webhook_timestamp=str(at - 1)), with_(webhook_timestamp="soon"),
                with_(webhook_timestamp=""), with_(webhook_signature=good.replace("v1a,", "v1,")), with_(webhook_signature=""),
                with_(webhook_signature="v1a,!"), with_(webhook_signature="v1a," + base64.b64encode(b"x" * 64).decode()), {}):
        assert verify(key, bad, body) is False, bad
    assert not verify(key, headers, body + b" ") and not verify(key, headers, body, now=at + 301) and not verify(key, headers, body, now=at - 301)
    assert not verify("whpk_" + base64.b64encode(b"\1" * 32).decode(), headers, body)


def test_the_examples_of_the_description_are_as_it_says():
    document, n = rest_world.openapi().document, 0

    def look(node):
        nonlocal n
        if isinstance(node, list):
            for one in node:
                look(one)
        elif isinstance(node, dict):
            of = node.get("application/json", {})
            if "example" in of:
                assert rest_world.openapi().faults(of["schema"], json.dumps(of["example"])) == [], of["example"]
                n += 1
            for one in node.values():
                look(one)

    look({k: v for k, v in document.items() if k != "schemas"})
    assert n > 15
