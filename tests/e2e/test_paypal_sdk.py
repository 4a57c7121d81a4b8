"""PayPal's own SDK for Node, unmodified from npm, pays through the REST API: its users change the base URL and nothing else."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

import rest_world
from harness import PATIENCE
from rest_world import add_client
from world import price

TOKEN_SECONDS = 6
MANY = 15_000
RECEIVERS = ["first@example.com", "second@example.com", "third@example.com"]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A folder with the client in it and what it needs installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NODE IS MISSING: the REST API was not tried with @paypal/payouts-sdk")
    here, folder = pathlib.Path(__file__).parent / "node", tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "paypal_sdk.js"):
        shutil.copy(here / name, folder)
    installed = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], cwd=folder,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip("NPM COULD NOT INSTALL @paypal/payouts-sdk: " + installed.stderr[-300:])
    return folder


@pytest.fixture(scope="module")
def world(new_world):
    return new_world(rest=True, rest_token_ttl="%ds" % TOKEN_SECONDS)


@pytest.mark.seconds_max(400)
def test_paypals_sdk_pays(node, world):
    platform, bank = world.platform(USD=50_000_00), world.bank()
    for receiver in RECEIVERS:
        platform.beneficiaries.AddReceiver(world.api.payout.AddReceiverRequest(
            beneficiary=platform.register(bank).name, email=receiver), timeout=20)
    clients = [add_client(world, platform) for _ in range(3)]
    plan = {"base_url": "https://" + world.gateway.address, "receivers": RECEIVERS, "many": MANY, "token_seconds": TOKEN_SECONDS}
    for client, (i, s) in zip(clients, (("client_id", "client_secret"), ("second_id", "second_secret"), ("third_id", "third_secret"))):
        plan.update({i: client.client_id, s: client.secret})
    (node / "plan.json").write_text(json.dumps(plan))
    tokens = world.gateway.log().count("/v1/oauth2/token")
    done = subprocess.run(["node", "--no-deprecation", "paypal_sdk.js", "plan.json"], cwd=node, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=360 * PATIENCE, env={**os.environ, "NODE_EXTRA_CA_CERTS": str(world.pki.ca)})
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)

    first = [price(2050), price(2150), price(2250)]
    transaction = seen["gets_an_item"].pop("transaction_id")
    assert seen == {
        "creates": {"status": "PENDING", "sender_batch_id": "sdk-1"},
        "gets_by_pages": {"pages": 2, "items": [["first-0", "PENDING", "20.50"], ["first-1", "PENDING", "21.50"],
                                                ["first-2", "PENDING", "22.50"], ["nobody", "UNCLAIMED", "12.00"]]},
        "gets_some_fields": {"header": False, "items": False},
        "gets_an_item": {"receiver": RECEIVERS[0], "to": {"currency": "PKR", "value": "%d.%02d" % divmod(first[0].net, 100)}},
        "cancels_what_nobody_claimed": {"status": "RETURNED", "again": [400, "ITEM_ALREADY_CANCELLED"]},
        "is_told_of_a_duplicate": {"same": True, "status": 400, "name": "USER_BUSINESS_ERROR", "original": True,
                                   "field": "sender_batch_header.sender_batch_id", "other": [400, "USER_BUSINESS_ERROR"]},
        "is_refused_with_a_wrong_secret": [[401, "invalid_client"]] * 2,
        "is_told_what_is_malformed": {"status": 400, "name": "VALIDATION_ERROR", "locations": ["body"],
                                      "fields": ["items[1].receiver", "items[2].amount.value", "items[3].amount"],
                                      "none": [404, "INVALID_RESOURCE_ID"], "much": [422, "INSUFFICIENT_FUNDS"]},
        "sends_fifteen_thousand": {"items": MANY, "tooMany": [400, "items"]},
        "fetches_a_token_when_its_own_is_old": ["token", 200, 200, "token", 200],
        "fetches_a_token_when_it_is_told_401": {"status": 201, "same": True, "fetched": 2, "another": True},
    }
    payout = platform.get("platforms/%s/payouts/%s" % (platform.code, transaction))
    assert payout.pricing.net.minor_units == first[0].net
    assert world.gateway.log().count("/v1/oauth2/token") - tokens >= 1 + 2 + 2 + 2

    # Everything was paid once, however often it was asked for; what nobody claimed is back in the float.
    assert world.rows("SELECT sender_batch_id, request_id, items FROM payout_batch ORDER BY batch_id") == [
        ("sdk-1", "request-1", 4), ("sdk-many", "request-many", MANY), ("sdk-expiring", "request-expiring", 1)]
    paid = [*first, *[price(225)] * MANY, price(3300)]
    assert world.rows("SELECT gross, net FROM payout ORDER BY payout_id") == [(p.gross, p.net) for p in paid]
    for p in paid:
        platform.books.accepted(p, bank.code)
    assert world.auditor.balances(platform) == platform.books.nonzero()
    assert platform.balance() == 50_000_00 - sum(p.gross for p in paid)
    log = world.gateway.log()
    for secret in (*rest_world.SECRETS, *RECEIVERS, "nobody@example.com"):
        assert secret not in log
