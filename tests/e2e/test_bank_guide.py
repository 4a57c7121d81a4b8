"""docs/bank-guide.md is true: its blocks are run as they stand, in their order; its tables say what the program says."""

import os
import re
import subprocess

from harness import BIN, PATIENCE, ROOT, new_database

PAGE = ROOT / "docs" / "bank-guide.md"


def blocks():
    return re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def environment(gateway, folder):
    tools = folder / "bin"
    tools.mkdir()
    (tools / "python3").symlink_to("/usr/bin/python3")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UJRAT_", "PG", "PYTHON"))}
    cert, key = gateway.pki.pair("MUCB")
    env.update(UJRAT_ADDR=gateway.address, UJRAT_CA=str(gateway.pki.ca), UJRAT_CERT_MUCB=str(cert), UJRAT_KEY_MUCB=str(key),
               PATH="%s:%s:%s" % (tools, BIN, env["PATH"]), PYTHONDONTWRITEBYTECODE="1")
    return env


def pay(gateway, api, references):
    payouts = gateway.stub("payout", "PayoutService", "upwork")
    return payouts.SubmitPayouts(api.payout.SubmitPayoutsRequest(payouts=[
        dict(reference=reference, gross=dict(currency_code="USD", minor_units=12_500), beneficiary_details=dict(
            display_name="Made Up Person", iban="PK92MUCB0015130718397000", cnic="32822-7893155-7", channel="EXPORT_OF_SERVICES"))
        for reference in references]), timeout=30).results


def test_every_block_of_the_bank_guide_works_as_it_stands(cluster, new_gateway, api, tmp_path):
    gateway = new_gateway(new_database(cluster), start=False, rate_age_max="3650d")
    gateway.ujrat("bank", "connect", "MUCB")
    gateway.ujrat("platform", "add", "upwork", "--currency", "USD", "--margin-bps", "40", "--fee-fixed", "0.50")
    gateway.ujrat("float", "deposit", "upwork", "10000", "USD", "--reference", "guide")
    gateway.ujrat("rates", "import", ROOT / "data" / "rates" / "sbp_m2m_2026-07-17.csv")
    gateway.start()
    assert all(r.payout for r in pay(gateway, api, ["guide-1"]))
    (tmp_path / "proto").symlink_to(ROOT / "proto")
    env, said = environment(gateway, tmp_path), {}
    for language, text in blocks():
        if language == "python":
            name, = re.match(r"# (\w+\.py)", text).groups()
            (tmp_path / "var" / "bank-guide" / name).write_text(text)
        elif language == "sh":
            if "bank run" in text:
                assert all(r.payout for r in pay(gateway, api, ["guide-2", "guide-3", "guide-4"]))
            done = subprocess.run(["bash", "-euc", text], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60 * PATIENCE)
            # the sandbox bank begins with empty books, and finds out that take.py has confirmed its first instruction otherwise
            assert done.returncode == 0 or "bank run" in text, "%s\n%s%s" % (text, done.stdout, done.stderr)
            said[re.findall(r"protoc|ask\.py|take\.py|bank run|openssl", text)[0]] = done.stdout + done.stderr
        else:
            assert language == "console", language
    assert '"pendingMinorUnits": "3446775"' in said["ask.py"]
    assert "PKR 34467.75 to PK92MUCB..." in said["take.py"] and "OUTCOME_RECORDED" in said["take.py"]
    assert "Signature Verified Successfully" in said["openssl"]
    assert "as expected of wrong-amount: FIELD_INVALID" in said["bank run"]
    gateway.stop()


def test_the_steps_of_the_guide_are_those_of_the_program():
    told = subprocess.run([str(BIN / "ujrat"), "bank", "run", "--help"], capture_output=True, text=True).stdout
    page = PAGE.read_text()
    names = re.findall(r'= \{"([a-z-]+)", (?:true|false)', (ROOT / "cli" / "bank_script.c").read_text())
    assert len(names) == 18
    for name in names:
        assert re.search(r"\b%s\b" % name, told), name
        assert re.search(r"`%s\b" % name, page) or re.search(r"`[^`]*\b%s\b[^`]*`" % name, page), name
