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

PLATFORMS = ROOT / "deploy" / "platforms"
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
    code, out, err = desk("payout", "submit", PLATFORMS / "upwork/payouts.csv", "--as", "upwork", "--json")
    assert code == 0, err
    assert [r["outcome"] for r in json.loads(out)] == ["ACCEPTED"] * 7
    journals = desk.journals()
    code, again, _ = desk("payout", "submit", PLATFORMS / "upwork/payouts.csv", "--as", "upwork", "--json")
    assert code == 0
    assert [r["outcome"] for r in json.loads(again)] == ["DUPLICATE"] * 7
    assert [(r["payout"], r["net"]) for r in json.loads(again)] == [(r["payout"], r["net"]) for r in json.loads(out)]
    assert desk.journals() == journals


def test_one_bad_item_does_not_refuse_its_neighbours(desk):
    # fiverr's float holds 1,000: what it does not cover is refused, what comes after and is small is paid
    code, out, _ = desk("payout", "submit", PLATFORMS / "fiverr/payouts.xml", "--as", "fiverr", "--json")
    assert code == 1
    results = {r["reference"]: r for r in json.loads(out)}
    assert results["FVR-2026-07-001"]["outcome"] == "REFUSED" and "INSUFFICIENT_FLOAT" in results["FVR-2026-07-001"]["why"]
    assert results["FVR-2026-07-006"]["outcome"] == "ACCEPTED"


# ---------------------------------------------------------------- three forms of file
PEOPLE = [("F-1", "12.50", "Aisha Khan", "PK24MUCB0646609971000177"), ("F-2", "7.00", "Bilal Shah", "PK36SCBL0000001123456702")]


def as_csv():
    return "reference,amount,currency,name,iban,cnic,channel,purpose,info\n" + "".join(
        "%s,%s,USD,%s,%s,3520212345671,export,9186,Logo\n" % p for p in PEOPLE)


def as_json(**more):
    return "".join(json.dumps(dict(reference=r, amount=a, currency="USD", name=n, iban=i, cnic="3520212345671", channel="export",
                                   purpose="9186", info="Logo", **more)) + "\n\n" for r, a, n, i in PEOPLE)


def as_pain(count=2, decimals="", extra=""):
    items = "".join("""<CdtTrfTxInf><PmtId><EndToEndId>%s</EndToEndId></PmtId><Amt><InstdAmt Ccy="USD">%s%s</InstdAmt></Amt>
        <CdtrAgt><FinInstnId><ClrSysMmbId><MmbId>MUCB</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt>
        <Cdtr><Nm>%s</Nm><PstlAdr><TwnNm>Lahore</TwnNm><Ctry>PK</Ctry></PstlAdr><Id><PrvtId><Othr><Id>3520212345671</Id>
        <SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id></Cdtr><CdtrAcct><Id><IBAN>%s</IBAN></Id></CdtrAcct>
        <RgltryRptg><Dtls><Cd>9186</Cd></Dtls></RgltryRptg><RmtInf><Ustrd>Logo</Ustrd></RmtInf></CdtTrfTxInf>"""
                    % (r, a, decimals, n, i) for r, a, n, i in PEOPLE)
    return """<?xml version="1.0" encoding="UTF-8"?>%s
        <Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn><GrpHdr><MsgId>M-1</MsgId>
        <CreDtTm>2026-07-17T09:00:00+05:00</CreDtTm><NbOfTxs>%d</NbOfTxs><CtrlSum>19.50</CtrlSum><InitgPty><Nm>Some Platform</Nm></InitgPty></GrpHdr>
        <PmtInf><PmtInfId>M-1-1</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>2026-07-17</Dt></ReqdExctnDt>
        <Dbtr><Nm>Some Platform</Nm><PstlAdr><TwnNm>London</TwnNm><Ctry>GB</Ctry></PstlAdr></Dbtr>
        <DbtrAcct><Id><Othr><Id>float.USD</Id></Othr></Id></DbtrAcct>
        <DbtrAgt><FinInstnId><ClrSysMmbId><MmbId>UJRAT</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>%s</PmtInf>
        </CstmrCdtTrfInitn></Document>""" % (extra, count, items)


