"""docs/quickstart.md is true: its blocks are run as they stand, in their order, against a gateway of this test."""

import json
import os
import re
import subprocess

from harness import BIN, PATIENCE, ROOT, new_database

PAGE = ROOT / "docs" / "quickstart.md"


def blocks():
    """(language, text) of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def environment(gateway, folder):
    """What var/demo/env gives, for this gateway; and python3 is the one that has Debian's grpcio."""
    tools = folder / "bin"
    tools.mkdir()
    (tools / "python3").symlink_to("/usr/bin/python3")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UJRAT_", "PG", "PYTHON"))}
    env.update(UJRAT_ADDR=gateway.address, UJRAT_CA=str(gateway.pki.ca), UJRAT_DB=gateway.database.uri("ujrat_auditor"),
               PATH="%s:%s:%s" % (tools, BIN, env["PATH"]), PYTHONDONTWRITEBYTECODE="1", PAGER="cat")
    for name in ("upwork", "MUCB", "auditor"):
        cert, key = gateway.pki.pair(name)
        env["UJRAT_CERT_" + name.upper()], env["UJRAT_KEY_" + name.upper()] = str(cert), str(key)
    client = json.loads(gateway.ujrat("rest", "client", "add", "upwork", "--json"))[0]
    env.update(UJRAT_REST="https://" + gateway.address, PAYPAL_CLIENT_ID_UPWORK=client["client_id"],
               PAYPAL_CLIENT_SECRET_UPWORK=client["client_secret"])
    return env


def test_every_block_of_the_quickstart_works_as_it_stands(cluster, new_gateway, tmp_path):
    database, keys = new_database(cluster), tmp_path / "keys"
    keys.mkdir(mode=0o700)
    gateway = new_gateway(database, start=False, rate_age_max="3650d", rest=True, registry_refresh="100ms", seal_keys=keys,
                          seal_db=database.uri("ujrat_sealer"))
    gateway.ujrat("bank", "connect", "MUCB")
    gateway.ujrat("platform", "add", "upwork", "--currency", "USD", "--margin-bps", "40", "--fee-fixed", "0.50")
    gateway.ujrat("principal", "add", "ujrat://auditor/demo")
    gateway.ujrat("float", "deposit", "upwork", "1000", "USD", "--reference", "quickstart")
    gateway.ujrat("rates", "import", ROOT / "data" / "rates" / "sbp_m2m_2026-07-17.csv")
    gateway.ujrat("log", "key", "add", "upwork", "--keys", keys)
    gateway.start()

    (tmp_path / "proto").symlink_to(ROOT / "proto")
    env = environment(gateway, tmp_path)
    said = {}
    for language, text in blocks():
        if language == "python":
            name, = re.match(r"# (\w+\.py)", text).groups()
            (tmp_path / "var" / "quickstart" / name).write_text(text)
        elif language == "sh":
            done = subprocess.run(["bash", "-euc", text], cwd=tmp_path, env=env, capture_output=True, text=True,
                                  timeout=60 * PATIENCE)
            assert done.returncode == 0, "%s\n%s%s" % (text, done.stdout, done.stderr)
            said[re.findall(r"[\w.]+\.py|psql|protoc|receipt-verify|receiver add|oauth2|tee|sender_batch_id=", text)[0]] = done.stdout
        else:
            assert language == "console", language
    gateway.stop()

    # USD 125.00 less 0.50, at 277.9612 less 0.4%; USD 75.00 likewise by REST
    assert said["pay.py"].splitlines() == ["quoted: PKR 34467.75 at 276.8493552", "platforms/upwork/payouts/2 ACCEPTED"] * 2
    created, end = json.JSONDecoder().raw_decode(said["tee"])
    batch = json.loads(said["tee"][end:])
    assert created["batch_header"]["batch_status"] == "PENDING"
    assert [(i["transaction_status"], i["payout_item"]["receiver"]) for i in batch["items"]] == [
        ("PENDING", "made.up@example.com"), ("UNCLAIMED", "nobody.yet@example.com")]
    assert json.loads(said["sender_batch_id="])["batch_header"]["payout_batch_id"] == created["batch_header"]["payout_batch_id"]
    assert "AMOUNT_NEGATIVE gross.minor_units" in said["refused.py"]
    assert said["confirm.py"].startswith("2 to be paid, 5509303 paisa\n") and "OUTCOME_RECORDED" in said["confirm.py"]
    assert re.search(r"PKR +\| +0 \| +\d", said["psql"]) and re.search(r"quickstart-1 .* \| +4 \| BY-HAND-", said["psql"])
    assert "SETTLED ujrat://bank/MUCB" in said["audit.py"]
    assert "reference quickstart-1" in said["receipt-verify"] and "The receipt is true" in said["receipt-verify"]
