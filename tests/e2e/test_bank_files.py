"""The sandbox bank by files: what ujrat-settle writes is read, answered in signed files, and taken; whatever is killed."""

import re
import signal
import subprocess
import xml.etree.ElementTree as ET

import pytest

from camt_maker import SHARED
from harness import BIN, run, unique, wait_until
from sandbox import INSTRUCTED, REJECTED, RETURNED, SETTLED, Sandbox
from settle_world import FileBank, Settle, write_key, write_public


@pytest.fixture(scope="module")
def settle_world(new_world):
    world = new_world()
    world.gateway.ujrat("principal", "add", "ujrat://system/settle", "--quiet")
    return world


@pytest.fixture(scope="module")
def platform(settle_world):
    return settle_world.platform(USD=100_000_000)


@pytest.fixture
def settle(settle_world, work):
    made = Settle(work / unique("settle"), settle_world.database)
    yield made
    made.stop(signal.SIGKILL)


class Filing(Sandbox):
    def __init__(self, world, folder, platform, settle):
        super().__init__(world, folder, platform)
        self.settle, self.files = settle, FileBank(settle, self.bank, world.database)
        self.key, self.our_key = self.folder / "bank.key", self.folder / "gateway.pem"
        write_key(self.key, self.files.key)
        write_public(self.our_key, settle.key)

    def start(self, script=None, *options):
        return super().start(script, "--files", self.settle.banks, "--sign-key", self.key, "--gateway-key", self.our_key,
                             "--poll-ms", 20, *options)

    def states(self):
        return sorted(p[0] for p in self.payouts().values())

    def wait_for(self, *expected):
        wait_until(lambda: self.states() == sorted(expected), 30, "%r, now %r" % (expected, self.states()))

    def by_number(self):
        return {i["number"]: i["instruction"] for i in self.books()["instructions"]}

    def reports(self):
        return "".join(p.read_text() for part in ("archive", "quarantine") for p in sorted(self.files.part(part).glob("*.report.txt")))


@pytest.fixture
def sandbox(settle_world, platform, settle, tmp_path):
    made = Filing(settle_world, tmp_path, platform, settle)
    yield made
    made.end_all()
    with settle_world.database.connect(autocommit=True) as db:
        db.execute("UPDATE ujrat.bank SET connected = false WHERE code = %s", (made.bank.code,))


def test_files_are_answered_in_files(sandbox, settle):
    sandbox.files.terms("instant")
    sandbox.pay(10_000, 20_000, 30_000, 40_000)
    settle.start()
    bank = sandbox.start("number 2: reject AC06\nnumber 3: accept, return 40% AC04 charge 10.00, return-again, return\n"
                         "number 4: wrong-amount, wrong-currency, unknown, accept, again, contradict\n")
    sandbox.wait_for(SETTLED, REJECTED, RETURNED, SETTLED)
    sandbox.wait(4)
    code, out, err = bank.end()
    assert (code, err) == (0, ""), err
    wait_until(lambda: sandbox.files.names("in") == [], 20, "every file to be taken")
    reports = sandbox.reports()
    for reason in ("FIELD_INVALID", "CURRENCY_MISMATCH", "INSTRUCTION_NOT_FOUND", "ALREADY_CONFIRMED_DIFFERENTLY"):
        assert reason in reports, reports
    assert sandbox.files.names("quarantine") == []
    books = sandbox.assert_agreed()
    assert books["totals"]["charges"] == "10.00" and books["totals"]["surprises"] == 0


def test_a_bank_of_files_that_dies_writes_the_same_file_again(sandbox, settle):
    sandbox.files.terms("instant")
    sandbox.pay(*[10_000] * 7)
    settle.start()
    script = "".join("number %d: crash %s, %s\n" % (n, point, plan) for n, (point, plan) in enumerate((
        ("received", "accept"), ("decided", "reject"), ("booked", "accept"), ("sent", "reject"), ("noted", "accept"),
        ("booked", "accept, crash sent, return")), 1))
    for _ in range(7):
        assert sandbox.start(script, "--batch", 1).process.wait(30) == -signal.SIGKILL
    bank = sandbox.start(script, "--batch", 1)
    sandbox.wait_for(*[SETTLED] * 4, *[REJECTED] * 2, RETURNED)
    code, _, err = bank.end()
    assert (code, err) == (0, ""), err
    wait_until(lambda: sandbox.files.names("in") == [], 20, "every file to be taken")
    assert "ALREADY_CONFIRMED_DIFFERENTLY" not in sandbox.reports() and sandbox.files.names("quarantine") == []
    assert len(sandbox.assert_agreed()["entries"]) == 8


