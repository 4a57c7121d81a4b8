"""deploy/platforms/peopleperhour: its freelancers can be registered by the command, and its batches are paid as they stand."""
import csv
import json
import os
import re
import subprocess

import jsonschema

from harness import BIN, ROOT
from rest_world import add_client, openapi

FOLDER = ROOT / "deploy" / "platforms" / "peopleperhour"


def test_peopleperhours_batches_are_paid_as_they_stand(new_world):
    world = new_world(rest=True)
    gateway = world.gateway
    for bank in ("MUCB", "SCBL", "HABB"):
        gateway.ujrat("bank", "connect", bank)
    profile = json.loads((FOLDER / "profile.json").read_text())
    gateway.ujrat("platform", "add", "peopleperhour", "--profile", FOLDER / "profile.json")
    for ccy in profile["currencies"]:
        gateway.ujrat("float", "deposit", "peopleperhour", "10000", ccy, "--reference", "P-" + ccy)
    cert, key = gateway.pki.pair(gateway.pki.issue("ujrat://platform/peopleperhour"))
    env = {**os.environ, "UJRAT_ADDR": gateway.address, "UJRAT_CA": str(gateway.pki.ca)}

    def ujrat(*arguments):
        done = subprocess.run([str(BIN / "ujrat"), *arguments, "--cert", str(cert), "--key", str(key), "--json"], env=env, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    class client:   # the platform "peopleperhour" as rest_world wants it
        code = "peopleperhour"

    rest = add_client(world, client)
    lines = [line for line in (FOLDER / "freelancers.csv").read_text().splitlines() if not line.startswith("#")]
    for person in csv.DictReader(lines):
        assert person["email"].endswith("@example.com")
        added = ujrat("beneficiary", "add", person["email"], "--name", person["name"], "--iban", person["iban"], "--cnic", person["cnic"],
                      "--channel", person["channel"], *(["--pseb", person["pseb"]] if person["pseb"] else []))
        ujrat("receiver", "add", added["name"], person["email"])

    described = openapi().document["paths"]["/v1/payments/payouts"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    states, batches = {}, sorted(FOLDER.glob("payouts.*"))
    for path in batches:
        batch = json.loads(path.read_text())
        jsonschema.Draft202012Validator({**described, "components": openapi().document["components"]}).validate(batch)
        batch_id = rest.created(path.read_bytes(), request_id=path.name)
        assert rest.created(path.read_bytes(), request_id=path.name) == batch_id
        for item in rest.items(batch_id):
            states[item["payout_item"]["sender_item_id"]] = item["transaction_status"]
            assert re.fullmatch(profile["reference"].replace("#", r"\d").replace("*", r"\d+"), item["payout_item"]["sender_item_id"])
    assert states == {"PPH-2026-07-%03d" % n: "PENDING" if n < 6 else "UNCLAIMED" for n in range(1, 7)}
    assert world.value("SELECT count(*) FROM payout") == 5
