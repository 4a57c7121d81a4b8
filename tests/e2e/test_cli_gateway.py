"""The commands that speak to the gateway: payout files, and the sandbox bank that must not pay twice."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import BIN, PATIENCE, ROOT, new_database, unique, wait_until

FILES = ROOT / "deploy" / "demo" / "payouts"
BANKS = ("MUCB", "SCBL", "HABB")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Desk:
    """A gateway with a funded platform, and the program as anyone."""

    def __init__(self, gateway, folder):
        self.gateway, self.folder, self.running = gateway, pathlib.Path(folder), []
        self.folder.mkdir()

    def environment(self):
        gateway = self.gateway
        env = {k: v for k, v in os.environ.items() if not k.startswith(("UJRAT_", "PG"))}
        env.update(UJRAT_ADDR=gateway.address, UJRAT_CA=str(gateway.pki.ca), UJRAT_DB=gateway.database.uri("ujrat_auditor"))
        for name in ("upwork", "fiverr", "auditor", *BANKS):
            cert, key = gateway.pki.pair(name)
            env["UJRAT_CERT_" + name.upper()], env["UJRAT_KEY_" + name.upper()] = str(cert), str(key)
        return env

    def __call__(self, *arguments):
        p = subprocess.run([str(BIN / "ujrat"), *map(str, arguments)], capture_output=True, text=True, timeout=60, env=self.environment())
        return p.returncode, p.stdout, p.stderr

    def bank(self, code, *options):
        p = subprocess.Popen([str(BIN / "ujrat"), "bank", "run", "--as", code, "--state", str(self.folder / code), *map(str, options)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment())
        self.running.append(p)
        return p

    def end(self, process, sig=signal.SIGTERM):
        process.send_signal(sig)
        out, err = process.communicate(timeout=30 * PATIENCE)
        self.running.remove(process)
        return process.returncode, out, err

    def states(self):
        return sorted(r[0] for r in self.gateway.database.rows("SELECT state FROM ujrat.payout_now"))

    def journals(self):
        return self.gateway.database.value("SELECT count(*) FROM ujrat.journal")


@pytest.fixture
def desk(cluster, new_gateway, work):
    database = new_database(cluster)
    gateway = new_gateway(database, start=False, rate_age_max="3650d")
    for bank in BANKS:
        gateway.ujrat("bank", "connect", bank)
    gateway.ujrat("platform", "add", "upwork", "--currency", "USD,EUR", "--margin-bps", "50", "--fee-fixed", "0.50")
    gateway.ujrat("platform", "add", "fiverr", "--currency", "USD", "--margin-bps", "50")
    gateway.ujrat("float", "deposit", "upwork", "100000", "USD", "--reference", "A-1")
    gateway.ujrat("float", "deposit", "upwork", "100000", "EUR", "--reference", "A-2")
    gateway.ujrat("float", "deposit", "fiverr", "1000", "USD", "--reference", "A-3")
    gateway.ujrat("rates", "import", ROOT / "data" / "rates" / "sbp_m2m_2026-07-17.csv")
    gateway.start()
    desk = Desk(gateway, work / unique("desk"))
    yield desk
    for process in list(desk.running):
        desk.end(process, signal.SIGKILL)
    if gateway.process is not None:
        gateway.stop()


def made_file(desk, n, bank="MUCB", name="many.csv"):
    """n payouts of a dollar or more to one bank."""
    iban = {"MUCB": "PK24MUCB0646609971000177", "SCBL": "PK36SCBL0000001123456702"}[bank]
    file = desk.folder / name
    file.write_text("reference,amount,currency,name,iban,cnic,channel\n" + "".join(
        "%s-%05d,%d.50,USD,Made Up,%s,3520212345671,export\n" % (bank, i, 1 + i % 7, iban) for i in range(n)))
    return file


# ---------------------------------------------------------------- payout files
def test_a_file_sent_twice_is_paid_once(desk):
    code, out, err = desk("payout", "submit", FILES / "upwork.csv", "--as", "upwork", "--json")
    assert code == 0, err
    assert [r["outcome"] for r in json.loads(out)] == ["ACCEPTED"] * 7
    journals = desk.journals()
    code, again, _ = desk("payout", "submit", FILES / "upwork.csv", "--as", "upwork", "--json")
    assert code == 0
    assert [r["outcome"] for r in json.loads(again)] == ["DUPLICATE"] * 7
    assert [(r["payout"], r["net"]) for r in json.loads(again)] == [(r["payout"], r["net"]) for r in json.loads(out)]
    assert desk.journals() == journals


def test_one_bad_item_does_not_refuse_its_neighbours(desk):
    # fiverr's float holds 1,000: what it does not cover is refused, what comes after and is small is paid
    code, out, _ = desk("payout", "submit", FILES / "fiverr.csv", "--as", "fiverr", "--json")
    assert code == 1
    results = {r["reference"]: r for r in json.loads(out)}
    assert results["FVR-2026-07-001"]["outcome"] == "REFUSED" and "INSUFFICIENT_FLOAT" in results["FVR-2026-07-001"]["why"]
    assert results["FVR-2026-07-006"]["outcome"] == "ACCEPTED"


@pytest.mark.parametrize("text, says", [
    ("reference,amount\nA,1\n", "no 'currency'"),
    ("reference,amount,currency,nonsense\nA,1,USD,x\n", "nonsense"),
    ("reference,amount,currency,name,iban,cnic,channel\nA,1.001,USD,N,I,C,export\n", ":2:"),
    ("reference,amount,currency,name,iban,cnic,channel\nA,1,USD,N,I,C,gift\n", "'gift'"),
    ("reference,amount,currency,name,iban,cnic,channel\n,1,USD,N,I,C,export\n", "no reference"),
    ("reference,amount,currency,name,iban,cnic,channel\nA,1,USD,\"N,I,C,export\n", "not closed"),
    ("reference,amount,currency\n", "no payouts"),
    ("", "empty"),
])
def test_a_file_that_cannot_be_read_is_not_sent_at_all(desk, text, says):
    file = desk.folder / "bad.csv"
    file.write_text(text)
    code, _, err = desk("payout", "submit", file, "--as", "upwork")
    assert code == 2 and says in err
    assert desk.states() == []


def test_a_gateway_that_is_away_is_waited_for(desk):
    file = made_file(desk, 50)
    port = desk.gateway.port
    env = desk.environment()
    desk.gateway.stop()
    p = subprocess.Popen([str(BIN / "ujrat"), "payout", "submit", str(file), "--as", "upwork", "--tries", "100"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    time.sleep(0.5)
    desk.gateway.settings["listen"] = "127.0.0.1:%d" % port
    desk.gateway.start()
    out, err = p.communicate(timeout=60 * PATIENCE)
    assert p.returncode == 0, out + err
    assert desk.states() == [1] * 50


def test_a_gateway_that_stays_away_did_nothing_and_that_is_said(desk):
    env = desk.environment()
    desk.gateway.stop()
    p = subprocess.run([str(BIN / "ujrat"), "payout", "submit", str(made_file(desk, 3)), "--as", "upwork", "--tries", "1", "--json"],
                       capture_output=True, text=True, env=env, timeout=60)
    assert p.returncode == 1
    assert {r["outcome"] for r in json.loads(p.stdout)} == {"NOT_DONE"}


def test_quote_balance_get_and_cancel(desk):
    code, out, err = desk("quote", "1000", "USD", "--as", "upwork", "--json", "--request-id", "q1")
    quote = json.loads(out)
    assert code == 0 and quote["pricing"]["mid_rate"] == "277.9612", err
    assert json.loads(desk("quote", "1000", "USD", "--as", "upwork", "--json", "--request-id", "q1")[1])["name"] == quote["name"]
    desk("payout", "submit", FILES / "upwork.csv", "--as", "upwork")
    reference = "UPW-2026-07-001"
    assert "ACCEPTED" in desk("payout", "get", reference, "--as", "upwork")[1]
    assert "PAYOUT_NOT_FOUND" in desk("payout", "get", reference, "--as", "fiverr")[2]
    code, out, err = desk("payout", "cancel", reference, "--as", "upwork")
    assert code == 0 and "CANCELLED" in out, err
    balance = {r["currency"]: r["available"] for r in json.loads(desk("balance", "--as", "upwork", "--json")[1])}
    assert balance == {"USD": "94037.50", "EUR": "99825.00"}


def test_without_a_certificate_of_ours_nothing_is_answered(desk, other_pki):
    cert, key = other_pki.pair("upwork")
    code, _, err = desk("balance", "--cert", cert, "--key", key)
    assert code == 1 and err
    assert desk("balance", "--as", "nobody")[0] == 2
    assert desk("balance")[0] == 2


def test_what_cannot_be_reached_or_read_is_named(desk, tmp_path):
    nobody = "localhost:%d" % free_port()
    code, _, err = desk("balance", "--as", "upwork", "--addr", nobody)
    assert code == 1 and nobody in err and "refused" in err
    code, _, err = desk("balance", "--as", "upwork", "--ca", tmp_path / "nowhere.pem")
    assert code == 1 and "nowhere.pem" in err and "No such file" in err


# ---------------------------------------------------------------- the sandbox bank
def settled(desk, n):
    return lambda: desk.states().count(4) + desk.states().count(5) + desk.states().count(6) == n


def test_banks_settle_reject_and_return(desk):
    desk("payout", "submit", FILES / "upwork.csv", "--as", "upwork")
    banks = [desk.bank("MUCB"), desk.bank("SCBL", "--reject-every", "2"), desk.bank("HABB", "--return-every", "2", "--return-delay-ms", "0")]
    wait_until(lambda: desk.states() == [4] * 5 + [5, 6], 30, "every payout to land")
    for bank in banks:
        code, _, err = desk.end(bank)
        assert code == 0 and err == "", err
    code, out, err = desk("trial-balance", "--json")
    assert code == 0 and all(l["type"] == "in balance" for l in json.loads(out) if l["account"] == "total")
    tax = desk.gateway.database.rows("SELECT bank_code, net, tax_withheld FROM ujrat.payout_now WHERE state = 4 AND tax_withheld IS NOT NULL")
    assert all(t in (net * 100 // 10000, net * 25 // 10000) for _, net, t in tax) and tax


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_a_bank_that_is_ended_and_started_again_pays_nothing_twice(desk, sig):
    n = 400
    desk("payout", "submit", made_file(desk, n), "--as", "upwork")
    options = ("--batch", "5", "--delay-ms", "60", "--reject-every", "10")    # some seconds, on any machine: time to be ended in
    ends = 0
    bank = desk.bank("MUCB", *options)
    while not settled(desk, n)() and ends < 40:
        time.sleep(0.2)
        desk.end(bank, sig)
        ends += 1
        bank = desk.bank("MUCB", *options)
    wait_until(settled(desk, n), 60, "every payout to land")
    desk.end(bank)
    print("%d times ended, %d payouts" % (ends, n))
    assert ends > 1
    # the bank's own book: each instruction answered once, and the gateway's says the same
    code, out, err = desk("bank", "books", "--state", desk.folder / "MUCB", "--json")
    assert code == 0, err
    entries = json.loads(out)["entries"]
    paid = [e["reference"] for e in entries if e["kind"] == "PAID"]
    assert len(entries) == len({e["instruction"] for e in entries}) == n
    assert len(set(paid)) == len(paid) == n - n // 10
    assert desk.states().count(5) == n // 10
    ours = {r[0] for r in desk.gateway.database.rows("SELECT bank_reference FROM ujrat.payout_now WHERE state = 4")}
    assert ours == set(paid)


def test_a_bank_that_forgets_would_be_found_out(desk):
    """The negative control of the test above: without its memory the bank says otherwise, and is refused."""
    desk("payout", "submit", made_file(desk, 20), "--as", "upwork")
    bank = desk.bank("MUCB")
    wait_until(settled(desk, 20), 30, "every payout to land")
    desk.end(bank)
    (desk.folder / "MUCB").unlink()
    bank = desk.bank("MUCB", "--reject-every", "2")
    patience = threading.Timer(30 * PATIENCE, bank.kill)    # whoever waits for a line in vain reads an end
    patience.start()
    err = ""
    while err.count("ALREADY_CONFIRMED_DIFFERENTLY") < 10:
        line = bank.stderr.readline()
        assert line, "the bank ended: " + err
        err += line
    patience.cancel()
    assert "a person must look" in err
    desk.end(bank)
    assert desk.states() == [4] * 20


def test_a_bank_outlives_the_gateway(desk):
    port = desk.gateway.port
    bank = desk.bank("MUCB")
    desk("payout", "submit", made_file(desk, 10), "--as", "upwork")
    wait_until(settled(desk, 10), 30, "every payout to land")
    desk.gateway.kill()
    time.sleep(0.3)
    desk.gateway.settings["listen"] = "127.0.0.1:%d" % port
    desk.gateway.start()
    desk("payout", "submit", made_file(desk, 30), "--as", "upwork")
    wait_until(settled(desk, 30), 30, "every payout to land")
    assert desk.end(bank)[0] == 0


def test_two_banks_on_one_memory_are_refused(desk):
    bank = desk.bank("MUCB")
    desk("payout", "submit", made_file(desk, 1), "--as", "upwork")
    wait_until(settled(desk, 1), 30, "the bank to be at work")
    code, _, err = desk("bank", "run", "--as", "MUCB", "--state", desk.folder / "MUCB")
    assert code == 1 and "another sandbox bank" in err
    desk.end(bank)


def test_a_platform_is_no_bank(desk):
    code, _, err = desk("bank", "run", "--as", "upwork", "--state", desk.folder / "x")
    assert code == 1 and "ROLE_FORBIDDEN" in err
    assert "ROLE_FORBIDDEN" in desk("payout", "list", "--as", "MUCB")[2]
