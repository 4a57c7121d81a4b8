"""The routes of webhooks by a plain client: endpoints, events, replay, simulation, verification, also of a forged body."""
import json
import types

import pytest

import rest_world
from forge_crc32 import forge
from harness import BIN, new_database, run, wait_until
from hook_receiver import Receiver, verify_paypal
from rest_world import add_client, batch_of, item
from world import number


@pytest.fixture(scope="module")
def world(new_world, cluster, work, pki):
    database = new_database(cluster)
    keys = work / ("rest-hook-keys-%d" % number())
    keys.mkdir(mode=0o700)
    run(BIN / "ujrat", "webhook", "key", "new", keys, "--quiet")
    return new_world(database, rest=True, hooks=True, hooks_db=database.uri("ujrat_hooks"), hooks_keys=keys, hooks_base_url="https://pay.example.pk",
                     hooks_ca_file=pki.ca, hooks_private_targets=True, hooks_poll="20ms")


@pytest.fixture
def rest(world, monkeypatch):
    monkeypatch.setattr(rest_world, "openapi", lambda: types.SimpleNamespace(check=lambda *_: None))   # these paths are not in it yet
    world.bank()
    return add_client(world, world.platform())


def test_an_endpoint_lives_and_its_events_are_seen_verified_and_sent_again(world, rest, pki):
    receiver = Receiver(*pki.pair("server"))
    hooks = "/v1/notifications/webhooks"
    made = rest.call("POST", hooks, {"url": receiver.url(), "event_types": [{"name": "*"}]})
    assert made.status == 201, made.text
    id_ = made.json["id"]
    assert made.json["public_key"].startswith("whpk_") and made.json["state"] == "ENABLED"
    again = rest.call("POST", hooks, {"url": receiver.url(), "event_types": [{"name": "*"}]})
    assert (again.status, again.json["name"]) == (400, "WEBHOOK_URL_ALREADY_EXISTS")
    bad = rest.call("POST", hooks, {"url": "http://x.example", "event_types": [{"name": "NO.SUCH"}]})
    assert (bad.status, bad.json["name"]) == (400, "VALIDATION_ERROR") and {d["field"] for d in bad.json["details"]} == {"url", "event_types"}
    rest.created(batch_of(item("nobody@example.com"), sender_batch_id="b1"))
    wait_until(lambda: len(receiver.got) == 3, 20, "three events")
    events = rest.call("GET", "/v1/notifications/webhooks-events").json
    assert events["count"] == 3 and events["events"][-1]["event_type"] == "PAYMENT.PAYOUTSBATCH.PROCESSING"
    _, headers, body, _ = receiver.got[0]
    event = json.loads(body)
    shown = rest.call("GET", "/v1/notifications/webhooks-events/" + event["id"]).json
    wait_until(lambda: rest.call("GET", "/v1/notifications/webhooks-events/" + event["id"]).json["deliveries"][0]["state"] == "DELIVERED", 10)
    assert shown["id"] == event["id"]
    said = dict(transmission_id=headers["paypal-transmission-id"], transmission_time=headers["paypal-transmission-time"],
                cert_url=headers["paypal-cert-url"], auth_algo=headers["paypal-auth-algo"], transmission_sig=headers["paypal-transmission-sig"], webhook_id=id_)
    verify = lambda event, **changes: rest.call("POST", "/v1/notifications/verify-webhook-signature", {**said, **changes, "webhook_event": event}).json
    assert verify(event) == {"verification_status": "SUCCESS"}
    cert = rest.connection.request("GET", headers["paypal-cert-url"].replace("https://pay.example.pk", "")) or rest.connection.getresponse().read()
    lie = forge(body.replace(b"PROCESSING", b"SUCCESS"), body)
    assert verify_paypal(cert, id_, headers, lie), "PayPal's scheme takes it"
    assert verify(json.loads(lie)) == verify(event, webhook_id="0" * 17) == verify(event, transmission_time="x") == {"verification_status": "FAILURE"}
    assert rest.call("POST", "/v1/notifications/webhooks-events/%s/resend" % event["id"]).status == 202
    wait_until(lambda: len(receiver.got) == 4, 20, "it again")
    simulated = rest.call("POST", "/v1/notifications/simulate-event", {"webhook_id": id_, "event_type": "PAYMENT.PAYOUTS-ITEM.HELD"})
    assert simulated.status == 202 and simulated.json["simulated"] is True
    wait_until(lambda: len(receiver.got) == 5, 20, "the simulated one")
    patched = rest.call("PATCH", hooks + "/" + id_, [{"op": "replace", "path": "/event_types", "value": [{"name": "PAYMENT.PAYOUTSBATCH.SUCCESS"}]}])
    assert patched.status == 200 and [t["name"] for t in patched.json["event_types"]] == ["PAYMENT.PAYOUTSBATCH.SUCCESS"]
    assert len(rest.call("GET", "/v1/notifications/webhooks-event-types").json["event_types"]) == 12
    assert rest.call("DELETE", hooks + "/" + id_).status == 204 and rest.call("GET", hooks + "/" + id_).status == 404
    receiver.close()