def test_questions_and_recalls_come_in_files_too(sandbox, settle, settle_world):
    sandbox.files.terms("instant", answer_within="1 second", escalate_after="1 hour")
    sandbox.pay(10_000, 20_000, 30_000)
    settle.start()
    bank = sandbox.start("number 1: silent, accept\nnumber 2: silent, pending ACSP, silent, reject\n"
                         "recall number 1: looking, cancel\nrecall: refuse LEGL\n")
    sandbox.wait_for(REJECTED, SETTLED, SETTLED)
    ids = sandbox.by_number()
    book, payout = (int(n) for n in ids[3][2:].split("-"))
    query = "SELECT status FROM ujrat.recall_answer WHERE (book_id, payout_id) = (%s, %s) ORDER BY answer_no"
    with settle_world.database.connect(autocommit=True, options="-c search_path=ujrat") as db:
        db.execute("SELECT request_recall(%s, %s, 'DUPL', (SELECT principal_id FROM principal WHERE uri = 'ujrat://system/settle'))",
                   (book, payout))
    sandbox.wait_for(REJECTED, SETTLED, RETURNED)
    wait_until(lambda: settle_world.database.rows(query, (book, payout)) == [("PDCR",), ("CNCL",)], 20, "the recall to be answered")
    code, _, err = bank.end()
    assert (code, err) == (0, ""), err
    sandbox.assert_agreed()


def test_what_is_not_signed_by_the_gateway_is_not_paid(sandbox, settle):
    sandbox.files.terms("instant")
    sandbox.pay(10_000)
    settle.start()
    wait_until(lambda: sandbox.files.files(), 20, "a file to the bank")
    write_public(sandbox.our_key, sandbox.files.key)
    code, _, err = sandbox.start("any: accept").end(None)
    assert code == 1 and "the signature of its manifest is not the gateway's" in err
    write_public(sandbox.our_key, settle.key)
    path = sandbox.files.part("out") / (sandbox.files.files()[0].stem + ".xml")
    good = path.read_bytes()
    path.write_bytes(good.replace(b"Ayesha", b"Aeysha"))
    code, _, err = sandbox.start("any: accept").end(None)
    assert code == 1 and "not what its manifest says (SHA-256)" in err
    assert sandbox.states() == [INSTRUCTED] and sandbox.books()["instructions"] == []
    path.write_bytes(good)
    bank = sandbox.start("any: accept")
    sandbox.wait_for(SETTLED)
    assert bank.end()[0] == 0
    sandbox.assert_agreed()


def test_a_script_with_what_no_file_can_say_is_refused(sandbox):
    code, _, err = sandbox.start("any: accept, return, reverse").end(None)
    assert code == 2 and "cannot be taken back in a file" in err


# ---------------------------------------------------------------- a bank that takes customers' files
IBAN = "PK36SCBL0000001123456702"
XSD = SHARED / "data" / "iso20022-xsd"