def test_three_forms_of_one_file_are_the_same_payouts(desk):
    results = []
    for name, text in ("a.csv", as_csv()), ("a.jsonl", as_json()), ("a.xml", as_pain()):
        file = desk.folder / name
        file.write_text(text)
        code, out, err = desk("payout", "submit", file, "--as", "upwork", "--json")
        assert code == 0, err
        results.append(json.loads(out))
    assert [r["outcome"] for r in results[0]] == ["ACCEPTED"] * 2
    for other in results[1:]:       # the same bodies: else the references would be refused
        assert [(r["outcome"], r["payout"]) for r in other] == [("DUPLICATE", r["payout"]) for r in results[0]]


@pytest.mark.parametrize("name, text, says", [
    ("numbers", '{"reference": "A", "amount": 1.5, "currency": "USD"}\n', "in quotes"),
    ("unknown", as_json(nonsense="x"), "nonsense"),
    ("twice", '{"reference": "A", "reference": "B"}\n', "duplicate"),
    ("cut", as_json()[:-9], ":3: it is not JSON"),
    ("list", '{"reference": "A", "amount": "1", "currency": "USD", "channel": "export"}\n[]\n', ":2: a line is one object"),
    ("decimals", as_pain(decimals="1"), "AMOUNT_SHAPE"),
    ("count", as_pain(count=3), "COUNT_MISMATCH"),
    ("bomb", as_pain(extra='<!DOCTYPE a [<!ENTITY b "c">]>'), "XML_DOCTYPE"),
    ("torn", as_pain()[:-30], "XML"),
    ("other", as_pain().replace("pain.001.001.09", "pain.001.001.03"), "MESSAGE_UNKNOWN"),
])
def test_a_file_of_any_form_that_cannot_be_read_is_not_sent_at_all(desk, name, text, says):
    file = desk.folder / name
    file.write_text(text)
    code, _, err = desk("payout", "submit", file, "--as", "upwork")
    assert code == 2 and says in err, err
    assert desk.states() == []


def test_short_names_of_beneficiaries_are_the_platforms_own(desk):
    code, out, err = desk("beneficiary", "add", "B-1", "--as", "upwork", "--name", "Aisha Khan", "--iban",
                          "PK24MUCB0646609971000177", "--cnic", "3520212345671", "--channel", "export", "--json")
    assert code == 0, err
    name = json.loads(out)["name"]
    file = desk.folder / "short.csv"
    file.write_text("reference,amount,currency,beneficiary\nS-1,5.00,USD,%s\n" % name.split("/", 2)[2])
    code, out, err = desk("payout", "submit", file, "--as", "upwork", "--json")
    assert code == 0 and json.loads(out)[0]["outcome"] == "ACCEPTED", err


# ---------------------------------------------------------------- going on where it was cut off
def test_a_run_that_was_killed_goes_on_where_it_was(desk):
    file, results = made_file(desk, 6000), desk.folder / "results"
    arguments = [str(BIN / "ujrat"), "payout", "submit", str(file), "--as", "upwork", "--chunk", "100", "--results", str(results)]
    p = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=desk.environment())
    wait_until(lambda: results.exists() and results.read_text().count("\n") > 200, what="some answers")
    p.kill()
    p.communicate(timeout=30)
    with open(results, "a") as f:
        f.write('{"n": 9, "refer')      # a line that a crash cut off
    known = results.read_text().count("\n") - 1
    assert 200 <= known < 6000, "it was too fast for this test"
    code, out, err = desk("payout", "submit", file, "--as", "upwork", "--summary", "--results", results)
    assert code == 0, err
    assert "%d of 6000 payouts were accepted before" % known in err
    assert len(desk.states()) == 6000
    assert results.read_text().count("\n") == 6001
    journals = desk.journals()
    code, out, err = desk("payout", "submit", file, "--as", "upwork", "--summary", "--results", results)
    assert code == 0 and "6000 of 6000" in err and desk.journals() == journals


def test_what_was_refused_is_asked_again(desk):
    file, results = desk.folder / "f.csv", desk.folder / "results"
    file.write_text("reference,amount,currency,name,iban,cnic,channel\nG-1,1500.00,USD,Aisha Khan,PK24MUCB0646609971000177,3520212345671,export\n")
    code, out, err = desk("payout", "submit", file, "--as", "fiverr", "--results", results, "--json")
    assert code == 1 and json.loads(out)[0]["outcome"] == "REFUSED"
    desk.gateway.ujrat("float", "deposit", "fiverr", "5000", "USD", "--reference", "A-9")
    code, out, err = desk("payout", "submit", file, "--as", "fiverr", "--results", results, "--json")
    assert code == 0 and json.loads(out)[0]["outcome"] == "ACCEPTED", err


