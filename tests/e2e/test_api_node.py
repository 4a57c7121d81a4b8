"""The contract by stock Node: @grpc/grpc-js against the real gateway."""
import json
import pathlib
import shutil
import subprocess

import pytest

from harness import PATIENCE, ROOT
from world import iban, price

CASES = {"submits_and_gets", "is_told_why_not", "sends_a_batch", "thousand_calls_at_once", "bank_hears_and_confirms",
         "platform_watches_and_resumes", "lists_by_pages", "auditor_finds_the_books_in_balance", "cancels_and_is_late"}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A folder with the client in it and what it needs installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NODE IS MISSING: the contract was not tried with @grpc/grpc-js")
    here, folder = pathlib.Path(__file__).parent / "node", tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "api_client.js"):
        shutil.copy(here / name, folder)
    installed = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], cwd=folder,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip("NPM COULD NOT INSTALL @grpc/grpc-js: " + installed.stderr[-300:])
    return folder


def test_stock_node_client(node, world):
    platform, bank, auditor = world.platform(), world.bank(), world.auditor
    plan = {"address": world.gateway.address, "protos": str(ROOT / "proto"), "ca": str(world.pki.ca),
            "principals": {name: [str(f) for f in world.pki.pair(party.principal)]
                           for name, party in (("platform", platform), ("bank", bank), ("auditor", auditor))},
            "iban": iban(bank.code), "book": "books/" + platform.code, "net_of_12345": price(12_345).net}
    (node / "plan.json").write_text(json.dumps(plan))
    done = subprocess.run(["node", "api_client.js", "plan.json"], cwd=node, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=90 * PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(CASES, "ok")
    for payout in [price(12_345)] * 3 + [price(500)] * 1000:
        platform.books.accepted(payout, bank.code)
    platform.books.settled(price(12_345), bank.code)
    assert world.auditor.balances(platform) == platform.books.nonzero()