def terms_of_customer_files(sandbox, **more):
    """As an operator agrees them, by the command."""
    for part in ("in", "out", "archive", "quarantine"):
        sandbox.files.part(part).mkdir(parents=True, exist_ok=True)
    options = dict(mode="instant", channel="file", cutoffs="23:59", file_format="pain.001.001.09", **more)
    done = subprocess.run([str(BIN / "ujrat"), "bank", "terms", sandbox.bank.code, "--db", sandbox.world.database.uri("ujrat_operator"),
                           *("--%s=%s" % (k.replace("_", "-"), v) for k, v in options.items())],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    sandbox.settle.settings["nostro_accounts"] = "%s=%s" % (sandbox.bank.code, IBAN)


def assert_valid(folder, names):
    """Each part of each file by its own published schema."""
    for path in names:
        root = ET.fromstring(path.read_bytes())
        parts = [e for e in root.iter() if e.tag.endswith(("}Document", "}AppHdr"))]
        assert len(parts) == 2, path
        for element in parts:
            part = folder / unique("part")
            part.write_bytes(ET.tostring(element))
            run("xmllint", "--noout", "--schema", XSD / (re.search(r"xsd:([a-z0-9.]+)}", element.tag).group(1) + ".xsd"), part)


def test_a_bank_of_customers_files_settles_rejects_and_returns(sandbox, settle, tmp_path):
    terms_of_customer_files(sandbox)
    if XSD.is_dir():
        settle.settings["xsd_folder"] = XSD
    sandbox.pay(10_000, 20_000, 30_000)
    settle.start()
    bank = sandbox.start("number 1: accept\nnumber 2: reject AC04\nnumber 3: accept, return 40% AC06 charge 10.00\n")
    sandbox.wait_for(SETTLED, REJECTED, sandbox.partly(True))
    sandbox.wait(3)
    code, _, err = bank.end()
    assert (code, err) == (0, ""), err
    wait_until(lambda: sandbox.files.names("in") == [], 20, "every file to be taken")
    assert sandbox.files.names("quarantine") == [] and sandbox.reports() == ""
    files = sandbox.files.files()
    assert {f.message for f in files} == {"pain.001.001.09"}
    told = {i["EndToEndId"]: i["InstdAmt"] for f in files for i in f.items()}
    books = sandbox.assert_agreed()
    assert told == {i["instruction"]: i["amount"].replace(",", "") for i in books["instructions"]}
    # whoever debits whom: our account there, and each transaction says for which platform
    assert all(f.bytes.count(IBAN.encode()) == 1 and f.bytes.count(b"<UltmtDbtr>") == f.manifest["count"] for f in files)
    answers = sorted(p for p in sandbox.files.part("archive").glob("%s-B*.xml" % sandbox.bank.code))
    assert {re.search(r"(pacs\.00[0-9])", p.name).group(1) for p in answers} == {"pacs.002", "pacs.004"}
    if not XSD.is_dir():
        pytest.skip("SKIPPED: no %s to hold files against" % XSD)
    assert_valid(tmp_path, answers + [sandbox.files.part("out") / (f.stem + ".xml") for f in files])


def test_a_bank_of_customers_files_is_asked_by_the_message_that_it_got(sandbox, settle):
    terms_of_customer_files(sandbox, answer_within="1s", escalate_after="1h")
    sandbox.pay(10_000)
    settle.start()
    bank = sandbox.start("any: silent, accept")
    sandbox.wait_for(SETTLED)
    code, _, err = bank.end()
    assert (code, err) == (0, ""), err
    first, asked = sandbox.files.files()[:2]
    assert (first.message, asked.message) == ("pain.001.001.09", "pacs.028.001.03")
    assert [(i["OrgnlMsgNmId"], i["OrgnlEndToEndId"]) for i in asked.items()] == [
        ("pain.001.001.09", i["EndToEndId"]) for i in first.items()]
    sandbox.assert_agreed()


def test_customers_files_want_our_account_and_are_made_once_it_is_known(sandbox, settle, settle_world):
    terms_of_customer_files(sandbox)
    del settle.settings["nostro_accounts"]
    sandbox.pay(10_000)
    settle.once(code=75)
    subject = "%s file 1" % sandbox.bank.code
    (why,), = settle_world.rows("SELECT detail FROM settlement_alert_now WHERE subject = %s", subject)
    assert "nostro_accounts" in why, why
    assert sandbox.files.files() == []
    settle.settings["nostro_accounts"] = "%s=%s" % (sandbox.bank.code, IBAN)
    settle.once()
    (file,) = sandbox.files.files()
    assert (file.number, file.message) == (1, "pain.001.001.09")
    assert settle_world.rows("SELECT detail FROM settlement_alert_now WHERE subject = %s", subject) == []