def test_results_of_another_file_are_not_gone_on_from(desk):
    results = desk.folder / "results"
    code, _, err = desk("payout", "submit", made_file(desk, 3), "--as", "upwork", "--results", results)
    assert code == 0, err
    before = results.read_text()
    code, _, err = desk("payout", "submit", made_file(desk, 4), "--as", "upwork", "--results", results)
    assert code == 2 and "another file" in err
    results.write_text("something else\n")
    code, _, err = desk("payout", "submit", made_file(desk, 3), "--as", "upwork", "--results", results)
    assert code == 2 and "not a file of results" in err
    assert before.count("\n") == 4 and len(desk.states()) == 3


# ---------------------------------------------------------------- profiles
@pytest.mark.parametrize("platform", ["upwork", "fiverr", "freelancer"])    # peopleperhour's: test_rest_samples.py
def test_a_platforms_profile_fits_its_own_sample(desk, platform):
    profile = PLATFORMS / platform / "profile.json"
    sample = next((PLATFORMS / platform).glob("payouts.*"))
    code = "new-" + platform        # the desk's own have terms already
    desk.gateway.ujrat("platform", "add", code, "--profile", profile)
    for ccy in json.loads(profile.read_text())["currencies"]:
        desk.gateway.ujrat("float", "deposit", code, "900000", ccy, "--reference", "P-" + ccy)
    cert, key = desk.gateway.pki.pair(desk.gateway.pki.issue("ujrat://platform/" + code))
    p = subprocess.run([str(BIN / "ujrat"), "payout", "submit", str(sample), "--cert", str(cert), "--key", str(key), "--profile",
                        str(profile), "--json"], capture_output=True, text=True, timeout=60, env=desk.environment())
    outcomes = {r["reference"]: (r["outcome"], r["why"]) for r in json.loads(p.stdout)}
    refused = {k: why for k, (outcome, why) in outcomes.items() if outcome != "ACCEPTED"}
    assert list(refused) == (["FLN-2026-07-002"] if platform == "freelancer" else []), refused    # a typing mistake in its IBAN


@pytest.mark.parametrize("line, says", [
    ("UPW-2026-7-1,5.00,USD", "not written as the profile has it"),
    ("UPW-2026-07-001,5.00,GBP", "does not have this currency"),
    ("UPW-2026-07-001,25000.01,USD", "above the profile's gross_max"),
])
def test_a_payout_that_is_not_as_the_profile_has_it_sends_nothing(desk, line, says):
    file = desk.folder / "p.csv"
    file.write_text("reference,amount,currency,name,iban,cnic\n%s,Aisha Khan,PK24MUCB0646609971000177,3520212345671\n" % line)
    code, _, err = desk("payout", "submit", file, "--as", "upwork", "--profile", PLATFORMS / "upwork/profile.json")
    assert code == 2 and says in err and desk.states() == []


@pytest.mark.parametrize("text, says", [
    ("{", "profile.json:1"), ('{"codes": "x"}', "no such member"), ('{"channel": "gift"}', "export or remittance"),
    ('{"currencies": {"XXQ": {}}}', "no such currency"), ('{"currencies": {"USD": {"fee_fixed": 0.5}}}', "in quotes"),
    ('{"currencies": {"USD": {"margin_bps": "40"}}}', "whole number"), ('{"currencies": {"USD": {"margin_bps": 400000}}}', "whole number"),
])
def test_a_wrong_profile_is_refused_with_its_place(desk, text, says):
    file = desk.folder / "profile.json"
    file.write_text(text)
    p = subprocess.run([str(BIN / "ujrat"), "platform", "add", "newone", "--profile", str(file)], capture_output=True, text=True,
                       timeout=60, env=dict(desk.environment(), UJRAT_OPERATOR_DB=desk.gateway.database.uri("ujrat_operator")))
    assert p.returncode in (1, 2) and says in p.stderr, p.stderr


# ---------------------------------------------------------------- bad files
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
    desk("payout", "submit", PLATFORMS / "upwork/payouts.csv", "--as", "upwork")
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
    desk("payout", "submit", PLATFORMS / "upwork/payouts.csv", "--as", "upwork")
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
